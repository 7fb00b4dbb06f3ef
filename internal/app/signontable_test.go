package app

import (
	"encoding/base64"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/beevik/etree"

	"huoban/internal/sso"
	"huoban/internal/sso/samltest"
	"huoban/internal/store"
)

// world is where the attacks of samltest happen: the two partners of a doorway, and its database.
func (d *doorway) world() *samltest.World {
	w := &samltest.World{Now: d.now.Now(), A: d.idp[d.regA.ID], B: d.idp[d.regB.ID], RegA: d.regA, RegB: d.regB}
	w.Open = func(r sso.Request) {
		d.t.Helper()
		var consumed any
		if !r.ConsumedAt.IsZero() {
			consumed = store.At(r.ConsumedAt)
		}
		_, err := d.a.DB.Writer().ExecContext(d.ctx(), `INSERT INTO sso_request (request_id, idp_id, relay_id, browser_hash, purpose, path, query, first_login, force_authn, created_at, expires_at, consumed_at)
VALUES ($1, $2, $3, $4, $5, '', '', false, $6, $7, $8, $9)
ON CONFLICT (request_id) DO UPDATE SET idp_id = $2, purpose = $5, force_authn = $6, expires_at = $8, consumed_at = $9`,
			r.ID, r.IdPID, r.RelayID, r.BrowserHash, string(r.Purpose), r.ForceAuthn, store.At(r.CreatedAt), store.At(r.ExpiresAt), consumed)
		if err != nil {
			d.t.Fatal(err)
		}
	}
	return w
}

