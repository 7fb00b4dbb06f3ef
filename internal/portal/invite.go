package portal

import (
	"net/http"
	"slices"

	"huoban/internal/account"
	"huoban/internal/fault"
	"huoban/internal/i18n"
	"huoban/internal/invitation"
	"huoban/web/templates/growview"
	"huoban/web/templates/part"
)

// inviteRoutes are the customer's side of an invitation: the page behind its link.
func inviteRoutes() []Route {
	return []Route{
		{Method: get, Path: "/invite/:token", Name: "invite", Public: true, Title: "growview.arrive.title", NoList: "form", Do: (*Handlers).arrivedByLink},
		{Method: post, Path: "/invite/:token", Name: "invite.do", Public: true, Do: (*Handlers).acceptedByLink},
	}
}

// How often an address may look behind links, and try to be associated, within a minute.
const (
	inviteLooks = 60
	inviteTries = 10
)

func (h *Handlers) inviteRate(c *Ctx, what string, limit int) error {
	if h.rates.count("invite "+what+" "+c.RealIP(), h.Clock.Now(), 1) > limit {
		return fault.New(fault.KindLimited, "invitation.too_fast", fault.Args{"seconds": 60})
	}
	return nil
}

// linkOver is the one page for every link that does not open, whatever the reason.
func (h *Handlers) linkOver(c *Ctx, err error) error {
	if !fault.Is(err, fault.KindNotFound) || wantsJSON(c.Request()) {
		return err
	}
	return c.page(http.StatusNotFound, growview.Over{}.Page())
}

func (h *Handlers) arrivedByLink(c *Ctx) error {
	c.unreferred()
	if err := h.inviteRate(c, "look", inviteLooks); err != nil {
		return err
	}
	a, err := h.Invitations.Open(c.ctx(), c.Param("token"))
	if err != nil {
		return h.linkOver(c, err)
	}
	return h.arrivePageOf(c, http.StatusOK, &a, nil)
}

// arrivePageOf shows who invites to what, and asks for consent: of the account one is signed in with, or of a new one.
func (h *Handlers) arrivePageOf(c *Ctx, status int, a *invitation.Arrival, refused *fault.Error) error {
	kind := a.Invitation.Relation
	p := growview.Arrive{Action: c.Request().URL.Path, Partner: a.Partner.Name, Relation: c.T(kind.Label()), Meaning: c.T("invitations.may." + string(kind)),
		May: partnerMay(c), Until: c.T("invitations.until", "Until", i18n.DateTime(a.Invitation.ExpiresAt)), SignIn: "/login?next=" + queryEscape(c.Request().URL.Path)}
	if refused != nil {
		p.Error, p.Reasons = i18n.FaultText(c.ctx(), refused), nil
		if len(refused.Reason) > 0 {
			p.Reasons = i18n.FaultReasons(c.ctx(), refused)
		}
	}
	if c.Person.ID != "" {
		p.As = c.Person.Login
		if org, err := h.Invitations.OwnedBy(c.ctx(), c.Person); err == nil {
			p.Company = org.Name
		} else if !fault.HasCode(err, "invitation.not_admin") {
			return err
		}
	}
	value := func(name string) string { return c.Request().PostForm.Get(name) }
	phone := part.Field{Name: "phone", Label: c.T("growview.arrive.phone"), Type: "tel", Value: value("phone"), Required: true, Autocomplete: "tel"}
	if a.Registered != nil {
		phone.Help = c.T("growview.arrive.phone_help", "Phone", masked(a.Registered.Phone))
	}
	p.Fields = []part.Field{{Name: "company", Label: c.T("growview.arrive.company"), Value: value("company"), Required: true, MaxLength: 200, Autocomplete: "organization"},
		{Name: "name", Label: c.T("growview.arrive.name"), Value: value("name"), Required: true, Autocomplete: "name", MaxLength: 100}, phone,
		{Name: "email", Label: c.T("growview.arrive.email"), Type: "email", Value: value("email"), Autocomplete: "email"},
		{Name: "login", Label: c.T("growview.arrive.login"), Value: value("login"), Required: true, Autocomplete: "username", Help: c.T("growview.arrive.login_help"), MaxLength: 64},
		{Name: "password", Label: c.T("growview.arrive.password"), Type: "password", Required: true, Autocomplete: "new-password", Help: c.T("portal.password.length")}}
	if refused != nil {
		for i := range p.Fields {
			if slices.Contains(faultField[p.Fields[i].Name], refused.Code) {
				p.Fields[i].Error = p.Error
			}
		}
	}
	return c.page(status, p.Page())
}

// faultField are the refusals that belong to one field.
var faultField = map[string][]string{"company": {"organisation.name_malformed"}, "name": {"account.name_malformed"}, "phone": {"account.phone_malformed"}, "email": {"account.email_malformed"},
	"login": {"invitation.login_refused"}, "password": {"account.password_short", "account.password_weak", "account.password_like_login", "account.password_long"}}

// acceptedByLink is the customer's consent.
func (h *Handlers) acceptedByLink(c *Ctx) error {
	c.unreferred()
	if err := h.inviteRate(c, "try", inviteTries); err != nil {
		return err
	}
	if err := c.readForm(); err != nil {
		return err
	}
	form := c.Request().PostForm
	var out invitation.Joined
	var err error
	switch form.Get("do") {
	case "join":
		if c.Person.ID == "" {
			return c.seeOther("/login?next=" + queryEscape(c.Request().URL.Path))
		}
		out, err = h.Invitations.Join(c.ctx(), c.Person, c.Param("token"), form.Get("consent") == "true")
	case "register":
		out, err = h.Invitations.Register(c.ctx(), invitation.RegisterInput{Token: c.Param("token"), Company: form.Get("company"), Name: form.Get("name"), Phone: form.Get("phone"),
			Email: form.Get("email"), Login: form.Get("login"), Password: form.Get("password"), Consent: form.Get("consent") == "true"})
		if err == nil {
			err = h.enterNew(c, out.Person)
		}
	default:
		err = fault.Invalid("request.malformed", nil)
	}
	if err == nil {
		return c.seeOther("/o/" + out.Organisation.Code + pathPartner + "?done=associated")
	}
	if fault.Is(err, fault.KindNotFound) {
		return h.linkOver(c, err)
	}
	return c.refuse(err, func(status int, f *fault.Error) error {
		a, err := h.Invitations.Open(c.ctx(), c.Param("token"))
		if err != nil {
			return h.linkOver(c, err)
		}
		return h.arrivePageOf(c, status, &a, f)
	})
}

// enterNew signs the new customer's administrator in.
func (h *Handlers) enterNew(c *Ctx, p account.Person) error {
	return h.Sessions.SignIn(c.ctx(), p.ID, h.visit(c))
}
