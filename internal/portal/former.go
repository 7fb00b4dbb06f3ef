package portal

import (
	"context"
	"net/http"
	"strings"

	"github.com/labstack/echo/v4"

	"huoban/internal/fault"
	"huoban/internal/i18n"
	"huoban/web/templates/layout"
)

// formerPaths maps every menu path a page has or had, written with slashes, to the page. A page that is
// not built has none.
func formerPaths(pages map[string]Route) map[string]string {
	out := map[string]string{}
	note := func(was, path string) {
		if _, built := pages[path]; built {
			out[was] = path
		}
	}
	for _, a := range menu {
		for _, g := range a.columns {
			for _, p := range g.places {
				for _, l := range i18n.Langs {
					say := func(key string) string { return i18n.T(i18n.With(context.Background(), l), key) }
					note(say(g.key)+"/"+say(p.key), p.path)
					note(say(a.key)+"/"+say(g.key)+"/"+say(p.key), p.path)
				}
			}
		}
	}
	for _, f := range former {
		note(f.was, f.path)
		note(salesPrefix+f.was, f.path)
	}
	return out
}

// salesPrefix is the area most former paths began with, in one of the earlier menus.
const salesPrefix = "销售/"

// cutOrg splits an address into the organisation's code, if it names one, and the rest.
func cutOrg(path string) (code, rest string) {
	rest = strings.Trim(path, "/")
	if below, ok := strings.CutPrefix(rest, "o/"); ok {
		code, rest, _ = strings.Cut(below, "/")
	}
	return code, rest
}

// nowhere answers an address the table does not know: a former path of the menu leads on to its page of
// today, with the query; anything else is absent. The page itself decides who may see it.
func (h *Handlers) nowhere(ec echo.Context) error {
	absent := fault.NotFound("request.no_page", nil)
	c, ok := ec.Get(ctxKey).(*Ctx)
	r := ec.Request()
	if !ok || r.Method != http.MethodGet && r.Method != http.MethodHead {
		return absent
	}
	code, was := cutOrg(r.URL.Path)
	path, known := h.former[was]
	if !known {
		return absent
	}
	c.SetParamNames("org")
	c.SetParamValues(code)
	if err := h.identify(c); err != nil {
		return err
	}
	if c.Person.ID == "" {
		return fault.New(fault.KindUnauthenticated, "session.none", nil)
	}
	to := layout.From(c.ctx()).HomeHref + path
	if r.URL.RawQuery != "" {
		to += "?" + r.URL.RawQuery
	}
	return c.Redirect(http.StatusMovedPermanently, to)
}
