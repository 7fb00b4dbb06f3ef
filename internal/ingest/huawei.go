package ingest

import (
	"strings"

	"huoban/internal/cycle"
	"huoban/internal/fault"
	"huoban/internal/money"
	"huoban/internal/usage"
)

// Huawei Cloud's own partner files: customerBill, pushed to the partner's bucket each month, and
// 伙伴账单明细, exported from the console. They are one family: the first is the second with fewer
// columns, codes instead of names, and its month in the file name only. docs/formats.md says which
// columns are documented by Huawei and which are accepted beside them.
func init() {
	Register(huaweiDialect("huawei-bill-detail", true,
		func(h *Header) (string, bool) {
			return "", hasAny(h, huaweiCells("sub_account")) && hasAny(h, huaweiCells("cycle")) &&
				hasAny(h, huaweiCells("category")) && hasAny(h, huaweiCells("billed"))
		}))
	Register(huaweiDialect("huawei-partner-bill", false,
		func(h *Header) (string, bool) {
			return "", hasAny(h, huaweiCells("sub_account")) && hasAny(h, huaweiCells("service_code")) &&
				hasAny(h, huaweiCells("charging_mode")) && hasAny(h, huaweiCells("region"))
		}))
}

// huaweiDialect is one of the two. In the detail, month, kind and amount have columns of their own
// and every charge a transaction number.
func huaweiDialect(name string, detail bool, match func(*Header) (string, bool)) Dialect {
	d := Dialect{
		Name: name, Family: "huawei-bill", Zone: cycle.Zone, Mode: "snapshot", Base: "billed",
		NativeKey: detail, Match: match,
		Build: func(b *Bound) (Mapper, error) { return newHuaweiMapper(b, detail) },
	}
	for _, f := range huaweiFields {
		switch f.Name {
		case "sub_account", "charging_mode":
			f.Need = true
		case "cycle", "category", "billed":
			f.Need = detail
		}
		d.Fields = append(d.Fields, f)
	}
	return d
}

