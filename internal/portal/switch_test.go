package portal_test

import (
	"context"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/PuerkitoBio/goquery"

	"huoban/internal/account"
	"huoban/internal/audit"
	"huoban/internal/notice"
)

// TestSwitchingRole: somebody with roles at two organisations moves between them in the account menu;
// the choice is kept for the session, and an organisation without a role is absent.
func TestSwitchingRole(t *testing.T) {
	w := newWorld(t)
	ctx := context.Background()
	w.must(w.app.Accounts.SetRoles(ctx, operator, "partner", "OTHER", []string{account.RoleAuditor}))
	v := w.visitor("partner")
	home := v.page("/o/MUSHI")
	var offered []string
	home.Find("#account form[action='/preferences/role'] button").Each(func(_ int, s *selection) {
		offered = append(offered, s.AttrOr("value", "")+" "+s.AttrOr("aria-pressed", "")+" "+strings.TrimSpace(s.Find("small").Text()))
	})
	if got := strings.Join(offered, ", "); got != "MUSHI true 系统管理员, OTHER false 审计" {
		t.Errorf("the menu offers %s", got)
	}
	if r := v.get("/"); r.location != "/o/MUSHI" {
		t.Errorf("before the switch / leads to %s", r.location)
	}
	for range 2 {
		if r := v.post("/preferences/role", "organisation", "OTHER"); r.status != http.StatusSeeOther || r.location != "/o/OTHER" {
			t.Fatalf("switching: %d to %s", r.status, r.location)
		}
	}
	if r := v.get("/"); r.location != "/o/OTHER" {
		t.Errorf("after the switch / leads to %s", r.location)
	}
	if who := v.page("/o/OTHER").Find(".hb-who .who").Text(); !strings.Contains(who, "审计") {
		t.Errorf("the person acts as %q", who)
	}
	for _, code := range []string{"NOVA", "NOBODY", ""} {
		if r := v.post("/preferences/role", "organisation", code); r.status != http.StatusNotFound {
			t.Errorf("switching to %q: %d", code, r.status)
		}
	}
	w.must(w.app.Accounts.SetRoles(ctx, operator, "partner", "OTHER", nil))
	if r := v.get("/"); r.location != "/o/MUSHI" {
		t.Errorf("when the role is taken away / leads to %s", r.location)
	}
	if home := w.visitor("auditor").page("/o/NOVA"); home.Find("#account form[action='/preferences/role']").Length() != 0 {
		t.Error("a person of one organisation is offered a switch")
	}
	if n := w.audited("session.switch_role"); n != 1 {
		t.Errorf("%d audit rows of switching", n)
	}
}

func (v *visitor) page(path string) *selection {
	v.w.t.Helper()
	r := v.get(path)
	if r.status != http.StatusOK {
		v.w.t.Fatalf("%s: %d", path, r.status)
	}
	doc, err := goquery.NewDocumentFromReader(strings.NewReader(r.body))
	v.w.must(err)
	return doc.Selection
}

func (w *world) audited(action string) int {
	w.t.Helper()
	p, err := audit.NewBook(w.app.DB, w.app.AuditStore, w.app.Audit).List(context.Background(), operator, audit.Filter{Action: action}, 0, 100)
	w.must(err)
	return len(p.Rows)
}

// TestSiteBar: a notice stands over the pages of those it is for, in their language, until it is
// dismissed by one, cleared for all, or over.
func TestSiteBar(t *testing.T) {
	w := newWorld(t)
	ctx := context.Background()
	nova, err := w.app.Organisations.ByCode(ctx, operator, "NOVA")
	w.must(err)
	in := notice.In{VendorID: nova.ID, Level: notice.LevelWarning, TextZH: "今晚 22:00 维护 <b>", TextEN: "Maintenance tonight", EndsAt: w.clock.Now().Add(time.Hour)}
	n, added, err := w.app.Notices.Set(ctx, operator, in)
	w.must(err)
	if again, repeated, err := w.app.Notices.Set(ctx, operator, in); err != nil || repeated || again.ID != n.ID || !added {
		t.Errorf("the same notice again: %v %v", repeated, err)
	}
	bars := func(login, org, lang string) string {
		v := w.visitor(login)
		v.lang = lang
		return strings.TrimSpace(v.page("/o/" + org).Find(".hb-bar > span").Text())
	}
	for _, x := range []struct{ login, org, lang, want string }{
		{"boss", "NOVA", "zh-CN", "今晚 22:00 维护 <b>"}, {"partner", "MUSHI", "en", "Maintenance tonight"}, {"stranger", "OTHER", "en", ""},
	} {
		if got := bars(x.login, x.org, x.lang); got != x.want {
			t.Errorf("%s sees %q, want %q", x.login, got, x.want)
		}
	}
	address := "/notices/" + n.ID + "/dismissal"
	if r := w.visitor("stranger").post("/o/OTHER"+address, "next", "/o/OTHER"); r.status != http.StatusNotFound {
		t.Errorf("a stranger dismisses: %d", r.status)
	}
	for range 2 {
		if r := w.visitor("partner").post("/o/MUSHI"+address, "next", "/o/MUSHI/bills?cycle=2026-01"); r.status != http.StatusSeeOther || r.location != "/o/MUSHI/bills?cycle=2026-01" {
			t.Errorf("dismissing: %d to %s", r.status, r.location)
		}
	}
	if got := bars("partner", "MUSHI", "en"); got != "" {
		t.Errorf("dismissed, it still says %q", got)
	}
	if got := bars("auditor", "NOVA", "en"); got != "Maintenance tonight" {
		t.Errorf("dismissed by one, others see %q", got)
	}
	w.clock.Set(w.clock.Now().Add(time.Hour))
	if got := bars("auditor", "NOVA", "en"); got != "" {
		t.Errorf("after its end it says %q", got)
	}
	everybody, _, err := w.app.Notices.Set(ctx, operator, notice.In{Level: notice.LevelInfo, TextZH: "公告", TextEN: "For all"})
	w.must(err)
	if got := bars("stranger", "OTHER", "en"); got != "For all" {
		t.Errorf("a notice for everybody says %q", got)
	}
	w.must(w.app.Notices.Clear(ctx, operator, everybody.ID))
	w.must(w.app.Notices.Clear(ctx, operator, everybody.ID))
	if got := bars("stranger", "OTHER", "en"); got != "" {
		t.Errorf("cleared, it says %q", got)
	}
	for action, want := range map[string]int{"notice.set": 2, "notice.dismiss": 1, "notice.clear": 1} {
		if n := w.audited(action); n != want {
			t.Errorf("%d audit rows of %s, want %d", n, action, want)
		}
	}
}
