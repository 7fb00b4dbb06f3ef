package e2e

import (
	"context"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"net/http"
	"regexp"
	"slices"
	"strings"
	"testing"

	"huoban/internal/id"
	"huoban/internal/notice"
	"huoban/internal/portal"
	"huoban/internal/scope"
	"huoban/internal/store"
)

// ofOwnRoles are the roles an organisation made for itself.
const ofOwnRoles = `SELECT code FROM custom_role WHERE org_id = $1 AND code NOT IN (SELECT code FROM custom_role WHERE org_id = $2) ORDER BY code`

// ofOwnNews are the announcements of a vendor that the other does not deal with.
const ofOwnNews = `SELECT id FROM announcement WHERE vendor_id = $1 AND vendor_id <> $2 AND vendor_id NOT IN (SELECT vendor_id FROM partnership WHERE partner_id = $2
OR partner_id = (SELECT parent_id FROM organisation WHERE id = $2)) AND vendor_id NOT IN (SELECT p.vendor_id FROM association a JOIN partnership p ON p.partner_id = a.partner_id WHERE a.customer_id = $2)
AND vendor_id NOT IN (SELECT p.vendor_id FROM association a JOIN organisation q ON q.id = a.partner_id JOIN partnership p ON p.partner_id = q.parent_id WHERE a.customer_id = $2) ORDER BY id`

