package app

import (
	"context"
	"flag"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"huoban/internal/account"
	"huoban/internal/flow"
	"huoban/internal/flow/flowtest"
	"huoban/internal/i18n"
	"huoban/internal/scope"
)

const flowDocs = "../../docs/flows"

func label(lang, key string) string {
	return i18n.T(i18n.With(context.Background(), i18n.Lang(lang)), key)
}

// roles are nobody, every preset role and the system.
func roles() []flowtest.Actor {
	out := []flowtest.Actor{{Name: "nobody"}}
	for _, side := range []scope.Side{scope.SideVendor, scope.SidePartner, scope.SideCustomer} {
		for _, r := range account.Presets(side) {
			a := flowtest.Actor{Name: string(side) + " " + r.Code}
			switch side {
			case scope.SideVendor:
				a.Who = scope.Vendor("org", "person", "login", r.Items)
			case scope.SidePartner:
				a.Who = scope.Partner("org", "person", "login", r.Items, nil)
			case scope.SideCustomer:
				a.Who = scope.Customer("org", "person", "login", r.Items)
			}
			out = append(out, a)
		}
	}
	return append(out, flowtest.Actor{Name: "system", Who: scope.System("system")})
}

func TestMachines(t *testing.T) {
	update := flag.Lookup("update").Value.String() == "true"
	seen := map[string]bool{}
	for _, e := range Machines {
		d := e.Machine.Describe()
		if seen[d.Machine] {
			t.Errorf("two machines are called %s", d.Machine)
		}
		seen[d.Machine] = true
		t.Run(d.Machine, func(t *testing.T) {
			for _, err := range e.Machine.Check() {
				t.Error(err)
			}
			flowtest.MatrixOf(t, e.Machine, roles())
			flowtest.Labels(t, e.Machine)
			flowtest.CheckList(t, e.Machine, e.Table, e.Column)
			if update {
				if err := flow.WriteDocs(flowDocs, label, e.Machine); err != nil {
					t.Fatal(err)
				}
			}
			var want strings.Builder
			if err := flow.Doc(&want, label, e.Machine); err != nil {
				t.Fatal(err)
			}
			got, err := os.ReadFile(filepath.Join(flowDocs, d.Machine+".md"))
			if err != nil || string(got) != want.String() {
				t.Errorf("docs/flows/%s.md is not what its table says; run go generate ./internal/app (%v)", d.Machine, err)
			}
		})
	}
}

// TestEveryTableIsListed finds machines in the source that Machines does not list.
func TestEveryTableIsListed(t *testing.T) {
	files, err := filepath.Glob("../*/flow.go")
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range files {
		body, err := os.ReadFile(f)
		if err != nil {
			t.Fatal(err)
		}
		_, rest, ok := strings.Cut(string(body), "\tMachine: \"")
		name, _, _ := strings.Cut(rest, `"`)
		if !ok || name == "" {
			continue
		}
		listed := false
		for _, e := range Machines {
			listed = listed || e.Machine.Describe().Machine == name
		}
		if !listed && f != "../flow/flow.go" {
			t.Errorf("%s: machine %s is not in Machines", f, name)
		}
	}
}

// explained says where the words of a machine's states stand: what each means and what comes next.
var explained = map[string][2]string{
	"association":    {"association.meaning.", "association.next."},
	"delivery":       {"ops.delivery.meaning.", "ops.delivery.next."},
	"close":          {"ops.close.meaning.", "ops.close.next."},
	"adjustment":     {"adjustment.meaning.", "adjustment.next."},
	"export":         {"exports.meaning.", "exports.next."},
	"company_change": {"company.meaning.", "company.next."},
	"platform":       {"platform.meaning.", "platform.next."},
	"invoice":        {"invoice.meaning.", "invoice.next."},
}

// TestStatesAreExplained: every state of the machines whose words pages open has its meaning and its next step.
func TestStatesAreExplained(t *testing.T) {
	for _, e := range Machines {
		d := e.Machine.Describe()
		keys, known := explained[d.Machine]
		if !known {
			continue
		}
		for _, state := range d.States {
			for _, prefix := range keys {
				if !i18n.Has(prefix + state) {
					t.Errorf("%s: no words for %s%s", d.Machine, prefix, state)
				}
			}
		}
	}
}
