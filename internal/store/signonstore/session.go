package signonstore

import (
	"context"
	"database/sql"
	"encoding/json"
	"time"

	"huoban/internal/id"
	"huoban/internal/signon"
	"huoban/internal/sso"
	"huoban/internal/store"
)

// InsertSession writes an entry of the index.
func (s *Store) InsertSession(ctx context.Context, e signon.Session) error {
	a := e.Asserted
	body, err := json.Marshal(a)
	if err != nil {
		return err
	}
	_, err = s.db.Exec(ctx, qSessionInsert, e.ID, e.PeerID, e.Hash, e.CustomerID, e.UserID, a.NameID, a.Format, a.NameQualifier, a.SPNameQualifier,
		a.SessionIndex, a.AuthnContext, string(body), store.At(a.AuthnAt), store.At(a.NotOnOrAfter), store.At(e.CreatedAt))
	return err
}

// SetAuthn writes what a new sign-in of the session's person said.
func (s *Store) SetAuthn(ctx context.Context, sessionID string, a signon.Asserted) error {
	body, err := json.Marshal(a)
	if err != nil {
		return err
	}
	_, err = s.db.Exec(ctx, qSessionAuthn, sessionID, string(body), store.At(a.AuthnAt), a.AuthnContext, a.SessionIndex, store.At(a.NotOnOrAfter))
	return err
}

func (s *Store) sessions(ctx context.Context, query store.Query, args ...any) ([]signon.Session, error) {
	var out []signon.Session
	err := s.db.Each(ctx, query, args, func(rows *sql.Rows) error {
		var e signon.Session
		var body string
		var created, ended store.Instant
		if err := rows.Scan(&e.ID, &e.PeerID, &e.Hash, &e.CustomerID, &e.UserID, &body, &created, &ended, &e.EndedBy); err != nil {
			return err
		}
		e.CreatedAt, e.EndedAt = created.Time, ended.Time
		out = append(out, e)
		return json.Unmarshal([]byte(body), &out[len(out)-1].Asserted)
	})
	return out, err
}

// Session reads one.
func (s *Store) Session(ctx context.Context, sessionID string) (signon.Session, bool, error) {
	list, err := s.sessions(ctx, qSessionByID, sessionID)
	if err != nil || len(list) == 0 {
		return signon.Session{}, false, err
	}
	return list[0], true, nil
}

// Living tells whether the session has not ended, its registration is active, and its customer the partner's at that
// instant.
func (s *Store) Living(ctx context.Context, sessionID string, at time.Time) (bool, error) {
	return s.any(ctx, qSessionLiving, sessionID, store.At(at))
}

// SessionsOfSubject lists what has not ended of a subject: its name, and the qualifiers as they were asserted.
func (s *Store) SessionsOfSubject(ctx context.Context, peerID string, a signon.Asserted) ([]signon.Session, error) {
	list, err := s.sessions(ctx, qSessionsOfSubject, peerID, a.NameID)
	kept := list[:0]
	for _, e := range list {
		if same(a.NameQualifier, e.Asserted.NameQualifier) && same(a.SPNameQualifier, e.Asserted.SPNameQualifier) {
			kept = append(kept, e)
		}
	}
	return kept, err
}

// same: a qualifier that one side leaves out stands for its own default, which the other may write out.
func same(a, b string) bool { return a == b || a == "" || b == "" }

// SessionsOfPerson lists the person's latest.
func (s *Store) SessionsOfPerson(ctx context.Context, personID string) ([]signon.Session, error) {
	return s.sessions(ctx, qSessionsOfPerson, personID)
}

// NamedBefore gives the latest session of another customer that the platform named so.
func (s *Store) NamedBefore(ctx context.Context, peerID, nameID, customerID string) (signon.Session, bool, error) {
	list, err := s.sessions(ctx, qNamedBefore, peerID, nameID, customerID)
	if err != nil || len(list) == 0 {
		return signon.Session{}, false, err
	}
	return list[0], true, nil
}

// EndSession notes that a session ended; false when it had.
func (s *Store) EndSession(ctx context.Context, sessionID, by string, at time.Time) (bool, error) {
	n, err := s.db.Exec(ctx, qSessionEnd, sessionID, store.At(at), by)
	return n == 1, err
}

// EndOfPartner ends every session of a customer that a partner's registrations began, and gives them.
func (s *Store) EndOfPartner(ctx context.Context, partnerID, customerID, by string, at time.Time) ([]signon.Session, error) {
	list, err := s.sessions(ctx, qSessionsOfPartner, partnerID, customerID)
	if err != nil {
		return nil, err
	}
	for _, e := range list {
		if _, err := s.EndSession(ctx, e.ID, by, at); err != nil {
			return nil, err
		}
	}
	return list, nil
}

// InsertAccepted keeps that a sign-in was accepted.
func (s *Store) InsertAccepted(ctx context.Context, peerID string, p sso.Purpose, customerID string, a signon.Asserted, ip string, at time.Time) error {
	_, err := s.db.Exec(ctx, qAcceptedInsert, id.New(), store.At(at), peerID, string(p), null(customerID), a.AssertionID, a.DriftMS, ip)
	return err
}

// RepeatRefusal counts one more of the same.
func (s *Store) RepeatRefusal(ctx context.Context, r signon.Refusal, since time.Time) (ref string, ok bool, err error) {
	var row string
	err = s.db.Each(ctx, qRefusalAgain, []any{store.At(since), r.Code, r.IP, r.PeerID}, func(rows *sql.Rows) error {
		ok = true
		return rows.Scan(&row, &ref)
	})
	if err != nil || !ok {
		return "", false, err
	}
	_, err = s.db.Exec(ctx, qRefusalRepeat, row, store.At(r.At))
	return ref, err == nil, err
}

// InsertRefusal writes a refusal.
func (s *Store) InsertRefusal(ctx context.Context, r signon.Refusal) error {
	_, err := s.db.Exec(ctx, qRefusalInsert, id.New(), r.Ref, store.At(r.At), r.Side, r.Route, null(r.PeerID), null(r.PartnerID), r.Code, r.Step, r.Facts,
		r.MessageSHA, r.IssuerSeen, r.RequestID, r.IP, r.Agent)
	return err
}

// Purge removes what expired before, and refusals older than that.
func (s *Store) Purge(ctx context.Context, expired, refused time.Time) (int64, error) {
	var sum int64
	for _, one := range []struct {
		query store.Query
		at    time.Time
	}{{qRequestPurge, expired}, {qSeenPurge, expired}, {qTicketPurge, expired}, {qRefusalPurge, refused}} {
		n, err := s.db.Exec(ctx, one.query, store.At(one.at))
		if err != nil {
			return sum, err
		}
		sum += n
	}
	return sum, nil
}
