package part

import "github.com/a-h/templ"

// The parts of every list are written by hand, see Markup.

func (m *Markup) hidden(fields []Hidden) {
	for i := range fields {
		m.Raw(`<input type="hidden" name="`)
		m.Text(fields[i].Name)
		m.Raw(`" value="`)
		m.Text(fields[i].Value)
		m.Raw(`">`)
	}
}

func hiddenFields(fields []Hidden) templ.Component {
	return Write(func(m *Markup) { m.hidden(fields) })
}

// FilterOf is the form that narrows a list.
func FilterOf(f Filter) templ.Component { return Write(func(m *Markup) { m.filter(&f) }) }

func (m *Markup) filter(f *Filter) {
	m.Raw(`<form role="search" class="hb-filter" method="get" action="`)
	m.Link(f.Action)
	m.Raw(`" aria-label="`)
	m.Say("part.filter.name")
	m.Raw(`">`)
	m.hidden(f.Hidden)
	for i := range f.Fields {
		m.filterField(&f.Fields[i])
	}
	m.Raw(`<div class="go"><button type="submit" class="btn btn-primary">`)
	m.Say("part.filter.search")
	m.Raw(`</button> `)
	if f.Reset != "" {
		m.Raw(`<a class="btn" href="`)
		m.Link(f.Reset)
		m.Raw(`">`)
		m.Say("part.filter.reset")
		m.Raw(`</a> `)
	}
	m.Raw(`<button type="button" class="hb-link hb-unfold" data-unfold aria-expanded="false" hidden>`)
	m.Say("part.filter.more")
	m.Raw(`</button></div></form>`)
}

// FilterFields are the fields of a filter within a form that is more than a filter.
func FilterFields(fields []FilterField) templ.Component {
	return Write(func(m *Markup) {
		m.Raw(`<div class="hb-filter" role="search">`)
		for i := range fields {
			m.filterField(&fields[i])
		}
		m.Raw(`<div class="go"><button type="submit" class="btn">`)
		m.Say("part.filter.search")
		m.Raw(`</button></div></div>`)
	})
}

func (m *Markup) filterField(x *FilterField) {
	if x.More {
		m.Raw(`<div class="more"><label for="q-`)
	} else {
		m.Raw(`<div class=""><label for="q-`)
	}
	m.Text(x.Name)
	m.Raw(`">`)
	m.Text(x.Label)
	m.Raw(`</label> `)
	if len(x.Options) == 0 {
		m.Raw(`<input id="q-`)
		m.Text(x.Name)
		m.Raw(`" name="`)
		m.Text(x.Name)
		m.Raw(`" class="form-control" value="`)
		m.Text(x.Value)
		m.Raw(`" placeholder="`)
		m.Text(x.Hint)
		m.Raw(`"></div>`)
		return
	}
	m.Raw(`<select id="q-`)
	m.Text(x.Name)
	m.Raw(`" name="`)
	m.Text(x.Name)
	m.Raw(`" class="form-select">`)
	for i := range x.Options {
		o := &x.Options[i]
		m.Raw(`<option value="`)
		m.Text(o.Value)
		if o.Value == x.Value {
			m.Raw(`" selected>`)
		} else {
			m.Raw(`">`)
		}
		m.Text(o.Label)
		m.Raw(`</option>`)
	}
	m.Raw(`</select></div>`)
}

// ToolOf is the line over a list: how many there are, what narrows them, and what can be done.
func ToolOf(t Tool) templ.Component { return Write(func(m *Markup) { m.tool(&t) }) }

func (m *Markup) tool(t *Tool) {
	m.Raw(`<div class="hb-tool"><span role="status">`)
	m.Text(t.Count)
	m.Raw(`</span> `)
	for i := range t.Conditions {
		c := &t.Conditions[i]
		m.Raw(`<span class="hb-tag brand">`)
		m.Text(c.Text)
		m.Raw(` `)
		if c.Remove != "" {
			m.Raw(`<a class="hb-ico hb-x" href="`)
			m.Link(c.Remove)
			m.Raw(`" aria-label="`)
			m.Say("part.filter.remove", "Name", c.Text)
			m.Raw(`">`)
			m.Icon("close")
			m.Raw(`</a>`)
		}
		m.Raw(`</span> `)
	}
	m.Raw(`<span class="push"></span> `)
	if t.Fresh != "" {
		m.Raw(`<span class="hb-fresh">`)
		m.Icon("clock")
		m.Text(t.Fresh)
		m.Raw(`</span> `)
	}
	m.toolIcon("refresh", t.Refresh, "part.tool.refresh")
	m.toolIcon("rows", t.Density, "part.tool.density")
	if t.Views != nil {
		m.views(t.Views)
		m.Raw(` `)
	}
	if t.Columns != nil {
		m.columns(t.Columns)
	}
	if t.Export != nil {
		m.export(t.Export)
	}
	m.Raw(`</div>`)
}

func (m *Markup) toolIcon(icon, href, key string) {
	if href == "" {
		return
	}
	m.Raw(`<a class="hb-ico hb-hide-s" href="`)
	m.Link(href)
	m.Raw(`" aria-label="`)
	m.Say(key)
	m.Raw(`">`)
	m.Icon(icon)
	m.Raw(`</a> `)
}

