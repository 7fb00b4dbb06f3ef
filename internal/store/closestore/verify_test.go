package closestore_test

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"huoban/internal/adjustment"
	"huoban/internal/attribution"
	"huoban/internal/audit"
	"huoban/internal/bill"
	"huoban/internal/clock"
	"huoban/internal/customer"
	"huoban/internal/cycle"
	"huoban/internal/delivery"
	"huoban/internal/monthclose"
	"huoban/internal/organisation"
	"huoban/internal/price"
	"huoban/internal/source"
	"huoban/internal/store"
	"huoban/internal/store/auditstore"
	"huoban/internal/store/billstore"
	"huoban/internal/store/closestore"
	"huoban/internal/store/flowstore"
	"huoban/internal/store/orgstore"
	"huoban/internal/store/storetest"
	"huoban/internal/store/usagestore"
	"huoban/internal/verify"
)

// road is the whole way from a file to an issued bill, with the real services.
type road struct {
	t        *testing.T
	ctx      context.Context
	db       *store.DB
	clock    *clock.Fixed
	orgs     *organisation.Service
	sources  *source.Service
	imports  *delivery.Service
	mapping  *attribution.Service
	prices   *price.Service
	close    *monthclose.Service
	adjust   *adjustment.Service
	bills    *billstore.Store
	verifier *verify.Service
}

func newRoad(t *testing.T, db *store.DB) *road {
	t.Helper()
	r := &road{t: t, ctx: context.Background(), db: db, clock: clock.At(time.Date(2024, 11, 20, 0, 0, 0, 0, time.UTC))}
	key := audit.Key([32]byte{7})
	chain, log := audit.NewChain(auditstore.New(db), r.clock, key), flowstore.New(db)
	orgStore, lines, kept := orgstore.NewOrganisations(db), usagestore.New(db), closestore.New(db)
	r.bills = billstore.New(db)
	orgs := organisation.New(orgStore, db, chain, r.clock)
	r.orgs = orgs
	customers := customer.New(customer.Deps{Store: orgstore.NewCustomers(db), Tx: db, Log: log, Audit: chain, Clock: r.clock, Organisations: orgs})
	r.sources = source.New(lines, db, orgs, chain, r.clock)
	r.prices = &price.Service{Tx: db, Store: r.bills, Audit: chain, Clock: r.clock}
	compute := &bill.Service{Store: r.bills, Books: r.prices, Reader: lines}
	r.close = &monthclose.Service{Tx: db, Store: kept, Bills: r.bills, Compute: compute, Books: r.prices, Audit: chain, Log: log, Clock: r.clock}
	r.adjust = &adjustment.Service{Tx: db, Store: closestore.NewAdjustments(db), Cycles: r.close, Books: r.prices, Parties: r.bills, Audit: chain, Log: log, Clock: r.clock}
	compute.Adjustments = r.adjust
	r.mapping = attribution.New(attribution.Deps{Store: lines, Tx: db, Organisations: orgs, Customers: customers, Remap: r.adjust, Audit: chain, Clock: r.clock})
	r.imports = delivery.New(delivery.Deps{Store: lines, Tx: db, Sources: r.sources, Rules: r.mapping, Correct: r.adjust, Log: log, Audit: chain, Clock: r.clock})
	r.verifier = &verify.Service{Store: closestore.NewVerify(db, lines), Sources: r.sources, Rules: lines, Prices: r.bills, Bills: r.bills, Reader: lines,
		Compute: compute, Adjust: r.adjust, Chain: auditstore.New(db), Key: key}
	return r
}

func (r *road) must(err error) {
	r.t.Helper()
	if err != nil {
		r.t.Fatal(err)
	}
}

func (r *road) source(name string) {
	_, err := r.sources.Add(r.ctx, operator, source.AddInput{Vendor: "Nova", Name: name, Dialect: "focus"})
	r.must(err)
}

