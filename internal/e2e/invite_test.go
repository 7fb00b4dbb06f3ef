package e2e

import (
	"net/http"
	"strings"
	"testing"

	"huoban/internal/account"
	"huoban/internal/customer"
	"huoban/internal/invitation"
	"huoban/internal/organisation"
	"huoban/internal/scope"
)

// generalLink is the address of a link for anybody, of the partner's administrator.
func (w *world) generalLink(t *testing.T, login string) string {
	t.Helper()
	_, sc, err := w.app.Operator(w.asTest(), login, "test")
	if err != nil {
		t.Fatal(err)
	}
	made, err := w.app.Invitations.Invite(w.asTest(), sc, invitation.InviteInput{Relation: customer.KindResale, Channel: invitation.ChannelQR})
	if err != nil {
		t.Fatal(err)
	}
	return invitation.Path(w.app.Invitations.Token(&made[0]))
}

// TestInvitationIsNeutral: a link that is over and one that never was have one answer, to the byte; without a tick, and
// with a login that is taken or cannot be, nothing is told and nothing made; too many tries have to wait.
func TestInvitationIsNeutral(t *testing.T) {
	eachEngine(t, func(t *testing.T, w *world) {
		link := w.generalLink(t, buyer)
		c := w.anonymous(t)
		if r := c.get(link); r.status != http.StatusOK || !strings.Contains(r.body, "云岫数科") || r.header.Get("Referrer-Policy") != "no-referrer" {
			t.Errorf("the page of the link: %d %s", r.status, r.header.Get("Referrer-Policy"))
		}
		_, sc, err := w.app.Operator(w.asTest(), buyer, "test")
		if err != nil {
			t.Fatal(err)
		}
		all, err := w.app.Invitations.List(w.asTest(), sc)
		if err != nil {
			t.Fatal(err)
		}
		before := len(mustList(t, w))
		fields := []string{"company", "新城科技", "name", "何新", "phone", "13800138000", "login", buyer, "password", "Wucai-shan-2026", "do", "register", "consent", "true"}
		taken := c.post(link, fields...)
		fields[7] = "not a login"
		cannot := c.post(link, fields...)
		for _, r := range []reply{taken, cannot} {
			if r.status != http.StatusUnprocessableEntity || !strings.Contains(r.body, "这个登录名不能使用") || strings.Contains(r.body, "Wucai-shan-2026") {
				t.Errorf("%d %s", r.status, r.page(t).Find("[role=alert]").Text())
			}
		}
		fields[7], fields[13] = "xincheng", ""
		if r := c.post(link, fields...); r.status != http.StatusUnprocessableEntity || !strings.Contains(r.body, "请先阅读并同意") {
			t.Errorf("without consent: %d", r.status)
		}
		if after := len(mustList(t, w)); after != before {
			t.Errorf("%d organisations became %d", before, after)
		}
		fields[13] = "true"
		if r := c.post(link, fields...); r.status != http.StatusSeeOther || !strings.HasSuffix(r.location(), "/partner?done=associated") {
			t.Fatalf("consent: %d %s", r.status, r.location())
		} else if page := c.get(r.location()); page.status != http.StatusOK || !strings.Contains(page.body, "云岫数科") {
			t.Errorf("我的合作伙伴: %d", page.status)
		}
		if _, err := w.app.Invitations.Do(w.asTest(), sc, all[0].ID, invitation.ActionWithdraw); err != nil {
			t.Fatal(err)
		}
		over, never := c.get(link), c.get("/invite/"+strings.Repeat("x", 24))
		if over.status != http.StatusNotFound || over.status != never.status || over.body != strings.ReplaceAll(never.body, "/invite/"+strings.Repeat("x", 24), link) {
			t.Errorf("over %d, never was %d", over.status, never.status)
		}
		last := 0
		for range 12 {
			last = c.post(link, fields...).status
		}
		if last != http.StatusTooManyRequests {
			t.Errorf("the twelfth try at once: %d", last)
		}
	})
}

func mustList(t *testing.T, w *world) []string {
	t.Helper()
	list, err := w.app.Organisations.List(w.asTest(), scope.System("operator"))
	if err != nil {
		t.Fatal(err)
	}
	out := make([]string, len(list))
	for i := range list {
		out[i] = list[i].Code
	}
	return out
}

// TestInvitationInBrowser: on a phone a customer opens its manager's link, reads, registers and consents, and stands in
// 我的合作伙伴; the manager finds it in its care. Then the same without scripts, with an account it has.
func TestInvitationInBrowser(t *testing.T) {
	browser := chromium(t)
	w := newWorld(t, "")
	b := newTab(t, browser, w.url, phone)
	b.open(w.generalLink(t, "yunxiu-manager"))
	b.until("the invitation", "document.querySelector('button[value=register]')")
	b.clean("the invitation on a phone")
	b.truth(`(() => {
		for (const [name, v] of Object.entries({company: '新城科技', name: '何新', phone: '13800138000', email: 'he@xincheng.example', login: 'xincheng', password: 'Wucai-shan-2026'}))
			document.querySelector('[name=' + name + ']').value = v;
		document.querySelector('[name=consent]').checked = true;
		return true;
	})()`)
	b.click("button[value=register]")
	b.until("我的合作伙伴", "location.pathname.endsWith('/partner') && document.readyState === 'complete'")
	if text := b.text("main"); !strings.Contains(text, "云岫数科") || !strings.Contains(text, "代售") {
		t.Errorf("我的合作伙伴: %s", text)
	}
	b.clean("我的合作伙伴 on a phone")
	manager := w.signIn(t, "yunxiu-manager").get("/o/" + partner + "/customers")
	if rows := manager.page(t).Find("main tbody tr").Length(); rows != 1 {
		t.Errorf("the manager looks after %d customers", rows)
	}

	if _, err := w.app.Accounts.AddPerson(w.asTest(), scope.System("operator"), account.AddPersonInput{OrgCode: addCustomer(t, w), Login: "laoke", Roles: []string{account.RoleAdmin},
		Password: "Huoban-test-2026", KeepPassword: true}); err != nil {
		t.Fatal(err)
	}
	known := newTab(t, browser, w.url, phone)
	known.scripts(false)
	link := w.generalLink(t, buyer)
	known.open(link)
	known.click("a[href^='/login']")
	known.until("the door", "document.querySelector('form[action=\"/login\"] [name=password]') && document.readyState === 'complete'")
	known.login("/login", "laoke")
	known.until("the invitation again", "location.pathname.startsWith('/invite/') && document.querySelector('button[value=join]')")
	known.truth("(() => { document.querySelector('[name=consent]').checked = true; return true; })()")
	known.click("button[value=join]")
	known.until("我的合作伙伴", "location.pathname.endsWith('/partner') && document.readyState === 'complete'")
}

// addCustomer makes a customer that no partner has, and gives its code.
func addCustomer(t *testing.T, w *world) string {
	t.Helper()
	made, err := w.app.Organisations.Add(w.asTest(), scope.System("operator"), organisation.AddInput{Code: "LAOKE", Kind: organisation.KindCustomer, Name: "老客贸易"})
	if err != nil {
		t.Fatal(err)
	}
	return made.Organisation.Code
}
