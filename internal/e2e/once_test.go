package e2e

import (
	"encoding/json"
	"fmt"
	"maps"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/PuerkitoBio/goquery"

	"huoban/internal/app"
	"huoban/internal/flow"
	"huoban/internal/foureyes"
	"huoban/internal/id"
	"huoban/internal/money"
	"huoban/internal/portal"
	"huoban/internal/scope"
	"huoban/internal/topup"
	"huoban/internal/withdrawal"
)

// TestEveryPostActsOnce finds the form of every act of an organisation on the pages of a small demo, sends it twice at the
// same time and once more, and then again from the page that is stale by now.
func TestEveryPostActsOnce(t *testing.T) {
	if testing.Short() {
		t.Skip("long")
	}
	t.Run("sqlite", func(t *testing.T) { t.Parallel(); runOnce(t, newDemoWorld(t, "")) })
	t.Run("postgres", func(t *testing.T) { t.Parallel(); runOnce(t, newDemoWorld(t, postgresURL(t))) })
}

// TestEveryPostHasARow says at once which row a new route lacks.
func TestEveryPostHasARow(t *testing.T) {
	known := map[string]bool{}
	for _, r := range actRoutes() {
		known[r.Name] = true
		if _, ok := acts[r.Name]; !ok {
			t.Errorf("POST %s (%s) has no row in acts (onceacts_test.go): how is its form filled, or why is it not sent twice?", r.Path, r.Name)
		}
	}
	for name := range acts {
		if !known[name] {
			t.Errorf("acts has a row for %s, which is no such route", name)
		}
	}
}

// deed is how a form is sent.
type deed struct {
	fill  []string // name, value pairs beside what the form holds; "@tick" is the first box of that name
	times int      // how often, so that others have something to act on; 0 is once
	many  bool     // it does the same to several things
	late  bool     // only when nothing else goes on: it takes away what others act on
	skip  string   // why it is not sent here
}

// actRoutes are the POST routes of an organisation that do something, moves of machines first; names in clear are only shown.
func actRoutes() []portal.RouteInfo {
	out := slices.DeleteFunc(portal.Routes(), func(r portal.RouteInfo) bool {
		return r.Method != http.MethodPost || !inOrg(r) || strings.HasSuffix(r.Name, ".names") || strings.HasSuffix(r.Name, ".reveal")
	})
	slices.SortStableFunc(out, func(a, b portal.RouteInfo) int {
		_, x := moveOf(a.Path)
		_, y := moveOf(b.Path)
		switch {
		case x == y:
			return 0
		case x:
			return -1
		}
		return 1
	})
	return out
}

// machinesAt are the machines whose entities have pages at an address, beside the one the table names.
var machinesAt = map[string]string{"/payouts/": "withdrawal", "/funds/withdrawals/": "withdrawal", "/invoice-requests/": "invoice", "/registrations/": "prospect"}

// moveOf finds the machine a POST moves an entity of.
func moveOf(path string) (e app.MachineEntry, ok bool) {
	path = strings.NewReplacer("/o/:org", "", "/:cycle/", "/:id/", "/:dispatch/", "/:id/").Replace(path)
	before, noun, ok := strings.Cut(path, "/:id/")
	for rest := ""; ok && strings.Contains(noun, "/"); { // of an entity below another
		_, rest, ok = strings.Cut(noun, "/:id/")
		noun = rest
	}
	if !ok {
		return e, false
	}
	for _, e := range app.Machines {
		d := e.Machine.Describe()
		at, _, _ := strings.Cut(d.Path, "{")
		if (at == before+"/" || machinesAt[before+"/"] == d.Machine) && slices.ContainsFunc(d.Rows, func(r flow.DescribedRow) bool { return r.Noun == noun }) {
			return e, true
		}
	}
	return e, false
}

// offer is a form somebody is shown.
type offer struct {
	*onlooker
	page   string // where it stands
	action string
	fields url.Values
}

// repeater sends forms again.
type repeater struct {
	*testing.T
	w      *world
	routes []portal.RouteInfo
	posts  []portal.RouteInfo
	people []*onlooker
	offers map[string][]offer // by the name of the route, what was seen last first
	done   map[string]int
	spent  map[string]bool   // keys of forms that were accepted
	why    map[string]string // why the last try of a route was refused
}

