package portal

import (
	"context"
	"net/http"
	"slices"
	"strings"

	"huoban/internal/bill"
	"huoban/internal/cycle"
	"huoban/internal/i18n"
	"huoban/internal/money"
	"huoban/internal/monthclose"
	"huoban/internal/scope"
	"huoban/internal/usage"
	"huoban/web/templates/billview"
	"huoban/web/templates/part"
)

// BillList lists kept bills in scope, without items.
type BillList interface {
	List(ctx context.Context, sc scope.Scope, f bill.Filter) ([]bill.Document, error)
}

// sameBill tells whether two documents are the same bill of different cycles.
func sameBill(a, b *bill.Document) bool {
	return a.Vendor.ID == b.Vendor.ID && a.Partner.ID == b.Partner.ID && a.Currency == b.Currency && a.Entity.ID == b.Entity.ID
}

// billAt is the same bill in another cycle; nil where there is none.
func (h *Handlers) billAt(c *Ctx, doc *bill.Document, at cycle.Cycle) (*bill.Document, error) {
	docs, err := h.Closes.Estimate(c.ctx(), c.Scope, doc.Vendor.ID, at)
	if err != nil {
		return nil, err
	}
	if i := slices.IndexFunc(docs, func(d bill.Document) bool { return sameBill(&d, doc) }); i >= 0 {
		return &docs[i], nil
	}
	return nil, nil
}

// contributors is how many a reason names.
const contributors = 3

func (h *Handlers) billChange(c *Ctx, doc *bill.Document) (*part.Change, error) {
	old, err := h.billAt(c, doc, doc.Cycle.Prev())
	if err != nil {
		return nil, err
	}
	var before money.Amount
	stage := c.T("billchange.no_bill")
	if old != nil {
		before, stage = old.Due, c.T("bills.stage."+string(stageOf(old)))
	}
	diff := doc.Due - before
	key := "billchange.title.more"
	shown := diff
	switch {
	case diff < 0:
		key, shown = "billchange.title.less", -diff
	case diff == 0:
		key = "billchange.title.equal"
	}
	out := &part.Change{Total: part.SignedOf(diff, doc.Currency),
		Title: c.T(key, "Cycle", string(doc.Cycle.Prev()), "Stage", stage, "Amount", i18n.Money(shown, doc.Currency))}
	for _, r := range bill.Change(old, doc) {
		row := part.Reason{Name: reasonName(c, &r), From: contributorText(c, &r, doc.Currency), Amount: signed(r.Amount, doc.Currency)}
		row.Amount.Href = c.reasonLink(&r, old, doc)
		out.Rows = append(out.Rows, row)
	}
	return out, nil
}

// signed shows a difference; the amounts of two bills and so their parts have eight decimals.
func signed(x money.Exact, currency string) part.Money {
	a, err := x.Amount()
	if err != nil {
		return part.Money{Text: i18n.ExactMoney(x, currency)}
	}
	return part.SignedOf(a, currency)
}

func reasonName(c *Ctx, r *bill.Reason) string {
	name := c.T("billchange.reason." + string(r.Kind))
	if len(r.Of) == 0 {
		return name
	}
	var of []string
	for _, k := range r.Of {
		of = append(of, c.T("billchange.reason."+string(k)))
	}
	return c.T("billchange.folded", "Name", name, "Of", join(of, c.T("portal.list.comma")))
}

// contributorText names the largest contributors, and how many more there are.
func contributorText(c *Ctx, r *bill.Reason, currency string) string {
	if r.Kind == bill.ReasonRounding {
		return c.T("billchange.rounding_note")
	}
	var names []string
	for i, p := range r.From {
		if i == contributors {
			names = append(names, c.T("billchange.more", "Count", int64(len(r.From)-contributors)))
			break
		}
		name := c.T("billchange.no_customer")
		if p.Customer.Name != "" {
			name = maskName(p.Customer.Name)
		}
		if p.Product != "" {
			name += " " + p.Product
		}
		names = append(names, name+" "+signed(p.Amount, currency).Text)
	}
	return strings.Join(names, c.T("portal.list.comma"))
}

// reasonLink leads to the rows of a reason: to those of one contributor where there is only one.
func (c *Ctx) reasonLink(r *bill.Reason, old, doc *bill.Document) string {
	kinds := map[bill.ReasonKind]usage.Kind{bill.ReasonRefunds: usage.KindRefund, bill.ReasonAdjustments: usage.KindAdjustment, bill.ReasonTax: usage.KindTax}
	var customer string
	if len(r.From) == 1 {
		customer = r.From[0].Customer.Code
	}
	switch r.Kind {
	case bill.ReasonNewCustomers, bill.ReasonLostCustomers:
		if r.Kind == bill.ReasonLostCustomers {
			doc = old
		}
		if customer != "" {
			return c.billLink("lines", doc, "customer", customer)
		}
		return c.billLink("customers", doc)
	case bill.ReasonUsage, bill.ReasonPrice:
		if customer != "" && hasCustomer(doc, customer) {
			return c.billLink("lines", doc, "customer", customer, "product", r.From[0].Product)
		}
		if r.Kind == bill.ReasonPrice && c.Scope.Has(scope.ItemBillExplain) {
			return c.billLink("explanation", doc, "figure", "consumption")
		}
		return c.billLink("products", doc)
	case bill.ReasonRefunds, bill.ReasonAdjustments, bill.ReasonTax:
		if hasKind(doc, kinds[r.Kind]) || old == nil {
			return c.billLink("lines", doc, "kind", string(kinds[r.Kind]))
		}
		return c.billLink("lines", old, "kind", string(kinds[r.Kind]))
	case bill.ReasonRounding:
		if c.Scope.Has(scope.ItemBillExplain) {
			return c.billLink("explanation", doc, "figure", "rounding")
		}
	}
	return c.billLink("products", doc)
}

