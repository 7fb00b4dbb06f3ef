package attribution

import (
	"context"
	"encoding/csv"
	"io"
	"sort"
	"time"

	"huoban/internal/audit"
	"huoban/internal/customer"
	"huoban/internal/fault"
	"huoban/internal/organisation"
	"huoban/internal/scope"
	"huoban/internal/source"
)

// ImportInput is a map file to take in.
type ImportInput struct {
	File   io.Reader
	DryRun bool
}

// ChangeResult is what a change of rules did, or would do.
type ChangeResult struct {
	DryRun       bool     `json:"dry_run"`
	Rows         int      `json:"rows"`
	Added        int      `json:"rules_added"`
	Ended        int      `json:"rules_ended"`
	NewCustomers []string `json:"new_customers"`
	NewPartners  []string `json:"new_partners"`
	Associations int      `json:"new_associations"`
	Moved        []Moved  `json:"moved"`
}

func newResult(dry bool) ChangeResult {
	return ChangeResult{DryRun: dry, NewCustomers: []string{}, NewPartners: []string{}, Moved: []Moved{}}
}

func (s *Service) named(ctx context.Context, sc scope.Scope, name string) (*source.Source, error) {
	list, err := s.Store.Sources(ctx, sc, name, "")
	if err != nil {
		return nil, err
	}
	if name == "" || len(list) != 1 {
		return nil, fault.NotFound("source.unknown", fault.Args{"name": name})
	}
	return &list[0], nil
}

// Import takes in a map file, all of it or nothing. What it names and does not exist is made; where
// a row overlaps a rule in force, the row counts. Lines of open cycles move at once, those of issued
// ones become adjustment lines. The same file again changes nothing. Faults: attribution.map_header,
// attribution.map_unreadable, attribution.rows_refused with a reason per row, attribution.cycle_not_open,
// attribution.spread_closed, those of organisations and associations, scope.permission_missing.
func (s *Service) Import(ctx context.Context, sc scope.Scope, in ImportInput) (ChangeResult, error) {
	if err := sc.Require(scope.ItemMapChange); err != nil {
		return ChangeResult{}, err
	}
	read, err := readMap(in.File)
	if err != nil {
		return ChangeResult{}, err
	}
	var out ChangeResult
	err = s.inTx(ctx, in.DryRun, func(ctx context.Context) error {
		out = newResult(in.DryRun)
		out.Rows = len(read)
		rows, sources, err := s.checkRows(ctx, sc, read)
		if err != nil {
			return err
		}
		m := &maker{s: s, sc: sc, res: &out}
		if err := m.make(ctx, rows, sources); err != nil {
			return err
		}
		for _, name := range sortedKeys(sources) {
			var mine []*mapRow
			for _, r := range rows {
				if r.source == name {
					mine = append(mine, r)
				}
			}
			if err := s.apply(ctx, sc, sources[name], mine, m.orgs, &out); err != nil {
				return err
			}
		}
		return nil
	})
	return out, err
}

// checkRows judges every row, and refuses all of them with a reason for each that is wrong.
func (s *Service) checkRows(ctx context.Context, sc scope.Scope, read []mapRow) ([]*mapRow, map[string]*source.Source, error) {
	sources := map[string]*source.Source{}
	var rows []*mapRow
	var reasons []*fault.Error
	for i := range read {
		r := read[i]
		if _, seen := sources[r.source]; !seen {
			src, err := s.named(ctx, sc, r.source)
			if err != nil && !fault.Is(err, fault.KindNotFound) {
				return nil, nil, err
			}
			sources[r.source] = src
		}
		if sources[r.source] == nil {
			reasons = append(reasons, r.fault("attribution.row_source_unknown", fault.Args{"source": r.source}))
			continue
		}
		if bad := r.check(sources[r.source].Location()); bad != nil {
			reasons = append(reasons, bad)
			continue
		}
		for _, code := range []string{r.customer, r.partner} {
			if code != "" && organisation.CheckCode(organisation.KindCustomer, code) != nil {
				reasons = append(reasons, r.fault("attribution.row_code_malformed", fault.Args{"code": code}))
			}
		}
		rows = append(rows, &r)
	}
	reasons = append(reasons, clashes(rows)...)
	if len(reasons) > 0 {
		f := fault.Refused("attribution.rows_refused", reasons)
		f.Kind, f.Args = fault.KindInvalid, fault.Args{"count": len(reasons)}
		return nil, nil, f
	}
	return rows, sources, nil
}

// maker makes the organisations and associations a map names.
type maker struct {
	s    *Service
	sc   scope.Scope
	res  *ChangeResult
	orgs map[string]string // code → id
}

type tie struct {
	customer, partner string
	kind              customer.Kind
}

