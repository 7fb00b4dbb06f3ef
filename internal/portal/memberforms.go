package portal

import (
	"context"
	"net/http"
	"slices"
	"strings"

	"huoban/internal/account"
	"huoban/internal/fault"
	"huoban/internal/scope"
	"huoban/web/templates/custview"
	"huoban/web/templates/opsview"
	"huoban/web/templates/orgview"
	"huoban/web/templates/part"
)

func (h *Handlers) memberHeader(c *Ctx, title string, above ...part.Link) part.Header {
	crumbs := append([]part.Link{{Text: c.T("members.title"), Href: c.at(pathMembers)}}, above...)
	return part.Header{Title: title, Crumbs: c.crumbs(append(crumbs, part.Link{Text: title})...)}
}

// list gives every value of a parameter that may come several times.
func (c *Ctx) list(name string) []string {
	if c.Request().Form == nil {
		_ = c.Request().ParseForm()
	}
	return c.Request().Form[name]
}

// ticksOf offers the roles; one that holds more than the actor cannot be given.
func ticksOf(c *Ctx, known []account.Role, chosen []string) orgview.Group {
	g := orgview.Group{Title: c.T("members.col.roles"), Text: c.T("members.roles_text", "Max", account.MaxRoles), Name: "role"}
	for i := range known {
		r := &known[i]
		t := orgview.Tick{Value: r.Code, Label: roleName(c, r), Checked: slices.Contains(chosen, r.Code), Note: c.T("roles.pages", "Pages", join(pagesFor(c, r.Items), c.T("portal.list.comma")))}
		if slices.ContainsFunc(r.Items, func(item scope.Item) bool { return !c.Scope.Has(item) }) {
			t.Off = c.T("roles.beyond")
		}
		g.Ticks = append(g.Ticks, t)
	}
	return g
}

func contactFields(c *Ctx, v account.Contact) []part.Field {
	return []part.Field{{Name: "name", Label: c.T("members.col.person"), Value: v.Name, Required: true, MaxLength: 100, Autocomplete: "off"},
		{Name: "email", Label: c.T("members.col.email"), Type: "email", Value: v.Email, MaxLength: 254, Autocomplete: "off", Help: c.T("members.email_help")},
		{Name: "phone", Label: c.T("members.col.phone"), Type: "tel", Value: v.Phone, MaxLength: 31, Autocomplete: "off"}}
}

func (c *Ctx) contact() account.Contact {
	return account.Contact{Name: strings.TrimSpace(c.FormValue("name")), Phone: strings.TrimSpace(c.FormValue("phone")), Email: strings.TrimSpace(c.FormValue("email"))}
}

func (h *Handlers) invitePage(c *Ctx) error { return h.inviteForm(c, http.StatusOK, nil) }

// inviteForm asks who comes, and what for.
func (h *Handlers) inviteForm(c *Ctx, status int, refused *fault.Error) error {
	known, err := h.Accounts.Roles(c.ctx(), c.Org)
	if err != nil {
		return err
	}
	p := orgview.Form{Header: h.memberHeader(c, c.T("members.invite")), Refusal: refusalOf(c, refused), Action: c.at(pathMembers), Hidden: append(fresh(), part.Hidden{Name: "preview", Value: "yes"}),
		Fields: append([]part.Field{{Name: "login", Label: c.T("members.col.login"), Value: c.FormValue("login"), Required: true, MaxLength: 64, Help: c.T("members.login_help"), Autocomplete: "off"}}, contactFields(c, c.contact())...),
		Groups: []orgview.Group{ticksOf(c, known, c.list("role"))}, Submit: c.T("assignments.preview"), Back: part.Link{Text: c.T("assignments.back"), Href: c.at(pathMembers)},
		Rules: []string{c.T("members.rule.link"), c.T("members.rule.roles"), c.T("members.rule.widen")}}
	return c.page(status, p.Page())
}