// onlooker is somebody whose pages are looked through.
type onlooker struct {
	c          *client
	login, org string
}

// lookers see the things of both sides of every act; those of one organisation are two persons.
var lookers = [][2]string{{"hengluo-admin", "HENGLUO"}, {"hengluo-finance", "HENGLUO"}, {"lanhai-admin", vendor}, {"qiheng-admin", "QIHENG"}, {"guangzhu-admin", "GUANGZHU"}, {"yunxiu-admin", partner}, {"yanshi-admin", "YANSHI"}}

func runOnce(t *testing.T, w *world) {
	o := &repeater{T: t, w: w, routes: actRoutes(), offers: map[string][]offer{}, done: map[string]int{}, spent: map[string]bool{}, why: map[string]string{}}
	o.posts = slices.DeleteFunc(portal.Routes(), func(r portal.RouteInfo) bool { return r.Method != http.MethodPost })
	for _, l := range lookers {
		o.people = append(o.people, &onlooker{w.signIn(t, l[0]), l[0], l[1]})
	}
	for _, a := range w.list {
		if a.Kind == "customer" && len(o.people) < len(lookers)+5 {
			o.people = append(o.people, &onlooker{w.signIn(t, a.Username), a.Username, a.Organisation})
		}
	}
	began := time.Now()
	o.furnish()
	o.look()
	t.Logf("looked after %s", time.Since(began).Round(time.Millisecond))
	for late, progress := false, true; progress || !late; {
		late, progress = !progress, false
		for _, r := range o.routes {
			for (late || !acts[r.Name].late) && o.wanted(r) && o.route(r) {
				progress = true
			}
		}
	}
	for _, r := range o.routes {
		if e, ok := moveOf(r.Path); ok && o.wanted(r) && o.done[r.Name] == 0 {
			o.force(r, e)
		}
	}
	tried := 0
	for _, r := range o.routes {
		if o.done[r.Name] > 0 {
			tried++
		} else if o.wanted(r) {
			t.Errorf("%s was not done once: %s", r.Name, firstOf(o.why[r.Name], "no page of "+fmt.Sprint(lookers)+" offers it"))
		}
	}
	t.Logf("%d of %d posts sent again on %s in %s", tried, len(o.routes), w.app.DB.Engine(), time.Since(began).Round(time.Millisecond))
}

func (o *repeater) wanted(r portal.RouteInfo) bool {
	a := acts[r.Name]
	return a.skip == "" && o.done[r.Name] < max(1, a.times)
}

func firstOf(a, b string) string {
	if a != "" {
		return a
	}
	return b
}

// furnish makes what the demo lacks.
func (o *repeater) furnish() {
	o.w.register(o.T, partner)
	o.w.hostPlatform(o.T, partner)
	for _, p := range o.people {
		if p.org == "QIHENG" || p.org == "YANSHI" {
			o.w.subscribe(o.T, p.c, p.org)
			p.c.post("/o/"+p.org+"/exports", "list", "customers", "format", "csv")
		}
	}
	o.w.app.TopUps.Gateways = []topup.Gateway{topup.Simulator{}}
	ctx, op := o.w.asTest(), scope.System("operator")
	must := func(err error) {
		o.Helper()
		if err != nil {
			o.Fatal(err)
		}
	}
	seller, err := o.w.app.Organisations.ByCode(ctx, op, "HENGLUO")
	must(err)
	buyer, err := o.w.app.Organisations.ByCode(ctx, op, "GUANGZHU")
	must(err)
	boss := scope.Vendor(seller.ID, "", "hengluo-admin", []scope.Item{scope.ItemLimitChange, scope.ItemLedgerView, scope.ItemRemittance})
	_, err = o.w.app.FourEyes.Set(ctx, boss, foureyes.SetInput{Kind: foureyes.KindWithdrawal, Currency: "CNY", Amount: "100"})
	must(err)
	payer := scope.Partner(buyer.ID, "", "guangzhu-finance", []scope.Item{scope.ItemFundsView, scope.ItemFundsChange}, nil)
	for i, amount := range []money.Amount{400, 100, 200, 300, 60_000, 70_000} { // the first is claimed by a form
		line := topup.BankLine{Ref: fmt.Sprint("TWICE-", i), PaidOn: "2026-07-07", Currency: "CNY", Amount: amount * money.Unit, PayerName: buyer.Name, PayerAccount: "6222000000001616"}
		_, err := o.w.app.TopUps.Import(ctx, boss, []topup.BankLine{line})
		must(err)
		if i > 0 {
			_, err = o.w.app.TopUps.MakeClaim(ctx, payer, topup.ClaimInput{VendorID: seller.ID, Currency: "CNY", Amount: line.Amount, PaidOn: line.PaidOn, PayerName: line.PayerName, PayerTail: "1616"})
			must(err)
		}
	}
	pctx, taker, err := o.w.app.Operator(ctx, "qiheng-finance", "test")
	must(err)
	for _, amount := range []string{"10.00", "11.00", "12.00", "13.00", "210.00", "220.00"} {
		st, err := o.w.app.Withdrawals.Standing(pctx, taker, seller.ID, "CNY")
		must(err)
		_, err = o.w.app.Withdrawals.Apply(pctx, taker, withdrawal.Input{VendorID: seller.ID, Currency: "CNY", Kind: withdrawal.KindOriginal, Takes: []withdrawal.Take{{EntryID: st.Sources[0].EntryID, Amount: amount}}})
		must(err)
	}
}

