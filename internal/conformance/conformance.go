// Package conformance checks a FOCUS file against the 621 machine-readable rules of FOCUS 1.2.
//
// It owns what each rule means for a row and the report; it does not own reading files, and a failed
// rule never refuses a line: real exports of every cloud break some, and the bill needs only what
// ingest validates. Each rule is reported exactly once: checked (passed or failed, over how many rows,
// with samples), not machine-checkable (the model's dynamic rules), or not applicable to the version of
// the file.
//
// Spec: FOCUS 1.2, github.com/finopsfoundation/focus_validator (model/README.md).
package conformance

import (
	"slices"
	"strings"
)

// Verdict is what became of a rule.
type Verdict string

// The verdicts.
const (
	VerdictPassed        Verdict = "passed"
	VerdictFailed        Verdict = "failed"
	VerdictNotCheckable  Verdict = "not_machine_checkable"
	VerdictNotApplicable Verdict = "not_applicable"
)

// Sample is a row that broke a rule.
type Sample struct {
	File  int    `json:"file"`
	Line  int64  `json:"line"`
	Value string `json:"value"`
}

// Result is one rule of the report.
type Result struct {
	Rule     string   `json:"rule"`
	Column   string   `json:"column"`   // column or attribute the rule is about
	Sentence string   `json:"sentence"` // the specification's own words
	Level    string   `json:"level"`    // MUST, SHOULD, MAY …
	Verdict  Verdict  `json:"verdict"`
	Checked  int64    `json:"checked"` // rows (or 1 for a rule about the file) the rule was applied to
	Failed   int64    `json:"failed"`
	Samples  []Sample `json:"samples"`
}

const maxSamples = 3

// Checker reads rows of one file after the other and keeps only counts and samples.
type Checker struct {
	rules  []*rule
	byName map[string]*rule
	row    row
	epoch  int64

	columns  []*column
	pairs    []pair
	facts    []outcome // of the current row, where it was judged
	factOf   map[string]int
	key      []byte
	patterns map[string]*pattern
}

type rule struct {
	Result
	when, must eval
	permissive bool // a MAY allows, it cannot be broken
	binding    bool // MUST and MUST NOT
	perFile    bool // about the columns of the file, not its rows
	memo       outcome
	at         int64
}

// New prepares the rules for a file of this FOCUS version ("1.0" … "1.4") with these columns. Call
// Header again for a further file of the same delivery with other columns.
func New(version string, columns []string) *Checker {
	c := &Checker{byName: map[string]*rule{}, factOf: map[string]int{}, patterns: map[string]*pattern{}}
	c.row.columns(columns)
	m := model()
	for _, name := range ids() {
		src := m[name]
		r := &rule{Result: Result{Rule: name, Column: src.Reference, Sentence: src.Criteria.MustSatisfy, Level: src.Criteria.Keyword, Samples: []Sample{}}}
		c.rules, c.byName[name] = append(c.rules, r), r
		r.permissive, r.binding = r.Level == "MAY", strings.HasPrefix(r.Level, "MUST")
		switch {
		case src.Type == "Dynamic":
			r.Verdict = VerdictNotCheckable
		case !applies(src.Reference, version):
			r.Verdict = VerdictNotApplicable
		}
	}
	for _, r := range c.rules {
		src := m[r.Rule].Criteria
		if r.Verdict != "" {
			continue
		}
		r.must = c.compile(src.Requirement, false)
		if !src.Condition.empty() {
			r.when = c.compile(src.Condition, true)
		}
		r.perFile = src.Requirement.Function == "ColumnPresent"
	}
	c.once()
	return c
}

// once judges the rules about the file itself.
func (c *Checker) once() {
	c.epoch++
	for _, r := range c.rules {
		if !r.perFile {
			continue
		}
		o := c.outcomeOf(r)
		r.count(o, 1)
		if o == fails && !r.permissive {
			r.Samples = append(r.Samples, Sample{})
		}
	}
}

// Row checks one record; values stand in the order of the columns given to New. Nothing of them is kept.
func (c *Checker) Row(file int, line int64, values [][]byte) {
	c.row.set(file, line, values)
	p := c.pattern(values)
	p.count++
	if len(p.want) > 0 {
		c.sample(p)
	}
}

// outcomeOf is the rule's outcome for the current row, worked out once however often it is referred to.
func (c *Checker) outcomeOf(r *rule) outcome {
	if r.must == nil {
		return idle
	}
	if r.at == c.epoch {
		return r.memo
	}
	r.at, r.memo = c.epoch, passes // a rule that refers to itself would pass
	switch {
	case r.when != nil && r.when() != passes:
		r.memo = idle
	default:
		r.memo = r.must()
	}
	return r.memo
}

// Results gives every rule of the model, in order of name.
func (c *Checker) Results() []Result {
	c.fold()
	out := make([]Result, len(c.rules))
	for i, r := range c.rules {
		out[i] = r.Result
		if r.Verdict == "" {
			out[i].Verdict = VerdictPassed
			if r.Failed > 0 {
				out[i].Verdict = VerdictFailed
			}
		}
		out[i].Samples = slices.Clone(r.Samples)
	}
	return out
}
