package app

import (
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"huoban/internal/outbox"
	"huoban/internal/passcode"
	"huoban/internal/scope"
)

// newest are the id and figures of the code sent last.
func (s *stage) newest() (id, figures string) {
	s.t.Helper()
	if err := s.a.DB.Writer().QueryRowContext(s.ctx(), "SELECT id FROM passcode ORDER BY sent_at DESC, id DESC LIMIT 1").Scan(&id); err != nil {
		s.t.Fatal(err)
	}
	return id, s.a.Passcodes.Figures(id)
}

func wrongOf(figures string) string {
	if figures == "000000" {
		return "000001"
	}
	return "000000"
}

// TestCodeBeforeDissolving: where it is switched on, a customer dissolves its association only with the code, which is
// good for what was asked, three tries, ten minutes and once; the same request sent again finds the same answer; and
// the figures stand in no table.
func TestCodeBeforeDissolving(t *testing.T) {
	eachStage(t, func(t *testing.T, s *stage) {
		for _, a := range []*App{s.a, s.b} {
			a.post.ways[passcode.ChannelMail] = true
		}
		b := s.browser()
		b.signsIn("alpha", "/")
		form := func(more ...string) url.Values {
			v := url.Values{"when": {"consent"}, "reason": {"业务调整"}, "understood": {"true"}, "idempotency_key": {"k-1"}}
			for i := 0; i+1 < len(more); i += 2 {
				v.Set(more[i], more[i+1])
			}
			return v
		}
		asked := func() int { return s.count("SELECT COUNT(*) FROM relation_request") }
		codes := func() int { return s.count("SELECT COUNT(*) FROM passcode") }
		send := func(v url.Values) page {
			return b.ask(http.MethodPost, "/o/ALPHA/partner/dissolution", v, false)
		}
		if p := b.ask(http.MethodPost, "/o/ALPHA/verification/everybody", url.Values{"asked": {"true"}}, false); p.status != http.StatusSeeOther {
			t.Fatalf("switched on: %d\n%s", p.status, p.body)
		}
		if p := send(form("reason", " ")); p.status != http.StatusUnprocessableEntity || codes() != 0 {
			t.Errorf("what is refused anyway sends a code: %d, %d codes", p.status, codes())
		}
		p := send(form())
		if p.status != http.StatusOK || !strings.Contains(p.body, `name="passcode"`) || !strings.Contains(p.body, "业务调整") || !strings.Contains(p.body, "a***@example.com") || asked() != 0 || codes() != 1 {
			t.Fatalf("asked for a code: %d, %d requests, %d codes\n%s", p.status, asked(), codes(), p.body)
		}
		id, figures := s.newest()
		if strings.Contains(p.body, figures) || s.count("SELECT COUNT(*) FROM job WHERE kind = 'mail' AND payload LIKE '%"+id+"%'") != 1 || s.count("SELECT COUNT(*) FROM job WHERE payload LIKE '%"+figures+"%'") != 0 {
			t.Error("the letter is not queued, or the figures are told")
		}
		if send(form()); codes() != 1 {
			t.Errorf("a double click sends %d codes", codes())
		}
		if p := send(form("resend", "yes")); p.status != http.StatusTooManyRequests || codes() != 1 {
			t.Errorf("at once again: %d", p.status)
		}
		if p := send(form("passcode", figures, "reason", "别的原因")); p.status == http.StatusSeeOther || asked() != 0 {
			t.Errorf("the code is good for something else: %d", p.status)
		}
		for range passcode.MaxWrong {
			if p := send(form("passcode", wrongOf(figures))); p.status != http.StatusUnprocessableEntity || asked() != 0 {
				t.Errorf("wrong figures: %d", p.status)
			}
		}
		if p := send(form("passcode", figures)); p.status == http.StatusSeeOther || asked() != 0 {
			t.Errorf("after three wrong tries the code opens: %d", p.status)
		}
		s.now.Set(s.now.Now().Add(passcode.ResendAfter))
		send(form())
		if _, figures = s.newest(); codes() != 2 {
			t.Fatalf("%d codes", codes())
		}
		s.now.Set(s.now.Now().Add(passcode.Lifetime))
		if p := send(form("passcode", figures)); p.status == http.StatusSeeOther || asked() != 0 || codes() != 3 {
			t.Errorf("an old code: %d, %d codes", p.status, codes())
		}
		_, figures = s.newest()
		b.replica = 1 - b.replica
		p = send(form("passcode", figures[:3]+" "+figures[3:]))
		if p.status != http.StatusSeeOther || asked() != 1 {
			t.Fatalf("the right code: %d, %d requests\n%s", p.status, asked(), p.body)
		}
		if again := send(form("passcode", figures[:3]+" "+figures[3:])); again.status != http.StatusSeeOther || again.to() != p.to() || asked() != 1 {
			t.Errorf("sent twice: %d %s, first %s", again.status, again.to(), p.to())
		}
		if s.count("SELECT COUNT(*) FROM passcode WHERE used_at IS NOT NULL") != 1 {
			t.Error("the code is not used up")
		}
		if p := b.ask(http.MethodPost, "/o/ALPHA/verification/everybody", nil, false); p.status == http.StatusSeeOther || s.count("SELECT COUNT(*) FROM passcode_choice WHERE asked") != 1 {
			t.Errorf("switched off without a code: %d", p.status)
		}
	})
}

