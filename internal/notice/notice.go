// Package notice is the site bar (站点通知): a line over every page for everybody, or for one vendor and
// those who deal with it.
//
// It owns the notice, its validity and who took it off his own pages; it does not own lines the portal
// derives itself, such as an overdue close, which go away by being cured. Invariants: a notice has its
// text in both languages; it is shown from starts_at until ends_at, until it is cleared, or until the
// person dismisses it; a person can dismiss only what is shown to him.
package notice

import (
	"context"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"huoban/internal/audit"
	"huoban/internal/clock"
	"huoban/internal/fault"
	"huoban/internal/id"
	"huoban/internal/scope"
)

// Level is how loud a notice is.
type Level string

// The levels.
const (
	LevelInfo    Level = "info"
	LevelWarning Level = "warning"
)

// Levels lists them, the quiet one first.
var Levels = []Level{LevelInfo, LevelWarning}

// Limits.
const (
	MaxText  = 300 // characters of one language: a line, not an article
	MaxShown = 3   // bars over one page

	maxLive = 1000 // more than are ever up at once
)

// Notice is one line. VendorID empty = everybody; EndsAt zero = until cleared.
type Notice struct {
	ID        string
	VendorID  string
	Level     Level
	TextZH    string
	TextEN    string
	StartsAt  time.Time
	EndsAt    time.Time
	CreatedBy string
	CreatedAt time.Time
	ClearedAt time.Time
}

// State is where a notice stands at now.
func (n Notice) State(now time.Time) string {
	switch {
	case !n.ClearedAt.IsZero():
		return "cleared"
	case now.Before(n.StartsAt):
		return "ahead"
	case !n.EndsAt.IsZero() && !now.Before(n.EndsAt):
		return "over"
	}
	return "shown"
}

// Store keeps notices.
type Store interface {
	Insert(ctx context.Context, n Notice) error
	// Clear ends a notice; false when there is none that could be cleared.
	Clear(ctx context.Context, noticeID string, at time.Time) (bool, error)
	ByID(ctx context.Context, noticeID string) (Notice, bool, error)
	List(ctx context.Context) ([]Notice, error)
	// Shown are the notices for the organisation that stand at some time between the two and that the person
	// did not dismiss, the newest first; no person has dismissed none.
	Shown(ctx context.Context, orgID, personID string, from, to time.Time, limit int) ([]Notice, error)
	// Dismiss notes that the person took it off; false when he had already.
	Dismiss(ctx context.Context, noticeID, personID string, at time.Time) (bool, error)
}

// Tx runs a function in one transaction; fn may be run again.
type Tx interface {
	InTx(ctx context.Context, fn func(ctx context.Context) error) error
}

// Board is the service.
type Board struct {
	tx    Tx
	store Store
	audit audit.Recorder
	clock clock.Clock
}

// New makes the service.
func New(tx Tx, store Store, a audit.Recorder, c clock.Clock) *Board { return &Board{tx, store, a, c} }

// In is a notice to set. StartsAt zero = now.
type In struct {
	VendorID string
	Level    Level
	TextZH   string
	TextEN   string
	StartsAt time.Time
	EndsAt   time.Time
}

// check refuses what could not be shown.
func (in *In) check(now time.Time) error {
	in.TextZH, in.TextEN = strings.TrimSpace(in.TextZH), strings.TrimSpace(in.TextEN)
	for _, text := range []string{in.TextZH, in.TextEN} {
		bad := text == "" || utf8.RuneCountInString(text) > MaxText || !utf8.ValidString(text)
		for _, r := range text {
			bad = bad || unicode.IsControl(r)
		}
		if bad {
			return fault.Invalid("notice.text_malformed", fault.Args{"limit": MaxText})
		}
	}
	if in.Level != LevelInfo && in.Level != LevelWarning {
		return fault.Invalid("notice.level_unknown", fault.Args{"level": string(in.Level)})
	}
	if in.StartsAt.IsZero() {
		in.StartsAt = now
	}
	if !in.EndsAt.IsZero() && (!in.EndsAt.After(in.StartsAt) || !in.EndsAt.After(now)) {
		return fault.Invalid("notice.ends_before_start", nil)
	}
	return nil
}

// operator: notices are set by whoever runs the portal for its vendors.
func operator(sc scope.Scope) error {
	if sc.Side() != scope.SideSystem {
		return fault.Denied("notice.operator_only", nil)
	}
	return nil
}