// kinds says where the database keeps what a parameter of the route table names: the values an
// organisation ($1) has and the acting one ($2) has not. A path parameter called id is named after the
// segment before it. A parameter that is missing here fails TestMatrix: add its query.
var kinds = map[string]string{
	"organisation": `SELECT code FROM organisation WHERE id = $1 AND id <> $2`,
	"default": `SELECT o.code FROM organisation o WHERE o.kind = 'customer' AND o.id <> $2 AND
(o.id = $1 OR o.id IN (SELECT customer_id FROM association WHERE partner_id = $1 OR partner_id IN (SELECT partner_id FROM partnership WHERE vendor_id = $1)))
AND o.id NOT IN (SELECT customer_id FROM association WHERE partner_id = $2) ORDER BY o.code`,
	"loose": `SELECT o.code FROM organisation o WHERE o.kind = 'customer' AND o.id <> $2 AND
(o.id = $1 OR o.id IN (SELECT customer_id FROM association WHERE partner_id = $1 OR partner_id IN (SELECT partner_id FROM partnership WHERE vendor_id = $1)))
AND o.id NOT IN (SELECT customer_id FROM association WHERE partner_id = $2) ORDER BY o.code`,
	"org":    `SELECT code FROM organisation WHERE id = $1 AND id <> $2`,
	"vendor": `SELECT code FROM organisation WHERE kind = 'vendor' AND id <> $2 AND (id = $1 OR id IN (SELECT vendor_id FROM partnership WHERE partner_id = $1)) AND id NOT IN (SELECT vendor_id FROM partnership WHERE partner_id = $2 UNION SELECT vendor_id FROM bill WHERE partner_id = $2)`,
	"partner": `SELECT code FROM organisation WHERE id <> $2 AND kind NOT IN ('vendor', 'customer') AND
(id = $1 OR id IN (SELECT partner_id FROM partnership WHERE vendor_id = $1)) ORDER BY code`,
	"customer": `SELECT o.code FROM organisation o WHERE o.kind = 'customer' AND o.id <> $2 AND
(o.id = $1 OR o.id IN (SELECT customer_id FROM association WHERE partner_id = $1 OR partner_id IN (SELECT partner_id FROM partnership WHERE vendor_id = $1)))
AND o.id NOT IN (SELECT customer_id FROM association WHERE partner_id = $2) ORDER BY o.code`,
	"entity": `SELECT code FROM contracting_entity WHERE vendor_id IN (SELECT $1 UNION SELECT vendor_id FROM partnership WHERE partner_id = $1)
AND code NOT IN (SELECT code FROM contracting_entity WHERE vendor_id IN (SELECT $2 UNION SELECT vendor_id FROM partnership WHERE partner_id = $2
UNION SELECT vendor_id FROM bill WHERE partner_id = $2)) ORDER BY code`,
	"cycle": `SELECT DISTINCT cycle FROM bill WHERE (vendor_id = $1 OR partner_id = $1) AND cycle NOT IN (SELECT cycle FROM bill WHERE vendor_id = $2 OR partner_id = $2
OR vendor_id IN (SELECT vendor_id FROM partnership WHERE partner_id = $2)) ORDER BY cycle`,
	"manager":     `SELECT p.login FROM assignment a JOIN person p ON p.id = a.person_id WHERE a.partner_id = $1 AND p.org_id <> $2 ORDER BY p.login`,
	"adjustments": `SELECT id FROM adjustment WHERE vendor_id = $1 AND vendor_id <> $2 ORDER BY CASE state WHEN 'proposed' THEN 0 ELSE 1 END, id`,
	"deliveries":  `SELECT d.id FROM delivery d JOIN source s ON s.id = d.source_id WHERE s.vendor_id = $1 AND s.vendor_id <> $2 ORDER BY d.quarantined DESC, d.id`,
	"source":      `SELECT name FROM source WHERE vendor_id = $1 AND vendor_id <> $2 ORDER BY name`,
	"slot":        `SELECT CAST(id AS text) FROM slot WHERE vendor_id = $1 AND vendor_id <> $2 ORDER BY id`,
	"row": `SELECT q.id FROM quarantine q JOIN delivery d ON d.id = q.delivery_id JOIN source s ON s.id = d.source_id
WHERE s.vendor_id = $1 AND s.vendor_id <> $2 ORDER BY q.id`,
	"rule":          `SELECT CAST(number AS text) FROM price_rule WHERE vendor_id = $1 AND number NOT IN (SELECT number FROM price_rule WHERE vendor_id = $2) ORDER BY number`,
	"exports":       `SELECT e.id FROM export_task e WHERE e.org_id = $1 AND e.org_id <> $2 ORDER BY CASE e.state WHEN 'done' THEN 0 ELSE 1 END, e.id`,
	"notice":        `SELECT id FROM site_notice WHERE vendor_id = $1 AND vendor_id <> $2 AND vendor_id NOT IN (SELECT vendor_id FROM partnership WHERE partner_id = $2) ORDER BY id`,
	"message":       `SELECT id FROM message WHERE org_id = $1 AND org_id <> $2 ORDER BY id`,
	"handle":        `SELECT s.handle FROM session s JOIN person p ON p.id = s.person_id WHERE p.org_id = $1 AND p.org_id <> $2 ORDER BY s.handle`,
	"access-config": `SELECT id FROM sso_idp WHERE partner_id = $1 AND partner_id <> $2 ORDER BY id`,
	"document": `SELECT m.id AS id FROM sso_metadata m JOIN sso_idp i ON i.id = m.owner_id WHERE i.partner_id = $1 AND i.partner_id <> $2
UNION SELECT m.id AS id FROM sso_metadata m JOIN sso_sp c ON c.id = m.owner_id WHERE c.vendor_id = $1 AND c.vendor_id <> $2 ORDER BY id`,
	"test":     `SELECT t.id FROM sso_test t JOIN sso_idp i ON i.id = t.idp_id WHERE i.partner_id = $1 AND i.partner_id <> $2 ORDER BY t.id`,
	"return":   `SELECT r.id FROM sso_return r JOIN sso_idp i ON i.id = r.idp_id WHERE i.partner_id = $1 AND i.partner_id <> $2 ORDER BY r.id`,
	"sp":       `SELECT id FROM sso_sp WHERE partner_id = $1 AND partner_id <> $2 ORDER BY id`,
	"consoles": `SELECT id FROM sso_sp WHERE vendor_id = $1 AND vendor_id <> $2 ORDER BY id`,
	"customers": `SELECT o.id FROM organisation o JOIN association a ON a.customer_id = o.id WHERE a.partner_id = $1
AND o.id NOT IN (SELECT customer_id FROM association WHERE partner_id = $2 OR partner_id IN (SELECT id FROM organisation WHERE parent_id = $2)) ORDER BY o.id`,
	"peaks": `SELECT s.id FROM peak_series s WHERE s.customer_id IN (SELECT customer_id FROM association WHERE partner_id = $1 OR customer_id = $1)
AND s.customer_id <> $2 AND s.customer_id NOT IN (SELECT customer_id FROM association WHERE partner_id = $2 OR partner_id IN (SELECT id FROM organisation WHERE parent_id = $2)) ORDER BY s.id`,
	"assignments": `SELECT DISTINCT s.person_id FROM assignment s WHERE s.partner_id = $1 AND s.partner_id <> $2 ORDER BY s.person_id`,
	"person":      `SELECT DISTINCT s.person_id FROM assignment s WHERE s.partner_id = $1 AND s.partner_id <> $2 ORDER BY s.person_id`,
	"members":     `SELECT id FROM person WHERE org_id = $1 AND org_id <> $2 ORDER BY CASE login WHEN 'guangzhu-newcomer' THEN 0 ELSE 1 END, id`,
	"news":        ofOwnNews, "announcements": ofOwnNews,
	"company-changes": `SELECT c.id FROM company_change c JOIN organisation o ON o.id = c.org_id WHERE c.org_id = $1 AND c.org_id <> $2 AND c.org_id NOT IN (SELECT partner_id FROM partnership WHERE vendor_id = $2)
AND coalesce(o.parent_id, '') NOT IN (SELECT partner_id FROM partnership WHERE vendor_id = $2) ORDER BY c.id`,
	"logo":       `SELECT sha FROM company_logo WHERE org_id = $1 AND org_id <> $2`,
	"supervisor": `SELECT id FROM person WHERE org_id = $1 AND org_id <> $2 ORDER BY id`,
	"roles":      ofOwnRoles, "role": ofOwnRoles, "copy": ofOwnRoles, "replacement": ofOwnRoles,
	"path.id":          `SELECT d.id FROM delivery d JOIN source s ON s.id = d.source_id WHERE s.vendor_id = $1 AND s.vendor_id <> $2 ORDER BY d.quarantined DESC, d.id`,
	"prospects":        `SELECT id FROM prospect WHERE partner_id = $1 AND partner_id <> $2 ORDER BY id`,
	"prospect":         `SELECT id FROM prospect WHERE partner_id = $1 AND partner_id <> $2 AND state = 'registered' ORDER BY id`,
	"prospect-grants":  `SELECT id FROM prospect_grant WHERE (partner_id = $1 OR vendor_id = $1) AND partner_id <> $2 AND vendor_id <> $2 ORDER BY id`,
	"registrations":    `SELECT id FROM prospect WHERE vendor_id = $1 AND vendor_id <> $2 ORDER BY CASE state WHEN 'pending' THEN 0 ELSE 1 END, id`,
	"associations":     `SELECT id FROM relation_request WHERE partner_id = $1 AND partner_id <> $2 AND customer_id <> $2 ORDER BY id`,
	"invitations":      `SELECT id FROM invitation WHERE partner_id = $1 AND partner_id <> $2 ORDER BY id`,
	"rules":            `SELECT id FROM statement_rule WHERE partner_id = $1 AND partner_id <> $2 ORDER BY id`,
	"statements":       `SELECT id FROM statement WHERE (partner_id = $1 OR customer_id = $1) AND partner_id <> $2 AND customer_id <> $2 ORDER BY id`,
	"invoices":         `SELECT id FROM invoice_request WHERE partner_id = $1 AND partner_id <> $2 AND state <> 'deleted' ORDER BY CASE state WHEN 'issued' THEN 0 ELSE 1 END, id`,
	"invoice-requests": `SELECT id FROM invoice_request WHERE vendor_id = $1 AND vendor_id <> $2 AND state NOT IN ('draft', 'deleted') ORDER BY CASE state WHEN 'issued' THEN 0 ELSE 1 END, id`,
	"addresses":        ofOwnAddress, "address": ofOwnAddress,
	"bill": ofOwnBill, "pool": ofOwnBill,
	"order":             `SELECT id || ' CS1' AS id FROM bill WHERE partner_id = $1 AND partner_id <> $2 AND state = 'issued' ORDER BY id`,
	"reconciliations":   `SELECT id FROM reconcile_run WHERE org_id = $1 AND org_id <> $2 ORDER BY id`,
	"batch":             theirBatches,
	"pick":              `SELECT 'registration/' || id AS id FROM prospect WHERE vendor_id = $1 AND vendor_id <> $2 AND state = 'pending' ORDER BY id`,
	"other":             theirBatches,
	"bills":             `SELECT id FROM bill WHERE partner_id = $1 AND partner_id <> $2 AND state = 'issued' ORDER BY id`,
	"top-ups":           `SELECT id FROM top_up WHERE partner_id = $1 AND partner_id <> $2 ORDER BY id`,
	"remittance-claims": `SELECT id FROM remittance_claim WHERE partner_id = $1 AND partner_id <> $2 AND vendor_id <> $2 ORDER BY id`,
	"credit-lines":      `SELECT id FROM credit_change WHERE vendor_id = $1 AND vendor_id <> $2 ORDER BY id`,
	"agreements":        `SELECT id FROM payment_agreement WHERE (partner_id = $1 OR vendor_id = $1 AND state <> 'draft') AND partner_id <> $2 AND vendor_id <> $2 AND state <> 'deleted' ORDER BY id`,
	"contracts":         `SELECT id FROM contract WHERE (partner_id = $1 OR vendor_id = $1 AND state <> 'draft') AND partner_id <> $2 AND vendor_id <> $2 AND state <> 'deleted' ORDER BY CASE kind WHEN 'offline' THEN 0 ELSE 1 END, id`,
	"withdrawals":       `SELECT id FROM withdrawal WHERE partner_id = $1 AND partner_id <> $2 ORDER BY id`,
	"payouts":           `SELECT id FROM withdrawal WHERE vendor_id = $1 AND vendor_id <> $2 ORDER BY id`,
	"entry":             `SELECT e.id FROM ledger_entry e JOIN ledger_line l ON l.entry_id = e.id JOIN ledger_account a ON a.id = l.account_id WHERE a.partner_id = $1 AND a.partner_id <> $2 ORDER BY e.id`,
	"coupons":           ofOwnCoupons, "coupon": ofOwnCoupons,
	"quotas":        `SELECT id FROM coupon_quota WHERE (owner_id = $1 OR giver_id = $1) AND owner_id <> $2 AND giver_id <> $2 AND vendor_id <> $2 ORDER BY CASE WHEN owner_id = $1 AND state = 'normal' THEN 0 ELSE 1 END, id`,
	"reseller":      `SELECT code FROM organisation WHERE parent_id = $1 AND parent_id <> $2 AND id <> $2 ORDER BY code`,
	"peak-imports":  `SELECT id FROM peak_import WHERE vendor_id = $1 AND vendor_id <> $2 AND state <> 'staging' ORDER BY number`,
	"subscriptions": `SELECT id FROM subscription WHERE org_id = $1 AND org_id <> $2 ORDER BY id`,
	"dispatch":      `SELECT id FROM dispatch WHERE org_id = $1 AND org_id <> $2 ORDER BY id`,
	// What follows is read from pages and answers instead.
	"why": "", "import": "", "token": "", "key": "", "ticket": "", "platform": "", "leaving": "",
}

