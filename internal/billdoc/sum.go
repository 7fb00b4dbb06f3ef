package billdoc

import "huoban/internal/money"

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
