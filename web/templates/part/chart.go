package part

import (
	"context"
	"fmt"
	"math"
	"strconv"
	"strings"

	"github.com/a-h/templ"
)

// ChartKind is how a chart draws its figures.
type ChartKind string

// The kinds: upright bars beside each other or upon each other, lines over the same points, or the parts of one
// whole.
const (
	ChartBars    ChartKind = "bars"
	ChartStacked ChartKind = "stacked"
	ChartLines   ChartKind = "lines"
	ChartShare   ChartKind = "share"
)

// MaxGroups is how many series, or parts of a whole, can be told apart; the caller adds up the rest.
const MaxGroups = 7

// Chart is a picture drawn by the server with the table of the same figures below it. Nothing is said by
// the picture alone: the table has every figure in full, a missing one as nothing, and an estimate is
// outlined. Works without script, in print and in both themes.
type Chart struct {
	ID     string // unique on the page
	Kind   ChartKind
	Title  string   // what is drawn; caption of the table
	Head   string   // what the names are: 账期, 产品
	Names  []string // one per point, as the table writes them
	Short  []string // the same under the picture; nil = Names
	Series []Series // at most MaxGroups; ChartShare takes one
	Note   string   // unit of the labels, what an outline means
	Open   bool     // the table stands open
	Wide   bool     // it has the whole width of the page
	Live   bool     // a point of the picture opens what its figure in the table opens
	All    *Link    // a page with more of the same

	left float64 // where it begins, right of its axis
}

// Series is one row of figures, a point for each name.
type Series struct {
	Name   string // heading of its column
	Points []Point
	Guess  bool // all of it is estimated
}

// swatch is the class of its sign in the legend.
func (s Series) swatch(k int) string {
	if s.Guess {
		return "guess"
	}
	return "c" + strconv.Itoa(k+1)
}

// Point is one figure. Size draws it and is compared only with the others of the chart; Text is the figure
// itself.
type Point struct {
	Size    float64
	Text    string
	Full    string // with all decimals, where Text is shorter
	Label   string // short, above a bar; "" = none
	Href    string // opens what it is made of
	On      bool   // the one the page is about
	Guess   bool   // an estimate
	Missing bool   // there is none
}

// The picture's units: wide enough for a year and a half of bars beside half a page.
const (
	chartWide, chartHigh = 460.0, 232.0
	chartTop, chartFoot  = 18.0, 24.0
	digitWide            = 6.8 // of the 12 px type
)

func n1(f float64) string { return strconv.FormatFloat(math.Round(f*10)/10, 'f', -1, 64) }

// beside is the chart with room for the figures of its axis.
func (c Chart) beside(ctx context.Context) Chart {
	_, c.left = c.axis().Texts(ctx)
	return c
}

// axis holds all that is drawn.
func (c Chart) axis() Axis {
	low, high, counted := 0.0, 0.0, true
	for i := range c.Names {
		up, down := c.stack(i, len(c.Series))
		low, high = min(low, down), max(high, up)
	}
	for _, s := range c.Series {
		for _, p := range s.Points {
			if !p.Missing {
				low, high, counted = min(low, p.Size), max(high, p.Size), counted && p.Size == math.Trunc(p.Size)
			}
		}
	}
	return AxisOf(low, high, counted)
}

// scale tells where zero lies, and units per size.
func (c Chart) scale() (zero, per float64) {
	a := c.axis()
	if a.Step == 0 {
		return chartHigh - chartFoot, 0
	}
	per = (chartHigh - chartTop - chartFoot) / (a.High - a.Low)
	return chartTop + a.High*per, per
}

func (c Chart) ticks(ctx context.Context) []Rung {
	zero, per := c.scale()
	return RungsAt(ctx, c.axis(), c.left, func(size float64) float64 { return zero - size*per })
}

// middle is where the point of a name stands.
func (c Chart) middle(i int) float64 { return c.left + c.step()*(float64(i)+0.5) }

// stack is how far the first n series of a stacked chart reach above and below zero at a name.
func (c Chart) stack(i, n int) (up, down float64) {
	if c.Kind != ChartStacked {
		return 0, 0
	}
	for _, s := range c.Series[:n] {
		if i < len(s.Points) && !s.Points[i].Missing {
			up, down = up+max(0, s.Points[i].Size), down+min(0, s.Points[i].Size)
		}
	}
	return up, down
}

func (c Chart) step() float64 { return (c.wide() - c.left) / float64(max(1, len(c.Names))) }

func (c Chart) wide() float64 {
	if c.Wide {
		return 2.4 * chartWide
	}
	return chartWide
}

type chartName struct{ X, Y, Text string }

// names are those under the picture that fit; the last always stands.
func (c Chart) names() []chartName {
	texts := c.Short
	if texts == nil {
		texts = c.Names
	}
	longest := 1
	for _, t := range texts {
		longest = max(longest, len([]rune(t)))
	}
	step := c.step()
	every := max(1, int(math.Ceil(float64(longest)*7.4/step)))
	var out []chartName
	for i, t := range texts {
		if (len(texts)-1-i)%every == 0 {
			out = append(out, chartName{n1(c.middle(i)), n1(chartHigh - 6), t})
		}
	}
	return out
}

type chartBar struct {
	X, Y, W, H, Class string
	Mid, Above        string
	Label, Say, Href  string
}

// link is where a point of the picture leads.
func (c Chart) link(p Point) string {
	if !c.Live {
		return ""
	}
	return p.Href
}

