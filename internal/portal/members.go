package portal

import (
	"context"
	"net/http"
	"slices"
	"strings"

	"huoban/internal/account"
	"huoban/internal/customer"
	"huoban/internal/fault"
	"huoban/internal/i18n"
	"huoban/internal/scope"
	"huoban/web/templates/opsview"
	"huoban/web/templates/part"
)

const pathMembers = "/members"

// memberRoutes are 组织成员: who may sign in for the organisation, and what for.
func memberRoutes() []Route {
	row := func(method, path, name, title string, item scope.Item, do func(*Handlers, *Ctx) error, query ...string) Route {
		return Route{Method: method, Path: "/o/:org" + pathMembers + path, Name: name, Items: []scope.Item{item}, Title: title, Query: query, Do: do}
	}
	change := func(path, name string, do func(*Handlers, *Ctx) error, query ...string) Route {
		return row(post, path, "members."+name, "", scope.ItemStaffChange, do, query...)
	}
	return []Route{
		row(get, "", "members", "members.title", scope.ItemStaffView, (*Handlers).members, "role"),
		row(get, "/new", "members.new", "members.invite", scope.ItemStaffChange, (*Handlers).invitePage).noList("form"),
		row(get, "/:id", "members.show", "members.title", scope.ItemStaffView, (*Handlers).member1).noList("one person"),
		row(get, "/:id/edit", "members.edit", "members.edit", scope.ItemStaffChange, (*Handlers).memberEdit).noList("form"),
		row(get, "/:id/roles", "members.roles", "members.roles", scope.ItemStaffChange, (*Handlers).memberRolesPage).noList("form"),
		change("", "invite", (*Handlers).invite, "role"),
		change("/:id", "save", (*Handlers).memberSave),
		change("/:id/roles", "assign", (*Handlers).memberRoles, "role"),
		change("/:id/supervisor", "supervise", (*Handlers).memberSupervise, "supervisor"),
		change("/:id/contact", "contact", (*Handlers).memberContact),
		change("/:id/disabling", "disable", (*Handlers).memberDisable),
		change("/:id/enabling", "enable", (*Handlers).memberEnable),
		change("/:id/invitation", "renew", (*Handlers).memberRenew),
		change("/:id/link", "link", (*Handlers).memberLink),
		change("/:id/password-reset", "reset", (*Handlers).memberReset),
		change("/:id/factor-reset", "unfactor", (*Handlers).memberFactor),
	}
}

// memberStates are what the list can be narrowed to besides.
var memberStates = []string{"active", "invited", "disabled", "orphan", "contact"}

// memberState is where a person stands: 正常, 待激活, 已停用.
func memberState(m *account.Member) string {
	switch {
	case m.State == account.PersonDisabled:
		return "disabled"
	case !m.HasPassword && m.LastSignInAt.IsZero():
		return "invited"
	}
	return "active"
}

var memberTone = map[string]part.Tone{"active": part.Good, "invited": part.Warn, "disabled": part.Grey}

func memberStatus(c *Ctx, m *account.Member) *part.Status {
	state := memberState(m)
	s := &part.Status{ID: "m-" + m.ID, Text: c.T("members.state." + state), Tone: memberTone[state], Meaning: c.T("members.meaning." + state), Next: c.T("members.next." + state)}
	if state == "invited" && m.Link != nil {
		s.Due = i18n.DateTime(m.Link.ExpiresAt)
	}
	return s
}

// isOrphan tells whether a 客户经理 has no 主管.
func isOrphan(m *account.Member) bool {
	return slices.Contains(m.Roles, account.RoleManager) && m.SupervisorID == ""
}

// members lists the people of the organisation.
func (h *Handlers) members(c *Ctx) error {
	title := c.T("members.title")
	p := opsview.Board{Header: part.Header{Title: title, Crumbs: c.crumbs(part.Link{Text: title})}, Flash: c.done()}
	if c.Scope.Has(scope.ItemStaffChange) {
		p.Header.Buttons = []part.Link{{Text: c.T("members.invite"), Href: c.at(pathMembers + "/new")}}
	}
	roles, err := h.Accounts.Roles(c.ctx(), c.Org)
	if err != nil {
		return err
	}
	role := part.FilterField{Name: "role", Label: c.T("members.col.roles"), Value: c.QueryParam("role"), Options: []part.Option{{Label: c.T("ops.filter.any")}}}
	for i := range roles {
		role.Options = append(role.Options, part.Option{Value: roles[i].Code, Label: roleName(c, &roles[i])})
	}
	state := part.FilterField{Name: "state", Label: c.T("opsview.col.state"), Value: c.QueryParam("state"), Options: []part.Option{{Label: c.T("ops.filter.any")}}}
	for _, s := range memberStates {
		if (s == "orphan" || s == "contact") && c.Scope.Side() != scope.SidePartner {
			continue
		}
		state.Options = append(state.Options, part.Option{Value: s, Label: c.T("members.state." + s)})
	}
	p.Filter = &part.Filter{Action: c.at(pathMembers), Reset: c.at(pathMembers), Fields: []part.FilterField{{Name: "q", Label: c.T("members.q"), Value: c.QueryParam("q")}, role, state}}
	if _, err := h.board(c, &p, "members"); err != nil {
		return err
	}
	return c.page(http.StatusOK, p.Page())
}

