package ssostore

import (
	"context"
	"database/sql"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"time"

	"huoban/internal/sso"
	"huoban/internal/sso/metadata"
	"huoban/internal/sso/registry"
	"huoban/internal/store"
)

var (
	qKeys           = q.Get("sso.Keys")
	qInsertKey      = q.Get("sso.InsertKey")
	qUpdateKey      = q.Get("sso.UpdateKey")
	qRollingKeys    = q.Get("sso.RollingKeys")
	qInsertDocument = q.Get("sso.InsertDocument")
	qDocument       = q.Get("sso.Document")
	qDocuments      = q.Get("sso.Documents")
	qDecideDocument = q.Get("sso.DecideDocument")
	qWaiting        = q.Get("sso.WaitingDocuments")
	qDropWaiting    = q.Get("sso.DropWaiting")
	qFailingFetches = q.Get("sso.FailingFetches")
	qPutFetch       = q.Get("sso.PutFetch")
	qFetchOf        = q.Get("sso.FetchOf")
	qDropFetch      = q.Get("sso.DropFetch")
	qDueFetches     = q.Get("sso.DueFetches")
	qLease          = q.Get("sso.Lease")
	qRequestByID    = q.Get("sso.RequestByID")
	qRequestByRelay = q.Get("sso.RequestByRelay")
	qRefusals       = q.Get("sso.Refusals")
	qRefusalByRef   = q.Get("sso.RefusalByRef")
	qSignIns        = q.Get("sso.SignIns")
	qLastSignIn     = q.Get("sso.LastSignIn")
	qRefusedSince   = q.Get("sso.RefusedSince")
)

// Keys reads the keys of an entity of ours.
func (s *Store) Keys(ctx context.Context, entityKey string) ([]registry.KeyRow, error) {
	var out []registry.KeyRow
	err := s.db.Each(ctx, qKeys, []any{entityKey}, func(rows *sql.Rows) error {
		var k registry.KeyRow
		var kind, use, state string
		var published, switched, retired, after, created store.Instant
		err := rows.Scan(&k.ID, &k.Version, &kind, &k.EntityKey, &use, &state, &k.CertDER, &k.Sealed, &k.KEKID, &published, &switched, &retired, &after, &created)
		if err != nil {
			return err
		}
		k.EntityKind, k.Use, k.State = metadata.Role(kind), sso.KeyUse(use), sso.KeyState(state)
		k.PublishedAt, k.SwitchedAt, k.RetiredAt, k.NotAfter, k.CreatedAt = published.Time, switched.Time, retired.Time, after.Time, created.Time
		out = append(out, k)
		return nil
	})
	return out, err
}

// InsertKey writes a key.
func (s *Store) InsertKey(ctx context.Context, k registry.KeyRow) error {
	_, err := s.db.Exec(ctx, qInsertKey, k.ID, k.Version, string(k.EntityKind), k.EntityKey, string(k.Use), string(k.State), k.CertDER, k.Sealed, k.KEKID,
		store.At(k.PublishedAt), store.At(k.SwitchedAt), store.At(k.RetiredAt), store.At(k.NotAfter), store.At(k.CreatedAt))
	return err
}

// UpdateKey writes a key's state over the one of its version.
func (s *Store) UpdateKey(ctx context.Context, k registry.KeyRow) (bool, error) {
	n, err := s.db.Exec(ctx, qUpdateKey, k.ID, k.Version, string(k.State), store.At(k.SwitchedAt), store.At(k.RetiredAt))
	return n == 1, err
}

// RollingKeys reads the entities whose keys are, or are about to be, in a rollover.
func (s *Store) RollingKeys(ctx context.Context, endsBefore time.Time) ([]registry.EntityRef, error) {
	var out []registry.EntityRef
	err := s.db.Each(ctx, qRollingKeys, []any{store.At(endsBefore)}, func(rows *sql.Rows) error {
		var e registry.EntityRef
		var kind string
		if err := rows.Scan(&kind, &e.Key); err != nil {
			return err
		}
		e.Kind = metadata.Role(kind)
		out = append(out, e)
		return nil
	})
	return out, err
}

