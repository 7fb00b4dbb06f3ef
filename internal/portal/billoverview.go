package portal

import (
	"net/http"

	"huoban/internal/bill"
	"huoban/internal/billexport"
	"huoban/internal/i18n"
	"huoban/internal/money"
	"huoban/internal/scope"
	"huoban/internal/sorted"
	"huoban/internal/usage"
	"huoban/web/templates/billview"
	"huoban/web/templates/part"
)

func (h *Handlers) billOverview(c *Ctx) error {
	return h.billPage(c, "overview", func(st *statement, d billview.Doc) error {
		page := overviewProps(c, st.doc, d)
		var err error
		if page.Change, err = h.billChange(c, st.doc); err != nil {
			return err
		}
		points, err := h.history(c, st.doc)
		if err != nil {
			return err
		}
		page.History = historyChart(c, st.doc, points)
		return c.page(http.StatusOK, page.Page())
	})
}

func overviewProps(c *Ctx, doc *bill.Document, d billview.Doc) billview.Overview {
	products, customers := splitOf(c, doc, bill.ByProduct, 7), splitOf(c, doc, bill.ByCustomer, 7)
	products.All, customers.All = c.billLink("products", doc), c.billLink("customers", doc)
	return billview.Overview{Doc: d, Equation: equationOf(c, doc), Seal: sealOf(doc), Export: exportOf(c, doc, billexport.KindBill, nil), Facts: factsOf(c, doc),
		Products: &products, Customers: &customers}
}

func sealOf(doc *bill.Document) *part.Seal {
	return &part.Seal{Total: i18n.Money8(doc.Due, doc.Currency), Code: doc.Code}
}

// equationOf writes consumption + refund + adjustment + rounding = due with all eight decimals.
func equationOf(c *Ctx, doc *bill.Document) part.Equation {
	kinds := map[usage.Kind]int64{}
	for i := range doc.Items {
		kinds[doc.Items[i].Kind] += doc.Items[i].LineCount
	}
	term := func(key string, a money.Amount, lines ...part.Link) part.Term {
		head, tail := i18n.MoneyParts(a, doc.Currency)
		return part.Term{Label: c.T("bills.figure." + key), Head: head, Tail: tail, Why: c.billLink("explanation", doc, "figure", key), Lines: lines}
	}
	lines := func(k usage.Kind) part.Link {
		return part.Link{Text: c.T("bills.lines_of", "Count", kinds[k]), Href: c.billLink("lines", doc, "kind", string(k))}
	}
	eq := part.Equation{ID: "equation", Title: c.T("bills.equation.title"), Terms: []part.Term{
		term("consumption", doc.Consumption, lines(usage.KindConsumption)),
		term("refund", doc.Refund, lines(usage.KindRefund)),
		term("adjustment", doc.Adjustment, lines(usage.KindAdjustment)),
	}}
	if doc.Coupon != 0 {
		eq.Terms = append(eq.Terms, term("coupon", doc.Coupon))
	}
	if doc.TaxInDue {
		eq.Terms = append(eq.Terms, term("tax", doc.Tax, lines(usage.KindTax)))
	}
	eq.Terms = append(eq.Terms, term("rounding", doc.Rounding, part.Link{Text: c.T("bills.rounding.once")}))
	stage := string(stageOf(doc))
	eq.Sum = part.Sum{Label: c.T("bills.figure.due"), Amount: i18n.Money(doc.Due, doc.Currency), Why: c.billLink("explanation", doc, "figure", "due"),
		Status: &part.Status{ID: "stage", Text: c.T("bills.stage." + stage), Tone: stageTone[stageOf(doc)],
			Meaning: c.T("bills.stage_meaning." + stage), Next: c.T("bills.stage_next." + stage), Due: i18n.Moment(c.ctx(), doc.Cycle.BillReady())}}
	if doc.Floored {
		eq.Sum.Lines = append(eq.Sum.Lines, part.Link{Text: c.T("bills.floored", "Total", i18n.Money(doc.Total(), doc.Currency))})
	}
	if !doc.TaxInDue && doc.Tax != 0 {
		eq.Sum.Lines = append(eq.Sum.Lines, part.Link{Text: c.T("bills.tax_apart", "Tax", i18n.Money(doc.Tax, doc.Currency)), Href: c.billLink("lines", doc, "kind", string(usage.KindTax))})
	}
	return eq
}

func factsOf(c *Ctx, doc *bill.Document) []part.Item {
	items := []part.Item{
		{Label: c.T("bills.fact.lines"), Text: i18n.Count(doc.LineCount), Href: c.billLink("lines", doc)},
		{Label: c.T("bills.fact.source"), Text: i18n.ExactMoney(doc.SourceTotal, doc.Currency)},
		{Label: c.T("bills.fact.exact"), Text: i18n.ExactMoney(doc.ExactTotal, doc.Currency)},
		{Label: c.T("bills.fact.residue"), Text: i18n.Exact(doc.Residue())},
		{Label: c.T("bills.fact.tax"), Text: i18n.ExactMoney(doc.TaxExact, doc.Currency)},
		{Label: c.T("bills.fact.entity"), Text: doc.Entity.Name},
		{Label: c.T("bills.fact.seller"), Text: doc.Seller.Name},
		{Label: c.T("bills.fact.partner"), Text: doc.Partner.Name},
	}
	return items
}

// groupName is what a row of a split is called.
func groupName(c *Ctx, by bill.By, g *bill.Group) string {
	if by == bill.ByCustomer {
		if g.Customer.Name == "" || c.open {
			if c.open {
				c.saw(g.Customer.Code)
			}
			return g.Customer.Name
		}
		return maskName(g.Customer.Name) + " · " + g.Customer.Code
	}
	name := g.Product
	if name == "" {
		name = c.T("bills.product.none")
	}
	return name
}

