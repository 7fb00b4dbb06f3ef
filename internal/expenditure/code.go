package expenditure

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"strconv"
	"strings"
)

// Code is the 校验码 of a summary: equal for a page and a file of the same filter and figures.
func (s *Summary) Code(f Filter) string {
	f.NonZero = false
	return code("summary", f, s.Currency, s.Total.Amount().String(), s.Total.Tax.String(), s.Total.Discount.String(), s.Total.Lines)
}

// Code is the 校验码 of the list of lines that the totals are of: equal for a page and a file of the same filter
// and figures.
func (t *Totals) Code(f Filter) string {
	if t.code != "" {
		return t.code
	}
	return code("lines", f, t.Currency, t.Amount.String(), t.Tax.String(), t.Lines)
}

// code is four and four digits of the SHA-256 of the filter, in the currency that was chosen, and figures.
func code(what string, f Filter, currency string, figures ...any) string {
	f.Currency = currency
	b, err := json.Marshal([]any{what, f, figures})
	if err != nil {
		panic("expenditure: code of plain fields: " + err.Error())
	}
	sum := sha256.Sum256(b)
	h := strings.ToUpper(hex.EncodeToString(sum[:4]))
	return h[:4] + "-" + h[4:]
}

// Number is what a line is called on a page and in a file.
func (r *LineRow) Number() string {
	const digits = "0123456789ABCDEF"
	var space [32]byte
	number := space[:0]
	for _, b := range r.Key[:4] {
		number = append(number, digits[b>>4], digits[b&15])
	}
	if r.Occur > 0 {
		number = strconv.AppendInt(append(number, '-'), r.Occur+1, 10)
	}
	return string(number)
}
