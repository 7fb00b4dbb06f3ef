package ledgerstore

import (
	"context"
	"database/sql"

	"huoban/internal/creditline"
	"huoban/internal/store"
)

var (
	qInsertCredit  = q.Get("credit.Insert")
	qSetCredit     = q.Get("credit.Set")
	qCredit        = q.Get("credit.ByID")
	qCredits       = q.Get("credit.Of")
	qCreditWaiting = q.Get("credit.Waiting")
)

// Credits keeps changes of credit lines; it implements creditline.Store.
type Credits struct{ db *store.DB }

// NewCredits makes the store.
func NewCredits(db *store.DB) *Credits { return &Credits{db} }

// Insert writes a new change.
func (s *Credits) Insert(ctx context.Context, c creditline.Change) error {
	_, err := s.db.Exec(ctx, qInsertCredit, c.ID, c.VendorID, c.PartnerID, c.Currency, int64(c.Was), int64(c.Line), c.Memo, string(c.State), c.CreatedBy, store.At(c.CreatedAt), c.DecidedBy, optAt(c.DecidedAt))
	return err
}

// Set decides one that is still as it was loaded.
func (s *Credits) Set(ctx context.Context, c creditline.Change, from creditline.State) (bool, error) {
	n, err := s.db.Exec(ctx, qSetCredit, c.ID, string(from), c.Version, string(c.State), c.DecidedBy, optAt(c.DecidedAt), c.Reason)
	return n == 1, err
}

func (s *Credits) read(ctx context.Context, q store.Query, args ...any) ([]creditline.Change, error) {
	var out []creditline.Change
	err := s.db.Each(ctx, q, args, func(rows *sql.Rows) error {
		var c creditline.Change
		var created, decided store.Instant
		err := rows.Scan(&c.ID, &c.VendorID, &c.PartnerID, &c.PartnerCode, &c.PartnerName, &c.Currency, &c.Was, &c.Line, &c.Memo, &c.State, &c.Version, &c.CreatedBy, &created, &c.DecidedBy, &decided, &c.Reason)
		c.CreatedAt, c.DecidedAt = created.Time, decided.Time
		out = append(out, c)
		return err
	})
	return out, err
}

// ByID reads one.
func (s *Credits) ByID(ctx context.Context, changeID string) (creditline.Change, bool, error) {
	return first(s.read(ctx, qCredit, changeID))
}

// Of lists a vendor's.
func (s *Credits) Of(ctx context.Context, vendorID string) ([]creditline.Change, error) {
	return s.read(ctx, qCredits, vendorID)
}

// Waiting is the change of a line that waits.
func (s *Credits) Waiting(ctx context.Context, vendorID, partnerID, currency string) (creditline.Change, bool, error) {
	return first(s.read(ctx, qCreditWaiting, vendorID, partnerID, currency))
}
