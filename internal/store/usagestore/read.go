package usagestore

import (
	"context"
	"database/sql"
	"time"

	"huoban/internal/money"
	"huoban/internal/store"
	"huoban/internal/usage"
)

var (
	linePage     = set.Get("line.Page")
	linePageOf   = set.Get("line.PageOf")
	dimAccounts  = set.Get("dim.Accounts")
	dimProducts  = set.Get("dim.Products")
	dimResources = set.Get("dim.Resources")
	sumSpread    = set.Get("summary.Spread")
	sumOfSlot    = set.Get("summary.OfSlot")
	mapOrgs      = set.Get("map.Orgs")
)

// PageSize is how many lines one page of the program's own readings holds.
const PageSize = 4096

// beginning is before every charge; the zero time cannot be written.
var beginning = time.Date(1, 1, 1, 0, 0, 0, 1000, time.UTC)

// dimCache remembers dimension rows between pages. Accounts and products are few; resources are many, so
// that their cache is emptied when full.
type dimCache struct{ usage.Dims }

const resourcesMost = 50_000

// EachLine streams the lines of the slots, each slot in key order. fn may use the store. The line is
// valid until fn returns.
func (s *Store) EachLine(ctx context.Context, slots []int64, fn func(*usage.Stored) error) error {
	cache := &dimCache{usage.NewDims()}
	for _, slot := range slots {
		after := usage.Stored{SlotID: slot, Line: usage.Line{ChargeStart: beginning, Occurrence: -1}}
		for {
			page, err := s.page(ctx, cache, &after, PageSize)
			if err != nil {
				return err
			}
			for i := range page {
				if err := fn(&page[i]); err != nil {
					return err
				}
			}
			if len(page) < PageSize {
				break
			}
			after = page[len(page)-1]
		}
	}
	return nil
}

// EachLineOf streams the lines of one customer in a slot.
func (s *Store) EachLineOf(ctx context.Context, slot int64, customerID string, fn func(*usage.Stored) error) error {
	cache := &dimCache{usage.NewDims()}
	after := usage.Stored{SlotID: slot, CustomerID: customerID, Line: usage.Line{ChargeStart: beginning, Occurrence: -1}}
	for {
		page, err := s.pageOf(ctx, cache, &after, PageSize)
		if err != nil {
			return err
		}
		for i := range page {
			if err := fn(&page[i]); err != nil {
				return err
			}
		}
		if len(page) < PageSize {
			return nil
		}
		after = page[len(page)-1]
	}
}

// LinesAfter gives up to n lines of a slot that follow a place; nil is the beginning.
func (s *Store) LinesAfter(ctx context.Context, slot int64, after *usage.Stored, n int) ([]usage.Stored, error) {
	from := usage.Stored{SlotID: slot, Line: usage.Line{ChargeStart: beginning, Occurrence: -1}}
	if after != nil {
		from.CustomerID, from.ChargeStart, from.Key, from.Occurrence = after.CustomerID, after.ChargeStart, after.Key, after.Occurrence
	}
	return s.page(ctx, nil, &from, n)
}

// Fill reads the dimensions of lines that were read without.
func (s *Store) Fill(ctx context.Context, lines []usage.Stored) error {
	return s.fill(ctx, &dimCache{usage.NewDims()}, lines)
}

func (s *Store) page(ctx context.Context, cache *dimCache, after *usage.Stored, n int) ([]usage.Stored, error) {
	return s.lines(ctx, cache, after.SlotID, linePage, after.SlotID, after.CustomerID, store.At(after.ChargeStart), after.Key[:],
		after.Occurrence, int64(n))
}

func (s *Store) pageOf(ctx context.Context, cache *dimCache, after *usage.Stored, n int) ([]usage.Stored, error) {
	return s.lines(ctx, cache, after.SlotID, linePageOf, after.SlotID, after.CustomerID, store.At(after.ChargeStart), after.Key[:],
		after.Occurrence, int64(n))
}

