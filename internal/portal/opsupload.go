package portal

import (
	"context"
	"errors"
	"io"
	"mime/multipart"
	"net/http"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"time"

	"huoban/internal/cycle"
	"huoban/internal/delivery"
	"huoban/internal/fault"
	"huoban/internal/i18n"
	"huoban/internal/id"
	"huoban/internal/money"
	"huoban/internal/scope"
	"huoban/internal/source"
	"huoban/web/templates/opsview"
	"huoban/web/templates/part"
)

const (
	patience   = 3 * time.Second // how long a form waits for its import before the progress page is shown
	jobsKept   = time.Hour
	fieldBytes = 4 << 10
	finalAll   = "all"
)

// importJob is an import handed over in the browser, while it runs and for a while after.
type importJob struct {
	id, orgID string
	form      uploadForm
	begun     time.Time
	done      chan struct{}

	mu       sync.Mutex
	progress delivery.Progress
	result   delivery.Result
	err      error
}

func (j *importJob) told(p delivery.Progress) {
	j.mu.Lock()
	j.progress = p
	j.mu.Unlock()
}

func (j *importJob) ended() bool {
	select {
	case <-j.done:
		return true
	default:
		return false
	}
}

// importJobs are those of this process; an import itself is safe without it.
type importJobs struct {
	mu   sync.Mutex
	jobs map[string]*importJob
}

func (l *importJobs) add(j *importJob) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.jobs == nil {
		l.jobs = map[string]*importJob{}
	}
	for key, old := range l.jobs {
		if old.ended() && j.begun.Sub(old.begun) > jobsKept {
			delete(l.jobs, key)
		}
	}
	l.jobs[j.id] = j
}

func (l *importJobs) find(orgID, jobID string) *importJob {
	l.mu.Lock()
	defer l.mu.Unlock()
	if j := l.jobs[jobID]; j != nil && j.orgID == orgID {
		return j
	}
	return nil
}

// uploadForm is what was typed beside the files.
type uploadForm struct{ source, final, dryRun, draft string }

func (f uploadForm) dry() bool { return ticked(f.dryRun) }

func ticked(text string) bool { return text == "true" || text == "on" || text == "1" }

// mark reads "all" or "true" as every period whose month is over, and otherwise cycles.
func (f uploadForm) mark() (delivery.FinalMark, error) {
	var m delivery.FinalMark
	switch f.final {
	case "", "false":
		return m, nil
	case finalAll, "true", "on":
		m.All = true
		return m, nil
	}
	for _, text := range strings.Split(f.final, ",") {
		one, err := cycle.Parse(strings.TrimSpace(text))
		if err != nil {
			return m, err
		}
		m.Cycles = append(m.Cycles, one)
	}
	return m, nil
}

func (h *Handlers) uploadPage(c *Ctx) error {
	return h.uploadForm(c, http.StatusOK, uploadForm{source: c.QueryParam("source"), final: c.QueryParam("final")}, nil)
}

