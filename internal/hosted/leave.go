package hosted

import (
	"bytes"
	"context"
	"slices"
	"time"

	"huoban/internal/audit"
	"huoban/internal/fault"
	"huoban/internal/sso"
)

// How long a console has to answer, and a customer to sign out everywhere.
const (
	StepLife  = 5 * time.Second
	leaveLife = 15 * time.Minute
)

// StepState is where the signing out of one console stands.
type StepState string

// The states. A console that answers late is left after all.
const (
	StepWaiting     StepState = "waiting"
	StepAsked       StepState = "asked"
	StepLeft        StepState = "left"
	StepFailed      StepState = "failed"
	StepSkipped     StepState = "skipped"
	StepUnreachable StepState = "unreachable" // it has no address for signing out
)

// Label is the key of the state's name.
func (s StepState) Label() string { return "hostedview.leave.state." + string(s) }

// Step is one console to be signed out of.
type Step struct {
	LeavingID         string
	Seq               int64
	HostID, ConsoleID string
	RequestID         string
	Subject           sso.Subject
	State             StepState
	AskedAt           time.Time
}

// Leaving is one signing out everywhere. ConsoleID, RequestID and RelayState are of a console that asked for it; a
// RequestID without console is of a request of ours that comes last.
type Leaving struct {
	ID, HostID, CustomerID           string
	ConsoleID, RequestID, RelayState string
	CreatedAt, ExpiresAt, DoneAt     time.Time
	Steps                            []Step
}

// Next is the first step that is not over; false when all are.
func (l Leaving) Next() (Step, bool) {
	for _, s := range l.Steps {
		if s.State == StepWaiting || s.State == StepAsked {
			return s, true
		}
	}
	return Step{}, false
}

// Partial tells whether some console was not left.
func (l Leaving) Partial() bool {
	return slices.ContainsFunc(l.Steps, func(s Step) bool { return s.State != StepLeft })
}

// Leaver keeps signings out. Writing methods need a running transaction.
type Leaver interface {
	VisitsOfSubject(ctx context.Context, consoleID, nameID string) ([]Visit, error)
	VisitsOfGroup(ctx context.Context, group []byte) ([]Visit, error)
	EndVisit(ctx context.Context, visitID, by string, at time.Time) error
	// Astray tells whether a session visits a console by a partner whose customer it is no longer at that instant, or
	// who is suspended.
	Astray(ctx context.Context, group []byte, at time.Time) (bool, error)

	InsertLeaving(ctx context.Context, l Leaving) error
	Leaving(ctx context.Context, id string) (Leaving, bool, error)
	// DoneLeaving marks it done; false when it was.
	DoneLeaving(ctx context.Context, id string, at time.Time) (bool, error)
	StepByRequest(ctx context.Context, requestID string) (Step, bool, error)
	// MoveStep gives a step another state; false when it is in none of these.
	MoveStep(ctx context.Context, s Step, to StepState, at time.Time, from ...StepState) (bool, error)
}

// Sessions ends sessions here.
type Sessions interface {
	// EndNoted ends the sessions of a person whose value under a key is meant, and tells how many.
	EndNoted(ctx context.Context, personID, key string, is func(value string) bool) (int, error)
}

// Consoles finds consoles.
type Consoles interface {
	ConsoleByID(ctx context.Context, consoleID string) (sso.Console, bool, error)
}

// ValueVisits names, in a session, the visits it made to consoles.
const ValueVisits = "visits"

// Open tells whether a session has visited consoles that it has not left.
func (s *Service) Open(ctx context.Context, group string) (bool, error) {
	if group == "" {
		return false, nil
	}
	list, err := s.Store.VisitsOfGroup(ctx, GroupHash(group))
	return len(list) > 0, err
}

// Leave begins to sign a session out of every console it visited. The session itself is the caller's to end; then is the
// id of a request of the caller's that waits until they are done, or empty.
func (s *Service) Leave(ctx context.Context, login, group, then string) (Leaving, error) {
	var out Leaving
	err := s.Tx.InTx(ctx, func(ctx context.Context) error {
		visits, err := s.Store.VisitsOfGroup(ctx, GroupHash(group))
		if err != nil {
			return err
		}
		if len(visits) == 0 {
			return fault.NotFound("hosted.leaving_unknown", nil)
		}
		out, err = s.leave(ctx, Leaving{HostID: visits[0].HostID, CustomerID: visits[0].CustomerID, RequestID: then}, visits, "here")
		if err != nil {
			return err
		}
		return s.Audit.Record(ctx, audit.Entry{Actor: login, OrgID: out.CustomerID, Action: "console.leave", Object: "leaving:" + out.ID, Detail: map[string]any{"consoles": len(out.Steps)}})
	})
	return out, err
}

