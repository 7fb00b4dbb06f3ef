// Package expview is the pages of 客户消费: the summary and the lines.
//
// It owns their markup. Texts come ready from the portal; amounts are exact as delivered.
package expview

import (
	"slices"
	"time"

	"huoban/internal/money"
	"huoban/web/templates/layout"
	"huoban/web/templates/part"
)

// Doc is what both pages share.
type Doc struct {
	Header part.Header
	Tabs   []part.Tab
	Kinds  []part.Tab // 消费账单, 退款账单
	Flash  *part.Flash
	Notice string // that this is no bill
	Since  string // from when a manager's figures count
	Rules  []string
	Print  string
	Notes  []string
	People bool // customers, relations and managers are shown: not to a customer that looks at itself
}

// Summary is 消费汇总.
type Summary struct {
	Doc
	Filter   part.Filter
	Tool     part.Tool
	Equation *part.Equation
	Facts    []part.Item
	Splits   []Split
	Unit     string
	Columns  []string  // shown between what names a row and its amount, in their order
	Eye      *part.Eye // nil = customer names are not masked
	Rows     []Row
	Total    Row
	Pager    part.Pager
	Empty    *part.Empty
}

// Split is the figures of the page divided in another way; its parts add up to the same total.
type Split struct {
	ID    string
	Title string
	Parts []part.Item
	Off   string // why it cannot be made; "" = it can
}

// Row is one customer, product and charging mode.
type Row struct {
	Customer    string
	Masked      bool
	Href        string // its lines
	Relation    string
	Product     string
	Mode        string
	Lines       string
	Consumption part.Money
	Refund      part.Money
	Adjustment  part.Money
	Discount    part.Money
	Amount      part.Money
}

// Lines is 消费明细.
type Lines struct {
	Doc
	Filter    part.Filter
	Tool      part.Tool
	Unit      string
	Columns   []string               // shown between number and amount, in their order
	Eye       *part.Eye              // nil = customer names are not masked
	Managers  *part.Eye              // nil = their names are not masked
	Count     int                    // of rows
	Row       func(i int, row *Line) // fills in one; row is used again for the next
	PageTotal Total
	AllTotal  Total
	Pager     part.Pager
	Empty     *part.Empty
	RowsMark  string // stands in place of the rows and their total in a page that is kept; "" shows them
}

// Total is a row below the lines.
type Total struct {
	Label  string
	Amount money.Exact
}

// Line is one charge.
type Line struct {
	ID       string
	Number   string
	Charged  time.Time
	Customer string
	Masked   bool
	Relation string
	Manager  string
	Hidden   bool // the manager's name is masked
	Product  string
	Resource string
	Order    string // 订单号 it was bought by
	Region   string
	Mode     string
	Kind     string
	List     money.Exact
	Listed   bool // there is a list price
	Amount   money.Exact
}

// Frame is what the frame around both pages needs.
func (d Doc) Frame() layout.Page {
	return layout.Page{Title: d.Header.Title, Print: d.Print, Notes: d.Notes}
}

// texts are the columns that hold no figure: a total says nothing in them.
var texts = []string{"relation", "product", "mode"}

// span is how many columns the label of a total stands over.
func (p Summary) span() int {
	n := slices.IndexFunc(p.Columns, func(key string) bool { return !slices.Contains(texts, key) })
	if n < 0 {
		n = len(p.Columns)
	}
	return n + 1
}
