package portal

import (
	"context"
	"encoding/base64"
	"net/http"
	"slices"
	"strings"
	"time"

	"huoban/internal/i18n"
	"huoban/internal/message"
	"huoban/web/templates/homeview"
	"huoban/web/templates/layout"
	"huoban/web/templates/part"
)

// messagesShown is one page of the bell's list.
const messagesShown = 20

func cursorText(at *message.Cursor) string {
	if at == nil {
		return ""
	}
	return base64.RawURLEncoding.EncodeToString([]byte(at.At.UTC().Format(time.RFC3339Nano) + " " + at.ID))
}

func parseCursor(text string) (message.Cursor, error) {
	if text == "" {
		return message.Cursor{}, nil
	}
	b, err := base64.RawURLEncoding.DecodeString(text)
	when, id, ok := strings.Cut(string(b), " ")
	at, wrong := time.Parse(time.RFC3339Nano, when)
	if err != nil || !ok || wrong != nil {
		return message.Cursor{}, notFound()
	}
	return message.Cursor{At: at, ID: id}, nil
}

// messages lists the person's own messages in this organisation.
func (h *Handlers) messages(c *Ctx) error {
	category, unread := c.QueryParam("category"), c.QueryParam("unread") == "yes"
	if category != "" && !slices.Contains(message.Categories, message.Category(category)) {
		return notFound()
	}
	after, err := parseCursor(c.QueryParam("after"))
	if err != nil {
		return err
	}
	list, err := h.Messages.List(c.ctx(), c.Scope, message.Filter{Category: message.Category(category), Unread: unread}, after, messagesShown)
	if err != nil {
		return err
	}
	waiting, err := h.Messages.Unread(c.ctx(), c.Scope)
	if err != nil {
		return err
	}
	yes := ""
	if unread {
		yes = "yes"
	}
	here := func(after string) string {
		return c.withQuery("/messages", "category", category, "unread", yes, "after", after)
	}
	p := homeview.Messages{Header: part.Header{Title: c.T("ops.messages.title"), Crumbs: c.crumbs(part.Link{Text: c.T("ops.messages.title")})}, Flash: c.done(),
		Filter: messagesFilter(c, category, yes), Tool: part.Tool{Count: c.T("ops.messages.unread_count", "Count", waiting), Refresh: here("")}}
	if waiting > 0 {
		p.ReadAll = &homeview.Reading{Action: c.at("/messages/reading"), Hidden: fresh(), Name: c.T("ops.messages.read_all")}
	}
	for i := range list.Messages {
		p.Rows = append(p.Rows, messageRow(c, &list.Messages[i]))
	}
	p.Pager.Range = c.T("ops.messages.count", "Count", int64(len(p.Rows)))
	if after.ID != "" {
		p.Pager.First = here("")
	}
	if list.Next != nil {
		p.Pager.Next = here(cursorText(list.Next))
	}
	if len(p.Rows) == 0 {
		p.Empty = &part.Empty{Title: c.T("ops.messages.empty"), Text: c.T("ops.messages.empty_text")}
	}
	return c.page(http.StatusOK, p.Page())
}

func messagesFilter(c *Ctx, category, unread string) part.Filter {
	kinds := part.FilterField{Name: "category", Label: c.T("ops.messages.category"), Value: category, Options: []part.Option{{Label: c.T("ops.filter.any")}}}
	for _, k := range message.Categories {
		kinds.Options = append(kinds.Options, part.Option{Value: string(k), Label: c.T(k.Label())})
	}
	state := part.FilterField{Name: "unread", Label: c.T("ops.messages.state"), Value: unread,
		Options: []part.Option{{Label: c.T("ops.filter.any")}, {Value: "yes", Label: c.T("ops.messages.unread")}}}
	return part.Filter{Action: c.at("/messages"), Reset: c.at("/messages"), Fields: []part.FilterField{kinds, state}}
}

// messageRow writes a message; its link stays inside the portal.
func messageRow(c *Ctx, m *message.Message) homeview.Message {
	row := homeview.Message{Text: c.say(m.Notice.Text(), m.Notice.Args), Category: c.T(m.Notice.Category.Label()), When: i18n.DateTime(m.At), Unread: m.ReadAt.IsZero()}
	if m.Notice.Link != "" {
		row.Href = layout.SafeNext(m.Notice.Link)
	}
	if row.Unread {
		row.Read = &homeview.Reading{Action: c.at("/messages/" + m.ID + "/reading"), Hidden: fresh(), Name: c.T("ops.messages.mark_of", "Text", row.Text)}
	}
	return row
}

func (h *Handlers) readMessage(c *Ctx) error {
	return h.once(c, func(ctx context.Context) (answer, error) {
		return answer{Location: c.at("/messages")}, h.Messages.MarkRead(ctx, c.Scope, c.Param("message"))
	})
}

func (h *Handlers) readMessages(c *Ctx) error {
	return h.once(c, func(ctx context.Context) (answer, error) {
		n, err := h.Messages.MarkAllRead(ctx, c.Scope)
		return answer{Location: c.at("/messages?done=read"), Body: map[string]any{"location": c.at("/messages"), "read": n}}, err
	})
}
