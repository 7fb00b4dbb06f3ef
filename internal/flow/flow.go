package flow

import (
	"cmp"
	"slices"
	"time"

	"huoban/internal/fault"
	"huoban/internal/scope"
)

// System in Row.Who means that only the program itself may do it: jobs, and commands of the operator.
const System scope.Item = "system"

// Anyone in Row.Who means every signed-in actor; a guard says whose the entity is.
const Anyone scope.Item = "anyone"

// Ask is what a page asks before it fires an action.
type Ask string

// The ways to ask; an empty Ask is AskNone. A reason is required text: Fire answers
// flow.reason_missing without it.
const (
	AskNone    Ask = "none"
	AskConfirm Ask = "confirm"
	AskForm    Ask = "form"
	AskReason  Ask = "reason"
)

// Guard is a named claim that must hold for a row to be taken. It is pure: everything it judges was
// loaded before.
type Guard[F any] struct {
	Name  string     // the claim, e.g. "second_person"
	Code  string     // fault code when it does not hold, e.g. "adjustment.same_person"
	Kind  fault.Kind // kind of that fault; empty is conflict
	Holds func(facts F, who scope.Scope, now time.Time) bool
	Args  func(facts F, now time.Time) fault.Args // arguments of the refusal; may be nil
}

// Due makes a system row fire by itself: Days calendar days (GMT+08:00) after its state was entered,
// at Clock ("15:04"; empty keeps the time of day of entering). Setting names a setting that may
// replace Days for one entity (Move.DueDays).
type Due struct {
	Days    int
	Clock   string
	Setting string
}

// zone dates everything the portal itself schedules.
var zone = time.FixedZone("GMT+08:00", 8*3600)

// At gives the instant a state entered then is due, days replacing the rule's own if not negative.
func (d Due) At(entered time.Time, days int) time.Time {
	if days < 0 {
		days = d.Days
	}
	e := entered.In(zone)
	h, m, s, ns := e.Hour(), e.Minute(), e.Second(), e.Nanosecond()
	if c, err := time.Parse("15:04", d.Clock); err == nil {
		h, m, s, ns = c.Hour(), c.Minute(), 0, 0
	}
	return time.Date(e.Year(), e.Month(), e.Day()+days, h, m, s, ns, zone).UTC()
}

// Row is one legal move.
type Row[S ~string, A ~string, F any] struct {
	From   []S
	Do     A
	To     S
	Who    []scope.Item // any one of these items, or System
	When   []Guard[F]   // all must hold; every one that does not is reported
	Then   []string     // named effects, written by the service in the same transaction
	Ask    Ask
	Fields []Field[F] // what the dialog asks for beside a reason
	Noun   string     // last part of the POST path, e.g. "confirmation"; empty = no button, no endpoint
	Due    *Due       // only with Who = System
	Op     string     // operation id of the API; may be empty
	Spec   string     // where the rule is written down
}

// Table is one machine.
type Table[S ~string, A ~string, F any] struct {
	Machine string // prefix of label keys: <machine>.state.<state>, <machine>.action.<action>
	Path    string // path of one entity, e.g. "/deliveries/{id}"; may be empty
	Start   []S    // states an entity may begin in
	Final   []S    // states without exit, on purpose
	// Within are the service times (办理时限): in how many working days a state is moved on by whoever it waits
	// for. Nothing fires when they are over; the back office and reminders show it.
	Within map[S]int
	Rows   []Row[S, A, F]
}

// Button is an allowed or refused action, ready for an action bar or available_actions.
type Button struct {
	Machine string
	Action  string
	Noun    string
	Ask     Ask
	Op      string
	Inputs  []Input // what is asked for
	Enabled bool
	Refusal *fault.Error // why not, if not Enabled
}

// Label is the key of the button's text.
func (b Button) Label() string { return b.Machine + ".action." + b.Action }

// States lists every state, in the order they first appear.
func (t *Table[S, A, F]) States() []S {
	var out []S
	add := func(list ...S) {
		for _, s := range list {
			if !slices.Contains(out, s) {
				out = append(out, s)
			}
		}
	}
	add(t.Start...)
	for _, r := range t.Rows {
		add(r.From...)
		add(r.To)
	}
	add(t.Final...)
	return out
}

