package portal

import (
	"net/http"
	"strconv"

	"huoban/internal/customer"
	"huoban/internal/cycle"
	"huoban/internal/expenditure"
	"huoban/internal/i18n"
	"huoban/internal/money"
	"huoban/internal/peak"
	"huoban/internal/scope"
	"huoban/web/templates/expview"
	"huoban/web/templates/opsview"
	"huoban/web/templates/part"
)

const pathPeaks = "/peaks"

// peakRoutes are 月结95峰值, the third page of 客户消费.
func peakRoutes() []Route {
	row := func(path, name, title string, query []string, do func(*Handlers, *Ctx) error) Route {
		return Route{Method: get, Path: "/o/:org" + pathPeaks + path, Name: name, Sides: consumers, Items: []scope.Item{scope.ItemExpenditureView}, Query: query, Title: title, Do: do}
	}
	return []Route{row("", "peaks", "peak.title", []string{"customer", "manager"}, (*Handlers).peaks), row("/:id", "peaks.show", "peak.show.title", nil, (*Handlers).peakShown)}
}

// peakFields are what narrows the list, in the order they are offered.
var peakFields = []string{"customer", "product", "usage", "relation", "manager"}

// peakState is the state of the list, all of it in the URL.
func (h *Handlers) peakState(c *Ctx) (f peak.Filter, err error) {
	f = peak.Filter{Cycle: h.month(), Customer: c.param("customer"), Manager: c.param("manager"), Relation: customer.Kind(c.param("relation")), Product: c.param("product"), Usage: c.param("usage")}
	if text := c.param("cycle"); text != "" {
		if f.Cycle, err = cycle.Parse(text); err != nil {
			return f, notFound()
		}
	}
	return f, nil
}

// peakPeople tells whether customers and managers are shown: not to a customer that looks at itself.
func peakPeople(c *Ctx) bool { return c.Scope.Side() != scope.SideCustomer }

func (h *Handlers) peaks(c *Ctx) error {
	f, err := h.peakState(c)
	if err != nil {
		return err
	}
	list, err := h.Peaks.List(c.ctx(), c.Scope, f)
	if err != nil {
		return err
	}
	e := &consumption{page: "peaks", people: peakPeople(c), filter: expenditure.Filter{Cycle: f.Cycle}, pairs: []pair{{"cycle", string(f.Cycle)}}}
	p := expview.Peaks{Doc: h.peakDoc(c, e, list)}
	g, s, err := h.grid(c, "peaks")
	if err != nil {
		return err
	}
	p.Header.Fresh = h.fresh(c, s)
	g.Caption, g.Filter = c.T("peak.title"), peakFilter(c, &f, list)
	p.Grids = append(p.Grids, g)
	return c.page(http.StatusOK, p.Page())
}

// peakDoc is the frame of 客户消费 around the list.
func (h *Handlers) peakDoc(c *Ctx, e *consumption, list *peak.List) expview.Doc {
	d := h.expenditureDoc(c, e, list.Since)
	d.Notice, d.Kinds = c.T("peak.notice"), nil
	if e.filter.Cycle == h.month() {
		d.Notice = c.T("peak.running", "At", i18n.DateTime(peak.ChargedAt(e.filter.Cycle))) + " " + d.Notice
	}
	d.Header.Title, d.Header.Crumbs = c.T("peak.title"), c.crumbs(part.Link{Text: c.T("peak.title")})
	for i := range d.Tabs {
		d.Tabs[i].Current = d.Tabs[i].Text == c.T("expenditure.tab.peaks")
	}
	d.Header.Cycle = h.peakPicker(c, e.filter.Cycle)
	d.Print, d.Notes = c.Org.Name+" · "+c.T("peak.title")+" "+string(e.filter.Cycle), nil
	d.Header.Rules, d.Rules = "#rules", append(peakRules(c), d.Rules...)
	return d
}

