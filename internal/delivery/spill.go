package delivery

import (
	"bufio"
	"encoding/binary"
	"errors"
	"io"
	"os"
	"slices"

	"huoban/internal/fault"
)

// spill keeps counted marks in sorted runs on disk. A mark that comes again is looked up and counted in
// memory, so the newest run that has it knows the number. Equal runs are merged, so that there are few;
// a filter of fixed size answers for nearly all marks that were never written.
type spill struct {
	runs   []*run // oldest first
	filter []uint64
	page   [fenceStep * countedBytes]byte
}

// run is one sorted file; fence holds every fenceStep-th first word, so that one read finds a mark.
type run struct {
	file  *os.File
	count int
	level int
	fence []uint64
}

const (
	countedBytes = 24
	fenceStep    = 128
	filterWords  = 1 << 20 // 8 MB: one in twenty-five is looked up in vain at ten million lines
	filterProbes = 4
	runsPerLevel = 8
)

func newSpill() *spill { return &spill{filter: make([]uint64, filterWords)} }

func (s *spill) close() {
	for _, r := range s.runs {
		r.close()
	}
	s.runs = nil
}

func (r *run) close() {
	_ = r.file.Close()
	_ = os.Remove(r.file.Name()) // where it could not go while it was open
}

// noScratch is the fault of a scratch file; what was imported so far can be taken up.
func noScratch(err error) error {
	return fault.Unavailable("delivery.no_scratch", fault.Args{"folder": os.TempDir()}).Because(err)
}

// probe calls fn with the filter's bits of a mark.
func probe(m mark, fn func(word int, bit uint64) bool) bool {
	h := m.a ^ m.b*0x9e3779b97f4a7c15
	for range filterProbes {
		if !fn(int(h>>6&(filterWords-1)), 1<<(h&63)) {
			return false
		}
		h = (h ^ h>>29) * 0xbf58476d1ce4e5b9
		h ^= h >> 32
	}
	return true
}

// lines is how many lines had the mark when it was last written; 0 if it never was.
func (s *spill) lines(m mark) (int64, error) {
	if !probe(m, func(word int, bit uint64) bool { return s.filter[word]&bit != 0 }) {
		return 0, nil
	}
	for i := len(s.runs) - 1; i >= 0; i-- {
		n, err := s.look(s.runs[i], m)
		if n > 0 || err != nil {
			return n, err
		}
	}
	return 0, nil
}

// look searches one run.
func (s *spill) look(r *run, m mark) (int64, error) {
	// The page that may hold the mark is the last one that begins at or before it. Marks of equal first
	// words may begin pages after it, too.
	at, _ := slices.BinarySearch(r.fence, m.a)
	for at = max(0, at-1); at < len(r.fence) && r.fence[at] <= m.a; at++ {
		n := min(fenceStep, r.count-at*fenceStep)
		page := s.page[:n*countedBytes]
		if _, err := r.file.ReadAt(page, int64(at)*fenceStep*countedBytes); err != nil {
			return 0, noScratch(err)
		}
		for ; len(page) > 0; page = page[countedBytes:] {
			if c := unpackCounted(page); c.mark == m {
				return c.lines, nil
			} else if less(m, c.mark) {
				return 0, nil
			}
		}
	}
	return 0, nil
}

func less(a, b mark) bool { return a.a < b.a || a.a == b.a && a.b < b.b }

func compareCounted(x, y counted) int {
	switch {
	case less(x.mark, y.mark):
		return -1
	case less(y.mark, x.mark):
		return 1
	}
	return 0
}

func packCounted(b []byte, c counted) []byte {
	b = binary.LittleEndian.AppendUint64(b, c.a)
	b = binary.LittleEndian.AppendUint64(b, c.b)
	return binary.LittleEndian.AppendUint64(b, uint64(c.lines))
}

func unpackCounted(b []byte) counted {
	return counted{mark{binary.LittleEndian.Uint64(b), binary.LittleEndian.Uint64(b[8:])}, int64(binary.LittleEndian.Uint64(b[16:]))}
}

// add writes marks as a new run and merges where runs of one size have become many.
func (s *spill) add(list []counted) error {
	slices.SortFunc(list, compareCounted)
	i := 0
	r, err := write(0, func() (counted, bool, error) {
		if i == len(list) {
			return counted{}, false, nil
		}
		i++
		probe(list[i-1].mark, func(word int, bit uint64) bool { s.filter[word] |= bit; return true })
		return list[i-1], true, nil
	})
	if err != nil {
		return err
	}
	s.runs = append(s.runs, r)
	for len(s.runs) >= runsPerLevel && s.runs[len(s.runs)-runsPerLevel].level == s.runs[len(s.runs)-1].level {
		if err := s.merge(len(s.runs) - runsPerLevel); err != nil {
			return err
		}
	}
	return nil
}

// merge makes one run of those from a place on; where several have a mark, the newest is right.
func (s *spill) merge(from int) error {
	old := s.runs[from:]
	heads := make([]*reading, len(old))
	for i, r := range old {
		heads[i] = &reading{in: bufio.NewReaderSize(io.NewSectionReader(r.file, 0, int64(r.count)*countedBytes), 32<<10)}
		if err := heads[i].step(); err != nil {
			return err
		}
	}
	r, err := write(old[0].level+1, func() (counted, bool, error) {
		var best *reading
		for _, h := range heads {
			if !h.over && (best == nil || !less(best.head.mark, h.head.mark)) {
				best = h // of equal ones the last, which is the newest
			}
		}
		if best == nil {
			return counted{}, false, nil
		}
		c := best.head
		for _, h := range heads {
			if !h.over && h.head.mark == c.mark {
				if err := h.step(); err != nil {
					return c, false, err
				}
			}
		}
		return c, true, nil
	})
	if err != nil {
		return err
	}
	for _, o := range old {
		o.close()
	}
	s.runs = append(s.runs[:from], r)
	return nil
}

// reading is a run being merged.
type reading struct {
	in   *bufio.Reader
	head counted
	over bool
}

func (r *reading) step() error {
	var b [countedBytes]byte
	_, err := io.ReadFull(r.in, b[:])
	if errors.Is(err, io.EOF) {
		r.over = true
		return nil
	}
	if err != nil {
		return noScratch(err)
	}
	r.head = unpackCounted(b[:])
	return nil
}

// write makes a run of what next gives in order. The file has no name, so that nothing of it stays
// whatever happens to the program.
func write(level int, next func() (counted, bool, error)) (*run, error) {
	f, err := os.CreateTemp("", "portal-count-*")
	if err != nil {
		return nil, noScratch(err)
	}
	_ = os.Remove(f.Name())
	r := &run{file: f, level: level}
	out := bufio.NewWriterSize(f, 64<<10)
	var b [countedBytes]byte
	for {
		c, more, err := next()
		if err == nil && more {
			if r.count%fenceStep == 0 {
				r.fence = append(r.fence, c.a)
			}
			r.count++
			_, err = out.Write(packCounted(b[:0], c))
		}
		if err == nil && !more {
			err = out.Flush()
		}
		if err != nil {
			r.close()
			return nil, noScratch(err)
		}
		if !more {
			return r, nil
		}
	}
}
