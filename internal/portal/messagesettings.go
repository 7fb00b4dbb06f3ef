package portal

import (
	"context"
	"net/http"
	"slices"

	"huoban/internal/fault"
	"huoban/internal/i18n"
	"huoban/internal/message"
	"huoban/web/templates/orgview"
	"huoban/web/templates/part"
)

const pathMessageSettings = pathMessages + "/settings"

// messageSettings is 消息接收设置: what a person is told on which channel, in the organisation acted for.
func (h *Handlers) messageSettings(c *Ctx) error {
	s, err := h.Messages.Settings(c.ctx(), c.Scope)
	if err != nil {
		return err
	}
	return h.settingsForm(c, s, http.StatusOK, nil)
}

func (h *Handlers) settingsForm(c *Ctx, s message.Settings, status int, refused *fault.Error) error {
	title := c.T("messages.settings")
	language := part.Field{Name: "language", Label: c.T("messages.language"), Type: "select", Value: s.Language, Help: c.T("messages.language_help")}
	if language.Value == "" {
		language.Value = string(i18n.ZhCN)
	}
	for _, l := range i18n.Langs {
		language.Options = append(language.Options, part.Option{Value: string(l), Label: l.Name()})
	}
	zone := part.Field{Name: "zone", Label: c.T("messages.zone"), Type: "select", Value: s.Zone, Help: c.T("messages.zone_help", "Begins", message.DayBegins, "Ends", message.DayEnds), Options: []part.Option{{Label: c.T("messages.zone.none")}}}
	for _, z := range message.Zones {
		zone.Options = append(zone.Options, part.Option{Value: z, Label: "UTC" + z})
	}
	p := orgview.Form{Pages: messageTabs(c, pathMessageSettings), Header: part.Header{Title: title, Crumbs: c.crumbs(part.Link{Text: c.T("ops.messages.title"), Href: c.at(pathMessages)}, part.Link{Text: title})}, Refusal: refusalOf(c, refused), Flash: c.done(),
		Action: c.at(pathMessageSettings), Hidden: fresh(), Fields: []part.Field{language, zone}, Submit: c.T("members.save"), Back: part.Link{Text: c.T("assignments.back"), Href: c.at(pathMessages)},
		Rules: []string{c.T("messages.rule.channels"), c.T("messages.rule.here")}}
	mail := c.T("messages.no_mail")
	if c.Person.Email != "" {
		mail = c.T("messages.mail_to", "Address", maskMail(c.Person.Email))
	}
	phone := c.T("messages.no_phone")
	if c.Person.Phone != "" {
		phone = c.T("messages.text_to", "Number", maskPhone(c.Person.Phone))
	}
	p.Rules = append(p.Rules, mail, phone)
	for _, channel := range message.Channels {
		g := orgview.Group{Title: c.T(channel.Label()), Name: string(channel)}
		for _, category := range message.Categories {
			way := message.Way{Category: category, Channel: channel}
			t := orgview.Tick{Value: string(category), Label: c.T(category.Label()), Note: c.T("messages.about." + string(category)), Checked: s.On(way)}
			if message.Mandatory(way) {
				t.Off = c.T("messages.mandatory")
			}
			g.Ticks = append(g.Ticks, t)
		}
		p.Groups = append(p.Groups, g)
	}
	return c.page(status, p.Page())
}

// saveMessageSettings keeps what is not ticked as off; what cannot be off need not be ticked.
func (h *Handlers) saveMessageSettings(c *Ctx) error {
	if err := c.readForm(); err != nil {
		return err
	}
	s := message.Settings{Language: c.FormValue("language"), Zone: c.FormValue("zone")}
	for _, channel := range message.Channels {
		on := c.list(string(channel))
		for _, category := range message.Categories {
			way, ticked := message.Way{Category: category, Channel: channel}, slices.Contains(on, string(category))
			switch {
			case channel == message.ChannelText && ticked:
				s.Texts = append(s.Texts, category)
			case channel != message.ChannelText && !ticked && !message.Mandatory(way):
				s.Off = append(s.Off, way)
			}
		}
	}
	err := h.once(c, func(ctx context.Context) (answer, error) {
		return answer{Location: c.withQuery(pathMessageSettings, "done", "settings_saved")}, h.Messages.SetSettings(ctx, c.Scope, s)
	})
	return c.refuse(err, func(status int, f *fault.Error) error { return h.settingsForm(c, s, status, f) })
}
