package portal

import (
	"context"
	"encoding/json"
	"net/http"
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

const actionVerify = "audit.verify"

// auditRoutes show an organisation what was done in its name; the vendor's auditor checks the chain.
func auditRoutes() []Route {
	return []Route{
		{Method: get, Path: "/o/:org/audit", Name: "audit", Items: []scope.Item{scope.ItemAuditView}, Title: "backoffice.audit.title", Do: (*Handlers).auditPage},
		{Method: post, Path: "/o/:org/audit/verification", Name: "audit.verify", Sides: vendors, Items: []scope.Item{scope.ItemAuditVerify}, Do: (*Handlers).verifyAudit},
	}
}

// auditQuery is what the address asks for, as typed.
type auditQuery struct{ actor, action, outcome, request, from, to string }

func auditQueryOf(c *Ctx) auditQuery {
	return auditQuery{c.QueryParam("actor"), c.QueryParam("action"), c.QueryParam("outcome"), c.QueryParam("request"), c.QueryParam("from"), c.QueryParam("to")}
}

// filter reads the days as whole days of the portal's zone; the last day counts too.
func (q auditQuery) filter() (f audit.Filter, err error) {
	f = audit.Filter{Actor: strings.TrimSpace(q.actor), Action: strings.TrimSpace(q.action), Outcome: q.outcome, Request: strings.TrimSpace(q.request)}
	if f.Outcome != "" && f.Outcome != audit.OutcomeDone && f.Outcome != audit.OutcomeRefused {
		return f, notFound()
	}
	if f.From, err = dayOf(q.from); err != nil {
		return f, err
	}
	if f.To, err = dayOf(q.to); err == nil && !f.To.IsZero() {
		f.To = f.To.AddDate(0, 0, 1)
	}
	return f, err
}

func dayOf(text string) (time.Time, error) {
	d, err := price.ParseDate(strings.TrimSpace(text))
	if err != nil || d == "" {
		return time.Time{}, err
	}
	return cycle.ParseDay(string(d))
}

func (h *Handlers) auditPage(c *Ctx) error { return h.auditList(c, http.StatusOK, nil) }

// auditList shows a page of entries, newest first; a day that cannot be read shows none and says so.
func (h *Handlers) auditList(c *Ctx, status int, refused *fault.Error) error {
	q, title := auditQueryOf(c), c.T("backoffice.audit.title")
	p := opsview.Board{Header: part.Header{Title: title, Crumbs: c.crumbs(part.Link{Text: title})}, Filter: auditFilter(c, q)}
	if c.Scope.Side() == scope.SideVendor && c.Scope.Has(scope.ItemAuditVerify) {
		p.Buttons = []part.Button{{ID: "verify", Text: c.T("backoffice.audit.verify"), Hint: c.T("backoffice.audit.verify_hint"), Action: c.at("/audit/verification"), Hidden: fresh()}}
	}
	f, err := q.filter()
	switch {
	case err == nil:
		if _, err := h.board(c, &p, "audit"); err != nil {
			return err
		}
		p.Grids[0].ID = "entries"
		if err := h.openedAudit(c, f, &p); err != nil {
			return err
		}
	case faultOf(err).Kind == fault.KindInvalid && !wantsJSON(c.Request()):
		status, refused = http.StatusUnprocessableEntity, faultOf(err)
	default:
		return err
	}
	p.Refusal = refusalOf(c, refused)
	return c.page(status, p.Page())
}

// openedAudit records that the list was opened, once and not for each of its pages, and leads with the
// verdict after a verification.
func (h *Handlers) openedAudit(c *Ctx, f audit.Filter, p *opsview.Board) error {
	if c.QueryParam("after")+c.QueryParam("before") != "" {
		return nil
	}
	if f.Action == actionVerify {
		newest, err := h.AuditBook.Older(c.ctx(), c.Scope, f, 0, 1)
		if err != nil {
			return err
		}
		if len(newest.Rows) > 0 {
			p.Flash = verdictOf(c, newest.Rows[0].Detail)
		}
	}
	return h.AuditBook.Opened(c.ctx(), c.Scope, f)
}

func auditFilter(c *Ctx, q auditQuery) *part.Filter {
	return &part.Filter{Action: c.at("/audit"), Reset: c.at("/audit"), Fields: []part.FilterField{
		{Name: "action", Label: c.T("backoffice.audit.action"), Value: q.action, Hint: "price.import"},
		{Name: "actor", Label: c.T("backoffice.audit.actor"), Value: q.actor},
		{Name: "from", Label: c.T("backoffice.audit.from"), Value: q.from, Hint: "2026-10-01"},
		{Name: "to", Label: c.T("backoffice.audit.to"), Value: q.to, Hint: "2026-10-31"},
		{Name: "request", Label: c.T("backoffice.audit.request_number"), Value: q.request, More: true},
		{Name: "outcome", Label: c.T("backoffice.audit.outcome"), Value: q.outcome, More: true, Options: []part.Option{{Label: c.T("ops.filter.any")},
			{Value: audit.OutcomeDone, Label: c.T("backoffice.audit.done")}, {Value: audit.OutcomeRefused, Label: c.T("backoffice.audit.refused")}}}}}
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
