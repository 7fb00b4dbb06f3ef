package storetest

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"huoban/internal/store"
)

// engineType is how SQLite spells what PostgreSQL tells apart.
var engineType = map[string]string{store.TypeFlag: store.TypeInt, store.TypeInstant: store.TypeText}

// described writes a schema as lines that must be equal on both engines.
func described(tables []store.Table) []string {
	var out []string
	for _, t := range tables {
		for _, c := range t.Columns {
			kind := c.Type
			if k, ok := engineType[kind]; ok {
				kind = k
			}
			out = append(out, fmt.Sprintf("%s.%s %s not null %v", t.Name, c.Name, kind, c.NotNull))
		}
		out = append(out, fmt.Sprintf("%s key (%s)", t.Name, strings.Join(t.Key, ", ")),
			fmt.Sprintf("%s refers to (%s)", t.Name, strings.Join(t.References, ", ")))
		for _, u := range t.Uniques {
			out = append(out, fmt.Sprintf("%s unique (%s)", t.Name, u))
		}
		for _, c := range t.Checks {
			out = append(out, fmt.Sprintf("%s check (%s)", t.Name, c))
		}
	}
	slices.Sort(out)
	return out
}

func TestSameSchema(t *testing.T) {
	tables := map[store.Engine][]store.Table{}
	for _, db := range []*store.DB{SQLite(t), Postgres(t)} {
		got, err := db.Tables(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		tables[db.Engine()] = got
	}
	lite, pg := described(tables[store.SQLite]), described(tables[store.Postgres])
	for _, line := range lite {
		if !slices.Contains(pg, line) {
			t.Errorf("only on SQLite: %s", line)
		}
	}
	for _, line := range pg {
		if !slices.Contains(lite, line) {
			t.Errorf("only on PostgreSQL: %s", line)
		}
	}
	if len(lite) < 200 {
		t.Errorf("only %d lines of schema were read", len(lite))
	}
}

func TestSchemaRules(t *testing.T) {
	Each(t, func(t *testing.T, db *store.DB) {
		tables, err := db.Tables(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		if _, err := store.InReferenceOrder(tables); err != nil {
			t.Error(err)
		}
		known := []string{store.TypeInt, store.TypeText, store.TypeBytes, store.TypeFlag, store.TypeInstant}
		for _, table := range tables {
			if len(table.Key) == 0 {
				t.Errorf("%s has no primary key, so its rows have no order to compare by", table.Name)
			}
			for _, c := range table.Columns {
				if !slices.Contains(known, c.Type) {
					t.Errorf("%s.%s has the type %s", table.Name, c.Name, c.Type)
				}
				if !c.Binary {
					t.Errorf("%s.%s does not sort by bytes", table.Name, c.Name)
				}
				if strings.HasSuffix(c.Name, "_e8") && c.Type != store.TypeInt {
					t.Errorf("%s.%s is money in %s", table.Name, c.Name, c.Type)
				}
				if db.Engine() == store.Postgres && strings.HasSuffix(c.Name, "_at") && c.Type != store.TypeInstant {
					t.Errorf("%s.%s is a time in %s", table.Name, c.Name, c.Type)
				}
			}
		}
	})
}
