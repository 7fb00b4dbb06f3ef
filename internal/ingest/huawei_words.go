package ingest

import (
	"bytes"
	"regexp"
	"strings"
	"time"

	"huoban/internal/cycle"
	"huoban/internal/fault"
	"huoban/internal/money"
	"huoban/internal/usage"
)

const second = time.Second

// huaweiMode is 计费模式, and whether the charge is by use or of an order.
type huaweiMode struct {
	mode  usage.ChargingMode
	byUse bool
}

// huaweiModes by the code of customerBill.
var huaweiModes = map[string]huaweiMode{
	"0": {usage.ModeSubscription, false}, // 包年/包月
	"1": {usage.ModeOnDemand, true},      // 按需
	"2": {usage.ModeReserved, false},     // 预留实例-订购
	"3": {usage.ModeReserved, true},      // 预留实例-按时计费
	"4": {usage.ModeSavingsPlan, false},  // 节省计划-订购
	"5": {usage.ModeSavingsPlan, true},   // 节省计划-按时计费
	"6": {usage.ModeSavingsPlan, true},   // 节省计划-抵扣
}

// huaweiModeWords by how the words of the exports begin.
var huaweiModeWords = []struct {
	begins string
	mode   usage.ChargingMode
}{
	{"包年", usage.ModeSubscription}, {"包月", usage.ModeSubscription}, {"包天", usage.ModeSubscription},
	{"yearly", usage.ModeSubscription}, {"按需", usage.ModeOnDemand}, {"pay-per-use", usage.ModeOnDemand},
	{"预留实例", usage.ModeReserved}, {"reserved", usage.ModeReserved},
	{"节省计划", usage.ModeSavingsPlan}, {"savings", usage.ModeSavingsPlan},
	{"一次性", usage.ModeOneTime}, {"one-time", usage.ModeOneTime},
}

// huaweiModeOf reads a code or words in either language.
func huaweiModeOf(text string) (huaweiMode, bool) {
	if m, ok := huaweiModes[text]; ok {
		return m, true
	}
	text = strings.ToLower(plainDashes.Replace(text))
	for _, w := range huaweiModeWords {
		if !strings.HasPrefix(text, w.begins) {
			continue
		}
		m := huaweiMode{mode: w.mode, byUse: w.mode == usage.ModeOnDemand}
		if w.mode == usage.ModeReserved || w.mode == usage.ModeSavingsPlan {
			for _, use := range []string{"按时", "抵扣", "hourly", "used"} {
				m.byUse = m.byUse || strings.Contains(text, use)
			}
		}
		return m, true
	}
	return huaweiMode{}, false
}

var plainDashes = strings.NewReplacer("–", "-", "—", "-", "－", "-")

// mode is the row's; none if the cell is empty.
func (m *huaweiMapper) mode(rec *Record) huaweiMode {
	cell := m.b.Cell(rec, m.col.mode)
	if cell == nil {
		return huaweiMode{}
	}
	mode, seen := m.modes[string(cell)]
	if seen {
		return mode
	}
	mode, known := huaweiModeOf(string(cell))
	if !known {
		m.b.Fail(m.col.mode, cell, "huawei.mode_unknown", nil)
		return mode
	}
	if len(m.modes) >= 256 {
		clear(m.modes)
	}
	m.modes[string(cell)] = mode
	return mode
}

// huaweiKinds by the first word of 账单类型; the word after a dash only says more.
var huaweiKinds = map[string]string{
	"消费": "consumption", "expenditure": "consumption", "expenditures": "consumption", "consumption": "consumption",
	"退款": "refund", "退订": "refund", "refund": "refund", "refunds": "refund", "unsubscription": "refund",
	"调账": "adjustment", "adjustment": "adjustment", "adjustments": "adjustment",
	"税金": "tax", "税": "tax", "tax": "tax",
}

// huaweiOrderKinds are the values of 订单类型 that are not consumption.
var huaweiOrderKinds = map[string]string{
	"退订": "refund", "unsubscription": "refund", "unsubscribe": "refund",
	"费用调账": "adjustment", "fee adjustment": "adjustment", "expenditure adjustment": "adjustment", "billing adjustment": "adjustment",
}

// huaweiWord is the text before a dash, in lower case.
func huaweiWord(cell []byte) string {
	if cell == nil {
		return ""
	}
	word, _, _ := strings.Cut(plainDashes.Replace(string(cell)), "-")
	return strings.ToLower(strings.TrimSpace(word))
}

// huaweiTotals begin rows that repeat the sum of others.
var huaweiTotals = map[string]bool{
	"合计": true, "总计": true, "小计": true, "总额": true, "Total": true, "Subtotal": true, "Grand total": true, "Grand Total": true,
}

