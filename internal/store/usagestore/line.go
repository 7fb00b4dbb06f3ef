package usagestore

import (
	"bytes"
	"cmp"
	"context"
	"maps"
	"slices"
	"sort"
	"time"

	"huoban/internal/attribution"
	"huoban/internal/money"
	"huoban/internal/store"
	"huoban/internal/usage"
)

var (
	lineMove       = set.Get("line.Move")
	lineMoveAll    = set.Get("line.MoveAccounts")
	lineForgetPlan = set.Get("line.ForgetPlan")
	lineSetAccount = set.Get("line.SetAccount")
	lineMaxOccur   = set.Get("line.MaxOccurrence")
	lineRepeats    = set.Get("line.Repeats")
	lineAnyIn      = set.Get("line.AnyIn")
	summaryOne     = set.Get("summary.One")
	summaryPut     = set.Get("summary.Put")
	summaryDelete  = set.Get("summary.Delete")
)

var lineColumns = []string{"slot_id", "customer_id", "charge_start", "line_key", "occurrence", "content_hash", "charge_end", "file_no",
	"line_no", "account_id", "product_id", "resource_id", "kind", "currency", "billed", "list", "contracted", "effective", "quantity",
	"amount_e8", "rule_id"}

// WriteLines adds lines to staging slots, sorted by their key first, because that is how they are kept.
// Dimensions among fresh are written before them.
func (s *Store) WriteLines(ctx context.Context, lines []*usage.Stored, fresh usage.Dims) error {
	if err := s.writeDims(ctx, fresh); err != nil {
		return err
	}
	slices.SortFunc(lines, compareKeys)
	i := 0
	var boxes lineBoxes
	_, err := s.db.Bulk(ctx, "usage_line", lineColumns, func() ([]any, bool, error) {
		if i == len(lines) {
			return nil, false, nil
		}
		i++
		return boxes.row(lines[i-1]), true, nil
	})
	return err
}

// lineBoxes holds a row as the store takes it. Neighbours in key order share most values, and each box
// is memory of its own, so that a value that did not change stays in its box.
type lineBoxes struct {
	cells                          [21]any
	slot                           boxed[int64]
	customer, kind, currency, rule boxed[string]
	account, product               boxed[usage.Hash]
	start, end                     boxed[time.Time]
}

type boxed[T comparable] struct {
	last T
	set  bool
}

func (b *boxed[T]) to(cell *any, v T, box func(T) any) {
	if !b.set || v != b.last {
		b.last, b.set = v, true
		*cell = box(v)
	}
}

func asInt(n int64) any         { return n }
func asText(s string) any       { return s }
func asInstant(t time.Time) any { return store.At(t) }
func asBytes(h usage.Hash) any  { return h[:] }

// row gives the values in the order of lineColumns; they are valid until the next call.
func (b *lineBoxes) row(l *usage.Stored) []any {
	row := &b.cells
	b.slot.to(&row[0], l.SlotID, asInt)
	b.customer.to(&row[1], l.CustomerID, asText)
	b.start.to(&row[2], l.ChargeStart, asInstant)
	row[3], row[4], row[5] = l.Key[:], l.Occurrence, l.Content[:]
	b.end.to(&row[6], l.ChargeEnd, asInstant)
	row[7], row[8] = int64(l.FileNo), l.LineNo
	b.account.to(&row[9], l.AccountID, asBytes)
	b.product.to(&row[10], l.ProductID, asBytes)
	row[11] = l.ResourceID[:]
	b.kind.to(&row[12], string(l.Kind), asText)
	b.currency.to(&row[13], l.Currency, asText)
	row[14] = l.Billed.String()
	for at, x := range [4]*money.Exact{l.List, l.Contracted, l.Effective, l.Quantity} {
		switch {
		case x == nil:
			row[15+at] = nil
		case *x == l.Billed:
			row[15+at] = row[14]
		default:
			row[15+at] = x.String()
		}
	}
	row[19] = int64(l.Amount)
	b.rule.to(&row[20], l.RuleID, asText)
	return row[:]
}

