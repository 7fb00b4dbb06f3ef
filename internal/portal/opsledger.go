package portal

import (
	"context"
	"net/http"
	"os"
	"slices"

	"huoban/internal/fault"
	"huoban/internal/i18n"
	"huoban/internal/ledger"
	"huoban/internal/organisation"
	"huoban/internal/scope"
	"huoban/internal/topup"
	"huoban/web/templates/opsview"
	"huoban/web/templates/part"
)

const (
	pathLedger      = "/ledger"
	pathRemittances = "/remittances"
)

// ledgerRoutes are 资金台账 of a vendor: all accounts with the trial balance, credit lines, and what came by bank.
func ledgerRoutes() []Route {
	row := func(method, path, name, title string, item scope.Item, do func(*Handlers, *Ctx) error) Route {
		return Route{Method: method, Path: "/o/:org" + path, Name: name, Sides: vendors, Items: []scope.Item{item}, Title: title, Do: do}
	}
	out := []Route{
		row(get, pathLedger, "ledger", "ledger.title", scope.ItemLedgerView, (*Handlers).ledger),
		row(get, pathRemittances, "remittances", "remittances.title", scope.ItemLedgerView, (*Handlers).remittances),
		row(get, pathRemittances+"/new", "remittances.new", "remittances.import", scope.ItemRemittance, (*Handlers).remittancePage).noList("form"),
		row(post, pathRemittances, "remittances.import", "", scope.ItemRemittance, (*Handlers).importRemittances),
	}
	out[0].Query = []string{"partner"}
	return append(out, creditLineRoutes()...)
}

// ledgerPages are the pages of 资金台账.
func ledgerPages(c *Ctx, current string) []part.Tab {
	var out []part.Tab
	for _, x := range []struct{ path, key string }{{pathLedger, "ledger.accounts"}, {pathCreditLines, "creditlines.title"}, {pathRemittances, "remittances.title"}, {pathClaims, "claims.title"}, {pathAgreements, "agreements.title"}} {
		out = append(out, part.Tab{Text: c.T(x.key), Href: c.at(x.path), Current: x.path == current})
	}
	return out
}

func (h *Handlers) ledger(c *Ctx) error { return h.ledgerPage(c, http.StatusOK, nil) }

// ledgerPage lists every account with what moved it; the facts say whether the books balance.
func (h *Handlers) ledgerPage(c *Ctx, status int, refused *fault.Error) error {
	title := c.T("ledger.title")
	p := opsview.Board{Header: part.Header{Title: title, Crumbs: c.crumbs(part.Link{Text: title})}, Flash: c.done(), Pages: ledgerPages(c, pathLedger)}
	if flash := c.exported(); flash != nil {
		p.Flash = flash
	}
	p.Refusal, p.Conflict = lost(c, refused, c.at(pathLedger))
	rows, err := h.Ledger.TrialBalance(c.ctx(), c.Scope)
	if err != nil {
		return err
	}
	for i := range rows {
		r := &rows[i]
		verdict := c.T("ledger.balanced")
		if !r.Balanced() {
			verdict = c.T("ledger.broken", "Count", int64(len(r.Broken)))
		}
		p.Facts = append(p.Facts, part.Item{Label: c.T("ledger.trial", "Currency", r.Currency), Text: verdict}, part.Item{Label: c.T("ledger.debits"), Text: i18n.ExactMoney(r.Debit.Exact(), r.Currency)},
			part.Item{Label: c.T("ledger.credits"), Text: i18n.ExactMoney(r.Credit.Exact(), r.Currency)})
	}
	names, err := h.ledgerNames(c)
	if err != nil {
		return err
	}
	if c.Scope.Has(scope.ItemCreditChange) {
		p.Buttons = []part.Button{creditButton(c, names)}
	}
	kind := part.FilterField{Name: "kind", Label: c.T("ledger.col.account"), Value: c.QueryParam("kind"), Options: []part.Option{{Label: c.T("ops.filter.any")}}}
	for _, k := range ledger.Kinds() {
		kind.Options = append(kind.Options, part.Option{Value: string(k), Label: c.T(k.Label())})
	}
	p.Filter = &part.Filter{Action: c.at(pathLedger), Reset: c.at(pathLedger), Fields: []part.FilterField{kind, {Name: "partner", Label: c.T("ledger.col.partner"), Value: c.QueryParam("partner")}}}
	if _, err := h.board(c, &p, "ledger"); err != nil {
		return err
	}
	return c.page(status, p.Page())
}

// ledgerNames are the organisations of the books, by key.
func (h *Handlers) ledgerNames(c *Ctx) (map[string]organisation.Organisation, error) {
	list, err := h.Orgs.List(c.ctx(), c.Scope)
	out := map[string]organisation.Organisation{}
	for _, o := range list {
		out[o.ID] = o
	}
	return out, err
}