func (m *maker) make(ctx context.Context, rows []*mapRow, sources map[string]*source.Source) error {
	known, err := m.s.Store.Orgs(ctx)
	if err != nil {
		return err
	}
	m.orgs = map[string]string{}
	for id, o := range known {
		m.orgs[o.Code] = id
	}
	spans := map[tie][]span{}
	var order []tie
	for _, r := range rows {
		if r.partner != "" {
			if err := m.partner(ctx, r.partner, sources[r.source].VendorID); err != nil {
				return err
			}
		}
		if r.customer != "" {
			if err := m.customer(ctx, r.customer, r.customer); err != nil {
				return err
			}
		}
		if r.relation != "" && r.partner != "" {
			t := tie{m.orgs[r.customer], m.orgs[r.partner], customer.Kind(r.relation)}
			if spans[t] == nil {
				order = append(order, t)
			}
			spans[t] = overlay(spans[t], []span{{r.from, endOf(r.to), t.partner}})
		}
	}
	return m.associate(ctx, order, spans)
}

func (m *maker) partner(ctx context.Context, code, vendorID string) error {
	_, known := m.orgs[code]
	o, err := m.s.Organisations.EnsurePartner(ctx, m.sc, code, vendorID)
	if err != nil {
		return err
	}
	m.orgs[code] = o.ID
	if !known {
		m.res.NewPartners = append(m.res.NewPartners, code)
	}
	return nil
}

func (m *maker) customer(ctx context.Context, code, name string) error {
	_, known := m.orgs[code]
	o, err := m.s.Organisations.EnsureCustomer(ctx, m.sc, code, name)
	if err != nil {
		return err
	}
	m.orgs[code] = o.ID
	if !known {
		m.res.NewCustomers = append(m.res.NewCustomers, code)
	}
	return nil
}

// associate enters the associations in order of time, so that each may take over from the one before.
func (m *maker) associate(ctx context.Context, order []tie, spans map[tie][]span) error {
	var all []customer.AssociateInput
	for _, t := range order {
		for _, x := range spans[t] {
			in := customer.AssociateInput{CustomerID: t.customer, PartnerID: t.partner, Kind: t.kind, From: x.from, To: x.to, Replace: true}
			if x.to.Equal(endless) {
				in.To = time.Time{}
			}
			for _, o := range all {
				if o.CustomerID == in.CustomerID && o.From.Before(endOf(in.To)) && in.From.Before(endOf(o.To)) {
					return fault.Conflict("attribution.partner_overlap", fault.Args{"customer": m.codeOf(in.CustomerID)})
				}
			}
			all = append(all, in)
		}
	}
	sort.SliceStable(all, func(i, j int) bool { return all[i].From.Before(all[j].From) })
	for _, in := range all {
		done, err := m.s.Customers.Associate(ctx, m.sc, in)
		if err != nil {
			return err
		}
		if done.Added {
			m.res.Associations++
		}
	}
	return nil
}

func (m *maker) codeOf(orgID string) string {
	for code, id := range m.orgs {
		if id == orgID {
			return code
		}
	}
	return orgID
}

// apply turns the rows of one source into rules and lets lines follow.
func (s *Service) apply(ctx context.Context, sc scope.Scope, src *source.Source, rows []*mapRow, orgs map[string]string, out *ChangeResult) error {
	before, err := s.Store.RulesInForce(ctx, src.ID)
	if err != nil {
		return err
	}
	type ruleKey struct {
		kind KeyKind
		key  string
	}
	inForce, fresh := map[ruleKey][]Rule{}, map[ruleKey][]span{}
	for _, r := range before {
		k := ruleKey{r.Kind, r.Key}
		inForce[k] = append(inForce[k], r)
	}
	var order []ruleKey
	for _, r := range rows {
		k := ruleKey{r.kind, r.key}
		if fresh[k] == nil {
			order = append(order, k)
		}
		fresh[k] = append(fresh[k], span{r.from, endOf(r.to), orgs[r.customer]})
	}
	var end, add []Rule
	for _, k := range order {
		e, a := edit(k.kind, k.key, inForce[k], fresh[k])
		end, add = append(end, e...), append(add, a...)
	}
	if len(end)+len(add) == 0 {
		return nil
	}
	if err := s.save(ctx, sc, src, end, add); err != nil {
		return err
	}
	after, err := s.Store.RulesInForce(ctx, src.ID)
	if err != nil {
		return err
	}
	out.Ended, out.Added = out.Ended+len(end), out.Added+len(add)
	moved, err := s.follow(ctx, src, NewResolver(src, before), NewResolver(src, after))
	out.Moved = append(out.Moved, moved...)
	return err
}

// Export writes the rules in force as a map file that Import reads back without a change. An empty
// source name is every source in scope. Faults: source.unknown, scope.permission_missing.
func (s *Service) Export(ctx context.Context, sc scope.Scope, sourceName string, w io.Writer) error {
	if err := sc.Require(scope.ItemMapView); err != nil {
		return err
	}
	list, err := s.Store.Sources(ctx, sc, sourceName, "")
	if err != nil {
		return err
	}
	if sourceName != "" && len(list) == 0 {
		return fault.NotFound("source.unknown", fault.Args{"name": sourceName})
	}
	orgs, err := s.Store.Orgs(ctx)
	if err != nil {
		return err
	}
	book, err := s.Customers.Book(ctx)
	if err != nil {
		return err
	}
	out := csv.NewWriter(w)
	if err := out.Write(Header); err != nil {
		return err
	}
	for i := range list {
		rules, err := s.Store.RulesInForce(ctx, list[i].ID)
		if err != nil {
			return err
		}
		sortRules(rules)
		for _, r := range rules {
			for _, rec := range exportRows(&list[i], r, orgs, book) {
				if err := out.Write(rec); err != nil {
					return err
				}
			}
		}
	}
	out.Flush()
	return out.Error()
}

