package portal

import (
	"bytes"
	"crypto/sha256"
	"errors"
	"io"
	"net/http"
	"net/url"
	"strings"

	"huoban/internal/hosted"
	"huoban/internal/signon"
	"huoban/internal/sso"
	"huoban/web/templates/part"
	"huoban/web/templates/ssoview"
)

// maxSAMLForm bounds a posted message; a page of the same size would be refused before it is read as XML.
const maxSAMLForm = 256 << 10

// fieldHop marks a form that came a second time, from our own page.
const fieldHop = "hop"

// samlPost reads what came, believing nothing of it. hop tells whether our own page sent it again.
func (c *Ctx) samlPost() (p sso.Post, hop bool, err error) {
	r := c.Request()
	p = sso.Post{Method: r.Method, ContentType: r.Header.Get("Content-Type"), Host: r.Host, RawQuery: r.URL.RawQuery, Browser: c.browser(), IP: c.RealIP(),
		UserAgent: r.UserAgent(), Form: url.Values{}}
	if r.Method != http.MethodPost {
		return p, false, nil
	}
	body, err := io.ReadAll(io.LimitReader(r.Body, maxSAMLForm+1))
	var tooLarge *http.MaxBytesError
	switch {
	case errors.As(err, &tooLarge) || len(body) > maxSAMLForm:
		p.TooLarge = true
		return p, false, nil
	case err != nil:
		return p, false, malformed(err)
	}
	if form, err := url.ParseQuery(string(body)); err == nil {
		p.Form = form
	}
	hop = p.Form.Get(fieldHop) != ""
	p.Form.Del(fieldHop)
	return p, hop, nil
}

// about is what a refusal keeps of a message: its hash, and whom it answered.
func about(p sso.Post, requestID string) signon.RefuseInput {
	in := signon.RefuseInput{RequestID: requestID}
	if m := p.Form.Get("SAMLResponse") + p.Form.Get("SAMLRequest"); m != "" {
		sum := sha256.Sum256([]byte(m))
		in.MessageSHA = sum[:]
	}
	return in
}

// samlACS takes the answer of a platform: every check, then one transaction.
func (h *Handlers) samlACS(c *Ctx) error {
	c.unreferred()
	reg, err := h.platformByKey(c)
	if err != nil {
		return h.refuse(c, nil, err, signon.RefuseInput{})
	}
	post, hop, err := c.samlPost()
	if err != nil {
		return err
	}
	if err := h.rates.allow(c.RealIP(), reg.Key, h.Clock.Now()); err != nil {
		return h.refuse(c, reg, err, about(post, ""))
	}
	if err := open(reg, h.Access != nil); err != nil {
		return h.refuse(c, reg, err, about(post, ""))
	}
	acc, _, err := sso.VerifyPost(c.ctx(), *reg, post, h.SignOn, h.Clock.Now())
	if r := sso.RefusalOf(err); r != nil && r.Code == sso.CodeReqBrowser && post.Browser == "" && !hop {
		return h.hop(c, post)
	}
	if req, ok, e := h.testOf(c, reg, post); e != nil || ok {
		if e != nil {
			return e
		}
		return h.tested(c, reg, post, req)
	}
	if err == nil && acc.Request.Purpose == sso.PurposeTest {
		err = sso.Refuse(sso.CodeReqUnknown, "bindRequest", "", acc.InResponseTo)
	}
	if err == nil {
		err = open(reg, false)
	}
	if err == nil && acc.Request.Purpose == sso.PurposeStepUp {
		if err = h.confirmedThere(c, reg, acc); err == nil {
			return nil
		}
	}
	var done signon.Accepted
	if err == nil {
		done, err = h.accept(c, reg, acc)
	}
	if err != nil {
		return h.refuse(c, reg, err, about(post, acc.InResponseTo))
	}
	if done.Token != "" {
		if err := h.Sessions.Give(c.ctx(), c.Response(), done.Token); err != nil {
			return err
		}
	}
	return c.Redirect(http.StatusSeeOther, "/saml/arrive/"+done.Ticket)
}

