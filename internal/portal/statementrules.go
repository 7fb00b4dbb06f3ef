package portal

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"io"
	"net/http"
	"slices"
	"strconv"
	"strings"

	"huoban/internal/customer"
	"huoban/internal/fault"
	"huoban/internal/i18n"
	"huoban/internal/money"
	"huoban/internal/scope"
	"huoban/internal/sorted"
	stmt "huoban/internal/statement"
	"huoban/web/templates/opsview"
	"huoban/web/templates/part"
	"huoban/web/templates/stmtview"
)

// statementRules lists the rules in force and every version there was.
func (h *Handlers) statementRules(c *Ctx) error {
	title := c.T("statement.rules.title")
	p := opsview.Board{Header: part.Header{Title: title, Crumbs: c.crumbs(part.Link{Text: c.T("statement.title"), Href: c.at(pathStatements)}, part.Link{Text: title})}, Flash: c.done(),
		Notes: []string{c.T("statement.rules.note"), c.T("statement.rules.note_day")}}
	if c.Scope.Has(scope.ItemStatementChange) {
		p.Header.Buttons = []part.Link{{Text: c.T("statement.rules.add"), Href: c.at(pathStatements + "/rules/new")}}
	}
	for _, kind := range []string{"statement.rules", "statement.rule_history"} {
		g, err := h.titled(c, kind, strings.ReplaceAll(kind, ".", "-"), c.T("exports.kind."+kind))
		if err != nil {
			return err
		}
		p.Grids = append(p.Grids, g)
	}
	return c.page(http.StatusOK, p.Page())
}

func (h *Handlers) ruleSheet(c *Ctx) (*sheet, map[string]customer.Party, error) {
	names, err := h.Customers.Names(c.ctx(), c.Scope)
	return &sheet{columns: []listColumn{{key: "rule", title: c.T("statement.col.rule")}, {key: "customer", title: c.T("customers.col.customer"), note: c.T("customers.col.code"), personal: true}, {key: "product", title: c.T("bill.column.product")},
		{key: "base", title: c.T("statement.rule.base")}, {key: "factor", title: c.T("statement.rule.factor"), num: true}, {key: "from", title: c.T("statement.rule.from"), class: "num-l"}, {key: "to", title: c.T("statement.rule.to"), class: "num-l"},
		{key: "by", title: c.T("ops.fact.by"), note: c.T("statement.rule.at")}},
		empty: part.Empty{Title: c.T("statement.rules.empty"), Text: c.T("statement.rules.empty_text")}}, names, err
}

func ruleRow(c *Ctx, r *stmt.Rule, names map[string]customer.Party) sheetRow {
	who := opsview.Cell{Text: c.T("statement.rule.any_customer")}
	if r.CustomerID != "" {
		who = c.personal(names[r.CustomerID].Name)
		who.Note = names[r.CustomerID].Code
	}
	product := opsview.Cell{Text: r.Product}
	if r.Product == "" {
		product.Text = c.T("statement.rule.any_product")
	}
	day := func(text string) opsview.Cell {
		if text == "" {
			text = i18n.Nothing
		}
		return opsview.Cell{Text: text}
	}
	return sheetRow{key: r.ID, at: r.CreatedAt, mark: marks(statementRuleName(r.Number, r.Version), r.CustomerID, r.Product, string(r.Base), r.Factor.String(), string(r.ValidFrom), string(r.ValidTo)),
		cells: []opsview.Cell{{Text: statementRuleName(r.Number, r.Version)}, who, product, {Text: c.T("statement.base." + string(r.Base))}, {Text: r.Factor.String(), Note: effectText(c, r.Factor), Raw: r.Factor.String()},
			day(string(r.ValidFrom)), day(string(r.ValidTo)), {Text: r.CreatedBy, Note: i18n.DateTime(r.CreatedAt)}}}
}

var (
	wholeFactor = money.MustExact("1")
	percents    = money.MustExact("100")
	hundredth   = money.MustExact("0.01")
)