func (o *repeater) exec(query string, args ...any) {
	o.Helper()
	if _, err := o.w.app.DB.Writer().ExecContext(o.Context(), query, args...); err != nil {
		o.Fatal(err)
	}
}

// look follows links, a few of every route that has to do with an act, and collects the forms.
func (o *repeater) look() {
	o.Helper()
	parts := map[string]bool{"/o/:org": true}
	for _, r := range o.routes {
		parts[strings.Join(strings.SplitN(r.Path, "/", 5)[:min(4, strings.Count(r.Path, "/")+1)], "/")] = true
	}
	for _, p := range o.people {
		asked, met := map[string]int{}, map[string]bool{}
		for queue := []string{"/o/" + p.org}; len(queue) > 0; queue = queue[1:] {
			u, err := url.Parse(queue[0])
			if err != nil {
				o.Fatal(err)
			}
			r, ok := routeOf(u.Path)
			area := strings.Join(strings.SplitN(r.Path, "/", 5)[:min(4, strings.Count(r.Path, "/")+1)], "/")
			if !ok || !parts[area] || asked[r.Name] >= 4 || asked[r.Name] >= 2 && !namesThing(r) || !strings.HasPrefix(u.Path, "/o/"+p.org) {
				continue
			}
			asked[r.Name]++
			for _, href := range o.visit(p, queue[0]) {
				href, _, _ = strings.Cut(href, "#")
				if !met[href] {
					met[href] = true
					queue = append(queue, href)
				}
			}
		}
	}
}

// visit collects the forms of a page, and gives its links.
func (o *repeater) visit(p *onlooker, at string) []string {
	got := p.c.get(at)
	if got.status != http.StatusOK || !strings.HasPrefix(got.header.Get("Content-Type"), "text/html") {
		return nil
	}
	doc := got.page(o.T)
	doc.Find("form[method='post']").Each(func(_ int, s *goquery.Selection) {
		action := s.AttrOr("action", "")
		name := bestRoute(o.posts, action)
		if strings.HasPrefix(action, "/o/"+p.org+"/") && name != "" {
			o.offers[name] = slices.Insert(o.offers[name], 0, offer{p, at, action, fieldsOf(doc, s)})
		}
	})
	return doc.Find("a[href^='/o/']").Map(attr("href"))
}

func bestRoute(routes []portal.RouteInfo, path string) string {
	name, best := "", 99
	for _, r := range routes {
		if n := matchRoute(r.Path, path); n >= 0 && n < best {
			name, best = r.Name, n
		}
	}
	return name
}

// revisit looks again at the pages of what was acted on, of both sides.
func (o *repeater) revisit(addresses ...string) {
	seen := map[string]bool{}
	for _, address := range addresses {
		address, _, _ = strings.Cut(address, "?")
		parts := strings.Split(address, "/")
		at := slices.IndexFunc(parts, uuid.MatchString)
		if len(parts) < 4 {
			continue
		}
		list, thing := "/"+strings.Join(parts[3:], "/"), ""
		if at > 3 {
			list, thing = "/"+strings.Join(parts[3:at], "/"), "/"+parts[at]
		}
		for _, pair := range [][2]string{{list, list}, {"/payouts", "/funds/withdrawals"}, {"/invoice-requests", "/invoices"}, {"/registrations", "/prospects"}} {
			if pair[0] != list && pair[1] != list {
				continue
			}
			for _, to := range pair {
				seen[to+thing] = true
			}
		}
	}
	for _, p := range o.people {
		for _, to := range sorted(seen) {
			o.visit(p, "/o/"+p.org+to)
		}
	}
}

