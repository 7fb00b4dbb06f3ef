package account

import (
	"regexp"
	"slices"
	"sort"

	"huoban/internal/fault"
	"huoban/internal/scope"
)

// Codes of the preset roles: 系统管理员, 客户经理, 客户经理主管, 财务 of partners; 管理员, 运营, 财经, 发票专员,
// 渠道经理, 审计 of vendors; the administrator of a customer, and its persons who only look.
const (
	RoleAdmin        = "admin"
	RoleManager      = "manager"
	RoleSupervisor   = "supervisor"
	RoleFinance      = "finance"
	RoleOperations   = "operations"
	RoleInvoiceClerk = "invoice_clerk"
	RoleChannel      = "channel_manager"
	RoleAuditor      = "auditor"
	RoleViewer       = "viewer"
)

// Label is the key of a preset's name; custom roles carry their own name.
func (r Role) Label() string { return "account.role." + string(r.Side) + "." + r.Code }

// MaxRoles is how many roles a person may hold in one organisation.
const MaxRoles = 3

// everyRole is what each role carries by itself.
var everyRole = []scope.Item{scope.ItemHomeAccount, scope.ItemExportOwn}

// preset is one fixed role; nil items mean every item of the side.
type preset struct {
	side  scope.Side
	code  string
	items []scope.Item
}

