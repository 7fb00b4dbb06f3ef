package portal

import (
	"context"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"

	"huoban/internal/customer"
	"huoban/internal/fault"
	"huoban/internal/flow"
	"huoban/internal/i18n"
	"huoban/internal/invitation"
	"huoban/internal/prospect"
	"huoban/internal/scope"
	"huoban/web/templates/growview"
	"huoban/web/templates/opsview"
	"huoban/web/templates/part"
)

const pathInvitations = pathProspects + "/invitations"

// invitationRoutes are the invitations of 客户拓展: sending them, and what became of each.
func invitationRoutes() []Route {
	row := func(method, path, name, title string, item scope.Item, do func(*Handlers, *Ctx) error, query ...string) Route {
		return Route{Method: method, Path: "/o/:org" + pathInvitations + path, Name: name, Sides: partners, Items: []scope.Item{item}, Title: title, Query: query, Do: do}
	}
	out := []Route{
		row(get, "", "invitations", "invitations.title", scope.ItemProspectView, (*Handlers).invitations),
		row(get, "/new", "invitations.new", "invitations.new", scope.ItemProspectChange, (*Handlers).invitingPage, "prospect").noList("form"),
		row(post, "", "invitations.send", "", scope.ItemProspectChange, (*Handlers).inviteCustomers, "prospect", "vendor"),
		row(get, "/:id", "invitations.show", "invitations.title", scope.ItemProspectView, (*Handlers).invitationShown),
	}
	for _, do := range []invitation.Action{invitation.ActionResend, invitation.ActionWithdraw} {
		r, _ := invitation.Flow.Lookup(invitation.StateSent, do)
		out = append(out, row(post, "/:id/"+r.Noun, "invitations."+r.Noun, "", scope.ItemProspectChange, func(h *Handlers, c *Ctx) error { return h.invitationAct(c, do) }).moves(invitation.Flow, string(do)))
	}
	return out
}

var invitationTone = map[invitation.State]part.Tone{invitation.StateSent: part.Run, invitation.StateFailed: part.Bad, invitation.StateAssociated: part.Good}

// stateNow is the state as it looks: what is over is over before the clock has written it down.
func stateNow(i *invitation.Invitation, now time.Time) invitation.State {
	if i.State.Opens() && i.Over(now) {
		return invitation.StateExpired
	}
	return i.State
}

// invitationQuery is what narrows the list.
type invitationQuery struct {
	text        string
	state       invitation.State
	channel     invitation.Channel
	relation    customer.Kind
	from, until time.Time
}

func readInvitationQuery(c *Ctx) (q invitationQuery, err error) {
	q = invitationQuery{text: strings.ToLower(strings.TrimSpace(c.QueryParam("q"))), state: invitation.State(c.QueryParam("state")), channel: invitation.Channel(c.QueryParam("channel")),
		relation: customer.Kind(c.QueryParam("relation"))}
	known := (q.state == "" || slices.Contains(invitation.Flow.States(), q.state)) && (q.channel == "" || slices.Contains(invitation.Channels, q.channel)) &&
		slices.Contains([]customer.Kind{"", customer.KindResale, customer.KindReferral}, q.relation)
	if !known {
		return q, notFound()
	}
	q.from, q.until, err = daysParam(c)
	return q, err
}

// invitations is 邀请记录.
func (h *Handlers) invitations(c *Ctx) error {
	q, err := readInvitationQuery(c)
	if err != nil {
		return err
	}
	title := c.T("invitations.title")
	p := opsview.Board{Header: part.Header{Title: title, Crumbs: c.crumbs(part.Link{Text: c.T("prospects.title"), Href: c.at(pathProspects)}, part.Link{Text: title})}, Flash: c.done(),
		Tabs: growTabs(c, pathInvitations), Notes: []string{c.T("invitations.note", "Days", invitation.Days)}}
	p.Filter = &part.Filter{Action: c.at(pathInvitations), Reset: c.at(pathInvitations), Fields: []part.FilterField{{Name: "q", Label: c.T("invitations.filter.q"), Value: c.QueryParam("q")},
		choiceOf(c, "state", c.T("opsview.col.state"), "invitation.state.", q.state, invitation.Flow.States()),
		folded(choiceOf(c, "channel", c.T("invitations.channel"), "invitation.channel.", q.channel, invitation.Channels)),
		folded(choiceOf(c, "relation", c.T("prospects.relation"), "association.kind.", q.relation, relations)), dayField(c, "from"), dayField(c, "to")}}
	if c.Scope.Has(scope.ItemProspectChange) {
		p.Header.Buttons = []part.Link{{Text: c.T("invitations.new"), Href: c.at(pathInvitations + "/new")}}
	}
	if _, err := h.board(c, &p, "invitations"); err != nil {
		return err
	}
	return c.page(http.StatusOK, p.Page())
}

