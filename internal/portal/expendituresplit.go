package portal

import (
	"cmp"
	"slices"
	"strings"

	"huoban/internal/customer"
	"huoban/internal/expenditure"
	"huoban/web/templates/expview"
)

// consumptionSplits divide the figures of the summary by association, and its discounts by product. Before discount is what
// was consumed with its discount added back, so that a line without a list price stands there as it was billed.
func consumptionSplits(c *Ctx, e *consumption, s *expenditure.Summary) []expview.Split {
	var out []expview.Split
	if e.people {
		out = append(out, consumptionSplit(c, s, "relation", func(r *expenditure.Row) string { return string(r.Relation) },
			func(key string) (string, string) {
				if key == "" { // the partner's own use has no association to choose
					return relationText(c, ""), ""
				}
				return relationText(c, customer.Kind(key)), c.expenditureLink(e, e.page, "relation", key, "currency", s.Currency)
			}))
	}
	return append(out, consumptionSplit(c, s, "product", func(r *expenditure.Row) string { return r.Product },
		func(key string) (string, string) {
			return productText(c, key), c.expenditureLink(e, "lines", "product", key, "zero", "all", "currency", s.Currency)
		}))
}

// consumptionSplit adds up rows of one key, those with the greatest discount first.
func consumptionSplit(c *Ctx, s *expenditure.Summary, by string, key func(*expenditure.Row) string, name func(key string) (text, href string)) expview.Split {
	sums, keys := map[string]*expenditure.Figures{}, []string{}
	for i := range s.Rows {
		k := key(&s.Rows[i])
		if sums[k] == nil {
			sums[k], keys = &expenditure.Figures{}, append(keys, k)
		}
		sums[k].Merge(s.Rows[i].Figures)
	}
	slices.SortFunc(keys, func(a, b string) int {
		return cmp.Or(sums[b].Discount.Cmp(sums[a].Discount), sums[b].Amount().Cmp(sums[a].Amount()), strings.Compare(a, b))
	})
	row := func(f *expenditure.Figures) expview.SplitRow {
		return expview.SplitRow{List: exactly(f.Amount().Add(f.Discount), s.Currency), Discount: exactly(f.Discount, s.Currency), Amount: exactly(f.Amount(), s.Currency)}
	}
	out := expview.Split{ID: "by-" + by, Title: c.T("expenditure.split." + by), Head: c.T("expenditure.col." + by), Total: row(&s.Total)}
	out.Total.Name = c.T("expenditure.total.all")
	for _, k := range keys {
		r := row(sums[k])
		r.Name, r.Href = name(k)
		out.Rows = append(out.Rows, r)
	}
	return out
}
