package portal

import (
	"context"
	"net/http"
	"slices"
	"strings"

	"huoban/internal/cycle"
	"huoban/internal/export"
	"huoban/internal/fault"
	"huoban/internal/i18n"
	"huoban/internal/money"
	"huoban/internal/scope"
	stmt "huoban/internal/statement"
	"huoban/internal/statementexport"
	"huoban/web/templates/opsview"
	"huoban/web/templates/part"
)

const (
	pathStatements = "/statements"
	anyCycle       = "all"
)

// statementRoutes are 客户对账单: what a partner asks of its customers, its rules and letter head.
func statementRoutes() []Route {
	row := func(method, path, name, title string, item scope.Item, do func(*Handlers, *Ctx) error) Route {
		return Route{Method: method, Path: "/o/:org" + pathStatements + path, Name: name, Sides: partners, Items: []scope.Item{item}, Title: title, Do: do}
	}
	out := []Route{
		row(get, "", "statements", "statement.title", scope.ItemStatementView, (*Handlers).statements),
		row(post, "", "statements.draft", "", scope.ItemStatementChange, (*Handlers).draftStatements),
		row(post, "/issuance", "statements.issue_all", "", scope.ItemStatementIssue, func(h *Handlers, c *Ctx) error { return h.allStatements(c, stmt.ActionIssue) }),
		row(post, "/sending", "statements.send_all", "", scope.ItemStatementIssue, func(h *Handlers, c *Ctx) error { return h.allStatements(c, stmt.ActionSend) }),
		row(get, "/rules", "statements.rules", "statement.rules.title", scope.ItemStatementView, (*Handlers).statementRules),
		row(post, "/rules", "statements.rules.add", "", scope.ItemStatementChange, (*Handlers).saveStatementRule),
		row(get, "/rules/new", "statements.rules.new", "statement.rules.add", scope.ItemStatementChange, (*Handlers).statementRulePage).noList("form"),
		row(get, "/rules/:id", "statements.rules.edit", "statement.rules.edit", scope.ItemStatementChange, (*Handlers).statementRulePage).noList("form"),
		row(post, "/rules/:id", "statements.rules.save", "", scope.ItemStatementChange, (*Handlers).saveStatementRule),
		row(post, "/rules/:id/ending", "statements.rules.end", "", scope.ItemStatementChange, (*Handlers).endStatementRule),
		row(get, "/letterhead", "statements.head", "statement.head.title", scope.ItemStatementView, (*Handlers).statementHead),
		row(post, "/letterhead", "statements.head.save", "", scope.ItemStatementChange, (*Handlers).saveStatementHead),
		row(get, "/letterhead/logo", "statements.logo", "", scope.ItemStatementView, (*Handlers).statementLogo),
		row(get, "/:id", "statements.show", "statement.title", scope.ItemStatementView, (*Handlers).statementShown),
		row(get, "/:id/pdf", "statements.pdf", "", scope.ItemStatementView, (*Handlers).statementPDF),
		row(get, "/:id/xlsx", "statements.xlsx", "", scope.ItemStatementView, (*Handlers).statementXLSX),
		row(post, "/:id/correction", "statements.correct", "", scope.ItemStatementChange, (*Handlers).correctStatement),
	}
	out[5].Query = []string{"customer"}
	for i := range stmt.Flow.Rows {
		r := &stmt.Flow.Rows[i]
		if r.Noun == "" {
			continue
		}
		act := row(post, "/:id/"+r.Noun, "statements."+r.Noun, "", scope.ItemStatementIssue, func(h *Handlers, c *Ctx) error { return h.actOnStatement(c, r.Do) }).moves(stmt.Flow, string(r.Do))
		act.Items = r.Who
		out = append(out, act)
	}
	own := func(path, name, title string, do func(*Handlers, *Ctx) error) Route {
		return Route{Method: get, Path: "/o/:org" + pathOwnStatements + path, Name: name, Sides: []scope.Side{scope.SideCustomer}, Items: []scope.Item{scope.ItemExpenditureView}, Title: title, Do: do}
	}
	return append(out, own("", "billing.statements", "statement.own.title", (*Handlers).ownStatements),
		own("/:id", "billing.statements.show", "statement.own.title", (*Handlers).ownStatementShown),
		own("/:id/pdf", "billing.statements.pdf", "", (*Handlers).statementPDF), own("/:id/xlsx", "billing.statements.xlsx", "", (*Handlers).statementXLSX))
}

var statementTone = map[stmt.State]part.Tone{stmt.StateDraft: part.Warn, stmt.StateIssued: part.Brand, stmt.StateSent: part.Good, stmt.StateWithdrawn: part.Bad}

