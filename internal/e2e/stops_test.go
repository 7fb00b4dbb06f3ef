package e2e

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"
)

// stop is one page of the walk through everything there is.
type stop struct {
	route string // name in the table; empty for a page that is no answer of its route
	who   string // login; empty for nobody
	path  string
	then  func(b *tab) // what brings the page into the state to look at
	once  bool         // seen in every guise by somebody else already
	all   bool         // in every guise: one of each kind of layout
	few   bool         // only in the guises of the walk, because each time counts as a failed sign-in
	name  string       // of the picture, where the address does not tell
}

// noPage are the GET routes that lead elsewhere or speak to programs.
var noPage = []string{"root", "live", "ready", "metrics", "exports.file", "quarantine.export",
	"statements.pdf", "statements.xlsx", "statements.logo", "billing.statements.pdf", "billing.statements.xlsx",
	"invoices.file", "invoice_requests.file", "agreements.paper", "contracts.paper", "company.changes.paper",
	"saml.entry", "saml.login", "saml.metadata", "saml.metadata.mark", "saml.slo", "saml.arrive", "api.session", "idp.metadata", "idp.sso", "idp.slo",
	"platform.jump", "platform.leaving", // of a console's question: TestHostedInBrowser looks at it
	"company.logo", "partners.logo", // pictures
	"confirmation", // of who signed in a while ago: TestStepUpHere
	"dev.outbox",   // of a portal in development: TestDevOutbox
	"saml.leave"}   // of a session that a platform began: TestJumpInBrowser looks at it

// apart are pages of a portal in another state, which run brings about.
var apart = []string{"setup", "imports.show"}

const (
	admin  = "lanhai-admin"
	buyer  = "yunxiu-admin"
	buyer2 = "xingzhu-admin"
)

// curated lists the states worth a look that no plain link shows.
func curated(t *testing.T, w *world, delivered string) []stop {
	t.Helper()
	x := glimpses{delivered: delivered}
	c := w.signIn(t, buyer)
	x.why = whyOf(t, c, "/o/"+partner+"/bills/lines?cycle="+theCycle)
	p := "/o/" + partner
	x.curve = c.get(p+"/peaks?cycle=2026-06").page(t).Find("a[href^='"+p+"/peaks/']").AttrOr("href", "")
	x.things = c.get(p+"/customers").page(t).Find("a[href$='/resources']").AttrOr("href", "")
	q := w.signIn(t, "qiheng-admin")
	x.target = q.get("/o/QIHENG/subscriptions").page(t).Find("tbody a[href^='/o/QIHENG/subscriptions/']:not([href*='/dispatches/'])").AttrOr("href", "")
	x.sent = q.get(x.target).page(t).Find("td a[href*='/dispatches/']").AttrOr("href", "")
	x.quota = w.signIn(t, "hengluo-admin").get("/o/HENGLUO/coupons/quotas").page(t).Find("tbody a[href^='/o/HENGLUO/coupons/quotas/']").AttrOr("href", "")
	platformID, test := w.register(t, partner)
	x.platform, x.test = p+"/support/capability/access-config/"+platformID, test
	x.console = w.hostPlatform(t, partner)
	x.newcomer, x.welcome = w.newcomer(t)
	x.compared, x.general = w.compare(t, c, partner), [2]string{w.generalLink(t, buyer), w.generalLink(t, buyer)}
	return slices.Concat(x.entrances(), x.readings(), x.peoples(), x.vendors())
}

// glimpses are addresses and keys of what was made to be looked at.
type glimpses struct {
	why, curve, things, target, sent, quota, platform, test, console, newcomer, welcome, delivered, compared string
	general                                                                                                  [2]string
}