// uploadForm shows the form with everything kept but the files, which a browser does not give back.
func (h *Handlers) uploadForm(c *Ctx, status int, in uploadForm, refused *fault.Error) error {
	var sources []source.Source
	var err error
	if c.Scope.Has(scope.ItemSourceView) {
		if sources, err = h.Sources.List(c.ctx(), c.Scope); err != nil {
			return err
		}
	}
	choice := part.Field{Name: "source", Label: c.T("opsview.col.source"), Type: "select", Value: in.source, Required: true}
	for i := range sources {
		s := &sources[i]
		choice.Options = append(choice.Options, part.Option{Value: s.Name, Label: s.Name + " · " + s.Dialect + " · " + c.T("ops.mode."+string(s.Mode))})
	}
	if len(sources) == 0 {
		choice.Type, choice.Help = "", c.T("ops.upload.no_source")
	}
	final := part.Field{Name: "final", Label: c.T("ops.upload.final"), Type: "select", Value: in.final, Help: c.T("ops.upload.final_help"),
		Options: []part.Option{{Label: c.T("ops.upload.final_no")}, {Value: finalAll, Label: c.T("ops.upload.final_all")}}}
	if _, err := cycle.Parse(in.final); err == nil {
		final.Options = append(final.Options, part.Option{Value: in.final, Label: in.final})
	}
	p := opsview.Upload{Header: part.Header{Title: c.T("ops.upload.title"),
		Crumbs: c.crumbs(part.Link{Text: c.T("ops.deliveries.title"), Href: c.at("/deliveries")}, part.Link{Text: c.T("ops.upload.title")})},
		Action: c.at("/deliveries"), Refusal: refusalOf(c, refused), Notes: []string{c.T("ops.upload.note_same"), c.T("ops.upload.note_open"), c.T("ops.upload.note_size", "Size", i18n.Bytes(maxUpload))},
		Fields: []part.Field{choice, {Name: "files", Label: c.T("ops.upload.files"), Type: "file", Multiple: true, Required: true, Help: c.T("ops.upload.files_help")},
			final, {Name: "dry_run", Label: c.T("ops.upload.dry"), Type: "checkbox", Value: in.dryRun}}}
	return c.page(status, p.Page())
}

// upload takes files and imports them. The files are streamed to a folder of their own, which goes when
// the import ended. A program waits for the result; a person is led to the progress when it takes long.
func (h *Handlers) upload(c *Ctx) error {
	c.unhurried()
	folder, err := os.MkdirTemp("", "portal-upload-")
	if err != nil {
		return err
	}
	form, paths, err := receive(c.Request(), folder)
	if err == nil && len(paths) == 0 {
		err = fault.Invalid("ops.file_missing", nil)
	}
	var mark delivery.FinalMark
	if err == nil {
		mark, err = form.mark()
	}
	if err == nil {
		_, err = h.Sources.ByName(c.ctx(), c.Scope, form.source)
	}
	if err != nil {
		if e := os.RemoveAll(folder); e != nil {
			h.Log.Warn("uploaded files stay", "error", e.Error())
		}
		return h.refuseUpload(c, form, err)
	}
	if len(paths) > 1 {
		paths = []string{folder} // a manifest names its parts by their place in the folder
	}
	j := &importJob{id: id.New(), orgID: c.Org.ID, form: form, begun: h.Clock.Now(), done: make(chan struct{})}
	h.imports.add(j)
	ctx := context.WithoutCancel(c.ctx())
	in := delivery.Input{Source: form.source, Paths: paths, Final: mark, DryRun: form.dry(), Progress: j.told}
	go h.work(ctx, c.Scope, j, in, folder)
	if wantsJSON(c.Request()) {
		<-j.done
		if j.err != nil {
			return j.err
		}
		return c.JSON(http.StatusOK, j.result)
	}
	select {
	case <-j.done:
		return h.imported(c, j)
	case <-time.After(patience):
		return c.seeOther(c.at("/imports/" + j.id))
	}
}

func (h *Handlers) work(ctx context.Context, sc scope.Scope, j *importJob, in delivery.Input, folder string) {
	defer close(j.done)
	defer func() {
		if p := recover(); p != nil {
			j.err = fault.New(fault.KindInternal, "internal", nil).Because(panicError{p})
		}
		if j.err != nil && faultOf(j.err).Kind == fault.KindInternal {
			h.Log.Error("import failed", "import", j.id, "error", j.err.Error())
		}
		if err := os.RemoveAll(folder); err != nil {
			h.Log.Warn("uploaded files stay", "error", err.Error())
		}
	}()
	j.result, j.err = h.Deliveries.Import(ctx, sc, in)
}

// imported leads on from an import that ended: to the delivery, to the list when nothing was new, to
// what a dry run found, or back to the form with the reasons.
func (h *Handlers) imported(c *Ctx, j *importJob) error {
	switch {
	case j.err != nil:
		return h.refuseUpload(c, j.form, j.err)
	case wantsJSON(c.Request()):
		return c.JSON(http.StatusOK, j.result)
	case j.result.SameContent && !j.form.dry():
		return c.seeOther(c.withQuery("/deliveries", "source", j.result.Source, "done", "same"))
	case j.form.dry():
		return c.page(http.StatusOK, dryRun(c, &j.result).Page())
	}
	return c.seeOther(c.at("/deliveries/" + j.result.DeliveryID + "?done=imported"))
}