// invite shows what the new person would see, and then makes it.
func (h *Handlers) invite(c *Ctx) error {
	if err := c.readForm(); err != nil {
		return err
	}
	v, roles := c.contact(), c.list("role")
	in := account.InviteInput{Login: c.FormValue("login"), Name: v.Name, Phone: v.Phone, Email: v.Email, Roles: roles}
	err := h.Accounts.MayGive(c.ctx(), c.Scope, roles)
	if err == nil {
		err = v.Validate()
	}
	if err == nil && c.FormValue("preview") == "yes" {
		p, err := h.previewOf(c, "", nil, roles)
		if err != nil {
			return err
		}
		p.Header = h.memberHeader(c, c.T("members.invite_confirm"))
		p.Facts = append([]part.Item{{Label: c.T("members.col.login"), Text: in.Login, Mono: true}, {Label: c.T("members.col.person"), Text: v.Name}}, p.Facts...)
		p.Action, p.Submit, p.Back = c.at(pathMembers), c.T("members.invite_now"), part.Link{Text: c.T("assignments.back"), Href: c.at(pathMembers)}
		p.Hidden = append(p.Hidden, part.Hidden{Name: "login", Value: in.Login}, part.Hidden{Name: "name", Value: v.Name}, part.Hidden{Name: "email", Value: v.Email}, part.Hidden{Name: "phone", Value: v.Phone})
		return h.showPreview(c, p)
	}
	if err == nil {
		err = h.once(c, func(ctx context.Context) (answer, error) {
			r, err := h.Accounts.Invite(ctx, c.Scope, in)
			at := c.withQuery(pathMembers+"/"+r.Person.ID, "done", "invited")
			return answer{Location: at, Body: map[string]any{"location": at, "person": r.Person.ID, "added": r.Added}}, err
		})
		if err == nil {
			return nil
		}
	}
	return c.refuse(err, func(status int, f *fault.Error) error { return h.inviteForm(c, status, f) })
}

func (h *Handlers) memberEdit(c *Ctx) error {
	m, err := h.memberLogin(c)
	if err != nil {
		return err
	}
	if err := h.Accounts.MayChange(c.ctx(), c.Scope, m); err != nil {
		return err
	}
	return h.editForm(c, m, account.Contact{Name: m.Name, Phone: m.Phone, Email: m.Email}, http.StatusOK, nil)
}

// editForm shows what may be changed in the clear: whoever may change it may know it, and that it was opened is
// recorded as the eye is.
func (h *Handlers) editForm(c *Ctx, m *account.Member, v account.Contact, status int, refused *fault.Error) error {
	if err := h.reveal(c, "members.edit", m.Login); err != nil {
		return err
	}
	at := c.at(pathMembers + "/" + m.ID)
	p := orgview.Form{Header: h.memberHeader(c, c.T("members.edit"), part.Link{Text: m.Login, Href: at}), Refusal: refusalOf(c, refused), Action: at, Hidden: fresh(),
		Fields: append([]part.Field{{Name: "login", Label: c.T("members.col.login"), Value: m.Login, ReadOnly: true, Help: c.T("members.login_fixed")}}, contactFields(c, v)...),
		Submit: c.T("members.save"), Back: part.Link{Text: c.T("assignments.back"), Href: at}}
	return c.page(status, p.Page())
}

func (h *Handlers) memberSave(c *Ctx) error {
	if err := c.readForm(); err != nil {
		return err
	}
	m, err := h.memberLogin(c)
	if err != nil {
		return err
	}
	v := c.contact()
	err = h.once(c, func(ctx context.Context) (answer, error) {
		return answer{Location: c.withQuery(pathMembers+"/"+m.ID, "done", "member_saved")}, h.Accounts.SetContact(ctx, c.Scope, m.Login, v)
	})
	return c.refuse(err, func(status int, f *fault.Error) error { return h.editForm(c, m, v, status, f) })
}

func (h *Handlers) memberRolesPage(c *Ctx) error {
	m, err := h.memberLogin(c)
	if err != nil {
		return err
	}
	return h.rolesForm(c, m, m.Roles, http.StatusOK, nil)
}

func (h *Handlers) rolesForm(c *Ctx, m *account.Member, chosen []string, status int, refused *fault.Error) error {
	known, err := h.Accounts.Roles(c.ctx(), c.Org)
	if err != nil {
		return err
	}
	at := c.at(pathMembers + "/" + m.ID)
	p := orgview.Form{Header: h.memberHeader(c, c.T("members.roles"), part.Link{Text: m.Login, Href: at}), Refusal: refusalOf(c, refused), Action: at + "/roles",
		Hidden: append(fresh(), part.Hidden{Name: "preview", Value: "yes"}), Groups: []orgview.Group{ticksOf(c, known, chosen)}, Submit: c.T("assignments.preview"),
		Back: part.Link{Text: c.T("assignments.back"), Href: at}, Rules: []string{c.T("members.rule.roles"), c.T("members.rule.widen"), c.T("members.rule.at_once")}}
	return c.page(status, p.Page())
}

