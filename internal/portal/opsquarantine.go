package portal

import (
	"context"
	"errors"
	"io"
	"net/http"
	"strconv"

	"huoban/internal/delivery"
	"huoban/internal/fault"
	"huoban/internal/i18n"
	"huoban/internal/scope"
	"huoban/web/templates/opsview"
	"huoban/web/templates/part"
)

// quarantineCard lists the first open rows of a delivery, for whoever may see them.
func (h *Handlers) quarantineCard(c *Ctx, d *delivery.Details) (*opsview.Quarantine, error) {
	if !c.Scope.Has(scope.ItemQuarantineView) {
		return nil, nil
	}
	rows, err := h.openRows(c, d.ID)
	if err != nil || len(rows) == 0 {
		return nil, err
	}
	q := &opsview.Quarantine{Count: len(rows), Export: c.deliveryLink(&d.Delivery, "/quarantine.csv")}
	if c.Scope.Has(scope.ItemQuarantineResolve) && d.State == delivery.StatePublished {
		q.Retry = c.deliveryLink(&d.Delivery, "/quarantine")
	}
	for i := range rows {
		if i == quarantineShown {
			q.More = &part.Link{Text: c.T("ops.quarantine.more", "Count", int64(len(rows)-i)), Href: c.deliveryLink(&d.Delivery, "/quarantine")}
			break
		}
		r := &rows[i]
		f := fault.Invalid(r.Code, r.Args)
		row := opsview.BadRow{Place: r.File + " · " + i18n.Count(r.LineNo), Value: r.Column + " = " + r.Value, Reason: i18n.FaultText(c.ctx(), f), Cure: cureText(c, f)}
		if r.Column == "" {
			row.Value = i18n.Nothing
		}
		q.Rows = append(q.Rows, row)
	}
	return q, nil
}

// openRows are the open rows of a delivery, all of them.
func (h *Handlers) openRows(c *Ctx, deliveryID string) ([]delivery.Quarantined, error) {
	return h.badRows(c, deliveryID, delivery.QuarantineOpen)
}

// badRows are the rows of a delivery in a state, or in any.
func (h *Handlers) badRows(c *Ctx, deliveryID, state string) ([]delivery.Quarantined, error) {
	var all []delivery.Quarantined
	f := delivery.QuarantineFilter{DeliveryID: deliveryID, State: state, Limit: 1000}
	for {
		rows, err := h.Deliveries.Quarantine(c.ctx(), c.Scope, f)
		if err != nil {
			return nil, err
		}
		all = append(all, rows...)
		if len(rows) < f.Limit {
			return all, nil
		}
		f.After = rows[len(rows)-1].ID
	}
}

// quarantine lists the rows of a delivery that could not be read, decided ones too.
func (h *Handlers) quarantine(c *Ctx) error {
	d, err := h.Deliveries.Find(c.ctx(), c.Scope, c.deliveryRef())
	if err != nil {
		return err
	}
	title, here, state := c.T("ops.quarantine.title"), c.deliveryLink(&d, "/quarantine"), c.QueryParam("state")
	field := part.FilterField{Name: "state", Label: c.T("opsview.col.state"), Value: state, Options: []part.Option{{Label: c.T("ops.filter.any")}}}
	for _, x := range quarantineStates[1:] {
		field.Options = append(field.Options, part.Option{Value: x, Label: c.T("ops.quarantine.state." + x)})
	}
	p := opsview.Board{Header: part.Header{Title: title, Tags: []part.Tag{{Text: deliveryName(&d)}},
		Crumbs: c.crumbs(part.Link{Text: c.T("ops.deliveries.title"), Href: c.at("/deliveries")}, part.Link{Text: deliveryName(&d), Href: c.deliveryLink(&d, "")}, part.Link{Text: title})},
		Filter: &part.Filter{Action: here, Reset: here, Fields: []part.FilterField{field}}}
	if _, err := h.board(c, &p, "quarantine"); err != nil {
		return err
	}
	return c.page(http.StatusOK, p.Page())
}

// quarantineFile is the CSV to correct and hand in again.
func (h *Handlers) quarantineFile(c *Ctx) error {
	d, err := h.Deliveries.Find(c.ctx(), c.Scope, c.deliveryRef())
	if err != nil {
		return err
	}
	w := &lateHeader{ResponseWriter: c.Response(), name: "quarantine-" + d.Source + "-" + strconv.FormatInt(d.Number, 10) + ".csv", media: "text/csv; charset=utf-8"}
	say := func(code string, args map[string]any) string {
		return i18n.FaultText(c.ctx(), fault.Invalid(code, args))
	}
	return h.Deliveries.ExportQuarantine(c.ctx(), c.Scope, d.ID, say, w)
}

// retryQuarantine reads corrected rows, all or none. A row corrected once is corrected: the same file
// again is refused by its rows, so that no key is needed.
func (h *Handlers) retryQuarantine(c *Ctx) error {
	d, res, err := h.retry(c)
	if err != nil {
		return c.refuseDelivery(h, err)
	}
	if wantsJSON(c.Request()) {
		return c.JSON(http.StatusOK, res)
	}
	return c.seeOther(c.deliveryLink(&d, "?done=corrected"))
}

func (h *Handlers) retry(c *Ctx) (delivery.Delivery, delivery.RetryResult, error) {
	var res delivery.RetryResult
	d, err := h.Deliveries.Find(c.ctx(), c.Scope, c.deliveryRef())
	if err != nil {
		return d, res, err
	}
	c.unhurried()
	parts, err := c.Request().MultipartReader()
	if err != nil {
		return d, res, fault.Invalid("ops.file_missing", nil)
	}
	for {
		part, err := parts.NextPart()
		if errors.Is(err, io.EOF) {
			return d, res, fault.Invalid("ops.file_missing", nil)
		}
		if err != nil {
			return d, res, malformed(err)
		}
		if part.FormName() != "file" || part.FileName() == "" {
			continue
		}
		res, err = h.Deliveries.Retry(c.ctx(), c.Scope, d.ID, part)
		return d, res, err
	}
}

// dropQuarantine gives up the rows named by "row", or every open one, with a reason.
func (h *Handlers) dropQuarantine(c *Ctx) error {
	err := h.onceApart(c, func(ctx context.Context) (answer, error) {
		d, err := h.Deliveries.Find(ctx, c.Scope, c.deliveryRef())
		if err != nil {
			return answer{}, err
		}
		ids := c.Request().PostForm["row"]
		if len(ids) == 0 {
			rows, err := h.openRows(c, d.ID)
			if err != nil {
				return answer{}, err
			}
			for i := range rows {
				ids = append(ids, rows[i].ID)
			}
			if len(ids) == 0 {
				return answer{}, fault.Conflict("ops.nothing_open", nil)
			}
		}
		return answer{Location: c.deliveryLink(&d, "?done=dropped"), Body: map[string]any{"dropped": len(ids)}},
			h.Deliveries.Drop(ctx, c.Scope, d.ID, ids, c.FormValue("reason"))
	})
	return c.refuseDelivery(h, err)
}
