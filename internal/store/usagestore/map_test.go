package usagestore_test

import (
	"bytes"
	"context"
	"fmt"
	"strings"
	"testing"

	"huoban/internal/attribution"
	"huoban/internal/cycle"
	"huoban/internal/delivery"
	"huoban/internal/fault"
	"huoban/internal/money"
	"huoban/internal/source"
	"huoban/internal/usage"
)

const mapHead = "source,key,customer,partner,association,valid_from,valid_to\n"

const january = cycle.Cycle("2026-01")

func threeLines(w *world) source.Source {
	src := w.source(source.AddInput{Name: "nova"})
	w.imports("nova", delivery.Input{Paths: []string{w.file("a.csv",
		focusRow{"2026-01", "03", "s1", "VM", "Usage", "1"},
		focusRow{"2026-01", "20", "s1", "VM", "Usage", "2"},
		focusRow{"2026-01", "04", "s2", "DB", "Usage", "4"},
		focusRow{"2026-01", "05", "", "Support", "Purchase", "8"})}})
	return src
}

func TestMapAutoAndRemap(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		src := threeLines(w)
		w.wantTotals(src.VendorID, january, map[string]string{" USD": "4 15"})
		r := w.auto("nova", "P1")
		if r.Added != 2 || fmt.Sprint(r.NewCustomers) != "[s1 s2]" || fmt.Sprint(r.NewPartners) != "[P1]" || r.Associations != 2 {
			t.Errorf("%+v", r)
		}
		w.wantTotals(src.VendorID, january, map[string]string{" USD": "1 8", "s1 USD": "2 3", "s2 USD": "1 4"})
		before := w.counts()
		if r = w.auto("nova", "P1"); r.Added+r.Ended+len(r.Moved) != 0 || w.counts() != before {
			t.Errorf("again: %+v", r)
		}
		// A date splits the lines of one account; no zone in the text means the source's.
		r, err := w.mapFile(mapHead + "nova,s1,nine,P2,resale,2026-01-15,\n")
		w.must(err)
		if len(r.Moved) != 1 || r.Moved[0].LineCount != 1 || r.Moved[0].Billed.String() != "2" || r.Moved[0].From != "s1" || r.Moved[0].To != "nine" {
			t.Errorf("%+v", r)
		}
		w.wantTotals(src.VendorID, january, map[string]string{" USD": "1 8", "s1 USD": "1 1", "nine USD": "1 2", "s2 USD": "1 4"})
		// An explicit rule comes before the account.
		_, err = w.mapFile(mapHead + "nova,ServiceName=VM,ten,P2,resale,,\nnova,Tags.env=prod,eleven,P2,referral,,\n")
		w.must(err)
		w.wantTotals(src.VendorID, january, map[string]string{"ten USD": "2 3", "eleven USD": "2 12"})
		// Rows without customer take a rule away.
		_, err = w.mapFile(mapHead + "nova,ServiceName=VM,,,,,\nnova,Tags.env=prod,,,,,\n")
		w.must(err)
		w.wantTotals(src.VendorID, january, map[string]string{" USD": "1 8", "s1 USD": "1 1", "nine USD": "1 2", "s2 USD": "1 4"})
	})
}

func TestMapExportReadsBack(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		ctx := context.Background()
		threeLines(w)
		w.auto("nova", "P1")
		_, err := w.mapFile(mapHead + "nova,s1,nine,P2,resale,2026-01-15,2026-02-01T00:00:00+08:00\nnova,Tags.team=a b,P2,,,,\n")
		w.must(err)
		var out bytes.Buffer
		w.must(w.rules.Export(ctx, operator, "nova", &out))
		want := mapHead + "nova,Tags.team=a b,P2,P2,,,\nnova,s1,s1,P1,resale,,2026-01-15\nnova,s1,nine,P2,resale,2026-01-15,2026-01-31T16:00:00Z\n" +
			"nova,s1,s1,P1,resale,2026-01-31T16:00:00Z,\nnova,s2,s2,P1,resale,,\n"
		if out.String() != want {
			t.Errorf("export\n%s\nwant\n%s", out.String(), want)
		}
		before := w.counts()
		r, err := w.mapFile(out.String())
		w.must(err)
		if r.Added+r.Ended+r.Associations+len(r.Moved) != 0 || w.counts() != before {
			t.Errorf("read back: %+v\n%s\nbefore\n%s", r, w.counts(), before)
		}
	})
}