// readInvitations lists the invitations with what became of them.
func (h *Handlers) readInvitations(c *Ctx) (*sheet, error) {
	q, err := readInvitationQuery(c)
	if err != nil {
		return nil, err
	}
	s, err := h.invitationSheet(c, func(i *invitation.Invitation, name string) bool {
		return (q.text == "" || strings.Contains(strings.ToLower(name), q.text) || strings.Contains(strings.ToLower(i.Label), q.text)) &&
			(q.state == "" || stateNow(i, h.Clock.Now()) == q.state) && (q.channel == "" || i.Channel == q.channel) && (q.relation == "" || i.Relation == q.relation) && within(i.SentAt, q.from, q.until)
	})
	if err != nil {
		return nil, err
	}
	s.narrowed("q", c.QueryParam("q"))
	narrowedWords(c, s, [][3]string{{"state", string(q.state), "invitation.state."}, {"channel", string(q.channel), "invitation.channel."}, {"relation", string(q.relation), "association.kind."}})
	return s, nil
}

// readProspectInvitations lists those of one registration.
func (h *Handlers) readProspectInvitations(c *Ctx) (*sheet, error) {
	p, err := h.Prospects.Find(c.ctx(), c.Scope, c.Param("id"))
	if err != nil {
		return nil, err
	}
	return h.invitationSheet(c, func(i *invitation.Invitation, _ string) bool { return i.ProspectID == p.ID })
}

func (h *Handlers) invitationSheet(c *Ctx, takes func(i *invitation.Invitation, name string) bool) (*sheet, error) {
	all, err := h.Invitations.List(c.ctx(), c.Scope)
	if err != nil {
		return nil, err
	}
	registered, err := h.Prospects.List(c.ctx(), c.Scope)
	if err != nil {
		return nil, err
	}
	names := map[string]string{}
	for i := range registered {
		names[registered[i].ID] = registered[i].Name
	}
	s := &sheet{columns: []listColumn{{key: "customer", title: c.T("prospects.col.customer"), note: c.T("invitations.joined"), personal: true}, {key: "sent", title: c.T("invitations.sent"), class: "num-l"},
		{key: "relation", title: c.T("prospects.relation")}, {key: "channel", title: c.T("invitations.channel"), note: c.T("invitations.label")},
		{key: "ends", title: c.T("invitations.ends"), class: "num-l"}, {key: "state", title: c.T("opsview.col.state"), note: c.T("invitations.reason")}},
		empty: part.Empty{Title: c.T("invitations.empty"), Text: c.T("invitations.empty_text")}}
	now := h.Clock.Now()
	for n := range all {
		i := &all[n]
		if !takes(i, names[i.ProspectID]) {
			continue
		}
		name := opsview.Cell{Text: c.T("invitations.general"), Note: c.T("invitations.joined_count", "Count", i.Joined)}
		if !i.General() {
			name = c.personal(names[i.ProspectID])
		}
		name.Href = c.at(pathInvitations + "/" + i.ID)
		state := stateNow(i, now)
		s.add(sheetRow{key: i.ID, at: i.ChangedAt, mark: marks(string(state), string(i.Reason), strconv.FormatInt(i.Serial, 10), strconv.FormatInt(i.Joined, 10)),
			cells: []opsview.Cell{name, {Text: i18n.DateTime(i.SentAt)}, {Text: c.T(i.Relation.Label())}, {Text: c.T(i.Channel.Label()), Note: i.Label}, {Text: i18n.DateTime(i.ExpiresAt)},
				{Status: &part.Status{Text: c.T("invitation.state." + string(state)), Tone: invitationTone[state]}, Note: reasonText(c, i.Reason)}}})
	}
	return s, nil
}

