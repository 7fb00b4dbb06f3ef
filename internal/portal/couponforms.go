package portal

import (
	"context"
	"net/http"
	"slices"
	"strings"
	"time"

	"huoban/internal/coupon"
	"huoban/internal/customer"
	"huoban/internal/cycle"
	"huoban/internal/fault"
	"huoban/internal/i18n"
	"huoban/internal/money"
	"huoban/internal/organisation"
	"huoban/internal/passcode"
	"huoban/web/templates/custview"
	"huoban/web/templates/growview"
	"huoban/web/templates/opsview"
	"huoban/web/templates/part"
)

// couponAmount reads an amount somebody typed; nothing is zero. Fault: coupon.amount_wrong.
func couponAmount(text string) (money.Amount, error) {
	text = strings.ReplaceAll(strings.TrimSpace(text), ",", "")
	if text == "" {
		return 0, nil
	}
	x, err := money.ParseExact(text)
	if err != nil {
		return 0, fault.Invalid("coupon.amount_wrong", nil)
	}
	a, err := x.Amount()
	if err != nil || !a.Exact().Equal(x) {
		return 0, fault.Invalid("coupon.amount_wrong", nil)
	}
	return a, nil
}

// couponDay reads a day of a form, GMT+8; nothing is no day. Fault: coupon.validity_wrong.
func couponDay(text string, after int) (time.Time, error) {
	if text = strings.TrimSpace(text); text == "" {
		return time.Time{}, nil
	}
	t, err := cycle.ParseDay(text)
	if err != nil {
		return t, fault.Invalid("coupon.validity_wrong", nil)
	}
	return t.AddDate(0, 0, after), nil
}

// typedList splits a list somebody typed.
func typedList(text string) []string {
	return strings.FieldsFunc(text, func(r rune) bool { return strings.ContainsRune(",;，；、\n\r\t", r) })
}

// terms are what a grant and an issue have in common: limits, validity and memo.
type terms struct {
	limits   coupon.Limits
	from, to time.Time
	memo     string
}

func readTerms(c *Ctx) (t terms, err error) {
	t.limits = coupon.Limits{Services: typedList(c.FormValue("services")), Products: typedList(c.FormValue("products")), Regions: typedList(c.FormValue("regions")), Modes: c.Request().Form["modes"], Orders: c.Request().Form["orders"]}
	if t.limits.MinOrder, err = couponAmount(c.FormValue("min_order")); err != nil {
		return t, err
	}
	if t.limits.MaxOrder, err = couponAmount(c.FormValue("max_order")); err != nil {
		return t, err
	}
	if t.from, err = couponDay(c.FormValue("begins"), 0); err != nil {
		return t, err
	}
	t.memo = c.FormValue("memo")
	t.to, err = couponDay(c.FormValue("ends"), 1)
	return t, err
}

func termFields(c *Ctx, required bool) []part.Field {
	day := func(name, key string) part.Field {
		return part.Field{Name: name, Label: c.T(key), Type: "date", Value: c.FormValue(name), Required: required, Help: map[bool]string{false: c.T("coupons.default_quota")}[required]}
	}
	text := func(name, key, help string) part.Field {
		return part.Field{Name: name, Label: c.T(key), Value: c.FormValue(name), Help: c.T(help), MaxLength: 2000}
	}
	modes := part.Field{Name: "modes", Label: c.T("coupon.limit.title.mode"), Type: "select", Value: c.FormValue("modes"), Options: []part.Option{{Label: c.T("coupons.limits.none")}}}
	for _, m := range modeNames {
		modes.Options = append(modes.Options, part.Option{Value: m, Label: c.T("bills.mode." + m)})
	}
	orders := part.Field{Name: "orders", Label: c.T("coupon.limit.title.order"), Type: "select", Value: c.FormValue("orders"), Options: []part.Option{{Label: c.T("coupons.limits.none")}}}
	for _, o := range coupon.OrderKinds {
		orders.Options = append(orders.Options, part.Option{Value: o, Label: c.T("coupon.order." + o)})
	}
	return []part.Field{day("begins", "coupons.from"), day("ends", "coupons.to"), text("services", "coupon.limit.title.service", "coupons.help.list"), text("products", "coupon.limit.title.product", "coupons.help.list"),
		text("regions", "coupon.limit.title.region", "coupons.help.list"), modes, orders, text("min_order", "coupon.limit.title.min_order", "coupons.help.order"), text("max_order", "coupon.limit.title.max_order", "coupons.help.order"),
		{Name: "memo", Label: c.T("coupons.memo"), Type: "textarea", Value: c.FormValue("memo"), MaxLength: coupon.MaxMemo, Help: c.T("coupons.help.memo")}}
}

