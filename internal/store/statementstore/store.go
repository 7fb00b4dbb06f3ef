// Package statementstore keeps customer statements (客户对账单), the partner's rules and its letter head.
//
// It owns their SQL; the rules are those of package statement. Invariants: a statement outside the scope is absent;
// what the partner pays is read for that partner alone.
package statementstore

import (
	"context"
	"database/sql"
	"embed"
	"errors"
	"strconv"
	"strings"

	"huoban/internal/bill"
	"huoban/internal/cycle"
	"huoban/internal/fault"
	"huoban/internal/price"
	"huoban/internal/scope"
	"huoban/internal/statement"
	"huoban/internal/store"
	"huoban/internal/usage"
)

//go:embed query/*.sql
var files embed.FS

var (
	set         = store.Load(files)
	qRules      = set.Get("statement_rule.Versions")
	qRuleInsert = set.Get("statement_rule.Insert")
	qRuleEnd    = set.Get("statement_rule.End")
	qHeads      = set.Get("statement_head.All")
	qHeadInsert = set.Get("statement_head.Insert")
	qLogo       = set.Get("statement_logo.ByHash")
	qLogoPut    = set.Get("statement_logo.Put")
	qList       = set.Get("statement.List")
	qLines      = set.Get("statement.Lines")
	qInsert     = set.Get("statement.Insert")
	qSet        = set.Get("statement.Set")
	qLastSerial = set.Get("statement.LastSerial")
	qFile       = set.Get("statement_file.Get")
	qFileKeep   = set.Get("statement_file.Keep")

	_ statement.Store = (*Store)(nil)
)

// Store keeps statements.
type Store struct{ db *store.DB }

// New makes the store.
func New(db *store.DB) *Store { return &Store{db} }

func orNull(s string) any {
	if s == "" {
		return nil
	}
	return s
}

// Rules are all versions of a partner's rules.
func (s *Store) Rules(ctx context.Context, partnerID string) ([]statement.Rule, error) {
	var out []statement.Rule
	err := s.db.Each(ctx, qRules, []any{partnerID}, func(rows *sql.Rows) error {
		var r statement.Rule
		var base, from, to string
		var factor store.Decimal
		var at store.Instant
		err := rows.Scan(&r.ID, &r.PartnerID, &r.Number, &r.Version, &r.Seq, &r.EndedSeq, &r.CustomerID, &r.Product, &base, &factor, &from, &to, &r.CreatedBy, &at)
		r.Base, r.Factor, r.ValidFrom, r.ValidTo, r.CreatedAt = statement.Base(base), factor.Exact, price.Date(from), price.Date(to), at.Time
		out = append(out, r)
		return err
	})
	return out, err
}

// InsertRule writes a version.
func (s *Store) InsertRule(ctx context.Context, r statement.Rule) error {
	_, err := s.db.Exec(ctx, qRuleInsert, r.ID, r.PartnerID, r.Number, r.Version, r.Seq, orNull(r.CustomerID), r.Product, string(r.Base), store.Dec(r.Factor),
		string(r.ValidFrom), string(r.ValidTo), r.CreatedBy, store.At(r.CreatedAt))
	return err
}

// EndRule takes a version out of force. Fault: statement.rules_changed.
func (s *Store) EndRule(ctx context.Context, id string, seq int64) error {
	n, err := s.db.Exec(ctx, qRuleEnd, id, seq)
	if err == nil && n != 1 {
		err = fault.Conflict("statement.rules_changed", nil)
	}
	return err
}

func (s *Store) heads(ctx context.Context, partnerID string, version int64) ([]statement.Head, error) {
	var out []statement.Head
	err := s.db.Each(ctx, qHeads, []any{partnerID, version}, func(rows *sql.Rows) error {
		h := statement.Head{PartnerID: partnerID}
		var rate store.Decimal
		var at store.Instant
		err := rows.Scan(&h.Version, &h.Name, &h.Address, &h.Contact, &h.Bank, &h.Note, &rate, &h.LogoSHA, &h.CreatedBy, &at)
		h.TaxRate, h.CreatedAt = rate.Exact, at.Time
		out = append(out, h)
		return err
	})
	return out, err
}

// Heads are all versions of a letter head, the newest first.
func (s *Store) Heads(ctx context.Context, partnerID string) ([]statement.Head, error) {
	return s.heads(ctx, partnerID, 0)
}

// Head is one version, the newest for 0.
func (s *Store) Head(ctx context.Context, partnerID string, version int64) (statement.Head, bool, error) {
	list, err := s.heads(ctx, partnerID, version)
	if err != nil || len(list) == 0 {
		return statement.Head{}, false, err
	}
	return list[0], true, nil
}

