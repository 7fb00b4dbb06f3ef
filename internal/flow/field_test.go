package flow_test

import (
	"context"
	"strings"
	"testing"

	"huoban/internal/fault"
	"huoban/internal/flow"
	"huoban/internal/scope"
)

// form is the shop with an action that asks for something of every kind, one of it by parcel alone.
func form() *table {
	s := shop()
	s.Rows[1].Ask, s.Rows[1].Fields = flow.AskForm, []flow.Field[Facts]{
		{Name: "title", Kind: flow.FieldText, Required: true, Max: 5},
		{Name: "memo", Kind: flow.FieldLines, Max: 20},
		{Name: "number", Kind: flow.FieldDigits, Max: 8},
		{Name: "day", Kind: flow.FieldDate, Max: 10},
		{Name: "amount", Kind: flow.FieldAmount, Max: 20},
		{Name: "agreed", Kind: flow.FieldTick, Max: 4},
		{Name: "parcel", Kind: flow.FieldText, Required: true, Max: 5, Case: "open ones", If: func(f Facts, _ scope.Scope) bool { return f.Open > 0 },
			Help: func(Facts) string { return "shop.help" }},
	}
	return s
}

// write is a form of name, value pairs.
func write(pairs ...string) func(name string) string {
	return func(name string) string {
		for i := 0; i+1 < len(pairs); i += 2 {
			if pairs[i] == name {
				return pairs[i+1]
			}
		}
		return ""
	}
}

func TestInputsOfAButton(t *testing.T) {
	if b := form().Allowed("open", Facts{}, keeper, now); len(b[0].Inputs) != 1 || b[0].Inputs[0].Name != "reason" || !b[0].Inputs[0].Required || b[0].Inputs[0].Max != flow.MaxReason {
		t.Errorf("%+v", b[0].Inputs)
	}
	without, with := form().Allowed("closed", Facts{}, keeper, now)[0].Inputs, form().Allowed("closed", Facts{Open: 1}, keeper, now)[0].Inputs
	if len(without) != 6 || len(with) != 7 || with[6].Label != "shop.field.parcel" || with[6].Help != "shop.help" {
		t.Errorf("%+v and %+v", without, with)
	}
}

func TestFieldsAreJudged(t *testing.T) {
	fire := func(facts Facts, who scope.Scope, entity string, pairs ...string) error {
		s := form()
		ctx := flow.WithValues(context.Background(), "shop", entity, s.Read("reopen", write(pairs...)))
		return s.Fire(ctx, &memory{}, flow.Move[State, Action, Facts]{Entity: "s1", State: "closed", Version: 1, Do: "reopen", Facts: facts, Who: who, Now: now},
			func(context.Context, State) (bool, error) { return true, nil })
	}
	for _, c := range []struct {
		name  string
		facts Facts
		code  string
		pairs []string
	}{
		{"enough", Facts{}, "", []string{"title", " a "}},
		{"everything", Facts{}, "", []string{"title", "五个字的话", "memo", "a\r\nb", "number", "0012", "day", "2026-07-08", "amount", "-1,200.50", "agreed", "true"}},
		{"nothing", Facts{}, "flow.field_missing", nil},
		{"blank", Facts{}, "flow.field_missing", []string{"title", " \t"}},
		{"too long", Facts{}, "flow.field_long", []string{"title", "六个字的话了"}},
		{"two lines in one", Facts{}, "flow.field_malformed", []string{"title", "a\nb"}},
		{"letters", Facts{}, "flow.field_malformed", []string{"title", "a", "number", "12a"}},
		{"no day", Facts{}, "flow.field_malformed", []string{"title", "a", "day", "2026-02-30"}},
		{"no amount", Facts{}, "flow.field_malformed", []string{"title", "a", "amount", "much"}},
		{"no tick", Facts{}, "flow.field_malformed", []string{"title", "a", "agreed", "yes"}},
		{"in its case alone", Facts{Open: 1}, "flow.field_missing", []string{"title", "a"}},
		{"in its case", Facts{Open: 1}, "", []string{"title", "a", "parcel", "b"}},
		{"two of them", Facts{}, "flow.refused", []string{"number", "x"}},
	} {
		err := fire(c.facts, keeper, "s1", c.pairs...)
		if c.code == "" && err != nil || c.code != "" && !fault.HasCode(err, c.code) {
			t.Errorf("%s: %v", c.name, err)
		}
		if f := fault.From(err); f != nil && (f.Kind != fault.KindInvalid || len(f.Fields) == 0) {
			t.Errorf("%s: %s with fields %v", c.name, f.Kind, f.Fields)
		}
	}
	if err := fire(Facts{}, keeper, ""); !fault.HasCode(err, "flow.field_missing") {
		t.Errorf("the only entity of the request: %v", err)
	}
	if err := fire(Facts{}, keeper, "s2"); err != nil {
		t.Errorf("what was written for another: %v", err)
	}
	if err := fire(Facts{}, jobs, "s1"); err != nil {
		t.Errorf("the program writes nothing: %v", err)
	}
}