// splitOf splits the bill by product (regions and modes together) or customer, the largest first;
// most > 0 folds the rest into one row.
func splitOf(c *Ctx, doc *bill.Document, by bill.By, most int) billview.Split {
	groups := doc.Groups(by)
	if by == bill.ByProduct {
		groups = mergeProducts(groups)
	}
	sorted.By(groups, func(a, b bill.Group) int {
		switch {
		case a.Amount > b.Amount:
			return -1
		case a.Amount < b.Amount:
			return 1
		}
		return 0
	})
	s := billview.Split{Title: c.T("bills.tab." + splitTab[by]), Note: c.T("bills.split.note"), Name: c.T("bills.split." + string(by))}
	var total, rest bill.Group
	for i := range groups {
		total.Merge(&groups[i])
	}
	largest := money.Amount(1)
	if len(groups) > 0 {
		largest = max(largest, groups[0].Amount)
	}
	for i := range groups {
		if most > 0 && i >= most && len(groups) > most+1 {
			rest.Merge(&groups[i])
			continue
		}
		row := splitRow(c, doc, &groups[i], total.Amount, largest)
		row.Name = groupName(c, by, &groups[i])
		name, value := "customer", groups[i].Customer.Code
		if by == bill.ByProduct {
			name, value = "product", groups[i].Product
		}
		opens(c, doc, &row, name, value)
		s.Rows = append(s.Rows, row)
	}
	if most > 0 && len(groups) > most+1 {
		row := splitRow(c, doc, &rest, total.Amount, largest)
		row.Name = c.T("bills.split.rest", "Count", int64(len(groups)-most))
		s.Rows = append(s.Rows, row)
	}
	s.Total = splitRow(c, doc, &total, total.Amount, largest)
	s.Total.Name = c.T("bills.split.total")
	return s
}

// opens lets every figure of a row lead to the lines it is the sum of, where each opens to its reason.
func opens(c *Ctx, doc *bill.Document, row *billview.SplitRow, name, value string) {
	lines := func(kind usage.Kind) string {
		if value == "" { // staff adjustments have no product
			return c.billLink("adjustments", doc)
		}
		return c.billLink("lines", doc, name, value, "kind", string(kind))
	}
	row.Href = lines("")
	row.Amount = row.Amount.At(row.Href)
	row.Consumption = row.Consumption.At(lines(usage.KindConsumption))
	row.Refund = row.Refund.At(lines(usage.KindRefund))
	row.Adjustment = row.Adjustment.At(lines(usage.KindAdjustment))
}

var splitTab = map[bill.By]string{bill.ByProduct: "products", bill.ByCustomer: "customers"}

func splitRow(c *Ctx, doc *bill.Document, g *bill.Group, whole, largest money.Amount) billview.SplitRow {
	m := func(a money.Amount) part.Money { return part.MoneyOf(a, doc.Currency) }
	row := billview.SplitRow{Lines: i18n.Count(g.LineCount), Consumption: m(g.Consumption), Refund: m(g.Refund), Adjustment: m(g.Adjustment), Amount: m(g.Amount)}
	row.Share = part.Share{Percent: i18n.Percent(g.Amount, whole)}
	if g.Amount > 0 {
		row.Share.Width = int(float64(g.Amount) / float64(largest) * 100)
	}
	return row
}

// mergeProducts puts regions and modes of a product together.
func mergeProducts(groups []bill.Group) []bill.Group {
	at := map[string]int{}
	var out []bill.Group
	for i := range groups {
		n, ok := at[groups[i].Product]
		if !ok {
			n = len(out)
			at[groups[i].Product] = n
			out = append(out, bill.Group{Product: groups[i].Product})
		}
		out[n].Merge(&groups[i])
	}
	return out
}

var splitExport = map[bill.By]string{bill.ByProduct: billexport.KindProducts, bill.ByCustomer: billexport.KindCustomers}

func (h *Handlers) billProducts(c *Ctx) error { return h.billSplit(c, "products", bill.ByProduct) }

func (h *Handlers) billCustomers(c *Ctx) error { return h.billSplit(c, "customers", bill.ByCustomer) }

// billCustomersRevealed shows the customers' names in clear, once, and writes down that it did.
func (h *Handlers) billCustomersRevealed(c *Ctx) error {
	if err := h.reveal(c, "bill.customers", "customer"); err != nil {
		return err
	}
	c.open = true
	return h.billCustomers(c)
}

func (h *Handlers) billSplit(c *Ctx, tab string, by bill.By) error {
	return h.billPage(c, tab, func(st *statement, d billview.Doc) error {
		page := billview.By{Doc: d, Split: splitOf(c, st.doc, by, 0), Seal: sealOf(st.doc),
			Tool: part.Tool{Export: exportOf(c, st.doc, splitExport[by], nil)}}
		if by == bill.ByCustomer && c.Scope.Has(scope.ItemRevealMasked) {
			page.Split.Eye = &part.Eye{Action: c.billLink("customers", st.doc), Open: c.open, Name: page.Split.Name}
		}
		page.Tool.Count = c.T("bills.split.count_"+string(by), "Count", int64(len(page.Split.Rows)))
		if len(page.Split.Rows) == 0 {
			page.Empty = &part.Empty{Title: c.T("bills.lines.empty"), Text: c.T("bills.lines.empty_text")}
		}
		return c.page(http.StatusOK, page.Page())
	})
}
