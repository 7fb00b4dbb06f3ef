package portal

import (
	"net/http"
	"strconv"
	"strings"

	"huoban/internal/fault"
	"huoban/internal/i18n"
	"huoban/internal/sorted"
	"huoban/internal/sso"
	"huoban/internal/sso/metadata"
	"huoban/internal/sso/registry"
	"huoban/web/templates/part"
	"huoban/web/templates/ssoview"
)

func (h *Handlers) consoleShown(c *Ctx) error { return h.consoleDetail(c, http.StatusOK, nil) }

// consoleDetail is everything about one console, and what may be done to it.
func (h *Handlers) consoleDetail(c *Ctx, status int, refused *fault.Error) error {
	x, err := h.Access.ConsoleStatus(c.ctx(), c.Scope, c.Param("id"))
	if err != nil {
		return err
	}
	names, err := h.partnerNames(c)
	if err != nil {
		return err
	}
	p := ssoview.Access{Flash: c.done(), Refusal: refusalOf(c, refused), Header: part.Header{Title: x.Name, Status: platformState(c, "now", x.State),
		Tags: []part.Tag{{Text: partnerText(c, x.PartnerID, names)}}, Crumbs: c.crumbs(part.Link{Text: c.T("consoles.title"), Href: c.at(pathConsoles)}, part.Link{Text: x.Name})}}
	may := registry.Changeable(c.Scope, x.Console)
	if may {
		p.Buttons = consoleButtons(c, x.Console)
	} else if x.VendorID == "" {
		p.Notes = []string{c.T("fault.sso.reg.console_foreign")}
	}
	p.Sheets = []ssoview.Sheet{consoleDocumentSheet(c, x, may), h.consoleCerts(c, x), consoleGiven(c, x.Console, may)}
	ours, err := h.consoleOurs(c, x.Console)
	if err != nil {
		return err
	}
	past, err := h.consoleHistory(c, x, may)
	if err != nil {
		return err
	}
	p.Sheets = append(p.Sheets, ours, past)
	return c.page(status, p.Page())
}

func consoleButtons(c *Ctx, x registry.Console) []part.Button {
	var out []part.Button
	if x.Source == registry.SourceURL {
		out = append(out, part.Button{ID: "do-refresh", Text: c.T("consoles.refresh"), Hint: c.T("consoles.refresh_hint"), Action: c.consoleAt(x.ID, "/refresh"), Hidden: fresh()})
	}
	if x.State == sso.StateDisabled {
		return append(out, part.Button{ID: "do-enable", Text: c.T("platform.action.enable"), Primary: true, Hint: c.T("consoles.enable_hint"), Action: c.consoleAt(x.ID, "/enable"), Hidden: fresh()})
	}
	do := c.T("platform.action.disable")
	return append(out, part.Button{ID: "do-disable", Text: do, Danger: true, Hint: c.T("consoles.disable_hint"), Action: c.consoleAt(x.ID, "/disable"), Hidden: fresh(),
		Dialog: &part.Dialog{Title: c.T("ops.act.ask", "Action", do, "Object", x.Name), Points: []string{c.T("consoles.disable_hint")}, Confirm: do, Fields: []part.Field{reasonField(c)}}})
}

// consoleDocumentSheet is what the console's document says, and where a newer one is handed over.
func consoleDocumentSheet(c *Ctx, x registry.ConsoleStatus, may bool) ssoview.Sheet {
	s := ssoview.Sheet{ID: "metadata", Title: c.T("consoles.metadata"), Width: "w7"}
	item := func(label, text string) {
		if text != "" {
			s.Items = append(s.Items, part.Item{Label: label, Text: text, Mono: true})
		}
	}
	item("entityID", x.EntityID)
	for _, e := range x.ACS {
		item(c.T("consoles.acs", "Index", e.Index), e.URL+" · "+bindingName(e.Binding))
	}
	if x.SLO != "" {
		item(c.T("access.item.slo_url"), x.SLO+" · "+bindingName(x.SLOBinding))
	} else {
		s.Checks = append(s.Checks, part.Check{Tone: part.Warn, Title: c.T("consoles.no_logout"), Text: c.T("consoles.no_logout_text")})
	}
	item(c.T("access.item.metadata_url"), x.MetadataURL)
	if !x.ValidUntil.IsZero() {
		item(c.T("access.item.valid_until"), i18n.DateTime(x.ValidUntil))
	}
	if f := x.Failing; f != nil {
		s.Checks = append(s.Checks, part.Check{Tone: part.Bad, Title: c.T("consoles.failing"), Text: i18n.FaultText(c.ctx(), fault.Conflict(f.LastCode, nil)) + c.T("portal.list.comma") +
			c.T("consoles.failing_since", "Since", i18n.DateTime(f.FailingSince), "Next", i18n.DateTime(f.NextAt))})
	}
	if may {
		file, address := documentParts(c)
		s.Forms = []ssoview.Form{{Action: c.consoleAt(x.ID, "/metadata"), Submit: c.T("access.replace"), Upload: true, Quiet: true, Hidden: fresh(), Fields: []part.Field{file, address}}}
	}
	return s
}

