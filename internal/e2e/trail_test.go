package e2e

import (
	"net/http"
	"strings"
	"testing"
)

// TestNamesShownAreKnown: each page that shows customers' names in clear lets exactly those customers know, whatever the
// page; looking at it masked tells nobody.
func TestNamesShownAreKnown(t *testing.T) {
	eachEngine(t, func(t *testing.T, w *world) {
		one, two := w.signIn(t, buyer), w.signIn(t, buyer2) // 客户消费 goes back eighteen months, no further
		o, other := "/o/"+partner, "/o/"+otherOrg
		known := func(what string) (n int) {
			t.Helper()
			if err := w.app.DB.Writer().QueryRowContext(t.Context(), "SELECT COUNT(*) FROM customer_trail WHERE act = 'reveal' AND what = $1", what).Scan(&n); err != nil {
				t.Fatal(err)
			}
			return n
		}
		for what, at := range map[string][2]string{
			"customers":              {o + "/customers", o + "/customers/names"},
			"bill.lines":             {o + "/bills/lines?cycle=" + theCycle, o + "/bills/lines?cycle=" + theCycle},
			"bill.customers":         {o + "/bills/customers?cycle=" + theCycle, o + "/bills/customers?cycle=" + theCycle},
			"expenditure":            {other + "/expenditure?cycle=" + otherCycle, other + "/expenditure?cycle=" + otherCycle},
			"expenditure.lines":      {other + "/expenditure/lines?cycle=" + otherCycle, other + "/expenditure/lines?cycle=" + otherCycle},
			"dashboards.expenditure": {other + "/dashboards/expenditure?by=customer&from=" + otherCycle + "&to=" + otherCycle, other + "/dashboards/expenditure/names?by=customer&from=" + otherCycle + "&to=" + otherCycle},
		} {
			c := one
			if strings.HasPrefix(at[0], other) {
				c = two
			}
			if got := c.do(http.MethodGet, at[0], ""); got.status != http.StatusOK {
				t.Errorf("%s: %d", at[0], got.status)
			}
			if n := known(what); n != 0 {
				t.Errorf("%s, masked: %d customers know", what, n)
			}
			got := c.do(http.MethodPost, at[1], "column=customer", header("Content-Type", "application/x-www-form-urlencoded"))
			if got.status != http.StatusOK {
				t.Fatalf("%s: %d %s", what, got.status, got.body)
			}
			var codes, names []string
			rows, err := w.app.DB.Writer().QueryContext(t.Context(), "SELECT o.code, o.name FROM customer_trail x JOIN organisation o ON o.id = x.customer_id WHERE x.what = $1 AND x.act = 'reveal'", what)
			if err != nil {
				t.Fatal(err)
			}
			for rows.Next() {
				var code, name string
				if err := rows.Scan(&code, &name); err != nil {
					t.Fatal(err)
				}
				codes, names = append(codes, code), append(names, name)
			}
			if err := rows.Err(); err != nil {
				t.Fatal(err)
			}
			rows.Close()
			if len(codes) == 0 {
				t.Errorf("%s: nobody knows", what)
			}
			for i, name := range names {
				if !strings.Contains(string(got.body), name) {
					t.Errorf("%s: %s knows, and is not named", what, codes[i])
				}
			}
		}
	})
}
