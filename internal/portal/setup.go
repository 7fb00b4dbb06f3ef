package portal

import (
	"net/http"

	"huoban/internal/account"
	"huoban/internal/fault"
	"huoban/internal/i18n"
	"huoban/internal/ingest"
	"huoban/web/templates/part"
	"huoban/web/templates/signview"
)

// setUpPage is the first page of an empty portal, behind the one-time link.
func (h *Handlers) setUpPage(c *Ctx) error {
	if err := h.SetUp.Check(c.ctx(), c.Param("token")); err != nil {
		return err
	}
	return c.page(http.StatusOK, h.setUpProps(c, account.SetupInput{}, nil).Page())
}

func (h *Handlers) setUp(c *Ctx) error {
	in := account.SetupInput{Token: c.Param("token"), OrgCode: c.FormValue("org_code"), OrgName: c.FormValue("org_name"),
		Login: c.FormValue("login"), Name: c.FormValue("name"), Email: c.FormValue("email"), Password: c.FormValue("password"),
		Source: account.SetupSource{Name: c.FormValue("source_name"), Dialect: c.FormValue("source_dialect"), Zone: c.FormValue("source_zone")}}
	res, err := h.SetUp.Complete(c.ctx(), in)
	if err != nil {
		f := faultOf(err)
		if f.Kind == fault.KindInternal || f.Kind == fault.KindDenied || wantsJSON(c.Request()) {
			return err
		}
		return c.page(statusOf[f.Kind], h.setUpProps(c, in, f).Page())
	}
	if err := h.Sessions.SignIn(c.ctx(), res.Person.ID, h.visit(c)); err != nil {
		return err
	}
	return c.seeOther("/o/" + res.Organisation.Code)
}

// setUpProps shows the form with everything but the password kept.
func (h *Handlers) setUpProps(c *Ctx, in account.SetupInput, f *fault.Error) signview.SetUp {
	text := func(key string) string { return c.T("portal.setup." + key) }
	dialects := []part.Option{}
	for _, d := range ingest.Dialects() {
		dialects = append(dialects, part.Option{Value: d.Name, Label: d.Name})
	}
	props := signview.SetUp{Action: c.Request().URL.Path, Sections: []signview.Section{
		{Title: text("vendor"), Text: text("vendor_text"), Fields: []part.Field{
			{Name: "org_code", Label: text("org_code"), Help: text("org_code_help"), Value: in.OrgCode, Required: true, Focus: true},
			{Name: "org_name", Label: text("org_name"), Value: in.OrgName, Required: true, Autocomplete: "organization"}}},
		{Title: text("admin"), Text: text("admin_text"), Fields: []part.Field{
			{Name: "login", Label: text("login"), Value: in.Login, Required: true, Autocomplete: "username"},
			{Name: "name", Label: text("name"), Value: in.Name, Autocomplete: "name"},
			{Name: "email", Label: text("email"), Value: in.Email, Autocomplete: "email"},
			{Name: "password", Label: text("password"), Type: "password", Required: true, Autocomplete: "new-password", Help: c.T("portal.password.length")}}},
		{Title: text("source"), Text: text("source_text"), Fields: []part.Field{
			{Name: "source_name", Label: text("source_name"), Value: in.Source.Name},
			{Name: "source_dialect", Label: text("source_dialect"), Type: "select", Value: in.Source.Dialect, Options: dialects},
			{Name: "source_zone", Label: text("source_zone"), Value: in.Source.Zone, Hint: "UTC, +08:00"}}},
	}}
	if f != nil {
		props.Error = i18n.FaultText(c.ctx(), f)
	}
	return props
}

// totp enrols, confirms or removes the second step, by what the form holds.
func (h *Handlers) totp(c *Ctx) error {
	ctx := c.ctx()
	props := signview.Sessions{Header: part.Header{Title: c.T("portal.totp.title")}, Totp: &signview.Totp{On: c.Person.HasTOTP, Action: "/account/totp"}}
	code := c.FormValue("code")
	var err error
	switch {
	case c.Person.HasTOTP:
		if err = h.Accounts.RemoveFactor(ctx, c.Person.ID, c.FormValue("password")); err == nil {
			return c.seeOther("/account/sessions")
		}
	case code == "":
		var e account.Enrolment
		if e, err = h.Accounts.EnrolFactor(ctx, c.Person.ID); err == nil {
			props.Totp.Secret, props.Totp.URI = e.Secret, e.URI
			return c.page(http.StatusOK, props.Page())
		}
	default:
		var recovery []string
		if recovery, err = h.Accounts.ConfirmFactor(ctx, c.Person.ID, code); err == nil {
			props.Totp.On = true
			props.Flash = &part.Flash{Tone: part.Warn, Text: c.T("portal.totp.recovery", "Codes", join(recovery, " "))}
			return c.page(http.StatusOK, props.Page())
		}
	}
	f := faultOf(err)
	if f.Kind == fault.KindInternal || wantsJSON(c.Request()) {
		return err
	}
	props.Totp.Error = i18n.FaultText(ctx, f)
	c.holdOff(f)
	return c.page(statusOf[f.Kind], props.Page())
}
