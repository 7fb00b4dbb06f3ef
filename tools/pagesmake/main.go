// Command pagesmake fills a data folder with one month of invented consumption, to measure pages on:
// a partner with twenty customers among many. The lines of a customer are as many as -few or, for each
// tenth one of the partner, -many; customers of other partners make up the rest, at most some 2,000 of
// them, so that a page looks the same at any size. The figures repeat: the same flags give the same
// database.
package main

import (
	"context"
	"flag"
	"fmt"
	"log"
	"time"

	"huoban/internal/account"
	"huoban/internal/app"
	"huoban/internal/audit"
	"huoban/internal/customer"
	"huoban/internal/cycle"
	"huoban/internal/money"
	"huoban/internal/organisation"
	"huoban/internal/scope"
	"huoban/internal/source"
	"huoban/internal/store"
	"huoban/internal/usage"
)

// The person who looks, and where.
const (
	login    = "bench-finance"
	password = "Huoban-bench-2026"
	seen     = 20 // customers of the partner that is looked at
)

func main() {
	data := flag.String("data", "", "data folder to make")
	db := flag.String("db", "", "postgres:// URL; empty is the embedded database")
	lines := flag.Int("lines", 1_000_000, "lines in all")
	few := flag.Int("few", 700, "lines of a customer")
	many := flag.Int("many", 7_700, "lines of a customer that has many")
	month := flag.String("cycle", "", "cycle; empty is two months ago")
	flag.Parse()
	if *data == "" {
		log.Fatal("pagesmake: -data is missing")
	}
	ctx := audit.WithRequest(context.Background(), audit.Request{SystemUser: "pagesmake"})
	a, err := app.Open(ctx, app.Settings{Data: *data, DB: *db, BaseURL: "http://localhost"}, app.Options{})
	if err != nil {
		log.Fatal("pagesmake: ", err)
	}
	defer a.Close()
	m := &maker{app: a, few: *few, many: *many, at: cycle.Of(a.Clock.Now(), cycle.Zone).Add(-2)}
	if *month != "" {
		if m.at, err = cycle.Parse(*month); err != nil {
			log.Fatal("pagesmake: ", err)
		}
	}
	if err := m.run(ctx, *lines); err != nil {
		log.Fatal("pagesmake: ", err)
	}
	fmt.Printf("{\"login\":%q,\"password\":%q,\"org\":\"PARTNER\",\"cycle\":%q,\"few\":\"C0002\",\"many\":\"C0001\",\"lines\":%d}\n", login, password, m.at, m.made)
}

type maker struct {
	app       *app.App
	few, many int
	at        cycle.Cycle
	partner   string
	others    string
	made      int
}

var operator = scope.System("operator")

func (m *maker) run(ctx context.Context, lines int) error {
	if err := m.people(ctx); err != nil {
		return err
	}
	if err := m.delivery(ctx, lines); err != nil {
		return err
	}
	for n := 1; m.made < lines; n++ {
		count := m.few
		if n <= seen && n%10 == 1 {
			count = m.many
		} else if n > seen {
			count = max(count, lines/2000)
		}
		if err := m.customer(ctx, n, min(count, lines-m.made)); err != nil {
			return err
		}
	}
	return nil
}

func (m *maker) people(ctx context.Context) error {
	for _, o := range []organisation.AddInput{{Code: "VENDOR", Kind: organisation.KindVendor, Name: "Vendor"},
		{Code: "PARTNER", Kind: organisation.KindSolution, Name: "Partner", ParentCode: "VENDOR"},
		{Code: "OTHERS", Kind: organisation.KindSolution, Name: "Others", ParentCode: "VENDOR"}} {
		res, err := m.app.Organisations.Add(ctx, operator, o)
		if err != nil {
			return err
		}
		m.partner, m.others = m.others, res.Organisation.ID // the last two are the partners
	}
	if _, err := m.app.Accounts.AddPerson(ctx, operator, account.AddPersonInput{OrgCode: "PARTNER", Login: login, Name: "Bench", Roles: []string{account.RoleFinance},
		Password: password, KeepPassword: true}); err != nil {
		return err
	}
	_, err := m.app.Sources.Add(ctx, operator, source.AddInput{Name: "bench", Vendor: "VENDOR", Dialect: "focus"})
	return err
}

