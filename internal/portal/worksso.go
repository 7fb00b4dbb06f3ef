package portal

import (
	"huoban/internal/i18n"
	"huoban/internal/scope"
	"huoban/internal/sso"
	"huoban/internal/sso/metadata"
	"huoban/internal/sso/registry"
	"huoban/web/templates/part"
)

// certDuties are the partner's own sales platforms whose signing certificate ends within the days in which its
// administrators are written to: after that day no customer comes in any more.
func (h *Handlers) certDuties(c *Ctx) ([]duty, error) {
	if h.Access == nil || !c.Scope.Has(scope.ItemAccessConfigChange) {
		return nil, nil
	}
	list, err := h.Access.List(c.ctx(), c.Scope, c.Org.ID)
	if err != nil {
		return nil, err
	}
	warn := metadata.Warnings[0]
	var out []duty
	for _, p := range list {
		if p.State != sso.StateActive {
			continue
		}
		use, err := h.Access.Use(c.ctx(), p)
		if err != nil {
			return nil, err
		}
		if use.CertDaysLeft == nil || *use.CertDaysLeft > warn {
			continue
		}
		out = append(out, duty{kind: dutyCert, title: c.T("work.cert", "Platform", platformName(p)), text: c.T("work.cert_text", "Until", i18n.Date(use.CertEnds)),
			cure: part.Link{Text: c.T("work.cert_cure"), Href: c.accessAt(p.ID, "")}, since: use.CertEnds.AddDate(0, 0, -warn), due: use.CertEnds})
	}
	return out, nil
}

// consoleDuties are the vendor's own consoles whose certificates end, or whose document waits for somebody to confirm it.
func (h *Handlers) consoleDuties(c *Ctx) ([]duty, error) {
	if h.Access == nil || !c.Scope.Has(scope.ItemConsoleChange) {
		return nil, nil
	}
	list, err := h.Access.ConsoleStatuses(c.ctx(), c.Scope)
	if err != nil {
		return nil, err
	}
	warn := metadata.Warnings[0]
	var out []duty
	for _, x := range list {
		if x.State != sso.StateActive || !registry.Changeable(c.Scope, x.Console) {
			continue
		}
		cure := part.Link{Text: c.T("work.console_cure"), Href: c.consoleAt(x.ID, "")}
		if x.Waits != nil {
			out = append(out, duty{kind: dutyCert, title: c.T("work.console_waits", "Console", x.Name), text: c.T("work.console_waits_text"), cure: cure, since: x.Waits.FetchedAt})
		}
		if x.CertDaysLeft != nil && *x.CertDaysLeft <= warn {
			out = append(out, duty{kind: dutyCert, title: c.T("work.console", "Console", x.Name), text: c.T("work.console_text", "Until", i18n.Date(x.CertEnds)), cure: cure,
				since: x.CertEnds.AddDate(0, 0, -warn), due: x.CertEnds})
		}
	}
	return out, nil
}
