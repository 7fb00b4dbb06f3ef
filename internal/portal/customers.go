package portal

import (
	"cmp"
	"net/http"
	"slices"
	"strings"
	"time"

	"huoban/internal/customer"
	"huoban/internal/cycle"
	"huoban/internal/expenditure"
	"huoban/internal/i18n"
	"huoban/internal/scope"
	"huoban/internal/sorted"
	"huoban/web/templates/opsview"
	"huoban/web/templates/part"
)

const pathCustomers = "/customers"

// customerRoutes are 客户管理: a partner's customers, and everything about one.
func customerRoutes() []Route {
	row := func(path, name, title string, do func(*Handlers, *Ctx) error) Route {
		return Route{Method: get, Path: "/o/:org" + pathCustomers + path, Name: name, Sides: partners, Items: []scope.Item{scope.ItemCustomerView}, Title: title, Do: do}
	}
	list := row("", "customers", "customers.title", (*Handlers).customers)
	list.Query = []string{"manager"}
	return []Route{list, row("/:id", "customers.show", "customers.show.title", (*Handlers).customerShown)}
}

// customerStates are the states a list may be narrowed to; without one it shows the associations in force.
var customerStates = []customer.State{customer.StateActive, customer.StateAwaitingCustomer, customer.StateAwaitingPartner, customer.StateEnded, customer.StateRefused, customer.StateWithdrawn}

var stateTone = map[customer.State]part.Tone{customer.StateActive: part.Good, customer.StateAwaitingCustomer: part.Warn, customer.StateAwaitingPartner: part.Warn}

// customerSorts order the list; the first is the order without a choice.
var customerSorts = []string{"name", "newest", "spent"}

// customerQuery is what narrows the list.
type customerQuery struct {
	resellers             bool
	text, manager, sort   string
	label                 string
	relation              customer.Kind
	state                 customer.State
	spent                 string // "yes", "no" or any
	sinceFrom, sinceUntil time.Time
}

func readCustomerQuery(c *Ctx) (q customerQuery, err error) {
	q = customerQuery{resellers: c.QueryParam("of") == "resellers", text: strings.TrimSpace(c.QueryParam("q")), manager: c.QueryParam("manager"), label: c.QueryParam("label"), sort: c.QueryParam("sort"),
		relation: customer.Kind(c.QueryParam("relation")), state: customer.State(c.QueryParam("state")), spent: c.QueryParam("spent")}
	known := slices.Contains([]string{"", "resellers"}, c.QueryParam("of")) && slices.Contains([]customer.Kind{"", customer.KindResale, customer.KindReferral}, q.relation) &&
		(q.state == "" || slices.Contains(customerStates, q.state)) && slices.Contains([]string{"", "yes", "no"}, q.spent) && (q.sort == "" || slices.Contains(customerSorts, q.sort))
	if !known || q.resellers && !c.seesResellers() {
		return q, notFound()
	}
	if q.sinceFrom, err = dayParam(c, "from"); err != nil {
		return q, err
	}
	if q.sinceUntil, err = dayParam(c, "to"); err == nil && !q.sinceUntil.IsZero() {
		q.sinceUntil = q.sinceUntil.AddDate(0, 0, 1)
	}
	return q, err
}

// dayParam reads a day in the portal's zone.
func dayParam(c *Ctx, name string) (time.Time, error) {
	text := c.QueryParam(name)
	if text == "" {
		return time.Time{}, nil
	}
	t, err := cycle.ParseDay(text)
	if err != nil {
		return t, notFound()
	}
	return t, nil
}

// seesResellers tells whether the actor chooses between the own customers and those of the resellers.
func (c *Ctx) seesResellers() bool {
	return len(c.Scope.Resellers()) > 0 && !c.Scope.IsLimited() && c.Scope.Has(scope.ItemResellerCustomerView)
}

func (q *customerQuery) takes(e *customer.Entry, labels []string, partnerID string, now time.Time, spent bool) bool {
	if e.Own(partnerID) == q.resellers {
		return false
	}
	if q.state == "" {
		if !e.InForce(now) && e.State != customer.StateAwaitingCustomer && e.State != customer.StateAwaitingPartner {
			return false
		}
	} else if e.State != q.state {
		return false
	}
	text := strings.ToLower(q.text)
	begun := e.From
	return (q.text == "" || strings.Contains(strings.ToLower(e.Customer.Name), text) || strings.Contains(strings.ToLower(e.Customer.Code), text) ||
		slices.ContainsFunc(labels, func(l string) bool { return strings.Contains(l, q.text) })) && (q.label == "" || slices.Contains(labels, q.label)) &&
		(q.relation == "" || e.Kind == q.relation) && (q.manager == "" || e.Manager.Is(q.manager) || q.manager == nobody && e.Manager.ID == "") &&
		(q.sinceFrom.IsZero() || !begun.Before(q.sinceFrom)) && (q.sinceUntil.IsZero() || begun.Before(q.sinceUntil)) &&
		(q.spent == "" || spent == (q.spent == "yes"))
}

