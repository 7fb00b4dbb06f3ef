package app

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"os"
	"path/filepath"

	"huoban/internal/account"
	"huoban/internal/adjustment"
	"huoban/internal/agreement"
	"huoban/internal/allocation"
	"huoban/internal/anomaly"
	"huoban/internal/app/metafetch"
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
	_ "huoban/internal/ingest/parquetrows" // registers the format
	_ "huoban/internal/ingest/workbook"    // registers the format
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
	"huoban/internal/statement"
	"huoban/internal/store"
	"huoban/internal/store/accountstore"
	"huoban/internal/store/anomalystore"
	"huoban/internal/store/auditstore"
	"huoban/internal/store/billstore"
	"huoban/internal/store/closestore"
	"huoban/internal/store/companystore"
	"huoban/internal/store/contractstore"
	"huoban/internal/store/deskstore"
	"huoban/internal/store/expenditurestore"
	"huoban/internal/store/flowstore"
	"huoban/internal/store/idemstore"
	"huoban/internal/store/jobstore"
	"huoban/internal/store/liststore"
	"huoban/internal/store/messagestore"
	"huoban/internal/store/migrate"
	"huoban/internal/store/newsstore"
	"huoban/internal/store/noticestore"
	"huoban/internal/store/orgstore"
	"huoban/internal/store/peakstore"
	"huoban/internal/store/sessionstore"
	"huoban/internal/store/usagestore"
	"huoban/internal/subscription"
	"huoban/internal/topup"
	"huoban/internal/withdrawal"
)

// App is the portal put together over one database.
type App struct {
	Settings Settings
	Log      *slog.Logger
	Clock    clock.Clock
	DB       *store.DB
	Key      audit.Key
	Notes    []string // what the start wants to tell the operator
	Fresh    bool     // the schema was made just now

	AuditStore    *auditstore.Store
	FlowLog       *flowstore.Store
	Audit         *audit.Chain
	Organisations *organisation.Service
	Customers     *customer.Service
	Accounts      *account.Service
	Setup         *account.Setup
	Sessions      *session.Manager
	Sources       *source.Service
	Attribution   *attribution.Service
	Deliveries    *delivery.Service
	Usage         *usagestore.Store
	BillStore     *billstore.Store
	Prices        *price.Service
	Bills         *bill.Service
	Closes        *monthclose.Service
	Adjustments   *adjustment.Service
	Expenditure   *expenditure.Service
	Peaks         *peak.Service
	DayKeeper     expenditure.DayKeeper
	Anomalies     *anomaly.Service
	Statements    *statement.Service
	Reconcile     *reconcile.Service
	Invoices      *invoice.Service
	Subscriptions *subscription.Service
	Messages      *message.Box
	Notices       *notice.Board
	News          *news.Board
	Company       *company.Service
	Ledger        *ledger.Service
	Desk          *desk.Service
	FourEyes      *foureyes.Service
	Payments      *payment.Service
	Credits       *creditline.Service
	TopUps        *topup.Service
	Agreements    *agreement.Service
	Contracts     *contract.Service
	Idempotency   *idempotency.Keeper
	Queue         *outbox.Queue
	Worker        *outbox.Worker
	Courier       *outbox.Worker // carries files to others, so that one who does not answer keeps nobody else waiting
	Exports       *export.Service
	SignOn        *signon.Service
	Hosted        *hosted.Service
	Platforms     *registry.Service
	Grants        *grant.Service
	Prospects     *prospect.Service
	Invitations   *invitation.Service
	Relations     *relation.Service
	Passcodes     *passcode.Service
	Coupons       *coupon.Service
	Withdrawals   *withdrawal.Service
	Allocations   *allocation.Service

	mails   bool // a mail server is set
	post    *post
	views   *liststore.Store
	outside *metafetch.Client
}

// Options of opening.
type Options struct {
	Log   *slog.Logger
	Clock clock.Clock // nil = the settings'
	Owner bool        // keep the rights of the login role on PostgreSQL, for maintenance commands
}

// Open makes the data folder and key if absent, brings the schema up to date and wires the services.
func Open(ctx context.Context, s Settings, o Options) (*App, error) {
	if o.Log == nil {
		o.Log = slog.New(slog.DiscardHandler)
	}
	if o.Clock == nil {
		o.Clock = s.NewClock()
	}
	if err := makeFolder(s.Data); err != nil {
		return nil, err
	}
	db, err := store.Open(ctx, s.Target())
	if err != nil {
		return nil, unopened(err)
	}
	a := &App{Settings: s, Log: o.Log, Clock: o.Clock, DB: db}
	if err := a.prepare(ctx, o); err != nil {
		db.Close()
		return nil, Explained(err)
	}
	return a, nil
}

