package portal

import (
	"cmp"
	"encoding/json"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"

	"huoban/internal/customer"
	"huoban/internal/fault"
	"huoban/internal/i18n"
	"huoban/internal/scope"
	"huoban/internal/sorted"
	"huoban/internal/sso"
	"huoban/internal/sso/metadata"
	"huoban/internal/sso/registry"
	"huoban/web/templates/part"
	"huoban/web/templates/ssoview"
)

// accessRecent is how many messages and documents the page of a registration shows.
const accessRecent = 20

func (h *Handlers) accessShown(c *Ctx) error { return h.accessDetail(c, http.StatusOK, nil) }

// accessDetail is everything about one registration, in the order in which it is set up.
func (h *Handlers) accessDetail(c *Ctx, status int, refused *fault.Error) error {
	p, err := h.Access.Find(c.ctx(), c.Scope, c.Param("id"))
	if err != nil {
		return err
	}
	page := ssoview.Access{Flash: c.done(), Header: part.Header{Title: platformName(p), Status: platformState(c, "now", p.State), Tags: []part.Tag{{Text: p.AccountType}},
		Crumbs: c.crumbs(part.Link{Text: c.T("access.title"), Href: c.at(pathAccess)}, part.Link{Text: platformName(p)})}, Steps: accessSteps(c, p)}
	page.Refusal, page.Conflict = lost(c, refused, c.accessAt(p.ID, ""))
	may := c.Scope.Has(scope.ItemAccessConfigChange)
	if may {
		if page.Buttons, err = h.accessButtons(c, p); err != nil {
			return err
		}
	}
	if p.State == sso.StateDraft || p.State == sso.StateTested {
		page.Notes = []string{c.T("access.state_text." + string(p.State))}
	}
	add := func(s ssoview.Sheet, e error) {
		page.Sheets = append(page.Sheets, s)
		if err == nil {
			err = e
		}
	}
	add(h.accessDocument(c, p, may, refused))
	add(h.accessCerts(c, p))
	add(h.accessOurs(c, p), nil)
	add(accessMapped(c, p, may), nil)
	add(accessSwitches(c, p, may), nil)
	add(h.accessReturns(c, p, may))
	if may {
		add(h.accessTests(c, p))
	}
	add(h.accessSignIns(c, p))
	add(h.accessRefusals(c, p))
	add(h.accessKeys(c, p))
	add(h.accessHistory(c, p, may))
	if err != nil {
		return err
	}
	return c.page(status, page.Page())
}

// accessSteps are the way from a document to an active platform.
func accessSteps(c *Ctx, p registry.Platform) []part.Step {
	tried := p.State != sso.StateDraft
	on := p.State == sso.StateActive || p.State == sso.StateDisabled
	done := []bool{p.MetadataID != "", p.MetadataID != "", p.MetadataID != "", tried, on}
	var steps []part.Step
	now := false
	for i, key := range []string{"metadata", "ours", "mapping", "test", "active"} {
		s := part.Step{Text: c.T("access.step." + key)}
		switch {
		case done[i]:
			s.State = part.StepDone
		case !now:
			s.State, now = part.StepNow, true
		}
		steps = append(steps, s)
	}
	if p.State == sso.StateDisabled {
		steps[4].State, steps[4].Note = part.StepStop, c.T("platform.state.disabled")
	}
	return steps
}

// accessButtons are the machine's actions. A draft shows, besides, why it cannot be enabled yet.
func (h *Handlers) accessButtons(c *Ctx, p registry.Platform) ([]part.Button, error) {
	list, err := h.Access.Actions(c.ctx(), c.Scope, p)
	if err != nil {
		return nil, err
	}
	var out []part.Button
	if p.State == sso.StateDraft {
		out = append(out, part.Button{ID: "do-activate", Text: c.T("platform.action.activate"), Off: true, Hint: c.T("access.untested")})
	}
	if p.State != sso.StateDisabled {
		out = append([]part.Button{testButton(c, p)}, out...)
	}
	for _, b := range list {
		x := actionButton(c, b, c.accessAt(p.ID, "/"+b.Noun), platformName(p), p.Version)
		x.Primary = b.Enabled && (b.Action == string(registry.ActionActivate) || b.Action == string(registry.ActionEnable))
		out = append(out, x)
	}
	return out, nil
}

