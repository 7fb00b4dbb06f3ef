package expenditure

import (
	"context"
	"sync"

	"huoban/internal/customer"
	"huoban/internal/cycle"
	"huoban/internal/scope"
)

// memo keeps what most questions begin with, the spans of a scope, the slots of a month, the sums of a
// customer and the totals of a filter, for as long as the version stands still: who turns the pages of a list
// reads only its lines. The version is read in the snapshot of the question, so that what is kept is what the
// question would read.
type memo struct {
	mu      sync.Mutex
	version int64
	spans   map[string]*reach
	months  map[monthKey]*month
	sums    map[sumsKey][]Sum
	summed  int // sums that are kept in all
	totals  map[questionKey]*Totals
	asked   map[questionKey]*question
	narrow  int // spans of questions in all
	books   map[daysKey]*DayBook
	boards  map[daysKey]*Board
}

type daysKey struct {
	scope  string
	filter BoardFilter
}

// maxBooks bounds the books of days that are kept: of a hundred customers over half a year one takes half a megabyte.
const maxBooks = 64

// book is one that was made at the version; nil if there is none.
func (m *memo) book(version int64, key daysKey) *DayBook {
	m.mu.Lock()
	defer m.mu.Unlock()
	if !m.at(version) {
		return nil
	}
	return m.books[key]
}

// maxBoards bounds the boards that are kept: the page reads one for its pictures and again for its table.
const maxBoards = 128

// board is one that was made at the version; nil if there is none.
func (m *memo) board(version int64, key daysKey) *Board {
	m.mu.Lock()
	defer m.mu.Unlock()
	if !m.at(version) {
		return nil
	}
	return m.boards[key]
}

func (m *memo) keepBoard(version int64, key daysKey, b *Board) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if !m.at(version) {
		return
	}
	if len(m.boards) >= maxBoards {
		clear(m.boards)
	}
	m.boards[key] = b
}

func (m *memo) keepBook(version int64, key daysKey, b *DayBook) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if !m.at(version) {
		return
	}
	if len(m.books) >= maxBooks {
		clear(m.books)
	}
	m.books[key] = b
}

type questionKey struct {
	scope  string
	filter Filter
}

// question is a view that pages of a list can be read by again, with what the whole list holds. Neither is to be
// changed; who reads takes a copy of the view.
type question struct {
	view   view
	totals *Totals
}

// maxNarrow bounds the spans of questions that are kept in all: some 200 bytes each.
const maxNarrow = 1 << 14

// maxTotals bounds the totals that are kept.
const maxTotals = 1 << 12

// reach is what a scope sees, and of whom. Questions share it: it is not to be changed.
type reach struct {
	spans  []Span
	people Choices // customers and managers
}

// sumsKey names the scope too, for the same reason as monthKey.
type sumsKey struct {
	scope, customer string
	cycle           cycle.Cycle
}

// maxSums bounds the sums that are kept in all: some 200 bytes each.
const maxSums = 1 << 15

// monthKey names the scope too: a database that is locked to an actor may show each another month.
type monthKey struct {
	scope string
	cycle cycle.Cycle
}

type month struct {
	slots  []Slot
	spread []int64
}

// maxSpans bounds the spans that are kept in all.
const maxSpans = 1 << 16

// at makes the memo one of the version; false if it knows a later one.
func (m *memo) at(version int64) bool {
	if version < m.version {
		return false
	}
	if version > m.version || m.spans == nil {
		m.version, m.spans, m.months = version, map[string]*reach{}, map[monthKey]*month{}
		m.sums, m.summed, m.totals = map[sumsKey][]Sum{}, 0, map[questionKey]*Totals{}
		m.asked, m.narrow = map[questionKey]*question{}, 0
		m.books, m.boards = map[daysKey]*DayBook{}, map[daysKey]*Board{}
	}
	return true
}

