package portal

import (
	"bytes"
	ring "container/list"
	"crypto/rand"
	"encoding/hex"
	"net/http"
	"strconv"
	"sync"

	"github.com/a-h/templ"

	"huoban/internal/i18n"
	"huoban/internal/id"
	"huoban/web/templates/layout"
	"huoban/web/templates/part"
)

// pageKey is everything a kept page depends on besides the version: who sees what (organisation,
// permissions, resellers and customer intervals by scope, roles and organisations by frame), all the
// person chose of lists, what was asked for, and how it is shown.
type pageKey struct {
	scope, frame, taste string
	address             string // path, filter, place and size
	month               string // of now, by which pages tell past months from the running one
	lang                i18n.Lang
	theme               layout.Theme
	plain, dense        bool
}

// hole is a place in a kept page that is filled for each request.
type hole byte

const (
	holeNone   hole = 0
	holePerson hole = 'p' // the person's name
	holeBell   hole = 'b' // what is unread
	holeBars   hole = 's' // the lines over every page
	holeFresh  hole = 'f' // as of when
	holeKey    hole = 'k' // the idempotency key of a form
	holeHere   hole = 'h' // the address of the page
	holePlace  hole = 'l' // the address of its place in the list
	holeRows   hole = 'r' // the rows of a list
	holeTurns  hole = 't' // what leads to its other pages
)

// holeMark begins a hole while a page is made. Nobody can guess it, so that no name or figure in a page
// can be taken for one.
var holeMark = func() string {
	b := make([]byte, 16)
	_, _ = rand.Read(b)
	return "hole" + hex.EncodeToString(b)
}()

func (k hole) mark() string { return holeMark + string(rune(k)) }

// piece is some bytes of a page and the hole behind them.
type piece struct {
	body []byte
	hole hole
}

// cut takes a page apart at its holes.
func cut(page []byte) []piece {
	var out []piece
	for {
		i := bytes.Index(page, []byte(holeMark))
		if i < 0 {
			return append(out, piece{page, holeNone})
		}
		at := i + len(holeMark)
		out = append(out, piece{page[:i:i], hole(page[at])})
		page = page[at+1:]
	}
}

// pageCache keeps pages of months that are over.
type pageCache = versioned[[]piece]

// versioned keeps what was made for pages, as many bytes as it may, the latest used. All is of one version.
type versioned[T any] struct {
	mu      sync.Mutex
	limit   int
	size    int
	version int64
	order   *ring.List // of *kept[T], the latest used first
	known   map[pageKey]*ring.Element
}

type kept[T any] struct {
	key  pageKey
	what T
	size int
}

func newPageCache(limit int) *pageCache { return newVersioned[[]piece](limit) }

func newVersioned[T any](limit int) *versioned[T] {
	return &versioned[T]{limit: limit, order: ring.New(), known: map[pageKey]*ring.Element{}}
}

// get gives what was kept at the version, or nothing.
func (p *versioned[T]) get(version int64, key *pageKey) (what T) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if version != p.version {
		return what
	}
	e := p.known[*key]
	if e == nil {
		return what
	}
	p.order.MoveToFront(e)
	return e.Value.(*kept[T]).what
}

// put keeps what was made at the version, of so many bytes, and nothing of an older one.
func (p *versioned[T]) put(version int64, key pageKey, what T, size int) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if version < p.version || size > p.limit/8 {
		return
	}
	if version > p.version {
		p.version, p.size = version, 0
		p.order.Init()
		clear(p.known)
	}
	if p.known[key] != nil {
		return
	}
	x := &kept[T]{key, what, size + len(key.address) + len(key.frame) + len(key.taste) + 512}
	p.known[key] = p.order.PushFront(x)
	for p.size += x.size; p.size > p.limit; {
		last := p.order.Remove(p.order.Back()).(*kept[T])
		delete(p.known, last.key)
		p.size -= last.size
	}
}

// keptPage answers with a page of a month that is over: the one kept for this scope, filter, language,
// theme, columns and version, or the one that make gives. A page with names in clear is never kept.
func (h *Handlers) keptPage(c *Ctx, make func() (templ.Component, error)) error {
	if h.keeps == nil || c.open || c.Request().Method == http.MethodPost {
		return c.made(http.StatusOK, make)
	}
	env := layout.From(c.ctx())
	version := h.Sessions.Version(c.ctx())
	address := c.Request().URL.RequestURI()
	if len(address) > 2048 {
		return c.made(http.StatusOK, make)
	}
	chosen, err := h.tasteOf(c)
	if err != nil {
		return err
	}
	key := pageKey{scope: c.Scope.Key(), frame: c.frame, taste: chosen.key, address: address, month: string(h.month()), lang: i18n.From(c.ctx()), theme: env.Theme,
		plain: env.NoShortcuts, dense: env.Compact}
	if pieces := h.keeps.get(version, &key); pieces != nil {
		return h.fill(c, env, pieces)
	}
	page, err := c.mark(env, make)
	if err != nil {
		return err
	}
	pieces := cut(page)
	// What was read after the session may be newer than the version read with it.
	if now, err := h.PageVersion(c.ctx()); err == nil && now == version {
		h.keeps.put(version, key, pieces, len(page))
	}
	return h.fill(c, env, pieces)
}

// mark makes a page with marks where it is this request's own. What fails then is answered as ever.
func (c *Ctx) mark(env layout.Env, make func() (templ.Component, error)) ([]byte, error) {
	marked := env
	marked.Person, marked.BellMark, marked.BarsMark = holePerson.mark(), holeBell.mark(), holeBars.mark()
	c.enrich(c.ctx(), marked)
	c.marked = true
	defer func() {
		c.marked = false
		c.enrich(c.ctx(), env)
	}()
	component, err := make()
	if err != nil {
		return nil, err
	}
	var page []byte
	err = part.Whole(c.framed(), component, func(made []byte) error { page = bytes.Clone(made); return nil })
	return page, err
}

// fill writes a page with this request's own words in its holes.
func (h *Handlers) fill(c *Ctx, env layout.Env, pieces []piece) error {
	page := part.Write(func(m *part.Markup) {
		for _, p := range pieces {
			m.Add(p.body)
			switch p.hole {
			case holePerson:
				m.Text(env.Person)
			case holeBell:
				m.Put(layout.Bell(env))
			case holeBars:
				if len(env.Bars) > 0 {
					m.Put(layout.Bars(env))
				}
			case holeFresh:
				m.Text(h.freshly(c))
			case holeKey:
				m.Text(id.New())
			}
		}
	})
	return part.Whole(c.ctx(), page, func(page []byte) error { return c.send(http.StatusOK, page) })
}

// send answers with a page in one write.
func (c *Ctx) send(status int, page []byte) error {
	c.Response().Header().Set("Content-Length", strconv.Itoa(len(page)))
	return c.HTMLBlob(status, page)
}
