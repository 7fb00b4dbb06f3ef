package portal

import (
	"cmp"
	"net/http"
	"net/url"
	"strings"

	"huoban/internal/adjustment"
	"huoban/internal/bill"
	"huoban/internal/coupon"
	"huoban/internal/fault"
	"huoban/internal/i18n"
	"huoban/internal/money"
	"huoban/internal/sorted"
	"huoban/internal/usage"
	"huoban/web/templates/billview"
	"huoban/web/templates/part"
)

// figures are what a bill's page can be asked about, and which items they are the sum of.
var figures = map[string]func(doc *bill.Document) (money.Amount, func(it *bill.Item) bool){
	"consumption": ofKind(usage.KindConsumption, func(d *bill.Document) money.Amount { return d.Consumption }),
	"refund":      ofKind(usage.KindRefund, func(d *bill.Document) money.Amount { return d.Refund }),
	"adjustment":  ofKind(usage.KindAdjustment, func(d *bill.Document) money.Amount { return d.Adjustment }),
	"coupon":      ofKind(bill.KindCoupon, func(d *bill.Document) money.Amount { return d.Coupon }),
	"tax":         ofKind(usage.KindTax, func(d *bill.Document) money.Amount { return d.Tax }),
	"rounding": func(d *bill.Document) (money.Amount, func(*bill.Item) bool) {
		return d.Rounding, func(*bill.Item) bool { return false }
	},
	"due": func(d *bill.Document) (money.Amount, func(*bill.Item) bool) {
		return d.Due, func(it *bill.Item) bool { return it.Kind != usage.KindTax || d.TaxInDue }
	},
}

func ofKind(k usage.Kind, figure func(*bill.Document) money.Amount) func(*bill.Document) (money.Amount, func(*bill.Item) bool) {
	return func(d *bill.Document) (money.Amount, func(*bill.Item) bool) {
		return figure(d), func(it *bill.Item) bool { return it.Kind == k }
	}
}

// billExplain opens a computed figure to the items it is the sum of, each leading to its lines.
func (h *Handlers) billExplain(c *Ctx) error {
	name := c.QueryParam("figure")
	figure, ok := figures[name]
	if !ok {
		return fault.NotFound("request.no_page", nil)
	}
	return h.billPage(c, "overview", func(st *statement, d billview.Doc) error {
		doc := st.doc
		amount, takes := figure(doc)
		page := billview.Explain{Doc: d, Back: part.Link{Text: c.T("bills.explain.back"), Href: c.billLink("", doc)}, Unit: doc.Currency,
			Title: c.T("bills.figure." + name), Amount: i18n.Money8(amount, doc.Currency), Rule: c.T("bills.explain.rule_" + name)}
		var items []*bill.Item
		for i := range doc.Items {
			if takes(&doc.Items[i]) {
				items = append(items, &doc.Items[i])
			}
		}
		sorted.By(items, func(a, b *bill.Item) int { return cmp.Compare(size(b.Amount), size(a.Amount)) })
		for _, it := range items[:min(len(items), maxGroups)] {
			page.Rows = append(page.Rows, explainRow(c, doc, it))
		}
		if len(items) > maxGroups {
			rest := sumRow(doc, items[maxGroups:])
			rest.Name, rest.Href = c.T("bills.split.rest", "Count", int64(len(items)-maxGroups)), c.billLink("lines", doc)
			page.Rows = append(page.Rows, rest)
		}
		page.Total = sumRow(doc, items)
		page.Total.Name = c.T("bills.split.total")
		if name == "rounding" || name == "due" {
			page.Facts = []part.Item{
				{Label: c.T("bills.explain.total"), Text: i18n.Money8(doc.Total(), doc.Currency)},
				{Label: c.T("bills.figure.rounding"), Text: i18n.Money8(doc.Rounding, doc.Currency)},
				{Label: c.T("bills.figure.due"), Text: i18n.Money8(doc.Due, doc.Currency)},
			}
		}
		return c.page(http.StatusOK, page.Page())
	})
}

// maxGroups bounds the rows of an explanation; the largest come first and the rest is one row.
const maxGroups = 50

func size(a money.Amount) money.Amount { return max(a, -a) }

func sumRow(doc *bill.Document, items []*bill.Item) billview.Group {
	var total bill.Item
	for _, it := range items {
		total.LineCount += it.LineCount
		total.Amount += it.Amount
		total.BaseExact, total.Exact = total.BaseExact.Add(it.BaseExact), total.Exact.Add(it.Exact)
	}
	return billview.Group{Lines: i18n.Count(total.LineCount), Base: part.Money{Text: i18n.Exact(total.BaseExact)},
		Exact: i18n.Exact(total.Exact), Amount: part.Money{Text: i18n.Money8(total.Amount, doc.Currency)}}
}

func explainRow(c *Ctx, doc *bill.Document, it *bill.Item) billview.Group {
	name := it.Product
	if name == "" {
		name = c.T("bills.product.none")
	}
	row := billview.Group{Name: name + " · " + maskName(it.Customer.Name), Kind: c.T("bills.kind." + string(it.Kind)), Factor: it.Factor.String(),
		Rule: c.T("bills.why.no_rule"), Lines: i18n.Count(it.LineCount), Base: part.Money{Text: i18n.Exact(it.BaseExact)},
		Exact: i18n.Exact(it.Exact), Amount: part.PlainOf(it.Amount, doc.Currency)}
	if it.RuleNumber > 0 {
		row.Rule = "P-" + bill.RuleName(it.RuleNumber, it.RuleVersion) + " " + c.T("bills.price."+string(it.RuleType))
	}
	row.Href = c.billLink("lines", doc, "customer", it.Customer.Code, "product", it.Product, "kind", string(it.Kind), "mode", string(it.Mode), "region", it.Region)
	if it.Coupon != nil {
		row.Rule = c.T("bills.explain.voucher", "Name", coupon.Name(it.Coupon.Number))
	}
	if it.Adjusts != nil {
		row.Href = c.billLink("adjustments", doc)
		row.Name = c.T("bills.adjusts."+it.Adjusts.Kind) + " · " + maskName(it.Customer.Name)
	}
	return row
}

// billAdjustments lists what corrects earlier cycles or was entered by staff.
func (h *Handlers) billAdjustments(c *Ctx) error {
	return h.billPage(c, "adjustments", func(_ *statement, d billview.Doc) error { return h.billList(c, d, "bill.adjustments") })
}

func adjustmentReason(c *Ctx, a *bill.Adjusts) string {
	if a.Kind == string(adjustment.KindStaff) {
		return a.Reason
	}
	return c.T("bills.adjusts.reason_"+a.Kind, "Cycle", string(a.CorrectsCycle))
}

// lateHeader sends the headers of a file with its first byte, so that a refusal can still be a page.
type lateHeader struct {
	http.ResponseWriter
	name, media string
	begun       bool
}

func (w *lateHeader) Write(b []byte) (int, error) {
	if !w.begun {
		w.begun = true
		w.Header().Set("Content-Type", w.media)
		w.Header().Set("Content-Disposition", `attachment; filename="`+asciiName(w.name)+`"; filename*=UTF-8''`+url.PathEscape(w.name))
		w.WriteHeader(http.StatusOK)
	}
	return w.ResponseWriter.Write(b)
}

func asciiName(s string) string {
	return strings.Map(func(r rune) rune {
		if r < 0x20 || r > 0x7e || strings.ContainsRune(`"\/`, r) {
			return '_'
		}
		return r
	}, s)
}
