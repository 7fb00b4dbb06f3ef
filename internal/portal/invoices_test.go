package portal_test

import (
	"context"
	"encoding/json"
	"net/http"
	"strings"
	"testing"
	"time"

	"huoban/internal/account"
	"huoban/internal/invoice"
)

// TestInvoiceListsEqualTheirFiles: rows, total and short code of both lists are those of their files, under filters;
// a person's title is masked in both, and nothing that was typed starts a formula.
func TestInvoiceListsEqualTheirFiles(t *testing.T) {
	w := issuedWorld(t, "")
	w.clock.Set(time.Date(2026, 2, 4, 1, 0, 0, 0, time.UTC))
	ctx := context.Background()
	for _, u := range []struct{ org, login, role string }{{"NOVA", "second-boss", account.RoleAdmin}, {"MUSHI", "second-finance", account.RoleFinance}} {
		_, err := w.app.Accounts.AddPerson(ctx, operator, account.AddPersonInput{OrgCode: u.org, Login: u.login, Roles: []string{u.role}, Password: password, KeepPassword: true})
		w.must(err)
	}
	asFinance, sc, err := w.app.Operator(ctx, "finance", "test")
	w.must(err)
	s := w.app.Invoices
	offers, err := s.Offers(asFinance, sc)
	w.must(err)
	if len(offers) == 0 {
		t.Fatal("nothing can be invoiced")
	}
	const formula, person = `=HYPERLINK("http://x")`, "张三丰"
	for i, title := range []invoice.Title{{Kind: invoice.TitleCompany, Name: formula, TaxNo: "91330108MA00DEM06K"}, {Kind: invoice.TitlePersonal, Name: person}} {
		w.must(s.SetTitle(asFinance, sc, title, int64(i)))
		r, err := s.Draft(asFinance, sc, invoice.Input{Method: invoice.MethodAmount, PoolBill: offers[0].Bill.ID, Amount: offers[0].Free / 4 / 1e6 * 1e6, Kind: invoice.KindOrdinary, Medium: invoice.MediumElectronic, Email: "a@b.example", Remark: "@SUM(A1)"})
		w.must(err)
		_, err = s.Do(asFinance, sc, r.ID, invoice.Deed{Do: invoice.ActionSubmit})
		w.must(err)
		if i == 0 {
			asBoss, boss, err := w.app.Operator(ctx, "boss", "test")
			w.must(err)
			_, err = s.Do(asBoss, boss, r.ID, invoice.Deed{Do: invoice.ActionRefuse, Reason: "=1+1"})
			w.must(err)
		}
	}
	for _, x := range []tried{{kind: "invoices", who: "finance", org: "MUSHI", page: "/invoices"}, {kind: "invoice_requests", who: "boss", org: "NOVA", page: "/invoice-requests"}} {
		for filter, rows := range map[string]int{"": 2, "?state=refused": 1, "?cycle=2026-01": 2, "?cycle=2025-12": 0, "?q=IV-": 2, "?from=2026-02-05": 0, "?to=2026-02-04&state=pending": 1} {
			if got := compareList(t, w, x, "/o/"+x.org+x.page+filter); got != rows {
				t.Errorf("%s%s: %d rows, want %d", x.page, filter, got, rows)
			}
		}
		v := w.signedIn(x.who)
		page := w.page(x.page, v.get("/o/"+x.org+x.page), http.StatusOK)
		for _, format := range []string{"csv", "xlsx"} {
			action, pairs := formIn(page, x.kind, format)
			var got struct{ Task string }
			if r := v.program().post(action, pairs...); json.Unmarshal([]byte(r.body), &got) != nil {
				t.Fatalf("%s: %d %s", x.kind, r.status, r.body)
			}
			w.work()
			file := v.file(x.org, got.Task)
			var table [][]string
			if format == "csv" {
				table = csvOf(t, file.body)
			} else {
				_, table = xlsxOf(t, file.body, bookSheet(t, file.body))
			}
			said := ""
			for _, r := range table {
				for _, cell := range r {
					said += cell + "\n"
					if format == "csv" && strings.ContainsAny(cell[:min(1, len(cell))], "=+@") {
						t.Errorf("%s: a cell starts a formula: %q", x.kind, cell)
					}
				}
			}
			if strings.Contains(said, person) || strings.Contains(said, "91330108MA00DEM06K") || !strings.Contains(said, "张***") {
				t.Errorf("%s as %s does not mask: %s", x.kind, format, said)
			}
		}
	}
	if r := w.signedIn("stranger").get("/o/LUMI/invoices"); r.status != http.StatusOK || strings.Contains(r.body, "IV-2026") {
		t.Errorf("another partner sees requests: %d", r.status)
	}
}
