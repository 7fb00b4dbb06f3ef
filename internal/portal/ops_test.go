package portal_test

import (
	"bytes"
	"context"
	"encoding/json"
	"io"
	"log/slog"
	"mime/multipart"
	"net/http"
	"net/http/cookiejar"
	"net/http/httptest"
	"net/url"
	"os"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/PuerkitoBio/goquery"

	"huoban/internal/account"
	"huoban/internal/app"
	"huoban/internal/attribution"
	"huoban/internal/clock"
	"huoban/internal/customer"
	"huoban/internal/organisation"
	"huoban/internal/scope"
	"huoban/internal/source"
)

const password = "a-long-enough-word-2026"

var operator = scope.System("operator")

// world is the whole portal over a database in a temporary folder.
type world struct {
	t     *testing.T
	app   *app.App
	url   string
	clock *clock.Fixed

	people map[string]*visitor // who signed in already
}

func newWorld(t *testing.T) *world {
	t.Helper()
	w := &world{t: t, clock: clock.At(time.Date(2026, 2, 3, 8, 0, 0, 0, time.UTC))}
	s := app.Settings{Addr: "127.0.0.1:0", BaseURL: "http://localhost:8080", Data: t.TempDir()}
	a, err := app.Open(context.Background(), s, app.Options{Clock: w.clock, Log: slog.New(slog.NewTextHandler(os.Stderr, &slog.HandlerOptions{Level: slog.LevelError}))})
	w.must(err)
	t.Cleanup(func() { w.must(a.Close()) })
	w.app = a
	handler, err := a.Handler()
	w.must(err)
	srv := httptest.NewServer(handler)
	t.Cleanup(srv.Close)
	w.url = srv.URL
	for _, o := range []organisation.AddInput{{Code: "NOVA", Kind: organisation.KindVendor, Name: "Nova Cloud"}, {Code: "OTHER", Kind: organisation.KindVendor, Name: "Other Cloud"},
		{Code: "MUSHI", Kind: organisation.KindSolution, Name: "Mushi Digital", ParentCode: "NOVA"}} {
		_, err := a.Organisations.Add(context.Background(), operator, o)
		w.must(err)
	}
	for _, u := range []struct{ org, login, role string }{{"NOVA", "boss", account.RoleAdmin}, {"NOVA", "auditor", account.RoleAuditor},
		{"OTHER", "stranger", account.RoleAdmin}, {"MUSHI", "partner", account.RoleAdmin}} {
		_, err := a.Accounts.AddPerson(context.Background(), operator, account.AddPersonInput{OrgCode: u.org, Login: u.login, Roles: []string{u.role}, Password: password, KeepPassword: true})
		w.must(err)
	}
	_, err = a.Sources.Add(context.Background(), operator, source.AddInput{Vendor: "NOVA", Name: "nova", Dialect: "focus"})
	w.must(err)
	return w
}

func (w *world) must(err error) {
	w.t.Helper()
	if err != nil {
		w.t.Fatal(err)
	}
}

func (w *world) must2(_ any, err error) {
	w.t.Helper()
	w.must(err)
}

type selection = goquery.Selection

// visitor is somebody's browser, or with json a program.
type visitor struct {
	w    *world
	http *http.Client
	lang string
	json bool
	key  string
}

// nobody is a browser of somebody who is not signed in.
func (w *world) nobody() *visitor {
	w.t.Helper()
	jar, err := cookiejar.New(nil)
	w.must(err)
	return &visitor{w: w, lang: "zh-CN", http: &http.Client{Jar: jar, CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}}
}

func (w *world) visitor(login string) *visitor {
	w.t.Helper()
	v := w.nobody()
	if r := v.post("/login", "username", login, "password", password); r.status != http.StatusSeeOther {
		w.t.Fatalf("sign in as %s: %d", login, r.status)
	}
	return v
}

func (v *visitor) program() *visitor {
	p := *v
	p.json = true
	return &p
}

func (v *visitor) withKey(key string) *visitor {
	p := *v
	p.key = key
	return &p
}

type reply struct {
	status   int
	location string
	body     string
	header   http.Header
}