func (h *Handlers) grantPage(c *Ctx) error { return h.grantForm(c, http.StatusOK, nil) }

// grantForm asks the vendor what a partner is given.
func (h *Handlers) grantForm(c *Ctx, status int, refused *fault.Error) error {
	_ = c.FormValue("partner") // reads the form
	partner := part.Field{Name: "partner", Label: c.T("quotas.owner"), Type: "select", Value: c.FormValue("partner"), Required: true, Options: []part.Option{{}}}
	orgs, err := h.Orgs.List(c.ctx(), c.Scope)
	if err != nil {
		return err
	}
	for _, o := range orgs {
		if o.Kind.IsPartner() && o.ParentID == "" {
			partner.Options = append(partner.Options, part.Option{Value: o.Code, Label: o.Name + " · " + o.Code})
		}
	}
	what := part.Field{Name: "what", Label: c.T("coupons.what"), Type: "select", Value: c.FormValue("what"), Options: []part.Option{{Value: "quota", Label: c.T("coupons.what.quota")}, {Value: "direct", Label: c.T("coupons.what.direct")}}, Help: c.T("coupons.what_help")}
	kind := part.Field{Name: "kind", Label: c.T("coupons.kind"), Type: "select", Value: c.FormValue("kind")}
	for _, k := range coupon.Kinds {
		kind.Options = append(kind.Options, part.Option{Value: string(k), Label: c.T(k.Label())})
	}
	currency := c.FormValue("currency")
	if currency == "" {
		currency = "CNY"
	}
	limit, set, err := h.Coupons.Limit(c.ctx(), c.Org.ID, currency)
	if err != nil {
		return err
	}
	second := c.T("coupons.rule.second_always")
	if set {
		second = c.T("coupons.rule.second", "Amount", i18n.Money(limit, currency))
	}
	f := growview.Form{Header: part.Header{Title: c.T("coupons.grant"), Crumbs: c.crumbs(part.Link{Text: c.T("quotas.title"), Href: c.at(pathQuotas)}, part.Link{Text: c.T("coupons.grant")})}, Refusal: refusalOf(c, refused),
		Action: c.at(pathCoupons + "/grant"), Hidden: fresh(), Submits: []growview.Submit{{Value: "grant", Text: c.T("coupons.grant")}},
		Notes: []string{second, c.T("coupons.rule.fixed"), c.T("coupons.rule.close")},
		Fields: append([]part.Field{partner, what, kind, {Name: "currency", Label: c.T("coupons.currency"), Value: currency, Required: true, MaxLength: 3},
			{Name: "value", Label: c.T("coupons.amount"), Value: c.FormValue("value"), Required: true, Help: c.T("coupons.help.amount")},
			{Name: "named", Label: c.T("coupon.limit.title.customer"), Value: c.FormValue("named"), Help: c.T("coupons.help.customers"), MaxLength: 2000}}, termFields(c, true)...)}
	return c.page(status, f.Page())
}

func (h *Handlers) granted(c *Ctx) error {
	err := h.proven(c, passcode.OpCoupon, c.at(pathQuotas), func(ctx context.Context) (answer, error) {
		t, err := readTerms(c)
		if err != nil {
			return answer{}, err
		}
		in := coupon.GrantInput{Direct: c.FormValue("what") == "direct", Kind: coupon.Kind(c.FormValue("kind")), Currency: strings.ToUpper(strings.TrimSpace(c.FormValue("currency"))), From: t.from, To: t.to, Limits: t.limits, Memo: t.memo}
		if in.Value, err = couponAmount(c.FormValue("value")); err != nil {
			return answer{}, err
		}
		if in.PartnerID, err = h.orgID(ctx, c, c.FormValue("partner"), "coupon.partner_unknown"); err != nil {
			return answer{}, err
		}
		for _, code := range typedList(c.FormValue("named")) {
			id, err := h.orgID(ctx, c, strings.TrimSpace(code), "coupon.customer_unknown")
			if err != nil {
				return answer{}, err
			}
			in.Limits.Customers = append(in.Limits.Customers, id)
		}
		q, x, err := h.Coupons.Grant(ctx, c.Scope, in)
		if err != nil {
			return answer{}, err
		}
		if x != nil {
			return answer{Location: c.withQuery(pathCoupons+"/"+x.ID, "done", "coupon_granted"), Body: map[string]any{"id": x.ID, "number": x.Name(), "state": string(x.State)}}, nil
		}
		return answer{Location: c.withQuery(pathQuotas+"/"+q.ID, "done", "coupon_granted"), Body: map[string]any{"id": q.ID, "number": q.Name(), "state": string(q.State)}}, nil
	})
	return c.refusedOr(err, func(status int, f *fault.Error) error { return h.grantForm(c, status, f) })
}

