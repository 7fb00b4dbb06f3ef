package portal

import (
	"net/http"
	"net/url"
	"time"

	"huoban/internal/fault"
	"huoban/internal/hosted"
	"huoban/internal/organisation"
	"huoban/internal/signon"
	"huoban/internal/sso"
	"huoban/web/templates/hostedview"
	"huoban/web/templates/part"
	"huoban/web/templates/ssoview"
)

// jumpAt finds what waits under the request's ticket, and answers a request whose question is over.
func (h *Handlers) jumpAt(c *Ctx) (j asking, done bool, err error) {
	at, err := h.hostByPartner(c)
	if err != nil {
		return j, true, err
	}
	j, err = h.jumping(c, at, c.Param("ticket"))
	switch {
	case fault.HasCode(err, "hosted.question_over"):
		return j, true, h.over(c, at)
	case err != nil:
		return j, true, h.refusedAt(c, at, err, signon.RefuseInput{RequestID: j.q.RequestID, Issuer: j.con.EntityID})
	}
	return j, false, nil
}

func (h *Handlers) over(c *Ctx, at *hostAt) error {
	p := hostedview.Stop{Title: c.T("hostedview.stop.over"), Text: c.T("hostedview.stop.over_text"), Back: &part.Link{Text: c.T("hostedview.stop.platform"), Href: at.path("")}}
	return c.page(http.StatusConflict, p.Page())
}

// platformJump leads a customer to the console: sign in, see what is handed over, go.
func (h *Handlers) platformJump(c *Ctx) error {
	j, done, err := h.jumpAt(c)
	if done {
		return err
	}
	return h.proceed(c, j, false, false)
}

// platformJumped is what the customer decided.
func (h *Handlers) platformJumped(c *Ctx) error {
	if err := c.readForm(); err != nil {
		return err
	}
	j, done, err := h.jumpAt(c)
	if done {
		return err
	}
	form := c.Request().PostForm
	switch form.Get("do") {
	case "continue":
		return h.proceed(c, j, true, form.Get("remember") == "true")
	case "cancel":
		status := "AuthnFailed"
		if c.Person.ID != "" {
			status = "RequestDenied"
		}
		return h.decline(c, j, status)
	}
	return fault.Invalid("request.malformed", nil)
}

// decline sends the console, signed, that there is no answer and why. One that did not ask is told nothing.
func (h *Handlers) decline(c *Ctx, j asking, status string) error {
	err := h.Hosted.Decline(c.ctx(), j.q, j.con, j.at.PartnerID, c.Person, status)
	if fault.HasCode(err, "hosted.question_over") {
		return h.over(c, j.at)
	}
	if err != nil {
		return err
	}
	if j.q.RequestID == "" {
		return c.Redirect(http.StatusSeeOther, j.at.path(""))
	}
	return h.sendError(c, j.at, j.q.Answer(status), j.con.Name)
}

// proceed goes on with a question as far as it can. A console that may not trouble the customer is told so
// wherever the customer would have to do something.
func (h *Handlers) proceed(c *Ctx, j asking, agreed, remember bool) error {
	enough, err := h.recent(c, j.q)
	if err != nil {
		return err
	}
	if j.q.Passive && (!enough || c.Person.MustChange) {
		return h.decline(c, j, "NoPassive")
	}
	if !enough || c.QueryParam("other") != "" {
		page := h.platformDoor(c, j.at, j.path(), "", "")
		page.Console, page.Cancel = j.con.Name, j.path()
		return c.page(http.StatusOK, page.Page())
	}
	if c.Person.MustChange {
		return c.Redirect(http.StatusSeeOther, "/account/password?next="+queryEscape(j.path()))
	}
	org, err := h.Hosted.CustomerOf(c.ctx(), c.Person, j.at.PartnerID)
	if isRefusal(err) && !j.q.Passive {
		return h.stranger(c, j.at, j.path()+"?other=1", j.path())
	}
	if isRefusal(err) {
		return h.decline(c, j, "RequestDenied")
	}
	if err != nil {
		return err
	}
	if j.q.Format == sso.NameIDEmail {
		_, err := h.Hosted.NameFor(c.ctx(), j.at.Host, j.con, j.q.Format, org.ID, c.Person)
		if fault.HasCode(err, "hosted.email_unverified") {
			return h.unproved(c, j)
		}
	}
	if !agreed {
		agreed, err = h.Hosted.Agreed(c.ctx(), c.Person.ID, j.con, j.q.Format)
		if err != nil {
			return err
		}
	}
	switch {
	case !agreed && j.q.Passive:
		return h.decline(c, j, "NoPassive")
	case !agreed:
		return h.consentPage(c, j, org)
	}
	return h.release(c, j, org, remember)
}

// recent tells whether somebody signed in, and after the question if it wants a new sign-in.
func (h *Handlers) recent(c *Ctx, q hosted.Question) (bool, error) {
	if c.Person.ID == "" || !q.ForceAuthn {
		return c.Person.ID != "", nil
	}
	since, err := h.Sessions.Since(c.ctx())
	return err == nil && !since.Before(q.CreatedAt), err
}

