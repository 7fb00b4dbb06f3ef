package portal

import (
	"context"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"maps"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"

	"huoban/internal/customer"
	"huoban/internal/i18n"
	"huoban/internal/money"
	"huoban/internal/scope"
	"huoban/web/templates/opsview"
	"huoban/web/templates/part"
)

// list is one list of the portal: its page shows a part of it, its file holds all. Both call read, so that
// neither can have rows, a total or a short code the other has not.
type list struct {
	kind   string     // of its export; names the list wherever it is kept
	route  string     // of the page that shows it
	params []string   // what narrows it; the place in the list, sizes and columns do not
	needs  scope.Item // to export it, beside what its page needs; "" = nothing
	prefix string     // of its own parameters where a page has several lists
	read   func(h *Handlers, c *Ctx) (*sheet, error)
}

// listColumn is a column of a list, in the order it has until somebody changes it.
type listColumn struct {
	key      string
	title    string
	note     string // heading in a file of the small type below; "" = the file has none
	num      bool
	money    bool   // totals stand under it
	class    string // of its cells
	personal bool   // masked until the eye is used, and in files
	acts     bool   // of what may be done with a row: files have no such column
}

// sum is an amount of a currency.
type sum struct {
	currency string
	amount   money.Exact
}

type sums []sum

// add keeps one entry per currency, in the order of their codes.
func (s sums) add(x sum) sums {
	i, found := slices.BinarySearchFunc(s, x, func(a, b sum) int { return strings.Compare(a.currency, b.currency) })
	if found {
		s[i].amount = s[i].amount.Add(x.amount)
		return s
	}
	return slices.Insert(s, i, x)
}

func (s sums) texts() []string {
	out := make([]string, len(s))
	for i, x := range s {
		out[i] = i18n.ExactMoney(x.amount, x.currency)
	}
	return out
}

// sheetRow is one row. Key names it for ever and mark is what it says, both in no language: the short
// code is made of them.
type sheetRow struct {
	key   string
	mark  string
	cells []opsview.Cell
	sums  sums
	about string    // code of the customer whose name it shows; "" = nobody's
	at    time.Time // when it came to be what it is; zero where nothing keeps that
}

// listAt is where a page of a list begins: after the row of a key, or before it.
type listAt struct {
	key  string
	back bool
}

// sheet is a list as it stands now under a scope and a filter.
type sheet struct {
	columns []listColumn
	rows    []sheetRow // in their order

	// A list too long to hold reads pages and knows its count and totals otherwise; stamp stands for its rows
	// in the short code, and pin names how far it went, because it grows.
	pages func(ctx context.Context, at listAt, size int) (rows []sheetRow, more bool, err error)
	count int64
	stamp string
	pin   string

	newest time.Time // of its rows

	totals sums
	filter []condition
	empty  part.Empty
}

// condition is one part of the filter, in words.
type condition struct{ param, text string }

// add puts a row at the end and counts it.
func (s *sheet) add(r sheetRow) {
	s.rows, s.count = append(s.rows, r), s.count+1
	s.reached(r.at)
	for _, x := range r.sums {
		s.totals = s.totals.add(x)
	}
}

// reached notes when a row came to be what it is.
func (s *sheet) reached(at time.Time) {
	if at.After(s.newest) {
		s.newest = at
	}
}

// fresh says as of when a list is: it is read anew for every page, and its newest row tells how far it goes.
func (h *Handlers) fresh(c *Ctx, s *sheet) string {
	text := h.asOf(c)
	if s.newest.IsZero() {
		return text
	}
	newest := i18n.Moment(c.ctx(), s.newest)
	if now := h.Clock.Now(); s.newest.After(now) || now.Sub(s.newest) > 180*24*time.Hour { // a day without its year would be misread
		newest = i18n.DateTime(s.newest)
	}
	return text + c.T("list.newest", "At", newest)
}

// asOf says that a list is of now.
func (h *Handlers) asOf(c *Ctx) string {
	if c.marked {
		return holeFresh.mark()
	}
	return c.T("list.fresh", "At", i18n.Moment(c.ctx(), h.Clock.Now()))
}

