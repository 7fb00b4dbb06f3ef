package flowtest

import (
	"context"
	"fmt"
	"math/rand/v2"
	"reflect"
	"slices"
	"testing"
	"time"

	"huoban/internal/fault"
	"huoban/internal/flow"
	"huoban/internal/scope"
)

// Bare is a machine without its guards, to be moved by texts: what holds for every machine is proved on it.
type Bare struct {
	flow.Description
	table reflect.Value
}

// BareOf takes the guards off a copy of the machine's table.
func BareOf(m flow.Machine) Bare {
	old := reflect.ValueOf(m).Elem()
	table := reflect.New(old.Type())
	table.Elem().Set(old)
	rows := old.FieldByName("Rows")
	list := reflect.MakeSlice(rows.Type(), rows.Len(), rows.Len())
	reflect.Copy(list, rows)
	for i := range list.Len() {
		list.Index(i).FieldByName("When").SetZero()
	}
	table.Elem().FieldByName("Rows").Set(list)
	return Bare{m.Describe(), table}
}

// Thing is one entity as somebody loaded it.
type Thing struct {
	ID      string
	State   string
	Version int64
}

// Fire moves a thing; write is the compare-and-set of its row.
func (b Bare) Fire(ctx context.Context, log flow.Log, x Thing, do string, who scope.Scope, now time.Time, write func(ctx context.Context, to string) (bool, error)) error {
	fire := b.table.MethodByName("Fire")
	move := reflect.New(fire.Type().In(2)).Elem()
	move.FieldByName("Entity").SetString(x.ID)
	move.FieldByName("State").SetString(x.State)
	move.FieldByName("Version").SetInt(x.Version)
	move.FieldByName("Do").SetString(do)
	move.FieldByName("Who").Set(reflect.ValueOf(who))
	move.FieldByName("Now").Set(reflect.ValueOf(now))
	move.FieldByName("Reason").SetString("a reason")
	typed := reflect.MakeFunc(fire.Type().In(3), func(args []reflect.Value) []reflect.Value {
		won, err := write(args[0].Interface().(context.Context), args[1].String())
		return []reflect.Value{reflect.ValueOf(won), errorValue(err)}
	})
	return errorOf(fire.Call([]reflect.Value{reflect.ValueOf(ctx), reflect.ValueOf(&log).Elem(), move, typed})[0])
}

// Begin logs a thing in a start state.
func (b Bare) Begin(ctx context.Context, log flow.Log, id, state string, who scope.Scope, now time.Time) error {
	begin := b.table.MethodByName("Begin")
	s := reflect.New(begin.Type().In(3)).Elem()
	s.SetString(state)
	return errorOf(begin.Call([]reflect.Value{reflect.ValueOf(ctx), reflect.ValueOf(&log).Elem(), reflect.ValueOf(id), s, reflect.ValueOf(who), reflect.ValueOf(now), reflect.Zero(begin.Type().In(6))})[0])
}

var errorType = reflect.TypeFor[error]()

func errorValue(err error) reflect.Value {
	if err == nil {
		return reflect.Zero(errorType)
	}
	return reflect.ValueOf(&err).Elem()
}

func errorOf(v reflect.Value) error {
	err, _ := v.Interface().(error)
	return err
}

// Memory is a log in memory that keeps what the table of a database keeps: one change for each version.
type Memory struct {
	changes map[string][]flow.Change
	due     map[string][]flow.DueChange
}

// NewMemory makes an empty log.
func NewMemory() *Memory {
	return &Memory{map[string][]flow.Change{}, map[string][]flow.DueChange{}}
}

// Append keeps a change.
func (m *Memory) Append(_ context.Context, c flow.Change) error {
	if list := m.changes[c.Entity]; int64(len(list))+1 != c.Version {
		return fmt.Errorf("version %d after %d changes", c.Version, len(list))
	}
	m.changes[c.Entity] = append(m.changes[c.Entity], c)
	return nil
}

// Last is the newest change.
func (m *Memory) Last(_ context.Context, _, entity string) (flow.Change, bool, error) {
	list := m.changes[entity]
	if len(list) == 0 {
		return flow.Change{}, false, nil
	}
	return list[len(list)-1], true, nil
}

// History is every change.
func (m *Memory) History(_ context.Context, _, entity string) ([]flow.Change, error) {
	return m.changes[entity], nil
}

// ClearDue forgets what waited.
func (m *Memory) ClearDue(_ context.Context, _, entity string) error {
	delete(m.due, entity)
	return nil
}

// AddDue keeps what waits.
func (m *Memory) AddDue(_ context.Context, due []flow.DueChange) error {
	for _, d := range due {
		m.due[d.Entity] = append(m.due[d.Entity], d)
	}
	return nil
}

