package app

import (
	"context"
	"fmt"
	"sync"
	"testing"
	"time"

	"huoban/internal/account"
	"huoban/internal/audit"
	"huoban/internal/clock"
	"huoban/internal/customer"
	"huoban/internal/fault"
	"huoban/internal/id"
	"huoban/internal/organisation"
	"huoban/internal/scope"
	"huoban/internal/signon"
	"huoban/internal/sso"
	"huoban/internal/store"
	"huoban/internal/store/storetest"
)

// jump is two replicas over one database, a vendor, and two partners with a platform each.
type jump struct {
	t        *testing.T
	a, b     *App
	now      *clock.Fixed
	one, two signon.Peer
	n        int
}

var jumpDay = time.Date(2026, 7, 8, 2, 0, 0, 0, time.UTC)

// eachJump runs on both engines. On SQLite the second replica is the same program: one file, one server.
func eachJump(t *testing.T, run func(t *testing.T, j *jump)) {
	t.Helper()
	for _, engine := range []store.Engine{store.SQLite, store.Postgres} {
		t.Run(string(engine), func(t *testing.T) {
			target := ""
			if engine == store.Postgres {
				target = storetest.PostgresURL(t)
			}
			j := &jump{t: t, now: clock.At(jumpDay)}
			data := t.TempDir()
			j.a = j.open(data, target)
			j.b = j.a
			if engine == store.Postgres {
				j.b = j.open(data, target)
			}
			j.one, j.two = j.platform("P001", "HB_ONE"), j.platform("P002", "HB_TWO")
			run(t, j)
		})
	}
}

func (j *jump) ctx() context.Context {
	return audit.WithRequest(j.t.Context(), audit.Request{IP: "198.51.100.7"})
}

func (j *jump) open(data, target string) *App {
	j.t.Helper()
	a, err := Open(j.ctx(), Settings{Addr: "127.0.0.1:0", BaseURL: "http://localhost", Data: data, DB: target}, Options{Clock: j.now})
	if err != nil {
		j.t.Fatal(err)
	}
	j.t.Cleanup(func() { a.Close() })
	return a
}

func (j *jump) platform(code, mark string) signon.Peer {
	j.t.Helper()
	op := scope.System("operator")
	_, err := j.a.Organisations.Add(j.ctx(), op, organisation.AddInput{Code: "V1", Kind: organisation.KindVendor, Name: "Vendor"})
	var res organisation.AddResult
	if err == nil {
		res, err = j.a.Organisations.Add(j.ctx(), op, organisation.AddInput{Code: code, Kind: organisation.KindSolution, Name: "Partner " + code, ParentCode: "V1"})
	}
	if err != nil {
		j.t.Fatal(err)
	}
	p := signon.Peer{ID: id.New(), Key: mark, Partner: res.Organisation, AccountType: mark, FirstEntry: sso.FirstEntryCreate}
	_, err = j.a.DB.Writer().ExecContext(j.ctx(), `INSERT INTO sso_idp (id, version, partner_id, sp_key, sp_entity_id, acs_urls, account_type, name, state, idp_entity_id,
sso_url, sso_binding, slo_url, slo_response_url, slo_binding, metadata_source, metadata_url, sign_requests, want_response_signed, want_encrypted,
allow_idp_initiated, first_entry, authn_context_min, max_authn_age_s, skew_s, mapping, notify_url, shared_entity_ok, created_by, created_at, updated_at)
VALUES ($1, 1, $2, $3, $3, '[]', $3, $3, 'active', $3, '', '', '', '', '', '', '', true, false, false, false, 'create', '', 0, 60, '{}', '', false, 'operator', $4, $4)`,
		p.ID, p.Partner.ID, mark, jumpDay.Format("2006-01-02T15:04:05.000000Z"))
	if err != nil {
		j.t.Fatal(err)
	}
	return p
}

// answer is an answer of the platform to a request that was begun in the browser.
func (j *jump) answer(p signon.Peer, xAccount string) signon.AcceptInput {
	j.t.Helper()
	r, err := j.a.SignOn.Begin(j.ctx(), signon.BeginInput{Peer: p, Browser: []byte("browser"), Purpose: sso.PurposeSignIn})
	if err != nil {
		j.t.Fatal(err)
	}
	j.n++
	until := j.now.Now().Add(time.Hour)
	return signon.AcceptInput{Peer: p, Request: &r, Browser: r.BrowserHash, IP: "198.51.100.7", Agent: "test",
		Asserted: signon.Asserted{XAccountID: xAccount, XUserID: xAccount, Name: "星河科技", NameID: "n-" + xAccount, SessionIndex: fmt.Sprint("i", j.n),
			AuthnAt: j.now.Now(), AssertionID: fmt.Sprint("a", j.n)},
		Messages: []signon.Seen{{Scope: p.ID, Kind: "assertion", ID: fmt.Sprint("a", j.n), Until: until}, {Scope: p.ID, Kind: "response", ID: fmt.Sprint("r", j.n), Until: until}}}
}

