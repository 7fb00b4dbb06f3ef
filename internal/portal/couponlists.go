package portal

import (
	"net/http"
	"slices"
	"strings"
	"time"

	"huoban/internal/coupon"
	"huoban/internal/i18n"
	"huoban/internal/money"
	"huoban/internal/scope"
	"huoban/web/templates/opsview"
	"huoban/web/templates/part"
)

var couponSorts = []string{"newest", "ending", "balance"}

// couponQuery narrows the lists of quotas, vouchers, records and uses.
type couponQuery struct {
	text, sort, state, kind, level, op, result string
	from, until                                time.Time
}

// readCouponQuery reads what is there; states are those of the list, none for any. A value nobody knows is not found.
func readCouponQuery(c *Ctx, states []string) (q couponQuery, err error) {
	q = couponQuery{text: strings.ToLower(strings.TrimSpace(c.QueryParam("q"))), sort: c.QueryParam("sort"), state: c.QueryParam("state"), kind: c.QueryParam("kind"), level: c.QueryParam("level"),
		op: c.QueryParam("op"), result: c.QueryParam("result")}
	known := (q.sort == "" || slices.Contains(couponSorts, q.sort)) && (q.state == "" || slices.Contains(states, q.state)) && (q.kind == "" || slices.Contains(coupon.Kinds, coupon.Kind(q.kind))) &&
		(q.op == "" || slices.Contains(coupon.Operations, coupon.Operation(q.op))) && slices.Contains([]string{"", "done", "failed"}, q.result) &&
		slices.Contains([]coupon.Level{"", coupon.LevelPartner, coupon.LevelCustomer}, coupon.Level(q.level))
	if !known {
		return q, notFound()
	}
	q.from, q.until, err = daysParam(c)
	return q, err
}

func stateTexts[S ~string](of []S) []string {
	out := make([]string, len(of))
	for i := range of {
		out[i] = string(of[i])
	}
	return out
}

// couponBoard is the page of one of the lists.
func (h *Handlers) couponBoard(c *Ctx, path, title, kind string, notes []string, fields ...part.FilterField) error {
	p := opsview.Board{Header: part.Header{Title: c.T(title), Crumbs: c.crumbs(part.Link{Text: c.T(title)})}, Flash: c.done(), Tabs: h.couponTabs(c, path), Notes: notes}
	fields = append([]part.FilterField{{Name: "q", Label: c.T("coupons.filter.q"), Value: c.QueryParam("q")}}, append(fields, dayField(c, "from"), dayField(c, "to"))...)
	p.Filter = &part.Filter{Action: c.at(path), Reset: c.at(path), Fields: fields}
	if c.Scope.Has(scope.ItemCouponGrant) && (path == pathQuotas || path == pathCoupons) && c.Scope.Side() == scope.SideVendor {
		p.Header.Buttons = append(p.Header.Buttons, part.Link{Text: c.T("coupons.grant"), Href: c.at(pathCoupons + "/grant")})
	}
	if path == pathCoupons && h.may(c, pathCoupons+"/reclaim") {
		p.Header.Buttons = append(p.Header.Buttons, part.Link{Text: c.T("coupons.reclaim"), Href: c.at(pathCoupons + "/reclaim")})
	}
	if _, err := h.board(c, &p, kind); err != nil {
		return err
	}
	return c.page(http.StatusOK, p.Page())
}

func sortField(c *Ctx) part.FilterField {
	f := choiceOf(c, "sort", c.T("prospects.filter.sort"), "coupons.sort.", c.QueryParam("sort"), couponSorts[1:])
	f.Options[0].Label = c.T("coupons.sort.newest")
	return folded(f)
}

func (h *Handlers) quotas(c *Ctx) error { return h.quotaBoard(c, pathQuotas, "quotas.title", "quotas") }

func (h *Handlers) sharedQuotas(c *Ctx) error {
	return h.quotaBoard(c, pathCoupons+"/shared", "quotas.shared", "quotas.shared")
}

func (h *Handlers) quotaBoard(c *Ctx, path, title, kind string) error {
	return h.couponBoard(c, path, title, kind, nil, choiceOf(c, "state", c.T("opsview.col.state"), "coupon_quota.state.", coupon.QuotaState(c.QueryParam("state")), coupon.QuotaFlow.States()),
		folded(choiceOf(c, "kind", c.T("coupons.kind"), "coupon.kind.", coupon.Kind(c.QueryParam("kind")), coupon.Kinds)), sortField(c))
}

