package portal

import (
	"context"
	"encoding/json"
	"io"
	"maps"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"

	"huoban/internal/bill"
	"huoban/internal/billdoc"
	"huoban/internal/billexport"
	"huoban/internal/expenditureexport"
	"huoban/internal/export"
	"huoban/internal/fault"
	"huoban/internal/i18n"
	"huoban/internal/message"
	"huoban/internal/scope"
	"huoban/internal/statementexport"
	"huoban/web/templates/exportview"
	"huoban/web/templates/layout"
	"huoban/web/templates/part"
)

// exportRoutes are asking for a file, and 导出记录, where it is found later.
func exportRoutes() []Route {
	own := []scope.Item{scope.ItemExportOwn, scope.ItemExportAll}
	return []Route{
		{Method: post, Path: "/o/:org/exports", Name: "exports.request", Items: []scope.Item{scope.ItemExportOwn},
			Query: []string{"vendor", "partner", "entity", "customer", "manager", "path.id", "path.cycle", "source", "slot", "rule"}, Do: (*Handlers).requestExport},
		{Method: get, Path: "/o/:org/exports", Name: "exports", Items: own, Title: "exports.title", NoList: "the files themselves", Do: (*Handlers).exports},
		{Method: get, Path: "/o/:org/exports/:id/file", Name: "exports.file", Items: own, Do: (*Handlers).exportFile},
		{Method: post, Path: "/o/:org/exports/:id/retry", Name: "exports.retry", Items: []scope.Item{scope.ItemExportOwn}, Do: (*Handlers).retryExport,
			machine: export.Flow, act: string(export.ActionRetry)},
	}
}

// param reads a field of the form, or of the address.
func (c *Ctx) param(name string) string {
	if v := c.Request().PostForm.Get(name); v != "" {
		return v
	}
	return c.QueryParam(name)
}

// filterFields are what narrows a list of lines.
var filterFields = []string{"customer", "product", "kind", "mode", "region", "zero"}

// exportOf offers the files of a page of a bill: a POST each, with what the page shows as fields.
func exportOf(c *Ctx, doc *bill.Document, kind string, filter url.Values) *part.Export {
	if !c.Scope.Has(scope.ItemBillExport) {
		return nil
	}
	e := &part.Export{ID: "export", Note: c.T("exports.note"), Records: &part.Link{Text: c.T("exports.see"), Href: c.at("/exports")}}
	rows := c.T("bills.lines_of", "Count", doc.LineCount)
	switch kind {
	case billexport.KindBill:
		e.Intro = c.T("exports.intro.bill")
	case billexport.KindLines:
		e.Intro, rows = c.T("exports.intro.bill_lines"), ""
	default:
		e.Intro, rows = c.T("exports.intro.split"), ""
	}
	b := billexport.Of(doc)
	fields := []part.Hidden{{Name: "list", Value: kind}, {Name: "cycle", Value: b.Cycle}, {Name: "vendor", Value: b.Vendor},
		{Name: "partner", Value: b.Partner}, {Name: "currency", Value: b.Currency}, {Name: "entity", Value: b.Entity}, {Name: "next", Value: c.here()}}
	for _, name := range filterFields {
		if v := filter.Get(name); v != "" {
			fields = append(fields, part.Hidden{Name: name, Value: v})
		}
	}
	for _, f := range billexport.Formats[kind] {
		note := rows
		if kind == billexport.KindLines && f == billdoc.FormatPDF {
			note = c.T("exports.pdf_most", "Count", int64(billdoc.PDFLines))
		}
		if kind == billexport.KindBill && f == billdoc.FormatPDF {
			note = c.T("exports.format.pdf")
		}
		hidden := append(fresh(), part.Hidden{Name: "format", Value: string(f)})
		e.Items = append(e.Items, part.ExportItem{Text: strings.ToUpper(string(f)), Note: note, Action: c.at("/exports"), Hidden: append(hidden, fields...)})
	}
	return e
}