// unopened says why a database cannot be opened: what a disk does has words of its own, a server's answer is
// passed on.
func unopened(err error) error {
	if f := fault.From(Explained(err)); f.Kind != fault.KindInternal && f.Code != "store.connection_lost" {
		return f
	}
	return fault.Unavailable("settings.database", fault.Args{"detail": err.Error()}).Because(err)
}

func makeFolder(path string) error {
	if err := os.MkdirAll(path, 0o700); err != nil {
		return fault.Unavailable("settings.data_folder", fault.Args{"path": path, "detail": err.Error()}).Because(err)
	}
	return nil
}

func (a *App) prepare(ctx context.Context, o Options) error {
	before, err := migrate.Version(ctx, a.DB)
	if err != nil {
		return err
	}
	res, err := migrate.Run(ctx, a.DB)
	if err != nil {
		return err
	}
	a.Fresh = before == 0
	if res.Note != "" {
		a.Notes = append(a.Notes, res.Note)
	}
	if !o.Owner {
		if _, err := a.DB.AsApplication(ctx); err != nil {
			return err
		}
	}
	if a.Key, err = a.loadKey(ctx); err != nil {
		return err
	}
	return a.wire()
}

// loadKey makes a key only for an empty audit chain: a chain whose key is lost cannot be continued.
func (a *App) loadKey(ctx context.Context) (audit.Key, error) {
	path := a.Settings.KeyFile()
	if _, err := os.Stat(path); errors.Is(err, fs.ErrNotExist) && !a.Fresh {
		head, err := auditstore.New(a.DB).Head(ctx)
		if err != nil {
			return audit.Key{}, err
		}
		if head.Seq > 0 {
			return audit.Key{}, fault.Unavailable("settings.key_missing", fault.Args{"path": path})
		}
	}
	return audit.LoadOrCreateKey(path)
}

func (a *App) wire() error {
	a.AuditStore, a.FlowLog = auditstore.New(a.DB), flowstore.New(a.DB)
	a.Audit = audit.NewChain(a.AuditStore, a.Clock, a.Key)
	a.Organisations = organisation.New(orgstore.NewOrganisations(a.DB), a.DB, a.Audit, a.Clock)
	a.Customers = customer.New(customer.Deps{Store: orgstore.NewCustomers(a.DB), Tx: a.DB, Log: a.FlowLog, Audit: a.Audit,
		Clock: a.Clock, Organisations: a.Organisations})
	var err error
	a.Sessions, err = session.New(sessionstore.New(a.DB), a.DB, a.Audit, a.Clock, session.Options{BaseURL: a.Settings.Base()})
	if err != nil {
		return err
	}
	a.Accounts, err = account.New(account.Deps{Store: accountstore.New(a.DB), Tx: a.DB, Audit: a.Audit, Clock: a.Clock,
		Organisations: a.Organisations, Windows: a.Customers, Sessions: a.Sessions, Secret: a.Key[:]})
	if err != nil {
		return err
	}
	a.Accounts.Letters = inviter{a}
	a.Customers.People = a.Accounts
	settings := deskstore.New(a.DB)
	a.Desk = &desk.Service{Tx: a.DB, Store: settings, Audit: a.Audit, Clock: a.Clock}
	a.FourEyes = &foureyes.Service{Tx: a.DB, Store: settings, Audit: a.Audit, Clock: a.Clock}
	a.wireMonth()
	a.Setup = account.NewSetup(a.Accounts, a.Organisations, a.firstSource)
	a.Messages = message.New(a.DB, messagestore.New(a.DB), a.Clock)
	a.News = &news.Board{Store: newsstore.New(a.DB), Tx: a.DB, Audit: a.Audit, Clock: a.Clock}
	a.Company = &company.Service{Store: companystore.New(a.DB), Papers: contractstore.New(a.DB), Vendors: a.Organisations.VendorsOf, Tx: a.DB, Log: a.FlowLog, Audit: a.Audit, Clock: a.Clock, Told: a.tellReviewed}
	a.Notices = notice.New(a.DB, noticestore.New(a.DB), a.Audit, a.Clock)
	a.Idempotency = idempotency.New(a.DB, idemstore.New(a.DB), a.Clock)
	jobs := jobstore.New(a.DB)
	a.Queue, a.Worker = outbox.NewQueue(jobs, a.Clock), outbox.NewWorker(a.DB, jobs, a.Clock, a.Log)
	a.Courier = outbox.NewWorker(a.DB, jobs, a.Clock, a.Log)
	a.wireSignOn()
	a.wirePasscodes()
	a.wireFunds()
	a.wireContracts()
	a.wireGrowth()
	a.wireCoupons()
	a.wireStatements()
	a.wireInvoices()
	a.wireWithdrawals()
	if err := a.wirePlatforms(); err != nil {
		return err
	}
	a.wireHosted()
	if err := a.wireSubscriptions(); err != nil {
		return err
	}
	a.wireExports() // last: the lists it writes are read by all of these
	a.wireWeekly()
	return a.wireMail()
}

