package part

import (
	"cmp"
	"context"
	"strconv"

	"github.com/a-h/templ"

	"huoban/internal/i18n"
	"huoban/internal/money"
)

// Tone is the colour of a status or note; it never stands without a word.
type Tone string

// The tones. Warn: the reader's side must act or a clock runs; Brand: work goes on here; Good: done;
// Bad: refused; Grey: ended; Run: a job is running.
const (
	Grey  Tone = ""
	Good  Tone = "good"
	Warn  Tone = "warn"
	Bad   Tone = "bad"
	Brand Tone = "brand"
	Run   Tone = "run"
)

// Link is a word that leads somewhere.
type Link struct {
	Text string
	Href string
}

// Hidden is a hidden field of a form.
type Hidden struct{ Name, Value string }

// Money is an amount ready to show: two decimals, all eight as title, and optionally the link to why.
type Money struct {
	Text string // "¥1,234.56"
	Full string // "¥1,234.56000000"; "" if Text is all there is
	Href string // opens why this amount
}

// MoneyOf shows an amount with its currency.
func MoneyOf(a money.Amount, currency string) Money {
	return Money{Text: i18n.Money(a, currency), Full: i18n.Money8(a, currency)}
}

// PlainOf shows an amount under a head that names the currency.
func PlainOf(a money.Amount, currency string) Money {
	return Money{Text: i18n.MoneyPlain(a, currency), Full: i18n.Money8(a, currency)}
}

// SignedOf shows a change.
func SignedOf(a money.Amount, currency string) Money {
	return Money{Text: i18n.MoneySigned(a, currency), Full: i18n.Money8(a, currency)}
}

// At gives the amount a link to its explanation.
func (m Money) At(href string) Money { m.Href = href; return m }

// Tag is a small label.
type Tag struct {
	Text string
	Tone Tone
}

// Status is a dot and a word. With Meaning it opens to what the word means, what comes next and by
// when; then ID must be unique on the page.
type Status struct {
	ID      string
	Text    string
	Tone    Tone
	Meaning string
	Next    string
	Due     string
}

// Seal is the total and short code that page, export and PDF share.
type Seal struct {
	Total string
	Code  string
}

// Item is a named fact.
type Item struct {
	Label string
	Text  string
	Mono  bool
	Href  string
	Wide  bool // it takes the room of two
	Note  string
}

// wide is how a fact takes the room of two.
func (it Item) wide() templ.Attributes {
	if !it.Wide {
		return nil
	}
	return templ.Attributes{"class": "wide"}
}

// Share is a part of a whole, for a bar: Percent as shown, Width 0…100 relative to the largest.
type Share struct {
	Percent string
	Width   int
}

func (s Share) svg() string { return strconv.Itoa(max(0, min(100, s.Width))) + "%" }

// Header is the top of a page: where one is, its name, how fresh it is, and on the right the cycle
// picker or the document's key amount.
type Header struct {
	Crumbs  []Link // the last one is the page itself, without Href
	Title   string
	Tags    []Tag
	Status  *Status
	Fresh   string
	Rules   string // address of the explanation of the rules; "" = none
	Cycle   *CyclePicker
	Label   string // key amount, top right
	Amount  string
	Buttons []Link // the first is primary
	Plain   bool   // none of them is: they lead to what is set
}

// CyclePicker is ‹ cycle [state] › with a panel of twelve months.
type CyclePicker struct {
	Current  string // "2026-10"
	State    Tag
	Prev     string // addresses; "" = there is none
	Next     string
	Year     string
	PrevYear string
	NextYear string
	This     string
	Last     string
	Months   []CycleMonth
	Note     string
}

// CycleMonth is one month of the panel; without Href it is plain text, as future months are.
type CycleMonth struct {
	Name    string
	State   string
	Href    string
	Current bool
}

// Tab is one tab of a document.
type Tab struct {
	Text    string
	Href    string
	Current bool
}

// Filter is a GET form over a list.
type Filter struct {
	Action string
	Hidden []Hidden
	Fields []FilterField
	Reset  string
}

// FilterField is a text field, or a choice if Options are given.
type FilterField struct {
	Name    string
	Label   string
	Value   string
	Hint    string
	Options []Option
	More    bool // folded away on a phone
}

