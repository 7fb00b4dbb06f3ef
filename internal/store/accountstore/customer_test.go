package accountstore_test

import (
	"slices"
	"sync"
	"testing"
	"time"

	"huoban/internal/account"
	"huoban/internal/customer"
	"huoban/internal/fault"
	"huoban/internal/organisation"
	"huoban/internal/store"
	"huoban/internal/store/storetest"
)

func TestAssociate(t *testing.T) {
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		w := newWorld(t, db).cast()
		c1, p1, p2 := w.org["c1"].ID, w.org["fangan"].ID, w.org["zongdai"].ID
		a := w.associate("c1", "fangan", customer.KindResale, "", "")
		if a.State != customer.StateActive || a.ConsentNote != customer.ConsentByVendor {
			t.Errorf("%+v", a)
		}
		if again := w.associate("c1", "fangan", customer.KindResale, "2024-01-01", ""); again.ID != a.ID {
			t.Error("what stands already was entered again")
		}
		in := customer.AssociateInput{CustomerID: c1, PartnerID: p2, Kind: customer.KindResale, From: w.day("2024-10-01")}
		_, err := w.customers.Associate(w.ctx, operator, in)
		w.refused(err, "customer.association_overlap")
		in.Replace = true
		_, err = w.customers.Associate(w.ctx, operator, in)
		w.must(err)
		book, err := w.customers.Book(w.ctx)
		w.must(err)
		for at, want := range map[string]string{"1970-01-01": p1, "2024-09-30": p1, "2024-10-01": p2, "2030-01-01": p2} {
			if got, _, _ := book.PartnerAt(c1, w.day(at)); got != want {
				t.Errorf("on %s %s, want %s", at, got, want)
			}
		}
		for code, bad := range map[string]customer.AssociateInput{
			"customer.kind_unknown":        {CustomerID: c1, PartnerID: p1, Kind: "friend"},
			"customer.interval_empty":      {CustomerID: c1, PartnerID: p1, Kind: "resale", From: w.day("2025-01-01"), To: w.day("2025-01-01")},
			"customer.association_overlap": {CustomerID: c1, PartnerID: p1, Kind: "referral", From: w.day("2024-01-01"), To: w.day("2024-02-01")},
			"customer.not_a_customer":      {CustomerID: p1, PartnerID: p2, Kind: "resale"},
			"customer.not_a_partner":       {CustomerID: c1, PartnerID: w.org["yunfan"].ID, Kind: "resale"},
			"organisation.unknown":         {CustomerID: "nobody", PartnerID: p1, Kind: "resale"},
		} {
			_, err := w.customers.Associate(w.ctx, operator, bad)
			w.refused(err, code)
		}
		partner := w.scope(w.person("fangan", "fa", "admin"), "fangan")
		_, err = w.customers.Associate(w.ctx, partner, customer.AssociateInput{CustomerID: c1, PartnerID: p1, Kind: "resale"})
		w.refused(err, "customer.vendor_decides")
		_, err = w.customers.Do(w.ctx, partner, customer.DoInput{ID: a.ID, Do: customer.ActionEnd})
		w.refused(err, "flow.not_from_state")
	})
}

