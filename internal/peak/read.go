package peak

import (
	"bytes"
	"slices"
	"strings"
	"time"

	"github.com/shopspring/decimal"

	"huoban/internal/cycle"
	"huoban/internal/fault"
	"huoban/internal/ingest"
	"huoban/internal/money"
)

// Columns of a file of points, in the order the documentation names them. Their spellings are compared without case, spaces
// and punctuation.
const (
	colCustomer = iota
	colAccount
	colProduct
	colResource
	colName
	colRegion
	colUsage
	colTime
	colValue
	colUnit
	colPrice
	colCurrency
	colDiscount
	colGuaranteed
	columns
)

var spellings = [columns][]string{{"customer", "客户编码"}, {"account", "sub_account", "客户账号"}, {"product", "云服务类型", "产品"}, {"resource_id", "资源ID"},
	{"resource_name", "资源名称"}, {"region", "区域"}, {"usage_type", "使用量类型"}, {"time", "采集时间"}, {"value", "带宽"}, {"unit", "单位"}, {"unit_price", "单价"},
	{"currency", "币种"}, {"discount", "折扣"}, {"guaranteed", "保底带宽"}}

// needed are the columns without which nothing can be read; of customer and account one is needed too.
var needed = []int{colProduct, colResource, colUsage, colTime, colValue, colUnit}

// maxCell is as long as a cell that names something may be.
const maxCell = 200

func plain(cell string) string {
	return strings.Map(func(r rune) rune {
		if strings.ContainsRune(" _-/.()（）", r) {
			return -1
		}
		return r
	}, strings.ToLower(cell))
}

// Columns finds the columns of a header. Faults: peak.column_missing, peak.column_twice.
func readHeader(cells []string) (at [columns]int, err error) {
	for c := range at {
		at[c] = -1
		for i, cell := range cells {
			if !slices.ContainsFunc(spellings[c], func(s string) bool { return plain(s) == plain(cell) }) {
				continue
			}
			if at[c] >= 0 {
				return at, fault.Invalid("peak.column_twice", fault.Args{"column": spellings[c][0]})
			}
			at[c] = i
		}
	}
	missing := []string{}
	if at[colCustomer] < 0 && at[colAccount] < 0 {
		missing = append(missing, spellings[colCustomer][0])
	}
	for _, c := range needed {
		if at[c] < 0 {
			missing = append(missing, spellings[c][0])
		}
	}
	if len(missing) > 0 {
		return at, fault.Invalid("peak.column_missing", fault.Args{"columns": strings.Join(missing, ", ")})
	}
	return at, nil
}

// row is a record of a file of points; its cells are valid until the next one.
type row struct {
	cells [columns][]byte
	at    time.Time
	slot  int
	date  string // of GMT+8

	coefficient int64
	scale       uint8
}

// rowError is why a row cannot be read.
type rowError struct {
	column int
	value  string
	code   string
	args   fault.Args
}

func (e *rowError) Error() string { return e.code + " " + e.value }

func wrong(column int, cell []byte, code string) *rowError {
	text := strings.ToValidUTF8(string(cell[:min(len(cell), maxCell)]), "\uFFFD")
	return &rowError{column, text, code, fault.Args{"column": spellings[column][0], "value": text}}
}

// reader takes rows of points out of a table.
type reader struct {
	rows ingest.Rows
	at   [columns]int
	rec  ingest.Record
	day  struct { // of the row before: files stand in order of time
		from, to time.Time
		date     string
	}
}

func newReader(rows ingest.Rows) (*reader, error) {
	at, err := readHeader(rows.Header())
	return &reader{rows: rows, at: at}, err
}

