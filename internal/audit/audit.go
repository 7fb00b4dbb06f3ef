// Package audit is the append-only record of who did what (云审计).
//
// It owns the shape of an entry, the chain of keyed hashes, its verification and the daily head; it
// does not own storage. Invariants: an entry is written in the transaction of the change it records;
// each entry's hash covers every attested field and the hash before it, keyed by a secret outside the
// database; entries are never changed or removed, which triggers in the database enforce.
//
// Spec: docs/audit.md
package audit

import (
	"context"
	"slices"
	"time"
)

// The outcomes of an act.
const (
	OutcomeDone    = "done"
	OutcomeRefused = "refused"
)

// Entry is one recorded act. Detail holds named values before and after; no secrets, no passwords.
type Entry struct {
	Actor     string // login, "operator" or "system"
	OnBehalf  string // the organisation acted for, by code; may be empty
	OrgID     string // the organisation that may read this entry
	Action    string // "<noun>.<verb>", e.g. "delivery.publish"
	Object    string // "<noun>:<key>"
	Outcome   string // OutcomeDone (also when empty) or OutcomeRefused
	Detail    map[string]any
	RequestID string // taken from ctx when empty
	IP        string // taken from ctx when empty
}

// Recorder writes an entry inside the transaction of ctx.
type Recorder interface {
	Record(ctx context.Context, e Entry) error
}

// RecordFor writes one entry for each organisation that may read it; an id that is empty or stands there twice counts no
// further time.
func RecordFor(ctx context.Context, to Recorder, e Entry, orgIDs ...string) error {
	for i, orgID := range orgIDs {
		if orgID == "" || slices.Contains(orgIDs[:i], orgID) {
			continue
		}
		e.OrgID = orgID
		if err := to.Record(ctx, e); err != nil {
			return err
		}
	}
	return nil
}

// Request is what an edge knows about the request that acts.
type Request struct {
	ID         string
	IP         string
	OnBehalf   string // code of the organisation acted for
	SystemUser string // the operating system's user behind the actor "operator"
}

type requestKey struct{}

// WithRequest puts the request's data into ctx; Record and the transition log take it from there.
func WithRequest(ctx context.Context, r Request) context.Context {
	return context.WithValue(ctx, requestKey{}, r)
}

// RequestFrom gives the request's data, empty when there is none.
func RequestFrom(ctx context.Context) Request {
	r, _ := ctx.Value(requestKey{}).(Request)
	return r
}

// Row is an entry as it stands in the chain.
type Row struct {
	Seq       int64
	At        time.Time
	Actor     string
	OnBehalf  string
	OrgID     string
	Action    string
	Object    string
	Outcome   string
	Detail    string // canonical JSON, kept as the text that was hashed
	RequestID string
	IP        string
	Prev      []byte // hash of the row before; empty for the first
	Hash      []byte
}

// Head is the end of the chain.
type Head struct {
	Seq   int64
	Hash  []byte
	KeyID string // which key the chain was begun with; empty before the first row
}

// Store keeps the chain; internal/store/auditstore implements it.
type Store interface {
	// Head reads the end of the chain.
	Head(ctx context.Context) (Head, error)
	// Append moves the head from prev to the row and writes the row. ok is false, and nothing written, when
	// the head is another one than prev in any field.
	Append(ctx context.Context, prev Head, row Row, keyID string) (ok bool, err error)
	// After reads up to limit rows with a greater seq, in order.
	After(ctx context.Context, seq int64, limit int) ([]Row, error)
	// Before reads up to limit rows that match, newest first, with a smaller seq than before (0 = from
	// the newest). orgID narrows to one organisation unless all is true.
	Before(ctx context.Context, orgID string, all bool, f Filter, before int64, limit int) ([]Row, error)
	// Newer reads up to limit rows that match, oldest first, with a greater seq.
	Newer(ctx context.Context, orgID string, all bool, f Filter, seq int64, limit int) ([]Row, error)
	// Span counts what matches and tells the newest of it.
	Span(ctx context.Context, orgID string, all bool, f Filter) (Span, error)
}

// Span is how many entries match, and the newest of them; 0 without any.
type Span struct{ Count, Newest int64 }

// Filter narrows a list of rows; empty fields match everything.
type Filter struct {
	Actor    string
	Action   string // exact, or a noun ("delivery") for all its verbs
	Object   string
	Outcome  string
	Request  string    // the number of the request it was done by
	From, To time.Time // [From, To)
	Until    int64     // the last entry looked at; 0 = the newest
}