// lines reads one page; a nil cache leaves the dimensions out.
func (s *Store) lines(ctx context.Context, cache *dimCache, slot int64, q store.Query, args ...any) ([]usage.Stored, error) {
	var out []usage.Stored
	var key, content, account, product, resource []byte
	err := s.db.Each(ctx, q, args, func(rows *sql.Rows) error {
		l := usage.Stored{SlotID: slot}
		var start, end store.Instant
		var kind string
		var billed, list, contracted, effective, quantity store.Decimal
		err := rows.Scan(&l.CustomerID, &start, &key, &l.Occurrence, &content, &end, &l.FileNo, &l.LineNo, &account, &product,
			&resource, &kind, &l.Currency, &billed, &list, &contracted, &effective, &quantity, &l.RuleID)
		if err != nil {
			return err
		}
		l.ChargeStart, l.ChargeEnd, l.Kind, l.Billed = start.Time, end.Time, usage.Kind(kind), billed.Exact
		l.List, l.Contracted, l.Effective, l.Quantity = list.Ptr(), contracted.Ptr(), effective.Ptr(), quantity.Ptr()
		copy(l.Key[:], key)
		copy(l.Content[:], content)
		copy(l.AccountID[:], account)
		copy(l.ProductID[:], product)
		copy(l.ResourceID[:], resource)
		out = append(out, l)
		return nil
	})
	if err != nil || cache == nil {
		return out, err
	}
	return out, s.fill(ctx, cache, out)
}

func (s *Store) fill(ctx context.Context, cache *dimCache, lines []usage.Stored) error {
	if len(lines) == 0 {
		return nil
	}
	slot, err := s.Slot(ctx, lines[0].SlotID)
	if err != nil {
		return err
	}
	if len(cache.Resources) > resourcesMost {
		cache.Resources = map[usage.Hash]usage.Resource{}
	}
	accounts, products, resources := map[usage.Hash]bool{}, map[usage.Hash]bool{}, map[usage.Hash]bool{}
	for i := range lines {
		note(accounts, cache.Accounts, lines[i].AccountID)
		note(products, cache.Products, lines[i].ProductID)
		note(resources, cache.Resources, lines[i].ResourceID)
	}
	if err := s.load(ctx, cache.Dims, accounts, products, resources); err != nil {
		return err
	}
	for i := range lines {
		l := &lines[i]
		l.Cycle = slot.Cycle
		l.Account, l.Product, l.Resource = cache.Accounts[l.AccountID], cache.Products[l.ProductID], cache.Resources[l.ResourceID]
		l.Correction = l.Product.ChargeClass == "Correction"
	}
	return nil
}

func note[V any](want map[usage.Hash]bool, have map[usage.Hash]V, h usage.Hash) {
	if _, ok := have[h]; !ok {
		want[h] = true
	}
}

// dimsPerQuery is the number of placeholders in the queries of dimensions.
const dimsPerQuery = 32

// load reads dimension rows by hash into d.
func (s *Store) load(ctx context.Context, d usage.Dims, accounts, products, resources map[usage.Hash]bool) error {
	var id []byte
	err := s.eachDim(ctx, dimAccounts, accounts, func(rows *sql.Rows) error {
		var a usage.Account
		err := rows.Scan(&id, &a.Provider, &a.Publisher, &a.Issuer, &a.BillingAccount, &a.BillingAccountName, &a.SubAccount,
			&a.SubAccountName, &a.SourceKey)
		d.Accounts[usage.Hash(id)] = a
		return err
	})
	if err != nil {
		return err
	}
	err = s.eachDim(ctx, dimProducts, products, func(rows *sql.Rows) error {
		var p usage.Product
		var mode string
		err := rows.Scan(&id, &p.Service, &p.ServiceCategory, &p.SKU, &p.SKUPrice, &p.Description, &p.Region, &p.RegionName,
			&p.ChargeCategory, &p.ChargeClass, &p.ChargeFrequency, &p.PricingCategory, &mode, &p.Unit)
		p.ChargingMode = usage.ChargingMode(mode)
		d.Products[usage.Hash(id)] = p
		return err
	})
	if err != nil {
		return err
	}
	return s.eachDim(ctx, dimResources, resources, func(rows *sql.Rows) error {
		var r usage.Resource
		err := rows.Scan(&id, &r.ID, &r.Name, &r.Type, &r.Tags, &r.OrderNo)
		d.Resources[usage.Hash(id)] = r
		return err
	})
}

func (s *Store) eachDim(ctx context.Context, q store.Query, want map[usage.Hash]bool, scan func(*sql.Rows) error) error {
	ids := keys(want)
	for len(ids) > 0 {
		n := min(len(ids), dimsPerQuery)
		args := make([]any, dimsPerQuery)
		for i := range args {
			args[i] = ids[min(i, n-1)][:]
		}
		ids = ids[n:]
		if err := s.db.Each(ctx, q, args, scan); err != nil {
			return err
		}
	}
	return nil
}

