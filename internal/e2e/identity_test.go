package e2e

import (
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"testing"

	"github.com/PuerkitoBio/goquery"

	"huoban/internal/bill"
	"huoban/internal/customer"
	"huoban/internal/cycle"
	"huoban/internal/expenditure"
	"huoban/internal/money"
	"huoban/internal/scope"
	"huoban/internal/usage"
)

// identities adds the figures of every partner's board up in each way there is.
func (g *golden) identities(t *testing.T) {
	differences := map[string]int{}
	for _, org := range []string{"QIHENG", "GUANGZHU", "MULAN", "YANSHI"} {
		ctx, sc, err := g.app.Operator(g.asTest(), strings.ToLower(org)+"-admin", "test")
		must(t, err)
		read := func(sc scope.Scope, f expenditure.BoardFilter) *expenditure.Board {
			f.Currency = "CNY"
			b, err := g.app.Expenditure.Board(ctx, sc, f)
			must(t, err)
			return b
		}
		for _, span := range [][2]cycle.Cycle{{"2026-04", "2026-06"}, {"2026-05", "2026-05"}, {"2026-03", "2026-07"}} {
			want := map[cycle.Cycle]money.Exact{}
			for c := span[0]; c <= span[1]; c = c.Next() {
				s, err := g.app.Expenditure.Summarise(ctx, sc, expenditure.Filter{Cycle: c, Currency: "CNY"})
				must(t, err)
				want[c] = s.Total.Amount()
			}
			for _, by := range expenditure.Groupings {
				what := fmt.Sprintf("%s %s–%s by %s", org, span[0], span[1], by)
				f := expenditure.BoardFilter{First: span[0], Last: span[1], By: by}
				whole := read(sc, f)
				groupsSum(t, what, whole, want)
				for _, order := range expenditure.Orders {
					f.Order, f.Top, f.Zero = order, 1+len(order)%3, order == expenditure.OrderName
					groupsSum(t, what+" first ones by "+string(order), read(sc, f), want)
				}
				f.Order, f.Top, f.Zero = "", 0, true
				g.managersSum(t, what, sc, f, read)
			}
		}
		for _, c := range []cycle.Cycle{"2026-03", "2026-04", "2026-05"} {
			g.billDifference(t, org, c, read(sc, expenditure.BoardFilter{First: c, Last: c, By: expenditure.ByRelation, Zero: true}), differences)
		}
	}
	for _, part := range []string{"referral", "price", "adjustments", "coupons", "rounding"} {
		if differences[part] == 0 {
			t.Errorf("no bill differs from the board by %s: the test shows nothing of it", part)
		}
	}
}

// groupsSum wants the groups to sum to the cells, the cells to the total, and each cycle to that of 客户消费.
func groupsSum(t *testing.T, what string, b *expenditure.Board, want map[cycle.Cycle]money.Exact) {
	t.Helper()
	var all, across money.Exact
	for i, c := range b.Cycles {
		var sum money.Exact
		for k := range b.Groups {
			sum = sum.Add(b.Groups[k].Cells[i].Amount())
		}
		if !sum.Equal(b.Cells[i].Amount()) || !sum.Equal(want[c]) {
			t.Errorf("%s: groups of %s sum to %s, the board says %s, 客户消费 %s", what, c, sum, b.Cells[i].Amount(), want[c])
		}
		all = all.Add(sum)
	}
	for k := range b.Groups {
		across = across.Add(b.Groups[k].Total.Amount())
	}
	if !all.Equal(b.Total.Amount()) || !across.Equal(all) {
		t.Errorf("%s: cells sum to %s, totals of groups to %s, the board says %s", what, all, across, b.Total.Amount())
	}
}

