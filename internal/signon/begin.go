package signon

import (
	"context"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base32"
	"encoding/hex"
	"strings"
	"time"
)

// How long things live.
const (
	RequestLife = 10 * time.Minute // between leaving for the platform and coming back
	BrowserLife = 15 * time.Minute // of the mark in the browser
	ticketLife  = 15 * time.Minute
	maxSession  = 8 * time.Hour
	Idle        = 30 * time.Minute // of a session that began with a platform's word
	keepExpired = 24 * time.Hour
	keepRefused = 180 * 24 * time.Hour
)

var lower32 = base32.NewEncoding("abcdefghijklmnopqrstuvwxyz234567").WithPadding(base32.NoPadding)

// random gives n random bytes.
func random(n int) []byte {
	b := make([]byte, n)
	_, _ = rand.Read(b) // never fails
	return b
}

// TicketHash is how the database knows a ticket.
func TicketHash(ticket string) []byte {
	sum := sha256.Sum256([]byte("sso.ticket\x00" + ticket))
	return sum[:]
}

func newTicket() (ticket string, hash []byte) {
	ticket = lower32.EncodeToString(random(16))
	return ticket, TicketHash(ticket)
}

// NewRef is the reference of a refusal, short enough to be read over the telephone.
func NewRef() string { return strings.ToUpper(lower32.EncodeToString(random(7)))[:10] }

// Destination is a page a sign-in leads to: of the portal, or below an approved return address.
type Destination struct{ ReturnID, Path, Query string }

// BeginInput begins a request.
type BeginInput struct {
	Peer       Peer
	Browser    []byte // hash of the browser's secret
	Purpose    Purpose
	To         Destination
	FirstLogin bool
	ForceAuthn bool
	UserID     string
}

// Begin keeps a request; the ids are random, and the one the platform returns tells nothing of the other.
func (s *Service) Begin(ctx context.Context, in BeginInput) (Request, error) {
	now := s.Clock.Now()
	r := Request{ID: "_" + hex.EncodeToString(random(16)), PeerID: in.Peer.ID, RelayID: lower32.EncodeToString(random(16)), BrowserHash: in.Browser,
		Purpose: in.Purpose, ReturnID: in.To.ReturnID, Path: in.To.Path, Query: in.To.Query, FirstLogin: in.FirstLogin, ForceAuthn: in.ForceAuthn,
		UserID: in.UserID, CreatedAt: now, ExpiresAt: now.Add(RequestLife)}
	return r, s.Tx.InTx(ctx, func(ctx context.Context) error { return s.Store.InsertRequest(ctx, r) })
}

// Request reads a request by id.
func (s *Service) Request(ctx context.Context, id string) (Request, bool, error) {
	return s.Store.Request(ctx, id)
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
