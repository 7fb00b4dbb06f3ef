package saml

import (
	"context"
	"crypto/x509"
	"encoding/json"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"runtime"
	"runtime/debug"
	"sync"
	"sync/atomic"
	"time"

	"github.com/beevik/etree"
	dsig "github.com/russellhaering/goxmldsig"

	"huoban/internal/app"
	"huoban/internal/signon"
	"huoban/internal/sso"
	"huoban/internal/sso/samltest"
	"huoban/internal/store"
)

// How much is measured in one process: bare verification and sign-ins take turns over the same answers.
const (
	turns   = 3
	perTurn = 1000 // answers; the limits of messages in a minute allow 8 × 1200
	crowd   = 64   // connections
	garbage = 400  // as the portal serves
)

// one is an answer on its way.
type one struct {
	doc  []byte
	form url.Values
	key  string // of the entity it is sent to
	ip   string
	cert *x509.Certificate
}

// signIns measures in the process it runs in; args are a copy of the world, and where a profile goes.
func signIns(ctx context.Context, args []string) (map[string]float64, error) {
	debug.SetGCPercent(garbage)
	body, err := os.ReadFile(filepath.Join(args[0], "world.json"))
	if err != nil {
		return nil, err
	}
	var w world
	if err := json.Unmarshal(body, &w); err != nil {
		return nil, err
	}
	a, err := app.Open(ctx, settings(args[0]), app.Options{})
	if err != nil {
		return nil, err
	}
	defer a.Close()
	sso.UseClock(a.Clock.Now)
	secret := sso.NewBrowserSecret()
	all, err := w.answers(ctx, a, secret, turns*perTurn)
	if err != nil {
		return nil, err
	}
	addr, err := serve(ctx, a)
	if err != nil {
		return nil, err
	}
	rates, err := inTurns(all, addr, secret)
	if err != nil {
		return nil, err
	}
	return rates, proved(ctx, a, all, addr, secret)
}

// inTurns measures bare verification on every core and on one, and sign-ins, and gives what each did in a second.
func inTurns(all []one, addr, secret string) (map[string]float64, error) {
	contenders := []struct {
		name string
		run  func(part []one) error
	}{
		{"bare", func(part []one) error { return together(part, runtime.GOMAXPROCS(0), verify) }},
		{"bare-one-core", func(part []one) error { return together(part, 1, verify) }},
		{"signin", func(part []one) error { return post(part, addr, secret) }},
	}
	took := map[string]time.Duration{}
	for n := range turns {
		for i := range contenders {
			c := contenders[(i+n)%len(contenders)]
			begin := time.Now()
			if err := c.run(all[n*perTurn : (n+1)*perTurn]); err != nil {
				return nil, fmt.Errorf("%s: %w", c.name, err)
			}
			took[c.name] += time.Since(begin)
		}
	}
	rates := map[string]float64{}
	for name, d := range took {
		rates[name] = float64(len(all)) / d.Seconds()
	}
	return rates, nil
}

// answers begins requests and makes an answer to each.
func (w *world) answers(ctx context.Context, a *app.App, secret string, n int) ([]one, error) {
	out := make([]one, n)
	var idps [platforms]*samltest.IdP
	var regs [platforms]sso.Registration
	var certs [platforms]*x509.Certificate
	for i, key := range w.Keys {
		reg, ok, err := a.Platforms.Registration(ctx, key)
		if err != nil || !ok {
			return nil, fmt.Errorf("registration %s: %v %w", key, ok, err)
		}
		regs[i], idps[i] = reg, w.platform(i)
		if certs[i], err = x509.ParseCertificate(reg.Certs[0].DER); err != nil {
			return nil, err
		}
	}
	var next atomic.Int64
	return out, together(make([]one, n), crowd, func(one) error {
		at := int(next.Add(1)) - 1
		i, customer := at%platforms, at/platforms%customers
		r, err := a.SignOn.Begin(ctx, signon.BeginInput{Peer: signon.Peer{ID: regs[i].ID}, Browser: sso.BrowserHash(secret), Purpose: sso.PurposeSignIn})
		if err != nil {
			return err
		}
		acc := account(i, customer)
		answer := samltest.Answer{IdP: idps[i], Reg: regs[i], Now: time.Now(), Request: r, NameID: "n-" + acc, Attributes: samltest.Attributes("xAccountId", acc, "xUserId", acc,
			"xAccountType", regs[i].AccountType, "bpId", regs[i].BpID, "name", "上海云启科技", "mobile", "0086-13800000000", "email", "a@example.com")}
		doc := answer.XML()
		answer.Bytes = func([]byte) []byte { return doc }
		out[at] = one{doc: doc, form: answer.Form(), key: regs[i].Key, ip: fmt.Sprintf("192.0.2.%d", at%200), cert: certs[i]}
		return nil
	})
}

// together lets so many goroutines work the list off.
func together(list []one, many int, do func(one) error) error {
	var next atomic.Int64
	var wg sync.WaitGroup
	failed := make(chan error, many)
	for range many {
		wg.Go(func() {
			for {
				i := int(next.Add(1)) - 1
				if i >= len(list) {
					return
				}
				if err := do(list[i]); err != nil {
					failed <- err
					return
				}
			}
		})
	}
	wg.Wait()
	close(failed)
	return <-failed
}

// verify is what a program does that asks goxmldsig alone: parse, find the assertion, check its signature.
func verify(o one) error {
	d := etree.NewDocument()
	if err := d.ReadFromBytes(o.doc); err != nil {
		return err
	}
	ctx := dsig.NewDefaultValidationContext(&dsig.MemoryX509CertificateStore{Roots: []*x509.Certificate{o.cert}})
	el := d.Root().SelectElement("Assertion").Copy()
	el.CreateAttr("xmlns:samlp", samltest.NSProtocol)
	_, err := ctx.Validate(el)
	return err
}

// serve opens the portal on a port of its own.
func serve(ctx context.Context, a *app.App) (string, error) {
	h, err := a.Handler()
	if err != nil {
		return "", err
	}
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return "", err
	}
	srv := &http.Server{Handler: h}
	go func() { _ = srv.Serve(l) }() // ends with the process
	return l.Addr().String(), nil
}

// proved: every answer was stored against replay and has its session, and one of them sent again is refused.
func proved(ctx context.Context, a *app.App, all []one, addr, secret string) error {
	for text, want := range map[string]int{
		"select count(*) from sso_seen":                                  2 * len(all),
		"select count(*) from sso_session where ended_at is null":        len(all) + platforms*customers,
		"select count(*) from sso_request where consumed_at is not null": len(all) + platforms*customers,
	} {
		var have int
		if err := a.DB.Row(ctx, store.Query{Name: "bench.Count", Text: text}, "bench.none", nil, &have); err != nil {
			return err
		}
		if have != want {
			return fmt.Errorf("%s: %d, want %d", text, have, want)
		}
	}
	var no refused
	if err := post(all[:1], addr, secret); !errors.As(err, &no) {
		return fmt.Errorf("an answer sent again: %v", err)
	}
	return nil
}
