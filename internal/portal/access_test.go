package portal_test

import (
	"bytes"
	"compress/flate"
	"crypto/rsa"
	"encoding/base64"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"regexp"
	"strings"
	"testing"
	"time"

	"huoban/internal/scope"
	"huoban/internal/sso"
	"huoban/internal/sso/registry"
	"huoban/internal/sso/samltest"
)

const accessPath = "/o/MUSHI/support/capability/access-config"

func onBothWithPlatforms(t *testing.T, run func(t *testing.T, w *world, idp *samltest.IdP)) {
	onBoth(t, func(t *testing.T, w *world) {
		made := 0
		w.app.Platforms.NewKey = func() (*rsa.PrivateKey, error) { made++; return samltest.Key(fmt.Sprint("ours", made)), nil }
		run(t, w, samltest.NewIdP("shop", w.clock.Now()))
	})
}

// TestAccessFromFile: the menu, the entry, one file and one button make a registration whose page says everything
// the platform's own administrator needs. Sent again, the same form finds what it made.
func TestAccessFromFile(t *testing.T) {
	onBothWithPlatforms(t, func(t *testing.T, w *world, idp *samltest.IdP) {
		v := w.visitor("partner")
		home := w.page("home", v.get("/o/MUSHI"), http.StatusOK)
		if home.Find("a[href='"+accessPath+"']").Length() == 0 {
			t.Fatal("no entry of the menu leads there")
		}
		form := v.both(accessPath).Find("form[enctype='multipart/form-data']")
		if form.Length() != 1 || form.AttrOr("action", "") != accessPath {
			t.Fatalf("an empty list shows %d forms", form.Length())
		}
		var fields []string
		form.Find("input[type=hidden]").Each(func(_ int, s *selection) { fields = append(fields, s.AttrOr("name", ""), s.AttrOr("value", "")) })
		send := func() string {
			r := v.hand(accessPath, "file", map[string]string{"idp.xml": string(idp.Metadata())}, fields...)
			if r.status != http.StatusSeeOther {
				t.Fatalf("%d %s", r.status, text(r.body))
			}
			return strings.TrimSuffix(r.location, "?done=access_added")
		}
		at := send()
		if again := send(); again != at {
			t.Errorf("the same form made %s and %s", at, again)
		}
		for i := range fields {
			if fields[i] == "idempotency_key" {
				fields[i+1] = "another-key-altogether"
			}
		}
		if again := send(); again != at {
			t.Errorf("without its key the same form made %s and %s", at, again)
		}
		page := v.both(at)
		p, err := w.app.Platforms.List(t.Context(), scope.System("test"), "")
		if err != nil || len(p) != 1 || p[0].State != sso.StateDraft || p[0].IdPEntityID != idp.EntityID {
			t.Fatalf("%+v %v", p, err)
		}
		shown := page.Text()
		for _, want := range []string{p[0].AccountType, p[0].EntityID, w.app.Platforms.ACS(p[0].Key), w.app.Platforms.SLO(p[0].Key), w.app.Platforms.Entry(p[0]), idp.EntityID, idp.SSO,
			registry.Fingerprint(idp.CertDER), "RSA", "签名密钥", "未测试"} {
			if !strings.Contains(shown, want) {
				t.Errorf("the page does not say %s", want)
			}
		}
		if b := page.Find("#do-activate, [aria-describedby=do-activate-hint]"); b.Length() == 0 || !strings.Contains(shown, "测试通过后才能启用") {
			t.Error("a draft does not say why it cannot be enabled")
		}
		if r := v.get("/saml/sp/" + p[0].Key + "/metadata"); r.status != http.StatusOK || !strings.Contains(r.body, p[0].EntityID) {
			t.Errorf("our metadata: %d", r.status)
		}
		if list := v.both(accessPath); list.Find("#platforms tbody a[href='"+at+"']").Length() != 1 {
			t.Error("the list does not lead to it")
		}
	})
}

// TestAccessRefusesDocuments: what is no use is refused with its reason in the form, and nothing is made.
func TestAccessRefusesDocuments(t *testing.T) {
	w := issuedWorld(t, "")
	v := w.visitor("partner")
	for name, c := range map[string]struct{ body, want string }{"nothing": {"", "请先提供"}, "a page": {"<html></html>", "SAML 2.0"}, "no XML": {"PK\x03\x04", "无法接受"},
		"too large": {strings.Repeat("x", 2<<20+1), "超过"}, "an entity": {`<!DOCTYPE x [<!ENTITY a "b">]><x>&a;</x>`, "DTD"}} {
		files := map[string]string{"m.xml": c.body}
		if c.body == "" {
			files = nil
		}
		r := v.hand(accessPath, "file", files, "mark", "HB_ONE")
		if shown := w.page(name, r, http.StatusUnprocessableEntity).Find(".hb-refusal").Text(); !strings.Contains(shown, c.want) {
			t.Errorf("%s: %s", name, shown)
		}
	}
	if r := v.hand(accessPath, "file", map[string]string{"m.xml": strings.Repeat("x", 4<<20)}, "mark", "HB_ONE"); r.status < 400 || r.status >= 500 {
		t.Errorf("four megabytes: %d", r.status)
	}
	if list, err := w.app.Platforms.List(t.Context(), scope.System("test"), ""); err != nil || len(list) != 0 {
		t.Errorf("%d registrations, %v", len(list), err)
	}
}

