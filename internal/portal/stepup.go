package portal

import (
	"net/http"
	"strings"
	"time"

	"huoban/internal/account"
	"huoban/internal/fault"
	"huoban/internal/i18n"
	"huoban/internal/signon"
	"huoban/internal/sso"
	"huoban/web/templates/layout"
	"huoban/web/templates/signview"
	"huoban/web/templates/ssoview"
)

// Acts that reach far want the person itself, not whoever sits at a session that was left open: taking a consent back,
// dissolving an association, changing how one is reached. Their handlers begin with
//
//	if done, err := h.stepUp(c, "/page/to/come/back/to"); done || err != nil {
//		return err
//	}
//
// It passes who signed in, or showed again who it is, within the last quarter of an hour. Everybody else is led to
// pathConfirm, from there to the partner's platform if it is by its word that the person is here, and then back to the
// page, where the act is asked for once more: nothing is done by having shown who one is. A program is told where that
// page is (session.step_up).

const (
	pathConfirm    = "/account/confirmation"
	valueConfirmed = "confirmed" // of a session: when its person showed again who it is
)

func confirmRoutes() []Route {
	return []Route{
		{Method: get, Path: pathConfirm, Name: "confirmation", Self: true, Title: "signview.confirm.title", NoList: "form", Do: (*Handlers).confirmPage},
		{Method: post, Path: pathConfirm, Name: "confirmation.do", Self: true, Do: (*Handlers).confirmSelf},
	}
}

// lacking is what a person has yet to show.
type lacking struct {
	platform bool // a new sign-in at the partner's platform
	own      bool // the password or the second step here
	entry    signon.Session
	reg      sso.Registration
}

// lacks tells what the person of the request has yet to show for an act that reaches far.
func (h *Handlers) lacks(c *Ctx) (lacking, error) {
	var out lacking
	var err error
	if out.entry, out.reg, err = h.entry(c); err != nil {
		return out, err
	}
	confirmed, _ := time.Parse(time.RFC3339, h.Sessions.Value(c.ctx(), valueConfirmed)) // none is the zero instant
	if out.entry.ID != "" {
		out.platform = !h.lately(out.entry.Asserted.AuthnAt)
		out.own = c.Person.HasTOTP && !h.lately(confirmed)
		return out, nil
	}
	since, err := h.Sessions.Since(c.ctx())
	out.own = !h.lately(since) && !h.lately(confirmed)
	return out, err
}

func (h *Handlers) lately(at time.Time) bool {
	return !at.IsZero() && h.Clock.Now().Sub(at) <= sso.StepUpMaxAuthnAge
}

// stepUp lets an act pass whose person showed lately who it is, and leads anybody else to do so; done says that the
// request is answered. back is the page the person comes back to. Fault for programs: session.step_up.
func (h *Handlers) stepUp(c *Ctx, back string) (done bool, err error) {
	need, err := h.lacks(c)
	if err != nil || !need.platform && !need.own {
		return false, err
	}
	at := pathConfirm + "?next=" + queryEscape(back)
	if wantsJSON(c.Request()) {
		return false, fault.Denied("session.step_up", fault.Args{"at": at})
	}
	return true, c.seeOther(at)
}

func (h *Handlers) confirmPage(c *Ctx) error { return h.confirmForm(c, http.StatusOK, nil) }

// confirmForm asks for what is lacking, one thing after the other; who lacks nothing goes back.
func (h *Handlers) confirmForm(c *Ctx, status int, refused *fault.Error) error {
	need, err := h.lacks(c)
	if err != nil {
		return err
	}
	next := c.param("next")
	p := signview.Confirm{Action: pathConfirm, Next: next}
	switch {
	case need.platform:
		p.Partner = need.reg.PartnerName
		if err := c.toward(need.reg.SSOURL); err != nil {
			return err
		}
	case need.own:
		p.Password, p.Code = need.entry.ID == "", c.Person.HasTOTP
	default:
		return c.seeOther(layout.SafeNext(next))
	}
	if refused != nil {
		p.Error = i18n.FaultText(c.ctx(), refused)
	}
	return c.page(status, p.Page())
}

// confirmSelf takes the password and the second step, or leads to the partner's platform.
func (h *Handlers) confirmSelf(c *Ctx) error {
	if err := c.readForm(); err != nil {
		return err
	}
	need, err := h.lacks(c)
	if err != nil {
		return err
	}
	next := layout.SafeNext(c.FormValue("next"))
	switch {
	case need.platform:
		return h.confirmThere(c, need, next)
	case !need.own:
		return c.seeOther(next)
	}
	err = h.Accounts.Confirm(c.ctx(), account.ConfirmInput{PersonID: c.Person.ID, Password: c.FormValue("password"), Code: strings.ReplaceAll(c.FormValue("code"), " ", ""), IP: c.RealIP(),
		RequestID: numberOf(c.ctx()), NoPassword: need.entry.ID != ""})
	if err != nil {
		c.holdOff(faultOf(err))
		return c.refuse(err, func(status int, f *fault.Error) error { return h.confirmForm(c, status, f) })
	}
	h.Sessions.Note(c.ctx(), valueConfirmed, h.Clock.Now().UTC().Format(time.RFC3339))
	if err := h.Sessions.Renew(c.ctx()); err != nil {
		return err
	}
	return c.seeOther(next)
}

// confirmThere asks the platform for a new sign-in of the person who is here.
func (h *Handlers) confirmThere(c *Ctx, need lacking, next string) error {
	req, err := h.SignOn.BeginConfirm(c.ctx(), peerOf(&need.reg), need.entry, sso.BrowserHash(c.secret()), next)
	if err != nil {
		return err
	}
	out, err := sso.BuildAuthnRequest(need.reg, req, h.Clock.Now())
	if err != nil {
		return err
	}
	return h.sendOut(c, out, ssoview.Send{Title: c.T("ssoview.send.login_title"), Text: c.T("signview.confirm.there", "Partner", need.reg.PartnerName)})
}

// confirmedThere takes the platform's answer to that: the session that asked is as good as new, and none is opened.
func (h *Handlers) confirmedThere(c *Ctx, reg *sso.Registration, acc sso.Accepted) error {
	err := h.SignOn.Confirm(c.ctx(), signon.ConfirmInput{Peer: peerOf(reg), Request: acc.Request, Asserted: h.asserted(acc), Messages: []signon.Seen{
		{Scope: reg.ID, Kind: "assertion", ID: acc.AssertionID, Until: acc.KeepUntil}, {Scope: reg.ID, Kind: "response", ID: acc.ResponseID, Until: acc.KeepUntil}}})
	if err != nil {
		return err
	}
	return c.Redirect(http.StatusSeeOther, pathConfirm+"?next="+queryEscape(acc.Request.Path))
}
