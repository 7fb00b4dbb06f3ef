package portal

import "huoban/internal/scope"

// place is an entry of the menu: the key of its name, the page below /o/:org, and the letter that leads
// there after "g". Who sees it follows from the route that serves the page, so it is said once.
type place struct {
	key      string
	path     string
	shortcut string // "" = none
}

// column is a titled list of places in an area's panel.
type column struct {
	key    string
	places []place
}

// menuArea is an entry of the top bar for some sides: one page, or columns of them. Without a page the
// actor may see it is left out; with one it leads there without a panel.
type menuArea struct {
	key     string
	sides   []scope.Side
	page    place
	columns []column
}

// menu is the whole navigation, in order. Areas and columns stand here before their first page is built,
// so that a page is one line in the right place. The order of the pages of 销售, built or not:
//
//	拓新 客户拓展, 机会点管理, 销售拓展任务 · 客户 客户管理, 客户分配, 客户订单, 客户消费, 券管理, 客户预警, 续订任务
//	激励 产品激励策略, 指标信息, 业绩管理, 激励管理 · 账务 伙伴账单, 资金管理, 发票管理, 合同商务
//	云商店 商品信息, 专属优惠, 商品分账 · 云经销商 云经销商管理 · 运营看板 客户看板, 消费看板, 业绩看板
var menu = []menuArea{
	{key: "nav.area.home", sides: []scope.Side{scope.SidePartner, scope.SideCustomer}, page: place{"nav.area.home", "", "h"}},
	{key: "nav.area.programs", sides: partners},
	{key: "nav.area.competency", sides: partners},
	{key: "nav.area.build", sides: partners},
	{key: "nav.area.sales", sides: partners, columns: []column{
		{"nav.group.leads", []place{
			{"prospects.title", pathProspects, "t"},
		}},
		{"nav.group.customers", []place{
			{"customers.title", pathCustomers, "u"},
			{"assignments.title", pathAssignments, "i"},
			{"relations.title", pathRelations, ""},
			{"expenditure.title", "/expenditure", "e"},
			{"coupons.menu", pathCoupons, ""},
			{"peak.title", pathPeaks, "j"},
			{"subscription.title", pathSubscriptions, ""},
			{"statement.title", pathStatements, "r"},
			{"reconcile.title", pathReconcile, "q"},
		}},
		{"nav.group.incentives", nil},
		{"nav.group.finance", []place{
			{"nav.page.bills", "/bills", "b"},
			{"funds.title", pathFunds, ""},
			{"claims.title", pathClaims, ""},
			{"agreements.title", pathAgreements, ""},
			{"invoices.title", pathInvoices, ""},
			{"withdrawal.title", pathWithdrawals, ""},
			{"allocation.title", pathAllocations, ""},
			{"contracts.title", pathContracts, ""},
		}},
		{"nav.group.market", nil},
		{"nav.group.resellers", nil},
		{"nav.group.dashboards", []place{
			{"dashboard.customers.title", pathCustomerDashboard, ""},
			{"dashboard.title", pathDashboard, "v"},
		}},
	}},
	{key: "nav.area.delivery", sides: partners},
	{key: "nav.area.benefits", sides: partners},
	{key: "nav.area.cost", sides: []scope.Side{scope.SideCustomer}, columns: []column{
		{"nav.group.spending", []place{
			{"expenditure.title", "/expenditure", "e"},
			{"peak.title", pathPeaks, "j"},
			{"statement.own.title", pathOwnStatements, "r"},
			{"coupons.own", pathCoupons, ""},
		}},
	}},
	{key: "nav.area.organisation", sides: []scope.Side{scope.SidePartner, scope.SideCustomer}, columns: []column{
		{"nav.group.company", []place{
			{"company.title", pathProfile, "z"},
		}},
		{"nav.group.members", []place{
			{"members.title", pathMembers, "y"},
			{"roles.title", pathRoles, "f"},
			{"ssoview.partner.title", "/partner", "k"},
		}},
		{"nav.group.security", []place{
			{"backoffice.audit.title", "/audit", "l"},
			{"passcode.title", pathVerification, ""},
		}},
	}},
	{key: "nav.area.support", sides: partners, columns: []column{
		{"nav.group.capability", []place{
			{"access.title", pathAccess, "o"},
		}},
	}},

	// The vendor's back office, in the order of a month's work.
	{key: "nav.area.desk", sides: vendors, page: place{"nav.area.desk", "", "h"}},
	{key: "desk.title", sides: vendors, columns: []column{
		{"nav.group.desk", []place{
			{"desk.title", pathDesk, "z"},
		}},
		{"nav.group.rules", []place{
			{"desk.calendar.title", pathDeskCalendar, ""},
			{"desk.limits.title", pathDeskLimits, ""},
		}},
	}},
	{key: "work.title", sides: vendors, page: place{"work.title", "/work", "w"}},
	{key: "nav.area.data", sides: vendors, columns: []column{
		{"nav.group.import", []place{
			{"nav.page.deliveries", "/deliveries", "d"},
			{"peak.imports", pathPeakImports, ""},
			{"backoffice.sources.title", "/sources", "s"},
		}},
		{"nav.group.rules", []place{
			{"backoffice.map.title", "/mapping", "m"},
			{"backoffice.prices.title", "/prices", "p"},
		}},
	}},
	{key: "nav.area.billing", sides: vendors, columns: []column{
		{"nav.group.month", []place{
			{"nav.page.close", "/closes", "c"},
			{"nav.page.adjustments", "/adjustments", "a"},
		}},
		{"nav.group.finance", []place{
			{"nav.page.bills", "/bills", "b"},
			{"ledger.title", pathLedger, ""},
			{"creditlines.title", pathCreditLines, ""},
			{"remittances.title", pathRemittances, ""},
			{"claims.title", pathClaims, ""},
			{"agreements.title", pathAgreements, ""},
			{"invoice_requests.title", pathInvoiceRequests, ""},
			{"withdrawal.review", pathPayouts, ""},
			{"contracts.title", pathContracts, ""},
			{"coupons.menu", pathCoupons, ""},
		}},
	}},
	{key: "nav.area.partners", sides: vendors, columns: []column{
		{"nav.group.review", []place{
			{"registrations.title", pathRegistrations, ""},
			{"grants.title", pathGrants, ""},
			{"company.changes", pathCompanyChanges, ""},
		}},
		{"nav.group.partners", []place{
			{"news.written", pathAnnouncements, ""},
			{"consoles.title", pathConsoles, ""},
		}},
	}},
	{key: "nav.area.organisation", sides: vendors, columns: []column{
		{"nav.group.members", []place{
			{"members.title", pathMembers, "y"},
			{"roles.title", pathRoles, "f"},
		}},
		{"nav.group.security", []place{
			{"backoffice.audit.title", "/audit", "l"},
		}},
	}},
}

