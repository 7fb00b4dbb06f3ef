// Package message is the bell: notifications to persons (消息).
//
// It owns the notification, its 30-second dedupe, unread count and read mark, and who wants what on which channel; it does
// not own storage, wording, or how a letter or a text message travels (Carrier). Invariants: a notification belongs
// to one person in one organisation and is seen by nobody else; it is written in the transaction of
// what it tells of.
//
// Spec: docs/architecture.md
package message

import (
	"context"
	"time"

	"huoban/internal/fault"
)

// Category is what a notification is about.
type Category string

// The categories.
const (
	CategoryBill      Category = "bill"      // 账务
	CategoryCustomer  Category = "customer"  // 客户
	CategoryOrder     Category = "order"     // 订单
	CategoryIncentive Category = "incentive" // 激励
	CategorySystem    Category = "system"    // 系统
)

// Categories in the order of the list's filter.
var Categories = []Category{CategoryBill, CategoryCustomer, CategoryOrder, CategoryIncentive, CategorySystem}

// Label is the key of the category's name.
func (c Category) Label() string { return "message.category." + string(c) }

// Notice is what is told.
type Notice struct {
	OrgID    string
	PersonID string
	Category Category
	Code     string // e.g. "bill.issued"
	Args     fault.Args
	Link     string // path within the portal; may be empty
}

// Text is the key of the notice's sentence; Args are its arguments.
func (n Notice) Text() string { return "message.notice." + n.Code }

// Message is a kept notice.
type Message struct {
	ID     string
	Notice Notice
	At     time.Time
	ReadAt time.Time // zero = unread
}

// Notifier tells persons something inside the running transaction.
type Notifier interface {
	Notify(ctx context.Context, notices ...Notice) error
}

// Carrier takes a notice to a person outside the portal, inside the running transaction; the same key goes once.
type Carrier interface {
	Carry(ctx context.Context, by Channel, n Notice, key string) error
}

// Filter narrows the list.
type Filter struct {
	Category Category // empty = all
	Unread   bool
	Text     string   // in what the notice names, whatever its case
	Codes    []string // or notices of these codes, whose sentence has the text
	Until    Cursor   // the newest looked at; the zero value is the newest there is
}

// Cursor is the last message seen; the zero value is the start.
type Cursor struct {
	At time.Time
	ID string
}

// Page is one part of the list, newest first.
type Page struct {
	Messages []Message
	Next     *Cursor // nil at the end
}

// Store keeps messages; internal/store/messagestore implements it.
type Store interface {
	Insert(ctx context.Context, m Message, digest []byte) error
	// Repeated tells whether the person got the same digest after since.
	Repeated(ctx context.Context, orgID, personID string, digest []byte, since time.Time) (bool, error)
	List(ctx context.Context, orgID, personID string, f Filter, after Cursor, limit int) ([]Message, error)
	// Newer reads messages after the cursor, oldest first.
	Newer(ctx context.Context, orgID, personID string, f Filter, from Cursor, limit int) ([]Message, error)
	Count(ctx context.Context, orgID, personID string, f Filter) (int64, error)
	Unread(ctx context.Context, orgID, personID string) (int64, error)
	MarkRead(ctx context.Context, orgID, personID, id string, at time.Time) (bool, error)
	MarkAllRead(ctx context.Context, orgID, personID string, at time.Time) (int64, error)

	Off(ctx context.Context, orgID, personID string) ([]Way, error)
	SetOff(ctx context.Context, orgID, personID string, off []Way) error
	Texts(ctx context.Context, orgID, personID string) ([]Category, error)
	SetTexts(ctx context.Context, orgID, personID string, texts []Category) error
	Language(ctx context.Context, personID string) (string, error)
	SetLanguage(ctx context.Context, personID, language string) error
	// Zone is that in whose working hours a person's letters go out, "" where none was chosen.
	Zone(ctx context.Context, personID string) (string, error)
	SetZone(ctx context.Context, personID, zone string) error
}
