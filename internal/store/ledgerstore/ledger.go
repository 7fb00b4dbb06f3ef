// Package ledgerstore keeps the books of partners' money, what was paid on bills, top-ups, transfers and claims on them.
//
// It owns the queries of ledger_account, ledger_entry, ledger_line, bill_payment, balance_alert, top_up, remit_account,
// remittance and remittance_claim; it does not own their rules. Invariant: nothing here changes or removes what was
// posted.
package ledgerstore

import (
	"context"
	"database/sql"
	"embed"
	"math"
	"time"

	"huoban/internal/ledger"
	"huoban/internal/money"
	"huoban/internal/store"
)

//go:embed query/*.sql
var files embed.FS

var (
	q                                         = store.Load(files)
	qAccount                                  = q.Get("ledger.Account")
	qOpen                                     = q.Get("ledger.Open")
	qMove                                     = q.Get("ledger.Move")
	qSetLine                                  = q.Get("ledger.SetLine")
	qByKey                                    = q.Get("ledger.ByKey")
	qLinesOf                                  = q.Get("ledger.LinesOf")
	qInsertEntry                              = q.Get("ledger.InsertEntry")
	qInsertLine                               = q.Get("ledger.InsertLine")
	qAccounts                                 = q.Get("ledger.Accounts")
	qOfPartner                                = q.Get("ledger.OfPartner")
	qOfCustomer                               = q.Get("ledger.OfCustomer")
	qOlder                                    = q.Get("ledger.Older")
	qNewer                                    = q.Get("ledger.Newer")
	qTotals                                   = q.Get("ledger.Totals")
	qBefore                                   = q.Get("ledger.Before")
	qAdjustOlder, qAdjustNewer, qAdjustTotals = q.Get("ledger.AdjustOlder"), q.Get("ledger.AdjustNewer"), q.Get("ledger.AdjustTotals")
	qSums                                     = q.Get("ledger.Sums")
)

// Store implements ledger.Store.
type Store struct{ db *store.DB }

// New makes the store.
func New(db *store.DB) *Store { return &Store{db} }

func opt(key string) any {
	if key == "" {
		return nil
	}
	return key
}

func stateDest(s *ledger.State, last, created *store.Instant) []any {
	return []any{&s.VendorID, &s.PartnerID, &s.CustomerID, &s.Kind, &s.Currency, &s.Balance, &s.Line, &s.Seq, last, created}
}

func scanState(rows *sql.Rows, more ...any) (ledger.State, error) {
	var s ledger.State
	var last, created store.Instant
	err := rows.Scan(append(stateDest(&s, &last, &created), more...)...)
	s.LastAt, s.CreatedAt = last.Time, created.Time
	return s, err
}

// Account reads one.
func (s *Store) Account(ctx context.Context, id string) (st ledger.State, found bool, err error) {
	err = s.db.Each(ctx, qAccount, []any{id}, func(rows *sql.Rows) error {
		found = true
		st, err = scanState(rows)
		return err
	})
	return st, found, err
}

// Open writes a new account.
func (s *Store) Open(ctx context.Context, st ledger.State) error {
	_, err := s.db.Exec(ctx, qOpen, st.ID(), st.VendorID, opt(st.PartnerID), opt(st.CustomerID), string(st.Kind), st.Currency, store.At(st.CreatedAt))
	return err
}

// Move writes what a line moves.
func (s *Store) Move(ctx context.Context, st ledger.State, seq int64) (bool, error) {
	n, err := s.db.Exec(ctx, qMove, st.ID(), seq, int64(st.Balance), st.Seq, store.At(st.LastAt))
	return n == 1, err
}

// SetLine writes the credit line.
func (s *Store) SetLine(ctx context.Context, id string, line money.Amount, seq int64) (bool, error) {
	n, err := s.db.Exec(ctx, qSetLine, id, seq, int64(line))
	return n == 1, err
}

// ByKey finds an entry with its lines.
func (s *Store) ByKey(ctx context.Context, vendorID, key string) (p ledger.Posted, found bool, err error) {
	p.VendorID = vendorID
	err = s.db.Each(ctx, qByKey, []any{vendorID, key}, func(rows *sql.Rows) error {
		found = true
		var at store.Instant
		err := rows.Scan(&p.ID, &p.Type, &p.Detail, &p.Key, &p.Reference, &p.Number, &p.CustomerID, &p.Memo, &p.Actor, &at)
		p.At = at.Time
		return err
	})
	if err != nil || !found {
		return p, found, err
	}
	err = s.db.Each(ctx, qLinesOf, []any{p.ID}, func(rows *sql.Rows) error {
		var l ledger.Line
		var after money.Amount
		err := rows.Scan(&l.Account.VendorID, &l.Account.PartnerID, &l.Account.CustomerID, &l.Account.Kind, &l.Account.Currency, &l.Amount, &after)
		p.Lines, p.After = append(p.Lines, l), append(p.After, after)
		return err
	})
	return p, found, err
}

// InsertEntry writes the head of an entry.
func (s *Store) InsertEntry(ctx context.Context, p ledger.Posted) error {
	_, err := s.db.Exec(ctx, qInsertEntry, p.ID, p.VendorID, string(p.Type), string(p.Detail), p.Key, p.Reference, p.Number, opt(p.CustomerID), p.Memo, p.Actor, store.At(p.At))
	return err
}

// InsertLine writes a line with the state of its account after it.
func (s *Store) InsertLine(ctx context.Context, p ledger.Posted, no int, st ledger.State) error {
	_, err := s.db.Exec(ctx, qInsertLine, st.ID(), st.Seq, p.ID, int64(no), int64(p.Lines[no-1].Amount), int64(st.Balance), store.At(p.At))
	return err
}

