package expenditureexport

import (
	"context"
	"strconv"
	"time"

	"huoban/internal/billdoc"
	"huoban/internal/billexport"
	"huoban/internal/customer"
	"huoban/internal/expenditure"
	"huoban/internal/export"
	"huoban/internal/fault"
	"huoban/internal/money"
	"huoban/internal/scope"
	"huoban/internal/usage"
)

// file is one being written: what its rows amount to so far, and what the page says its list does.
type file struct {
	deps   Deps
	sc     scope.Scope
	f      expenditure.Filter
	p      Params
	word   func(key string) string
	people bool // rows are of several customers

	rows, count int64 // rows written, delivered lines in them
	sum, tax    money.Exact
	page        page
	met         map[string]bool // codes of the customers it holds
	last        string
}

// page is what the page of the same filter shows. Lines is -1 where it does not know.
type page struct {
	currency, code string
	lines          int64
	amount, tax    money.Exact
}

// value is a code as people read it; an empty one stays empty.
func (x *file) value(prefix, code string) string {
	if code == "" {
		return ""
	}
	return x.word(prefix + code)
}

func (x *file) relation(k customer.Kind) string {
	if k == "" {
		return x.word("expenditure.own")
	}
	return x.word(k.Label())
}

func (x *file) texts(keys ...string) (out []billdoc.SheetColumn) {
	for _, k := range keys {
		out = append(out, billdoc.SheetColumn{Title: x.word(k)})
	}
	return out
}

func (x *file) figures(keys ...string) (out []billdoc.SheetColumn) {
	for _, k := range keys {
		out = append(out, billdoc.SheetColumn{Title: x.word(k), Figure: true})
	}
	return out
}

// of are the columns that say whose a row is; a customer that looks at itself needs none.
func (x *file) of(c expenditure.Party, k customer.Kind) []string {
	if !x.people {
		return nil
	}
	if c.Code != x.last {
		x.last = c.Code
		x.met[c.Code] = true
	}
	return []string{c.Code, billexport.Mask(c.Name), x.relation(k)}
}

func (x *file) ofTitles() []billdoc.SheetColumn {
	if !x.people {
		return nil
	}
	return x.texts("bill.column.customer", "bill.column.customer_name", "expenditure.col.relation")
}

// summary has a row for each customer, relation, product and charging mode.
func (x *file) summary() billdoc.Sheet {
	columns := append(x.ofTitles(), x.texts("expenditure.col.product", "expenditure.col.mode")...)
	columns = append(columns, x.figures("expenditure.col.lines", "expenditure.figure.consumption", "expenditure.figure.refund", "expenditure.figure.adjustment",
		"expenditure.col.discount", "expenditure.figure.tax", "expenditure.figure.amount")...)
	columns = append(columns, x.texts("expenditure.currency")...)
	each := func(ctx context.Context, yield func([]string) error) error {
		s, err := x.deps.Expenditure.Summarise(ctx, x.sc, x.f)
		if err != nil {
			return err
		}
		x.page = page{s.Currency, s.Code(x.f), s.Total.Lines, s.Total.Amount(), s.Total.Tax}
		for i := range s.Rows {
			r := &s.Rows[i]
			x.rows, x.count = x.rows+1, x.count+r.Lines
			x.sum, x.tax = x.sum.Add(r.Amount()), x.tax.Add(r.Tax)
			row := append(x.of(r.Customer, r.Relation), r.Product, x.value("bill.mode.", string(r.Mode)), strconv.FormatInt(r.Lines, 10), r.Consumption.String(),
				r.Refund.String(), r.Adjustment.String(), r.Discount.String(), r.Tax.String(), r.Amount().String(), s.Currency)
			if err := yield(row); err != nil {
				return err
			}
		}
		return nil
	}
	keys := []string{first, first, "relation", "product", "mode"}
	if !x.people {
		keys = []string{first, "mode"}
	}
	keys = append(keys, "lines", "consumption", "refund", "adjustment", "discount", last, last, last)
	return x.chosen(billdoc.Sheet{Name: x.word("expenditure.tab.summary"), Columns: columns, Each: each}, keys)
}

