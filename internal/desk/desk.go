// Package desk is what the vendor's back office (受理中心) sets for its own work: the days it works on.
//
// It owns the changes of a vendor to the calendar of working days and the years it vouches for; it does not own the
// calendar's arithmetic (calendar), what waits at the desk, nor the limits of four-eyes decisions (foureyes).
// Invariants: a change names who made it and when and is written down with what stood before; the newest change of
// a day counts; a vendor's changes are nobody else's.
//
// Spec: sales.md §8
package desk

import (
	"context"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"huoban/internal/audit"
	"huoban/internal/calendar"
	"huoban/internal/clock"
	"huoban/internal/fault"
	"huoban/internal/scope"
)

// The bounds of what may be set.
const (
	FirstYear = 2020
	LastYear  = 2099
	MaxNote   = 60
)

// Change is a day a vendor set itself; Kind "" is the day as shipped or as its weekday says.
type Change struct {
	VendorID string
	Day      calendar.Day
	Kind     calendar.Kind
	Note     string
	By       string
	At       time.Time
}

// Vouched is a year whose arrangement a vendor entered whole.
type Vouched struct {
	VendorID string
	Year     int
	By       string
	At       time.Time
}

// Store keeps both.
type Store interface {
	Changes(ctx context.Context, vendorID string) ([]Change, error)
	Vouched(ctx context.Context, vendorID string) ([]Vouched, error)
	SaveChange(ctx context.Context, c Change) error
	DropChange(ctx context.Context, vendorID string, d calendar.Day) error
	SaveVouched(ctx context.Context, v Vouched) error
	DropVouched(ctx context.Context, vendorID string, year int) error
}

// Tx runs a function in one transaction; fn may be run again.
type Tx interface {
	InTx(ctx context.Context, fn func(ctx context.Context) error) error
}

// Service reads and changes the calendar of a vendor.
type Service struct {
	Tx    Tx
	Store Store
	Audit audit.Recorder
	Clock clock.Clock
}

// Calendar is the working days of a vendor; of none, those shipped.
func (s *Service) Calendar(ctx context.Context, vendorID string) (*calendar.Calendar, error) {
	if vendorID == "" {
		return calendar.Shipped(), nil
	}
	changes, err := s.Store.Changes(ctx, vendorID)
	if err != nil {
		return nil, err
	}
	vouched, err := s.Store.Vouched(ctx, vendorID)
	if err != nil || len(changes)+len(vouched) == 0 {
		return calendar.Shipped(), err
	}
	days := make([]calendar.Special, len(changes))
	for i, c := range changes {
		days[i] = calendar.Special{Day: c.Day, Kind: c.Kind, Name: c.Note}
	}
	years := make([]int, len(vouched))
	for i, v := range vouched {
		years[i] = v.Year
	}
	return calendar.Shipped().With(days, years), nil
}

// Changes lists what the actor's vendor set, by day. Fault: scope.permission_missing.
func (s *Service) Changes(ctx context.Context, sc scope.Scope) ([]Change, error) {
	if err := sc.Require(scope.ItemCalendarView, scope.ItemCalendarChange); err != nil {
		return nil, err
	}
	return s.Store.Changes(ctx, sc.OrgID())
}

// Vouched lists the years the actor's vendor vouches for. Fault: scope.permission_missing.
func (s *Service) Vouched(ctx context.Context, sc scope.Scope) ([]Vouched, error) {
	if err := sc.Require(scope.ItemCalendarView, scope.ItemCalendarChange); err != nil {
		return nil, err
	}
	return s.Store.Vouched(ctx, sc.OrgID())
}

// SetDay says that a day is worked or is not; kind "" takes the vendor's own word back. The same again changes
// nothing. Faults: calendar.day_malformed, .kind_unknown, .note_malformed, scope.permission_missing.
func (s *Service) SetDay(ctx context.Context, sc scope.Scope, day string, kind calendar.Kind, note string) (Change, error) {
	if err := sc.Require(scope.ItemCalendarChange); err != nil {
		return Change{}, err
	}
	d, ok := calendar.ParseDay(day)
	if !ok || d.Year() < FirstYear || d.Year() > LastYear {
		return Change{}, fault.Invalid("calendar.day_malformed", fault.Args{"from": FirstYear, "to": LastYear})
	}
	if kind != "" && kind != calendar.KindRest && kind != calendar.KindWork {
		return Change{}, fault.Invalid("calendar.kind_unknown", nil)
	}
	if note = strings.TrimSpace(note); utf8.RuneCountInString(note) > MaxNote || strings.ContainsFunc(note, unicode.IsControl) {
		return Change{}, fault.Invalid("calendar.note_malformed", fault.Args{"limit": MaxNote})
	}
	c := Change{VendorID: sc.OrgID(), Day: d, Kind: kind, Note: note, By: sc.Login()}
	err := s.Tx.InTx(ctx, func(ctx context.Context) error {
		all, err := s.Store.Changes(ctx, c.VendorID)
		if err != nil {
			return err
		}
		var was Change
		for _, x := range all {
			if x.Day == d {
				was = x
			}
		}
		if was.Kind == kind && was.Note == note {
			c = was
			return nil
		}
		c.At = s.Clock.Now()
		if kind == "" {
			err = s.Store.DropChange(ctx, c.VendorID, d)
		} else {
			err = s.Store.SaveChange(ctx, c)
		}
		if err != nil {
			return err
		}
		return s.record(ctx, sc, "calendar.set", "day:"+string(d), map[string]any{"from": string(was.Kind), "to": string(kind), "note": note})
	})
	return c, err
}

// Vouch says that the arrangement of a year is entered whole, or takes that back. The same again changes nothing.
// Faults: calendar.year_malformed, scope.permission_missing.
func (s *Service) Vouch(ctx context.Context, sc scope.Scope, year int, whole bool) error {
	if err := sc.Require(scope.ItemCalendarChange); err != nil {
		return err
	}
	if year < FirstYear || year > LastYear {
		return fault.Invalid("calendar.year_malformed", fault.Args{"from": FirstYear, "to": LastYear})
	}
	return s.Tx.InTx(ctx, func(ctx context.Context) error {
		all, err := s.Store.Vouched(ctx, sc.OrgID())
		if err != nil {
			return err
		}
		was := false
		for _, v := range all {
			was = was || v.Year == year
		}
		switch {
		case was == whole:
			return nil
		case whole:
			err = s.Store.SaveVouched(ctx, Vouched{VendorID: sc.OrgID(), Year: year, By: sc.Login(), At: s.Clock.Now()})
		default:
			err = s.Store.DropVouched(ctx, sc.OrgID(), year)
		}
		if err != nil {
			return err
		}
		return s.record(ctx, sc, "calendar.vouch", "year:"+calendarYear(year), map[string]any{"whole": whole})
	})
}

func calendarYear(year int) string { return time.Date(year, 1, 1, 0, 0, 0, 0, time.UTC).Format("2006") }

func (s *Service) record(ctx context.Context, sc scope.Scope, action, object string, detail map[string]any) error {
	return s.Audit.Record(ctx, audit.Entry{Actor: sc.Login(), OrgID: sc.OrgID(), Action: action, Object: object, Detail: detail})
}
