// Package closestore keeps month closes, their steps, what their gate is decided from, and adjustment
// lines.
package closestore

import (
	"context"
	"crypto/sha256"
	"database/sql"
	"embed"
	"encoding/hex"
	"fmt"
	"hash"

	"huoban/internal/cycle"
	"huoban/internal/fault"
	"huoban/internal/monthclose"
	"huoban/internal/store"
)

//go:embed query/*.sql
var files embed.FS

var (
	queries = store.Load(files)

	qLoad      = queries.Get("close.Load")
	qStates    = queries.Get("close.States")
	qInsert    = queries.Get("close.Insert")
	qSave      = queries.Get("close.Save")
	qKnown     = queries.Get("close.Known")
	qVendor    = queries.Get("close.Vendor")
	qSeal      = queries.Get("close.Seal")
	qStepBegin = queries.Get("close.StepBegin")
	qStepEnd   = queries.Get("close.StepEnd")
	qStepRun   = queries.Get("close.StepRun")
	qSteps     = queries.Get("close.Steps")
)

// Store implements monthclose.Store.
type Store struct{ db *store.DB }

// New opens the area.
func New(db *store.DB) *Store { return &Store{db} }

var _ monthclose.Store = (*Store)(nil)

// Load reads the close of a cycle; one that was never recorded is open with version 0.
func (s *Store) Load(ctx context.Context, vendorID string, c cycle.Cycle) (monthclose.Close, error) {
	var out monthclose.Close
	var frozen, drafted, reviewed, issued store.Instant
	err := s.db.Row(ctx, qLoad, "close.unrecorded", []any{vendorID, string(c)}, &out.VendorID, &out.Cycle, &out.State, &out.Version,
		&out.PriceSeq, &out.Data, &out.OverrideNote, &out.OverrideBy, &frozen, &drafted, &reviewed, &issued)
	if fault.HasCode(err, "close.unrecorded") {
		return monthclose.Close{VendorID: vendorID, Cycle: c, State: monthclose.StateOpen}, nil
	}
	out.FrozenAt, out.DraftedAt, out.ReviewedAt, out.IssuedAt = frozen.Time, drafted.Time, reviewed.Time, issued.Time
	return out, err
}

// States are the recorded cycles of a vendor.
func (s *Store) States(ctx context.Context, vendorID string) (map[cycle.Cycle]monthclose.State, error) {
	out := map[cycle.Cycle]monthclose.State{}
	err := s.db.Each(ctx, qStates, []any{vendorID}, func(rows *sql.Rows) error {
		var c cycle.Cycle
		var st monthclose.State
		if err := rows.Scan(&c, &st); err != nil {
			return err
		}
		out[c] = st
		return nil
	})
	return out, err
}

// Insert records a close for the first time.
func (s *Store) Insert(ctx context.Context, c monthclose.Close) error {
	_, err := s.db.Exec(ctx, qInsert, c.VendorID, string(c.Cycle), string(c.State), c.Version, c.PriceSeq, c.Data, c.OverrideNote,
		c.OverrideBy, store.At(c.FrozenAt), store.At(c.DraftedAt), store.At(c.ReviewedAt), store.At(c.IssuedAt))
	return err
}

// Save is the compare-and-set of a close on its former state and version.
func (s *Store) Save(ctx context.Context, c monthclose.Close, from monthclose.State) (bool, error) {
	n, err := s.db.Exec(ctx, qSave, c.VendorID, string(c.Cycle), string(c.State), c.PriceSeq, c.Data, c.OverrideNote, c.OverrideBy,
		store.At(c.FrozenAt), store.At(c.DraftedAt), store.At(c.ReviewedAt), store.At(c.IssuedAt), string(from), c.Version)
	return n == 1, err
}

// Known are all cycles with a record or with lines, of every vendor.
func (s *Store) Known(ctx context.Context) ([]monthclose.Known, error) {
	var out []monthclose.Known
	err := s.db.Each(ctx, qKnown, nil, func(rows *sql.Rows) error {
		var k monthclose.Known
		if err := rows.Scan(&k.VendorID, &k.Vendor, &k.Cycle, &k.State); err != nil {
			return err
		}
		out = append(out, k)
		return nil
	})
	return out, err
}

// VendorCode gives the code of a vendor. Fault: not_found close.vendor_unknown.
func (s *Store) VendorCode(ctx context.Context, vendorID string) (string, error) {
	var code string
	err := s.db.Row(ctx, qVendor, "monthclose.vendor_unknown", []any{vendorID}, &code)
	return code, err
}

// Seal closes the active slots of the cycle for ever.
func (s *Store) Seal(ctx context.Context, vendorID string, c cycle.Cycle) error {
	_, err := s.db.Exec(ctx, qSeal, vendorID, string(c))
	return err
}

// BeginStep records a step before it acts.
func (s *Store) BeginStep(ctx context.Context, vendorID string, c cycle.Cycle, st monthclose.Step) error {
	_, err := s.db.Exec(ctx, qStepBegin, vendorID, string(c), st.Run, st.Step, store.At(st.BegunAt))
	return err
}

// EndStep records how a step ended.
func (s *Store) EndStep(ctx context.Context, vendorID string, c cycle.Cycle, st monthclose.Step) error {
	_, err := s.db.Exec(ctx, qStepEnd, vendorID, string(c), st.Run, st.Step, string(st.State), st.Detail, store.At(st.DoneAt))
	return err
}

// LastRun is the number of the newest run, 0 before the first.
func (s *Store) LastRun(ctx context.Context, vendorID string, c cycle.Cycle) (int64, error) {
	var n int64
	err := s.db.Row(ctx, qStepRun, "close.unrecorded", []any{vendorID, string(c)}, &n)
	return n, err
}

// Steps are the recorded steps, oldest first.
func (s *Store) Steps(ctx context.Context, vendorID string, c cycle.Cycle) ([]monthclose.Step, error) {
	var out []monthclose.Step
	err := s.db.Each(ctx, qSteps, []any{vendorID, string(c)}, func(rows *sql.Rows) error {
		var st monthclose.Step
		var begun, done store.Instant
		if err := rows.Scan(&st.Run, &st.Step, &st.State, &st.Detail, &begun, &done); err != nil {
			return err
		}
		st.BegunAt, st.DoneAt = begun.Time, done.Time
		out = append(out, st)
		return nil
	})
	return out, err
}

// printer hashes rows into a fingerprint.
type printer struct{ h hash.Hash }

func newPrinter() *printer { return &printer{sha256.New()} }

func (p *printer) row(values ...any) { fmt.Fprintf(p.h, "%q\n", fmt.Sprint(values...)) }

func (p *printer) text() string { return hex.EncodeToString(p.h.Sum(nil)) }
