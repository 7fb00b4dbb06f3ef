package e2e

import (
	"net/http"
	"net/url"
	"slices"
	"strings"
	"testing"

	"huoban/internal/app"
	"huoban/internal/portal"
)

// cast gives one account of every role at every kind of organisation, in the order of the demo.
func (w *world) cast() []app.DemoAccount {
	var out []app.DemoAccount
	seen := map[string]bool{}
	for _, a := range w.list {
		if k := a.Kind + " " + a.Role; !seen[k] {
			seen[k] = true
			out = append(out, a)
		}
	}
	return out
}

// routeOf finds the GET route an address belongs to; of several that match, the one with the fewest
// parameters.
func routeOf(path string) (portal.RouteInfo, bool) {
	var found portal.RouteInfo
	best := -1
	for _, r := range portal.Routes() {
		if r.Method != http.MethodGet {
			continue
		}
		if n := matchRoute(r.Path, path); n >= 0 && (best < 0 || n < best) {
			found, best = r, n
		}
	}
	return found, best >= 0
}

// matchRoute counts the parameters a path fills, or says -1.
func matchRoute(pattern, path string) int {
	want, got := strings.Split(pattern, "/"), strings.Split(strings.TrimSuffix(path, "/"), "/")
	if path == "/" {
		got = []string{"", ""}
	}
	if len(want) != len(got) {
		return -1
	}
	n := 0
	for i := range want {
		if strings.HasPrefix(want[i], ":") && got[i] != "" {
			n++
		} else if want[i] != got[i] {
			return -1
		}
	}
	return n
}

// reached is what a crawl found: an address for every page, and the routes that answer with a file.
type reached struct {
	pages map[string]string // route name to the first address that answered
	files map[string]bool
}

// crawl follows the links of somebody signed in, a few of every route, as far as they go.
func (w *world) crawl(t *testing.T, c *client, start string) reached {
	t.Helper()
	out := reached{pages: map[string]string{}, files: map[string]bool{}}
	asked, met := map[string]int{}, map[string]bool{start: true}
	for queue := []string{start}; len(queue) > 0; queue = queue[1:] {
		at := queue[0]
		u, err := url.Parse(at)
		if err != nil {
			t.Errorf("%s: %v", at, err)
			continue
		}
		r, ok := routeOf(u.Path)
		if !ok || asked[r.Name] >= 2 || out.files[r.Name] {
			continue
		}
		asked[r.Name]++
		got := c.get(at)
		if got.status != http.StatusOK {
			if got.status != http.StatusSeeOther {
				t.Errorf("a link leads to %s, which answers %d", at, got.status)
			}
			continue
		}
		if !strings.HasPrefix(got.header.Get("Content-Type"), "text/html") {
			out.files[r.Name] = true
			continue
		}
		if out.pages[r.Name] == "" {
			out.pages[r.Name] = at
		}
		for _, href := range got.page(t).Find("a[href^='/']").Map(attr("href")) {
			href, _, _ = strings.Cut(href, "#")
			if !met[href] && !strings.HasPrefix(href, "/static/") {
				met[href] = true
				queue = append(queue, href)
			}
		}
	}
	return out
}

// stopsOf lists what the table of routes offers each kind of actor, by following links; curated stops
// that show a page to the same person stand already. The first who sees a page sees it in every guise,
// the others in one. A page that nothing links to is an error, unless it is visited by hand. It gives the
// routes that are pages too.
func (w *world) stopsOf(t *testing.T, curated []stop, cast []app.DemoAccount) (stops []stop, pages []string) {
	t.Helper()
	have, known, files := map[string]bool{}, map[string]bool{}, map[string]bool{}
	for _, s := range curated {
		have[s.who+" "+s.route], known[s.route] = true, true
	}
	stops = slices.Clone(curated)
	for _, a := range cast {
		found := w.crawl(t, w.signIn(t, a.Username), "/o/"+a.Organisation)
		for name := range found.files {
			files[name] = true
		}
		for _, name := range sorted(found.pages) {
			if have[a.Username+" "+name] {
				continue
			}
			stops = append(stops, stop{route: name, who: a.Username, path: found.pages[name], once: known[name]})
			known[name] = true
		}
	}
	for _, r := range portal.Routes() {
		if r.Method != http.MethodGet || files[r.Name] || slices.Contains(noPage, r.Name) {
			continue
		}
		pages = append(pages, r.Name)
		if !known[r.Name] && !slices.Contains(apart, r.Name) {
			t.Errorf("no link leads to %s (%s) and nothing visits it", r.Name, r.Path)
		}
	}
	return stops, pages
}

func sorted[V any](m map[string]V) []string {
	out := make([]string, 0, len(m))
	for k := range m {
		out = append(out, k)
	}
	slices.Sort(out)
	return out
}
