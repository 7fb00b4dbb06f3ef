package portal

import (
	"cmp"
	"context"
	"encoding/csv"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"huoban/internal/allocation"
	"huoban/internal/fault"
	"huoban/internal/i18n"
	"huoban/internal/money"
	"huoban/internal/passcode"
	"huoban/internal/scope"
	"huoban/web/static"
	"huoban/web/templates/growview"
	"huoban/web/templates/opsview"
	"huoban/web/templates/part"
)

const pathAllocations = "/funds/allocations"

// allocationRoutes are 拨款 and 回收: what stands with customers and resellers, one movement, and a batch.
func allocationRoutes() []Route {
	view, may := []scope.Item{scope.ItemFundsView, scope.ItemAllocate}, []scope.Item{scope.ItemAllocate}
	row := func(method, path, name, title string, items []scope.Item, do func(*Handlers, *Ctx) error) Route {
		return Route{Method: method, Path: "/o/:org" + pathAllocations + path, Name: name, Sides: partners, Items: items, Query: []string{"vendor"}, Title: title, Do: do}
	}
	return []Route{
		row(get, "", "allocations", "allocation.title", view, (*Handlers).allocations),
		row(get, "/new", "allocations.new", "allocation.new", may, (*Handlers).allocationPage).noList("form"),
		row(post, "", "allocations.move", "", may, (*Handlers).allocationMoved),
		row(get, "/batch", "allocations.batch", "allocation.batch", may, (*Handlers).allocationBatchPage).noList("form"),
		row(post, "/batch", "allocations.batch.move", "", may, (*Handlers).allocationBatch),
	}
}

// The kinds a list of targets is narrowed to.
var allocationKinds = []string{"customer", "reseller"}

func (h *Handlers) allocations(c *Ctx) error {
	books, b, err := h.openedBook(c)
	if err != nil {
		return err
	}
	all, err := h.Allocations.Books(c.ctx(), c.Scope, b.vendor.ID, b.currency)
	if err != nil {
		return err
	}
	title := c.T("allocation.title")
	p := opsview.Board{Header: part.Header{Title: title, Crumbs: c.crumbs(part.Link{Text: title})}, Flash: c.done(), Notes: []string{c.T("allocation.free", "Amount", i18n.Money(all.Free, b.currency))}}
	fields := []part.FilterField{{Name: "q", Label: c.T("customers.filter.q"), Value: c.QueryParam("q")}, choiceOf(c, "kind", c.T("allocation.kind"), "allocation.kind.", c.QueryParam("kind"), allocationKinds)}
	if more := bookFilter(c, books, &b, pathAllocations); more != nil {
		fields = append(more.Fields, fields...)
	}
	p.Filter = &part.Filter{Action: c.at(pathAllocations), Reset: c.at(pathAllocations), Fields: fields}
	if c.Scope.Has(scope.ItemAllocate) {
		p.Header.Buttons = []part.Link{{Text: c.T("allocation.new"), Href: c.at(pathAllocations + "/new")}, {Text: c.T("allocation.batch"), Href: c.at(pathAllocations + "/batch")}}
	}
	if _, err := h.board(c, &p, "allocations"); err != nil {
		return err
	}
	return c.page(http.StatusOK, p.Page())
}

