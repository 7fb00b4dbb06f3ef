package portal

import (
	"net/http"
	"strings"

	"huoban/internal/account"
	"huoban/internal/fault"
	"huoban/internal/hosted"
	"huoban/internal/i18n"
	"huoban/internal/organisation"
	"huoban/internal/scope"
	"huoban/internal/signon"
	"huoban/internal/sso"
	"huoban/web/templates/hostedview"
	"huoban/web/templates/part"
	"huoban/web/templates/ssoview"
)

// pathPlatform begins the addresses of hosted platforms; the partner's code follows.
const pathPlatform = "/platform/"

// hostedRoutes are the sales platforms the portal hosts: what consoles ask, and where customers sign in and choose.
func hostedRoutes() []Route {
	return []Route{
		{Method: get, Path: "/saml/idp/:key/metadata", Name: "idp.metadata", Public: true, Do: (*Handlers).idpMetadata},
		{Method: get, Path: "/saml/idp/:key/sso", Name: "idp.sso", Public: true, Once: true, Do: (*Handlers).idpSSO},
		{Method: post, Path: "/saml/idp/:key/sso", Name: "idp.sso.post", Public: true, Foreign: true, Do: (*Handlers).idpSSO},
		{Method: get, Path: "/saml/idp/:key/slo", Name: "idp.slo", Public: true, Once: true, Do: (*Handlers).idpSLO},
		{Method: post, Path: "/saml/idp/:key/slo", Name: "idp.slo.post", Public: true, Foreign: true, Do: (*Handlers).idpSLO},
		{Method: post, Path: "/saml/idp/:key/launch/:sp", Name: "idp.launch", Public: true, Do: (*Handlers).idpLaunch},
		{Method: get, Path: pathPlatform + ":platform", Name: "platform", Public: true, Title: "hostedview.name", NoList: "a door and what is behind it", Do: (*Handlers).platformHome},
		{Method: post, Path: pathPlatform + ":platform/login", Name: "platform.login", Public: true, Do: (*Handlers).platformSignIn},
		{Method: post, Path: pathPlatform + ":platform/leaving", Name: "platform.leave", Public: true, Do: (*Handlers).platformLeave},
		{Method: get, Path: pathPlatform + ":platform/leaving/:leaving", Name: "platform.leaving", Public: true, Once: true, Do: (*Handlers).platformLeaving},
		{Method: post, Path: pathPlatform + ":platform/leaving/:leaving", Name: "platform.skip", Public: true, Do: (*Handlers).platformSkip},
		{Method: post, Path: "/account/consoles/:sp/withdrawal", Name: "console.withdraw", Self: true, Do: (*Handlers).consoleWithdrawn},
		{Method: post, Path: pathPlatform + ":platform/consoles/:sp/withdrawal", Name: "platform.withdraw", Public: true, Do: (*Handlers).platformWithdrawn},
		{Method: get, Path: pathPlatform + ":platform/jump/:ticket", Name: "platform.jump", Public: true, Once: true, Do: (*Handlers).platformJump},
		{Method: post, Path: pathPlatform + ":platform/jump/:ticket", Name: "platform.jump.do", Public: true, Do: (*Handlers).platformJumped},
	}
}

// hostAt is a hosted platform and whose it is.
type hostAt struct {
	sso.Host
	partner organisation.Organisation
}

func (a hostAt) path(rest string) string { return pathPlatform + a.partner.Code + rest }

// hostByKey finds the platform a message was sent to.
func (h *Handlers) hostByKey(c *Ctx) (*hostAt, error) {
	unknown := sso.Refuse(sso.CodeTenantUnknown, "lookupTenant", "", "")
	if !h.samlHere() || h.Access == nil || h.Hosted == nil {
		return nil, unknown
	}
	e, ok, err := h.Access.HostEntity(c.ctx(), c.Param("key"))
	if err != nil {
		return nil, err
	}
	if !ok {
		return nil, unknown
	}
	partner, err := h.Orgs.ByID(c.ctx(), scope.System("sso"), e.PartnerID)
	return &hostAt{e, partner}, err
}

// hostByPartner finds the platform a page belongs to: that of a partner without one is as absent as any other page.
func (h *Handlers) hostByPartner(c *Ctx) (*hostAt, error) {
	c.unreferred()
	if !h.samlHere() || h.Access == nil || h.Hosted == nil {
		return nil, notFound()
	}
	partner, err := h.Orgs.ByCode(c.ctx(), scope.System("sso"), c.Param("platform"))
	if fault.Is(err, fault.KindNotFound) {
		return nil, notFound()
	}
	if err != nil {
		return nil, err
	}
	e, ok, err := h.Access.HostEntityOf(c.ctx(), partner.ID)
	if err != nil {
		return nil, err
	}
	if !ok {
		return nil, notFound()
	}
	return &hostAt{e, partner}, nil
}