func statementStatus(c *Ctx, s *stmt.Statement) *part.Status {
	return &part.Status{Text: c.T("statement.state." + string(s.State)), Tone: statementTone[s.State]}
}

// statementQuery is what narrows the list.
type statementQuery struct {
	cycle    cycle.Cycle // "" = all
	cycles   []cycle.Cycle
	state    stmt.State
	currency string
	text     string
}

// readStatementQuery reads the address; without a cycle it is the newest that is issued.
func (h *Handlers) readStatementQuery(c *Ctx) (q statementQuery, err error) {
	if q.cycles, err = h.Statements.Cycles(c.ctx(), c.Scope); err != nil {
		return q, err
	}
	q.state, q.currency, q.text = stmt.State(c.QueryParam("state")), c.QueryParam("currency"), strings.TrimSpace(c.QueryParam("q"))
	if q.state != "" && !slices.Contains(stmt.Flow.States(), q.state) {
		return q, notFound()
	}
	switch text := c.QueryParam("cycle"); text {
	case anyCycle:
	case "":
		if len(q.cycles) > 0 {
			q.cycle = q.cycles[0]
		}
	default:
		if q.cycle, err = cycle.Parse(text); err != nil {
			return q, notFound()
		}
	}
	return q, nil
}

func (q *statementQuery) takes(s *stmt.Statement) bool {
	text := strings.ToLower(q.text)
	if q.state == "" && s.State == stmt.StateDiscarded {
		return false
	}
	return text == "" || strings.Contains(strings.ToLower(s.Number), text) || strings.Contains(strings.ToLower(s.Customer.Name), text) || strings.Contains(strings.ToLower(s.Customer.Code), text)
}

func (h *Handlers) statements(c *Ctx) error { return h.statementList(c, http.StatusOK, nil) }

// statementList lists the statements of a cycle with what they cost the partner and bring it.
func (h *Handlers) statementList(c *Ctx, status int, refused *fault.Error) error {
	q, err := h.readStatementQuery(c)
	if err != nil {
		return err
	}
	title := c.T("statement.title")
	p := opsview.Board{Header: part.Header{Title: title, Crumbs: c.crumbs(part.Link{Text: title}), Buttons: []part.Link{
		{Text: c.T("statement.rules.title"), Href: c.at(pathStatements + "/rules")}, {Text: c.T("statement.head.title"), Href: c.at(pathStatements + "/letterhead")}}},
		Flash: c.done(), Filter: statementFilter(c, &q), Notes: []string{c.T("statement.note")}}
	if flash := c.exported(); flash != nil {
		p.Flash = flash
	}
	p.Refusal, p.Conflict = lost(c, refused, c.at(pathStatements))
	list, err := h.statementsOf(c, &q)
	if err != nil {
		return err
	}
	p.Facts, p.Buttons = statementSums(c, list), h.statementButtons(c, &q, list)
	if _, err := h.board(c, &p, "statements"); err != nil {
		return err
	}
	return c.page(status, p.Page())
}

func (h *Handlers) statementsOf(c *Ctx, q *statementQuery) ([]stmt.Statement, error) {
	list, err := h.Statements.List(c.ctx(), c.Scope, stmt.Filter{Cycle: q.cycle, State: q.state, Currency: q.currency})
	return slices.DeleteFunc(list, func(s stmt.Statement) bool { return !q.takes(&s) }), err
}

func statementFilter(c *Ctx, q *statementQuery) *part.Filter {
	cycles := part.FilterField{Name: "cycle", Label: c.T("bill.column.cycle"), Value: string(q.cycle)}
	if q.cycle == "" {
		cycles.Value = anyCycle
	}
	known := q.cycles
	if q.cycle != "" && !slices.Contains(known, q.cycle) {
		known = append([]cycle.Cycle{q.cycle}, known...)
	}
	for _, x := range known {
		cycles.Options = append(cycles.Options, part.Option{Value: string(x), Label: string(x)})
	}
	cycles.Options = append(cycles.Options, part.Option{Value: anyCycle, Label: c.T("ops.filter.any")})
	state := part.FilterField{Name: "state", Label: c.T("opsview.col.state"), Value: string(q.state), Options: []part.Option{{Label: c.T("ops.filter.any")}}}
	for _, s := range stmt.Flow.States() {
		state.Options = append(state.Options, part.Option{Value: string(s), Label: c.T("statement.state." + string(s))})
	}
	return &part.Filter{Action: c.at(pathStatements), Reset: c.at(pathStatements), Fields: []part.FilterField{cycles, state, {Name: "q", Label: c.T("statement.filter.q"), Value: q.text}}}
}