// entrances are signing in and what there is before and beside it.
func (x *glimpses) entrances() []stop {
	p := "/o/" + partner
	return []stop{
		{route: "login", path: "/login", all: true},
		{path: "/login?refused", then: refusedSignIn},
		{path: "/nowhere"},
		{route: "platform", path: "/platform/" + partner, all: true},
		{path: "/platform/" + partner, who: buyer, name: "platform refused", all: true},
		{route: "views.unsubscribe", path: "/unsubscribe/no-such-token", all: true},
		{route: "reconciliations.show", who: buyer, path: x.compared, name: "a comparison", all: true},
		{route: "views.mine", who: buyer, path: p + "/views", name: "no views"},
		{route: "subscriptions", who: buyer, path: p + "/subscriptions", name: "no subscriptions"},
		{route: "subscriptions", who: "qiheng-admin", path: "/o/QIHENG/subscriptions", all: true},
		{route: "subscriptions.show", who: "qiheng-admin", path: x.target, all: true},
		{route: "subscriptions.settings", who: "qiheng-admin", path: x.target + "/settings"},
		{route: "subscriptions.new", who: buyer, path: p + "/subscriptions/new", all: true},
		{who: buyer, path: p + "/subscriptions/new?refused", then: submitted("main form[method=post]", map[string]string{"name": "x", "address": "https://10.0.0.1", "bucket": "files", "access": "ACCESS", "secret": "0123456789abcdef"}), name: "subscription refused"},
		{route: "dispatches.show", who: "qiheng-admin", path: x.sent, all: true},
		{route: "quotas.adjusting", who: "hengluo-admin", path: x.quota + "/adjustment"},
		{route: "views.mine", who: "qiheng-admin", path: "/o/QIHENG/views", name: "a view to mail", all: true},
		{route: "invite", path: x.general[0], all: true},
		{path: x.general[1] + "?refused", then: submitted("form:has([name=company])", nil), name: "invitation refused"},
		{path: "/invite/over", name: "invitation over", all: true},
		{route: "login.code", who: second, path: "/login/code"},
		{who: second, path: "/login/code?refused", few: true, then: submitted("form:has([name=code])", map[string]string{"code": "000000"})},
		{route: "password", who: admin, path: "/account/password"},
		{who: admin, path: "/account/password?refused", then: submitted("form[action='/account/password']", map[string]string{"current": "x", "password": "short", "repeat": "short"})},
		{route: "password", who: fresh, path: "/account/password"},
		{route: "sessions", who: admin, path: "/account/sessions", all: true},
	}
}

// readings are what a partner pays and consumes.
func (x *glimpses) readings() []stop {
	v, p := "/o/"+vendor, "/o/"+partner
	return []stop{
		{route: "home", who: admin, path: v, all: true},
		{route: "home", who: buyer, path: p, all: true},
		{route: "bills", who: buyer, path: p + "/bills?cycle=" + theCycle, all: true},
		{route: "bills", who: buyer, path: p + "/bills?cycle=2024-10"},
		{route: "bills", who: buyer, path: p + "/bills?cycle=2023-01"},
		{route: "bills", who: buyer2, path: "/o/" + otherOrg + "/bills?cycle=" + otherCycle},
		{route: "bills.lines", who: buyer, path: p + "/bills/lines?cycle=" + theCycle + "&why=" + x.why, then: openSource, name: "why", all: true},
		{route: "bills.lines", who: buyer, path: p + "/bills/lines?cycle=" + theCycle + "&product=nothing"},
		{route: "bills.adjustments", who: buyer, path: p + "/bills/adjustments?cycle=" + theCycle},
		{route: "bills.explanation", who: buyer, path: p + "/bills/explanation?cycle=" + theCycle + "&figure=due"},
		{route: "bills.explanation", who: buyer, path: p + "/bills/explanation?cycle=" + theCycle + "&figure=rounding"},
		{route: "bills.history", who: buyer, path: p + "/bills/history?cycle=" + theCycle, all: true},
		{who: buyer, path: p + "/bills?cycle=yesterday"},
		{route: "expenditure", who: buyer2, path: "/o/" + otherOrg + "/expenditure?cycle=" + otherCycle},
		{route: "expenditure.lines", who: buyer2, path: "/o/" + otherOrg + "/expenditure/lines?cycle=" + otherCycle},
		{route: "expenditure.lines", who: buyer2, path: "/o/" + otherOrg + "/expenditure/lines?cycle=" + otherCycle, then: revealNames, name: "revealed", all: true},
		{route: "expenditure.lines", who: "yunxiu-manager", path: p + "/expenditure/lines"},
		{route: "expenditure.archive", who: buyer2, path: "/o/" + otherOrg + "/expenditure/archive", all: true},
	}
}

