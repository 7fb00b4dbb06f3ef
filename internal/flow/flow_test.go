package flow_test

import (
	"context"
	"errors"
	"slices"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	"huoban/internal/clock"
	"huoban/internal/fault"
	"huoban/internal/flow"
	"huoban/internal/flow/flowtest"
	"huoban/internal/scope"
)

type (
	State  string
	Action string
	Facts  struct {
		Open   int
		Author string
	}
	table = flow.Table[State, Action, Facts]
	row   = flow.Row[State, Action, Facts]
)

const keep scope.Item = "BPC_ITEM_KEEP"

var (
	now    = time.Date(2026, 11, 5, 4, 0, 0, 0, time.UTC)
	keeper = scope.Vendor("V", "lin", "lin", []scope.Item{keep})
	guest  = scope.Vendor("V", "chen", "chen", nil)
	jobs   = scope.System("system")

	nothingOpen = flow.Guard[Facts]{Name: "nothing_open", Code: "shop.still_open",
		Holds: func(f Facts, _ scope.Scope, _ time.Time) bool { return f.Open == 0 },
		Args:  func(f Facts, _ time.Time) fault.Args { return fault.Args{"open": f.Open} }}
	second = flow.Guard[Facts]{Name: "second_person", Code: "shop.same_person", Kind: fault.KindDenied,
		Holds: func(f Facts, who scope.Scope, _ time.Time) bool { return who.Login() != f.Author }}
)

func shop() *table {
	return &table{Machine: "shop", Path: "/shops/{id}", Start: []State{"open"}, Final: []State{"gone"}, Rows: []row{
		{From: []State{"open"}, Do: "close", To: "closed", Who: []scope.Item{keep}, When: []flow.Guard[Facts]{nothingOpen, second},
			Then: []string{"seal"}, Ask: flow.AskReason, Noun: "closing", Op: "closeShop", Spec: "here"},
		{From: []State{"closed"}, Do: "reopen", To: "open", Who: []scope.Item{keep}, Ask: flow.AskConfirm, Noun: "reopening", Spec: "here"},
		{From: []State{"closed"}, Do: "clear", To: "gone", Who: []scope.Item{flow.System}, Ask: flow.AskNone,
			Due: &flow.Due{Days: 3, Clock: "12:00"}, Spec: "here"},
	}}
}

func TestDecide(t *testing.T) {
	for _, c := range []struct {
		name  string
		state State
		do    Action
		facts Facts
		who   scope.Scope
		code  string
	}{
		{"legal", "open", "close", Facts{}, keeper, ""},
		{"wrong state", "open", "reopen", Facts{}, keeper, "flow.not_from_state"},
		{"no such action", "open", "burn", Facts{}, keeper, "flow.unknown_action"},
		{"no permission", "open", "close", Facts{}, guest, "scope.permission_missing"},
		{"nobody", "open", "close", Facts{}, scope.Scope{}, "scope.permission_missing"},
		{"one guard", "open", "close", Facts{Open: 2}, keeper, "shop.still_open"},
		{"its kind", "open", "close", Facts{Author: "lin"}, keeper, "shop.same_person"},
		{"both guards", "open", "close", Facts{Open: 2, Author: "lin"}, keeper, "flow.refused"},
		{"a person for the system", "closed", "clear", Facts{}, keeper, "scope.permission_missing"},
		{"the system", "closed", "clear", Facts{}, jobs, ""},
		{"the system for a person", "open", "close", Facts{}, jobs, ""},
	} {
		r, err := shop().Decide(c.state, c.do, c.facts, c.who, now)
		if c.code == "" {
			if err != nil || r.Do != c.do {
				t.Errorf("%s: %v", c.name, err)
			}
			continue
		}
		if err == nil || fault.From(err).Code != c.code {
			t.Errorf("%s: %v", c.name, err)
		}
	}
	_, err := shop().Decide("closed", "close", Facts{}, keeper, now)
	if f := fault.From(err); f.Args["state"] != "shop.state.closed" || !slices.Equal(f.Args["legal"].([]string), []string{"shop.action.reopen"}) {
		t.Errorf("%v", f)
	}
	_, err = shop().Decide("open", "close", Facts{Open: 2, Author: "lin"}, keeper, now)
	if !fault.HasCode(err, "shop.still_open") || !fault.HasCode(err, "shop.same_person") || fault.From(err).Reason[0].Args["open"] != 2 {
		t.Errorf("%v", err)
	}
}

