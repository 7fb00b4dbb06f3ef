package payment

import (
	"testing"
	"time"

	"pgregory.net/rapid"

	"huoban/internal/flow/flowtest"
	"huoban/internal/money"
)

func TestMachine(t *testing.T) {
	flowtest.All(t, Flow, "bill_payment", "state")
	due := time.Date(2026, 11, 5, 4, 0, 0, 0, time.UTC)
	facts := Facts{DueAt: due, Remaining: 10 * money.Unit, Amount: 10 * money.Unit}
	with := func(change func(*Facts)) Facts { f := facts; change(&f); return f }
	pass := flowtest.Example[Facts]{Facts: facts, Who: system, Now: due}
	flowtest.Guards(t, Flow, map[string]flowtest.Examples[Facts]{
		"is_due":   {Pass: pass, Refuse: flowtest.Example[Facts]{Facts: facts, Who: system, Now: due.Add(-time.Microsecond)}},
		"not_more": {Pass: pass, Refuse: flowtest.Example[Facts]{Facts: with(func(f *Facts) { f.Amount++ }), Who: system, Now: due}},
		"whole":    {Pass: pass, Refuse: flowtest.Example[Facts]{Facts: with(func(f *Facts) { f.Amount-- }), Who: system, Now: due}},
	})
}

// TestWalk: however a bill is paid, what is paid never passes what is due, and paid is paid in full and for ever.
func TestWalk(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		b := Bill{State: StateIssued, Due: money.Amount(rapid.Int64Range(1, 1e12).Draw(rt, "due"))}
		for range 30 {
			amount := money.Amount(rapid.Int64Range(0, int64(b.Due)+2).Draw(rt, "amount"))
			if rapid.Bool().Draw(rt, "all") {
				amount = b.Remaining()
			}
			do := rapid.SampledFrom(Flow.Actions()).Draw(rt, "do")
			if do == ActionFallDue {
				amount = 0
			}
			row, err := Flow.Decide(b.State, do, Facts{Remaining: b.Remaining(), Amount: amount}, system, time.Unix(0, 0))
			if err != nil {
				continue
			}
			b.State, b.Paid = row.To, b.Paid+amount
			if b.Paid > b.Due || b.State == StatePaid && b.Remaining() != 0 {
				rt.Fatalf("%+v after %s of %v", b, do, amount)
			}
		}
	})
}

// TestDueAt: noon of the 5th in GMT+8, or later when the bill came later.
func TestDueAt(t *testing.T) {
	noon := time.Date(2026, 11, 5, 4, 0, 0, 0, time.UTC)
	b := Bill{Cycle: "2026-10", IssuedAt: noon.Add(-time.Hour)}
	if !b.DueAt().Equal(noon) {
		t.Error(b.DueAt())
	}
	if b.IssuedAt = noon.Add(time.Hour); !b.DueAt().Equal(b.IssuedAt) {
		t.Error(b.DueAt())
	}
}

// TestArrearsOf: what is overdue counts, what waits for its day and what is paid do not.
func TestArrearsOf(t *testing.T) {
	list := []Bill{
		{VendorID: "v", PartnerID: "p", Currency: "CNY", Cycle: "2026-09", State: StatePartly, Due: 100, Paid: 40},
		{VendorID: "v", PartnerID: "p", Currency: "CNY", Cycle: "2026-08", State: StateUnpaid, Due: 7},
		{VendorID: "v", PartnerID: "p", Currency: "CNY", Cycle: "2026-10", State: StateIssued, Due: 900},
		{VendorID: "v", PartnerID: "p", Currency: "USD", Cycle: "2026-08", State: StateUnpaid, Due: 3},
		{VendorID: "w", PartnerID: "p", Currency: "CNY", Cycle: "2026-07", State: StatePaid, Due: 5, Paid: 5},
	}
	got := ArrearsOf(list)
	if len(got) != 2 || got[0].Amount != 67 || got[0].Bills != 2 || got[0].Oldest != "2026-08" || got[1].Amount != 3 || got[1].Currency != "USD" {
		t.Errorf("%+v", got)
	}
}