// peoples are customers, messages and the persons of an organisation.
func (x *glimpses) peoples() []stop {
	v, p, g := "/o/"+vendor, "/o/"+partner, "/o/GUANGZHU"
	return []stop{
		{route: "peaks", who: buyer, path: p + "/peaks?cycle=2026-06", all: true},
		{route: "peaks.show", who: buyer, path: x.curve, all: true},
		{route: "customers", who: buyer, path: p + "/customers", all: true},
		{route: "customers.resources", who: buyer, path: x.things, all: true},
		{route: "customers", who: buyer, path: p + "/customers?q=nobody-is-called-so", name: "no customers"},
		{route: "dashboards.customers", who: buyer, path: p + "/dashboards/customers", all: true},
		{route: "dashboards.expenditure", who: buyer, path: p + "/dashboards/expenditure", all: true},
		{route: "dashboards.expenditure", who: buyer, path: p + "/dashboards/expenditure?by=customer&from=2025-12&to=2026-05"},
		{route: "dashboards.expenditure", who: buyer, path: p + "/dashboards/expenditure?tab=trend&draw=lines&top=3&sort=change&zero=all"},
		{who: buyer, path: p + "/dashboards/expenditure?from=2026-05&to=2026-04"},
		{route: "dashboards.anomalies", who: "qiheng-admin", path: "/o/QIHENG/dashboards/expenditure/anomalies?cycle=2026-06", all: true},
		{route: "dashboards.anomalies", who: buyer, path: p + "/dashboards/expenditure/anomalies", name: "no anomalies"},
		{route: "dashboards.forecast", who: "qiheng-admin", path: "/o/QIHENG/dashboards/expenditure/forecast", all: true},
		{route: "dashboards.forecast", who: buyer, path: p + "/dashboards/expenditure/forecast", name: "no forecast"},
		{route: "assignments", who: buyer, path: p + "/assignments", all: true},
		{route: "assignments.new", who: buyer, path: p + "/assignments/new?all=yes", all: true},
		{who: buyer, path: p + "/assignments/new?all=yes&refused", then: submitted(".hb-card form[method=post]", nil), name: "assignment refused"},
		{who: buyer, path: p + "/assignments/new?all=yes", then: planned, all: true, name: "assignment planned"},
		{route: "messages.settings", who: buyer, path: p + "/messages/settings", all: true},
		{route: "messages", who: buyer, path: p + "/messages?q=nothing-is-called-so", name: "no messages"},
		{route: "partners", path: "/partners", all: true},
		{path: "/partners?q=nobody-is-called-so", name: "no partners"},
		{route: "grants", who: "hengluo-admin", path: "/o/HENGLUO/prospect-grants", all: true},
		{route: "grants.new", who: "guangzhu-admin", path: g + "/prospect-grants/new", all: true},
		{route: "company", who: "guangzhu-admin", path: g + "/profile", all: true},
		{who: "guangzhu-manager", path: g + "/profile", name: "profile read only"},
		{route: "company.change", who: "guangzhu-admin", path: g + "/profile/change"},
		{route: "company.changes", who: "hengluo-admin", path: "/o/HENGLUO/company-changes", all: true},
		{route: "passcode", who: "guangzhu-admin", path: g + "/verification", all: true},
		{who: "guangzhu-manager", path: g + "/verification", then: askedForCode, all: true, name: "code asked"},
		{route: "news", who: "guangzhu-admin", path: g + "/news", all: true},
		{route: "announcements", who: "hengluo-admin", path: "/o/HENGLUO/announcements", all: true},
		{route: "announcements.new", who: "hengluo-admin", path: "/o/HENGLUO/announcements/new"},
		{who: "hengluo-admin", path: "/o/HENGLUO/announcements/new?refused", then: submitted("main form[method=post]", map[string]string{"title_zh": "x"}), name: "announcement refused"},
		{route: "home", who: "guangzhu-admin", path: g, all: true, name: "home with customers"},
		{route: "members", who: "guangzhu-admin", path: g + "/members", all: true},
		{route: "members", who: admin, path: v + "/members?q=nobody-is-called-so", name: "no members"},
		{route: "members.new", who: "guangzhu-admin", path: g + "/members/new", all: true},
		{who: "guangzhu-admin", path: g + "/members/new?refused", then: submitted("main form[method=post]", map[string]string{"login": "a new one", "name": "N"}), name: "member refused"},
		{route: "members.show", who: "guangzhu-admin", path: g + "/members/" + x.newcomer, all: true},
		{route: "members.edit", who: "guangzhu-admin", path: g + "/members/" + x.newcomer + "/edit"},
		{route: "members.roles", who: "guangzhu-admin", path: g + "/members/" + x.newcomer + "/roles"},
		{who: "guangzhu-admin", path: g + "/members/" + x.newcomer + "/roles", then: previewed, all: true, name: "roles previewed"},
		{route: "roles", who: "guangzhu-admin", path: g + "/roles", all: true},
		{route: "roles.show", who: "guangzhu-admin", path: g + "/roles/bill_reader", all: true},
		{route: "roles.edit", who: "guangzhu-admin", path: g + "/roles/bill_reader/edit"},
		{who: "guangzhu-admin", path: g + "/roles/new?copy=bill_reader", then: previewed, name: "role previewed"},
		{route: "welcome", path: "/welcome/" + x.welcome, all: true},
		{path: "/welcome/" + x.newcomer + ".x", name: "welcome refused"},
	}
}