// What an invoice is made of and goes to.
const (
	ofOwnAddress = `SELECT id FROM invoice_address WHERE partner_id = $1 AND partner_id <> $2 ORDER BY id`
	ofOwnBill    = `SELECT id FROM bill WHERE partner_id = $1 AND partner_id <> $2 AND state = 'issued' ORDER BY id`
)

// theirBatches are deliveries with lines of the one's customers, and none of the other's or its own.
const theirBatches = `SELECT DISTINCT CAST(u.slot_id AS text) FROM usage_summary u JOIN association a ON a.customer_id = u.customer_id WHERE a.partner_id = $1
AND u.slot_id NOT IN (SELECT v.slot_id FROM usage_summary v LEFT JOIN association b ON b.customer_id = v.customer_id WHERE b.partner_id = $2 OR v.customer_id = $2)`

// ofOwnCoupons are vouchers of the one, what may be reclaimed first.
const ofOwnCoupons = `SELECT id FROM coupon WHERE (issuer_id = $1 OR holder_id = $1) AND issuer_id <> $2 AND holder_id <> $2 AND vendor_id <> $2 ORDER BY CASE WHEN issuer_id = $1 AND state = 'usable' THEN 0 ELSE 1 END, id`

func init() { kinds["path.cycle"] = kinds["cycle"] }