// claims tells whether a statement counts in sums: drafts and what is in force, not what was taken back.
func claims(s *stmt.Statement) bool {
	return s.Live() || s.State == stmt.StateDraft && s.ReplacesID == ""
}

// statementSums are cost, amount and margin of what is listed, by currency.
func statementSums(c *Ctx, list []stmt.Statement) []part.Item {
	var cost, amount, margin, total sums
	for i := range list {
		s := &list[i]
		if !claims(s) {
			continue
		}
		cost = cost.add(sum{s.Currency, s.Cost.Exact()})
		amount = amount.add(sum{s.Currency, s.Subtotal.Exact()})
		margin = margin.add(sum{s.Currency, s.Margin().Exact()})
		total = total.add(sum{s.Currency, s.Total.Exact()})
	}
	if len(total) == 0 {
		return nil
	}
	text := func(key string, of sums) part.Item {
		return part.Item{Label: c.T(key), Text: join(of.texts(), " · ")}
	}
	return []part.Item{text("statement.sum.cost", cost), text("statement.sum.amount", amount), text("statement.sum.margin", margin), text("statement.sum.total", total)}
}

// statementButtons are what can be done with all statements of the cycle shown.
func (h *Handlers) statementButtons(c *Ctx, q *statementQuery, list []stmt.Statement) []part.Button {
	if q.cycle == "" || !slices.Contains(q.cycles, q.cycle) {
		return nil
	}
	of := string(q.cycle)
	hidden := func(more ...part.Hidden) []part.Hidden {
		return append(append(fresh(), part.Hidden{Name: "cycle", Value: of}), more...)
	}
	drafts, issued, live := int64(0), int64(0), int64(0)
	for i := range list {
		switch s := &list[i]; {
		case s.State == stmt.StateDraft && s.ReplacesID == "":
			drafts++
		case s.State == stmt.StateIssued:
			issued++
			live++
		case s.Live():
			live++
		}
	}
	var out []part.Button
	if c.Scope.Has(scope.ItemStatementChange) {
		out = append(out, part.Button{ID: "draft", Text: c.T("statement.draft.do", "Cycle", of), Primary: drafts+live == 0, Action: c.at(pathStatements), Hidden: hidden(), Hint: c.T("statement.draft.hint")})
	}
	if c.Scope.Has(scope.ItemStatementIssue) && drafts > 0 {
		out = append(out, part.Button{ID: "issue-all", Text: c.T("statement.issue_all.do", "Count", drafts), Primary: true, Action: c.at(pathStatements + "/issuance"), Hidden: hidden(), Hint: c.T("statement.issue_all.hint"),
			Dialog: &part.Dialog{Title: c.T("statement.issue_all.ask", "Count", drafts, "Cycle", of), Points: []string{c.T("ops.act.statement.issue")}, Confirm: c.T("statement.action.issue")}})
	}
	if c.Scope.Has(scope.ItemStatementIssue) && issued > 0 {
		out = append(out, part.Button{ID: "send-all", Text: c.T("statement.send_all.do", "Count", issued), Action: c.at(pathStatements + "/sending"), Hidden: hidden(), Hint: c.T("ops.act.statement.send"),
			Dialog: &part.Dialog{Title: c.T("statement.send_all.ask", "Count", issued, "Cycle", of), Points: []string{c.T("ops.act.statement.send")}, Confirm: c.T("statement.action.send")}})
	}
	if c.Scope.Has(scope.ItemExportOwn) && live > 0 {
		out = append(out, part.Button{ID: "archive", Text: c.T("statement.archive.do", "Count", live), Action: c.at("/exports"), Hint: c.T("statement.archive.hint"),
			Hidden: hidden(part.Hidden{Name: "list", Value: statementexport.KindArchive}, part.Hidden{Name: "format", Value: statementexport.FormatZip}, part.Hidden{Name: "next", Value: c.here()})})
	}
	return out
}

// archiveExport is what the list asks to be packed.
func (h *Handlers) archiveExport(c *Ctx, kind, format string) (export.Request, error) {
	p := statementexport.Params{Cycle: c.param("cycle"), Customer: c.param("customer"), Lang: string(i18n.From(c.ctx()))}
	r := export.Request{Kind: kind, Format: format, Params: p}
	if c.Scope.Side() != scope.SidePartner {
		return r, notFound()
	}
	_, err := statementexport.Pick(c.ctx(), h.Statements, c.Scope, format, p)
	return r, err
}