func peakRules(c *Ctx) (out []string) {
	for _, key := range []string{"sort", "ties", "missing", "fee", "owner"} {
		out = append(out, c.T("peak.rule."+key))
	}
	return out
}

// peakPicker is the picker of 客户消费 with addresses of this list.
func (h *Handlers) peakPicker(c *Ctx, at cycle.Cycle) *part.CyclePicker {
	e := &consumption{page: "peaks", filter: expenditure.Filter{Cycle: at}}
	p := h.consumptionPicker(c, e)
	running := h.month()
	oldest := running.Add(-expenditure.Months)
	open := func(to cycle.Cycle) string {
		if to > running || to < oldest {
			return ""
		}
		return lists["peaks"].link(c, "cycle", string(to))
	}
	p.This, p.Last, p.Prev, p.Next = open(running), open(running.Prev()), open(at.Prev()), open(at.Next())
	if p.PrevYear != "" {
		p.PrevYear = open(max(at.Add(-12), oldest))
	}
	if p.NextYear != "" {
		p.NextYear = open(min(at.Add(12), running))
	}
	first := cycle.Cycle(p.Year + "-01")
	for i := range p.Months {
		p.Months[i].Href = open(first.Add(i))
	}
	return p
}

func peakFilter(c *Ctx, f *peak.Filter, list *peak.List) *part.Filter {
	out := &part.Filter{Action: c.at(pathPeaks), Reset: c.withQuery(pathPeaks, "cycle", string(f.Cycle)), Hidden: []part.Hidden{{Name: "cycle", Value: string(f.Cycle)}}}
	values := map[string]string{"customer": f.Customer, "product": f.Product, "usage": f.Usage, "relation": string(f.Relation), "manager": f.Manager}
	for _, name := range peakFields {
		if !peakPeople(c) && (name == "customer" || name == "relation" || name == "manager") {
			continue
		}
		field := part.FilterField{Name: name, Label: c.T("peak.filter." + name), Value: values[name], More: len(out.Fields) >= 3, Options: []part.Option{{Label: c.T("bills.filter.any")}}}
		add := func(value, label string) {
			field.Options = append(field.Options, part.Option{Value: value, Label: label})
		}
		switch name {
		case "customer":
			for _, x := range list.Choices.Customers {
				add(x.Code, c.personal(x.Name).Text+" · "+x.Code)
			}
		case "product":
			for _, x := range list.Products {
				add(x, x)
			}
		case "usage":
			for _, x := range list.Usages {
				add(x, x)
			}
		case "relation":
			for _, k := range []customer.Kind{customer.KindResale, customer.KindReferral} {
				add(string(k), c.T(k.Label()))
			}
		case "manager":
			for _, m := range list.Choices.Managers {
				if m.Is(f.Manager) {
					field.Value = m.ID
				}
				add(m.ID, managerText(m, c.open))
			}
		}
		out.Fields = append(out.Fields, field)
	}
	return out
}

// readPeaks lists the resources of a month.
func (h *Handlers) readPeaks(c *Ctx) (*sheet, error) {
	f, err := h.peakState(c)
	if err != nil {
		return nil, err
	}
	list, err := h.Peaks.List(c.ctx(), c.Scope, f)
	if err != nil {
		return nil, err
	}
	s := &sheet{empty: part.Empty{Title: c.T("peak.empty"), Text: c.T("peak.empty_text")}}
	col := func(key, note string) listColumn {
		x := listColumn{key: key, title: c.T("peak.col." + key)}
		if note != "" {
			x.note = c.T("peak.col." + note)
		}
		return x
	}
	figure := func(key string) listColumn {
		x := col(key, "")
		x.num = true
		return x
	}
	s.columns = []listColumn{col("resource", "resource_id"), col("product", "usage")}
	if peakPeople(c) {
		who, manager := col("customer", "code"), col("manager", "manager_number")
		who.personal, manager.personal = true, true
		s.columns = append(s.columns, who, col("relation", ""), manager)
	}
	fee := figure("fee")
	fee.money, fee.class = true, "m"
	billing, month := figure("billing"), col("cycle", "")
	billing.note, month.class = c.T("peak.col.unit"), "num-l"
	s.columns = append(s.columns, month, figure("days"), billing, figure("guaranteed"), figure("peak"), fee, col("state", "charged"))
	for i := range list.Rows {
		row, err := peakRow(c, &list.Rows[i])
		if err != nil {
			return nil, err
		}
		s.add(row)
	}
	s.narrowed("", c.T("bills.condition.cycle", "Cycle", string(f.Cycle)))
	narrowedPeaks(c, s, &f, list)
	return s, nil
}

