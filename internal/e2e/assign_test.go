package e2e

import (
	"encoding/json"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"testing"

	"huoban/internal/audit"
	"huoban/internal/portal"
	"huoban/internal/store"
)

// writes names the tables a POST may change beside the traces of asking. A route that succeeds under
// TestMassAssignment and is missing here fails it.
var writes = map[string][]string{
	"desk.decide":            {},
	"desk.calendar.day":      {"calendar_day"},
	"desk.calendar.year":     {"calendar_year"},
	"desk.limits.set":        {"approval_limit"},
	"messages.read_all":      {"message"},
	"messages.settings.save": {"message_off", "message_language", "message_zone"},
	"prices.activate":        {"price_rule"},
	"prices.discard":         {"price_rule"},
	"session.end":            {},
	"sessions.end":           {},
	"audit.verify":           {},

	"funds.alert":                  {"balance_alert"},
	"funds.repay":                  {"bill_payment", "ledger_account", "ledger_entry", "ledger_line"},
	"funds.movements.names":        {"customer_trail"},
	"funds.adjustments.names":      {"customer_trail"},
	"ledger.names":                 {},
	"ledger.credit":                {"credit_change", "ledger_account", "ledger_entry", "ledger_line"},
	"credit_lines.approval":        {"credit_change", "ledger_account", "ledger_entry", "ledger_line"},
	"credit_lines.refusal":         {"credit_change"},
	"credit_lines.withdrawal":      {"credit_change"},
	"topups.begin":                 {"top_up"},
	"topups.pay":                   {"top_up"},
	"topups.cancel":                {"top_up"},
	"claims.make":                  {"remittance_claim"},
	"claims.withdraw":              {"remittance_claim"},
	"claims.refuse":                {"remittance_claim"},
	"claims.approve":               {"remittance_claim", "remittance", "ledger_account", "ledger_entry", "ledger_line"},
	"invoice_requests.settings":    {"invoice_setting"},
	"grants.begin":                 {"prospect_grant"},
	"grants.application":           {"prospect_grant"},
	"grants.approval":              {"prospect_grant"},
	"grants.refusal":               {"prospect_grant"},
	"grants.withdrawal":            {"prospect_grant"},
	"grants.grant":                 {"prospect_grant"},
	"grants.revocation":            {"prospect_grant"},
	"agreements.make":              {"payment_agreement"},
	"agreements.sign":              {"paper", "paper_piece"},
	"agreements.submission":        {"payment_agreement"},
	"agreements.withdrawal":        {"payment_agreement"},
	"agreements.approval":          {"payment_agreement"},
	"agreements.refusal":           {"payment_agreement"},
	"agreements.invalidation":      {"payment_agreement"},
	"agreements.deletion":          {"payment_agreement"},
	"contracts.make":               {"contract", "contract_item"},
	"contracts.amendment":          {"contract", "contract_item"},
	"contracts.sign":               {"paper", "paper_piece"},
	"contracts.submission":         {"contract"},
	"contracts.withdrawal":         {"contract"},
	"contracts.approval":           {"contract"},
	"contracts.refusal":            {"contract"},
	"contracts.termination":        {"contract"},
	"contracts.deletion":           {"contract"},
	"contracts.pay":                {"contract_item", "ledger_account", "ledger_entry", "ledger_line"},
	"expenditure.archive.ask":      {},
	"peak_imports.add":             {"peak_import", "peak_series", "peak_day", "peak_month", "peak_price", "peak_quarantine"},
	"peak_imports.revert":          {"peak_import", "peak_day", "peak_month", "peak_price", "peak_quarantine"},
	"peaks.names":                  {"customer_trail"},
	"customers.names":              {"customer_trail"},
	"dashboards.expenditure.names": {"customer_trail"},
	"dashboards.customers.names":   {"customer_trail"},
	"dashboards.anomalies.names":   {"customer_trail"},
	"prospects.names":              {},
	"relations.names":              {"customer_trail"},
	"coupons.names":                {"customer_trail"},
	"coupons.show.names":           {"customer_trail"},
	"coupons.uses.names":           {"customer_trail"},
	"coupons.records.names":        {"customer_trail"},
	"quotas.show.names":            {"customer_trail"},
	"prospects.show.names":         {},
	"invitations.names":            {},
	"invitations.show.names":       {},
	"registrations.names":          {},
	"registrations.show.names":     {},
	"dashboards.anomalies.explain": {"anomaly_note"},
	"customers.show.names":         {"customer_trail"},
	"statements.names":             {"customer_trail"},
	"statements.rules.names":       {"customer_trail"},
	"assignments.names":            {},
	"allocations.names":            {"customer_trail"},
	"members.names":                {},
	"members.show.names":           {},
	"assignments.show.names":       {"customer_trail"},
	"adjustments.names":            {},
	"bills.adjustments.names":      {"customer_trail"},
	"mapping.names":                {},
	"prices.names":                 {},
	"prices.simulation.names":      {},
	"bills.customers.reveal":       {"customer_trail"},
	"bills.lines.reveal":           {"customer_trail"},
	"expenditure.lines.reveal":     {"customer_trail"},
	"expenditure.reveal":           {"customer_trail"},
	"confirmation.do":              {}, // who signed in just now has nothing to show

	"exports.request":      {},
	"views.unsubscribe.do": {},
	"language":             {},
	"theme":                {},
	"logout":               {},
}

