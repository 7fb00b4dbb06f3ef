package portal_test

import (
	"net/http"
	"strconv"
	"strings"
	"testing"
	"time"

	"huoban/internal/account"
	"huoban/internal/customer"
	"huoban/internal/cycle"
	"huoban/internal/money"
	"huoban/internal/organisation"
)

// beijing is a moment of January 2026.
func beijing(day, hour, minute, second int) time.Time {
	return time.Date(2026, 1, day, hour, minute, second, 0, cycle.Zone)
}

// careWorld adds two managers and their supervisor to the partner, and a customer of another partner.
func careWorld(w *world) (carer, keeper, foreign string) {
	ctx := w.t.Context()
	ids := map[string]string{}
	for login, role := range map[string]string{"carer": account.RoleManager, "keeper": account.RoleManager, "chief": account.RoleSupervisor} {
		_, err := w.app.Accounts.AddPerson(ctx, operator, account.AddPersonInput{OrgCode: "MUSHI", Login: login, Name: "李" + login, Roles: []string{role}, Password: password, KeepPassword: true})
		w.must(err)
		p, err := w.app.Accounts.PersonByLogin(ctx, login)
		w.must(err)
		ids[login] = p.ID
	}
	for _, login := range []string{"carer", "keeper"} {
		w.must(w.app.Accounts.SetSupervisor(ctx, operator, login, "chief"))
	}
	o, err := w.app.Organisations.Add(ctx, operator, organisation.AddInput{Code: "elsewhere", Kind: organisation.KindCustomer, Name: "别家客户"})
	w.must(err)
	lumi, err := w.app.Organisations.ByCode(ctx, operator, "LUMI")
	w.must(err)
	_, err = w.app.Customers.Associate(ctx, operator, customer.AssociateInput{CustomerID: o.Organisation.ID, PartnerID: lumi.ID, Kind: customer.KindReferral})
	w.must(err)
	return ids["carer"], ids["keeper"], o.Organisation.ID
}

func (w *world) customerID(code string) string {
	w.t.Helper()
	o, err := w.app.Organisations.ByCode(w.t.Context(), operator, code)
	w.must(err)
	return o.ID
}

// at signs somebody in at a moment, which the clock keeps.
func (w *world) at(t time.Time, login string) *visitor {
	w.clock.Set(t)
	return w.visitor(login)
}

const customersPath = "/o/MUSHI/customers"

