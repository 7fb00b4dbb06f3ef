package e2e

import (
	"context"
	"fmt"
	"regexp"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/pquerna/otp/totp"

	"huoban/internal/account"
	"huoban/internal/app"
)

// guise is how a page is looked at.
type guise struct {
	lang  string
	width int
	theme string
}

func (g guise) String() string { return fmt.Sprintf("%s %d %s", g.lang, g.width, g.theme) }

// pairs are the guises of the walk: any two of language, width and theme meet in one of them.
var pairs = []guise{{"zh-CN", desk, "light"}, {"en", phone, "light"}, {"en", desk, "dark"}, {"zh-CN", phone, "dark"}}

// survey is one walk through everything: what it does at every stop, and what it has seen.
type survey struct {
	w       *world
	browser context.Context
	at      func(b *tab, s stop, g guise)            // looks at a page as it stands
	inside  func(b *tab, s stop, g guise, id string) // looks at what was opened on it

	mu     sync.Mutex
	seen   map[string][]guise // by route
	opened map[string]bool    // by guise and what it is
	ever   map[string]bool    // ids of what was opened at all
}

func newSurvey(w *world, browser context.Context) *survey {
	return &survey{w: w, browser: browser, seen: map[string][]guise{}, opened: map[string]bool{}, ever: map[string]bool{}}
}

// told names a stop in a message.
func (s stop) told(g guise) string {
	return fmt.Sprintf("%s %s %s %s", s.who, s.path[:min(len(s.path), 70)], s.name, g)
}

// look brings a page up and looks at it, and at everything that can be opened on it, in each of the guises.
// They differ in their themes alone, which are a matter of the style sheet: the page is asked for once.
func (v *survey) look(b *tab, s stop, guises ...guise) {
	b.t.Helper()
	b.open(s.path)
	if s.then != nil {
		s.then(b)
	}
	if status := b.status(); s.route != "" && status != 200 {
		b.t.Errorf("%s %s: status %d", s.who, s.path, status)
	}
	for _, g := range guises {
		v.mu.Lock()
		v.seen[s.route] = append(v.seen[s.route], g)
		v.mu.Unlock()
		where := s.told(g)
		b.truth(fmt.Sprintf("document.documentElement.dataset.bsTheme = %q", g.theme))
		b.worded(where, g.lang)
		v.at(b, s, g)
		b.fits(where)
		v.open(b, s, g, where)
		b.quiet(where)
	}
}

// openable is a popover or dialog of a page. The frame's own are the same on every page of a side.
type openable struct {
	ID    string
	Frame bool
}

var number = regexp.MustCompile(`[0-9a-f]{8,}|[0-9]+`)

// open opens the popovers and dialogs of a page one after the other by their own buttons; one of each sort
// for a route, and those of the frame once for each person.
func (v *survey) open(b *tab, s stop, g guise, where string) {
	b.t.Helper()
	for _, o := range value[[]openable](b, `[...document.querySelectorAll('[popover][id], dialog[id]')].map(e => ({ID: e.id,
		Frame: e.id === 'keys' || !!document.querySelector('.hb-top [popovertarget="' + CSS.escape(e.id) + '"], .hb-top [commandfor="' + CSS.escape(e.id) + '"]')}))`) {
		sort := number.ReplaceAllString(o.ID, "#")
		key := strings.Join([]string{g.String(), s.route, sort}, " ")
		if s.route == "" {
			key += s.path
		}
		if o.Frame {
			key = strings.Join([]string{g.String(), s.who, sort}, " ")
		}
		v.mu.Lock()
		done := v.opened[key]
		v.opened[key] = true
		v.mu.Unlock()
		if done {
			continue
		}
		switch how := value[string](b, fmt.Sprintf(openScript, o.ID)); how {
		case "folded":
			v.mu.Lock()
			delete(v.opened, key) // its button does not show here
			v.mu.Unlock()
			continue
		case "open":
		default:
			b.t.Errorf("%s: %s: %s", where, o.ID, how)
			continue
		}
		v.mu.Lock()
		v.ever[sort] = true
		v.mu.Unlock()
		b.until(o.ID, "!document.querySelector('.htmx-request, .htmx-settling')")
		b.fits(where + " with " + o.ID)
		v.inside(b, s, g, o.ID)
		b.truth(fmt.Sprintf(`(() => { const e = document.getElementById(%q); if (!e) return true; e.matches('dialog') ? e.close() : e.matches(':popover-open') && e.hidePopover(); return true; })()`, o.ID))
	}
}

