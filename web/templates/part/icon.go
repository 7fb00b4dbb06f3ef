package part

import (
	"context"
	"io"

	"github.com/a-h/templ"
)

// icons are drawn for this project on a 24-unit grid, stroke only.
var icons = map[string]string{
	"menu":     `<path d="M4 6.5h16M4 12h16M4 17.5h16"/>`,
	"left":     `<path d="m15 5.5-6.5 6.5 6.5 6.5"/>`,
	"right":    `<path d="m9 5.5 6.5 6.5-6.5 6.5"/>`,
	"down":     `<path d="m5.5 9 6.5 6.5L18.5 9"/>`,
	"close":    `<path d="m6 6 12 12M18 6 6 18"/>`,
	"check":    `<path d="m4.5 12.5 5 5 10-11"/>`,
	"ok":       `<circle cx="12" cy="12" r="9"/><path d="m8 12.3 2.8 2.8 5.4-6"/>`,
	"stop":     `<circle cx="12" cy="12" r="9"/><path d="m9 9 6 6M15 9l-6 6"/>`,
	"alert":    `<path d="M12 3.5 22 20.5H2zM12 10v5M12 17.6v.3"/>`,
	"info":     `<circle cx="12" cy="12" r="9"/><path d="M12 11v5.5M12 7.6v.3"/>`,
	"clock":    `<circle cx="12" cy="12" r="9"/><path d="M12 6.8V12l3.4 2.2"/>`,
	"bell":     `<path d="M5 17h14l-1.6-2.4V10.5a5.4 5.4 0 0 0-10.8 0v4.1zM10 20.2h4"/>`,
	"globe":    `<circle cx="12" cy="12" r="9"/><path d="M3 12h18M12 3c-6 5-6 13 0 18M12 3c6 5 6 13 0 18"/>`,
	"theme":    `<circle cx="12" cy="12" r="9"/><path d="M12 3a9 9 0 0 1 0 18z" fill="currentColor"/>`,
	"person":   `<circle cx="12" cy="8" r="4"/><path d="M4 20.5c.8-4.2 4-6 8-6s7.2 1.8 8 6"/>`,
	"download": `<path d="M12 3.500v12M7 11l5 5 5-5M4 20.500h16"/>`,
	"upload":   `<path d="M12 16V4M7 8.500l5-5 5 5M4 20.500h16"/>`,
	"why":      `<path d="M6 3.500h8.500L19 8v12.500H6zM14 3.500V8.500h5M9 13h7M9 16.500h4.5"/>`,
	"file":     `<path d="M6 3.500h8.500L19 8v12.500H6zM14 3.500V8.500h5"/>`,
	"link":     `<path d="m9.5 14.5 5-5M11 7l2.3-2.300a4.2 4.2 0 0 1 6 6L17 13M13 17l-2.3 2.300a4.2 4.2 0 0 1-6-6L7 11"/>`,
	"refresh":  `<path d="M19.5 12a7.5 7.5 0 1 1-2.2-5.300L20 9.200M20 4v5.200h-5.2"/>`,
	"rows":     `<path d="M4 6h16M4 10h16M4 14h16M4 18h16"/>`,
	"eye":      `<path d="M2.5 12C5 7.5 8.3 5.5 12 5.500s7 2 9.5 6.500c-2.5 4.5-5.8 6.5-9.5 6.500s-7-2-9.5-6.500z"/><circle cx="12" cy="12" r="3"/>`,
	"eye-off":  `<path d="M5 8.600A17 17 0 0 0 2.5 12c2.5 4.5 5.8 6.5 9.5 6.5 1.6 0 3-.4 4.4-1M9.5 5.800a9 9 0 0 1 2.5-.3c3.7 0 7 2 9.5 6.500a15 15 0 0 1-2.3 3.200M4 4l16 16"/>`,
	"sort":     `<path d="m6 9.5 6 6 6-6"/>`,
	"search":   `<circle cx="11" cy="11" r="6.5"/><path d="m20 20-4.300-4.300"/>`,
	"keyboard": `<rect x="2.5" y="6" width="19" height="12" rx="2"/><path d="M6.5 10h.01M10 10h.01M14 10h.01M17.5 10h.01M8 14h8"/>`,
	"exit":     `<path d="M10 4H4.500v16H10M15 8l4.5 4-4.5 4M19 12H9"/>`,
	"lock":     `<rect x="5" y="10.5" width="14" height="10" rx="1.5"/><path d="M8.5 10.500V7a3.5 3.5 0 0 1 7 0v3.5"/>`,
	"building": `<path d="M5 20.500V4h9v16.500M14 9h5v11.500M3 20.500h18M8 8h3M8 12h3M8 16h3"/>`,
}

// tally is the mark: the two halves of a tally stick (契), which must fit for the account to be right.
const tally = `<path d="M5 2h9.400l-2.5 4 2.9 3.5-2.9 3.5 2.9 3.5-2.9 3.500L14 24H5a3 3 0 0 1-3-3V5a3 3 0 0 1 3-3z" class="a"/>` +
	`<path d="M16.8 2H21a3 3 0 0 1 3 3v16a3 3 0 0 1-3 3h-4.600l-2.1-4 2.9-3.5-2.9-3.5 2.9-3.5-2.9-3.500z" class="b"/>`

const iconHead, iconFoot = `<svg class="icon" viewBox="0 0 24 24" aria-hidden="true">`, `</svg>`

// Icon is a decorative picture; the words beside it, or the aria-label around it, carry the meaning.
// It panics on an unknown name, a slip found by the first rendering.
func Icon(name string) templ.Component {
	inner, ok := icons[name]
	if !ok {
		panic("part: no icon " + name)
	}
	return raw(iconHead + inner + iconFoot)
}

// Mark is the portal's sign; class picks its size and tone.
func Mark(class string) templ.Component {
	return raw(`<svg class="hb-mark ` + templ.EscapeString(class) + `" viewBox="0 0 26 26" aria-hidden="true">` + tally + `</svg>`)
}

func raw(markup string) templ.Component {
	return templ.ComponentFunc(func(_ context.Context, w io.Writer) error {
		_, err := io.WriteString(w, markup)
		return err
	})
}
