package ledgerstore

import (
	"context"
	"database/sql"

	"huoban/internal/money"
	"huoban/internal/store"
	"huoban/internal/topup"
)

var (
	qInsertTopUp   = q.Get("topup.Insert")
	qSetTopUp      = q.Get("topup.Set")
	qTopUp         = q.Get("topup.ByID")
	qTopUps        = q.Get("topup.OfPartner")
	qRemitAccount  = q.Get("remit.Account")
	qRemitNumber   = q.Get("remit.ByNumber")
	qInsertAccount = q.Get("remit.InsertAccount")
	qInsertRemit   = q.Get("remit.Insert")
	qSetRemit      = q.Get("remit.Set")
	qRemit         = q.Get("remit.ByID")
	qRemitByRef    = q.Get("remit.ByRef")
	qUnclaimed     = q.Get("remit.Unclaimed")
	qRemits        = q.Get("remit.List")
	qRemitsWaiting = q.Get("remit.Waiting")
	qInsertClaim   = q.Get("claim.Insert")
	qSetClaim      = q.Get("claim.Set")
	qClaim         = q.Get("claim.ByID")
	qClaims        = q.Get("claim.List")
)

// TopUps implements topup.Store.
type TopUps struct{ db *store.DB }

// NewTopUps makes the store.
func NewTopUps(db *store.DB) *TopUps { return &TopUps{db} }

// InsertTopUp writes a new one.
func (s *TopUps) InsertTopUp(ctx context.Context, t topup.TopUp) error {
	_, err := s.db.Exec(ctx, qInsertTopUp, t.ID, t.VendorID, t.PartnerID, t.Number, string(t.State), t.Gateway, t.Currency, int64(t.Amount), t.CreatedBy, store.At(t.CreatedAt))
	return err
}

// SetTopUp moves one that is still as it was loaded.
func (s *TopUps) SetTopUp(ctx context.Context, t topup.TopUp, from topup.State) (bool, error) {
	n, err := s.db.Exec(ctx, qSetTopUp, t.ID, string(from), t.Version, string(t.State), t.GatewayRef, store.At(t.ChangedAt))
	return n == 1, err
}

func (s *TopUps) list(ctx context.Context, q store.Query, arg string) ([]topup.TopUp, error) {
	var out []topup.TopUp
	err := s.db.Each(ctx, q, []any{arg}, func(rows *sql.Rows) error {
		var t topup.TopUp
		var created, changed store.Instant
		err := rows.Scan(&t.ID, &t.VendorID, &t.PartnerID, &t.Number, &t.State, &t.Version, &t.Gateway, &t.GatewayRef, &t.Currency, &t.Amount, &t.CreatedBy, &created, &changed)
		t.CreatedAt, t.ChangedAt = created.Time, changed.Time
		out = append(out, t)
		return err
	})
	return out, err
}

// first gives the only row of a list.
func first[T any](list []T, err error) (x T, found bool, _ error) {
	if err != nil || len(list) == 0 {
		return x, false, err
	}
	return list[0], true, nil
}

// TopUp reads one.
func (s *TopUps) TopUp(ctx context.Context, id string) (topup.TopUp, bool, error) {
	return first(s.list(ctx, qTopUp, id))
}

// TopUps lists a partner's.
func (s *TopUps) TopUps(ctx context.Context, partnerID string) ([]topup.TopUp, error) {
	return s.list(ctx, qTopUps, partnerID)
}

func (s *TopUps) account(ctx context.Context, q store.Query, args ...any) (a topup.Account, found bool, err error) {
	err = s.db.Each(ctx, q, args, func(rows *sql.Rows) error {
		var at store.Instant
		found = true
		err := rows.Scan(&a.VendorID, &a.PartnerID, &a.Number, &a.OpenedBy, &at)
		a.OpenedAt = at.Time
		return err
	})
	return a, found, err
}

// Account reads a partner's remittance account.
func (s *TopUps) Account(ctx context.Context, vendorID, partnerID string) (topup.Account, bool, error) {
	return s.account(ctx, qRemitAccount, vendorID, partnerID)
}

// AccountByNumber finds whose a number is.
func (s *TopUps) AccountByNumber(ctx context.Context, vendorID, number string) (topup.Account, bool, error) {
	return s.account(ctx, qRemitNumber, vendorID, number)
}

// InsertAccount writes a new one.
func (s *TopUps) InsertAccount(ctx context.Context, a topup.Account) error {
	_, err := s.db.Exec(ctx, qInsertAccount, a.VendorID, a.PartnerID, a.Number, a.OpenedBy, store.At(a.OpenedAt))
	return err
}

