package portal

import (
	"net/http"
	"slices"
	"strings"
	"time"

	"huoban/internal/coupon"
	"huoban/internal/customer"
	"huoban/internal/fault"
	"huoban/internal/i18n"
	"huoban/internal/organisation"
	"huoban/internal/scope"
	"huoban/web/templates/growview"
	"huoban/web/templates/opsview"
	"huoban/web/templates/part"
)

const (
	pathCoupons = "/coupons"
	pathQuotas  = pathCoupons + "/quotas"
)

var (
	quotaViewers  = []scope.Item{scope.ItemQuotaView, scope.ItemIssuedQuotaView, scope.ItemCouponGrantView}
	couponViewers = []scope.Item{scope.ItemCouponView, scope.ItemCouponGrantView, scope.ItemCouponOwn}
	couponSides   = []scope.Side{scope.SideVendor, scope.SidePartner, scope.SideCustomer}
	quotaTone     = map[coupon.QuotaState]part.Tone{coupon.QuotaNormal: part.Good, coupon.QuotaPending: part.Warn, coupon.QuotaAdjusting: part.Warn, coupon.QuotaFrozen: part.Warn, coupon.QuotaInvalid: part.Bad, coupon.QuotaRefused: part.Bad}
	couponTone    = map[coupon.State]part.Tone{coupon.StateUsable: part.Good, coupon.StateInactive: part.Warn, coupon.StateExpired: part.Bad, coupon.StateRefused: part.Bad}
)

// couponRoutes are 券管理: quotas, vouchers, what was done with them and what they paid.
func couponRoutes() []Route {
	row := func(method, path, name, title string, sides []scope.Side, items []scope.Item, do func(*Handlers, *Ctx) error) Route {
		return Route{Method: method, Path: "/o/:org" + path, Name: name, Sides: sides, Items: items, Title: title, Do: do}
	}
	one := func(i ...scope.Item) []scope.Item { return i }
	out := []Route{
		row(get, pathCoupons, "coupons", "coupons.title", couponSides, couponViewers, (*Handlers).coupons),
		row(get, pathCoupons+"/:id", "coupons.show", "coupons.one", couponSides, couponViewers, (*Handlers).couponShown),
		row(get, pathCoupons+"/:id/check", "coupons.check", "coupons.check", couponSides, couponViewers, (*Handlers).couponCheck).noList("conditions of one voucher"),
		row(get, pathCoupons+"/uses", "coupons.uses", "coupons.uses", couponSides, couponViewers, (*Handlers).couponUses),
		row(get, pathCoupons+"/records", "coupons.records", "coupons.records", traders, append(slices.Clone(quotaViewers), scope.ItemCouponView), (*Handlers).couponRecords),
		row(get, pathQuotas, "quotas", "quotas.title", traders, quotaViewers, (*Handlers).quotas),
		row(get, pathQuotas+"/:id", "quotas.show", "quotas.one", traders, quotaViewers, (*Handlers).quotaShown),
		row(get, pathCoupons+"/shared", "quotas.shared", "quotas.shared", partners, one(scope.ItemIssuedQuotaView), (*Handlers).sharedQuotas),
		row(get, pathCoupons+"/grant", "coupons.granting", "coupons.grant", vendors, one(scope.ItemCouponGrant), (*Handlers).grantPage).noList("form"),
		row(post, pathCoupons+"/grant", "coupons.grant", "", vendors, one(scope.ItemCouponGrant), (*Handlers).granted),
		row(get, pathQuotas+"/:id/issue", "quotas.issuing", "coupons.issue", partners, one(scope.ItemCouponIssue), (*Handlers).issuePage).noList("form"),
		row(post, pathQuotas+"/:id/issue", "quotas.issue", "", partners, one(scope.ItemCouponIssue), (*Handlers).issued),
		row(get, pathQuotas+"/:id/batch", "quotas.batching", "coupons.batch", partners, one(scope.ItemCouponIssue), (*Handlers).batchPage).noList("form"),
		row(post, pathQuotas+"/:id/batch", "quotas.batch", "", partners, one(scope.ItemCouponIssue), (*Handlers).batched),
		row(get, pathQuotas+"/:id/share", "quotas.sharing", "quotas.share", partners, one(scope.ItemQuotaShare), (*Handlers).sharePage).noList("form"),
		row(post, pathQuotas+"/:id/share", "quotas.share", "", partners, one(scope.ItemQuotaShare), (*Handlers).shared),
		row(get, pathQuotas+"/:id/adjustment", "quotas.adjusting", "quotas.adjust", vendors, one(scope.ItemCouponGrant), (*Handlers).adjustPage).noList("form"),
		row(get, pathCoupons+"/reclaim", "coupons.reclaiming", "coupons.reclaim", traders, one(scope.ItemCouponReclaim, scope.ItemCouponGrant), (*Handlers).reclaimPage).noList("form"),
		row(post, pathCoupons+"/reclaim", "coupons.reclaim_many", "", traders, one(scope.ItemCouponReclaim, scope.ItemCouponGrant), (*Handlers).reclaimedMany),
	}
	for i := range coupon.QuotaFlow.Rows {
		if r := &coupon.QuotaFlow.Rows[i]; r.Noun != "" && !slices.ContainsFunc(out, func(x Route) bool { return x.Name == "quotas."+r.Noun && x.Method == post }) {
			out = append(out, row(post, pathQuotas+"/:id/"+r.Noun, "quotas."+r.Noun, "", traders, r.Who, func(h *Handlers, c *Ctx) error { return h.quotaAct(c, r.Do) }).moves(coupon.QuotaFlow, string(r.Do)))
		}
	}
	for i := range coupon.Flow.Rows {
		if r := &coupon.Flow.Rows[i]; r.Noun != "" {
			out = append(out, row(post, pathCoupons+"/:id/"+r.Noun, "coupons."+r.Noun, "", traders, r.Who, func(h *Handlers, c *Ctx) error { return h.couponAct(c, r.Do) }).moves(coupon.Flow, string(r.Do)))
		}
	}
	named := map[string][]string{"coupons.grant": {"partner"}, "coupons.granting": {"partner"}, "quotas.issue": {"customer"}, "quotas.issuing": {"customer"}, "quotas.share": {"reseller"}, "quotas.sharing": {"reseller"},
		"coupons.reclaim_many": {"coupon"}, "coupons.check": {"customer"}}
	for i := range out {
		out[i].Query = named[out[i].Name]
	}
	return out
}

