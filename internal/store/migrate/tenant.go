package migrate

import (
	"context"
	"crypto/sha256"
	"database/sql"
	"encoding/hex"
	"fmt"
	"slices"
	"strings"

	"github.com/jackc/pgx/v5"

	"huoban/internal/store"
)

// Tenancy says of every table whose its rows are: the condition under which a row is shown to an actor,
// or why the table is nobody's. Words in braces are spelled by tenantWords. A table that is missing here
// fails TestTenancyIsComplete, and the tenant role has no right to it.
var Tenancy = map[string]string{
	"organisation":       "id = {organisations}",
	"contracting_entity": "vendor_id = {vendors}",
	"partnership":        "vendor_id = {vendor} OR partner_id = {organisations}",
	"vendor_customer":    "vendor_id = {vendor}",
	"association":        "partner_id = {partners} OR customer_id = {customer}",
	"assignment":         "partner_id = {partners} OR customer_id = {customer}",
	"customer_trail":     "partner_id = {partners} OR customer_id = {customer}",
	"suspension":         "org_id = {org}",
	"customer_label":     "partner_id = {org}",

	"prospect":         "vendor_id = {vendor} OR partner_id = {org}",
	"prospect_grant":   "vendor_id = {vendor} OR partner_id = {org}",
	"invitation":       "vendor_id = {vendor} OR partner_id = {org}",
	"relation_request": "partner_id = {org} OR customer_id = {org}",
	"invitation_try":   "invitation_id IN (SELECT i.id FROM invitation i)",

	"person":           "org_id = {org} OR org_id = {own} OR id IN (SELECT g.person_id FROM role_grant g WHERE g.org_id = {org})",
	"role_grant":       "org_id = {org} OR org_id = {own}",
	"custom_role":      "org_id = {org}",
	"custom_role_item": "org_id = {org}",
	"second_factor":    "person_id IN (SELECT p.id FROM person p WHERE p.org_id = {org})",
	"recovery_code":    "person_id IN (SELECT p.id FROM person p WHERE p.org_id = {org})",
	"person_link":      "person_id IN (SELECT p.id FROM person p WHERE p.org_id = {org})",
	"customer_contact": "org_id = {org}",
	"list_columns":     "person_id IN (SELECT p.id FROM person p)",
	"list_view":        "org_id = {org}",
	"view_mail":        "org_id = {org}",
	"session":          "person_id IN (SELECT p.id FROM person p WHERE p.org_id = {org})",

	"source":          "vendor_id = {vendors}",
	"period":          "source_id IN (SELECT s.id FROM source s)",
	"slot":            "vendor_id = {vendors}",
	"delivery":        "source_id IN (SELECT s.id FROM source s)",
	"delivery_file":   "delivery_id IN (SELECT d.id FROM delivery d)",
	"delivery_change": ofOwnDelivery,
	"quarantine":      ofOwnDelivery,
	"conformance":     ofOwnDelivery,
	"kept_file":       "sha IN (SELECT f.sha FROM delivery_file f)",
	"kept_chunk":      "sha IN (SELECT f.sha FROM delivery_file f)",
	"usage_line":      ofOwnSlot,
	"usage_summary":   ofOwnSlot,
	"usage_day":       ofOwnSlot,
	"map_rule":        "source_id IN (SELECT s.id FROM source s WHERE s.vendor_id = {vendor})",

	"peak_import":     "vendor_id = {vendors}",
	"peak_series":     "vendor_id = {vendor} OR customer_id = {customers}",
	"peak_day":        ofOwnSeries,
	"peak_price":      ofOwnSeries,
	"peak_month":      ofOwnSeries,
	"peak_quarantine": "import_id IN (SELECT i.id FROM peak_import i WHERE i.vendor_id = {vendor})",

	"price_rule":       "vendor_id = {vendor} OR vendor_id = {vendors} AND (partner_id IS NULL OR partner_id = {partners})",
	"bill":             "vendor_id = {vendor} OR partner_id = {partners} AND vendor_id = {vendors}",
	"bill_item":        "bill_id IN (SELECT b.id FROM bill b)",
	"month_close":      "vendor_id = {vendors}",
	"close_step":       "vendor_id = {vendor}",
	"adjustment":       "vendor_id = {vendor} OR vendor_id = {vendors} AND (partner_id = {partners} OR customer_id = {customers})",
	"adjustment_price": "adjustment_id IN (SELECT a.id FROM adjustment a) AND ({vendor} <> '' OR partner_id = {partners})",
	"adjustment_move":  "adjustment_id IN (SELECT a.id FROM adjustment a)",

	// to a customer and a partner what it holds, to whoever gave it and to the vendor
	"coupon_quota":  "vendor_id = {vendor} OR giver_id = {org} OR owner_id = {org} AND state NOT IN ('pending', 'refused')",
	"coupon":        "vendor_id = {vendor} OR issuer_id = {org} OR holder_id = {org} AND state NOT IN ('inactive', 'refused')",
	"coupon_record": "org_id = {org}",
	"coupon_use":    "coupon_id IN (SELECT c.id FROM coupon c) OR vendor_id = {vendor} OR partner_id = {org}",

	"anomaly_note":   "partner_id = {org}",
	"statement":      "partner_id = {org} OR customer_id = {customer} AND state IN ('issued', 'sent', 'withdrawn', 'replaced')",
	"statement_line": "statement_id IN (SELECT s.id FROM statement s)",
	"statement_cost": "partner_id = {org}", // what the partner pays: its own alone
	"statement_rule": "partner_id = {org}",
	"statement_head": ofStatement,
	"statement_logo": ofStatement,
	"statement_file": "statement_id IN (SELECT s.id FROM statement s)",

	"ledger_account":  "vendor_id = {vendor} OR partner_id = {partners} AND vendor_id = {vendors} OR customer_id = {customer}",
	"ledger_entry":    "vendor_id = {vendor} OR id IN (SELECT l.entry_id FROM ledger_line l)",
	"ledger_line":     "account_id IN (SELECT a.id FROM ledger_account a)",
	"invoice_request": "partner_id = {org} OR issuer_id = {org} AND state NOT IN ('draft', 'deleted')",
	"invoice_part":    ofInvoice,
	"bill_order":      "bill_id IN (SELECT b.id FROM bill b)",
	"bill_order_read": "bill_id IN (SELECT b.id FROM bill b)",
	"invoice_file":    ofInvoice,
	"invoice_piece":   ofInvoice,
	"invoice_title":   "partner_id = {org}",
	"invoice_address": "partner_id = {org}",
	"invoice_digital": "vendor_id = {vendors}",
	"invoice_setting": "vendor_id = {vendors}",

	"bill_payment":     "bill_id IN (SELECT b.id FROM bill b)",
	"balance_alert":    "partner_id = {org}",
	"top_up":           "vendor_id = {vendor} OR partner_id = {partners} AND vendor_id = {vendors}",
	"remit_account":    "vendor_id = {vendor} OR partner_id = {partners} AND vendor_id = {vendors}",
	"remittance":       "vendor_id = {vendor} OR partner_id = {partners} AND vendor_id = {vendors}",
	"remittance_claim": "vendor_id = {vendor} OR partner_id = {partners} AND vendor_id = {vendors}",
	"credit_change":    "vendor_id = {vendor}",

	"reconcile_run": "org_id = {org}",
	"reconcile_row": "run_id IN (SELECT r.id FROM reconcile_run r)",

	// to a vendor once it was handed to it; its paper too
	"payment_agreement": "partner_id = {org} OR vendor_id = {vendor} AND state NOT IN ('draft', 'deleted')",
	"contract":          "partner_id = {org} OR vendor_id = {vendor} AND state NOT IN ('draft', 'deleted')",
	"contract_item":     "contract_id IN (SELECT c.id FROM contract c)",
	"paper":             "partner_id = {org} OR vendor_id = {vendor} OR {vendor} <> '' AND subject_id IN (SELECT c.id FROM company_change c)",
	"paper_piece":       "subject_id IN (SELECT p.subject_id FROM paper p)",

	"withdrawal":      "vendor_id = {vendor} OR partner_id = {org}",
	"withdrawal_part": "withdrawal_id IN (SELECT w.id FROM withdrawal w)",

	"passcode":           "org_id = {org}",
	"passcode_choice":    "org_id = {org}",
	"subscription":       "org_id = {org}",
	"subscription_cycle": ofOwnSubscription,
	"dispatch":           "org_id = {org}",
	"dispatch_try":       "dispatch_id IN (SELECT d.id FROM dispatch d)",
	"dispatch_piece":     "dispatch_id IN (SELECT d.id FROM dispatch d)",

	"message":               "org_id = {org}",
	"company_profile":       "org_id = {partners}",
	"company_logo":          "org_id = {partners}",
	"company_change":        "org_id = {partners}",
	"announcement":          "vendor_id = {vendors}",
	"calendar_day":          "vendor_id = {vendors}",
	"calendar_year":         "vendor_id = {vendors}",
	"desk_reminder":         "vendor_id = {vendor}",
	"approval_limit":        "vendor_id = {vendor}",
	"message_off":           "org_id = {org}",
	"message_text":          "org_id = {org}",
	"message_language":      "person_id IN (SELECT p.id FROM person p)",
	"message_zone":          "person_id IN (SELECT p.id FROM person p)",
	"site_notice":           "vendor_id IS NULL OR vendor_id = {vendors}",
	"site_notice_dismissal": "person_id IN (SELECT p.id FROM person p)",

	"export_task":  "org_id = {org}",
	"export_piece": "task_id IN (SELECT e.id FROM export_task e)",
	"audit":        "org_id = {org}",

	"sso_idp":            "partner_id = {partners}",
	"sso_idp_cert":       ofOwnPlatform,
	"sso_metadata":       "owner_id IN (SELECT i.id FROM sso_idp i) OR owner_id IN (SELECT s.id FROM sso_sp s)",
	"sso_metadata_fetch": "owner_id IN (SELECT i.id FROM sso_idp i) OR owner_id IN (SELECT s.id FROM sso_sp s)",
	"sso_key":            "entity_key IN (SELECT i.sp_key FROM sso_idp i) OR entity_key IN (SELECT h.idp_key FROM sso_host h)",
	"sso_return":         ofOwnPlatform,
	"sso_accepted":       ofOwnPlatform,
	"sso_test":           ofOwnPlatform,
	"sso_refusal":        "partner_id = {partners}",
	"sso_session":        "customer_id = {customer} OR peer_id IN (SELECT i.id FROM sso_idp i)",
	"sso_link":           "partner_id = {partners} OR customer_id = {customer}",
	"sso_account":        "partner_id = {partners} OR customer_id = {customer}",
	"sso_host":           "partner_id = {partners}",
	"sso_sp":             "({vendor} = '' OR vendor_id IS NULL OR vendor_id = {vendor}) AND (partner_id = {partners} OR partner_id IS NULL AND ({vendor} <> '' OR EXISTS (SELECT 1 FROM sso_host h)))",
	"sso_sp_warning":     "sp_id IN (SELECT s.id FROM sso_sp s)",
	"sso_pairwise":       "customer_id = {customer}",
	"sso_consent":        "customer_id = {customer}",
	"sso_leaving":        "customer_id = {customer}",
	"sso_leaving_step":   "leaving_id IN (SELECT l.id FROM sso_leaving l)",
}

