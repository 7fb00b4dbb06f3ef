package transfer

import (
	"bufio"
	"context"
	"crypto/sha256"
	"database/sql"
	"encoding/binary"
	"encoding/hex"
	"fmt"
	"hash"
	"io"
	"math/big"
	"slices"
	"sort"
	"strings"
	"time"

	"huoban/internal/store"
)

// Kinds of a canonical value. Flags are whole numbers 0 and 1, instants are their fixed-width UTC text:
// what SQLite keeps anyway.
const (
	kindNull  = 0
	kindInt   = 1
	kindText  = 2
	kindBytes = 3
)

// maxValue bounds one value that is read back, against a damaged length.
const maxValue = 1 << 30

// AppendValue writes one value: a byte for its kind, then 8 bytes big-endian for a whole number, or the
// length as uvarint and the bytes.
func AppendValue(to []byte, v any) ([]byte, error) {
	switch v := v.(type) {
	case nil:
		return append(to, kindNull), nil
	case int64:
		return binary.BigEndian.AppendUint64(append(to, kindInt), uint64(v)), nil
	case string:
		return append(binary.AppendUvarint(append(to, kindText), uint64(len(v))), v...), nil
	case []byte:
		return append(binary.AppendUvarint(append(to, kindBytes), uint64(len(v))), v...), nil
	}
	return nil, fmt.Errorf("a %T has no canonical form", v)
}

// ReadValue reads what AppendValue wrote.
func ReadValue(r *bufio.Reader) (any, error) {
	kind, err := r.ReadByte()
	if err != nil {
		return nil, err
	}
	switch kind {
	case kindNull:
		return nil, nil
	case kindInt:
		var b [8]byte
		if _, err := io.ReadFull(r, b[:]); err != nil {
			return nil, err
		}
		return int64(binary.BigEndian.Uint64(b[:])), nil
	case kindText, kindBytes:
		n, err := binary.ReadUvarint(r)
		if err != nil {
			return nil, err
		}
		if n > maxValue {
			return nil, fmt.Errorf("a value of %d bytes", n)
		}
		b := make([]byte, n)
		if _, err := io.ReadFull(r, b); err != nil {
			return nil, err
		}
		if kind == kindText {
			return string(b), nil
		}
		return b, nil
	}
	return nil, fmt.Errorf("a value of kind %d", kind)
}

// canonical turns what a driver read into nil, int64, string or []byte.
func canonical(v any) (any, error) {
	switch v := v.(type) {
	case nil, int64, string:
		return v, nil
	case []byte:
		if v == nil { // SQLite's driver gives bytes of length 0, such as what the first audit row follows
			return []byte{}, nil
		}
		return v, nil
	case bool:
		if v {
			return int64(1), nil
		}
		return int64(0), nil
	case time.Time:
		return store.At(v).Value()
	}
	return nil, fmt.Errorf("a %T has no canonical form", v)
}

// Columns are a table's columns in canonical order.
func Columns(t store.Table) []string {
	out := make([]string, len(t.Columns))
	for i, c := range t.Columns {
		out[i] = c.Name
	}
	sort.Strings(out)
	return out
}

// Proof says what a table holds, in a form that is equal on both engines.
type Proof struct {
	Table  string            `json:"table"`
	Rows   int64             `json:"rows"`
	Sums   map[string]string `json:"sums,omitempty"` // of every column of money, as whole numbers of 1e-8
	Digest string            `json:"digest"`
}

func (p Proof) equal(q Proof) bool {
	if len(p.Sums) != len(q.Sums) {
		return false
	}
	for c, s := range p.Sums {
		if q.Sums[c] != s {
			return false
		}
	}
	return p.Table == q.Table && p.Rows == q.Rows && p.Digest == q.Digest
}

// Tally makes a Proof while rows pass.
type Tally struct {
	table   string
	columns []string
	hash    hash.Hash
	rows    int64
	money   map[int]*big.Int
	buffer  []byte
}