func creditButton(c *Ctx, names map[string]organisation.Organisation) part.Button {
	partner := part.Field{Name: "partner", Label: c.T("ledger.col.partner"), Type: "select", Required: true}
	for _, o := range names {
		if o.Kind.IsPartner() {
			partner.Options = append(partner.Options, part.Option{Value: o.Code, Label: o.Name})
		}
	}
	slices.SortFunc(partner.Options, func(a, b part.Option) int {
		if a.Value < b.Value {
			return -1
		}
		return 1
	})
	currency := part.Field{Name: "currency", Label: c.T("ledger.col.currency"), Value: "CNY", Required: true, MaxLength: 3}
	return part.Button{ID: "credit", Text: c.T("ledger.set_line"), Action: c.at(pathCreditLines), Hidden: fresh(), Dialog: &part.Dialog{Title: c.T("ledger.set_line"), Points: []string{c.T("ledger.line_point")},
		Fields: []part.Field{partner, currency, {Name: "amount", Label: c.T("ledger.col.line"), Numeric: true, Required: true}, {Name: "remark", Label: c.T("ledger.col.memo"), MaxLength: ledger.MaxMemo}}, Confirm: c.T("members.save")}}
}

func (h *Handlers) readLedger(c *Ctx) (*sheet, error) {
	kind := ledger.Kind(c.QueryParam("kind"))
	if kind != "" && !slices.Contains(ledger.Kinds(), kind) {
		return nil, notFound()
	}
	names, err := h.ledgerNames(c)
	if err != nil {
		return nil, err
	}
	code := c.QueryParam("partner")
	known := code == ""
	for _, o := range names {
		known = known || o.Code == code
	}
	if !known {
		return nil, notFound()
	}
	rows, err := h.Ledger.TrialBalance(c.ctx(), c.Scope)
	if err != nil {
		return nil, err
	}
	s := &sheet{columns: []listColumn{{key: "account", title: c.T("ledger.col.account")}, {key: "partner", title: c.T("ledger.col.partner"), note: c.T("company.code")}, {key: "customer", title: c.T("customers.col.customer"), note: c.T("customers.col.code"), personal: true}, {key: "currency", title: c.T("ledger.col.currency")},
		{key: "lines", title: c.T("ledger.col.lines"), num: true}, {key: "debit", title: c.T("ledger.debits"), num: true}, {key: "credit", title: c.T("ledger.credits"), num: true}, {key: "balance", title: c.T("ledger.col.balance"), num: true, class: "m"}, {key: "line", title: c.T("ledger.col.line"), num: true}, {key: "sound", title: c.T("ledger.col.sound")}},
		empty: part.Empty{Title: c.T("ledger.empty"), Text: c.T("ledger.empty_text")}}
	if kind != "" {
		s.narrowed("kind", c.T(kind.Label()))
	}
	s.narrowed("partner", code)
	for i := range rows {
		for j := range rows[i].Accounts {
			x := &rows[i].Accounts[j]
			if kind != "" && x.Kind != kind || code != "" && names[x.PartnerID].Code != code {
				continue
			}
			s.add(ledgerRow(c, x, names))
		}
	}
	return s, nil
}

func ledgerRow(c *Ctx, x *ledger.Sum, names map[string]organisation.Organisation) sheetRow {
	sound := part.Status{Text: c.T("ledger.sound"), Tone: part.Good}
	if !x.Sound() {
		sound = part.Status{Text: c.T("ledger.unsound"), Tone: part.Bad}
	}
	who := names[x.CustomerID]
	name := c.personal(who.Name)
	name.Note = who.Code
	line := opsview.Cell{}
	if x.Kind == ledger.KindCredit {
		line = amountCell(x.Line, x.Currency)
	}
	return sheetRow{key: x.ID(), at: x.LastAt, about: who.Code, mark: marks(x.Balance.String(), x.Debit.String(), x.Credit.String()), cells: []opsview.Cell{{Text: c.T(x.Kind.Label())}, {Text: names[x.PartnerID].Name, Note: names[x.PartnerID].Code}, name, {Text: x.Currency},
		countCell(x.Lines), amountCell(x.Debit, x.Currency), amountCell(x.Credit, x.Currency), amountCell(x.Balance, x.Currency), line, {Status: &sound}}}
}

var remittanceTone = map[topup.RemittanceState]part.Tone{topup.RemittanceUnclaimed: part.Warn, topup.RemittanceCredited: part.Good, topup.RemittanceClaimed: part.Good}

// remittances lists what came by bank.
func (h *Handlers) remittances(c *Ctx) error {
	title := c.T("remittances.title")
	p := opsview.Board{Header: part.Header{Title: title, Crumbs: c.crumbs(part.Link{Text: c.T("ledger.title"), Href: c.at(pathLedger)}, part.Link{Text: title})}, Flash: c.done(), Pages: ledgerPages(c, pathRemittances)}
	if flash := c.exported(); flash != nil {
		p.Flash = flash
	}
	if c.Scope.Has(scope.ItemRemittance) {
		p.Header.Buttons = []part.Link{{Text: c.T("remittances.import"), Href: c.at(pathRemittances + "/new")}}
	}
	state := part.FilterField{Name: "state", Label: c.T("opsview.col.state"), Value: c.QueryParam("state"), Options: []part.Option{{Label: c.T("ops.filter.any")}}}
	for _, s := range topup.RemittanceFlow.States() {
		state.Options = append(state.Options, part.Option{Value: string(s), Label: c.T("remittance.state." + string(s))})
	}
	p.Filter = &part.Filter{Action: c.at(pathRemittances), Reset: c.at(pathRemittances), Fields: append([]part.FilterField{state}, paidFields(c, c.T("remittances.q"))...)}
	if _, err := h.board(c, &p, "remittances"); err != nil {
		return err
	}
	return c.page(http.StatusOK, p.Page())
}

