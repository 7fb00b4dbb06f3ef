package verify

import (
	"context"
	"fmt"
	"slices"

	"huoban/internal/usage"
)

// ordinals looks for lines whose ordinal among equal keys does not follow from the line before: the
// first of a key is 0, the next 1. Lines of one key that lie apart look odd too, so odd keys are only
// suspects, and are counted whole in a second pass.
type ordinals struct {
	last usage.Hash
	next int64
	odd  map[usage.Hash][]int64
}

func (o *ordinals) look(l *usage.Stored) {
	if l.Key != o.last {
		o.last, o.next = l.Key, 0
	}
	if l.Occurrence != o.next {
		if o.odd == nil {
			o.odd = map[usage.Hash][]int64{}
		}
		o.odd[l.Key] = nil
	}
	o.next = l.Occurrence + 1
}

// ordinals checks the suspects: the ordinals of a key leave no gap from 0 upwards.
func (c *delivered) ordinals(ctx context.Context, slot Slot, o *ordinals) error {
	if len(o.odd) == 0 {
		return nil
	}
	err := c.s.Reader.EachLine(ctx, []int64{slot.ID}, func(l *usage.Stored) error {
		if list, suspect := o.odd[l.Key]; suspect {
			o.odd[l.Key] = append(list, l.Occurrence)
		}
		return nil
	})
	if err != nil {
		return err
	}
	for key, list := range o.odd {
		slices.Sort(list)
		want := int64(0)
		for _, n := range list {
			if n > want {
				c.r.add("usage_line", fmt.Sprintf("slot %d key %x", slot.ID, key), "occurrence", fmt.Sprint(n), fmt.Sprint(want))
				break
			}
			want = n + 1
		}
	}
	return nil
}
