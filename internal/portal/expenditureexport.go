package portal

import (
	"slices"
	"strings"

	"huoban/internal/expenditure"
	"huoban/internal/expenditureexport"
	"huoban/internal/export"
	"huoban/internal/i18n"
	"huoban/internal/money"
	"huoban/internal/scope"
	"huoban/web/templates/part"
)

// exportOfConsumption offers the files of a page of 客户消费, in the currency it shows.
func exportOfConsumption(c *Ctx, e *consumption, kind, currency, note string) *part.Export {
	if !c.Scope.Has(scope.ItemExpenditureExport) {
		return nil
	}
	x := &part.Export{ID: "export", Intro: c.T("list.export"), Records: &part.Link{Text: c.T("exports.see"), Href: c.at("/exports")}}
	if e.people {
		x.Note = c.T("exports.note")
	}
	here := holeHere.mark()
	if !e.hollow {
		here = c.here()
	}
	fields := []part.Hidden{{Name: "list", Value: kind}, {Name: "cycle", Value: string(e.filter.Cycle)}, {Name: "next", Value: here}}
	for _, name := range expenditureFields {
		value := e.params.Get(name)
		if name == "currency" {
			value = currency
		}
		if value != "" {
			fields = append(fields, part.Hidden{Name: name, Value: value})
		}
	}
	fields = append(fields, part.Hidden{Name: "cols", Value: strings.Join(e.cols, ",")})
	for _, f := range expenditureexport.Formats {
		hidden := append(c.freshKey(), part.Hidden{Name: "format", Value: string(f)})
		x.Items = append(x.Items, part.ExportItem{Text: strings.ToUpper(string(f)), Note: note, Action: c.at("/exports"), Hidden: append(hidden, fields...)})
	}
	return x
}

// consumptionSeal is the total and short code that a page and its files share.
func consumptionSeal(amount money.Exact, currency, code string) *part.Seal {
	if currency == "" {
		return nil
	}
	return &part.Seal{Total: i18n.ExactMoney(amount, currency), Code: code}
}

// consumptionExport is what a page of 客户消费 asks to be written.
func (h *Handlers) consumptionExport(c *Ctx, kind, format string) (export.Request, error) {
	r := export.Request{Kind: kind, Format: format}
	if err := expenditureexport.Check(format); err != nil {
		return r, err
	}
	if err := c.Scope.Require(scope.ItemExpenditureExport); err != nil {
		return r, err
	}
	if !slices.Contains(consumers, c.Scope.Side()) {
		return r, notFound()
	}
	page := ""
	if kind == expenditureexport.KindLines {
		page = "lines"
	}
	e, err := h.consumption(c, page)
	if err != nil {
		return r, err
	}
	// A customer or manager that is not in scope is refused now and not by the file.
	totals, _, err := h.Expenditure.List(c.ctx(), c.Scope, e.filter, expenditure.LinePlace{}, 1)
	if err != nil {
		return r, err
	}
	if err := h.withColumns(c, e); err != nil {
		return r, err
	}
	p := expenditureexport.Of(e.filter)
	p.Lang, p.Columns = string(i18n.From(c.ctx())), e.cols
	var words []string
	for _, x := range consumptionConditions(c, e, totals.Choices) {
		words = append(words, x.Text)
	}
	if e.filter.NonZero {
		words = append(words, c.T("bills.filter.nonzero"))
	}
	p.Filter = join(words, c.T("portal.list.comma"))
	r.Params = p
	return r, nil
}