const (
	ofOwnDelivery     = "delivery_id IN (SELECT d.id FROM delivery d JOIN source s ON s.id = d.source_id WHERE s.vendor_id = {vendor})"
	ofOwnSeries       = "series_id IN (SELECT s.id FROM peak_series s)"
	ofStatement       = "partner_id IN (SELECT {org} UNION SELECT s.partner_id FROM statement s)"
	ofInvoice         = "request_id IN (SELECT r.id FROM invoice_request r)"
	ofOwnPlatform     = "idp_id IN (SELECT i.id FROM sso_idp i)"
	ofOwnSubscription = "subscription_id IN (SELECT s.id FROM subscription s)"
	// A vendor's own lines; to others the lines of their customers, and those without customer that are
	// to be spread over everybody's.
	ofOwnSlot = "slot_id IN (SELECT s.id FROM slot s WHERE s.vendor_id = {vendor}) OR " +
		"(customer_id = {customers} OR customer_id = '~') AND slot_id IN (SELECT s.id FROM slot s)"
)

// Shared names the tables that are no organisation's, each with the reason. The tenant role may read those
// of readable; the others are the program's alone.
var Shared = map[string]string{
	"account_dim":      "keyed by its content; reached from a line only",
	"product_dim":      "keyed by its content; reached from a line only",
	"resource_dim":     "keyed by its content; reached from a line only",
	"transition_log":   "keyed by the thing it tells of, which is locked",
	"due_change":       "keyed by the thing it waits for, which is locked",
	"job":              "keyed by the task it works on, which is locked",
	"idempotency_key":  "keyed by organisation and person of the request",
	"idempotency_work": "keyed by organisation and person of the request",
	"audit_head":       "one row, the end of the chain",
	"page_version":     "counts the changes of what pages show, and nothing else",
	"move_plan":        "empty outside one transaction",
	"sign_in_throttle": "before anybody is known",
	"setup_link":       "before anybody is known",
	"sso_request":      "before anybody is known",
	"sso_seen":         "before anybody is known",
	"sso_ticket":       "before anybody is known",
	"sso_question":     "before anybody is known",
}

