package ingest

import (
	"bytes"
	"strings"
	"time"

	"huoban/internal/cycle"
	"huoban/internal/fault"
	"huoban/internal/money"
	"huoban/internal/usage"
)

// Bound is a dialect tied to the columns of one file, with the caches of its reader. Mappers read
// cells through it; the first problem of a row sends the row to the quarantine.
type Bound struct {
	Dialect Dialect
	Source  Source
	Header  *Header
	Zone    *time.Location
	Naive   *time.Location
	Base    string
	File    string // name of the part being read, "" where there is none

	col       map[string]int
	keyColumn int
	keyTag    string
	problem   *RowError
	cycle     cycle.Cycle
	amortised *Evidence

	texts   map[string]string
	tags    map[string]string
	lastAt  []lastTime
	amounts []money.Exact   // free ones
	known   map[string]bool // currency codes seen
	narrow  narrowing
}

// lastTime is what a column held last: neighbouring rows often have equal times.
type lastTime struct {
	text  string
	at    time.Time
	kind  int
	month cycle.Cycle // in the source's zone
}

type narrowing struct{ providers, accounts, currencies map[string]bool }

// cacheMost bounds each cache; a full one is emptied.
const cacheMost = 1 << 14

// amountsAtOnce is how many amounts are asked of the memory together; a line has four.
const amountsAtOnce = 256

// cacheLong is the longest text a cache keeps.
const cacheLong = 2 << 10

func bind(cells []string, s Source) (*Bound, string, error) {
	if err := s.Validate(); err != nil {
		return nil, "", err
	}
	h, err := newHeader(cells)
	if err != nil {
		return nil, "", err
	}
	d, _ := Lookup(s.Dialect)
	b := &Bound{
		Dialect: d, Source: s, Header: h, Zone: d.Zone, Naive: d.Naive, Base: d.Base,
		col: make(map[string]int, len(d.Fields)), keyColumn: -1,
		texts: map[string]string{}, tags: map[string]string{},
		lastAt: make([]lastTime, len(cells)), known: map[string]bool{},
		narrow: narrowing{set(s.Providers), set(s.Accounts), set(s.Currencies)},
	}
	if s.Zone != nil {
		b.Zone = s.Zone
	}
	if b.Zone == nil {
		b.Zone = time.UTC
	}
	if b.Naive == nil {
		b.Naive = b.Zone
	}
	if s.Base != "" {
		b.Base = s.Base
	}
	if b.Base == "" {
		b.Base = "billed"
	}
	version, err := b.resolve()
	if err != nil {
		return nil, "", err
	}
	return b, version, b.chooseKey()
}

func set(words []string) map[string]bool {
	if len(words) == 0 {
		return nil
	}
	m := make(map[string]bool, len(words))
	for _, w := range words {
		m[w] = true
	}
	return m
}

// resolve finds each field's column and refuses a file of another kind.
func (b *Bound) resolve() (string, error) {
	if what := otherDataset(b.Header); what != "" {
		return "", fault.Invalid("ingest.not_cost_and_usage", fault.Args{"dataset": what})
	}
	var missing []string
	for _, f := range b.Dialect.Fields {
		at := -1
		if cell, ok := b.Source.Columns[f.Name]; ok && cell != "" {
			if at = b.Header.Index(cell); at < 0 {
				missing = append(missing, cell)
				continue
			}
		}
		for i := 0; at < 0 && i < len(f.Cells); i++ {
			at = b.Header.Index(f.Cells[i])
		}
		if at < 0 && f.Need {
			missing = append(missing, f.Cells[0])
		}
		b.col[f.Name] = at
	}
	name, version, found := Detect(b.Header.Cells)
	if found && len(b.Source.Columns) == 0 {
		if d, _ := Lookup(name); d.Family != b.Dialect.Family {
			return "", fault.Invalid("ingest.wrong_dialect",
				fault.Args{"want": b.Dialect.Name, "have": name})
		}
	}
	if len(missing) > 0 {
		code := "ingest.columns_missing"
		if !found && !b.resembles() {
			code = "ingest.not_dialect"
		}
		return "", fault.Invalid(code,
			fault.Args{"dialect": b.Dialect.Name, "columns": strings.Join(missing, ", ")})
	}
	return version, nil
}

// resembles tells whether some needed column is there, so that naming the missing ones helps more
// than calling the file foreign.
func (b *Bound) resembles() bool {
	for _, f := range b.Dialect.Fields {
		if f.Need && b.Col(f.Name) >= 0 {
			return true
		}
	}
	return false
}

// chooseKey finds the column or tag that is the attribution key.
func (b *Bound) chooseKey() error {
	want := b.Source.KeyColumn
	if tag, ok := strings.CutPrefix(want, "tag:"); ok {
		b.keyTag = tag
		return nil
	}
	if want == "" {
		if b.Dialect.KeyField != "" {
			b.keyColumn = b.Col(b.Dialect.KeyField)
		}
		return nil
	}
	if at, ok := b.col[want]; ok && at >= 0 {
		b.keyColumn = at
		return nil
	}
	if b.keyColumn = b.Header.Index(want); b.keyColumn < 0 {
		return fault.Invalid("ingest.key_column_missing", fault.Args{"column": want})
	}
	return nil
}

// Col is the column of a field, or -1.
func (b *Bound) Col(field string) int {
	if at, ok := b.col[field]; ok {
		return at
	}
	return -1
}

