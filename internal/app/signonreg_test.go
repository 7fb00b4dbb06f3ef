package app

import (
	"crypto/rsa"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
	"time"

	"huoban/internal/fault"
	"huoban/internal/scope"
	"huoban/internal/sso"
	"huoban/internal/sso/registry"
	"huoban/internal/sso/samltest"
)

// TestJumpRegistered: a platform that was registered from its metadata alone brings its customers in, by the keys
// and addresses of our own metadata, and no longer once it is disabled.
func TestJumpRegistered(t *testing.T) {
	eachDoorway(t, func(t *testing.T, d *doorway) {
		for i, a := range []*App{d.a, d.b} {
			h, err := a.Handler()
			if err != nil {
				t.Fatal(err)
			}
			d.srv[i] = httptest.NewServer(h)
			t.Cleanup(d.srv[i].Close)
		}
		idp := samltest.NewIdP("three", jumpDay)
		op := scope.System("operator")
		added, err := d.a.Platforms.Add(d.ctx(), op, registry.AddInput{PartnerID: d.one.Partner.ID, Metadata: idp.Metadata(), AccountType: "HB_THREE", Activate: true})
		if err != nil {
			t.Fatal(err)
		}
		reg, ok, err := d.b.Platforms.Registration(d.ctx(), added.Platform.Key)
		if err != nil || !ok {
			t.Fatal(ok, err)
		}
		d.idp[reg.ID] = idp
		b := d.browser()
		for _, path := range []string{"/saml/sp/" + reg.Key + "/metadata", "/authui/saml/metadata.xml?xAccountType=HB_THREE"} {
			if p := b.get(path); p.status != http.StatusOK || !strings.Contains(p.body, reg.ACS) || p.header.Get("Content-Type") != "application/samlmetadata+xml" {
				t.Errorf("%s: %d %s", path, p.status, p.header.Get("Content-Type"))
			}
		}
		for _, path := range []string{"/saml/sp/HB_THREE/metadata", "/authui/saml/metadata.xml", "/authui/saml/metadata.xml?xAccountType=" + reg.Key} {
			if p := b.get(path); p.status != http.StatusNotFound {
				t.Errorf("%s: %d", path, p.status)
			}
		}
		b.enter(reg, "x1")
		if b.saml("registration") != reg.Key || b.saml("partner") != "P001" || b.saml("xAccountId") != "x1" {
			_, all := b.who()
			t.Errorf("session: %v", all)
		}
		if _, err := d.a.Platforms.Do(d.ctx(), op, reg.Key, registry.ActionDisable, "test", false); err != nil {
			t.Fatal(err)
		}
		if status, _ := b.who(); status != http.StatusUnauthorized {
			t.Errorf("a session of a disabled platform answers %d", status)
		}
		if p := d.browser().get("/authui/saml/login?xAccountType=HB_THREE"); p.status != http.StatusForbidden || d.code() != "sso.tenant.disabled" {
			t.Errorf("a disabled platform: %d %s", p.status, d.code())
		}
	})
}

// registered adds a platform to the registry itself, whose handlers the replicas serve then.
func (d *doorway) registered(mark string, in registry.AddInput) sso.Registration {
	t := d.t
	t.Helper()
	for i, a := range []*App{d.a, d.b} {
		h, err := a.Handler()
		if err != nil {
			t.Fatal(err)
		}
		d.srv[i] = httptest.NewServer(h)
		t.Cleanup(d.srv[i].Close)
		a.Platforms.NewKey = func() (*rsa.PrivateKey, error) { return samltest.Key(sso.NewToken()), nil }
	}
	idp := samltest.NewIdP(strings.ToLower(mark), jumpDay)
	if in.Metadata == nil {
		in.Metadata = idp.Metadata()
	}
	in.PartnerID, in.AccountType, in.Activate = d.one.Partner.ID, mark, true
	added, err := d.a.Platforms.Add(d.ctx(), scope.System("operator"), in)
	if err != nil {
		t.Fatal(err)
	}
	reg, ok, err := d.b.Platforms.Registration(d.ctx(), added.Platform.Key)
	if err != nil || !ok {
		t.Fatal(ok, err)
	}
	d.idp[reg.ID] = idp
	return reg
}