func (h *Handlers) readQuotas(c *Ctx) (*sheet, error) { return h.quotaSheet(c, false) }

func (h *Handlers) readSharedQuotas(c *Ctx) (*sheet, error) { return h.quotaSheet(c, true) }

// quotaSheet lists quotas: the actor's own, or those it gave on.
func (h *Handlers) quotaSheet(c *Ctx, given bool) (*sheet, error) {
	q, err := readCouponQuery(c, stateTexts(coupon.QuotaFlow.States()))
	if err != nil {
		return nil, err
	}
	all, err := h.Coupons.Quotas(c.ctx(), c.Scope, given)
	if err != nil {
		return nil, err
	}
	names, err := h.couponNames(c)
	if err != nil {
		return nil, err
	}
	other := "quotas.giver"
	if given || c.Scope.Side() == scope.SideVendor {
		other = "quotas.owner"
	}
	all = slices.DeleteFunc(all, func(x coupon.Quota) bool {
		return q.state != "" && string(x.State) != q.state || q.kind != "" && string(x.Kind) != q.kind || !within(x.CreatedAt, q.from, q.until) ||
			q.text != "" && !strings.Contains(strings.ToLower(x.Name()), q.text) && !names.matches(x.OwnerID, q.text) && !names.matches(x.GiverID, q.text)
	})
	switch q.sort {
	case "ending":
		slices.SortStableFunc(all, func(a, b coupon.Quota) int { return a.To.Compare(b.To) })
	case "balance":
		slices.SortStableFunc(all, func(a, b coupon.Quota) int { return int(min(max(b.Balance-a.Balance, -1), 1)) })
	}
	s := &sheet{columns: []listColumn{{key: "number", title: c.T("quotas.number"), note: c.T("coupons.kind")}, {key: "party", title: c.T(other), note: c.T("customers.col.code")},
		{key: "value", title: c.T("quotas.value"), num: true}, {key: "balance", title: c.T("quotas.balance"), num: true, money: true, class: "m"}, {key: "validity", title: c.T("coupons.from"), note: c.T("coupons.to"), class: "num-l"},
		{key: "limits", title: c.T("coupons.limits")}, {key: "state", title: c.T("opsview.col.state"), note: c.T("coupons.reason")}},
		empty: part.Empty{Title: c.T("quotas.empty"), Text: c.T("quotas.empty_text")}}
	s.columns = append(s.columns, listColumn{key: "acts", title: c.T("list.acts"), acts: true})
	for i := range all {
		x := &all[i]
		party := x.GiverID
		if other == "quotas.owner" {
			party = x.OwnerID
		}
		s.add(sheetRow{key: x.ID, at: x.Changed, mark: marks(x.Name(), string(x.State), x.Value.String(), x.Balance.String()), sums: one(x.Balance, x.Currency),
			cells: []opsview.Cell{{Text: x.Name(), Note: c.T(x.Kind.Label()), Href: c.at(pathQuotas + "/" + x.ID), Mono: true}, names.cell(c, party), moneyCell(one(x.Value, x.Currency)), moneyCell(one(x.Balance, x.Currency)),
				{Text: i18n.DateTime(x.From), Note: i18n.DateTime(x.To)}, {Text: limitsWord(c, &x.Limits, x.Currency, names)},
				{Status: &part.Status{Text: c.T("coupon_quota.state." + string(x.State)), Tone: quotaTone[x.State]}, Note: x.Reason}, h.quotaRowActs(c, x)}})
	}
	s.narrowed("q", c.QueryParam("q"))
	narrowedWords(c, s, [][3]string{{"state", q.state, "coupon_quota.state."}, {"kind", q.kind, "coupon.kind."}, {"sort", q.sort, "coupons.sort."}})
	return s, nil
}

// quotaRowActs is what its owner may give of a quota, and its records; what it may not give now is said with the reason.
func (h *Handlers) quotaRowActs(c *Ctx, x *coupon.Quota) opsview.Cell {
	var out opsview.Cell
	at := c.at(pathQuotas + "/" + x.ID)
	give := func(item scope.Item, to, key string) {
		if x.OwnerID != c.Org.ID || !c.Scope.Has(item) {
			return
		}
		why := ""
		switch now := h.Clock.Now(); {
		case x.State != coupon.QuotaNormal:
			why = c.T("coupon_quota.meaning." + string(x.State))
		case !now.Before(x.To):
			why = c.T("quotas.over")
		case x.Balance <= 0:
			why = c.T("quotas.used_up")
		}
		if why == "" {
			out.Links = append(out.Links, part.Link{Text: c.T(key), Href: at + to})
			return
		}
		out.Buttons = append(out.Buttons, part.Button{ID: strings.TrimPrefix(to, "/") + "-" + x.ID, Text: c.T(key), Off: true, Hint: why})
	}
	if len(c.Scope.Resellers()) > 0 {
		give(scope.ItemQuotaShare, "/share", "quotas.share")
	}
	give(scope.ItemCouponIssue, "/issue", "coupons.issue")
	if h.may(c, pathCoupons+"/records") {
		out.Links = append(out.Links, part.Link{Text: c.T("coupons.records"), Href: c.withQuery(pathCoupons+"/records", "q", x.Name())})
	}
	return out
}

