package portal

import (
	"context"
	"slices"
	"strconv"
	"strings"
	"time"

	"huoban/internal/audit"
	"huoban/internal/i18n"
	"huoban/internal/message"
	"huoban/web/templates/layout"
	"huoban/web/templates/opsview"
	"huoban/web/templates/part"
)

// readAudit lists the entries of an organisation, newest first. Reading is an entry too, so that the list
// grows under the reader: "until" names the entry it ends with, and links to its pages and files carry it.
func (h *Handlers) readAudit(c *Ctx) (*sheet, error) {
	q := auditQueryOf(c)
	f, err := q.filter()
	if err != nil {
		return nil, err
	}
	if text := c.QueryParam("until"); text != "" {
		if f.Until, err = strconv.ParseInt(text, 10, 64); err != nil || f.Until < 1 {
			return nil, notFound()
		}
	}
	span, err := h.AuditBook.Span(c.ctx(), c.Scope, f)
	if err != nil {
		return nil, err
	}
	s := auditSheet(c)
	s.count = span.Count
	if span.Count > 0 {
		f.Until = span.Newest
		newest, err := h.AuditBook.Older(c.ctx(), c.Scope, f, 0, 1)
		if err != nil {
			return nil, err
		}
		for i := range newest.Rows {
			s.reached(newest.Rows[i].At)
		}
		s.pin = strconv.FormatInt(span.Newest, 10)
	}
	for _, x := range []condition{{"action", f.Action}, {"actor", f.Actor}, {"request", f.Request}, {"from", q.from}, {"to", q.to}} {
		s.narrowed(x.param, x.text)
	}
	if f.Outcome != "" {
		s.narrowed("outcome", c.T("backoffice.audit."+f.Outcome))
	}
	s.pages = func(ctx context.Context, at listAt, size int) ([]sheetRow, bool, error) {
		var seq int64
		if at.key != "" {
			var err error
			if seq, err = strconv.ParseInt(at.key, 10, 64); err != nil || seq < 1 {
				return nil, false, notFound()
			}
		}
		read := h.AuditBook.Older
		if at.back {
			read = h.AuditBook.Newer
		}
		page, err := read(ctx, c.Scope, f, seq, size)
		rows := make([]sheetRow, len(page.Rows))
		for i := range page.Rows {
			rows[i] = auditRow(c, &page.Rows[i])
		}
		return rows, page.Next != 0, err
	}
	return s, nil
}

func auditSheet(c *Ctx) *sheet {
	return &sheet{columns: []listColumn{{key: "at", title: c.T("backoffice.audit.at"), note: c.T("list.number")}, {key: "actor", title: c.T("backoffice.audit.actor"), note: c.T("list.on_behalf")},
		{key: "action", title: c.T("backoffice.audit.action")}, {key: "object", title: c.T("backoffice.audit.object"), note: c.T("list.detail")},
		{key: "outcome", title: c.T("backoffice.audit.outcome")}, {key: "request", title: c.T("backoffice.audit.request"), note: c.T("list.request")}},
		empty: part.Empty{Title: c.T("backoffice.audit.empty"), Text: c.T("backoffice.audit.empty_text")}}
}

func auditRow(c *Ctx, r *audit.Row) sheetRow {
	state := part.Status{Text: c.T("backoffice.audit.done"), Tone: part.Good}
	if r.Outcome == audit.OutcomeRefused {
		state = part.Status{Text: c.T("backoffice.audit.refused"), Tone: part.Bad}
	}
	detail := r.Detail
	if detail == "{}" || detail == "null" {
		detail = ""
	}
	number := strconv.FormatInt(r.Seq, 10)
	return sheetRow{key: number, cells: []opsview.Cell{{Text: i18n.DateTime(r.At), Note: "#" + number}, {Text: r.Actor, Note: r.OnBehalf},
		{Text: strings.Replace(r.Action, ".", " · ", 1), Mono: true, Href: c.withQuery("/audit", "action", r.Action)}, {Text: r.Object, Mono: true, Note: detail},
		{Status: &state}, {Text: r.IP, Mono: true, Note: r.RequestID}}}
}

const noticePrefix = "message.notice."

// clipped bounds what is searched for.
func clipped(q string) string {
	if r := []rune(q); len(r) > maxQuery {
		return string(r[:maxQuery])
	}
	return q
}

