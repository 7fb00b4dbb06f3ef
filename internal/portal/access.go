package portal

import (
	"context"
	"errors"
	"io"
	"net/http"
	"strconv"
	"strings"
	"time"

	"huoban/internal/fault"
	"huoban/internal/i18n"
	"huoban/internal/scope"
	"huoban/internal/sso"
	"huoban/internal/sso/registry"
	"huoban/web/templates/part"
	"huoban/web/templates/ssoview"
)

const (
	pathAccess = "/support/capability/access-config"

	maxMetadata     = 2 << 20
	maxMetadataForm = maxMetadata + 64<<10 // with the fields beside the file
)

// accessRoutes are 接入配置: a partner's administrator registers its sales platform without the operator.
func accessRoutes() []Route {
	see := []scope.Item{scope.ItemAccessConfigView, scope.ItemAccessConfigChange}
	may := []scope.Item{scope.ItemAccessConfigChange}
	all, one := "/o/:org"+pathAccess, "/o/:org"+pathAccess+"/:id"
	rows := []Route{
		{Method: get, Path: all, Name: "access", Sides: partners, Items: see, Title: "access.title", NoList: "at most twenty registrations and a form", Do: (*Handlers).accessPage},
		{Method: post, Path: all, Name: "access.add", Sides: partners, Items: may, Do: (*Handlers).accessAdd},
		{Method: get, Path: one, Name: "access.show", Sides: partners, Items: see, Title: "access.title", NoList: "one registration and its newest messages", Do: (*Handlers).accessShown},
		{Method: post, Path: one + "/metadata", Name: "access.metadata", Sides: partners, Items: may, Do: (*Handlers).accessMetadata},
		{Method: post, Path: one + "/confirmation", Name: "access.confirm", Sides: partners, Items: may, Query: []string{"document"}, Do: (*Handlers).accessConfirm},
		{Method: post, Path: one + "/mapping", Name: "access.mapping", Sides: partners, Items: may, Do: (*Handlers).accessMapping},
		{Method: post, Path: one + "/options", Name: "access.options", Sides: partners, Items: may, Do: (*Handlers).accessOptions},
		{Method: post, Path: one + "/tests", Name: "access.test", Sides: partners, Items: may, Do: (*Handlers).accessTest},
		{Method: get, Path: one + "/tests/:test", Name: "access.tested", Sides: partners, Items: may, Title: "access.test.title", NoList: "the steps of one test", Do: (*Handlers).accessTested},
		{Method: post, Path: one + "/returns", Name: "access.return", Sides: partners, Items: may, Do: (*Handlers).accessReturn},
		{Method: post, Path: one + "/returns/removal", Name: "access.unreturn", Sides: partners, Items: may, Query: []string{"return"}, Do: (*Handlers).accessUnreturn},
	}
	for _, do := range []registry.Action{registry.ActionActivate, registry.ActionDisable, registry.ActionEnable, registry.ActionDelete} {
		rows = append(rows, Route{Method: post, Path: one + "/" + string(do), Name: "access." + string(do), Sides: partners, Items: may,
			Do: func(h *Handlers, c *Ctx) error { return h.accessAct(c, do) }}.moves(registry.Flow, string(do)))
	}
	return rows
}

// bringsMetadata tells a form with a document from any other: it may be as large as a document.
func bringsMetadata(r *http.Request) bool {
	return r.Method == http.MethodPost && strings.HasPrefix(r.URL.Path, "/o/") && (strings.Contains(r.URL.Path, pathAccess) || strings.Contains(r.URL.Path, pathConsoles)) &&
		strings.HasPrefix(r.Header.Get("Content-Type"), "multipart/form-data")
}

func (c *Ctx) accessAt(id, rest string) string { return c.at(pathAccess + "/" + id + rest) }

func (h *Handlers) accessPage(c *Ctx) error { return h.accessList(c, http.StatusOK, nil) }

