package portal

import (
	"bytes"
	"net/http"
	"strconv"

	"huoban/internal/fault"
	"huoban/internal/i18n"
	"huoban/internal/scope"
	"huoban/internal/signon"
	"huoban/internal/sso"
	"huoban/internal/sso/registry"
	"huoban/web/templates/part"
	"huoban/web/templates/ssoview"
)

func testButton(c *Ctx, p registry.Platform) part.Button {
	return part.Button{ID: "do-test", Text: c.T("access.test.do"), Primary: p.State == sso.StateDraft, Off: p.MetadataID == "", Action: c.accessAt(p.ID, "/tests"), Hint: c.T("access.test.hint")}
}

// accessTest begins a test: the real question to the platform, whose answer opens no session and makes no customer.
func (h *Handlers) accessTest(c *Ctx) error {
	p, err := h.Access.Find(c.ctx(), c.Scope, c.Param("id"))
	if err == nil {
		err = c.Scope.Require(scope.ItemAccessConfigChange)
	}
	if err != nil {
		return err
	}
	if p.MetadataID == "" {
		return c.refuse(fault.Conflict("sso.reg.no_metadata", nil), func(status int, f *fault.Error) error { return h.accessDetail(c, status, f) })
	}
	reg, ok, err := h.Access.Registration(c.ctx(), p.ID)
	if err != nil || !ok {
		return err
	}
	if err := open(&reg, true); err != nil {
		return c.refuse(fault.Conflict("sso.tenant.disabled", fault.Args{"seen": c.T("platform.state." + string(p.State))}), func(status int, f *fault.Error) error { return h.accessDetail(c, status, f) })
	}
	peer := peerOf(&reg)
	req, err := h.SignOn.Begin(c.ctx(), signon.BeginInput{Peer: peer, Browser: sso.BrowserHash(c.secret()), Purpose: sso.PurposeTest})
	if err != nil {
		return err
	}
	out, err := sso.BuildAuthnRequest(reg, req, h.Clock.Now())
	if err != nil {
		return err
	}
	return h.sendOut(c, out, ssoview.Send{Title: c.T("access.test.send"), Text: c.T("access.test.send_text"),
		Stay: &part.Link{Text: c.T("access.test.back"), Href: c.accessAt(p.ID, "")}})
}

// testOf finds the test an answer belongs to, by the RelayState of ours that came back in the browser that began it.
// Nothing else of the answer has to be right: what is wrong with it is what the test is for.
func (h *Handlers) testOf(c *Ctx, reg *sso.Registration, p sso.Post) (sso.Request, bool, error) {
	if h.Access == nil || p.Browser == "" {
		return sso.Request{}, false, nil
	}
	req, ok, err := h.Access.RequestByRelay(c.ctx(), p.Form.Get("RelayState"))
	mine := ok && req.IdPID == reg.ID && req.Purpose == sso.PurposeTest && bytes.Equal(req.BrowserHash, sso.BrowserHash(p.Browser))
	return req, mine && err == nil, err
}

// tested judges the answer of a test by every step, keeps the result, and leads to its page. A request is answered once.
func (h *Handlers) tested(c *Ctx, reg *sso.Registration, p sso.Post, req sso.Request) error {
	x, err := sso.Examine(c.ctx(), *reg, p, h.SignOn, h.Clock.Now())
	if err != nil {
		return err
	}
	would := ""
	if x.First == nil {
		peer := peerOf(reg)
		if would, err = h.SignOn.Would(c.ctx(), peer, h.asserted(x.Accepted)); err != nil {
			return err
		}
	}
	first, err := h.SignOn.AnsweredTest(c.ctx(), req.ID)
	if err != nil {
		return err
	}
	if !first {
		return h.refuse(c, reg, sso.Refuse(sso.CodeReqUsed, "bindRequest", "", ""), about(p, req.ID))
	}
	t, err := h.Access.Tested(c.ctx(), *reg, req.ID, x, would)
	if err != nil {
		return err
	}
	return c.Redirect(http.StatusSeeOther, "/o/"+reg.BpID+pathAccess+"/"+reg.ID+"/tests/"+t.ID)
}