// vendors are connections, and what the vendor's staff do.
func (x *glimpses) vendors() []stop {
	v, p := "/o/"+vendor, "/o/"+partner
	return []stop{
		{route: "exports", who: buyer, path: p + "/exports"},
		{route: "access", who: buyer, path: p + "/support/capability/access-config", all: true},
		{route: "access", who: buyer2, path: "/o/" + otherOrg + "/support/capability/access-config", name: "no platform"},
		{route: "access.show", who: buyer, path: x.platform, all: true},
		{route: "access.tested", who: buyer, path: x.platform + "/tests/" + x.test, all: true},
		{who: buyer, path: x.platform + "?refused", then: submitted("#options form", map[string]string{"skew": "999"}), name: "access refused"},
		{route: "consoles", who: admin, path: v + "/consoles", all: true},
		{route: "consoles.new", who: admin, path: v + "/consoles/new", all: true},
		{who: admin, path: v + "/consoles/new?refused", then: submitted("#new form", nil), name: "console refused"},
		{route: "consoles.show", who: admin, path: v + "/consoles/" + x.console, all: true},
		{route: "deliveries.show", who: admin, path: x.delivered, all: true},
		{route: "quarantine", who: admin, path: x.delivered + "/quarantine"},
		{route: "deliveries.rules", who: admin, path: x.delivered + "/rules"},
		{route: "deliveries.changes", who: admin, path: x.delivered + "/changes"},
		{route: "deliveries.new", who: admin, path: v + "/deliveries/new"},
		{route: "peak_imports.new", who: admin, path: v + "/peak-imports/new", all: true},
		{route: "peak_imports", who: "hengluo-admin", path: "/o/HENGLUO/peak-imports", all: true},
		{who: admin, path: v + "/deliveries/new?refused", then: submitted("main form[method=post]", nil)},
		{route: "closes.show", who: admin, path: v + "/closes/" + theCycle},
		{route: "closes.show", who: admin, path: v + "/closes/2024-11", all: true},
		{route: "closes.show", who: admin, path: v + "/closes/2024-11?check=full"},
		{who: admin, path: v + "/closes/2024-11", then: act(fmt.Sprintf("%s/closes/2024-11/freeze", v)), name: "close refused", all: true},
		{who: admin, path: v + "/closes/" + theCycle, then: act(fmt.Sprintf("%s/closes/%s/discard", v, theCycle)), name: "close conflict"},
		{who: admin, path: x.delivered, then: act(x.delivered + "/publication"), name: "delivery conflict"},
		{route: "adjustments.new", who: admin, path: v + "/adjustments/new"},
		{who: admin, path: v + "/adjustments/new?refused", then: submitted("main form[method=post]", nil)},
		{route: "mapping.new", who: admin, path: v + "/mapping/new"},
		{who: admin, path: v + "/mapping/new?refused", then: submitted("main form[method=post]", nil)},
		{route: "mapping", who: admin, path: v + "/mapping?q=nothing"},
		{route: "prices", who: admin, path: v + "/prices?rule=1", all: true},
		{route: "prices", who: admin, path: v + "/prices?q=nothing"},
		{route: "prices.new", who: admin, path: v + "/prices/new"},
		{who: admin, path: v + "/prices/new?refused", then: submitted("main form[method=post]", nil), all: true},
		{route: "prices.simulation", who: admin, path: v + "/prices/simulation?cycle=" + theCycle},
		{route: "audit", who: buyer, path: p + "/audit?action=session", all: true},
		{route: "audit", who: buyer, path: p + "/audit?actor=nobody-here"},
		{who: admin, path: v + "/audit?from=yesterday"},
		{who: admin, path: v + "/nowhere", all: true},
		{who: "yunxiu-manager", path: p + "/bills"},
		{who: "lanhai-auditor", path: v + "/deliveries/new", all: true},
	}
}

