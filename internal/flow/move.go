package flow

import (
	"context"
	"maps"
	"strings"
	"time"

	"huoban/internal/fault"
	"huoban/internal/scope"
)

// Change is one row of the transition log.
type Change struct {
	Machine   string
	Entity    string
	From      string // empty when the entity begins
	To        string
	Action    string
	Actor     string // login, "operator" or "system"
	At        time.Time
	Reason    string
	RequestID string // filled by the store from ctx when empty
	Version   int64  // the entity's version after the change
}

// DueChange is an action waiting for its time.
type DueChange struct {
	Machine string
	Entity  string
	Action  string
	At      time.Time
	Tries   int64
}

// Log is where moves are kept; internal/store/flowstore implements it. All methods need a running
// transaction except Last and History.
type Log interface {
	// Append writes one change. The log is append-only.
	Append(ctx context.Context, c Change) error
	// Last is the newest change of an entity; ok is false when there is none.
	Last(ctx context.Context, machine, entity string) (c Change, ok bool, err error)
	// History is every change of an entity, oldest first.
	History(ctx context.Context, machine, entity string) ([]Change, error)
	// ClearDue forgets what waited for the entity.
	ClearDue(ctx context.Context, machine, entity string) error
	// AddDue keeps changes for their time.
	AddDue(ctx context.Context, due []DueChange) error
}

// Move is one action on one entity that was loaded before.
type Move[S ~string, A ~string, F any] struct {
	Entity  string
	State   S     // as loaded
	Version int64 // as loaded
	Do      A
	Facts   F
	Who     scope.Scope
	Now     time.Time
	Reason  string
	DueDays map[A]int // replaces Due.Days of actions that wait in the new state
}

// Fire decides, writes and logs one move inside the running transaction. write does the entity's own
// compare-and-set (update … set state = to, version = version + 1 where id, state and version are as
// loaded) and tells whether a row was touched. Faults: those of Decide, flow.reason_missing, flow.field_missing,
// .field_long and .field_malformed for what WithValues says was written, and flow.changed_meanwhile (by, at, state)
// when somebody was first.
func (t *Table[S, A, F]) Fire(ctx context.Context, log Log, m Move[S, A, F], write func(ctx context.Context, to S) (bool, error)) error {
	r, err := t.Decide(m.State, m.Do, m.Facts, m.Who, m.Now)
	if err != nil {
		err = t.Told(ctx, log, m.Entity, err)
	}
	if m.Who.Side() != scope.SideSystem && !fault.HasCode(err, "flow.not_from_state") { // what the program adds follows the person's move
		if stale := Overtaken(ctx, log, t.Machine, m.Entity); stale != nil {
			return stale
		}
	}
	if err != nil {
		return err
	}
	if r.Ask == AskReason && strings.TrimSpace(m.Reason) == "" {
		return fault.Invalid("flow.reason_missing", fault.Args{"machine": t.Machine, "action": t.actionKey(m.Do)})
	}
	if m.Who.Side() != scope.SideSystem {
		if err := t.asked(ctx, r, m.Entity, m.Facts, m.Who); err != nil {
			return err
		}
	}
	won, err := write(ctx, r.To)
	if err != nil {
		return err
	}
	if !won {
		return Lost(ctx, log, t.Machine, m.Entity)
	}
	c := Change{Machine: t.Machine, Entity: m.Entity, From: string(m.State), To: string(r.To), Action: string(m.Do),
		Actor: m.Who.Login(), At: m.Now, Reason: strings.TrimSpace(m.Reason), Version: m.Version + 1}
	if err := log.Append(ctx, c); err != nil {
		return err
	}
	if t.waits(m.State) {
		if err := log.ClearDue(ctx, t.Machine, m.Entity); err != nil {
			return err
		}
	}
	return log.AddDue(ctx, t.due(m.Entity, r.To, m.Now, m.DueDays))
}

