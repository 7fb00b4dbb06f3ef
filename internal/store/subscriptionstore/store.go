// Package subscriptionstore keeps subscriptions of consumption files (客户消费订阅) and their dispatches.
//
// It owns their SQL; the rules are those of package subscription.
package subscriptionstore

import (
	"context"
	"crypto/sha256"
	"database/sql"
	"embed"
	"encoding/hex"
	"strconv"

	"huoban/internal/cycle"
	"huoban/internal/fault"
	"huoban/internal/store"
	"huoban/internal/subscription"
)

//go:embed query/*.sql
var files embed.FS

var (
	set         = store.Load(files)
	qInsert     = set.Get("subscription.Insert")
	qUpdate     = set.Get("subscription.Update")
	qByID       = set.Get("subscription.ByID")
	qOfOrg      = set.Get("subscription.OfOrg")
	qOn         = set.Get("subscription.On")
	qMonths     = set.Get("subscription.Months")
	qMade       = set.Get("subscription.Made")
	qPutMade    = set.Get("subscription.PutMade")
	qSend       = set.Get("dispatch.Insert")
	qSet        = set.Get("dispatch.Update")
	qDispatch   = set.Get("dispatch.ByID")
	qDispatches = set.Get("dispatch.Of")
	qPutTry     = set.Get("dispatch.PutTry")
	qTries      = set.Get("dispatch.Tries")
	qPutPiece   = set.Get("dispatch.PutPiece")
	qPiece      = set.Get("dispatch.Piece")
	qDropPieces = set.Get("dispatch.DropPieces")

	_ subscription.Store = (*Store)(nil)
)

// Store implements subscription.Store.
type Store struct{ db *store.DB }

// New makes the store.
func New(db *store.DB) *Store { return &Store{db} }

// Insert writes a new subscription.
func (s *Store) Insert(ctx context.Context, x *subscription.Subscription) error {
	_, err := s.db.Exec(ctx, qInsert, x.ID, x.OrgID, x.Name, string(x.Kind), x.Address, x.Bucket, x.Prefix, x.Region, x.PathStyle, x.AccessKey, x.Sealed, x.SealedBy, x.Hint,
		string(x.Content), string(x.Format), string(x.FirstCycle), string(x.State), x.Version, x.CreatedBy, store.At(x.CreatedAt), store.At(x.ChangedAt))
	return err
}

// Update writes what may change.
func (s *Store) Update(ctx context.Context, x *subscription.Subscription) (bool, error) {
	n, err := s.db.Exec(ctx, qUpdate, x.ID, x.Version, x.Name, string(x.Kind), x.Address, x.Bucket, x.Prefix, x.Region, x.PathStyle, x.AccessKey, x.Sealed, x.SealedBy, x.Hint,
		string(x.Content), string(x.Format), string(x.FirstCycle), string(x.State), store.At(x.ChangedAt), store.At(x.TestedAt), x.TestCode)
	return n == 1, err
}

func (s *Store) list(ctx context.Context, q store.Query, args ...any) ([]subscription.Subscription, error) {
	var out []subscription.Subscription
	err := s.db.Each(ctx, q, args, func(rows *sql.Rows) error {
		var x subscription.Subscription
		var created, changed, tested store.Instant
		err := rows.Scan(&x.ID, &x.OrgID, &x.Name, &x.Kind, &x.Address, &x.Bucket, &x.Prefix, &x.Region, &x.PathStyle, &x.AccessKey, &x.Sealed, &x.SealedBy, &x.Hint, &x.Content, &x.Format,
			&x.FirstCycle, &x.State, &x.Version, &x.CreatedBy, &created, &changed, &tested, &x.TestCode)
		x.CreatedAt, x.ChangedAt, x.TestedAt = created.Time, changed.Time, tested.Time
		out = append(out, x)
		return err
	})
	return out, err
}

// ByID finds one. Fault: subscription.unknown.
func (s *Store) ByID(ctx context.Context, id string) (subscription.Subscription, error) {
	list, err := s.list(ctx, qByID, id)
	if err == nil && len(list) == 0 {
		err = fault.NotFound("subscription.unknown", nil)
	}
	if err != nil {
		return subscription.Subscription{}, err
	}
	return list[0], nil
}

// OfOrg are an organisation's that are not ended.
func (s *Store) OfOrg(ctx context.Context, orgID string) ([]subscription.Subscription, error) {
	return s.list(ctx, qOfOrg, orgID)
}

// On are those that are switched on.
func (s *Store) On(ctx context.Context) ([]subscription.Subscription, error) {
	return s.list(ctx, qOn)
}

// Months tells of each cycle which deliveries count for the partner.
func (s *Store) Months(ctx context.Context, orgID string, from, to cycle.Cycle) ([]subscription.MonthOf, error) {
	var out []subscription.MonthOf
	sum := sha256.New()
	err := s.db.Each(ctx, qMonths, []any{orgID, string(from), string(to)}, func(rows *sql.Rows) error {
		var c, state string
		var slot int64
		if err := rows.Scan(&c, &slot, &state); err != nil {
			return err
		}
		if n := len(out); n == 0 || string(out[n-1].Cycle) != c {
			out = append(out, subscription.MonthOf{Cycle: cycle.Cycle(c), Issued: true})
			sum.Reset()
		}
		m := &out[len(out)-1]
		m.Issued = m.Issued && state == "issued"
		sum.Write([]byte(strconv.FormatInt(slot, 10) + "\n"))
		m.Mark = hex.EncodeToString(sum.Sum(nil))
		return nil
	})
	return out, err
}

