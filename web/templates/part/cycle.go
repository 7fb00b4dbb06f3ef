package part

import "github.com/a-h/templ"

// CyclePickerOf leads to other months.
func CyclePickerOf(p CyclePicker) templ.Component { return Write(func(m *Markup) { m.cycles(&p) }) }

func (m *Markup) arrow(icon, key, href string) {
	if href == "" {
		m.Raw(`<button type="button" class="btn" disabled aria-label="`)
		m.Say(key)
		m.Raw(`">`)
		m.Icon(icon)
		m.Raw(`</button>`)
		return
	}
	m.Raw(`<a class="btn" href="`)
	m.Link(href)
	m.Raw(`" aria-label="`)
	m.Say(key)
	m.Raw(`">`)
	m.Icon(icon)
	m.Raw(`</a>`)
}

func (m *Markup) yearArrow(icon, key, href string) {
	if href == "" {
		return
	}
	m.Raw(`<a class="hb-ico" href="`)
	m.Link(href)
	m.Raw(`" aria-label="`)
	m.Say(key)
	m.Raw(`">`)
	m.Icon(icon)
	m.Raw(`</a>`)
}

func (m *Markup) cycles(p *CyclePicker) {
	m.Raw(`<div class="hb-cyc"><div class="btn-group" role="group" aria-label="`)
	m.Say("part.cycle.name")
	m.Raw(`">`)
	m.arrow("left", "part.cycle.prev", p.Prev)
	m.Raw(`<button type="button" class="btn" popovertarget="cycles" aria-expanded="false">`)
	m.Say("part.cycle.name")
	m.Raw(` <b class="num">`)
	m.Text(p.Current)
	m.Raw(`</b> `)
	if p.State.Text != "" {
		m.tag(&p.State)
	}
	m.Icon("down")
	m.Raw(`</button>`)
	m.arrow("right", "part.cycle.next", p.Next)
	m.Raw(`</div><div id="cycles" popover class="end"><div class="hb-pad"><div class="hb-row">`)
	m.yearArrow("left", "part.cycle.prev_year", p.PrevYear)
	m.Raw(`<strong class="num">`)
	m.Text(p.Year)
	m.Raw(`</strong>`)
	m.yearArrow("right", "part.cycle.next_year", p.NextYear)
	m.Raw(`<span class="push"></span> `)
	if p.This != "" {
		m.Raw(`<a href="`)
		m.Link(p.This)
		m.Raw(`">`)
		m.Say("part.cycle.this")
		m.Raw(`</a> `)
	}
	if p.Last != "" {
		m.Raw(`<a href="`)
		m.Link(p.Last)
		m.Raw(`">`)
		m.Say("part.cycle.last")
		m.Raw(`</a>`)
	}
	m.Raw(`</div><ul class="hb-months">`)
	for i := range p.Months {
		m.month(&p.Months[i])
	}
	m.Raw(`</ul>`)
	if p.Note != "" {
		m.Raw(`<p class="hb-s hb-3">`)
		m.Text(p.Note)
		m.Raw(`</p>`)
	}
	m.Raw(`</div></div></div>`)
}

func (m *Markup) month(x *CycleMonth) {
	if x.Href == "" {
		m.Raw(`<li><span>`)
		m.Text(x.Name)
		m.Raw(`<small>—</small></span></li>`)
		return
	}
	m.Raw(`<li><a href="`)
	m.Link(x.Href)
	if x.Current {
		m.Raw(`" aria-current="true">`)
	} else {
		m.Raw(`">`)
	}
	m.Text(x.Name)
	m.Raw(`<small>`)
	m.Text(x.State)
	m.Raw(`</small></a></li>`)
}
