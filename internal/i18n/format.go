package i18n

import (
	"bytes"
	"context"
	"math"
	"slices"
	"strconv"
	"strings"
	"time"

	"huoban/internal/cycle"
	"huoban/internal/money"
)

// Minus is the true minus sign; a hyphen would be narrower than the digits beside it.
const Minus = "−"

// Nothing stands where there is no value.
const Nothing = "--"

// symbols are those a reader cannot mistake; every other currency is written by its code.
var symbols = map[string]string{
	"CNY": "¥", "USD": "$", "EUR": "€", "GBP": "£", "HKD": "HK$", "JPY": "JP¥", "INR": "₹", "KRW": "₩", "BRL": "R$",
	"AUD": "A$", "CAD": "C$", "TWD": "NT$", "SGD": "S$",
}

// Symbol is the sign before an amount: "¥", or the code and a no-break space.
func Symbol(currency string) string {
	if s, ok := symbols[currency]; ok {
		return s
	}
	if currency == "" {
		return ""
	}
	return currency + "\u00a0"
}

// Digits is the number of decimals shown: two, or more where the currency has more.
func Digits(currency string) int { return max(2, money.MinorDigits(currency)) }

// Count writes an integer with thousands separators.
func Count(n int64) string { return group(strconv.FormatInt(n, 10)) }

// group inserts separators into a decimal text and makes its minus a true one.
func group(text string) string {
	var space [64]byte
	return string(appendGrouped(space[:0], "", append(make([]byte, 0, 48), text...)))
}

// appendGrouped appends a decimal text with separators; its minus becomes a true one, and the currency's
// sign stands between that and the digits.
func appendGrouped(b []byte, symbol string, text []byte) []byte {
	if len(text) > 0 && text[0] == '-' {
		b, text = append(b, Minus...), text[1:]
	}
	b = append(b, symbol...)
	whole := bytes.IndexByte(text, '.')
	if whole < 0 {
		whole = len(text)
	}
	for i := range whole {
		if i > 0 && (whole-i)%3 == 0 {
			b = append(b, ',')
		}
		b = append(b, text[i])
	}
	return append(b, text[whole:]...)
}

// with puts the currency's sign between the minus and the digits.
func with(symbol, grouped string) string {
	if rest, ok := strings.CutPrefix(grouped, Minus); ok {
		return Minus + symbol + rest
	}
	return symbol + grouped
}

func rounded(a money.Amount, currency string) string {
	var space [48]byte
	return string(AppendMoneyPlain(space[:0], a, currency))
}

// AppendMoneyPlain appends what MoneyPlain says.
func AppendMoneyPlain(b []byte, a money.Amount, currency string) []byte {
	if n := Digits(currency); n <= 8 && a > math.MinInt64/2 && a < math.MaxInt64/2 {
		return appendFixed(b, a, n)
	}
	s := a.Exact().Decimal().StringFixed(int32(Digits(currency)))
	if strings.Trim(s, "-0.") == "" {
		s = strings.TrimPrefix(s, "-") // an amount too small to show has no sign
	}
	return append(b, group(s)...)
}

// appendFixed writes an amount with n decimals, half away from zero, without big numbers.
func appendFixed(b []byte, a money.Amount, n int) []byte {
	unit := int64(1)
	for range 8 - n {
		unit *= 10
	}
	v := int64(a)
	if v < 0 {
		v = -v
	}
	v = (v + unit/2) / unit
	var space [32]byte
	text := space[:0]
	if a < 0 && v != 0 {
		text = append(text, '-')
	}
	sign := len(text)
	text = strconv.AppendInt(text, v, 10)
	for len(text)-sign <= n {
		text = slices.Insert(text, sign, '0')
	}
	if n > 0 {
		text = slices.Insert(text, len(text)-n, '.')
	}
	return appendGrouped(b, "", text)
}

// Money is "¥1,234.56", rounded for display only.
func Money(a money.Amount, currency string) string {
	return with(Symbol(currency), rounded(a, currency))
}

// MoneyPlain is Money without the currency, for columns whose head names it.
func MoneyPlain(a money.Amount, currency string) string { return rounded(a, currency) }

// MoneySigned is Money with a plus where positive, for changes.
func MoneySigned(a money.Amount, currency string) string { return plus(a, Money(a, currency)) }

// MoneyPlainSigned is MoneyPlain with a plus where positive.
func MoneyPlainSigned(a money.Amount, currency string) string {
	return plus(a, MoneyPlain(a, currency))
}

func plus(a money.Amount, text string) string {
	if a > 0 {
		return "+" + text
	}
	return text
}

// Money8 is the stored amount in full: "¥1,234.56000000".
func Money8(a money.Amount, currency string) string { return with(Symbol(currency), group(a.Fixed8())) }

// MoneyParts cuts Money8 after the shown decimals, never rounding: "¥879,704.97" and "432748". Both
// together are the exact amount, so terms of an equation add up by hand.
func MoneyParts(a money.Amount, currency string) (head, tail string) {
	full := Money8(a, currency)
	cut := len(full) - 8 + Digits(currency)
	return full[:cut], full[cut:]
}

// Exact is a decimal of any scale with separators, for what a file delivered or a rule computed.
func Exact(x money.Exact) string { return ExactMoney(x, "") }

