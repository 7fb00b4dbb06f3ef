package customer

import (
	"time"

	"huoban/internal/cycle"
)

// Count is a page that counts what customers consume for the 客户经理 who looks after them.
type Count string

// The pages.
const (
	CountDashboard   Count = "dashboard"   // 消费看板
	CountExpenditure Count = "expenditure" // 客户消费: 消费汇总 and 消费明细
	CountPerformance Count = "performance" // 业绩看板
)

// startDays is how many days after the one of the assignment a page begins to count, at midnight (GMT+8);
// a page that is not here counts from the very moment. The pages differ as the vendor's own do.
var startDays = map[Count]int{CountExpenditure: 1, CountPerformance: 1}

// From is the instant from which the page counts a customer who was assigned at that time; the beginning
// of time stays what it is. Every page stops at the instant the customer is taken back.
func (c Count) From(assigned time.Time) time.Time {
	days, ok := startDays[c]
	if !ok || assigned.IsZero() {
		return assigned
	}
	y, m, d := assigned.In(cycle.Zone).Date()
	return time.Date(y, m, d+days, 0, 0, 0, 0, cycle.Zone).UTC()
}
