package organisation

import (
	"strings"
	"testing"

	"huoban/internal/fault"
)

func TestCheckCode(t *testing.T) {
	for _, c := range []struct {
		kind Kind
		code string
		ok   bool
	}{
		{KindSolution, "P1", true},
		{KindSolution, "华为云伙伴", true},
		{KindSolution, "a.b_c-9", true},
		{KindSolution, strings.Repeat("x", 64), true},
		{KindSolution, strings.Repeat("x", 65), false},
		{KindSolution, "a/b", false},
		{KindSolution, "a,b", false},
		{KindSolution, "a b", false},
		{KindSolution, "", false},
		{KindSolution, "..", false},
		{KindSolution, "-x", false},
		{KindCustomer, "/subscriptions/64e355d7-997c-491d-b0c1-8414dccfcf42", true},
		{KindCustomer, "ocid1.tenancy.oc1..aaaaaaaa", true},
		{KindCustomer, "123456789012", true},
		{KindCustomer, "a#b?c%d", true},
		{KindCustomer, strings.Repeat("x", 128), true},
		{KindCustomer, strings.Repeat("x", 129), false},
		{KindCustomer, "~", false},
		{KindCustomer, "a\tb", false},
		{KindCustomer, "a\u200bb", false},
		{KindCustomer, "a\u00a0b", false},
		{KindCustomer, "a\xffb", false},
	} {
		err := CheckCode(c.kind, c.code)
		if (err == nil) != c.ok {
			t.Errorf("%s %q: %v", c.kind, c.code, err)
		}
		if err != nil && !fault.HasCode(err, "organisation.code_malformed") {
			t.Errorf("%q: %v", c.code, err)
		}
	}
}

func TestCheckParent(t *testing.T) {
	of := func(k Kind) *Organisation { return &Organisation{Code: "X", Kind: k} }
	for _, c := range []struct {
		kind   Kind
		parent *Organisation
		code   string
	}{
		{KindVendor, nil, ""},
		{KindVendor, of(KindVendor), "organisation.parent_refused"},
		{KindDistributor, nil, ""},
		{KindDistributor, of(KindVendor), ""},
		{KindDistributor, of(KindDistributor), "organisation.parent_refused"},
		{KindSolution, of(KindVendor), ""},
		{KindSeller, of(KindVendor), ""},
		{KindReseller, nil, "organisation.parent_missing"},
		{KindReseller, of(KindDistributor), ""},
		{KindReseller, of(KindVendor), "organisation.parent_refused"},
		{KindReseller, of(KindSolution), "organisation.parent_refused"},
		{KindCustomer, nil, ""},
		{KindCustomer, of(KindSolution), "organisation.parent_refused"},
		{Kind("friend"), nil, "organisation.kind_unknown"},
	} {
		err := CheckParent(c.kind, c.parent)
		if c.code == "" && err != nil || c.code != "" && !fault.HasCode(err, c.code) {
			t.Errorf("%s under %v: %v, want %q", c.kind, c.parent, err, c.code)
		}
	}
}

func TestCleanName(t *testing.T) {
	for _, c := range [][3]string{
		{" Acme  ", "C1", "Acme"}, {"", "C1", "C1"}, {"a\tb", "C1", "a b"}, {"\x01", "C1", "C1"},
		{strings.Repeat("名", 300), "C1", strings.Repeat("名", 200)},
	} {
		if got := cleanName(c[0], c[1]); got != c[2] {
			t.Errorf("cleanName(%q) = %q, want %q", c[0], got, c[2])
		}
	}
}

func TestEntityBook(t *testing.T) {
	b := &EntityBook{byID: map[string]Entity{"e1": {ID: "e1"}, "e2": {ID: "e2"}}, byPartner: map[string]string{"p1": "e2", "p2": ""},
		fallback: Entity{ID: "e1", IsDefault: true}}
	for partner, want := range map[string]string{"p1": "e2", "p2": "e1", "p3": "e1"} {
		if got := b.Of(partner).ID; got != want {
			t.Errorf("entity of %s is %s, want %s", partner, got, want)
		}
	}
}
