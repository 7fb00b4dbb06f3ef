// Package peaks measures goal 9: finding the billing points of 1,000 resources of a month of 31 days, 8,928,000 points, against a
// plain sort of the same points.
package peaks

import (
	"context"
	"fmt"
	"slices"
	"time"

	"huoban/internal/peak"
	"huoban/tools/bench/kit"
)

// Goal is goal 9.
var Goal = kit.Goal{Name: "peak", Numbers: []int{9}, Run: run}

const (
	resources = 1000
	days      = 31
)

// stored are the packed days of every resource, as the database has them.
type stored [resources][days][]byte

func made() *stored {
	var out stored
	x := uint64(95)
	for r := range out {
		for d := range out[r] {
			var day peak.Day
			for slot := range peak.PointsPerDay {
				x = x*6364136223846793005 + 1442695040888963407
				height := int64(slot) * int64(peak.PointsPerDay-slot) // a hill over the day
				if slot < 60 && r%3 == 0 {
					height = 0 // idle at night: many equal points
				}
				day.Put(slot, height*int64(900+x>>33%200)/1000, 3)
			}
			out[r][d] = day.Pack()
		}
	}
	return &out
}

// unpacked calls fn with the days of each resource; both contenders begin so.
func unpacked(all *stored, fn func(r int, month []*peak.Day)) error {
	month := make([]*peak.Day, days)
	for i := range month {
		month[i] = &peak.Day{}
	}
	for r := range all {
		for d := range month {
			if err := month[d].Unpack(all[r][d]); err != nil {
				return err
			}
		}
		fn(r, month)
	}
	return nil
}

func run(ctx context.Context, e *kit.Env) ([]kit.Figure, error) {
	all := made()
	var ours, theirs [resources]string
	contenders := []kit.Contender{
		{Name: "selection", Run: func(context.Context, int, string) (float64, error) {
			begin := time.Now()
			err := unpacked(all, func(r int, month []*peak.Day) { ours[r] = peak.Compute(month).Billing.String() })
			return time.Since(begin).Seconds(), err
		}},
		{Name: "sort", Run: func(context.Context, int, string) (float64, error) {
			begin := time.Now()
			points := make([]int64, 0, days*peak.PointsPerDay)
			err := unpacked(all, func(r int, month []*peak.Day) {
				points = points[:0]
				for _, d := range month {
					points = d.Append(points)
				}
				slices.Sort(points)
				theirs[r] = fmt.Sprint(points[len(points)-1-len(points)/20])
			})
			return time.Since(begin).Seconds(), err
		}},
	}
	times, err := e.Interleave(ctx, "peak", contenders...)
	if err != nil {
		return nil, err
	}
	for r := range ours {
		if want := shifted(theirs[r]); ours[r] != want {
			return nil, fmt.Errorf("resource %d: %s by selection, %s by sorting", r, ours[r], want)
		}
	}
	return []kit.Figure{{Goal: 9, What: "billing points of 1,000 resources, 8,928,000 points", Against: "the same points unpacked and sorted", Unit: "s", Bound: 0.5, AtMost: true,
		Values: kit.Ratio(times["selection"], times["sort"]), Ours: times["selection"], Theirs: times["sort"]}}, nil
}

// shifted writes thousandths as a decimal without zeros at its end.
func shifted(thousandths string) string {
	var n int64
	if _, err := fmt.Sscan(thousandths, &n); err != nil {
		return err.Error()
	}
	var d peak.Day
	d.Put(0, n, 3)
	return d.Value(0).String()
}
