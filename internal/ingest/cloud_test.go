package ingest_test

import (
	"io"
	"strings"
	"testing"

	"huoban/internal/ingest"
	"huoban/internal/usage"
)

// Azure's exports spell their headers by agreement, version and language.
func TestAzureHeaders(t *testing.T) {
	for name, text := range map[string]string{
		"ea":     "Date,BillingPeriodStartDate,SubscriptionId,MeterId,MeterCategory,CostInBillingCurrency,BillingCurrencyCode,ResourceLocation\n9/2/2023,9/1/2023,s-1,m-1,Storage,5.64902E-05,CAD,CentralUS\n",
		"camel":  "date,billingPeriodStartDate,subscriptionId,meterId,meterCategory,costInBillingCurrency,billingCurrency,resourceLocation\n09/02/2023,09/01/2023,s-1,m-1,Storage,5.64902E-05,CAD,CentralUS\n",
		"lower":  "date,billingperiodstartdate,subscriptionid,meterid,metercategory,costinbillingcurrency,billingcurrency,resourcelocation\n2023-09-02,2023-09-01,s-1,m-1,Storage,0.0000564902,CAD,CentralUS\n",
		"german": "Datum (Date),Abrechnungszeitraum (BillingPeriodStartDate),Abonnement-GUID (SubscriptionGuid),Verbrauchseinheit (MeterId),Kategorie (MeterCategory),Kosten (Cost),Währung (Currency),Ressourcenstandort (ResourceLocation)\n9/2/2023,9/1/2023,s-1,m-1,Storage,5.64902E-05,CAD,CentralUS\n",
		"slash":  "Datum / Date,BillingPeriodStartDate,Abonnement / SubscriptionGuid,MeterId,Kategorie|MeterCategory,\"Kosten\nPreTaxCost\",Währung / Currency,Ort / ResourceLocation\n9/2/2023,9/1/2023,s-1,m-1,Storage,5.64902E-05,CAD,CentralUS\n",
		"legacy": "\ufeffUsageDateTime,SubscriptionGuid,MeterId,MeterCategory,PreTaxCost,Currency,ResourceLocation\n2023-09-02 00:00:00,s-1,m-1,Storage,5.64902E-05,CAD,CentralUS\n",
	} {
		l := one(t, ingest.Source{Dialect: "azure-ea"}, text)
		if l.Billed.String() != "0.0000564902" || l.Cycle != "2023-09" || l.Currency != "CAD" ||
			l.Account.SubAccount != "s-1" || l.Product.Region != "CentralUS" || l.Product.Service != "Storage" {
			t.Errorf("%s: %+v", name, l)
		}
		rows, err := ingest.NewCSV(io.NopCloser(strings.NewReader(text)))
		if err != nil {
			t.Fatal(err)
		}
		if d, _, _ := ingest.Detect(rows.Header()); d != "azure-cost" {
			t.Errorf("%s detected as %q", name, d)
		}
	}
}

const azureHead = "Date,BillingPeriodStartDate,SubscriptionId,MeterId,MeterCategory,Cost,BillingCurrency,ChargeType,Frequency,PricingModel,ReservationId,benefitId,Tags\n"

func TestAzureAmortised(t *testing.T) {
	actual := "9/2/2023,9/1/2023,s,m,VM,0,USD,Usage,UsageBased,Reservation,r-1,,\n" +
		"9/2/2023,9/1/2023,s,m,VM,3.25,USD,Purchase,Recurring,Reservation,r-1,,\n" +
		"9/2/2023,9/1/2023,s,m,VM,9,USD,Usage,UsageBased,OnDemand,,,\n"
	for name, row := range map[string]string{
		"covered by a reservation":   "9/2/2023,9/1/2023,s,m,VM,0.49,USD,Usage,UsageBased,Reservation,r-1,,\n",
		"covered by a savings plan":  "9/2/2023,9/1/2023,s,m,VM,0.49,USD,Usage,UsageBased,SavingsPlan,,,\n",
		"known by its benefit alone": "9/2/2023,9/1/2023,s,m,VM,0.49,USD,Usage,UsageBased,,,/providers/x/savingsPlans/1,\n",
		"unused reservation":         "9/2/2023,9/1/2023,s,m,VM,0,USD,UnusedReservation,UsageBased,Reservation,r-1,,\n",
		"unused savings plan":        "9/2/2023,9/1/2023,s,m,VM,0.1,USD,UnusedSavingsPlan,UsageBased,SavingsPlan,,,\n",
	} {
		_, _, r := read(t, ingest.Source{Dialect: "azure-cost"}, azureHead+actual+row)
		if e := r.Stats().Amortised; e == nil || e.LineNo != 5 {
			t.Errorf("%s: %v", name, e)
		}
	}
	_, _, r := read(t, ingest.Source{Dialect: "azure-cost"}, azureHead+actual)
	if e := r.Stats().Amortised; e != nil {
		t.Errorf("actual cost taken for amortised: %v", e)
	}
}

