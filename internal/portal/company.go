package portal

import (
	"context"
	"errors"
	"io"
	"net/http"
	"strings"

	"huoban/internal/company"
	"huoban/internal/fault"
	"huoban/internal/i18n"
	"huoban/internal/scope"
	"huoban/web/templates/orgview"
	"huoban/web/templates/part"
	"huoban/web/templates/ssoview"
)

const (
	pathProfile  = "/profile"
	pathPartners = "/partners"

	maxLogoForm = company.MaxLogo + 64<<10
)

// companyRoutes are 基本信息 of a partner, its review by the vendor, and the search in which strangers find partners.
func companyRoutes() []Route {
	may := []scope.Item{scope.ItemProfileChange}
	own := func(method, path, name, title string, items []scope.Item, do func(*Handlers, *Ctx) error) Route {
		return Route{Method: method, Path: "/o/:org" + pathProfile + path, Name: name, Sides: partners, Items: items, Title: title, Do: do}
	}
	rows := []Route{
		{Method: get, Path: pathPartners, Name: "partners", Public: true, Title: "partners.title", NoList: "what anybody may look for", Do: (*Handlers).partners},
		{Method: get, Path: pathPartners + "/logos/:logo", Name: "partners.logo", Public: true, Do: (*Handlers).publicLogo},
		own(get, "", "company", "company.title", everybody, (*Handlers).profile).noList("one company"),
		own(get, "/logos/:logo", "company.logo", "", everybody, (*Handlers).ownLogo),
		own(get, "/change", "company.change", "company.change", may, (*Handlers).changePage).noList("form"),
		own(post, "", "company.save", "", may, (*Handlers).saveProfile),
		own(post, "/change/paper", "company.propose", "", may, (*Handlers).proposeChange),
		own(post, "/logo", "company.upload", "", may, (*Handlers).uploadLogo),
		own(post, "/logo/removal", "company.unlogo", "", may, (*Handlers).dropLogo),
	}
	return append(rows, companyChangeRoutes()...)
}

// bringsLogo tells a form with a picture from any other.
func bringsLogo(r *http.Request) bool {
	return r.Method == http.MethodPost && strings.HasPrefix(r.URL.Path, "/o/") && strings.HasSuffix(r.URL.Path, pathProfile+"/logo") && strings.HasPrefix(r.Header.Get("Content-Type"), "multipart/form-data")
}

func (h *Handlers) profile(c *Ctx) error { return h.profilePage(c, http.StatusOK, nil, nil) }

// profilePage shows what the partner says about itself; typed is what was refused.
func (h *Handlers) profilePage(c *Ctx, status int, refused *fault.Error, typed *company.Open) error {
	p, err := h.Company.Of(c.ctx(), c.Scope, c.Org)
	if err != nil {
		return err
	}
	changes, err := h.Company.Changes(c.ctx(), c.Scope)
	if err != nil {
		return err
	}
	may := c.Scope.Has(scope.ItemProfileChange)
	title := c.T("company.title")
	page := ssoview.Access{Header: part.Header{Title: title, Crumbs: c.crumbs(part.Link{Text: title})}, Flash: c.done(), Refusal: refusalOf(c, refused)}
	if !may {
		page.Notes = []string{c.T("company.read_only")}
	}
	reviewed := reviewedSheet(c, &p, changes, may)
	if may {
		from, scan, err := h.Company.Newest(c.ctx(), c.Scope, c.Org)
		if err != nil {
			return err
		}
		reviewed.Items = append(reviewed.Items, licenceItem(c, &scan, from != "", from))
	}
	page.Sheets = append(page.Sheets, reviewed)
	page.Sheets = append(page.Sheets, logoSheet(c, &p, may))
	open := p.Open
	if typed != nil {
		open = *typed
	}
	page.Sheets = append(page.Sheets, openSheet(c, &open, may))
	contacts, err := h.contactSheet(c)
	if err != nil {
		return err
	}
	page.Sheets = append(page.Sheets, contacts)
	c.ruled(&page.Header, &page.Rules)
	return c.page(status, page.Page())
}

func or(text, otherwise string) string {
	if text == "" {
		return otherwise
	}
	return text
}

func reviewedItems(c *Ctx, r *company.Reviewed) []part.Item {
	return []part.Item{{Label: c.T("company.name"), Text: or(r.Name, i18n.Nothing)}, {Label: c.T("company.name_en"), Text: or(r.NameEN, i18n.Nothing)}, {Label: c.T("company.address"), Text: or(r.Address, i18n.Nothing)}}
}