// notTenants are parameters of public routes: whoever knows the value may use it.
var notTenants = map[string]bool{"token": true, "key": true, "ticket": true, "platform": true, "leaving": true}

// plainParams are the parameters the portal reads that name nothing stored. A name that is neither here
// nor declared by a route fails TestParametersAreDeclared.
var plainParams = strings.Fields(`month against bank class columns contact logo_sha match note tax value way with RelayState SAMLRequest SAMLResponse account action actor address after all allow_idp_initiated amount association audience authn_minutes base before bell body_en body_zh by category check code cols
column company company_en consent currency current cycle dialect do done draw email encrypt figure final first_entry format from hotline idp intro item kind language level list listed login mail mark
metadata mode name name_id next notify_url of org_code org_name other outcome override page password phone postal preview product q query reason region relation remember remove repeat request
require_signed resource sign_requests size skew sort source_dialect source_name source_zone spent state subject tab text theme title title_en title_zh to top type unread unsigned until url usage
username want_encrypted want_response_signed website xAccountType zero channel industry remark understood when add label asked passcode resend day days desk late verdict version whole year account bank courier courier_ok detail invoice_code invoice_number invoiced_on medium method postcode recipient red_confirmed registered tax_no telephone title_kind title_name title_version tracking direction paid_on payer step tail take voluntary branch holder memo receipt
begins ends services products regions modes min_order max_order memo face lines change op result sign_days couriers payer_kind paper_no plan plan_no service named what access bucket content prefix secret style orders special zone`)