func (s *Store) accounts(ctx context.Context, q store.Query, args ...any) ([]ledger.State, error) {
	var out []ledger.State
	err := s.db.Each(ctx, q, args, func(rows *sql.Rows) error {
		st, err := scanState(rows)
		out = append(out, st)
		return err
	})
	return out, err
}

// Accounts lists a vendor's books.
func (s *Store) Accounts(ctx context.Context, vendorID, partnerID string) ([]ledger.State, error) {
	return s.accounts(ctx, qAccounts, vendorID, partnerID)
}

// OfPartner lists a partner's accounts.
func (s *Store) OfPartner(ctx context.Context, partnerID string) ([]ledger.State, error) {
	return s.accounts(ctx, qOfPartner, partnerID)
}

// OfCustomer lists what stands with a customer.
func (s *Store) OfCustomer(ctx context.Context, customerID string) ([]ledger.State, error) {
	return s.accounts(ctx, qOfCustomer, customerID)
}

// latest is later than anything that is posted.
var latest = time.Date(9999, 1, 1, 0, 0, 0, 0, time.UTC)

func span(from, until time.Time) (store.Instant, store.Instant) {
	if from.IsZero() {
		from = time.Unix(0, 0).UTC()
	}
	if until.IsZero() {
		until = latest
	}
	return store.At(from), store.At(until)
}

func filterArgs(f ledger.Filter) []any {
	from, until := span(f.From, f.Until)
	upTo := f.UpTo
	if upTo == 0 {
		upTo = math.MaxInt64
	}
	return []any{f.AccountID, from, until, upTo, string(f.Type), string(f.Detail), int64(f.Direction), f.CustomerID}
}

// Movements reads rows of an account.
func (s *Store) Movements(ctx context.Context, f ledger.Filter, seq int64, up bool, limit int) ([]ledger.Movement, error) {
	q := qOlder
	if up {
		q = qNewer
	}
	var out []ledger.Movement
	err := s.db.Each(ctx, q, append(filterArgs(f), seq, int64(limit)), func(rows *sql.Rows) error {
		var m ledger.Movement
		var at store.Instant
		err := rows.Scan(&m.EntryID, &m.Seq, &at, &m.Type, &m.Detail, &m.Reference, &m.Number, &m.CustomerID, &m.Memo, &m.Actor, &m.Amount, &m.After)
		m.At = at.Time
		out = append(out, m)
		return err
	})
	return out, err
}

// Totals sums what matches.
func (s *Store) Totals(ctx context.Context, f ledger.Filter) (t ledger.Totals, err error) {
	err = s.db.Each(ctx, qTotals, filterArgs(f), func(rows *sql.Rows) error {
		var at store.Instant
		err := rows.Scan(&t.Count, &t.In, &t.Out, &t.LastSeq, &at)
		t.LastAt = at.Time
		return err
	})
	return t, err
}

// Before is the balance before an instant.
func (s *Store) Before(ctx context.Context, accountID string, at time.Time) (a money.Amount, err error) {
	err = s.db.Each(ctx, qBefore, []any{accountID, store.At(at)}, func(rows *sql.Rows) error { return rows.Scan(&a) })
	return a, err
}

// adjustArgs are the parameters the queries of 调账记录 have in common.
func adjustArgs(f ledger.AdjustFilter) []any {
	from, until := span(f.From, f.Until)
	return append([]any{f.PartnerID, f.CustomerID, string(f.Type), from, until, f.EntryID}, placeArgs(f.UpTo)...)
}

// placeArgs are a place in 调账记录; zero is behind the newest.
func placeArgs(at ledger.AdjustAt) []any {
	if at.EntryID == "" {
		_, end := span(time.Time{}, time.Time{})
		return []any{end, "", int64(0)}
	}
	return []any{store.At(at.At), at.EntryID, int64(at.Line)}
}

// Adjustments lists what went to customers and came back.
func (s *Store) Adjustments(ctx context.Context, f ledger.AdjustFilter, from ledger.AdjustAt, newer bool, limit int) ([]ledger.Adjustment, error) {
	q := qAdjustOlder
	if newer {
		q = qAdjustNewer
	}
	var out []ledger.Adjustment
	err := s.db.Each(ctx, q, append(append(adjustArgs(f), placeArgs(from)...), int64(limit)), func(rows *sql.Rows) error {
		var a ledger.Adjustment
		var at store.Instant
		err := rows.Scan(&a.EntryID, &a.Line, &at, &a.Type, &a.VendorID, &a.PartnerID, &a.CustomerID, &a.Currency, &a.Amount, &a.Number, &a.Memo, &a.Actor)
		a.At = at.Time
		if a.Amount < 0 {
			a.Amount = -a.Amount
		}
		out = append(out, a)
		return err
	})
	return out, err
}

// AdjustTotals adds them up.
func (s *Store) AdjustTotals(ctx context.Context, f ledger.AdjustFilter) ([]ledger.AdjustTotal, error) {
	var out []ledger.AdjustTotal
	err := s.db.Each(ctx, qAdjustTotals, adjustArgs(f), func(rows *sql.Rows) error {
		var t ledger.AdjustTotal
		err := rows.Scan(&t.Currency, &t.Count, &t.Amount)
		out = append(out, t)
		return err
	})
	return out, err
}

// Sums adds up a vendor's books.
func (s *Store) Sums(ctx context.Context, vendorID string) ([]ledger.Sum, error) {
	var out []ledger.Sum
	err := s.db.Each(ctx, qSums, []any{vendorID}, func(rows *sql.Rows) error {
		var x ledger.Sum
		var err error
		x.State, err = scanState(rows, &x.Lines, &x.Debit, &x.Credit, &x.LastAfter)
		out = append(out, x)
		return err
	})
	return out, err
}
