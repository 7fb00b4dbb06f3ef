package portal

import (
	"strings"

	"huoban/internal/i18n"
	"huoban/internal/sso"
	"huoban/internal/sso/registry"
	"huoban/web/templates/part"
	"huoban/web/templates/ssoview"
)

// accessHosted is the platform the portal hosts for a partner: its addresses, its consoles with what each is given,
// and what was refused. Nothing for a partner without.
func (h *Handlers) accessHosted(c *Ctx) ([]ssoview.Sheet, error) {
	all, ok, err := h.Access.HostedOf(c.ctx(), c.Scope, c.Org.ID, accessRecent)
	if err != nil || !ok {
		return nil, err
	}
	item := func(key, text string) part.Item {
		return part.Item{Label: c.T("access.hosted." + key), Text: text, Mono: true}
	}
	own := "/saml/idp/" + all.Host.Key + "/metadata"
	where := ssoview.Sheet{ID: "hosted", Title: c.T("access.hosted.title"), Notes: []string{c.T("access.hosted.text")},
		Items: []part.Item{item("page", h.BaseURL+pathPlatform+c.Org.Code), item("entity", all.Host.EntityID), item("sso", all.Host.SSO), item("slo", all.Host.SLO),
			{Label: c.T("access.hosted.metadata"), Text: c.T("access.sp_signed"), Href: own}}}
	list := ssoview.Sheet{ID: "consoles", Title: c.T("access.hosted.consoles"), Rows: consoleRows(c, all.Consoles)}
	if len(all.Consoles) == 0 {
		list.Rows, list.Empty = nil, &part.Empty{Title: c.T("access.hosted.none"), Text: c.T("access.hosted.none_text")}
	}
	keys := ssoview.Sheet{ID: "hosted-keys", Title: c.T("access.keys"), Notes: []string{c.T("access.hosted.keys_text")}}
	keySheet(c, &keys, all.Keys)
	out := []ssoview.Sheet{where, list, keys}
	if len(all.Refusals) > 0 {
		out = append(out, ssoview.Sheet{ID: "hosted-refusals", Title: c.T("access.hosted.refusals"), Rows: refusalRows(c, all.Refusals)})
	}
	return out, nil
}

// consoleRows say of each console how customers are named there and what is handed over.
func consoleRows(c *Ctx, list []registry.ConsoleStatus) *ssoview.Rows {
	rows := &ssoview.Rows{Heads: []string{c.T("access.hosted.console"), c.T("access.state"), c.T("access.hosted.named"), c.T("access.hosted.given"), c.T("access.hosted.sealed"),
		c.T("access.hosted.rules"), c.T("access.cert_left"), c.T("access.last_signin")}}
	for _, con := range list {
		last, until := "–", ""
		if !con.LastAssertionAt.IsZero() {
			last = i18n.DateTime(con.LastAssertionAt)
		}
		if !con.ValidUntil.IsZero() {
			until = c.T("access.hosted.until", "Date", i18n.Date(con.ValidUntil))
		}
		left := "–"
		if con.CertDaysLeft != nil {
			left = daysLeft(c, *con.CertDaysLeft)
		}
		rows.Rows = append(rows.Rows, []ssoview.Cell{{Text: con.Name, Note: con.EntityID}, {Status: platformState(c, con.ID, con.State)}, {Text: c.T("access.hosted.format." + formatName(con.NameIDFormat))},
			{Text: releases(c, con.Console.Console)}, {Text: c.T("access.hosted.encrypt." + string(con.Encrypt))}, {Text: consoleRules(c, con.Console.Console), Note: until}, {Text: left}, {Text: last}})
	}
	return rows
}

// releases is the preview of what a console is given: its name of each attribute, and the field that fills it.
func releases(c *Ctx, con sso.Console) string {
	var out []string
	for _, r := range con.Attributes {
		out = append(out, r.Name+" ← "+c.T("hostedview.field."+r.Field))
	}
	if len(out) == 0 {
		return c.T("hostedview.consent.none")
	}
	return strings.Join(out, c.T("portal.list.comma"))
}

func consoleRules(c *Ctx, con sso.Console) string {
	signed, out := "any", "slo_no"
	if con.RequireSigned {
		signed = "signed"
	}
	if con.SLO != "" {
		out = "slo_yes"
	}
	return c.T("access.hosted."+signed) + c.T("portal.list.comma") + c.T("access.hosted."+out)
}