// TestCustomers: the list says what 客户消费 says, masks names, narrows, and knows nobody else's customers.
func TestCustomers(t *testing.T) {
	onBoth(t, func(t *testing.T, w *world) {
		_, _, foreign := careWorld(w)
		_, err := w.app.Accounts.AddPerson(t.Context(), operator, account.AddPersonInput{OrgCode: "s1", Login: "s1-boss", Name: "S", Phone: "+86 138-0013-8001", Email: "boss@s1.example", Roles: []string{account.RoleAdmin}, Password: password, KeepPassword: true})
		w.must(err)
		v := w.at(beijing(20, 12, 0, 0), "partner")
		page := v.both(customersPath)
		if all := rowsText(page); strings.Contains(all, "8001") || strings.Contains(all, "boss@") || page.Find("tbody a[href$='/resources']").Length() != 3 {
			t.Errorf("a list shows %s", all)
		}
		if n := page.Find("tbody tr").Length(); n != 3 || strings.Contains(rowsText(page), "客户s") {
			t.Fatalf("%d customers: %s", n, rowsText(page))
		}
		summary := v.both("/o/MUSHI/expenditure")
		if total := strings.TrimSpace(page.Find("tfoot tr").Last().Find("td").First().Text()); !strings.Contains(summary.Find("tfoot").Text(), strings.TrimPrefix(strings.SplitN(total, ".", 2)[0], "$")) {
			t.Errorf("the customers sum to %s, 客户消费 to %s", total, summary.Find("tfoot").Text())
		}
		for query, want := range map[string]int{"?q=S2": 1, "?q=客户": 3, "?q=nobody": 0, "?relation=referral": 0, "?relation=resale": 3, "?manager=none": 3, "?spent=no": 0, "?spent=yes": 3,
			"?state=ended": 0, "?state=active": 3, "?sort=spent": 3, "?sort=newest&size=50": 3, "?from=2026-01-01": 0,
			"?code=s1": 1, "?code=s": 0, "?phone=138001": 1, "?phone=%2B86+13800138001": 1, "?phone=999": 0} {
			if n := v.both(customersPath + query).Find("tbody tr").Length(); n != want {
				t.Errorf("%s: %d customers, want %d", query, n, want)
			}
		}
		for _, path := range []string{"?relation=x", "?state=x", "?sort=x", "?manager=x", "?of=resellers", "?reseller=x", "?from=yesterday", "/" + foreign, "/nobody"} {
			if r := v.get(customersPath + path); r.status != http.StatusNotFound {
				t.Errorf("%s: %d", path, r.status)
			}
		}
		one := v.both(customersPath + "/" + w.customerID("s1"))
		if strings.Contains(one.Find("main").Text(), "客户s1") || one.Find(".hb-chart").Length() == 0 || one.Find("#customer-products tbody tr").Length() == 0 {
			t.Errorf("the customer's page says %s", one.Find("main").Text())
		}
		open := w.page("names", v.post(customersPath+"/names"), http.StatusOK)
		if !strings.Contains(rowsText(open), "138-0013-8001") || !strings.Contains(rowsText(open), "boss@s1.example") {
			t.Errorf("the eye hides how s1 is reached: %s", rowsText(open))
		}
		if !strings.Contains(rowsText(open), "客户s1") || w.revealed("customers") != 1 {
			t.Errorf("the eye shows %s", rowsText(open))
		}
		task := v.ask(page, "csv")
		w.work()
		if body := v.file("MUSHI", task).body; strings.Contains(body, "客户s") || !strings.Contains(body, "s1") || !strings.Contains(body, shownOn(page).code) {
			t.Errorf("the file says %s", body)
		}
		resourcesAgree(t, v, w.customerID("s1"))
		if empty := v.both("/o/MUSHI/expenditure/archive").Find(".hb-empty").Text(); !strings.Contains(empty, "2024-07") || !strings.Contains(empty, "2026-02-01") {
			t.Errorf("nothing older: %s", empty)
		}
		if r := w.at(beijing(20, 12, 0, 0), "stranger").get(customersPath + "/" + w.customerID("s1")); r.status != http.StatusNotFound {
			t.Errorf("another partner: %d", r.status)
		}
	})
}

// resourcesAgree compares what a customer's lines tell of its resources with its consumption of the month.
func resourcesAgree(t *testing.T, v *visitor, id string) {
	t.Helper()
	at := customersPath + "/" + id + "/resources"
	got, want := shownOn(v.both(at+"?cycle=2026-01")), shownOn(v.both("/o/MUSHI/expenditure?cycle=2026-01&customer=s1"))
	if got.rows == 0 || money.MustExact(got.total).Cmp(money.MustExact(want.total)) != 0 {
		t.Errorf("resources %+v, consumption %+v", got, want)
	}
	if page := v.both(at + "?cycle=2025-06"); page.Find("tbody tr").Length() != 0 || page.Find(".hb-empty").Length() != 2 {
		t.Errorf("a month without lines: %s", page.Find("main").Text())
	}
	for _, bad := range []string{"?cycle=2026-02", "?cycle=2020-01", "?cycle=x"} {
		if r := v.get(at + bad); r.status != http.StatusNotFound {
			t.Errorf("%s: %d", bad, r.status)
		}
	}
}

