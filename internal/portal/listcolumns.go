package portal

import (
	"context"
	"maps"
	"net/url"
	"slices"
	"strings"

	"huoban/internal/audit"
	"huoban/internal/billexport"
	"huoban/internal/expenditureexport"
	"huoban/internal/fault"
	"huoban/web/templates/layout"
	"huoban/web/templates/part"
)

// ColumnStore keeps which columns a person wants to see of a list, and in which order.
type ColumnStore interface {
	Columns(ctx context.Context, personID string) (map[string][]string, error) // by list
	SetColumns(ctx context.Context, personID, list string, keys []string) error
	// Views gives each view a person named, in the order of organisation, page and name.
	Views(ctx context.Context, personID string, fn func(orgID, path, name, query string)) error
	SetView(ctx context.Context, personID, orgID, path, name, query string) error
	DropView(ctx context.Context, personID, orgID, path, name string) error

	// The views a person has mailed; a token names one of them in a letter.
	Mails(ctx context.Context, personID string, fn func(orgID, path, name string)) error
	SetMail(ctx context.Context, personID, orgID, path, name, token, lang string) error
	DropMail(ctx context.Context, personID, orgID, path, name string) error
	EndMail(ctx context.Context, token string) (bool, error)
}

func columnRoutes() []Route {
	return []Route{{Method: post, Path: "/o/:org/columns", Name: "columns", Items: everybody, Do: (*Handlers).setColumns},
		{Method: post, Path: "/o/:org/views", Name: "views.save", Items: everybody, Do: (*Handlers).saveView},
		{Method: post, Path: "/o/:org/views/removal", Name: "views.remove", Items: everybody, Do: (*Handlers).removeView},
		{Method: get, Path: "/o/:org/views", Name: "views.mine", Items: everybody, Title: "views.title", NoList: "one's own settings", Do: (*Handlers).viewsPage},
		{Method: post, Path: "/o/:org/views/mail", Name: "views.mail", Items: everybody, Do: (*Handlers).mailView},
		{Method: get, Path: "/unsubscribe/:token", Name: "views.unsubscribe", Public: true, Title: "views.stop.title", NoList: "form", Do: (*Handlers).unsubscribePage},
		{Method: post, Path: "/unsubscribe/:token", Name: "views.unsubscribe.do", Public: true, Do: (*Handlers).unsubscribe}}
}

// columns gives which columns of a list are shown, by their place: those of the address, else those the
// person chose, else all.
func (h *Handlers) columns(c *Ctx, l *list, s *sheet) ([]int, *part.Columns, error) {
	keys, err := h.wantedColumns(c, l.kind, l.prefix)
	if err != nil {
		return nil, nil, err
	}
	names := make([]string, len(s.columns))
	for i := range s.columns {
		names[i] = s.columns[i].key
	}
	label := func(key string) string { return s.columns[slices.Index(names, key)].title }
	chosen, order := chooseColumns(names, keys)
	at := make([]int, len(chosen))
	for i, key := range chosen {
		at[i] = slices.Index(names, key)
	}
	return at, c.columnsForm(l.kind, l.link(c, l.prefix+"cols", ""), l.prefix, order, len(chosen), label), nil
}

// wantedColumns are the keys the address names, else those the person chose for the list; they may be none.
func (h *Handlers) wantedColumns(c *Ctx, kind, prefix string) ([]string, error) {
	keys := strings.FieldsFunc(c.param(prefix+"cols"), func(r rune) bool { return r == ',' })
	if len(keys) > 0 {
		return keys, nil
	}
	chosen, err := h.tasteOf(c)
	if err != nil {
		return nil, err
	}
	return chosen.columns[kind], nil
}

// taste is what a person chose of how lists look. Pages read it from nowhere else, so that a page is kept
// under all of it.
type taste struct {
	columns map[string][]string    // by list
	views   map[string][]savedView // by organisation and page
	key     string                 // equal for equal choices
}

// tasteOf is the taste of the person who asks; it came with the actor, or is read where there is none.
func (h *Handlers) tasteOf(c *Ctx) (*taste, error) {
	if c.taste != nil {
		return c.taste, nil
	}
	t := &taste{}
	if h.Columns == nil || c.Person.ID == "" {
		return t, nil
	}
	var err error
	if t.columns, err = h.Columns.Columns(c.ctx(), c.Person.ID); err != nil {
		return nil, err
	}
	for _, list := range slices.Sorted(maps.Keys(t.columns)) {
		t.key += list + "\x00" + strings.Join(t.columns[list], ",") + "\x00"
	}
	t.views = map[string][]savedView{}
	err = h.Columns.Views(c.ctx(), c.Person.ID, func(orgID, path, name, query string) {
		t.views[orgID+path] = append(t.views[orgID+path], savedView{name, query})
		t.key += orgID + path + "\x00" + name + "\x00" + query + "\x00"
	})
	c.taste = t
	return t, err
}

// chooseColumns keeps known keys, each once; none of them is all. order is what the form offers: those shown,
// then the others.
func chooseColumns(all, keys []string) (chosen, order []string) {
	for _, key := range keys {
		if slices.Contains(all, key) && !slices.Contains(chosen, key) {
			chosen = append(chosen, key)
		}
	}
	if len(chosen) == 0 {
		chosen = all
	}
	order = append(make([]string, 0, len(all)), chosen...)
	for _, key := range all {
		if !slices.Contains(order, key) {
			order = append(order, key)
		}
	}
	return chosen, order
}