// RandomWalk moves things of a machine at random, legally, illegally and from stale pages, and checks after each
// step that state, version and log say the same, that a refusal tells what happened, and that nothing waits for a
// state that is left. Every state and every row is met.
func RandomWalk(t *testing.T, m flow.Machine, steps int, seed uint64) {
	t.Helper()
	w := &walk{t: t, b: BareOf(m), log: NewMemory(), rand: rand.New(rand.NewPCG(seed, 7)), now: time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC),
		states: map[string]bool{}, rows: map[string]bool{}}
	w.begin()
	for range steps {
		w.now = w.now.Add(time.Minute)
		w.step()
		if t.Failed() {
			return
		}
	}
	for _, s := range w.b.States {
		if !w.states[s] {
			t.Errorf("state %s was never met in %d steps", s, steps)
		}
	}
	for _, r := range w.b.Rows {
		for _, from := range r.From {
			if !w.rows[from+" "+r.Do] {
				t.Errorf("%s was never done from %s in %d steps", r.Do, from, steps)
			}
		}
	}
}

type walk struct {
	t      *testing.T
	b      Bare
	log    *Memory
	rand   *rand.Rand
	now    time.Time
	n      int
	x      Thing
	states map[string]bool
	rows   map[string]bool
}

func pick[T any](r *rand.Rand, list []T) T { return list[r.IntN(len(list))] }

func (w *walk) begin() {
	w.n++
	w.x = Thing{fmt.Sprint("thing-", w.n), pick(w.rand, w.b.Start), 1}
	if err := w.b.Begin(context.Background(), w.log, w.x.ID, w.x.State, scope.System("lin"), w.now); err != nil {
		w.t.Fatal(err)
	}
	w.states[w.x.State] = true
}

// step tries one action, now and then with what a stale page shows.
func (w *walk) step() {
	if slices.Contains(w.b.Final, w.x.State) {
		w.refused(pick(w.rand, w.b.Actions))
		w.log.changes, w.log.due = map[string][]flow.Change{}, map[string][]flow.DueChange{}
		w.begin()
		return
	}
	do, before := pick(w.rand, w.b.Actions), w.x
	r := rowOf(w.b.Description, w.x.State, do)
	if r == nil {
		w.refused(do)
		return
	}
	if w.rand.IntN(5) == 0 {
		w.stale(do)
		return
	}
	err := w.b.Fire(context.Background(), w.log, w.x, do, scope.System("lin"), w.now, w.set)
	w.rows[before.State+" "+do], w.states[w.x.State] = true, true
	last, _, _ := w.log.Last(context.Background(), "", w.x.ID)
	if err != nil || w.x.State != r.To || w.x.Version != before.Version+1 || last.From != before.State || last.To != r.To || last.Version != w.x.Version || last.Action != do {
		w.t.Fatalf("%s from %s: %+v after %+v, logged %+v: %v", do, before.State, w.x, before, last, err)
	}
	for _, d := range w.log.due[w.x.ID] {
		if rowOf(w.b.Description, w.x.State, d.Action) == nil {
			w.t.Fatalf("%s waits in %s, which does not have it", d.Action, w.x.State)
		}
	}
}

func (w *walk) set(_ context.Context, to string) (bool, error) {
	w.x.State, w.x.Version = to, w.x.Version+1
	return true, nil
}

// stale fires what the row no longer has the version for: nothing moves, and the answer tells who was first.
func (w *walk) stale(do string) {
	x, logged := w.x, len(w.log.changes[w.x.ID])
	x.Version--
	err := w.b.Fire(context.Background(), w.log, x, do, scope.System("mei"), w.now, func(context.Context, string) (bool, error) { return false, nil })
	f := fault.From(err)
	if err == nil || f.Code != "flow.changed_meanwhile" || f.Args["by"] != "lin" || f.Args["at"] == "" || f.Args["state"] != w.b.Machine+".state."+w.x.State || len(w.log.changes[w.x.ID]) != logged {
		w.t.Fatalf("a stale %s in %s: %v %+v", do, w.x.State, err, f)
	}
}

// refused fires what the state does not have: nothing is written, and where somebody moved the thing the answer
// tells who, when and by which move.
func (w *walk) refused(do string) {
	if rowOf(w.b.Description, w.x.State, do) != nil {
		return
	}
	err := w.b.Fire(context.Background(), w.log, w.x, do, scope.System("mei"), w.now, func(context.Context, string) (bool, error) {
		w.t.Fatalf("%s wrote in %s", do, w.x.State)
		return false, nil
	})
	f, last := fault.From(err), w.log.changes[w.x.ID][len(w.log.changes[w.x.ID])-1]
	if err == nil || f.Code != "flow.not_from_state" {
		w.t.Fatalf("%s in %s: %v", do, w.x.State, err)
	}
	if last.From != "" && (f.Args["by"] != "lin" || f.Args["did"] != w.b.Machine+".action."+last.Action || f.Args["was"] != w.b.Machine+".state."+last.From) {
		w.t.Fatalf("%s in %s does not tell what happened: %+v", do, w.x.State, f.Args)
	}
}
