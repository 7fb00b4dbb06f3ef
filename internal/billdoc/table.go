package billdoc

import (
	"context"
	"strconv"
	"time"

	"huoban/internal/bill"
	"huoban/internal/coupon"
	"huoban/internal/money"
)

// class says how a cell is written.
type class int

const (
	classText   class = iota // names, ids, codes
	classAmount              // e8
	classExact               // decimal of any scale
	classCount
)

type column struct {
	name  string
	class class
}

// table is a split as rows of text; a format renders each cell by the class of its column.
type table struct {
	columns []column
	rows    func(ctx context.Context, yield func(row []string) error) error
	total   []string // the last row where a format has one; "" cells are empty
}

// billKey are the columns that name the bill a row belongs to.
var billKey = []column{{"partner", classText}, {"cycle", classText}, {"currency", classText}, {"entity", classText}}

func keyCells(d *bill.Document) []string {
	return []string{d.Partner.Code, string(d.Cycle), d.Currency, d.Entity.Code}
}

var overviewColumns = []column{{"seller", classText}, {"state", classText}, {"line_count", classCount}, {"consumption", classAmount},
	{"refund", classAmount}, {"adjustment", classAmount}, {"coupon", classAmount}, {"rounding", classAmount}, {"tax", classAmount},
	{"amount_due", classAmount}, {"source_total", classExact}, {"exact_total", classExact}, {"residue", classExact}, {"tax_exact", classExact},
	{"code", classText}, {"override_note", classText}}

func overviewCells(d *bill.Document, o Options) []string {
	return []string{d.Seller.Code, o.value("bill.state.", string(d.State)), count(d.LineCount), d.Consumption.String(), d.Refund.String(),
		d.Adjustment.String(), d.Coupon.String(), d.Rounding.String(), d.Tax.String(), d.Due.String(), d.SourceTotal.String(),
		d.ExactTotal.String(), d.Residue().String(), d.TaxExact.String(), d.Code, d.OverrideNote}
}

func count(n int64) string { return strconv.FormatInt(n, 10) }

var groupFigures = []column{{"line_count", classCount}, {"consumption", classAmount}, {"refund", classAmount}, {"adjustment", classAmount},
	{"coupon", classAmount}, {"amount", classAmount}, {"tax", classAmount}, {"source_total", classExact}, {"exact_total", classExact}}

func groupCells(g *bill.Group) []string {
	return []string{count(g.LineCount), g.Consumption.String(), g.Refund.String(), g.Adjustment.String(), g.Coupon.String(), g.Amount.String(),
		g.Tax.String(), g.Source.String(), g.Exact.String()}
}

var (
	productColumns  = []column{{"provider", classText}, {"product", classText}, {"region", classText}, {"charging_mode", classText}}
	customerColumns = []column{{"customer", classText}, {"customer_name", classText}}
	lineColumns     = []column{{"customer", classText}, {"customer_name", classText}, {"origin", classText}, {"kind", classText},
		{"source", classText}, {"delivery", classText}, {"file", classText}, {"line", classCount}, {"charge_start", classText}, {"charge_end", classText},
		{"sub_account", classText}, {"provider", classText}, {"product", classText}, {"sku", classText}, {"description", classText},
		{"region", classText}, {"charging_mode", classText}, {"resource", classText}, {"quantity", classExact}, {"unit", classText},
		{"billed", classExact}, {"base", classText}, {"base_amount", classExact}, {"rule", classText}, {"rule_type", classText},
		{"factor", classExact}, {"exact", classExact}, {"amount", classAmount}, {"corrects_cycle", classText}, {"adjustment_kind", classText},
		{"key", classText}, {"side", classText}, {"reason", classText}}
)

