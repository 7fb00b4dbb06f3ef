package portal

import (
	"slices"

	"huoban/internal/scope"
)

// lists are all lists that are exported whole as they are shown, and pageOfList the row of each one's page.
// They are filled before anything runs: pages name lists and lists name pages.
var (
	lists      = map[string]*list{}
	pageOfList = map[string]Route{}
	titleOf    = map[string]string{} // key of a page's title by the name of its route
	// pageAt are the pages below an organisation by their path, for what is told of them without a server.
	pageAt = map[string]Route{}
)

func init() {
	routes := table()
	for _, r := range routes {
		titleOf[r.Name] = r.Title
	}
	pageAt = pagesOf(routes)
	for _, l := range allLists() {
		lists[l.kind] = l
		i := slices.IndexFunc(routes, func(r Route) bool { return r.Name == l.route })
		pageOfList[l.kind] = routes[i]
	}
}

// allLists is the table of lists. A new one is a row here, a read function, and grid in its page.
func allLists() []*list {
	return slices.Concat(salesLists(), moneyLists(), staffLists())
}

// salesLists are those of bills, customers, coupons and consumption.
func salesLists() []*list {
	return []*list{
		{kind: "bills", route: "bills", params: []string{"cycle", "vendor", "partner", "currency", "entity"}, needs: scope.ItemBillExport, read: (*Handlers).readBills},
		{kind: "bill.history", route: "bills.history", params: []string{"cycle", "vendor", "partner", "currency", "entity"}, needs: scope.ItemBillExport, read: (*Handlers).readBillHistory},
		{kind: "bill.adjustments", route: "bills.adjustments", params: []string{"cycle", "vendor", "partner", "currency", "entity"}, needs: scope.ItemBillExport, read: (*Handlers).readBillAdjustments},
		{kind: "customers", route: "customers", params: []string{"of", "q", "relation", "state", "manager", "label", "spent", "phone", "code", "reseller", "from", "to", "sort"}, needs: scope.ItemCustomerExport, read: (*Handlers).readCustomers},
		{kind: "customer.products", route: "customers.show", needs: scope.ItemExpenditureView, prefix: "p-", read: (*Handlers).readCustomerProducts},
		{kind: "customer.resources", route: "customers.resources", params: []string{"cycle"}, needs: scope.ItemExpenditureExport, prefix: "r-", read: (*Handlers).readCustomerResources},
		{kind: "customer.orders", route: "customers.resources", params: []string{"cycle"}, needs: scope.ItemExpenditureExport, prefix: "o-", read: (*Handlers).readCustomerOrders},
		{kind: "customer.managers", route: "customers.show", prefix: "m-", read: (*Handlers).readCustomerManagers},
		{kind: "customer.associations", route: "customers.show", prefix: "a-", read: (*Handlers).readCustomerAssociations},
		{kind: "peaks", route: "peaks", params: []string{"cycle", "customer", "relation", "manager", "product", "usage"}, needs: scope.ItemExpenditureExport, read: (*Handlers).readPeaks},
		{kind: "peak.days", route: "peaks.show", params: []string{"cycle"}, needs: scope.ItemExpenditureExport, prefix: "d-", read: (*Handlers).readPeakDays},
		{kind: "peak.points", route: "peaks.show", params: []string{"cycle"}, needs: scope.ItemExpenditureExport, read: (*Handlers).readPeakPoints},
		{kind: "prospects", route: "prospects", params: []string{"q", "state", "kind", "relation", "from", "to", "sort"}, read: (*Handlers).readProspects},
		{kind: "invitations", route: "invitations", params: []string{"q", "state", "channel", "relation", "from", "to"}, read: (*Handlers).readInvitations},
		{kind: "invitation.tries", route: "invitations.show", prefix: "t-", read: (*Handlers).readTries},
		{kind: "prospect.invitations", route: "prospects.show", prefix: "i-", read: (*Handlers).readProspectInvitations},
		{kind: "grants", route: "grants", params: []string{"q", "state"}, read: (*Handlers).readGrants},
		{kind: "registrations", route: "registrations", params: []string{"q", "state", "from", "to"}, read: (*Handlers).readRegistrations},
		{kind: "relations", route: "relations", params: []string{"q", "kind", "state", "from", "to"}, read: (*Handlers).readRelations},
		{kind: "quotas", route: "quotas", params: []string{"q", "state", "kind", "from", "to", "sort"}, read: (*Handlers).readQuotas},
		{kind: "quotas.shared", route: "quotas.shared", params: []string{"q", "state", "kind", "from", "to", "sort"}, read: (*Handlers).readSharedQuotas},
		{kind: "quota.coupons", route: "quotas.show", prefix: "v-", read: (*Handlers).readQuotaCoupons},
		{kind: "coupons", route: "coupons", params: []string{"q", "state", "level", "kind", "from", "to", "sort"}, read: (*Handlers).readCoupons},
		{kind: "coupon.used", route: "coupons.show", prefix: "u-", read: (*Handlers).readCouponUsed},
		{kind: "coupon.uses", route: "coupons.uses", params: []string{"q", "from", "to"}, read: (*Handlers).readCouponUses},
		{kind: "coupon.records", route: "coupons.records", params: []string{"q", "op", "result", "from", "to"}, read: (*Handlers).readCouponRecords},
		{kind: "assignments", route: "assignments", read: (*Handlers).readAssignments},
		{kind: "assignments.customers", route: "assignments.show", read: (*Handlers).readAssigned},
		{kind: "dashboard.expenditure", route: "dashboards.expenditure", params: []string{"by", "from", "to", "customer", "manager", "relation", "product", "mode", "currency", "sort", "top", "zero"}, needs: scope.ItemExpenditureExport, read: (*Handlers).readDashboard},
		{kind: "dashboard.anomalies", route: "dashboards.anomalies", params: []string{"cycle", "kind", "state", "currency"}, needs: scope.ItemExpenditureExport, read: (*Handlers).readAnomalies},
		{kind: "dashboard.forecast", route: "dashboards.forecast", params: []string{"customer", "manager", "currency"}, needs: scope.ItemExpenditureExport, read: (*Handlers).readForecast},
	}
}

