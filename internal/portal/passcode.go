package portal

import (
	"context"
	"net/http"
	"slices"
	"sort"
	"strings"
	"time"

	"huoban/internal/fault"
	"huoban/internal/i18n"
	"huoban/internal/passcode"
	"huoban/internal/scope"
	"huoban/web/templates/part"
	"huoban/web/templates/signview"
	"huoban/web/templates/ssoview"
)

const (
	pathVerification = "/verification"
	pathDevOutbox    = "/dev/outbox"

	codeField   = "passcode"
	resendField = "resend"
)

// passcodeRoutes are 验证码验证, what is asked before sensitive acts, and in development what was sent.
func passcodeRoutes() []Route {
	sides := []scope.Side{scope.SidePartner, scope.SideCustomer}
	return []Route{
		{Method: get, Path: "/o/:org" + pathVerification, Name: "passcode", Sides: sides, Items: everybody, Title: "passcode.title", NoList: "form", Do: (*Handlers).passcodePage},
		{Method: post, Path: "/o/:org" + pathVerification + "/own", Name: "passcode.own", Sides: sides, Items: everybody, Do: (*Handlers).saveOwnPasscode},
		{Method: post, Path: "/o/:org" + pathVerification + "/everybody", Name: "passcode.everybody", Sides: sides, Items: []scope.Item{scope.ItemStaffChange}, Do: (*Handlers).savePasscodeOfAll},
		{Method: get, Path: pathDevOutbox, Name: "dev.outbox", Self: true, Title: "passcode.outbox", NoList: "what a developer's portal would have sent", Do: (*Handlers).devOutbox},
	}
}

// proven is once of a sensitive act. Where its service answers passcode.needed, nothing was done: a code is sent, and the
// page that asks for it sends the same form again with the code, which is good for exactly these fields. back is where
// one goes who does not want to. A program repeats its request with the field passcode. Faults: those of the act and of
// passcode.Try and Send.
func (h *Handlers) proven(c *Ctx, op passcode.Operation, back string, act func(ctx context.Context) (answer, error)) error {
	if err := c.readForm(); err != nil {
		return err
	}
	content := c.content()
	typed := strings.Join(strings.Fields(c.FormValue(codeField)), "")
	if c.FormValue(resendField) != "" {
		return h.askCode(c, op, content, back, true, nil)
	}
	if typed != "" {
		proof, err := h.Passcodes.Try(c.ctx(), c.Scope, op, content, typed)
		if err != nil {
			return h.askAgain(c, op, content, back, err)
		}
		c.SetRequest(c.Request().WithContext(passcode.With(c.ctx(), proof)))
	}
	err := h.once(c, act)
	switch {
	case fault.HasCode(err, "passcode.needed"):
		return h.askCode(c, op, content, back, false, nil)
	case fault.HasCode(err, "passcode.used"):
		return h.askCode(c, op, content, back, true, faultOf(err))
	}
	return err
}

// content digests what the form asks for: everything but the code and what makes a repeat known.
func (c *Ctx) content() []byte {
	parts := []string{c.Request().Method, c.Request().URL.Path}
	for _, name := range c.fieldNames() {
		parts = append(parts, name, strings.Join(c.Request().PostForm[name], "\x00"))
	}
	return passcode.ContentOf(parts...)
}

func (c *Ctx) fieldNames() []string {
	var names []string
	for name := range c.Request().PostForm {
		if name != keyField && name != codeField && name != resendField {
			names = append(names, name)
		}
	}
	sort.Strings(names)
	return names
}

// askAgain says what was wrong with the code that was typed.
func (h *Handlers) askAgain(c *Ctx, op passcode.Operation, content []byte, back string, err error) error {
	f := faultOf(err)
	if f.Kind == fault.KindInternal || wantsJSON(c.Request()) {
		return err
	}
	if f.Code == "passcode.wrong" {
		return h.codePageOf(c, op, back, "", statusOf[f.Kind], f)
	}
	return h.askCode(c, op, content, back, true, f)
}

