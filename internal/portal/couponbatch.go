package portal

import (
	"context"
	"io"
	"net/http"
	"strings"

	"huoban/internal/coupon"
	"huoban/internal/fault"
	"huoban/internal/i18n"
	"huoban/internal/passcode"
	"huoban/web/templates/custview"
	"huoban/web/templates/opsview"
	"huoban/web/templates/part"
)

func (h *Handlers) batchPage(c *Ctx) error { return h.batchForm(c, http.StatusOK, nil) }

// batchForm takes a file, or lines, of codes and amounts.
func (h *Handlers) batchForm(c *Ctx, status int, refused *fault.Error) error {
	q, err := h.ownQuota(c)
	if err != nil {
		return err
	}
	at := c.at(pathQuotas + "/" + q.ID)
	p := opsview.Upload{Header: part.Header{Title: c.T("coupons.batch"), Crumbs: c.crumbs(part.Link{Text: c.T("quotas.title"), Href: c.at(pathQuotas)}, part.Link{Text: q.Name(), Href: at}, part.Link{Text: c.T("coupons.batch")})},
		Refusal: refusalOf(c, refused), Action: at + "/batch", Hidden: []part.Hidden{{Name: "preview", Value: "yes"}}, Submit: c.T("coupons.preview"),
		Fields: append([]part.Field{{Name: "file", Label: c.T("coupons.file"), Type: "file", Accept: ".csv,.txt", Help: c.T("coupons.file_help")},
			{Name: "lines", Label: c.T("coupons.lines"), Type: "textarea", Value: c.FormValue("lines"), MaxLength: 10_000}}, termFields(c, false)...),
		Notes: []string{c.T("coupons.rule.batch", "Limit", coupon.MaxBatch), c.T("coupons.left", "Amount", i18n.Money(q.Balance, q.Currency))}}
	return c.page(status, p.Page())
}

// couponLine is one row of a file of recipients.
type couponLine struct {
	code string
	row  coupon.IssueRow
}

// readLines reads codes and amounts, one recipient a line; a heading that has no amount is passed over.
func (h *Handlers) readLines(c *Ctx, text string) ([]couponLine, error) {
	var out []couponLine
	for i, l := range strings.Split(strings.TrimPrefix(text, "\ufeff"), "\n") {
		fields := strings.FieldsFunc(l, func(r rune) bool { return strings.ContainsRune(",;\t \r", r) })
		if len(fields) == 0 {
			continue
		}
		x := couponLine{code: strings.Trim(fields[0], `"'`)}
		if len(fields) > 1 {
			a, err := couponAmount(strings.Trim(fields[1], `"'`))
			if err != nil && i == 0 {
				continue
			}
			x.row.Face = a
		}
		var err error
		if x.row.CustomerID, err = h.customerOf(c, x.code); err != nil {
			return nil, err
		}
		if out = append(out, x); len(out) > coupon.MaxBatch {
			return nil, fault.Invalid("coupon.too_many", fault.Args{"limit": coupon.MaxBatch})
		}
	}
	return out, nil
}

// batched shows what each line would get, then issues what was ticked.
func (h *Handlers) batched(c *Ctx) error {
	if c.FormValue("preview") == "yes" {
		return c.refusedOr(h.previewBatch(c), func(status int, f *fault.Error) error { return h.batchForm(c, status, f) })
	}
	err := h.proven(c, passcode.OpCoupon, c.at(pathQuotas+"/"+c.Param("id")), func(ctx context.Context) (answer, error) {
		lines, err := h.readLines(c, strings.Join(c.Request().Form["recipient"], "\n"))
		if err != nil {
			return answer{}, err
		}
		in := coupon.IssueInput{Most: coupon.MaxBatch}
		for _, l := range lines {
			in.Rows = append(in.Rows, l.row)
		}
		return h.issue(ctx, c, in)
	})
	return c.refusedOr(err, func(status int, f *fault.Error) error { return h.batchForm(c, status, f) })
}

func (h *Handlers) previewBatch(c *Ctx) error {
	q, err := h.ownQuota(c)
	if err != nil {
		return err
	}
	text := c.FormValue("lines")
	if f, _, err := c.Request().FormFile("file"); err == nil {
		defer f.Close()
		b, err := io.ReadAll(io.LimitReader(f, 1<<18))
		if err != nil {
			return err
		}
		text = string(b) + "\n" + text
	}
	lines, err := h.readLines(c, text)
	if err != nil {
		return err
	}
	t, err := readTerms(c)
	if err != nil {
		return err
	}
	in := coupon.IssueInput{QuotaID: q.ID, From: t.from, To: t.to, Limits: t.limits, Memo: t.memo, Most: coupon.MaxBatch}
	for _, l := range lines {
		in.Rows = append(in.Rows, l.row)
	}
	out, err := h.Coupons.Preview(c.ctx(), c.Scope, in)
	if err != nil {
		return err
	}
	at := c.at(pathQuotas + "/" + q.ID)
	p := custview.Pick{Header: part.Header{Title: c.T("coupons.batch"), Crumbs: c.crumbs(part.Link{Text: c.T("quotas.title"), Href: c.at(pathQuotas)}, part.Link{Text: q.Name(), Href: at}, part.Link{Text: c.T("coupons.batch"), Href: at + "/batch"})},
		Action: at + "/batch", Hidden: fresh(), Tick: "recipient", Submit: c.T("coupons.issue"), Heads: []opsview.Head{{Text: c.T("customers.col.code")}, {Text: c.T("coupons.face"), Num: true}, {Text: c.T("coupons.result")}}}
	for _, name := range []string{"begins", "ends", "services", "products", "regions", "modes", "orders", "min_order", "max_order", "memo"} {
		p.Hidden = append(p.Hidden, part.Hidden{Name: name, Value: c.FormValue(name)})
	}
	good := 0
	for i, l := range lines {
		row := opsview.Tick{Value: l.code + " " + l.row.Face.String(), Checked: out[i].Refusal == nil, Cells: []opsview.Cell{{Text: l.code, Mono: true}, moneyCell(one(l.row.Face, q.Currency)), {Text: c.T("coupons.fine")}}}
		if out[i].Refusal != nil {
			row.Off = i18n.FaultText(c.ctx(), out[i].Refusal)
			row.Cells[2] = opsview.Cell{Text: row.Off}
		} else {
			good++
		}
		p.Rows = append(p.Rows, row)
	}
	p.Notes = []string{c.T("coupons.preview_note", "Good", good, "Bad", len(lines)-good)}
	return c.page(http.StatusOK, p.Page())
}
