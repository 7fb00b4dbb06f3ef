package billdoc

import (
	"huoban/internal/bill"
	"huoban/internal/money"
)

// lineSum is the total row of a list of lines: their number and the sum of their amounts as written,
// tax included.
type lineSum struct {
	rows   int64
	amount money.Sum
}

func (s *lineSum) add(columns []column, row []string) {
	s.rows++
	for i, c := range columns {
		if c.name == "amount" && c.class == classAmount {
			if x, err := money.ParseExact(row[i]); err == nil {
				s.amount.Add(x)
			}
		}
	}
}

func (s *lineSum) cells(columns []column, o Options) []string {
	out := make([]string, len(columns))
	out[0] = o.word("bill.column.total", "total")
	for i, c := range columns {
		if c.name == "amount" {
			out[i] = s.amount.Exact().String()
		}
	}
	return out
}

// foot is what ends a split: the total of the page, tax beside it, the number of rows, the filter and
// the short code. Labels stand in the first column, notes in the second.
func foot(d *bill.Document, t table, rows int64, o Options) [][]string {
	row := func(label, text string) []string {
		cells := make([]string, len(t.columns))
		cells[0], cells[1] = o.word("bill.column."+label, label), text
		return cells
	}
	amount := func(label string, a money.Amount) []string {
		cells := row(label, "")
		for i, c := range t.columns {
			if c.name == "amount" {
				cells[i] = a.String()
			}
		}
		return cells
	}
	var out [][]string
	if t.total != nil {
		out = append(out, t.total)
	} else {
		totals := d.LineTotals(o.Select)
		out = append(out, amount("total", totals.Amount))
		if totals.Tax != 0 {
			out = append(out, amount("tax", totals.Tax))
		}
	}
	out = append(out, row("rows", count(rows)))
	if o.Filter != "" {
		out = append(out, row("filter", o.Filter))
	}
	return append(out, row("code", d.Code))
}
