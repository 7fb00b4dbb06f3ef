package ingest

import (
	"crypto/sha256"
	"encoding/binary"
	"sort"
	"strings"

	"huoban/internal/usage"
)

// rowHash hashes the cells that count, in the order of the column names, so that a file with its
// columns moved gives the same lines. A cell counts as name and value, absent cells not at all:
// a column that is new and empty changes nothing.
type rowHash struct {
	columns []hashColumn
	buf     []byte
}

type hashColumn struct {
	at   int
	name []byte // length-prefixed
}

// newRowHash leaves out the columns skip names (by Header.Index spelling) and, where dropX is set,
// those beginning with x_.
func newRowHash(h *Header, dropX bool, skip ...string) *rowHash {
	left := map[int]bool{}
	for _, name := range skip {
		if at := h.Index(name); at >= 0 {
			left[at] = true
		}
	}
	r := &rowHash{}
	type named struct {
		key string
		at  int
	}
	var order []named
	for i, cell := range h.Cells {
		cell = strings.TrimSpace(cell)
		if left[i] || cell == "" || dropX && strings.HasPrefix(strings.ToLower(cell), "x_") {
			continue
		}
		order = append(order, named{cell, i})
	}
	sort.Slice(order, func(i, j int) bool { return order[i].key < order[j].key })
	for _, o := range order {
		r.columns = append(r.columns, hashColumn{o.at, field(nil, []byte(o.key))})
	}
	return r
}

// of hashes the record.
func (r *rowHash) of(rec *Record) usage.Hash {
	buf := r.buf[:0]
	for _, c := range r.columns {
		if c.at >= len(rec.Fields) {
			continue
		}
		cell := present(rec.Fields[c.at])
		if cell == nil {
			continue
		}
		buf = append(buf, c.name...)
		buf = field(buf, cell)
	}
	r.buf = buf
	return hashOf(buf)
}

// field appends a length-prefixed text.
func field(buf, text []byte) []byte {
	buf = binary.AppendUvarint(buf, uint64(len(text)))
	return append(buf, text...)
}

func hashOf(buf []byte) usage.Hash {
	sum := sha256.Sum256(buf)
	return usage.Hash(sum[:16])
}

// hashCells hashes native key cells.
func hashCells(buf *[]byte, cells ...[]byte) usage.Hash {
	b := (*buf)[:0]
	for _, c := range cells {
		b = field(b, c)
	}
	*buf = b
	return hashOf(b)
}
