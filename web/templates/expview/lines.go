package expview

import (
	"context"
	"io"

	"github.com/a-h/templ"

	"huoban/internal/i18n"
	"huoban/web/templates/layout"
	"huoban/web/templates/part"
)

// Page is 消费明细. It is the page that is looked at most, so it is written by hand, see part.Markup.
func (p Lines) Page() templ.Component {
	body := part.Write(p.page)
	return templ.ComponentFunc(func(ctx context.Context, w io.Writer) error {
		return layout.Frame(p.layout()).Render(templ.WithChildren(ctx, body), w)
	})
}

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
	m.Raw(` <section class="hb-card" id="lines">`)
	m.Put(part.FilterOf(p.Filter))
	m.Put(part.ToolOf(p.Tool))
	if len(p.Rows) == 0 && p.Empty != nil {
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
	columns := make([]column, len(p.Columns))
	for i, key := range p.Columns {
		columns[i] = column{key, m.T("expenditure.col." + key)}
		p.head(m, columns[i])
	}
	m.Raw(`<th scope="col" class="num">`)
	m.Say("expenditure.col.amount")
	m.Raw(` (`)
	m.Text(p.Unit)
	m.Raw(`)</th></tr></thead> <tbody>`)
	for i := range p.Rows {
		p.row(m, &p.Rows[i], columns)
	}
	m.Raw(`</tbody><tfoot>`)
	p.total(m, &p.PageTotal)
	p.total(m, &p.AllTotal)
	m.Raw(`</tfoot></table>`)
}

// column is one that is shown, with its heading.
type column struct{ key, title string }

func (p *Lines) head(m *part.Markup, x column) {
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

func (p *Lines) total(m *part.Markup, t *Total) {
	m.Raw(`<tr><th scope="row" colspan="`)
	m.Text(p.span())
	m.Raw(`">`)
	m.Text(t.Label)
	m.Raw(`</th><td class="num m">`)
	m.Exact(t.Amount, p.Unit)
	m.Raw(`</td></tr>`)
}

func (p *Lines) row(m *part.Markup, r *Line, columns []column) {
	m.Raw(`<tr id="line-`)
	m.Text(r.ID)
	m.Raw(`"><th scope="row" class="hb-mono">`)
	m.Text(r.Number)
	m.Raw(`</th>`)
	for i := range columns {
		p.cell(m, r, &columns[i])
	}
	m.Raw(`<td class="num m">`)
	m.Exact(r.Amount, p.Unit)
	m.Raw(`</td></tr>`)
}

func (p *Lines) cell(m *part.Markup, r *Line, x *column) {
	switch x.key {
	case "charged":
		m.Raw(`<td class="num-l" data-l="`)
		m.Text(x.title)
		m.Raw(`">`)
		m.Time(r.Charged)
		m.Raw(`</td>`)
	case "customer":
		named(m, x, r.Customer, r.Masked)
	case "relation":
		plain(m, `<td class="x">`, r.Relation, false)
	case "manager":
		plain(m, `<td class="x">`, r.Manager, r.Hidden)
	case "product":
		named(m, x, r.Product, false)
	case "resource":
		plain(m, `<td class="x hb-s">`, r.Resource, false)
	case "region":
		plain(m, `<td class="x">`, r.Region, false)
	case "mode":
		plain(m, `<td class="x">`, r.Mode, false)
	case "kind":
		named(m, x, r.Kind, false)
	case "list":
		m.Raw(`<td class="num x">`)
		if r.List != nil {
			m.Exact(*r.List, p.Unit)
		} else {
			m.Money(part.Money{Text: i18n.Nothing})
		}
		m.Raw(`</td>`)
	}
}

// named is a cell that says what it is where the table falls apart into cards.
func named(m *part.Markup, x *column, text string, masked bool) {
	m.Raw(`<td data-l="`)
	m.Text(x.title)
	plain(m, `">`, text, masked)
}

func plain(m *part.Markup, head, text string, masked bool) {
	m.Raw(head)
	if masked {
		m.Raw(`<span class="hb-mask">`)
		m.Text(text)
		m.Raw(`</span></td>`)
		return
	}
	m.Text(text)
	m.Raw(`</td>`)
}
