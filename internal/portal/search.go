package portal

import (
	"net/http"
	"slices"
	"sort"
	"strings"
	"unicode"

	"huoban/internal/i18n"
	"huoban/web/templates/homeview"
	"huoban/web/templates/layout"
	"huoban/web/templates/part"
)

const pathSearch = "/search"

// maxQuery bounds what is searched for; names are short.
const maxQuery = 64

// page is one that can be searched for.
type page struct {
	path  string
	key   string   // its name
	above []string // keys of area and column
	was   []old    // former paths of it and of its tabs
}

// index are the pages the actor may see, by the menu first. A page that needs to be told of what it
// shows (/deliveries/:id) has no address of its own and is not searched for.
func (h *Handlers) index(c *Ctx) []page {
	var out []page
	seen := map[string]bool{pathSearch: true}
	add := func(path, key string, above ...string) {
		if seen[path] || !h.may(c, path) {
			return
		}
		seen[path] = true
		out = append(out, page{path: path, key: key, above: above, was: h.wasOf(c, path)})
	}
	for _, a := range h.areas(c) {
		if a.page.key != "" {
			add(a.page.path, a.page.key)
		}
		for _, g := range a.columns {
			for _, p := range g.places {
				add(p.path, p.key, a.key, g.key)
			}
		}
	}
	for _, p := range besides {
		add(p.path, p.key)
	}
	var rest []string
	for path, r := range h.pages {
		// Pages that share a title are tabs of the one in the menu.
		tab := slices.ContainsFunc(out, func(p page) bool { return h.pages[p.path].Title == r.Title })
		if !tab && !strings.Contains(path, ":") {
			rest = append(rest, path)
		}
	}
	sort.Strings(rest)
	for _, path := range rest {
		add(path, h.pages[path].Title)
	}
	return out
}

// wasOf are the paths that the page and its tabs had.
func (h *Handlers) wasOf(c *Ctx, path string) []old {
	var out []old
	for _, f := range former {
		if h.may(c, f.path) && (f.path == path || path != "" && strings.HasPrefix(f.path, path+"/")) {
			out = append(out, f)
		}
	}
	return out
}

// words are what is searched for, whatever a menu path is written with between its parts.
func words(q string) []string {
	if r := []rune(q); len(r) > maxQuery {
		q = string(r[:maxQuery])
	}
	return strings.FieldsFunc(strings.ToLower(q), func(r rune) bool {
		return unicode.IsSpace(r) || strings.ContainsRune(">/›»·,，、-", r)
	})
}

// weigh tells how well the page fits the words: 0 is not at all. Its name counts most, then a former
// path, then the area and column it stands in, which also decide between names that fit alike; every word must
// be found, in either language.
func (p page) weigh(c *Ctx, words []string) (weight int, was old) {
	for _, w := range words {
		best, within := 0, 0
		for _, l := range i18n.Langs {
			ctx := i18n.With(c.ctx(), l)
			name := strings.ToLower(i18n.T(ctx, p.key))
			switch {
			case name == w:
				best = max(best, 6)
			case strings.HasPrefix(name, w):
				best = max(best, 5)
			case strings.Contains(name, w):
				best = max(best, 4)
			}
			for _, key := range p.above {
				above := strings.ToLower(i18n.T(ctx, key))
				if strings.Contains(above, w) {
					best = max(best, 1)
				}
				if above == w {
					within = 1
				}
			}
		}
		if best < 4 {
			best = max(best, p.spelled(w))
			for _, f := range p.was {
				if strings.Contains(f.was, w) && best < 2 {
					best, was = 2, f
				}
			}
		}
		if best == 0 {
			return 0, old{}
		}
		weight += best + within
	}
	return weight, was
}

// spelled tells how well a word fits the name of the page as it is typed without Chinese: whole in pinyin, or its
// first letters.
func (p page) spelled(word string) int {
	key := "search.pinyin." + p.key
	if !i18n.Has(key) {
		return 0
	}
	for _, way := range strings.Fields(i18n.In(i18n.ZhCN, key)) {
		switch {
		case way == word:
			return 5
		case len(word) > 1 && strings.HasPrefix(way, word):
			return 3
		}
	}
	return 0
}

// find lists the pages that fit, the best first; nothing asked for lists them all.
func (h *Handlers) find(c *Ctx, q string) []homeview.Hit {
	type fit struct {
		page
		weight int
		was    old
	}
	asked := words(q)
	var fits []fit
	for _, p := range h.index(c) {
		if weight, was := p.weigh(c, asked); weight > 0 || len(asked) == 0 {
			fits = append(fits, fit{p, weight, was})
		}
	}
	sort.SliceStable(fits, func(i, j int) bool { return fits[i].weight > fits[j].weight })
	var out []homeview.Hit
	for _, f := range fits {
		hit := homeview.Hit{Name: c.T(f.key), Href: c.at(f.path)}
		for _, key := range f.above {
			hit.Above = append(hit.Above, c.T(key))
		}
		if f.was.was != "" {
			hit.Href = c.at(f.was.path)
			hit.Note = c.T("search.formerly", "Path", strings.ReplaceAll(f.was.was, "/", " > "))
		}
		out = append(out, hit)
	}
	return out
}

// search finds customers and numbered things within the scope, and pages and menu entries by name.
func (h *Handlers) search(c *Ctx) error {
	q := strings.TrimSpace(c.QueryParam("q"))
	hits, err := h.things(c, q)
	if err != nil {
		return err
	}
	hits = append(hits, h.find(c, q)...)
	env := layout.From(c.ctx())
	env.Query = q
	c.SetRequest(c.Request().WithContext(layout.With(c.ctx(), env)))
	title := c.T("search.title")
	p := homeview.Search{Header: part.Header{Title: title, Crumbs: c.crumbs(part.Link{Text: title})}, Action: c.at(pathSearch), Query: q, Hits: hits}
	switch {
	case len(hits) == 0:
		p.Empty = &part.Empty{Title: c.T("search.none", "Query", q), Text: c.T("search.none_text"), Button: &part.Link{Text: c.T("search.all"), Href: c.at(pathSearch)}}
	case q == "":
		p.Count = c.T("search.every", "Count", int64(len(hits)))
	default:
		p.Count = c.T("search.found", "Count", int64(len(hits)))
	}
	return c.page(http.StatusOK, p.Page())
}