// InsertHead writes a version.
func (s *Store) InsertHead(ctx context.Context, h statement.Head) error {
	_, err := s.db.Exec(ctx, qHeadInsert, h.PartnerID, h.Version, h.Name, h.Address, h.Contact, h.Bank, h.Note, store.Dec(h.TaxRate), h.LogoSHA, h.CreatedBy, store.At(h.CreatedAt))
	return err
}

// Logo is a picture by its hash. Fault: statement.logo_unknown.
func (s *Store) Logo(ctx context.Context, partnerID, sha string) (body []byte, err error) {
	err = s.db.Row(ctx, qLogo, "statement.logo_unknown", []any{partnerID, sha}, &body)
	return body, err
}

// PutLogo keeps a picture.
func (s *Store) PutLogo(ctx context.Context, partnerID, sha string, body []byte) error {
	_, err := s.db.Exec(ctx, qLogoPut, partnerID, sha, body)
	return err
}

// costOf is the partner whose costs a scope may see, "" for none.
func costOf(sc scope.Scope) string {
	if sc.Side() == scope.SidePartner && !sc.IsLimited() {
		return sc.OrgID()
	}
	return ""
}

// sideOf is the scope as the queries take it; one that is limited to assigned customers sees no statement.
func sideOf(sc scope.Scope) string {
	if sc.Side() == scope.SidePartner && sc.IsLimited() {
		return ""
	}
	return string(sc.Side())
}

// List are the statements in scope that match.
func (s *Store) List(ctx context.Context, sc scope.Scope, f statement.Filter) ([]statement.Statement, error) {
	return s.list(ctx, sc, "", f)
}

func (s *Store) list(ctx context.Context, sc scope.Scope, id string, f statement.Filter) ([]statement.Statement, error) {
	live := int64(0)
	if f.Live {
		live = 1
	}
	var out []statement.Statement
	args := []any{sideOf(sc), sc.OrgID(), id, string(f.Cycle), f.CustomerID, f.BillID, f.Currency, string(f.State), costOf(sc), live}
	err := s.db.Each(ctx, qList, args, func(rows *sql.Rows) error {
		x, err := scanStatement(rows)
		out = append(out, x)
		return err
	})
	return out, err
}

func scanStatement(rows *sql.Rows) (statement.Statement, error) {
	var x statement.Statement
	var c, state string
	var rate, source store.Decimal
	var created, issued, sent store.Instant
	err := rows.Scan(&x.ID, &x.PartnerID, &x.Partner.Code, &x.Partner.Name, &x.Customer.ID, &x.Customer.Code, &x.Customer.Name, &x.BillID, &c, &x.Currency, &state, &x.Version,
		&x.Serial, &x.Number, &x.ReplacesID, &x.ReplacesNumber, &x.LineCount, &x.Subtotal, &rate, &x.Tax, &x.Rounding, &x.Total, &x.RuleSeq, &x.HeadVersion, &x.Code, &x.CreatedBy,
		&created, &issued, &sent, &x.Cost, &source)
	x.Partner.ID, x.Cycle, x.State, x.TaxRate, x.Source = x.PartnerID, cycle.Cycle(c), statement.State(state), rate.Exact, source.Exact
	x.CreatedAt, x.IssuedAt, x.SentAt = created.Time, issued.Time, sent.Time
	return x, err
}

// ByID is a statement with its lines. Fault: statement.unknown, also for one outside the scope.
func (s *Store) ByID(ctx context.Context, sc scope.Scope, id string) (statement.Statement, error) {
	list, err := s.list(ctx, sc, id, statement.Filter{})
	if err != nil {
		return statement.Statement{}, err
	}
	if id == "" || len(list) != 1 {
		return statement.Statement{}, fault.NotFound("statement.unknown", nil)
	}
	list[0].Lines, err = s.lines(ctx, sc, id)
	return list[0], err
}

func (s *Store) lines(ctx context.Context, sc scope.Scope, id string) ([]statement.Line, error) {
	var out []statement.Line
	partner := costOf(sc)
	err := s.db.Each(ctx, qLines, []any{id, partner}, func(rows *sql.Rows) error {
		var l statement.Line
		var k statement.Costing
		var origin, mode, kind, corrects, items, base string
		var source, factor, exact store.Decimal
		if err := rows.Scan(&l.No, &origin, &l.Provider, &l.Product, &l.Region, &mode, &kind, &corrects, &l.LineCount, &l.Amount,
			&items, &source, &k.Cost, &k.RuleNumber, &k.RuleVersion, &base, &factor, &exact); err != nil {
			return err
		}
		l.Origin, l.Mode, l.Kind, l.Corrects = bill.Origin(origin), usage.ChargingMode(mode), usage.Kind(kind), cycle.Cycle(corrects)
		if partner != "" {
			var err error
			if k.Items, err = numbers(items); err != nil {
				return err
			}
			k.Source, k.Base, k.Factor, k.Exact = source.Exact, statement.Base(base), factor.Exact, exact.Exact
			l.Costing = &k
		}
		out = append(out, l)
		return nil
	})
	return out, err
}

