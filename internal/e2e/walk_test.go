package e2e

import (
	"context"
	"fmt"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/pquerna/otp/totp"

	"huoban/internal/portal"
)

// stop is one page of the walk through everything there is.
type stop struct {
	route string // name in the table; empty for a page that is no route of its own
	who   string // login; empty for nobody
	path  string
	opens []string // popovers and dialogs opened on it, by id; # of any that is there
	then  func(b *tab)
}

// noPage are the GET routes that answer with something else than a page.
var noPage = []string{"root", "live", "ready", "metrics", "quarantine.export", "exports.file"}

const (
	admin  = "lanhai-admin"
	buyer  = "yunxiu-admin"
	buyer2 = "xingzhu-admin"
)

// walk lists every page worth a look, with real things in it.
func walk(t *testing.T, w *world, delivered string) []stop {
	t.Helper()
	c := w.signIn(t, buyer)
	why := whyOf(t, c, "/o/"+partner+"/bills/lines?cycle="+theCycle)
	v, p := "/o/"+vendor, "/o/"+partner
	stops := []stop{
		{"login", "", "/login", nil, nil},
		{"", "", "/login?refused", nil, refusedSignIn},
		{"", "", "/nowhere", nil, nil},
		{"login.code", second, "/login/code", nil, nil},
		{"password", admin, "/account/password", nil, nil},
		{"password", fresh, "/account/password", nil, nil},
		{"sessions", admin, "/account/sessions", []string{"keys"}, nil},
		{"home", admin, v, []string{"mega-*", "all-nav", "account", "keys"}, nil},
		{"home", buyer, p, []string{"mega-*", "all-nav", "account"}, nil},
		{"messages", admin, v + "/messages", nil, nil},
		{"messages", buyer, p + "/messages", nil, nil},
		{"bills", buyer, p + "/bills?cycle=" + theCycle, []string{"cycles", "export"}, nil},
		{"bills", buyer, p + "/bills?cycle=2024-10", nil, nil},
		{"bills", buyer, p + "/bills?cycle=2023-01", nil, nil},
		{"bills", buyer2, "/o/" + otherOrg + "/bills?cycle=" + otherCycle, []string{"cycles"}, nil},
		{"bills", admin, v + "/bills?cycle=" + theCycle, nil, nil},
		{"bills.products", buyer, p + "/bills/products?cycle=" + theCycle, nil, nil},
		{"bills.customers", buyer, p + "/bills/customers?cycle=" + theCycle, nil, nil},
		{"bills.lines", buyer, p + "/bills/lines?cycle=" + theCycle, []string{"export"}, nil},
		{"bills.lines", buyer, p + "/bills/lines?cycle=" + theCycle + "&why=" + why, nil, openSource},
		{"bills.lines", buyer, p + "/bills/lines?cycle=" + theCycle + "&product=nothing", nil, nil},
		{"bills.adjustments", buyer, p + "/bills/adjustments?cycle=" + theCycle, nil, nil},
		{"bills.explanation", buyer, p + "/bills/explanation?cycle=" + theCycle + "&figure=due", nil, nil},
		{"bills.explanation", buyer, p + "/bills/explanation?cycle=" + theCycle + "&figure=rounding", nil, nil},
		{"bills.history", buyer, p + "/bills/history?cycle=" + theCycle, nil, nil},
		{"expenditure", buyer2, "/o/" + otherOrg + "/expenditure?cycle=" + otherCycle, nil, nil},
		{"expenditure.lines", buyer2, "/o/" + otherOrg + "/expenditure/lines?cycle=" + otherCycle, nil, nil},
		{"expenditure.lines", "yunxiu-manager", p + "/expenditure/lines", nil, nil},
		{"exports", buyer, p + "/exports", nil, nil},
		{"deliveries", admin, v + "/deliveries", nil, nil},
		{"deliveries.new", admin, v + "/deliveries/new", nil, nil},
		{"deliveries.show", admin, delivered, []string{"*-dialog"}, nil},
		{"deliveries.rules", admin, delivered + "/rules", nil, nil},
		{"deliveries.changes", admin, delivered + "/changes", nil, nil},
		{"closes", admin, v + "/closes", nil, nil},
		{"closes.show", admin, v + "/closes/" + theCycle, []string{"*-dialog"}, nil},
		{"closes.show", admin, v + "/closes/2024-11", []string{"*-dialog"}, nil},
		{"closes.show", admin, v + "/closes/2024-11?check=full", nil, nil},
		{"adjustments", admin, v + "/adjustments", []string{"*-dialog"}, nil},
		{"adjustments.new", admin, v + "/adjustments/new", nil, nil},
		{"mapping.new", admin, v + "/mapping/new", nil, nil},
		{"mapping", admin, v + "/mapping", nil, nil},
		{"mapping", admin, v + "/mapping?q=nothing", nil, nil},
		{"sources", admin, v + "/sources", nil, nil},
		{"prices", admin, v + "/prices?rule=1", nil, nil},
		{"prices", admin, v + "/prices?q=nothing", nil, nil},
		{"prices.new", admin, v + "/prices/new", nil, nil},
		{"prices.simulation", admin, v + "/prices/simulation?cycle=" + theCycle, []string{"cycles", "*-dialog"}, nil},
		{"audit", admin, v + "/audit", nil, nil},
		{"audit", buyer, p + "/audit?action=session", nil, nil},
		{"audit", buyer, p + "/audit?actor=nobody-here", nil, nil},
		{"", admin, v + "/audit?from=yesterday", nil, nil},
		{"", admin, v + "/nowhere", nil, nil},
		{"", "yunxiu-manager", p + "/bills", nil, nil},
	}
	known := map[string]bool{"setup": true, "imports.show": true} // looked at apart
	for _, s := range stops {
		known[s.route] = true
	}
	for _, r := range portal.Routes() {
		if r.Method == "GET" && !known[r.Name] && !slices.Contains(noPage, r.Name) {
			t.Errorf("the walk does not visit %s (%s)", r.Name, r.Path)
		}
	}
	return stops
}

