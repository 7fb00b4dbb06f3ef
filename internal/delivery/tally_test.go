package delivery

import (
	"maps"
	"math/rand/v2"
	"os"
	"testing"

	"huoban/internal/money"
	"huoban/internal/usage"
)

// TestTallyOnDisk: sums that do not fit into memory are the same, in key order, however often they are
// read; figures too wide for two words too.
func TestTallyOnDisk(t *testing.T) {
	t.Setenv("TMPDIR", t.TempDir())
	got, want := newTally(), map[usage.SummaryKey]usage.Sum{}
	got.most = 1 << 6
	defer got.close()
	rnd := rand.New(rand.NewPCG(3, 4))
	for range 40_000 {
		k := usage.SummaryKey{SlotID: int64(1 + rnd.IntN(3)), CustomerID: []string{"", "客户", "zwölf"}[rnd.IntN(3)],
			AccountID: usage.Hash{byte(rnd.IntN(9)), 15: byte(rnd.IntN(2))}, ProductID: usage.Hash{byte(rnd.IntN(20))},
			Kind: []usage.Kind{usage.KindConsumption, usage.KindTax}[rnd.IntN(2)], Currency: []string{"USD", "CNY"}[rnd.IntN(2)]}
		exact := money.MustExact([]string{"0.000000000000000000000001", "-123456789012.123456789", "17", "0"}[rnd.IntN(4)])
		sum := usage.Sum{Lines: 1, Amount: money.Amount(rnd.IntN(2000) - 1000), Exact: exact, Billed: exact.Neg()}
		if err := got.add(k, sum); err != nil {
			t.Fatal(err)
		}
		total := want[k]
		if err := total.Add(sum); err != nil {
			t.Fatal(err)
		}
		want[k] = total
	}
	if len(got.list) > 1<<6 || len(got.runs) < 2 || len(got.runs) > 4*runsPerLevel {
		t.Errorf("%d sums in memory, %d runs", len(got.list), len(got.runs))
	}
	totals := map[slotCurrency]whole{}
	for range 2 {
		next, err := got.each()
		if err != nil {
			t.Fatal(err)
		}
		right, count := usage.EachOf(want), 0
		clear(totals)
		for {
			have, more, err := next()
			if err != nil {
				t.Fatal(err)
			}
			must, there, _ := right()
			if more != there {
				t.Fatalf("after %d sums: more %v, want %v", count, more, there)
			}
			if !more {
				break
			}
			count++
			if have.SummaryKey != must.SummaryKey || have.Lines != must.Lines || have.Amount != must.Amount ||
				have.Exact.String() != must.Exact.String() || have.Billed.String() != must.Billed.String() {
				t.Fatalf("sum %d is %+v, want %+v", count, have, must)
			}
			k := slotCurrency{must.SlotID, must.Currency}
			w := totals[k]
			totals[k] = whole{w.lines + must.Lines, w.billed.Add(must.Billed), w.stored + must.Amount}
		}
	}
	all, err := got.totals()
	if err != nil || !maps.EqualFunc(all, totals, func(a, b whole) bool {
		return a.lines == b.lines && a.stored == b.stored && a.billed.Cmp(b.billed) == 0
	}) {
		t.Errorf("totals %v, want %v (%v)", all, totals, err)
	}
	if left, err := os.ReadDir(os.Getenv("TMPDIR")); err != nil || len(left) > 0 {
		t.Errorf("scratch files have names: %v %v", left, err)
	}
}
