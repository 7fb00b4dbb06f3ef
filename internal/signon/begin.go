package signon

import (
	"context"
	"crypto/sha256"
	"time"

	"huoban/internal/sso"
)

// How long things live.
const (
	BrowserLife = 15 * time.Minute // of the mark in the browser
	ticketLife  = 15 * time.Minute
	maxSession  = 8 * time.Hour
	Idle        = 30 * time.Minute // of a session that began with a platform's word
	keepExpired = 24 * time.Hour
	keepRefused = 180 * 24 * time.Hour
)

// TicketHash is how the database knows a ticket.
func TicketHash(ticket string) []byte {
	sum := sha256.Sum256([]byte("sso.ticket\x00" + ticket))
	return sum[:]
}

func newTicket() (ticket string, hash []byte) {
	ticket = sso.NewToken()
	return ticket, TicketHash(ticket)
}

// Destination is a page a sign-in leads to: of the portal, or below an approved return address.
type Destination struct{ ReturnID, Path, Query string }

// BeginInput begins a request.
type BeginInput struct {
	Peer       Peer
	Browser    []byte // hash of the browser's secret
	Purpose    sso.Purpose
	To         Destination
	FirstLogin bool
	ForceAuthn bool
	UserID     string
}

// Begin keeps a request; the ids are random, and the one the platform returns tells nothing of the other.
func (s *Service) Begin(ctx context.Context, in BeginInput) (sso.Request, error) {
	now := s.Clock.Now()
	r := sso.Request{ID: sso.NewMessageID(), IdPID: in.Peer.ID, RelayID: sso.NewToken(), BrowserHash: in.Browser,
		Purpose: in.Purpose, ReturnID: in.To.ReturnID, Path: in.To.Path, Query: in.To.Query, FirstLogin: in.FirstLogin, ForceAuthn: in.ForceAuthn,
		UserID: in.UserID, CreatedAt: now, ExpiresAt: now.Add(sso.RequestLife)}
	return r, s.Tx.InTx(ctx, func(ctx context.Context) error { return s.Store.InsertRequest(ctx, r) })
}

// RequestByID reads a request; it implements sso.Lookup.
func (s *Service) RequestByID(ctx context.Context, id string) (sso.Request, bool, error) {
	return s.Store.RequestByID(ctx, id)
}

// Purge removes what has expired; an hourly job calls it.
func (s *Service) Purge(ctx context.Context) (n int64, err error) {
	now := s.Clock.Now()
	err = s.Tx.InTx(ctx, func(ctx context.Context) error {
		n, err = s.Store.Purge(ctx, now.Add(-keepExpired), now.Add(-keepRefused))
		return err
	})
	return n, err
}
