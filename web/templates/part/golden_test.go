package part

import (
	"context"
	"flag"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/a-h/templ"
	"github.com/google/go-cmp/cmp"

	"huoban/internal/i18n"
	"huoban/internal/money"
)

var update = flag.Bool("update", false, "write the golden files anew")

func samples() map[string]templ.Component {
	link := &Link{Text: "L-1", Href: "/x"}
	dialog := &Dialog{Title: "D-1 ?", Points: []string{"a"}, Fields: []Field{{Name: "reason", Label: "R", Type: "textarea", Required: true}}, Confirm: "C", TypeName: "D-1"}
	return map[string]templ.Component{
		"amount":   Amount(MoneyOf(123456000000, "CNY").At("/why")),
		"parts":    tailOf(-373048),
		"badge":    Badge(1204),
		"status":   StatusOf(Status{ID: "s", Text: "S", Tone: Good, Meaning: "M", Next: "N", Due: "2026-11-25"}),
		"seal":     SealOf(Seal{Total: "¥1.00", Code: "AB-12"}),
		"share":    ShareOf(Share{Percent: "30.4%", Width: 130}),
		"items":    Items([]Item{{Label: "A", Text: "1", Mono: true}, {Label: "B", Text: "2", Href: "/b"}}),
		"flash":    FlashOf(Flash{Tone: Bad, Text: "T", Link: link}),
		"export":   ExportOf(Export{ID: "x", Intro: "I", Items: []ExportItem{{"XLSX", "2", "/xlsx", []Hidden{{"format", "xlsx"}}}}, Records: link, Note: "N"}),
		"dialog":   DialogOf(Button{Text: "C", Danger: true, Action: "/c", Dialog: dialog}, "d"),
		"change":   ChangeOf(Change{Title: "C", Rows: []Reason{{Name: "A", From: "F", Amount: SignedOf(300000000, "CNY").At("/a")}}, Total: SignedOf(300000000, "CNY")}),
		"total":    TotalOf(Total{Name: "T", Span: 3, Cells: []Money{PlainOf(100000000, "CNY"), PlainOf(-200000000, "CNY")}}),
		"tabs":     TabsOf("T", []Tab{{"A", "/a", true}, {"B", "/b", false}}),
		"note":     NoteOf(Warn, "N"),
		"bars":     ChartOf(sample(ChartBars)),
		"stacked":  ChartOf(live(sample(ChartStacked))),
		"lines":    ChartOf(sample(ChartLines)),
		"shares":   ChartOf(sample(ChartShare)),
		"empty":    EmptyOf(Empty{Title: "T", Text: "X", Button: link}),
		"header":   HeaderOf(Header{Crumbs: []Link{*link, {Text: "L-2"}}, Title: "T", Tags: []Tag{{Text: "G", Tone: Warn}}, Fresh: "F", Rules: "/rules", Label: "A", Amount: "¥1.00", Buttons: []Link{*link}}),
		"cycle":    CyclePickerOf(CyclePicker{Current: "2026-10", State: Tag{Text: "S"}, Prev: "/p", Year: "2026", PrevYear: "/y", This: "/t", Last: "/l", Months: []CycleMonth{{Name: "1", State: "S", Href: "/1", Current: true}, {Name: "2"}}}),
		"filter":   FilterOf(Filter{Action: "/f", Hidden: []Hidden{{"cycle", "2026-10"}}, Reset: "/r", Fields: []FilterField{{Name: "q", Label: "Q", Value: "v"}, {Name: "k", Label: "K", Value: "b", More: true, Options: []Option{{"a", "A"}, {"b", "B"}}}}}),
		"eye":      EyeOf(Eye{Action: "/names", Name: "C"}),
		"tool":     ToolOf(Tool{Count: "2", Conditions: []Condition{{Text: "C", Remove: "/c"}}, Refresh: "/r", Density: "/d", Columns: &Columns{Action: "/l", Items: []Column{{"a", "A", true}}}, Export: &Export{ID: "x", Intro: "I", Items: []ExportItem{{"CSV", "2", "/csv", []Hidden{{"format", "csv"}}}}, Records: &Link{Text: "R", Href: "/records"}}}),
		"pager":    PagerOf(Pager{Range: "1–2", Next: "/n", Seal: &Seal{Total: "¥1.00", Code: "AB-12"}, Sizes: []Tab{{"20", "", true}, {"50", "/50", false}}}),
		"equation": EquationOf(Equation{ID: "e", Title: "E", Terms: []Term{{Label: "A", Head: "¥1.00", Tail: "000001", Why: "/a"}, {Label: "B", Head: "−¥0.00", Tail: "000001"}}, Sum: Sum{Label: "S", Amount: "¥1.00", Why: "/s", Lines: []Link{{Text: "T"}}}}),
		"why":      WhyOf(Why{ID: "w", Title: "W", Proof: &Tag{Text: "P", Tone: Good}, Steps: []WhyStep{{Name: "N", Result: "R", Lines: []Item{{Label: "L", Text: "T", Mono: true}}}}, Source: &SourceRow{Title: "S", Cells: []Item{{Label: "c", Text: "<v>"}}}, Note: "N"}),
		"actions":  ActionsOf([]Button{{Text: "A", Primary: true, Action: "/a", Hidden: []Hidden{{"v", "1"}}}, {Text: "B", Off: true, Hint: "H", Cure: link}, {ID: "c", Text: "C", Danger: true, Action: "/c", Dialog: dialog}}),
		"field":    FieldOf(Field{Name: "n", Label: "N", Value: `"><b>`, Error: "E", Help: "H", Autocomplete: "off", Required: true, Numeric: true, MaxLength: 6}),
		"steps":    StepsOf([]Step{{Text: "A", State: StepDone}, {Text: "B", State: StepStop}, {Text: "C", Note: "N"}}),
		"timeline": TimelineOf([]Event{{Text: "A", When: "2026-10-01", Who: "W", Note: "N", Tone: Good}}),
		"checks":   ChecksOf([]Check{{Tone: Bad, Title: "A", Text: "T", Command: "portal x", Cure: link}, {Tone: Warn, Title: "B"}, {Tone: Good, Title: "C"}}),
		"refusal":  RefusalOf(Refusal{Title: "R", Text: "T", Steps: []string{"1", "2"}, Button: link}),
		"conflict": ConflictOf(Conflict{Text: "T", Rows: []ConflictRow{{"N", "1", "2"}}, Again: *link}),
	}
}

