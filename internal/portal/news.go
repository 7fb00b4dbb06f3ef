package portal

import (
	"context"
	"net/http"
	"slices"
	"strings"
	"time"

	"huoban/internal/cycle"
	"huoban/internal/fault"
	"huoban/internal/i18n"
	"huoban/internal/news"
	"huoban/internal/scope"
	"huoban/web/templates/opsview"
	"huoban/web/templates/orgview"
	"huoban/web/templates/part"
)

const (
	pathNews          = "/news"
	pathAnnouncements = "/announcements"
)

// newsRoutes are 公告: what vendors announce, for everybody it is meant for, and where a vendor writes it.
func newsRoutes() []Route {
	row := func(method, path, name, title string, item scope.Item, do func(*Handlers, *Ctx) error) Route {
		return Route{Method: method, Path: "/o/:org" + path, Name: name, Sides: vendors, Items: []scope.Item{item}, Title: title, Do: do}
	}
	return []Route{
		{Method: get, Path: "/o/:org" + pathNews, Name: "news", Items: everybody, Title: "news.title", Do: (*Handlers).newsPage},
		{Method: get, Path: "/o/:org" + pathNews + "/:id", Name: "news.show", Items: everybody, Title: "news.title", NoList: "one announcement", Do: (*Handlers).newsShown},
		row(get, pathAnnouncements, "announcements", "news.written", scope.ItemNewsView, (*Handlers).announcements),
		row(get, pathAnnouncements+"/new", "announcements.new", "news.new", scope.ItemNewsChange, (*Handlers).announcePage).noList("form"),
		row(post, pathAnnouncements, "announcements.publish", "", scope.ItemNewsChange, (*Handlers).announce),
		row(post, pathAnnouncements+"/:id/withdrawal", "announcements.withdraw", "", scope.ItemNewsChange, (*Handlers).withdrawNews),
	}
}

// newsTitle and newsBody are an announcement in the reader's language.
func newsTitle(c *Ctx, i *news.Item) string {
	if i18n.From(c.ctx()) == i18n.En {
		return i.TitleEN
	}
	return i.TitleZH
}

func newsBody(c *Ctx, i *news.Item) string {
	if i18n.From(c.ctx()) == i18n.En {
		return i.BodyEN
	}
	return i.BodyZH
}

func (h *Handlers) newsPage(c *Ctx) error {
	title := c.T("news.title")
	p := opsview.Board{Header: part.Header{Title: title, Crumbs: c.crumbs(part.Link{Text: title})}}
	if _, err := h.board(c, &p, "news"); err != nil {
		return err
	}
	return c.page(http.StatusOK, p.Page())
}

func (h *Handlers) readNews(c *Ctx) (*sheet, error) {
	all, err := h.News.Current(c.ctx(), c.Scope, c.Org)
	if err != nil {
		return nil, err
	}
	s := &sheet{columns: []listColumn{{key: "title", title: c.T("news.col.title")}, {key: "vendor", title: c.T("news.col.vendor")}, {key: "from", title: c.T("news.col.from"), class: "num-l"}},
		empty: part.Empty{Title: c.T("news.empty"), Text: c.T("news.empty_text"), Button: &part.Link{Text: c.T("portal.fail.home"), Href: c.at("")}}}
	for i := range all {
		x := &all[i]
		s.add(sheetRow{key: x.ID, at: x.StartsAt, mark: x.TitleZH, cells: []opsview.Cell{{Text: newsTitle(c, x), Href: c.at(pathNews + "/" + x.ID)}, {Text: x.Vendor}, {Text: i18n.DateTime(x.StartsAt)}}})
	}
	return s, nil
}