// nobody is the choice of the customers without a manager.
const nobody = "none"

// customers lists the customers of the partner.
func (h *Handlers) customers(c *Ctx) error {
	q, err := readCustomerQuery(c)
	if err != nil {
		return err
	}
	title := c.T("customers.title")
	p := opsview.Board{Header: part.Header{Title: title, Crumbs: c.crumbs(part.Link{Text: title})}, Flash: c.done()}
	if p.Filter, err = h.customerFilter(c, &q); err != nil {
		return err
	}
	if c.seesResellers() {
		for _, of := range []string{"", "resellers"} {
			key := of
			if of == "" {
				key = "own"
			}
			p.Tabs = append(p.Tabs, part.Tab{Text: c.T("customers.of." + key), Href: c.withQuery(pathCustomers, "of", of), Current: q.resellers == (of != "")})
		}
	}
	if c.Scope.IsLimited() {
		p.Notes = []string{c.T("customers.limited")}
	}
	if c.Scope.Has(scope.ItemCustomerLabel) && !q.resellers {
		p.Header.Buttons = []part.Link{{Text: c.T("labels.title"), Href: c.at(pathLabels)}}
	}
	if c.Scope.Has(scope.ItemAssignmentView) && !q.resellers {
		p.Header.Buttons = append(p.Header.Buttons, part.Link{Text: c.T("assignments.title"), Href: c.at(pathAssignments)})
	}
	if _, err := h.board(c, &p, "customers"); err != nil {
		return err
	}
	return c.page(http.StatusOK, p.Page())
}

func (h *Handlers) customerFilter(c *Ctx, q *customerQuery) (*part.Filter, error) {
	all, err := h.Customers.Directory(c.ctx(), c.Scope)
	if err != nil {
		return nil, err
	}
	choice := func(name, value string, options ...string) part.FilterField {
		f := part.FilterField{Name: name, Label: c.T("customers.filter." + name), Value: value, Options: []part.Option{{Label: c.T("ops.filter.any")}}, More: true}
		for _, o := range options {
			f.Options = append(f.Options, part.Option{Value: o, Label: c.T("customers." + name + "." + o)})
		}
		return f
	}
	relation := part.FilterField{Name: "relation", Label: c.T("customers.filter.relation"), Value: string(q.relation), Options: []part.Option{{Label: c.T("ops.filter.any")}}}
	for _, k := range []customer.Kind{customer.KindResale, customer.KindReferral} {
		relation.Options = append(relation.Options, part.Option{Value: string(k), Label: c.T(k.Label())})
	}
	f := &part.Filter{Action: c.at(pathCustomers), Reset: c.at(pathCustomers), Fields: []part.FilterField{{Name: "q", Label: c.T("customers.filter.q"), Value: q.text}, relation}}
	state := part.FilterField{Name: "state", Label: c.T("opsview.col.state"), Value: string(q.state), Options: []part.Option{{Label: c.T("customers.state.now")}}}
	for _, s := range customerStates {
		state.Options = append(state.Options, part.Option{Value: string(s), Label: c.T("association.state." + string(s))})
	}
	f.Fields = append(f.Fields, state)
	if q.resellers {
		f.Hidden, f.Reset = []part.Hidden{{Name: "of", Value: "resellers"}}, c.withQuery(pathCustomers, "of", "resellers")
	} else {
		if !c.Scope.IsLimited() || len(managersOf(all)) > 1 {
			f.Fields = append(f.Fields, managerChoice(c, all, q.manager))
		}
		if c.Scope.Has(scope.ItemExpenditureView) {
			f.Fields = append(f.Fields, choice("spent", q.spent, "yes", "no"))
		}
		labels, err := h.Customers.Labels(c.ctx(), c.Scope)
		if err != nil {
			return nil, err
		}
		if known := knownLabels(labels); len(known) > 0 || q.label != "" {
			field := part.FilterField{Name: "label", Label: c.T("labels.col"), Value: q.label, More: true, Options: []part.Option{{Label: c.T("ops.filter.any")}}}
			for _, l := range known {
				field.Options = append(field.Options, part.Option{Value: l, Label: l})
			}
			f.Fields = append(f.Fields, field)
		}
	}
	day := func(name string) part.FilterField {
		return part.FilterField{Name: name, Label: c.T("customers.filter." + name), Value: c.QueryParam(name), Hint: "2026-10-01", More: true}
	}
	f.Fields = append(f.Fields, day("from"), day("to"), choice("sort", q.sort, customerSorts[1:]...))
	f.Fields[len(f.Fields)-1].Options[0].Label = c.T("customers.sort.name")
	return f, nil
}

