// Package saml measures goal 7: how many SAML sign-ins the portal takes in a second over HTTP, against bare
// verification of the same answers' signatures by goxmldsig.
//
// A sign-in is a form posted to the real address: every check of the list, both libraries, the request consumed,
// the message stored against replay, the session opened, the audit entry written, on SQLite on disk with every
// commit durable. Each answer is another one, to a request of its own. The client shares the two cores.
package saml

import (
	"context"
	"crypto/rsa"
	"crypto/x509"
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"time"

	"huoban/internal/app"
	"huoban/internal/organisation"
	"huoban/internal/scope"
	"huoban/internal/signon"
	"huoban/internal/sso"
	"huoban/internal/sso/registry"
	"huoban/internal/sso/samltest"
	"huoban/tools/bench/kit"
)

const goalName = "saml"

// Goal is goal 7.
var Goal = kit.Goal{Name: goalName, Numbers: []int{7}, Run: run, Parts: map[string]kit.Part{"signin": signIns}}

// The world: as many platforms as the limit of messages of one in a minute asks for, and their customers.
const (
	platforms = 8
	customers = 16 // of each platform
	base      = "http://localhost"
)

// world is what a process has to know of the database it opens.
type world struct {
	Keys []string // of our entity for each platform
	Key  []byte   // the platforms' private key
	At   time.Time
}

func run(ctx context.Context, e *kit.Env) ([]kit.Figure, error) {
	made := filepath.Join(e.Work, "saml")
	if err := makeWorld(ctx, made); err != nil {
		return nil, err
	}
	both, err := os.Executable()
	if err != nil {
		return nil, err
	}
	one := filepath.Join(e.Work, "bench-onelock")
	build := exec.CommandContext(ctx, "go", "build", "-mod=mod", "-trimpath", "-tags", "onelock", "-o", one, ".")
	build.Dir = filepath.Join(e.Root, "tools", "bench")
	if out, err := build.CombinedOutput(); err != nil {
		return nil, fmt.Errorf("go build: %w: %s", err, out)
	}
	bare, single := map[string][]float64{}, map[string][]float64{}
	contender := func(name, program string) kit.Contender {
		return kit.Contender{Name: name, Run: func(ctx context.Context, round int, profile string) (float64, error) {
			dir := filepath.Join(e.Work, "saml-"+name)
			defer os.RemoveAll(dir)
			if err := kit.Copy(ctx, made, dir); err != nil {
				return 0, err
			}
			u, err := e.PartOf(ctx, program, profile, goalName, "signin", dir, profile)
			if err == nil && round > 0 {
				bare[name] = append(bare[name], u.Values["bare"])
				single[name] = append(single[name], u.Values["bare-one-core"])
			}
			return u.Values["signin"], err
		}}
	}
	got, err := e.Interleave(ctx, goalName, contender("both-locks", both), contender("one-lock", one))
	if err != nil {
		return nil, err
	}
	figure := func(name, what, against string, bound float64, theirs map[string][]float64) kit.Figure {
		return kit.Figure{Goal: 7, What: what, Against: against, Unit: "/s", Bound: bound, Values: kit.Ratio(got[name], theirs[name]), Ours: got[name], Theirs: theirs[name]}
	}
	const all, oneCore = "bare goxmldsig, the same answers, all cores", "the same on one core"
	const whole, without = "SAML sign-ins over HTTP", "without crewjam's lock, for comparison"
	return []kit.Figure{figure("both-locks", whole, all, 0.20, bare), figure("one-lock", without, all, 0.45, bare),
		figure("both-locks", whole, oneCore, 0, single), figure("one-lock", without, oneCore, 0, single)}, nil
}

