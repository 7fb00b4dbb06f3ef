package portal

import (
	"cmp"
	"slices"
	"time"

	"huoban/internal/cycle"
	"huoban/internal/expenditure"
	"huoban/internal/i18n"
	"huoban/internal/message"
	"huoban/internal/money"
	"huoban/internal/monthclose"
	"huoban/internal/scope"
	"huoban/internal/sorted"
	stmt "huoban/internal/statement"
	"huoban/web/templates/homeview"
	"huoban/web/templates/layout"
	"huoban/web/templates/part"
)

// traderHome shows a partner or customer how the month goes, the latest bills and messages.
func (h *Handlers) traderHome(c *Ctx, known []monthclose.Known, now time.Time, p *homeview.Home) error {
	var err error
	if c.Scope.Has(scope.ItemBillView) {
		p.AllBills = c.at("/bills")
		var vendors map[string]string
		if vendors, p.Bills, err = h.latestBills(c, known); err != nil {
			return err
		}
		billFreshness(c, known, vendors, now, p)
	} else if c.Scope.Side() == scope.SideCustomer && c.Scope.Has(scope.ItemExpenditureView) {
		if err = h.statementsHome(c, p); err != nil {
			return err
		}
	}
	if c.Scope.Has(scope.ItemExpenditureView) {
		if err = h.paceHome(c, cycle.Of(now, cycle.Zone), p); err != nil {
			return err
		}
	}
	if c.Scope.Side() == scope.SidePartner && c.Scope.Has(scope.ItemCustomerView) {
		if p.Customers, err = h.customersHome(c, cycle.Of(now, cycle.Zone)); err != nil {
			return err
		}
	}
	list, err := h.Messages.List(c.ctx(), c.Scope, message.Filter{}, message.Cursor{}, homeChanges)
	if err != nil {
		return err
	}
	p.AllChanges = c.at("/messages")
	for i := range list.Messages {
		m := &list.Messages[i]
		change := homeview.Change{Text: c.say(m.Notice.Text(), m.Notice.Args), When: i18n.Moment(c.ctx(), m.At), Note: c.T(m.Notice.Category.Label()), New: m.ReadAt.IsZero()}
		if m.Notice.Link != "" {
			change.Href = layout.SafeNext(m.Notice.Link)
		}
		p.Changes = append(p.Changes, change)
	}
	return nil
}

// statementsHome lists a customer's latest statements where others have their bills.
func (h *Handlers) statementsHome(c *Ctx, p *homeview.Home) error {
	list, err := h.Statements.List(c.ctx(), c.Scope, stmt.Filter{})
	if err != nil {
		return err
	}
	p.Statements, p.AllBills = true, c.at(pathOwnStatements)
	for i := range list[:min(len(list), homeBills)] {
		x := &list[i]
		p.Bills = append(p.Bills, homeview.Bill{Name: string(x.Cycle) + " · " + x.Partner.Name, Href: c.at(pathOwnStatements + "/" + x.ID), Note: x.Number,
			State: part.Tag{Text: c.T("statement.state." + string(x.State)), Tone: statementTone[x.State]}, Due: part.MoneyOf(x.Total, x.Currency)})
	}
	return nil
}

// paceHome is consumption of the running month against the same days of the last.
func (h *Handlers) paceHome(c *Ctx, running cycle.Cycle, p *homeview.Home) error {
	pace, err := h.Expenditure.Pace(c.ctx(), c.Scope, running)
	if err != nil {
		return err
	}
	ready := cycle.Zone
	row := homeview.Fresh{Data: c.T("expenditure.title"), Reached: i18n.Nothing, Next: c.T("ops.home.fresh.daily")}
	if pace != nil {
		row.Reached = c.T("ops.home.fresh.day_end", "Day", i18n.Date(pace.Until.In(ready).AddDate(0, 0, -1)))
		p.Pace = paceOf(c, pace, running)
	}
	p.Fresh = append([]homeview.Fresh{row}, p.Fresh...)
	return nil
}

