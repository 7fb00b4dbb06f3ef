package main

import (
	"io"
	"net/http"
	"net/http/cookiejar"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"

	"github.com/PuerkitoBio/goquery"

	"huoban/internal/app"
)

// TestResellerPagesHideTheBuySide signs in as a reseller and follows every link it is shown: nowhere
// stands what its distributor pays, nor a line of the distributor's other customers.
func TestResellerPagesHideTheBuySide(t *testing.T) {
	eachEngine(t, func(t *testing.T, w *world) {
		w.do("source", "add", "--name", "own", "--vendor", "V", "--dialect", "huoban", "--mode", "snapshot", "--zone", "UTC")
		w.do("org", "add", "--code", "D1", "--kind", "distributor", "--name", "Distributor", "--parent", "V")
		w.do("org", "add", "--code", "R1", "--kind", "reseller", "--name", "Reseller", "--parent", "D1")
		w.do("import", w.file("jan.csv", lineHead+"1,2025-01,2025-01-02,Server,usage,CNY,1000,1000,a1\n2,2025-01,2025-01-03,Disk,usage,CNY,100,100,a1\n"+
			"3,2025-01,2025-01-03,Tape,usage,CNY,30,30,a2\n"), "--source", "own", "--final")
		w.do("map", "import", w.file("map.csv", mapHead+"own,a1,C1,R1,resale,,\nown,a2,C2,D1,resale,,\n"))
		w.do("price", "import", w.file("rules.csv", ruleHead+"D1,,,,,,normal,billed,0.7310,,\nR1,,,,,,normal,billed,0.9170,,\n"))
		w.do("close", "--vendor", "V", "--cycle", "2025-01", "--issue")
		w.do("user", "add", "--org", "R1", "--login", "rita", "--role", "admin", "--keep-password", "--password-file", w.file("pw", "Long-enough-Passw0rd!\n"))

		v := w.visit("rita", "Long-enough-Passw0rd!")
		seen := v.crawl("/o/R1/bills?cycle=2025-01", 150)
		buy := []string{"0.731", "73.1%", "804.1", "826.03", "731.00", "73.10", "21.93", "Tape"}
		shown, lines := false, false
		for address, body := range seen {
			for _, figure := range buy {
				if i := strings.Index(body, figure); i >= 0 {
					t.Errorf("%s shows %s: %q", address, figure, body[max(0, i-80):min(len(body), i+40)])
				}
			}
			shown = shown || strings.Contains(body, "1,008.70")
			lines = lines || strings.Contains(address, "/lines") && strings.Contains(body, "0.917")
		}
		if !shown || !lines || len(seen) < 8 {
			t.Errorf("the crawl missed the bill (due %v, lines %v) in %d pages", shown, lines, len(seen))
		}
	})
}

// visitor is a person signed in over HTTP.
type visitor struct {
	t      *testing.T
	base   string
	client *http.Client
}

// visit serves the world's portal and signs in.
func (w *world) visit(login, password string) *visitor {
	w.t.Helper()
	srv := httptest.NewUnstartedServer(nil)
	base := "http://" + srv.Listener.Addr().String()
	a, err := app.Open(w.t.Context(), app.Settings{Addr: srv.Listener.Addr().String(), BaseURL: base, Data: w.data, DB: w.db}, app.Options{})
	if err != nil {
		w.t.Fatal(err)
	}
	w.t.Cleanup(func() { a.Close() })
	if srv.Config.Handler, err = a.Handler(); err != nil {
		w.t.Fatal(err)
	}
	srv.Start()
	w.t.Cleanup(srv.Close)
	jar, err := cookiejar.New(nil)
	if err != nil {
		w.t.Fatal(err)
	}
	v := &visitor{w.t, base, &http.Client{Jar: jar}}
	res, err := v.client.PostForm(base+"/login", url.Values{"username": {login}, "password": {password}})
	if err != nil {
		w.t.Fatal(err)
	}
	defer res.Body.Close()
	if res.StatusCode != http.StatusOK || strings.HasSuffix(res.Request.URL.Path, "/login") {
		w.t.Fatalf("signing in ended at %s with %s", res.Request.URL, res.Status)
	}
	return v
}

// crawl follows the links of every page, up to a number of pages, and gives the bodies by address.
func (v *visitor) crawl(start string, most int) map[string]string {
	v.t.Helper()
	seen, queue := map[string]string{}, []string{start}
	asked := map[string]bool{start: true}
	for len(queue) > 0 && len(seen) < most {
		address := queue[0]
		queue = queue[1:]
		res, err := v.client.Get(v.base + address)
		if err != nil {
			v.t.Fatal(err)
		}
		body, err := io.ReadAll(res.Body)
		res.Body.Close()
		if err != nil {
			v.t.Fatal(err)
		}
		if res.StatusCode >= 500 {
			v.t.Errorf("%s: %s", address, res.Status)
		}
		if !strings.HasPrefix(res.Header.Get("Content-Type"), "text/html") {
			continue
		}
		seen[address] = string(body)
		page, err := goquery.NewDocumentFromReader(strings.NewReader(string(body)))
		if err != nil {
			v.t.Fatal(err)
		}
		page.Find("[href], [hx-get]").Each(func(_ int, s *goquery.Selection) {
			for _, name := range []string{"href", "hx-get"} {
				to := s.AttrOr(name, "")
				u, err := url.Parse(to)
				if err != nil || to == "" || u.Host != "" || strings.HasPrefix(to, "#") || strings.HasPrefix(to, "/static") {
					continue
				}
				from, err := url.Parse(address)
				if err != nil {
					continue
				}
				full := from.ResolveReference(u)
				full.Fragment = ""
				if next := full.String(); !asked[next] {
					asked[next] = true
					queue = append(queue, next)
				}
			}
		})
	}
	return seen
}
