package app

import (
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/beevik/etree"

	"huoban/internal/sso"
	"huoban/internal/sso/samltest"
)

// attack is one row of the table of attacks at the layers state, tenant and link.
type attack struct {
	row  string
	code string
	do   func(d *doorway, b *browser) page
}

// attacks send what must not lead in. b is a fresh browser each time.
var attacks = []attack{
	{"87 InResponseTo unknown", "sso.req.unknown", func(d *doorway, b *browser) page {
		b.begin(d.regA, "")
		return b.post(d.regA, d.say(d.regA, sso.Request{ID: sso.NewMessageID(), RelayID: sso.NewToken()}, "x1"))
	}},
	{"88 unsolicited, switch off", "sso.req.unsolicited", func(d *doorway, b *browser) page {
		return b.post(d.regA, d.say(d.regA, sso.Request{}, "x1"))
	}},
	{"89 InResponseTo in the confirmation alone", "sso.req.unknown", func(d *doorway, b *browser) page {
		a := d.say(d.regA, b.begin(d.regA, ""), "x1")
		a.Before = func(response, _ *etree.Element) { response.RemoveAttr("InResponseTo") }
		return b.post(d.regA, a)
	}},
	{"90 InResponseTo unknown, switch on", "sso.req.unknown", func(d *doorway, b *browser) page {
		d.reg.change(d.regA.ID, func(r *sso.Registration) { r.AllowIdPInitiated = true })
		defer d.reg.change(d.regA.ID, func(r *sso.Registration) { r.AllowIdPInitiated = false })
		return b.post(d.regA, d.say(d.regA, sso.Request{ID: sso.NewMessageID(), RelayID: sso.NewToken()}, "x1"))
	}},
	{"91 request used, other assertion", "sso.req.used", func(d *doorway, b *browser) page {
		req := b.begin(d.regA, "")
		b.post(d.regA, d.say(d.regA, req, "x1"))
		other := d.browser()
		other.cookies["__Host-sso"] = b.cookies["__Host-sso"]
		return other.post(d.regA, d.say(d.regA, req, "x1"))
	}},
	{"92 request expired", "sso.req.expired", func(d *doorway, b *browser) page {
		req := b.begin(d.regA, "")
		d.now.Set(d.now.Now().Add(10*time.Minute + time.Second))
		return b.post(d.regA, d.say(d.regA, req, "x1"))
	}},
	{"93 stolen response in another browser", "sso.req.browser", func(d *doorway, b *browser) page {
		thief := d.browser()
		a := d.say(d.regA, thief.begin(d.regA, ""), "x1")
		b.begin(d.regA, "")
		return b.post(d.regA, a)
	}},
	{"94 no cookie, after one hop", "sso.req.browser", func(d *doorway, b *browser) page {
		f := d.say(d.regA, b.begin(d.regA, ""), "x1").Form()
		delete(b.cookies, "__Host-sso")
		p := b.ask(http.MethodPost, "/saml/sp/"+d.regA.Key+"/acs", f, true)
		if p.status != http.StatusOK || !strings.Contains(p.body, `name="hop"`) {
			d.t.Errorf("without a cookie there is no second try: %d", p.status)
		}
		f.Set("hop", "1")
		return b.ask(http.MethodPost, "/saml/sp/"+d.regA.Key+"/acs", f, false)
	}},
	{"102 A's response at B's address", "sso.sig.key", func(d *doorway, b *browser) page {
		return b.post(d.regB, d.say(d.regA, b.begin(d.regA, ""), "x1"))
	}},
	{"103 one shared IdP, addressed by hand", "sso.msg.destination", func(d *doorway, b *browser) page {
		shared := d.say(d.regA, b.begin(d.regB, ""), "x1")
		shared.IdP = d.idp[d.regB.ID]
		shared.Before = func(_, assertion *etree.Element) {
			assertion.FindElement(".//Audience").SetText(d.regB.EntityID)
		}
		return b.post(d.regB, shared)
	}},
	{"103 the same with the Destination rewritten", "sso.cond.audience", func(d *doorway, b *browser) page {
		shared := d.say(d.regA, b.begin(d.regB, ""), "x1")
		shared.IdP = d.idp[d.regB.ID]
		shared.Before = func(response, assertion *etree.Element) {
			response.CreateAttr("Destination", d.regB.ACS)
			assertion.FindElement(".//SubjectConfirmationData").CreateAttr("Recipient", d.regB.ACS)
		}
		return b.post(d.regB, shared)
	}},
	{"104 begun at A, answered by B at B's address", "sso.req.tenant", func(d *doorway, b *browser) page {
		return b.post(d.regB, d.say(d.regB, b.begin(d.regA, ""), "x1"))
	}},
	{"105 forged xAccountType", "sso.attr.account_type", func(d *doorway, b *browser) page {
		a := d.say(d.regA, b.begin(d.regA, ""), "x1")
		a.Attributes = samltest.Attributes("xAccountId", "x1", "xUserId", "x1", "xAccountType", d.regB.AccountType)
		return b.post(d.regA, a)
	}},
	{"105 forged bpId", "sso.attr.bp_id", func(d *doorway, b *browser) page {
		a := d.say(d.regA, b.begin(d.regA, ""), "x1")
		a.Attributes = samltest.Attributes("xAccountId", "x1", "xUserId", "x1", "bpId", d.regB.BpID)
		return b.post(d.regA, a)
	}},
	{"106 xAccountId twice", "sso.attr.many", func(d *doorway, b *browser) page {
		return b.post(d.regA, d.say(d.regA, b.begin(d.regA, ""), "x1", "xAccountId", "x2"))
	}},
	{"107 disabled between request and answer", "sso.tenant.disabled", func(d *doorway, b *browser) page {
		a := d.say(d.regA, b.begin(d.regA, ""), "x1")
		d.reg.change(d.regA.ID, func(r *sso.Registration) { r.State = sso.StateDisabled })
		defer d.reg.change(d.regA.ID, func(r *sso.Registration) { r.State = sso.StateActive })
		return b.post(d.regA, a)
	}},
	{"108 partner suspended", "sso.tenant.partner", func(d *doorway, b *browser) page {
		a := d.say(d.regA, b.begin(d.regA, ""), "x1")
		d.reg.change(d.regA.ID, func(r *sso.Registration) { r.PartnerActive = false })
		defer d.reg.change(d.regA.ID, func(r *sso.Registration) { r.PartnerActive = true })
		return b.post(d.regA, a)
	}},
	{"108 registration deleted", "sso.tenant.unknown", func(d *doorway, b *browser) page {
		a := d.say(d.regA, b.begin(d.regA, ""), "x1")
		d.reg.change(d.regA.ID, func(r *sso.Registration) { r.State = sso.StateDeleted })
		defer d.reg.change(d.regA.ID, func(r *sso.Registration) { r.State = sso.StateActive })
		return b.post(d.regA, a)
	}},
	{"119 RelayState is a URL", "sso.req.relay", func(d *doorway, b *browser) page {
		req := b.begin(d.regA, "")
		req.RelayID = "https://evil.example/"
		return b.post(d.regA, d.say(d.regA, req, "x1"))
	}},
	{"119 RelayState of another request", "sso.req.relay", func(d *doorway, b *browser) page {
		req, other := b.begin(d.regA, ""), b.begin(d.regA, "")
		req.RelayID = other.RelayID
		return b.post(d.regA, d.say(d.regA, req, "x1"))
	}},
	{"119 RelayState is script", "sso.req.relay", func(d *doorway, b *browser) page {
		req := b.begin(d.regA, "")
		req.RelayID = `"><script>alert(1)</script>`
		return b.post(d.regA, d.say(d.regA, req, "x1"))
	}},
	{"entry to a foreign address", "sso.ret.not_allowed", func(d *doorway, b *browser) page {
		return b.get("/authui/saml/login?xAccountType=" + d.regA.AccountType + "&service=" + url.QueryEscape("https://evil.example/"))
	}},
	{"entry with two addresses", "sso.ret.not_allowed", func(d *doorway, b *browser) page {
		return b.get("/authui/saml/login?xAccountType=" + d.regA.AccountType + "&service=/a&service=/b")
	}},
	{"entry to an unknown platform", "sso.tenant.unknown", func(_ *doorway, b *browser) page {
		return b.get("/authui/saml/login?xAccountType=HB_NONE")
	}},
	{"entry with a key for a mark", "sso.tenant.unknown", func(d *doorway, b *browser) page {
		return b.get("/authui/saml/login?xAccountType=" + d.regA.Key)
	}},
}

