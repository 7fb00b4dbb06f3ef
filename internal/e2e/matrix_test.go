package e2e

import (
	"cmp"
	"context"
	"fmt"
	"html"
	"maps"
	"net/http"
	"net/url"
	"regexp"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"huoban/internal/account"
	"huoban/internal/app"
	"huoban/internal/audit"
	"huoban/internal/portal"
	"huoban/internal/store"
)

// lately is a cycle that everybody of the demo consumed in, not long enough ago to be out of reach.
const lately = "2026-06"

// earlier is the cycle before it.
const earlier = "2026-05"

// forms says how the parameters of a POST that names stored things are filled, so that the request gets
// as far as looking the name up. A route that is missing here fails TestMatrix: add its row.
var forms = map[string][][]string{
	"adjustments.propose":     {{"cycle", "{cycle}", "currency", "CNY", "amount", "1.00", "reason", "matrix", "partner", "{partner}", "customer", "{customer}"}},
	"access.confirm":          {{"document", "{document}"}},
	"access.unreturn":         {{"return", "{return}"}},
	"consoles.add":            {{"partner", "{partner}", "metadata", "matrix"}},
	"consoles.confirm":        {{"document", "{document}"}},
	"consoles.disable":        {{"reason", "matrix"}},
	"desk.decide":             {{"verdict", "approve", "preview", "yes", "pick", "{pick}"}},
	"assignments.assign":      {{"person", "{person}", "customer", "{customer}", "all", "yes", "preview", "yes"}},
	"assignments.withdraw":    {{"person", "{person}", "customer", "{customer}", "preview", "yes"}},
	"peaks.names":             {{"cycle", lately}},
	"funds.alert":             {{"vendor", "{vendor}", "currency", "CNY", "amount", "1"}},
	"funds.movements.names":   {{}},
	"funds.adjustments.names": {{}},
	"topups.begin":            {{"vendor", "{vendor}", "currency", "CNY", "amount", "1", "channel", "matrix"}},
	"topups.account":          {{"vendor", "{vendor}"}},
	"claims.make":             {{"vendor", "{vendor}", "currency", "CNY", "amount", "1", "paid_on", lately + "-01", "payer", "matrix", "tail", "0000"}},
	"agreements.make":         {{"vendor", "{vendor}", "kind", "single", "payer_kind", "company", "payer", "matrix", "begins", lately + "-01"}},
	"contracts.make": {{"vendor", "{vendor}", "title", "matrix", "currency", "CNY", "begins", "2026-01-01", "ends", "2030-01-01", "plan", "2026-11-30 1.00", "do", "save"},
		{"partner", "{partner}", "title", "matrix", "paper_no", "1", "currency", "CNY", "begins", "2026-01-01", "ends", "2030-01-01", "plan", "2026-11-30 1.00"}},
	"contracts.amendment":          {{"title", "matrix", "currency", "CNY", "begins", "2026-01-01", "ends", "2030-01-01", "plan", "2026-11-30 1.00", "do", "save"}},
	"ledger.credit":                {{"partner", "{partner}", "currency", "CNY", "amount", "1"}},
	"ledger.names":                 {{}},
	"allocations.move":             {{"vendor", "{vendor}", "do", "allocate", "to", "matrix", "amount", "1"}},
	"allocations.batch.move":       {{"vendor", "{vendor}", "do", "preview", "text", "matrix,1"}},
	"withdrawals.apply":            {{"vendor", "{vendor}", "kind", "original"}, {"entry", "{entry}", "take", "1", "kind", "original"}},
	"grants.begin":                 {{"vendor", "{vendor}", "reason", "matrix"}, {"partner", "{partner}", "reason", "matrix"}},
	"prospects.file":               {{"kind", "company", "name", "matrix", "phone", "13800138000", "relation", "resale", "do", "save", "vendor", "{vendor}"}},
	"invitations.send":             {{"relation", "resale", "channel", "link", "preview", "yes", "prospect", "{prospect}"}, {"relation", "resale", "channel", "link", "preview", "yes", "vendor", "{vendor}"}},
	"coupons.grant":                {{"partner", "{partner}", "what", "quota", "kind", "voucher", "currency", "CNY", "value", "1.00", "begins", "2026-01-01", "ends", "2099-01-01"}},
	"quotas.issue":                 {{"customer", "{customer}", "face", "1.00"}},
	"quotas.batch":                 {{"preview", "yes", "lines", "C 1.00"}},
	"quotas.share":                 {{"reseller", "{reseller}", "amount", "1.00"}},
	"coupons.reclaim_many":         {{"coupon", "{coupon}"}},
	"quotas.adjustment":            {{"change", "1.00"}},
	"customers.label":              {{"customer", "{customer}", "add", "matrix", "preview", "yes"}},
	"customers.names":              {{}},
	"members.names":                {{}},
	"members.invite":               {{"login", "matrix", "name", "M", "role", "{role}", "preview", "yes"}},
	"members.assign":               {{"role", "{role}", "preview", "yes"}},
	"members.supervise":            {{"supervisor", "{supervisor}"}},
	"roles.delete":                 {{"replacement", "{replacement}"}},
	"dashboards.expenditure.names": {{}},
	"dashboards.customers.names":   {{}},
	"dashboards.anomalies.explain": {{"cycle", lately, "currency", "CNY", "kind", "surge", "subject", "", "text", "matrix"}},
	"bills.customers.reveal":       {{"cycle", "{cycle}", "column", "customer"}},
	"bills.lines.reveal":           {{"cycle", "{cycle}", "column", "customer"}},
	"expenditure.lines.reveal":     {{"cycle", lately, "column", "customer"}},
	"expenditure.reveal":           {{"cycle", lately, "column", "customer"}},
	"exports.request": {{"list", "bill", "format", "csv", "cycle", "{cycle}"}, {"list", "bill.lines", "format", "csv", "cycle", "{cycle}"},
		{"list", "expenditure.lines", "format", "csv", "cycle", lately}, {"list", "delivery.changes", "format", "csv"}, {"list", "mapping", "format", "csv"}, {"list", "prices.history", "format", "csv"}},
	"bills.adjustments.names":   {{"cycle", "{cycle}"}},
	"mapping.names":             {{}},
	"prices.names":              {{}},
	"deliveries.import":         {{"dry_run", "on"}},
	"quarantine.drop":           {{"reason", "matrix"}},
	"role":                      {{}},
	"reconciliations.compare":   {{"cycle", lately, "batch", "{batch}", "with", "cycle", "against", earlier, "match", "product"}, {"cycle", lately, "with", "cycle", "against", lately, "other", "{other}", "match", "product"}},
	"invoice_requests.settings": {{"sign_days", "15", "couriers", "EMS"}},
	"invoice_requests.digital":  {{"from", "2026-12-01", "entity", "{entity}"}},
	"invoices.draft": {{"method", "cycle", "kind", "ordinary", "medium", "electronic", "bill", "{bill}"}, {"method", "order", "kind", "ordinary", "medium", "electronic", "order", "{order}"},
		{"method", "amount", "amount", "1.00", "kind", "ordinary", "medium", "electronic", "pool", "{pool}"}, {"method", "cycle", "kind", "ordinary", "medium", "paper", "address", "{address}"}},
	"statements.rules.add": {{"customer", "{customer}", "base", "billed", "way", "markup", "value", "10"}},
	"sources.add":          {{"name", "matrix", "dialect", "focus"}},
}