// force puts things into a state the move begins in, one after the other, until one can be moved.
func (o *repeater) force(r portal.RouteInfo, e app.MachineEntry) {
	noun := r.Path[strings.LastIndexByte(r.Path, '/')+1:]
	d := e.Machine.Describe()
	var ids []string
	for name := range o.count("SELECT id, COUNT(*) FROM "+e.Table+" GROUP BY id HAVING COUNT(*) > $1", 0) {
		ids = append(ids, name)
	}
	slices.Sort(ids)
	for _, row := range d.Rows {
		for _, from := range row.From {
			for i := len(ids) - 1; i >= 0 && i > len(ids)-9 && row.Noun == noun; i-- {
				if _, err := o.w.app.DB.Writer().ExecContext(o.Context(), "UPDATE "+e.Table+" SET "+e.Column+" = $1 WHERE id = $2", from, ids[i]); err != nil {
					continue // it cannot be in this state beside others
				}
				o.exec("UPDATE page_version SET n = n + 1")
				delete(o.offers, r.Name)
				before, _, _ := strings.Cut(strings.TrimPrefix(r.Path, "/o/:org"), "/:id")
				o.revisit("/o/x"+before+"/"+ids[i], "/o/x"+before)
				if o.route(r); o.done[r.Name] > 0 {
					return
				}
			}
		}
	}
}

// fieldsOf is what a browser would send of a form that nobody filled, with the first choice where one has to be made. The
// boxes one may tick stand under "@" and their name.
func fieldsOf(doc *goquery.Document, form *goquery.Selection) url.Values {
	v := url.Values{}
	all := form.Find("input, select, textarea")
	if name := form.AttrOr("id", ""); name != "" {
		all = all.AddSelection(doc.Find("[form='" + name + "']"))
	}
	all.Each(func(_ int, s *goquery.Selection) {
		name, kind := s.AttrOr("name", ""), s.AttrOr("type", goquery.NodeName(s))
		_, required := s.Attr("required")
		switch {
		case name == "" || kind == "file":
		case kind == "select":
			choice := s.Find("option[selected]")
			if choice.Length() == 0 || choice.AttrOr("value", "") == "" && required {
				choice = s.Find("option[value]:not([value=''])")
			}
			v.Set(name, choice.First().AttrOr("value", ""))
		case kind == "textarea":
			text := s.Text()
			if text == "" && required {
				text = "twice"
			}
			v.Set(name, text)
		case kind == "checkbox" || kind == "radio":
			v.Add("@"+name, s.AttrOr("value", "on"))
			if _, on := s.Attr("checked"); on || required && v.Get(name) == "" {
				v.Add(name, s.AttrOr("value", "on"))
			}
		default:
			v.Add(name, s.AttrOr("value", ""))
		}
	})
	return v
}

// route tries what is offered until one is accepted, and tells whether one was.
func (o *repeater) route(r portal.RouteInfo) bool {
	had := o.done[r.Name]
	offers := o.offers[r.Name]
	for i, f := range offers {
		if i > 7 || o.done[r.Name] > had {
			break
		}
		if key := f.fields.Get("idempotency_key"); key != "" && o.spent[key] {
			continue
		}
		a := acts[r.Name]
		fields := url.Values{}
		for name, list := range f.fields {
			if !strings.HasPrefix(name, "@") {
				fields[name] = slices.Clone(list)
			}
		}
		for k := 0; k+1 < len(a.fill); k += 2 {
			name, value := a.fill[k], strings.ReplaceAll(a.fill[k+1], "#", fmt.Sprint(o.done[r.Name]))
			switch {
			case value == "@tick":
				fields.Set(name, f.fields.Get("@"+name))
			case len(fields[name]) > 1: // a column of a table: the first row
				fields[name][0] = value
			default:
				fields.Set(name, value)
			}
		}
		if fields.Get("preview") != "" { // what it would do is shown first
			next, ok := o.confirmed(r, f, fields)
			if !ok {
				continue
			}
			fields = next
		}
		o.try(r, a, f, fields)
	}
	return o.done[r.Name] > had
}