// here is the address of this page, without the message it may show.
func (c *Ctx) here() string {
	u := *c.Request().URL
	v := c.QueryParams()
	if v.Has("done") {
		v = maps.Clone(v)
		v.Del("done")
	}
	u.RawQuery = v.Encode()
	return u.RequestURI()
}

// exported is the message after asking for a file.
func (c *Ctx) exported() *part.Flash {
	if c.QueryParam("done") != "export" {
		return nil
	}
	return &part.Flash{Tone: part.Good, Text: c.T("exports.created"), Link: &part.Link{Text: c.T("exports.see"), Href: c.at("/exports")}}
}

func withDone(address, what string) string {
	u, err := url.Parse(layout.SafeNext(address))
	if err != nil {
		return address
	}
	v := u.Query()
	v.Set("done", what)
	u.RawQuery = v.Encode()
	return u.String()
}

// exportParams names what the page shows: a bill in scope, and for its lines the filter.
func (h *Handlers) exportParams(c *Ctx, kind string) (billexport.Params, error) {
	st, err := h.statement(c)
	if err != nil {
		return billexport.Params{}, err
	}
	if st.doc == nil {
		return billexport.Params{}, notFound()
	}
	p := billexport.Of(st.doc)
	p.Lang = string(i18n.From(c.ctx()))
	if kind != billexport.KindLines {
		return p, nil
	}
	l, err := c.lineList(st.doc)
	if err != nil {
		return p, err
	}
	p.Customer, p.Product, p.Region = l.params.Get("customer"), l.params.Get("product"), l.params.Get("region")
	p.Kind, p.Mode, p.NonZero = l.params.Get("kind"), l.params.Get("mode"), l.filter.NonZero
	var words []string
	for _, x := range conditions(c, st.doc, l) {
		words = append(words, x.Text)
	}
	p.Filter = join(words, c.T("portal.list.comma"))
	return p, billexport.CheckLines(kind, c.param("format"), st.doc.LineTotals(l.filter).Count)
}

// billExport is what a page of a bill asks to be written.
func (h *Handlers) billExport(c *Ctx, kind, format string) (export.Request, error) {
	r := export.Request{Kind: kind, Format: format}
	if err := billexport.Check(kind, format); err != nil {
		return r, err
	}
	if err := c.Scope.Require(scope.ItemBillExport); err != nil {
		return r, err
	}
	if c.Scope.Side() == scope.SideCustomer {
		return r, notFound()
	}
	p, err := h.exportParams(c, kind)
	r.Params = p
	return r, err
}

// requestExport asks for a file and leads back to the page, which says so.
func (h *Handlers) requestExport(c *Ctx) error {
	if err := c.readForm(); err != nil {
		return err
	}
	kind, format := c.param("list"), c.param("format")
	request := h.billExport
	switch {
	case kind == statementexport.KindArchive:
		request = h.archiveExport
	case expenditureexport.Owns(kind):
		request = h.consumptionExport
	case lists[kind] != nil:
		request = h.listExport
	}
	r, err := request(c, kind, format)
	if err != nil {
		return err
	}
	next := c.param("next")
	if next == "" {
		next = c.at("/exports")
	}
	return h.once(c, func(ctx context.Context) (answer, error) {
		t, err := h.Exports.Request(ctx, c.Scope, r)
		return answer{Location: withDone(next, "export"), Body: map[string]any{"task": t.ID, "state": t.State, "location": c.at("/exports")}}, err
	})
}

func (h *Handlers) retryExport(c *Ctx) error {
	return h.once(c, func(ctx context.Context) (answer, error) {
		t, err := h.Exports.Retry(ctx, c.Scope, c.Param("id"))
		return answer{Location: c.at("/exports?done=retry"), Body: map[string]any{"task": t.ID, "state": t.State, "location": c.at("/exports")}}, err
	})
}