// Fail sends the row to the quarantine; the first problem stands.
func (b *Bound) Fail(column int, value []byte, code string, args fault.Args) {
	if b.problem != nil {
		return
	}
	name := ""
	if column >= 0 {
		name = b.Header.Cells[column]
	}
	b.problem = &RowError{Column: name, Value: string(value), Code: code, Args: args}
}

// Failed tells whether the row has a problem already.
func (b *Bound) Failed() bool { return b.problem != nil }

// Amortised notes that the row stands only in an amortised cost file.
func (b *Bound) Amortised(column int, value []byte) {
	if b.amortised == nil {
		b.amortised = &Evidence{Column: b.Header.Cells[column], Value: clip(string(value))}
	}
}

// Cell is the cell's text without spaces at its ends; nil if absent: no such column, empty, NULL or
// (null).
func (b *Bound) Cell(rec *Record, column int) []byte {
	if column < 0 || column >= len(rec.Fields) {
		return nil
	}
	return present(rec.Fields[column])
}

func present(cell []byte) []byte {
	if len(cell) == 0 {
		return nil
	}
	if cell[0] == ' ' || cell[0] == '\t' || cell[len(cell)-1] == ' ' || cell[len(cell)-1] == '\t' {
		cell = bytes.TrimSpace(cell)
	}
	switch len(cell) {
	case 0:
		return nil
	case 4:
		if string(cell) == "NULL" || string(cell) == "null" {
			return nil
		}
	case 6:
		if string(cell) == "(null)" || string(cell) == "(NULL)" {
			return nil
		}
	}
	return cell
}

// Text is the cell as a string shared between equal cells; "" if absent.
func (b *Bound) Text(rec *Record, column int) string { return b.Share(b.Cell(rec, column)) }

// Share makes a string that equal texts share.
func (b *Bound) Share(text []byte) string {
	if len(text) == 0 {
		return ""
	}
	if len(text) > cacheLong {
		return string(text)
	}
	if s, ok := b.texts[string(text)]; ok {
		return s
	}
	if len(b.texts) >= cacheMost {
		clear(b.texts)
	}
	s := string(text)
	b.texts[s] = s
	return s
}

// Amount is the cell as an exact decimal; nil if absent. A number that cannot be read fails the row.
func (b *Bound) Amount(rec *Record, column int) *money.Exact {
	cell := b.Cell(rec, column)
	if cell == nil {
		return nil
	}
	x, err := money.ParseExactBytes(cell)
	if err != nil {
		b.Fail(column, cell, numberCode(cell, err), nil)
		return nil
	}
	if len(b.amounts) == 0 {
		b.amounts = make([]money.Exact, amountsAtOnce)
	}
	kept := &b.amounts[0]
	*kept, b.amounts = x, b.amounts[1:]
	return kept
}

// numberCode tells a thousands separator, the usual mistake, from other text.
func numberCode(cell []byte, err error) string {
	if fault.HasCode(err, "money.out_of_range") {
		return "ingest.number_range"
	}
	if bytes.IndexByte(cell, ',') >= 0 {
		return "ingest.number_comma"
	}
	return "ingest.number_malformed"
}

// Needed is Amount for a cell that may not be absent.
func (b *Bound) Needed(rec *Record, column int) money.Exact {
	x := b.Amount(rec, column)
	if x == nil {
		b.Fail(column, nil, "ingest.value_missing", nil)
		return money.Exact{}
	}
	return *x
}

// NeededText is Text for a cell that may not be absent.
func (b *Bound) NeededText(rec *Record, column int) string {
	s := b.Text(rec, column)
	if s == "" {
		b.Fail(column, nil, "ingest.value_missing", nil)
	}
	return s
}

// Key is the attribution key chosen for the source.
func (b *Bound) Key(rec *Record, tags string) string {
	if b.keyTag != "" {
		return b.Share([]byte(tagValue(tags, b.keyTag)))
	}
	return b.Text(rec, b.keyColumn)
}

// SetCycle places the line and remembers the cycle for the quarantine.
func (b *Bound) SetCycle(l *usage.Line, c cycle.Cycle) { l.Cycle, b.cycle = c, c }

// wanted tells whether the source takes the line.
func (b *Bound) wanted(l *usage.Line) bool {
	n := &b.narrow
	return (n.providers == nil || n.providers[l.Account.Provider]) &&
		(n.accounts == nil || n.accounts[l.Account.BillingAccount]) &&
		(n.currencies == nil || n.currencies[l.Currency])
}

// check is what every line must satisfy, whatever its dialect.
func (b *Bound) check(l *usage.Line) {
	known, seen := b.known[l.Currency]
	if !seen {
		known = money.KnownCurrency(l.Currency)
		b.known[l.Currency] = known
	}
	switch {
	case l.Currency == "":
		b.Fail(b.Col("currency"), nil, "ingest.value_missing", nil)
	case !known:
		b.Fail(b.Col("currency"), []byte(l.Currency), "ingest.currency_unknown", nil)
	case l.ChargeStart.IsZero():
		b.Fail(b.Col("charge_start"), nil, "ingest.value_missing", nil)
	case l.Cycle == "":
		b.Fail(b.Col("period_start"), nil, "ingest.value_missing", nil)
	case l.ChargeEnd.Before(l.ChargeStart):
		b.Fail(b.Col("charge_end"), nil, "ingest.period_backwards", nil)
	}
	base := l.Base(b.Base)
	if base == nil {
		b.Fail(b.Col(b.Base), nil, "ingest.base_missing", fault.Args{"base": b.Base})
		return
	}
	if _, err := base.Amount(); err != nil {
		b.Fail(b.Col(b.Base), []byte(base.String()), "ingest.number_range", nil)
	}
}
