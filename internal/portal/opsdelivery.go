package portal

import (
	"context"
	"net/http"
	"slices"
	"strconv"
	"strings"

	"huoban/internal/conformance"
	"huoban/internal/cycle"
	"huoban/internal/delivery"
	"huoban/internal/fault"
	"huoban/internal/flow"
	"huoban/internal/i18n"
	"huoban/internal/money"
	"huoban/internal/scope"
	"huoban/internal/sorted"
	"huoban/internal/source"
	"huoban/internal/usage"
	"huoban/web/templates/opsview"
	"huoban/web/templates/part"
)

const (
	quarantineShown = 20
	rulesShown      = 5
)

var deliveryTone = map[delivery.State]part.Tone{delivery.StateReceiving: part.Run, delivery.StatePublished: part.Good,
	delivery.StateSuperseded: part.Grey, delivery.StateReverted: part.Bad}

func deliveryStatus(c *Ctx, d *delivery.Delivery) part.Status {
	return part.Status{ID: "d-" + d.ID, Text: c.T("delivery.state." + string(d.State)), Tone: deliveryTone[d.State],
		Meaning: c.T("ops.delivery.meaning." + string(d.State)), Next: c.T("ops.delivery.next." + string(d.State))}
}

// deliveryName is how a delivery is spoken of, here and in commands: source and number.
func deliveryName(d *delivery.Delivery) string {
	return d.Source + "/" + strconv.FormatInt(d.Number, 10)
}

func (c *Ctx) deliveryLink(d *delivery.Delivery, page string) string {
	return c.at("/deliveries/" + d.ID + page)
}

// deliveryRef is the delivery of the address: its id, or "source~number", because a slash would end
// the path's part.
func (c *Ctx) deliveryRef() string { return strings.Replace(c.Param("id"), "~", "/", 1) }

// formatOf names a dialect and the version found.
func formatOf(dialect, version string) string { return strings.TrimSpace(dialect + " " + version) }

// deliveries lists what was delivered, of one source if the address names it.
func (h *Handlers) deliveries(c *Ctx) error {
	name := c.QueryParam("source")
	title := c.T("ops.deliveries.title")
	p := opsview.Board{Header: part.Header{Title: title, Crumbs: c.crumbs(part.Link{Text: title})}, Flash: c.done()}
	var err error
	if p.Filter, err = h.sourceFilter(c, name); err != nil {
		return err
	}
	if c.Scope.Has(scope.ItemDeliveryImport) {
		p.Header.Buttons = []part.Link{{Text: c.T("ops.upload.title"), Href: c.withQuery("/deliveries/new", "source", name)}}
	}
	if _, err := h.board(c, &p, "deliveries"); err != nil {
		return err
	}
	if len(p.Header.Buttons) > 0 {
		p.Grids[0].Empty.Button = &p.Header.Buttons[0]
	}
	return c.page(http.StatusOK, p.Page())
}

// sourceFilter offers the sources in scope; whoever may not see them gets no filter.
func (h *Handlers) sourceFilter(c *Ctx, chosen string) (*part.Filter, error) {
	f := &part.Filter{Action: c.at("/deliveries"), Reset: c.at("/deliveries")}
	if !c.Scope.Has(scope.ItemSourceView) {
		return f, nil
	}
	list, err := h.Sources.List(c.ctx(), c.Scope)
	field := part.FilterField{Name: "source", Label: c.T("opsview.col.source"), Value: chosen, Options: []part.Option{{Label: c.T("ops.filter.any")}}}
	for i := range list {
		field.Options = append(field.Options, part.Option{Value: list[i].Name, Label: list[i].Name})
	}
	f.Fields = []part.FilterField{field}
	return f, err
}

func sortedNames[V any](m map[string]V) []string {
	out := make([]string, 0, len(m))
	for k := range m {
		out = append(out, k)
	}
	slices.Sort(out)
	return out
}

func (h *Handlers) delivery(c *Ctx) error { return h.deliveryPage(c, http.StatusOK, nil) }