// huaweiFields: the Chinese cell of Huawei's documentation first, then its English spelling, then
// what other files of Huawei call the same thing.
var huaweiFields = []Field{
	{Name: "sub_account", Cells: []string{"客户ID", "Customer ID"}},
	{Name: "sub_account_name", Cells: []string{"客户名称", "Customer Name"}},
	{Name: "login", Cells: []string{"客户账号名", "Account Name", "Customer Account Name"}},
	{Name: "billing_account", Cells: []string{"伙伴ID", "Partner ID"}},
	{Name: "billing_account_name", Cells: []string{"伙伴名称", "Partner Name", "伙伴账号名", "Partner Account Name"}},
	{Name: "cycle", Cells: []string{"账期", "Billing Cycle", "消费月份"}},
	{Name: "category", Cells: []string{"账单类型", "Bill Type"}},
	{Name: "charging_mode", Cells: []string{"计费模式", "Billing Mode", "Charging Mode"}},
	{Name: "service", Cells: []string{"产品类型", "Product Type", "Cloud Service Type"}},
	{Name: "service_code", Cells: []string{"产品类型编码", "Product Type Code", "Cloud Service Type Code"}},
	{Name: "description", Cells: []string{"产品名称", "Product Name", "应用名称", "Application"}},
	{Name: "sku", Cells: []string{"产品ID", "Product ID"}},
	{Name: "spec", Cells: []string{"规格", "Specifications", "Specification"}},
	{Name: "resource_type", Cells: []string{"资源类型", "Resource Type"}},
	{Name: "resource_code", Cells: []string{"资源类型编码", "Resource Type Code"}},
	{Name: "resource", Cells: []string{"资源ID", "Resource ID"}},
	{Name: "resource_name", Cells: []string{"资源名称", "Resource Name"}},
	{Name: "region", Cells: []string{"云服务区编码", "Region Code", "Cloud Service Region Code"}},
	{Name: "region_name", Cells: []string{"区域", "Region"}},
	{Name: "order", Cells: []string{"订单号/交易号", "Order No./Transaction ID", "Order ID/Transaction ID", "订单号", "Order No.", "Order ID", "交易号", "Transaction ID"}},
	{Name: "original_order", Cells: []string{"原订单号", "Original Order No.", "Original Order ID"}},
	{Name: "traded_at", Cells: []string{"客户交易时间", "Customer Transaction Time", "Transaction Time", "交易时间", "Transaction Time of Customer"}},
	{Name: "charge_start", Cells: []string{"使用开始时间", "Usage Start Time"}},
	{Name: "charge_end", Cells: []string{"使用结束时间", "Usage End Time"}},
	{Name: "order_type", Cells: []string{"订单类型", "Order Type"}},
	{Name: "periods", Cells: []string{"订单周期数", "Order Periods", "Number of Order Periods", "Required Duration"}},
	{Name: "period_unit", Cells: []string{"订单周期单位", "Order Period Unit", "Order Period Type"}},
	{Name: "usage_type", Cells: []string{"使用量类型编码", "Usage Type Code"}},
	{Name: "quantity", Cells: []string{"使用量", "用量", "Usage"}},
	{Name: "unit", Cells: []string{"使用量单位", "用量单位", "Usage Unit"}},
	{Name: "list", Cells: []string{"官网页面价", "官网价", "官网价总金额", "Official Website Price", "List Price"}},
	{Name: "billed", Cells: []string{"客户消费金额", "Customer Expenditure", "Customer Expenditures", "Customer Consumption Amount",
		"Customer Consumption", "Customer Spending", "消费金额", "Consumption Amount", "Expenditure", "应付金额", "Amount Due"}},
	{Name: "settled", Cells: []string{"结算金额", "Settlement Amount"}},
	{Name: "settlement", Cells: []string{"结算类型", "Settlement Type"}},
	{Name: "currency", Cells: []string{"币种", "货币", "货币单位", "Currency"}},
}

func huaweiCells(field string) []string {
	for _, f := range huaweiFields {
		if f.Name == field {
			return f.Cells
		}
	}
	return nil
}

func hasAny(h *Header, cells []string) bool {
	for _, c := range cells {
		if h.Has(c) {
			return true
		}
	}
	return false
}

// huaweiKey are the fields that say which charge a row is; amounts, times and names are content.
var huaweiKey = []string{"sub_account", "cycle", "order", "original_order", "category", "order_type", "charging_mode",
	"service_code", "sku", "spec", "resource_code", "resource", "region", "usage_type"}

type huaweiMapper struct {
	b        *Bound
	detail   bool
	month    cycle.Cycle // from the file's name
	currency string      // of every row; "" where the rows say
	row      *rowHash
	key      []int
	col      huaweiColumns
	cells    [][]byte
	buf      []byte
	modes    map[string]huaweiMode
	lastText string
	last     cycle.Cycle
}

type huaweiColumns struct {
	sub, subName, login, account, accountName, cycle, category, mode                int
	service, serviceCode, description, sku, spec, resourceType, resourceCode        int
	resource, resourceName, region, regionName, order, tradedAt, start, end         int
	orderType, periods, periodUnit, quantity, unit, list, billed, settled, currency int
	settlement                                                                      int
}

