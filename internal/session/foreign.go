package session

import (
	"context"
	"crypto/rand"
	"encoding/base64"
	"encoding/json"
	"net/http"
	"time"

	"huoban/internal/id"
)

// Open keeps a new session of the person in the running transaction, beside whatever the request's own is. It
// serves sign-ins whose request brings no cookie of ours: a form posted from another site. values are kept with
// it; Value reads them.
func (m *Manager) Open(ctx context.Context, personID, ip, agent string, values map[string]string, until time.Time) (token string, tokenHash []byte, err error) {
	raw := make([]byte, 32)
	_, _ = rand.Read(raw) // never fails
	token = base64.RawURLEncoding.EncodeToString(raw)
	now := m.clock.Now()
	e := encoded{Deadline: now.Add(m.lifetime), Values: map[string]string{keyPerson: personID, keyIP: clean(ip, 64), keyAgent: clean(agent, 256)}}
	for k, v := range values {
		e.Values[k] = v
	}
	data, err := json.Marshal(e)
	if err != nil {
		return "", nil, err
	}
	r := Row{TokenHash: hash(token), Handle: id.New(), PersonID: personID, Data: data, IP: e.Values[keyIP], Agent: e.Values[keyAgent],
		CreatedAt: now, SeenAt: now, ExpiresAt: until}
	if most := now.Add(m.lifetime); most.Before(until) {
		r.ExpiresAt = most
	}
	return token, r.TokenHash, m.store.Save(ctx, r)
}

// EndByHash ends a session in the running transaction.
func (m *Manager) EndByHash(ctx context.Context, tokenHash []byte) error {
	return m.store.Revoke(ctx, tokenHash, m.clock.Now())
}

// Preferences are the values of the request's own session that a new one takes over.
func (m *Manager) Preferences(ctx context.Context) map[string]string {
	out := map[string]string{}
	for _, k := range []string{keyLanguage, keyTheme} {
		if v := m.scs.GetString(ctx, k); v != "" {
			out[k] = v
		}
	}
	return out
}

// Give hands the browser the token of an opened session and ends the one it has.
func (m *Manager) Give(ctx context.Context, w http.ResponseWriter, token string) error {
	if old := m.scs.Token(ctx); old != "" {
		err := m.tx.InTx(ctx, func(ctx context.Context) error { return m.EndByHash(ctx, hash(old)) })
		if err != nil {
			return err
		}
	}
	k := m.scs.Cookie
	http.SetCookie(w, &http.Cookie{Name: k.Name, Value: token, Path: k.Path, Secure: k.Secure, HttpOnly: k.HttpOnly, SameSite: k.SameSite})
	return nil
}

// Value is one of the values a session was opened with; "" for none.
func (m *Manager) Value(ctx context.Context, key string) string { return m.scs.GetString(ctx, key) }

// Since is when the request's session began; zero for one that is not kept yet.
func (m *Manager) Since(ctx context.Context) (time.Time, error) {
	token := m.scs.Token(ctx)
	if token == "" {
		return time.Time{}, nil
	}
	r, ok, err := m.store.Find(ctx, hash(token))
	if err != nil || !ok {
		return time.Time{}, err
	}
	return r.CreatedAt, nil
}

// Note keeps a value with the request's own session; Value reads it.
func (m *Manager) Note(ctx context.Context, key, value string) {
	m.scs.Put(ctx, key, clean(value, 128))
}

// Until is when the request's session ends at the latest; zero for one that is not kept yet.
func (m *Manager) Until(ctx context.Context) (time.Time, error) {
	token := m.scs.Token(ctx)
	if token == "" {
		return time.Time{}, nil
	}
	r, ok, err := m.store.Find(ctx, hash(token))
	if err != nil || !ok {
		return time.Time{}, err
	}
	return r.ExpiresAt, nil
}

// EndNoted ends the sessions of a person whose value under a key is meant, in the running transaction, and tells how
// many.
func (m *Manager) EndNoted(ctx context.Context, personID, key string, is func(value string) bool) (int, error) {
	rows, err := m.store.OfPerson(ctx, personID)
	if err != nil {
		return 0, err
	}
	n := 0
	for _, r := range rows {
		var e encoded
		if err := json.Unmarshal(r.Data, &e); err != nil {
			return n, err
		}
		if v, ok := e.Values[key]; !ok || !is(v) {
			continue
		}
		if err := m.EndByHash(ctx, r.TokenHash); err != nil {
			return n, err
		}
		n++
	}
	return n, nil
}