// readBell lists the person's own messages in this organisation, newest first.
func (h *Handlers) readBell(c *Ctx) (*sheet, error) {
	f := message.Filter{Category: message.Category(c.QueryParam("category")), Unread: c.QueryParam("unread") == "yes", Text: clipped(strings.TrimSpace(c.QueryParam("q")))}
	if f.Text != "" {
		for _, key := range i18n.Saying(noticePrefix, f.Text) {
			f.Codes = append(f.Codes, strings.TrimPrefix(key, noticePrefix))
		}
	}
	if f.Category != "" && !slices.Contains(message.Categories, f.Category) {
		return nil, notFound()
	}
	s := &sheet{columns: []listColumn{{key: "text", title: c.T("ops.messages.text")}, {key: "category", title: c.T("ops.messages.category")}, {key: "when", title: c.T("ops.messages.when"), class: "num-l"},
		{key: "state", title: c.T("ops.messages.state"), class: "m"}}, empty: part.Empty{Title: c.T("ops.messages.empty"), Text: c.T("ops.messages.empty_text")}}
	if f.Category != "" {
		s.narrowed("category", c.T(f.Category.Label()))
	}
	if f.Unread {
		s.narrowed("unread", c.T("ops.messages.unread"))
	}
	s.narrowed("q", f.Text)
	var err error
	if f.Until, err = h.newestMessage(c, f); err != nil {
		return nil, err
	}
	if !f.Until.At.IsZero() {
		s.pin = f.Until.At.UTC().Format(time.RFC3339Nano) + " " + f.Until.ID
		s.reached(f.Until.At)
	}
	if s.count, err = h.Messages.Count(c.ctx(), c.Scope, f); err != nil {
		return nil, err
	}
	s.pages = func(ctx context.Context, at listAt, size int) ([]sheetRow, bool, error) {
		where, err := messagePlace(at.key)
		if err != nil {
			return nil, false, err
		}
		read := h.Messages.List
		if at.back {
			read = h.Messages.Newer
		}
		page, err := read(ctx, c.Scope, f, where, size)
		rows := make([]sheetRow, len(page.Messages))
		for i := range page.Messages {
			rows[i] = messageRow(c, &page.Messages[i])
		}
		return rows, page.Next != nil, err
	}
	return s, nil
}

// newestMessage is where the list ends: the message "until" names, or the newest. A file that is ready is a
// message too.
func (h *Handlers) newestMessage(c *Ctx, f message.Filter) (message.Cursor, error) {
	if until := c.QueryParam("until"); until != "" {
		return messagePlace(until)
	}
	newest, err := h.Messages.List(c.ctx(), c.Scope, f, message.Cursor{}, 1)
	if err != nil || len(newest.Messages) == 0 {
		return message.Cursor{}, err
	}
	return message.Cursor{At: newest.Messages[0].At, ID: newest.Messages[0].ID}, nil
}

func messageKey(m *message.Message) string { return m.At.UTC().Format(time.RFC3339Nano) + " " + m.ID }

func messagePlace(key string) (message.Cursor, error) {
	if key == "" {
		return message.Cursor{}, nil
	}
	when, id, ok := strings.Cut(key, " ")
	at, err := time.Parse(time.RFC3339Nano, when)
	if err != nil || !ok {
		return message.Cursor{}, notFound()
	}
	return message.Cursor{At: at, ID: id}, nil
}

// messageRow writes a message; its link stays inside the portal.
func messageRow(c *Ctx, m *message.Message) sheetRow {
	text := opsview.Cell{Text: c.say(m.Notice.Text(), m.Notice.Args)}
	if m.Notice.Link != "" {
		text.Href = layout.SafeNext(m.Notice.Link)
	}
	state := opsview.Cell{Status: &part.Status{Text: c.T("ops.messages.read"), Tone: part.Grey}}
	if m.ReadAt.IsZero() {
		state = opsview.Cell{Status: &part.Status{Text: c.T("ops.messages.unread"), Tone: part.Warn}, Post: &opsview.Post{Action: c.at("/messages/" + m.ID + "/reading"), Hidden: fresh(),
			Text: c.T("ops.messages.mark"), Name: c.T("ops.messages.mark_of", "Text", text.Text)}}
	}
	return sheetRow{key: messageKey(m), cells: []opsview.Cell{text, {Text: c.T(m.Notice.Category.Label())}, {Text: i18n.DateTime(m.At)}, state}}
}
