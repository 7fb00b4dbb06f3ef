package main

import (
	"bufio"
	"bytes"
	"encoding/csv"
	"strings"
	"testing"
	"time"

	"huoban/internal/money"
)

func made(t *testing.T, o Options) (Facts, [][]string) {
	t.Helper()
	var out bytes.Buffer
	buf := bufio.NewWriter(&out)
	facts, err := newMaker(o, time.Date(2025, 1, 1, 0, 0, 0, 0, time.UTC)).write(buf)
	if err == nil {
		err = buf.Flush()
	}
	if err != nil {
		t.Fatal(err)
	}
	rows, err := csv.NewReader(&out).ReadAll()
	if err != nil {
		t.Fatal(err)
	}
	return facts, rows
}

func TestRowsDifferAndAddUp(t *testing.T) {
	for _, order := range []string{"time", "mixed"} {
		facts, rows := made(t, Options{Rows: 20_000, Months: 3, Accounts: 50, Seed: 9, Order: order})
		if len(rows) != 20_001 || len(rows[0]) != 43 {
			t.Fatalf("%s: %d rows of %d columns", order, len(rows), len(rows[0]))
		}
		seen, months, sum := map[string]bool{}, map[string]int{}, money.Exact{}
		for _, r := range rows[1:] {
			seen[strings.Join(r, "\x00")] = true
			months[r[6]]++
			x, err := money.ParseExact(r[1])
			if err != nil {
				t.Fatal(err)
			}
			sum = sum.Add(x)
			if r[12] < r[6] || r[11] > r[5] {
				t.Fatalf("%s: a charge of %s to %s in the month from %s", order, r[12], r[11], r[6])
			}
		}
		if len(seen) != 20_000 || len(months) != 3 || sum.String() != facts.Billed {
			t.Errorf("%s: %d different rows, months %v, billed %s, said %s", order, len(seen), months, sum, facts.Billed)
		}
	}
}

func TestEqualRowsAreCounted(t *testing.T) {
	o := Options{Rows: 10_000, Months: 1, Accounts: 20, Seed: 4, Order: "time", Equal: 10}
	facts, rows := made(t, o)
	seen := map[string]bool{}
	for _, r := range rows[1:] {
		seen[strings.Join(r, "\x00")] = true
	}
	if facts.Equal < 800 || facts.Equal > 1200 || len(seen) != o.Rows-facts.Equal {
		t.Errorf("%d equal rows told, %d different ones of %d", facts.Equal, len(seen), o.Rows)
	}
	if again, _ := made(t, o); again != facts {
		t.Errorf("another file for the same seed: %+v, %+v", again, facts)
	}
}

func TestFixed(t *testing.T) {
	for _, c := range []struct {
		n      int64
		places int
		want   string
	}{{0, 5, "0"}, {100_000, 5, "1"}, {-1, 5, "-0.00001"}, {123_450, 3, "123.45"}, {1_000_001, 6, "1.000001"}} {
		if got := string(fixed(nil, c.n, c.places)); got != c.want {
			t.Errorf("%d of 10^-%d: %s, want %s", c.n, c.places, got, c.want)
		}
	}
}