// Set puts a notice up. Saying again what is up already changes nothing and gives the one there is.
// Faults: notice.operator_only, .text_malformed, .level_unknown, .ends_before_start.
func (b *Board) Set(ctx context.Context, sc scope.Scope, in In) (n Notice, added bool, err error) {
	if err := operator(sc); err != nil {
		return Notice{}, false, err
	}
	now := b.clock.Now()
	starts := in.StartsAt
	if err := in.check(now); err != nil {
		return Notice{}, false, err
	}
	err = b.tx.InTx(ctx, func(ctx context.Context) error {
		all, err := b.store.List(ctx)
		if err != nil {
			return err
		}
		for _, old := range all {
			if old.ClearedAt.IsZero() && old.State(now) != "over" && old.VendorID == in.VendorID && old.Level == in.Level && old.TextZH == in.TextZH &&
				old.TextEN == in.TextEN && old.EndsAt.Equal(in.EndsAt) && (starts.IsZero() || old.StartsAt.Equal(starts)) {
				n, added = old, false
				return nil
			}
		}
		n, added = Notice{ID: id.New(), VendorID: in.VendorID, Level: in.Level, TextZH: in.TextZH, TextEN: in.TextEN, StartsAt: in.StartsAt, EndsAt: in.EndsAt,
			CreatedBy: sc.Login(), CreatedAt: now}, true
		if err := b.store.Insert(ctx, n); err != nil {
			return err
		}
		return b.audit.Record(ctx, audit.Entry{Actor: sc.Login(), OrgID: n.VendorID, Action: "notice.set", Object: "notice:" + n.ID,
			Detail: map[string]any{"level": string(n.Level), "zh": n.TextZH, "en": n.TextEN}})
	})
	return n, added, err
}

// Clear takes a notice down for everybody; clearing it again changes nothing.
// Faults: notice.operator_only, .unknown.
func (b *Board) Clear(ctx context.Context, sc scope.Scope, noticeID string) error {
	if err := operator(sc); err != nil {
		return err
	}
	return b.tx.InTx(ctx, func(ctx context.Context) error {
		n, found, err := b.store.ByID(ctx, noticeID)
		if err != nil {
			return err
		}
		if !found {
			return fault.NotFound("notice.unknown", nil)
		}
		cleared, err := b.store.Clear(ctx, noticeID, b.clock.Now())
		if err != nil || !cleared {
			return err
		}
		return b.audit.Record(ctx, audit.Entry{Actor: sc.Login(), OrgID: n.VendorID, Action: "notice.clear", Object: "notice:" + n.ID})
	})
}

// List gives every notice, the newest first. Fault: notice.operator_only.
func (b *Board) List(ctx context.Context, sc scope.Scope) ([]Notice, error) {
	if err := operator(sc); err != nil {
		return nil, err
	}
	return b.store.List(ctx)
}

// Coming are the notices over the pages of this person in this organisation, now and later; which of them
// stand at a time is told by ShownAt.
func (b *Board) Coming(ctx context.Context, sc scope.Scope) ([]Notice, error) {
	if sc.PersonID() == "" || sc.OrgID() == "" {
		return nil, nil
	}
	now := b.clock.Now()
	return b.store.Shown(ctx, sc.OrgID(), sc.PersonID(), now, now.AddDate(100, 0, 0), maxLive)
}

// ShownAt are the first of the notices that stand at now, as many as fit over a page.
func ShownAt(coming []Notice, now time.Time) []Notice {
	var out []Notice
	for _, n := range coming {
		if len(out) < MaxShown && n.State(now) == "shown" {
			out = append(out, n)
		}
	}
	return out
}

// Dismiss takes a notice off the person's pages; others keep it. Doing it again changes nothing. Fault:
// notice.unknown for an absent one and one that is not shown to the person alike.
func (b *Board) Dismiss(ctx context.Context, sc scope.Scope, noticeID string) error {
	return b.tx.InTx(ctx, func(ctx context.Context) error {
		if sc.PersonID() == "" || sc.OrgID() == "" {
			return fault.NotFound("notice.unknown", nil)
		}
		now := b.clock.Now()
		shown, err := b.store.Shown(ctx, sc.OrgID(), "", now, now, maxLive)
		if err != nil {
			return err
		}
		for _, n := range shown {
			if n.ID != noticeID {
				continue
			}
			taken, err := b.store.Dismiss(ctx, noticeID, sc.PersonID(), b.clock.Now())
			if err != nil || !taken {
				return err
			}
			return b.audit.Record(ctx, audit.Entry{Actor: sc.Login(), OrgID: sc.OrgID(), Action: "notice.dismiss", Object: "notice:" + noticeID})
		}
		return fault.NotFound("notice.unknown", nil)
	})
}