func amountCell(a money.Amount, currency string) opsview.Cell {
	text := exactMoney(a.Exact(), currency)
	return opsview.Cell{Text: text.Text, Full: text.Full, Raw: a.String()}
}

// readStatements lists statements; the total under the column of money is of those that count.
func (h *Handlers) readStatements(c *Ctx) (*sheet, error) {
	q, err := h.readStatementQuery(c)
	if err != nil {
		return nil, err
	}
	list, err := h.statementsOf(c, &q)
	if err != nil {
		return nil, err
	}
	num := func(key string) listColumn {
		return listColumn{key: key, title: c.T("statement.col." + key), num: true}
	}
	s := &sheet{columns: []listColumn{{key: "number", title: c.T("statement.col.number"), note: c.T("statement.col.replaces")}, customerColumn(c), {key: "cycle", title: c.T("bill.column.cycle"), class: "num-l"}, num("cost"), num("subtotal"), num("margin"),
		num("tax"), {key: "total", title: c.T("statement.col.total"), num: true, money: true, class: "m"}, {key: "state", title: c.T("opsview.col.state")}, {key: "issued", title: c.T("statement.col.issued"), class: "num-l"}},
		empty: part.Empty{Title: c.T("statement.empty"), Text: c.T("statement.empty_text")}}
	if q.cycle != "" {
		s.narrowed("", string(q.cycle))
	}
	s.narrowed("q", q.text)
	if q.state != "" {
		s.narrowed("state", c.T("statement.state."+string(q.state)))
	}
	for i := range list {
		s.add(statementRow(c, &list[i]))
	}
	return s, nil
}

func statementRow(c *Ctx, x *stmt.Statement) sheetRow {
	number := opsview.Cell{Text: x.Number, Href: c.at(pathStatements + "/" + x.ID), Note: x.ReplacesNumber}
	if x.Number == "" {
		number.Text = c.T("statement.state." + string(stmt.StateDraft))
	}
	name := c.personal(x.Customer.Name)
	name.Note = x.Customer.Code
	row := sheetRow{key: x.ID, at: latestOf(x.CreatedAt, latestOf(x.IssuedAt, x.SentAt)), mark: marks(x.Number, string(x.State), x.Code, x.Cost.String()), cells: []opsview.Cell{number, name, {Text: string(x.Cycle)},
		amountCell(x.Cost, x.Currency), amountCell(x.Subtotal, x.Currency), amountCell(x.Margin(), x.Currency), amountCell(x.Tax, x.Currency), amountCell(x.Total, x.Currency),
		{Status: statementStatus(c, x)}, {Text: bound(x.IssuedAt)}}}
	if claims(x) {
		row.sums = sums{{x.Currency, x.Total.Exact()}}
	}
	return row
}

// draftStatements makes the drafts of a cycle.
func (h *Handlers) draftStatements(c *Ctx) error {
	if err := c.readForm(); err != nil {
		return err
	}
	of := cycle.Cycle(c.param("cycle"))
	err := h.onceApart(c, func(ctx context.Context) (answer, error) {
		d, err := h.Statements.Draft(ctx, c.Scope, of)
		done := "statement_drafted"
		if d.Made == 0 {
			done = "statement_same"
		}
		return answer{Location: c.withQuery(pathStatements, "cycle", string(of), "done", done), Body: map[string]any{"made": d.Made, "unchanged": d.Same, "issued": d.Issued}}, err
	})
	if err == nil {
		return nil
	}
	return c.refuse(err, func(status int, f *fault.Error) error { return h.statementList(c, status, f) })
}

// allStatements issues or sends everything of a cycle that waits for it.
func (h *Handlers) allStatements(c *Ctx, do stmt.Action) error {
	if err := c.readForm(); err != nil {
		return err
	}
	of := cycle.Cycle(c.param("cycle"))
	err := h.once(c, func(ctx context.Context) (answer, error) {
		n, err := h.Statements.DoAll(ctx, c.Scope, of, do)
		return answer{Location: c.withQuery(pathStatements, "cycle", string(of), "done", "statement_"+string(do)), Body: map[string]any{"done": n}}, err
	})
	if err == nil {
		return nil
	}
	return c.refuse(err, func(status int, f *fault.Error) error { return h.statementList(c, status, f) })
}

func statementBody(s *stmt.Statement) map[string]any {
	return map[string]any{"id": s.ID, "number": s.Number, "state": string(s.State), "cycle": string(s.Cycle), "currency": s.Currency, "total": s.Total.String(), "code": s.Code}
}
