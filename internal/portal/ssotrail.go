package portal

import (
	"net/http"
	"slices"
	"strings"
	"time"

	"huoban/internal/customer"
	"huoban/internal/fault"
	"huoban/internal/i18n"
	"huoban/internal/scope"
	"huoban/web/templates/opsview"
	"huoban/web/templates/part"
)

const pathTrail = pathPartner + "/trail"

// The kinds of the trail beside those of package customer: what came by the partner's platform.
const (
	eventLink   customer.EventKind = "link"
	eventSignIn customer.EventKind = "signin"
)

var eventKinds = append(slices.Clone(customer.EventKinds), eventLink, eventSignIn)

// trailNewest is how many lines of it 我的合作伙伴 shows.
const trailNewest = 10

func trailRoute() Route {
	return Route{Method: get, Path: "/o/:org" + pathTrail, Name: "partner.trail", Title: "trail.title", Sides: []scope.Side{scope.SideCustomer},
		Items: []scope.Item{scope.ItemAssociationView}, Do: (*Handlers).trailPage}
}

// trailPage is what a partner did that concerns the customer: a list with a filter and a file.
func (h *Handlers) trailPage(c *Ctx) error {
	title := c.T("trail.title")
	kind, from, to := c.QueryParam("kind"), c.QueryParam("from"), c.QueryParam("to")
	choice := part.FilterField{Name: "kind", Label: c.T("trail.kind"), Value: kind, Options: []part.Option{{Label: c.T("ops.filter.any")}}}
	for _, k := range eventKinds {
		choice.Options = append(choice.Options, part.Option{Value: string(k), Label: c.T("trail.kind." + string(k))})
	}
	p := opsview.Board{Header: part.Header{Title: title, Crumbs: c.crumbs(part.Link{Text: c.T("ssoview.partner.title"), Href: c.at(pathPartner)}, part.Link{Text: title})},
		Filter: &part.Filter{Action: c.at(pathTrail), Reset: c.at(pathTrail), Fields: []part.FilterField{choice,
			{Name: "from", Label: c.T("backoffice.audit.from"), Value: from, Hint: "2026-10-01"}, {Name: "to", Label: c.T("backoffice.audit.to"), Value: to, Hint: "2026-10-31"}}}}
	_, err := h.board(c, &p, "partner.trail")
	if err == nil {
		return c.page(http.StatusOK, p.Page())
	}
	f := faultOf(err)
	if f.Kind != fault.KindInvalid || wantsJSON(c.Request()) {
		return err
	}
	p.Refusal = refusalOf(c, f)
	return c.page(http.StatusUnprocessableEntity, p.Page())
}

// readTrail is the list of it.
func (h *Handlers) readTrail(c *Ctx) (*sheet, error) {
	kind := customer.EventKind(c.QueryParam("kind"))
	if kind != "" && !slices.Contains(eventKinds, kind) {
		return nil, notFound()
	}
	from, err := dayOf(c.QueryParam("from"))
	if err != nil {
		return nil, err
	}
	to, err := dayOf(c.QueryParam("to"))
	if err != nil {
		return nil, err
	}
	all, err := h.trailOf(c)
	if err != nil {
		return nil, err
	}
	names := map[string]part.Link{}
	s := &sheet{columns: []listColumn{{key: "at", title: c.T("trail.at"), class: "num-l"}, {key: "kind", title: c.T("trail.kind")}, {key: "event", title: c.T("trail.event"), note: c.T("trail.reason")},
		{key: "partner", title: c.T("ssoview.partner.name"), note: c.T("ssoview.partner.code")}, {key: "who", title: c.T("trail.who")}, {key: "times", title: c.T("trail.times"), num: true}},
		empty: part.Empty{Title: c.T("trail.none"), Text: c.T("trail.none_text")}}
	for i := range all {
		e := &all[i]
		if kind != "" && e.Kind != kind || e.At.Before(from) || !to.IsZero() && !e.At.Before(to.AddDate(0, 0, 1)) {
			continue
		}
		partner, err := h.partnerOf(c, e.PartnerID, names)
		if err != nil {
			return nil, err
		}
		times := opsview.Cell{Text: i18n.Nothing}
		if e.Times > 0 {
			times = countCell(e.Times)
		}
		s.add(sheetRow{key: e.Key, at: e.At, mark: marks(string(e.Kind), e.What, e.At.UTC().Format(time.RFC3339Nano)), cells: []opsview.Cell{{Text: i18n.DateTime(e.At)}, {Text: c.T("trail.kind." + string(e.Kind))},
			{Text: eventText(c, e), Note: e.Reason}, {Text: partner.Text, Note: partner.Href}, {Text: eventActor(c, e)}, times}})
	}
	if kind != "" {
		s.narrowed("kind", c.T("trail.kind."+string(kind)))
	}
	s.narrowed("from", c.QueryParam("from"))
	s.narrowed("to", c.QueryParam("to"))
	return s, nil
}

