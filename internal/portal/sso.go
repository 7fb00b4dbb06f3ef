package portal

import (
	"context"
	"crypto"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"fmt"
	"net/http"
	"net/url"
	"strings"

	"huoban/internal/customer"
	"huoban/internal/fault"
	"huoban/internal/i18n"
	"huoban/internal/organisation"
	"huoban/internal/scope"
	"huoban/internal/signon"
	"huoban/internal/sso"
	"huoban/web/templates/layout"
	"huoban/web/templates/part"
	"huoban/web/templates/ssoview"
)

// Platforms gives the registrations of partners' platforms, by id, by the key in addresses, or by mark; a deleted
// one is unknown.
type Platforms interface {
	Registration(ctx context.Context, name string) (sso.Registration, bool, error)
	// Metadata is the document of our entity for a registration, by key or mark.
	Metadata(ctx context.Context, name string, signed bool) ([]byte, error)
}

const (
	pathPartner  = "/partner"
	pathSSOLeave = "/saml/leave"
)

// ssoRoutes are the jump from a partner's platform and the way back. Exactly those marked Foreign take forms
// that other sites send: what they bring is signed, and belongs to a request of this browser.
func ssoRoutes() []Route {
	return []Route{
		{Method: get, Path: "/authui/saml/login", Name: "saml.entry", Public: true, Once: true, Do: (*Handlers).samlEntry},
		{Method: get, Path: "/saml/sp/:key/login", Name: "saml.login", Public: true, Once: true, Do: (*Handlers).samlLogin},
		{Method: get, Path: "/authui/saml/metadata.xml", Name: "saml.metadata.mark", Public: true, Do: (*Handlers).samlMetadataOf},
		{Method: get, Path: "/saml/sp/:key/metadata", Name: "saml.metadata", Public: true, Do: (*Handlers).samlMetadata},
		{Method: post, Path: "/saml/sp/:key/acs", Name: "saml.acs", Public: true, Foreign: true, Do: (*Handlers).samlACS},
		{Method: get, Path: "/saml/sp/:key/slo", Name: "saml.slo", Public: true, Once: true, Do: (*Handlers).samlSLO},
		{Method: post, Path: "/saml/sp/:key/slo", Name: "saml.slo.post", Public: true, Foreign: true, Do: (*Handlers).samlSLO},
		{Method: get, Path: "/saml/arrive/:ticket", Name: "saml.arrive", Public: true, Once: true, Do: (*Handlers).arrive},
		{Method: post, Path: "/saml/arrive/:ticket", Name: "saml.arrive.do", Public: true, Do: (*Handlers).arrived},
		{Method: get, Path: pathSSOLeave, Name: "saml.leave", Self: true, Title: "ssoview.leave.title", NoList: "form", Do: (*Handlers).leavePage},
		{Method: post, Path: pathSSOLeave, Name: "saml.leave.do", Self: true, Do: (*Handlers).leave},
		{Method: get, Path: "/api/session", Name: "api.session", Public: true, Do: (*Handlers).apiSession},
		{Method: get, Path: "/o/:org" + pathPartner, Name: "partner", Title: "ssoview.partner.title", Sides: []scope.Side{scope.SideCustomer},
			Items: []scope.Item{scope.ItemAssociationView}, NoList: "one association and its trail", Do: (*Handlers).myPartner},
	}
}

const ssoCookie = "__Host-sso"

// browser is the secret this browser shows with forms of other sites; "" for none or one not of our making.
func (c *Ctx) browser() string {
	k, err := c.Cookie(ssoCookie)
	if err != nil || len(k.Value) < 32 || len(k.Value) > 64 || strings.Trim(k.Value, "abcdefghijklmnopqrstuvwxyz234567") != "" {
		return ""
	}
	return k.Value
}

// secret gives the browser its secret, or keeps the one it has for longer, because several windows share it.
func (c *Ctx) secret() string {
	secret := c.browser()
	if secret == "" {
		secret = sso.NewBrowserSecret()
	}
	c.SetCookie(&http.Cookie{Name: ssoCookie, Value: secret, Path: "/", Secure: true, HttpOnly: true, SameSite: http.SameSiteNoneMode,
		MaxAge: int(signon.BrowserLife.Seconds())})
	return secret
}

// unreferred keeps tickets and messages out of the address that the next site is told.
func (c *Ctx) unreferred() { c.Response().Header().Set("Referrer-Policy", "no-referrer") }

// toward lets a form of this page go to one other site, and from there to whichever that leads on to: browsers hold
// every redirect that answers a form against the policy of the form's page, and many consoles take a message at one
// host and lead to another.
func (c *Ctx) toward(address string) error {
	u, err := url.Parse(address)
	if err != nil || u.Host == "" || strings.ContainsAny(u.Host, " ;,'\"") {
		return fault.Invalid("request.malformed", nil)
	}
	on := "https:"
	if u.Scheme == "http" {
		on = "http: https:"
	}
	c.onward(u.Scheme + "://" + u.Host + " " + on)
	return nil
}

