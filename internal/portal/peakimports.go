package portal

import (
	"context"
	"net/http"
	"os"
	"slices"
	"strconv"

	"huoban/internal/fault"
	"huoban/internal/i18n"
	"huoban/internal/peak"
	"huoban/internal/scope"
	"huoban/web/templates/opsview"
	"huoban/web/templates/part"
)

const (
	pathPeakImports = "/peak-imports"
	peakImportsMost = 1000 // listed
)

// peakImportRoutes are where a vendor's staff hands points of 月结95峰值 over, as `portal peak import` does.
func peakImportRoutes() []Route {
	row := func(method, path, name string, item scope.Item, title string, do func(*Handlers, *Ctx) error) Route {
		return Route{Method: method, Path: "/o/:org" + pathPeakImports + path, Name: name, Sides: vendors, Items: []scope.Item{item}, Title: title, Do: do}
	}
	return []Route{
		row(get, "", "peak_imports", scope.ItemDeliveryView, "peak.imports", (*Handlers).peakImports),
		row(get, "/new", "peak_imports.new", scope.ItemDeliveryImport, "peak.upload", (*Handlers).peakUploadPage).noList("form"),
		row(post, "", "peak_imports.add", scope.ItemDeliveryImport, "", (*Handlers).peakUpload),
		row(get, "/:id", "peak_imports.show", scope.ItemQuarantineView, "peak.upload", (*Handlers).peakImportShown),
		row(post, "/:id/reversal", "peak_imports.revert", scope.ItemDeliveryRevert, "", (*Handlers).revertPeakImport),
	}
}

var peakImportTone = map[string]part.Tone{peak.ImportActive: part.Good}

func (h *Handlers) peakImports(c *Ctx) error {
	title := c.T("peak.imports")
	p := opsview.Board{Header: part.Header{Title: title, Crumbs: c.crumbs(part.Link{Text: title})}, Flash: c.done(), Notes: []string{c.T("peak.upload.note")}}
	if c.Scope.Has(scope.ItemDeliveryImport) {
		p.Header.Buttons = []part.Link{{Text: c.T("peak.upload"), Href: c.at(pathPeakImports + "/new")}}
	}
	if _, err := h.board(c, &p, "peak.imports"); err != nil {
		return err
	}
	return c.page(http.StatusOK, p.Page())
}

// readPeakImports lists the imports, the newest first.
func (h *Handlers) readPeakImports(c *Ctx) (*sheet, error) {
	list, err := h.Peaks.Imports(c.ctx(), c.Scope, peakImportsMost)
	if err != nil {
		return nil, err
	}
	num := func(key string) listColumn {
		return listColumn{key: key, title: c.T("peak.upload." + key), num: true}
	}
	s := &sheet{columns: []listColumn{{key: "number", title: c.T("peak.upload.number"), note: c.T("peak.upload.file")}, {key: "source", title: c.T("opsview.col.source")}, {key: "state", title: c.T("opsview.col.state")},
		num("points"), num("resources"), num("days"), num("replaced"), num("quarantined"), {key: "received", title: c.T("peak.upload.received"), note: c.T("ops.fact.by"), class: "num-l"}},
		empty: part.Empty{Title: c.T("peak.upload.none"), Text: c.T("peak.upload.none_text")}}
	for i := range list {
		m := &list[i]
		first := opsview.Cell{Text: "#" + strconv.FormatInt(m.Number, 10), Note: m.Name}
		if c.Scope.Has(scope.ItemQuarantineView) {
			first.Href = c.at(pathPeakImports + "/" + m.ID)
		}
		s.add(sheetRow{key: m.ID, at: m.ReceivedAt, mark: marks(m.ID, m.State, strconv.FormatInt(m.Points, 10)), cells: []opsview.Cell{first, {Text: m.Source},
			{Status: &part.Status{Text: c.T("peak.upload.state." + m.State), Tone: peakImportTone[m.State]}}, countCell(m.Points), countCell(m.Resources), countCell(m.Days), countCell(m.Replaced),
			countCell(m.Quarantined), {Text: i18n.DateTime(m.ReceivedAt), Note: m.Actor}}})
	}
	return s, nil
}