func (m *Markup) columns(c *Columns) {
	m.Raw(`<span class="hb-pop"><button type="button" class="btn" popovertarget="`)
	m.Text(c.id())
	m.Raw(`" aria-expanded="false">`)
	m.Say("part.columns.name")
	m.Raw(`</button><div id="`)
	m.Text(c.id())
	m.Raw(`" popover class="end"><form class="hb-pad hb-stack hb-tight" method="post" action="`)
	m.Link(c.Action)
	m.Raw(`">`)
	m.hidden(c.Hidden)
	m.Raw(`<div class="hb-row"><strong>`)
	m.Say("part.columns.name")
	m.Raw(`</strong> <button class="btn btn-sm push" type="submit">`)
	m.Say("part.columns.apply")
	m.Raw(`</button> <button class="btn btn-sm" type="submit" name="reset" value="yes">`)
	m.Say("part.columns.reset")
	m.Raw(`</button></div>`)
	if c.Fixed != "" {
		m.Raw(`<p class="hb-s hb-3">`)
		m.Text(c.Fixed)
		m.Raw(`</p>`)
	}
	for i := range c.Items {
		m.column(&c.Items[i], i == 0, i == len(c.Items)-1)
	}
	m.Raw(`</form></div></span>`)
}

func (m *Markup) column(x *Column, first, last bool) {
	m.Raw(`<div class="hb-row hb-tight"><input type="hidden" name="order" value="`)
	m.Text(x.Key)
	m.Raw(`"> <label class="form-check m-0"><input class="form-check-input" type="checkbox" name="col" value="`)
	m.Text(x.Key)
	m.Raw(`"`)
	if x.On {
		m.Raw(` checked`)
	}
	m.Raw(`><span class="form-check-label">`)
	m.Text(x.Label)
	m.Raw(`</span></label> <span class="push"></span> <button class="hb-ico" type="submit" name="move" value="up:`)
	m.Text(x.Key)
	m.Raw(`"`)
	if first {
		m.Raw(` disabled`)
	}
	m.Raw(` aria-label="`)
	m.Say("part.columns.up", "Name", x.Label)
	m.Raw(`">↑</button> <button class="hb-ico" type="submit" name="move" value="down:`)
	m.Text(x.Key)
	m.Raw(`"`)
	if last {
		m.Raw(` disabled`)
	}
	m.Raw(` aria-label="`)
	m.Say("part.columns.down", "Name", x.Label)
	m.Raw(`">↓</button></div>`)
}

// ExportOf offers a list as files.
func ExportOf(e Export) templ.Component { return Write(func(m *Markup) { m.export(&e) }) }

func (m *Markup) export(e *Export) {
	m.Raw(`<span class="hb-pop"><button type="button" class="btn" popovertarget="`)
	m.Text(e.ID)
	m.Raw(`" aria-expanded="false" data-shortcut="e">`)
	m.Icon("download")
	m.Say("part.export.name")
	m.Icon("down")
	m.Raw(`</button><div id="`)
	m.Text(e.ID)
	m.Raw(`" popover class="hb-menu end"><p class="hb-pad hb-s hb-2">`)
	m.Text(e.Intro)
	m.Raw(`</p>`)
	for i := range e.Items {
		x := &e.Items[i]
		m.Raw(`<form method="post" action="`)
		m.Link(x.Action)
		m.Raw(`">`)
		m.hidden(x.Hidden)
		m.Raw(`<button type="submit" class="hb-item">`)
		m.Text(x.Text)
		m.Raw(`<small class="push">`)
		m.Text(x.Note)
		m.Raw(`</small></button></form>`)
	}
	if e.Records != nil {
		m.Raw(`<hr><a href="`)
		m.Link(e.Records.Href)
		m.Raw(`">`)
		m.Text(e.Records.Text)
		m.Raw(`</a> `)
	}
	if e.Note != "" {
		m.Raw(`<p class="hb-pad hb-s hb-3">`)
		m.Text(e.Note)
		m.Raw(`</p>`)
	}
	m.Raw(`</div></span>`)
}

// PagerOf leads through the pages of a list.
func PagerOf(p Pager) templ.Component { return Write(func(m *Markup) { m.pager(&p) }) }

func (m *Markup) pager(p *Pager) {
	m.Raw(`<nav class="hb-pager" aria-label="`)
	m.Text(pagerName(m.ctx, *p))
	m.Raw(`"><span>`)
	m.Text(p.Range)
	m.Raw(`</span> `)
	if p.Seal != nil {
		m.seal(p.Seal)
	}
	m.Raw(`<span class="push"></span> `)
	if len(p.Sizes) > 0 {
		m.Raw(`<span class="hb-row">`)
		m.Say("part.pager.size")
		m.Raw(` `)
		for i := range p.Sizes {
			if s := &p.Sizes[i]; s.Current {
				m.Raw(`<b class="num" aria-current="true">`)
				m.Text(s.Text)
				m.Raw(`</b>`)
			} else {
				m.Raw(`<a class="num hb-hit" href="`)
				m.Link(s.Href)
				m.Raw(`">`)
				m.Text(s.Text)
				m.Raw(`</a>`)
			}
		}
		m.Raw(`</span> `)
	}
	m.Raw(`<span class="btn-list">`)
	if p.TurnsMark != "" {
		m.Raw(p.TurnsMark)
	} else {
		m.Turns(p)
	}
	m.Raw(`</span></nav>`)
}

// Turns writes the buttons that lead to other pages of a list.
func (m *Markup) Turns(p *Pager) {
	m.pageButton("part.pager.first", p.First)
	m.pageButton("part.pager.prev", p.Prev)
	m.pageButton("part.pager.next", p.Next)
}

func (m *Markup) pageButton(key, href string) {
	if href == "" {
		m.Raw(`<button type="button" class="btn btn-sm" disabled>`)
		m.Say(key)
		m.Raw(`</button>`)
		return
	}
	m.Raw(`<a class="btn btn-sm" href="`)
	m.Link(href)
	m.Raw(`">`)
	m.Say(key)
	m.Raw(`</a>`)
}
