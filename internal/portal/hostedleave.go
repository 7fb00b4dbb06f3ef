package portal

import (
	"net/http"

	"huoban/internal/fault"
	"huoban/internal/hosted"
	"huoban/internal/scope"
	"huoban/internal/signon"
	"huoban/internal/sso"
	"huoban/web/templates/hostedview"
	"huoban/web/templates/part"
	"huoban/web/templates/ssoview"
)

// idpSLO takes what a console says of a logout: its own wish, or the answer to ours. It needs no cookie, and nobody
// learns whom we know.
func (h *Handlers) idpSLO(c *Ctx) error {
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
	m, con, _, err := sso.VerifyConsoleLogout(c.ctx(), at.Host, msg, h.Access, h.Hosted, h.Clock.Now())
	in := about(msg, "")
	in.Issuer = con.EntityID
	if r := sso.RefusalOf(err); r != nil && r.Code == sso.CodeSLOStatus {
		request, _ := r.More["request"].(string)
		return h.consoleLeft(c, at, request, false, in)
	}
	switch {
	case err != nil:
		return h.refusedAt(c, at, err, in)
	case m.Response != nil:
		return h.consoleLeft(c, at, m.Response.InResponseTo, m.Response.Success && !m.Response.Partial, in)
	}
	l, err := h.Hosted.EndSubject(c.ctx(), at.Host, con, *m.Request, m.RelayState)
	if err != nil {
		return h.refusedAt(c, at, err, in)
	}
	if _, more := l.Next(); more {
		return c.Redirect(http.StatusSeeOther, at.path("/leaving/"+l.ID))
	}
	l.RequestID, l.RelayState = m.Request.ID, m.RelayState
	return h.leftFor(c, at, l, con)
}

// consoleLeft notes the answer of a console and goes on with the next.
func (h *Handlers) consoleLeft(c *Ctx, at *hostAt, requestID string, left bool, in signon.RefuseInput) error {
	l, err := h.Hosted.Answered(c.ctx(), requestID, left)
	if err != nil {
		in.RequestID = requestID
		return h.refusedAt(c, at, err, in)
	}
	on, err := h.hostByID(c, at, l.HostID)
	if err != nil {
		return err
	}
	return c.Redirect(http.StatusSeeOther, on.path("/leaving/"+l.ID))
}

// hostByID is the platform with that id: the one at hand, or another of the same customer's.
func (h *Handlers) hostByID(c *Ctx, at *hostAt, id string) (*hostAt, error) {
	if at.ID == id {
		return at, nil
	}
	e, ok, err := h.Access.HostEntityByID(c.ctx(), id)
	if err == nil && !ok {
		err = notFound()
	}
	if err != nil {
		return nil, err
	}
	partner, err := h.Orgs.ByID(c.ctx(), scope.System("sso"), e.PartnerID)
	return &hostAt{e, partner}, err
}

// leftFor answers the console that asked for the logout.
func (h *Handlers) leftFor(c *Ctx, at *hostAt, l hosted.Leaving, con sso.Console) error {
	if con.SLO == "" && con.SLOResponse == "" {
		return h.leftList(c, at, l)
	}
	out, err := sso.BuildLogoutResponse(at.Logout(con), l.RequestID, l.RelayState, l.Partial(), h.Clock.Now())
	if err != nil {
		return err
	}
	return h.sendOut(c, out, ssoview.Send{Title: c.T("hostedview.send.back_title", "Console", con.Name), Text: c.T("hostedview.leave.answer")})
}

// platformLeave signs a customer out of the platform, and of every console it visited.
func (h *Handlers) platformLeave(c *Ctx) error {
	at, err := h.hostByPartner(c)
	if err != nil {
		return err
	}
	return h.leaveAll(c, at.path(""))
}

// leaveAll ends the request's session, then goes round the consoles it visited; without any it leads to next.
func (h *Handlers) leaveAll(c *Ctx, next string) error {
	if c.Person.ID == "" {
		return c.seeOther(next)
	}
	e, _, err := h.entry(c)
	if err != nil {
		return err
	}
	round, err := h.leaveConsoles(c, e, "")
	if err != nil {
		return err
	}
	if round != "" {
		next = round
	}
	return c.seeOther(next)
}

// leaveConsoles ends the request's session and gives the page from which the browser goes round the consoles it visited;
// "" without any. then is a request of ours that comes last.
func (h *Handlers) leaveConsoles(c *Ctx, e signon.Session, then string) (string, error) {
	group, login := h.Sessions.Value(c.ctx(), hosted.ValueVisits), c.Person.Login
	visited := false
	if h.Hosted != nil {
		var err error
		if visited, err = h.Hosted.Open(c.ctx(), group); err != nil {
			return "", err
		}
	}
	if err := h.out(c, e); err != nil || !visited {
		return "", err
	}
	l, err := h.Hosted.Leave(c.ctx(), login, group, then)
	if fault.HasCode(err, "hosted.leaving_unknown") {
		return "", nil
	}
	if err != nil {
		return "", err
	}
	on, err := h.hostByID(c, &hostAt{}, l.HostID)
	if err != nil {
		return "", err
	}
	return on.path("/leaving/" + l.ID), nil
}