// managersSum wants every cell to be the sum of its managers' and of what nobody looked after; once by the filter,
// and over all as each manager sees it alone.
func (g *golden) managersSum(t *testing.T, what string, sc scope.Scope, f expenditure.BoardFilter, read func(scope.Scope, expenditure.BoardFilter) *expenditure.Board) {
	t.Helper()
	whole := read(sc, f)
	sums := map[string][]money.Exact{}
	add := func(b *expenditure.Board) {
		for _, x := range b.Groups {
			if sums[x.Key] == nil {
				sums[x.Key] = make([]money.Exact, len(b.Cycles))
			}
			for i := range x.Cells {
				sums[x.Key][i] = sums[x.Key][i].Add(x.Cells[i].Amount())
			}
		}
	}
	f.Manager = expenditure.Nobody
	unassigned := read(sc, f)
	add(unassigned)
	alone := unassigned.Total.Amount()
	for _, m := range whole.Choices.Managers {
		f.Manager = m.ID
		add(read(sc, f))
		f.Manager = ""
		_, own, err := g.app.Operator(g.asTest(), m.Login, "test")
		must(t, err)
		alone = alone.Add(read(own, f).Total.Amount())
	}
	for _, x := range whole.Groups {
		for i := range x.Cells {
			if got := sums[x.Key]; got == nil || !got[i].Equal(x.Cells[i].Amount()) {
				t.Errorf("%s: the managers' %q sum to %v, the partner's is %s", what, x.Key, got, x.Cells[i].Amount())
			}
		}
	}
	if !alone.Equal(whole.Total.Amount()) {
		t.Errorf("%s: what the managers see and what nobody looks after is %s, the partner's total %s", what, alone, whole.Total.Amount())
	}
}

// billDifference adds up what lies between 消费看板 and the partner's bill:
//
//	board − due = 顾问销售 + (billed − settlement price) − adjustments − coupons − 抹零 + residue of rounding lines
//
// Tax stands in neither. A distributor's bill has its resellers' lines, as its board has.
func (g *golden) billDifference(t *testing.T, org string, c cycle.Cycle, b *expenditure.Board, seen map[string]int) {
	t.Helper()
	docs, err := g.app.BillsOf(g.asTest(), scope.System("operator"), g.orgs[org], c)
	must(t, err)
	var referral, price, adjustments, coupons, rounding, residue, due money.Exact
	for _, x := range b.Groups {
		if x.Key == string(customer.KindReferral) {
			referral = referral.Add(x.Total.Amount())
		}
	}
	for i := range docs {
		d := &docs[i]
		if d.Partner.ID != g.orgs[org].ID || d.Currency != "CNY" {
			continue
		}
		if d.Floored {
			t.Fatalf("%s %s is floored: choose another month", org, c)
		}
		for _, it := range d.Items {
			switch {
			case it.Kind == usage.KindTax, it.Kind == bill.KindCoupon: // the latter once more in coupons
			case it.Origin == bill.OriginAdjustment:
				adjustments = adjustments.Add(it.Exact)
			default:
				price = price.Add(it.SourceExact.Sub(it.Exact))
			}
		}
		due, rounding, coupons, residue = due.Add(d.Due.Exact()), rounding.Add(d.Rounding.Exact()), coupons.Add(d.Coupon.Exact()), residue.Add(d.Residue())
	}
	sum := referral.Add(price).Sub(adjustments).Sub(coupons).Sub(rounding).Add(residue)
	if got := b.Total.Amount().Sub(due); !got.Equal(sum) {
		t.Errorf("%s %s: the board has %s more than the bill, its parts sum to %s (referral %s, price %s, adjustments %s, coupons %s, rounding %s, residue %s)",
			org, c, got, sum, referral, price, adjustments, coupons, rounding, residue)
	}
	for name, x := range map[string]money.Exact{"referral": referral, "price": price, "adjustments": adjustments, "coupons": coupons, "rounding": rounding} {
		if !x.IsZero() {
			seen[name]++
		}
	}
}

// pagesAndFiles holds the table of the page, the pictures' tables and the file against each other, cell by cell to
// the last digit, over groupings, ranges and settings.
func (g *golden) pagesAndFiles(t *testing.T) {
	c := g.signIn(t, "qiheng-admin")
	n := 0
	for _, span := range [][]string{{"from", "2026-04", "to", "2026-06"}, {"from", "2026-05", "to", "2026-05"}} {
		for i, by := range boardGroupings {
			for _, more := range [][]string{{"zero", "all"}, {"top", "3", "sort", []string{"total", "last", "change", "name"}[i%4], "draw", "lines"}} {
				query := form(append(append(slices.Clone(span), "by", by, "size", "50"), more...)...)
				page := c.want(c.get("/o/QIHENG/dashboards/expenditure?"+query), http.StatusOK, query).page(t)
				r := c.want(c.do(http.MethodPost, "/o/QIHENG/exports", form("list", "dashboard.expenditure", "format", "csv", "query", query), asProgram), http.StatusOK, query)
				must(t, g.app.Worker.Drain(g.asTest()))
				file := newCSV(t, c.want(c.get("/o/QIHENG/exports/"+taskOf(t, r)+"/file"), http.StatusOK, query).body)
				g.samePictures(t, query, page, g.samePage(t, query, page, file))
				n++
			}
		}
	}
	if n != 2*len(boardGroupings)*2 {
		t.Errorf("only %d pages were compared", n)
	}
}