// TestAssigning: a preview changes nothing, a confirmation everything at once and once only; each manager counts
// from the day after, until the second the customer is taken back, and the past stays readable.
func TestAssigning(t *testing.T) {
	onBoth(t, func(t *testing.T, w *world) {
		carer, keeper, _ := careWorld(w)
		v := w.at(beijing(2, 14, 30, 0), "partner")
		const path = "/o/MUSHI/assignments"
		first := []string{"person", carer, "customer", "s1", "customer", "s2"}
		plan := w.page("plan", v.post(path, append([]string{"preview", "yes"}, first...)...), http.StatusOK)
		if n := plan.Find("#steps tbody tr").Length(); n != 2 || plan.Find("form[method=post] button.btn-primary").Length() == 0 {
			t.Fatalf("the plan: %s", plan.Find("main").Text())
		}
		if cares, err := w.app.Customers.Store.Cares(t.Context(), w.customerID("MUSHI")); err != nil || len(cares) != 0 {
			t.Fatalf("a preview assigned: %v %v", cares, err)
		}
		for range 2 { // the same button twice
			if r := v.withKey("once").post(path, first...); r.status != http.StatusSeeOther {
				t.Fatalf("assign: %d %s", r.status, text(r.body))
			}
		}
		if n := w.audited("assignment.begin"); n != 2 {
			t.Errorf("%d assignments in the audit", n)
		}
		assigningRefused(w, v, keeper)

		v = w.at(beijing(10, 23, 59, 59), "partner")
		if r := v.post(path, "person", keeper, "all", "yes", "customer", "s1"); r.status != http.StatusSeeOther {
			t.Fatalf("pass on: %d %s", r.status, text(r.body))
		}
		counted := func(login, want string) string {
			t.Helper()
			u := w.at(beijing(20, 12, 0, 0), login)
			page := u.both("/o/MUSHI/expenditure")
			if text := page.Find("main").Text(); !strings.Contains(text, want) {
				t.Errorf("%s: the page does not say %q: %s", login, want, text)
			}
			return page.Find("tbody").First().Text()
		}
		// All charges are of the 3rd: the first manager keeps what he counted, the second begins on the 11th.
		if got := counted("carer", "统计自 2026-01-03"); !strings.Contains(got, "s1") || !strings.Contains(got, "s2") {
			t.Errorf("the first manager counts %s", got)
		}
		if got := counted("keeper", "统计自 2026-01-11"); strings.Contains(got, "s1") {
			t.Errorf("the second manager counts %s", got)
		}
		if got := counted("chief", "统计自 2026-01-03"); !strings.Contains(got, "s1") || !strings.Contains(got, "s2") {
			t.Errorf("the supervisor counts %s", got)
		}
		u := w.at(beijing(20, 12, 0, 0), "carer")
		if list := rowsText(u.both(customersPath)); strings.Contains(list, "s1") || !strings.Contains(list, "s2") {
			t.Errorf("the first manager has %s", list)
		}
		u.both(customersPath + "/" + w.customerID("s1")) // was his
		if r := u.get(customersPath + "/" + w.customerID("s3")); r.status != http.StatusNotFound {
			t.Errorf("a customer never assigned: %d", r.status)
		}

		takenBack(w, carer)
		u = w.at(beijing(22, 9, 0, 0), "carer")
		if n := u.both(customersPath).Find("tbody tr").Length(); n != 0 {
			t.Errorf("%d customers are left", n)
		}
		if got := counted("carer", "统计自 2026-01-03"); !strings.Contains(got, "s2") {
			t.Errorf("the past is gone: %s", got)
		}
	})
}

// assigningRefused: who is taken cannot be picked, unless customers are passed on, and a batch is done whole or not at all.
func assigningRefused(w *world, v *visitor, keeper string) {
	w.t.Helper()
	const path = "/o/MUSHI/assignments"
	refused := v.post(path, "person", keeper, "customer", "s3", "customer", "s1")
	if page := w.page("taken", refused, http.StatusConflict); !strings.Contains(page.Find("main").Text(), "已由其他客户经理负责") || page.Find("input[name=customer][checked]").Length() != 2 {
		w.t.Errorf("taken: %s", page.Find("main").Text())
	}
	if n := w.audited("assignment.begin"); n != 2 {
		w.t.Error("a refused batch was done in part")
	}
	for _, bad := range [][]string{{"person", keeper, "customer", "elsewhere"}, {"person", "nobody", "customer", "s3"}, {"person", keeper, "customer", "s3", "customer", "x"}} {
		if r := v.post(path, bad...); r.status != http.StatusNotFound {
			w.t.Errorf("%v: %d", bad, r.status)
		}
	}
	for _, bad := range [][]string{{"person", keeper}, {"customer", "s3"}, {"person", "", "customer", "s3"}} {
		if r := v.post(path, bad...); r.status != http.StatusUnprocessableEntity {
			w.t.Errorf("%v: %d", bad, r.status)
		}
	}
}