// exportsShown is one page of 导出记录.
const exportsShown = 20

// exports lists one's own files; who may see all of the organisation sees all.
func (h *Handlers) exports(c *Ctx) error {
	after, err := parseCursor(c.QueryParam("after"))
	if err != nil {
		return err
	}
	var list export.Page
	code := c.QueryParam("code")
	if code != "" {
		list.Tasks, err = h.Exports.Find(c.ctx(), c.Scope, code)
	} else {
		list, err = h.Exports.List(c.ctx(), c.Scope, export.Cursor(after), exportsShown)
	}
	if err != nil {
		return err
	}
	if wantsJSON(c.Request()) {
		return c.JSON(http.StatusOK, h.exportList(c, list))
	}
	here := func(after string) string { return c.withQuery("/exports", "after", after) }
	p := exportview.List{Header: part.Header{Title: c.T("exports.title"), Crumbs: c.crumbs(part.Link{Text: c.T("exports.title")})}, Flash: c.exported(),
		Tool:  part.Tool{Count: c.T("exports.count", "Count", int64(len(list.Tasks))), Refresh: c.here()},
		Notes: []string{c.T("exports.keep", "Count", int64(h.Exports.Days))}, People: c.Scope.Has(scope.ItemExportAll)}
	c.ruled(&p.Header, &p.Rules)
	if code != "" {
		p.Tool.Conditions = []part.Condition{{Text: code, Remove: c.at("/exports")}}
	}
	if c.QueryParam("done") == "retry" {
		p.Flash = &part.Flash{Tone: part.Good, Text: c.T("exports.retried")}
	}
	for i := range list.Tasks {
		row, err := h.exportRow(c, &list.Tasks[i])
		if err != nil {
			return err
		}
		if list.Tasks[i].State == export.StateProcessing {
			p.Poll = c.here()
		}
		p.Rows = append(p.Rows, row)
	}
	p.Pager.Range = p.Tool.Count
	if after.ID != "" {
		p.Pager.First = here("")
	}
	if list.Next != nil {
		next := message.Cursor(*list.Next)
		p.Pager.Next = here(cursorText(&next))
	}
	if len(p.Rows) == 0 {
		p.Empty = &part.Empty{Title: c.T("exports.empty"), Text: c.T("exports.empty_text")}
	}
	return c.page(http.StatusOK, p.Page())
}

var exportTone = map[export.State]part.Tone{export.StateProcessing: part.Run, export.StateDone: part.Good, export.StateFailed: part.Bad,
	export.StateExpired: part.Grey}

// stateNow is the state as it stands: a file past its time is expired even before the timer says so.
func (h *Handlers) stateNow(t *export.Task) export.State {
	if t.State == export.StateDone && !t.ExpiresAt.After(h.Clock.Now()) {
		return export.StateExpired
	}
	return t.State
}