func (h *Handlers) issuePage(c *Ctx) error { return h.issueForm(c, http.StatusOK, nil) }

// resaleCustomers are the partner's own customers now; those by referral come with why they get nothing.
func (h *Handlers) resaleCustomers(c *Ctx) ([]customer.Entry, error) {
	all, err := h.Customers.Directory(c.ctx(), c.Scope)
	now := h.Clock.Now()
	return slices.DeleteFunc(all, func(e customer.Entry) bool { return !e.Own(c.Org.ID) || !e.InForce(now) }), err
}

// issueForm offers the customers that may get a voucher, with what the quota allows.
func (h *Handlers) issueForm(c *Ctx, status int, refused *fault.Error) error {
	q, err := h.ownQuota(c)
	if err != nil {
		return err
	}
	all, err := h.resaleCustomers(c)
	if err != nil {
		return err
	}
	chosen := c.chosen()
	at := c.at(pathQuotas + "/" + q.ID)
	p := custview.Pick{Header: part.Header{Title: c.T("coupons.issue"), Crumbs: c.crumbs(part.Link{Text: c.T("quotas.title"), Href: c.at(pathQuotas)}, part.Link{Text: q.Name(), Href: at}, part.Link{Text: c.T("coupons.issue")})},
		Refusal: refusalOf(c, refused), Action: at + "/issue", Hidden: fresh(), Submit: c.T("coupons.issue"), Heads: []opsview.Head{{Text: c.T("customers.col.customer")}, {Text: c.T("customers.filter.relation")}},
		Fields: append([]part.Field{{Name: "face", Label: c.T("coupons.face") + " (" + q.Currency + ")", Value: c.FormValue("face"), Required: true, Help: c.T("coupons.left", "Amount", i18n.Money(q.Balance, q.Currency))}}, termFields(c, false)...)}
	names, err := h.couponNames(c)
	if err != nil {
		return err
	}
	p.Notes = []string{c.T("coupons.rule.page", "Limit", coupon.MaxPage), c.T("coupons.rule.limits", "Limits", limitsWord(c, &q.Limits, q.Currency, names)), c.T("coupons.rule.validity", "Validity", validity(q.From, q.To))}
	for i := range all {
		e := &all[i]
		name := c.personal(e.Customer.Name)
		name.Note = e.Customer.Code
		row := opsview.Tick{Value: e.Customer.Code, Checked: slices.Contains(chosen, e.Customer.Code), Cells: []opsview.Cell{name, {Text: c.T(e.Kind.Label())}}}
		if e.Kind != customer.KindResale {
			row.Off, row.Checked = c.T("coupons.failed.not_resale"), false
		}
		p.Rows = append(p.Rows, row)
	}
	if len(p.Rows) == 0 {
		p.Empty = &part.Empty{Title: c.T("coupons.no_customers"), Text: c.T("coupons.no_customers_text")}
	}
	return c.page(status, p.Page())
}

// ownQuota is the quota of the address, of the acting partner itself.
func (h *Handlers) ownQuota(c *Ctx) (coupon.Quota, error) {
	q, err := h.Coupons.Quota(c.ctx(), c.Scope, c.Param("id"))
	if err == nil && q.OwnerID != c.Org.ID {
		err = notFound()
	}
	return q, err
}

func (h *Handlers) issued(c *Ctx) error {
	err := h.proven(c, passcode.OpCoupon, c.at(pathQuotas+"/"+c.Param("id")), func(ctx context.Context) (answer, error) {
		face, err := couponAmount(c.FormValue("face"))
		if err != nil {
			return answer{}, err
		}
		in := coupon.IssueInput{Most: coupon.MaxPage}
		for _, code := range c.chosen() {
			id, err := h.customerOf(c, code)
			if err == nil && id == "" {
				err = notFound()
			}
			if err != nil {
				return answer{}, err
			}
			in.Rows = append(in.Rows, coupon.IssueRow{CustomerID: id, Face: face})
		}
		return h.issue(ctx, c, in)
	})
	return c.refusedOr(err, func(status int, f *fault.Error) error { return h.issueForm(c, status, f) })
}

