package closestore_test

import (
	"encoding/csv"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"huoban/internal/attribution"
	"huoban/internal/fault"
	"huoban/internal/monthclose"
	"huoban/internal/price"
	"huoban/internal/source"
	"huoban/internal/store"
	"huoban/internal/store/storetest"
)

// TestLateDelivery hands over an issued month again with one row more and one changed: the difference
// becomes adjustment lines of the next cycle, the issued bill stays as it is.
func TestLateDelivery(t *testing.T) {
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		r := newRoad(t, db)
		r.source("focus")
		file := smallFile(t)
		r.imported(file)
		r.mapped()
		r.issue("2024-09")
		vendor, before := r.vendor(), ""
		before = string(r.canonical(vendor, "2024-09"))
		body, err := os.ReadFile(file)
		r.must(err)
		text := strings.Replace(string(body), "7.25", "8.25", 1)
		rows := strings.Split(strings.TrimSpace(text), "\n")
		text += strings.Replace(rows[1], "10.123456789", "2", 1) + "\n"
		again := filepath.Join(t.TempDir(), "again.csv")
		r.must(os.WriteFile(again, []byte(text), 0o600))
		r.imported(again)
		if string(r.canonical(vendor, "2024-09")) != before {
			t.Error("the issued bill changed")
		}
		docs, err := r.close.Estimate(r.ctx, operator, vendor, "2024-10")
		r.must(err)
		if len(docs) != 1 || docs[0].Adjustment.String() != "3" || docs[0].LineCount != 3 {
			t.Errorf("the next cycle carries %+v", docs)
		}
		if rep := r.verified(); !rep.Whole() || rep.Adjustments == 0 {
			t.Errorf("verification: %+v", rep)
		}
		r.imported(again)
		docs, err = r.close.Estimate(r.ctx, operator, vendor, "2024-10")
		r.must(err)
		if len(docs) != 1 || docs[0].Adjustment.String() != "3" {
			t.Errorf("the same content again: %+v", docs)
		}
	})
}

// TestOneUnmappedRow closes with a single row that no rule names: refused, with row, amount and cure.
func TestOneUnmappedRow(t *testing.T) {
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		r := newRoad(t, db)
		r.source("focus")
		r.imported(smallFile(t))
		_, err := r.mapping.Import(r.ctx, operator, attribution.ImportInput{File: strings.NewReader(
			"source,key,customer,partner,association,valid_from,valid_to\nfocus,a-1,C1,P1,resale,,\n")})
		r.must(err)
		in := monthclose.Input{VendorID: r.vendor(), Cycle: "2024-09", Issue: true}
		_, err = r.close.Run(r.ctx, operator, in)
		f := fault.From(err)
		if f == nil || len(f.Reason) != 1 || f.Reason[0].Code != "monthclose.rows_unmapped" || f.Reason[0].Args["Amount"] != "7.25" ||
			f.Reason[0].Args["Line"] != int64(3) || f.Reason[0].Args["Template"] != "focus,a-2,CUSTOMER,PARTNER,resale,," {
			t.Fatalf("refused with %v", err)
		}
		in.DryRun = true
		if _, err = r.close.Run(r.ctx, operator, in); !fault.HasCode(err, "monthclose.rows_unmapped") {
			t.Errorf("the dry run: %v", err)
		}
		_, err = r.mapping.Import(r.ctx, operator, attribution.ImportInput{File: strings.NewReader(
			"source,key,customer,partner,association,valid_from,valid_to\nfocus,a-2,C2,P1,resale,,\n")})
		r.must(err)
		r.issue("2024-09")
	})
}

// TestFrozenTakesNothing tries an import and a re-attribution while a draft stands.
func TestFrozenTakesNothing(t *testing.T) {
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		r := newRoad(t, db)
		r.source("focus")
		file := smallFile(t)
		r.imported(file)
		r.mapped()
		in := monthclose.Input{VendorID: r.vendor(), Cycle: "2024-09"}
		_, err := r.close.Run(r.ctx, operator, in)
		r.must(err)
		remap := attribution.ImportInput{File: strings.NewReader("source,key,customer,partner,association,valid_from,valid_to\nfocus,a-1,B9,P2,resale,,\n")}
		if _, err := r.mapping.Import(r.ctx, operator, remap); err == nil {
			t.Error("a drafted cycle took a re-attribution")
		}
		in.Discard = true
		_, err = r.close.Run(r.ctx, operator, in)
		r.must(err)
		remap.File = strings.NewReader("source,key,customer,partner,association,valid_from,valid_to\nfocus,a-1,B9,P2,resale,,\n")
		_, err = r.mapping.Import(r.ctx, operator, remap)
		r.must(err)
		res := r.issue("2024-09")
		if len(res.Documents) != 2 {
			t.Errorf("%d bills after the re-attribution", len(res.Documents))
		}
	})
}

