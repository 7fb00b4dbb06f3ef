// Package signonstore keeps the requests, messages, tickets, links and sessions of sign-ins that begin at a
// partner's platform.
//
// It owns their queries; it does not own registrations and keys (ssostore). Invariants: a request is consumed
// and a message written at most once, whatever replica asks.
package signonstore

import (
	"bytes"
	"context"
	"database/sql"
	"embed"
	"encoding/json"
	"time"

	"huoban/internal/account"
	"huoban/internal/id"
	"huoban/internal/signon"
	"huoban/internal/sso"
	"huoban/internal/store"
)

//go:embed query/*.sql
var files embed.FS

var (
	q                  = store.Load(files)
	qRequestInsert     = q.Get("sso.RequestInsert")
	qRequestByID       = q.Get("sso.RequestByID")
	qRequestConsume    = q.Get("sso.RequestConsume")
	qRequestPurge      = q.Get("sso.RequestPurge")
	qSeenInsert        = q.Get("sso.SeenInsert")
	qSeenInsertTwo     = q.Get("sso.SeenInsertTwo")
	qSeenPurge         = q.Get("sso.SeenPurge")
	qTicketInsert      = q.Get("sso.TicketInsert")
	qTicketByHash      = q.Get("sso.TicketByHash")
	qTicketMove        = q.Get("sso.TicketMove")
	qTicketPurge       = q.Get("sso.TicketPurge")
	qLinkOf            = q.Get("sso.LinkOf")
	qKnown             = q.Get("sso.Known")
	qLinksOfCustomer   = q.Get("sso.LinksOfCustomer")
	qLinkInsert        = q.Get("sso.LinkInsert")
	qLinkSet           = q.Get("sso.LinkSet")
	qLinkUnbind        = q.Get("sso.LinkUnbind")
	qAccountInsert     = q.Get("sso.AccountInsert")
	qAccountOf         = q.Get("sso.AccountOf")
	qSessionInsert     = q.Get("sso.SessionInsert")
	qSessionByID       = q.Get("sso.SessionByID")
	qSessionLiving     = q.Get("sso.SessionLiving")
	qSessionAuthn      = q.Get("sso.SessionAuthn")
	qSessionsOfSubject = q.Get("sso.SessionsOfSubject")
	qSessionsOfPerson  = q.Get("sso.SessionsOfPerson")
	qSessionsOfPartner = q.Get("sso.SessionsOfPartner")
	qNamedBefore       = q.Get("sso.SessionNamedBefore")
	qSessionEnd        = q.Get("sso.SessionEnd")
	qAcceptedInsert    = q.Get("sso.AcceptedInsert")
	qRefusalAgain      = q.Get("sso.RefusalAgain")
	qRefusalRepeat     = q.Get("sso.RefusalRepeat")
	qRefusalInsert     = q.Get("sso.RefusalInsert")
	qRefusalPurge      = q.Get("sso.RefusalPurge")
)

// Store implements signon.Store.
type Store struct{ db *store.DB }

// New makes the store.
func New(db *store.DB) *Store { return &Store{db} }

func null(s string) sql.NullString { return sql.NullString{String: s, Valid: s != ""} }

// InsertRequest writes a request.
func (s *Store) InsertRequest(ctx context.Context, r sso.Request) error {
	_, err := s.db.Exec(ctx, qRequestInsert, r.ID, r.IdPID, r.RelayID, r.BrowserHash, string(r.Purpose), null(r.ReturnID), r.Path, r.Query,
		r.FirstLogin, r.ForceAuthn, null(r.UserID), store.At(r.CreatedAt), store.At(r.ExpiresAt))
	return err
}

