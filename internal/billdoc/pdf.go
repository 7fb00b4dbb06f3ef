package billdoc

import (
	"context"
	"io"
	"time"

	"huoban/internal/bill"
)

// PDFLines is the number of lines a PDF prints; whoever wants more takes a table format. A document made
// by a command says how many it left out, the portal refuses to make one.
const PDFLines = 5000

// page measures in millimetres, A4 upright.
const (
	pageWidth  = 210.0
	pageHeight = 297.0
	margin     = 15.0
	rowHeight  = 6.0
)

type pdf struct {
	*typesetter
	o Options
}

// writePDF writes one document after the other, each beginning on its own page: parties, figures, and
// the split asked for, by product where none was.
func writePDF(ctx context.Context, out io.Writer, docs []bill.Document, o Options, compress bool) error {
	t, err := newTypesetter()
	if err != nil {
		return err
	}
	p := &pdf{t, o}
	p.SetCatalogSort(true)
	p.SetCompression(compress)
	p.SetMargins(margin, margin, margin)
	p.SetAutoPageBreak(false, margin)
	p.SetCreationDate(stampOf(docs))
	p.SetModificationDate(stampOf(docs))
	p.SetTitle(o.word("bill.title", "partner bill"), true)
	for i := range docs {
		p.document(ctx, &docs[i])
		if err := p.Error(); err != nil {
			return err
		}
	}
	if len(docs) == 0 {
		p.newPage("")
		p.text(10, o.word("bill.none", "no bill"))
	}
	return p.Output(out)
}

// stampOf is the date of the newest document, so that the same bill gives the same file.
func stampOf(docs []bill.Document) time.Time {
	at := time.Unix(0, 0).UTC()
	for i := range docs {
		for _, t := range []time.Time{docs[i].DraftedAt, docs[i].IssuedAt} {
			if t.After(at) {
				at = t
			}
		}
	}
	return at
}

func (p *pdf) document(ctx context.Context, d *bill.Document) {
	foot := p.o.word("bill.column.code", "code") + " " + d.Code
	p.newPage(foot)
	p.text(16, p.o.word("bill.title", "partner bill")+" "+string(d.Cycle))
	p.text(10, p.o.value("bill.state.", string(d.State)))
	p.Ln(2)
	for _, line := range [][2]string{{"partner", d.Partner.Code + " " + d.Partner.Name}, {"seller", d.Seller.Code + " " + d.Seller.Name},
		{"entity", d.Entity.Code + " " + d.Entity.Name}, {"currency", d.Currency}, {"line_count", count(d.LineCount)}, {"filter", p.o.Filter},
		{"override_note", d.OverrideNote}} {
		if line[1] != "" {
			p.pair(line[0], line[1])
		}
	}
	p.Ln(3)
	for _, line := range [][2]string{{"consumption", d.Consumption.String()}, {"refund", d.Refund.String()}, {"adjustment", d.Adjustment.String()},
		{"coupon", d.Coupon.String()}, {"rounding", d.Rounding.String()}, {"amount_due", d.Due.String()}, {"tax", d.Tax.String()},
		{"source_total", d.SourceTotal.String()}, {"exact_total", d.ExactTotal.String()}, {"residue", d.Residue().String()}} {
		p.pair(line[0], line[1])
	}
	p.Ln(3)
	o := p.o
	if o.By == bill.ByNothing {
		o.By = bill.ByProduct
	}
	t := split(d, o)
	p.table(ctx, t, foot)
	if o.Foot && o.By == bill.ByLine {
		totals := d.LineTotals(o.Select)
		p.Ln(3)
		for _, line := range [][2]string{{"total", totals.Amount.String()}, {"tax", totals.Tax.String()}, {"code", d.Code}} {
			p.pair(line[0], line[1])
		}
	}
}

func (p *pdf) newPage(foot string) {
	p.AddPage()
	p.SetXY(margin, pageHeight-margin)
	p.put(foot, 120, 4, 8, false)
	p.put(count(int64(p.PageNo())), pageWidth-2*margin-120, 4, 8, true)
	p.SetXY(margin, margin)
}

func (p *pdf) text(size float64, s string) {
	p.put(s, pageWidth-2*margin, size*0.6, size, false)
	p.Ln(size * 0.6)
}

func (p *pdf) pair(name, value string) {
	const label, height = 45.0, rowHeight - 1
	p.put(p.o.word("bill.column."+name, name), label, height, 9, false)
	for _, line := range p.wrap(value, pageWidth-2*margin-label, 9) {
		p.SetX(margin + label)
		p.put(line, pageWidth-2*margin-label, height, 9, false)
		p.Ln(height)
	}
}

// pdfColumns are the columns a narrow page has room for, and their widths in millimetres.
var pdfColumns = map[bill.By][]struct {
	name  string
	width float64
}{
	bill.ByProduct:  {{"provider", 22}, {"product", 53}, {"region", 25}, {"line_count", 14}, {"amount", 33}, {"tax", 33}},
	bill.ByCustomer: {{"customer", 45}, {"customer_name", 55}, {"line_count", 14}, {"amount", 33}, {"tax", 33}},
	bill.ByLine:     {{"customer", 30}, {"charge_start", 35}, {"product", 45}, {"kind", 22}, {"factor", 15}, {"amount", 33}},
}

func (p *pdf) table(ctx context.Context, t table, foot string) {
	by := p.o.By
	if by == bill.ByNothing {
		by = bill.ByProduct
	}
	at := make([]int, len(pdfColumns[by]))
	for i, want := range pdfColumns[by] {
		for j, c := range t.columns {
			if c.name == want.name {
				at[i] = j
			}
		}
	}
	head := p.o.head(t.columns)
	p.row(by, at, t, head, foot)
	n, left := 0, 0
	err := t.rows(ctx, func(row []string) error {
		if n++; n > PDFLines {
			left++
			return nil
		}
		p.row(by, at, t, row, foot)
		return p.Error()
	})
	if err != nil {
		p.SetError(err)
		return
	}
	if left > 0 {
		p.pair("not_printed", count(int64(left)))
	}
	if t.total != nil {
		p.row(by, at, t, t.total, foot)
	}
}

func (p *pdf) row(by bill.By, at []int, t table, cells []string, foot string) {
	if p.GetY() > pageHeight-2*margin {
		p.newPage(foot)
	}
	for i, c := range pdfColumns[by] {
		p.put(cells[at[i]], c.width-2, rowHeight, 7.5, t.columns[at[i]].class != classText)
		p.SetX(p.GetX() + 2)
	}
	p.SetDrawColor(208, 208, 208)
	p.SetLineWidth(0.15)
	p.Line(margin, p.GetY()+rowHeight, pageWidth-margin, p.GetY()+rowHeight)
	p.Ln(rowHeight)
}
