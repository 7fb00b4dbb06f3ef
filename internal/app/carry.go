package app

import (
	"cmp"
	"context"
	"maps"
	"strings"

	"huoban/internal/fault"
	"huoban/internal/i18n"
	"huoban/internal/message"
	"huoban/internal/outbox"
	"huoban/internal/passcode"
)

// noticeLetter begins the code of a letter or a text message that says what the bell says.
const noticeLetter = "notice."

// outward takes notices to persons by mail and by text message (邮件, 短信), worded as the bell words them.
type outward struct{ a *App }

// Carry implements message.Carrier. What has a letter of its own is mailed by whoever tells it; a person without an
// address or a number, and a portal without a server for them, is told by the bell alone.
func (c outward) Carry(ctx context.Context, by message.Channel, n message.Notice, key string) error {
	args := maps.Clone(n.Args)
	if args == nil {
		args = fault.Args{}
	}
	args["Category"] = string(n.Category)
	m := outbox.Mail{Code: noticeLetter + n.Code, Args: args, Link: n.Link}
	if by == message.ChannelMail {
		if _, own := letters[n.Code]; own || !c.a.mails {
			return nil
		}
		return c.a.mailOnce(ctx, n.OrgID, n.PersonID, key, n.Category, m)
	}
	if !c.a.post.ways[passcode.ChannelText] {
		return nil
	}
	who, err := c.a.Accounts.PersonByID(ctx, n.PersonID)
	if err != nil || who.Phone == "" {
		return err
	}
	set, err := c.a.Messages.SettingsOf(ctx, n.OrgID, n.PersonID)
	if err != nil {
		return err
	}
	m.To, m.Lang, m.Link = who.Phone, cmp.Or(set.Language, string(i18n.ZhCN)), ""
	_, _, err = c.a.Queue.Enqueue(ctx, outbox.NewJob{Kind: outbox.KindText, Key: noticeLetter + key, Payload: m})
	return err
}

// noticeText words what the bell says: its category as the subject, its sentence as the text.
func noticeText(lang i18n.Lang, m outbox.Mail) (subject, text string) {
	pairs := make([]any, 0, 2*len(m.Args))
	for k, v := range m.Args {
		if k != "Category" {
			pairs = append(pairs, k, v)
		}
	}
	category, _ := m.Args["Category"].(string)
	text = i18n.In(lang, message.Notice{Code: strings.TrimPrefix(m.Code, noticeLetter)}.Text(), pairs...)
	return i18n.In(lang, "mail.notice.subject", "Category", i18n.In(lang, message.Category(category).Label())), text
}
