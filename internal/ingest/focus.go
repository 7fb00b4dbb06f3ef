package ingest

import (
	"strings"
	"time"

	"huoban/internal/cycle"
	"huoban/internal/money"
	"huoban/internal/usage"
)

// focusFields are the FOCUS columns read, by the portal's name. Provider is ServiceProviderName
// from 1.3 on and ProviderName before.
var focusFields = []Field{
	{"billed", []string{"BilledCost"}, true},
	{"currency", []string{"BillingCurrency"}, true},
	{"period_start", []string{"BillingPeriodStart"}, true},
	{"charge_start", []string{"ChargePeriodStart"}, true},
	{"category", []string{"ChargeCategory"}, true},
	{"charge_end", []string{"ChargePeriodEnd"}, false},
	{"class", []string{"ChargeClass"}, false},
	{"description", []string{"ChargeDescription"}, false},
	{"frequency", []string{"ChargeFrequency"}, false},
	{"list", []string{"ListCost"}, false},
	{"contracted", []string{"ContractedCost"}, false},
	{"effective", []string{"EffectiveCost"}, false},
	{"quantity", []string{"ConsumedQuantity"}, false},
	{"unit", []string{"ConsumedUnit"}, false},
	{"pricing_quantity", []string{"PricingQuantity"}, false},
	{"pricing_unit", []string{"PricingUnit"}, false},
	{"pricing_category", []string{"PricingCategory"}, false},
	{"provider", []string{"ServiceProviderName", "ProviderName"}, false},
	{"publisher", []string{"PublisherName"}, false},
	{"issuer", []string{"InvoiceIssuerName"}, false},
	{"billing_account", []string{"BillingAccountId"}, false},
	{"billing_account_name", []string{"BillingAccountName"}, false},
	{"sub_account", []string{"SubAccountId"}, false},
	{"sub_account_name", []string{"SubAccountName"}, false},
	{"service", []string{"ServiceName"}, false},
	{"service_category", []string{"ServiceCategory"}, false},
	{"sku", []string{"SkuId"}, false},
	{"sku_price", []string{"SkuPriceId"}, false},
	{"region", []string{"RegionId", "Region"}, false},
	{"region_name", []string{"RegionName"}, false},
	{"resource", []string{"ResourceId"}, false},
	{"resource_name", []string{"ResourceName"}, false},
	{"resource_type", []string{"ResourceType"}, false},
	{"tags", []string{"Tags"}, false},
	{"commitment", []string{"CommitmentDiscountId"}, false},
	{"commitment_category", []string{"CommitmentDiscountCategory"}, false},
	{"commitment_type", []string{"CommitmentDiscountType"}, false},
}

// quirk is where a cloud's FOCUS departs from the specification.
type quirk struct {
	zeroIsNull      bool // ListCost and ContractedCost 0 beside a cost mean that they are unknown
	urlDescription  bool // ChargeDescription holds a link
	oneTimeIsSubscr bool // a one-time purchase is 包年/包月
}

func init() {
	focus := func(name, short string, zone, naive *time.Location, q quirk) Dialect {
		d := Dialect{
			Name: name, Family: "focus", Zone: zone, Naive: naive, Mode: "snapshot", Base: "billed",
			Fields: focusFields,
			Build:  func(b *Bound) (Mapper, error) { return newFocusMapper(b, q), nil },
		}
		if short != "" {
			d.Aliases = []string{short}
		}
		return d
	}
	plain := focus("focus", "", time.UTC, time.UTC, quirk{})
	plain.Match = focusVersion
	Register(plain)
	Register(focus("focus-aws", "aws", time.UTC, time.UTC, quirk{}))
	Register(focus("focus-azure", "azure", time.UTC, time.UTC, quirk{zeroIsNull: true}))
	Register(focus("focus-huawei", "huawei", cycle.Zone, nil, quirk{oneTimeIsSubscr: true}))
	Register(focus("focus-alibaba", "alibaba", cycle.Zone, nil, quirk{oneTimeIsSubscr: true}))
	Register(focus("focus-tencent", "tencent", cycle.Zone, nil, quirk{oneTimeIsSubscr: true, urlDescription: true}))
}

