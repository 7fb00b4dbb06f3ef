package portal_test

import (
	"context"
	"flag"
	"fmt"
	"math/rand/v2"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"huoban/internal/account"
	"huoban/internal/app"
	"huoban/internal/attribution"
	"huoban/internal/clock"
	"huoban/internal/customer"
	"huoban/internal/delivery"
	"huoban/internal/expenditure"
	"huoban/internal/message"
	"huoban/internal/monthclose"
	"huoban/internal/organisation"
	"huoban/internal/source"
	"huoban/internal/store/expenditurestore"
	"huoban/internal/store/storetest"
)

var (
	truthSteps = flag.Int("pages.steps", 10, "steps of the walk that compares kept pages with fresh ones")
	truthSeed  = flag.Uint64("pages.seed", 1, "seed of that walk")
)

// truth is two portals over one database: one that people change things through, and a replica that
// keeps pages.
type truth struct {
	t       *testing.T
	rand    *rand.Rand
	clock   *clock.Fixed
	app     *app.App
	replica http.Handler
	lines   int // how often the replica read lines
	actors  []*truthActor
	done    map[string]int
}

type truthActor struct {
	login, org, cookie string
}

func newTruth(t *testing.T, db string, seed uint64) *truth {
	w := &truth{t: t, rand: rand.New(rand.NewPCG(seed, 7)), clock: clock.At(time.Date(2026, 2, 3, 8, 0, 0, 0, time.UTC)), done: map[string]int{}}
	s := app.Settings{Addr: "127.0.0.1:0", BaseURL: "http://localhost:8080", Data: t.TempDir(), DB: db, PageCache: 1}
	for i := range 2 {
		a, err := app.Open(t.Context(), s, app.Options{Clock: w.clock})
		w.must(err)
		t.Cleanup(func() { a.Close() })
		if i == 0 {
			w.app = a
			continue
		}
		w.replica, err = a.Handler()
		w.must(err)
		a.DB.Watch(func(name string) {
			if name == "expenditure.Lines" {
				w.lines++
			}
		})
	}
	ctx := t.Context()
	for _, o := range []organisation.AddInput{{Code: "NOVA", Kind: organisation.KindVendor, Name: "Nova"}, {Code: "MUSHI", Kind: organisation.KindSolution, Name: "Mushi", ParentCode: "NOVA"},
		{Code: "LUMI", Kind: organisation.KindSolution, Name: "Lumi", ParentCode: "NOVA"}} {
		_, err := w.app.Organisations.Add(ctx, operator, o)
		w.must(err)
	}
	_, err := w.app.Sources.Add(ctx, operator, source.AddInput{Vendor: "NOVA", Name: "nova", Dialect: "focus"})
	w.must(err)
	w.must(w.deliver())
	w.must(w.attribute(true))
	for _, u := range []struct{ org, login, role string }{{"MUSHI", "one", account.RoleFinance}, {"MUSHI", "two", account.RoleFinance}, {"MUSHI", "boss", account.RoleAdmin},
		{"MUSHI", "carer", account.RoleManager}, {"LUMI", "other", account.RoleAdmin}, {"C1", "buyer", account.RoleAdmin}} {
		_, err := w.app.Accounts.AddPerson(ctx, operator, account.AddPersonInput{OrgCode: u.org, Login: u.login, Name: "<" + u.login + ">", Roles: []string{u.role}, Password: password, KeepPassword: true})
		w.must(err)
		form := url.Values{"username": {u.login}, "password": {password}}
		r := httptest.NewRequest(http.MethodPost, "/login", strings.NewReader(form.Encode()))
		r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
		rec := httptest.NewRecorder()
		w.replica.ServeHTTP(rec, r)
		if rec.Code != http.StatusSeeOther || len(rec.Result().Cookies()) == 0 {
			t.Fatal(u.login, rec.Code)
		}
		w.actors = append(w.actors, &truthActor{u.login, u.org, rec.Result().Cookies()[0].String()})
	}
	return w
}

func (w *truth) must(err error) {
	w.t.Helper()
	if err != nil {
		w.t.Fatal(err)
	}
}

