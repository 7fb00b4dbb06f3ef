package main

import (
	"bufio"
	"sort"
	"strconv"
	"time"
)

const header = "AvailabilityZone,BilledCost,BillingAccountId,BillingAccountName,BillingCurrency,BillingPeriodEnd,BillingPeriodStart," +
	"ChargeCategory,ChargeClass,ChargeDescription,ChargeFrequency,ChargePeriodEnd,ChargePeriodStart,CommitmentDiscountCategory," +
	"CommitmentDiscountId,CommitmentDiscountName,CommitmentDiscountStatus,CommitmentDiscountType,ConsumedQuantity,ConsumedUnit," +
	"ContractedCost,ContractedUnitPrice,EffectiveCost,InvoiceIssuerName,ListCost,ListUnitPrice,PricingCategory,PricingQuantity," +
	"PricingUnit,ProviderName,PublisherName,RegionId,RegionName,ResourceId,ResourceName,ResourceType,ServiceCategory,ServiceName," +
	"SkuId,SkuPriceId,SubAccountId,SubAccountName,Tags\n"

type maker struct {
	o        Options
	first    time.Time
	skus     []sku
	accounts []account
	rnd      stream

	month, next time.Time
	begin, end  string // of the month, as cells
	hour        time.Time
	from, to    string // of the hour
	billed      wide
}

func newMaker(o Options, first time.Time) *maker {
	return &maker{o: o, first: first, skus: skus(o.Seed), accounts: accounts(o), rnd: stream(mix(o.Seed))}
}

func (m *maker) write(out *bufio.Writer) (Facts, error) {
	facts := Facts{Rows: m.o.Rows}
	if _, err := out.WriteString(header); err != nil {
		return facts, err
	}
	equal := uint64(m.o.Equal / 100 * (1 << 32))
	var row []byte
	var cost int64
	for n := range m.o.Rows {
		if n > 0 && m.rnd.next()>>32 < equal {
			facts.Equal++
		} else {
			row, cost = m.row(row[:0], n)
		}
		m.billed.add(cost)
		if _, err := out.Write(row); err != nil {
			return facts, err
		}
	}
	facts.Billed = m.billed.String()
	return facts, nil
}

// place sets month and hour of row n and gives its number within the month.
func (m *maker) place(n int) int {
	month := n * m.o.Months / m.o.Rows
	if start := m.first.AddDate(0, month, 0); !start.Equal(m.month) {
		m.month, m.next = start, start.AddDate(0, 1, 0)
		m.begin, m.end = stamp(m.month), stamp(m.next)
	}
	from := (month*m.o.Rows + m.o.Months - 1) / m.o.Months // first row of the month
	rows := ((month+1)*m.o.Rows+m.o.Months-1)/m.o.Months - from
	hours := int(m.next.Sub(m.month).Hours())
	within := n - from
	hour := within * hours / rows
	if m.o.Order == "mixed" {
		hour = within % hours * 397 % hours
	}
	if at := m.month.Add(time.Duration(hour) * time.Hour); !at.Equal(m.hour) {
		m.hour = at
		m.from, m.to = stamp(at), stamp(at.Add(time.Hour))
	}
	return within
}

