package app

import (
	"context"
	"crypto/rsa"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"huoban/internal/account"
	"huoban/internal/clock"
	"huoban/internal/fault"
	"huoban/internal/organisation"
	"huoban/internal/scope"
	"huoban/internal/sso"
	"huoban/internal/sso/metadata"
	"huoban/internal/sso/registry"
	"huoban/internal/sso/samltest"
	"huoban/internal/store"
	"huoban/internal/store/storetest"
)

// published is a platform's address: what it gives now, or why not.
type published struct {
	body  []byte
	err   error
	asked int
}

func (p *published) Fetch(context.Context, string, string) ([]byte, string, error) {
	p.asked++
	return p.body, "", p.err
}

// hall is a portal with two partners and an operator.
type hall struct {
	*App
	t        *testing.T
	now      *clock.Fixed
	at       *published
	told     []string
	op       scope.Scope
	one, two organisation.Organisation
}

func eachHall(t *testing.T, run func(t *testing.T, p *hall)) {
	for _, engine := range []store.Engine{store.SQLite, store.Postgres} {
		t.Run(string(engine), func(t *testing.T) {
			target := ""
			if engine == store.Postgres {
				target = storetest.PostgresURL(t)
			}
			p := &hall{t: t, now: clock.At(jumpDay), at: &published{}, op: scope.System("operator")}
			a, err := Open(t.Context(), Settings{Addr: "127.0.0.1:0", BaseURL: "https://portal.example", Data: t.TempDir(), DB: target}, Options{Clock: p.now})
			if err != nil {
				t.Fatal(err)
			}
			t.Cleanup(func() { a.Close() })
			p.App, a.Platforms.Fetch = a, p.at
			made := 0
			a.Platforms.NewKey = func() (*rsa.PrivateKey, error) { made++; return samltest.Key(fmt.Sprint("ours", made)), nil }
			tell := a.Platforms.Told
			a.Platforms.Told = func(ctx context.Context, n registry.News) error {
				p.told = append(p.told, n.Code)
				return tell(ctx, n)
			}
			p.add(organisation.AddInput{Code: "V1", Kind: organisation.KindVendor, Name: "Vendor"})
			p.one = p.add(organisation.AddInput{Code: "P1", Kind: organisation.KindSolution, Name: "One", ParentCode: "V1"})
			p.two = p.add(organisation.AddInput{Code: "P2", Kind: organisation.KindSolution, Name: "Two", ParentCode: "V1"})
			run(t, p)
		})
	}
}

func (p *hall) add(in organisation.AddInput) organisation.Organisation {
	p.t.Helper()
	res, err := p.Organisations.Add(p.t.Context(), p.op, in)
	if err != nil {
		p.t.Fatal(err)
	}
	return res.Organisation
}

func (p *hall) register(org organisation.Organisation, in registry.AddInput) registry.Platform {
	p.t.Helper()
	in.PartnerID = org.ID
	done, err := p.Platforms.Add(p.t.Context(), p.op, in)
	if err != nil {
		p.t.Fatal(err)
	}
	return done.Platform
}

func admin(org organisation.Organisation) scope.Scope {
	return scope.Partner(org.ID, "person-"+org.Code, "admin-"+org.Code, []scope.Item{scope.ItemAccessConfigView, scope.ItemAccessConfigChange}, nil)
}

// idpDocument is a platform's metadata with these certificates.
func idpDocument(name string, certs ...*samltest.IdP) []byte {
	first := string(certs[0].Metadata())
	for _, c := range certs[1:] {
		text := string(c.Metadata())
		i, j := strings.Index(text, "<md:KeyDescriptor"), strings.Index(text, "</md:KeyDescriptor>")+len("</md:KeyDescriptor>")
		first = strings.Replace(first, "<md:KeyDescriptor", text[i:j]+"<md:KeyDescriptor", 1)
	}
	return []byte(strings.ReplaceAll(first, certs[0].EntityID, "https://"+name+".example/idp"))
}