// Option is a choice.
type Option struct {
	Value string
	Label string
}

// Condition is an active filter that can be taken off.
type Condition struct {
	Text   string
	Remove string // "" = fixed
}

// Tool is the row between filter and table.
type Tool struct {
	Count      string
	Conditions []Condition
	Fresh      string // as of when the rows are
	Refresh    string
	Density    string // address that toggles dense rows
	Views      *Views
	Columns    *Columns
	Export     *Export
}

// Views are the filters of a list that a person named, and the form that names the present one.
type Views struct {
	Items []View
	Save  Post
	Most  int    // characters of a name
	All   string // where they are looked after
}

// View is one of them.
type View struct {
	Name    string
	Href    string
	Current bool // is what the page shows
	Drop    Post
}

// Post is where a form goes and what it carries unseen.
type Post struct {
	Action string
	Hidden []Hidden
}

// Columns is the choice of a list's columns and their order, a POST form.
type Columns struct {
	ID     string // "columns" if empty
	Action string
	Hidden []Hidden
	Fixed  string // which ones always show
	Items  []Column
}

func (c Columns) id() string { return cmp.Or(c.ID, "columns") }

// Column is one that can be shown, hidden and moved.
type Column struct {
	Key   string
	Label string
	On    bool
}

// Export says what an export will take, offers the formats, and leads to the records of files made
// before (导出记录).
type Export struct {
	ID      string
	Intro   string
	Items   []ExportItem
	Records *Link
	Note    string
}

// ExportItem is one format: a POST that asks for the file.
type ExportItem struct {
	Text   string
	Note   string
	Action string
	Hidden []Hidden
}

// Pager moves through a list by keys: no page numbers, because lists are long and change.
type Pager struct {
	Of    string // the list, where a page has several
	Range string // "第 1–20 行，共 1,677 行"
	First string
	Prev  string
	Next  string
	Seal  *Seal
	Sizes []Tab // rows per page

	TurnsMark string // stands in place of the buttons in a page that is kept; "" shows the buttons
}

// Called is the pager of a list by its name, for pages with several lists.
func (p Pager) Called(of string) Pager { p.Of = of; return p }

func pagerName(ctx context.Context, p Pager) string {
	if p.Of == "" {
		return i18n.T(ctx, "part.pager.name")
	}
	return i18n.T(ctx, "part.pager.of", "Of", p.Of)
}

// Equation is the written sum of a document.
type Equation struct {
	ID    string
	Title string
	Terms []Term
	Sum   Sum
}

// Term is one summand with all its decimals; the tail is small and grey.
type Term struct {
	Label string
	Head  string
	Tail  string
	Why   string
	Lines []Link
}

// Sum is the right side of the equation.
type Sum struct {
	Label  string
	Amount string
	Why    string
	Status *Status
	Lines  []Link
}

// Change says why an amount differs from the one before. The reasons, at most seven, sum to the total.
type Change struct {
	Title string
	Rows  []Reason
	Total Money
}

// Reason is one part of the difference; its amount opens to the rows it is made of.
type Reason struct {
	Name   string
	From   string // what it mainly comes from
	Amount Money
}

// Total is a totals row: a name over Span columns, then a cell for each sum. Page and grand total are
// two rows; both are what the export writes.
type Total struct {
	Name  string
	Span  int // 0 and 1 are one column
	Cells []Money
}

func (t Total) span() templ.Attributes {
	if t.Span < 2 {
		return nil
	}
	return templ.Attributes{"colspan": strconv.Itoa(t.Span)}
}

// Why explains one amount from the imported line to the bill.
type Why struct {
	ID     string
	Title  string
	Proof  *Tag // recomputed and equal, or not
	Links  []Link
	Steps  []WhyStep
	Source *SourceRow
	Note   string
}

// WhyStep is a link of the chain.
type WhyStep struct {
	Name   string
	Result string
	Lines  []Item // Label is put before Text if given
}

// SourceRow is the imported line as it was delivered.
type SourceRow struct {
	Title string
	Cells []Item // column name and raw text
}