// cast is who tries, each with the organisations whose things it tries: another partner of the same
// vendor, a distributor and its resellers in both directions, another vendor's world, customers.
var cast = []struct {
	logins  []string
	org     string
	victims []string
}{
	{[]string{"hengluo-admin", "hengluo-operations", "hengluo-finance", "hengluo-auditor"}, "HENGLUO", []string{vendor, "QINGYUN"}},
	{[]string{"lanhai-admin"}, vendor, []string{"HENGLUO", otherOrg}},
	{[]string{"qiheng-admin", "qiheng-finance", "qiheng-supervisor", "qiheng-manager"}, "QIHENG", []string{"YANSHI", "ZHANZHOU", otherOrg}},
	{[]string{"guangzhu-admin", "guangzhu-finance", "guangzhu-manager"}, "GUANGZHU", []string{"QIHENG", "HENGLUO", partner}},
	{[]string{"zhanzhou-admin", "zhanzhou-finance", "zhanzhou-manager"}, "ZHANZHOU", []string{"GUANGZHU", "MULAN"}},
	{[]string{"langxi-admin"}, "LANGXI", []string{"QIHENG"}},
	{[]string{"yunxiu-admin", "yunxiu-manager"}, partner, []string{otherOrg, "QIHENG", vendor}},
}

