package expview

import (
	"github.com/a-h/templ"

	"huoban/web/templates/part"
)

// rows are the page: they are written by hand, see part.Markup.
func (p Lines) rows() templ.Component {
	return part.Write(func(m *part.Markup) {
		for i := range p.Rows {
			p.row(m, &p.Rows[i])
		}
	})
}

func (p *Lines) row(m *part.Markup, r *Line) {
	m.Raw(`<tr id="line-`)
	m.Text(r.ID)
	m.Raw(`"><th scope="row" class="hb-mono">`)
	m.Text(r.Number)
	m.Raw(`</th>`)
	for _, key := range p.Columns {
		r.cell(m, key)
	}
	m.Raw(`<td class="num m">`)
	money(m, r.Amount)
	m.Raw(`</td></tr>`)
}

func (r *Line) cell(m *part.Markup, key string) {
	switch key {
	case "charged":
		named(m, `<td class="num-l" data-l="`, "expenditure.col.charged", r.Charged)
	case "customer":
		if !r.Masked {
			named(m, `<td data-l="`, "expenditure.col.customer", r.Customer)
			return
		}
		m.Raw(`<td data-l="`)
		m.Say("expenditure.col.customer")
		m.Raw(`"><span class="hb-mask">`)
		m.Text(r.Customer)
		m.Raw(`</span></td>`)
	case "relation":
		plain(m, `<td class="x">`, r.Relation)
	case "manager":
		if !r.Hidden {
			plain(m, `<td class="x">`, r.Manager)
			return
		}
		m.Raw(`<td class="x"><span class="hb-mask">`)
		m.Text(r.Manager)
		m.Raw(`</span></td>`)
	case "product":
		named(m, `<td data-l="`, "expenditure.col.product", r.Product)
	case "resource":
		plain(m, `<td class="x hb-s">`, r.Resource)
	case "region":
		plain(m, `<td class="x">`, r.Region)
	case "mode":
		plain(m, `<td class="x">`, r.Mode)
	case "kind":
		named(m, `<td data-l="`, "expenditure.col.kind", r.Kind)
	case "list":
		m.Raw(`<td class="num x">`)
		money(m, r.List)
		m.Raw(`</td>`)
	}
}

// named is a cell that says what it is where the table falls apart into cards.
func named(m *part.Markup, head, key, text string) {
	m.Raw(head)
	m.Say(key)
	plain(m, `">`, text)
}

func plain(m *part.Markup, head, text string) {
	m.Raw(head)
	m.Text(text)
	m.Raw(`</td>`)
}

func money(m *part.Markup, a part.Money) {
	if a.Full != "" {
		m.Raw(`<span class="hb-money" title="`)
		m.Text(a.Full)
		m.Raw(`">`)
	} else {
		m.Raw(`<span class="hb-money">`)
	}
	m.Text(a.Text)
	m.Raw(`</span>`)
}