func TestMapRefusesWholeFile(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		threeLines(w)
		before := w.counts()
		_, err := w.mapFile(mapHead + "nova,s1,one,P1,resale,,\nmoon,s1,one,P1,resale,,\nnova,,one,P1,resale,,\nnova,Foo=1,one,P1,resale,,\n" +
			"nova,s2,one,P1,lease,,\nnova,s2,one,P1,resale,tomorrow,\nnova,s2,one,P1,resale,2026-02-01,2026-01-01\nnova,s1,two,P1,resale,,\nnova,s3,one,P1,,,\n")
		want := []string{"3 attribution.row_source_unknown", "4 attribution.row_key_missing", "5 attribution.row_column_unknown",
			"6 attribution.row_association_unknown", "7 attribution.row_date_malformed", "8 attribution.row_interval_empty",
			"10 attribution.row_association_missing", "9 attribution.row_overlap"}
		var got []string
		for _, r := range fault.From(err).Reason {
			got = append(got, fmt.Sprintf("%v %s", r.Args["line"], r.Code))
		}
		if fmt.Sprint(got) != fmt.Sprint(want) || w.counts() != before {
			t.Errorf("%v\n%v", got, want)
		}
		if _, err := w.mapFile("key,customer\n"); !fault.HasCode(err, "attribution.map_header") {
			t.Errorf("header: %v", err)
		}
	})
}

func TestMapDryRun(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		threeLines(w)
		before := w.counts()
		r, err := w.rules.Import(context.Background(), operator, attribution.ImportInput{DryRun: true,
			File: strings.NewReader(mapHead + "nova,s1,one,P1,resale,,\n")})
		w.must(err)
		if len(r.Moved) != 1 || r.Moved[0].LineCount != 2 || r.Moved[0].Billed.String() != "3" || fmt.Sprint(r.NewCustomers) != "[one]" || w.counts() != before {
			t.Errorf("%+v\n%s\nbefore\n%s", r, w.counts(), before)
		}
	})
}

func TestMapInClosedMonths(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		src := threeLines(w)
		w.auto("nova", "P1")
		w.setMonth(src.VendorID, january, "draft")
		before := w.counts()
		if _, err := w.mapFile(mapHead + "nova,s1,nine,P2,resale,,\n"); !fault.HasCode(err, "attribution.cycle_not_open") || w.counts() != before {
			t.Errorf("draft: %v", err)
		}
		_, err := w.mapFile(mapHead + "nova,s9,nine,P2,resale,,\n") // touches no line of the month
		w.must(err)
		w.setMonth(src.VendorID, january, "issued")
		lines := w.totals(src.VendorID, january)
		r, err := w.mapFile(mapHead + "nova,s1,nine,P2,resale,,\n")
		w.must(err)
		if len(w.moves) != 1 || w.moves[0].Key != "s1" || w.moves[0].LineCount != 2 || w.moves[0].Billed.String() != "3" || !r.Moved[0].Issued {
			t.Fatalf("moves %+v, %+v", w.moves, r)
		}
		w.wantTotals(src.VendorID, january, lines)
		// A second change starts from where the first one led.
		w.moves = nil
		_, err = w.mapFile(mapHead + "nova,s1,ten,P2,resale,,\n")
		w.must(err)
		orgs, err := w.store.Orgs(context.Background())
		w.must(err)
		if len(w.moves) != 1 || orgs[w.moves[0].From].Code != "nine" || orgs[w.moves[0].To].Code != "ten" {
			t.Errorf("moves %+v", w.moves)
		}
		// What arrives late is told with the customers of the rules in force, and equal lines stay equal.
		w.imports("nova", delivery.Input{Paths: []string{w.file("b.csv",
			focusRow{"2026-01", "03", "s1", "VM", "Usage", "1"},
			focusRow{"2026-01", "20", "s1", "VM", "Usage", "2"},
			focusRow{"2026-01", "04", "s2", "DB", "Usage", "5"},
			focusRow{"2026-01", "05", "", "Support", "Purchase", "8"})}})
		if fmt.Sprint(w.late) != "[+5 s2 DB -4 s2 DB]" {
			t.Errorf("late %v", w.late)
		}
	})
}

