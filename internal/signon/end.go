package signon

import (
	"context"
	"encoding/json"
	"time"

	"huoban/internal/audit"
	"huoban/internal/sso"
)

// Living tells whether a session that began with a platform's word may go on: neither side ended it, its registration
// is in force, and so is the association of its customer with the partner.
func (s *Service) Living(ctx context.Context, id string) (bool, error) {
	return s.Store.Living(ctx, id, s.Clock.Now())
}

// Session gives the entry of a session. ok is false when there is none.
func (s *Service) Session(ctx context.Context, id string) (Session, bool, error) {
	return s.Store.Session(ctx, id)
}

// SessionsOfPerson lists the person's sessions that began with a platform's word, the newest first.
func (s *Service) SessionsOfPerson(ctx context.Context, personID string) ([]Session, error) {
	return s.Store.SessionsOfPerson(ctx, personID)
}

// LinksOfCustomer lists what is bound to a customer.
func (s *Service) LinksOfCustomer(ctx context.Context, customerID string) ([]Link, error) {
	return s.Store.LinksOfCustomer(ctx, customerID)
}

// EndHere ends one session because its person left.
func (s *Service) EndHere(ctx context.Context, e Session) error {
	return s.Tx.InTx(ctx, func(ctx context.Context) error {
		_, err := s.end(ctx, e, endedHere)
		return err
	})
}

func (s *Service) end(ctx context.Context, e Session, by string) (bool, error) {
	ended, err := s.Store.EndSession(ctx, e.ID, by, s.Clock.Now())
	if err != nil || !ended {
		return false, err
	}
	return true, s.Sessions.EndByHash(ctx, e.Hash)
}

// EndSubject takes a logout message once and ends what this registration began for its subject, on whatever
// replica. Nobody learns whether there was anything. Fault: sso.slo.replay.
func (s *Service) EndSubject(ctx context.Context, peer Peer, subject Asserted, indexes []string, m Seen) (int, error) {
	n := 0
	err := s.Tx.InTx(ctx, func(ctx context.Context) error {
		n = 0
		ok, err := s.Store.Spend(ctx, []Seen{m}, s.Clock.Now())
		if err != nil {
			return err
		}
		if !ok {
			return denied("sso.slo.replay")
		}
		list, err := s.Store.SessionsOfSubject(ctx, peer.ID, subject)
		if err != nil {
			return err
		}
		for _, e := range list {
			if !named(indexes, e.Asserted.SessionIndex) {
				continue
			}
			ended, err := s.end(ctx, e, endedByPeer)
			if err != nil {
				return err
			}
			if !ended {
				continue
			}
			n++
			err = s.Audit.Record(ctx, audit.Entry{Actor: "sso", OrgID: e.CustomerID, Action: "session.end", Object: "platform:" + peer.AccountType,
				Outcome: audit.OutcomeDone, Detail: map[string]any{"by": endedByPeer, "person": e.UserID}})
			if err != nil {
				return err
			}
		}
		return nil
	})
	return n, err
}

// named: a message without indexes means every session of the subject.
func named(indexes []string, index string) bool {
	for _, i := range indexes {
		if i == index {
			return true
		}
	}
	return len(indexes) == 0
}

// Left closes what a partner had with a customer that is its own no longer, in the transaction that ends it.
func (s *Service) Left(ctx context.Context, partnerID, customerID string) error {
	now := s.Clock.Now()
	if _, err := s.Store.UnbindCustomer(ctx, partnerID, customerID, now); err != nil {
		return err
	}
	list, err := s.Store.EndOfPartner(ctx, partnerID, customerID, endedByRule, now)
	if err != nil {
		return err
	}
	for _, e := range list {
		if err := s.Sessions.EndByHash(ctx, e.Hash); err != nil {
			return err
		}
	}
	return nil
}

// AnsweredLogout consumes the request a logout answer names.
func (s *Service) AnsweredLogout(ctx context.Context, requestID string) (bool, error) {
	ok := false
	err := s.Tx.InTx(ctx, func(ctx context.Context) error {
		var err error
		ok, err = s.Store.Consume(ctx, requestID, s.Clock.Now())
		return err
	})
	return ok, err
}

// RefuseInput is what is known of a refused message. Facts are shortened by whoever gives them.
type RefuseInput struct {
	Side          string // sideSP when empty
	Route         string
	Peer          *Peer
	Code, Step    string
	Facts         map[string]string
	MessageSHA    []byte
	Issuer        string
	RequestID     string
	IP, UserAgent string
}

// Refuse keeps why, and gives the reference the customer is told. The same again within a minute counts up.
func (s *Service) Refuse(ctx context.Context, in RefuseInput) (string, error) {
	now := s.Clock.Now()
	facts, err := json.Marshal(in.Facts)
	if err != nil {
		return "", err
	}
	if in.Side == "" {
		in.Side = sideSP
	}
	r := Refusal{Ref: sso.NewReference(), Side: in.Side, Route: in.Route, Code: in.Code, Step: in.Step, Facts: string(facts), MessageSHA: in.MessageSHA,
		IssuerSeen: clip(in.Issuer, 256), RequestID: clip(in.RequestID, 128), IP: in.IP, Agent: clip(in.UserAgent, 256), At: now}
	orgID, object := "", "platform:unknown"
	if in.Peer != nil {
		r.PeerID, r.PartnerID = in.Peer.ID, in.Peer.Partner.ID
		orgID, object = r.PartnerID, "platform:"+in.Peer.AccountType
	}
	ref := r.Ref
	err = s.Tx.InTx(ctx, func(ctx context.Context) error {
		known, again, err := s.Store.RepeatRefusal(ctx, r, now.Add(-time.Minute))
		if err != nil {
			return err
		}
		if again {
			ref = known
			return nil
		}
		ref = r.Ref
		if err := s.Store.InsertRefusal(ctx, r); err != nil {
			return err
		}
		return s.Audit.Record(ctx, audit.Entry{Actor: "unknown", OrgID: orgID, Action: "sso.refuse", Object: object, Outcome: audit.OutcomeRefused,
			Detail: map[string]any{"code": r.Code, "step": r.Step, "ref": r.Ref}})
	})
	return ref, err
}

func clip(s string, most int) string {
	out := []rune{}
	for _, r := range s {
		if r == 0 || r == 0xfffd {
			continue
		}
		if len(out) == most {
			return string(out) + "…"
		}
		out = append(out, r)
	}
	return string(out)
}