// ExactMoney is an exact amount whole, with the currency's sign and never fewer decimals than it is written
// with: "−¥380.50".
func ExactMoney(x money.Exact, currency string) string {
	var out [64]byte
	return string(AppendExactMoney(out[:0], x, currency))
}

// AppendExactMoney appends what ExactMoney says.
func AppendExactMoney(b []byte, x money.Exact, currency string) []byte {
	var text [64]byte
	digits := x.Append(text[:0])
	if currency != "" {
		point := bytes.IndexByte(digits, '.')
		if point < 0 {
			point = len(digits)
			digits = append(digits, '.')
		}
		for n := Digits(currency); len(digits)-point-1 < n; {
			digits = append(digits, '0')
		}
	}
	return appendGrouped(b, Symbol(currency), digits)
}

// Percent is part of whole with one decimal, "30.4%"; Nothing if whole is 0.
func Percent(part, whole money.Amount) string {
	if whole == 0 {
		return Nothing
	}
	p := part.Exact().Decimal().Shift(2).DivRound(whole.Exact().Decimal(), 1)
	return group(p.StringFixed(1)) + "%"
}

// Bytes is a file size, "412.0 MB".
func Bytes(n int64) string {
	if n < 1000 {
		return strconv.FormatInt(n, 10) + " B"
	}
	f, units := float64(n), []string{"kB", "MB", "GB", "TB"}
	u := -1
	for f >= 1000 && u < len(units)-1 {
		f, u = f/1000, u+1
	}
	return strconv.FormatFloat(f, 'f', 1, 64) + " " + units[u]
}

// DateTime is the ISO form in Beijing time, for tables: "2026-11-05 09:12".
func DateTime(t time.Time) string {
	var space [32]byte
	return string(AppendDateTime(space[:0], t))
}

// AppendDateTime appends what DateTime says.
func AppendDateTime(b []byte, t time.Time) []byte {
	if t.IsZero() {
		return append(b, Nothing...)
	}
	t = t.In(cycle.Zone)
	year, month, day := t.Date()
	if year < 1000 || year > 9999 {
		return t.AppendFormat(b, "2006-01-02 15:04")
	}
	hour, minute, _ := t.Clock()
	b = strconv.AppendInt(b, int64(year), 10)
	for i, n := range [4]int{int(month), day, hour, minute} {
		b = append(b, "-- :"[i], byte('0'+n/10), byte('0'+n%10))
	}
	return b
}

// DateTimeIn is DateTime in another fixed zone, for the time of charge in its source's zone.
func DateTimeIn(t time.Time, zone *time.Location) string {
	if t.IsZero() {
		return Nothing
	}
	return t.In(zone).Format("2006-01-02 15:04")
}

// Date is the ISO date in Beijing time.
func Date(t time.Time) string {
	if t.IsZero() {
		return Nothing
	}
	return t.In(cycle.Zone).Format("2006-01-02")
}

// Moment is the form of prose: "11-05 09:12", in English "5 Nov 09:12".
func Moment(ctx context.Context, t time.Time) string {
	if t.IsZero() {
		return Nothing
	}
	if From(ctx) == En {
		return t.In(cycle.Zone).Format("2 Jan 15:04")
	}
	return t.In(cycle.Zone).Format("01-02 15:04")
}

// MonthName is "10 月" or "Oct".
func MonthName(ctx context.Context, m time.Month) string {
	if From(ctx) == En {
		return m.String()[:3]
	}
	return months[m-1]
}

var months = [12]string{"1 月", "2 月", "3 月", "4 月", "5 月", "6 月", "7 月", "8 月", "9 月", "10 月", "11 月", "12 月"}

// CurrencyName is the currency in words where the catalogue has them, else its code.
func CurrencyName(ctx context.Context, code string) string {
	if key := "currency.name." + code; Has(key) {
		return T(ctx, key)
	}
	return code
}

// tickUnits are what large figures beside a picture are counted in, the greatest first.
var tickUnits = map[Lang][]struct {
	size float64
	sign string
}{ZhCN: {{1e12, "万亿"}, {1e8, "亿"}, {1e4, "万"}}, En: {{1e9, "B"}, {1e6, "M"}, {1e4, "k"}}}

// Brief is a figure to three digits, as it stands in a picture.
func Brief(ctx context.Context, x float64) string {
	if f, err := strconv.ParseFloat(strconv.FormatFloat(x, 'g', 3, 64), 64); err == nil {
		x = f
	}
	return Ticks(ctx, []float64{x})[0]
}

// Ticks are the figures of an axis, all in the same unit: 万 and 亿, or k and M.
func Ticks(ctx context.Context, values []float64) []string {
	greatest := 0.0
	for _, v := range values {
		greatest = max(greatest, math.Abs(v))
	}
	size, sign := 1.0, ""
	for _, u := range tickUnits[From(ctx)] {
		if greatest >= u.size {
			size, sign = u.size, u.sign
			break
		}
	}
	if sign == "k" {
		size = 1e3
	}
	out := make([]string, len(values))
	for i, v := range values {
		text := strconv.FormatFloat(v/size, 'g', 12, 64)
		if f, err := strconv.ParseFloat(text, 64); err == nil {
			text = strconv.FormatFloat(f, 'f', -1, 64)
		}
		if out[i] = group(text); v != 0 {
			out[i] += sign
		}
	}
	return out
}