// hop sends the same form once more from a page of ours: a browser that keeps its cookies from other sites'
// forms shows them then. What is compared stays the cookie of this very browser.
func (h *Handlers) hop(c *Ctx, p sso.Post) error {
	page := ssoview.Send{Title: c.T("ssoview.send.hop_title"), Text: c.T("ssoview.send.hop_text"), Button: c.T("ssoview.send.go"), Action: c.Request().URL.Path, Method: post}
	for _, name := range []string{"SAMLResponse", "RelayState"} {
		if v, ok := p.Form[name]; ok {
			page.Fields = append(page.Fields, part.Hidden{Name: name, Value: v[0]})
		}
	}
	page.Fields = append(page.Fields, part.Hidden{Name: fieldHop, Value: "1"})
	if c.onward("https:"); strings.HasPrefix(h.BaseURL, "http:") {
		c.onward("http: https:") // where a customer is led on to is not known before the message is read
	}
	return c.page(http.StatusOK, page.Page())
}

// accept spends the answer. An answer nobody asked for belongs to the browser that brings it.
func (h *Handlers) accept(c *Ctx, reg *sso.Registration, acc sso.Accepted) (signon.Accepted, error) {
	p := peerOf(reg)
	in := signon.AcceptInput{Peer: p, Asserted: h.asserted(acc), IP: c.RealIP(), Agent: c.Request().UserAgent(), Messages: []signon.Seen{
		{Scope: reg.ID, Kind: "assertion", ID: acc.AssertionID, Until: acc.KeepUntil}, {Scope: reg.ID, Kind: "response", ID: acc.ResponseID, Until: acc.KeepUntil}}}
	if acc.Unsolicited() {
		to := sso.ResolveShortKey(*reg, acc.RelayState)
		in.To = signon.Destination{ReturnID: to.ReturnID, Path: to.Path, Query: to.Query}
		in.Browser = sso.BrowserHash(c.secret())
	} else {
		in.Request, in.Browser = &acc.Request, acc.Request.BrowserHash
	}
	return h.SignOn.Accept(c.ctx(), in)
}

func (h *Handlers) asserted(acc sso.Accepted) signon.Asserted {
	a := signon.Asserted{XAccountID: acc.XAccountID, XUserID: acc.XUserID, Name: acc.Name, Mobile: acc.Mobile, Email: acc.Email, NameID: acc.NameID.Value,
		Format: acc.NameID.Format, NameQualifier: acc.NameID.NameQualifier, SPNameQualifier: acc.NameID.SPNameQualifier, SessionIndex: acc.SessionIndex,
		AuthnContext: acc.AuthnContext, AuthnAt: acc.AuthnInstant, NotOnOrAfter: acc.SessionNotOnOrAfter, AssertionID: acc.AssertionID,
		DriftMS: acc.IssueInstant.Sub(h.Clock.Now()).Milliseconds(), Attributes: map[string]string{}}
	for _, one := range acc.Attributes {
		if len(one.Values) == 1 {
			a.Attributes[one.Name] = one.Values[0]
		}
	}
	return a
}

