package usagestore

import (
	"context"
	"database/sql"

	"huoban/internal/cycle"
	"huoban/internal/fault"
	"huoban/internal/store"
	"huoban/internal/usage"
)

var (
	slotNextID     = set.Get("slot.NextID")
	slotInsert     = set.Get("slot.Insert")
	slotOfDelivery = set.Get("slot.OfDelivery")
	slotOfPeriod   = set.Get("slot.OfPeriod")
	slotByID       = set.Get("slot.ByID")
	slotActive     = set.Get("slot.Active")
	slotSetState   = set.Get("slot.SetState")
	slotSetCount   = set.Get("slot.SetCount")
	slotDelete     = set.Get("slot.Delete")
	lineDeleteSlot = set.Get("line.DeleteSlot")
	sumDeleteSlot  = set.Get("summary.DeleteSlot")
	cycleState     = set.Get("cycle.State")
	cycleEnsure    = set.Get("cycle.Ensure")
)

// AddSlot makes a staging slot and gives its number.
func (s *Store) AddSlot(ctx context.Context, x usage.Slot) (int64, error) {
	var next int64
	if err := s.db.Row(ctx, slotNextID, "delivery.slot_unknown", nil, &next); err != nil {
		return 0, err
	}
	_, err := s.db.Exec(ctx, slotInsert, next, x.DeliveryID, x.SourceID, x.VendorID, string(x.Cycle), false)
	return next, err
}

func (s *Store) slots(ctx context.Context, q store.Query, args ...any) ([]usage.Slot, error) {
	var out []usage.Slot
	err := s.db.Each(ctx, q, args, func(rows *sql.Rows) error {
		var x usage.Slot
		var c, state string
		if err := rows.Scan(&x.ID, &x.DeliveryID, &x.SourceID, &x.VendorID, &c, &state, &x.Sealed, &x.Replaces, &x.LineCount); err != nil {
			return err
		}
		x.Cycle, x.State = cycle.Cycle(c), usage.SlotState(state)
		out = append(out, x)
		return nil
	})
	return out, err
}

// SlotsOfDelivery lists a delivery's slots in order of cycle.
func (s *Store) SlotsOfDelivery(ctx context.Context, deliveryID string) ([]usage.Slot, error) {
	return s.slots(ctx, slotOfDelivery, deliveryID)
}

// SlotsOfSource lists the slots of a source, of one cycle if given, oldest first within a cycle.
func (s *Store) SlotsOfSource(ctx context.Context, sourceID string, c cycle.Cycle) ([]usage.Slot, error) {
	return s.slots(ctx, slotOfPeriod, sourceID, string(c))
}

// ActiveSlots lists what counts for the vendor's cycle.
func (s *Store) ActiveSlots(ctx context.Context, vendorID string, c cycle.Cycle) ([]usage.Slot, error) {
	return s.slots(ctx, slotActive, vendorID, string(c))
}

// Slot gives one slot. Fault: delivery.slot_unknown.
func (s *Store) Slot(ctx context.Context, id int64) (usage.Slot, error) {
	list, err := s.slots(ctx, slotByID, id)
	if err != nil {
		return usage.Slot{}, err
	}
	if len(list) == 0 {
		return usage.Slot{}, fault.NotFound("delivery.slot_unknown", nil)
	}
	return list[0], nil
}

// SetSlotState moves a slot by compare-and-set and tells whether it was where it was thought to be.
func (s *Store) SetSlotState(ctx context.Context, id int64, from, to usage.SlotState, replaces int64) (bool, error) {
	n, err := s.db.Exec(ctx, slotSetState, id, string(from), string(to), replaces)
	return n == 1, err
}

// SetSlotCount keeps how many lines a slot holds.
func (s *Store) SetSlotCount(ctx context.Context, id, lines int64) error {
	_, err := s.db.Exec(ctx, slotSetCount, id, lines)
	return err
}

// DeleteSlot removes an unpublished slot with its lines.
func (s *Store) DeleteSlot(ctx context.Context, id int64) error {
	for _, q := range []store.Query{lineDeleteSlot, sumDeleteSlot, slotDelete} {
		if _, err := s.db.Exec(ctx, q, id); err != nil {
			return err
		}
	}
	return nil
}

// CycleState is where the vendor's month stands; a month nobody has opened yet is open.
func (s *Store) CycleState(ctx context.Context, vendorID string, c cycle.Cycle) (string, error) {
	var state string
	err := s.db.Row(ctx, cycleState, "cycle.unknown", []any{vendorID, string(c)}, &state)
	if missing(err) {
		return "open", nil
	}
	return state, err
}

// EnsureCycle opens the vendor's month if nobody has.
func (s *Store) EnsureCycle(ctx context.Context, vendorID string, c cycle.Cycle) error {
	_, err := s.db.Exec(ctx, cycleEnsure, vendorID, string(c))
	return err
}
