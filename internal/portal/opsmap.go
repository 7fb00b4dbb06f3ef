package portal

import (
	"errors"
	"io"
	"net/http"
	"os"

	"huoban/internal/attribution"
	"huoban/internal/fault"
	"huoban/internal/i18n"
	"huoban/internal/scope"
	"huoban/web/templates/opsview"
	"huoban/web/templates/part"
)

// mapRoutes show the rules of a source and take a map file, which gives unmapped keys their customers.
func mapRoutes() []Route {
	row := func(method, path, name, title string, do func(*Handlers, *Ctx) error) Route {
		return Route{Method: method, Path: "/o/:org/mapping" + path, Name: name, Sides: vendors, Items: []scope.Item{scope.ItemMapChange}, Title: title, Do: do}
	}
	return []Route{
		{Method: get, Path: "/o/:org/mapping", Name: "mapping", Sides: vendors, Items: []scope.Item{scope.ItemMapView}, Query: []string{"source"},
			Title: "backoffice.map.title", Do: (*Handlers).mapping},
		row(get, "/new", "mapping.new", "ops.map.title", (*Handlers).mapPage).noList("form"),
		row(post, "", "mapping.import", "", (*Handlers).mapFile),
	}
}

func (h *Handlers) mapPage(c *Ctx) error { return h.mapForm(c, http.StatusOK, "", nil) }

func (h *Handlers) mapForm(c *Ctx, status int, dry string, refused *fault.Error) error {
	title := c.T("ops.map.title")
	p := opsview.Upload{Header: part.Header{Title: title, Crumbs: c.crumbs(part.Link{Text: c.T("backoffice.map.title"), Href: c.at("/mapping")}, part.Link{Text: title})},
		Action: c.at("/mapping"), Refusal: refusalOf(c, refused), Submit: c.T("ops.map.submit"), Notes: []string{c.T("ops.map.note_columns"), c.T("ops.map.note_make"), c.T("ops.map.note_move")},
		Fields: []part.Field{{Name: "file", Label: c.T("ops.map.file"), Type: "file", Accept: ".csv", Required: true},
			{Name: "dry_run", Label: c.T("ops.upload.dry"), Type: "checkbox", Value: dry}}}
	return c.page(status, p.Page())
}

// mapFile applies a map file; the same file again changes nothing, so that no key is needed.
func (h *Handlers) mapFile(c *Ctx) error {
	form, path, done, err := h.oneFile(c)
	defer done()
	var res attribution.ChangeResult
	if err == nil {
		res, err = h.applyMap(c, path, form.dry())
	}
	if err != nil {
		return h.refuseMap(c, form, err)
	}
	switch {
	case wantsJSON(c.Request()):
		return c.JSON(http.StatusOK, res)
	case form.dry():
		return c.page(http.StatusOK, mapDryRun(c, &res).Page())
	}
	return c.seeOther(c.at("/closes?done=mapped"))
}

// oneFile receives a form with one file; done takes the file away, whatever else came of it.
func (h *Handlers) oneFile(c *Ctx) (form uploadForm, path string, done func(), err error) {
	folder, err := os.MkdirTemp("", "portal-file-")
	if err != nil {
		return form, "", func() {}, err
	}
	done = func() {
		if err := os.RemoveAll(folder); err != nil {
			h.Log.Warn("uploaded files stay", "error", err.Error())
		}
	}
	form, paths, err := receive(c.Request(), folder)
	if err != nil {
		return form, "", done, err
	}
	if len(paths) != 1 {
		return form, "", done, fault.Invalid("ops.file_missing", nil)
	}
	return form, paths[0], done, nil
}

func (h *Handlers) applyMap(c *Ctx, path string, dry bool) (res attribution.ChangeResult, err error) {
	f, err := os.Open(path)
	if err != nil {
		return res, err
	}
	defer func() { err = errors.Join(err, f.Close()) }()
	return h.Attribution.Import(c.ctx(), c.Scope, attribution.ImportInput{File: io.Reader(f), DryRun: dry})
}

// refuseMap shows the form again also where the file names something out of sight, such as a source:
// the address itself is there.
func (h *Handlers) refuseMap(c *Ctx, form uploadForm, err error) error {
	if f := faultOf(err); f.Kind == fault.KindNotFound && !wantsJSON(c.Request()) {
		return h.mapForm(c, http.StatusUnprocessableEntity, form.dryRun, f)
	}
	return c.refuse(err, func(status int, f *fault.Error) error { return h.mapForm(c, status, form.dryRun, f) })
}

// mapDryRun shows what a map file would do.
func mapDryRun(c *Ctx, res *attribution.ChangeResult) opsview.Show {
	comma := c.T("portal.list.comma")
	list := func(names []string) string {
		if len(names) == 0 {
			return i18n.Nothing
		}
		return join(names, comma)
	}
	var lines int64
	for _, m := range res.Moved {
		lines += m.LineCount
	}
	return opsview.Show{Header: part.Header{Title: c.T("ops.dry.title"),
		Crumbs:  c.crumbs(part.Link{Text: c.T("ops.map.title"), Href: c.at("/mapping/new")}, part.Link{Text: c.T("ops.dry.title")}),
		Buttons: []part.Link{{Text: c.T("ops.map.submit"), Href: c.at("/mapping/new")}}},
		Flash: &part.Flash{Tone: part.Good, Text: c.T("ops.dry.text")},
		Steps: []part.Step{{Text: c.T("ops.step.read"), Note: c.T("ops.step.read_note", "Count", res.Rows), State: part.StepDone}, {Text: c.T("ops.map.applied"), Note: c.T("ops.dry.not_published")}},
		Facts: []part.Item{{Label: c.T("ops.map.added"), Text: i18n.Count(int64(res.Added))}, {Label: c.T("ops.map.ended"), Text: i18n.Count(int64(res.Ended))},
			{Label: c.T("ops.map.customers"), Text: list(res.NewCustomers)}, {Label: c.T("ops.map.partners"), Text: list(res.NewPartners)},
			{Label: c.T("ops.map.moved"), Text: i18n.Count(lines)}}}
}