func testState(c *Ctx, t registry.TestRow) *part.Status {
	if t.Passed {
		return &part.Status{Text: c.T("access.test.passed"), Tone: part.Good}
	}
	return &part.Status{Text: c.T("access.test.failed"), Tone: part.Bad}
}

// accessTests lists the results that are still kept.
func (h *Handlers) accessTests(c *Ctx, p registry.Platform) (ssoview.Sheet, error) {
	s := ssoview.Sheet{ID: "tests", Title: c.T("access.test.list")}
	list, err := h.Access.Tests(c.ctx(), c.Scope, p.ID, accessRecent)
	rows := &ssoview.Rows{Heads: []string{c.T("access.when"), c.T("access.state"), c.T("access.why")}}
	for _, t := range list {
		rows.Rows = append(rows.Rows, []ssoview.Cell{{Text: i18n.DateTime(t.At), Href: c.accessAt(p.ID, "/tests/"+t.ID)}, {Status: testState(c, t)}, {Text: t.Code, Mono: true}})
	}
	if s.Rows = rows; len(list) == 0 {
		s.Rows, s.Notes = nil, []string{c.T("access.test.none")}
	}
	return s, err
}

// accessTested is the page of a result: every step, what was said, and what a sign-in would come to.
func (h *Handlers) accessTested(c *Ctx) error {
	p, err := h.Access.Find(c.ctx(), c.Scope, c.Param("id"))
	if err != nil {
		return err
	}
	t, err := h.Access.Test(c.ctx(), c.Scope, p.ID, c.Param("test"))
	if err != nil {
		return err
	}
	title := c.T("access.test.title")
	page := ssoview.Access{Header: part.Header{Title: title, Status: testState(c, t.TestRow), Crumbs: c.crumbs(part.Link{Text: c.T("access.title"), Href: c.at(pathAccess)},
		part.Link{Text: platformName(p), Href: c.accessAt(p.ID, "")}, part.Link{Text: title}), Buttons: []part.Link{{Text: c.T("access.test.back"), Href: c.accessAt(p.ID, "")}}}}
	if t.Passed {
		page.Flash = &part.Flash{Tone: part.Good, Text: c.T("access.test.all", "Would", c.T("access.would."+t.Report.Would))}
	} else {
		page.Refusal = &part.Refusal{Title: c.T("access.test.some", "Failed", t.Report.Failed, "Of", len(t.Report.Steps)), Text: firstFault(c, t)}
	}
	page.Sheets = []ssoview.Sheet{testSteps(c, t), testClaims(c, t), testAttributes(c, p, t)}
	if t.Report.XML != "" {
		page.Sheets = append(page.Sheets, ssoview.Sheet{ID: "message", Title: c.T("access.test.xml"), Notes: []string{c.T("access.test.xml_text", "Until", i18n.DateTime(t.ExpiresAt))}, Raw: t.Report.XML})
	}
	return c.page(http.StatusOK, page.Page())
}

// firstFault is the sentence of the first step that failed.
func firstFault(c *Ctx, t registry.Test) string {
	for _, s := range t.Report.Steps {
		if r := s.Refusal(); r != nil {
			return i18n.FaultText(c.ctx(), fault.From(r))
		}
	}
	return ""
}

func testSteps(c *Ctx, t registry.Test) ssoview.Sheet {
	rows := &ssoview.Rows{Heads: []string{c.T("access.test.step"), c.T("access.test.outcome"), c.T("access.test.expected"), c.T("access.test.seen")}}
	tones := map[sso.Outcome]part.Tone{sso.OutcomePassed: part.Good, sso.OutcomeFailed: part.Bad, sso.OutcomeSkipped: part.Grey}
	for _, s := range t.Report.Steps {
		outcome := ssoview.Cell{Status: &part.Status{Text: c.T("access.outcome." + string(s.Outcome)), Tone: tones[s.Outcome]}}
		if r := s.Refusal(); r != nil {
			outcome.Note = i18n.FaultText(c.ctx(), fault.From(r))
		}
		rows.Rows = append(rows.Rows, []ssoview.Cell{{Text: c.T(sso.StepKey(s.Name)), Note: c.T(sso.RuleKey(s.Name))}, outcome, {Text: s.Expected, Mono: true}, {Text: s.Seen, Mono: true}})
	}
	return ssoview.Sheet{ID: "steps", Title: c.T("access.test.steps"), Rows: rows, Notes: []string{c.T("access.test.steps_text")}}
}

