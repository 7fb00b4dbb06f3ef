package usage

import (
	"encoding/json"
	"strings"
)

// columns are the FOCUS columns a stored line can still be asked for.
var columns = map[string]func(*Line) string{
	"ProviderName":       func(l *Line) string { return l.Account.Provider },
	"PublisherName":      func(l *Line) string { return l.Account.Publisher },
	"InvoiceIssuerName":  func(l *Line) string { return l.Account.Issuer },
	"BillingAccountId":   func(l *Line) string { return l.Account.BillingAccount },
	"BillingAccountName": func(l *Line) string { return l.Account.BillingAccountName },
	"SubAccountId":       func(l *Line) string { return l.Account.SubAccount },
	"SubAccountName":     func(l *Line) string { return l.Account.SubAccountName },
	"SourceKey":          func(l *Line) string { return l.Account.SourceKey },
	"ServiceName":        func(l *Line) string { return l.Product.Service },
	"ServiceCategory":    func(l *Line) string { return l.Product.ServiceCategory },
	"SkuId":              func(l *Line) string { return l.Product.SKU },
	"SkuPriceId":         func(l *Line) string { return l.Product.SKUPrice },
	"ChargeDescription":  func(l *Line) string { return l.Product.Description },
	"RegionId":           func(l *Line) string { return l.Product.Region },
	"RegionName":         func(l *Line) string { return l.Product.RegionName },
	"ChargeCategory":     func(l *Line) string { return l.Product.ChargeCategory },
	"ChargeClass":        func(l *Line) string { return l.Product.ChargeClass },
	"ChargeFrequency":    func(l *Line) string { return l.Product.ChargeFrequency },
	"PricingCategory":    func(l *Line) string { return l.Product.PricingCategory },
	"ResourceId":         func(l *Line) string { return l.Resource.ID },
	"ResourceName":       func(l *Line) string { return l.Resource.Name },
	"ResourceType":       func(l *Line) string { return l.Resource.Type },
	"BillingCurrency":    func(l *Line) string { return l.Currency },
}

const tagPrefix = "Tags."

// KnownColumn tells whether Column answers for the name.
func KnownColumn(name string) bool {
	if _, ok := columns[name]; ok {
		return true
	}
	return strings.HasPrefix(name, tagPrefix) && len(name) > len(tagPrefix)
}

// Column is the value of a FOCUS column, or of one tag as "Tags.name"; "" if absent.
func (l *Line) Column(name string) string {
	if f, ok := columns[name]; ok {
		return f(l)
	}
	tag, ok := strings.CutPrefix(name, tagPrefix)
	if !ok || l.Resource.Tags == "" {
		return ""
	}
	var tags map[string]any
	if json.Unmarshal([]byte(l.Resource.Tags), &tags) != nil {
		return ""
	}
	switch v := tags[tag].(type) {
	case string:
		return v
	case nil:
		return ""
	default:
		text, err := json.Marshal(v)
		if err != nil {
			return ""
		}
		return string(text)
	}
}