func newHuaweiMapper(b *Bound, detail bool) (*huaweiMapper, error) {
	c := b.Col
	m := &huaweiMapper{b: b, detail: detail, row: newRowHash(b.Header, false), modes: map[string]huaweiMode{}, col: huaweiColumns{
		sub: c("sub_account"), subName: c("sub_account_name"), login: c("login"), account: c("billing_account"),
		accountName: c("billing_account_name"), cycle: c("cycle"), category: c("category"), mode: c("charging_mode"),
		service: c("service"), serviceCode: c("service_code"), description: c("description"), sku: c("sku"),
		spec: c("spec"), resourceType: c("resource_type"), resourceCode: c("resource_code"), resource: c("resource"),
		resourceName: c("resource_name"), region: c("region"), regionName: c("region_name"), order: c("order"),
		tradedAt: c("traded_at"), start: c("charge_start"), end: c("charge_end"), orderType: c("order_type"),
		periods: c("periods"), periodUnit: c("period_unit"), quantity: c("quantity"), unit: c("unit"),
		list: c("list"), billed: c("billed"), settled: c("settled"), currency: c("currency"), settlement: c("settlement"),
	}}
	for _, f := range huaweiKey {
		if at := b.Col(f); at >= 0 {
			m.key = append(m.key, at)
		}
	}
	if m.col.billed < 0 { // customerBill may end with the list price, which then must be chosen as base
		if b.Base != "list" || m.col.list < 0 {
			return nil, fault.Invalid("huawei.amount_missing", fault.Args{"columns": strings.Join(huaweiCells("billed")[:1], ", ")})
		}
		m.col.billed = m.col.list
	}
	if !detail {
		m.month = huaweiMonth(b.File)
	}
	if m.col.cycle < 0 && m.month == "" {
		return nil, fault.Invalid("huawei.month_unknown", nil)
	}
	return m, m.chooseCurrency()
}

// chooseCurrency finds the currency of the amounts: that of the header cell, else a column's, else
// the only one the source takes. Nothing is guessed.
func (m *huaweiMapper) chooseCurrency() error {
	b := m.b
	m.currency = currencyInHeader(b.Header.Cells[m.col.billed])
	if m.currency == "" && m.col.currency < 0 && len(b.Source.Currencies) == 1 {
		m.currency = b.Source.Currencies[0]
	}
	if m.currency == "" && m.col.currency < 0 {
		return fault.Invalid("huawei.currency_missing", fault.Args{"column": b.Header.Cells[m.col.billed]})
	}
	return nil
}

func (m *huaweiMapper) Map(rec *Record, l *usage.Line) bool {
	if m.aside(rec) {
		return false
	}
	b, c := m.b, &m.col
	b.SetCycle(l, m.cycleOf(rec))
	l.Currency = m.currencyOf(rec)
	l.Billed = b.Needed(rec, c.billed)
	l.Contracted = b.Amount(rec, c.billed) // the price after the customer's discounts is what is charged
	l.List = b.Amount(rec, c.list)
	l.Effective = b.Amount(rec, c.settled)
	mode := m.mode(rec)
	m.product(rec, l, mode)
	m.charge(rec, l, mode, l.Billed)
	m.time(rec, l, mode)
	l.Resource = usage.Resource{
		ID: b.Text(rec, c.resource), Name: b.Text(rec, c.resourceName), Type: m.either(rec, c.resourceType, c.resourceCode),
	}
	if !mode.byUse { // of use the column holds the number of each deduction
		l.Resource.OrderNo = b.Text(rec, c.order)
	}
	l.Account = usage.Account{
		Provider: huaweiName, Publisher: huaweiName, Issuer: huaweiName,
		BillingAccount: b.Text(rec, c.account), BillingAccountName: b.Text(rec, c.accountName),
		SubAccount: b.Text(rec, c.sub), SubAccountName: m.either(rec, c.subName, c.login),
		SourceKey: b.Key(rec, ""),
	}
	return true
}

const huaweiName = "Huawei Cloud"

func (m *huaweiMapper) either(rec *Record, first, second int) string {
	if s := m.b.Text(rec, first); s != "" {
		return s
	}
	return m.b.Text(rec, second)
}

