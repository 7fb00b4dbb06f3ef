package portal

import (
	"slices"
	"strings"

	"huoban/internal/scope"
	"huoban/web/templates/layout"
	"huoban/web/templates/part"
)

// pagesOf are the GET routes of an organisation by their path below it.
func pagesOf(rows []Route) map[string]Route {
	pages := map[string]Route{}
	for _, r := range rows {
		if path, ok := strings.CutPrefix(r.Path, "/o/:org"); ok && r.Method == get && r.Title != "" {
			pages[path] = r
		}
	}
	return pages
}

// may tells whether the actor would be let into the page; one that is not built is for nobody.
func (h *Handlers) may(c *Ctx, path string) bool {
	r, built := h.pages[path]
	return built && (len(r.Sides) == 0 || slices.Contains(r.Sides, c.Scope.Side())) && c.Scope.Has(r.Items...)
}

// item is the place as the frame shows it.
func (p place) item(c *Ctx) layout.NavItem {
	return layout.NavItem{Key: p.key, Href: c.at(p.path), Current: p.holds(c), Shortcut: p.shortcut}
}

// holds tells whether the request is for the place or a page below it; 主页 holds only itself.
func (p place) holds(c *Ctx) bool {
	rest := strings.TrimPrefix(c.Request().URL.Path, c.at(""))
	if p.path == "" {
		return rest == "" || rest == "/"
	}
	return below(rest, p.path) && !slices.ContainsFunc(deeper[p.path], func(path string) bool { return below(rest, path) })
}

// below tells whether an address is a place or under it.
func below(rest, path string) bool {
	tail, under := strings.CutPrefix(rest, path)
	return under && (tail == "" || tail[0] == '/')
}

// deeper are the places of the menu below another one: a page belongs to the nearest.
var deeper = func() map[string][]string {
	out := map[string][]string{}
	for _, a := range menu {
		var all []string
		for _, g := range a.columns {
			for _, p := range g.places {
				all = append(all, p.path)
			}
		}
		for _, p := range all {
			for _, q := range all {
				if p != q && below(q, p) && !slices.Contains(out[p], q) {
					out[p] = append(out[p], q)
				}
			}
		}
	}
	return out
}()

// standing names the places of the menu, and besides it, that the request is for or below.
func (h *Handlers) standing(c *Ctx) string {
	rest := strings.TrimPrefix(c.Request().URL.Path, c.at(""))
	out := ""
	for _, path := range menuPaths {
		if path == rest || path == "" && rest == "/" || path != "" && strings.HasPrefix(rest, path) && rest[len(path)] == '/' {
			out += path + "\n"
		}
	}
	return out
}

// menuPaths are the pages of the menu and those besides it, each once.
var menuPaths = func() []string {
	var out []string
	add := func(p place) {
		if p.key != "" && !slices.Contains(out, p.path) {
			out = append(out, p.path)
		}
	}
	for _, a := range menu {
		add(a.page)
		for _, g := range a.columns {
			for _, p := range g.places {
				add(p)
			}
		}
	}
	for _, p := range besides {
		add(p)
	}
	return out
}()

// seen are the columns of an area with what the actor may see of them; empty ones are left out.
func (a menuArea) seen(h *Handlers, c *Ctx) []column {
	var out []column
	for _, g := range a.columns {
		shown := column{key: g.key}
		for _, p := range g.places {
			if h.may(c, p.path) {
				shown.places = append(shown.places, p)
			}
		}
		if len(shown.places) > 0 {
			out = append(out, shown)
		}
	}
	return out
}

// areas are the menu of the actor's side with what the actor may see.
func (h *Handlers) areas(c *Ctx) []menuArea {
	var out []menuArea
	for _, a := range menu {
		if !slices.Contains(a.sides, c.Scope.Side()) {
			continue
		}
		a.columns = a.seen(h, c)
		if len(a.columns) > 0 || a.page.key != "" && h.may(c, a.page.path) {
			out = append(out, a)
		}
	}
	return out
}

// nav is the menu as this actor may see it.
func (h *Handlers) nav(c *Ctx) layout.Nav {
	var nav layout.Nav
	for _, a := range h.areas(c) {
		nav.Areas = append(nav.Areas, a.entry(c))
		if last := &nav.Areas[len(nav.Areas)-1]; last.Current {
			nav.Side = last.Groups
		}
	}
	return nav
}

// entry is an area in the top bar. An area of one page leads there.
func (a menuArea) entry(c *Ctx) layout.Area {
	if len(a.columns) == 0 {
		return layout.Area{NavItem: a.page.item(c)}
	}
	if len(a.columns) == 1 && len(a.columns[0].places) == 1 {
		only := a.columns[0].places[0].item(c)
		only.Key = a.key
		return layout.Area{NavItem: only}
	}
	out := layout.Area{NavItem: layout.NavItem{Key: a.key}}
	for _, g := range a.columns {
		group := layout.NavGroup{Key: g.key}
		for _, p := range g.places {
			group.Items = append(group.Items, p.item(c))
			out.Current = out.Current || p.holds(c)
		}
		out.Groups = append(out.Groups, group)
	}
	return out
}

// trail is where the page stands in the menu: area and column. A flat menu has neither, and what stands
// beside the menu is found from 主页.
func (h *Handlers) trail(c *Ctx) []part.Link {
	for _, a := range h.areas(c) {
		if a.page.key != "" && a.page.holds(c) {
			return nil
		}
		for _, g := range a.columns {
			for _, p := range g.places {
				if p.holds(c) {
					return []part.Link{{Text: c.T(a.key)}, {Text: c.T(g.key)}}
				}
			}
		}
	}
	home := "nav.area.home"
	if c.Scope.Side() == scope.SideVendor {
		home = "nav.area.desk"
	}
	return []part.Link{{Text: c.T(home), Href: c.at("")}}
}

// crumbs lead from the menu to the page; the last one is the page itself, without address.
func (c *Ctx) crumbs(links ...part.Link) []part.Link {
	if c.trail == nil && c.Org.ID != "" {
		c.trail = c.h.trail(c)
	}
	var out []part.Link
	all := append(slices.Clone(c.trail), links...)
	for i, x := range all { // an area may be called as its column or its first page is
		if x.Href != "" || !slices.ContainsFunc(all[i+1:], func(later part.Link) bool { return later.Text == x.Text }) {
			out = append(out, x)
		}
	}
	return out
}
