package topup

import (
	"errors"
	"io"
	"slices"
	"strings"
	"time"
	"unicode/utf8"

	"huoban/internal/fault"
	"huoban/internal/ingest"
	"huoban/internal/money"
)

// BankLine is an incoming transfer as a bank statement lists it. Line is where it stands in the file.
type BankLine struct {
	Line                    int64
	Ref                     string
	PaidOn                  string
	Currency                string
	Amount                  money.Amount
	PayerName, PayerAccount string
	AccountNo               string
	Purpose                 string
}

// The bounds of a bank statement.
const (
	MaxStatement = 8 << 20
	MaxLines     = 5000
	unpacked     = 64 << 20
)

// bankColumns are the headings banks use, by what they hold; the first that is there counts.
var bankColumns = []struct {
	field  string
	names  []string
	needed bool
}{
	{"ref", []string{"流水号", "交易流水号", "银行流水号", "Reference", "Transaction ID"}, true},
	{"day", []string{"交易日期", "入账日期", "Date", "Value Date"}, true},
	{"amount", []string{"收入金额", "贷方金额", "金额", "Credit", "Amount"}, true},
	{"currency", []string{"币种", "Currency"}, false},
	{"payer", []string{"付款户名", "对方户名", "Payer", "Payer Name"}, true},
	{"account", []string{"付款账号", "对方账号", "Payer Account"}, true},
	{"to", []string{"收款账号", "本方账号", "入账账号", "To Account"}, false},
	{"purpose", []string{"摘要", "用途", "附言", "Purpose"}, false},
}

// ReadStatement reads a bank statement, CSV or a workbook. A line that cannot be read refuses the file, with its place.
// Lines without an incoming amount, what was paid out, are passed over. Faults: those of ingest.Open,
// topup.column_missing, .row_unreadable, .amount_unreadable, .too_many_lines, those of BankLine.check.
func ReadStatement(path string) (out []BankLine, err error) {
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
	at, err := findColumns(rows.Header())
	if err != nil {
		return nil, err
	}
	var rec ingest.Record
	for {
		err := rows.Next(&rec)
		var broken *ingest.RowError
		switch {
		case errors.Is(err, io.EOF):
			return out, nil
		case errors.As(err, &broken):
			return nil, fault.Invalid("topup.row_unreadable", fault.Args{"line": rec.Line})
		case err != nil:
			return nil, err
		}
		l, incoming, err := bankLine(&rec, at)
		if err != nil {
			return nil, err
		}
		if !incoming {
			continue
		}
		if len(out) == MaxLines {
			return nil, fault.Invalid("topup.too_many_lines", fault.Args{"limit": MaxLines})
		}
		out = append(out, l)
	}
}

func findColumns(header []string) (map[string]int, error) {
	at := map[string]int{}
	for _, c := range bankColumns {
		for _, name := range c.names {
			i := slices.IndexFunc(header, func(h string) bool {
				return strings.EqualFold(strings.TrimSpace(strings.TrimPrefix(h, "\ufeff")), name)
			})
			if _, known := at[c.field]; i >= 0 && !known {
				at[c.field] = i
			}
		}
		if _, known := at[c.field]; !known && c.needed {
			return nil, fault.Invalid("topup.column_missing", fault.Args{"column": c.names[0], "columns": clip(strings.Join(header, ", "))})
		}
	}
	return at, nil
}

func bankLine(rec *ingest.Record, at map[string]int) (l BankLine, incoming bool, err error) {
	cell := func(field string) string {
		i, ok := at[field]
		if !ok || i >= len(rec.Fields) {
			return ""
		}
		return strings.TrimSpace(strings.ToValidUTF8(string(rec.Fields[i]), "�"))
	}
	text := strings.ReplaceAll(strings.TrimLeft(cell("amount"), "'¥￥$ "), ",", "")
	if text == "" {
		return l, false, nil
	}
	exact, err := money.ParseExact(text)
	if err != nil {
		return l, false, fault.Invalid("topup.amount_unreadable", fault.Args{"line": rec.Line, "value": clip(text)})
	}
	amount, err := exact.Amount()
	if err != nil || amount <= 0 {
		return l, false, err
	}
	l = BankLine{Line: int64(rec.Line), Ref: cell("ref"), PaidOn: day(cell("day")), Currency: cell("currency"), Amount: amount, PayerName: cell("payer"),
		PayerAccount: digits(cell("account")), AccountNo: digits(cell("to")), Purpose: cell("purpose")}
	if l.Currency == "" || l.Currency == "人民币" || l.Currency == "RMB" {
		l.Currency = "CNY"
	}
	return l, true, l.check()
}

// day reads what banks write for a date; what it is not stays as it was, for check to refuse.
func day(text string) string {
	text, _, _ = strings.Cut(text, " ")
	for _, form := range []string{time.DateOnly, "20060102", "2006/01/02", "2006/1/2", "2006年1月2日"} {
		if t, err := time.Parse(form, text); err == nil {
			return t.Format(time.DateOnly)
		}
	}
	return text
}

// digits takes the blanks and marks off an account number.
func digits(text string) string {
	return strings.Map(func(r rune) rune {
		if r == ' ' || r == '-' || r == '\'' || r == '\t' {
			return -1
		}
		return r
	}, text)
}

// check refuses a line that could not be booked. Faults: topup.line_malformed.
func (l *BankLine) check() error {
	_, err := time.Parse(time.DateOnly, l.PaidOn)
	if err != nil || l.Ref == "" || len(l.Ref) > 64 || l.Amount <= 0 || !l.Amount.IsCents() || !money.KnownCurrency(l.Currency) || l.PayerName == "" ||
		utf8.RuneCountInString(l.PayerName) > 200 || len(l.PayerAccount) > 64 || len(l.AccountNo) > 64 || utf8.RuneCountInString(l.Purpose) > 500 {
		return fault.Invalid("topup.line_malformed", fault.Args{"line": l.Line})
	}
	return nil
}

func clip(text string) string {
	if utf8.RuneCountInString(text) > 60 {
		return string([]rune(text)[:60]) + "…"
	}
	return text
}
