package app

import (
	"fmt"
	"slices"
	"testing"

	"huoban/internal/customer"
	"huoban/internal/fault"
)

// TestLabels: a batch is whole or nothing, letter case counts, a partner sees its own alone, a 客户经理 those of its own
// customers.
func TestLabels(t *testing.T) {
	eachGrowing(t, func(g *growing) {
		j, _ := g.married()
		id := j.Organisation.ID
		_, token := g.invite("P-admin", nil)
		second, err := g.register(token, g.details(2), "d-admin")
		if err != nil {
			t.Fatal(err)
		}
		both := []string{id, second.Organisation.ID}
		n, err := g.a.Customers.SetLabels(g.ctx, g.as("P-admin"), customer.LabelInput{CustomerIDs: both, Add: customer.SplitLabels("重点，vip VIP,vip")})
		if err != nil || n != 2 {
			t.Fatal(n, err)
		}
		if n, err = g.a.Customers.SetLabels(g.ctx, g.as("P-cm"), customer.LabelInput{CustomerIDs: both[:1], Add: []string{"重点"}, Remove: []string{"VIP"}}); err != nil || n != 1 {
			t.Error(n, err)
		}
		_, err = g.a.Customers.SetLabels(g.ctx, g.as("P-cm"), customer.LabelInput{CustomerIDs: both[1:], Add: []string{"x"}})
		g.refused("of another's customer", err, "customer.unknown")
		_, err = g.a.Customers.SetLabels(g.ctx, g.as("Q-admin"), customer.LabelInput{CustomerIDs: both[:1], Add: []string{"x"}})
		g.refused("of another partner's customer", err, "customer.unknown")
		got, err := g.a.Customers.Labels(g.ctx, g.as("P-admin"))
		if err != nil || !slices.Equal(got[id], []string{"vip", "重点"}) || len(got[both[1]]) != 3 {
			t.Errorf("%v %v", got, err)
		}
		if own, err := g.a.Customers.Labels(g.ctx, g.as("P-cm")); err != nil || len(own) != 1 {
			t.Errorf("the manager sees %v %v", own, err)
		}
		var many []string
		for i := range 9 {
			many = append(many, fmt.Sprint("l", i))
		}
		_, err = g.a.Customers.SetLabels(g.ctx, g.as("P-admin"), customer.LabelInput{CustomerIDs: both, Add: many})
		g.refused("too many", err, "customer.labels_too_many")
		if after, _ := g.a.Customers.Labels(g.ctx, g.as("P-admin")); len(after[id]) != 2 || len(after[both[1]]) != 3 {
			t.Errorf("half a batch: %v", after)
		}
		for _, bad := range []string{"", "a b", "\x00", "一二三四五六七八九十一二三四五六七八九十一二三四五"} {
			if _, err := g.a.Customers.PlanLabels(g.ctx, g.as("P-admin"), customer.LabelInput{CustomerIDs: both, Add: []string{bad}}); !fault.Is(err, fault.KindInvalid) {
				t.Errorf("%q: %v", bad, err)
			}
		}
	})
}
