package app

import (
	"context"
	"strings"
	"testing"
	"time"

	"huoban/internal/account"
	"huoban/internal/calendar"
	"huoban/internal/clock"
	"huoban/internal/company"
	"huoban/internal/message"
	"huoban/internal/organisation"
	"huoban/internal/outbox"
	"huoban/internal/scope"
)

func beijing(text string) time.Time {
	t, err := time.ParseInLocation("2006-01-02 15:04", text, calendar.Zone)
	if err != nil {
		panic(err)
	}
	return t
}

// Staff are told once each working day, at nine, of what is late or due and theirs to decide: on a make-up Saturday,
// not on a holiday, and not those who may not decide it.
func TestDeskReminds(t *testing.T) {
	ctx, now := context.Background(), clock.At(beijing("2026-05-05 10:00"))
	a, err := Open(ctx, Settings{Addr: "127.0.0.1:0", Data: t.TempDir()}, Options{Clock: now})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = a.Close() })
	sc := scope.System("operator")
	for _, o := range []organisation.AddInput{{Code: "NOVA", Kind: organisation.KindVendor, Name: "Nova Cloud"}, {Code: "MUSHI", Kind: organisation.KindSolution, Name: "Mushi", ParentCode: "NOVA"}} {
		if _, err := a.Organisations.Add(ctx, sc, o); err != nil {
			t.Fatal(err)
		}
	}
	scopes := map[string]scope.Scope{}
	for login, at := range map[string][2]string{"ops": {"NOVA", account.RoleOperations}, "money": {"NOVA", account.RoleFinance}, "partner": {"MUSHI", account.RoleAdmin}} {
		if _, err := a.Accounts.AddPerson(ctx, sc, account.AddPersonInput{OrgCode: at[0], Login: login, Roles: []string{at[1]}, Password: "Reminder-test-2026", KeepPassword: true}); err != nil {
			t.Fatal(err)
		}
		p, err := a.Accounts.PersonByLogin(ctx, login)
		if err != nil {
			t.Fatal(err)
		}
		if scopes[login], err = a.Accounts.ScopeOf(ctx, p, p.OrgID); err != nil {
			t.Fatal(err)
		}
	}
	mushi, err := a.Organisations.ByCode(ctx, sc, "MUSHI")
	if err != nil {
		t.Fatal(err)
	}
	if _, err := a.Company.Propose(ctx, scopes["partner"], mushi, company.Reviewed{Name: "木石数字"}, []byte("%PDF-1.4\n%%EOF\n")); err != nil {
		t.Fatal(err)
	}
	told := func(login string) (out []message.Message) {
		t.Helper()
		page, err := a.Messages.List(ctx, scopes[login], message.Filter{}, message.Cursor{}, 50)
		if err != nil {
			t.Fatal(err)
		}
		for _, m := range page.Messages {
			if m.Notice.Code == "desk_due" {
				out = append(out, m)
			}
		}
		return out
	}
	// Submitted on the holiday of 5 May, due after three working days: 6, 7 and 8 May.
	for _, x := range []struct {
		at   string
		want int
		why  string
	}{{"2026-05-07 10:00", 0, "due tomorrow"}, {"2026-05-08 08:59", 0, "before nine"}, {"2026-05-08 09:00", 1, "due today"}, {"2026-05-08 17:00", 1, "told today"},
		{"2026-05-09 09:10", 2, "late, on a make-up Saturday"}, {"2026-05-10 09:10", 2, "a Sunday"}, {"2026-05-11 12:00", 3, "late on Monday"}} {
		now.Set(beijing(x.at))
		for range 2 {
			if err := a.remindDesk(ctx); err != nil {
				t.Fatal(err)
			}
		}
		if n := len(told("ops")); n != x.want {
			t.Fatalf("%s (%s): told %d times, want %d", x.at, x.why, n, x.want)
		}
	}
	if n := len(told("money")); n != 0 {
		t.Errorf("finance is told %d times of what operations decides", n)
	}
	if args := told("ops")[0].Notice.Args; args["Late"] == nil || args["Today"] == nil {
		t.Errorf("%+v", args)
	}
	w := mailWriter{base: "https://p.example"}
	for lang, want := range map[string]string{"zh-CN": "已超时 2 项", "en": "2 overdue"} {
		subject, text, err := w.Write(ctx, outbox.Mail{Lang: lang, Code: "desk_due", Args: map[string]any{"Late": 2, "Today": 1, "Organisation": "Nova", "Day": "2026-05-11"}, Link: "/o/NOVA/ops"})
		if err != nil || !strings.Contains(subject+text, want) || !strings.Contains(text, "https://p.example/o/NOVA/ops") {
			t.Errorf("%s: %q %q %v", lang, subject, text, err)
		}
	}
}