// narrowed notes a part of the filter that is set.
func (s *sheet) narrowed(param, text string) {
	if text != "" {
		s.filter = append(s.filter, condition{param, text})
	}
}

func (s *sheet) words(c *Ctx) string {
	var words []string
	for _, x := range s.filter {
		words = append(words, x.text)
	}
	return join(words, c.T("portal.list.comma"))
}

// at is a page of the list, and whether rows come before and after it. An unknown key begins anew.
func (s *sheet) at(ctx context.Context, at listAt, size int) (rows []sheetRow, before, after bool, err error) {
	if s.pages != nil {
		rows, more, err := s.pages(ctx, at, size)
		if at.back {
			return rows, more, true, err
		}
		return rows, at.key != "", more, err
	}
	i := slices.IndexFunc(s.rows, func(r sheetRow) bool { return r.key == at.key })
	begin := 0
	switch {
	case i >= 0 && at.back:
		begin = max(0, i-size)
	case i >= 0:
		begin = i + 1
	}
	end := min(begin+size, len(s.rows))
	return s.rows[begin:end], begin > 0, end < len(s.rows), nil
}

// each gives every row; a long list is read a page at a time.
func (s *sheet) each(ctx context.Context, fn func(*sheetRow) error) error {
	if s.pages == nil {
		for i := range s.rows {
			if err := fn(&s.rows[i]); err != nil {
				return err
			}
		}
		return nil
	}
	at := listAt{}
	for {
		rows, more, err := s.pages(ctx, at, 500)
		if err != nil {
			return err
		}
		for i := range rows {
			if err := fn(&rows[i]); err != nil {
				return err
			}
		}
		if !more || len(rows) == 0 {
			return nil
		}
		at.key = rows[len(rows)-1].key
	}
}

// code is the short code (校验码): four and four digits of the SHA-256 of the list, its filter and what it
// holds. It depends on no language, no columns and no page.
func (s *sheet) code(l *list, c *Ctx) string {
	h := sha256.New()
	var head []any
	for _, name := range l.params {
		if v := c.QueryParam(name); v != "" {
			head = append(head, name, v)
		}
	}
	for _, x := range s.totals {
		head = append(head, x.currency, x.amount.String())
	}
	body, err := json.Marshal([]any{l.kind, c.Org.Code, head, s.pin, s.count, s.stamp})
	if err != nil {
		panic("portal: code of plain fields: " + err.Error())
	}
	h.Write(body)
	for i := range s.rows {
		h.Write([]byte("\n" + s.rows[i].key + "\x00" + s.rows[i].mark))
	}
	text := strings.ToUpper(hex.EncodeToString(h.Sum(nil)[:4]))
	return text[:4] + "-" + text[4:]
}

// seal is the total and short code that page and file share; a list without money has its count.
func (s *sheet) seal(l *list, c *Ctx) *part.Seal {
	total := join(s.totals.texts(), " · ")
	if total == "" {
		total = c.T("list.count", "Count", s.count)
	}
	return &part.Seal{Total: total, Code: s.code(l, c)}
}

// path is the address of the list's page without its parameters.
func (l *list) path(c *Ctx) string {
	path := strings.Replace(pageOfList[l.kind].Path, ":org", c.Org.Code, 1)
	return pathParam.ReplaceAllStringFunc(path, func(name string) string { return url.PathEscape(c.Param(name[1:])) })
}

// link is this page with parameters of the list changed, from its beginning; an empty value takes one off.
func (l *list) link(c *Ctx, change ...string) string {
	v := maps.Clone(c.QueryParams())
	for _, name := range []string{"done", l.prefix + "after", l.prefix + "before"} {
		delete(v, name)
	}
	for i := 0; i+1 < len(change); i += 2 {
		delete(v, change[i])
		if change[i+1] != "" {
			v[change[i]] = []string{change[i+1]}
		}
	}
	if len(v) == 0 {
		return l.path(c)
	}
	return l.path(c) + "?" + url.Values(v).Encode()
}

func keyText(key string) string { return base64.RawURLEncoding.EncodeToString([]byte(key)) }

