package ingest

import (
	"sort"
	"strings"
	"time"
	"unicode"

	"huoban/internal/fault"
	"huoban/internal/usage"
)

// Dialect is one way of writing cost exports: which column means what, which zone its times have,
// and where it departs from the rule. Register adds one.
type Dialect struct {
	Name      string
	Aliases   []string
	Family    string         // dialects with the same header; detection cannot tell them apart
	Zone      *time.Location // zone of its billing periods
	Naive     *time.Location // what a time without zone means; nil = the source's zone
	Mode      string         // snapshot or append, as its files are delivered
	Base      string         // the base column when the source names none
	NativeKey bool           // lines carry an identity of their own, so that changed rows are told from new ones
	KeyField  string         // field that is the attribution key when the source names none
	Fields    []Field

	// Match tells whether a header is of this dialect, and which version.
	Match func(h *Header) (version string, ok bool)
	// Build makes the mapper of one file.
	Build func(b *Bound) (Mapper, error)
}

// Field is something a dialect reads. Cells are the header cells that may hold it, best first,
// compared without case, spaces and punctuation.
type Field struct {
	Name  string
	Cells []string
	Need  bool // a file without it is refused
}

// Mapper turns the record into the line. It fills everything but FileNo, LineNo, Key, Content and
// Occurrence; problems go to Bound.Fail. ok false without a problem leaves the row out (a comment,
// a total).
type Mapper interface {
	Map(rec *Record, l *usage.Line) (ok bool)
	// Identity gives the line's key and content hashes.
	Identity(rec *Record, l *usage.Line) (key, content usage.Hash)
}

var dialects []*Dialect

// Register adds a dialect; detection asks in the order of registration. It is called from init.
func Register(d Dialect) {
	if _, taken := Lookup(d.Name); taken {
		panic("ingest: dialect registered twice: " + d.Name)
	}
	if d.Family == "" {
		d.Family = d.Name
	}
	dialects = append(dialects, &d)
}

// Dialects lists what can be read, sorted by name.
func Dialects() []Dialect {
	all := make([]Dialect, len(dialects))
	for i, d := range dialects {
		all[i] = *d
	}
	sort.Slice(all, func(i, j int) bool { return all[i].Name < all[j].Name })
	return all
}

// Lookup finds a dialect by name or alias.
func Lookup(name string) (Dialect, bool) {
	for _, d := range dialects {
		if d.Name == name {
			return *d, true
		}
		for _, a := range d.Aliases {
			if a == name {
				return *d, true
			}
		}
	}
	return Dialect{}, false
}

// Detect names the dialect and version of a header. Dialects of one family look alike: FOCUS
// files of every cloud are "focus".
func Detect(header []string) (dialect, version string, ok bool) {
	h, err := newHeader(header)
	if err != nil {
		return "", "", false
	}
	for _, d := range dialects {
		if d.Match == nil {
			continue
		}
		if v, yes := d.Match(h); yes {
			return d.Name, v, true
		}
	}
	return "", "", false
}

func (d *Dialect) hasField(name string) bool {
	for _, f := range d.Fields {
		if f.Name == name {
			return true
		}
	}
	return false
}

// Header is the first row, ready for looking columns up.
type Header struct {
	Cells []string
	byKey map[string]int
}

func newHeader(cells []string) (*Header, error) {
	h := &Header{Cells: cells, byKey: make(map[string]int, len(cells))}
	exact := make(map[string]bool, len(cells))
	filled := false
	for i, cell := range cells {
		name := strings.TrimSpace(cell)
		if name == "" {
			continue
		}
		filled = true
		if exact[name] {
			return nil, fault.Invalid("ingest.header_duplicate", fault.Args{"column": name})
		}
		exact[name] = true
		for _, key := range headerKeys(name) {
			if _, taken := h.byKey[key]; !taken && key != "" {
				h.byKey[key] = i
			}
		}
	}
	if !filled {
		return nil, fault.Invalid("ingest.header_unreadable", nil)
	}
	return h, nil
}

// Has tells whether the header has a cell of that name, compared like Field.Cells.
func (h *Header) Has(name string) bool { return h.Index(name) >= 0 }

// Index is the column of the cell, or -1.
func (h *Header) Index(name string) int {
	if i, ok := h.byKey[headerKey(name)]; ok {
		return i
	}
	return -1
}

// headerKeys gives the spellings under which a cell is found: whole, and, where a portal writes
// two languages into one cell ("Kosten (Cost)", "Kosten / Cost"), each of them.
func headerKeys(cell string) []string {
	keys := []string{headerKey(cell)}
	if open := strings.IndexAny(cell, "(（"); open >= 0 {
		keys = append(keys, headerKey(strings.Trim(cell[open:], "()（）")), headerKey(cell[:open]))
	}
	for _, between := range []string{" / ", "|", "\n"} {
		if parts := strings.Split(cell, between); len(parts) == 2 {
			keys = append(keys, headerKey(parts[0]), headerKey(parts[1]))
		}
	}
	return keys
}

// headerKey is the cell in lower case, letters and digits only.
func headerKey(cell string) string {
	return strings.Map(func(r rune) rune {
		if unicode.IsLetter(r) || unicode.IsDigit(r) {
			return unicode.ToLower(r)
		}
		return -1
	}, cell)
}
