// Package flow is the engine of state machines that are plain data.
//
// It owns the table type, the decision whether an action is legal, the list of allowed actions with
// their refusals, the compare-and-set move with its transition log, due times, the static checks and
// the docs writer. It does not own any machine: each noun keeps its table in <noun>/flow.go, and
// internal/app/machines.go lists them all.
//
// Invariants: a decision never fires anything; guards are pure functions of facts loaded before;
// every move is written by compare-and-set on state and version, and leaves one row in the
// transition log in the same transaction.
//
// A machine:
//
//	type State string
//	type Action string
//
//	const (
//		StateOpen   State  = "open"
//		StateClosed State  = "closed"
//		ActionClose Action = "close"
//	)
//
//	type Facts struct{ Unmapped int }
//
//	var nothingUnmapped = flow.Guard[Facts]{
//		Name: "nothing_unmapped", Code: "shop.unmapped",
//		Holds: func(f Facts, _ scope.Scope, _ time.Time) bool { return f.Unmapped == 0 },
//		Args:  func(f Facts, _ time.Time) fault.Args { return fault.Args{"count": f.Unmapped} },
//	}
//
//	var Flow = &flow.Table[State, Action, Facts]{
//		Machine: "shop",
//		Path:    "/shops/{id}",
//		Start:   []State{StateOpen},
//		Final:   []State{StateClosed},
//		Rows: []flow.Row[State, Action, Facts]{
//			{From: []State{StateOpen}, Do: ActionClose, To: StateClosed, Who: []scope.Item{"BPC_ITEM_…"},
//				When: []flow.Guard[Facts]{nothingUnmapped}, Then: []string{"seal_lines"},
//				Ask: flow.AskConfirm, Noun: "closing", Op: "closeShop", Spec: "sales.md §3.9"},
//		},
//	}
//
// Its use in a service, inside a transaction, with the row loaded before:
//
//	err := Flow.Fire(ctx, s.log, flow.Move[State, Action, Facts]{
//		Entity: row.ID, State: row.State, Version: row.Version, Do: ActionClose,
//		Facts: facts, Who: sc, Now: s.clock.Now(), Reason: in.Reason,
//	}, func(ctx context.Context, to State) (bool, error) {
//		return s.store.SetState(ctx, row.ID, row.State, to, row.Version) // update … where id and state and version
//	})
//
// The write says false when it touched no row: somebody was first, and Fire answers
// flow.changed_meanwhile with who and when. A new entity is announced with Flow.Begin.
//
// What an action asks for stands in its row: AskReason asks for a reason, Fields for more. The page's dialog, what a POST
// reads of a form or a JSON body, the refusal of what does not fit and the document come from there:
//
//	Ask: flow.AskForm, Fields: []flow.Field[Facts]{{Name: "courier", Kind: flow.FieldText, Required: true, Max: 60,
//		Case: "paper", If: func(f Facts, _ scope.Scope) bool { return f.Paper }}},
//
// Its tests, in <noun>/flow_test.go:
//
//	flowtest.All(t, Flow, "shop", "state")        // static checks, matrix golden, labels, DB CHECK list
//	flowtest.Guards(t, Flow, map[string]flowtest.Examples[Facts]{…})
//	flowtest.Walk(t, Flow, flowtest.WalkSpec[State, Action, Facts]{…})
//
// Fault codes: flow.not_from_state, flow.refused, flow.changed_meanwhile, flow.reason_missing, flow.field_missing,
// flow.field_long, flow.field_malformed, flow.unknown_action, scope.permission_missing and those of the guards.
//
// Their arguments name states and actions by label key, which the translator shows by label.
//
// Spec: docs/adr/0002-state-tables.md
package flow
