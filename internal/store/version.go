package store

import (
	"context"
	"math/rand/v2"
	"regexp"
	"slices"
	"strings"
)

// The version of what pages show is moved in the same transaction as the change, whoever makes it, and
// read from the database with each request: a page kept under it cannot be stale on any replica.

// silent are the tables no page that is kept, and nothing that is kept of a person, depends on. A table
// that is not named here moves the version when it is written.
var silent = []string{
	"page_version",
	// read afresh with each request
	"session", "message", "month_close", "close_step", "view_mail", "passcode",
	// work and records, on pages of their own
	"customer_trail",
	"job", "idempotency_key", "idempotency_work", "audit", "audit_head", "transition_log", "due_change", "export_task", "export_piece",
	// files on their way, on pages that are not kept
	"subscription", "subscription_cycle", "dispatch", "dispatch_try", "dispatch_piece",
	// made of what is issued and never changed, and on no page that is kept
	"statement_file", "bill_order", "bill_order_read",
	// on pages that are not kept
	"invoice_request", "invoice_part", "invoice_title", "invoice_address", "invoice_digital", "invoice_setting", "invoice_file", "invoice_piece",
	// at the door
	"sign_in_throttle", "setup_link", "recovery_code",
	// of a jump from a partner's platform: what is read afresh with each request, on pages that are not kept
	"sso_request", "sso_seen", "sso_ticket", "sso_session", "sso_refusal", "sso_accepted", "sso_test", "sso_metadata_fetch",
	"sso_host", "sso_sp", "sso_sp_warning", "sso_pairwise",
	"sso_question", "sso_consent", "sso_leaving", "sso_leaving_step",
	// what an import writes before its slot becomes active, which moves the version
	"delivery", "delivery_file", "delivery_change", "kept_file", "kept_chunk", "quarantine", "conformance", "period", "move_plan",
	// made of lines, and believed only where they amount to their sums
	"usage_day",
	// named by the hash of their content, and so never changed
	"account_dim", "product_dim", "resource_dim",
}

// silentQueries write a table that is not silent, but nothing that is kept.
var silentQueries = []string{"person.TouchSignIn"}

// versionRows spreads the version over so many rows, so that writers seldom meet in one; the one writer of
// SQLite meets nobody and takes the first, because one row is read sooner than sixteen.
const versionRows = 16

var (
	qBump    = Query{"version.Bump", "INSERT INTO page_version (id, n) VALUES ($1, 1) ON CONFLICT (id) DO UPDATE SET n = page_version.n + 1"}
	qVersion = Query{"version.Read", "SELECT CAST(COALESCE(SUM(n), 0) AS BIGINT) FROM page_version"}

	writing = regexp.MustCompile(`(?is)\b(?:insert\s+into|update|delete\s+from)\s+([a-z_0-9]+)`)
)

// Version counts the changes of what pages show, as the running transaction or the next reader sees it.
func (db *DB) Version(ctx context.Context) (n int64, err error) {
	err = db.Cells(ctx, qVersion, nil, func(c RowCells) error {
		n = c.Int(0)
		return nil
	})
	return n, err
}

// wrote notes that the transaction wrote with a query.
func (t *liveTx) wrote(q Query) {
	if t.moved {
		return
	}
	known, ok := t.db.moving.Load(q.Text)
	if !ok {
		known = moves(q)
		t.db.moving.Store(q.Text, known)
	}
	t.moved = known.(bool)
}

// moves tells whether a query changes what pages show; one whose table cannot be read off its text does.
func moves(q Query) bool {
	if slices.Contains(silentQueries, q.Name) {
		return false
	}
	m := writing.FindStringSubmatch(stripComments(q.Text))
	return m == nil || !slices.Contains(silent, strings.ToLower(m[1]))
}

func stripComments(text string) string {
	var out []string
	for line := range strings.Lines(text) {
		if !strings.HasPrefix(strings.TrimSpace(line), "--") {
			out = append(out, line)
		}
	}
	return strings.Join(out, "")
}

// wroteBulk is wrote for rows that come in bulk. Lines come in batches into slots nobody sees yet; the
// sums and the change of the slot's state that end an import move the version.
func (t *liveTx) wroteBulk(table string) {
	t.moved = t.moved || table != "usage_line" && !slices.Contains(silent, table)
}

// versioned runs fn, writes its late values and moves the version with it; on SQLite the group's commit does.
func versioned(ctx context.Context, t *liveTx, fn func(ctx context.Context) error) error {
	err := fn(ctx)
	if err == nil && t.failed == nil {
		err = t.writeLate(ctx)
	}
	if err != nil || !t.moved || t.failed != nil {
		return err
	}
	row := 0
	if t.db.engine == Postgres {
		row = rand.N(versionRows)
	}
	_, err = t.db.Exec(ctx, qBump, int64(row))
	return err
}
