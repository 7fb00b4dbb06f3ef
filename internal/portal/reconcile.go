package portal

import (
	"context"
	"errors"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"

	"huoban/internal/cycle"
	"huoban/internal/expenditure"
	"huoban/internal/fault"
	"huoban/internal/i18n"
	"huoban/internal/money"
	"huoban/internal/reconcile"
	"huoban/internal/scope"
	"huoban/web/templates/opsview"
	"huoban/web/templates/part"
)

const pathReconcile = "/reconciliations"

// reconcileRoutes are 对账比对: own lines against a file, another cycle or another delivery.
func reconcileRoutes() []Route {
	row := func(method, path, name, title string, do func(*Handlers, *Ctx) error) Route {
		return Route{Method: method, Path: "/o/:org" + pathReconcile + path, Name: name, Sides: partners, Items: []scope.Item{scope.ItemExpenditureView}, Title: title, Do: do}
	}
	out := []Route{
		row(get, "", "reconciliations", "reconcile.title", (*Handlers).reconciliations),
		row(get, "/new", "reconciliations.new", "reconcile.new", (*Handlers).reconcilePage).noList("form"),
		row(post, "", "reconciliations.compare", "", (*Handlers).reconcile),
		row(get, "/:id", "reconciliations.show", "reconcile.title", (*Handlers).reconciled),
	}
	out[2].Query = []string{"batch", "other"}
	return out
}

func (h *Handlers) reconciliations(c *Ctx) error {
	title := c.T("reconcile.title")
	p := opsview.Board{Header: part.Header{Title: title, Crumbs: c.crumbs(part.Link{Text: title}), Buttons: []part.Link{{Text: c.T("reconcile.new"), Href: c.at(pathReconcile + "/new")}}},
		Flash: c.done(), Notes: []string{c.T("reconcile.note", "Days", int64(reconcile.Days))}}
	if _, err := h.board(c, &p, "reconciliations"); err != nil {
		return err
	}
	return c.page(http.StatusOK, p.Page())
}

func figureCell(x money.Exact, currency string) opsview.Cell {
	text := exactMoney(x, currency)
	return opsview.Cell{Text: text.Text, Full: text.Full, Raw: x.String()}
}

// readReconciliations lists one's own comparisons.
func (h *Handlers) readReconciliations(c *Ctx) (*sheet, error) {
	list, err := h.Reconcile.List(c.ctx(), c.Scope)
	if err != nil {
		return nil, err
	}
	num := func(key string) listColumn {
		return listColumn{key: key, title: c.T("reconcile.col." + key), num: true}
	}
	s := &sheet{columns: []listColumn{{key: "at", title: c.T("reconcile.col.at"), class: "num-l"}, {key: "left", title: c.T("reconcile.col.left")}, {key: "right", title: c.T("reconcile.col.right")}, {key: "key", title: c.T("reconcile.col.key")},
		num("left_total"), num("right_total"), {key: "difference", title: c.T("reconcile.col.difference"), num: true, class: "m"}, num("rows")},
		empty: part.Empty{Title: c.T("reconcile.empty"), Text: c.T("reconcile.empty_text"), Button: &part.Link{Text: c.T("reconcile.new"), Href: c.at(pathReconcile + "/new")}}}
	for i := range list {
		r := &list[i]
		n := int64(0)
		for _, x := range reconcile.Classes {
			n += r.Totals.By[x].Rows
		}
		s.add(sheetRow{key: r.ID, at: r.CreatedAt, mark: marks(r.Left, r.Right, string(r.Key), r.Totals.Left.String(), r.Totals.Right.String()), cells: []opsview.Cell{{Text: i18n.DateTime(r.CreatedAt), Href: c.at(pathReconcile + "/" + r.ID)}, {Text: r.Left}, {Text: r.Right},
			{Text: c.T("reconcile.key." + string(r.Key))}, figureCell(r.Totals.Left, r.Currency), figureCell(r.Totals.Right, r.Currency), figureCell(r.Totals.Difference(), r.Currency), countCell(n)}})
	}
	return s, nil
}

func (h *Handlers) reconcilePage(c *Ctx) error { return h.reconcileForm(c, http.StatusOK, nil) }

// The right sides there are.
const (
	withFile  = "file"
	withCycle = "cycle"
)

