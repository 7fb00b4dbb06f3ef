// Package news is what a vendor announces (公告) to those it deals with: a title and a text in both languages, for an
// audience, from one date to another.
//
// It owns announcements and whom they are shown to; it does not own the lines over every page (notice) nor messages to
// persons (message). Invariants: an announcement is never changed, only withdrawn; who does not deal with the vendor,
// or is not of the audience, is answered as if there were none.
package news

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
	"huoban/internal/organisation"
	"huoban/internal/scope"
)

// Audience is whom an announcement is for.
type Audience string

// The audiences: 全部, 全部伙伴, 总经销商, 云经销商, 客户.
const (
	AudienceAll          Audience = "all"
	AudiencePartners     Audience = "partners"
	AudienceDistributors Audience = "distributors"
	AudienceResellers    Audience = "resellers"
	AudienceCustomers    Audience = "customers"
)

// Audiences in the order of the form.
var Audiences = []Audience{AudienceAll, AudiencePartners, AudienceDistributors, AudienceResellers, AudienceCustomers}

// Label is the key of the audience's name.
func (a Audience) Label() string { return "news.audience." + string(a) }

// includes tells whether an organisation of the kind is meant; the vendor's own staff sees everything it says.
func (a Audience) includes(k organisation.Kind) bool {
	switch a {
	case AudienceAll:
		return true
	case AudiencePartners:
		return k.IsPartner() || k == organisation.KindVendor
	case AudienceDistributors:
		return k == organisation.KindDistributor || k == organisation.KindVendor
	case AudienceResellers:
		return k == organisation.KindReseller || k == organisation.KindVendor
	case AudienceCustomers:
		return k == organisation.KindCustomer || k == organisation.KindVendor
	}
	return false
}

// Limits in characters of one language.
const (
	MaxTitle = 80
	MaxBody  = 4000
)

// Item is one announcement. EndsAt zero = until withdrawn.
type Item struct {
	ID          string
	VendorID    string
	Vendor      string // its name
	Audience    Audience
	TitleZH     string
	TitleEN     string
	BodyZH      string
	BodyEN      string
	StartsAt    time.Time
	EndsAt      time.Time
	CreatedBy   string
	CreatedAt   time.Time
	WithdrawnAt time.Time
}

// State is where it stands at now: withdrawn, ahead, over or shown.
func (i *Item) State(now time.Time) string {
	switch {
	case !i.WithdrawnAt.IsZero():
		return "withdrawn"
	case now.Before(i.StartsAt):
		return "ahead"
	case !i.EndsAt.IsZero() && !now.Before(i.EndsAt):
		return "over"
	}
	return "shown"
}

// Store keeps announcements.
type Store interface {
	Insert(ctx context.Context, i Item) error
	Withdraw(ctx context.Context, id string, at time.Time) (bool, error)
	// OfVendor lists all of a vendor, the newest first.
	OfVendor(ctx context.Context, vendorID string) ([]Item, error)
	// Reaching lists those in force at now of every vendor the organisation deals with, itself, through its
	// distributor or as a customer of a partner; the newest first.
	Reaching(ctx context.Context, orgID string, now time.Time) ([]Item, error)
}

// Tx runs a function in one transaction; fn may be run again.
type Tx interface {
	InTx(ctx context.Context, fn func(ctx context.Context) error) error
}

// Board is the service.
type Board struct {
	Store Store
	Tx    Tx
	Audit audit.Recorder
	Clock clock.Clock
}

// In is an announcement to publish. StartsAt zero = now.
type In struct {
	Audience                         Audience
	TitleZH, TitleEN, BodyZH, BodyEN string
	StartsAt, EndsAt                 time.Time
}

// check refuses what could not be shown, field by field. Faults: news.title_malformed, .body_malformed,
// .audience_unknown, .ends_before_start.
func (in *In) check(now time.Time) error {
	for _, t := range []*string{&in.TitleZH, &in.TitleEN} {
		if *t = strings.TrimSpace(*t); !fits(*t, MaxTitle, false) {
			return fault.Invalid("news.title_malformed", fault.Args{"limit": MaxTitle})
		}
	}
	for _, t := range []*string{&in.BodyZH, &in.BodyEN} {
		*t = strings.TrimSpace(strings.ReplaceAll(*t, "\r\n", "\n"))
		if !fits(*t, MaxBody, true) {
			return fault.Invalid("news.body_malformed", fault.Args{"limit": MaxBody})
		}
	}
	known := false
	for _, a := range Audiences {
		known = known || a == in.Audience
	}
	if !known {
		return fault.Invalid("news.audience_unknown", nil)
	}
	if in.StartsAt.IsZero() {
		in.StartsAt = now
	}
	if !in.EndsAt.IsZero() && (!in.EndsAt.After(in.StartsAt) || !in.EndsAt.After(now)) {
		return fault.Invalid("news.ends_before_start", nil)
	}
	return nil
}

