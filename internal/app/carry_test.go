package app

import (
	"context"
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"huoban/internal/account"
	"huoban/internal/clock"
	"huoban/internal/fault"
	"huoban/internal/message"
	"huoban/internal/organisation"
	"huoban/internal/scope"
	"huoban/internal/store/jobstore"
)

// phones is a gateway of text messages that keeps what it is given.
type phones struct {
	mu    sync.Mutex
	texts []string
}

func (p *phones) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	var m struct{ To, Text string }
	body, _ := io.ReadAll(r.Body)
	if json.Unmarshal(body, &m) == nil {
		p.mu.Lock()
		p.texts = append(p.texts, m.To+" "+m.Text)
		p.mu.Unlock()
	}
}

// A notice reaches a person on the channels the person wants its category on, in the person's language, once; what has a
// letter of its own is not mailed twice, and text messages are sent to who asked for them.
func TestNoticesAreCarried(t *testing.T) {
	mails, sms := newSink(t), &phones{}
	gateway := httptest.NewServer(sms)
	t.Cleanup(gateway.Close)
	now := clock.At(time.Date(2026, 2, 5, 4, 0, 0, 0, time.UTC))
	a, err := Open(t.Context(), Settings{Addr: "127.0.0.1:8080", Data: t.TempDir(), SMTP: "smtp://" + mails.addr, MailFrom: "portal@huoban.example", SMS: gateway.URL}, Options{Clock: now})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { a.Close() })
	ctx, op := t.Context(), scope.System("operator")
	if _, err := a.Organisations.Add(ctx, op, organisation.AddInput{Code: "NOVA", Kind: organisation.KindVendor, Name: "Nova Cloud"}); err != nil {
		t.Fatal(err)
	}
	if _, err := a.Accounts.AddPerson(ctx, op, account.AddPersonInput{OrgCode: "NOVA", Login: "lin", Email: "lin@nova.example", Phone: "13800138000", Roles: []string{account.RoleFinance}, Password: "Reminder-test-2026", KeepPassword: true}); err != nil {
		t.Fatal(err)
	}
	p, err := a.Accounts.PersonByLogin(ctx, "lin")
	if err != nil {
		t.Fatal(err)
	}
	sc, err := a.Accounts.ScopeOf(ctx, p, p.OrgID)
	if err != nil {
		t.Fatal(err)
	}
	tell := func(code string, category message.Category) {
		t.Helper()
		err := a.DB.InTx(ctx, func(ctx context.Context) error {
			return a.Messages.Notify(ctx, message.Notice{OrgID: p.OrgID, PersonID: p.ID, Category: category, Code: code, Args: fault.Args{"Amount": "10.00", "Currency": "CNY", "Reason": "户名不符", "Cycle": "2026-01", "Vendor": "Nova"}, Link: "/o/NOVA/remittance-claims"})
		})
		if err != nil {
			t.Fatal(err)
		}
		if err := a.Worker.Drain(ctx); err != nil {
			t.Fatal(err)
		}
	}
	set := func(s message.Settings) {
		t.Helper()
		if err := a.Messages.SetSettings(ctx, sc, s); err != nil {
			t.Fatal(err)
		}
	}
	want := func(what string, letters, texts int) {
		t.Helper()
		sms.mu.Lock()
		defer sms.mu.Unlock()
		if got := len(mails.got()); got != letters || len(sms.texts) != texts {
			t.Errorf("%s: %d letters and %d texts, want %d and %d", what, got, len(sms.texts), letters, texts)
		}
	}
	tell("claim_refused", message.CategoryBill)
	want("at first by mail", 1, 0)
	tell("claim_refused", message.CategoryBill)
	want("within half a minute", 1, 0)
	now.Set(now.Now().Add(time.Minute))
	tell("bill_issued", message.CategoryBill)
	want("a letter of its own is written by who tells it", 1, 0)

	set(message.Settings{Language: "en", Texts: []message.Category{message.CategoryBill}, Off: []message.Way{{Category: message.CategoryBill, Channel: message.ChannelMail}}})
	tell("claim_refused", message.CategoryBill)
	want("texts instead of letters", 1, 1)
	set(message.Settings{Language: "en", Texts: []message.Category{message.CategoryOrder}, Off: []message.Way{{Category: message.CategoryOrder, Channel: message.ChannelBell}}})
	now.Set(now.Now().Add(time.Minute))
	tell("claim_refused", message.CategoryOrder)
	tell("claim_refused", message.CategoryOrder)
	want("both without the bell, once", 2, 2)
	if n, err := a.Messages.Count(ctx, sc, message.Filter{Category: message.CategoryOrder}); err != nil || n != 0 {
		t.Errorf("%d in the bell, %v", n, err)
	}
	if text := sms.texts[0]; !strings.HasPrefix(text, "13800138000 ") || !strings.Contains(text, "户名不符") || strings.Contains(text, "message.notice") || strings.Contains(text, "http") {
		t.Error(text)
	}
	if letter := mails.got()[0]; !strings.Contains(letter, "lin@nova.example") || !strings.Contains(letter, "/o/NOVA/remittance-claims") {
		t.Error(letter)
	}
}

// Without a server and a gateway nothing is queued.
func TestNoticesStayInTheBell(t *testing.T) {
	a, _ := mailApp(t, "")
	if a.Messages.Carrier != nil {
		t.Error("notices are carried without a server")
	}
	if n, err := jobstore.New(a.DB).Count(t.Context()); err != nil || len(n) != 0 {
		t.Error(n, err)
	}
}
