package usagestore

import (
	"context"
	"database/sql"
	"encoding/json"
	"time"

	"huoban/internal/conformance"
	"huoban/internal/cycle"
	"huoban/internal/delivery"
	"huoban/internal/scope"
	"huoban/internal/store"
)

var (
	quaList     = set.Get("quarantine.List")
	quaBlocking = set.Get("quarantine.Blocking")
	quaCount    = set.Get("quarantine.CountBlocking")
	quaDecide   = set.Get("quarantine.Decide")
	conOf       = set.Get("conformance.Of")
)

// WriteQuarantine keeps rows that could not be read.
func (s *Store) WriteQuarantine(ctx context.Context, rows []delivery.Quarantined) error {
	i := 0
	_, err := s.db.Bulk(ctx, "quarantine", []string{"id", "delivery_id", "file_no", "line_no", "cycle", "column_name", "value", "code", "args",
		"raw", "state", "correction", "reason", "decided_by"}, func() ([]any, bool, error) {
		if i == len(rows) {
			return nil, false, nil
		}
		q := &rows[i]
		i++
		args, err := toJSON(q.Args)
		return []any{q.ID, q.DeliveryID, int64(q.FileNo), q.LineNo, string(q.Cycle), q.Column, q.Value, q.Code, args, q.Raw, "open", "", "", ""},
			true, err
	})
	return err
}

func (s *Store) quarantined(ctx context.Context, q store.Query, args ...any) ([]delivery.Quarantined, error) {
	out := []delivery.Quarantined{}
	err := s.db.Each(ctx, q, args, func(rows *sql.Rows) error {
		var x delivery.Quarantined
		var month, text string
		err := rows.Scan(&x.ID, &x.DeliveryID, &x.Source, &x.Number, &x.FileNo, &x.File, &x.LineNo, &month, &x.Column, &x.Value, &x.Code, &text,
			&x.Raw, &x.State, &x.Correction, &x.Reason, &x.DecidedBy)
		if err != nil {
			return err
		}
		x.Cycle = cycle.Cycle(month)
		if err := json.Unmarshal([]byte(text), &x.Args); err != nil {
			return err
		}
		out = append(out, x)
		return nil
	})
	return out, err
}

// Quarantine lists rows in scope, oldest first; empty filters match all.
func (s *Store) Quarantine(ctx context.Context, sc scope.Scope, f delivery.QuarantineFilter) ([]delivery.Quarantined, error) {
	limit := f.Limit
	if limit <= 0 {
		limit = 1000
	}
	return s.quarantined(ctx, quaList, vendorOf(sc), f.DeliveryID, f.State, f.SourceID, f.After, int64(limit))
}

// Blocking lists open rows that keep the vendor's cycle from being closed, and counts all of them.
func (s *Store) Blocking(ctx context.Context, vendorID string, c cycle.Cycle, limit int) ([]delivery.Quarantined, int64, error) {
	var n int64
	if err := s.db.Row(ctx, quaCount, "quarantine.unknown", []any{vendorID, string(c)}, &n); err != nil || n == 0 {
		return nil, n, err
	}
	rows, err := s.quarantined(ctx, quaBlocking, vendorID, string(c), int64(limit))
	return rows, n, err
}

// Decide closes an open row and tells whether it was open.
func (s *Store) Decide(ctx context.Context, rowID, state, correction, reason, by string, at time.Time) (bool, error) {
	n, err := s.db.Exec(ctx, quaDecide, rowID, state, correction, reason, by, store.At(at))
	return n == 1, err
}

// WriteConformance keeps the report of a delivery.
func (s *Store) WriteConformance(ctx context.Context, deliveryID string, verdicts []conformance.Result) error {
	i := 0
	_, err := s.db.Bulk(ctx, "conformance", []string{"delivery_id", "rule", "verdict", "level", "checked", "failed", "samples"}, func() ([]any, bool, error) {
		if i == len(verdicts) {
			return nil, false, nil
		}
		v := verdicts[i]
		i++
		samples, err := toJSON(v.Samples)
		return []any{deliveryID, v.Rule, string(v.Verdict), v.Level, v.Checked, v.Failed, samples}, true, err
	})
	return err
}

// Conformance reads the report of a delivery in order of rule.
func (s *Store) Conformance(ctx context.Context, deliveryID string) ([]conformance.Result, error) {
	out := []conformance.Result{}
	err := s.db.Each(ctx, conOf, []any{deliveryID}, func(rows *sql.Rows) error {
		var v conformance.Result
		var verdict, samples string
		if err := rows.Scan(&v.Rule, &verdict, &v.Level, &v.Checked, &v.Failed, &samples); err != nil {
			return err
		}
		v.Verdict = conformance.Verdict(verdict)
		err := json.Unmarshal([]byte(samples), &v.Samples)
		out = append(out, v)
		return err
	})
	return out, err
}
