package portal

import (
	"context"
	"image/color"
	"net/http"
	"slices"
	"strconv"
	"strings"

	"github.com/boombuler/barcode/qr"

	"huoban/internal/customer"
	"huoban/internal/fault"
	"huoban/internal/i18n"
	"huoban/internal/invitation"
	"huoban/internal/outbox"
	"huoban/web/templates/custview"
	"huoban/web/templates/growview"
	"huoban/web/templates/opsview"
	"huoban/web/templates/part"
)

func (h *Handlers) invitingPage(c *Ctx) error { return h.invitingForm(c, http.StatusOK, nil) }

// picked are the registrations a form or an address names.
func (c *Ctx) picked() []string {
	if c.Request().Form == nil {
		_ = c.FormValue("prospect") // reads the form
	}
	return c.Request().Form["prospect"]
}

// invitingForm asks to what and how; without a tick it makes a link for anybody.
func (h *Handlers) invitingForm(c *Ctx, status int, refused *fault.Error) error {
	all, err := h.registeredOnes(c)
	if err != nil {
		return err
	}
	chosen := c.picked()
	for _, id := range chosen {
		if _, err := h.Prospects.Find(c.ctx(), c.Scope, id); err != nil {
			return err
		}
	}
	title := c.T("invitations.new")
	relation := part.Field{Name: "relation", Label: c.T("prospects.relation"), Type: "select", Value: c.FormValue("relation"), Help: c.T("invitations.relation_help")}
	for _, k := range relations {
		relation.Options = append(relation.Options, part.Option{Value: string(k), Label: c.T(k.Label())})
	}
	channel := part.Field{Name: "channel", Label: c.T("invitations.channel"), Type: "select", Value: c.FormValue("channel"), Help: c.T("invitations.channel_help")}
	for _, x := range invitation.Channels {
		channel.Options = append(channel.Options, part.Option{Value: string(x), Label: c.T(x.Label())})
	}
	p := custview.Pick{Header: part.Header{Title: title, Crumbs: c.crumbs(part.Link{Text: c.T("invitations.title"), Href: c.at(pathInvitations)}, part.Link{Text: title})}, Refusal: refusalOf(c, refused),
		Action: c.at(pathInvitations), Tick: "prospect", Fields: []part.Field{relation, channel}, Submit: c.T("invitations.preview"), Hidden: []part.Hidden{{Name: "preview", Value: "yes"}},
		Heads: []opsview.Head{{Text: c.T("prospects.col.customer")}, {Text: c.T("prospects.email")}, {Text: c.T("prospects.col.ends")}},
		Notes: []string{c.T("invitations.rule.general", "Days", invitation.YoungDays), c.T("invitations.rule.once"), c.T("invitations.rule.owner")}}
	vendors, err := h.Prospects.Vendors(c.ctx(), c.Scope)
	if err != nil {
		return err
	}
	if len(vendors) > 1 {
		f := part.Field{Name: "vendor", Label: c.T("prospects.vendor"), Type: "select", Value: c.FormValue("vendor"), Help: c.T("invitations.vendor_help"), Options: []part.Option{{}}}
		for _, v := range vendors {
			f.Options = append(f.Options, part.Option{Value: v.Code, Label: v.Name})
		}
		p.Fields = append(p.Fields, f)
	}
	now := h.Clock.Now()
	for i := range all {
		x := &all[i]
		name := c.personal(x.Name)
		name.Note = c.veiled(x.Phone) + " · " + x.Login
		p.Rows = append(p.Rows, opsview.Tick{Value: x.ID, Checked: slices.Contains(chosen, x.ID), Cells: []opsview.Cell{name, {Text: c.veiled(x.Email)}, {Text: join(present(endsCell(c, x, now).Text, endsCell(c, x, now).Note), " · ")}}})
	}
	return c.page(status, p.Page())
}

// inviteCustomers shows what would be sent where the form asks for that, and sends it otherwise.
func (h *Handlers) inviteCustomers(c *Ctx) error {
	if err := c.readForm(); err != nil {
		return err
	}
	in := invitation.InviteInput{ProspectIDs: c.picked(), Relation: customer.Kind(c.FormValue("relation")), Channel: invitation.Channel(c.FormValue("channel"))}
	var err error
	if in.VendorID, err = h.orgID(c.ctx(), c, c.FormValue("vendor"), "prospect.vendor_unknown"); err != nil {
		return err
	}
	if c.FormValue("preview") == "yes" {
		var steps []invitation.Step
		if steps, err = h.Invitations.Plan(c.ctx(), c.Scope, in); err == nil {
			return h.inviteConfirm(c, in, steps)
		}
	} else {
		err = h.once(c, func(ctx context.Context) (answer, error) {
			made, err := h.Invitations.Invite(ctx, c.Scope, in)
			out := answer{Location: c.withQuery(pathInvitations, "done", "customer_invited")}
			var list []map[string]any
			for i := range made {
				list = append(list, h.invitationBody(c, &made[i]))
			}
			if len(made) == 1 {
				out.Location = c.withQuery(pathInvitations+"/"+made[0].ID, "done", "customer_invited")
			}
			out.Body = map[string]any{"invitations": list}
			return out, err
		})
	}
	if err == nil {
		return nil
	}
	return c.refuse(err, func(status int, f *fault.Error) error { return h.invitingForm(c, status, f) })
}