// place reads where the page begins.
func (l *list) place(c *Ctx) (listAt, error) {
	at := listAt{}
	text := c.QueryParam(l.prefix + "after")
	if back := c.QueryParam(l.prefix + "before"); text == "" && back != "" {
		text, at.back = back, true
	}
	b, err := base64.RawURLEncoding.DecodeString(text)
	if err != nil {
		return at, notFound()
	}
	at.key = string(b)
	return at, nil
}

func (l *list) size(c *Ctx) int {
	if n, err := strconv.Atoi(c.QueryParam(l.prefix + "size")); err == nil && slices.Contains(pageSizes, n) {
		return n
	}
	return pageSizes[0]
}

// grid is the part of a list its page shows.
func (h *Handlers) grid(c *Ctx, kind string) (opsview.Grid, *sheet, error) {
	l := lists[kind]
	s, err := l.read(h, c)
	if err != nil {
		return opsview.Grid{}, nil, err
	}
	g, err := h.gridOf(c, l, s)
	return g, s, err
}

// gridOf is the page of a list that was read. A list without rows says so instead.
func (h *Handlers) gridOf(c *Ctx, l *list, s *sheet) (opsview.Grid, error) {
	at, err := l.place(c)
	if err != nil {
		return opsview.Grid{}, err
	}
	size := l.size(c)
	rows, before, after, err := s.at(c.ctx(), at, size)
	if err != nil {
		return opsview.Grid{}, err
	}
	chosen, columns, err := h.columns(c, l, s)
	if err != nil {
		return opsview.Grid{}, err
	}
	g := opsview.Grid{ID: "list-" + strings.ReplaceAll(l.kind, ".", "-"), Empty: &s.empty,
		Tool:  &part.Tool{Count: c.T("list.count", "Count", s.count), Fresh: h.fresh(c, s), Refresh: l.link(c, "until", ""), Columns: columns, Export: h.exportOfList(c, l, s)},
		Pager: h.pagerOf(c, l, s, rows, before, after, size)}
	if l.prefix == "" {
		if g.Tool.Views, err = h.views(c, l.link(c, "until", "")); err != nil {
			return opsview.Grid{}, err
		}
	}
	for _, x := range s.filter {
		one := part.Condition{Text: x.text}
		if x.param != "" {
			one.Remove = l.link(c, x.param, "")
		}
		g.Tool.Conditions = append(g.Tool.Conditions, one)
	}
	for _, i := range chosen {
		g.Heads = append(g.Heads, h.headOf(c, l, &s.columns[i]))
	}
	for i := range rows {
		if c.open {
			c.saw(rows[i].about)
		}
		cells := make([]opsview.Cell, len(chosen))
		for n, at := range chosen {
			cells[n] = rows[i].cells[at]
		}
		g.Rows = append(g.Rows, cells)
	}
	g.Totals = totalsOf(c, s, rows, chosen)
	if s.pin != "" && c.QueryParam("until") == "" && at.key == "" {
		g.Pin = l.link(c, "until", s.pin)
	}
	if s.count == 0 {
		g.Tool.Columns, g.Pager.Sizes = nil, nil
	}
	return g, nil
}

// board is a page that is one list: its title names the table, and its filter stands in its card.
func (h *Handlers) board(c *Ctx, p *opsview.Board, kind string) (*sheet, error) {
	g, s, err := h.grid(c, kind)
	if err != nil {
		return nil, err
	}
	g.Caption, g.Filter, p.Filter = p.Header.Title, p.Filter, nil
	c.ruled(&p.Header, &p.Rules)
	p.Grids = append(p.Grids, g)
	return s, nil
}

// whole shows all rows of a list that no address names, such as what a file would do.
func (s *sheet) whole(id, title string, empty part.Empty) opsview.Grid {
	g := opsview.Grid{ID: id, Title: title, Empty: &empty}
	for i := range s.columns {
		g.Heads = append(g.Heads, opsview.Head{Text: s.columns[i].title, Num: s.columns[i].num, Class: s.columns[i].class})
	}
	for i := range s.rows {
		g.Rows = append(g.Rows, s.rows[i].cells)
	}
	return g
}

// titled is a list among others on a page.
func (h *Handlers) titled(c *Ctx, kind, id, title string) (opsview.Grid, error) {
	g, _, err := h.grid(c, kind)
	g.ID, g.Title = id, title
	return g, err
}

