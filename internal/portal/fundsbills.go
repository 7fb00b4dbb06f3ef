package portal

import (
	"context"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"

	"huoban/internal/customer"
	"huoban/internal/fault"
	"huoban/internal/i18n"
	"huoban/internal/ledger"
	"huoban/internal/payment"
	"huoban/internal/scope"
	"huoban/web/templates/opsview"
	"huoban/web/templates/part"
)

var paymentTone = map[payment.State]part.Tone{payment.StateIssued: part.Brand, payment.StateUnpaid: part.Bad, payment.StatePartly: part.Warn, payment.StatePaid: part.Good}

func paymentStatus(c *Ctx, b *payment.Bill) *part.Status {
	return &part.Status{ID: "bp-" + b.ID, Text: c.T("bill_payment.state." + string(b.State)), Tone: paymentTone[b.State], Meaning: c.T("payment.meaning." + string(b.State)), Next: c.T("payment.next." + string(b.State))}
}

func (h *Handlers) billPayments(c *Ctx) error { return h.billPaymentsPage(c, http.StatusOK, nil) }

// billPaymentsPage lists issued bills with what was paid on them.
func (h *Handlers) billPaymentsPage(c *Ctx, status int, refused *fault.Error) error {
	p := h.fundsBoard(c, "/bills", "funds.bills")
	p.Refusal, p.Conflict = lost(c, refused, c.at(pathFunds+"/bills"))
	state := part.FilterField{Name: "state", Label: c.T("opsview.col.state"), Value: c.QueryParam("state"), Options: []part.Option{{Label: c.T("ops.filter.any")}}}
	for _, s := range payment.Flow.States() {
		state.Options = append(state.Options, part.Option{Value: string(s), Label: c.T("bill_payment.state." + string(s))})
	}
	p.Filter = &part.Filter{Action: c.at(pathFunds + "/bills"), Reset: c.at(pathFunds + "/bills"), Fields: []part.FilterField{state}}
	if _, err := h.board(c, &p, "funds.bills"); err != nil {
		return err
	}
	return c.page(status, p.Page())
}

func (h *Handlers) readBillPayments(c *Ctx) (*sheet, error) {
	state := payment.State(c.QueryParam("state"))
	if state != "" && !slices.Contains(payment.Flow.States(), state) {
		return nil, notFound()
	}
	list, err := h.Payments.Bills(c.ctx(), c.Scope, payment.Filter{PartnerID: c.Org.ID})
	if err != nil {
		return nil, err
	}
	s := &sheet{columns: []listColumn{{key: "cycle", title: c.T("bill.column.cycle"), note: c.T("ledger.col.code")}, {key: "vendor", title: c.T("ledger.col.vendor"), note: c.T("funds.entity")}, {key: "due", title: c.T("funds.due"), class: "num-l"},
		{key: "asked", title: c.T("funds.asked"), num: true}, {key: "paid", title: c.T("funds.paid"), num: true}, {key: "remaining", title: c.T("funds.remaining"), num: true, money: true, class: "m"}, {key: "state", title: c.T("opsview.col.state")}},
		empty: part.Empty{Title: c.T("funds.bills_empty"), Text: c.T("funds.bills_empty_text")}}
	if state != "" {
		s.narrowed("state", c.T("bill_payment.state."+string(state)))
	}
	for i := range list {
		b := &list[i]
		if state != "" && b.State != state {
			continue
		}
		state := opsview.Cell{Status: paymentStatus(c, b)}
		if b.Remaining() > 0 && c.Scope.Has(scope.ItemFundsChange) && b.PartnerID == c.Org.ID {
			state.Buttons = []part.Button{h.repayButton(c, b)}
		}
		s.add(sheetRow{key: b.ID, at: latestOf(b.IssuedAt, b.SettledAt), mark: marks(string(b.State), b.Paid.String()), sums: sums{{b.Currency, b.Remaining().Exact()}},
			cells: []opsview.Cell{{Text: string(b.Cycle), Note: b.Code, Href: c.withQuery("/bills", "cycle", string(b.Cycle), "vendor", b.VendorCode, "currency", b.Currency)}, entityCell(b),
				{Text: i18n.DateTime(b.DueAt())}, amountCell(b.Due, b.Currency), amountCell(b.Paid, b.Currency), amountCell(b.Remaining(), b.Currency), state}})
	}
	return s, nil
}