func TestAllowed(t *testing.T) {
	got := shop().Allowed("open", Facts{Open: 1}, keeper, now)
	if len(got) != 1 || got[0].Enabled || got[0].Refusal.Code != "shop.still_open" || got[0].Label() != "shop.action.close" || got[0].Noun != "closing" {
		t.Fatalf("%+v", got)
	}
	if got = shop().Allowed("closed", Facts{}, keeper, now); len(got) != 1 || !got[0].Enabled || got[0].Action != "reopen" {
		t.Fatalf("the system's rows are no buttons: %+v", got)
	}
}

// memory is a log that forgets at the end of the test.
type memory struct {
	log []flow.Change
	due []flow.DueChange
}

func (m *memory) Append(_ context.Context, c flow.Change) error { m.log = append(m.log, c); return nil }
func (m *memory) Last(context.Context, string, string) (flow.Change, bool, error) {
	if len(m.log) == 0 {
		return flow.Change{}, false, nil
	}
	return m.log[len(m.log)-1], true, nil
}
func (m *memory) History(context.Context, string, string) ([]flow.Change, error) { return m.log, nil }
func (m *memory) ClearDue(context.Context, string, string) error {
	m.due = nil
	return nil
}
func (m *memory) AddDue(_ context.Context, due []flow.DueChange) error {
	m.due = append(m.due, due...)
	return nil
}

func TestFire(t *testing.T) {
	ctx, m := context.Background(), &memory{}
	move := flow.Move[State, Action, Facts]{Entity: "s1", State: "open", Version: 4, Do: "close", Who: keeper, Now: now}
	won := func(context.Context, State) (bool, error) { return true, nil }
	if err := shop().Fire(ctx, m, move, won); !fault.HasCode(err, "flow.reason_missing") {
		t.Fatal(err)
	}
	move.Reason = "  end of season "
	wrote := State("")
	err := shop().Fire(ctx, m, move, func(_ context.Context, to State) (bool, error) { wrote = to; return true, nil })
	want := flow.Change{Machine: "shop", Entity: "s1", From: "open", To: "closed", Action: "close", Actor: "lin", At: now, Reason: "end of season", Version: 5}
	if err != nil || wrote != "closed" || len(m.log) != 1 || m.log[0] != want {
		t.Fatalf("%v %+v", err, m.log)
	}
	noon := time.Date(2026, 11, 8, 4, 0, 0, 0, time.UTC) // 12:00 in GMT+8
	if len(m.due) != 1 || m.due[0].Action != "clear" || !m.due[0].At.Equal(noon) {
		t.Fatalf("%+v", m.due)
	}
	err = shop().Fire(ctx, m, move, func(context.Context, State) (bool, error) { return false, nil })
	if f := fault.From(err); f.Code != "flow.changed_meanwhile" || f.Args["by"] != "lin" || f.Args["at"] != "2026-11-05 12:00:00" || f.Args["state"] != "shop.state.closed" {
		t.Fatalf("%v", err)
	}
	broken := errors.New("disk")
	if err := shop().Fire(ctx, m, move, func(context.Context, State) (bool, error) { return false, broken }); !errors.Is(err, broken) || len(m.log) != 1 {
		t.Fatal(err, len(m.log))
	}
	move = flow.Move[State, Action, Facts]{Entity: "s1", State: "closed", Version: 5, Do: "reopen", Who: keeper, Now: now}
	if err := shop().Fire(ctx, m, move, won); err != nil || len(m.due) != 0 {
		t.Fatal("what waited for the old state must be forgotten", err, m.due)
	}
}

