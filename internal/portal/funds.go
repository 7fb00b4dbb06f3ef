package portal

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"net/http"
	"slices"
	"strings"

	"huoban/internal/fault"
	"huoban/internal/i18n"
	"huoban/internal/id"
	"huoban/internal/ledger"
	"huoban/internal/money"
	"huoban/internal/organisation"
	"huoban/internal/payment"
	"huoban/internal/scope"
	"huoban/web/templates/opsview"
	"huoban/web/templates/part"
)

const pathFunds = "/funds"

// fundsRoutes are 资金管理 of a partner: its accounts, what moved them, the bills they pay.
func fundsRoutes() []Route {
	row := func(method, path, name, title string, item scope.Item, do func(*Handlers, *Ctx) error) Route {
		return Route{Method: method, Path: "/o/:org" + pathFunds + path, Name: name, Sides: partners, Items: []scope.Item{item}, Title: title, Do: do}
	}
	out := []Route{
		row(get, "", "funds", "funds.title", scope.ItemFundsView, (*Handlers).funds),
		row(get, "/movements", "funds.movements", "funds.movements", scope.ItemFundsView, (*Handlers).movements),
		row(get, "/bills", "funds.bills", "funds.bills", scope.ItemFundsView, (*Handlers).billPayments),
		row(get, "/adjustments", "funds.adjustments", "funds.adjustments", scope.ItemFundsView, (*Handlers).fundAdjustments),
		row(post, "/bills/:id/payment", "funds.repay", "", scope.ItemFundsChange, (*Handlers).repay),
		row(post, "/alerts", "funds.alert", "", scope.ItemFundsChange, (*Handlers).setAlert),
	}
	out[5].Query = []string{"vendor"}
	out[1].Query = []string{"vendor", "partner", "customer"}
	out[3].Query = []string{"partner", "customer"}
	return out
}

// fundsPages are the pages of 资金管理, with the one that is shown.
func fundsPages(c *Ctx, current string) []part.Tab {
	var out []part.Tab
	for _, x := range []struct{ path, key string }{{"", "funds.overview"}, {"/movements", "funds.movements"}, {"/bills", "funds.bills"}, {"/top-ups", "topup.title"}, {pathClaims, "claims.title"}, {pathAgreements, "agreements.title"}, {"/adjustments", "funds.adjustments"}} {
		at := pathFunds + x.path
		if x.path == pathClaims || x.path == pathAgreements {
			at = x.path
		}
		out = append(out, part.Tab{Text: c.T(x.key), Href: c.at(at), Current: x.path == current})
	}
	return out
}

// fundsBoard is a page of 资金管理.
func (h *Handlers) fundsBoard(c *Ctx, path, key string) opsview.Board {
	title := c.T(key)
	crumbs := []part.Link{{Text: title}}
	if path != "" {
		crumbs = []part.Link{{Text: c.T("funds.title"), Href: c.at(pathFunds)}, {Text: title}}
	}
	p := opsview.Board{Header: part.Header{Title: title, Crumbs: c.crumbs(crumbs...)}, Flash: c.done(), Pages: fundsPages(c, path)}
	if flash := c.exported(); flash != nil {
		p.Flash = flash
	}
	return p
}

func (h *Handlers) funds(c *Ctx) error { return h.fundsPage(c, http.StatusOK, nil) }

// fundsPage shows the accounts with what is owed and what may go to customers.
func (h *Handlers) fundsPage(c *Ctx, status int, refused *fault.Error) error {
	p := h.fundsBoard(c, "", "funds.title")
	p.Refusal, p.Conflict = lost(c, refused, c.at(pathFunds))
	list, err := h.Ledger.Accounts(c.ctx(), c.Scope, "")
	if err != nil {
		return err
	}
	bills, err := h.Payments.Bills(c.ctx(), c.Scope, payment.Filter{PartnerID: c.Org.ID, Open: true})
	if err != nil {
		return err
	}
	p.Figures = true
	p.Facts = fundFacts(c, ledger.Wallets(list), bills)
	for _, a := range payment.ArrearsOf(bills) {
		p.Notes = append(p.Notes, c.T("funds.in_arrears", "Count", int64(a.Bills), "Amount", i18n.Money(a.Amount, a.Currency), "Cycle", string(a.Oldest)))
	}
	if c.Scope.Has(scope.ItemFundsChange) {
		p.Header.Buttons = []part.Link{{Text: c.T("topup.title"), Href: c.at(pathTopUps)}}
		if p.Buttons, err = h.fundButtons(c, list); err != nil {
			return err
		}
	}
	if _, err := h.board(c, &p, "funds.accounts"); err != nil {
		return err
	}
	return c.page(status, p.Page())
}