func (v *visitor) send(req *http.Request, err error) reply {
	v.w.t.Helper()
	v.w.must(err)
	req.Header.Set("Accept-Language", v.lang)
	if v.json {
		req.Header.Set("Accept", "application/json")
	}
	if v.key != "" {
		req.Header.Set("Idempotency-Key", v.key)
	}
	res, err := v.http.Do(req)
	v.w.must(err)
	defer res.Body.Close()
	body, err := io.ReadAll(res.Body)
	v.w.must(err)
	return reply{res.StatusCode, res.Header.Get("Location"), string(body), res.Header}
}

func (v *visitor) get(path string) reply {
	v.w.t.Helper()
	return v.send(http.NewRequest(http.MethodGet, v.w.url+path, nil))
}

// post sends fields as a form, or as JSON when the visitor is a program.
func (v *visitor) post(path string, pairs ...string) reply {
	v.w.t.Helper()
	form, object := url.Values{}, map[string]any{}
	for i := 0; i+1 < len(pairs); i += 2 {
		form.Add(pairs[i], pairs[i+1])
		if object[pairs[i]] = pairs[i+1]; len(form[pairs[i]]) > 1 {
			object[pairs[i]] = form[pairs[i]]
		}
	}
	body, media := form.Encode(), "application/x-www-form-urlencoded"
	if v.json {
		b, err := json.Marshal(object)
		v.w.must(err)
		body, media = string(b), "application/json"
	}
	req, err := http.NewRequest(http.MethodPost, v.w.url+path, strings.NewReader(body))
	v.w.must(err)
	req.Header.Set("Content-Type", media)
	return v.send(req, nil)
}

// hand uploads files under the field name, beside other fields.
func (v *visitor) hand(path, field string, files map[string]string, pairs ...string) reply {
	v.w.t.Helper()
	var body bytes.Buffer
	m := multipart.NewWriter(&body)
	for i := 0; i+1 < len(pairs); i += 2 {
		v.w.must(m.WriteField(pairs[i], pairs[i+1]))
	}
	for name, text := range files {
		p, err := m.CreateFormFile(field, name)
		v.w.must(err)
		_, err = io.WriteString(p, text)
		v.w.must(err)
	}
	v.w.must(m.Close())
	req, err := http.NewRequest(http.MethodPost, v.w.url+path, &body)
	v.w.must(err)
	req.Header.Set("Content-Type", m.FormDataContentType())
	return v.send(req, nil)
}

const focusHead = "BillingPeriodStart,BillingPeriodEnd,ChargePeriodStart,ChargePeriodEnd,BillingAccountId,BillingAccountName,BillingCurrency," +
	"SubAccountId,SubAccountName,ServiceName,ServiceCategory,ChargeCategory,ChargeClass,ChargeDescription,ChargeFrequency,ProviderName,PublisherName," +
	"InvoiceIssuerName,BilledCost,EffectiveCost,ListCost,ContractedCost,ResourceId,Tags\n"

// focus writes one line per "sub service cost" of January.
func focus(rows ...string) string {
	text := focusHead
	for _, r := range rows {
		f := strings.Fields(r)
		text += strings.Join([]string{"2026-01-01T00:00:00Z", "2026-02-01T00:00:00Z", "2026-01-03T00:00:00Z", "2026-01-03T01:00:00Z", "acct", "Account", "USD", f[0], "Team " + f[0],
			f[1], "Compute", "Usage", "", "about " + f[1], "Usage-Based", "Nova", "Nova", "Nova", f[2], f[2], f[2], f[2], "r-" + f[1], ""}, ",") + "\n"
	}
	return text
}

var bareKey = regexp.MustCompile(`\b(ops|backoffice|opsview|homeview|portal|nav|close|delivery|bills|fault|part|layout|monthclose|message|ingest|source|attribution)\.[a-z_]+(\.[a-z_]+)+\b`)

