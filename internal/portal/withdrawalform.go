package portal

import (
	"cmp"
	"net/http"
	"slices"

	"huoban/internal/fault"
	"huoban/internal/i18n"
	"huoban/internal/withdrawal"
	"huoban/web/templates/fundview"
	"huoban/web/templates/part"
)

func (h *Handlers) withdrawalPage(c *Ctx) error { return h.withdrawalForm(c, http.StatusOK, nil) }

// withdrawalForm shows what can be taken now and why not more, and asks for amounts and account. What was typed is kept.
func (h *Handlers) withdrawalForm(c *Ctx, status int, refused *fault.Error) error {
	books, b, err := h.openedBook(c)
	if err != nil {
		return err
	}
	kind := withdrawal.Kind(cmp.Or(c.FormValue("kind"), string(withdrawal.KindOriginal)))
	if !slices.Contains(withdrawal.Kinds, kind) {
		return notFound()
	}
	st, err := h.Withdrawals.Standing(c.ctx(), c.Scope, b.vendor.ID, b.currency)
	if err != nil {
		return err
	}
	blockers, err := h.Withdrawals.Blockers(c.ctx(), c.Scope, &st)
	if err != nil {
		return err
	}
	title, path := c.T("withdrawal.new"), pathWithdrawals+"/new"
	p := fundview.Withdraw{Header: part.Header{Title: title, Crumbs: c.crumbs(part.Link{Text: c.T("withdrawal.title"), Href: c.at(pathWithdrawals)}, part.Link{Text: title})}, Refusal: refusalOf(c, refused),
		Filter: bookFilter(c, books, &b, path), Action: c.at(pathWithdrawals), Caption: c.T("withdrawal.incoming"),
		Hidden: append(fresh(), part.Hidden{Name: "vendor", Value: b.vendor.Code}, part.Hidden{Name: "currency", Value: b.currency}, part.Hidden{Name: "kind", Value: string(kind)})}
	p.Sum = []part.Item{{Label: c.T("withdrawal.balance"), Text: i18n.Money(st.Balance, b.currency)}, {Label: c.T("withdrawal.invoiced"), Text: i18n.Money(st.Invoiced, b.currency)},
		{Label: c.T("withdrawal.free"), Text: i18n.Money(st.Free, b.currency)}, {Label: c.T("withdrawal.pending"), Text: i18n.Money(st.Pending, b.currency)}}
	for _, k := range withdrawal.Kinds {
		p.Tabs = append(p.Tabs, part.Tab{Text: c.T(k.Label()) + " " + i18n.Money(st.Reached[k], b.currency), Href: c.withQuery(path, "vendor", b.vendor.Code, "currency", b.currency, "kind", string(k)), Current: k == kind})
	}
	for _, x := range blockers {
		one := part.Check{Tone: part.Warn, Title: i18n.FaultText(c.ctx(), x.Refusal), Text: cureText(c, x.Refusal), Cure: c.fundsCure(x.Refusal)}
		if x.Whole {
			one.Tone, p.Off = part.Bad, true
		}
		p.Checks = append(p.Checks, one)
	}
	voluntary := c.FormValue("voluntary") == "true"
	p.Sources = h.withdrawalSources(c, &st, kind, b.currency)
	if len(p.Sources) == 0 {
		p.None = &part.Empty{Title: c.T("withdrawal.no_source"), Text: c.T("withdrawal.no_source_text")}
	}
	if p.Fields, err = h.withdrawalPayee(c, kind, voluntary); err != nil {
		return err
	}
	c.ruled(&p.Header, &p.Rules)
	return c.page(status, p.Page())
}

// withdrawalSources are the rows to take from; those that only come by if their owner says so are offered too, and the
// form says that he has to.
func (h *Handlers) withdrawalSources(c *Ctx, st *withdrawal.Standing, kind withdrawal.Kind, currency string) []fundview.Source {
	typed := map[string]string{}
	entries, takes := c.list("entry"), c.list("take")
	for i := range min(len(entries), len(takes)) {
		typed[entries[i]] = takes[i]
	}
	var out []fundview.Source
	now := h.Clock.Now()
	for i := range st.Sources {
		x := &st.Sources[i]
		row := fundview.Source{EntryID: x.EntryID, At: i18n.DateTime(x.At), Way: c.T(x.Way.Label()), Number: or(x.Number, i18n.Nothing), Entity: x.Entity, Amount: i18n.Money(x.Amount, currency), Left: i18n.Money(x.Left(), currency), Typed: typed[x.EntryID]}
		if f := x.Fits(kind, kind == withdrawal.KindCard, now); f != nil {
			row.Why = i18n.FaultText(c.ctx(), f)
		}
		out = append(out, row)
	}
	slices.SortStableFunc(out, func(a, b fundview.Source) int {
		switch {
		case a.Why == "" && b.Why != "":
			return -1
		case a.Why != "" && b.Why == "":
			return 1
		}
		return 0
	})
	return out
}

// withdrawalPayee asks for the account, which is remembered from the last time; nobody asks for one where money goes back
// the way it came.
func (h *Handlers) withdrawalPayee(c *Ctx, kind withdrawal.Kind, voluntary bool) ([]part.Field, error) {
	memo := part.Field{Name: "memo", Label: c.T("withdrawal.memo"), Value: c.FormValue("memo"), MaxLength: withdrawal.MaxMemo}
	if kind == withdrawal.KindOriginal {
		return []part.Field{memo}, nil
	}
	last, err := h.Withdrawals.Payee(c.ctx(), c.Scope)
	if err != nil {
		return nil, err
	}
	if c.Request().Method == http.MethodPost {
		last = withdrawal.Payee{Bank: c.FormValue("bank"), Branch: c.FormValue("branch"), Account: c.FormValue("account"), Holder: c.FormValue("holder")}
	}
	fields := []part.Field{{Name: "holder", Label: c.T("withdrawal.holder"), Value: last.Holder, Required: true, MaxLength: withdrawal.MaxName, Help: c.T("withdrawal.holder_help." + string(kind))},
		{Name: "bank", Label: c.T("withdrawal.bank"), Value: last.Bank, Required: true, MaxLength: withdrawal.MaxName}, {Name: "branch", Label: c.T("withdrawal.branch"), Value: last.Branch, Required: true, MaxLength: withdrawal.MaxName},
		{Name: "account", Label: c.T("withdrawal.account"), Value: last.Account, Required: true, Numeric: true, MaxLength: 40}}
	if kind == withdrawal.KindCard {
		fields = append(fields, part.Field{Name: "voluntary", Label: c.T("withdrawal.voluntary"), Type: "checkbox", Value: trueText(voluntary), Help: c.T("withdrawal.voluntary_help")})
	}
	return append(fields, memo), nil
}

// fundsCure leads to where a refusal about money is cured.
func (c *Ctx) fundsCure(f *fault.Error) *part.Link {
	switch f.Code {
	case "withdrawal.unverified":
		return &part.Link{Text: c.T("company.title"), Href: c.at(pathProfile)}
	case "invoice.withdrawal_held":
		if id, ok := f.Args["id"].(string); ok {
			return &part.Link{Text: c.T("withdrawal.to_invoice"), Href: c.at("/invoices/" + id)}
		}
	}
	return nil
}
