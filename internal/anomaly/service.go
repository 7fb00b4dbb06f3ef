package anomaly

import (
	"cmp"
	"context"
	"slices"
	"strings"
	"time"
	"unicode"

	"huoban/internal/audit"
	"huoban/internal/clock"
	"huoban/internal/cycle"
	"huoban/internal/expenditure"
	"huoban/internal/fault"
	"huoban/internal/scope"
	"huoban/internal/sorted"
)

// MaxNote is how long an explanation may be.
const MaxNote = 500

// Note explains a mark.
type Note struct {
	PartnerID, CustomerID string
	Cycle                 cycle.Cycle
	Currency              string
	Kind                  Kind
	Subject               string
	Text                  string
	Person                expenditure.Person
	At                    time.Time
}

// of tells whether the note explains a mark of a customer.
func (n *Note) of(customerID string, m *Mark) bool {
	return n.CustomerID == customerID && n.Kind == m.Kind && n.Subject == m.Subject
}

// Found is a mark of a customer in scope.
type Found struct {
	Mark
	Customer expenditure.Party
	Manager  expenditure.Person
	Note     *Note // nil: nobody explained it
}

// Report is what is unusual in a cycle.
type Report struct {
	Cycle    cycle.Cycle
	Currency string
	Days     int  // judged, from the first
	Ready    bool // false: the days are not at hand yet
	Found    []Found
	Choices  expenditure.Choices
}

// Open counts what nobody explained.
func (r *Report) Open() (n int) {
	for i := range r.Found {
		if r.Found[i].Note == nil {
			n++
		}
	}
	return n
}

// Store keeps notes.
type Store interface {
	Notes(ctx context.Context, partnerID string, c cycle.Cycle) ([]Note, error)
	// Put keeps a note; one of the same mark is replaced.
	Put(ctx context.Context, n Note) error
}

// Consumption gives what customers in scope were charged by day.
type Consumption interface {
	Days(ctx context.Context, sc scope.Scope, f expenditure.BoardFilter) (*expenditure.DayBook, error)
}

// InTx is the transactor.
type InTx interface {
	InTx(ctx context.Context, fn func(ctx context.Context) error) error
}

// Service finds marks and keeps what is said of them.
type Service struct {
	Tx          InTx
	Store       Store
	Consumption Consumption
	Audit       audit.Recorder
	Clock       clock.Clock
}

// Judged is how many days of a cycle are judged: all of one that is over; of the running one those that are over and
// have come in.
func Judged(c cycle.Cycle, known int, now time.Time) int {
	if running := cycle.Of(now, cycle.Zone); c < running {
		return 31
	} else if c > running {
		return 0
	}
	return min(known, now.In(cycle.Zone).Day()-1)
}

// BookMonths is how many months before the asked one a book of days begins: enough for the marks, and for the forecast
// to be tried on.
const BookMonths = 12

// BookOf is the question for the days of a cycle and of the months before.
func BookOf(c cycle.Cycle, currency string) expenditure.BoardFilter {
	return expenditure.BoardFilter{First: c.Add(-BookMonths), Last: c, Filter: expenditure.Filter{Currency: currency}}
}

// List finds what is unusual in a cycle for the scope, what nobody explained first, then the largest rises.
// Faults: those of expenditure.Days.
func (s *Service) List(ctx context.Context, sc scope.Scope, c cycle.Cycle, currency string) (*Report, error) {
	book, err := s.Consumption.Days(ctx, sc, BookOf(c, currency))
	if err != nil {
		return nil, err
	}
	out := &Report{Cycle: c, Currency: book.Currency, Ready: book.Ready, Choices: book.Choices, Days: Judged(c, book.Known, s.Clock.Now())}
	if !book.Ready || out.Days < 1 {
		return out, nil
	}
	notes, err := s.Store.Notes(ctx, sc.OrgID(), c)
	if err != nil {
		return nil, err
	}
	for i := range book.Customers {
		x := &book.Customers[i]
		for _, m := range Judge(c, historyOf(x, out.Days)) {
			f := Found{Mark: m, Customer: x.Customer, Manager: x.Manager}
			for k := range notes {
				if n := &notes[k]; n.Currency == out.Currency && n.of(x.Customer.ID, &m) {
					f.Note = n
				}
			}
			out.Found = append(out.Found, f)
		}
	}
	sorted.By(out.Found, func(a, b Found) int {
		return cmp.Or(explained(a)-explained(b), slices.Index(Kinds, a.Kind)-slices.Index(Kinds, b.Kind), b.Amount.Sub(b.Last).Cmp(a.Amount.Sub(a.Last)),
			strings.Compare(a.Customer.Code, b.Customer.Code))
	})
	return out, nil
}

