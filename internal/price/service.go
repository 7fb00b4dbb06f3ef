package price

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"

	"huoban/internal/audit"
	"huoban/internal/clock"
	"huoban/internal/fault"
	"huoban/internal/id"
	"huoban/internal/organisation"
	"huoban/internal/scope"
	"huoban/internal/sorted"
)

// Org is an organisation as a price file names it.
type Org struct{ ID, Code, Kind string }

// Store keeps versions of rules.
type Store interface {
	// Versions are all versions of a vendor, drafts and withdrawn ones included, by number and version.
	Versions(ctx context.Context, vendorID string) ([]Rule, error)
	Insert(ctx context.Context, r Rule) error
	// End takes a version out of the book from seq on. Fault: price.changed_meanwhile.
	End(ctx context.Context, ruleID string, seq int64) error
	// Activate puts a draft into the book from seq on. Fault: price.changed_meanwhile.
	Activate(ctx context.Context, ruleID string, seq int64) error
	Orgs(ctx context.Context) ([]Org, error)
}

// Withdrawn is the EndedSeq of a draft that was given up.
const Withdrawn = -1

// Tx runs a function in one transaction; it may run it again.
type Tx interface {
	InTx(ctx context.Context, fn func(ctx context.Context) error) error
}

// Service changes and reads price books.
type Service struct {
	Tx    Tx
	Store Store
	Audit audit.Recorder
	Clock clock.Clock
}

// ImportInput is a price file for a vendor. VendorID may stay empty where there is one vendor only
// or the file has a vendor column.
type ImportInput struct {
	VendorID string
	File     io.Reader
	DryRun   bool
	Draft    bool // save as drafts: they count in simulations until they are activated
}

// ImportResult says what a file did, or would do.
type ImportResult struct {
	Added, Changed, Same int
	Rules                []Rule // the versions written
	DryRun               bool
}

var errDryRun = errors.New("price: dry run")

// Import saves a price file, whole or not at all. A rule that stands as it is is left alone, one with
// the same dimensions, type and first day gets a new version, everything else is a new rule.
// Faults: price.file_unreadable, .column_unknown, .column_missing, .file_empty, .vendor_missing, and
// price.file_refused gathering row faults (price.type_unknown, .mode_unknown, .base_unknown,
// .factor_malformed, .factor_range, .date_malformed, .interval_empty, .no_discount_factor, .row_width,
// .vendor_unknown, .partner_unknown, .customer_unknown, .row_twice, .tie); scope.permission_missing.
func (s *Service) Import(ctx context.Context, sc scope.Scope, in ImportInput) (ImportResult, error) {
	rows, err := ReadCSV(in.File)
	if err != nil {
		return ImportResult{}, err
	}
	var res ImportResult
	err = s.Tx.InTx(ctx, func(ctx context.Context) error {
		res = ImportResult{DryRun: in.DryRun}
		groups, err := s.byVendor(ctx, sc, in.VendorID, rows)
		if err != nil {
			return err
		}
		for _, g := range groups {
			if err := s.save(ctx, sc, g, in.Draft, &res); err != nil {
				return err
			}
		}
		if in.DryRun {
			return errDryRun
		}
		return nil
	})
	if errors.Is(err, errDryRun) {
		err = nil
	}
	return res, err
}

// Drafted reads a price file into what it would make of the rules in force, without saving: for a
// simulation. Saved drafts do not count, so that it shows what importing the file would do.
// Faults: those of Import.
func (s *Service) Drafted(ctx context.Context, sc scope.Scope, vendorID string, file io.Reader) ([]Rule, error) {
	res, err := s.Import(ctx, sc, ImportInput{VendorID: vendorID, File: file, DryRun: true})
	if err != nil {
		return nil, err
	}
	for i := range res.Rules {
		res.Rules[i].State = StateDraft
	}
	return res.Rules, nil
}

type vendorRows struct {
	vendor Org
	rows   []Row
	rules  []Rule
}

