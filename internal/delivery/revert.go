package delivery

import (
	"context"
	"errors"

	"huoban/internal/fault"
	"huoban/internal/flow"
	"huoban/internal/scope"
	"huoban/internal/usage"
)

// Revert takes a published delivery back whole: what it replaced counts again, final marks it set are
// gone. Faults: delivery.unknown, delivery.revert_closed, delivery.revert_replaced, flow.not_from_state,
// flow.reason_missing, flow.changed_meanwhile, scope.permission_missing.
func (s *Service) Revert(ctx context.Context, sc scope.Scope, ref, reason string) (Delivery, error) {
	var out Delivery
	err := s.Tx.InBulk(ctx, func(ctx context.Context) error {
		d, err := s.Find(ctx, sc, ref)
		if err != nil {
			return err
		}
		facts, err := s.facts(ctx, d)
		if err != nil {
			return err
		}
		now := s.Clock.Now()
		err = Flow.Fire(ctx, s.Log, flow.Move[State, Action, Facts]{Entity: d.ID, State: d.State, Version: d.Version, Do: ActionRevert,
			Facts: facts, Who: sc, Now: now, Reason: reason},
			func(ctx context.Context, to State) (bool, error) { return s.Store.SetDeliveryState(ctx, d, to, now) })
		if err != nil {
			return err
		}
		if err := s.giveBack(ctx, d); err != nil {
			return err
		}
		if err := s.Store.ForgetFinal(ctx, d.SourceID, d.ID); err != nil {
			return err
		}
		if err := s.followSlots(ctx, scope.System(sc.Login()), d.SourceID, d.ID); err != nil {
			return err
		}
		d.State = StateReverted
		out = d
		return s.record(ctx, sc, d.VendorID, "delivery.revert", "delivery:"+d.Source+"/"+itoa(d.Number), map[string]any{"reason": reason})
	})
	return out, err
}

func (s *Service) giveBack(ctx context.Context, d Delivery) error {
	slots, err := s.Store.SlotsOfDelivery(ctx, d.ID)
	if err != nil {
		return err
	}
	for _, slot := range slots {
		if slot.State != usage.SlotActive {
			continue
		}
		if err := s.move(ctx, slot.ID, usage.SlotActive, usage.SlotReverted, slot.Replaces); err != nil {
			return err
		}
		if slot.Replaces == 0 {
			continue
		}
		old, err := s.Store.Slot(ctx, slot.Replaces)
		if err != nil {
			return err
		}
		if err := s.move(ctx, old.ID, usage.SlotSuperseded, usage.SlotActive, old.Replaces); err != nil {
			return err
		}
	}
	return nil
}

// facts gathers what the guards of a delivery judge.
func (s *Service) facts(ctx context.Context, d Delivery) (Facts, error) {
	slots, err := s.Store.SlotsOfDelivery(ctx, d.ID)
	if err != nil {
		return Facts{}, err
	}
	var f Facts
	for _, slot := range slots {
		f.Replaced = f.Replaced || slot.State == usage.SlotSuperseded
		f.LateLines = f.LateLines || slot.State == usage.SlotLate
		month, err := s.Store.CycleState(ctx, slot.VendorID, slot.Cycle)
		if err != nil {
			return Facts{}, err
		}
		if month != stateOpen {
			f.NotOpen = string(slot.Cycle)
		}
	}
	return f, nil
}

// DiffKind is how a row differs from what was known before.
type DiffKind string

// The kinds of differences.
const (
	DiffAdded   DiffKind = "added"
	DiffRemoved DiffKind = "removed"
	DiffChanged DiffKind = "changed"
)

// DiffRow is one line that differs; Was is nil for added, Is for removed ones.
type DiffRow struct {
	Kind DiffKind
	Was  *usage.Stored
	Is   *usage.Stored
}

// DiffPage is some rows of a difference; Next continues it and is nil at the end.
type DiffPage struct {
	Rows []DiffRow
	Next *usage.Stored
}

// DiffInput asks for rows of one cycle of a delivery that differ from what it replaced.
type DiffInput struct {
	Delivery string // id or source/number
	Slot     int64  // 0 = the first cycle
	After    *usage.Stored
	Limit    int
}

// Slots lists the cycles of a delivery. Faults: delivery.unknown, scope.permission_missing.
func (s *Service) Slots(ctx context.Context, sc scope.Scope, ref string) ([]usage.Slot, error) {
	d, err := s.Find(ctx, sc, ref)
	if err != nil {
		return nil, err
	}
	return s.Store.SlotsOfDelivery(ctx, d.ID)
}

// Diff gives rows that differ, in key order. Faults: delivery.unknown, delivery.slot_unknown,
// scope.permission_missing.
func (s *Service) Diff(ctx context.Context, sc scope.Scope, in DiffInput) (DiffPage, error) {
	slots, err := s.Slots(ctx, sc, in.Delivery)
	if err != nil {
		return DiffPage{}, err
	}
	if in.Limit <= 0 {
		in.Limit = 100
	}
	for _, slot := range slots {
		if in.Slot == 0 || slot.ID == in.Slot {
			return s.diffPage(ctx, slot, in)
		}
	}
	if in.Slot == 0 {
		return DiffPage{}, nil
	}
	return DiffPage{}, fault.NotFound("delivery.slot_unknown", nil)
}

func (s *Service) diffPage(ctx context.Context, slot usage.Slot, in DiffInput) (DiffPage, error) {
	var page DiffPage
	var lines []usage.Stored
	err := eachDifference(ctx, s.Store, slot.Replaces, slot.ID, in.After, func(was, is *usage.Stored) error {
		if len(page.Rows) == in.Limit {
			return errEnough
		}
		row := DiffRow{Kind: DiffChanged}
		last := is
		switch {
		case was == nil:
			row.Kind = DiffAdded
		case is == nil:
			row.Kind, last = DiffRemoved, was
		}
		for _, l := range []*usage.Stored{was, is} {
			if l != nil {
				lines = append(lines, *l)
			}
		}
		at := *last
		page.Next = &at
		page.Rows = append(page.Rows, row)
		return nil
	})
	if !errors.Is(err, errEnough) {
		page.Next = nil
	}
	if err != nil && !errors.Is(err, errEnough) {
		return DiffPage{}, err
	}
	if err := s.Store.Fill(ctx, lines); err != nil {
		return DiffPage{}, err
	}
	i := 0
	for n := range page.Rows {
		if page.Rows[n].Kind != DiffAdded {
			page.Rows[n].Was = &lines[i]
			i++
		}
		if page.Rows[n].Kind != DiffRemoved {
			page.Rows[n].Is = &lines[i]
			i++
		}
	}
	return page, nil
}
