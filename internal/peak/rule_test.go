package peak

import (
	"math/rand/v2"
	"slices"
	"testing"

	"huoban/internal/cycle"
	"huoban/internal/money"
)

// day makes one of points by slot, whole numbers.
func day(points ...int64) *Day {
	d := &Day{}
	for slot, v := range points {
		if v >= 0 {
			d.Put(slot, v, 0)
		}
	}
	return d
}

// full is a day of 288 points begun by some, the others equal.
func full(rest int64, first ...int64) *Day {
	points := slices.Repeat([]int64{rest}, PointsPerDay)
	copy(points, first)
	return day(points...)
}

func days(n int, d *Day) []*Day { return slices.Repeat([]*Day{d}, n) }

// falling is a day of the points 288, 287 … 1, added to base.
func falling(base int64) *Day {
	points := make([]int64, PointsPerDay)
	for i := range points {
		points[i] = base + int64(PointsPerDay-i)
	}
	return day(points...)
}

func ascending(n int) (out []*Day) { // day k has the points 288·k+1 … 288·k+288
	for k := range n {
		out = append(out, falling(int64(PointsPerDay*k)))
	}
	return out
}

// The cases are computed by hand from the sentence of the rule.
func TestBillingPoint(t *testing.T) {
	for _, c := range []struct {
		name                              string
		days                              []*Day
		points, effective, dropped, count int
		billing, peak                     string
	}{
		{"nothing delivered", nil, 0, 0, 0, 0, "", ""},
		{"no traffic at all", days(3, full(0)), 864, 0, 0, 0, "", ""},
		{"one point", []*Day{day(7)}, 1, 1, 0, 1, "7", "7"},
		{"one point of nothing", []*Day{day(0)}, 1, 0, 0, 0, "", ""},
		{"nineteen points: none goes", []*Day{day(1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17, 18, 19)}, 19, 19, 0, 1, "19", "19"},
		{"twenty points: one goes", []*Day{day(1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17, 18, 19, 20)}, 20, 20, 1, 1, "19", "20"},
		{"thirty-nine: still one", []*Day{day(slices.Repeat([]int64{5}, 38)...), day(9)}, 39, 39, 1, 2, "5", "9"},
		{"a day: 14 of 288 go", []*Day{falling(0)}, 288, 288, 14, 1, "274", "288"},
		// 31 × 288 = 8,928 points from 1 to 8,928; 446.4 is 446 of them; the 447th from above is 8,482
		{"31 days", ascending(31), 8928, 8928, 446, 31, "8482", "8928"},
		// 30 × 288 = 8,640; 432 go exactly
		{"30 days", ascending(30), 8640, 8640, 432, 30, "8208", "8640"},
		// February: 28 × 288 = 8,064; 403.2 is 403
		{"28 days", ascending(28), 8064, 8064, 403, 28, "7661", "8064"},
		// days without traffic leave with all their points: 14 effective days are 4,032 points, of which 201 go
		{"14 effective days of 31", append(ascending(14), days(17, full(0))...), 8928, 4032, 201, 14, "3831", "4032"},
		// a day with a single point above zero is effective with its 287 zeros
		{"a day with one busy point", []*Day{full(0, 0, 0, 9)}, 288, 288, 14, 1, "0", "9"},
		{"ties: all equal", days(31, full(42)), 8928, 8928, 446, 31, "42", "42"},
		// 446 points of 90 above and the rest 80: just all of them go
		{"ties at the edge: the last dropped", append(days(29, full(80)), full(90), full(80, slices.Repeat([]int64{90}, 158)...)), 8928, 8928, 446, 31, "80", "90"},
		{"ties at the edge: one more stays", append(days(29, full(80)), full(90), full(80, slices.Repeat([]int64{90}, 159)...)), 8928, 8928, 446, 31, "90", "90"},
		// missing points are none: 200 points, 10 go
		{"missing points", []*Day{day(append(slices.Repeat([]int64{-1}, 88), slices.Repeat([]int64{3}, 200)...)...)}, 200, 200, 10, 1, "3", "3"},
	} {
		r := Compute(c.days)
		if r.Points != c.points || r.Effective != c.effective || r.Dropped != c.dropped || r.Days != c.count || (opt{r.Billing}).String() != c.billing || (opt{r.Peak}).String() != c.peak {
			t.Errorf("%s: %+v, billing %s, peak %s", c.name, r, opt{r.Billing}, opt{r.Peak})
		}
		counts := map[Mark]int{}
		marks := Marks(c.days, r)
		for i, d := range c.days {
			for slot := range PointsPerDay {
				if !d.Has(slot) {
					continue
				}
				m := marks[i][slot]
				counts[m]++
				if m == MarkBilling && !d.Value(slot).Equal(*r.Billing) || m == MarkDropped && d.Value(slot).Cmp(*r.Billing) < 0 || m == MarkCounted && d.Value(slot).Cmp(*r.Billing) > 0 {
					t.Errorf("%s: point %d of day %d is %s and marked %d", c.name, slot, i, d.Value(slot), m)
				}
			}
		}
		if one := min(1, c.effective); counts[MarkDropped] != c.dropped || counts[MarkBilling] != one || counts[MarkIdle] != c.points-c.effective {
			t.Errorf("%s: marks %v", c.name, counts)
		}
	}
}

