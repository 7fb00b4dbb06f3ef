package portal

import (
	"context"
	"slices"
	"time"

	"huoban/internal/account"
	"huoban/internal/adjustment"
	"huoban/internal/agreement"
	"huoban/internal/company"
	"huoban/internal/contract"
	"huoban/internal/coupon"
	"huoban/internal/creditline"
	"huoban/internal/flow"
	"huoban/internal/foureyes"
	"huoban/internal/grant"
	"huoban/internal/invoice"
	"huoban/internal/prospect"
	"huoban/internal/scope"
	"huoban/internal/topup"
	"huoban/internal/withdrawal"
	"huoban/web/templates/opsview"
)

// deskSources is the table of what waits for the vendor's staff (受理中心), in the order of its filter. A new kind
// is one row here, its words desk.kind.<kind>, and a function that loads what the actor may decide. The service
// time is the machine's (flow.Table.Within); inbox, tabs, overdue marks, sort, export, batch and reminders follow.
var deskSources = []deskSource{
	{kind: "registration", role: account.RoleChannel, items: []scope.Item{scope.ItemProspectReviewView, scope.ItemProspectReview}, machine: prospect.Flow,
		states: []string{string(prospect.StatePending)}, load: (*Handlers).deskRegistrations, acts: []deskAct{
			{verdict: deskApprove, do: deskProspect(prospect.ActionApprove)}, {verdict: deskRefuse, do: deskProspect(prospect.ActionRefuse)}}},
	{kind: "grant", role: account.RoleChannel, items: []scope.Item{scope.ItemProspectReviewView, scope.ItemProspectReview}, machine: grant.Flow,
		states: []string{string(grant.StateAsked)}, load: (*Handlers).deskGrants, acts: []deskAct{
			{verdict: deskApprove, do: deskGrant(grant.ActionApprove)}, {verdict: deskRefuse, do: deskGrant(grant.ActionRefuse)}}},
	{kind: "company", role: account.RoleOperations, items: []scope.Item{scope.ItemOrgView, scope.ItemOrgChange}, machine: company.Flow,
		states: []string{string(company.StateReviewing)}, load: (*Handlers).deskCompanies, acts: []deskAct{
			{verdict: deskApprove, do: deskCompany(company.ActionApprove)}, {verdict: deskRefuse, do: deskCompany(company.ActionRefuse)}}},
	{kind: "adjustment", role: account.RoleFinance, items: []scope.Item{scope.ItemAdjustmentView, scope.ItemAdjustmentApprove}, machine: adjustment.Flow,
		states: []string{string(adjustment.StateProposed)}, load: (*Handlers).deskAdjustments, acts: []deskAct{
			{verdict: deskApprove, do: func(h *Handlers, ctx context.Context, c *Ctx, id, _ string) error {
				_, err := h.Adjustments.Approve(ctx, c.Scope, id)
				return err
			}},
			{verdict: deskRefuse, do: func(h *Handlers, ctx context.Context, c *Ctx, id, reason string) error {
				_, err := h.Adjustments.Reject(ctx, c.Scope, id, reason)
				return err
			}}}},
	{kind: "invoice", role: account.RoleInvoiceClerk, items: []scope.Item{scope.ItemInvoiceReviewView, scope.ItemInvoiceReview}, machine: invoice.Flow,
		states: []string{string(invoice.StatePending), string(invoice.StateCancelling), string(invoice.StateReturning)}, load: (*Handlers).deskInvoices, acts: []deskAct{
			{verdict: deskApprove, do: deskInvoice(map[invoice.State]invoice.Action{invoice.StatePending: invoice.ActionAccept, invoice.StateCancelling: invoice.ActionAgreeCancel, invoice.StateReturning: invoice.ActionAcceptReturn})},
			{verdict: deskRefuse, do: deskInvoice(map[invoice.State]invoice.Action{invoice.StatePending: invoice.ActionRefuse, invoice.StateCancelling: invoice.ActionRefuseCancel, invoice.StateReturning: invoice.ActionRefuseReturn})}}},
	{kind: "invoice_issue", role: account.RoleInvoiceClerk, items: []scope.Item{scope.ItemInvoiceReviewView, scope.ItemInvoiceReview}, machine: invoice.Flow,
		states: []string{string(invoice.StateIssuing), string(invoice.StateKept)}, load: (*Handlers).deskInvoices},
	{kind: "claim", role: account.RoleFinance, items: []scope.Item{scope.ItemLedgerView, scope.ItemRemittance}, machine: topup.ClaimFlow,
		states: []string{string(topup.ClaimReviewing), string(topup.ClaimSecond)}, load: (*Handlers).deskClaims, acts: []deskAct{
			{verdict: deskApprove, do: (*Handlers).approveClaim}, {verdict: deskRefuse, do: (*Handlers).refuseClaim}}},
	{kind: "credit", role: account.RoleFinance, items: []scope.Item{scope.ItemLedgerView, scope.ItemCreditChange}, machine: creditline.Flow,
		states: []string{string(creditline.StateProposed)}, load: (*Handlers).deskCredits, acts: []deskAct{
			{verdict: deskApprove, do: deskCredit(creditline.ActionApprove)}, {verdict: deskRefuse, do: deskCredit(creditline.ActionRefuse)}}},
	{kind: "quota", role: account.RoleFinance, items: []scope.Item{scope.ItemCouponGrantView, scope.ItemCouponReview}, machine: coupon.QuotaFlow,
		states: []string{string(coupon.QuotaPending), string(coupon.QuotaAdjusting)}, load: (*Handlers).deskQuotas, acts: []deskAct{
			{verdict: deskApprove, do: (*Handlers).approveQuota}, {verdict: deskRefuse, do: (*Handlers).refuseQuota}}},
	{kind: "coupon", role: account.RoleFinance, items: []scope.Item{scope.ItemCouponGrantView, scope.ItemCouponReview}, machine: coupon.Flow,
		states: []string{string(coupon.StateInactive)}, load: (*Handlers).deskCoupons, acts: []deskAct{
			{verdict: deskApprove, do: deskCoupon(coupon.ActionActivate)}, {verdict: deskRefuse, do: deskCoupon(coupon.ActionRefuse)}}},
	{kind: "agreement", role: account.RoleFinance, items: []scope.Item{scope.ItemLedgerView, scope.ItemRemittance}, machine: agreement.Flow,
		states: []string{string(agreement.StateReviewing)}, load: (*Handlers).deskAgreements, acts: []deskAct{
			{verdict: deskApprove, do: deskAgreement(agreement.ActionApprove)}, {verdict: deskRefuse, do: deskAgreement(agreement.ActionRefuse)}}},
	{kind: "contract", role: account.RoleFinance, items: []scope.Item{scope.ItemContractReviewView, scope.ItemContractReview}, machine: contract.Flow,
		states: []string{string(contract.StateReviewing)}, load: (*Handlers).deskContracts, acts: []deskAct{
			{verdict: deskApprove, do: deskContract(contract.ActionApprove)}, {verdict: deskRefuse, do: deskContract(contract.ActionRefuse)}}},
	{kind: "withdrawal", role: account.RoleFinance, items: []scope.Item{scope.ItemPayoutView, scope.ItemPayoutReview}, machine: withdrawal.Flow,
		states: []string{string(withdrawal.StatePending), string(withdrawal.StateSecond), string(withdrawal.StatePaying), string(withdrawal.StateFailed)}, load: (*Handlers).deskWithdrawals, acts: []deskAct{
			{verdict: deskApprove, do: (*Handlers).approveWithdrawal}, {verdict: deskRefuse, do: func(h *Handlers, ctx context.Context, c *Ctx, id, reason string) error {
				_, err := h.Withdrawals.Do(ctx, c.Scope, id, withdrawal.DoInput{Do: withdrawal.ActionRefuse, Reason: reason})
				return err
			}}}},
	{kind: dutyClose, role: account.RoleFinance, load: fromDuties((*Handlers).closeDuties)},
	{kind: dutyPrice, role: account.RoleFinance, days: 2, load: fromDuties((*Handlers).priceDuties)},
	{kind: dutyUnmapped, role: account.RoleOperations, load: fromDuties((*Handlers).unmappedDuties)},
	{kind: dutyQuarantine, role: account.RoleOperations, days: 1, load: fromDuties((*Handlers).quarantineDuties)},
	{kind: dutyCert, role: account.RoleOperations, load: fromDuties((*Handlers).consoleDuties)},
}

