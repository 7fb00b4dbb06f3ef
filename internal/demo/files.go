package demo

import (
	"bytes"
	"encoding/csv"
	"fmt"
	"io"
	"strings"
	"time"

	"huoban/internal/cycle"
)

// MarketFile writes the marketplace orders of a month in the portal's own format. Late is the order
// that the seller reported after the month was closed.
func (w *World) MarketFile(out io.Writer, c cycle.Cycle, late bool) error {
	o := csv.NewWriter(out)
	head := []string{"line_id", "cycle", "charge_start", "charge_end", "provider", "sub_account", "sub_account_name", "product",
		"product_category", "sku", "description", "charging_mode", "category", "currency", "billed", "list", "quantity", "unit", "order_no"}
	if err := o.Write(head); err != nil {
		return err
	}
	month := w.index(c)
	row := func(r *resource, id string) error {
		cost := string(nano(nil, r.amount*r.product.Price*1e5))
		return o.Write([]string{id, string(c), day(c.Start(cycle.Zone)), day(c.End(cycle.Zone).AddDate(0, 0, -1)), r.product.Provider,
			r.account.ID, r.account.Name, r.product.Service, r.product.Category, r.product.SKU, r.product.Description, "subscription",
			"purchase", "CNY", cost, cost, fmt.Sprint(r.amount), r.product.Unit, "CS" + strings.ReplaceAll(string(c), "-", "") + r.account.ID[len(r.account.ID)-4:]})
	}
	if late {
		r := w.lateOrder()
		if r == nil {
			return nil
		}
		if err := row(r, fmt.Sprintf("MKT-%s-LATE", c)); err != nil {
			return err
		}
		o.Flush()
		return o.Error()
	}
	for i := range w.resources {
		r := &w.resources[i]
		if r.product.Mode != market || r.since > month {
			continue
		}
		if err := row(r, fmt.Sprintf("MKT-%s-%05d", c, i)); err != nil {
			return err
		}
	}
	// The seller's own test tenancy, so that no month is without a row.
	own := resource{account: SubAccount{sellerAccount, "朗汐安全"}, product: w.product("mkt-scan"), amount: 1}
	if err := row(&own, fmt.Sprintf("MKT-%s-OWN", c)); err != nil {
		return err
	}
	o.Flush()
	return o.Error()
}

const sellerAccount = "700000000007"

func (w *World) product(code string) *Product {
	for i := range w.Products {
		if w.Products[i].Code == code {
			return &w.Products[i]
		}
	}
	return nil
}

// lateOrder is one more licence of the customer it happens to.
func (w *World) lateOrder() *resource {
	c := w.Customer(latePaid)
	if c == nil {
		return nil
	}
	return &resource{customer: c, account: c.SubAccounts[0], product: w.product("mkt-edr"), amount: 2}
}

// Customer finds a customer by code; nil in a smaller world without it.
func (w *World) Customer(code string) *Customer {
	for i := range w.Customers {
		if w.Customers[i].Code == code {
			return &w.Customers[i]
		}
	}
	return nil
}

// MapFile is the mapping of both sources.
func (w *World) MapFile() []byte {
	rows := [][]string{}
	for _, src := range []string{CloudSource, MarketSource} {
		for _, c := range w.Customers {
			for _, a := range c.SubAccounts {
				if c.Moves == 0 {
					rows = append(rows, []string{src, a.ID, c.Code, c.Partner, c.Association, "", ""})
					continue
				}
				at := moment(w.Month(c.Moves))
				rows = append(rows, []string{src, a.ID, c.Code, c.Partner, c.Association, "", at},
					[]string{src, a.ID, c.Code, c.MovedTo, c.Association, at, ""})
			}
		}
	}
	rows = append(rows, []string{MarketSource, sellerAccount, Seller, Seller, "resale", "", ""}) // its own consumption
	return written([]string{"source", "key", "customer", "partner", "association", "valid_from", "valid_to"}, rows)
}

// RegroupFile gives a test account to the customer that really uses it, from a closed month on; nil in
// a world without both.
func (w *World) RegroupFile(from cycle.Cycle) []byte {
	a, b := w.Customer(regrouped), w.Customer(regroupTo)
	if a == nil || b == nil || len(a.SubAccounts) < 2 {
		return nil
	}
	return written([]string{"source", "key", "customer", "partner", "association", "valid_from", "valid_to"},
		[][]string{{CloudSource, a.SubAccounts[1].ID, b.Code, b.Partner, b.Association, moment(from), ""}})
}

// PriceFile is the price book: a 普通 price per partner that changed once, a 促销, 无折扣 for the
// marketplace, a 特价 for one customer, and what the 总经销商 asks of its 云经销商.
func (w *World) PriceFile() []byte {
	change := day(w.Month(w.Months * 5 / 9).Start(cycle.Zone))
	sale := w.Month(w.Months / 3)
	rows := [][]string{}
	add := func(partner, customer, provider, product, mode, kind, base, factor, from, to string) {
		rows = append(rows, []string{partner, customer, provider, product, mode, "", kind, base, factor, from, to})
	}
	for _, p := range []struct{ partner, before, after string }{
		{Distributor, "0.84", "0.82"}, {"QIHENG", "0.90", "0.88"}, {"YANSHI", "0.91", "0.90"}, {"ZHANZHOU", "0.93", "0.92"}, {"MULAN", "0.94", "0.93"},
	} {
		add(p.partner, "", "", "", "", "normal", "billed", p.before, "", change)
		add(p.partner, "", "", "", "", "normal", "billed", p.after, change, "")
		add(p.partner, "", "朗汐安全", "", "", "no_discount", "billed", "1", "", "")
	}
	add(Seller, "", "朗汐安全", "", "", "no_discount", "billed", "1", "", "")
	add("QIHENG", "", "", "", "subscription", "normal", "billed", "0.86", "", "")
	add("", "", "", "对象存储", "", "promotion", "list", "0.75", day(sale.Start(cycle.Zone)), day(sale.End(cycle.Zone)))
	if w.Customer(special) != nil {
		add("QIHENG", special, "", "GPU 云服务器", "", "special", "list", "0.68", "", "")
	}
	return written([]string{"partner", "customer", "provider", "product", "charging_mode", "region", "type", "base", "factor", "valid_from", "valid_to"}, rows)
}

// moment is the beginning of a month with its offset, which no reader can take for another zone's.
func moment(c cycle.Cycle) string { return c.Start(cycle.Zone).Format(time.RFC3339) }

func written(head []string, rows [][]string) []byte {
	var buf bytes.Buffer
	o := csv.NewWriter(&buf)
	_ = o.Write(head)
	_ = o.WriteAll(rows) // a buffer takes every write
	return buf.Bytes()
}