// The pages besides the menu.
const (
	pathMessages = "/messages"
	pathExports  = "/exports"
)

// besides are the pages that stand in the tools of the top bar and in the account menu.
var besides = []place{
	{"news.title", pathNews, ""},
	{"ops.messages.title", pathMessages, "n"},
	{"exports.title", pathExports, "x"},
}

// old is a path a page had, and the page.
type old struct{ was, path string }

// former are the paths pages had in the menus of earlier portals, which people still search for and keep
// as bookmarks. Each address below an organisation, or without one, leads to the page of today; a leading
// 销售 may stand or not. The paths of today's menu are understood without standing here.
var former = []old{
	{"客户业务/客户管理", pathCustomers},
	{"客户业务/客户分配", pathAssignments},
	{"客户业务/客户消费", "/expenditure"},
	{"客户业务/客户消费/消费汇总", "/expenditure"},
	{"客户业务/客户消费/消费明细", "/expenditure/lines"},
	{"客户业务/消费汇总", "/expenditure"},
	{"客户业务/消费明细", "/expenditure/lines"},
	{"客户/客户消费/消费汇总", "/expenditure"},
	{"客户/客户消费/消费明细", "/expenditure/lines"},
	{"客户业务/客户消费/月结95峰值计费产品", pathPeaks},
	{"伙伴账务/发票管理", pathInvoices},
	{"伙伴账务/伙伴账单", "/bills"},
	{"伙伴账务/伙伴账单/概览", "/bills"},
	{"伙伴账务/伙伴账单/按产品汇总", "/bills/products"},
	{"伙伴账务/伙伴账单/按客户汇总", "/bills/customers"},
	{"合同商务/合同管理", pathContracts},
	{"账务/合同商务/合同管理", pathContracts},
	{"账务/资金管理/代付管理", pathAgreements},
	{"账务/伙伴账单/概览", "/bills"},
	{"账务/伙伴账单/按产品汇总", "/bills/products"},
	{"账务/伙伴账单/按客户汇总", "/bills/customers"},
}
