package expview

import (
	"context"
	"math"
	"strconv"
	"strings"

	"huoban/web/templates/part"
)

// Curve is a picture of many points with the billing point across it. It says nothing the tables beside it do not have.
type Curve struct {
	Title   string
	Say     string   // the picture in words
	Unit    string   // of what stands upright
	Points  []Sample // in the order they are drawn
	Names   []Name   // below
	Level   float64  // of the billing point; 0 and no Label: not known
	Label   string
	At      int    // place of the billing point; -1 = not marked
	Dropped string // legend; "" = none is
	Kept    string
	Note    string

	left float64 // where it begins, right of its axis
	top  float64 // of its axis
}

// Sample is one point.
type Sample struct {
	Size    float64
	Missing bool
	Dropped bool
}

// Name stands below a point.
type Name struct {
	At   int
	Text string
}

// The picture's units.
const (
	curveWide, curveHigh = 720.0, 220.0
	curveRight           = 6.0
	curveTop, curveFoot  = 12.0, 24.0
)

func (c Curve) box() string { return "0 0 " + n1(curveWide) + " " + n1(curveHigh) }

func n1(f float64) string { return strconv.FormatFloat(math.Round(f*10)/10, 'f', -1, 64) }

// beside is the curve with room for the figures of its axis.
func (c Curve) beside(ctx context.Context) Curve {
	a := c.axis()
	c.top = a.High
	_, c.left = a.Texts(ctx)
	return c
}

func (c Curve) begins() string { return n1(c.left) }

func (c Curve) axis() part.Axis { return part.AxisOf(0, c.greatest(), false) }

func (c Curve) ticks(ctx context.Context) []part.Rung {
	return part.RungsAt(ctx, c.axis(), c.left, c.y)
}

func (c Curve) greatest() float64 {
	top := c.Level
	for _, p := range c.Points {
		top = max(top, p.Size)
	}
	return top
}

func (c Curve) x(at int) float64 {
	return c.left + (curveWide-c.left-curveRight)*float64(at)/float64(max(1, len(c.Points)-1))
}

func (c Curve) y(size float64) float64 {
	if c.top == 0 {
		return curveHigh - curveFoot
	}
	return curveHigh - curveFoot - (curveHigh-curveTop-curveFoot)*size/c.top
}

// runs are the stretches of the line. Of points that fall on one column the greatest and the smallest are drawn, so that no
// peak is lost and a month stays a small picture; a missing point breaks the line.
func (c Curve) runs() []string {
	var out []string
	var run []string
	end := func() {
		if len(run) > 1 {
			out = append(out, strings.Join(run, " "))
		}
		run = nil
	}
	for i := 0; i < len(c.Points); {
		if c.Points[i].Missing {
			end()
			i++
			continue
		}
		column, j := math.Floor(c.x(i)), i
		low, high := c.Points[i].Size, c.Points[i].Size
		for j < len(c.Points) && !c.Points[j].Missing && math.Floor(c.x(j)) == column {
			low, high = min(low, c.Points[j].Size), max(high, c.Points[j].Size)
			j++
		}
		x := n1(c.x(i))
		run = append(run, x+","+n1(c.y(high)))
		if low != high {
			run = append(run, x+","+n1(c.y(low)))
		}
		i = j
	}
	end()
	return out
}

// dropped are the areas under points that were taken away, one per stretch.
func (c Curve) dropped() []string {
	var out []string
	for i := 0; i < len(c.Points); {
		if !c.Points[i].Dropped {
			i++
			continue
		}
		j := i
		var area []string
		last := math.Inf(-1)
		for ; j < len(c.Points) && c.Points[j].Dropped; j++ {
			if x := c.x(j); x-last >= 1 || j == i {
				area, last = append(area, n1(x)+","+n1(c.y(c.Points[j].Size))), x
			}
		}
		foot := n1(c.y(0))
		out = append(out, n1(c.x(i))+","+foot+" "+strings.Join(area, " ")+" "+n1(max(c.x(j-1), c.x(i)+1))+","+foot)
		i = j
	}
	return out
}

type mark struct{ X, Y, Anchor string }

// billing is where the billing point stands.
func (c Curve) billing() mark {
	m := mark{n1(c.x(max(0, c.At))), n1(c.y(c.Level)), "start"}
	if c.x(max(0, c.At)) > curveWide*0.6 {
		m.Anchor = "end"
	}
	return m
}

func (c Curve) foot() string { return n1(c.y(0)) }

func (c Curve) names() []mark {
	var out []mark
	for _, n := range c.Names {
		m := mark{n1(c.x(n.At)), n1(curveHigh - 6), "middle"}
		switch x := c.x(n.At); {
		case x < c.left+30:
			m.Anchor, m.X = "start", n1(c.left)
		case x > curveWide-30:
			m.Anchor, m.X = "end", n1(curveWide-curveRight)
		}
		out = append(out, m)
	}
	return out
}
