package app

import (
	"huoban/internal/adjustment"
	"huoban/internal/agreement"
	"huoban/internal/bill"
	"huoban/internal/company"
	"huoban/internal/contract"
	"huoban/internal/coupon"
	"huoban/internal/creditline"
	"huoban/internal/customer"
	"huoban/internal/delivery"
	"huoban/internal/export"
	"huoban/internal/flow"
	"huoban/internal/grant"
	"huoban/internal/invitation"
	"huoban/internal/invoice"
	"huoban/internal/monthclose"
	"huoban/internal/payment"
	"huoban/internal/prospect"
	"huoban/internal/relation"
	"huoban/internal/sso/registry"
	"huoban/internal/statement"
	"huoban/internal/subscription"
	"huoban/internal/topup"
	"huoban/internal/withdrawal"
)

//go:generate go test -run TestMachines -update .

// MachineEntry is a state machine and where its state is kept.
type MachineEntry struct {
	Machine flow.Machine
	Table   string
	Column  string
}

// Machines lists every state machine of the portal; its documents and tests come from here.
var Machines = []MachineEntry{
	{customer.Flow, "association", "state"},
	{delivery.Flow, "delivery", "state"},
	{monthclose.Flow, "month_close", "state"},
	{bill.Flow, "bill", "state"},
	{adjustment.Flow, "adjustment", "state"},
	{export.Flow, "export_task", "state"},
	{company.Flow, "company_change", "state"},
	{registry.Flow, "sso_idp", "state"},
	{grant.Flow, "prospect_grant", "state"},
	{prospect.Flow, "prospect", "state"},
	{invitation.Flow, "invitation", "state"},
	{relation.Flow, "relation_request", "state"},
	{statement.Flow, "statement", "state"},
	{coupon.QuotaFlow, "coupon_quota", "state"},
	{coupon.Flow, "coupon", "state"},
	{invoice.Flow, "invoice_request", "state"},
	{payment.Flow, "bill_payment", "state"},
	{creditline.Flow, "credit_change", "state"},
	{topup.Flow, "top_up", "state"},
	{topup.RemittanceFlow, "remittance", "state"},
	{topup.ClaimFlow, "remittance_claim", "state"},
	{agreement.Flow, "payment_agreement", "state"},
	{contract.Flow, "contract", "state"},
	{withdrawal.Flow, "withdrawal", "state"},
	{subscription.Flow, "subscription", "state"},
	{subscription.DispatchFlow, "dispatch", "state"},
}