// takenBack: the board sums to what the list of customers does, and customers taken back have no manager.
func takenBack(w *world, carer string) {
	w.t.Helper()
	const path = "/o/MUSHI/assignments"
	v := w.at(beijing(21, 9, 0, 0), "partner")
	board := v.both(path)
	if total, want := board.Find("tfoot tr").Last().Find("td").First().Text(), v.both(customersPath).Find("tfoot tr").Last().Find("td").First().Text(); strings.TrimSpace(total) != strings.TrimSpace(want) || total == "" {
		w.t.Errorf("managers and the rest sum to %s, the customers to %s", total, want)
	}
	v.both(path + "/" + carer)
	v.both(path + "/new?all=yes&person=" + carer)
	if r := v.post(path+"/withdrawal", "customer", "s1", "customer", "s2", "customer", "s3"); r.status != http.StatusSeeOther {
		w.t.Fatalf("take back: %d %s", r.status, text(r.body))
	}
	if n := v.both(customersPath + "?manager=none").Find("tbody tr").Length(); n != 3 {
		w.t.Errorf("%d customers without a manager", n)
	}
	if n := w.audited("assignment.end"); n != 3 { // s1 once handed over and once taken back, s2
		w.t.Errorf("%d ends in the audit", n)
	}
}

// TestSupervisorsAssignTheirTeam: a supervisor passes on what the team has, and no more.
func TestSupervisorsAssignTheirTeam(t *testing.T) {
	onBoth(t, func(t *testing.T, w *world) {
		carer, keeper, _ := careWorld(w)
		w.must(w.app.Accounts.SetSupervisor(t.Context(), operator, "keeper", ""))
		const path = "/o/MUSHI/assignments"
		if r := w.at(beijing(2, 14, 30, 0), "partner").post(path, "person", carer, "customer", "s1"); r.status != http.StatusSeeOther {
			t.Fatal(r.status)
		}
		v := w.at(beijing(3, 10, 0, 0), "chief")
		if rows := rowsText(v.both(path)); !strings.Contains(rows, "李***") || strings.Count(rows, "李***") != 2 { // one manager and his supervisor
			t.Errorf("the supervisor's managers: %s", rows)
		}
		for _, bad := range [][]string{{"person", keeper, "all", "yes", "customer", "s1"}, {"person", carer, "customer", "s2"}} {
			if r := v.post(path, bad...); r.status != http.StatusNotFound {
				t.Errorf("%v: %d", bad, r.status)
			}
		}
		if r := v.get(path + "/" + keeper); r.status != http.StatusNotFound {
			t.Errorf("a manager of nobody's team: %d", r.status)
		}
		if r := v.post(path+"/withdrawal", "customer", "s1"); r.status != http.StatusSeeOther {
			t.Errorf("take back: %d %s", r.status, text(r.body))
		}
		if page := w.at(beijing(3, 11, 0, 0), "partner").both(path); !strings.Contains(page.Find("tbody").Text(), "无主管") {
			t.Errorf("a manager without a supervisor is not shown as one: %s", page.Find("tbody").Text())
		}
		if r := w.at(beijing(3, 11, 0, 0), "carer").get(path); r.status != http.StatusForbidden && r.status != http.StatusNotFound {
			t.Errorf("a manager assigns: %d", r.status)
		}
	})
}

