package delivery

import (
	"encoding/binary"
	"math/rand/v2"
	"testing"

	"huoban/internal/cycle"
	"huoban/internal/usage"
)

func TestCounter(t *testing.T) {
	c := newCounter()
	defer c.close()
	next := func(month cycle.Cycle, key usage.Hash) int64 {
		n, err := c.next(month, key)
		if err != nil {
			t.Fatal(err)
		}
		return n
	}
	key := func(n uint64) (h usage.Hash) {
		binary.LittleEndian.PutUint64(h[:8], n*0x9e3779b97f4a7c15)
		return h
	}
	for n := range uint64(20_000) {
		if got := next("2026-01", key(n)); got != 0 {
			t.Fatalf("key %d is number %d", n, got)
		}
	}
	for want := int64(1); want < 4; want++ {
		if got := next("2026-01", key(7)); got != want {
			t.Errorf("repeat is number %d, want %d", got, want)
		}
	}
	if got := next("2026-02", key(7)); got != 0 {
		t.Errorf("another cycle begins at %d", got)
	}
}

// TestCounterOnDisk: what does not fit into memory is counted the same, whatever the order in which equal
// lines come.
func TestCounterOnDisk(t *testing.T) {
	c := newCounter()
	c.slots, c.most = make([]counted, 1<<6), 1<<8
	defer c.close()
	want := map[usage.Hash]int64{}
	rnd := rand.New(rand.NewPCG(1, 2))
	for i := range 60_000 {
		var key usage.Hash
		n := uint64(i)
		if i%3 == 0 { // about each third line is said again, some of them often
			n = rnd.Uint64N(uint64(i/2 + 1))
		}
		binary.LittleEndian.PutUint64(key[:8], n%1000) // many keys share their first word
		binary.LittleEndian.PutUint64(key[8:], n)
		got, err := c.next("2026-01", key)
		if err != nil {
			t.Fatal(err)
		}
		if got != want[key] {
			t.Fatalf("line %d with key %d is number %d, want %d", i, n, got, want[key])
		}
		want[key]++
	}
	if len(c.slots) != 1<<8 || len(c.spill.runs) > 3*runsPerLevel {
		t.Errorf("%d slots in memory, %d runs", len(c.slots), len(c.spill.runs))
	}
}
