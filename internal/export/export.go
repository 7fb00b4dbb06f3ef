// Package export is the task of making a file (导出任务) that its owner downloads later.
//
// It owns the task, its machine and expiry, and the pieces of the file; it does not own storage nor
// what a kind of export writes: each noun registers a Producer. Invariants: a task is seen by the
// person who asked for it and by who may see all exports of that organisation; the file is made under
// the scope its owner has when it is made, not when it was asked for; a file is downloaded only while
// its task is done.
//
// Spec: docs/flows/export.md
package export

import (
	"context"
	"encoding/json"
	"io"
	"time"

	"huoban/internal/scope"
)

// Task is one asked-for file.
type Task struct {
	ID          string
	OrgID       string
	PersonID    string
	Login       string
	Kind        string // names the Producer, e.g. "bill.lines"
	Format      string // csv, xlsx, pdf, json
	Params      json.RawMessage
	FileName    string
	ContentType string
	State       State
	Version     int64
	RequestedAt time.Time
	DoneAt      time.Time
	ExpiresAt   time.Time
	Bytes       int64
	Rows        int64
	SHA         string // hex SHA-256 of the file
	Failure     string // fault code
	Code        string // 校验码, which its page and its other formats share; "" until it is done
}

// Produced is what a producer tells of the file it wrote.
type Produced struct {
	FileName    string
	ContentType string
	Rows        int64
	Code        string
	Customers   []string // codes of those the file holds something of
}

// Producer writes the file of one kind. It reads under sc and may be run again.
type Producer func(ctx context.Context, sc scope.Scope, t Task, w io.Writer) (Produced, error)

// ScopeFinder gives the scope a person has now in an organisation; a person that lost it is a fault.
type ScopeFinder interface {
	ScopeOf(ctx context.Context, orgID, personID string) (scope.Scope, error)
}

// Cursor is the last task seen; the zero value is the start.
type Cursor struct {
	At time.Time
	ID string
}

// Page is one part of the list, newest first.
type Page struct {
	Tasks []Task
	Next  *Cursor
}

// Store keeps tasks and pieces of files; internal/store/exportstore implements it.
type Store interface {
	Insert(ctx context.Context, t Task) error
	ByID(ctx context.Context, id string) (Task, error)
	// Update writes state, file and failure fields if state and version still are as given.
	Update(ctx context.Context, t Task, wasState State, wasVersion int64) (bool, error)
	// List reads tasks before the cursor; an empty personID is the whole organisation, an empty orgID
	// every organisation.
	List(ctx context.Context, orgID, personID string, after Cursor, limit int) ([]Task, error)
	// ByCode reads the newest tasks of that short code, of a person or, without one, of the organisation.
	ByCode(ctx context.Context, orgID, personID, code string, limit int) ([]Task, error)
	PutPiece(ctx context.Context, taskID string, no int64, body []byte) error
	Piece(ctx context.Context, taskID string, no int64) (body []byte, err error)
	DropPieces(ctx context.Context, taskID string) error
}