// matrix asks for every thing of another, and for a thing that is not there, and compares.
type matrix struct {
	t       *testing.T
	w       *world
	parties map[string]*party
	known   map[string][]string
	routes  []portal.RouteInfo

	mu        sync.Mutex
	statement []string

	cells, leaks int
	routesTried  map[string]bool
	idsTried     map[string]bool // route and parameter
	actors       map[string]bool
	statuses     map[int]int
	control      map[string]bool // route and parameter that the owner is answered otherwise
	spent        [2]time.Duration
}

// TestMatrix: every route, for every kind of actor, with the things of everybody else in every parameter
// that names one, is answered with the same status and bytes, by the same statements, as with a name that
// nothing has. `go test -run TestMatrix -v ./internal/e2e` prints the size.
func TestMatrix(t *testing.T) {
	if testing.Short() {
		t.Skip("long")
	}
	t.Run("sqlite", func(t *testing.T) { t.Parallel(); runMatrix(t, newDemoWorld(t, "")) })
	t.Run("postgres", func(t *testing.T) { t.Parallel(); runMatrix(t, newDemoWorld(t, postgresURL(t))) })
}

// newDemoWorld is the invented world, small, beside the two sample vendors.
func newDemoWorld(t *testing.T, database string) *world {
	t.Helper()
	w := emptyWorld(t, database)
	ctx := audit.WithRequest(context.Background(), audit.Request{SystemUser: "test"})
	var err error
	if w.list, err = w.app.DemoWorld(ctx, app.DemoSize{Months: 4, Customers: 8}, nil); err != nil {
		t.Fatal(err)
	}
	return w
}

// TestMatrixIsComplete says at once which row a new route lacks.
func TestMatrixIsComplete(t *testing.T) {
	(&matrix{t: t, routes: portal.Routes()}).complete()
}

func runMatrix(t *testing.T, w *world) {
	m := &matrix{t: t, w: w, parties: map[string]*party{}, known: map[string][]string{}, routes: portal.Routes(), routesTried: map[string]bool{},
		idsTried: map[string]bool{}, actors: map[string]bool{}, statuses: map[int]int{}, control: map[string]bool{}}
	m.complete()
	m.furnish()
	w.app.DB.Watch(m.see)
	defer w.app.DB.Watch(nil)
	before := m.digest()
	m.owners()
	m.anonymous()
	for _, c := range cast {
		for _, login := range c.logins {
			m.actor(login, c.org, c.victims)
		}
	}
	m.customers()
	m.managers()
	w.app.DB.Watch(nil)
	if after := m.digest(); !maps.Equal(before, after) {
		for table := range before {
			if before[table] != after[table] {
				t.Errorf("%s changed while nothing was allowed", table)
			}
		}
	}
	if w.app.DB.Engine() == store.Postgres {
		m.secondLock()
	}
	m.report()
}

