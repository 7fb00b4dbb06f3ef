package layout

import (
	"github.com/a-h/templ"

	"huoban/web/templates/part"
)

// Bell leads to the messages and counts the unread ones. It is written by hand, because it is made anew for
// pages that are kept, too.
func Bell(e Env) templ.Component {
	return part.Write(func(m *part.Markup) {
		to := &e.Messages
		if to.Href == "" {
			return
		}
		m.Raw(`<a class="hb-ico" href="`)
		m.Link(to.Href)
		m.Raw(`"`)
		if to.Current {
			m.Raw(` aria-current="page"`)
		}
		if to.Shortcut != "" {
			m.Raw(` data-go="`)
			m.Text(to.Shortcut)
			m.Raw(`"`)
		}
		m.Raw(` aria-label="`)
		m.Say("layout.tools.messages", "Count", e.Unread)
		m.Raw(`">`)
		m.Icon("bell")
		if e.Unread > 0 {
			m.Raw(`<span class="hb-unread" aria-hidden="true">`)
			m.Text(unread(e.Unread))
			m.Raw(`</span>`)
		}
		m.Raw(`</a>`)
	})
}