func TestConsent(t *testing.T) {
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		w := newWorld(t, db).cast()
		partner := w.scope(w.person("fangan", "fa", "admin"), "fangan")
		rival := w.scope(w.person("zongdai", "zd", "admin"), "zongdai")
		buyer := w.scope(w.person("c1", "buyer", "admin"), "c1")
		clerk := w.scope(w.person("fangan", "fin", "finance"), "fangan")
		in := customer.ProposeInput{CustomerID: w.org["c1"].ID, PartnerID: w.org["fangan"].ID, Kind: customer.KindReferral}
		_, err := w.customers.Propose(w.ctx, clerk, in)
		w.refused(err, "scope.permission_missing")
		_, err = w.customers.Propose(w.ctx, rival, in)
		w.refused(err, "customer.not_a_party")
		a, err := w.customers.Propose(w.ctx, partner, in)
		w.must(err)
		if again, err := w.customers.Propose(w.ctx, partner, in); err != nil || again.ID != a.ID {
			t.Errorf("%+v %v", again, err)
		}
		book, err := w.customers.Book(w.ctx)
		w.must(err)
		if _, _, ok := book.PartnerAt(w.org["c1"].ID, w.clock.Now()); ok {
			t.Error("a proposal counts before consent")
		}
		_, err = w.customers.Do(w.ctx, partner, customer.DoInput{ID: a.ID, Do: customer.ActionAccept})
		w.refused(err, "customer.customer_decides")
		_, err = w.customers.Do(w.ctx, rival, customer.DoInput{ID: a.ID, Do: customer.ActionAccept})
		w.refused(err, "customer.association_unknown")
		_, err = w.customers.Do(w.ctx, buyer, customer.DoInput{ID: a.ID, Do: customer.ActionRefuse})
		w.refused(err, "flow.reason_missing")
		got, err := w.customers.Do(w.ctx, buyer, customer.DoInput{ID: a.ID, Do: customer.ActionAccept})
		w.must(err)
		if got.State != customer.StateActive || !got.From.Equal(w.clock.Now()) || got.ConsentNote != "accepted_by:buyer" {
			t.Errorf("%+v", got)
		}
		second, err := w.customers.Propose(w.ctx, rival, customer.ProposeInput{CustomerID: w.org["c1"].ID, PartnerID: w.org["zongdai"].ID, Kind: customer.KindResale})
		w.must(err)
		_, err = w.customers.Do(w.ctx, buyer, customer.DoInput{ID: second.ID, Do: customer.ActionAccept})
		w.refused(err, "customer.association_overlap")
		w.clock.Set(w.clock.Now().Add(time.Hour))
		_, err = w.customers.End(w.ctx, operator, a.ID, time.Time{})
		w.must(err)
		_, err = w.customers.Do(w.ctx, buyer, customer.DoInput{ID: second.ID, Do: customer.ActionAccept})
		w.must(err)
		list, err := w.customers.Associations(w.ctx, partner)
		w.must(err)
		if len(list) != 1 || list[0].State != customer.StateEnded {
			t.Errorf("the partner sees %+v", list)
		}
	})
}

// Two writers that both find room must not both take it.
func TestAssociateRace(t *testing.T) {
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		w := newWorld(t, db).cast()
		partners := []string{"fangan", "zongdai", "jingxiao"}
		var wg sync.WaitGroup
		var mu sync.Mutex
		codes := map[string]int{}
		for i := range 6 {
			wg.Go(func() {
				_, err := w.customers.Associate(w.ctx, operator, customer.AssociateInput{CustomerID: w.org["c1"].ID,
					PartnerID: w.org[partners[i%3]].ID, Kind: customer.KindResale, From: w.day("2024-01-01").AddDate(0, 0, i)})
				mu.Lock()
				defer mu.Unlock()
				code := ""
				if err != nil {
					code = fault.From(err).Code
				}
				codes[code]++
			})
		}
		wg.Wait()
		list, err := w.customers.Associations(w.ctx, operator)
		w.must(err)
		if len(list) != 1 || codes["customer.association_overlap"]+codes[""] != 6 {
			t.Errorf("%d associations, outcomes %v", len(list), codes)
		}
	})
}

