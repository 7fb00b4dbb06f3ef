package portal

import (
	"bytes"
	"context"
	"net/http"
	"strconv"
	"strings"

	"huoban/internal/audit"
	"huoban/internal/fault"
	"huoban/internal/i18n"
	"huoban/internal/scope"
	stmt "huoban/internal/statement"
	"huoban/internal/statementexport"
	"huoban/internal/usage"
	"huoban/web/templates/opsview"
	"huoban/web/templates/part"
)

// pathOwnStatements are the statements of a customer, in its 费用中心.
const pathOwnStatements = "/billing/statements"

func (h *Handlers) statementShown(c *Ctx) error { return h.statementPage(c, http.StatusOK, nil) }

// statementPage is one statement as the partner sees it: with cost, rule and margin.
func (h *Handlers) statementPage(c *Ctx, status int, refused *fault.Error) error {
	x, err := h.Statements.ByID(c.ctx(), c.Scope, c.Param("id"))
	if err != nil {
		return err
	}
	name := statementName(c, &x)
	p := opsview.Board{Header: part.Header{Title: name, Status: statementStatus(c, &x), Label: c.T("statement.col.total"), Amount: i18n.Money(x.Total, x.Currency),
		Crumbs: c.crumbs(part.Link{Text: c.T("statement.title"), Href: c.withQuery(pathStatements, "cycle", string(x.Cycle))}, part.Link{Text: name})}, Flash: c.done(), Notes: []string{c.T("statement.show.note")}}
	p.Refusal, p.Conflict = lost(c, refused, c.at(pathStatements+"/"+x.ID))
	p.Header.Buttons = statementFiles(c, pathStatements, &x)
	proof, err := h.Statements.Proof(c.ctx(), c.Scope, &x)
	if err != nil {
		return err
	}
	p.Facts = append(statementFacts(c, &x), statementProof(c, &x, &proof)...)
	if p.Buttons, err = h.statementActs(c, &x); err != nil {
		return err
	}
	g, err := h.titled(c, "statement.lines", "lines", c.T("exports.kind.statement.lines"))
	if err != nil {
		return err
	}
	p.Grids = append(p.Grids, g)
	changes, err := h.Statements.History(c.ctx(), &x)
	if err != nil {
		return err
	}
	p.Trail = history(c, stmt.Flow.Machine, changes)
	return c.page(status, p.Page())
}

// statementName names a statement without saying whose name it carries.
func statementName(c *Ctx, x *stmt.Statement) string {
	if x.Number == "" {
		return c.T("statement.show.draft", "Cycle", string(x.Cycle), "Customer", x.Customer.Code)
	}
	return x.Number + " · " + x.Customer.Code
}

// statementFiles are the downloads of an issued statement.
func statementFiles(c *Ctx, path string, x *stmt.Statement) []part.Link {
	if x.Number == "" {
		return nil
	}
	return []part.Link{{Text: c.T("statement.show.pdf"), Href: c.at(path + "/" + x.ID + "/pdf")}, {Text: c.T("statement.show.xlsx"), Href: c.at(path + "/" + x.ID + "/xlsx")}}
}

// statementFacts are what the customer reads too.
func statementFacts(c *Ctx, x *stmt.Statement) []part.Item {
	out := []part.Item{{Label: c.T("statement.col.customer"), Text: c.personal(x.Customer.Name).Text + " · " + x.Customer.Code}, {Label: c.T("bill.column.cycle"), Text: string(x.Cycle)},
		{Label: c.T("statement.col.subtotal"), Text: i18n.ExactMoney(x.Subtotal.Exact(), x.Currency)}, {Label: c.T("statement.col.tax_at", "Percent", x.Percent()), Text: i18n.ExactMoney(x.Tax.Exact(), x.Currency)},
		{Label: c.T("bill.column.rounding"), Text: i18n.ExactMoney(x.Rounding.Exact(), x.Currency)}, {Label: c.T("statement.col.total"), Text: i18n.ExactMoney(x.Total.Exact(), x.Currency)},
		{Label: c.T("bill.column.code"), Text: x.Code, Mono: true}}
	for _, t := range []struct{ key, text string }{{"statement.col.issued", bound(x.IssuedAt)}, {"statement.col.sent", bound(x.SentAt)}} {
		if t.text != i18n.Nothing && t.text != "" {
			out = append(out, part.Item{Label: c.T(t.key), Text: t.text})
		}
	}
	return out
}

