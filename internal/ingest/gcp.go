package ingest

import (
	"strings"
	"time"

	"huoban/internal/cycle"
	"huoban/internal/fault"
	"huoban/internal/money"
	"huoban/internal/usage"
)

// Google Cloud billing exports, standard and detailed, as BigQuery writes them to CSV: nested
// columns as "service.id", flattened as "service_id", lists as JSON or as Python prints them.
func init() {
	Register(Dialect{
		Name: "gcp", Zone: time.UTC, Naive: time.UTC, Mode: "snapshot", Base: "billed", KeyField: "project_id",
		Fields: []Field{
			{"cost", []string{"cost"}, true},
			{"currency", []string{"currency"}, true},
			{"invoice_month", []string{"invoice.month"}, true},
			{"charge_start", []string{"usage_start_time"}, true},
			{"charge_end", []string{"usage_end_time"}, false},
			{"credits", []string{"credits"}, false},
			{"credits_amount", []string{"credits.amount"}, false},
			{"cost_type", []string{"cost_type"}, false},
			{"adjustment", []string{"adjustment_info.id", "adjustment_info.type"}, false},
			{"billing_account", []string{"billing_account_id"}, false},
			{"project_id", []string{"project.id"}, false},
			{"project_name", []string{"project.name"}, false},
			{"publisher", []string{"seller_name"}, false},
			{"service", []string{"service.description"}, false},
			{"service_id", []string{"service.id"}, false},
			{"sku", []string{"sku.id"}, false},
			{"description", []string{"sku.description"}, false},
			{"region", []string{"location.region", "location.location"}, false},
			{"location", []string{"location.location"}, false},
			{"list", []string{"cost_at_list"}, false},
			{"quantity", []string{"usage.amount"}, false},
			{"unit", []string{"usage.unit"}, false},
			{"resource", []string{"resource.global_name", "resource.name"}, false},
			{"resource_name", []string{"resource.name"}, false},
			{"tags", []string{"labels"}, false},
		},
		Match: func(h *Header) (string, bool) {
			if !h.Has("cost") || !h.Has("invoice.month") || !h.Has("usage_start_time") {
				return "", false
			}
			if h.Has("resource.name") {
				return "detailed", true
			}
			return "standard", true
		},
		Build: func(b *Bound) (Mapper, error) {
			if b.Col("credits") < 0 && b.Col("credits_amount") < 0 {
				return nil, fault.Invalid("ingest.columns_missing",
					fault.Args{"dialect": "gcp", "columns": "credits"})
			}
			return &gcpMapper{b: b, row: newRowHash(b.Header, false, "export_time", "partition_date")}, nil
		},
	})
}

type gcpMapper struct {
	b   *Bound
	row *rowHash
}

func (m *gcpMapper) Map(rec *Record, l *usage.Line) bool {
	b := m.b
	text := func(f string) string { return b.Text(rec, b.Col(f)) }
	b.SetCycle(l, m.month(rec))
	l.ChargeStart = b.Time(rec, b.Col("charge_start"))
	if l.ChargeEnd = b.End(rec, b.Col("charge_end")); l.ChargeEnd.IsZero() {
		l.ChargeEnd = l.ChargeStart
	}
	l.Currency = b.NeededText(rec, b.Col("currency"))
	l.Billed = b.Needed(rec, b.Col("cost")).Add(m.credits(rec))
	l.List = b.Amount(rec, b.Col("list"))
	l.Quantity = b.Amount(rec, b.Col("quantity"))
	category, mode := m.category(rec)
	l.Product = usage.Product{
		Service: text("service"), SKU: text("sku"), Description: text("description"),
		Region: text("region"), RegionName: text("location"), ChargeCategory: category,
		ChargeFrequency: "Usage-Based", ChargingMode: mode, Unit: text("unit"),
	}
	if l.Product.Service == "" {
		l.Product.Service = text("service_id")
	}
	if l.Product.Region == "" {
		l.Product.Region = l.Product.RegionName
	}
	l.Resource = usage.Resource{
		ID: text("resource"), Name: text("resource_name"), Tags: b.Tags(rec, b.Col("tags")),
	}
	l.Account = usage.Account{
		Provider: "Google Cloud", Publisher: text("publisher"), Issuer: "Google",
		BillingAccount: text("billing_account"), SourceKey: b.Key(rec, l.Resource.Tags),
	}
	l.Kind = usage.KindOf(category, false, false, l.Billed)
	return true
}