// TestSuspendedPartner: the customers of a suspended partner are out at their next request, on every replica, and
// come in no more until it is taken back; each step is in the trail with its reason.
func TestSuspendedPartner(t *testing.T) {
	eachDoorway(t, func(t *testing.T, d *doorway) {
		reg, op := d.registered("HB_SUSP", registry.AddInput{}), scope.System("operator")
		b := d.browser()
		b.enter(reg, "x1")
		pending := d.browser()
		late := d.say(reg, pending.begin(reg, ""), "x1")
		for _, c := range []struct{ code, reason, want string }{{"P001", " ", "organisation.reason_malformed"}, {"V1", "x", "organisation.not_partner"}, {"NONE", "x", "organisation.unknown"}} {
			if _, err := d.a.Organisations.Suspend(d.ctx(), op, c.code, c.reason); !fault.HasCode(err, c.want) {
				t.Errorf("suspending %s: %v", c.code, err)
			}
		}
		if _, err := d.a.Organisations.Suspend(d.ctx(), scope.Partner(d.one.Partner.ID, "", "p", nil, nil), "P001", "x"); !fault.HasCode(err, "organisation.operator_suspends") {
			t.Errorf("a partner suspends itself: %v", err)
		}
		for range 2 { // once more changes nothing
			if _, err := d.a.Organisations.Suspend(d.ctx(), op, "P001", "合同到期"); err != nil {
				t.Fatal(err)
			}
		}
		for replica := range 2 {
			b.replica = replica
			if status, _ := b.who(); status != http.StatusUnauthorized {
				t.Errorf("at replica %d the session of a suspended partner's customer answers %d", replica, status)
			}
			other := d.browser()
			other.replica = replica
			if p := other.get("/authui/saml/login?xAccountType=HB_SUSP"); p.status != http.StatusForbidden || d.code() != "sso.tenant.partner" {
				t.Errorf("at replica %d a suspended partner's entry: %d %s", replica, p.status, d.code())
			}
		}
		if p := pending.post(reg, late); p.status != http.StatusForbidden || d.code() != "sso.tenant.partner" {
			t.Errorf("an answer after the suspension: %d %s", p.status, d.code())
		}
		if _, err := d.b.Organisations.Resume(d.ctx(), op, "P001", "续约"); err != nil {
			t.Fatal(err)
		}
		d.browser().enter(reg, "x1")
		if n := d.count("SELECT COUNT(*) FROM audit WHERE action IN ('organisation.suspend','organisation.resume') AND org_id = $1", d.one.Partner.ID); n != 2 {
			t.Errorf("%d audit lines", n)
		}
	})
}