// deskRoles are the inboxes, in the order of the tabs: 运营, 财经, 发票专员, 渠道经理.
var deskRoles = []string{account.RoleOperations, account.RoleFinance, account.RoleInvoiceClerk, account.RoleChannel}

// The verdicts of a batch. A refusal needs a reason.
const (
	deskApprove = "approve"
	deskRefuse  = "refuse"
)

// deskSource is one kind of thing that waits.
type deskSource struct {
	kind    string
	role    string       // whose inbox it stands in
	items   []scope.Item // each is needed; where there are none, load asks itself
	machine flow.Machine // nil where no machine has it
	states  []string     // of the machine, those that wait; load may return others, which are left out
	days    int          // service time in working days where there is no machine
	load    func(h *Handlers, c *Ctx) ([]deskRow, error)
	acts    []deskAct // what a batch may do; empty: one at a time, on the thing's own page
}

// deskRow is one thing that waits.
type deskRow struct {
	id    string       // of the entity; unique within its kind
	state string       // of the machine; "" where there is none
	title opsview.Cell // what it is, with the way to its page
	who   string       // whose it is
	by    string       // who asked for it
	since time.Time    // since when it waits
	due   time.Time    // where something else than the service time says so
	sums  sums
	two   bool // two persons decide it
}

// deskAct is a decision a batch may take: it calls the service, inside the running transaction of ctx.
type deskAct struct {
	verdict string
	do      func(h *Handlers, ctx context.Context, c *Ctx, id, reason string) error
}