// RequestByID reads a request.
func (s *Store) RequestByID(ctx context.Context, requestID string) (r sso.Request, ok bool, err error) {
	err = s.db.Cells(ctx, qRequestByID, []any{requestID}, func(c store.RowCells) (err error) {
		ok = true
		r = sso.Request{ID: c.Text(0), IdPID: c.Text(1), RelayID: c.Text(2), BrowserHash: bytes.Clone(c.Bytes(3)), Purpose: sso.Purpose(c.Text(4)), ReturnID: c.Text(5), Path: c.Text(6),
			Query: c.Text(7), FirstLogin: c.Int(8) != 0, ForceAuthn: c.Int(9) != 0, UserID: c.Text(10)}
		r.CreatedAt, r.ExpiresAt, r.ConsumedAt, err = times(c, 11)
		return err
	})
	return r, ok && err == nil, err
}

// times reads three instants.
func times(c store.RowCells, at int) (x, y, z time.Time, err error) {
	for i, t := range []*time.Time{&x, &y, &z} {
		if *t, err = c.Time(at + i); err != nil {
			break
		}
	}
	return x, y, z, err
}

// Consume marks a request answered; false when it was.
func (s *Store) Consume(ctx context.Context, requestID string, at time.Time) (bool, error) {
	n, err := s.db.Exec(ctx, qRequestConsume, requestID, store.At(at))
	return n == 1, err
}

// Spend writes messages; false when one of them is known.
func (s *Store) Spend(ctx context.Context, list []signon.Seen, at time.Time) (bool, error) {
	row := func(m signon.Seen) []any { return []any{m.Scope, m.Kind, m.ID, store.At(m.Until), store.At(at)} }
	if len(list) == 2 {
		n, err := s.db.Exec(ctx, qSeenInsertTwo, append(row(list[0]), row(list[1])...)...)
		return n == 2, err
	}
	for _, m := range list {
		if n, err := s.db.Exec(ctx, qSeenInsert, row(m)...); n != 1 || err != nil {
			return false, err
		}
	}
	return true, nil
}

// InsertTicket writes a ticket.
func (s *Store) InsertTicket(ctx context.Context, t signon.Ticket) error {
	body, err := json.Marshal(t.Asserted)
	if err != nil {
		return err
	}
	_, err = s.db.Exec(ctx, qTicketInsert, t.Hash, t.PeerID, t.BrowserHash, string(t.State), null(t.ReturnID), t.Path, t.Query, t.FirstLogin, string(body),
		null(t.CustomerID), null(t.PersonID), store.At(t.CreatedAt), store.At(t.ExpiresAt))
	return err
}

// Ticket reads a ticket.
func (s *Store) Ticket(ctx context.Context, hash []byte) (t signon.Ticket, ok bool, err error) {
	var body string
	err = s.db.Each(ctx, qTicketByHash, []any{hash}, func(rows *sql.Rows) error {
		var created, expires, spent store.Instant
		err := rows.Scan(&t.Hash, &t.PeerID, &t.BrowserHash, &t.State, &t.ReturnID, &t.Path, &t.Query, &t.FirstLogin, &body, &t.CustomerID, &t.PersonID,
			&created, &expires, &spent)
		t.CreatedAt, t.ExpiresAt, t.SpentAt, ok = created.Time, expires.Time, spent.Time, true
		return err
	})
	if err != nil || !ok {
		return t, false, err
	}
	return t, true, json.Unmarshal([]byte(body), &t.Asserted)
}

// MoveTicket changes a ticket from a state, once.
func (s *Store) MoveTicket(ctx context.Context, t signon.Ticket, from signon.TicketState) (bool, error) {
	n, err := s.db.Exec(ctx, qTicketMove, t.Hash, string(from), string(t.State), null(t.CustomerID), null(t.PersonID), store.At(t.SpentAt))
	return n == 1, err
}

func (s *Store) links(ctx context.Context, query store.Query, args ...any) ([]signon.Link, error) {
	var out []signon.Link
	err := s.db.Each(ctx, query, args, func(rows *sql.Rows) error {
		var l signon.Link
		var state string
		var bound store.Instant
		err := rows.Scan(&l.ID, &l.PartnerID, &l.AccountType, &l.XAccountID, &l.XUserID, &l.CustomerID, &l.UserID, &l.BoundHow, &l.LastAsserted, &state, &bound)
		l.Bound, l.BoundAt = state == "bound", bound.Time
		out = append(out, l)
		return err
	})
	return out, err
}