func numbers(text string) ([]int, error) {
	var out []int
	for _, w := range strings.Fields(text) {
		n, err := strconv.Atoi(w)
		if err != nil {
			return nil, err
		}
		out = append(out, n)
	}
	return out, nil
}

func numbersText(list []int) string {
	words := make([]string, len(list))
	for i, n := range list {
		words[i] = strconv.Itoa(n)
	}
	return strings.Join(words, " ")
}

var (
	lineColumns = []string{"statement_id", "line_no", "origin", "provider", "product", "region", "charging_mode", "kind", "corrects_cycle", "line_count", "amount_e8"}
	costColumns = []string{"statement_id", "line_no", "partner_id", "items", "source_exact", "cost_e8", "rule_number", "rule_version", "base", "factor", "exact"}
)

// Insert writes drafts with lines and costs.
func (s *Store) Insert(ctx context.Context, list []*statement.Statement) error {
	var lines, costs [][]any
	for _, x := range list {
		_, err := s.db.Exec(ctx, qInsert, x.ID, x.PartnerID, x.Customer.ID, x.Customer.Name, x.BillID, string(x.Cycle), x.Currency, string(x.State), x.Version, orNull(x.ReplacesID),
			x.LineCount, int64(x.Subtotal), store.Dec(x.TaxRate), int64(x.Tax), int64(x.Rounding), int64(x.Total), x.RuleSeq, x.HeadVersion, x.Code, x.CreatedBy, store.At(x.CreatedAt))
		if err != nil {
			return err
		}
		costs = append(costs, []any{x.ID, int64(0), x.PartnerID, "", store.Dec(x.Source), int64(x.Cost), int64(0), int64(0), "", "0", "0"})
		for i := range x.Lines {
			l := &x.Lines[i]
			lines = append(lines, []any{x.ID, int64(l.No), string(l.Origin), l.Provider, l.Product, l.Region, string(l.Mode), string(l.Kind), string(l.Corrects), l.LineCount, int64(l.Amount)})
			k := l.Costing
			costs = append(costs, []any{x.ID, int64(l.No), x.PartnerID, numbersText(k.Items), store.Dec(k.Source), int64(k.Cost), k.RuleNumber, k.RuleVersion, string(k.Base),
				store.Dec(k.Factor), store.Dec(k.Exact)})
		}
	}
	if err := s.bulk(ctx, "statement_line", lineColumns, lines); err != nil {
		return err
	}
	return s.bulk(ctx, "statement_cost", costColumns, costs)
}

func (s *Store) bulk(ctx context.Context, table string, columns []string, rows [][]any) error {
	if len(rows) == 0 {
		return nil
	}
	i := 0
	_, err := s.db.Bulk(ctx, table, columns, func() ([]any, bool, error) {
		if i == len(rows) {
			return nil, false, nil
		}
		i++
		return rows[i-1], true, nil
	})
	return err
}

// Set writes state, number and times if the statement still is as loaded.
func (s *Store) Set(ctx context.Context, x *statement.Statement, from statement.State, version int64) (bool, error) {
	n, err := s.db.Exec(ctx, qSet, x.ID, string(from), version, string(x.State), x.Version, x.Serial, x.Number, store.At(x.IssuedAt), store.At(x.SentAt))
	return n == 1, err
}

// LastSerial is the last number given in a cycle, 0 before the first.
func (s *Store) LastSerial(ctx context.Context, partnerID string, c cycle.Cycle) (n int64, err error) {
	err = s.db.Row(ctx, qLastSerial, "statement.unknown", []any{partnerID, string(c)}, &n)
	return n, err
}

// File is a kept file, nil where there is none.
func (s *Store) File(ctx context.Context, id, lang string) (body []byte, err error) {
	err = s.db.Row(ctx, qFile, "statement.file_unknown", []any{id, lang}, &body)
	var f *fault.Error
	if errors.As(err, &f) && f.Kind == fault.KindNotFound {
		return nil, nil
	}
	return body, err
}

// KeepFile keeps a file; one that is there already stays.
func (s *Store) KeepFile(ctx context.Context, id, lang string, body []byte) error {
	_, err := s.db.Exec(ctx, qFileKeep, id, lang, body)
	return err
}