func refusedSignIn(b *tab) {
	b.t.Helper()
	b.truth(`(() => { document.querySelector('[name=username]').value = 'somebody'; document.querySelector('[name=password]').value = 'x'; document.querySelector('[name=password]').form.submit(); return true; })()`)
	b.until("refusal", "document.querySelector('.is-invalid, [role=alert], .tone.bad') && document.readyState === 'complete'")
}

func openSource(b *tab) {
	b.t.Helper()
	b.truth("document.querySelector('.hb-source').open = true")
}

// guise is how a page is looked at.
type guise struct {
	width int
	theme string
}

// guises: English shares colours with Chinese and differs in width, so two are enough for it.
var guises = map[string][]guise{
	"zh-CN": {{desk, "light"}, {desk, "dark"}, {phone, "dark"}, {phone, "light"}},
	"en":    {{desk, "light"}, {phone, "dark"}},
}

func (b *tab) look(s stop, lang string) {
	b.t.Helper()
	b.width(desk)
	b.open(s.path)
	if status := value[int](b, "performance.getEntriesByType('navigation')[0].responseStatus"); s.route != "" && status != 200 {
		b.t.Errorf("%s %s: status %d", s.who, s.path, status)
	}
	if s.then != nil {
		s.then(b)
	}
	for _, g := range guises[lang] {
		b.width(g.width)
		b.truth(fmt.Sprintf("document.documentElement.dataset.bsTheme = %q", g.theme))
		where := fmt.Sprintf("%s %s %s %d %s", s.who, s.path[:min(len(s.path), 70)], lang, g.width, g.theme)
		b.axe(where)
		b.fits(where)
		b.shot(strings.Join([]string{s.who, s.path[:min(len(s.path), 60)], lang, fmt.Sprint(g.width), g.theme}, "-"))
		for _, id := range s.opens {
			b.lookInside(where, id)
		}
	}
	b.worded(s.path, lang)
	b.quiet(s.path)
}

// lookInside opens the popovers and dialogs of that id one after the other.
func (b *tab) lookInside(where, pattern string) {
	b.t.Helper()
	selector := "#" + pattern
	if strings.HasSuffix(pattern, "*") {
		selector = fmt.Sprintf("[id^=%q]", strings.TrimSuffix(pattern, "*"))
	} else if strings.HasPrefix(pattern, "*") {
		selector = fmt.Sprintf("[id$=%q]", strings.TrimPrefix(pattern, "*"))
	}
	ids := value[[]string](b, fmt.Sprintf(`[...document.querySelectorAll('%s')].filter(e => e.matches('[popover], dialog')).map(e => e.id)`, selector))
	if len(ids) == 0 && !strings.HasPrefix(pattern, "*") {
		b.t.Errorf("%s: there is no %s to open", where, pattern)
	}
	for _, id := range ids {
		open := value[bool](b, fmt.Sprintf(`(() => { const e = document.getElementById(%q); e.matches('dialog') ? e.showModal() : e.showPopover(); return e.matches(':popover-open, [open]'); })()`, id))
		if !open {
			b.t.Errorf("%s: %s does not open", where, id)
			continue
		}
		b.axe(where + " with " + id)
		b.fits(where + " with " + id)
		inside := value[string](b, fmt.Sprintf(`(() => { const r = document.getElementById(%q).getBoundingClientRect(); return r.left < -1 || r.right > innerWidth + 1 ? r.left + ' to ' + r.right : ''; })()`, id))
		if inside != "" {
			b.t.Errorf("%s: %s stands outside the screen: %s", where, id, inside)
		}
		b.shot(strings.ReplaceAll(where, "/", "_") + "-" + id)
		b.truth(fmt.Sprintf(`(() => { const e = document.getElementById(%q); e.matches('dialog') ? e.close() : e.hidePopover(); return true; })()`, id))
	}
}