// deliveryPage shows a delivery, after a refused action with its reasons above.
func (h *Handlers) deliveryPage(c *Ctx, status int, refused *fault.Error) error {
	d, err := h.Deliveries.Show(c.ctx(), c.Scope, c.deliveryRef())
	if err != nil {
		return err
	}
	src, err := h.Sources.ByID(c.ctx(), c.Scope, d.SourceID)
	if err != nil {
		return err
	}
	p := opsview.Show{Header: deliveryHeader(c, &d.Delivery, &src), Flash: c.done(), Steps: deliverySteps(c, &d), Files: deliveryFiles(c, &d)}
	p.Refusal, p.Conflict = lost(c, refused, c.deliveryLink(&d.Delivery, ""))
	p.Residues = residuesOf(c, d.Residues)
	c.ruled(&p.Header, &p.Rules)
	if p.Warnings, err = h.warnings(c, &d); err != nil {
		return err
	}
	slots, err := h.Deliveries.Slots(c.ctx(), c.Scope, d.ID)
	if err != nil {
		return err
	}
	p.Diffs = diffsOf(c, &d, src.Mode, slots)
	if p.Quarantine, err = h.quarantineCard(c, &d); err != nil {
		return err
	}
	if p.Conform, err = h.conformCard(c, &d.Delivery); err != nil {
		return err
	}
	final, err := h.finals(c, &d)
	if err != nil {
		return err
	}
	p.Facts = deliveryFacts(c, &d, final)
	p.Buttons = deliveryButtons(c, &d, p.Quarantine, final)
	changes, err := h.Deliveries.Log.History(c.ctx(), delivery.Flow.Machine, d.ID)
	if err != nil {
		return err
	}
	p.Events = history(c, delivery.Flow.Machine, changes)
	return c.page(status, p.Page())
}

// warnings are those of the import; what was unmapped then and is mapped now is left out.
func (h *Handlers) warnings(c *Ctx, d *delivery.Details) ([]part.Check, error) {
	var out []part.Check
	for _, w := range d.Warnings {
		if cy, _ := w.Args["cycle"].(string); w.Code == "delivery.warning.unmapped" && cy != "" {
			still, err := h.Attribution.Unmapped(c.ctx(), d.VendorID, cycle.Cycle(cy), 1)
			if err != nil {
				return nil, err
			}
			if len(still) == 0 {
				continue
			}
		}
		out = append(out, part.Check{Tone: part.Warn, Title: c.say(w.Code, w.Args)})
	}
	return out, nil
}

func deliveryHeader(c *Ctx, d *delivery.Delivery, src *source.Source) part.Header {
	status := deliveryStatus(c, d)
	hd := part.Header{Title: c.T("ops.delivery.name", "Name", deliveryName(d)), Status: &status, Fresh: i18n.DateTime(d.ReceivedAt),
		Crumbs: c.crumbs(part.Link{Text: c.T("ops.deliveries.title"), Href: c.at("/deliveries")}, part.Link{Text: deliveryName(d)}),
		Tags:   []part.Tag{{Text: c.T("ops.mode." + string(src.Mode))}}}
	if f := formatOf(d.Dialect, d.Format); f != "" {
		hd.Tags = append([]part.Tag{{Text: f}}, hd.Tags...)
	}
	return hd
}

func deliverySteps(c *Ctx, d *delivery.Details) []part.Step {
	var size int64
	for _, f := range d.Parts {
		size += f.Bytes
	}
	read := c.T("ops.step.read_note", "Count", d.LineCount)
	if d.Quarantined > 0 {
		read = c.T("ops.step.read_bad", "Lines", d.LineCount, "Count", d.Quarantined)
	}
	steps := []part.Step{
		{Text: c.T("ops.step.received"), Note: c.T("ops.step.received_note", "Count", int64(len(d.Parts)), "Size", i18n.Bytes(size)), State: part.StepDone},
		{Text: c.T("ops.step.read"), Note: read, State: part.StepDone},
		{Text: c.T("ops.step.published"), State: part.StepDone},
	}
	switch {
	case d.State == delivery.StateReceiving:
		steps[1].State, steps[2].State = part.StepNow, part.StepAhead
	case d.PublishedAt != nil:
		steps[2].Note = i18n.DateTime(*d.PublishedAt)
	}
	if d.State == delivery.StateReverted || d.State == delivery.StateSuperseded {
		steps = append(steps, part.Step{Text: c.T("delivery.state." + string(d.State)), State: part.StepStop})
	}
	return steps
}