// readAllocations lists whom money can be given to, with what stands there.
func (h *Handlers) readAllocations(c *Ctx) (*sheet, error) {
	kind := c.QueryParam("kind")
	if kind != "" && !slices.Contains(allocationKinds, kind) {
		return nil, notFound()
	}
	_, b, err := h.openedBook(c)
	if err != nil {
		return nil, err
	}
	all, err := h.Allocations.Books(c.ctx(), c.Scope, b.vendor.ID, b.currency)
	if err != nil {
		return nil, err
	}
	s := &sheet{columns: []listColumn{customerColumn(c), {key: "kind", title: c.T("allocation.kind")}, {key: "held", title: c.T("allocation.held"), num: true, money: true, class: "m"}, {key: "acts", title: c.T("allocation.acts"), acts: true}},
		empty: part.Empty{Title: c.T("list.empty"), Text: c.T("list.empty_text")}}
	text := strings.ToLower(strings.TrimSpace(c.QueryParam("q")))
	for i := range all.Targets {
		t := &all.Targets[i]
		if kind != "" && t.Reseller != (kind == "reseller") || text != "" && !strings.Contains(strings.ToLower(t.Name), text) && !strings.Contains(strings.ToLower(t.Code), text) {
			continue
		}
		name, about, word := c.personal(t.Name), t.Code, c.T("allocation.kind.customer")
		if t.Reseller {
			name, about, word = opsview.Cell{Text: t.Name}, "", c.T("allocation.kind.reseller")
		} else if !t.Resale {
			word = c.T("allocation.kind.referral")
		}
		name.Note = t.Code
		act := opsview.Cell{}
		if c.Scope.Has(scope.ItemAllocate) && (t.Reseller || t.Resale || t.Held > 0) {
			act = opsview.Cell{Text: c.T("allocation.new"), Href: c.withQuery(pathAllocations+"/new", "to", t.Code, "vendor", b.vendor.Code, "currency", b.currency)}
		}
		worth := sums{{b.currency, t.Held.Exact()}}
		s.add(sheetRow{key: t.ID, about: about, mark: t.Held.String(), sums: worth, cells: []opsview.Cell{name, {Text: word}, moneyCell(worth), act}})
	}
	s.narrowed("q", c.QueryParam("q"))
	narrowedWords(c, s, [][3]string{{"kind", kind, "allocation.kind."}})
	return s, nil
}

func (h *Handlers) allocationPage(c *Ctx) error { return h.allocationForm(c, http.StatusOK, nil) }

const (
	doAllocate = "allocate"
	doReclaim  = "reclaim"
)

// allocationForm asks for one movement.
func (h *Handlers) allocationForm(c *Ctx, status int, refused *fault.Error) error {
	_, b, err := h.openedBook(c)
	if err != nil {
		return err
	}
	all, err := h.Allocations.Books(c.ctx(), c.Scope, b.vendor.ID, b.currency)
	if err != nil {
		return err
	}
	title := c.T("allocation.new")
	f := growview.Form{Header: part.Header{Title: title, Crumbs: c.crumbs(part.Link{Text: c.T("allocation.title"), Href: c.at(pathAllocations)}, part.Link{Text: title})}, Refusal: refusalOf(c, refused), Action: c.at(pathAllocations),
		Hidden: append(fresh(), part.Hidden{Name: "vendor", Value: b.vendor.Code}, part.Hidden{Name: "currency", Value: b.currency}),
		Facts:  []part.Item{{Label: c.T("withdrawal.col.vendor"), Text: b.vendor.Name}, {Label: c.T("allocation.free_now"), Text: i18n.Money(all.Free, b.currency)}},
		Fields: []part.Field{{Name: "to", Label: c.T("allocation.target"), Value: c.FormValue("to"), Required: true, Help: c.T("allocation.target_help"), MaxLength: 128},
			{Name: "amount", Label: c.T("allocation.amount"), Value: c.FormValue("amount"), Required: true, Numeric: true, Help: c.T("allocation.amount_help")},
			{Name: "memo", Label: c.T("withdrawal.memo"), Value: c.FormValue("memo"), MaxLength: allocation.MaxMemo}},
		Submits: []growview.Submit{{Value: doAllocate, Text: c.T("allocation.allocate")}, {Value: doReclaim, Text: c.T("allocation.reclaim")}},
		Notes:   []string{c.T("allocation.rule.resale"), c.T("allocation.rule.amount"), c.T("allocation.rule.unbind")}}
	for i := range all.Targets {
		if t := &all.Targets[i]; t.Code == c.FormValue("to") {
			f.Facts = append(f.Facts, part.Item{Label: c.T("allocation.held"), Text: i18n.Money(t.Held, b.currency)})
		}
	}
	return c.page(status, f.Page())
}

