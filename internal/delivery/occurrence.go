package delivery

import (
	"encoding/binary"

	"huoban/internal/cycle"
	"huoban/internal/usage"
)

// counter numbers lines of equal key within a cycle: 0 for the first, 1 for the second. It keeps
// eight bytes for a line and more only for repeats. Two different keys may share the eight bytes once
// in a very great number of lines; the second then is number 1 of its key, which is as unique, and the
// same at every reading of the file.
type counter struct {
	table  []uint64
	used   int
	more   map[counted]int64
	cycles map[cycle.Cycle]uint64
}

type counted struct {
	cycle uint64
	key   usage.Hash
}

func newCounter() *counter {
	return &counter{table: make([]uint64, 1<<12), more: map[counted]int64{}, cycles: map[cycle.Cycle]uint64{}}
}

func (c *counter) next(month cycle.Cycle, key usage.Hash) int64 {
	n, ok := c.cycles[month]
	if !ok {
		n = uint64(len(c.cycles) + 1)
		c.cycles[month] = n
	}
	mark := binary.LittleEndian.Uint64(key[:8]) ^ n*0x9e3779b97f4a7c15
	if mark == 0 {
		mark = 1
	}
	if c.put(mark) {
		return 0
	}
	k := counted{n, key}
	c.more[k]++
	return c.more[k]
}

// put adds a mark and tells whether it is new.
func (c *counter) put(mark uint64) bool {
	if c.used*4 > len(c.table)*3 {
		old := c.table
		c.table, c.used = make([]uint64, 2*len(old)), 0
		for _, m := range old {
			if m != 0 {
				c.put(m)
			}
		}
	}
	for i := mark & uint64(len(c.table)-1); ; i = (i + 1) & uint64(len(c.table)-1) {
		switch c.table[i] {
		case mark:
			return false
		case 0:
			c.table[i] = mark
			c.used++
			return true
		}
	}
}