// open: a partner that is suspended sends nobody.
func (a hostAt) open() error {
	if !a.PartnerActive {
		return sso.Refuse(sso.CodeTenantPartner, "lookupTenant", "", "")
	}
	return nil
}

// refusedAt is the refusal of a message or a customer at a hosted platform.
func (h *Handlers) refusedAt(c *Ctx, at *hostAt, err error, in signon.RefuseInput) error {
	if !isRefusal(err) {
		return err
	}
	in.Side = signon.SideIdP
	name := ""
	if at != nil {
		in.Peer, name = at.peer(), at.partner.Name
	}
	return h.refusal(c, name, err, in)
}

func (a hostAt) peer() *signon.Peer {
	return &signon.Peer{ID: a.ID, Key: a.Key, Partner: a.partner, AccountType: a.partner.Code}
}

// idpMetadata is what consoles read of a hosted platform.
func (h *Handlers) idpMetadata(c *Ctx) error {
	at, err := h.hostByKey(c)
	if isRefusal(err) {
		return notFound()
	}
	if err != nil {
		return err
	}
	body, err := h.Access.HostMetadata(c.ctx(), at.Key, c.QueryParam("unsigned") != "true")
	if err != nil {
		return err
	}
	return c.Blob(http.StatusOK, "application/samlmetadata+xml", body)
}

// idpSSO takes the question of a console: every check, then it waits for the customer on a page of the platform,
// where the session's cookie arrives that a form of another site may not bring.
func (h *Handlers) idpSSO(c *Ctx) error {
	c.unreferred()
	at, err := h.hostByKey(c)
	if err != nil {
		return h.refusedAt(c, nil, err, signon.RefuseInput{})
	}
	msg, _, err := c.samlPost()
	if err != nil {
		return err
	}
	if err := h.rates.allow(c.RealIP(), at.Key, h.Clock.Now()); err != nil {
		return h.refusedAt(c, at, err, about(msg, ""))
	}
	if err := at.open(); err != nil {
		return h.refusedAt(c, at, err, about(msg, ""))
	}
	question, _, err := sso.VerifyAuthnRequest(c.ctx(), at.Host, msg, h.Access, h.Clock.Now())
	if r := sso.RefusalOf(err); r != nil && r.Answer != nil {
		return h.unanswerable(c, at, r, msg)
	}
	ticket := ""
	if err == nil {
		ticket, err = h.Hosted.Ask(c.ctx(), at.Host, question)
	}
	if err != nil {
		return h.refusedAt(c, at, err, about(msg, question.ID))
	}
	return c.Redirect(http.StatusSeeOther, at.path("/jump/"+ticket))
}

// unanswerable tells the console, signed, why it gets no answer, and keeps the refusal.
func (h *Handlers) unanswerable(c *Ctx, at *hostAt, r *sso.Refusal, msg sso.Post) error {
	in := about(msg, r.Answer.InResponseTo)
	in.Side, in.Peer = signon.SideIdP, at.peer()
	if _, err := h.noted(c, r, in); err != nil {
		return err
	}
	return h.sendError(c, at, *r.Answer, "")
}

func (h *Handlers) sendError(c *Ctx, at *hostAt, a sso.Answer, console string) error {
	out, err := sso.BuildErrorResponse(at.Host, a, h.Clock.Now())
	if err != nil {
		return err
	}
	if console == "" {
		console = hostOf(a.ACS.URL)
	}
	return h.sendOut(c, out, ssoview.Send{Title: c.T("hostedview.send.back_title", "Console", console), Text: c.T("hostedview.send.back_text")})
}

// idpLaunch is the customer's own wish to go to a console.
func (h *Handlers) idpLaunch(c *Ctx) error {
	c.unreferred()
	at, err := h.hostByKey(c)
	if isRefusal(err) {
		return notFound()
	}
	if err != nil {
		return err
	}
	con, ok, err := h.Access.ConsoleByID(c.ctx(), c.Param("sp"))
	if err != nil {
		return err
	}
	if !ok {
		return notFound()
	}
	if err = at.open(); err == nil {
		err = at.Serves(con, h.Clock.Now())
	}
	if err != nil {
		return h.refusedAt(c, at, err, signon.RefuseInput{Issuer: con.EntityID})
	}
	to := con.Endpoints()
	if len(to) == 0 {
		return h.refusedAt(c, at, sso.Refuse(sso.CodeIdPACS, "checkACS", "", con.EntityID), signon.RefuseInput{Issuer: con.EntityID})
	}
	ticket, err := h.Hosted.Wish(c.ctx(), at.Host, con, to[0])
	if err != nil {
		return err
	}
	return c.Redirect(http.StatusSeeOther, at.path("/jump/"+ticket))
}

