package passcode

import (
	"bytes"
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/binary"
	"fmt"
	"time"

	"huoban/internal/audit"
	"huoban/internal/clock"
	"huoban/internal/fault"
	"huoban/internal/id"
	"huoban/internal/scope"
)

// Tx runs a function in one transaction; fn may be run again.
type Tx interface {
	InTx(ctx context.Context, fn func(ctx context.Context) error) error
}

// Store keeps codes and choices. The choice of an organisation stands under the person "".
type Store interface {
	Choice(ctx context.Context, orgID, personID string) (Choice, error)
	SetChoice(ctx context.Context, orgID, personID string, c Choice, at time.Time) error
	Insert(ctx context.Context, c Code) error
	// Latest is the newest code of a person for an operation; ok is false when there is none.
	Latest(ctx context.Context, orgID, personID string, op Operation) (c Code, ok bool, err error)
	// Sent counts the codes sent to a person since, in any organisation, and gives the time of the newest.
	Sent(ctx context.Context, personID string, since time.Time) (n int64, last time.Time, err error)
	// Miss counts a wrong try of a code.
	Miss(ctx context.Context, id string) error
	// Use ends a code that is not used; false when it was.
	Use(ctx context.Context, id string, now time.Time) (bool, error)
	// Purge forgets codes sent before.
	Purge(ctx context.Context, before time.Time) (int64, error)
}

// Post brings a code to a person. Address is where, masked, and false when the person cannot be reached on the channel.
type Post interface {
	Address(ctx context.Context, personID string, by Channel) (masked string, ok bool, err error)
	// Send queues the code in the running transaction; its figures are told by id when it is worded.
	Send(ctx context.Context, personID string, c Code) error
}

// Deps is what the service stands on.
type Deps struct {
	Store  Store
	Tx     Tx
	Audit  audit.Recorder
	Clock  clock.Clock
	Post   Post
	Secret []byte
	// Exempt tells of acts under a person's name that are no act of the person: commands of the operator; nil exempts none.
	Exempt func(ctx context.Context) bool
}

// Service sends codes, judges what is typed, and lets acts pass.
type Service struct{ Deps }

// New makes the service.
func New(d Deps) *Service { return &Service{d} }

func (s *Service) mac(parts ...string) []byte {
	m := hmac.New(sha256.New, s.Secret)
	for _, p := range parts {
		m.Write([]byte(p))
		m.Write([]byte{0})
	}
	return m.Sum(nil)
}

// Figures are the six of a code. They follow from its id and the installation's key, so that no table, job or log
// holds them: a letter is given them when it is worded.
func (s *Service) Figures(codeID string) string {
	n := binary.BigEndian.Uint64(s.mac("passcode", codeID))
	return fmt.Sprintf("%0*d", Digits, n%1_000_000)
}

func (s *Service) seal(codeID, figures string) []byte { return s.mac("passcode seal", codeID, figures) }

// asked tells whether the actor is a person who can be asked at all: jobs and the operator's commands are not.
func asked(sc scope.Scope) bool {
	return sc.PersonID() != "" && sc.Side() != scope.SideNobody && sc.Side() != scope.SideSystem
}

// Choices are the actor's own choice and that of the organisation.
func (s *Service) Choices(ctx context.Context, sc scope.Scope) (own, org Choice, err error) {
	if own, err = s.Store.Choice(ctx, sc.OrgID(), sc.PersonID()); err != nil {
		return own, org, err
	}
	org, err = s.Store.Choice(ctx, sc.OrgID(), "")
	return own, org, err
}

// Needed tells whether the actor is asked for a code before such an act.
func (s *Service) Needed(ctx context.Context, sc scope.Scope, op Operation) (bool, error) {
	if !asked(sc) || s.Exempt != nil && s.Exempt(ctx) {
		return false, nil
	}
	if op.Always() {
		return true, nil
	}
	own, org, err := s.Choices(ctx, sc)
	return own.On || org.On, err
}

// SetOwn changes the actor's own choice; being asked less than before wants a code. Faults: passcode.channel_unknown,
// those of Require.
func (s *Service) SetOwn(ctx context.Context, sc scope.Scope, c Choice) error {
	return s.set(ctx, sc, sc.PersonID(), c)
}

