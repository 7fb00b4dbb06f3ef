package delivery

import (
	"encoding/binary"

	"huoban/internal/cycle"
	"huoban/internal/usage"
)

// counter numbers lines of equal key within a cycle: 0 for the first, 1 for the second. It is exact and
// its memory does not grow with the file: keys that no longer fit go to sorted runs in a scratch file.
type counter struct {
	slots  []counted // open addressing
	used   int
	most   int // slots in memory
	spill  *spill
	cycles map[cycle.Cycle]uint64
}

// mark is a key, told apart by cycle.
type mark struct{ a, b uint64 }

// counted is how many lines had the mark so far; 0 is an empty slot.
type counted struct {
	mark
	lines int64
}

// countedInMemory bounds the slots of 24 bytes; three quarters of them are used.
const countedInMemory = 1 << 18

func newCounter() *counter {
	return &counter{slots: make([]counted, 1<<12), most: countedInMemory, cycles: map[cycle.Cycle]uint64{}}
}

// close frees the scratch files.
func (c *counter) close() {
	if c.spill != nil {
		c.spill.close()
	}
}

// next gives the line's number. Fault: delivery.no_scratch.
func (c *counter) next(month cycle.Cycle, key usage.Hash) (int64, error) {
	n, ok := c.cycles[month]
	if !ok {
		n = uint64(len(c.cycles) + 1)
		c.cycles[month] = n
	}
	m := mark{binary.LittleEndian.Uint64(key[:8]) ^ n*0x9e3779b97f4a7c15, binary.LittleEndian.Uint64(key[8:])}
	slot := c.find(m)
	if slot.lines > 0 {
		slot.lines++
		return slot.lines - 1, nil
	}
	var before int64
	if c.spill != nil {
		var err error
		if before, err = c.spill.lines(m); err != nil {
			return 0, err
		}
	}
	*slot = counted{m, before + 1}
	if c.used++; c.used*4 > len(c.slots)*3 {
		return before, c.grow()
	}
	return before, nil
}

// find gives the mark's slot, or the empty one where it belongs.
func (c *counter) find(m mark) *counted {
	for i := m.a & uint64(len(c.slots)-1); ; i = (i + 1) & uint64(len(c.slots)-1) {
		if s := &c.slots[i]; s.lines == 0 || s.mark == m {
			return s
		}
	}
}

// grow makes room: twice the slots, or none used after they went to the scratch file.
func (c *counter) grow() error {
	old := c.slots
	if len(old) < c.most {
		c.slots = make([]counted, 2*len(old))
		for _, s := range old {
			if s.lines > 0 {
				*c.find(s.mark) = s
			}
		}
		return nil
	}
	if c.spill == nil {
		c.spill = newSpill()
	}
	full := old[:0]
	for _, s := range old {
		if s.lines > 0 {
			full = append(full, s)
		}
	}
	if err := c.spill.add(full); err != nil {
		return err
	}
	clear(old)
	c.used = 0
	return nil
}
