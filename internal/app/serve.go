package app

import (
	"context"
	"errors"
	"io/fs"
	"net"
	"net/http"
	"os"
	"runtime/debug"
	"sync"
	"sync/atomic"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"
	"github.com/prometheus/client_golang/prometheus/promhttp"

	"huoban/internal/agreement"
	"huoban/internal/audit"
	"huoban/internal/contract"
	"huoban/internal/export"
	"huoban/internal/fault"
	"huoban/internal/flow"
	"huoban/internal/invitation"
	"huoban/internal/invoice"
	"huoban/internal/portal"
	"huoban/internal/prospect"
	"huoban/internal/relation"
	"huoban/internal/sso"
	"huoban/internal/store"
	"huoban/internal/store/liststore"
	"huoban/internal/store/migrate"
	"huoban/internal/subscription"
)

// Handler is the portal over HTTP.
func (a *App) Handler() (http.Handler, error) { return a.handler(a.Platforms) }

// handler serves the platforms it is given.
func (a *App) handler(platforms portal.Platforms) (http.Handler, error) {
	reg := prometheus.NewRegistry()
	reg.MustRegister(collectors.NewGoCollector(), collectors.NewProcessCollector(collectors.ProcessCollectorOpts{}))
	h := a.lists()
	h.Log, h.SetUp, h.Sessions, h.Version, h.BaseURL, h.Notices = a.Log, a.Setup, a.Sessions, Version, a.Settings.Base(), a.Notices
	h.Ready, h.Metrics, h.Idempotency, h.Exports, h.VerifyAudit = a.ready, promhttp.HandlerFor(reg, promhttp.HandlerOpts{}), a.Idempotency, a.Exports, a.VerifyAudit
	h.PageVersion, h.Mails = a.DB.Version, a.mails
	h.Passcodes, h.DevLetters = a.Passcodes, a.post.letters()
	h.SignOn, h.Platforms, h.Access, h.Hosted = a.SignOn, platforms, a.Platforms, a.Hosted
	return portal.New(h, portal.Options{TrustedProxies: a.Settings.TrustedProxies, PageCache: a.Settings.PageCache})
}

// lists are the portal's pages with the services that lists are read by, which the worker needs too.
func (a *App) lists() *portal.Handlers {
	return &portal.Handlers{Clock: a.Clock, Accounts: a.Accounts, Messages: a.Messages, News: a.News, Company: a.Company, Ledger: a.Ledger, Payments: a.Payments, TopUps: a.TopUps, Credits: a.Credits, Agreements: a.Agreements, Contracts: a.Contracts, Desk: a.Desk, FourEyes: a.FourEyes, Tx: a.DB, Audit: a.Audit, Orgs: a.Organisations, Bills: a.Bills,
		Closes: a.Closes, BillList: a.BillStore, Expenditure: a.Expenditure, Peaks: a.Peaks, Anomalies: a.Anomalies, Deliveries: a.Deliveries, Attribution: a.Attribution, Adjustments: a.Adjustments, Sources: a.Sources,
		Prices: a.Prices, Customers: a.Customers, Statements: a.Statements, Reconcile: a.Reconcile, Subscriptions: a.Subscriptions, Invoices: a.Invoices, Grants: a.Grants, Prospects: a.Prospects, Invitations: a.Invitations, Relations: a.Relations, Coupons: a.Coupons, Withdrawals: a.Withdrawals, Allocations: a.Allocations, Letter: a.previewLetter, Access: a.Platforms, SignOn: a.SignOn, AuditBook: audit.NewBook(a.DB, a.AuditStore, a.Audit), Columns: liststore.New(a.DB, a.Clock)}
}

// Routes lists every route of the portal.
func Routes() []portal.RouteInfo { return portal.Routes() }

// ready tells whether the database answers, has this program's schema, and lies on a disk with room.
func (a *App) ready(ctx context.Context) error {
	n, err := migrate.Pending(ctx, a.DB)
	if err == nil && n > 0 {
		err = fault.Unavailable("settings.not_migrated", nil)
	}
	if err == nil && a.DB.Engine() == store.SQLite {
		err = writable(a.Settings.Data)
	}
	return Explained(err)
}

