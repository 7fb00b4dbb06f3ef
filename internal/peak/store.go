package peak

import (
	"context"

	"huoban/internal/attribution"
	"huoban/internal/cycle"
	"huoban/internal/expenditure"
	"huoban/internal/organisation"
	"huoban/internal/scope"
	"huoban/internal/source"
)

// Store keeps points; internal/store/peakstore implements it. Writing methods need a running transaction.
type Store interface {
	// ByContent are the imports in force of a vendor with this content, the newest first.
	ByContent(ctx context.Context, vendorID, sha string) ([]Import, error)
	// Imports are those of a vendor ("" = of every one), the newest first.
	Imports(ctx context.Context, vendorID string, limit int) ([]Import, error)
	ByID(ctx context.Context, importID string) (Import, error)
	InsertImport(ctx context.Context, m Import) error
	UpdateImport(ctx context.Context, m Import) error
	// Discard removes what an import brought, and the import itself while it is staging.
	Discard(ctx context.Context, importID string) error
	// Staging are imports that were never finished.
	Staging(ctx context.Context, vendorID string) ([]string, error)
	// Overtaken tells whether a later import took the place of any day of this one.
	Overtaken(ctx context.Context, importID string) (bool, error)

	Series(ctx context.Context, vendorID string) ([]Series, error)
	InsertSeries(ctx context.Context, all []Series) error
	// PutDays writes days of an import that nobody sees yet, over what it wrote of them before.
	PutDays(ctx context.Context, importID string, days []Kept) error
	StagedDay(ctx context.Context, importID, seriesID, date string) ([]byte, error)
	PutBad(ctx context.Context, importID string, from int, rows []Bad) error
	BadRows(ctx context.Context, importID string, limit int) ([]Bad, error)
	// Publish puts the days of an import in force and gives how many earlier ones left; Withdraw is its reverse.
	Publish(ctx context.Context, importID string) (replaced int64, err error)
	Withdraw(ctx context.Context, importID string) error
	// Touched are the months an import brought points of.
	Touched(ctx context.Context, importID string) ([]SeriesMonth, error)
	PutMonth(ctx context.Context, m Month) error
	DropMonth(ctx context.Context, seriesID string, at cycle.Cycle) error
	// Price is what the months' price was last known to be, by import.
	PutPrice(ctx context.Context, importID, seriesID string, at cycle.Cycle, p Price) error
	PriceOf(ctx context.Context, seriesID string, at cycle.Cycle) (Price, error)
	// Days are the days in force of a series in a month, by date.
	Days(ctx context.Context, seriesID string, at cycle.Cycle) ([]Kept, error)

	// Months are those of a cycle, and MonthOf one, among the customers the organisation deals with or is.
	Months(ctx context.Context, sc scope.Scope, at cycle.Cycle) ([]Entry, error)
	MonthOf(ctx context.Context, sc scope.Scope, seriesID string, at cycle.Cycle) (Entry, bool, error)
}

// SeriesMonth names a month of a series.
type SeriesMonth struct {
	SeriesID string
	Cycle    cycle.Cycle
}

// Entry is a stored month with what it is of.
type Entry struct {
	Series
	Month
}

// Tx is the transactor.
type Tx interface {
	InTx(ctx context.Context, fn func(ctx context.Context) error) error
	InBulk(ctx context.Context, fn func(ctx context.Context) error) error
	InRead(ctx context.Context, fn func(ctx context.Context) error) error
}

// Sources finds the source a file belongs to.
type Sources interface {
	ByName(ctx context.Context, sc scope.Scope, name string) (source.Source, error)
}

// Organisations finds customers by code.
type Organisations interface {
	List(ctx context.Context, sc scope.Scope) ([]organisation.Organisation, error)
}

// Rules tell whose an account is.
type Rules interface {
	Resolver(ctx context.Context, sourceID string) (*attribution.Resolver, string, error)
}

// Spans tell which customers a scope sees and when.
type Spans interface {
	Seen(ctx context.Context, sc scope.Scope, f expenditure.Filter) (*expenditure.Seen, error)
}

// Locks keeps other processes from the same work until unlock.
type Locks interface {
	Lock(ctx context.Context, name string) (unlock func(), err error)
}
