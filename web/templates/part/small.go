package part

import (
	"strconv"

	"github.com/a-h/templ"
)

// Small parts of every list are written by hand, see Markup.

// TagOf is a word in a box.
func TagOf(t Tag) templ.Component { return Write(func(m *Markup) { m.tag(&t) }) }

func (m *Markup) tag(t *Tag) {
	m.Raw(`<span class="hb-tag `)
	m.Text(string(t.Tone))
	m.Raw(`">`)
	m.Text(t.Text)
	m.Raw(`</span>`)
}

// NoteOf is a remark on a page.
func NoteOf(tone Tone, text string) templ.Component {
	return Write(func(m *Markup) {
		m.Raw(`<div class="hb-note `)
		m.Text(string(tone))
		m.Raw(`">`)
		m.Icon(flashIcon(tone))
		m.Raw(`<div>`)
		m.Text(text)
		m.Raw(`</div></div>`)
	})
}

// SealOf is the total and short code that a page and its files share.
func SealOf(s Seal) templ.Component { return Write(func(m *Markup) { m.seal(&s) }) }

func (m *Markup) seal(s *Seal) {
	m.Raw(`<span class="hb-seal">`)
	m.Put(Mark("sm"))
	m.Say("part.seal.same")
	m.Raw(` <b class="hb-money">`)
	m.Text(s.Total)
	m.Raw(`</b> `)
	if s.Code != "" {
		m.Raw(`<code class="hb-mono">`)
		m.Text(s.Code)
		m.Raw(`</code>`)
	}
	m.Raw(`</span>`)
}

// Eye shows a masked column; that it was used is recorded.
type Eye struct {
	Action string
	Name   string // of the column
	Hidden []Hidden
	Open   bool
}

// EyeOf is its button.
func EyeOf(e Eye) templ.Component { return Write(func(m *Markup) { m.eye(&e) }) }

func (m *Markup) eye(e *Eye) {
	if e.Open {
		m.Raw(`<span class="hb-ico" role="img" aria-label="`)
		m.Say("part.eye.open", "Name", e.Name)
		m.Raw(`">`)
		m.Icon("eye")
		m.Raw(`</span>`)
		return
	}
	m.Raw(`<form method="post" action="`)
	m.Link(e.Action)
	m.Raw(`">`)
	for i := range e.Hidden {
		m.hidden(e.Hidden[i : i+1])
		m.Raw(` `)
	}
	m.Raw(`<button class="hb-ico" aria-label="`)
	m.Say("part.eye.show", "Name", e.Name)
	m.Raw(`">`)
	m.Icon("eye-off")
	m.Raw(`</button></form>`)
}

func (m *Markup) views(v *Views) {
	m.Raw(`<span class="hb-pop"><button type="button" class="btn" popovertarget="views" aria-expanded="false">`)
	m.Say("part.views.name")
	m.Raw(`</button><div id="views" popover class="end"><div class="hb-pad hb-stack hb-tight">`)
	for i := range v.Items {
		x := &v.Items[i]
		m.Raw(`<div class="hb-row hb-tight"><a href="`)
		m.Link(x.Href)
		m.Raw(`" aria-current="`)
		m.Raw(currentView(x))
		m.Raw(`">`)
		m.Text(x.Name)
		m.Raw(`</a> <span class="push"></span><form method="post" action="`)
		m.Link(x.Drop.Action)
		m.Raw(`">`)
		m.hidden(x.Drop.Hidden)
		m.Raw(`<button class="hb-ico" aria-label="`)
		m.Say("part.views.remove", "Name", x.Name)
		m.Raw(`">`)
		m.Icon("close")
		m.Raw(`</button></form></div>`)
	}
	m.Raw(`<form class="hb-stack hb-tight" method="post" action="`)
	m.Link(v.Save.Action)
	m.Raw(`">`)
	m.hidden(v.Save.Hidden)
	m.Raw(`<label for="view-name">`)
	m.Say("part.views.as")
	m.Raw(`</label><div class="hb-row hb-tight"><input id="view-name" class="form-control" name="name" required maxlength="`)
	m.Text(strconv.Itoa(v.Most))
	m.Raw(`" autocomplete="off"> <button class="btn" type="submit">`)
	m.Say("part.views.save")
	m.Raw(`</button></div><p class="hb-s hb-3">`)
	m.Say("part.views.hint")
	m.Raw(`</p></form>`)
	if v.All != "" {
		m.Raw(`<a class="hb-s" href="`)
		m.Link(v.All)
		m.Raw(`">`)
		m.Say("part.views.all")
		m.Raw(`</a>`)
	}
	m.Raw(`</div></div></span>`)
}

func currentView(v *View) string {
	if v.Current {
		return "true"
	}
	return "false"
}