// customerOf is the key of one of the partner's customers; "" for a code nobody of them has.
func (h *Handlers) customerOf(c *Ctx, code string) (string, error) {
	all, err := h.resaleCustomers(c)
	for i := range all {
		if strings.EqualFold(all[i].Customer.Code, code) {
			return all[i].CustomerID, err
		}
	}
	return "", err
}

// issue issues what the rows say, under the terms of the form.
func (h *Handlers) issue(ctx context.Context, c *Ctx, in coupon.IssueInput) (answer, error) {
	t, err := readTerms(c)
	if err != nil {
		return answer{}, err
	}
	in.QuotaID, in.From, in.To, in.Limits, in.Memo = c.Param("id"), t.from, t.to, t.limits, t.memo
	out, err := h.Coupons.Issue(ctx, c.Scope, in)
	return h.outcomes(c, out, "coupon_issued", pathQuotas+"/"+c.Param("id")), err
}

// outcomes leads to where all went well, or to the log of what did not; a program reads each.
func (h *Handlers) outcomes(c *Ctx, out []coupon.Outcome, done, page string) answer {
	var rows []map[string]any
	failed := false
	for _, x := range out {
		row := map[string]any{"id": x.ID, "number": x.Name, "amount": x.Amount.String()}
		if x.Refusal != nil {
			failed = true
			row["error_code"], row["error_msg"] = x.Refusal.Code, i18n.FaultText(c.ctx(), x.Refusal)
		}
		rows = append(rows, row)
	}
	if failed {
		return answer{Location: c.withQuery(pathCoupons+"/records", "result", "failed", "done", "coupon_partly"), Body: map[string]any{"rows": rows}}
	}
	return answer{Location: c.withQuery(page, "done", done), Body: map[string]any{"rows": rows}}
}

func (h *Handlers) sharePage(c *Ctx) error { return h.shareForm(c, http.StatusOK, nil) }

// shareForm offers a distributor's resellers.
func (h *Handlers) shareForm(c *Ctx, status int, refused *fault.Error) error {
	q, err := h.ownQuota(c)
	if err != nil {
		return err
	}
	resellers, err := h.Orgs.Resellers(c.ctx(), c.Org.ID)
	if err != nil {
		return err
	}
	at := c.at(pathQuotas + "/" + q.ID)
	p := custview.Pick{Header: part.Header{Title: c.T("quotas.share"), Crumbs: c.crumbs(part.Link{Text: c.T("quotas.title"), Href: c.at(pathQuotas)}, part.Link{Text: q.Name(), Href: at}, part.Link{Text: c.T("quotas.share")})},
		Refusal: refusalOf(c, refused), Action: at + "/share", Hidden: fresh(), Tick: "reseller", Submit: c.T("quotas.share"), Heads: []opsview.Head{{Text: c.T("quotas.owner")}},
		Fields: []part.Field{{Name: "amount", Label: c.T("quotas.each") + " (" + q.Currency + ")", Value: c.FormValue("amount"), Required: true, Help: c.T("coupons.left", "Amount", i18n.Money(q.Balance, q.Currency))},
			{Name: "memo", Label: c.T("coupons.memo"), Type: "textarea", Value: c.FormValue("memo"), MaxLength: coupon.MaxMemo}}, Notes: []string{c.T("quotas.rule.share", "Limit", coupon.MaxBatch)}}
	for _, r := range resellers {
		p.Rows = append(p.Rows, opsview.Tick{Value: r.Code, Checked: slices.Contains(c.Request().Form["reseller"], r.Code), Cells: []opsview.Cell{{Text: r.Name, Note: r.Code}}})
	}
	if len(p.Rows) == 0 {
		p.Empty = &part.Empty{Title: c.T("quotas.no_resellers"), Text: c.T("quotas.no_resellers_text")}
	}
	return c.page(status, p.Page())
}

func (h *Handlers) shared(c *Ctx) error {
	err := h.proven(c, passcode.OpCoupon, c.at(pathQuotas+"/"+c.Param("id")), func(ctx context.Context) (answer, error) {
		in := coupon.ShareInput{QuotaID: c.Param("id"), Memo: c.FormValue("memo")}
		var err error
		if in.Amount, err = couponAmount(c.FormValue("amount")); err != nil {
			return answer{}, err
		}
		resellers, err := h.Orgs.Resellers(ctx, c.Org.ID)
		if err != nil {
			return answer{}, err
		}
		for _, code := range c.Request().Form["reseller"] {
			i := slices.IndexFunc(resellers, func(o organisation.Organisation) bool { return o.Code == code })
			if i < 0 {
				return answer{}, notFound()
			}
			in.ResellerIDs = append(in.ResellerIDs, resellers[i].ID)
		}
		out, err := h.Coupons.Share(ctx, c.Scope, in)
		return h.outcomes(c, out, "quota_shared", pathCoupons+"/shared"), err
	})
	return c.refusedOr(err, func(status int, f *fault.Error) error { return h.shareForm(c, status, f) })
}

