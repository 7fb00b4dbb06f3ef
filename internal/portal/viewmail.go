package portal

import (
	"context"
	"crypto/rand"
	"net/http"
	"net/url"
	"slices"
	"strings"

	"huoban/internal/audit"
	"huoban/internal/fault"
	"huoban/internal/i18n"
	"huoban/internal/organisation"
	"huoban/internal/scope"
	"huoban/web/templates/opsview"
	"huoban/web/templates/part"
	"huoban/web/templates/signview"
)

// mailedRows are the most rows of a list that stand in a letter; the link has all.
const mailedRows = 20

// mineOf are the pages of an organisation that a person has views of.
func mineOf(t *taste, orgID string) (paths []string) {
	for key := range t.views {
		if path, ok := strings.CutPrefix(key, orgID+"/"); ok {
			paths = append(paths, "/"+path)
		}
	}
	slices.Sort(paths)
	return paths
}

// mailedList is the list a page shows first, which a letter of a view of it has; nil where there is none, or where
// the address names a thing.
func mailedList(path string) *list {
	for _, l := range allLists() {
		if l.prefix == "" && strings.TrimPrefix(pageOfList[l.kind].Path, "/o/:org") == path {
			return lists[l.kind]
		}
	}
	return nil
}

// viewsPage lists the views a person named in the organisation, and which are mailed.
func (h *Handlers) viewsPage(c *Ctx) error {
	chosen, err := h.tasteOf(c)
	if err != nil {
		return err
	}
	mailed := map[string]bool{}
	if err := h.Columns.Mails(c.ctx(), c.Person.ID, func(orgID, path, name string) { mailed[orgID+path+"\x00"+name] = true }); err != nil {
		return err
	}
	title := c.T("views.title")
	g := opsview.Grid{ID: "views", Caption: title, Heads: []opsview.Head{{Text: c.T("views.col.name")}, {Text: c.T("views.col.page")}, {Text: c.T("views.col.mail")}, {Text: c.T("exports.col.action")}},
		Empty: &part.Empty{Title: c.T("views.empty"), Text: c.T("views.empty_text")}}
	for _, path := range mineOf(chosen, c.Org.ID) {
		if !h.may(c, path) {
			continue
		}
		for _, v := range chosen.views[c.Org.ID+path] {
			g.Rows = append(g.Rows, viewRow(c, path, v, mailed[c.Org.ID+path+"\x00"+v.name]))
		}
	}
	p := opsview.Board{Header: part.Header{Title: title, Crumbs: []part.Link{{Text: title}}}, Flash: c.done(), Notes: []string{c.T("views.note")}, Grids: []opsview.Grid{g}}
	if c.Person.Email == "" {
		p.Notes = append(p.Notes, c.T("views.no_email"))
	}
	if !h.Mails {
		p.Notes = append(p.Notes, c.T("views.no_server"))
	}
	return c.page(http.StatusOK, p.Page())
}

func viewRow(c *Ctx, path string, v savedView, mailed bool) []opsview.Cell {
	href := c.at(path)
	if v.query != "" {
		href += "?" + v.query
	}
	page := opsview.Cell{Text: path}
	for _, r := range table() {
		if r.Method == get && r.Title != "" && strings.TrimPrefix(r.Path, "/o/:org") == path {
			page.Text = c.T(r.Title)
		}
	}
	post := func(action, do, text string) *opsview.Post {
		return &opsview.Post{Action: c.at(action), Text: c.T(text), Name: c.T(text) + " " + v.name, Hidden: append(fresh(), part.Hidden{Name: "page", Value: path}, part.Hidden{Name: "name", Value: v.name},
			part.Hidden{Name: "do", Value: do}, part.Hidden{Name: "next", Value: href})}
	}
	mail := opsview.Cell{Text: c.T("views.never")}
	button := opsview.Cell{}
	switch {
	case mailed:
		mail = opsview.Cell{Tag: &part.Tag{Text: c.T("views.weekly"), Tone: part.Good}}
		button.Post = post("/views/mail", "stop", "views.stop")
	case mailedList(path) != nil:
		mail.Text = c.T("views.off")
		button.Post = post("/views/mail", "start", "views.start")
	}
	return []opsview.Cell{{Text: v.name, Href: href}, page, mail, button}
}

