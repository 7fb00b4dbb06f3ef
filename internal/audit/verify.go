package audit

import (
	"bytes"
	"context"
	"encoding/hex"
	"unicode/utf8"

	"huoban/internal/fault"
)

// Report is what a verification found.
type Report struct {
	Rows   int64        // rows read
	Head   Head         // end of the chain as read
	Broken *fault.Error // nil when whole; Args name the first broken row as seq
}

const verifyBatch = 1000

// Verify walks the whole chain in batches and gives the first broken row, or the first head in heads
// that the chain no longer contains. The codes of Broken: audit.row_changed, audit.row_missing,
// audit.row_unlinked, audit.tail_cut, audit.head_differs, audit.other_key, audit.heads_unreadable.
func Verify(ctx context.Context, store Store, key Key, heads []PublishedHead) (Report, error) {
	var rep Report
	head, err := store.Head(ctx)
	if err != nil {
		return rep, err
	}
	if head.KeyID != "" && head.KeyID != key.ID() {
		rep.Broken = fault.Conflict("audit.other_key", fault.Args{"expected": head.KeyID, "present": key.ID()})
		return rep, nil
	}
	published := map[int64]PublishedHead{}
	for _, h := range heads {
		if old, twice := published[h.Seq]; twice && old.Hash != h.Hash {
			rep.Broken = fault.Conflict("audit.head_differs", fault.Args{"seq": h.Seq, "date": h.Date})
			return rep, nil
		}
		published[h.Seq] = h
	}
	prev := []byte{}
	for {
		rows, err := store.After(ctx, rep.Head.Seq, verifyBatch)
		if err != nil {
			return rep, err
		}
		for _, r := range rows {
			if rep.Broken = key.judge(r, rep.Head.Seq, prev, published); rep.Broken != nil {
				return rep, nil
			}
			rep.Rows, rep.Head, prev = rep.Rows+1, Head{Seq: r.Seq, Hash: r.Hash, KeyID: head.KeyID}, r.Hash
			delete(published, r.Seq)
		}
		if len(rows) < verifyBatch {
			break
		}
	}
	rep.Broken = tail(rep.Head, head, published)
	return rep, nil
}

// judge compares one row with the row before it, its own hash and a published head.
func (k Key) judge(r Row, before int64, prev []byte, published map[int64]PublishedHead) *fault.Error {
	if r.Seq != before+1 {
		return fault.Conflict("audit.row_missing", fault.Args{"seq": before + 1, "next": r.Seq})
	}
	if !bytes.Equal(r.Hash, k.hash(r)) || !valid(r) {
		return fault.Conflict("audit.row_changed", fault.Args{"seq": r.Seq})
	}
	if !bytes.Equal(r.Prev, prev) {
		return fault.Conflict("audit.row_unlinked", fault.Args{"seq": r.Seq})
	}
	if h, ok := published[r.Seq]; ok && h.Hash != hex.EncodeToString(r.Hash) {
		return fault.Conflict("audit.head_differs", fault.Args{"seq": r.Seq, "date": h.Date})
	}
	return nil
}

// valid refuses text that JSON would quietly repair and so hash like another.
func valid(r Row) bool {
	for _, s := range []string{r.Actor, r.OnBehalf, r.OrgID, r.Action, r.Object, r.Outcome, r.Detail, r.RequestID, r.IP} {
		if !utf8.ValidString(s) {
			return false
		}
	}
	return true
}

// tail finds rows that are known to have existed after the last one read.
func tail(last, head Head, published map[int64]PublishedHead) *fault.Error {
	var cut *PublishedHead
	for _, h := range published {
		if cut == nil || h.Seq < cut.Seq {
			cut = &h
		}
	}
	if cut != nil {
		return fault.Conflict("audit.tail_cut", fault.Args{"seq": last.Seq + 1, "known": cut.Seq, "date": cut.Date})
	}
	if head.Seq > last.Seq {
		return fault.Conflict("audit.tail_cut", fault.Args{"seq": last.Seq + 1, "known": head.Seq, "date": ""})
	}
	if head.Seq != last.Seq || !bytes.Equal(head.Hash, last.Hash) {
		return fault.Conflict("audit.head_differs", fault.Args{"seq": last.Seq, "date": ""})
	}
	return nil
}