func paceOf(c *Ctx, pace *expenditure.Pace, running cycle.Cycle) *homeview.Pace {
	last := func(until time.Time) string { return until.In(cycle.Zone).AddDate(0, 0, -1).Format("01-02") }
	first := func(at cycle.Cycle) string { return at.Start(cycle.Zone).Format("01-02") }
	span := first(running.Prev()) + " – " + last(pace.Before)
	out := &homeview.Pace{Period: first(running) + " – " + last(pace.Until), Open: c.withQuery("/expenditure", "cycle", string(running))}
	for _, r := range pace.Rows {
		now, same, past := exactMoney(r.Now, r.Currency), exactMoney(r.Same, r.Currency), exactMoney(r.Past, r.Currency)
		now.Href = c.withQuery("/expenditure", "cycle", string(running), "currency", r.Currency)
		row := homeview.PaceRow{Now: now, Change: signed(r.Now.Sub(r.Same), r.Currency), Percent: growth(r.Now, r.Same)}
		for _, bar := range []struct {
			name, text string
			value      money.Exact
		}{{c.T("ops.home.pace.bar_now"), now.Text, r.Now}, {c.T("ops.home.pace.bar_same", "Period", span), same.Text, r.Same},
			{c.T("ops.home.pace.bar_past", "Cycle", string(running.Prev())), past.Text, r.Past}} {
			row.Bars = append(row.Bars, homeview.PaceBar{Name: bar.name, Text: bar.text, Share: part.Share{Width: widthOf(bar.value, r.Now, r.Same, r.Past)}})
		}
		out.Rows = append(out.Rows, row)
	}
	return out
}

// growth is the change in per cent; "" against nothing.
func growth(now, then money.Exact) string {
	diff, err := now.Sub(then).Amount()
	base, err2 := then.Amount()
	if err != nil || err2 != nil || base <= 0 {
		return ""
	}
	if diff > 0 {
		return "+" + i18n.Percent(diff, base)
	}
	return i18n.Percent(diff, base)
}

// widthOf is how long a bar is, in per cent of the longest.
func widthOf(x money.Exact, all ...money.Exact) int {
	most := slices.MaxFunc(all, money.Exact.Cmp)
	if most.Sign() <= 0 || x.Sign() <= 0 {
		return 0
	}
	return int(x.Decimal().Div(most.Decimal()).InexactFloat64() * 100)
}

// billFreshness says of every vendor which bill is final and when the next one comes.
func billFreshness(c *Ctx, known []monthclose.Known, names map[string]string, now time.Time, p *homeview.Home) {
	newest := map[string]monthclose.Known{}
	var vendors []monthclose.Known
	for _, k := range known { // newest first
		if _, ok := newest[k.VendorID]; !ok && names[k.VendorID] != "" && k.State.Stage() == monthclose.StageFinal {
			newest[k.VendorID] = k
			vendors = append(vendors, k)
		}
	}
	sorted.By(vendors, func(a, b monthclose.Known) int { return cmp.Compare(a.Vendor, b.Vendor) })
	for _, k := range vendors {
		next := k.Cycle.Next()
		key := "ops.home.fresh.bill_by"
		if now.After(next.BillReady()) {
			key = "ops.home.fresh.bill_late"
		}
		p.Fresh = append(p.Fresh, homeview.Fresh{Data: c.T("ops.home.fresh.bill", "Vendor", names[k.VendorID]), Reached: c.T("ops.home.fresh.final", "Cycle", string(k.Cycle)),
			Next: c.T(key, "Cycle", string(next), "At", i18n.Moment(c.ctx(), next.BillReady()))})
	}
}

// deliveredHome says what each source delivered last, and lists the newest deliveries as changes.
func (h *Handlers) deliveredHome(c *Ctx, p *homeview.Home) error {
	list, err := h.Sources.List(c.ctx(), c.Scope)
	if err != nil {
		return err
	}
	type change struct {
		at  time.Time
		row homeview.Change
	}
	var changes []change
	for i := range list {
		newest, err := h.Deliveries.List(c.ctx(), c.Scope, list[i].Name, homeChanges)
		if err != nil {
			return err
		}
		row := homeview.Fresh{Data: list[i].Name, Reached: i18n.Nothing, Next: c.T("ops.home.fresh.nothing")}
		for j := range newest {
			d := &newest[j]
			changes = append(changes, change{d.ReceivedAt, homeview.Change{Text: c.T("ops.home.delivered", "Delivery", deliveryName(d), "State", c.T("delivery.state."+string(d.State))),
				Href: c.deliveryLink(d, ""), When: i18n.Moment(c.ctx(), d.ReceivedAt), Note: c.T("ops.home.delivered_lines", "Count", d.LineCount, "Who", d.Actor)}})
		}
		if len(newest) > 0 {
			row.Reached, row.Next = deliveryName(&newest[0]), i18n.Moment(c.ctx(), newest[0].ReceivedAt)
		}
		p.Fresh = append(p.Fresh, row)
	}
	sorted.By(changes, func(a, b change) int { return b.at.Compare(a.at) })
	for _, x := range changes[:min(len(changes), homeChanges)] {
		p.Changes = append(p.Changes, x.row)
	}
	p.Sources, p.AllChanges = true, c.at("/deliveries")
	return nil
}
