package e2e

import (
	"context"
	"crypto/sha256"
	"fmt"
	"strings"
	"testing"

	"huoban/internal/store"
	"huoban/internal/store/storetest"
)

func postgresURL(t *testing.T) string { return storetest.PostgresURL(t) }

// digestOf hashes every row of a table but what is named: a column, or "column:value" for the rows that
// hold it.
func digestOf(t *testing.T, db *store.DB, table store.Table, but string) string {
	t.Helper()
	column, value, rowsOnly := strings.Cut(but, ":")
	var names []string
	for _, c := range table.Columns {
		if c.Name != column || rowsOnly {
			names = append(names, c.Name)
		}
	}
	where := ""
	if rowsOnly {
		where = " WHERE " + column + " <> '" + value + "'"
	}
	rows, err := db.Writer().QueryContext(context.Background(), "SELECT "+strings.Join(names, ", ")+" FROM "+table.Name+where+" ORDER BY "+strings.Join(names, ", "))
	if err != nil {
		t.Fatal(err)
	}
	defer rows.Close()
	h, n := sha256.New(), 0
	cells, dest := make([]any, len(names)), make([]any, len(names))
	for i := range cells {
		dest[i] = &cells[i]
	}
	for rows.Next() {
		if err := rows.Scan(dest...); err != nil {
			t.Fatal(err)
		}
		fmt.Fprintf(h, "%v\n", cells)
		n++
	}
	if err := rows.Err(); err != nil {
		t.Fatal(err)
	}
	return fmt.Sprintf("%d rows %x", n, h.Sum(nil)[:8])
}