// inviteConfirm lists whom a batch would reach, with the letter as it would be sent.
func (h *Handlers) inviteConfirm(c *Ctx, in invitation.InviteInput, steps []invitation.Step) error {
	if wantsJSON(c.Request()) {
		var list []map[string]any
		for i := range steps {
			one := map[string]any{"prospect": steps[i].Prospect.ID}
			if f := steps[i].Refusal; f != nil {
				one["refused"] = f.Code
			}
			list = append(list, one)
		}
		return c.JSON(http.StatusOK, map[string]any{"prospects": list})
	}
	title := c.T("invitations.confirm")
	p := custview.Confirm{Header: part.Header{Title: title, Crumbs: c.crumbs(part.Link{Text: c.T("invitations.title"), Href: c.at(pathInvitations)}, part.Link{Text: title})},
		Action: c.at(pathInvitations), Back: part.Link{Text: c.T("assignments.back"), Href: c.at(pathInvitations + "/new")}, Submit: c.T("invitations.send"),
		Hidden: append(fresh(), part.Hidden{Name: "relation", Value: string(in.Relation)}, part.Hidden{Name: "channel", Value: string(in.Channel)}, part.Hidden{Name: "vendor", Value: c.FormValue("vendor")}),
		Facts: []part.Item{{Label: c.T("prospects.relation"), Text: c.T(in.Relation.Label())}, {Label: c.T("invitations.channel"), Text: c.T(in.Channel.Label())},
			{Label: c.T("invitations.label"), Text: c.Scope.Login()}, {Label: c.T("invitations.ends"), Text: i18n.DateTime(h.daysFrom(invitation.Days))}},
		Notes: []string{c.T("invitations.may." + string(in.Relation))}}
	p.Grid = opsview.Grid{ID: "steps", Title: c.T("invitations.whom"), Heads: []opsview.Head{{Text: c.T("prospects.col.customer")}, {Text: c.T("assignments.effect")}}}
	if len(steps) == 0 {
		p.Grid.Rows = [][]opsview.Cell{{{Text: c.T("invitations.general")}, {Text: c.T("invitations.rule.general", "Days", invitation.YoungDays)}}}
	}
	for i := range steps {
		st := &steps[i]
		effect := opsview.Cell{Status: &part.Status{Text: c.T("invitations.effect"), Tone: part.Good}}
		if st.Refusal != nil {
			effect, p.Off = opsview.Cell{Status: &part.Status{Text: i18n.FaultText(c.ctx(), st.Refusal), Tone: part.Bad}}, true
		}
		name := c.personal(st.Prospect.Name)
		if in.Channel == invitation.ChannelMail {
			name.Note = c.veiled(st.Prospect.Email)
		}
		p.Grid.Rows = append(p.Grid.Rows, []opsview.Cell{name, effect})
		p.Hidden = append(p.Hidden, part.Hidden{Name: "prospect", Value: st.Prospect.ID})
	}
	if in.Channel == invitation.ChannelMail {
		args, err := h.Invitations.LetterArgs(c.ctx(), c.Org.ID, c.Scope.PersonID(), in.Relation, h.daysFrom(invitation.Days))
		if err != nil {
			return err
		}
		subject, text, err := h.Letter(c.ctx(), outbox.Mail{Lang: string(i18n.ZhCN), Code: "invitation", Args: args, Link: invitation.Path("…")})
		if err != nil {
			return err
		}
		p.Letter = &custview.Letter{Title: c.T("invitations.letter"), Subject: subject, Text: text}
	}
	return c.page(http.StatusOK, p.Page())
}

// qrPath draws a QR code as the path of its dark modules, one unit each, with the quiet zone around it.
func qrPath(text string) (growview.Code, error) {
	const quiet = 4
	img, err := qr.Encode(text, qr.M, qr.Auto)
	if err != nil {
		return growview.Code{}, fault.New(fault.KindInternal, "internal", nil).Because(err)
	}
	size := img.Bounds().Dx()
	var b strings.Builder
	for y := range size {
		for x := range size {
			if img.At(x, y) == color.Black {
				b.WriteString("M" + strconv.Itoa(x+quiet) + " " + strconv.Itoa(y+quiet) + "h1v1h-1z")
			}
		}
	}
	return growview.Code{Size: size + 2*quiet, Path: b.String()}, nil
}