func bindingName(b sso.Binding) string {
	if i := strings.LastIndex(string(b), ":"); i >= 0 {
		return string(b)[i+1:]
	}
	return string(b)
}

// accessDocument is what their document says, and where a newer one is handed over.
func (h *Handlers) accessDocument(c *Ctx, p registry.Platform, may bool, refused *fault.Error) (ssoview.Sheet, error) {
	s := ssoview.Sheet{ID: "metadata", Title: c.T("access.metadata"), Width: "w7"}
	item := func(key, text string) {
		if text != "" {
			s.Items = append(s.Items, part.Item{Label: c.T("access.item." + key), Text: text, Mono: true})
		}
	}
	if p.MetadataID == "" {
		s.Notes = append(s.Notes, c.T("access.no_metadata"))
	} else {
		item("idp_entity", p.IdPEntityID)
		item("sso_url", p.SSOURL+" · "+bindingName(p.SSOBinding))
		if p.SLOURL != "" {
			item("slo_url", p.SLOURL+" · "+bindingName(p.SLOBinding))
		} else {
			s.Checks = append(s.Checks, part.Check{Tone: part.Warn, Title: c.T("fault.sso.md.no_logout")})
		}
		item("metadata_url", p.MetadataURL)
		docs, err := h.Access.Documents(c.ctx(), c.Scope, p.ID, accessRecent)
		if err != nil {
			return s, err
		}
		for _, d := range docs {
			if d.ID == p.MetadataID && !d.ValidUntil.IsZero() {
				item("valid_until", i18n.DateTime(d.ValidUntil))
			}
		}
	}
	if may {
		hidden, fields := documentFields(c, refused)
		s.Forms = []ssoview.Form{{Action: c.accessAt(p.ID, "/metadata"), Submit: c.T("access.replace"), Upload: true, Quiet: p.MetadataID != "", Hidden: append(fresh(), hidden...), Fields: fields}}
	}
	return s, nil
}

// accessCerts judges every certificate of theirs: each line says what it is good for, and why not.
func (h *Handlers) accessCerts(c *Ctx, p registry.Platform) (ssoview.Sheet, error) {
	s := ssoview.Sheet{ID: "certificates", Title: c.T("access.certs"), Width: "w5"}
	rows, err := h.Access.Certs(c.ctx(), p)
	now := h.Clock.Now()
	for _, r := range rows {
		if r.State == sso.CertStateRemoved {
			continue
		}
		read, e := metadata.Read(r.DER, r.Use, now)
		if e != nil {
			s.Checks = append(s.Checks, part.Check{Tone: part.Bad, Title: r.Fingerprint, Text: i18n.FaultText(c.ctx(), faultOf(e))})
			continue
		}
		left := int(r.NotAfter.Sub(now).Hours() / 24)
		check := part.Check{Tone: part.Good, Command: "SHA256:" + r.Fingerprint,
			Title: c.T("access.cert_line", "Use", c.T("access.use."+useName(r.Use)), "Algorithm", read.Algorithm, "Bits", read.Bits),
			Text:  c.T("access.cert_until", "Until", i18n.Date(r.NotAfter), "Left", daysLeft(c, left))}
		switch {
		case read.Grade == metadata.GradeWeak && p.WeakKeyUntil.After(now):
			check.Tone, check.Text = part.Warn, check.Text+c.T("access.cert.waived", "Until", i18n.Date(p.WeakKeyUntil))
		case read.Grade != metadata.GradeGood:
			check.Tone, check.Text = part.Bad, check.Text+c.T("access.cert."+string(read.Grade))
		case left <= 60:
			check.Tone, check.Text = part.Warn, check.Text+c.T("access.cert.soon")
		}
		s.Checks = append(s.Checks, check)
	}
	if len(s.Checks) == 0 {
		s.Notes = []string{c.T("access.no_certs")}
	}
	sorted.By(s.Checks, func(a, b part.Check) int { return rank(a.Tone) - rank(b.Tone) })
	return s, err
}

func useName(u sso.CertUse) string {
	if u == sso.CertUseAny {
		return "any"
	}
	return string(u)
}

func rank(t part.Tone) int { return slices.Index([]part.Tone{part.Bad, part.Warn, part.Good}, t) }