// writable tries the disk by a small file: what the database needs is not told by any attribute.
func writable(folder string) error {
	f, err := os.CreateTemp(folder, ".ready-")
	if errors.Is(err, fs.ErrPermission) {
		return fault.Unavailable("store.read_only", nil).Because(err)
	}
	if err != nil {
		return err
	}
	defer os.Remove(f.Name())
	_, err = f.Write(make([]byte, 256<<10))
	if e := f.Close(); err == nil {
		err = e
	}
	return err
}

// Limits of a connection. A client that sends or takes its bytes one by one is cut off; what may rightly
// take longer, a large delivery or download, is freed of them by its handler.
const (
	headTime  = 10 * time.Second
	bodyTime  = time.Minute
	replyTime = 2 * time.Minute
	idleTime  = 2 * time.Minute
	headBytes = 64 << 10
)

// Serve answers on the listener until ctx ends, then lets running requests finish. Background work
// runs beside it.
func (a *App) Serve(ctx context.Context, l net.Listener) error {
	return a.ServeAfter(ctx, l, nil)
}

// ServeAfter is Serve with work to do first, while the door shows how far it is. Background work begins
// when the portal opens.
func (a *App) ServeAfter(ctx context.Context, l net.Listener, first func(context.Context, func(DemoProgress)) error) error {
	handler, err := a.Handler()
	if err != nil {
		return err
	}
	sso.UseClock(a.Clock.Now)
	d := &door{}
	d.open(handler)
	if first != nil {
		d.open(portal.Wait(a.Settings.Base(), d.waiting))
	}
	asked := &pace{next: d}
	srv := &http.Server{Handler: asked, ReadHeaderTimeout: headTime, ReadTimeout: bodyTime, WriteTimeout: replyTime, IdleTimeout: idleTime, MaxHeaderBytes: headBytes,
		BaseContext: func(net.Listener) context.Context { return context.WithoutCancel(ctx) }}
	work, stop := context.WithCancel(ctx)
	defer stop()
	done := make(chan struct{})
	end := make(chan error, 2)
	go func() {
		defer close(done)
		if first != nil {
			err := first(work, d.tell)
			if work.Err() != nil {
				return
			}
			if err != nil {
				end <- err
				return
			}
		}
		d.open(handler)
		var rests sync.WaitGroup
		rests.Go(func() { a.resting(work, asked) })
		a.background(work)
		rests.Wait()
	}()
	go func() {
		if a.Settings.TLSCert != "" {
			end <- srv.ServeTLS(l, a.Settings.TLSCert, a.Settings.TLSKey)
			return
		}
		end <- srv.Serve(gathering{l})
	}()
	select {
	case err := <-end:
		stop()
		_ = srv.Close()
		<-done
		return err
	case <-ctx.Done():
	}
	grace, cancel := context.WithTimeout(context.Background(), 15*time.Second)
	defer cancel()
	err = srv.Shutdown(grace)
	stop()
	<-done
	if served := <-end; err == nil && !errors.Is(served, http.ErrServerClosed) {
		err = served
	}
	return err
}

// door is the handler that stands now: the waiting page, then the portal.
type door struct {
	now atomic.Pointer[http.Handler]
	at  atomic.Pointer[DemoProgress]
}

func (d *door) open(h http.Handler) { d.now.Store(&h) }

func (d *door) tell(p DemoProgress) { d.at.Store(&p) }

func (d *door) waiting() portal.Waiting {
	p := d.at.Load()
	if p == nil {
		return portal.Waiting{}
	}
	return portal.Waiting{Done: p.Done, Total: p.Total, Key: p.Key, Cycle: p.Cycle}
}

func (d *door) ServeHTTP(w http.ResponseWriter, r *http.Request) { (*d.now.Load()).ServeHTTP(w, r) }