// lines has a row for each line, or customer's part of a spread one.
func (x *file) lines() billdoc.Sheet {
	columns := append(x.texts("expenditure.col.number", "expenditure.col.charged"), x.ofTitles()...)
	if x.people {
		columns = append(columns, x.texts("expenditure.col.manager")...)
	}
	columns = append(columns, x.texts("expenditure.col.product", "expenditure.col.resource", "expenditure.col.order", "expenditure.col.region", "expenditure.col.mode", "expenditure.col.kind",
		"expenditure.col.shared")...)
	columns = append(columns, x.figures("expenditure.col.list", "expenditure.col.amount")...)
	columns = append(columns, x.texts("expenditure.currency")...)
	each := func(ctx context.Context, yield func([]string) error) error {
		t, err := x.deps.Expenditure.EachLine(ctx, x.sc, x.f, func(r *expenditure.LineRow) error {
			if err := x.add(ctx, r); err != nil {
				return err
			}
			return yield(x.line(r))
		})
		if err == nil {
			x.page = page{t.Currency, t.Code(x.f), t.Lines, t.Amount, t.Tax}
		}
		return err
	}
	keys := []string{first, "charged"}
	if x.people {
		keys = append(keys, "customer", "customer", "relation", "manager")
	}
	keys = append(keys, "product", "resource", "order", "region", "mode", "kind", "kind", "list", last, last)
	return x.chosen(billdoc.Sheet{Name: x.word("expenditure.tab.lines"), Columns: columns, Each: each}, keys)
}

// first and last mark the columns that stand in every file: what names a row, and what it amounts to.
const (
	first = "<"
	last  = ">"
)

// chosen is a sheet with the columns of its page, in their order there; keys says which column of the page
// each of the sheet belongs to.
func (x *file) chosen(s billdoc.Sheet, keys []string) billdoc.Sheet {
	var at []int
	take := func(key string) {
		for i, k := range keys {
			if k == key {
				at = append(at, i)
			}
		}
	}
	take(first)
	for _, key := range x.p.Columns {
		if key != first && key != last {
			take(key)
		}
	}
	if take(last); len(x.p.Columns) == 0 {
		at = nil
		for i := range keys {
			at = append(at, i)
		}
	}
	columns, each := s.Columns, s.Each
	s.Columns, s.Foot = nil, x.foot(len(at), len(at)-2)
	for _, i := range at {
		s.Columns = append(s.Columns, columns[i])
	}
	s.Each = func(ctx context.Context, yield func([]string) error) error {
		return each(ctx, func(row []string) error {
			cells := make([]string, len(at))
			for n, i := range at {
				cells[n] = row[i]
			}
			return yield(cells)
		})
	}
	return s
}

func (x *file) add(ctx context.Context, r *expenditure.LineRow) error {
	x.rows, x.count = x.rows+1, x.count+1
	if r.Line.Kind == usage.KindTax {
		x.tax = x.tax.Add(r.Line.Billed)
	} else {
		x.sum = x.sum.Add(r.Line.Billed)
	}
	if x.rows%1000 != 0 {
		return nil
	}
	return export.Report(ctx, x.rows, 0)
}

func (x *file) line(r *expenditure.LineRow) []string {
	l := r.Line
	row := append([]string{r.Number(), l.ChargeStart.UTC().Format(time.RFC3339Nano)}, x.of(r.Customer, r.Relation)...)
	if x.people {
		row = append(row, manager(r.Manager))
	}
	resource, shared, list := l.Resource.Name, "", ""
	if resource == "" {
		resource = l.Resource.ID
	}
	if r.Spread {
		shared = x.word("expenditure.col.shared")
	}
	if l.Listed {
		list = l.List.String()
	}
	return append(row, l.Product.Service, resource, l.Resource.OrderNo, l.Product.Region, x.value("bill.mode.", string(l.Product.ChargingMode)), x.value("bill.kind.", string(l.Kind)),
		shared, list, l.Billed.String(), l.Currency)
}

// manager names somebody as the page does while its names are masked.
func manager(p expenditure.Person) string {
	if p.ID == "" {
		return ""
	}
	return billexport.Mask(p.Called()) + " · " + p.Number()
}

// foot ends a file with the total of the page, tax beside it, the number of rows, the filter and the
// short code. It refuses a file whose rows amount to something else.
func (x *file) foot(columns, amount int) func() ([][]string, error) {
	return func() ([][]string, error) {
		if !x.sum.Equal(x.page.amount) || !x.tax.Equal(x.page.tax) || x.page.lines >= 0 && x.page.lines != x.count {
			return nil, fault.Unavailable("export.changed_meanwhile", nil)
		}
		row := func(label, text, figure string) []string {
			cells := make([]string, columns)
			cells[0], cells[1], cells[amount] = x.word("bill.column."+label), text, figure
			if figure != "" {
				cells[amount+1] = x.page.currency
			}
			return cells
		}
		out := [][]string{row("total", "", x.page.amount.String()), row("tax", "", x.page.tax.String()), row("rows", strconv.FormatInt(x.rows, 10), "")}
		if x.p.Filter != "" {
			out = append(out, row("filter", x.p.Filter, ""))
		}
		return append(out, row("code", x.page.code, "")), nil
	}
}
