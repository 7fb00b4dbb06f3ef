package e2e

import (
	"math"
	"net/http"
	"slices"
	"strings"
	"testing"

	"huoban/internal/audit"
	"huoban/internal/cycle"
	"huoban/internal/expenditure"
	"huoban/internal/forecast"
	"huoban/internal/money"
	"huoban/internal/scope"
)

// marksOf reads the marks of the lines by the second: amounts by customer and kind, and the cells of the last column.
func marksOf(t *testing.T, c *client, query string) (amounts map[string]string, said map[string]string) {
	t.Helper()
	amounts, said = map[string]string{}, map[string]string{}
	page := c.want(c.get("/o/QIHENG/dashboards/expenditure/anomalies?size=100&"+query), http.StatusOK, query).page(t)
	page.Find("#list-dashboard-anomalies tbody tr").Each(func(_ int, tr *selection) {
		cells := tr.Children()
		if !strings.Contains(cells.Eq(3).Text(), "秒级计量") {
			return
		}
		fields := strings.Fields(cells.Eq(0).Text())
		key := fields[len(fields)-1] + " " + strings.TrimSpace(cells.Eq(2).Text())
		if text := strings.TrimSpace(cells.Eq(4).Text()); strings.ContainsAny(text, "0123456789") {
			amounts[key] = exactOf(t, cells.Eq(4)).String()
		}
		said[key] = strings.TrimSpace(cells.Eq(6).Text())
	})
	return amounts, said
}

// anomalies: the lines by the second are a new service of two customers, of which each person sees the own part. To
// the manager who took them over all of them is new, and nothing is marked. Somebody explains a mark, once however
// often it is sent, and who sees it reads that; nobody else does.
func (g *golden) anomalies(t *testing.T) {
	first, second := g.handed[0]+" 新增服务", g.handed[1]+" 新增服务"
	for login, want := range map[string][2]string{
		"qiheng-admin":      {"255.000000008", "65280.000000008"},
		"qiheng-manager":    {"", "1792.000000003"}, // 3 of the first are too little to be marked
		"qiheng-manager2":   {"", ""},
		"qiheng-supervisor": {"255.000000008", "65280.000000008"},
	} {
		amounts, _ := marksOf(t, g.signIn(t, login), "cycle=2026-05&kind=new_service")
		if amounts[first] != want[0] || amounts[second] != want[1] {
			t.Errorf("%s sees %v, want %v", login, amounts, want)
		}
	}
	page := "/o/QIHENG/dashboards/expenditure/anomalies"
	explain := func(c *client, customer, text string) reply {
		return c.post(strings.Replace(page, "QIHENG", c.org(), 1), "cycle", "2026-05", "currency", "CNY", "kind", "new_service", "subject", "秒级计量", "customer", customer, "text", text)
	}
	boss := g.signIn(t, "qiheng-supervisor")
	for range 2 {
		boss.want(explain(boss, g.handed[0], "项目试用，按秒计量"), http.StatusSeeOther, "explain")
	}
	written, err := g.app.AuditStore.Before(t.Context(), "", true, audit.Filter{Action: "anomaly.explain"}, math.MaxInt64, 100)
	must(t, err)
	if len(written) != 1 {
		t.Errorf("%d rows of the audit", len(written))
	}
	_, said := marksOf(t, g.signIn(t, "qiheng-admin"), "cycle=2026-05&state=explained")
	if len(said) != 1 || !strings.Contains(said[first], "项目试用，按秒计量") {
		t.Errorf("the administrator reads %v", said)
	}
	if _, left := marksOf(t, boss, "cycle=2026-05&state=open"); left[first] != "" {
		t.Errorf("it is still open: %v", left)
	}
	if r := explain(boss, g.handed[0], " "); r.status < 400 || r.status >= 500 {
		t.Errorf("an empty explanation: %d", r.status)
	}
	manager := g.signIn(t, "qiheng-manager2") // to whom the mark does not show
	manager.want(explain(manager, g.handed[0], "不是我的"), http.StatusNotFound, "a mark out of sight")
	foreign := g.signIn(t, "guangzhu-admin")
	theirs, absent := explain(foreign, g.handed[0], "别人的"), explain(foreign, "NOBODY", "别人的")
	foreign.want(theirs, http.StatusNotFound, "another partner's customer")
	if theirs.body != absent.body {
		t.Error("another's customer is told from none")
	}
}