// TestAPartnerSeesItsOwnPlatformAlone: rows 109 and 112.
func TestAPartnerSeesItsOwnPlatformAlone(t *testing.T) {
	eachHall(t, func(t *testing.T, p *hall) {
		ctx, idp := t.Context(), samltest.NewIdP("one", jumpDay)
		one := p.register(p.one, registry.AddInput{Metadata: idp.Metadata(), AccountType: "HB_ONE", Activate: true})
		for _, in := range []registry.AddInput{{Metadata: idp.Metadata()}, {Metadata: idp.Metadata(), DryRun: true}} {
			in.PartnerID = p.two.ID
			if _, err := p.Platforms.Add(ctx, admin(p.two), in); !fault.HasCode(err, "sso.md.entity_taken") || strings.Contains(err.Error(), "P1") {
				t.Errorf("the entity of another partner: %v", err)
			}
		}
		_, err := p.DB.Writer().ExecContext(ctx, `INSERT INTO sso_refusal (id, ref, at, last_at, side, route, peer_id, partner_id, code, step, facts, issuer_seen, request_id, ip, user_agent, repeat_count)
VALUES ('r1', 'ABCDEFGHIJ', $1, $1, 'sp', 'acs', $2, $3, 'sso.sig.key', 'verifyWithAny', '{}', 'x', 'y', '192.0.2.1', 'z', 3)`, jumpDay.Format("2006-01-02T15:04:05.000000Z"), one.ID, p.one.ID)
		if err != nil {
			t.Fatal(err)
		}
		for who, want := range map[string]scope.Scope{"": admin(p.one), "sso.reg.unknown": admin(p.two)} {
			ctx := scope.With(ctx, want)
			_, found := p.Platforms.Find(ctx, want, one.ID)
			list, listed := p.Platforms.Refusals(ctx, want, one.Key, 20)
			_, ref := p.Platforms.Refusal(ctx, want, "ABCDEFGHIJ")
			_, changed := p.Platforms.SetMapping(ctx, want, one.ID, map[string]string{"name": "displayName"})
			_, keys := p.Platforms.KeyStatus(ctx, want, one.ID)
			if who == "" {
				if found != nil || listed != nil || ref != nil || changed != nil || keys != nil || len(list) != 1 || list[0].Repeats != 3 {
					t.Errorf("its own: %v %v %v %v %v %v", found, listed, ref, changed, keys, list)
				}
				continue
			}
			if !fault.HasCode(found, who) || !fault.HasCode(listed, who) || !fault.HasCode(ref, "sso.refusal_unknown") || !fault.HasCode(changed, who) || !fault.HasCode(keys, who) {
				t.Errorf("another's: %v %v %v %v %v", found, listed, ref, changed, keys)
			}
		}
		viewer := scope.Partner(p.one.ID, "v", "v", []scope.Item{scope.ItemAccessConfigView}, nil)
		if _, err := p.Platforms.Do(ctx, viewer, one.ID, registry.ActionDisable, "why", true); !fault.HasCode(err, "scope.permission_missing") {
			t.Errorf("who only looks: %v", err)
		}
	})
}

// TestRefresh plays what a platform's address may come to give (row 143).
func TestRefresh(t *testing.T) {
	eachHall(t, func(t *testing.T, p *hall) {
		ctx := t.Context()
		a, b, c := samltest.NewIdP("a", jumpDay), samltest.NewIdP("b", jumpDay), samltest.NewIdP("c", jumpDay)
		b.SSO, b.SLO, c.SSO, c.SLO = a.SSO, a.SLO, a.SSO, a.SLO
		p.at.body = idpDocument("idp", a)
		x := p.register(p.one, registry.AddInput{URL: "https://idp.example/metadata", Activate: true})
		current := func() (out []string) {
			reg, ok, err := p.Platforms.Registration(ctx, x.Key)
			if err != nil || !ok {
				t.Fatal(ok, err)
			}
			for _, c := range reg.Certs {
				if c.State == sso.CertStateCurrent {
					out = append(out, c.Fingerprint)
				}
			}
			slices.Sort(out)
			return out
		}
		of := func(list ...*samltest.IdP) (out []string) {
			for _, i := range list {
				out = append(out, sso.Fingerprint(i.CertDER))
			}
			slices.Sort(out)
			return out
		}
		step := func(what string, body []byte, err error, effect metadata.Effect, want []string) registry.Taken {
			t.Helper()
			p.at.body, p.at.err = body, err
			taken, failed := p.Platforms.Refresh(ctx, p.op, x.Key)
			if taken.Verdict.Effect != effect || (failed != nil) != (err != nil) || !slices.Equal(current(), want) {
				t.Errorf("%s: %+v %v, certificates %v, want %v", what, taken.Verdict, failed, current(), want)
			}
			return taken
		}
		step("the same", idpDocument("idp", a), nil, metadata.EffectNothing, of(a))
		step("one added", idpDocument("idp", a, b), nil, metadata.EffectApply, of(a, b))
		step("one removed", idpDocument("idp", b), nil, metadata.EffectApply, of(b))
		step("other entity", idpDocument("evil", b), nil, metadata.EffectRefuse, of(b))
		step("unreachable", nil, fault.Invalid("sso.md.fetch", fault.Args{"why": "timeout"}), "", of(b))
		jump := step("all new", idpDocument("idp", c), nil, metadata.EffectPending, of(b))
		step("all new again", idpDocument("idp", c), nil, metadata.EffectPending, of(b))
		if want := []string{"sso_metadata_apply", "sso_metadata_apply", "sso_metadata_refuse", "sso_metadata_failing", "sso_metadata_pending"}; !slices.Equal(p.told, want) {
			t.Errorf("told %v, want %v", p.told, want)
		}
		if _, err := p.Platforms.Confirm(ctx, admin(p.two), x.Key, jump.Document); !fault.HasCode(err, "sso.reg.unknown") {
			t.Errorf("another partner confirms: %v", err)
		}
		if _, err := p.Platforms.Confirm(ctx, admin(p.one), x.Key, jump.Document); err != nil || !slices.Equal(current(), of(c)) {
			t.Errorf("confirmed: %v, %v", current(), err)
		}
		if _, err := p.Platforms.Confirm(ctx, admin(p.one), x.Key, jump.Document); !fault.HasCode(err, "sso.md.not_pending") {
			t.Errorf("confirmed twice: %v", err)
		}
		p.at.asked = 0
		for _, after := range []time.Duration{0, 50 * time.Minute, 27 * time.Hour, 27*time.Hour + time.Minute} {
			p.now.Set(jumpDay.Add(after))
			if _, err := p.Platforms.RefreshDue(ctx); err != nil {
				t.Fatal(err)
			}
		}
		if p.at.asked != 1 {
			t.Errorf("fetched %d times in a day", p.at.asked)
		}
	})
}