// reviewedSheet is what the vendor reviews, with what waits or was refused last.
func reviewedSheet(c *Ctx, p *company.Profile, changes []company.Change, may bool) ssoview.Sheet {
	s := ssoview.Sheet{ID: "reviewed", Title: c.T("company.reviewed"), Width: "w7", Items: append(reviewedItems(c, &p.Reviewed), part.Item{Label: c.T("company.on_bills"), Text: c.Org.Name}, part.Item{Label: c.T("company.code"), Text: c.Org.Code, Mono: true},
		part.Item{Label: c.T("ops.home.kind"), Text: c.T(c.Org.Kind.Label())})}
	change := part.Button{ID: "change", Text: c.T("company.change"), Primary: true, Off: true, Hint: c.T("company.no_right")}
	if len(changes) > 0 {
		x := &changes[0]
		link := &part.Link{Text: c.T("company.see"), Href: c.at(pathCompanyChanges + "/" + x.ID)}
		switch x.State {
		case company.StateReviewing:
			s.Checks = append(s.Checks, part.Check{Tone: part.Warn, Title: c.T("company.waiting"), Text: c.T("company.waiting_text", "At", i18n.DateTime(x.CreatedAt)), Cure: link})
			change.Hint = c.T("fault.company.change_open")
			may = false
		case company.StateRefused:
			s.Checks = append(s.Checks, part.Check{Tone: part.Bad, Title: c.T("company.refused"), Text: x.Reason, Cure: link})
		}
	}
	s.Links = []part.Link{{Text: c.T("company.record"), Href: c.at(pathCompanyChanges)}}
	if may {
		s.Notes = []string{c.T("company.change_note")}
		s.Links = append([]part.Link{{Text: c.T("company.change"), Href: c.at(pathProfile + "/change")}}, s.Links...)
	} else {
		s.Buttons = []part.Button{change}
	}
	return s
}

func logoSheet(c *Ctx, p *company.Profile, may bool) ssoview.Sheet {
	s := ssoview.Sheet{ID: "logo", Title: c.T("company.logo"), Width: "w5", Notes: []string{c.T("company.logo_note", "Size", company.MaxLogo>>20, "Side", company.MaxLogoSide)}}
	if p.Logo == "" {
		s.Notes = append([]string{c.T("company.logo_none")}, s.Notes...)
	} else {
		s.Picture = &ssoview.Picture{Src: c.at(pathProfile + "/logos/" + p.Logo), Alt: c.T("company.logo_of", "Name", p.Name)}
	}
	if may {
		s.Forms = []ssoview.Form{{Action: c.at(pathProfile + "/logo"), Submit: c.T("company.upload"), Upload: true, Quiet: true, Fields: []part.Field{{Name: "file", Label: c.T("company.file"), Type: "file", Accept: "image/png,image/jpeg", Required: true}}}}
		if p.Logo != "" {
			s.Forms = append(s.Forms, ssoview.Form{Action: c.at(pathProfile + "/logo/removal"), Submit: c.T("company.unlogo"), Quiet: true, Hidden: fresh()})
		}
	}
	return s
}

func openSheet(c *Ctx, o *company.Open, may bool) ssoview.Sheet {
	s := ssoview.Sheet{ID: "open", Title: c.T("company.open"), Width: "w7"}
	if o.Listed {
		s.Tags = []part.Tag{{Text: c.T("company.listed"), Tone: part.Good}}
	}
	if !may {
		s.Items = []part.Item{{Label: c.T("company.intro"), Text: or(o.Intro, i18n.Nothing)}, {Label: c.T("company.website"), Text: or(o.Website, i18n.Nothing)}, {Label: c.T("company.phone"), Text: or(o.Phone, i18n.Nothing)}}
		return s
	}
	s.Forms = []ssoview.Form{{Action: c.at(pathProfile), Submit: c.T("members.save"), Hidden: fresh(), Fields: []part.Field{{Name: "intro", Label: c.T("company.intro"), Type: "textarea", Value: o.Intro, MaxLength: company.MaxIntro},
		{Name: "website", Label: c.T("company.website"), Value: o.Website, Hint: "https://", MaxLength: 200}, {Name: "hotline", Label: c.T("company.phone"), Type: "tel", Value: o.Phone, MaxLength: 31},
		{Name: "listed", Label: c.T("company.list_me"), Type: "checkbox", Value: trueText(o.Listed), Help: c.T("company.list_me_help")}}}}
	s.Links = []part.Link{{Text: c.T("partners.title"), Href: pathPartners}}
	return s
}

func trueText(b bool) string {
	if b {
		return "true"
	}
	return ""
}

// contactSheet lists who is named to customers.
func (h *Handlers) contactSheet(c *Ctx) (ssoview.Sheet, error) {
	s := ssoview.Sheet{ID: "contacts", Title: c.T("company.contacts"), Width: "w5", Notes: []string{c.T("company.contacts_note")}}
	list, err := h.Accounts.Contacts(c.ctx(), c.Org.ID)
	if err != nil {
		return s, err
	}
	rows := &ssoview.Rows{Heads: []string{c.T("members.col.person"), c.T("members.col.email"), c.T("members.col.phone")}}
	for i := range list {
		p := &list[i]
		first := ssoview.Cell{Text: maskName(p.Name), Note: p.Login}
		if c.Scope.Has(scope.ItemStaffView) {
			first.Href = c.at(pathMembers + "/" + p.ID)
		}
		mail, phone := i18n.Nothing, i18n.Nothing
		if p.Email != "" {
			mail = maskMail(p.Email)
		}
		if p.Phone != "" {
			phone = maskPhone(p.Phone)
		}
		rows.Rows = append(rows.Rows, []ssoview.Cell{first, {Text: mail}, {Text: phone}})
	}
	if len(rows.Rows) > 0 {
		s.Rows = rows
	}
	if c.Scope.Has(scope.ItemStaffView) {
		s.Links = []part.Link{{Text: c.T("members.title"), Href: c.withQuery(pathMembers, "state", "contact")}}
	}
	return s, nil
}

