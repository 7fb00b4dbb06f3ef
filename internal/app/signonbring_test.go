package app

import (
	"bytes"
	"encoding/json"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/beevik/etree"

	"huoban/internal/fault"
	"huoban/internal/i18n"
	"huoban/internal/scope"
	"huoban/internal/sso"
	"huoban/internal/sso/registry"
	"huoban/internal/sso/samltest"
)

// brought is something partners bring: a platform, what it answers, and what becomes of it.
type brought struct {
	name   string
	idp    func(p *samltest.IdP, now time.Time) // changes the platform before it is registered
	add    registry.AddInput
	answer func(a *samltest.Answer, reg sso.Registration)
	code   string   // "": it works
	zh, en []string // what the sentence must say
	cure   func(t *testing.T, d *doorway, reg sso.Registration)
}

func encrypted(reg sso.Registration, method string) *samltest.Encryption {
	for _, k := range reg.Keys {
		if k.Use == sso.KeyUseDecrypt {
			return &samltest.Encryption{To: &k.Private.PublicKey, Method: method}
		}
	}
	return nil
}

// bring is the list of the issue: each works by the rules, or is refused with a sentence that says what to change
// where. After the cure the same works.
func bring() []brought {
	renamed := func(a *samltest.Answer, reg sso.Registration) {
		a.Attributes = samltest.Attributes("uid", "x1", "displayName", "星河科技")
	}
	late := func(d time.Duration) func(a *samltest.Answer, reg sso.Registration) {
		return func(a *samltest.Answer, _ sso.Registration) { a.Now = a.Now.Add(d) }
	}
	skew := func(t *testing.T, d *doorway, reg sso.Registration) {
		d.options(reg, func(o *registry.Options) { o.Skew = 2 * time.Minute })
	}
	ending := func(p *samltest.IdP, now time.Time) {
		p.CertDER = samltest.Certify(p.Key, "ending", now.AddDate(-1, 0, 0), now.Add(time.Hour))
	}
	return []brought{
		{name: "a clock 90 s ahead", answer: late(90 * time.Second), code: "sso.msg.issue_instant", zh: []string{"90", "快"}, en: []string{"90", "ahead"}, cure: skew},
		{name: "a clock 90 s behind", answer: late(-90 * time.Second)},
		{name: "a renamed attribute", answer: renamed, code: "sso.attr.missing", zh: []string{"xAccountId", "uid", "displayName", "属性映射"}, en: []string{"xAccountId", "uid", "displayName", "mapping"},
			cure: func(t *testing.T, d *doorway, reg sso.Registration) {
				if _, err := d.a.Platforms.SetMapping(d.ctx(), scope.System("operator"), reg.Key, map[string]string{"xAccountId": "uid", "name": "displayName"}); err != nil {
					t.Fatal(err)
				}
			}},
		{name: "only the Response signed", answer: func(a *samltest.Answer, _ sso.Registration) { a.Response = a.IdP.Default() }},
		{name: "signed only inside the encryption, GCM", answer: func(a *samltest.Answer, reg sso.Registration) {
			a.Assertion, a.Encrypt = a.IdP.Default(), encrypted(reg, samltest.AES256GCM)
		}},
		{name: "signed only inside the encryption, CBC", answer: func(a *samltest.Answer, reg sso.Registration) {
			a.Assertion, a.Encrypt = a.IdP.Default(), encrypted(reg, samltest.AES256CBC)
		}, code: "sso.sig.missing", zh: []string{"Response", "GCM", "签名"}, en: []string{"Response", "GCM", "sign"}},
		{name: "a byte order mark before the message", answer: func(a *samltest.Answer, _ sso.Registration) {
			a.Bytes = func(b []byte) []byte { return append([]byte("\xef\xbb\xbf"), b...) }
		}, code: "sso.xml.encoding", zh: []string{"UTF-8", "BOM"}, en: []string{"UTF-8", "byte order mark"}},
		{name: "SHA-1 signatures", answer: func(a *samltest.Answer, _ sso.Registration) {
			a.Assertion = a.IdP.Default()
			a.Assertion.Method = samltest.RSASHA1
		}, code: "sso.sig.alg", zh: []string{"rsa-sha1", "SHA-256", "SimpleSAMLphp", "ADFS", "Keycloak"}, en: []string{"rsa-sha1", "SHA-256", "SimpleSAMLphp", "ADFS", "Keycloak"}},
		{name: "a certificate that ends", idp: ending, answer: func(a *samltest.Answer, _ sso.Registration) { a.Now = a.Now.Add(2 * time.Hour) }, code: "sso.sig.cert_time", zh: []string{"证书", "有效期"}, en: []string{"certificate", "renew", "metadata"}},
		{name: "another key than registered", answer: func(a *samltest.Answer, _ sso.Registration) {
			k := samltest.Key("unannounced")
			a.Assertion = &samltest.Signing{Key: k, Cert: samltest.Certify(k, "new", a.Now.AddDate(0, -1, 0), a.Now.AddDate(1, 0, 0))}
		}, code: "sso.sig.key", zh: []string{"元数据", "指纹"}, en: []string{"metadata", "fingerprint"}},
		{name: "pretty-printed after signing", answer: func(a *samltest.Answer, _ sso.Registration) {
			a.After = func(r *etree.Element) { r.FindElement("./Assertion/Subject").InsertChildAt(0, etree.NewText("\n    ")) }
		}, code: "sso.sig.value", zh: []string{"签名后", "重新排版"}, en: []string{"after signing", "pretty-printing"}},
		{name: "our address with a trailing slash", answer: func(a *samltest.Answer, _ sso.Registration) {
			a.Before = func(r, _ *etree.Element) { r.CreateAttr("Destination", r.SelectAttrValue("Destination", "")+"/") }
		}, code: "sso.msg.destination", zh: []string{"/acs/", "仅末尾斜杠不同"}, en: []string{"/acs/", "only the trailing slash"}},
		{name: "our entity id mistyped", answer: func(a *samltest.Answer, reg sso.Registration) {
			a.Before = func(_, as *etree.Element) {
				as.FindElement(".//Audience").SetText(strings.Replace(reg.EntityID, "http:", "https:", 1))
			}
		}, code: "sso.cond.audience", zh: []string{"https://localhost", "仅 http/https 不同"}, en: []string{"https://localhost", "only http and https"}},
	}
}

