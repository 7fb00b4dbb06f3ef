// Package billview holds the pages of 伙伴账单 (the partner bill): choice of bill, overview, by product,
// by customer, lines, adjustments, and the explanation of any figure.
//
// It owns their markup and props. It owns no figure: every amount arrives as text, computed once by the
// bill, so that page, export and PDF cannot differ.
package billview

import (
	"huoban/web/templates/listview"
	"huoban/web/templates/part"
)

// Doc is what every page of one bill shares.
type Doc struct {
	Header part.Header
	Tabs   []part.Tab // overview, by product, by customer, lines, adjustments
	Print  string     // organisation, document, cycle, state, filter, count, seal
	Notes  []string   // footer: unit of amounts, rounding
	Rules  []string
	Flash  *part.Flash
	Bar    *part.Flash // something that stands: overridden close, stale estimate
}

// List is a list of or about bills: those of a cycle where there are several, one through its cycles, its
// adjustments. Empty stands alone where there is no bill at all.
type List struct {
	Doc
	Grid  listview.Grid
	Empty *part.Empty
}

// Overview is the bill on one page: the equation, what can be done, why it changed, its splits.
type Overview struct {
	Doc
	Equation  part.Equation
	Buttons   []part.Button
	Seal      *part.Seal
	Export    *part.Export
	Facts     []part.Item // source total, exact total, residue, tax, lines
	Change    *part.Change
	History   *part.Chart
	Products  *Split
	Customers *Split
	Empty     *part.Empty // no bill in this cycle
}

// Split is the bill by product or by customer, as a card of the overview (All leads to the page).
type Split struct {
	Title string
	Note  string
	Name  string    // head of the first column
	Eye   *part.Eye // nil = its names are not masked
	All   string
	Delta bool // show the change to the month before
	Rows  []SplitRow
	Total SplitRow
}

// SplitRow is one product or customer. Consumption, Refund and Adjustment stand on the page only.
type SplitRow struct {
	Name        string
	Href        string
	Lines       string
	Consumption part.Money
	Refund      part.Money
	Adjustment  part.Money
	Amount      part.Money
	Share       part.Share
	Delta       part.Money
}

// By is the page 按产品 or 按客户.
type By struct {
	Doc
	Tool  part.Tool
	Split Split
	Seal  *part.Seal
	Empty *part.Empty
}

// Lines is 明细, the list of a bill's lines; a row opens to why (?why=<id>).
type Lines struct {
	Doc
	Filter    part.Filter
	Tool      part.Tool
	Unit      string    // currency, for the heads of columns
	Sort      *Sort     // order by charge time
	Columns   []string  // shown between number and amount, in their order
	Eye       *part.Eye // nil = customer names are not masked
	Rows      []Line
	PageTotal TotalRow
	AllTotal  TotalRow
	Pager     part.Pager
	Empty     *part.Empty
}

// Sort is the order of the list: its present direction and the address that turns it.
type Sort struct {
	Descending bool
	Href       string
}

// TotalRow is a sum below the list.
type TotalRow struct {
	Label  string
	Amount part.Money
}

// Line is one line of the bill.
type Line struct {
	ID       string // stable, used for anchors
	Number   string // short line number as shown
	Href     string // toggles why, "?…&why=<id>#line-<id>"
	Charged  string
	Customer string
	Masked   bool
	Product  string
	Mode     string
	Region   string
	Resource string
	Rule     string
	Kind     string
	Base     part.Money
	Factor   string
	Amount   part.Money
	Why      *part.Why // set = the row is open
}

// Explain is "why this amount" of a computed figure: the groups it is the sum of, each opening to its
// lines and so to the imported file.
type Explain struct {
	Doc
	Back   part.Link
	Title  string
	Amount string // exact
	Rule   string // how it is computed, one sentence
	Unit   string
	Facts  []part.Item
	Rows   []Group
	Total  Group
	Why    *part.Why // for a figure that is one step, such as rounding
}

// Group is lines with equal customer, product, mode, kind and price rule.
type Group struct {
	Name   string // product · customer
	Href   string // its lines
	Kind   string
	Rule   string
	Factor string
	Lines  string
	Base   part.Money
	Exact  string // before rounding to eight decimals
	Amount part.Money
}
