package portal

import (
	"context"
	"net/url"
	"slices"
	"strings"
	"unicode"

	"huoban/internal/audit"
	"huoban/internal/fault"
	"huoban/web/templates/layout"
	"huoban/web/templates/part"
)

// savedView is a filter of a list that a person named (视图). It is an address and nothing else, so that it shows
// what the person may see when it is opened.
type savedView struct{ name, query string }

// What is kept of a list is bounded.
const (
	maxViews     = 20
	maxViewName  = 40
	maxViewQuery = 2000
)

// momentary are the parameters that are no filter: the month, which stays the one that is looked at, the place in
// the list, and what was just done.
var momentary = []string{"cycle", "after", "before", "until", "why", "done", "size"}

// viewed takes an address of the organisation apart: the page, and its filter in one order. False is none that can
// be named.
func (h *Handlers) viewed(c *Ctx, address string) (path string, filter url.Values, ok bool) {
	u, err := url.Parse(layout.SafeNext(address))
	if err != nil {
		return "", nil, false
	}
	path, ok = strings.CutPrefix(u.Path, "/o/"+c.Org.Code)
	filter = u.Query()
	for _, name := range momentary {
		filter.Del(name)
	}
	return path, filter, ok && path != "" && h.may(c, path)
}

// views offers the views of a page, and to name the filter that is set; nil where the page is one of several, or
// shows one thing only.
func (h *Handlers) views(c *Ctx, address string) (*part.Views, error) {
	here, query, _ := strings.Cut(address, "?")
	path, ok := strings.CutPrefix(here, "/o/"+c.Org.Code)
	if !ok || path == "" || !h.may(c, path) {
		return nil, nil
	}
	chosen, err := h.tasteOf(c)
	if err != nil {
		return nil, err
	}
	v := &part.Views{Save: part.Post{Action: c.at("/views"), Hidden: append(c.freshKey(), part.Hidden{Name: "next", Value: address})}, Most: maxViewName}
	if len(mineOf(chosen, c.Org.ID)) > 0 {
		v.All = c.at("/views")
	}
	mine := chosen.views[c.Org.ID+path]
	if len(mine) == 0 {
		return v, nil
	}
	_, filter, ok := h.viewed(c, address)
	now, err := url.ParseQuery(query)
	if !ok || err != nil {
		return nil, nil
	}
	for _, x := range mine {
		one, err := url.ParseQuery(x.query)
		if err != nil {
			continue
		}
		current := one.Encode() == filter.Encode()
		if month := now.Get("cycle"); month != "" {
			one.Set("cycle", month)
		}
		href := c.at(path)
		if len(one) > 0 {
			href += "?" + one.Encode()
		}
		v.Items = append(v.Items, part.View{Name: x.name, Href: href, Current: current,
			Drop: part.Post{Action: c.at("/views/removal"), Hidden: append(c.freshKey(), part.Hidden{Name: "next", Value: address}, part.Hidden{Name: "name", Value: x.name})}})
	}
	return v, nil
}

// saveView keeps the filter of a page under a name. Faults: list.view_name, list.view_many.
func (h *Handlers) saveView(c *Ctx) error {
	if err := c.readForm(); err != nil {
		return err
	}
	path, filter, ok := h.viewed(c, c.param("next"))
	if !ok {
		return notFound()
	}
	name, query := strings.TrimSpace(c.param("name")), filter.Encode()
	if n := len([]rune(name)); n < 1 || n > maxViewName || strings.ContainsFunc(name, unicode.IsControl) {
		return fault.Invalid("list.view_name", fault.Args{"limit": int64(maxViewName)})
	}
	if len(query) > maxViewQuery {
		return fault.Invalid("request.malformed", nil)
	}
	chosen, err := h.tasteOf(c)
	if err != nil {
		return err
	}
	kept := chosen.views[c.Org.ID+path]
	if len(kept) >= maxViews && !slices.ContainsFunc(kept, func(x savedView) bool { return x.name == name }) {
		return fault.Conflict("list.view_many", fault.Args{"limit": int64(maxViews)})
	}
	return h.taken(c, answer{Location: layout.SafeNext(c.param("next")), Body: map[string]any{"page": path, "name": name, "query": query}},
		audit.Entry{Action: "list.view", Object: "list:" + path, Detail: map[string]any{"name": name, "query": query}},
		func(ctx context.Context) error {
			return h.Columns.SetView(ctx, c.Person.ID, c.Org.ID, path, name, query)
		})
}

// removeView gives a view up; one that is not there is gone already.
func (h *Handlers) removeView(c *Ctx) error {
	if err := c.readForm(); err != nil {
		return err
	}
	path, _, ok := h.viewed(c, c.param("next"))
	if !ok {
		return notFound()
	}
	name := c.param("name")
	return h.taken(c, answer{Location: layout.SafeNext(c.param("next")), Body: map[string]any{"page": path, "name": name}},
		audit.Entry{Action: "list.view_removal", Object: "list:" + path, Detail: map[string]any{"name": name}},
		func(ctx context.Context) error { return h.Columns.DropView(ctx, c.Person.ID, c.Org.ID, path, name) })
}

// taken keeps what a person chose of a list, with its entry, in one transaction whether the request has a key or
// not.
func (h *Handlers) taken(c *Ctx, a answer, e audit.Entry, keep func(ctx context.Context) error) error {
	e.Actor, e.OrgID = c.Person.Login, c.Org.ID
	return h.once(c, func(ctx context.Context) (answer, error) {
		return a, h.Tx.InTx(ctx, func(ctx context.Context) error {
			if err := keep(ctx); err != nil {
				return err
			}
			return h.Audit.Record(ctx, e)
		})
	})
}