// memberRoles shows what the person would see with the roles, and then gives them.
func (h *Handlers) memberRoles(c *Ctx) error {
	if err := c.readForm(); err != nil {
		return err
	}
	m, err := h.memberLogin(c)
	if err != nil {
		return err
	}
	roles := c.list("role")
	if err = h.Accounts.MayChange(c.ctx(), c.Scope, m); err == nil {
		err = h.Accounts.MayGive(c.ctx(), c.Scope, roles)
	}
	at := pathMembers + "/" + m.ID
	if err == nil && c.FormValue("preview") == "yes" {
		p, err := h.previewOf(c, m.ID, m.Roles, roles)
		if err != nil {
			return err
		}
		p.Header = h.memberHeader(c, c.T("members.roles_confirm"), part.Link{Text: m.Login, Href: c.at(at)})
		p.Action, p.Submit, p.Back = c.at(at+"/roles"), c.T("members.roles_now"), part.Link{Text: c.T("assignments.back"), Href: c.at(at + "/roles")}
		if err := h.addOrphans(c, m, roles, p); err != nil {
			return err
		}
		return h.showPreview(c, p)
	}
	if err == nil {
		err = h.once(c, func(ctx context.Context) (answer, error) {
			return answer{Location: c.withQuery(at, "done", "roles_given")}, h.Accounts.SetRoles(ctx, c.Scope, m.Login, c.Org.Code, roles)
		})
		if err == nil {
			return nil
		}
	}
	return c.refuse(err, func(status int, f *fault.Error) error { return h.rolesForm(c, m, roles, status, f) })
}

// addOrphans lists the managers who would be left without a 主管.
func (h *Handlers) addOrphans(c *Ctx, m *account.Member, roles []string, p *custview.Confirm) error {
	if !slices.Contains(m.Roles, account.RoleSupervisor) || slices.Contains(roles, account.RoleSupervisor) {
		return nil
	}
	all, err := h.Accounts.Members(c.ctx(), c.Scope)
	if err != nil {
		return err
	}
	g := h.teamGrid(c, m, all)
	if len(g.Rows) == 0 {
		return nil
	}
	g.Title, g.Note = c.T("members.orphans"), c.T("members.orphans_note")
	p.More = append(p.More, g)
	p.Checks = append(p.Checks, part.Check{Tone: part.Warn, Title: c.T("members.orphans_warn", "Count", len(g.Rows)), Text: c.T("members.orphans_note")})
	return nil
}

// previewOf shows what somebody with the roles would see: menu and pages, and whose customers; before are the
// roles held now.
func (h *Handlers) previewOf(c *Ctx, personID string, before, after []string) (*custview.Confirm, error) {
	known, err := h.Accounts.Roles(c.ctx(), c.Org)
	if err != nil {
		return nil, err
	}
	would, err := h.Accounts.Preview(c.ctx(), c.Org, after, nil)
	if err != nil {
		return nil, err
	}
	p := &custview.Confirm{Hidden: fresh(), Notes: []string{c.T("members.rule.at_once")}, Facts: []part.Item{{Label: c.T("members.roles_after"), Text: roleNames(c, known, after)}}}
	if len(before) > 0 {
		p.Facts = append([]part.Item{{Label: c.T("members.roles_before"), Text: roleNames(c, known, before)}}, p.Facts...)
	}
	for _, code := range after {
		p.Hidden = append(p.Hidden, part.Hidden{Name: "role", Value: code})
	}
	side := c.Scope.Side()
	reach, err := h.reachText(c, account.ReachOf(side, after), personID)
	if err != nil {
		return nil, err
	}
	p.Facts = append(p.Facts, part.Item{Label: c.T("members.col.reach"), Text: reach})
	if account.Widens(side, before, after) {
		p.Checks = append(p.Checks, part.Check{Tone: part.Warn, Title: c.T("members.widens"), Text: c.T("members.widens_text", "Roles", roleNames(c, known, after), "Reach", reach)})
	}
	p.Grid = h.pagesGrid(c, would)
	return p, nil
}

