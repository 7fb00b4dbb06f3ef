package attribution

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"sort"
	"strings"
	"unicode"

	"huoban/internal/audit"
	"huoban/internal/customer"
	"huoban/internal/cycle"
	"huoban/internal/fault"
	"huoban/internal/money"
	"huoban/internal/organisation"
	"huoban/internal/scope"
	"huoban/internal/source"
	"huoban/internal/usage"
)

// AutoInput asks for one customer per sub-account, or per value of a key column, of what a source has
// delivered.
type AutoInput struct {
	Source, Partner string
	Association     customer.Kind
	Key             string // key column or "tag:NAME"; empty = SubAccountId, else the source's key column
	DryRun          bool
}

// Auto makes a customer and a rule for every sub-account or key that has no rule yet, valid from the
// beginning of time, belonging to the partner. A key column that is new to the source is set, and the
// delivered files are read again for it. Run again it changes nothing. Faults: source.unknown,
// customer.kind_unknown, attribution.partner_missing, those of Import about cycles,
// scope.permission_missing.
func (s *Service) Auto(ctx context.Context, sc scope.Scope, in AutoInput) (ChangeResult, error) {
	if err := sc.Require(scope.ItemMapChange); err != nil {
		return ChangeResult{}, err
	}
	if in.Partner == "" {
		return ChangeResult{}, fault.Invalid("attribution.partner_missing", nil)
	}
	if in.Association != customer.KindResale && in.Association != customer.KindReferral {
		return ChangeResult{}, fault.Invalid("customer.kind_unknown", fault.Args{"kind": string(in.Association)})
	}
	var out ChangeResult
	err := s.inTx(ctx, in.DryRun, func(ctx context.Context) error {
		out = newResult(in.DryRun)
		src, err := s.named(ctx, sc, in.Source)
		if err != nil {
			return err
		}
		if in.Key != "" && in.Key != src.KeyColumn {
			if err := s.setKey(ctx, sc, src, in.Key); err != nil {
				return err
			}
		}
		found, err := s.unruled(ctx, src, in.Key != "")
		if err != nil {
			return err
		}
		m := &maker{s: s, sc: sc, res: &out, orgs: map[string]string{}}
		orgs, err := s.Store.Orgs(ctx)
		if err != nil {
			return err
		}
		for id, o := range orgs {
			m.orgs[o.Code] = id
		}
		if err := m.partner(ctx, in.Partner, src.VendorID); err != nil {
			return err
		}
		rows, err := s.autoRows(ctx, m, in, found)
		if err != nil {
			return err
		}
		out.Rows = len(rows)
		return s.apply(ctx, sc, src, rows, m.orgs, &out)
	})
	return out, err
}

func (s *Service) autoRows(ctx context.Context, m *maker, in AutoInput, found map[string]string) ([]*mapRow, error) {
	var rows []*mapRow
	for _, key := range sortedKeys(found) {
		code := CodeFor(key)
		if err := m.customer(ctx, code, found[key]); err != nil {
			return nil, err
		}
		if code != in.Partner {
			done, err := m.s.Customers.Associate(ctx, m.sc, customer.AssociateInput{CustomerID: m.orgs[code], PartnerID: m.orgs[in.Partner],
				Kind: in.Association})
			if err != nil {
				return nil, err
			}
			if done.Added {
				m.res.Associations++
			}
		}
		rows = append(rows, &mapRow{source: in.Source, key: key, kind: KeyPlain, customer: code})
	}
	return rows, nil
}

// CodeFor is a customer's code for a key: the key itself where it may be a code, else the key with
// the characters replaced that a code cannot have, and a piece of its hash.
func CodeFor(key string) string {
	if organisation.CheckCode(organisation.KindCustomer, key) == nil {
		return key
	}
	sum := sha256.Sum256([]byte(key))
	var b strings.Builder
	for _, r := range key {
		if b.Len() >= 40 {
			break
		}
		if unicode.IsLetter(r) || unicode.IsDigit(r) || r == '.' || r == '_' {
			b.WriteRune(r)
		} else {
			b.WriteByte('-')
		}
	}
	return strings.Trim(b.String(), "-") + "." + hex.EncodeToString(sum[:4])
}

