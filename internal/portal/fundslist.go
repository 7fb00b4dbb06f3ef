package portal

import (
	"context"
	"net/http"
	"slices"
	"strconv"
	"time"

	"huoban/internal/customer"
	"huoban/internal/cycle"
	"huoban/internal/i18n"
	"huoban/internal/ledger"
	"huoban/internal/organisation"
	"huoban/internal/scope"
	"huoban/web/templates/opsview"
	"huoban/web/templates/part"
)

// movementKinds are the accounts 收支明细 is shown of, in the order of the choice.
var movementKinds = []ledger.Kind{ledger.KindBalance, ledger.KindCredit, ledger.KindFrozen}

// movementQuery is what 收支明细 shows: an account and what narrows its lines, all of it in the address.
type movementQuery struct {
	vendors    []organisation.Organisation
	currencies []string
	partner    organisation.Organisation
	account    ledger.Account
	filter     ledger.Filter
	names      map[string]customer.Party
}

// daySpan reads the days from and to, both inclusive.
func daySpan(c *Ctx) (from, until time.Time, err error) {
	if from, err = dayParam(c, "from"); err != nil {
		return from, until, err
	}
	if until, err = dayParam(c, "to"); err == nil && !until.IsZero() {
		until = until.AddDate(0, 0, 1)
	}
	return from, until, err
}

func dayFields(c *Ctx) []part.FilterField {
	return []part.FilterField{{Name: "from", Label: c.T("ledger.col.from"), Value: c.QueryParam("from"), Hint: "2026-10-01", More: true}, {Name: "to", Label: c.T("ledger.col.to"), Value: c.QueryParam("to"), Hint: "2026-10-31", More: true}}
}

// partnerShown is the partner whose funds are looked at: the own, or a reseller of the distributor.
func (h *Handlers) partnerShown(c *Ctx) (organisation.Organisation, error) {
	code := c.QueryParam("partner")
	if code == "" || code == c.Org.Code {
		return c.Org, nil
	}
	list, err := h.Orgs.Resellers(c.ctx(), c.Org.ID)
	i := slices.IndexFunc(list, func(o organisation.Organisation) bool {
		return o.Code == code && slices.Contains(c.Scope.Resellers(), o.ID)
	})
	if err == nil && i < 0 {
		err = notFound()
	}
	if err != nil {
		return organisation.Organisation{}, err
	}
	return list[i], nil
}

// fundNames are the customers money went to, for those who may see customers at all.
func (h *Handlers) fundNames(c *Ctx) (map[string]customer.Party, error) {
	if !c.Scope.Has(scope.ItemCustomerView) {
		return nil, nil
	}
	return h.Customers.Names(c.ctx(), c.Scope)
}

// customerOf is the customer the address names; one the actor does not know is not found.
func customerOf(c *Ctx, names map[string]customer.Party) (string, error) {
	code := c.QueryParam("customer")
	if code == "" {
		return "", nil
	}
	for id, p := range names {
		if p.Code == code {
			return id, nil
		}
	}
	return "", notFound()
}

func (h *Handlers) movementQuery(c *Ctx) (q movementQuery, err error) {
	if q.partner, err = h.partnerShown(c); err != nil {
		return q, err
	}
	list, err := h.Ledger.Accounts(c.ctx(), c.Scope, q.partner.ID)
	if err != nil {
		return q, err
	}
	if q.vendors, q.currencies, err = h.fundChoices(c, list); err != nil {
		return q, err
	}
	if q.names, err = h.fundNames(c); err != nil {
		return q, err
	}
	a := ledger.Account{PartnerID: q.partner.ID, Kind: ledger.Kind(c.QueryParam("account")), Currency: c.QueryParam("currency")}
	if a.Kind == "" {
		a.Kind = ledger.KindBalance
	}
	if i := slices.IndexFunc(list, func(s ledger.State) bool { return s.Kind == a.Kind }); i >= 0 { // where something is
		a.VendorID = list[i].VendorID
		if a.Currency == "" {
			a.Currency = list[i].Currency
		}
	} else if len(q.vendors) > 0 {
		a.VendorID = q.vendors[0].ID
	}
	if a.Currency == "" {
		a.Currency = "CNY"
	}
	if code := c.QueryParam("vendor"); code != "" {
		v, err := h.vendorOf(c, code)
		if err != nil {
			return q, notFound()
		}
		a.VendorID = v.ID
	}
	q.account = a
	q.filter, err = q.narrow(c)
	return q, err
}

