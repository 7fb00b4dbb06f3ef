package app

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"huoban/internal/account"
	"huoban/internal/customer"
	"huoban/internal/organisation"
	"huoban/internal/scope"
)

// TestTrailOfACustomer: a customer sees who looked after it, whose names were shown and taken, what became of its
// associations and of its partner; another customer sees nothing of it, and neither engine needs the program's own eyes.
func TestTrailOfACustomer(t *testing.T) {
	eachHall(t, func(t *testing.T, p *hall) {
		ctx := t.Context()
		own := p.add(organisation.AddInput{Code: "C1", Kind: organisation.KindCustomer, Name: "东山科技"})
		other := p.add(organisation.AddInput{Code: "C2", Kind: organisation.KindCustomer, Name: "西湖文化"})
		var carers []string
		for _, login := range []string{"wang", "zhao"} {
			who, err := p.Accounts.AddPerson(ctx, p.op, account.AddPersonInput{OrgCode: "P1", Login: login, Name: strings.ToUpper(login), Password: "Huoban-test-2026", Roles: []string{account.RoleManager}})
			if err != nil {
				t.Fatal(err)
			}
			carers = append(carers, who.Person.ID)
		}
		for _, c := range []organisation.Organisation{own, other} {
			if _, err := p.Customers.Associate(ctx, p.op, customer.AssociateInput{CustomerID: c.ID, PartnerID: p.one.ID, Kind: customer.KindResale, From: jumpDay}); err != nil {
				t.Fatal(err)
			}
		}
		partner := scope.Partner(p.one.ID, "person-P1", "boss", []scope.Item{scope.ItemAssignmentChange, scope.ItemAssignmentView, scope.ItemCustomerView}, nil)
		later := func() { p.now.Set(p.now.Now().Add(time.Hour)) }
		must := func(err error) {
			t.Helper()
			if err != nil {
				t.Fatal(err)
			}
			later()
		}
		later()
		_, err := p.Customers.Assign(ctx, partner, customer.AssignInput{CustomerID: own.ID, PersonID: carers[0]})
		must(err)
		_, err = p.Customers.Assign(ctx, partner, customer.AssignInput{CustomerID: own.ID, PersonID: carers[1]})
		must(err)
		for range 2 { // of one day it is one line
			must(p.Customers.Saw(ctx, partner, customer.ActReveal, "customers", []string{"C1", "P1", "none", "C1"}))
		}
		must(p.Customers.Saw(ctx, partner, customer.ActExport, "bill.lines", []string{"C1", "C2"}))
		must(p.Customers.Saw(ctx, p.op, customer.ActReveal, "customers", []string{"C1"})) // the program is no partner
		_, err = p.Organisations.Suspend(ctx, p.op, "P1", "合同到期")
		must(err)
		_, err = p.Organisations.Resume(ctx, p.op, "P1", "续约")
		must(err)
		must(p.Customers.Unassign(ctx, partner, own.ID))
		list, err := p.Customers.Of(ctx, own.ID)
		must(err)
		_, err = p.Customers.End(ctx, p.op, list[0].ID, time.Time{})
		must(err)

		items := []scope.Item{scope.ItemAssociationView}
		read := func(org organisation.Organisation) (out []string) {
			t.Helper()
			sc := scope.Customer(org.ID, "person", "c", items)
			all, err := p.Customers.Trail(scope.With(ctx, sc), sc)
			if err != nil {
				t.Fatal(err)
			}
			for _, e := range all {
				if e.PartnerID != p.one.ID {
					t.Errorf("%+v is of another partner", e)
				}
				out = append(out, fmt.Sprint(e.Kind, " ", e.What, " ", e.From.Name, " ", e.To.Name, " ", e.Times))
			}
			return out
		}
		want := []string{"association end   0", "care end ZHAO  0", "suspend resume   1", "suspend suspend   1", "export bill.lines   1", "reveal customers   2", "care pass WANG ZHAO 0", "care begin  WANG 0",
			"association begin.active   0"}
		if got := read(own); !slices.Equal(got, want) {
			t.Errorf("its own trail\n%s\nwant\n%s", strings.Join(got, "\n"), strings.Join(want, "\n"))
		}
		if got := read(other); !slices.Equal(got, []string{"suspend resume   1", "suspend suspend   1", "export bill.lines   1", "association begin.active   0"}) {
			t.Errorf("the other's trail\n%s", strings.Join(got, "\n"))
		}
		if _, err := p.Customers.Trail(ctx, partner); err == nil {
			t.Error("a partner reads a customer's trail")
		}
	})
}
