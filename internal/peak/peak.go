// Package peak is 月结95峰值: bandwidth that is charged once a month by its 95th percentile.
//
// It owns the points, their reading from files, the rule that finds the billing point of a month, and who
// sees a month. It does not own 客户消费, whose spans it asks, nor the bill: the charge itself comes as a line
// of the following month, with the deliveries of the vendor.
//
// Invariants: the points of a resource's day come from one import, the newest that brought any; what an import
// replaced is kept and named; a month's result is that of the points in force.
package peak

import (
	"time"

	"huoban/internal/cycle"
	"huoban/internal/fault"
	"huoban/internal/money"
)

// PointsPerDay is one point every five minutes.
const (
	PointsPerDay = 288
	Interval     = 24 * time.Hour / PointsPerDay
)

// Series is a resource that is measured, under one usage type.
type Series struct {
	ID         string
	VendorID   string
	CustomerID string
	Product    string
	Resource   string
	Name       string // of the resource; "" = none
	Region     string
	UsageType  string
	Unit       string
}

// Price is what a unit of bandwidth costs for a whole month. The zero value knows nothing.
type Price struct {
	Unit       *money.Exact // per unit of bandwidth
	Discount   *money.Exact // a factor; nil = none was named, which is 1
	Currency   string
	Guaranteed *money.Exact // 保底带宽, of the enhanced type only
}

// Month is what a series comes to in a cycle.
type Month struct {
	SeriesID string
	Cycle    cycle.Cycle
	Result
	Price
	ChangedAt time.Time // when its points changed last
}

// Fee is what the month costs, rounded once to eight decimals; nil while the price is not known.
func (m *Month) Fee() (*money.Amount, error) {
	if m.Price.Unit == nil || m.Currency == "" || m.Billing == nil {
		return nil, nil
	}
	discount := money.MustExact("1")
	if m.Discount != nil {
		discount = *m.Discount
	}
	fee, err := Fee(*m.Billing, *m.Price.Unit, discount, m.Effective, DaysOf(m.Cycle))
	return &fee, err
}

// DaysOf is how many days a cycle has.
func DaysOf(c cycle.Cycle) int { return c.End(cycle.Zone).Add(-time.Hour).In(cycle.Zone).Day() }

// State is how far a month is.
type State string

// The states: its month runs, its month is over but the result is not published yet, and charged.
const (
	StateRunning State = "running"
	StatePending State = "pending"
	StateCharged State = "charged"
)

// States lists them in order.
var States = []State{StateRunning, StatePending, StateCharged}

// ChargedAt is when a month is charged: the evening of the first day of the following one.
func ChargedAt(c cycle.Cycle) time.Time { return c.End(cycle.Zone).Add(20 * time.Hour) }

// KnownAt is from when the result of a month may be asked for: a day after it was charged.
func KnownAt(c cycle.Cycle) time.Time { return ChargedAt(c).AddDate(0, 0, 1) }

// StateOf tells how far a cycle is at a moment. Until KnownAt no billing point is shown.
func StateOf(c cycle.Cycle, now time.Time) State {
	switch {
	case now.Before(c.End(cycle.Zone)):
		return StateRunning
	case now.Before(KnownAt(c)):
		return StatePending
	}
	return StateCharged
}

// Import is one hand-over of points.
type Import struct {
	ID          string    `json:"id"`
	VendorID    string    `json:"-"`
	SourceID    string    `json:"-"`
	Source      string    `json:"source"`
	Number      int64     `json:"number"` // from 1, by vendor
	Name        string    `json:"file"`
	SHA         string    `json:"sha256"`
	State       string    `json:"state"`
	Actor       string    `json:"actor"`
	ReceivedAt  time.Time `json:"received_at"`
	Points      int64     `json:"points"`
	Resources   int64     `json:"resources"`
	Days        int64     `json:"days"`     // of resources
	Replaced    int64     `json:"replaced"` // days whose earlier points it took the place of
	Quarantined int64     `json:"quarantined"`
}

// The states of an import: being read, in force, taken back.
const (
	ImportStaging  = "staging"
	ImportActive   = "active"
	ImportReverted = "reverted"
)

// Bad is a row that could not be read.
type Bad struct {
	File   string     `json:"file"`
	Line   int64      `json:"line"`
	Column string     `json:"column,omitempty"`
	Value  string     `json:"value,omitempty"`
	Code   string     `json:"code"`
	Args   fault.Args `json:"-"`
	Raw    string     `json:"raw,omitempty"`
}

// Kept is a stored day of a series: its packed points and where they come from.
type Kept struct {
	SeriesID string
	Date     string // YYYY-MM-DD in GMT+8
	Packed   []byte
	Import   int64 // number of the import in force
	Before   int64 // of the one it took the place of; 0 = none
}
