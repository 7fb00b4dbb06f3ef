package ingest

import (
	"strings"
	"time"

	"huoban/internal/usage"
)

// AWS Cost and Usage Reports. The legacy "lineItem/UnblendedCost" and CUR 2.0's
// "line_item_unblended_cost" are the same field name once punctuation is gone.
func init() {
	Register(Dialect{
		Name: "aws-cur", Aliases: []string{"cur"}, Zone: time.UTC, Naive: time.UTC,
		Mode: "snapshot", Base: "billed", NativeKey: true,
		Fields: []Field{
			{"line_id", []string{"identity/LineItemId"}, true},
			{"interval", []string{"identity/TimeInterval"}, true},
			{"period_start", []string{"bill/BillingPeriodStartDate"}, true},
			{"billing_account", []string{"bill/PayerAccountId"}, false},
			{"billing_account_name", []string{"bill/PayerAccountName"}, false},
			{"issuer", []string{"bill/InvoicingEntity", "lineItem/LegalEntity"}, false},
			{"publisher", []string{"lineItem/LegalEntity"}, false},
			{"provider", []string{"bill/BillingEntity"}, false},
			{"sub_account", []string{"lineItem/UsageAccountId"}, false},
			{"sub_account_name", []string{"lineItem/UsageAccountName"}, false},
			{"category", []string{"lineItem/LineItemType"}, true},
			{"charge_start", []string{"lineItem/UsageStartDate"}, true},
			{"charge_end", []string{"lineItem/UsageEndDate"}, false},
			{"product_code", []string{"lineItem/ProductCode"}, false},
			{"service", []string{"product/ProductName", "product/servicename"}, false},
			{"service_category", []string{"product/productFamily"}, false},
			{"usage_type", []string{"lineItem/UsageType"}, false},
			{"sku", []string{"product/sku"}, false},
			{"sku_price", []string{"pricing/RateId"}, false},
			{"region", []string{"product/regionCode", "product/region"}, false},
			{"region_name", []string{"product/location"}, false},
			{"quantity", []string{"lineItem/UsageAmount"}, false},
			{"unit", []string{"pricing/unit"}, false},
			{"currency", []string{"lineItem/CurrencyCode"}, true},
			{"billed", []string{"lineItem/UnblendedCost"}, true},
			{"list", []string{"pricing/publicOnDemandCost"}, false},
			{"pricing_category", []string{"pricing/term"}, false},
			{"description", []string{"lineItem/LineItemDescription"}, false},
			{"resource", []string{"lineItem/ResourceId"}, false},
			{"reservation_cost", []string{"reservation/EffectiveCost"}, false},
			{"savings_cost", []string{"savingsPlan/SavingsPlanEffectiveCost"}, false},
		},
		Match: func(h *Header) (string, bool) {
			if !h.Has("identity/LineItemId") || !h.Has("lineItem/UnblendedCost") {
				return "", false
			}
			for _, cell := range h.Cells {
				if strings.HasPrefix(cell, "line_item_") {
					return "2.0", true
				}
			}
			return "1", true
		},
		Build: func(b *Bound) (Mapper, error) {
			return &curMapper{b: b, row: newRowHash(b.Header, false), tags: prefixed(b.Header, "resourceTags/")}, nil
		},
	})
}

type curMapper struct {
	b    *Bound
	row  *rowHash
	tags *tagColumns
	buf  []byte
}

// curTypes says what AWS's line types are in FOCUS terms. Negations and covered usage are both
// usage and cancel out; what is not listed is an adjustment.
var curTypes = map[string]struct {
	category, frequency string
	mode                usage.ChargingMode
}{
	"Usage":                    {"Usage", "Usage-Based", usage.ModeOnDemand},
	"DiscountedUsage":          {"Usage", "Usage-Based", usage.ModeReserved},
	"SavingsPlanCoveredUsage":  {"Usage", "Usage-Based", usage.ModeSavingsPlan},
	"SavingsPlanNegation":      {"Usage", "Usage-Based", usage.ModeSavingsPlan},
	"Fee":                      {"Purchase", "One-Time", usage.ModeOneTime},
	"RIFee":                    {"Purchase", "Recurring", usage.ModeReserved},
	"SavingsPlanRecurringFee":  {"Purchase", "Recurring", usage.ModeSavingsPlan},
	"SavingsPlanUpfrontFee":    {"Purchase", "One-Time", usage.ModeSavingsPlan},
	"Refund":                   {"Purchase", "One-Time", usage.ModeOneTime},
	"Tax":                      {"Tax", "One-Time", usage.ModeOneTime},
	"Credit":                   {"Credit", "One-Time", usage.ModeOneTime},
	"BundledDiscount":          {"Credit", "Usage-Based", usage.ModeOnDemand},
	"EdpDiscount":              {"Credit", "Usage-Based", usage.ModeOnDemand},
	"PrivateRateDiscount":      {"Credit", "Usage-Based", usage.ModeOnDemand},
	"RiVolumeDiscount":         {"Credit", "Usage-Based", usage.ModeReserved},
	"SppDiscount":              {"Credit", "Usage-Based", usage.ModeOnDemand},
	"DistributorDiscount":      {"Credit", "Usage-Based", usage.ModeOnDemand},
	"SavingsPlanDiscount":      {"Credit", "Usage-Based", usage.ModeSavingsPlan},
	"Adjustment":               {"Adjustment", "One-Time", usage.ModeOneTime},
	"SolutionProviderDiscount": {"Credit", "Usage-Based", usage.ModeOnDemand},
}