func (h *Handlers) peakUploadPage(c *Ctx) error {
	return h.peakUploadForm(c, http.StatusOK, uploadForm{}, nil, nil)
}

// peakUploadForm asks for files; tried is what a dry run found.
func (h *Handlers) peakUploadForm(c *Ctx, status int, in uploadForm, tried *peak.Outcome, refused *fault.Error) error {
	choice := part.Field{Name: "source", Label: c.T("opsview.col.source"), Type: "select", Value: in.source, Required: true}
	if c.Scope.Has(scope.ItemSourceView) {
		sources, err := h.Sources.List(c.ctx(), c.Scope)
		if err != nil {
			return err
		}
		for i := range sources {
			choice.Options = append(choice.Options, part.Option{Value: sources[i].Name, Label: sources[i].Name})
		}
	}
	if len(choice.Options) == 0 {
		choice.Type, choice.Help = "", c.T("ops.upload.no_source")
	}
	title := c.T("peak.upload")
	p := opsview.Upload{Header: part.Header{Title: title, Crumbs: c.crumbs(part.Link{Text: c.T("peak.imports"), Href: c.at(pathPeakImports)}, part.Link{Text: title})},
		Action: c.at(pathPeakImports), Refusal: refusalOf(c, refused), Notes: []string{c.T("peak.upload.help"), c.T("peak.upload.again"), c.T("ops.upload.note_size", "Size", i18n.Bytes(maxUpload))},
		Fields: []part.Field{choice, {Name: "files", Label: c.T("ops.upload.files"), Type: "file", Multiple: true, Required: true, Help: c.T("peak.upload.files_help")},
			{Name: "dry_run", Label: c.T("ops.upload.dry"), Type: "checkbox", Value: in.dryRun}}}
	if tried != nil {
		p.Notes = slices.Insert(p.Notes, 0, c.T("peak.upload.tried", "Points", tried.Points, "Resources", tried.Resources, "Days", tried.Days, "Bad", tried.Quarantined))
		for i := range tried.Bad[:min(5, len(tried.Bad))] {
			b := &tried.Bad[i]
			p.Notes = slices.Insert(p.Notes, i+1, c.T("peak.upload.row", "File", b.File, "Line", b.Line)+" "+c.say("fault."+b.Code, b.Args))
		}
	}
	return c.page(status, p.Page())
}

// peakUpload takes files of points and imports them while the sender waits; the same files again change nothing.
func (h *Handlers) peakUpload(c *Ctx) error {
	c.unhurried()
	folder, err := os.MkdirTemp("", "portal-upload-")
	if err != nil {
		return err
	}
	defer func() {
		if err := os.RemoveAll(folder); err != nil {
			h.Log.Warn("uploaded files stay", "error", err.Error())
		}
	}()
	form, paths, err := receive(c.Request(), folder)
	if err == nil && len(paths) == 0 {
		err = fault.Invalid("ops.file_missing", nil)
	}
	var out peak.Outcome
	if err == nil {
		out, err = h.Peaks.Import(c.ctx(), c.Scope, peak.Input{Source: form.source, Paths: paths, DryRun: form.dry()})
	}
	switch {
	case err != nil:
		if f := faultOf(err); f.Code == "source.unknown" && !wantsJSON(c.Request()) {
			return h.peakUploadForm(c, http.StatusUnprocessableEntity, form, nil, f)
		}
		return c.refuse(err, func(status int, f *fault.Error) error { return h.peakUploadForm(c, status, form, nil, f) })
	case wantsJSON(c.Request()):
		return c.JSON(http.StatusOK, out)
	case form.dry():
		return h.peakUploadForm(c, http.StatusOK, form, &out, nil)
	case out.SameContent:
		return c.seeOther(c.withQuery(pathPeakImports, "done", "same"))
	}
	return c.seeOther(c.withQuery(pathPeakImports, "done", "peak_imported"))
}

