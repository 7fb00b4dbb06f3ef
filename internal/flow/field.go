package flow

import (
	"context"
	"regexp"
	"slices"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"huoban/internal/fault"
	"huoban/internal/money"
	"huoban/internal/scope"
)

// FieldKind is how a field is asked for and what may stand in it.
type FieldKind string

// The kinds.
const (
	FieldText   FieldKind = "text"   // one line
	FieldLines  FieldKind = "lines"  // several lines
	FieldDigits FieldKind = "digits" // figures alone
	FieldDate   FieldKind = "date"   // 2026-07-08; begins with today
	FieldAmount FieldKind = "amount" // 1234.50, below zero with a sign
	FieldTick   FieldKind = "tick"   // "true" or nothing
)

// MaxReason is how many signs the reason of a row with AskReason may have.
const MaxReason = 500

// fieldReason is the name of that reason.
const fieldReason = "reason"

// Field is what an action asks for: a page's dialog, what is read of a form or a JSON body, its refusal and the
// document of the machine come from it. Its label is <machine>.field.<name>.
type Field[F any] struct {
	Name     string
	Kind     FieldKind
	Required bool
	Max      int                                 // signs it may have
	Case     string                              // in which cases it is asked for, in a word; empty is always
	If       func(facts F, who scope.Scope) bool // that case; with Case alone
	Help     func(facts F) string                // key of a sentence beside it; may be nil
}

// Input is a field asked for in one case.
type Input struct {
	Name     string
	Kind     FieldKind
	Required bool
	Max      int
	Label    string // key
	Help     string // key; may be empty
	Case     string // of a description alone
}

func reasonInput() Input {
	return Input{Name: fieldReason, Kind: FieldLines, Required: true, Max: MaxReason, Label: "flow.field.reason"}
}

func (t *Table[S, A, F]) input(f *Field[F]) Input {
	return Input{Name: f.Name, Kind: f.Kind, Required: f.Required, Max: f.Max, Label: t.Machine + ".field." + f.Name, Case: f.Case}
}

// inputs are the fields of a row as it is asked now.
func (t *Table[S, A, F]) inputs(r *Row[S, A, F], facts F, who scope.Scope) []Input {
	var out []Input
	if r.Ask == AskReason {
		out = append(out, reasonInput())
	}
	for i := range r.Fields {
		f := &r.Fields[i]
		if f.If != nil && !f.If(facts, who) {
			continue
		}
		in := t.input(f)
		if f.Help != nil {
			in.Help = f.Help(facts)
		}
		out = append(out, in)
	}
	return out
}

// Values are what somebody wrote into the fields of an action.
type Values map[string]string

// Read takes what the rows of an action name, and nothing else, out of a form.
func (t *Table[S, A, F]) Read(action string, value func(name string) string) Values {
	out := Values{}
	for i := range t.Rows {
		r := &t.Rows[i]
		if string(r.Do) != action {
			continue
		}
		if r.Ask == AskReason {
			out[fieldReason] = plain(value(fieldReason))
		}
		for _, f := range r.Fields {
			out[f.Name] = plain(value(f.Name))
		}
	}
	return out
}

// plain is text as it is kept: a browser ends lines with two signs.
func plain(s string) string { return strings.TrimSpace(strings.ReplaceAll(s, "\r\n", "\n")) }

type valuesKey struct{}

type written struct {
	machine, entity string
	values          Values
}

// WithValues says what somebody wrote into the fields of an action on an entity; an empty entity is the one of the machine
// that the request moves. Fire refuses the move if the fields of its row do not allow that.
func WithValues(ctx context.Context, machine, entity string, v Values) context.Context {
	return context.WithValue(ctx, valuesKey{}, written{machine, entity, v})
}

// asked judges what was written. Faults: flow.field_missing, .field_long, .field_malformed, flow.refused with several.
func (t *Table[S, A, F]) asked(ctx context.Context, r *Row[S, A, F], entity string, facts F, who scope.Scope) error {
	w, ok := ctx.Value(valuesKey{}).(written)
	if !ok || w.machine != t.Machine || w.entity != "" && w.entity != entity {
		return nil
	}
	var reasons []*fault.Error
	judge := func(in Input) {
		if f := in.judge(w.values[in.Name]); f != nil {
			reasons = append(reasons, f)
		}
	}
	if r.Ask == AskReason {
		judge(reasonInput())
	}
	for i := range r.Fields {
		f := &r.Fields[i]
		in := t.input(f)
		in.Required = in.Required && (f.If == nil || f.If(facts, who))
		judge(in)
	}
	switch len(reasons) {
	case 0:
		return nil
	case 1:
		return reasons[0]
	}
	all := fault.Refused("flow.refused", reasons)
	all.Kind, all.Fields = fault.KindInvalid, map[string]string{}
	for _, f := range reasons {
		for name, code := range f.Fields {
			all.Fields[name] = code
		}
	}
	return all
}

// judge is the fault of what was written into the field, nil if there is none.
func (in *Input) judge(value string) *fault.Error {
	code, args := "", fault.Args{"field": in.Label}
	switch {
	case value == "" && in.Required:
		code = "flow.field_missing"
		if in.Name == fieldReason {
			code = "flow.reason_missing"
		}
	case utf8.RuneCountInString(value) > in.Max:
		code, args["limit"] = "flow.field_long", in.Max
	case value != "" && !in.Kind.takes(value):
		code = "flow.field_malformed"
	default:
		return nil
	}
	f := fault.New(fault.KindInvalid, code, args)
	f.Fields = map[string]string{in.Name: code}
	return f
}

var figures = regexp.MustCompile(`^[0-9]+$`)

// takes tells whether a value is one of the kind.
func (k FieldKind) takes(value string) bool {
	switch k {
	case FieldDigits:
		return figures.MatchString(value)
	case FieldDate:
		_, err := time.Parse(time.DateOnly, value)
		return err == nil
	case FieldAmount:
		_, err := money.ParseExact(strings.ReplaceAll(value, ",", ""))
		return err == nil
	case FieldTick:
		return value == "true"
	}
	for _, r := range value {
		if unicode.IsControl(r) && (k == FieldText || r != '\n' && r != '\t') {
			return false
		}
	}
	return utf8.ValidString(value)
}

// checkFields gives the mistakes in a row's fields.
func (t *Table[S, A, F]) checkFields(r *Row[S, A, F], bad func(string, ...any)) {
	names := map[string]bool{fieldReason: true}
	for _, f := range r.Fields {
		if names[f.Name] || !fieldName.MatchString(f.Name) || f.Max < 1 {
			bad("row %s: field %q needs a name of its own and a limit", r.Do, f.Name)
		}
		names[f.Name] = true
		switch f.Kind {
		case FieldText, FieldLines, FieldDigits, FieldDate, FieldAmount, FieldTick:
		default:
			bad("row %s: field %s is of the unknown kind %q", r.Do, f.Name, f.Kind)
		}
		if (f.If == nil) != (f.Case == "") {
			bad("row %s: field %s needs both a case and the rule of it, or neither", r.Do, f.Name)
		}
	}
	always := slices.ContainsFunc(r.Fields, func(f Field[F]) bool { return f.If == nil }) // what is asked in a case alone brings its dialog with it
	if always && (r.Ask == AskNone || r.Ask == "") || r.Ask == AskForm && len(r.Fields) == 0 {
		bad("row %s: fields need a dialog, and a form needs fields", r.Do)
	}
}

var fieldName = regexp.MustCompile(`^[a-z][a-z_]*$`)
