package ingest

import (
	"strconv"
	"time"

	"huoban/internal/usage"
)

// Oracle cost reports: amounts have up to 18 decimals, each line its reference number.
func init() {
	Register(Dialect{
		Name: "oci", Zone: time.UTC, Naive: time.UTC, Mode: "append", Base: "billed", NativeKey: true,
		KeyField: "compartment_id",
		Fields: []Field{
			{"line_id", []string{"lineItem/referenceNo"}, true},
			{"charge_start", []string{"lineItem/intervalUsageStart"}, true},
			{"charge_end", []string{"lineItem/intervalUsageEnd"}, false},
			{"billed", []string{"cost/myCost"}, true},
			{"overage", []string{"cost/myCostOverage"}, false},
			{"currency", []string{"cost/currencyCode"}, true},
			{"billing_account", []string{"lineItem/tenantId"}, false},
			{"subscription", []string{"cost/subscriptionId"}, false},
			{"compartment_id", []string{"product/compartmentId"}, false},
			{"compartment_name", []string{"product/compartmentName"}, false},
			{"service", []string{"product/service"}, false},
			{"region", []string{"product/region"}, false},
			{"sku", []string{"cost/productSku"}, false},
			{"description", []string{"product/Description"}, false},
			{"quantity", []string{"usage/billedQuantity"}, false},
			{"unit", []string{"cost/skuUnitDescription", "cost/billingUnitReadable"}, false},
			{"resource", []string{"product/resourceId"}, false},
			{"correction", []string{"lineItem/isCorrection"}, false},
		},
		Match: func(h *Header) (string, bool) {
			return "", h.Has("lineItem/referenceNo") && h.Has("cost/myCost")
		},
		Build: func(b *Bound) (Mapper, error) {
			return &ociMapper{b: b, row: newRowHash(b.Header, false), tags: prefixed(b.Header, "tags/")}, nil
		},
	})
}

type ociMapper struct {
	b    *Bound
	row  *rowHash
	tags *tagColumns
	buf  []byte
}

func (m *ociMapper) Map(rec *Record, l *usage.Line) bool {
	b := m.b
	text := func(f string) string { return b.Text(rec, b.Col(f)) }
	if b.Cell(rec, b.Col("line_id")) == nil {
		b.Fail(b.Col("line_id"), nil, "ingest.value_missing", nil)
	}
	l.ChargeStart = b.Time(rec, b.Col("charge_start"))
	if l.ChargeEnd = b.End(rec, b.Col("charge_end")); l.ChargeEnd.IsZero() {
		l.ChargeEnd = l.ChargeStart
	}
	b.SetCycle(l, b.CycleOf(rec, b.Col("charge_start"))) // a report names no billing period
	l.Currency = b.NeededText(rec, b.Col("currency"))
	cost := b.Col("billed")
	if b.Cell(rec, cost) == nil && b.Cell(rec, b.Col("overage")) != nil {
		cost = b.Col("overage")
	}
	l.Billed = b.Needed(rec, cost)
	l.Quantity = b.Amount(rec, b.Col("quantity"))
	l.Correction, _ = strconv.ParseBool(text("correction"))
	class := ""
	if l.Correction {
		class = "Correction"
	}
	l.Product = usage.Product{
		Service: text("service"), SKU: text("sku"), Description: text("description"),
		Region: text("region"), ChargeCategory: "Usage", ChargeClass: class,
		ChargeFrequency: "Usage-Based", ChargingMode: usage.ModeOnDemand, Unit: text("unit"),
	}
	l.Resource = usage.Resource{ID: text("resource"), Tags: m.tags.of(b, rec)}
	l.Account = usage.Account{
		Provider: "Oracle", Publisher: "Oracle", Issuer: "Oracle", BillingAccount: text("billing_account"),
		SourceKey: b.Key(rec, l.Resource.Tags),
	}
	l.Kind = usage.KindOf("Usage", l.Correction, false, l.Billed)
	return true
}

// Identity: the reference number; what else stands in the row is content.
func (m *ociMapper) Identity(rec *Record, _ *usage.Line) (key, content usage.Hash) {
	key = hashCells(&m.buf, m.b.Cell(rec, m.b.Col("line_id")))
	return key, m.row.of(rec)
}