func (h *Handlers) reclaimPage(c *Ctx) error { return h.reclaimForm(c, http.StatusOK, nil) }

// reclaimForm offers the vouchers the actor issued and may take back.
func (h *Handlers) reclaimForm(c *Ctx, status int, refused *fault.Error) error {
	all, err := h.Coupons.Coupons(c.ctx(), c.Scope)
	if err != nil {
		return err
	}
	names, err := h.couponNames(c)
	if err != nil {
		return err
	}
	p := custview.Pick{Header: part.Header{Title: c.T("coupons.reclaim"), Crumbs: c.crumbs(part.Link{Text: c.T("coupons.title"), Href: c.at(pathCoupons)}, part.Link{Text: c.T("coupons.reclaim")})},
		Refusal: refusalOf(c, refused), Action: c.at(pathCoupons + "/reclaim"), Hidden: fresh(), Tick: "coupon", Submit: c.T("coupons.reclaim"), Notes: []string{c.T("coupons.rule.reclaim")},
		Heads: []opsview.Head{{Text: c.T("coupons.number")}, {Text: c.T("coupons.holder")}, {Text: c.T("coupons.balance"), Num: true}}}
	for i := range all {
		x := &all[i]
		if x.IssuerID != c.Org.ID || x.State != coupon.StateUsable {
			continue
		}
		row := opsview.Tick{Value: x.ID, Cells: []opsview.Cell{{Text: x.Name(), Mono: true}, names.cell(c, x.HolderID), moneyCell(one(x.Balance, x.Currency))}}
		if x.LockOrder != "" {
			row.Off = c.T("fault.coupon.locked")
		}
		p.Rows = append(p.Rows, row)
	}
	if len(p.Rows) == 0 {
		p.Empty = &part.Empty{Title: c.T("coupons.none_usable"), Text: c.T("coupons.empty_text")}
	}
	return c.page(status, p.Page())
}

func (h *Handlers) reclaimedMany(c *Ctx) error {
	err := h.proven(c, passcode.OpCoupon, c.at(pathCoupons), func(ctx context.Context) (answer, error) {
		out, err := h.Coupons.Reclaim(ctx, c.Scope, c.Request().Form["coupon"], "")
		for _, x := range out {
			if x.Refusal != nil {
				return answer{}, x.Refusal
			}
		}
		return h.outcomes(c, out, "coupon_reclaim", pathCoupons), err
	})
	return c.refusedOr(err, func(status int, f *fault.Error) error { return h.reclaimForm(c, status, f) })
}

// quotaAct fires an action of a quota's machine.
func (h *Handlers) quotaAct(c *Ctx, do coupon.QuotaAction) error {
	at := pathQuotas + "/" + c.Param("id")
	act := func(ctx context.Context) (answer, error) {
		change, err := couponAmount(c.in("change"))
		if err != nil {
			return answer{}, err
		}
		q, err := h.Coupons.QuotaDo(ctx, c.Scope, c.Param("id"), do, c.in("reason"), change)
		return answer{Location: c.withQuery(at, "done", "quota_"+string(do)), Body: map[string]any{"id": q.ID, "state": string(q.State), "balance": q.Balance.String()}}, err
	}
	run := func() error { return h.once(c, act) }
	if do == coupon.QuotaReclaim {
		run = func() error { return h.proven(c, passcode.OpCoupon, c.at(at), act) }
	}
	return c.refusedOr(run(), func(status int, f *fault.Error) error { return h.quotaDetail(c, status, f) })
}

// couponAct fires an action of a voucher's machine.
func (h *Handlers) couponAct(c *Ctx, do coupon.Action) error {
	at := pathCoupons + "/" + c.Param("id")
	act := func(ctx context.Context) (answer, error) {
		x, err := h.Coupons.Do(ctx, c.Scope, c.Param("id"), do, c.in("reason"))
		return answer{Location: c.withQuery(at, "done", "coupon_"+string(do)), Body: map[string]any{"id": x.ID, "state": string(x.State), "returned": x.Returned.String()}}, err
	}
	run := func() error { return h.once(c, act) }
	if do == coupon.ActionReclaim {
		run = func() error { return h.proven(c, passcode.OpCoupon, c.at(at), act) }
	}
	return c.refusedOr(run(), func(status int, f *fault.Error) error { return h.couponDetail(c, status, f) })
}
