package portal

import (
	"math"
	"net/http"
	"slices"
	"strconv"
	"time"

	"huoban/internal/account"
	"huoban/internal/customer"
	"huoban/internal/cycle"
	"huoban/internal/expenditure"
	"huoban/internal/fault"
	"huoban/internal/i18n"
	"huoban/internal/scope"
	"huoban/internal/sorted"
	"huoban/web/templates/opsview"
	"huoban/web/templates/part"
)

const pathAssignments = "/assignments"

// assignmentRoutes are 客户分配: who looks after whom, and its change.
func assignmentRoutes() []Route {
	row := func(method, path, name, title string, item scope.Item, do func(*Handlers, *Ctx) error, query ...string) Route {
		return Route{Method: method, Path: "/o/:org" + pathAssignments + path, Name: name, Sides: partners, Items: []scope.Item{item}, Title: title, Query: query, Do: do}
	}
	return []Route{
		row(get, "", "assignments", "assignments.title", scope.ItemAssignmentView, (*Handlers).assignments),
		row(get, "/new", "assignments.new", "assignments.assign", scope.ItemAssignmentChange, (*Handlers).assignPage, "person", "customer").noList("form"),
		row(post, "", "assignments.assign", "", scope.ItemAssignmentChange, (*Handlers).assign, "person", "customer"),
		row(get, "/withdrawal", "assignments.withdrawing", "assignments.withdraw", scope.ItemAssignmentChange, (*Handlers).withdrawPage, "person").noList("form"),
		row(post, "/withdrawal", "assignments.withdraw", "", scope.ItemAssignmentChange, (*Handlers).withdraw, "person", "customer"),
		row(get, "/:id", "assignments.show", "assignments.title", scope.ItemAssignmentView, (*Handlers).assigned),
	}
}

// team is the 客户经理 the actor answers for: all of the organisation, or a 客户经理主管's own.
func (h *Handlers) team(c *Ctx) ([]account.Person, error) {
	all, err := h.Accounts.Managers(c.ctx(), c.Org.ID)
	if err != nil || !c.Scope.IsLimited() {
		return all, err
	}
	return slices.DeleteFunc(all, func(p account.Person) bool { return p.SupervisorID != c.Scope.PersonID() }), nil
}

// assignments lists the managers with what they look after.
func (h *Handlers) assignments(c *Ctx) error {
	title := c.T("assignments.title")
	p := opsview.Board{Header: part.Header{Title: title, Crumbs: c.crumbs(part.Link{Text: title})}, Flash: c.done(), Notes: []string{c.T("assignments.note")}}
	if c.Scope.Has(scope.ItemAssignmentChange) {
		p.Header.Buttons = []part.Link{{Text: c.T("assignments.assign"), Href: c.at(pathAssignments + "/new")}, {Text: c.T("assignments.withdraw"), Href: c.at(pathAssignments + "/withdrawal")}}
	}
	if _, err := h.board(c, &p, "assignments"); err != nil {
		return err
	}
	return c.page(http.StatusOK, p.Page())
}

// readAssignments lists the managers; what nobody looks after is the last row, so that the sums are those of
// 客户消费.
func (h *Handlers) readAssignments(c *Ctx) (*sheet, error) {
	team, err := h.team(c)
	if err != nil {
		return nil, err
	}
	all, err := h.Customers.Directory(c.ctx(), c.Scope)
	if err != nil {
		return nil, err
	}
	s := &sheet{columns: []listColumn{{key: "manager", title: c.T("customers.col.manager"), note: c.T("assignments.col.note"), personal: true}, {key: "supervisor", title: c.T("assignments.col.supervisor"), personal: true},
		{key: "customers", title: c.T("assignments.col.customers"), num: true}, {key: "newest", title: c.T("assignments.col.newest"), class: "num-l"}},
		empty: part.Empty{Title: c.T("assignments.empty"), Text: c.T("assignments.empty_text")}}
	spends := c.Scope.Has(scope.ItemExpenditureView)
	var rest sums
	if spends {
		s.columns = append(s.columns, listColumn{key: "spent", title: c.T("customers.col.spent"), num: true, money: true, class: "m"})
		if rest, err = h.managedSums(c, ""); err != nil {
			return nil, err
		}
	}
	now := h.Clock.Now()
	for i := range team {
		var worth sums
		if spends {
			if worth, err = h.managedSums(c, team[i].ID); err != nil {
				return nil, err
			}
			for _, x := range worth {
				rest = rest.add(sum{x.currency, x.amount.Neg()})
			}
		}
		s.add(h.managerRow(c, &team[i], all, now, worth, spends))
	}
	if len(team) > 0 {
		s.addRest(c, all, now, rest, spends)
	}
	return s, nil
}