func (h *Handlers) headOf(c *Ctx, l *list, x *listColumn) opsview.Head {
	head := opsview.Head{Text: x.title, Num: x.num, Class: x.class, Acts: x.acts}
	if x.personal && c.Scope.Has(scope.ItemRevealMasked) {
		head.Eye = &part.Eye{Action: strings.Replace(l.link(c), l.path(c), l.path(c)+"/names", 1), Open: c.open, Name: x.title}
	}
	return head
}

func (h *Handlers) pagerOf(c *Ctx, l *list, s *sheet, rows []sheetRow, before, after bool, size int) *part.Pager {
	p := &part.Pager{Range: c.T("list.shown", "Count", int64(len(rows)), "All", s.count), Seal: s.seal(l, c)}
	pin := func(change ...string) string { return l.link(c, append(change, "until", s.pin)...) }
	if before {
		p.First = l.link(c)
		if len(rows) > 0 {
			p.Prev = pin(l.prefix+"before", keyText(rows[0].key))
		}
	}
	if after && len(rows) > 0 {
		p.Next = pin(l.prefix+"after", keyText(rows[len(rows)-1].key))
	}
	for _, n := range pageSizes {
		p.Sizes = append(p.Sizes, part.Tab{Text: strconv.Itoa(n), Href: l.link(c, l.prefix+"size", strconv.Itoa(n)), Current: n == size})
	}
	return p
}

// totalsOf are the sums of the page and of the whole list, under the column of money where that is shown.
func totalsOf(c *Ctx, s *sheet, rows []sheetRow, chosen []int) []opsview.Total {
	at := slices.IndexFunc(chosen, func(i int) bool { return s.columns[i].money })
	if at < 1 || len(s.totals) == 0 {
		return nil
	}
	var page sums
	for i := range rows {
		for _, x := range rows[i].sums {
			page = page.add(x)
		}
	}
	return []opsview.Total{{Label: c.T("list.total.page", "Count", int64(len(rows))), Lines: page.shown(), At: at, Rest: len(chosen) - at - 1},
		{Label: c.T("list.total.all", "Count", s.count), Lines: s.totals.shown(), At: at, Rest: len(chosen) - at - 1}}
}

// shown are the amounts as a page shows them, to the decimals of their currency, with all of them at hand.
func (s sums) shown() []part.Money {
	out := make([]part.Money, len(s))
	for i, x := range s {
		out[i] = exactMoney(x.amount, x.currency)
	}
	return out
}

// saw notes that the name of the customer of that code stands on this page in clear.
func (c *Ctx) saw(code string) {
	if code != "" {
		c.seen = append(c.seen, code)
	}
}

// tellSeen lets the customers whose names a page shows in clear know it, before it is sent.
func (c *Ctx) tellSeen() error {
	if len(c.seen) == 0 || c.eye == "" {
		return nil
	}
	codes := c.seen
	c.seen = nil
	return c.h.Customers.Saw(c.ctx(), c.Scope, customer.ActReveal, c.eye, codes)
}

// personal is a name that is masked until the eye of its column is used.
func (c *Ctx) personal(name string) opsview.Cell {
	if name == "" || c.open {
		return opsview.Cell{Text: name}
	}
	return opsview.Cell{Text: maskName(name), Masked: true}
}

func countCell(n int64) opsview.Cell {
	return opsview.Cell{Text: i18n.Count(n), Raw: strconv.FormatInt(n, 10)}
}

// moneyCell shows amounts to the decimals of their currency, one below the other where there are several; files have
// them whole.
func moneyCell(of sums) opsview.Cell {
	switch len(of) {
	case 0:
		return opsview.Cell{}
	case 1:
		x := exactMoney(of[0].amount, of[0].currency)
		return opsview.Cell{Text: x.Text, Full: x.Full, Raw: of[0].amount.String()}
	}
	return opsview.Cell{Lines: of.shown()}
}

// marks joins what a row says for its short code.
func marks(of ...string) string { return strings.Join(of, "\x00") }

func (s sums) mark() string {
	out := ""
	for _, x := range s {
		out += x.currency + x.amount.String() + " "
	}
	return out
}
