// Package session keeps who is signed in between requests.
//
// It owns the cookie, idle and absolute expiry, renewal of the token at sign-in, and the list of a
// person's sessions with their ending. It does not own passwords or permissions: a session holds a
// person's id, and everything else is read afresh for each request.
//
// Invariants: the database knows a token only by its SHA-256; time is the portal's clock; an ended
// session cannot come back through a request that was under way.
package session

import (
	"context"
	"crypto/sha256"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"net/http"
	"net/url"
	"strings"
	"sync"
	"time"
	"unicode"

	"github.com/alexedwards/scs/v2"

	"huoban/internal/account"
	"huoban/internal/audit"
	"huoban/internal/clock"
	"huoban/internal/fault"
)

// Row is a session as kept.
type Row = account.Session

// Store keeps sessions. Revoked ones are never found.
type Store interface {
	Find(ctx context.Context, tokenHash []byte) (Row, bool, error)
	// Look is Find of what each request needs: data, when it was seen and expires, the version, and what the
	// person has not read of the organisation with that code.
	Look(ctx context.Context, tokenHash []byte, orgCode string) (Row, bool, error)
	// Save inserts the row, or writes person, data, address, agent and seen of the one with that
	// token; a revoked one stays as it is.
	Save(ctx context.Context, r Row) error
	Touch(ctx context.Context, tokenHash []byte, at time.Time) error
	Revoke(ctx context.Context, tokenHash []byte, at time.Time) error
	RevokeHandle(ctx context.Context, personID, handle string, at time.Time) (bool, error)
	RevokePerson(ctx context.Context, personID, exceptHandle string, at time.Time) (int64, error)
	OfPerson(ctx context.Context, personID string) ([]Row, error)
	Purge(ctx context.Context, expiredBefore time.Time) (int64, error)
}

// Tx runs a function in one transaction; fn may be run again.
type Tx interface {
	InTx(ctx context.Context, fn func(ctx context.Context) error) error
}

// Options of a manager; zero durations take the defaults.
type Options struct {
	BaseURL  string        // decides the cookie: https → __Host-portal; Secure, http → portal
	Idle     time.Duration // a session ends after this long without a request; default 2 h
	Lifetime time.Duration // a session ends this long after sign-in; default 12 h
	OnError  func(w http.ResponseWriter, r *http.Request, err error)
}

// Defaults and limits.
const (
	DefaultIdle     = 2 * time.Hour
	DefaultLifetime = 12 * time.Hour
	pendingLife     = 10 * time.Minute // between password and second factor
	touchEvery      = time.Minute
)

// Manager knows the sessions.
type Manager struct {
	store    Store
	tx       Tx
	audit    audit.Recorder
	clock    clock.Clock
	scs      *scs.SessionManager
	idle     time.Duration
	lifetime time.Duration
}

// New makes a manager. Fault: session.base_url_malformed.
func New(store Store, tx Tx, recorder audit.Recorder, clk clock.Clock, o Options) (*Manager, error) {
	u, err := url.Parse(o.BaseURL)
	if err != nil || u.Scheme != "http" && u.Scheme != "https" {
		return nil, fault.Invalid("session.base_url_malformed", fault.Args{"url": o.BaseURL})
	}
	m := &Manager{store: store, tx: tx, audit: recorder, clock: clk, idle: orDefault(o.Idle, DefaultIdle),
		lifetime: orDefault(o.Lifetime, DefaultLifetime)}
	m.scs = scs.New()
	m.scs.Lifetime = m.lifetime
	m.scs.Store = ctxStore{m}
	m.scs.Codec = &codec{}
	m.scs.Cookie = Cookie(u.Scheme == "https")
	if o.OnError != nil {
		m.scs.ErrorFunc = o.OnError
	}
	return m, nil
}

func orDefault(d, def time.Duration) time.Duration {
	if d <= 0 {
		return def
	}
	return d
}