// testWalk looks at every page in both languages and themes and on both screens.
func testWalk(t *testing.T, w *world, browser context.Context) {
	enrolSecond(t, w)
	delivered := deliverMore(t, w)
	for _, lang := range []string{"zh-CN", "en"} {
		t.Run("import "+lang, func(t *testing.T) { lookAtImport(t, w, browser, lang) })
	}
	for _, lang := range []string{"zh-CN", "en"} {
		t.Run(lang, func(t *testing.T) {
			t.Parallel()
			tabs := map[string]*tab{}
			for _, s := range walk(t, w, delivered) {
				b := tabs[s.who]
				if b == nil {
					b = newTab(t, browser, w.url, desk)
					b.signIn(w.signedInAs(t, s.who, lang))
					tabs[s.who] = b
				}
				b.look(s, lang)
			}
			lookAtSetUp(t, browser, lang)
			lookAtFailure(t, w, browser, lang)
		})
	}
}

// lookAtImport holds the only writer, so that an import stands still while its progress is looked at.
func lookAtImport(t *testing.T, w *world, browser context.Context, lang string) {
	c := w.signedInAs(t, admin, lang)
	held, release := make(chan struct{}), make(chan struct{})
	ended := make(chan error, 1)
	go func() {
		ended <- w.app.DB.InTx(context.Background(), func(context.Context) error {
			close(held)
			<-release
			return nil
		})
	}()
	<-held
	r := c.upload("/o/"+vendor+"/deliveries", "december.csv", november(t, 3), "source", "lanhai-focus", "dry_run", "true")
	if !strings.Contains(r.location(), "/imports/") {
		t.Errorf("an import that takes long leads to %d %s", r.status, r.location())
	} else {
		b := newTab(t, browser, w.url, desk)
		b.signIn(c)
		b.look(stop{"imports.show", admin, r.location(), nil, nil}, lang)
		if !strings.Contains(b.where(), "/imports/") {
			t.Errorf("the progress led on to %s before the import ended", b.where())
		}
	}
	close(release)
	if err := <-ended; err != nil {
		t.Error(err)
	}
}

// lookAtSetUp looks at the first page of an empty portal.
func lookAtSetUp(t *testing.T, browser context.Context, lang string) {
	w := emptyWorld(t, "")
	token, _, err := w.app.Setup.Issue(context.Background())
	if err != nil {
		t.Fatal(err)
	}
	b := newTab(t, browser, w.url, desk)
	b.signIn(w.signedInAs(t, "", lang))
	b.look(stop{"setup", "", "/setup/" + token, nil, nil}, lang)
	b.look(stop{"", "", "/setup/" + token + "x", nil, nil}, lang)
}

// lookAtFailure: a page that fails says so, with the number to ask about and nothing of the cause.
func lookAtFailure(t *testing.T, w *world, browser context.Context, lang string) {
	broken := *w.app
	broken.Closes = nil
	b := newTab(t, browser, serve(t, &broken), desk)
	b.signIn(w.signedInAs(t, buyer, lang))
	b.look(stop{"", buyer, "/o/" + partner + "/bills", nil, nil}, lang)
	text := b.text("body")
	if strings.Contains(text, "panic") || strings.Contains(text, ".go") || strings.Contains(text, "nil") {
		t.Errorf("the page tells the cause: %s", text)
	}
	if !regexp.MustCompile(`[0-9a-f]{8}-[0-9a-f]{4}-`).MatchString(text) {
		t.Errorf("the page tells no request number: %s", text)
	}
}

// signedInAs is a session in that language; somebody with a second step stands before it.
func (w *world) signedInAs(t *testing.T, login, lang string) *client {
	t.Helper()
	c := w.anonymous(t)
	c.post("/preferences/language", "language", lang)
	if login != "" {
		c.post("/login", "username", login, "password", password)
	}
	return c
}

func enrolSecond(t *testing.T, w *world) {
	t.Helper()
	c := w.signIn(t, second)
	secret := strings.TrimSpace(c.post("/account/totp").page(t).Find("code").First().Text())
	code, err := totp.GenerateCode(secret, w.app.Clock.Now())
	if err != nil {
		t.Fatal(err)
	}
	c.want(c.post("/account/totp", "code", code), 200, "second step on")
}