// accessOurs are the addresses the platform's own administrator needs.
func (h *Handlers) accessOurs(c *Ctx, p registry.Platform) ssoview.Sheet {
	own := "/saml/sp/" + p.Key + "/metadata"
	item := func(key, text string) part.Item {
		return part.Item{Label: c.T("access.item." + key), Text: text, Mono: true}
	}
	return ssoview.Sheet{ID: "ours", Title: c.T("access.ours"), Items: []part.Item{item("mark", p.AccountType), item("sp_entity", p.EntityID), item("acs", h.Access.ACS(p.Key)),
		item("slo", h.Access.SLO(p.Key)), item("entry", h.Access.Entry(p)), {Label: c.T("access.sp_metadata"), Text: c.T("access.sp_signed"), Href: own},
		{Label: c.T("access.sp_metadata_plain"), Text: c.T("access.sp_unsigned"), Href: own + "?unsigned=true"}},
		Notes: []string{c.T("access.ours_text"), c.T("access.entry_text")}}
}

// accessMapped is which of their attributes fills which field of ours.
func accessMapped(c *Ctx, p registry.Platform, may bool) ssoview.Sheet {
	s := ssoview.Sheet{ID: "mapping", Title: c.T("access.mapping"), Width: "w5", Notes: []string{c.T("access.mapping_text")}}
	m := p.Mapping
	form := ssoview.Form{Action: c.accessAt(p.ID, "/mapping"), Submit: c.T("access.save"), Hidden: fresh(), Quiet: true}
	for _, field := range registry.Fields {
		name := *registry.MappingField(&m, field)
		form.Fields = append(form.Fields, part.Field{Name: mapped(field), Label: c.T("access.field."+field) + " " + field, Value: name, MaxLength: 256, Required: field == "xAccountId"})
		s.Items = append(s.Items, part.Item{Label: c.T("access.field." + field), Text: name, Mono: true})
	}
	if may {
		s.Items, s.Forms = nil, []ssoview.Form{form}
	}
	return s
}

// accessSwitches are the options of a registration.
func accessSwitches(c *Ctx, p registry.Platform, may bool) ssoview.Sheet {
	s := ssoview.Sheet{ID: "options", Title: c.T("access.options"), Width: "w7"}
	box := func(name string, on bool) part.Field {
		return part.Field{Name: name, Label: c.T("access.option." + name), Type: "checkbox", Value: strconv.FormatBool(on), Help: c.T("access.option." + name + "_help")}
	}
	first := part.Field{Name: "first_entry", Label: c.T("access.first_entry"), Type: "select", Value: string(p.FirstEntry)}
	for _, f := range []sso.FirstEntry{sso.FirstEntryCreate, sso.FirstEntryBindOnly, sso.FirstEntryOff} {
		first.Options = append(first.Options, part.Option{Value: string(f), Label: c.T("access.first_entry." + string(f))})
	}
	kind := part.Field{Name: "association", Label: c.T("access.association"), Type: "select", Value: p.Association, Help: c.T("access.association_help")}
	for _, k := range []string{registry.AssociationResale, registry.AssociationReferral} {
		kind.Options = append(kind.Options, part.Option{Value: k, Label: c.T(customer.Kind(k).Label())})
	}
	fields := []part.Field{{Name: "title", Label: c.T("access.name"), Value: p.Name, MaxLength: 100}}
	if p.State == sso.StateDraft || p.State == sso.StateTested {
		fields = append(fields, part.Field{Name: "mark", Label: c.T("access.mark"), Value: p.AccountType, Required: true, MaxLength: 64, Help: c.T("access.mark_help")})
	}
	fields = append(fields, box("sign_requests", p.SignRequests), box("want_response_signed", p.WantResponseSigned), box("want_encrypted", p.WantEncrypted),
		box("allow_idp_initiated", p.AllowIdPInitiated), first, kind,
		part.Field{Name: "authn_minutes", Label: c.T("access.authn_minutes"), Value: strconv.Itoa(int(p.MaxAuthnAge / time.Minute)), Numeric: true, Required: true, Help: c.T("access.authn_minutes_help")},
		part.Field{Name: "skew", Label: c.T("access.skew"), Value: strconv.Itoa(int(p.Skew / time.Second)), Numeric: true, Required: true, Help: c.T("access.skew_help")},
		part.Field{Name: "notify_url", Label: c.T("access.notify_url"), Type: "url", Value: p.NotifyURL, Hint: "https://", MaxLength: 1000, Help: c.T("access.notify_url_help")})
	if may {
		s.Forms = []ssoview.Form{{Action: c.accessAt(p.ID, "/options"), Submit: c.T("access.save"), Hidden: fresh(), Fields: fields, Quiet: true}}
		return s
	}
	for _, f := range fields {
		s.Items = append(s.Items, part.Item{Label: f.Label, Text: shownValue(c, f)})
	}
	return s
}

