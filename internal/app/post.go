package app

import (
	"bytes"
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"sync"
	"time"

	"huoban/internal/audit"
	"huoban/internal/clock"
	"huoban/internal/fault"
	"huoban/internal/i18n"
	"huoban/internal/outbox"
	"huoban/internal/passcode"
	"huoban/internal/portal"
	"huoban/internal/store/passcodestore"
)

// post brings verification codes: by the mail server, by the gateway of text messages, and in development, where one of
// them is not set, into a box that /dev/outbox shows.
type post struct {
	a    *App
	ways map[passcode.Channel]bool
	box  *devBox // nil outside development
}

func (a *App) wirePasscodes() {
	a.post = &post{a: a, ways: map[passcode.Channel]bool{}}
	a.Passcodes = passcode.New(passcode.Deps{Store: passcodestore.New(a.DB), Tx: a.DB, Audit: a.Audit, Clock: a.Clock, Post: a.post, Secret: a.Key[:],
		Exempt: func(ctx context.Context) bool { return audit.RequestFrom(ctx).SystemUser != "" }})
}

// wirePost tells by which ways codes can be sent, once it is known whether mails can. Fault: settings.sms.
func (a *App) wirePost(mails bool) error {
	texts, err := a.Settings.texter()
	if err != nil {
		return err
	}
	a.post.ways[passcode.ChannelMail], a.post.ways[passcode.ChannelText] = mails, texts != nil
	if texts != nil {
		a.Worker.Handle(outbox.KindText, outbox.TextHandler(a.letterWriter(), texts))
	}
	if !a.Settings.Dev || mails && texts != nil {
		return nil
	}
	a.post.box = &devBox{clock: a.Clock}
	if !mails {
		a.post.ways[passcode.ChannelMail] = true
		a.Worker.Handle(outbox.KindMail, outbox.MailHandler(a.letterWriter(), a.post.box))
	}
	if texts == nil {
		a.post.ways[passcode.ChannelText] = true
		a.Worker.Handle(outbox.KindText, outbox.TextHandler(a.letterWriter(), a.post.box))
	}
	return nil
}

func (p *post) letters() func() []portal.DevLetter {
	if p.box == nil {
		return nil
	}
	return p.box.all
}

// Address implements passcode.Post.
func (p *post) Address(ctx context.Context, personID string, by passcode.Channel) (string, bool, error) {
	if !p.ways[by] {
		return "", false, nil
	}
	who, err := p.a.Accounts.PersonByID(ctx, personID)
	if err != nil {
		return "", false, err
	}
	if by == passcode.ChannelText {
		return maskedPhone(who.Phone), who.Phone != "", nil
	}
	return maskedMail(who.Email), who.Email != "", nil
}

// Send implements passcode.Post.
func (p *post) Send(ctx context.Context, personID string, c passcode.Code) error {
	who, err := p.a.Accounts.PersonByID(ctx, personID)
	if err != nil {
		return err
	}
	set, err := p.a.Messages.SettingsOf(ctx, c.OrgID, personID)
	if err != nil {
		return err
	}
	lang := cmp.Or(set.Language, string(i18n.ZhCN))
	parsed, _ := i18n.Parse(lang)
	m := outbox.Mail{To: who.Email, Lang: lang, Code: "passcode", Passcode: c.ID,
		Args: fault.Args{"Operation": i18n.In(parsed, c.Operation.Label()), "Minutes": int(passcode.Lifetime / time.Minute)}}
	if c.Channel == passcode.ChannelMail {
		return outbox.SendMail(ctx, p.a.Queue, "passcode/"+c.ID, m)
	}
	m.To = who.Phone
	_, _, err = p.a.Queue.Enqueue(ctx, outbox.NewJob{Kind: outbox.KindText, Key: c.ID, Payload: m})
	return err
}

// maskedMail keeps the first sign and the domain.
func maskedMail(s string) string {
	name, domain, ok := strings.Cut(s, "@")
	if !ok {
		return ""
	}
	return string([]rune(name)[:min(1, len([]rune(name)))]) + "***@" + domain
}

// maskedPhone keeps the last four digits of a number that has more.
func maskedPhone(s string) string {
	r := []rune(s)
	if len(r) <= 6 {
		return "***"
	}
	return "***" + string(r[len(r)-4:])
}

// devBox keeps what would have been sent, in memory, the newest first.
type devBox struct {
	clock clock.Clock
	mu    sync.Mutex
	kept  []portal.DevLetter
}

const devLetters = 100

// Send implements outbox.Sender.
func (b *devBox) Send(_ context.Context, l outbox.Letter) error {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.kept = slices.Insert(b.kept, 0, portal.DevLetter{At: b.clock.Now(), To: l.To, Subject: l.Subject, Text: l.Text})
	b.kept = b.kept[:min(len(b.kept), devLetters)]
	return nil
}

// Text implements outbox.Texter.
func (b *devBox) Text(ctx context.Context, l outbox.Letter) error { return b.Send(ctx, l) }

func (b *devBox) all() []portal.DevLetter {
	b.mu.Lock()
	defer b.mu.Unlock()
	return slices.Clone(b.kept)
}

// gateway hands text messages to an HTTP service: a POST of {"id","to","text"}, the id the same for every try. Anything
// of 2xx took it, of 4xx refused it for good.
type gateway struct {
	url    string
	client *http.Client
}

// texter reads PORTAL_SMS; nil sends no text messages. Fault: settings.sms.
func (s Settings) texter() (outbox.Texter, error) {
	if s.SMS == "" {
		return nil, nil
	}
	u, err := url.Parse(s.SMS)
	if err != nil || u.Hostname() == "" || u.Scheme != "https" && u.Hostname() != "localhost" && u.Hostname() != "127.0.0.1" {
		return nil, fault.Invalid("settings.sms", nil)
	}
	return &gateway{s.SMS, &http.Client{Timeout: 10 * time.Second}}, nil
}

// Text implements outbox.Texter.
func (g *gateway) Text(ctx context.Context, l outbox.Letter) error {
	body, err := json.Marshal(map[string]string{"id": l.ID, "to": l.To, "text": strings.TrimSpace(l.Text)})
	if err != nil {
		return outbox.Permanent(err)
	}
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, g.url, bytes.NewReader(body))
	if err != nil {
		return outbox.Permanent(err)
	}
	req.Header.Set("Content-Type", "application/json")
	resp, err := g.client.Do(req)
	if err != nil {
		return fmt.Errorf("text message: %s", hostOf(g.url))
	}
	defer resp.Body.Close()
	_, _ = io.Copy(io.Discard, io.LimitReader(resp.Body, 64<<10))
	switch {
	case resp.StatusCode < 300:
		return nil
	case resp.StatusCode >= 400 && resp.StatusCode < 500 && resp.StatusCode != http.StatusTooManyRequests:
		return outbox.Permanent(fmt.Errorf("text message: %s answered %s", hostOf(g.url), resp.Status))
	}
	return fmt.Errorf("text message: %s answered %s", hostOf(g.url), resp.Status)
}

func hostOf(address string) string {
	u, err := url.Parse(address)
	if err != nil {
		return ""
	}
	return u.Host
}