// Made are the data the files were made of, by cycle.
func (s *Store) Made(ctx context.Context, subscriptionID string) (map[cycle.Cycle]subscription.Made, error) {
	out := map[cycle.Cycle]subscription.Made{}
	err := s.db.Each(ctx, qMade, []any{subscriptionID}, func(rows *sql.Rows) error {
		var c string
		var m subscription.Made
		err := rows.Scan(&c, &m.Mark, &m.No)
		out[cycle.Cycle(c)] = m
		return err
	})
	return out, err
}

// PutMade notes them.
func (s *Store) PutMade(ctx context.Context, subscriptionID string, c cycle.Cycle, m subscription.Made) error {
	_, err := s.db.Exec(ctx, qPutMade, subscriptionID, string(c), m.Mark, m.No)
	return err
}

// InsertDispatch writes a new dispatch.
func (s *Store) InsertDispatch(ctx context.Context, d *subscription.Dispatch) error {
	_, err := s.db.Exec(ctx, qSend, d.ID, d.SubscriptionID, d.OrgID, string(d.Cycle), d.Currency, d.No, string(d.Content), string(d.Format), d.FileName, d.Bytes, d.Rows, d.SHA, d.Plain,
		d.Amount, d.Tax, string(d.State), d.Version, store.At(d.RoundAt), store.At(d.NextAt), store.At(d.CreatedAt))
	return err
}

// UpdateDispatch writes what may change.
func (s *Store) UpdateDispatch(ctx context.Context, d *subscription.Dispatch) (bool, error) {
	n, err := s.db.Exec(ctx, qSet, d.ID, d.Version, string(d.State), d.Tries, d.RoundTries, store.At(d.RoundAt), store.At(d.NextAt), d.LastCode, store.At(d.DoneAt))
	return n == 1, err
}

func (s *Store) dispatches(ctx context.Context, q store.Query, args ...any) ([]subscription.Dispatch, error) {
	var out []subscription.Dispatch
	err := s.db.Each(ctx, q, args, func(rows *sql.Rows) error {
		var d subscription.Dispatch
		var round, next, created, done store.Instant
		err := rows.Scan(&d.ID, &d.SubscriptionID, &d.OrgID, &d.Cycle, &d.Currency, &d.No, &d.Content, &d.Format, &d.FileName, &d.Bytes, &d.Rows, &d.SHA, &d.Plain, &d.Amount, &d.Tax,
			&d.State, &d.Version, &d.Tries, &d.RoundTries, &round, &next, &d.LastCode, &created, &done)
		d.RoundAt, d.NextAt, d.CreatedAt, d.DoneAt = round.Time, next.Time, created.Time, done.Time
		out = append(out, d)
		return err
	})
	return out, err
}

// Dispatch finds one. Fault: subscription.dispatch_unknown.
func (s *Store) Dispatch(ctx context.Context, id string) (subscription.Dispatch, error) {
	list, err := s.dispatches(ctx, qDispatch, id)
	if err == nil && len(list) == 0 {
		err = fault.NotFound("subscription.dispatch_unknown", nil)
	}
	if err != nil {
		return subscription.Dispatch{}, err
	}
	return list[0], nil
}

// Dispatches are a subscription's, of one cycle where it is named.
func (s *Store) Dispatches(ctx context.Context, subscriptionID string, c cycle.Cycle) ([]subscription.Dispatch, error) {
	return s.dispatches(ctx, qDispatches, subscriptionID, string(c))
}

// PutTry writes an attempt.
func (s *Store) PutTry(ctx context.Context, t subscription.Try) error {
	_, err := s.db.Exec(ctx, qPutTry, t.DispatchID, t.No, store.At(t.BeganAt), store.At(t.EndedAt), t.Status, t.Code, t.Detail)
	return err
}

// Tries are the attempts, the newest first.
func (s *Store) Tries(ctx context.Context, dispatchID string) ([]subscription.Try, error) {
	var out []subscription.Try
	err := s.db.Each(ctx, qTries, []any{dispatchID}, func(rows *sql.Rows) error {
		var t subscription.Try
		var began, ended store.Instant
		err := rows.Scan(&t.DispatchID, &t.No, &began, &ended, &t.Status, &t.Code, &t.Detail)
		t.BeganAt, t.EndedAt = began.Time, ended.Time
		out = append(out, t)
		return err
	})
	return out, err
}

// PutPiece writes a piece of a file.
func (s *Store) PutPiece(ctx context.Context, dispatchID string, no int64, body []byte) error {
	_, err := s.db.Exec(ctx, qPutPiece, dispatchID, no, body)
	return err
}

// Piece reads one. Fault: subscription.file_gone.
func (s *Store) Piece(ctx context.Context, dispatchID string, no int64) (body []byte, err error) {
	err = s.db.Row(ctx, qPiece, "subscription.file_gone", []any{dispatchID, no}, &body)
	return body, err
}

// DropPieces removes a file.
func (s *Store) DropPieces(ctx context.Context, dispatchID string) error {
	_, err := s.db.Exec(ctx, qDropPieces, dispatchID)
	return err
}
