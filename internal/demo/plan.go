package demo

import (
	"fmt"
	"time"

	"huoban/internal/cycle"
	"huoban/internal/sorted"
)

// Do names what a step does.
type Do string

// The steps.
const (
	DoFound    Do = "found"    // organisations, sources, people, map, prices
	DoCare     Do = "care"     // customers go to their managers
	DoImport   Do = "import"   // the files of a month
	DoDraft    Do = "draft"    // close to the draft
	DoIssue    Do = "issue"    // close to the end
	DoRegroup  Do = "regroup"  // a mapping corrected after the close
	DoLate     Do = "late"     // an order reported after the close
	DoAdjust   Do = "adjust"   // two persons adjust a bill
	DoPropose  Do = "propose"  // one waits for the second
	DoPeak     Do = "peak"     // five-minute points of a month
	DoRemeter  Do = "remeter"  // one day of them, measured wrongly, comes again
	DoRegister Do = "register" // customers are registered by partners, too early to be won in time
	DoWin      Do = "win"      // others are registered and invited; one consents
	DoCourt    Do = "court"    // some wait for the vendor or for the customer
	DoState    Do = "state"    // partners issue statements to their customers
	DoInvoice  Do = "invoice"  // partners ask for invoices, and a clerk answers
	DoFund     Do = "fund"     // partners pay in what bills ask
	DoCollect  Do = "collect"  // bills are taken from balances
	DoVoucher  Do = "voucher"  // the vendor gives partners vouchers for their bills
)

// InvoiceMonths is how many cycles before the running one partners ask for invoices of.
const InvoiceMonths = 8

// Step is one act at its time. Final marks an import of a month that is over.
type Step struct {
	Do    Do
	Cycle cycle.Cycle
	At    time.Time
	Final bool
}

// Key tells steps apart for ever.
func (s Step) Key() string { return fmt.Sprintf("%s %s", s.Do, s.Cycle) }

// Plan is everything that happens, in order of time: founding, then every month's import and close, and
// what goes wrong in between. The last month that is over stays a draft, the running one open.
func (w *World) Plan() []Step {
	out := []Step{{Do: DoFound, At: w.at(w.First, 0, 9)}, {Do: DoCare, At: w.at(w.First, 0, 10)}}
	over := w.Over()
	for i, c := range over {
		next := c.Next()
		if len(over)-i == 3 {
			out = append(out, Step{Do: DoVoucher, Cycle: c, At: w.at(c, 0, 11)})
		}
		out = append(out, Step{Do: DoImport, Cycle: c, At: w.at(next, 1, 9), Final: true})
		if len(over)-i < PeakMonths {
			out = append(out, Step{Do: DoPeak, Cycle: c, At: w.at(next, 1, 19)})
		}
		out = append(out, Step{Do: DoDraft, Cycle: c, At: w.at(next, 2, 14)})
		if i < len(over)-1 {
			out = append(out, Step{Do: DoIssue, Cycle: c, At: w.at(next, 3, 10)}, Step{Do: DoFund, Cycle: c, At: w.at(next, 3, 15)}, Step{Do: DoCollect, Cycle: c, At: w.at(next, 4, 12)})
		}
		if len(over)-i == 1 {
			out = append(out, Step{Do: DoRemeter, Cycle: c, At: w.at(next, 2, 16)})
		}
		if left := len(over) - i; left == 3 || left == 2 {
			out = append(out, Step{Do: DoState, Cycle: c, At: w.at(next, 4, 10)})
		}
		if left := len(over) - i; left >= 2 && left <= InvoiceMonths {
			out = append(out, Step{Do: DoInvoice, Cycle: c, At: w.at(next, 5, 10)})
		}
		switch len(over) - i {
		case 6:
			out = append(out, Step{Do: DoAdjust, Cycle: c, At: w.at(next, 7, 11)})
		case 4:
			out = append(out, Step{Do: DoRegroup, Cycle: c, At: w.at(next, 10, 15)})
		case 3:
			out = append(out, Step{Do: DoLate, Cycle: c, At: w.at(next, 12, 16)})
		case 1:
			out = append(out, Step{Do: DoPropose, Cycle: c, At: w.at(next, 3, 16)})
		}
	}
	out = append(out, w.courting()...)
	sorted.By(out, func(a, b Step) int { return a.At.Compare(b.At) })
	return append(out, Step{Do: DoImport, Cycle: w.Last, At: w.Now}, Step{Do: DoPeak, Cycle: w.Last, At: w.Now})
}

// at is an hour of a day of a month, never later than now.
func (w *World) at(c cycle.Cycle, days, hour int) time.Time {
	t := c.Start(cycle.Zone).AddDate(0, 0, days).Add(time.Duration(hour) * time.Hour)
	if t.After(w.Now) {
		t = w.Now
	}
	return t.UTC()
}

// Until is the day up to which a month's lines are known: its end, or today.
func (w *World) Until(c cycle.Cycle) time.Time {
	if end := c.End(cycle.Zone); !end.After(w.Now) {
		return end
	}
	y, m, d := w.Now.In(cycle.Zone).Date()
	return time.Date(y, m, d, 0, 0, 0, 0, cycle.Zone)
}

// Case is an adjustment by staff.
type Case struct{ Customer, Partner, Amount, Reason string }

// Adjusted and Waiting are the two cases of adjustments by staff; ok is false in a world without the
// customer.
func (w *World) Adjusted() (Case, bool) {
	return w.staffCase(staffCase, "-1260.00", "带宽超量按约定减免，见客户回访单")
}

// Waiting is the case that nobody has approved yet.
func (w *World) Waiting() (Case, bool) {
	return w.staffCase(pending, "-380.50", "直播活动期间流量包未及时生效，申请补差")
}

func (w *World) staffCase(code, amount, reason string) (Case, bool) {
	c := w.Customer(code)
	if c == nil {
		return Case{}, false
	}
	return Case{c.Code, c.Partner, amount, reason}, true
}

// ManagerOf spreads customers over the managers of their partner; second is who had it before, if
// anybody had.
func (w *World) ManagerOf(c *Customer, managers []string) (now, before string) {
	n := below(dice("manager", c.Code), len(managers))
	now = managers[n]
	if len(managers) > 1 && below(dice("handed over", c.Code), 4) == 0 {
		before = managers[(n+1)%len(managers)]
	}
	return now, before
}

func day(t time.Time) string { return t.In(cycle.Zone).Format("2006-01-02") }
