package delivery

import (
	"bufio"
	"encoding/binary"
	"errors"
	"io"
	"os"
	"slices"

	"huoban/internal/money"
	"huoban/internal/usage"
)

// tally adds lines up by key. Its memory does not grow with the file: sums that no longer fit go to sorted
// runs in scratch files, and where the sums are read the runs are merged. They may be read as often as
// the transaction that writes them runs.
type tally struct {
	at    map[usage.SummaryKey]int32 // place in list
	list  []usage.Sum
	most  int
	runs  []*sumRun
	whole map[slotCurrency]whole // nil until it is asked for
}

// slotCurrency is what the totals of a delivery are told by.
type slotCurrency struct {
	slot     int64
	currency string
}

// whole is a total of sums. Stored may be more than fits; it is only compared with itself.
type whole struct {
	lines  int64
	billed money.Exact
	stored money.Amount
}

// sumRun is one sorted file of sums.
type sumRun struct {
	file  *os.File
	bytes int64
	level int
}

// summedInMemory bounds the sums in memory, of some 200 bytes each.
const summedInMemory = 1 << 16

func newTally() *tally { return &tally{at: map[usage.SummaryKey]int32{}, most: summedInMemory} }

// close frees the scratch files.
func (t *tally) close() {
	for _, r := range t.runs {
		_ = r.file.Close()
		_ = os.Remove(r.file.Name()) // where it could not go while it was open
	}
	t.runs = nil
}

// add adds to the sum of a key. Faults: money.out_of_range, delivery.no_scratch.
func (t *tally) add(k usage.SummaryKey, sum usage.Sum) error {
	t.whole = nil
	if i, ok := t.at[k]; ok {
		return t.list[i].Add(sum)
	}
	if len(t.list) == t.most {
		if err := t.spill(); err != nil {
			return err
		}
	}
	t.at[k] = int32(len(t.list))
	t.list = append(t.list, sum)
	return nil
}

// spill writes what is in memory as a new run, and merges runs of one size that have become many.
func (t *tally) spill() error {
	r, err := writeSums(0, t.inMemory())
	if err != nil {
		return err
	}
	t.runs = append(t.runs, r)
	clear(t.at)
	t.list = t.list[:0]
	for len(t.runs) >= runsPerLevel && t.runs[len(t.runs)-runsPerLevel].level == t.runs[len(t.runs)-1].level {
		from := len(t.runs) - runsPerLevel
		old := t.runs[from:]
		one, err := writeSums(old[0].level+1, mergeSums(old))
		if err != nil {
			return err
		}
		(&tally{runs: old}).close()
		t.runs = append(t.runs[:from], one)
	}
	return nil
}

// each gives the sums one after the other, in key order.
func (t *tally) each() (usage.NextSummary, error) {
	if len(t.runs) == 0 {
		return t.inMemory(), nil
	}
	if len(t.list) > 0 {
		if err := t.spill(); err != nil {
			return nil, err
		}
	}
	return mergeSums(t.runs), nil
}

// totals are the sums of each slot and currency.
func (t *tally) totals() (map[slotCurrency]whole, error) {
	if t.whole != nil {
		return t.whole, nil
	}
	next, err := t.each()
	if err != nil {
		return nil, err
	}
	out := map[slotCurrency]whole{}
	for {
		x, more, err := next()
		if err != nil {
			return nil, err
		}
		if !more {
			t.whole = out
			return out, nil
		}
		k := slotCurrency{x.SlotID, x.Currency}
		w := out[k]
		w.lines, w.billed, w.stored = w.lines+x.Lines, w.billed.Add(x.Billed), w.stored+x.Amount
		out[k] = w
	}
}

func (t *tally) inMemory() usage.NextSummary {
	order := make([]usage.SummaryKey, 0, len(t.at))
	for k := range t.at {
		order = append(order, k)
	}
	slices.SortFunc(order, usage.SummaryKey.Compare)
	i := 0
	return func() (usage.Summary, bool, error) {
		if i == len(order) {
			return usage.Summary{}, false, nil
		}
		k := order[i]
		i++
		return usage.Summary{SummaryKey: k, Sum: t.list[t.at[k]]}, true, nil
	}
}