// onward lets what answers a form of this page lead there.
func (c *Ctx) onward(sources string) {
	c.Response().Header().Set("Content-Security-Policy", strings.Replace(contentPolicy, "form-action 'self'", "form-action 'self' "+sources, 1))
}

// samlHere: plain http is for the own machine alone.
func (h *Handlers) samlHere() bool {
	u, err := url.Parse(h.BaseURL)
	return err == nil && h.Platforms != nil && (u.Scheme == "https" || sso.ThisMachine(u.Hostname()))
}

// platform finds a registration by what is its name here: one kind of name never stands for another. Whose it is,
// a refusal says only when it was found.
func (h *Handlers) platform(c *Ctx, name string, is func(r *sso.Registration) string) (*sso.Registration, error) {
	unknown := sso.Refuse(sso.CodeTenantUnknown, "lookupTenant", "", "")
	if name == "" || !h.samlHere() {
		return nil, unknown
	}
	reg, ok, err := h.Platforms.Registration(c.ctx(), name)
	if err != nil {
		return nil, err
	}
	if !ok || is(&reg) != name {
		return nil, unknown
	}
	return &reg, nil
}

func (h *Handlers) platformByKey(c *Ctx) (*sso.Registration, error) {
	return h.platform(c, c.Param("key"), func(r *sso.Registration) string { return r.Key })
}

func (h *Handlers) platformByID(c *Ctx, id string) (*sso.Registration, error) {
	return h.platform(c, id, func(r *sso.Registration) string { return r.ID })
}

// open: a registration that is active takes customers; one that is being tried takes its own tests.
func open(reg *sso.Registration, test bool) error {
	trying := test && (reg.State == sso.StateDraft || reg.State == sso.StateTested)
	switch {
	case !reg.PartnerActive:
		return sso.Refuse(sso.CodeTenantPartner, "lookupTenant", "", "")
	case reg.State == sso.StateDeleted:
		return sso.Refuse(sso.CodeTenantUnknown, "lookupTenant", "", "")
	case reg.State != sso.StateActive && !trying:
		return sso.Refuse(sso.CodeTenantDisabled, "lookupTenant", string(sso.StateActive), string(reg.State))
	}
	return nil
}

// peerOf is what linking asks of a registration.
func peerOf(reg *sso.Registration) signon.Peer {
	partner := organisation.Organisation{ID: reg.PartnerID, Code: reg.BpID, Name: reg.PartnerName}
	p := signon.Peer{ID: reg.ID, Key: reg.Key, Partner: partner, AccountType: reg.AccountType, FirstEntry: reg.FirstEntry, Association: customer.Kind(reg.Association), NotifyURL: reg.NotifyURL}
	for _, k := range reg.Keys {
		if k.Use == sso.KeyUseSign && k.State == sso.KeyStateCurrent && k.Private != nil {
			p.Sign = func(data []byte) ([]byte, error) {
				sum := sha256.Sum256(data)
				return rsa.SignPKCS1v15(rand.Reader, k.Private, crypto.SHA256, sum[:])
			}
		}
	}
	return p
}

// refuse answers a sign-in that does not come about: staff find why under the reference, the customer reads the
// same sentence whatever it was. Anything but a refusal is answered as everywhere.
func (h *Handlers) refuse(c *Ctx, reg *sso.Registration, err error, about signon.RefuseInput) error {
	if !isRefusal(err) {
		return err
	}
	name := ""
	if reg != nil {
		name = reg.PartnerName
		p := peerOf(reg)
		about.Peer = &p
	}
	return h.refusal(c, name, err, about)
}

func isRefusal(err error) bool {
	return err != nil && (sso.RefusalOf(err) != nil || strings.HasPrefix(fault.From(err).Code, "sso."))
}

// noted keeps why a message was refused, and gives the reference.
func (h *Handlers) noted(c *Ctx, err error, about signon.RefuseInput) (string, error) {
	f, r := fault.From(err), sso.RefusalOf(err)
	about.Route, about.IP, about.UserAgent, about.Code = c.Route.Name, c.RealIP(), c.Request().UserAgent(), f.Code
	if r != nil {
		about.Step, about.Facts = r.Step, map[string]string{"expected": r.Expected, "seen": r.Seen}
		for k, v := range r.More {
			about.Facts[k] = fmt.Sprint(v)
		}
		if r.Status != "" {
			about.Facts["status"] = r.Status
		}
	}
	h.rates.refused(c.RealIP(), h.Clock.Now())
	if h.SignOn == nil {
		return "", nil
	}
	return h.SignOn.Refuse(c.ctx(), about)
}

