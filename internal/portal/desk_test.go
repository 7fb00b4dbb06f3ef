package portal_test

import (
	"context"
	"encoding/json"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"huoban/internal/account"
	"huoban/internal/portal"
)

func local(text string) time.Time {
	t, err := time.ParseInLocation("2006-01-02 15:04", text, time.FixedZone("GMT+08:00", 8*3600))
	if err != nil {
		panic(err)
	}
	return t
}

// A change submitted on the Friday before a make-up Saturday is due by working days, not by days, and is overdue from
// the second after.
func TestDeskCountsWorkingDays(t *testing.T) {
	w := newWorld(t)
	w.clock.Set(local("2026-02-13 16:00"))
	us, boss := w.visitor("partner"), w.visitor("boss")
	if doc := boss.both("/o/NOVA/ops"); doc.Find("form#desk-batch").Length() != 0 || !strings.Contains(doc.Find("main").Text(), "没有等待处理的事项") {
		t.Error("an empty inbox offers a batch")
	}
	if r := us.rename("licence.pdf", licence, "木石数字"); r.status != http.StatusSeeOther {
		t.Fatalf("propose: %d", r.status)
	}
	row := func(path string) string {
		return w.visitor("boss").both(path).Find("#list-desk tbody tr").Text() // a session ends meanwhile
	}
	if text := row("/o/NOVA/ops"); !strings.Contains(text, "2026-02-25") || !strings.Contains(text, "时限 3 个工作日") || strings.Contains(text, "已超时") {
		t.Errorf("Saturday 14 is worked, 15 to 23 are not: %s", text)
	}
	w.clock.Set(local("2026-02-25 23:59"))
	if text := row("/o/NOVA/ops"); strings.Contains(text, "已超时") || !strings.Contains(text, "已过 3 个工作日") {
		t.Errorf("on its last day: %s", text)
	}
	w.clock.Set(local("2026-02-26 00:00"))
	boss = w.visitor("boss")
	if text := row("/o/NOVA/ops?desk=operations&late=yes"); !strings.Contains(text, "已超时") {
		t.Errorf("a minute later: %s", text)
	}
	if n := boss.both("/o/NOVA/ops?desk=finance").Find("#list-desk tbody tr").Length(); n != 0 {
		t.Errorf("%d of it wait for finance", n)
	}
	if r := boss.get("/o/NOVA/ops?desk=nobody"); r.status != http.StatusNotFound {
		t.Errorf("an unknown inbox: %d", r.status)
	}
	// A vendor that works on the 16th says so: the deadline moves, and the other vendor's does not.
	if r := boss.post("/o/NOVA/ops/calendar/days", "day", "2026-02-16", "kind", "work", "note", "值班"); r.status != http.StatusSeeOther {
		t.Fatalf("set a day: %d %s", r.status, text(r.body))
	}
	if text := row("/o/NOVA/ops"); !strings.Contains(text, "2026-02-24") {
		t.Errorf("the vendor's own day does not count: %s", text)
	}
	if doc := w.visitor("stranger").both("/o/OTHER/ops/calendar?year=2026"); strings.Contains(doc.Text(), "值班") {
		t.Error("another vendor's calendar was changed")
	}
	if audit := boss.get("/o/NOVA/audit?action=calendar.set").body; !strings.Contains(audit, "2026-02-16") {
		t.Error("the change is not in the audit")
	}
	if r := w.visitor("auditor").post("/o/NOVA/ops/calendar/days", "day", "2026-02-17", "kind", "work"); r.status != http.StatusForbidden {
		t.Errorf("an auditor changes the calendar: %d", r.status)
	}
	if r := boss.post("/o/NOVA/ops/calendar/days", "day", "2026-02-30", "kind", "work"); r.status != http.StatusUnprocessableEntity {
		t.Errorf("30 February: %d", r.status)
	}
}

