package signon

import (
	"context"

	"huoban/internal/audit"
	"huoban/internal/sso"
)

// BeginConfirm asks the platform of a session to let its person sign in anew; to is the page it comes back to. The
// request names the session, so that no other is confirmed by the answer.
func (s *Service) BeginConfirm(ctx context.Context, peer Peer, e Session, browser []byte, to string) (sso.Request, error) {
	return s.Begin(ctx, BeginInput{Peer: peer, Browser: browser, Purpose: sso.PurposeStepUp, To: Destination{Path: to, Query: e.ID}, ForceAuthn: true, UserID: e.UserID})
}

// ConfirmInput is an answer to such a request whose every check has passed.
type ConfirmInput struct {
	Peer     Peer
	Request  sso.Request
	Asserted Asserted
	Messages []Seen
}

// Confirm spends request and messages and notes with the session when its person signed in anew; it opens none. The
// answer must speak of the person who is signed in. Faults: sso.req.used, sso.replay.assertion, sso.step_up.other.
func (s *Service) Confirm(ctx context.Context, in ConfirmInput) error {
	return s.Tx.InTx(ctx, func(ctx context.Context) error {
		now := s.Clock.Now()
		if err := s.spend(ctx, AcceptInput{Request: &in.Request, Messages: in.Messages}, now); err != nil {
			return err
		}
		e, ok, err := s.Store.Session(ctx, in.Request.Query)
		if err != nil {
			return err
		}
		a := in.Asserted
		if !ok || !e.EndedAt.IsZero() || e.PeerID != in.Peer.ID || e.UserID != in.Request.UserID || e.Asserted.XAccountID != a.XAccountID || e.Asserted.XUserID != a.XUserID {
			return denied("sso.step_up.other")
		}
		if err := s.Store.SetAuthn(ctx, e.ID, a); err != nil {
			return err
		}
		return s.Audit.Record(ctx, audit.Entry{Actor: "sso", OrgID: e.CustomerID, Action: "person.confirm", Object: "platform:" + in.Peer.AccountType,
			Detail: map[string]any{"how": "saml", "person": e.UserID, "assertion": a.AssertionID}})
	})
}