func TestDueCountsCalendarDays(t *testing.T) {
	late := time.Date(2026, 11, 5, 15, 59, 59, 0, time.UTC) // 23:59:59 on the 5th in GMT+8
	for _, c := range []struct {
		due  flow.Due
		days int
		in   time.Time
		want string
	}{
		{flow.Due{Days: 7}, -1, now, "2026-11-12T04:00:00Z"},
		{flow.Due{Days: 7}, 30, now, "2026-12-05T04:00:00Z"},
		{flow.Due{Days: 7}, 0, now, "2026-11-05T04:00:00Z"},
		{flow.Due{Days: 1, Clock: "00:00"}, -1, late, "2026-11-05T16:00:00Z"},
		{flow.Due{Days: 1, Clock: "00:00"}, -1, late.Add(time.Second), "2026-11-06T16:00:00Z"},
		{flow.Due{Days: 1, Clock: "09:00"}, -1, time.Date(2028, 2, 28, 4, 0, 0, 0, time.UTC), "2028-02-29T01:00:00Z"},
	} {
		if got := c.due.At(c.in, c.days).Format(time.RFC3339); got != c.want {
			t.Errorf("%+v from %s: %s, want %s", c.due, c.in, got, c.want)
		}
	}
}

func TestCheckFindsMistakes(t *testing.T) {
	if errs := shop().Check(); len(errs) != 0 {
		t.Fatal(errs)
	}
	for _, c := range []struct {
		name  string
		spoil func(*table)
		want  string
	}{
		{"two rows", func(t *table) { t.Rows = append(t.Rows, t.Rows[0]) }, "two rows fit close"},
		{"island", func(t *table) { t.Rows = append(t.Rows, row{From: []State{"isle"}, Do: "swim", To: "open"}) }, "isle cannot be reached"},
		{"dead end", func(t *table) { t.Final = nil }, "gone has no exit"},
		{"not final", func(t *table) { t.Final = append(t.Final, "open") }, "open is declared final"},
		{"no start", func(t *table) { t.Start = nil }, "start state"},
		{"nobody", func(t *table) { t.Rows[0].Who = nil }, "required"},
		{"no noun", func(t *table) { t.Rows[0].Noun = "" }, "needs a Noun"},
		{"same noun", func(t *table) {
			r := t.Rows[0]
			r.Do = "shut"
			t.Rows = append(t.Rows, r)
		}, "share the path noun"},
		{"ask", func(t *table) { t.Rows[0].Ask = "perhaps" }, "unknown Ask"},
		{"due", func(t *table) { t.Rows[0].Due = &flow.Due{} }, "a due time needs"},
		{"button", func(t *table) { t.Rows[2].Noun = "clearing" }, "has no button"},
		{"guard", func(t *table) { t.Rows[0].When = []flow.Guard[Facts]{{Name: "x"}} }, "needs a name, a code and a rule"},
		{"begin", func(t *table) { t.Rows[0].Do = "begin" }, "taken by the log"},
	} {
		s := shop()
		c.spoil(s)
		found := slices.ContainsFunc(s.Check(), func(e error) bool { return strings.Contains(e.Error(), c.want) })
		if !found {
			t.Errorf("%s: %v", c.name, s.Check())
		}
	}
}

func TestMatrixAndGuards(t *testing.T) {
	flowtest.Matrix(t, shop())
	flowtest.Guards(t, shop(), map[string]flowtest.Examples[Facts]{
		"nothing_open":  {Pass: flowtest.Example[Facts]{}, Refuse: flowtest.Example[Facts]{Facts: Facts{Open: 1}}},
		"second_person": {Pass: flowtest.Example[Facts]{Who: guest, Facts: Facts{Author: "lin"}}, Refuse: flowtest.Example[Facts]{Who: keeper, Facts: Facts{Author: "lin"}}},
	})
}