func (d *doorway) options(reg sso.Registration, change func(o *registry.Options)) {
	d.t.Helper()
	op := scope.System("operator")
	p, err := d.a.Platforms.Find(d.ctx(), op, reg.Key)
	if err == nil {
		o := registry.OptionsOf(p)
		change(&o)
		_, err = d.a.Platforms.SetOptions(d.ctx(), op, reg.Key, o)
	}
	if err != nil {
		d.t.Fatal(err)
	}
}

// sentences are what the partner's administrator reads of the last refusal, in both languages.
func (d *doorway) sentences() (zh, en string) {
	d.t.Helper()
	var code, facts string
	if err := d.a.DB.Writer().QueryRowContext(d.ctx(), "SELECT code, facts FROM sso_refusal ORDER BY last_at DESC, id DESC LIMIT 1").Scan(&code, &facts); err != nil {
		d.t.Fatal(err)
	}
	var args fault.Args
	if err := json.Unmarshal([]byte(facts), &args); err != nil {
		d.t.Fatal(err)
	}
	f := sso.Denied(code, args)
	return i18n.FaultText(i18n.With(d.ctx(), i18n.ZhCN), f), i18n.FaultText(i18n.With(d.ctx(), i18n.En), f)
}

// TestWhatPartnersBring: over HTTP, by a registration made of the platform's own metadata.
func TestWhatPartnersBring(t *testing.T) {
	eachDoorway(t, func(t *testing.T, d *doorway) {
		for i, c := range bring() {
			d.now.Set(d.now.Now().Add(5 * time.Minute))
			idp := samltest.NewIdP("bring"+string(rune('a'+i)), d.now.Now())
			if c.idp != nil {
				c.idp(idp, d.now.Now())
			}
			c.add.Metadata = idp.Metadata()
			reg := d.registered("HB_BRING_"+string(rune('A'+i)), c.add)
			d.idp[reg.ID] = idp
			try := func() page {
				b := d.browser()
				a := d.say(reg, b.begin(reg, ""), "x1")
				c.answer(&a, reg)
				if c.code == "sso.sig.cert_time" { // the platform has no other; the day has come
					d.now.Set(a.Now)
					a.Request = b.begin(reg, "")
				}
				return b.post(reg, a)
			}
			got := try()
			if c.code == "" {
				if got.status != http.StatusSeeOther || !strings.HasPrefix(got.to(), "/saml/arrive/") {
					t.Errorf("%s: %d %s", c.name, got.status, d.code())
				}
				continue
			}
			if got.status != http.StatusForbidden || d.code() != c.code {
				t.Errorf("%s: %d with %s, want %s", c.name, got.status, d.code(), c.code)
				continue
			}
			zh, en := d.sentences()
			for _, want := range c.zh {
				if !strings.Contains(zh, want) {
					t.Errorf("%s: %q does not say %s", c.name, zh, want)
				}
			}
			for _, want := range c.en {
				if !strings.Contains(strings.ToLower(en), strings.ToLower(want)) {
					t.Errorf("%s: %q does not say %s", c.name, en, want)
				}
			}
			if c.cure == nil {
				continue
			}
			d.now.Set(d.now.Now().Add(5 * time.Minute))
			if c.cure(t, d, reg); try().status != http.StatusSeeOther {
				t.Errorf("%s: after the cure it is refused with %s", c.name, d.code())
			}
		}
	})
}

