package portal

import (
	"context"
	"encoding/json"
	"net/http"
	"strconv"
	"strings"
	"time"

	"huoban/internal/audit"
	"huoban/internal/cycle"
	"huoban/internal/fault"
	"huoban/internal/i18n"
	"huoban/internal/price"
	"huoban/internal/scope"
	"huoban/web/templates/opsview"
	"huoban/web/templates/part"
)

// auditShown is one page of the audit list.
const auditShown = 50

const actionVerify = "audit.verify"

// auditRoutes show an organisation what was done in its name; the vendor's auditor checks the chain.
func auditRoutes() []Route {
	return []Route{
		{Method: get, Path: "/o/:org/audit", Name: "audit", Items: []scope.Item{scope.ItemAuditView}, Title: "backoffice.audit.title", Do: (*Handlers).auditPage},
		{Method: post, Path: "/o/:org/audit/verification", Name: "audit.verify", Sides: vendors, Items: []scope.Item{scope.ItemAuditVerify}, Do: (*Handlers).verifyAudit},
	}
}

// auditQuery is what the address asks for, as typed.
type auditQuery struct{ actor, action, outcome, from, to, before string }

func (q auditQuery) link(c *Ctx, before string) string {
	return c.withQuery("/audit", "actor", q.actor, "action", q.action, "outcome", q.outcome, "from", q.from, "to", q.to, "before", before)
}

// filter reads the days as whole days of the portal's zone; the last day counts too.
func (q auditQuery) filter() (f audit.Filter, before int64, err error) {
	f = audit.Filter{Actor: strings.TrimSpace(q.actor), Action: strings.TrimSpace(q.action), Outcome: q.outcome}
	if f.Outcome != "" && f.Outcome != audit.OutcomeDone && f.Outcome != audit.OutcomeRefused {
		return f, 0, notFound()
	}
	if q.before != "" {
		if before, err = strconv.ParseInt(q.before, 10, 64); err != nil || before < 1 {
			return f, 0, notFound()
		}
	}
	if f.From, err = dayOf(q.from); err != nil {
		return f, 0, err
	}
	if f.To, err = dayOf(q.to); err == nil && !f.To.IsZero() {
		f.To = f.To.AddDate(0, 0, 1)
	}
	return f, before, err
}

func dayOf(text string) (time.Time, error) {
	d, err := price.ParseDate(strings.TrimSpace(text))
	if err != nil || d == "" {
		return time.Time{}, err
	}
	return time.ParseInLocation(time.DateOnly, string(d), cycle.Zone)
}

func (h *Handlers) auditPage(c *Ctx) error { return h.auditList(c, http.StatusOK, nil) }

// auditList shows a page of entries, newest first; a day that cannot be read shows none and says so.
func (h *Handlers) auditList(c *Ctx, status int, refused *fault.Error) error {
	q := auditQuery{c.QueryParam("actor"), c.QueryParam("action"), c.QueryParam("outcome"), c.QueryParam("from"), c.QueryParam("to"), c.QueryParam("before")}
	f, before, err := q.filter()
	var page audit.Page
	switch {
	case err == nil:
		if page, err = h.AuditBook.List(c.ctx(), c.Scope, f, before, auditShown); err != nil {
			return err
		}
	case faultOf(err).Kind == fault.KindInvalid && !wantsJSON(c.Request()):
		status, refused = http.StatusUnprocessableEntity, faultOf(err)
	default:
		return err
	}
	title := c.T("backoffice.audit.title")
	p := opsview.Board{Header: part.Header{Title: title, Crumbs: c.crumbs(part.Link{Text: title})}, Refusal: refusalOf(c, refused), Filter: auditFilter(c, q)}
	if c.Scope.Side() == scope.SideVendor && c.Scope.Has(scope.ItemAuditVerify) {
		p.Buttons = []part.Button{{ID: "verify", Text: c.T("backoffice.audit.verify"), Hint: c.T("backoffice.audit.verify_hint"), Action: c.at("/audit/verification"), Hidden: fresh()}}
	}
	if before == 0 && f.Action == actionVerify && len(page.Rows) > 0 {
		p.Flash = verdictOf(c, page.Rows[0].Detail)
	}
	g := auditGrid(c, page.Rows)
	g.Tool = &part.Tool{Count: c.T("backoffice.audit.shown", "Count", int64(len(page.Rows))), Refresh: q.link(c, "")}
	g.Pager = &part.Pager{Range: g.Tool.Count}
	if before != 0 {
		g.Pager.First = q.link(c, "")
	}
	if page.Next != 0 {
		g.Pager.Next = q.link(c, strconv.FormatInt(page.Next, 10))
	}
	p.Grids = []opsview.Grid{g}
	return c.page(status, p.Page())
}