func (h *Handlers) refuseUpload(c *Ctx, form uploadForm, err error) error {
	if f := faultOf(err); f.Code == "source.unknown" && !wantsJSON(c.Request()) {
		return h.uploadForm(c, http.StatusUnprocessableEntity, form, f)
	}
	return c.refuse(err, func(status int, f *fault.Error) error { return h.uploadForm(c, status, form, f) })
}

// receive streams the parts of a form into the folder. Names are cut to their last part, and a name
// that came twice gets a number.
func receive(r *http.Request, folder string) (uploadForm, []string, error) {
	var form uploadForm
	var paths []string
	parts, err := r.MultipartReader()
	if err != nil {
		return form, nil, fault.Invalid("ops.file_missing", nil)
	}
	for {
		p, err := parts.NextPart()
		if errors.Is(err, io.EOF) {
			return form, paths, nil
		}
		if err != nil {
			return form, nil, malformed(err)
		}
		if p.FileName() != "" {
			path, err := save(p, folder, len(paths))
			if err != nil {
				return form, nil, err
			}
			paths = append(paths, path)
			continue
		}
		value, err := io.ReadAll(io.LimitReader(p, fieldBytes))
		if err != nil {
			return form, nil, malformed(err)
		}
		switch text := strings.TrimSpace(string(value)); p.FormName() {
		case "source":
			form.source = text
		case "final":
			form.final = text
		case "dry_run":
			form.dryRun = text
		case "draft":
			form.draft = text
		}
	}
}