func (h *Handlers) newsShown(c *Ctx) error {
	i, err := h.News.One(c.ctx(), c.Scope, c.Org, c.Param("id"))
	if err != nil {
		return err
	}
	title := newsTitle(c, &i)
	p := opsview.Board{Header: part.Header{Title: title, Fresh: i.Vendor + " · " + i18n.DateTime(i.StartsAt), Crumbs: c.crumbs(part.Link{Text: c.T("news.title"), Href: c.at(pathNews)}, part.Link{Text: title})},
		Text: strings.Split(newsBody(c, &i), "\n")}
	return c.page(http.StatusOK, p.Page())
}

var newsTone = map[string]part.Tone{"shown": part.Good, "ahead": part.Brand}

// announcements lists what the vendor wrote.
func (h *Handlers) announcements(c *Ctx) error {
	title := c.T("news.written")
	p := opsview.Board{Header: part.Header{Title: title, Crumbs: c.crumbs(part.Link{Text: title})}, Flash: c.done()}
	if c.Scope.Has(scope.ItemNewsChange) {
		p.Header.Buttons = []part.Link{{Text: c.T("news.new"), Href: c.at(pathAnnouncements + "/new")}}
	}
	state := part.FilterField{Name: "state", Label: c.T("opsview.col.state"), Value: c.QueryParam("state"), Options: []part.Option{{Label: c.T("ops.filter.any")}}}
	for _, s := range newsStates {
		state.Options = append(state.Options, part.Option{Value: s, Label: c.T("news.state." + s)})
	}
	p.Filter = &part.Filter{Action: c.at(pathAnnouncements), Reset: c.at(pathAnnouncements), Fields: []part.FilterField{state}}
	if _, err := h.board(c, &p, "announcements"); err != nil {
		return err
	}
	return c.page(http.StatusOK, p.Page())
}

var newsStates = []string{"shown", "ahead", "over", "withdrawn"}

func (h *Handlers) readAnnouncements(c *Ctx) (*sheet, error) {
	state := c.QueryParam("state")
	if state != "" && !slices.Contains(newsStates, state) {
		return nil, notFound()
	}
	all, err := h.News.Written(c.ctx(), c.Scope)
	if err != nil {
		return nil, err
	}
	s := &sheet{columns: []listColumn{{key: "title", title: c.T("news.col.title")}, {key: "audience", title: c.T("news.col.audience")}, {key: "from", title: c.T("news.col.from"), class: "num-l"},
		{key: "to", title: c.T("news.col.to"), class: "num-l"}, {key: "by", title: c.T("ops.fact.by")}, {key: "state", title: c.T("opsview.col.state"), class: "m"}},
		empty: part.Empty{Title: c.T("news.none"), Text: c.T("news.none_text")}}
	if c.Scope.Has(scope.ItemNewsChange) {
		s.empty.Button = &part.Link{Text: c.T("news.new"), Href: c.at(pathAnnouncements + "/new")}
	}
	if state != "" {
		s.narrowed("state", c.T("news.state."+state))
	}
	now := h.Clock.Now()
	for i := range all {
		x := &all[i]
		at := x.State(now)
		if state != "" && at != state {
			continue
		}
		status := opsview.Cell{Status: &part.Status{ID: "n-" + x.ID, Text: c.T("news.state." + at), Tone: newsTone[at], Meaning: c.T("news.meaning." + at), Next: c.T("news.next." + at)}}
		if (at == "shown" || at == "ahead") && c.Scope.Has(scope.ItemNewsChange) {
			status.Post = &opsview.Post{Action: c.at(pathAnnouncements + "/" + x.ID + "/withdrawal"), Hidden: fresh(), Text: c.T("news.withdraw"), Name: c.T("news.withdraw_of", "Title", newsTitle(c, x))}
		}
		title := opsview.Cell{Text: newsTitle(c, x)}
		if at == "shown" {
			title.Href = c.at(pathNews + "/" + x.ID)
		}
		s.add(sheetRow{key: x.ID, at: latestOf(x.CreatedAt, x.WithdrawnAt), mark: marks(x.TitleZH, at), cells: []opsview.Cell{title, {Text: c.T(x.Audience.Label())}, {Text: i18n.DateTime(x.StartsAt)}, {Text: bound(x.EndsAt)}, {Text: x.CreatedBy}, status}})
	}
	return s, nil
}

