package attribution

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"sort"
	"time"

	"huoban/internal/audit"
	"huoban/internal/clock"
	"huoban/internal/customer"
	"huoban/internal/cycle"
	"huoban/internal/id"
	"huoban/internal/organisation"
	"huoban/internal/scope"
	"huoban/internal/source"
	"huoban/internal/usage"
)

// Tx runs a function in one transaction; fn may be run again. InBulk is for long work.
type Tx interface {
	InTx(ctx context.Context, fn func(ctx context.Context) error) error
	InBulk(ctx context.Context, fn func(ctx context.Context) error) error
}

// Store keeps rules and moves lines.
type Store interface {
	Sources(ctx context.Context, sc scope.Scope, name, sourceID string) ([]source.Source, error)
	SetSourceTargets(ctx context.Context, s source.Source) error
	RulesInForce(ctx context.Context, sourceID string) ([]Rule, error)
	AllRules(ctx context.Context, sourceID string) ([]Rule, error)
	// Find gives what rules in force attribute whose key is the text or whose customer's code or name holds it.
	Find(ctx context.Context, vendorID, text string, limit int) ([]Found, error)
	RuleSeq(ctx context.Context, sourceID string) (int64, error)
	InsertRules(ctx context.Context, rules []Rule) error
	EndRule(ctx context.Context, ruleID string, seq int64) error
	SlotsOfSource(ctx context.Context, sourceID string, c cycle.Cycle) ([]usage.Slot, error)
	ActiveSlots(ctx context.Context, vendorID string, c cycle.Cycle) ([]usage.Slot, error)
	CycleState(ctx context.Context, vendorID string, c cycle.Cycle) (string, error)
	SummariesOf(ctx context.Context, slot int64) ([]usage.Summary, error)
	Accounts(ctx context.Context, ids map[usage.Hash]bool) (map[usage.Hash]usage.Account, error)
	EachLineOf(ctx context.Context, slot int64, customerID string, fn func(*usage.Stored) error) error
	MoveLine(ctx context.Context, l *usage.Stored, customerID, ruleID string) error
	MoveAccounts(ctx context.Context, slotID int64, moves []AccountMove) error
	AddToSummaries(ctx context.Context, diffs map[usage.SummaryKey]usage.Sum) error
	Orgs(ctx context.Context) (map[string]organisation.Organisation, error)
}

// Organisations makes what a map names and does not exist yet.
type Organisations interface {
	EnsurePartner(ctx context.Context, sc scope.Scope, code, vendorID string) (organisation.Organisation, error)
	EnsureCustomer(ctx context.Context, sc scope.Scope, code, name string) (organisation.Organisation, error)
}

// Customers ties customers to partners.
type Customers interface {
	Associate(ctx context.Context, sc scope.Scope, in customer.AssociateInput) (customer.AssociateResult, error)
	Book(ctx context.Context) (*customer.Book, error)
}

// Rekeyer reads the delivered files again and gives the lines of these slots the key of the source's
// key column, after that was changed.
type Rekeyer interface {
	Rekey(ctx context.Context, src *source.Source, slots []usage.Slot) error
}

// Deps is what the service stands on. Remap and Rekey may be set after New.
type Deps struct {
	Store         Store
	Tx            Tx
	Organisations Organisations
	Customers     Customers
	Remap         Remapper
	Rekey         Rekeyer
	Audit         audit.Recorder
	Clock         clock.Clock
}

// Service keeps the rules of sources and lets lines follow them.
type Service struct{ Deps }

// New makes the service.
func New(d Deps) *Service { return &Service{d} }

// errDryRun ends a dry run's transaction, so that nothing of it stays.
var errDryRun = errors.New("dry run")

// inTx runs a change, or a dry run of it.
func (s *Service) inTx(ctx context.Context, dry bool, fn func(ctx context.Context) error) error {
	err := s.Tx.InBulk(ctx, func(ctx context.Context) error {
		if err := fn(ctx); err != nil {
			return err
		}
		if dry {
			return errDryRun
		}
		return nil
	})
	if errors.Is(err, errDryRun) {
		return nil
	}
	return err
}