// compareKeys orders lines by the key they are kept by.
func compareKeys(a, b *usage.Stored) int {
	if c := cmp.Compare(a.SlotID, b.SlotID); c != 0 {
		return c
	}
	if c := cmp.Compare(a.CustomerID, b.CustomerID); c != 0 {
		return c
	}
	if c := a.ChargeStart.Compare(b.ChargeStart); c != 0 {
		return c
	}
	if c := bytes.Compare(a.Key[:], b.Key[:]); c != 0 {
		return c
	}
	return cmp.Compare(a.Occurrence, b.Occurrence)
}

func (s *Store) writeDims(ctx context.Context, d usage.Dims) error {
	accounts := keys(d.Accounts)
	err := s.bulkDims(ctx, "account_dim", []string{"id", "provider", "publisher", "issuer", "billing_account", "billing_account_name",
		"sub_account", "sub_account_name", "source_key"}, accounts, func(h usage.Hash) []any {
		a := d.Accounts[h]
		return []any{h[:], a.Provider, a.Publisher, a.Issuer, a.BillingAccount, a.BillingAccountName, a.SubAccount, a.SubAccountName, a.SourceKey}
	})
	if err != nil {
		return err
	}
	err = s.bulkDims(ctx, "product_dim", []string{"id", "service", "service_category", "sku", "sku_price", "description", "region",
		"region_name", "charge_category", "charge_class", "charge_frequency", "pricing_category", "charging_mode", "unit"},
		keys(d.Products), func(h usage.Hash) []any {
			p := d.Products[h]
			return []any{h[:], p.Service, p.ServiceCategory, p.SKU, p.SKUPrice, p.Description, p.Region, p.RegionName, p.ChargeCategory,
				p.ChargeClass, p.ChargeFrequency, p.PricingCategory, string(p.ChargingMode), p.Unit}
		})
	if err != nil {
		return err
	}
	return s.bulkDims(ctx, "resource_dim", []string{"id", "resource", "name", "type", "tags", "order_no"}, keys(d.Resources), func(h usage.Hash) []any {
		r := d.Resources[h]
		return []any{h[:], r.ID, r.Name, r.Type, r.Tags, r.OrderNo}
	})
}

func keys[V any](m map[usage.Hash]V) []usage.Hash {
	out := make([]usage.Hash, 0, len(m))
	for h := range m {
		out = append(out, h)
	}
	sort.Slice(out, func(i, j int) bool { return string(out[i][:]) < string(out[j][:]) })
	return out
}

func (s *Store) bulkDims(ctx context.Context, table string, columns []string, ids []usage.Hash, row func(usage.Hash) []any) error {
	if len(ids) == 0 {
		return nil
	}
	i := 0
	_, err := s.db.BulkIgnore(ctx, table, columns, func() ([]any, bool, error) {
		if i == len(ids) {
			return nil, false, nil
		}
		i++
		return row(ids[i-1]), true, nil
	})
	return err
}

var summaryColumns = []string{"slot_id", "customer_id", "account_id", "product_id", "kind", "currency", "line_count", "amount_e8", "exact", "billed"}

// WriteSummaries keeps the sums of slots that have none yet; in key order it is fastest.
func (s *Store) WriteSummaries(ctx context.Context, next usage.NextSummary) error {
	_, err := s.db.Bulk(ctx, "usage_summary", summaryColumns, func() ([]any, bool, error) {
		x, more, err := next()
		if err != nil || !more {
			return nil, false, err
		}
		return []any{x.SlotID, x.CustomerID, x.AccountID[:], x.ProductID[:], string(x.Kind), x.Currency, x.Lines, int64(x.Amount),
			x.Exact.String(), x.Billed.String()}, true, nil
	})
	return err
}

func sumOrder(sums map[usage.SummaryKey]usage.Sum) []usage.SummaryKey {
	return slices.SortedFunc(maps.Keys(sums), usage.SummaryKey.Compare)
}