// setKey changes the key column and has delivered lines take their new key.
func (s *Service) setKey(ctx context.Context, sc scope.Scope, src *source.Source, key string) error {
	was := src.KeyColumn
	src.KeyColumn = key
	if err := s.Store.SetSourceTargets(ctx, *src); err != nil {
		return err
	}
	err := s.Audit.Record(ctx, audit.Entry{Actor: sc.Login(), OrgID: src.VendorID, Action: "source.set_key", Object: "source:" + src.Name,
		Outcome: "done", Detail: map[string]any{"was": was, "is": key}})
	if err != nil {
		return err
	}
	slots, err := s.Store.SlotsOfSource(ctx, src.ID, "")
	if err != nil {
		return err
	}
	var open []usage.Slot
	for _, slot := range slots {
		month, err := s.Store.CycleState(ctx, src.VendorID, slot.Cycle)
		if err != nil {
			return err
		}
		if month == "open" && (slot.State == usage.SlotActive || slot.State == usage.SlotSuperseded) {
			open = append(open, slot)
		}
	}
	if len(open) == 0 || s.Rekey == nil {
		return nil
	}
	return s.Rekey.Rekey(ctx, src, open)
}

// unruled lists the sub-accounts or keys that lines of the source have and no rule names, with a name
// for each. Lines without sub-account have the value of the source's key column in its place, as in the
// order of attribution.
func (s *Service) unruled(ctx context.Context, src *source.Source, byKey bool) (map[string]string, error) {
	rules, err := s.Store.RulesInForce(ctx, src.ID)
	if err != nil {
		return nil, err
	}
	ruled := map[string]bool{}
	for _, r := range rules {
		if r.Kind == KeyPlain {
			ruled[r.Key] = true
		}
	}
	slots, err := s.Store.SlotsOfSource(ctx, src.ID, "")
	if err != nil {
		return nil, err
	}
	found := map[string]string{}
	for _, slot := range slots {
		if slot.State != usage.SlotActive && slot.State != usage.SlotLate {
			continue
		}
		accounts, err := s.accountsOf(ctx, slot.ID)
		if err != nil {
			return nil, err
		}
		for _, a := range accounts {
			key, name := a.SubAccount, a.SubAccountName
			if byKey || key == "" {
				key, name = a.SourceKey, ""
			}
			if key == "" || ruled[key] {
				continue
			}
			if name == "" {
				name = key
			}
			if old, ok := found[key]; !ok || old == key || name != key && name < old {
				found[key] = name
			}
		}
	}
	return found, nil
}

func (s *Service) accountsOf(ctx context.Context, slot int64) (map[usage.Hash]usage.Account, error) {
	sums, err := s.Store.SummariesOf(ctx, slot)
	if err != nil {
		return nil, err
	}
	ids := map[usage.Hash]bool{}
	for _, x := range sums {
		ids[x.AccountID] = true
	}
	return s.Store.Accounts(ctx, ids)
}

// Unmapped is what nobody is charged for in a vendor's cycle, in one currency. It blocks the close.
type Unmapped struct {
	Cycle     cycle.Cycle   `json:"cycle"`
	Currency  string        `json:"currency"`
	LineCount int64         `json:"line_count"`
	Billed    money.Exact   `json:"billed"`
	Keys      []UnmappedKey `json:"keys"` // greatest amounts first
}

// UnmappedKey is one key of a source without a customer; an empty key is lines without sub-account.
type UnmappedKey struct {
	Source    string      `json:"source"`
	SourceID  string      `json:"-"`
	Key       string      `json:"key"`
	Name      string      `json:"name"`
	LineCount int64       `json:"line_count"`
	Billed    money.Exact `json:"billed"`
}