func (h *Handlers) managerRow(c *Ctx, p *account.Person, all []customer.Entry, now time.Time, worth sums, spends bool) sheetRow {
	count, newest := int64(0), time.Time{}
	for i := range all {
		if all[i].Manager.ID == p.ID && all[i].InForce(now) {
			count, newest = count+1, latestOf(newest, all[i].Managed)
		}
	}
	name := opsview.Cell{Text: carerText(c, customer.Carer{ID: p.ID, Login: p.Login, Name: p.Name}), Masked: !c.open, Href: c.at(pathAssignments + "/" + p.ID)}
	boss := opsview.Cell{Text: c.T("assignments.orphan")}
	if p.SupervisorID != "" {
		boss.Text = ""
		if b, err := h.Accounts.PersonByID(c.ctx(), p.SupervisorID); err == nil {
			boss = opsview.Cell{Text: carerText(c, customer.Carer{ID: b.ID, Login: b.Login, Name: b.Name}), Masked: !c.open}
		}
	}
	cells := []opsview.Cell{name, boss, countCell(count), {Text: bound(newest)}}
	if spends {
		cells = append(cells, moneyCell(worth))
	}
	return sheetRow{key: p.ID, at: newest, sums: worth, mark: marks(p.SupervisorID, strconv.FormatInt(count, 10), worth.mark()), cells: cells}
}

// addRest adds what no manager looks after: customers without one, hand-overs, the partner's own use.
func (s *sheet) addRest(c *Ctx, all []customer.Entry, now time.Time, rest sums, spends bool) {
	count := int64(0)
	for i := range all {
		if all[i].Own(c.Org.ID) && all[i].Manager.ID == "" && all[i].InForce(now) {
			count++
		}
	}
	cells := []opsview.Cell{{Text: c.T("assignments.rest"), Note: c.T("assignments.rest_note"), Href: c.withQuery(pathCustomers, "manager", nobody)}, {}, countCell(count), {}}
	if spends {
		cells = append(cells, moneyCell(rest))
	}
	s.add(sheetRow{key: nobody, sums: rest, mark: marks(strconv.FormatInt(count, 10), rest.mark()), cells: cells})
}

// managedSums is what the customers of a manager consumed this month while he looked after them; of everybody
// without a manager's key.
func (h *Handlers) managedSums(c *Ctx, managerID string) (sums, error) {
	var out sums
	err := h.eachCurrency(c, expenditure.Filter{Cycle: cycle.Of(h.Clock.Now(), cycle.Zone), Manager: managerID}, func(s *expenditure.Summary) {
		if s.Currency != "" {
			out = out.add(sum{s.Currency, s.Total.Amount()})
		}
	})
	if fault.Is(err, fault.KindNotFound) {
		return nil, nil // looks after nobody
	}
	return out, err
}

// member finds a manager of the team. Fault: not found.
func (h *Handlers) member(c *Ctx, personID string) (account.Person, error) {
	team, err := h.team(c)
	if err != nil {
		return account.Person{}, err
	}
	i := slices.IndexFunc(team, func(p account.Person) bool { return p.ID == personID })
	if i < 0 {
		return account.Person{}, notFound()
	}
	return team[i], nil
}

