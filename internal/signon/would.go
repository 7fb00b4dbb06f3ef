package signon

import (
	"context"

	"huoban/internal/fault"
)

// Would says what a sign-in with these values would come to, and does nothing of it: enter, member (a new user of a
// known account), unlinked, or what the registration lets an unknown account do (create, bind_only, off).
func (s *Service) Would(ctx context.Context, peer Peer, a Asserted) (string, error) {
	customerID, known, err := s.Store.CustomerOf(ctx, peer.Partner.ID, a.XAccountID)
	if err != nil {
		return "", err
	}
	if !known {
		return string(peer.FirstEntry), nil
	}
	if err := s.associated(ctx, peer.Partner.ID, customerID, s.Clock.Now()); err != nil {
		if fault.HasCode(err, "sso.acct.unlinked") {
			return "unlinked", nil
		}
		return "", err
	}
	l, found, err := s.Store.LinkOf(ctx, peer.Partner.ID, a.XAccountID, a.XUserID)
	if err == nil && found && l.Bound {
		return "enter", nil
	}
	return "member", err
}

// AnsweredTest consumes the request of a test; false when it was answered before.
func (s *Service) AnsweredTest(ctx context.Context, requestID string) (bool, error) {
	return s.AnsweredLogout(ctx, requestID)
}
