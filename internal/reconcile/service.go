package reconcile

import (
	"context"
	"encoding/hex"
	"errors"
	"slices"
	"strconv"
	"strings"
	"time"

	"huoban/internal/audit"
	"huoban/internal/clock"
	"huoban/internal/cycle"
	"huoban/internal/expenditure"
	"huoban/internal/fault"
	"huoban/internal/id"
	"huoban/internal/scope"
	"huoban/internal/usage"
)

// Tx runs a function in one transaction; fn may be run again.
type Tx interface {
	InTx(ctx context.Context, fn func(ctx context.Context) error) error
}

// Store keeps comparisons.
type Store interface {
	Insert(ctx context.Context, r *Run) error
	AddRows(ctx context.Context, runID string, rows []Row) error
	// List are the comparisons of a person in an organisation, the newest first.
	List(ctx context.Context, orgID, personID string) ([]Run, error)
	ByID(ctx context.Context, id string) (Run, error) // not_found reconcile.unknown
	// Rows are at most limit rows of a class ("" = any) after a number, or before it going back, in order.
	Rows(ctx context.Context, runID string, c Class, after int64, back bool, limit int) ([]Row, error)
	Purge(ctx context.Context, before time.Time) (int64, error)
}

// Lines gives own lines; expenditure.Service does.
type Lines interface {
	Currency(ctx context.Context, sc scope.Scope, f expenditure.Filter) (string, error)
	EachLine(ctx context.Context, sc scope.Scope, f expenditure.Filter, fn func(*expenditure.LineRow) error) (*expenditure.Totals, error)
	EachBatchLine(ctx context.Context, sc scope.Scope, f expenditure.Filter, slotID int64, fn func(*expenditure.LineRow) error) error
}

// Service compares lists.
type Service struct {
	Tx    Tx
	Store Store
	Lines Lines
	Audit audit.Recorder
	Clock clock.Clock
}

// Side is one list: a brought file, or own lines of a cycle, of one delivery where Batch is set.
type Side struct {
	Path    string // of a file
	Name    string // of the file or the batch, as it is shown
	Columns Columns
	Cycle   cycle.Cycle
	Batch   int64
}

func (s *Side) label() string {
	switch {
	case s.Path != "":
		return s.Name
	case s.Batch != 0:
		return string(s.Cycle) + " " + s.Name
	}
	return string(s.Cycle)
}

// Input is what is to be compared: Left are own lines.
type Input struct {
	Left, Right Side
	Key         Key
	Currency    string // "" = what the left side is shown in
}

// mostRows bounds the differences that are kept, and chunk is how many are written at once.
const (
	mostRows = 200_000
	chunk    = 1000
)

func may(sc scope.Scope) error {
	if err := sc.Require(scope.ItemExpenditureView); err != nil {
		return err
	}
	if sc.Side() != scope.SidePartner || sc.PersonID() == "" {
		return fault.Denied("reconcile.partner_only", nil)
	}
	return nil
}

// Compare compares two lists under the scope of who asks and keeps what differs. Faults: reconcile.key_unknown,
// .same_sides, .too_many, expenditure.cycle_out_of_range, .batch_unknown, those of ReadFile, scope.permission_missing.
func (s *Service) Compare(ctx context.Context, sc scope.Scope, in Input) (Run, error) {
	run := Run{ID: id.New(), OrgID: sc.OrgID(), PersonID: sc.PersonID(), Login: sc.Login(), Key: in.Key, Left: in.Left.label(), Right: in.Right.label(), CreatedAt: s.Clock.Now()}
	run.ExpiresAt = run.CreatedAt.AddDate(0, 0, Days)
	if err := may(sc); err != nil {
		return run, err
	}
	switch {
	case !slices.Contains(Keys, in.Key):
		return run, fault.Invalid("reconcile.key_unknown", nil)
	case in.Right.Path == "" && in.Left.Cycle == in.Right.Cycle && in.Left.Batch == in.Right.Batch:
		return run, fault.Invalid("reconcile.same_sides", nil)
	}
	for _, side := range []*Side{&in.Left, &in.Right} {
		if side.Path != "" {
			continue
		}
		if err := expenditure.CheckCycle(side.Cycle, run.CreatedAt); err != nil {
			return run, err
		}
	}
	var err error
	if run.Currency = in.Currency; run.Currency == "" {
		if run.Currency, err = s.Lines.Currency(ctx, sc, expenditure.Filter{Cycle: in.Left.Cycle}); err != nil {
			return run, err
		}
	}
	left, right, err := sorters()
	if err != nil {
		return run, err
	}
	defer func() { _ = errors.Join(left.Close(), right.Close()) }() // temporary files
	if err := s.fill(ctx, sc, &in.Left, &run, left); err != nil {
		return run, err
	}
	if err := s.fill(ctx, sc, &in.Right, &run, right); err != nil {
		return run, err
	}
	return run, s.keep(ctx, sc, &run, left, right)
}

