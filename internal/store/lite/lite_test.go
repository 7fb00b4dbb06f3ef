package lite_test

import (
	"context"
	"database/sql"
	"errors"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"huoban/internal/store/lite"
)

func open(t *testing.T, pragmas ...string) *lite.Conn {
	t.Helper()
	c, err := lite.Open("file:"+filepath.Join(t.TempDir(), "x.db"), pragmas)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := c.Close(); err != nil {
			t.Error(err)
		}
	})
	return c
}

// TestValues: what is bound comes back as it was, empty, long and hostile texts too, and the same statement
// may be bound again.
func TestValues(t *testing.T) {
	c := open(t)
	st, err := c.Prepare("select $2, $1, $3, $2")
	if err != nil {
		t.Fatal(err)
	}
	defer st.Close()
	long := strings.Repeat("长", 100_000)
	for _, row := range [][]any{
		{int64(-1 << 63), "a", []byte{0, 1, 255}}, {nil, "", []byte{}}, {1.5, long, []byte(long)}, {int64(7), "nul\x00inside", nil}, {"短", "b", []byte(nil)},
	} {
		if err := st.Bind(row...); err != nil {
			t.Fatal(err)
		}
		if more, err := st.Step(); err != nil || !more {
			t.Fatal(more, err)
		}
		if st.Value(0) != row[1] || st.Value(1) != row[0] || st.Value(3) != row[1] || string(st.View(0)) != row[1] {
			t.Errorf("%.40v came back as %.40v, %.40v", row, st.Value(1), st.Value(0))
		}
		b, isBytes := row[2].([]byte)
		if got, _ := st.Value(2).([]byte); !slices.Equal(got, b) || st.Null(2) != (!isBytes || b == nil) {
			t.Errorf("%.40v came back as %.40v", row[2], st.Value(2))
		}
		if more, err := st.Step(); err != nil || more {
			t.Fatal(more, err)
		}
		st.Reset()
	}
	if err := st.Bind(int64(1)); err == nil {
		t.Error("a missing argument was not missed")
	}
	if err := st.Bind(time.Time{}, "", nil); err == nil {
		t.Error("a time was bound")
	}
}

// form is longer than the rest of what is bound.
type form struct{}

func (form) AppendForm(b []byte) []byte { return append(b, strings.Repeat("f", 60)...) }

// TestFormsAndRuns: texts that write themselves stand between others without touching them; a statement that
// failed runs again as if nothing had been.
func TestFormsAndRuns(t *testing.T) {
	c := open(t)
	if err := c.Exec("create table t (a text, b text, c text, d blob, n integer primary key check (n > 0)) strict"); err != nil {
		t.Fatal(err)
	}
	put, err := c.Prepare("insert into t (a, b, c, d, n) values ($1, $2, $1, $3, $4)")
	if err != nil {
		t.Fatal(err)
	}
	defer put.Close()
	for n := range int64(20) {
		if err := put.Bind(form{}, strings.Repeat("b", int(n*97)), []byte{byte(n), 0}, n); err != nil {
			t.Fatal(err)
		}
		if rows, err := put.Run(); (err != nil) != (n == 0) || err == nil && rows != 1 {
			t.Fatal(n, rows, err)
		}
	}
	get, err := c.Prepare("select a = $1 and c = $1 and b = replace(hex(zeroblob(n * 97)), '00', 'b') and hex(d) = printf('%02X00', n) from t")
	if err != nil {
		t.Fatal(err)
	}
	defer get.Close()
	if err := get.Bind(form{}); err != nil {
		t.Fatal(err)
	}
	rows := 0
	for more, err := get.Step(); more; more, err = get.Step() {
		if rows++; err != nil || get.Int(0) != 1 {
			t.Fatal(rows, err)
		}
	}
	get.Reset()
	if rows != 19 {
		t.Fatalf("%d rows", rows)
	}
	all, err := c.Prepare("update t set a = ''")
	if err != nil {
		t.Fatal(err)
	}
	defer all.Close()
	if n, err := all.Run(); n != 19 || err != nil {
		t.Fatal(n, err)
	}
}

func TestErrors(t *testing.T) {
	c := open(t)
	if err := c.Exec("create table t (n integer primary key, s text check (s <> '')) strict; insert into t values (1, 'a')"); err != nil {
		t.Fatal(err)
	}
	for text, code := range map[string]int{"insert into t values (1, 'b')": 1555, "insert into t values (2, '')": 275, "select abs(-9223372036854775807 - 1)": 1} {
		st, err := c.Prepare(text)
		if err != nil {
			t.Fatal(err)
		}
		_, err = st.Step()
		var e *lite.Error
		if !errors.As(err, &e) || e.Code != code {
			t.Errorf("%s: %v", text, err)
		}
		if err := st.Close(); err != nil {
			t.Error(err)
		}
	}
	for _, text := range []string{"select nothing", "select 1; select 2", "", "-- nothing"} {
		if _, err := c.Prepare(text); err == nil {
			t.Errorf("%q was prepared", text)
		}
	}
	if _, err := lite.Open("file:"+filepath.Join(t.TempDir(), "absent", "x.db"), nil); err == nil {
		t.Error("a file in no folder was opened")
	}
}

// TestDriver: database/sql reads and writes through the same calls, and a context that ends stops a query
// without harm to the next one.
func TestDriver(t *testing.T) {
	db := sql.OpenDB(lite.Connector{Address: "file:" + filepath.Join(t.TempDir(), "x.db"), Pragmas: []string{"journal_mode(WAL)"}})
	defer db.Close()
	db.SetMaxOpenConns(1)
	if _, err := db.ExecContext(t.Context(), "create table t (n integer, s text, b blob)"); err != nil {
		t.Fatal(err)
	}
	res, err := db.ExecContext(t.Context(), "insert into t values ($1, $2, $3), (2, null, null)", true, "x", []byte("y"))
	if err != nil {
		t.Fatal(err)
	}
	if n, err := res.RowsAffected(); n != 2 || err != nil {
		t.Error(n, err)
	}
	var n int64
	var s sql.NullString
	var b []byte
	if err := db.QueryRowContext(t.Context(), "select n, s, b from t where n = $1", 1).Scan(&n, &s, &b); err != nil || n != 1 || s.String != "x" || string(b) != "y" {
		t.Error(n, s, b, err)
	}
	tx, err := db.BeginTx(t.Context(), nil)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := tx.ExecContext(t.Context(), "delete from t"); err != nil {
		t.Fatal(err)
	}
	if err := tx.Rollback(); err != nil {
		t.Fatal(err)
	}
	endless := "with recursive c(x) as (select 1 union all select x + 1 from c) select count(*) from c"
	for range 3 {
		ctx, cancel := context.WithTimeout(t.Context(), 20*time.Millisecond)
		if err := db.QueryRowContext(ctx, endless).Scan(&n); !errors.Is(err, context.DeadlineExceeded) {
			t.Error(err)
		}
		if _, err := db.ExecContext(ctx, endless); !errors.Is(err, context.DeadlineExceeded) {
			t.Error(err)
		}
		cancel()
		if err := db.QueryRowContext(t.Context(), "select count(*) from t").Scan(&n); err != nil || n != 2 {
			t.Error(n, err)
		}
	}
}