// Unmapped sums lines without a customer, and lines to be spread that find nobody to spread over, by
// currency, with the keys that weigh most.
func (s *Service) Unmapped(ctx context.Context, vendorID string, c cycle.Cycle, top int) ([]Unmapped, error) {
	slots, err := s.Store.ActiveSlots(ctx, vendorID, c)
	if err != nil {
		return nil, err
	}
	sources, err := s.Store.Sources(ctx, scope.System("system"), "", "")
	if err != nil {
		return nil, err
	}
	names := map[string]string{}
	for _, x := range sources {
		names[x.ID] = x.Name
	}
	basis, err := s.basis(ctx, slots)
	if err != nil {
		return nil, err
	}
	type at struct{ currency, source, key string }
	keys := map[at]*UnmappedKey{}
	for _, slot := range slots {
		sums, err := s.Store.SummariesOf(ctx, slot.ID)
		if err != nil {
			return nil, err
		}
		accounts, err := s.accountsOf(ctx, slot.ID)
		if err != nil {
			return nil, err
		}
		for _, x := range sums {
			lost := x.CustomerID == usage.CustomerUnmapped || x.CustomerID == usage.CustomerSpread && !basis[slot.SourceID+"\x00"+x.Currency]
			if !lost {
				continue
			}
			a := accounts[x.AccountID]
			k := at{x.Currency, slot.SourceID, PlainKey(&usage.Line{Account: a})}
			if keys[k] == nil {
				keys[k] = &UnmappedKey{Source: names[slot.SourceID], SourceID: slot.SourceID, Key: k.key, Name: a.SubAccountName}
			}
			keys[k].LineCount, keys[k].Billed = keys[k].LineCount+x.Lines, keys[k].Billed.Add(x.Billed)
		}
	}
	byCurrency := map[string]*Unmapped{}
	for k, v := range keys {
		u := byCurrency[k.currency]
		if u == nil {
			u = &Unmapped{Cycle: c, Currency: k.currency}
			byCurrency[k.currency] = u
		}
		u.LineCount, u.Billed = u.LineCount+v.LineCount, u.Billed.Add(v.Billed)
		u.Keys = append(u.Keys, *v)
	}
	out := []Unmapped{}
	for _, currency := range sortedKeys(byCurrency) {
		u := byCurrency[currency]
		sort.Slice(u.Keys, func(i, j int) bool {
			if n := u.Keys[i].Billed.Decimal().Abs().Cmp(u.Keys[j].Billed.Decimal().Abs()); n != 0 {
				return n > 0
			}
			return u.Keys[i].Source+"\x00"+u.Keys[i].Key < u.Keys[j].Source+"\x00"+u.Keys[j].Key
		})
		if top > 0 && len(u.Keys) > top {
			u.Keys = u.Keys[:top]
		}
		out = append(out, *u)
	}
	return out, nil
}

// basis tells for which source and currency somebody has a total above zero to spread over.
func (s *Service) basis(ctx context.Context, slots []usage.Slot) (map[string]bool, error) {
	totals := map[string]map[string]money.Exact{}
	for _, slot := range slots {
		sums, err := s.Store.SummariesOf(ctx, slot.ID)
		if err != nil {
			return nil, err
		}
		for _, x := range sums {
			if x.Kind == usage.KindTax || x.CustomerID == usage.CustomerUnmapped || x.CustomerID == usage.CustomerSpread {
				continue
			}
			k := slot.SourceID + "\x00" + x.Currency
			if totals[k] == nil {
				totals[k] = map[string]money.Exact{}
			}
			totals[k][x.CustomerID] = totals[k][x.CustomerID].Add(x.Billed)
		}
	}
	out := map[string]bool{}
	for k, byCustomer := range totals {
		for _, total := range byCustomer {
			out[k] = out[k] || total.Sign() > 0
		}
	}
	return out, nil
}
