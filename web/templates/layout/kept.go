package layout

import (
	"bytes"
	"context"
	"crypto/rand"
	"encoding/hex"
	"io"
	"sync"

	"github.com/a-h/templ"

	"huoban/internal/i18n"
	"huoban/web/templates/part"
)

// Kept are the frames of one person acting for one organisation, standing in one place of the menu: all
// that the frame shows of them is the same on each page there, and a third of the page. Who makes one sees
// to it that it ends with what it was made of. What belongs to the page or the request is a slot.
type Kept struct {
	Nav func() Nav // the menu, asked for when a frame is made

	mu     sync.RWMutex
	frames map[kind][]piece
}

// kind is what else a frame depends on.
type kind struct {
	lang           i18n.Lang
	theme          Theme
	compact, plain bool
	wide           bool
}

// slots of a frame.
const (
	slotTitle  = 't'
	slotPath   = 'u'
	slotPerson = 'p'
	slotBell   = 'b'
	slotBars   = 's'
	slotPage   = 'c'
	slotNotes  = 'n'
)

// slotMark begins a slot. Nobody can guess it, so that no name can be taken for one.
var slotMark = func() string {
	b := make([]byte, 16)
	_, _ = rand.Read(b)
	return "slot" + hex.EncodeToString(b)
}()

func slot(of byte) string { return slotMark + string(rune(of)) }

// piece is some bytes of a frame and the slot behind them, 0 at the end.
type piece struct {
	body []byte
	slot byte
}

func cut(frame []byte) []piece {
	var out []piece
	for {
		i := bytes.Index(frame, []byte(slotMark))
		if i < 0 {
			return append(out, piece{frame, 0})
		}
		at := i + len(slotMark)
		out = append(out, piece{frame[:i:i], frame[at]})
		frame = frame[at+1:]
	}
}

// Frame is a page inside the portal.
func Frame(p Page) templ.Component {
	return templ.ComponentFunc(func(ctx context.Context, w io.Writer) error {
		e := From(ctx)
		if e.Around == nil {
			return whole(p).Render(ctx, w)
		}
		if e.Person == "" || e.Query != "" { // a frame of the moment
			e.Nav = e.Around.Nav()
			return whole(p).Render(With(ctx, e), w)
		}
		children := templ.GetChildren(ctx)
		ctx = templ.ClearChildren(ctx)
		pieces, err := e.Around.pieces(ctx, e, p.Wide)
		if err != nil {
			return err
		}
		return part.Write(func(m *part.Markup) { fill(m, e, p, children, pieces) }).Render(ctx, w)
	})
}

// pieces are those of the frame that was kept, or of one made now.
func (k *Kept) pieces(ctx context.Context, e Env, wide bool) ([]piece, error) {
	of := kind{i18n.From(ctx), e.Theme, e.Compact, e.NoShortcuts, wide}
	k.mu.RLock()
	known := k.frames[of]
	k.mu.RUnlock()
	if known != nil {
		return known, nil
	}
	e.Path, e.Person, e.BellMark, e.BarsMark, e.Nav = slot(slotPath), slot(slotPerson), slot(slotBell), slot(slotBars), k.Nav()
	var made bytes.Buffer
	if err := whole(Page{Title: slot(slotTitle), Wide: wide, hollow: true}).Render(With(ctx, e), &made); err != nil {
		return nil, err
	}
	known = cut(made.Bytes())
	k.mu.Lock()
	defer k.mu.Unlock()
	if k.frames == nil {
		k.frames = map[kind][]piece{}
	}
	k.frames[of] = known
	return known, nil
}

// fill writes a frame around the page.
func fill(m *part.Markup, e Env, p Page, children templ.Component, pieces []piece) {
	for i := range pieces {
		m.Add(pieces[i].body)
		switch pieces[i].slot {
		case slotTitle:
			m.Text(p.Title)
		case slotPath:
			m.Text(e.Path)
		case slotPerson:
			m.Text(e.Person)
		case slotBell:
			putOr(m, e.BellMark, Bell(e))
		case slotBars:
			if e.BarsMark != "" || len(e.Bars) > 0 {
				putOr(m, e.BarsMark, Bars(e))
			}
		case slotPage:
			if p.Print != "" {
				m.Raw(`<div class="hb-print">`)
				m.Text(p.Print)
				m.Raw(`</div>`)
			}
			m.Put(children)
		case slotNotes:
			for _, n := range p.Notes {
				m.Raw(`<span>`)
				m.Text(n)
				m.Raw(`</span> `)
			}
		}
	}
}

// putOr writes what stands in place of a component in a page that is kept, or the component.
func putOr(m *part.Markup, mark string, c templ.Component) {
	if mark != "" {
		m.Raw(mark)
		return
	}
	m.Put(c)
}