func shownValue(c *Ctx, f part.Field) string {
	switch {
	case f.Type == "checkbox":
		return c.T("access.on." + f.Value)
	case f.Value == "":
		return "–"
	}
	for _, o := range f.Options {
		if o.Value == f.Value {
			return o.Label
		}
	}
	return f.Value
}

// accessReturns are the addresses a sign-in may lead to, each with its ready entry link.
func (h *Handlers) accessReturns(c *Ctx, p registry.Platform, may bool) (ssoview.Sheet, error) {
	s := ssoview.Sheet{ID: "returns", Title: c.T("access.returns"), Notes: []string{c.T("access.returns_text")}}
	list, err := h.Access.ReturnsOf(c.ctx(), c.Scope, p.ID)
	rows := &ssoview.Rows{Heads: []string{c.T("access.return_address"), c.T("access.state"), c.T("access.entry")}}
	if may {
		rows.Heads = append(rows.Heads, c.T("access.remove"))
	}
	for _, r := range list {
		if r.State == sso.ReturnStateRemoved {
			continue
		}
		address := registry.ReturnText(r)
		tone, link := part.Warn, "–"
		if r.State == sso.ReturnStateApproved {
			tone, link = part.Good, h.Access.Entry(p)+url.QueryEscape(address)
		}
		row := []ssoview.Cell{{Text: address, Mono: true}, {Status: &part.Status{Text: c.T("access.return." + string(r.State)), Tone: tone}}, {Text: link, Mono: true}}
		if may {
			row = append(row, ssoview.Cell{Form: &ssoview.Form{Action: c.accessAt(p.ID, "/returns/removal"), Submit: c.T("access.remove"), Quiet: true,
				Hidden: append(fresh(), part.Hidden{Name: "return", Value: r.ID})}})
		}
		rows.Rows = append(rows.Rows, row)
	}
	if len(rows.Rows) > 0 {
		s.Rows = rows
	}
	if may {
		s.Forms = []ssoview.Form{{Action: c.accessAt(p.ID, "/returns"), Submit: c.T("access.return_add"), Quiet: true, Hidden: fresh(),
			Fields: []part.Field{{Name: "address", Label: c.T("access.return_address"), Type: "url", Hint: "https://shop.example/orders", Required: true, MaxLength: 1000}}}}
	}
	return s, err
}

func (h *Handlers) accessSignIns(c *Ctx, p registry.Platform) (ssoview.Sheet, error) {
	s := ssoview.Sheet{ID: "signins", Title: c.T("access.signins"), Width: "w5"}
	list, err := h.Access.SignIns(c.ctx(), c.Scope, p.ID, accessRecent)
	rows := &ssoview.Rows{Heads: []string{c.T("access.when"), c.T("access.purpose"), c.T("access.drift"), c.T("access.ip")}}
	for _, x := range list {
		rows.Rows = append(rows.Rows, []ssoview.Cell{{Text: i18n.DateTime(x.At)}, {Text: c.T("access.purpose." + cmp.Or(x.Purpose, string(sso.PurposeSignIn)))},
			{Text: c.T("access.seconds", "Seconds", strconv.FormatFloat(x.Drift.Seconds(), 'f', 1, 64))}, {Text: x.IP, Mono: true}})
	}
	if s.Rows = rows; len(list) == 0 {
		s.Rows, s.Notes = nil, []string{c.T("access.no_signins")}
	}
	return s, err
}

// accessRefusals says of each refused message why, in the words for who can put it right.
func (h *Handlers) accessRefusals(c *Ctx, p registry.Platform) (ssoview.Sheet, error) {
	s := ssoview.Sheet{ID: "refusals", Title: c.T("access.refusals"), Width: "w7"}
	list, err := h.Access.Refusals(c.ctx(), c.Scope, p.ID, accessRecent)
	if s.Rows = refusalRows(c, list); len(list) == 0 {
		s.Rows, s.Notes = nil, []string{c.T("access.no_refusals")}
	}
	return s, err
}