// platformHome is the platform's door, and behind it the choice of consoles.
func (h *Handlers) platformHome(c *Ctx) error {
	at, err := h.hostByPartner(c)
	if err != nil {
		return err
	}
	if err := at.open(); err != nil {
		return h.refusedAt(c, at, err, signon.RefuseInput{})
	}
	if c.Person.ID == "" || c.QueryParam("other") != "" {
		return c.page(http.StatusOK, h.platformDoor(c, at, at.path(""), "", "").Page())
	}
	if c.Person.MustChange {
		return c.Redirect(http.StatusSeeOther, "/account/password?next="+queryEscape(at.path("")))
	}
	org, err := h.Hosted.CustomerOf(c.ctx(), c.Person, at.PartnerID)
	if isRefusal(err) {
		return h.stranger(c, at, at.path("?other=1"), "")
	}
	if err != nil {
		return err
	}
	return h.platformChoice(c, at, org)
}

// platformDoor is the sign-in of the platform, leading to next.
func (h *Handlers) platformDoor(c *Ctx, at *hostAt, next, login, problem string) hostedview.SignIn {
	return hostedview.SignIn{Partner: at.partner.Name, Action: at.path("/login"), Next: next, Login: login, Error: problem}
}

// stranger is somebody signed in who is no customer of the partner.
func (h *Handlers) stranger(c *Ctx, at *hostAt, other, cancel string) error {
	p := hostedview.Stop{Title: c.T("hostedview.stop.stranger", "Partner", at.partner.Name), Text: c.T("hostedview.stop.stranger_text", "Partner", at.partner.Name, "As", c.Person.Login),
		Other: &part.Link{Text: c.T("hostedview.stop.other"), Href: other}, Cancel: cancel, Back: &part.Link{Text: c.T("hostedview.stop.back"), Href: "/"}}
	return c.page(http.StatusForbidden, p.Page())
}

// platformSignIn is the sign-in at the platform's door: the customer's own account, and its second step as set.
func (h *Handlers) platformSignIn(c *Ctx) error {
	at, err := h.hostByPartner(c)
	if err != nil {
		return err
	}
	if err := at.open(); err != nil {
		return h.refusedAt(c, at, err, signon.RefuseInput{})
	}
	login, next := c.FormValue("username"), c.FormValue("next")
	if next != at.path("") && !strings.HasPrefix(next, at.path("/")) {
		next = at.path("")
	}
	res, err := h.Accounts.SignIn(c.ctx(), account.SignInInput{Login: login, Password: c.FormValue("password"), IP: c.RealIP(), RequestID: numberOf(c.ctx())})
	if err == nil {
		return h.signedIn(c, res, next)
	}
	f := faultOf(err)
	if f.Kind == fault.KindInternal || wantsJSON(c.Request()) {
		return err
	}
	c.holdOff(f)
	page := h.platformDoor(c, at, next, login, i18n.FaultText(c.ctx(), f))
	if ticket, ok := strings.CutPrefix(next, at.path("/jump/")); ok {
		if j, err := h.jumping(c, at, ticket); err == nil {
			page.Console, page.Cancel = j.con.Name, next
		}
	}
	return c.page(statusOf[f.Kind], page.Page())
}

// asking is a question that waits at a platform, and the console it is of.
type asking struct {
	at     *hostAt
	q      hosted.Question
	con    sso.Console
	ticket string
}

func (j asking) path() string { return j.at.path("/jump/" + j.ticket) }

func (h *Handlers) jumping(c *Ctx, at *hostAt, ticket string) (asking, error) {
	q, err := h.Hosted.Question(c.ctx(), at.Host, ticket)
	if err != nil {
		return asking{}, err
	}
	con, ok, err := h.Access.ConsoleByID(c.ctx(), q.ConsoleID)
	if err == nil && !ok {
		err = notFound()
	}
	if err == nil {
		err = at.open()
	}
	if err == nil {
		err = at.Serves(con, h.Clock.Now()) // it may have been disabled meanwhile
	}
	return asking{at, q, con, ticket}, err
}
