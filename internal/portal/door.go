package portal

import (
	"context"
	"net/http"
	"slices"
	"strings"

	"huoban/internal/account"
	"huoban/internal/audit"
	"huoban/internal/fault"
	"huoban/internal/i18n"
	"huoban/internal/session"
	"huoban/web/templates/layout"
	"huoban/web/templates/part"
	"huoban/web/templates/signview"
)

// root leads to the person's first organisation, or to the door.
func (h *Handlers) root(c *Ctx) error {
	if c.Person.ID == "" {
		return c.seeOther("/login")
	}
	return c.seeOther(h.first(c))
}

func (h *Handlers) first(c *Ctx) string {
	if c.Person.MustChange {
		return layout.PathPassword
	}
	return layout.From(c.ctx()).HomeHref
}

func (h *Handlers) signInPage(c *Ctx) error {
	if c.Person.ID != "" {
		return c.seeOther(h.first(c))
	}
	p := signview.SignIn{Action: "/login", Next: c.QueryParam("next")}
	if c.QueryParam("done") == "password" {
		p.Note = &part.Flash{Tone: part.Good, Text: c.T("signview.welcome.done")}
	}
	return c.page(http.StatusOK, p.Page())
}

func (h *Handlers) visit(c *Ctx) session.Visit {
	return session.Visit{IP: c.RealIP(), Agent: c.Request().UserAgent()}
}

func (h *Handlers) signIn(c *Ctx) error {
	login, next := c.FormValue("username"), c.FormValue("next")
	res, err := h.Accounts.SignIn(c.ctx(), account.SignInInput{
		Login: login, Password: c.FormValue("password"), IP: c.RealIP(), RequestID: numberOf(c.ctx())})
	if err != nil {
		return h.signInAgain(c, err, login, next)
	}
	return h.signedIn(c, res, next)
}

// signInAgain shows the form with the login kept and the reason beside it.
func (h *Handlers) signInAgain(c *Ctx, err error, login, next string) error {
	f := faultOf(err)
	if f.Kind == fault.KindInternal || wantsJSON(c.Request()) {
		return err
	}
	c.holdOff(f)
	return c.page(statusOf[f.Kind], signview.SignIn{Action: "/login", Login: login, Next: next, Error: i18n.FaultText(c.ctx(), f)}.Page())
}

// signedIn makes the session, or asks for the second step or a new password first.
func (h *Handlers) signedIn(c *Ctx, res account.SignInResult, next string) error {
	ctx := c.ctx()
	if res.State == account.SignInTOTPRequired {
		if err := h.Sessions.SetPending(ctx, res.Person.ID); err != nil {
			return err
		}
		return c.seeOther("/login/code?next=" + queryEscape(next))
	}
	if err := h.Sessions.SignIn(ctx, res.Person.ID, h.visit(c)); err != nil {
		return err
	}
	if res.State == account.SignInMustChange {
		return c.seeOther(layout.PathPassword + "?next=" + queryEscape(next))
	}
	if next != "" && layout.SafeNext(next) != "/" {
		return c.seeOther(next)
	}
	members, err := h.Accounts.Memberships(ctx, res.Person)
	if err != nil {
		return err
	}
	if len(members) == 0 {
		return fault.Denied("account.no_organisation", nil)
	}
	return c.seeOther("/o/" + members[0].Organisation.Code)
}

func (h *Handlers) codePage(c *Ctx) error {
	if h.Sessions.Pending(c.ctx()) == "" {
		return c.seeOther("/login")
	}
	return c.page(http.StatusOK, signview.SecondStep{Action: "/login/code", Next: c.QueryParam("next")}.Page())
}

func (h *Handlers) code(c *Ctx) error {
	next := c.FormValue("next")
	pending := h.Sessions.Pending(c.ctx())
	if pending == "" {
		return c.seeOther("/login")
	}
	res, err := h.Accounts.SecondFactor(c.ctx(), account.SecondFactorInput{
		PersonID: pending, Code: strings.ReplaceAll(c.FormValue("code"), " ", ""), IP: c.RealIP(), RequestID: numberOf(c.ctx())})
	if err != nil {
		f := faultOf(err)
		if f.Kind == fault.KindInternal || wantsJSON(c.Request()) {
			return err
		}
		c.holdOff(f)
		return c.page(statusOf[f.Kind], signview.SecondStep{Action: "/login/code", Next: next, Error: i18n.FaultText(c.ctx(), f)}.Page())
	}
	return h.signedIn(c, res, next)
}

func (h *Handlers) signOut(c *Ctx) error {
	if c.Person.ID != "" {
		return h.leaveAll(c, "/login")
	}
	if err := h.Sessions.SignOut(c.ctx()); err != nil {
		return err
	}
	return c.seeOther("/login")
}

// setLanguage and setTheme note a preference; both work before signing in.
func (h *Handlers) setLanguage(c *Ctx) error {
	lang, ok := i18n.Parse(c.FormValue("language"))
	if !ok {
		return fault.Invalid("request.malformed", nil)
	}
	h.Sessions.SetLanguage(c.ctx(), string(lang))
	return c.seeOther(c.FormValue("next"))
}