// refusal is the page of it; partner only where the address named one.
func (h *Handlers) refusal(c *Ctx, partner string, err error, about signon.RefuseInput) error {
	c.unreferred()
	page := ssoview.Refused{Title: c.T("ssoview.refused.title"), Text: c.T("ssoview.refused.text"), When: i18n.DateTime(h.Clock.Now()), Partner: partner}
	if r := sso.RefusalOf(err); r != nil && r.Status != "" {
		page.Title, page.Text = c.T("ssoview.refused.cancel_title"), c.T("ssoview.refused.cancel_text")
	}
	var problem error
	if page.Ref, problem = h.noted(c, err, about); problem != nil {
		return problem
	}
	env := layout.From(c.ctx())
	env.Path = "/" // the page does not lead back here
	c.SetRequest(c.Request().WithContext(layout.With(c.ctx(), env)))
	if wantsJSON(c.Request()) {
		return c.JSON(http.StatusForbidden, map[string]string{"code": "sso.refused", "message": page.Text, "reference": page.Ref})
	}
	return c.page(http.StatusForbidden, page.Page())
}

// samlEntry is the vendor's own address of the jump: the platform is named by its mark.
func (h *Handlers) samlEntry(c *Ctx) error {
	q := c.Request().URL.Query()
	mark := ""
	if len(q["xAccountType"]) == 1 {
		mark = q.Get("xAccountType")
	}
	reg, err := h.platform(c, mark, func(r *sso.Registration) string { return r.AccountType })
	return h.samlBegin(c, reg, err, q)
}

// samlLogin is the same by the registration's key.
func (h *Handlers) samlLogin(c *Ctx) error {
	reg, err := h.platformByKey(c)
	return h.samlBegin(c, reg, err, c.Request().URL.Query())
}

// samlMetadata is what the platform reads of our entity for it alone.
func (h *Handlers) samlMetadata(c *Ctx) error {
	reg, err := h.platformByKey(c)
	return h.metadata(c, reg, err)
}

// samlMetadataOf is the same at the vendor's own address, where the mark says whose.
func (h *Handlers) samlMetadataOf(c *Ctx) error {
	reg, err := h.platform(c, c.QueryParam("xAccountType"), func(r *sso.Registration) string { return r.AccountType })
	return h.metadata(c, reg, err)
}

func (h *Handlers) metadata(c *Ctx, reg *sso.Registration, err error) error {
	if sso.RefusalOf(err) != nil {
		return notFound()
	}
	if err != nil {
		return err
	}
	body, err := h.Platforms.Metadata(c.ctx(), reg.Key, c.QueryParam("unsigned") != "true")
	if err != nil {
		return err
	}
	return c.Blob(http.StatusOK, "application/samlmetadata+xml", body)
}

// samlBegin settles where the sign-in leads, keeps the request and sends the browser to the platform.
func (h *Handlers) samlBegin(c *Ctx, reg *sso.Registration, err error, q url.Values) error {
	c.unreferred()
	to := sso.Target{}
	if err == nil {
		err = open(reg, false)
	}
	if err == nil {
		err = h.rates.allow(c.RealIP(), reg.Key, h.Clock.Now())
	}
	if err == nil && len(q["service"]) > 1 {
		err = sso.Refuse(sso.CodeReturnNotAllowed, "resolveReturn", "1", "2")
	}
	if err == nil {
		to, err = sso.ResolveReturn(*reg, h.BaseURL, q.Get("service"))
	}
	if err != nil {
		return h.refuse(c, reg, err, signon.RefuseInput{})
	}
	p := peerOf(reg)
	req, err := h.SignOn.Begin(c.ctx(), signon.BeginInput{Peer: p, Browser: sso.BrowserHash(c.secret()), Purpose: sso.PurposeSignIn,
		To: signon.Destination{ReturnID: to.ReturnID, Path: to.Path, Query: to.Query}, FirstLogin: q.Get("isFirstLogin") == "true"})
	if err != nil {
		return err
	}
	out, err := sso.BuildAuthnRequest(*reg, req, h.Clock.Now())
	if err != nil {
		return err
	}
	return h.sendOut(c, out, ssoview.Send{Title: c.T("ssoview.send.login_title"), Text: c.T("ssoview.send.login_text", "Partner", reg.PartnerName)})
}

// sendOut hands a message of ours to the browser: a redirect of a page that was asked for goes at once, anything
// else by a page, because a form's answer may only lead where the page of the form allowed.
func (h *Handlers) sendOut(c *Ctx, out sso.Outgoing, p ssoview.Send) error {
	c.unreferred()
	p.Button = c.T("ssoview.send.go")
	if out.Binding == sso.BindingRedirect {
		if c.Request().Method == http.MethodGet {
			return c.Redirect(http.StatusSeeOther, out.URL)
		}
		p.Href = out.URL
		return c.page(http.StatusOK, p.Page())
	}
	p.Action, p.Method = out.URL, post
	for _, f := range out.Fields {
		p.Fields = append(p.Fields, part.Hidden{Name: f.Name, Value: f.Value})
	}
	if err := c.toward(out.URL); err != nil {
		return err
	}
	return c.page(http.StatusOK, p.Page())
}
