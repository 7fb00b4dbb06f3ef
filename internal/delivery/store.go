package delivery

import (
	"context"
	"time"

	"huoban/internal/attribution"
	"huoban/internal/conformance"
	"huoban/internal/cycle"
	"huoban/internal/organisation"
	"huoban/internal/scope"
	"huoban/internal/source"
	"huoban/internal/usage"
)

// Tx runs functions in one writing transaction; fn may be run again. InBulk is for long work.
type Tx interface {
	InTx(ctx context.Context, fn func(ctx context.Context) error) error
	InBulk(ctx context.Context, fn func(ctx context.Context) error) error
}

// Store keeps deliveries, their lines and their files. Methods that read for people take a scope.
type Store interface {
	InsertDelivery(ctx context.Context, d Delivery) (number int64, err error)
	Deliveries(ctx context.Context, sc scope.Scope, f Filter) ([]Delivery, error)
	DeliveryIDByNumber(ctx context.Context, sourceName string, number int64) (string, error)
	SetDeliveryState(ctx context.Context, d Delivery, to State, at time.Time) (bool, error)
	SetDeliveryCounts(ctx context.Context, d Delivery, warnings []Warning) error
	Warnings(ctx context.Context, deliveryID string) ([]Warning, error)
	SetProgress(ctx context.Context, deliveryID string, from, to int64, at time.Time) error
	RemoveDelivery(ctx context.Context, deliveryID string) error
	PutFile(ctx context.Context, deliveryID string, f File) error
	DeliveryFiles(ctx context.Context, deliveryID string) ([]File, error)
	FileKnown(ctx context.Context, sourceID, sha string) (bool, error)
	Idle(ctx context.Context, sourceID, but string) ([]Standing, error)
	PutChanges(ctx context.Context, deliveryID string, changes []Change) error
	Changes(ctx context.Context, deliveryID string) ([]Change, error)
	WriteConformance(ctx context.Context, deliveryID string, results []conformance.Result) error
	Conformance(ctx context.Context, deliveryID string) ([]conformance.Result, error)

	EnsurePeriod(ctx context.Context, sourceID string, c cycle.Cycle) error
	MarkFinal(ctx context.Context, sourceID string, c cycle.Cycle, at time.Time, by, deliveryID string) (bool, error)
	ForgetFinal(ctx context.Context, sourceID, deliveryID string) error
	Periods(ctx context.Context, sc scope.Scope, sourceID string, c cycle.Cycle) ([]Period, error)
	CycleState(ctx context.Context, vendorID string, c cycle.Cycle) (string, error)
	EnsureCycle(ctx context.Context, vendorID string, c cycle.Cycle) error

	AddSlot(ctx context.Context, s usage.Slot) (int64, error)
	Slot(ctx context.Context, id int64) (usage.Slot, error)
	SlotsOfDelivery(ctx context.Context, deliveryID string) ([]usage.Slot, error)
	SlotsOfSource(ctx context.Context, sourceID string, c cycle.Cycle) ([]usage.Slot, error)
	SetSlotState(ctx context.Context, id int64, from, to usage.SlotState, replaces int64) (bool, error)
	SetSlotCount(ctx context.Context, id, lines int64) error
	DeleteSlot(ctx context.Context, id int64) error

	WriteLines(ctx context.Context, lines []*usage.Stored, fresh usage.Dims) error
	WriteSummaries(ctx context.Context, next usage.NextSummary) error
	AddToSummaries(ctx context.Context, diffs map[usage.SummaryKey]usage.Sum) error
	SummariesOf(ctx context.Context, slot int64) ([]usage.Summary, error)
	EachSummary(ctx context.Context, slot int64, fn func(*usage.Summary) error) error
	Accounts(ctx context.Context, ids map[usage.Hash]bool) (map[usage.Hash]usage.Account, error)
	EachLine(ctx context.Context, slots []int64, fn func(*usage.Stored) error) error
	LinesAfter(ctx context.Context, slot int64, after *usage.Stored, n int) ([]usage.Stored, error)
	Fill(ctx context.Context, lines []usage.Stored) error
	SetLineAccount(ctx context.Context, l *usage.Stored, id usage.Hash, a usage.Account) error
	LastOccurrence(ctx context.Context, p usage.Place, start time.Time) (int64, error)
	Repeat(ctx context.Context, newSlot, oldSlot int64) (fileNo int, lineNo int64, found bool, err error)
	AnyLine(ctx context.Context, slotID int64, customerID string, from, to time.Time) (bool, error)
	Orgs(ctx context.Context) (map[string]organisation.Organisation, error)

	KeptFile(ctx context.Context, sha string) (bytes, chunks int64, ok bool, err error)
	KeepChunk(ctx context.Context, sha string, no, firstLine int64, body []byte) error
	KeepFile(ctx context.Context, sha string, bytes, chunks int64, at time.Time) error
	Chunk(ctx context.Context, sha string, no int64) (firstLine int64, body []byte, err error)
	ChunkOfLine(ctx context.Context, sha string, line int64) (no int64, ok bool, err error)

	WriteQuarantine(ctx context.Context, rows []Quarantined) error
	Quarantine(ctx context.Context, sc scope.Scope, f QuarantineFilter) ([]Quarantined, error)
	Decide(ctx context.Context, rowID, state, correction, reason, by string, at time.Time) (bool, error)
}

// Sources finds declared sources.
type Sources interface {
	ByName(ctx context.Context, sc scope.Scope, name string) (source.Source, error)
}

// Rules finds customers. Follow brings staged lines to the rules in force, after a change met an
// import under way.
type Rules interface {
	Resolver(ctx context.Context, sourceID string) (*attribution.Resolver, string, error)
	Follow(ctx context.Context, sourceID string, slots []int64) error
}
