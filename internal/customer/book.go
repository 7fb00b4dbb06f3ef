package customer

import (
	"sort"
	"time"
)

// Book is every association that was ever in force, in memory, for work that asks for each line.
// It does not follow later changes.
type Book struct{ byCustomer map[string][]Association }

// NewBook sorts associations into a book; those never in force are left out.
func NewBook(all []Association) *Book {
	b := &Book{byCustomer: make(map[string][]Association)}
	for _, a := range all {
		if a.counts() && !empty(a.From, a.To) {
			b.byCustomer[a.CustomerID] = append(b.byCustomer[a.CustomerID], a)
		}
	}
	for _, list := range b.byCustomer {
		sort.Slice(list, func(i, j int) bool { return list[i].From.Before(list[j].From) })
	}
	return b
}

// At is the association of the customer in force at that instant.
func (b *Book) At(customerID string, at time.Time) (Association, bool) {
	for _, a := range b.byCustomer[customerID] {
		if covers(a.From, a.To, at) {
			return a, true
		}
	}
	return Association{}, false
}

// PartnerAt is the partner the customer belonged to at that instant, and how.
func (b *Book) PartnerAt(customerID string, at time.Time) (partnerID string, kind Kind, ok bool) {
	a, ok := b.At(customerID, at)
	return a.PartnerID, a.Kind, ok
}

// Of lists the customer's associations in order of time.
func (b *Book) Of(customerID string) []Association {
	return append([]Association(nil), b.byCustomer[customerID]...)
}

// CustomersOf lists, sorted, the customers that belonged to the partner at some time.
func (b *Book) CustomersOf(partnerID string) []string {
	var out []string
	for c, list := range b.byCustomer {
		for _, a := range list {
			if a.PartnerID == partnerID {
				out = append(out, c)
				break
			}
		}
	}
	sort.Strings(out)
	return out
}