// fundFacts are the sums over all vendors, by currency, and the next bill that is collected.
func fundFacts(c *Ctx, wallets []ledger.Wallet, bills []payment.Bill) []part.Item {
	var total, balance, credit, frozen, allocated, may, owed, next sums
	for _, w := range wallets {
		one := func(to *sums, a money.Amount) { *to = to.add(sum{w.Currency, a.Exact()}) }
		one(&total, w.Total())
		one(&balance, w.Balance)
		one(&credit, w.Credit)
		one(&frozen, w.Frozen)
		one(&allocated, w.Allocated)
		one(&may, w.Allocatable())
	}
	due := ""
	for i := range bills {
		b := &bills[i]
		to := &owed
		if !b.InArrears() {
			to = &next
			due = i18n.DateTime(b.DueAt())
		}
		*to = to.add(sum{b.Currency, b.Remaining().Exact()})
	}
	item := func(key string, of sums) part.Item {
		text := join(of.texts(), " · ")
		if text == "" {
			text = i18n.Nothing
		}
		return part.Item{Label: c.T(key), Text: text}
	}
	owe := item("funds.arrears", owed)
	owe.Href = c.at(pathFunds + "/bills")
	out := []part.Item{item("funds.account_balance", total), item("ledger.kind.balance", balance), item("ledger.kind.credit", credit), item("funds.allocatable", may), item("ledger.kind.allocated", allocated), item("ledger.kind.frozen", frozen), owe}
	if due != "" {
		out = append(out, item("funds.next", next), part.Item{Label: c.T("funds.due"), Text: due})
	}
	return out
}

// fundButtons are what may be done from the overview.
func (h *Handlers) fundButtons(c *Ctx, list []ledger.State) ([]part.Button, error) {
	vendors, currencies, err := h.fundChoices(c, list)
	if err != nil || len(vendors) == 0 {
		return nil, err
	}
	alerts, err := h.Payments.Alerts(c.ctx(), c.Scope)
	if err != nil {
		return nil, err
	}
	threshold := ""
	if len(alerts) > 0 {
		threshold = alerts[0].Threshold.String()
	}
	fields := append(choiceFields(c, vendors, currencies), part.Field{Name: "amount", Label: c.T("funds.threshold"), Value: threshold, Numeric: true, Required: true, Help: c.T("funds.threshold_help")})
	return []part.Button{{ID: "alert", Text: c.T("funds.alert"), Action: c.at(pathFunds + "/alerts"), Hidden: fresh(),
		Dialog: &part.Dialog{Title: c.T("funds.alert_ask"), Points: []string{c.T("funds.alert_point")}, Fields: fields, Confirm: c.T("members.save")}}}, nil
}

// fundChoices are the vendors the partner deals with and the currencies it has to do with.
func (h *Handlers) fundChoices(c *Ctx, list []ledger.State) ([]organisation.Organisation, []string, error) {
	vendors, err := h.Orgs.VendorsOf(c.ctx(), c.Org)
	currencies := []string{"CNY"}
	for i := range list {
		if !slices.Contains(currencies, list[i].Currency) {
			currencies = append(currencies, list[i].Currency)
		}
	}
	return vendors, currencies, err
}

// choiceFields ask for vendor and currency.
func choiceFields(c *Ctx, vendors []organisation.Organisation, currencies []string) []part.Field {
	vendor := part.Field{Name: "vendor", Label: c.T("ledger.col.vendor"), Type: "select", Required: true}
	for _, v := range vendors {
		vendor.Options = append(vendor.Options, part.Option{Value: v.Code, Label: v.Name})
	}
	currency := part.Field{Name: "currency", Label: c.T("ledger.col.currency"), Type: "select", Required: true}
	for _, x := range currencies {
		currency.Options = append(currency.Options, part.Option{Value: x, Label: x})
	}
	return []part.Field{vendor, currency}
}

// vendorOf finds the vendor of a form among those the partner deals with. Fault: organisation.unknown.
func (h *Handlers) vendorOf(c *Ctx, code string) (organisation.Organisation, error) {
	vendors, err := h.Orgs.VendorsOf(c.ctx(), c.Org)
	if err != nil {
		return organisation.Organisation{}, err
	}
	for _, v := range vendors {
		if v.Code == code {
			return v, nil
		}
	}
	return organisation.Organisation{}, fault.NotFound("organisation.unknown", fault.Args{"code": code})
}

// typedAmount reads an amount as people type it. Fault: money.malformed.
func typedAmount(text string) (money.Amount, error) {
	x, err := money.ParseExact(strings.ReplaceAll(strings.TrimSpace(text), ",", ""))
	if err != nil {
		return 0, err
	}
	return x.Amount()
}

