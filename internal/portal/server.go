package portal

import (
	"context"
	"log/slog"
	"net"
	"net/http"
	"net/url"
	"strings"

	"github.com/labstack/echo/v4"

	"huoban/internal/account"
	"huoban/internal/adjustment"
	"huoban/internal/agreement"
	"huoban/internal/allocation"
	"huoban/internal/anomaly"
	"huoban/internal/attribution"
	"huoban/internal/audit"
	"huoban/internal/bill"
	"huoban/internal/clock"
	"huoban/internal/company"
	"huoban/internal/contract"
	"huoban/internal/coupon"
	"huoban/internal/creditline"
	"huoban/internal/customer"
	"huoban/internal/delivery"
	"huoban/internal/desk"
	"huoban/internal/expenditure"
	"huoban/internal/export"
	"huoban/internal/fault"
	"huoban/internal/foureyes"
	"huoban/internal/grant"
	"huoban/internal/hosted"
	"huoban/internal/idempotency"
	"huoban/internal/invitation"
	"huoban/internal/invoice"
	"huoban/internal/ledger"
	"huoban/internal/message"
	"huoban/internal/monthclose"
	"huoban/internal/news"
	"huoban/internal/notice"
	"huoban/internal/organisation"
	"huoban/internal/outbox"
	"huoban/internal/passcode"
	"huoban/internal/payment"
	"huoban/internal/peak"
	"huoban/internal/price"
	"huoban/internal/prospect"
	"huoban/internal/reconcile"
	"huoban/internal/relation"
	"huoban/internal/scope"
	"huoban/internal/session"
	"huoban/internal/signon"
	"huoban/internal/source"
	"huoban/internal/sso/registry"
	stmt "huoban/internal/statement"
	"huoban/internal/subscription"
	"huoban/internal/topup"
	"huoban/internal/withdrawal"
	"huoban/web/static"
)

// Handlers holds what pages need: the services of the domain, nothing of the store.
type Handlers struct {
	Log      *slog.Logger
	Clock    clock.Clock
	Accounts *account.Service
	SetUp    *account.Setup
	Sessions *session.Manager
	Messages *message.Box
	Notices  *notice.Board
	News     *news.Board
	Company  *company.Service
	Desk     *desk.Service
	FourEyes *foureyes.Service
	Ledger   *ledger.Service
	Payments *payment.Service
	Credits  *creditline.Service
	TopUps   *topup.Service
	// Agreements let others pay for a partner.
	Agreements *agreement.Service
	// Contracts are 合同商务.
	Contracts *contract.Service
	Ready     func(ctx context.Context) error // nil when the database answers and is migrated
	Metrics   http.Handler
	Version   string
	BaseURL   string
	Tx        Tx
	Audit     audit.Recorder
	Orgs      *organisation.Service
	Bills     *bill.Service
	Closes    *monthclose.Service
	BillList  BillList

	Expenditure   *expenditure.Service
	Peaks         *peak.Service
	Anomalies     *anomaly.Service
	Statements    *stmt.Service
	Reconcile     *reconcile.Service
	Invoices      *invoice.Service
	Subscriptions *subscription.Service

	Deliveries *delivery.Service

	Attribution *attribution.Service
	Sources     *source.Service
	Adjustments *adjustment.Service
	Idempotency *idempotency.Keeper
	Exports     *export.Service
	Columns     ColumnStore
	Mails       bool // a mail server is set

	Prices      *price.Service
	AuditBook   *audit.Book
	VerifyAudit func(ctx context.Context) (audit.Report, error) // walks the whole chain

	SignOn    *signon.Service
	Hosted    *hosted.Service   // platforms of partners without one
	Platforms Platforms         // nil: no platform can be registered here
	Access    *registry.Service // and their tests
	Customers *customer.Service

	Grants      *grant.Service
	Prospects   *prospect.Service
	Invitations *invitation.Service
	Relations   *relation.Service
	Coupons     *coupon.Service
	Passcodes   *passcode.Service
	Withdrawals *withdrawal.Service
	Allocations *allocation.Service
	DevLetters  func() []DevLetter                                                         // what would have been sent, in development; nil elsewhere
	Letter      func(ctx context.Context, m outbox.Mail) (subject, text string, err error) // words a mail without sending it

	imports importJobs
	rates   rateBook
	pages   map[string]Route  // what the menu may lead to, by path below the organisation
	former  map[string]string // today's page of every menu path
	actors  actorBook
	keeps   *pageCache        // nil keeps none
	shells  *versioned[shell] // the same of pages without their rows
	boards  *versioned[boardShell]

	PageVersion func(ctx context.Context) (int64, error) // moves with every change of what pages show

	flights flights
}

