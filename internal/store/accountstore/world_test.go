package accountstore_test

import (
	"context"
	"encoding/json"
	"testing"
	"time"

	"huoban/internal/account"
	"huoban/internal/audit"
	"huoban/internal/clock"
	"huoban/internal/customer"
	"huoban/internal/fault"
	"huoban/internal/organisation"
	"huoban/internal/scope"
	"huoban/internal/session"
	"huoban/internal/store"
	"huoban/internal/store/accountstore"
	"huoban/internal/store/auditstore"
	"huoban/internal/store/flowstore"
	"huoban/internal/store/orgstore"
	"huoban/internal/store/sessionstore"
)

// The cast: a vendor, a distributor with one reseller, a solution provider, three customers.
const right = "lamp-tiger-93"

var operator = scope.System("operator")

// world is every identity service on one real database.
type world struct {
	t         *testing.T
	ctx       context.Context
	clock     *clock.Fixed
	chain     *audit.Chain
	audit     *auditstore.Store
	orgs      *organisation.Service
	customers *customer.Service
	accounts  *account.Service
	sessions  *session.Manager
	setup     *account.Setup
	sources   []account.SetupSource
	org       map[string]organisation.Organisation
}

func newWorld(t *testing.T, db *store.DB) *world {
	t.Helper()
	w := &world{t: t, ctx: t.Context(), clock: clock.At(time.Date(2026, 11, 21, 2, 0, 0, 0, time.UTC)), org: map[string]organisation.Organisation{}}
	w.audit = auditstore.New(db)
	w.chain = audit.NewChain(w.audit, w.clock, audit.Key{1})
	w.orgs = organisation.New(orgstore.NewOrganisations(db), db, w.chain, w.clock)
	w.customers = customer.New(customer.Deps{Store: orgstore.NewCustomers(db), Tx: db, Log: flowstore.New(db), Audit: w.chain,
		Clock: w.clock, Organisations: w.orgs})
	var err error
	w.sessions, err = session.New(sessionstore.New(db), db, w.chain, w.clock, session.Options{BaseURL: "http://localhost:8080"})
	w.must(err)
	w.accounts, err = account.New(account.Deps{Store: accountstore.New(db), Tx: db, Audit: w.chain, Clock: w.clock, Organisations: w.orgs,
		Windows: w.customers, Sessions: w.sessions, Secret: []byte("a secret of the installation, 32"),
		Hashing: &account.Hashing{MemoryKiB: 64, Iterations: 1, Parallelism: 1, AtOnce: 4, Wait: 5 * time.Second}})
	w.must(err)
	w.customers.People = w.accounts
	w.setup = account.NewSetup(w.accounts, w.orgs, func(_ context.Context, _ scope.Scope, vendor string, in account.SetupSource) error {
		if in.Name == "bad" {
			return fault.Invalid("source.name_malformed", nil)
		}
		w.sources = append(w.sources, in)
		return nil
	})
	return w
}

// cast makes the organisations of the story.
func (w *world) cast() *world {
	w.t.Helper()
	for _, in := range []organisation.AddInput{
		{Code: "yunfan", Kind: organisation.KindVendor, Name: "云帆"},
		{Code: "other", Kind: organisation.KindVendor, Name: "Other"},
		{Code: "zongdai", Kind: organisation.KindDistributor, Name: "总代", ParentCode: "yunfan"},
		{Code: "jingxiao", Kind: organisation.KindReseller, Name: "经销", ParentCode: "zongdai"},
		{Code: "fangan", Kind: organisation.KindSolution, Name: "方案", ParentCode: "yunfan"},
		{Code: "c1", Kind: organisation.KindCustomer, Name: "客户一"},
		{Code: "c2", Kind: organisation.KindCustomer, Name: "客户二"},
		{Code: "c3", Kind: organisation.KindCustomer, Name: "客户三"},
	} {
		r, err := w.orgs.Add(w.ctx, operator, in)
		w.must(err)
		w.org[in.Code] = r.Organisation
	}
	return w
}

func (w *world) must(err error) {
	w.t.Helper()
	if err != nil {
		w.t.Fatal(err)
	}
}

func (w *world) refused(err error, code string) {
	w.t.Helper()
	if !fault.HasCode(err, code) {
		w.t.Errorf("got %v, want %s", err, code)
	}
}

func (w *world) person(org, login string, roles ...string) account.Person {
	w.t.Helper()
	r, err := w.accounts.AddPerson(w.ctx, operator, account.AddPersonInput{OrgCode: org, Login: login, Name: login, Roles: roles,
		Password: right, KeepPassword: true})
	w.must(err)
	return r.Person
}

func (w *world) scope(p account.Person, org string) scope.Scope {
	w.t.Helper()
	sc, err := w.accounts.ScopeOf(w.ctx, p, org)
	w.must(err)
	return sc
}

func (w *world) signIn(login, password, ip string) (account.SignInResult, error) {
	return w.accounts.SignIn(w.ctx, account.SignInInput{Login: login, Password: password, IP: ip})
}

// acts lists the audit rows from the oldest, as "action outcome object".
func (w *world) acts() []string {
	w.t.Helper()
	rows, err := w.audit.After(w.ctx, 0, 1000)
	w.must(err)
	var out []string
	for _, r := range rows {
		out = append(out, r.Action+" "+r.Outcome+" "+r.Object)
		if _, err := json.Marshal(r); err != nil {
			w.t.Fatal(err)
		}
	}
	return out
}
