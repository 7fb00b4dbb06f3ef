package portal

import (
	"huoban/internal/i18n"
	"huoban/internal/scope"
	"huoban/internal/sso"
	"huoban/internal/sso/metadata"
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