// fresh is a portal that remembers nothing.
func (w *truth) fresh() http.Handler {
	a := *w.app
	a.Settings.PageCache = 0
	a.Expenditure = &expenditure.Service{Tx: a.DB, Store: expenditurestore.New(a.DB), Reader: a.Usage}
	h, err := a.Handler()
	w.must(err)
	return h
}

var keyValue = regexp.MustCompile(`(name="idempotency_key" value=")[^"]*"`)

func (a *truthActor) get(h http.Handler, method, path, lang string) (int, string) {
	r := httptest.NewRequest(method, path, nil)
	r.Header.Set("Cookie", a.cookie)
	r.Header.Set("Accept-Language", lang)
	rec := httptest.NewRecorder()
	h.ServeHTTP(rec, r)
	body := rec.Body.String()
	if rec.Code != http.StatusOK { // the number of the request stands on a page of a fault
		body = ""
	}
	return rec.Code, keyValue.ReplaceAllString(body, `$1"`)
}

// compare asks for every page of everybody, fresh and twice of the replica.
func (w *truth) compare(step string) {
	fresh, shown := w.fresh(), 0
	defer func() {
		if shown == 0 {
			w.t.Errorf("after %s nobody sees a page", step)
		}
	}()
	for _, a := range w.actors {
		for _, org := range []string{a.org, "MUSHI"} {
			for i, query := range []string{"", "&zero=all", "&zero=all&size=20&customer=C1", "&customer=C2"} {
				path, lang := "/o/"+org+"/expenditure/lines?cycle=2026-01"+query, []string{"zh-CN", "en"}[i%2]
				code, want := a.get(fresh, http.MethodGet, path, lang)
				if code == http.StatusOK {
					shown++
				} else if code >= 500 {
					w.t.Fatalf("after %s, %s asks %s: %d", step, a.login, path, code)
				}
				for n := range 2 {
					gotCode, got := a.get(w.replica, http.MethodGet, path, lang)
					if gotCode != code || got != want {
						w.t.Fatalf("after %s, %s asks %s the %d. time: %d and %d bytes, fresh %d and %d bytes: %s", step, a.login, path, n+1, gotCode, len(got), code, len(want), differ(got, want))
					}
				}
			}
		}
	}
}

// differ shows where two texts part.
func differ(a, b string) string {
	i := 0
	for i < len(a) && i < len(b) && a[i] == b[i] {
		i++
	}
	cut := func(s string) string { return s[max(0, min(i-60, len(s))):min(i+120, len(s))] }
	return fmt.Sprintf("%q and %q", cut(a), cut(b))
}

func (w *truth) deliver() error {
	path := filepath.Join(w.t.TempDir(), "charges.csv")
	text := strings.ReplaceAll(charges(), "Compute", fmt.Sprintf("Compute%d", w.rand.IntN(1e6)))
	w.must(os.WriteFile(path, []byte(text), 0o600))
	_, err := w.app.Deliveries.Import(w.t.Context(), operator, delivery.Input{Source: "nova", Paths: []string{path}, Final: delivery.FinalMark{All: true}})
	return err
}

// attribute sends each account to some customer. A customer's partner is named the first time.
func (w *truth) attribute(first bool) error {
	text := strings.Join(attribution.Header, ",") + "\n"
	for i := range 3 {
		n, more := w.rand.IntN(3)+1, ",,"
		if first {
			n, more = i+1, []string{"MUSHI,resale,", "MUSHI,referral,", "LUMI,resale,"}[i]
		}
		text += fmt.Sprintf("nova,s%d,C%d,%s,\n", i+1, n, more)
	}
	_, err := w.app.Attribution.Import(w.t.Context(), operator, attribution.ImportInput{File: strings.NewReader(text)})
	return err
}

// associate gives a customer to another partner, from some day on.
func (w *truth) associate(ctx context.Context) error {
	c, err := w.app.Organisations.ByCode(ctx, operator, fmt.Sprintf("C%d", w.rand.IntN(3)+1))
	w.must(err)
	p, err := w.app.Organisations.ByCode(ctx, operator, []string{"MUSHI", "LUMI"}[w.rand.IntN(2)])
	w.must(err)
	_, err = w.app.Customers.Associate(ctx, operator, customer.AssociateInput{CustomerID: c.ID, PartnerID: p.ID, Kind: []customer.Kind{customer.KindResale, customer.KindReferral}[w.rand.IntN(2)],
		From: time.Date(2026, 1, 1+w.rand.IntN(6), w.rand.IntN(24), 0, 0, 0, time.UTC), Replace: true})
	return err
}