// TestOperatorDecides: what the operator disabled its partner does not enable; a return address waits for the
// operator; a customer is associated as the registration says.
func TestOperatorDecides(t *testing.T) {
	eachDoorway(t, func(t *testing.T, d *doorway) {
		reg, op := d.registered("HB_HELD", registry.AddInput{Association: registry.AssociationReferral}), scope.System("operator")
		own := scope.Partner(d.one.Partner.ID, "", "lin", []scope.Item{scope.ItemAccessConfigChange}, nil)
		d.browser().enter(reg, "x1")
		if n := d.count("SELECT COUNT(*) FROM association WHERE kind = 'referral' AND state = 'active' AND partner_id = $1", d.one.Partner.ID); n != 1 {
			t.Errorf("%d associations of the registration's type", n)
		}
		for _, c := range []struct {
			who  scope.Scope
			do   registry.Action
			want string
		}{{own, registry.ActionDisable, ""}, {own, registry.ActionEnable, ""}, {own, registry.ActionDisable, ""}, {op, registry.ActionDisable, ""}, {own, registry.ActionEnable, "sso.reg.held"},
			{op, registry.ActionEnable, ""}, {op, registry.ActionDisable, ""}, {own, registry.ActionEnable, "sso.reg.held"}, {op, registry.ActionEnable, ""}} {
			_, err := d.a.Platforms.Do(d.ctx(), c.who, reg.Key, c.do, "why", false)
			if c.want == "" && err != nil || c.want != "" && !fault.HasCode(err, c.want) {
				t.Errorf("%s %s: %v, want %q", c.who.Login(), c.do, err, c.want)
			}
		}
		// The partner's customer reads of each by whom it was, twice a day as of one.
		if n := d.count("SELECT COUNT(*) FROM customer_trail WHERE what = 'platform' AND partner_id = $1 AND (act = 'suspend' AND actor = 'lin' AND times = 2 OR act = 'resume' AND actor = 'lin' AND times = 1 OR act = 'suspend' AND actor = '' AND times = 1 OR act = 'resume' AND actor = '' AND times = 2)",
			d.one.Partner.ID); n != 4 {
			t.Errorf("%d lines of the platform in the customer's trail", n)
		}
		const address = "https://shop.example/orders"
		entry := "/authui/saml/login?xAccountType=HB_HELD&service=" + url.QueryEscape(address)
		if _, err := d.a.Platforms.AddReturn(d.ctx(), own, reg.Key, address); err != nil {
			t.Fatal(err)
		}
		if p := d.browser().get(entry); p.status != http.StatusForbidden || d.code() != "sso.ret.not_allowed" {
			t.Errorf("an address that waits: %d %s", p.status, d.code())
		}
		if _, err := d.a.Platforms.ApproveReturn(d.ctx(), own, reg.Key, address); !fault.HasCode(err, "sso.reg.operator_only") {
			t.Errorf("a partner approves: %v", err)
		}
		if _, err := d.a.Platforms.ApproveReturn(d.ctx(), op, reg.Key, "https://other.example/"); !fault.HasCode(err, "sso.reg.return_unknown") {
			t.Errorf("an address nobody asked for: %v", err)
		}
		for range 2 {
			if r, err := d.b.Platforms.ApproveReturn(d.ctx(), op, reg.Key, address); err != nil || r.State != sso.ReturnStateApproved {
				t.Fatal(r, err)
			}
		}
		b := d.browser()
		p := b.post(reg, d.say(reg, b.begin(reg, "&service="+url.QueryEscape(address)), "x1"))
		if p = b.get(p.to()); p.to() != address {
			t.Errorf("an approved address: %d %s", p.status, p.to())
		}
		if n := d.count("SELECT COUNT(*) FROM audit WHERE action = 'platform.return_approved'"); n != 1 {
			t.Errorf("%d audit lines of the approval", n)
		}
	})
}

// TestAssociationOver: when an association ends, at once or at its hour, the sessions that came by its partner's platform
// are over at their next request, on every replica; another partner's go on.
func TestAssociationOver(t *testing.T) {
	eachDoorway(t, func(t *testing.T, d *doorway) {
		reg, op := d.registered("HB_OVER", registry.AddInput{}), scope.System("operator")
		b := d.browser()
		b.enter(reg, "x1")
		_, who := b.who()
		org, err := d.a.Organisations.ByCode(d.ctx(), op, who["organisation"].(string))
		if err != nil {
			t.Fatal(err)
		}
		list, err := d.a.Customers.Of(d.ctx(), org.ID)
		if err != nil || len(list) != 1 {
			t.Fatal(list, err)
		}
		if _, err := d.a.Customers.End(d.ctx(), op, list[0].ID, d.now.Now().Add(10*time.Minute)); err != nil {
			t.Fatal(err)
		}
		if status, _ := b.who(); status != http.StatusOK {
			t.Errorf("before its hour: %d", status)
		}
		d.now.Set(d.now.Now().Add(11 * time.Minute))
		for replica := range 2 {
			b.replica = replica
			if status, _ := b.who(); status != http.StatusUnauthorized {
				t.Errorf("at replica %d after the end: %d", replica, status)
			}
		}
	})
}
