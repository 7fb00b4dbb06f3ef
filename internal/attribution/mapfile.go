package attribution

import (
	"encoding/csv"
	"errors"
	"io"
	"strings"
	"time"

	"huoban/internal/customer"
	"huoban/internal/fault"
	"huoban/internal/usage"
)

// Header is the first row of a map file.
var Header = []string{"source", "key", "customer", "partner", "association", "valid_from", "valid_to"}

// mapRow is one row of a map file as written.
type mapRow struct {
	line                                     int
	source, key, customer, partner, relation string
	fromText, toText                         string
	kind                                     KeyKind
	from, to                                 time.Time
}

// rowFault is a reason that names its row.
func (r *mapRow) fault(code string, args fault.Args) *fault.Error {
	if args == nil {
		args = fault.Args{}
	}
	args["line"] = r.line
	return fault.Invalid(code, args)
}

// readMap reads a map file. Faults: attribution.map_unreadable, attribution.map_header.
func readMap(in io.Reader) ([]mapRow, error) {
	cr := csv.NewReader(in)
	cr.FieldsPerRecord = -1
	head, err := cr.Read()
	if errors.Is(err, io.EOF) {
		return nil, fault.Invalid("attribution.map_header", fault.Args{"column": Header[0]})
	}
	if err != nil {
		return nil, fault.Invalid("attribution.map_unreadable", fault.Args{"line": 1}).Because(err)
	}
	at := map[string]int{}
	for i, cell := range head {
		at[strings.ToLower(strings.TrimSpace(strings.TrimPrefix(cell, "\ufeff")))] = i
	}
	for _, need := range Header[:3] {
		if _, ok := at[need]; !ok {
			return nil, fault.Invalid("attribution.map_header", fault.Args{"column": need})
		}
	}
	var rows []mapRow
	for {
		rec, err := cr.Read()
		if errors.Is(err, io.EOF) {
			return rows, nil
		}
		if err != nil {
			line := len(rows) + 2
			var bad *csv.ParseError
			if errors.As(err, &bad) {
				line = bad.Line
			}
			return nil, fault.Invalid("attribution.map_unreadable", fault.Args{"line": line}).Because(err)
		}
		line, _ := cr.FieldPos(0)
		cell := func(name string) string {
			if i, ok := at[name]; ok && i < len(rec) {
				return strings.TrimSpace(rec[i])
			}
			return ""
		}
		rows = append(rows, mapRow{line: line, source: cell("source"), key: cell("key"), customer: cell("customer"), partner: cell("partner"),
			relation: cell("association"), fromText: cell("valid_from"), toText: cell("valid_to")})
	}
}

// check reads what a row means by itself; times without zone are in the source's.
func (r *mapRow) check(zone *time.Location) *fault.Error {
	if r.key == "" {
		return r.fault("attribution.row_key_missing", nil)
	}
	r.kind = KeyPlain
	if name, value, ok := strings.Cut(r.key, "="); ok && (usage.KnownColumn(name) || looksLikeColumn(name)) {
		if !usage.KnownColumn(name) || value == "" {
			return r.fault("attribution.row_column_unknown", fault.Args{"column": name})
		}
		r.kind = KeyExplicit
	}
	var bad *fault.Error
	if r.from, bad = r.date(r.fromText, zone); bad != nil {
		return bad
	}
	if r.to, bad = r.date(r.toText, zone); bad != nil {
		return bad
	}
	if !r.from.Before(endOf(r.to)) {
		return r.fault("attribution.row_interval_empty", fault.Args{"from": r.fromText, "to": r.toText})
	}
	switch customer.Kind(r.relation) {
	case "", customer.KindResale, customer.KindReferral:
	default:
		return r.fault("attribution.row_association_unknown", fault.Args{"value": r.relation})
	}
	if r.customer == "" {
		r.customer, r.relation = r.partner, "" // the partner's own consumption; both empty unmaps
	}
	if r.customer == r.partner {
		r.relation = ""
	} else if r.partner != "" && r.relation == "" {
		return r.fault("attribution.row_association_missing", fault.Args{"partner": r.partner})
	}
	return nil
}

// looksLikeColumn tells a mistyped column name from an account that has "=" in it.
func looksLikeColumn(name string) bool {
	if name == "" || name[0] < 'A' || name[0] > 'Z' {
		return false
	}
	for _, c := range name {
		if (c < 'a' || c > 'z') && (c < 'A' || c > 'Z') && c != '.' && c != '_' {
			return false
		}
	}
	return true
}

var dateForms = []string{"2006-01-02", "2006-01", "2006-01-02T15:04:05"}

func (r *mapRow) date(text string, zone *time.Location) (time.Time, *fault.Error) {
	if text == "" {
		return time.Time{}, nil
	}
	if t, err := time.Parse(time.RFC3339, text); err == nil {
		return t.UTC().Truncate(time.Microsecond), nil
	}
	for _, form := range dateForms {
		if t, err := time.ParseInLocation(form, text, zone); err == nil {
			return t.UTC(), nil
		}
	}
	return time.Time{}, r.fault("attribution.row_date_malformed", fault.Args{"value": text})
}

// dateText writes an instant so that it is read back in the zone.
func dateText(t time.Time, zone *time.Location) string {
	if t.IsZero() {
		return ""
	}
	local := t.In(zone)
	if local.Equal(time.Date(local.Year(), local.Month(), local.Day(), 0, 0, 0, 0, zone)) {
		return local.Format("2006-01-02")
	}
	return t.UTC().Format(time.RFC3339Nano)
}

// clashes refuses rows of one file that give one key two customers at one instant.
func clashes(rows []*mapRow) []*fault.Error {
	var out []*fault.Error
	byKey := map[string][]*mapRow{}
	for _, r := range rows {
		k := r.source + "\x00" + string(r.kind) + "\x00" + r.key
		for _, o := range byKey[k] {
			if r.from.Before(endOf(o.to)) && o.from.Before(endOf(r.to)) && (r.customer != o.customer || r.partner == o.partner) {
				out = append(out, r.fault("attribution.row_overlap", fault.Args{"other": o.line, "key": r.key}))
				break
			}
		}
		byKey[k] = append(byKey[k], r)
	}
	return out
}