// extras are fields no form has, with values that would be worth setting.
func extras(other string) []url.Values {
	names := strings.Fields(`org org_id orgId organisation vendor_id partner_id customer_id person_id role roles role[] items state status version id _id created_by
approved_by owner is_admin admin sealed amount_e8 due_e8 factor price_seq must_change password_hash supervisor_id tenant __proto__ constructor`)
	var out []url.Values
	for _, value := range []string{other, "admin", "true", "-1", "[]", "{\"$ne\":null}", "999999999999999999999", "\x00", "\xff", strings.Repeat("9", 70_000)} {
		v := url.Values{}
		for _, name := range names {
			v[name] = []string{value, value}
		}
		out = append(out, v)
	}
	return out
}

// TestMassAssignment: every POST with fields that no form has, doubled, of wrong types and huge, as form
// and as JSON. Nothing fails inside, what is refused leaves every table as it was, and what succeeds
// changes its own tables, and in them no row of another organisation.
func TestMassAssignment(t *testing.T) {
	eachEngine(t, func(t *testing.T, w *world) {
		requests, accepted := 0, map[string]bool{}
		for _, who := range []struct{ login, org string }{{"lanhai-admin", vendor}, {"lanhai-auditor", vendor}, {partnerFin, partner}} {
			c := w.signIn(t, who.login)
			before := w.rowsOf(t, who.org)
			refused := 0
			for _, r := range portal.Routes() {
				if r.Method != http.MethodPost || r.Name == "logout" || strings.HasPrefix(r.Name, "login") || strings.HasPrefix(r.Name, "setup") || strings.HasPrefix(r.Name, "password") || r.Name == "totp" {
					continue
				}
				found := things{"org": who.org, "cycle": theCycle}
				for i, v := range extras(otherOrg) {
					if i > 3 && len(v.Encode()) < 60_000 && i%2 == 0 && who.login != "lanhai-admin" {
						continue
					}
					path := found.fill(r, "00000000-0000-0000-0000-000000000000")
					body, tweaks := v.Encode(), []tweak(nil)
					if i%2 == 1 {
						flat := map[string]any{}
						for name, list := range v {
							flat[name] = []any{list[0], 7, map[string]any{"a": nil}}[i%3]
						}
						b, err := json.Marshal(flat)
						if err != nil {
							t.Fatal(err)
						}
						body, tweaks = string(b), []tweak{asProgram, header("Content-Type", "application/json")}
					}
					requests++
					got := c.do(r.Method, path, body, tweaks...)
					if got.status >= 500 {
						t.Errorf("%s POST %s with extra fields %d: %d %s", who.login, path, i, got.status, got.body)
					}
					if got.status >= 400 {
						refused++
						continue
					}
					accepted[r.Name] = true
					tables, known := writes[r.Name]
					if !known {
						t.Errorf("POST %s succeeds: say in writes (assign_test.go) which tables it may change", r.Path)
					}
					after := w.rowsOf(t, who.org)
					compareRows(t, r.Name+" as "+who.login, before, after, tables)
					before = after
				}
			}
			compareRows(t, "what was refused to "+who.login, before, w.rowsOf(t, who.org), nil)
			if refused == 0 {
				t.Error("nothing was refused")
			}
		}
		t.Logf("mass assignment on %s: %d requests, %d routes accept some, nothing changed beyond them", w.app.DB.Engine(), requests, len(accepted))
	})
}

// rowsOf digests every table, and for the tables of organisations the rows of others too.
func (w *world) rowsOf(t *testing.T, org string) map[string]string {
	t.Helper()
	tables, err := w.app.DB.Tables(audit.WithRequest(t.Context(), audit.Request{SystemUser: "test"}))
	if err != nil {
		t.Fatal(err)
	}
	var id string
	if err := w.app.DB.Writer().QueryRowContext(t.Context(), "SELECT id FROM organisation WHERE code = $1", org).Scan(&id); err != nil {
		t.Fatal(err)
	}
	out := map[string]string{}
	for _, table := range tables {
		if slices.Contains(ownTraces, table.Name) {
			continue
		}
		out[table.Name] = digestOf(t, w.app.DB, table, partlyTraces[table.Name])
		for _, column := range []string{"org_id", "vendor_id", "partner_id"} {
			if slices.ContainsFunc(table.Columns, func(c store.Column) bool { return c.Name == column }) {
				out[table.Name+" of others"] = digestOf(t, w.app.DB, table, column+":"+id)
				break
			}
		}
	}
	return out
}

func compareRows(t *testing.T, what string, before, after map[string]string, may []string) {
	t.Helper()
	for name := range before {
		if before[name] != after[name] && !slices.Contains(may, name) {
			t.Errorf("%s changed %s: %s, then %s", what, name, before[name], after[name])
		}
	}
}
