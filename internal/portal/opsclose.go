package portal

import (
	"context"
	"net/http"
	"strconv"
	"strings"
	"time"

	"huoban/internal/cycle"
	"huoban/internal/delivery"
	"huoban/internal/fault"
	"huoban/internal/i18n"
	"huoban/internal/monthclose"
	"huoban/internal/scope"
	"huoban/internal/sorted"
	"huoban/internal/usage"
	"huoban/web/templates/opsview"
	"huoban/web/templates/part"
)

var closeTone = map[monthclose.State]part.Tone{monthclose.StateOpen: part.Brand, monthclose.StateFrozen: part.Warn, monthclose.StateDraft: part.Warn,
	monthclose.StateReviewed: part.Brand, monthclose.StateIssued: part.Good}

func closeStatus(c *Ctx, id string, s monthclose.State, cy cycle.Cycle) part.Status {
	return part.Status{ID: id, Text: c.T("close.state." + string(s)), Tone: closeTone[s], Meaning: c.T("ops.close.meaning." + string(s)),
		Next: c.T("ops.close.next." + string(s)), Due: i18n.DateTime(cy.BillReady())}
}

// closeActions are the routes of the close's moves; paths and permissions come from its table.
func closeActions() []Route {
	var out []Route
	for i := range monthclose.Flow.Rows {
		r := &monthclose.Flow.Rows[i]
		out = append(out, Route{Method: post, Path: "/o/:org/closes/:cycle/" + r.Noun, Name: "closes." + r.Noun, Sides: vendors, Items: r.Who,
			Do: func(h *Handlers, c *Ctx) error { return h.closeAct(c, r.Do) }}.moves(monthclose.Flow, string(r.Do)))
	}
	return out
}

// closes lists the vendor's cycles, the newest first.
func (h *Handlers) closes(c *Ctx) error {
	title := c.T("ops.closes.title")
	p := opsview.Board{Header: part.Header{Title: title, Crumbs: c.crumbs(part.Link{Text: title})}, Flash: c.done()}
	if _, err := h.board(c, &p, "closes"); err != nil {
		return err
	}
	if c.Scope.Has(scope.ItemDeliveryImport) {
		p.Grids[0].Empty.Button = &part.Link{Text: c.T("ops.upload.title"), Href: c.at("/deliveries/new")}
	}
	return c.page(http.StatusOK, p.Page())
}

// closeNote says what keeps a cycle from its bills.
func (h *Handlers) closeNote(c *Ctx, k monthclose.Known, now time.Time) (string, error) {
	if k.State == monthclose.StateIssued {
		return "", nil
	}
	st, err := h.Closes.Status(c.ctx(), c.Scope, k.VendorID, k.Cycle)
	if err != nil {
		return "", err
	}
	note := c.T("ops.close.ready")
	if n := len(monthclose.Blockers(st.Checks)); n > 0 {
		note = c.T("ops.close.blockers", "Count", n)
	}
	if monthclose.DeadlineAt(k.Cycle, k.State, now).Overdue {
		note = c.T("ops.close.overdue") + c.T("portal.list.comma") + note
	}
	return note, nil
}

// closeSums are the amounts due of kept bills that the vendor sells itself.
func (h *Handlers) closeSums(c *Ctx, k monthclose.Known) (sums, error) {
	if k.State.Stage() == monthclose.StageEstimate || !c.Scope.Has(scope.ItemBillView) {
		return nil, nil
	}
	docs, err := h.Closes.Estimate(c.ctx(), c.Scope, k.VendorID, k.Cycle)
	var out sums
	for i := range docs {
		if docs[i].Seller.ID == k.VendorID {
			out = out.add(sum{docs[i].Currency, docs[i].Due.Exact()})
		}
	}
	return out, err
}

func (h *Handlers) closePage(c *Ctx) error { return h.closeShow(c, http.StatusOK, nil) }

// closeCycle reads the cycle of the address; anything else is an absent page.
func (c *Ctx) closeCycle() (cycle.Cycle, error) {
	cy, err := cycle.Parse(c.Param("cycle"))
	if err != nil {
		return "", notFound()
	}
	return cy, nil
}

