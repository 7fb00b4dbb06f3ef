package part

import (
	"context"
	"io"
	"sync"

	"github.com/a-h/templ"

	"huoban/internal/i18n"
)

// Markup is a stretch of a page that is written by hand. A template puts every text through fmt and every
// piece through a component of its own; what stands on each list, and the rows of long ones, would be
// most of a page's work that way. Whatever is no constant goes through Text, Link or Say.
type Markup struct {
	b    []byte
	ctx  context.Context
	lang i18n.Lang
	err  error
}

var markups = sync.Pool{New: func() any { return &Markup{b: make([]byte, 0, 16<<10)} }}

// Write makes a component of a function that writes.
func Write(fn func(m *Markup)) templ.Component {
	return templ.ComponentFunc(func(ctx context.Context, w io.Writer) error {
		m := markups.Get().(*Markup)
		m.b, m.ctx, m.lang, m.err = m.b[:0], ctx, i18n.From(ctx), nil
		fn(m)
		err := m.err
		if err == nil {
			_, err = w.Write(m.b)
		}
		if m.ctx = nil; cap(m.b) <= 1<<20 {
			markups.Put(m)
		}
		return err
	})
}

// Raw writes constant markup.
func (m *Markup) Raw(constant string) { m.b = append(m.b, constant...) }

// Add writes markup that was made before.
func (m *Markup) Add(markup []byte) { m.b = append(m.b, markup...) }

// Text writes a text, in an element or between the quotes of an attribute.
func (m *Markup) Text(text string) { m.b = appendEscaped(m.b, text) }

// Link writes an address between the quotes of an attribute; one that would run something is made harmless.
func (m *Markup) Link(href string) { m.Text(string(templ.URL(href))) }

// Say writes a sentence of the catalogues.
func (m *Markup) Say(key string, pairs ...any) { m.Text(i18n.In(m.lang, key, pairs...)) }

// T is a sentence that is written more than once.
func (m *Markup) T(key string, pairs ...any) string { return i18n.In(m.lang, key, pairs...) }

// Put writes a component.
func (m *Markup) Put(c templ.Component) {
	if m.err == nil {
		m.err = c.Render(m.ctx, m)
	}
}

// Write takes what a component writes.
func (m *Markup) Write(p []byte) (int, error) {
	m.b = append(m.b, p...)
	return len(p), nil
}

// Icon writes a picture.
func (m *Markup) Icon(name string) {
	inner, ok := icons[name]
	if !ok {
		panic("part: no icon " + name)
	}
	m.Raw(iconHead)
	m.Raw(inner)
	m.Raw(iconFoot)
}

// escapes are what templates write for the signs that mean something in markup.
var escapes = [256]string{'&': "&amp;", '\'': "&#39;", '<': "&lt;", '>': "&gt;", '"': "&#34;"}

// appendEscaped writes what templates write of a text.
func appendEscaped(b []byte, text string) []byte {
	at := 0
	for i := range len(text) {
		if to := escapes[text[i]]; to != "" {
			b = append(append(b, text[at:i]...), to...)
			at = i + 1
		}
	}
	return append(b, text[at:]...)
}
