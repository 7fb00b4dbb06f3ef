package part

import (
	"context"
	"io"
	"strings"
	"sync"
	"time"

	"github.com/a-h/templ"
	templruntime "github.com/a-h/templ/runtime"

	"huoban/internal/i18n"
	"huoban/internal/money"
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

// Write makes a component of a function that writes. Inside other markup it writes there, without a copy.
func Write(fn func(m *Markup)) templ.Component {
	return templ.ComponentFunc(func(ctx context.Context, w io.Writer) error {
		around := w
		if b, ok := w.(*templruntime.Buffer); ok { // of a template, which holds back what it wrote
			around = b.Underlying
		}
		m, within := around.(*Markup)
		if !within {
			return Whole(ctx, Write(fn), func(made []byte) error {
				_, err := w.Write(made)
				return err
			})
		}
		if b, ok := w.(*templruntime.Buffer); ok {
			if err := b.Flush(); err != nil {
				return err
			}
		}
		was := m.ctx
		m.ctx = ctx
		fn(m)
		m.ctx = was
		return m.err
	})
}

// Whole renders a component and, if that succeeds, gives all of it to use, which must not keep it.
func Whole(ctx context.Context, c templ.Component, use func(made []byte) error) error {
	m := markups.Get().(*Markup)
	m.b, m.lang, m.err = m.b[:0], i18n.From(ctx), nil
	err := c.Render(ctx, m)
	if err == nil {
		err = use(m.b)
	}
	if m.ctx = nil; cap(m.b) <= 1<<20 {
		markups.Put(m)
	}
	return err
}

// Raw writes constant markup.
func (m *Markup) Raw(constant string) { m.b = append(m.b, constant...) }

// Add writes markup that was made before.
func (m *Markup) Add(markup []byte) { m.b = append(m.b, markup...) }

// Text writes a text, in an element or between the quotes of an attribute.
func (m *Markup) Text(text string) { m.b = appendEscaped(m.b, text) }

// Link writes an address between the quotes of an attribute; one that would run something is made harmless.
func (m *Markup) Link(href string) {
	if !strings.HasPrefix(href, "/") { // an address of ours runs nothing
		href = string(templ.URL(href))
	}
	m.Text(href)
}

// Say writes a sentence of the catalogues.
func (m *Markup) Say(key string, pairs ...any) {
	var space [256]byte
	m.bytes(i18n.AppendIn(space[:0], m.lang, key, pairs...))
}

// T is a sentence that is written more than once.
func (m *Markup) T(key string, pairs ...any) string { return i18n.In(m.lang, key, pairs...) }

// Exact writes an amount as Money does: to two decimals of its currency, all of it on demand.
func (m *Markup) Exact(x money.Exact, currency string) {
	var space [64]byte
	a, err := x.Amount()
	if err != nil { // too large for that
		m.Raw(`<span class="hb-money">`)
		m.bytes(i18n.AppendExactMoney(space[:0], x, ""))
	} else {
		m.Raw(`<span class="hb-money" title="`)
		m.bytes(i18n.AppendExactMoney(space[:0], x, currency))
		m.Raw(`">`)
		m.bytes(i18n.AppendMoneyPlain(space[:0], a, currency))
	}
	m.Raw(`</span>`)
}

// Money writes an amount that cannot be explained.
func (m *Markup) Money(a Money) {
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

// bytes is Text of what is no string.
func (m *Markup) bytes(text []byte) { m.b = appendEscaped(m.b, text) }

// Time writes a time as tables do.
func (m *Markup) Time(t time.Time) { m.b = i18n.AppendDateTime(m.b, t) }

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

// WriteString is Write.
func (m *Markup) WriteString(s string) (int, error) {
	m.b = append(m.b, s...)
	return len(s), nil
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

// escaped are the signs with an escape; a text is looked through sooner with a byte for each.
var escaped = func() (out [256]bool) {
	for c, to := range escapes {
		out[c] = to != ""
	}
	return out
}()

// Escaped is a text as Text writes it.
func Escaped(text string) string { return string(appendEscaped(nil, text)) }

// appendEscaped writes what templates write of a text.
func appendEscaped[T string | []byte](b []byte, text T) []byte {
	at := 0
	for i := range len(text) {
		if escaped[text[i]] {
			b = append(append(b, text[at:i]...), escapes[text[i]]...)
			at = i + 1
		}
	}
	return append(b, text[at:]...)
}
