package usagestore

import (
	"context"
	"database/sql"
	"strings"

	"huoban/internal/attribution"
	"huoban/internal/organisation"
	"huoban/internal/store"
)

var (
	mapInForce = set.Get("map.InForce")
	mapAll     = set.Get("map.All")
	mapSeq     = set.Get("map.Seq")
	mapEnd     = set.Get("map.End")
	mapFind    = set.Get("map.Find")
)

var ruleColumns = []string{"id", "source_id", "seq", "key_kind", "key", "org_id", "valid_from", "valid_to", "ended_seq", "created_by", "created_at"}

// InsertRules keeps new rule versions.
func (s *Store) InsertRules(ctx context.Context, rules []attribution.Rule) error {
	i := 0
	_, err := s.db.Bulk(ctx, "map_rule", ruleColumns, func() ([]any, bool, error) {
		if i == len(rules) {
			return nil, false, nil
		}
		r := &rules[i]
		i++
		return []any{r.ID, r.SourceID, r.Seq, string(r.Kind), r.Key, r.OrgID, store.At(r.From), store.At(r.To), r.EndedSeq, r.CreatedBy,
			store.At(r.CreatedAt)}, true, nil
	})
	return err
}

// EndRule takes a version out of force.
func (s *Store) EndRule(ctx context.Context, ruleID string, seq int64) error {
	_, err := s.db.Exec(ctx, mapEnd, ruleID, seq)
	return err
}

// RuleSeq is the number of the newest change of a source's rules; 0 before the first.
func (s *Store) RuleSeq(ctx context.Context, sourceID string) (int64, error) {
	var added, ended int64
	err := s.db.Row(ctx, mapSeq, "attribution.source_unknown", []any{sourceID}, &added, &ended)
	return max(added, ended), err
}

// Find gives the customers of a vendor's rules by key, or by a part of code or name.
func (s *Store) Find(ctx context.Context, vendorID, text string, limit int) ([]attribution.Found, error) {
	part := "%" + strings.NewReplacer("!", "!!", "%", "!%", "_", "!_").Replace(text) + "%"
	var out []attribution.Found
	err := s.db.Each(ctx, mapFind, []any{vendorID, text, part, limit}, func(rows *sql.Rows) error {
		var f attribution.Found
		err := rows.Scan(&f.Source, &f.Key, &f.Code, &f.Name)
		out = append(out, f)
		return err
	})
	return out, err
}

// RulesInForce lists the source's rules by kind and key.
func (s *Store) RulesInForce(ctx context.Context, sourceID string) ([]attribution.Rule, error) {
	return s.rules(ctx, mapInForce, sourceID)
}

// AllRules lists every version the source ever had, in order of change.
func (s *Store) AllRules(ctx context.Context, sourceID string) ([]attribution.Rule, error) {
	return s.rules(ctx, mapAll, sourceID)
}

func (s *Store) rules(ctx context.Context, q store.Query, sourceID string) ([]attribution.Rule, error) {
	var out []attribution.Rule
	err := s.db.Each(ctx, q, []any{sourceID}, func(rows *sql.Rows) error {
		var r attribution.Rule
		var kind string
		var from, to, created store.Instant
		err := rows.Scan(&r.ID, &r.SourceID, &r.Seq, &r.EndedSeq, &kind, &r.Key, &r.OrgID, &from, &to, &r.CreatedBy, &created)
		r.Kind, r.From, r.To, r.CreatedAt = attribution.KeyKind(kind), from.Time, to.Time, created.Time
		out = append(out, r)
		return err
	})
	return out, err
}

// Orgs is every organisation by id, for naming customers in files and results.
func (s *Store) Orgs(ctx context.Context) (map[string]organisation.Organisation, error) {
	out := map[string]organisation.Organisation{}
	err := s.db.Each(ctx, mapOrgs, nil, func(rows *sql.Rows) error {
		var o organisation.Organisation
		var kind string
		err := rows.Scan(&o.ID, &o.Code, &kind, &o.Name)
		o.Kind = organisation.Kind(kind)
		out[o.ID] = o
		return err
	})
	return out, err
}