// unproved: a console that knows people by e-mail cannot know somebody whose address was never proved.
func (h *Handlers) unproved(c *Ctx, j asking) error {
	if j.q.Passive {
		return h.decline(c, j, "InvalidNameIDPolicy")
	}
	p := hostedview.Stop{Title: c.T("hostedview.stop.email"), Text: c.T("hostedview.stop.email_text", "Console", j.con.Name), Cancel: j.path()}
	return c.page(http.StatusForbidden, p.Page())
}

// consentPage shows what would be handed over.
func (h *Handlers) consentPage(c *Ctx, j asking, org organisation.Organisation) error {
	p := hostedview.Consent{Action: j.path(), Partner: j.at.partner.Name, Console: j.con.Name, Host: hostOf(j.q.ACS), As: c.Person.Login, Data: h.handedOver(c, j.at, j.con, j.q.Format, org),
		Name: c.T("hostedview.named." + formatName(j.q.Format)), Sealed: j.con.Seals()}
	return c.page(http.StatusOK, p.Page())
}

// handedOver lists the fields a console is granted with the values they have.
func (h *Handlers) handedOver(c *Ctx, at *hostAt, con sso.Console, f sso.NameIDFormat, org organisation.Organisation) []part.Item {
	known := hosted.Known(c.Person, org, at.partner)
	var out []part.Item
	if f == sso.NameIDEmail {
		out = append(out, part.Item{Label: c.T("hostedview.field.nameId"), Text: c.Person.Email})
	}
	for _, r := range con.Attributes {
		if v := known[r.Field]; v != "" {
			out = append(out, part.Item{Label: c.T("hostedview.field." + r.Field), Text: v})
		}
	}
	if len(out) == 0 {
		out = append(out, part.Item{Label: c.T("hostedview.consent.data"), Text: c.T("hostedview.consent.none")})
	}
	return out
}

func formatName(f sso.NameIDFormat) string {
	switch f {
	case sso.NameIDPersistent:
		return "persistent"
	case sso.NameIDEmail:
		return "email"
	}
	return "transient"
}

func hostOf(address string) string {
	u, err := url.Parse(address)
	if err != nil {
		return ""
	}
	return u.Host
}

// release makes the answer, keeps the session at the console, and sends it.
func (h *Handlers) release(c *Ctx, j asking, org organisation.Organisation, remember bool) error {
	name, err := h.Hosted.NameFor(c.ctx(), j.at.Host, j.con, j.q.Format, org.ID, c.Person)
	if err != nil {
		return err
	}
	at, until, err := h.signInTimes(c)
	if err != nil {
		return err
	}
	granted := j.con.Granted(hosted.Known(c.Person, org, j.at.partner))
	s := sso.Statement{NameID: name, SessionIndex: hosted.NewSessionIndex(), AuthnInstant: at, AuthnContext: j.q.Context, SessionNotOnOrAfter: until, Attributes: granted}
	out, issued, err := sso.BuildResponse(j.at.Host, j.con, j.q.Answer(""), s, h.Clock.Now())
	if err != nil {
		return h.refusedAt(c, j.at, err, signon.RefuseInput{RequestID: j.q.RequestID, Issuer: j.con.EntityID})
	}
	v := hosted.Visit{Group: hosted.GroupHash(h.visits(c)), NameID: name, SessionIndex: s.SessionIndex, Context: s.AuthnContext, AuthnAt: at, Until: until}
	for _, g := range granted {
		v.Released = append(v.Released, g.Name)
	}
	err = h.Hosted.Release(c.ctx(), hosted.ReleaseInput{Question: j.q, Host: j.at.Host, Console: j.con, Person: c.Person, Customer: org, Visit: v, Issued: issued, Remember: remember})
	if fault.HasCode(err, "hosted.question_over") {
		return h.over(c, j.at)
	}
	if err != nil {
		return err
	}
	return h.sendOut(c, out, ssoview.Send{Title: c.T("hostedview.send.title", "Console", j.con.Name), Text: c.T("hostedview.send.text")})
}

// signInTimes are when the customer proved who it is, and when the session ends at the latest.
func (h *Handlers) signInTimes(c *Ctx) (at, until time.Time, err error) {
	if at, err = h.Sessions.Since(c.ctx()); err != nil {
		return at, until, err
	}
	if until, err = h.Sessions.Until(c.ctx()); err != nil {
		return at, until, err
	}
	if e, _, err := h.entry(c); err != nil {
		return at, until, err
	} else if !e.Asserted.AuthnAt.IsZero() {
		at = e.Asserted.AuthnAt
	}
	return at, until, nil
}

// visits names the request's session among the consoles it visits.
func (h *Handlers) visits(c *Ctx) string {
	group := h.Sessions.Value(c.ctx(), hosted.ValueVisits)
	if group == "" {
		group = hosted.NewGroup()
		h.Sessions.Note(c.ctx(), hosted.ValueVisits, group)
	}
	return group
}