// Cookie is the cookie of a secure or a plain base URL. It lives as long as the browser does; the
// database decides when the session ends.
func Cookie(secure bool) scs.SessionCookie {
	c := scs.SessionCookie{Name: "portal", Path: "/", HttpOnly: true, SameSite: http.SameSiteLaxMode}
	if secure {
		c.Name, c.Secure = "__Host-portal", true
	}
	return c
}

// CookieName is the name of the session cookie.
func (m *Manager) CookieName() string { return m.scs.Cookie.Name }

// Middleware loads the session before and saves it after the handler.
func (m *Manager) Middleware(next http.Handler) http.Handler {
	load := m.scs.LoadAndSave(next)
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		load.ServeHTTP(w, r.WithContext(context.WithValue(r.Context(), foundKey{}, &found{org: orgOf(r.URL.Path)})))
	})
}

type foundKey struct{}

// found is what came with the session of a request.
type found struct {
	org             string // code of the organisation the address names
	version, unread int64
}

// orgOf is the code in /o/{code}/….
func orgOf(path string) string {
	rest, ok := strings.CutPrefix(path, "/o/")
	if !ok {
		return ""
	}
	code, _, _ := strings.Cut(rest, "/")
	return code
}

// Unread is how many messages the person of the session had not read for the organisation the address
// names, when the request began.
func (m *Manager) Unread(ctx context.Context) int64 {
	if f, ok := ctx.Value(foundKey{}).(*found); ok {
		return f.unread
	}
	return 0
}

// Version is the version of what pages show that was read with the session; 0 if none was found.
func (m *Manager) Version(ctx context.Context) int64 {
	if f, ok := ctx.Value(foundKey{}).(*found); ok {
		return f.version
	}
	return 0
}

// OnError answers a request whose session could not be read or kept; before the first request.
func (m *Manager) OnError(answer func(w http.ResponseWriter, r *http.Request, err error)) {
	m.scs.ErrorFunc = answer
}

// Keys of what a session holds; all values are text.
const (
	keyPerson   = "person"
	keyPending  = "pending"
	keyPendedAt = "pended_at"
	keyLanguage = "language"
	keyTheme    = "theme"
	keyOrg      = "org"
	keyIP       = "ip"
	keyAgent    = "agent"
	keyReturn   = "return"
	keyUntil    = "until" // of a session that ends earlier than others
)

// shortIdle is how long a session that a partner's platform began may lie idle.
const shortIdle = 30 * time.Minute

// PersonID is who is signed in; empty for nobody.
func (m *Manager) PersonID(ctx context.Context) string { return m.scs.GetString(ctx, keyPerson) }

// Visit is where a sign-in comes from.
type Visit struct{ IP, Agent string }

// SignIn makes the session the person's, under a new token.
func (m *Manager) SignIn(ctx context.Context, personID string, v Visit) error {
	if err := m.scs.RenewToken(ctx); err != nil {
		return fmt.Errorf("session: %w", err)
	}
	m.scs.Remove(ctx, keyPending)
	m.scs.Remove(ctx, keyPendedAt)
	m.scs.Put(ctx, keyPerson, personID)
	m.scs.Put(ctx, keyIP, clean(v.IP, 64))
	m.scs.Put(ctx, keyAgent, clean(v.Agent, 256))
	return nil
}

// Renew gives the session a new token, after a change of what it may do.
func (m *Manager) Renew(ctx context.Context) error { return m.scs.RenewToken(ctx) }

// SignOut ends the session.
func (m *Manager) SignOut(ctx context.Context) error { return m.scs.Destroy(ctx) }

// SetPending notes that the password was right and a second factor is asked; nobody is signed in.
func (m *Manager) SetPending(ctx context.Context, personID string) error {
	if err := m.scs.RenewToken(ctx); err != nil {
		return fmt.Errorf("session: %w", err)
	}
	m.scs.Remove(ctx, keyPerson)
	m.scs.Put(ctx, keyPending, personID)
	m.scs.Put(ctx, keyPendedAt, m.clock.Now().Format(time.RFC3339))
	return nil
}

// Pending is whose second factor is asked; empty for nobody or when it took too long.
func (m *Manager) Pending(ctx context.Context) string {
	at, err := time.Parse(time.RFC3339, m.scs.GetString(ctx, keyPendedAt))
	if err != nil || m.clock.Now().Sub(at) > pendingLife {
		return ""
	}
	return m.scs.GetString(ctx, keyPending)
}

