package contractstore

import (
	"context"
	"database/sql"

	"huoban/internal/contract"
	"huoban/internal/money"
	"huoban/internal/store"
)

var (
	qContract       = q.Get("contract.ByID")
	qContracts      = q.Get("contract.List")
	qInsertContract = q.Get("contract.Insert")
	qSetContract    = q.Get("contract.Set")
	qAmendContract  = q.Get("contract.Amend")
	qClearPlan      = q.Get("contract.ClearPlan")
	qPlan           = q.Get("contract.Plan")
	qInsertItem     = q.Get("contract.InsertItem")
	qPaid           = q.Get("contract.Paid")
	qPayItem        = q.Get("contract.PayItem")
)

func (s *Store) contracts(ctx context.Context, q store.Query, args ...any) ([]contract.Contract, error) {
	var out []contract.Contract
	err := s.db.Each(ctx, q, args, func(rows *sql.Rows) error {
		var c contract.Contract
		var amount int64
		var created, submitted, decided, ended, changed store.Instant
		err := rows.Scan(&c.ID, &c.Number, &c.PaperNo, &c.VendorID, &c.PartnerID, &c.EntityID, &c.Kind, &c.Title, &c.Currency, &amount, &c.Begins, &c.Ends, &c.Remark, &c.State, &c.Version, &c.CreatedBy, &created, &submitted,
			&c.DecidedBy, &decided, &c.Reason, &ended, &changed)
		c.Amount, c.CreatedAt, c.SubmittedAt, c.DecidedAt, c.EndedAt, c.ChangedAt = money.Amount(amount), created.Time, submitted.Time, decided.Time, ended.Time, changed.Time
		out = append(out, c)
		return err
	})
	return out, err
}

// Contract finds one, without its plan.
func (s *Store) Contract(ctx context.Context, id string) (contract.Contract, bool, error) {
	list, err := s.contracts(ctx, qContract, id)
	if err != nil || len(list) == 0 {
		return contract.Contract{}, false, err
	}
	return list[0], true, nil
}

// Contracts lists what matches, the newest first.
func (s *Store) Contracts(ctx context.Context, f contract.Filter) ([]contract.Contract, error) {
	return s.contracts(ctx, qContracts, f.VendorID, f.PartnerID, string(f.State), string(f.Kind))
}

// InsertContract writes a new one with its plan.
func (s *Store) InsertContract(ctx context.Context, c contract.Contract) error {
	_, err := s.db.Exec(ctx, qInsertContract, c.ID, c.Number, c.PaperNo, c.VendorID, c.PartnerID, c.EntityID, string(c.Kind), c.Title, c.Currency, int64(c.Amount), c.Begins, c.Ends, c.Remark, string(c.State), c.CreatedBy, store.At(c.CreatedAt))
	if err != nil {
		return err
	}
	return s.insertPlan(ctx, c)
}

func (s *Store) insertPlan(ctx context.Context, c contract.Contract) error {
	for _, x := range c.Plan {
		if _, err := s.db.Exec(ctx, qInsertItem, c.ID, x.No, x.PromisedOn, int64(x.Amount)); err != nil {
			return err
		}
	}
	return nil
}

// AmendContract gives one that is still as it was loaded other terms and another plan.
func (s *Store) AmendContract(ctx context.Context, c contract.Contract, from contract.State, version int64) (bool, error) {
	n, err := s.db.Exec(ctx, qAmendContract, c.ID, string(from), version, string(c.State), c.EntityID, c.Title, c.Currency, int64(c.Amount), c.Begins, c.Ends, c.Remark, store.At(c.ChangedAt))
	if err != nil || n != 1 {
		return false, err
	}
	if _, err := s.db.Exec(ctx, qClearPlan, c.ID); err != nil {
		return false, err
	}
	return true, s.insertPlan(ctx, c)
}

// SetContract moves one that is still as it was loaded.
func (s *Store) SetContract(ctx context.Context, c contract.Contract, from contract.State, version int64) (bool, error) {
	n, err := s.db.Exec(ctx, qSetContract, c.ID, string(from), version, string(c.State), store.At(c.SubmittedAt), c.DecidedBy, store.At(c.DecidedAt), c.Reason, store.At(c.EndedAt), store.At(c.ChangedAt))
	return n == 1, err
}

// Plan reads the payment plan of one.
func (s *Store) Plan(ctx context.Context, contractID string) ([]contract.Item, error) {
	var out []contract.Item
	err := s.db.Each(ctx, qPlan, []any{contractID}, func(rows *sql.Rows) error {
		var x contract.Item
		var amount int64
		var paid store.Instant
		err := rows.Scan(&x.No, &x.PromisedOn, &amount, &paid, &x.PaidBy)
		x.Amount, x.PaidAt = money.Amount(amount), paid.Time
		out = append(out, x)
		return err
	})
	return out, err
}

// Paid sums what a partner paid on contracts with a vendor.
func (s *Store) Paid(ctx context.Context, vendorID, partnerID, currency string) (money.Amount, error) {
	var sum int64
	err := s.db.Each(ctx, qPaid, []any{vendorID, partnerID, currency}, func(rows *sql.Rows) error { return rows.Scan(&sum) })
	return money.Amount(sum), err
}

// PayItem marks an item that is not paid yet.
func (s *Store) PayItem(ctx context.Context, contractID string, x contract.Item) (bool, error) {
	n, err := s.db.Exec(ctx, qPayItem, contractID, x.No, store.At(x.PaidAt), x.PaidBy)
	return n == 1, err
}