func refusalRows(c *Ctx, list []registry.Refusal) *ssoview.Rows {
	rows := &ssoview.Rows{Heads: []string{c.T("access.why"), c.T("access.when"), c.T("access.ref"), c.T("access.times")}}
	for _, r := range list {
		var facts fault.Args
		_ = json.Unmarshal([]byte(r.Facts), &facts) // without them the sentence has dashes
		rows.Rows = append(rows.Rows, []ssoview.Cell{{Text: i18n.FaultText(c.ctx(), sso.Denied(r.Code, facts)), Note: r.Code}, {Text: i18n.DateTime(r.LastAt)},
			{Text: r.Ref, Mono: true}, {Text: i18n.Count(r.Repeats)}})
	}
	return rows
}

// accessKeys is where our own keys of this registration stand.
func (h *Handlers) accessKeys(c *Ctx, p registry.Platform) (ssoview.Sheet, error) {
	s := ssoview.Sheet{ID: "own-keys", Title: c.T("access.keys"), Width: "w5", Notes: []string{c.T("access.keys_text")}}
	list, err := h.Access.KeyStatus(c.ctx(), c.Scope, p.ID)
	keySheet(c, &s, list)
	return s, err
}

// keySheet lists keys of ours with how long each lasts, and says when the next step of their rollover is due.
func keySheet(c *Ctx, s *ssoview.Sheet, list []registry.KeyStatus) {
	s.Rows = &ssoview.Rows{Heads: []string{c.T("access.key"), c.T("access.state"), c.T("access.valid_until")}}
	for _, st := range list {
		for _, k := range st.Keys {
			s.Rows.Rows = append(s.Rows.Rows, []ssoview.Cell{{Text: c.T("access.key." + string(st.Use)), Note: registry.Fingerprint(k.CertDER)[:16]},
				{Text: c.T("access.key_state." + string(k.State))}, {Text: i18n.Date(k.NotAfter)}})
		}
		if st.Phase != registry.PhaseNone {
			s.Notes = append(s.Notes, c.T("access.key_next", "Key", c.T("access.key."+string(st.Use)), "Phase", c.T("access.phase."+string(st.Phase)), "At", i18n.Date(st.At)))
		}
	}
}

// accessHistory are the documents that came, with what each would change; one that waits is confirmed here.
func (h *Handlers) accessHistory(c *Ctx, p registry.Platform, may bool) (ssoview.Sheet, error) {
	s := ssoview.Sheet{ID: "history", Title: c.T("access.history"), Width: "w7"}
	list, err := h.Access.Documents(c.ctx(), c.Scope, p.ID, accessRecent)
	if s.Rows = documentRows(c, list, may, c.accessAt(p.ID, "/confirmation")); len(list) == 0 {
		s.Rows, s.Notes = nil, []string{c.T("access.no_metadata")}
	}
	return s, err
}

// documentRows say of documents what became of them and what each would change; one that waits has a button.
func documentRows(c *Ctx, list []registry.DocumentRow, may bool, confirm string) *ssoview.Rows {
	rows := &ssoview.Rows{Heads: []string{c.T("access.when"), c.T("access.state"), c.T("access.change")}}
	tones := map[string]part.Tone{registry.DocumentApplied: part.Good, registry.DocumentPending: part.Warn, registry.DocumentRefused: part.Bad}
	for _, d := range list {
		change := c.T("access.change_text", "Added", len(d.Diff.Added), "Removed", len(d.Diff.Removed))
		cell := ssoview.Cell{Text: change}
		if d.Diff.SSO != "" {
			cell.Note = d.Diff.SSO
		}
		if d.Code != "" {
			cell.Note = i18n.FaultText(c.ctx(), fault.Conflict(d.Code, nil))
		}
		if d.State == registry.DocumentPending && may {
			cell.Form = &ssoview.Form{Action: confirm, Submit: c.T("access.confirm"), Hidden: append(fresh(), part.Hidden{Name: "document", Value: d.ID})}
		}
		rows.Rows = append(rows.Rows, []ssoview.Cell{{Text: i18n.DateTime(d.FetchedAt)}, {Status: &part.Status{Text: c.T("access.document." + d.State), Tone: tones[d.State]}}, cell})
	}
	return rows
}