// next reads a row; an error of type *rowError is of this row alone.
func (r *reader) next(into *row, now time.Time) error {
	if err := r.rows.Next(&r.rec); err != nil {
		return err
	}
	for c, i := range r.at {
		into.cells[c] = nil
		if i >= 0 {
			into.cells[c] = bytes.TrimSpace(r.rec.Fields[i])
		}
	}
	for _, c := range needed {
		if len(into.cells[c]) == 0 {
			return wrong(c, nil, "peak.cell_empty")
		}
	}
	for c, cell := range into.cells {
		if len(cell) > maxCell {
			return wrong(c, cell, "peak.cell_long")
		}
	}
	if len(into.cells[colCustomer]) == 0 && len(into.cells[colAccount]) == 0 {
		return wrong(colCustomer, nil, "peak.cell_empty")
	}
	if err := r.when(into, now); err != nil {
		return err
	}
	return readPoint(into)
}

// when reads the instant of a point: it begins one of the day's 288 intervals in GMT+8.
func (r *reader) when(into *row, now time.Time) error {
	cell := into.cells[colTime]
	at, ok := ingest.ParseInstant(cell, cycle.Zone)
	switch {
	case !ok:
		return wrong(colTime, cell, "peak.time_malformed")
	case at.Sub(at.Truncate(Interval)) != 0:
		return wrong(colTime, cell, "peak.time_off_grid")
	case at.After(now.Add(time.Hour)):
		return wrong(colTime, cell, "peak.time_ahead")
	}
	if at.Before(r.day.from) || !at.Before(r.day.to) {
		y, m, d := at.In(cycle.Zone).Date()
		r.day.from = time.Date(y, m, d, 0, 0, 0, 0, cycle.Zone)
		r.day.to, r.day.date = r.day.from.AddDate(0, 0, 1), r.day.from.Format(time.DateOnly)
	}
	into.at, into.date, into.slot = at, r.day.date, int(at.Sub(r.day.from)/Interval)
	return nil
}

// readPoint reads the figure: not below zero, and of no more digits than a day can hold.
func readPoint(into *row) error {
	cell := into.cells[colValue]
	c, scale, ok := digitsOf(cell)
	if ok {
		into.coefficient, into.scale = c, scale
		return nil
	}
	x, err := money.ParseExactBytes(cell)
	if err != nil {
		return wrong(colValue, cell, "peak.value_malformed")
	}
	if x.Sign() < 0 {
		return wrong(colValue, cell, "peak.value_negative")
	}
	d := x.Decimal()
	if d.Exponent() > 0 {
		d = decimal.NewFromBigInt(d.BigInt(), 0)
	}
	if d.NumDigits() > maxDigits || -d.Exponent() > maxScale {
		return wrong(colValue, cell, "peak.value_long")
	}
	into.coefficient, into.scale = d.CoefficientInt64(), uint8(-d.Exponent())
	return nil
}

// digitsOf reads digits with an optional point, which nearly every point is; false for all else.
func digitsOf(cell []byte) (c int64, scale uint8, ok bool) {
	point := false
	for i, b := range cell {
		switch {
		case b >= '0' && b <= '9':
			c = c*10 + int64(b-'0')
			if point {
				scale++
			}
		case b == '.' && !point && i > 0 && i < len(cell)-1:
			point = true
		default:
			return 0, 0, false
		}
	}
	return c, scale, len(cell) > 0 && len(cell) <= maxDigits && scale <= maxScale
}

// price reads what the row says of the price; a column that is absent says nothing.
func (r *row) price() (p Price, err error) {
	for c, into := range map[int]**money.Exact{colPrice: &p.Unit, colDiscount: &p.Discount, colGuaranteed: &p.Guaranteed} {
		cell := r.cells[c]
		if len(cell) == 0 {
			continue
		}
		x, err := money.ParseExactBytes(cell)
		if err != nil || x.Sign() < 0 {
			return p, wrong(c, cell, "peak.value_malformed")
		}
		*into = &x
	}
	if cell := r.cells[colCurrency]; len(cell) > 0 {
		if p.Currency = string(cell); !money.KnownCurrency(p.Currency) {
			return p, wrong(colCurrency, cell, "peak.currency_unknown")
		}
	}
	if p.Unit != nil && p.Currency == "" {
		return p, wrong(colCurrency, nil, "peak.cell_empty")
	}
	return p, nil
}