// couponTabs are the lists the actor may see.
func (h *Handlers) couponTabs(c *Ctx, current string) []part.Tab {
	var out []part.Tab
	for _, t := range [][2]string{{pathQuotas, "quotas.tab"}, {pathCoupons + "/shared", "quotas.shared"}, {pathCoupons, "coupons.tab"}, {pathCoupons + "/uses", "coupons.uses"}, {pathCoupons + "/records", "coupons.records"}} {
		if h.may(c, t[0]) && (t[0] != pathCoupons+"/shared" || len(c.Scope.Resellers()) > 0) {
			out = append(out, part.Tab{Text: c.T(t[1]), Href: c.at(t[0]), Current: t[0] == current})
		}
	}
	return out
}

// couponNames are the organisations the actor may see named, by key; those of customers are personal.
type couponNames struct {
	all       map[string]customer.Party
	customers map[string]bool
}

func (h *Handlers) couponNames(c *Ctx) (couponNames, error) {
	n := couponNames{map[string]customer.Party{c.Org.ID: {ID: c.Org.ID, Code: c.Org.Code, Name: c.Org.Name}}, map[string]bool{}}
	orgs, err := h.Orgs.List(c.ctx(), c.Scope)
	if err != nil {
		return n, err
	}
	for _, o := range orgs {
		n.all[o.ID] = customer.Party{ID: o.ID, Code: o.Code, Name: o.Name}
		n.customers[o.ID] = o.Kind == organisation.KindCustomer && o.ID != c.Org.ID
	}
	if c.Scope.Side() == scope.SidePartner && c.Scope.Has(scope.ItemCustomerView) {
		names, err := h.Customers.Names(c.ctx(), c.Scope)
		if err != nil {
			return n, err
		}
		for id, p := range names {
			n.all[id], n.customers[id] = p, true
		}
	}
	return n, nil
}

