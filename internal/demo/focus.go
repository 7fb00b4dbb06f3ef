package demo

import (
	"bufio"
	"compress/gzip"
	"io"
	"strconv"
	"time"

	"huoban/internal/cycle"
)

const focusHeader = "BilledCost,BillingAccountId,BillingAccountName,BillingAccountType,BillingCurrency,BillingPeriodEnd,BillingPeriodStart," +
	"ChargeCategory,ChargeClass,ChargeDescription,ChargeFrequency,ChargePeriodEnd,ChargePeriodStart,ConsumedQuantity,ConsumedUnit," +
	"ContractedCost,ContractedUnitPrice,EffectiveCost,InvoiceId,InvoiceIssuerName,ListCost,ListUnitPrice,PricingCategory," +
	"PricingQuantity,PricingUnit,ProviderName,PublisherName,RegionId,RegionName,ResourceId,ResourceName,ResourceType," +
	"ServiceCategory,ServiceName,SkuId,SkuPriceId,SubAccountId,SubAccountName,SubAccountType,Tags\n"

var regionNames = map[string]string{"cn-east-1": "华东一", "cn-north-2": "华北二", "cn-southwest-3": "西南三", "cn-global": "全局"}

// charge is one row of the cloud's file. Quantity is thousandths, list and cost are billionths.
type charge struct {
	r                     *resource
	category, class, freq string
	text                  string
	from, to              time.Time
	quantity              int64
	list, cost            int64
}

// CloudFile writes the month's FOCUS 1.2 file, gzipped: every day before until.
func (w *World) CloudFile(out io.Writer, c cycle.Cycle, until time.Time) error {
	zip, err := gzip.NewWriterLevel(out, gzip.BestSpeed)
	if err != nil {
		return err
	}
	buf := bufio.NewWriterSize(zip, 1<<16)
	if _, err := buf.WriteString(focusHeader); err != nil {
		return err
	}
	period, invoice := ","+stamp(c.End(cycle.Zone))+","+stamp(c.Start(cycle.Zone))+",", ",HL-"+string(c)+",衡罗云技术有限公司,"
	var line []byte
	err = w.charges(c, until, func(x *charge) error {
		line = x.append(line[:0], period, invoice)
		_, err := buf.Write(line)
		return err
	})
	if err != nil {
		return err
	}
	if err := buf.Flush(); err != nil {
		return err
	}
	return zip.Close()
}

// charges gives what the month charges, resource by resource: subscriptions on the 1st, use day by day,
// then what is corrected, credited and taxed.
func (w *World) charges(c cycle.Cycle, until time.Time, fn func(*charge) error) error {
	start, end, month := c.Start(cycle.Zone), c.End(cycle.Zone), w.index(c)
	for i := range w.resources {
		r := &w.resources[i]
		switch {
		case r.since > month || r.product.Mode == market:
		case r.product.Mode == subscription:
			x := charge{r: r, category: "Purchase", freq: "Recurring", text: r.product.Description, from: start, to: end, quantity: r.amount * 1000}
			x.price()
			if err := fn(&x); err != nil {
				return err
			}
		default:
			for day := start; day.Before(end) && day.Before(until); day = day.AddDate(0, 0, 1) {
				x := charge{r: r, category: "Usage", freq: "Usage-Based", text: r.product.Description, from: day, to: day.AddDate(0, 0, 1),
					quantity: r.used(day, month)}
				x.price()
				if err := fn(&x); err != nil {
					return err
				}
			}
		}
	}
	if until.Before(end) {
		return nil
	}
	return w.afterthoughts(c, month, fn)
}

func (w *World) index(c cycle.Cycle) int {
	a, b := w.First.Start(cycle.Zone), c.Start(cycle.Zone)
	return (b.Year()-a.Year())*12 + int(b.Month()) - int(a.Month())
}

// price applies list price and contract. Thousandths × ten-thousandths are ten-millionths, × 100 billionths.
func (x *charge) price() {
	x.list = x.quantity * x.r.product.Price * 100
	x.cost = x.list / 100 * x.r.customer.Contract
}

// afterthoughts are the rows at the end of a month: refunds for subscriptions ended early, credits for
// outages, small adjustments, and tax for the two customers that are taxed by the cloud itself.
func (w *World) afterthoughts(c cycle.Cycle, month int, fn func(*charge) error) error {
	last := c.End(cycle.Zone).AddDate(0, 0, -1)
	for i := range w.resources {
		r := &w.resources[i]
		if r.since >= month || r.product.Mode == market {
			continue
		}
		x := charge{r: r, from: last, to: last.AddDate(0, 0, 1), freq: "One-Time"}
		switch at := below(mix(r.seed+77*uint64(month)), 420); {
		case at < 6 && r.product.Mode == subscription:
			x.category, x.class, x.text = "Purchase", "Correction", r.product.Description+" 提前退订"
			x.cost = -r.product.Price * r.customer.Contract / 100 * int64(3+below(r.seed, 20)) / 30 * 1e5
		case at == 1 && r.product.Mode == onDemand:
			x.category, x.text = "Credit", "服务等级协议赔付"
			x.cost = -int64(20+below(r.seed, 180)) * 1e9
		case at == 2 && r.product.Mode == onDemand:
			x.category, x.text = "Adjustment", "计费更正"
			x.cost = (int64(below(r.seed, 90)) - 30) * 1e9
		default:
			continue
		}
		if x.cost == 0 {
			continue
		}
		x.list = x.cost
		if err := fn(&x); err != nil {
			return err
		}
	}
	return w.taxes(c, month, fn)
}

