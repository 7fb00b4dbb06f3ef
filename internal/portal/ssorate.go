package portal

import (
	"sync"
	"time"

	"huoban/internal/sso"
)

// Messages of platforms within a minute; each replica counts its own.
const (
	perAddress  = 300
	perPlatform = 1200
	perRefused  = 20
	maxCounted  = 10_000 // addresses remembered; beyond it counting begins anew
)

// rateBook counts within the running minute.
type rateBook struct {
	mu    sync.Mutex
	began time.Time
	n     map[string]int
}

// count adds to a key and tells how often it came within the minute.
func (b *rateBook) count(key string, now time.Time, add int) int {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.n == nil || now.Sub(b.began) >= time.Minute || now.Before(b.began) || len(b.n) >= maxCounted {
		b.began, b.n = now, map[string]int{}
	}
	b.n[key] += add
	return b.n[key]
}

// allow counts a message of an address to a platform. Fault: sso.in.rate.
func (b *rateBook) allow(ip, key string, now time.Time) error {
	over := b.count("ip "+ip, now, 1) > perAddress
	over = b.count("platform "+key, now, 1) > perPlatform || over
	if over || b.count("refused "+ip, now, 0) >= perRefused {
		return sso.Refuse(sso.CodeInRate, "checkRate", "", "")
	}
	return nil
}

// refused counts a refusal of an address.
func (b *rateBook) refused(ip string, now time.Time) { b.count("refused "+ip, now, 1) }