func fits(s string, most int, lines bool) bool {
	if s == "" || utf8.RuneCountInString(s) > most || !utf8.ValidString(s) {
		return false
	}
	return !strings.ContainsFunc(s, func(r rune) bool { return unicode.IsControl(r) && (!lines || r != '\n') })
}

// Publish writes an announcement of the actor's vendor. Faults: those of check, scope.permission_missing.
func (b *Board) Publish(ctx context.Context, sc scope.Scope, in In) (Item, error) {
	if err := sc.Require(scope.ItemNewsChange); err != nil {
		return Item{}, err
	}
	now := b.Clock.Now()
	if err := in.check(now); err != nil {
		return Item{}, err
	}
	i := Item{ID: id.New(), VendorID: sc.OrgID(), Audience: in.Audience, TitleZH: in.TitleZH, TitleEN: in.TitleEN, BodyZH: in.BodyZH, BodyEN: in.BodyEN,
		StartsAt: in.StartsAt, EndsAt: in.EndsAt, CreatedBy: sc.Login(), CreatedAt: now}
	return i, b.Tx.InTx(ctx, func(ctx context.Context) error {
		if err := b.Store.Insert(ctx, i); err != nil {
			return err
		}
		return b.record(ctx, sc, "news.publish", &i)
	})
}

func (b *Board) record(ctx context.Context, sc scope.Scope, action string, i *Item) error {
	return b.Audit.Record(ctx, audit.Entry{Actor: sc.Login(), OrgID: i.VendorID, Action: action, Object: "announcement:" + i.ID, Outcome: audit.OutcomeDone,
		Detail: map[string]any{"title": i.TitleZH, "audience": string(i.Audience)}})
}

// Check tells what Publish would refuse.
func (b *Board) Check(sc scope.Scope, in In) error {
	if err := sc.Require(scope.ItemNewsChange); err != nil {
		return err
	}
	return in.check(b.Clock.Now())
}

// Written lists what the actor's vendor announced, the newest first. Fault: scope.permission_missing.
func (b *Board) Written(ctx context.Context, sc scope.Scope) ([]Item, error) {
	if err := sc.Require(scope.ItemNewsView); err != nil {
		return nil, err
	}
	return b.Store.OfVendor(ctx, sc.OrgID())
}

// Withdraw takes an announcement back; again changes nothing. Faults: news.unknown, scope.permission_missing.
func (b *Board) Withdraw(ctx context.Context, sc scope.Scope, newsID string) error {
	if err := sc.Require(scope.ItemNewsChange); err != nil {
		return err
	}
	return b.Tx.InTx(ctx, func(ctx context.Context) error {
		all, err := b.Store.OfVendor(ctx, sc.OrgID())
		if err != nil {
			return err
		}
		for i := range all {
			if all[i].ID != newsID {
				continue
			}
			done, err := b.Store.Withdraw(ctx, newsID, b.Clock.Now())
			if err != nil || !done {
				return err
			}
			return b.record(ctx, sc, "news.withdraw", &all[i])
		}
		return fault.NotFound("news.unknown", nil)
	})
}

// Current lists what is announced to the actor's organisation now, the newest first.
func (b *Board) Current(ctx context.Context, sc scope.Scope, org organisation.Organisation) ([]Item, error) {
	if sc.OrgID() == "" || sc.OrgID() != org.ID {
		return nil, nil
	}
	// Whom an organisation deals with is asked for it, through partners whose dealings it may not read.
	all, err := b.Store.Reaching(scope.AsSystem(ctx, "announcements"), org.ID, b.Clock.Now())
	var out []Item
	for i := range all {
		if all[i].Audience.includes(org.Kind) {
			out = append(out, all[i])
		}
	}
	return out, err
}

// One is an announcement of Current. Fault: news.unknown.
func (b *Board) One(ctx context.Context, sc scope.Scope, org organisation.Organisation, newsID string) (Item, error) {
	all, err := b.Current(ctx, sc, org)
	if err != nil {
		return Item{}, err
	}
	for i := range all {
		if all[i].ID == newsID {
			return all[i], nil
		}
	}
	return Item{}, fault.NotFound("news.unknown", nil)
}