// statementProof is the partner's side: cost and margin, the bill they come from, and what the statement was made with.
func statementProof(c *Ctx, x *stmt.Statement, p *stmt.Proof) []part.Item {
	verdict := c.T("statement.proof.equal")
	if !p.Equal {
		verdict = c.T("statement.proof.part")
	}
	out := []part.Item{{Label: c.T("statement.col.cost"), Text: i18n.ExactMoney(x.Cost.Exact(), x.Currency)}, {Label: c.T("statement.col.margin"), Text: i18n.ExactMoney(x.Margin().Exact(), x.Currency)},
		{Label: c.T("statement.proof.bill"), Text: i18n.ExactMoney(p.Amount.Exact(), x.Currency) + " · " + verdict}}
	if c.Scope.Has(scope.ItemBillView) {
		out[2].Href = c.billLink("lines", &p.Bill, "customer", x.Customer.Code)
	}
	if p.Tax != 0 {
		out = append(out, part.Item{Label: c.T("statement.proof.tax"), Text: i18n.ExactMoney(p.Tax.Exact(), x.Currency)})
	}
	out = append(out, part.Item{Label: c.T("statement.proof.versions"), Text: c.T("statement.proof.versions_of", "Rules", x.RuleSeq, "Head", x.HeadVersion)}, part.Item{Label: c.T("ops.fact.by"), Text: x.CreatedBy})
	if x.ReplacesID != "" {
		out = append(out, part.Item{Label: c.T("statement.col.replaces"), Text: x.ReplacesNumber, Href: c.at(pathStatements + "/" + x.ReplacesID)})
	}
	return out
}

func (h *Handlers) statementActs(c *Ctx, x *stmt.Statement) ([]part.Button, error) {
	actions, err := h.Statements.Actions(c.ctx(), c.Scope, x)
	if err != nil {
		return nil, err
	}
	var out []part.Button
	for _, b := range actions {
		if b.Refusal != nil && b.Refusal.Code == "scope.permission_missing" {
			continue
		}
		one := actionButton(c, b, c.at(pathStatements+"/"+x.ID+"/"+b.Noun), statementName(c, x), x.Version)
		one.Primary = b.Enabled && (b.Action == string(stmt.ActionIssue) || b.Action == string(stmt.ActionSend))
		if b.Refusal != nil && b.Refusal.Code == "statement.head_missing" {
			one.Cure = &part.Link{Text: c.T("statement.head.title"), Href: c.at(pathStatements + "/letterhead")}
		}
		out = append(out, one)
	}
	if x.Live() && c.Scope.Has(scope.ItemStatementChange) {
		out = append(out, part.Button{ID: "correct", Text: c.T("statement.correct.do"), Action: c.at(pathStatements + "/" + x.ID + "/correction"), Hidden: fresh(), Hint: c.T("statement.correct.hint")})
	}
	return out, nil
}

// costingCell says what a line's amount comes from.
func costingCell(c *Ctx, k *stmt.Costing) opsview.Cell {
	formula := c.T("statement.base."+string(k.Base)) + " × " + k.Factor.String()
	if k.RuleNumber == 0 {
		return opsview.Cell{Text: c.T("statement.rule.none"), Note: formula}
	}
	return opsview.Cell{Text: statementRuleName(k.RuleNumber, k.RuleVersion), Note: formula}
}

func statementRuleName(number, version int64) string {
	return "R" + strconv.FormatInt(number, 10) + " v" + strconv.FormatInt(version, 10)
}

// readStatementLines lists the lines of a statement with what they are made of.
func (h *Handlers) readStatementLines(c *Ctx) (*sheet, error) {
	x, err := h.Statements.ByID(c.ctx(), c.Scope, c.Param("id"))
	if err != nil {
		return nil, err
	}
	num := func(key string) listColumn {
		return listColumn{key: key, title: c.T("statement.col." + key), num: true}
	}
	s := &sheet{columns: append(statementLineColumns(c), listColumn{key: "items", title: c.T("statement.col.items"), class: "num-l"}, num("source"), num("cost"), listColumn{key: "rule", title: c.T("statement.col.rule"), note: c.T("statement.col.formula")},
		listColumn{key: "amount", title: c.T("bill.column.amount"), num: true, money: true, class: "m"}, num("margin"))}
	var proof stmt.Proof
	if c.Scope.Has(scope.ItemBillView) {
		if proof, err = h.Statements.Proof(c.ctx(), c.Scope, &x); err != nil {
			return nil, err
		}
	}
	for i := range x.Lines {
		l := &x.Lines[i]
		cells := statementLineCells(c, l)
		if proof.Bill.ID != "" && l.Corrects == "" {
			cells[0].Href = c.billLink("lines", &proof.Bill, "customer", x.Customer.Code, "product", l.Product, "region", l.Region, "mode", string(l.Mode), "kind", string(l.Kind))
		}
		k := l.Costing
		cells = append(cells, opsview.Cell{Text: itemsText(k.Items)}, figureCell(k.Source, x.Currency), amountCell(k.Cost, x.Currency), costingCell(c, k),
			amountCell(l.Amount, x.Currency), amountCell(l.Amount-k.Cost, x.Currency))
		s.add(sheetRow{key: strconv.Itoa(l.No), sums: sums{{x.Currency, l.Amount.Exact()}}, cells: cells,
			mark: marks(string(l.Origin), l.Provider, l.Product, l.Region, string(l.Mode), string(l.Kind), l.Amount.String(), k.Cost.String(), k.Source.String())})
	}
	return s, nil
}