// SummariesOf lists the sums of a slot in key order.
func (s *Store) SummariesOf(ctx context.Context, slot int64) ([]usage.Summary, error) {
	var out []usage.Summary
	err := s.EachSummary(ctx, slot, func(x *usage.Summary) error {
		out = append(out, *x)
		return nil
	})
	return out, err
}

// EachSummary calls fn for the sums of a slot in key order; fn must not use the store.
func (s *Store) EachSummary(ctx context.Context, slot int64, fn func(*usage.Summary) error) error {
	var account, product []byte
	return s.db.Each(ctx, sumOfSlot, []any{slot}, func(rows *sql.Rows) error {
		x := usage.Summary{SummaryKey: usage.SummaryKey{SlotID: slot}}
		var kind string
		var amount int64
		var exact, billed store.Decimal
		if err := rows.Scan(&x.CustomerID, &account, &product, &kind, &x.Currency, &x.Lines, &amount, &exact, &billed); err != nil {
			return err
		}
		copy(x.AccountID[:], account)
		copy(x.ProductID[:], product)
		x.Kind, x.Amount, x.Exact, x.Billed = usage.Kind(kind), money.Amount(amount), exact.Exact, billed.Exact
		return fn(&x)
	})
}

// Accounts gives accounts by hash.
func (s *Store) Accounts(ctx context.Context, ids map[usage.Hash]bool) (map[usage.Hash]usage.Account, error) {
	d := usage.NewDims()
	return d.Accounts, s.load(ctx, d, ids, nil, nil)
}

// Products gives products by hash.
func (s *Store) Products(ctx context.Context, ids map[usage.Hash]bool) (map[usage.Hash]usage.Product, error) {
	d := usage.NewDims()
	return d.Products, s.load(ctx, d, nil, ids, nil)
}

// anySpread tells whether some line of the slots waits to be spread.
func (s *Store) anySpread(ctx context.Context, slots []int64) (some bool, err error) {
	for _, id := range slots {
		err := s.db.Cells(ctx, sumSpread, []any{id, usage.CustomerSpread}, func(store.RowCells) error {
			some = true
			return nil
		})
		if some || err != nil {
			return some, err
		}
	}
	return false, nil
}

// Shares divides the lines that wait to be spread among the customers of their source, cycle and
// currency by what these were billed without tax; nothing is kept, so the shares always follow the
// lines. A source whose customers have no total above zero leaves its lines whole and unmapped.
func (s *Store) Shares(ctx context.Context, slots []int64, fn func(usage.Share) error) error {
	type group struct{ source, cycle, currency string }
	totals := map[group]map[string]money.Exact{}
	origin := map[int64]usage.Slot{}
	if spread, err := s.anySpread(ctx, slots); !spread || err != nil {
		return err
	}
	for _, id := range slots {
		slot, err := s.Slot(ctx, id)
		if err != nil {
			return err
		}
		origin[id] = slot
		sums, err := s.SummariesOf(ctx, id)
		if err != nil {
			return err
		}
		for _, x := range sums {
			if x.Kind == usage.KindTax {
				continue
			}
			g := group{slot.SourceID, string(slot.Cycle), x.Currency}
			if totals[g] == nil {
				totals[g] = map[string]money.Exact{}
			}
			totals[g][x.CustomerID] = totals[g][x.CustomerID].Add(x.Billed)
		}
	}
	codes, err := s.orgCodes(ctx)
	if err != nil {
		return err
	}
	weights := map[group][]usage.Weight{}
	for g, byCustomer := range totals {
		var all []usage.Weight
		for id, total := range byCustomer {
			all = append(all, usage.Weight{CustomerID: id, Code: codes[id], Total: total})
		}
		weights[g] = usage.Weights(all)
	}
	for _, id := range slots {
		slot := origin[id]
		err := s.EachLineOf(ctx, id, usage.CustomerSpread, func(l *usage.Stored) error {
			for _, share := range usage.SpreadLine(l, weights[group{slot.SourceID, string(slot.Cycle), l.Currency}]) {
				if err := fn(share); err != nil {
					return err
				}
			}
			return nil
		})
		if err != nil {
			return err
		}
	}
	return nil
}

func (s *Store) orgCodes(ctx context.Context) (map[string]string, error) {
	out := map[string]string{}
	err := s.db.Each(ctx, mapOrgs, nil, func(rows *sql.Rows) error {
		var id, code, kind, name string
		err := rows.Scan(&id, &code, &kind, &name)
		out[id] = code
		return err
	})
	return out, err
}
