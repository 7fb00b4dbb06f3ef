package price

import (
	"bufio"
	"encoding/csv"
	"errors"
	"io"
	"strconv"
	"strings"
	"unicode"
	"unicode/utf8"

	"huoban/internal/fault"
	"huoban/internal/money"
	"huoban/internal/usage"
)

// Columns are the columns of a price file in their usual order; vendor may stand beside them. Empty
// is any, or unbounded for the dates.
var Columns = []string{"partner", "customer", "provider", "product", "charging_mode", "region", "type", "base", "factor", "valid_from", "valid_to"}

// Row is one line of a price file, organisations named by code.
type Row struct {
	Line              int64 // physical line in the file
	Vendor            string
	Partner, Customer string
	Dims              // ids still empty
	Type              Type
	Base              Base
	Factor            money.Exact
	From, To          Date
}

var typeWords = map[string]Type{"普通": TypeNormal, "促销": TypePromotion, "无折扣": TypeNoDiscount, "特价": TypeSpecial, "": TypeNormal}

var modeWords = map[string]usage.ChargingMode{"按需": usage.ModeOnDemand, "包年/包月": usage.ModeSubscription, "包年包月": usage.ModeSubscription,
	"预留实例": usage.ModeReserved, "节省计划": usage.ModeSavingsPlan, "一次性": usage.ModeOneTime, "": ""}

const maxFactor = "1000000"

// ReadCSV reads a price file. Every faulty cell is reported with its line and column, all at once:
// fault price.file_refused with the reasons.
func ReadCSV(in io.Reader) ([]Row, error) {
	br := bufio.NewReader(in)
	if bom, _ := br.Peek(3); string(bom) == "\xef\xbb\xbf" {
		_, _ = br.Discard(3)
	}
	r := csv.NewReader(br)
	r.FieldsPerRecord = -1
	head, err := r.Read()
	if err != nil {
		return nil, fault.Invalid("price.file_unreadable", fault.Args{"Line": 1}).Because(err)
	}
	at, err := headColumns(head)
	if err != nil {
		return nil, err
	}
	var rows []Row
	var wrong []*fault.Error
	for {
		record, err := r.Read()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			line := 0
			var pe *csv.ParseError
			if errors.As(err, &pe) {
				line = pe.Line
			}
			return nil, fault.Invalid("price.file_unreadable", fault.Args{"Line": line}).Because(err)
		}
		line, _ := r.FieldPos(0)
		row, faults := readRow(record, at, len(head), int64(line))
		rows, wrong = append(rows, row), append(wrong, faults...)
	}
	if len(wrong) > 0 {
		return nil, refused(wrong)
	}
	if len(rows) == 0 {
		return nil, fault.Invalid("price.file_empty", nil)
	}
	return rows, nil
}

func refused(reasons []*fault.Error) error {
	f := fault.Refused("price.file_refused", reasons)
	f.Kind = fault.KindInvalid
	f.Args = fault.Args{"Count": len(reasons)}
	return f
}

func headColumns(head []string) (map[string]int, error) {
	at := map[string]int{}
	for i, h := range head {
		name := strings.ToLower(strings.TrimSpace(h))
		known := name == "vendor"
		for _, c := range Columns {
			known = known || c == name
		}
		if _, twice := at[name]; twice || !known {
			return nil, fault.Invalid("price.column_unknown", fault.Args{"Column": clip(h), "Columns": strings.Join(Columns, ",")})
		}
		at[name] = i
	}
	if _, ok := at["factor"]; !ok {
		return nil, fault.Invalid("price.column_missing", fault.Args{"Column": "factor", "Columns": strings.Join(Columns, ",")})
	}
	return at, nil
}

