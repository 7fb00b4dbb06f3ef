package portal

import (
	"slices"
	"sync"

	"huoban/internal/account"
	"huoban/internal/fault"
	"huoban/internal/i18n"
	"huoban/internal/news"
	"huoban/internal/organisation"
	"huoban/internal/scope"
	"huoban/web/templates/homeview"
	"huoban/web/templates/layout"
	"huoban/web/templates/part"
)

// actor is a person acting for an organisation, and the frame as that person sees it but for what
// belongs to one request. It is not changed once made, because requests share it.
type actor struct {
	person account.Person
	member account.Membership
	org    organisation.Organisation
	scope  scope.Scope
	env    layout.Env
	taste  *taste
	frame  string // role and organisations, which the scope does not tell
	around around
	coming comingNotices

	customers remembered[*homeview.Customers] // of the front page
	placing   remembered[[]duty]              // customers and managers to be placed
	told      remembered[[]news.Item]         // announcements
}

// around keeps the frames of an actor by place of the menu, for as long as the actor is kept.
type around struct {
	mu    sync.Mutex
	known map[string]*surroundings
}

// surroundings are the frame in one place of the menu and the trail that leads there.
type surroundings struct {
	frame layout.Kept
	trail []part.Link
}

// maxPlaces bounds the places one actor keeps; there are fewer in any menu.
const maxPlaces = 64

// at gives the surroundings of the request's place in the menu.
func (a *around) at(c *Ctx) *surroundings {
	place := c.h.standing(c)
	a.mu.Lock()
	defer a.mu.Unlock()
	x := a.known[place]
	if x == nil {
		nav := c.h.nav(c)
		x = &surroundings{trail: c.h.trail(c), frame: layout.Kept{Nav: func() layout.Nav { return nav }}}
		if a.known == nil || len(a.known) >= maxPlaces {
			a.known = map[string]*surroundings{}
		}
		a.known[place] = x
	}
	return x
}

type actorKey struct {
	person, org string
	lang        i18n.Lang
}

// maxActors bounds what is kept; beyond it everybody is read anew.
const maxActors = 4096

// actorBook keeps who people are for as long as nothing has changed: the version is read from the database
// with each session, and every write of persons, roles, organisations and assignments moves it.
type actorBook struct {
	mu      sync.Mutex
	version int64
	known   map[actorKey]*actor
}

// get gives the actor known at the version.
func (a *actorBook) get(version int64, k actorKey) *actor {
	a.mu.Lock()
	defer a.mu.Unlock()
	if version != a.version {
		return nil
	}
	return a.known[k]
}

// put keeps an actor that was read after the version was; an older version is not kept.
func (a *actorBook) put(version int64, k actorKey, x *actor) {
	a.mu.Lock()
	defer a.mu.Unlock()
	if version < a.version {
		return
	}
	if version > a.version || a.known == nil || len(a.known) >= maxActors {
		a.version, a.known = version, map[actorKey]*actor{}
	}
	a.known[k] = x
}

// actor finds who the person of the session is here. Nobody is nil: the account is gone or disabled.
func (h *Handlers) actor(c *Ctx, personID string) (*actor, error) {
	version := h.Sessions.Version(c.ctx())
	k := actorKey{personID, c.Param("org"), i18n.From(c.ctx())}
	if x := h.actors.get(version, k); x != nil {
		return x, nil
	}
	x, err := h.readActor(c, personID)
	if err == nil && x != nil {
		h.actors.put(version, k, x)
	}
	return x, err
}

func (h *Handlers) readActor(c *Ctx, personID string) (*actor, error) {
	ctx := c.ctx()
	p, err := h.Accounts.PersonByID(ctx, personID)
	if fault.Is(err, fault.KindNotFound) || err == nil && p.State != account.PersonActive {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	x := &actor{person: p}
	c.Person = p // who asks is known even where the organisation is refused
	members, err := h.Accounts.Memberships(ctx, p)
	if err != nil {
		return nil, err
	}
	if code := c.Param("org"); code != "" {
		if x.scope, err = h.Accounts.ScopeOf(ctx, p, code); err != nil {
			return nil, err
		}
		i := slices.IndexFunc(members, func(m account.Membership) bool { return m.Organisation.ID == x.scope.OrgID() })
		x.member, x.org = members[i], members[i].Organisation
	}
	if x.taste, err = h.tasteOf(c); err != nil {
		return nil, err
	}
	x.env.Person = p.Name
	if x.env.Person == "" {
		x.env.Person = p.Login
	}
	for _, m := range members {
		x.env.Orgs = append(x.env.Orgs, layout.Org{Code: m.Organisation.Code, Name: m.Organisation.Name, Href: "/o/" + m.Organisation.Code, Role: roleLabel(c, m)})
		x.frame += m.Organisation.Code + "\x00" + roleLabel(c, m) + "\x00"
	}
	if x.org.ID != "" {
		x.frameOf(c)
	}
	return x, nil
}

// frameOf fills what the frame shows inside an organisation.
func (x *actor) frameOf(c *Ctx) {
	x.env.Org = layout.Org{Code: x.org.Code, Name: x.org.Name, Href: "/o/" + x.org.Code}
	x.env.Ops = x.scope.Side() == scope.SideVendor
	x.env.Role = roleLabel(c, x.member)
	x.frame += x.env.Role
}