func deliveryFiles(c *Ctx, d *delivery.Details) []opsview.File {
	var out []opsview.File
	for _, f := range d.Parts {
		out = append(out, opsview.File{Name: f.Name, Rows: i18n.Count(f.LineCount), Bad: i18n.Nothing, Sum: f.SHA[:min(12, len(f.SHA))],
			State: part.Status{Text: c.T("ops.file.read"), Tone: part.Good}})
	}
	return out
}

// diffsOf writes each cycle and currency as before + added − removed ± changed = after.
func diffsOf(c *Ctx, d *delivery.Details, mode source.Mode, slots []usage.Slot) []opsview.Diff {
	var out []opsview.Diff
	for i := range d.Changes {
		x := &d.Changes[i]
		before := x.Total.Sub(x.AddedSum).Add(x.RemovedSum).Sub(x.ChangedDiff)
		diff := opsview.Diff{Title: string(x.Cycle) + " · " + x.Currency, Unit: "BilledCost (" + x.Currency + ")"}
		if mode == source.ModeSnapshot {
			diff.Rows = append(diff.Rows, opsview.DiffRow{Kind: part.Tag{Text: c.T("ops.diff.before")}, Count: i18n.Count(x.LineCount - x.Added + x.Removed), Sum: i18n.Exact(before)})
		}
		if x.Late {
			diff.Proof = &part.Tag{Text: c.T("ops.diff.late"), Tone: part.Warn}
		}
		for _, row := range []struct {
			kind  delivery.DiffKind
			tone  part.Tone
			count int64
			sum   money.Exact
		}{{delivery.DiffAdded, part.Good, x.Added, x.AddedSum}, {delivery.DiffRemoved, part.Bad, x.Removed, x.RemovedSum.Neg()},
			{delivery.DiffChanged, part.Warn, x.Changed, x.ChangedDiff}} {
			r := opsview.DiffRow{Kind: part.Tag{Text: c.T("ops.diff." + string(row.kind)), Tone: row.tone}, Count: i18n.Count(row.count), Sum: i18n.Exact(row.sum)}
			if at := slices.IndexFunc(slots, func(s usage.Slot) bool { return s.Cycle == x.Cycle }); row.count > 0 && at >= 0 {
				r.Link = &part.Link{Text: c.T("ops.diff.rows"), Href: c.deliveryLink(&d.Delivery, "/changes?slot="+strconv.FormatInt(slots[at].ID, 10))}
			}
			diff.Rows = append(diff.Rows, r)
		}
		diff.Total = opsview.DiffRow{Kind: part.Tag{Text: c.T("ops.diff.after")}, Count: i18n.Count(x.LineCount), Sum: i18n.Exact(x.Total),
			Note: c.T("ops.diff.stored", "Sum", i18n.Money8(x.Stored, x.Currency))}
		out = append(out, diff)
	}
	return out
}

// finals tells which cycles of the delivery are marked final, in order.
func (h *Handlers) finals(c *Ctx, d *delivery.Details) ([]delivery.Period, error) {
	var out []delivery.Period
	for i := range d.Changes {
		cy := d.Changes[i].Cycle
		if slices.ContainsFunc(out, func(p delivery.Period) bool { return p.Cycle == cy }) {
			continue
		}
		list, err := h.Deliveries.Store.Periods(c.ctx(), c.Scope, d.SourceID, cy)
		if err != nil {
			return nil, err
		}
		out = append(out, list...)
	}
	return out, nil
}

func deliveryFacts(c *Ctx, d *delivery.Details, final []delivery.Period) []part.Item {
	items := []part.Item{
		{Label: c.T("opsview.col.source"), Text: d.Source, Href: c.withQuery("/deliveries", "source", d.Source)},
		{Label: c.T("ops.fact.by"), Text: d.Actor},
		{Label: c.T("ops.fact.content"), Text: d.ContentSHA, Mono: true},
	}
	if d.Skipped > 0 {
		items = append(items, part.Item{Label: c.T("ops.fact.skipped"), Text: i18n.Count(d.Skipped)})
	}
	for _, p := range final {
		text := c.T("ops.fact.not_final")
		if p.Final && p.FinalAt != nil {
			text = c.T("ops.fact.final_by", "At", i18n.DateTime(*p.FinalAt), "By", p.FinalBy)
		}
		items = append(items, part.Item{Label: c.T("ops.fact.final", "Cycle", string(p.Cycle)), Text: text, Href: c.at("/closes/" + string(p.Cycle))})
	}
	return append(items, residueSums(c, d.Residues)...)
}

