package store_test

import (
	"context"
	"database/sql"
	"fmt"
	"math"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	"huoban/internal/fault"
	"huoban/internal/money"
	"huoban/internal/store"
	"huoban/internal/store/storetest"
)

var noteIDs = store.Query{Name: "note.IDs", Text: "SELECT id FROM note ORDER BY id"}

func ids(t *testing.T, db *store.DB, q store.Query, args ...any) (out []string) {
	t.Helper()
	err := db.Each(t.Context(), q, args, func(rows *sql.Rows) error {
		var id string
		err := rows.Scan(&id)
		out = append(out, id)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return out
}

func put(t *testing.T, db *store.DB, text string, rows ...[]any) {
	t.Helper()
	err := db.InTx(t.Context(), func(ctx context.Context) error {
		for _, row := range rows {
			if _, err := db.Exec(ctx, store.Query{Name: "note.Put", Text: text}, row...); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
}

// TestInstants writes times of several zones and fractions and wants their order and equality, by both
// ways of writing.
func TestInstants(t *testing.T) {
	shanghai := time.FixedZone("GMT+8", 8*3600)
	base := time.Date(2024, 9, 30, 16, 0, 0, 0, time.UTC)
	times := []time.Time{base.Add(-time.Microsecond), base, base.Add(time.Microsecond), base.Add(10 * time.Microsecond).In(shanghai),
		base.Add(time.Second), base.Add(time.Hour).In(shanghai), base.AddDate(7975, 0, 0), time.Date(1, 1, 2, 0, 0, 0, 0, time.UTC)}
	withNotes(t, func(t *testing.T, db *store.DB) {
		for i, at := range times {
			if i%2 == 0 {
				put(t, db, addNote.Text, []any{fmt.Sprint(i), 0, store.At(at)})
				continue
			}
			err := db.InTx(t.Context(), func(ctx context.Context) error {
				given := false
				_, err := db.Bulk(ctx, "note", []string{"id", "amount_e8", "at"}, func() ([]any, bool, error) {
					more := !given
					given = true
					return []any{fmt.Sprint(i), 0, store.At(at)}, more, nil
				})
				return err
			})
			if err != nil {
				t.Fatal(err)
			}
		}
		ordered := store.Query{Name: "note.ByTime", Text: "SELECT id FROM note ORDER BY at"}
		if got := ids(t, db, ordered); !slices.Equal(got, []string{"7", "0", "1", "2", "3", "4", "5", "6"}) {
			t.Errorf("order %v", got)
		}
		for i, at := range times {
			same := store.Query{Name: "note.At", Text: "SELECT id FROM note WHERE at = $1"}
			if got := ids(t, db, same, store.At(at.In(shanghai))); !slices.Equal(got, []string{fmt.Sprint(i)}) {
				t.Errorf("%v is found as %v", at, got)
			}
			var back store.Instant
			one := store.Query{Name: "note.Time", Text: "SELECT at FROM note WHERE id = $1"}
			if err := db.Row(t.Context(), one, "note.none", []any{fmt.Sprint(i)}, &back); err != nil || !back.Equal(at) || back.Location() != time.UTC {
				t.Errorf("%v came back as %v: %v", at, back, err)
			}
		}
		before := store.Query{Name: "note.Before", Text: "SELECT count(*) FROM note WHERE at < $1"}
		var n int
		if err := db.Row(t.Context(), before, "note.none", []any{store.At(base)}, &n); err != nil || n != 2 {
			t.Errorf("%d before: %v", n, err)
		}
	})
}

func TestInstantText(t *testing.T) {
	for _, s := range []string{"2024-02-29T23:59:59.999999Z", "0001-01-01T00:00:00.000001Z", "9999-12-31T00:00:00.000000Z"} {
		var at store.Instant
		if err := at.Scan(s); err != nil {
			t.Error(err)
		}
		if v, err := at.Value(); v != s || err != nil {
			t.Errorf("%s came back as %v: %v", s, v, err)
		}
	}
	for _, s := range []string{"", "2023-02-29T00:00:00.000000Z", "2024-13-01T00:00:00.000000Z", "2024-01-01T24:00:00.000000Z",
		"2024-01-01T00:00:60.000000Z", "2024-01-01 00:00:00.000000Z", "2024-01-01T00:00:00Z", "2024-01-01T00:00:00.000000+", "2024-0x-01T00:00:00.000000Z"} {
		var at store.Instant
		if err := at.Scan(s); err == nil {
			t.Errorf("%q was taken as %v", s, at)
		}
	}
}

func TestTextOrderIsBinary(t *testing.T) {
	texts := []string{"", " ", "10", "9", "Z", "a", "a b", "ab", "Ä", "é", "中", "伙", "🐼"}
	slices.Sort(texts)
	withNotes(t, func(t *testing.T, db *store.DB) {
		for _, s := range slices.Backward(texts) {
			put(t, db, addNote.Text, []any{s, 0, nil})
		}
		if got := ids(t, db, noteIDs); !slices.Equal(got, texts) {
			t.Errorf("order %q", got)
		}
	})
}

func TestNullsOrderWhereSaid(t *testing.T) {
	withNotes(t, func(t *testing.T, db *store.DB) {
		put(t, db, addNote.Text, []any{"none", 0, store.Instant{}}, []any{"late", 0, store.At(time.Unix(2, 0))}, []any{"early", 0, store.At(time.Unix(1, 0))})
		for text, want := range map[string][]string{
			"SELECT id FROM note ORDER BY at NULLS FIRST":      {"none", "early", "late"},
			"SELECT id FROM note ORDER BY at NULLS LAST":       {"early", "late", "none"},
			"SELECT id FROM note ORDER BY at DESC NULLS LAST":  {"late", "early", "none"},
			"SELECT id FROM note ORDER BY at DESC NULLS FIRST": {"none", "late", "early"},
		} {
			if got := ids(t, db, store.Query{Name: "note.Nulls", Text: text}); !slices.Equal(got, want) {
				t.Errorf("%s: %v", text, got)
			}
		}
	})
}

// TestStrangeTypesAreRefused writes what a column is not made for: plain SQLite would keep it.
func TestStrangeTypesAreRefused(t *testing.T) {
	withNotes(t, func(t *testing.T, db *store.DB) {
		for name, row := range map[string][]any{
			"text in an amount":      {"a", "abc", nil},
			"fraction in an amount":  {"a", 1.5, nil},
			"null in an amount":      {"a", nil, nil},
			"negative by the check":  {"a", -1, nil},
			"null key":               {nil, 1, nil},
			"more than the range":    {"a", "9223372036854775808", nil},
			"text that is no number": {"a", "", nil},
		} {
			err := db.InTx(t.Context(), func(ctx context.Context) error {
				_, err := db.Exec(ctx, addNote, row...)
				return err
			})
			if err == nil {
				t.Errorf("%s was taken", name)
			}
		}
		if n := count(t, db); n != 0 {
			t.Errorf("%d notes", n)
		}
	})
}

func TestBrokenTextIsRefused(t *testing.T) {
	withNotes(t, func(t *testing.T, db *store.DB) {
		for _, text := range []string{"a\x00b", "\xff", "a\xc3"} {
			for name, write := range map[string]func(ctx context.Context) error{
				"exec": func(ctx context.Context) error { return add(ctx, db, text) },
				"bulk": func(ctx context.Context) error {
					given := false
					_, err := db.Bulk(ctx, "note", []string{"id", "amount_e8"}, func() ([]any, bool, error) {
						more := !given
						given = true
						return []any{text, 1}, more, nil
					})
					return err
				},
			} {
				if err := db.InTx(t.Context(), write); !fault.HasCode(err, "store.text_refused") {
					t.Errorf("%s of %q: %v", name, text, err)
				}
			}
		}
		if n := count(t, db); n != 0 {
			t.Errorf("%d notes", n)
		}
	})
}

func TestRangeOfAmounts(t *testing.T) {
	withNotes(t, func(t *testing.T, db *store.DB) {
		put(t, db, addNote.Text, []any{"max", int64(math.MaxInt64), nil}, []any{"zero", money.Amount(0), nil})
		var sum int64
		if err := db.Row(t.Context(), sumNote, "note.none", nil, &sum); err != nil || sum != math.MaxInt64 {
			t.Fatalf("sum %d: %v", sum, err)
		}
		put(t, db, addNote.Text, []any{"one", 1, nil})
		if err := db.Row(t.Context(), sumNote, "note.none", nil, &sum); err == nil {
			t.Fatalf("a sum beyond the range came back as %d", sum)
		}
	})
}

// TestLibcPin fails when the driver's version moves and the check-up does not.
func TestLibcPin(t *testing.T) {
	path, err := exec.CommandContext(t.Context(), "go", "list", "-m", "-f", "{{.GoMod}}", "modernc.org/sqlite").Output()
	if err != nil {
		t.Fatal(err)
	}
	body, err := os.ReadFile(strings.TrimSpace(string(path)))
	if err != nil {
		t.Fatal(err)
	}
	want := regexp.MustCompile(`modernc\.org/libc (v\S+)`).FindSubmatch(body)
	list, err := storetest.SQLite(t).Doctor(t.Context(), false)
	if err != nil || want == nil {
		t.Fatal(err)
	}
	for _, f := range list {
		if f.Code == "doctor.libc" && f.Args["want"] != string(want[1]) {
			t.Errorf("the check-up wants %v, the driver %s", f.Args["want"], want[1])
		}
	}
}

// TestDurable: a database waits for the disk unless it is opened to be thrown away, and the doctor sees it.
func TestDurable(t *testing.T) {
	for _, c := range []struct {
		options []store.Option
		want    store.Level
	}{{nil, store.LevelOK}, {[]store.Option{store.Unsafe()}, store.LevelError}} {
		db, err := store.Open(t.Context(), filepath.Join(t.TempDir(), "portal.db"), c.options...)
		if err != nil {
			t.Fatal(err)
		}
		defer db.Close()
		list, err := db.Doctor(t.Context(), false)
		if i := slices.IndexFunc(list, func(f store.Finding) bool { return f.Code == "doctor.synchronous" }); err != nil || i < 0 || list[i].Level != c.want {
			t.Errorf("%+v %v", list, err)
		}
	}
}

func TestDoctor(t *testing.T) {
	withNotes(t, func(t *testing.T, db *store.DB) {
		look := func() map[string]store.Finding {
			out := map[string]store.Finding{}
			list, err := db.Doctor(t.Context(), true)
			if err != nil {
				t.Fatal(err)
			}
			for _, f := range list {
				out[f.Code] = f
			}
			return out
		}
		for code, f := range look() {
			// The first depends on the build, the others on databases of tests, which may go without.
			if f.Level != store.LevelOK && code != "doctor.libc" && code != "doctor.fsync" && code != "doctor.synchronous" {
				t.Errorf("%+v", f)
			}
		}
		put(t, db, addNote.Text, []any{"max", int64(math.MaxInt64/10 + 1), nil})
		if f := look()["doctor.range"]; f.Level != store.LevelWarning || fmt.Sprint(f.Args) != fmt.Sprint(fault.Args{"table": "note", "column": "amount_e8"}) {
			t.Errorf("%+v", f)
		}
	})
}

// TestInstantForm: the hand-written form is that of the layout for every part of an instant.
func TestInstantForm(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		at := time.Unix(rapid.Int64Range(-62135596800, 253402300799).Draw(t, "seconds"), rapid.Int64Range(0, 999999999).Draw(t, "nanoseconds")).
			In(time.FixedZone("", rapid.IntRange(-50000, 50000).Draw(t, "zone")))
		got, err := store.At(at).Value()
		if want := at.UTC().Format("2006-01-02T15:04:05.000000Z"); err != nil || got != want && !at.IsZero() {
			t.Fatalf("%v for %s: %v", got, want, err)
		}
	})
}