// confirmed is the form a preview leads to.
func (o *repeater) confirmed(r portal.RouteInfo, f offer, fields url.Values) (out url.Values, ok bool) {
	got := f.c.do(http.MethodPost, f.action, fields.Encode())
	if got.status != http.StatusOK {
		o.why[r.Name] = refusal(o.T, got)
		return nil, false
	}
	doc := got.page(o.T)
	doc.Find("form[method='post']").EachWithBreak(func(_ int, s *goquery.Selection) bool {
		ok = s.AttrOr("action", "") == f.action
		if ok {
			out = fieldsOf(doc, s)
			maps.DeleteFunc(out, func(name string, _ []string) bool { return strings.HasPrefix(name, "@") })
		}
		return !ok
	})
	if !ok {
		o.why[r.Name] = "the preview leads to no form"
	}
	return out, ok
}

func refusal(t *testing.T, r reply) string {
	text := strings.Join(strings.Fields(r.page(t).Find(".hb-refusal, .hb-conflict, main").First().Text()), " ")
	if len(text) > 300 {
		text = text[:300]
	}
	return fmt.Sprintf("%d %s", r.status, text)
}

// try sends a form twice at once, a third time, and from a stale page.
func (o *repeater) try(r portal.RouteInfo, a deed, f offer, fields url.Values) {
	what := r.Name + " at " + f.action + " by " + f.login
	before := o.trace()
	var both [2]reply
	var wait sync.WaitGroup
	for i := range both {
		wait.Go(func() { both[i] = f.c.do(http.MethodPost, f.action, fields.Encode()) })
	}
	wait.Wait()
	after := o.trace()
	if both[0].status >= 400 && both[1].status >= 400 {
		o.why[r.Name] = refusal(o.T, both[0])
		if before.version != after.version || before.changes != after.changes {
			o.Errorf("%s was refused and changed something: %s", what, o.why[r.Name])
		}
		return
	}
	if both[0].status == http.StatusOK {
		o.why[r.Name] = "a page came back: " + refusal(o.T, both[0])
		return
	}
	o.done[r.Name]++
	o.spent[f.fields.Get("idempotency_key")] = true
	if fields.Get("idempotency_key") == "" {
		o.Errorf("%s (page %s): the form has no key", what, f.page)
	}
	_, move := moveOf(r.Path)
	o.compare(what, both)
	o.single(what, move, a, before, after)

	again := f.c.do(http.MethodPost, f.action, fields.Encode())
	if again.status != http.StatusSeeOther || again.header.Get("Idempotent-Replayed") != "true" {
		o.Errorf("%s a third time: %d, replayed %q", what, again.status, again.header.Get("Idempotent-Replayed"))
	}
	if then := o.trace(); then != after {
		o.Errorf("%s a third time changed something: %+v, then %+v", what, after, then)
	}
	if move {
		o.stale(what, f, fields)
	}
	if !move && len(a.fill) == 0 && !namesThing(r) {
		return // nothing others act on
	}
	o.revisit(f.action, f.page, firstOf(both[0].location(), both[1].location()))
}

// compare: two requests at once have one answer.
func (o *repeater) compare(what string, both [2]reply) {
	fresh := 0
	for _, r := range both {
		if r.status == http.StatusSeeOther && r.header.Get("Idempotent-Replayed") == "" {
			fresh++
		}
	}
	switch {
	case fresh != 1:
		o.Errorf("%s twice at once: %d of two acted (%d, %d)", what, fresh, both[0].status, both[1].status)
	case both[0].status != both[1].status:
		o.Errorf("%s twice at once: answers %d and %d", what, both[0].status, both[1].status)
	case both[0].status == both[1].status && both[0].location() != both[1].location():
		o.Errorf("%s twice at once leads to %s and to %s", what, both[0].location(), both[1].location())
	}
}