func (h *Handlers) exportRow(c *Ctx, t *export.Task) (exportview.Row, error) {
	var p billexport.Params
	if err := json.Unmarshal(t.Params, &p); err != nil {
		return exportview.Row{}, err
	}
	state := h.stateNow(t)
	row := exportview.Row{ID: t.ID, Requested: i18n.DateTime(t.RequestedAt), Person: t.Login, Format: strings.ToUpper(t.Format), Expires: i18n.Nothing,
		Content: c.T("exports.content", "Kind", c.T("exports.kind."+t.Kind), "Bill", strings.TrimSpace(p.Partner+" "+p.Cycle+" "+p.Currency)),
		Filter:  i18n.Nothing, State: part.Status{ID: "state-" + t.ID, Text: c.T("export.state." + string(state)), Tone: exportTone[state],
			Meaning: c.T("exports.meaning."+string(state), "Reason", exportReason(c, t.Failure)), Next: c.T("exports.next." + string(state))}}
	if p.Filter != "" {
		row.Filter = p.Filter
	}
	if row.Name = t.FileName; row.Name == "" {
		row.Name = row.Content
	}
	switch state {
	case export.StateProcessing:
		done, total, err := h.Exports.Progress(c.ctx(), *t)
		if err != nil {
			return row, err
		}
		if total > 0 {
			row.Progress = c.T("exports.done_of", "Done", done, "Total", total)
		} else if done > 0 {
			row.Progress = c.T("exports.done_some", "Count", done)
		}
	case export.StateDone:
		row.Size = c.T("exports.rows", "Count", t.Rows) + " · " + i18n.Bytes(t.Bytes)
		row.Code = t.Code
		row.Expires = i18n.DateTime(t.ExpiresAt)
		row.State.Due = row.Expires
		row.Download = c.at("/exports/" + t.ID + "/file")
	case export.StateExpired:
		row.Expires = i18n.DateTime(t.ExpiresAt)
	}
	for _, b := range h.Exports.Actions(c.Scope, *t) {
		if b.Enabled && b.Action == string(export.ActionRetry) {
			row.Retry = &exportview.Retry{Action: c.at("/exports/" + t.ID + "/" + b.Noun), Hidden: append(fresh(), seen(t.Version))}
		}
	}
	return row, nil
}

// exportReason says why a file was not made. A right that was lost is told apart from what a retry cures.
func exportReason(c *Ctx, code string) string {
	switch code {
	case "":
		return ""
	case "scope.permission_missing", "organisation.unknown", "account.person_unknown", "bill.unknown", "expenditure.customer_unknown", "expenditure.manager_unknown":
		return c.T("exports.reason.out_of_reach")
	case "internal":
		return c.T("exports.reason.internal")
	}
	return i18n.FaultText(c.ctx(), fault.New(fault.KindInternal, code, nil))
}

// exportJSON is a task as a program sees it.
type exportJSON struct {
	Task      string          `json:"task"`
	Kind      string          `json:"kind"`
	Format    string          `json:"format"`
	State     export.State    `json:"state"`
	Params    json.RawMessage `json:"params"`
	Requested time.Time       `json:"requested_at"`
	Expires   *time.Time      `json:"expires_at,omitempty"`
	Rows      int64           `json:"rows"`
	Code      string          `json:"code,omitempty"`
	Bytes     int64           `json:"bytes"`
	SHA       string          `json:"sha256,omitempty"`
	Failure   string          `json:"failure,omitempty"`
	File      string          `json:"file,omitempty"` // address, while it can be downloaded
}

func (h *Handlers) exportList(c *Ctx, list export.Page) map[string]any {
	rows := []exportJSON{}
	for i := range list.Tasks {
		t := &list.Tasks[i]
		row := exportJSON{Task: t.ID, Kind: t.Kind, Format: t.Format, State: h.stateNow(t), Params: t.Params, Requested: t.RequestedAt, Rows: t.Rows, Code: t.Code,
			Bytes: t.Bytes, SHA: t.SHA, Failure: t.Failure}
		if row.State == export.StateDone {
			row.Expires, row.File = &t.ExpiresAt, c.at("/exports/"+t.ID+"/file")
		}
		rows = append(rows, row)
	}
	out := map[string]any{"exports": rows}
	if list.Next != nil {
		next := message.Cursor(*list.Next)
		out["next"] = cursorText(&next)
	}
	return out
}

// exportFile streams a finished file.
func (h *Handlers) exportFile(c *Ctx) error {
	t, file, err := h.Exports.Open(c.ctx(), c.Scope, c.Param("id"))
	if err != nil {
		return err
	}
	c.unhurried()
	c.Response().Header().Set("Content-Length", strconv.FormatInt(t.Bytes, 10))
	_, err = io.Copy(&lateHeader{ResponseWriter: c.Response(), name: t.FileName, media: t.ContentType}, file)
	return err
}
