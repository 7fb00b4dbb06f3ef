package conformance

import (
	"bytes"
	"hash/maphash"
)

// A row is judged through facts: outcomes of the checks that look at its values, each of one column or of
// a pair. Rules only combine facts. A file's rows show few combinations, so the rules are worked out once
// for each combination and then only counted.

// column holds the checks of one column. Values with equal outcomes are one class; classes of values seen
// before are remembered as long as values come again.
type column struct {
	at    int
	tests []func(v []byte) outcome
	facts []int // where the outcomes of the tests stand

	last      []byte
	lastClass uint16
	classes   map[string]uint16 // by outcomes
	outcomes  [][]byte          // by class
	known     map[string]uint16 // by value
	hits      int
	scratch   []byte
}

// pair is a check of several columns.
type pair struct {
	test func(fields [][]byte) outcome
	fact int
}

// pattern is one combination of facts: the outcome of each rule, in how many rows it was met, and the
// broken rules that still want samples.
type pattern struct {
	outcomes []outcome
	count    int64
	want     []*rule
}

const (
	maxKnown    = 4096 // values remembered for a column
	maxValue    = 256  // length of a value worth remembering
	maxPatterns = 4096
)

// fact gives the number of a check of one column; equal checks share one.
func (c *Checker) fact(at int, key string, test func(v []byte) outcome) int {
	if id, ok := c.factOf[key]; ok {
		return id
	}
	var col *column
	for _, k := range c.columns {
		if k.at == at {
			col = k
		}
	}
	if col == nil {
		col = &column{at: at, classes: map[string]uint16{}, known: map[string]uint16{}}
		c.columns = append(c.columns, col)
	}
	id := c.newFact(key)
	col.tests, col.facts = append(col.tests, test), append(col.facts, id)
	return id
}

// pairFact gives the number of a check of several columns.
func (c *Checker) pairFact(key string, test func(fields [][]byte) outcome) int {
	if id, ok := c.factOf[key]; ok {
		return id
	}
	id := c.newFact(key)
	c.pairs = append(c.pairs, pair{test, id})
	return id
}

func (c *Checker) newFact(key string) int {
	id := len(c.facts)
	c.facts = append(c.facts, idle)
	c.factOf[key] = id
	return id
}

// class gives the class of a value.
func (k *column) class(v []byte) uint16 {
	if k.known == nil {
		return k.classify(v)
	}
	if k.last != nil && bytes.Equal(v, k.last) {
		k.hits++
		return k.lastClass
	}
	class, ok := k.known[string(v)]
	if ok {
		k.hits++
	} else {
		class = k.classify(v)
		if len(k.known) >= maxKnown {
			if k.hits < maxKnown { // nearly every value is new: remembering costs more than it saves
				k.known, k.last = nil, nil
				return class
			}
			clear(k.known)
			k.hits = 0
		}
		if len(v) <= maxValue {
			k.known[string(v)] = class
		}
	}
	if k.last == nil {
		k.last = make([]byte, 0, maxValue)
	}
	k.last, k.lastClass = append(k.last[:0], v...), class
	return class
}

func (k *column) classify(v []byte) uint16 {
	k.scratch = k.scratch[:0]
	for _, test := range k.tests {
		k.scratch = append(k.scratch, byte(test(v)))
	}
	class, ok := k.classes[string(k.scratch)]
	if !ok {
		class = uint16(len(k.outcomes))
		k.classes[string(k.scratch)] = class
		k.outcomes = append(k.outcomes, bytes.Clone(k.scratch))
	}
	return class
}

// pattern finds the current row's combination of facts.
func (c *Checker) pattern(fields [][]byte) *pattern {
	key := c.key[:0]
	for _, k := range c.columns {
		class := k.class(value(fields, k.at))
		key = append(key, byte(class), byte(class>>8))
	}
	for _, p := range c.pairs {
		o := p.test(fields)
		c.facts[p.fact] = o
		key = append(key, byte(o))
	}
	c.key = key
	if p, ok := c.patterns[string(key)]; ok {
		return p
	}
	for i, k := range c.columns {
		for n, o := range k.outcomes[uint16(key[2*i])|uint16(key[2*i+1])<<8] {
			c.facts[k.facts[n]] = outcome(o)
		}
	}
	if len(c.patterns) >= maxPatterns {
		c.fold()
		clear(c.patterns)
	}
	p := c.judge()
	c.patterns[string(key)] = p
	return p
}

// judge works out every rule for the facts of the current row.
func (c *Checker) judge() *pattern {
	c.epoch++
	p := &pattern{outcomes: make([]outcome, len(c.rules))}
	for i, r := range c.rules {
		if r.must == nil || r.perFile {
			continue
		}
		p.outcomes[i] = c.outcomeOf(r)
		if p.outcomes[i] == fails && !r.permissive {
			p.want = append(p.want, r)
		}
	}
	return p
}

// sample keeps the current row for the broken rules that have too few.
func (c *Checker) sample(p *pattern) {
	left := p.want[:0]
	for _, r := range p.want {
		if len(r.Samples) < maxSamples {
			r.Samples = append(r.Samples, Sample{c.row.file, c.row.line, c.row.value(r.Column)})
			left = append(left, r)
		}
	}
	p.want = left
}

// fold brings the counts of the patterns to the rules.
func (c *Checker) fold() {
	for _, p := range c.patterns {
		if p.count == 0 {
			continue
		}
		for i, o := range p.outcomes {
			c.rules[i].count(o, p.count)
		}
		p.count = 0
	}
}

func (r *rule) count(o outcome, rows int64) {
	switch o {
	case passes:
		r.Checked += rows
	case fails:
		r.Checked += rows
		if !r.permissive {
			r.Failed += rows
		}
	}
}

// maxDistinct bounds the memory of a check that two columns go together; values past it are not
// checked.
const maxDistinct = 200_000

var hashSeed = maphash.MakeSeed()

// together checks that each value of one column goes with one value of the other. It keeps 16 bytes for
// a value; two of 200,000 values are mistaken for one with a chance of one in a thousand millions.
func together(a, b int) func(fields [][]byte) outcome {
	seen := map[uint64]uint64{}
	return func(fields [][]byte) outcome {
		va, vb := value(fields, a), value(fields, b)
		if null(va) || null(vb) {
			return idle
		}
		ha, hb := maphash.Bytes(hashSeed, va), maphash.Bytes(hashSeed, vb)
		first, known := seen[ha]
		if !known {
			if len(seen) >= maxDistinct {
				return idle
			}
			seen[ha] = hb
			return passes
		}
		return is(first == hb)
	}
}