// readFundAccounts lists the accounts of the partner.
func (h *Handlers) readFundAccounts(c *Ctx) (*sheet, error) {
	list, err := h.Ledger.Accounts(c.ctx(), c.Scope, "")
	if err != nil {
		return nil, err
	}
	vendors, err := h.Orgs.VendorsOf(c.ctx(), c.Org)
	if err != nil {
		return nil, err
	}
	names := map[string]organisation.Organisation{}
	for _, v := range vendors {
		names[v.ID] = v
	}
	s := &sheet{columns: []listColumn{{key: "account", title: c.T("ledger.col.account"), note: c.T("ledger.col.meaning")}, {key: "vendor", title: c.T("ledger.col.vendor")}, {key: "currency", title: c.T("ledger.col.currency")},
		{key: "balance", title: c.T("ledger.col.balance"), num: true, class: "m"}, {key: "line", title: c.T("ledger.col.line"), num: true}, {key: "used", title: c.T("ledger.col.used"), num: true}, {key: "last", title: c.T("ledger.col.last"), class: "num-l"}},
		empty: part.Empty{Title: c.T("funds.empty"), Text: c.T("funds.empty_text")}}
	for _, w := range ledger.Wallets(list) {
		for _, k := range []ledger.Kind{ledger.KindBalance, ledger.KindCredit, ledger.KindFrozen, ledger.KindAllocated} {
			h.addFundAccount(c, s, list, w, k, names[w.VendorID])
		}
	}
	return s, nil
}

// addFundAccount is the row of one account; what stands with customers is one row together.
func (h *Handlers) addFundAccount(c *Ctx, s *sheet, list []ledger.State, w ledger.Wallet, k ledger.Kind, vendor organisation.Organisation) {
	row := sheetRow{key: marks(w.VendorID, w.Currency, string(k))}
	var balance money.Amount
	opened := false
	for i := range list {
		st := &list[i]
		if st.VendorID != w.VendorID || st.Currency != w.Currency || st.Kind != k {
			continue
		}
		balance, opened, row.at = balance+st.Balance, true, latestOf(row.at, st.LastAt)
	}
	if !opened {
		return
	}
	account := opsview.Cell{Text: c.T(k.Label()), Note: c.T("ledger.meaning." + string(k))}
	if k != ledger.KindAllocated {
		account.Href = c.withQuery(pathFunds+"/movements", "vendor", vendor.Code, "account", string(k), "currency", w.Currency)
	}
	line, used := opsview.Cell{}, opsview.Cell{}
	if k == ledger.KindCredit {
		line, used = amountCell(w.CreditLine, w.Currency), amountCell(w.CreditUsed(), w.Currency)
	}
	row.mark = marks(balance.String(), w.CreditLine.String())
	row.cells = []opsview.Cell{account, {Text: vendor.Name}, {Text: w.Currency}, amountCell(balance, w.Currency), line, used, {Text: bound(row.at)}}
	s.add(row)
}

func (h *Handlers) setAlert(c *Ctx) error {
	if err := c.readForm(); err != nil {
		return err
	}
	err := h.onceWithAmount(c, func(ctx context.Context, vendorID string, amount money.Amount) (answer, error) {
		err := h.Payments.SetAlert(ctx, c.Scope, payment.Alert{VendorID: vendorID, Currency: c.FormValue("currency"), Threshold: amount}, []string{vendorID})
		return answer{Location: c.withQuery(pathFunds, "done", "alert_set")}, err
	})
	return c.refuse(err, func(status int, f *fault.Error) error { return h.fundsPage(c, status, f) })
}

// onceWithAmount does once what a form that was read asks for, with its vendor and amount.
func (h *Handlers) onceWithAmount(c *Ctx, do func(ctx context.Context, vendorID string, amount money.Amount) (answer, error)) error {
	amount, err := typedAmount(c.FormValue("amount"))
	if err != nil {
		return err
	}
	return h.once(c, func(ctx context.Context) (answer, error) {
		vendor, err := h.vendorOf(c, c.FormValue("vendor"))
		if err != nil {
			return answer{}, err
		}
		return do(ctx, vendor.ID, amount)
	})
}

// onceKey names the request that moves money, so that it moves it once; one without a key is its own.
func (c *Ctx) onceKey() string {
	r, err := c.request()
	if err != nil || r.Key == "" {
		return id.New()
	}
	sum := sha256.Sum256([]byte(r.Actor + "\x00" + r.Key))
	return hex.EncodeToString(sum[:16])
}
