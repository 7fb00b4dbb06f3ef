package e2e

import (
	"context"
	"crypto/sha256"
	"encoding/csv"
	"encoding/hex"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"huoban/internal/customer"
	"huoban/internal/i18n"
	"huoban/internal/money"
	"huoban/internal/usage"
)

var zh = i18n.With(context.Background(), i18n.ZhCN)

// csvFile is an exported list: its rows up to the total, by the headings of the columns.
type csvFile struct {
	t    *testing.T
	head []string
	rows [][]string
}

func newCSV(t *testing.T, body string) *csvFile {
	t.Helper()
	r := csv.NewReader(strings.NewReader(strings.TrimPrefix(body, "\ufeff")))
	r.FieldsPerRecord = -1
	all, err := r.ReadAll()
	if err != nil || len(all) == 0 {
		t.Fatalf("no table: %v %.200s", err, body)
	}
	f := &csvFile{t: t, head: all[0]}
	for _, row := range all[1:] {
		if word := i18n.T(zh, "bill.column.total"); row[0] == word || row[0] == i18n.T(zh, "bill.column.rows") {
			return f
		}
		f.rows = append(f.rows, row)
	}
	t.Fatal("the file does not end with a total")
	return nil
}

func (f *csvFile) has(key string) bool { return slices.Contains(f.head, i18n.T(zh, key)) }

// cell is a cell as it was before a spreadsheet had to be kept from changing it.
func (f *csvFile) cell(row []string, key string) string { return f.named(row, i18n.T(zh, key)) }

func (f *csvFile) named(row []string, title string) string {
	f.t.Helper()
	i := slices.Index(f.head, title)
	if i < 0 {
		f.t.Fatalf("no column %q in %v", title, f.head)
	}
	return strings.TrimPrefix(strings.TrimSuffix(row[i], "\t"), "'")
}

// codeOf finds the code whose word a cell shows.
func codeOf[T ~string](t *testing.T, word, prefix string, codes []T) string {
	t.Helper()
	for _, c := range codes {
		if i18n.T(zh, prefix+string(c)) == word {
			return string(c)
		}
	}
	t.Errorf("%q is no %s", word, prefix)
	return word
}

func relationOf(t *testing.T, word string) string {
	t.Helper()
	if word == i18n.T(zh, "expenditure.own") {
		return ""
	}
	return codeOf(t, word, "association.kind.", []customer.Kind{customer.KindResale, customer.KindReferral})
}

func modeOf(t *testing.T, word string) string {
	t.Helper()
	return codeOf(t, word, "bill.mode.", []usage.ChargingMode{usage.ModeOnDemand, usage.ModeSubscription, usage.ModeReserved, usage.ModeSavingsPlan, usage.ModeOneTime})
}

// managerOf is the login of somebody shown by the number alone.
func (g *golden) managerOf(t *testing.T, shown string) string {
	t.Helper()
	if shown == "" || shown == i18n.T(zh, "customers.manager.none") {
		return ""
	}
	_, number, _ := strings.Cut(shown, " · ")
	if g.logins[number] == "" {
		t.Errorf("nobody is %q", shown)
	}
	return g.logins[number]
}

// hashOfRows is one hash of rows in no order.
func hashOfRows(rows []string) string {
	slices.Sort(rows)
	sum := sha256.Sum256([]byte(strings.Join(rows, "\n")))
	return hex.EncodeToString(sum[:])
}

func exactText(t *testing.T, text string) money.Exact {
	t.Helper()
	x, err := money.ParseExact(text)
	if err != nil {
		t.Fatalf("amount %q: %v", text, err)
	}
	return x
}

var summaryFigures = []struct{ name, key string }{{"lines", "expenditure.col.lines"}, {"consumption", "expenditure.figure.consumption"}, {"refund", "expenditure.figure.refund"},
	{"adjustment", "expenditure.figure.adjustment"}, {"discount", "expenditure.col.discount"}, {"tax", "expenditure.figure.tax"}, {"amount", "expenditure.figure.amount"}}

func (g *golden) summaryOf(a actor, f *csvFile) map[string]any {
	totals := map[string]money.Exact{}
	var rows []string
	for _, r := range f.rows {
		code, relation := a.Org, ""
		if f.has("bill.column.customer") {
			code, relation = f.cell(r, "bill.column.customer"), relationOf(f.t, f.cell(r, "expenditure.col.relation"))
		}
		cells := []string{code, relation, f.cell(r, "expenditure.col.product"), modeOf(f.t, f.cell(r, "expenditure.col.mode"))}
		for _, x := range summaryFigures {
			amount := exactText(f.t, f.cell(r, x.key))
			totals[x.name] = totals[x.name].Add(amount)
			cells = append(cells, amount.String())
		}
		rows = append(rows, strings.Join(cells, "|"))
	}
	out := map[string]any{"rows": len(rows), "sha256": hashOfRows(rows)}
	for name, x := range totals {
		out[name] = x.String()
	}
	return out
}