// TestDashboard: the dashboard, its file and 客户消费 agree; a manager reads from when it counts; what is out of
// sight or out of reach is refused.
func TestDashboard(t *testing.T) {
	onBoth(t, func(t *testing.T, w *world) {
		carer, _, _ := careWorld(w)
		const path = "/o/MUSHI/dashboards/expenditure"
		if r := w.at(beijing(3, 6, 0, 0), "partner").post("/o/MUSHI/assignments", "person", carer, "customer", "s1"); r.status != http.StatusSeeOther {
			t.Fatal(r.status)
		}
		v := w.at(beijing(20, 12, 0, 0), "partner")
		want := shownOn(v.both("/o/MUSHI/expenditure")).total
		for _, by := range []string{"", "?by=mode", "?by=relation", "?by=manager", "?by=customer&from=2025-08"} {
			page := v.both(path + by)
			got := shownOn(page)
			if got.total != want || page.Find(".hb-chart").Length() < 2 {
				t.Errorf("%s sums to %s, 客户消费 to %s", by, got.total, want)
			}
			if strings.Contains(page.Find("main").Text(), "客户s") {
				t.Errorf("%s names customers", by)
			}
			task := v.ask(page, "csv")
			w.work()
			if file := v.file("MUSHI", task).body; !strings.Contains(file, got.code) || !strings.Contains(digits(file), got.total) || strings.Contains(file, "客户s") {
				t.Errorf("%s: the file says %s", by, file)
			}
		}
		for _, bad := range []string{"?by=x", "?from=x", "?customer=elsewhere", "?manager=nobody"} {
			if r := v.get(path + bad); r.status != http.StatusNotFound {
				t.Errorf("%s: %d", bad, r.status)
			}
		}
		for _, bad := range []string{"?from=2026-01&to=2025-12", "?from=2020-01", "?to=2026-02"} {
			if r := v.get(path + bad); r.status != http.StatusUnprocessableEntity {
				t.Errorf("%s: %d", bad, r.status)
			}
		}
		// 客户看板 counts the same customers, whose contributions are the same total.
		page := v.both("/o/MUSHI/dashboards/customers?from=2025-12")
		if got := shownOn(page); got.total != want || got.rows != 3 || strings.Contains(page.Find("main").Text(), "客户s") {
			t.Errorf("客户看板 has %+v, 客户消费 %s", got, want)
		}
		if facts := page.Find("#facts + .body").Text(); !strings.Contains(facts, "客户总数3") || !strings.Contains(facts, "未分配客户经理2") || !strings.Contains(facts, "本月消费客户数3") {
			t.Errorf("the facts are %s", facts)
		}

		for managed, rows := range map[string]int64{"none": 2, "carer": 1} {
			page := v.both("/o/MUSHI/dashboards/customers?from=2025-12&manager=" + managed)
			if facts := page.Find("#facts + .body").Text(); shownOn(page).rows != rows || !strings.Contains(facts, "客户总数"+strconv.FormatInt(rows, 10)) {
				t.Errorf("in the care of %s: %+v, %s", managed, shownOn(page), facts)
			}
		}
		if r := v.get("/o/MUSHI/dashboards/customers?manager=stranger"); r.status != http.StatusNotFound {
			t.Errorf("a manager of nobody: %d", r.status)
		}

		// The 3rd at six: the dashboard counts that day's charges from then on, 客户消费 those of the 4th only.
		u := w.at(beijing(20, 12, 0, 0), "carer")
		board, list := u.both(path), u.both("/o/MUSHI/expenditure")
		if !strings.Contains(board.Find("main").Text(), "统计自 2026-01-03 06:00") || board.Find("tbody tr").Length() == 0 {
			t.Errorf("the manager's dashboard: %s", board.Find("main").Text())
		}
		more, less := money.MustExact(shownOn(board).total), money.MustExact(shownOn(list).total)
		if !strings.Contains(list.Find("main").Text(), "统计自 2026-01-04") || more.Cmp(less) <= 0 || less.Sign() <= 0 {
			t.Errorf("the manager's 客户消费 of %s, the dashboard %s: %s", less, more, list.Find("main").Text())
		}
	})
}
