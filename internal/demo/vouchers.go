package demo

import (
	"time"

	"huoban/internal/cycle"
)

// Voucher is what the vendor gives a partner for its own bills. Amounts are whole yuan, 0 is no bound.
type Voucher struct {
	Partner            string
	Value              int64
	Services, Regions  []string
	Customers          []string // codes
	MinOrder, MaxOrder int64
	Memo               string
	From, To           time.Time
}

// Vouchers pay bills from the month of the step on, for half a year: some are soon used up, one lasts.
func (w *World) Vouchers(c cycle.Cycle) []Voucher {
	from := c.Start(cycle.Zone)
	to := from.AddDate(0, 6, 0)
	return []Voucher{
		{Partner: "QIHENG", Value: 1_500, Customers: []string{"YUQIAO"}, Memo: "雨桥生鲜大促专项", From: from, To: to},
		{Partner: "QIHENG", Value: 90_000, Services: []string{"弹性云服务器"}, MinOrder: 20, MaxOrder: 5_000, Memo: "弹性云服务器推广", From: from, To: to},
		{Partner: "QIHENG", Value: 2_400, Memo: "季度增长奖励", From: from, To: to.AddDate(0, -1, 0)},
		{Partner: "GUANGZHU", Value: 6_000, Regions: []string{"cn-north-2"}, Memo: "华北二区域推广", From: from, To: to},
	}
}
