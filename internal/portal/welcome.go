package portal

import (
	"net/http"

	"huoban/internal/account"
	"huoban/internal/fault"
	"huoban/internal/i18n"
	"huoban/web/templates/signview"
)

const pathWelcome = "/welcome/"

// welcomeRoutes are the page behind the link of an invitation or a reset.
func welcomeRoutes() []Route {
	return []Route{
		{Method: get, Path: pathWelcome + ":token", Name: "welcome", Public: true, Title: "signview.welcome.invitation", NoList: "form", Do: (*Handlers).welcomePage},
		{Method: post, Path: pathWelcome + ":token", Name: "welcome.do", Public: true, Do: (*Handlers).welcome},
	}
}

func (h *Handlers) welcomeProps(c *Ctx) (signview.Welcome, error) {
	p, purpose, err := h.Accounts.Welcome(c.ctx(), c.Param("token"))
	if err != nil {
		return signview.Welcome{}, err
	}
	title := c.T("signview.welcome.invitation")
	if purpose == account.LinkReset {
		title = c.T("signview.welcome.reset")
	}
	return signview.Welcome{Action: c.Request().URL.Path, Title: title, Text: c.T("signview.welcome.text", "Name", p.Name), Login: p.Login,
		Rules: []string{c.T("portal.password.length"), c.T("portal.password.common"), c.T("portal.password.login")}}, nil
}

func (h *Handlers) welcomePage(c *Ctx) error {
	p, err := h.welcomeProps(c)
	if err != nil {
		return err
	}
	return c.page(http.StatusOK, p.Page())
}

// welcome sets the password and leads to the door: whoever follows a link signs in like everybody.
func (h *Handlers) welcome(c *Ctx) error {
	p, err := h.welcomeProps(c)
	if err != nil {
		return err
	}
	if c.FormValue("password") != c.FormValue("repeat") {
		p.RepeatError = c.T("portal.password.repeat")
		return c.page(http.StatusUnprocessableEntity, p.Page())
	}
	if _, err := h.Accounts.FollowLink(c.ctx(), c.Param("token"), c.FormValue("password")); err != nil {
		f := faultOf(err)
		if f.Kind == fault.KindInternal || f.Kind == fault.KindDenied || wantsJSON(c.Request()) {
			return err
		}
		p.Error = i18n.FaultText(c.ctx(), f)
		c.holdOff(f)
		return c.page(statusOf[f.Kind], p.Page())
	}
	return c.seeOther("/login?done=password")
}
