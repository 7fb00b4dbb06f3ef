// Package prospect is the pre-registration of customers (报备): a partner names a customer it is winning, the
// vendor reviews, and for a while nobody else can name the same customer.
//
// It owns the registration, its machine, its limits and the conflict rules. It does not own the invitation
// (invitation) nor the association a customer's consent makes (customer).
//
// Invariants: at most MaxOpen registrations of a partner are open (waiting or registered); of one vendor no two
// open registrations name the same customer by name, phone or e-mail; whoever is refused by that never learns
// by whom; what is registered lapses after Days unless the customer was associated.
//
// Spec: sales.md §2.6, 3.2
package prospect

import (
	"regexp"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"golang.org/x/text/unicode/norm"

	"huoban/internal/customer"
	"huoban/internal/fault"
)

// The numbers of 报备.
const (
	Days       = 15  // a registration holds from its approval
	MaxOpen    = 100 // waiting and registered ones of one partner
	RemindDays = 3   // before the end its filer is told
)

// Kind is what the customer is.
type Kind string

// The kinds: 企业, 个人.
const (
	KindCompany Kind = "company"
	KindPerson  Kind = "person"
)

// Label is the key of the kind's name.
func (k Kind) Label() string { return "prospect.kind." + string(k) }

// State is where a registration stands.
type State string

// The states: 未报备, 待审核, 已报备, 报备不通过, 已失效, 已关联.
const (
	StateDraft      State = "draft"
	StatePending    State = "pending"
	StateRegistered State = "registered"
	StateRefused    State = "refused"
	StateLapsed     State = "lapsed"
	StateAssociated State = "associated"
)

// Open tells whether the state counts toward MaxOpen and keeps others away.
func (s State) Open() bool { return s == StatePending || s == StateRegistered }

// Details are what the partner says of the customer.
type Details struct {
	Kind     Kind
	Name     string
	Phone    string
	Email    string
	Industry string
	Relation customer.Kind // the association it expects
	Remark   string
}

// Prospect is one registration. ExpiresAt is set while it is registered.
type Prospect struct {
	ID, VendorID, PartnerID string
	PersonID, Login         string // who filed it
	Details
	State       State
	Reason      string // of a refusal
	SubmittedAt time.Time
	DecidedAt   time.Time
	DecidedBy   string
	ExpiresAt   time.Time
	RemindedAt  time.Time
	CustomerID  string // once associated
	Version     int64
	CreatedAt   time.Time
	ChangedAt   time.Time
}

// Limits of what is typed in.
const (
	MaxName   = 120
	MaxRemark = 500
)

var (
	emailShape = regexp.MustCompile(`^[^@\s]+@[^@\s]+\.[^@\s]+$`)
	phoneShape = regexp.MustCompile(`^\+?[0-9][0-9 ()-]{4,30}$`)
)

// Tidy takes off what was typed by accident.
func (d Details) Tidy() Details {
	for _, s := range []*string{&d.Name, &d.Phone, &d.Email, &d.Industry, &d.Remark} {
		*s = strings.TrimSpace(*s)
	}
	return d
}

// Validate checks what needs no look-up. Faults: prospect.kind_unknown, .name_malformed, .phone_malformed,
// .email_malformed, .relation_unknown, .remark_too_long.
func (d Details) Validate() error {
	switch {
	case d.Kind != KindCompany && d.Kind != KindPerson:
		return fault.Invalid("prospect.kind_unknown", nil)
	case !plain(d.Name, 1, MaxName):
		return fault.Invalid("prospect.name_malformed", fault.Args{"limit": MaxName})
	case !phoneShape.MatchString(d.Phone):
		return fault.Invalid("prospect.phone_malformed", nil)
	case d.Email != "" && (!emailShape.MatchString(d.Email) || !plain(d.Email, 3, 200)):
		return fault.Invalid("prospect.email_malformed", nil)
	case !plain(d.Industry, 0, 60) || !readable(d.Remark, MaxRemark):
		return fault.Invalid("prospect.remark_too_long", fault.Args{"limit": MaxRemark})
	case d.Relation != customer.KindResale && d.Relation != customer.KindReferral:
		return fault.Invalid("prospect.relation_unknown", nil)
	}
	return nil
}

func plain(s string, least, most int) bool {
	n := utf8.RuneCountInString(s)
	return n >= least && n <= most && utf8.ValidString(s) && !strings.ContainsFunc(s, unicode.IsControl)
}

// readable is plain text that may have lines.
func readable(s string, most int) bool {
	return plain(strings.NewReplacer("\r", " ", "\n", " ", "\t", " ").Replace(s), 0, most)
}

// Keys are the forms in which two registrations are compared: a name without blanks, width and case, a phone's
// digits, an address in lower case.
type Keys struct{ Name, Phone, Email string }

// KeysOf makes the keys. Many people share a name, so that a person is known by phone and address alone.
func KeysOf(d Details) Keys {
	k := Keys{NameKey(d.Name), PhoneKey(d.Phone), EmailKey(d.Email)}
	if d.Kind == KindPerson {
		k.Name = ""
	}
	return k
}

// NameKey is the form in which names are compared.
func NameKey(s string) string {
	return strings.Map(func(r rune) rune {
		if unicode.IsSpace(r) {
			return -1
		}
		return unicode.ToLower(r)
	}, norm.NFKC.String(s))
}

// PhoneKey keeps the digits; a number of mainland China is the same with and without its country's code.
func PhoneKey(s string) string {
	digits := strings.Map(func(r rune) rune {
		if r < '0' || r > '9' {
			return -1
		}
		return r
	}, norm.NFKC.String(s))
	digits = strings.TrimPrefix(digits, "00")
	if len(digits) == 13 && strings.HasPrefix(digits, "861") {
		digits = digits[2:]
	}
	return digits
}

// EmailKey is the form in which addresses are compared.
func EmailKey(s string) string { return strings.ToLower(strings.TrimSpace(s)) }