func narrowedPeaks(c *Ctx, s *sheet, f *peak.Filter, list *peak.List) {
	s.narrowed("customer", f.Customer)
	s.narrowed("product", f.Product)
	s.narrowed("usage", f.Usage)
	if f.Relation != "" {
		s.narrowed("relation", relationText(c, f.Relation))
	}
	for _, m := range list.Choices.Managers {
		if m.Is(f.Manager) {
			s.narrowed("manager", managerText(m, c.open))
			return
		}
	}
}

var peakTone = map[peak.State]part.Tone{peak.StateRunning: part.Warn, peak.StatePending: part.Warn, peak.StateCharged: part.Good}

func peakRow(c *Ctx, r *peak.Row) (sheetRow, error) {
	fee, err := r.Fee()
	if err != nil {
		return sheetRow{}, err
	}
	name := r.Name
	if name == "" {
		name = r.Resource
	}
	first := opsview.Cell{Text: name, Note: r.Resource, Href: c.withQuery(pathPeaks+"/"+r.Series.ID, "cycle", string(r.Cycle))}
	cells := []opsview.Cell{first, {Text: r.Product, Note: r.UsageType}}
	if peakPeople(c) {
		who := c.personal(r.Customer.Name)
		who.Note = r.Customer.Code
		cells = append(cells, who, opsview.Cell{Text: relationText(c, r.Relation)}, managerCell(c, r.Manager))
	}
	var worth sums
	billing, guaranteed, highest := opsview.Cell{}, exactCell(r.Guaranteed), opsview.Cell{}
	state := opsview.Cell{Status: &part.Status{Text: c.T("peak.state." + string(r.State)), Tone: peakTone[r.State]}, Note: i18n.DateTime(peak.ChargedAt(r.Cycle))}
	if r.Known() {
		billing, highest = exactCell(r.Billing), exactCell(r.Peak)
		if fee != nil {
			worth = sums{{r.Currency, fee.Exact()}}
		}
	}
	billing.Note = r.Unit
	days := r.EffectiveDays()
	cells = append(cells, opsview.Cell{Text: string(r.Cycle)}, exactCell(&days), billing, guaranteed, highest, moneyCell(worth), state)
	return sheetRow{key: r.Series.ID + string(r.Cycle), about: r.Customer.Code, at: r.ChangedAt, sums: worth, mark: marks(string(r.State), days.String(), billing.Raw, highest.Raw, worth.mark()), cells: cells}, nil
}

// exactCell shows a figure with four decimals at most, and all of them as title and in files.
func exactCell(x *money.Exact) opsview.Cell {
	if x == nil {
		return opsview.Cell{}
	}
	text := x.String()
	if x.Scale() <= 4 {
		return opsview.Cell{Text: i18n.Exact(*x), Raw: text}
	}
	return opsview.Cell{Text: i18n.Exact(money.FromDecimal(x.Decimal().Truncate(4))) + "…", Full: text, Raw: text}
}

// peakOf is the month of a series the request names.
func (h *Handlers) peakOf(c *Ctx) (*peak.Details, error) {
	f, err := h.peakState(c)
	if err != nil {
		return nil, err
	}
	return h.Peaks.Show(c.ctx(), c.Scope, c.Param("id"), f.Cycle)
}