// makeWorld registers the platforms and lets their customers in for the first time, once.
func makeWorld(ctx context.Context, dir string) error {
	if _, err := os.Stat(dir); err == nil {
		return nil
	}
	making := dir + ".making"
	if err := os.RemoveAll(making); err != nil {
		return err
	}
	a, err := app.Open(ctx, settings(making), app.Options{})
	if err != nil {
		return err
	}
	defer a.Close()
	sc := scope.System("operator")
	if _, err := a.Organisations.Add(ctx, sc, organisation.AddInput{Code: kit.WorldVendor, Kind: organisation.KindVendor, Name: kit.WorldVendor}); err != nil {
		return err
	}
	w := world{At: time.Now().UTC().Truncate(time.Second), Key: x509.MarshalPKCS1PrivateKey(samltest.Key("platform"))}
	for i := range platforms {
		p, err := a.Organisations.Add(ctx, sc, organisation.AddInput{Code: fmt.Sprintf("P%02d", i), Kind: organisation.KindSolution, Name: fmt.Sprintf("Partner %d", i), ParentCode: kit.WorldVendor})
		if err != nil {
			return err
		}
		added, err := a.Platforms.Add(ctx, sc, registry.AddInput{PartnerID: p.Organisation.ID, Metadata: w.platform(i).Metadata(), AccountType: mark(i), FirstEntry: sso.FirstEntryCreate, Activate: true})
		if err != nil {
			return err
		}
		w.Keys = append(w.Keys, added.Platform.Key)
		peer := signon.Peer{ID: added.Platform.ID, Key: added.Platform.Key, Partner: p.Organisation, AccountType: mark(i), FirstEntry: sso.FirstEntryCreate}
		for n := range customers {
			if err := firstEntry(ctx, a, peer, account(i, n)); err != nil {
				return err
			}
		}
	}
	body, err := json.Marshal(w)
	if err != nil {
		return err
	}
	if err := os.WriteFile(filepath.Join(making, "world.json"), body, 0o600); err != nil {
		return err
	}
	if err := a.Close(); err != nil {
		return err
	}
	return os.Rename(making, dir)
}

func settings(dir string) app.Settings {
	return app.Settings{Data: dir, BaseURL: base, TrustedProxies: []string{"127.0.0.0/8"}}
}

func mark(i int) string       { return fmt.Sprintf("HB_%02d", i) }
func account(i, n int) string { return fmt.Sprintf("acc-%d-%d", i, n) }

// platform is one of them as it signs: its own entity, a key they share.
func (w *world) platform(i int) *samltest.IdP {
	key, err := x509.ParsePKCS1PrivateKey(w.Key)
	if err != nil {
		panic(err)
	}
	return w.signer(i, key)
}

func (w *world) signer(i int, key *rsa.PrivateKey) *samltest.IdP {
	at := fmt.Sprintf("https://p%d.example", i)
	return &samltest.IdP{EntityID: at + "/idp", SSO: at + "/sso", SLO: at + "/slo", Key: key, CertDER: samltest.Certify(key, "platform", w.At.AddDate(0, -1, 0), w.At.AddDate(2, 0, 0))}
}

func firstEntry(ctx context.Context, a *app.App, peer signon.Peer, account string) error {
	browser := sso.BrowserHash("somebody")
	r, err := a.SignOn.Begin(ctx, signon.BeginInput{Peer: peer, Browser: browser, Purpose: sso.PurposeSignIn})
	if err != nil {
		return err
	}
	// What was asserted is what the measured answers say, so that none of them is a change.
	got, err := a.SignOn.Accept(ctx, signon.AcceptInput{Peer: peer, Request: &r, Browser: browser, IP: "192.0.2.1", Agent: "bench",
		Asserted: signon.Asserted{XAccountID: account, XUserID: account, Name: "上海云启科技", Mobile: "0086-13800000000", Email: "a@example.com", NameID: "n-" + account,
			AuthnAt: time.Now(), AssertionID: sso.NewMessageID()}})
	if err != nil {
		return err
	}
	t, err := a.SignOn.Ticket(ctx, got.Ticket, browser)
	if err != nil {
		return err
	}
	_, err = a.SignOn.Create(ctx, signon.EnterInput{Peer: peer, Ticket: t, Consent: true})
	return err
}
