package sso

import (
	"context"
	"errors"
	"strings"
	"time"

	"github.com/beevik/etree"
)

// SLOSteps is the path of a logout message, for documents and pages.
func SLOSteps() []Step { return append([]Step(nil), sloSteps...) }

var sloSteps = []Step{
	{"receiveLogout", LayerEdge, []string{CodeSLOForm, CodeInMethod, CodeInSize, CodeInBase64}, func(c *check) *Refusal { return c.receive(CodeSLOForm) }},
	{"gateBytes", LayerXML, []string{CodeXMLEncoding, CodeXMLDTD, CodeXMLComment, CodeXMLCDATA, CodeXMLPI}, (*check).gateBytes},
	{"gateTokens", LayerXML, []string{CodeXMLMalformed, CodeXMLLimits}, (*check).gateTokens},
	{"checkLogoutShape", LayerXML, []string{CodeXMLShape}, (*check).logoutShape},
	{"verifyLogout", LayerSig, []string{CodeSLOSig}, func(c *check) *Refusal { return c.verifyMessage(CodeSLOSig, CodeSLOSig) }},
	{"checkLogoutIssuer", LayerMsg, []string{CodeSLOIssuer}, (*check).logoutIssuer},
	{"checkLogoutDestination", LayerMsg, []string{CodeSLODest}, (*check).logoutDestination},
	{"checkLogoutTime", LayerMsg, []string{CodeSLOForm, CodeSLOTime}, (*check).logoutTime},
	{"readLogout", LayerMsg, []string{CodeSLOForm, CodeSLOInResponseTo, CodeSLOStatus}, (*check).readLogout},
	{"spendMessage", LayerState, []string{CodeSLOReplay}, nil},
	{"endSessions", LayerLink, nil, nil},
}

// VerifyLogout judges a message at a logout address. The replay row and the sessions are the caller's.
func VerifyLogout(ctx context.Context, p Partner, post Post, lookup Lookup, now time.Time) (LogoutMessage, []StepResult, error) {
	c := &check{ctx: ctx, partner: p, certs: p.Certs, weakUntil: p.WeakKeyUntil, skewSet: p.Skew, post: post, lookup: lookup, now: now}
	results, err := c.run(sloSteps, false)
	if err != nil {
		return LogoutMessage{}, results, err
	}
	return c.logout, results, nil
}

func (c *check) logoutShape() *Refusal {
	if c.in.param == "SAMLRequest" {
		return checkShape(c.root, "samlp:LogoutRequest", shapeLogoutRequest)
	}
	return checkShape(c.root, "samlp:LogoutResponse", shapeLogoutResponse)
}

func (c *check) logoutIssuer() *Refusal {
	who, plain := issuerOf(c.response)
	if !plain || who != c.partner.EntityID {
		return &Refusal{Code: CodeSLOIssuer, Expected: c.partner.EntityID, Seen: who}
	}
	return nil
}

func (c *check) logoutDestination() *Refusal {
	if d := attr(c.response, "Destination"); d != c.partner.OurSLO {
		return &Refusal{Code: CodeSLODest, Expected: c.partner.OurSLO, Seen: d}
	}
	return nil
}

func (c *check) logoutTime() *Refusal {
	if v := attr(c.response, "Version"); v != "2.0" {
		return &Refusal{Code: CodeSLOForm, Expected: "Version 2.0", Seen: v}
	}
	text := attr(c.response, "IssueInstant")
	t, ok := instant(text)
	if !ok || t.Before(c.now.Add(-issuedWithin-c.skew())) || t.After(c.now.Add(c.skew())) {
		return c.late(CodeSLOTime, "IssueInstant", text)
	}
	end := t.Add(issuedWithin)
	if text, has := attrOk(c.response, "NotOnOrAfter"); has {
		if end, ok = instant(text); !ok || !c.now.Before(end.Add(c.skew())) {
			return c.late(CodeSLOTime, "NotOnOrAfter", text)
		}
	}
	c.got.NotOnOrAfter, c.got.KeepUntil = end, keepUntil(c.now, end, c.skew())
	return nil
}