// managersOf are those who look after some of the customers now, each once.
func managersOf(all []customer.Entry) []customer.Carer {
	var out []customer.Carer
	for i := range all {
		if m := all[i].Manager; m.ID != "" && !slices.Contains(out, m) {
			out = append(out, m)
		}
	}
	sorted.By(out, func(a, b customer.Carer) int {
		return cmp.Or(strings.Compare(a.Name, b.Name), strings.Compare(a.ID, b.ID))
	})
	return out
}

func managerChoice(c *Ctx, all []customer.Entry, chosen string) part.FilterField {
	f := part.FilterField{Name: "manager", Label: c.T("customers.col.manager"), Value: chosen, More: true, Options: []part.Option{{Label: c.T("ops.filter.any")}, {Value: nobody, Label: c.T("customers.manager.none")}}}
	for _, m := range managersOf(all) {
		f.Options = append(f.Options, part.Option{Value: m.ID, Label: carerText(c, m)})
	}
	return f
}

// carerText names a 客户经理 as 客户消费 does.
func carerText(c *Ctx, m customer.Carer) string {
	return managerText(expenditure.Person{ID: m.ID, Login: m.Login, Name: m.Name}, c.open)
}

// readCustomers lists the customers with what they consumed this month.
func (h *Handlers) readCustomers(c *Ctx) (*sheet, error) {
	q, err := readCustomerQuery(c)
	if err != nil {
		return nil, err
	}
	all, err := h.Customers.Directory(c.ctx(), c.Scope)
	if err != nil {
		return nil, err
	}
	if q.manager != "" && q.manager != nobody && !slices.ContainsFunc(all, func(e customer.Entry) bool { return e.Manager.Is(q.manager) }) {
		return nil, notFound()
	}
	s := &sheet{empty: part.Empty{Title: c.T("customers.empty"), Text: c.T("customers.empty_text")}}
	now := h.Clock.Now()
	var spent map[string]sums
	if q.resellers {
		s.columns = []listColumn{customerColumn(c), {key: "reseller", title: c.T("customers.col.reseller"), note: c.T("customers.col.reseller_code")}}
	} else {
		s.columns = []listColumn{customerColumn(c)}
		if c.Scope.Has(scope.ItemExpenditureView) {
			if spent, err = h.spentBy(c, cycle.Of(now, cycle.Zone)); err != nil {
				return nil, err
			}
		}
	}
	s.columns = append(s.columns, listColumn{key: "relation", title: c.T("customers.filter.relation")}, listColumn{key: "since", title: c.T("customers.col.since"), note: c.T("customers.col.consent"), class: "num-l"})
	if !q.resellers {
		s.columns = append(s.columns, listColumn{key: "manager", title: c.T("customers.col.manager"), note: c.T("customers.col.managed"), personal: true})
		if spent != nil {
			s.columns = append(s.columns, listColumn{key: "spent", title: c.T("customers.col.spent"), num: true, money: true, class: "m"})
		}
	}
	labels, err := h.Customers.Labels(c.ctx(), c.Scope)
	if err != nil {
		return nil, err
	}
	if !q.resellers {
		s.columns = append(s.columns, listColumn{key: "labels", title: c.T("labels.col")})
	}
	s.columns = append(s.columns, listColumn{key: "state", title: c.T("opsview.col.state")})
	all = slices.DeleteFunc(all, func(e customer.Entry) bool {
		return !q.takes(&e, labels[e.CustomerID], c.Org.ID, now, len(spent[e.Customer.Code]) > 0)
	})
	sortCustomers(all, q.sort, spent)
	for i := range all {
		s.add(customerRow(c, &all[i], labels[all[i].CustomerID], &q, spent))
	}
	narrowedCustomers(c, s, &q, all)
	return s, nil
}

func customerColumn(c *Ctx) listColumn {
	return listColumn{key: "customer", title: c.T("customers.col.customer"), note: c.T("customers.col.code"), personal: true}
}

// narrowedCustomers says in words what the list is narrowed to.
func narrowedCustomers(c *Ctx, s *sheet, q *customerQuery, shown []customer.Entry) {
	word := func(param, value, key string) {
		if value != "" {
			s.narrowed(param, c.T(key+value))
		}
	}
	s.narrowed("q", q.text)
	word("relation", string(q.relation), "association.kind.")
	word("state", string(q.state), "association.state.")
	switch {
	case q.manager == nobody:
		s.narrowed("manager", c.T("customers.manager.none"))
	case q.manager != "" && len(shown) > 0:
		s.narrowed("manager", carerText(c, shown[0].Manager))
	case q.manager != "":
		s.narrowed("manager", c.T("customers.col.manager"))
	}
	s.narrowed("label", q.label)
	word("spent", q.spent, "customers.spent.")
	for _, name := range []string{"from", "to"} {
		if day := c.QueryParam(name); day != "" {
			s.narrowed(name, c.T("customers.filter."+name)+" "+day)
		}
	}
	word("sort", q.sort, "customers.sort.")
}