func save(p *multipart.Part, folder string, n int) (string, error) {
	name := filepath.Base(strings.ReplaceAll(p.FileName(), `\`, "/"))
	if name == "." || name == "/" || name == ".." || strings.HasPrefix(name, ".") {
		name = "file-" + strconv.Itoa(n+1) + name
	}
	path := filepath.Join(folder, name)
	if _, err := os.Lstat(path); err == nil {
		path = filepath.Join(folder, strconv.Itoa(n+1)+"-"+name)
	}
	f, err := os.OpenFile(path, os.O_CREATE|os.O_EXCL|os.O_WRONLY, 0o600)
	if err != nil {
		return "", fault.Invalid("ops.file_name", fault.Args{"Name": name}).Because(err)
	}
	_, err = io.Copy(f, p)
	if e := f.Close(); err == nil {
		err = e
	}
	var tooLarge *http.MaxBytesError
	if err != nil && !errors.As(err, &tooLarge) && errors.Is(err, io.ErrUnexpectedEOF) {
		return path, malformed(err)
	}
	return path, err
}

// importPage shows how far an import is, and leads on when it ended.
func (h *Handlers) importPage(c *Ctx) error {
	j := h.imports.find(c.Org.ID, c.Param("import"))
	if j == nil {
		return notFound()
	}
	if j.ended() {
		if c.Request().Header.Get("HX-Request") == "true" { // the card asks for itself; the whole page goes on
			c.Response().Header().Set("HX-Redirect", c.at("/imports/"+j.id))
			return c.NoContent(http.StatusNoContent)
		}
		return h.imported(c, j)
	}
	j.mu.Lock()
	g := j.progress
	j.mu.Unlock()
	if wantsJSON(c.Request()) {
		return c.JSON(http.StatusOK, map[string]any{"rows": g.Rows, "quarantined": g.Quarantined, "file": g.File, "file_no": g.FileNo, "files": g.Files})
	}
	here := c.at("/imports/" + j.id)
	p := opsview.Show{Header: part.Header{Title: c.T("ops.import.title"), Tags: []part.Tag{{Text: j.form.source}},
		Status: &part.Status{Text: c.T("delivery.state." + string(delivery.StateReceiving)), Tone: part.Run},
		Crumbs: c.crumbs(part.Link{Text: c.T("ops.deliveries.title"), Href: c.at("/deliveries")}, part.Link{Text: c.T("ops.import.title")})},
		Steps: []part.Step{{Text: c.T("ops.step.received"), State: part.StepDone},
			{Text: c.T("ops.step.read"), Note: c.T("ops.step.read_note", "Count", g.Rows), State: part.StepNow}, {Text: c.T("ops.step.published")}},
		Progress: &opsview.Progress{Done: i18n.Count(g.Rows), Of: c.T("ops.import.rows"), Note: c.T("ops.import.note"), Poll: here}}
	p.Progress.Value = -1 // how long one file is shows only at its end
	if g.Files > 1 {
		p.Progress.Value = 100 * (g.FileNo - 1) / g.Files
	}
	if g.Files > 0 {
		p.Progress.Speed = c.T("ops.import.file", "No", g.FileNo, "Files", g.Files, "Name", g.File)
	}
	if s := h.Clock.Now().Sub(j.begun).Seconds(); s >= 1 {
		p.Progress.Note = c.T("ops.import.speed", "Rows", int64(float64(g.Rows)/s)) + p.Progress.Note
	}
	return c.page(http.StatusOK, p.Page())
}

// dryRun shows what an import would do; nothing of it was kept.
func dryRun(c *Ctx, res *delivery.Result) opsview.Show {
	d := delivery.Details{Changes: res.Cycles}
	tone, text := part.Good, c.T("ops.dry.text")
	if res.SameContent {
		text = c.T("ops.done.same")
	}
	if res.Quarantined > 0 {
		tone = part.Warn
	}
	p := opsview.Show{Header: part.Header{Title: c.T("ops.dry.title"), Tags: []part.Tag{{Text: res.Source}},
		Crumbs:  c.crumbs(part.Link{Text: c.T("ops.deliveries.title"), Href: c.at("/deliveries")}, part.Link{Text: c.T("ops.dry.title")}),
		Buttons: []part.Link{{Text: c.T("ops.dry.import"), Href: c.withQuery("/deliveries/new", "source", res.Source)}}},
		Flash: &part.Flash{Tone: tone, Text: text},
		Steps: []part.Step{{Text: c.T("ops.step.received"), State: part.StepDone},
			{Text: c.T("ops.step.read"), Note: c.T("ops.step.read_bad", "Lines", res.LineCount, "Count", res.Quarantined), State: part.StepDone},
			{Text: c.T("ops.step.published"), Note: c.T("ops.dry.not_published")}},
		Diffs: diffsOf(c, &d, source.ModeSnapshot, nil)}
	for _, w := range res.Warnings {
		p.Warnings = append(p.Warnings, part.Check{Tone: part.Warn, Title: c.say(w.Code, w.Args)})
	}
	var cycles []string
	for _, cy := range res.Final {
		cycles = append(cycles, string(cy))
	}
	final := c.T("ops.fact.not_final")
	if len(cycles) > 0 {
		final = join(cycles, c.T("portal.list.comma"))
	}
	p.Facts = []part.Item{{Label: c.T("ops.dry.added"), Text: i18n.Count(res.Added)}, {Label: c.T("ops.dry.removed"), Text: i18n.Count(res.Removed)},
		{Label: c.T("ops.dry.changed"), Text: i18n.Count(res.Changed)}, {Label: c.T("opsview.col.bad"), Text: i18n.Count(res.Quarantined)},
		{Label: c.T("ops.dry.final"), Text: final}}
	p.Facts = append(p.Facts, residueSums(c, res.Residues)...)
	p.Residues = residuesOf(c, res.Residues)
	return p
}

// exactMoney shows an exact sum rounded like any amount, and in full where that is out of range.
func exactMoney(x money.Exact, currency string) part.Money {
	a, err := x.Amount()
	if err != nil {
		return part.Money{Text: i18n.ExactMoney(x, currency), Full: i18n.ExactMoney(x, currency)}
	}
	m := part.MoneyOf(a, currency)
	m.Full = i18n.ExactMoney(x, currency)
	return m
}