// Tx runs a function in one transaction; fn may be run again.
type Tx interface {
	InTx(ctx context.Context, fn func(ctx context.Context) error) error
}

// Options are how the server stands to the outside.
type Options struct {
	TrustedProxies []string // CIDR
	Lanes          Lanes    // zero = DefaultLanes
	PageCache      int      // megabytes of pages kept; 0 keeps none
}

const ctxKey = "portal.ctx"

// New builds the HTTP handler: static files and health apart, everything else through the table.
func New(h *Handlers, o Options) (http.Handler, error) {
	if o.PageCache > 0 {
		h.keeps = newPageCache(o.PageCache << 20)
	}
	if maxShells > 0 {
		h.shells, h.boards = newVersioned[shell](maxShells), newVersioned[boardShell](maxShells)
	}
	e := echo.New()
	e.HideBanner, e.HidePort = true, true
	e.HTTPErrorHandler = h.fail
	extract, err := proxies(o.TrustedProxies)
	if err != nil {
		return nil, err
	}
	e.IPExtractor = extract
	e.Pre(h.entered)
	rows := table()
	h.pages = pagesOf(rows)
	h.former = formerPaths(h.pages)
	for _, r := range rows {
		e.Add(r.Method, r.Path, h.serve(r))
		if r.Method == get {
			head := h.serve(r) // the same answer without its body
			if r.Once {
				head = func(c echo.Context) error { return c.NoContent(http.StatusNoContent) }
			}
			e.Add(http.MethodHead, r.Path, head)
		}
	}
	e.RouteNotFound("/*", h.nowhere)

	protect := http.NewCrossOriginProtection()
	for _, r := range rows {
		if r.Foreign {
			protect.AddInsecureBypassPattern(r.Method + " " + muxPattern(r.Path))
		}
	}
	protect.SetDenyHandler(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		ec := e.NewContext(r, w)
		h.fail(fault.Denied("request.cross_origin", nil), ec)
	}))
	h.Sessions.OnError(func(w http.ResponseWriter, r *http.Request, err error) { h.fail(err, e.NewContext(r, w)) })
	site := numbered(newGate(o.Lanes).handler(bounded(protect.Handler(h.Sessions.Middleware(e)))))
	mux := http.NewServeMux()
	mux.Handle(static.Prefix, static.Handler())
	mux.Handle("/", site)
	return secure(strings.HasPrefix(h.BaseURL, "https://"))(mux), nil
}

// proxies decides whose word about the caller's address is taken: nobody's, or that of the networks
// the operator named.
func proxies(networks []string) (echo.IPExtractor, error) {
	if len(networks) == 0 {
		return echo.ExtractIPDirect(), nil
	}
	trust := []echo.TrustOption{echo.TrustLoopback(false), echo.TrustLinkLocal(false), echo.TrustPrivateNet(false)}
	for _, n := range networks {
		_, cidr, err := net.ParseCIDR(n)
		if err != nil {
			return nil, fault.Invalid("settings.trusted_proxy", fault.Args{"value": n})
		}
		trust = append(trust, echo.TrustIPRange(cidr))
	}
	return echo.ExtractIPFromXFFHeader(trust...), nil
}

// entered recovers from a panic as an internal fault and prepares language and theme, which error
// pages need too.
func (h *Handlers) entered(next echo.HandlerFunc) echo.HandlerFunc {
	return func(ec echo.Context) (err error) {
		defer func() {
			if p := recover(); p != nil {
				err = fault.New(fault.KindInternal, "internal", nil).Because(panicError{p})
			}
		}()
		c := &Ctx{Context: ec, h: h}
		ec.Set(ctxKey, c)
		h.prepare(c)
		return next(ec)
	}
}

// serve checks who asks, for which organisation and with which permission, before the handler runs.
func (h *Handlers) serve(r Route) echo.HandlerFunc {
	return func(ec echo.Context) error {
		c := ec.Get(ctxKey).(*Ctx)
		c.Route = r
		if err := h.identify(c); err != nil {
			return err
		}
		if c.away != "" {
			return c.Redirect(http.StatusSeeOther, c.away)
		}
		if err := h.authorise(c); err != nil {
			return err
		}
		if c.Org.ID != "" {
			c.SetRequest(c.Request().WithContext(scope.With(c.ctx(), c.Scope)))
		}
		return r.Do(h, c)
	}
}

func queryEscape(s string) string { return url.QueryEscape(s) }

// pathOf is the path and query of an address of ours.
func pathOf(address string) string {
	u, err := url.Parse(address)
	if err != nil {
		return "/"
	}
	return u.RequestURI()
}

type panicError struct{ value any }

func (p panicError) Error() string { return "panic: " + sprint(p.value) }