// reconcileForm asks what to compare. The cycles chosen say which deliveries can be picked.
func (h *Handlers) reconcileForm(c *Ctx, status int, refused *fault.Error) error {
	now := cycle.Of(h.Clock.Now(), cycle.Zone)
	value := func(name, otherwise string) string {
		if v := c.FormValue(name); v != "" {
			return v
		}
		return otherwise
	}
	months := func(name, chosen string) part.Field {
		f := part.Field{Name: name, Label: c.T("reconcile." + name), Type: "select", Value: chosen}
		for i := range expenditure.Months + 1 {
			at := string(now.Add(-i))
			f.Options = append(f.Options, part.Option{Value: at, Label: at})
		}
		return f
	}
	left, right := value("cycle", string(now.Prev())), value("against", string(now.Prev().Prev()))
	batches := func(name, label, of string) (part.Field, error) {
		f := part.Field{Name: name, Label: label, Type: "select", Value: c.FormValue(name), Help: c.T("reconcile.batch_help"), Options: []part.Option{{Label: c.T("reconcile.batch_now")}}}
		at, err := cycle.Parse(of)
		if err != nil || expenditure.CheckCycle(at, h.Clock.Now()) != nil {
			return f, nil
		}
		list, err := h.Expenditure.Batches(c.ctx(), c.Scope, at)
		for _, b := range list {
			f.Options = append(f.Options, part.Option{Value: strconv.FormatInt(b.SlotID, 10), Label: batchText(c, of, &b)})
		}
		return f, err
	}
	batch, err := batches("batch", c.T("reconcile.batch"), left)
	if err != nil {
		return err
	}
	other, err := batches("other", c.T("reconcile.other"), right)
	if err != nil {
		return err
	}
	with := part.Field{Name: "with", Label: c.T("reconcile.with"), Type: "select", Value: value("with", withFile), Options: []part.Option{{Value: withFile, Label: c.T("reconcile.with.file")}, {Value: withCycle, Label: c.T("reconcile.with.cycle")}}}
	key := part.Field{Name: "match", Label: c.T("reconcile.key"), Type: "select", Value: value("match", string(reconcile.KeyProduct)), Help: c.T("reconcile.key_help")}
	for _, k := range reconcile.Keys {
		key.Options = append(key.Options, part.Option{Value: string(k), Label: c.T("reconcile.key." + string(k))})
	}
	title := c.T("reconcile.new")
	p := opsview.Upload{Header: part.Header{Title: title, Crumbs: c.crumbs(part.Link{Text: c.T("reconcile.title"), Href: c.at(pathReconcile)}, part.Link{Text: title})}, Action: c.at(pathReconcile), Hidden: fresh(), Refusal: refusalOf(c, refused),
		Submit: c.T("reconcile.do"), Notes: []string{c.T("reconcile.note_tax"), c.T("reconcile.note_file", "Size", i18n.Bytes(reconcile.MaxFile)), c.T("reconcile.note_key")},
		Filter: &part.Filter{Action: c.at(pathReconcile + "/new"), Fields: []part.FilterField{{Name: "cycle", Label: c.T("reconcile.cycle"), Value: left, Options: optionsOf(months("cycle", left))}, {Name: "against", Label: c.T("reconcile.against"), Value: right, Options: optionsOf(months("against", right))}}},
		Fields: []part.Field{months("cycle", left), batch, key, with, {Name: "file", Label: c.T("reconcile.file"), Type: "file", Accept: ".csv,.xlsx,.gz,.zip"},
			{Name: "columns", Label: c.T("reconcile.columns"), Value: c.FormValue("columns"), Help: c.T("reconcile.columns_help"), MaxLength: 400},
			{Name: "amount", Label: c.T("reconcile.amount"), Value: c.FormValue("amount"), Help: c.T("reconcile.amount_help"), MaxLength: 100}, months("against", right), other}}
	return c.page(status, p.Page())
}

func optionsOf(f part.Field) []part.Option { return f.Options }

func batchText(c *Ctx, of string, b *expenditure.Batch) string {
	key := "reconcile.batch_active"
	if !b.Active {
		key = "reconcile.batch_replaced"
	}
	return c.T(key, "Cycle", of, "Name", b.Source+"/"+strconv.FormatInt(b.Delivery, 10), "At", i18n.DateTime(b.At))
}

// brought puts the file of a form into a folder of its own; without a file there is no path.
func brought(r *http.Request, folder string) (path, name string, err error) {
	if !strings.HasPrefix(r.Header.Get("Content-Type"), "multipart/form-data") {
		return "", "", nil
	}
	if err := r.ParseMultipartForm(maxBody); err != nil {
		return "", "", malformed(err)
	}
	defer func() { err = errors.Join(err, r.MultipartForm.RemoveAll()) }()
	f, head, err := r.FormFile("file")
	if errors.Is(err, http.ErrMissingFile) {
		return "", "", nil
	}
	if err != nil {
		return "", "", malformed(err)
	}
	defer f.Close()
	name = filepath.Base(filepath.Clean("/" + strings.ReplaceAll(head.Filename, "\\", "/")))
	if name == "/" || name == "." {
		name = "file.csv"
	}
	if runes := []rune(name); len(runes) > 80 {
		name = string(runes[len(runes)-80:])
	}
	path = filepath.Join(folder, "brought"+strings.ToLower(filepath.Ext(name)))
	out, err := os.OpenFile(path, os.O_CREATE|os.O_WRONLY|os.O_EXCL, 0o600)
	if err != nil {
		return "", "", err
	}
	n, err := io.Copy(out, f)
	if err = errors.Join(err, out.Close()); err == nil && n == 0 {
		err = fault.Invalid("ops.file_missing", nil)
	}
	return path, name, err
}

