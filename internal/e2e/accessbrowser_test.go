package e2e

import (
	"crypto/rsa"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/chromedp/chromedp"

	"huoban/internal/account"
	"huoban/internal/scope"
	"huoban/internal/sso"
	"huoban/internal/sso/samltest"
)

// TestPlatformInBrowser: from the front page a partner's administrator registers its platform from a metadata file,
// tests it through the real flow and enables it, in six clicks and one upload; then a customer can come.
func TestPlatformInBrowser(t *testing.T) {
	browser := chromium(t)
	w, _, base := jumpWorld(t)
	made := 0
	w.app.Platforms.NewKey = func() (*rsa.PrivateKey, error) { made++; return samltest.Key(fmt.Sprint("ours", made)), nil }
	s, shop := newShop(t, w, "second")
	s.auto = true
	file := filepath.Join(t.TempDir(), "idp.xml")
	if err := os.WriteFile(file, s.idp.Metadata(), 0o600); err != nil {
		t.Fatal(err)
	}
	op := scope.System("operator")
	if _, err := w.app.Accounts.AddPerson(w.asTest(), op, account.AddPersonInput{OrgCode: "P1", Login: "zhao", Name: "赵敏", Password: "Huoban-test-2026", Roles: []string{account.RoleAdmin}, KeepPassword: true}); err != nil {
		t.Fatal(err)
	}
	b := newTab(t, browser, base, desk)
	b.open("/login")
	b.login("/login", "zhao")
	b.until("the front page", "location.pathname === '/o/P1' && document.readyState === 'complete'")

	clicks := 0
	click := func(selector, what, then string) {
		b.t.Helper()
		clicks++
		if !b.truth(fmt.Sprintf("(e => e && e.checkVisibility())(document.querySelector(%q))", selector)) {
			b.shot("not-there")
			t.Fatalf("click %d: no %s at %s", clicks, selector, b.where())
		}
		b.click(selector)
		b.until(what, then+" && document.readyState === 'complete' && !document.querySelector('.htmx-request, .htmx-settling')")
	}
	click(`a[href$="/support/capability/access-config"]`, "接入配置", "document.querySelector('input[type=file]')")
	b.run(chromedp.SetUploadFiles(chromedp.CSS("input[type=file]"), []string{file}))
	click("form:has(input[type=file]) button", "the registration", "document.querySelector('form[action$=\"/tests\"] button')")
	id := b.where()[strings.LastIndex(b.where(), "/")+1:]
	id, _, _ = strings.Cut(id, "?")
	var ok bool
	var err error
	if s.reg, ok, err = w.app.Platforms.Registration(w.asTest(), id); err != nil || !ok {
		t.Fatal(id, ok, err)
	}
	click(`form[action$="/tests"] button`, "the result of the test", "location.pathname.includes('/tests/')")
	if text := b.text("main"); !strings.Contains(text, shopper) || !strings.Contains(text, "星河科技") {
		t.Errorf("the result of the test: %s", text)
	}
	b.clean("the result of the test")
	click(`a.btn[href$="/`+id+`"]`, "the registration again", "document.querySelector('form[action$=\"/activate\"]')")
	click(`div:has(> dialog form[action$="/activate"]) > button`, "the question", "document.querySelector('dialog[open]')")
	click(`dialog[open] form[action$="/activate"] button[type=submit]`, "enabled", "document.querySelector('form[action$=\"/disable\"]')")
	if clicks > 6 {
		t.Errorf("%d clicks", clicks)
	}
	b.clean("a platform that is enabled")
	if s.reg, _, err = w.app.Platforms.Registration(w.asTest(), id); err != nil || s.reg.State != sso.StateActive {
		t.Fatal(s.reg.State, err)
	}
	b.base = shop.URL
	b.open("/")
	b.click("#jump")
	b.until("arrival", "location.origin === '"+base+"' && document.querySelector('button[value=create]')")
}
