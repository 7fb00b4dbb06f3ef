package account

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"net/netip"
	"time"

	"huoban/internal/fault"
)

// What is counted: failures against one login, whoever tries, and failures from one address,
// whatever login is tried.
const (
	throttleLogin = "login"
	throttleIP    = "ip"
)

// step locks for a while from that many failures on.
type step struct {
	failures int64
	lock     time.Duration
}

// policy is how failures of one kind weigh: they are forgotten when none came for a while.
type policy struct {
	steps  []step
	forget time.Duration
}

var policies = map[string]policy{
	throttleLogin: {forget: 24 * time.Hour, steps: []step{{5, time.Minute}, {8, 5 * time.Minute}, {12, 15 * time.Minute}, {20, time.Hour}}},
	throttleIP:    {forget: time.Hour, steps: []step{{30, time.Minute}, {60, 10 * time.Minute}, {120, time.Hour}}},
}

// after is the state after one more failure.
func (p policy) after(t Throttle, now time.Time) Throttle {
	if !t.LastAt.IsZero() && now.Sub(t.LastAt) > p.forget {
		t = Throttle{}
	}
	t.Failures, t.LastAt = t.Failures+1, now
	for _, s := range p.steps {
		if t.Failures >= s.failures {
			t.LockedUntil = now.Add(s.lock)
		}
	}
	return t
}

// throttleKey hides what was typed: a login field often receives a password by mistake.
func throttleKey(text string) string {
	sum := sha256.Sum256([]byte(text))
	return hex.EncodeToString(sum[:])
}

// count is one thing failures are counted against.
type count struct{ kind, key string }

// counted lists them, always in the same order, so that two transactions do not wait for each other.
func counted(login, ip string) []count {
	var out []count
	if login != "" {
		out = append(out, count{throttleLogin, throttleKey(login)})
	}
	if ip != "" {
		out = append(out, count{throttleIP, throttleKey(network(ip))})
	}
	return out
}

// network is the address, or for IPv6 the 64 bits a single customer of a provider commands.
func network(ip string) string {
	a, err := netip.ParseAddr(ip)
	if err != nil {
		return ip
	}
	a = a.Unmap()
	if a.Is4() {
		return a.String()
	}
	p, err := a.WithZone("").Prefix(64)
	if err != nil {
		return ip
	}
	return p.String()
}

// locked refuses while a login or an address is locked out. Fault: account.locked.
func (s *Service) locked(ctx context.Context, login, ip string, now time.Time) error {
	for _, c := range counted(login, ip) {
		t, err := s.Store.Throttle(ctx, c.kind, c.key)
		if err != nil {
			return err
		}
		if now.Before(t.LockedUntil) {
			left := t.LockedUntil.Sub(now)
			return fault.New(fault.KindLimited, "account.locked", fault.Args{
				"minutes": int64((left + time.Minute - 1) / time.Minute), "seconds": int64((left + time.Second - 1) / time.Second)})
		}
	}
	return nil
}

// fail counts a failure against the login and the address.
func (s *Service) fail(ctx context.Context, login, ip string, now time.Time) error {
	for _, c := range counted(login, ip) {
		t, err := s.Store.Throttle(ctx, c.kind, c.key)
		if err != nil {
			return err
		}
		if err := s.Store.SaveThrottle(ctx, c.kind, c.key, policies[c.kind].after(t, now)); err != nil {
			return err
		}
	}
	return nil
}

// Purge forgets failures too old to count; a daily job calls it.
func (s *Service) Purge(ctx context.Context) error {
	return s.Tx.InTx(ctx, func(ctx context.Context) error {
		return s.Store.PurgeThrottles(ctx, s.Clock.Now().Add(-policies[throttleLogin].forget))
	})
}
