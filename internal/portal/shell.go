package portal

import (
	"bytes"

	"github.com/a-h/templ"

	"huoban/internal/expenditure"
	"huoban/internal/i18n"
	"huoban/web/templates/expview"
	"huoban/web/templates/layout"
	"huoban/web/templates/part"
)

// shell is a page of lines without its lines: what scope, filter, columns and size decide, and no place in the
// list. It is kept under the version as totals are, so that who turns the pages of a list has lines read and
// written and nothing else. What belongs to a request, a place or a clock is a hole.
type shell struct {
	frame   layout.Page
	columns []expview.Column
	pieces  []piece
}

// maxShells bounds the bytes of shells that are kept; one takes some 15 KB.
var maxShells = 4 << 20

// shell gives the shell of a page whose totals were read at the version the request began with; nothing where the
// page says something of the moment.
func (h *Handlers) shell(c *Ctx, e *consumption, totals *expenditure.Totals, open string) (*shell, error) {
	version := h.Sessions.Version(c.ctx())
	if h.shells == nil || open != "" || totals.Version != version || c.exported() != nil {
		return nil, nil
	}
	chosen, err := h.tasteOf(c)
	if err != nil {
		return nil, err
	}
	key := pageKey{scope: c.Scope.Key(), frame: c.frame, taste: chosen.key, address: c.expenditureLink(e, e.page), month: string(h.month()), lang: i18n.From(c.ctx())}
	if known := h.shells.get(version, &key); known.pieces != nil {
		return &known, nil
	}
	if len(key.address) > 2048 {
		return nil, nil
	}
	made, size, err := h.makeShell(c, e, totals)
	if err == nil {
		h.shells.put(version, key, made, size)
	}
	return &made, err
}

func (h *Handlers) makeShell(c *Ctx, e *consumption, totals *expenditure.Totals) (s shell, size int, err error) {
	marked := c.marked
	c.marked, e.hollow = true, true
	defer func() { c.marked, e.hollow = marked, false }()
	page := &expview.Lines{RowsMark: holeRows.mark()}
	if err := h.around(c, e, page, totals, ""); err != nil {
		return s, 0, err
	}
	page.Pager.TurnsMark = holeTurns.mark()
	s.frame, s.columns = page.Frame(), expview.Columns(e.cols, c.T)
	err = part.Whole(c.ctx(), page.Content(), func(made []byte) error {
		s.pieces, size = cut(bytes.Clone(made)), len(made)
		return nil
	})
	return s, size, err
}

// inShell is a page of lines in its shell.
func (h *Handlers) inShell(c *Ctx, e *consumption, s *shell, page *expview.Lines, list *expenditure.LinePage) templ.Component {
	return expview.Around(s.frame, part.Write(func(m *part.Markup) {
		var here, place string // each stands at several holes
		for i := range s.pieces {
			p := &s.pieces[i]
			m.Add(p.body)
			switch p.hole {
			case holeFresh:
				m.Text(h.freshly(c))
			case holeKey:
				m.Text(c.newKey())
			case holeHere:
				if here == "" {
					here = c.here()
				}
				m.Text(here)
			case holePlace:
				if place == "" {
					place = c.expenditureHere(e)
				}
				m.Link(place)
			case holeRows:
				page.WriteRows(m, s.columns)
			case holeTurns:
				turns(c, e, list, &page.Pager)
				m.Turns(&page.Pager)
			}
		}
	}))
}