// trailOf is everything of it, the newest first.
func (h *Handlers) trailOf(c *Ctx) ([]customer.Event, error) {
	all, err := h.Customers.Trail(c.ctx(), c.Scope)
	if err != nil || h.SignOn == nil {
		return all, err
	}
	links, err := h.SignOn.LinksOfCustomer(c.ctx(), c.Scope.OrgID())
	if err != nil {
		return nil, err
	}
	for _, l := range links {
		all = append(all, customer.Event{Key: l.ID, At: l.BoundAt, Kind: eventLink, PartnerID: l.PartnerID, What: l.XAccountID, Reason: c.T("ssoview.how." + l.BoundHow)})
	}
	own, err := h.SignOn.SessionsOfPerson(c.ctx(), c.Scope.PersonID())
	if err != nil {
		return nil, err
	}
	for _, e := range own {
		if e.CustomerID != c.Scope.OrgID() {
			continue
		}
		partnerID := ""
		for _, l := range links {
			if l.XAccountID == e.Asserted.XAccountID && l.XUserID == e.Asserted.XUserID {
				partnerID = l.PartnerID
			}
		}
		all = append(all, customer.Event{Key: e.ID, At: e.CreatedAt, Kind: eventSignIn, PartnerID: partnerID, Actor: c.Scope.Login(), Reason: e.Asserted.XUserID})
	}
	customer.Newest(all)
	return all, nil
}

// partnerOf names a partner, its code as the link's address.
func (h *Handlers) partnerOf(c *Ctx, partnerID string, known map[string]part.Link) (part.Link, error) {
	if p, ok := known[partnerID]; ok || partnerID == "" {
		return p, nil
	}
	o, err := h.Orgs.ByID(c.ctx(), c.Scope, partnerID)
	if fault.Is(err, fault.KindNotFound) {
		err = nil
	}
	known[partnerID] = part.Link{Text: o.Name, Href: o.Code}
	return known[partnerID], err
}

// eventText says what happened; the partner's people are masked.
func eventText(c *Ctx, e *customer.Event) string {
	switch e.Kind {
	case customer.EventCare:
		return c.T("trail.care."+e.What, "From", carerMasked(e.From), "To", carerMasked(e.To))
	case customer.EventReveal:
		return c.T("trail.reveal", "List", listText(c, e.What))
	case customer.EventExport:
		return c.T("trail.export", "List", listText(c, e.What))
	case customer.EventSuspend:
		return c.T("trail.suspend." + e.What)
	case eventLink:
		return c.T("ssoview.partner.trail_linked", "Account", e.What)
	case eventSignIn:
		return c.T("ssoview.partner.trail_in")
	}
	return c.T("trail.association." + e.What)
}

func carerMasked(p customer.Carer) string {
	if p.Name == "" {
		return maskName(p.Login)
	}
	return maskName(p.Name)
}

// eventActor is who did it: one's own login, anybody else's masked.
func eventActor(c *Ctx, e *customer.Event) string {
	switch e.Actor {
	case "", "operator", "system", "sso":
		return i18n.Nothing
	case c.Scope.Login():
		return e.Actor
	}
	return maskName(e.Actor)
}

// listText is what a list or page is called.
func listText(c *Ctx, what string) string {
	if key := "exports.kind." + what; i18n.Has(key) {
		return c.T(key)
	}
	if key := titleOf[what]; key != "" {
		return c.T(key)
	}
	return what
}

// timeline writes the newest lines of the trail.
func (h *Handlers) timeline(c *Ctx, all []customer.Event) ([]part.Event, error) {
	names := map[string]part.Link{}
	tones := map[customer.EventKind]part.Tone{customer.EventAssociation: part.Good, customer.EventCare: part.Brand, customer.EventSuspend: part.Warn}
	var out []part.Event
	for i := range all[:min(len(all), trailNewest)] {
		e := &all[i]
		partner, err := h.partnerOf(c, e.PartnerID, names)
		if err != nil {
			return nil, err
		}
		var notes []string
		for _, text := range []string{partner.Text, e.Reason} {
			if text != "" {
				notes = append(notes, text)
			}
		}
		if e.Times > 1 {
			notes = append(notes, c.T("trail.count", "Count", e.Times))
		}
		ev := part.Event{Text: eventText(c, e), When: i18n.DateTime(e.At), Note: strings.Join(notes, " · "), Tone: tones[e.Kind]}
		if who := eventActor(c, e); who != i18n.Nothing {
			ev.Who = who
		}
		out = append(out, ev)
	}
	return out, nil
}