// send posts what an attack made to the ACS it was made for, as another site's page does.
func (d *doorway) send(replica int, reg sso.Registration, post sso.Post) page {
	t := d.t
	t.Helper()
	query := post.RawQuery
	if query == "hop=1" { // the mark of our own page stands in the form
		post.Form.Set("hop", "1")
		query = ""
	}
	body := post.Form.Encode()
	if post.TooLarge {
		body += "&more=" + strings.Repeat("x", 300<<10)
	}
	req, err := http.NewRequestWithContext(t.Context(), post.Method, d.srv[replica].URL+"/saml/sp/"+reg.Key+"/acs?"+query, strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	req.Header.Set("Content-Type", post.ContentType)
	req.Header.Set("Sec-Fetch-Site", "cross-site")
	if post.Host != "" {
		req.Host = post.Host
	}
	if post.Browser != "" {
		req.AddCookie(&http.Cookie{Name: "__Host-sso", Value: post.Browser})
	}
	client := &http.Client{CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
	res, err := client.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer res.Body.Close()
	text, err := io.ReadAll(res.Body)
	if err != nil {
		t.Fatal(err)
	}
	return page{res.StatusCode, res.Header, string(text)}
}

// traces are what an attack might leave behind.
type traces struct{ sessions, customers, consumed, seen, audited int }

func (d *doorway) traces() traces {
	return traces{d.count(living), d.count("SELECT COUNT(*) FROM organisation WHERE kind = 'customer'"), d.count("SELECT COUNT(*) FROM sso_request WHERE consumed_at IS NOT NULL"),
		d.count("SELECT COUNT(*) FROM sso_seen"), d.count("SELECT COUNT(*) FROM audit WHERE action = 'sso.refuse'")}
}

// TestAttackTable sends every attack of the table over HTTP, to the replicas in turn: refused with its code by the
// same status and sentence as any other, one audit line, no session, no customer, the request still open and no
// message spent. Each control between them is accepted.
func TestAttackTable(t *testing.T) {
	eachDoorway(t, func(t *testing.T, d *doorway) {
		first, ran := d.now.Now(), 0
		began := first
		for i, row := range samltest.Attacks() {
			at := began.Add(time.Duration(i) * 5 * time.Minute) // the limit of refusals in a minute is another test's
			if at.Sub(first) > 40*time.Hour {
				d.t.Fatal("the table takes longer than the platforms' certificates shall")
			}
			d.now.Set(at)
			d.reg.change(d.regA.ID, func(r *sso.Registration) { *r = d.regA })
			w := d.world()
			reg, post := row.Build(w)
			d.reg.change(d.regA.ID, func(r *sso.Registration) { *r = reg })
			d.now.Set(at.Add(row.After))
			began = began.Add(max(row.After, 0)) // it does not go back
			name := fmt.Sprintf("%03d %s %s", i, row.No, row.Name)
			before := d.traces()
			got := d.send(i%2, d.regA, post)
			after := d.traces()
			ran++
			if post.Method != http.MethodPost {
				if got.status != http.StatusNotFound || after != before { // no such route: nothing comes to the checks
					t.Errorf("%s: %d, left %+v", name, got.status, after)
				}
				continue
			}
			if row.Code == "" {
				tests := reg.State == sso.StateDraft // whose answer leads to the page of its test
				if got.status != http.StatusSeeOther || !tests && !strings.HasPrefix(got.to(), "/saml/arrive/") {
					t.Errorf("%s: a control is answered %d, %s", name, got.status, d.code())
				}
				continue
			}
			if got.status != http.StatusForbidden || d.code() != row.Code {
				t.Errorf("%s: %d with %s, want %s", name, got.status, d.code(), row.Code)
			}
			before.audited++
			if after != before {
				t.Errorf("%s: it left %+v, want %+v", name, after, before)
			}
			if strings.Contains(got.body, row.Code) || strings.Contains(got.body, "evil.example") || strings.Contains(got.body, "<script>alert") || len(got.header.Values("Set-Cookie")) > 0 {
				t.Errorf("%s: the answer tells or gives too much", name)
			}
		}
		if ran < 300 {
			t.Errorf("only %d rows ran", ran)
		}
	})
}

// TestReplayUnsolicited: of ten equal answers nobody asked for, and of ten new envelopes around the same signed
// assertion, at two replicas at once, exactly one is taken (rows 95, 96 and 98).
func TestReplayUnsolicited(t *testing.T) {
	eachDoorway(t, func(t *testing.T, d *doorway) {
		d.reg.change(d.regA.ID, func(r *sso.Registration) { r.AllowIdPInitiated = true })
		d.browser().enter(d.regA, "x1")
		for _, c := range []struct {
			name  string
			again func(form url.Values) url.Values
		}{
			{"the same bytes", func(form url.Values) url.Values { return form }},
			{"a new Response around the assertion", func(form url.Values) url.Values { return rewrap(t, form) }},
		} {
			d.now.Set(d.now.Now().Add(2 * time.Minute))
			form := d.say(d.regA, sso.Request{}, "x1").Form()
			const many = 10
			results := make(chan int, many)
			for i := range many {
				b, f := d.browser(), c.again(form)
				b.replica = i % 2
				go func() { results <- b.ask(http.MethodPost, "/saml/sp/"+d.regA.Key+"/acs", f, true).status }()
			}
			seen := map[int]int{}
			for range many {
				seen[<-results]++
			}
			if seen[http.StatusSeeOther] != 1 || seen[http.StatusForbidden] != many-1 || d.code() != sso.CodeReplayAssertion {
				t.Errorf("%s: %v, %s", c.name, seen, d.code())
			}
		}
	})
}

// rewrap puts the signed assertion of an answer into a Response with another ID.
func rewrap(t *testing.T, form url.Values) url.Values {
	t.Helper()
	raw, err := base64.StdEncoding.DecodeString(form.Get("SAMLResponse"))
	if err != nil {
		t.Fatal(err)
	}
	doc := etree.NewDocument()
	if err := doc.ReadFromBytes(raw); err != nil {
		t.Fatal(err)
	}
	doc.Root().CreateAttr("ID", sso.NewMessageID())
	if raw, err = doc.WriteToBytes(); err != nil {
		t.Fatal(err)
	}
	return url.Values{"SAMLResponse": {base64.StdEncoding.EncodeToString(raw)}}
}
