package flow

import (
	"cmp"
	"fmt"
	"slices"

	"huoban/internal/scope"
)

// Machine is a table without its types: what docs, matrix tests and lists need.
type Machine interface {
	Describe() Description
	// Check gives every mistake of the table itself.
	Check() []error
	// Permits judges state, action and permission only, without guards; nil is permitted.
	Permits(state, action string, who scope.Scope) error
	// Read takes what the rows of an action name, and nothing else, out of a form.
	Read(action string, value func(name string) string) Values
}

// Description is a machine as plain text.
type Description struct {
	Machine string
	Path    string
	States  []string
	Actions []string
	Start   []string
	Final   []string
	Within  map[string]int // service times of states, in working days
	Rows    []DescribedRow
}

// DescribedRow is a row as plain text.
type DescribedRow struct {
	From  []string
	Do    string
	To    string
	Who   []string
	Codes []string // fault codes of the guards
	When  []string // names of the guards
	Then  []string
	Ask   Ask
	Asks  []Input
	Noun  string
	Due   *Due
	Op    string
	Spec  string
}

// Describe gives the table as plain text.
func (t *Table[S, A, F]) Describe() Description {
	d := Description{Machine: t.Machine, Path: t.Path, States: texts(t.States()), Actions: texts(t.Actions()),
		Start: texts(t.Start), Final: texts(t.Final)}
	if len(t.Within) > 0 {
		d.Within = make(map[string]int, len(t.Within))
	}
	for s, n := range t.Within {
		d.Within[string(s)] = n
	}
	for _, r := range t.Rows {
		row := DescribedRow{From: texts(r.From), Do: string(r.Do), To: string(r.To), Who: texts(r.Who), Then: r.Then,
			Ask: cmp.Or(r.Ask, AskNone), Noun: r.Noun, Due: r.Due, Op: r.Op, Spec: r.Spec}
		for _, g := range r.When {
			row.When, row.Codes = append(row.When, g.Name), append(row.Codes, g.Code)
		}
		if r.Ask == AskReason {
			row.Asks = append(row.Asks, reasonInput())
		}
		for i := range r.Fields {
			row.Asks = append(row.Asks, t.input(&r.Fields[i]))
		}
		d.Rows = append(d.Rows, row)
	}
	return d
}

// Permits judges state, action and permission only.
func (t *Table[S, A, F]) Permits(state, action string, who scope.Scope) error {
	r, ok := t.Lookup(S(state), A(action))
	if !ok {
		return t.notFrom(S(state), A(action), who)
	}
	if f := permitted(r.Who, who); f != nil {
		return f
	}
	return nil
}

// Check gives every mistake of the table: rows that fit the same case, states out of reach, states
// without exit that are not declared final, incomplete rows and guards.
func (t *Table[S, A, F]) Check() []error {
	var errs []error
	bad := func(form string, args ...any) { errs = append(errs, fmt.Errorf(t.Machine+": "+form, args...)) }
	if t.Machine == "" || len(t.Start) == 0 {
		bad("needs a name and a start state")
	}
	seen := map[[2]string]bool{}
	exits := map[S]bool{}
	nouns := map[[2]string]A{}
	for _, r := range t.Rows {
		t.checkRow(r, bad)
		for _, from := range r.From {
			key := [2]string{string(from), string(r.Do)}
			if seen[key] {
				bad("two rows fit %s in state %s", r.Do, from)
			}
			seen[key], exits[from] = true, true
			if r.Noun != "" {
				k := [2]string{string(from), r.Noun}
				if other, twice := nouns[k]; twice {
					bad("%s and %s share the path noun %s in state %s", other, r.Do, r.Noun, from)
				}
				nouns[k] = r.Do
			}
		}
	}
	for s, n := range t.Within {
		if n < 1 || !exits[s] {
			bad("state %s has a service time of %d working days but nobody can move it on in it", s, n)
		}
	}
	reached := t.reach()
	for _, s := range t.States() {
		final := slices.Contains(t.Final, s)
		switch {
		case !reached[s]:
			bad("state %s cannot be reached", s)
		case !exits[s] && !final:
			bad("state %s has no exit and is not declared final", s)
		case exits[s] && final:
			bad("state %s is declared final but has an exit", s)
		}
	}
	return errs
}

func (t *Table[S, A, F]) checkRow(r Row[S, A, F], bad func(string, ...any)) {
	if len(r.From) == 0 || r.Do == "" || r.To == "" || len(r.Who) == 0 || r.Spec == "" {
		bad("row %s: From, Do, To, Who and Spec are required", r.Do)
	}
	if r.Do == "begin" {
		bad("the action name begin is taken by the log")
	}
	switch r.Ask {
	case "", AskNone, AskConfirm, AskForm, AskReason:
	default:
		bad("row %s: unknown Ask %q", r.Do, r.Ask)
	}
	t.checkFields(&r, bad)
	onlySystem := len(r.Who) == 1 && r.Who[0] == System
	if r.Due != nil && !onlySystem {
		bad("row %s: a due time needs Who = System", r.Do)
	}
	if onlySystem && (r.Noun != "" || r.Ask != AskNone && r.Ask != "") {
		bad("row %s: the system is asked nothing and has no button", r.Do)
	}
	if !onlySystem && r.Noun == "" {
		bad("row %s: an action of people needs a Noun", r.Do)
	}
	for _, g := range r.When {
		if g.Name == "" || g.Code == "" || g.Holds == nil {
			bad("row %s: guard %q needs a name, a code and a rule", r.Do, g.Name)
		}
	}
}

func (t *Table[S, A, F]) reach() map[S]bool {
	reached := map[S]bool{}
	for _, s := range t.Start {
		reached[s] = true
	}
	for grown := true; grown; {
		grown = false
		for _, r := range t.Rows {
			for _, from := range r.From {
				if reached[from] && !reached[r.To] {
					reached[r.To], grown = true, true
				}
			}
		}
	}
	return reached
}

func texts[S ~string](list []S) []string {
	out := make([]string, len(list))
	for i, s := range list {
		out[i] = string(s)
	}
	return out
}
