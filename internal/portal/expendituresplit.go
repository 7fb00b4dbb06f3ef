package portal

import (
	"cmp"
	"slices"
	"strings"

	"huoban/internal/customer"
	"huoban/internal/expenditure"
	"huoban/internal/i18n"
	"huoban/internal/sorted"
	"huoban/web/templates/expview"
	"huoban/web/templates/part"
)

// share is what one part of the summary comes to.
type share struct {
	key string
	expenditure.Figures
}

// shares add up the rows of a summary by a key, those with the greatest discount first.
func shares(s *expenditure.Summary, key func(*expenditure.Row) string) []share {
	var out []share
	for i := range s.Rows {
		k := key(&s.Rows[i])
		at := slices.IndexFunc(out, func(x share) bool { return x.key == k })
		if at < 0 {
			at, out = len(out), append(out, share{key: k})
		}
		out[at].Merge(s.Rows[i].Figures)
	}
	sorted.By(out, func(a, b share) int {
		return cmp.Or(b.Discount.Cmp(a.Discount), b.Amount().Cmp(a.Amount()), strings.Compare(a.key, b.key))
	})
	return out
}

// consumptionSplits divide the figures of the summary by association, and its discounts by product (优惠详情). Before discount
// is what was consumed with its discount added back, so that a line without a list price stands there as it was billed.
func consumptionSplits(c *Ctx, e *consumption, s *expenditure.Summary) []expview.Split {
	item := func(name, href string, f *expenditure.Figures) part.Item {
		return part.Item{Label: name, Href: href, Text: c.T("expenditure.split.figures", "Amount", i18n.ExactMoney(f.Amount(), s.Currency), "Discount", i18n.ExactMoney(f.Discount, s.Currency),
			"Before", i18n.ExactMoney(f.Amount().Add(f.Discount), s.Currency))}
	}
	relations := expview.Split{ID: "by-relation", Title: c.T("expenditure.split.relation")}
	for _, x := range shares(s, func(r *expenditure.Row) string { return string(r.Relation) }) {
		href := ""
		if x.key != "" { // the partner's own use has no association to choose
			href = c.expenditureLink(e, e.page, "relation", x.key, "currency", s.Currency)
		}
		relations.Parts = append(relations.Parts, item(relationText(c, customer.Kind(x.key)), href, &x.Figures))
	}
	products := expview.Split{ID: "by-product", Title: c.T("expenditure.split.product")}
	for _, x := range shares(s, func(r *expenditure.Row) string { return r.Product }) {
		products.Parts = append(products.Parts, item(productText(c, x.key), c.expenditureLink(e, "lines", "product", x.key, "zero", "all", "currency", s.Currency), &x.Figures))
	}
	payment := expview.Split{ID: "by-payment", Title: c.T("expenditure.split.payment"), Off: c.T("expenditure.split.payment_off")}
	if !e.people {
		return []expview.Split{products, payment}
	}
	return []expview.Split{relations, products, payment}
}
