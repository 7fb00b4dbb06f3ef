package verify

import (
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strings"

	"huoban/internal/audit"
	"huoban/internal/source"
)

// attested is what the audit chain says of rules, adjustments and bills.
type attested struct {
	mapAdded map[string]string         // rule id → digest
	mapEnded map[string]int64          // rule id → seq
	price    map[string]map[string]any // rule id → newest detail
	ended    map[string]int64          // price rule id → seq of the version that ended it
	adjust   map[string]map[string]any // adjustment id → newest detail
	bills    map[string]string         // vendor/cycle/partner/currency/entity → code
	books    map[string]int64          // vendor/cycle → state of the price book it was issued with
	found    map[string]bool           // "table key" of what is stored, so that a row that is gone shows
}

// saw notes that a row the chain attests is there.
func (a *attested) saw(table, key string) { a.found[table+" "+key] = true }

// gone reports what the chain attests and the tables no longer hold.
func (a *attested) gone(r *Report) {
	for table, keys := range map[string][]string{"map_rule": sortedKeys(a.mapAdded), "price_rule": sortedKeys(a.price),
		"adjustment": sortedKeys(a.adjust), "bill": sortedKeys(a.bills)} {
		for _, key := range keys {
			if !a.found[table+" "+key] {
				r.add(table, key, "(row)", "absent", "present")
			}
		}
	}
}

func sortedKeys[V any](m map[string]V) []string { return slices.Sorted(maps.Keys(m)) }

const batch = 1000

// chain checks the audit chain itself, then reads what it attests. A row that was altered is not
// believed: verification stops trusting the chain at its first broken row.
func (s *Service) chain(ctx context.Context, r *Report) (*attested, error) {
	rep, err := audit.Verify(ctx, s.Chain, s.Key, s.Heads)
	if err != nil {
		return nil, err
	}
	r.AuditRows = rep.Rows
	if rep.Broken != nil {
		r.add("audit", fmt.Sprint(rep.Broken.Args["seq"]), "hash", rep.Broken.Code, "audit.whole")
	}
	log := &attested{mapAdded: map[string]string{}, mapEnded: map[string]int64{}, price: map[string]map[string]any{},
		ended: map[string]int64{}, adjust: map[string]map[string]any{}, bills: map[string]string{},
		books: map[string]int64{}, found: map[string]bool{}}
	for after := int64(0); ; {
		rows, err := s.Chain.After(ctx, after, batch)
		if err != nil {
			return nil, err
		}
		for _, row := range rows {
			after = row.Seq
			if err := log.take(row); err != nil {
				r.add("audit", fmt.Sprint(row.Seq), "detail", row.Detail, err.Error())
			}
		}
		if len(rows) < batch {
			return log, nil
		}
	}
}

func (a *attested) take(row audit.Row) error {
	noun, key, _ := strings.Cut(row.Object, ":")
	if row.Outcome != "done" || (noun != "price_rule" && noun != "adjustment" && row.Action != "map.change" && row.Action != "close.issue") {
		return nil
	}
	d := map[string]any{}
	dec := json.NewDecoder(strings.NewReader(row.Detail))
	dec.UseNumber()
	if err := dec.Decode(&d); err != nil {
		return err
	}
	switch {
	case noun == "price_rule":
		a.price[key] = d
		if id, _ := d["ends"].(string); id != "" {
			a.ended[id] = number(d["ended_seq"])
		}
	case noun == "adjustment":
		a.adjust[key] = d
	case row.Action == "map.change":
		for _, x := range list(d["added"]) {
			id, digest, _ := strings.Cut(x, " ")
			a.mapAdded[id] = digest
		}
		for _, id := range list(d["ended"]) {
			a.mapEnded[id] = number(d["seq"])
		}
	case row.Action == "close.issue":
		a.books[key] = number(d["price_seq"])
		codes, _ := d["bills"].(map[string]any)
		for k, code := range codes {
			a.bills[key+"/"+k] = fmt.Sprint(code)
		}
	}
	return nil
}

func number(v any) int64 {
	n, _ := v.(json.Number)
	i, _ := n.Int64()
	return i
}

func list(v any) []string {
	all, _ := v.([]any)
	var out []string
	for _, x := range all {
		if s, ok := x.(string); ok {
			out = append(out, s)
		}
	}
	return out
}

// mapRules compares the rules of a source with their digests in the chain.
func (s *Service) mapRules(ctx context.Context, r *Report, src *source.Source, log *attested) error {
	rules, err := s.Rules.AllRules(ctx, src.ID)
	if err != nil {
		return err
	}
	for i := range rules {
		rule := &rules[i]
		r.MapRules++
		log.saw("map_rule", rule.ID)
		r.same("map_rule", rule.ID, "digest", rule.Digest(), log.mapAdded[rule.ID])
		r.same("map_rule", rule.ID, "ended_seq", rule.EndedSeq, log.mapEnded[rule.ID])
	}
	return nil
}

// priceRules compares every active version with the chain.
func (s *Service) priceRules(ctx context.Context, r *Report, v Vendor, log *attested) error {
	rules, err := s.Prices.Versions(ctx, v.ID)
	if err != nil {
		return err
	}
	for i := range rules {
		rule := &rules[i]
		r.PriceRules++
		log.saw("price_rule", rule.ID)
		d := log.price[rule.ID]
		r.same("price_rule", rule.ID, "digest", rule.Digest(), d["digest"])
		if string(rule.State) != "active" {
			continue
		}
		r.same("price_rule", rule.ID, "state", rule.State, d["state"])
		r.same("price_rule", rule.ID, "seq", rule.Seq, number(d["seq"]))
		r.same("price_rule", rule.ID, "ended_seq", rule.EndedSeq, log.ended[rule.ID])
	}
	return nil
}