func explained(f Found) int {
	if f.Note == nil {
		return 0
	}
	return 1
}

// historyOf takes from a customer's days what is judged.
func historyOf(x *expenditure.CustomerDays, days int) History {
	last := len(x.Months) - 1
	now := &x.Months[last]
	days = min(days, len(now.Lines))
	h := History{Now: now.Until(days), Lines: now.Lines[:days]}
	whole := days == len(now.Lines)
	for i := last - 1; i >= max(0, last-Before); i-- {
		m := &x.Months[i]
		same := days
		if whole {
			same = len(m.Lines)
		}
		if m.Count(len(m.Lines)) > 0 {
			h.Past = append(h.Past, m.Until(same))
		}
		if i == last-1 {
			h.Before = m.Lines
		}
	}
	for name, months := range x.Products {
		earlier := int64(0)
		for _, p := range months[:len(months)-1] {
			earlier += p.Lines
		}
		if p := months[len(months)-1]; earlier == 0 && p.Lines > 0 {
			h.New = append(h.New, Product{name, p.Amount})
		}
	}
	sorted.By(h.New, func(a, b Product) int { return cmp.Or(b.Amount.Cmp(a.Amount), strings.Compare(a.Name, b.Name)) })
	return h
}

// Explain says of a mark what it is. The same again changes nothing; other words replace the former. A mark that the
// scope does not see is none. Faults: anomaly.unknown, anomaly.note, those of List.
func (s *Service) Explain(ctx context.Context, sc scope.Scope, n Note) error {
	n.Text = strings.TrimSpace(n.Text)
	if k := len([]rune(n.Text)); k < 2 || k > MaxNote || strings.ContainsFunc(n.Text, func(r rune) bool { return unicode.IsControl(r) && r != '\n' && r != '\r' && r != '\t' }) {
		return fault.Invalid("anomaly.note", fault.Args{"limit": int64(MaxNote)})
	}
	report, err := s.List(ctx, sc, n.Cycle, n.Currency)
	if err != nil {
		return err
	}
	i := slices.IndexFunc(report.Found, func(f Found) bool { return n.of(f.Customer.ID, &f.Mark) })
	if i < 0 {
		return fault.NotFound("anomaly.unknown", nil)
	}
	return s.Tx.InTx(ctx, func(ctx context.Context) error {
		known, err := s.Store.Notes(ctx, sc.OrgID(), n.Cycle)
		if err != nil {
			return err
		}
		same := func(k Note) bool {
			return k.Currency == report.Currency && k.of(n.CustomerID, &report.Found[i].Mark) && k.Text == n.Text
		}
		if slices.ContainsFunc(known, same) {
			return nil
		}
		n.PartnerID, n.Currency, n.Person.ID, n.At = sc.OrgID(), report.Currency, sc.PersonID(), s.Clock.Now()
		if err := s.Store.Put(ctx, n); err != nil {
			return err
		}
		return s.Audit.Record(ctx, audit.Entry{Actor: sc.Login(), OrgID: sc.OrgID(), Action: "anomaly.explain", Object: "customer:" + n.CustomerID, Outcome: "done",
			Detail: map[string]any{"cycle": string(n.Cycle), "currency": n.Currency, "kind": string(n.Kind), "subject": n.Subject, "text": n.Text}})
	})
}