// timer fires what waits for its time.
func (a *App) timer() *flow.Timer {
	return flow.NewTimer(a.DB, a.FlowLog, a.Clock, map[string]flow.FireDue{export.Flow.Machine: a.Exports.FireDue,
		prospect.Flow.Machine: a.Prospects.FireDue, invitation.Flow.Machine: a.Invitations.FireDue, relation.Flow.Machine: a.Relations.FireDue,
		subscription.DispatchFlow.Machine: a.Subscriptions.FireDue, invoice.Flow.Machine: a.Invoices.FireDue,
		agreement.Flow.Machine: a.Agreements.FireDue, contract.Flow.Machine: a.Contracts.FireDue})
}

// background cleans what a killed import left, then runs jobs, due transitions and daily work.
func (a *App) background(ctx context.Context) {
	if _, err := a.Deliveries.Clean(ctx); err != nil {
		a.Log.Error("clean interrupted imports", "error", err.Error())
	}
	timer := a.timer()
	heads := audit.NewPublisher(a.AuditStore, a.Clock, a.Settings.HeadsFile())
	a.Worker.Every("flow.due", 30*time.Second, func(ctx context.Context) error { _, err := timer.Tick(ctx); return err })
	a.Worker.Every("audit.head", 10*time.Minute, func(ctx context.Context) error { _, err := heads.Daily(ctx); return err })
	a.Worker.Every("idempotency.purge", time.Hour, func(ctx context.Context) error { _, err := a.Idempotency.Purge(ctx); return err })
	a.Worker.Every("close.remind", time.Minute, func(ctx context.Context) error { _, err := a.Closes.Remind(ctx, a.remindFinance); return err })
	a.Worker.Every("funds.collect", time.Minute, func(ctx context.Context) error { _, err := a.Payments.Collect(ctx); return err })
	a.Worker.Every("desk.remind", remindEvery, a.remindDesk)
	a.Worker.Every("views.weekly", time.Minute, a.dueViews)
	a.Worker.Every("expenditure.days", 5*time.Minute, a.keepDays)
	a.Worker.Every("prospect.remind", time.Hour, func(ctx context.Context) error { _, err := a.Prospects.Remind(ctx); return err })
	a.Worker.Every("coupon.sweep", 10*time.Minute, func(ctx context.Context) error { _, err := a.Coupons.Sweep(ctx); return err })
	a.Worker.Every("coupon.remind", time.Hour, func(ctx context.Context) error { _, err := a.Coupons.Remind(ctx); return err })
	a.Worker.Every("account.purge", 24*time.Hour, func(ctx context.Context) error { return a.Accounts.Purge(ctx) })
	a.Worker.Every("passcode.purge", time.Hour, func(ctx context.Context) error { _, err := a.Passcodes.Purge(ctx); return err })
	a.Worker.Every("allocation.sweep", 5*time.Minute, func(ctx context.Context) error { _, err := a.Allocations.Sweep(ctx); return err })
	a.Worker.Every("sso.purge", time.Hour, func(ctx context.Context) error { _, err := a.SignOn.Purge(ctx); return err })
	a.Worker.Every("hosted.purge", time.Hour, func(ctx context.Context) error { _, err := a.Hosted.Purge(ctx); return err })
	a.Worker.Every("session.purge", 24*time.Hour, func(ctx context.Context) error { _, err := a.Sessions.Purge(ctx); return err })
	a.Worker.Every("reconcile.purge", 24*time.Hour, func(ctx context.Context) error { _, err := a.Reconcile.Purge(ctx); return err })
	a.Worker.Every("subscriptions.scan", time.Minute, func(ctx context.Context) error { _, err := a.Subscriptions.Scan(ctx); return err })
	a.platformWork()
	var all sync.WaitGroup
	all.Go(func() { a.Courier.Run(ctx, couriers) })
	a.Worker.Run(ctx, 2)
	all.Wait()
}

// keepDays sums lines by day where that is wanting; what the reading took is given back.
func (a *App) keepDays(ctx context.Context) error {
	n, err := a.Expenditure.KeepDays(ctx, a.DayKeeper, a.Clock.Now())
	if n > 0 {
		debug.FreeOSMemory()
	}
	return err
}