// delivery is one active slot, which is what a published delivery leaves.
func (m *maker) delivery(ctx context.Context, lines int) error {
	src, err := m.app.Sources.ByName(ctx, operator, "bench")
	if err != nil {
		return err
	}
	at := store.At(m.app.Clock.Now())
	if err := m.insert(ctx, "delivery", "id", "bench", "source_id", src.ID, "number", int64(1), "state", "published", "version", int64(1), "content_sha", "bench",
		"received_at", at, "published_at", at, "actor", "operator", "files", int64(1), "line_count", int64(lines), "quarantined", int64(0), "skipped", int64(0),
		"dialect", "focus", "format_version", "1.0", "progress", int64(0), "warnings", ""); err != nil {
		return err
	}
	return m.insert(ctx, "slot", "id", int64(1), "delivery_id", "bench", "source_id", src.ID, "vendor_id", src.VendorID, "cycle", string(m.at), "state", "active",
		"sealed", false, "replaces", int64(0), "line_count", int64(lines))
}

// insert writes one row given as column, value, column, value …
func (m *maker) insert(ctx context.Context, table string, pairs ...any) error {
	var columns []string
	var values []any
	for i := 0; i < len(pairs); i += 2 {
		columns, values = append(columns, pairs[i].(string)), append(values, pairs[i+1])
	}
	return m.app.DB.InTx(ctx, func(ctx context.Context) error {
		left := 1
		_, err := m.app.DB.Bulk(ctx, table, columns, func() ([]any, bool, error) {
			left--
			return values, left >= 0, nil
		})
		return err
	})
}

func (m *maker) customer(ctx context.Context, n, count int) error {
	code, partner := fmt.Sprintf("C%04d", n), m.others
	if n <= seen {
		partner = m.partner
	}
	o, err := m.app.Organisations.EnsureCustomer(ctx, operator, code, fmt.Sprintf("Customer %d", n))
	if err != nil {
		return err
	}
	if _, err := m.app.Customers.Associate(ctx, operator, customer.AssociateInput{CustomerID: o.ID, PartnerID: partner, Kind: customer.KindResale}); err != nil {
		return err
	}
	lines, dims, sums := make([]*usage.Stored, count), usage.NewDims(), map[usage.SummaryKey]usage.Sum{}
	begin := m.at.Start(cycle.Zone)
	for i := range lines {
		l := invent(n, m.made+i, i, begin)
		l.SlotID, l.CustomerID = 1, o.ID
		dims.Accounts[l.AccountID], dims.Products[l.ProductID], dims.Resources[l.ResourceID] = l.Account, l.Product, l.Resource
		one, err := l.Sum("billed")
		if err != nil {
			return err
		}
		sum := sums[l.SummaryKey()]
		if err := sum.Add(one); err != nil {
			return err
		}
		l.Amount = one.Amount
		lines[i], sums[l.SummaryKey()] = l, sum
	}
	m.made += count
	return m.app.DB.InBulk(ctx, func(ctx context.Context) error {
		if err := m.app.Usage.WriteLines(ctx, lines, dims); err != nil {
			return err
		}
		return m.app.Usage.WriteSummaries(ctx, usage.EachOf(sums))
	})
}

var (
	services = []string{"Elastic Compute", "Object Storage", "Relational Database", "Content Delivery", "Block Storage", "Load Balancing"}
	regions  = []string{"cn-north-4", "cn-east-3", "ap-southeast-1"}
	modes    = []usage.ChargingMode{usage.ModeOnDemand, usage.ModeSubscription}
)

// invent makes line i of a customer; serial numbers all lines.
func invent(customer, serial, i int, begin time.Time) *usage.Stored {
	billed := money.MustExact(fmt.Sprintf("%d.%08d", serial%97, serial*7919%100_000_000))
	list := billed.Mul(money.MustExact("1.25"))
	l := &usage.Stored{Line: usage.Line{FileNo: 1, LineNo: int64(serial + 2), ChargeStart: begin.Add(time.Duration(i%(28*24)) * time.Hour), Kind: usage.KindConsumption,
		Currency: "USD", Billed: billed, List: &list, Account: usage.Account{Provider: "Bench", SubAccount: fmt.Sprintf("acct-%d", customer)},
		Product: usage.Product{Service: services[i%len(services)], SKU: "sku-" + services[i%len(services)], Region: regions[i/7%len(regions)],
			ChargingMode: modes[i/11%len(modes)], ChargeCategory: "Usage", Unit: "Hours"},
		Resource: usage.Resource{ID: fmt.Sprintf("res-%d-%d", customer, i%40), Name: fmt.Sprintf("node-%d", i%40)}}}
	l.ChargeEnd = l.ChargeStart.Add(time.Hour)
	l.AccountID, l.ProductID, l.ResourceID = l.Account.Hash(), l.Product.Hash(), l.Resource.Hash()
	l.Key = usage.HashOf(fmt.Sprint(serial))
	l.Content = l.Key
	return l
}