// complete: a route whose parameter is of no known kind, or whose form has no row, is no part of the
// matrix and must not exist.
func (m *matrix) complete() {
	names := map[string]bool{}
	for _, r := range m.routes {
		names[r.Name] = true
		for _, param := range r.IDs {
			if _, ok := kinds[kindOf(r, param)]; !ok {
				m.t.Errorf("%s %s names %q: say in kinds (matrixids_test.go) where %q is kept and whose it is", r.Method, r.Path, param, kindOf(r, param))
			}
		}
		if _, ok := forms[r.Name]; !ok && r.Method == http.MethodPost && slices.ContainsFunc(r.IDs, func(p string) bool { return !strings.Contains(r.Path, ":"+p) }) {
			m.t.Errorf("%s %s (%s) names %v in its form: give it a row in forms (matrix_test.go)", r.Method, r.Path, r.Name, r.IDs)
		}
	}
	for name := range forms {
		if !names[name] {
			m.t.Errorf("forms has a row for %s, which is no route", name)
		}
	}
	if m.t.Failed() {
		m.t.FailNow()
	}
}

func (m *matrix) ctx() context.Context {
	return audit.WithRequest(context.Background(), audit.Request{SystemUser: "test"})
}

func (m *matrix) see(name string) {
	m.mu.Lock()
	m.statement = append(m.statement, name)
	m.mu.Unlock()
}

func (m *matrix) take() []string {
	m.mu.Lock()
	defer m.mu.Unlock()
	s := m.statement
	m.statement = nil
	return s
}

// ask is one request with parameters filled in.
type ask struct {
	route  portal.RouteInfo
	org    string
	values url.Values // of path, query or form
	json   bool
}

func (a ask) path() string {
	path, query := a.route.Path, url.Values{}
	for name, v := range a.values {
		if strings.Contains(path, "/:"+name) {
			path = strings.Replace(path, ":"+name, url.PathEscape(v[0]), 1)
		} else if a.route.Method == http.MethodGet {
			query[name] = v
		}
	}
	path = strings.Replace(path, ":org", a.org, 1)
	path = regexp.MustCompile(`:[a-z]+`).ReplaceAllString(path, "none")
	if strings.HasSuffix(a.route.Path, "/explanation") {
		query.Set("figure", "due")
	}
	if len(query) > 0 {
		path += "?" + query.Encode()
	}
	return path
}

func (m *matrix) send(c *client, a ask) (reply, []string, time.Duration) {
	var tweaks []tweak
	if a.json {
		tweaks = append(tweaks, asProgram)
	}
	body := ""
	if a.route.Method == http.MethodPost {
		body = a.values.Encode()
		if a.route.Name == "deliveries.import" {
			var pairs []string
			for name, v := range a.values {
				pairs = append(pairs, name, v[0])
			}
			m.take()
			begin := time.Now()
			r := c.upload(a.path(), "x.csv", []byte("a,b\n1,2\n"), pairs...)
			return r, m.take(), time.Since(begin)
		}
	}
	m.take()
	begin := time.Now()
	r := c.do(a.route.Method, a.path(), body, tweaks...)
	return r, m.take(), time.Since(begin)
}

// cell compares a foreign value with an absent one. A difference must be there twice, because a session
// or a cache may have had its own reason the first time.
func (m *matrix) cell(c *client, who string, a ask, param, foreign string) {
	m.cells++
	m.actors[who] = true
	m.routesTried[a.route.Name] = true
	m.idsTried[a.route.Name+" "+param] = true
	var why string
	for n := range 3 {
		if why = m.compare(c, a, param, foreign, absentLike(foreign, n)); why == "" {
			return
		}
	}
	m.leaks++
	m.t.Errorf("%s tells %s a foreign %s %s from an absent one: %s", a.route.Method+" "+a.route.Path, who, param, shortValue(foreign), why)
}

