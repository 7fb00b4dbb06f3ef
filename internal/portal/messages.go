package portal

import (
	"context"
	"encoding/base64"
	"huoban/web/templates/opsview"
	"net/http"
	"strings"
	"time"

	"huoban/internal/message"
	"huoban/web/templates/part"
)

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
	waiting, err := h.Messages.Unread(c.ctx(), c.Scope)
	if err != nil {
		return err
	}
	title := c.T("ops.messages.title")
	p := opsview.Board{Header: part.Header{Title: title, Crumbs: c.crumbs(part.Link{Text: title})}, Flash: c.done(), Filter: messagesFilter(c, c.QueryParam("category"), c.QueryParam("unread"))}
	p.Pages = messageTabs(c, pathMessages)
	if waiting > 0 {
		p.Notes = []string{c.T("ops.messages.unread_count", "Count", waiting)}
		p.Buttons = []part.Button{{ID: "read-all", Text: c.T("ops.messages.read_all"), Action: c.at("/messages/reading"), Hidden: fresh()}}
	}
	if _, err := h.board(c, &p, "messages"); err != nil {
		return err
	}
	return c.page(http.StatusOK, p.Page())
}

// messageTabs are what a person is told, what waits for it, and what it wants to be told.
func messageTabs(c *Ctx, now string) []part.Tab {
	var out []part.Tab
	for _, x := range []struct{ key, path string }{{"ops.messages.title", pathMessages}, {"work.title", "/work"}, {"messages.settings", pathMessageSettings}} {
		out = append(out, part.Tab{Text: c.T(x.key), Href: c.at(x.path), Current: x.path == now})
	}
	return out
}

func messagesFilter(c *Ctx, category, unread string) *part.Filter {
	kinds := part.FilterField{Name: "category", Label: c.T("ops.messages.category"), Value: category, Options: []part.Option{{Label: c.T("ops.filter.any")}}}
	for _, k := range message.Categories {
		kinds.Options = append(kinds.Options, part.Option{Value: string(k), Label: c.T(k.Label())})
	}
	state := part.FilterField{Name: "unread", Label: c.T("ops.messages.state"), Value: unread,
		Options: []part.Option{{Label: c.T("ops.filter.any")}, {Value: "yes", Label: c.T("ops.messages.unread")}}}
	return &part.Filter{Action: c.at("/messages"), Reset: c.at("/messages"), Fields: []part.FilterField{{Name: "q", Label: c.T("messages.q"), Value: c.QueryParam("q")}, kinds, state}}
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