func (s *Service) reach(ctx context.Context, sc scope.Scope, count customer.Count, version int64) (*reach, error) {
	key := string(count) + " " + sc.Key()
	s.memo.mu.Lock()
	var known *reach
	if s.memo.at(version) {
		known = s.memo.spans[key]
	}
	s.memo.mu.Unlock()
	if known != nil {
		return known, nil
	}
	own, err := s.Store.Own(ctx, sc)
	if err != nil {
		return nil, err
	}
	links, err := s.Store.Links(ctx, sc)
	if err != nil {
		return nil, err
	}
	care, err := s.Store.Care(ctx, sc)
	if err != nil {
		return nil, err
	}
	all := Visible(counted(sc, count), own, links, countedCare(care, count))
	known = &reach{all, people(all)}
	s.memo.mu.Lock()
	defer s.memo.mu.Unlock()
	if s.memo.at(version) {
		total := len(all)
		for _, kept := range s.memo.spans {
			total += len(kept.spans)
		}
		if total > maxSpans {
			clear(s.memo.spans)
		}
		s.memo.spans[key] = known
	}
	return known, nil
}

// month is the slots of a cycle.
func (s *Service) month(ctx context.Context, sc scope.Scope, c cycle.Cycle, version int64) (*month, error) {
	key := monthKey{sc.Key(), c}
	s.memo.mu.Lock()
	var known *month
	if s.memo.at(version) {
		known = s.memo.months[key]
	}
	s.memo.mu.Unlock()
	if known != nil {
		return known, nil
	}
	var m month
	var err error
	if m.slots, err = s.Store.Slots(ctx, c); err != nil {
		return nil, err
	}
	if m.spread, err = s.Store.SpreadSlots(ctx, c); err != nil {
		return nil, err
	}
	s.memo.mu.Lock()
	defer s.memo.mu.Unlock()
	if s.memo.at(version) {
		s.memo.months[key] = &m
	}
	return &m, nil
}

// sums are the kept sums of the span's customer in a month; they are not to be changed.
func (s *Service) sums(ctx context.Context, sc scope.Scope, span *Span, c cycle.Cycle, version int64) ([]Sum, error) {
	key := sumsKey{sc.Key(), span.Customer.ID, c}
	s.memo.mu.Lock()
	known, ok := []Sum(nil), false
	if s.memo.at(version) {
		known, ok = s.memo.sums[key]
	}
	s.memo.mu.Unlock()
	if ok {
		return known, nil
	}
	sums, err := s.Store.Sums(ctx, sc, span, c)
	if err != nil {
		return nil, err
	}
	s.memo.mu.Lock()
	defer s.memo.mu.Unlock()
	if s.memo.at(version) && len(sums) <= maxSums/8 {
		if s.memo.summed += len(sums) + 1; s.memo.summed > maxSums {
			clear(s.memo.sums)
			s.memo.summed = len(sums) + 1
		}
		s.memo.sums[key] = sums
	}
	return sums, nil
}

// total is what a whole list holds; it is not to be changed.
func (v *view) total(ctx context.Context) (*Totals, error) {
	m, key := &v.s.memo, questionKey{v.sc.Key(), v.f}
	m.mu.Lock()
	var known *Totals
	if m.at(v.version) {
		known = m.totals[key]
	}
	m.mu.Unlock()
	if known != nil {
		return known, nil
	}
	t, err := v.totals(ctx)
	if err != nil {
		return nil, err
	}
	t.Version, t.code = v.version, t.Code(v.f)
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.at(v.version) {
		if len(m.totals) >= maxTotals {
			clear(m.totals)
		}
		m.totals[key] = t
	}
	return t, nil
}

// question is what was kept of one.
func (m *memo) question(key questionKey) *question {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.asked[key]
}

// keep keeps the view for the next page of the same list.
func (v *view) keep(f Filter, totals *Totals) {
	spans := 1
	for _, g := range v.groups {
		spans += len(g)
	}
	q := &question{*v, totals}
	q.view.sums, q.view.shares = nil, nil // each page has its own
	m := &v.s.memo
	m.mu.Lock()
	defer m.mu.Unlock()
	if !m.at(v.version) || spans > maxNarrow/8 {
		return
	}
	if m.narrow += spans; m.narrow > maxNarrow {
		clear(m.asked)
		m.narrow = spans
	}
	m.asked[questionKey{v.sc.Key(), f}] = q
}
