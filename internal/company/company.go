// Package company is what a partner says about itself (伙伴信息 > 基本信息): names and address that its vendor reviews,
// an introduction and a logo that it may change alone, and whether strangers find it in the partner search.
//
// It owns profiles, logos and their changes; it does not own organisations, whose name stands on bills and is the
// vendor's. Invariants: name and address change by an approved change alone; a partner has one change under review at
// a time; a name changes with the licence (营业执照) that carries it; a logo is a picture the portal encoded itself; the search shows nothing of who is not listed.
//
// Spec: docs/flows/company_change.md
package company

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"image"
	_ "image/jpeg" // logos come as JPEG too
	"image/png"
	"net/url"
	"regexp"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"huoban/internal/audit"
	"huoban/internal/clock"
	"huoban/internal/fault"
	"huoban/internal/flow"
	"huoban/internal/organisation"
	"huoban/internal/paper"
	"huoban/internal/scope"
)

// Reviewed are the parts the vendor reviews.
type Reviewed struct{ Name, NameEN, Address string }

// Open are the parts a partner changes alone. Listed lets strangers find it.
type Open struct {
	Intro, Website, Phone string
	Listed                bool
}

// Profile is what stands. A partner that never wrote anything has the name of its organisation.
type Profile struct {
	OrgID string
	Reviewed
	Open
	Logo      string // names the picture; "" = none
	UpdatedBy string
	UpdatedAt time.Time
}

// Listing is a partner as strangers find it.
type Listing struct {
	Code, Name, NameEN, Intro, Website, Phone, Logo string
	Kind                                            organisation.Kind
}

// Limits in characters, and of a logo in bytes and pixels.
const (
	MaxName     = 200
	MaxAddress  = 300
	MaxIntro    = 1000
	MaxLogo     = 1 << 20
	MaxLogoSide = 1024
	MinLogoSide = 32
)

// Store keeps profiles.
type Store interface {
	Profile(ctx context.Context, orgID string) (Profile, bool, error)
	SaveProfile(ctx context.Context, p Profile) error
	SaveLogo(ctx context.Context, orgID, sha string, body []byte, at time.Time) error
	DropLogo(ctx context.Context, orgID string) error
	// LogoOf is a picture of the organisation itself; Logo one of somebody who is listed.
	LogoOf(ctx context.Context, orgID, sha string) ([]byte, bool, error)
	Logo(ctx context.Context, sha string) ([]byte, bool, error)
	// Listed finds listed partners by words in their names, code or introduction, by name; those who are suspended are left out.
	Listed(ctx context.Context, text string, limit int) ([]Listing, error)

	InsertChange(ctx context.Context, c Change) error
	DecideChange(ctx context.Context, c Change, to State, by, reason string, at time.Time) (bool, error)
	ChangesOf(ctx context.Context, orgID string) ([]Change, error)
	// LicensedChange is the approved change that brought the newest licence, "" where none did.
	LicensedChange(ctx context.Context, orgID string) (string, error)
	// ChangesFor lists those of partners that deal with the vendor, what waits first.
	ChangesFor(ctx context.Context, vendorID string) ([]Change, error)
}

// Tx runs a function in one transaction; fn may be run again.
type Tx interface {
	InTx(ctx context.Context, fn func(ctx context.Context) error) error
}

// Service is what pages ask. Papers keeps licences, Vendors are those a partner deals with; Told hears of each decision,
// in its transaction, and may be nil.
type Service struct {
	Store   Store
	Papers  paper.Store
	Vendors func(ctx context.Context, partner organisation.Organisation) ([]organisation.Organisation, error)
	Tx      Tx
	Log     flow.Log
	Audit   audit.Recorder
	Clock   clock.Clock
	Told    func(ctx context.Context, c Change) error
}

// Of is the profile of the actor's own organisation.
func (s *Service) Of(ctx context.Context, sc scope.Scope, org organisation.Organisation) (Profile, error) {
	if sc.OrgID() != org.ID {
		return Profile{}, fault.NotFound("organisation.unknown", fault.Args{"code": ""})
	}
	return s.of(ctx, org)
}

func (s *Service) of(ctx context.Context, org organisation.Organisation) (Profile, error) {
	p, found, err := s.Store.Profile(ctx, org.ID)
	p.OrgID = org.ID
	if !found || p.Name == "" {
		p.Name = org.Name
	}
	return p, err
}

func text(s string, least, most int, lines bool) bool {
	n := utf8.RuneCountInString(s)
	return n >= least && n <= most && utf8.ValidString(s) && !strings.ContainsFunc(s, func(r rune) bool { return unicode.IsControl(r) && (!lines || r != '\n') })
}

var phone = regexp.MustCompile(`^\+?[0-9][0-9 ()-]{3,30}$`)

// Check trims and refuses what could not be shown. Faults: company.intro_malformed, .website_malformed, .phone_malformed.
func (o *Open) Check() error {
	o.Intro = strings.TrimSpace(strings.ReplaceAll(o.Intro, "\r\n", "\n"))
	o.Website, o.Phone = strings.TrimSpace(o.Website), strings.TrimSpace(o.Phone)
	if !text(o.Intro, 0, MaxIntro, true) {
		return fault.Invalid("company.intro_malformed", fault.Args{"limit": MaxIntro})
	}
	if o.Website != "" {
		u, err := url.Parse(o.Website)
		if err != nil || u.Scheme != "https" && u.Scheme != "http" || u.Host == "" || u.User != nil || !text(o.Website, 1, 200, false) {
			return fault.Invalid("company.website_malformed", nil)
		}
	}
	if o.Phone != "" && !phone.MatchString(o.Phone) {
		return fault.Invalid("company.phone_malformed", nil)
	}
	return nil
}