// TestRollover: three phases by themselves; a registration never is without a key, and what it publishes holds the
// key that will sign for a week before it does.
func TestRollover(t *testing.T) {
	eachHall(t, func(t *testing.T, p *hall) {
		ctx := t.Context()
		x := p.register(p.one, registry.AddInput{Metadata: samltest.NewIdP("one", jumpDay).Metadata(), Activate: true})
		var seen []string
		for day := 3*365 - 62; day <= 3*365-62+20; day++ {
			p.now.Set(jumpDay.Add(time.Duration(day) * 24 * time.Hour))
			if _, err := p.Platforms.Roll(ctx); err != nil {
				t.Fatal(err)
			}
			reg, _, err := p.Platforms.Registration(ctx, x.Key)
			if err != nil {
				t.Fatal(err)
			}
			var states []string
			for _, k := range reg.Keys {
				if k.Use == sso.KeyUseSign {
					states = append(states, string(k.State))
				}
			}
			slices.Sort(states)
			if now := strings.Join(states, "+"); len(seen) == 0 || seen[len(seen)-1] != now {
				seen = append(seen, now)
			}
		}
		if want := []string{"current", "current+next", "current+retiring", "current"}; !slices.Equal(seen, want) {
			t.Errorf("%v, want %v", seen, want)
		}
		var plain int
		row := p.DB.Writer().QueryRowContext(ctx, "SELECT count(*) FROM sso_key WHERE state = 'current'")
		if err := row.Scan(&plain); err != nil || plain != 2 {
			t.Errorf("%d current keys: %v", plain, err)
		}
	})
}

// TestCertificateWarnings: the administrators of the partner are told, each time once, on whatever replica.
func TestCertificateWarnings(t *testing.T) {
	eachHall(t, func(t *testing.T, p *hall) {
		ctx := t.Context()
		person, err := p.Accounts.AddPerson(ctx, p.op, account.AddPersonInput{OrgCode: p.one.Code, Login: "lin", Name: "Lin", Password: "Huoban-test-2026", Roles: []string{account.RoleAdmin}})
		if err != nil {
			t.Fatal(err)
		}
		idp := samltest.NewIdP("one", jumpDay)
		p.register(p.one, registry.AddInput{Metadata: idp.Metadata(), Activate: true})
		end := jumpDay.AddDate(0, 6, 0)
		told := 0
		for _, days := range []int{61, 60, 59, 31, 30, 8, 7, 3, 1, 1} {
			p.now.Set(end.Add(-time.Duration(days)*24*time.Hour - time.Minute))
			n, err := p.Platforms.Warn(ctx)
			if err != nil {
				t.Fatal(err)
			}
			told += n
		}
		if told != 6 {
			t.Errorf("told %d times, want 6", told)
		}
		n, err := p.Messages.Unread(ctx, scope.Partner(p.one.ID, person.Person.ID, "lin", nil, nil))
		if err != nil || n != 6 {
			t.Errorf("%d messages: %v", n, err)
		}
	})
}
