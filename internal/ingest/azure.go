package ingest

import (
	"strings"
	"time"

	"huoban/internal/usage"
)

// Azure cost exports of enterprise agreements, Microsoft customer agreements and pay-as-you-go.
// Header spelling differs by agreement, version and language of the portal.
func init() {
	Register(Dialect{
		Name: "azure-cost", Aliases: []string{"azure-ea", "azure-mca"}, Zone: time.UTC, Naive: time.UTC,
		Mode: "snapshot", Base: "billed",
		Fields: []Field{
			{"billed", []string{"CostInBillingCurrency", "Cost", "PreTaxCost", "ExtendedCost"}, true},
			{"currency", []string{"BillingCurrency", "BillingCurrencyCode", "Currency", "CurrencyCode"}, true},
			{"charge_start", []string{"Date", "UsageDateTime", "UsageDate"}, true},
			{"period_start", []string{"BillingPeriodStartDate", "BillingPeriodStart"}, false},
			{"category", []string{"ChargeType"}, false},
			{"frequency", []string{"Frequency"}, false},
			{"pricing_category", []string{"PricingModel"}, false},
			{"reservation", []string{"ReservationId"}, false},
			{"benefit", []string{"benefitId"}, false},
			{"list", []string{"PaygCostInBillingCurrency"}, false},
			{"billing_account", []string{"BillingAccountId", "BillingAccountNumber", "EnrollmentNumber"}, false},
			{"billing_account_name", []string{"BillingAccountName"}, false},
			{"sub_account", []string{"SubscriptionId", "SubscriptionGuid"}, false},
			{"sub_account_name", []string{"SubscriptionName"}, false},
			{"resource_group", []string{"ResourceGroup", "ResourceGroupName"}, false},
			{"publisher", []string{"PublisherName"}, false},
			{"publisher_type", []string{"PublisherType"}, false},
			{"service", []string{"MeterCategory", "ServiceName", "ConsumedService"}, false},
			{"service_category", []string{"ServiceFamily"}, false},
			{"sku", []string{"MeterId"}, false},
			{"sku_price", []string{"PartNumber"}, false},
			{"description", []string{"ProductName", "Product", "MeterName"}, false},
			{"region", []string{"ResourceLocation", "ResourceLocationNormalized"}, false},
			{"region_name", []string{"MeterRegion"}, false},
			{"quantity", []string{"Quantity", "UsageQuantity", "ConsumedQuantity"}, false},
			{"unit", []string{"UnitOfMeasure"}, false},
			{"resource", []string{"ResourceId", "InstanceId", "InstanceName"}, false},
			{"resource_name", []string{"ResourceName"}, false},
			{"resource_type", []string{"ResourceType", "ConsumedService"}, false},
			{"tags", []string{"Tags"}, false},
		},
		Match: func(h *Header) (string, bool) {
			switch {
			case !h.Has("MeterId") && !h.Has("MeterCategory"):
				return "", false
			case h.Has("CostInBillingCurrency") && h.Has("CostInPricingCurrency"):
				return "mca", true
			case h.Has("CostInBillingCurrency"), h.Has("Cost") && h.Has("Date"):
				return "ea", true
			case h.Has("PreTaxCost"), h.Has("ExtendedCost"):
				return "legacy", true
			}
			return "", false
		},
		Build: func(b *Bound) (Mapper, error) {
			return &azureMapper{b: b, row: newRowHash(b.Header, false)}, nil
		},
	})
}

type azureMapper struct {
	b   *Bound
	row *rowHash
}