func (j *jump) count(query string, args ...any) (n int) {
	j.t.Helper()
	if err := j.a.DB.Writer().QueryRowContext(j.ctx(), query, args...).Scan(&n); err != nil {
		j.t.Fatal(err)
	}
	return n
}

func (j *jump) accept(a *App, in signon.AcceptInput) signon.Accepted {
	j.t.Helper()
	out, err := a.SignOn.Accept(j.ctx(), in)
	if err != nil {
		j.t.Fatal(err)
	}
	return out
}

// create lets a customer in who comes for the first time.
func (j *jump) create(p signon.Peer, xAccount string) signon.Entered {
	j.t.Helper()
	in := j.answer(p, xAccount)
	t := j.ticket(j.accept(j.a, in).Ticket)
	if t.State != signon.TicketNew {
		j.t.Fatalf("a first entry has a ticket in state %s", t.State)
	}
	e, err := j.a.SignOn.Create(j.ctx(), signon.EnterInput{Peer: p, Ticket: t, Consent: true})
	if err != nil {
		j.t.Fatal(err)
	}
	return e
}

func (j *jump) ticket(text string) signon.Ticket {
	j.t.Helper()
	t, err := j.a.SignOn.Ticket(j.ctx(), text, []byte("browser"))
	if err != nil {
		j.t.Fatal(err)
	}
	return t
}

func (j *jump) refused(err error, code string) {
	j.t.Helper()
	if !fault.HasCode(err, code) {
		j.t.Errorf("refused with %v, want %s", err, code)
	}
}

const living = "SELECT COUNT(*) FROM session WHERE revoked_at IS NULL AND person_id <> ''"

// TestJumpFirstEntry: nothing is made before the customer agrees; then organisation, person, association and
// link stand, and the next time leads straight in.
func TestJumpFirstEntry(t *testing.T) {
	eachJump(t, func(t *testing.T, j *jump) {
		in := j.answer(j.one, "x1")
		first := j.ticket(j.accept(j.a, in).Ticket)
		if n := j.count("SELECT COUNT(*) FROM organisation WHERE kind = 'customer'") + j.count(living); n != 0 {
			t.Errorf("%d customers and sessions before consent", n)
		}
		if _, err := j.a.SignOn.Ticket(j.ctx(), "another", []byte("browser")); !fault.HasCode(err, "sso.ticket.unknown") {
			t.Errorf("an unknown ticket: %v", err)
		}
		_, err := j.a.SignOn.Create(j.ctx(), signon.EnterInput{Peer: j.one, Ticket: first})
		j.refused(err, "sso.link.consent")
		off := j.one
		off.FirstEntry = sso.FirstEntryBindOnly
		_, err = j.a.SignOn.Create(j.ctx(), signon.EnterInput{Peer: off, Ticket: first, Consent: true})
		j.refused(err, "sso.link.not_bound")
		e, err := j.a.SignOn.Create(j.ctx(), signon.EnterInput{Peer: j.one, Ticket: first, Consent: true})
		if err != nil {
			t.Fatal(err)
		}
		list, err := j.a.Customers.Of(j.ctx(), e.Person.OrgID)
		if err != nil || len(list) != 1 || list[0].PartnerID != j.one.Partner.ID || list[0].Kind != customer.KindResale || !list[0].InForce(j.now.Now()) {
			t.Errorf("associations %+v, %v", list, err)
		}
		if e.Person.Name != "星河科技" || j.count(living) != 1 {
			t.Errorf("person %+v, sessions %d", e.Person, j.count(living))
		}
		if _, err := j.a.SignOn.Create(j.ctx(), signon.EnterInput{Peer: j.one, Ticket: first, Consent: true}); !fault.HasCode(err, "sso.ticket.unknown") {
			t.Errorf("the ticket again: %v", err)
		}
		again := j.accept(j.b, j.answer(j.one, "x1"))
		if again.Token == "" || j.ticket(again.Ticket).PersonID != e.Person.ID {
			t.Error("the second time does not lead in as the same person")
		}
		if _, err := j.a.Accounts.SignIn(j.ctx(), account.SignInInput{Login: e.Person.Login, Password: ""}); err == nil {
			t.Error("a person without password signs in with an empty one")
		}
	})
}