// moneyLists are those of funds, statements and invoices.
func moneyLists() []*list {
	return []*list{
		{kind: "allocations", route: "allocations", params: []string{"vendor", "currency", "q", "kind"}, read: (*Handlers).readAllocations},
		{kind: "withdrawals", route: "withdrawals", params: []string{"q", "state", "kind", "from", "to"}, read: (*Handlers).readWithdrawals},
		{kind: "withdrawal.parts", route: "withdrawals.show", prefix: "p-", read: (*Handlers).readWithdrawalParts},
		{kind: "payouts", route: "payouts", params: []string{"q", "state", "kind", "from", "to", "sort"}, read: (*Handlers).readPayouts},
		{kind: "payout.parts", route: "payouts.show", prefix: "p-", read: (*Handlers).readWithdrawalParts},
		{kind: "expenditure.older", route: "expenditure.archive", needs: scope.ItemExpenditureExport, read: (*Handlers).readOlder},
		{kind: "subscriptions", route: "subscriptions", read: (*Handlers).readSubscriptions},
		{kind: "subscription.dispatches", route: "subscriptions.show", prefix: "d-", read: (*Handlers).readDispatches},
		{kind: "dispatch.tries", route: "dispatches.show", prefix: "t-", read: (*Handlers).readDispatchTries},
		{kind: "statements", route: "statements", params: []string{"cycle", "state", "currency", "q"}, read: (*Handlers).readStatements},
		{kind: "statement.lines", route: "statements.show", prefix: "l-", read: (*Handlers).readStatementLines},
		{kind: "statement.rules", route: "statements.rules", read: (*Handlers).readStatementRules},
		{kind: "statement.rule_history", route: "statements.rules", prefix: "h-", read: (*Handlers).readStatementRuleHistory},
		{kind: "statement.heads", route: "statements.head", prefix: "v-", read: (*Handlers).readStatementHeads},
		{kind: "invoices", route: "invoices", params: []string{"cycle", "state", "q", "from", "to"}, read: (*Handlers).readInvoices},
		{kind: "invoice_requests", route: "invoice_requests", params: []string{"cycle", "state", "q", "from", "to"}, read: (*Handlers).readInvoiceRequests},
		{kind: "statements.own", route: "billing.statements", read: (*Handlers).readOwnStatements},
		{kind: "statement.own_lines", route: "billing.statements.show", prefix: "l-", read: (*Handlers).readOwnStatementLines},
		{kind: "reconciliations", route: "reconciliations", read: (*Handlers).readReconciliations},
		{kind: "reconcile.rows", route: "reconciliations.show", params: []string{"class"}, read: (*Handlers).readReconciled},
		{kind: "funds.accounts", route: "funds", read: (*Handlers).readFundAccounts},
		{kind: "funds.movements", route: "funds.movements", params: []string{"account", "vendor", "partner", "currency", "type", "detail", "direction", "customer", "from", "to"}, read: (*Handlers).readMovements},
		{kind: "funds.bills", route: "funds.bills", params: []string{"state"}, read: (*Handlers).readBillPayments},
		{kind: "funds.adjustments", route: "funds.adjustments", params: []string{"type", "partner", "customer", "from", "to"}, read: (*Handlers).readFundAdjustments},
		{kind: "topups", route: "topups", params: []string{"state"}, read: (*Handlers).readTopUps},
		{kind: "claims", route: "claims", params: []string{"state", "q", "from", "to"}, read: (*Handlers).readClaims},
		{kind: "credit_lines", route: "credit_lines", params: []string{"state"}, read: (*Handlers).readCreditLines},
		{kind: "agreements", route: "agreements", params: []string{"q", "state", "kind", "from", "to", "sort"}, read: (*Handlers).readAgreements},
		{kind: "contracts", route: "contracts", params: []string{"q", "state", "kind", "from", "to", "sort"}, read: (*Handlers).readContracts},
		{kind: "contract.plan", route: "contracts.show", prefix: "p-", read: (*Handlers).readContractPlan},
		{kind: "ledger", route: "ledger", params: []string{"kind", "partner"}, read: (*Handlers).readLedger},
		{kind: "remittances", route: "remittances", params: []string{"state", "q", "from", "to"}, read: (*Handlers).readRemittances},
	}
}