// Button is an action of a state machine: possible, or disabled with its reason and cure in the page.
type Button struct {
	ID      string
	Text    string
	Primary bool
	Danger  bool
	Action  string // POST address
	Hidden  []Hidden
	Hint    string // what it does, or why it is disabled
	Off     bool
	Cure    *Link
	Dialog  *Dialog // asked before the action
}

// Tick takes a row of a list into a form that stands elsewhere on the page.
type Tick struct {
	Form  string // id of the form
	Name  string
	Value string
	Label string // for those who do not see the row
}

// Dialog asks before an action, naming the consequences.
type Dialog struct {
	Title    string // a question that names the object
	Points   []string
	Fields   []Field
	Confirm  string
	TypeName string // the text to type for a dangerous action; sent as "confirm"
}

// Field is one control of a form.
type Field struct {
	Name         string
	Label        string
	Type         string // "text" if empty; "textarea", "select", "password", "file", "checkbox", …
	Value        string
	Options      []Option
	Help         string
	Error        string
	Autocomplete string
	Hint         string // placeholder
	Required     bool
	Focus        bool
	Numeric      bool
	Accept       string
	Multiple     bool
	ReadOnly     bool
	MaxLength    int

	scope string // the dialog it stands in, so that two dialogs may ask for the same thing
}

func (f Field) id() string { return "f-" + f.scope + f.Name }

func (f Field) in(scope string) Field {
	f.scope = scope + "-"
	return f
}

func (f Field) kind() string {
	if f.Type == "" {
		return "text"
	}
	return f.Type
}

func (f Field) describedBy() string {
	switch {
	case f.Error != "" && f.Help != "":
		return f.id() + "-err " + f.id() + "-help"
	case f.Error != "":
		return f.id() + "-err"
	case f.Help != "":
		return f.id() + "-help"
	}
	return ""
}

func (f Field) attrs() map[string]any {
	a := map[string]any{}
	set := func(name, value string) {
		if value != "" {
			a[name] = value
		}
	}
	set("aria-describedby", f.describedBy())
	set("autocomplete", f.Autocomplete)
	set("placeholder", f.Hint)
	set("accept", f.Accept)
	if f.Error != "" {
		a["aria-invalid"] = "true"
	}
	if f.Numeric {
		a["inputmode"] = "numeric"
	}
	if f.MaxLength > 0 {
		a["maxlength"] = strconv.Itoa(f.MaxLength)
	}
	for name, on := range map[string]bool{"required": f.Required, "autofocus": f.Focus, "multiple": f.Multiple, "readonly": f.ReadOnly} {
		if on {
			a[name] = true
		}
	}
	return a
}

// Step is one of a row of stages.
type Step struct {
	Text  string
	Note  string
	State StepState
}

// StepState is where a stage stands.
type StepState string

// The stage states.
const (
	StepAhead StepState = ""
	StepDone  StepState = "done"
	StepNow   StepState = "now"
	StepStop  StepState = "stop"
)

func (s Step) sign(i int) string {
	switch s.State {
	case StepDone:
		return "✓"
	case StepStop:
		return "!"
	}
	return strconv.Itoa(i + 1)
}

// Event is one entry of a timeline, newest first.
type Event struct {
	Text string
	When string
	Who  string
	Note string
	Tone Tone
}

// Check is one condition of an action: a blocker with its cure, a warning, or passed.
type Check struct {
	Tone    Tone // Bad blocks, Warn does not, Good passed
	Title   string
	Text    string
	Command string // the command that cures it
	Cure    *Link
}

func (c Check) icon() string {
	switch c.Tone {
	case Bad:
		return "stop"
	case Warn:
		return "alert"
	}
	return "ok"
}

// Refusal says why something was refused and how to go on.
type Refusal struct {
	Title  string
	Text   string
	Steps  []string
	Button *Link
}

// Flash is a message after an action. Errors stay; a success goes away when script runs.
type Flash struct {
	Tone Tone
	Text string
	Link *Link
}

// Conflict says that somebody was first: nothing was done, and what changed.
type Conflict struct {
	Text  string
	Rows  []ConflictRow
	Again Link
}

// ConflictRow is one value before and after.
type ConflictRow struct{ Name, Saw, Now string }

// Empty is a list with nothing in it: why, and the one thing to do.
type Empty struct {
	Title  string
	Text   string
	Button *Link
}