// narrow reads what narrows the lines.
func (q *movementQuery) narrow(c *Ctx) (f ledger.Filter, err error) {
	f = ledger.Filter{Type: ledger.Type(c.QueryParam("type")), Detail: ledger.Detail(c.QueryParam("detail"))}
	switch c.QueryParam("direction") {
	case "":
	case "in":
		f.Direction = 1
	case "out":
		f.Direction = 2
	default:
		return f, notFound()
	}
	if !slices.Contains(movementKinds, q.account.Kind) || f.Type != "" && !f.Type.Known() || f.Detail != "" && !slices.Contains(ledger.Details(""), f.Detail) {
		return f, notFound()
	}
	if f.CustomerID, err = customerOf(c, q.names); err != nil {
		return f, err
	}
	if text := c.QueryParam("until"); text != "" {
		if f.UpTo, err = strconv.ParseInt(text, 10, 64); err != nil || f.UpTo < 1 {
			return f, notFound()
		}
	}
	f.From, f.Until, err = daySpan(c)
	return f, err
}

// movements is 收支明细: what moved an account, with the balance after each line.
func (h *Handlers) movements(c *Ctx) error {
	q, err := h.movementQuery(c)
	if err != nil {
		return err
	}
	p := h.fundsBoard(c, "/movements", "funds.movements")
	_, t, err := h.Ledger.Statement(c.ctx(), c.Scope, q.account, q.filter)
	if err != nil {
		return err
	}
	p.Facts = movementFacts(c, &q, &t)
	p.Filter, p.Notes = q.fields(c), []string{c.T("funds.since", "Day", i18n.Date(ledger.Since(h.Clock.Now())))}
	if _, err := h.board(c, &p, "funds.movements"); err != nil {
		return err
	}
	return c.page(http.StatusOK, p.Page())
}

// movementFacts are the sums of what is shown; opening and closing are those of the span, whatever else narrows it.
func movementFacts(c *Ctx, q *movementQuery, t *ledger.Totals) []part.Item {
	money := func(key, text string) part.Item { return part.Item{Label: c.T(key), Text: text} }
	x := q.account.Currency
	return []part.Item{money("ledger.col.account", c.T(q.account.Kind.Label())+" · "+x), money("ledger.sum.opening", i18n.ExactMoney(t.Opening.Exact(), x)), money("ledger.sum.in", i18n.ExactMoney(t.In.Exact(), x)),
		money("ledger.sum.out", i18n.ExactMoney(t.Out.Exact(), x)), money("ledger.sum.closing", i18n.ExactMoney(t.Closing.Exact(), x))}
}

// fields are the filter: account, vendor and currency, types and details of the open API, direction and days.
func (q *movementQuery) fields(c *Ctx) *part.Filter {
	any := part.Option{Label: c.T("ops.filter.any")}
	account := part.FilterField{Name: "account", Label: c.T("ledger.col.account"), Value: string(q.account.Kind)}
	for _, k := range movementKinds {
		account.Options = append(account.Options, part.Option{Value: string(k), Label: c.T(k.Label())})
	}
	out := []part.FilterField{account}
	if len(q.vendors) > 1 {
		f := part.FilterField{Name: "vendor", Label: c.T("ledger.col.vendor"), Value: c.QueryParam("vendor")}
		for _, v := range q.vendors {
			if v.ID == q.account.VendorID {
				f.Value = v.Code
			}
			f.Options = append(f.Options, part.Option{Value: v.Code, Label: v.Name})
		}
		out = append(out, f)
	}
	if len(q.currencies) > 1 {
		f := part.FilterField{Name: "currency", Label: c.T("ledger.col.currency"), Value: q.account.Currency}
		for _, x := range q.currencies {
			f.Options = append(f.Options, part.Option{Value: x, Label: x})
		}
		out = append(out, f)
	}
	kinds := part.FilterField{Name: "type", Label: c.T("ledger.col.type"), Value: string(q.filter.Type), Options: []part.Option{any}}
	for _, t := range ledger.Types() {
		kinds.Options = append(kinds.Options, part.Option{Value: string(t), Label: c.T(t.Label())})
	}
	details := part.FilterField{Name: "detail", Label: c.T("ledger.col.detail"), Value: string(q.filter.Detail), Options: []part.Option{any}, More: true}
	for _, d := range ledger.Details(q.filter.Type) {
		details.Options = append(details.Options, part.Option{Value: string(d), Label: c.T(d.Label())})
	}
	direction := part.FilterField{Name: "direction", Label: c.T("ledger.col.direction"), Value: c.QueryParam("direction"), Options: []part.Option{any, {Value: "in", Label: c.T("ledger.in")}, {Value: "out", Label: c.T("ledger.out")}}, More: true}
	out = append(append(out, kinds, details, direction), dayFields(c)...)
	return &part.Filter{Action: c.at(pathFunds + "/movements"), Reset: c.at(pathFunds + "/movements"), Fields: out}
}