// effectText is a factor as people speak of it.
func effectText(c *Ctx, factor money.Exact) string {
	d := factor.Sub(wholeFactor).Mul(percents)
	switch d.Sign() {
	case 1:
		return c.T("statement.rule.markup", "Percent", d.String())
	case -1:
		return c.T("statement.rule.discount", "Percent", d.Neg().String())
	}
	return c.T("statement.rule.same")
}

func (h *Handlers) readStatementRules(c *Ctx) (*sheet, error) {
	rules, err := h.Statements.Rules(c.ctx(), c.Scope)
	if err != nil {
		return nil, err
	}
	s, names, err := h.ruleSheet(c)
	if err != nil {
		return nil, err
	}
	changes := c.Scope.Has(scope.ItemStatementChange)
	if changes {
		s.empty.Button = &part.Link{Text: c.T("statement.rules.add"), Href: c.at(pathStatements + "/rules/new")}
	}
	for i := range rules {
		row := ruleRow(c, &rules[i], names)
		if changes {
			row.cells[0].Href = c.at(pathStatements + "/rules/" + rules[i].ID)
		}
		s.add(row)
	}
	return s, nil
}

// readStatementRuleHistory lists every version, the newest first.
func (h *Handlers) readStatementRuleHistory(c *Ctx) (*sheet, error) {
	rules, err := h.Statements.Versions(c.ctx(), c.Scope)
	if err != nil {
		return nil, err
	}
	s, names, err := h.ruleSheet(c)
	if err != nil {
		return nil, err
	}
	s.columns = append(s.columns, listColumn{key: "state", title: c.T("opsview.col.state")})
	sorted.By(rules, func(a, b stmt.Rule) int { return int(b.Seq - a.Seq) })
	for i := range rules {
		row := ruleRow(c, &rules[i], names)
		state := part.Status{Text: c.T("statement.rule.in_force"), Tone: part.Good}
		if rules[i].EndedSeq != 0 {
			state = part.Status{Text: c.T("statement.rule.over")}
		}
		row.cells = append(row.cells, opsview.Cell{Status: &state})
		s.add(row)
	}
	return s, nil
}

// ruleOf finds a rule in force by any of its versions.
func (h *Handlers) ruleOf(c *Ctx, id string) (*stmt.Rule, error) {
	all, err := h.Statements.Versions(c.ctx(), c.Scope)
	if err != nil {
		return nil, err
	}
	i := slices.IndexFunc(all, func(r stmt.Rule) bool { return r.ID == id })
	if i < 0 {
		return nil, notFound()
	}
	n := slices.IndexFunc(all, func(r stmt.Rule) bool { return r.Number == all[i].Number && r.EndedSeq == 0 })
	if n < 0 {
		return nil, fault.Conflict("statement.rules_changed", nil)
	}
	return &all[n], nil
}

func (h *Handlers) statementRulePage(c *Ctx) error {
	return h.statementRuleForm(c, http.StatusOK, nil)
}

// The ways to say a factor.
const (
	wayMarkup   = "markup"
	wayDiscount = "discount"
	wayFactor   = "factor"
)

// typedRule is the form of a rule, filled with what was typed or with the rule.
func (h *Handlers) typedRule(c *Ctx, r *stmt.Rule, names map[string]customer.Party) map[string]string {
	out := map[string]string{"customer": c.FormValue("customer"), "product": c.FormValue("product"), "base": c.FormValue("base"), "way": c.FormValue("way"), "value": c.FormValue("value"), "from": c.FormValue("from"), "to": c.FormValue("to")}
	if r == nil || c.Request().Method == post {
		return out
	}
	out = map[string]string{"customer": names[r.CustomerID].Code, "product": r.Product, "base": string(r.Base), "from": string(r.ValidFrom), "to": string(r.ValidTo)}
	switch d := r.Factor.Sub(wholeFactor).Mul(percents); {
	case d.Sign() >= 0:
		out["way"], out["value"] = wayMarkup, d.String()
	default:
		out["way"], out["value"] = wayDiscount, d.Neg().String()
	}
	return out
}

