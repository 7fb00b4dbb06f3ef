package portal

import (
	"slices"
	"time"

	"huoban/internal/bill"
	"huoban/internal/i18n"
	"huoban/internal/money"
	"huoban/internal/scope"
	"huoban/internal/usage"
	"huoban/web/templates/opsview"
	"huoban/web/templates/part"
)

// billKeyOf names a bill by its codes.
func billKeyOf(d *bill.Document) string {
	return marks(string(d.Cycle), d.Vendor.Code, d.Partner.Code, d.Currency, d.Entity.Code)
}

func plainCell(a money.Amount, currency string) opsview.Cell {
	m := part.PlainOf(a, currency)
	return opsview.Cell{Text: m.Text, Full: m.Full, Raw: a.String()}
}

// madeAt is when a bill got its figures; an estimate has them from now.
func madeAt(d *bill.Document) time.Time {
	if d.IssuedAt.After(d.DraftedAt) {
		return d.IssuedAt
	}
	return d.DraftedAt
}

func billColumns(c *Ctx, first string) []listColumn {
	return []listColumn{{key: "bill", title: first}, {key: "currency", title: c.T("billview.choose.currency")}, {key: "entity", title: c.T("billview.choose.entity")},
		{key: "state", title: c.T("billview.choose.state")}, {key: "lines", title: c.T("billview.col.lines"), num: true}, {key: "due", title: c.T("billview.col.due"), num: true, money: true, class: "m"}}
}

func billRow(c *Ctx, d *bill.Document, name, page string) sheetRow {
	due, worth := part.MoneyOf(d.Due, d.Currency), sums{{d.Currency, d.Due.Exact()}}
	return sheetRow{key: billKeyOf(d), at: madeAt(d), mark: marks(d.Code, d.Due.String()), sums: worth, cells: []opsview.Cell{{Text: name, Href: c.billLink(page, d)}, {Text: d.Currency}, {Text: d.Entity.Name},
		{Tag: &part.Tag{Text: c.T("bills.stage." + string(stageOf(d))), Tone: stageTone[stageOf(d)]}}, countCell(d.LineCount), {Text: due.Text, Full: due.Full, Raw: d.Due.String()}}}
}

// readBills lists the bills of a cycle, where there are several in scope.
func (h *Handlers) readBills(c *Ctx) (*sheet, error) {
	st, err := h.statement(c)
	if err != nil {
		return nil, err
	}
	return h.billSheet(c, st, ""), nil
}

func (h *Handlers) billSheet(c *Ctx, st *statement, tab string) *sheet {
	s := &sheet{columns: billColumns(c, c.T("billview.choose.bill")), empty: part.Empty{Title: c.T("bills.empty.title"), Text: c.T("bills.empty.text")}}
	if st.cycle != "" {
		s.narrowed("", c.T("bills.condition.cycle", "Cycle", string(st.cycle)))
	}
	for i := range st.docs {
		d := &st.docs[i]
		name := d.Currency + " · " + d.Entity.Name
		if c.Scope.Side() == scope.SideVendor || severalPartners(st.docs) {
			name = d.Partner.Name
		}
		s.add(billRow(c, d, name, pageOf(tab)))
	}
	return s
}

// readBillHistory is a bill in the last cycles, the newest first.
func (h *Handlers) readBillHistory(c *Ctx) (*sheet, error) {
	doc, err := h.oneBill(c)
	if err != nil {
		return nil, err
	}
	points, err := h.history(c, doc)
	if err != nil {
		return nil, err
	}
	s := &sheet{columns: billColumns(c, c.T("opsview.closes.cycle"))}
	for _, p := range slices.Backward(points) {
		if p.doc != nil {
			s.add(billRow(c, p.doc, string(p.cycle), ""))
		}
	}
	return s, nil
}

// oneBill is the bill the address names; without one there is no such page.
func (h *Handlers) oneBill(c *Ctx) (*bill.Document, error) {
	st, err := h.statement(c)
	if err == nil && st.doc == nil {
		err = notFound()
	}
	if err != nil {
		return nil, err
	}
	return st.doc, nil
}

// readBillAdjustments lists what corrects earlier cycles or was entered by staff. Tax is told by its kind and
// no part of the total.
func (h *Handlers) readBillAdjustments(c *Ctx) (*sheet, error) {
	doc, err := h.oneBill(c)
	if err != nil {
		return nil, err
	}
	s := &sheet{columns: []listColumn{{key: "number", title: c.T("billview.lines.number")}, {key: "corrects", title: c.T("billview.adjust.corrects")},
		{key: "customer", title: c.T("billview.lines.customer"), note: c.T("bill.column.customer"), personal: true}, {key: "kind", title: c.T("billview.lines.kind")},
		{key: "reason", title: c.T("billview.adjust.reason")}, {key: "by", title: c.T("billview.adjust.by")},
		{key: "amount", title: c.T("billview.col.amount") + " (" + doc.Currency + ")", num: true, money: true, class: "m"}},
		empty: part.Empty{Title: c.T("bills.adjustments.empty"), Text: c.T("bills.adjustments.empty_text")}}
	s.narrowed("", c.T("bills.condition.cycle", "Cycle", string(doc.Cycle)))
	s.reached(madeAt(doc))
	for i := range doc.Items {
		it := &doc.Items[i]
		if it.Adjusts == nil {
			continue
		}
		worth := sums{{doc.Currency, it.Amount.Exact()}}
		if it.Kind == usage.KindTax {
			worth = nil
		}
		customer := c.personal(it.Customer.Name)
		customer.Note = it.Customer.Code
		s.add(sheetRow{about: it.Customer.Code, key: it.Adjusts.ID + " " + string(it.Kind) + " " + i18n.Count(int64(i)), mark: it.Amount.String(), sums: worth, cells: []opsview.Cell{{Text: "A" + short(it.Adjusts.ID), Mono: true},
			{Text: string(it.Adjusts.CorrectsCycle) + " · " + it.Adjusts.Source + " · " + it.Adjusts.Key}, customer, {Text: c.T("bills.kind." + string(it.Kind))},
			{Text: adjustmentReason(c, it.Adjusts)}, {Text: c.T("bills.adjusts." + it.Adjusts.Kind)}, plainCell(it.Amount, doc.Currency)}})
	}
	return s, nil
}