// SetOrganisation decides for everybody of the organisation. Faults: scope.permission_missing, those of Require.
func (s *Service) SetOrganisation(ctx context.Context, sc scope.Scope, on bool) error {
	if err := sc.Require(scope.ItemStaffChange); err != nil {
		return err
	}
	return s.set(ctx, sc, "", Choice{On: on, Channel: ChannelMail})
}

func (s *Service) set(ctx context.Context, sc scope.Scope, personID string, c Choice) error {
	if c.Channel != ChannelMail && c.Channel != ChannelText {
		return fault.Invalid("passcode.channel_unknown", nil)
	}
	if !asked(sc) {
		return fault.Denied("passcode.nobody", nil)
	}
	return s.Tx.InTx(ctx, func(ctx context.Context) error {
		was, err := s.Store.Choice(ctx, sc.OrgID(), personID)
		if err != nil || was == c {
			return err
		}
		if was.On {
			if err := s.Require(ctx, sc, OpChoice); err != nil {
				return err
			}
		}
		if err := s.Store.SetChoice(ctx, sc.OrgID(), personID, c, s.Clock.Now()); err != nil {
			return err
		}
		return s.Audit.Record(ctx, audit.Entry{Actor: sc.Login(), OrgID: sc.OrgID(), Action: "passcode.choose", Object: "passcode_choice:" + personID, Outcome: "done",
			Detail: map[string]any{"on": c.On, "channel": string(c.Channel), "everybody": personID == ""}})
	})
}

// Send brings the actor a code for an act of that content. Without anew it is not sent again while one is under way.
// Faults: passcode.no_channel, passcode.too_soon (seconds), passcode.limit (count, hours).
func (s *Service) Send(ctx context.Context, sc scope.Scope, op Operation, content []byte, anew bool) (out Code, err error) {
	err = s.Tx.InTx(ctx, func(ctx context.Context) error {
		now := s.Clock.Now()
		last, ok, err := s.Store.Latest(ctx, sc.OrgID(), sc.PersonID(), op)
		if err != nil {
			return err
		}
		if ok && !anew && last.Live(now) && bytes.Equal(last.Content, content) {
			out = last
			return nil
		}
		if err := s.mayBeSent(ctx, sc.PersonID(), now); err != nil {
			return err
		}
		channel, to, err := s.channel(ctx, sc)
		if err != nil {
			return err
		}
		out = Code{ID: id.New(), OrgID: sc.OrgID(), PersonID: sc.PersonID(), Operation: op, Content: content, Channel: channel, SentTo: to, SentAt: now, ExpiresAt: now.Add(Lifetime)}
		out.Seal = s.seal(out.ID, s.Figures(out.ID))
		if err := s.Store.Insert(ctx, out); err != nil {
			return err
		}
		if err := s.Post.Send(ctx, sc.PersonID(), out); err != nil {
			return err
		}
		return s.Audit.Record(ctx, audit.Entry{Actor: sc.Login(), OrgID: sc.OrgID(), Action: "passcode.send", Object: "passcode:" + out.ID, Outcome: "done",
			Detail: map[string]any{"operation": string(op), "channel": string(channel)}})
	})
	return out, err
}

func (s *Service) mayBeSent(ctx context.Context, personID string, now time.Time) error {
	day, last, err := s.Store.Sent(ctx, personID, now.Add(-24*time.Hour))
	if err != nil {
		return err
	}
	if left := wait(last, now); left > 0 {
		return fault.New(fault.KindLimited, "passcode.too_soon", fault.Args{"seconds": int((left + time.Second - 1) / time.Second)})
	}
	hour, _, err := s.Store.Sent(ctx, personID, now.Add(-time.Hour))
	if err != nil {
		return err
	}
	if hour >= MaxHour {
		return fault.New(fault.KindLimited, "passcode.limit", fault.Args{"count": MaxHour, "hours": 1})
	}
	if day >= MaxDay {
		return fault.New(fault.KindLimited, "passcode.limit", fault.Args{"count": MaxDay, "hours": 24})
	}
	return nil
}