// kindOf names the kind of a parameter of a route.
func kindOf(r portal.RouteInfo, param string) string {
	if param != "id" {
		return param
	}
	parts := strings.Split(r.Path, "/")
	for i, p := range parts {
		if p == ":id" && i > 0 {
			return parts[i-1]
		}
	}
	return param
}

// party is an organisation of the matrix, with what only pages tell of it.
type party struct {
	code, id, owner string // owner can sign in and sees everything of it
	why, imported   string
	buyer           string // whose bill why is a line of
}

func (m *matrix) party(code string) *party {
	m.t.Helper()
	if p := m.parties[code]; p != nil {
		return p
	}
	p := &party{code: code, owner: strings.ToLower(code) + "-admin"}
	if err := m.w.app.DB.Writer().QueryRowContext(context.Background(), "SELECT id FROM organisation WHERE code = $1", code).Scan(&p.id); err != nil {
		m.t.Fatalf("organisation %s: %v", code, err)
	}
	m.parties[code] = p
	return p
}

// values are at most two foreign values of a kind.
func (m *matrix) values(kind string, victim, actor *party) []string {
	m.t.Helper()
	switch kind {
	case "why":
		if victim.buyer == actor.code {
			return nil // its own line, sold by the victim
		}
		return some(victim.why)
	case "import":
		return some(victim.imported)
	case "token", "key", "ticket", "platform", "leaving":
		return nil
	}
	key := kind + " " + victim.id + " " + actor.id
	if list, ok := m.known[key]; ok {
		return list
	}
	rows, err := m.w.app.DB.Writer().QueryContext(context.Background(), kinds[kind], victim.id, actor.id)
	if err != nil {
		m.t.Fatalf("values of %s: %v", kind, err)
	}
	defer rows.Close()
	list := []string{}
	for rows.Next() && len(list) < 2 {
		var v string
		if err := rows.Scan(&v); err != nil {
			m.t.Fatal(err)
		}
		list = append(list, v)
	}
	if err := rows.Err(); err != nil {
		m.t.Fatal(err)
	}
	m.known[key] = list
	return list
}

func some(v string) []string {
	if v == "" {
		return nil
	}
	return []string{v}
}

var uuid = regexp.MustCompile(`^[0-9a-f]{8}-[0-9a-f]{4}-`)

// absentLike is a value of the same form and length that nothing has; n makes it a different one.
func absentLike(v string, n int) string {
	letters := func(of, in string) string {
		b := make([]byte, len(of))
		for i := range b {
			b[i] = in[(i*7+n*(i+3))%len(in)]
		}
		return string(b)
	}
	if kind, of, ok := strings.Cut(v, "/"); ok { // a thing named with its kind: another thing of the same
		return kind + "/" + absentLike(of, n)
	}
	switch {
	case uuid.MatchString(v):
		return id.New()
	case regexp.MustCompile(`^\d{4}-\d{2}$`).MatchString(v):
		return v[:5] + []string{"01", "02", "03"}[n%3] // of the same year, so that the calendar is the same
	case regexp.MustCompile(`^\d+$`).MatchString(v):
		return "9" + letters(v[1:], "987654")
	}
	if b, err := base64.RawURLEncoding.DecodeString(v); err == nil && json.Valid(b) && b[0] == '{' {
		return absentLine(b, n)
	}
	if strings.ToUpper(v) == v {
		return letters(v, "QXZJKV")
	}
	return letters(v, "qxzjkv")
}

