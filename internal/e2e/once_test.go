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
	"huoban/internal/id"
	"huoban/internal/portal"
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
	// file is what the form brings; the form has no key where what it brings tells that it is the same.
	file func(o *repeater, n int) (name string, body []byte)
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

// offer is a form somebody is shown.
type offer struct {
	*onlooker
	page   string // where it stands
	action string
	file   string // the name of its file field
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
		if a.file != nil {
			o.bring(r, a, f, fields)
			continue
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
			o.Errorf("%s was refused and changed something (%+v, then %+v): %s", what, before, after, o.why[r.Name])
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
		o.overtaken(what, f, fields)
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

// overtaken puts the thing back into the state the page showed, as if others had moved it there and back since: what was
// decided from the page is refused all the same, because it was about another.
func (o *repeater) overtaken(what string, f offer, fields url.Values) {
	if fields.Get("seen") == "" {
		o.Errorf("%s (page %s): the form does not say which version it shows", what, f.page)
		return
	}
	parts := slices.DeleteFunc(strings.Split(f.action, "/"), func(s string) bool { return !uuid.MatchString(s) })
	if len(parts) == 0 {
		return // named by something else than its key
	}
	db, key := o.w.app.DB.Writer(), parts[len(parts)-1]
	var machine, from, now string
	err := db.QueryRowContext(o.Context(), "SELECT machine, from_state FROM transition_log WHERE entity = $1 AND actor = $2 ORDER BY version DESC LIMIT 1", key, f.login).Scan(&machine, &from)
	e := app.Machines[max(0, slices.IndexFunc(app.Machines, func(e app.MachineEntry) bool { return e.Machine.Describe().Machine == machine }))]
	if err == nil {
		err = db.QueryRowContext(o.Context(), "SELECT "+e.Column+" FROM "+e.Table+" WHERE id = $1", key).Scan(&now)
	}
	if err != nil {
		o.Errorf("%s: %v", what, err)
		return
	}
	set := "UPDATE " + e.Table + " SET " + e.Column + " = $1 WHERE id = $2"
	if _, err := db.ExecContext(o.Context(), set, from, key); err != nil {
		return // it cannot be in that state beside what else came of the move
	}
	before := o.trace()
	fields = maps.Clone(fields)
	fields.Set("idempotency_key", id.New())
	got := f.c.do(http.MethodPost, f.action, fields.Encode(), asProgram)
	if got.status != http.StatusConflict || !strings.Contains(got.body, `"flow.changed_meanwhile"`) {
		o.Errorf("%s from a page that was overtaken: %d %s", what, got.status, got.body)
	}
	if after := o.trace(); after.changes != before.changes || after.entries != before.entries || after.audit != before.audit {
		o.Errorf("%s from a page that was overtaken changed something", what)
	}
	o.exec(set, now, key)
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