// closeShow is the close of one cycle; after a refused action with its reasons above and the override
// reason kept. check=full computes everything, as the close would.
func (h *Handlers) closeShow(c *Ctx, status int, refused *fault.Error) error {
	cy, err := c.closeCycle()
	if err != nil {
		return err
	}
	here := "/closes/" + string(cy)
	ex, flash, err := h.closeStatus(c, cy)
	if err != nil {
		return err
	}
	title := c.T("ops.close.name", "Cycle", string(cy))
	state := closeStatus(c, "close", ex.Close.State, cy)
	p := opsview.Close{Header: part.Header{Title: title, Status: &state, Fresh: closeFresh(c, ex.Deadline, h.Clock.Now()),
		Crumbs: c.crumbs(part.Link{Text: c.T("ops.closes.title"), Href: c.at("/closes")}, part.Link{Text: string(cy)})},
		Flash: c.done(), Steps: closeSteps(c, ex.Close), Checks: checksOf(c, ex.Checks, cy), Tags: checkTags(c, ex.Checks)}
	if flash != nil {
		p.Flash = flash
	}
	c.ruled(&p.Header, &p.Rules)
	p.Refusal, p.Conflict = lost(c, refused, c.at(here))
	if ex.Close.State != monthclose.StateIssued {
		p.Again = c.withQuery(here, "check", "full")
	}
	p.Buttons = closeButtons(c, &ex.Status, here)
	if len(monthclose.Blockers(ex.Checks)) > 0 {
		p.Override = c.T("ops.close.override")
	}
	if ex.Close.OverrideNote != "" {
		p.Override = c.T("ops.close.overridden", "Reason", ex.Close.OverrideNote, "By", ex.Close.OverrideBy)
	}
	if p.Sources, err = h.closeSources(c, cy); err != nil {
		return err
	}
	if c.Scope.Has(scope.ItemBillView) && len(ex.Documents) > 0 {
		g, err := h.gridOf(c, lists["closes.bills"], closeBillSheet(c, ex.Documents))
		if err != nil {
			return err
		}
		g.Title, g.Note = c.T("opsview.close.drafts"), c.T("opsview.close.drafts_note")
		p.Bills = &g
	}
	if p.Events, err = h.closeEvents(c, &ex.Status); err != nil {
		return err
	}
	return c.page(status, p.Page())
}

// closeStatus reads where the close stands. The bills of a draft or an issued cycle are kept; those of an
// open one are computed only when asked for.
func (h *Handlers) closeStatus(c *Ctx, cy cycle.Cycle) (monthclose.Explanation, *part.Flash, error) {
	ctx := c.ctx()
	if c.QueryParam("check") == "full" {
		ex, err := h.Closes.Explain(ctx, c.Scope, c.Org.ID, cy)
		if err == nil {
			return ex, nil, nil
		}
		flash, err := flashFault(c, err)
		if err != nil {
			return ex, nil, err
		}
		ex.Status, err = h.Closes.Status(ctx, c.Scope, c.Org.ID, cy)
		return ex, flash, err
	}
	st, err := h.Closes.Status(ctx, c.Scope, c.Org.ID, cy)
	ex := monthclose.Explanation{Status: st}
	if err != nil || st.Stage == monthclose.StageEstimate {
		return ex, nil, err
	}
	ex.Documents, err = h.Closes.Estimate(ctx, c.Scope, c.Org.ID, cy)
	return ex, nil, err
}

func closeFresh(c *Ctx, d monthclose.Deadline, now time.Time) string {
	switch left := d.ReadyBy.Sub(now); {
	case d.Overdue:
		return c.T("ops.close.overdue")
	case left > 0:
		return c.T("ops.close.left", "Days", int64(left/(24*time.Hour)), "Hours", int64(left%(24*time.Hour)/time.Hour))
	}
	return ""
}

func closeSteps(c *Ctx, cl monthclose.Close) []part.Step {
	now := stateRank[cl.State]
	var out []part.Step
	for _, s := range []struct {
		state monthclose.State
		at    time.Time
	}{{monthclose.StateOpen, time.Time{}}, {monthclose.StateFrozen, cl.FrozenAt}, {monthclose.StateDraft, cl.DraftedAt},
		{monthclose.StateReviewed, cl.ReviewedAt}, {monthclose.StateIssued, cl.IssuedAt}} {
		step := part.Step{Text: c.T("close.state." + string(s.state)), Note: c.T("ops.close.step." + string(s.state))}
		if !s.at.IsZero() {
			step.Note = i18n.DateTime(s.at)
		}
		switch rank := stateRank[s.state]; {
		case rank < now || rank == now && s.state == monthclose.StateIssued:
			step.State = part.StepDone
		case rank == now:
			step.State = part.StepNow
		}
		out = append(out, step)
	}
	return out
}