func TestAssignments(t *testing.T) {
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		w := newWorld(t, db).cast()
		for _, c := range []string{"c1", "c2", "c3"} {
			w.associate(c, "fangan", customer.KindResale, "", "")
		}
		anna, bert := w.person("fangan", "anna", "manager"), w.person("fangan", "bert", "manager")
		boss := w.person("fangan", "boss", "supervisor")
		chief := w.scope(w.person("fangan", "chief", "admin"), "fangan")
		w.must(w.accounts.SetSupervisor(w.ctx, chief, "anna", "boss"))
		w.refused(w.accounts.SetSupervisor(w.ctx, chief, "boss", "anna"), "account.not_manager")
		w.refused(w.accounts.SetSupervisor(w.ctx, chief, "anna", "bert"), "account.not_supervisor")

		c1, c2 := w.org["c1"].ID, w.org["c2"].ID
		today := w.clock.Now()
		start := today
		_, err := w.customers.Assign(w.ctx, chief, customer.AssignInput{CustomerID: c1, PersonID: anna.ID})
		w.must(err)
		_, err = w.customers.Assign(w.ctx, chief, customer.AssignInput{CustomerID: c1, PersonID: boss.ID})
		w.refused(err, "customer.not_manager")
		_, err = w.customers.Assign(w.ctx, chief, customer.AssignInput{CustomerID: w.org["yunfan"].ID, PersonID: anna.ID})
		w.refused(err, "customer.not_associated")

		sees := func(p account.Person, customerID string, at time.Time) bool {
			t.Helper()
			sc := w.scope(p, "fangan")
			if _, limited := sc.Windows(); !limited {
				t.Fatalf("%s is not limited", p.Login)
			}
			return sc.SeesCustomerAt(customerID, at)
		}
		if !sees(anna, c1, today) || !sees(anna, c1, start) || sees(anna, c1, start.Add(-time.Microsecond)) || sees(anna, c2, today) {
			t.Error("a manager sees from the moment of assignment on, and assigned customers only")
		}
		if !sees(boss, c1, today) || sees(bert, c1, today) {
			t.Error("a supervisor sees the team, another manager does not")
		}
		own := w.scope(boss, "fangan")
		_, err = w.customers.Assign(w.ctx, own, customer.AssignInput{CustomerID: c2, PersonID: bert.ID})
		w.refused(err, "customer.other_team")
		_, err = w.customers.Assign(w.ctx, own, customer.AssignInput{CustomerID: c2, PersonID: anna.ID})
		w.must(err)

		w.clock.Set(today.AddDate(0, 0, 3))
		_, err = w.customers.Assign(w.ctx, chief, customer.AssignInput{CustomerID: c1, PersonID: bert.ID})
		w.must(err)
		if sees(anna, c1, w.clock.Now()) || !sees(anna, c1, today) || !sees(bert, c1, w.clock.Now()) || sees(bert, c1, today) {
			t.Error("each manager sees the own time")
		}
		w.must(w.customers.Unassign(w.ctx, chief, c2))
		w.clock.Set(w.clock.Now().Add(time.Second))
		if sees(anna, c2, w.clock.Now()) {
			t.Error("a customer taken back is still seen")
		}
	})
}

// What ends an association or a role ends what rests on it.
func TestCareEndsWithItsGround(t *testing.T) {
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		w := newWorld(t, db).cast()
		w.associate("c1", "fangan", customer.KindResale, "", "")
		c1 := w.org["c1"].ID
		bert, boss := w.person("fangan", "bert", "manager"), w.person("fangan", "boss", "supervisor")
		chief := w.scope(w.person("fangan", "chief", "admin"), "fangan")
		w.must(w.accounts.SetSupervisor(w.ctx, chief, bert.Login, boss.Login))
		_, err := w.customers.Assign(w.ctx, chief, customer.AssignInput{CustomerID: c1, PersonID: bert.ID})
		w.must(err)
		list, err := w.customers.Associations(w.ctx, operator)
		w.must(err)
		i := slices.IndexFunc(list, func(a customer.Association) bool { return a.CustomerID == c1 })
		_, err = w.customers.End(w.ctx, operator, list[i].ID, time.Time{})
		w.must(err)
		if w.clock.Set(w.clock.Now().Add(time.Second)); w.scope(bert, "fangan").SeesCustomerAt(c1, w.clock.Now()) {
			t.Error("care goes on after the association ended")
		}
		w.must(w.accounts.SetRoles(w.ctx, chief, "boss", "fangan", []string{"finance"}))
		p, err := w.accounts.PersonByLogin(w.ctx, "bert")
		w.must(err)
		if p.SupervisorID != "" {
			t.Error("a manager keeps a supervisor who is none")
		}
		visible, err := w.orgs.List(w.ctx, w.scope(p, "fangan"))
		w.must(err)
		if slices.ContainsFunc(visible, func(o organisation.Organisation) bool { return o.Code == "c2" }) {
			t.Error("a manager lists a customer never assigned")
		}
	})
}