func (h *Handlers) statementRuleForm(c *Ctx, status int, refused *fault.Error) error {
	title, action := c.T("statement.rules.add"), c.at(pathStatements+"/rules")
	var rule *stmt.Rule
	if id := c.Param("id"); id != "" {
		var err error
		if rule, err = h.ruleOf(c, id); err != nil {
			return err
		}
		title, action = c.T("statement.rules.edit_of", "Rule", statementRuleName(rule.Number, rule.Version)), c.at(pathStatements+"/rules/"+rule.ID)
	}
	all, err := h.Customers.Directory(c.ctx(), c.Scope)
	if err != nil {
		return err
	}
	names, err := h.Customers.Names(c.ctx(), c.Scope)
	if err != nil {
		return err
	}
	typed := h.typedRule(c, rule, names)
	who := part.Field{Name: "customer", Label: c.T("statement.rule.customer"), Type: "select", Value: typed["customer"], Options: []part.Option{{Label: c.T("statement.rule.any_customer")}}}
	for i := range all {
		if e := &all[i]; e.Own(c.Org.ID) && e.Kind == customer.KindResale && !slices.ContainsFunc(who.Options, func(o part.Option) bool { return o.Value == e.Customer.Code }) {
			who.Options = append(who.Options, part.Option{Value: e.Customer.Code, Label: c.personal(e.Customer.Name).Text + " · " + e.Customer.Code})
		}
	}
	base := part.Field{Name: "base", Label: c.T("statement.rule.base"), Type: "select", Value: typed["base"], Help: c.T("statement.rule.base_help")}
	for _, b := range stmt.Bases {
		base.Options = append(base.Options, part.Option{Value: string(b), Label: c.T("statement.base." + string(b))})
	}
	way := part.Field{Name: "way", Label: c.T("statement.rule.way"), Type: "select", Value: typed["way"]}
	for _, w := range []string{wayMarkup, wayDiscount, wayFactor} {
		way.Options = append(way.Options, part.Option{Value: w, Label: c.T("statement.way." + w)})
	}
	p := opsview.Propose{Header: part.Header{Title: title, Crumbs: c.crumbs(part.Link{Text: c.T("statement.title"), Href: c.at(pathStatements)}, part.Link{Text: c.T("statement.rules.title"), Href: c.at(pathStatements + "/rules")}, part.Link{Text: title})},
		Action: action, Submit: c.T("statement.rule.save"), Hidden: fresh(), Refusal: refusalOf(c, refused), Notes: []string{c.T("statement.rules.note"), c.T("statement.rules.note_day")},
		Fields: []part.Field{who, {Name: "product", Label: c.T("statement.rule.product"), Value: typed["product"], Help: c.T("statement.rule.product_help"), MaxLength: 200}, base, way,
			{Name: "value", Label: c.T("statement.rule.value"), Value: typed["value"], Hint: "10", Required: true, Help: c.T("statement.rule.value_help")},
			{Name: "from", Label: c.T("statement.rule.from"), Value: typed["from"], Hint: "2026-10-01", Help: c.T("statement.rule.from_help")}, {Name: "to", Label: c.T("statement.rule.to"), Value: typed["to"], Hint: "2027-01-01", Help: c.T("statement.rule.to_help")}}}
	if rule == nil {
		return c.page(status, p.Page())
	}
	return c.page(status, stmtview.Rule{Form: p, End: part.Button{ID: "end", Text: c.T("statement.rule.end"), Danger: true, Action: c.at(pathStatements + "/rules/" + rule.ID + "/ending"), Hidden: fresh(),
		Hint: c.T("statement.rule.end_hint"), Dialog: &part.Dialog{Title: c.T("statement.rule.end_ask", "Rule", statementRuleName(rule.Number, rule.Version)), Points: []string{c.T("statement.rule.end_hint")}, Confirm: c.T("statement.rule.end")}}}.Page())
}

// factorOf is the factor a form says. Fault: statement.factor_range.
func factorOf(c *Ctx) (string, error) {
	text := strings.TrimSuffix(strings.TrimSpace(c.FormValue("value")), "%")
	if c.FormValue("way") == wayFactor {
		return text, nil
	}
	x, err := money.ParseExact(text)
	if err != nil {
		return "", fault.Invalid("statement.percent", nil).Because(err)
	}
	x = x.Mul(hundredth)
	if c.FormValue("way") == wayDiscount {
		x = x.Neg()
	}
	return wholeFactor.Add(x).String(), nil
}

