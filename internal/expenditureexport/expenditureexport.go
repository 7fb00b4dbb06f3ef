// Package expenditureexport makes the export files of customer expenditure (客户消费) for the export task.
//
// It owns the kinds, what a task keeps of the filter, and the columns; it does not own the filter
// (expenditure), the writing of tables (billdoc), the task (export) nor words. Invariants: a file is read
// under the scope its owner has when it is made; names of customers are masked; a file whose rows do
// not add up to the total of its list is never handed out.
package expenditureexport

import (
	"context"
	"encoding/json"
	"io"
	"maps"
	"slices"

	"huoban/internal/billdoc"
	"huoban/internal/customer"
	"huoban/internal/cycle"
	"huoban/internal/expenditure"
	"huoban/internal/export"
	"huoban/internal/fault"
	"huoban/internal/scope"
	"huoban/internal/usage"
)

// The kinds of export, one per page.
const (
	KindSummary = "expenditure"       // 消费汇总
	KindLines   = "expenditure.lines" // 消费明细
)

// Formats are what either kind can be written as; the first is offered first.
var Formats = []billdoc.Format{billdoc.FormatXLSX, billdoc.FormatCSV}

// Owns tells whether a kind is one of this package.
func Owns(kind string) bool { return kind == KindSummary || kind == KindLines }

// Params are a filter as a task keeps it.
type Params struct {
	Cycle    string `json:"cycle"`
	Currency string `json:"currency,omitempty"`
	Customer string `json:"customer,omitempty"` // code
	Relation string `json:"relation,omitempty"`
	Manager  string `json:"manager,omitempty"` // login
	Product  string `json:"product,omitempty"`
	Region   string `json:"region,omitempty"`
	Mode     string `json:"mode,omitempty"`
	Kind     string `json:"kind,omitempty"`
	NonZero  bool   `json:"non_zero,omitempty"`
	From     string `json:"from,omitempty"`  // days, both included
	Until    string `json:"until,omitempty"` //
	Resource string `json:"resource,omitempty"`
	Account  string `json:"account,omitempty"`
	Order    string `json:"order,omitempty"` // 订单号

	Columns []string `json:"columns,omitempty"` // between what names a row and its amount, in their order; none are all

	Filter string `json:"filter,omitempty"` // in words, as the page showed it
	Lang   string `json:"lang,omitempty"`   // of the person who asked
}

// Of keeps a filter.
func Of(f expenditure.Filter) Params {
	return Params{Cycle: string(f.Cycle), Currency: f.Currency, Customer: f.Customer, Relation: string(f.Relation), Manager: f.Manager, Product: f.Product,
		Region: f.Region, Mode: string(f.Mode), Kind: string(f.Kind), NonZero: f.NonZero, From: f.From, Until: f.Until, Resource: f.Resource, Account: f.Account, Order: f.Order}
}

func (p Params) filter() (expenditure.Filter, error) {
	c, err := cycle.Parse(p.Cycle)
	return expenditure.Filter{Cycle: c, Currency: p.Currency, Customer: p.Customer, Relation: customer.Kind(p.Relation), Manager: p.Manager, Product: p.Product,
		Region: p.Region, Mode: usage.ChargingMode(p.Mode), Kind: usage.Kind(p.Kind), NonZero: p.NonZero, From: p.From, Until: p.Until, Resource: p.Resource, Account: p.Account, Order: p.Order}, err
}

// Check refuses a format neither kind has. Fault: export.format_unknown.
func Check(format string) error {
	if slices.Contains(Formats, billdoc.Format(format)) {
		return nil
	}
	return fault.Invalid("export.format_unknown", fault.Args{"format": format, "formats": "xlsx, csv"})
}

// Reader gives what was consumed; expenditure.Service does.
type Reader interface {
	Summarise(ctx context.Context, sc scope.Scope, f expenditure.Filter) (*expenditure.Summary, error)
	EachLine(ctx context.Context, sc scope.Scope, f expenditure.Filter, fn func(*expenditure.LineRow) error) (*expenditure.Totals, error)
	OfMonth(ctx context.Context, sc scope.Scope, c cycle.Cycle) ([]expenditure.Older, error)
}

// Deps are what the producers need.
type Deps struct {
	Expenditure Reader
	Words       func(lang string) func(key string) string
}

// Register names the producers of all kinds.
func Register(s *export.Service, d Deps) {
	s.Register(KindSummary, d.produce)
	s.Register(KindLines, d.produce)
	s.Register(KindArchive, d.archive)
}

func (d Deps) produce(ctx context.Context, sc scope.Scope, t export.Task, w io.Writer) (export.Produced, error) {
	var p Params
	err := json.Unmarshal(t.Params, &p)
	if err != nil || !Owns(t.Kind) {
		return export.Produced{}, fault.Invalid("export.kind_unknown", fault.Args{"kind": t.Kind}).Because(err)
	}
	if err := Check(t.Format); err != nil {
		return export.Produced{}, err
	}
	if err := sc.Require(scope.ItemExpenditureExport); err != nil {
		return export.Produced{}, err
	}
	f, err := p.filter()
	if err != nil {
		return export.Produced{}, err
	}
	x := &file{deps: d, sc: sc, f: f, p: p, word: d.Words(p.Lang), people: sc.Side() != scope.SideCustomer, met: map[string]bool{}}
	sheet, ending := x.summary(), ""
	if t.Kind == KindLines {
		sheet, ending = x.lines(), "-lines"
	}
	format := billdoc.Format(t.Format)
	if err := billdoc.WriteSheet(ctx, w, format, sheet); err != nil {
		return export.Produced{}, err
	}
	name := "expenditure-" + p.Cycle
	if x.page.currency != "" {
		name += "-" + x.page.currency
	}
	return export.Produced{FileName: name + ending + "." + format.Extension(), ContentType: format.MediaType(), Rows: x.rows, Code: x.page.code, Customers: slices.Sorted(maps.Keys(x.met))}, nil
}