func itemsText(list []int) string {
	words := make([]string, len(list))
	for i, n := range list {
		words[i] = strconv.Itoa(n)
	}
	return strings.Join(words, ", ")
}

func statementLineColumns(c *Ctx) []listColumn {
	return []listColumn{{key: "product", title: c.T("bill.column.product"), note: c.T("bill.column.provider")}, {key: "region", title: c.T("bill.column.region")}, {key: "mode", title: c.T("bill.column.charging_mode")},
		{key: "kind", title: c.T("bill.column.kind"), note: c.T("statement.col.corrects")}, {key: "count", title: c.T("bill.column.line_count"), num: true}}
}

func statementLineCells(c *Ctx, l *stmt.Line) []opsview.Cell {
	kind := opsview.Cell{Text: c.T("bill.kind." + string(l.Kind)), Note: string(l.Corrects)}
	if l.Corrects != "" {
		kind.Text = c.T("bill.kind." + string(usage.KindAdjustment))
	}
	return []opsview.Cell{{Text: statementexport.Product(l), Note: l.Provider}, {Text: l.Region}, {Text: modeText(c, l.Mode)}, kind, countCell(l.LineCount)}
}

// actOnStatement fires an action of the machine.
func (h *Handlers) actOnStatement(c *Ctx, do stmt.Action) error {
	err := h.once(c, func(ctx context.Context) (answer, error) {
		x, err := h.Statements.Do(ctx, c.Scope, c.Param("id"), do, c.in("reason"))
		return answer{Location: c.at(pathStatements + "/" + c.Param("id") + "?done=statement_" + string(do)), Body: statementBody(&x)}, err
	})
	if err == nil {
		return nil
	}
	return c.refuse(err, func(status int, f *fault.Error) error { return h.statementPage(c, status, f) })
}

// correctStatement makes a draft that takes the place of a statement.
func (h *Handlers) correctStatement(c *Ctx) error {
	err := h.onceApart(c, func(ctx context.Context) (answer, error) {
		x, err := h.Statements.Correct(ctx, c.Scope, c.Param("id"))
		return answer{Location: c.at(pathStatements + "/" + x.ID + "?done=statement_corrected"), Body: statementBody(&x)}, err
	})
	if err == nil {
		return nil
	}
	return c.refuse(err, func(status int, f *fault.Error) error { return h.statementPage(c, status, f) })
}

// statementPDF hands out the kept file, to the partner and to the customer.
func (h *Handlers) statementPDF(c *Ctx) error {
	x, body, err := h.Statements.PDF(c.ctx(), c.Scope, c.Param("id"), string(i18n.From(c.ctx())))
	if err != nil {
		return err
	}
	return h.handOut(c, &x, "pdf", "application/pdf", body)
}

// statementXLSX hands out the same as a workbook.
func (h *Handlers) statementXLSX(c *Ctx) error {
	x, err := h.Statements.ByID(c.ctx(), c.Scope, c.Param("id"))
	switch {
	case err != nil:
		return err
	case x.Number == "":
		return fault.Conflict("statement.not_issued", nil)
	case c.Scope.Side() == scope.SideCustomer && !x.Live():
		return fault.Conflict("statement.not_live", nil)
	}
	var out bytes.Buffer
	if err := statementexport.WriteXLSX(c.ctx(), &out, &x, func(key string) string { return c.T(key) }); err != nil {
		return err
	}
	return h.handOut(c, &x, "xlsx", "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet", out.Bytes())
}

// handOut writes down who took a file, and gives it.
func (h *Handlers) handOut(c *Ctx, x *stmt.Statement, format, media string, body []byte) error {
	err := h.Tx.InTx(c.ctx(), func(ctx context.Context) error {
		return h.Audit.Record(ctx, audit.Entry{Actor: c.Person.Login, OnBehalf: c.Org.Code, OrgID: c.Org.ID, Action: "statement.download", Object: "statement:" + x.ID, Outcome: "done",
			Detail: map[string]any{"number": x.Number, "format": format}})
	})
	if err != nil {
		return err
	}
	c.Response().Header().Set("Content-Length", strconv.Itoa(len(body)))
	_, err = (&lateHeader{ResponseWriter: c.Response(), name: statementexport.FileName(x, format), media: media}).Write(body)
	return err
}

