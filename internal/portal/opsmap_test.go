package portal_test

import (
	"context"
	"encoding/json"
	"net/http"
	"strings"
	"testing"

	"huoban/internal/account"
)

func TestMapFile(t *testing.T) {
	w := newWorld(t)
	_, err := w.app.Accounts.AddPerson(context.Background(), operator, account.AddPersonInput{OrgCode: "NOVA", Login: "ops", Roles: []string{account.RoleOperations},
		Password: password, KeepPassword: true})
	w.must(err)
	ops := w.visitor("ops")
	ops.imported(focus("s1 VM 1.5", "s2 VM 2.25"))
	if n := ops.both("/o/NOVA/closes/2026-01").Find(`#checks a[href="/o/NOVA/mapping/new"]`).Length(); n != 2 {
		t.Errorf("%d ways to the map file", n)
	}
	ops.both("/o/NOVA/mapping/new")
	const head = "source,key,customer,partner,association,valid_from,valid_to\n"
	file := map[string]string{"map.csv": head + "nova,s1,CUST-1,MUSHI,resale,,\nnova,s2,CUST-2,MUSHI,resale,,\n"}

	w.page("dry run", ops.hand("/o/NOVA/mapping", "file", file, "dry_run", "true"), http.StatusOK)
	for name, text := range map[string]string{"unknown source": head + "none,s1,C,MUSHI,resale,,\n", "no map": "a,b\n1,2\n", "bad association": head + "nova,s1,C,MUSHI,gift,,\n"} {
		doc := w.page(name, ops.hand("/o/NOVA/mapping", "file", map[string]string{"map.csv": text}), http.StatusUnprocessableEntity)
		if doc.Find(".hb-refusal").Length() != 1 {
			t.Errorf("%s: no refusal shown", name)
		}
	}
	var res struct {
		Added int `json:"rules_added"`
	}
	for _, want := range []int{2, 0} {
		r := ops.program().hand("/o/NOVA/mapping", "file", file)
		w.must(json.Unmarshal([]byte(r.body), &res))
		if r.status != http.StatusOK || res.Added != want {
			t.Errorf("%d %s, want %d rules", r.status, r.body, want)
		}
	}
	if r := ops.hand("/o/NOVA/mapping", "file", file); r.location != "/o/NOVA/closes?done=mapped" {
		t.Errorf("%d %s", r.status, r.location)
	}
	if strings.Contains(ops.both("/o/NOVA").Find(".hb-duties").Text(), "未归属") {
		t.Error("lines are still unmapped")
	}
	stranger := w.visitor("stranger")
	if r := stranger.program().hand("/o/OTHER/mapping", "file", file); r.status != http.StatusUnprocessableEntity || !strings.Contains(r.body, "attribution.row_source_unknown") {
		t.Errorf("a stranger maps another vendor's source: %d %s", r.status, r.body)
	}
	if r := w.visitor("auditor").hand("/o/NOVA/mapping", "file", file); r.status != http.StatusForbidden {
		t.Errorf("the auditor maps: %d", r.status)
	}
}
