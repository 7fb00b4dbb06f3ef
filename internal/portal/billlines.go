package portal

import (
	"context"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"

	"huoban/internal/audit"
	"huoban/internal/bill"
	"huoban/internal/billexport"
	"huoban/internal/coupon"
	"huoban/internal/fault"
	"huoban/internal/i18n"
	"huoban/internal/scope"
	"huoban/internal/sorted"
	"huoban/internal/usage"
	"huoban/web/templates/billview"
	"huoban/web/templates/part"
)

// lineRef names a line of a bill in a URL: where it is kept, and for a spread one whose part it is.
type lineRef struct {
	Slot     int64  `json:"s"`
	Customer string `json:"c"` // the kept line's customer
	Start    string `json:"t"`
	Key      []byte `json:"k"`
	Occur    int64  `json:"o"`
	Part     string `json:"p"` // the billed customer
}

func (r lineRef) String() string {
	b, err := json.Marshal(r)
	if err != nil {
		return ""
	}
	return base64.RawURLEncoding.EncodeToString(b)
}

func refOf(row *bill.LineRow) lineRef {
	p := row.Place
	return lineRef{p.SlotID, p.CustomerID, p.Start, p.Key[:], p.Occurrence, row.Customer.ID}
}

// lineNumber is the short number shown: the beginning of the line's key.
func lineNumber(row *bill.LineRow) string {
	if row.Adjusts != nil {
		return "A" + short(row.Adjusts.ID)
	}
	n := strings.ToUpper(hex.EncodeToString(row.Place.Key[:4]))
	if row.Place.Occurrence > 0 {
		n += "-" + strconv.FormatInt(row.Place.Occurrence+1, 10)
	}
	return n
}

func short(id string) string {
	id = strings.ReplaceAll(id, "-", "")
	return strings.ToUpper(id[max(0, len(id)-8):])
}

var pageSizes = []int{20, 50, 100}

// lineList is the state of the list, all of it in the URL.
type lineList struct {
	filter bill.LineFilter
	params url.Values // filter parameters that are set
	at     bill.LinePlace
	size   int
	why    string
}

func (c *Ctx) lineList(doc *bill.Document) (lineList, error) {
	l := lineList{params: url.Values{}, at: bill.LinePlace{Cursor: c.QueryParam("after")}, size: pageSizes[0], why: c.QueryParam("why")}
	if before := c.QueryParam("before"); l.at.Cursor == "" && before != "" {
		l.at = bill.LinePlace{Cursor: before, Back: true}
	}
	for _, name := range append(slices.Clone(filterFields), "size", "cols") {
		if v := c.param(name); v != "" {
			l.params.Set(name, v)
		}
	}
	if n, err := strconv.Atoi(l.params.Get("size")); err == nil && slices.Contains(pageSizes, n) {
		l.size = n
	}
	l.filter = bill.LineFilter{Product: l.params.Get("product"), Region: l.params.Get("region"), Kind: usage.Kind(l.params.Get("kind")),
		Mode: usage.ChargingMode(l.params.Get("mode")), NonZero: l.params.Get("zero") == "no"}
	if code := l.params.Get("customer"); code != "" {
		i := slices.IndexFunc(doc.Items, func(it bill.Item) bool { return it.Customer.Code == code })
		if i < 0 {
			return l, fault.NotFound("request.no_page", nil)
		}
		l.filter.CustomerID = doc.Items[i].Customer.ID
	}
	return l, nil
}

// linesLink is the list from its beginning with parameters changed; an empty value takes one off.
func (c *Ctx) linesLink(doc *bill.Document, l lineList, change ...string) string {
	v := url.Values{}
	for k := range l.params {
		v.Set(k, l.params.Get(k))
	}
	for i := 0; i+1 < len(change); i += 2 {
		v.Set(change[i], change[i+1])
	}
	var more []string
	for k := range v {
		more = append(more, k, v.Get(k))
	}
	return c.billLink("lines", doc, more...)
}

// linesHere is the same page of the list.
func (c *Ctx) linesHere(doc *bill.Document, l lineList, change ...string) string {
	name := "after"
	if l.at.Back {
		name = "before"
	}
	return c.linesLink(doc, l, append(change, name, l.at.Cursor)...)
}

func (h *Handlers) billLines(c *Ctx) error { return h.lines(c, false) }

// billLinesRevealed shows the customers' names in clear, once, and writes down that it did.
func (h *Handlers) billLinesRevealed(c *Ctx) error {
	if err := h.reveal(c, "bill.lines", "customer"); err != nil {
		return err
	}
	return h.lines(c, true)
}

// reveal records that a masked column was shown.
func (h *Handlers) reveal(c *Ctx, list, column string) error {
	c.eye = list
	return h.Tx.InTx(c.ctx(), func(ctx context.Context) error {
		return h.Audit.Record(ctx, audit.Entry{Actor: c.Person.Login, OnBehalf: c.Org.Code, OrgID: c.Org.ID, Action: "column.reveal",
			Object: "list:" + list, Outcome: "done", Detail: map[string]any{"column": column, "query": c.QueryString()}})
	})
}