// boardRow is a row of the table by the headings of its columns.
type boardRow struct {
	name  string
	cells map[string]money.Exact
}

// samePage wants the rows of the page to be those of the file.
func (g *golden) samePage(t *testing.T, query string, page *goquery.Document, file *csvFile) []boardRow {
	t.Helper()
	var rows []boardRow
	var heads []string
	page.Find("#list-dashboard-expenditure thead th").Each(func(_ int, th *selection) {
		heads = append(heads, strings.TrimSpace(strings.Split(strings.TrimSpace(th.Text()), "\n")[0]))
	})
	page.Find("#list-dashboard-expenditure tbody tr").Each(func(_ int, tr *selection) {
		row := boardRow{name: strings.TrimSpace(tr.Children().First().Text()), cells: map[string]money.Exact{}}
		tr.Children().Each(func(i int, cell *selection) {
			if text := strings.TrimSpace(cell.Text()); i > 0 && i < len(heads) && strings.ContainsAny(text, "0123456789") && !strings.Contains(text, "%") {
				row.cells[heads[i]] = exactOf(t, cell)
			}
		})
		rows = append(rows, row)
	})
	if len(rows) != len(file.rows) || len(rows) == 0 {
		t.Fatalf("%s: the page has %d rows, the file %d", query, len(rows), len(file.rows))
	}
	for i, r := range rows {
		if name := file.rows[i][0]; name != r.name {
			t.Errorf("%s: row %d is %q, in the file %q", query, i+1, r.name, name)
		}
		compared := 0
		for _, title := range append(monthsOf(query), "应付金额", "实付金额") {
			x, ok := r.cells[title]
			if !ok || !x.Equal(exactText(t, file.named(file.rows[i], title))) {
				t.Errorf("%s: %q %s is %s (%v), in the file %s", query, r.name, title, x, heads, file.named(file.rows[i], title))
			}
			compared++
		}
		if compared < 3 {
			t.Errorf("%s: only %d columns were compared", query, compared)
		}
	}
	return rows
}

// samePictures wants every figure of the pictures' tables to be that of the table of the page, those of several
// groups together their sum.
func (g *golden) samePictures(t *testing.T, query string, page *goquery.Document, rows []boardRow) {
	t.Helper()
	const most = 6 // groups that stand alone where there are more than seven
	drawn := map[string]map[string]money.Exact{}
	var names []string
	for i, r := range rows {
		name := r.name
		if i >= most && len(rows) > most+1 {
			name = "\x00"
		}
		if drawn[name] == nil {
			drawn[name], names = map[string]money.Exact{}, append(names, name)
		}
		for title, x := range r.cells {
			drawn[name][title] = drawn[name][title].Add(x)
		}
	}
	months := monthsOf(query)
	page.Find("#trend-twin tbody tr").Each(func(i int, tr *selection) {
		tr.Find("td").Each(func(k int, td *selection) {
			if want := drawn[names[k]][months[i]]; !exactOf(t, td.Children().First().Parent()).Equal(want) {
				t.Errorf("%s: the picture has %s for %q in %s, the table %s", query, strings.TrimSpace(td.Text()), names[k], months[i], want)
			}
		})
		if n := tr.Find("td").Length(); n != len(names) {
			t.Errorf("%s: %d groups are drawn, want %d", query, n, len(names))
		}
	})
	if n := page.Find("#trend-twin tbody tr").Length(); n != len(months) {
		t.Errorf("%s: %d months are drawn", query, n)
	}
	page.Find("#share-twin tbody tr").Each(func(k int, tr *selection) {
		if want := drawn[names[k]]["应付金额"]; !exactOf(t, tr.Find("td")).Equal(want) {
			t.Errorf("%s: the shares have %s for %q, the table %s", query, strings.TrimSpace(tr.Find("td").Text()), names[k], want)
		}
	})
}

func monthsOf(query string) (out []string) {
	v, _ := url.ParseQuery(query)
	for c := cycle.Cycle(v.Get("from")); c <= cycle.Cycle(v.Get("to")); c = c.Next() {
		out = append(out, string(c))
	}
	return out
}