// partners adds the distributor Dis, its reseller Res and the solution partner Sol.
func (r *road) partners() {
	for _, in := range []organisation.AddInput{{Code: "Dis", Kind: organisation.KindDistributor, Name: "Dis", ParentCode: "Nova"},
		{Code: "Res", Kind: organisation.KindReseller, Name: "Res", ParentCode: "Dis"}, {Code: "Sol", Kind: organisation.KindSolution, Name: "Sol", ParentCode: "Nova"}} {
		_, err := r.orgs.Add(r.ctx, operator, in)
		r.must(err)
	}
}

func (r *road) imported(path string) {
	_, err := r.imports.Import(r.ctx, operator, delivery.Input{Source: "focus", Paths: []string{path}, Final: delivery.FinalMark{All: true}})
	r.must(err)
}

func (r *road) mapped() {
	_, err := r.mapping.Auto(r.ctx, operator, attribution.AutoInput{Source: "focus", Partner: "P1", Association: customer.KindResale})
	r.must(err)
}

func (r *road) vendor() string {
	list, err := r.sources.List(r.ctx, operator)
	r.must(err)
	return list[0].VendorID
}

func (r *road) issue(c cycle.Cycle) monthclose.Result {
	r.t.Helper()
	res, err := r.close.Run(r.ctx, operator, monthclose.Input{VendorID: r.vendor(), Cycle: c, Issue: true})
	r.must(err)
	return res
}

func (r *road) verified() *verify.Report {
	r.t.Helper()
	rep, err := r.verifier.Run(r.ctx)
	r.must(err)
	return rep
}

// TestSampleRoad is the way of the README: the FOCUS sample to an issued bill, then verification.
func TestSampleRoad(t *testing.T) {
	canonical := map[string]string{}
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		r := newRoad(t, db)
		r.source("focus")
		r.imported(filepath.Join("..", "..", "..", "data", "samples", "focus-1.0", "focus_sample.csv"))
		r.mapped()
		res := r.issue("2024-09")
		if len(res.Documents) != 1 {
			t.Fatalf("%d bills", len(res.Documents))
		}
		d := res.Documents[0]
		got := fmt.Sprint(d.LineCount, " ", d.SourceTotal, " ", d.ExactTotal, " ", d.Refund, " ", d.Adjustment, " ", d.Due)
		if got != "999 20.28022672899 20.28022672899 0 -2.3417 20.28" {
			t.Errorf("the sample's bill: %s", got)
		}
		rep := r.verified()
		if !rep.Whole() || rep.Lines != 1000 || rep.Bills != 1 || rep.Files != 1 {
			t.Errorf("verification: %+v", rep)
		}
		kept, err := r.close.Bills.WithItems(r.ctx, operator, bill.Filter{Cycle: "2024-09"})
		if err != nil || len(kept) != 1 || len(kept[0].Items) == 0 {
			t.Fatalf("%d bills (%v)", len(kept), err)
		}
		canonical[string(db.Engine())] = string(kept[0].Canonical())
	})
	if len(canonical) == 2 && canonical["sqlite"] != canonical["postgres"] {
		t.Error("the canonical exports of the engines differ")
	}
}

const smallHead = "BilledCost,BillingAccountId,BillingAccountName,BillingCurrency,BillingPeriodEnd,BillingPeriodStart,ChargeCategory,ChargeClass,ChargeDescription,ChargeFrequency,ChargePeriodEnd,ChargePeriodStart,ContractedCost,EffectiveCost,InvoiceIssuerName,ListCost,PricingCategory,ProviderName,PublisherName,RegionId,RegionName,ResourceId,ServiceCategory,ServiceName,SkuId,SkuPriceId,SubAccountId,SubAccountName,ConsumedQuantity,ConsumedUnit,PricingQuantity,PricingUnit,ListUnitPrice,ContractedUnitPrice,CommitmentDiscountCategory,CommitmentDiscountId,CommitmentDiscountName,CommitmentDiscountStatus,CommitmentDiscountType,AvailabilityZone,ResourceName,ResourceType,Tags"