// entityCell names the vendor, and its contracting entity where that is called otherwise.
func entityCell(b *payment.Bill) opsview.Cell {
	cell := opsview.Cell{Text: b.VendorName}
	if b.EntityName != b.VendorName {
		cell.Note = b.EntityName
	}
	return cell
}

func (h *Handlers) repayButton(c *Ctx, b *payment.Bill) part.Button {
	return part.Button{ID: "repay-" + b.ID, Text: c.T("funds.repay"), Primary: b.InArrears(), Action: c.at(pathFunds + "/bills/" + b.ID + "/payment"), Hidden: fresh(),
		Dialog: &part.Dialog{Title: c.T("funds.repay_ask", "Cycle", string(b.Cycle)), Points: []string{c.T("funds.repay_point", "Amount", i18n.Money(b.Remaining(), b.Currency))},
			Fields: []part.Field{{Name: "amount", Label: c.T("funds.repay_amount", "Currency", b.Currency), Value: b.Remaining().String(), Numeric: true, Required: true}}, Confirm: c.T("funds.repay")}}
}

func (h *Handlers) repay(c *Ctx) error {
	if err := c.readForm(); err != nil {
		return err
	}
	amount, err := typedAmount(c.FormValue("amount"))
	if err == nil {
		err = h.once(c, func(ctx context.Context) (answer, error) {
			b, err := h.Payments.Repay(ctx, c.Scope, c.Param("id"), amount, c.onceKey())
			return answer{Location: c.withQuery(pathFunds+"/bills", "done", "repaid"), Body: map[string]any{"bill": b.ID, "state": string(b.State), "paid": b.Paid.String(), "remaining": b.Remaining().String(), "currency": b.Currency}}, err
		})
	}
	return c.refuse(err, func(status int, f *fault.Error) error { return h.billPaymentsPage(c, status, f) })
}

// fundAdjustments is 调账记录: what went to customers and came back.
func (h *Handlers) fundAdjustments(c *Ctx) error {
	p := h.fundsBoard(c, "/adjustments", "funds.adjustments")
	kind := part.FilterField{Name: "type", Label: c.T("ledger.col.type"), Value: c.QueryParam("type"), Options: []part.Option{{Label: c.T("ops.filter.any")}}}
	for _, t := range adjustTypes {
		kind.Options = append(kind.Options, part.Option{Value: string(t), Label: c.T(t.Label())})
	}
	p.Filter = &part.Filter{Action: c.at(pathFunds + "/adjustments"), Reset: c.at(pathFunds + "/adjustments"), Fields: append([]part.FilterField{kind}, dayFields(c)...)}
	if _, err := h.board(c, &p, "funds.adjustments"); err != nil {
		return err
	}
	return c.page(http.StatusOK, p.Page())
}

var adjustTypes = []ledger.Type{ledger.TypeAllocate, ledger.TypeReclaim, ledger.TypeUnbind}