// taxed are the customers whose cloud bill carries tax rows, at six per cent.
var taxed = map[string]bool{"RUNZE": true, "MINGDE": true}

func (w *World) taxes(c cycle.Cycle, month int, fn func(*charge) error) error {
	last := c.End(cycle.Zone).AddDate(0, 0, -1)
	for i := range w.Customers {
		if !taxed[w.Customers[i].Code] {
			continue
		}
		var sum int64
		var first *resource
		for j := range w.resources {
			r := &w.resources[j]
			if r.customer == &w.Customers[i] && r.since <= month && r.product.Mode == subscription {
				x := charge{r: r, quantity: r.amount * 1000}
				x.price()
				sum, first = sum+x.cost, r
			}
		}
		if sum == 0 {
			continue
		}
		x := charge{r: first, category: "Tax", freq: "One-Time", text: "增值税 6%", from: last, to: last.AddDate(0, 0, 1), list: sum / 100 * 6, cost: sum / 100 * 6}
		if err := fn(&x); err != nil {
			return err
		}
	}
	return nil
}

// append writes the row; period and invoice are cells that every row of a file shares.
func (x *charge) append(b []byte, period, invoice string) []byte {
	p, metered := x.r.product, x.category == "Usage" || x.category == "Purchase" && x.class == ""
	b = nano(b, x.cost)
	b = append(b, ",880001200034,衡罗云合作伙伴结算账号,合作伙伴,CNY"...)
	b = append(b, period...)
	b = cells(b, x.category, x.class, x.text, x.freq, stamp(x.to), stamp(x.from))
	if x.category == "Usage" {
		b = append(milli(b, x.quantity), ',')
		b = cells(b, p.Unit)
	} else {
		b = append(b, ",,"...)
	}
	b = append(nano(b, x.cost), ',')
	if metered {
		b = nano(b, p.Price*x.r.customer.Contract*1e3)
	}
	b = append(b, ',')
	b = append(nano(b, x.cost), invoice...)
	b = append(nano(b, x.list), ',')
	if metered {
		b = append(nano(b, p.Price*1e5), ",Standard,"...)
		b = append(milli(b, x.quantity), ',')
		b = cells(b, p.Unit)
	} else {
		b = append(b, ",,,,"...)
	}
	b = append(b, "衡罗云,衡罗云,"...)
	if x.category == "Tax" {
		b = cells(b, "", "", "", "", "", "Other", "税金", "", "")
	} else {
		b = cells(b, p.Region, regionNames[p.Region], x.r.id, x.r.name, p.Service, p.Category, p.Service, p.SKU)
		b = cells(b, p.SKU+".CNY")
	}
	b = cells(b, x.r.account.ID, x.r.account.Name)
	b = append(b, "项目账号,"...)
	if x.category != "Tax" {
		b = append(b, `"{""env"":""`...)
		if x.r.account == x.r.customer.SubAccounts[0] {
			b = append(b, "prod"...)
		} else {
			b = append(b, "test"...)
		}
		b = append(b, `"",""trade"":""`...)
		b = append(b, x.r.customer.Industry...)
		b = append(b, `""}"`...)
	}
	return append(b, '\n')
}

// cells appends texts, each with its comma; none of the tables' texts needs quoting.
func cells(b []byte, texts ...string) []byte {
	for _, t := range texts {
		b = append(append(b, t...), ',')
	}
	return b
}

func stamp(t time.Time) string { return t.UTC().Format("2006-01-02T15:04:05Z") }

// milli and nano write thousandths and billionths without needless zeros.
func milli(b []byte, n int64) []byte { return decimal(b, n, 1000, 3) }

func nano(b []byte, n int64) []byte { return decimal(b, n, 1e9, 9) }

func decimal(b []byte, n, unit int64, places int) []byte {
	if n < 0 {
		b, n = append(b, '-'), -n
	}
	b = strconv.AppendInt(b, n/unit, 10)
	rest := n % unit
	if rest == 0 {
		return b
	}
	b = append(b, '.')
	for unit /= 10; rest > 0 && places > 0; unit, places = unit/10, places-1 {
		b = append(b, byte('0'+rest/unit))
		rest %= unit
	}
	return b
}