// absentLine is a reference to a line whose place holds none.
func absentLine(b []byte, n int) string {
	var ref map[string]any
	if json.Unmarshal(b, &ref) != nil {
		return ""
	}
	ref["s"] = 900_000_000 + n
	ref["c"], ref["p"] = id.New(), id.New()
	out, err := json.Marshal(ref)
	if err != nil {
		return ""
	}
	return base64.RawURLEncoding.EncodeToString(out)
}

// furnish makes what the demo lacks: rows in quarantine, an import and files to download.
func (m *matrix) furnish() {
	for _, code := range []string{vendor, "HENGLUO"} {
		if _, err := m.w.app.DB.Writer().ExecContext(context.Background(), `INSERT INTO site_notice (id, vendor_id, level, text_zh, text_en, starts_at, created_by, created_at)
VALUES ($1, $2, 'info', '维护', 'Maintenance', '2026-07-01T00:00:00.000000Z', 'test', '2026-07-01T00:00:00.000000Z')`, id.New(), m.party(code).id); err != nil {
			m.t.Fatal(err)
		}
	}
	for code, at := range map[string]string{partner: vendor, "QIHENG": "HENGLUO", "GUANGZHU": "HENGLUO"} {
		if _, err := m.w.app.DB.Writer().ExecContext(context.Background(), `INSERT INTO top_up (id, vendor_id, partner_id, number, state, version, gateway, gateway_ref, currency, amount_e8, created_by, created_at, changed_at)
VALUES ($1, $2, $3, $1, 'pending', 1, 'simulator', '', 'CNY', 100000000, 'test', '2026-07-01T00:00:00.000000Z', '2026-07-01T00:00:00.000000Z')`, id.New(), m.party(at).id, m.party(code).id); err != nil {
			m.t.Fatal(err)
		}
	}
	for _, code := range []string{partner, otherOrg} {
		m.w.register(m.t, code)
		m.w.hostPlatform(m.t, code)
	}
	m.imports(vendor, 0, true)
	m.imports("HENGLUO", 3, false)
	for _, code := range []string{vendor, "HENGLUO"} {
		if _, _, err := m.w.app.Notices.Set(m.ctx(), scope.System("operator"), notice.In{VendorID: m.party(code).id, Level: notice.LevelInfo, TextZH: code, TextEN: code}); err != nil {
			m.t.Fatal(err)
		}
	}
	for _, code := range []string{partner, "QIHENG", "YANSHI", "GUANGZHU", "ZHANZHOU", "MULAN", "HENGLUO", vendor, "LANGXI", "XINGZHU"} {
		c := m.w.signIn(m.t, strings.ToLower(code)+"-admin")
		p := m.party(code)
		p.why = m.firstLine(c, code)
		fields := []string{"list", "expenditure.lines", "format", "csv", "cycle", lately}
		if slices.Contains([]string{"HENGLUO", vendor}, code) {
			fields = append([]string{"list", "bill", "format", "csv"}, m.billOf(code)...)
		}
		r := c.post("/o/"+code+"/exports", fields...)
		if r.status != http.StatusSeeOther {
			m.t.Fatalf("export of %s: %d\n%s", code, r.status, r.body)
		}
		if slices.Contains([]string{partner, "QIHENG", "YANSHI"}, code) {
			m.w.compare(m.t, c, code)
			m.w.subscribe(m.t, c, code)
		}
	}
	if _, err := m.w.app.Subscriptions.Scan(m.ctx()); err != nil {
		m.t.Fatal(err)
	}
	if err := m.w.app.Worker.Drain(m.ctx()); err != nil {
		m.t.Fatal(err)
	}
}

// compare compares two cycles of a partner and gives the address of what came out.
func (w *world) compare(t *testing.T, c *client, code string) string {
	t.Helper()
	r := c.post("/o/"+code+"/reconciliations", "cycle", lately, "with", "cycle", "against", earlier, "match", "product")
	if r.status != http.StatusSeeOther {
		t.Fatalf("comparison of %s: %d\n%s", code, r.status, r.body)
	}
	return r.location()
}