// A year without a published arrangement says so until somebody vouches for it.
func TestCalendarSaysWhatItDoesNotKnow(t *testing.T) {
	w := newWorld(t)
	boss := w.visitor("boss")
	at := "/o/NOVA/ops/calendar?year=2028&from=2028-01-03&days=1"
	if text := boss.both(at).Find("main").Text(); !strings.Contains(text, "2028-01-04") || !strings.Contains(text, "安排未公布，仅供参考") || !strings.Contains(text, "尚未公布或未完整录入") {
		t.Errorf("2028 is told as known: %s", text)
	}
	for range 2 {
		if r := boss.withKey("y").post("/o/NOVA/ops/calendar/years", "year", "2028", "whole", "yes"); r.status != http.StatusSeeOther {
			t.Fatalf("vouch: %d", r.status)
		}
	}
	if text := boss.both(at).Find("main").Text(); strings.Contains(text, "仅供参考") || !strings.Contains(text, "boss 于") {
		t.Errorf("2028 is still told as unknown: %s", text)
	}
	if text := boss.both("/o/NOVA/ops/calendar?from=2026-05-08&days=2").Find("main").Text(); !strings.Contains(text, "2026-05-11") {
		t.Errorf("over a make-up Saturday: %s", text)
	}
	if r := boss.get("/o/NOVA/ops/calendar?year=1999"); r.status != http.StatusNotFound {
		t.Errorf("1999: %d", r.status)
	}
}

// A batch is tried before it is done, is done whole or not at all, once, and nobody decides an own entry above the limit.
func TestDeskBatch(t *testing.T) {
	w := newWorld(t)
	_, err := w.app.Accounts.AddPerson(context.Background(), operator, account.AddPersonInput{OrgCode: "NOVA", Login: "second", Roles: []string{account.RoleFinance}, Password: password, KeepPassword: true})
	w.must(err)
	us, boss, second := w.visitor("partner"), w.visitor("boss"), w.visitor("second")
	if r := us.rename("licence.pdf", licence, "木石数字"); r.status != http.StatusSeeOther {
		t.Fatalf("propose: %d", r.status)
	}
	entry := func(amount string) {
		if r := boss.post("/o/NOVA/adjustments", "partner", "MUSHI", "cycle", "2026-01", "currency", "USD", "amount", amount, "reason", "goodwill"); r.status >= 400 {
			t.Fatalf("propose: %d", r.status)
		}
	}
	entry("-12.5")
	var picks []string
	boss.both("/o/NOVA/ops").Find("input[name=pick]").Each(func(_ int, s *selection) { picks = append(picks, s.AttrOr("value", "")) })
	slices.Sort(picks)
	if len(picks) != 2 || !strings.HasPrefix(picks[0], "adjustment/") || !strings.HasPrefix(picks[1], "company/") {
		t.Fatalf("%v", picks)
	}
	if doc := second.both("/o/NOVA/ops"); doc.Find("input[name=pick]").Length() != 1 || strings.Contains(doc.Find("main").Text(), "公司信息变更") {
		t.Error("finance sees what operations decides")
	}
	both := []string{"verdict", "approve", "pick", picks[0], "pick", picks[1]}
	decide := func(v *visitor, fields ...string) reply { return v.post("/o/NOVA/ops/decisions", fields...) }

	var tried struct {
		Items []struct{ Pick, Refused string }
	}
	w.must(json.Unmarshal([]byte(decide(boss.program(), append(both, "preview", "yes")...).body), &tried))
	if len(tried.Items) != 2 || tried.Items[0].Refused != "adjustment.same_person" || tried.Items[1].Refused != "" {
		t.Fatalf("%+v", tried)
	}
	page := w.page("preview", decide(boss, append(both, "preview", "yes")...), http.StatusOK)
	if page.Find("form input[name=pick]").Length() != 1 || !strings.Contains(page.Find("main").Text(), "不处理") {
		t.Error("what is refused stays in the batch")
	}
	if n := boss.both("/o/NOVA/ops").Find("input[name=pick]").Length(); n != 2 {
		t.Fatalf("a preview decided: %d left", n)
	}
	if r := decide(boss, both...); r.status != http.StatusForbidden {
		t.Errorf("an own entry in a batch: %d", r.status)
	}
	if n := boss.both("/o/NOVA/ops").Find("input[name=pick]").Length(); n != 2 {
		t.Fatalf("half a batch was done: %d left", n)
	}
	for name, fields := range map[string][]string{"nothing": {"verdict", "approve"}, "no verdict": {"pick", picks[1]}, "no reason": {"verdict", "refuse", "pick", picks[1]}} {
		if r := decide(boss, fields...); r.status != http.StatusUnprocessableEntity {
			t.Errorf("%s: %d", name, r.status)
		}
	}
	for who, org := range map[string]string{"stranger": "OTHER", "partner": "MUSHI"} {
		if r := w.visitor(who).post("/o/"+org+"/ops/decisions", both...); r.status != http.StatusNotFound {
			t.Errorf("%s: %d", who, r.status)
		}
	}
	if r := decide(second, both...); r.status != http.StatusNotFound {
		t.Errorf("finance decides what is operations': %d", r.status)
	}
	for range 2 {
		if r := decide(boss.withKey("b-1"), "verdict", "refuse", "reason", "材料不全", "pick", picks[1]); r.status != http.StatusSeeOther {
			t.Fatalf("refuse: %d %s", r.status, text(r.body))
		}
	}
	if n := us.both("/o/MUSHI/messages").Find("tbody tr th:contains('材料不全')").Length(); n != 1 {
		t.Error("the partner is not told once")
	}
	if r := decide(boss, "verdict", "approve", "pick", picks[1]); r.status != http.StatusConflict {
		t.Errorf("decided twice: %d", r.status)
	}
}