func (c *check) readLogout() *Refusal {
	c.logout.RelayState = c.in.relay
	if c.in.param == "SAMLRequest" {
		id := nameIDOf(childOf(c.response, nsAssertion, "NameID"))
		if id.Value == "" || len(id.Value) > 1024 {
			return &Refusal{Code: CodeSLOForm, Expected: "NameID"}
		}
		req := &LogoutRequest{ID: attr(c.response, "ID"), Subject: Subject{NameID: id}, NotOnOrAfter: c.got.NotOnOrAfter, KeepUntil: c.got.KeepUntil}
		for _, s := range childrenOf(c.response, nsProtocol, "SessionIndex") {
			req.Subject.SessionIndex = append(req.Subject.SessionIndex, textOf(s))
		}
		c.logout.Request = req
		return nil
	}
	asked := attr(c.response, "InResponseTo")
	var req Request
	found := false
	if asked != "" && len(asked) <= 128 && c.lookup != nil {
		if req, found, c.err = c.lookup.RequestByID(c.ctx, asked); c.err != nil {
			return nil
		}
	}
	if !found || req.Purpose != PurposeLogout || req.IdPID != c.partner.RequestIDPeer || !req.ConsumedAt.IsZero() || !c.now.Before(req.ExpiresAt) {
		return &Refusal{Code: CodeSLOInResponseTo, Seen: asked}
	}
	top, second := statusOf(c.response)
	res := &LogoutResponse{ID: attr(c.response, "ID"), InResponseTo: asked, Status: strings.TrimPrefix(top, statusPrefix), Request: req,
		Success: top == statusSuccess, Partial: second == statusPrefix+"PartialLogout", KeepUntil: c.got.KeepUntil}
	if !res.Success && !res.Partial {
		return &Refusal{Code: CodeSLOStatus, Expected: "Success", Seen: res.Status + " / " + strings.TrimPrefix(second, statusPrefix),
			More: map[string]any{"request": asked}}
	}
	c.logout.Response = res
	return nil
}

// BuildLogoutRequest asks the other side to end a subject's session. id is the stored request's.
func BuildLogoutRequest(p Partner, s Subject, id, relay string, now time.Time) (Outgoing, error) {
	if p.SLO == "" {
		return Outgoing{}, errors.New("the other side has no logout address")
	}
	root := element("samlp:LogoutRequest", "xmlns:samlp", nsProtocol, "xmlns:saml", nsAssertion, "ID", id, "Version", "2.0",
		"IssueInstant", stamp(now), "Destination", p.SLO, "NotOnOrAfter", stamp(now.Add(issuedWithin)), "Reason", "urn:oasis:names:tc:SAML:2.0:logout:user")
	add(root, "saml:Issuer").SetText(p.OurEntityID)
	addNameID(root, s.NameID)
	for _, i := range s.SessionIndex {
		add(root, "samlp:SessionIndex").SetText(i)
	}
	return send(root, "SAMLRequest", p.Binding, p.SLO, relay, p.Keys, true)
}

func addNameID(parent *etree.Element, n NameID) {
	e := add(parent, "saml:NameID")
	e.SetText(n.Value)
	for _, a := range [][2]string{{"Format", n.Format}, {"NameQualifier", n.NameQualifier}, {"SPNameQualifier", n.SPNameQualifier}} {
		if a[1] != "" {
			e.CreateAttr(a[0], a[1])
		}
	}
}

// BuildLogoutResponse answers a logout request. partial says that not every place could be reached.
func BuildLogoutResponse(p Partner, inResponseTo, relay string, partial bool, now time.Time) (Outgoing, error) {
	to := p.SLOResponse
	if to == "" {
		to = p.SLO
	}
	if to == "" {
		return Outgoing{}, errors.New("the other side has no logout address")
	}
	root := element("samlp:LogoutResponse", "xmlns:samlp", nsProtocol, "xmlns:saml", nsAssertion, "ID", NewMessageID(), "Version", "2.0",
		"IssueInstant", stamp(now), "Destination", to, "InResponseTo", inResponseTo)
	add(root, "saml:Issuer").SetText(p.OurEntityID)
	top, second := statusSuccess, ""
	if partial {
		top, second = statusPrefix+"Responder", statusPrefix+"PartialLogout"
	}
	addStatus(root, top, second)
	return send(root, "SAMLResponse", p.Binding, to, relay, p.Keys, true)
}

func addStatus(parent *etree.Element, top, second string) {
	code := add(add(parent, "samlp:Status"), "samlp:StatusCode", "Value", top)
	if second != "" {
		add(code, "samlp:StatusCode", "Value", second)
	}
}