// roleName is what a role is called: presets by the catalogue, others by their own name.
func roleName(c *Ctx, r *account.Role) string {
	if r.Preset {
		return c.T(r.Label())
	}
	return r.Name
}

// roleNames name codes of roles.
func roleNames(c *Ctx, known []account.Role, codes []string) string {
	var out []string
	for i := range known {
		if slices.Contains(codes, known[i].Code) {
			out = append(out, roleName(c, &known[i]))
		}
	}
	return join(out, c.T("portal.list.comma"))
}

// readMembers lists the people by login.
func (h *Handlers) readMembers(c *Ctx) (*sheet, error) {
	text, role, state := strings.ToLower(strings.TrimSpace(c.QueryParam("q"))), c.QueryParam("role"), c.QueryParam("state")
	known, err := h.Accounts.Roles(c.ctx(), c.Org)
	if err != nil {
		return nil, err
	}
	if state != "" && !slices.Contains(memberStates, state) || role != "" && !slices.ContainsFunc(known, func(r account.Role) bool { return r.Code == role }) {
		return nil, notFound()
	}
	all, err := h.Accounts.Members(c.ctx(), c.Scope)
	if err != nil {
		return nil, err
	}
	partner := c.Scope.Side() == scope.SidePartner
	s := &sheet{columns: []listColumn{{key: "person", title: c.T("members.col.person"), note: c.T("members.col.login"), personal: true}, {key: "roles", title: c.T("members.col.roles"), note: c.T("members.col.reach")}},
		empty: part.Empty{Title: c.T("members.empty"), Text: c.T("members.empty_text"), Button: &part.Link{Text: c.T("members.empty_all"), Href: c.at(pathMembers)}}}
	if partner {
		s.columns = append(s.columns, listColumn{key: "supervisor", title: c.T("assignments.col.supervisor"), personal: true})
	}
	s.columns = append(s.columns, listColumn{key: "email", title: c.T("members.col.email"), personal: true}, listColumn{key: "phone", title: c.T("members.col.phone"), personal: true},
		listColumn{key: "seen", title: c.T("members.col.seen"), class: "num-l"}, listColumn{key: "state", title: c.T("opsview.col.state"), class: "m"})
	s.narrowed("q", text)
	if role != "" {
		s.narrowed("role", roleNames(c, known, []string{role}))
	}
	if state != "" {
		s.narrowed("state", c.T("members.state."+state))
	}
	for i := range all {
		m := &all[i]
		if text != "" && !strings.Contains(strings.ToLower(m.Name), text) && !strings.Contains(strings.ToLower(m.Login), text) || role != "" && !slices.Contains(m.Roles, role) {
			continue
		}
		if state != "" && memberState(m) != state && (state != "orphan" || !isOrphan(m)) && (state != "contact" || !m.Contact) {
			continue
		}
		s.add(h.memberRow(c, m, all, known, partner))
	}
	return s, nil
}

func (h *Handlers) memberRow(c *Ctx, m *account.Member, all []account.Member, known []account.Role, partner bool) sheetRow {
	name := c.personal(m.Name)
	name.Note, name.Href = m.Login, c.at(pathMembers+"/"+m.ID)
	if m.Contact {
		name.Note += " · " + c.T("members.contact")
	}
	cells := []opsview.Cell{name, {Text: roleNames(c, known, m.Roles), Note: c.T(account.ReachOf(c.Scope.Side(), m.Roles).Label())}}
	if partner {
		boss := opsview.Cell{}
		switch {
		case isOrphan(m):
			boss.Text = c.T("assignments.orphan")
		case m.SupervisorID != "":
			boss = c.personal(nameIn(all, m.SupervisorID))
		}
		cells = append(cells, boss)
	}
	seen := i18n.Nothing
	if !m.LastSignInAt.IsZero() {
		seen = i18n.DateTime(m.LastSignInAt)
	}
	cells = append(cells, c.masked(m.Email, maskMail), c.masked(m.Phone, maskPhone), opsview.Cell{Text: seen}, opsview.Cell{Status: memberStatus(c, m)})
	return sheetRow{key: m.ID, at: m.CreatedAt, mark: marks(m.Login, strings.Join(m.Roles, " "), memberState(m), m.SupervisorID), cells: cells}
}

func nameIn(all []account.Member, personID string) string {
	if i := slices.IndexFunc(all, func(m account.Member) bool { return m.ID == personID }); i >= 0 {
		return all[i].Name
	}
	return i18n.Nothing
}

// masked is personal for what has a form of its own.
func (c *Ctx) masked(text string, mask func(string) string) opsview.Cell {
	if text == "" || c.open {
		return opsview.Cell{Text: text}
	}
	return opsview.Cell{Text: mask(text), Masked: true}
}

// maskMail keeps the first sign and the domain.
func maskMail(s string) string {
	name, domain, _ := strings.Cut(s, "@")
	return maskName(name) + "@" + domain
}

