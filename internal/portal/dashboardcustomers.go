package portal

import (
	"net/http"
	"slices"

	"huoban/internal/customer"
	"huoban/internal/cycle"
	"huoban/internal/expenditure"
	"huoban/internal/i18n"
	"huoban/web/templates/opsview"
	"huoban/web/templates/part"
)

const pathCustomerDashboard = "/dashboards/customers"

// customerDashboard is 客户看板: how many customers there are, how they came and went, and what each contributes.
func (h *Handlers) customerDashboard(c *Ctx) error {
	f, err := h.dashboardFilter(c)
	if err != nil {
		return err
	}
	all, managed, err := h.managedOnes(c)
	if err != nil {
		return err
	}
	census, err := h.Customers.Census(c.ctx(), c.Scope, f.First, f.Last, managed)
	if err != nil {
		return err
	}
	title := c.T("dashboard.customers.title")
	p := opsview.Board{Header: part.Header{Title: title, Crumbs: c.crumbs(part.Link{Text: title})}, Flash: c.done(), Notes: []string{c.T("dashboard.customers.note")},
		Filter: h.customerDashboardChoices(c, &f, all, managed)}
	if c.Scope.IsLimited() {
		p.Notes = append([]string{c.T("dashboard.customers.limited")}, p.Notes...)
	}
	active, err := h.spentBy(c, cycle.Of(h.Clock.Now(), cycle.Zone))
	if err != nil {
		return err
	}
	spending := 0
	for i := range all {
		if all[i].In(managed) && all[i].Own(c.Org.ID) && all[i].InForce(h.Clock.Now()) && len(active[all[i].Customer.Code]) > 0 {
			spending++
		}
	}
	p.Facts = censusFacts(c, &census, spending, managed)
	if slices.ContainsFunc(census.Months, func(m customer.Month) bool { return m.Begun+m.Ended > 0 }) {
		p.Charts = append(p.Charts, censusTrend(c, &census))
	}
	if census.Customers > 0 {
		p.Charts = append(p.Charts, censusKinds(c, &census, managed))
	}
	if _, err := h.board(c, &p, "dashboard.customers"); err != nil {
		return err
	}
	return c.page(http.StatusOK, p.Page())
}

// managedOnes are the customers in sight, and the manager the page is narrowed to. Fault: not found.
func (h *Handlers) managedOnes(c *Ctx) ([]customer.Entry, string, error) {
	all, err := h.Customers.Directory(c.ctx(), c.Scope)
	managed := c.QueryParam("manager")
	if err == nil && managed != "" && managed != nobody && !slices.ContainsFunc(all, func(e customer.Entry) bool { return e.Manager.Is(managed) }) {
		err = notFound()
	}
	return all, managed, err
}

func censusFacts(c *Ctx, n *customer.Census, spending int, managed string) []part.Item {
	fact := func(key string, count int, path string) part.Item {
		return part.Item{Label: c.T("dashboard.customers." + key), Text: i18n.Count(int64(count)), Href: path}
	}
	return []part.Item{fact("count", n.Customers, c.withQuery(pathCustomers, "manager", managed)), fact("associations", n.Associations, ""), fact("spending", spending, c.withQuery(pathCustomers, "spent", "yes", "manager", managed)),
		fact("quarter", n.Quarter, c.withQuery(pathCustomers, "sort", "newest", "manager", managed)), fact("unassigned", n.Unassigned, c.withQuery(pathCustomers, "manager", nobody))}
}

func censusTrend(c *Ctx, n *customer.Census) part.Chart {
	chart := part.Chart{ID: "came", Kind: part.ChartBars, Title: c.T("dashboard.customers.trend"), Head: c.T("part.cycle.name"), Note: c.T("dashboard.customers.trend_note")}
	begun, ended := part.Series{Name: c.T("dashboard.customers.begun")}, part.Series{Name: c.T("dashboard.customers.ended")}
	for _, m := range n.Months {
		chart.Names, chart.Short = append(chart.Names, string(m.Cycle)), append(chart.Short, string(m.Cycle)[2:])
		begun.Points = append(begun.Points, part.Point{Size: float64(m.Begun), Text: i18n.Count(int64(m.Begun))})
		ended.Points = append(ended.Points, part.Point{Size: float64(m.Ended), Text: i18n.Count(int64(m.Ended))})
	}
	chart.Series = []part.Series{begun, ended}
	return chart
}