// readRow reads the cells of one record; a cell that cannot be read gives a fault naming line, column
// and value.
func readRow(record []string, at map[string]int, width int, line int64) (Row, []*fault.Error) {
	var wrong []*fault.Error
	refuse := func(column, value, code string) {
		wrong = append(wrong, fault.Invalid(code, fault.Args{"Line": line, "Column": column, "Value": clip(value)}))
	}
	if len(record) != width {
		refuse("", strconv.Itoa(len(record)), "price.row_width")
		return Row{}, wrong
	}
	cell := func(name string) string {
		if i, ok := at[name]; ok {
			return strings.TrimSpace(record[i])
		}
		return ""
	}
	for _, name := range []string{"vendor", "partner", "customer", "provider", "product", "region"} {
		if !plainText(cell(name)) {
			refuse(name, strings.ToValidUTF8(cell(name), "?"), "price.text_malformed")
		}
	}
	row := Row{Line: line, Vendor: cell("vendor"), Partner: cell("partner"), Customer: cell("customer"),
		Dims: Dims{Provider: cell("provider"), Product: cell("product"), Region: cell("region")}}
	var ok bool
	if row.Mode, ok = parseMode(cell("charging_mode")); !ok {
		refuse("charging_mode", cell("charging_mode"), "price.mode_unknown")
	}
	if row.Type, ok = parseType(cell("type")); !ok {
		refuse("type", cell("type"), "price.type_unknown")
	}
	if row.Base, ok = parseBase(cell("base")); !ok {
		refuse("base", cell("base"), "price.base_unknown")
	}
	var err error
	if row.Factor, err = ParseFactor(cell("factor")); err != nil {
		refuse("factor", cell("factor"), fault.From(err).Code)
	}
	if row.From, err = ParseDate(cell("valid_from")); err != nil {
		refuse("valid_from", cell("valid_from"), "price.date_malformed")
	}
	if row.To, err = ParseDate(cell("valid_to")); err != nil {
		refuse("valid_to", cell("valid_to"), "price.date_malformed")
	}
	if len(wrong) == 0 {
		probe := Rule{Type: row.Type, Base: row.Base, Factor: row.Factor, ValidFrom: row.From, ValidTo: row.To}
		if f := probe.fault(); f != nil {
			refuse(f.Args["Column"].(string), cell(f.Args["Column"].(string)), f.Code)
		}
	}
	return row, wrong
}

// maxText is the longest code or name of a rule, in characters.
const maxText = 256

// plainText tells whether both engines can keep a text and a person can read it.
func plainText(s string) bool {
	return utf8.ValidString(s) && utf8.RuneCountInString(s) <= maxText && strings.IndexFunc(s, unicode.IsControl) < 0
}

func parseType(text string) (Type, bool) {
	if t, ok := typeWords[text]; ok {
		return t, true
	}
	t := Type(strings.ToLower(text))
	return t, typeRank[t] > 0
}

func parseMode(text string) (usage.ChargingMode, bool) {
	if m, ok := modeWords[text]; ok {
		return m, true
	}
	switch m := usage.ChargingMode(strings.ToLower(text)); m {
	case usage.ModeOnDemand, usage.ModeSubscription, usage.ModeReserved, usage.ModeSavingsPlan, usage.ModeOneTime:
		return m, true
	}
	return "", false
}

func parseBase(text string) (Base, bool) {
	switch b := Base(strings.ToLower(text)); b {
	case "":
		return BaseBilled, true
	case BaseList, BaseContracted, BaseBilled:
		return b, true
	}
	return "", false
}

// ParseFactor reads a factor: an exact decimal from 0 to 1,000,000 of at most 18 decimals.
// Faults: price.factor_malformed, price.factor_range.
func ParseFactor(text string) (money.Exact, error) {
	x, err := money.ParseExact(text)
	if err != nil {
		return x, fault.Invalid("price.factor_malformed", fault.Args{"Value": clip(text)}).Because(err)
	}
	if x.Sign() < 0 || x.Cmp(money.MustExact(maxFactor)) > 0 || x.Scale() > 18 {
		return x, fault.Invalid("price.factor_range", fault.Args{"Value": clip(text)})
	}
	return x, nil
}

// fault is what is wrong with the rule by itself.
func (r *Rule) fault() *fault.Error {
	switch {
	case r.ValidTo != "" && r.ValidTo <= r.ValidFrom:
		return fault.Invalid("price.interval_empty", fault.Args{"Column": "valid_to", "From": string(r.ValidFrom), "To": string(r.ValidTo)})
	case r.Type == TypeNoDiscount && !r.Factor.Equal(one):
		return fault.Invalid("price.no_discount_factor", fault.Args{"Column": "factor", "Value": r.Factor.String()})
	}
	return nil
}