func one(a money.Amount, currency string) sums { return sums{{currency, a.Exact()}} }

func (h *Handlers) coupons(c *Ctx) error {
	fields := []part.FilterField{choiceOf(c, "state", c.T("opsview.col.state"), "coupon.state.", coupon.State(c.QueryParam("state")), coupon.Flow.States())}
	if c.Scope.Side() != scope.SideCustomer {
		fields = append(fields, choiceOf(c, "level", c.T("coupons.level"), "coupon.level.", coupon.Level(c.QueryParam("level")), []coupon.Level{coupon.LevelPartner, coupon.LevelCustomer}))
	}
	title := "coupons.title"
	if c.Scope.Side() == scope.SideCustomer {
		title = "coupons.own"
	}
	return h.couponBoard(c, pathCoupons, title, "coupons", nil, append(fields, folded(choiceOf(c, "kind", c.T("coupons.kind"), "coupon.kind.", coupon.Kind(c.QueryParam("kind")), coupon.Kinds)), sortField(c))...)
}

func (h *Handlers) readCoupons(c *Ctx) (*sheet, error) {
	q, err := readCouponQuery(c, stateTexts(coupon.Flow.States()))
	if err != nil {
		return nil, err
	}
	all, err := h.Coupons.Coupons(c.ctx(), c.Scope)
	if err != nil {
		return nil, err
	}
	s, err := h.couponSheet(c, all, q)
	if err == nil {
		s.narrowed("q", c.QueryParam("q"))
		narrowedWords(c, s, [][3]string{{"state", q.state, "coupon.state."}, {"level", q.level, "coupon.level."}, {"kind", q.kind, "coupon.kind."}, {"sort", q.sort, "coupons.sort."}})
	}
	return s, err
}

// readQuotaCoupons lists what was cut from a quota.
func (h *Handlers) readQuotaCoupons(c *Ctx) (*sheet, error) {
	q, err := h.Coupons.Quota(c.ctx(), c.Scope, c.Param("id"))
	if err != nil {
		return nil, err
	}
	var all []coupon.Coupon
	if c.Scope.Has(scope.ItemCouponView, scope.ItemCouponGrantView) {
		if all, err = h.Coupons.Coupons(c.ctx(), c.Scope); err != nil {
			return nil, err
		}
	}
	all = slices.DeleteFunc(all, func(x coupon.Coupon) bool { return x.QuotaID != q.ID })
	return h.couponSheet(c, all, couponQuery{})
}

