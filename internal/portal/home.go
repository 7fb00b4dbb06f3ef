package portal

import (
	"net/http"
	"slices"
	"strings"

	"huoban/internal/bill"
	"huoban/internal/cycle"
	"huoban/internal/i18n"
	"huoban/internal/money"
	"huoban/internal/monthclose"
	"huoban/internal/scope"
	"huoban/web/templates/homeview"
	"huoban/web/templates/layout"
	"huoban/web/templates/part"
)

const (
	homeCycles = 3 // how many cycles the latest bills come from
	homeBills  = 8
)

// home is 主页: who one is, what waits, the latest bills.
func (h *Handlers) home(c *Ctx) error {
	p := homeview.Home{Title: c.T("ops.home.title"), Org: orgFacts(c), Flash: c.done()}
	known, err := h.knownCycles(c)
	if err != nil {
		return err
	}
	slices.SortFunc(known, func(a, b monthclose.Known) int {
		if a.Cycle != b.Cycle {
			return strings.Compare(string(b.Cycle), string(a.Cycle))
		}
		return strings.Compare(a.Vendor, b.Vendor)
	})
	if c.Scope.Side() == scope.SideVendor {
		err = h.vendorHome(c, known, &p)
	} else if c.Scope.Has(scope.ItemBillView) {
		p.AllBills = c.at("/bills")
		p.Bills, err = h.latestBills(c, known)
	}
	if err != nil {
		return err
	}
	if len(p.Bills) == 0 {
		p.Empty = &part.Empty{Title: c.T("ops.home.empty"), Text: c.T("ops.home.empty_text")}
		if c.Scope.Side() == scope.SideVendor && c.Scope.Has(scope.ItemDeliveryImport) {
			p.Empty.Button = &part.Link{Text: c.T("ops.upload.title"), Href: c.at("/deliveries/new")}
		}
	}
	return c.page(http.StatusOK, p.Page())
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

// latestBills are the bills of the latest cycles in scope: final, draft or the estimate of now.
func (h *Handlers) latestBills(c *Ctx, known []monthclose.Known) ([]homeview.Bill, error) {
	var out []homeview.Bill
	seen := map[cycle.Cycle]bool{}
	for _, k := range known {
		if !seen[k.Cycle] && len(seen) == homeCycles {
			break
		}
		docs, err := h.Closes.Estimate(c.ctx(), c.Scope, k.VendorID, k.Cycle)
		if err != nil {
			return nil, err
		}
		if len(docs) == 0 {
			continue
		}
		seen[k.Cycle] = true
		for i := range docs {
			if len(out) == homeBills {
				return out, nil
			}
			out = append(out, homeBill(c, &docs[i], k.State))
		}
	}
	return out, nil
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

// vendorHome shows lines nobody owns, deadlines, and the latest closes.
func (h *Handlers) vendorHome(c *Ctx, known []monthclose.Known, p *homeview.Home) error {
	if !c.Scope.Has(scope.ItemCloseView) {
		return nil
	}
	p.AllBills, p.Closes = c.at("/closes"), true
	var err error
	if p.Unmapped, err = h.unmapped(c, known); err != nil {
		return err
	}
	if p.Waiting, err = h.deadlines(c); err != nil {
		return err
	}
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
	totals, err := h.closeTotals(c, k)
	if err != nil {
		return nil, err
	}
	if len(totals) == 0 {
		row.Due = part.Money{Text: i18n.Nothing}
		return []homeview.Bill{row}, nil
	}
	var out []homeview.Bill
	for _, t := range totals {
		row.Due = part.Money{Text: t}
		out = append(out, row)
	}
	return out, nil
}

// unmapped adds up the lines without a customer of every cycle that is not issued. The way to their cure
// is the earliest such cycle, whose checks name keys and commands.
func (h *Handlers) unmapped(c *Ctx, known []monthclose.Known) (*homeview.Unmapped, error) {
	sums := map[string]money.Exact{}
	var lines int64
	var cycles, sources []string
	for _, k := range slices.Backward(known) {
		if k.State == monthclose.StateIssued {
			continue
		}
		list, err := h.Attribution.Unmapped(c.ctx(), k.VendorID, k.Cycle, homeBills)
		if err != nil {
			return nil, err
		}
		for _, u := range list {
			sums[u.Currency] = sums[u.Currency].Add(u.Billed)
			lines += u.LineCount
			if !slices.Contains(cycles, string(k.Cycle)) {
				cycles = append(cycles, string(k.Cycle))
			}
			for _, key := range u.Keys {
				if !slices.Contains(sources, key.Source) {
					sources = append(sources, key.Source)
				}
			}
		}
	}
	if len(cycles) == 0 {
		return nil, nil
	}
	comma := c.T("portal.list.comma")
	out := &homeview.Unmapped{Text: c.T("ops.home.unmapped", "Count", lines, "Cycles", join(cycles, comma), "Sources", join(sources, comma)),
		Cure: part.Link{Text: c.T("ops.home.unmapped_cure"), Href: c.at("/closes/" + cycles[0] + "#checks")}}
	for _, currency := range sortedNames(sums) {
		out.Totals = append(out.Totals, exactMoney(sums[currency], currency))
	}
	return out, nil
}

// deadlines are the cycles to be issued now, the overdue ones as blockers.
func (h *Handlers) deadlines(c *Ctx) ([]part.Check, error) {
	list, err := h.Closes.Deadlines(c.ctx(), c.Org.ID)
	if err != nil {
		return nil, err
	}
	var out []part.Check
	for _, d := range list {
		check := part.Check{Tone: part.Warn, Title: c.T("ops.home.remind", "Cycle", string(d.Cycle)), Text: c.T("ops.home.ready_by", "At", i18n.DateTime(d.ReadyBy)),
			Cure: &part.Link{Text: c.T("ops.check.open"), Href: c.at("/closes/" + string(d.Cycle))}}
		if d.Overdue {
			check.Tone, check.Title = part.Bad, c.T("monthclose.overdue.banner", "Cycle", string(d.Cycle))
		}
		out = append(out, check)
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