// Actions lists every action, in the order they first appear.
func (t *Table[S, A, F]) Actions() []A {
	var out []A
	for _, r := range t.Rows {
		if !slices.Contains(out, r.Do) {
			out = append(out, r.Do)
		}
	}
	return out
}

// Lookup finds the row for an action in a state.
func (t *Table[S, A, F]) Lookup(state S, do A) (*Row[S, A, F], bool) {
	for i := range t.Rows {
		if t.Rows[i].Do == do && slices.Contains(t.Rows[i].From, state) {
			return &t.Rows[i], true
		}
	}
	return nil, false
}

// Allowed lists every action that leaves the state, each enabled or with its refusal. Rows only the
// system fires, and rows without a Noun, are left out for people; actions the actor has no
// permission for are listed with that refusal, so that the caller chooses to hide or show them.
func (t *Table[S, A, F]) Allowed(state S, facts F, who scope.Scope, now time.Time) []Button {
	var out []Button
	for i := range t.Rows {
		r := &t.Rows[i]
		if !slices.Contains(r.From, state) || r.Noun == "" {
			continue
		}
		refusal := t.judge(r, facts, who, now)
		out = append(out, Button{Machine: t.Machine, Action: string(r.Do), Noun: r.Noun, Ask: cmp.Or(r.Ask, AskNone), Op: r.Op,
			Inputs: t.inputs(r, facts, who), Enabled: refusal == nil, Refusal: refusal})
	}
	return out
}

// Decide gives the row an action takes, or a fault: flow.unknown_action, flow.not_from_state (state,
// action, legal), scope.permission_missing, a guard's own code, or flow.refused with several.
func (t *Table[S, A, F]) Decide(state S, do A, facts F, who scope.Scope, now time.Time) (*Row[S, A, F], error) {
	r, ok := t.Lookup(state, do)
	if !ok {
		if !slices.Contains(t.Actions(), do) {
			return nil, fault.NotFound("flow.unknown_action", fault.Args{"machine": t.Machine, "action": t.actionKey(do)})
		}
		return nil, t.notFrom(state, do, who)
	}
	if f := t.judge(r, facts, who, now); f != nil {
		return nil, f
	}
	return r, nil
}

// notFrom names the state, and the actions this actor could take from it. Arguments are label keys,
// which i18n shows by their labels.
func (t *Table[S, A, F]) notFrom(state S, do A, who scope.Scope) *fault.Error {
	var legal []string
	for i := range t.Rows {
		r := &t.Rows[i]
		if slices.Contains(r.From, state) && permitted(r.Who, who) == nil {
			legal = append(legal, t.actionKey(r.Do))
		}
	}
	return fault.Conflict("flow.not_from_state", fault.Args{"machine": t.Machine, "state": stateKey(t.Machine, string(state)),
		"action": t.actionKey(do), "legal": legal})
}

func (t *Table[S, A, F]) actionKey(do A) string { return t.Machine + ".action." + string(do) }

func stateKey(machine, state string) string { return machine + ".state." + state }

func (t *Table[S, A, F]) judge(r *Row[S, A, F], facts F, who scope.Scope, now time.Time) *fault.Error {
	if f := permitted(r.Who, who); f != nil {
		return f
	}
	var reasons []*fault.Error
	for _, g := range r.When {
		if g.Holds(facts, who, now) {
			continue
		}
		kind, args := g.Kind, fault.Args(nil)
		if kind == "" {
			kind = fault.KindConflict
		}
		if g.Args != nil {
			args = g.Args(facts, now)
		}
		reasons = append(reasons, fault.New(kind, g.Code, args))
	}
	switch len(reasons) {
	case 0:
		return nil
	case 1:
		return reasons[0]
	}
	return fault.Refused("flow.refused", reasons)
}

// permitted refuses an actor that holds none of the items. The system holds all.
func permitted(items []scope.Item, who scope.Scope) *fault.Error {
	if who.Side() == scope.SideSystem {
		return nil
	}
	if slices.Contains(items, Anyone) && who.Side() != scope.SideNobody {
		return nil
	}
	people := slices.DeleteFunc(slices.Clone(items), func(i scope.Item) bool { return i == System })
	if len(people) > 0 && who.Side() != scope.SideNobody && who.Has(people...) {
		return nil
	}
	item := System
	if len(people) > 0 {
		item = people[0]
	}
	return fault.Denied("scope.permission_missing", fault.Args{"item": string(item)})
}