// focusVersion tells the version by the newest column present.
func focusVersion(h *Header) (string, bool) {
	if !h.Has("BilledCost") || !h.Has("ChargeCategory") && !h.Has("ChargePeriodStart") && !h.Has("BillingPeriodStart") {
		return "", false
	}
	for _, v := range []struct {
		version string
		columns []string
	}{
		{"1.4", []string{"InvoiceDetailId", "CommitmentProgramEligibilityDetails"}},
		{"1.3", []string{"ServiceProviderName", "HostProviderName", "AllocatedMethodId", "ContractApplied"}},
		{"1.2", []string{"InvoiceId", "BillingAccountType", "SubAccountType", "PricingCurrency"}},
		{"1.1", []string{"CapacityReservationId", "ServiceSubcategory", "SkuMeter", "SkuPriceDetails", "CommitmentDiscountQuantity"}},
	} {
		for _, c := range v.columns {
			if h.Has(c) {
				return v.version, true
			}
		}
	}
	return "1.0", true
}

type focusMapper struct {
	b    *Bound
	q    quirk
	hash *rowHash
	col  focusColumns
}

type focusColumns struct {
	billed, currency, periodStart, chargeStart, category, chargeEnd, class, description, frequency int
	list, contracted, effective, quantity, unit, pricingQuantity, pricingUnit, pricingCategory     int
	provider, publisher, issuer, account, accountName, sub, subName                                int
	service, serviceCategory, sku, skuPrice, region, regionName                                    int
	resource, resourceName, resourceType, tags, commitment, commitmentCategory, commitmentType     int
}

func newFocusMapper(b *Bound, q quirk) *focusMapper {
	c := b.Col
	return &focusMapper{b: b, q: q, hash: newRowHash(b.Header, true, "InvoiceId"), col: focusColumns{
		billed: c("billed"), currency: c("currency"), periodStart: c("period_start"),
		chargeStart: c("charge_start"), category: c("category"), chargeEnd: c("charge_end"),
		class: c("class"), description: c("description"), frequency: c("frequency"),
		list: c("list"), contracted: c("contracted"), effective: c("effective"),
		quantity: c("quantity"), unit: c("unit"), pricingQuantity: c("pricing_quantity"),
		pricingUnit: c("pricing_unit"), pricingCategory: c("pricing_category"),
		provider: c("provider"), publisher: c("publisher"), issuer: c("issuer"),
		account: c("billing_account"), accountName: c("billing_account_name"),
		sub: c("sub_account"), subName: c("sub_account_name"),
		service: c("service"), serviceCategory: c("service_category"), sku: c("sku"),
		skuPrice: c("sku_price"), region: c("region"), regionName: c("region_name"),
		resource: c("resource"), resourceName: c("resource_name"), resourceType: c("resource_type"),
		tags: c("tags"), commitment: c("commitment"),
		commitmentCategory: c("commitment_category"), commitmentType: c("commitment_type"),
	}}
}

func (m *focusMapper) Map(rec *Record, l *usage.Line) bool {
	b, c := m.b, &m.col
	b.SetCycle(l, b.CycleOf(rec, c.periodStart))
	l.ChargeStart = b.Time(rec, c.chargeStart)
	if l.ChargeEnd = b.End(rec, c.chargeEnd); l.ChargeEnd.IsZero() {
		l.ChargeEnd = l.ChargeStart
	}
	l.Currency = b.NeededText(rec, c.currency)
	l.Billed = b.Needed(rec, c.billed)
	l.List = b.Amount(rec, c.list)
	l.Contracted = b.Amount(rec, c.contracted)
	l.Effective = b.Amount(rec, c.effective)
	if m.q.zeroIsNull && !l.Billed.IsZero() {
		l.List, l.Contracted = unlessZero(l.List), unlessZero(l.Contracted)
	}
	quantity, unit := c.quantity, c.unit
	if b.Cell(rec, quantity) == nil {
		quantity, unit = c.pricingQuantity, c.pricingUnit
	}
	l.Quantity = b.Amount(rec, quantity)
	m.product(rec, l)
	l.Product.Unit = b.Text(rec, unit)
	l.Resource = usage.Resource{
		ID: b.Text(rec, c.resource), Name: b.Text(rec, c.resourceName),
		Type: b.Text(rec, c.resourceType), Tags: b.Tags(rec, c.tags),
	}
	l.Account = usage.Account{
		Provider: b.Text(rec, c.provider), Publisher: b.Text(rec, c.publisher), Issuer: b.Text(rec, c.issuer),
		BillingAccount: b.Text(rec, c.account), BillingAccountName: b.Text(rec, c.accountName),
		SubAccount: b.Text(rec, c.sub), SubAccountName: b.Text(rec, c.subName),
		SourceKey: b.Key(rec, l.Resource.Tags),
	}
	l.Correction = strings.EqualFold(l.Product.ChargeClass, "Correction")
	l.Kind = usage.KindOf(l.Product.ChargeCategory, l.Correction, false, l.Billed)
	return true
}

