package portal

import (
	"strconv"

	"huoban/internal/bill"
	"huoban/internal/i18n"
	"huoban/internal/price"
	"huoban/web/templates/part"
)

// whyProps explains one line: delivered text, attribution, price, amount, residue.
func (h *Handlers) whyProps(c *Ctx, doc *bill.Document, r *bill.LineRow) (*part.Why, error) {
	ctx := c.ctx()
	w, err := h.Bills.Why(ctx, c.Scope, doc, r.Place, r.Customer.ID)
	if err != nil {
		return nil, err
	}
	original, err := h.Deliveries.Original(ctx, r.Place.SlotID, r.Line.FileNo, r.Line.LineNo)
	if err != nil {
		return nil, err
	}
	step := func(key, result string, lines ...part.Item) part.WhyStep {
		return part.WhyStep{Name: c.T("bills.why." + key), Result: result, Lines: lines}
	}
	id := lineNumber(r)
	out := &part.Why{ID: "why-" + id, Title: c.T("bills.why.title", "Amount", i18n.Money8(w.Row.Amount, doc.Currency)),
		Steps: []part.WhyStep{
			step("import", i18n.Exact(r.Line.Billed), part.Item{Text: original.File, Mono: true}, part.Item{Text: c.T("bills.why.line", "Line", strconv.FormatInt(r.Line.LineNo, 10))},
				part.Item{Label: c.T("bills.why.delivery"), Text: r.SourceName + " #" + strconv.FormatInt(r.File.Delivery, 10)}),
			step("attribution", c.T("bills.why.to_customer"), attributionItems(c, r)...),
			step("price", priceText(c, w), priceItems(c, w)...),
			step("amount", i18n.Exact(w.Row.Exact), part.Item{Text: i18n.Exact(w.Row.BaseAmount) + " × " + w.Row.Chosen.Factor.String()},
				part.Item{Text: i18n.Money8(w.Row.Amount, doc.Currency)}, part.Item{Text: c.T("bills.why.once")}),
			step("residue", i18n.Exact(w.Residue), part.Item{Text: c.T("bills.why.residue_note")}),
		},
		Source: &part.SourceRow{Title: c.T("bills.why.source", "Count", int64(len(original.Cells)))}}
	for _, cell := range original.Cells {
		out.Source.Cells = append(out.Source.Cells, part.Item{Label: cell.Column, Text: cell.Text})
	}
	if w.Before != nil {
		out.Note = c.T("bills.why.before", "Factor", w.Before.Rule.Factor.String(), "Amount", i18n.Money8(w.Before.Amount, doc.Currency))
	}
	return out, nil
}

func attributionItems(c *Ctx, r *bill.LineRow) []part.Item {
	a := &r.Line.Account
	items := []part.Item{}
	if a.SubAccount != "" {
		items = append(items, part.Item{Label: "SubAccountId", Text: a.SubAccount, Mono: true})
	}
	if a.SourceKey != "" {
		items = append(items, part.Item{Label: c.T("bills.why.key"), Text: a.SourceKey, Mono: true})
	}
	if no := r.Line.Resource.OrderNo; no != "" {
		items = append(items, part.Item{Label: c.T("expenditure.col.order"), Text: no, Mono: true})
	}
	items = append(items, part.Item{Text: r.Customer.Code})
	if r.Origin == bill.OriginSpread {
		items = append(items, part.Item{Text: c.T("bills.why.spread")})
	}
	return items
}

func ruleText(c *Ctx, r *price.Rule) string {
	return "P-" + strconv.FormatInt(r.Number, 10) + " v" + strconv.FormatInt(r.Version, 10) + " " + c.T("bills.price."+string(r.Type)) + " " + r.Factor.String()
}

func priceText(c *Ctx, w *bill.Why) string {
	if w.Rule == nil {
		return c.T("bills.why.no_rule")
	}
	return c.T("bills.price."+string(w.Rule.Type)) + " × " + w.Rule.Factor.String()
}

func priceItems(c *Ctx, w *bill.Why) []part.Item {
	items := []part.Item{{Label: c.T("bills.why.base"), Text: c.T("bills.base." + string(w.Row.Base))}}
	if w.Fallback {
		items = append(items, part.Item{Text: c.T("bills.why.fallback")})
	}
	if w.Rule != nil {
		items = append(items, part.Item{Label: c.T("bills.why.rule"), Text: ruleText(c, w.Rule)})
	}
	for i, o := range w.Others {
		if i == 5 {
			break
		}
		items = append(items, part.Item{Text: c.T("bills.why.not", "Rule", ruleText(c, o.Rule), "Reason", c.T("bills.reason."+string(o.Reason)))})
	}
	return items
}