// TestAccessChanges: every form of the page changes its own thing, the machine's actions want their state, and a
// document that takes over waits to be confirmed.
func TestAccessChanges(t *testing.T) {
	onBothWithPlatforms(t, func(t *testing.T, w *world, idp *samltest.IdP) {
		v, ctx, op := w.visitor("partner"), t.Context(), scope.System("operator")
		org, err := w.app.Organisations.ByCode(ctx, op, "MUSHI")
		w.must(err)
		added, err := w.app.Platforms.Add(ctx, op, registry.AddInput{PartnerID: org.ID, Metadata: idp.Metadata(), AccountType: "HB_SHOP"})
		w.must(err)
		at := accessPath + "/" + added.Platform.ID
		done := func(path string, pairs ...string) {
			t.Helper()
			if r := v.post(at+path, pairs...); r.status != http.StatusSeeOther {
				t.Fatalf("%s: %d %s", path, r.status, text(r.body))
			}
		}
		now := func() registry.Platform {
			p, err := w.app.Platforms.Find(ctx, op, added.Platform.ID)
			w.must(err)
			return p
		}
		done("/mapping", "from_xAccountId", "uid", "from_name", "displayName")
		done("/options", "title", "商城", "mark", "HB_MALL", "sign_requests", "true", "first_entry", "bind_only", "authn_minutes", "60", "skew", "30", "notify_url", "https://shop.example/hook")
		if p := now(); p.Mapping.XAccountID != "uid" || p.Mapping.Name != "displayName" || p.AccountType != "HB_MALL" || p.FirstEntry != sso.FirstEntryBindOnly || p.Skew.Seconds() != 30 || p.AllowIdPInitiated {
			t.Errorf("%+v", p)
		}
		w.page("skew", v.post(at+"/options", "title", "x", "first_entry", "create", "authn_minutes", "60", "skew", "181"), http.StatusUnprocessableEntity)
		done("/returns", "address", "https://shop.example/orders")
		if row := v.both(at).Find("#returns tbody tr"); row.Length() != 1 || !strings.Contains(row.Text(), "待批准") {
			t.Errorf("the address waits: %s", row.Text())
		}
		done("/returns/removal", "return", v.both(at).Find("#returns input[name=return]").AttrOr("value", ""))
		w.page("enabling a draft", v.post(at+"/activate"), http.StatusConflict)
		w.must(w.app.Platforms.Passed(ctx, added.Platform.ID))
		done("/activate")
		other := samltest.NewIdP("other", w.clock.Now())
		jump := []byte(strings.NewReplacer(other.EntityID, idp.EntityID, "other.example", "shop.example").Replace(string(other.Metadata())))
		if shown := w.page("other keys", v.hand(at+"/metadata", "file", map[string]string{"m.xml": string(jump)}), http.StatusConflict); !strings.Contains(shown.Find(".hb-refusal").Text(), "人工确认") {
			t.Error(shown.Find(".hb-refusal").Text())
		}
		done("/confirmation", "document", v.both(at).Find("#history input[name=document]").AttrOr("value", ""))
		if shown := v.both(at).Find("#certificates").Text(); !strings.Contains(shown, registry.Fingerprint(other.CertDER)) || strings.Contains(shown, registry.Fingerprint(idp.CertDER)) {
			t.Error("the confirmed certificates are not those in force")
		}
		done("/disable", "reason", "维护")
		done("/enable")
		done("/disable", "reason", "维护")
		if r := v.post(at+"/delete", "reason", "停用"); r.location != accessPath+"?done=access_delete" {
			t.Errorf("%d %s", r.status, r.location)
		}
		if r := v.get(at); r.status != http.StatusNotFound {
			t.Errorf("a deleted one: %d", r.status)
		}
	})
}