// TestJumpReplay: one answer, one session, whatever replica and however many at once.
func TestJumpReplay(t *testing.T) {
	eachJump(t, func(t *testing.T, j *jump) {
		j.create(j.one, "x1")
		in := j.answer(j.one, "x1")
		j.accept(j.a, in)
		before := j.count(living)
		_, err := j.b.SignOn.Accept(j.ctx(), in)
		j.refused(err, "sso.req.used")
		unasked := in
		unasked.Request = nil
		_, err = j.b.SignOn.Accept(j.ctx(), unasked)
		j.refused(err, "sso.replay.assertion")
		other := j.answer(j.one, "x1")
		other.Messages = in.Messages
		_, err = j.b.SignOn.Accept(j.ctx(), other)
		j.refused(err, "sso.replay.assertion")
		if r, ok, err := j.a.SignOn.RequestByID(j.ctx(), other.Request.ID); err != nil || !ok || !r.ConsumedAt.IsZero() {
			t.Errorf("a refused answer consumed its request: %+v %v", r, err)
		}
		if n := j.count(living); n != before {
			t.Errorf("%d sessions after replays, %d before", n, before)
		}
		for _, many := range []int{10, 50} {
			j.atOnce(j.answer(j.one, "x1"), many)
		}
	})
}

// atOnce brings one answer many times, to both replicas by turns: one is taken.
func (j *jump) atOnce(in signon.AcceptInput, many int) {
	j.t.Helper()
	before := j.count(living)
	var wg sync.WaitGroup
	errs := make([]error, many)
	for i := range many {
		a := []*App{j.a, j.b}[i%2]
		wg.Go(func() { _, errs[i] = a.SignOn.Accept(j.ctx(), in) })
	}
	wg.Wait()
	taken := 0
	for _, err := range errs {
		switch {
		case err == nil:
			taken++
		case !fault.HasCode(err, "sso.req.used") && !fault.HasCode(err, "store.busy"):
			j.t.Errorf("one of %d: %v", many, err)
		}
	}
	if n := j.count(living) - before; taken != 1 || n != 1 {
		j.t.Errorf("%d at once: %d taken, %d sessions", many, taken, n)
	}
}

// TestJumpTwoFirstEntries: two windows create the same customer at once: there is one.
func TestJumpTwoFirstEntries(t *testing.T) {
	eachJump(t, func(t *testing.T, j *jump) {
		var tickets []signon.Ticket
		for range 4 {
			tickets = append(tickets, j.ticket(j.accept(j.a, j.answer(j.one, "x1")).Ticket))
		}
		var wg sync.WaitGroup
		people := make([]string, len(tickets))
		for i, ticket := range tickets {
			a := []*App{j.a, j.b}[i%2]
			wg.Go(func() {
				for {
					e, err := a.SignOn.Create(j.ctx(), signon.EnterInput{Peer: j.one, Ticket: ticket, Consent: true})
					if fault.HasCode(err, "store.busy") {
						continue
					}
					if err != nil {
						t.Errorf("window %d: %v", i, err)
					}
					people[i] = e.Person.ID
					return
				}
			})
		}
		wg.Wait()
		for _, p := range people {
			if p != people[0] {
				t.Errorf("persons %v", people)
			}
		}
		if n := j.count("SELECT COUNT(*) FROM organisation WHERE kind = 'customer'"); n != 1 {
			t.Errorf("%d customers", n)
		}
	})
}

