package portal

import (
	"context"
	"encoding/json"
	"io"
	"maps"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"

	"github.com/labstack/echo/v4"

	"huoban/internal/billdoc"
	"huoban/internal/export"
	"huoban/internal/fault"
	"huoban/internal/i18n"
	"huoban/internal/organisation"
	"huoban/internal/scope"
	"huoban/web/templates/opsview"
	"huoban/web/templates/part"
)

// listFormats are what every list can be written as; the first is offered first.
var listFormats = []billdoc.Format{billdoc.FormatXLSX, billdoc.FormatCSV}

// listParams are a list as its task keeps it: the address of its page.
type listParams struct {
	Path    map[string]string `json:"path,omitempty"` // parameters of the path but the organisation
	Query   string            `json:"query,omitempty"`
	Columns []string          `json:"columns"`
	Filter  string            `json:"filter,omitempty"` // in words, as the page showed it
	Lang    string            `json:"lang"`
}

// RegisterLists names the producers of every list. The handlers need the services lists are read by and
// nothing that serves requests.
func (h *Handlers) RegisterLists(s *export.Service, orgByID func(ctx context.Context, id string) (organisation.Organisation, error)) {
	for _, l := range lists {
		s.Register(l.kind, func(ctx context.Context, sc scope.Scope, t export.Task, w io.Writer) (export.Produced, error) {
			org, err := orgByID(ctx, t.OrgID)
			if err != nil {
				return export.Produced{}, err
			}
			return h.produceList(ctx, l, sc, org, t, w)
		})
	}
}

// reading is a request for the page of a list, made where there is none: by the worker, and for the form
// that asks for a file.
func (h *Handlers) reading(ctx context.Context, l *list, sc scope.Scope, org organisation.Organisation, path map[string]string, query string) (*Ctx, error) {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, "/?"+query, nil)
	if err != nil {
		return nil, fault.Invalid("export.kind_unknown", fault.Args{"kind": l.kind}).Because(err)
	}
	ec := echo.New().NewContext(req, nil)
	c := &Ctx{Context: ec, Route: pageOfList[l.kind], Org: org, Scope: sc}
	var names, values []string
	for name, value := range path {
		names, values = append(names, name), append(values, value)
	}
	ec.SetParamNames(names...)
	ec.SetParamValues(values...)
	if sides := c.Route.Sides; len(sides) > 0 && !slices.Contains(sides, sc.Side()) {
		return nil, notFound()
	}
	if err := sc.Require(c.Route.Items...); err != nil {
		return nil, err
	}
	if l.needs != "" {
		return c, sc.Require(l.needs)
	}
	return c, nil
}

// exportOfList offers the files of a list: a POST each, with the address of the page.
func (h *Handlers) exportOfList(c *Ctx, l *list, s *sheet) *part.Export {
	if !c.Scope.Has(scope.ItemExportOwn) || l.needs != "" && !c.Scope.Has(l.needs) {
		return nil
	}
	e := &part.Export{ID: "export-" + strings.ReplaceAll(l.kind, ".", "-"), Intro: c.T("list.export"), Records: &part.Link{Text: c.T("exports.see"), Href: c.at("/exports")}}
	if slices.ContainsFunc(s.columns, func(x listColumn) bool { return x.personal }) {
		e.Note = c.T("exports.note")
	}
	here := l.link(c, "until", s.pin)
	fields := []part.Hidden{{Name: "list", Value: l.kind}, {Name: "next", Value: l.link(c)}}
	if _, query, found := strings.Cut(here, "?"); found {
		fields = append(fields, part.Hidden{Name: "query", Value: query})
	}
	for _, m := range pathParam.FindAllStringSubmatch(pageOfList[l.kind].Path, -1) {
		if m[1] != "org" {
			fields = append(fields, part.Hidden{Name: "path." + m[1], Value: c.Param(m[1])})
		}
	}
	for _, f := range listFormats {
		hidden := append(c.freshKey(), part.Hidden{Name: "format", Value: string(f)})
		e.Items = append(e.Items, part.ExportItem{Text: strings.ToUpper(string(f)), Note: c.T("exports.rows", "Count", s.count), Action: c.at("/exports"), Hidden: append(hidden, fields...)})
	}
	return e
}