// byVendor resolves codes to organisations and sorts rows by vendor, in order of vendor code.
func (s *Service) byVendor(ctx context.Context, sc scope.Scope, vendorID string, rows []Row) ([]*vendorRows, error) {
	orgs, err := s.Store.Orgs(ctx)
	if err != nil {
		return nil, err
	}
	byCode, byID := map[string]Org{}, map[string]Org{}
	var vendors []Org
	for _, o := range orgs {
		byCode[o.Code], byID[o.ID] = o, o
		if o.Kind == string(organisation.KindVendor) {
			vendors = append(vendors, o)
		}
	}
	usual, hasUsual := byID[vendorID]
	if vendorID == "" && len(vendors) == 1 {
		usual, hasUsual = vendors[0], true
	}
	groups := map[string]*vendorRows{}
	var out []*vendorRows
	var wrong []*fault.Error
	for _, row := range rows {
		v, ok := usual, hasUsual
		if row.Vendor != "" {
			if v, ok = byCode[row.Vendor]; !ok || v.Kind != string(organisation.KindVendor) || !sc.SeesVendor(v.ID) {
				wrong = append(wrong, fault.Invalid("price.vendor_unknown", fault.Args{"Line": row.Line, "Column": "vendor", "Value": row.Vendor}))
				continue
			}
		}
		if !ok {
			return nil, fault.Invalid("price.vendor_missing", nil)
		}
		if groups[v.ID] == nil {
			if err := s.may(sc, v.ID, scope.ItemPriceChange); err != nil {
				return nil, err
			}
			groups[v.ID] = &vendorRows{vendor: v}
			out = append(out, groups[v.ID])
		}
		rule, f := ruleOf(row, v, byCode)
		if f != nil {
			wrong = append(wrong, f)
			continue
		}
		groups[v.ID].rows, groups[v.ID].rules = append(groups[v.ID].rows, row), append(groups[v.ID].rules, rule)
	}
	if len(wrong) > 0 {
		return nil, refused(wrong)
	}
	sorted.By(out, func(a, b *vendorRows) int { return strings.Compare(a.vendor.Code, b.vendor.Code) })
	return out, nil
}

func (s *Service) may(sc scope.Scope, vendorID string, item scope.Item) error {
	if !sc.SeesVendor(vendorID) {
		return fault.NotFound("price.vendor_missing", nil)
	}
	return sc.Require(item)
}

func ruleOf(row Row, vendor Org, byCode map[string]Org) (Rule, *fault.Error) {
	r := Rule{VendorID: vendor.ID, Dims: row.Dims, Type: row.Type, Base: row.Base, Factor: row.Factor, ValidFrom: row.From, ValidTo: row.To}
	if row.Partner != "" {
		p, ok := byCode[row.Partner]
		if !ok || !organisation.Kind(p.Kind).IsPartner() {
			return r, fault.Invalid("price.partner_unknown", fault.Args{"Line": row.Line, "Column": "partner", "Value": clip(row.Partner)})
		}
		r.PartnerID, r.ForReseller = p.ID, p.Kind == string(organisation.KindReseller)
	}
	if row.Customer != "" {
		c, ok := byCode[row.Customer]
		if !ok || c.Kind == string(organisation.KindVendor) {
			return r, fault.Invalid("price.customer_unknown", fault.Args{"Line": row.Line, "Column": "customer", "Value": clip(row.Customer)})
		}
		r.CustomerID = c.ID
	}
	return r, nil
}