func auditFilter(c *Ctx, q auditQuery) *part.Filter {
	return &part.Filter{Action: c.at("/audit"), Reset: c.at("/audit"), Fields: []part.FilterField{
		{Name: "action", Label: c.T("backoffice.audit.action"), Value: q.action, Hint: "price.import"},
		{Name: "actor", Label: c.T("backoffice.audit.actor"), Value: q.actor},
		{Name: "from", Label: c.T("backoffice.audit.from"), Value: q.from, Hint: "2026-10-01"},
		{Name: "to", Label: c.T("backoffice.audit.to"), Value: q.to, Hint: "2026-10-31"},
		{Name: "outcome", Label: c.T("backoffice.audit.outcome"), Value: q.outcome, More: true, Options: []part.Option{{Label: c.T("ops.filter.any")},
			{Value: audit.OutcomeDone, Label: c.T("backoffice.audit.done")}, {Value: audit.OutcomeRefused, Label: c.T("backoffice.audit.refused")}}}}}
}

func auditGrid(c *Ctx, rows []audit.Row) opsview.Grid {
	g := opsview.Grid{ID: "entries", Title: c.T("backoffice.audit.entries"),
		Heads: []opsview.Head{{Text: c.T("backoffice.audit.at")}, {Text: c.T("backoffice.audit.actor")}, {Text: c.T("backoffice.audit.action")},
			{Text: c.T("backoffice.audit.object")}, {Text: c.T("backoffice.audit.outcome")}, {Text: c.T("backoffice.audit.request")}},
		Empty: &part.Empty{Title: c.T("backoffice.audit.empty"), Text: c.T("backoffice.audit.empty_text")}}
	for i := range rows {
		r := &rows[i]
		state := part.Status{Text: c.T("backoffice.audit.done"), Tone: part.Good}
		if r.Outcome == audit.OutcomeRefused {
			state = part.Status{Text: c.T("backoffice.audit.refused"), Tone: part.Bad}
		}
		detail := r.Detail
		if detail == "{}" || detail == "null" {
			detail = ""
		}
		g.Rows = append(g.Rows, []opsview.Cell{{Text: i18n.DateTime(r.At), Note: "#" + strconv.FormatInt(r.Seq, 10)}, {Text: r.Actor, Note: r.OnBehalf},
			{Text: strings.Replace(r.Action, ".", " · ", 1), Mono: true, Href: c.withQuery("/audit", "action", r.Action)}, {Text: r.Object, Mono: true, Note: detail}, {Status: &state}, {Text: r.IP, Mono: true, Note: r.RequestID}})
	}
	return g
}

// verdict is what a verification found, as its own entry keeps it.
type verdict struct {
	Rows   int64          `json:"rows"`
	Whole  bool           `json:"whole"`
	Broken string         `json:"broken,omitempty"`
	Args   map[string]any `json:"args,omitempty"`
}

// verifyAudit walks the whole chain. What it found is an entry itself, and the list leads with it.
func (h *Handlers) verifyAudit(c *Ctx) error {
	err := h.onceApart(c, func(ctx context.Context) (answer, error) {
		rep, err := h.VerifyAudit(ctx)
		if err != nil {
			return answer{}, err
		}
		v := verdict{Rows: rep.Rows, Whole: rep.Broken == nil}
		detail := map[string]any{"rows": v.Rows, "whole": v.Whole}
		if rep.Broken != nil {
			v.Broken, v.Args = rep.Broken.Code, rep.Broken.Args
			detail["broken"], detail["args"] = v.Broken, v.Args
		}
		err = h.Tx.InTx(ctx, func(ctx context.Context) error {
			return h.Audit.Record(ctx, audit.Entry{Actor: c.Scope.Login(), OrgID: c.Org.ID, Action: actionVerify, Object: "audit:chain", Detail: detail})
		})
		return answer{Location: c.withQuery("/audit", "action", actionVerify), Body: v}, err
	})
	if err == nil {
		return nil
	}
	return c.refuse(err, func(status int, f *fault.Error) error { return h.auditList(c, status, f) })
}

// verdictOf is the message over the list; the detail is read from the entry, never from the address.
func verdictOf(c *Ctx, detail string) *part.Flash {
	var v verdict
	d := json.NewDecoder(strings.NewReader(detail))
	d.UseNumber() // a number of a row is shown as it is
	if err := d.Decode(&v); err != nil {
		return nil
	}
	if v.Whole {
		return &part.Flash{Tone: part.Good, Text: c.T("backoffice.audit.whole", "Count", v.Rows)}
	}
	return &part.Flash{Tone: part.Bad, Text: i18n.FaultText(c.ctx(), fault.Conflict(v.Broken, v.Args))}
}