// mergeSums reads runs side by side and adds up where several have a key.
func mergeSums(runs []*sumRun) usage.NextSummary {
	var heads []*sumReading
	begun := false
	return func() (sum usage.Summary, more bool, err error) {
		if !begun {
			begun = true
			for _, r := range runs {
				h := &sumReading{in: bufio.NewReaderSize(io.NewSectionReader(r.file, 0, r.bytes), 32<<10)}
				if err := h.step(); err != nil {
					return sum, false, err
				}
				heads = append(heads, h)
			}
		}
		var least *sumReading
		for _, h := range heads {
			if !h.over && (least == nil || h.head.Compare(least.head.SummaryKey) < 0) {
				least = h
			}
		}
		if least == nil {
			return sum, false, nil
		}
		sum.SummaryKey = least.head.SummaryKey
		for _, h := range heads {
			if h.over || h.head.SummaryKey != sum.SummaryKey {
				continue
			}
			if err := sum.Add(h.head.Sum); err != nil {
				return sum, false, err
			}
			if err := h.step(); err != nil {
				return sum, false, err
			}
		}
		return sum, true, nil
	}
}

// sumReading is a run being merged.
type sumReading struct {
	in   *bufio.Reader
	head usage.Summary
	text []byte
	over bool
}

// step reads the next sum of the run. Texts that did not change are not made anew.
func (r *sumReading) step() error {
	size, err := binary.ReadUvarint(r.in)
	if errors.Is(err, io.EOF) {
		r.over = true
		return nil
	}
	if err == nil {
		r.text = slices.Grow(r.text[:0], int(size))[:size]
		_, err = io.ReadFull(r.in, r.text)
	}
	if err != nil {
		return noScratch(err)
	}
	h, b := &r.head, r.text
	copy(h.AccountID[:], b)
	copy(h.ProductID[:], b[len(h.AccountID):])
	b = b[len(h.AccountID)+len(h.ProductID):]
	for _, n := range []*int64{&h.SlotID, &h.Lines, (*int64)(&h.Amount)} {
		v, used := binary.Varint(b)
		*n, b = v, b[used:]
	}
	var exact, billed string
	for _, s := range []*string{&h.CustomerID, (*string)(&h.Kind), &h.Currency, &exact, &billed} {
		n, used := binary.Uvarint(b)
		if text := b[used : used+int(n)]; *s != string(text) {
			*s = string(text)
		}
		b = b[used+int(n):]
	}
	if h.Exact, err = money.ParseExact(exact); err == nil {
		h.Billed, err = money.ParseExact(billed)
	}
	return err
}

func packSum(b []byte, x *usage.Summary) []byte {
	b = append(append(b, x.AccountID[:]...), x.ProductID[:]...)
	for _, n := range [...]int64{x.SlotID, x.Lines, int64(x.Amount)} {
		b = binary.AppendVarint(b, n)
	}
	for _, s := range [...]string{x.CustomerID, string(x.Kind), x.Currency, x.Exact.String(), x.Billed.String()} {
		b = append(binary.AppendUvarint(b, uint64(len(s))), s...)
	}
	return b
}

// writeSums makes a run of sums that come in order. As with write, the file has no name.
func writeSums(level int, next usage.NextSummary) (*sumRun, error) {
	f, err := os.CreateTemp("", "portal-sums-*")
	if err != nil {
		return nil, noScratch(err)
	}
	_ = os.Remove(f.Name())
	r := &sumRun{file: f, level: level}
	out := bufio.NewWriterSize(f, 64<<10)
	var size, b []byte
	for {
		x, more, err := next()
		if err == nil && more {
			b = packSum(b[:0], &x)
			size = binary.AppendUvarint(size[:0], uint64(len(b)))
			r.bytes += int64(len(size) + len(b))
			if _, err = out.Write(size); err == nil {
				_, err = out.Write(b)
			}
			err = scratched(err)
		}
		if err == nil && !more {
			err = scratched(out.Flush())
		}
		if err != nil {
			(&tally{runs: []*sumRun{r}}).close()
			return nil, err
		}
		if !more {
			return r, nil
		}
	}
}

func scratched(err error) error {
	if err != nil {
		return noScratch(err)
	}
	return nil
}
