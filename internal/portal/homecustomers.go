package portal

import (
	"slices"
	"time"

	"huoban/internal/customer"
	"huoban/internal/cycle"
	"huoban/internal/i18n"
	"huoban/internal/news"
	"huoban/internal/scope"
	"huoban/internal/sorted"
	"huoban/web/templates/homeview"
	"huoban/web/templates/part"
)

const (
	homeTop  = 5
	homeNews = 3
	freshFor = 7 * 24 * time.Hour // an announcement is new that long
)

// customersHome counts the customers in sight and names those who consumed most this month.
func (h *Handlers) customersHome(c *Ctx, running cycle.Cycle) (*homeview.Customers, error) {
	now := h.Clock.Now()
	return c.who.customers.get(now, func() (*homeview.Customers, error) { return h.countCustomers(c, running, now) })
}

func (h *Handlers) countCustomers(c *Ctx, running cycle.Cycle, now time.Time) (*homeview.Customers, error) {
	all, err := h.Customers.Directory(c.ctx(), c.Scope)
	if err != nil {
		return nil, err
	}
	count, begun, loose := 0, 0, 0
	for i := range all {
		e := &all[i]
		if !e.Own(c.Org.ID) || !e.InForce(now) {
			continue
		}
		count++
		if from := e.From; !from.IsZero() && !from.Before(running.Start(cycle.Zone)) {
			begun++
		}
		if e.Manager.ID == "" {
			loose++
		}
	}
	fact := func(key string, n int, href string) part.Item {
		return part.Item{Label: c.T("homeview.customers." + key), Text: i18n.Count(int64(n)), Href: href}
	}
	out := &homeview.Customers{All: c.at(pathCustomers), Facts: []part.Item{fact("count", count, c.at(pathCustomers)), fact("begun", begun, c.withQuery(pathCustomers, "sort", "newest"))}}
	if !c.Scope.IsLimited() {
		out.Facts = append(out.Facts, fact("unassigned", loose, c.withQuery(pathCustomers, "manager", nobody)))
	}
	if !c.Scope.Has(scope.ItemExpenditureView) {
		return out, nil
	}
	if c.Scope.IsLimited() {
		out.Note, out.Rule = c.T("homeview.customers.limited"), c.at("/expenditure"+rulesAt)
	}
	spent, err := h.spentBy(c, running)
	if err != nil {
		return nil, err
	}
	own := slices.DeleteFunc(all, func(e customer.Entry) bool { return !e.Own(c.Org.ID) || len(spent[e.Customer.Code]) == 0 })
	sorted.By(own, func(a, b customer.Entry) int { return compareSums(spent[b.Customer.Code], spent[a.Customer.Code]) })
	for i := range own[:min(len(own), homeTop)] {
		e := &own[i]
		top := homeview.Top{Name: c.personal(e.Customer.Name).Text, Code: e.Customer.Code, Href: c.at(pathCustomers + "/" + e.CustomerID)}
		for _, x := range spent[e.Customer.Code] {
			m := exactMoney(x.amount, x.currency)
			m.Href = c.withQuery("/expenditure", "cycle", string(running), "customer", e.Customer.Code, "currency", x.currency)
			top.Amounts = append(top.Amounts, m)
		}
		out.Top = append(out.Top, top)
	}
	return out, nil
}

// newsHome are the newest announcements.
func (h *Handlers) newsHome(c *Ctx, now time.Time, p *homeview.Home) error {
	all, err := c.who.told.get(now, func() ([]news.Item, error) { return h.News.Current(c.ctx(), c.Scope, c.Org) })
	p.AllNews = c.at(pathNews)
	for i := range all[:min(len(all), homeNews)] {
		x := &all[i]
		p.News = append(p.News, homeview.Change{Text: newsTitle(c, x), Href: c.at(pathNews + "/" + x.ID), When: i18n.Moment(c.ctx(), x.StartsAt), Note: x.Vendor, New: now.Sub(x.StartsAt) < freshFor})
	}
	return err
}
