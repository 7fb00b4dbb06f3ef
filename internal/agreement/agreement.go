// Package agreement is 第三方代付协议: what lets another company, or a person, pay a partner's top-ups.
//
// It owns agreements, their review and their time, and tells whether a payer was covered on a day; it does not own
// transfers or claims (topup), nor the scan (paper). Invariants: who pays and for which days is never changed after it
// was submitted; a payer has at most one open agreement per vendor for a day; what ended still covers the days before.
//
// Spec: sales.md §2.3 代付管理; docs/funds.md
package agreement

import (
	"strings"
	"time"
	"unicode/utf8"

	"huoban/internal/cycle"
	"huoban/internal/fault"
)

// Kind is 协议类型: a standing one is signed, scanned and reviewed; a single one covers one day and holds at once.
type Kind string

// The kinds: 长期代付协议, 单笔代付协议.
const (
	KindStanding Kind = "standing"
	KindSingle   Kind = "single"
)

// Kinds in the order of the form.
var Kinds = []Kind{KindStanding, KindSingle}

// Label is the key of the kind's name.
func (k Kind) Label() string { return "agreements.kind." + string(k) }

// PayerKind is 被委托方类型.
type PayerKind string

// The kinds of payers: 企业, 个人.
const (
	PayerCompany PayerKind = "company"
	PayerPerson  PayerKind = "person"
)

// PayerKinds in the order of the form.
var PayerKinds = []PayerKind{PayerCompany, PayerPerson}

// Label is the key of the payer kind's name.
func (k PayerKind) Label() string { return "agreements.payer_kind." + string(k) }

// The bounds of what is typed: MaxBack are the days an agreement may reach back, MaxMonths how long it may hold.
const (
	MaxName   = 200
	MaxRemark = 300
	MaxBack   = 30
	MaxMonths = 36
)

// ReviewDays are the working days a review takes.
const ReviewDays = 1

// Agreement is one. Days are those of GMT+8, both included: "2026-11-05".
type Agreement struct {
	ID, VendorID, PartnerID string
	Number                  string
	Kind                    Kind
	PayerKind               PayerKind
	Payer                   string
	Begins, Ends            string
	Remark                  string
	State                   State
	Version                 int64
	CreatedBy               string
	CreatedAt               time.Time
	SubmittedAt             time.Time
	DecidedBy               string
	DecidedAt               time.Time
	Reason                  string
	EndedAt                 time.Time // when it was made void
	ChangedAt               time.Time
}

// BeginsAt and EndsAt are the instants of 生效时间 and 失效时间.
func (a *Agreement) BeginsAt() time.Time { return cycle.DayAt(a.Begins, 0) }

// EndsAt is the first instant at which it holds no more.
func (a *Agreement) EndsAt() time.Time {
	if !a.EndedAt.IsZero() {
		return a.EndedAt
	}
	return cycle.DayAt(a.Ends, 1)
}

// Covers tells whether it held on a day: it was agreed to, the day is one of its days, and before the one it was made void.
func (a *Agreement) Covers(day string) bool {
	switch a.State {
	case StateApproved, StateActive, StateExpired:
	case StateVoided:
		if a.EndedAt.IsZero() || day >= cycle.Day(a.EndedAt) {
			return false
		}
	default:
		return false
	}
	return a.Begins <= day && day <= a.Ends
}

// InForce tells whether one of the agreements covers a payer on a day.
func InForce(list []Agreement, payer, day string) bool {
	for i := range list {
		if SameName(list[i].Payer, payer) && list[i].Covers(day) {
			return true
		}
	}
	return false
}

// SameName compares names as banks and people write them: without regard to space, case and the width of characters.
func SameName(a, b string) bool { return folded(a) == folded(b) }

func folded(s string) string {
	return strings.Map(func(r rune) rune {
		if r >= '！' && r <= '～' { // the full-width forms of ASCII
			return r - '！' + '!'
		}
		return r
	}, strings.ToLower(strings.Join(strings.Fields(strings.ReplaceAll(s, "　", " ")), "")))
}

// Input is what a partner says about an agreement. A single one has its day in Begins.
type Input struct {
	VendorID     string
	Kind         Kind
	PayerKind    PayerKind
	Payer        string
	Begins, Ends string
	Remark       string
}

// tidy gives a single agreement its one day, and a standing one without days the whole time there may be.
func (in Input) tidy() Input {
	in.Payer, in.Remark, in.Begins, in.Ends = strings.TrimSpace(in.Payer), strings.TrimSpace(in.Remark), strings.TrimSpace(in.Begins), strings.TrimSpace(in.Ends)
	if in.Kind == KindSingle {
		in.Ends = in.Begins
	}
	return in
}

// check judges an input on a day. Faults: agreement.kind_unknown, .payer_missing, .remark_long, .day_malformed, .ends_first,
// .too_early, .too_long, .over, .single_ahead.
func (in *Input) check(now time.Time) error {
	today := cycle.Day(now)
	switch {
	case in.Kind != KindStanding && in.Kind != KindSingle || in.PayerKind != PayerCompany && in.PayerKind != PayerPerson:
		return fault.Invalid("agreement.kind_unknown", nil)
	case in.Payer == "" || utf8.RuneCountInString(in.Payer) > MaxName:
		return fault.Invalid("agreement.payer_missing", fault.Args{"limit": MaxName})
	case utf8.RuneCountInString(in.Remark) > MaxRemark:
		return fault.Invalid("agreement.remark_long", fault.Args{"limit": MaxRemark})
	case cycle.DayAt(in.Begins, 0).IsZero() || cycle.DayAt(in.Ends, 0).IsZero():
		return fault.Invalid("agreement.day_malformed", nil)
	case in.Ends < in.Begins:
		return fault.Invalid("agreement.ends_first", nil)
	case in.Begins < cycle.Day(cycle.DayAt(today, -MaxBack)):
		return fault.Invalid("agreement.too_early", fault.Args{"days": MaxBack})
	case in.Ends >= cycle.DayAt(in.Begins, 0).AddDate(0, MaxMonths, 0).Format(time.DateOnly):
		return fault.Invalid("agreement.too_long", fault.Args{"months": MaxMonths})
	case in.Kind == KindStanding && in.Ends < today:
		return fault.Invalid("agreement.over", nil)
	case in.Kind == KindSingle && in.Begins > today:
		return fault.Invalid("agreement.single_ahead", nil)
	}
	return nil
}