// peakShown is one resource in a month: what it came to, its points as pictures, its days and every point.
func (h *Handlers) peakShown(c *Ctx) error {
	r, err := h.peakOf(c)
	if err != nil {
		return err
	}
	name := r.Name
	if name == "" {
		name = r.Resource
	}
	list := c.withQuery(pathPeaks, "cycle", string(r.Cycle))
	d := expview.Doc{People: peakPeople(c), Flash: c.exported(), Notice: c.T("peak.notice"), Print: c.Org.Name + " · " + c.T("peak.title") + " " + string(r.Cycle), Rules: peakRules(c),
		Header: part.Header{Title: c.T("peak.show.of", "Resource", name, "Cycle", string(r.Cycle)), Rules: "#rules", Crumbs: c.crumbs(part.Link{Text: c.T("peak.title"), Href: list}, part.Link{Text: name}),
			Status: &part.Status{Text: c.T("peak.state." + string(r.State)), Tone: peakTone[r.State]}}}
	if r.State == peak.StateRunning {
		d.Notice = c.T("peak.running", "At", i18n.DateTime(peak.ChargedAt(r.Cycle))) + " " + d.Notice
	}
	if r.Hidden > 0 {
		d.Since = c.T("peak.limited", "Count", int64(r.Hidden))
	}
	p := expview.Peaks{Doc: d, Curves: peakCurves(c, r)}
	if p.Facts, err = peakFacts(c, r); err != nil {
		return err
	}
	for _, kind := range []string{"peak.days", "peak.points"} {
		g, err := h.titled(c, kind, "list-"+kind[len("peak."):], c.T("exports.kind."+kind))
		if err != nil {
			return err
		}
		p.Grids = append(p.Grids, g)
	}
	return c.page(http.StatusOK, p.Page())
}

func peakFacts(c *Ctx, r *peak.Details) ([]part.Item, error) {
	var out []part.Item
	add := func(key, text string) {
		if text != "" {
			out = append(out, part.Item{Label: c.T("peak.col." + key), Text: text})
		}
	}
	exact := func(x *money.Exact) string {
		if x == nil {
			return ""
		}
		return i18n.Exact(*x)
	}
	if peakPeople(c) {
		add("customer", c.personal(r.Customer.Name).Text+" · "+r.Customer.Code)
		if r.Manager.ID != "" {
			add("manager", managerText(r.Manager, c.open))
		}
	}
	add("product", r.Product)
	add("usage", r.UsageType)
	add("resource_id", r.Resource)
	add("region", r.Region)
	add("delivered", i18n.Count(int64(r.Points)))
	add("counting", i18n.Count(int64(r.Effective)))
	days := r.EffectiveDays()
	add("days", exact(&days))
	if !r.Known() {
		add("billing", c.T("peak.state."+string(r.State)))
		add("charged", i18n.DateTime(peak.ChargedAt(r.Cycle)))
		return out, nil
	}
	add("dropped", i18n.Count(int64(r.Dropped)))
	if r.Billing != nil {
		add("billing", exact(r.Billing)+" "+r.Unit)
		add("peak", exact(r.Peak)+" "+r.Unit)
	}
	if r.Guaranteed != nil {
		add("guaranteed", exact(r.Guaranteed)+" "+r.Unit)
	}
	fee, err := r.Fee()
	if err != nil || fee == nil {
		return out, err
	}
	discount := money.MustExact("1")
	if r.Discount != nil {
		discount = *r.Discount
	}
	add("price", i18n.ExactMoney(*r.Price.Unit, r.Currency))
	add("discount", exact(&discount))
	add("formula", c.T("peak.formula", "Point", exact(r.Billing), "Unit", r.Unit, "Price", exact(r.Price.Unit), "Discount", exact(&discount), "Effective", exact(&days), "Days", strconv.Itoa(peak.DaysOf(r.Cycle))))
	add("fee", i18n.ExactMoney(fee.Exact(), r.Currency))
	add("charged", i18n.DateTime(peak.ChargedAt(r.Cycle)))
	return out, nil
}