func sortCustomers(all []customer.Entry, how string, spent map[string]sums) {
	switch how {
	case "newest":
		sorted.By(all, func(a, b customer.Entry) int { return b.From.Compare(a.From) })
	case "spent":
		sorted.By(all, func(a, b customer.Entry) int { return compareSums(spent[b.Customer.Code], spent[a.Customer.Code]) })
	}
}

// compareSums compares by the first currency both have; nothing is least.
func compareSums(a, b sums) int {
	if len(a) == 0 || len(b) == 0 {
		return cmp.Compare(len(a), len(b))
	}
	return cmp.Or(strings.Compare(b[0].currency, a[0].currency), a[0].amount.Cmp(b[0].amount))
}

func customerRow(c *Ctx, e *customer.Entry, labels []string, q *customerQuery, spent map[string]sums) sheetRow {
	name := c.personal(e.Customer.Name)
	name.Note, name.Href = e.Customer.Code, c.at(pathCustomers+"/"+e.CustomerID)
	cells := []opsview.Cell{name}
	if q.resellers {
		cells = append(cells, opsview.Cell{Text: e.Partner.Name, Note: e.Partner.Code})
	}
	cells = append(cells, opsview.Cell{Text: c.T(e.Kind.Label())}, sinceCell(c, e))
	worth := spent[e.Customer.Code]
	if !q.resellers {
		cells = append(cells, carerCell(c, e))
		if spent != nil {
			cells = append(cells, moneyCell(worth))
		}
		cells = append(cells, opsview.Cell{Text: join(labels, " · ")})
	}
	state := opsview.Cell{Status: c.explained("association", e.Association.ID, string(e.State), stateTone[e.State])}
	changed := e.CreatedAt
	if e.Managed.After(changed) {
		changed = e.Managed
	}
	return sheetRow{key: e.Association.ID, about: e.Customer.Code, at: changed, sums: worth, mark: marks(string(e.State), string(e.Kind), e.Manager.ID, join(labels, ","), worth.mark()), cells: append(cells, state)}
}

func sinceCell(c *Ctx, e *customer.Entry) opsview.Cell {
	cell := opsview.Cell{Text: i18n.Nothing}
	if !e.From.IsZero() {
		cell.Text = i18n.DateTime(e.From)
	}
	if key := e.ConsentLabel(); key != "" {
		cell.Note = c.T(key)
	}
	return cell
}

// carerCell names who looks after the customer; whoever may assign changes it there.
func carerCell(c *Ctx, e *customer.Entry) opsview.Cell {
	cell := opsview.Cell{Text: carerText(c, e.Manager), Masked: e.Manager.ID != "" && !c.open}
	if e.Manager.ID == "" {
		cell.Text = c.T("customers.manager.none")
	} else if !e.Managed.IsZero() {
		cell.Note = i18n.DateTime(e.Managed)
	}
	if c.Scope.Has(scope.ItemAssignmentChange) && e.State == customer.StateActive {
		cell.Href = c.withQuery(pathAssignments+"/new", "customer", e.Customer.Code)
	}
	return cell
}

// spentBy is what each customer in scope consumed in a cycle without tax, by customer code.
func (h *Handlers) spentBy(c *Ctx, at cycle.Cycle) (map[string]sums, error) {
	out := map[string]sums{}
	err := h.eachCurrency(c, expenditure.Filter{Cycle: at}, func(s *expenditure.Summary) {
		for i := range s.Rows {
			code := s.Rows[i].Customer.Code
			out[code] = out[code].add(sum{s.Currency, s.Rows[i].Amount()})
		}
	})
	return out, err
}

// eachCurrency gives the summary of each currency in turn; nothing consumed is one summary without a currency.
func (h *Handlers) eachCurrency(c *Ctx, f expenditure.Filter, fn func(*expenditure.Summary)) error {
	for {
		s, err := h.Expenditure.Summarise(c.ctx(), c.Scope, f)
		if err != nil {
			return err
		}
		fn(s)
		next := slices.Index(s.Choices.Currencies, s.Currency) + 1
		if s.Currency == "" || next >= len(s.Choices.Currencies) {
			return nil
		}
		f.Currency = s.Choices.Currencies[next]
	}
}