// reachText says whose customers are seen, and how many that are now.
func (h *Handlers) reachText(c *Ctx, reach account.Reach, personID string) (string, error) {
	text := c.T(reach.Label())
	if c.Scope.Side() != scope.SidePartner || reach == account.ReachTeam {
		return text, nil
	}
	n, err := int64(0), error(nil)
	if reach == account.ReachOwn {
		if personID != "" {
			n, err = h.cared(c, personID)
		}
	} else {
		n, err = h.customersNow(c)
	}
	return text + c.T("members.reach_count", "Count", n), err
}

func (h *Handlers) customersNow(c *Ctx) (int64, error) {
	if !c.Scope.Has(scope.ItemCustomerView) {
		return 0, nil
	}
	all, err := h.Customers.Directory(c.ctx(), c.Scope)
	n, now := int64(0), h.Clock.Now()
	for i := range all {
		if all[i].Own(c.Org.ID) && all[i].InForce(now) {
			n++
		}
	}
	return n, err
}

// showPreview answers a program with the same.
func (h *Handlers) showPreview(c *Ctx, p *custview.Confirm) error {
	if !wantsJSON(c.Request()) {
		return c.page(http.StatusOK, p.Page())
	}
	var pages, warnings []string
	for _, row := range p.Grid.Rows {
		pages = append(pages, row[0].Text)
	}
	for _, x := range p.Checks {
		warnings = append(warnings, x.Title)
	}
	return c.JSON(http.StatusOK, map[string]any{"pages": pages, "warnings": warnings})
}

// pagesGrid is the menu somebody with that scope would have, with what could be done on each page.
func (h *Handlers) pagesGrid(c *Ctx, would scope.Scope) opsview.Grid {
	seen := *c
	seen.Scope = would
	g := opsview.Grid{ID: "pages", Title: c.T("roles.would_see"), Heads: []opsview.Head{{Text: c.T("roles.page")}, {Text: c.T("roles.place")}, {Text: c.T("roles.acts")}}}
	add := func(p place, above ...string) {
		if !h.may(&seen, p.path) {
			return
		}
		var names []string
		for _, key := range above {
			names = append(names, c.T(key))
		}
		g.Rows = append(g.Rows, []opsview.Cell{{Text: c.T(p.key)}, {Text: join(names, " › ")}, {Text: actsOf(&seen, p.path)}})
	}
	for _, a := range h.areas(&seen) {
		if a.page.key != "" {
			add(a.page)
		}
		for _, col := range a.columns {
			for _, p := range col.places {
				add(p, a.key, col.key)
			}
		}
	}
	for _, p := range besides {
		add(p, "roles.everywhere")
	}
	return g
}

// actsOf names what the actor may do on a page: the acts of the permission the page asks for.
func actsOf(c *Ctx, path string) string {
	r := pageAt[path]
	menus := map[string]bool{}
	all := scope.Catalogue(c.Scope.Side())
	for _, p := range all {
		if slices.Contains(r.Items, p.Item) && c.Scope.Has(p.Item) {
			menus[p.Menu] = true
		}
	}
	var acts []string
	for _, p := range all {
		if menus[p.Menu] && c.Scope.Has(p.Item) {
			_, _, act := p.Labels()
			if text := c.T(act); !slices.Contains(acts, text) {
				acts = append(acts, text)
			}
		}
	}
	return join(acts, c.T("portal.list.comma"))
}

// pagesFor names the pages of the menu that items open.
func pagesFor(c *Ctx, items []scope.Item) []string {
	var out []string
	for _, a := range menu {
		if !slices.Contains(a.sides, c.Scope.Side()) {
			continue
		}
		places := []place{}
		for _, g := range a.columns {
			places = append(places, g.places...)
		}
		if a.page.key != "" && len(a.columns) == 0 {
			places = append(places, a.page)
		}
		for _, p := range places {
			r, built := pageAt[p.path]
			opens := built && (len(r.Sides) == 0 || slices.Contains(r.Sides, c.Scope.Side())) && slices.ContainsFunc(r.Items, func(i scope.Item) bool { return slices.Contains(items, i) })
			if name := c.T(p.key); opens && !slices.Contains(out, name) {
				out = append(out, name)
			}
		}
	}
	return out
}
