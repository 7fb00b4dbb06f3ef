// Package hostedstore keeps what waits for customers at hosted platforms, the names they have at consoles, what they
// agreed to hand over, and their sessions there.
//
// It owns their queries; it does not own registrations and keys (ssostore). Invariants: a question is answered and a
// message written at most once, whatever replica asks.
package hostedstore

import (
	"context"
	"database/sql"
	"embed"
	"encoding/json"
	"time"

	"huoban/internal/hosted"
	"huoban/internal/store"
)

//go:embed query/*.sql
var files embed.FS

var (
	q               = store.Load(files)
	qSeenInsert     = q.Get("hosted.SeenInsert")
	qQuestionInsert = q.Get("hosted.QuestionInsert")
	qQuestionByHash = q.Get("hosted.QuestionByHash")
	qQuestionAnswer = q.Get("hosted.QuestionAnswer")
	qQuestionPurge  = q.Get("hosted.QuestionPurge")
	qNameOf         = q.Get("hosted.NameOf")
	qNameInsert     = q.Get("hosted.NameInsert")
	qConsentsOf     = q.Get("hosted.ConsentsOf")
	qConsentPut     = q.Get("hosted.ConsentPut")
	qConsentDrop    = q.Get("hosted.ConsentDrop")
	qVisitInsert    = q.Get("hosted.VisitInsert")
	qConsoleTouch   = q.Get("hosted.ConsoleTouch")
	qEmailVerified  = q.Get("hosted.EmailVerified")
)

// Store implements hosted.Store.
type Store struct{ db *store.DB }

// New makes the store.
func New(db *store.DB) *Store { return &Store{db} }

// Spend writes a message; false when it is known.
func (s *Store) Spend(ctx context.Context, scope, kind, messageID string, until, at time.Time) (bool, error) {
	n, err := s.db.Exec(ctx, qSeenInsert, scope, kind, messageID, store.At(until), store.At(at))
	return n == 1, err
}

// InsertQuestion writes a question.
func (s *Store) InsertQuestion(ctx context.Context, x hosted.Question) error {
	_, err := s.db.Exec(ctx, qQuestionInsert, x.Hash, x.HostID, x.ConsoleID, x.RequestID, x.ACS, string(x.Format), x.Context, x.RelayState, x.ForceAuthn,
		x.Passive, store.At(x.CreatedAt), store.At(x.ExpiresAt))
	return err
}

// Question reads a question.
func (s *Store) Question(ctx context.Context, hash []byte) (x hosted.Question, ok bool, err error) {
	err = s.db.Each(ctx, qQuestionByHash, []any{hash}, func(rows *sql.Rows) error {
		var created, expires, answered store.Instant
		err := rows.Scan(&x.Hash, &x.HostID, &x.ConsoleID, &x.RequestID, &x.ACS, &x.Format, &x.Context, &x.RelayState, &x.ForceAuthn, &x.Passive,
			&created, &expires, &answered)
		x.CreatedAt, x.ExpiresAt, x.AnsweredAt, ok = created.Time, expires.Time, answered.Time, true
		return err
	})
	return x, ok && err == nil, err
}

// AnswerQuestion marks a question answered; false when it was.
func (s *Store) AnswerQuestion(ctx context.Context, hash []byte, at time.Time) (bool, error) {
	n, err := s.db.Exec(ctx, qQuestionAnswer, hash, store.At(at))
	return n == 1, err
}

// NameOf reads the name a person has at a console.
func (s *Store) NameOf(ctx context.Context, personID, consoleID string) (name string, ok bool, err error) {
	err = s.db.Each(ctx, qNameOf, []any{personID, consoleID}, func(rows *sql.Rows) error {
		ok = true
		return rows.Scan(&name)
	})
	return name, ok && err == nil, err
}

// InsertName writes it unless there is one.
func (s *Store) InsertName(ctx context.Context, customerID, personID, consoleID, name string, at time.Time) error {
	_, err := s.db.Exec(ctx, qNameInsert, customerID, personID, consoleID, name, store.At(at))
	return err
}

func (s *Store) consents(ctx context.Context, personID, consoleID string) ([]hosted.Consent, error) {
	var out []hosted.Consent
	err := s.db.Each(ctx, qConsentsOf, []any{personID, consoleID}, func(rows *sql.Rows) error {
		var c hosted.Consent
		var at store.Instant
		err := rows.Scan(&c.PersonID, &c.ConsoleID, &c.CustomerID, &c.Given, &at)
		c.At = at.Time
		out = append(out, c)
		return err
	})
	return out, err
}

// Consent reads one.
func (s *Store) Consent(ctx context.Context, personID, consoleID string) (hosted.Consent, bool, error) {
	list, err := s.consents(ctx, personID, consoleID)
	if err != nil || len(list) == 0 {
		return hosted.Consent{}, false, err
	}
	return list[0], true, nil
}

// ConsentsOf reads all of a person, the newest first.
func (s *Store) ConsentsOf(ctx context.Context, personID string) ([]hosted.Consent, error) {
	return s.consents(ctx, personID, "")
}

// PutConsent writes one over an earlier one.
func (s *Store) PutConsent(ctx context.Context, c hosted.Consent) error {
	_, err := s.db.Exec(ctx, qConsentPut, c.PersonID, c.ConsoleID, c.CustomerID, c.Given, store.At(c.At))
	return err
}

// DropConsent removes one; false when there is none.
func (s *Store) DropConsent(ctx context.Context, personID, consoleID string) (bool, error) {
	n, err := s.db.Exec(ctx, qConsentDrop, personID, consoleID)
	return n == 1, err
}

// InsertVisit writes a session at a console.
func (s *Store) InsertVisit(ctx context.Context, v hosted.Visit) error {
	released, err := json.Marshal(v.Released)
	if err != nil {
		return err
	}
	n := v.NameID
	_, err = s.db.Exec(ctx, qVisitInsert, v.ID, v.ConsoleID, v.HostID, v.Group, v.CustomerID, v.PersonID, n.Value, n.Format, n.NameQualifier, n.SPNameQualifier,
		v.SessionIndex, v.Context, string(released), store.At(v.AuthnAt), store.At(v.Until), store.At(v.CreatedAt))
	return err
}

// TouchConsole notes that a console was answered.
func (s *Store) TouchConsole(ctx context.Context, consoleID string, at time.Time) error {
	_, err := s.db.Exec(ctx, qConsoleTouch, consoleID, store.At(at))
	return err
}

// EmailVerified tells whether a person's e-mail address was proved.
func (s *Store) EmailVerified(ctx context.Context, personID string) (bool, error) {
	var n int64
	err := s.db.Each(ctx, qEmailVerified, []any{personID}, func(rows *sql.Rows) error { return rows.Scan(&n) })
	return n > 0, err
}

// Purge removes what expired before.
func (s *Store) Purge(ctx context.Context, before time.Time) (int64, error) {
	var sum int64
	for _, one := range []store.Query{qQuestionPurge, qStepPurge, qLeavingPurge} {
		n, err := s.db.Exec(ctx, one, store.At(before))
		if err != nil {
			return sum, err
		}
		sum += n
	}
	return sum, nil
}
