package growstore

import (
	"context"
	"database/sql"

	"huoban/internal/relation"
	"huoban/internal/store"
)

var (
	qRelByID       = q.Get("relation.ByID")
	qRelOfCustomer = q.Get("relation.OfCustomer")
	qRelOfPartner  = q.Get("relation.OfPartner")
	qRelInsert     = q.Get("relation.Insert")
	qRelSet        = q.Get("relation.Set")
)

// Relations implements relation.Store.
type Relations struct{ db *store.DB }

// NewRelations makes the store.
func NewRelations(db *store.DB) *Relations { return &Relations{db} }

func (s *Relations) list(ctx context.Context, q store.Query, arg any) ([]relation.Request, error) {
	var out []relation.Request
	err := s.db.Each(ctx, q, []any{arg}, func(rows *sql.Rows) error {
		var r relation.Request
		var effective, decided, created, changed store.Instant
		err := rows.Scan(&r.ID, &r.CustomerID, &r.PartnerID, &r.AssociationID, &r.Kind, &r.From, &r.To, &r.By, &r.Login, &r.When, &r.Reason, &r.State, &effective, &decided,
			&r.DecidedBy, &r.Answer, &r.Version, &created, &changed)
		r.EffectiveAt, r.DecidedAt, r.CreatedAt, r.ChangedAt = effective.Time, decided.Time, created.Time, changed.Time
		out = append(out, r)
		return err
	})
	return out, err
}

// ByID finds one. Fault: relation.unknown.
func (s *Relations) ByID(ctx context.Context, id string) (relation.Request, error) {
	list, err := s.list(ctx, qRelByID, id)
	if err == nil && len(list) == 0 {
		err = missing("relation.unknown")
	}
	if err != nil {
		return relation.Request{}, err
	}
	return list[0], nil
}

// OfCustomer lists a customer's, the newest first.
func (s *Relations) OfCustomer(ctx context.Context, customerID string) ([]relation.Request, error) {
	return s.list(ctx, qRelOfCustomer, customerID)
}

// OfPartner lists a partner's, the newest first.
func (s *Relations) OfPartner(ctx context.Context, partnerID string) ([]relation.Request, error) {
	return s.list(ctx, qRelOfPartner, partnerID)
}

// Insert writes a new one.
func (s *Relations) Insert(ctx context.Context, r relation.Request) error {
	_, err := s.db.Exec(ctx, qRelInsert, r.ID, r.CustomerID, r.PartnerID, r.AssociationID, string(r.Kind), string(r.From), string(r.To), string(r.By), r.Login, string(r.When),
		r.Reason, string(r.State), r.Version, store.At(r.CreatedAt))
	return err
}

// Set writes state and answer.
func (s *Relations) Set(ctx context.Context, r relation.Request, from relation.State, version int64) (bool, error) {
	n, err := s.db.Exec(ctx, qRelSet, r.ID, string(from), version, string(r.State), store.At(r.EffectiveAt), store.At(r.DecidedAt), r.DecidedBy, r.Answer, store.At(r.ChangedAt))
	return n == 1, err
}