// TestJumpTenants: a platform reaches the customers of its own partner, by the account alone.
func TestJumpTenants(t *testing.T) {
	eachJump(t, func(t *testing.T, j *jump) {
		one, two := j.create(j.one, "same"), j.create(j.two, "same")
		if one.Person.OrgID == two.Person.OrgID {
			t.Fatal("one customer for the same account at two partners")
		}
		if j.create(j.one, "SAME").Person.OrgID == one.Person.OrgID {
			t.Error("another case is the same account")
		}
		forged := j.answer(j.one, "other")
		forged.Asserted.NameID, forged.Asserted.Email, forged.Asserted.Name = "n-same", "n@example.com", "星河科技"
		if got := j.ticket(j.accept(j.a, forged).Ticket); got.State != signon.TicketNew {
			t.Errorf("the same name leads to ticket %s of %s", got.State, got.CustomerID)
		}
		// a second person of the account looks only
		in := j.answer(j.one, "same")
		in.Asserted.XUserID = "colleague"
		got := j.ticket(j.accept(j.a, in).Ticket)
		if got.CustomerID != one.Person.OrgID || got.PersonID == one.Person.ID {
			t.Errorf("a colleague: %+v", got)
		}
		p, err := j.a.Accounts.PersonByID(j.ctx(), got.PersonID)
		if err != nil {
			t.Fatal(err)
		}
		sc, err := j.a.Accounts.ScopeOf(j.ctx(), p, p.OrgID)
		if err != nil || sc.Has(scope.ItemAssociationChange) || !sc.Has(scope.ItemExpenditureView) {
			t.Errorf("a colleague may: %v, %v", sc, err)
		}
		// an account of the other partner's customer is not linked, after proof either
		ticket := j.ticket(j.accept(j.a, j.answer(j.two, "mine")).Ticket)
		_, err = j.a.SignOn.Bind(j.ctx(), signon.EnterInput{Peer: j.two, Ticket: ticket, Consent: true}, one.Person)
		j.refused(err, "sso.link.other_partner")
		_, err = j.a.SignOn.Bind(j.ctx(), signon.EnterInput{Peer: j.one, Ticket: ticket, Consent: true}, p)
		j.refused(err, "sso.link.blocked")
	})
}

// TestJumpMoved: a customer that its partner has no longer is refused, its links and sessions are over, and
// what was said of it before does not come back with another partner.
func TestJumpMoved(t *testing.T) {
	eachJump(t, func(t *testing.T, j *jump) {
		e := j.create(j.one, "x1")
		list, err := j.a.Customers.Of(j.ctx(), e.Person.OrgID)
		if err != nil {
			t.Fatal(err)
		}
		j.now.Set(j.now.Now().Add(time.Hour))
		if _, err := j.a.Customers.End(j.ctx(), scope.System("operator"), list[0].ID, time.Time{}); err != nil {
			t.Fatal(err)
		}
		if n := j.count(living); n != 0 {
			t.Errorf("%d sessions after the end", n)
		}
		if n := j.count("SELECT COUNT(*) FROM sso_link WHERE state = 'bound'"); n != 0 {
			t.Errorf("%d links after the end", n)
		}
		_, err = j.b.SignOn.Accept(j.ctx(), j.answer(j.one, "x1"))
		j.refused(err, "sso.acct.unlinked")
		op := scope.System("operator")
		if _, err := j.a.Customers.Associate(j.ctx(), op, customer.AssociateInput{CustomerID: e.Person.OrgID, PartnerID: j.one.Partner.ID, Kind: customer.KindResale, From: j.now.Now()}); err != nil {
			t.Fatal(err)
		}
		if got := j.ticket(j.accept(j.b, j.answer(j.one, "x1")).Ticket); got.PersonID != e.Person.ID {
			t.Errorf("back at the partner it is %+v", got)
		}
		if err := j.a.Accounts.Disable(j.ctx(), op, e.Person.Login); err != nil {
			t.Fatal(err)
		}
		_, err = j.b.SignOn.Accept(j.ctx(), j.answer(j.one, "x1"))
		j.refused(err, "sso.acct.suspended")
	})
}

// TestJumpLogout: a platform ends its own sessions of a subject, once per message; a disabled registration ends
// all of its own.
func TestJumpLogout(t *testing.T) {
	eachJump(t, func(t *testing.T, j *jump) {
		j.create(j.one, "x1")
		j.create(j.two, "x1")
		j.accept(j.a, j.answer(j.one, "x1"))
		m := signon.Seen{Scope: j.one.ID, Kind: "logout", ID: "m1", Until: j.now.Now().Add(time.Hour)}
		n, err := j.b.SignOn.EndSubject(j.ctx(), j.one, signon.Asserted{NameID: "n-x1"}, []string{"no such index"}, m)
		if err != nil || n != 0 {
			t.Errorf("a foreign index ends %d, %v", n, err)
		}
		_, err = j.a.SignOn.EndSubject(j.ctx(), j.one, signon.Asserted{NameID: "n-x1"}, nil, m)
		j.refused(err, "sso.slo.replay")
		m.ID = "m2"
		if n, err = j.b.SignOn.EndSubject(j.ctx(), j.one, signon.Asserted{NameID: "n-x1"}, nil, m); err != nil || n != 2 {
			t.Errorf("%d ended, %v", n, err)
		}
		if n := j.count(living); n != 1 {
			t.Errorf("%d sessions left, want the other partner's one", n)
		}
		var entry string
		if err := j.a.DB.Writer().QueryRowContext(j.ctx(), "SELECT id FROM sso_session WHERE ended_at IS NULL").Scan(&entry); err != nil {
			t.Fatal(err)
		}
		if ok, err := j.a.SignOn.Living(j.ctx(), entry); err != nil || !ok {
			t.Errorf("living: %v %v", ok, err)
		}
		if _, err := j.a.DB.Writer().ExecContext(j.ctx(), "UPDATE sso_idp SET state = 'disabled' WHERE id = $1", j.two.ID); err != nil {
			t.Fatal(err)
		}
		if ok, err := j.b.SignOn.Living(j.ctx(), entry); err != nil || ok {
			t.Errorf("living under a disabled registration: %v %v", ok, err)
		}
	})
}