// listExport is what the page of a list asks to be written. The list is read once, so that a filter that
// names something out of sight is refused now and not by the file.
func (h *Handlers) listExport(c *Ctx, kind, format string) (export.Request, error) {
	r, l := export.Request{Kind: kind, Format: format}, lists[kind]
	if !slices.Contains(listFormats, billdoc.Format(format)) {
		return r, fault.Invalid("export.format_unknown", fault.Args{"format": format, "formats": "xlsx, csv"})
	}
	query, err := url.ParseQuery(c.param("query"))
	if err != nil {
		return r, notFound()
	}
	for name, values := range c.QueryParams() { // a program may ask with the page's own parameters
		if !slices.Contains([]string{"list", "format", "next", "query"}, name) && len(values) > 0 && values[0] != "" {
			query[name] = values
		}
	}
	p := listParams{Path: map[string]string{}, Query: query.Encode(), Lang: string(i18n.From(c.ctx()))}
	for _, m := range pathParam.FindAllStringSubmatch(pageOfList[kind].Path, -1) {
		if m[1] != "org" {
			p.Path[m[1]] = c.param("path." + m[1])
		}
	}
	read, err := h.reading(c.ctx(), l, c.Scope, c.Org, p.Path, p.Query)
	if err != nil {
		return r, err
	}
	read.Person = c.Person
	s, err := l.read(h, read)
	if err != nil {
		return r, err
	}
	chosen, _, err := h.columns(read, l, s)
	if err != nil {
		return r, err
	}
	for _, i := range chosen {
		p.Columns = append(p.Columns, s.columns[i].key)
	}
	p.Filter = s.words(read)
	r.Params = p
	return r, nil
}

// produceList writes a list under the scope its owner has now. A file whose rows do not add up to what
// its page says is not handed out.
func (h *Handlers) produceList(ctx context.Context, l *list, sc scope.Scope, org organisation.Organisation, t export.Task, w io.Writer) (export.Produced, error) {
	var p listParams
	if err := json.Unmarshal(t.Params, &p); err != nil {
		return export.Produced{}, fault.Invalid("export.kind_unknown", fault.Args{"kind": t.Kind}).Because(err)
	}
	lang, ok := i18n.Parse(p.Lang)
	if !ok {
		lang = i18n.ZhCN
	}
	ctx = i18n.With(ctx, lang)
	c, err := h.reading(ctx, l, sc, org, p.Path, p.Query)
	if err != nil {
		return export.Produced{}, err
	}
	s, err := l.read(h, c)
	if err != nil {
		return export.Produced{}, err
	}
	f := &listFile{c: c, l: l, s: s, filter: p.Filter, about: map[string]bool{}}
	for _, key := range p.Columns {
		if i := slices.IndexFunc(s.columns, func(x listColumn) bool { return x.key == key }); i >= 0 {
			f.columns = append(f.columns, i)
		}
	}
	if len(f.columns) == 0 {
		f.columns = every(len(s.columns))
	}
	f.columns = slices.DeleteFunc(f.columns, func(i int) bool { return s.columns[i].acts })
	format := billdoc.Format(t.Format)
	if err := billdoc.WriteSheet(ctx, w, format, f.sheet()); err != nil {
		return export.Produced{}, err
	}
	name := strings.ReplaceAll(l.kind, ".", "-") + "-" + org.Code
	return export.Produced{FileName: name + "." + format.Extension(), ContentType: format.MediaType(), Rows: f.rows, Code: s.code(l, c), Customers: slices.Sorted(maps.Keys(f.about))}, nil
}

func every(n int) []int {
	out := make([]int, n)
	for i := range out {
		out[i] = i
	}
	return out
}