func TestReadTakesWhatTheRowsName(t *testing.T) {
	got := form().Read("reopen", write("title", " a ", "state", "gone", "reason", "b"))
	if got["title"] != "a" || got["state"] != "" || got["reason"] != "" || len(got) != 7 {
		t.Errorf("%v", got)
	}
	if got = form().Read("close", write("reason", "end\r\nof season", "title", "a")); len(got) != 1 || got["reason"] != "end\nof season" {
		t.Errorf("%v", got)
	}
}

func TestFieldMistakes(t *testing.T) {
	for _, c := range []struct {
		want  string
		spoil func(r *row)
	}{
		{"name of its own", func(r *row) { r.Fields[1].Name = "title" }},
		{"name of its own", func(r *row) { r.Fields[1].Name = "reason" }},
		{"a limit", func(r *row) { r.Fields[1].Max = 0 }},
		{"unknown kind", func(r *row) { r.Fields[1].Kind = "colour" }},
		{"both a case and the rule", func(r *row) { r.Fields[1].Case = "always" }},
		{"need a dialog", func(r *row) { r.Ask = flow.AskNone }},
		{"form needs fields", func(r *row) { r.Fields = nil }},
	} {
		s := form()
		c.spoil(&s.Rows[1])
		errs := s.Check()
		if len(errs) != 1 || !strings.Contains(errs[0].Error(), c.want) {
			t.Errorf("%s: %v", c.want, errs)
		}
	}
	if errs := form().Check(); len(errs) > 0 {
		t.Error(errs)
	}
}

// A move that was overtaken is refused whether the page named the entity or the machine alone.
func TestSeenByTheMachine(t *testing.T) {
	log := &memory{log: []flow.Change{{Machine: "shop", Entity: "s1", From: "open", To: "closed", Action: "close", Actor: "chen", At: now, Version: 3}}}
	fire := func(ctx context.Context) error {
		return shop().Fire(ctx, log, flow.Move[State, Action, Facts]{Entity: "s1", State: "closed", Version: 3, Do: "reopen", Who: keeper, Now: now},
			func(context.Context, State) (bool, error) { return false, nil })
	}
	for _, at := range [][2]string{{"shop", ""}, {"shop", "s1"}, {"", "s1"}} {
		if err := fire(flow.WithSeen(context.Background(), at[0], at[1], 2)); !fault.HasCode(err, "flow.changed_meanwhile") || fault.From(err).Args["by"] != "chen" {
			t.Errorf("%v: %v", at, err)
		}
	}
	begun := &memory{log: []flow.Change{{Machine: "shop", Entity: "s1", To: "open", Action: "begin", Actor: "chen", At: now, Version: 1}}}
	if stale := flow.Overtaken(flow.WithSeen(context.Background(), "shop", "", 0), begun, "shop", "s1"); stale != nil {
		t.Errorf("what its first move makes was overtaken by nobody: %v", stale)
	}
	for _, at := range [][2]string{{"mill", ""}, {"shop", "s2"}, {"", ""}} {
		if stale := flow.Overtaken(flow.WithSeen(context.Background(), at[0], at[1], 2), log, "shop", "s1"); stale != nil {
			t.Errorf("%v: %v", at, stale)
		}
	}
}