// month is the cycle: the invoice month, whatever the usage time.
func (m *gcpMapper) month(rec *Record) cycle.Cycle {
	at := m.b.Col("invoice_month")
	cell := m.b.Cell(rec, at)
	if cell == nil {
		m.b.Fail(at, nil, "ingest.value_missing", nil)
		return ""
	}
	if len(cell) == 6 && digits(cell) == 6 {
		if c, err := cycle.Parse(string(cell[:4]) + "-" + string(cell[4:])); err == nil {
			return cycle.Cycle(m.b.Share([]byte(c)))
		}
	}
	m.b.Fail(at, cell, "ingest.month_malformed", nil)
	return ""
}

// credits is what the row's credits add, negative as a rule. They stand in a list, or flattened in a
// column of their own, or in both: then they are counted once and must agree.
func (m *gcpMapper) credits(rec *Record) money.Exact {
	b := m.b
	flat := b.Amount(rec, b.Col("credits_amount"))
	at := b.Col("credits")
	cell := b.Cell(rec, at)
	if len(cell) == 0 || string(cell) == "[]" {
		if flat == nil {
			return money.Exact{}
		}
		if cell != nil && !flat.IsZero() {
			b.Fail(at, cell, "ingest.credits_disagree", fault.Args{"amount": flat.String()})
		}
		return *flat
	}
	sum, err := sumCredits(cell)
	if err != nil {
		b.Fail(at, cell, "ingest.credits_malformed", nil)
		return money.Exact{}
	}
	if flat != nil && !flat.Equal(sum) {
		b.Fail(at, cell, "ingest.credits_disagree", fault.Args{"amount": flat.String()})
	}
	return sum
}

// sumCredits adds the amounts of a credits list, exactly.
func sumCredits(cell []byte) (money.Exact, error) {
	var sum money.Exact
	v, err := readLiteral(cell)
	if err != nil {
		return sum, err
	}
	items, ok := v.([]any)
	if !ok {
		return sum, errLiteral
	}
	for _, item := range items {
		credit, ok := item.(map[string]any)
		if !ok {
			return sum, errLiteral
		}
		amount, ok := credit["amount"]
		if !ok {
			return sum, errLiteral
		}
		text := literalText(amount)
		if amount == nil {
			continue
		}
		x, err := money.ParseExact(text)
		if err != nil {
			return sum, err
		}
		sum = sum.Add(x)
	}
	return sum, nil
}

// category maps cost_type; a row that names an adjustment is one.
func (m *gcpMapper) category(rec *Record) (string, usage.ChargingMode) {
	b := m.b
	at := b.Col("cost_type")
	switch kind := b.Text(rec, at); kind {
	case "tax":
		return "Tax", usage.ModeOneTime
	case "adjustment", "rounding_error", "roundoff":
		return "Adjustment", usage.ModeOneTime
	case "regular", "":
		if b.Cell(rec, b.Col("adjustment")) != nil {
			return "Adjustment", usage.ModeOneTime
		}
	default:
		b.Fail(at, []byte(kind), "ingest.category_unknown", nil)
	}
	sku := strings.ToLower(b.Text(rec, b.Col("description")))
	if strings.HasPrefix(sku, "commitment") {
		return "Purchase", usage.ModeReserved
	}
	return "Usage", usage.ModeOnDemand
}

// Identity: Google has no line key. export_time and partition_date change when the same row is
// exported again and do not count.
func (m *gcpMapper) Identity(rec *Record, _ *usage.Line) (key, content usage.Hash) {
	h := m.row.of(rec)
	return h, h
}
