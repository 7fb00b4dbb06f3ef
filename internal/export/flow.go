package export

import (
	"time"

	"huoban/internal/flow"
	"huoban/internal/scope"
)

// State is where a task stands.
type State string

// The states of a task.
const (
	StateProcessing State = "processing" // 处理中
	StateDone       State = "done"       // 已完成
	StateFailed     State = "failed"     // 失败
	StateExpired    State = "expired"    // 已过期
)

// Action is what may happen to a task.
type Action string

// The actions of a task.
const (
	ActionComplete Action = "complete"
	ActionFail     Action = "fail"
	ActionRetry    Action = "retry"
	ActionExpire   Action = "expire"
)

// DefaultDays is how long a finished file is kept, unless set otherwise.
const DefaultDays = 7

// Facts judge a task's actions.
type Facts struct {
	Task Task
}

var ownTask = flow.Guard[Facts]{
	Name: "own_task", Code: "export.not_own",
	Holds: func(f Facts, who scope.Scope, _ time.Time) bool { return f.Task.ownedBy(who) },
}

// Flow is the machine of an export task.
var Flow = &flow.Table[State, Action, Facts]{
	Machine: "export",
	Path:    "/exports/{id}",
	Start:   []State{StateProcessing},
	Final:   []State{StateExpired},
	Rows: []flow.Row[State, Action, Facts]{
		{From: []State{StateProcessing}, Do: ActionComplete, To: StateDone, Who: []scope.Item{flow.System},
			Then: []string{"keep_file", "notify_owner"}, Ask: flow.AskNone, Spec: "docs/flows/export.md"},
		{From: []State{StateProcessing}, Do: ActionFail, To: StateFailed, Who: []scope.Item{flow.System},
			Then: []string{"drop_file", "notify_owner"}, Ask: flow.AskNone, Due: &flow.Due{Days: 1}, Spec: "docs/flows/export.md"},
		{From: []State{StateFailed}, Do: ActionRetry, To: StateProcessing, Who: []scope.Item{scope.ItemExportOwn},
			When: []flow.Guard[Facts]{ownTask}, Then: []string{"enqueue"}, Ask: flow.AskNone, Noun: "retry", Op: "retryExport",
			Spec: "docs/flows/export.md"},
		{From: []State{StateDone}, Do: ActionExpire, To: StateExpired, Who: []scope.Item{flow.System},
			Then: []string{"drop_file"}, Ask: flow.AskNone, Due: &flow.Due{Days: DefaultDays, Setting: "export_days"},
			Spec: "docs/flows/export.md"},
	},
}

// ownedBy tells whether the actor asked for the task; everything belongs to the system.
func (t Task) ownedBy(who scope.Scope) bool {
	if who.Side() == scope.SideSystem {
		return true
	}
	return who.Has(scope.ItemExportOwn) && who.OrgID() == t.OrgID && who.PersonID() == t.PersonID && t.PersonID != ""
}

// visibleTo tells whether the actor may see and download the task: its owner, and who may see the
// exports of the whole organisation.
func (t Task) visibleTo(who scope.Scope) bool {
	return t.ownedBy(who) || t.OrgID != "" && who.OrgID() == t.OrgID && who.Has(scope.ItemExportAll)
}
