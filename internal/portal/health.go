package portal

import (
	"context"
	"net/http"
	"time"

	"huoban/internal/fault"
)

// live answers as long as the process runs.
func (h *Handlers) live(c *Ctx) error { return c.String(http.StatusOK, "ok\n") }

// ready answers when the database does, knows this program's schema and can be written; otherwise it says
// by a code what is amiss.
func (h *Handlers) ready(c *Ctx) error {
	ctx, cancel := context.WithTimeout(c.ctx(), 2*time.Second)
	defer cancel()
	if err := h.Ready(ctx); err != nil {
		h.Log.Warn("not ready", "error", err.Error())
		c.Response().Header().Set("Retry-After", "5")
		return c.String(http.StatusServiceUnavailable, "not ready: "+faultOf(err).Code+"\n")
	}
	return c.String(http.StatusOK, "ready\n")
}

// metrics are for the operator's own network: a request that came through a proxy is refused.
func (h *Handlers) metrics(c *Ctx) error {
	if c.Request().Header.Get("X-Forwarded-For") != "" {
		return fault.NotFound("request.no_page", nil)
	}
	h.Metrics.ServeHTTP(c.Response(), c.Request())
	return nil
}
