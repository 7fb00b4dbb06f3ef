// Package organisation is who deals with whom (组织): vendors, the partners that deal with them, a
// distributor's resellers, marketplace sellers and customers, and the vendor's contracting entities
// (签约主体).
//
// It owns kinds, codes, parents, partnerships and contracting entities. It does not own people
// (account) or which partner a customer belongs to (customer).
//
// Invariants: a code is unique and never changes; a reseller has a distributor as parent and nobody
// else has a parent; a partner deals with a vendor through a partnership, a reseller through that of
// its distributor; a vendor always has exactly one default contracting entity.
package organisation

import (
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"huoban/internal/fault"
)

// Kind says what an organisation is.
type Kind string

// The kinds: 厂商, 总经销商, 解决方案提供商, 云经销商, 云商店商家, 客户.
const (
	KindVendor      Kind = "vendor"
	KindDistributor Kind = "distributor"
	KindSolution    Kind = "solution"
	KindReseller    Kind = "reseller"
	KindSeller      Kind = "seller"
	KindCustomer    Kind = "customer"
)

// Kinds lists all kinds in the order they are shown.
var Kinds = []Kind{KindVendor, KindDistributor, KindSolution, KindReseller, KindSeller, KindCustomer}

// Label is the key of the kind's name.
func (k Kind) Label() string { return "organisation.kind." + string(k) }

// IsPartner tells whether the kind deals with a vendor and may be billed.
func (k Kind) IsPartner() bool {
	return k == KindDistributor || k == KindSolution || k == KindReseller || k == KindSeller
}

// Organisation is one company as the portal knows it.
type Organisation struct {
	ID        string
	Code      string
	Kind      Kind
	Name      string
	ParentID  string // the distributor of a reseller, else empty
	CreatedAt time.Time
}

// Entity is a contracting entity (签约主体) of a vendor.
type Entity struct {
	ID, VendorID, Code, Name string
	IsDefault                bool
	TaxInDue                 bool // its bills count tax rows into the amount due
}

// Partnership is a partner's dealing with a vendor; EntityID empty = the vendor's default.
type Partnership struct {
	VendorID, PartnerID, EntityID string
	CreatedAt                     time.Time
}

// Limits of what is typed in.
const (
	MaxCode         = 64
	MaxCustomerCode = 128
	MaxName         = 200
)

// CheckCode refuses codes that could not stand in a CSV cell or a command: printable, without spaces.
// A customer's code is often an identifier a cloud made ("/subscriptions/…"), so every printable
// character passes, up to 128; other kinds stand in addresses and file names and take no separators,
// up to 64. The sentinel "~" of attribution and a leading "-" are refused. Faults: organisation.code_malformed.
func CheckCode(kind Kind, code string) error {
	limit := MaxCode
	bad := code == "" || code == "~" || code == "." || code == ".." || strings.HasPrefix(code, "-") || !utf8.ValidString(code)
	if kind == KindCustomer {
		limit = MaxCustomerCode
	} else {
		bad = bad || strings.ContainsAny(code, "/\\?#%\"'<>&|*:;,")
	}
	bad = bad || utf8.RuneCountInString(code) > limit
	for _, r := range code {
		bad = bad || !unicode.IsGraphic(r) || unicode.IsSpace(r)
	}
	if bad {
		return fault.Invalid("organisation.code_malformed", fault.Args{"code": clip(code), "limit": limit})
	}
	return nil
}

// CheckName wants 1 to 200 characters without control characters. Faults: organisation.name_malformed.
func CheckName(name string) error {
	bad := strings.TrimSpace(name) == "" || utf8.RuneCountInString(name) > MaxName || !utf8.ValidString(name)
	for _, r := range name {
		bad = bad || unicode.IsControl(r)
	}
	if bad {
		return fault.Invalid("organisation.name_malformed", fault.Args{"name": clip(name)})
	}
	return nil
}

func clip(s string) string {
	r := []rune(strings.ToValidUTF8(s, "?"))
	if len(r) > MaxCode {
		return string(r[:MaxCode]) + "…"
	}
	return string(r)
}

// parentRule says what may stand above a kind: the kinds allowed, and whether one must be named.
type parentRule struct {
	allowed  []Kind
	required bool
}

var parentRules = map[Kind]parentRule{
	KindVendor:      {},
	KindDistributor: {allowed: []Kind{KindVendor}},
	KindSolution:    {allowed: []Kind{KindVendor}},
	KindSeller:      {allowed: []Kind{KindVendor}},
	KindReseller:    {allowed: []Kind{KindDistributor}, required: true},
	KindCustomer:    {},
}

// CheckParent applies the rule of the kind to its parent; nil is none.
// Faults: organisation.kind_unknown, organisation.parent_missing, organisation.parent_refused.
func CheckParent(kind Kind, parent *Organisation) error {
	rule, known := parentRules[kind]
	if !known {
		return fault.Invalid("organisation.kind_unknown", fault.Args{"kind": string(kind)})
	}
	if parent == nil {
		if rule.required {
			return fault.Invalid("organisation.parent_missing", fault.Args{"kind": string(kind)})
		}
		return nil
	}
	for _, k := range rule.allowed {
		if parent.Kind == k {
			return nil
		}
	}
	return fault.Invalid("organisation.parent_refused", fault.Args{"kind": string(kind), "parent": parent.Code, "parent_kind": string(parent.Kind)})
}