// subscribe lets a partner have its monthly files carried to a bucket that nobody sends to here.
func (w *world) subscribe(t *testing.T, c *client, code string) string {
	t.Helper()
	r := c.post("/o/"+code+"/subscriptions", "name", "matrix", "kind", "bucket", "address", "https://obs.example.com", "bucket", "matrix-files", "access", "MATRIXKEY", "secret", "0123456789abcdef",
		"content", "summary", "format", "csv", "style", "path", "cycle", earlier)
	if r.status != http.StatusSeeOther {
		t.Fatalf("subscription of %s: %d\n%s", code, r.status, r.body)
	}
	return r.location()
}

// imports hands over a month with a bad row. The database is held meanwhile, so that the answer is the
// address of the import's own page.
func (m *matrix) imports(code string, drop int, hold bool) {
	c := m.w.signIn(m.t, strings.ToLower(code)+"-admin")
	sources := m.values("source", m.party(code), m.party("GUANGZHU"))
	if len(sources) == 0 {
		m.t.Fatalf("%s has no source", code)
	}
	if hold {
		defer m.hold()()
	}
	r := c.upload("/o/"+code+"/deliveries", "november.csv", november(m.t, drop), "source", sources[0])
	if r.status != http.StatusSeeOther {
		m.t.Fatalf("import of %s: %d\n%s", code, r.status, r.body)
	}
	if _, after, ok := strings.Cut(r.location(), "/imports/"); ok {
		m.party(code).imported = after
	}
}

// hold keeps imports waiting for longer than a form waits for them.
func (m *matrix) hold() (release func()) {
	tx, err := m.w.app.DB.Writer().BeginTx(context.Background(), nil)
	if err == nil && m.w.app.DB.Engine() == store.Postgres {
		_, err = tx.ExecContext(context.Background(), "LOCK TABLE delivery IN ACCESS EXCLUSIVE MODE")
	}
	if err != nil {
		m.t.Fatal(err)
	}
	return func() {
		if err := tx.Rollback(); err != nil {
			m.t.Error(err)
		}
	}
}

// billOf names a bill a vendor made.
func (m *matrix) billOf(code string) []string {
	m.t.Helper()
	var cy, buyer, currency, entity string
	err := m.w.app.DB.Writer().QueryRowContext(context.Background(), `SELECT b.cycle, p.code, b.currency, e.code FROM bill b JOIN organisation v ON v.id = b.vendor_id
JOIN organisation p ON p.id = b.partner_id JOIN contracting_entity e ON e.id = b.entity_id WHERE v.code = $1 ORDER BY b.cycle DESC, p.code DESC LIMIT 1`, code).Scan(&cy, &buyer, &currency, &entity)
	if err != nil {
		m.t.Fatal(err)
	}
	return []string{"cycle", cy, "vendor", code, "partner", buyer, "currency", currency, "entity", entity}
}

// firstLine is the reference of a line of a bill, as the page offers it.
func (m *matrix) firstLine(c *client, code string) string {
	address := "/o/" + code + "/bills/lines?cycle=" + m.cycleOf(code)
	if slices.Contains([]string{"HENGLUO", vendor}, code) {
		bill := m.billOf(code)
		m.party(code).buyer = bill[slices.Index(bill, "partner")+1]
		address = "/o/" + code + "/bills/lines?" + form(bill...)
	}
	why := c.get(address).page(m.t).Find("a[data-why]").First().AttrOr("href", "")
	if why == "" {
		return ""
	}
	return queryOf(m.t, why, "why")
}

func (m *matrix) cycleOf(code string) string {
	m.t.Helper()
	var c string
	err := m.w.app.DB.Writer().QueryRowContext(context.Background(),
		"SELECT coalesce(max(b.cycle), '2026-05') FROM bill b JOIN organisation o ON o.id IN (b.vendor_id, b.partner_id) WHERE o.code = $1", code).Scan(&c)
	if err != nil {
		m.t.Fatal(err)
	}
	return c
}

// short names a long value in a message.
func shortValue(v string) string {
	if len(v) > 40 {
		return v[:18] + "…" + hex.EncodeToString([]byte(v[len(v)-4:]))
	}
	return v
}
