package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"huoban/internal/coupon"
	"huoban/internal/cycle"
	"huoban/internal/money"
)

// voucherFacts are a voucher as the independent script reads it.
type voucherFacts struct {
	Number    string   `json:"number"`
	Partner   string   `json:"partner"`
	Currency  string   `json:"currency"`
	Face      string   `json:"face"`
	From      string   `json:"from"`
	To        string   `json:"to"`
	First     string   `json:"first"`
	Customers []string `json:"customers,omitempty"`
	Services  []string `json:"services,omitempty"`
	Products  []string `json:"products,omitempty"`
	Regions   []string `json:"regions,omitempty"`
	Modes     []string `json:"modes,omitempty"`
	MinOrder  string   `json:"min_order"`
	MaxOrder  string   `json:"max_order"`
}

const voucherHead = "line_id,cycle,charge_start,product,sku,region,charging_mode,category,currency,billed,list,sub_account\n"

var (
	someServices = []string{"ECS", "OBS", "RDS"}
	someSKUs     = []string{"s6.large", "s6.xlarge", "hot", "mysql.2u"}
	someRegions  = []string{"cn-north-4", "cn-east-3", "ap-southeast-3"}
	someModes    = []string{"on_demand", "subscription", "reserved"}
)

// soldIn makes lines of a month, many of them bought at the same moment; every figure follows from the random source.
func soldIn(random *rand.Rand, prefix, month string, lines int, accounts ...string) string {
	var b strings.Builder
	b.WriteString(voucherHead)
	some := func(list []string) string { return list[random.IntN(len(list))] }
	for i := range lines {
		category, amount := "usage", fmt.Sprintf("%d.%09d", random.IntN(120), random.IntN(1e9))
		if n := random.IntN(20); n == 0 {
			category, amount = "refund", "-"+amount
		} else if n == 1 {
			category = "adjustment"
		} else if n == 2 {
			category = "tax"
		}
		at := fmt.Sprintf("%s-%02dT%02d:00:00Z", month, random.IntN(28)+1, random.IntN(2)*6)
		fmt.Fprintf(&b, "%s%d,%s,%s,%s,%s,%s,%s,%s,%s,%s,%s,%s\n", prefix, i, month, at, some(someServices), some(someSKUs), some(someRegions), some(someModes), category,
			[]string{"CNY", "CNY", "CNY", "USD"}[random.IntN(4)], amount, strings.TrimPrefix(amount, "-"), some(accounts))
	}
	return b.String()
}

// drawnVouchers are vouchers with every kind of limit, alone and together, for both currencies and all buyers.
func drawnVouchers(random *rand.Rand, count int) []coupon.GrantInput {
	pick := func(list []string) []string {
		if random.IntN(5) > 1 {
			return nil
		}
		out := slices.Clone(list)
		random.Shuffle(len(out), func(i, j int) { out[i], out[j] = out[j], out[i] })
		return out[:random.IntN(len(out))+1]
	}
	var out []coupon.GrantInput
	for n := range count {
		partner := []string{"P1", "P1", "P1", "P2", "D1"}[n%5]
		customers := map[string][]string{"P1": {"C1", "C2", "C3"}, "P2": {"C4"}, "D1": {"C5", "C6"}}[partner]
		day := func(days int) int { return random.IntN(days) }
		from := cycle.Cycle("2025-01").Start(cycle.Zone).AddDate(0, 0, day(25))
		in := coupon.GrantInput{PartnerID: partner, Direct: true, Currency: []string{"CNY", "CNY", "USD"}[random.IntN(3)], Value: money.Amount(random.Int64N(90_000)+1) * (money.Unit / 100), From: from,
			To:     cycle.Cycle("2025-04").Start(cycle.Zone).AddDate(0, 0, day(3)), // often the same day: then the older goes first
			Limits: coupon.Limits{Services: pick(someServices), Products: pick(someSKUs), Regions: pick(someRegions), Modes: pick(someModes), Customers: pick(customers)}}
		if random.IntN(3) == 0 {
			in.Limits.MinOrder = money.Amount(random.Int64N(60)) * money.Unit
		}
		if random.IntN(3) == 0 {
			in.Limits.MaxOrder = in.Limits.MinOrder + money.Amount(random.Int64N(40)+1)*money.Unit
		}
		out = append(out, in)
	}
	return out
}