// readMovements lists the lines of the account, the newest first. It grows while it is read: "until" names the line it
// ends with, and links to its pages and files carry it.
func (h *Handlers) readMovements(c *Ctx) (*sheet, error) {
	q, err := h.movementQuery(c)
	if err != nil {
		return nil, err
	}
	_, t, err := h.Ledger.Statement(c.ctx(), c.Scope, q.account, q.filter)
	if err != nil {
		return nil, err
	}
	x := q.account.Currency
	s := &sheet{columns: []listColumn{{key: "serial", title: c.T("ledger.col.serial")}, {key: "at", title: c.T("ledger.col.at"), class: "num-l"}, {key: "direction", title: c.T("ledger.col.direction")},
		{key: "type", title: c.T("ledger.col.type"), note: c.T("ledger.col.detail")}, {key: "number", title: c.T("ledger.col.number"), note: c.T("ledger.col.memo")}, {key: "amount", title: c.T("ledger.col.amount"), num: true, money: true, class: "m"},
		{key: "after", title: c.T("ledger.col.after"), num: true}, {key: "customer", title: c.T("customers.col.customer"), note: c.T("customers.col.code"), personal: true}, {key: "by", title: c.T("ledger.col.by")}},
		count: int64(t.Count), empty: part.Empty{Title: c.T("funds.movements_empty"), Text: c.T("funds.movements_empty_text")}}
	if t.Count > 0 {
		q.filter.UpTo = t.LastSeq
		s.pin = strconv.FormatInt(t.LastSeq, 10)
		s.reached(t.LastAt)
		s.totals = s.totals.add(sum{x, t.In.Exact().Sub(t.Out.Exact())})
	}
	s.stamp = marks(q.account.ID(), t.In.String(), t.Out.String(), t.Opening.String(), t.Closing.String())
	q.conditions(c, s, &t)
	s.pages = func(ctx context.Context, at listAt, size int) ([]sheetRow, bool, error) {
		var seq int64
		if at.key != "" {
			var err error
			if seq, err = strconv.ParseInt(at.key, 10, 64); err != nil || seq < 1 {
				return nil, false, notFound()
			}
		}
		list, err := h.Ledger.Movements(ctx, c.Scope, q.account, q.filter, seq, at.back, size+1)
		more := len(list) > size
		if more {
			list = list[:size]
		}
		if at.back {
			slices.Reverse(list)
		}
		rows := make([]sheetRow, len(list))
		for i := range list {
			rows[i] = q.row(c, &list[i])
		}
		return rows, more, err
	}
	return s, nil
}

// conditions say in words what is shown; a file has no facts above it, so that the two balances stand there too.
func (q *movementQuery) conditions(c *Ctx, s *sheet, t *ledger.Totals) {
	x := q.account.Currency
	s.narrowed("", c.T(q.account.Kind.Label())+" "+x)
	if q.partner.ID != c.Org.ID {
		s.narrowed("partner", q.partner.Name)
	}
	f := &q.filter
	if f.Type != "" {
		s.narrowed("type", c.T(f.Type.Label()))
	}
	if f.Detail != "" {
		s.narrowed("detail", c.T(f.Detail.Label()))
	}
	if f.Direction > 0 {
		s.narrowed("direction", c.T([]string{"ledger.in", "ledger.out"}[f.Direction-1]))
	}
	s.narrowed("customer", q.names[f.CustomerID].Code)
	s.narrowed("from", c.QueryParam("from"))
	s.narrowed("to", c.QueryParam("to"))
	s.narrowed("", c.T("ledger.sum.opening")+" "+i18n.ExactMoney(t.Opening.Exact(), x))
	s.narrowed("", c.T("ledger.sum.closing")+" "+i18n.ExactMoney(t.Closing.Exact(), x))
}

func (q *movementQuery) row(c *Ctx, m *ledger.Movement) sheetRow {
	x := q.account.Currency
	way := part.Tag{Text: c.T("ledger.out")}
	if m.Income() {
		way = part.Tag{Text: c.T("ledger.in"), Tone: part.Good}
	}
	who := q.names[m.CustomerID]
	name := c.personal(who.Name)
	name.Note = who.Code
	return sheetRow{key: strconv.FormatInt(m.Seq, 10), at: m.At, about: who.Code, sums: sums{{x, m.Amount.Exact()}},
		cells: []opsview.Cell{{Text: m.Serial(cycle.Zone), Mono: true}, {Text: i18n.DateTime(m.At)}, {Tag: &way}, {Text: c.T(m.Type.Label()), Note: c.T(m.Detail.Label())}, {Text: m.Number, Note: m.Memo},
			amountCell(m.Amount, x), amountCell(m.After, x), name, {Text: c.by(m.Actor)}}}
}
