// Package audit is the append-only record of who did what (云审计).
//
// It owns the shape of an entry and its place in a chain of keyed hashes; it does not own storage.
// Invariants: an entry is written in the transaction of the change it records; each entry's hash
// covers every attested field and the hash before it, keyed by a secret outside the database.
package audit

import "context"

// Entry is one recorded act. Detail holds named values before and after; no secrets, no passwords.
type Entry struct {
	Actor     string // login, "operator" or "system"
	OnBehalf  string // the organisation acted for, by code; may be empty
	OrgID     string // the organisation that may read this entry
	Action    string // "<noun>.<verb>", e.g. "delivery.publish"
	Object    string // "<noun>:<key>"
	Outcome   string // "done" or "refused"
	Detail    map[string]any
	RequestID string
	IP        string
}

// Recorder writes an entry inside the transaction of ctx.
type Recorder interface {
	Record(ctx context.Context, e Entry) error
}