// exportRows splits a rule by the partners its customer had while it is valid.
func exportRows(src *source.Source, r Rule, orgs map[string]organisation.Organisation, book *customer.Book) [][]string {
	zone := src.Location()
	row := func(partner, kind string, from, to time.Time) []string {
		if to.Equal(endless) {
			to = time.Time{}
		}
		return []string{src.Name, r.Key, orgs[r.OrgID].Code, partner, kind, dateText(from, zone), dateText(to, zone)}
	}
	if orgs[r.OrgID].Kind.IsPartner() {
		return [][]string{row(orgs[r.OrgID].Code, "", r.From, r.To)}
	}
	rest := []span{{r.From, endOf(r.To), "-"}}
	var out [][]string
	type part struct {
		span
		rec []string
	}
	var parts []part
	for _, a := range book.Of(r.OrgID) {
		from, to := a.From, endOf(a.To)
		if from.Before(r.From) {
			from = r.From
		}
		if endOf(r.To).Before(to) {
			to = endOf(r.To)
		}
		if from.Before(to) {
			parts = append(parts, part{span{from, to, ""}, row(orgs[a.PartnerID].Code, string(a.Kind), from, to)})
			rest = overlay(rest, []span{{from, to, ""}})
		}
	}
	for _, x := range rest {
		parts = append(parts, part{x, row("", "", x.from, x.to)})
	}
	sort.Slice(parts, func(i, j int) bool { return parts[i].from.Before(parts[j].from) })
	for _, p := range parts {
		out = append(out, p.rec)
	}
	return out
}

// TargetsInput says where lines of a source go that no rule claims; nil leaves a setting as it is.
// Default and Loose are codes; Default "" is unmapped, Loose "spread" spreads, "" is the default.
type TargetsInput struct {
	Source         string
	Default, Loose *string
	DryRun         bool
}

// SetTargets changes where unclaimed lines go, and lets lines follow. Faults: source.unknown,
// organisation.unknown, those of Import about cycles, scope.permission_missing.
func (s *Service) SetTargets(ctx context.Context, sc scope.Scope, in TargetsInput) (ChangeResult, error) {
	if err := sc.Require(scope.ItemMapChange); err != nil {
		return ChangeResult{}, err
	}
	var out ChangeResult
	err := s.inTx(ctx, in.DryRun, func(ctx context.Context) error {
		out = newResult(in.DryRun)
		was, err := s.named(ctx, sc, in.Source)
		if err != nil {
			return err
		}
		is := *was
		if err := s.retarget(ctx, &is, in); err != nil {
			return err
		}
		if is.DefaultOrgID == was.DefaultOrgID && is.Loose == was.Loose && is.LooseOrgID == was.LooseOrgID {
			return nil
		}
		if err := s.Store.SetSourceTargets(ctx, is); err != nil {
			return err
		}
		err = s.Audit.Record(ctx, audit.Entry{Actor: sc.Login(), OrgID: is.VendorID, Action: "source.set_targets", Object: "source:" + is.Name,
			Outcome: "done", Detail: map[string]any{"default": is.DefaultOrg, "loose": string(is.Loose), "loose_customer": is.LooseOrg}})
		if err != nil {
			return err
		}
		rules, err := s.Store.RulesInForce(ctx, is.ID)
		if err != nil {
			return err
		}
		out.Moved, err = s.follow(ctx, &is, NewResolver(was, rules), NewResolver(&is, rules))
		return err
	})
	return out, err
}

func (s *Service) retarget(ctx context.Context, x *source.Source, in TargetsInput) error {
	orgs, err := s.Store.Orgs(ctx)
	if err != nil {
		return err
	}
	find := func(code string) (string, error) {
		for id, o := range orgs {
			if o.Code == code && o.Kind != organisation.KindVendor {
				return id, nil
			}
		}
		return "", fault.NotFound("organisation.unknown", fault.Args{"code": code})
	}
	if in.Default != nil {
		x.DefaultOrgID, x.DefaultOrg = "", *in.Default
		if *in.Default != "" {
			if x.DefaultOrgID, err = find(*in.Default); err != nil {
				return err
			}
		}
	}
	if in.Loose == nil {
		return nil
	}
	x.LooseOrgID, x.LooseOrg = "", ""
	switch *in.Loose {
	case "", string(source.LooseDefault):
		x.Loose = source.LooseDefault
	case string(source.LooseSpread):
		x.Loose = source.LooseSpread
	default:
		x.Loose, x.LooseOrg = source.LooseOrganisation, *in.Loose
		x.LooseOrgID, err = find(*in.Loose)
	}
	return err
}