// reasonText says why a customer could not be associated, and what to do.
func reasonText(c *Ctx, r invitation.Reason) string {
	if r == "" {
		return ""
	}
	return c.T("invitations.reason_text", "Reason", c.T(r.Label()), "Advice", c.T(r.Advice()))
}

func (h *Handlers) invitationShown(c *Ctx) error { return h.invitationDetail(c, http.StatusOK, nil) }

// invitationDetail is one invitation: its link and code, and who tried it.
func (h *Handlers) invitationDetail(c *Ctx, status int, refused *fault.Error) error {
	i, err := h.Invitations.Find(c.ctx(), c.Scope, c.Param("id"))
	if err != nil {
		return err
	}
	now := h.Clock.Now()
	state := stateNow(&i, now)
	title := c.T("invitations.of", "Channel", c.T(i.Channel.Label()), "Sent", i18n.DateTime(i.SentAt))
	d := growview.Detail{Header: part.Header{Title: title, Crumbs: c.crumbs(part.Link{Text: c.T("invitations.title"), Href: c.at(pathInvitations)}, part.Link{Text: title}),
		Status: &part.Status{Text: c.T("invitation.state." + string(state)), Tone: invitationTone[state], Meaning: c.T("invitations.meaning." + string(state)), Next: c.T("invitations.next." + string(state))}}, Flash: c.done()}
	d.Refusal, d.Conflict = lost(c, refused, c.at(pathInvitations+"/"+i.ID))
	if err := h.invitationFacts(c, &d, &i); err != nil {
		return err
	}
	granted, err := h.Grants.Open(c.ctx(), i.VendorID, i.PartnerID)
	if err != nil {
		return err
	}
	if !granted && i.State.Opens() {
		d.Checks = []part.Check{{Tone: part.Bad, Title: c.T("fault.prospect.not_granted"), Text: c.T("grants.link_closed"), Cure: &part.Link{Text: c.T("grants.title"), Href: c.at(pathGrants)}}}
	}
	if granted && i.State.Opens() && !i.Over(now) && c.Scope.Has(scope.ItemProspectChange) {
		link := h.BaseURL + invitation.Path(h.Invitations.Token(&i))
		code, err := qrPath(link)
		if err != nil {
			return err
		}
		d.Share = &growview.Share{Link: link, Code: code, Until: c.T("invitations.until", "Until", i18n.DateTime(i.ExpiresAt))}
	}
	buttons, err := h.Invitations.Allowed(c.ctx(), c.Scope, &i)
	if err != nil {
		return err
	}
	d.Buttons = flowButtons(c, buttons, c.at(pathInvitations+"/"+i.ID), title, i.Version)
	grid, err := h.titled(c, "invitation.tries", "invitation-tries", c.T("exports.kind.invitation.tries"))
	if err != nil {
		return err
	}
	d.Grids = []opsview.Grid{grid}
	changes, err := h.Invitations.History(c.ctx(), i.ID)
	if err != nil {
		return err
	}
	d.Trail = history(c, invitation.Flow.Machine, changes)
	d.Rules = &growview.Rules{Title: c.T("invitations.reasons")}
	for _, r := range invitation.Reasons {
		d.Rules.Rows = append(d.Rules.Rows, part.Item{Label: c.T(r.Label()), Text: c.T(r.Advice())})
	}
	return c.page(status, d.Page())
}

