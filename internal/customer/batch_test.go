package customer

import (
	"testing"
	"time"

	"huoban/internal/fault"
)

func TestBatchPlan(t *testing.T) {
	now := time.Date(2026, 10, 15, 6, 30, 0, 0, time.UTC)
	entry := func(id, partner, manager string, state State) Entry {
		return Entry{Association: Association{CustomerID: id, PartnerID: partner, State: state}, Customer: Party{ID: id, Code: id}, Manager: Carer{ID: manager}}
	}
	all := []Entry{entry("free", "p", "", StateActive), entry("mine", "p", "m", StateActive), entry("other", "p", "x", StateActive),
		entry("waiting", "p", "", StateAwaitingCustomer), entry("below", "reseller", "", StateActive)}
	for _, c := range []struct {
		in      BatchInput
		refused string // of the only customer
		same    bool
		fault   string
	}{
		{in: BatchInput{PersonID: "m", CustomerIDs: []string{"free", "free"}}},
		{in: BatchInput{PersonID: "m", CustomerIDs: []string{"mine"}}, same: true},
		{in: BatchInput{PersonID: "m", CustomerIDs: []string{"other"}}, refused: "customer.assigned"},
		{in: BatchInput{PersonID: "m", CustomerIDs: []string{"other"}, Replace: true}},
		{in: BatchInput{PersonID: "m", CustomerIDs: []string{"waiting"}}, refused: "customer.not_associated"},
		{in: BatchInput{CustomerIDs: []string{"other"}}},
		{in: BatchInput{CustomerIDs: []string{"free"}}, same: true},
		{in: BatchInput{PersonID: "m", CustomerIDs: []string{"below"}}, fault: "customer.unknown"},
		{in: BatchInput{PersonID: "m", CustomerIDs: []string{"free", "nobody"}}, fault: "customer.unknown"},
	} {
		steps, err := c.in.plan(all, "p", now)
		switch {
		case c.fault != "":
			if !fault.HasCode(err, c.fault) {
				t.Errorf("%+v: %v, want %s", c.in, err, c.fault)
			}
		case err != nil || len(steps) != 1:
			t.Errorf("%+v: %d steps, %v", c.in, len(steps), err)
		case (c.refused == "") != (steps[0].Refusal == nil) || c.refused != "" && !fault.HasCode(steps[0].Refusal, c.refused) || steps[0].Same != c.same:
			t.Errorf("%+v: refused %v, same %v", c.in, steps[0].Refusal, steps[0].Same)
		}
	}
	if err := (BatchInput{}).Validate(); !fault.HasCode(err, "customer.batch_empty") {
		t.Errorf("an empty batch: %v", err)
	}
	if err := (BatchInput{CustomerIDs: make([]string, MaxBatch+1)}).Validate(); !fault.HasCode(err, "customer.batch_too_long") {
		t.Errorf("a batch too long: %v", err)
	}
}