func sorters() (left, right *Sorter, err error) {
	if left, err = NewSorter(); err != nil {
		return nil, nil, err
	}
	if right, err = NewSorter(); err != nil {
		return nil, nil, errors.Join(err, left.Close())
	}
	return left, right, nil
}

// keep compares and writes within one transaction.
func (s *Service) keep(ctx context.Context, sc scope.Scope, run *Run, left, right *Sorter) error {
	return s.Tx.InTx(ctx, func(ctx context.Context) error {
		var held []Row
		flush := func() error {
			err := s.Store.AddRows(ctx, run.ID, held)
			held = held[:0]
			return err
		}
		var err error
		run.Totals, err = Compare(left, right, func(r *Row) error {
			if r.No > mostRows {
				return fault.Invalid("reconcile.too_many", fault.Args{"max": mostRows})
			}
			if held = append(held, *r); len(held) < chunk {
				return nil
			}
			return flush()
		})
		if err != nil {
			return err
		}
		if err := flush(); err != nil {
			return err
		}
		if err := s.Store.Insert(ctx, run); err != nil {
			return err
		}
		return s.Audit.Record(ctx, audit.Entry{Actor: sc.Login(), OrgID: run.OrgID, Action: "reconcile.compare", Object: "reconcile:" + run.ID, Outcome: "done",
			Detail: map[string]any{"left": run.Left, "right": run.Right, "key": string(run.Key), "currency": run.Currency, "difference": run.Totals.Difference().String()}})
	})
}

func (s *Service) fill(ctx context.Context, sc scope.Scope, side *Side, run *Run, into *Sorter) error {
	if side.Path != "" {
		return ReadFile(side.Path, side.Columns, into)
	}
	f := expenditure.Filter{Cycle: side.Cycle, Currency: run.Currency}
	add := func(r *expenditure.LineRow) error {
		if r.Line.Kind == usage.KindTax {
			return nil // the totals of 客户消费 leave tax out too
		}
		return into.Add(keyOfLine(run.Key, r), r.Line.Billed)
	}
	if side.Batch != 0 {
		return s.Lines.EachBatchLine(ctx, sc, f, side.Batch, add)
	}
	_, err := s.Lines.EachLine(ctx, sc, f, add)
	return err
}

// keyOfLine is what a line is matched by.
func keyOfLine(k Key, r *expenditure.LineRow) string {
	switch k {
	case KeyCustomer:
		return r.Customer.Code
	case KeyProduct:
		return r.Customer.Code + separator + r.Line.Product.Service
	case KeyResource:
		return r.Customer.Code + separator + r.Line.Product.Service + separator + r.Line.Resource.ID
	}
	n := strings.ToUpper(hex.EncodeToString(r.Key[:4]))
	if r.Occur > 0 {
		n += "-" + strconv.FormatInt(r.Occur+1, 10)
	}
	return n
}

// List are the acting person's comparisons that are still kept, the newest first.
func (s *Service) List(ctx context.Context, sc scope.Scope) ([]Run, error) {
	if err := may(sc); err != nil {
		return nil, err
	}
	list, err := s.Store.List(ctx, sc.OrgID(), sc.PersonID())
	now := s.Clock.Now()
	return slices.DeleteFunc(list, func(r Run) bool { return !r.ExpiresAt.After(now) }), err
}

// ByID is one of them: it shows what its maker saw, and so nobody else is shown it. Fault: reconcile.unknown.
func (s *Service) ByID(ctx context.Context, sc scope.Scope, runID string) (Run, error) {
	if err := may(sc); err != nil {
		return Run{}, err
	}
	r, err := s.Store.ByID(ctx, runID)
	if err != nil {
		return Run{}, err
	}
	if r.OrgID != sc.OrgID() || r.PersonID != sc.PersonID() || !r.ExpiresAt.After(s.Clock.Now()) {
		return Run{}, fault.NotFound("reconcile.unknown", nil)
	}
	return r, nil
}

// Rows are rows of a comparison that ByID gave.
func (s *Service) Rows(ctx context.Context, r *Run, c Class, after int64, back bool, limit int) ([]Row, error) {
	return s.Store.Rows(ctx, r.ID, c, after, back, limit)
}

// Purge removes what is past its time; a daily job calls it.
func (s *Service) Purge(ctx context.Context) (n int64, err error) {
	err = s.Tx.InTx(ctx, func(ctx context.Context) error {
		n, err = s.Store.Purge(ctx, s.Clock.Now())
		return err
	})
	return n, err
}