// TestAccessIsOnesOwn: somebody else's registration is as absent as one that never was, for reading and for
// writing; without the item there is no page at all.
func TestAccessIsOnesOwn(t *testing.T) {
	onBothWithPlatforms(t, func(t *testing.T, w *world, idp *samltest.IdP) {
		org, err := w.app.Organisations.ByCode(t.Context(), scope.System("operator"), "MUSHI")
		w.must(err)
		added, err := w.app.Platforms.Add(t.Context(), scope.System("operator"), registry.AddInput{PartnerID: org.ID, Metadata: idp.Metadata(), AccountType: "HB_SHOP"})
		w.must(err)
		id, absent := added.Platform.ID, "0198c0de-0000-7000-8000-000000000000"
		stranger, clerk := w.visitor("stranger"), w.visitor("finance")
		own := "/o/LUMI/support/capability/access-config/"
		if a, b := stranger.program().get(own+id), stranger.program().get(own+absent); a.status != http.StatusNotFound || b.status != http.StatusNotFound {
			t.Errorf("a foreign page %d, an absent one %d", a.status, b.status)
		}
		for _, path := range []string{"/metadata", "/confirmation", "/mapping", "/options", "/returns", "/returns/removal", "/activate", "/disable", "/enable", "/delete"} {
			if r := stranger.post(own+id+path, "from_xAccountId", "x", "address", "https://evil.example/", "reason", "x", "metadata", "<x/>", "authn_minutes", "60", "skew", "1"); r.status != http.StatusNotFound {
				t.Errorf("%s of a foreign registration: %d", path, r.status)
			}
			if r := clerk.post(accessPath+"/"+id+path, "reason", "x"); r.status != http.StatusForbidden {
				t.Errorf("%s without the item: %d", path, r.status)
			}
		}
		for _, path := range []string{"", "/" + id} {
			if r := stranger.get(accessPath + path); r.status != http.StatusNotFound {
				t.Errorf("another organisation's%s: %d", path, r.status)
			}
			if r := clerk.get(accessPath + path); r.status != http.StatusForbidden {
				t.Errorf("without the item%s: %d", path, r.status)
			}
		}
		if strings.Contains(stranger.get("/o/LUMI/support/capability/access-config").body, "HB_SHOP") {
			t.Error("the list shows another partner's registration")
		}
		p, err := w.app.Platforms.Find(t.Context(), scope.System("test"), id)
		if err != nil || p.Version != added.Platform.Version {
			t.Errorf("version %d, then %d, %v", added.Platform.Version, p.Version, err)
		}
	})
}

// requestIn is the request that the page of the test button sends to the platform.
func (v *visitor) requestIn(r reply, reg sso.Registration) sso.Request {
	v.w.t.Helper()
	out, err := url.Parse(v.w.page("test", r, http.StatusOK).Find("a[data-send]").AttrOr("href", ""))
	v.w.must(err)
	packed, err := base64.StdEncoding.DecodeString(out.Query().Get("SAMLRequest"))
	v.w.must(err)
	xml, err := io.ReadAll(flate.NewReader(bytes.NewReader(packed)))
	v.w.must(err)
	m := regexp.MustCompile(` ID="([^"]+)"`).FindSubmatch(xml)
	if m == nil || !strings.HasPrefix(out.String(), reg.SSOURL) {
		v.w.t.Fatalf("%s\n%s", out, xml)
	}
	return sso.Request{ID: string(m[1]), RelayID: out.Query().Get("RelayState")}
}