func TestEffectiveDays(t *testing.T) {
	for points, want := range map[int]string{0: "0", 1: "0.00347222222222222222", 144: "0.5", 200: "0.69444444444444444444", 288: "1", 4032: "14", 8928: "31", 8927: "30.99652777777777777778"} {
		r := Result{Effective: points}
		if got := r.EffectiveDays(); got.String() != want {
			t.Errorf("%d points: %s, not %s", points, got, want)
		}
	}
}

func TestFee(t *testing.T) {
	x := money.MustExact
	for _, c := range []struct {
		point, price, discount string
		effective              int
		at                     cycle.Cycle
		want                   string
	}{
		{"100", "30", "1", 8928, "2026-01", "3000"},                               // a full month costs a whole one
		{"100", "30", "0.85", 8928, "2026-01", "2550"},                            //
		{"100", "30", "1", 4032, "2026-01", "1354.83870968"},                      // 3000 × 14 ÷ 31
		{"100", "30", "1", 1, "2026-01", "0.33602151"},                            // 3000 ÷ 8928
		{"100", "30", "1", 8064, "2026-02", "3000"},                               // 28 days
		{"100", "30", "1", 8352, "2028-02", "3000"},                               // 29 days
		{"123.456", "18.5", "0.9", 8640, "2026-04", "2055.5424"},                  //
		{"0", "18.5", "0.9", 8640, "2026-04", "0"},                                //
		{"1", "0.00000001", "0.5", 8928, "2026-01", "0.00000001"},                 // half away from zero
		{"0.000000000001", "1000000", "1", 8928, "2026-12", "0.000001"},           //
		{"99999.999999", "99.99999999", "1", 8927, "2026-01", "9998879.92721554"}, // by long division
	} {
		m := Month{Cycle: c.at}
		point, price, discount := x(c.point), x(c.price), x(c.discount)
		m.Billing, m.Price = &point, Price{Unit: &price, Discount: &discount, Currency: "CNY"}
		m.Effective = c.effective
		fee, err := m.Fee()
		if err != nil || fee == nil {
			t.Fatal(err)
		}
		if fee.String() != c.want {
			t.Errorf("%+v: %s", c, fee)
		}
	}
	for _, m := range []Month{{}, {Price: Price{Currency: "CNY"}}} {
		if fee, err := m.Fee(); fee != nil || err != nil {
			t.Errorf("a fee without price: %v %v", fee, err)
		}
	}
}

