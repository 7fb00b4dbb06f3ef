package portal

import (
	"context"

	"huoban/internal/i18n"
	"huoban/internal/notice"
	"huoban/web/templates/layout"
)

// bars are the lines over every page: first what is overdue, then the notices not yet dismissed.
func (h *Handlers) bars(c *Ctx) ([]layout.SiteBar, error) {
	var out []layout.SiteBar
	overdue, err := h.overdueBar(c)
	if err != nil {
		return nil, err
	}
	if overdue != nil {
		out = append(out, *overdue)
	}
	list, err := h.Notices.Shown(c.ctx(), c.Scope)
	if err != nil {
		return nil, err
	}
	for _, n := range list {
		text := n.TextZH
		if i18n.From(c.ctx()) == i18n.En {
			text = n.TextEN
		}
		out = append(out, layout.SiteBar{Text: text, Quiet: n.Level == notice.LevelInfo, Dismiss: c.at("/notices/" + n.ID + "/dismissal")})
	}
	return out, nil
}

// dismissNotice takes a notice off the person's own pages and leads back to where it stood.
func (h *Handlers) dismissNotice(c *Ctx) error {
	return h.once(c, func(ctx context.Context) (answer, error) {
		return answer{Location: c.Request().PostForm.Get("next")}, h.Notices.Dismiss(ctx, c.Scope, c.Param("notice"))
	})
}
