package ssoview

import (
	"context"

	"huoban/internal/i18n"
	"huoban/web/templates/part"
)

func (p Refused) items(ctx context.Context) []part.Item {
	var out []part.Item
	if p.Partner != "" {
		out = append(out, part.Item{Label: i18n.T(ctx, "ssoview.refused.partner"), Text: p.Partner})
	}
	return append(out, part.Item{Label: i18n.T(ctx, "ssoview.refused.when"), Text: p.When}, part.Item{Label: i18n.T(ctx, "ssoview.refused.ref"), Text: p.Ref, Mono: true})
}
