package portal_test

import (
	"context"
	"encoding/json"
	"net/http"
	"strings"
	"testing"

	"huoban/internal/account"
)

func TestAdjustments(t *testing.T) {
	for _, program := range []bool{false, true} {
		w := newWorld(t)
		_, err := w.app.Accounts.AddPerson(context.Background(), operator, account.AddPersonInput{OrgCode: "NOVA", Login: "second", Roles: []string{account.RoleFinance},
			Password: password, KeepPassword: true})
		w.must(err)
		boss, second := w.visitor("boss"), w.visitor("second")
		boss.both("/o/NOVA/adjustments")
		boss.both("/o/NOVA/adjustments/new")
		entry := []string{"partner", "MUSHI", "cycle", "2026-01", "currency", "usd", "amount", "-12.5", "reason", "goodwill"}

		doc := w.page("no amount", boss.post("/o/NOVA/adjustments", "partner", "MUSHI", "cycle", "2026-01", "currency", "USD", "amount", "x", "reason", "goodwill"), http.StatusUnprocessableEntity)
		if doc.Find("textarea[name=reason]").Text() != "goodwill" || doc.Find("select[name=partner] option[selected]").AttrOr("value", "") != "MUSHI" {
			t.Error("what was typed is lost")
		}
		w.page("unknown partner", boss.post("/o/NOVA/adjustments", "partner", "NOBODY", "cycle", "2026-01", "currency", "USD", "amount", "1", "reason", "x"), http.StatusUnprocessableEntity)

		boss.json = program
		for range 2 {
			if r := boss.withKey("a-1").post("/o/NOVA/adjustments", entry...); r.status >= 400 {
				t.Fatalf("propose: %d %s", r.status, text(r.body))
			}
		}
		boss.json = false
		list := boss.both("/o/NOVA/adjustments?state=proposed")
		if n := list.Find("tbody tr").Length(); n != 1 {
			t.Fatalf("%d adjustments for one key", n)
		}
		if n := list.Find("tbody form").Length(); n != 0 {
			t.Error("who entered it is offered the decision")
		}
		form := second.both("/o/NOVA/adjustments").Find("tbody form").First()
		at := strings.TrimSuffix(form.AttrOr("action", ""), "/approval")
		if r := boss.post(at + "/approval"); r.status != http.StatusForbidden {
			t.Errorf("approved by who entered it: %d", r.status)
		}
		if r := w.visitor("stranger").post(strings.Replace(at, "NOVA", "OTHER", 1) + "/approval"); r.status != http.StatusNotFound {
			t.Errorf("approved by a stranger: %d", r.status)
		}
		second.json = program
		if r := second.post(at + "/rejection"); r.status != http.StatusUnprocessableEntity {
			t.Errorf("rejected without reason: %d", r.status)
		}
		r := second.post(at + "/approval")
		if r.status >= 400 {
			t.Fatalf("approve: %d %s", r.status, text(r.body))
		}
		if program {
			var a struct{ State, Amount, Cycle string }
			w.must(json.Unmarshal([]byte(r.body), &a))
			if a.State != "approved" || a.Amount != "-12.5" || a.Cycle != "2026-01" {
				t.Errorf("%+v", a)
			}
		}
		if r := second.post(at+"/rejection", "reason", "late"); r.status != http.StatusConflict {
			t.Errorf("decided twice: %d", r.status)
		}
	}
}