// cell names an organisation: a customer masked, with its code.
func (n couponNames) cell(c *Ctx, id string) opsview.Cell {
	p := n.all[id]
	if !n.customers[id] {
		return opsview.Cell{Text: p.Name, Note: p.Code}
	}
	out := c.personal(p.Name)
	out.Note = p.Code
	return out
}

// text names it in a fact.
func (n couponNames) text(c *Ctx, id string) string {
	x := n.cell(c, id)
	return join(present(x.Text, x.Note), " · ")
}

func (n couponNames) about(id string) string {
	if n.customers[id] {
		return n.all[id].Code
	}
	return ""
}

func (n couponNames) matches(id, text string) bool {
	p := n.all[id]
	return strings.Contains(strings.ToLower(p.Code), text) || strings.Contains(strings.ToLower(p.Name), text)
}

// validity is a time with its zone's day, from and to.
func validity(from, to time.Time) string { return i18n.DateTime(from) + " – " + i18n.DateTime(to) }

// boundItems say what something is limited to; what is not limited is left out.
func boundItems(c *Ctx, l *coupon.Limits, currency string, names couponNames) []part.Item {
	var out []part.Item
	add := func(name string, list []string) {
		if len(list) > 0 {
			out = append(out, part.Item{Label: c.T("coupon.limit.title." + name), Text: join(list, c.T("portal.list.comma"))})
		}
	}
	add("service", l.Services)
	add("product", l.Products)
	add("region", l.Regions)
	add("mode", worded(c, "bills.mode.", l.Modes))
	add("order", worded(c, "coupon.order.", l.Orders))
	var who []string
	for _, id := range l.Customers {
		who = append(who, names.text(c, id))
	}
	add("customer", who)
	if l.MinOrder > 0 {
		out = append(out, part.Item{Label: c.T("coupon.limit.title.min_order"), Text: i18n.Money(l.MinOrder, currency)})
	}
	if l.MaxOrder > 0 {
		out = append(out, part.Item{Label: c.T("coupon.limit.title.max_order"), Text: i18n.Money(l.MaxOrder, currency)})
	}
	if len(out) == 0 {
		out = append(out, part.Item{Label: c.T("coupons.limits"), Text: c.T("coupons.limits.none")})
	}
	return out
}

// limitsWord is the short form of a list.
func limitsWord(c *Ctx, l *coupon.Limits, currency string, names couponNames) string {
	if l.Empty() {
		return c.T("coupons.limits.none")
	}
	var words []string
	for _, i := range boundItems(c, l, currency, names) {
		words = append(words, i.Label+" "+i.Text)
	}
	return join(words, " · ")
}

func (h *Handlers) quotaShown(c *Ctx) error { return h.quotaDetail(c, http.StatusOK, nil) }