// askCode sends a code and asks for it. A program is told where it went.
func (h *Handlers) askCode(c *Ctx, op passcode.Operation, content []byte, back string, anew bool, before *fault.Error) error {
	code, err := h.Passcodes.Send(c.ctx(), c.Scope, op, content, anew)
	if err != nil {
		f := faultOf(err)
		c.holdOff(f)
		if f.Kind == fault.KindInternal || wantsJSON(c.Request()) {
			return err
		}
		return h.codePageOf(c, op, back, "", statusOf[f.Kind], f)
	}
	if wantsJSON(c.Request()) {
		return fault.Denied("passcode.sent", fault.Args{"to": code.SentTo, "minutes": int(passcode.Lifetime / time.Minute)})
	}
	status := http.StatusOK
	if before != nil {
		status = statusOf[before.Kind]
	}
	return h.codePageOf(c, op, back, code.SentTo, status, before)
}

// codePageOf asks for the code, keeping every field of the form.
func (h *Handlers) codePageOf(c *Ctx, op passcode.Operation, back, to string, status int, f *fault.Error) error {
	p := signview.Passcode{Title: c.T("passcode.ask.title"), Operation: c.T(op.Label()), Action: c.Request().URL.Path, Back: back, Wait: int(passcode.ResendAfter / time.Second)}
	if to != "" {
		p.Sent = c.T("passcode.ask.sent", "To", to, "Minutes", int(passcode.Lifetime/time.Minute))
	}
	if f != nil {
		p.Error, p.Cure = i18n.FaultText(c.ctx(), f), cureText(c, f)
		p.Off = f.Code == "passcode.no_channel"
	}
	for _, name := range append([]string{keyField}, c.fieldNames()...) {
		for _, v := range c.Request().PostForm[name] {
			p.Hidden = append(p.Hidden, part.Hidden{Name: name, Value: v})
		}
	}
	if h.DevLetters != nil {
		p.Outbox = pathDevOutbox
	}
	return c.page(status, p.Page())
}

func (h *Handlers) passcodePage(c *Ctx) error { return h.passcodeForm(c, http.StatusOK, nil) }

// passcodeForm shows and changes who is asked.
func (h *Handlers) passcodeForm(c *Ctx, status int, refused *fault.Error) error {
	own, org, err := h.Passcodes.Choices(c.ctx(), c.Scope)
	if err != nil {
		return err
	}
	title := c.T("passcode.title")
	p := ssoview.Access{Header: part.Header{Title: title, Crumbs: c.crumbs(part.Link{Text: title})}, Flash: c.done(), Refusal: refusalOf(c, refused), Notes: []string{c.T("passcode.intro")}}
	channel := part.Field{Name: "channel", Label: c.T("passcode.channel"), Type: "select", Value: string(own.Channel)}
	for _, way := range passcode.Channels {
		channel.Options = append(channel.Options, part.Option{Value: string(way), Label: c.T(way.Label())})
	}
	mine := ssoview.Sheet{ID: "own", Title: c.T("passcode.own"), Width: "w6", Tags: []part.Tag{onTag(c, own.On)}, Notes: []string{c.T("passcode.reach", "Mail", reach(c.Person.Email, maskMail), "Phone", reach(c.Person.Phone, maskPhone))},
		Forms: []ssoview.Form{{Action: c.at(pathVerification + "/own"), Submit: c.T("members.save"), Hidden: fresh(), Fields: []part.Field{{Name: "asked", Label: c.T("passcode.own_on"), Type: "checkbox", Value: trueText(own.On), Help: c.T("passcode.own_help")}, channel}}}}
	all := ssoview.Sheet{ID: "everybody", Title: c.T("passcode.everybody"), Width: "w6", Tags: []part.Tag{onTag(c, org.On)}}
	if c.Scope.Has(scope.ItemStaffChange) {
		all.Forms = []ssoview.Form{{Action: c.at(pathVerification + "/everybody"), Submit: c.T("members.save"), Hidden: fresh(), Fields: []part.Field{{Name: "asked", Label: c.T("passcode.everybody_on"), Type: "checkbox", Value: trueText(org.On), Help: c.T("passcode.everybody_help")}}}}
	} else {
		all.Notes = []string{c.T("passcode.everybody_read")}
	}
	p.Sheets = []ssoview.Sheet{mine, all, h.operationSheet(c, own.On || org.On)}
	return c.page(status, p.Page())
}

