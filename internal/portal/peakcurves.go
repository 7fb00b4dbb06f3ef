package portal

import (
	"cmp"
	"slices"
	"strconv"

	"huoban/internal/cycle"
	"huoban/internal/i18n"
	"huoban/internal/peak"
	"huoban/internal/sorted"
	"huoban/web/templates/expview"
)

// peakCurves draw the points of a month: over time, and by size with the part that was dropped.
func peakCurves(c *Ctx, r *peak.Details) []expview.Curve {
	if len(r.Days) == 0 {
		return nil
	}
	over := peakCurve(c, r, "time")
	begin := cycle.Cycle(r.Cycle).Start(cycle.Zone)
	for day := range peak.DaysOf(r.Cycle) {
		date := begin.AddDate(0, 0, day).Format("2006-01-02")
		if day%5 == 0 {
			over.Names = append(over.Names, expview.Name{At: day * peak.PointsPerDay, Text: date[5:]})
		}
		i, there := slices.BinarySearchFunc(r.Days, date, func(d peak.DayPoints, date string) int { return cmp.Compare(d.Date, date) })
		for slot := range peak.PointsPerDay {
			x := expview.Sample{Missing: true}
			if there && r.Days[i].Has(slot) {
				x = sampleOf(r, &r.Days[i], slot)
				if r.Days[i].Marks[slot] == peak.MarkBilling && r.Known() {
					over.At = len(over.Points)
				}
			}
			over.Points = append(over.Points, x)
		}
	}
	over.Note = c.T("peak.chart.note")
	if !r.Known() || r.Billing == nil || r.Hidden > 0 { // in order of size only what is whole can be shown
		return []expview.Curve{over}
	}
	rising := peakCurve(c, r, "sorted")
	for i := range r.Days {
		for slot := range peak.PointsPerDay {
			if d := &r.Days[i]; d.Has(slot) && d.Marks[slot] != peak.MarkIdle {
				rising.Points = append(rising.Points, sampleOf(r, d, slot))
			}
		}
	}
	sorted.By(rising.Points, func(a, b expview.Sample) int { return cmp.Compare(b.Size, a.Size) })
	for i := range rising.Points { // equal points are alike in a picture by size
		rising.Points[i].Dropped = i < r.Dropped
	}
	rising.At = r.Dropped
	for _, share := range []int{0, 25, 50, 75, 100} {
		rising.Names = append(rising.Names, expview.Name{At: share * max(0, len(rising.Points)-1) / 100, Text: strconv.Itoa(share) + "%"})
	}
	return []expview.Curve{over, rising}
}

func sampleOf(r *peak.Details, d *peak.DayPoints, slot int) expview.Sample {
	return expview.Sample{Size: d.Value(slot).Decimal().InexactFloat64(), Dropped: r.Known() && d.Marks[slot] == peak.MarkDropped}
}

func peakCurve(c *Ctx, r *peak.Details, key string) expview.Curve {
	highest := 0.0
	text := ""
	for i := range r.Days {
		for slot := range peak.PointsPerDay {
			if v := r.Days[i].Value(slot); r.Days[i].Has(slot) && (text == "" || v.Decimal().InexactFloat64() > highest) {
				highest, text = v.Decimal().InexactFloat64(), i18n.Exact(v)
			}
		}
	}
	x := expview.Curve{Title: c.T("peak.chart." + key), Unit: c.T("peak.chart.axis", "Unit", r.Unit), At: -1,
		Say: c.T("peak.chart.say", "From", r.Days[0].Date, "To", r.Days[len(r.Days)-1].Date, "Peak", text, "Unit", r.Unit)}
	if r.Known() && r.Billing != nil {
		x.Level, x.Label = r.Billing.Decimal().InexactFloat64(), c.T("peak.chart.billing", "Value", i18n.Exact(*r.Billing))
		x.Dropped, x.Kept = c.T("peak.chart.dropped", "Count", int64(r.Dropped)), c.T("peak.chart.kept")
	}
	return x
}