// Up to the limit one person decides, above it two; a limit changed meanwhile is not overwritten.
func TestFourEyesLimit(t *testing.T) {
	w := newWorld(t)
	boss := w.visitor("boss")
	for _, amount := range []string{"-100", "100.00000001"} {
		if r := boss.post("/o/NOVA/adjustments", "partner", "MUSHI", "cycle", "2026-01", "currency", "USD", "amount", amount, "reason", "r"+amount); r.status >= 400 {
			t.Fatalf("propose: %d %s", r.status, text(r.body))
		}
	}
	set := func(v *visitor, amount, version string) reply {
		return v.post("/o/NOVA/ops/limits", "kind", "adjustment", "currency", "USD", "amount", amount, "version", version)
	}
	for amount, want := range map[string]int{"-1": http.StatusUnprocessableEntity, "1.001": http.StatusUnprocessableEntity, "x": http.StatusUnprocessableEntity} {
		if r := set(boss, amount, "0"); r.status != want {
			t.Errorf("limit %s: %d", amount, r.status)
		}
	}
	if r := set(boss, "100", "0"); r.status != http.StatusSeeOther {
		t.Fatalf("set: %d %s", r.status, text(r.body))
	}
	if r := set(boss, "500", "0"); r.status != http.StatusConflict || !strings.Contains(text(r.body), "boss 已于") {
		t.Errorf("a stale limit: %d %s", r.status, text(r.body))
	}
	if r := set(w.visitor("auditor"), "900", "1"); r.status != http.StatusForbidden {
		t.Errorf("an auditor sets a limit: %d", r.status)
	}
	if doc := boss.both("/o/NOVA/ops/limits"); !strings.Contains(doc.Find("#list-limits").Text(), "USD") {
		t.Error("the limit is not shown")
	}
	if audit := boss.get("/o/NOVA/audit?action=limit.set").body; !strings.Contains(audit, "limit:adjustment/USD") {
		t.Error("the change is not in the audit")
	}
	var answers []string
	boss.both("/o/NOVA/ops").Find("#list-desk tbody tr").Each(func(_ int, s *selection) {
		two := strings.Contains(s.Text(), "须双人复核")
		r := boss.post("/o/NOVA/ops/decisions", "verdict", "approve", "pick", s.Find("input[name=pick]").AttrOr("value", ""))
		answers = append(answers, s.Find("th").Text()+": "+http.StatusText(r.status))
		if want := map[bool]int{true: http.StatusForbidden, false: http.StatusSeeOther}[two]; r.status != want {
			t.Errorf("an own entry, two needed %v: %d", two, r.status)
		}
	})
	slices.Sort(answers)
	if len(answers) != 2 || !strings.Contains(strings.Join(answers, ""), "Forbidden") || !strings.Contains(strings.Join(answers, ""), "See Other") {
		t.Errorf("%v", answers)
	}
}

// Every row of the table of what waits has its words, states that wait and a service time.
func TestDeskSources(t *testing.T) {
	for _, fault := range portal.DeskFaults() {
		t.Error(fault)
	}
}
