package portal

import (
	"encoding/json"
	"math"
	"slices"
	"strconv"
	"strings"
	"time"

	"huoban/internal/adjustment"
	"huoban/internal/bill"
	"huoban/internal/delivery"
	"huoban/internal/fault"
	"huoban/internal/foureyes"
	"huoban/internal/i18n"
	"huoban/internal/monthclose"
	"huoban/internal/organisation"
	"huoban/internal/scope"
	"huoban/internal/sorted"
	"huoban/internal/usage"
	"huoban/web/templates/opsview"
	"huoban/web/templates/part"
)

// readAdjustments lists a vendor's adjustments: those that wait for a decision first, then the newest
// cycle first.
func (h *Handlers) readAdjustments(c *Ctx) (*sheet, error) {
	f := adjustment.Filter{VendorID: c.Org.ID, State: adjustment.State(c.QueryParam("state"))}
	if f.State != "" && !slices.Contains(adjustment.Flow.States(), f.State) {
		return nil, notFound()
	}
	all, err := h.Adjustments.List(c.ctx(), c.Scope, f)
	if err != nil {
		return nil, err
	}
	orgs, err := h.Deliveries.Store.Orgs(c.ctx())
	if err != nil {
		return nil, err
	}
	sorted.By(all, func(a, b adjustment.Adjustment) int {
		if x, y := a.State == adjustment.StateProposed, b.State == adjustment.StateProposed; x != y {
			if x {
				return -1
			}
			return 1
		}
		return strings.Compare(string(b.Cycle), string(a.Cycle))
	})
	s := &sheet{columns: []listColumn{{key: "number", title: c.T("ops.adjustment.number"), note: c.T("bill.column.kind")}, {key: "cycle", title: c.T("ops.adjustment.cycle")},
		{key: "partner", title: c.T("ops.adjustment.partner")}, {key: "customer", title: c.T("ops.adjustment.customer"), note: c.T("bill.column.customer"), personal: true},
		{key: "reason", title: c.T("ops.reason")}, {key: "by", title: c.T("ops.fact.by")},
		{key: "amount", title: c.T("ops.adjustment.amount"), num: true, money: true, class: "m"}, {key: "state", title: c.T("opsview.col.state")}},
		empty: part.Empty{Title: c.T("ops.adjustment.empty"), Text: c.T("ops.adjustment.empty_text")}}
	if f.State != "" {
		s.narrowed("state", c.T("adjustment.state."+string(f.State)))
	}
	limits, err := h.FourEyes.Of(c.ctx(), c.Org.ID)
	if err != nil {
		return nil, err
	}
	for i := range all {
		s.add(h.adjustmentRow(c, &all[i], orgs, limits))
	}
	return s, nil
}

func (h *Handlers) adjustmentRow(c *Ctx, a *adjustment.Adjustment, orgs map[string]organisation.Organisation, limits foureyes.Limits) sheetRow {
	number, kind, reason, by := "A"+short(a.ID), c.T("adjustment.kind."+string(a.Kind)), a.Reason, a.CreatedBy
	if a.Kind != adjustment.KindStaff {
		kind, reason = kind+" "+c.T("adjustment.side."+string(sideOf(a))), a.Key
	}
	if a.ApprovedBy != "" {
		by += " → " + a.ApprovedBy
	}
	customer := c.personal(orgs[a.CustomerID].Name)
	if customer.Note = orgs[a.CustomerID].Code; a.CustomerID == "" && a.PartnerID == "" {
		customer.Text = c.T("ops.customer.unmapped")
	}
	state := opsview.Cell{Status: c.explained("adjustment", a.ID, string(a.State), adjustmentTone[a.State])}
	if a.State == adjustment.StateProposed {
		for _, b := range adjustment.Flow.Allowed(a.State, adjustment.FactsOf(a, limits), c.Scope, h.Clock.Now()) {
			button := actionButton(c, b, c.at("/adjustments/"+a.ID+"/"+b.Noun), number, a.Version)
			button.ID += "-" + a.ID
			state.Buttons = append(state.Buttons, button)
		}
	}
	worth := sums{{a.Currency, a.Base}}
	changed := a.CreatedAt
	if a.ApprovedAt.After(changed) {
		changed = a.ApprovedAt
	}
	return sheetRow{key: a.ID, at: changed, mark: marks(string(a.State), worth.mark(), a.PartnerID, a.CustomerID), sums: worth, cells: []opsview.Cell{{Text: number, Note: kind, Mono: true},
		{Text: c.T("ops.adjustment.into", "Corrects", string(a.Corrects), "Cycle", string(a.Cycle))}, {Text: orgs[a.PartnerID].Name}, customer,
		{Text: reason}, {Text: by}, moneyCell(worth), state}}
}