// InsertDocument writes a document.
func (s *Store) InsertDocument(ctx context.Context, d registry.DocumentRow) error {
	diff, err := encode(d.Diff)
	if err != nil {
		return err
	}
	signer, err := hex.DecodeString(d.Signer)
	if err != nil {
		return err
	}
	_, err = s.db.Exec(ctx, qInsertDocument, d.ID, string(d.OwnerKind), d.OwnerID, d.SHA256, d.XML, raw(signer), store.At(d.ValidUntil), int64(d.Cache/time.Second), d.ETag,
		store.At(d.FetchedAt), d.State, d.Code, diff, d.DecidedBy, store.At(d.DecidedAt))
	return err
}

func (s *Store) documents(ctx context.Context, q store.Query, args ...any) ([]registry.DocumentRow, error) {
	var out []registry.DocumentRow
	err := s.db.Each(ctx, q, args, func(rows *sql.Rows) error {
		var d registry.DocumentRow
		var kind, diff string
		var signer []byte
		var cache int64
		var until, fetched, decided store.Instant
		err := rows.Scan(&d.ID, &kind, &d.OwnerID, &d.SHA256, &d.XML, &signer, &until, &cache, &d.ETag, &fetched, &d.State, &d.Code, &diff, &d.DecidedBy, &decided)
		if err != nil {
			return err
		}
		if err := json.Unmarshal([]byte(diff), &d.Diff); err != nil {
			return fmt.Errorf("diff of %s: %w", d.ID, err)
		}
		d.OwnerKind, d.Signer, d.Cache = metadata.Role(kind), hex.EncodeToString(signer), time.Duration(cache)*time.Second
		d.ValidUntil, d.FetchedAt, d.DecidedAt = until.Time, fetched.Time, decided.Time
		out = append(out, d)
		return nil
	})
	return out, err
}

// Document reads one.
func (s *Store) Document(ctx context.Context, documentID string) (registry.DocumentRow, bool, error) {
	return first(s.documents(ctx, qDocument, documentID))
}

// Documents reads the newest of an owner, without their text.
func (s *Store) Documents(ctx context.Context, ownerID string, limit int) ([]registry.DocumentRow, error) {
	return s.documents(ctx, qDocuments, ownerID, limit)
}

// DecideDocument ends a document's wait.
func (s *Store) DecideDocument(ctx context.Context, documentID, state, by string, at time.Time) (bool, error) {
	n, err := s.db.Exec(ctx, qDecideDocument, documentID, state, by, store.At(at))
	return n == 1, err
}

// WaitingDocuments reads those of a kind that wait for confirmation, the newest first, without their text.
func (s *Store) WaitingDocuments(ctx context.Context, kind metadata.Role) ([]registry.DocumentRow, error) {
	return s.documents(ctx, qWaiting, string(kind))
}

// DropWaiting refuses whatever of an owner waits.
func (s *Store) DropWaiting(ctx context.Context, ownerID, by string, at time.Time) error {
	_, err := s.db.Exec(ctx, qDropWaiting, ownerID, by, store.At(at))
	return err
}

// FailingFetches reads the owners whose documents could not be got or taken last time.
func (s *Store) FailingFetches(ctx context.Context) ([]registry.FetchRow, error) {
	return s.fetches(ctx, qFailingFetches)
}

// PutFetch writes when a document is fetched again, and ends a lease.
func (s *Store) PutFetch(ctx context.Context, f registry.FetchRow) error {
	_, err := s.db.Exec(ctx, qPutFetch, f.OwnerID, store.At(f.NextAt), store.At(f.LeaseUntil), f.LeaseBy, int64(f.Failures), store.At(f.FailingSince), f.LastCode, store.At(f.LastOKAt))
	return err
}

func (s *Store) fetches(ctx context.Context, q store.Query, args ...any) ([]registry.FetchRow, error) {
	var out []registry.FetchRow
	err := s.db.Each(ctx, q, args, func(rows *sql.Rows) error {
		var f registry.FetchRow
		var next, lease, since, ok store.Instant
		if err := rows.Scan(&f.OwnerID, &next, &lease, &f.LeaseBy, &f.Failures, &since, &f.LastCode, &ok); err != nil {
			return err
		}
		f.NextAt, f.LeaseUntil, f.FailingSince, f.LastOKAt = next.Time, lease.Time, since.Time, ok.Time
		out = append(out, f)
		return nil
	})
	return out, err
}

// FetchOf reads when an owner's document is fetched again.
func (s *Store) FetchOf(ctx context.Context, ownerID string) (registry.FetchRow, bool, error) {
	return first(s.fetches(ctx, qFetchOf, ownerID))
}