func (s *Service) sourceByID(ctx context.Context, sourceID string) (*source.Source, error) {
	list, err := s.Store.Sources(ctx, scope.System("system"), "", sourceID)
	if err != nil {
		return nil, err
	}
	if len(list) != 1 {
		return nil, errors.New("attribution: source " + sourceID + " is gone")
	}
	return &list[0], nil
}

// Resolver gives the rules in force of a source, and a text that names that state of them.
func (s *Service) Resolver(ctx context.Context, sourceID string) (*Resolver, string, error) {
	src, err := s.sourceByID(ctx, sourceID)
	if err != nil {
		return nil, "", err
	}
	rules, err := s.Store.RulesInForce(ctx, sourceID)
	if err != nil {
		return nil, "", err
	}
	seq, err := s.Store.RuleSeq(ctx, sourceID)
	if err != nil {
		return nil, "", err
	}
	state := fmt.Sprintf("%d %s %s %s %s", seq, src.KeyColumn, src.DefaultOrgID, src.Loose, src.LooseOrgID)
	return NewResolver(src, rules), state, nil
}

// Rules lists the rules in force of a source in order of key and time. Faults: source.unknown,
// scope.permission_missing.
func (s *Service) Rules(ctx context.Context, sc scope.Scope, sourceName string) ([]Rule, error) {
	if err := sc.Require(scope.ItemMapView); err != nil {
		return nil, err
	}
	src, err := s.named(ctx, sc, sourceName)
	if err != nil {
		return nil, err
	}
	rules, err := s.Store.RulesInForce(ctx, src.ID)
	sortRules(rules)
	return rules, err
}

// Found is a customer that a rule in force names.
type Found struct{ Source, Key, Code, Name string }

// Find looks for customers by account, code or name, in small letters, at most limit. Fault:
// scope.permission_missing.
func (s *Service) Find(ctx context.Context, sc scope.Scope, text string, limit int) ([]Found, error) {
	if err := sc.Require(scope.ItemMapView); err != nil {
		return nil, err
	}
	return s.Store.Find(ctx, sc.OrgID(), text, limit)
}

func sortRules(rules []Rule) {
	sort.Slice(rules, func(i, j int) bool {
		a, b := &rules[i], &rules[j]
		switch {
		case a.Kind != b.Kind:
			return a.Kind < b.Kind
		case a.Key != b.Key:
			return a.Key < b.Key
		}
		return a.From.Before(b.From)
	})
}

// Digest names a rule version's content; it stands in the audit chain, so that an altered rule shows.
func (r *Rule) Digest() string {
	sum := sha256.Sum256([]byte(fmt.Sprintf("%s\x00%s\x00%d\x00%s\x00%s\x00%s\x00%s\x00%s\x00%s", r.ID, r.SourceID, r.Seq, r.Kind, r.Key, r.OrgID,
		instant(r.From), instant(r.To), r.CreatedBy)))
	return hex.EncodeToString(sum[:])
}

func instant(t time.Time) string {
	if t.IsZero() {
		return ""
	}
	return t.UTC().Format(usage.StartText)
}

// save ends rules and adds others as one change, in the audit chain by digest.
func (s *Service) save(ctx context.Context, sc scope.Scope, src *source.Source, end []Rule, add []Rule) error {
	seq, err := s.Store.RuleSeq(ctx, src.ID)
	if err != nil {
		return err
	}
	seq++
	ended, added := []string{}, []string{}
	for _, r := range end {
		if err := s.Store.EndRule(ctx, r.ID, seq); err != nil {
			return err
		}
		ended = append(ended, r.ID)
	}
	for i := range add {
		add[i].ID, add[i].SourceID, add[i].Seq, add[i].CreatedBy, add[i].CreatedAt = id.New(), src.ID, seq, sc.Login(), s.Clock.Now()
		added = append(added, add[i].ID+" "+add[i].Digest())
	}
	if err := s.Store.InsertRules(ctx, add); err != nil {
		return err
	}
	return s.Audit.Record(ctx, audit.Entry{Actor: sc.Login(), OrgID: src.VendorID, Action: "map.change", Object: "source:" + src.Name,
		Outcome: "done", Detail: map[string]any{"seq": seq, "added": added, "ended": ended}})
}