// staffLists are those of persons, deliveries, closes, prices and what happened.
func staffLists() []*list {
	return []*list{
		{kind: "dashboard.customers", route: "dashboards.customers", params: []string{"from", "to", "currency", "manager"}, needs: scope.ItemExpenditureExport, read: (*Handlers).readContributions},
		{kind: "members", route: "members", params: []string{"q", "role", "state"}, needs: scope.ItemStaffChange, read: (*Handlers).readMembers},
		{kind: "roles", route: "roles", read: (*Handlers).readRoles},
		{kind: "company.changes", route: "company.changes", params: []string{"state"}, read: (*Handlers).readCompanyChanges},
		{kind: "news", route: "news", read: (*Handlers).readNews},
		{kind: "announcements", route: "announcements", params: []string{"state"}, read: (*Handlers).readAnnouncements},
		{kind: "adjustments", route: "adjustments", params: []string{"state"}, read: (*Handlers).readAdjustments},
		{kind: "desk", route: "desk", params: []string{"desk", "kind", "late", "q", "sort"}, read: (*Handlers).readDesk},
		{kind: "calendar", route: "desk.calendar", params: []string{"year"}, read: (*Handlers).readCalendar},
		{kind: "limits", route: "desk.limits", read: (*Handlers).readLimits},
		{kind: "peak.imports", route: "peak_imports", read: (*Handlers).readPeakImports},
		{kind: "peak.bad_rows", route: "peak_imports.show", prefix: "b-", read: (*Handlers).readPeakBad},
		{kind: "deliveries", route: "deliveries", params: []string{"source"}, read: (*Handlers).readDeliveries},
		{kind: "delivery.changes", route: "deliveries.changes", params: []string{"slot"}, read: (*Handlers).readChanges},
		{kind: "delivery.rules", route: "deliveries.rules", params: []string{"outcome", "level", "column"}, read: (*Handlers).readRules},
		{kind: "quarantine", route: "quarantine", params: []string{"state"}, read: (*Handlers).readQuarantine},
		{kind: "closes", route: "closes", read: (*Handlers).readCloses},
		{kind: "closes.bills", route: "closes.show", needs: scope.ItemBillView, prefix: "b-", read: (*Handlers).readCloseBills},
		{kind: "sources", route: "sources", read: (*Handlers).readSources},
		{kind: "sources.periods", route: "sources", needs: scope.ItemDeliveryView, prefix: "p-", read: (*Handlers).readPeriods},
		{kind: "mapping", route: "mapping", params: []string{"source", "q"}, read: (*Handlers).readMapping},
		{kind: "mapping.unmapped", route: "mapping", params: []string{"source"}, prefix: "u-", read: (*Handlers).readUnmapped},
		{kind: "prices", route: "prices", params: []string{"q", "type"}, read: (*Handlers).readPrices},
		{kind: "prices.history", route: "prices", params: []string{"rule"}, prefix: "h-", read: (*Handlers).readPriceHistory},
		{kind: "prices.drafts", route: "prices.simulation", needs: scope.ItemPriceView, prefix: "d-", read: (*Handlers).readDrafts},
		{kind: "prices.simulation", route: "prices.simulation", params: []string{"cycle"}, read: (*Handlers).readSimulation},
		{kind: "partner.trail", route: "partner.trail", params: []string{"kind", "from", "to"}, read: (*Handlers).readTrail},
		{kind: "consoles", route: "consoles", read: (*Handlers).readConsoles},
		{kind: "audit", route: "audit", params: []string{"actor", "action", "outcome", "request", "from", "to"}, needs: scope.ItemAuditExport, read: (*Handlers).readAudit},
		{kind: "messages", route: "messages", params: []string{"category", "unread", "q"}, read: (*Handlers).readBell},
	}
}