// openScript presses the button of a popover or dialog that shows, and says whether it stands on the screen.
const openScript = `(() => {
	const e = document.getElementById(%[1]q), id = CSS.escape(%[1]q);
	const b = [...document.querySelectorAll('[popovertarget="' + id + '"], [commandfor="' + id + '"]:not([data-close])')].find(b => b.checkVisibility());
	if (b) { b.scrollIntoView({block: 'center'}); b.click(); } else if (e.matches('dialog')) e.showModal(); else return 'folded';
	if (!e.matches(':popover-open, [open]')) return 'does not open';
	const r = e.getBoundingClientRect();
	if (r.left < -1 || r.right > innerWidth + 1) return 'stands outside the screen: ' + r.left + ' to ' + r.right;
	return r.width > 40 && r.height > 20 ? 'open' : 'has no size';
})()`

// rounds puts guises together that differ in their themes alone.
func rounds(guises []guise) [][]guise {
	var out [][]guise
	for _, g := range guises {
		i := slices.IndexFunc(out, func(r []guise) bool { return r[0].lang == g.lang && r[0].width == g.width })
		if i < 0 {
			i, out = len(out), append(out, nil)
		}
		out[i] = append(out[i], g)
	}
	return out
}

// in gives the guises of a round a stop is looked at in; k is its place among the stops.
func (s stop) in(round, chosen []guise, k int) []guise {
	return slices.DeleteFunc(slices.Clone(round), func(g guise) bool {
		switch {
		case s.once:
			return chosen[k%len(chosen)] != g
		case s.few:
			return !slices.Contains(pairs, g)
		}
		return !s.all && !slices.Contains(chosen, g)
	})
}

// run walks through the stops in the chosen guises, and in all there are through those that want it. Every
// person has a session for every language and width.
func (v *survey) run(t *testing.T, stops []stop, chosen []guise) {
	for _, round := range rounds(guises) {
		first := round[0]
		t.Run(fmt.Sprint(first.lang, " ", first.width), func(t *testing.T) {
			t.Parallel()
			tabs := map[string]*tab{}
			for k, s := range stops {
				in := s.in(round, chosen, k)
				if len(in) == 0 {
					continue
				}
				b := tabs[s.who]
				if b == nil {
					b = newTab(t, v.browser, v.w.url, first.width)
					b.signIn(v.w.signedInAs(t, s.who, in[0]))
					tabs[s.who] = b
				}
				t.Run(strings.TrimSpace(s.who+" "+s.path+" "+s.name), func(t *testing.T) {
					b.t = t
					v.look(b, s, in...)
				})
			}
			in := stop{}.in(round, chosen, 0)
			v.setUp(t, in)
			v.failure(t, in)
		})
	}
}

// testWalk looks at every page there is and runs axe on it and on everything that opens.
func testWalk(t *testing.T, w *world, browser context.Context) {
	enrolSecond(t, w)
	delivered := deliverMore(t, w)
	v := newSurvey(w, browser)
	v.at = func(b *tab, s stop, g guise) {
		if g.width == phone {
			b.unfold() // the desk is looked at as it comes
		}
		b.axe(s.told(g), "document")
	}
	v.inside = func(b *tab, s stop, g guise, id string) { b.axe(s.told(g)+" with "+id, "'#"+id+"'") }
	for _, round := range rounds(pairs) {
		t.Run("import "+round[0].String(), func(t *testing.T) { v.importing(t, round) })
	}
	stops, pages := w.stopsOf(t, curated(t, w, delivered), admins(w.cast()))
	t.Run("pages", func(t *testing.T) { v.run(t, stops, pairs) })
	v.complete(t, pages, pairs)
}

