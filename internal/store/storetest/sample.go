package storetest

import (
	"context"
	"fmt"
	"regexp"
	"strings"
	"testing"
	"time"

	"huoban/internal/store"
)

// Sample opens a PostgreSQL database, whose schema knows every type, and fills each table with rows
// made up from its columns alone, lawful by type and reference but not by meaning: for tests that move or
// compare whole databases. It needs no change when a table is added, unless a check of several columns
// refuses what it makes up.
func Sample(t testing.TB, rows int) *store.DB {
	t.Helper()
	ctx := context.Background()
	db := Postgres(t)
	tables, err := db.Tables(ctx)
	if err != nil {
		t.Fatal(err)
	}
	ordered, err := store.InReferenceOrder(tables)
	if err != nil {
		t.Fatal(err)
	}
	words := listedWords(t, db)
	err = db.InLoad(ctx, func(ctx context.Context) error {
		for _, table := range ordered {
			n := rows
			if table.Name == "audit_head" {
				n = 1
			}
			columns := make([]string, len(table.Columns))
			for i, c := range table.Columns {
				columns[i] = c.Name
			}
			i := 0
			_, err := db.Bulk(ctx, table.Name, columns, func() ([]any, bool, error) {
				if i++; i > n {
					return nil, false, nil
				}
				row := make([]any, len(table.Columns))
				for k, c := range table.Columns {
					row[k] = sampleValue(table, c, i, words)
				}
				return row, true, nil
			})
			if err != nil {
				return fmt.Errorf("%s: %w", table.Name, err)
			}
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return db
}

// sampleTexts are what text columns hold: order by bytes, quotes, breaks and several scripts included.
var sampleTexts = []string{"", "伙伴", "Zebra", "apple", "Éclair", "a'b\"c\\d", "line\nbreak\ttab", "🐼", "~", "%_", "<b>&amp;</b>"}

func sampleValue(table store.Table, c store.Column, i int, words map[string][]string) any {
	if list := words[table.Name+"."+c.Name]; len(list) > 0 {
		return list[i%len(list)]
	}
	inKey := false
	for _, k := range table.Key {
		inKey = inKey || k == c.Name
	}
	for _, u := range table.Uniques {
		inKey = inKey || strings.Contains(", "+u+",", ", "+c.Name+",")
	}
	reference := strings.HasSuffix(c.Name, "_id") || c.Name == "id" || strings.HasSuffix(c.Name, "sha")
	nullable := !c.NotNull && !inKey
	switch {
	case nullable && i%3 == 0:
		return nil
	case c.Type == store.TypeFlag:
		return i == 1
	case c.Type == store.TypeInstant:
		return store.At(time.Date(2024, 9, 1, 0, 0, 0, 0, time.UTC).Add(time.Duration(i) * 1234567 * time.Microsecond))
	case (table.Name == "coupon" || table.Name == "coupon_quota") && strings.HasSuffix(c.Name, "_e8"): // the database itself keeps their sums
		if c.Name == "face_e8" || c.Name == "value_e8" || c.Name == "balance_e8" {
			return int64(i) * 1e8
		}
		return int64(0)
	case c.Name == "balance_e8": // of an account, which a check keeps above zero
		return int64(i) * 922337203685477
	case c.Type == store.TypeInt && strings.HasSuffix(c.Name, "_e8"):
		return int64(i)*922337203685477 - 4e17
	case c.Type == store.TypeInt:
		return int64(i)
	case c.Type == store.TypeBytes:
		return fmt.Appendf([]byte{0, 0xff, byte(i)}, "%d", i)
	case reference || inKey:
		return fmt.Sprintf("k%04d", i)
	}
	return sampleTexts[i%len(sampleTexts)] + fmt.Sprint(i)
}

var wordList = regexp.MustCompile(`'([^']*)'`)

// listedWords finds the columns that take only listed words, "table.column", and which words.
func listedWords(t testing.TB, db *store.DB) map[string][]string {
	t.Helper()
	rows, err := db.Writer().Query(`SELECT c.conrelid::regclass::text || '.' || a.attname, pg_get_constraintdef(c.oid)
FROM pg_constraint c JOIN pg_attribute a ON a.attrelid = c.conrelid AND a.attnum = c.conkey[1]
WHERE c.contype = 'c' AND cardinality(c.conkey) = 1 AND pg_get_constraintdef(c.oid) LIKE '%= ANY (ARRAY[%'`)
	if err != nil {
		t.Fatal(err)
	}
	defer rows.Close()
	out := map[string][]string{}
	for rows.Next() {
		var column, check string
		if err := rows.Scan(&column, &check); err != nil {
			t.Fatal(err)
		}
		for _, m := range wordList.FindAllStringSubmatch(check, -1) {
			out[column] = append(out[column], m[1])
		}
	}
	if err := rows.Err(); err != nil {
		t.Fatal(err)
	}
	return out
}