func (m *matrix) compare(c *client, a ask, param, foreign, absent string) string {
	with := func(v string) ask {
		b := a
		if param == "org" {
			b.org = v
			return b
		}
		b.values = maps.Clone(a.values)
		b.values.Set(param, v)
		return b
	}
	none, noneDid, noneTook := m.send(c, with(absent))
	theirs, theirsDid, theirsTook := m.send(c, with(foreign))
	m.spent[0] += noneTook
	m.spent[1] += theirsTook
	m.statuses[theirs.status]++
	switch {
	case theirs.status != none.status:
		return fmt.Sprintf("status %d, absent %d", theirs.status, none.status)
	case theirs.status >= 500:
		return fmt.Sprintf("status %d", theirs.status)
	case param == "org" && theirs.status != http.StatusNotFound && theirs.status != http.StatusUnauthorized && theirs.status != http.StatusSeeOther:
		return fmt.Sprintf("status %d", theirs.status)
	case strings.Contains(a.route.Path, ":"+param) && param != "cycle" && theirs.status < 300:
		return fmt.Sprintf("status %d", theirs.status)
	}
	if x, y := plain(theirs, ""), plain(none, ""); x == y || param == "cycle" && theirs.status != http.StatusNotFound {
		// Neither repeats what it was asked for; or it is the actor's own month, drawn in its own calendar.
	} else if x, y := plain(theirs, foreign), plain(none, absent); x != y {
		return "body\n" + firstDifference(x, y)
	}
	if !slices.Equal(theirsDid, noneDid) {
		return fmt.Sprintf("statements %v, absent %v", theirsDid, noneDid)
	}
	return ""
}

var keyValue = regexp.MustCompile(`(name="idempotency_key" value="|"task":")[^"]*`)

// plain is an answer without the value that was asked for and the keys that are new each time.
func plain(r reply, value string) string {
	text := keyValue.ReplaceAllString(r.location()+"\n"+r.body, "$1")
	if value == "" {
		return text
	}
	if len(value) < 4 { // a number that also stands in other words
		return regexp.MustCompile(`(\b|%3D)`+regexp.QuoteMeta(value)+`\b`).ReplaceAllString(text, "$1·")
	}
	once := url.QueryEscape(value)
	return strings.NewReplacer(url.QueryEscape(once), "·", once, "·", url.QueryEscape(url.PathEscape(value)), "·", url.PathEscape(value), "·", html.EscapeString(value), "·", value, "·").Replace(text)
}

// fill gives the fields of the route's forms, with what is the actor's own in the others.
func (m *matrix) fill(r portal.RouteInfo, self *party) []url.Values {
	own := func(kind string) string {
		if kind == "cycle" {
			return m.cycleOf(self.code)
		}
		if list := m.values(kind, self, m.nobody()); len(list) > 0 {
			return list[0]
		}
		return "none"
	}
	rows := forms[r.Name]
	if len(rows) == 0 {
		rows = [][]string{{}}
		if r.Method == http.MethodGet {
			rows = [][]string{{"cycle", "{cycle}"}}
		}
	}
	var out []url.Values
	for _, row := range rows {
		v := url.Values{}
		for i := 0; i+1 < len(row); i += 2 {
			text := row[i+1]
			if kind, ok := strings.CutPrefix(text, "{"); ok {
				text = own(strings.TrimSuffix(kind, "}"))
			}
			v.Set(row[i], text)
		}
		for _, param := range r.IDs {
			if param != "org" && strings.Contains(r.Path, "/:"+param) {
				v.Set(param, own(kindOf(r, param)))
			}
		}
		out = append(out, v)
	}
	return out
}

func (m *matrix) nobody() *party { return &party{code: "", id: "nobody"} }

// actor tries every route of its own organisation with the victims' things, and every route of theirs.
func (m *matrix) actor(login, org string, victims []string) {
	c := m.w.signIn(m.t, login)
	self := m.party(org)
	for _, code := range victims {
		m.try(c, login, self, m.party(code))
	}
}