func (g *golden) detailsOf(a actor, f *csvFile) map[string]any {
	var rows []string
	var sum, tax money.Exact
	kinds := []usage.Kind{usage.KindConsumption, usage.KindRefund, usage.KindAdjustment, usage.KindTax}
	for _, r := range f.rows {
		code, relation, manager := a.Org, "", ""
		if f.has("bill.column.customer") {
			code, relation = f.cell(r, "bill.column.customer"), relationOf(f.t, f.cell(r, "expenditure.col.relation"))
			manager = g.managerOf(f.t, f.cell(r, "expenditure.col.manager"))
		}
		at, err := time.Parse(time.RFC3339Nano, f.cell(r, "expenditure.col.charged"))
		must(f.t, err)
		kind, billed := codeOf(f.t, f.cell(r, "expenditure.col.kind"), "bill.kind.", kinds), exactText(f.t, f.cell(r, "expenditure.col.amount"))
		if kind == string(usage.KindTax) {
			tax = tax.Add(billed)
		} else {
			sum = sum.Add(billed)
		}
		rows = append(rows, strings.Join([]string{at.UTC().Format(time.RFC3339), code, relation, manager, f.cell(r, "expenditure.col.product"), f.cell(r, "expenditure.col.region"),
			modeOf(f.t, f.cell(r, "expenditure.col.mode")), kind, f.cell(r, "expenditure.col.list"), billed.String()}, "|"))
	}
	return map[string]any{"rows": len(rows), "amount": sum.String(), "tax": tax.String(), "sha256": hashOfRows(rows)}
}

func (g *golden) boardOf(by string, f *csvFile) map[string][]string {
	out := map[string][]string{}
	for _, r := range f.rows {
		key := f.cell(r, "dashboard.by."+by)
		switch by {
		case "mode":
			key = modeOf(f.t, key)
		case "relation":
			key = relationOf(f.t, key)
		case "manager":
			key = g.managerOf(f.t, key)
		case "customer":
			_, key, _ = strings.Cut(key, " · ")
		}
		var row []string
		for _, m := range goldenMonths {
			row = append(row, f.named(r, m))
		}
		out[key] = append(row, f.cell(r, "dashboard.fact.payable"))
	}
	return out
}

func (g *golden) censusOf(t *testing.T, r reply, f *csvFile) *censusSight {
	t.Helper()
	page := r.page(t)
	out := &censusSight{Kinds: map[string]int{}, Contribution: map[string]string{}}
	number := func(text string) int {
		n, err := strconv.Atoi(strings.ReplaceAll(strings.TrimSpace(text), ",", ""))
		must(t, err)
		return n
	}
	facts := map[string]*int{"count": &out.Count, "associations": &out.Associations, "spending": &out.Spending, "quarter": &out.Quarter, "unassigned": &out.Unassigned}
	for name, into := range facts {
		label := i18n.T(zh, "dashboard.customers."+name)
		*into = -1
		page.Find("dl dt").Each(func(_ int, dt *selection) {
			if strings.TrimSpace(dt.Text()) == label {
				*into = number(dt.Parent().Find("dd").Text())
			}
		})
	}
	page.Find("#kinds-twin tbody tr").Each(func(_ int, tr *selection) {
		out.Kinds[relationOf(t, strings.TrimSpace(tr.Find("th").Text()))] = number(tr.Find("td").Text())
	})
	for _, m := range goldenMonths {
		row := []int{0, 0}
		page.Find("#came-twin tbody tr").Each(func(_ int, tr *selection) {
			if strings.TrimSpace(tr.Find("th").Text()) == m {
				tr.Find("td").Each(func(i int, td *selection) { row[i] = number(td.Text()) })
			}
		})
		out.Months = append(out.Months, row)
	}
	for _, row := range f.rows {
		out.Contribution[f.cell(row, "customers.col.code")] = f.cell(row, "dashboard.customers.contribution")
	}
	if out.Count == 0 && len(out.Kinds) == 0 { // no picture of nothing
		out.Kinds = map[string]int{string(customer.KindResale): 0, string(customer.KindReferral): 0}
	}
	return out
}