// role is that of the picture: one with links has parts of its own.
func (c Chart) role() string {
	if c.Live {
		return "group"
	}
	return "img"
}

// stacked are bars upon each other; what is below zero hangs from it.
func (c Chart) stacked() []chartBar {
	zero, per := c.scale()
	step := c.step()
	wide := min(step*0.6, 44)
	var out []chartBar
	for k, s := range c.Series {
		for i, p := range s.Points {
			if p.Missing || i >= len(c.Names) || p.Size == 0 {
				continue
			}
			up, down := c.stack(i, k)
			top := zero - (up+p.Size)*per
			if p.Size < 0 {
				top = zero - down*per
			}
			out = append(out, chartBar{X: n1(c.middle(i) - wide/2), Y: n1(top), W: n1(wide), H: n1(max(0.6, math.Abs(p.Size)*per)), Class: c.class(k, p),
				Say: strings.TrimSpace(c.Names[i] + " " + s.Name + " " + p.Text), Href: c.link(p)})
		}
	}
	return out
}

func (c Chart) bars() []chartBar {
	zero, per := c.scale()
	step := c.step()
	wide := min(step*0.72, 44) / float64(max(1, len(c.Series)))
	highest := math.Inf(-1)
	for _, s := range c.Series {
		for _, p := range s.Points {
			if !p.Missing {
				highest = max(highest, p.Size)
			}
		}
	}
	var out []chartBar
	for k, s := range c.Series {
		for i, p := range s.Points {
			if p.Missing || i >= len(c.Names) {
				continue
			}
			left := c.middle(i) + wide*(float64(k)-float64(len(c.Series))/2)
			high := math.Abs(p.Size) * per
			top := zero - max(0, p.Size)*per
			b := chartBar{X: n1(left), Y: n1(top), W: n1(max(1, wide-1)), H: n1(high), Class: c.class(k, p), Mid: n1(left + wide/2), Above: n1(top - 5),
				Say: strings.TrimSpace(c.Names[i] + " " + s.Name + " " + p.Text), Href: c.link(p)}
			// The highest bar has nothing beside its label, and the page's own is what one looks for; the others' must not touch.
			if p.Size == highest || p.On || float64(len([]rune(p.Label)))*digitWide <= step+2 {
				b.Label = p.Label
			}
			out = append(out, b)
		}
	}
	return out
}

// class names the colour: one series is the brand's, of which the page's own point stands out.
func (c Chart) class(k int, p Point) string {
	class := "c" + strconv.Itoa(k+1)
	if len(c.Series) == 1 && c.Kind == ChartBars {
		class = "one"
		if p.On {
			class = "on"
		}
	}
	if p.Guess {
		class += " guess"
	}
	return class
}

type chartLine struct {
	Class string
	Runs  []string // unbroken stretches, a missing point breaks one
	Dots  []chartBar
}

func (c Chart) lines() []chartLine {
	zero, per := c.scale()
	var out []chartLine
	for k, s := range c.Series {
		line := chartLine{Class: "c" + strconv.Itoa(k+1)}
		run := []string{}
		end := func() {
			if len(run) > 1 {
				line.Runs = append(line.Runs, strings.Join(run, " "))
			}
			run = run[:0]
		}
		for i, p := range s.Points {
			if p.Missing || i >= len(c.Names) {
				end()
				continue
			}
			x, y := n1(c.middle(i)), n1(zero-p.Size*per)
			run = append(run, x+","+y)
			class := line.Class
			if p.Guess {
				class += " guess"
			}
			line.Dots = append(line.Dots, chartBar{X: x, Y: y, Class: class, Say: strings.TrimSpace(c.Names[i] + " " + s.Name + " " + p.Text), Href: c.link(p)})
		}
		end()
		out = append(out, line)
	}
	return out
}

type chartPart struct {
	X, W, Class string
	Name, Share string
	Say, Href   string
	Text        string // the figure
}

// parts divide the whole; what is not above zero has no part in the picture and stands in the table.
func (c Chart) parts() []chartPart {
	if len(c.Series) == 0 {
		return nil
	}
	whole := 0.0
	for _, p := range c.Series[0].Points {
		whole += max(0, p.Size)
	}
	var out []chartPart
	x := 0.0
	for i, p := range c.Series[0].Points {
		if p.Missing || p.Size <= 0 || whole == 0 || i >= len(c.Names) {
			continue
		}
		w := p.Size / whole * 100
		share := fmt.Sprintf("%.1f%%", w)
		out = append(out, chartPart{X: n2(x) + "%", W: n2(max(0.2, w-0.25)) + "%", Class: "c" + strconv.Itoa(i%MaxGroups+1), Name: c.Names[i], Share: share,
			Say: c.Names[i] + " " + share + " " + p.Text, Href: c.link(p), Text: p.Text})
		x += w
	}
	return out
}

func n2(f float64) string { return strconv.FormatFloat(math.Round(f*100)/100, 'f', -1, 64) }

// zero is the line the bars stand on.
func (c Chart) zero() string {
	zero, _ := c.scale()
	return n1(zero)
}

func (c Chart) begins() string { return n1(c.left) }

func (c Chart) box() string { return "0 0 " + n1(c.wide()) + " " + n1(chartHigh) }

// fully has all decimals of a figure at hand where its text is shorter.
func fully(p Point) templ.Attributes {
	if p.Full == "" || p.Full == p.Text {
		return nil
	}
	return templ.Attributes{"title": p.Full}
}