// listFile is a list being written.
type listFile struct {
	c       *Ctx
	l       *list
	s       *sheet
	columns []int
	filter  string

	rows  int64
	about map[string]bool // codes of the customers it holds
	sums  sums
	width int
	money int // where totals stand in a row of the file, -1 if nowhere
}

func (f *listFile) sheet() billdoc.Sheet {
	out := billdoc.Sheet{Name: sheetName(f.c.T("exports.kind." + f.l.kind)), Foot: f.foot}
	f.money = -1
	for _, i := range f.columns {
		x := &f.s.columns[i]
		out.Columns = append(out.Columns, billdoc.SheetColumn{Title: x.title, Figure: x.num})
		if x.money {
			f.money = len(out.Columns) - 1
			out.Columns = append(out.Columns, billdoc.SheetColumn{Title: f.c.T("expenditure.currency")})
		}
		if x.note != "" {
			out.Columns = append(out.Columns, billdoc.SheetColumn{Title: x.note})
		}
	}
	for len(out.Columns) < 2 { // the end of a file is a name and a value
		out.Columns = append(out.Columns, billdoc.SheetColumn{})
	}
	f.width = len(out.Columns)
	out.Each = func(ctx context.Context, yield func([]string) error) error {
		return f.s.each(ctx, func(r *sheetRow) error {
			f.rows++
			if r.about != "" {
				f.about[r.about] = true
			}
			for _, x := range r.sums {
				f.sums = f.sums.add(x)
			}
			if f.rows%100 == 0 {
				if err := export.Report(ctx, f.rows, f.s.count); err != nil {
					return err
				}
			}
			return yield(f.row(r))
		})
	}
	return out
}

// sheetName is a title a workbook takes: 31 characters, and none of []:*?/\.
func sheetName(title string) string {
	r := []rune(strings.NewReplacer("[", " ", "]", " ", ":", " ", "*", " ", "?", " ", "/", " ", "\\", " ").Replace(title))
	return string(r[:min(len(r), 31)])
}

func (f *listFile) row(r *sheetRow) []string {
	out := make([]string, 0, f.width)
	for _, i := range f.columns {
		x, cell := &f.s.columns[i], &r.cells[i]
		out = append(out, cellText(cell))
		if x.money {
			var currencies []string
			for _, one := range r.sums {
				currencies = append(currencies, one.currency)
			}
			out = append(out, strings.Join(currencies, " "))
		}
		if x.note != "" {
			out = append(out, cell.Note)
		}
	}
	for len(out) < f.width {
		out = append(out, "")
	}
	return out
}

// cellText is a cell as a file has it: figures whole, and nothing where the page says so.
func cellText(x *opsview.Cell) string {
	switch {
	case x.Raw != "":
		return x.Raw
	case x.Status != nil:
		return x.Status.Text
	case x.Tag != nil:
		return x.Tag.Text
	case len(x.Lines) > 0:
		var lines []string
		for _, m := range x.Lines {
			lines = append(lines, m.Full)
		}
		return strings.Join(lines, " · ")
	case x.Text == i18n.Nothing:
		return ""
	}
	return x.Text
}

// foot ends a file with totals, the number of rows, the filter and the short code.
func (f *listFile) foot() ([][]string, error) {
	if f.rows != f.s.count || f.sums.mark() != f.s.totals.mark() {
		return nil, fault.Unavailable("export.changed_meanwhile", nil)
	}
	var out [][]string
	row := func(label, value string) []string {
		cells := make([]string, f.width)
		cells[0], cells[1] = f.c.T("bill.column."+label), value
		out = append(out, cells)
		return cells
	}
	for _, x := range f.s.totals {
		cells := row("total", "")
		if f.money > 0 {
			cells[f.money], cells[f.money+1] = x.amount.String(), x.currency
		} else {
			cells[1] = x.currency + " " + x.amount.String()
		}
	}
	row("rows", strconv.FormatInt(f.rows, 10))
	if f.filter != "" {
		row("filter", f.filter)
	}
	row("code", f.s.code(f.l, f.c))
	return out, nil
}