func (h *Handlers) couponSheet(c *Ctx, all []coupon.Coupon, q couponQuery) (*sheet, error) {
	names, err := h.couponNames(c)
	if err != nil {
		return nil, err
	}
	all = slices.DeleteFunc(all, func(x coupon.Coupon) bool {
		return q.state != "" && string(x.State) != q.state || q.kind != "" && string(x.Kind) != q.kind || q.level != "" && string(x.Level) != q.level || !within(x.CreatedAt, q.from, q.until) ||
			q.text != "" && !strings.Contains(strings.ToLower(x.Name()), q.text) && !names.matches(x.HolderID, q.text)
	})
	switch q.sort {
	case "ending":
		slices.SortStableFunc(all, func(a, b coupon.Coupon) int { return a.To.Compare(b.To) })
	case "balance":
		slices.SortStableFunc(all, func(a, b coupon.Coupon) int { return int(min(max(b.Balance-a.Balance, -1), 1)) })
	}
	party := listColumn{key: "holder", title: c.T("coupons.holder"), note: c.T("customers.col.code"), personal: true}
	if c.Scope.Side() == scope.SideCustomer {
		party = listColumn{key: "issuer", title: c.T("coupons.issuer"), note: c.T("customers.col.code")}
	}
	s := &sheet{columns: []listColumn{{key: "number", title: c.T("coupons.number"), note: c.T("coupons.kind")}, party, {key: "face", title: c.T("coupons.face"), num: true},
		{key: "balance", title: c.T("coupons.balance"), num: true, money: true, class: "m"}, {key: "validity", title: c.T("coupons.from"), note: c.T("coupons.to"), class: "num-l"}, {key: "limits", title: c.T("coupons.limits")},
		{key: "state", title: c.T("opsview.col.state"), note: c.T("coupons.lock")}}, empty: part.Empty{Title: c.T("coupons.empty"), Text: c.T("coupons.empty_text")}}
	for i := range all {
		x := &all[i]
		who := x.HolderID
		if c.Scope.Side() == scope.SideCustomer {
			who = x.IssuerID
		}
		note := x.LockOrder
		if x.Frozen {
			note = join(present(c.T("coupons.frozen"), note), " · ")
		}
		s.add(sheetRow{key: x.ID, at: x.Changed, about: names.about(x.HolderID), mark: marks(x.Name(), string(x.State), x.Face.String(), x.Balance.String()), sums: one(x.Balance, x.Currency),
			cells: []opsview.Cell{{Text: x.Name(), Note: c.T(x.Kind.Label()), Href: c.at(pathCoupons + "/" + x.ID), Mono: true}, names.cell(c, who), moneyCell(one(x.Face, x.Currency)), moneyCell(one(x.Balance, x.Currency)),
				{Text: i18n.DateTime(x.From), Note: i18n.DateTime(x.To)}, {Text: limitsWord(c, &x.Limits, x.Currency, names)},
				{Status: &part.Status{Text: c.T("coupon.state." + string(x.State)), Tone: couponTone[x.State]}, Note: note}}})
	}
	return s, nil
}

func (h *Handlers) couponRecords(c *Ctx) error {
	return h.couponBoard(c, pathCoupons+"/records", "coupons.records", "coupon.records", nil, choiceOf(c, "op", c.T("coupons.operation"), "coupon.op.", coupon.Operation(c.QueryParam("op")), coupon.Operations),
		choiceOf(c, "result", c.T("coupons.result"), "coupons.result.", c.QueryParam("result"), []string{"done", "failed"}))
}

// readCouponRecords lists the log of the acting organisation, the newest first.
func (h *Handlers) readCouponRecords(c *Ctx) (*sheet, error) {
	q, err := readCouponQuery(c, nil)
	if err != nil {
		return nil, err
	}
	all, err := h.Coupons.Records(c.ctx(), c.Scope, coupon.RecordFilter{})
	if err != nil {
		return nil, err
	}
	s := &sheet{columns: []listColumn{{key: "at", title: c.T("coupons.at"), note: c.T("coupons.by"), class: "num-l"}, {key: "operation", title: c.T("coupons.operation"), note: c.T("coupons.op_number")},
		{key: "quota", title: c.T("coupons.quota")}, {key: "voucher", title: c.T("coupons.number")}, {key: "party", title: c.T("coupons.party"), note: c.T("customers.col.code"), personal: true},
		{key: "amount", title: c.T("coupons.amount"), num: true}, {key: "result", title: c.T("coupons.result"), note: c.T("coupons.reason")}, {key: "memo", title: c.T("coupons.memo")}},
		empty: part.Empty{Title: c.T("coupons.records.empty"), Text: c.T("coupons.records.empty_text")}}
	for i := range all {
		x := &all[i]
		failed := x.Code != ""
		if q.op != "" && string(x.Operation) != q.op || q.result != "" && (q.result == "failed") != failed || !within(x.At, q.from, q.until) || q.text != "" && !x.Says(q.text) {
			continue
		}
		s.add(couponRecordRow(c, x))
	}
	s.narrowed("q", c.QueryParam("q"))
	narrowedWords(c, s, [][3]string{{"op", q.op, "coupon.op."}, {"result", q.result, "coupons.result."}})
	return s, nil
}