func refusedSignIn(b *tab) {
	b.t.Helper()
	// another name each time: after a few failures the same one would have to wait
	submitted("form:has([name=username])", map[string]string{"username": fmt.Sprintf("somebody-%d", time.Now().UnixNano()), "password": "x"})(b)
}

// submitted sends a form as it stands, with some fields filled, past the checks of the browser, and waits
// for the answer, which must say what is wrong.
func submitted(form string, fields map[string]string) func(b *tab) {
	return func(b *tab) {
		b.t.Helper()
		sent := b.truth(fmt.Sprintf(`(() => {
			const form = [...document.querySelectorAll(%q)].pop();
			for (const [name, v] of Object.entries(%s || {})) form.elements[name].value = v;
			window.stays = true;
			form.submit();
			return true;
		})()`, form, jsonText(b.t, fields)))
		b.until("answer", fmt.Sprint(sent, " && window.stays === undefined && document.readyState === 'complete'"))
		if at := b.where(); strings.Contains(at, "done=") {
			b.t.Fatalf("not refused: %s", at)
		}
		b.until("refusal", "document.querySelector('.is-invalid, [aria-invalid=true], [role=alert], .tone.bad, .hb-refusal')")
	}
}

// askedForCode switches the own verification on, and is asked for a code when switching it off.
func askedForCode(b *tab) {
	b.t.Helper()
	for _, on := range []string{"true", "false"} {
		b.truth(fmt.Sprintf(`(() => {
			if (document.querySelector('#own') === null) return true;
			document.querySelector('#own [name=asked]').checked = %s;
			window.stays = true;
			document.querySelector('#own form').submit();
			return true;
		})()`, on))
		b.until("answer", "window.stays === undefined && document.readyState === 'complete'")
	}
}

// planned asks what assigning every customer to the first manager would do.
func planned(b *tab) {
	b.t.Helper()
	b.truth(`(() => {
		const form = [...document.querySelectorAll('.hb-card form[method=post]')].pop();
		form.elements.person.selectedIndex = 1;
		form.querySelectorAll('input[type=checkbox]:not(:disabled)').forEach(x => x.checked = true);
		window.stays = true;
		form.submit();
		return true;
	})()`)
	b.until("plan", "window.stays === undefined && document.readyState === 'complete' && document.querySelector('#steps')")
}

// previewed asks what somebody with these roles would see.
func previewed(b *tab) {
	b.t.Helper()
	b.truth(`(() => { window.stays = true; [...document.querySelectorAll('main form[method=post]')].pop().submit(); return true; })()`)
	b.until("preview", "window.stays === undefined && document.readyState === 'complete' && document.querySelector('#pages')")
}

// act posts what no button of the page offers any more, as somebody does whose page is old.
func act(action string) func(b *tab) {
	return func(b *tab) {
		b.t.Helper()
		b.truth(fmt.Sprintf(`(() => { const f = document.createElement('form'); f.method = 'post'; f.action = %q; document.body.append(f); window.stays = true; f.submit(); return true; })()`, action))
		b.until("answer", "window.stays === undefined && document.readyState === 'complete'")
		if status := b.status(); status < 400 || status >= 500 {
			b.t.Errorf("%s answers %d", action, status)
		}
	}
}

func openSource(b *tab) {
	b.t.Helper()
	b.truth("document.querySelector('.hb-source').open = true")
}

// revealNames presses the eye of the masked column.
func revealNames(b *tab) {
	b.t.Helper()
	b.truth("(() => { document.querySelector('main thead form .hb-ico:not([aria-pressed=true])').click(); return true; })()")
	b.until("names", "document.querySelector('main thead .hb-ico:is([aria-pressed=true], [role=img])') && !document.querySelector('.htmx-request')")
}

func jsonText(t *testing.T, v any) string {
	t.Helper()
	text, err := json.Marshal(v)
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

// newcomer is the person the demo invites, and what the address of the invitation ends with.
func (w *world) newcomer(t *testing.T) (personID, token string) {
	t.Helper()
	ctx, sc, err := w.app.Operator(t.Context(), "guangzhu-admin", "test")
	if err != nil {
		t.Fatal(err)
	}
	p, err := w.app.Accounts.PersonByLogin(ctx, "guangzhu-newcomer")
	if err != nil {
		t.Fatal(err)
	}
	_, token, err = w.app.Accounts.ShowLink(ctx, sc, p.ID)
	if err != nil {
		t.Fatal(err)
	}
	return p.ID, token
}