func (h *Handlers) readFundAdjustments(c *Ctx) (*sheet, error) {
	names, err := h.fundNames(c)
	if err != nil {
		return nil, err
	}
	f, err := h.adjustFilter(c, names)
	if err != nil {
		return nil, err
	}
	s := &sheet{columns: []listColumn{{key: "at", title: c.T("ledger.col.at"), note: c.T("ledger.col.number"), class: "num-l"}, {key: "customer", title: c.T("customers.col.customer"), note: c.T("customers.col.code"), personal: true}, {key: "type", title: c.T("ledger.col.type")},
		{key: "amount", title: c.T("ledger.col.amount"), num: true, money: true, class: "m"}, {key: "memo", title: c.T("ledger.col.memo")}, {key: "by", title: c.T("ledger.col.by")}},
		empty: part.Empty{Title: c.T("funds.adjustments_empty"), Text: c.T("funds.adjustments_empty_text")}}
	if f.Type != "" {
		s.narrowed("type", c.T(f.Type.Label()))
	}
	s.narrowed("from", c.QueryParam("from"))
	s.narrowed("to", c.QueryParam("to"))
	s.narrowed("customer", names[f.CustomerID].Code)
	s.narrowed("partner", c.QueryParam("partner"))
	newest, err := h.Ledger.Adjustments(c.ctx(), c.Scope, f, ledger.AdjustAt{}, false, 1)
	if err != nil || len(newest) == 0 {
		return s, err
	}
	f.UpTo = newest[0].AdjustAt
	s.pin = adjustKey(f.UpTo)
	s.reached(f.UpTo.At)
	totals, err := h.Ledger.AdjustTotals(c.ctx(), c.Scope, f)
	for _, t := range totals {
		s.count += int64(t.Count)
		s.totals = s.totals.add(sum{t.Currency, t.Amount.Exact()})
	}
	s.pages = func(ctx context.Context, at listAt, size int) ([]sheetRow, bool, error) {
		var from ledger.AdjustAt
		if at.key != "" {
			var err error
			if from, err = adjustPlace(at.key); err != nil {
				return nil, false, err
			}
		}
		list, err := h.Ledger.Adjustments(ctx, c.Scope, f, from, at.back, size+1)
		more := len(list) > size
		if more {
			list = list[:size]
		}
		if at.back {
			slices.Reverse(list)
		}
		rows := make([]sheetRow, len(list))
		for i := range list {
			rows[i] = adjustRow(c, &list[i], names[list[i].CustomerID])
		}
		return rows, more, err
	}
	return s, err
}

// adjustFilter reads the address. Fault: not found for what does not exist.
func (h *Handlers) adjustFilter(c *Ctx, names map[string]customer.Party) (f ledger.AdjustFilter, err error) {
	if f.Type = ledger.Type(c.QueryParam("type")); f.Type != "" && !slices.Contains(adjustTypes, f.Type) {
		return f, notFound()
	}
	if f.From, f.Until, err = daySpan(c); err != nil {
		return f, err
	}
	partner, err := h.partnerShown(c)
	if err != nil {
		return f, err
	}
	f.PartnerID = partner.ID
	if f.CustomerID, err = customerOf(c, names); err != nil {
		return f, err
	}
	if text := c.QueryParam("until"); text != "" {
		f.UpTo, err = adjustPlace(text)
	}
	return f, err
}

func adjustRow(c *Ctx, a *ledger.Adjustment, who customer.Party) sheetRow {
	amount := a.Amount
	if a.Type != ledger.TypeAllocate {
		amount = -amount
	}
	name := c.personal(who.Name)
	name.Note = who.Code
	return sheetRow{key: adjustKey(a.AdjustAt), at: a.At, sums: sums{{a.Currency, amount.Exact()}}, about: who.Code,
		cells: []opsview.Cell{{Text: i18n.DateTime(a.At), Note: a.Number}, name, {Text: c.T(a.Type.Label())}, amountCell(amount, a.Currency), {Text: a.Memo}, {Text: c.by(a.Actor)}}}
}

// adjustKey writes a place in 调账记录, and adjustPlace reads it.
func adjustKey(at ledger.AdjustAt) string {
	return at.At.UTC().Format(time.RFC3339Nano) + " " + at.EntryID + " " + strconv.Itoa(at.Line)
}

func adjustPlace(key string) (ledger.AdjustAt, error) {
	parts := strings.Split(key, " ")
	if len(parts) != 3 || parts[1] == "" {
		return ledger.AdjustAt{}, notFound()
	}
	at, err := time.Parse(time.RFC3339Nano, parts[0])
	line, wrong := strconv.Atoi(parts[2])
	if err != nil || wrong != nil || line < 0 {
		return ledger.AdjustAt{}, notFound()
	}
	return ledger.AdjustAt{At: at, EntryID: parts[1], Line: line}, nil
}