// page checks what every page must be: no bare key, nothing inline, headings in order, a label on every
// field, ids once.
func (w *world) page(name string, r reply, want int) *goquery.Document {
	w.t.Helper()
	if r.status != want {
		w.t.Fatalf("%s: status %d, want %d\n%s", name, r.status, want, text(r.body))
	}
	doc, err := goquery.NewDocumentFromReader(strings.NewReader(r.body))
	w.must(err)
	if k := bareKey.FindString(text(r.body)); k != "" {
		w.t.Errorf("%s: bare key %s", name, k)
	}
	if doc.Find("[style], style, script:not([src]):not([type='application/json'])").Length() > 0 {
		w.t.Errorf("%s: inline style or script", name)
	}
	level := 0
	doc.Find("main h1, main h2, main h3, main h4").Each(func(_ int, s *goquery.Selection) {
		n := int(goquery.NodeName(s)[1] - '0')
		if n > level+1 {
			w.t.Errorf("%s: heading h%d after h%d: %s", name, n, level, s.Text())
		}
		level = n
	})
	if n := doc.Find("h1").Length(); n != 1 {
		w.t.Errorf("%s: %d headings h1", name, n)
	}
	seen := map[string]bool{}
	doc.Find("[id]").Each(func(_ int, s *goquery.Selection) {
		id := s.AttrOr("id", "")
		if seen[id] {
			w.t.Errorf("%s: id %s stands twice", name, id)
		}
		seen[id] = true
	})
	doc.Find("main input:not([type=hidden]), main select, main textarea").Each(func(_ int, s *goquery.Selection) {
		id, ok := s.Attr("id")
		labelled := s.Closest("label").Length() > 0 || s.AttrOr("aria-label", "") != "" || ok && doc.Find(`label[for="`+id+`"]`).Length() > 0
		if !labelled {
			w.t.Errorf("%s: field %s has no label", name, s.AttrOr("name", "?"))
		}
	})
	return doc
}

// text is what stands between the tags.
func text(html string) string {
	doc, err := goquery.NewDocumentFromReader(strings.NewReader(html))
	if err != nil {
		return html
	}
	doc.Find("script, code").Remove()
	return doc.Text()
}

// both fetches a page in both languages.
func (v *visitor) both(path string) *goquery.Document {
	v.w.t.Helper()
	en := *v
	en.lang = "en"
	v.w.page("en "+path, en.get(path), http.StatusOK)
	return v.w.page("zh "+path, v.get(path), http.StatusOK)
}

// imported hands in a file and gives the delivery's address.
func (v *visitor) imported(file string, pairs ...string) string {
	v.w.t.Helper()
	r := v.hand("/o/NOVA/deliveries", "files", map[string]string{"jan.csv": file}, append([]string{"source", "nova"}, pairs...)...)
	if r.status != http.StatusSeeOther || !strings.HasPrefix(r.location, "/o/NOVA/deliveries/") {
		v.w.t.Fatalf("import: %d %s\n%s", r.status, r.location, text(r.body))
	}
	return strings.TrimSuffix(r.location, "?done=imported")
}

func (w *world) mapped() {
	w.t.Helper()
	_, err := w.app.Attribution.Auto(context.Background(), operator, attribution.AutoInput{Source: "nova", Partner: "MUSHI", Association: customer.KindResale})
	w.must(err)
}

func TestEmptyPortal(t *testing.T) {
	w := newWorld(t)
	boss, partner := w.visitor("boss"), w.visitor("partner")
	for _, path := range []string{"", "/deliveries", "/deliveries/new", "/closes", "/closes/2026-01", "/messages", "/deliveries?source=nova"} {
		boss.both("/o/NOVA" + path)
	}
	partner.both("/o/MUSHI")
	partner.both("/o/MUSHI/messages")
	for _, path := range []string{"/deliveries", "/closes", "/closes/2026-01", "/deliveries/new"} {
		if r := partner.get("/o/MUSHI" + path); r.status != http.StatusNotFound {
			t.Errorf("a partner sees %s: %d", path, r.status)
		}
	}
	for _, path := range []string{"/closes/2026-13", "/closes/x", "/deliveries/none", "/imports/none", "/deliveries?source=none", "/messages?after=x", "/messages?category=x"} {
		if r := boss.get("/o/NOVA" + path); r.status != http.StatusNotFound {
			t.Errorf("%s: %d", path, r.status)
		}
	}
}