// NewTally begins a table with its columns in canonical order.
func NewTally(table string, columns []string) *Tally {
	t := &Tally{table: table, columns: columns, hash: sha256.New(), money: map[int]*big.Int{}}
	fmt.Fprintf(t.hash, "%s\n%s\n", table, strings.Join(columns, ","))
	for i, c := range columns {
		if strings.HasSuffix(c, "_e8") {
			t.money[i] = new(big.Int)
		}
	}
	return t
}

// Add takes the next row and gives its canonical bytes, which stay valid until the next call.
func (t *Tally) Add(row []any) ([]byte, error) {
	var err error
	t.buffer = t.buffer[:0]
	for i, v := range row {
		if t.buffer, err = AppendValue(t.buffer, v); err != nil {
			return nil, fmt.Errorf("%s.%s: %w", t.table, t.columns[i], err)
		}
		if n, isInt := v.(int64); isInt {
			if sum := t.money[i]; sum != nil {
				sum.Add(sum, big.NewInt(n))
			}
		}
	}
	t.hash.Write(t.buffer)
	t.rows++
	return t.buffer, nil
}

// Proof ends the table.
func (t *Tally) Proof() Proof {
	p := Proof{Table: t.table, Rows: t.rows, Digest: hex.EncodeToString(t.hash.Sum(nil))}
	for i, sum := range t.money {
		if p.Sums == nil {
			p.Sums = map[string]string{}
		}
		p.Sums[t.columns[i]] = sum.String()
	}
	return p
}

// Whole is one digest over the proofs of all tables, whatever their order.
func Whole(proofs []Proof) string {
	lines := make([]string, len(proofs))
	for i, p := range proofs {
		lines[i] = fmt.Sprintf("%s %d %s\n", p.Table, p.Rows, p.Digest)
	}
	slices.Sort(lines)
	sum := sha256.Sum256([]byte(strings.Join(lines, "")))
	return hex.EncodeToString(sum[:])
}

// Reader gives the rows of one table in canonical form and order.
type Reader struct {
	rows  *sql.Rows
	row   []any
	dest  []any
	Tally *Tally
}

// Read opens a table inside the transaction of ctx; no other statement of it may run before Close.
func Read(ctx context.Context, db *store.DB, t store.Table) (*Reader, error) {
	columns := Columns(t)
	order := ""
	if len(t.Key) > 0 {
		order = " ORDER BY " + strings.Join(t.Key, ", ")
	}
	q := store.Query{Name: "transfer " + t.Name, Text: "SELECT " + strings.Join(columns, ", ") + " FROM " + t.Name + order}
	rows, err := db.Query(ctx, q)
	if err != nil {
		return nil, err
	}
	r := &Reader{rows: rows, row: make([]any, len(columns)), dest: make([]any, len(columns)), Tally: NewTally(t.Name, columns)}
	for i := range r.dest {
		r.dest[i] = &r.row[i]
	}
	return r, nil
}

// Next gives the next row and its canonical bytes; the slices are used again. It gives nil at the end.
func (r *Reader) Next() (row []any, canon []byte, err error) {
	if !r.rows.Next() {
		return nil, nil, r.rows.Err()
	}
	if err := r.rows.Scan(r.dest...); err != nil {
		return nil, nil, err
	}
	for i, v := range r.row {
		if r.row[i], err = canonical(v); err != nil {
			return nil, nil, fmt.Errorf("%s.%s: %w", r.Tally.table, r.Tally.columns[i], err)
		}
	}
	canon, err = r.Tally.Add(r.row)
	return r.row, canon, err
}

// Close ends the reading.
func (r *Reader) Close() { r.rows.Close() }

// Prove reads a table through and gives its proof.
func Prove(ctx context.Context, db *store.DB, t store.Table) (Proof, error) {
	r, err := Read(ctx, db, t)
	if err != nil {
		return Proof{}, err
	}
	defer r.Close()
	for {
		row, _, err := r.Next()
		if err != nil {
			return Proof{}, err
		}
		if row == nil {
			return r.Tally.Proof(), nil
		}
	}
}