// quotaDetail is one quota: what it is worth, what may be done, what was cut from it and what happened.
func (h *Handlers) quotaDetail(c *Ctx, status int, refused *fault.Error) error {
	q, err := h.Coupons.Quota(c.ctx(), c.Scope, c.Param("id"))
	if err != nil {
		return err
	}
	names, err := h.couponNames(c)
	if err != nil {
		return err
	}
	at := c.at(pathQuotas + "/" + q.ID)
	d := growview.Detail{Header: part.Header{Title: c.T("quotas.of", "Name", q.Name()), Crumbs: c.crumbs(part.Link{Text: c.T("quotas.title"), Href: c.at(pathQuotas)}, part.Link{Text: q.Name()}),
		Status: c.explained(coupon.QuotaFlow.Machine, q.ID, string(q.State), quotaTone[q.State])}, Flash: c.done()}
	d.Refusal, d.Conflict = lost(c, refused, at)
	money := func(key string, a sum) part.Item {
		return part.Item{Label: c.T(key), Text: i18n.ExactMoney(a.amount, a.currency)}
	}
	d.Facts = []part.Item{{Label: c.T("quotas.owner"), Text: names.text(c, q.OwnerID)}, {Label: c.T("quotas.giver"), Text: names.text(c, q.GiverID)}, {Label: c.T("coupons.kind"), Text: c.T(q.Kind.Label())},
		money("quotas.value", sum{q.Currency, q.Value.Exact()}), money("quotas.issued", sum{q.Currency, q.Issued.Exact()}), money("quotas.returned", sum{q.Currency, q.Returned.Exact()}),
		money("quotas.balance", sum{q.Currency, q.Balance.Exact()}), {Label: c.T("coupons.validity"), Text: validity(q.From, q.To)}}
	if q.Change != 0 {
		d.Facts = append(d.Facts, money("coupon_quota.field.change", sum{q.Currency, q.Change.Exact()}))
	}
	d.Facts = append(d.Facts, boundItems(c, &q.Limits, q.Currency, names)...)
	if q.GiverID == c.Org.ID || c.Scope.Side() == scope.SideVendor {
		d.Facts = append(d.Facts, part.Item{Label: c.T("coupons.memo"), Text: q.Memo}, part.Item{Label: c.T("coupons.by"), Text: q.ProposedBy}, part.Item{Label: c.T("coupons.decided_by"), Text: q.DecidedBy})
	}
	d.Facts = append(d.Facts, part.Item{Label: c.T("coupons.reason"), Text: q.Reason})
	d.Facts = slices.DeleteFunc(d.Facts, func(x part.Item) bool { return x.Text == "" })
	buttons, err := h.Coupons.QuotaAllowed(c.ctx(), c.Scope, &q)
	if err != nil {
		return err
	}
	d.Buttons = flowButtons(c, buttons, at, q.Name(), q.Version)
	if q.State == coupon.QuotaNormal && q.OwnerID == c.Org.ID {
		for _, b := range [][2]string{{"issue", "coupons.issue"}, {"batch", "coupons.batch"}, {"share", "quotas.share"}} {
			if item := map[string]scope.Item{"issue": scope.ItemCouponIssue, "batch": scope.ItemCouponIssue, "share": scope.ItemQuotaShare}[b[0]]; c.Scope.Has(item) && (b[0] != "share" || len(c.Scope.Resellers()) > 0) {
				d.Header.Buttons = append(d.Header.Buttons, part.Link{Text: c.T(b[1]), Href: at + "/" + b[0]})
			}
		}
	}
	grid, err := h.titled(c, "quota.coupons", "quota-coupons", c.T("exports.kind.quota.coupons"))
	if err != nil {
		return err
	}
	d.Grids = []opsview.Grid{grid}
	changes, err := h.Coupons.History(c.ctx(), coupon.QuotaFlow.Machine, q.ID)
	if err != nil {
		return err
	}
	d.Trail = history(c, coupon.QuotaFlow.Machine, changes)
	return c.page(status, d.Page())
}

// adjustPage asks by how much, for those who come without the dialog.
func (h *Handlers) adjustPage(c *Ctx) error {
	q, err := h.Coupons.Quota(c.ctx(), c.Scope, c.Param("id"))
	if err != nil {
		return err
	}
	buttons, err := h.Coupons.QuotaAllowed(c.ctx(), c.Scope, &q)
	if err != nil {
		return err
	}
	at := c.at(pathQuotas + "/" + q.ID)
	var fields []part.Field
	for _, b := range buttons {
		if b.Action == string(coupon.QuotaAdjust) {
			fields = c.fieldsOf(b.Inputs, at+"/adjustment")
		}
	}
	return c.page(http.StatusOK, growview.Form{Header: part.Header{Title: c.T("quotas.adjust"), Crumbs: c.crumbs(part.Link{Text: c.T("quotas.title"), Href: c.at(pathQuotas)}, part.Link{Text: q.Name(), Href: at}, part.Link{Text: c.T("quotas.adjust")})},
		Action: at + "/adjustment", Hidden: append(fresh(), seen(q.Version)), Facts: []part.Item{{Label: c.T("quotas.balance"), Text: i18n.Money(q.Balance, q.Currency)}}, Fields: fields,
		Submits: []growview.Submit{{Value: "adjust", Text: c.T("quotas.adjust")}}, Notes: []string{c.T("quotas.rule.adjust")}}.Page())
}

func (h *Handlers) couponShown(c *Ctx) error { return h.couponDetail(c, http.StatusOK, nil) }

