package portal_test

import (
	"net/http"
	"strings"
	"testing"

	"huoban/internal/account"
	"huoban/internal/organisation"
)

// TestGrantPages: a distributor is told what it lacks and asks for it, the vendor finds it in its inbox and decides, and
// what was taken back closes 客户拓展 again. Who needs no grant is told so.
func TestGrantPages(t *testing.T) {
	onBoth(t, func(t *testing.T, w *world) {
		_, err := w.app.Organisations.Add(t.Context(), operator, organisation.AddInput{Code: "DIST", Kind: organisation.KindDistributor, Name: "总经销", ParentCode: "NOVA"})
		w.must(err)
		_, err = w.app.Accounts.AddPerson(t.Context(), operator, account.AddPersonInput{OrgCode: "DIST", Login: "dist", Name: "D", Phone: "010-5550 1234", Email: "d@dist.example", Roles: []string{account.RoleAdmin}, Password: password, KeepPassword: true})
		w.must(err)
		us, boss := w.visitor("dist"), w.visitor("boss")
		file := []string{"kind", "company", "name", "客户甲", "phone", "13800138000", "relation", "resale", "do", "save"}
		closed := func(why string) {
			t.Helper()
			page := us.both("/o/DIST/prospects")
			if page.Find(`a[href="/o/DIST/prospects/new"]`).Length() != 0 || !strings.Contains(page.Find(".hb-check").Text(), why) {
				t.Errorf("客户拓展 says %s, want %s", page.Find("main").Text(), why)
			}
			if form := us.both("/o/DIST/prospects/new"); form.Find("input[name=name]").Length() != 0 {
				t.Error("there is a form")
			}
			if r := us.post("/o/DIST/prospects", file...); r.status != http.StatusConflict {
				t.Errorf("filed: %d", r.status)
			}
		}
		closed("尚未获得客户拓展授权")
		if r := us.post("/o/DIST/prospect-grants", "vendor", "NOVA"); r.status != http.StatusUnprocessableEntity {
			t.Errorf("asked without a word: %d", r.status)
		}
		if r := us.post("/o/DIST/prospect-grants", "vendor", "OTHER", "reason", "x"); r.status != http.StatusNotFound {
			t.Errorf("asked a stranger: %d", r.status)
		}
		if r := us.post("/o/DIST/prospect-grants", "vendor", "NOVA", "reason", "华南区直签"); r.status != http.StatusSeeOther {
			t.Fatalf("ask: %d %s", r.status, text(r.body))
		}
		closed("待厂商审核")
		if inbox := boss.both("/o/NOVA/ops"); !strings.Contains(inbox.Find("#list-desk").Text(), "客户拓展授权") {
			t.Errorf("the inbox has %s", inbox.Find("#list-desk").Text())
		}
		at, _ := boss.both("/o/NOVA/prospect-grants?state=asked").Find("tbody th a").Attr("href")
		for _, who := range []string{"stranger", "partner"} {
			org := map[string]string{"stranger": "OTHER", "partner": "MUSHI"}[who]
			if r := w.visitor(who).get(strings.Replace(at, "NOVA", org, 1)); r.status != http.StatusNotFound {
				t.Errorf("%s sees it: %d", who, r.status)
			}
		}
		if r := boss.post(at + "/refusal"); r.status != http.StatusUnprocessableEntity {
			t.Errorf("refused without a reason: %d", r.status)
		}
		if r := boss.post(at + "/approval"); r.status != http.StatusSeeOther {
			t.Fatalf("approve: %d %s", r.status, text(r.body))
		}
		if r := us.post("/o/DIST/prospects", file...); r.status != http.StatusSeeOther {
			t.Errorf("file: %d %s", r.status, text(r.body))
		}
		if r := boss.post(at+"/revocation", "reason", "年度考核未通过"); r.status != http.StatusSeeOther {
			t.Fatalf("take back: %d %s", r.status, text(r.body))
		}
		closed("年度考核未通过")
		if page := w.visitor("partner").both("/o/MUSHI/prospect-grants/new"); !strings.Contains(page.Find("main").Text(), "没有需要新建的授权") {
			t.Errorf("who needs none is told %s", page.Find("main").Text())
		}
	})
}
