package portal

import (
	"cmp"
	"net/http"
	"net/url"
	"strings"
	"time"

	"huoban/internal/customer"
	"huoban/internal/fault"
	"huoban/internal/i18n"
	"huoban/internal/scope"
	"huoban/internal/signon"
	"huoban/internal/sso"
	"huoban/web/templates/layout"
	"huoban/web/templates/part"
	"huoban/web/templates/ssoview"
)

// arriving is a request for the page of a ticket.
type arriving struct {
	reg    sso.Registration
	peer   signon.Peer
	ticket signon.Ticket
}

// arriving finds ticket and registration; another browser's ticket is an unknown one.
func (h *Handlers) arriving(c *Ctx) (arriving, error) {
	c.unreferred()
	if !h.samlHere() {
		return arriving{}, notFound()
	}
	secret := c.browser()
	if secret == "" {
		return arriving{}, notFound()
	}
	t, err := h.SignOn.Ticket(c.ctx(), c.Param("ticket"), sso.BrowserHash(secret))
	if err != nil {
		return arriving{}, err
	}
	reg, err := h.platformByID(c, t.PeerID)
	if err != nil {
		return arriving{}, err
	}
	return arriving{*reg, peerOf(reg), t}, nil
}

// arrive is the page behind a ticket: lead on, ask, or let a new customer decide.
func (h *Handlers) arrive(c *Ctx) error {
	a, err := h.arriving(c)
	if err != nil {
		return err
	}
	if err := open(&a.reg, false); err != nil {
		return h.refuse(c, &a.reg, err, signon.RefuseInput{})
	}
	switch a.ticket.State {
	case signon.TicketEntered:
		return h.landed(c, a, a.ticket.PersonID)
	case signon.TicketKnown:
		if c.Person.ID == "" || c.Person.ID == a.ticket.PersonID {
			return h.enter(c, a)
		}
		p, err := h.Accounts.PersonByID(c.ctx(), a.ticket.PersonID)
		if err != nil {
			return err
		}
		c.returning(a)
		return c.page(http.StatusOK, ssoview.Continue{Action: c.Request().URL.Path, Partner: a.reg.PartnerName, As: p.Name, Now: c.Person.Name}.Page())
	case signon.TicketNew:
		return h.arrivePage(c, a, http.StatusOK, "")
	}
	return notFound()
}

// returning lets the forms of an arrival lead to where the sign-in was meant to go, which may be another site.
func (c *Ctx) returning(a arriving) {
	to := (sso.Target{ReturnID: a.ticket.ReturnID, Path: a.ticket.Path, Query: a.ticket.Query}).Address(a.reg)
	if u, err := url.Parse(to); err == nil && u.Host != "" {
		c.onward(u.Scheme + "://" + u.Host)
	}
}

// landed leads on to where the sign-in was meant to go.
func (h *Handlers) landed(c *Ctx, a arriving, personID string) error {
	to, err := h.landing(c, a, personID)
	if err != nil {
		return err
	}
	return c.Redirect(http.StatusSeeOther, to)
}

// landing is the return settled before the request left, or the customer's consumption.
func (h *Handlers) landing(c *Ctx, a arriving, personID string) (string, error) {
	if to := (sso.Target{ReturnID: a.ticket.ReturnID, Path: a.ticket.Path, Query: a.ticket.Query}).Address(a.reg); to != "" && to != "/" {
		return to, nil
	}
	p, err := h.Accounts.PersonByID(c.ctx(), personID)
	if err != nil {
		return "", err
	}
	sc, err := h.Accounts.ScopeOf(c.ctx(), p, p.OrgID)
	if err != nil {
		return "", err
	}
	org, err := h.Orgs.ByID(c.ctx(), sc, p.OrgID)
	if err != nil {
		return "", err
	}
	if sc.Side() == scope.SideCustomer && sc.Has(scope.ItemExpenditureView) {
		return "/o/" + org.Code + "/expenditure", nil
	}
	return "/o/" + org.Code, nil
}

// enter opens the session of a customer who is known.
func (h *Handlers) enter(c *Ctx, a arriving) error {
	e, err := h.SignOn.Enter(c.ctx(), h.entering(c, a))
	return h.admit(c, a, e, err)
}

func (h *Handlers) entering(c *Ctx, a arriving) signon.EnterInput {
	return signon.EnterInput{Peer: a.peer, Ticket: a.ticket, Consent: c.Request().PostForm.Get("consent") == "true", IP: c.RealIP(), Agent: c.Request().UserAgent(),
		Keep: h.Sessions.Preferences(c.ctx())}
}

