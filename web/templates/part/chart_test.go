package part

import (
	"strconv"
	"testing"
)

func number(t *testing.T, text string) float64 {
	t.Helper()
	f, err := strconv.ParseFloat(text, 64)
	if err != nil {
		t.Fatal(err)
	}
	return f
}

func TestBarsStandOnZeroAndInScale(t *testing.T) {
	c := sample(ChartBars)
	bars, zero := c.bars(), number(t, c.zero())
	if len(bars) != 3 {
		t.Fatalf("%d bars", len(bars))
	}
	near := func(a, b float64) bool { return a-b < 0.2 && b-a < 0.2 }
	if first := bars[0]; !near(number(t, first.Y)+number(t, first.H), zero) {
		t.Errorf("a bar above zero ends at %s + %s, zero is %v", first.Y, first.H, zero)
	}
	if below := bars[1]; !near(number(t, below.Y), zero) {
		t.Errorf("a bar below zero begins at %s, zero is %v", below.Y, zero)
	}
	if !near(number(t, bars[2].H), 2*number(t, bars[0].H)) || !near(number(t, bars[0].H), 2*number(t, bars[1].H)) {
		t.Errorf("heights are %s, %s and %s of 100, −50 and 200", bars[0].H, bars[1].H, bars[2].H)
	}
	for _, b := range bars {
		if y := number(t, b.Y); y < 0 || y+number(t, b.H) > chartHigh {
			t.Errorf("%s leaves the picture", b.Say)
		}
	}
}

func TestAMissingPointBreaksTheLine(t *testing.T) {
	c := sample(ChartLines)
	lines := c.lines()
	if len(lines[0].Runs) != 1 || len(lines[0].Dots) != 3 {
		t.Errorf("a whole line has %d runs and %d dots", len(lines[0].Runs), len(lines[0].Dots))
	}
	if len(lines[1].Runs) != 0 || len(lines[1].Dots) != 2 {
		t.Errorf("two points with a gap between have %d runs and %d dots", len(lines[1].Runs), len(lines[1].Dots))
	}
}

func TestSharesAreOfWhatIsAboveZero(t *testing.T) {
	c := sample(ChartShare)
	parts := c.parts()
	if len(parts) != 2 || parts[0].Share != "33.3%" || parts[1].Share != "66.7%" {
		t.Errorf("the parts are %+v", parts)
	}
	c.Series[0].Points = []Point{{Size: 0, Text: "0"}}
	if got := c.parts(); len(got) != 0 {
		t.Errorf("nothing is divided into %+v", got)
	}
}

func TestNamesDoNotRunIntoEachOther(t *testing.T) {
	var c Chart
	for range 18 {
		c.Names = append(c.Names, "2026-10")
	}
	names := c.names()
	for i := 1; i < len(names); i++ {
		if gap := number(t, names[i].X) - number(t, names[i-1].X); gap < 7*7 {
			t.Errorf("names stand %v apart", gap)
		}
	}
	if last := names[len(names)-1]; number(t, last.X) < chartWide*0.9 {
		t.Error("the last name is left out")
	}
	if got := (Chart{Series: []Series{{Points: []Point{{Size: 0}}}}}).bars(); len(got) != 0 {
		t.Errorf("no names, %d bars", len(got))
	}
}

// The figure on the highest bar is what one looks for; it never gives way.
func TestTheHighestBarIsLabelled(t *testing.T) {
	c := Chart{Kind: ChartBars, Series: []Series{{}}}
	for i := range 18 {
		c.Names = append(c.Names, strconv.Itoa(i))
		c.Series[0].Points = append(c.Series[0].Points, Point{Size: float64(900 + i*10), Label: strconv.Itoa(900 + i*10)})
	}
	c.Series[0].Points[7] = Point{Size: 123456, Label: "123456"}
	bars := c.bars()
	if bars[7].Label != "123456" || bars[17].Label != "1070" {
		t.Errorf("the labels are %q and %q", bars[7].Label, bars[17].Label)
	}
	c.Series[0].Points[3].Label = "9999999"
	if got := c.bars()[3].Label; got != "" {
		t.Errorf("%q stands over its neighbours", got)
	}
}

// live lets the picture lead where its table does.
func live(c Chart) Chart {
	c.Live = true
	return c
}

func TestStackedBarsStandOnEachOther(t *testing.T) {
	c := Chart{Kind: ChartStacked, Live: true, Names: []string{"a", "b"}, Series: []Series{
		{Name: "x", Points: []Point{{Size: 100, Href: "/x"}, {Size: 50}}}, {Name: "y", Points: []Point{{Size: 200}, {Size: -25}}}, {Name: "z", Points: []Point{{Size: 0}, {Size: -25}}}}}
	bars, zero := c.stacked(), number(t, c.zero())
	if len(bars) != 5 {
		t.Fatalf("%d bars, nothing is drawn of zero", len(bars))
	}
	near := func(a, b float64) bool { return a-b < 0.3 && b-a < 0.3 }
	foot := func(b chartBar) float64 { return number(t, b.Y) + number(t, b.H) }
	if !near(foot(bars[0]), zero) || !near(foot(bars[2]), number(t, bars[0].Y)) {
		t.Errorf("the second stands at %v, the first ends at %s, zero is %v", foot(bars[2]), bars[0].Y, zero)
	}
	if !near(number(t, bars[3].Y), zero) || !near(number(t, bars[4].Y), foot(bars[3])) {
		t.Errorf("below zero the first hangs from %s, the second from %s", bars[3].Y, bars[4].Y)
	}
	for _, b := range bars {
		if y := number(t, b.Y); y < 0 || foot(b) > chartHigh {
			t.Errorf("%s leaves the picture", b.Say)
		}
	}
	if bars[0].Href != "/x" || bars[1].Href != "" || c.role() != "group" {
		t.Errorf("links are %q and %q in a %s", bars[0].Href, bars[1].Href, c.role())
	}
	if c.Live = false; c.stacked()[0].Href != "" || c.role() != "img" {
		t.Error("a picture that is not live has links")
	}
}
