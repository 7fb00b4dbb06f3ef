package expview

import (
	"context"
	"io"
	"strconv"

	"github.com/a-h/templ"

	"huoban/internal/i18n"
	"huoban/web/templates/layout"
	"huoban/web/templates/part"
)

// Page is 消费明细. It is the page that is looked at most, so it is written by hand, see part.Markup.
func (p *Lines) Page() templ.Component { return Around(p.Frame(), p.Content()) }

// Around is a page with its frame.
func Around(frame layout.Page, content templ.Component) templ.Component {
	return templ.ComponentFunc(func(ctx context.Context, w io.Writer) error {
		return layout.Frame(frame).Render(templ.WithChildren(ctx, content), w)
	})
}

// Content is the page without its frame.
func (p *Lines) Content() templ.Component { return part.Write(p.page) }

func (p *Lines) page(m *part.Markup) {
	m.Put(part.HeaderOf(p.Header))
	m.Raw(` `)
	m.Put(part.TabsOf(m.T("expenditure.tabs"), p.Tabs))
	m.Raw(` `)
	if p.Flash != nil {
		m.Put(part.FlashOf(*p.Flash))
	}
	m.Raw(` `)
	m.Put(part.NoteOf(part.Grey, p.Notice))
	m.Raw(` `)
	if p.Since != "" {
		m.Put(part.NoteOf(part.Grey, p.Since))
	}
	if len(p.Kinds) > 0 {
		m.Raw(` `)
		m.Put(part.TabsOf(m.T("expenditure.kinds"), p.Kinds))
	}
	m.Raw(` <section class="hb-card" id="lines">`)
	m.Put(part.FilterOf(p.Filter))
	m.Put(part.ToolOf(p.Tool))
	if p.Empty != nil && p.Count == 0 {
		m.Put(part.EmptyOf(*p.Empty))
	} else {
		m.Raw(`<div class="hb-scroll stick" tabindex="0" role="region" aria-label="`)
		m.Say("expenditure.lines.caption")
		m.Raw(`">`)
		p.table(m)
		m.Raw(`</div>`)
		m.Put(part.PagerOf(p.Pager))
	}
	m.Raw(`</section>`)
}

func (p *Lines) table(m *part.Markup) {
	m.Raw(`<table class="hb-table cards" data-rows><caption class="visually-hidden">`)
	m.Say("expenditure.lines.caption")
	m.Raw(`</caption> <thead><tr><th scope="col">`)
	m.Say("expenditure.col.number")
	m.Raw(`</th>`)
	columns := Columns(p.Columns, m.T)
	for i := range columns {
		p.head(m, &columns[i])
	}
	m.Raw(`<th scope="col" class="num">`)
	m.Say("expenditure.col.amount")
	m.Raw(` (`)
	m.Text(p.Unit)
	m.Raw(`)</th></tr></thead> <tbody>`)
	if p.RowsMark != "" {
		m.Raw(p.RowsMark)
	} else {
		p.WriteRows(m, columns)
	}
	p.total(m, &p.AllTotal, len(columns)+1)
	m.Raw(`</tfoot></table>`)
}

// WriteRows writes the rows and what they amount to, of all the page as much as belongs to one place of the list;
// Count, Row, Unit and PageTotal are all it takes.
func (p *Lines) WriteRows(m *part.Markup, columns []Column) {
	var row Line
	for i := range p.Count {
		p.Row(i, &row)
		p.row(m, &row, columns)
	}
	m.Raw(`</tbody><tfoot>`)
	p.total(m, &p.PageTotal, len(columns)+1)
}

// Column is one that is shown, with its heading and what each of its cells begins with.
type Column struct{ key, title, begin string }

// Columns are those of the keys, as T names them.
func Columns(keys []string, t func(key string, pairs ...any) string) []Column {
	out := make([]Column, len(keys))
	for i, key := range keys {
		x := &out[i]
		x.key, x.title = key, t("expenditure.col."+key)
		label := ` data-l="` + part.Escaped(x.title) + `">`
		switch key {
		case "charged":
			x.begin = `<td class="num-l"` + label
		case "customer", "product", "kind":
			x.begin = `<td` + label // says what it is where the table falls apart into cards
		case "resource", "order":
			x.begin = `<td class="x hb-s">`
		case "list":
			x.begin = `<td class="num x">`
		default:
			x.begin = `<td class="x">`
		}
	}
	return out
}

func (p *Lines) head(m *part.Markup, x *Column) {
	switch x.key {
	case "customer":
		eyed(m, x.title, p.Eye)
		return
	case "manager":
		eyed(m, x.title, p.Managers)
		return
	case "list":
		m.Raw(`<th scope="col" class="num">`)
	default:
		m.Raw(`<th scope="col">`)
	}
	m.Text(x.title)
	m.Raw(`</th>`)
}

func eyed(m *part.Markup, title string, eye *part.Eye) {
	m.Raw(`<th scope="col"><span class="hb-row hb-tight">`)
	m.Text(title)
	m.Raw(` `)
	if eye != nil {
		m.Put(part.EyeOf(*eye))
	}
	m.Raw(`</span></th>`)
}

// total is a row below the lines; its label stands over so many columns.
func (p *Lines) total(m *part.Markup, t *Total, span int) {
	m.Raw(`<tr><th scope="row" colspan="`)
	m.Text(strconv.Itoa(span))
	m.Raw(`">`)
	m.Text(t.Label)
	m.Raw(`</th><td class="num m">`)
	m.Exact(t.Amount, p.Unit)
	m.Raw(`</td></tr>`)
}

func (p *Lines) row(m *part.Markup, r *Line, columns []Column) {
	m.Raw(`<tr id="line-`)
	m.Text(r.ID)
	m.Raw(`"><th scope="row" class="hb-mono">`)
	m.Text(r.Number)
	m.Raw(`</th>`)
	for i := range columns {
		m.Raw(columns[i].begin)
		p.cell(m, r, columns[i].key)
		m.Raw(`</td>`)
	}
	m.Raw(`<td class="num m">`)
	m.Exact(r.Amount, p.Unit)
	m.Raw(`</td></tr>`)
}

func (p *Lines) cell(m *part.Markup, r *Line, key string) {
	switch key {
	case "charged":
		m.Time(r.Charged)
	case "customer":
		masked(m, r.Customer, r.Masked)
	case "relation":
		m.Text(r.Relation)
	case "manager":
		masked(m, r.Manager, r.Hidden)
	case "product":
		m.Text(r.Product)
	case "resource":
		m.Text(r.Resource)
	case "order":
		m.Text(r.Order)
	case "region":
		m.Text(r.Region)
	case "mode":
		m.Text(r.Mode)
	case "kind":
		m.Text(r.Kind)
	case "list":
		if r.Listed {
			m.Exact(r.List, p.Unit)
		} else {
			m.Money(part.Money{Text: i18n.Nothing})
		}
	}
}

// masked is a name, or what stands for it.
func masked(m *part.Markup, text string, hidden bool) {
	if !hidden {
		m.Text(text)
		return
	}
	m.Raw(`<span class="hb-mask">`)
	m.Text(text)
	m.Raw(`</span>`)
}