// TestKeysPartnersBring: a weak key registers, waits for the operator's waiver to be activated and verifies only
// as long as that lasts; one that is over activates nothing; metadata with a byte order mark is read, and of two
// identity providers one is chosen.
func TestKeysPartnersBring(t *testing.T) {
	eachDoorway(t, func(t *testing.T, d *doorway) {
		reg, op := d.registered("HB_KEYS", registry.AddInput{}), scope.System("operator")
		now := d.now.Now()
		weak := samltest.NewIdP("weak", now)
		weak.Key = samltest.KeyOf("weak 1024", 1024)
		weak.CertDER = samltest.Certify(weak.Key, "weak", now.AddDate(-1, 0, 0), now.AddDate(14, 0, 0))
		over := samltest.NewIdP("over", now)
		over.CertDER = samltest.Certify(over.Key, "over", now.AddDate(-2, 0, 0), now.AddDate(-1, 0, 0))
		_, err := d.a.Platforms.Add(d.ctx(), op, registry.AddInput{PartnerID: reg.PartnerID, Metadata: over.Metadata(), AccountType: "HB_OVER"})
		if f := fault.From(err); f == nil || f.Code != "sso.md.key" || !strings.Contains(err.Error(), "sso.md.key_expired") || !strings.Contains(err.Error(), "2025-07-08") {
			t.Errorf("a certificate that is over: %v", err)
		}
		added, err := d.a.Platforms.Add(d.ctx(), op, registry.AddInput{PartnerID: reg.PartnerID, Metadata: weak.Metadata(), AccountType: "HB_WEAK"})
		if err != nil || len(added.Warnings) == 0 {
			t.Fatalf("a weak key: %v, warnings %v", err, added.Warnings)
		}
		if _, err := d.a.Platforms.Do(d.ctx(), op, added.Platform.Key, registry.ActionActivate, "", false); !fault.HasCode(err, "sso.md.weak_key") {
			t.Errorf("a weak key is activated: %v", err)
		}
		if _, err := d.a.Platforms.Waive(d.ctx(), op, added.Platform.Key, now.AddDate(0, 0, 181)); !fault.HasCode(err, "sso.reg.waiver_long") {
			t.Errorf("a waiver of 181 days: %v", err)
		}
		if _, err := d.a.Platforms.Waive(d.ctx(), op, added.Platform.Key, now.AddDate(0, 0, 10)); err != nil {
			t.Fatal(err)
		}
		if _, err := d.a.Platforms.Do(d.ctx(), op, added.Platform.Key, registry.ActionActivate, "", false); err != nil {
			t.Fatal(err)
		}
		r, _, err := d.a.Platforms.Registration(d.ctx(), added.Platform.Key)
		if err != nil {
			t.Fatal(err)
		}
		d.idp[r.ID] = weak
		d.browser().enter(r, "x1")
		d.now.Set(now.AddDate(0, 0, 11))
		b := d.browser()
		if p := b.post(r, d.say(r, b.begin(r, ""), "x1")); p.status != http.StatusForbidden || d.code() != "sso.sig.key" {
			t.Errorf("after the waiver: %d %s", p.status, d.code())
		}
		if zh, en := d.sentences(); !strings.Contains(zh, "1024") || !strings.Contains(en, "1024") {
			t.Errorf("a weak key is told as %q, %q", zh, en)
		}
		marked := samltest.NewIdP("marked", now)
		body := append([]byte("\xef\xbb\xbf"), marked.Metadata()...)
		if _, err := d.a.Platforms.Add(d.ctx(), op, registry.AddInput{PartnerID: reg.PartnerID, Metadata: body, AccountType: "HB_MARKED"}); err != nil {
			t.Errorf("metadata with a byte order mark: %v", err)
		}
		one, two := samltest.NewIdP("left", now), samltest.NewIdP("right", now)
		group := bytes.Join([][]byte{[]byte(`<md:EntitiesDescriptor xmlns:md="urn:oasis:names:tc:SAML:2.0:metadata">`), one.Metadata(), two.Metadata(), []byte("</md:EntitiesDescriptor>")}, nil)
		in := registry.AddInput{PartnerID: reg.PartnerID, Metadata: group, AccountType: "HB_GROUP"}
		_, err = d.a.Platforms.Add(d.ctx(), op, in)
		if f := fault.From(err); f == nil || f.Code != "sso.md.entities" || !strings.Contains(i18n.FaultText(d.ctx(), f), one.EntityID) {
			t.Errorf("two identity providers: %v", err)
		}
		in.Entity = two.EntityID
		if added, err := d.a.Platforms.Add(d.ctx(), op, in); err != nil || added.Platform.IdPEntityID != two.EntityID {
			t.Errorf("the one that was chosen: %v", err)
		}
	})
}
