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
	"huoban/internal/ledger"
	"huoban/internal/prospect"
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
	list.Query = []string{"manager", "reseller"}
	return []Route{list, row("/:id", "customers.show", "customers.show.title", (*Handlers).customerShown), row("/:id/resources", "customers.resources", "customers.resources.title", (*Handlers).customerResources)}
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
	phone, code           string // digits of a telephone; the whole 客户ID
	reseller              string // code; it alone means of=resellers
	relation              customer.Kind
	state                 customer.State
	spent                 string // "yes", "no" or any
	sinceFrom, sinceUntil time.Time
}

func readCustomerQuery(c *Ctx) (q customerQuery, err error) {
	q = customerQuery{resellers: c.QueryParam("of") == "resellers" || c.QueryParam("reseller") != "", text: strings.TrimSpace(c.QueryParam("q")), manager: c.QueryParam("manager"), label: c.QueryParam("label"), sort: c.QueryParam("sort"),
		relation: customer.Kind(c.QueryParam("relation")), state: customer.State(c.QueryParam("state")), spent: c.QueryParam("spent"),
		phone: prospect.PhoneKey(c.QueryParam("phone")), code: strings.TrimSpace(c.QueryParam("code")), reseller: c.QueryParam("reseller")}
	known := slices.Contains([]string{"", "resellers"}, c.QueryParam("of")) && slices.Contains([]customer.Kind{"", customer.KindResale, customer.KindReferral}, q.relation) &&
		(q.state == "" || slices.Contains(customerStates, q.state)) && slices.Contains([]string{"", "yes", "no"}, q.spent) && (q.sort == "" || slices.Contains(customerSorts, q.sort))
	if !known || q.resellers && !c.seesResellers() || q.phone != "" && q.resellers {
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

func (q *customerQuery) takes(e *customer.Entry, labels []string, partnerID string, now time.Time, spent bool, phone string) bool {
	if e.Own(partnerID) == q.resellers || q.code != "" && e.Customer.Code != q.code || q.reseller != "" && e.Partner.Code != q.reseller || q.phone != "" && !strings.Contains(prospect.PhoneKey(phone), q.phone) {
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
		(q.relation == "" || e.Kind == q.relation) && e.In(q.manager) &&
		(q.sinceFrom.IsZero() || !begun.Before(q.sinceFrom)) && (q.sinceUntil.IsZero() || begun.Before(q.sinceUntil)) &&
		(q.spent == "" || spent == (q.spent == "yes"))
}

// nobody is the choice of the customers without a manager.
const nobody = customer.Nobody

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
	f.Fields = append(f.Fields, part.FilterField{Name: "code", Label: c.T("customers.filter.code"), Value: q.code, More: true})
	if q.resellers {
		f.Fields = append(f.Fields, resellerChoice(c, all, q.reseller))
		f.Hidden, f.Reset = []part.Hidden{{Name: "of", Value: "resellers"}}, c.withQuery(pathCustomers, "of", "resellers")
	} else {
		f.Fields = append(f.Fields, part.FilterField{Name: "phone", Label: c.T("prospects.phone"), Value: c.QueryParam("phone"), More: true})
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

// resellerChoice offers the resellers that have customers.
func resellerChoice(c *Ctx, all []customer.Entry, chosen string) part.FilterField {
	f := part.FilterField{Name: "reseller", Label: c.T("customers.col.reseller"), Value: chosen, Options: []part.Option{{Label: c.T("ops.filter.any")}}}
	for i := range all {
		e := &all[i]
		if !e.Own(c.Org.ID) && !slices.ContainsFunc(f.Options, func(o part.Option) bool { return o.Value == e.Partner.Code }) {
			f.Options = append(f.Options, part.Option{Value: e.Partner.Code, Label: e.Partner.Name})
		}
	}
	sorted.By(f.Options[1:], func(a, b part.Option) int { return strings.Compare(a.Value, b.Value) })
	return f
}

// carerText names a 客户经理 as 客户消费 does.
func carerText(c *Ctx, m customer.Carer) string {
	return managerText(expenditure.Person{ID: m.ID, Login: m.Login, Name: m.Name}, c.open)
}

// customerRows is what the rows of the list are made of beside the directory.
type customerRows struct {
	spent  map[string]sums // this month, by code; nil without the right to see it
	free   map[string]sums // 可用额度, by key; nil without the right to see it
	reach  map[string]customer.Contact
	labels map[string][]string
}

func (h *Handlers) customerRows(c *Ctx, q *customerQuery) (r customerRows, err error) {
	if r.labels, err = h.Customers.Labels(c.ctx(), c.Scope); err != nil || q.resellers {
		return r, err
	}
	if r.reach, err = h.Customers.Reach(c.ctx(), c.Scope); err != nil {
		return r, err
	}
	if c.Scope.Has(scope.ItemExpenditureView) {
		if r.spent, err = h.spentBy(c, cycle.Of(h.Clock.Now(), cycle.Zone)); err != nil {
			return r, err
		}
	}
	r.free, err = h.allocated(c)
	return r, err
}

// allocated is what stands with each customer, by key; nil where nothing does, or to who may not see it.
func (h *Handlers) allocated(c *Ctx) (map[string]sums, error) {
	if !c.Scope.Has(scope.ItemFundsView) || c.Scope.IsLimited() {
		return nil, nil
	}
	states, err := h.Ledger.OfPartner(c.ctx(), c.Org.ID)
	var out map[string]sums
	for _, st := range states {
		if st.Kind != ledger.KindAllocated {
			continue
		}
		if out == nil {
			out = map[string]sums{}
		}
		out[st.CustomerID] = out[st.CustomerID].add(sum{st.Currency, st.Balance.Exact()})
	}
	return out, err
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
	if q.manager != "" && q.manager != nobody && !slices.ContainsFunc(all, func(e customer.Entry) bool { return e.Manager.Is(q.manager) }) ||
		q.reseller != "" && !slices.ContainsFunc(all, func(e customer.Entry) bool { return e.Partner.Code == q.reseller && !e.Own(c.Org.ID) }) {
		return nil, notFound()
	}
	r, err := h.customerRows(c, &q)
	if err != nil {
		return nil, err
	}
	s := &sheet{columns: customerColumns(c, &q, &r), empty: part.Empty{Title: c.T("customers.empty"), Text: c.T("customers.empty_text")}}
	now := h.Clock.Now()
	all = slices.DeleteFunc(all, func(e customer.Entry) bool {
		return !q.takes(&e, r.labels[e.CustomerID], c.Org.ID, now, len(r.spent[e.Customer.Code]) > 0, r.reach[e.CustomerID].Phone)
	})
	sortCustomers(all, q.sort, r.spent)
	for i := range all {
		s.add(h.customerRow(c, &all[i], &q, &r))
	}
	narrowedCustomers(c, s, &q, all)
	return s, nil
}

func customerColumns(c *Ctx, q *customerQuery, r *customerRows) []listColumn {
	out := []listColumn{customerColumn(c)}
	if q.resellers {
		out = append(out, listColumn{key: "reseller", title: c.T("customers.col.reseller"), note: c.T("customers.col.reseller_code")})
	} else {
		out = append(out, listColumn{key: "phone", title: c.T("prospects.phone"), note: c.T("prospects.email"), personal: true})
	}
	out = append(out, listColumn{key: "relation", title: c.T("customers.filter.relation")}, listColumn{key: "since", title: c.T("customers.col.since"), note: c.T("customers.col.consent"), class: "num-l"})
	if !q.resellers {
		out = append(out, listColumn{key: "manager", title: c.T("customers.col.manager"), note: c.T("customers.col.managed"), personal: true})
		if r.spent != nil {
			out = append(out, listColumn{key: "spent", title: c.T("customers.col.spent"), num: true, money: true, class: "m"})
		}
		if r.free != nil {
			out = append(out, listColumn{key: "free", title: c.T("customers.col.free"), num: true})
		}
		out = append(out, listColumn{key: "labels", title: c.T("labels.col")})
	}
	out = append(out, listColumn{key: "state", title: c.T("opsview.col.state")})
	if !q.resellers {
		out = append(out, listColumn{key: "acts", title: c.T("allocation.acts")})
	}
	return out
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
	s.narrowed("phone", c.QueryParam("phone"))
	s.narrowed("code", q.code)
	s.narrowed("reseller", q.reseller)
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

func (h *Handlers) customerRow(c *Ctx, e *customer.Entry, q *customerQuery, r *customerRows) sheetRow {
	name, labels := c.personal(e.Customer.Name), r.labels[e.CustomerID]
	name.Note, name.Href = e.Customer.Code, c.at(pathCustomers+"/"+e.CustomerID)
	cells := []opsview.Cell{name}
	reach := r.reach[e.CustomerID]
	if q.resellers {
		cells = append(cells, opsview.Cell{Text: e.Partner.Name, Note: e.Partner.Code})
	} else {
		cells = append(cells, opsview.Cell{Text: c.veiled(reach.Phone), Note: c.veiled(reach.Email), Masked: reach.Phone != "" && !c.open})
	}
	cells = append(cells, opsview.Cell{Text: c.T(e.Kind.Label())}, sinceCell(c, e))
	worth := r.spent[e.Customer.Code]
	if !q.resellers {
		cells = append(cells, carerCell(c, e))
		if r.spent != nil {
			cells = append(cells, moneyCell(worth))
		}
		if r.free != nil {
			cells = append(cells, moneyCell(r.free[e.CustomerID]))
		}
		cells = append(cells, opsview.Cell{Text: join(labels, " · ")})
	}
	cells = append(cells, opsview.Cell{Status: c.explained("association", e.Association.ID, string(e.State), stateTone[e.State])})
	if !q.resellers {
		cells = append(cells, opsview.Cell{Links: h.customerActs(c, e), More: c.T("customers.act.more")})
	}
	changed := e.CreatedAt
	if e.Managed.After(changed) {
		changed = e.Managed
	}
	return sheetRow{key: e.Association.ID, about: e.Customer.Code, at: changed, sums: worth, cells: cells,
		mark: marks(string(e.State), string(e.Kind), e.Manager.ID, join(labels, ","), worth.mark(), r.free[e.CustomerID].mark(), reach.Phone, reach.Email)}
}

// customerActs are what may be done with a customer from its row, each where it is done.
func (h *Handlers) customerActs(c *Ctx, e *customer.Entry) []part.Link {
	var out []part.Link
	act := func(may bool, key, href string) {
		if may {
			out = append(out, part.Link{Text: c.T(key), Href: href})
		}
	}
	now := h.Clock.Now()
	active, at := e.InForce(now), pathCustomers+"/"+e.CustomerID
	act(c.Scope.Has(scope.ItemExpenditureView), "customers.act.spending", c.withQuery("/expenditure", "customer", e.Customer.Code))
	act(c.Scope.Has(scope.ItemExpenditureView), "customers.act.resources", c.at(at+"/resources"))
	act(active && e.Kind == customer.KindResale && c.Scope.Has(scope.ItemAllocate) && !c.Scope.IsLimited(), "allocation.new", c.withQuery(pathAllocations+"/new", "to", e.Customer.Code))
	act(active && c.Scope.Has(scope.ItemCustomerLabel), "labels.title", c.withQuery(pathLabels, "customer", e.Customer.Code))
	act(active && c.Scope.Has(scope.ItemAssignmentChange), "assignments.assign", c.withQuery(pathAssignments+"/new", "customer", e.Customer.Code))
	act(active && c.Scope.Has(scope.ItemAssociationChange) && !c.Scope.IsLimited(), "relations.change", c.at(at+"/relation"))
	return out
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