// Astray tells whether a session has to leave the consoles it visits, because the association with the partner that
// sent it there is over, or the partner is suspended.
func (s *Service) Astray(ctx context.Context, group string) (bool, error) {
	if group == "" {
		return false, nil
	}
	return s.Store.Astray(ctx, GroupHash(group), s.Clock.Now())
}

// EndSubject takes a console's wish once and ends what it names: the console's own sessions, the sessions here that
// opened them, and then each of the other consoles'. Nobody learns whether there was anything: without, the id of
// the leaving is empty. Fault: sso.slo.replay.
func (s *Service) EndSubject(ctx context.Context, h sso.Host, c sso.Console, m sso.LogoutRequest, relay string) (Leaving, error) {
	var out Leaving
	err := s.Tx.InTx(ctx, func(ctx context.Context) error {
		out = Leaving{}
		ok, err := s.Store.Spend(ctx, c.ID, "logout", m.ID, m.KeepUntil, s.Clock.Now())
		if err == nil && !ok {
			err = sso.Refuse(sso.CodeSLOReplay, "spendMessage", "", m.ID)
		}
		if err != nil {
			return err
		}
		visits, first, err := s.meant(ctx, h, c, m.Subject)
		if err != nil || len(visits) == 0 {
			return err
		}
		for _, v := range visits {
			if err := s.endSession(ctx, v); err != nil {
				return err
			}
		}
		out, err = s.leave(ctx, Leaving{HostID: h.ID, CustomerID: first.CustomerID, ConsoleID: c.ID, RequestID: m.ID, RelayState: relay}, visits, "peer")
		if err != nil {
			return err
		}
		return s.Audit.Record(ctx, audit.Entry{Actor: "sso", OrgID: first.CustomerID, Action: "session.end", Object: "console:" + c.EntityID,
			Detail: map[string]any{"by": "peer", "person": first.PersonID, "consoles": len(out.Steps)}})
	})
	return out, err
}

func (s *Service) endSession(ctx context.Context, v Visit) error {
	_, err := s.Sessions.EndNoted(ctx, v.PersonID, ValueVisits, func(group string) bool { return bytes.Equal(GroupHash(group), v.Group) })
	return err
}

// meant are the visits a console's wish ends: its own of that subject, and all others of the same sessions.
func (s *Service) meant(ctx context.Context, h sso.Host, c sso.Console, who sso.Subject) (all []Visit, first Visit, err error) {
	own, err := s.Store.VisitsOfSubject(ctx, c.ID, who.NameID.Value)
	if err != nil {
		return nil, first, err
	}
	seen := map[string]bool{}
	for _, v := range own {
		named := len(who.SessionIndex) == 0 || slices.Contains(who.SessionIndex, v.SessionIndex)
		if v.HostID != h.ID || !named || !same(who.NameID.NameQualifier, v.NameID.NameQualifier) || !same(who.NameID.SPNameQualifier, v.NameID.SPNameQualifier) {
			continue
		}
		if first.ID == "" {
			first = v
		}
		if seen[string(v.Group)] {
			continue
		}
		seen[string(v.Group)] = true
		more, err := s.Store.VisitsOfGroup(ctx, v.Group)
		if err != nil {
			return nil, first, err
		}
		all = append(all, more...)
	}
	return all, first, nil
}

// same: a qualifier that one side leaves out stands for its own default, which the other may write out.
func same(a, b string) bool { return a == b || a == "" || b == "" }

// leave ends visits and keeps the way round their consoles; the console that asked knows already.
func (s *Service) leave(ctx context.Context, l Leaving, visits []Visit, by string) (Leaving, error) {
	now := s.Clock.Now()
	l.ID, l.CreatedAt, l.ExpiresAt = lower32.EncodeToString(random(16)), now, now.Add(leaveLife)
	for _, v := range visits {
		if err := s.Store.EndVisit(ctx, v.ID, by, now); err != nil {
			return l, err
		}
		if v.ConsoleID == l.ConsoleID && l.ConsoleID != "" {
			continue
		}
		i := slices.IndexFunc(l.Steps, func(x Step) bool {
			return x.HostID == v.HostID && x.ConsoleID == v.ConsoleID && x.Subject.NameID == v.NameID
		})
		if i >= 0 {
			l.Steps[i].Subject.SessionIndex = append(l.Steps[i].Subject.SessionIndex, v.SessionIndex)
			continue
		}
		c, ok, err := s.Consoles.ConsoleByID(ctx, v.ConsoleID)
		if err != nil {
			return l, err
		}
		x := Step{LeavingID: l.ID, Seq: int64(len(l.Steps) + 1), HostID: v.HostID, ConsoleID: v.ConsoleID, RequestID: sso.NewMessageID(),
			Subject: sso.Subject{NameID: v.NameID, SessionIndex: []string{v.SessionIndex}}, State: StepWaiting}
		if !ok || c.SLO == "" {
			x.State = StepUnreachable
		}
		l.Steps = append(l.Steps, x)
	}
	return l, s.Store.InsertLeaving(ctx, l)
}

