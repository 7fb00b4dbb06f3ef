package sso

import "time"

// BuildAuthnRequest makes the question that sends a customer to its partner's platform. RelayState is the
// request's own token and nothing else, and the answer may only come to our address.
func BuildAuthnRequest(reg Registration, req Request, now time.Time) (Outgoing, error) {
	root := element("samlp:AuthnRequest", "xmlns:samlp", nsProtocol, "xmlns:saml", nsAssertion, "ID", req.ID, "Version", "2.0",
		"IssueInstant", stamp(now), "Destination", reg.SSOURL, "ProtocolBinding", string(BindingPost), "AssertionConsumerServiceURL", reg.ACS)
	if req.ForceAuthn {
		root.CreateAttr("ForceAuthn", "true")
	}
	add(root, "saml:Issuer").SetText(reg.EntityID)
	add(root, "samlp:NameIDPolicy", "AllowCreate", "true")
	if reg.AuthnContextMin != "" {
		add(add(root, "samlp:RequestedAuthnContext", "Comparison", "minimum"), "saml:AuthnContextClassRef").SetText(reg.AuthnContextMin)
	}
	return send(root, "SAMLRequest", reg.SSOBinding, reg.SSOURL, req.RelayID, reg.Keys, reg.SignRequests)
}