// reconcile compares what the form names.
func (h *Handlers) reconcile(c *Ctx) error {
	c.unhurried()
	folder, err := os.MkdirTemp("", "portal-brought-")
	if err != nil {
		return err
	}
	defer func() {
		if err := os.RemoveAll(folder); err != nil {
			h.Log.Warn("a brought file stays", "error", err.Error())
		}
	}()
	path, name, err := brought(c.Request(), folder)
	if err == nil {
		err = h.onceApart(c, func(ctx context.Context) (answer, error) {
			in, err := h.reconcileInput(c, path, name)
			if err != nil {
				return answer{}, err
			}
			r, err := h.Reconcile.Compare(ctx, c.Scope, in)
			return answer{Location: c.at(pathReconcile + "/" + r.ID), Body: reconcileBody(&r)}, err
		})
	}
	if err == nil {
		return nil
	}
	return c.refuse(err, func(status int, f *fault.Error) error { return h.reconcileForm(c, status, f) })
}

func reconcileBody(r *reconcile.Run) map[string]any {
	by := map[string]any{}
	for class, x := range r.Totals.By {
		by[string(class)] = map[string]any{"rows": x.Rows, "sum": x.Sum.String()}
	}
	return map[string]any{"id": r.ID, "left": r.Totals.Left.String(), "right": r.Totals.Right.String(), "difference": r.Totals.Difference().String(), "currency": r.Currency, "classes": by}
}

func (h *Handlers) reconcileInput(c *Ctx, path, name string) (reconcile.Input, error) {
	in := reconcile.Input{Key: reconcile.Key(c.FormValue("match")), Currency: strings.ToUpper(strings.TrimSpace(c.FormValue("currency")))}
	var err error
	if in.Left, err = h.ownSide(c, "cycle", "batch"); err != nil {
		return in, err
	}
	if c.FormValue("with") == withCycle {
		in.Right, err = h.ownSide(c, "against", "other")
		return in, err
	}
	if path == "" {
		return in, fault.Invalid("ops.file_missing", nil)
	}
	in.Right = reconcile.Side{Path: path, Name: name, Columns: reconcile.Columns{Key: commaList(c.FormValue("columns")), Amount: strings.TrimSpace(c.FormValue("amount"))}}
	return in, nil
}

// ownSide reads a cycle, and a delivery of it in sight.
func (h *Handlers) ownSide(c *Ctx, cycleName, batchName string) (reconcile.Side, error) {
	s := reconcile.Side{}
	var err error
	if s.Cycle, err = cycle.Parse(c.FormValue(cycleName)); err != nil {
		return s, err
	}
	text := c.FormValue(batchName)
	if text == "" {
		return s, nil
	}
	list, err := h.Expenditure.Batches(c.ctx(), c.Scope, s.Cycle)
	if err != nil {
		return s, err
	}
	i := slices.IndexFunc(list, func(b expenditure.Batch) bool { return strconv.FormatInt(b.SlotID, 10) == text })
	if i < 0 {
		return s, notFound()
	}
	s.Batch, s.Name = list[i].SlotID, list[i].Source+"/"+strconv.FormatInt(list[i].Delivery, 10)
	return s, nil
}

var classTone = map[reconcile.Class]part.Tone{reconcile.ClassAdded: part.Good, reconcile.ClassRemoved: part.Bad, reconcile.ClassChanged: part.Warn}