// accessList lists the organisation's registrations, with the form of a new one below.
func (h *Handlers) accessList(c *Ctx, status int, refused *fault.Error) error {
	list, err := h.Access.List(c.ctx(), c.Scope, c.Org.ID)
	if err != nil {
		return err
	}
	title := c.T("access.title")
	p := ssoview.Access{Header: part.Header{Title: title, Crumbs: c.crumbs(part.Link{Text: title})}, Flash: c.done(), Refusal: refusalOf(c, refused), Notes: []string{c.T("access.intro")}}
	sheet := ssoview.Sheet{ID: "platforms", Title: c.T("access.list")}
	if len(list) == 0 {
		sheet.Empty = &part.Empty{Title: c.T("access.empty"), Text: c.T("access.empty_text")}
	} else if sheet.Rows, err = h.accessRows(c, list); err != nil {
		return err
	}
	p.Sheets = append(p.Sheets, sheet)
	hosted, err := h.accessHosted(c)
	if err != nil {
		return err
	}
	p.Sheets = append(p.Sheets, hosted...)
	if c.Scope.Has(scope.ItemAccessConfigChange) {
		if err := h.Access.Usable(); err != nil {
			p.Sheets = append(p.Sheets, ssoview.Sheet{ID: "new", Title: c.T("access.new"), Notes: []string{i18n.FaultText(c.ctx(), faultOf(err))}})
		} else {
			p.Sheets = append(p.Sheets, ssoview.Sheet{ID: "new", Title: c.T("access.new"), Notes: []string{c.T("access.new_text")}, Forms: []ssoview.Form{newPlatform(c, refused)}})
		}
	}
	return c.page(status, p.Page())
}

func (h *Handlers) accessRows(c *Ctx, list []registry.Platform) (*ssoview.Rows, error) {
	rows := &ssoview.Rows{Heads: []string{c.T("access.name"), c.T("access.state"), c.T("access.mark"), c.T("access.cert_left"), c.T("access.last_signin"), c.T("access.refused_day")}}
	for _, p := range list {
		use, err := h.Access.Use(c.ctx(), p)
		if err != nil {
			return nil, err
		}
		left, last := "–", "–"
		if use.CertDaysLeft != nil {
			left = daysLeft(c, *use.CertDaysLeft)
		}
		if !use.LastSignIn.IsZero() {
			last = i18n.DateTime(use.LastSignIn)
		}
		rows.Rows = append(rows.Rows, []ssoview.Cell{{Text: platformName(p), Note: p.IdPEntityID, Href: c.accessAt(p.ID, "")}, {Status: platformState(c, p.ID, p.State)},
			{Text: p.AccountType, Mono: true}, {Text: left}, {Text: last}, {Text: i18n.Count(use.Refused)}})
	}
	return rows, nil
}

func platformName(p registry.Platform) string {
	if p.Name != "" {
		return p.Name
	}
	return p.AccountType
}

func platformState(c *Ctx, id string, state sso.State) *part.Status {
	tones := map[sso.State]part.Tone{sso.StateDraft: part.Warn, sso.StateTested: part.Brand, sso.StateActive: part.Good, sso.StateDisabled: part.Grey}
	return c.explained("platform", id, string(state), tones[state])
}

func daysLeft(c *Ctx, n int) string {
	if n < 0 {
		return c.T("access.days_over")
	}
	return c.T("access.days", "Days", n)
}

// documentFields take a document as a file or by its address. A group that came without saying which of its
// entities is meant stays in the form, so that only the choice is left to make.
func documentFields(c *Ctx, refused *fault.Error) ([]part.Hidden, []part.Field) {
	file, address := documentParts(c)
	if refused == nil || refused.Code != "sso.md.entities" {
		return nil, []part.Field{file, address}
	}
	names, _ := refused.Args["names"].(string)
	choice := part.Field{Name: "idp", Label: c.T("access.entity"), Type: "select", Help: c.T("access.entity_help"), Required: true}
	for _, name := range strings.Split(names, ", ") {
		choice.Options = append(choice.Options, part.Option{Value: name, Label: name})
	}
	var hidden []part.Hidden
	if text := c.FormValue("metadata"); text != "" {
		hidden = []part.Hidden{{Name: "metadata", Value: text}}
	}
	return hidden, []part.Field{choice, address}
}

// documentParts are the two ways a document comes.
func documentParts(c *Ctx) (file, address part.Field) {
	file = part.Field{Name: "file", Label: c.T("access.file"), Type: "file", Accept: ".xml,application/xml,text/xml,application/samlmetadata+xml", Help: c.T("access.file_help")}
	address = part.Field{Name: "url", Label: c.T("access.url"), Type: "url", Value: c.FormValue("url"), Hint: "https://", Help: c.T("access.url_help"), MaxLength: 2048}
	return file, address
}

