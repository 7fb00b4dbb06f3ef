package portal

import (
	"cmp"
	"net/http"
	"strings"
	"time"

	"huoban/internal/bill"
	"huoban/internal/cycle"
	"huoban/internal/i18n"
	"huoban/internal/monthclose"
	"huoban/internal/scope"
	"huoban/internal/sorted"
	"huoban/web/templates/homeview"
	"huoban/web/templates/layout"
	"huoban/web/templates/part"
)

const (
	homeCycles  = 3 // how many cycles the latest bills come from
	homeBills   = 8
	homeDuties  = 5
	homeChanges = 5
)

// home is 主页: what waits, how the month goes, what changed, who one is, the latest bills.
func (h *Handlers) home(c *Ctx) error {
	now := h.Clock.Now()
	p := homeview.Home{Title: greeting(c, now), Now: i18n.DateTime(now), Org: orgFacts(c), Flash: c.done(), AllWork: c.at("/work"), Rules: c.rules()}
	known, err := h.knownCycles(c)
	if err != nil {
		return err
	}
	sorted.By(known, func(a, b monthclose.Known) int {
		return cmp.Or(strings.Compare(string(b.Cycle), string(a.Cycle)), strings.Compare(a.Vendor, b.Vendor))
	})
	waiting, err := h.duties(c)
	if err != nil {
		return err
	}
	p.Waiting = len(waiting)
	p.Duties = dutyRows(c, now, waiting[:min(len(waiting), homeDuties)])
	if c.Scope.Side() == scope.SideVendor {
		err = h.vendorHome(c, known, &p)
	} else {
		err = h.traderHome(c, known, now, &p)
	}
	if err != nil {
		return err
	}
	if err := h.newsHome(c, now, &p); err != nil {
		return err
	}
	p.NoBills = c.Scope.Side() == scope.SidePartner && !c.Scope.Has(scope.ItemBillView)
	if len(p.Bills) == 0 {
		p.Empty = &part.Empty{Title: c.T("ops.home.empty"), Text: c.T("ops.home.empty_text")}
		if p.Statements {
			p.Empty = &part.Empty{Title: c.T("statement.own.empty"), Text: c.T("statement.own.empty_text")}
		}
		if c.Scope.Side() == scope.SideVendor && c.Scope.Has(scope.ItemDeliveryImport) {
			p.Empty.Button = &part.Link{Text: c.T("ops.upload.title"), Href: c.at("/deliveries/new")}
		}
	}
	return c.page(http.StatusOK, p.Page())
}

// greeting goes by the hour in the portal's zone.
func greeting(c *Ctx, now time.Time) string {
	key := "evening"
	switch hour := now.In(cycle.Zone).Hour(); {
	case hour >= 5 && hour < 12:
		key = "morning"
	case hour >= 12 && hour < 18:
		key = "afternoon"
	}
	return c.T("ops.home.greeting."+key, "Name", layout.From(c.ctx()).Person)
}

// orgFacts is the card of the organisation and of the person's place in it.
func orgFacts(c *Ctx) []part.Item {
	return []part.Item{
		{Label: c.T("ops.home.org"), Text: c.Org.Name},
		{Label: c.T("ops.home.code"), Text: c.Org.Code, Mono: true},
		{Label: c.T("ops.home.kind"), Text: c.T(c.Org.Kind.Label())},
		{Label: c.T("ops.home.person"), Text: layout.From(c.ctx()).Person},
		{Label: c.T("ops.home.role"), Text: layout.From(c.ctx()).Role},
	}
}

// latestBills are the bills of the latest cycles in scope: final, draft or the estimate of now; with the
// names of their vendors by id.
func (h *Handlers) latestBills(c *Ctx, known []monthclose.Known) (map[string]string, []homeview.Bill, error) {
	var out []homeview.Bill
	vendors := map[string]string{}
	seen := map[cycle.Cycle]bool{}
	for _, k := range known {
		if !seen[k.Cycle] && len(seen) == homeCycles {
			break
		}
		docs, err := h.Closes.Estimate(c.ctx(), c.Scope, k.VendorID, k.Cycle)
		if err != nil {
			return nil, nil, err
		}
		if len(docs) == 0 {
			continue
		}
		seen[k.Cycle], vendors[k.VendorID] = true, docs[0].Vendor.Name
		for i := range docs[:min(len(docs), homeBills-len(out))] {
			out = append(out, homeBill(c, &docs[i], k.State))
		}
	}
	return vendors, out, nil
}

func homeBill(c *Ctx, d *bill.Document, state monthclose.State) homeview.Bill {
	row := homeview.Bill{Name: string(d.Cycle) + " · " + d.Vendor.Name, Href: c.billLink("", d), State: stageTag(c, state), Due: part.MoneyOf(d.Due, d.Currency),
		Note: c.T("bills.stage_next." + string(state.Stage()))}
	if d.Partner.ID != c.Org.ID {
		row.Name += " · " + d.Partner.Name
	}
	if state.Stage() != monthclose.StageFinal {
		row.Note += c.T("ops.home.by", "At", i18n.Moment(c.ctx(), d.Cycle.BillReady()))
	}
	return row
}

// vendorHome shows the latest closes and what the sources delivered.
func (h *Handlers) vendorHome(c *Ctx, known []monthclose.Known, p *homeview.Home) error {
	if c.Scope.Has(scope.ItemDeliveryView, scope.ItemSourceView) {
		if err := h.deliveredHome(c, p); err != nil {
			return err
		}
	}
	if !c.Scope.Has(scope.ItemCloseView) {
		return nil
	}
	p.AllBills, p.Closes = c.at("/closes"), true
	var err error
	now := h.Clock.Now()
	for _, k := range known {
		if len(p.Bills) >= homeBills {
			break
		}
		row := homeview.Bill{Name: string(k.Cycle), Href: c.at("/closes/" + string(k.Cycle)), State: part.Tag{Text: c.T("close.state." + string(k.State)), Tone: closeTone[k.State]}}
		if row.Note, err = h.closeNote(c, k, now); err != nil {
			return err
		}
		rows, err := h.closeRows(c, k, row)
		if err != nil {
			return err
		}
		p.Bills = append(p.Bills, rows...)
	}
	return nil
}

// closeRows is one row per currency of a drafted or issued cycle, one without amount before.
func (h *Handlers) closeRows(c *Ctx, k monthclose.Known, row homeview.Bill) ([]homeview.Bill, error) {
	worth, err := h.closeSums(c, k)
	if err != nil {
		return nil, err
	}
	if len(worth) == 0 {
		row.Due = part.Money{Text: i18n.Nothing}
		return []homeview.Bill{row}, nil
	}
	var out []homeview.Bill
	for _, x := range worth {
		row.Due = exactMoney(x.amount, x.currency)
		out = append(out, row)
	}
	return out, nil
}

// overdueBar is the line over every page of a vendor whose bills are late; nil when none is.
func (h *Handlers) overdueBar(c *Ctx) (*layout.SiteBar, error) {
	if c.Scope.Side() != scope.SideVendor || !c.Scope.Has(scope.ItemCloseView) {
		return nil, nil
	}
	list, err := h.Closes.Deadlines(c.ctx(), c.Org.ID)
	if err != nil {
		return nil, err
	}
	for _, d := range list {
		if d.Overdue {
			return &layout.SiteBar{Text: c.T("monthclose.overdue.banner", "Cycle", string(d.Cycle)), LinkText: c.T("ops.check.open"),
				Href: c.at("/closes/" + string(d.Cycle))}, nil
		}
	}
	return nil, nil
}
