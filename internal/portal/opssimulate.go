package portal

import (
	"net/http"
	"time"

	"huoban/internal/cycle"
	"huoban/internal/fault"
	"huoban/internal/i18n"
	"huoban/internal/monthclose"
	"huoban/internal/price"
	"huoban/internal/scope"
	"huoban/web/templates/opsview"
	"huoban/web/templates/part"
)

func (h *Handlers) simulation(c *Ctx) error { return h.simulationPage(c, http.StatusOK, nil) }

// simulationPage shows the drafts and, bill by bill, what they would make of a cycle.
func (h *Handlers) simulationPage(c *Ctx, status int, refused *fault.Error) error {
	ctx := c.ctx()
	known, err := h.knownCycles(c)
	if err != nil {
		return err
	}
	at, err := h.simulated(c, known)
	if err != nil {
		return err
	}
	var drafts []price.Rule
	if c.Scope.Has(scope.ItemPriceView) {
		if drafts, err = h.Prices.Drafts(ctx, c.Scope, c.Org.ID); err != nil {
			return err
		}
	}
	title := c.T("backoffice.simulation.title")
	p := opsview.Board{Header: part.Header{Title: title, Crumbs: c.crumbs(part.Link{Text: c.T("backoffice.prices.title"), Href: c.at("/prices")}, part.Link{Text: title}),
		Cycle: h.simulationPicker(c, at, known)}, Flash: c.done(), Notes: []string{c.T("backoffice.simulation.note")}, Refusal: refusalOf(c, refused)}
	if c.Scope.Has(scope.ItemPriceView) {
		g, err := h.titled(c, "prices.drafts", "drafts", c.T("backoffice.simulation.drafts"))
		if err != nil {
			return err
		}
		if c.Scope.Has(scope.ItemPriceChange) {
			g.Empty.Button = &part.Link{Text: c.T("backoffice.prices.import"), Href: c.at("/prices/new")}
			p.Buttons = draftButtons(c, len(drafts))
		}
		p.Grids = []opsview.Grid{g}
	}
	if len(drafts) == 0 {
		return c.page(status, p.Page())
	}
	g, err := h.titled(c, "prices.simulation", "bills", c.T("backoffice.simulation.bills", "Cycle", string(at)))
	switch {
	case err == nil:
		p.Grids = append([]opsview.Grid{g}, p.Grids...)
	default:
		if p.Flash, err = flashFault(c, err); err != nil {
			return err
		}
	}
	return c.page(status, p.Page())
}

func draftButtons(c *Ctx, drafts int) []part.Button {
	if drafts == 0 {
		return nil
	}
	ask := func(key string) *part.Dialog {
		return &part.Dialog{Title: c.T("backoffice.simulation."+key+"_ask", "Count", int64(drafts)), Points: []string{c.T("backoffice.simulation." + key + "_hint")},
			Confirm: c.T("backoffice.simulation." + key)}
	}
	return []part.Button{
		{ID: "do-activate", Text: c.T("backoffice.simulation.activate"), Primary: true, Action: c.at("/prices/drafts/activation"), Hidden: fresh(),
			Hint: c.T("backoffice.simulation.activate_hint"), Dialog: ask("activate")},
		{ID: "do-discard", Text: c.T("backoffice.simulation.discard"), Danger: true, Action: c.at("/prices/drafts/discarding"), Hidden: fresh(),
			Hint: c.T("backoffice.simulation.discard_hint"), Dialog: ask("discard")},
	}
}

// simulated is the cycle of the address, or the newest with lines.
func (h *Handlers) simulated(c *Ctx, known []monthclose.Known) (cycle.Cycle, error) {
	if text := c.QueryParam("cycle"); text != "" {
		at, err := cycle.Parse(text)
		if err != nil {
			return "", notFound()
		}
		return at, nil
	}
	var newest cycle.Cycle
	for _, k := range known {
		newest = max(newest, k.Cycle)
	}
	if newest == "" {
		newest = cycle.Of(h.Clock.Now(), cycle.Zone)
	}
	return newest, nil
}

// simulationPicker is the choice of cycle; months with lines tell their state.
func (h *Handlers) simulationPicker(c *Ctx, at cycle.Cycle, known []monthclose.Known) *part.CyclePicker {
	open := func(to cycle.Cycle) string { return c.withQuery("/prices/simulation", "cycle", string(to)) }
	states := map[cycle.Cycle]string{}
	for _, k := range known {
		states[k.Cycle] = c.T("close.state." + string(k.State))
	}
	now := cycle.Of(h.Clock.Now(), cycle.Zone)
	p := &part.CyclePicker{Current: string(at), Note: c.T("backoffice.simulation.cycle_note"), This: open(now), Last: open(now.Prev()), Prev: open(at.Prev()),
		Year: string(at)[:4], PrevYear: open(at.Add(-12)), State: part.Tag{Text: states[at]}}
	if states[at] == "" {
		p.State.Text = c.T("backoffice.simulation.no_lines")
	}
	if at < now {
		p.Next = open(at.Next())
	}
	if at.Add(12) <= now {
		p.NextYear = open(at.Add(12))
	}
	for m := time.January; m <= time.December; m++ {
		one := cycle.Cycle(p.Year + "-" + twoDigits(int(m)))
		month := part.CycleMonth{Name: i18n.MonthName(c.ctx(), m), Current: one == at, State: states[one]}
		if one <= now || month.State != "" {
			month.Href = open(one)
		}
		p.Months = append(p.Months, month)
	}
	return p
}