// reconciled shows what a comparison found.
func (h *Handlers) reconciled(c *Ctx) error {
	r, err := h.Reconcile.ByID(c.ctx(), c.Scope, c.Param("id"))
	if err != nil {
		return err
	}
	title := c.T("reconcile.of", "Left", r.Left, "Right", r.Right)
	p := opsview.Board{Header: part.Header{Title: title, Crumbs: c.crumbs(part.Link{Text: c.T("reconcile.title"), Href: c.at(pathReconcile)}, part.Link{Text: i18n.DateTime(r.CreatedAt)}),
		Label: c.T("reconcile.col.difference"), Amount: i18n.ExactMoney(r.Totals.Difference(), r.Currency)}}
	t := &r.Totals
	count := func(rows int64, amount money.Exact) string {
		return i18n.ExactMoney(amount, r.Currency) + " · " + c.T("reconcile.rows", "Count", rows)
	}
	p.Facts = []part.Item{{Label: c.T("reconcile.col.left_total"), Text: count(t.LeftRows, t.Left)}, {Label: c.T("reconcile.col.right_total"), Text: count(t.RightRows, t.Right)}}
	for _, x := range reconcile.Classes {
		p.Facts = append(p.Facts, part.Item{Label: c.T("reconcile.class." + string(x)), Text: count(t.By[x].Rows, t.By[x].Sum), Href: c.withQuery(pathReconcile+"/"+r.ID, "class", string(x))})
	}
	p.Facts = append(p.Facts, part.Item{Label: c.T("reconcile.class.same"), Text: c.T("reconcile.rows", "Count", t.By[reconcile.ClassSame].Rows)}, part.Item{Label: c.T("reconcile.col.key"), Text: c.T("reconcile.key." + string(r.Key))},
		part.Item{Label: c.T("reconcile.expires"), Text: i18n.DateTime(r.ExpiresAt)})
	if t.Explained().Equal(t.Difference()) {
		p.Notes = []string{c.T("reconcile.proof", "Sum", i18n.ExactMoney(t.Explained(), r.Currency))}
	}
	class := part.FilterField{Name: "class", Label: c.T("reconcile.col.class"), Value: c.QueryParam("class"), Options: []part.Option{{Label: c.T("ops.filter.any")}}}
	for _, x := range reconcile.Classes {
		class.Options = append(class.Options, part.Option{Value: string(x), Label: c.T("reconcile.class." + string(x))})
	}
	p.Filter = &part.Filter{Action: c.at(pathReconcile + "/" + r.ID), Reset: c.at(pathReconcile + "/" + r.ID), Fields: []part.FilterField{class}}
	if _, err := h.board(c, &p, "reconcile.rows"); err != nil {
		return err
	}
	return c.page(http.StatusOK, p.Page())
}

// readReconciled lists the differences of a comparison; their sum is what they add to the right side.
func (h *Handlers) readReconciled(c *Ctx) (*sheet, error) {
	r, err := h.Reconcile.ByID(c.ctx(), c.Scope, c.Param("id"))
	if err != nil {
		return nil, err
	}
	class := reconcile.Class(c.QueryParam("class"))
	if class != "" && !slices.Contains(reconcile.Classes, class) {
		return nil, notFound()
	}
	num := func(key string) listColumn {
		return listColumn{key: key, title: c.T("reconcile.col." + key), num: true}
	}
	s := &sheet{columns: []listColumn{{key: "key", title: c.T("reconcile.key." + string(r.Key))}, {key: "class", title: c.T("reconcile.col.class")}, num("left"), num("right"), {key: "difference", title: c.T("reconcile.col.difference"), num: true, money: true, class: "m"}},
		empty: part.Empty{Title: c.T("reconcile.none"), Text: c.T("reconcile.none_text")}, stamp: r.ID}
	if class != "" {
		s.narrowed("class", c.T("reconcile.class."+string(class)))
	}
	for _, x := range reconcile.Classes {
		if n := r.Totals.By[x]; class == "" || class == x {
			s.count += n.Rows
			if n.Rows > 0 {
				s.totals = s.totals.add(sum{r.Currency, n.Sum})
			}
		}
	}
	s.pages = func(ctx context.Context, at listAt, size int) ([]sheetRow, bool, error) {
		var after int64
		if at.key != "" {
			if after, err = strconv.ParseInt(at.key, 10, 64); err != nil {
				return nil, false, notFound()
			}
		}
		list, err := h.Reconcile.Rows(ctx, &r, class, after, at.back, size+1)
		more := len(list) > size
		if more && at.back {
			list = list[1:]
		} else if more {
			list = list[:size]
		}
		rows := make([]sheetRow, len(list))
		for i := range list {
			rows[i] = differenceRow(c, &r, &list[i])
		}
		return rows, more, err
	}
	return s, nil
}

func differenceRow(c *Ctx, r *reconcile.Run, x *reconcile.Row) sheetRow {
	left, right := figureCell(x.Left, r.Currency), figureCell(x.Right, r.Currency)
	switch x.Class {
	case reconcile.ClassAdded:
		left = opsview.Cell{Text: i18n.Nothing}
	case reconcile.ClassRemoved:
		right = opsview.Cell{Text: i18n.Nothing}
	}
	return sheetRow{key: strconv.FormatInt(x.No, 10), sums: sums{{r.Currency, x.Diff()}}, mark: marks(x.Key, x.Left.String(), x.Right.String()),
		cells: []opsview.Cell{{Text: x.Key}, {Status: &part.Status{Text: c.T("reconcile.class." + string(x.Class)), Tone: classTone[x.Class]}}, left, right, figureCell(x.Diff(), r.Currency)}}
}