func TestAzureKinds(t *testing.T) {
	for charge, want := range map[string]usage.Kind{
		"Usage": usage.KindConsumption, "Purchase": usage.KindConsumption, "Refund": usage.KindRefund,
		"Tax": usage.KindTax, "RoundingAdjustment": usage.KindAdjustment,
	} {
		l := one(t, ingest.Source{Dialect: "azure-mca"}, azureHead+"9/2/2023,9/1/2023,s,m,VM,-1,USD,"+charge+",OneTime,,,,\"\"\"a\"\": \"\"b\"\"\"\n")
		if l.Kind != want || l.Resource.Tags != `{"a":"b"}` {
			t.Errorf("%s: %s %s", charge, l.Kind, l.Resource.Tags)
		}
	}
}

const curHead = "identity/LineItemId,identity/TimeInterval,bill/InvoiceId,bill/BillingPeriodStartDate,lineItem/LineItemType," +
	"lineItem/UsageStartDate,lineItem/UnblendedCost,lineItem/CurrencyCode,pricing/publicOnDemandCost,savingsPlan/SavingsPlanEffectiveCost,lineItem/UsageAccountId,resourceTags/user:team\n"

func TestCUR(t *testing.T) {
	src := ingest.Source{Dialect: "aws-cur", KeyColumn: "tag:user:team"}
	row := func(kind, cost, list, effective string) string {
		return curHead + "L1,2023-11-01T00:00:00Z/2023-11-02T00:00:00Z,,2023-11-01T00:00:00.000Z," + kind +
			",2023-11-01T00:00:00Z," + cost + ",USD," + list + "," + effective + ",42,core\n"
	}
	for kind, want := range map[string]usage.Kind{
		"Usage": usage.KindConsumption, "RIFee": usage.KindConsumption, "SavingsPlanNegation": usage.KindConsumption,
		"Tax": usage.KindTax, "Refund": usage.KindRefund, "Credit": usage.KindAdjustment, "EdpDiscount": usage.KindAdjustment,
		"Unheard": usage.KindAdjustment,
	} {
		l := one(t, src, row(kind, "-1.81E-8", "", ""))
		if l.Kind != want || l.Billed.String() != "-0.0000000181" || l.Account.SubAccount != "42" || l.Account.SourceKey != "core" {
			t.Errorf("%s: %+v", kind, l)
		}
	}
	_, _, r := read(t, src, row("SavingsPlanCoveredUsage", "0.1", "10", "0.1"))
	if r.Stats().Amortised == nil {
		t.Error("covered usage at its effective cost is amortised")
	}
	_, _, r = read(t, src, row("SavingsPlanCoveredUsage", "10", "10", "0.1"))
	if r.Stats().Amortised != nil {
		t.Error("covered usage at its on-demand cost, undone by a negation, is actual")
	}
	snake := "identity_line_item_id,identity_time_interval,bill_billing_period_start_date,line_item_line_item_type,line_item_usage_start_date,line_item_unblended_cost,line_item_currency_code\n" +
		"L1,2023-11-01T00:00:00Z/2023-11-02T00:00:00Z,2023-11-01 00:00:00.000,Usage,2023-11-01 00:00:00.000,1,USD\n"
	lines, bads, r := read(t, ingest.Source{Dialect: "cur"}, snake)
	if len(lines) != 1 || r.Version() != "2.0" {
		t.Errorf("CUR 2.0: version %q, %+v", r.Version(), bads)
	}
}

const gcpHead = "billing_account_id,service.description,usage_start_time,usage_end_time,project.id,cost,currency,credits,credits_amount,invoice.month,cost_type,adjustment_info.type\n"

func gcpRow(credits, amount, kind, adjustment string) string {
	return gcpHead + `A,Compute Engine,2020-10-31 23:00:00+00:00,2020-11-01 00:00:00+00:00,p-1,5e-06,USD,"` +
		strings.ReplaceAll(credits, `"`, `""`) + `",` + amount + ",202011," + kind + "," + adjustment + "\n"
}