func (h *Handlers) lines(c *Ctx, open bool) error {
	return h.billPage(c, "lines", func(st *statement, d billview.Doc) error {
		l, err := c.lineList(st.doc)
		if err != nil {
			return err
		}
		page, err := h.Bills.Lines(c.ctx(), c.Scope, st.doc, l.filter, l.at, l.size)
		if err != nil {
			return err
		}
		props, err := h.linesProps(c, st.doc, d, l, page, open)
		if err != nil {
			return err
		}
		return c.page(http.StatusOK, props.Page())
	})
}

func (h *Handlers) linesProps(c *Ctx, doc *bill.Document, d billview.Doc, l lineList, page bill.LinePage, open bool) (billview.Lines, error) {
	cols, err := h.shownColumns(c, billexport.KindLines, true)
	if err != nil {
		return billview.Lines{}, err
	}
	columns := c.lineColumnsForm(billexport.KindLines, c.linesLink(doc, l, "cols", ""), cols, true, c.T("bills.fixed"), func(key string) string { return c.T("billview.lines." + key) })
	totals := doc.LineTotals(l.filter)
	count := c.T("bills.lines_of", "Count", totals.Count)
	if totals.Count < 0 {
		count = c.T("bills.lines_nonzero")
	}
	props := billview.Lines{Doc: d, Filter: lineFilter(c, doc, l), Unit: doc.Currency, Columns: cols,
		Tool:      part.Tool{Count: count, Conditions: conditions(c, doc, l), Refresh: c.linesLink(doc, l), Columns: columns, Export: exportOf(c, doc, billexport.KindLines, l.params)},
		PageTotal: billview.TotalRow{Label: c.T("bills.total.page", "Count", int64(len(page.Rows))), Amount: part.PlainOf(page.Sum, doc.Currency)},
		AllTotal:  billview.TotalRow{Label: c.T("bills.total.all"), Amount: part.PlainOf(totals.Amount, doc.Currency)},
	}
	if props.Tool.Views, err = h.views(c, c.linesLink(doc, l)); err != nil {
		return props, err
	}
	if c.Scope.Has(scope.ItemRevealMasked) {
		props.Eye = &part.Eye{Action: c.linesHere(doc, l), Open: open, Name: c.T("billview.lines.customer")}
	}
	explained := false
	for i := range page.Rows {
		row, err := h.lineProps(c, doc, l, &page.Rows[i], open)
		if err != nil {
			return props, err
		}
		explained = explained || row.Why != nil
		props.Rows = append(props.Rows, row)
	}
	if l.why != "" && !explained {
		return props, fault.NotFound("bill.line_unknown", nil)
	}
	props.Pager = part.Pager{Range: count, Seal: &part.Seal{Total: i18n.Money8(totals.Amount, doc.Currency), Code: doc.Code}}
	if page.Prev != "" {
		props.Pager.Prev = c.linesLink(doc, l, "before", page.Prev)
	}
	if page.Prev != "" || l.at.Cursor != "" && !l.at.Back {
		props.Pager.First = c.linesLink(doc, l)
	}
	if page.Next != "" {
		props.Pager.Next = c.linesLink(doc, l, "after", page.Next)
	}
	for _, n := range pageSizes {
		props.Pager.Sizes = append(props.Pager.Sizes, part.Tab{Text: strconv.Itoa(n), Href: c.linesLink(doc, l, "size", strconv.Itoa(n)), Current: n == l.size})
	}
	if len(props.Rows) == 0 {
		props.Tool.Columns = nil
		props.Empty = &part.Empty{Title: c.T("bills.lines.empty"), Text: c.T("bills.lines.empty_text"),
			Button: &part.Link{Text: c.T("bills.lines.reset"), Href: c.billLink("lines", doc)}}
	}
	return props, nil
}

