package portal

import (
	"errors"
	"log/slog"
	"net/http"
	"strconv"
	"strings"
	"time"

	"github.com/labstack/echo/v4"

	"huoban/internal/cycle"
	"huoban/internal/fault"
	"huoban/internal/i18n"
	"huoban/web/templates/errview"
	"huoban/web/templates/layout"
	"huoban/web/templates/part"
)

// statusOf is the one mapping of kinds of failure to HTTP.
var statusOf = map[fault.Kind]int{
	fault.KindInvalid:         http.StatusUnprocessableEntity,
	fault.KindUnauthenticated: http.StatusUnauthorized,
	fault.KindDenied:          http.StatusForbidden,
	fault.KindNotFound:        http.StatusNotFound,
	fault.KindConflict:        http.StatusConflict,
	fault.KindLimited:         http.StatusTooManyRequests,
	fault.KindUnavailable:     http.StatusServiceUnavailable,
	fault.KindInternal:        http.StatusInternalServerError,
}

// problem is a fault as a program sees it. The detail of an internal fault stays in the log.
type problem struct {
	Code    string            `json:"code"`
	Message string            `json:"message"`
	Cure    string            `json:"cure,omitempty"`
	Fields  map[string]string `json:"fields,omitempty"`
	Reasons []problem         `json:"reasons,omitempty"`
	Request string            `json:"request,omitempty"`

	Meanwhile *meanwhile `json:"meanwhile,omitempty"`
}

// meanwhile is what somebody else did since the page of the one who asks was made.
type meanwhile struct {
	By     string `json:"by"`
	At     string `json:"at"` // RFC 3339
	Action string `json:"action,omitempty"`
	From   string `json:"from,omitempty"`
	To     string `json:"to,omitempty"`
}

// meanwhileOf reads it from a conflict that knows who was first; the arguments are those of flow.Lost.
func meanwhileOf(f *fault.Error) *meanwhile {
	word := func(name string) string {
		s, _ := f.Args[name].(string)
		return s
	}
	at, err := time.ParseInLocation(time.DateTime, word("at"), cycle.Zone)
	if f.Kind != fault.KindConflict || err != nil || word("by") == "" {
		return nil
	}
	last := func(name string) string { // of "<machine>.action.<action>"
		s := word(name)
		return s[strings.LastIndexByte(s, '.')+1:]
	}
	return &meanwhile{By: word("by"), At: at.Format(time.RFC3339), Action: last("did"), From: last("was"), To: last("state")}
}

// fail answers a failed request; the cause is logged here and nowhere else.
func (h *Handlers) fail(err error, ec echo.Context) {
	if ec.Response().Committed {
		return
	}
	f := faultOf(err)
	status := statusOf[f.Kind]
	req := ec.Request()
	if f.Kind == fault.KindInternal {
		h.Log.Error("request failed", "request", numberOf(req.Context()), "method", req.Method, "path", ec.Path(), "error", err.Error())
	}
	c, ok := ec.Get(ctxKey).(*Ctx)
	if !ok {
		c = &Ctx{Context: ec}
	} else {
		h.dress(c)
	}
	c.holdOff(f)
	var answer error
	switch {
	case wantsJSON(req):
		answer = c.JSON(status, h.problem(c, f))
	case f.Kind == fault.KindUnauthenticated && (req.Method == http.MethodGet || req.Method == http.MethodHead):
		answer = c.Redirect(http.StatusSeeOther, "/login?next="+queryEscape(req.URL.RequestURI()))
	default:
		answer = h.failPage(c, status, f)
	}
	if answer != nil {
		h.Log.Error("error page failed", slog.Any("error", answer))
		_ = ec.String(http.StatusInternalServerError, "500")
	}
}

// faultOf understands echo's own errors (no such route, body too large) as faults.
func faultOf(err error) *fault.Error {
	var he *echo.HTTPError
	var tooLarge *http.MaxBytesError
	switch {
	case errors.As(err, &tooLarge):
		return fault.Invalid("request.too_large", fault.Args{"limit": tooLarge.Limit})
	case errors.As(err, &he):
		switch he.Code {
		case http.StatusNotFound, http.StatusMethodNotAllowed:
			return fault.NotFound("request.no_page", nil)
		case http.StatusRequestEntityTooLarge:
			return fault.Invalid("request.too_large", nil)
		case http.StatusBadRequest, http.StatusUnsupportedMediaType:
			return fault.Invalid("request.malformed", nil).Because(err)
		}
	}
	return fault.From(err)
}

// holdOff tells a caller who is too fast when to come again.
func (c *Ctx) holdOff(f *fault.Error) {
	if f.Kind == fault.KindLimited || f.Kind == fault.KindUnavailable {
		c.Response().Header().Set("Retry-After", retryAfter(f))
	}
}

func retryAfter(f *fault.Error) string {
	switch s := f.Args["seconds"].(type) {
	case int:
		return strconv.Itoa(s)
	case int64:
		return strconv.FormatInt(s, 10)
	}
	return "5"
}

func (h *Handlers) problem(c *Ctx, f *fault.Error) problem {
	p := problem{Code: f.Code, Message: i18n.FaultText(c.ctx(), f), Meanwhile: meanwhileOf(f)}
	p.Cure = cureText(c, f)
	if len(f.Fields) > 0 {
		p.Fields = f.Fields
	}
	for _, r := range f.Reason {
		p.Reasons = append(p.Reasons, h.problem(c, r))
	}
	if f.Kind == fault.KindInternal {
		p.Code, p.Request = "internal", numberOf(c.ctx())
	}
	if f.Kind == fault.KindNotFound {
		p.Code, p.Message = "request.no_page", c.T("fault.request.no_page")
	}
	return p
}

// failPage: 403, 404 and 500 have pages of their own; anything else shows its reasons.
func (h *Handlers) failPage(c *Ctx, status int, f *fault.Error) error {
	if f.Kind == fault.KindNotFound || c.Request().Method != http.MethodGet {
		// The page does not lead back here: there is nothing, or it cannot be asked for; and what is absent
		// and what is another's have the same answer, to the byte.
		env := layout.From(c.ctx())
		env.Path = "/"
		c.SetRequest(c.Request().WithContext(layout.With(c.ctx(), env)))
	}
	home := &part.Link{Text: c.T("portal.fail.home"), Href: layout.From(c.ctx()).HomeHref}
	switch f.Kind {
	case fault.KindNotFound:
		return c.page(status, errview.NotFound{Button: home}.Page())
	case fault.KindDenied:
		item, _ := f.Args["item"].(string)
		return c.page(status, errview.Denied{Item: item, Text: deniedText(c, f), Role: layout.From(c.ctx()).Role,
			Helpers: h.helpers(c), Button: home}.Page())
	case fault.KindInternal:
		return c.page(status, errview.Failed{RequestID: numberOf(c.ctx()), Button: home}.Page())
	}
	asked := c.Request().Method == http.MethodGet || c.Request().Method == http.MethodHead
	refused := errview.Refused{Asked: asked, Text: i18n.FaultText(c.ctx(), f), Button: home}
	if len(f.Reason) > 0 {
		refused.Reasons = i18n.FaultReasons(c.ctx(), f)
	}
	if back := c.Request().Referer(); back != "" && !asked {
		refused.Button = &part.Link{Text: c.T("portal.fail.back"), Href: layout.SafeNext(pathOf(back))}
	}
	return c.page(status, refused.Page())
}

func deniedText(c *Ctx, f *fault.Error) string {
	if f.Code == "scope.permission_missing" {
		return ""
	}
	return i18n.FaultText(c.ctx(), f)
}
