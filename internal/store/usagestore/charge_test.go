package usagestore_test

import (
	"context"
	"fmt"
	"maps"
	"math/rand/v2"
	"slices"
	"sync"
	"testing"
	"time"

	"huoban/internal/delivery"
	"huoban/internal/source"
	"huoban/internal/store"
	"huoban/internal/usage"
)

// takenLines counts what a reading hands over, by all that it hands over. Of a start it only knows on which
// side of the cut it is.
type takenLines struct {
	cut   time.Time
	mu    sync.Mutex
	lines map[string]int
	asked map[bool]bool // the answers of Steady
}

func (x *takenLines) Take(g *usage.Group, c *usage.Charge) error {
	x.mu.Lock()
	defer x.mu.Unlock()
	k := *g
	k.No = 0
	x.lines[fmt.Sprint(k, c.Start.Before(x.cut), c.Billed, c.List, c.Contracted)]++
	return nil
}

func (x *takenLines) Steady(_ *usage.Group, first, last time.Time) (bool, error) {
	x.mu.Lock()
	defer x.mu.Unlock()
	steady := first.Before(x.cut) == last.Before(x.cut)
	x.asked[steady] = true
	return steady, nil
}

// TestChargesAreTheLines: what is read in parts and groups is each line once, as line by line, wherever the
// start of a line matters, and also where sums are lost that name its account and product.
func TestChargesAreTheLines(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		w.source(source.AddInput{Name: "focus"})
		w.imports("focus", delivery.Input{Paths: []string{sample}})
		active, err := w.store.ActiveSlots(t.Context(), w.vendor("focus"), "2024-09")
		w.must(err)
		slots := []int64{active[0].ID}
		var lines []usage.Stored
		w.must(w.store.EachLine(t.Context(), slots, func(l *usage.Stored) error {
			lines = append(lines, *l)
			return nil
		}))
		slices.SortFunc(lines, func(a, b usage.Stored) int { return a.ChargeStart.Compare(b.ChargeStart) })
		r := rand.New(rand.NewPCG(7, 7))
		check := func(others bool) *takenLines {
			x := &takenLines{cut: lines[r.IntN(len(lines))].ChargeStart, lines: map[string]int{}, asked: map[bool]bool{}}
			want := &takenLines{cut: x.cut, lines: map[string]int{}}
			for i := range lines {
				l := &lines[i]
				c := usage.Charge{Start: l.ChargeStart, Billed: l.Billed}
				if others {
					c.List, c.Contracted = l.List, l.Contracted
				}
				w.must(want.Take(usage.GroupOf(l), &c))
			}
			w.must(w.db.InRead(t.Context(), func(ctx context.Context) error {
				return w.store.EachCharge(ctx, usage.ChargeQuery{Slots: slots, Others: others}, func() (usage.Charges, error) { return x, nil })
			}))
			if !maps.Equal(x.lines, want.lines) {
				t.Fatalf("cut at %s, others %v: %d kinds of lines, want %d", x.cut, others, len(x.lines), len(want.lines))
			}
			return x
		}
		asked := map[bool]bool{}
		for range 6 {
			maps.Copy(asked, check(false).asked)
			check(true)
		}
		if w.db.Engine() == store.Postgres && (!asked[true] || !asked[false]) {
			t.Errorf("groups were steady or not: %v", asked)
		}
		_, err = w.db.Writer().ExecContext(t.Context(), "DELETE FROM usage_summary WHERE kind = 'consumption'")
		w.must(err)
		check(false)
		check(true)
	})
}