// samlSLO takes what a platform says of a logout: its own wish, or the answer to ours. It needs no cookie, and
// nobody learns whom we know.
func (h *Handlers) samlSLO(c *Ctx) error {
	c.unreferred()
	reg, err := h.platformByKey(c)
	if err != nil {
		return h.refuse(c, nil, err, signon.RefuseInput{})
	}
	post, _, err := c.samlPost()
	if err != nil {
		return err
	}
	if err := h.rates.allow(c.RealIP(), reg.Key, h.Clock.Now()); err != nil {
		return h.refuse(c, reg, err, about(post, ""))
	}
	if reg.State != sso.StateActive && reg.State != sso.StateDisabled {
		return h.refuse(c, reg, sso.Refuse(sso.CodeTenantUnknown, "lookupTenant", "", ""), about(post, ""))
	}
	m, _, err := sso.VerifyLogout(c.ctx(), reg.Logout(), post, h.SignOn, h.Clock.Now())
	if err == nil && m.Request != nil {
		return h.endFor(c, reg, post, m)
	}
	if err == nil && m.Response != nil {
		return h.loggedOut(c, reg, post, m)
	}
	if r := sso.RefusalOf(err); r != nil && r.Code == sso.CodeSLOStatus {
		return h.left(c, reg, part.Warn, "ssoview.left.failed") // out here all the same
	}
	return h.refuse(c, reg, err, about(post, ""))
}

// endFor ends what the platform names and answers it.
func (h *Handlers) endFor(c *Ctx, reg *sso.Registration, p sso.Post, m sso.LogoutMessage) error {
	peer := peerOf(reg)
	who := m.Request.Subject
	subject := signon.Asserted{NameID: who.NameID.Value, Format: who.NameID.Format, NameQualifier: who.NameID.NameQualifier, SPNameQualifier: who.NameID.SPNameQualifier}
	_, err := h.SignOn.EndSubject(c.ctx(), peer, subject, who.SessionIndex, signon.Seen{Scope: reg.ID, Kind: "logout", ID: m.Request.ID, Until: m.Request.KeepUntil})
	if err != nil {
		return h.refuse(c, reg, err, about(p, ""))
	}
	if reg.SLOURL == "" && reg.SLOResponseURL == "" {
		return c.page(http.StatusOK, ssoview.Left{Rows: []part.Check{hereLeft(c)}}.Page())
	}
	out, err := sso.BuildLogoutResponse(reg.Logout(), m.Request.ID, m.RelayState, false, h.Clock.Now())
	if err != nil {
		return err
	}
	return h.sendOut(c, out, ssoview.Send{Title: c.T("ssoview.send.answer_title"), Text: c.T("ssoview.send.answer_text")})
}

// loggedOut shows what the platform answered; the session here ended before it was asked.
func (h *Handlers) loggedOut(c *Ctx, reg *sso.Registration, p sso.Post, m sso.LogoutMessage) error {
	if !bytes.Equal(sso.BrowserHash(p.Browser), m.Response.Request.BrowserHash) && p.Browser != "" {
		return h.refuse(c, reg, sso.Refuse(sso.CodeSLOInResponseTo, "bindLogout", "", ""), about(p, m.Response.InResponseTo))
	}
	ok, err := h.SignOn.AnsweredLogout(c.ctx(), m.Response.InResponseTo)
	if err == nil && !ok {
		err = sso.Refuse(sso.CodeSLOReplay, "bindLogout", "", "")
	}
	if err != nil {
		return h.refuse(c, reg, err, about(p, m.Response.InResponseTo))
	}
	if m.Response.Partial {
		return h.left(c, reg, part.Warn, "ssoview.left.partial")
	}
	return h.left(c, reg, part.Good, "ssoview.left.done")
}

// left says what was reached.
func (h *Handlers) left(c *Ctx, reg *sso.Registration, tone part.Tone, text string) error {
	rows := []part.Check{hereLeft(c), {Tone: tone, Title: c.T("ssoview.left.platform", "Partner", reg.PartnerName), Text: c.T(text)}}
	return c.page(http.StatusOK, ssoview.Left{Rows: rows}.Page())
}

func hereLeft(c *Ctx) part.Check {
	return part.Check{Tone: part.Good, Title: c.T("ssoview.left.here"), Text: c.T("ssoview.left.here_text")}
}

