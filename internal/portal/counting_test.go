package portal_test

import (
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"huoban/internal/account"
	"huoban/internal/cycle"
	"huoban/internal/delivery"
)

// TestCountedFromTheMoment: a customer assigned on 2026-10-15 at 14:30 (GMT+8) counts on 消费看板 from that moment and in
// 客户消费 from the 16th; taken back, nothing counts from that second on and the past stays; a second role opens all
// customers, and whoever gives it is told. Each charge is another power of ten, so that a sum says which ones are in it.
func TestCountedFromTheMoment(t *testing.T) {
	october := func(day, hour, minute, second int) time.Time {
		return time.Date(2026, 10, day, hour, minute, second, 0, cycle.Zone)
	}
	onBoth(t, func(t *testing.T, w *world) {
		carer, _, _ := careWorld(w)
		text := focusHead
		for i, at := range []time.Time{october(15, 14, 29, 59), october(15, 14, 30, 0), october(15, 23, 59, 59), october(16, 0, 0, 0), october(20, 9, 15, 29), october(20, 9, 15, 30)} {
			cost := "1" + strings.Repeat("0", i)
			from, to := at.UTC().Format(time.RFC3339), at.UTC().Add(time.Hour).Format(time.RFC3339)
			text += strings.Join([]string{"2026-10-01T00:00:00Z", "2026-11-01T00:00:00Z", from, to, "acct", "Account", "USD", "s1", "客户s1",
				"VM", "Compute", "Usage", "", "a charge", "Usage-Based", "Nova", "Nova", "Nova", cost, cost, cost, cost, "r-" + cost, ""}, ",") + "\n"
		}
		path := filepath.Join(t.TempDir(), "october.csv")
		w.must(os.WriteFile(path, []byte(text), 0o600))

		const board, list = "/o/MUSHI/dashboards/expenditure?from=2026-10&to=2026-10", "/o/MUSHI/expenditure?cycle=2026-10"
		if r := w.at(october(15, 14, 30, 0), "partner").post("/o/MUSHI/assignments", "person", carer, "customer", "s1"); r.status != http.StatusSeeOther {
			t.Fatalf("assign: %d %s", r.status, text)
		}
		if r := w.at(october(20, 9, 15, 30), "partner").post("/o/MUSHI/assignments/withdrawal", "customer", "s1"); r.status != http.StatusSeeOther {
			t.Fatalf("take back: %d", r.status)
		}
		w.clock.Set(october(21, 9, 0, 0))
		_, err := w.app.Deliveries.Import(t.Context(), operator, delivery.Input{Source: "nova", Paths: []string{path}, Final: delivery.FinalMark{All: true}})
		w.must(err)

		sees := func(login, what string, want map[string]string) {
			t.Helper()
			v := w.at(october(21, 10, 0, 0), login)
			for at, total := range want {
				if got := shownOn(v.both(at)).total; got != total {
					t.Errorf("%s: %s at %s, want %s", what, got, at, total)
				}
			}
		}
		sees("partner", "the partner", map[string]string{board: "111111.00", list: "111111.00"})
		sees("carer", "the manager", map[string]string{board: "11110.00", list: "11000.00"})
		sees("keeper", "another manager", map[string]string{board: "0", list: ""}) // no group, and no line
		v := w.at(october(21, 10, 30, 0), "partner")
		if plan := v.both(board + "&by=manager"); !strings.Contains(rowsText(plan), "11,110.00") || !strings.Contains(rowsText(plan), "100,001.00") {
			t.Errorf("the groups are %s", rowsText(plan))
		}

		roles := []string{"role", account.RoleManager, "role", account.RoleFinance}
		warned := w.page("a second role", v.post("/o/MUSHI/members/"+carer+"/roles", append([]string{"preview", "yes"}, roles...)...), http.StatusOK)
		if !strings.Contains(warned.Find(".hb-check").Text(), "可见范围将扩大到全部客户") {
			t.Errorf("the second role is given with the words %s", warned.Find("main").Text())
		}
		sees("carer", "the manager, asked whether", map[string]string{board: "11110.00", list: "11000.00"})
		v = w.at(october(21, 11, 0, 0), "partner")
		if r := v.post("/o/MUSHI/members/"+carer+"/roles", roles...); r.status != http.StatusSeeOther {
			t.Fatalf("a second role: %d", r.status)
		}
		sees("carer", "the manager with a second role", map[string]string{board: "111111.00", list: "111111.00"})
	})
}