func hasCustomer(d *bill.Document, code string) bool {
	return slices.ContainsFunc(d.Items, func(it bill.Item) bool { return it.Customer.Code == code })
}

func hasKind(d *bill.Document, k usage.Kind) bool {
	return slices.ContainsFunc(d.Items, func(it bill.Item) bool { return it.Kind == k })
}

// historyCycles is how many cycles the history shows.
const historyCycles = 18

// historyPoint is one cycle of the history; doc is nil where there was no bill.
type historyPoint struct {
	cycle cycle.Cycle
	doc   *bill.Document
}

// history is the same bill in the last cycles up to the newest one, or up to the bill's own where
// that lies further back; cycles before the first bill are left out.
func (h *Handlers) history(c *Ctx, doc *bill.Document) ([]historyPoint, error) {
	known, err := h.knownCycles(c)
	if err != nil {
		return nil, err
	}
	kept, err := h.BillList.List(c.ctx(), c.Scope, bill.Filter{VendorID: doc.Vendor.ID, PartnerID: doc.Partner.ID, Currency: doc.Currency, EntityID: doc.Entity.ID})
	if err != nil {
		return nil, err
	}
	byCycle := map[cycle.Cycle]*bill.Document{doc.Cycle: doc}
	for i := range kept {
		byCycle[kept[i].Cycle] = &kept[i]
	}
	last := doc.Cycle
	for _, k := range known {
		if k.VendorID == doc.Vendor.ID {
			last = max(last, k.Cycle)
		}
	}
	if last.Add(1-historyCycles) > doc.Cycle {
		last = doc.Cycle
	}
	for _, k := range known {
		inside := k.VendorID == doc.Vendor.ID && k.Cycle > last.Add(-historyCycles) && k.Cycle <= last
		if !inside || byCycle[k.Cycle] != nil || k.State.Stage() != monthclose.StageEstimate {
			continue
		}
		if byCycle[k.Cycle], err = h.billAt(c, doc, k.Cycle); err != nil {
			return nil, err
		}
	}
	var out []historyPoint
	for at := last.Add(1 - historyCycles); at <= last; at = at.Next() {
		if d := byCycle[at]; d != nil || len(out) > 0 {
			out = append(out, historyPoint{at, d})
		}
	}
	for len(out) > 0 && out[len(out)-1].doc == nil {
		out = out[:len(out)-1]
	}
	return out, nil
}

// historyChart draws the amounts due, estimates outlined.
func historyChart(c *Ctx, doc *bill.Document, points []historyPoint) *part.Chart {
	chart := &part.Chart{ID: "history", Kind: part.ChartBars, Title: c.T("billchange.history.label"), Head: c.T("part.cycle.name"),
		Note: c.T("billchange.history.note"), All: &part.Link{Text: c.T("billchange.history.all"), Href: c.billLink("history", doc)}}
	due := part.Series{Name: c.T("billchange.history.label")}
	for _, p := range points {
		chart.Names, chart.Short = append(chart.Names, string(p.cycle)), append(chart.Short, string(p.cycle)[2:])
		if p.doc == nil {
			due.Points = append(due.Points, part.Point{Missing: true})
			continue
		}
		stage := stageOf(p.doc)
		x := part.Point{Size: float64(p.doc.Due) / 1e8, Text: i18n.Money(p.doc.Due, doc.Currency) + " " + c.T("bills.stage."+string(stage)),
			Href: c.billLink("", p.doc), On: p.cycle == doc.Cycle, Guess: stage == monthclose.StageEstimate}
		if x.On {
			x.Label = i18n.Brief(c.ctx(), x.Size)
		}
		due.Points = append(due.Points, x)
	}
	chart.Series = []part.Series{due}
	return chart
}

// billHistory is the history as a table, the newest first.
func (h *Handlers) billHistory(c *Ctx) error {
	return h.billPage(c, "history", func(_ *statement, d billview.Doc) error {
		return h.billList(c, d, "bill.history")
	})
}

// billList is a page of a bill that is one list.
func (h *Handlers) billList(c *Ctx, d billview.Doc, kind string) error {
	g, _, err := h.grid(c, kind)
	if err != nil {
		return err
	}
	g.Caption = c.T("exports.kind." + kind)
	return c.page(http.StatusOK, billview.List{Doc: d, Grid: g}.Page())
}
