package scope

import (
	"slices"
	"strings"
)

// The permission items the program asks for. Codes known from the original keep their number; new
// ones continue the style: area, two digits of menu, two of page, two of act.
const (
	// 主页, shared columns and tasks.
	ItemHomeAccount  Item = "BPC_ITEM_VIEW_010100" // 主页-账号
	ItemRevealMasked Item = "BPC_ITEM_VIEW_020100" // show personal data in masked columns
	ItemExportOwn    Item = "BPC_ITEM_VIEW_030100" // 导出记录: one's own export tasks
	ItemExportAll    Item = "BPC_ITEM_VIEW_030101" // 导出记录: those of the whole organisation

	// 销售 > 拓新 and its review.
	ItemProspectView       Item = "BPC_ITEM_SALES_010100"   // 客户拓展-查看
	ItemProspectChange     Item = "BPC_ITEM_SALES_010101"   // 客户拓展-报备与邀请
	ItemProspectReviewView Item = "BPC_ITEM_OPERATE_120100" // 报备审核-查看
	ItemProspectReview     Item = "BPC_ITEM_OPERATE_120101" // 报备审核-通过与不通过

	// 销售 > 客户.
	ItemCustomerView         Item = "BPC_ITEM_SUBCUSTSERV_010100" // 客户列表-查看列表
	ItemCustomerExport       Item = "BPC_ITEM_SUBCUSTSERV_010101" // 客户列表-导出 (administrator only)
	ItemCustomerLabel        Item = "BPC_ITEM_SUBCUSTSERV_010102" // 客户列表-设置标签
	ItemAssociationView      Item = "BPC_ITEM_SUBCUSTSERV_010110" // 关联关系操作记录
	ItemAssociationChange    Item = "BPC_ITEM_SUBCUSTSERV_010111" // start and decide associations
	ItemResellerCustomerView Item = "BPC_ITEM_SUBCUSTSERV_010500" // 二级经销商子客户-查看客户信息
	ItemAssignmentView       Item = "BPC_ITEM_SUBCUSTSERV_020100" // 客户分配-查看
	ItemAssignmentChange     Item = "BPC_ITEM_SUBCUSTSERV_020101" // 客户分配-分配与收回

	// 销售 > 客户 > 券管理.
	ItemQuotaView       Item = "BPC_ITEM_SUBCUSTSERV_030100" // 代金券额度-查看
	ItemCouponIssue     Item = "BPC_ITEM_SUBCUSTSERV_030102" // 代金券-发放
	ItemQuotaShare      Item = "BPC_ITEM_SUBCUSTSERV_030104" // 代金券额度-发放给云经销商
	ItemCouponView      Item = "BPC_ITEM_SUBCUSTSERV_030200" // 已发放代金券-查看
	ItemCouponReclaim   Item = "BPC_ITEM_SUBCUSTSERV_030201" // 代金券-回收
	ItemIssuedQuotaView Item = "BPC_ITEM_SUBCUSTSERV_030600" // 已发放代金券额度-查看
	ItemQuotaReclaim    Item = "BPC_ITEM_SUBCUSTSERV_030601" // 代金券额度-回收
	ItemCouponOwn       Item = "BPC_MENU_FINANCE_100100"     // 费用中心-我的优惠券

	// 销售 > 账务 and 客户消费.
	ItemExpenditureView      Item = "BPC_ITEM_FINANCE_020100" // 客户消费-明细
	ItemExpenditureCustomers Item = "BPC_ITEM_FINANCE_020101" // 客户消费-客户列表
	ItemExpenditureExport    Item = "BPC_ITEM_FINANCE_020102" // 客户消费-导出
	ItemSubscriptionView     Item = "BPC_ITEM_FINANCE_020110" // 客户消费订阅-查看
	ItemSubscriptionChange   Item = "BPC_ITEM_FINANCE_020111" // 客户消费订阅-设置、测试与重新投递
	ItemStatementView        Item = "BPC_ITEM_FINANCE_030100" // 客户对账单-查看, with cost and margin
	ItemStatementChange      Item = "BPC_ITEM_FINANCE_030101" // 客户对账单-规则、抬头与生成
	ItemStatementIssue       Item = "BPC_ITEM_FINANCE_030102" // 客户对账单-出具、发送与撤回
	ItemBillView             Item = "BPC_ITEM_FINANCE_090100" // 伙伴账单-查看
	ItemBillExport           Item = "BPC_ITEM_FINANCE_090101" // 伙伴账单-导出
	ItemBillExplain          Item = "BPC_ITEM_FINANCE_090102" // 伙伴账单-为什么是这个金额
	ItemFundsView            Item = "BPC_ITEM_FINANCE_040100" // 资金管理-查看
	ItemWithdraw             Item = "BPC_ITEM_FINANCE_040110" // 资金管理-提现
	ItemAllocate             Item = "BPC_ITEM_FINANCE_040120" // 资金管理-拨款与回收
	ItemFundsChange          Item = "BPC_ITEM_FINANCE_040101" // 资金管理-充值、还款与预警
	ItemInvoiceView          Item = "BPC_ITEM_FINANCE_110100" // 发票管理-查看与下载
	ItemContractView         Item = "BPC_ITEM_FINANCE_120100" // 合同管理-查看
	ItemContractChange       Item = "BPC_ITEM_FINANCE_120101" // 合同管理-申请与付款
	ItemInvoiceRequest       Item = "BPC_ITEM_FINANCE_110101" // 发票管理-索取、撤销、签收、退票, 发票信息与地址

	// 销售 > 云经销商 (distributors only).
	ItemResellerView      Item = "BPC_ITEM_SALES_020100" // 云经销商-查询
	ItemResellerPriceView Item = "BPC_ITEM_SALES_040100" // 产品折扣与激励策略-查看

	// 伙伴信息.
	ItemProfileChange Item = "BPC_ITEM_PARTNER_010101" // 基本信息-修改

	// 组织 and 云审计.
	ItemStaffView   Item = "BPC_ITEM_ORG_010100" // 人员管理-查看
	ItemStaffChange Item = "BPC_ITEM_ORG_010101" // 人员管理-创建、修改、停用、重置密码
	ItemRoleView    Item = "BPC_ITEM_ORG_020100" // 角色管理-查看
	ItemRoleChange  Item = "BPC_ITEM_ORG_020101" // 角色管理-创建与修改
	ItemAuditView   Item = "BPC_ITEM_AUDIT_010100"
	ItemAuditExport Item = "BPC_ITEM_AUDIT_010101"
	ItemAuditVerify Item = "BPC_ITEM_AUDIT_010102"

	// 支持 > 能力开放.
	ItemAccessConfigView   Item = "BPC_ITEM_SUPPORT_010100" // 接入配置-查看
	ItemAccessConfigChange Item = "BPC_ITEM_SUPPORT_010101" // 接入配置-修改、测试、启用、停用

	// 运营 (the vendor's back office).
	ItemSourceView         Item = "BPC_ITEM_OPERATE_010100" // 来源
	ItemSourceChange       Item = "BPC_ITEM_OPERATE_010101"
	ItemDeliveryView       Item = "BPC_ITEM_OPERATE_010200" // 交付
	ItemDeliveryImport     Item = "BPC_ITEM_OPERATE_010201"
	ItemDeliveryRevert     Item = "BPC_ITEM_OPERATE_010202"
	ItemQuarantineView     Item = "BPC_ITEM_OPERATE_010300" // 隔离区
	ItemQuarantineResolve  Item = "BPC_ITEM_OPERATE_010301"
	ItemMapView            Item = "BPC_ITEM_OPERATE_020100" // 归属规则
	ItemMapChange          Item = "BPC_ITEM_OPERATE_020101"
	ItemPriceView          Item = "BPC_ITEM_OPERATE_030100" // 结算价
	ItemPriceChange        Item = "BPC_ITEM_OPERATE_030101"
	ItemPriceSimulate      Item = "BPC_ITEM_OPERATE_030102"
	ItemCloseView          Item = "BPC_ITEM_OPERATE_040100" // 月结
	ItemCloseRun           Item = "BPC_ITEM_OPERATE_040101" // freeze, draft, discard
	ItemCloseReview        Item = "BPC_ITEM_OPERATE_040102"
	ItemCloseIssue         Item = "BPC_ITEM_OPERATE_040103"
	ItemCloseOverride      Item = "BPC_ITEM_OPERATE_040104"
	ItemAdjustmentView     Item = "BPC_ITEM_OPERATE_050100" // 调账行
	ItemAdjustmentPropose  Item = "BPC_ITEM_OPERATE_050101"
	ItemAdjustmentApprove  Item = "BPC_ITEM_OPERATE_050102"
	ItemOrgView            Item = "BPC_ITEM_OPERATE_060100" // 伙伴与客户组织
	ItemOrgChange          Item = "BPC_ITEM_OPERATE_060101"
	ItemEntityChange       Item = "BPC_ITEM_OPERATE_060102" // 签约主体
	ItemNewsView           Item = "BPC_ITEM_OPERATE_080100" // 公告
	ItemNewsChange         Item = "BPC_ITEM_OPERATE_080101"
	ItemLedgerView         Item = "BPC_ITEM_OPERATE_150100" // 资金台账-查看
	ItemPayoutView         Item = "BPC_ITEM_OPERATE_190100" // 提现审核-查看
	ItemPayoutReview       Item = "BPC_ITEM_OPERATE_190101" // 提现审核-审核
	ItemPayoutPay          Item = "BPC_ITEM_OPERATE_190102" // 提现审核-登记付款结果
	ItemCreditChange       Item = "BPC_ITEM_OPERATE_150101" // 资金台账-设置信用额度
	ItemRemittance         Item = "BPC_ITEM_OPERATE_150102" // 资金台账-导入银行流水与汇款认领审核
	ItemCouponGrantView    Item = "BPC_ITEM_OPERATE_160100" // 券-查看
	ItemCouponGrant        Item = "BPC_ITEM_OPERATE_160101" // 券-发放额度与伙伴代金券、冻结、调整、失效
	ItemCouponReview       Item = "BPC_ITEM_OPERATE_160102" // 券-复核
	ItemLimitView          Item = "BPC_ITEM_OPERATE_130100" // 双人复核额度
	ItemLimitChange        Item = "BPC_ITEM_OPERATE_130101"
	ItemCalendarView       Item = "BPC_ITEM_OPERATE_140100" // 工作日历
	ItemCalendarChange     Item = "BPC_ITEM_OPERATE_140101"
	ItemInvoiceReviewView  Item = "BPC_ITEM_OPERATE_170100" // 发票审核-查看
	ItemInvoiceReview      Item = "BPC_ITEM_OPERATE_170101" // 发票审核-审核、开具、寄送、退票
	ItemContractReviewView Item = "BPC_ITEM_OPERATE_200100" // 合同审核-查看
	ItemContractReview     Item = "BPC_ITEM_OPERATE_200101" // 合同审核-审核、终止与登记线下合同
	ItemConsoleView        Item = "BPC_ITEM_OPERATE_070100" // 控制台-查看
	ItemConsoleChange      Item = "BPC_ITEM_OPERATE_070101" // 控制台-登记、修改、停用、启用
)