func (h *Handlers) readRemittances(c *Ctx) (*sheet, error) {
	state := topup.RemittanceState(c.QueryParam("state"))
	if state != "" && !slices.Contains(topup.RemittanceFlow.States(), state) {
		return nil, notFound()
	}
	paid, err := paidFilterOf(c)
	if err != nil {
		return nil, err
	}
	list, err := h.TopUps.Remittances(c.ctx(), c.Scope)
	if err != nil {
		return nil, err
	}
	s := &sheet{columns: []listColumn{{key: "ref", title: c.T("remittances.ref")}, {key: "paid", title: c.T("claims.paid_on"), class: "num-l"}, {key: "payer", title: c.T("claims.payer"), note: c.T("remittances.payer_account")}, {key: "to", title: c.T("remittances.to")},
		{key: "purpose", title: c.T("remittances.purpose")}, {key: "amount", title: c.T("claims.amount"), num: true, money: true, class: "m"}, {key: "partner", title: c.T("ledger.col.partner")}, {key: "imported", title: c.T("remittances.imported"), note: c.T("ledger.col.by"), class: "num-l"}, {key: "state", title: c.T("opsview.col.state")}},
		empty: part.Empty{Title: c.T("remittances.empty"), Text: c.T("remittances.empty_text")}}
	if state != "" {
		s.narrowed("state", c.T("remittance.state."+string(state)))
	}
	paid.narrow(c, s)
	for i := range list {
		r := &list[i]
		if state != "" && r.State != state || !paid.takes(r.PaidOn, r.BankRef, r.PayerName, r.Purpose, r.PartnerCode) {
			continue
		}
		to := ""
		if r.AccountNo != "" {
			to = topup.Masked(r.AccountNo)
		}
		s.add(sheetRow{key: r.ID, at: r.ChangedAt, mark: marks(string(r.State), r.BankRef, r.Amount.String()), sums: sums{{r.Currency, r.Amount.Exact()}}, cells: []opsview.Cell{{Text: r.BankRef, Mono: true}, {Text: r.PaidOn}, {Text: r.PayerName, Note: topup.Masked(r.PayerAccount)}, {Text: to},
			{Text: r.Purpose}, amountCell(r.Amount, r.Currency), {Text: r.PartnerCode}, {Text: i18n.DateTime(r.ImportedAt), Note: r.ImportedBy}, {Status: &part.Status{Text: c.T("remittance.state." + string(r.State)), Tone: remittanceTone[r.State]}}}})
	}
	return s, nil
}

func (h *Handlers) remittancePage(c *Ctx) error { return h.importForm(c, http.StatusOK, nil) }

func (h *Handlers) importForm(c *Ctx, status int, refused *fault.Error) error {
	title := c.T("remittances.import")
	p := opsview.Upload{Header: part.Header{Title: title, Crumbs: c.crumbs(part.Link{Text: c.T("remittances.title"), Href: c.at(pathRemittances)}, part.Link{Text: title})}, Action: c.at(pathRemittances), Hidden: fresh(), Refusal: refusalOf(c, refused),
		Submit: c.T("remittances.do"), Notes: []string{c.T("remittances.note"), c.T("remittances.note_columns"), c.T("remittances.note_known")},
		Fields: []part.Field{{Name: "file", Label: c.T("remittances.file"), Type: "file", Accept: ".csv,.xlsx", Required: true}}}
	return c.page(status, p.Page())
}

// importRemittances books the statement of the form.
func (h *Handlers) importRemittances(c *Ctx) error {
	folder, err := os.MkdirTemp("", "portal-brought-")
	if err != nil {
		return err
	}
	defer func() {
		if err := os.RemoveAll(folder); err != nil {
			h.Log.Warn("a brought file stays", "error", err.Error())
		}
	}()
	path, _, err := brought(c.Request(), folder)
	if err == nil && path == "" {
		err = fault.Invalid("ops.file_missing", nil)
	}
	var lines []topup.BankLine
	if err == nil {
		lines, err = topup.ReadStatement(path)
	}
	if err == nil {
		err = h.once(c, func(ctx context.Context) (answer, error) {
			done, err := h.TopUps.Import(ctx, c.Scope, lines)
			return answer{Location: c.withQuery(pathRemittances, "done", "remittances"), Body: map[string]any{"rows": done.Rows, "known": done.Known, "credited": done.Credited, "unclaimed": done.Unclaimed}}, err
		})
	}
	return c.refuse(err, func(status int, f *fault.Error) error { return h.importForm(c, status, f) })
}
