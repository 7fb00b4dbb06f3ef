package e2e

import (
	"context"
	"database/sql"
	"strings"

	"huoban/internal/scope"
	"huoban/internal/store"
	"huoban/internal/store/migrate"
)

// belongings are the keys by which rows of any table belong to an organisation $1 and not to $2: by the
// name of the column that holds them.
var belongings = map[string]string{
	"partner_id":    `SELECT id FROM organisation WHERE id = $1 AND id <> $2`,
	"org_id":        `SELECT id FROM organisation WHERE id = $1 AND id <> $2`,
	"vendor_id":     `SELECT id FROM organisation WHERE id = $1 AND kind = 'vendor' AND id NOT IN (SELECT vendor_id FROM bill WHERE partner_id = $2)`,
	"customer_id":   `SELECT customer_id FROM association WHERE partner_id = $1 AND customer_id NOT IN (SELECT customer_id FROM association WHERE partner_id = $2)`,
	"person_id":     `SELECT id FROM person WHERE org_id = $1 AND org_id <> $2`,
	"bill_id":       `SELECT id FROM bill WHERE partner_id = $1 AND partner_id <> $2`,
	"adjustment_id": `SELECT id FROM adjustment WHERE partner_id = $1 AND partner_id <> $2`,
	"task_id":       `SELECT id FROM export_task WHERE org_id = $1 AND org_id <> $2`,
	"source_id":     `SELECT id FROM source WHERE vendor_id = $1 AND vendor_id NOT IN (SELECT vendor_id FROM bill WHERE partner_id = $2)`,
	"delivery_id":   `SELECT d.id FROM delivery d JOIN source s ON s.id = d.source_id WHERE s.vendor_id = $1 AND s.vendor_id NOT IN (SELECT vendor_id FROM bill WHERE partner_id = $2)`,
	"slot_id":       `SELECT CAST(id AS text) FROM slot WHERE vendor_id = $1 AND vendor_id NOT IN (SELECT vendor_id FROM bill WHERE partner_id = $2)`,
	"sha": `SELECT f.sha FROM delivery_file f JOIN delivery d ON d.id = f.delivery_id JOIN source s ON s.id = d.source_id
WHERE s.vendor_id = $1 AND s.vendor_id NOT IN (SELECT vendor_id FROM bill WHERE partner_id = $2)`,
}

// A reseller's vendors are its distributor's, so it may read that partnership; a customer may read who its
// vendor is.

// secondLock takes the application's filter away: it reads every row of every table as the database shows
// it to an actor, and finds none that belongs to another. The same statement as the program itself finds
// them, so that the check can fail.
func (m *matrix) secondLock() {
	db := m.w.app.DB
	if db.TenantRole() == "" {
		m.t.Error("the database does not lock tenants apart")
		return
	}
	tables, err := db.Tables(m.ctx())
	if err != nil {
		m.t.Fatal(err)
	}
	tried, found := 0, map[string]bool{}
	for _, who := range []struct {
		org    string
		side   scope.Side
		others []string
	}{
		{"QIHENG", scope.SidePartner, []string{"YANSHI", "GUANGZHU", "ZHANZHOU", vendor, otherOrg}},
		{"ZHANZHOU", scope.SidePartner, []string{"GUANGZHU", "MULAN", "QIHENG"}},
		{"GUANGZHU", scope.SidePartner, []string{"QIHENG", vendor, partner}},
		{partner, scope.SidePartner, []string{"QIHENG", "HENGLUO", otherOrg}},
		{vendor, scope.SideVendor, []string{"HENGLUO", "QIHENG", otherOrg}},
		{"YUQIAO", scope.SideCustomer, []string{"YANSHI", "HENGLUO"}},
	} {
		self := m.party(who.org)
		ctx := scope.With(context.Background(), m.scopeOf(who.side, self.id))
		for _, other := range who.others {
			for _, table := range tables {
				if _, locked := migrate.Tenancy[table.Name]; !locked {
					continue
				}
				for _, column := range table.Columns {
					query := belongings[column.Name]
					// Who invites learns who tried the link: whoever follows it says so.
					if query == "" || table.Name == "invitation_try" && column.Name == "customer_id" || table.Name == "partnership" && who.org == "ZHANZHOU" && other == "GUANGZHU" || column.Name == "vendor_id" && who.org == "YUQIAO" && other == "HENGLUO" {
						continue
					}
					keys := m.keys(query, m.party(other).id, self.id)
					if len(keys) == 0 || who.side == scope.SideCustomer && other == "HENGLUO" {
						continue
					}
					tried++
					all, seen := m.holding(context.Background(), table.Name, column.Name, keys), m.holding(ctx, table.Name, column.Name, keys)
					if all > 0 {
						found[table.Name] = true
					}
					if seen > 0 {
						m.t.Errorf("under the lock of %s, %s shows %d of %d rows of %s (by %s)", who.org, table.Name, seen, all, other, column.Name)
					}
				}
			}
		}
		if n := m.holding(ctx, "organisation", "id", []string{self.id}); n != 1 {
			m.t.Errorf("%s does not see itself", who.org)
		}
	}
	m.t.Logf("second lock: %d readings without the application's filter, over %d tables with rows of others, 0 seen", tried, len(found))
	if len(found) < 20 {
		m.t.Errorf("only %d tables hold rows of others: %v", len(found), found)
	}
}

func (m *matrix) scopeOf(side scope.Side, orgID string) scope.Scope {
	switch side {
	case scope.SideVendor:
		return scope.Vendor(orgID, "p", "p", nil)
	case scope.SideCustomer:
		return scope.Customer(orgID, "p", "p", nil)
	}
	return scope.Partner(orgID, "p", "p", nil, m.keys(`SELECT id FROM organisation WHERE parent_id = $1 AND kind = 'reseller' AND id <> $2`, orgID, ""))
}

func (m *matrix) keys(query, victim, actor string) (out []string) {
	m.t.Helper()
	rows, err := m.w.app.DB.Writer().QueryContext(context.Background(), query, victim, actor)
	if err != nil {
		m.t.Fatal(query, err)
	}
	defer rows.Close()
	for rows.Next() {
		var v string
		if err := rows.Scan(&v); err != nil {
			m.t.Fatal(err)
		}
		out = append(out, v)
	}
	return out
}

// holding counts the rows of a table that the database shows, read without any condition of its tenant.
func (m *matrix) holding(ctx context.Context, table, column string, keys []string) (n int64) {
	m.t.Helper()
	wanted := map[string]bool{}
	for _, k := range keys {
		wanted[k] = true
	}
	q := store.Query{Name: "raw." + table, Text: "SELECT CAST(" + column + " AS text), count(*) FROM " + table + " GROUP BY 1"}
	err := m.w.app.DB.Each(ctx, q, nil, func(rows *sql.Rows) error {
		var key sql.NullString
		var count int64
		err := rows.Scan(&key, &count)
		if wanted[strings.TrimSpace(key.String)] {
			n += count
		}
		return err
	})
	if err != nil {
		m.t.Fatal(err)
	}
	return n
}
