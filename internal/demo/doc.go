// Package demo invents the demo world: a vendor, its partners and customers, and what they consumed.
//
// It owns the tables' reading, the plan (what happens when, in order) and the files that are imported.
// It does not own the doing: the plan's files go through the same import, mapping, price rules and close
// as anybody's, driven by the wiring.
//
// Invariants: the same options give the same plan and the same bytes; nothing reads a clock; amounts are
// whole billionths, so that a file's total is exact.
package demo

import (
	"hash/fnv"
	"slices"
	"time"

	"huoban/internal/cycle"
)

// Names of the two feeds and of the vendor.
const (
	Vendor       = "HENGLUO"
	Provider     = "衡罗云"
	Distributor  = "GUANGZHU"
	Seller       = "LANGXI"
	CloudSource  = "hengluo-cloud"
	MarketSource = "hengluo-market"
)

// Options say how big a world and around which moment.
type Options struct {
	Now       time.Time
	Months    int // with the current one
	Customers int // besides those with a story; 0 is all
}

// FullMonths is the length of the demo.
const FullMonths = 18

// World is the invented world as data.
type World struct {
	Options
	Organisations []Organisation
	People        []Person
	Customers     []Customer
	Products      []Product
	First, Last   cycle.Cycle // Last is the month that runs
	resources     []resource
}

// New reads the tables and draws who uses what.
func New(o Options) (*World, error) {
	if o.Months < 1 {
		o.Months = FullMonths
	}
	w := &World{Options: o, Last: cycle.Of(o.Now, cycle.Zone)}
	w.First = w.Last.Add(1 - o.Months)
	if err := w.load(); err != nil {
		return nil, err
	}
	if n := o.Customers; n > 0 && n < len(w.Customers) {
		w.Customers = spread(w.Customers, n)
	}
	for i := range w.Customers {
		w.settle(&w.Customers[i])
	}
	for i := range w.Customers {
		w.resources = append(w.resources, w.draw(&w.Customers[i])...)
	}
	return w, nil
}

// spread takes n customers evenly and those with a story, so that a small world still shows everything.
func spread(all []Customer, n int) []Customer {
	out := make([]Customer, 0, n)
	for i, c := range all {
		if i*n/len(all) != (i+1)*n/len(all) || slices.Contains(stories, c.Code) {
			out = append(out, c)
		}
	}
	return out
}

// Month is the cycle that many months from the first.
func (w *World) Month(i int) cycle.Cycle { return w.First.Add(i) }

// Over lists the months that ended, oldest first.
func (w *World) Over() []cycle.Cycle {
	out := make([]cycle.Cycle, 0, w.Months)
	for i := range w.Months - 1 {
		out = append(out, w.Month(i))
	}
	return out
}

// dice throws the same number for the same words.
func dice(words ...string) uint64 {
	h := fnv.New64a()
	for _, s := range words {
		_, _ = h.Write([]byte(s))
		_, _ = h.Write([]byte{0})
	}
	return mix(h.Sum64())
}

// mix is the finisher of splitmix64: neighbours become unrelated.
func mix(x uint64) uint64 {
	x ^= x >> 30
	x *= 0xbf58476d1ce4e5b9
	x ^= x >> 27
	x *= 0x94d049bb133111eb
	return x ^ x>>31
}

// below draws from 0 to n-1.
func below(x uint64, n int) int { return int(x % uint64(n)) }
