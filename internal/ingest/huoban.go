package ingest

import (
	"strings"

	"huoban/internal/cycle"
	"huoban/internal/usage"
)

// The portal's own line format: what an operator writes when a cloud has no export that is read
// here. docs/formats.md describes each column.
func init() {
	Register(Dialect{
		Name: "huoban", Zone: cycle.Zone, Mode: "append", Base: "billed", NativeKey: true, KeyField: "key",
		Fields: []Field{
			{"line_id", []string{"line_id"}, true},
			{"cycle", []string{"cycle"}, true},
			{"charge_start", []string{"charge_start"}, true},
			{"charge_end", []string{"charge_end"}, false},
			{"provider", []string{"provider"}, false},
			{"billing_account", []string{"billing_account"}, false},
			{"billing_account_name", []string{"billing_account_name"}, false},
			{"sub_account", []string{"sub_account"}, false},
			{"sub_account_name", []string{"sub_account_name"}, false},
			{"key", []string{"key"}, false},
			{"service", []string{"product"}, true},
			{"service_category", []string{"product_category"}, false},
			{"sku", []string{"sku"}, false},
			{"description", []string{"description"}, false},
			{"region", []string{"region"}, false},
			{"charging_mode", []string{"charging_mode"}, false},
			{"category", []string{"category"}, true},
			{"currency", []string{"currency"}, true},
			{"billed", []string{"billed"}, true},
			{"list", []string{"list"}, false},
			{"contracted", []string{"contracted"}, false},
			{"quantity", []string{"quantity"}, false},
			{"unit", []string{"unit"}, false},
			{"resource", []string{"resource_id"}, false},
			{"resource_name", []string{"resource_name"}, false},
			{"resource_type", []string{"resource_type"}, false},
			{"tags", []string{"tags"}, false},
			{"order", []string{"order_no"}, false},
		},
		Match: func(h *Header) (string, bool) {
			return "1", h.Has("line_id") && h.Has("cycle") && h.Has("charge_start") && h.Has("billed")
		},
		Build: func(b *Bound) (Mapper, error) {
			return &huobanMapper{b: b, row: newRowHash(b.Header, true)}, nil
		},
	})
}

type huobanMapper struct {
	b   *Bound
	row *rowHash
	buf []byte
}

// huobanCategories are the values of category; refund (退订) is a purchase given back.
var huobanCategories = map[string]string{
	"usage": "Usage", "purchase": "Purchase", "refund": "Purchase", "adjustment": "Adjustment",
	"credit": "Credit", "tax": "Tax",
}

func (m *huobanMapper) Map(rec *Record, l *usage.Line) bool {
	b := m.b
	text := func(f string) string { return b.Text(rec, b.Col(f)) }
	b.NeededText(rec, b.Col("line_id"))
	if month := b.NeededText(rec, b.Col("cycle")); month != "" {
		c, err := cycle.Parse(month)
		if err != nil {
			b.Fail(b.Col("cycle"), []byte(month), "ingest.month_malformed", nil)
		}
		b.SetCycle(l, c)
	}
	l.ChargeStart = b.Time(rec, b.Col("charge_start"))
	if l.ChargeEnd = b.LastDay(rec, b.Col("charge_end")); l.ChargeEnd.IsZero() {
		l.ChargeEnd = l.ChargeStart
	}
	l.Currency = b.NeededText(rec, b.Col("currency"))
	l.Billed = b.Needed(rec, b.Col("billed"))
	l.List = b.Amount(rec, b.Col("list"))
	l.Contracted = b.Amount(rec, b.Col("contracted"))
	l.Quantity = b.Amount(rec, b.Col("quantity"))
	kind := strings.ToLower(b.NeededText(rec, b.Col("category")))
	category, known := huobanCategories[kind]
	if !known {
		b.Fail(b.Col("category"), []byte(kind), "ingest.category_unknown", nil)
	}
	l.Product = usage.Product{
		Service: b.NeededText(rec, b.Col("service")), ServiceCategory: text("service_category"),
		SKU: text("sku"), Description: text("description"), Region: text("region"),
		ChargeCategory: category, ChargingMode: m.mode(rec, category), Unit: text("unit"),
	}
	l.Resource = usage.Resource{
		ID: text("resource"), Name: text("resource_name"), Type: text("resource_type"),
		Tags: b.Tags(rec, b.Col("tags")), OrderNo: text("order"),
	}
	provider := text("provider")
	l.Account = usage.Account{
		Provider: provider, Publisher: provider, Issuer: provider,
		BillingAccount: text("billing_account"), BillingAccountName: text("billing_account_name"),
		SubAccount: text("sub_account"), SubAccountName: text("sub_account_name"),
		SourceKey: b.Key(rec, l.Resource.Tags),
	}
	l.Kind = usage.KindOf(category, false, kind == "refund", l.Billed)
	return true
}

func (m *huobanMapper) mode(rec *Record, category string) usage.ChargingMode {
	at := m.b.Col("charging_mode")
	switch mode := usage.ChargingMode(m.b.Text(rec, at)); mode {
	case usage.ModeOnDemand, usage.ModeSubscription, usage.ModeReserved, usage.ModeSavingsPlan, usage.ModeOneTime:
		return mode
	case "":
		switch category {
		case "Usage":
			return usage.ModeOnDemand
		case "Purchase":
			return usage.ModeSubscription
		}
		return usage.ModeOneTime
	default:
		m.b.Fail(at, []byte(mode), "ingest.mode_unknown", nil)
		return ""
	}
}

// Identity: line_id, chosen by whoever writes the file.
func (m *huobanMapper) Identity(rec *Record, _ *usage.Line) (key, content usage.Hash) {
	key = hashCells(&m.buf, m.b.Cell(rec, m.b.Col("line_id")))
	return key, m.row.of(rec)
}
