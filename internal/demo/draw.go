package demo

import (
	"fmt"
	"strconv"
	"time"
)

// The customers with a story of their own.
const (
	latecomer = "XUANJI"   // begins two thirds into the demo
	mover     = "CHENGHE"  // leaves one 解决方案提供商 for another
	regrouped = "BAIJU"    // its test account turns out to be that of
	regroupTo = "CANGLAN"  // a customer of another partner
	special   = "LINGXI"   // has a price of its own for GPU servers
	latePaid  = "HAITANG"  // its marketplace order arrives after the close
	staffCase = "YUQIAO"   // two persons adjust its bill
	pending   = "SHIGUANG" // one adjustment waits for the second person
	toured    = "GUIYUAN"  // docs/tour.md asks one of its lines why
)

var stories = []string{latecomer, mover, regrouped, regroupTo, special, latePaid, staffCase, pending, toured}

// settle decides accounts, contract and story of a customer.
func (w *World) settle(c *Customer) {
	id := strconv.FormatUint(100000000000+dice("account", c.Code)%899999999999, 10)
	c.SubAccounts = []SubAccount{{id, c.Name}}
	if c.Size >= 6 {
		id := strconv.FormatUint(100000000000+dice("test", c.Code)%899999999999, 10)
		c.SubAccounts = append(c.SubAccounts, SubAccount{id, c.Name + "-测试"})
	}
	c.Contract = 100
	if c.Size >= 7 {
		c.Contract = 100 - 2*int64(c.Size-5)
	}
	if w.Months >= 6 {
		switch {
		case c.Code == latecomer:
			c.Joined = w.Months * 2 / 3
		case below(dice("joined", c.Code), 6) == 0:
			c.Joined = 1 + below(dice("when", c.Code), w.Months/2)
		}
	}
	if c.Code == mover && w.Months >= 4 {
		c.Moves, c.MovedTo = w.Months/2, "YANSHI"
	}
}

// resource is one thing a customer runs.
type resource struct {
	customer *Customer
	account  SubAccount
	product  *Product
	id, name string
	seed     uint64
	since    int   // month from the first
	amount   int64 // thousandths of the unit per day, or pieces per month
}

// draw decides what a customer runs: more of everything the larger it is, some of it begun later.
func (w *World) draw(c *Customer) []resource {
	var out []resource
	for _, kind := range []struct {
		mode  string
		count int
	}{{onDemand, 4 + c.Size*17/10}, {subscription, 1 + c.Size/2}, {market, c.Size / 4}} {
		fits := w.fitting(kind.mode, c.Industry)
		for i := range kind.count {
			seed := dice("resource", c.Code, kind.mode, strconv.Itoa(i))
			p := fits[below(seed, len(fits))]
			r := resource{customer: c, account: c.SubAccounts[0], product: p, seed: seed, since: c.Joined}
			if len(c.SubAccounts) > 1 && i%5 == 4 {
				r.account = c.SubAccounts[1]
			}
			if i > 1 && below(mix(seed), 5) < 2 && c.Joined < w.Months-1 {
				r.since += 1 + below(mix(seed+1), w.Months-1-c.Joined)
			}
			r.id = fmt.Sprintf("hrn:%s:%s:%s/%08x", p.Code, p.Region, r.account.ID, uint32(seed))
			r.name = fmt.Sprintf("%s-%s-%02d", lower(c.Code), p.Code, i+1)
			r.amount = daily(p, c.Size, seed)
			out = append(out, r)
		}
	}
	return out
}

// fitting lists the products of a mode for an industry, each as often as its weight.
func (w *World) fitting(mode, industry string) []*Product {
	var out []*Product
	for i := range w.Products {
		p := &w.Products[i]
		if p.Mode != mode || p.Industry != "" && p.Industry != industry {
			continue
		}
		n := p.Weight
		if p.Industry != "" {
			n *= 2
		}
		for range n {
			out = append(out, p)
		}
	}
	return out
}

// daily is what one resource uses in a day at the outset.
func daily(p *Product, size int, seed uint64) int64 {
	n := int64(below(mix(seed+2), size)) + 1
	switch p.Unit {
	case "小时":
		if p.Price >= 100000 { // accelerators come one at a time and do not run all day
			return (n + 3) * 1000
		}
		return (n + 1) / 2 * 24000
	case "GB·小时":
		return n * 24 * 400 * 1000
	case "GB·天":
		return n * 3500 * 1000
	case "GB":
		return n * 55 * 1000
	case "月":
		if p.Price >= 20_000_000 { // nobody takes two of the dear ones
			return 1
		}
		return (n + 1) / 2
	}
	return n * 20 * 1000
}

// season is the percentage of an ordinary month, per industry, January first.
var season = map[string][12]int64{
	"电商": {98, 86, 96, 94, 100, 128, 92, 94, 100, 108, 152, 118},
	"教育": {84, 72, 112, 108, 106, 104, 78, 82, 126, 112, 108, 104},
	"游戏": {112, 126, 92, 94, 100, 98, 120, 124, 92, 110, 94, 100},
	"制造": {94, 76, 104, 104, 102, 104, 100, 98, 104, 96, 104, 106},
	"零售": {110, 104, 94, 96, 104, 108, 98, 98, 100, 108, 110, 112},
	"物流": {98, 84, 98, 98, 100, 112, 96, 98, 102, 106, 134, 116},
	"文旅": {92, 108, 90, 104, 122, 94, 116, 120, 92, 128, 82, 86},
	"政务": {96, 92, 100, 100, 100, 102, 102, 100, 100, 98, 102, 108},
	"智能": {96, 90, 98, 102, 104, 104, 102, 104, 104, 102, 104, 102},
}

var workdays = map[string]bool{"制造": true, "政务": true, "教育": true, "智能": true}

// used is what a resource uses on a day, in thousandths: growth, season, weekday, and a little chance.
func (r *resource) used(day time.Time, month int) int64 {
	amount := r.amount * (1000 + 17*int64(month)) / 1000
	chance := mix(r.seed + uint64(day.YearDay()) + 1000*uint64(day.Year()))
	if r.product.Unit == "小时" && r.product.Price < 100000 {
		return amount * (995 + int64(below(chance, 11))) / 1000 // servers run through
	}
	percent := season[r.customer.Industry][day.Month()-1]
	if weekend := day.Weekday() == time.Saturday || day.Weekday() == time.Sunday; weekend {
		if workdays[r.customer.Industry] {
			percent = percent * 62 / 100
		} else {
			percent = percent * 117 / 100
		}
	}
	return amount * percent / 100 * (880 + int64(below(chance, 241))) / 1000
}

func lower(s string) string {
	b := []byte(s)
	for i, c := range b {
		if c >= 'A' && c <= 'Z' {
			b[i] = c + 'a' - 'A'
		}
	}
	return string(b)
}
