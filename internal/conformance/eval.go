package conformance

import (
	"encoding/json"
	"fmt"
	"regexp"
	"strings"
	"time"
	"unicode/utf8"

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

// eval judges the current row.
type eval func(r *row) outcome

// row is the current record.
type row struct {
	index  map[string]int
	values []string
	file   int
	line   int64
}

func (r *row) columns(names []string) {
	r.index = make(map[string]int, len(names))
	for i, n := range names {
		r.index[n] = i
	}
}

func (r *row) set(file int, line int64, values []string) {
	r.file, r.line, r.values = file, line, values
}

func (r *row) value(column string) string {
	if i, ok := r.index[column]; ok && i < len(r.values) {
		v := r.values[i]
		if len(v) > 80 {
			v = v[:80] + "…"
		}
		return v
	}
	return ""
}

func null(v string) bool { return v == "" || v == "NULL" || v == "null" || v == "(null)" }

func (c check) empty() bool { return c.Function == "" && len(c.And) == 0 }

// compile turns a node into a function of the row.
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
	return func(r *row) outcome { return is(leaf(r) == passes) } // a condition holds or it does not
}

func (c *Checker) compileLeaf(n check) eval {
	switch n.Function {
	case "CheckModelRule":
		return func(r *row) outcome {
			other, ok := c.byName[n.Rule]
			if !ok {
				return idle
			}
			if res := c.outcomeOf(other); res != fails || other.binding {
				return res
			}
			return idle // what SHOULD or MAY be does not break the rule that refers to it
		}
	case "ColumnPresent":
		_, ok := c.row.index[n.Column]
		return func(*row) outcome { return is(ok) }
	case "CheckDistinctCount":
		return c.compileDistinct(n)
	case "CheckSameValue", "CheckNotSameValue", "ColumnByColumnEqualsColumnValue":
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
	return func(r *row) outcome {
		result := idle
		for _, it := range items {
			switch it(r) {
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
		return func(*row) outcome { return idle }
	}
	get := func(r *row) string {
		if at < len(r.values) {
			return r.values[at]
		}
		return ""
	}
	if n.Function == "CheckValue" || n.Function == "CheckNotValue" {
		want := n.Function == "CheckValue"
		if n.Value == nil {
			return func(r *row) outcome { return is(null(get(r)) == want) }
		}
		text := fmt.Sprint(n.Value)
		return func(r *row) outcome {
			v := get(r)
			if want && null(v) {
				return idle // nullability has rules of its own
			}
			return is((v == text) == want)
		}
	}
	test, ok := formats[n.Function]
	if n.Function == "CheckGreaterOrEqualThanValue" {
		floor := money.MustExact(fmt.Sprint(n.Value))
		test, ok = func(v string) bool {
			x, err := money.ParseExact(v)
			return err == nil && x.Cmp(floor) >= 0
		}, true
	}
	if !ok {
		panic("conformance: unknown check " + n.Function)
	}
	return func(r *row) outcome {
		v := get(r)
		if null(v) {
			return idle
		}
		return is(test(v))
	}
}

// compilePair compares columns of one row; a null on any side leaves nothing to compare.
func (c *Checker) compilePair(n check) eval {
	a, okA := c.row.index[n.A]
	b, okB := c.row.index[n.B]
	res, okR := c.row.index[n.Result]
	if !okA || !okB || n.Result != "" && !okR {
		return func(*row) outcome { return idle }
	}
	return func(r *row) outcome {
		va, vb := r.values[a], r.values[b]
		if n.Result == "" {
			same := va == vb || null(va) && null(vb)
			return is(same == (n.Function == "CheckSameValue"))
		}
		vr := r.values[res]
		if null(va) || null(vb) || null(vr) {
			return idle
		}
		x, errX := money.ParseExact(va)
		y, errY := money.ParseExact(vb)
		z, errZ := money.ParseExact(vr)
		if errX != nil || errY != nil || errZ != nil {
			return fails
		}
		diff := x.Mul(y).Sub(z)
		if diff.Sign() < 0 {
			diff = diff.Neg()
		}
		return is(diff.Cmp(tolerance) <= 0)
	}
}

// tolerance is how far a product may be from the cost beside it and still match: providers round each
// factor by itself, in the sample of FOCUS 1.0 by up to 1e-7.
var tolerance = money.MustExact("0.000001")

// maxDistinct bounds the memory of a check that two columns go together; values past it are not
// checked.
const maxDistinct = 200_000

// compileDistinct: each value of A goes with exactly the expected number (one) of values of B.
func (c *Checker) compileDistinct(n check) eval {
	a, okA := c.row.index[n.A]
	b, okB := c.row.index[n.B]
	if !okA || !okB || n.Count != 1 {
		return func(*row) outcome { return idle }
	}
	seen := map[string]string{}
	return func(r *row) outcome {
		va, vb := r.values[a], r.values[b]
		if null(va) || null(vb) {
			return idle
		}
		first, known := seen[va]
		if !known {
			if len(seen) >= maxDistinct {
				return idle
			}
			seen[strings.Clone(va)] = strings.Clone(vb)
			return passes
		}
		return is(first == vb)
	}
}

var (
	numeric  = regexp.MustCompile(`^-?[0-9]+(\.[0-9]+)?([Ee]-?[0-9]+)?$`)
	dateTime = regexp.MustCompile(`^\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2}(\.\d+)?Z$`)
	unit     = regexp.MustCompile(`^([0-9]+ )?[A-Za-z][A-Za-z0-9]*( [A-Za-z0-9]+)*([-/]([0-9]+ )?[A-Za-z][A-Za-z0-9]*( [A-Za-z0-9]+)*)*$`)
	currency = regexp.MustCompile(`^[A-Z]{3}$`)
)

// formats are the checks of one value's form. Source: the attributes of FOCUS 1.2.
var formats = map[string]func(string) bool{
	"TypeString":            utf8.ValidString,
	"FormatString":          func(v string) bool { return utf8.ValidString(v) && strings.TrimSpace(v) != "" },
	"TypeDecimal":           isDecimal,
	"CheckDecimalValue":     isDecimal,
	"FormatNumeric":         numeric.MatchString,
	"TypeDateTime":          isTime,
	"FormatDateTime":        func(v string) bool { return dateTime.MatchString(v) && isTime(v) },
	"FormatUnit":            unit.MatchString,
	"FormatKeyValue":        isKeyValue,
	"FormatCurrency":        func(v string) bool { return !currency.MatchString(v) || money.KnownCurrency(v) },
	"CheckNationalCurrency": money.KnownCurrency,
}

func isDecimal(v string) bool {
	_, err := money.ParseExact(v)
	return err == nil
}

func isTime(v string) bool {
	for _, form := range []string{time.RFC3339Nano, "2006-01-02 15:04:05", "2006-01-02T15:04:05", "2006-01-02"} {
		if _, err := time.Parse(form, v); err == nil {
			return true
		}
	}
	return false
}

// isKeyValue: a JSON object whose values are no objects or lists.
func isKeyValue(v string) bool {
	var m map[string]any
	if json.Unmarshal([]byte(v), &m) != nil {
		return false
	}
	for _, one := range m {
		switch one.(type) {
		case map[string]any, []any:
			return false
		}
	}
	return true
}
