package portal

import (
	"net/http"
	"slices"
	"strconv"

	"huoban/internal/conformance"
	"huoban/internal/delivery"
	"huoban/web/templates/opsview"
	"huoban/web/templates/part"
)

var verdictTone = map[conformance.Verdict]part.Tone{conformance.VerdictPassed: part.Good, conformance.VerdictFailed: part.Bad,
	conformance.VerdictNotCheckable: part.Grey, conformance.VerdictNotApplicable: part.Grey}

var verdicts = []conformance.Verdict{conformance.VerdictFailed, conformance.VerdictPassed, conformance.VerdictNotCheckable, conformance.VerdictNotApplicable}

// deliveryRules lists every rule of the FOCUS report once, narrowed by outcome, level and column.
func (h *Handlers) deliveryRules(c *Ctx) error {
	d, err := h.Deliveries.Find(c.ctx(), c.Scope, c.deliveryRef())
	if err != nil {
		return err
	}
	list, err := h.Deliveries.Conformance(c.ctx(), c.Scope, d.ID)
	if err != nil {
		return err
	}
	outcome, level, column := c.QueryParam("outcome"), c.QueryParam("level"), c.QueryParam("column")
	title := c.T("ops.rules.title")
	p := opsview.Board{Header: part.Header{Title: title, Tags: []part.Tag{{Text: formatOf(d.Dialect, d.Format)}},
		Crumbs: c.crumbs(part.Link{Text: c.T("ops.deliveries.title"), Href: c.at("/deliveries")}, part.Link{Text: deliveryName(&d), Href: c.deliveryLink(&d, "")}, part.Link{Text: title})}}
	p.Filter = rulesFilter(c, list, c.deliveryLink(&d, "/rules"), outcome, level, column)
	if _, err := h.board(c, &p, "delivery.rules"); err != nil {
		return err
	}
	return c.page(http.StatusOK, p.Page())
}

func placeOf(files []delivery.File, no int, line int64) string {
	i := slices.IndexFunc(files, func(f delivery.File) bool { return f.No == no })
	if i < 0 {
		return strconv.FormatInt(line, 10)
	}
	return files[i].Name + ":" + strconv.FormatInt(line, 10)
}

func rulesFilter(c *Ctx, list []conformance.Result, action, outcome, level, column string) *part.Filter {
	any := part.Option{Label: c.T("ops.filter.any")}
	outcomes := part.FilterField{Name: "outcome", Label: c.T("opsview.conform.outcome"), Value: outcome, Options: []part.Option{any}}
	for _, v := range verdicts {
		outcomes.Options = append(outcomes.Options, part.Option{Value: string(v), Label: c.T("ops.verdict." + string(v))})
	}
	seen := map[string]map[string]bool{"level": {}, "column": {}}
	for i := range list {
		seen["level"][list[i].Level], seen["column"][list[i].Column] = true, true
	}
	choice := func(name, label, value string) part.FilterField {
		f := part.FilterField{Name: name, Label: label, Value: value, Options: []part.Option{any}}
		for _, v := range sortedNames(seen[name]) {
			if v != "" {
				f.Options = append(f.Options, part.Option{Value: v, Label: v})
			}
		}
		return f
	}
	return &part.Filter{Action: action, Reset: action, Fields: []part.FilterField{outcomes,
		choice("level", c.T("opsview.conform.level"), level), choice("column", c.T("ops.rules.column"), column)}}
}

// deliveryChanges pages through the rows of one cycle that differ from what the delivery replaced.
func (h *Handlers) deliveryChanges(c *Ctx) error {
	d, err := h.Deliveries.Find(c.ctx(), c.Scope, c.deliveryRef())
	if err != nil {
		return err
	}
	slots, err := h.Deliveries.Slots(c.ctx(), c.Scope, d.ID)
	if err != nil {
		return err
	}
	title := c.T("ops.changes.title")
	p := opsview.Board{Header: part.Header{Title: title, Tags: []part.Tag{{Text: deliveryName(&d)}},
		Crumbs: c.crumbs(part.Link{Text: c.T("ops.deliveries.title"), Href: c.at("/deliveries")}, part.Link{Text: deliveryName(&d), Href: c.deliveryLink(&d, "")}, part.Link{Text: title})}}
	chosen := chosenSlot(c, slots)
	if len(slots) > 1 {
		for _, s := range slots {
			p.Tabs = append(p.Tabs, part.Tab{Text: string(s.Cycle), Href: c.withQuery("/deliveries/"+d.ID+"/changes", "slot", strconv.FormatInt(s.ID, 10)), Current: s.ID == chosen})
		}
	}
	if _, err := h.board(c, &p, "delivery.changes"); err != nil {
		return err
	}
	return c.page(http.StatusOK, p.Page())
}

var diffTone = map[delivery.DiffKind]part.Tone{delivery.DiffAdded: part.Good, delivery.DiffRemoved: part.Bad, delivery.DiffChanged: part.Warn}