// testClaims is the assertion as it was read; of a failed test nobody believes it.
func testClaims(c *Ctx, t registry.Test) ssoview.Sheet {
	a := t.Report.Claimed
	s := ssoview.Sheet{ID: "assertion", Title: c.T("access.test.assertion"), Width: "w5"}
	item := func(key, text string) {
		if text != "" {
			s.Items = append(s.Items, part.Item{Label: c.T("access.test." + key), Text: text, Mono: true})
		}
	}
	item("issuer", a.Issuer)
	item("name_id", a.NameID.Value)
	item("format", a.NameID.Format)
	if !a.IssueInstant.IsZero() {
		item("issued", i18n.DateTime(a.IssueInstant)+" · "+c.T("access.seconds", "Seconds", strconv.FormatFloat(a.IssueInstant.Sub(t.At).Seconds(), 'f', 1, 64)))
	}
	if !a.AuthnInstant.IsZero() {
		item("authn", i18n.DateTime(a.AuthnInstant))
	}
	if !a.NotOnOrAfter.IsZero() {
		item("until", i18n.DateTime(a.NotOnOrAfter))
	}
	item("context", a.AuthnContext)
	if len(s.Items) == 0 {
		s.Notes = []string{c.T("access.test.nothing")}
	}
	return s
}

// testAttributes are the attributes that were sent, each with the field of ours it fills.
func testAttributes(c *Ctx, p registry.Platform, t registry.Test) ssoview.Sheet {
	s := ssoview.Sheet{ID: "attributes", Title: c.T("access.test.attributes"), Width: "w7"}
	m := p.Mapping
	rows := &ssoview.Rows{Heads: []string{c.T("access.test.attribute"), c.T("access.test.value"), c.T("access.test.field")}}
	for _, a := range t.Report.Claimed.Attributes {
		field := c.T("access.test.unused")
		for _, f := range registry.Fields {
			if *registry.MappingField(&m, f) == a.Name {
				field = c.T("access.field." + f)
			}
		}
		rows.Rows = append(rows.Rows, []ssoview.Cell{{Text: a.Name, Mono: true}, {Text: join(a.Values, " · "), Mono: true}, {Text: field}})
	}
	if s.Rows = rows; len(rows.Rows) == 0 {
		s.Rows, s.Notes = nil, []string{c.T("access.test.nothing")}
		return s
	}
	s.Notes, s.Forms = []string{c.T("access.test.map_text")}, []ssoview.Form{mapFromTest(c, p, t)}
	return s
}

// mapFromTest lets each field of ours choose among the attributes that were sent, each with its value, so that no
// name has to be guessed. What a field reads now stays a choice, sent or not.
func mapFromTest(c *Ctx, p registry.Platform, t registry.Test) ssoview.Form {
	form := ssoview.Form{Action: c.accessAt(p.ID, "/mapping"), Submit: c.T("access.test.map"), Hidden: fresh(), Quiet: true}
	m := p.Mapping
	for _, field := range registry.Fields {
		now := *registry.MappingField(&m, field)
		f := part.Field{Name: mapped(field), Label: c.T("access.field."+field) + " " + field, Type: "select", Value: now, Required: field == "xAccountId"}
		if !f.Required {
			f.Options = append(f.Options, part.Option{Label: c.T("access.test.map_none")})
		}
		known := now == ""
		for _, a := range t.Report.Claimed.Attributes {
			known = known || a.Name == now
			f.Options = append(f.Options, part.Option{Value: a.Name, Label: a.Name + " · " + join(a.Values, " · ")})
		}
		if !known {
			f.Options = append(f.Options, part.Option{Value: now, Label: now})
		}
		form.Fields = append(form.Fields, f)
	}
	return form
}