// row appends row n and gives its billed cost in 10^-13.
func (m *maker) row(b []byte, n int) ([]byte, int64) {
	within := m.place(n)
	at := m.rnd.next() >> 32
	a := &m.accounts[sort.Search(len(m.accounts)-1, func(i int) bool { return m.accounts[i].upTo > at })]
	res := mix(mix(m.o.Seed^uint64(m.rnd.below(a.resources))) ^ uint64(a.upTo))
	s := &m.skus[res%uint64(len(m.skus))]
	region := &regions[res>>12%uint64(len(regions))]
	// The last five digits of the quantity differ among the rows of an hour, so that no two rows are equal.
	quantity := int64(m.rnd.below(40))*100_000 + int64(within)*54_321%100_000 + 1 // 10^-6
	discount := int64(90 + res>>20%11)
	contracted := quantity * s.price * discount // 10^-13
	list := quantity * s.price * 100
	category, class, frequency, text := "Usage", "", "Usage-Based", s.description
	cost, committed := contracted, res>>28%10 == 0
	switch pick := m.rnd.below(1000); {
	case pick < 15:
		category, frequency = "Purchase", "Recurring"
	case pick < 18:
		category, class, frequency, cost = "Purchase", "Correction", "One-Time", -contracted
	case pick < 23:
		category, frequency, text = "Tax", "One-Time", "Sales tax on "+s.service
	case pick < 28:
		category, frequency, text, cost = "Credit", "One-Time", "Promotional credit", -contracted/2
	}
	metered := category == "Usage" || category == "Purchase"
	committed = committed && category == "Usage"

	b = append(b, region[0]...)
	b = append(b, 'a'+byte(res>>36%3), ',')
	b = append(fixed(b, cost, 13), ",880001200034,Huoban Reference Payer,USD,"...)
	b = cells(b, m.end, m.begin, category, class)
	b = append(append(b, '"'), text...)
	b = append(b, `",`...)
	b = cells(b, frequency, m.to, m.from)
	if committed {
		b = append(b, "Usage,arn:cloud:savings:"...)
		b = append(append(b, a.id...), ":plan/"...)
		b = append(strconv.AppendUint(b, res>>40, 16), ",Three year plan,Used,Savings Plan,"...)
	} else {
		b = append(b, ",,,,,"...)
	}
	if metered {
		b = append(fixed(b, quantity, 6), ',')
		b = append(append(b, s.unit...), ',')
		b = append(fixed(b, cost, 13), ',')
		b = append(fixed(b, s.price*discount, 7), ',')
	} else {
		b = append(b, ",,"...)
		b = append(fixed(b, cost, 13), ",,"...)
	}
	b = append(fixed(b, cost, 13), ",Reference Cloud Inc.,"...)
	if !metered || cost < 0 {
		list = cost
	}
	b = append(fixed(b, list, 13), ',')
	if metered {
		b = append(fixed(b, s.price, 5), ',')
		b = cells(b, pricing(committed))
		b = append(fixed(b, quantity, 6), ',')
		b = append(append(b, s.unit...), ',')
	} else {
		b = append(b, ",,,,"...)
	}
	b = append(b, "Reference Cloud,Reference Cloud Inc.,"...)
	return m.things(b, a, s, region, res), cost
}

func pricing(committed bool) string {
	if committed {
		return "Committed"
	}
	return "Standard"
}

var environments = []string{"prod", "staging", "dev", "test"}

// things appends region, resource, service, account and tags.
func (m *maker) things(b []byte, a *account, s *sku, region *[2]string, res uint64) []byte {
	b = cells(b, region[0], region[1])
	b = append(append(b, "arn:cloud:"...), region[0]...)
	b = append(append(b, ':'), a.id...)
	b = append(b, ":resource/"...)
	name := len(b)
	b = append(append(b, code(res, 4)...), '-')
	b = strconv.AppendUint(b, res, 16)
	b = append(b, ',')
	b = append(append(b, b[name:name+14]...), ',')
	b = cells(b, s.kind, s.category, s.service, s.id, s.priceID, a.id, a.name)
	b = append(b, `"{""application"": ""app-`...)
	b = strconv.AppendUint(b, res>>44%60, 10)
	b = append(append(b, `"", ""environment"": ""`...), environments[res>>50%4]...)
	b = append(b, `"", ""cost_center"": ""CC-`...)
	b = strconv.AppendUint(b, 1000+res>>54%90, 10)
	return append(b, "\"\"}\"\n"...)
}

func cells(b []byte, texts ...string) []byte {
	for _, t := range texts {
		b = append(append(b, t...), ',')
	}
	return b
}

func stamp(t time.Time) string { return t.Format("2006-01-02T15:04:05Z") }

// wide adds what would pass 64 bits: whole units and 10^-13 apart.
type wide struct{ units, rest int64 }

func (w *wide) add(n int64) {
	const unit = 1e13
	w.units += n / unit
	w.rest += n % unit
	w.units += w.rest / unit
	w.rest %= unit
}

func (w *wide) String() string {
	units, rest := w.units, w.rest
	if units > 0 && rest < 0 {
		units, rest = units-1, rest+1e13
	} else if units < 0 && rest > 0 {
		units, rest = units+1, rest-1e13
	}
	text := string(fixed(nil, max(rest, -rest), 13))
	sign := ""
	if units < 0 || rest < 0 {
		sign = "-"
	}
	return sign + strconv.FormatInt(max(units, -units), 10) + text[1:]
}
