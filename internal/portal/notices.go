package portal

import (
	"context"
	"sync"
	"time"

	"huoban/internal/i18n"
	"huoban/internal/notice"
	"huoban/web/templates/layout"
)

// bars are the lines over every page: first what is overdue, then the notices not yet dismissed.
func (h *Handlers) bars(c *Ctx) ([]layout.SiteBar, error) {
	var out []layout.SiteBar
	via, err := h.viaBar(c)
	if err != nil {
		return nil, err
	}
	if via != nil {
		out = append(out, *via)
	}
	overdue, err := h.overdueBar(c)
	if err != nil {
		return nil, err
	}
	if overdue != nil {
		out = append(out, *overdue)
	}
	coming, err := h.coming(c)
	if err != nil {
		return nil, err
	}
	for _, n := range notice.ShownAt(coming, h.Clock.Now()) {
		text := n.TextZH
		if i18n.From(c.ctx()) == i18n.En {
			text = n.TextEN
		}
		out = append(out, layout.SiteBar{Text: text, Quiet: n.Level == notice.LevelInfo, Dismiss: c.at("/notices/" + n.ID + "/dismissal")})
	}
	return out, nil
}

// coming are the notices for the person, read once for as long as the actor is kept: a notice that is set,
// cleared or dismissed moves the version.
func (h *Handlers) coming(c *Ctx) ([]notice.Notice, error) {
	now := h.Clock.Now()
	if list, known := c.who.coming.at(now); known {
		return list, nil
	}
	list, err := h.Notices.Coming(c.ctx(), c.Scope)
	if err == nil {
		c.who.coming.keep(list, now)
	}
	return list, err
}

// comingNotices are those that stand at a time or later.
type comingNotices struct {
	mu   sync.Mutex
	from time.Time // zero = not read yet
	list []notice.Notice
}

// at gives them if those of now are among them.
func (k *comingNotices) at(now time.Time) ([]notice.Notice, bool) {
	k.mu.Lock()
	defer k.mu.Unlock()
	return k.list, !k.from.IsZero() && !now.Before(k.from)
}

func (k *comingNotices) keep(list []notice.Notice, from time.Time) {
	k.mu.Lock()
	defer k.mu.Unlock()
	k.list, k.from = list, from
}

// dismissNotice takes a notice off the person's own pages and leads back to where it stood.
func (h *Handlers) dismissNotice(c *Ctx) error {
	return h.once(c, func(ctx context.Context) (answer, error) {
		return answer{Location: c.Request().PostForm.Get("next")}, h.Notices.Dismiss(ctx, c.Scope, c.Param("notice"))
	})
}