// save writes one vendor's rows as the next state of its book.
func (s *Service) save(ctx context.Context, sc scope.Scope, g *vendorRows, draft bool, res *ImportResult) error {
	all, err := s.Store.Versions(ctx, g.vendor.ID)
	if err != nil {
		return err
	}
	live, taken := inPlay(all, draft)
	seq := seqOf(all) + 1
	rules := slices.Clone(g.rules)
	changes, ties, twice := plan(live, taken, g.rows, rules)
	if err := objections(g.rows, ties, twice); err != nil {
		return err
	}
	res.Same += len(g.rules) - len(changes)
	for _, c := range changes {
		r := c.Rule
		r.ID, r.State, r.Seq, r.CreatedBy, r.CreatedAt = id.New(), StateActive, seq, sc.Login(), s.Clock.Now()
		if draft {
			r.State, r.Seq = StateDraft, 0
		}
		if err := s.Store.Insert(ctx, r); err != nil {
			return err
		}
		ended := c.Old
		switch {
		case c.Old == nil:
			res.Added++
		case draft && c.Old.State == StateActive:
			res.Changed++
			ended = nil // a draft ends nothing that is in force
		default:
			res.Changed++
			ended.EndedSeq = endSeq(c.Old, seq)
			if err := s.Store.End(ctx, ended.ID, ended.EndedSeq); err != nil {
				return err
			}
		}
		if err := s.record(ctx, sc, "price.save", &r, ended); err != nil {
			return err
		}
		res.Rules = append(res.Rules, r)
	}
	return nil
}

func endSeq(old *Rule, seq int64) int64 {
	if old.State == StateDraft {
		return Withdrawn
	}
	return seq
}

// inPlay is what a new row is compared with: the rules in force, and for drafts the drafts in their
// place. taken holds the highest version of every number.
func inPlay(all []Rule, draft bool) (live []*Rule, taken map[int64]int64) {
	taken = map[int64]int64{}
	drafts := map[int64]bool{}
	for i := range all {
		r := &all[i]
		taken[r.Number] = max(taken[r.Number], r.Version)
		if draft && r.State == StateDraft && r.EndedSeq == 0 {
			drafts[r.Number] = true
		}
	}
	for i := range all {
		r := &all[i]
		if r.EndedSeq == 0 && ((r.State == StateActive && !drafts[r.Number]) || (draft && r.State == StateDraft)) {
			live = append(live, r)
		}
	}
	return live, taken
}

func seqOf(all []Rule) (seq int64) {
	for i := range all {
		if all[i].State == StateActive {
			seq = max(seq, all[i].Seq, all[i].EndedSeq)
		}
	}
	return seq
}

func objections(rows []Row, ties []tie, twice []int) error {
	var wrong []*fault.Error
	for _, i := range twice {
		wrong = append(wrong, fault.Invalid("price.row_twice", fault.Args{"Line": rows[i].Line}))
	}
	for _, t := range ties {
		wrong = append(wrong, fault.Invalid("price.tie", fault.Args{"Line": t.line, "Rule": t.rule.Number, "Other": t.other.Number,
			"OtherVersion": t.other.Version, "Type": string(t.other.Type)}))
	}
	if len(wrong) > 0 {
		return refused(wrong)
	}
	return nil
}

// Digest is the SHA-256 over everything that makes a version, for the audit chain.
func (r *Rule) Digest() string {
	h := sha256.New()
	for _, f := range []string{r.VendorID, fmt.Sprint(r.Number), fmt.Sprint(r.Version), r.PartnerID, r.CustomerID, r.Provider,
		r.Product, string(r.Mode), r.Region, string(r.Type), string(r.Base), r.Factor.String(), string(r.ValidFrom), string(r.ValidTo)} {
		fmt.Fprintf(h, "%d:%s", len(f), f)
	}
	return hex.EncodeToString(h.Sum(nil))
}

// record writes a version to the audit chain; ended is the version that left the book with it, if any,
// its EndedSeq set. The chain so attests every field of every version.
func (s *Service) record(ctx context.Context, sc scope.Scope, action string, r, ended *Rule) error {
	detail := map[string]any{"number": r.Number, "version": r.Version, "state": string(r.State), "seq": r.Seq, "type": string(r.Type),
		"base": string(r.Base), "factor": r.Factor.String(), "valid_from": string(r.ValidFrom), "valid_to": string(r.ValidTo), "digest": r.Digest()}
	if ended != nil {
		detail["ends"], detail["ended_seq"], detail["replaces"] = ended.ID, ended.EndedSeq, fmt.Sprintf("%d.%d", ended.Number, ended.Version)
	}
	return s.Audit.Record(ctx, audit.Entry{Actor: sc.Login(), OrgID: r.VendorID, Action: action, Object: "price_rule:" + r.ID, Outcome: "done", Detail: detail})
}