func censusKinds(c *Ctx, n *customer.Census, managed string) part.Chart {
	chart := part.Chart{ID: "kinds", Kind: part.ChartShare, Title: c.T("customers.filter.relation"), Head: c.T("customers.filter.relation"), Series: []part.Series{{Name: c.T("dashboard.customers.count")}}}
	for _, k := range []customer.Kind{customer.KindResale, customer.KindReferral} {
		chart.Names = append(chart.Names, c.T(k.Label()))
		chart.Series[0].Points = append(chart.Series[0].Points, part.Point{Size: float64(n.Kinds[k]), Text: i18n.Count(int64(n.Kinds[k])), Href: c.withQuery(pathCustomers, "relation", string(k), "manager", managed)})
	}
	return chart
}

func (h *Handlers) customerDashboardChoices(c *Ctx, f *expenditure.BoardFilter, all []customer.Entry, managed string) *part.Filter {
	months := h.monthOptions()
	out := &part.Filter{Action: c.at(pathCustomerDashboard), Reset: c.at(pathCustomerDashboard), Fields: []part.FilterField{
		{Name: "from", Label: c.T("dashboard.filter.from"), Value: string(f.First), Options: months}, {Name: "to", Label: c.T("dashboard.filter.to"), Value: string(f.Last), Options: months}}}
	if !c.Scope.IsLimited() || len(managersOf(all)) > 1 {
		choice := managerChoice(c, all, managed)
		choice.More = false
		out.Fields = append(out.Fields, choice)
	}
	return out
}

// monthOptions are the cycles one can look back to, the newest first.
func (h *Handlers) monthOptions() []part.Option {
	var out []part.Option
	now := cycle.Of(h.Clock.Now(), cycle.Zone)
	for i := range expenditure.Months + 1 {
		at := string(now.Add(-i))
		out = append(out, part.Option{Value: at, Label: at})
	}
	return out
}

// readContributions lists the customers with what they contributed over the months, the largest first.
func (h *Handlers) readContributions(c *Ctx) (*sheet, error) {
	f, err := h.dashboardFilter(c)
	if err != nil {
		return nil, err
	}
	entries, managed, err := h.managedOnes(c)
	if err != nil {
		return nil, err
	}
	f.By, f.Filter = expenditure.ByCustomer, expenditure.Filter{Currency: c.QueryParam("currency")}
	b, err := h.Expenditure.Board(c.ctx(), c.Scope, f)
	if err != nil {
		return nil, err
	}
	known := map[string]*customer.Entry{}
	for i := range entries {
		known[entries[i].Customer.Code] = &entries[i]
	}
	s := &sheet{columns: []listColumn{customerColumn(c), {key: "relation", title: c.T("customers.filter.relation")}, {key: "since", title: c.T("customers.col.since"), note: c.T("customers.col.consent"), class: "num-l"},
		{key: "amount", title: c.T("dashboard.customers.contribution"), num: true, money: true, class: "m"}, {key: "share", title: c.T("dashboard.share"), num: true}},
		empty: part.Empty{Title: c.T("expenditure.empty"), Text: c.T("expenditure.empty_text")}}
	for i := range b.Groups {
		g := &b.Groups[i]
		if e := known[g.Key]; managed != "" && (e == nil || !e.In(managed)) {
			continue
		}
		name := c.personal(g.Customer.Name)
		name.Note = g.Customer.Code
		relation, since := opsview.Cell{}, opsview.Cell{}
		if e := known[g.Key]; e != nil {
			name.Href, relation.Text, since = c.at(pathCustomers+"/"+e.CustomerID), c.T(e.Kind.Label()), sinceCell(c, e)
		}
		worth := sums{{b.Currency, g.Total.Amount()}}
		s.add(sheetRow{key: g.Key, about: g.Customer.Code, mark: worth.mark(), sums: worth, cells: []opsview.Cell{name, relation, since, moneyCell(worth), {Text: shareText(worth[0].amount, b.Total.Amount())}}})
	}
	if managed != "" {
		i := slices.IndexFunc(entries, func(e customer.Entry) bool { return e.Manager.Is(managed) })
		text := c.T("customers.manager.none")
		if i >= 0 {
			text = carerText(c, entries[i].Manager)
		}
		s.narrowed("manager", text)
	}
	s.narrowed("", c.T("dashboard.span", "First", string(f.First), "Last", string(f.Last)))
	return s, nil
}