func (h *Handlers) allocationMoved(c *Ctx) error {
	b, err := h.postedBook(c)
	if err != nil {
		return err
	}
	do := c.FormValue("do")
	if do != doAllocate && do != doReclaim {
		return c.refuse(fault.Invalid("allocation.do_unknown", nil), func(status int, f *fault.Error) error { return h.allocationForm(c, status, f) })
	}
	in := allocation.Input{VendorID: b.vendor.ID, Currency: b.currency, Target: c.FormValue("to"), Amount: c.FormValue("amount"), Memo: c.FormValue("memo"), Reclaim: do == doReclaim}
	err = h.proven(c, passcode.OpAllocate, c.withQuery(pathAllocations+"/new", "to", in.Target), func(ctx context.Context) (answer, error) {
		made, err := h.Allocations.Move(ctx, c.Scope, []allocation.Input{in})
		if err != nil {
			return answer{}, err
		}
		return answer{Location: c.withQuery(pathAllocations, "vendor", b.vendor.Code, "currency", b.currency, "q", made[0].Target.Code, "done", "allocation_"+do), Body: map[string]string{"trans_id": made[0].ID}}, nil
	})
	return c.refusedOr(err, func(status int, f *fault.Error) error { return h.allocationForm(c, status, f) })
}

func (h *Handlers) allocationBatchPage(c *Ctx) error {
	return h.allocationBatchForm(c, http.StatusOK, nil, nil)
}

// allocationBatchForm takes rows of code, amount and note, and shows what would come of each.
func (h *Handlers) allocationBatchForm(c *Ctx, status int, refused *fault.Error, plan []allocation.Verdict) error {
	_, b, err := h.openedBook(c)
	if err != nil {
		return err
	}
	title := c.T("allocation.batch")
	p := part.Field{Name: "file", Label: c.T("allocation.file"), Type: "file", Accept: ".csv,.xlsx", Help: c.T("allocation.file_help")}
	do := part.Field{Name: "type", Label: c.T("allocation.type"), Type: "select", Value: cmp.Or(c.FormValue("type"), doAllocate), Options: []part.Option{{Value: doAllocate, Label: c.T("allocation.allocate")}, {Value: doReclaim, Label: c.T("allocation.reclaim")}}}
	f := growview.Form{Header: part.Header{Title: title, Crumbs: c.crumbs(part.Link{Text: c.T("allocation.title"), Href: c.at(pathAllocations)}, part.Link{Text: title})}, Refusal: refusalOf(c, refused), Action: c.at(pathAllocations + "/batch"),
		Hidden:  append(fresh(), part.Hidden{Name: "vendor", Value: b.vendor.Code}, part.Hidden{Name: "currency", Value: b.currency}),
		Files:   true,
		Fields:  []part.Field{do, p, {Name: "text", Label: c.T("allocation.rows"), Type: "textarea", Value: c.FormValue("text"), Help: c.T("allocation.rows_help", "Limit", allocation.MaxRows)}},
		Submits: []growview.Submit{{Value: "preview", Text: c.T("allocation.preview")}},
		Notes:   []string{c.T("allocation.rule.whole"), c.T("allocation.rule.resale"), c.T("allocation.rule.amount")}}
	for _, name := range []string{"allocations.csv", "allocations.xlsx"} {
		f.Header.Buttons = append(f.Header.Buttons, part.Link{Text: c.T("allocation.template", "Format", strings.ToUpper(strings.TrimPrefix(filepath.Ext(name), "."))), Href: static.URL(name)})
	}
	var sum money.Amount
	bad := 0
	for i := range plan {
		v := &plan[i]
		one := part.Check{Tone: part.Good, Title: c.T("allocation.row", "Number", i+1, "Code", v.Target, "Amount", v.Input.Amount), Text: c.personal(v.Name).Text}
		if v.Refusal != nil {
			one.Tone, one.Text, bad = part.Bad, i18n.FaultText(c.ctx(), v.Refusal), bad+1
		}
		sum += v.Amount
		f.Checks = append(f.Checks, one)
	}
	if len(plan) > 0 {
		f.Facts = []part.Item{{Label: c.T("allocation.rows_good"), Text: i18n.Count(int64(len(plan) - bad))}, {Label: c.T("allocation.rows_bad"), Text: i18n.Count(int64(bad))}, {Label: c.T("allocation.amount"), Text: i18n.Money(sum, b.currency)}}
		if bad == 0 {
			f.Submits = []growview.Submit{{Value: "move", Text: c.T("allocation.execute", "Count", len(plan))}, {Value: "preview", Text: c.T("allocation.preview")}}
		}
	}
	return c.page(status, f.Page())
}