var severityTone = map[monthclose.Severity]part.Tone{monthclose.SeverityBlocker: part.Bad, monthclose.SeverityWarning: part.Warn, monthclose.SeverityPassed: part.Good}

// checksOf puts blockers first, then warnings, then what passed.
func checksOf(c *Ctx, checks []monthclose.Check, cy cycle.Cycle) []part.Check {
	var out []part.Check
	for _, severity := range []monthclose.Severity{monthclose.SeverityBlocker, monthclose.SeverityWarning, monthclose.SeverityPassed} {
		for i := range checks {
			if checks[i].Severity == severity {
				out = append(out, checkOf(c, &checks[i], cy))
			}
		}
	}
	return out
}

func checkOf(c *Ctx, k *monthclose.Check, cy cycle.Cycle) part.Check {
	f := k.Fault()
	out := part.Check{Tone: severityTone[k.Severity], Title: i18n.FaultText(c.ctx(), f)}
	if k.Severity == monthclose.SeverityPassed {
		return out
	}
	out.Text = i18n.FaultCure(c.ctx(), f)
	if !strings.Contains(out.Text, k.Command) {
		out.Command = k.Command
	}
	if len(k.Rows) > 1 { // the sentence names the first
		var rows []string
		for _, r := range k.Rows {
			rows = append(rows, r.File+":"+strconv.FormatInt(r.Line, 10)+" "+i18n.ExactMoney(r.Billed, r.Currency))
		}
		out.Text += c.T("ops.check.rows", "Rows", join(rows, c.T("portal.list.comma")))
	}
	src, _ := k.Args["Source"].(string)
	switch k.Code {
	case "monthclose.rows_quarantined":
		if c.Scope.Has(scope.ItemDeliveryView) {
			out.Cure = &part.Link{Text: c.T("ops.check.handle"), Href: c.withQuery("/deliveries", "source", src)}
		}
	case "monthclose.source_missing", "monthclose.source_not_final":
		if c.Scope.Has(scope.ItemDeliveryImport) {
			out.Cure = &part.Link{Text: c.T("ops.upload.title"), Href: c.withQuery("/deliveries/new", "source", src, "final", string(cy))}
		}
	case "monthclose.rows_unmapped", "monthclose.rows_without_key", "monthclose.more_unmapped", "monthclose.rows_unspread":
		if c.Scope.Has(scope.ItemMapChange) {
			out.Cure = &part.Link{Text: c.T("ops.check.map"), Href: c.at("/mapping/new")}
		}
	case "monthclose.adjustment_undecided":
		if c.Scope.Has(scope.ItemAdjustmentView) {
			out.Cure = &part.Link{Text: c.T("ops.check.handle"), Href: c.withQuery("/adjustments", "state", "proposed")}
		}
	case "monthclose.earlier_open":
		earlier, _ := k.Args["Cycle"].(string)
		out.Cure = &part.Link{Text: c.T("ops.check.open"), Href: c.at("/closes/" + earlier)}
	}
	return out
}

func checkTags(c *Ctx, checks []monthclose.Check) []part.Tag {
	n := map[monthclose.Severity]int{}
	for i := range checks {
		n[checks[i].Severity]++
	}
	var out []part.Tag
	for _, x := range []struct {
		severity monthclose.Severity
		key      string
	}{{monthclose.SeverityBlocker, "ops.close.blockers"}, {monthclose.SeverityWarning, "ops.close.warnings"}, {monthclose.SeverityPassed, "ops.close.passed"}} {
		if n[x.severity] > 0 {
			out = append(out, part.Tag{Text: c.T(x.key, "Count", n[x.severity]), Tone: severityTone[x.severity]})
		}
	}
	return out
}

// closeButtons are the moves of the table. Where only blockers that may be overridden stand in the way,
// whoever has the permission is asked for the reason instead of being refused.
func closeButtons(c *Ctx, st *monthclose.Status, here string) []part.Button {
	var out []part.Button
	for _, b := range st.Actions {
		asks := !b.Enabled && len(b.Inputs) > 0 && b.Refusal.Code == "monthclose.not_ready"
		if asks {
			b.Enabled = true
		}
		button := actionButton(c, b, c.at(here+"/"+b.Noun), string(st.Close.Cycle), st.Close.Version)
		if asks {
			button.Hint = c.T("ops.close.override_hint")
		}
		button.Primary = b.Action != string(monthclose.ActionThaw) && b.Action != string(monthclose.ActionDiscard)
		if !b.Enabled && b.Refusal.Code == "monthclose.not_ready" {
			button.Cure = &part.Link{Text: c.T("ops.close.see_checks"), Href: "#checks"}
		}
		out = append(out, button)
	}
	return out
}