func (m *matrix) try(c *client, who string, self, victim *party) {
	for _, r := range m.routes {
		if r.Name == "logout" || r.Public {
			continue
		}
		for i, values := range m.fill(r, self) {
			a := ask{route: r, org: self.code, values: values, json: r.Method == http.MethodPost && m.cells%2 == 0}
			for _, param := range r.IDs {
				if param == "org" && i > 0 {
					continue
				}
				for _, v := range m.values(kindOf(r, param), victim, self) {
					m.cell(c, who, a, param, v)
				}
			}
		}
	}
}

// owners open what the others will ask for, so that every cache holds it, and show that the values are
// real: who may see them is answered otherwise than for an absent one.
func (m *matrix) owners() {
	stranger := m.nobody()
	for _, code := range []string{"HENGLUO", vendor, "QINGYUN", "GUANGZHU", "QIHENG", "YANSHI", "ZHANZHOU", "MULAN", partner, otherOrg} {
		p := m.party(code)
		c := m.w.signIn(m.t, p.owner)
		for _, r := range m.routes {
			if r.Method != http.MethodGet || r.Public {
				continue
			}
			for _, param := range r.IDs {
				for _, v := range m.values(kindOf(r, param), p, stranger) {
					if r.Name == "exports.file" || !m.control[r.Name+" "+param] || param != "org" {
						m.own(c, ask{route: r, org: code, values: m.fill(r, p)[0]}, param, v)
					}
				}
			}
		}
	}
}

func (m *matrix) own(c *client, a ask, param, v string) {
	b := a
	b.values = maps.Clone(a.values)
	a.values = maps.Clone(a.values)
	absent := absentLike(v, 1)
	if param == "org" {
		a.org, b.org = v, absent
	} else {
		a.values.Set(param, v)
		b.values.Set(param, absent)
	}
	theirs, _, _ := m.send(c, a)
	none, _, _ := m.send(c, b)
	if theirs.status < 400 && (theirs.status != none.status || plain(theirs, v) != plain(none, absent)) {
		m.control[a.route.Name+" "+param] = true
	}
}

// anonymous reaches nothing, and learns nothing from how it is refused.
func (m *matrix) anonymous() {
	c := m.w.anonymous(m.t)
	for _, victim := range []string{"HENGLUO", "QIHENG"} {
		m.try(c, "anonymous", &party{code: partner, id: m.party(partner).id}, m.party(victim))
	}
}

// customers try their partner, its vendor and another customer of the same partner.
func (m *matrix) customers() {
	tried := 0
	for _, a := range m.w.list {
		if a.Kind != "customer" || tried == 2 {
			continue
		}
		tried++
		other := slices.IndexFunc(m.w.list, func(b app.DemoAccount) bool { return b.Kind == "customer" && b.Organisation != a.Organisation })
		m.actor(a.Username, a.Organisation, []string{m.w.list[other].Organisation, "QIHENG", "HENGLUO"})
		c, self, stranger := m.w.signIn(m.t, a.Username), m.party(a.Organisation), m.nobody()
		for _, r := range m.routes { // pages of customers alone
			if r.Method != http.MethodGet || !slices.Equal(r.Sides, []string{"customer"}) {
				continue
			}
			for _, param := range r.IDs {
				for _, v := range m.values(kindOf(r, param), self, stranger) {
					m.own(c, ask{route: r, org: a.Organisation, values: m.fill(r, self)[0]}, param, v)
				}
			}
		}
	}
	if tried == 0 {
		m.t.Error("no customer can sign in")
	}
}

