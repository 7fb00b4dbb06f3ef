package metadata

import (
	"net/url"
	"slices"
	"time"

	"huoban/internal/sso"
)

// Effect is what becomes of a newer document.
type Effect string

// The effects. Nothing means that the document says what is known.
const (
	EffectNothing Effect = "nothing"
	EffectApply   Effect = "apply"
	EffectPending Effect = "pending" // kept until somebody confirms it; what was known stays in force
	EffectRefuse  Effect = "refuse"
)

// Codes of a newer document that is not simply applied.
const (
	CodeKeyJump       = "sso.md.key_jump"
	CodeEntityChanged = "sso.md.entity_changed"
	CodeHostChanged   = "sso.md.host_changed"
)

// Known is what is in force of an entity.
type Known struct {
	EntityID         string
	SSO, SLO, Answer string   // addresses; empty: none
	Signing          []string // fingerprints of its current signing certificates
	Pinned           bool
}

// Diff is what a newer document would change, kept with it and shown.
type Diff struct {
	Added   []string `json:"added,omitempty"`   // fingerprints
	Removed []string `json:"removed,omitempty"` // fingerprints
	Entity  string   `json:"entity,omitempty"`
	SSO     string   `json:"sso,omitempty"`
	SLO     string   `json:"slo,omitempty"`
}

// Empty tells whether nothing changes.
func (d Diff) Empty() bool {
	return len(d.Added) == 0 && len(d.Removed) == 0 && d.Entity == "" && d.SSO == "" && d.SLO == ""
}

// Verdict is what becomes of a newer document and why. Tell says that the partner's administrators hear of it.
type Verdict struct {
	Effect Effect
	Code   string
	Diff   Diff
	Tell   bool
}

// Judge decides what a newer document may change by itself. signed says that it is signed by the pinned signer.
func Judge(known Known, e Entity, signed bool) Verdict {
	d := diff(known, e)
	switch {
	case known.Pinned && !signed:
		return Verdict{EffectRefuse, CodeSig, d, true}
	case d.Entity != "":
		return Verdict{EffectRefuse, CodeEntityChanged, d, true}
	case d.Empty():
		return Verdict{Effect: EffectNothing}
	case !overlap(known.Signing, e) && !(known.Pinned && signed):
		return Verdict{EffectPending, CodeKeyJump, d, true}
	case otherHost(known.SSO, e.SSO.URL), otherHost(orElse(known.SLO, known.SSO), e.SLO.URL), otherHost(orElse(orElse(known.Answer, known.SLO), known.SSO), e.SLO.Response):
		return Verdict{EffectPending, CodeHostChanged, d, true}
	}
	return Verdict{Effect: EffectApply, Diff: d, Tell: len(d.Added)+len(d.Removed) > 0}
}

func diff(known Known, e Entity) Diff {
	var d Diff
	if known.EntityID != e.ID {
		d.Entity = e.ID
	}
	if known.SSO != e.SSO.URL {
		d.SSO = e.SSO.URL
	}
	if known.SLO != e.SLO.URL || known.Answer != e.SLO.Response {
		d.SLO = orElse(orElse(e.SLO.URL, e.SLO.Response), "–")
	}
	var now []string
	for _, c := range e.Certs {
		if c.Signs() {
			now = append(now, c.Fingerprint)
			if !slices.Contains(known.Signing, c.Fingerprint) && !slices.Contains(d.Added, c.Fingerprint) {
				d.Added = append(d.Added, c.Fingerprint)
			}
		}
	}
	for _, f := range known.Signing {
		if !slices.Contains(now, f) {
			d.Removed = append(d.Removed, f)
		}
	}
	return d
}

// overlap tells whether a certificate that is known stays.
func overlap(known []string, e Entity) bool {
	return slices.ContainsFunc(e.Certs, func(c Cert) bool { return c.Signs() && slices.Contains(known, c.Fingerprint) })
}

func orElse(a, b string) string {
	if a == "" {
		return b
	}
	return a
}

func otherHost(known, now string) bool {
	if now == "" || known == now {
		return false
	}
	a, errA := url.Parse(known)
	b, errB := url.Parse(now)
	return errA != nil || errB != nil || a.Host != b.Host || a.Scheme != b.Scheme
}

// The limits of how often a document is fetched, and how long after its end a sign-in still passes.
const (
	maxGap = 24 * time.Hour
	minGap = time.Hour
	Grace  = 7 * 24 * time.Hour
)

// Next says when to fetch again: at its own time, within the limits, later by up to a tenth by jitter (0 to 1).
func Next(now time.Time, cache time.Duration, jitter float64) time.Time {
	gap := maxGap
	if cache > 0 {
		gap = max(min(cache, maxGap), minGap)
	}
	return now.Add(gap + time.Duration(jitter*float64(gap)/10))
}

// Retry says when to try again after so many failures in a row.
func Retry(now time.Time, failures int, jitter float64) time.Time {
	gap := min(minGap<<min(max(failures-1, 0), 5), maxGap)
	return now.Add(gap + time.Duration(jitter*float64(gap)/10))
}

// Stale tells whether a document has been over for so long that what it said no longer counts.
func Stale(validUntil, now time.Time) bool {
	return !validUntil.IsZero() && now.After(validUntil.Add(Grace))
}

// Warnings are the days before its end at which a certificate is spoken of; after the last one, each day.
var Warnings = []int{60, 30, 14, 7, 3, 1}

// DueWarning says which warning a certificate has come to: the smallest of Warnings that covers the days left, 0
// once it is over, and false while it is far from its end or that warning has been given. Below the last warning
// a certificate is spoken of each day, counted downwards from 0.
func DueWarning(notAfter, now time.Time, given int, warned bool) (days int, due bool) {
	left := int(notAfter.Sub(now).Hours() / 24)
	if notAfter.Before(now) {
		left = -1 - int(now.Sub(notAfter).Hours()/24)
	}
	if left > Warnings[0] {
		return 0, false
	}
	days = left
	for _, w := range Warnings {
		if left <= w && left >= 0 {
			days = w
		}
	}
	return days, !warned || days < given
}

// Uses gives the certificates as rows keep them.
func (e Entity) Uses(state sso.CertState) []sso.Certificate {
	var out []sso.Certificate
	for _, c := range e.Certs {
		out = append(out, sso.Certificate{Use: c.Use, State: state, DER: c.DER, Fingerprint: c.Fingerprint, NotBefore: c.NotBefore, NotAfter: c.NotAfter})
	}
	return out
}