// batchRows reads lines of code, amount and note; separators are those of CSV, the Chinese comma and tabs. Fault:
// allocation.rows_malformed (line).
func batchRows(text string, b *book, reclaim bool) ([]allocation.Input, error) {
	r := csv.NewReader(strings.NewReader(strings.NewReplacer("，", ",", "\t", ",", "\ufeff", "").Replace(text)))
	r.FieldsPerRecord, r.TrimLeadingSpace = -1, true
	records, err := r.ReadAll()
	if err != nil {
		return nil, fault.Invalid("allocation.rows_malformed", nil)
	}
	var out []allocation.Input
	for i, rec := range records {
		if len(rec) < 2 || len(rec) > 3 {
			return nil, fault.Invalid("allocation.row_malformed", fault.Args{"line": i + 1})
		}
		in := allocation.Input{VendorID: b.vendor.ID, Currency: b.currency, Target: strings.TrimSpace(rec[0]), Amount: strings.TrimSpace(rec[1]), Reclaim: reclaim}
		if len(rec) == 3 {
			in.Memo = rec[2]
		}
		out = append(out, in)
	}
	return out, nil
}

// allocationFile puts the rows of the form's file in the place of those typed, so that they can be looked at and changed.
// Faults: those of ingest.OpenWithin and allocation.ReadFile.
func (h *Handlers) allocationFile(c *Ctx) (read bool, err error) {
	folder, err := os.MkdirTemp("", "portal-allocations-")
	if err != nil {
		return false, err
	}
	defer func() {
		if err := os.RemoveAll(folder); err != nil {
			h.Log.Warn("a brought file stays", "error", err.Error())
		}
	}()
	path, _, err := brought(c.Request(), folder)
	if err != nil || path == "" {
		return false, err
	}
	rows, err := allocation.ReadFile(path)
	if err != nil {
		return false, err
	}
	var text strings.Builder
	w := csv.NewWriter(&text)
	if err := w.WriteAll(rows); err != nil {
		return false, err
	}
	c.Request().Form.Set("text", text.String())
	return true, nil
}

func (h *Handlers) allocationBatch(c *Ctx) error {
	uploaded, err := h.allocationFile(c)
	if err != nil {
		return c.refuse(err, func(status int, f *fault.Error) error { return h.allocationBatchForm(c, status, f, nil) })
	}
	b, err := h.postedBook(c)
	if err != nil {
		return err
	}
	again := func(plan []allocation.Verdict) func(status int, f *fault.Error) error {
		return func(status int, f *fault.Error) error { return h.allocationBatchForm(c, status, f, plan) }
	}
	rows, err := batchRows(c.FormValue("text"), &b, c.FormValue("type") == doReclaim)
	if err != nil {
		return c.refuse(err, again(nil))
	}
	plan, err := h.Allocations.Plan(c.ctx(), c.Scope, rows)
	if err != nil {
		return c.refuse(err, again(nil))
	}
	if uploaded || c.FormValue("do") != "move" { // nobody has seen what a file says
		return h.allocationBatchForm(c, http.StatusOK, nil, plan)
	}
	err = h.proven(c, passcode.OpAllocate, c.at(pathAllocations+"/batch"), func(ctx context.Context) (answer, error) {
		made, err := h.Allocations.Move(ctx, c.Scope, rows)
		ids := make([]string, len(made))
		for i := range made {
			ids[i] = made[i].ID
		}
		return answer{Location: c.withQuery(pathAllocations, "vendor", b.vendor.Code, "currency", b.currency, "done", "allocation_batch"), Body: map[string]any{"trans_ids": ids}}, err
	})
	return c.refusedOr(err, again(plan))
}
