package monthclose

import (
	"time"

	"huoban/internal/cycle"
)

// State is where the close of a cycle stands.
type State string

// The states: 未关账, 已冻结, 初稿, 已复核, 已出账.
const (
	StateOpen     State = "open"
	StateFrozen   State = "frozen"
	StateDraft    State = "draft"
	StateReviewed State = "reviewed"
	StateIssued   State = "issued"
)

// Stage is what a partner sees of a cycle.
type Stage string

// The stages: 预估, 初稿, 终稿.
const (
	StageEstimate Stage = "estimate"
	StageDraft    Stage = "draft"
	StageFinal    Stage = "final"
)

// Label is the key of the stage's text.
func (s Stage) Label() string { return "monthclose.stage." + string(s) }

// Stage is the partner's view of the state.
func (s State) Stage() Stage {
	switch s {
	case StateDraft, StateReviewed:
		return StageDraft
	case StateIssued:
		return StageFinal
	}
	return StageEstimate
}

// TakesData tells whether deliveries may be published into the cycle and lines may be attributed
// anew: only while it is open. A frozen cycle is thawed first, a draft discarded first.
func (s State) TakesData() bool { return s == StateOpen }

// Close is the month close of one vendor and cycle. A cycle without a record is open.
type Close struct {
	VendorID     string
	Cycle        cycle.Cycle
	State        State
	Version      int64  // 0: not recorded yet
	PriceSeq     int64  // state of the price book the draft was computed with
	Data         string // fingerprint of everything the draft was computed from
	OverrideNote string
	OverrideBy   string
	FrozenAt     time.Time
	DraftedAt    time.Time
	ReviewedAt   time.Time
	IssuedAt     time.Time
}

// Key names the close in logs.
func (c Close) Key() string { return c.VendorID + "/" + string(c.Cycle) }

// reopened forgets everything a draft left; the version stays.
func (c Close) reopened() Close {
	return Close{VendorID: c.VendorID, Cycle: c.Cycle, State: c.State, Version: c.Version}
}

// Step is one recorded act of a close.
type Step struct {
	Run     int64
	Step    string
	State   StepState
	Detail  string
	BegunAt time.Time
	DoneAt  time.Time
}

// StepState tells how far a step came.
type StepState string

// The step states.
const (
	StepBegun  StepState = "begun"
	StepDone   StepState = "done"
	StepFailed StepState = "failed"
)

// Label is the key of the step state's text.
func (s StepState) Label() string { return "monthclose.step." + string(s) }

// NextOpen is the cycle that takes what corrects an earlier one: the earliest still open cycle after
// it. A cycle without a record is open.
func NextOpen(corrected cycle.Cycle, states map[cycle.Cycle]State) cycle.Cycle {
	c := corrected.Next()
	for {
		s, known := states[c]
		if !known || s.TakesData() {
			return c
		}
		c = c.Next()
	}
}

// Deadline is where a cycle stands against the promise to partners.
type Deadline struct {
	VendorID string
	Cycle    cycle.Cycle
	RemindAt time.Time
	ReadyBy  time.Time
	Remind   bool // the reminder is due
	Overdue  bool // the promise is broken: the banner stands
}

// Banner is the key of the sentence that stands while a cycle is overdue (arg Cycle); "" if it is not.
func (d Deadline) Banner() string {
	if d.Overdue {
		return "monthclose.overdue.banner"
	}
	return ""
}

// DeadlineAt judges a cycle at now; an issued one is never late.
func DeadlineAt(c cycle.Cycle, s State, now time.Time) Deadline {
	d := Deadline{Cycle: c, RemindAt: c.Reminder(), ReadyBy: c.BillReady()}
	if s != StateIssued {
		d.Remind = !now.Before(d.RemindAt)
		d.Overdue = !now.Before(d.ReadyBy)
	}
	return d
}
