package billdoc

import (
	"bytes"
	"io"
	"time"

	"codeberg.org/go-pdf/fpdf"
)

// Letter is a document somebody sends under an own letter head: parties and facts, a table, totals and notes. Every
// text is ready to print.
type Letter struct {
	Title   string
	Logo    []byte   // a PNG; nil = none
	Sender  []string // the first line is the name
	Facts   [][2]string
	Columns []LetterColumn // their widths sum to 180
	Rows    [][]string
	Totals  [][2]string // the last is what is asked for
	Notes   []string
	Foot    string
	At      time.Time
}

// LetterColumn is a column of the table, its width in millimetres.
type LetterColumn struct {
	Title  string
	Width  float64
	Figure bool
}

// logoWidth and logoHeight are the box a logo is fitted into.
const (
	logoWidth  = 50.0
	logoHeight = 18.0
)

type letter struct {
	*typesetter
	l *Letter
}

// WriteLetter writes a letter as PDF, A4 upright. The same letter gives the same bytes.
func WriteLetter(w io.Writer, l *Letter) error {
	t, err := newTypesetter()
	if err != nil {
		return err
	}
	p := &letter{t, l}
	p.SetCatalogSort(true)
	p.SetMargins(margin, margin, margin)
	p.SetAutoPageBreak(false, margin)
	p.SetCreationDate(l.At.UTC())
	p.SetModificationDate(l.At.UTC())
	p.SetTitle(l.Title, true)
	p.newPage()
	p.head()
	p.facts()
	p.table()
	p.totals()
	p.notes()
	if err := p.Error(); err != nil {
		return err
	}
	return p.Output(w)
}

func (p *letter) newPage() {
	p.AddPage()
	p.SetXY(margin, pageHeight-margin)
	p.put(p.l.Foot, 140, 4, 8, false)
	p.put(count(int64(p.PageNo())), pageWidth-2*margin-140, 4, 8, true)
	p.SetXY(margin, margin)
}

// room begins a further page where less than so much is left.
func (p *letter) room(height float64) {
	if p.GetY()+height > pageHeight-2*margin {
		p.newPage()
	}
}

func (p *letter) head() {
	top := p.GetY()
	if len(p.l.Logo) > 0 {
		info := p.RegisterImageOptionsReader("logo", fpdf.ImageOptions{ImageType: "PNG"}, bytes.NewReader(p.l.Logo))
		if info != nil && info.Width() > 0 && info.Height() > 0 {
			scale := min(logoWidth/info.Width(), logoHeight/info.Height())
			p.ImageOptions("logo", margin, top, info.Width()*scale, info.Height()*scale, false, fpdf.ImageOptions{ImageType: "PNG"}, 0, "")
		}
	}
	const left = 100.0
	for i, line := range p.l.Sender {
		size := 9.0
		if i == 0 {
			size = 12
		}
		for _, part := range p.wrap(line, pageWidth-margin-left, size) {
			p.SetX(left)
			p.put(part, pageWidth-margin-left, size*0.5, size, false)
			p.Ln(size * 0.5)
		}
	}
	p.SetXY(margin, max(p.GetY(), top+logoHeight)+4)
	p.put(p.l.Title, pageWidth-2*margin, 10, 18, false)
	p.Ln(13)
}

func (p *letter) facts() {
	for _, f := range p.l.Facts {
		p.put(f[0], 35, rowHeight-1, 9, false)
		for _, line := range p.wrap(f[1], pageWidth-2*margin-35, 9) {
			p.SetX(margin + 35)
			p.put(line, pageWidth-2*margin-35, rowHeight-1, 9, false)
			p.Ln(rowHeight - 1)
		}
	}
	p.Ln(4)
}

func (p *letter) table() {
	titles := make([]string, len(p.l.Columns))
	for i, c := range p.l.Columns {
		titles[i] = c.Title
	}
	p.row(titles, 8.5)
	for _, r := range p.l.Rows {
		if p.GetY() > pageHeight-2*margin-rowHeight {
			p.newPage()
			p.row(titles, 8.5)
		}
		p.row(r, 8)
	}
}

func (p *letter) row(cells []string, size float64) {
	for i, c := range p.l.Columns {
		p.put(cells[i], c.Width-2, rowHeight, size, c.Figure)
		p.SetX(p.GetX() + 2)
	}
	p.SetDrawColor(208, 208, 208)
	p.SetLineWidth(0.15)
	p.Line(margin, p.GetY()+rowHeight, pageWidth-margin, p.GetY()+rowHeight)
	p.Ln(rowHeight)
}

func (p *letter) totals() {
	p.Ln(3)
	p.room(float64(len(p.l.Totals)+1) * rowHeight)
	for i, t := range p.l.Totals {
		size := 9.0
		if i == len(p.l.Totals)-1 {
			size = 12
		}
		p.SetX(105)
		p.put(t[0], 45, size*0.65, size, false)
		p.put(t[1], pageWidth-margin-150, size*0.65, size, true)
		p.Ln(size * 0.65)
	}
	p.Ln(5)
}

func (p *letter) notes() {
	for _, n := range p.l.Notes {
		for _, line := range p.wrap(n, pageWidth-2*margin, 8.5) {
			p.room(5)
			p.put(line, pageWidth-2*margin, 5, 8.5, false)
			p.Ln(5)
		}
	}
}
