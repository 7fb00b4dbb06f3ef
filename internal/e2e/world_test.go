package e2e

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/cookiejar"
	"net/http/httptest"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/PuerkitoBio/goquery"

	"huoban/internal/account"
	"huoban/internal/app"
	"huoban/internal/audit"
	"huoban/internal/clock"
	"huoban/internal/cycle"
	"huoban/internal/peak"
	"huoban/internal/scope"
	"huoban/internal/store/storetest"
)

// The cast: the demo's two vendors with a partner each, and three people made for these tests.
const (
	password   = "Huoban-demo-2026"
	vendor     = "LANHAI"  // sells to YUNXIU
	partner    = "YUNXIU"  // billed for 2024-09
	otherOrg   = "XINGZHU" // billed by QINGYUN; nobody of YUNXIU may learn anything of it
	noOrg      = "NOPE"
	twoHats    = "two-hats"   // finance of YUNXIU and of XINGZHU
	fresh      = "newcomer"   // must change the password first
	second     = "two-steps"  // has a second step at the door
	victim     = "locked-out" // whose password is guessed
	leaver     = "leaver"     // signs in and out
	theCycle   = "2024-09"    // issued to YUNXIU
	otherCycle = "2026-04"    // issued to XINGZHU
	partnerFin = "yunxiu-finance"
)

// world is a portal with the demo in it, serving.
type world struct {
	app  *app.App
	url  string
	log  *logbook
	list []app.DemoAccount
}

// logbook keeps what the portal logs, to show why an answer was a failure.
type logbook struct {
	mu   sync.Mutex
	text bytes.Buffer
}

func (l *logbook) Write(b []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.text.Write(b)
}

func (l *logbook) take() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	defer l.text.Reset()
	return l.text.String()
}

var today = time.Date(2026, 7, 8, 2, 0, 0, 0, time.UTC)

func eachEngine(t *testing.T, run func(t *testing.T, w *world)) {
	t.Helper()
	t.Run("sqlite", func(t *testing.T) { run(t, newWorld(t, "")) })
	t.Run("postgres", func(t *testing.T) { run(t, newWorld(t, storetest.PostgresURL(t))) })
}

// newWorld has the two sample vendors in it.
func newWorld(t *testing.T, database string) *world {
	t.Helper()
	w := emptyWorld(t, database)
	var err error
	if w.list, err = w.app.Demo(w.asTest()); err != nil {
		t.Fatal(err)
	}
	w.addPeople(t)
	w.addPoints(t)
	return w
}

// demoWorld has the invented world too, of that size, and a worker that does what waits.
func demoWorld(t *testing.T, size app.DemoSize) *world {
	t.Helper()
	w := emptyWorld(t, "")
	var err error
	if w.list, err = w.app.DemoWorld(w.asTest(), size, nil); err != nil {
		t.Fatal(err)
	}
	w.addPeople(t)
	w.addPoints(t)
	ctx, stop := context.WithCancel(context.Background())
	done := make(chan struct{})
	go func() {
		defer close(done)
		w.app.Worker.Run(ctx, 1)
	}()
	t.Cleanup(func() { stop(); <-done })
	return w
}

// addPoints gives a customer of the partner two days of bandwidth in the month before.
func (w *world) addPoints(t *testing.T) {
	t.Helper()
	path := filepath.Join(t.TempDir(), "points.csv")
	if err := os.WriteFile(path, w.points(t), 0o600); err != nil {
		t.Fatal(err)
	}
	if out, err := w.app.Peaks.Import(w.asTest(), scope.System("operator"), peak.Input{Source: "lanhai-focus", Paths: []string{path}}); err != nil || out.Points != 2*peak.PointsPerDay {
		t.Fatal(out, err)
	}
}

// points are two days of bandwidth of a customer of the partner.
func (w *world) points(t *testing.T) []byte {
	t.Helper()
	var customer string
	if err := w.app.DB.Writer().QueryRowContext(w.asTest(), "SELECT MIN(c.code) FROM organisation c JOIN association a ON a.customer_id = c.id JOIN organisation p ON p.id = a.partner_id WHERE p.code = $1",
		partner).Scan(&customer); err != nil {
		t.Fatal(err)
	}
	var b bytes.Buffer
	b.WriteString("customer,product,resource_id,usage_type,time,value,unit,unit_price,currency\n")
	for at := time.Date(2026, 6, 10, 0, 0, 0, 0, cycle.Zone); at.Day() < 12; at = at.Add(5 * time.Minute) {
		fmt.Fprintf(&b, "%s,CDN,static.example,95Peak,%s,%d.%02d,Mbit/s,20,CNY\n", customer, at.Format(time.RFC3339), at.Hour()*at.Hour(), at.Minute())
	}
	return b.Bytes()
}

func (w *world) asTest() context.Context {
	return audit.WithRequest(context.Background(), audit.Request{SystemUser: "test"})
}