var readable = []string{"account_dim", "product_dim", "resource_dim", "transition_log", "due_change", "job", "idempotency_key", "idempotency_work", "audit_head", "page_version"}

// tenantWords are what conditions are made of. The sets are functions of the owner's, so that a table
// whose rows they are made of may be locked by them; each is asked once per statement.
var tenantWords = strings.NewReplacer(
	"{org}", "(SELECT current_setting('portal.org', true))",
	"{vendor}", "(SELECT current_setting('portal.vendor', true))",
	"{customer}", "(SELECT current_setting('portal.customer', true))",
	"{own}", "ANY ((SELECT portal_own())::text[])",
	"{vendors}", "ANY ((SELECT portal_vendors())::text[])",
	"{partners}", "ANY ((SELECT portal_partners())::text[])",
	"{customers}", "ANY ((SELECT portal_customers())::text[])",
	"{organisations}", "ANY ((SELECT portal_organisations())::text[])",
)

// tenantSets are the functions behind the words: whom the actor's organisation deals with.
var tenantSets = []struct{ name, body string }{
	{"portal_own", `SELECT coalesce(nullif(current_setting('portal.partner', true), ''), '{}')::text[]`},
	{"portal_vendors", `SELECT array(SELECT nullif(current_setting('portal.vendor', true), '') UNION
SELECT d.vendor_id FROM partnership d WHERE d.partner_id = ANY (portal_own())
 OR d.partner_id IN (SELECT o.parent_id FROM organisation o WHERE o.id = ANY (portal_own()) AND o.kind = 'reseller')
 OR d.partner_id IN (SELECT a.partner_id FROM association a WHERE a.customer_id = current_setting('portal.customer', true)
  UNION SELECT o.parent_id FROM association a JOIN organisation o ON o.id = a.partner_id AND o.kind = 'reseller' WHERE a.customer_id = current_setting('portal.customer', true)))`},
	{"portal_partners", `SELECT portal_own() || array(SELECT d.partner_id FROM partnership d WHERE d.vendor_id = current_setting('portal.vendor', true)
 UNION SELECT o.id FROM organisation o JOIN partnership d ON d.partner_id = o.parent_id WHERE o.kind = 'reseller' AND d.vendor_id = current_setting('portal.vendor', true))`},
	{"portal_customers", `SELECT portal_own() || nullif(current_setting('portal.customer', true), '') ||
array(SELECT a.customer_id FROM association a WHERE a.partner_id = ANY (portal_partners()))`},
	{"portal_organisations", `SELECT array_remove(portal_vendors() || portal_partners() || portal_customers(), NULL) || array(
 SELECT o.parent_id FROM organisation o WHERE o.id = ANY (portal_own()) AND o.parent_id IS NOT NULL
 UNION SELECT a.partner_id FROM association a WHERE a.customer_id = current_setting('portal.customer', true)
 UNION SELECT c.customer_id FROM vendor_customer c WHERE c.vendor_id = current_setting('portal.vendor', true)
 UNION SELECT m.org_id FROM map_rule m JOIN source s ON s.id = m.source_id WHERE s.vendor_id = current_setting('portal.vendor', true)
 UNION SELECT unnest(array[s.default_org_id, s.loose_org_id]) FROM source s WHERE s.vendor_id = current_setting('portal.vendor', true))`},
}