// ownStatements lists what partners ask of the customer.
func (h *Handlers) ownStatements(c *Ctx) error {
	title := c.T("statement.own.title")
	p := opsview.Board{Header: part.Header{Title: title, Crumbs: c.crumbs(part.Link{Text: title})}, Notes: []string{c.T("statement.own.note")}}
	if _, err := h.board(c, &p, "statements.own"); err != nil {
		return err
	}
	return c.page(http.StatusOK, p.Page())
}

func (h *Handlers) readOwnStatements(c *Ctx) (*sheet, error) {
	list, err := h.Statements.List(c.ctx(), c.Scope, stmt.Filter{})
	if err != nil {
		return nil, err
	}
	num := func(key string) listColumn {
		return listColumn{key: key, title: c.T("statement.col." + key), num: true}
	}
	s := &sheet{columns: []listColumn{{key: "number", title: c.T("statement.col.number"), note: c.T("statement.col.replaces")}, {key: "partner", title: c.T("statement.col.partner")}, {key: "cycle", title: c.T("bill.column.cycle"), class: "num-l"},
		num("subtotal"), num("tax"), {key: "total", title: c.T("statement.col.total"), num: true, money: true, class: "m"}, {key: "state", title: c.T("opsview.col.state")}, {key: "issued", title: c.T("statement.col.issued"), class: "num-l"}},
		empty: part.Empty{Title: c.T("statement.own.empty"), Text: c.T("statement.own.empty_text")}}
	for i := range list {
		x := &list[i]
		row := sheetRow{key: x.ID, at: latestOf(x.IssuedAt, x.SentAt), mark: marks(x.Number, string(x.State), x.Code), cells: []opsview.Cell{{Text: x.Number, Href: c.at(pathOwnStatements + "/" + x.ID), Note: x.ReplacesNumber},
			{Text: x.Partner.Name}, {Text: string(x.Cycle)}, amountCell(x.Subtotal, x.Currency), amountCell(x.Tax, x.Currency), amountCell(x.Total, x.Currency), {Status: statementStatus(c, x)}, {Text: bound(x.IssuedAt)}}}
		if x.Live() {
			row.sums = sums{{x.Currency, x.Total.Exact()}}
		}
		s.add(row)
	}
	return s, nil
}

// ownStatementShown is one statement as its customer sees it.
func (h *Handlers) ownStatementShown(c *Ctx) error {
	x, err := h.Statements.ByID(c.ctx(), c.Scope, c.Param("id"))
	if err != nil {
		return err
	}
	head, err := h.Statements.HeadOf(c.ctx(), &x)
	if err != nil {
		return err
	}
	p := opsview.Board{Header: part.Header{Title: x.Number, Status: statementStatus(c, &x), Label: c.T("statement.col.total"), Amount: i18n.Money(x.Total, x.Currency),
		Crumbs: c.crumbs(part.Link{Text: c.T("statement.own.title"), Href: c.at(pathOwnStatements)}, part.Link{Text: x.Number})}, Facts: statementFacts(c, &x)[1:]}
	if x.Live() {
		p.Header.Buttons = statementFiles(c, pathOwnStatements, &x)
	}
	p.Facts = append([]part.Item{{Label: c.T("statement.col.partner"), Text: head.Name}}, p.Facts...)
	if head.Bank != "" {
		p.Facts = append(p.Facts, part.Item{Label: c.T("statement.head.bank"), Text: head.Bank})
	}
	if x.ReplacesNumber != "" {
		p.Facts = append(p.Facts, part.Item{Label: c.T("statement.col.replaces"), Text: x.ReplacesNumber, Href: c.at(pathOwnStatements + "/" + x.ReplacesID)})
	}
	g, err := h.titled(c, "statement.own_lines", "lines", c.T("exports.kind.statement.lines"))
	if err != nil {
		return err
	}
	p.Grids = append(p.Grids, g)
	return c.page(http.StatusOK, p.Page())
}

func (h *Handlers) readOwnStatementLines(c *Ctx) (*sheet, error) {
	x, err := h.Statements.ByID(c.ctx(), c.Scope, c.Param("id"))
	if err != nil {
		return nil, err
	}
	s := &sheet{columns: append(statementLineColumns(c), listColumn{key: "amount", title: c.T("bill.column.amount"), num: true, money: true, class: "m"})}
	for i := range x.Lines {
		l := &x.Lines[i]
		s.add(sheetRow{key: strconv.Itoa(l.No), sums: sums{{x.Currency, l.Amount.Exact()}}, cells: append(statementLineCells(c, l), amountCell(l.Amount, x.Currency)),
			mark: marks(string(l.Origin), l.Provider, l.Product, l.Region, string(l.Mode), string(l.Kind), l.Amount.String())})
	}
	return s, nil
}