// TestDistributorStory bills a distributor and its reseller from one cycle; the script agrees on both
// sides, with a spread line.
func TestDistributorStory(t *testing.T) {
	interpreter := python(t)
	root := filepath.Join("..", "..", "..")
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		r := newRoad(t, db)
		_, err := r.sources.Add(r.ctx, operator, source.AddInput{Vendor: "Nova", Name: "focus", Dialect: "focus", Loose: "spread"})
		r.must(err)
		r.partners()
		file := smallFile(t)
		body, err := os.ReadFile(file)
		r.must(err)
		rows := strings.Split(strings.TrimSpace(string(body)), "\n")
		tax := strings.NewReplacer("10.123456789", "1", "a-1", "", ",Usage,", ",Tax,").Replace(rows[1])
		support := strings.NewReplacer("10.123456789", "2", "a-1", "").Replace(rows[1])
		r.must(os.WriteFile(file, []byte(string(body)+tax+"\n"+support+"\n"), 0o600))
		r.imported(file)
		mapFile := "source,key,customer,partner,association,valid_from,valid_to\nfocus,a-1,C1,Res,resale,,\nfocus,a-2,C2,Sol,resale,,\n"
		_, err = r.mapping.Import(r.ctx, operator, attribution.ImportInput{File: strings.NewReader(mapFile)})
		r.must(err)
		rules := ruleHead + "Dis,,,,,,normal,billed,0.8,,\nRes,,,,,,normal,list,0.9,,\n"
		_, err = r.prices.Import(r.ctx, operator, price.ImportInput{VendorID: r.vendor(), File: strings.NewReader(rules)})
		r.must(err)
		r.issue("2024-09")
		bills := r.plain(r.vendor(), "2024-09")
		if len(bills) != 3 {
			t.Fatalf("%d bills", len(bills))
		}
		world := map[string]any{"sources": []map[string]any{{"name": "focus", "vendor": "Nova", "dialect": "focus", "loose": "spread",
			"files": []string{absolute(t, file)}}}, "map": "map.csv", "price": "price.csv", "parents": map[string]string{"Res": "Dis"}}
		if out := runScript(t, interpreter, root, world, mapFile, rules, bills); !strings.Contains(out, "3 bills agree") {
			t.Error(out)
		}
		if rep := r.verified(); !rep.Whole() {
			t.Errorf("verification: %+v", rep.Differences)
		}
	})
}

// TestVerifyAfterMuch replaces, corrects, reverts and remaps, and wants verification to stay whole.
func TestVerifyAfterMuch(t *testing.T) {
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		r := newRoad(t, db)
		r.source("focus")
		path := filepath.Join("..", "..", "..", "data", "samples", "focus-1.0", "focus_sample.csv")
		body, err := os.ReadFile(path)
		r.must(err)
		file := filepath.Join(t.TempDir(), "sample.csv")
		write := func(text string) {
			r.must(os.WriteFile(file, []byte(text), 0o600))
			r.imported(file)
		}
		write(string(body))
		r.mapped()
		r.issue("2024-09")
		whole := func(when string) {
			t.Helper()
			if rep := r.verified(); !rep.Whole() {
				t.Errorf("%s: %+v", when, rep.Differences[0])
			}
		}
		rows := strings.Split(strings.TrimSpace(string(body)), "\n")
		october := ""
		for _, row := range rows {
			if strings.Contains(row, "2024-10-01 00:00:00") && strings.Contains(row, "2024-11-01 00:00:00") {
				october = row
			}
		}
		if october == "" {
			t.Fatal("the sample has no row of October")
		}
		write(string(body) + october + "\n")
		whole("a further row in the open month, the issued month unchanged")
		write(strings.Join(rows[:len(rows)-3], "\n") + "\n" + october + "\n")
		whole("rows vanished from the issued month")
		list, err := r.imports.List(r.ctx, operator, "focus", 10)
		r.must(err)
		if len(list) != 3 {
			t.Fatalf("%d deliveries", len(list))
		}
		remap := "source,key,customer,partner,association,valid_from,valid_to\nfocus," + subAccount(t, string(body)) + ",B9,P2,resale,,\n"
		_, err = r.mapping.Import(r.ctx, operator, attribution.ImportInput{File: strings.NewReader(remap)})
		r.must(err)
		whole("a remap after late rows")
		r.issue("2024-10")
		whole("the next month issued")
	})
}

// subAccount is that of the first row that has one.
func subAccount(t *testing.T, text string) string {
	t.Helper()
	rows, err := csv.NewReader(strings.NewReader(text)).ReadAll()
	if err != nil {
		t.Fatal(err)
	}
	at := slices.Index(rows[0], "SubAccountId")
	for _, row := range rows[1:] {
		if row[at] != "" && row[at] != "NULL" {
			return row[at]
		}
	}
	t.Fatal("no row has a sub-account")
	return ""
}