func couponRecordRow(c *Ctx, x *coupon.Record) sheetRow {
	party := opsview.Cell{Text: x.OtherName}
	if x.CustomerID != "" {
		party = c.personal(x.CustomerName)
		party.Note = x.CustomerCode
	}
	quota, voucher := opsview.Cell{}, opsview.Cell{}
	if x.QuotaNumber > 0 {
		quota = opsview.Cell{Text: coupon.QuotaName(x.QuotaNumber), Mono: true, Href: c.at(pathQuotas + "/" + x.QuotaID)}
	}
	if x.CouponNumber > 0 {
		voucher = opsview.Cell{Text: coupon.Name(x.CouponNumber), Mono: true, Href: c.at(pathCoupons + "/" + x.CouponID)}
	}
	result, note := part.Status{Text: c.T("coupons.result.done"), Tone: part.Good}, ""
	if x.Code != "" {
		result, note = part.Status{Text: c.T("coupons.result.failed"), Tone: part.Bad}, c.T("coupons.failed."+strings.TrimPrefix(x.Code, "coupon."))
	}
	return sheetRow{key: x.ID, at: x.At, about: x.CustomerCode, mark: marks(string(x.Operation), x.Amount.String(), x.Code, bound(x.At)),
		cells: []opsview.Cell{{Text: bound(x.At), Note: x.Operator}, {Text: c.T(x.Operation.Label()), Note: i18n.Count(int64(x.Operation.Number()))}, quota, voucher, party,
			moneyCell(one(x.Amount, x.Currency)), {Status: &result, Note: note}, {Text: x.Remark}}}
}

func (h *Handlers) couponUses(c *Ctx) error {
	return h.couponBoard(c, pathCoupons+"/uses", "coupons.uses", "coupon.uses", []string{c.T("coupons.uses.note")})
}

// readCouponUses lists what vouchers paid, the newest first.
func (h *Handlers) readCouponUses(c *Ctx) (*sheet, error) {
	q, err := readCouponQuery(c, nil)
	if err != nil {
		return nil, err
	}
	all, err := h.Coupons.Uses(c.ctx(), c.Scope, "")
	if err != nil {
		return nil, err
	}
	s, err := h.useSheet(c, all, q)
	if err == nil {
		s.narrowed("q", c.QueryParam("q"))
		narrowedWords(c, s, nil)
	}
	return s, err
}

// readCouponUsed lists what one voucher paid.
func (h *Handlers) readCouponUsed(c *Ctx) (*sheet, error) {
	all, err := h.Coupons.Uses(c.ctx(), c.Scope, c.Param("id"))
	if err != nil {
		return nil, err
	}
	return h.useSheet(c, all, couponQuery{})
}

func (h *Handlers) useSheet(c *Ctx, all []coupon.Use, q couponQuery) (*sheet, error) {
	names, err := h.couponNames(c)
	if err != nil {
		return nil, err
	}
	s := &sheet{columns: []listColumn{{key: "at", title: c.T("coupons.used_at"), class: "num-l"}, {key: "number", title: c.T("coupons.number")}, {key: "for", title: c.T("coupons.used_for"), note: c.T("coupons.charged")},
		{key: "customer", title: c.T("customers.col.customer"), note: c.T("customers.col.code"), personal: true}, {key: "product", title: c.T("coupons.product"), note: c.T("coupons.region")},
		{key: "line", title: c.T("coupons.line"), num: true}, {key: "amount", title: c.T("coupons.paid"), num: true, money: true, class: "m"}},
		empty: part.Empty{Title: c.T("coupons.uses.empty"), Text: c.T("coupons.uses.empty_text")}}
	for i := range all {
		x := &all[i]
		what, note := x.OrderID, ""
		if x.Cycle != "" {
			what, note = c.T("coupons.bill_of", "Cycle", x.Cycle), startText(x.Start)
		}
		if !within(x.At, q.from, q.until) || q.text != "" && !strings.Contains(strings.ToLower(coupon.Name(x.Number)+" "+what+" "+x.Service), q.text) && !names.matches(x.CustomerID, q.text) {
			continue
		}
		s.add(sheetRow{key: x.ID, at: x.At, about: names.about(x.CustomerID), mark: marks(coupon.Name(x.Number), x.OrderID, x.Cycle, x.Start, x.Amount.String()), sums: one(x.Amount, x.Currency),
			cells: []opsview.Cell{{Text: bound(x.At)}, {Text: coupon.Name(x.Number), Mono: true, Href: c.at(pathCoupons + "/" + x.CouponID)}, {Text: what, Note: note}, names.cell(c, x.CustomerID),
				{Text: x.Service, Note: x.Region}, moneyCell(one(x.Line, x.Currency)), moneyCell(one(x.Amount, x.Currency))}})
	}
	return s, nil
}

// startText shows a charge start as it is kept.
func startText(start string) string {
	t, err := time.Parse("2006-01-02T15:04:05.000000Z", start)
	if err != nil {
		return start
	}
	return i18n.DateTime(t)
}
