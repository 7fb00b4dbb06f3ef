package demo

import (
	"bytes"
	"compress/gzip"
	"encoding/csv"
	"testing"
	"time"

	"huoban/internal/cycle"
	"huoban/internal/money"
)

var noon = time.Date(2026, 11, 20, 4, 0, 0, 0, time.UTC)

func made(t *testing.T, o Options) *World {
	t.Helper()
	w, err := New(o)
	if err != nil {
		t.Fatal(err)
	}
	return w
}

func cloudRows(t *testing.T, w *World, c cycle.Cycle) [][]string {
	t.Helper()
	var buf bytes.Buffer
	if err := w.CloudFile(&buf, c, w.Until(c)); err != nil {
		t.Fatal(err)
	}
	zip, err := gzip.NewReader(&buf)
	if err != nil {
		t.Fatal(err)
	}
	rows, err := csv.NewReader(zip).ReadAll()
	if err != nil {
		t.Fatal(err)
	}
	return rows
}

func column(t *testing.T, rows [][]string, name string) int {
	t.Helper()
	for i, h := range rows[0] {
		if h == name {
			return i
		}
	}
	t.Fatalf("no column %s", name)
	return 0
}

func TestSameOptionsSameBytes(t *testing.T) {
	var files [2]bytes.Buffer
	for i := range files {
		w := made(t, Options{Now: noon, Months: 6, Customers: 12})
		for _, c := range append(w.Over(), w.Last) {
			if err := w.CloudFile(&files[i], c, w.Until(c)); err != nil {
				t.Fatal(err)
			}
			if err := w.MarketFile(&files[i], c, false); err != nil {
				t.Fatal(err)
			}
		}
		files[i].Write(w.MapFile())
		files[i].Write(w.PriceFile())
	}
	if !bytes.Equal(files[0].Bytes(), files[1].Bytes()) {
		t.Error("two worlds of the same options differ")
	}
}

func TestSizeAndGrowth(t *testing.T) {
	w := made(t, Options{Now: noon})
	if got := len(w.Customers); got < 55 {
		t.Errorf("%d customers", got)
	}
	total := 0
	var first, last money.Exact
	for i, c := range w.Over() {
		rows := cloudRows(t, w, c)
		total += len(rows) - 1
		var sum money.Exact
		at := column(t, rows, "BilledCost")
		for _, r := range rows[1:] {
			x, err := money.ParseExact(r[at])
			if err != nil {
				t.Fatal(err)
			}
			sum = sum.Add(x)
		}
		if i == 0 {
			first = sum
		}
		last = sum
	}
	if total < 250_000 || total > 330_000 {
		t.Errorf("%d lines", total)
	}
	if last.Cmp(first) <= 0 {
		t.Errorf("no growth: %s then %s", first, last)
	}
}

// TestKindsOfCharges wants everything a close treats differently to occur.
func TestKindsOfCharges(t *testing.T) {
	w := made(t, Options{Now: noon})
	seen := map[string]int{}
	for _, c := range w.Over() {
		rows := cloudRows(t, w, c)
		category, class := column(t, rows, "ChargeCategory"), column(t, rows, "ChargeClass")
		for _, r := range rows[1:] {
			seen[r[category]+" "+r[class]]++
		}
	}
	for _, want := range []string{"Usage ", "Purchase ", "Purchase Correction", "Credit ", "Adjustment ", "Tax "} {
		if seen[want] == 0 {
			t.Errorf("no %q among %v", want, seen)
		}
	}
}

func TestSubscriptionsOnTheFirst(t *testing.T) {
	w := made(t, Options{Now: noon, Months: 2})
	rows := cloudRows(t, w, w.First)
	freq, from := column(t, rows, "ChargeFrequency"), column(t, rows, "ChargePeriodStart")
	want := w.First.Start(cycle.Zone).UTC().Format("2006-01-02T15:04:05Z")
	for i, r := range rows[1:] {
		if r[freq] == "Recurring" && r[from] != want {
			t.Fatalf("row %d starts %s", i+2, r[from])
		}
	}
}

func TestRunningMonthEndsYesterday(t *testing.T) {
	w := made(t, Options{Now: noon, Months: 2})
	rows := cloudRows(t, w, w.Last)
	at := column(t, rows, "ChargePeriodStart")
	latest := ""
	for _, r := range rows[1:] {
		latest = max(latest, r[at])
	}
	if want := "2026-11-18T16:00:00Z"; latest != want { // 19 November in Shanghai
		t.Errorf("latest line starts %s, want %s", latest, want)
	}
}

func TestPlanGoesForwardInTime(t *testing.T) {
	for _, now := range []time.Time{noon, time.Date(2026, 10, 31, 16, 30, 0, 0, time.UTC), time.Date(2027, 1, 2, 3, 0, 0, 0, time.UTC)} {
		w := made(t, Options{Now: now})
		before, keys := time.Time{}, map[string]bool{}
		for _, s := range w.Plan() {
			if s.At.Before(before) || s.At.After(now) {
				t.Errorf("%s at %s after %s, now %s", s.Key(), s.At, before, now)
			}
			if keys[s.Key()] {
				t.Errorf("%s twice", s.Key())
			}
			before, keys[s.Key()] = s.At, true
		}
	}
}

func TestSmallWorldKeepsStories(t *testing.T) {
	w := made(t, Options{Now: noon, Months: 6, Customers: 3})
	for _, code := range stories {
		if w.Customer(code) == nil {
			t.Errorf("%s is missing", code)
		}
	}
	var late bytes.Buffer
	if err := w.MarketFile(&late, w.First, true); err != nil {
		t.Fatal(err)
	}
	rows, err := csv.NewReader(&late).ReadAll()
	if err != nil || len(rows) != 2 {
		t.Errorf("late order: %d rows, %v", len(rows), err)
	}
	if w.RegroupFile(w.First) == nil {
		t.Error("nothing to regroup")
	}
}
