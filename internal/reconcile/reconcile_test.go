package reconcile

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"huoban/internal/fault"
	"huoban/internal/money"
)

// TestTheClassesAreTheDifference: whatever the lists, and however often they went to disk, the classes sum to the
// difference of the totals, and no key is told twice.
func TestTheClassesAreTheDifference(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		side := func(name string) (*Sorter, map[string]money.Exact, money.Exact) {
			s, err := newSorter(rapid.IntRange(1, 2000).Draw(rt, "limit of "+name))
			if err != nil {
				rt.Fatal(err)
			}
			sums, total := map[string]money.Exact{}, money.Exact{}
			for range rapid.IntRange(0, 60).Draw(rt, "rows of "+name) {
				key := fmt.Sprintf("k%d", rapid.IntRange(0, 20).Draw(rt, "key"))
				x := money.MustExact(fmt.Sprintf("%d.%09d", rapid.IntRange(-50, 50).Draw(rt, "whole"), rapid.IntRange(0, 999_999_999).Draw(rt, "part")))
				if err := s.Add(key, x); err != nil {
					rt.Fatal(err)
				}
				sums[key], total = sums[key].Add(x), total.Add(x)
			}
			return s, sums, total
		}
		left, ours, leftTotal := side("left")
		defer left.Close()
		right, theirs, rightTotal := side("right")
		defer right.Close()
		seen, last := map[string]bool{}, ""
		for range 2 { // a transaction may be run again
			clear(seen)
			last = ""
			totals, err := Compare(left, right, func(r *Row) error {
				a, mine := ours[r.Key]
				b, other := theirs[r.Key]
				want := ClassChanged
				switch {
				case !mine:
					want = ClassAdded
				case !other:
					want = ClassRemoved
				}
				if seen[r.Key] || r.Key < last || r.Class != want || !r.Left.Equal(a) || !r.Right.Equal(b) {
					rt.Fatalf("%+v after %q, want %s of %s and %s", r, last, want, a, b)
				}
				seen[r.Key], last = true, r.Key
				return nil
			})
			if err != nil {
				rt.Fatal(err)
			}
			if !totals.Left.Equal(leftTotal) || !totals.Right.Equal(rightTotal) || !totals.Explained().Equal(totals.Difference()) || !totals.Difference().Equal(rightTotal.Sub(leftTotal)) {
				rt.Fatalf("%+v of %s and %s", totals, leftTotal, rightTotal)
			}
		}
	})
}

func read(t *testing.T, name, body string, cols Columns) (*Sorter, error) {
	t.Helper()
	path := filepath.Join(t.TempDir(), name)
	if err := os.WriteFile(path, []byte(body), 0o600); err != nil {
		t.Fatal(err)
	}
	s, err := NewSorter()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := s.Close(); err != nil {
			t.Error(err)
		}
	})
	return s, ReadFile(path, cols, s)
}

func TestBroughtFiles(t *testing.T) {
	cols := Columns{Key: []string{"客户", "产品"}, Amount: "金额"}
	s, err := read(t, "a.csv", "\ufeff客户,产品,金额\r\nC1,云硬盘,\"1,234.5\"\r\nC1,云硬盘,-0.5\r\n C2 ,对象存储\t,'-3\r\n,,\r\n", cols)
	if err != nil || s.Rows() != 3 {
		t.Fatal(s.Rows(), err)
	}
	empty, err := NewSorter()
	if err != nil {
		t.Fatal(err)
	}
	defer empty.Close()
	got := map[string]string{}
	if _, err := Compare(empty, s, func(r *Row) error { got[r.Key] = r.Right.String(); return nil }); err != nil {
		t.Fatal(err)
	}
	if len(got) != 2 || got["C1 / 云硬盘"] != "1234" || got["C2 / 对象存储"] != "-3" {
		t.Errorf("%v", got)
	}
	for name, one := range map[string]struct{ body, code string }{
		"no column": {"客户,产品,价\nC1,x,1\n", "reconcile.column_missing"}, "no amount": {"客户,产品,金额\nC1,x,=1+1\n", "reconcile.amount_unreadable"},
		"long key": {"客户,产品,金额\n" + strings.Repeat("x", 500) + ",y,1\n", "reconcile.key_too_long"}} {
		if _, err := read(t, "b.csv", one.body, cols); !fault.HasCode(err, one.code) {
			t.Errorf("%s: %v", name, err)
		}
	}
	for _, body := range []string{"", "\x00\x01\x02", "PK\x03\x04broken"} {
		_, err := read(t, "c.xlsx", body, cols)
		var f *fault.Error
		if !errors.As(err, &f) || f.Kind != fault.KindInvalid {
			t.Errorf("%q: %v", body, err)
		}
	}
}
