package portal

import (
	"huoban/internal/cycle"
	"huoban/internal/expenditure"
	"huoban/internal/money"
	"huoban/web/templates/part"
)

// drawnGroup is what a picture tells apart: a group, or several small ones together.
type drawnGroup struct {
	name  string
	group *expenditure.Group // nil of several
	cells []money.Exact
	total money.Exact
}

// dashboardDrawn are as many groups as a picture can tell apart, in the order of the table; the rest is one.
func dashboardDrawn(c *Ctx, f *expenditure.BoardFilter, b *expenditure.Board) []drawnGroup {
	var out []drawnGroup
	for i := range b.Groups {
		g := &b.Groups[i]
		alone := i < part.MaxGroups-1 || len(b.Groups) == part.MaxGroups
		if alone {
			out = append(out, drawnGroup{name: groupText(c, f.By, g), group: g})
		} else if len(out) < part.MaxGroups {
			out = append(out, drawnGroup{})
		}
		d := &out[len(out)-1]
		if d.cells == nil {
			d.cells = make([]money.Exact, len(g.Cells))
		}
		for n := range g.Cells {
			d.cells[n] = d.cells[n].Add(g.Cells[n].Amount())
		}
		if d.total = d.total.Add(g.Total.Amount()); !alone {
			d.name = c.T("dashboard.others_of", "Count", drawnTogether(b))
		}
	}
	return out
}

// drawnTogether is how many groups the last one of a picture holds.
func drawnTogether(b *expenditure.Board) (n int64) {
	for i := part.MaxGroups - 1; i < len(b.Groups); i++ {
		n += max(1, int64(b.Groups[i].Others))
	}
	return n
}

// dashboardPoint is an amount in a picture; group is nil where no lines can be asked for.
func dashboardPoint(c *Ctx, f *expenditure.BoardFilter, b *expenditure.Board, d *drawnGroup, n int) part.Point {
	x := exactMoney(d.cells[n], b.Currency)
	p := part.Point{Size: d.cells[n].Decimal().InexactFloat64(), Text: x.Text, Full: x.Full}
	if d.group != nil && d.group.Cells[n].Lines > 0 {
		p.Href = linesOfGroup(c, f, d.group, b.Cycles[n], b.Currency)
	}
	return p
}

// dashboardTrend draws the groups over time. What the running month may still bring stands outlined upon its bar, in a
// series of its own that belongs to no total.
func (h *Handlers) dashboardTrend(c *Ctx, f *expenditure.BoardFilter, b *expenditure.Board, o *outlook) part.Chart {
	chart := part.Chart{ID: "trend", Kind: part.ChartStacked, Title: c.T("dashboard.trend"), Head: c.T("part.cycle.name"), Note: c.T("dashboard.trend_note"), Live: true}
	if c.QueryParam("draw") == "lines" && len(b.Cycles) > 1 {
		chart.Kind, chart.Note = part.ChartLines, c.T("dashboard.lines_note")
	}
	running := cycle.Of(h.Clock.Now(), cycle.Zone)
	for _, at := range b.Cycles {
		chart.Names, chart.Short = append(chart.Names, string(at)), append(chart.Short, string(at)[2:])
	}
	drawn := dashboardDrawn(c, f, b)
	for i := range drawn {
		s := part.Series{Name: drawn[i].name}
		for n := range b.Cycles {
			p := dashboardPoint(c, f, b, &drawn[i], n)
			p.Guess = chart.Kind == part.ChartLines && b.Cycles[n] == running
			s.Points = append(s.Points, p)
		}
		chart.Series = append(chart.Series, s)
	}
	if o != nil && chart.Kind == part.ChartStacked {
		s := part.Series{Name: c.T("forecast.rest"), Guess: true, Points: make([]part.Point, len(b.Cycles))}
		for n := range s.Points {
			s.Points[n].Missing = true
		}
		s.Points[len(s.Points)-1] = forecastRest(o)
		chart.Series, chart.Note = append(chart.Series, s), chart.Note+c.T("forecast.rest_note")
	}
	return chart
}

// dashboardShare leads to the lines where it is of one month, else to the same page narrowed to the group.
func dashboardShare(c *Ctx, f *expenditure.BoardFilter, b *expenditure.Board) part.Chart {
	chart := part.Chart{ID: "share", Kind: part.ChartShare, Title: c.T("dashboard.share"), Head: c.T("dashboard.by." + string(f.By)), Live: true, Series: []part.Series{{Name: c.T("dashboard.fact.payable")}}}
	drawn := dashboardDrawn(c, f, b)
	for i := range drawn {
		d := &drawn[i]
		x := exactMoney(d.total, b.Currency)
		p := part.Point{Size: d.total.Decimal().InexactFloat64(), Text: x.Text, Full: x.Full}
		if d.group != nil {
			if v, ok := narrowedTo(f, d.group); ok && len(b.Cycles) > 1 {
				p.Href = dashboardLink(c, string(f.By), v[string(f.By)], "tab", "trend")
			} else {
				p.Href = dashboardPoint(c, f, b, d, 0).Href
			}
		}
		chart.Names, chart.Series[0].Points = append(chart.Names, d.name), append(chart.Series[0].Points, p)
	}
	return chart
}

// dashboardLink is this page with parameters changed.
func dashboardLink(c *Ctx, change ...string) string {
	return lists["dashboard.expenditure"].link(c, change...)
}