func onTag(c *Ctx, on bool) part.Tag {
	if on {
		return part.Tag{Text: c.T("passcode.on"), Tone: part.Good}
	}
	return part.Tag{Text: c.T("passcode.off")}
}

func reach(address string, mask func(string) string) string {
	if address == "" {
		return i18n.Nothing
	}
	return mask(address)
}

// operationSheet lists the sensitive acts and which of them want a code now.
func (h *Handlers) operationSheet(c *Ctx, on bool) ssoview.Sheet {
	s := ssoview.Sheet{ID: "operations", Title: c.T("passcode.operations"), Width: "w12"}
	rows := &ssoview.Rows{Heads: []string{c.T("passcode.col.operation"), c.T("passcode.col.asked")}}
	hidden := []passcode.Operation{}
	if c.Scope.Side() == scope.SideCustomer {
		hidden = []passcode.Operation{passcode.OpWithdraw, passcode.OpRemittance, passcode.OpAllocate, passcode.OpPayment, passcode.OpContract, passcode.OpCoupon}
	}
	for _, op := range passcode.Operations {
		if slices.Contains(hidden, op) {
			continue
		}
		word, tone := c.T("passcode.asked.no"), part.Tone("")
		switch {
		case op.Always():
			word, tone = c.T("passcode.asked.always"), part.Good
		case on:
			word, tone = c.T("passcode.asked.yes"), part.Good
		}
		rows.Rows = append(rows.Rows, []ssoview.Cell{{Text: c.T(op.Label())}, {Status: &part.Status{Text: word, Tone: tone}}})
	}
	s.Rows = rows
	return s
}

func (h *Handlers) saveOwnPasscode(c *Ctx) error {
	err := h.proven(c, passcode.OpChoice, c.at(pathVerification), func(ctx context.Context) (answer, error) {
		return answer{Location: c.withQuery(pathVerification, "done", "passcode_saved")},
			h.Passcodes.SetOwn(ctx, c.Scope, passcode.Choice{On: c.FormValue("asked") == "true", Channel: passcode.Channel(c.FormValue("channel"))})
	})
	return c.refusedOr(err, func(status int, f *fault.Error) error { return h.passcodeForm(c, status, f) })
}

func (h *Handlers) savePasscodeOfAll(c *Ctx) error {
	err := h.proven(c, passcode.OpChoice, c.at(pathVerification), func(ctx context.Context) (answer, error) {
		return answer{Location: c.withQuery(pathVerification, "done", "passcode_saved")}, h.Passcodes.SetOrganisation(ctx, c.Scope, c.FormValue("asked") == "true")
	})
	return c.refusedOr(err, func(status int, f *fault.Error) error { return h.passcodeForm(c, status, f) })
}

// refusedOr is refuse, of an error that may be none.
func (c *Ctx) refusedOr(err error, page func(status int, f *fault.Error) error) error {
	if err == nil {
		return nil
	}
	return c.refuse(err, page)
}

// DevLetter is a letter or text message that a portal in development kept instead of sending it.
type DevLetter struct {
	At                time.Time
	To, Subject, Text string
}

// devOutbox shows them; outside development there is no such page.
func (h *Handlers) devOutbox(c *Ctx) error {
	if h.DevLetters == nil {
		return notFound()
	}
	p := signview.Outbox{}
	for _, l := range h.DevLetters() {
		p.Letters = append(p.Letters, signview.OutboxLetter{At: i18n.DateTime(l.At), To: l.To, Subject: l.Subject, Text: l.Text})
	}
	return c.page(http.StatusOK, p.Page())
}