func (h *Handlers) invitationFacts(c *Ctx, d *growview.Detail, i *invitation.Invitation) error {
	d.Facts = []part.Item{{Label: c.T("prospects.relation"), Text: c.T(i.Relation.Label())}, {Label: c.T("invitations.channel"), Text: c.T(i.Channel.Label())}, {Label: c.T("invitations.label"), Text: i.Label},
		{Label: c.T("invitations.sent"), Text: i18n.DateTime(i.SentAt)}, {Label: c.T("invitations.ends"), Text: i18n.DateTime(i.ExpiresAt)}}
	if i.General() {
		d.Facts = append([]part.Item{{Label: c.T("prospects.col.customer"), Text: c.T("invitations.general")}, {Label: c.T("invitations.joined"), Text: i18n.Count(i.Joined)}}, d.Facts...)
		return nil
	}
	p, err := h.Prospects.Find(c.ctx(), c.Scope, i.ProspectID)
	if err != nil {
		return err
	}
	d.Facts = append([]part.Item{{Label: c.T("prospects.col.customer"), Text: c.personal(p.Name).Text, Href: c.at(pathProspects + "/" + p.ID)}}, d.Facts...)
	if i.Address != "" {
		d.Facts = append(d.Facts, part.Item{Label: c.T("prospects.email"), Text: c.veiled(i.Address)})
	}
	d.Eye = c.factsEye(pathInvitations+"/"+i.ID, c.T("prospects.col.customer"))
	return nil
}

// readTries lists who tried a link, the newest first.
func (h *Handlers) readTries(c *Ctx) (*sheet, error) {
	i, err := h.Invitations.Find(c.ctx(), c.Scope, c.Param("id"))
	if err != nil {
		return nil, err
	}
	tries, err := h.Invitations.Tries(c.ctx(), &i)
	if err != nil {
		return nil, err
	}
	s := &sheet{columns: []listColumn{{key: "customer", title: c.T("prospects.col.customer"), personal: true}, {key: "at", title: c.T("invitations.tried"), class: "num-l"},
		{key: "outcome", title: c.T("opsview.col.state")}, {key: "reason", title: c.T("invitations.reason"), note: c.T("invitations.advice")}},
		empty: part.Empty{Title: c.T("invitations.no_tries"), Text: c.T("invitations.no_tries_text")}}
	for n := range tries {
		t := &tries[n]
		name := c.personal(t.Customer)
		outcome, reason := opsview.Cell{Status: &part.Status{Text: c.T("invitation.state.associated"), Tone: part.Good}}, opsview.Cell{}
		if t.Reason != "" {
			outcome = opsview.Cell{Status: &part.Status{Text: c.T("invitation.state.failed"), Tone: part.Bad}}
			reason = opsview.Cell{Text: c.T(t.Reason.Label()), Note: c.T(t.Reason.Advice())}
		} else if t.CustomerID != "" && h.may(c, pathCustomers) {
			name.Href = c.at(pathCustomers + "/" + t.CustomerID)
		}
		s.add(sheetRow{key: t.ID, at: t.At, mark: marks(string(t.Reason), t.CustomerID), cells: []opsview.Cell{name, {Text: i18n.DateTime(t.At)}, outcome, reason}})
	}
	return s, nil
}

// invitationAct resends or withdraws.
func (h *Handlers) invitationAct(c *Ctx, do invitation.Action) error {
	err := h.once(c, func(ctx context.Context) (answer, error) {
		i, err := h.Invitations.Do(ctx, c.Scope, c.Param("id"), do)
		return answer{Location: c.withQuery(pathInvitations+"/"+i.ID, "done", "invitation_"+string(do)), Body: h.invitationBody(c, &i)}, err
	})
	if err == nil {
		return nil
	}
	return c.refuse(err, func(status int, f *fault.Error) error { return h.invitationDetail(c, status, f) })
}

func (h *Handlers) invitationBody(c *Ctx, i *invitation.Invitation) map[string]any {
	out := map[string]any{"id": i.ID, "state": string(i.State), "expires_at": i.ExpiresAt.UTC().Format(time.RFC3339)}
	if i.State.Opens() {
		out["link"] = h.BaseURL + invitation.Path(h.Invitations.Token(i))
	}
	return out
}

// daysFrom is when an invitation sent now ends.
func (h *Handlers) daysFrom(n int) time.Time { return (flow.Due{Days: n}).At(h.Clock.Now(), -1) }

// registeredOnes are the registrations that may be invited.
func (h *Handlers) registeredOnes(c *Ctx) ([]prospect.Prospect, error) {
	all, err := h.Prospects.List(c.ctx(), c.Scope)
	return slices.DeleteFunc(all, func(p prospect.Prospect) bool { return p.State != prospect.StateRegistered }), err
}