// newPlatform is the form of a new registration. Its mark is made with the form, so that the same form sent again
// finds what it made.
func newPlatform(c *Ctx, refused *fault.Error) ssoview.Form {
	mark := strings.TrimSpace(c.FormValue("mark"))
	if mark == "" || refused != nil && strings.HasPrefix(refused.Code, "sso.reg.type_") {
		mark = "HB_" + sso.NewReference()[:6]
	}
	hidden, fields := documentFields(c, refused)
	hidden = append(append(fresh(), part.Hidden{Name: "mark", Value: mark}), hidden...)
	fields = append(fields, part.Field{Name: "title", Label: c.T("access.name"), Value: c.FormValue("title"), Help: c.T("access.name_help"), MaxLength: 100})
	return ssoview.Form{Action: c.at(pathAccess), Submit: c.T("access.add"), Upload: true, Hidden: hidden, Fields: fields}
}

// readDocument makes a form that brings a file one of plain fields: the text of the file stands as metadata.
func (c *Ctx) readDocument() error {
	r := c.Request()
	if !strings.HasPrefix(r.Header.Get("Content-Type"), "multipart/form-data") {
		return c.readForm()
	}
	if err := r.ParseMultipartForm(maxMetadataForm); err != nil {
		return malformed(err)
	}
	f, _, err := r.FormFile("file")
	if errors.Is(err, http.ErrMissingFile) {
		return nil
	}
	if err != nil {
		return malformed(err)
	}
	defer f.Close()
	text, err := io.ReadAll(f)
	if err != nil {
		return malformed(err)
	}
	if len(text) > 0 {
		r.PostForm.Set("metadata", string(text))
		r.Form.Set("metadata", string(text))
	}
	return nil
}

// document is what the form brings; neither file nor address is refused.
func (c *Ctx) document() (body []byte, address, entity string, err error) {
	body, address, entity = []byte(c.FormValue("metadata")), strings.TrimSpace(c.FormValue("url")), strings.TrimSpace(c.FormValue("idp"))
	if len(body) == 0 && address == "" {
		err = fault.Invalid("sso.reg.no_metadata", nil)
	}
	if len(body) > 0 {
		address = ""
	}
	return body, address, entity, err
}

// accessAdd registers a platform from its document.
func (h *Handlers) accessAdd(c *Ctx) error {
	err := c.readDocument()
	if err == nil {
		err = h.onceApart(c, func(ctx context.Context) (answer, error) {
			body, address, entity, err := c.document()
			if err != nil {
				return answer{}, err
			}
			added, err := h.Access.Add(ctx, c.Scope, registry.AddInput{PartnerID: c.Org.ID, Metadata: body, URL: address, Entity: entity, AccountType: strings.TrimSpace(c.FormValue("mark")),
				Name: c.FormValue("title")})
			if err != nil {
				return answer{}, err
			}
			return answer{Location: c.accessAt(added.Platform.ID, "?done=access_added"), Body: platformBody(c, added.Platform)}, nil
		})
	}
	if err == nil {
		return nil
	}
	return c.refuse(err, func(status int, f *fault.Error) error { return h.accessList(c, status, f) })
}

// platformBody is what a program is told of a registration.
func platformBody(c *Ctx, p registry.Platform) map[string]any {
	return map[string]any{"id": p.ID, "location": c.accessAt(p.ID, ""), "state": string(p.State), "account_type": p.AccountType, "entity_id": p.EntityID, "idp_entity_id": p.IdPEntityID}
}

// accessChange does something to the registration of the address and leads back to its page.
func (h *Handlers) accessChange(c *Ctx, done string, change func(ctx context.Context, id string) error) error {
	id := c.Param("id")
	err := h.onceApart(c, func(ctx context.Context) (answer, error) {
		if err := change(ctx, id); err != nil {
			return answer{}, err
		}
		return answer{Location: c.accessAt(id, "?done="+done)}, nil
	})
	if err == nil {
		return nil
	}
	return c.refuse(err, func(status int, f *fault.Error) error { return h.accessDetail(c, status, f) })
}

// accessMetadata gives a registration another document.
func (h *Handlers) accessMetadata(c *Ctx) error {
	if err := c.readDocument(); err != nil {
		return err
	}
	return h.accessChange(c, "access_metadata", func(ctx context.Context, id string) error {
		if _, err := h.Access.Find(ctx, c.Scope, id); err != nil {
			return err
		}
		body, address, entity, err := c.document()
		if err != nil {
			return err
		}
		taken, err := h.Access.Replace(ctx, c.Scope, id, body, address, entity)
		if err == nil && taken.Verdict.Code != "" && taken.Verdict.Effect != "nothing" {
			err = fault.Conflict(taken.Verdict.Code, nil) // kept, but not in force: the page says what is to be done
		}
		return err
	})
}