// Language is the language chosen, or empty.
func (m *Manager) Language(ctx context.Context) string { return m.scs.GetString(ctx, keyLanguage) }

// SetLanguage notes the language chosen.
func (m *Manager) SetLanguage(ctx context.Context, lang string) {
	m.scs.Put(ctx, keyLanguage, clean(lang, 16))
}

// Theme is "light", "dark" or empty.
func (m *Manager) Theme(ctx context.Context) string { return m.scs.GetString(ctx, keyTheme) }

// SetTheme notes the theme chosen.
func (m *Manager) SetTheme(ctx context.Context, theme string) {
	m.scs.Put(ctx, keyTheme, clean(theme, 16))
}

// Organisation is the code of the organisation the person chose to act for, or empty.
func (m *Manager) Organisation(ctx context.Context) string { return m.scs.GetString(ctx, keyOrg) }

// SetOrganisation notes for whom the person acts from now on; the caller has checked that he may.
func (m *Manager) SetOrganisation(ctx context.Context, code string) {
	m.scs.Put(ctx, keyOrg, clean(code, 128))
}

// SetReturn notes the page to show after sign-in; only a path of this site is kept.
func (m *Manager) SetReturn(ctx context.Context, path string) {
	if local(path) {
		m.scs.Put(ctx, keyReturn, clean(path, 1024))
	}
}

// PopReturn gives the page noted and forgets it.
func (m *Manager) PopReturn(ctx context.Context) string { return m.scs.PopString(ctx, keyReturn) }

// local tells whether the path leads nowhere but to this site.
func local(path string) bool {
	return strings.HasPrefix(path, "/") && !strings.HasPrefix(path, "//") && !strings.ContainsAny(path, "\\\r\n")
}

func clean(s string, most int) string {
	s = strings.Map(func(r rune) rune {
		if unicode.IsControl(r) {
			return -1
		}
		return r
	}, strings.ToValidUTF8(s, ""))
	if r := []rune(s); len(r) > most {
		return string(r[:most])
	}
	return s
}

// hash is how the database knows a token.
func hash(token string) []byte {
	sum := sha256.Sum256([]byte("session\x00" + token))
	return sum[:]
}

// codec writes a session's values as JSON; all are text.
// codec remembers what it decoded: a session's data stay the same from request to request.
type codec struct {
	mu    sync.RWMutex
	known map[string]decoded
}

type decoded struct {
	deadline time.Time
	values   map[string]any // not to be changed
}

// maxDecoded bounds what is remembered: some hundred bytes each.
const maxDecoded = 1 << 12

type encoded struct {
	Deadline time.Time         `json:"deadline"`
	Values   map[string]string `json:"values"`
}

func (*codec) Encode(deadline time.Time, values map[string]any) ([]byte, error) {
	e := encoded{Deadline: deadline, Values: make(map[string]string, len(values))}
	for k, v := range values {
		text, ok := v.(string)
		if !ok {
			return nil, fmt.Errorf("session: %s is %T, not text", k, v)
		}
		e.Values[k] = text
	}
	return json.Marshal(e)
}

// Decode gives values the caller may change.
func (c *codec) Decode(b []byte) (time.Time, map[string]any, error) {
	c.mu.RLock()
	known, ok := c.known[string(b)]
	c.mu.RUnlock()
	if ok {
		return known.deadline, maps.Clone(known.values), nil
	}
	var e encoded
	if err := json.Unmarshal(b, &e); err != nil {
		return time.Time{}, nil, fmt.Errorf("session: %w", err)
	}
	values := make(map[string]any, len(e.Values))
	for k, v := range e.Values {
		values[k] = v
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.known == nil || len(c.known) >= maxDecoded {
		c.known = map[string]decoded{}
	}
	c.known[string(b)] = decoded{e.Deadline, maps.Clone(values)}
	return e.Deadline, values, nil
}

var errNoContext = errors.New("session: store without context")
