// Package grant is 客户拓展授权: what a vendor lets a distributor (总经销商) do before it may win customers of its own.
//
// It owns grants, their review and their end, and tells whether a partner may win customers for a vendor now; it does
// not own registrations (prospect) or links (invitation), which ask it. Invariants: a solution provider and a reseller
// need none; a distributor has at most one with each vendor, and without a granted one registers and invites nobody.
//
// Spec: sales.md §2.6; docs/customers-won.md
package grant

import (
	"strings"
	"time"
	"unicode/utf8"

	"huoban/internal/fault"
	"huoban/internal/organisation"
)

// MaxReason bounds what is said on asking and on deciding, ReviewDays are the working days a review takes.
const (
	MaxReason  = 500
	ReviewDays = 3
)

// Grant is what one vendor lets one distributor do. Plea is why it was asked for, empty where the vendor gave it
// unasked; Reason is what was said with the last decision.
type Grant struct {
	ID, VendorID, PartnerID string
	State                   State
	Version                 int64
	Plea                    string
	AskedBy                 string
	AskedAt                 time.Time
	Reason                  string
	DecidedBy               string
	DecidedAt               time.Time
	CreatedAt               time.Time
	ChangedAt               time.Time
}

// Needed tells whether a partner of that kind wants a grant.
func Needed(k organisation.Kind) bool { return k == organisation.KindDistributor }

// checkReason trims and refuses what says nothing. Fault: grant.reason_missing.
func checkReason(s string) (string, error) {
	s = strings.TrimSpace(s)
	if n := utf8.RuneCountInString(s); n == 0 || n > MaxReason || !utf8.ValidString(s) {
		return s, fault.Invalid("grant.reason_missing", fault.Args{"limit": MaxReason})
	}
	return s, nil
}