// nameRoutes show the masked columns of a list once and write down that they did.
func nameRoutes() []Route {
	return []Route{
		nameRoute(scope.ItemBillView, "/bills/adjustments", "bills.adjustments", traders, billQuery, (*Handlers).billAdjustments),
		nameRoute(scope.ItemExpenditureView, pathPeaks, "peaks", consumers, []string{"customer", "manager"}, (*Handlers).peaks),
		nameRoute(scope.ItemCustomerView, pathCustomers, "customers", partners, []string{"manager", "reseller"}, (*Handlers).customers),
		nameRoute(scope.ItemCustomerView, pathCustomers+"/:id", "customers.show", partners, nil, (*Handlers).customerShown),
		nameRoute(scope.ItemProspectView, pathProspects, "prospects", partners, nil, (*Handlers).prospects),
		nameRoute(scope.ItemProspectView, pathProspects+"/:id", "prospects.show", partners, nil, (*Handlers).prospectShown),
		nameRoute(scope.ItemProspectView, pathInvitations, "invitations", partners, nil, (*Handlers).invitations),
		nameRoute(scope.ItemProspectView, pathInvitations+"/:id", "invitations.show", partners, nil, (*Handlers).invitationShown),
		nameRoute(scope.ItemProspectReviewView, pathRegistrations, "registrations", vendors, nil, (*Handlers).registrations),
		nameRoute(scope.ItemProspectReviewView, pathRegistrations+"/:id", "registrations.show", vendors, nil, (*Handlers).registrationShown),
		nameRoute(scope.ItemAssociationView, pathRelations, "relations", partners, nil, (*Handlers).relations),
		couponNameRoute(pathCoupons, "coupons", (*Handlers).coupons),
		couponNameRoute(pathCoupons+"/:id", "coupons.show", (*Handlers).couponShown),
		couponNameRoute(pathCoupons+"/uses", "coupons.uses", (*Handlers).couponUses),
		couponNameRoute(pathCoupons+"/records", "coupons.records", (*Handlers).couponRecords),
		couponNameRoute(pathQuotas+"/:id", "quotas.show", (*Handlers).quotaShown),
		nameRoute(scope.ItemAssignmentView, pathAssignments, "assignments", partners, nil, (*Handlers).assignments),
		nameRoute(scope.ItemAssignmentView, pathAssignments+"/:id", "assignments.show", partners, nil, (*Handlers).assigned),
		nameRoute(scope.ItemInvoiceView, pathInvoices+"/:id", "invoices.show", partners, nil, (*Handlers).invoiceShown),
		nameRoute(scope.ItemInvoiceReviewView, pathInvoiceRequests+"/:id", "invoice_requests.show", vendors, nil, (*Handlers).invoiceRequestShown),
		nameRoute(scope.ItemStatementView, pathStatements, "statements", partners, nil, (*Handlers).statements),
		nameRoute(scope.ItemStatementView, pathStatements+"/rules", "statements.rules", partners, nil, (*Handlers).statementRules),
		nameRoute(scope.ItemExpenditureView, pathDashboard, "dashboards.expenditure", partners, []string{"customer", "manager"}, (*Handlers).dashboard),
		nameRoute(scope.ItemExpenditureView, pathAnomalies, "dashboards.anomalies", partners, nil, (*Handlers).anomalies),
		nameRoute(scope.ItemCustomerView, pathCustomerDashboard, "dashboards.customers", partners, []string{"manager"}, (*Handlers).customerDashboard),
		nameRoute(scope.ItemFundsView, pathFunds+"/movements", "funds.movements", partners, []string{"vendor", "partner", "customer"}, (*Handlers).movements),
		nameRoute(scope.ItemFundsView, pathFunds+"/adjustments", "funds.adjustments", partners, []string{"partner", "customer"}, (*Handlers).fundAdjustments),
		nameRoute(scope.ItemLedgerView, pathLedger, "ledger", vendors, []string{"partner"}, (*Handlers).ledger),
		nameRoute(scope.ItemStaffView, pathMembers, "members", nil, []string{"role"}, (*Handlers).members),
		nameRoute(scope.ItemStaffView, pathMembers+"/:id", "members.show", nil, nil, (*Handlers).member1),
		nameRoute(scope.ItemAdjustmentView, "/adjustments", "adjustments", vendors, nil, (*Handlers).adjustments),
		nameRoute(scope.ItemMapView, "/mapping", "mapping", vendors, []string{"source"}, (*Handlers).mapping),
		nameRoute(scope.ItemPriceView, "/prices", "prices", vendors, []string{"rule"}, (*Handlers).prices),
		nameRoute(scope.ItemPriceSimulate, "/prices/simulation", "prices.simulation", vendors, nil, (*Handlers).simulation),
	}
}

func nameRoute(item scope.Item, path, name string, sides []scope.Side, query []string, page func(*Handlers, *Ctx) error) Route {
	return Route{Method: post, Path: "/o/:org" + path + "/names", Name: name + ".names", Sides: sides, Items: []scope.Item{item}, Also: []scope.Item{scope.ItemRevealMasked}, Query: query,
		Do: func(h *Handlers, c *Ctx) error {
			if err := h.reveal(c, name, "customer"); err != nil {
				return err
			}
			c.open = true
			return page(h, c)
		}}
}

// couponNameRoute is nameRoute of a page both a vendor and a partner see, each by its own permission.
func couponNameRoute(path, name string, page func(*Handlers, *Ctx) error) Route {
	r := nameRoute(scope.ItemCouponView, path, name, traders, nil, page)
	r.Items = append(r.Items, scope.ItemCouponGrantView)
	return r
}
