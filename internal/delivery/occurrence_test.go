package delivery

import (
	"encoding/binary"
	"testing"

	"huoban/internal/usage"
)

func TestCounter(t *testing.T) {
	c := newCounter()
	key := func(n uint64) (h usage.Hash) {
		binary.LittleEndian.PutUint64(h[:8], n*0x9e3779b97f4a7c15)
		return h
	}
	for n := range uint64(20_000) {
		if got := c.next("2026-01", key(n)); got != 0 {
			t.Fatalf("key %d is number %d", n, got)
		}
	}
	for want := int64(1); want < 4; want++ {
		if got := c.next("2026-01", key(7)); got != want {
			t.Errorf("repeat is number %d, want %d", got, want)
		}
	}
	if got := c.next("2026-02", key(7)); got != 0 {
		t.Errorf("another cycle begins at %d", got)
	}
}
