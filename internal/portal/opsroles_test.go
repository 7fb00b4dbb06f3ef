package portal_test

import (
	"context"
	"net/http"
	"strings"
	"testing"

	"huoban/internal/account"
	"huoban/internal/organisation"
)

// TestEveryRole opens every page of home and back office as every role: a page is whole or refused, and
// leads nowhere its reader may not go.
func TestEveryRole(t *testing.T) {
	w := newWorld(t)
	boss := w.visitor("boss")
	at := boss.imported(focus("s1 VM 1", "s2 DB oops"))
	w.must2(w.app.Organisations.Add(context.Background(), operator, organisation.AddInput{Code: "CUST", Kind: organisation.KindCustomer, Name: "Customer"}))
	pages := []string{"", "/messages", "/deliveries", "/deliveries/new", "/closes", "/closes/2026-01", "/adjustments", "/adjustments/new", "/mapping/new", "/mapping", "/sources", "/prices", "/prices/new", "/prices/simulation", "/audit",
		strings.TrimPrefix(at, "/o/NOVA"), strings.TrimPrefix(at, "/o/NOVA") + "/rules", strings.TrimPrefix(at, "/o/NOVA") + "/changes"}
	for _, org := range []struct {
		code  string
		roles []string
	}{{"NOVA", []string{account.RoleAdmin, account.RoleOperations, account.RoleFinance, account.RoleInvoiceClerk, account.RoleAuditor}},
		{"MUSHI", []string{account.RoleAdmin, account.RoleFinance, account.RoleManager, account.RoleSupervisor}}, {"CUST", []string{account.RoleAdmin}}} {
		for _, role := range org.roles {
			login := strings.ToLower(org.code) + "-" + role
			w.must2(w.app.Accounts.AddPerson(context.Background(), operator, account.AddPersonInput{OrgCode: org.code, Login: login, Roles: []string{role},
				Password: password, KeepPassword: true}))
			v := w.visitor(login)
			for _, page := range pages {
				r := v.get("/o/" + org.code + page)
				switch {
				case r.status == http.StatusNotFound && org.code != "NOVA", r.status == http.StatusForbidden && page != "":
					continue
				}
				doc := w.page(login+" "+page, r, http.StatusOK)
				for _, href := range doc.Find("main a[href^='/o/'], nav a[href^='/o/']").Map(func(_ int, s *selection) string { return s.AttrOr("href", "") }) {
					if to := v.get(href); to.status != http.StatusOK {
						t.Errorf("%s on %s: %s leads to %d", login, page, href, to.status)
					}
				}
			}
		}
	}
}