// couponDetail is one voucher with what may be done, what it paid and what happened.
func (h *Handlers) couponDetail(c *Ctx, status int, refused *fault.Error) error {
	x, err := h.Coupons.Coupon(c.ctx(), c.Scope, c.Param("id"))
	if err != nil {
		return err
	}
	names, err := h.couponNames(c)
	if err != nil {
		return err
	}
	at := c.at(pathCoupons + "/" + x.ID)
	d := growview.Detail{Header: part.Header{Title: c.T("coupons.of", "Name", x.Name()), Crumbs: c.crumbs(part.Link{Text: c.T("coupons.title"), Href: c.at(pathCoupons)}, part.Link{Text: x.Name()}),
		Status: c.explained(coupon.Flow.Machine, x.ID, string(x.State), couponTone[x.State])}, Flash: c.done()}
	d.Header.Buttons = []part.Link{{Text: c.T("coupons.check"), Href: at + "/check"}}
	d.Refusal, d.Conflict = lost(c, refused, at)
	d.Facts = append(couponFacts(c, &x, names), boundItems(c, &x.Limits, x.Currency, names)...)
	if x.QuotaID != "" && x.IssuerID == c.Org.ID && h.may(c, pathQuotas) {
		q, err := h.Coupons.Quota(c.ctx(), c.Scope, x.QuotaID)
		if err != nil {
			return err
		}
		d.Facts = append(d.Facts, part.Item{Label: c.T("coupons.quota"), Text: q.Name(), Href: c.at(pathQuotas + "/" + q.ID)})
	}
	if names.customers[x.HolderID] {
		d.Eye = c.factsEye(pathCoupons+"/"+x.ID, c.T("coupons.holder"))
		c.sawAll(names.about(x.HolderID))
	}
	buttons, err := h.Coupons.Allowed(c.ctx(), c.Scope, &x)
	if err != nil {
		return err
	}
	d.Buttons = flowButtons(c, buttons, at, x.Name(), x.Version)
	grid, err := h.titled(c, "coupon.used", "coupon-used", c.T("exports.kind.coupon.used"))
	if err != nil {
		return err
	}
	d.Grids = []opsview.Grid{grid}
	changes, err := h.Coupons.History(c.ctx(), coupon.Flow.Machine, x.ID)
	if err != nil {
		return err
	}
	d.Trail = history(c, coupon.Flow.Machine, changes)
	return c.page(status, d.Page())
}

// sawAll notes an opened name.
func (c *Ctx) sawAll(code string) {
	if c.open && code != "" {
		c.saw(code)
	}
}

func couponFacts(c *Ctx, x *coupon.Coupon, names couponNames) []part.Item {
	out := []part.Item{{Label: c.T("coupons.level"), Text: c.T(x.Level.Label())}, {Label: c.T("coupons.holder"), Text: names.text(c, x.HolderID)}, {Label: c.T("coupons.issuer"), Text: names.text(c, x.IssuerID)},
		{Label: c.T("coupons.kind"), Text: c.T(x.Kind.Label())}, {Label: c.T("coupons.face"), Text: i18n.Money(x.Face, x.Currency)}, {Label: c.T("coupons.balance"), Text: i18n.Money(x.Balance, x.Currency)},
		{Label: c.T("coupons.used"), Text: i18n.Money(x.Used, x.Currency)}, {Label: c.T("coupons.returned"), Text: i18n.Money(x.Returned, x.Currency)}, {Label: c.T("coupons.validity"), Text: validity(x.From, x.To)},
		{Label: c.T("coupons.used_at"), Text: bound(x.UsedAt)}, {Label: c.T("coupons.lock"), Text: x.LockOrder}}
	if x.Frozen {
		out = append(out, part.Item{Label: c.T("coupons.frozen"), Text: c.T("coupons.yes")})
	}
	if x.IssuerID == c.Org.ID {
		out = append(out, part.Item{Label: c.T("coupons.memo"), Text: x.Memo}, part.Item{Label: c.T("coupons.by"), Text: x.IssuedBy}, part.Item{Label: c.T("coupons.decided_by"), Text: x.DecidedBy},
			part.Item{Label: c.T("coupons.reason"), Text: x.Reason})
	}
	return slices.DeleteFunc(out, func(i part.Item) bool { return i.Text == "" })
}