// stale sends it once more as who looked at the page before: with a key of its own, as a page and as a program.
func (o *repeater) stale(what string, f offer, fields url.Values) {
	before := o.trace()
	fields = maps.Clone(fields)
	fields.Set("idempotency_key", id.New())
	got := f.c.do(http.MethodPost, f.action, fields.Encode())
	text := strings.Join(strings.Fields(got.page(o.T).Find("main").Text()), " ")
	if got.status != http.StatusConflict || !strings.Contains(text, f.login) || !strings.Contains(text, today.Format("2006-01-02")) {
		o.Errorf("%s from a stale page: %d, and it does not say that %s was first: %s", what, got.status, f.login, text)
	}
	fields.Set("idempotency_key", id.New())
	got = f.c.do(http.MethodPost, f.action, fields.Encode(), asProgram)
	var told struct {
		Code      string `json:"code"`
		Meanwhile struct {
			By, At, Action, To string
		} `json:"meanwhile"`
	}
	if err := json.Unmarshal([]byte(got.body), &told); err != nil {
		o.Errorf("%s from a stale program: %v", what, err)
	}
	m := told.Meanwhile
	first := m.By == f.login || m.By == "system" // what the program did at once after it
	if _, err := time.Parse(time.RFC3339, m.At); got.status != http.StatusConflict || !first || err != nil || m.Action == "" || m.To == "" {
		o.Errorf("%s from a stale program: %d %s", what, got.status, got.body)
	}
	if after := o.trace(); after.changes != before.changes || after.entries != before.entries || after.version != before.version {
		o.Errorf("%s from a stale page changed something", what)
	}
}

// trace is how much was written: moves of machines, the trail, entries of the ledger, messages, and everything a page shows.
type trace struct{ version, changes, audit, entries, messages int64 }

func (o *repeater) trace() (out trace) {
	o.Helper()
	err := o.w.app.DB.Writer().QueryRowContext(o.Context(), `SELECT (SELECT CAST(COALESCE(SUM(n), 0) AS BIGINT) FROM page_version), (SELECT COUNT(*) FROM transition_log),
(SELECT COUNT(*) FROM audit), (SELECT COUNT(*) FROM ledger_entry), (SELECT COUNT(*) FROM message)`).Scan(&out.version, &out.changes, &out.audit, &out.entries, &out.messages)
	if err != nil {
		o.Fatal(err)
	}
	return out
}

// single: of what was written no move and no line of the trail stands twice, and a move stands there.
func (o *repeater) single(what string, move bool, a deed, before, after trace) {
	o.Helper()
	moved := o.count(`SELECT machine || ' ' || entity || ' ' || action, COUNT(*) FROM transition_log WHERE request_id IN (SELECT request_id FROM audit WHERE seq > $1) GROUP BY machine, entity, action`, o.since(after.audit-before.audit))
	trail := o.count(`SELECT org_id || ' ' || action || ' ' || object, COUNT(*) FROM audit WHERE seq > $1 GROUP BY org_id, action, object`, o.since(after.audit-before.audit))
	acted := o.count(`SELECT org_id || ' ' || action, COUNT(*) FROM audit WHERE seq > $1 GROUP BY org_id, action`, o.since(after.audit-before.audit))
	if move && (len(moved) == 0 || len(trail) == 0) {
		o.Errorf("%s: moves %v, trail %v", what, moved, trail)
	}
	if int64(len(moved)) != after.changes-before.changes {
		o.Errorf("%s: %d moves were written, and by this request %v", what, after.changes-before.changes, moved)
	}
	if a.many {
		acted = nil
	}
	for _, list := range []map[string]int64{moved, trail, acted} {
		for name, n := range list {
			if n != 1 {
				o.Errorf("%s wrote %s %d times", what, name, n)
			}
		}
	}
}

// since is the number of the line of the trail before the last n.
func (o *repeater) since(n int64) (seq int64) {
	if err := o.w.app.DB.Writer().QueryRowContext(o.Context(), "SELECT COALESCE(MAX(seq), 0) FROM audit").Scan(&seq); err != nil {
		o.Fatal(err)
	}
	return seq - n
}

func (o *repeater) count(query string, seq int64) map[string]int64 {
	o.Helper()
	rows, err := o.w.app.DB.Writer().QueryContext(o.Context(), query, seq)
	if err != nil {
		o.Fatal(err)
	}
	defer rows.Close()
	out := map[string]int64{}
	for rows.Next() {
		var name string
		var n int64
		if err := rows.Scan(&name, &n); err != nil {
			o.Fatal(err)
		}
		out[name] = n
	}
	if err := rows.Err(); err != nil {
		o.Fatal(err)
	}
	return out
}