// readDeliveries lists what was delivered, newest first, of one source if the address names it.
func (h *Handlers) readDeliveries(c *Ctx) (*sheet, error) {
	name := c.QueryParam("source")
	all, err := h.Deliveries.List(c.ctx(), c.Scope, name, math.MaxInt32)
	if err != nil {
		return nil, err
	}
	s := &sheet{columns: []listColumn{{key: "number", title: c.T("opsview.col.delivery")}, {key: "source", title: c.T("opsview.col.source"), note: c.T("list.format")},
		{key: "cycles", title: c.T("opsview.col.cycles")}, {key: "rows", title: c.T("opsview.col.rows"), num: true},
		{key: "sum", title: c.T("opsview.col.sum"), num: true, money: true}, {key: "bad", title: c.T("opsview.col.bad"), num: true},
		{key: "at", title: c.T("opsview.col.at"), class: "num-l"}, {key: "state", title: c.T("opsview.col.state"), class: "m"}},
		empty: part.Empty{Title: c.T("ops.deliveries.empty"), Text: c.T("ops.deliveries.empty_text")}}
	s.narrowed("source", name)
	for i := range all {
		row, err := h.deliveryRow(c, &all[i])
		if err != nil {
			return nil, err
		}
		s.add(row)
	}
	return s, nil
}

func (h *Handlers) deliveryRow(c *Ctx, d *delivery.Delivery) (sheetRow, error) {
	changes, err := h.Deliveries.Store.Changes(c.ctx(), d.ID)
	if err != nil {
		return sheetRow{}, err
	}
	var cycles []string
	var worth sums
	for i := range changes {
		x := &changes[i]
		if !slices.Contains(cycles, string(x.Cycle)) {
			cycles = append(cycles, string(x.Cycle))
		}
		worth = worth.add(sum{x.Currency, x.Total})
	}
	state := deliveryStatus(c, d)
	return sheetRow{key: d.ID, at: d.ReceivedAt, mark: marks(string(d.State), worth.mark(), strconv.FormatInt(d.LineCount, 10), strconv.FormatInt(d.Quarantined, 10)), sums: worth,
		cells: []opsview.Cell{{Text: deliveryName(d), Href: c.deliveryLink(d, ""), Mono: true}, {Text: d.Source, Note: formatOf(d.Dialect, d.Format)},
			{Text: join(cycles, c.T("portal.list.comma"))}, countCell(d.LineCount), moneyCell(worth), countCell(d.Quarantined),
			{Text: i18n.DateTime(d.ReceivedAt)}, {Status: &state}}}, nil
}

// readQuarantine lists the rows of a delivery that could not be read: the open ones, or those of another
// state.
func (h *Handlers) readQuarantine(c *Ctx) (*sheet, error) {
	d, err := h.Deliveries.Find(c.ctx(), c.Scope, c.deliveryRef())
	if err != nil {
		return nil, err
	}
	state := c.QueryParam("state")
	if !slices.Contains(quarantineStates, state) {
		return nil, notFound()
	}
	rows, err := h.badRows(c, d.ID, state)
	if err != nil {
		return nil, err
	}
	s := &sheet{columns: []listColumn{{key: "place", title: c.T("ops.changes.place")}, {key: "column", title: c.T("ops.rules.column")}, {key: "value", title: c.T("ops.quarantine.value")},
		{key: "reason", title: c.T("ops.reason"), note: c.T("ops.quarantine.cure")}, {key: "state", title: c.T("opsview.col.state")}, {key: "by", title: c.T("ops.fact.by")}},
		empty: part.Empty{Title: c.T("ops.quarantine.empty"), Text: c.T("ops.quarantine.empty_text")}}
	if state != "" {
		s.narrowed("state", c.T("ops.quarantine.state."+state))
	}
	s.reached(d.ReceivedAt)
	for i := range rows {
		r := &rows[i]
		f := fault.Invalid(r.Code, r.Args)
		s.add(sheetRow{key: r.ID, mark: marks(r.State, r.Value), cells: []opsview.Cell{{Text: r.File + ":" + strconv.FormatInt(r.LineNo, 10), Mono: true}, {Text: r.Column, Mono: true},
			{Text: r.Value, Mono: true}, {Text: i18n.FaultText(c.ctx(), f), Note: cureText(c, f)}, {Text: c.T("ops.quarantine.state." + r.State), Note: r.Reason}, {Text: r.DecidedBy}}})
	}
	return s, nil
}

var quarantineStates = []string{"", delivery.QuarantineOpen, delivery.QuarantineCorrected, delivery.QuarantineDropped}

