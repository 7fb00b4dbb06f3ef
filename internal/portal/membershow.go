package portal

import (
	"net/http"
	"slices"

	"huoban/internal/account"
	"huoban/internal/fault"
	"huoban/internal/i18n"
	"huoban/internal/scope"
	"huoban/web/templates/opsview"
	"huoban/web/templates/part"
)

// member1 is one person: what it may do, and what can be done about it.
func (h *Handlers) member1(c *Ctx) error { return h.memberPage(c, http.StatusOK, nil, nil) }

// memberPage shows a person; link is shown where somebody asked for it.
func (h *Handlers) memberPage(c *Ctx, status int, refused *fault.Error, link *part.Item) error {
	all, err := h.Accounts.Members(c.ctx(), c.Scope)
	if err != nil {
		return err
	}
	i := slices.IndexFunc(all, func(m account.Member) bool { return m.ID == c.Param("id") })
	if i < 0 {
		return notFound()
	}
	m := &all[i]
	known, err := h.Accounts.Roles(c.ctx(), c.Org)
	if err != nil {
		return err
	}
	name := c.personal(m.Name).Text + " · " + m.Login
	p := opsview.Board{Header: part.Header{Title: name, Crumbs: c.crumbs(part.Link{Text: c.T("members.title"), Href: c.at(pathMembers)}, part.Link{Text: name}), Status: memberStatus(c, m)},
		Flash: c.done(), Refusal: refusalOf(c, refused), Facts: h.memberFacts(c, m, all, known)}
	if link != nil {
		p.Facts = append([]part.Item{*link}, p.Facts...)
		p.Notes = []string{c.T("members.link_note")}
	}
	if c.Scope.Has(scope.ItemStaffChange) {
		if err := h.memberButtons(c, m, all, known, &p); err != nil {
			return err
		}
	}
	if c.Scope.Has(scope.ItemRevealMasked) && !c.open {
		p.Buttons = append(p.Buttons, part.Button{ID: "names", Text: c.T("members.reveal"), Action: c.at(pathMembers + "/" + m.ID + "/names"), Hint: c.T("members.reveal_hint")})
	}
	if slices.Contains(m.Roles, account.RoleSupervisor) {
		p.Grids = append(p.Grids, h.teamGrid(c, m, all))
	}
	return c.page(status, p.Page())
}

func (h *Handlers) memberFacts(c *Ctx, m *account.Member, all []account.Member, known []account.Role) []part.Item {
	on := func(b bool) string { return c.T("members.on." + yesNo(b)) }
	or := func(text string) string {
		if text == "" {
			return i18n.Nothing
		}
		return text
	}
	out := []part.Item{{Label: c.T("members.col.login"), Text: m.Login, Mono: true}, {Label: c.T("members.col.roles"), Text: roleNames(c, known, m.Roles)},
		{Label: c.T("members.col.reach"), Text: c.T(account.ReachOf(c.Scope.Side(), m.Roles).Label())},
		{Label: c.T("members.col.email"), Text: or(c.masked(m.Email, maskMail).Text)}, {Label: c.T("members.col.phone"), Text: or(c.masked(m.Phone, maskPhone).Text)}}
	if slices.Contains(m.Roles, account.RoleManager) {
		boss := c.T("assignments.orphan")
		if m.SupervisorID != "" {
			boss = c.personal(nameIn(all, m.SupervisorID)).Text
		}
		out = append(out, part.Item{Label: c.T("assignments.col.supervisor"), Text: boss})
		if n, err := h.cared(c, m.ID); err == nil && c.Scope.Has(scope.ItemAssignmentView) && m.State == account.PersonActive {
			out = append(out, part.Item{Label: c.T("assignments.col.customers"), Text: i18n.Count(n), Href: c.at(pathAssignments + "/" + m.ID)})
		}
	}
	if c.Scope.Side() == scope.SidePartner {
		out = append(out, part.Item{Label: c.T("members.contact"), Text: on(m.Contact)})
	}
	seen := i18n.Nothing
	if !m.LastSignInAt.IsZero() {
		seen = i18n.DateTime(m.LastSignInAt)
	}
	return append(out, part.Item{Label: c.T("members.password"), Text: on(m.HasPassword)}, part.Item{Label: c.T("members.factor"), Text: on(m.HasTOTP)},
		part.Item{Label: c.T("members.col.created"), Text: i18n.DateTime(m.CreatedAt)}, part.Item{Label: c.T("members.col.seen"), Text: seen})
}