// within is the service time of a state in working days, 0 where there is none.
func (s *deskSource) within(state string) int {
	if s.machine == nil {
		return s.days
	}
	return s.machine.Describe().Within[state]
}

// seen tells whether the actor may decide things of this kind.
func (s *deskSource) seen(c *Ctx) bool {
	return !slices.ContainsFunc(s.items, func(i scope.Item) bool { return !c.Scope.Has(i) })
}

// fromDuties takes what 待办 finds as it is.
func fromDuties(find func(h *Handlers, c *Ctx) ([]duty, error)) func(h *Handlers, c *Ctx) ([]deskRow, error) {
	return func(h *Handlers, c *Ctx) ([]deskRow, error) {
		list, err := find(h, c)
		out := make([]deskRow, len(list))
		for i, d := range list {
			out[i] = deskRow{id: d.kind + " " + d.cure.Href, title: opsview.Cell{Text: d.title, Note: d.text, Href: d.cure.Href}, who: c.Org.Name, since: d.since, due: d.due}
		}
		return out, err
	}
}

func (h *Handlers) deskRegistrations(c *Ctx) ([]deskRow, error) {
	all, err := h.Prospects.List(c.ctx(), c.Scope)
	if err != nil {
		return nil, err
	}
	names, err := h.orgNames(c)
	var out []deskRow
	for i := range all {
		p := &all[i]
		title := c.personal(p.Name)
		title.Href, title.Note = c.at(pathRegistrations+"/"+p.ID), c.T(p.Kind.Label())
		out = append(out, deskRow{id: p.ID, state: string(p.State), title: title, who: names[p.PartnerID].Name, by: p.Login, since: p.SubmittedAt})
	}
	return out, err
}

func deskProspect(do prospect.Action) func(h *Handlers, ctx context.Context, c *Ctx, id, reason string) error {
	return func(h *Handlers, ctx context.Context, c *Ctx, id, reason string) error {
		_, err := h.Prospects.Do(ctx, c.Scope, id, do, reason)
		return err
	}
}

func (h *Handlers) deskCompanies(c *Ctx) ([]deskRow, error) {
	all, err := h.Company.Changes(c.ctx(), c.Scope)
	var out []deskRow
	for i := range all {
		x := &all[i]
		out = append(out, deskRow{id: x.ID, state: string(x.State), title: opsview.Cell{Text: join(changedWords(c, x), c.T("portal.list.comma")), Href: c.at(pathCompanyChanges + "/" + x.ID)},
			who: x.OrgName, by: x.CreatedBy, since: x.CreatedAt})
	}
	return out, err
}

func deskCompany(do company.Action) func(h *Handlers, ctx context.Context, c *Ctx, id, reason string) error {
	return func(h *Handlers, ctx context.Context, c *Ctx, id, reason string) error {
		_, err := h.Company.Decide(ctx, c.Scope, id, do, reason)
		return err
	}
}

func (h *Handlers) deskAdjustments(c *Ctx) ([]deskRow, error) {
	all, err := h.Adjustments.List(c.ctx(), c.Scope, adjustment.Filter{VendorID: c.Org.ID, State: adjustment.StateProposed})
	if err != nil {
		return nil, err
	}
	limits, err := h.FourEyes.Of(c.ctx(), c.Org.ID)
	if err != nil {
		return nil, err
	}
	names, err := h.orgNames(c)
	var out []deskRow
	for i := range all {
		a := &all[i]
		out = append(out, deskRow{id: a.ID, state: string(a.State), title: opsview.Cell{Text: c.T("desk.adjustment", "Cycle", string(a.Corrects)), Note: a.Reason, Href: c.at("/adjustments?state=" + string(a.State))},
			who: names[a.PartnerID].Name, by: a.CreatedBy, since: a.CreatedAt, sums: sums{{a.Currency, a.Base}}, two: limits.Needed(foureyes.KindAdjustment, a.Currency, a.Base)})
	}
	return out, err
}
