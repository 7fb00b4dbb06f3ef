package hostedstore

import (
	"context"
	"database/sql"
	"encoding/json"
	"time"

	"huoban/internal/hosted"
	"huoban/internal/store"
)

var (
	qVisitsOfSubject = q.Get("hosted.VisitsOfSubject")
	qVisitsOfGroup   = q.Get("hosted.VisitsOfGroup")
	qVisitEnd        = q.Get("hosted.VisitEnd")
	qVisitsAstray    = q.Get("hosted.VisitsAstray")
	qLeavingInsert   = q.Get("hosted.LeavingInsert")
	qLeavingByID     = q.Get("hosted.LeavingByID")
	qLeavingDone     = q.Get("hosted.LeavingDone")
	qLeavingPurge    = q.Get("hosted.LeavingPurge")
	qStepInsert      = q.Get("hosted.StepInsert")
	qSteps           = q.Get("hosted.Steps")
	qStepByRequest   = q.Get("hosted.StepByRequest")
	qStepMove        = q.Get("hosted.StepMove")
	qStepPurge       = q.Get("hosted.StepPurge")
)

func (s *Store) visits(ctx context.Context, query store.Query, args ...any) ([]hosted.Visit, error) {
	var out []hosted.Visit
	err := s.db.Each(ctx, query, args, func(rows *sql.Rows) error {
		var v hosted.Visit
		n := &v.NameID
		err := rows.Scan(&v.ID, &v.HostID, &v.ConsoleID, &v.CustomerID, &v.PersonID, &v.Group, &n.Value, &n.Format, &n.NameQualifier, &n.SPNameQualifier, &v.SessionIndex)
		out = append(out, v)
		return err
	})
	return out, err
}

// VisitsOfSubject lists the open sessions of a name at a console.
func (s *Store) VisitsOfSubject(ctx context.Context, consoleID, nameID string) ([]hosted.Visit, error) {
	return s.visits(ctx, qVisitsOfSubject, consoleID, nameID)
}

// VisitsOfGroup lists the open sessions at consoles that one session here began.
func (s *Store) VisitsOfGroup(ctx context.Context, group []byte) ([]hosted.Visit, error) {
	return s.visits(ctx, qVisitsOfGroup, group)
}

// Astray tells whether a session visits a console by a partner whose customer it is no longer, or who is suspended.
func (s *Store) Astray(ctx context.Context, group []byte, at time.Time) (bool, error) {
	var n int64
	err := s.db.Each(ctx, qVisitsAstray, []any{group, store.At(at)}, func(rows *sql.Rows) error { return rows.Scan(&n) })
	return n > 0, err
}

// EndVisit notes that a session at a console ended.
func (s *Store) EndVisit(ctx context.Context, visitID, by string, at time.Time) error {
	_, err := s.db.Exec(ctx, qVisitEnd, visitID, store.At(at), by)
	return err
}

// InsertLeaving writes a signing out with its steps.
func (s *Store) InsertLeaving(ctx context.Context, l hosted.Leaving) error {
	console := sql.NullString{String: l.ConsoleID, Valid: l.ConsoleID != ""}
	_, err := s.db.Exec(ctx, qLeavingInsert, l.ID, l.HostID, l.CustomerID, console, l.RequestID, l.RelayState, store.At(l.CreatedAt), store.At(l.ExpiresAt))
	for _, x := range l.Steps {
		if err != nil {
			return err
		}
		var subject []byte
		if subject, err = json.Marshal(x.Subject); err == nil {
			_, err = s.db.Exec(ctx, qStepInsert, x.LeavingID, x.Seq, x.HostID, x.ConsoleID, x.RequestID, string(subject), string(x.State))
		}
	}
	return err
}

// Leaving reads a signing out with its steps.
func (s *Store) Leaving(ctx context.Context, leavingID string) (l hosted.Leaving, ok bool, err error) {
	err = s.db.Each(ctx, qLeavingByID, []any{leavingID}, func(rows *sql.Rows) error {
		var created, expires, done store.Instant
		err := rows.Scan(&l.ID, &l.HostID, &l.CustomerID, &l.ConsoleID, &l.RequestID, &l.RelayState, &created, &expires, &done)
		l.CreatedAt, l.ExpiresAt, l.DoneAt, ok = created.Time, expires.Time, done.Time, true
		return err
	})
	if err != nil || !ok {
		return l, false, err
	}
	l.Steps, err = s.steps(ctx, qSteps, leavingID)
	return l, err == nil, err
}

func (s *Store) steps(ctx context.Context, query store.Query, arg string) ([]hosted.Step, error) {
	var out []hosted.Step
	err := s.db.Each(ctx, query, []any{arg}, func(rows *sql.Rows) error {
		var x hosted.Step
		var subject string
		var asked store.Instant
		if err := rows.Scan(&x.LeavingID, &x.Seq, &x.HostID, &x.ConsoleID, &x.RequestID, &subject, &x.State, &asked); err != nil {
			return err
		}
		x.AskedAt = asked.Time
		out = append(out, x)
		return json.Unmarshal([]byte(subject), &out[len(out)-1].Subject)
	})
	return out, err
}

// DoneLeaving marks a signing out done; false when it was.
func (s *Store) DoneLeaving(ctx context.Context, leavingID string, at time.Time) (bool, error) {
	n, err := s.db.Exec(ctx, qLeavingDone, leavingID, store.At(at))
	return n == 1, err
}

// StepByRequest reads the step whose console was sent that request.
func (s *Store) StepByRequest(ctx context.Context, requestID string) (hosted.Step, bool, error) {
	list, err := s.steps(ctx, qStepByRequest, requestID)
	if err != nil || len(list) == 0 {
		return hosted.Step{}, false, err
	}
	return list[0], true, nil
}

// MoveStep gives a step another state; false when it is in none of these.
func (s *Store) MoveStep(ctx context.Context, x hosted.Step, to hosted.StepState, at time.Time, from ...hosted.StepState) (bool, error) {
	for _, f := range from {
		n, err := s.db.Exec(ctx, qStepMove, x.LeavingID, x.Seq, string(f), string(to), store.At(at))
		if err != nil || n == 1 {
			return n == 1, err
		}
	}
	return false, nil
}