// leavePage offers the two ways out of a session that a platform began.
func (h *Handlers) leavePage(c *Ctx) error {
	e, reg, err := h.entry(c)
	if err != nil {
		return err
	}
	if e.ID == "" {
		return notFound()
	}
	title := c.T("ssoview.leave.title")
	return c.page(http.StatusOK, ssoview.Leave{Header: part.Header{Title: title}, Partner: reg.PartnerName, Reaches: reg.SLOURL != "", Here: "/logout", Anywhere: pathSSOLeave}.Page())
}

// entry is the platform's side of the request's own session; zero for one that began here.
func (h *Handlers) entry(c *Ctx) (signon.Session, sso.Registration, error) {
	id := h.Sessions.Value(c.ctx(), signon.ValueSession)
	if id == "" || h.Platforms == nil {
		return signon.Session{}, sso.Registration{}, nil
	}
	e, ok, err := h.SignOn.Session(c.ctx(), id)
	if err != nil || !ok {
		return signon.Session{}, sso.Registration{}, err
	}
	reg, err := h.platformByID(c, e.PeerID)
	if err != nil {
		return signon.Session{}, sso.Registration{}, err
	}
	return e, *reg, nil
}

// leave ends the session here, then asks the platform to end its own. Without an answer the person is out here
// all the same.
func (h *Handlers) leave(c *Ctx) error {
	e, reg, err := h.entry(c)
	if err != nil {
		return err
	}
	if e.ID == "" {
		return notFound()
	}
	then := sso.Request{}
	if reg.SLOURL != "" {
		then, err = h.SignOn.Begin(c.ctx(), signon.BeginInput{Peer: peerOf(&reg), Browser: sso.BrowserHash(c.secret()), Purpose: sso.PurposeLogout, UserID: e.UserID,
			To: signon.Destination{Query: e.ID}})
		if err != nil {
			return err
		}
	}
	round, err := h.leaveConsoles(c, e, then.ID)
	switch {
	case err != nil:
		return err
	case round != "":
		return c.seeOther(round)
	case reg.SLOURL == "":
		return h.left(c, &reg, part.Warn, "ssoview.left.failed")
	}
	return h.askPlatform(c, &reg, e, then)
}

// askPlatform asks the platform of a session that is over here to end its own.
func (h *Handlers) askPlatform(c *Ctx, reg *sso.Registration, e signon.Session, req sso.Request) error {
	a := e.Asserted
	subject := sso.Subject{NameID: sso.NameID{Value: a.NameID, Format: a.Format, NameQualifier: a.NameQualifier, SPNameQualifier: a.SPNameQualifier}}
	if a.SessionIndex != "" {
		subject.SessionIndex = []string{a.SessionIndex}
	}
	out, err := sso.BuildLogoutRequest(reg.Logout(), subject, req.ID, req.RelayID, h.Clock.Now())
	if err != nil {
		return err
	}
	return h.sendOut(c, out, ssoview.Send{Title: c.T("ssoview.send.out_title"), Text: c.T("ssoview.send.out_text", "Partner", reg.PartnerName)})
}

// out ends the request's own session and its entry.
func (h *Handlers) out(c *Ctx, e signon.Session) error {
	if err := h.Accounts.SignedOut(c.ctx(), c.Person, c.RealIP(), numberOf(c.ctx())); err != nil {
		return err
	}
	if e.ID != "" {
		if err := h.SignOn.EndHere(c.ctx(), e); err != nil {
			return err
		}
	}
	return h.Sessions.SignOut(c.ctx())
}

// living asks of a session that a platform began, or that visits consoles by a hosted one, whether it may go on.
func (h *Handlers) living(c *Ctx) (bool, error) {
	if group := h.Sessions.Value(c.ctx(), hosted.ValueVisits); group != "" && h.Hosted != nil {
		if astray, err := h.Hosted.Astray(c.ctx(), group); err != nil || astray {
			return false, err
		}
	}
	id := h.Sessions.Value(c.ctx(), signon.ValueSession)
	if id == "" || h.SignOn == nil {
		return true, nil
	}
	return h.SignOn.Living(c.ctx(), id)
}