// admit gives the browser its session, tells the partner, and leads on.
func (h *Handlers) admit(c *Ctx, a arriving, e signon.Entered, err error) error {
	if err != nil {
		return h.refuse(c, &a.reg, err, signon.RefuseInput{})
	}
	if err := h.Sessions.Give(c.ctx(), c.Response(), e.Token); err != nil {
		return err
	}
	to, err := h.landing(c, a, e.Person.ID)
	if err != nil {
		return err
	}
	if e.Told == nil {
		return c.Redirect(http.StatusSeeOther, to)
	}
	return h.tellPage(c, a, e.Told, ssoview.Send{Title: c.T("ssoview.send.told_title"), Text: c.T("ssoview.send.told_text", "Partner", a.reg.PartnerName),
		Stay: &part.Link{Text: c.T("ssoview.send.told_stay"), Href: to}})
}

// tellPage sends the result to the partner by the customer's own browser, which comes back to the partner so.
func (h *Handlers) tellPage(c *Ctx, a arriving, r *signon.BindResult, p ssoview.Send) error {
	if err := c.toward(r.URL); err != nil {
		return err
	}
	p.Action, p.Method, p.Button = r.URL, post, c.T("ssoview.send.told_go", "Partner", a.reg.PartnerName)
	p.Fields = []part.Hidden{{Name: "bindRequest", Value: r.BindRequest}, {Name: "SigAlg", Value: r.SigAlg}, {Name: "Signature", Value: r.Signature}}
	return c.page(http.StatusOK, p.Page())
}

// arrived is what the customer decided.
func (h *Handlers) arrived(c *Ctx) error {
	if err := c.readForm(); err != nil {
		return err
	}
	a, err := h.arriving(c)
	if err != nil {
		return err
	}
	if err := open(&a.reg, false); err != nil {
		return h.refuse(c, &a.reg, err, signon.RefuseInput{})
	}
	do := c.Request().PostForm.Get("do")
	if do == "enter" && a.ticket.State == signon.TicketKnown {
		return h.enter(c, a)
	}
	if a.ticket.State == signon.TicketEntered { // pressed twice
		return h.landed(c, a, a.ticket.PersonID)
	}
	if a.ticket.State != signon.TicketNew {
		return notFound()
	}
	var e signon.Entered
	switch do {
	case "create":
		e, err = h.SignOn.Create(c.ctx(), h.entering(c, a))
	case "bind":
		return h.bindElsewhere(c)
	case "link":
		proved, perr := h.proved(c, a)
		if perr != nil {
			return perr
		}
		if !proved {
			return h.bindElsewhere(c)
		}
		e, err = h.SignOn.Bind(c.ctx(), h.entering(c, a), c.Person)
	case "cancel":
		return h.cancelled(c, a)
	default:
		return fault.Invalid("request.malformed", nil)
	}
	if fault.HasCode(err, "sso.link.consent") {
		return h.arrivePage(c, a, http.StatusUnprocessableEntity, i18n.FaultText(c.ctx(), fault.From(err)))
	}
	return h.admit(c, a, e, err)
}

// bindElsewhere asks for the sign-in that proves an existing account, and comes back here.
func (h *Handlers) bindElsewhere(c *Ctx) error {
	if c.Person.ID != "" {
		if err := h.Sessions.SignOut(c.ctx()); err != nil {
			return err
		}
	}
	return c.Redirect(http.StatusSeeOther, "/login?next="+queryEscape(c.Request().URL.Path))
}

// proved tells whether the person signed in here, by password and second step, after coming from the platform.
func (h *Handlers) proved(c *Ctx, a arriving) (bool, error) {
	if c.Person.ID == "" || c.Person.MustChange || h.Sessions.Value(c.ctx(), signon.ValueSession) != "" {
		return false, nil
	}
	since, err := h.Sessions.Since(c.ctx())
	return err == nil && !since.IsZero() && !since.Before(a.ticket.CreatedAt), err
}

func (h *Handlers) cancelled(c *Ctx, a arriving) error {
	e, err := h.SignOn.Cancel(c.ctx(), h.entering(c, a))
	if err != nil {
		return h.refuse(c, &a.reg, err, signon.RefuseInput{})
	}
	p := ssoview.Send{Title: c.T("ssoview.send.cancel_title"), Text: c.T("ssoview.send.cancel_text"),
		Stay: &part.Link{Text: c.T("ssoview.send.cancel_stay"), Href: "/login"}}
	if e.Told != nil {
		return h.tellPage(c, a, e.Told, p)
	}
	p.Href, p.Button, p.Stay = "/login", p.Stay.Text, nil
	return c.page(http.StatusOK, p.Page())
}