func (h *Handlers) setTheme(c *Ctx) error {
	h.Sessions.SetTheme(c.ctx(), string(layout.ParseTheme(c.FormValue("theme"))))
	return c.seeOther(c.FormValue("next"))
}

// switchRole makes the person act for another of his organisations, with the roles held there, and keeps
// that for the session. The roles of one organisation act together. One he is no member of is absent.
func (h *Handlers) switchRole(c *Ctx) error {
	if err := c.readForm(); err != nil {
		return err
	}
	members, err := h.Accounts.Memberships(c.ctx(), c.Person)
	if err != nil {
		return err
	}
	code := c.Request().PostForm.Get("organisation")
	i := slices.IndexFunc(members, func(m account.Membership) bool { return m.Organisation.Code == code })
	if i < 0 {
		return notFound()
	}
	org := members[i].Organisation
	if h.Sessions.Organisation(c.ctx()) != code {
		err = h.Tx.InTx(c.ctx(), func(ctx context.Context) error {
			return h.Audit.Record(ctx, audit.Entry{Actor: c.Person.Login, OnBehalf: org.Code, OrgID: org.ID, Action: "session.switch_role",
				Object: "organisation:" + org.Code, Detail: map[string]any{"roles": members[i].Roles}})
		})
		if err != nil {
			return err
		}
		h.Sessions.SetOrganisation(c.ctx(), code)
	}
	return c.seeOther("/o/" + org.Code)
}

func (h *Handlers) passwordProps(c *Ctx, next string) signview.Password {
	return signview.Password{Action: layout.PathPassword, Forced: c.Person.MustChange, Next: next,
		Rules: []string{c.T("portal.password.length"), c.T("portal.password.common"), c.T("portal.password.login")}}
}

func (h *Handlers) passwordPage(c *Ctx) error {
	return c.page(http.StatusOK, h.passwordProps(c, c.QueryParam("next")).Page())
}

func (h *Handlers) password(c *Ctx) error {
	ctx := c.ctx()
	props := h.passwordProps(c, c.FormValue("next"))
	if c.FormValue("password") != c.FormValue("repeat") {
		props.RepeatError = c.T("portal.password.repeat")
		return c.page(http.StatusUnprocessableEntity, props.Page())
	}
	keep, err := h.Sessions.Current(ctx)
	if err != nil {
		return err
	}
	err = h.Accounts.ChangePassword(ctx, account.ChangePasswordInput{PersonID: c.Person.ID, Old: c.FormValue("current"),
		New: c.FormValue("password"), KeepSession: keep, IP: c.RealIP()})
	if err == nil {
		if err := h.Sessions.Renew(ctx); err != nil {
			return err
		}
		if next := layout.SafeNext(props.Next); next != "/" {
			return c.seeOther(next)
		}
		return c.seeOther(layout.From(ctx).HomeHref)
	}
	f := faultOf(err)
	if f.Kind == fault.KindInternal || wantsJSON(c.Request()) {
		return err
	}
	if f.Code == "account.password_wrong" || f.Kind == fault.KindLimited {
		props.CurrentError = i18n.FaultText(ctx, f)
	} else {
		props.Error = i18n.FaultText(ctx, f)
	}
	c.holdOff(f)
	return c.page(statusOf[f.Kind], props.Page())
}

// sessions lists where the person is signed in, and the second step.
func (h *Handlers) sessions(c *Ctx) error {
	rows, err := h.Sessions.List(c.ctx(), c.Person.ID)
	if err != nil {
		return err
	}
	props := signview.Sessions{Header: part.Header{Title: c.T("portal.sessions.title")}, Totp: &signview.Totp{On: c.Person.HasTOTP, Action: "/account/totp"}}
	for _, r := range rows {
		row := signview.Session{Device: r.Device, Address: r.IP, Since: i18n.Moment(c.ctx(), r.CreatedAt),
			Seen: i18n.Moment(c.ctx(), r.SeenAt), Current: r.Current}
		if !row.Current {
			row.End = "/account/sessions/" + r.Handle + "/ending"
			props.EndOthers = "/account/sessions/ending"
		}
		props.Rows = append(props.Rows, row)
	}
	if props.Consoles, err = h.consoled(c); err != nil {
		return err
	}
	return c.page(http.StatusOK, props.Page())
}

func (h *Handlers) endSession(c *Ctx) error {
	if err := h.Sessions.Revoke(c.ctx(), c.Person.ID, c.Person.Login, c.Person.OrgID, c.Param("handle")); err != nil {
		return err
	}
	return c.seeOther(layout.PathSessions)
}

func (h *Handlers) endOthers(c *Ctx) error {
	if _, err := h.Sessions.RevokeOthers(c.ctx(), c.Person.ID, c.Person.Login, c.Person.OrgID); err != nil {
		return err
	}
	return c.seeOther(layout.PathSessions)
}