// split is the table of one document for the chosen split, without the columns of billKey.
func split(d *bill.Document, o Options) table {
	if o.By == bill.ByLine {
		return lineTable(d, o)
	}
	t := table{columns: append(customerColumns[:len(customerColumns):len(customerColumns)], groupFigures...)}
	names := func(g *bill.Group) []string { return []string{g.Customer.Code, o.name(g.Customer)} }
	if o.By == bill.ByProduct {
		t.columns = append(productColumns[:len(productColumns):len(productColumns)], groupFigures...)
		names = func(g *bill.Group) []string {
			return []string{g.Provider, g.Product, g.Region, o.value("bill.mode.", string(g.Mode))}
		}
	}
	groups := d.Groups(o.By)
	t.rows = func(_ context.Context, yield func([]string) error) error {
		for i := range groups {
			if err := yield(append(names(&groups[i]), groupCells(&groups[i])...)); err != nil {
				return err
			}
		}
		return nil
	}
	all := bill.Group{LineCount: d.LineCount, Consumption: d.Consumption, Refund: d.Refund, Adjustment: d.Adjustment, Coupon: d.Coupon,
		Amount: d.Stored(), Tax: d.Tax, Source: d.SourceTotal, Exact: d.ExactTotal}
	t.total = append(make([]string, len(t.columns)-len(groupFigures)), groupCells(&all)...)
	t.total[0] = o.word("bill.column.total", "total")
	return t
}

func lineTable(d *bill.Document, o Options) table {
	t := table{columns: lineColumns}
	t.rows = func(ctx context.Context, yield func([]string) error) error {
		return o.Lines(ctx, d, func(r *bill.LineRow) error { return yield(lineCells(r, o)) })
	}
	return t
}

func lineCells(r *bill.LineRow, o Options) []string {
	if r.Item != nil {
		return adjustmentCells(r, o)
	}
	l, rule := &r.Line, bill.RuleName(r.Chosen.Number(), r.Chosen.Version())
	if r.Use != nil {
		rule = coupon.Name(r.Use.Number)
	}
	return []string{r.Customer.Code, o.name(r.Customer), o.value("bill.origin.", string(r.Origin)), o.value("bill.kind.", string(l.Kind)),
		r.SourceName, count(r.File.Delivery), r.File.Name, count(l.LineNo), stamp(l.ChargeStart), stamp(l.ChargeEnd), l.Account.SubAccount,
		l.Account.Provider, l.Product.Service, l.Product.SKU, l.Product.Description, l.Product.Region, o.value("bill.mode.", string(l.Product.ChargingMode)),
		l.Resource.ID, optional(l.Quantity), l.Product.Unit, l.Billed.String(), o.value("bill.base.", string(r.Base)), r.BaseAmount.String(),
		rule, o.value("bill.rule_type.", string(r.Chosen.Type)), r.Chosen.Factor.String(),
		r.Exact.String(), r.Amount.String(), "", "", "", "", ""}
}

func adjustmentCells(r *bill.LineRow, o Options) []string {
	cells := make([]string, len(lineColumns))
	set := func(name, text string) {
		for i := range lineColumns {
			if lineColumns[i].name == name {
				cells[i] = text
			}
		}
	}
	it, a := r.Item, r.Adjusts
	set("customer", r.Customer.Code)
	set("customer_name", o.name(r.Customer))
	set("origin", o.value("bill.origin.", string(r.Origin)))
	set("kind", o.value("bill.kind.", string(it.Kind)))
	set("source", a.Source)
	set("billed", it.SourceExact.String())
	set("base", o.value("bill.base.", string(it.Base)))
	set("base_amount", it.BaseExact.String())
	set("rule", bill.RuleName(it.RuleNumber, it.RuleVersion))
	set("rule_type", o.value("bill.rule_type.", string(it.RuleType)))
	set("factor", it.Factor.String())
	set("exact", it.Exact.String())
	set("amount", it.Amount.String())
	set("corrects_cycle", string(a.CorrectsCycle))
	set("adjustment_kind", o.value("bill.adjustment_kind.", a.Kind))
	set("key", a.Key)
	set("side", o.value("bill.side.", a.Side))
	set("reason", a.Reason)
	return cells
}

func stamp(t time.Time) string {
	if t.IsZero() {
		return ""
	}
	return t.UTC().Format(time.RFC3339Nano)
}

func optional(x *money.Exact) string {
	if x == nil {
		return ""
	}
	return x.String()
}

func (o Options) head(columns []column) []string {
	out := make([]string, len(columns))
	for i, c := range columns {
		out[i] = o.word("bill.column."+c.name, c.name)
	}
	return out
}