// org is whose pages the client of these tests asks for.
func (c *client) org() string {
	if r := c.get("/o/QIHENG/dashboards/expenditure/forecast"); r.status == http.StatusOK {
		return "QIHENG"
	}
	return "GUANGZHU"
}

// forecast: what the page says of a month is what the method gives for days read from the golden lines one by one, and
// each day's figures sum to the board.
func (g *golden) forecast(t *testing.T) {
	ctx, sc, err := g.app.Operator(g.asTest(), "qiheng-admin", "test")
	must(t, err)
	span := expenditure.BoardFilter{First: "2026-03", Last: "2026-07"}
	span.Currency = "CNY"
	for range 2 { // once from lines, once from what is kept
		book, err := g.app.Expenditure.Days(ctx, sc, span)
		must(t, err)
		b, err := g.app.Expenditure.Board(ctx, sc, expenditure.BoardFilter{First: span.First, Last: span.Last, By: expenditure.ByMode, Filter: span.Filter})
		must(t, err)
		days := g.daysByLine(t, sc, book.Cycles)
		for i, m := range book.All() {
			if !m.Until(31).Equal(b.Cells[i].Amount()) {
				t.Errorf("%s: days sum to %s, the board says %s", m.Cycle, m.Until(31), b.Cells[i].Amount())
			}
			for d, x := range m.Amounts {
				if !x.Equal(days[i].Days[d]) {
					t.Errorf("%s-%02d: %s, the lines sum to %s", m.Cycle, d+1, x, days[i].Days[d])
				}
			}
		}
		_, err = g.app.Expenditure.KeepDays(ctx, g.app.DayKeeper, today)
		must(t, err)
		g.app.Expenditure = &expenditure.Service{Tx: g.app.DB, Store: g.app.Expenditure.Store, Reader: g.app.Expenditure.Reader} // which remembers nothing
	}
	days := g.daysByLine(t, sc, []cycle.Cycle{"2026-03", "2026-04", "2026-05", "2026-06", "2026-07"})
	e, ok := forecast.At(days[:4], days[4], 7)
	c := g.signIn(t, "qiheng-admin")
	page := c.want(c.get("/o/QIHENG/dashboards/expenditure/forecast"), http.StatusOK, "forecast").page(t)
	facts := page.Find("#facts").Parent().Text()
	for _, x := range []money.Amount{e.Low, e.Likely, e.High} {
		if text := x.Exact().Decimal().StringFixed(2); !ok || !strings.Contains(strings.ReplaceAll(facts, ",", ""), text) {
			t.Errorf("the page does not say %s: %s", text, facts)
		}
	}
	trials := forecast.Replay(days[:4], 7)
	if n := page.Find("#list-dashboard-forecast tbody tr").Length(); n != len(trials) || n == 0 {
		t.Errorf("%d trials on the page, want %d", n, len(trials))
	}
}

// daysByLine sums the lines of a partner by day.
func (g *golden) daysByLine(t *testing.T, sc scope.Scope, cycles []cycle.Cycle) []forecast.Month {
	t.Helper()
	var out []forecast.Month
	for _, c := range cycles {
		m := forecast.Month{Cycle: c, Days: make([]money.Exact, int(c.End(cycle.Zone).Sub(c.Start(cycle.Zone)).Hours()/24))}
		_, err := g.app.Expenditure.EachLine(g.asTest(), sc, expenditure.Filter{Cycle: c, Currency: "CNY"}, func(r *expenditure.LineRow) error {
			if r.Line.Kind != "tax" {
				d := r.Line.ChargeStart.In(cycle.Zone).Day() - 1
				m.Days[d] = m.Days[d].Add(r.Line.Billed)
			}
			return nil
		})
		must(t, err)
		out = append(out, m)
	}
	return slices.Clip(out)
}
