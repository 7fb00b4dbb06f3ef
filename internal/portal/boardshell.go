package portal

import (
	"bytes"
	"net/http"

	"huoban/internal/i18n"
	"huoban/web/templates/expview"
	"huoban/web/templates/layout"
	"huoban/web/templates/listview"
	"huoban/web/templates/opsview"
	"huoban/web/templates/part"
)

// boardShell is a board of one list without its rows: filter, figures, pictures and totals, which version, day,
// person and address decide. As with the shell of a list of lines the rows are written for each request.
type boardShell struct {
	frame  layout.Page
	pieces []piece
	heads  []opsview.Head
	rows   [][]opsview.Cell
}

// shelled answers with a board that asks nothing of the database beyond what is under the version. The board is kept
// where build says that it lasts: what it shows waits for nothing that is still being made.
func (h *Handlers) shelled(c *Ctx, build func() (p *opsview.Board, lasts bool, err error)) error {
	address := c.Request().URL.RequestURI()
	if h.boards == nil || c.open || c.Request().Method != http.MethodGet || c.QueryParam("done") != "" || len(address) > 2048 {
		p, _, err := build()
		if err != nil {
			return err
		}
		return c.page(http.StatusOK, p.Page())
	}
	chosen, err := h.tasteOf(c)
	if err != nil {
		return err
	}
	version := h.Sessions.Version(c.ctx())
	key := pageKey{scope: c.Scope.Key(), frame: c.frame, taste: chosen.key, address: address, month: i18n.Date(h.Clock.Now()), lang: i18n.From(c.ctx())}
	if known := h.boards.get(version, &key); known.pieces != nil {
		return h.inBoardShell(c, &known)
	}
	made, size, lasts, err := c.makeBoardShell(build)
	if err != nil {
		return err
	}
	// What was read after the session may be newer than the version read with it.
	if now, err := h.PageVersion(c.ctx()); lasts && err == nil && now == version {
		h.boards.put(version, key, made, size)
	}
	return h.inBoardShell(c, &made)
}

func (c *Ctx) makeBoardShell(build func() (*opsview.Board, bool, error)) (s boardShell, size int, lasts bool, err error) {
	marked := c.marked
	c.marked = true
	defer func() { c.marked = marked }()
	p, lasts, err := build()
	if err != nil {
		return s, 0, false, err
	}
	g := &p.Grids[0]
	g.Mark = holeRows.mark()
	s.frame, s.heads, s.rows = p.Frame(c.ctx()), g.Heads, g.Rows
	for _, row := range s.rows {
		for i := range row {
			size += 256 + len(row[i].Text) + len(row[i].Full) + len(row[i].Href) + len(row[i].Note)
		}
	}
	err = part.Whole(c.ctx(), p.Content(), func(made []byte) error {
		s.pieces, size = cut(bytes.Clone(made)), size+len(made)
		return nil
	})
	return s, size, lasts, err
}

// inBoardShell is a board in its shell.
func (h *Handlers) inBoardShell(c *Ctx, s *boardShell) error {
	return c.page(http.StatusOK, expview.Around(s.frame, part.Write(func(m *part.Markup) {
		for i := range s.pieces {
			m.Add(s.pieces[i].body)
			switch s.pieces[i].hole {
			case holeFresh:
				m.Text(h.asOf(c))
			case holeKey:
				m.Text(c.newKey())
			case holeRows:
				listview.WriteRows(m, s.heads, s.rows)
			}
		}
	})))
}