// lockTexts are the statements that lock the schema's tables for the tenant role: they replace whatever
// an earlier version of this program left.
func lockTexts(schema, app, tenant string, tables []store.Table) []string {
	quote := func(s string) string { return pgx.Identifier{s}.Sanitize() }
	path := pgx.Identifier{schema}.Sanitize()
	texts := []string{"GRANT USAGE ON SCHEMA " + path + " TO " + quote(tenant)}
	for _, f := range tenantSets {
		texts = append(texts,
			fmt.Sprintf("CREATE OR REPLACE FUNCTION %s() RETURNS text[] LANGUAGE sql STABLE SECURITY DEFINER SET search_path = %s, pg_temp AS $set$ %s $set$", f.name, path, f.body),
			fmt.Sprintf("REVOKE ALL ON FUNCTION %s() FROM PUBLIC", f.name), fmt.Sprintf("GRANT EXECUTE ON FUNCTION %s() TO %s", f.name, quote(tenant)))
	}
	for _, t := range tables {
		table := quote(t.Name)
		texts = append(texts, "REVOKE ALL ON "+table+" FROM "+quote(tenant))
		condition, locked := Tenancy[t.Name]
		if locked || slices.Contains(readable, t.Name) {
			texts = append(texts, "GRANT SELECT ON "+table+" TO "+quote(tenant))
		}
		if !locked {
			continue
		}
		texts = append(texts, "DROP POLICY IF EXISTS portal_system ON "+table, "DROP POLICY IF EXISTS portal_tenant ON "+table,
			fmt.Sprintf("CREATE POLICY portal_system ON %s TO CURRENT_USER, %s USING (true) WITH CHECK (true)", table, quote(app)),
			fmt.Sprintf("CREATE POLICY portal_tenant ON %s FOR SELECT TO %s USING (%s)", table, quote(tenant), tenantWords.Replace(condition)),
			"ALTER TABLE "+table+" ENABLE ROW LEVEL SECURITY", "ALTER TABLE "+table+" FORCE ROW LEVEL SECURITY")
	}
	return texts
}

// lockMark names a state of the lock; it stands as a comment of the migrations' own table once all of it
// is there.
func lockMark(texts []string) string {
	sum := sha256.Sum256([]byte(strings.Join(texts, "\n")))
	return "portal row security " + hex.EncodeToString(sum[:8])
}

// markOf is the mark a database has.
func markOf(ctx context.Context, conn *sql.Conn) (mark string, err error) {
	err = conn.QueryRowContext(ctx, "SELECT coalesce(obj_description(to_regclass('goose_db_version'), 'pg_class'), '')").Scan(&mark)
	return mark, err
}