// smallFile writes a FOCUS file of three rows in one month.
func smallFile(t *testing.T) string {
	t.Helper()
	columns := strings.Split(smallHead, ",")
	rows := []string{smallHead}
	for i, x := range []map[string]string{
		{"BilledCost": "10.123456789", "ListCost": "12.5", "SubAccountId": "a-1"},
		{"BilledCost": "7.25", "ListCost": "8", "SubAccountId": "a-2"},
		{"BilledCost": "-0.5", "ListCost": "0", "SubAccountId": "a-1", "ChargeCategory": "Credit"},
	} {
		cells := make([]string, len(columns))
		for j, c := range columns {
			cells[j] = map[string]string{"BillingAccountId": "acc", "BillingCurrency": "USD", "BillingPeriodStart": "2024-09-01T00:00:00Z",
				"BillingPeriodEnd": "2024-10-01T00:00:00Z", "ChargePeriodStart": fmt.Sprintf("2024-09-0%dT00:00:00Z", i+1),
				"ChargePeriodEnd": fmt.Sprintf("2024-09-0%dT01:00:00Z", i+1), "ChargeCategory": "Usage", "ChargeFrequency": "Usage-Based", "ContractedCost": "1",
				"EffectiveCost": "1", "InvoiceIssuerName": "Nova", "ProviderName": "Nova", "PublisherName": "Nova", "ServiceName": "Compute",
				"ServiceCategory": "Compute", "RegionId": "eu-1", "PricingCategory": "Standard"}[c]
			if v, ok := x[c]; ok {
				cells[j] = v
			}
		}
		rows = append(rows, strings.Join(cells, ","))
	}
	path := filepath.Join(t.TempDir(), "small.csv")
	if err := os.WriteFile(path, []byte(strings.Join(rows, "\n")+"\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

// disarm drops every trigger, as an intruder with the owner's rights would.
func (r *road) disarm() {
	r.t.Helper()
	list := "select name, tbl_name from sqlite_master where type = 'trigger'"
	if r.db.Engine() == store.Postgres {
		list = "select distinct trigger_name, event_object_table from information_schema.triggers"
	}
	rows, err := r.db.Writer().QueryContext(r.ctx, list)
	r.must(err)
	var drops []string
	for rows.Next() {
		var name, table string
		r.must(rows.Scan(&name, &table))
		text := "drop trigger " + name
		if r.db.Engine() == store.Postgres {
			text += " on " + table
		}
		drops = append(drops, text)
	}
	r.must(rows.Err())
	rows.Close()
	for _, text := range drops {
		_, err := r.db.Writer().ExecContext(r.ctx, text)
		r.must(err)
	}
}

// TestVerifyFindsOneDigit alters one value at a time and wants its table named; then puts it back.
func TestVerifyFindsOneDigit(t *testing.T) {
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		r := newRoad(t, db)
		r.source("focus")
		r.imported(smallFile(t))
		r.mapped()
		head := "partner,customer,provider,product,charging_mode,region,type,base,factor,valid_from,valid_to\n"
		_, err := r.prices.Import(r.ctx, operator, price.ImportInput{VendorID: r.vendor(), File: strings.NewReader(head + "P1,,,,,,normal,list,0.85,,\n")})
		r.must(err)
		r.issue("2024-09")
		_, err = r.mapping.Import(r.ctx, operator, attribution.ImportInput{File: strings.NewReader(
			"source,key,customer,partner,association,valid_from,valid_to\nfocus,a-1,B9,P2,resale,,\n")})
		r.must(err)
		if rep := r.verified(); !rep.Whole() || rep.Adjustments != 2 || rep.Bills != 1 {
			t.Fatalf("whole at first: %+v", rep)
		}
		r.disarm()
		for _, c := range []struct{ table, set, back, where string }{
			{"kept_chunk", "first_line = first_line + 1", "first_line = first_line - 1", "chunk_no = 0"},
			{"usage_line", "billed = '7.26'", "billed = '7.25'", "billed = '7.25'|billed = '7.26'"},
			{"usage_line", "list = '8.1'", "list = '8'", "list = '8'|list = '8.1'"},
			{"usage_line", "amount_e8 = amount_e8 + 1", "amount_e8 = amount_e8 - 1", "billed = '7.25'"},
			{"usage_line", "line_no = line_no + 7", "line_no = line_no - 7", "billed = '7.25'"},
			{"usage_line", "effective = '2'", "effective = '1'", "billed = '7.25'"},
			{"usage_summary", "amount_e8 = amount_e8 + 1", "amount_e8 = amount_e8 - 1", "1 = 1"},
			{"usage_summary", "line_count = line_count + 1", "line_count = line_count - 1", "1 = 1"},
			{"map_rule", "key = 'a-3'", "key = 'a-2'", "key = 'a-2'|key = 'a-3'"},
			{"map_rule", "ended_seq = 9", "ended_seq = 0", "ended_seq = 0|ended_seq = 9"},
			{"price_rule", "factor = '0.86'", "factor = '0.85'", "1 = 1"},
			{"price_rule", "seq = seq + 1", "seq = seq - 1", "1 = 1"},
			{"bill", "due_e8 = due_e8 + 1", "due_e8 = due_e8 - 1", "1 = 1"},
			{"bill", "exact_total = '1'||exact_total", "exact_total = substr(exact_total, 2)", "1 = 1"},
			{"bill", "code = 'X'||code", "code = substr(code, 2)", "1 = 1"},
			{"bill_item", "amount_e8 = amount_e8 + 1", "amount_e8 = amount_e8 - 1", "item_no = 1"},
			{"bill_item", "factor = '0.86'", "factor = '0.85'", "item_no = 1"},
			{"adjustment", "base = '1'||base", "base = substr(base, 2)", "side = 'in'"},
			{"adjustment", "line_count = line_count + 1", "line_count = line_count - 1", "side = 'in'"},
			{"adjustment_price", "amount_e8 = amount_e8 + 1", "amount_e8 = amount_e8 - 1", "1 = 1"},
			{"adjustment_move", "occurrence = occurrence + 1", "occurrence = occurrence - 1", "1 = 1"},
			{"audit", "detail = '1'||detail", "detail = substr(detail, 2)", "seq = 3"},
			{"audit", "actor = 'x'||actor", "actor = substr(actor, 2)", "seq = 2"},
			{"account_dim", "sub_account = 'a-22'", "sub_account = 'a-2'", "sub_account = 'a-2'|sub_account = 'a-22'"},
			{"slot", "line_count = line_count + 1", "line_count = line_count - 1", "1 = 1"},
		} {
			before, after, two := strings.Cut(c.where, "|")
			if !two {
				after = before
			}
			r.alter("update " + c.table + " set " + c.set + " where " + before)
			found := false
			for _, d := range r.verified().Differences {
				found = found || d.Table == c.table
			}
			if !found {
				t.Errorf("%s: %s was not found", c.table, c.set)
			}
			r.alter("update " + c.table + " set " + c.back + " where " + after)
		}
		if rep := r.verified(); !rep.Whole() {
			t.Errorf("not whole when put back: %+v", rep.Differences)
		}
		r.alter("update kept_chunk set body = " + flipped(db.Engine()))
		found := false
		for _, d := range r.verified().Differences {
			found = found || d.Table == "kept_chunk"
		}
		if !found {
			t.Error("a changed byte of a kept file was not found")
		}
	})
}

func (r *road) alter(text string) {
	r.t.Helper()
	res, err := r.db.Writer().ExecContext(r.ctx, text)
	if err != nil {
		r.t.Fatalf("%s: %v", text, err)
	}
	if n, _ := res.RowsAffected(); n == 0 {
		r.t.Fatalf("%s: no row", text)
	}
}

// flipped is an expression for the body with its 40th byte changed.
func flipped(e store.Engine) string {
	if e == store.Postgres {
		return "set_byte(body, 40, (get_byte(body, 40) + 1) % 256)"
	}
	return "cast(substr(body, 1, 40) || (case when substr(body, 41, 1) = x'41' then x'42' else x'41' end) || substr(body, 42) as blob)"
}
