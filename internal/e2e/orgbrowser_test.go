package e2e

import (
	"context"
	"fmt"
	"strings"
	"testing"

	"github.com/chromedp/chromedp/kb"

	"huoban/internal/account"
	"huoban/internal/scope"
)

// testSupervisor re-assigns a batch of the team's customers from one manager to another, by the keyboard alone.
func testSupervisor(t *testing.T, w *world, browser context.Context) {
	b := newTab(t, browser, w.url, desk)
	b.signIn(w.signIn(t, "guangzhu-supervisor"))
	b.open("/o/GUANGZHU")
	b.jump("i", "/o/GUANGZHU/assignments")
	counts := func() map[string]int {
		return value[map[string]int](b, `Object.fromEntries([...document.querySelectorAll('#list-assignments tbody tr')].map(r => [r.cells[0].textContent.trim().split(/\s+/).pop(), +r.cells[2].textContent.replace(/[^0-9]/g, '')]))`)
	}
	before := counts()
	b.follow("main a[href$='/assignments/new']")
	b.clean("assigning")
	b.tabTo("#q-all")
	b.press(kb.ArrowDown)
	b.follow(".hb-filter button[type=submit]")
	// Two customers that one manager looks after go to the other.
	plan := value[struct {
		Down  int
		Codes []string
	}](b, `(() => {
		const form = [...document.querySelectorAll('.hb-card form[method=post]')].pop();
		for (let i = 1; i < form.elements.person.options.length; i++) {
			const to = form.elements.person.options[i].textContent.trim();
			const rows = [...form.querySelectorAll('tbody tr')].filter(r => r.cells[2].textContent.trim() !== to && r.cells[2].textContent.includes('***') && !r.querySelector('input').disabled).slice(0, 2);
			if (rows.length === 2) return {Down: i, Codes: rows.map(r => r.querySelector('input').value)};
		}
		return {Down: 0, Codes: []};
	})()`)
	if len(plan.Codes) != 2 {
		t.Fatalf("%d customers of another manager to pick", len(plan.Codes))
	}
	b.tabTo("select[name=person]")
	for range plan.Down {
		b.press(kb.ArrowDown)
	}
	for _, code := range plan.Codes {
		b.tabTo("input[name=customer][value='" + code + "']")
		b.press(" ")
	}
	b.follow("form[action$='/assignments'] button.btn-primary")
	b.until("what would happen", "document.querySelectorAll('#steps tbody tr').length === 2")
	b.clean("the batch before it is done")
	b.follow("form[action$='/assignments'] button.btn-primary")
	b.until("the batch done", "location.search.includes('done=assigned') && document.readyState === 'complete'")
	after, moved := counts(), 0
	for who, n := range before {
		if d := after[who] - n; d > 0 {
			moved += d
		}
	}
	if moved != 2 {
		t.Errorf("%v became %v: two customers should have moved", before, after)
	}
	b.quiet("a supervisor's batch")
}

// testRoleMaker builds a custom role by the keyboard alone, looks at what it shows before it is saved, gives it to a manager as a second
// role, and is warned that the manager will see all customers; the manager's next page shows them.
func testRoleMaker(t *testing.T, w *world, browser context.Context) {
	b := newTab(t, browser, w.url, desk)
	b.signIn(w.signIn(t, "guangzhu-admin"))
	manager := w.signIn(t, "guangzhu-manager2")
	if r := manager.get("/o/GUANGZHU/bills"); r.status != 403 {
		t.Fatalf("a manager opens bills: %d", r.status)
	}
	b.open("/o/GUANGZHU")
	b.jump("f", "/o/GUANGZHU/roles")
	b.follow("main a[href$='/roles/new']")
	b.until("the form", "document.activeElement.matches('input[name=name]') && document.querySelector('input[name=item]')")
	b.press("Bill helpers")
	for _, item := range []scope.Item{scope.ItemBillView, scope.ItemBillExplain} {
		b.tabTo(fmt.Sprintf("input[name=item][value=%s]", item))
		b.press(" ")
	}
	b.follow("main form button.btn-primary")
	b.until("the preview", "document.querySelector('#pages tbody')")
	seen := b.text("#pages tbody")
	if !strings.Contains(seen, "伙伴账单") || strings.Contains(seen, "客户消费") || strings.Contains(seen, "组织成员") {
		t.Errorf("the preview shows %s", seen)
	}
	b.clean("a role previewed")
	b.follow("form[action$='/roles'] button.btn-primary")
	b.until("the role", "location.search.includes('done=role_saved') && document.readyState === 'complete'")
	code := value[string](b, "location.pathname.split('/').pop()")

	p, err := w.app.Accounts.PersonByLogin(t.Context(), "guangzhu-manager2")
	if err != nil {
		t.Fatal(err)
	}
	b.open("/o/GUANGZHU/members/" + p.ID)
	b.click("main a[href$='/" + p.ID + "/roles']")
	b.until("the roles", "document.querySelector('input[name=role][value=manager]:checked')")
	b.click(fmt.Sprintf("input[name=role][value=%s]", code))
	b.click("main form button.btn-primary")
	b.until("the warning", "document.querySelector('.hb-check li.warn')")
	if text := b.text(".hb-check"); !strings.Contains(text, "可见范围将扩大到全部客户") {
		t.Errorf("the warning says %s", text)
	}
	b.clean("a second role previewed")
	b.click("form[action$='/roles'] button.btn-primary")
	b.until("the roles given", "location.search.includes('done=roles_given') && document.readyState === 'complete'")
	if r := manager.get("/o/GUANGZHU/bills"); r.status != 200 {
		t.Errorf("the manager's next page: %d", r.status)
	}
	sc, err := w.app.Accounts.ScopeOf(t.Context(), p, "GUANGZHU")
	if err != nil {
		t.Fatal(err)
	}
	if sc.IsLimited() {
		t.Error("a manager with a second role is still limited to assigned customers")
	}
	if err := w.app.Accounts.SetRoles(w.asTest(), scope.System("operator"), "guangzhu-manager2", "GUANGZHU", []string{account.RoleManager}); err != nil {
		t.Fatal(err)
	}
	b.quiet("a role made")
}
