package portal

import (
	"net/http"
	"slices"

	"github.com/a-h/templ"

	"huoban/internal/customer"
	"huoban/internal/cycle"
	"huoban/internal/expenditure"
	"huoban/internal/expenditureexport"
	"huoban/internal/i18n"
	"huoban/internal/usage"
	"huoban/web/templates/expview"
	"huoban/web/templates/part"
)

func (h *Handlers) expenditureLines(c *Ctx) error {
	make := func() (templ.Component, error) {
		e, err := h.consumption(c, "lines")
		if err != nil {
			return nil, err
		}
		return h.consumed(c, e, "")
	}
	if at, err := cycle.Parse(c.param("cycle")); err == nil && at < h.month() {
		return h.keptPage(c, make)
	}
	return c.made(http.StatusOK, make)
}

// expenditureRevealed shows the names in a column in clear, once, and writes down that it did.
func (h *Handlers) expenditureRevealed(c *Ctx) error {
	column, err := h.revealedColumn(c, "expenditure.lines")
	if err != nil {
		return err
	}
	e, err := h.consumption(c, "lines")
	if err != nil {
		return err
	}
	return c.made(http.StatusOK, func() (templ.Component, error) { return h.consumed(c, e, column) })
}

// month is the running one.
func (h *Handlers) month() cycle.Cycle { return cycle.Of(h.Clock.Now(), cycle.Zone) }

func (h *Handlers) consumed(c *Ctx, e *consumption, open string) (templ.Component, error) {
	totals, list, err := h.Expenditure.List(c.ctx(), c.Scope, e.filter, e.at, e.size)
	if err != nil {
		return nil, err
	}
	page := &expview.Lines{Unit: totals.Currency, PageTotal: expview.Total{Label: c.T("expenditure.total.page", "Count", int64(len(list.Rows))), Amount: list.Sum}}
	page.Count, page.Row = len(list.Rows), func(i int, row *expview.Line) { consumedLine(c, e, &list.Rows[i], open, row) }
	for i := range list.Rows { // rows are written later, when it is too late to tell whose names they show
		if e.people && open == "customer" {
			c.saw(list.Rows[i].Customer.Code)
		}
	}
	if len(list.Rows) > 0 {
		s, err := h.shell(c, e, totals, open)
		if err != nil {
			return nil, err
		}
		if s != nil {
			return h.inShell(c, e, s, page, list), nil
		}
	}
	if err := h.around(c, e, page, totals, open); err != nil {
		return nil, err
	}
	turns(c, e, list, &page.Pager)
	if len(list.Rows) == 0 {
		page.Empty, page.Tool.Columns = emptyConsumption(c, e), nil
	}
	return page.Page(), nil
}

// around gives a page of lines what stands around them.
func (h *Handlers) around(c *Ctx, e *consumption, page *expview.Lines, totals *expenditure.Totals, open string) (err error) {
	if err := h.withColumns(c, e); err != nil {
		return err
	}
	count := c.T("bills.lines_nonzero")
	if totals.Lines >= 0 {
		count = c.T("bills.lines_of", "Count", totals.Lines)
	}
	page.Doc, page.Unit, page.Columns = h.expenditureDoc(c, e, totals.Since), totals.Currency, e.cols
	page.Filter = consumptionFilter(c, e, totals.Choices, totals.Currency)
	page.Tool = part.Tool{Count: count, Conditions: consumptionConditions(c, e, totals.Choices), Refresh: c.expenditureLink(e, e.page), Columns: consumptionColumns(c, e),
		Export: exportOfConsumption(c, e, expenditureexport.KindLines, totals.Currency, "")}
	page.AllTotal = expview.Total{Label: c.T("expenditure.total.all"), Amount: totals.Amount}
	page.Pager = consumptionPager(c, e, count)
	page.Pager.Seal = consumptionSeal(totals.Amount, totals.Currency, totals.Code(e.filter))
	page.Eye, page.Managers = consumptionEye(c, e, "customer", open), consumptionEye(c, e, "manager", open)
	page.Tool.Views, err = h.views(c, c.expenditureLink(e, e.page))
	return err
}

// turns leads to the pages beside one.
func turns(c *Ctx, e *consumption, list *expenditure.LinePage, p *part.Pager) {
	if list.Prev != "" {
		p.Prev = c.expenditureLink(e, e.page, "before", list.Prev)
	}
	if list.Prev != "" || e.at.Cursor != "" && !e.at.Back {
		p.First = c.expenditureLink(e, e.page)
	}
	if list.Next != "" {
		p.Next = c.expenditureLink(e, e.page, "after", list.Next)
	}
}

// repeated is what the lines of a page say again and again.
type repeated []said

type said struct{ of, value, text string }

// say looks a word up once.
func (w *repeated) say(of, value string, look func() string) string {
	for i := range *w {
		if x := &(*w)[i]; x.value == value && x.of == of {
			return x.text
		}
	}
	*w = append(*w, said{of, value, look()})
	return (*w)[len(*w)-1].text
}