// maskPhone keeps the last two digits.
func maskPhone(s string) string {
	r := []rune(s)
	return "***" + string(r[max(0, len(r)-2):])
}

// pressed runs a button of a person's page and leads back to it; what is refused is said there.
func (h *Handlers) pressed(c *Ctx, done string, do func(ctx context.Context) error) error {
	err := h.once(c, func(ctx context.Context) (answer, error) {
		return answer{Location: c.withQuery(pathMembers+"/"+c.Param("id"), "done", done)}, do(ctx)
	})
	return c.refuse(err, func(status int, f *fault.Error) error { return h.memberPage(c, status, f, nil) })
}

// memberLogin finds the person of the address.
func (h *Handlers) memberLogin(c *Ctx) (*account.Member, error) {
	m, err := h.Accounts.Member(c.ctx(), c.Scope, c.Param("id"))
	return &m, err
}

func (h *Handlers) memberContact(c *Ctx) error {
	on := c.FormValue("remove") != "yes"
	done := "contact_added"
	if !on {
		done = "contact_removed"
	}
	if c.Scope.Side() != scope.SidePartner {
		return notFound()
	}
	return h.pressed(c, done, func(ctx context.Context) error {
		return h.Accounts.SetCustomerContact(ctx, c.Scope, c.Param("id"), on)
	})
}

func (h *Handlers) memberDisable(c *Ctx) error {
	return h.onMember(c, "member_disabled", func(ctx context.Context, m *account.Member) error { return h.Accounts.Disable(ctx, c.Scope, m.Login) })
}

func (h *Handlers) memberEnable(c *Ctx) error {
	return h.onMember(c, "member_enabled", func(ctx context.Context, m *account.Member) error { return h.Accounts.Enable(ctx, c.Scope, m.Login) })
}

func (h *Handlers) onMember(c *Ctx, done string, do func(ctx context.Context, m *account.Member) error) error {
	m, err := h.memberLogin(c)
	if err != nil {
		return err
	}
	return h.pressed(c, done, func(ctx context.Context) error { return do(ctx, m) })
}

func (h *Handlers) memberSupervise(c *Ctx) error {
	if err := c.readForm(); err != nil {
		return err
	}
	login := ""
	if id := c.FormValue("supervisor"); id != "" {
		boss, err := h.Accounts.Member(c.ctx(), c.Scope, id)
		if err != nil {
			return err
		}
		login = boss.Login
	}
	return h.onMember(c, "supervised", func(ctx context.Context, m *account.Member) error {
		return h.Accounts.SetSupervisor(ctx, c.Scope, m.Login, login)
	})
}

func (h *Handlers) memberRenew(c *Ctx) error {
	return h.pressed(c, "invited", func(ctx context.Context) error { return h.Accounts.InviteAgain(ctx, c.Scope, c.Param("id")) })
}

// memberReset and memberFactor want the person itself: either would let in whoever holds the session.
func (h *Handlers) memberReset(c *Ctx) error {
	return h.steppedUp(c, "password_reset", h.Accounts.Reset)
}

func (h *Handlers) memberFactor(c *Ctx) error {
	return h.steppedUp(c, "factor_reset", h.Accounts.ResetFactor)
}

func (h *Handlers) steppedUp(c *Ctx, done string, do func(ctx context.Context, sc scope.Scope, personID string) error) error {
	if led, err := h.stepUp(c, c.at(pathMembers+"/"+c.Param("id"))); led || err != nil {
		return err
	}
	return h.pressed(c, done, func(ctx context.Context) error { return do(ctx, c.Scope, c.Param("id")) })
}

// memberLink shows the open link of a person, once for each time it is asked for.
func (h *Handlers) memberLink(c *Ctx) error {
	l, token, err := h.Accounts.ShowLink(c.ctx(), c.Scope, c.Param("id"))
	if err != nil {
		return c.refuse(err, func(status int, f *fault.Error) error { return h.memberPage(c, status, f, nil) })
	}
	address := strings.TrimSuffix(h.BaseURL, "/") + pathWelcome + token
	if wantsJSON(c.Request()) {
		return c.JSON(http.StatusOK, map[string]any{"link": address, "expires_at": l.ExpiresAt})
	}
	return h.memberPage(c, http.StatusOK, nil, &part.Item{Label: c.T(l.Purpose.Label()), Text: address, Mono: true})
}

// cared counts the customers a manager looks after now.
func (h *Handlers) cared(c *Ctx, personID string) (int64, error) {
	if c.Scope.Side() != scope.SidePartner || !c.Scope.Has(scope.ItemCustomerView) {
		return 0, nil
	}
	all, err := h.Customers.Directory(c.ctx(), c.Scope)
	n, now := int64(0), h.Clock.Now()
	for i := range all {
		if all[i].Manager.ID == personID && all[i].InForce(now) {
			n++
		}
	}
	return n, err
}

// carerOf names a member as 客户分配 does.
func carerOf(c *Ctx, p *account.Person) string {
	return carerText(c, customer.Carer{ID: p.ID, Login: p.Login, Name: p.Name})
}
