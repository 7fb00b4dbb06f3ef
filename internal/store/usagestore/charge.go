package usagestore

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"strings"
	"sync"

	"huoban/internal/money"
	"huoban/internal/store"
	"huoban/internal/usage"
)

var (
	chargeLines    = set.Get("charge.Lines")
	chargeAccounts = set.Get("charge.Accounts")
	chargeProducts = set.Get("charge.Products")
)

// Charges are handed on in batches, so that reading and summing keep two cores busy.
const (
	chargeBatch   = 256
	chargeBatches = 4
)

// EachCharge streams the lines of the slots, each slot in key order, with what a price depends on and
// nothing else: customer, charge start, account, product, kind, currency and the amounts a
// price may name. It reads one
// snapshot; fn must not use the store. The line is valid until fn returns.
func (s *Store) EachCharge(ctx context.Context, slots []int64, fn func(*usage.Stored) error) error {
	return s.db.InRead(ctx, func(ctx context.Context) error {
		for _, slot := range slots {
			if err := s.charges(ctx, slot, fn); err != nil {
				return err
			}
		}
		return nil
	})
}

func (s *Store) charges(ctx context.Context, slot int64, fn func(*usage.Stored) error) error {
	dims, err := s.summedDims(ctx, slot)
	if err != nil {
		return err
	}
	r := &chargeReader{slot: slot, dims: dims, full: make(chan []usage.Stored, chargeBatches), free: make(chan []usage.Stored, chargeBatches+2),
		stop: make(chan struct{})}
	for range chargeBatches {
		r.free <- make([]usage.Stored, 0, chargeBatch)
	}
	var read sync.WaitGroup
	var failed error
	read.Go(func() {
		defer close(r.full)
		if failed = s.db.Stream(ctx, chargeLines, []any{slot}, r.row); failed == nil {
			failed = r.flush()
		}
	})
	err = r.consume(fn)
	close(r.stop)
	read.Wait()
	if err != nil {
		return err
	}
	if failed != nil {
		return failed
	}
	return s.unsummed(ctx, r.unknown, fn)
}

// summedDims are the accounts and products that the slot's sums name.
func (s *Store) summedDims(ctx context.Context, slot int64) (usage.Dims, error) {
	dims := usage.NewDims()
	accounts, products := map[usage.Hash]bool{}, map[usage.Hash]bool{}
	for _, x := range []struct {
		q   store.Query
		ids map[usage.Hash]bool
	}{{chargeAccounts, accounts}, {chargeProducts, products}} {
		var id []byte
		err := s.db.Each(ctx, x.q, []any{slot}, func(rows *sql.Rows) error {
			err := rows.Scan(&id)
			x.ids[usage.Hash(id)] = true
			return err
		})
		if err != nil {
			return dims, err
		}
	}
	return dims, s.load(ctx, dims, accounts, products, nil)
}

// unsummed hands on the lines whose account or product the sums do not name. There are none unless the
// sums are wrong, which the close then finds.
func (s *Store) unsummed(ctx context.Context, lines []usage.Stored, fn func(*usage.Stored) error) error {
	dims := usage.NewDims()
	accounts, products := map[usage.Hash]bool{}, map[usage.Hash]bool{}
	for i := range lines {
		accounts[lines[i].AccountID], products[lines[i].ProductID] = true, true
	}
	if err := s.load(ctx, dims, accounts, products, nil); err != nil {
		return err
	}
	for i := range lines {
		l := &lines[i]
		l.Account, l.Product = dims.Accounts[l.AccountID], dims.Products[l.ProductID]
		if err := fn(l); err != nil {
			return err
		}
	}
	return nil
}

// chargeReader turns rows into batches of lines.
type chargeReader struct {
	slot       int64
	dims       usage.Dims
	full, free chan []usage.Stored
	stop       chan struct{}
	batch      []usage.Stored
	customer   string
	currency   string
	kind       string
	unknown    []usage.Stored
}

func (r *chargeReader) consume(fn func(*usage.Stored) error) error {
	for batch := range r.full {
		for i := range batch {
			if err := fn(&batch[i]); err != nil {
				return err
			}
		}
		r.free <- batch[:0]
	}
	return nil
}

func (r *chargeReader) flush() error {
	if len(r.batch) == 0 {
		return nil
	}
	select {
	case r.full <- r.batch:
		r.batch = nil
		return nil
	case <-r.stop:
		return errStopped
	}
}

// errStopped ends the reading after the one who sums has failed; it is never shown.
var errStopped = errors.New("usagestore: reading stopped")

func (r *chargeReader) row(c store.Cells) error {
	if r.batch == nil {
		select {
		case r.batch = <-r.free:
		case <-r.stop:
			return errStopped
		}
	}
	n := len(r.batch)
	r.batch = r.batch[:n+1]
	l := &r.batch[n]
	if err := r.fill(c, l); err != nil {
		return err
	}
	account, known := r.dims.Accounts[l.AccountID]
	product, known2 := r.dims.Products[l.ProductID]
	if !known || !known2 {
		l.List, l.Contracted = clone(l.List), clone(l.Contracted)
		r.unknown = append(r.unknown, *l)
		r.batch = r.batch[:n]
		return nil
	}
	l.Account, l.Product = account, product
	if n+1 == chargeBatch {
		return r.flush()
	}
	return nil
}

func clone(x *money.Exact) *money.Exact {
	if x == nil {
		return nil
	}
	y := *x
	return &y
}

// packed is how many texts stand in the first column, parted by bars; the last may hold bars. The driver
// takes as long to hand out a column as the engine to find a row.
const packed = 6

func (r *chargeReader) fill(c store.Cells, l *usage.Stored) (err error) {
	var part [packed]string
	rest := c.Text(0, "")
	for i := range packed - 1 {
		var found bool
		if part[i], rest, found = strings.Cut(rest, "|"); !found {
			return fmt.Errorf("a line of slot %d without its texts", r.slot)
		}
	}
	r.kind, r.customer, r.currency = same(part[0], r.kind), same(part[4], r.customer), same(rest, r.currency)
	l.SlotID, l.CustomerID, l.Kind, l.Currency = r.slot, r.customer, usage.Kind(r.kind), r.currency
	if l.ChargeStart, err = c.Instant(1); err != nil {
		return err
	}
	copy(l.AccountID[:], c.Bytes(2))
	copy(l.ProductID[:], c.Bytes(3))
	if l.Billed, err = money.ParseExact(part[1]); err != nil {
		return err
	}
	for i, to := range []**money.Exact{&l.List, &l.Contracted} {
		if part[2+i] == "" {
			*to = nil
			continue
		}
		x, err := money.ParseExact(part[2+i])
		if err != nil {
			return err
		}
		if *to == nil {
			*to = new(money.Exact)
		}
		**to = x // the batch is used again
	}
	return nil
}

// same keeps one copy of a text that repeats.
func same(text, was string) string {
	if text == was {
		return was
	}
	return strings.Clone(text)
}