// wireMonth joins import, attribution, price, bill, adjustment and close, which call each other
// through the interfaces each of them names.
func (a *App) wireMonth() {
	a.Usage, a.BillStore = usagestore.New(a.DB), billstore.New(a.DB)
	closes, adjustments := closestore.New(a.DB), closestore.NewAdjustments(a.DB)
	a.Sources = source.New(a.Usage, a.DB, a.Organisations, a.Audit, a.Clock)
	a.Prices = &price.Service{Tx: a.DB, Store: a.BillStore, Audit: a.Audit, Clock: a.Clock}
	a.Adjustments = &adjustment.Service{Tx: a.DB, Store: adjustments, Books: a.Prices, Parties: a.BillStore, Audit: a.Audit,
		Log: a.FlowLog, Clock: a.Clock, Limits: a.FourEyes.Of}
	a.Bills = &bill.Service{Store: a.BillStore, Books: a.Prices, Reader: a.Usage, Adjustments: a.Adjustments, Histories: a.Prices, LineStore: a.BillStore}
	charges := expenditurestore.New(a.DB)
	a.Expenditure, a.DayKeeper = &expenditure.Service{Tx: a.DB, Store: charges, Reader: a.Usage}, charges
	a.Anomalies = &anomaly.Service{Tx: a.DB, Store: anomalystore.New(a.DB), Consumption: a.Expenditure, Audit: a.Audit, Clock: a.Clock}
	a.Closes = &monthclose.Service{Tx: a.DB, Store: closes, Bills: a.BillStore, Compute: a.Bills, Books: a.Prices, Audit: a.Audit,
		Log: a.FlowLog, Clock: a.Clock, Told: a.tellPartners}
	a.Adjustments.Cycles = a.Closes
	a.Attribution = attribution.New(attribution.Deps{Store: a.Usage, Tx: a.DB, Organisations: a.Organisations, Customers: a.Customers,
		Remap: a.Adjustments, Audit: a.Audit, Clock: a.Clock})
	a.Deliveries = delivery.New(delivery.Deps{Store: a.Usage, Tx: a.DB, Sources: a.Sources, Rules: a.Attribution, Correct: a.Adjustments,
		Log: a.FlowLog, Audit: a.Audit, Clock: a.Clock, Locks: a.DB})
	a.Attribution.Rekey = a.Deliveries
	a.Peaks = peak.New(peak.Deps{Store: peakstore.New(a.DB), Tx: a.DB, Sources: a.Sources, Organisations: a.Organisations, Rules: a.Attribution,
		Spans: a.Expenditure, Audit: a.Audit, Clock: a.Clock, Locks: a.DB})
}

// firstSource declares the source of the set-up page.
func (a *App) firstSource(ctx context.Context, sc scope.Scope, vendorCode string, in account.SetupSource) error {
	_, err := a.Sources.Add(ctx, sc, source.AddInput{Vendor: vendorCode, Name: in.Name, Dialect: in.Dialect, Zone: in.Zone})
	return err
}

// Close ends the database connections.
func (a *App) Close() error { return a.DB.Close() }

// DataFile is a path inside the data folder.
func (a *App) DataFile(name string) string { return filepath.Join(a.Settings.Data, name) }

// Operator is the scope of the operator's commands; asLogin is a person named by --as.
func (a *App) Operator(ctx context.Context, asLogin, systemUser string) (context.Context, scope.Scope, error) {
	ctx = audit.WithRequest(ctx, audit.Request{SystemUser: systemUser})
	if asLogin == "" {
		return ctx, scope.System("operator"), nil
	}
	p, err := a.Accounts.PersonByLogin(ctx, asLogin)
	if err != nil {
		return ctx, scope.Scope{}, err
	}
	sc, err := a.Accounts.ScopeOf(ctx, p, p.OrgID)
	if err != nil {
		return ctx, scope.Scope{}, fmt.Errorf("scope of %s: %w", asLogin, err)
	}
	return ctx, sc, nil
}
