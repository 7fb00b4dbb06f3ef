// Package billexport makes the export files of partner bills (伙伴账单) for the export task.
//
// It owns the kinds, what names a bill and its filter in a task, and the check that a file agrees with
// its page; it does not own layout (billdoc), the task (export) nor words. Invariants: a file is read
// under the scope its owner has when it is made; names of customers are masked; a file whose rows do
// not add up to the page's total is never handed out.
package billexport

import (
	"context"
	"encoding/json"
	"io"
	"maps"
	"slices"

	"huoban/internal/bill"
	"huoban/internal/billdoc"
	"huoban/internal/cycle"
	"huoban/internal/export"
	"huoban/internal/fault"
	"huoban/internal/money"
	"huoban/internal/monthclose"
	"huoban/internal/scope"
	"huoban/internal/usage"
)

// The kinds of export, one per list.
const (
	KindBill      = "bill"           // the whole bill
	KindLines     = "bill.lines"     // 明细, as filtered
	KindProducts  = "bill.products"  // 按产品
	KindCustomers = "bill.customers" // 按客户
)

// Formats are what each kind can be written as; the first is offered first.
var Formats = map[string][]billdoc.Format{
	KindBill:      {billdoc.FormatPDF, billdoc.FormatXLSX, billdoc.FormatCSV, billdoc.FormatJSON},
	KindLines:     {billdoc.FormatXLSX, billdoc.FormatCSV, billdoc.FormatPDF},
	KindProducts:  {billdoc.FormatXLSX, billdoc.FormatCSV, billdoc.FormatPDF},
	KindCustomers: {billdoc.FormatXLSX, billdoc.FormatCSV, billdoc.FormatPDF},
}

// Params name a bill by codes and narrow its lines; an empty filter field is any.
type Params struct {
	Vendor   string `json:"vendor"`
	Partner  string `json:"partner"`
	Cycle    string `json:"cycle"`
	Currency string `json:"currency"`
	Entity   string `json:"entity"`

	Customer string `json:"customer,omitempty"` // code
	Product  string `json:"product,omitempty"`
	Region   string `json:"region,omitempty"`
	Kind     string `json:"kind,omitempty"`
	Mode     string `json:"mode,omitempty"`
	NonZero  bool   `json:"non_zero,omitempty"`

	Filter string `json:"filter,omitempty"` // in words, as the page showed it
	Lang   string `json:"lang,omitempty"`   // of the person who asked
}

// Of names a bill.
func Of(d *bill.Document) Params {
	return Params{Vendor: d.Vendor.Code, Partner: d.Partner.Code, Cycle: string(d.Cycle), Currency: d.Currency, Entity: d.Entity.Code}
}

// Check refuses a kind and format that do not go together.
// Faults: export.kind_unknown, export.format_unknown.
func Check(kind, format string) error {
	list, ok := Formats[kind]
	if !ok {
		return fault.Invalid("export.kind_unknown", fault.Args{"kind": kind})
	}
	if !slices.Contains(list, billdoc.Format(format)) {
		names := ""
		for i, f := range list {
			if i > 0 {
				names += ", "
			}
			names += string(f)
		}
		return fault.Invalid("export.format_unknown", fault.Args{"format": format, "formats": names})
	}
	return nil
}

// LineFilter is the filter as the bill's lines understand it. Fault: bill.unknown for a customer the
// bill does not have.
func (p Params) LineFilter(d *bill.Document) (bill.LineFilter, error) {
	f := bill.LineFilter{Product: p.Product, Region: p.Region, Kind: usage.Kind(p.Kind), Mode: usage.ChargingMode(p.Mode), NonZero: p.NonZero}
	if p.Customer == "" {
		return f, nil
	}
	i := slices.IndexFunc(d.Items, func(it bill.Item) bool { return it.Customer.Code == p.Customer })
	if i < 0 {
		return f, fault.NotFound("bill.unknown", nil)
	}
	f.CustomerID = d.Items[i].Customer.ID
	return f, nil
}

// Lines streams the lines of a bill; bill.Service does.
type Lines interface {
	EachLine(ctx context.Context, sc scope.Scope, doc *bill.Document, f bill.LineFilter, fn func(*bill.LineRow) error) error
}

// Deps are what the producers need.
type Deps struct {
	Known    func(ctx context.Context) ([]monthclose.Known, error)
	Estimate func(ctx context.Context, sc scope.Scope, vendorID string, c cycle.Cycle) ([]bill.Document, error)
	Lines    Lines
	Words    func(lang string) func(key string) string
}

// Register names the producers of all kinds.
func Register(s *export.Service, d Deps) {
	for kind := range Formats {
		s.Register(kind, d.produce)
	}
}

// document finds the bill under a scope; an absent one and one out of scope are alike.
func (d Deps) document(ctx context.Context, sc scope.Scope, p Params) (*bill.Document, error) {
	c, err := cycle.Parse(p.Cycle)
	if err != nil {
		return nil, fault.NotFound("bill.unknown", nil)
	}
	known, err := d.Known(ctx)
	if err != nil {
		return nil, err
	}
	for _, k := range known {
		if k.Cycle != c || k.Vendor != p.Vendor {
			continue
		}
		docs, err := d.Estimate(ctx, sc, k.VendorID, c)
		if err != nil {
			return nil, err
		}
		for i := range docs {
			one := Of(&docs[i])
			if one.Partner == p.Partner && one.Currency == p.Currency && one.Entity == p.Entity {
				return &docs[i], nil
			}
		}
	}
	return nil, fault.NotFound("bill.unknown", nil)
}

