package app

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"net"
	netmail "net/mail"
	"net/url"
	"strconv"
	"strings"
	"time"

	"github.com/wneessen/go-mail"

	"huoban/internal/account"
	"huoban/internal/clock"
	"huoban/internal/fault"
	"huoban/internal/i18n"
	"huoban/internal/organisation"
	"huoban/internal/outbox"
	"huoban/internal/passcode"
)

// mailServer is where letters go.
type mailServer struct {
	host           string
	port           int
	implicit       bool // TLS from the first byte
	user, password string
	from           *netmail.Address
}

// mailServer reads PORTAL_SMTP and PORTAL_MAIL_FROM; nil sends no mail. smtps:// speaks TLS from the
// first byte, smtp:// changes to it where the server offers it, and must before it says a password to
// another machine. Faults: settings.smtp, settings.mail_from.
func (s Settings) mailServer() (*mailServer, error) {
	if s.SMTP == "" {
		return nil, nil
	}
	u, err := url.Parse(s.SMTP)
	if err != nil || u.Hostname() == "" || u.Scheme != "smtp" && u.Scheme != "smtps" || strings.Trim(u.Path, "/") != "" {
		return nil, fault.Invalid("settings.smtp", nil)
	}
	m := &mailServer{host: u.Hostname(), implicit: u.Scheme == "smtps", user: u.User.Username()}
	m.password, _ = u.User.Password()
	port := u.Port()
	if port == "" {
		port = map[bool]string{true: "465", false: "587"}[m.implicit]
	}
	if m.port, err = strconv.Atoi(port); err != nil || m.port < 1 || m.port > 65535 {
		return nil, fault.Invalid("settings.smtp", nil)
	}
	if m.from, err = netmail.ParseAddress(s.MailFrom); err != nil {
		return nil, fault.Invalid("settings.mail_from", fault.Args{"value": s.MailFrom})
	}
	return m, nil
}

func (m *mailServer) options() []mail.Option {
	opts := []mail.Option{mail.WithPort(m.port)}
	ip := net.ParseIP(m.host)
	here := m.host == "localhost" || ip != nil && ip.IsLoopback()
	switch {
	case m.implicit:
		opts = append(opts, mail.WithSSL())
	case m.user == "" || here:
		opts = append(opts, mail.WithTLSPolicy(mail.TLSOpportunistic))
	default:
		opts = append(opts, mail.WithTLSPolicy(mail.TLSMandatory))
	}
	if m.user != "" {
		opts = append(opts, mail.WithSMTPAuth(mail.SMTPAuthAutoDiscover), mail.WithUsername(m.user), mail.WithPassword(m.password))
	}
	return opts
}

// smtpSender hands letters to the mail server, one connection each: they are few.
type smtpSender struct {
	server *mailServer
	clock  clock.Clock
}

// Send implements outbox.Sender. What the server refuses for good is not tried again.
func (s *smtpSender) Send(ctx context.Context, l outbox.Letter) error {
	msg := mail.NewMsg(mail.WithNoDefaultUserAgent())
	msg.FromMailAddress(s.server.from)
	if err := msg.To(l.To); err != nil {
		return outbox.Permanent(err)
	}
	_, domain, _ := strings.Cut(s.server.from.Address, "@")
	msg.SetMessageIDWithValue(l.ID + "@" + domain)
	msg.SetDateWithValue(s.clock.Now())
	msg.SetGenHeader("Auto-Submitted", "auto-generated")
	msg.Subject(l.Subject)
	msg.SetBodyString(mail.TypeTextPlain, l.Text)
	client, err := mail.NewClient(s.server.host, s.server.options()...)
	if err != nil {
		return outbox.Permanent(err)
	}
	err = client.DialAndSendWithContext(ctx, msg)
	var refused *mail.SendError
	if errors.As(err, &refused) && refused.ErrorCode() >= 500 {
		return outbox.Permanent(err)
	}
	return err
}

