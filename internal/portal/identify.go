package portal

import (
	"fmt"
	"net/http"
	"runtime/debug"
	"slices"
	"strings"

	"huoban/internal/account"
	"huoban/internal/fault"
	"huoban/internal/hosted"
	"huoban/internal/i18n"
	"huoban/web/templates/layout"
)

func sprint(v any) string { return fmt.Sprintf("%v\n%s", v, debug.Stack()) }

// prepare sets the language.
func (h *Handlers) prepare(c *Ctx) {
	ctx := c.ctx()
	c.lang = i18n.FromRequest(c.Request(), h.Sessions.Language(ctx))
	c.SetRequest(c.Request().WithContext(i18n.With(ctx, c.lang)))
}

// dress gives the request the frame of somebody unknown, unless it has one: most get their own and never need it.
func (h *Handlers) dress(c *Ctx) {
	if !c.dressed {
		c.enrich(c.ctx(), h.env(c))
	}
}

// env is the frame's view of the request of nobody in particular.
func (h *Handlers) env(c *Ctx) layout.Env {
	ctx := c.ctx()
	return layout.Env{Path: c.Request().URL.RequestURI(), Theme: layout.ParseTheme(h.Sessions.Theme(ctx)), Version: h.Version}
}

// identify finds the person of the session and, inside /o/:org, the organisation and scope. A person
// who must change the password reaches nothing else first.
func (h *Handlers) identify(c *Ctx) error {
	ctx := c.ctx()
	personID := h.Sessions.PersonID(ctx)
	if personID == "" {
		h.dress(c)
		return nil
	}
	if living, err := h.living(c); err != nil {
		return err
	} else if !living {
		h.dress(c)
		return h.expel(c)
	}
	x, err := h.actor(c, personID)
	if err != nil {
		return err
	}
	if x == nil {
		h.dress(c)
		return h.Sessions.SignOut(c.ctx())
	}
	c.who = x
	c.Person, c.Scope, c.Member, c.Org, c.taste, c.frame = x.person, x.scope, x.member, x.org, x.taste, x.frame
	env := x.env
	env.Path, env.Theme, env.Version = c.Request().URL.RequestURI(), layout.ParseTheme(h.Sessions.Theme(ctx)), h.Version
	if len(env.Orgs) > 0 {
		env.HomeHref = env.Orgs[h.chosen(c, env.Orgs)].Href
	}
	if c.Org.ID != "" {
		if err := h.envOfOrg(c, &env); err != nil {
			return err
		}
	}
	if c.Org.ID != "" {
		here := x.around.at(c)
		env.Around, c.trail = &here.frame, here.trail
	}
	c.enrich(ctx, env)
	return nil
}

// expel ends a session that may go on no longer. The consoles it visits are left too: the browser goes round them before
// the next page; until then nobody is signed in.
func (h *Handlers) expel(c *Ctx) error {
	group := h.Sessions.Value(c.ctx(), hosted.ValueVisits)
	if h.Hosted == nil || group == "" {
		return h.Sessions.SignOut(c.ctx())
	}
	r := c.Request()
	if r.Method != http.MethodGet || wantsJSON(r) || strings.HasPrefix(r.URL.Path, "/saml/") || strings.HasPrefix(r.URL.Path, "/api/") {
		return nil
	}
	if err := h.Sessions.SignOut(c.ctx()); err != nil {
		return err
	}
	l, err := h.Hosted.Leave(c.ctx(), "sso", group, "")
	if fault.HasCode(err, "hosted.leaving_unknown") {
		return nil
	}
	if err != nil {
		return err
	}
	on, err := h.hostByID(c, &hostAt{}, l.HostID)
	if err == nil {
		c.away = on.path("/leaving/" + l.ID)
	}
	return err
}

// envOfOrg adds what belongs to this request.
func (h *Handlers) envOfOrg(c *Ctx, env *layout.Env) error {
	env.HomeHref = c.at("")
	if h.may(c, pathSearch) {
		env.SearchHref = c.at(pathSearch)
	}
	for _, p := range besides {
		if !h.may(c, p.path) {
			continue
		}
		switch p.path {
		case pathMessages:
			env.Messages = p.item(c)
		case pathExports:
			env.Exports = p.item(c)
		}
	}
	env.Unread = int(h.Sessions.Unread(c.ctx()))
	var err error
	env.Bars, err = h.bars(c)
	return err
}

// chosen is the membership the person acts for until an address says otherwise: the last one switched to,
// else the first.
func (h *Handlers) chosen(c *Ctx, orgs []layout.Org) int {
	code := h.Sessions.Organisation(c.ctx())
	return max(0, slices.IndexFunc(orgs, func(o layout.Org) bool { return o.Code == code }))
}

// roleLabel names the roles of a membership.
func roleLabel(c *Ctx, m account.Membership) string {
	var labels []string
	for _, code := range m.Roles {
		key := "account.role." + string(account.SideOf(m.Organisation.Kind)) + "." + code
		if i18n.Has(key) {
			labels = append(labels, c.T(key))
		} else if name := m.Named[code]; name != "" {
			labels = append(labels, name)
		} else {
			labels = append(labels, code)
		}
	}
	return join(labels, c.T("portal.list.comma"))
}

// authorise: a public route is for everybody, a self route for every signed-in person; any other
// needs the side and one of the items.
func (h *Handlers) authorise(c *Ctx) error {
	r := c.Route
	if r.Public {
		return nil
	}
	if c.Person.ID == "" {
		return fault.New(fault.KindUnauthenticated, "session.none", nil)
	}
	if c.Person.MustChange && !r.Self {
		return fault.Denied("account.must_change", nil)
	}
	if r.Self {
		return nil
	}
	if len(r.Sides) > 0 && !slices.Contains(r.Sides, c.Scope.Side()) {
		return fault.NotFound("request.no_page", nil)
	}
	if err := c.Scope.Require(r.Items...); err != nil {
		return err
	}
	for _, i := range r.Also {
		if err := c.Scope.Require(i); err != nil {
			return err
		}
	}
	return nil
}

// helpers names who can give a missing permission.
func (h *Handlers) helpers(c *Ctx) string {
	if c.Org.ID == "" {
		return ""
	}
	names, err := h.Accounts.Administrators(c.ctx(), c.Org.ID)
	if err != nil {
		return ""
	}
	return join(names, c.T("portal.list.comma"))
}

func join(parts []string, comma string) string {
	out := ""
	for i, p := range parts {
		if i > 0 {
			out += comma
		}
		out += p
	}
	return out
}