// sample has a figure below zero, one missing and an estimate.
func sample(kind ChartKind) Chart {
	c := Chart{ID: "c", Kind: kind, Title: "T", Head: "H", Names: []string{"2026-08", "2026-09", "2026-10"}, Note: "N", All: &Link{Text: "L", Href: "/all"},
		Series: []Series{{Name: "A", Points: []Point{{Size: 100, Text: "¥100.00", Label: "100", Href: "/a"}, {Size: -50, Text: "−¥50.00", Label: "−50"}, {Size: 200, Text: "¥200.00", Label: "200", On: true, Guess: true}}}}}
	if kind == ChartLines {
		c.Series = append(c.Series, Series{Name: "B", Points: []Point{{Size: 10, Text: "¥10.00"}, {Missing: true}, {Size: 30, Text: "¥30.00"}}})
	}
	return c
}

// TestGolden keeps the markup of every part; run with -update after a wanted change and read the diff.
func TestGolden(t *testing.T) {
	for name, c := range samples() {
		for _, l := range i18n.Langs {
			t.Run(name+"/"+string(l), func(t *testing.T) {
				var b strings.Builder
				if err := c.Render(i18n.With(context.Background(), l), &b); err != nil {
					t.Fatal(err)
				}
				got := strings.ReplaceAll(b.String(), "><", ">\n<") + "\n"
				path := filepath.Join("testdata", name+"."+string(l)+".html")
				if *update {
					if err := os.WriteFile(path, []byte(got), 0o644); err != nil {
						t.Fatal(err)
					}
				}
				want, err := os.ReadFile(path)
				if err != nil {
					t.Fatal(err)
				}
				if diff := cmp.Diff(string(want), got); diff != "" {
					t.Errorf("%s (-want +got):\n%s", path, diff)
				}
			})
		}
	}
}

func TestAmountsOfAMoneyAgree(t *testing.T) {
	m := MoneyOf(money.Amount(85888479373048), "CNY")
	if m.Text != "¥858,884.79" || m.Full != "¥858,884.79373048" {
		t.Errorf("%+v", m)
	}
	if s := SignedOf(100000000, "USD"); s.Text != "+$1.00" {
		t.Errorf("%+v", s)
	}
}

func TestUnknownIconIsNoticed(t *testing.T) {
	defer func() {
		if recover() == nil {
			t.Error("an unknown icon was drawn")
		}
	}()
	Icon("none")
}

func tailOf(a money.Amount) templ.Component {
	head, tail := i18n.MoneyParts(a, "CNY")
	return Parts(head, tail)
}
