package listview

import (
	"huoban/internal/i18n"
	"huoban/web/templates/part"
)

// WriteRows writes the rows of a table by hand: they are most of a long page.
func WriteRows(m *part.Markup, heads []Head, rows [][]Cell) {
	for _, row := range rows {
		m.Raw(`<tr>`)
		for i := range row {
			if i == 0 {
				m.Raw(`<th scope="row"><div>`)
				row[i].write(m)
				m.Raw(`</div></th>`)
				continue
			}
			h := &heads[i]
			m.Raw(`<td class="`)
			if h.Num {
				m.Raw(`num`)
			}
			if h.Num && h.Class != "" {
				m.Raw(` `)
			}
			m.Text(h.Class)
			if h.Acts {
				m.Raw(` acts`)
			}
			if row[i].empty() {
				m.Raw(` x`) // a phone leaves out what says nothing
			}
			m.Raw(`" data-l="`)
			m.Text(h.Text)
			m.Raw(`"><div>`)
			row[i].write(m)
			m.Raw(`</div></td>`)
		}
		m.Raw(`</tr>`)
	}
}

// empty tells whether a cell says nothing.
func (x *Cell) empty() bool {
	return (x.Text == "" || x.Text == i18n.Nothing) && x.Note == "" && x.Tick == nil && x.Status == nil && x.Tag == nil && len(x.Lines) == 0 && len(x.Buttons) == 0 && len(x.Links) == 0 && x.Post == nil
}

// write is what stands in a cell.
func (x *Cell) write(m *part.Markup) {
	if x.Tick != nil {
		m.Put(part.TickOf(*x.Tick))
	}
	switch {
	case x.Status != nil:
		m.Put(part.StatusOf(*x.Status))
	case x.Tag != nil:
		m.Put(part.TagOf(*x.Tag))
	case len(x.Lines) > 0:
		m.Put(amounts(x.Lines))
	case x.Text == "" && (len(x.Buttons) > 0 || len(x.Links) > 0 || x.Post != nil):
	case x.Text == "":
		m.Raw(`<span>`)
		m.Text(i18n.Nothing)
		m.Raw(`</span>`)
	default:
		x.text(m)
	}
	if x.Note != "" {
		m.Raw(` <div class="hb-s hb-3 hb-break">`)
		m.Text(x.Note)
		m.Raw(`</div>`)
	}
	if len(x.Buttons) > 0 {
		m.Put(part.ActionsOf(x.Buttons))
	}
	x.links(m)
	if x.Post != nil {
		m.Put(x.Post.form())
	}
}

// text is the text of a cell: a link, a rounded figure or plain.
func (x *Cell) text(m *part.Markup) {
	name := "span"
	if x.Href != "" {
		name = "a"
		m.Raw(`<a href="`)
		m.Link(x.Href)
		m.Raw(`"`)
	} else {
		m.Raw(`<span`)
	}
	class := ""
	if x.Mono {
		class = "hb-mono"
	}
	if x.Masked && x.Href == "" {
		class = "hb-mask"
	}
	if x.Href == "" && x.Full == "" {
		if class != "" {
			class += " "
		}
		class += "hb-break"
	}
	if class != "" {
		m.Raw(` class="`)
		m.Raw(class)
		m.Raw(`"`)
	}
	if x.Full != "" {
		m.Raw(` title="`)
		m.Text(x.Full)
		m.Raw(`"`)
	}
	m.Raw(`>`)
	m.Text(x.Text)
	m.Raw(`</`)
	m.Raw(name)
	m.Raw(`>`)
}

// links writes where a row leads to.
func (x *Cell) links(m *part.Markup) {
	one := func(l *part.Link) {
		m.Raw(`<a class="hb-act" href="`)
		m.Link(l.Href)
		m.Raw(`">`)
		m.Text(l.Text)
		m.Raw(`</a> `)
	}
	if x.More == "" || len(x.Links) == 0 {
		for i := range x.Links {
			one(&x.Links[i])
		}
		return
	}
	m.Raw(`<div class="hb-acts">`)
	one(&x.Links[0])
	if len(x.Links) > 1 {
		m.Raw(`<details class="hb-more"><summary>`)
		m.Text(x.More)
		m.Raw(`</summary><ul>`)
		for i := range x.Links[1:] {
			m.Raw(`<li>`)
			one(&x.Links[i+1])
			m.Raw(`</li>`)
		}
		m.Raw(`</ul></details>`)
	}
	m.Raw(`</div>`)
}