// channel is the one the person chose, or else the other, whichever reaches. Fault: passcode.no_channel.
func (s *Service) channel(ctx context.Context, sc scope.Scope) (Channel, string, error) {
	own, err := s.Store.Choice(ctx, sc.OrgID(), sc.PersonID())
	if err != nil {
		return "", "", err
	}
	order := []Channel{ChannelMail, ChannelText}
	if own.Channel == ChannelText {
		order = []Channel{ChannelText, ChannelMail}
	}
	for _, by := range order {
		to, ok, err := s.Post.Address(ctx, sc.PersonID(), by)
		if err != nil || ok {
			return by, to, err
		}
	}
	return "", "", fault.Conflict("passcode.no_channel", nil)
}

// Proof is that the right figures were typed for one act; only Try makes one.
type Proof struct {
	codeID, orgID, personID string
	op                      Operation
}

type proofKey struct{}

// With carries a proof to the act it is for.
func With(ctx context.Context, p Proof) context.Context { return context.WithValue(ctx, proofKey{}, p) }

// Try judges the figures typed. A code that was used passes here, so that a request sent twice finds its answer; the
// act itself refuses it. Faults: passcode.missing, .other, .expired, .exhausted, .wrong (left).
func (s *Service) Try(ctx context.Context, sc scope.Scope, op Operation, content []byte, typed string) (Proof, error) {
	var proof Proof
	var refused *fault.Error
	err := s.Tx.InTx(ctx, func(ctx context.Context) error {
		proof, refused = Proof{}, nil
		now := s.Clock.Now()
		c, ok, err := s.Store.Latest(ctx, sc.OrgID(), sc.PersonID(), op)
		if err != nil {
			return err
		}
		switch {
		case !ok:
			refused = fault.Invalid("passcode.missing", nil)
		case !bytes.Equal(c.Content, content):
			refused = fault.Invalid("passcode.other", nil)
		default:
			refused = c.refusal(now)
		}
		if refused != nil {
			return nil
		}
		if hmac.Equal(c.Seal, s.seal(c.ID, typed)) {
			proof = Proof{c.ID, c.OrgID, c.PersonID, op}
			return nil
		}
		refused = fault.Invalid("passcode.wrong", fault.Args{"left": MaxWrong - c.Wrong - 1})
		if err := s.Store.Miss(ctx, c.ID); err != nil {
			return err
		}
		return s.Audit.Record(ctx, audit.Entry{Actor: sc.Login(), OrgID: sc.OrgID(), Action: "passcode.try", Object: "passcode:" + c.ID, Outcome: "refused",
			Detail: map[string]any{"operation": string(op), "wrong": c.Wrong + 1}})
	})
	if err == nil && refused != nil {
		err = refused
	}
	return proof, err
}

// Require lets a sensitive act pass inside its transaction: of who need not be asked, or whose right figures are carried
// by ctx; those are used up with the act. Services call it last, when nothing else refuses. Faults: passcode.needed,
// passcode.used.
func (s *Service) Require(ctx context.Context, sc scope.Scope, op Operation) error {
	need, err := s.Needed(ctx, sc, op)
	if err != nil || !need {
		return err
	}
	p, ok := ctx.Value(proofKey{}).(Proof)
	if !ok || p.op != op || p.orgID != sc.OrgID() || p.personID != sc.PersonID() {
		return fault.Denied("passcode.needed", fault.Args{"operation": op.Label()})
	}
	return s.Tx.InTx(ctx, func(ctx context.Context) error {
		won, err := s.Store.Use(ctx, p.codeID, s.Clock.Now())
		if err == nil && !won {
			err = fault.Conflict("passcode.used", nil)
		}
		return err
	})
}

// Guard is Require for one operation, for services that know of no operations.
func (s *Service) Guard(op Operation) func(ctx context.Context, sc scope.Scope) error {
	return func(ctx context.Context, sc scope.Scope) error { return s.Require(ctx, sc, op) }
}

// Purge forgets codes that no limit counts any more.
func (s *Service) Purge(ctx context.Context) (n int64, err error) {
	err = s.Tx.InTx(ctx, func(ctx context.Context) (err error) {
		n, err = s.Store.Purge(ctx, s.Clock.Now().Add(-25*time.Hour))
		return err
	})
	return n, err
}
