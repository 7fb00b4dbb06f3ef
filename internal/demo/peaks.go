package demo

import (
	"encoding/csv"
	"fmt"
	"io"
	"slices"
	"strconv"
	"time"

	"huoban/internal/cycle"
)

// PeakMonths are the months with five-minute points: the last two that are over, and the one that runs.
const PeakMonths = 3

// streaming are the industries whose bandwidth is charged by its 95th percentile.
var streaming = []string{"游戏", "教育", "电商", "文旅"}

// line is a resource that is measured every five minutes.
type line struct {
	customer                      *Customer
	product, id, name, region     string
	usage, price, discount, least string
	base                          int64 // kbit/s at the height of an ordinary day
	seed                          uint64
}

// maxLines bounds what the demo measures.
const maxLines = 8

// lines are what the demo measures: a domain of each customer that streams, a line into the cloud of every second one, and
// of a world without such customers of the first two.
func (w *World) lines() []line {
	var who []*Customer
	for i := range w.Customers {
		if c := &w.Customers[i]; slices.Contains(streaming, c.Industry) && len(who) < maxLines*2/3 {
			who = append(who, c)
		}
	}
	for i := range w.Customers {
		if c := &w.Customers[i]; len(who) < 3 && !slices.Contains(who, c) {
			who = append(who, c)
		}
	}
	var out []line
	for i, c := range who {
		seed := dice("peak", c.Code)
		out = append(out, line{customer: c, product: "CDN", id: "cdn-" + lower(c.Code), name: "static." + lower(c.Code) + ".example", region: "cn-mainland", usage: "95peak_1000",
			price: "18.5", discount: "0.85", base: int64(c.Size) * 42_000, seed: seed})
		if i%2 == 0 && len(out) < maxLines {
			x := line{customer: c, product: "VPC", id: fmt.Sprintf("bw-%08x", uint32(mix(seed))), name: lower(c.Code) + "-bandwidth", region: "cn-east-1", usage: "bandwidth95peak",
				price: "26", discount: "0.9", base: int64(c.Size) * 6_500, seed: mix(seed)}
			if i%4 == 0 {
				x.usage, x.least = "95peak_plus", strconv.Itoa(c.Size*2)
			}
			out = append(out, x)
		}
	}
	return out
}

// hours is the percentage of the day's height at each hour.
var hours = [25]int64{34, 24, 17, 13, 12, 14, 22, 36, 48, 55, 60, 66, 72, 64, 58, 57, 60, 66, 76, 88, 97, 100, 84, 56, 34}

// at is the bandwidth of an interval in kbit/s, from the hour, the weekday, the season, and a little chance; now and then
// there is an event in the evening, or a day without any traffic.
func (l *line) at(t time.Time) int64 {
	day := mix(l.seed + uint64(t.YearDay()) + 1000*uint64(t.Year()))
	if l.usage == "bandwidth95peak" && below(day, 23) == 0 {
		return 0
	}
	minute := int64(t.Hour()*60 + t.Minute())
	h := minute / 60
	percent := hours[h]*60 + (hours[h+1]-hours[h])*(minute%60)
	v := l.base / 100 * percent / 60 * season[l.customer.Industry][t.Month()-1] / 100
	if t.Weekday() == time.Saturday || t.Weekday() == time.Sunday {
		v = v * 113 / 100
	}
	if below(mix(day), 9) == 0 && minute >= 19*60+30 && minute < 22*60 {
		v = v * 19 / 10
	}
	return v * (930 + int64(below(mix(day+uint64(minute)), 141))) / 1000
}

// PeakFile writes the five-minute points of a month as far as they are known; rows is how many there are. Corrected is the day
// that was measured wrongly and is delivered again.
func (w *World) PeakFile(out io.Writer, c cycle.Cycle, corrected bool) (rows int, err error) {
	o := csv.NewWriter(out)
	head := []string{"customer", "product", "resource_id", "resource_name", "region", "usage_type", "time", "value", "unit", "unit_price", "currency", "discount", "guaranteed"}
	if err := o.Write(head); err != nil {
		return 0, err
	}
	from, until := c.Start(cycle.Zone), w.Until(c)
	all := w.lines()
	if corrected {
		from, until, all = from.AddDate(0, 0, 11), from.AddDate(0, 0, 12), all[:1]
	}
	for i := range all {
		l := &all[i]
		for t := from; t.Before(until); t = t.Add(5 * time.Minute) {
			kbit := l.at(t)
			if !corrected && i == 0 && t.Day() == 12 && t.Hour() == 14 {
				kbit *= 6 // an hour counted six times
			}
			value := fmt.Sprintf("%d.%03d", kbit/1000, kbit%1000)
			if err := o.Write([]string{l.customer.Code, l.product, l.id, l.name, l.region, l.usage, t.Format("2006-01-02T15:04:05-07:00"), value, "Mbit/s", l.price, "CNY", l.discount, l.least}); err != nil {
				return rows, err
			}
			rows++
		}
	}
	o.Flush()
	return rows, o.Error()
}
