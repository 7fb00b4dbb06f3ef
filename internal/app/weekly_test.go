package app

import (
	"context"
	"encoding/base64"
	"io"
	"mime/quotedprintable"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
	"time"

	"huoban/internal/account"
	"huoban/internal/audit"
	"huoban/internal/clock"
	"huoban/internal/message"
	"huoban/internal/scope"
	"huoban/internal/store/storetest"
)

func TestMailMonday(t *testing.T) {
	for now, want := range map[string]string{
		"2026-11-23T08:59:59+08:00": "2026-11-16", // a Monday, before nine
		"2026-11-23T09:00:00+08:00": "2026-11-23",
		"2026-11-23T01:00:00Z":      "2026-11-23", // the same moment
		"2026-11-22T23:59:59+08:00": "2026-11-16", // the Sunday before
		"2026-11-22T17:00:00Z":      "2026-11-16", // Monday in Beijing, before nine
		"2026-11-29T12:00:00+08:00": "2026-11-23",
		"2027-01-01T12:00:00+08:00": "2026-12-28",
	} {
		at, err := time.Parse(time.RFC3339, now)
		if err != nil {
			t.Fatal(err)
		}
		got := mailMonday(at)
		if got.Format(time.DateOnly) != want || got.Weekday() != time.Monday || got.After(at) {
			t.Errorf("%s: %s, want %s", now, got, want)
		}
	}
}

// plainLetter is the text of a letter as it was sent.
func plainLetter(t *testing.T, raw string) string {
	t.Helper()
	head, body, _ := strings.Cut(strings.ReplaceAll(raw, "\r\n", "\n"), "\n\n")
	if strings.Contains(strings.ToLower(head), "base64") {
		text, err := base64.StdEncoding.DecodeString(strings.ReplaceAll(body, "\n", ""))
		if err != nil {
			t.Fatal(err)
		}
		return string(text)
	}
	text, err := io.ReadAll(quotedprintable.NewReader(strings.NewReader(body)))
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

// TestWeeklyView: a view is mailed on Mondays at nine and once a week, with what its person may see then; who may
// not any more is written no more; the letter's link ends it.
func TestWeeklyView(t *testing.T) {
	t.Run("sqlite", func(t *testing.T) { testWeeklyView(t, "") })
	t.Run("postgres", func(t *testing.T) { testWeeklyView(t, storetest.PostgresURL(t)) })
}

func testWeeklyView(t *testing.T, database string) {
	s := newSink(t)
	c := clock.At(time.Date(2025, 11, 19, 4, 0, 0, 0, time.UTC)) // a Wednesday
	a, err := Open(t.Context(), Settings{Addr: "127.0.0.1:8080", BaseURL: "http://portal.example", Data: t.TempDir(), DB: database, SMTP: "smtp://" + s.addr, MailFrom: "Huoban <portal@huoban.example>"}, Options{Clock: c})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { a.Close() })
	ctx := audit.WithRequest(t.Context(), audit.Request{SystemUser: "test"})
	if _, err := a.Demo(ctx); err != nil {
		t.Fatal(err)
	}
	must := func(err error) {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
	}
	op := scope.System("operator")
	view := func(login, email, lang, token string) account.Person {
		added, err := a.Accounts.AddPerson(ctx, op, account.AddPersonInput{OrgCode: "YUNXIU", Login: login, Email: email, Roles: []string{account.RoleFinance}, Password: demoPassword, KeepPassword: true})
		must(err)
		const path = "/dashboards/expenditure"
		must(a.DB.InTx(ctx, func(ctx context.Context) error {
			if err := a.views.SetView(ctx, added.Person.ID, added.Person.OrgID, path, "九月", "by=customer&from=2024-09&to=2024-09"); err != nil {
				return err
			}
			return a.views.SetMail(ctx, added.Person.ID, added.Person.OrgID, path, "九月", token, lang)
		}))
		return added.Person
	}
	zh := view("weekly-zh", "zh@mushi.example", "zh-CN", "token-zh")
	view("weekly-en", "en@mushi.example", "en", "token-en")
	at := func(text string) []string {
		t.Helper()
		now, err := time.Parse(time.RFC3339, text)
		must(err)
		c.Set(now)
		before := len(s.got())
		for range 2 { // two replicas
			must(a.dueViews(ctx))
		}
		must(a.Worker.Drain(ctx))
		return s.got()[before:]
	}
	if got := at("2025-11-19T13:00:00+08:00"); len(got) != 0 {
		t.Errorf("%d letters in the week of asking", len(got))
	}
	if got := at("2025-11-24T08:59:00+08:00"); len(got) != 0 {
		t.Errorf("%d letters before nine", len(got))
	}
	letters := at("2025-11-24T09:00:00+08:00")
	if len(letters) != 2 {
		t.Fatalf("%d letters", len(letters))
	}
	texts := map[string]string{}
	for _, raw := range letters {
		for _, to := range []string{"zh@mushi.example", "en@mushi.example"} {
			if strings.Contains(raw, to) {
				texts[to] = plainLetter(t, raw)
			}
		}
	}
	lettersRead(t, texts)
	finance := scope.Partner(zh.OrgID, zh.ID, zh.Login, []scope.Item{scope.ItemExpenditureView, scope.ItemExpenditureCustomers}, nil)
	if n, err := a.Messages.Count(ctx, finance, message.Filter{}); err != nil || n != 1 {
		t.Errorf("%d messages at the bell, %v", n, err)
	}
	if got := at("2025-11-27T10:00:00+08:00"); len(got) != 0 {
		t.Errorf("%d letters more in the same week", len(got))
	}
	// A week later one may not look at expenditure any more, and the other has ended it from the letter.
	must(a.Accounts.Disable(ctx, op, "weekly-zh"))
	lettersEnded(t, a)
	if got := at("2025-12-01T09:00:00+08:00"); len(got) != 0 {
		t.Errorf("%d letters to who may not read or wants none:\n%s", len(got), plainLetter(t, got[0]))
	}
	for _, token := range []string{"token-zh", "token-en"} {
		if _, found, err := a.views.MailOf(ctx, token); err != nil || found {
			t.Errorf("%s is still there: %v", token, err)
		}
	}
}