func (m *azureMapper) Map(rec *Record, l *usage.Line) bool {
	b := m.b
	text := func(f string) string { return b.Text(rec, b.Col(f)) }
	l.ChargeStart = b.Time(rec, b.Col("charge_start"))
	l.ChargeEnd = b.LastDay(rec, b.Col("charge_start"))
	c := b.CycleOf(rec, b.Col("period_start"))
	if c == "" { // exports without billing period: pay-as-you-go months are calendar months
		c = b.CycleOf(rec, b.Col("charge_start"))
	}
	b.SetCycle(l, c)
	l.Currency = b.NeededText(rec, b.Col("currency"))
	l.Billed = b.Needed(rec, b.Col("billed"))
	l.List = b.Amount(rec, b.Col("list"))
	l.Quantity = b.Amount(rec, b.Col("quantity"))
	charge := text("category")
	category, refund := azureCategory(charge)
	l.Product = usage.Product{
		Service: text("service"), ServiceCategory: text("service_category"), SKU: text("sku"),
		SKUPrice: text("sku_price"), Description: text("description"), Region: text("region"),
		RegionName: text("region_name"), ChargeCategory: category, ChargeFrequency: text("frequency"),
		PricingCategory: text("pricing_category"), Unit: text("unit"),
	}
	l.Product.ChargingMode = m.mode(rec, &l.Product)
	l.Resource = usage.Resource{
		ID: text("resource"), Name: text("resource_name"), Type: text("resource_type"),
		Tags: b.Tags(rec, b.Col("tags")),
	}
	l.Account = usage.Account{
		Provider: "Microsoft", Publisher: text("publisher"), Issuer: "Microsoft",
		BillingAccount: text("billing_account"), BillingAccountName: text("billing_account_name"),
		SubAccount: text("sub_account"), SubAccountName: text("sub_account_name"),
		SourceKey: b.Key(rec, l.Resource.Tags),
	}
	if l.Account.Publisher == "" {
		l.Account.Publisher = text("publisher_type")
	}
	l.Kind = usage.KindOf(category, false, refund, l.Billed)
	m.amortised(rec, l, charge)
	return true
}

// azureCategory maps ChargeType. A refund is of a purchase given back.
func azureCategory(charge string) (category string, refund bool) {
	switch strings.ToLower(charge) {
	case "", "usage", "unusedreservation", "unusedsavingsplan":
		return "Usage", false
	case "purchase":
		return "Purchase", false
	case "refund":
		return "Purchase", true
	case "tax":
		return "Tax", false
	case "credit":
		return "Credit", false
	}
	return "Adjustment", false
}

func (m *azureMapper) mode(rec *Record, p *usage.Product) usage.ChargingMode {
	b := m.b
	model, frequency := strings.ToLower(p.PricingCategory), strings.ToLower(p.ChargeFrequency)
	benefit := strings.ToLower(b.Text(rec, b.Col("benefit")))
	switch {
	case strings.Contains(model, "savings"), strings.Contains(benefit, "savingsplan"):
		return usage.ModeSavingsPlan
	case strings.Contains(model, "reserv"), b.Cell(rec, b.Col("reservation")) != nil:
		return usage.ModeReserved
	case frequency == "recurring":
		return usage.ModeSubscription
	case frequency == "onetime", p.ChargeCategory != "Usage":
		return usage.ModeOneTime
	}
	return usage.ModeOnDemand
}

// amortised recognises what only an amortised export has: rows of unused commitment, and usage
// covered by a commitment that costs something. In an actual cost export such usage costs nothing,
// because the purchase was charged.
func (m *azureMapper) amortised(rec *Record, l *usage.Line, charge string) {
	b := m.b
	switch strings.ToLower(charge) {
	case "unusedreservation", "unusedsavingsplan":
		b.Amortised(b.Col("category"), []byte(charge))
	case "usage":
		covered := l.Product.ChargingMode == usage.ModeReserved || l.Product.ChargingMode == usage.ModeSavingsPlan
		if covered && !l.Billed.IsZero() {
			b.Amortised(b.Col("billed"), b.Cell(rec, b.Col("billed")))
		}
	}
}

// Identity: Azure has no line key; the whole row is.
func (m *azureMapper) Identity(rec *Record, _ *usage.Line) (key, content usage.Hash) {
	h := m.row.of(rec)
	return h, h
}
