package portal

import (
	"context"
	"net/http"

	"huoban/internal/expenditure"
	"huoban/internal/expenditureexport"
	"huoban/internal/export"
	"huoban/internal/fault"
	"huoban/internal/i18n"
	"huoban/internal/scope"
	"huoban/web/templates/opsview"
	"huoban/web/templates/part"
)

const (
	pathArchive = "/expenditure/archive"
	archiveForm = "archive-ask"
)

// archived is 历史归档: the months behind those of the pages, of which files are asked for.
func (h *Handlers) archived(c *Ctx) error { return h.archivePage(c, http.StatusOK, nil) }

func (h *Handlers) archivePage(c *Ctx, status int, refused *fault.Error) error {
	title := c.T("expenditure.tab.archive")
	p := opsview.Board{Header: part.Header{Title: title, Crumbs: c.crumbs(part.Link{Text: c.T("expenditure.title"), Href: c.at("/expenditure")}, part.Link{Text: title})}, Flash: c.exported(),
		Refusal: refusalOf(c, refused), Notes: []string{c.T("expenditure.archive.note", "Months", int64(expenditure.Months), "Kept", int64(expenditure.Kept))}}
	for _, x := range []struct{ key, path string }{{"summary", "/expenditure"}, {"lines", "/expenditure/lines"}, {"peaks", pathPeaks}, {"archive", pathArchive}} {
		p.Pages = append(p.Pages, part.Tab{Text: c.T("expenditure.tab." + x.key), Href: c.at(x.path), Current: x.path == pathArchive})
	}
	s, err := h.board(c, &p, "expenditure.older")
	if err != nil {
		return err
	}
	if s.count > 0 && c.Scope.Has(scope.ItemExpenditureExport) {
		p.Batch = &opsview.Batch{ID: archiveForm, Title: c.T("expenditure.archive.ask"), Action: c.at(pathArchive), Hidden: fresh(), Submit: c.T("expenditure.archive.submit")}
		p.Notes = append(p.Notes, c.T("expenditure.archive.how", "Months", int64(expenditure.MostArchived)))
	}
	c.ruled(&p.Header, &p.Rules)
	return c.page(status, p.Page())
}

// readOlder lists the months, a row for each currency.
func (h *Handlers) readOlder(c *Ctx) (*sheet, error) {
	list, err := h.Expenditure.Older(c.ctx(), c.Scope, h.month())
	if err != nil {
		return nil, err
	}
	num := func(key, title string) listColumn { return listColumn{key: key, title: c.T(title), num: true} }
	s := &sheet{columns: []listColumn{{key: "cycle", title: c.T("bill.column.cycle")}, {key: "age", title: c.T("expenditure.archive.age")}, {key: "currency", title: c.T("bill.column.currency")},
		num("lines", "expenditure.col.lines"), num("amount", "expenditure.figure.amount"), num("tax", "expenditure.figure.tax")},
		empty: part.Empty{Title: c.T("expenditure.archive.empty"), Text: c.T("expenditure.archive.empty_text", "Months", int64(expenditure.Months), "Next", string(h.month().Add(-expenditure.Months)), "On", string(h.month().Next())+"-01")}}
	asks := c.Scope.Has(scope.ItemExpenditureExport)
	tone := map[expenditure.Age]part.Tone{expenditure.AgeKept: part.Good}
	last := ""
	for i := range list {
		o := &list[i]
		at := opsview.Cell{Text: string(o.Cycle)}
		if asks && at.Text != last {
			at.Tick = &part.Tick{Form: archiveForm, Name: "month", Value: at.Text, Label: c.T("expenditure.archive.pick", "Cycle", at.Text)}
		}
		last = at.Text
		amount, tax := exactMoney(o.Amount(), o.Currency), exactMoney(o.Tax, o.Currency)
		s.add(sheetRow{key: at.Text + o.Currency, mark: marks(at.Text, string(o.Age), o.Currency, o.Amount().String(), o.Tax.String()),
			cells: []opsview.Cell{at, {Status: &part.Status{Text: c.T("expenditure.age." + string(o.Age)), Tone: tone[o.Age]}}, {Text: o.Currency}, countCell(o.Lines),
				{Text: amount.Text, Full: amount.Full, Raw: o.Amount().String()}, {Text: tax.Text, Full: tax.Full, Raw: o.Tax.String()}}})
	}
	return s, nil
}

// askArchive asks for a file of the months that are ticked; it is found in 导出记录, and a message says when.
func (h *Handlers) askArchive(c *Ctx) error {
	err := c.readForm()
	if err != nil {
		return err
	}
	p, err := expenditureexport.ArchiveOf(c.Request().PostForm["month"], h.month(), string(i18n.From(c.ctx())))
	if err == nil {
		err = c.Scope.Require(scope.ItemExpenditureExport)
	}
	if err == nil {
		err = h.once(c, func(ctx context.Context) (answer, error) {
			t, err := h.Exports.Request(ctx, c.Scope, export.Request{Kind: expenditureexport.KindArchive, Format: expenditureexport.FormatZip, Params: p})
			return answer{Location: withDone(c.at(pathArchive), "export"), Body: map[string]any{"task": t.ID, "state": t.State, "location": c.at("/exports")}}, err
		})
	}
	if err == nil {
		return nil
	}
	return c.refuse(err, func(status int, f *fault.Error) error { return h.archivePage(c, status, f) })
}
