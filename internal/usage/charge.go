package usage

import (
	"time"

	"huoban/internal/money"
)

// Group is what the lines share that are summed together, and what a price looks at of its account and
// product. No counts the groups of one part of a reading from 0.
type Group struct {
	SummaryKey
	Provider, Service, SKU, Region string
	Mode                           ChargingMode
	No                             int
}

// Charge is what a price depends on of one line besides its group; it is valid until the function it is
// given to returns.
type Charge struct {
	Start            time.Time
	Billed           money.Exact
	List, Contracted *money.Exact // nil also where they were not asked for
}

// Base is the amount of the base column; nil if the line lacks it.
func (c *Charge) Base(column string) *money.Exact {
	switch column {
	case "list":
		return c.List
	case "contracted":
		return c.Contracted
	}
	return &c.Billed
}

// OtherBase tells whether a base column is another than billed.
func OtherBase(column string) bool { return column == "list" || column == "contracted" }

// ChargeQuery asks for the lines of slots, and whether the columns besides billed are needed.
type ChargeQuery struct {
	Slots  []int64
	Others bool
}

// Charges takes the lines of one part of a reading.
type Charges interface {
	// Take gets one line. Of a group that is steady its Start is that of any line of the group.
	Take(*Group, *Charge) error
	// Steady tells whether it makes no difference where between two instants a line of the group starts.
	// A reader may ask once for a group, before its lines, and then spare itself their starts.
	Steady(g *Group, first, last time.Time) (bool, error)
}

// Of names the dimensions a price looks at.
func (g *Group) Of(a *Account, p *Product) {
	g.Provider, g.Service, g.SKU, g.Region, g.Mode = a.Provider, p.Service, p.SKU, p.Region, p.ChargingMode
}

// GroupOf is the group of a stored line.
func GroupOf(l *Stored) *Group {
	g := &Group{SummaryKey: l.SummaryKey()}
	g.Of(&l.Account, &l.Product)
	return g
}
