// Package scope says which organisations, customers and times an actor may see and do what with.
//
// Every store function that reads tenant data takes a Scope; a Scope cannot be made outside this
// package except by its constructors, and the zero value sees nothing. A thing outside the scope is
// answered exactly as an absent one (fault kind not_found).
package scope

import (
	"slices"
	"time"

	"huoban/internal/fault"
)

// Side is whose eyes look.
type Side string

// The sides.
const (
	SideNobody   Side = ""         // sees nothing
	SideSystem   Side = "system"   // the program itself: close, import, verify, the operator's commands
	SideVendor   Side = "vendor"   // vendor staff: everything of one vendor
	SidePartner  Side = "partner"  // a partner: its own bills and customers; a distributor also its resellers' sell side
	SideCustomer Side = "customer" // a customer: itself
)

// Window is a customer seen during an interval; zero times are unbounded, the end is exclusive.
type Window struct {
	CustomerID string
	From, To   time.Time
}

// Scope is what one actor may see. It is a value; its fields cannot be set from outside.
type Scope struct {
	side      Side
	orgID     string
	login     string
	personID  string
	items     map[Item]bool
	resellers []string
	limited   bool
	windows   []Window
	name      string // what Key gives
}

// Item is a permission item (权限项), such as BPC_ITEM_VIEW_010100.
type Item string

// System is the program's own scope; login is who started it, for the audit row ("operator" for
// commands, "system" for jobs).
func System(login string) Scope { return Scope{side: SideSystem, login: login} }

// Vendor is the scope of a member of vendor staff.
func Vendor(vendorID, personID, login string, items []Item) Scope {
	return Scope{side: SideVendor, orgID: vendorID, personID: personID, login: login, items: itemSet(items)}.named()
}

// Partner is the scope of a partner's person. resellers are the organisations below a distributor.
func Partner(partnerID, personID, login string, items []Item, resellers []string) Scope {
	return Scope{side: SidePartner, orgID: partnerID, personID: personID, login: login, items: itemSet(items), resellers: slices.Clone(resellers)}.named()
}

// Customer is the scope of a customer's person.
func Customer(customerID, personID, login string, items []Item) Scope {
	return Scope{side: SideCustomer, orgID: customerID, personID: personID, login: login, items: itemSet(items),
		limited: true, windows: []Window{{CustomerID: customerID}}}.named()
}

// Limited narrows a partner's scope to the customers assigned to a 客户经理, each from the day of
// assignment. No windows means no customer at all.
func (s Scope) Limited(windows []Window) Scope {
	s.limited, s.windows = true, slices.Clone(windows)
	return s.named()
}

func itemSet(items []Item) map[Item]bool {
	m := make(map[Item]bool, len(items))
	for _, i := range items {
		m[i] = true
	}
	return m
}

// Side tells whose eyes look.
func (s Scope) Side() Side { return s.side }

// OrgID is the acting organisation; empty for the system.
func (s Scope) OrgID() string { return s.orgID }

// Is tells whether one acts for an organisation on a side.
func (s Scope) Is(side Side, orgID string) bool { return s.side == side && s.orgID == orgID }

// Login names the actor for audit rows.
func (s Scope) Login() string { return s.login }

// PersonID is the acting person; empty for the system.
func (s Scope) PersonID() string { return s.personID }

// Has tells whether the actor holds any one of the items; the system holds all.
func (s Scope) Has(items ...Item) bool {
	if s.side == SideSystem {
		return true
	}
	return slices.ContainsFunc(items, func(i Item) bool { return s.items[i] })
}

// Require is Has as a fault: scope.permission_missing names the item.
func (s Scope) Require(items ...Item) error {
	if s.Has(items...) {
		return nil
	}
	args := fault.Args{}
	if len(items) > 0 {
		args["item"] = string(items[0])
	}
	return fault.Denied("scope.permission_missing", args)
}

// SeesVendor tells whether the vendor's back office is in scope.
func (s Scope) SeesVendor(vendorID string) bool {
	return s.side == SideSystem || s.side == SideVendor && s.orgID == vendorID
}

// SeesBill tells whether a bill with this vendor, seller and buyer is in scope: the vendor sees what
// it sells itself and what its distributors sell on; a partner sees what it buys and what it sells to
// its own resellers. Nobody but the buyer and the seller's side sees a buy price.
func (s Scope) SeesBill(vendorID, sellerID, buyerID string) bool {
	switch s.side {
	case SideSystem:
		return true
	case SideVendor:
		return s.orgID == vendorID
	case SidePartner:
		return !s.limited && (buyerID == s.orgID || sellerID == s.orgID && slices.Contains(s.resellers, buyerID))
	}
	return false
}

// Buyers are the partners whose bills are in scope: none and all=true for system and vendor.
func (s Scope) Buyers() (ids []string, all bool) {
	switch s.side {
	case SideSystem, SideVendor:
		return nil, true
	case SidePartner:
		if s.limited {
			return nil, false
		}
		return append([]string{s.orgID}, s.resellers...), false
	}
	return nil, false
}

// Windows are the customers a limited scope sees; limited=false means every customer of the
// organisation.
func (s Scope) Windows() (w []Window, limited bool) { return slices.Clone(s.windows), s.limited }

// Resellers are the organisations below the acting distributor.
func (s Scope) Resellers() []string { return slices.Clone(s.resellers) }

// IsLimited tells whether only the customers of Windows are seen.
func (s Scope) IsLimited() bool { return s.limited }

// SeesCustomerAt tells whether a charge of the customer at that instant is inside the windows. A
// scope that is not limited leaves the answer to the association, which the store joins.
func (s Scope) SeesCustomerAt(customerID string, at time.Time) bool {
	if s.side == SideNobody {
		return false
	}
	if !s.limited {
		return true
	}
	return slices.ContainsFunc(s.windows, func(w Window) bool {
		return w.CustomerID == customerID && (w.From.IsZero() || !at.Before(w.From)) && (w.To.IsZero() || at.Before(w.To))
	})
}

// Key names the scope for caches: equal keys see the same bytes.
func (s Scope) Key() string {
	if s.name == "" {
		return s.key()
	}
	return s.name
}

func (s Scope) named() Scope {
	s.name = s.key()
	return s
}

// Held lists the items the actor holds, in order.
func (s Scope) Held() []Item {
	out := make([]Item, 0, len(s.items))
	for i := range s.items {
		out = append(out, i)
	}
	slices.Sort(out)
	return out
}