// closeSources are the sources that owe the cycle a delivery or gave one.
func (h *Handlers) closeSources(c *Ctx, cy cycle.Cycle) ([]opsview.Source, error) {
	ctx := c.ctx()
	if !c.Scope.Has(scope.ItemSourceView) || !c.Scope.Has(scope.ItemDeliveryView) {
		return nil, nil
	}
	list, err := h.Sources.List(ctx, c.Scope)
	if err != nil {
		return nil, err
	}
	var out []opsview.Source
	for i := range list {
		s := &list[i]
		periods, err := h.Deliveries.Store.Periods(ctx, c.Scope, s.ID, cy)
		if err != nil {
			return nil, err
		}
		if len(periods) == 0 && !s.Expects(cy) {
			continue
		}
		row := opsview.Source{Name: s.Name, Format: formatOf(s.Dialect, ""), Delivery: i18n.Nothing, State: part.Status{Text: c.T("ops.source.missing"), Tone: part.Bad}}
		d, err := h.newest(ctx, c.Scope, s.ID, cy)
		if err != nil {
			return nil, err
		}
		if d != nil {
			row.Delivery, row.Href, row.Format = deliveryName(d), c.deliveryLink(d, ""), formatOf(d.Dialect, d.Format)
			row.State = part.Status{Text: c.T("ops.source.delivered"), Tone: part.Warn}
			if len(periods) > 0 && periods[0].Final {
				row.State = part.Status{Text: c.T("ops.source.final"), Tone: part.Good}
			}
		}
		out = append(out, row)
	}
	return out, nil
}

// newest is the delivery whose lines of the cycle count, the last one where several do.
func (h *Handlers) newest(ctx context.Context, sc scope.Scope, sourceID string, cy cycle.Cycle) (*delivery.Delivery, error) {
	slots, err := h.Deliveries.Store.SlotsOfSource(ctx, sourceID, cy)
	if err != nil {
		return nil, err
	}
	var last *delivery.Delivery
	for _, slot := range slots {
		if slot.State != usage.SlotActive {
			continue
		}
		d, err := h.Deliveries.Find(ctx, sc, slot.DeliveryID)
		if err != nil {
			return nil, err
		}
		if last == nil || d.Number > last.Number {
			last = &d
		}
	}
	return last, nil
}

// closeEvents are the moves, and the steps that failed, the newest first.
func (h *Handlers) closeEvents(c *Ctx, st *monthclose.Status) ([]part.Event, error) {
	changes, err := h.Closes.Log.History(c.ctx(), monthclose.Flow.Machine, st.Close.Key())
	if err != nil {
		return nil, err
	}
	events := history(c, monthclose.Flow.Machine, changes)
	for _, s := range st.Steps {
		if s.State == monthclose.StepFailed {
			events = append(events, part.Event{Text: c.T("ops.close.failed", "Action", c.T("close.action."+s.Step)), When: i18n.DateTime(s.DoneAt),
				Note: i18n.FaultText(c.ctx(), fault.Conflict(s.Detail, nil)), Tone: part.Bad})
		}
	}
	sorted.By(events, func(a, b part.Event) int { return strings.Compare(b.When, a.When) })
	return events, nil
}

// closeAct takes one step of the close.
func (h *Handlers) closeAct(c *Ctx, do monthclose.Action) error {
	err := h.onceApart(c, func(ctx context.Context) (answer, error) {
		cy, err := c.closeCycle()
		if err != nil {
			return answer{}, err
		}
		act := monthclose.Act{VendorID: c.Org.ID, Cycle: cy, Do: do, Override: c.in("override"), Reason: c.in("reason")}
		if err := h.Closes.Do(ctx, c.Scope, act); err != nil {
			return answer{}, err
		}
		st, err := h.Closes.Status(ctx, c.Scope, c.Org.ID, cy)
		to := c.withQuery("/closes/"+string(cy), "done", "close_"+string(do))
		return answer{Location: to, Body: map[string]any{"location": to, "cycle": string(cy), "state": string(st.Close.State)}}, err
	})
	if err == nil {
		return nil
	}
	return c.refuse(err, func(status int, f *fault.Error) error { return h.closeShow(c, status, f) })
}