// LinkOf gives the newest link of a user, one in force before any other.
func (s *Store) LinkOf(ctx context.Context, partnerID, xAccountID, xUserID string) (signon.Link, bool, error) {
	list, err := s.links(ctx, qLinkOf, partnerID, xAccountID, xUserID)
	if err != nil || len(list) == 0 {
		return signon.Link{}, false, err
	}
	return list[0], true, nil
}

// Known gives the customer of an account of the platform with the newest link of the user, one in force before
// any other, and the person it leads to; false for an account that is nobody's.
func (s *Store) Known(ctx context.Context, partnerID, xAccountID, xUserID string) (k signon.Known, ok bool, err error) {
	err = s.db.Cells(ctx, qKnown, []any{partnerID, xAccountID, xUserID}, func(c store.RowCells) error {
		ok = true
		k = signon.Known{CustomerID: c.Text(0), Link: signon.Link{ID: c.Text(1), PartnerID: partnerID, XAccountID: xAccountID, XUserID: xUserID, CustomerID: c.Text(0), UserID: c.Text(5),
			BoundHow: c.Text(3), LastAsserted: c.Text(4), Bound: c.Text(2) == "bound"},
			Person: account.Person{ID: c.Text(5), OrgID: c.Text(6), Login: c.Text(7), Name: c.Text(8), State: account.PersonState(c.Text(9))}}
		return nil
	})
	return k, ok && err == nil, err
}

// LinksOfCustomer lists the links of a customer, the newest first.
func (s *Store) LinksOfCustomer(ctx context.Context, customerID string) ([]signon.Link, error) {
	return s.links(ctx, qLinksOfCustomer, customerID)
}

// CustomerOf gives the customer of an account of the platform.
func (s *Store) CustomerOf(ctx context.Context, partnerID, xAccountID string) (customerID string, ok bool, err error) {
	err = s.db.Each(ctx, qAccountOf, []any{partnerID, xAccountID}, func(rows *sql.Rows) error {
		ok = true
		return rows.Scan(&customerID)
	})
	return customerID, ok && err == nil, err
}

// InsertLink writes the link, and the account if it is new; false when the user is linked, or the account is
// another customer's.
func (s *Store) InsertLink(ctx context.Context, l signon.Link) (bool, error) {
	if _, err := s.db.Exec(ctx, qAccountInsert, l.PartnerID, l.XAccountID, l.CustomerID, store.At(l.BoundAt)); err != nil {
		return false, err
	}
	owner, _, err := s.CustomerOf(ctx, l.PartnerID, l.XAccountID)
	if err != nil || owner != l.CustomerID {
		return false, err
	}
	n, err := s.db.Exec(ctx, qLinkInsert, id.New(), l.PartnerID, l.AccountType, l.XAccountID, l.XUserID, l.CustomerID, null(l.UserID), l.BoundHow,
		l.LastAsserted, store.At(l.BoundAt))
	return n == 1, err
}

// SetLink writes person and what was asserted last.
func (s *Store) SetLink(ctx context.Context, l signon.Link, at time.Time) error {
	_, err := s.db.Exec(ctx, qLinkSet, l.ID, null(l.UserID), l.LastAsserted, store.At(at))
	return err
}

// UnbindCustomer ends the links between a partner and a customer.
func (s *Store) UnbindCustomer(ctx context.Context, partnerID, customerID string, at time.Time) (int64, error) {
	return s.db.Exec(ctx, qLinkUnbind, partnerID, customerID, store.At(at))
}

func (s *Store) any(ctx context.Context, query store.Query, args ...any) (bool, error) {
	var n int64
	err := s.db.Each(ctx, query, args, func(rows *sql.Rows) error { return rows.Scan(&n) })
	return n > 0, err
}