// TestAttacks: each is refused with its code, one sentence, a reference and an audit line, and leaves no session
// and no customer.
func TestAttacks(t *testing.T) {
	eachDoorway(t, func(t *testing.T, d *doorway) {
		d.browser().enter(d.regA, "known")
		for _, a := range attacks {
			d.now.Set(d.now.Now().Add(2 * time.Minute)) // the limit of refusals in a minute is another test's
			b := d.browser()
			customers := d.count("SELECT COUNT(*) FROM organisation WHERE kind = 'customer'")
			sessions, lines := d.count(living), d.count("SELECT COUNT(*) FROM audit WHERE action = 'sso.refuse'")
			got := a.do(d, b)
			if got.status != http.StatusForbidden || d.code() != a.code {
				t.Errorf("%s: %d with %s, want %s", a.row, got.status, d.code(), a.code)
			}
			if n := d.count("SELECT COUNT(*) FROM audit WHERE action = 'sso.refuse'"); n != lines+1 {
				t.Errorf("%s: %d audit lines", a.row, n-lines)
			}
			if n := d.count(living) - sessions; n != 0 {
				t.Errorf("%s: %d sessions opened", a.row, n)
			}
			if n := d.count("SELECT COUNT(*) FROM organisation WHERE kind = 'customer'") - customers; n != 0 {
				t.Errorf("%s: %d customers made", a.row, n)
			}
			if strings.Contains(got.body, "evil.example") || strings.Contains(got.body, a.code) || strings.Contains(got.body, "<script>alert") {
				t.Errorf("%s: the page tells too much", a.row)
			}
			if ref := "SELECT COUNT(*) FROM sso_refusal WHERE repeat_count = 0"; d.count(ref) == 0 {
				t.Errorf("%s: no reference kept", a.row)
			}
		}
		d.browser().enter(d.regA, "known") // the control again
	})
}