func (h *Handlers) saveProfile(c *Ctx) error {
	if err := c.readForm(); err != nil {
		return err
	}
	o := company.Open{Intro: c.FormValue("intro"), Website: c.FormValue("website"), Phone: c.FormValue("hotline"), Listed: c.FormValue("listed") == "true"}
	err := h.once(c, func(ctx context.Context) (answer, error) {
		return answer{Location: c.withQuery(pathProfile, "done", "company_saved")}, h.Company.SaveOpen(ctx, c.Scope, c.Org, o)
	})
	return c.refuse(err, func(status int, f *fault.Error) error { return h.profilePage(c, status, f, &o) })
}

// uploadLogo takes the picture of the form; the same again changes nothing.
func (h *Handlers) uploadLogo(c *Ctx) error {
	body, err := c.picture()
	if err == nil {
		if err = h.Company.SetLogo(c.ctx(), c.Scope, c.Org, body); err == nil {
			return c.seeOther(c.withQuery(pathProfile, "done", "logo_saved"))
		}
	}
	return c.refuse(err, func(status int, f *fault.Error) error { return h.profilePage(c, status, f, nil) })
}

// picture is the file of a form. Fault: company.logo_missing.
func (c *Ctx) picture() ([]byte, error) {
	missing := fault.Invalid("company.logo_missing", nil)
	if !bringsLogo(c.Request()) {
		return nil, missing
	}
	f, _, err := c.Request().FormFile("file")
	var tooLarge *http.MaxBytesError
	if errors.As(err, &tooLarge) {
		return nil, fault.Invalid("company.logo_large", fault.Args{"limit": company.MaxLogo >> 10})
	}
	if err != nil {
		return nil, missing
	}
	defer f.Close()
	return io.ReadAll(io.LimitReader(f, company.MaxLogo+1))
}

func (h *Handlers) dropLogo(c *Ctx) error {
	return h.once(c, func(ctx context.Context) (answer, error) {
		return answer{Location: c.withQuery(pathProfile, "done", "logo_dropped")}, h.Company.DropLogo(ctx, c.Scope, c.Org)
	})
}

func (h *Handlers) ownLogo(c *Ctx) error {
	body, err := h.Company.OwnLogo(c.ctx(), c.Scope, c.Param("logo"))
	if err != nil {
		return err
	}
	c.Response().Header().Set("Cache-Control", "private, max-age=86400")
	return c.Blob(http.StatusOK, "image/png", body)
}

// publicLogo is the picture of somebody who is listed now: taken off the list, it is gone within the hour.
func (h *Handlers) publicLogo(c *Ctx) error {
	body, err := h.Company.PublicLogo(c.ctx(), c.Param("logo"))
	if err != nil {
		return err
	}
	c.Response().Header().Set("Cache-Control", "public, max-age=3600")
	return c.Blob(http.StatusOK, "image/png", body)
}

// partners is the search anybody may use.
func (h *Handlers) partners(c *Ctx) error {
	q := clipped(strings.TrimSpace(c.QueryParam("q")))
	list, err := h.Company.Search(c.ctx(), q)
	if err != nil {
		return err
	}
	title := c.T("partners.title")
	p := orgview.Partners{Header: part.Header{Title: title}, Count: c.T("list.count", "Count", int64(len(list))),
		Filter: part.Filter{Action: pathPartners, Reset: pathPartners, Fields: []part.FilterField{{Name: "q", Label: c.T("partners.q"), Value: q}}}}
	if c.Person.ID == "" {
		p.Header.Buttons = []part.Link{{Text: c.T("signview.signin.title"), Href: "/login"}}
	}
	for i := range list {
		x := &list[i]
		row := orgview.Partner{Name: x.Name, Other: x.NameEN, Code: x.Code, Kind: part.Tag{Text: c.T(x.Kind.Label()), Tone: part.Brand}, Website: x.Website, Phone: x.Phone}
		if i18n.From(c.ctx()) == i18n.En && x.NameEN != "" {
			row.Name, row.Other = x.NameEN, x.Name
		}
		if x.Intro != "" {
			row.Intro = strings.Split(x.Intro, "\n")
		}
		if x.Logo != "" {
			row.Logo = pathPartners + "/logos/" + x.Logo
		}
		p.Rows = append(p.Rows, row)
	}
	if len(list) == 0 {
		p.Empty = &part.Empty{Title: c.T("partners.empty"), Text: c.T("partners.empty_text")}
		if q != "" {
			p.Empty.Button = &part.Link{Text: c.T("partners.all"), Href: pathPartners}
		}
	}
	return c.page(http.StatusOK, p.Page())
}
