package portal_test

import (
	"net/http"
	"net/url"
	"slices"
	"strings"
	"testing"

	"huoban/internal/account"
	"huoban/internal/scope"
)

// An administrator invites somebody, the person chooses a password by the link, and what is taken away is gone at
// the next click.
func TestMembers(t *testing.T) {
	w := newWorld(t)
	boss := w.visitor("partner")
	preview := boss.post("/o/MUSHI/members", "login", "li.na", "name", "李娜", "email", "li.na@mushi.example", "role", "manager", "role", "finance", "preview", "yes")
	if preview.status != http.StatusOK || !strings.Contains(preview.body, "可见范围将扩大到全部客户") || !strings.Contains(preview.body, "伙伴账单") {
		t.Fatalf("preview: %d", preview.status)
	}
	if _, err := w.app.Accounts.PersonByLogin(t.Context(), "li.na"); err == nil {
		t.Fatal("a preview made somebody")
	}
	r := boss.post("/o/MUSHI/members", "login", "li.na", "name", "李娜", "email", "li.na@mushi.example", "role", "manager")
	at, _, _ := strings.Cut(r.location, "?")
	if r.status != http.StatusSeeOther || !strings.HasPrefix(at, "/o/MUSHI/members/") {
		t.Fatalf("%d %s", r.status, r.location)
	}
	page := boss.get(at)
	if strings.Contains(page.body, "李娜") || strings.Contains(page.body, "li.na@") || strings.Contains(page.body, "/welcome/") {
		t.Error("personal data or the link stand on the page without being asked for")
	}
	if shown := boss.post(at + "/names"); !strings.Contains(shown.body, "li.na@mushi.example") {
		t.Error("the eye does not show the address")
	}
	shown := boss.post(at + "/link").body
	_, rest, _ := strings.Cut(shown, "http://localhost:8080")
	link, _, _ := strings.Cut(rest, "<")
	if !strings.HasPrefix(link, "/welcome/") {
		t.Fatalf("no link in %q", link)
	}
	guest := w.nobody()
	if r := guest.get(link); r.status != http.StatusOK || !strings.Contains(r.body, "li.na") {
		t.Fatalf("welcome: %d", r.status)
	}
	if r := guest.post(link, "password", "river-stone-41", "repeat", "river-stone-42"); r.status != http.StatusUnprocessableEntity {
		t.Errorf("two passwords: %d", r.status)
	}
	if r := guest.post(link, "password", "river-stone-41", "repeat", "river-stone-41"); r.status != http.StatusSeeOther {
		t.Fatalf("welcome: %d %s", r.status, r.body)
	}
	if r := guest.get(link); r.status != http.StatusForbidden {
		t.Errorf("the link again: %d", r.status)
	}
	if r := guest.post("/login", "username", "li.na", "password", "river-stone-41"); r.status != http.StatusSeeOther {
		t.Fatalf("sign in: %d", r.status)
	}
	if r := guest.get("/o/MUSHI/bills"); r.status != http.StatusForbidden {
		t.Errorf("a manager and bills: %d", r.status)
	}
	if r := boss.post(at+"/roles", "role", "finance"); r.status != http.StatusSeeOther {
		t.Fatalf("roles: %d %s", r.status, r.body)
	}
	if r := guest.get("/o/MUSHI/bills"); r.status != http.StatusOK {
		t.Errorf("the new role at the next click: %d", r.status)
	}
	if r := boss.post(at + "/disabling"); r.status != http.StatusSeeOther {
		t.Fatalf("disable: %d", r.status)
	}
	if r := guest.get("/o/MUSHI"); r.status != http.StatusSeeOther || !strings.HasPrefix(r.location, "/login") {
		t.Errorf("a disabled person's session: %d %s", r.status, r.location)
	}
}

// What cannot be done says why, on the button and to who presses anyway.
func TestMembersRefused(t *testing.T) {
	w := newWorld(t)
	boss := w.visitor("partner")
	me, err := w.app.Accounts.PersonByLogin(t.Context(), "partner")
	w.must(err)
	at := "/o/MUSHI/members/" + me.ID
	page := boss.get(at).body
	for _, want := range []string{"不能停用自己的账号", "不能修改自己的角色", "请在「个人中心」修改自己的密码和两步验证"} {
		if !strings.Contains(page, want) {
			t.Errorf("the page does not say %q", want)
		}
	}
	for path, pairs := range map[string][]string{"/disabling": nil, "/roles": {"role", "finance"}, "/password-reset": nil, "/factor-reset": nil} {
		if r := boss.post(at+path, pairs...); r.status != http.StatusConflict {
			t.Errorf("%s on oneself: %d", path, r.status)
		}
	}
	stranger, err := w.app.Accounts.PersonByLogin(t.Context(), "stranger")
	w.must(err)
	for _, path := range []string{"", "/roles", "/edit"} {
		if r := boss.get("/o/MUSHI/members/" + stranger.ID + path); r.status != http.StatusNotFound {
			t.Errorf("another's %s: %d", path, r.status)
		}
	}
	for _, path := range []string{"", "/roles", "/disabling", "/enabling", "/invitation", "/link", "/password-reset", "/factor-reset", "/supervisor", "/contact", "/names"} {
		if r := boss.post("/o/MUSHI/members/"+stranger.ID+path, "name", "x", "role", "finance", "password", password); r.status != http.StatusNotFound {
			t.Errorf("POST another's %s: %d", path, r.status)
		}
	}
}