// Permission is an item as the role page shows it: its place in the menu (keys of the catalogue,
// outermost first) and the sides whose roles may carry it.
type Permission struct {
	Item  Item
	Menu  string // "<top>.<page>"
	Act   string
	Sides []Side
}

// Labels are the keys of the menu's two levels and of the act.
func (p Permission) Labels() (top, page, act string) {
	first, _, _ := strings.Cut(p.Menu, ".")
	return "permission.menu." + first, "permission.menu." + p.Menu, "permission.act." + p.Act
}

var (
	onPartner   = []Side{SidePartner}
	onVendor    = []Side{SideVendor}
	onBoth      = []Side{SideVendor, SidePartner}
	onEverySide = []Side{SideVendor, SidePartner, SideCustomer}
)

// catalogue is the whole list, in the order of the menu.
var catalogue = []Permission{
	{ItemHomeAccount, "home.account", "view", onEverySide},
	{ItemRevealMasked, "home.masked", "reveal", onEverySide},
	{ItemExportOwn, "home.exports", "view_own", onEverySide},
	{ItemExportAll, "home.exports", "view_all", onBoth},
	{ItemProspectView, "sales.prospects", "view", onPartner},
	{ItemProspectChange, "sales.prospects", "change", onPartner},
	{ItemCustomerView, "sales.customers", "view", onBoth},
	{ItemCustomerExport, "sales.customers", "export", onBoth},
	{ItemCustomerLabel, "sales.customers", "label", onPartner},
	{ItemAssociationView, "sales.associations", "view", onEverySide},
	{ItemAssociationChange, "sales.associations", "change", onEverySide},
	{ItemResellerCustomerView, "sales.reseller_customers", "view", onPartner},
	{ItemAssignmentView, "sales.assignments", "view", onPartner},
	{ItemAssignmentChange, "sales.assignments", "change", onPartner},
	{ItemQuotaView, "sales.coupons", "view_quotas", onPartner},
	{ItemQuotaShare, "sales.coupons", "share_quotas", onPartner},
	{ItemIssuedQuotaView, "sales.coupons", "view_shared", onPartner},
	{ItemQuotaReclaim, "sales.coupons", "reclaim_quotas", onPartner},
	{ItemCouponView, "sales.coupons", "view", onPartner},
	{ItemCouponIssue, "sales.coupons", "issue", onPartner},
	{ItemCouponReclaim, "sales.coupons", "reclaim", onPartner},
	{ItemCouponOwn, "cost.coupons", "view", []Side{SideCustomer}},
	{ItemExpenditureView, "sales.expenditure", "view", onEverySide},
	{ItemExpenditureCustomers, "sales.expenditure", "view_customers", onBoth},
	{ItemExpenditureExport, "sales.expenditure", "export", onEverySide},
	{ItemSubscriptionView, "sales.subscriptions", "view", onPartner},
	{ItemSubscriptionChange, "sales.subscriptions", "change", onPartner},
	{ItemStatementView, "sales.statements", "view", onPartner},
	{ItemStatementChange, "sales.statements", "change", onPartner},
	{ItemStatementIssue, "sales.statements", "issue", onPartner},
	{ItemBillView, "sales.bills", "view", onBoth},
	{ItemBillExport, "sales.bills", "export", onBoth},
	{ItemBillExplain, "sales.bills", "explain", onBoth},
	{ItemFundsView, "sales.funds", "view", onPartner},
	{ItemFundsChange, "sales.funds", "change", onPartner},
	{ItemInvoiceView, "sales.invoices", "view", onPartner},
	{ItemInvoiceRequest, "sales.invoices", "request", onPartner},
	{ItemContractView, "sales.contracts", "view", onPartner},
	{ItemContractChange, "sales.contracts", "change", onPartner},
	{ItemWithdraw, "sales.funds", "withdraw", onPartner},
	{ItemAllocate, "sales.funds", "allocate", onPartner},
	{ItemResellerView, "sales.resellers", "view", onPartner},
	{ItemResellerPriceView, "sales.policies", "view", onPartner},
	{ItemAccessConfigView, "support.access_config", "view", onPartner},
	{ItemAccessConfigChange, "support.access_config", "change", onPartner},
	{ItemProfileChange, "company.profile", "change", onPartner},
	{ItemStaffView, "organisation.staff", "view", onEverySide},
	{ItemStaffChange, "organisation.staff", "change", onEverySide},
	{ItemRoleView, "organisation.roles", "view", onEverySide},
	{ItemRoleChange, "organisation.roles", "change", onEverySide},
	{ItemAuditView, "organisation.audit", "view", onEverySide},
	{ItemAuditExport, "organisation.audit", "export", onEverySide},
	{ItemAuditVerify, "organisation.audit", "verify", onVendor},
	{ItemSourceView, "operate.sources", "view", onVendor},
	{ItemSourceChange, "operate.sources", "change", onVendor},
	{ItemDeliveryView, "operate.deliveries", "view", onVendor},
	{ItemDeliveryImport, "operate.deliveries", "import", onVendor},
	{ItemDeliveryRevert, "operate.deliveries", "revert", onVendor},
	{ItemQuarantineView, "operate.quarantine", "view", onVendor},
	{ItemQuarantineResolve, "operate.quarantine", "resolve", onVendor},
	{ItemMapView, "operate.mapping", "view", onVendor},
	{ItemMapChange, "operate.mapping", "change", onVendor},
	{ItemPriceView, "operate.prices", "view", onVendor},
	{ItemPriceChange, "operate.prices", "change", onVendor},
	{ItemPriceSimulate, "operate.prices", "simulate", onVendor},
	{ItemCloseView, "operate.close", "view", onVendor},
	{ItemCloseRun, "operate.close", "run", onVendor},
	{ItemCloseReview, "operate.close", "review", onVendor},
	{ItemCloseIssue, "operate.close", "issue", onVendor},
	{ItemCloseOverride, "operate.close", "override", onVendor},
	{ItemAdjustmentView, "operate.adjustments", "view", onVendor},
	{ItemAdjustmentPropose, "operate.adjustments", "propose", onVendor},
	{ItemAdjustmentApprove, "operate.adjustments", "approve", onVendor},
	{ItemOrgView, "operate.organisations", "view", onVendor},
	{ItemOrgChange, "operate.organisations", "change", onVendor},
	{ItemEntityChange, "operate.entities", "change", onVendor},
	{ItemNewsView, "operate.news", "view", onVendor},
	{ItemNewsChange, "operate.news", "change", onVendor},
	{ItemLedgerView, "operate.ledger", "view", onVendor},
	{ItemCreditChange, "operate.ledger", "set_credit", onVendor},
	{ItemPayoutView, "operate.payouts", "view", onVendor},
	{ItemPayoutReview, "operate.payouts", "review", onVendor},
	{ItemPayoutPay, "operate.payouts", "pay", onVendor},
	{ItemRemittance, "operate.ledger", "remittance", onVendor},
	{ItemCouponGrantView, "operate.coupons", "view", onVendor},
	{ItemCouponGrant, "operate.coupons", "grant", onVendor},
	{ItemCouponReview, "operate.coupons", "review", onVendor},
	{ItemConsoleView, "operate.consoles", "view", onVendor},
	{ItemConsoleChange, "operate.consoles", "change", onVendor},
	{ItemLimitView, "operate.limits", "view", onVendor},
	{ItemLimitChange, "operate.limits", "change", onVendor},
	{ItemCalendarView, "operate.calendar", "view", onVendor},
	{ItemCalendarChange, "operate.calendar", "change", onVendor},
	{ItemProspectReviewView, "operate.prospects", "view", onVendor},
	{ItemProspectReview, "operate.prospects", "review", onVendor},
	{ItemContractReviewView, "operate.contracts", "view", onVendor},
	{ItemContractReview, "operate.contracts", "review", onVendor},
	{ItemInvoiceReviewView, "operate.invoices", "view", onVendor},
	{ItemInvoiceReview, "operate.invoices", "review", onVendor},
}

// Catalogue lists the permissions a role of the side may carry, in the order of the menu.
func Catalogue(side Side) []Permission {
	var out []Permission
	for _, p := range catalogue {
		if slices.Contains(p.Sides, side) {
			out = append(out, p)
		}
	}
	return out
}

// Items lists the items a role of the side may carry.
func Items(side Side) []Item {
	var out []Item
	for _, p := range Catalogue(side) {
		out = append(out, p.Item)
	}
	return out
}
