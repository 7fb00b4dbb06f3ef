package portal

import (
	"context"
	"net/http"
	"strings"

	"github.com/a-h/templ"
	"github.com/labstack/echo/v4"

	"huoban/internal/account"
	"huoban/internal/audit"
	"huoban/internal/i18n"
	"huoban/internal/organisation"
	"huoban/internal/scope"
	"huoban/web/templates/layout"
	"huoban/web/templates/part"
)

type numberKey struct{}

func withNumber(ctx context.Context, number string) context.Context {
	return context.WithValue(ctx, numberKey{}, number)
}

func numberOf(ctx context.Context) string {
	s, _ := ctx.Value(numberKey{}).(string)
	return s
}

// Ctx is one request: who asks, for which organisation, with which scope.
type Ctx struct {
	echo.Context
	Route  Route
	Person account.Person            // zero where nobody is signed in
	Org    organisation.Organisation // zero outside /o/:org
	Member account.Membership
	Scope  scope.Scope
	open   bool     // masked names are shown, once
	eye    string   // the list whose eye is used
	away   string   // where a session that was ended goes first
	seen   []string // codes of the customers whose names that shows

	trail   []part.Link // area and column of the menu the page stands in
	who     *actor      // nil where nobody is signed in
	taste   *taste      // what the person chose of lists
	frame   string      // what the frame shows of the actor besides the scope
	dressed bool        // the context has a frame
	marked  bool        // a page is being made that will be kept: what is this request's own is marked
	lang    i18n.Lang   // "" = the context's
	h       *Handlers
}

// ctx is the request's context, with language and audit metadata.
func (c *Ctx) ctx() context.Context { return c.Request().Context() }

// at is an address inside the organisation.
func (c *Ctx) at(path string) string { return "/o/" + c.Org.Code + path }

// T translates.
func (c *Ctx) T(key string, pairs ...any) string {
	l := c.lang
	if l == "" {
		l = i18n.From(c.ctx())
	}
	return i18n.In(l, key, pairs...)
}

// page renders to a buffer first, so that a page that fails half way becomes a clean error.
func (c *Ctx) page(status int, component templ.Component) error {
	if err := c.tellSeen(); err != nil {
		return err
	}
	return part.Whole(c.framed(), component, func(page []byte) error { return c.send(status, page) })
}

// made is page of a component that is yet to be made.
func (c *Ctx) made(status int, make func() (templ.Component, error)) error {
	component, err := make()
	if err != nil {
		return err
	}
	return c.page(status, component)
}

// framed is the request's context with the navigation, which only what is rendered needs.
func (c *Ctx) framed() context.Context {
	env := layout.From(c.ctx())
	if c.Org.ID == "" || env.Around != nil || len(env.Nav.Areas) > 0 {
		return c.ctx()
	}
	env.Nav = c.h.nav(c)
	return layout.With(c.ctx(), env)
}

// wantsJSON tells whether the caller is a program: it says so in Accept.
func wantsJSON(r *http.Request) bool {
	return strings.Contains(r.Header.Get("Accept"), "application/json")
}

// seeOther leads on after a form; a program gets the address as JSON.
func (c *Ctx) seeOther(path string) error {
	path = layout.SafeNext(path)
	if wantsJSON(c.Request()) {
		return c.JSON(http.StatusOK, map[string]string{"location": path})
	}
	return c.Redirect(http.StatusSeeOther, path)
}

// enrich puts what frame and audit need into the request's context.
func (c *Ctx) enrich(ctx context.Context, env layout.Env) {
	c.dressed = true
	ctx = layout.With(ctx, env)
	ctx = audit.WithRequest(ctx, audit.Request{ID: numberOf(ctx), IP: c.RealIP(), OnBehalf: c.Org.Code})
	c.SetRequest(c.Request().WithContext(ctx))
}