// mailView has a view mailed every week, or no more. Faults: views.unknown, views.no_email.
func (h *Handlers) mailView(c *Ctx) error {
	if err := c.readForm(); err != nil {
		return err
	}
	path, name, start := c.param("page"), c.param("name"), c.param("do") == "start"
	chosen, err := h.tasteOf(c)
	if err != nil {
		return err
	}
	known := slices.ContainsFunc(chosen.views[c.Org.ID+path], func(v savedView) bool { return v.name == name })
	if !known || !h.may(c, path) || mailedList(path) == nil {
		return fault.NotFound("views.unknown", nil)
	}
	if start && c.Person.Email == "" {
		return fault.Conflict("views.no_email", nil)
	}
	done, action := "view_mailed", "list.view_mail"
	if !start {
		done, action = "view_unmailed", "list.view_mail_end"
	}
	return h.taken(c, answer{Location: c.at("/views?done=" + done), Body: map[string]any{"page": path, "name": name, "weekly": start}},
		audit.Entry{Action: action, Object: "list:" + path, Detail: map[string]any{"name": name}},
		func(ctx context.Context) error {
			if start {
				return h.Columns.SetMail(ctx, c.Person.ID, c.Org.ID, path, name, strings.ToLower(rand.Text()+rand.Text()), string(i18n.From(c.ctx())))
			}
			return h.Columns.DropMail(ctx, c.Person.ID, c.Org.ID, path, name)
		})
}

// unsubscribePage is where a letter leads who wants no more of them. It says the same of every token, so that none
// can be tried.
func (h *Handlers) unsubscribePage(c *Ctx) error {
	return c.page(http.StatusOK, signview.Stop{Title: c.T("views.stop.title"), Text: c.T("views.stop.text"), Action: "/unsubscribe/" + url.PathEscape(c.Param("token")), Submit: c.T("views.stop.submit")}.Page())
}

// unsubscribe ends the letters a token names; twice is as once.
func (h *Handlers) unsubscribe(c *Ctx) error {
	err := h.Tx.InTx(c.ctx(), func(ctx context.Context) error {
		ended, err := h.Columns.EndMail(ctx, c.Param("token"))
		if err != nil || !ended {
			return err
		}
		return h.Audit.Record(ctx, audit.Entry{Actor: "letter", Action: "list.view_mail_end", Object: "list", Outcome: "done"})
	})
	if err != nil {
		return err
	}
	return c.page(http.StatusOK, signview.Stop{Title: c.T("views.stop.title"), Text: c.T("views.stop.done")}.Page())
}

// ViewLetter is what a letter says of a view: the page's name, the list as its page shows it, and where it is.
type ViewLetter struct{ Title, Text, Link string }

// WriteView reads a view under a scope and words it: filter, total and short code, and the first rows with names
// masked. Faults: those of reading the page, which somebody whose permission ended may not.
func (h *Handlers) WriteView(ctx context.Context, sc scope.Scope, org organisation.Organisation, path, query string) (*ViewLetter, error) {
	l := mailedList(path)
	if l == nil {
		return nil, fault.NotFound("views.unknown", nil)
	}
	c, err := h.reading(ctx, l, sc, org, nil, query)
	if err != nil {
		return nil, err
	}
	s, err := l.read(h, c)
	if err != nil {
		return nil, err
	}
	out := &ViewLetter{Title: c.T(c.Route.Title), Link: "/o/" + org.Code + path}
	if query != "" {
		out.Link += "?" + query
	}
	seal := s.seal(l, c)
	lines := []string{org.Name + " · " + out.Title}
	if words := s.words(c); words != "" {
		lines = append(lines, words)
	}
	lines = append(lines, c.T("views.letter.total", "Total", seal.Total, "Count", s.count, "Code", seal.Code), "")
	n := 0
	err = s.each(ctx, func(r *sheetRow) error {
		if n++; n > mailedRows {
			return nil
		}
		var cells []string
		for i := range r.cells {
			if text := cellLetter(&r.cells[i]); text != "" {
				cells = append(cells, s.columns[i].title+" "+text)
			}
		}
		lines = append(lines, "· "+strings.Join(cells, " | "))
		return nil
	})
	if n > mailedRows {
		lines = append(lines, c.T("views.letter.more", "Count", int64(n-mailedRows)))
	}
	out.Text = strings.Join(lines, "\n")
	return out, err
}

// cellLetter is a cell as a letter has it: figures as the page shows them.
func cellLetter(x *opsview.Cell) string {
	if x.Raw != "" {
		return x.Text
	}
	return cellText(x)
}