func (h *Handlers) accessConfirm(c *Ctx) error {
	return h.accessChange(c, "access_metadata", func(ctx context.Context, id string) error {
		_, err := h.Access.Confirm(ctx, c.Scope, id, c.FormValue("document"))
		return err
	})
}

// mapped is the name of a field of the mapping in the form: other forms of the page have a name too.
func mapped(field string) string { return "from_" + field }

func (h *Handlers) accessMapping(c *Ctx) error {
	return h.accessChange(c, "access_saved", func(ctx context.Context, id string) error {
		names := map[string]string{}
		for _, field := range registry.Fields {
			if c.Request().PostForm.Has(mapped(field)) {
				names[field] = c.FormValue(mapped(field))
			}
		}
		_, err := h.Access.SetMapping(ctx, c.Scope, id, names)
		return err
	})
}

// accessOptions sets the switches: a box that is not ticked is off.
func (h *Handlers) accessOptions(c *Ctx) error {
	return h.accessChange(c, "access_saved", func(ctx context.Context, id string) error {
		p, err := h.Access.Find(ctx, c.Scope, id)
		if err != nil {
			return err
		}
		o := registry.OptionsOf(p)
		if o.MaxAuthnAge, err = spanOf(c.FormValue("authn_minutes"), time.Minute, "sso.reg.authn_age"); err != nil {
			return err
		}
		if o.Skew, err = spanOf(c.FormValue("skew"), time.Second, "sso.reg.skew"); err != nil {
			return err
		}
		o.Name, o.AccountType = c.FormValue("title"), strings.TrimSpace(c.FormValue("mark"))
		if o.AccountType == "" {
			o.AccountType = p.AccountType // a disabled field is not sent
		}
		o.SignRequests, o.WantResponseSigned = ticked(c.FormValue("sign_requests")), ticked(c.FormValue("want_response_signed"))
		o.WantEncrypted, o.AllowIdPInitiated = ticked(c.FormValue("want_encrypted")), ticked(c.FormValue("allow_idp_initiated"))
		o.FirstEntry, o.NotifyURL = sso.FirstEntry(c.FormValue("first_entry")), strings.TrimSpace(c.FormValue("notify_url"))
		if kind := c.FormValue("association"); kind != "" {
			o.Association = kind
		}
		_, err = h.Access.SetOptions(ctx, c.Scope, id, o)
		return err
	})
}

func (h *Handlers) accessReturn(c *Ctx) error {
	return h.accessChange(c, "access_return", func(ctx context.Context, id string) error {
		_, err := h.Access.AddReturn(ctx, c.Scope, id, c.FormValue("address"))
		return err
	})
}

func (h *Handlers) accessUnreturn(c *Ctx) error {
	return h.accessChange(c, "access_saved", func(ctx context.Context, id string) error {
		return h.Access.RemoveReturn(ctx, c.Scope, id, c.FormValue("return"))
	})
}

// accessAct does an action of the machine. Who disables a platform ends the sessions that came from it.
func (h *Handlers) accessAct(c *Ctx, do registry.Action) error {
	id := c.Param("id")
	err := h.onceApart(c, func(ctx context.Context) (answer, error) {
		done, err := h.Access.Do(ctx, c.Scope, id, do, c.in("reason"), do == registry.ActionDisable)
		to := c.accessAt(id, "?done=access_"+string(do))
		if do == registry.ActionDelete {
			to = c.at(pathAccess + "?done=access_delete")
		}
		return answer{Location: to, Body: map[string]any{"state": string(done.Platform.State), "ended": done.Ended}}, err
	})
	if err == nil {
		return nil
	}
	return c.refuse(err, func(status int, f *fault.Error) error { return h.accessDetail(c, status, f) })
}

// spanOf reads a count of a unit. Faults: as said.
func spanOf(text string, unit time.Duration, code string) (time.Duration, error) {
	n, err := strconv.Atoi(strings.TrimSpace(text))
	if err != nil || n < 0 || n > 1<<20 {
		return 0, fault.Invalid(code, fault.Args{"limit": int(sso.MaxSkew.Seconds())})
	}
	return time.Duration(n) * unit, nil
}
