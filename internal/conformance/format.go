package conformance

import (
	"bytes"
	"encoding/json"
	"regexp"
	"time"
	"unicode/utf8"

	"huoban/internal/money"
)

var (
	numeric  = regexp.MustCompile(`^-?[0-9]+(\.[0-9]+)?([Ee]-?[0-9]+)?$`)
	dateTime = regexp.MustCompile(`^\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2}(\.\d+)?Z$`)
	unit     = regexp.MustCompile(`^([0-9]+ )?[A-Za-z][A-Za-z0-9]*( [A-Za-z0-9]+)*([-/]([0-9]+ )?[A-Za-z][A-Za-z0-9]*( [A-Za-z0-9]+)*)*$`)
	currency = regexp.MustCompile(`^[A-Z]{3}$`)
)

// formats are the checks of one value's form. Source: the attributes of FOCUS 1.2.
var formats = map[string]func([]byte) bool{
	"TypeString":            utf8.Valid,
	"FormatString":          func(v []byte) bool { return utf8.Valid(v) && len(bytes.TrimSpace(v)) > 0 },
	"TypeDecimal":           isDecimal,
	"CheckDecimalValue":     isDecimal,
	"FormatNumeric":         func(v []byte) bool { return digitsAndPoint(v) || numeric.Match(v) },
	"TypeDateTime":          isTime,
	"FormatDateTime":        func(v []byte) bool { return dateTime.Match(v) && isTime(v) },
	"FormatUnit":            unit.Match,
	"FormatKeyValue":        func(v []byte) bool { return isFlatObject(v) || isKeyValue(v) },
	"FormatCurrency":        func(v []byte) bool { return !currency.Match(v) || money.KnownCurrency(string(v)) },
	"CheckNationalCurrency": func(v []byte) bool { return money.KnownCurrency(string(v)) },
}

func isDecimal(v []byte) bool {
	_, err := money.ParseExactBytes(v)
	return err == nil
}

// digitsAndPoint knows the usual number without the expression.
func digitsAndPoint(v []byte) bool {
	if len(v) > 0 && v[0] == '-' {
		v = v[1:]
	}
	whole, rest := 0, 0
	for whole < len(v) && v[whole]-'0' <= 9 {
		whole++
	}
	if whole == 0 || whole == len(v) {
		return whole > 0
	}
	for whole+1+rest < len(v) && v[whole+1+rest]-'0' <= 9 {
		rest++
	}
	return v[whole] == '.' && rest > 0 && whole+1+rest == len(v)
}

func isTime(v []byte) bool {
	for _, form := range []string{time.RFC3339Nano, "2006-01-02 15:04:05", "2006-01-02T15:04:05", "2006-01-02"} {
		if _, err := time.Parse(form, string(v)); err == nil {
			return true
		}
	}
	return false
}

// isFlatObject knows the usual object of plain texts without building it; false decides nothing.
func isFlatObject(v []byte) bool {
	i := 0
	is := func(want byte) bool {
		for i < len(v) && (v[i] == ' ' || v[i] == '\n' || v[i] == '\t' || v[i] == '\r') {
			i++
		}
		if i < len(v) && v[i] == want {
			i++
			return true
		}
		return false
	}
	text := func() bool {
		if !is('"') {
			return false
		}
		for ; i < len(v); i++ {
			switch ch := v[i]; {
			case ch == '"':
				i++
				return true
			case ch == '\\' || ch < ' ' || ch >= utf8.RuneSelf:
				return false
			}
		}
		return false
	}
	if !is('{') {
		return false
	}
	for text() && is(':') && text() {
		if is(',') {
			continue
		}
		return is('}') && len(bytes.TrimSpace(v[i:])) == 0
	}
	return false
}

// isKeyValue: a JSON object whose values are no objects or lists.
func isKeyValue(v []byte) bool {
	var m map[string]any
	if json.Unmarshal(v, &m) != nil {
		return false
	}
	for _, one := range m {
		switch one.(type) {
		case map[string]any, []any:
			return false
		}
	}
	return true
}
