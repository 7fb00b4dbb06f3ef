package app

import (
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"huoban/internal/account"
	"huoban/internal/scope"
	"huoban/internal/subscription"
)

// TestSubscriptionElsewhere: where customers' figures go is changed by who signed in lately or showed again who it is;
// what stays at its place is not asked for.
func TestSubscriptionElsewhere(t *testing.T) {
	eachStage(t, func(t *testing.T, s *stage) {
		_, err := s.a.Accounts.AddPerson(s.ctx(), scope.System("operator"), account.AddPersonInput{OrgCode: "P001", Login: "chief", Name: "李四", Email: "chief@example.com",
			Phone: "0086-13800000001", Roles: []string{account.RoleAdmin}, Password: stagePass, KeepPassword: true})
		if err != nil {
			t.Fatal(err)
		}
		b := s.browser()
		if p := b.ask(http.MethodPost, "/login", url.Values{"username": {"chief"}, "password": {stagePass}}, false); p.status != http.StatusSeeOther {
			t.Fatalf("signs in: %d", p.status)
		}
		form := url.Values{"name": {"files"}, "kind": {"bucket"}, "address": {"https://obs.example.com"}, "bucket": {"files"}, "access": {"ACCESS"}, "secret": {"0123456789abcdef"},
			"style": {"virtual"}, "content": {"lines"}, "format": {"csv.gz"}, "cycle": {string(subscription.FirstCycles(s.now.Now())[0])}}
		key := 0
		send := func(path string, change ...string) page {
			f := url.Values{}
			for k, v := range form {
				f[k] = v
			}
			for i := 0; i+1 < len(change); i += 2 {
				f.Set(change[i], change[i+1])
			}
			key++
			f.Set("idempotency_key", strings.Repeat("k", 20)+string(rune('a'+key)))
			return b.ask(http.MethodPost, path, f, false)
		}
		p := send("/o/P001/subscriptions")
		at, _, saved := strings.Cut(p.to(), "?done=subscription_saved")
		if p.status != http.StatusSeeOther || !saved {
			t.Fatalf("lately: %d %s", p.status, p.to())
		}
		s.now.Set(s.now.Now().Add(20 * time.Minute))
		settings, asked := at+"/settings", "/account/confirmation?next="
		stands := func() (n int) { return s.count("SELECT COUNT(*) FROM subscription WHERE name = 'renamed'") }
		for _, c := range [][]string{{"address", "https://s3.example.net"}, {"bucket", "others"}, {"access", "OTHER"}, {"secret", "fedcba9876543210"}, {"kind", "webhook", "address", "https://hook.example.com"}} {
			if p := send(settings, append(c, "name", "renamed")...); p.to() != asked+url.QueryEscape(settings) || stands() != 0 {
				t.Errorf("%q: %d %s", c, p.status, p.to())
			}
		}
		if p := send("/o/P001/subscriptions", "name", "renamed"); p.to() != asked+url.QueryEscape("/o/P001/subscriptions/new") || stands() != 0 {
			t.Errorf("a new one: %d %s", p.status, p.to())
		}
		if p := send(settings, "secret", "", "format", "csv"); !strings.Contains(p.to(), "done=subscription_saved") {
			t.Errorf("another format: %d %s", p.status, p.to())
		}
		if p := b.ask(http.MethodPost, "/account/confirmation", url.Values{"next": {settings}, "password": {stagePass}}, false); p.to() != settings {
			t.Fatalf("the password: %d %s", p.status, p.to())
		}
		if p := send(settings, "bucket", "others", "name", "renamed"); !strings.Contains(p.to(), "done=subscription_saved") || stands() != 1 {
			t.Errorf("confirmed: %d %s", p.status, p.to())
		}
	})
}
