package growstore

import (
	"context"
	"database/sql"

	"huoban/internal/fault"
	"huoban/internal/invitation"
	"huoban/internal/store"
)

var (
	qInvByID      = q.Get("invitation.ByID")
	qInvByHash    = q.Get("invitation.ByHash")
	qInvOfPartner = q.Get("invitation.OfPartner")
	qInvOpenOf    = q.Get("invitation.OpenOf")
	qInvInsert    = q.Get("invitation.Insert")
	qInvSet       = q.Get("invitation.Set")
	qInvCount     = q.Get("invitation.Count")
	qTryInsert    = q.Get("try.Insert")
	qTryOf        = q.Get("try.Of")
	qTryOfPartner = q.Get("try.OfPartner")
)

func missing(code string) error { return fault.NotFound(code, nil) }

// Invitations implements invitation.Store.
type Invitations struct{ db *store.DB }

// NewInvitations makes the store.
func NewInvitations(db *store.DB) *Invitations { return &Invitations{db} }

func (s *Invitations) list(ctx context.Context, q store.Query, args ...any) ([]invitation.Invitation, error) {
	var out []invitation.Invitation
	err := s.db.Each(ctx, q, args, func(rows *sql.Rows) error {
		var i invitation.Invitation
		var sent, expires, created, changed store.Instant
		err := rows.Scan(&i.ID, &i.VendorID, &i.PartnerID, &i.PersonID, &i.Label, &i.ProspectID, &i.Relation, &i.Channel, &i.Address, &i.State, &i.Serial, &sent, &expires,
			&i.Reason, &i.Joined, &i.CustomerID, &i.Version, &created, &changed)
		i.SentAt, i.ExpiresAt, i.CreatedAt, i.ChangedAt = sent.Time, expires.Time, created.Time, changed.Time
		out = append(out, i)
		return err
	})
	return out, err
}

func (s *Invitations) one(ctx context.Context, q store.Query, arg any) (invitation.Invitation, error) {
	list, err := s.list(ctx, q, arg)
	if err == nil && len(list) == 0 {
		err = missing("invitation.unknown")
	}
	if err != nil {
		return invitation.Invitation{}, err
	}
	return list[0], nil
}

// ByID finds one. Fault: invitation.unknown.
func (s *Invitations) ByID(ctx context.Context, id string) (invitation.Invitation, error) {
	return s.one(ctx, qInvByID, id)
}

// ByHash finds one by the hash of its link. Fault: invitation.unknown.
func (s *Invitations) ByHash(ctx context.Context, hash []byte) (invitation.Invitation, error) {
	return s.one(ctx, qInvByHash, hash)
}

// OfPartner lists a partner's, the newest first.
func (s *Invitations) OfPartner(ctx context.Context, partnerID string) ([]invitation.Invitation, error) {
	return s.list(ctx, qInvOfPartner, partnerID)
}

// OpenOf lists those of a registration whose link opens.
func (s *Invitations) OpenOf(ctx context.Context, prospectID string) ([]invitation.Invitation, error) {
	return s.list(ctx, qInvOpenOf, prospectID)
}

// Insert writes a new one.
func (s *Invitations) Insert(ctx context.Context, i invitation.Invitation, hash []byte) error {
	_, err := s.db.Exec(ctx, qInvInsert, i.ID, i.VendorID, i.PartnerID, i.PersonID, i.Label, key(i.ProspectID), string(i.Relation), string(i.Channel), i.Address,
		string(i.State), i.Serial, hash, store.At(i.SentAt), store.At(i.ExpiresAt), i.Version, store.At(i.CreatedAt))
	return err
}

// Set writes what changes.
func (s *Invitations) Set(ctx context.Context, i invitation.Invitation, hash []byte, from invitation.State, version int64) (bool, error) {
	n, err := s.db.Exec(ctx, qInvSet, i.ID, string(from), version, string(i.State), i.Address, i.Serial, hash, store.At(i.SentAt), store.At(i.ExpiresAt),
		string(i.Reason), i.Joined, key(i.CustomerID), store.At(i.ChangedAt))
	return n == 1, err
}

// Count writes one more customer of a general link.
func (s *Invitations) Count(ctx context.Context, invitationID, customerID string) error {
	_, err := s.db.Exec(ctx, qInvCount, invitationID, customerID)
	return err
}

// InsertTry writes an attempt.
func (s *Invitations) InsertTry(ctx context.Context, t invitation.Try) error {
	_, err := s.db.Exec(ctx, qTryInsert, t.ID, t.InvitationID, store.At(t.At), t.Customer, key(t.CustomerID), string(t.Reason))
	return err
}

func (s *Invitations) tries(ctx context.Context, q store.Query, arg any) ([]invitation.Try, error) {
	var out []invitation.Try
	err := s.db.Each(ctx, q, []any{arg}, func(rows *sql.Rows) error {
		var t invitation.Try
		var at store.Instant
		err := rows.Scan(&t.ID, &t.InvitationID, &at, &t.Customer, &t.CustomerID, &t.Reason)
		t.At = at.Time
		out = append(out, t)
		return err
	})
	return out, err
}

// TriesOf lists the attempts on one, the newest first.
func (s *Invitations) TriesOf(ctx context.Context, invitationID string) ([]invitation.Try, error) {
	return s.tries(ctx, qTryOf, invitationID)
}

// TriesOfPartner lists those on all of a partner, the newest first.
func (s *Invitations) TriesOfPartner(ctx context.Context, partnerID string) ([]invitation.Try, error) {
	return s.tries(ctx, qTryOfPartner, partnerID)
}