func (h *Handlers) leavingAt(c *Ctx) (*hostAt, hosted.Leaving, error) {
	at, err := h.hostByPartner(c)
	if err != nil {
		return nil, hosted.Leaving{}, err
	}
	l, err := h.Hosted.Leaving(c.ctx(), at.Host, c.Param("leaving"))
	return at, l, err
}

// platformLeaving goes round the consoles: the next is asked, and when all are done, who asked is told.
func (h *Handlers) platformLeaving(c *Ctx) error {
	at, l, err := h.leavingAt(c)
	if err != nil {
		return err
	}
	if step, more := l.Next(); more {
		return h.leaveConsole(c, at, l, step)
	}
	first, err := h.Hosted.Done(c.ctx(), l)
	if err != nil {
		return err
	}
	if first && l.ConsoleID == "" && l.RequestID != "" {
		return h.leavePlatform(c, at, l)
	}
	if !first || l.ConsoleID == "" {
		return h.leftList(c, at, l)
	}
	con, ok, err := h.Access.ConsoleByID(c.ctx(), l.ConsoleID)
	if err != nil || !ok {
		return err
	}
	return h.leftFor(c, at, l, con)
}

// leavePlatform is the last step of who came by a partner's own platform: that is asked to end its session too. One that
// cannot be asked any more is passed over.
func (h *Handlers) leavePlatform(c *Ctx, at *hostAt, l hosted.Leaving) error {
	req, ok, err := h.SignOn.RequestByID(c.ctx(), l.RequestID)
	if err != nil {
		return err
	}
	e, known, err := h.SignOn.Session(c.ctx(), req.Query)
	if err != nil {
		return err
	}
	if !ok || !known || !h.Clock.Now().Before(req.ExpiresAt) {
		return h.leftList(c, at, l)
	}
	reg, err := h.platformByID(c, e.PeerID)
	if sso.RefusalOf(err) != nil || err == nil && reg.SLOURL == "" {
		return h.leftList(c, at, l)
	}
	if err != nil {
		return err
	}
	return h.askPlatform(c, reg, e, req)
}

// platformSkip goes on without the console that is being asked.
func (h *Handlers) platformSkip(c *Ctx) error {
	at, l, err := h.leavingAt(c)
	if err != nil {
		return err
	}
	if err := h.Hosted.Skip(c.ctx(), l); err != nil {
		return err
	}
	return c.Redirect(http.StatusSeeOther, at.path("/leaving/"+l.ID))
}

// leaveConsole sends the browser to a console to end its session, once; coming back before it answered, the
// customer waits a little or goes on without it.
func (h *Handlers) leaveConsole(c *Ctx, at *hostAt, l hosted.Leaving, step hosted.Step) error {
	con, ok, err := h.Access.ConsoleByID(c.ctx(), step.ConsoleID)
	if err != nil || !ok {
		return err
	}
	rows, err := h.leftRows(c, l)
	if err != nil {
		return err
	}
	here := c.Request().URL.Path
	p := hostedview.Leaving{Title: c.T("hostedview.leave.title"), Text: c.T("hostedview.leave.asking", "Console", con.Name), Rows: rows, Skip: here}
	if step.State == hosted.StepAsked {
		p.Text, p.Again = c.T("hostedview.leave.waiting", "Console", con.Name), here
		c.Response().Header().Set("Refresh", "5")
		return c.page(http.StatusOK, p.Page())
	}
	on, err := h.hostByID(c, at, step.HostID)
	if err != nil {
		return err
	}
	out, err := sso.BuildLogoutRequest(on.Logout(con), step.Subject, step.RequestID, l.ID, h.Clock.Now())
	if err != nil {
		return err
	}
	if err := h.Hosted.Asked(c.ctx(), step); err != nil {
		return err
	}
	p.Button = c.T("ssoview.send.go")
	if out.Binding == sso.BindingRedirect {
		p.Href = out.URL
		return c.page(http.StatusOK, p.Page())
	}
	p.Action = out.URL
	for _, f := range out.Fields {
		p.Fields = append(p.Fields, part.Hidden{Name: f.Name, Value: f.Value})
	}
	if err := c.toward(out.URL); err != nil {
		return err
	}
	return c.page(http.StatusOK, p.Page())
}

// leftRows say of every console where it stands.
func (h *Handlers) leftRows(c *Ctx, l hosted.Leaving) ([]part.Check, error) {
	rows := []part.Check{hereLeft(c)}
	for _, x := range l.Steps {
		con, _, err := h.Access.ConsoleByID(c.ctx(), x.ConsoleID)
		if err != nil {
			return nil, err
		}
		tone := part.Warn
		if x.State == hosted.StepLeft {
			tone = part.Good
		}
		rows = append(rows, part.Check{Tone: tone, Title: con.Name, Text: c.T(x.State.Label())})
	}
	return rows, nil
}

// leftList is the end: what was reached, and what was not.
func (h *Handlers) leftList(c *Ctx, at *hostAt, l hosted.Leaving) error {
	rows, err := h.leftRows(c, l)
	if err != nil {
		return err
	}
	p := hostedview.Leaving{Title: c.T("ssoview.left.title"), Text: c.T("ssoview.leave.limits"), Rows: rows,
		Back: &part.Link{Text: c.T("hostedview.stop.platform"), Href: at.path("")}}
	return c.page(http.StatusOK, p.Page())
}