var splits = map[string]bill.By{KindBill: bill.ByLine, KindLines: bill.ByLine, KindProducts: bill.ByProduct, KindCustomers: bill.ByCustomer}

func (d Deps) produce(ctx context.Context, sc scope.Scope, t export.Task, w io.Writer) (export.Produced, error) {
	var p Params
	if err := json.Unmarshal(t.Params, &p); err != nil {
		return export.Produced{}, fault.Invalid("export.kind_unknown", fault.Args{"kind": t.Kind}).Because(err)
	}
	if err := Check(t.Kind, t.Format); err != nil {
		return export.Produced{}, err
	}
	if err := sc.Require(scope.ItemBillExport); err != nil {
		return export.Produced{}, err
	}
	doc, err := d.document(ctx, sc, p)
	if err != nil {
		return export.Produced{}, err
	}
	f := bill.LineFilter{}
	if t.Kind == KindLines {
		if f, err = p.LineFilter(doc); err != nil {
			return export.Produced{}, err
		}
	}
	by, format := splits[t.Kind], billdoc.Format(t.Format)
	if t.Kind == KindBill && format == billdoc.FormatPDF {
		by = bill.ByNothing
	}
	run := &run{totals: doc.LineTotals(f), met: map[string]bool{}}
	if by == bill.ByLine && format == billdoc.FormatPDF {
		if run.most = billdoc.PDFLines; run.totals.Count > run.most {
			return export.Produced{}, tooLong(run.totals.Count)
		}
	}
	o := billdoc.Options{By: by, Words: d.Words(p.Lang), Filter: p.Filter, Foot: true, Select: f,
		Name: func(c bill.Party) string { return Mask(c.Name) },
		Lines: func(ctx context.Context, doc *bill.Document, fn func(*bill.LineRow) error) error {
			return d.Lines.EachLine(ctx, sc, doc, f, func(r *bill.LineRow) error {
				if err := run.add(ctx, r); err != nil {
					return err
				}
				return fn(r)
			})
		}}
	if err := billdoc.Write(ctx, w, format, []bill.Document{*doc}, o); err != nil {
		return export.Produced{}, err
	}
	rows := doc.LineCount
	switch by {
	case bill.ByLine:
		if err := run.check(); err != nil {
			return export.Produced{}, err
		}
		rows = run.rows
	case bill.ByProduct, bill.ByCustomer:
		rows = int64(len(doc.Groups(by)))
		for i := range doc.Items {
			if by == bill.ByCustomer {
				run.met[doc.Items[i].Customer.Code] = true
			}
		}
	}
	return export.Produced{FileName: p.fileName(t.Kind, format), ContentType: format.MediaType(), Rows: rows, Code: doc.Code, Customers: slices.Sorted(maps.Keys(run.met))}, nil
}

var endings = map[string]string{KindLines: "-lines", KindProducts: "-products", KindCustomers: "-customers"}

func (p Params) fileName(kind string, f billdoc.Format) string {
	return p.Partner + "-" + p.Cycle + "-" + p.Currency + endings[kind] + "." + f.Extension()
}

// tooLong refuses a PDF that would leave lines out. Fault: export.pdf_too_long.
func tooLong(lines int64) error {
	return fault.Invalid("export.pdf_too_long", fault.Args{"Count": lines, "Most": int64(billdoc.PDFLines)})
}

// CheckLines refuses a PDF of more lines than it may have; lines is -1 where they are not counted, and
// then the file finds out. Fault: export.pdf_too_long.
func CheckLines(kind, format string, lines int64) error {
	if kind == KindLines && billdoc.Format(format) == billdoc.FormatPDF && lines > billdoc.PDFLines {
		return tooLong(lines)
	}
	return nil
}

// run counts what was written, for progress and for the comparison with the page.
type run struct {
	totals      bill.LineTotals
	rows        int64
	most        int64 // 0 = any number
	amount, tax money.Amount
	met         map[string]bool // codes of the customers it holds
}

func (r *run) add(ctx context.Context, row *bill.LineRow) error {
	if r.rows++; r.most > 0 && r.rows > r.most {
		return tooLong(r.rows)
	}
	r.met[row.Customer.Code] = true
	kind := row.Line.Kind
	if row.Item != nil {
		kind = row.Item.Kind
	}
	if kind == usage.KindTax {
		r.tax += row.Amount
	} else {
		r.amount += row.Amount
	}
	if r.rows%100 != 0 {
		return nil
	}
	return export.Report(ctx, r.rows, max(r.totals.Count, 0))
}

// check compares with the totals of the page. They differ when lines of an open cycle changed while the
// file was written; it is then written again.
func (r *run) check() error {
	if r.amount != r.totals.Amount || r.tax != r.totals.Tax || r.totals.Count >= 0 && r.rows != r.totals.Count {
		return fault.Unavailable("export.changed_meanwhile", nil)
	}
	return nil
}

// Mask leaves the first character of a name.
func Mask(name string) string {
	r := []rune(name)
	if len(r) == 0 {
		return ""
	}
	return string(r[:1]) + "***"
}
