package part

import "github.com/a-h/templ"

// HeaderOf is the head of a page: where it stands, its title, and what concerns all of it.
func HeaderOf(h Header) templ.Component { return Write(func(m *Markup) { m.header(&h) }) }

func (m *Markup) crumbs(list []Link) {
	m.Raw(`<nav aria-label="`)
	m.Say("part.header.where")
	m.Raw(`"><ol class="hb-crumbs">`)
	for i := range list {
		if c := &list[i]; c.Href != "" {
			m.Raw(`<li><a href="`)
			m.Link(c.Href)
			m.Raw(`">`)
			m.Text(c.Text)
			m.Raw(`</a></li>`)
		} else {
			m.Raw(`<li><span aria-current="page">`)
			m.Text(c.Text)
			m.Raw(`</span></li>`)
		}
	}
	m.Raw(`</ol></nav>`)
}

func (m *Markup) header(h *Header) {
	if len(h.Crumbs) > 0 {
		m.crumbs(h.Crumbs)
	}
	m.Raw(`<div class="hb-head"><h1>`)
	m.Text(h.Title)
	m.Raw(`</h1>`)
	for i := range h.Tags {
		m.tag(&h.Tags[i])
	}
	if h.Status != nil {
		m.Raw(`<span class="hb-pop">`)
		m.Put(StatusOf(*h.Status))
		m.Raw(`</span> `)
	}
	if h.Fresh != "" {
		m.Raw(`<span class="hb-fresh">`)
		m.Icon("clock")
		m.Text(h.Fresh)
		m.Raw(`</span> `)
	}
	if h.Rules != "" {
		m.Raw(`<a class="hb-s" href="`)
		m.Link(h.Rules)
		m.Raw(`">`)
		m.Say("part.header.rules")
		m.Raw(`</a> `)
	}
	m.Raw(`<span class="push"></span> `)
	if h.Amount != "" {
		m.Raw(`<span class="hb-key"><span class="hb-s hb-2">`)
		m.Text(h.Label)
		m.Raw(`</span><b class="hb-big hb-money">`)
		m.Text(h.Amount)
		m.Raw(`</b></span> `)
	}
	for i, b := range h.Buttons {
		if i == 0 && !h.Plain {
			m.Raw(`<a class="btn btn-primary" href="`)
		} else {
			m.Raw(`<a class="btn" href="`)
		}
		m.Link(b.Href)
		m.Raw(`">`)
		m.Text(b.Text)
		m.Raw(`</a> `)
	}
	if h.Cycle != nil {
		m.cycles(h.Cycle)
	}
	m.Raw(`</div>`)
}

// TabsOf are the pages beside this one.
func TabsOf(label string, tabs []Tab) templ.Component {
	return Write(func(m *Markup) {
		m.Raw(`<nav class="hb-tabs" aria-label="`)
		m.Text(label)
		m.Raw(`">`)
		for i := range tabs {
			t := &tabs[i]
			m.Raw(`<a href="`)
			m.Link(t.Href)
			if t.Current {
				m.Raw(`" aria-current="page">`)
			} else {
				m.Raw(`">`)
			}
			m.Text(t.Text)
			m.Raw(`</a>`)
		}
		m.Raw(`</nav>`)
	})
}