// SaveOpen changes what needs no review; the same again changes nothing. Faults: those of Check, scope.permission_missing.
func (s *Service) SaveOpen(ctx context.Context, sc scope.Scope, org organisation.Organisation, o Open) error {
	if err := sc.Require(scope.ItemProfileChange); err != nil {
		return err
	}
	if err := o.Check(); err != nil {
		return err
	}
	return s.Tx.InTx(ctx, func(ctx context.Context) error {
		p, err := s.Of(ctx, sc, org)
		if err != nil || p.Open == o {
			return err
		}
		p.Open, p.UpdatedBy, p.UpdatedAt = o, sc.Login(), s.Clock.Now()
		if err := s.Store.SaveProfile(ctx, p); err != nil {
			return err
		}
		return s.record(ctx, sc, org.ID, "company.save", "company:"+org.Code, map[string]any{"listed": o.Listed})
	})
}

func (s *Service) record(ctx context.Context, sc scope.Scope, orgID, action, object string, detail map[string]any) error {
	return s.Audit.Record(ctx, audit.Entry{Actor: sc.Login(), OrgID: orgID, Action: action, Object: object, Outcome: audit.OutcomeDone, Detail: detail})
}

// Redraw reads a PNG or JPEG of bounded size and encodes it anew, so that nothing but the picture is kept.
// Faults: company.logo_large, .logo_unreadable, .logo_size.
func Redraw(body []byte) ([]byte, error) {
	if len(body) > MaxLogo {
		return nil, fault.Invalid("company.logo_large", fault.Args{"limit": MaxLogo >> 10})
	}
	unreadable := fault.Invalid("company.logo_unreadable", nil)
	head, kind, err := image.DecodeConfig(bytes.NewReader(body)) // the size first: a small file may unfold to a huge picture
	if err != nil || kind != "png" && kind != "jpeg" {
		return nil, unreadable
	}
	if head.Width < MinLogoSide || head.Height < MinLogoSide || head.Width > MaxLogoSide || head.Height > MaxLogoSide {
		return nil, fault.Invalid("company.logo_size", fault.Args{"least": MinLogoSide, "most": MaxLogoSide})
	}
	picture, _, err := image.Decode(bytes.NewReader(body))
	if err != nil {
		return nil, unreadable
	}
	var out bytes.Buffer
	if err := png.Encode(&out, picture); err != nil {
		return nil, unreadable
	}
	return out.Bytes(), nil
}

// SetLogo replaces the logo. Faults: those of Redraw, scope.permission_missing.
func (s *Service) SetLogo(ctx context.Context, sc scope.Scope, org organisation.Organisation, body []byte) error {
	if err := sc.Require(scope.ItemProfileChange); err != nil {
		return err
	}
	picture, err := Redraw(body)
	if err != nil {
		return err
	}
	sum := sha256.Sum256(append([]byte(org.ID+"\x00"), picture...)) // two partners with one picture have two addresses
	sha := hex.EncodeToString(sum[:])
	return s.Tx.InTx(ctx, func(ctx context.Context) error {
		p, err := s.Of(ctx, sc, org)
		if err != nil || p.Logo == sha {
			return err
		}
		if err := s.Store.SaveLogo(ctx, org.ID, sha, picture, s.Clock.Now()); err != nil {
			return err
		}
		return s.record(ctx, sc, org.ID, "company.set_logo", "company:"+org.Code, map[string]any{"sha": sha})
	})
}

// DropLogo takes the logo away. Fault: scope.permission_missing.
func (s *Service) DropLogo(ctx context.Context, sc scope.Scope, org organisation.Organisation) error {
	if err := sc.Require(scope.ItemProfileChange); err != nil {
		return err
	}
	return s.Tx.InTx(ctx, func(ctx context.Context) error {
		p, err := s.Of(ctx, sc, org)
		if err != nil || p.Logo == "" {
			return err
		}
		if err := s.Store.DropLogo(ctx, org.ID); err != nil {
			return err
		}
		return s.record(ctx, sc, org.ID, "company.drop_logo", "company:"+org.Code, nil)
	})
}

// OwnLogo is the picture for the actor's own organisation. Fault: company.logo_unknown.
func (s *Service) OwnLogo(ctx context.Context, sc scope.Scope, sha string) ([]byte, error) {
	body, found, err := s.Store.LogoOf(ctx, sc.OrgID(), sha)
	if err == nil && !found {
		err = fault.NotFound("company.logo_unknown", nil)
	}
	return body, err
}

// PublicLogo is the picture of a partner strangers find. Fault: company.logo_unknown.
func (s *Service) PublicLogo(ctx context.Context, sha string) ([]byte, error) {
	body, found, err := s.Store.Logo(ctx, sha)
	if err == nil && !found {
		err = fault.NotFound("company.logo_unknown", nil)
	}
	return body, err
}

// MostListed is how many partners the search shows.
const MostListed = 50

// Search finds partners that let themselves be found.
func (s *Service) Search(ctx context.Context, text string) ([]Listing, error) {
	return s.Store.Listed(ctx, strings.ToLower(strings.TrimSpace(text)), MostListed)
}