func consumedLine(c *Ctx, e *consumption, r *expenditure.LineRow, open string, row *expview.Line) {
	l, p := r.Line, r.Line.Product
	number := r.Number()
	w := &e.words
	*row = expview.Line{ID: number, Number: number, Charged: l.ChargeStart, Customer: r.Customer.Name,
		Relation: w.say("relation", string(r.Relation), func() string { return relationText(c, r.Relation) }),
		Manager:  w.say("manager", r.Manager.ID, func() string { return managerText(r.Manager, open == "manager") }), Hidden: r.Manager.ID != "" && open != "manager",
		Product: productText(c, p.Service), Resource: l.Resource.Name, Order: l.Resource.OrderNo, Region: p.Region,
		Mode: w.say("mode", string(p.ChargingMode), func() string { return modeText(c, p.ChargingMode) }),
		Kind: w.say("kind", string(l.Kind), func() string { return c.T("bills.kind." + string(l.Kind)) }),
		List: l.List, Listed: l.Listed, Amount: l.Billed}
	if e.people && open != "customer" {
		row.Customer, row.Masked = w.say("customer", r.Customer.Name, func() string { return maskName(r.Customer.Name) }), true
	}
	if row.Resource == "" {
		row.Resource = l.Resource.ID
	}
	if r.Spread {
		row.ID += "-" + r.Customer.Code
		row.Kind = c.T("expenditure.spread", "Kind", row.Kind)
	}
	for _, cell := range []*string{&row.Resource, &row.Order, &row.Region} {
		if *cell == "" {
			*cell = i18n.Nothing
		}
	}
}

// consumptionFilter offers what the scope and the cycle hold. Names are masked as in the list.
func consumptionFilter(c *Ctx, e *consumption, choices expenditure.Choices, currency string) part.Filter {
	f := part.Filter{Action: c.at("/expenditure"), Reset: c.at("/expenditure?cycle=" + string(e.filter.Cycle)), Hidden: []part.Hidden{{Name: "cycle", Value: string(e.filter.Cycle)}}}
	if e.page != "" {
		f.Action, f.Reset = c.at("/expenditure/lines"), c.at("/expenditure/lines?cycle="+string(e.filter.Cycle))
	}
	f.Fields = make([]part.FilterField, 0, len(expenditureFields))
	if cols := e.params.Get("cols"); cols != "" {
		f.Hidden = append(f.Hidden, part.Hidden{Name: "cols", Value: cols})
	}
	for _, name := range expenditureFields {
		if !e.people && slices.Contains(peopleFields, name) || e.page == "" && name == "zero" {
			continue
		}
		field := part.FilterField{Name: name, Label: c.T("expenditure.filter." + name), Value: e.params.Get(name), More: len(f.Fields) >= 3,
			Options: consumptionOptions(c, e, name, choices)}
		if slices.Contains(typedFields, name) {
			field.Options = nil
			if name == "from" || name == "until" {
				field.Hint = string(e.filter.Cycle) + "-01"
			}
		}
		if i := slices.IndexFunc(choices.Managers, func(m expenditure.Person) bool { return m.Is(field.Value) }); name == "manager" && i >= 0 {
			field.Value = choices.Managers[i].ID
		}
		if name == "currency" {
			field.Value = currency
			if len(field.Options) < 2 {
				continue
			}
		}
		f.Fields = append(f.Fields, field)
	}
	return f
}

func consumptionOptions(c *Ctx, e *consumption, name string, choices expenditure.Choices) []part.Option {
	out := make([]part.Option, 0, 8)
	add := func(value, label string) { out = append(out, part.Option{Value: value, Label: label}) }
	switch name {
	case "currency", "zero":
	case "customer":
		out = make([]part.Option, 0, len(choices.Customers)+1)
		fallthrough
	default:
		add("", c.T("bills.filter.any"))
	}
	switch name {
	case "customer":
		for _, x := range choices.Customers {
			add(x.Code, maskName(x.Name)+" · "+x.Code)
		}
	case "relation":
		for _, k := range []customer.Kind{customer.KindResale, customer.KindReferral} {
			add(string(k), c.T(k.Label()))
		}
	case "manager":
		add(expenditure.Nobody, c.T("customers.manager.none"))
		for _, m := range choices.Managers {
			add(m.ID, managerText(m, false))
		}
	case "product":
		for _, p := range choices.Products {
			add(p, p)
		}
	case "region":
		for _, r := range choices.Regions {
			add(r, r)
		}
	case "mode":
		for _, m := range choices.Modes {
			add(string(m), modeText(c, m))
		}
	case "kind":
		for _, k := range []usage.Kind{usage.KindConsumption, usage.KindRefund, usage.KindAdjustment, usage.KindTax} {
			add(string(k), c.T("bills.kind."+string(k)))
		}
	case "zero":
		add("", c.T("bills.filter.nonzero"))
		add("all", c.T("bills.filter.any"))
	case "currency":
		for _, code := range choices.Currencies {
			add(code, code)
		}
	}
	return out
}

// typedFields are written by hand, where all others are chosen.
var typedFields = []string{"from", "until", "account", "resource", "order"}

// wordsOfValues begins the keys of what a value of a filter is called.
var wordsOfValues = map[string]string{"kind": "bills.kind.", "mode": "bills.mode.", "relation": "association.kind."}

func consumptionConditions(c *Ctx, e *consumption, choices expenditure.Choices) []part.Condition {
	out := []part.Condition{{Text: c.T("bills.condition.cycle", "Cycle", string(e.filter.Cycle))}}
	for _, name := range expenditureFields {
		v := e.params.Get(name)
		if v == "" {
			continue
		}
		text := v
		prefix := wordsOfValues[name]
		switch {
		case name == "zero":
			text = c.T("expenditure.with_zero")
		case slices.Contains(typedFields, name):
			text = c.T("expenditure.filter."+name) + " " + v
		case prefix != "" && i18n.Has(prefix+v):
			text = c.T(prefix + v)
		case name == "manager" && v == expenditure.Nobody:
			text = c.T("customers.manager.none")
		case name == "manager":
			for _, m := range choices.Managers {
				if m.Is(v) {
					text = managerText(m, false)
				}
			}
		}
		out = append(out, part.Condition{Text: text, Remove: c.expenditureLink(e, e.page, name, "")})
	}
	return out
}