// presets are fixed; the preset 客户经理 deliberately has no item of 伙伴账单.
var presets = []preset{
	{scope.SideVendor, RoleAdmin, nil},
	{scope.SideVendor, RoleOperations, []scope.Item{
		scope.ItemSourceView, scope.ItemSourceChange, scope.ItemDeliveryView, scope.ItemDeliveryImport, scope.ItemDeliveryRevert,
		scope.ItemQuarantineView, scope.ItemQuarantineResolve, scope.ItemMapView, scope.ItemMapChange, scope.ItemPriceView,
		scope.ItemCloseView, scope.ItemCloseRun, scope.ItemAdjustmentView, scope.ItemAdjustmentPropose,
		scope.ItemOrgView, scope.ItemOrgChange, scope.ItemCustomerView, scope.ItemAssociationView, scope.ItemAssociationChange,
		scope.ItemProspectReviewView, scope.ItemProspectReview, scope.ItemCouponGrantView, scope.ItemCouponGrant,
		scope.ItemExpenditureView, scope.ItemExpenditureCustomers, scope.ItemExpenditureExport, scope.ItemConsoleView, scope.ItemConsoleChange,
		scope.ItemBillView, scope.ItemBillExplain, scope.ItemRevealMasked, scope.ItemNewsView, scope.ItemNewsChange,
		scope.ItemLimitView, scope.ItemCalendarView, scope.ItemCalendarChange}},
	{scope.SideVendor, RoleFinance, []scope.Item{
		scope.ItemSourceView, scope.ItemDeliveryView, scope.ItemMapView,
		scope.ItemPriceView, scope.ItemPriceChange, scope.ItemPriceSimulate,
		scope.ItemCloseView, scope.ItemCloseRun, scope.ItemCloseReview, scope.ItemCloseIssue,
		scope.ItemAdjustmentView, scope.ItemAdjustmentPropose, scope.ItemAdjustmentApprove,
		scope.ItemOrgView, scope.ItemEntityChange, scope.ItemCustomerView, scope.ItemLedgerView, scope.ItemCreditChange, scope.ItemPayoutView, scope.ItemPayoutReview, scope.ItemPayoutPay, scope.ItemRemittance, scope.ItemContractReviewView, scope.ItemContractReview,
		scope.ItemCouponGrantView, scope.ItemCouponReview,
		scope.ItemExpenditureView, scope.ItemExpenditureCustomers, scope.ItemExpenditureExport,
		scope.ItemBillView, scope.ItemBillExport, scope.ItemBillExplain, scope.ItemInvoiceReviewView, scope.ItemRevealMasked,
		scope.ItemLimitView, scope.ItemCalendarView}},
	{scope.SideVendor, RoleChannel, []scope.Item{
		scope.ItemOrgView, scope.ItemCustomerView, scope.ItemAssociationView, scope.ItemCouponGrantView, scope.ItemProspectReviewView, scope.ItemProspectReview,
		scope.ItemExpenditureView, scope.ItemExpenditureCustomers, scope.ItemBillView, scope.ItemRevealMasked, scope.ItemNewsView,
		scope.ItemLimitView, scope.ItemCalendarView, scope.ItemLedgerView, scope.ItemCreditChange, scope.ItemContractReviewView}},
	{scope.SideVendor, RoleInvoiceClerk, []scope.Item{
		scope.ItemInvoiceReviewView, scope.ItemInvoiceReview, scope.ItemRevealMasked,
		scope.ItemLimitView, scope.ItemCalendarView, scope.ItemOrgView, scope.ItemCloseView, scope.ItemBillView, scope.ItemBillExport, scope.ItemBillExplain}},
	{scope.SideVendor, RoleAuditor, []scope.Item{
		scope.ItemSourceView, scope.ItemDeliveryView, scope.ItemQuarantineView, scope.ItemMapView, scope.ItemPriceView,
		scope.ItemCloseView, scope.ItemAdjustmentView, scope.ItemOrgView, scope.ItemCustomerView, scope.ItemAssociationView, scope.ItemProspectReviewView, scope.ItemLedgerView, scope.ItemPayoutView, scope.ItemContractReviewView,
		scope.ItemCouponGrantView, scope.ItemExpenditureView, scope.ItemExpenditureCustomers, scope.ItemBillView, scope.ItemBillExplain,
		scope.ItemStaffView, scope.ItemRoleView, scope.ItemExportAll, scope.ItemInvoiceReviewView, scope.ItemConsoleView, scope.ItemLimitView, scope.ItemCalendarView,
		scope.ItemAuditView, scope.ItemAuditExport, scope.ItemAuditVerify}},

	{scope.SidePartner, RoleAdmin, nil},
	{scope.SidePartner, RoleManager, []scope.Item{
		scope.ItemProspectView, scope.ItemProspectChange, scope.ItemCustomerLabel,
		scope.ItemCustomerView, scope.ItemAssociationView, scope.ItemExpenditureView, scope.ItemExpenditureCustomers,
		scope.ItemExpenditureExport, scope.ItemRevealMasked}},
	{scope.SidePartner, RoleSupervisor, []scope.Item{
		scope.ItemProspectView, scope.ItemProspectChange, scope.ItemCustomerLabel,
		scope.ItemCustomerView, scope.ItemAssociationView, scope.ItemExpenditureView, scope.ItemExpenditureCustomers,
		scope.ItemExpenditureExport, scope.ItemAssignmentView, scope.ItemAssignmentChange, scope.ItemRevealMasked}},
	{scope.SidePartner, RoleFinance, []scope.Item{
		scope.ItemCustomerView, scope.ItemExpenditureView, scope.ItemExpenditureCustomers, scope.ItemExpenditureExport,
		scope.ItemSubscriptionView, scope.ItemSubscriptionChange,
		scope.ItemStatementView, scope.ItemStatementChange, scope.ItemStatementIssue, scope.ItemFundsView, scope.ItemFundsChange, scope.ItemWithdraw, scope.ItemAllocate,
		scope.ItemQuotaView, scope.ItemQuotaShare, scope.ItemIssuedQuotaView, scope.ItemQuotaReclaim, scope.ItemCouponView, scope.ItemCouponIssue, scope.ItemCouponReclaim,
		scope.ItemInvoiceView, scope.ItemInvoiceRequest, scope.ItemContractView, scope.ItemContractChange,
		scope.ItemBillView, scope.ItemBillExport, scope.ItemBillExplain, scope.ItemResellerView, scope.ItemResellerCustomerView}},

	{scope.SideCustomer, RoleAdmin, nil},
	{scope.SideCustomer, RoleViewer, []scope.Item{scope.ItemExpenditureView, scope.ItemAssociationView, scope.ItemCouponOwn}},
}

