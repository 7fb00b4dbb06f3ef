package reconcile

import (
	"bufio"
	"encoding/binary"
	"errors"
	"io"
	"os"
	"slices"
	"strings"

	"huoban/internal/fault"
	"huoban/internal/money"
)

// entry is one key with its amount.
type entry struct {
	key    string
	amount money.Exact
}

// chunkBytes is how much of a list is held before it goes to disk, and mostKey the longest key.
const (
	chunkBytes = 8 << 20
	mostKey    = 400
)

// Sorter takes a list in any order and gives it by key, with the amounts of equal keys summed. What does not fit
// into chunkBytes lies in temporary files, which Close removes.
type Sorter struct {
	dir    string
	held   map[string]money.Exact
	size   int
	limit  int
	rows   int64
	chunks []string
}

// NewSorter makes one whose files lie in a folder of its own.
func NewSorter() (*Sorter, error) { return newSorter(chunkBytes) }

func newSorter(limit int) (*Sorter, error) {
	dir, err := os.MkdirTemp("", "portal-reconcile-")
	return &Sorter{dir: dir, held: map[string]money.Exact{}, limit: limit}, err
}

// Close removes what lies on disk.
func (s *Sorter) Close() error { return os.RemoveAll(s.dir) }

// Rows is how many amounts were added.
func (s *Sorter) Rows() int64 { return s.rows }

// Add takes an amount of a key. Fault: reconcile.key_too_long.
func (s *Sorter) Add(key string, amount money.Exact) error {
	if len(key) > mostKey {
		return fault.Invalid("reconcile.key_too_long", fault.Args{"max": mostKey})
	}
	s.rows++
	old, known := s.held[key]
	if !known {
		key = strings.Clone(key)
		s.size += len(key) + 96
	}
	s.held[key] = old.Add(amount)
	if s.size >= s.limit {
		return s.spill()
	}
	return nil
}

func (s *Sorter) sorted() []entry {
	out := make([]entry, 0, len(s.held))
	for k, a := range s.held {
		out = append(out, entry{k, a})
	}
	slices.SortFunc(out, func(a, b entry) int { return strings.Compare(a.key, b.key) })
	return out
}

// spill writes what is held to a file, in order.
func (s *Sorter) spill() (err error) {
	f, err := os.CreateTemp(s.dir, "chunk-")
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, f.Close()) }()
	w := bufio.NewWriter(f)
	for _, e := range s.sorted() {
		for _, text := range []string{e.key, e.amount.String()} {
			var n [binary.MaxVarintLen64]byte
			if _, err := w.Write(n[:binary.PutUvarint(n[:], uint64(len(text)))]); err != nil {
				return err
			}
			if _, err := w.WriteString(text); err != nil {
				return err
			}
		}
	}
	s.chunks = append(s.chunks, f.Name())
	s.held, s.size = map[string]money.Exact{}, 0
	return w.Flush()
}

// source is one ordered part of a list.
type source struct {
	held []entry // what was not spilled
	file *os.File
	r    *bufio.Reader
	next entry
	done bool
}

func (c *source) advance() error {
	if c.r == nil {
		if c.done = len(c.held) == 0; !c.done {
			c.next, c.held = c.held[0], c.held[1:]
		}
		return nil
	}
	key, err := text(c.r)
	if errors.Is(err, io.EOF) {
		c.done = true
		return nil
	}
	if err != nil {
		return err
	}
	amount, err := text(c.r)
	if err != nil {
		return err
	}
	c.next.key = key
	c.next.amount, err = money.ParseExact(amount)
	return err
}

func text(r *bufio.Reader) (string, error) {
	n, err := binary.ReadUvarint(r)
	if err != nil {
		return "", err
	}
	b := make([]byte, n)
	_, err = io.ReadFull(r, b)
	return string(b), err
}

// reader merges the parts of a list.
type reader struct {
	parts []*source
	now   entry
	has   bool
}

func (s *Sorter) reader() (*reader, error) {
	r := &reader{}
	if len(s.held) > 0 {
		r.parts = append(r.parts, &source{held: s.sorted()})
	}
	for _, path := range s.chunks {
		f, err := os.Open(path)
		if err != nil {
			r.close()
			return nil, err
		}
		r.parts = append(r.parts, &source{file: f, r: bufio.NewReaderSize(f, 64<<10)})
	}
	for _, p := range r.parts {
		if err := p.advance(); err != nil {
			r.close()
			return nil, err
		}
	}
	return r, nil
}

func (r *reader) close() {
	for _, p := range r.parts {
		if p.file != nil {
			_ = p.file.Close() // read only
		}
	}
}

// peek gives the next key with the sum of its amounts.
func (r *reader) peek() (entry, bool, error) {
	if r.has {
		return r.now, true, nil
	}
	var first *source
	for _, p := range r.parts {
		if !p.done && (first == nil || p.next.key < first.next.key) {
			first = p
		}
	}
	if first == nil {
		return entry{}, false, nil
	}
	r.now, r.has = entry{key: first.next.key}, true
	for _, p := range r.parts {
		for !p.done && p.next.key == r.now.key {
			r.now.amount = r.now.amount.Add(p.next.amount)
			if err := p.advance(); err != nil {
				return entry{}, false, err
			}
		}
	}
	return r.now, true, nil
}

func (r *reader) take() { r.has = false }
