package registry

import (
	"sync"
	"time"

	"huoban/internal/sso"
)

// keepFor bounds how long a registration is kept: that a document is over for too long is a matter of time alone.
const keepFor = time.Minute

// keptBook keeps registrations as they were read under one version of the database. Nobody changes what it gives.
type keptBook struct {
	mu      sync.Mutex
	version int64
	until   time.Time
	from    time.Time
	byName  map[string]sso.Registration
}

func (k *keptBook) get(name string, version int64, now time.Time) (sso.Registration, bool) {
	k.mu.Lock()
	defer k.mu.Unlock()
	if k.version != version || !now.Before(k.until) || now.Before(k.from) {
		return sso.Registration{}, false
	}
	r, ok := k.byName[name]
	return r, ok
}

// put keeps one that was read after the version was; a newer one begins anew, an older one is too late.
func (k *keptBook) put(name string, r sso.Registration, version int64, now time.Time) {
	k.mu.Lock()
	defer k.mu.Unlock()
	if k.byName == nil || k.version < version || !now.Before(k.until) || now.Before(k.from) {
		k.version, k.from, k.until, k.byName = version, now, now.Add(keepFor), map[string]sso.Registration{}
	}
	if k.version == version {
		k.byName[name] = r
	}
}