// TestAccessTest: the button leads through the real flow; a wrong answer shows every step and what was sent, a right one
// makes the draft tested, so that it can be enabled. Neither opens a session, and only the first answer counts.
func TestAccessTest(t *testing.T) {
	onBothWithPlatforms(t, func(t *testing.T, w *world, idp *samltest.IdP) {
		ctx, op := t.Context(), scope.System("operator")
		org, err := w.app.Organisations.ByCode(ctx, op, "MUSHI")
		w.must(err)
		added, err := w.app.Platforms.Add(ctx, op, registry.AddInput{PartnerID: org.ID, Metadata: idp.Metadata(), AccountType: "HB_SHOP"})
		w.must(err)
		at := accessPath + "/" + added.Platform.ID
		reg, _, err := w.app.Platforms.Registration(ctx, added.Platform.ID)
		w.must(err)
		v := w.visitor("partner")
		secret := ""
		answer := func(req sso.Request, attributes []sso.Attribute) reply {
			a := samltest.Answer{IdP: idp, Reg: reg, Now: w.clock.Now(), Request: req, NameID: "n-1", Attributes: attributes}
			r, err := http.NewRequest(http.MethodPost, w.url+"/saml/sp/"+reg.Key+"/acs", strings.NewReader(a.Form().Encode()))
			w.must(err)
			r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
			r.AddCookie(&http.Cookie{Name: "__Host-sso", Value: secret})
			return v.send(r, nil)
		}
		start := func() sso.Request {
			r := v.post(at + "/tests")
			for _, k := range (&http.Response{Header: r.header}).Cookies() {
				if k.Name == "__Host-sso" {
					secret = k.Value
				}
			}
			return v.requestIn(r, reg)
		}
		state := func() sso.State {
			p, err := w.app.Platforms.Find(ctx, op, added.Platform.ID)
			w.must(err)
			return p.State
		}
		wrong := answer(start(), samltest.Attributes("uid", "x1"))
		if !strings.HasPrefix(wrong.location, at+"/tests/") || wrong.header.Get("Set-Cookie") != "" {
			t.Fatalf("%d %s %s", wrong.status, wrong.location, wrong.header)
		}
		shown := v.both(wrong.location)
		if text := shown.Text(); !strings.Contains(text, "缺少属性 xAccountId") || !strings.Contains(shown.Find("#attributes").Text(), "x1") || shown.Find("#steps tbody tr").Length() != len(sso.ACSSteps()) {
			t.Errorf("the page of a failed test: %s", text)
		}
		if state() != sso.StateDraft {
			t.Error("a failed test made it", state())
		}
		// The names that were sent are choices with their values; one is taken by a form of this page.
		if choice := shown.Find("#attributes select[name=from_xAccountId] option[value=uid]"); !strings.Contains(choice.Text(), "x1") || shown.Find("#attributes select[name=from_name] option[value='']").Length() != 1 {
			t.Errorf("the mapping offers %s", shown.Find("#attributes form").Text())
		}
		for _, name := range []string{"uid", "xAccountId"} {
			if r := v.post(at+"/mapping", "from_xAccountId", name); r.status != http.StatusSeeOther {
				t.Errorf("mapping %s: %d %s", name, r.status, text(r.body))
			}
			if p, err := w.app.Platforms.Find(ctx, op, added.Platform.ID); err != nil || p.Mapping.XAccountID != name {
				t.Errorf("mapped %q, %v", p.Mapping.XAccountID, err)
			}
		}
		req := start()
		right := answer(req, samltest.Attributes("xAccountId", "x1", "xUserId", "x1"))
		if page := v.both(right.location); !strings.Contains(page.Find(".hb-flash").Text(), "全部检查通过") || !strings.Contains(page.Find("#message").Text(), "Assertion") {
			t.Errorf("the page of a passed test: %s", page.Text())
		}
		if state() != sso.StateTested {
			t.Error("a passed test made it", state())
		}
		if again := answer(req, samltest.Attributes("xAccountId", "x1")); again.status != http.StatusForbidden {
			t.Errorf("a second answer: %d %s", again.status, again.location)
		}
		if r := v.post(at + "/activate"); r.status != http.StatusSeeOther || state() != sso.StateActive {
			t.Errorf("%d %s", r.status, state())
		}
		stranger := w.visitor("stranger")
		if r := stranger.get(strings.Replace(right.location, "MUSHI", "LUMI", 1)); r.status != http.StatusNotFound {
			t.Errorf("somebody else's test: %d", r.status)
		}
		w.clock.Set(w.clock.Now().Add(25 * time.Hour))
		if r := w.visitor("partner").get(right.location); r.status != http.StatusNotFound {
			t.Errorf("a day later: %d", r.status)
		}
	})
}

// TestWorkCertificates: sixty days before the signing certificate of an active platform ends, 待办 says so to who may
// change it, with the day, and leads there; a day earlier it does not.
func TestWorkCertificates(t *testing.T) {
	onBothWithPlatforms(t, func(t *testing.T, w *world, idp *samltest.IdP) {
		ctx, op := t.Context(), scope.System("operator")
		org, err := w.app.Organisations.ByCode(ctx, op, "MUSHI")
		w.must(err)
		added, err := w.app.Platforms.Add(ctx, op, registry.AddInput{PartnerID: org.ID, Metadata: idp.Metadata(), AccountType: "HB_SHOP", Name: "客户商城", Activate: true})
		w.must(err)
		reg, _, err := w.app.Platforms.Registration(ctx, added.Platform.ID)
		w.must(err)
		ends := reg.Certs[0].NotAfter
		w.clock.Set(ends.AddDate(0, 0, -62))
		if text := w.visitor("partner").both("/o/MUSHI/work").Text(); strings.Contains(text, "客户商城") {
			t.Errorf("62 days before: %s", text)
		}
		w.clock.Set(ends.AddDate(0, 0, -59))
		row := w.visitor("partner").both("/o/MUSHI/work?kind=cert").Find(".hb-duties li")
		if href := row.Find("a.btn").AttrOr("href", ""); row.Length() != 1 || href != accessPath+"/"+added.Platform.ID || !strings.Contains(row.Text(), "客户商城 的签名证书即将到期") {
			t.Errorf("59 days before: %d rows, %s: %s", row.Length(), href, row.Text())
		}
		if home := w.page("home", w.visitor("partner").get("/o/MUSHI"), http.StatusOK); !strings.Contains(home.Text(), "客户商城") {
			t.Error("主页 does not say it")
		}
	})
}