// columnsForm is the form that changes them.
func (c *Ctx) columnsForm(kind, next, prefix string, order []string, shown int, label func(key string) string) *part.Columns {
	out := &part.Columns{ID: "columns-" + strings.ReplaceAll(kind, ".", "-"), Action: c.at("/columns"),
		Hidden: append(c.freshKey(), part.Hidden{Name: "list", Value: kind}, part.Hidden{Name: "next", Value: next}, part.Hidden{Name: "prefix", Value: prefix})}
	out.Items = make([]part.Column, len(order))
	for i, key := range order {
		out.Items[i] = part.Column{Key: key, Label: label(key), On: i < shown}
	}
	return out
}

// maxColumns and maxColumnKey bound what is kept.
const (
	maxColumns   = 60
	maxColumnKey = 40
)

// setColumns keeps a person's choice and leads back to the list, whose address then says the columns too:
// a link shows a colleague the same.
func (h *Handlers) setColumns(c *Ctx) error {
	if err := c.readForm(); err != nil {
		return err
	}
	form := c.Request().PostForm
	kind, order, on := form.Get("list"), form["order"], form["col"]
	if !columnList(kind) {
		return notFound()
	}
	if len(order) > maxColumns || slices.ContainsFunc(order, func(key string) bool { return len(key) > maxColumnKey || strings.Contains(key, ",") }) {
		return fault.Invalid("request.malformed", nil)
	}
	order = moved(order, form.Get("move"))
	keys := slices.DeleteFunc(slices.Clone(order), func(key string) bool { return !slices.Contains(on, key) })
	if form.Has("reset") {
		keys = nil
	}
	next := withParam(form.Get("next"), form.Get("prefix")+"cols", strings.Join(keys, ","))
	return h.taken(c, answer{Location: layout.SafeNext(next), Body: map[string]any{"list": kind, "columns": keys}},
		audit.Entry{Action: "list.columns", Object: "list:" + kind, Detail: map[string]any{"columns": keys}},
		func(ctx context.Context) error { return h.Columns.SetColumns(ctx, c.Person.ID, kind, keys) })
}

// columnList tells whether a list has columns to choose.
func columnList(kind string) bool { return lists[kind] != nil || lineColumns[kind] != nil }

// moved puts the key of "up:key" or "down:key" one place on.
func moved(order []string, move string) []string {
	direction, key, _ := strings.Cut(move, ":")
	i := slices.Index(order, key)
	j := i - 1
	if direction == "down" {
		j = i + 1
	}
	if i < 0 || j < 0 || j >= len(order) {
		return order
	}
	order = slices.Clone(order)
	order[i], order[j] = order[j], order[i]
	return order
}

// lineColumn is a column that can be chosen of a list whose rows are written by a template of its own.
type lineColumn struct {
	key    string
	off    bool // shown only when it is chosen
	people bool // says whose a row is: not for a customer that looks at itself
}

// lineColumns are those lists. What names a row and its amount, under which the totals stand, always show.
var lineColumns = map[string][]lineColumn{
	billexport.KindLines: {{key: "charged"}, {key: "customer"}, {key: "product"}, {key: "mode"}, {key: "region", off: true}, {key: "kind"}, {key: "base"}, {key: "factor"},
		{key: "resource", off: true}, {key: "rule", off: true}},
	expenditureexport.KindSummary: {{key: "relation", people: true}, {key: "product", people: true}, {key: "mode"}, {key: "lines"}, {key: "consumption"}, {key: "refund"},
		{key: "adjustment"}, {key: "discount"}},
	expenditureexport.KindLines: {{key: "charged"}, {key: "customer", people: true}, {key: "relation", people: true}, {key: "manager", people: true}, {key: "product"},
		{key: "resource"}, {key: "order", off: true}, {key: "region"}, {key: "mode"}, {key: "kind"}, {key: "list"}},
}

// shownColumns gives which columns of such a list are shown: those of the address, else those the person
// chose, else those it has until somebody changes it.
func (h *Handlers) shownColumns(c *Ctx, kind string, people bool) ([]string, error) {
	keys, err := h.wantedColumns(c, kind, "")
	if err != nil {
		return nil, err
	}
	all := possibleColumns(kind, people, true)
	usual := all
	if slices.ContainsFunc(lineColumns[kind], func(x lineColumn) bool { return x.off }) {
		usual = possibleColumns(kind, people, false)
	}
	if !slices.ContainsFunc(keys, func(key string) bool { return slices.Contains(all, key) }) {
		keys = usual
	}
	chosen, _ := chooseColumns(all, keys)
	return chosen, nil
}

// possibleColumns are those there are, or those shown until somebody changes them.
func possibleColumns(kind string, people, off bool) []string {
	out := make([]string, 0, len(lineColumns[kind]))
	for i := range lineColumns[kind] {
		if x := &lineColumns[kind][i]; (people || !x.people) && (off || !x.off) {
			out = append(out, x.key)
		}
	}
	return out
}

// lineColumnsForm is the form that changes them. next is the list without its columns, fixed says which always
// show, and label names one.
func (c *Ctx) lineColumnsForm(kind, next string, shown []string, people bool, fixed string, label func(key string) string) *part.Columns {
	_, order := chooseColumns(possibleColumns(kind, people, true), shown)
	form := c.columnsForm(kind, next, "", order, len(shown), label)
	form.Fixed = fixed
	return form
}

// withParam is an address with one parameter set, or taken off when it is empty.
func withParam(address, name, value string) string {
	u, err := url.Parse(layout.SafeNext(address))
	if err != nil {
		return address
	}
	v := u.Query()
	v.Del(name)
	if value != "" {
		v.Set(name, value)
	}
	u.RawQuery = v.Encode()
	return u.String()
}