func TestSpreadFollowsTheLines(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		ctx := context.Background()
		src := threeLines(w)
		spread := "spread"
		_, err := w.rules.SetTargets(ctx, operator, attribution.TargetsInput{Source: "nova", Loose: &spread})
		w.must(err)
		lost, err := w.rules.Unmapped(ctx, src.VendorID, january, 5)
		w.must(err)
		if len(lost) != 1 || lost[0].Billed.String() != "15" || lost[0].Keys[0].Key != "" || lost[0].Keys[0].Billed.String() != "8" {
			t.Errorf("nobody to spread over: %+v", lost)
		}
		w.auto("nova", "P1")
		w.wantTotals(src.VendorID, january, map[string]string{"s1 USD": "2 3", "s2 USD": "1 4", "~ USD": "1 8"})
		shares := func() map[string]string {
			orgs, err := w.store.Orgs(ctx)
			w.must(err)
			slots, err := w.store.ActiveSlots(ctx, src.VendorID, january)
			w.must(err)
			out, sum := map[string]string{}, money.Exact{}
			w.must(w.store.Shares(ctx, []int64{slots[0].ID}, func(s usage.Share) error {
				out[orgs[s.Part.CustomerID].Code] = s.Part.Billed.String()
				sum = sum.Add(s.Part.Billed)
				return nil
			}))
			if sum.String() != "8" {
				t.Errorf("parts sum to %s", sum)
			}
			return out
		}
		if got := fmt.Sprint(shares()); got != "map[s1:3.42857143 s2:4.57142857]" {
			t.Error(got)
		}
		_, err = w.mapFile(mapHead + "nova,s1,,,,2026-01-15,\n")
		w.must(err)
		if got := fmt.Sprint(shares()); got != "map[s1:1.6 s2:6.4]" {
			t.Error(got)
		}
		lost, err = w.rules.Unmapped(ctx, src.VendorID, january, 5)
		w.must(err)
		if len(lost) != 1 || lost[0].LineCount != 1 || lost[0].Keys[0].Key != "s1" || lost[0].Billed.String() != "2" {
			t.Errorf("%+v", lost)
		}
	})
}

func TestKeyColumnReadsFilesAgain(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		ctx := context.Background()
		src := w.source(source.AddInput{Name: "nova"})
		w.imports("nova", delivery.Input{Paths: []string{w.file("a.csv",
			focusRow{"2026-01", "03", "", "VM", "Usage", "1"}, focusRow{"2026-01", "04", "", "DB", "Usage", "4"})}})
		r, err := w.rules.Auto(ctx, operator, attribution.AutoInput{Source: "nova", Partner: "P1", Association: "resale", Key: "ServiceName"})
		w.must(err)
		if fmt.Sprint(r.NewCustomers) != "[DB VM]" {
			t.Errorf("%+v", r)
		}
		w.wantTotals(src.VendorID, january, map[string]string{"DB USD": "1 4", "VM USD": "1 1"})
		w.imports("nova", delivery.Input{Paths: []string{w.file("b.csv", focusRow{"2026-01", "03", "", "VM", "Usage", "7"})}})
		w.wantTotals(src.VendorID, january, map[string]string{"VM USD": "1 7"})
	})
}

func TestEverySampleAdds(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		for _, c := range []struct {
			name, dialect, path string
			month               cycle.Cycle
			want                map[string]string
		}{
			{"oci", "oci", "focus-converters/reports_cost-csv_0000000030000269.csv", "2023-11", map[string]string{" USD": "506 2.523589325400648027"}},
			{"cur", "aws-cur", "focus-converters/sample-anonymous-aws-export-dataset.csv", "2023-11", map[string]string{" USD": "1281 1.6823086974"}},
			{"azure", "azure-cost", "finops-toolkit/EA_ActualCost_Small.csv", "2023-09", map[string]string{" USD": "11 8.5450077867419368"}},
		} {
			src := w.source(source.AddInput{Name: c.name, Vendor: "V-" + c.name, Dialect: c.dialect})
			w.imports(c.name, delivery.Input{Paths: []string{"../../../data/samples/" + c.path}})
			w.wantTotals(src.VendorID, c.month, c.want)
		}
	})
}