func (h *Handlers) lineProps(c *Ctx, doc *bill.Document, l lineList, r *bill.LineRow, open bool) (billview.Line, error) {
	p := &r.Line.Product
	ref := refOf(r).String()
	resource := r.Line.Resource.Name
	if resource == "" {
		resource = r.Line.Resource.ID
	}
	row := billview.Line{Region: textOr(p.Region), Resource: textOr(resource), Rule: ruleName(r.Chosen.Number(), r.Chosen.Version()), ID: lineNumber(r), Number: lineNumber(r), Charged: i18n.DateTime(r.Line.ChargeStart), Customer: maskName(r.Customer.Name), Masked: true,
		Product: p.Service, Mode: modeText(c, p.ChargingMode), Kind: c.T("bills.kind." + string(kindOf(r))),
		Base: part.Money{Text: i18n.Exact(r.BaseAmount)}, Factor: r.Chosen.Factor.String(), Amount: part.PlainOf(r.Amount, doc.Currency)}
	if open {
		row.Customer, row.Masked = r.Customer.Name, false
		c.saw(r.Customer.Code)
	}
	if r.Adjusts != nil {
		row.Region, row.Rule = textOr(r.Item.Region), ruleName(r.Item.RuleNumber, r.Item.RuleVersion)
		row.Charged, row.Product = string(r.Adjusts.CorrectsCycle), c.T("bills.adjusts."+r.Adjusts.Kind)
		row.Href = c.billLink("adjustments", doc)
		return row, nil
	}
	if r.Use != nil {
		row.Rule, row.ID = coupon.Name(r.Use.Number), row.ID+"-"+coupon.Name(r.Use.Number)
		row.Number = coupon.Name(r.Use.Number)
		if h.may(c, pathCoupons) {
			row.Href = c.at(pathCoupons + "/" + r.Use.CouponID)
		}
		return row, nil
	}
	if l.why != ref {
		row.Href = c.linesHere(doc, l, "why", ref) + "#line-" + row.ID
		return row, nil
	}
	row.Href = c.linesHere(doc, l) + "#line-" + row.ID
	why, err := h.whyProps(c, doc, r)
	row.Why = why
	return row, err
}

// textOr is a text, or that there is none.
func textOr(text string) string {
	if text == "" {
		return i18n.Nothing
	}
	return text
}

// ruleName names a price rule.
func ruleName(number, version int64) string {
	name := bill.RuleName(number, version)
	if name == "" {
		return i18n.Nothing
	}
	return "P-" + name
}

func kindOf(r *bill.LineRow) usage.Kind {
	if r.Item != nil {
		return r.Item.Kind
	}
	return r.Line.Kind
}

func modeText(c *Ctx, m usage.ChargingMode) string {
	if m == "" {
		return i18n.Nothing
	}
	return c.T("bills.mode." + string(m))
}

// maskName leaves the first character of a name.
func maskName(name string) string {
	r := []rune(name)
	if len(r) == 0 {
		return i18n.Nothing
	}
	return string(r[:1]) + "***"
}

// lineFilter offers what the bill's items hold.
func lineFilter(c *Ctx, doc *bill.Document, l lineList) part.Filter {
	f := part.Filter{Action: c.at("/bills/lines"), Reset: c.billLink("lines", doc)}
	for _, name := range []string{"cycle", "vendor", "partner", "currency", "entity"} {
		values := map[string]string{"cycle": string(doc.Cycle), "vendor": doc.Vendor.Code, "partner": doc.Partner.Code, "currency": doc.Currency, "entity": doc.Entity.Code}
		f.Hidden = append(f.Hidden, part.Hidden{Name: name, Value: values[name]})
	}
	if cols := l.params.Get("cols"); cols != "" {
		f.Hidden = append(f.Hidden, part.Hidden{Name: "cols", Value: cols})
	}
	seen := map[string]map[string]string{"customer": {}, "product": {}, "kind": {}, "mode": {}}
	for i := range doc.Items {
		it := &doc.Items[i]
		seen["customer"][it.Customer.Code] = maskName(it.Customer.Name) + " · " + it.Customer.Code
		seen["product"][it.Product] = it.Product
		seen["kind"][string(it.Kind)] = c.T("bills.kind." + string(it.Kind))
		seen["mode"][string(it.Mode)] = modeText(c, it.Mode)
	}
	for _, name := range []string{"customer", "product", "kind", "mode"} {
		field := part.FilterField{Name: name, Label: c.T("bills.filter." + name), Value: l.params.Get(name), Options: []part.Option{{Label: c.T("bills.filter.any")}}}
		for value, label := range seen[name] {
			if value != "" {
				field.Options = append(field.Options, part.Option{Value: value, Label: label})
			}
		}
		sorted.By(field.Options[1:], func(a, b part.Option) int { return strings.Compare(a.Label, b.Label) })
		f.Fields = append(f.Fields, field)
	}
	f.Fields = append(f.Fields, part.FilterField{Name: "zero", Label: c.T("bills.filter.amount"), Value: l.params.Get("zero"), More: true,
		Options: []part.Option{{Label: c.T("bills.filter.any")}, {Value: "no", Label: c.T("bills.filter.nonzero")}}})
	return f
}

func conditions(c *Ctx, doc *bill.Document, l lineList) []part.Condition {
	out := []part.Condition{{Text: c.T("bills.condition.cycle", "Cycle", string(doc.Cycle))}}
	for _, name := range filterFields {
		v := l.params.Get(name)
		if v == "" {
			continue
		}
		text := v
		switch key := "bills." + name + "." + v; {
		case name == "zero":
			text = c.T("bills.filter.nonzero")
		case (name == "kind" || name == "mode") && i18n.Has(key): // an unknown one stands as it was typed
			text = c.T(key)
		}
		out = append(out, part.Condition{Text: text, Remove: c.linesLink(doc, l, name, "")})
	}
	return out
}