// Presets lists the fixed roles of a side.
func Presets(side scope.Side) []Role {
	var out []Role
	for _, p := range presets {
		if p.side == side {
			out = append(out, p.role())
		}
	}
	return out
}

func (p preset) role() Role {
	items := scope.Items(p.side)
	if p.items != nil {
		items = union(everyRole, p.items)
	}
	return Role{Code: p.code, Side: p.side, Preset: true, Items: items}
}

func union(lists ...[]scope.Item) []scope.Item {
	var out []scope.Item
	for _, l := range lists {
		out = append(out, l...)
	}
	slices.Sort(out)
	return slices.Compact(out)
}

// CheckRoles applies the rules of holding roles; known is every role of the organisation.
// Faults: account.role_count, .role_unknown, .admin_combined, .manager_and_supervisor.
func CheckRoles(roles []string, known []Role) error {
	roles = normalRoles(roles)
	if len(roles) == 0 || len(roles) > MaxRoles {
		return fault.Invalid("account.role_count", fault.Args{"count": len(roles), "max": MaxRoles})
	}
	for _, r := range roles {
		if !slices.ContainsFunc(known, func(k Role) bool { return k.Code == r }) {
			return fault.Invalid("account.role_unknown", fault.Args{"role": clip(r), "known": codes(known)})
		}
	}
	if len(roles) > 1 && slices.Contains(roles, RoleAdmin) {
		return fault.Invalid("account.admin_combined", nil)
	}
	if slices.Contains(roles, RoleManager) && slices.Contains(roles, RoleSupervisor) {
		return fault.Invalid("account.manager_and_supervisor", nil)
	}
	return nil
}

// normalRoles sorts and removes repeats.
func normalRoles(roles []string) []string {
	out := slices.Clone(roles)
	sort.Strings(out)
	return slices.Compact(out)
}

// narrowed tells whether the roles confine a partner's person to assigned customers: 客户经理 or
// 客户经理主管 alone. With any other role the person sees every customer.
func narrowed(side scope.Side, roles []string) (manager, supervisor bool) {
	if side != scope.SidePartner || len(roles) != 1 {
		return false, false
	}
	return roles[0] == RoleManager, roles[0] == RoleSupervisor
}

// itemsOf gathers the items of the roles held.
func itemsOf(roles []string, known []Role) []scope.Item {
	var lists [][]scope.Item
	for _, r := range known {
		if slices.Contains(roles, r.Code) {
			lists = append(lists, r.Items)
		}
	}
	return union(lists...)
}

func codes(roles []Role) string {
	out := ""
	for i, r := range roles {
		if i > 0 {
			out += ", "
		}
		out += r.Code
	}
	return out
}

var roleCode = regexp.MustCompile(`^[a-z][a-z0-9_]{1,39}$`)

// CheckCustomRole applies the rules of a custom role: a code of its own, a name, items of the side.
// Faults: account.role_code_malformed, .role_preset, .role_name_missing, .role_item_refused.
func CheckCustomRole(r Role) error {
	if !roleCode.MatchString(r.Code) {
		return fault.Invalid("account.role_code_malformed", fault.Args{"role": clip(r.Code)})
	}
	if slices.ContainsFunc(presets, func(p preset) bool { return p.code == r.Code }) {
		return fault.Invalid("account.role_preset", fault.Args{"role": r.Code})
	}
	if checkText(r.Name, 1, 80) != nil {
		return fault.Invalid("account.role_name_missing", nil)
	}
	allowed := scope.Items(r.Side)
	for _, i := range r.Items {
		if !slices.Contains(allowed, i) {
			return fault.Invalid("account.role_item_refused", fault.Args{"item": clip(string(i))})
		}
	}
	return nil
}