func (h *Handlers) announcePage(c *Ctx) error { return h.announceForm(c, http.StatusOK, nil) }

func (h *Handlers) announceForm(c *Ctx, status int, refused *fault.Error) error {
	title := c.T("news.new")
	audience := part.Field{Name: "audience", Label: c.T("news.col.audience"), Type: "select", Value: c.FormValue("audience")}
	for _, a := range news.Audiences {
		audience.Options = append(audience.Options, part.Option{Value: string(a), Label: c.T(a.Label())})
	}
	text := func(name, key, kind string, most int) part.Field {
		return part.Field{Name: name, Label: c.T(key), Type: kind, Value: c.FormValue(name), Required: true, MaxLength: most}
	}
	p := orgview.Form{Header: part.Header{Title: title, Crumbs: c.crumbs(part.Link{Text: c.T("news.written"), Href: c.at(pathAnnouncements)}, part.Link{Text: title})}, Refusal: refusalOf(c, refused),
		Action: c.at(pathAnnouncements), Hidden: fresh(), Submit: c.T("news.publish"), Back: part.Link{Text: c.T("assignments.back"), Href: c.at(pathAnnouncements)}, Rules: []string{c.T("news.rule.fixed"), c.T("news.rule.who")},
		Fields: []part.Field{audience, text("title_zh", "news.title_zh", "", news.MaxTitle), text("title_en", "news.title_en", "", news.MaxTitle), text("body_zh", "news.body_zh", "textarea", news.MaxBody),
			text("body_en", "news.body_en", "textarea", news.MaxBody), {Name: "from", Label: c.T("news.col.from"), Value: c.FormValue("from"), Hint: "2026-12-01", Help: c.T("news.from_help")},
			{Name: "to", Label: c.T("news.col.to"), Value: c.FormValue("to"), Hint: "2026-12-31", Help: c.T("news.to_help")}}}
	return c.page(status, p.Page())
}

// typedDay reads a day of a form in the portal's zone. Fault: news.day_malformed.
func typedDay(c *Ctx, name string) (time.Time, error) {
	text := strings.TrimSpace(c.FormValue(name))
	if text == "" {
		return time.Time{}, nil
	}
	t, err := cycle.ParseDay(text)
	if err != nil {
		return t, fault.Invalid("news.day_malformed", nil)
	}
	return t, nil
}

func (h *Handlers) announce(c *Ctx) error {
	if err := c.readForm(); err != nil {
		return err
	}
	in := news.In{Audience: news.Audience(c.FormValue("audience")), TitleZH: c.FormValue("title_zh"), TitleEN: c.FormValue("title_en"), BodyZH: c.FormValue("body_zh"), BodyEN: c.FormValue("body_en")}
	var err error
	if in.StartsAt, err = typedDay(c, "from"); err == nil {
		in.EndsAt, err = typedDay(c, "to")
	}
	if err == nil && !in.EndsAt.IsZero() {
		in.EndsAt = in.EndsAt.AddDate(0, 0, 1) // the last day counts whole
	}
	if err == nil {
		err = h.once(c, func(ctx context.Context) (answer, error) {
			i, err := h.News.Publish(ctx, c.Scope, in)
			at := c.withQuery(pathAnnouncements, "done", "news_published")
			return answer{Location: at, Body: map[string]any{"location": at, "announcement": i.ID}}, err
		})
	}
	return c.refuse(err, func(status int, f *fault.Error) error { return h.announceForm(c, status, f) })
}

func (h *Handlers) withdrawNews(c *Ctx) error {
	return h.once(c, func(ctx context.Context) (answer, error) {
		return answer{Location: c.withQuery(pathAnnouncements, "done", "news_withdrawn")}, h.News.Withdraw(ctx, c.Scope, c.Param("id"))
	})
}