// DropFetch fetches an owner's document no more.
func (s *Store) DropFetch(ctx context.Context, ownerID string) error {
	_, err := s.db.Exec(ctx, qDropFetch, ownerID)
	return err
}

// DueFetches reads what is due and not held by another replica.
func (s *Store) DueFetches(ctx context.Context, now time.Time, limit int) ([]registry.FetchRow, error) {
	return s.fetches(ctx, qDueFetches, store.At(now), limit)
}

// Lease takes a due document.
func (s *Store) Lease(ctx context.Context, ownerID, by string, now, until time.Time) (bool, error) {
	n, err := s.db.Exec(ctx, qLease, ownerID, by, store.At(now), store.At(until))
	return n == 1, err
}

func (s *Store) refusals(ctx context.Context, q store.Query, args ...any) ([]registry.Refusal, error) {
	var out []registry.Refusal
	err := s.db.Each(ctx, q, args, func(rows *sql.Rows) error {
		var r registry.Refusal
		var at, last store.Instant
		err := rows.Scan(&r.Ref, &at, &last, &r.Side, &r.Route, &r.PeerID, &r.PartnerID, &r.Code, &r.Step, &r.Facts, &r.Issuer, &r.RequestID, &r.IP, &r.Agent, &r.Repeats)
		r.At, r.LastAt = at.Time, last.Time
		out = append(out, r)
		return err
	})
	return out, err
}

// Refusals reads the newest of a registration.
func (s *Store) Refusals(ctx context.Context, platformID string, limit int) ([]registry.Refusal, error) {
	return s.refusals(ctx, qRefusals, platformID, limit)
}

// RefusalByRef reads one.
func (s *Store) RefusalByRef(ctx context.Context, ref string) (registry.Refusal, bool, error) {
	return first(s.refusals(ctx, qRefusalByRef, ref))
}

// SignIns reads the newest accepted messages of a registration.
func (s *Store) SignIns(ctx context.Context, platformID string, limit int) ([]registry.SignIn, error) {
	var out []registry.SignIn
	err := s.db.Each(ctx, qSignIns, []any{platformID, limit}, func(rows *sql.Rows) error {
		var x registry.SignIn
		var at store.Instant
		var drift int64
		err := rows.Scan(&x.ID, &at, &x.Purpose, &x.CustomerID, &x.AssertionID, &drift, &x.IP)
		x.At, x.Drift = at.Time, time.Duration(drift)*time.Millisecond
		out = append(out, x)
		return err
	})
	return out, err
}

// SeenOf reads a registration's last sign-in and how many messages were refused.
func (s *Store) SeenOf(ctx context.Context, platformID string, since time.Time) (registry.Seen, error) {
	var seen registry.Seen
	var last store.Instant
	err := s.db.Each(ctx, qLastSignIn, []any{platformID}, func(rows *sql.Rows) error { return rows.Scan(&last) })
	if err != nil {
		return seen, err
	}
	seen.LastSignIn = last.Time
	err = s.db.Each(ctx, qRefusedSince, []any{platformID, store.At(since)}, func(rows *sql.Rows) error { return rows.Scan(&seen.Refused) })
	return seen, err
}

// RequestByID reads a request that was begun here.
func (s *Store) RequestByID(ctx context.Context, id string) (sso.Request, bool, error) {
	return s.request(ctx, qRequestByID, id)
}

// RequestByRelay reads the request whose RelayState it is.
func (s *Store) RequestByRelay(ctx context.Context, relayID string) (sso.Request, bool, error) {
	return s.request(ctx, qRequestByRelay, relayID)
}

func (s *Store) request(ctx context.Context, q store.Query, key string) (sso.Request, bool, error) {
	var out []sso.Request
	err := s.db.Each(ctx, q, []any{key}, func(rows *sql.Rows) error {
		var r sso.Request
		var purpose string
		var created, expires, consumed store.Instant
		err := rows.Scan(&r.ID, &r.IdPID, &r.RelayID, &r.BrowserHash, &purpose, &r.ReturnID, &r.Path, &r.Query, &r.FirstLogin, &r.ForceAuthn, &r.UserID, &created, &expires, &consumed)
		r.Purpose, r.CreatedAt, r.ExpiresAt, r.ConsumedAt = sso.Purpose(purpose), created.Time, expires.Time, consumed.Time
		out = append(out, r)
		return err
	})
	return first(out, err)
}
