package session

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"sort"
	"strings"
	"time"

	"huoban/internal/audit"
	"huoban/internal/fault"
	"huoban/internal/id"
)

// ctxStore is the library's view of the store. The library's own expiry is not used: it reads the
// machine's clock.
type ctxStore struct{ m *Manager }

func (c ctxStore) FindCtx(ctx context.Context, token string) ([]byte, bool, error) {
	f, kept := ctx.Value(foundKey{}).(*found)
	if !kept {
		f = &found{}
	}
	r, ok, err := c.m.store.Look(ctx, hash(token), f.org)
	if err != nil || !ok || c.m.expired(r) {
		return nil, false, err
	}
	f.version, f.unread = r.Version, r.Unread
	if now := c.m.clock.Now(); now.Sub(r.SeenAt) >= touchEvery {
		err = c.m.tx.InTx(ctx, func(ctx context.Context) error { return c.m.store.Touch(ctx, r.TokenHash, now) })
	}
	return r.Data, err == nil, err
}

func (c ctxStore) CommitCtx(ctx context.Context, token string, b []byte, _ time.Time) error {
	var e encoded
	if err := json.Unmarshal(b, &e); err != nil {
		return fmt.Errorf("session: %w", err)
	}
	now := c.m.clock.Now()
	r := Row{TokenHash: hash(token), Handle: id.New(), PersonID: e.Values[keyPerson], Data: b, IP: e.Values[keyIP],
		Agent: e.Values[keyAgent], CreatedAt: now, SeenAt: now, ExpiresAt: now.Add(c.m.lifetime)}
	if until, err := time.Parse(time.RFC3339, e.Values[keyUntil]); err == nil && until.Before(r.ExpiresAt) {
		r.ExpiresAt = until // under a new token too
	}
	return c.m.tx.InTx(ctx, func(ctx context.Context) error { return c.m.store.Save(ctx, r) })
}

func (c ctxStore) DeleteCtx(ctx context.Context, token string) error {
	if token == "" {
		return nil
	}
	return c.m.tx.InTx(ctx, func(ctx context.Context) error { return c.m.store.Revoke(ctx, hash(token), c.m.clock.Now()) })
}

func (ctxStore) Find(string) ([]byte, bool, error)      { return nil, false, errNoContext }
func (ctxStore) Commit(string, []byte, time.Time) error { return errNoContext }
func (ctxStore) Delete(string) error                    { return errNoContext }

// shortMark stands in the data of a session that ends earlier: the quotes of a value would be escaped.
var shortMark = []byte(`"` + keyUntil + `":"`)

func (m *Manager) expired(r Row) bool {
	now, idle := m.clock.Now(), m.idle
	if bytes.Contains(r.Data, shortMark) {
		idle = min(idle, shortIdle)
	}
	return !now.Before(r.ExpiresAt) || now.Sub(r.SeenAt) >= idle
}

// Info is a session as its owner sees it.
type Info struct {
	Handle    string
	Device    string // "Chrome · Windows", as far as the browser says
	IP        string
	CreatedAt time.Time
	SeenAt    time.Time
	Current   bool
}

// Current is the handle of the request's own session; empty when it is not kept yet.
func (m *Manager) Current(ctx context.Context) (string, error) {
	token := m.scs.Token(ctx)
	if token == "" {
		return "", nil
	}
	r, ok, err := m.store.Find(ctx, hash(token))
	if err != nil || !ok {
		return "", err
	}
	return r.Handle, nil
}

// List gives the person's living sessions, the latest seen first.
func (m *Manager) List(ctx context.Context, personID string) ([]Info, error) {
	rows, err := m.store.OfPerson(ctx, personID)
	if err != nil {
		return nil, err
	}
	current, err := m.Current(ctx)
	if err != nil {
		return nil, err
	}
	var out []Info
	for _, r := range rows {
		if !m.expired(r) {
			out = append(out, Info{r.Handle, Device(r.Agent), r.IP, r.CreatedAt, r.SeenAt, r.Handle == current})
		}
	}
	sort.SliceStable(out, func(i, j int) bool { return out[i].SeenAt.After(out[j].SeenAt) })
	return out, nil
}

// Revoke ends one session of the person. Fault: session.unknown.
func (m *Manager) Revoke(ctx context.Context, personID, login, orgID, handle string) error {
	return m.tx.InTx(ctx, func(ctx context.Context) error {
		ok, err := m.store.RevokeHandle(ctx, personID, handle, m.clock.Now())
		if err != nil {
			return err
		}
		if !ok {
			return fault.NotFound("session.unknown", nil)
		}
		return m.record(ctx, login, orgID, 1)
	})
}

// RevokeOthers ends every session of the person but the request's own, and tells how many.
func (m *Manager) RevokeOthers(ctx context.Context, personID, login, orgID string) (int64, error) {
	current, err := m.Current(ctx)
	if err != nil {
		return 0, err
	}
	var n int64
	err = m.tx.InTx(ctx, func(ctx context.Context) error {
		if n, err = m.store.RevokePerson(ctx, personID, current, m.clock.Now()); err != nil || n == 0 {
			return err
		}
		return m.record(ctx, login, orgID, n)
	})
	return n, err
}

// RevokePerson ends every session of the person except the one with that handle, if any; what made
// it necessary is recorded by the caller. It implements account.Sessions.
func (m *Manager) RevokePerson(ctx context.Context, personID, except string) error {
	return m.tx.InTx(ctx, func(ctx context.Context) error {
		_, err := m.store.RevokePerson(ctx, personID, except, m.clock.Now())
		return err
	})
}

// Purge removes sessions that ended long ago; a daily job calls it.
func (m *Manager) Purge(ctx context.Context) (n int64, err error) {
	err = m.tx.InTx(ctx, func(ctx context.Context) error {
		n, err = m.store.Purge(ctx, m.clock.Now().Add(-24*time.Hour))
		return err
	})
	return n, err
}

func (m *Manager) record(ctx context.Context, login, orgID string, n int64) error {
	return m.audit.Record(ctx, audit.Entry{Actor: login, OrgID: orgID, Action: "session.revoke", Object: "person:" + login,
		Outcome: "done", Detail: map[string]any{"sessions": n}})
}

// browsers and systems, the more telling name first: Edge and Opera call themselves Chrome too.
var (
	browsers = [][2]string{{"Edg", "Edge"}, {"OPR/", "Opera"}, {"Firefox/", "Firefox"}, {"Chrome/", "Chrome"}, {"Safari/", "Safari"},
		{"curl/", "curl"}, {"Go-http-client", "Go"}}
	systems = [][2]string{{"Windows", "Windows"}, {"Android", "Android"}, {"iPhone", "iOS"}, {"iPad", "iPadOS"}, {"Mac OS X", "macOS"},
		{"HarmonyOS", "HarmonyOS"}, {"Linux", "Linux"}}
)

// Device names browser and system of a User-Agent, or gives its beginning.
func Device(agent string) string {
	find := func(list [][2]string) string {
		i := slices.IndexFunc(list, func(p [2]string) bool { return strings.Contains(agent, p[0]) })
		if i < 0 {
			return ""
		}
		return list[i][1]
	}
	b, s := find(browsers), find(systems)
	switch {
	case b != "" && s != "":
		return b + " · " + s
	case b+s != "":
		return b + s
	}
	return clean(agent, 40)
}