func yesNo(b bool) string {
	if b {
		return "yes"
	}
	return "no"
}

// teamGrid are the managers of a 客户经理主管.
func (h *Handlers) teamGrid(c *Ctx, m *account.Member, all []account.Member) opsview.Grid {
	g := opsview.Grid{ID: "team", Title: c.T("members.team"), Heads: []opsview.Head{{Text: c.T("customers.col.manager")}, {Text: c.T("opsview.col.state")}},
		Empty: &part.Empty{Title: c.T("members.team_empty"), Text: c.T("members.team_empty_text")}}
	for i := range all {
		if x := &all[i]; x.SupervisorID == m.ID && slices.Contains(x.Roles, account.RoleManager) {
			name := c.personal(x.Name)
			name.Note, name.Href = x.Login, c.at(pathMembers+"/"+x.ID)
			g.Rows = append(g.Rows, []opsview.Cell{name, {Status: memberStatus(c, x)}})
		}
	}
	return g
}

// memberButtons are what can be done about a person; what cannot says why.
func (h *Handlers) memberButtons(c *Ctx, m *account.Member, all []account.Member, known []account.Role, p *opsview.Board) error {
	why := func(err error) string {
		if err == nil {
			return ""
		}
		return i18n.FaultText(c.ctx(), faultOf(err))
	}
	at := func(path string) string { return c.at(pathMembers + "/" + m.ID + path) }
	blocked := why(h.Accounts.MayChange(c.ctx(), c.Scope, m))
	self := m.ID == c.Scope.PersonID()
	first := func(reasons ...string) string {
		for _, r := range append([]string{blocked}, reasons...) {
			if r != "" {
				return r
			}
		}
		return ""
	}
	when := func(is bool, key string) string {
		if is {
			return c.T(key)
		}
		return ""
	}
	off := m.State == account.PersonDisabled
	if blocked == "" {
		p.Header.Buttons = []part.Link{{Text: c.T("members.edit"), Href: at("/edit")}}
		if !self {
			p.Header.Buttons = append(p.Header.Buttons, part.Link{Text: c.T("members.roles"), Href: at("/roles")})
		}
	}
	if reason := first(when(self, "fault.account.own_roles")); reason != "" {
		p.Buttons = append(p.Buttons, part.Button{ID: "roles", Text: c.T("members.roles"), Off: true, Hint: reason})
	}
	if slices.Contains(m.Roles, account.RoleManager) {
		p.Buttons = append(p.Buttons, superviseButton(c, m, all, at("/supervisor"), blocked))
	}
	if c.Scope.Side() == scope.SidePartner {
		p.Buttons = append(p.Buttons, contactButton(c, m, all, at("/contact"), first(when(off && !m.Contact, "fault.account.disabled"))))
	}
	if m.Link != nil {
		p.Buttons = append(p.Buttons, part.Button{ID: "link", Text: c.T("members.show_link"), Action: at("/link"), Hint: first(c.T("members.show_link_hint", "At", i18n.DateTime(m.Link.ExpiresAt))), Off: blocked != ""})
	}
	if !m.HasPassword {
		reason := first(when(off, "fault.account.disabled"))
		p.Buttons = append(p.Buttons, part.Button{ID: "renew", Text: c.T("members.renew"), Action: at("/invitation"), Hidden: fresh(), Off: reason != "", Hint: first(reason, c.T("members.renew_hint"))})
	}
	reset := first(when(self, "fault.account.own_account_reset"), when(off, "fault.account.disabled"))
	p.Buttons = append(p.Buttons, part.Button{ID: "reset", Text: c.T("members.reset"), Action: at("/password-reset"), Hidden: fresh(), Off: reset != "", Hint: reset,
		Dialog: &part.Dialog{Title: c.T("members.reset_of", "Login", m.Login), Points: []string{c.T("members.reset_point1"), c.T("members.reset_point2"), c.T("members.reset_point3")}, Confirm: c.T("members.reset")}})
	factor := first(when(self, "fault.account.own_account_reset"), when(!m.HasTOTP, "fault.account.factor_none"))
	p.Buttons = append(p.Buttons, part.Button{ID: "unfactor", Text: c.T("members.unfactor"), Action: at("/factor-reset"), Hidden: fresh(), Off: factor != "", Hint: factor,
		Dialog: &part.Dialog{Title: c.T("members.unfactor_of", "Login", m.Login), Points: []string{c.T("members.unfactor_point1"), c.T("members.unfactor_point2")}, Confirm: c.T("members.unfactor")}})
	if off {
		p.Buttons = append(p.Buttons, part.Button{ID: "enable", Text: c.T("members.enable"), Action: at("/enabling"), Hidden: fresh(), Off: blocked != "", Hint: blocked})
		return nil
	}
	leave := first(why(h.Accounts.MayLeave(c.ctx(), c.Scope, m)))
	points, err := h.leavePoints(c, m, all)
	if err != nil {
		return err
	}
	p.Buttons = append(p.Buttons, part.Button{ID: "disable", Text: c.T("members.disable"), Danger: true, Action: at("/disabling"), Hidden: fresh(), Off: leave != "", Hint: leave,
		Dialog: &part.Dialog{Title: c.T("members.disable_of", "Login", m.Login), Points: points, Confirm: c.T("members.disable")}})
	return nil
}