func TestWalkKeepsTheInvariant(t *testing.T) {
	open := 0
	flowtest.Walk(t, shop(), flowtest.WalkSpec[State, Action, Facts]{
		Now: now,
		Facts: func(rt *rapid.T, _ State) Facts {
			open = rapid.IntRange(0, 1).Draw(rt, "open")
			return Facts{Open: open, Author: rapid.SampledFrom([]string{"lin", "chen"}).Draw(rt, "author")}
		},
		Who: func(rt *rapid.T) scope.Scope {
			return rapid.SampledFrom([]scope.Scope{keeper, guest, jobs}).Draw(rt, "who")
		},
		Step: func(rt *rapid.T, _ State, do Action, _ State, f Facts) {
			if do == "close" && f.Open > 0 {
				rt.Fatal("closed with something open")
			}
		},
	})
}

func TestDoc(t *testing.T) {
	var b strings.Builder
	label := func(lang, key string) string { return lang + ":" + key }
	if err := flow.Doc(&b, label, shop()); err != nil {
		t.Fatal(err)
	}
	flowtest.Golden(t, "shop.md", b.String())
	dir := t.TempDir()
	for range 2 {
		if err := flow.WriteDocs(dir, label, shop()); err != nil {
			t.Fatal(err)
		}
	}
}

type noTx struct{}

func (noTx) InTx(ctx context.Context, fn func(ctx context.Context) error) error { return fn(ctx) }

type queue struct{ due []flow.DueChange }

func (q *queue) Ripe(_ context.Context, now time.Time, _ int) (out []flow.DueChange, _ error) {
	for _, d := range q.due {
		if !d.At.After(now) {
			out = append(out, d)
		}
	}
	return out, nil
}

func (q *queue) Postpone(_ context.Context, d flow.DueChange, to time.Time) error {
	for i := range q.due {
		if q.due[i] == d {
			q.due[i].At, q.due[i].Tries = to, d.Tries+1
		}
	}
	return nil
}

func (q *queue) Drop(_ context.Context, d flow.DueChange) error {
	q.due = slices.DeleteFunc(q.due, func(x flow.DueChange) bool { return x == d })
	return nil
}

func TestTimer(t *testing.T) {
	ctx, broken := context.Background(), errors.New("disk")
	q := &queue{due: []flow.DueChange{
		{Machine: "shop", Entity: "fires", Action: "clear", At: now}, {Machine: "shop", Entity: "moved", Action: "clear", At: now},
		{Machine: "shop", Entity: "guarded", Action: "clear", At: now}, {Machine: "shop", Entity: "broken", Action: "clear", At: now},
		{Machine: "old", Entity: "x", Action: "y", At: now}, {Machine: "shop", Entity: "later", Action: "clear", At: now.Add(time.Second)},
	}}
	fired := 0
	timer := flow.NewTimer(noTx{}, q, clock.At(now), map[string]flow.FireDue{"shop": func(ctx context.Context, entity, action string, who scope.Scope, at time.Time) error {
		if who.Side() != scope.SideSystem || action != "clear" || !at.Equal(now) {
			t.Errorf("%s %s %s", who.Side(), action, at)
		}
		switch entity {
		case "moved":
			return fault.Conflict("flow.not_from_state", nil)
		case "guarded":
			return fault.Conflict("shop.still_open", nil)
		case "broken":
			return broken
		}
		fired++
		return q.Drop(ctx, flow.DueChange{Machine: "shop", Entity: entity, Action: action, At: now})
	}})
	n, err := timer.Tick(ctx)
	if n != 1 || fired != 1 || !errors.Is(err, broken) || !fault.HasCode(err, "flow.unknown_action") && !strings.Contains(err.Error(), "unknown_action") {
		t.Fatal(n, fired, err)
	}
	left := map[string]time.Duration{}
	for _, d := range q.due {
		left[d.Entity] = d.At.Sub(now)
	}
	if len(left) != 4 || left["guarded"] != time.Hour || left["broken"] != time.Hour || left["x"] != time.Hour || left["later"] != time.Second {
		t.Fatal(left)
	}
}
