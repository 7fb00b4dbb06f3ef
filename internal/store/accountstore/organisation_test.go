package accountstore_test

import (
	"slices"
	"testing"
	"time"

	"huoban/internal/customer"
	"huoban/internal/fault"
	"huoban/internal/organisation"
	"huoban/internal/scope"
	"huoban/internal/store"
	"huoban/internal/store/storetest"
)

func codesOf(list []organisation.Organisation) []string {
	var out []string
	for _, o := range list {
		out = append(out, o.Code)
	}
	slices.Sort(out)
	return out
}

func TestOrganisations(t *testing.T) {
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		w := newWorld(t, db).cast()
		before := len(w.acts())
		again, err := w.orgs.Add(w.ctx, operator, organisation.AddInput{Code: "jingxiao", Kind: organisation.KindReseller, Name: "经销", ParentCode: "zongdai"})
		w.must(err)
		if again.Added || again.Organisation.ID != w.org["jingxiao"].ID || len(w.acts()) != before {
			t.Errorf("the same again: %+v", again)
		}
		for code, in := range map[string]organisation.AddInput{
			"organisation.code_taken":     {Code: "fangan", Kind: organisation.KindSolution, Name: "Another"},
			"organisation.unknown":        {Code: "x1", Kind: organisation.KindReseller, Name: "x", ParentCode: "nobody"},
			"organisation.parent_missing": {Code: "x1", Kind: organisation.KindReseller, Name: "x"},
			"organisation.parent_refused": {Code: "x1", Kind: organisation.KindReseller, Name: "x", ParentCode: "fangan"},
			"organisation.kind_unknown":   {Code: "x1", Kind: "friend", Name: "x"},
			"organisation.code_malformed": {Code: "x 1", Kind: organisation.KindSolution, Name: "x"},
		} {
			_, err := w.orgs.Add(w.ctx, operator, in)
			w.refused(err, code)
		}
		entities, err := w.orgs.Entities(w.ctx, w.org["yunfan"].ID)
		w.must(err)
		if len(entities) != 1 || entities[0].Code != "yunfan" || !entities[0].IsDefault {
			t.Errorf("a new vendor's entities: %+v", entities)
		}
		vendors, err := w.orgs.VendorsOf(w.ctx, w.org["jingxiao"])
		w.must(err)
		if got := codesOf(vendors); !slices.Equal(got, []string{"yunfan"}) {
			t.Errorf("a reseller's vendors: %v", got)
		}
	})
}

func TestEnsure(t *testing.T) {
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		w := newWorld(t, db)
		for range 2 {
			v, err := w.orgs.EnsureVendor(w.ctx, operator, "ACME")
			w.must(err)
			p, err := w.orgs.EnsurePartner(w.ctx, operator, "P1", v.ID)
			w.must(err)
			c, err := w.orgs.EnsureCustomer(w.ctx, operator, "/subscriptions/1", "Dev & Test")
			w.must(err)
			if v.Kind != organisation.KindVendor || p.Kind != organisation.KindSolution || c.Kind != organisation.KindCustomer || c.Name != "Dev & Test" {
				t.Errorf("%+v %+v %+v", v, p, c)
			}
			own, err := w.orgs.EnsureCustomer(w.ctx, operator, "P1", "")
			w.must(err)
			if own.ID != p.ID {
				t.Error("a partner's own consumption needs no second organisation")
			}
			_, err = w.orgs.EnsurePartner(w.ctx, operator, "ACME", v.ID)
			w.refused(err, "organisation.kind_mismatch")
			_, err = w.orgs.EnsureCustomer(w.ctx, operator, "ACME", "")
			w.refused(err, "organisation.kind_mismatch")
			_, err = w.orgs.EnsureVendor(w.ctx, operator, "a/b")
			w.refused(err, "organisation.code_malformed")
		}
		all, err := w.orgs.List(w.ctx, operator)
		w.must(err)
		if got := codesOf(all); !slices.Equal(got, []string{"/subscriptions/1", "ACME", "P1"}) {
			t.Errorf("%v", got)
		}
	})
}