func (h *Handlers) peakImportShown(c *Ctx) error {
	return h.peakImportPage(c, http.StatusOK, nil)
}

// peakImportPage is one import with the rows that could not be read.
func (h *Handlers) peakImportPage(c *Ctx, status int, refused *fault.Error) error {
	m, _, err := h.Peaks.Quarantine(c.ctx(), c.Scope, c.Param("id"))
	if err != nil {
		return err
	}
	title, at := c.T("peak.upload")+" #"+strconv.FormatInt(m.Number, 10), c.at(pathPeakImports+"/"+m.ID)
	p := opsview.Board{Header: part.Header{Title: title, Crumbs: c.crumbs(part.Link{Text: c.T("peak.imports"), Href: c.at(pathPeakImports)}, part.Link{Text: title}),
		Status: &part.Status{Text: c.T("peak.upload.state." + m.State), Tone: peakImportTone[m.State]}}, Flash: c.done(),
		Facts: []part.Item{{Label: c.T("opsview.col.source"), Text: m.Source}, {Label: c.T("peak.upload.file"), Text: m.Name}, {Label: c.T("peak.upload.points"), Text: i18n.Count(m.Points)},
			{Label: c.T("peak.upload.resources"), Text: i18n.Count(m.Resources)}, {Label: c.T("peak.upload.days"), Text: i18n.Count(m.Days)}, {Label: c.T("peak.upload.replaced"), Text: i18n.Count(m.Replaced)},
			{Label: c.T("peak.upload.quarantined"), Text: i18n.Count(m.Quarantined)}, {Label: c.T("peak.upload.received"), Text: i18n.DateTime(m.ReceivedAt) + " · " + m.Actor}, {Label: "SHA-256", Text: m.SHA}}}
	p.Refusal, p.Conflict = lost(c, refused, at)
	if m.State == peak.ImportActive && c.Scope.Has(scope.ItemDeliveryRevert) {
		p.Buttons = []part.Button{{ID: "do-revert", Text: c.T("peak.upload.revert"), Danger: true, Action: at + "/reversal", Hidden: fresh(), Hint: c.T("peak.upload.revert_hint")}}
	}
	g, err := h.titled(c, "peak.bad_rows", "bad", c.T("exports.kind.peak.bad_rows"))
	if err != nil {
		return err
	}
	p.Grids = []opsview.Grid{g}
	return c.page(status, p.Page())
}

// readPeakBad lists the rows that could not be read.
func (h *Handlers) readPeakBad(c *Ctx) (*sheet, error) {
	_, rows, err := h.Peaks.Quarantine(c.ctx(), c.Scope, c.Param("id"))
	if err != nil {
		return nil, err
	}
	s := &sheet{columns: []listColumn{{key: "line", title: c.T("peak.upload.line"), note: c.T("peak.upload.file")}, {key: "column", title: c.T("peak.upload.column")}, {key: "value", title: c.T("peak.upload.value")},
		{key: "reason", title: c.T("peak.upload.reason")}}, empty: part.Empty{Title: c.T("peak.upload.clean"), Text: c.T("peak.upload.clean_text")}}
	for i := range rows {
		b := &rows[i]
		line := strconv.FormatInt(b.Line, 10)
		s.add(sheetRow{key: b.File + ":" + line + ":" + b.Column, mark: marks(b.File, line, b.Code, b.Value), cells: []opsview.Cell{{Text: line, Note: b.File}, {Text: b.Column}, {Text: b.Value, Mono: true},
			{Text: c.say("fault."+b.Code, b.Args)}}})
	}
	return s, nil
}

func (h *Handlers) revertPeakImport(c *Ctx) error {
	err := h.once(c, func(ctx context.Context) (answer, error) {
		m, err := h.Peaks.Revert(ctx, c.Scope, c.Param("id"))
		return answer{Location: c.at(pathPeakImports + "/" + m.ID + "?done=reverted"), Body: m}, err
	})
	if err == nil {
		return nil
	}
	return c.refuse(err, func(status int, f *fault.Error) error { return h.peakImportPage(c, status, f) })
}