// assigned lists the customers of one manager.
func (h *Handlers) assigned(c *Ctx) error {
	p, err := h.member(c, c.Param("id"))
	if err != nil {
		return err
	}
	name := carerText(c, customer.Carer{ID: p.ID, Login: p.Login, Name: p.Name})
	b := opsview.Board{Header: part.Header{Title: c.T("assignments.of", "Manager", name), Crumbs: c.crumbs(part.Link{Text: c.T("assignments.title"), Href: c.at(pathAssignments)}, part.Link{Text: name})}, Flash: c.done()}
	if c.Scope.Has(scope.ItemAssignmentChange) {
		b.Header.Buttons = []part.Link{{Text: c.T("assignments.assign"), Href: c.withQuery(pathAssignments+"/new", "person", p.ID)}, {Text: c.T("assignments.withdraw"), Href: c.withQuery(pathAssignments+"/withdrawal", "person", p.ID)}}
	}
	if _, err := h.board(c, &b, "assignments.customers"); err != nil {
		return err
	}
	return c.page(http.StatusOK, b.Page())
}

// readAssigned lists what a manager looks after and looked after, the running first.
func (h *Handlers) readAssigned(c *Ctx) (*sheet, error) {
	if _, err := h.member(c, c.Param("id")); err != nil {
		return nil, err
	}
	list, names, err := h.caresOf(c, c.Param("id"))
	if err != nil {
		return nil, err
	}
	s := &sheet{columns: []listColumn{customerColumn(c), {key: "from", title: c.T("customers.col.managed"), class: "num-l"},
		{key: "counts", title: c.T("customers.show.counts"), class: "num-l"}, {key: "to", title: c.T("customers.show.taken"), class: "num-l"}, {key: "by", title: c.T("ops.fact.by")}},
		empty: part.Empty{Title: c.T("assignments.none"), Text: c.T("assignments.none_text")}}
	if c.Scope.Has(scope.ItemAssignmentChange) {
		s.empty.Button = &part.Link{Text: c.T("assignments.assign"), Href: c.withQuery(pathAssignments+"/new", "person", c.Param("id"))}
	}
	for i := range list {
		x := &list[i]
		name := c.personal(names[x.CustomerID].Name)
		name.Note, name.Href = names[x.CustomerID].Code, c.at(pathCustomers+"/"+x.CustomerID)
		s.add(sheetRow{key: x.ID, about: names[x.CustomerID].Code, at: latestOf(x.CreatedAt, x.To), mark: marks(bound(x.From), bound(x.To)), cells: []opsview.Cell{name, {Text: bound(x.From)},
			{Text: i18n.Date(customer.CountExpenditure.From(x.From))}, {Text: bound(x.To)}, {Text: x.CreatedBy}}})
	}
	return s, nil
}

// caresOf are a manager's assignments, the running first and then the newest, with the names of the customers
// the actor sees.
func (h *Handlers) caresOf(c *Ctx, personID string) ([]customer.Assignment, map[string]customer.Party, error) {
	all, err := h.Customers.Assignments(c.ctx(), c.Scope)
	if err != nil {
		return nil, nil, err
	}
	names, err := h.Customers.Names(c.ctx(), c.Scope)
	if err != nil {
		return nil, nil, err
	}
	all = slices.DeleteFunc(all, func(a customer.Assignment) bool {
		return a.PersonID != personID || names[a.CustomerID].ID == "" || !a.To.IsZero() && !a.From.Before(a.To)
	})
	ended := func(a customer.Assignment) int64 {
		if a.To.IsZero() {
			return math.MaxInt64
		}
		return a.To.UnixMicro()
	}
	sorted.By(all, func(a, b customer.Assignment) int {
		if x, y := ended(a), ended(b); x != y {
			if x > y {
				return -1
			}
			return 1
		}
		return b.From.Compare(a.From)
	})
	return all, names, nil
}