// factsOf says of granted vouchers what the script wants to know; number is the first one's, first the month of the
// first close that knew them.
func factsOf(all []coupon.GrantInput, number int64, first string) []voucherFacts {
	var out []voucherFacts
	for i, in := range all {
		l := in.Limits
		out = append(out, voucherFacts{Number: coupon.Name(number + int64(i)), Partner: in.PartnerID, Currency: in.Currency, Face: in.Value.String(), From: in.From.Format("2006-01-02T15:04:05Z07:00"),
			To: in.To.Format("2006-01-02T15:04:05Z07:00"), First: first, Customers: slices.Clone(l.Customers), Services: l.Services, Products: l.Products, Regions: l.Regions, Modes: l.Modes,
			MinOrder: l.MinOrder.String(), MaxOrder: l.MaxOrder.String()})
	}
	return out
}

var voucherBills = []string{"P1 2025-01", "P2 2025-01", "D1 2025-01", "R1 2025-01", "P1 2025-02", "P2 2025-02", "D1 2025-02", "R1 2025-02"}

// closesWithVouchers fills a world and closes two months, vouchers granted before each; it gives what the script reads.
func (w *world) closesWithVouchers() string {
	w.t.Helper()
	w.clock = "2025-03-04T12:00:00+08:00"
	random := rand.New(rand.NewPCG(2025, 8))
	type source struct {
		Name    string   `json:"name"`
		Vendor  string   `json:"vendor"`
		Dialect string   `json:"dialect"`
		Zone    string   `json:"zone"`
		Loose   string   `json:"loose,omitempty"`
		Entity  string   `json:"entity,omitempty"`
		Files   []string `json:"files"`
	}
	own := source{Name: "own", Vendor: "V", Dialect: "huoban", Zone: "UTC", Loose: "spread"}
	more := source{Name: "more", Vendor: "V", Dialect: "huoban", Zone: "UTC", Entity: "E2"}
	w.do("source", "add", "--name", "own", "--vendor", "V", "--dialect", "huoban", "--zone", "UTC", "--loose", "spread")
	w.do("entity", "add", "--vendor", "V", "--code", "E1", "--name", "First")
	w.do("entity", "add", "--vendor", "V", "--code", "E2", "--name", "Second")
	w.do("entity", "default", "--vendor", "V", "--code", "E1")
	w.do("source", "add", "--name", "more", "--vendor", "V", "--dialect", "huoban", "--zone", "UTC", "--entity", "E2")
	w.do("org", "add", "--code", "D1", "--kind", "distributor", "--name", "Distributor", "--parent", "V")
	w.do("org", "add", "--code", "R1", "--kind", "reseller", "--name", "Reseller", "--parent", "D1")
	for _, p := range []string{"P1", "P2"} {
		w.do("org", "add", "--code", p, "--kind", "solution", "--name", p, "--parent", "V")
	}
	w.do("user", "add", "--org", "V", "--login", "anna", "--role", "admin", "--keep-password", "--password-file", w.file("pw", killPassword+"\n"))
	rows := mapHead + "own,a1,C1,P1,resale,,\nown,a2,C2,P1,resale,,\nown,a3,C3,P1,resale,,\nown,a4,C4,P2,resale,,\nown,a5,C5,R1,resale,,\nmore,b1,C1,P1,resale,,\nmore,b2,C6,D1,resale,,\n"
	var facts []voucherFacts
	grants := func(first string, count int) {
		all := drawnVouchers(random, count)
		facts = append(facts, factsOf(all, int64(len(facts))+1, first)...)
		w.grants("anna", all...)
	}
	for i, month := range []string{"2025-01", "2025-02"} {
		files := [2]string{w.file("own-"+month+".csv", soldIn(random, "o"+month, month, 420, "a1", "a2", "a3", "a4", "a5", "")), w.file("more-"+month+".csv", soldIn(random, "m"+month, month, 160, "b1", "b2"))}
		own.Files, more.Files = append(own.Files, files[0]), append(more.Files, files[1])
		w.do("import", files[0], "--source", "own", "--final")
		w.do("import", files[1], "--source", "more", "--final")
		if i == 0 {
			w.do("map", "import", w.file("map.csv", rows))
			w.do("price", "import", "--vendor", "V", w.file("price.csv", ruleHead+"P1,,,,,,normal,billed,0.913,,\nP1,,,OBS,,,promotion,list,0.777,,\nP2,,,,,,normal,list,0.85,,\nD1,,,,,,normal,billed,0.731,,\nR1,,,,,,normal,list,0.917,,\n"))
		}
		grants(month, 20-8*i)
		w.do("close", "--vendor", "V", "--cycle", month, "--issue")
	}
	raw, err := json.Marshal(map[string]any{"sources": []source{own, more}, "map": "map.csv", "price": "price.csv", "parents": map[string]string{"R1": "D1"}, "entity": "E1", "vouchers": facts})
	if err != nil {
		w.t.Fatal(err)
	}
	return w.file("world.json", string(raw))
}

