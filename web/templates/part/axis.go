package part

import (
	"context"
	"math"

	"huoban/internal/i18n"
)

// Axis is what stands upright beside a picture: few round figures, the least and the greatest of which hold everything
// that is drawn. Zero is always one of them.
type Axis struct{ Low, High, Step float64 }

// axisParts is about how many parts an axis has.
const axisParts = 4

// AxisOf is the axis of figures between two; of things that are counted none stands between two whole ones.
func AxisOf(low, high float64, counted bool) Axis {
	low, high = min(0, low), max(0, high)
	if low == high || math.IsInf(high-low, 0) || math.IsNaN(high-low) {
		return Axis{}
	}
	rough := (high - low) / axisParts
	unit := math.Pow(10, math.Floor(math.Log10(rough)))
	step := 10 * unit
	for _, n := range []float64{1, 2, 5} {
		if n*unit >= rough*0.8 {
			step = n * unit
			break
		}
	}
	if counted {
		step = max(1, step)
	}
	const near = 1e-9 // a figure that is a tick itself stays below no further one
	return Axis{Low: math.Floor(low/step+near) * step, High: math.Ceil(high/step-near) * step, Step: step}
}

// Values are its figures, the lowest first.
func (a Axis) Values() []float64 {
	if a.Step == 0 {
		return []float64{0}
	}
	var out []float64
	for n := math.Round(a.Low / a.Step); n <= math.Round(a.High/a.Step); n++ {
		out = append(out, n*a.Step)
	}
	return out
}

// Texts are its figures as people write them, and how much room they take.
func (a Axis) Texts(ctx context.Context) (texts []string, wide float64) {
	texts = i18n.Ticks(ctx, a.Values())
	for _, t := range texts {
		w := 0.0
		for _, r := range t {
			if w += tickDigit; r >= 0x2e80 {
				w += tickDigit
			}
		}
		wide = max(wide, w)
	}
	return texts, wide + tickGap
}

// On small screens the letters of a picture are larger, and an axis has room for those.
const tickDigit, tickGap = 8.0, 8.0

// Rung is one figure of an axis with the line it stands at.
type Rung struct{ X, Y, Base, Text string }

// RungsAt are the figures of an axis in a picture, left of where it begins.
func RungsAt(ctx context.Context, a Axis, left float64, y func(size float64) float64) []Rung {
	texts, _ := a.Texts(ctx)
	out := make([]Rung, len(texts))
	for i, v := range a.Values() {
		at := y(v)
		out[i] = Rung{X: n1(left - tickGap), Y: n1(at), Base: n1(at + 4), Text: texts[i]}
	}
	return out
}