func (m *focusMapper) product(rec *Record, l *usage.Line) {
	b, c := m.b, &m.col
	p := &l.Product
	*p = usage.Product{
		Service: b.Text(rec, c.service), ServiceCategory: b.Text(rec, c.serviceCategory),
		SKU: b.Text(rec, c.sku), SKUPrice: b.Text(rec, c.skuPrice),
		Region: b.Text(rec, c.region), RegionName: b.Text(rec, c.regionName),
		ChargeClass: b.Text(rec, c.class), ChargeFrequency: b.Text(rec, c.frequency),
		PricingCategory: b.Text(rec, c.pricingCategory), Description: b.Text(rec, c.description),
	}
	if m.q.urlDescription && strings.HasPrefix(p.Description, "http") {
		p.Description = ""
	}
	if p.Region == "" { // Oracle's rows have only the name, which is the code
		p.Region = p.RegionName
	}
	category := b.Cell(rec, c.category)
	p.ChargeCategory = focusCategory(category)
	if p.ChargeCategory == "" {
		if category == nil {
			b.Fail(c.category, nil, "ingest.value_missing", nil)
		} else {
			b.Fail(c.category, category, "ingest.category_unknown", nil)
		}
	}
	p.ChargingMode = m.mode(rec, p)
}

// focusCategories are the values of ChargeCategory.
var focusCategories = []string{"Usage", "Purchase", "Tax", "Credit", "Adjustment"}

func focusCategory(cell []byte) string {
	for _, c := range focusCategories {
		if string(cell) == c {
			return c
		}
	}
	for _, c := range focusCategories {
		if strings.EqualFold(string(cell), c) {
			return c
		}
	}
	return ""
}

// mode is 计费模式: a commitment names reserved or savings plan; otherwise recurring is a
// subscription, once is once, and the rest is by use.
func (m *focusMapper) mode(rec *Record, p *usage.Product) usage.ChargingMode {
	b, c := m.b, &m.col
	committed := strings.EqualFold(p.PricingCategory, "Committed")
	if committed || b.Cell(rec, c.commitment) != nil {
		kind, category := b.Text(rec, c.commitmentType), b.Text(rec, c.commitmentCategory)
		if mode := commitmentMode(kind, category); mode != "" {
			return mode
		}
	}
	switch f := p.ChargeFrequency; {
	case strings.EqualFold(f, "Recurring"):
		return usage.ModeSubscription
	case strings.EqualFold(f, "One-Time"):
		if m.q.oneTimeIsSubscr && p.ChargeCategory == "Purchase" {
			return usage.ModeSubscription
		}
		return usage.ModeOneTime
	case f != "" || p.ChargeCategory == "Usage":
		return usage.ModeOnDemand
	case p.ChargeCategory == "Purchase":
		return usage.ModeSubscription
	}
	return usage.ModeOneTime
}

func commitmentMode(kind, category string) usage.ChargingMode {
	kind = strings.ToLower(kind)
	switch {
	case strings.Contains(kind, "saving"), strings.EqualFold(category, "Spend"):
		return usage.ModeSavingsPlan
	case kind != "", strings.EqualFold(category, "Usage"):
		return usage.ModeReserved
	}
	return ""
}

func unlessZero(x *money.Exact) *money.Exact {
	if x != nil && x.IsZero() {
		return nil
	}
	return x
}

// Identity: FOCUS has no line key, so the content is the key; InvoiceId and x_ columns, which
// change when a bill becomes final, do not count.
func (m *focusMapper) Identity(rec *Record, _ *usage.Line) (key, content usage.Hash) {
	h := m.hash.of(rec)
	return h, h
}