func (m *huaweiMapper) product(rec *Record, l *usage.Line, mode huaweiMode) {
	b, c := m.b, &m.col
	l.Product = usage.Product{
		Service: m.either(rec, c.service, c.serviceCode), ServiceCategory: b.Text(rec, c.serviceCode),
		SKU: b.Text(rec, c.sku), SKUPrice: b.Text(rec, c.spec), Description: b.Text(rec, c.description),
		Region: m.either(rec, c.region, c.regionName), RegionName: b.Text(rec, c.regionName),
		PricingCategory: b.Text(rec, c.settlement), ChargingMode: mode.mode,
		Unit: b.Text(rec, c.unit),
	}
	l.Quantity = b.Amount(rec, c.quantity)
	if l.Quantity == nil && b.Cell(rec, c.periods) != nil {
		l.Quantity, l.Product.Unit = b.Amount(rec, c.periods), b.Text(rec, c.periodUnit)
	}
}

// charge says what the row counts as. 账单类型 decides; without it the order type; without both it
// is consumption, as everything a use or an order costs.
func (m *huaweiMapper) charge(rec *Record, l *usage.Line, mode huaweiMode, billed money.Exact) {
	b, c := m.b, &m.col
	p := &l.Product
	p.ChargeCategory, p.ChargeFrequency = "Purchase", "One-Time"
	if mode.byUse {
		p.ChargeCategory, p.ChargeFrequency = "Usage", "Usage-Based"
	}
	order := huaweiWord(b.Cell(rec, c.orderType))
	gaveBack := huaweiOrderKinds[order] == "refund"
	kind, known := "", true
	switch cell := b.Cell(rec, c.category); {
	case cell != nil:
		kind, known = huaweiKinds[huaweiWord(cell)]
	case m.detail:
		b.Fail(c.category, nil, "ingest.value_missing", nil)
	default:
		kind = huaweiOrderKinds[order]
	}
	if !known {
		b.Fail(c.category, b.Cell(rec, c.category), "ingest.category_unknown", nil)
	}
	refund := kind == "refund" || gaveBack && billed.Sign() < 0 && kind != "adjustment" && kind != "tax"
	switch kind {
	case "adjustment":
		p.ChargeCategory, p.ChargeFrequency = "Adjustment", "One-Time"
	case "tax":
		p.ChargeCategory, p.ChargeFrequency = "Tax", "One-Time"
	}
	if p.ChargingMode == "" {
		if kind == "adjustment" || kind == "tax" {
			p.ChargingMode = usage.ModeOneTime
		} else {
			b.Fail(c.mode, nil, "ingest.value_missing", nil)
		}
	}
	l.Kind = usage.KindOf(p.ChargeCategory, false, refund, billed)
}

// time: a charge by use is dated by the end of the use, which belongs to the second before it; an
// order by its payment. A row without time spans its month.
func (m *huaweiMapper) time(rec *Record, l *usage.Line, mode huaweiMode) {
	b, c := m.b, &m.col
	at := b.Time(rec, c.tradedAt)
	switch start := b.Time(rec, c.start); {
	case !start.IsZero():
		l.ChargeStart = start
		if l.ChargeEnd = b.End(rec, c.end); l.ChargeEnd.IsZero() {
			l.ChargeEnd = start
		}
	case at.IsZero():
		if l.Cycle != "" && !b.Failed() {
			l.ChargeStart, l.ChargeEnd = l.Cycle.Start(b.Zone).UTC(), l.Cycle.End(b.Zone).UTC()
		}
	case mode.byUse:
		l.ChargeStart, l.ChargeEnd = at.Add(-second), at
	default:
		l.ChargeStart, l.ChargeEnd = at, at
	}
}

// Identity: in the detail the transaction with the product and the customer it is about; equal ones
// are told apart by their ordinal. A row without transaction number is its own identity.
func (m *huaweiMapper) Identity(rec *Record, _ *usage.Line) (key, content usage.Hash) {
	content = m.row.of(rec)
	if !m.detail || m.b.Cell(rec, m.col.order) == nil {
		return content, content
	}
	m.cells = m.cells[:0]
	for _, at := range m.key {
		m.cells = append(m.cells, m.b.Cell(rec, at))
	}
	return hashCells(&m.buf, m.cells...), content
}