func TestEntities(t *testing.T) {
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		w := newWorld(t, db).cast()
		vendor, partner := w.org["yunfan"].ID, w.org["fangan"].ID
		fin := w.scope(w.person("yunfan", "fin", "finance"), "yunfan")
		for range 2 {
			_, err := w.orgs.AddEntity(w.ctx, fin, organisation.EntityInput{VendorID: vendor, Code: "yf-hk", Name: "云帆香港", TaxInDue: true})
			w.must(err)
		}
		_, err := w.orgs.AddEntity(w.ctx, fin, organisation.EntityInput{VendorID: vendor, Code: "yf-hk", Name: "Another"})
		w.refused(err, "organisation.entity_taken")
		_, err = w.orgs.AddEntity(w.ctx, fin, organisation.EntityInput{VendorID: w.org["other"].ID, Code: "x", Name: "x"})
		w.refused(err, "organisation.unknown")
		of := func() string {
			t.Helper()
			b, err := w.orgs.EntityBook(w.ctx, vendor)
			w.must(err)
			return b.Of(partner).Code
		}
		if of() != "yunfan" {
			t.Error(of())
		}
		w.must(w.orgs.AssignEntity(w.ctx, fin, vendor, partner, "yf-hk"))
		if of() != "yf-hk" {
			t.Error(of())
		}
		w.must(w.orgs.AssignEntity(w.ctx, fin, vendor, partner, ""))
		for range 2 {
			w.must(w.orgs.SetDefaultEntity(w.ctx, fin, vendor, "yf-hk"))
		}
		if of() != "yf-hk" {
			t.Error(of())
		}
		w.refused(w.orgs.SetDefaultEntity(w.ctx, fin, vendor, "nobody"), "organisation.entity_unknown")
		w.refused(w.orgs.AssignEntity(w.ctx, fin, vendor, w.org["c1"].ID, "yf-hk"), "organisation.no_partnership")
		clerk := w.scope(w.person("yunfan", "clerk", "invoice_clerk"), "yunfan")
		w.refused(w.orgs.SetDefaultEntity(w.ctx, clerk, vendor, "yunfan"), "scope.permission_missing")
	})
}

func TestVisibleOrganisations(t *testing.T) {
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		w := newWorld(t, db).cast()
		for _, l := range [][2]string{{"c1", "zongdai"}, {"c2", "jingxiao"}, {"c3", "fangan"}} {
			w.associate(l[0], l[1], customer.KindResale, "", "")
		}
		ops := w.scope(w.person("yunfan", "ops", "operations"), "yunfan")
		_, err := w.orgs.Add(w.ctx, ops, organisation.AddInput{Code: "c4", Kind: organisation.KindCustomer, Name: "客户四"})
		w.must(err)
		_, err = w.orgs.Add(w.ctx, ops, organisation.AddInput{Code: "v2", Kind: organisation.KindVendor, Name: "v2"})
		w.refused(err, "organisation.operator_only")
		_, err = w.orgs.Add(w.ctx, ops, organisation.AddInput{Code: "p9", Kind: organisation.KindSolution, Name: "p9", ParentCode: "other"})
		w.refused(err, "organisation.unknown")
		stranger := w.scope(w.person("other", "stranger", "admin"), "other")
		for _, c := range []struct {
			who  scope.Scope
			want []string
		}{
			{operator, []string{"c1", "c2", "c3", "c4", "fangan", "jingxiao", "other", "yunfan", "zongdai"}},
			{ops, []string{"c4", "fangan", "jingxiao", "yunfan", "zongdai"}}, // c1–c3 are nobody's by mapping yet
			{stranger, []string{"other"}},
			{w.scope(w.person("zongdai", "zd", "admin"), "zongdai"), []string{"c1", "c2", "jingxiao", "yunfan", "zongdai"}},
			{w.scope(w.person("jingxiao", "jx", "admin"), "jingxiao"), []string{"c2", "jingxiao", "zongdai"}},
			{w.scope(w.person("fangan", "fa", "admin"), "fangan"), []string{"c3", "fangan", "yunfan"}},
			{w.scope(w.person("fangan", "mgr", "manager"), "fangan"), []string{"fangan", "yunfan"}},
			{w.scope(w.person("c2", "buyer", "admin"), "c2"), []string{"c2", "jingxiao"}},
			{scope.Scope{}, nil},
		} {
			got, err := w.orgs.List(w.ctx, c.who)
			w.must(err)
			if !slices.Equal(codesOf(got), c.want) {
				t.Errorf("%s %s sees %v, want %v", c.who.Side(), c.who.Login(), codesOf(got), c.want)
			}
			for _, code := range []string{"c1", "c4", "zongdai", "other"} {
				_, err := w.orgs.ByCode(w.ctx, c.who, code)
				if seen := err == nil; seen != slices.Contains(c.want, code) || err != nil && !fault.HasCode(err, "organisation.unknown") {
					t.Errorf("%s asks for %s: %v", c.who.Login(), code, err)
				}
			}
		}
	})
}

// associate enters an association as the operator.
func (w *world) associate(customerCode, partnerCode string, kind customer.Kind, from, to string) customer.Association {
	w.t.Helper()
	r, err := w.customers.Associate(w.ctx, operator, customer.AssociateInput{CustomerID: w.org[customerCode].ID,
		PartnerID: w.org[partnerCode].ID, Kind: kind, From: w.day(from), To: w.day(to)})
	w.must(err)
	return r.Association
}

func (w *world) day(text string) time.Time {
	w.t.Helper()
	if text == "" {
		return time.Time{}
	}
	d, err := time.Parse("2006-01-02", text)
	w.must(err)
	return d
}
