package conformance

import (
	"bytes"
	"compress/gzip"
	_ "embed"
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"sync"
)

//go:embed model/model-1.2.json.gz
var modelGz []byte

// check is a node of a rule's requirement or condition, as the model writes it.
type check struct {
	Function string  `json:"CheckFunction"`
	Items    []check `json:"Items"`
	Rule     string  `json:"ModelRuleId"`
	Column   string  `json:"ColumnName"`
	Value    any     `json:"Value"`
	A        string  `json:"ColumnAName"`
	B        string  `json:"ColumnBName"`
	Result   string  `json:"ResultColumnName"`
	Count    int     `json:"ExpectedCount"`
	And      checks  `json:"AND"` // two rules of the model leave the function out and write {"AND": …}
}

// checks is one check or a list of them.
type checks []check

// UnmarshalJSON takes both forms.
func (c *checks) UnmarshalJSON(b []byte) error {
	var many []check
	if err := json.Unmarshal(b, &many); err == nil {
		*c = many
		return nil
	}
	var one check
	if err := json.Unmarshal(b, &one); err != nil {
		return err
	}
	*c = checks{one}
	return nil
}

type modelRule struct {
	Reference  string
	EntityType string
	Type       string
	Criteria   struct {
		MustSatisfy string
		Keyword     string
		Requirement check
		Condition   check
	} `json:"ValidationCriteria"`
}

var model = sync.OnceValue(func() map[string]modelRule {
	var m struct{ ModelRules map[string]modelRule }
	r, err := gzip.NewReader(bytes.NewReader(modelGz))
	if err == nil {
		err = json.NewDecoder(r).Decode(&m)
	}
	if err != nil {
		panic(fmt.Sprintf("conformance: %v", err))
	}
	// The model's own slip: the sentence says the column MUST be null, the check says it must not.
	if r, ok := m.ModelRules["CommitmentDiscountStatus-C-003-C"]; ok {
		r.Criteria.Requirement.Function = "CheckValue"
		m.ModelRules["CommitmentDiscountStatus-C-003-C"] = r
	}
	return m.ModelRules
})

// ids lists the rules in order of name.
func ids() []string { return slices.Sorted(maps.Keys(model())) }

// since names the version that brought a column; every other column of the model is of 1.0.
var since = map[string]string{
	"CapacityReservationId": "1.1", "CapacityReservationStatus": "1.1", "CommitmentDiscountQuantity": "1.1",
	"CommitmentDiscountUnit": "1.1", "ServiceSubcategory": "1.1", "SkuMeter": "1.1", "SkuPriceDetails": "1.1",
	"InvoiceId": "1.2", "BillingAccountType": "1.2", "SubAccountType": "1.2", "PricingCurrency": "1.2",
	"PricingCurrencyContractedUnitPrice": "1.2", "PricingCurrencyEffectiveCost": "1.2", "PricingCurrencyListUnitPrice": "1.2",
}

// until names the version that no longer asks for a column (1.4 keeps ServiceProviderName and
// HostProviderName instead).
var until = map[string]string{"ProviderName": "1.4", "PublisherName": "1.4"}

// applies tells whether a column belongs to a version of FOCUS.
func applies(column, version string) bool {
	if v, ok := since[column]; ok && version < v {
		return false
	}
	if v, ok := until[column]; ok && version >= v {
		return false
	}
	return true
}