// readPeakDays lists the days of a resource in a month.
func (h *Handlers) readPeakDays(c *Ctx) (*sheet, error) {
	r, err := h.peakOf(c)
	if err != nil {
		return nil, err
	}
	col := func(key string, num bool) listColumn {
		return listColumn{key: key, title: c.T("peak.col." + key), num: num}
	}
	s := &sheet{columns: []listColumn{col("day", false), col("points", true), col("effective", false), col("highest", true), col("dropped", true), col("import", false)},
		empty: part.Empty{Title: c.T("peak.empty"), Text: c.T("peak.empty_text")}}
	for i := range r.Days {
		d := &r.Days[i]
		dropped, highest := int64(0), money.Exact{}
		for slot := range peak.PointsPerDay {
			if !d.Has(slot) {
				continue
			}
			if d.Marks[slot] == peak.MarkDropped {
				dropped++
			}
			if v := d.Value(slot); v.Cmp(highest) > 0 {
				highest = v
			}
		}
		effective := c.T("peak.effective.no")
		if highest.Sign() > 0 {
			effective = c.T("peak.effective.yes")
		}
		from := opsview.Cell{Text: c.T("peak.import", "Number", d.Import)}
		if d.Before > 0 {
			from.Note = c.T("peak.import.replaced", "Number", d.Before)
		}
		gone := countCell(dropped)
		if !r.Known() {
			gone = opsview.Cell{}
		}
		s.add(sheetRow{key: d.Date, mark: marks(strconv.Itoa(d.Len()), highest.String(), gone.Raw, strconv.FormatInt(d.Import, 10), strconv.FormatInt(d.Before, 10)),
			cells: []opsview.Cell{{Text: d.Date}, countCell(int64(d.Len())), {Text: effective}, exactCell(&highest), gone, from}})
	}
	s.reached(r.ChangedAt)
	return s, nil
}

// readPeakPoints lists every point of a resource in a month.
func (h *Handlers) readPeakPoints(c *Ctx) (*sheet, error) {
	r, err := h.peakOf(c)
	if err != nil {
		return nil, err
	}
	s := &sheet{columns: []listColumn{{key: "time", title: c.T("peak.col.time"), class: "num-l"}, {key: "value", title: c.T("peak.col.value") + " (" + r.Unit + ")", num: true}, {key: "mark", title: c.T("peak.col.mark")}},
		empty: part.Empty{Title: c.T("peak.empty"), Text: c.T("peak.empty_text")}}
	words := map[peak.Mark]string{}
	for _, m := range []peak.Mark{peak.MarkCounted, peak.MarkDropped, peak.MarkBilling, peak.MarkIdle} {
		words[m] = c.T("peak.mark." + strconv.Itoa(int(m)))
	}
	for i := range r.Days {
		d := &r.Days[i]
		for slot := range peak.PointsPerDay {
			if !d.Has(slot) {
				continue
			}
			at, v := i18n.DateTime(d.At(slot)), d.Value(slot)
			mark := opsview.Cell{}
			if r.Known() {
				mark.Text = words[d.Marks[slot]]
				if d.Marks[slot] == peak.MarkBilling {
					mark = opsview.Cell{Tag: &part.Tag{Text: mark.Text, Tone: part.Good}}
				}
			}
			s.add(sheetRow{key: at, mark: marks(v.String(), strconv.Itoa(int(d.Marks[slot]))), cells: []opsview.Cell{{Text: at}, exactCell(&v), mark}})
		}
	}
	s.reached(r.ChangedAt)
	return s, nil
}
