package accountstore_test

import (
	"context"
	"slices"
	"testing"
	"time"

	"huoban/internal/customer"
	"huoban/internal/id"
	"huoban/internal/scope"
	"huoban/internal/store"
	"huoban/internal/store/storetest"
)

// put writes one row; columns the story does not speak of are empty.
func (w *world) put(db *store.DB, table string, row map[string]any) {
	w.t.Helper()
	tables, err := db.Tables(w.ctx)
	w.must(err)
	i := slices.IndexFunc(tables, func(t store.Table) bool { return t.Name == table })
	for _, c := range tables[i].Columns {
		if _, named := row[c.Name]; named || !c.NotNull {
			continue
		}
		switch c.Type {
		case store.TypeFlag:
			row[c.Name] = false
		case store.TypeInt:
			row[c.Name] = int64(0)
		default:
			row[c.Name] = ""
		}
	}
	var columns []string
	for c := range row {
		columns = append(columns, c)
	}
	slices.Sort(columns)
	values := make([]any, len(columns))
	for i, c := range columns {
		values[i] = row[c]
	}
	done := false
	w.must(db.InTx(w.ctx, func(ctx context.Context) error {
		_, err := db.Bulk(ctx, table, columns, func() ([]any, bool, error) {
			if done {
				return nil, false, nil
			}
			done = true
			return values, true, nil
		})
		return err
	}))
}

// billed gives the customer one summarised line in a cycle of the vendor, sealed or not.
func (w *world) billed(db *store.DB, vendor, customerCode, cycle string, slot int64, sealed bool) {
	w.t.Helper()
	w.billedIn(db, vendor, customerCode, cycle, slot, sealed, "UTC")
}

func (w *world) billedIn(db *store.DB, vendor, customerCode, cycle string, slot int64, sealed bool, zone string) {
	w.t.Helper()
	now := store.At(w.clock.Now())
	source, delivery := id.New(), id.New()
	w.put(db, "source", map[string]any{"id": source, "vendor_id": w.org[vendor].ID, "name": "s-" + cycle, "dialect": "focus", "zone": zone,
		"mode": "snapshot", "providers": "", "accounts": "", "currencies": "", "base_column": "billed", "key_column": "",
		"default_kind": "unmapped", "default_org_id": nil, "loose_kind": "default", "loose_org_id": nil, "entity_id": nil,
		"columns": "", "from_cycle": "", "until_cycle": "", "created_at": now})
	w.put(db, "delivery", map[string]any{"id": delivery, "source_id": source, "number": int64(1), "state": "published", "version": int64(1),
		"content_sha": "x", "received_at": now, "published_at": now, "actor": "operator", "files": int64(1), "line_count": int64(1),
		"quarantined": int64(0), "skipped": int64(0), "dialect": "focus", "format_version": "1.0", "progress": int64(1), "warnings": ""})
	row := map[string]any{"id": slot, "delivery_id": delivery, "source_id": source, "vendor_id": w.org[vendor].ID, "cycle": cycle,
		"state": "active", "sealed": false, "line_count": int64(1)}
	w.put(db, "slot", row)
	key := make([]byte, 16)
	w.put(db, "usage_summary", map[string]any{"slot_id": slot, "customer_id": w.org[customerCode].ID, "account_id": key, "product_id": key,
		"kind": "consumption", "currency": "USD", "line_count": int64(1), "amount_e8": int64(1), "exact": "0.00000001"})
	if sealed {
		w.must(db.InTx(w.ctx, func(ctx context.Context) error {
			_, err := db.Exec(ctx, store.Query{Name: "test.seal", Text: "UPDATE slot SET sealed = $2 WHERE id = $1"}, slot, true)
			return err
		}))
	}
	w.put(db, "map_rule", map[string]any{"id": id.New(), "source_id": source, "seq": int64(1), "key_kind": "plain", "key": "a",
		"org_id": w.org[customerCode].ID, "valid_from": nil, "valid_to": nil, "ended_seq": int64(0), "created_by": "operator", "created_at": now})
}