func TestUpload(t *testing.T) {
	w := newWorld(t)
	boss := w.visitor("boss")
	files := map[string]string{"jan.csv": focus("s1 VM 1.5", "s2 VM 2.25")}
	dry := w.page("dry run", boss.hand("/o/NOVA/deliveries", "files", files, "source", "nova", "dry_run", "true", "final", "all"), http.StatusOK)
	if !strings.Contains(dry.Text(), "3.75") {
		t.Error("the dry run does not show the sum")
	}
	if r := boss.program().get("/o/NOVA/deliveries"); !strings.Contains(r.body, "还没有交付") {
		t.Error("a dry run left a delivery")
	}
	at := boss.imported(files["jan.csv"], "final", "all")
	doc := boss.both(at)
	if sum := doc.Find("tfoot").First().Text(); !strings.Contains(sum, "3.75") {
		t.Errorf("the delivery shows %q", sum)
	}
	boss.both(at + "/rules")
	boss.both(at + "/changes")
	boss.both("/o/NOVA/deliveries?source=nova")
	if n := shownOn(boss.both(at + "/rules")).rows; n != 621 {
		t.Errorf("%d rules, want 621", n)
	}
	failed := shownOn(boss.both(at + "/rules?outcome=failed")).rows
	if failed == 0 || failed >= 621 {
		t.Errorf("%d failed rules", failed)
	}
	if r := boss.get("/o/NOVA/deliveries/nova~1"); r.status != http.StatusOK {
		t.Errorf("source~number: %d", r.status)
	}
	// the same again changes nothing, for people and programs
	if r := boss.hand("/o/NOVA/deliveries", "files", files, "source", "nova"); !strings.Contains(r.location, "done=same") {
		t.Errorf("the same again: %d %s", r.status, r.location)
	}
	var res struct {
		SameContent bool `json:"same_content"`
		Added       int64
	}
	r := boss.program().hand("/o/NOVA/deliveries", "files", files, "source", "nova")
	w.must(json.Unmarshal([]byte(r.body), &res))
	if r.status != http.StatusOK || !res.SameContent || res.Added != 0 {
		t.Errorf("%d %s", r.status, r.body)
	}
}

func TestUploadRefused(t *testing.T) {
	w := newWorld(t)
	boss := w.visitor("boss")
	for name, try := range map[string]struct {
		files map[string]string
		pairs []string
		want  int
		code  string
	}{
		"nothing":        {nil, []string{"source", "nova"}, 422, "ops.file_missing"},
		"unknown source": {map[string]string{"a.csv": focus("s1 VM 1")}, []string{"source", "none"}, 404, "request.no_page"},
		"no bill":        {map[string]string{"a.csv": "a,b\n1,2\n"}, []string{"source", "nova"}, 422, "ingest."},
		"bad cycle":      {map[string]string{"a.csv": focus("s1 VM 1")}, []string{"source", "nova", "final", "2026-1"}, 422, "cycle.malformed"},
		"month not over": {map[string]string{"a.csv": focus("s1 VM 1")}, []string{"source", "nova", "final", "2026-02"}, 409, "delivery.month_not_over"},
	} {
		r := boss.program().hand("/o/NOVA/deliveries", "files", try.files, try.pairs...)
		if r.status != try.want || !strings.Contains(r.body, try.code) {
			t.Errorf("%s: %d %s", name, r.status, r.body)
		}
		form := boss.hand("/o/NOVA/deliveries", "files", try.files, try.pairs...)
		if try.want == http.StatusNotFound {
			form.status, try.want = 422, 422
		}
		doc := w.page(name, form, try.want)
		if doc.Find(".hb-refusal").Length() != 1 {
			t.Errorf("%s: no refusal shown", name)
		}
		if try.pairs[1] == "nova" && doc.Find("select[name=source] option[selected]").AttrOr("value", "") != "nova" {
			t.Errorf("%s: the source is lost", name)
		}
	}
	// the file name of a browser never leaves the folder
	if r := boss.program().hand("/o/NOVA/deliveries", "files", map[string]string{"../../x.csv": focus("s1 VM 1")}, "source", "nova"); r.status != http.StatusOK {
		t.Errorf("%d %s", r.status, r.body)
	}
}