// step does one thing of many and tells what.
func (w *truth) step() string {
	ctx := w.t.Context()
	var name string
	var err error
	switch w.rand.IntN(18) / 2 {
	case 0:
		name, err = "import", w.deliver()
	case 1:
		name = "revert"
		_, err = w.app.Deliveries.Revert(ctx, operator, "nova", "walk")
	case 2:
		name, err = "attribution", w.attribute(false)
	case 3:
		name, err = "association", w.associate(ctx)
	case 4:
		name, err = "assignment", w.assign(ctx)
	case 5:
		name = "role"
		roles := [][]string{{account.RoleFinance}, {account.RoleAdmin}, {account.RoleManager}, {account.RoleFinance, account.RoleManager}}[w.rand.IntN(4)]
		err = w.app.Accounts.SetRoles(ctx, operator, []string{"one", "two"}[w.rand.IntN(2)], "MUSHI", roles)
	case 6:
		name, err = "message", w.notify(ctx)
	case 7:
		if w.rand.IntN(4) > 0 { // an issued month refuses much of the rest
			return w.step()
		}
		name = "close"
		var vendor organisation.Organisation
		if vendor, err = w.app.Organisations.ByCode(ctx, operator, "NOVA"); err == nil {
			_, err = w.app.Closes.Run(ctx, operator, monthclose.Input{VendorID: vendor.ID, Cycle: "2026-01", Issue: w.rand.IntN(3) == 0})
		}
	case 8:
		name = "reveal"
		a := w.actors[w.rand.IntN(len(w.actors))]
		a.get(w.replica, http.MethodPost, "/o/"+a.org+"/expenditure/lines?cycle=2026-01", "en")
	}
	if err == nil {
		w.done[name]++
	} else {
		w.done["refused "+name]++
	}
	w.clock.Set(w.clock.Now().Add(time.Duration(w.rand.IntN(3000)) * time.Second))
	return name
}

func (w *truth) assign(ctx context.Context) error {
	boss, err := w.app.Accounts.PersonByLogin(ctx, "boss")
	w.must(err)
	sc, err := w.app.Accounts.ScopeOf(ctx, boss, "MUSHI")
	w.must(err)
	carer, err := w.app.Accounts.PersonByLogin(ctx, "carer")
	w.must(err)
	c, err := w.app.Organisations.ByCode(ctx, operator, fmt.Sprintf("C%d", w.rand.IntN(3)+1))
	if err == nil {
		_, err = w.app.Customers.Assign(ctx, sc, customer.AssignInput{CustomerID: c.ID, PersonID: carer.ID, Day: time.Date(2026, 1, 1+w.rand.IntN(40), 0, 0, 0, 0, time.UTC)})
	}
	return err
}

func (w *truth) notify(ctx context.Context) error {
	p, err := w.app.Accounts.PersonByLogin(ctx, []string{"one", "two"}[w.rand.IntN(2)])
	w.must(err)
	return w.app.DB.InTx(ctx, func(ctx context.Context) error {
		return w.app.Messages.Notify(ctx, message.Notice{OrgID: p.OrgID, PersonID: p.ID, Category: message.CategorySystem, Code: "walk", Link: fmt.Sprint(w.rand.Int())})
	})
}

// Whatever happens, and on whichever replica, a kept page is byte for byte the page made anew.
func TestKeptPagesAreTrue(t *testing.T) {
	walk := func(t *testing.T, db string) {
		w := newTruth(t, db, *truthSeed)
		w.compare("the beginning")
		for range *truthSteps {
			w.compare(w.step())
		}
		before := w.lines
		w.compare("nothing")
		if w.lines != before {
			t.Errorf("lines were read %d times for pages that are kept", w.lines-before)
		}
		if len(w.done) < 3 {
			t.Errorf("only %v succeeded", w.done)
		}
		t.Log(w.done)
	}
	t.Run("sqlite", func(t *testing.T) { walk(t, "") })
	t.Run("postgres", func(t *testing.T) { walk(t, storetest.PostgresURL(t)) })
}