// Begin logs that an entity was made in a start state with version 1, and keeps its due times.
func (t *Table[S, A, F]) Begin(ctx context.Context, log Log, entity string, state S, who scope.Scope, now time.Time, dueDays map[A]int) error {
	c := Change{Machine: t.Machine, Entity: entity, To: string(state), Action: "begin", Actor: who.Login(), At: now, Version: 1}
	if err := log.Append(ctx, c); err != nil {
		return err
	}
	return log.AddDue(ctx, t.due(entity, state, now, dueDays))
}

// Told adds to a refusal by state who brought the entity there, when and by which move: a page that is stale shows
// a button the state no longer has.
func (t *Table[S, A, F]) Told(ctx context.Context, log Log, entity string, refusal error) error {
	if !fault.HasCode(refusal, "flow.not_from_state") {
		return refusal
	}
	f := *fault.From(refusal)
	last, ok, err := log.Last(ctx, t.Machine, entity)
	if err != nil {
		return err
	}
	if !ok || last.From == "" {
		return refusal // as it began: nobody was first
	}
	f.Args = maps.Clone(f.Args)
	f.Args["by"], f.Args["at"] = last.Actor, last.At.In(zone).Format("2006-01-02 15:04:05")
	f.Args["did"], f.Args["was"] = t.actionKey(A(last.Action)), stateKey(t.Machine, last.From)
	return &f
}

type seenKey struct{}

type seen struct {
	machine, entity string
	version         int64
}

// WithSeen says which version of an entity the page showed that somebody acts from; an empty entity is the one of the
// machine that the request moves, an empty machine the entity's own. Fire refuses a move of the entity that was overtaken:
// the state may be the same again, and what is decided another.
func WithSeen(ctx context.Context, machine, entity string, version int64) context.Context {
	return context.WithValue(ctx, seenKey{}, seen{machine, entity, version})
}

// Overtaken is the fault where a move of the entity was logged after what the actor saw.
func Overtaken(ctx context.Context, log Log, machine, entity string) error {
	saw, ok := ctx.Value(seenKey{}).(seen)
	if !ok || saw.machine != "" && saw.machine != machine || saw.entity != "" && saw.entity != entity || saw.machine == "" && saw.entity == "" {
		return nil
	}
	last, ok, err := log.Last(ctx, machine, entity)
	if err != nil || !ok || last.Version <= saw.version || last.From == "" { // it only began, as what is made by its first move does
		return err
	}
	return Lost(ctx, log, machine, entity)
}

// Lost is the fault for a compare-and-set that touched no row, with who was first, when and by which move.
func Lost(ctx context.Context, log Log, machine, entity string) error {
	args := fault.Args{"machine": machine, "by": "", "at": "", "state": "", "did": ""}
	last, ok, err := log.Last(ctx, machine, entity)
	if err != nil {
		return err
	}
	if ok {
		args["by"], args["at"], args["state"] = last.Actor, last.At.In(zone).Format("2006-01-02 15:04:05"), stateKey(machine, last.To)
		if last.From != "" {
			args["did"], args["was"] = machine+".action."+last.Action, stateKey(machine, last.From)
		}
	}
	return fault.Conflict("flow.changed_meanwhile", args)
}

// waits tells whether something may wait for an entity in the state. What an earlier release left there is
// dropped by the timer, because the state refuses it.
func (t *Table[S, A, F]) waits(state S) bool {
	for i := range t.Rows {
		if t.Rows[i].Due != nil && contains(t.Rows[i].From, state) {
			return true
		}
	}
	return false
}

func (t *Table[S, A, F]) due(entity string, state S, now time.Time, days map[A]int) []DueChange {
	var out []DueChange
	for i := range t.Rows {
		r := &t.Rows[i]
		if r.Due == nil || !contains(r.From, state) {
			continue
		}
		n, ok := days[r.Do]
		if !ok {
			n = -1
		}
		out = append(out, DueChange{Machine: t.Machine, Entity: entity, Action: string(r.Do), At: r.Due.At(now, n)})
	}
	return out
}

func contains[S comparable](list []S, s S) bool {
	for _, x := range list {
		if x == s {
			return true
		}
	}
	return false
}