func TestGCP(t *testing.T) {
	python := `[{'name': "Bob's trial", 'amount': -2e-06, 'full_name': None}, {'name': 'b', 'amount': -1e-06}]`
	json := `[{"name":"trial","amount":-0.000002},{"name":"b","amount":-1E-6}]`
	for name, c := range map[string]struct {
		row    string
		billed string
		kind   usage.Kind
	}{
		"python list":         {gcpRow(python, "", "regular", ""), "0.000002", usage.KindConsumption},
		"json list":           {gcpRow(json, "", "regular", ""), "0.000002", usage.KindConsumption},
		"column alone":        {gcpRow("", "-0.000003", "regular", ""), "0.000002", usage.KindConsumption},
		"both, counted once":  {gcpRow(json, "-0.000003", "regular", ""), "0.000002", usage.KindConsumption},
		"no credits":          {gcpRow("[]", "", "regular", ""), "0.000005", usage.KindConsumption},
		"tax":                 {gcpRow("[]", "", "tax", ""), "0.000005", usage.KindTax},
		"round-off":           {gcpRow("[]", "", "roundoff", ""), "0.000005", usage.KindAdjustment},
		"named as adjustment": {gcpRow("[]", "", "regular", "CREDIT"), "0.000005", usage.KindAdjustment},
	} {
		l := one(t, ingest.Source{Dialect: "gcp"}, c.row)
		if l.Billed.String() != c.billed || l.Kind != c.kind || l.Cycle != "2020-11" || l.Account.SourceKey != "p-1" {
			t.Errorf("%s: billed %s, %s, %s, key %q", name, l.Billed, l.Kind, l.Cycle, l.Account.SourceKey)
		}
	}
	for name, c := range map[string]struct{ row, code string }{
		"disagree":      {gcpRow(json, "-0.000004", "regular", ""), "ingest.credits_disagree"},
		"empty list":    {gcpRow("[]", "-0.000004", "regular", ""), "ingest.credits_disagree"},
		"cut list":      {gcpRow(`[{"amount": -1`, "", "regular", ""), "ingest.credits_malformed"},
		"no amount":     {gcpRow(`[{"name": "x"}]`, "", "regular", ""), "ingest.credits_malformed"},
		"unknown type":  {gcpRow("[]", "", "gift", ""), "ingest.category_unknown"},
		"invoice month": {strings.Replace(gcpRow("[]", "", "regular", ""), "202011", "202013", 1), "ingest.month_malformed"},
	} {
		_, bads, _ := read(t, ingest.Source{Dialect: "gcp"}, c.row)
		if len(bads) != 1 || bads[0].Code != c.code {
			t.Errorf("%s: %+v", name, bads)
		}
	}
	first := one(t, ingest.Source{Dialect: "gcp"}, "export_time,"+strings.Replace(gcpRow("[]", "", "regular", ""), "\nA", "\n2020-11-02,A", 1))
	again := one(t, ingest.Source{Dialect: "gcp"}, "export_time,"+strings.Replace(gcpRow("[]", "", "regular", ""), "\nA", "\n2020-11-03,A", 1))
	if first.Key != again.Key {
		t.Error("the same row exported again is another line")
	}
}

func TestOCI(t *testing.T) {
	head := "lineItem/referenceNo,lineItem/tenantId,lineItem/intervalUsageStart,lineItem/intervalUsageEnd,product/compartmentId,cost/myCost,cost/currencyCode,lineItem/isCorrection,tags/team.name\r\n"
	l := one(t, ingest.Source{Dialect: "oci"}, head+"r1,t1,2023-11-13T10:00Z,2023-11-13T11:00:00Z,c1,2.323760000E-9,USD,false,core\r\n")
	if l.Billed.String() != "0.00000000232376" || l.Cycle != "2023-11" || l.Account.SourceKey != "c1" ||
		l.Resource.Tags != `{"team.name":"core"}` || l.Account.BillingAccount != "t1" {
		t.Errorf("%+v", l)
	}
	c := one(t, ingest.Source{Dialect: "oci"}, head+"r1,t1,2023-11-13T10:00Z,2023-11-13T11:00:00Z,c1,-0.012264277499950943,USD,true,\r\n")
	if !c.Correction || c.Kind != usage.KindRefund || c.Billed.String() != "-0.012264277499950943" {
		t.Errorf("%+v", c)
	}
	if c.Key != l.Key || c.Content == l.Content {
		t.Error("the reference number is the key and the row the content")
	}
}

func TestOwnFormat(t *testing.T) {
	head := "line_id,cycle,charge_start,charge_end,product,category,charging_mode,currency,billed,sub_account,key,tags\n"
	src := ingest.Source{Dialect: "huoban"}
	l := one(t, src, head+"1,2025-01,2025-01-31 23:30:00,2025-01-31 23:59:59,云服务器,purchase,,CNY,100.00,c1,proj,\"{\"\"a\"\":1}\"\n")
	if l.Cycle != "2025-01" || l.ChargeStart.Format("15:04 MST") != "15:30 UTC" || l.ChargeEnd.Format("15:04") != "16:00" ||
		l.Product.ChargingMode != usage.ModeSubscription || l.Account.SourceKey != "proj" || l.Resource.Tags != `{"a":"1"}` {
		t.Errorf("%+v", l)
	}
	if r := one(t, src, head+"2,2025-01,2025-01-31,,云服务器,refund,one_time,CNY,-20,c1,,\n"); r.Kind != usage.KindRefund {
		t.Errorf("kind %s", r.Kind)
	}
	for row, code := range map[string]string{
		",2025-01,2025-01-31,,x,usage,,CNY,1,,,":     "ingest.value_missing",
		"1,2025-13,2025-01-31,,x,usage,,CNY,1,,,":    "ingest.month_malformed",
		"1,2025-01,2025-01-31,,x,gift,,CNY,1,,,":     "ingest.category_unknown",
		"1,2025-01,2025-01-31,,x,usage,hmm,CNY,1,,,": "ingest.mode_unknown",
		"1,2025-01,2025-01-31,,,usage,,CNY,1,,,":     "ingest.value_missing",
	} {
		_, bads, _ := read(t, src, head+row+"\n")
		if len(bads) != 1 || bads[0].Code != code {
			t.Errorf("%s: %+v", row, bads)
		}
	}
}