// complete: every page of the table was seen in every guise, and everything the parts can open was open.
func (v *survey) complete(t *testing.T, pages []string, guises []guise) {
	t.Helper()
	for _, r := range pages {
		missed := slices.DeleteFunc(slices.Clone(guises), func(g guise) bool { return slices.Contains(v.seen[r], g) })
		if len(missed) > 0 {
			t.Errorf("nobody looked at %s in %v", r, missed)
		}
	}
	for _, id := range []string{"mega-#", "all-nav", "account", "keys", "cycles", "export", "columns-#", "views", "st-#"} {
		if !slices.ContainsFunc(sorted(v.ever), func(sort string) bool {
			return sort == id || strings.HasSuffix(id, "#") && strings.HasPrefix(sort, strings.TrimSuffix(id, "#"))
		}) {
			t.Errorf("%s was opened nowhere; open were %v", id, sorted(v.ever))
		}
	}
}

// importing holds the only writer, so that an import stands still while its progress is looked at.
func (v *survey) importing(t *testing.T, in []guise) {
	w, g := v.w, in[0]
	c := w.signedInAs(t, admin, g)
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
		b := newTab(t, v.browser, w.url, g.width)
		b.signIn(c)
		v.look(b, stop{route: "imports.show", who: admin, path: r.location(), name: "importing"}, in...)
		if !strings.Contains(b.where(), "/imports/") {
			t.Errorf("the progress led on to %s before the import ended", b.where())
		}
	}
	close(release)
	if err := <-ended; err != nil {
		t.Error(err)
	}
}

// setUp looks at the first page of an empty portal.
func (v *survey) setUp(t *testing.T, in []guise) {
	g := in[0]
	w := emptyWorld(t, "")
	token, _, err := w.app.Setup.Issue(context.Background())
	if err != nil {
		t.Fatal(err)
	}
	b := newTab(t, v.browser, w.url, g.width)
	b.signIn(w.signedInAs(t, "", g))
	v.look(b, stop{route: "setup", path: "/setup/" + token, name: "setup"}, in...)
	v.look(b, stop{path: "/setup/" + token, name: "setup refused", then: submitted("form:has([name=password])", nil)}, in...)
	v.look(b, stop{path: "/setup/" + token + "x", name: "setup expired"}, in...)
}

// failure: a page that fails says so, with the number to ask about and nothing of the cause.
func (v *survey) failure(t *testing.T, in []guise) {
	g := in[0]
	broken := *v.w.app
	broken.Closes = nil
	b := newTab(t, v.browser, serve(t, &broken), g.width)
	b.signIn(v.w.signedInAs(t, buyer, g))
	v.look(b, stop{who: buyer, path: "/o/" + partner + "/bills", name: "500"}, in...)
	text := b.text("body")
	if strings.Contains(text, "panic") || strings.Contains(text, ".go") || strings.Contains(text, "nil") {
		t.Errorf("the page tells the cause: %s", text)
	}
	if !regexp.MustCompile(`[0-9a-f]{8}-[0-9a-f]{4}-`).MatchString(text) {
		t.Errorf("the page tells no request number: %s", text)
	}
}

// signedInAs is a session in that language and theme; somebody with a second step stands before it.
func (w *world) signedInAs(t *testing.T, login string, g guise) *client {
	t.Helper()
	c := w.anonymous(t)
	c.post("/preferences/language", "language", g.lang)
	c.post("/preferences/theme", "theme", g.theme)
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

// admins are those of a cast who may do everything at their organisation.
func admins(cast []app.DemoAccount) []app.DemoAccount {
	return slices.DeleteFunc(cast, func(a app.DemoAccount) bool { return a.Role != account.RoleAdmin })
}
