// Package reconcile compares two lists of amounts by a key (对账比对): a file somebody brings with the own lines of the
// portal, two cycles, or two deliveries of one.
//
// It owns the order, the comparison, the identity of its sums, and the reading of a brought file; it does not own
// whose lines are seen (expenditure), formats (ingest) or storage. Invariants: amounts of one key are summed before
// they are compared; added − removed + changed = right − left, exactly; memory does not grow with the lists.
//
// Spec: docs/statement.md
package reconcile

import (
	"time"

	"huoban/internal/money"
)

// Class says how a key differs.
type Class string

// The classes. Same rows are counted and not kept.
const (
	ClassAdded   Class = "added"
	ClassRemoved Class = "removed"
	ClassChanged Class = "changed"
	ClassSame    Class = "same"
)

// Classes are those that are kept, in the order they are shown.
var Classes = []Class{ClassAdded, ClassRemoved, ClassChanged}

// Row is one key that differs; an amount that is absent is zero.
type Row struct {
	No          int64
	Class       Class
	Key         string
	Left, Right money.Exact
}

// Diff is what the row adds to the right side.
func (r *Row) Diff() money.Exact { return r.Right.Sub(r.Left) }

// Count is how many keys a class has, and what they add to the right side.
type Count struct {
	Rows int64
	Sum  money.Exact
}

// Totals are what a comparison found.
type Totals struct {
	Left, Right         money.Exact
	LeftRows, RightRows int64 // lines read
	By                  map[Class]Count
}

// Difference is right − left.
func (t *Totals) Difference() money.Exact { return t.Right.Sub(t.Left) }

// Explained is the sum over the classes, which is the difference.
func (t *Totals) Explained() (sum money.Exact) {
	for _, c := range Classes {
		sum = sum.Add(t.By[c].Sum)
	}
	return sum
}

// Key says by what lines are matched.
type Key string

// The keys of own lines: the line number lists show, customer, product and resource, customer and product, customer.
const (
	KeyLine     Key = "line"
	KeyResource Key = "resource"
	KeyProduct  Key = "product"
	KeyCustomer Key = "customer"
)

// Keys lists them.
var Keys = []Key{KeyResource, KeyProduct, KeyCustomer, KeyLine}

// Run is one comparison as it is kept: for its maker alone, for a while.
type Run struct {
	ID        string
	OrgID     string
	PersonID  string
	Login     string
	Key       Key
	Currency  string
	Left      string // what the sides are, in words of no language: a cycle, a cycle and delivery, or a file name
	Right     string
	Totals    Totals
	CreatedAt time.Time
	ExpiresAt time.Time
}

// Days a comparison is kept.
const Days = 7

// Compare walks over two sorted lists and gives every key that differs, in order of keys.
func Compare(left, right *Sorter, fn func(*Row) error) (Totals, error) {
	t := Totals{By: map[Class]Count{}, LeftRows: left.rows, RightRows: right.rows}
	l, err := left.reader()
	if err != nil {
		return t, err
	}
	defer l.close()
	r, err := right.reader()
	if err != nil {
		return t, err
	}
	defer r.close()
	no := int64(0)
	for {
		row, ok, err := pair(l, r)
		if err != nil || !ok {
			return t, err
		}
		t.Left, t.Right = t.Left.Add(row.Left), t.Right.Add(row.Right)
		c := t.By[row.Class]
		c.Rows++
		c.Sum = c.Sum.Add(row.Diff())
		t.By[row.Class] = c
		if row.Class == ClassSame {
			continue
		}
		no++
		row.No = no
		if err := fn(row); err != nil {
			return t, err
		}
	}
}

// pair takes the next key of either list.
func pair(l, r *reader) (*Row, bool, error) {
	a, more, err := l.peek()
	if err != nil {
		return nil, false, err
	}
	b, also, err := r.peek()
	if err != nil {
		return nil, false, err
	}
	switch {
	case !more && !also:
		return nil, false, nil
	case !also || more && a.key < b.key:
		l.take()
		return &Row{Class: ClassRemoved, Key: a.key, Left: a.amount}, true, nil
	case !more || b.key < a.key:
		r.take()
		return &Row{Class: ClassAdded, Key: b.key, Right: b.amount}, true, nil
	}
	l.take()
	r.take()
	row := &Row{Class: ClassChanged, Key: a.key, Left: a.amount, Right: b.amount}
	if a.amount.Equal(b.amount) {
		row.Class = ClassSame
	}
	return row, true, nil
}