func superviseButton(c *Ctx, m *account.Member, all []account.Member, action, blocked string) part.Button {
	choice := part.Field{Name: "supervisor", Label: c.T("assignments.col.supervisor"), Type: "select", Value: m.SupervisorID, Options: []part.Option{{Label: c.T("assignments.orphan")}}}
	for i := range all {
		if x := &all[i]; slices.Contains(x.Roles, account.RoleSupervisor) && x.State == account.PersonActive {
			choice.Options = append(choice.Options, part.Option{Value: x.ID, Label: carerOf(c, &x.Person)})
		}
	}
	b := part.Button{ID: "supervise", Text: c.T("members.supervise"), Action: action, Hidden: fresh(), Off: blocked != "", Hint: blocked,
		Dialog: &part.Dialog{Title: c.T("members.supervise_of", "Login", m.Login), Points: []string{c.T("members.supervise_point")}, Fields: []part.Field{choice}, Confirm: c.T("members.supervise")}}
	if len(choice.Options) == 1 && m.SupervisorID == "" && blocked == "" {
		b.Off, b.Hint = true, c.T("members.supervise_none")
	}
	return b
}

func contactButton(c *Ctx, m *account.Member, all []account.Member, action, blocked string) part.Button {
	if m.Contact {
		return part.Button{ID: "contact", Text: c.T("members.contact_remove"), Action: action, Hidden: append(fresh(), part.Hidden{Name: "remove", Value: "yes"}), Off: blocked != "", Hint: blocked}
	}
	b := part.Button{ID: "contact", Text: c.T("members.contact_add"), Action: action, Hidden: fresh(), Off: blocked != "", Hint: blocked}
	count := 0
	for i := range all {
		if all[i].Contact {
			count++
		}
	}
	if b.Hint == "" {
		b.Hint = c.T("members.contact_hint", "Count", count, "Max", account.MaxContacts)
	}
	if count >= account.MaxContacts {
		b.Off, b.Hint = true, c.T("fault.account.contacts_full", "max", account.MaxContacts)
	}
	return b
}

// leavePoints say what disabling a person brings about.
func (h *Handlers) leavePoints(c *Ctx, m *account.Member, all []account.Member) ([]string, error) {
	points := []string{c.T("members.disable_point")}
	n, err := h.cared(c, m.ID)
	if err != nil {
		return nil, err
	}
	if n > 0 {
		points = append(points, c.T("members.disable_customers", "Count", n))
	}
	team := 0
	for i := range all {
		if all[i].SupervisorID == m.ID {
			team++
		}
	}
	if team > 0 {
		points = append(points, c.T("members.disable_team", "Count", team))
	}
	if m.Contact {
		points = append(points, c.T("members.disable_contact"))
	}
	return points, nil
}
