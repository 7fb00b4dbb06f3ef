package portal_test

import (
	"context"
	"flag"
	"fmt"
	"maps"
	"math/rand/v2"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"huoban/internal/account"
	"huoban/internal/adjustment"
	"huoban/internal/app"
	"huoban/internal/attribution"
	"huoban/internal/clock"
	"huoban/internal/customer"
	"huoban/internal/cycle"
	"huoban/internal/delivery"
	"huoban/internal/expenditure"
	"huoban/internal/message"
	"huoban/internal/monthclose"
	"huoban/internal/notice"
	"huoban/internal/organisation"
	"huoban/internal/portal"
	"huoban/internal/scope"
	"huoban/internal/source"
	"huoban/internal/store/expenditurestore"
	"huoban/internal/store/liststore"
	"huoban/internal/store/storetest"
	"huoban/web/templates/layout"
)

var (
	truthSteps = flag.Int("pages.steps", 2, "steps at random after one of each kind, of the walk that compares kept pages with fresh ones")
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
	signed  time.Time // when they signed in
	last    int64     // the newest delivery that was not reverted
	keys    map[string]bool
	done    map[string]int
}

type truthActor struct {
	login, org, cookie, theme string
}

func newTruth(t *testing.T, db string, seed uint64) *truth {
	w := &truth{t: t, rand: rand.New(rand.NewPCG(seed, 7)), clock: clock.At(time.Date(2026, 2, 27, 8, 0, 0, 0, time.UTC)), keys: map[string]bool{}, done: map[string]int{}}
	s := app.Settings{Addr: "127.0.0.1:0", BaseURL: "http://localhost:8080", Data: t.TempDir(), DB: db, PageCache: 16}
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
			if name == "expenditure.Lines" || name == "expenditure.AllLines" {
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
	w.must(w.deliver("2026-02"))
	w.must(w.deliver("2026-01"))
	w.must(w.attribute(true))
	for _, u := range []struct{ org, login, role string }{{"MUSHI", "one", account.RoleFinance}, {"MUSHI", "two", account.RoleFinance}, {"MUSHI", "boss", account.RoleAdmin},
		{"MUSHI", "carer", account.RoleManager}, {"MUSHI", "keeper", account.RoleManager}, {"LUMI", "other", account.RoleAdmin}, {"C1", "buyer", account.RoleAdmin}} {
		_, err := w.app.Accounts.AddPerson(ctx, operator, account.AddPersonInput{OrgCode: u.org, Login: u.login, Name: "<" + u.login + ">", Roles: []string{u.role}, Password: password, KeepPassword: true})
		w.must(err)
		w.actors = append(w.actors, &truthActor{login: u.login, org: u.org})
	}
	w.actors[1].theme = "dark"               // sees what the first sees
	w.must(w.entrust(ctx, "carer", "C1", 1)) // two of one role who see different customers
	w.must(w.entrust(ctx, "keeper", "C2", 1))
	w.signIn()
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
	defer portal.KeepShells(0)()
	a := *w.app
	a.Settings.PageCache = 0
	a.Expenditure = &expenditure.Service{Tx: a.DB, Store: expenditurestore.New(a.DB), Reader: a.Usage}
	marks := *a.Anomalies
	marks.Consumption = a.Expenditure
	a.Anomalies = &marks
	h, err := a.Handler()
	w.must(err)
	return h
}

// signIn opens a session for everybody, each with its theme.
func (w *truth) signIn() {
	w.signed = w.clock.Now()
	for _, a := range w.actors {
		a.cookie = ""
		rec := a.post(w.replica, "/login", url.Values{"username": {a.login}, "password": {password}})
		if rec.Code != http.StatusSeeOther || len(rec.Result().Cookies()) == 0 {
			w.t.Fatal(a.login, rec.Code)
		}
		a.cookie = rec.Result().Cookies()[0].String()
		w.show(a)
	}
}

// show sets the theme of an actor's session.
func (w *truth) show(a *truthActor) {
	if rec := a.post(w.replica, layout.PathTheme, url.Values{"theme": {a.theme}, "next": {"/"}}); rec.Code != http.StatusSeeOther {
		w.t.Fatal(a.login, rec.Code)
	}
}

func (a *truthActor) post(h http.Handler, path string, form url.Values) *httptest.ResponseRecorder {
	r := httptest.NewRequest(http.MethodPost, path, strings.NewReader(form.Encode()))
	r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	r.Header.Set("Cookie", a.cookie)
	rec := httptest.NewRecorder()
	h.ServeHTTP(rec, r)
	return rec
}

var keyValue = regexp.MustCompile(`(name="idempotency_key" value=")([^"]*)"`)

// get asks for a page and gives it without the keys of its forms, which nobody may have seen before.
func (w *truth) get(a *truthActor, h http.Handler, path, lang string) (int, string) {
	r := httptest.NewRequest(http.MethodGet, path, nil)
	r.Header.Set("Cookie", a.cookie)
	r.Header.Set("Accept-Language", lang)
	rec := httptest.NewRecorder()
	h.ServeHTTP(rec, r)
	body := rec.Body.String()
	if rec.Code != http.StatusOK { // the number of the request stands on a page of a fault
		return rec.Code, ""
	}
	for _, m := range keyValue.FindAllStringSubmatch(body, -1) {
		if w.keys[m[2]] || len(m[2]) < 20 {
			w.t.Fatalf("%s has the key %q of another page", path, m[2])
		}
		w.keys[m[2]] = true
	}
	return rec.Code, keyValue.ReplaceAllString(body, `$1"`)
}

var turned = regexp.MustCompile(`href="([^"]*(?:after|before)=[^"]*)"`)

// turns are the pages beside a page.
func turns(page string) (out []string) {
	for _, m := range turned.FindAllStringSubmatch(page, -1) {
		out = append(out, strings.ReplaceAll(m[1], "&amp;", "&"))
	}
	return out
}

// compare asks for every page of everybody in both languages, fresh and twice of the replica; of two lists in one
// language also for the page behind the first, and back from there.
func (w *truth) compare(step string) {
	fresh, shown, boards := w.fresh(), 0, 0
	clear(w.keys)
	for _, a := range w.actors {
		for _, org := range slices.Compact([]string{a.org, "MUSHI"}) {
			for _, query := range []string{"by=customer&tab=trend&from=2026-01&to=2026-02", "by=manager&from=2026-01&to=2026-02&sort=name"} {
				if code, _ := w.alike(step, a, fresh, "/o/"+org+"/dashboards/expenditure?"+query, "zh-CN"); code == http.StatusOK {
					boards++
				}
			}
			for _, query := range []string{"cycle=2026-01", "cycle=2026-01&zero=all", "cycle=2026-01&zero=all&size=20&customer=C1", "cycle=2026-02&zero=all"} {
				paths := []string{"/o/" + org + "/expenditure/lines?" + query, "/o/" + org + "/expenditure/lines?" + query}
				for i := 0; i < len(paths); i++ {
					path, lang := paths[i], []string{"zh-CN", "en"}[min(i, 1)]
					code, want := w.alike(step, a, fresh, path, lang)
					if beside := turns(want); i > 0 && i < 3 && strings.HasSuffix(query, "zero=all") && len(beside) > 0 {
						paths = append(paths, beside[0])
					}
					if code == http.StatusOK {
						shown++
					}
				}
			}
		}
	}
	if shown == 0 || boards == 0 {
		w.t.Errorf("after %s nobody sees a page", step)
	}
}

// alike asks for a page fresh and twice of the replica, which must give the same.
func (w *truth) alike(step string, a *truthActor, fresh http.Handler, path, lang string) (code int, want string) {
	w.t.Helper()
	code, want = w.get(a, fresh, path, lang)
	if code != http.StatusOK && code != http.StatusNotFound && code != http.StatusForbidden && code != http.StatusUnprocessableEntity {
		w.t.Fatalf("after %s, %s asks %s: %d", step, a.login, path, code)
	}
	for n := range 2 {
		gotCode, got := w.get(a, w.replica, path, lang)
		if gotCode != code || got != want {
			w.t.Fatalf("after %s, %s asks %s the %d. time: %d and %d bytes, fresh %d and %d bytes: %s", step, a.login, path, n+1, gotCode, len(got), code, len(want), differ(got, want))
		}
	}
	return code, want
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

// deliver imports another account of a month; that of January is final.
func (w *truth) deliver(month string) error {
	path := filepath.Join(w.t.TempDir(), "charges.csv")
	text := strings.ReplaceAll(charges(), "Compute", fmt.Sprintf("Compute%d", w.rand.IntN(1e6)))
	in := delivery.Input{Source: "nova", Paths: []string{path}, Final: delivery.FinalMark{All: true}}
	if month == "2026-02" {
		text = strings.NewReplacer("2026-02-01", "2026-03-01", "2026-01-", "2026-02-").Replace(text)
		in.Final = delivery.FinalMark{}
	}
	w.must(os.WriteFile(path, []byte(text), 0o600))
	got, err := w.app.Deliveries.Import(w.t.Context(), operator, in)
	if err == nil {
		w.last = got.Number
	}
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

// steps are what may happen, and whether the database may refuse it at times.
var steps = map[string]struct {
	do      func(*truth, context.Context) error
	refused bool
}{
	"import": {do: func(w *truth, _ context.Context) error {
		return w.deliver([]string{"2026-01", "2026-02"}[w.rand.IntN(2)])
	}},
	"revert":      {do: (*truth).revert},
	"attribution": {do: func(w *truth, _ context.Context) error { return w.attribute(false) }, refused: true},
	"association": {do: (*truth).associate, refused: true},
	"assignment":  {do: (*truth).assign, refused: true},
	"role":        {do: (*truth).role},
	"message":     {do: (*truth).notify},
	"adjustment":  {do: (*truth).adjust},
	"close":       {do: (*truth).close, refused: true},
	"columns":     {do: (*truth).choose},
	"theme":       {do: (*truth).dress},
	"notice":      {do: (*truth).announce},
	"reveal":      {do: (*truth).reveal},
}

// step does one thing and looks what everybody sees then.
func (w *truth) step(name string) {
	x := steps[name]
	switch err := x.do(w, w.t.Context()); {
	case err == nil:
		w.done[name]++
	case x.refused || w.done["close"] > 0: // a closed month refuses much
		w.done["refused "+name]++
	default:
		w.t.Fatalf("%s: %v", name, err)
	}
	w.clock.Set(w.clock.Now().Add(time.Duration(w.rand.IntN(2000)) * time.Second))
	if w.clock.Now().Sub(w.signed) > 10*time.Hour {
		w.signIn()
	}
	w.compare(name)
}

// turn lets a month end between two requests of one session.
func (w *truth) turn() {
	next := cycle.Of(w.clock.Now(), cycle.Zone).Add(1).Start(cycle.Zone)
	w.clock.Set(next.Add(-time.Minute))
	w.signIn()
	w.compare("the last minute of a month")
	w.clock.Set(next)
	w.compare("the end of a month")
}

// revert takes the newest delivery back.
func (w *truth) revert(ctx context.Context) error {
	if w.last == 0 {
		if err := w.deliver("2026-01"); err != nil {
			return err
		}
		w.compare("import to be reverted")
	}
	_, err := w.app.Deliveries.Revert(ctx, operator, fmt.Sprintf("nova/%d", w.last), "walk")
	w.last = 0
	return err
}

func (w *truth) role(ctx context.Context) error {
	roles := [][]string{{account.RoleFinance}, {account.RoleAdmin}, {account.RoleManager}, {account.RoleFinance, account.RoleManager}}[w.rand.IntN(4)]
	return w.app.Accounts.SetRoles(ctx, operator, []string{"one", "two"}[w.rand.IntN(2)], "MUSHI", roles)
}

func (w *truth) close(ctx context.Context) error {
	vendor, err := w.app.Organisations.ByCode(ctx, operator, "NOVA")
	w.must(err)
	_, err = w.app.Closes.Run(ctx, operator, monthclose.Input{VendorID: vendor.ID, Cycle: "2026-01", Issue: w.rand.IntN(3) == 0})
	return err
}

// adjust enters an adjustment, and somebody else lets it count.
func (w *truth) adjust(ctx context.Context) error {
	in := adjustment.Proposal{Corrects: "2026-01", Currency: "USD", Amount: fmt.Sprintf("-%d.5", w.rand.IntN(90)+1), Reason: "walk"}
	for code, at := range map[string]*string{"NOVA": &in.VendorID, "MUSHI": &in.PartnerID, "C1": &in.CustomerID} {
		o, err := w.app.Organisations.ByCode(ctx, operator, code)
		w.must(err)
		*at = o.ID
	}
	a, err := w.app.Adjustments.Propose(ctx, operator, in)
	if err == nil {
		_, err = w.app.Adjustments.Approve(ctx, scope.System("second"), a.ID)
	}
	return err
}

// choose gives somebody other columns of every list that has some to choose.
func (w *truth) choose(ctx context.Context) error {
	p, err := w.app.Accounts.PersonByLogin(ctx, []string{"one", "two"}[w.rand.IntN(2)])
	w.must(err)
	kept := liststore.New(w.app.DB, w.clock)
	all := portal.LineColumns()
	for _, list := range slices.Sorted(maps.Keys(all)) {
		keys := all[list]
		w.rand.Shuffle(len(keys), func(i, j int) { keys[i], keys[j] = keys[j], keys[i] })
		n := 1 + w.rand.IntN(len(keys)-1)
		if err := w.app.DB.InTx(ctx, func(ctx context.Context) error { return kept.SetColumns(ctx, p.ID, list, keys[:n]) }); err != nil {
			return err
		}
	}
	return nil
}

// dress changes the theme of a session, and nothing that is kept in the database besides it.
func (w *truth) dress(context.Context) error {
	a := w.actors[w.rand.IntN(2)]
	a.theme = map[string]string{"": "light", "light": "dark", "dark": ""}[a.theme]
	w.show(a)
	return nil
}

// announce puts a line over every page for a while; the first actor takes it off at once.
func (w *truth) announce(ctx context.Context) error {
	n, _, err := w.app.Notices.Set(ctx, operator, notice.In{Level: notice.Levels[w.rand.IntN(2)], TextZH: fmt.Sprint("维护 ", w.rand.Int()), TextEN: fmt.Sprint("<b>works</b> ", w.rand.Int()),
		EndsAt: w.clock.Now().Add(time.Duration(1+w.rand.IntN(4000)) * time.Second)})
	w.must(err)
	w.compare("notice that is up")
	a := w.actors[0]
	rec := a.post(w.replica, "/o/"+a.org+"/notices/"+n.ID+"/dismissal", url.Values{"next": {"/"}})
	if rec.Code != http.StatusSeeOther {
		return fmt.Errorf("dismissal: %d", rec.Code)
	}
	return nil
}

// reveal has somebody look at names in clear, which nobody else may see for it.
func (w *truth) reveal(context.Context) error {
	for _, a := range w.actors {
		a.post(w.replica, "/o/"+a.org+"/expenditure/lines?cycle=2026-01", url.Values{})
	}
	return nil
}

// assign gives a customer to one of the managers, from some day on.
func (w *truth) assign(ctx context.Context) error {
	return w.entrust(ctx, []string{"carer", "keeper"}[w.rand.IntN(2)], fmt.Sprintf("C%d", w.rand.IntN(3)+1), 1+w.rand.IntN(40))
}

func (w *truth) entrust(ctx context.Context, login, code string, day int) error {
	boss, err := w.app.Accounts.PersonByLogin(ctx, "boss")
	w.must(err)
	sc, err := w.app.Accounts.ScopeOf(ctx, boss, "MUSHI")
	w.must(err)
	manager, err := w.app.Accounts.PersonByLogin(ctx, login)
	w.must(err)
	c, err := w.app.Organisations.ByCode(ctx, operator, code)
	w.must(err)
	_, err = w.app.Customers.Assign(ctx, sc, customer.AssignInput{CustomerID: c.ID, PersonID: manager.ID, From: time.Date(2026, 1, day, 0, 0, 0, 0, time.UTC)})
	return err
}

func (w *truth) notify(ctx context.Context) error {
	p, err := w.app.Accounts.PersonByLogin(ctx, []string{"one", "two"}[w.rand.IntN(2)])
	w.must(err)
	return w.app.DB.InTx(ctx, func(ctx context.Context) error {
		return w.app.Messages.Notify(ctx, message.Notice{OrgID: p.OrgID, PersonID: p.ID, Category: message.CategorySystem, Code: "walk", Link: fmt.Sprint(w.rand.Int())})
	})
}

// Whatever happens, and on whichever replica, a kept page is byte for byte the page made anew. Everything
// happens once in some order, with the end of a month half way and a close last; then more at random.
func TestKeptPagesAreTrue(t *testing.T) {
	walk := func(t *testing.T, db string) {
		w := newTruth(t, db, *truthSeed)
		w.compare("the beginning")
		names := slices.Sorted(maps.Keys(steps))
		once := slices.DeleteFunc(slices.Clone(names), func(name string) bool { return name == "close" })
		w.rand.Shuffle(len(once), func(i, j int) { once[i], once[j] = once[j], once[i] })
		for i, name := range append(once, "close") {
			if i == len(once)/2 {
				w.turn()
			}
			w.step(name)
		}
		for range *truthSteps {
			w.step(names[w.rand.IntN(len(names))])
		}
		before := w.lines
		w.compare("nothing")
		if w.lines != before {
			t.Errorf("lines were read %d times for pages that are kept", w.lines-before)
		}
		t.Log(w.done)
	}
	t.Run("sqlite", func(t *testing.T) { walk(t, "") })
	t.Run("postgres", func(t *testing.T) { walk(t, storetest.PostgresURL(t)) })
}