// consoleCerts judges every certificate of the console.
func (h *Handlers) consoleCerts(c *Ctx, x registry.ConsoleStatus) ssoview.Sheet {
	s := ssoview.Sheet{ID: "certificates", Title: c.T("consoles.certs"), Width: "w5"}
	now := h.Clock.Now()
	for _, r := range h.Access.GradedCerts(x.Certs) {
		left := int(r.NotAfter.Sub(now).Hours() / 24)
		if r.NotAfter.Before(now) {
			left = -1
		}
		check := part.Check{Tone: part.Good, Command: "SHA256:" + r.Fingerprint, Title: c.T("access.cert_line", "Use", c.T("access.use."+useName(r.Use)), "Algorithm", r.Algorithm, "Bits", r.Bits),
			Text: c.T("access.cert_until", "Until", i18n.Date(r.NotAfter), "Left", daysLeft(c, left))}
		switch {
		case r.Grade != metadata.GradeGood:
			check.Tone, check.Text = part.Bad, check.Text+c.T("access.cert."+string(r.Grade))
		case left <= metadata.Warnings[0]:
			check.Tone, check.Text = part.Warn, check.Text+c.T("access.cert.soon")
		}
		s.Checks = append(s.Checks, check)
	}
	if len(s.Checks) == 0 {
		s.Notes = []string{c.T("consoles.no_certs")}
	}
	sorted.By(s.Checks, func(a, b part.Check) int { return rank(a.Tone) - rank(b.Tone) })
	return s
}

// consoleGiven is how customers are named at the console, what is handed over, and the rules of the two messages.
func consoleGiven(c *Ctx, x registry.Console, may bool) ssoview.Sheet {
	s := ssoview.Sheet{ID: "settings", Title: c.T("consoles.settings"), Width: "w7", Notes: []string{c.T("consoles.settings_text")}}
	named := part.Field{Name: "name_id", Label: c.T("access.hosted.named"), Type: "select", Value: formatName(x.NameIDFormat), Help: c.T("consoles.named_help")}
	for _, f := range []string{"persistent", "transient", "email"} {
		named.Options = append(named.Options, part.Option{Value: f, Label: c.T("access.hosted.format." + f)})
	}
	sealed := part.Field{Name: "encrypt", Label: c.T("access.hosted.sealed"), Type: "select", Value: string(x.Encrypt), Help: c.T("consoles.encrypt_help")}
	for _, e := range []sso.Encrypt{sso.EncryptOff, sso.EncryptOptional, sso.EncryptRequired} {
		sealed.Options = append(sealed.Options, part.Option{Value: string(e), Label: c.T("access.hosted.encrypt." + string(e))})
	}
	fields := []part.Field{{Name: "title", Label: c.T("access.name"), Value: x.Name, MaxLength: 100}, named, sealed,
		{Name: "require_signed", Label: c.T("access.hosted.signed"), Type: "checkbox", Value: strconv.FormatBool(x.RequireSigned), Help: c.T("consoles.signed_help")}}
	for _, field := range registry.ReleaseFields {
		var given []string
		for _, r := range x.Attributes {
			if r.Field == field {
				given = append(given, r.Name)
			}
		}
		fields = append(fields, part.Field{Name: givenAs(field), Label: c.T("hostedview.field."+field) + " " + field, Value: strings.Join(given, " "), MaxLength: 1000})
	}
	if may {
		s.Forms = []ssoview.Form{{Action: c.consoleAt(x.ID, "/settings"), Submit: c.T("access.save"), Hidden: fresh(), Fields: fields, Quiet: true}}
		return s
	}
	for _, f := range fields {
		s.Items = append(s.Items, part.Item{Label: f.Label, Text: shownValue(c, f)})
	}
	s.Notes = nil
	return s
}

// consoleOurs are the addresses the console's own administrator needs: those of the partner's entity, and of every
// partner's where it serves all.
func (h *Handlers) consoleOurs(c *Ctx, x registry.Console) (ssoview.Sheet, error) {
	s := ssoview.Sheet{ID: "ours", Title: c.T("access.ours"), Width: "w5"}
	if x.PartnerID == "" {
		s.Notes = []string{c.T("consoles.ours_all")}
		return s, nil
	}
	e, ok, err := h.Access.HostEntityOf(c.ctx(), x.PartnerID)
	if err != nil || !ok {
		s.Notes = []string{c.T("consoles.ours_none")}
		return s, err
	}
	item := func(key, text string) part.Item {
		return part.Item{Label: c.T("access.hosted." + key), Text: text, Mono: true}
	}
	s.Items = []part.Item{item("entity", e.EntityID), item("sso", e.SSO), item("slo", e.SLO), {Label: c.T("access.hosted.metadata"), Text: c.T("access.sp_signed"), Href: "/saml/idp/" + e.Key + "/metadata"}}
	s.Notes = []string{c.T("consoles.ours_text")}
	return s, nil
}

// consoleHistory are the documents that came, with what each would change; one that waits is confirmed here.
func (h *Handlers) consoleHistory(c *Ctx, x registry.ConsoleStatus, may bool) (ssoview.Sheet, error) {
	s := ssoview.Sheet{ID: "history", Title: c.T("access.history")}
	list, err := h.Access.ConsoleDocuments(c.ctx(), c.Scope, x.ID, accessRecent)
	s.Rows = documentRows(c, list, may, c.consoleAt(x.ID, "/confirmation"))
	return s, err
}