// saveStatementRule adds a rule, or gives one a further version.
func (h *Handlers) saveStatementRule(c *Ctx) error {
	err := c.readForm()
	if err == nil {
		err = h.once(c, func(ctx context.Context) (answer, error) {
			in := stmt.RuleInput{Customer: c.FormValue("customer"), Product: c.FormValue("product"), Base: stmt.Base(c.FormValue("base")), From: c.FormValue("from"), To: c.FormValue("to")}
			var err error
			if in.Factor, err = factorOf(c); err != nil {
				return answer{}, err
			}
			if id := c.Param("id"); id != "" {
				rule, err := h.ruleOf(c, id)
				if err != nil {
					return answer{}, err
				}
				in.Number = rule.Number
			}
			r, err := h.Statements.SaveRule(ctx, c.Scope, in)
			return answer{Location: c.at(pathStatements + "/rules?done=statement_rule"), Body: map[string]any{"id": r.ID, "number": r.Number, "version": r.Version, "factor": r.Factor.String()}}, err
		})
	}
	if err == nil {
		return nil
	}
	return c.refuse(err, func(status int, f *fault.Error) error { return h.statementRuleForm(c, status, f) })
}

// endStatementRule takes a rule out of force.
func (h *Handlers) endStatementRule(c *Ctx) error {
	return h.once(c, func(ctx context.Context) (answer, error) {
		rule, err := h.ruleOf(c, c.Param("id"))
		if err != nil {
			return answer{}, err
		}
		return answer{Location: c.at(pathStatements + "/rules?done=statement_rule_ended"), Body: map[string]any{"number": rule.Number}}, h.Statements.EndRule(ctx, c.Scope, rule.Number)
	})
}

func (h *Handlers) statementHead(c *Ctx) error { return h.statementHeadForm(c, http.StatusOK, nil) }

// statementHeadForm is the letter head as it stands or was typed, and its versions.
func (h *Handlers) statementHeadForm(c *Ctx, status int, refused *fault.Error) error {
	head, ok, err := h.Statements.Head(c.ctx(), c.Scope)
	if err != nil {
		return err
	}
	values := map[string]string{"name": c.Org.Name}
	if ok {
		values = map[string]string{"name": head.Name, "address": head.Address, "contact": head.Contact, "bank": head.Bank, "note": head.Note, "tax": head.Percent()}
	}
	if c.Request().Method == post {
		for _, name := range []string{"name", "address", "contact", "bank", "note", "tax"} {
			values[name] = c.FormValue(name)
		}
	}
	field := func(name, kind string) part.Field {
		return part.Field{Name: name, Label: c.T("statement.head." + name), Type: kind, Value: values[name], MaxLength: 400}
	}
	title := c.T("statement.head.title")
	p := stmtview.Head{Header: part.Header{Title: title, Crumbs: c.crumbs(part.Link{Text: c.T("statement.title"), Href: c.at(pathStatements)}, part.Link{Text: title})}, Flash: c.done(), Refusal: refusalOf(c, refused),
		Action: c.at(pathStatements + "/letterhead"), Hidden: fresh(), Fields: []part.Field{field("name", ""), field("address", ""), field("contact", ""), field("bank", "textarea"), field("note", "textarea"), field("tax", "")},
		Notes: []string{c.T("statement.head.note_version"), c.T("statement.head.note_logo", "Size", i18n.Bytes(stmt.MaxLogo))}}
	p.Fields[0].Required, p.Fields[0].MaxLength = true, 120
	p.Fields[5].Hint, p.Fields[5].Help, p.Fields[5].MaxLength = "6", c.T("statement.head.tax_help"), 10
	if head.LogoSHA != "" {
		p.Logo = c.at(pathStatements+"/letterhead/logo") + "?until=" + head.LogoSHA[:12]
		p.Fields = append(p.Fields, part.Field{Name: "remove", Label: c.T("statement.head.remove"), Type: "checkbox"})
	}
	if c.Scope.Has(scope.ItemStatementChange) {
		p.Submit = c.T("statement.rule.save")
		p.Fields = append(p.Fields, part.Field{Name: "logo", Label: c.T("statement.head.logo"), Type: "file", Accept: ".png,.jpg,.jpeg"})
	}
	g, err := h.titled(c, "statement.heads", "heads", c.T("exports.kind.statement.heads"))
	if err != nil {
		return err
	}
	p.Grid = g
	return c.page(status, p.Page())
}