// aside tells whether the row is a total or a remark below the table. A row that names a customer or a
// charging mode is a charge, even of a customer called Total.
func (m *huaweiMapper) aside(rec *Record) bool {
	first, customer := m.b.Cell(rec, 0), m.b.Cell(rec, m.col.sub)
	if m.b.Cell(rec, m.col.mode) == nil && (customer == nil || isTotal(customer)) {
		for i := 0; i < 3; i++ {
			if isTotal(m.b.Cell(rec, i)) {
				return true
			}
		}
	}
	if first == nil || !huaweiRemark.Match(first) {
		return false
	}
	for i := 1; i < len(rec.Fields); i++ {
		if m.b.Cell(rec, i) != nil {
			return false
		}
	}
	return true
}

func isTotal(cell []byte) bool { return huaweiTotals[string(bytes.TrimRight(cell, ":："))] }

var huaweiRemark = regexp.MustCompile(`^(注|说明|备注|Note|Remark|\*)`)

var (
	monthCompact = regexp.MustCompile(`^[0-9]{6}$`)
	monthParted  = regexp.MustCompile(`^([0-9]{4})(?:-|/|\.|年)([0-9]{1,2})月?$`)
	huaweiFile   = regexp.MustCompile(`(?i)customerBill_([0-9]{4})(0[1-9]|1[0-2])(?:[^0-9]|$)`)
)

// huaweiMonth is the month a customerBill's name gives, "" if none; a file in an archive counts
// before its archive.
func huaweiMonth(file string) cycle.Cycle {
	all := huaweiFile.FindAllStringSubmatch(file, -1)
	if len(all) == 0 {
		return ""
	}
	last := all[len(all)-1]
	return cycle.Cycle(last[1] + "-" + last[2])
}

// SharedMonth is the part of these file names that says their month, "customerBill_202410", or ""
// if they give none or not the same; a corrected row has no other way to tell its month.
func SharedMonth(files []string) string {
	var month cycle.Cycle
	for _, f := range files {
		m := huaweiMonth(f)
		if m == "" || month != "" && m != month {
			return ""
		}
		month = m
	}
	if month == "" {
		return ""
	}
	return "customerBill_" + strings.ReplaceAll(string(month), "-", "")
}

// cycleOf is the row's month: 账期, else the file's.
func (m *huaweiMapper) cycleOf(rec *Record) cycle.Cycle {
	cell := m.b.Cell(rec, m.col.cycle)
	if cell == nil {
		if m.month == "" {
			m.b.Fail(m.col.cycle, nil, "ingest.value_missing", nil)
		}
		return m.month
	}
	if string(cell) == m.lastText {
		return m.last
	}
	month, ok := m.readMonth(cell)
	if !ok {
		m.b.Fail(m.col.cycle, cell, "ingest.month_malformed", nil)
		return ""
	}
	m.lastText, m.last = string(cell), month
	return month
}

// readMonth knows 2024-10, 202410, 2024/10 and 2024年10月, and the first day of the month, which
// spreadsheets make of it.
func (m *huaweiMapper) readMonth(cell []byte) (cycle.Cycle, bool) {
	text := string(cell)
	if monthCompact.MatchString(text) {
		text = text[:4] + "-" + text[4:]
	} else if parts := monthParted.FindStringSubmatch(text); parts != nil {
		text = parts[1] + "-" + strings.Repeat("0", 2-len(parts[2])) + parts[2]
	} else {
		at, _, ok := parseWhen(cell, m.b.Naive)
		if at = at.In(m.b.Zone); !ok || at.Day() != 1 {
			return "", false
		}
		return cycle.Of(at, m.b.Zone), true
	}
	month, err := cycle.Parse(text)
	return month, err == nil
}

// huaweiCurrencies are words for currencies.
var huaweiCurrencies = map[string]string{
	"元": "CNY", "人民币": "CNY", "人民币元": "CNY", "RMB": "CNY", "￥": "CNY", "¥": "CNY",
	"美元": "USD", "美金": "USD", "$": "USD",
}

func currencyCode(text string) string {
	text = strings.ToUpper(strings.TrimSpace(text))
	if code, ok := huaweiCurrencies[text]; ok {
		return code
	}
	return text
}

// currencyInHeader is the currency in the parentheses of a header cell: 客户消费金额(USD).
func currencyInHeader(cell string) string {
	open := strings.LastIndexAny(cell, "(（")
	if open < 0 {
		return ""
	}
	if code := currencyCode(strings.Trim(cell[open:], "()（） ")); money.KnownCurrency(code) {
		return code
	}
	return ""
}

// currencyOf is the row's currency, which may not contradict the header's.
func (m *huaweiMapper) currencyOf(rec *Record) string {
	cell := m.b.Cell(rec, m.col.currency)
	if cell == nil {
		if m.currency == "" && len(m.b.Source.Currencies) == 1 {
			return m.b.Source.Currencies[0]
		}
		return m.currency
	}
	code := m.b.Share([]byte(currencyCode(string(cell))))
	if m.currency != "" && code != m.currency {
		m.b.Fail(m.col.currency, cell, "huawei.currency_differs", fault.Args{"header": m.currency})
	}
	return code
}
