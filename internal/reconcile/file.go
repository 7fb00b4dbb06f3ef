package reconcile

import (
	"errors"
	"io"
	"slices"
	"strings"
	"unicode/utf8"

	"huoban/internal/fault"
	"huoban/internal/ingest"
	"huoban/internal/money"
)

// The bounds of a brought file.
const (
	MaxFile = 64 << 20
	maxRows = 2_000_000
	unpacks = 1 << 30
)

// Columns are those of a file that hold key and amount, by their headings. Several key columns are joined.
type Columns struct {
	Key    []string
	Amount string
}

// ReadFile adds the rows of a CSV file or workbook to a list. A row whose amount cannot be read refuses the file, with
// its line: a comparison that left rows out would not add up. Faults: those of ingest.Open,
// reconcile.column_missing, .amount_unreadable, .too_many_rows, .key_too_long.
func ReadFile(path string, cols Columns, into *Sorter) (err error) {
	d, err := ingest.OpenWithin([]string{path}, ingest.Limits{Bytes: unpacks, Parts: 1, Ratio: 1000})
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, d.Close()) }()
	rows, err := d.Parts[0].Rows()
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, rows.Close()) }()
	keys, amount, err := cols.find(rows.Header())
	if err != nil {
		return err
	}
	var rec ingest.Record
	for {
		err := rows.Next(&rec)
		var broken *ingest.RowError
		switch {
		case errors.Is(err, io.EOF):
			return nil
		case errors.As(err, &broken):
			return fault.Invalid("reconcile.row_unreadable", fault.Args{"line": rec.Line})
		case err != nil:
			return err
		}
		if into.rows >= maxRows {
			return fault.Invalid("reconcile.too_many_rows", fault.Args{"max": maxRows})
		}
		if err := addRow(&rec, keys, amount, into); err != nil {
			return err
		}
	}
}

func addRow(rec *ingest.Record, keys []int, amount int, into *Sorter) error {
	key, empty := keyOf(rec, keys)
	text := strings.TrimSpace(string(rec.Fields[amount]))
	if empty && text == "" {
		return nil // a row of nothing
	}
	x, err := money.ParseExact(plain(text))
	if err != nil {
		return fault.Invalid("reconcile.amount_unreadable", fault.Args{"line": rec.Line, "value": clip(text)})
	}
	return into.Add(key, x)
}

func keyOf(rec *ingest.Record, keys []int) (key string, empty bool) {
	parts := make([]string, len(keys))
	empty = true
	for i, k := range keys {
		// Files of the portal mark codes a spreadsheet would change by a tab behind them.
		parts[i] = strings.TrimSpace(strings.ToValidUTF8(string(rec.Fields[k]), "�"))
		empty = empty && parts[i] == ""
	}
	return strings.Join(parts, separator), empty
}

// separator joins the parts of a key.
const separator = " / "

// plain is a figure without what spreadsheets and this portal's own files put around it.
func plain(text string) string {
	text = strings.TrimLeft(text, "'¥$€￥ ")
	return strings.ReplaceAll(text, ",", "")
}

func clip(text string) string {
	if utf8.RuneCountInString(text) > 40 {
		return string([]rune(text)[:40]) + "…"
	}
	return text
}

// find gives the places of the columns. Fault: reconcile.column_missing.
func (c Columns) find(header []string) (keys []int, amount int, err error) {
	at := func(name string) (int, error) {
		i := slices.IndexFunc(header, func(h string) bool {
			return strings.EqualFold(strings.TrimSpace(strings.TrimPrefix(h, "\ufeff")), strings.TrimSpace(name))
		})
		if i < 0 {
			return 0, fault.Invalid("reconcile.column_missing", fault.Args{"column": clip(name), "columns": clip(strings.Join(header, ", "))})
		}
		return i, nil
	}
	if len(c.Key) == 0 {
		return nil, 0, fault.Invalid("reconcile.column_missing", fault.Args{"column": "", "columns": clip(strings.Join(header, ", "))})
	}
	for _, name := range c.Key {
		i, err := at(name)
		if err != nil {
			return nil, 0, err
		}
		keys = append(keys, i)
	}
	amount, err = at(c.Amount)
	return keys, amount, err
}