// AddToSummaries adds differences to the sums that are kept; a sum without lines goes away.
func (s *Store) AddToSummaries(ctx context.Context, diffs map[usage.SummaryKey]usage.Sum) error {
	for _, k := range sumOrder(diffs) {
		d := diffs[k]
		if d.IsZero() {
			continue
		}
		var now usage.Sum
		var exact, billed store.Decimal
		args := []any{k.SlotID, k.CustomerID, k.AccountID[:], k.ProductID[:], string(k.Kind), k.Currency}
		err := s.db.Row(ctx, summaryOne, "usage.summary_missing", args, &now.Lines, &now.Amount, &exact, &billed)
		if err != nil && !missing(err) {
			return err
		}
		now.Exact, now.Billed = exact.Exact, billed.Exact
		if err := now.Add(d); err != nil {
			return err
		}
		q := summaryDelete
		if now.Lines != 0 {
			q, args = summaryPut, append(args, now.Lines, int64(now.Amount), now.Exact.String(), now.Billed.String())
		}
		if _, err := s.db.Exec(ctx, q, args...); err != nil {
			return err
		}
	}
	return nil
}

// MoveLine gives a line to another customer, or another rule to the line.
func (s *Store) MoveLine(ctx context.Context, l *usage.Stored, customerID, ruleID string) error {
	_, err := s.db.Exec(ctx, lineMove, l.SlotID, l.CustomerID, store.At(l.ChargeStart), l.Key[:], l.Occurrence, customerID, ruleID)
	return err
}

// MoveAccounts gives all lines of accounts in a slot to the customers named, in one pass over the slot.
func (s *Store) MoveAccounts(ctx context.Context, slotID int64, moves []attribution.AccountMove) error {
	if len(moves) == 0 {
		return nil
	}
	i := 0
	_, err := s.db.Bulk(ctx, "move_plan", []string{"slot_id", "account_id", "customer_id", "rule_id"}, func() ([]any, bool, error) {
		if i == len(moves) {
			return nil, false, nil
		}
		m := &moves[i]
		i++
		return []any{slotID, m.Account[:], m.To, m.RuleID}, true, nil
	})
	if err != nil {
		return err
	}
	if _, err := s.db.Exec(ctx, lineMoveAll, slotID); err != nil {
		return err
	}
	_, err = s.db.Exec(ctx, lineForgetPlan, slotID)
	return err
}

// LastOccurrence is the highest ordinal among lines of equal key at that place; -1 if there is none.
func (s *Store) LastOccurrence(ctx context.Context, p usage.Place, start time.Time) (int64, error) {
	var n int64
	err := s.db.Row(ctx, lineMaxOccur, "usage.line_missing", []any{p.SlotID, p.CustomerID, store.At(start), p.Key[:]}, &n)
	return n, err
}

// Repeat finds the first line of one slot whose key the other slot has too.
func (s *Store) Repeat(ctx context.Context, newSlot, oldSlot int64) (fileNo int, lineNo int64, found bool, err error) {
	err = s.db.Row(ctx, lineRepeats, "usage.line_missing", []any{newSlot, oldSlot}, &fileNo, &lineNo)
	if missing(err) {
		return 0, 0, false, nil
	}
	return fileNo, lineNo, err == nil, err
}

// AnyLine tells whether the customer has a line in the slot that starts in [from, to).
func (s *Store) AnyLine(ctx context.Context, slotID int64, customerID string, from, to time.Time) (bool, error) {
	var one int64
	err := s.db.Row(ctx, lineAnyIn, "usage.line_missing", []any{slotID, customerID, store.At(from), store.At(to)}, &one)
	if missing(err) {
		return false, nil
	}
	return err == nil, err
}

// SetLineAccount gives a line another account.
func (s *Store) SetLineAccount(ctx context.Context, l *usage.Stored, id usage.Hash, a usage.Account) error {
	d := usage.NewDims()
	d.Accounts[id] = a
	if err := s.writeDims(ctx, d); err != nil {
		return err
	}
	_, err := s.db.Exec(ctx, lineSetAccount, l.SlotID, l.CustomerID, store.At(l.ChargeStart), l.Key[:], l.Occurrence, id[:])
	return err
}