// A custom role is previewed, saved, held, changed and replaced; whoever holds it sees the change at once.
func TestRoles(t *testing.T) {
	w := newWorld(t)
	boss := w.visitor("partner")
	items := []string{"name", "账单查阅", "item", string(scope.ItemBillView)}
	preview := boss.post("/o/MUSHI/roles", append(items, "preview", "yes")...)
	sees := w.page("role preview", preview, http.StatusOK).Find("#pages tbody").Text()
	if !strings.Contains(sees, "伙伴账单") || strings.Contains(sees, "客户消费") || strings.Contains(sees, "组织成员") {
		t.Fatalf("preview: %s", sees)
	}
	r := boss.post("/o/MUSHI/roles", items...)
	at, _, _ := strings.Cut(r.location, "?")
	code := at[strings.LastIndex(at, "/")+1:]
	if r.status != http.StatusSeeOther || !strings.HasPrefix(code, "r_") {
		t.Fatalf("%d %s", r.status, r.location)
	}
	_, err := w.app.Accounts.AddPerson(t.Context(), operator, account.AddPersonInput{OrgCode: "MUSHI", Login: "reader", Roles: []string{code}, Password: password, KeepPassword: true})
	w.must(err)
	reader := w.visitor("reader")
	if r := reader.get("/o/MUSHI/bills"); r.status != http.StatusOK || !strings.Contains(r.body, "账单查阅") {
		t.Errorf("bills of who holds the role: %d", r.status)
	}
	if r := reader.get("/o/MUSHI/expenditure"); r.status != http.StatusForbidden {
		t.Errorf("what the role does not hold: %d", r.status)
	}
	if r := boss.post(at, "name", "消费查阅", "item", string(scope.ItemExpenditureView)); r.status != http.StatusSeeOther {
		t.Fatalf("save: %d %s", r.status, r.body)
	}
	if a, b := reader.get("/o/MUSHI/bills"), reader.get("/o/MUSHI/expenditure"); a.status != http.StatusForbidden || b.status != http.StatusOK {
		t.Errorf("after the change: bills %d, consumption %d", a.status, b.status)
	}
	if r := boss.post(at + "/deletion"); r.status != http.StatusConflict {
		t.Errorf("a role that is held: %d", r.status)
	}
	if r := boss.post(at+"/deletion", "replacement", "finance"); r.status != http.StatusSeeOther {
		t.Fatalf("deletion: %d %s", r.status, r.body)
	}
	if r := reader.get("/o/MUSHI/bills"); r.status != http.StatusOK {
		t.Errorf("with the replacement: %d", r.status)
	}
	if r := boss.get(at); r.status != http.StatusNotFound {
		t.Errorf("the deleted role: %d", r.status)
	}
	if r := boss.get("/o/MUSHI/roles/admin/edit"); r.status != http.StatusUnprocessableEntity {
		t.Errorf("a preset: %d", r.status)
	}
	if r := boss.post("/o/MUSHI/roles", "name", "X", "item", string(scope.ItemCloseIssue)); r.status != http.StatusUnprocessableEntity {
		t.Errorf("a vendor's item: %d", r.status)
	}
	// What each role opens by the list of roles is what the table of routes says.
	doc := boss.both("/o/MUSHI/roles")
	var opens []string
	doc.Find("tbody tr").Each(func(_ int, s *selection) {
		if s.Find("a[href$='/roles/manager']").Length() == 1 {
			opens = strings.Split(strings.TrimSpace(s.Find("td").Eq(2).Text()), "、")
		}
	})
	if !slices.Contains(opens, "客户管理") || slices.Contains(opens, "伙伴账单") || slices.Contains(opens, "组织成员") {
		t.Errorf("客户经理 opens %v", opens)
	}
}

// TestResetWantsThePerson: who signed in a while ago shows anew who it is before a password is taken from somebody; until
// then nothing happens, and nothing is done by having shown it.
func TestResetWantsThePerson(t *testing.T) {
	onBoth(t, func(t *testing.T, w *world) {
		carer, _, _ := careWorld(w)
		boss := w.at(beijing(2, 9, 0, 0), "partner")
		at := "/o/MUSHI/members/" + carer
		w.clock.Set(beijing(2, 9, 16, 0))
		confirm := "/account/confirmation?next=" + url.QueryEscape(at)
		for _, path := range []string{"/password-reset", "/factor-reset"} {
			if r := boss.post(at + path); r.status != http.StatusSeeOther || r.location != confirm {
				t.Errorf("%s a quarter of an hour later: %d %s", path, r.status, r.location)
			}
		}
		if r := boss.post("/account/confirmation", "next", at, "password", "wrong"); r.status != http.StatusUnprocessableEntity {
			t.Errorf("a wrong password: %d", r.status)
		}
		if r := boss.post("/account/confirmation", "next", at, "password", password); r.status != http.StatusSeeOther || r.location != at {
			t.Errorf("the password: %d %s", r.status, r.location)
		}
		if n := w.audited("person.reset_password"); n != 0 {
			t.Fatalf("%d passwords are taken away by having shown who one is", n)
		}
		if r := boss.post(at + "/password-reset"); r.status != http.StatusSeeOther || r.location != at+"?done=password_reset" || w.audited("person.reset_password") != 1 {
			t.Errorf("asked for once more: %d %s", r.status, r.location)
		}
	})
}