// TestJumpRefusals: a refusal is kept with a reference; the same within a minute counts up; what is old goes.
func TestJumpRefusals(t *testing.T) {
	eachJump(t, func(t *testing.T, j *jump) {
		in := signon.RefuseInput{Route: "saml.acs", Peer: &j.one, Code: "sso.sig.key", Step: "verifyWithAny", Facts: map[string]string{"seen": "x"}, IP: "198.51.100.7"}
		first, err := j.a.SignOn.Refuse(j.ctx(), in)
		if err != nil || len(first) != 10 {
			t.Fatalf("%q, %v", first, err)
		}
		if again, err := j.b.SignOn.Refuse(j.ctx(), in); err != nil || again != first {
			t.Errorf("again %q, %v", again, err)
		}
		in.Peer = &j.two
		if other, err := j.a.SignOn.Refuse(j.ctx(), in); err != nil || other == first {
			t.Errorf("another platform's %q, %v", other, err)
		}
		if n := j.count("SELECT repeat_count FROM sso_refusal WHERE ref = $1", first); n != 1 {
			t.Errorf("repeated %d times", n)
		}
		if n := j.count("SELECT COUNT(*) FROM audit WHERE action = 'sso.refuse' AND org_id = $1", j.one.Partner.ID); n != 1 {
			t.Errorf("%d lines of the audit", n)
		}
		j.answer(j.one, "x1")
		j.now.Set(j.now.Now().Add(26 * time.Hour))
		if n, err := j.a.SignOn.Purge(j.ctx()); err != nil || n != 1 {
			t.Errorf("purged %d, %v", n, err)
		}
		j.now.Set(j.now.Now().Add(180 * 24 * time.Hour))
		if n, err := j.a.SignOn.Purge(j.ctx()); err != nil || n != 2 {
			t.Errorf("purged %d refusals, %v", n, err)
		}
	})
}

// TestNameMoved: a lasting name that comes with another account makes another customer, and its partner is told; a
// passing name, the same account again and another partner's platform say nothing.
func TestNameMoved(t *testing.T) {
	eachJump(t, func(t *testing.T, j *jump) {
		first := j.create(j.one, "x1")
		for _, c := range []struct {
			peer            signon.Peer
			account, format string
			told            int
		}{{j.one, "x2", string(sso.NameIDTransient), 0}, {j.two, "x1", string(sso.NameIDPersistent), 0}, {j.one, "x3", string(sso.NameIDPersistent), 1}} {
			in := j.answer(c.peer, c.account)
			in.Asserted.NameID, in.Asserted.Format = "n-x1", c.format
			e, err := j.b.SignOn.Create(j.ctx(), signon.EnterInput{Peer: c.peer, Ticket: j.ticket(j.accept(j.b, in).Ticket), Consent: true})
			if err != nil || e.Person.OrgID == first.Person.OrgID {
				t.Fatalf("%s: %v, customer %s", c.account, err, e.Person.OrgID)
			}
			if n := j.count("SELECT COUNT(*) FROM audit WHERE action = 'sso.warn.nameid_moved' AND org_id = $1", c.peer.Partner.ID); n != c.told {
				t.Errorf("%s: %d warnings, want %d", c.account, n, c.told)
			}
		}
		j.accept(j.a, j.answer(j.one, "x1"))
		if n := j.count("SELECT COUNT(*) FROM audit WHERE action = 'sso.warn.nameid_moved'"); n != 1 {
			t.Errorf("%d warnings in the end", n)
		}
	})
}
