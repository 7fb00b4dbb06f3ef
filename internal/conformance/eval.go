package conformance

import (
	"bytes"
	"fmt"

	"huoban/internal/money"
)

type outcome int8

const (
	idle outcome = iota // nothing to check here: no such column, a null, a condition that does not hold
	passes
	fails
)

func is(ok bool) outcome {
	if ok {
		return passes
	}
	return fails
}

// eval judges the facts of the current row.
type eval func() outcome

// row is the current record.
type row struct {
	index  map[string]int
	values [][]byte
	file   int
	line   int64
}

func (r *row) columns(names []string) {
	r.index = make(map[string]int, len(names))
	for i, n := range names {
		r.index[n] = i
	}
}

func (r *row) set(file int, line int64, values [][]byte) {
	r.file, r.line, r.values = file, line, values
}

func (r *row) value(column string) string {
	i, ok := r.index[column]
	if !ok {
		return ""
	}
	v := value(r.values, i)
	if len(v) > 80 {
		return string(v[:80]) + "…"
	}
	return string(v)
}

func value(fields [][]byte, at int) []byte {
	if at < len(fields) {
		return fields[at]
	}
	return nil
}

func null(v []byte) bool {
	switch len(v) {
	case 0:
		return true
	case 4:
		return string(v) == "NULL" || string(v) == "null"
	case 6:
		return string(v) == "(null)"
	}
	return false
}

func (c check) empty() bool { return c.Function == "" && len(c.And) == 0 }

// compile turns a node into a function of the row's facts.
func (c *Checker) compile(n check, condition bool) eval {
	if n.Function == "" && len(n.And) > 0 {
		n = check{Function: "AND", Items: n.And}
	}
	if n.Function == "AND" || n.Function == "OR" {
		return c.compileList(n, condition)
	}
	leaf := c.compileLeaf(n)
	if !condition {
		return leaf
	}
	return func() outcome { return is(leaf() == passes) } // a condition holds or it does not
}

func always(o outcome) eval { return func() outcome { return o } }

func (c *Checker) compileLeaf(n check) eval {
	switch n.Function {
	case "CheckModelRule":
		other, ok := c.byName[n.Rule]
		if !ok {
			return always(idle)
		}
		return func() outcome {
			if res := c.outcomeOf(other); res != fails || other.binding {
				return res
			}
			return idle // what SHOULD or MAY be does not break the rule that refers to it
		}
	case "ColumnPresent":
		_, ok := c.row.index[n.Column]
		return always(is(ok))
	case "CheckDistinctCount", "CheckSameValue", "CheckNotSameValue", "ColumnByColumnEqualsColumnValue":
		return c.compilePair(n)
	}
	return c.compileValue(n)
}

// compileList: a conjunction fails with its first failure and passes if anything passed; a
// disjunction passes with its first pass.
func (c *Checker) compileList(n check, condition bool) eval {
	var items []eval
	for _, i := range n.Items {
		items = append(items, c.compile(i, condition))
	}
	decisive, other := fails, passes
	if n.Function == "OR" {
		decisive, other = passes, fails
	}
	return func() outcome {
		result := idle
		for _, it := range items {
			switch it() {
			case decisive:
				return decisive
			case other:
				result = other
			}
		}
		return result
	}
}

// compileValue judges the value of one column; an absent column leaves nothing to judge.
func (c *Checker) compileValue(n check) eval {
	at, ok := c.row.index[n.Column]
	if !ok {
		return always(idle)
	}
	key := fmt.Sprintf("%s\x00%d\x00%v", n.Function, at, n.Value)
	id := c.fact(at, key, valueTest(n))
	return func() outcome { return c.facts[id] }
}

// valueTest is the check of one value.
func valueTest(n check) func(v []byte) outcome {
	if n.Function == "CheckValue" || n.Function == "CheckNotValue" {
		want := n.Function == "CheckValue"
		if n.Value == nil {
			return func(v []byte) outcome { return is(null(v) == want) }
		}
		text := fmt.Sprint(n.Value)
		return func(v []byte) outcome {
			if want && null(v) {
				return idle // nullability has rules of its own
			}
			return is((string(v) == text) == want)
		}
	}
	test, ok := formats[n.Function]
	if n.Function == "CheckGreaterOrEqualThanValue" {
		floor := money.MustExact(fmt.Sprint(n.Value))
		test, ok = func(v []byte) bool {
			x, err := money.ParseExactBytes(v)
			return err == nil && x.Cmp(floor) >= 0
		}, true
	}
	if !ok {
		panic("conformance: unknown check " + n.Function)
	}
	return func(v []byte) outcome {
		if null(v) {
			return idle
		}
		return is(test(v))
	}
}

// compilePair compares columns of one row; an absent column leaves nothing to compare.
func (c *Checker) compilePair(n check) eval {
	a, okA := c.row.index[n.A]
	b, okB := c.row.index[n.B]
	res, okR := c.row.index[n.Result]
	if !okA || !okB || n.Result != "" && !okR {
		return always(idle)
	}
	var test func(fields [][]byte) outcome
	switch {
	case n.Function == "CheckDistinctCount" && n.Count != 1:
		return always(idle)
	case n.Function == "CheckDistinctCount":
		test = together(a, b)
	case n.Result != "":
		test = func(f [][]byte) outcome { return product(value(f, a), value(f, b), value(f, res)) }
	default:
		want := n.Function == "CheckSameValue"
		test = func(f [][]byte) outcome {
			va, vb := value(f, a), value(f, b)
			same := bytes.Equal(va, vb) || null(va) && null(vb)
			return is(same == want)
		}
	}
	id := c.pairFact(fmt.Sprintf("%s\x00%d\x00%d\x00%d", n.Function, a, b, res), test)
	return func() outcome { return c.facts[id] }
}

// product tells whether the third value is what the first two make; a null leaves nothing to compare.
func product(va, vb, vr []byte) outcome {
	if null(va) || null(vb) || null(vr) {
		return idle
	}
	x, errX := money.ParseExactBytes(va)
	y, errY := money.ParseExactBytes(vb)
	z, errZ := money.ParseExactBytes(vr)
	if errX != nil || errY != nil || errZ != nil {
		return fails
	}
	diff := x.Mul(y).Sub(z)
	if diff.Sign() < 0 {
		diff = diff.Neg()
	}
	return is(diff.Cmp(tolerance) <= 0)
}

// tolerance is how far a product may be from the cost beside it and still match: providers round each
// factor by itself, in the sample of FOCUS 1.0 by up to 1e-7.
var tolerance = money.MustExact("0.000001")