// residueSums are the residues of each cycle and currency together.
func residueSums(c *Ctx, list []delivery.Residue) []part.Item {
	sums := map[string]money.Exact{}
	for _, r := range list {
		key := string(r.Cycle) + " " + r.Currency
		sums[key] = sums[key].Add(r.Residue)
	}
	var items []part.Item
	for _, key := range sortedNames(sums) {
		items = append(items, part.Item{Label: c.T("ops.fact.residue", "Cycle", key), Text: i18n.Exact(sums[key])})
	}
	return items
}

// residuesOf are the same by customer.
func residuesOf(c *Ctx, list []delivery.Residue) []opsview.Residue {
	var out []opsview.Residue
	for _, r := range list {
		row := opsview.Residue{Cycle: string(r.Cycle), Customer: r.Customer, Amount: r.Currency + " " + i18n.Exact(r.Residue)}
		switch r.Customer {
		case usage.CustomerUnmapped:
			row.Customer = c.T("ops.customer.unmapped")
		case usage.CustomerSpread:
			row.Customer = c.T("ops.customer.spread")
		}
		out = append(out, row)
	}
	return out
}

func deliveryButtons(c *Ctx, d *delivery.Details, q *opsview.Quarantine, final []delivery.Period) []part.Button {
	var out []part.Button
	if c.Scope.Has(scope.ItemDeliveryImport) && d.State == delivery.StatePublished {
		for _, p := range final {
			if !p.Final {
				out = append(out, part.Button{ID: "final-" + string(p.Cycle), Text: c.T("ops.final.button", "Cycle", string(p.Cycle)), Action: c.deliveryLink(&d.Delivery, "/finality"),
					Hidden: append(fresh(), part.Hidden{Name: "cycle", Value: string(p.Cycle)}), Hint: c.T("ops.final.hint")})
			}
		}
	}
	if q != nil && q.Count > 0 && c.Scope.Has(scope.ItemQuarantineResolve) {
		out = append(out, part.Button{ID: "drop", Text: c.T("ops.drop.button"), Danger: true, Action: c.deliveryLink(&d.Delivery, "/quarantine/dropping"), Hidden: fresh(),
			Hint: c.T("ops.drop.hint"), Dialog: &part.Dialog{Title: c.T("ops.drop.ask", "Count", int64(q.Count), "Name", deliveryName(&d.Delivery)), Points: []string{c.T("ops.drop.point")},
				Fields: []part.Field{reasonField(c)}, Confirm: c.T("ops.drop.button")}})
	}
	for _, b := range d.Actions {
		out = append(out, actionButton(c, b, c.deliveryLink(&d.Delivery, "/"+b.Noun), deliveryName(&d.Delivery), d.Version))
	}
	return out
}

// reasonField is a required reason.
func reasonField(c *Ctx) part.Field {
	return part.Field{Name: "reason", Label: c.T("ops.reason"), Type: "textarea", Required: true, MaxLength: 500}
}

// actionButton makes the button of a machine's action; object names what it acts on, version which one of it is shown.
func actionButton(c *Ctx, b flow.Button, action, object string, version int64) part.Button {
	out := part.Button{ID: "do-" + b.Action, Text: c.T(b.Label()), Action: action, Hidden: append(fresh(), seen(version)), Off: !b.Enabled, Hint: hint(c, b.Refusal)}
	if !b.Enabled {
		return out
	}
	key := "ops.act." + b.Machine + "." + b.Action
	out.Hint = c.T(key)
	if b.Ask == flow.AskNone && len(b.Inputs) == 0 {
		return out
	}
	out.Danger = b.Ask == flow.AskReason
	out.Dialog = &part.Dialog{Title: c.T("ops.act.ask", "Action", c.T(b.Label()), "Object", object), Points: []string{c.T(key)}, Fields: c.fieldsOf(b.Inputs, action), Confirm: c.T(b.Label())}
	return out
}

