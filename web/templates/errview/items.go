package errview

import (
	"context"

	"huoban/internal/i18n"
	"huoban/web/templates/part"
)

func (p Denied) text(ctx context.Context) string {
	if p.Text != "" {
		return p.Text
	}
	return i18n.T(ctx, "errview.denied.text")
}

func (p Denied) items(ctx context.Context) []part.Item {
	var out []part.Item
	add := func(label, text string, mono bool) {
		if text != "" {
			out = append(out, part.Item{Label: label, Text: text, Mono: mono})
		}
	}
	add(i18n.T(ctx, "errview.denied.item"), p.Item, true)
	add(i18n.T(ctx, "errview.denied.role"), p.Role, false)
	add(i18n.T(ctx, "errview.denied.helpers"), p.Helpers, false)
	return out
}

func (p Refused) title(ctx context.Context) string {
	if p.Asked {
		return i18n.T(ctx, "errview.refused.page")
	}
	return i18n.T(ctx, "errview.refused.title")
}