// TestManyResources finds the billing points of 1,000 resources of a month and compares each with a plain sort.
func TestManyResources(t *testing.T) {
	rnd := rand.New(rand.NewPCG(7, 95))
	for resource := range 1000 {
		month := make([]*Day, 31)
		var all []int64
		for k := range month {
			points := make([]int64, PointsPerDay)
			for i := range points {
				switch resource % 4 {
				case 0:
					points[i] = rnd.Int64N(1_000_000)
				case 1: // many ties
					points[i] = rnd.Int64N(5)
				case 2: // as good as sorted
					points[i] = int64(k*PointsPerDay + i)
				default: // idle nearly always
					points[i] = max(0, rnd.Int64N(1000)-980)
				}
			}
			month[k] = day(points...)
			if slices.Max(points) > 0 {
				all = append(all, points...)
			}
		}
		r := Compute(month)
		slices.Sort(all)
		slices.Reverse(all)
		if want := all[len(all)/20]; !r.Billing.Equal(money.Amount(want*1e8).Exact()) || r.Effective != len(all) {
			t.Fatalf("resource %d: %s of %d points, a sort says %d", resource, r.Billing, r.Effective, want)
		}
	}
}

func TestNthAgainstSort(t *testing.T) {
	rnd := rand.New(rand.NewPCG(1, 2))
	for range 3000 {
		points := make([]int64, 1+rnd.IntN(80))
		top := 1 + rnd.Int64N(40)
		for i := range points {
			points[i] = rnd.Int64N(top)
		}
		sorted := slices.Clone(points)
		slices.Sort(sorted)
		slices.Reverse(sorted)
		n := rnd.IntN(len(points))
		if got := nth(slices.Clone(points), n); got != sorted[n] {
			t.Fatalf("place %d of %v: %d, not %d", n, points, got, sorted[n])
		}
	}
}

// Sizes too different for one scale are compared all the same.
func TestWideScales(t *testing.T) {
	small, large := &Day{}, &Day{}
	small.Put(0, 123456789, 12)
	large.Put(0, 123456789012345678, 0)
	r := Compute([]*Day{small, large})
	if r.Billing.String() != "123456789012345678" || r.Peak.String() != "123456789012345678" {
		t.Errorf("%s %s", r.Billing, r.Peak)
	}
}

func TestPack(t *testing.T) {
	rnd := rand.New(rand.NewPCG(3, 4))
	for range 200 {
		var d Day
		for slot := range PointsPerDay {
			if rnd.IntN(10) > 0 {
				d.Put(slot, rnd.Int64N(1e9), uint8(rnd.IntN(4)))
			}
		}
		var back Day
		if err := back.Unpack(d.Pack()); err != nil || back != d {
			t.Fatalf("%v\n%v\n%v", err, d, back)
		}
	}
	packed := falling(1000).Pack()
	if len(packed) > 400 {
		t.Errorf("%d bytes", len(packed))
	}
	var d Day
	for n := range packed {
		if err := d.Unpack(packed[:n]); err == nil {
			t.Errorf("the first %d bytes are read as a day", n)
		}
	}
	if d.Unpack(append(packed, 0)) == nil || d.Unpack(append([]byte{9}, packed[1:]...)) == nil {
		t.Error("what is no day is read as one")
	}
}

func TestPut(t *testing.T) {
	var d Day
	d.Put(0, 12, 0)
	d.Put(1, 3450, 3)
	if d.Scale != 2 || d.Value(0).String() != "12" || d.Value(1).String() != "3.45" || d.Len() != 2 {
		t.Errorf("%d %s %s", d.Scale, d.Value(0), d.Value(1))
	}
	if known, _ := d.Put(0, 13, 0); !known || d.Value(0).String() != "12" || !d.Same(0, 1200, 2) || d.Same(0, 13, 0) {
		t.Error("the second value of a point stands")
	}
	if _, wide := d.Put(2, 100000000000000001, 0); !wide || d.Has(2) {
		t.Error("a point too long for its day is taken")
	}
	if _, wide := d.Put(3, 1, 12); wide || d.Value(0).String() != "12" {
		t.Error("a fine point spoils the day")
	}
}

func BenchmarkCompute(b *testing.B) {
	month := ascending(31)
	for b.Loop() {
		Compute(month)
	}
}