// TestCodeLimits: a person is sent fifteen codes an hour and sixty a day, and nothing at all where no way leads to it.
func TestCodeLimits(t *testing.T) {
	eachGrowing(t, func(g *growing) {
		sc := g.as("P-admin")
		send := func(n int) error {
			_, err := g.a.Passcodes.Send(g.ctx, sc, passcode.OpWithdraw, passcode.ContentOf("x", string(rune(n))), false)
			return err
		}
		g.refused("without a way", send(0), "passcode.no_channel")
		g.a.post.ways[passcode.ChannelMail], g.a.post.ways[passcode.ChannelText] = true, true
		p, err := g.a.Accounts.PersonByLogin(g.ctx, "P-admin")
		if err != nil {
			t.Fatal(err)
		}
		if p.Email == "" {
			if _, err := g.a.DB.Writer().ExecContext(g.ctx, "UPDATE person SET email = 'p@example.com' WHERE id = $1", p.ID); err != nil {
				t.Fatal(err)
			}
		}
		sent := 0
		for hour := range 24 {
			for i := range 20 {
				err := send(hour*100 + i)
				if err == nil {
					sent++
				} else {
					g.refused("too many", err, "passcode.limit")
				}
				g.later(2 * time.Minute)
			}
			if hour == 0 && sent != passcode.MaxHour {
				t.Errorf("%d in an hour", sent)
			}
			g.later(20*time.Minute + time.Second)
		}
		if sent != passcode.MaxDay {
			t.Errorf("%d in a day", sent)
		}
		n, err := g.a.Passcodes.Needed(g.ctx, scope.System("operator"), passcode.OpWithdraw)
		if err != nil || n {
			t.Error("the operator is asked", err)
		}
	})
}

// TestDevOutbox: only a portal in development shows what it would have sent, and only to somebody signed in.
func TestDevOutbox(t *testing.T) {
	eachStage(t, func(t *testing.T, s *stage) {
		b := s.browser()
		if p := b.get("/dev/outbox"); p.status != http.StatusSeeOther {
			t.Errorf("nobody: %d", p.status)
		}
		b.signsIn("alpha", "/")
		if p := b.get("/dev/outbox"); p.status != http.StatusNotFound {
			t.Errorf("outside development: %d", p.status)
		}
		s.a.Settings.Dev = true
		if err := s.a.wirePost(false); err != nil {
			t.Fatal(err)
		}
		if err := s.a.post.box.Text(s.ctx(), outbox.Letter{To: "13800000000", Text: "<b>482913</b>"}); err != nil {
			t.Fatal(err)
		}
		h, err := s.a.Handler()
		if err != nil {
			t.Fatal(err)
		}
		s.srv[0].Config.Handler = h
		b.replica = 0
		if p := b.get("/dev/outbox"); p.status != http.StatusOK || !strings.Contains(p.body, "&lt;b&gt;482913") {
			t.Errorf("in development: %d\n%s", p.status, p.body)
		}
	})
}