// Whose a customer was in an issued cycle is not changed afterwards: its bill must stay what the
// records say.
func TestIssuedCycleKeepsItsPartner(t *testing.T) {
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		w := newWorld(t, db).cast()
		first := w.associate("c1", "fangan", customer.KindResale, "", "")
		w.billed(db, "yunfan", "c1", "2026-09", 1, true)
		w.billed(db, "yunfan", "c1", "2026-10", 2, false)
		in := customer.AssociateInput{CustomerID: w.org["c1"].ID, PartnerID: w.org["zongdai"].ID, Kind: customer.KindResale,
			From: w.day("2026-09-15"), Replace: true}
		_, err := w.customers.Associate(w.ctx, operator, in)
		w.refused(err, "customer.cycle_closed")
		_, err = w.customers.End(w.ctx, operator, first.ID, w.day("2026-09-30").Add(24*time.Hour-time.Microsecond))
		w.refused(err, "customer.cycle_closed")
		in.From = w.day("2026-10-01")
		_, err = w.customers.Associate(w.ctx, operator, in)
		w.must(err)
		in.CustomerID = w.org["c2"].ID
		in.From = time.Time{}
		_, err = w.customers.Associate(w.ctx, operator, in) // no lines, no restraint
		w.must(err)
	})
}

// The month of a line ends in the zone of its source: a customer of a source of GMT+8 may change partner
// from the first of the next month there, eight hours before that in UTC.
func TestIssuedCycleEndsInItsSourcesZone(t *testing.T) {
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		w := newWorld(t, db).cast()
		w.associate("c1", "fangan", customer.KindResale, "", "")
		w.billedIn(db, "yunfan", "c1", "2026-09", 1, true, "+08:00")
		in := customer.AssociateInput{CustomerID: w.org["c1"].ID, PartnerID: w.org["zongdai"].ID, Kind: customer.KindResale,
			From: w.day("2026-10-01").Add(-8*time.Hour - time.Microsecond), Replace: true}
		_, err := w.customers.Associate(w.ctx, operator, in)
		w.refused(err, "customer.cycle_closed")
		in.From = in.From.Add(time.Microsecond)
		_, err = w.customers.Associate(w.ctx, operator, in)
		w.must(err)
	})
}

// What covers an association wholly takes its place as long as nothing of it is issued; the one replaced
// never was in force.
func TestAssociationReplacedWhole(t *testing.T) {
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		w := newWorld(t, db).cast()
		first := w.associate("c1", "fangan", customer.KindResale, "", "")
		in := customer.AssociateInput{CustomerID: w.org["c1"].ID, PartnerID: w.org["zongdai"].ID, Kind: customer.KindResale}
		_, err := w.customers.Associate(w.ctx, operator, in)
		w.refused(err, "customer.association_overlap")
		in.Replace = true
		_, err = w.customers.Associate(w.ctx, operator, in)
		w.must(err)
		all, err := w.customers.Associations(w.ctx, operator)
		w.must(err)
		for _, a := range all {
			if a.ID == first.ID && (a.State != customer.StateEnded || !a.From.Equal(a.To) || a.From.IsZero()) {
				t.Errorf("replaced: %+v", a)
			}
		}
		partner, _, _ := customer.NewBook(all).PartnerAt(w.org["c1"].ID, w.day("2026-05-01"))
		if partner != w.org["zongdai"].ID {
			t.Errorf("partner is %s", partner)
		}
		w.billed(db, "yunfan", "c1", "2026-09", 1, true)
		in.PartnerID = w.org["fangan"].ID
		_, err = w.customers.Associate(w.ctx, operator, in)
		w.refused(err, "customer.cycle_closed")
	})
}

func TestVendorSeesCustomersItMapped(t *testing.T) {
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		w := newWorld(t, db).cast()
		w.associate("c1", "fangan", customer.KindResale, "", "")
		w.billed(db, "yunfan", "c1", "2026-10", 1, false)
		ops := w.scope(w.person("yunfan", "ops", "operations"), "yunfan")
		stranger := w.scope(w.person("other", "stranger", "operations"), "other")
		seen, err := w.orgs.List(w.ctx, ops)
		w.must(err)
		if !slices.Contains(codesOf(seen), "c1") || slices.Contains(codesOf(seen), "c2") {
			t.Errorf("the vendor sees %v", codesOf(seen))
		}
		for i, want := range []int{1, 0} {
			list, err := w.customers.Associations(w.ctx, []scope.Scope{ops, stranger}[i])
			w.must(err)
			if len(list) != want {
				t.Errorf("vendor %d sees %d associations, want %d", i, len(list), want)
			}
		}
	})
}