// readStatementHeads lists the versions of the letter head, the newest first.
func (h *Handlers) readStatementHeads(c *Ctx) (*sheet, error) {
	list, err := h.Statements.Heads(c.ctx(), c.Scope)
	if err != nil {
		return nil, err
	}
	s := &sheet{columns: []listColumn{{key: "version", title: c.T("statement.head.version")}, {key: "name", title: c.T("statement.head.name")}, {key: "tax", title: c.T("statement.head.tax"), num: true}, {key: "logo", title: c.T("statement.head.logo")}, {key: "by", title: c.T("ops.fact.by")},
		{key: "at", title: c.T("statement.rule.at"), class: "num-l"}}, empty: part.Empty{Title: c.T("statement.head.empty"), Text: c.T("statement.head.empty_text")}}
	for i := range list {
		x := &list[i]
		logo := i18n.Nothing
		if x.LogoSHA != "" {
			logo = strings.ToUpper(x.LogoSHA[:8])
		}
		s.add(sheetRow{key: strconv.FormatInt(x.Version, 10), at: x.CreatedAt, mark: marks(x.Name, x.Address, x.Contact, x.Bank, x.Note, x.TaxRate.String(), x.LogoSHA),
			cells: []opsview.Cell{{Text: strconv.FormatInt(x.Version, 10)}, {Text: x.Name}, {Text: x.Percent() + "%"}, {Text: logo, Mono: true}, {Text: x.CreatedBy}, {Text: i18n.DateTime(x.CreatedAt)}}})
	}
	return s, nil
}

// readLogo gives the file of the form, if any, and lets it count in what the request is.
func (c *Ctx) readLogo() ([]byte, error) {
	r := c.Request()
	if !strings.HasPrefix(r.Header.Get("Content-Type"), "multipart/form-data") {
		return nil, c.readForm()
	}
	if err := r.ParseMultipartForm(maxBody); err != nil {
		return nil, malformed(err)
	}
	f, _, err := r.FormFile("logo")
	if errors.Is(err, http.ErrMissingFile) {
		return nil, nil
	}
	if err != nil {
		return nil, malformed(err)
	}
	defer f.Close()
	body, err := io.ReadAll(f)
	if err != nil {
		return nil, malformed(err)
	}
	sum := sha256.Sum256(body)
	r.PostForm.Set("logo_sha", hex.EncodeToString(sum[:]))
	return body, nil
}

// saveStatementHead writes a further version of the letter head.
func (h *Handlers) saveStatementHead(c *Ctx) error {
	logo, err := c.readLogo()
	if err == nil {
		err = h.once(c, func(ctx context.Context) (answer, error) {
			head, err := h.Statements.SaveHead(ctx, c.Scope, stmt.HeadInput{Name: c.FormValue("name"), Address: c.FormValue("address"), Contact: c.FormValue("contact"), Bank: c.FormValue("bank"),
				Note: c.FormValue("note"), TaxPercent: c.FormValue("tax"), Logo: logo, DropLogo: ticked(c.FormValue("remove"))})
			return answer{Location: c.at(pathStatements + "/letterhead?done=statement_head"), Body: map[string]any{"version": head.Version, "tax_rate": head.TaxRate.String(), "logo": head.LogoSHA}}, err
		})
	}
	if err == nil {
		return nil
	}
	return c.refuse(err, func(status int, f *fault.Error) error { return h.statementHeadForm(c, status, f) })
}

// statementLogo is the logo as it stands.
func (h *Handlers) statementLogo(c *Ctx) error {
	body, err := h.Statements.Logo(c.ctx(), c.Scope)
	if err != nil {
		return err
	}
	c.Response().Header().Set("Cache-Control", "private, no-cache")
	return c.Blob(http.StatusOK, "image/png", body)
}