// arrivePage shows who sends the customer, what came with it, and what is about to be agreed.
func (h *Handlers) arrivePage(c *Ctx, a arriving, status int, problem string) error {
	as := a.ticket.Asserted
	p := ssoview.Arrive{Action: c.Request().URL.Path, Partner: a.reg.PartnerName, Create: a.reg.FirstEntry == sso.FirstEntryCreate, May: partnerMay(c), Error: problem}
	for _, it := range []part.Item{{Label: "account", Text: as.XAccountID}, {Label: "name", Text: as.Name}, {Label: "mobile", Text: masked(as.Mobile)}, {Label: "email", Text: masked(as.Email)},
		{Label: "kind", Text: c.T(cmp.Or(a.peer.Association, customer.KindResale).Label())}} {
		if it.Text != "" {
			it.Label = c.T("ssoview.arrive." + it.Label)
			p.Data = append(p.Data, it)
		}
	}
	proved, err := h.proved(c, a)
	if err != nil {
		return err
	}
	if proved {
		p.Bind = c.Person.Login
	}
	c.returning(a)
	return c.page(status, p.Page())
}

func partnerMay(c *Ctx) []string {
	return []string{c.T("ssoview.may.bills"), c.T("ssoview.may.funds"), c.T("ssoview.may.orders")}
}

// masked keeps enough of a contact for its owner to know it.
func masked(s string) string {
	head, host, mail := strings.Cut(s, "@")
	r := []rune(head)
	keep := 4
	if mail {
		keep = 1
	}
	if len(r) <= keep {
		keep = len(r) / 2
	}
	if len(r) == 0 {
		return ""
	}
	out := string(r[:keep]) + "****"
	if mail {
		return out + "@" + host
	}
	if len(r) > 8 {
		out += string(r[len(r)-2:])
	}
	return out
}

// viaBar says over every page by whose word one is here.
func (h *Handlers) viaBar(c *Ctx) (*layout.SiteBar, error) {
	partnerID := h.Sessions.Value(c.ctx(), signon.ValuePartner)
	if partnerID == "" {
		return nil, nil
	}
	partner, err := h.Orgs.ByID(c.ctx(), scope.System("sso"), partnerID)
	if err != nil {
		return nil, err
	}
	bar := &layout.SiteBar{Text: c.T("ssoview.bar.via", "Partner", partner.Name), Quiet: true, More: &part.Link{Text: c.T("ssoview.bar.leave"), Href: pathSSOLeave}}
	if h.may(c, pathPartner) {
		bar.Href, bar.LinkText = c.at(pathPartner), c.T("ssoview.partner.title")
	}
	return bar, nil
}

// sessionAnswer says to a program who is signed in.
type sessionAnswer struct {
	Organisation string        `json:"organisation"`
	Name         string        `json:"organisation_name"`
	Person       string        `json:"person"`
	PersonName   string        `json:"person_name"`
	How          string        `json:"how"`
	Since        time.Time     `json:"since"`
	SAML         *sessionEntry `json:"saml,omitempty"`
}

type sessionEntry struct {
	Partner      string            `json:"partner"`
	Registration string            `json:"registration"`
	AccountType  string            `json:"xAccountType"`
	Customer     string            `json:"customer"`
	XAccountID   string            `json:"xAccountId"`
	XUserID      string            `json:"xUserId"`
	NameID       string            `json:"nameId"`
	NameIDFormat string            `json:"nameIdFormat,omitempty"`
	SessionIndex string            `json:"sessionIndex,omitempty"`
	AuthnAt      time.Time         `json:"authnInstant"`
	Attributes   map[string]string `json:"attributes"`
}

// apiSession says who is signed in; nobody is 401.
func (h *Handlers) apiSession(c *Ctx) error {
	if c.Person.ID == "" {
		return c.JSON(http.StatusUnauthorized, problem{Code: "session.none", Message: c.T("fault.session.none")})
	}
	org, err := h.Orgs.ByID(c.ctx(), scope.System("sso"), c.Person.OrgID)
	if err != nil {
		return err
	}
	since, err := h.Sessions.Since(c.ctx())
	if err != nil {
		return err
	}
	out := sessionAnswer{Organisation: org.Code, Name: org.Name, Person: c.Person.Login, PersonName: c.Person.Name, How: howPassword, Since: since.UTC()}
	e, reg, err := h.entry(c)
	if err != nil {
		return err
	}
	if e.ID != "" {
		peer := peerOf(&reg)
		a := e.Asserted
		out.How = howSAML
		out.SAML = &sessionEntry{Partner: peer.Partner.Code, Registration: reg.Key, AccountType: reg.AccountType, Customer: org.Code, XAccountID: a.XAccountID,
			XUserID: a.XUserID, NameID: a.NameID, NameIDFormat: a.Format, SessionIndex: a.SessionIndex, AuthnAt: a.AuthnAt.UTC(), Attributes: a.Attributes}
	}
	return c.JSON(http.StatusOK, out)
}

const (
	howPassword = "password"
	howSAML     = "saml"
)
