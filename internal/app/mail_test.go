package app

import (
	"context"
	"net"
	"net/textproto"
	"strings"
	"sync"
	"testing"
	"time"

	"huoban/internal/clock"
	"huoban/internal/fault"
	"huoban/internal/outbox"
	"huoban/internal/store/jobstore"
)

// sink is a mail server that keeps what it is given. With refuse it answers every recipient so.
type sink struct {
	mu      sync.Mutex
	refuse  string
	letters []string
	addr    string
}

func newSink(t *testing.T) *sink {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { l.Close() })
	s := &sink{addr: l.Addr().String()}
	go func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			go s.serve(textproto.NewConn(c))
		}
	}()
	return s
}

func (s *sink) serve(c *textproto.Conn) {
	defer c.Close()
	_ = c.PrintfLine("220 sink")
	for {
		line, err := c.ReadLine()
		if err != nil {
			return
		}
		verb, _, _ := strings.Cut(strings.ToUpper(line), " ")
		switch verb {
		case "EHLO":
			_ = c.PrintfLine("250-sink\r\n250 8BITMIME")
		case "RCPT":
			s.mu.Lock()
			answer := "250 ok"
			if s.refuse != "" {
				answer = s.refuse
			}
			s.mu.Unlock()
			_ = c.PrintfLine("%s", answer)
		case "DATA":
			_ = c.PrintfLine("354 go on")
			body, err := c.ReadDotBytes()
			if err != nil {
				return
			}
			s.mu.Lock()
			s.letters = append(s.letters, string(body))
			s.mu.Unlock()
			_ = c.PrintfLine("250 kept")
		case "QUIT":
			_ = c.PrintfLine("221 bye")
			return
		default:
			_ = c.PrintfLine("250 ok")
		}
	}
}

func (s *sink) answer(text string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.refuse = text
}

func (s *sink) got() []string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.letters
}

func mailApp(t *testing.T, smtp string) (*App, *clock.Fixed) {
	t.Helper()
	c := clock.At(time.Date(2026, 2, 5, 4, 0, 0, 0, time.UTC))
	a, err := Open(t.Context(), Settings{Addr: "127.0.0.1:8080", Data: t.TempDir(), SMTP: smtp, MailFrom: "Huoban <portal@huoban.example>"}, Options{Clock: c})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { a.Close() })
	return a, c
}

func queue(t *testing.T, a *App, key string) {
	t.Helper()
	err := a.DB.InTx(t.Context(), func(ctx context.Context) error {
		return a.sendMail(ctx, key, outbox.Mail{To: "lin@mushi.example", Lang: "zh-CN", Code: "bill_issued",
			Args: fault.Args{"Cycle": "2026-01", "Vendor": "蓝海"}, Link: "/o/MUSHI/bills?cycle=2026-01"})
	})
	if err != nil {
		t.Fatal(err)
	}
}

func TestALetterArrives(t *testing.T) {
	s := newSink(t)
	a, _ := mailApp(t, "smtp://"+s.addr)
	queue(t, a, "one")
	queue(t, a, "one") // the same key is one letter
	if err := a.Worker.Drain(t.Context()); err != nil {
		t.Fatal(err)
	}
	got := s.got()
	if len(got) != 1 {
		t.Fatalf("%d letters", len(got))
	}
	job, err := a.Queue.ByKey(t.Context(), outbox.KindMail, "one")
	if err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{"To: <lin@mushi.example>", `From: "Huoban" <portal@huoban.example>`, "Message-ID: <" + job.ID + "@huoban.example>",
		"Date: Thu, 05 Feb 2026 04:00:00 +0000", "http://localhost:8080/o/MUSHI/bills?cycle=3D2026-01", "Subject: =?UTF-8?", "Auto-Submitted: auto-generated"} {
		if !strings.Contains(strings.NewReplacer("=\n", "", ":\n ", ": ").Replace(got[0]), want) {
			t.Errorf("no %q in\n%s", want, got[0])
		}
	}
	if strings.Contains(got[0], "User-Agent") {
		t.Error("the letter tells what wrote it")
	}
}

func TestALetterIsTriedAgainUnlessRefused(t *testing.T) {
	s := newSink(t)
	a, c := mailApp(t, "smtp://"+s.addr)
	s.answer("451 later")
	queue(t, a, "later")
	drain := func() outbox.Job {
		t.Helper()
		if err := a.Worker.Drain(t.Context()); err != nil {
			t.Fatal(err)
		}
		j, err := a.Queue.ByKey(t.Context(), outbox.KindMail, "later")
		if err != nil {
			t.Fatal(err)
		}
		return j
	}
	if j := drain(); j.State != outbox.StateWaiting || j.Attempts != 1 {
		t.Errorf("%+v", j)
	}
	s.answer("")
	c.Set(c.Now().Add(time.Minute))
	if j := drain(); j.State != outbox.StateDone || len(s.got()) != 1 {
		t.Errorf("%+v", j)
	}
	s.answer("550 nobody here")
	queue(t, a, "never")
	drain()
	if j, err := a.Queue.ByKey(t.Context(), outbox.KindMail, "never"); err != nil || j.State != outbox.StateFailed || j.Attempts != 1 {
		t.Errorf("%+v %v", j, err)
	}
}

func TestNoServerNoLetter(t *testing.T) {
	a, _ := mailApp(t, "")
	queue(t, a, "one")
	n, err := jobstore.New(a.DB).Count(t.Context())
	if err != nil || len(n) != 0 {
		t.Error(n, err)
	}
}

func TestMailSettings(t *testing.T) {
	for smtp, code := range map[string]string{"mail.example": "settings.smtp", "http://mail.example": "settings.smtp", "smtp://": "settings.smtp",
		"smtp://mail.example:70000": "settings.smtp", "smtp://mail.example/x": "settings.smtp", "smtps://u:p@mail.example": "", "smtp://mail.example": "", "": ""} {
		m, err := Settings{SMTP: smtp, MailFrom: "a@b.example"}.mailServer()
		if code == "" && err != nil || code != "" && !fault.HasCode(err, code) {
			t.Errorf("%q: %v", smtp, err)
		}
		if smtp == "smtps://u:p@mail.example" && (m.port != 465 || !m.implicit || m.user != "u" || m.password != "p") {
			t.Errorf("%+v", m)
		}
	}
	if _, err := (Settings{SMTP: "smtp://mail.example"}).mailServer(); !fault.HasCode(err, "settings.mail_from") {
		t.Error(err)
	}
}

func TestKeepDays(t *testing.T) {
	for keep, want := range map[time.Duration]int{168 * time.Hour: 7, time.Hour: 1, 25 * time.Hour: 2, 0: 0} {
		if got := keepDays(keep); got != want {
			t.Errorf("%s: %d days, want %d", keep, got, want)
		}
	}
}