// Leaving finds one at a host, with a console that did not answer in time counted as failed. Fault:
// hosted.leaving_unknown.
func (s *Service) Leaving(ctx context.Context, h sso.Host, id string) (Leaving, error) {
	l, ok, err := s.Store.Leaving(ctx, id)
	if err == nil && (!ok || l.HostID != h.ID || !s.Clock.Now().Before(l.ExpiresAt)) {
		err = fault.NotFound("hosted.leaving_unknown", nil)
	}
	if err != nil {
		return l, err
	}
	now := s.Clock.Now()
	for i, x := range l.Steps {
		if x.State == StepAsked && now.Sub(x.AskedAt) >= StepLife {
			if err := s.move(ctx, x, StepFailed, StepAsked); err != nil {
				return l, err
			}
			l.Steps[i].State = StepFailed
		}
	}
	return l, nil
}

func (s *Service) move(ctx context.Context, x Step, to StepState, from ...StepState) error {
	return s.Tx.InTx(ctx, func(ctx context.Context) error {
		_, err := s.Store.MoveStep(ctx, x, to, s.Clock.Now(), from...)
		return err
	})
}

// Asked notes that a console was asked.
func (s *Service) Asked(ctx context.Context, x Step) error {
	return s.move(ctx, x, StepAsked, StepWaiting, StepAsked)
}

// Skip goes on without a console.
func (s *Service) Skip(ctx context.Context, l Leaving) error {
	if x, ok := l.Next(); ok {
		return s.move(ctx, x, StepSkipped, StepWaiting, StepAsked)
	}
	return nil
}

// Answered takes the answer of a console to the request of a step, once, and gives the leaving to go on with.
func (s *Service) Answered(ctx context.Context, requestID string, left bool) (Leaving, error) {
	x, ok, err := s.Store.StepByRequest(ctx, requestID)
	if err == nil && !ok {
		err = fault.NotFound("hosted.leaving_unknown", nil)
	}
	if err != nil {
		return Leaving{}, err
	}
	to := StepFailed
	if left {
		to = StepLeft
	}
	err = s.Tx.InTx(ctx, func(ctx context.Context) error {
		ok, err := s.Store.MoveStep(ctx, x, to, s.Clock.Now(), StepAsked, StepFailed, StepSkipped)
		if err == nil && !ok {
			err = sso.Refuse(sso.CodeSLOReplay, "bindLogout", "", requestID)
		}
		return err
	})
	if err != nil {
		return Leaving{}, err
	}
	l, _, err := s.Store.Leaving(ctx, x.LeavingID)
	return l, err
}

// Done ends a leaving; false when it had ended.
func (s *Service) Done(ctx context.Context, l Leaving) (ok bool, err error) {
	err = s.Tx.InTx(ctx, func(ctx context.Context) error {
		ok, err = s.Store.DoneLeaving(ctx, l.ID, s.Clock.Now())
		return err
	})
	return ok, err
}

// RequestByID is a logout request of ours as the checks of its answer read it. It implements sso.Lookup.
func (s *Service) RequestByID(ctx context.Context, id string) (sso.Request, bool, error) {
	x, ok, err := s.Store.StepByRequest(ctx, id)
	if err != nil || !ok {
		return sso.Request{}, false, err
	}
	l, ok, err := s.Store.Leaving(ctx, x.LeavingID)
	r := sso.Request{ID: id, IdPID: x.ConsoleID, Purpose: sso.PurposeLogout, CreatedAt: l.CreatedAt, ExpiresAt: l.ExpiresAt}
	if x.State == StepLeft || x.State == StepWaiting {
		r.ConsumedAt = l.CreatedAt // answered, or not asked yet
	}
	return r, ok, err
}