// letters are the mails there are: keys of subject and body.
var letters = map[string][2]string{
	"person_invited":               {"mail.person_invited.subject", "mail.person_invited.body"},
	"person_reset":                 {"mail.person_reset.subject", "mail.person_reset.body"},
	"bill_issued":                  {"mail.bill_issued.subject", "mail.bill_issued.body"},
	"invitation":                   {"mail.invitation.subject", "mail.invitation.body"},
	"dispatch_failed":              {"mail.dispatch_failed.subject", "mail.dispatch_failed.body"},
	"sso_cert_ends":                {"mail.sso_cert_ends.subject", "mail.sso_cert_ends.body"},
	"sso_cert_over":                {"mail.sso_cert_over.subject", "mail.sso_cert_over.body"},
	"sso_console_cert_ends":        {"mail.sso_console_cert_ends.subject", "mail.sso_console_cert_ends.body"},
	"sso_console_cert_over":        {"mail.sso_console_cert_over.subject", "mail.sso_console_cert_over.body"},
	"sso_console_metadata_pending": {"mail.sso_console_metadata_pending.subject", "mail.sso_console_metadata_pending.body"},
	"sso_metadata_apply":           {"mail.sso_metadata_apply.subject", "mail.sso_metadata_apply.body"},
	"sso_metadata_pending":         {"mail.sso_metadata_pending.subject", "mail.sso_metadata_pending.body"},
	"sso_metadata_refuse":          {"mail.sso_metadata_refuse.subject", "mail.sso_metadata_refuse.body"},
	"sso_metadata_failing":         {"mail.sso_metadata_failing.subject", "mail.sso_metadata_failing.body"},
	"weekly_view":                  {"mail.weekly_view.subject", "mail.weekly_view.body"},
	"desk_due":                     {"mail.desk_due.subject", "mail.desk_due.body"},
	"statement_sent":               {"mail.statement_sent.subject", "mail.statement_sent.body"},
	"passcode":                     {"mail.passcode.subject", "mail.passcode.body"},
}

// mailWriter words mails in their reader's language; links become addresses of this portal, and the ids of
// personal links are given their token only here.
type mailWriter struct {
	base    string
	token   func(linkID string) string
	figures func(codeID string) string
}

func (a *App) letterWriter() mailWriter {
	return mailWriter{a.Settings.Base(), a.Accounts.LinkToken, a.Passcodes.Figures}
}

// Write implements outbox.Writer.
func (w mailWriter) Write(ctx context.Context, m outbox.Mail) (subject, text string, err error) {
	lang, ok := i18n.Parse(m.Lang)
	if !ok {
		lang = i18n.ZhCN
	}
	if strings.HasPrefix(m.Code, noticeLetter) {
		subject, text = noticeText(lang, m)
		if m.Link != "" {
			text += "\n\n" + w.base + m.Link
		}
		return subject, text + "\n", nil
	}
	keys, ok := letters[m.Code]
	if !ok {
		return "", "", fmt.Errorf("no letter is called %q", m.Code)
	}
	ctx = i18n.With(ctx, lang)
	pairs := make([]any, 0, 2*len(m.Args))
	for k, v := range m.Args {
		pairs = append(pairs, k, v)
	}
	if m.Passcode != "" {
		pairs = append(pairs, "Code", w.figures(m.Passcode))
	}
	text = i18n.T(ctx, keys[1], pairs...)
	if m.Link != "" {
		text += "\n\n" + w.base + m.Link
	}
	if m.Personal != "" {
		text += "\n\n" + w.base + "/welcome/" + w.token(m.Personal)
	}
	return i18n.T(ctx, keys[0], pairs...), text + "\n", nil
}

// wireMail gives the worker the handler of mails, if a mail server is set.
func (a *App) wireMail() error {
	server, err := a.Settings.mailServer()
	if err != nil {
		return err
	}
	if server != nil {
		a.mails = true
		a.Worker.Handle(outbox.KindMail, outbox.MailHandler(a.letterWriter(), &smtpSender{server, a.Clock}))
	}
	if err := a.wirePost(server != nil); err != nil {
		return err
	}
	if a.mails || a.post.ways[passcode.ChannelText] {
		a.Messages.Carrier = outward{a}
	}
	return nil
}

// sendMail queues a letter in the running transaction; without a mail server, or an address, nothing.
func (a *App) sendMail(ctx context.Context, key string, m outbox.Mail) error {
	return a.sendMailAt(ctx, key, m, time.Time{})
}

// sendMailAt is sendMail not before a time; the zero one is now.
func (a *App) sendMailAt(ctx context.Context, key string, m outbox.Mail, at time.Time) error {
	if !a.mails || m.To == "" {
		return nil
	}
	return outbox.SendMailAt(ctx, a.Queue, key, m, at)
}

// inviter writes to a person of a link to choose a password.
type inviter struct{ a *App }

// Invite implements account.Letters.
func (i inviter) Invite(ctx context.Context, p account.Person, org organisation.Organisation, l account.Link) (bool, error) {
	if !i.a.mails || p.Email == "" {
		return false, nil
	}
	set, err := i.a.Messages.SettingsOf(ctx, p.OrgID, p.ID)
	if err != nil {
		return false, err
	}
	code := map[account.LinkPurpose]string{account.LinkInvitation: "person_invited", account.LinkReset: "person_reset"}[l.Purpose]
	return true, i.a.sendMail(ctx, code+"/"+l.ID, outbox.Mail{To: p.Email, Lang: cmp.Or(set.Language, string(i18n.ZhCN)), Code: code, Personal: l.ID,
		Args: fault.Args{"Name": p.Name, "Login": p.Login, "Organisation": org.Name, "Until": i18n.DateTime(l.ExpiresAt)}})
}
