package message

import (
	"context"
	"crypto/sha256"
	"encoding/json"
	"fmt"
	"slices"
	"time"

	"huoban/internal/clock"
	"huoban/internal/fault"
	"huoban/internal/id"
	"huoban/internal/scope"
)

// RepeatWindow is how long the same notice to the same person is told once.
const RepeatWindow = 30 * time.Second

// The sizes of a page.
const (
	DefaultPage = 10
	MaxPage     = 100
)

// InTx is the transactor.
type InTx interface {
	InTx(ctx context.Context, fn func(ctx context.Context) error) error
}

// Box is the service: it notifies, lists and marks.
type Box struct {
	tx    InTx
	store Store
	clock clock.Clock

	Carrier Carrier // nil: the bell alone
}

// New makes the service.
func New(tx InTx, store Store, c clock.Clock) *Box { return &Box{tx: tx, store: store, clock: c} }

// Notify writes notices inside the running transaction, and hands them to the carrier for the channels the person wants
// them on; a repeat within RepeatWindow is dropped, and so is what the person switched off.
// Fault: message.notice_invalid for a notice without person, known category or code.
func (b *Box) Notify(ctx context.Context, notices ...Notice) error {
	now := b.clock.Now()
	for _, n := range notices {
		if n.PersonID == "" || n.Code == "" || !known(n.Category) {
			return fault.Invalid("message.notice_invalid", fault.Args{"code": n.Code})
		}
		if err := b.tell(ctx, n, now); err != nil {
			return err
		}
	}
	return nil
}

func (b *Box) tell(ctx context.Context, n Notice, now time.Time) error {
	bell := Way{n.Category, ChannelBell}
	var want Settings
	var err error
	if b.Carrier != nil || !Mandatory(bell) {
		if want.Off, err = b.store.Off(ctx, n.OrgID, n.PersonID); err != nil {
			return err
		}
	}
	digest, err := digestOf(n)
	if err != nil {
		return err
	}
	if want.On(bell) {
		repeated, err := b.store.Repeated(ctx, n.OrgID, n.PersonID, digest, now.Add(-RepeatWindow))
		if err != nil || repeated {
			return err
		}
		if err := b.store.Insert(ctx, Message{ID: id.New(), Notice: n, At: now}, digest); err != nil {
			return err
		}
	}
	if b.Carrier == nil {
		return nil
	}
	if want.Texts, err = b.store.Texts(ctx, n.OrgID, n.PersonID); err != nil {
		return err
	}
	key := fmt.Sprintf("%s/%x/%d", n.PersonID, digest[:12], now.Unix()/int64(RepeatWindow/time.Second)) // where the bell is off nothing else knows a repeat
	for _, by := range []Channel{ChannelMail, ChannelText} {
		if !want.On(Way{n.Category, by}) {
			continue
		}
		if err := b.Carrier.Carry(ctx, by, n, key); err != nil {
			return err
		}
	}
	return nil
}

func known(c Category) bool {
	for _, k := range Categories {
		if k == c {
			return true
		}
	}
	return false
}

func digestOf(n Notice) ([]byte, error) {
	body, err := json.Marshal([]any{n.Category, n.Code, n.Args, n.Link})
	if err != nil {
		return nil, err
	}
	sum := sha256.Sum256(body)
	return sum[:], nil
}

// List gives the actor's own messages, newest first, after the cursor.
func (b *Box) List(ctx context.Context, sc scope.Scope, f Filter, after Cursor, size int) (Page, error) {
	return page(sc, size, func(size int) ([]Message, error) { return b.store.List(ctx, sc.OrgID(), sc.PersonID(), f, after, size) })
}

// Newer gives the actor's messages that stand before the cursor in the list, newest first; Next tells that
// there are more.
func (b *Box) Newer(ctx context.Context, sc scope.Scope, f Filter, from Cursor, size int) (Page, error) {
	p, err := page(sc, size, func(size int) ([]Message, error) {
		return b.store.Newer(ctx, sc.OrgID(), sc.PersonID(), f, from, size)
	})
	slices.Reverse(p.Messages)
	return p, err
}

// Count counts the actor's messages that match.
func (b *Box) Count(ctx context.Context, sc scope.Scope, f Filter) (int64, error) {
	if !owner(sc) {
		return 0, nil
	}
	return b.store.Count(ctx, sc.OrgID(), sc.PersonID(), f)
}

func page(sc scope.Scope, size int, read func(size int) ([]Message, error)) (Page, error) {
	var p Page
	if !owner(sc) {
		return p, nil
	}
	if size < 1 {
		size = DefaultPage
	}
	size = min(size, MaxPage)
	list, err := read(size + 1)
	if err != nil {
		return p, err
	}
	if len(list) > size {
		list = list[:size]
		p.Next = &Cursor{At: list[size-1].At, ID: list[size-1].ID}
	}
	p.Messages = list
	return p, nil
}

// Unread counts what the actor has not read.
func (b *Box) Unread(ctx context.Context, sc scope.Scope) (int64, error) {
	if !owner(sc) {
		return 0, nil
	}
	return b.store.Unread(ctx, sc.OrgID(), sc.PersonID())
}

// MarkRead marks one message of the actor; marking twice keeps the first time. Fault:
// message.unknown for an absent one and one of somebody else alike.
func (b *Box) MarkRead(ctx context.Context, sc scope.Scope, id string) error {
	missing := fault.NotFound("message.unknown", nil)
	if !owner(sc) {
		return missing
	}
	return b.tx.InTx(ctx, func(ctx context.Context) error {
		found, err := b.store.MarkRead(ctx, sc.OrgID(), sc.PersonID(), id, b.clock.Now())
		if err == nil && !found {
			return missing
		}
		return err
	})
}

// MarkAllRead marks everything the actor has and tells how many were unread.
func (b *Box) MarkAllRead(ctx context.Context, sc scope.Scope) (n int64, err error) {
	if !owner(sc) {
		return 0, nil
	}
	err = b.tx.InTx(ctx, func(ctx context.Context) (err error) {
		n, err = b.store.MarkAllRead(ctx, sc.OrgID(), sc.PersonID(), b.clock.Now())
		return err
	})
	return n, err
}

// owner tells whether the scope is a person's: the system has no bell.
func owner(sc scope.Scope) bool { return sc.PersonID() != "" && sc.Side() != scope.SideNobody }
