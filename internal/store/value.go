package store

import (
	"database/sql"
	"database/sql/driver"
	"fmt"
	"strings"
	"time"
	"unicode/utf8"

	"huoban/internal/fault"
	"huoban/internal/money"
)

// instantForm is fixed in width, so that text order is time order on SQLite.
const instantForm = "2006-01-02T15:04:05.000000Z"

// Instant is how a point in time is written and read on both engines. A raw time.Time argument is
// refused by the store: SQLite's driver would keep it in a form that compares wrongly.
type Instant struct{ time.Time }

// At wraps t for writing.
func At(t time.Time) Instant { return Instant{t} }

// Value writes the fixed-width UTC text.
func (i Instant) Value() (driver.Value, error) {
	if i.IsZero() {
		return nil, nil
	}
	return string(i.AppendForm(nil)), nil
}

// AppendForm writes the fixed-width UTC text; time.AppendFormat takes three times as long.
func (i Instant) AppendForm(b []byte) []byte {
	t := i.UTC()
	year, month, day := t.Date()
	if year < 0 || year > 9999 {
		return t.AppendFormat(b, instantForm)
	}
	hour, minute, second := t.Clock()
	b = digits(b, year, 1000)
	b = digits(append(b, '-'), int(month), 10)
	b = digits(append(b, '-'), day, 10)
	b = digits(append(b, 'T'), hour, 10)
	b = digits(append(b, ':'), minute, 10)
	b = digits(append(b, ':'), second, 10)
	b = digits(append(b, '.'), t.Nanosecond()/1000, 100000)
	return append(b, 'Z')
}

// digits writes n, the first of its digits counting top.
func digits(b []byte, n, top int) []byte {
	for ; top > 0; top /= 10 {
		b = append(b, byte('0'+n/top%10))
	}
	return b
}

// Scan reads text (SQLite), time (PostgreSQL) or null (the zero time).
func (i *Instant) Scan(src any) error {
	switch v := src.(type) {
	case nil:
		i.Time = time.Time{}
	case time.Time:
		i.Time = v.UTC()
	case string:
		t, ok := parseInstant(v)
		if !ok {
			return fmt.Errorf("instant %q is not of the form %s", v, instantForm)
		}
		i.Time = t
	default:
		return fmt.Errorf("instant from %T", src)
	}
	return nil
}

// parseInstant reads the fixed-width form alone; time.Parse would be a tenth of a page's reading.
func parseInstant[T string | []byte](s T) (time.Time, bool) {
	if len(s) != len(instantForm) {
		return time.Time{}, false
	}
	var field [7]int
	at := 0
	for i := range len(s) {
		c, form := s[i], instantForm[i]
		switch {
		case form < '0' || form > '9':
			if c != form {
				return time.Time{}, false
			}
			at++
		case c < '0' || c > '9':
			return time.Time{}, false
		default:
			field[at] = field[at]*10 + int(c-'0')
		}
	}
	t := time.Date(field[0], time.Month(field[1]), field[2], field[3], field[4], field[5], field[6]*1000, time.UTC)
	// A date that does not exist comes back as another one.
	ok := t.Month() == time.Month(field[1]) && t.Day() == field[2] && t.Hour() == field[3] && t.Minute() == field[4] && t.Second() == field[5]
	return t, ok
}

// Decimal is how an exact decimal is written (canonical text) and read; null is absent, not zero.
type Decimal struct {
	money.Exact
	Valid bool
}

// Dec wraps a present decimal for writing.
func Dec(x money.Exact) Decimal { return Decimal{x, true} }

// OptDec wraps an optional decimal for writing.
func OptDec(x *money.Exact) Decimal {
	if x == nil {
		return Decimal{}
	}
	return Decimal{*x, true}
}

// Ptr gives the optional decimal.
func (d Decimal) Ptr() *money.Exact {
	if !d.Valid {
		return nil
	}
	x := d.Exact
	return &x
}

// Value writes canonical text or null.
func (d Decimal) Value() (driver.Value, error) {
	if !d.Valid {
		return nil, nil
	}
	return d.String(), nil
}

// Scan reads text or null.
func (d *Decimal) Scan(src any) error {
	switch v := src.(type) {
	case nil:
		*d = Decimal{}
		return nil
	case string:
		x, err := money.ParseExact(v)
		if err != nil {
			return fmt.Errorf("decimal %q: %w", v, err)
		}
		*d = Decimal{x, true}
		return nil
	}
	return fmt.Errorf("decimal from %T", src)
}

// refuseRaw finds arguments that the engines would keep each in its own way: times, whose text form on
// SQLite compares wrongly with what Instant wrote, binary fractions, which PostgreSQL rounds, and broken
// text, which PostgreSQL refuses. Fault: store.text_refused.
func refuseRaw(q Query, args []any) error {
	for i, a := range args {
		if rawTime(a) {
			return fmt.Errorf("%s: argument %d is a raw %T; wrap it in store.At", q.Name, i+1, a)
		}
		switch a := a.(type) {
		case string:
			if !plainText(a) {
				return fault.Invalid("store.text_refused", nil).Because(fmt.Errorf("%s: argument %d is not UTF-8 text", q.Name, i+1))
			}
		case float32, float64, *float32, *float64:
			return fmt.Errorf("%s: argument %d is a %T; amounts are whole numbers or Decimal", q.Name, i+1, a)
		}
	}
	return nil
}

// plainText tells whether both engines keep the text: valid UTF-8 without the zero character.
func plainText(s string) bool { return utf8.ValidString(s) && strings.IndexByte(s, 0) < 0 }

func rawTime(a any) bool {
	switch a.(type) {
	case time.Time, *time.Time, sql.NullTime, *sql.NullTime:
		return true
	}
	return false
}