// fieldsOf shows what an action asks for; what was written into a form that came to that address stands in it again.
func (c *Ctx) fieldsOf(inputs []flow.Input, action string) []part.Field {
	again := c.Request().Method == http.MethodPost && c.Request().URL.Path == action
	var out []part.Field
	for _, in := range inputs {
		f := part.Field{Name: in.Name, Label: c.T(in.Label), Required: in.Required, MaxLength: in.Max}
		if in.Help != "" {
			f.Help = c.T(in.Help)
		}
		switch in.Kind {
		case flow.FieldLines:
			f.Type = "textarea"
		case flow.FieldTick:
			f.Type, f.MaxLength = "checkbox", 0
		case flow.FieldDigits, flow.FieldAmount:
			f.Numeric = true
		case flow.FieldDate:
			f.Value = cycle.Day(c.h.Clock.Now())
		}
		if again {
			f.Value = c.FormValue(in.Name)
		}
		out = append(out, f)
	}
	return out
}

// conformCard sums up the report; a dialect that is not FOCUS has none.
func (h *Handlers) conformCard(c *Ctx, d *delivery.Delivery) (*opsview.Conform, error) {
	list, err := h.Deliveries.Conformance(c.ctx(), c.Scope, d.ID)
	if err != nil || len(list) == 0 {
		return nil, err
	}
	n := map[conformance.Verdict]int64{}
	for i := range list {
		n[list[i].Verdict]++
	}
	passed, judged := money.Amount(n[conformance.VerdictPassed]), money.Amount(n[conformance.VerdictPassed]+n[conformance.VerdictFailed])
	out := &opsview.Conform{Total: c.T("ops.rules.count", "Count", int64(len(list))), Percent: i18n.Percent(passed, judged), All: c.deliveryLink(d, "/rules"),
		Summary: c.T("ops.rules.summary", "Passed", n[conformance.VerdictPassed], "Failed", n[conformance.VerdictFailed],
			"NotCheckable", n[conformance.VerdictNotCheckable], "NotApplicable", n[conformance.VerdictNotApplicable])}
	if judged > 0 {
		out.Width = int(100 * passed / judged)
	}
	for _, r := range worst(list) {
		tone := part.Warn
		if strings.HasPrefix(r.Level, "MUST") {
			tone = part.Bad
		}
		out.Rows = append(out.Rows, opsview.Rule{ID: r.Rule, Text: r.Sentence, Level: part.Tag{Text: r.Level, Tone: tone}, Rows: i18n.Count(r.Failed)})
		if len(out.Rows) == rulesShown {
			break
		}
	}
	return out, nil
}

// worst are the failed rules: binding ones first, then those that say something themselves, then those
// that most rows break.
func worst(list []conformance.Result) []conformance.Result {
	failed := slices.DeleteFunc(slices.Clone(list), func(r conformance.Result) bool { return r.Verdict != conformance.VerdictFailed })
	sorted.By(failed, func(a, b conformance.Result) int {
		for _, first := range []func(r conformance.Result) bool{binding, concrete} {
			if x, y := first(a), first(b); x != y {
				if x {
					return -1
				}
				return 1
			}
		}
		return int(b.Failed - a.Failed)
	})
	return failed
}

func binding(r conformance.Result) bool { return strings.HasPrefix(r.Level, "MUST") }

// concrete tells a rule from one that only gathers others.
func concrete(r conformance.Result) bool {
	return !strings.HasSuffix(strings.TrimSpace(r.Sentence), ":")
}

// revertDelivery takes a delivery back whole.
func (h *Handlers) revertDelivery(c *Ctx) error {
	err := h.onceApart(c, func(ctx context.Context) (answer, error) {
		d, err := h.Deliveries.Revert(ctx, c.Scope, c.deliveryRef(), c.in("reason"))
		return answer{Location: c.deliveryLink(&d, "?done=reverted"), Body: d}, err
	})
	return c.refuseDelivery(h, err)
}

// markFinal declares a delivered period final.
func (h *Handlers) markFinal(c *Ctx) error {
	err := h.onceApart(c, func(ctx context.Context) (answer, error) {
		cy, err := cycle.Parse(c.FormValue("cycle"))
		if err != nil {
			return answer{}, err
		}
		d, err := h.Deliveries.Find(ctx, c.Scope, c.deliveryRef())
		if err != nil {
			return answer{}, err
		}
		return answer{Location: c.deliveryLink(&d, "?done=final")}, h.Deliveries.MarkFinal(ctx, c.Scope, d.Source, cy)
	})
	return c.refuseDelivery(h, err)
}

func (c *Ctx) refuseDelivery(h *Handlers, err error) error {
	if err == nil {
		return nil
	}
	return c.refuse(err, func(status int, f *fault.Error) error { return h.deliveryPage(c, status, f) })
}