// TestVouchersRecomputed closes two months whose bills 32 vouchers with every kind of limit pay: two currencies, two
// contracting entities, a distributor with a reseller, spread lines, lines of one moment. The independent script draws the
// same amounts from the same vouchers for the same lines in the same order, to the last digit; both engines give the same
// bytes; a figure or a use that is altered is named.
func TestVouchersRecomputed(t *testing.T) {
	var want string
	for _, engine := range []string{"sqlite", "postgres"} {
		t.Run(engine, func(t *testing.T) {
			w := newWorld(t, engine)
			facts := w.closesWithVouchers()
			w.whole()
			var files []string
			uses := map[string]bool{}
			for _, one := range voucherBills {
				partner, month, _ := strings.Cut(one, " ")
				out := w.do("bill", "--partner", partner, "--cycle", month, "--format", "json", "--by", "line")
				files = append(files, w.file(partner+"-"+month+".json", string(out)))
				for _, b := range decode[struct{ Bills []billDoc }](t, out).Bills {
					for _, l := range b.Lines {
						if l["kind"] == "coupon" {
							uses[b.Currency+" "+b.Entity+" "+fmt.Sprint(l["origin"])] = true
							uses[fmt.Sprint(l["rule"])] = true
						}
					}
				}
			}
			for _, must := range []string{"CNY E1 usage", "CNY E2 usage", "USD E1 usage", "CNY E1 spread"} {
				if !uses[must] {
					t.Errorf("no voucher paid %s", must)
				}
			}
			if len(uses) < 4+20 {
				t.Errorf("few vouchers paid: %v", uses)
			}
			if code, out := recompute(t, facts, files...); code != 0 || !strings.Contains(out, "agree to the last digit") {
				t.Fatalf("exit %d\n%s", code, out)
			}
			if got := w.canonical(voucherBills...); want == "" {
				want = got
				w.altered(facts, files[0], filepath.Dir(w.data))
				w.alteredUse(facts, files[0])
			} else if got != want {
				t.Error("the engines' canonical exports differ")
			}
		})
	}
}

// alteredUse gives one use of a bill to another voucher and wants the script to name it.
func (w *world) alteredUse(facts, file string) {
	w.t.Helper()
	body, err := os.ReadFile(file)
	if err != nil {
		w.t.Fatal(err)
	}
	at := bytes.LastIndex(body, []byte(`"rule":"QJ`)) + len(`"rule":"QJ0000000`)
	body[at] = '0' + (body[at]-'0'+1)%10
	if code, out := recompute(w.t, facts, w.file("altered-use.json", string(body))); code != 1 || !strings.Contains(out, "of a voucher is ") {
		w.t.Errorf("another voucher: exit %d\n%s", code, out)
	}
}