func (m *curMapper) Map(rec *Record, l *usage.Line) bool {
	b := m.b
	col := b.Col
	text := func(f string) string { return b.Text(rec, col(f)) }
	b.SetCycle(l, b.CycleOf(rec, col("period_start")))
	if b.Cell(rec, col("line_id")) == nil {
		b.Fail(col("line_id"), nil, "ingest.value_missing", nil)
	}
	l.ChargeStart = b.Time(rec, col("charge_start"))
	if l.ChargeEnd = b.End(rec, col("charge_end")); l.ChargeEnd.IsZero() {
		l.ChargeEnd = l.ChargeStart
	}
	l.Currency = b.NeededText(rec, col("currency"))
	l.Billed = b.Needed(rec, col("billed"))
	l.List = b.Amount(rec, col("list"))
	l.Quantity = b.Amount(rec, col("quantity"))
	kind := b.NeededText(rec, col("category"))
	t, known := curTypes[kind]
	if !known {
		t.category, t.frequency, t.mode = "Adjustment", "One-Time", usage.ModeOneTime
	}
	l.Product = usage.Product{
		Service: text("service"), ServiceCategory: text("service_category"), SKU: text("sku"),
		SKUPrice: text("sku_price"), Description: text("description"), Region: text("region"),
		RegionName: text("region_name"), ChargeCategory: t.category, ChargeFrequency: t.frequency,
		PricingCategory: text("pricing_category"), ChargingMode: t.mode, Unit: text("unit"),
	}
	if l.Product.Service == "" {
		l.Product.Service = text("product_code")
	}
	if l.Product.SKU == "" {
		l.Product.SKU = text("usage_type")
	}
	l.Resource = usage.Resource{ID: text("resource"), Tags: m.tags.of(b, rec)}
	l.Account = usage.Account{
		Provider: "AWS", Publisher: text("publisher"), Issuer: text("issuer"),
		BillingAccount: text("billing_account"), BillingAccountName: text("billing_account_name"),
		SubAccount: text("sub_account"), SubAccountName: text("sub_account_name"),
		SourceKey: b.Key(rec, l.Resource.Tags),
	}
	l.Kind = usage.KindOf(t.category, false, kind == "Refund", l.Billed)
	m.effective(rec, l, kind)
	return true
}

// effective is the amortised cost. Where covered usage is billed at its effective instead of its
// on-demand cost, the file was made amortised: fees would be counted twice.
func (m *curMapper) effective(rec *Record, l *usage.Line, kind string) {
	b := m.b
	at := -1
	switch kind {
	case "DiscountedUsage":
		at = b.Col("reservation_cost")
	case "SavingsPlanCoveredUsage":
		at = b.Col("savings_cost")
	}
	x := b.Amount(rec, at)
	if x == nil {
		return
	}
	l.Effective = x
	same := !l.Billed.IsZero() && x.Equal(l.Billed)
	if same && (l.List == nil || !l.List.Equal(l.Billed)) {
		b.Amortised(at, b.Cell(rec, at))
	}
}

// Identity: LineItemId and TimeInterval name the line for ever. InvoiceId, empty until the bill is
// final, and what else differs between deliveries is content.
func (m *curMapper) Identity(rec *Record, _ *usage.Line) (key, content usage.Hash) {
	b := m.b
	key = hashCells(&m.buf, b.Cell(rec, b.Col("line_id")), b.Cell(rec, b.Col("interval")))
	return key, m.row.of(rec)
}

// tagColumns are columns that each hold one tag.
type tagColumns struct {
	names []string
	at    []int
	buf   []byte
}

func prefixed(h *Header, prefix string) *tagColumns {
	t := &tagColumns{}
	for i, cell := range h.Cells {
		if name, ok := strings.CutPrefix(cell, prefix); ok && name != "" {
			t.names, t.at = append(t.names, name), append(t.at, i)
		}
	}
	return t
}

// of is the canonical tags of the row.
func (t *tagColumns) of(b *Bound, rec *Record) string {
	t.buf = t.buf[:0]
	some := false
	for _, at := range t.at {
		cell := b.Cell(rec, at)
		some = some || cell != nil
		t.buf = field(t.buf, cell)
	}
	if !some {
		return ""
	}
	if s, ok := b.tags[string(t.buf)]; ok {
		return s
	}
	m := map[string]string{}
	for i, at := range t.at {
		if cell := b.Cell(rec, at); cell != nil {
			m[t.names[i]] = string(cell)
		}
	}
	s := TagText(m)
	if len(t.buf) > cacheLong {
		return s
	}
	if len(b.tags) >= cacheMost {
		clear(b.tags)
	}
	b.tags[string(t.buf)] = s
	return s
}