// InsertRemittance writes a new transfer.
func (s *TopUps) InsertRemittance(ctx context.Context, r topup.Remittance) error {
	_, err := s.db.Exec(ctx, qInsertRemit, r.ID, r.VendorID, r.BankRef, string(r.State), r.AccountNo, r.PayerName, r.PayerAccount, r.Currency, int64(r.Amount), r.PaidOn, r.Purpose, opt(r.PartnerID), r.ImportedBy, store.At(r.ImportedAt))
	return err
}

// SetRemittance moves one that is still as it was loaded.
func (s *TopUps) SetRemittance(ctx context.Context, r topup.Remittance, from topup.RemittanceState) (bool, error) {
	n, err := s.db.Exec(ctx, qSetRemit, r.ID, string(from), r.Version, string(r.State), opt(r.PartnerID), store.At(r.ChangedAt))
	return n == 1, err
}

func (s *TopUps) remittances(ctx context.Context, q store.Query, args ...any) ([]topup.Remittance, error) {
	var out []topup.Remittance
	err := s.db.Each(ctx, q, args, func(rows *sql.Rows) error {
		var r topup.Remittance
		var imported, changed store.Instant
		err := rows.Scan(&r.ID, &r.VendorID, &r.BankRef, &r.State, &r.Version, &r.AccountNo, &r.PayerName, &r.PayerAccount, &r.Currency, &r.Amount, &r.PaidOn, &r.Purpose, &r.PartnerID, &r.PartnerCode, &r.ImportedBy, &imported, &changed)
		r.ImportedAt, r.ChangedAt = imported.Time, changed.Time
		out = append(out, r)
		return err
	})
	return out, err
}

// Remittance reads one.
func (s *TopUps) Remittance(ctx context.Context, id string) (topup.Remittance, bool, error) {
	return first(s.remittances(ctx, qRemit, id))
}

// RemittanceByRef finds one by the bank's number.
func (s *TopUps) RemittanceByRef(ctx context.Context, vendorID, bankRef string) (topup.Remittance, bool, error) {
	return first(s.remittances(ctx, qRemitByRef, vendorID, bankRef))
}

// Unclaimed lists what a claim may mean.
func (s *TopUps) Unclaimed(ctx context.Context, vendorID, currency string, amount money.Amount, paidOn string) ([]topup.Remittance, error) {
	return s.remittances(ctx, qUnclaimed, vendorID, currency, int64(amount), paidOn)
}

// Waiting lists what came to an account and is held.
func (s *TopUps) Waiting(ctx context.Context, vendorID, accountNo string) ([]topup.Remittance, error) {
	return s.remittances(ctx, qRemitsWaiting, vendorID, accountNo)
}

// Remittances lists a vendor's or a partner's.
func (s *TopUps) Remittances(ctx context.Context, vendorID, partnerID string) ([]topup.Remittance, error) {
	return s.remittances(ctx, qRemits, vendorID, partnerID)
}

// InsertClaim writes a new claim.
func (s *TopUps) InsertClaim(ctx context.Context, c topup.Claim) error {
	_, err := s.db.Exec(ctx, qInsertClaim, c.ID, c.VendorID, c.PartnerID, c.RemittanceID, c.Currency, int64(c.Amount), c.PaidOn, c.PayerName, c.Note, c.CreatedBy, store.At(c.CreatedAt))
	return err
}

// SetClaim decides one that is still as it was loaded.
func (s *TopUps) SetClaim(ctx context.Context, c topup.Claim, from topup.ClaimState) (bool, error) {
	n, err := s.db.Exec(ctx, qSetClaim, c.ID, string(from), c.Version, string(c.State), c.DecidedBy, optAt(c.DecidedAt), c.Reason)
	return n == 1, err
}

func (s *TopUps) claims(ctx context.Context, q store.Query, args ...any) ([]topup.Claim, error) {
	var out []topup.Claim
	err := s.db.Each(ctx, q, args, func(rows *sql.Rows) error {
		var c topup.Claim
		var created, decided store.Instant
		err := rows.Scan(&c.ID, &c.VendorID, &c.PartnerID, &c.PartnerCode, &c.PartnerName, &c.RemittanceID, &c.State, &c.Version, &c.Currency, &c.Amount, &c.PaidOn, &c.PayerName, &c.Note, &c.CreatedBy, &created, &c.DecidedBy, &decided, &c.Reason)
		c.CreatedAt, c.DecidedAt = created.Time, decided.Time
		out = append(out, c)
		return err
	})
	return out, err
}

// Claim reads one.
func (s *TopUps) Claim(ctx context.Context, id string) (topup.Claim, bool, error) {
	return first(s.claims(ctx, qClaim, id))
}

// Claims lists a vendor's or a partner's.
func (s *TopUps) Claims(ctx context.Context, vendorID, partnerID string) ([]topup.Claim, error) {
	return s.claims(ctx, qClaims, vendorID, partnerID)
}