// managers try the customers of their own partner that are in the care of another.
func (m *matrix) managers() {
	for _, a := range m.w.list {
		if a.Role != account.RoleManager || a.Kind == "customer" {
			continue
		}
		list := m.codes(`SELECT DISTINCT o.code FROM assignment a JOIN organisation o ON o.id = a.customer_id JOIN organisation p ON p.id = a.partner_id
WHERE p.code = $1 AND a.customer_id NOT IN (SELECT b.customer_id FROM assignment b JOIN person q ON q.id = b.person_id WHERE q.login = $2) ORDER BY o.code`, a.Organisation, a.Username)
		if len(list) == 0 {
			continue
		}
		c := m.w.signIn(m.t, a.Username)
		self := m.party(a.Organisation)
		for _, r := range m.routes {
			if !slices.Contains(r.IDs, "customer") {
				continue
			}
			for _, values := range m.fill(r, self) {
				for _, v := range list {
					m.cell(c, a.Username+" (another's customer)", ask{route: r, org: self.code, values: values}, "customer", v)
				}
			}
		}
	}
}

func (m *matrix) codes(query string, args ...any) (out []string) {
	m.t.Helper()
	rows, err := m.w.app.DB.Writer().QueryContext(context.Background(), query, args...)
	if err != nil {
		m.t.Fatal(err)
	}
	defer rows.Close()
	for rows.Next() && len(out) < 2 {
		var v string
		if err := rows.Scan(&v); err != nil {
			m.t.Fatal(err)
		}
		out = append(out, v)
	}
	if err := rows.Err(); err != nil {
		m.t.Fatal(err)
	}
	return out
}

// ownTraces are tables that hold what the one who asks leaves behind, not what is asked for.
var ownTraces = []string{"customer_trail", "statement_file", "bill_order", "bill_order_read", "audit", "sso_refusal", "audit_head", "session", "sign_in_throttle", "idempotency_key", "job", "export_task", "export_piece", "kept_file", "kept_chunk"}

// partlyTraces are what else a sign-in or the asking for a file leaves behind: a column, or the rows of a
// machine.
var partlyTraces = map[string]string{"person": "last_sign_in_at", "transition_log": "machine:export", "due_change": "machine:export"}

// digest counts and hashes the rows of every table that holds somebody's things.
func (m *matrix) digest() map[string]string {
	m.t.Helper()
	tables, err := m.w.app.DB.Tables(m.ctx())
	if err != nil {
		m.t.Fatal(err)
	}
	out := map[string]string{}
	for _, t := range tables {
		if !slices.Contains(ownTraces, t.Name) {
			out[t.Name] = digestOf(m.t, m.w.app.DB, t, partlyTraces[t.Name])
		}
	}
	return out
}

// report says how large the matrix was, and fails where a parameter of a page was tried on nothing.
func (m *matrix) report() {
	tried := map[string]bool{}
	for _, r := range m.routes {
		for _, param := range r.IDs {
			key := r.Name + " " + param
			if r.Public || notTenants[param] {
				continue
			}
			tried[key] = true
			if !m.idsTried[key] {
				m.t.Errorf("nothing foreign was tried as %s of %s %s: the cast holds none (furnish in matrixids_test.go)", param, r.Method, r.Path)
			}
			if r.Method == http.MethodGet && !m.control[key] {
				m.t.Errorf("nobody is shown anything for %s of %s %s, so that its absence says nothing", param, r.Method, r.Path)
			}
		}
	}
	codes := slices.SortedFunc(maps.Keys(m.statuses), cmp.Compare)
	var by []string
	for _, c := range codes {
		by = append(by, fmt.Sprintf("%d: %d", c, m.statuses[c]))
	}
	m.t.Logf("isolation matrix on %s: %d routes × %d actors × %d ids = %d cells, %d leaks; answers %s; mean time absent %s, foreign %s",
		m.w.app.DB.Engine(), len(m.routesTried), len(m.actors), len(m.idsTried), m.cells, m.leaks, strings.Join(by, ", "),
		m.spent[0]/time.Duration(m.cells), m.spent[1]/time.Duration(m.cells))
}
