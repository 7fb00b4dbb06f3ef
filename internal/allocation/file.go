package allocation

import (
	"errors"
	"io"
	"slices"
	"strings"

	"huoban/internal/fault"
	"huoban/internal/ingest"
)

// unpacked bounds what a file of rows holds.
const unpacked = 4 << 20

// columns are the headings of a file of rows, the first as the template has it.
var columns = [][]string{{"客户编码", "编码", "Customer code", "Code"}, {"金额", "Amount"}, {"备注", "Note", "Memo"}}

// ReadFile reads rows of code, amount and note from a CSV or a workbook; a note may be missing. What a row says is judged by
// Plan. Faults: those of ingest.OpenWithin, allocation.column_missing (column), .row_malformed (line), .rows_many, .rows_missing.
func ReadFile(path string) (out [][]string, err error) {
	d, err := ingest.OpenWithin([]string{path}, ingest.Limits{Bytes: unpacked, Parts: 1, Ratio: 1000})
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, d.Close()) }()
	rows, err := d.Parts[0].Rows()
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, rows.Close()) }()
	at := make([]int, len(columns))
	for i, names := range columns {
		at[i] = slices.IndexFunc(rows.Header(), func(h string) bool {
			return slices.ContainsFunc(names, func(n string) bool {
				return strings.EqualFold(n, strings.TrimSpace(strings.TrimPrefix(h, "\ufeff")))
			})
		})
		if at[i] < 0 && i < 2 {
			return nil, fault.Invalid("allocation.column_missing", fault.Args{"column": names[0]})
		}
	}
	var rec ingest.Record
	for {
		err := rows.Next(&rec)
		var broken *ingest.RowError
		switch {
		case errors.Is(err, io.EOF) && len(out) == 0:
			return nil, fault.Invalid("allocation.rows_missing", nil)
		case errors.Is(err, io.EOF):
			return out, nil
		case errors.As(err, &broken):
			return nil, fault.Invalid("allocation.row_malformed", fault.Args{"line": rec.Line})
		case err != nil:
			return nil, err
		case len(out) == MaxRows:
			return nil, fault.Invalid("allocation.rows_many", fault.Args{"limit": MaxRows, "count": MaxRows + 1})
		}
		row := make([]string, len(columns))
		for i, k := range at {
			if k >= 0 && k < len(rec.Fields) {
				row[i] = strings.TrimSpace(strings.ToValidUTF8(string(rec.Fields[k]), "\ufffd"))
			}
		}
		if strings.Join(row, "") != "" {
			out = append(out, row)
		}
	}
}
