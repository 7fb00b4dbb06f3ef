package store

import (
	"slices"
	"testing"
)

func TestPositional(t *testing.T) {
	for _, c := range []struct {
		text, want string
		order      []int
	}{
		{"insert into t values ($1, $2)", "insert into t values (?, ?)", nil},
		{"update t set a = $2, b = $10 where id = $1 and c = $2", "update t set a = ?, b = ? where id = ? and c = ?", []int{1, 9, 0, 1}},
		{"-- it's $1\nselect '$1 it''s', \"$2\", $1", "-- it's $1\nselect '$1 it''s', \"$2\", ?", nil},
		{"select '$', $x, $", "select '$', $x, $", nil},
		{"select $1 -- $2", "select ? -- $2", nil},
		{"select 'open $1", "select 'open $1", nil},
		{"select $2", "select ?", []int{1}},
		{"COMMIT", "COMMIT", nil},
	} {
		got, order := positional(c.text)
		if got != c.want || !slices.Equal(order, c.order) {
			t.Errorf("%q: %q %v", c.text, got, order)
		}
	}
	queries, _ := All()
	for _, q := range queries {
		if got, _ := positional(q.Text); len(got) > len(q.Text) {
			t.Errorf("%s grew", q.Name)
		}
	}
}