// lettersRead holds the letters to what they say, in the language asked for, with names masked.
func lettersRead(t *testing.T, texts map[string]string) {
	t.Helper()
	for to, words := range map[string][]string{
		"zh@mushi.example": {"云岫数科 · 消费看板", "2024-09 至 2024-09", "合计 ", "校验码", "退订：http://portal.example/unsubscribe/token-zh", "http://portal.example/o/YUNXIU/dashboards/expenditure?by=customer"},
		"en@mushi.example": {"Expenditure dashboard", "2024-09 to 2024-09", "Total ", "End these letters: http://portal.example/unsubscribe/token-en"},
	} {
		for _, w := range words {
			if !strings.Contains(texts[to], w) {
				t.Errorf("%s does not read %q:\n%s", to, w, texts[to])
			}
		}
		if !strings.Contains(texts[to], "***") {
			t.Errorf("%s reads names in clear:\n%s", to, texts[to])
		}
	}
}

// lettersEnded ends one from its letter: looking at the page does nothing, and saying so twice, or without one, is the same.
func lettersEnded(t *testing.T, a *App) {
	t.Helper()
	handler, err := a.Handler()
	if err != nil {
		t.Fatal(err)
	}
	stop := func(method, token string) (int, string) {
		r := httptest.NewRequest(method, "http://portal.example/unsubscribe/"+token, strings.NewReader(url.Values{}.Encode()))
		r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
		r.Header.Set("Accept-Language", "en")
		w := httptest.NewRecorder()
		handler.ServeHTTP(w, r)
		return w.Code, w.Body.String()
	}
	if code, body := stop(http.MethodGet, "token-en"); code != http.StatusOK || !strings.Contains(body, "End the weekly letter") {
		t.Errorf("%d %s", code, body)
	}
	if _, found, err := a.views.MailOf(t.Context(), "token-en"); err != nil || !found {
		t.Error("looking at the page ended the letters")
	}
	for _, token := range []string{"token-en", "token-en", "no-such-token"} {
		if code, body := stop(http.MethodPost, token); code != http.StatusOK || !strings.Contains(body, "sent no more") {
			t.Errorf("%s: %d %s", token, code, body)
		}
	}
}