func (w *world) addPeople(t *testing.T) {
	t.Helper()
	ctx := w.asTest()
	op := scope.System("operator")
	for _, p := range []account.AddPersonInput{
		{OrgCode: partner, Login: twoHats, Roles: []string{account.RoleFinance}, KeepPassword: true},
		{OrgCode: partner, Login: fresh, Roles: []string{account.RoleAdmin}},
		{OrgCode: partner, Login: second, Roles: []string{account.RoleFinance}, KeepPassword: true},
		{OrgCode: partner, Login: victim, Roles: []string{account.RoleFinance}, KeepPassword: true},
		{OrgCode: partner, Login: leaver, Roles: []string{account.RoleFinance}, KeepPassword: true},
	} {
		p.Password = password
		if _, err := w.app.Accounts.AddPerson(ctx, op, p); err != nil {
			t.Fatal(err)
		}
	}
	if err := w.app.Accounts.SetRoles(ctx, op, twoHats, otherOrg, []string{account.RoleFinance}); err != nil {
		t.Fatal(err)
	}
}

func emptyWorld(t *testing.T, database string) *world {
	t.Helper()
	w := &world{log: &logbook{}}
	a, err := app.Open(context.Background(), app.Settings{Addr: "127.0.0.1:0", BaseURL: "http://localhost", Data: t.TempDir(), DB: database},
		app.Options{Clock: clock.StartingAt(today), Log: slog.New(slog.NewTextHandler(w.log, nil))})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { a.Close() })
	w.app = a
	w.url = serve(t, a)
	return w
}

func serve(t *testing.T, a *app.App) string {
	t.Helper()
	h, err := a.Handler()
	if err != nil {
		t.Fatal(err)
	}
	srv := httptest.NewServer(h)
	t.Cleanup(srv.Close)
	return srv.URL
}

// client is one browser without a screen: it keeps cookies and follows nothing by itself.
type client struct {
	t    *testing.T
	w    *world
	base string
	http *http.Client
}

func (w *world) anonymous(t *testing.T) *client {
	t.Helper()
	jar, err := cookiejar.New(nil)
	if err != nil {
		t.Fatal(err)
	}
	return &client{t: t, w: w, base: w.url, http: &http.Client{Jar: jar, Timeout: 2 * time.Minute,
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}}
}

func (w *world) signIn(t *testing.T, login string) *client {
	t.Helper()
	c := w.anonymous(t)
	r := c.post("/login", "username", login, "password", password)
	if r.status != http.StatusSeeOther {
		t.Fatalf("sign-in of %s: %d\n%s", login, r.status, r.body)
	}
	return c
}

// reply is an answer, read whole.
type reply struct {
	status int
	header http.Header
	body   string
}

func (r reply) location() string { return r.header.Get("Location") }

func (r reply) page(t *testing.T) *goquery.Document {
	t.Helper()
	doc, err := goquery.NewDocumentFromReader(strings.NewReader(r.body))
	if err != nil {
		t.Fatal(err)
	}
	return doc
}

type tweak func(*http.Request)

func header(name, value string) tweak { return func(r *http.Request) { r.Header.Set(name, value) } }

var asProgram = header("Accept", "application/json")

func (c *client) do(method, path, body string, tweaks ...tweak) reply {
	c.t.Helper()
	req, err := http.NewRequestWithContext(context.Background(), method, c.base+path, strings.NewReader(body))
	if err != nil {
		c.t.Fatal(err)
	}
	if method == http.MethodPost {
		req.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	}
	for _, f := range tweaks {
		f(req)
	}
	res, err := c.http.Do(req)
	if err != nil {
		c.t.Fatalf("%s %s: %v", method, path, err)
	}
	defer res.Body.Close()
	b, err := io.ReadAll(res.Body)
	if err != nil {
		c.t.Fatalf("%s %s: %v", method, path, err)
	}
	if res.StatusCode == http.StatusInternalServerError {
		c.t.Errorf("%s %s failed:\n%s", method, path, c.w.log.take())
	}
	return reply{res.StatusCode, res.Header, string(b)}
}

func (c *client) get(path string, tweaks ...tweak) reply {
	c.t.Helper()
	return c.do(http.MethodGet, path, "", tweaks...)
}

// post sends a form of name, value pairs.
func (c *client) post(path string, pairs ...string) reply {
	c.t.Helper()
	return c.do(http.MethodPost, path, form(pairs...))
}

func form(pairs ...string) string {
	v := url.Values{}
	for i := 0; i+1 < len(pairs); i += 2 {
		v.Add(pairs[i], pairs[i+1])
	}
	return v.Encode()
}

func (c *client) want(r reply, status int, what string) reply {
	c.t.Helper()
	if r.status != status {
		c.t.Errorf("%s: status %d, want %d", what, r.status, status)
	}
	return r
}