func TestForeignDelivery(t *testing.T) {
	w := newWorld(t)
	at := strings.TrimPrefix(w.visitor("boss").imported(focus("s1 VM 1")), "/o/NOVA")
	stranger := w.visitor("stranger")
	for _, path := range []string{at, at + "/rules", at + "/changes", at + "/quarantine.csv", "/deliveries/nova~1", "/deliveries?source=nova"} {
		if r := stranger.get("/o/OTHER" + path); r.status != http.StatusNotFound {
			t.Errorf("%s: %d", path, r.status)
		}
		if r := stranger.get("/o/NOVA" + path); r.status != http.StatusNotFound {
			t.Errorf("in the other's address %s: %d", path, r.status)
		}
	}
	for _, path := range []string{"/reversal", "/finality", "/quarantine/dropping"} {
		if r := stranger.post("/o/OTHER"+at+path, "reason", "mine now", "cycle", "2026-01"); r.status != http.StatusNotFound {
			t.Errorf("%s: %d", path, r.status)
		}
	}
	if r := w.visitor("auditor").post("/o/NOVA"+at+"/reversal", "reason", "x"); r.status != http.StatusForbidden {
		t.Errorf("the auditor reverts: %d", r.status)
	}
}

func TestRevert(t *testing.T) {
	for _, program := range []bool{false, true} {
		w := newWorld(t)
		boss := w.visitor("boss")
		at := boss.imported(focus("s1 VM 1"))
		boss.json = program
		if r := boss.post(at + "/reversal"); r.status != http.StatusUnprocessableEntity {
			t.Errorf("without reason: %d", r.status)
		}
		once := boss.withKey("revert-1")
		first := once.post(at+"/reversal", "reason", "wrong month")
		again := once.post(at+"/reversal", "reason", "wrong month")
		if first.status >= 400 || again.status != first.status || again.location != first.location || again.body != first.body {
			t.Errorf("program %v: %d %s, then %d %s", program, first.status, first.body, again.status, again.body)
		}
		if again.header.Get("Idempotent-Replayed") == "" {
			t.Error("not said to be a replay")
		}
		if r := once.post(at+"/reversal", "reason", "another"); r.status != http.StatusConflict {
			t.Errorf("the key for another request: %d", r.status)
		}
		if r := boss.post(at+"/reversal", "reason", "wrong month"); r.status != http.StatusConflict {
			t.Errorf("reverted twice: %d", r.status)
		}
		boss.json = false
		boss.both(at + "?done=reverted")
	}
}

func TestQuarantine(t *testing.T) {
	w := newWorld(t)
	boss := w.visitor("boss")
	at := boss.imported(focus("s1 VM 1", "s1 DB oops", "s1 K8S nope"))
	doc := boss.both(at)
	if n := doc.Find("#quarantine tbody tr").Length(); n != 2 {
		t.Errorf("%d rows in quarantine", n)
	}
	file := boss.get(at + "/quarantine.csv")
	if file.status != http.StatusOK || !strings.Contains(file.header.Get("Content-Disposition"), "quarantine-nova-1.csv") {
		t.Fatalf("%d %v", file.status, file.header)
	}
	wrong := boss.hand(at+"/quarantine", "file", map[string]string{"c.csv": file.body})
	if doc := w.page("still wrong", wrong, http.StatusUnprocessableEntity); doc.Find(".hb-refusal li").Length() != 2 {
		t.Errorf("not every reason is shown: %s", doc.Find(".hb-refusal").Text())
	}
	lines := strings.SplitAfter(file.body, "\n")
	fixed := lines[0] + strings.ReplaceAll(lines[1], "oops", "4")
	if r := boss.program().hand(at+"/quarantine", "file", map[string]string{"c.csv": fixed}); r.status != http.StatusOK || !strings.Contains(r.body, `"corrected":1`) {
		t.Errorf("%d %s", r.status, r.body)
	}
	if r := boss.post(at + "/quarantine/dropping"); r.status != http.StatusUnprocessableEntity {
		t.Errorf("dropped without reason: %d", r.status)
	}
	if r := boss.post(at+"/quarantine/dropping", "reason", "never charged"); r.status != http.StatusSeeOther {
		t.Errorf("%d %s", r.status, text(r.body))
	}
	if r := boss.program().post(at+"/quarantine/dropping", "reason", "again"); r.status != http.StatusConflict {
		t.Errorf("nothing to drop: %d %s", r.status, r.body)
	}
	if n := boss.both(at).Find("#quarantine").Length(); n != 0 {
		t.Error("quarantine is not empty")
	}
}
