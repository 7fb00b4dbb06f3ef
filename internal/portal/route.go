package portal

import (
	"regexp"

	"huoban/internal/flow"
	"huoban/internal/scope"
	"huoban/internal/sorted"
)

// Route is one row of the table: what a URL is, who may call it, and which parameters name things.
type Route struct {
	Method string
	Path   string // echo form, parameters as :name
	Name   string
	Public bool         // anybody, signed in or not
	Self   bool         // any signed-in person, for what is one's own
	Sides  []scope.Side // which sides may see it; empty = every side
	Items  []scope.Item // any one of these is enough; empty with neither Public nor Self is a mistake
	Also   []scope.Item // and each of these

	Once    bool // a GET that takes something that is there once: a HEAD is answered without it
	Foreign bool // a POST that other sites send, whose handler checks it by other means than where it came from

	Query  []string // query or form parameters that name a stored thing
	Title  string   // i18n key of the page's title; GET pages only
	NoList string   // what a page is that shows no list of its own: "form"; a list has an export (lists.go)
	Do     func(h *Handlers, c *Ctx) error

	machine flow.Machine // whose action a POST fires, if any
	act     string       // that action
}

// moves says of a POST which action of which machine it fires: what it reads of the form, and which version of the thing
// the page showed, is judged by the machine's table.
func (r Route) moves(m flow.Machine, act string) Route {
	r.machine, r.act = m, act
	return r
}

// noList says of a page that it shows no list of its own, and what instead.
func (r Route) noList(what string) Route {
	r.NoList = what
	return r
}

// muxPattern is an echo path as net/http writes it.
func muxPattern(path string) string { return pathParam.ReplaceAllString(path, "{$1}") }

var pathParam = regexp.MustCompile(`:([a-z]+)`)

// IDs lists the parameters that name stored things, in the path first.
func (r Route) IDs() []string {
	ids := []string{}
	for _, m := range pathParam.FindAllStringSubmatch(r.Path, -1) {
		ids = append(ids, m[1])
	}
	return append(ids, r.Query...)
}

// RouteInfo is what `portal routes --json` says of a route.
type RouteInfo struct {
	Method     string   `json:"method"`
	Path       string   `json:"path"`
	Name       string   `json:"name"`
	Public     bool     `json:"public,omitempty"`
	SignedIn   bool     `json:"signed_in,omitempty"`
	Foreign    bool     `json:"cross_origin,omitempty"` // other sites may post here
	Once       bool     `json:"once,omitempty"`         // takes what is there once, which a HEAD does not
	Permission []string `json:"permission,omitempty"`   // any one is enough
	Also       []string `json:"also,omitempty"`         // and each of these
	Sides      []string `json:"sides,omitempty"`
	IDs        []string `json:"ids"`
}

// Routes lists the table, in order of path and method.
func Routes() []RouteInfo {
	var out []RouteInfo
	for _, r := range table() {
		info := RouteInfo{Method: r.Method, Path: r.Path, Name: r.Name, Public: r.Public, SignedIn: r.Self, Foreign: r.Foreign, Once: r.Once, IDs: r.IDs()}
		for _, i := range r.Items {
			info.Permission = append(info.Permission, string(i))
		}
		for _, i := range r.Also {
			info.Also = append(info.Also, string(i))
		}
		for _, s := range r.Sides {
			info.Sides = append(info.Sides, string(s))
		}
		out = append(out, info)
	}
	sorted.By(out, func(a, b RouteInfo) int {
		if a.Path != b.Path {
			if a.Path < b.Path {
				return -1
			}
			return 1
		}
		if a.Method < b.Method {
			return -1
		}
		return 1
	})
	return out
}
