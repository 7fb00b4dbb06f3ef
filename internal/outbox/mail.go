package outbox

import (
	"context"
	"encoding/json"
	"fmt"
	"time"

	"huoban/internal/fault"
)

// KindMail is the job kind of a letter.
const KindMail = "mail"

// Mail is a letter to be worded and sent. Code is the key of its text ("mail.<code>.subject" and
// "mail.<code>.body"), worded in the reader's language when it is sent.
type Mail struct {
	To   string     `json:"to"`
	Lang string     `json:"lang"`
	Code string     `json:"code"`
	Args fault.Args `json:"args"`
	Link string     `json:"link,omitempty"`
	// Personal is the id of a link that is as good as a password; its token is added when the letter is worded
	// and stands in no job.
	Personal string `json:"personal,omitempty"`
	// Passcode is the id of a verification code; its figures are added when it is worded, as the argument Code.
	Passcode string `json:"passcode,omitempty"`
}

// Letter is a worded mail. ID is the same for every try, so that a receiver can drop a repeat.
type Letter struct {
	ID      string
	To      string
	Subject string
	Text    string
}

// Sender hands a letter to a mail server.
type Sender interface {
	Send(ctx context.Context, l Letter) error
}

// Writer words a mail.
type Writer interface {
	Write(ctx context.Context, m Mail) (subject, text string, err error)
}

// KindText is the job kind of a text message. It is worded like a mail, and its body alone is sent.
const KindText = "text"

// Texter hands a text message to a provider; Letter.To is a telephone number, and there is no subject.
type Texter interface {
	Text(ctx context.Context, l Letter) error
}

// SendMail enqueues a letter in the running transaction; the same key is sent once.
func SendMail(ctx context.Context, q Enqueuer, key string, m Mail) error {
	return SendMailAt(ctx, q, key, m, time.Time{})
}

// SendMailAt is SendMail not before a time.
func SendMailAt(ctx context.Context, q Enqueuer, key string, m Mail, at time.Time) error {
	_, _, err := q.Enqueue(ctx, NewJob{Kind: KindMail, Key: key, Payload: m, RunAt: at})
	return err
}

// MailHandler is the handler of KindMail. A mail that cannot be worded fails for good; sending is
// tried again.
func MailHandler(w Writer, s Sender) Handler { return worded(w, s.Send) }

// TextHandler is the handler of KindText.
func TextHandler(w Writer, t Texter) Handler {
	return worded(w, func(ctx context.Context, l Letter) error {
		l.Subject = ""
		return t.Text(ctx, l)
	})
}

func worded(w Writer, send func(ctx context.Context, l Letter) error) Handler {
	return func(ctx context.Context, j Job, _ Progress) error {
		var m Mail
		if err := json.Unmarshal(j.Payload, &m); err != nil {
			return Permanent(fmt.Errorf("mail: %w", err))
		}
		subject, text, err := w.Write(ctx, m)
		if err != nil {
			return Permanent(err)
		}
		return send(ctx, Letter{ID: j.ID, To: m.To, Subject: subject, Text: text})
	}
}