// readCloses lists the vendor's cycles, the newest first.
func (h *Handlers) readCloses(c *Ctx) (*sheet, error) {
	known, err := h.knownCycles(c)
	if err != nil {
		return nil, err
	}
	sorted.By(known, func(a, b monthclose.Known) int { return strings.Compare(string(b.Cycle), string(a.Cycle)) })
	s := &sheet{columns: []listColumn{{key: "cycle", title: c.T("opsview.closes.cycle")}, {key: "state", title: c.T("opsview.col.state")}, {key: "due", title: c.T("opsview.closes.due"), class: "num-l"},
		{key: "note", title: c.T("opsview.closes.note"), class: "hb-2"}, {key: "amount", title: c.T("opsview.draft.due"), num: true, money: true, class: "m"}},
		empty: part.Empty{Title: c.T("ops.closes.empty"), Text: c.T("ops.closes.empty_text")}}
	now := h.Clock.Now()
	for _, k := range known {
		note, err := h.closeNote(c, k, now)
		if err != nil {
			return nil, err
		}
		worth, err := h.closeSums(c, k)
		if err != nil {
			return nil, err
		}
		state := closeStatus(c, "close-"+string(k.Cycle), k.State, k.Cycle)
		s.add(sheetRow{key: string(k.Cycle), mark: marks(string(k.State), worth.mark()), sums: worth, cells: []opsview.Cell{{Text: string(k.Cycle), Href: c.at("/closes/" + string(k.Cycle))},
			{Status: &state}, {Text: i18n.DateTime(k.Cycle.BillReady())}, {Text: note}, moneyCell(worth)}})
	}
	return s, nil
}

// readCloseBills lists the bills of one cycle of the close; its totals are of those the vendor sells itself,
// because what a distributor sells on stands in its own bill already.
func (h *Handlers) readCloseBills(c *Ctx) (*sheet, error) {
	cy, err := c.closeCycle()
	if err != nil {
		return nil, err
	}
	if err := c.Scope.Require(scope.ItemBillView); err != nil {
		return nil, err
	}
	ex, _, err := h.closeStatus(c, cy)
	if err != nil {
		return nil, err
	}
	return closeBillSheet(c, ex.Documents), nil
}

func closeBillSheet(c *Ctx, docs []bill.Document) *sheet {
	s := &sheet{columns: []listColumn{{key: "partner", title: c.T("opsview.draft.partner")}, {key: "currency", title: c.T("opsview.draft.currency")},
		{key: "consumption", title: c.T("opsview.draft.consumption"), num: true}, {key: "refund", title: c.T("opsview.draft.refund"), num: true},
		{key: "adjustment", title: c.T("opsview.draft.adjustment"), num: true}, {key: "rounding", title: c.T("opsview.draft.rounding"), num: true},
		{key: "due", title: c.T("opsview.draft.due"), num: true, money: true, class: "m"}},
		empty: part.Empty{Title: c.T("backoffice.simulation.no_bills"), Text: c.T("backoffice.simulation.no_bills_text")}}
	for i := range docs {
		d := &docs[i]
		name, worth := d.Partner.Name, sums{}
		if d.Seller.ID != d.Vendor.ID {
			name = c.T("ops.draft.resold", "Partner", d.Partner.Name, "Seller", d.Seller.Name)
		} else {
			worth = sums{{d.Currency, d.Due.Exact()}}
		}
		due := moneyCell(sums{{d.Currency, d.Due.Exact()}})
		s.add(sheetRow{key: billKeyOf(d), at: madeAt(d), mark: d.Code, sums: worth, cells: []opsview.Cell{{Text: name, Href: c.billLink("", d)}, {Text: d.Currency},
			plainCell(d.Consumption, d.Currency), plainCell(d.Refund, d.Currency), plainCell(d.Adjustment, d.Currency), {Text: i18n.Exact(d.Rounding.Exact()), Raw: d.Rounding.String()}, due}})
	}
	return s
}

// changePlace is a differing row in the order of the list.
func changePlace(l *usage.Stored) string {
	b, err := json.Marshal(changeRef{l.CustomerID, l.ChargeStart.UTC().Format(usage.StartText), l.Key[:], l.Occurrence})
	if err != nil {
		return ""
	}
	return string(b)
}

func parseChangePlace(text string) (*usage.Stored, error) {
	if text == "" {
		return nil, nil
	}
	var r changeRef
	if err := json.Unmarshal([]byte(text), &r); err != nil || len(r.Key) != len(usage.Hash{}) {
		return nil, notFound()
	}
	at, err := time.Parse(usage.StartText, r.Start)
	if err != nil {
		return nil, notFound()
	}
	l := &usage.Stored{CustomerID: r.Customer}
	l.ChargeStart, l.Occurrence = at, r.Occur
	copy(l.Key[:], r.Key)
	return l, nil
}

// changeRef is the place of a differing row.
type changeRef struct {
	Customer string `json:"c"`
	Start    string `json:"t"`
	Key      []byte `json:"k"`
	Occur    int64  `json:"o"`
}
