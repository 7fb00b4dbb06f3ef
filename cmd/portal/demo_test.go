package main

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"huoban/internal/coupon"
	"huoban/internal/cycle"
	"huoban/internal/demo"
	"huoban/internal/organisation"
)

// TestDemoRecomputed has the independent script recompute every closed bill of a demo world from the
// files it was made of, with the mapping corrected, the order reported late and the entry by staff.
func TestDemoRecomputed(t *testing.T) {
	t.Parallel()
	w := newWorld(t, "sqlite")
	w.clock = "2026-11-20T10:00:00+08:00"
	w.do("demo", "--months", "8", "--customers", "9")
	now, err := time.Parse(time.RFC3339, w.clock)
	if err != nil {
		t.Fatal(err)
	}
	made, err := demo.New(demo.Options{Now: now, Months: 8, Customers: 9})
	if err != nil {
		t.Fatal(err)
	}
	facts := demoFacts(t, w, made)
	var files []string
	bills, paid := 0, 0
	for _, o := range made.Organisations {
		if !o.Kind.IsPartner() {
			continue
		}
		for _, c := range made.Over() {
			out := w.do("bill", "--partner", o.Code, "--vendor", demo.Vendor, "--cycle", string(c), "--format", "json")
			for _, b := range decode[struct{ Bills []struct{ Coupon string } }](t, out).Bills {
				if bills++; b.Coupon != "0" {
					paid++
				}
			}
			files = append(files, w.file(fmt.Sprintf("%s-%s.json", o.Code, c), string(out)))
		}
	}
	if bills < 40 || paid < 4 {
		t.Errorf("only %d bills, %d of them paid with vouchers", bills, paid)
	}
	if code, out := recompute(t, facts, files...); code != 0 || !strings.Contains(out, "agree to the last digit") {
		t.Errorf("exit %d\n%s", code, out)
	}
}

// demoFacts writes what the script reads: the raw files, the maps, the prices and what happened after a
// close.
func demoFacts(t *testing.T, w *world, made *demo.World) string {
	t.Helper()
	cloud, market := []string{}, []string{}
	for _, c := range made.Over() {
		cloud = append(cloud, demoFile(t, w, "cloud-"+string(c)+".csv.gz", func(f *os.File) error { return made.CloudFile(f, c, made.Until(c)) }))
		market = append(market, demoFile(t, w, "market-"+string(c)+".csv", func(f *os.File) error { return made.MarketFile(f, c, false) }))
	}
	parents := map[string]string{}
	for _, o := range made.Organisations {
		if o.Kind == organisation.KindReseller {
			parents[o.Code] = o.Parent
		}
	}
	facts := map[string]any{"parents": parents, "price": w.file("price.csv", string(made.PriceFile())), "sources": []map[string]any{
		{"name": demo.CloudSource, "vendor": demo.Vendor, "dialect": "focus", "zone": "+08:00", "files": cloud},
		{"name": demo.MarketSource, "vendor": demo.Vendor, "dialect": "huoban", "zone": "+08:00", "files": market}}}
	base, staff := string(made.MapFile()), []map[string]string{}
	for _, s := range made.Plan() {
		switch s.Do {
		case demo.DoRegroup: // the closed month keeps the old mapping, the months after it have the new one
			base += rowsAfterHead(made.RegroupFile(s.Cycle.Next()))
			later := w.file("map-later.csv", base+rowsAfterHead(made.RegroupFile(s.Cycle)))
			facts["remaps"] = []map[string]string{{"map": later, "cycle": string(s.Cycle), "into": string(s.Cycle.Next())}}
		case demo.DoAdjust:
			c, _ := made.Adjusted()
			staff = append(staff, entry(c.Partner, s.Cycle, c.Amount))
		case demo.DoVoucher:
			facts["vouchers"] = demoVouchers(made, s.Cycle)
		case demo.DoLate: // two licences of 1,500 at the price without discount
			staff = append(staff, entry("QIHENG", s.Cycle, "3000"))
		}
	}
	facts["staff"], facts["map"] = staff, w.file("map.csv", base)
	raw, err := json.Marshal(facts)
	if err != nil {
		t.Fatal(err)
	}
	return w.file("demo.json", string(raw))
}

// demoVouchers are those whose customers the world has, numbered as they are granted.
func demoVouchers(made *demo.World, c cycle.Cycle) []voucherFacts {
	var all []voucherFacts
	for _, v := range made.Vouchers(c) {
		if len(v.Customers) > 0 && made.Customer(v.Customers[0]) == nil {
			continue
		}
		all = append(all, voucherFacts{Number: coupon.Name(int64(len(all) + 1)), Partner: v.Partner, Currency: "CNY", Face: fmt.Sprint(v.Value), From: v.From.Format(time.RFC3339), To: v.To.Format(time.RFC3339),
			First: string(c), Customers: v.Customers, Services: v.Services, Regions: v.Regions, MinOrder: fmt.Sprint(v.MinOrder), MaxOrder: fmt.Sprint(v.MaxOrder)})
	}
	return all
}

func entry(partner string, corrects cycle.Cycle, amount string) map[string]string {
	return map[string]string{"partner": partner, "into": string(corrects.Next()), "currency": "CNY", "amount": amount}
}

func rowsAfterHead(file []byte) string {
	_, rows, _ := strings.Cut(string(file), "\n")
	return rows
}

func demoFile(t *testing.T, w *world, name string, fill func(*os.File) error) string {
	t.Helper()
	f, err := os.Create(filepath.Join(filepath.Dir(w.data), name))
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	if err := fill(f); err != nil {
		t.Fatal(err)
	}
	return f.Name()
}
