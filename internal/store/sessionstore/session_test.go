package sessionstore_test

import (
	"bytes"
	"context"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"huoban/internal/audit"
	"huoban/internal/clock"
	"huoban/internal/fault"
	"huoban/internal/session"
	"huoban/internal/store"
	"huoban/internal/store/auditstore"
	"huoban/internal/store/sessionstore"
	"huoban/internal/store/storetest"
)

const windowsChrome = "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/140.0 Safari/537.36"

// site is a small server whose pages act on the session.
type site struct {
	t       testing.TB
	db      *store.DB
	clock   *clock.Fixed
	store   *sessionstore.Store
	manager *session.Manager
	handler http.Handler
}

func newSite(t testing.TB, db *store.DB, baseURL string) *site {
	t.Helper()
	s := &site{t: t, db: db, clock: clock.At(time.Date(2026, 11, 21, 2, 0, 0, 0, time.UTC)), store: sessionstore.New(db)}
	var err error
	s.manager, err = session.New(s.store, db, audit.NewChain(auditstore.New(db), s.clock, audit.Key{1}), s.clock,
		session.Options{BaseURL: baseURL, Idle: time.Hour, Lifetime: 8 * time.Hour})
	if err != nil {
		t.Fatal(err)
	}
	m := s.manager
	mux := http.NewServeMux()
	act := func(path string, do func(ctx context.Context, w io.Writer) error) {
		mux.HandleFunc(path, func(w http.ResponseWriter, r *http.Request) {
			if err := do(r.Context(), w); err != nil {
				http.Error(w, err.Error(), http.StatusInternalServerError)
			}
		})
	}
	act("/in", func(ctx context.Context, _ io.Writer) error {
		return m.SignIn(ctx, "anna-id", session.Visit{IP: "10.0.0.1", Agent: windowsChrome})
	})
	act("/pending", func(ctx context.Context, _ io.Writer) error { return m.SetPending(ctx, "anna-id") })
	act("/out", func(ctx context.Context, _ io.Writer) error { return m.SignOut(ctx) })
	act("/theme", func(ctx context.Context, _ io.Writer) error {
		m.SetTheme(ctx, "dark")
		m.SetLanguage(ctx, "en")
		return nil
	})
	act("/who", func(ctx context.Context, w io.Writer) error {
		_, err := io.WriteString(w, "person="+m.PersonID(ctx)+" pending="+m.Pending(ctx)+" theme="+m.Theme(ctx)+" language="+m.Language(ctx))
		return err
	})
	act("/others", func(ctx context.Context, _ io.Writer) error {
		_, err := m.RevokeOthers(ctx, "anna-id", "anna", "org")
		return err
	})
	act("/list", func(ctx context.Context, w io.Writer) error {
		list, err := m.List(ctx, "anna-id")
		for _, i := range list {
			mark := ""
			if i.Current {
				mark = " *"
			}
			if _, err := io.WriteString(w, i.Device+" "+i.IP+mark+"\n"); err != nil {
				return err
			}
		}
		return err
	})
	s.handler = m.Middleware(mux)
	return s
}

// browser keeps one cookie.
type browser struct {
	s      *site
	cookie *http.Cookie
}

func (b *browser) get(path string) string {
	b.s.t.Helper()
	r := httptest.NewRequest(http.MethodGet, path, nil)
	if b.cookie != nil {
		r.AddCookie(b.cookie)
	}
	w := httptest.NewRecorder()
	b.s.handler.ServeHTTP(w, r)
	if w.Code != http.StatusOK {
		b.s.t.Fatalf("%s: %d %s", path, w.Code, w.Body)
	}
	for _, c := range w.Result().Cookies() {
		if b.cookie = c; c.MaxAge < 0 {
			b.cookie = nil
		}
	}
	return w.Body.String()
}

func (b *browser) wants(person string) {
	b.s.t.Helper()
	if got := b.get("/who"); !strings.HasPrefix(got, "person="+person+" ") {
		b.s.t.Errorf("%s, want person %q", got, person)
	}
}

func TestCookie(t *testing.T) {
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		for url, want := range map[string]http.Cookie{
			"http://localhost:8080":  {Name: "portal"},
			"https://portal.example": {Name: "__Host-portal", Secure: true},
		} {
			b := &browser{s: newSite(t, db, url)}
			b.get("/in")
			c := b.cookie
			if c == nil || c.Name != want.Name || c.Secure != want.Secure || !c.HttpOnly || c.SameSite != http.SameSiteLaxMode || c.Path != "/" || c.Domain != "" {
				t.Errorf("%s: %+v", url, c)
			}
		}
		_, err := session.New(sessionstore.New(db), db, nil, clock.System(), session.Options{BaseURL: "portal.example"})
		if !fault.HasCode(err, "session.base_url_malformed") {
			t.Errorf("%v", err)
		}
	})
}

func TestSignInRenewsAndHidesTheToken(t *testing.T) {
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		b := &browser{s: newSite(t, db, "http://localhost:8080")}
		b.get("/who")
		if b.cookie != nil {
			t.Error("a visitor who did nothing got a session")
		}
		b.get("/theme")
		before := *b.cookie
		b.get("/pending")
		if got := b.get("/who"); got != "person= pending=anna-id theme=dark language=en" {
			t.Error(got)
		}
		between := *b.cookie
		b.get("/in")
		if before.Value == between.Value || between.Value == b.cookie.Value {
			t.Error("the token outlived a change of who it is for")
		}
		if got := b.get("/who"); got != "person=anna-id pending= theme=dark language=en" {
			t.Error(got)
		}
		for _, old := range []http.Cookie{before, between} {
			(&browser{b.s, &old}).wants("")
		}
		rows, err := b.s.store.OfPerson(t.Context(), "anna-id")
		if err != nil || len(rows) != 1 {
			t.Fatal(rows, err)
		}
		if bytes.Contains(rows[0].Data, []byte(b.cookie.Value)) || string(rows[0].TokenHash) == b.cookie.Value {
			t.Error("the token stands in the database")
		}
		last := *b.cookie
		b.get("/out")
		b.wants("")
		(&browser{b.s, &last}).wants("")
	})
}

func TestExpiry(t *testing.T) {
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		s := newSite(t, db, "http://localhost:8080")
		b := &browser{s: s}
		b.get("/in")
		pass := func(d time.Duration) { s.clock.Set(s.clock.Now().Add(d)) }
		pass(59 * time.Minute)
		b.wants("anna-id")
		pass(time.Hour)
		b.wants("")

		b = &browser{s: s}
		b.get("/in")
		for range 15 {
			pass(31 * time.Minute)
			b.wants("anna-id")
		}
		pass(31 * time.Minute)
		b.wants("")

		b = &browser{s: s}
		b.get("/pending")
		pass(11 * time.Minute)
		if got := b.get("/who"); !strings.Contains(got, "pending= ") {
			t.Errorf("a second factor is waited for too long: %s", got)
		}
		pass(72 * time.Hour)
		if n, err := s.manager.Purge(t.Context()); err != nil || n == 0 {
			t.Errorf("purged %d: %v", n, err)
		}
	})
}

func TestRevoke(t *testing.T) {
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		s := newSite(t, db, "http://localhost:8080")
		a, b, c := &browser{s: s}, &browser{s: s}, &browser{s: s}
		for _, x := range []*browser{a, b, c} {
			x.get("/in")
		}
		if got := a.get("/list"); strings.Count(got, "Chrome · Windows 10.0.0.1") != 3 || strings.Count(got, "*") != 1 {
			t.Error(got)
		}
		rows, err := s.store.OfPerson(t.Context(), "anna-id")
		if err != nil || len(rows) != 3 {
			t.Fatal(rows, err)
		}
		if err := s.manager.Revoke(t.Context(), "bert-id", "bert", "org", rows[0].Handle); !fault.HasCode(err, "session.unknown") {
			t.Errorf("another's session: %v", err)
		}
		a.get("/others")
		a.wants("anna-id")
		b.wants("")
		c.wants("")
		if err := s.manager.RevokePerson(t.Context(), "anna-id", ""); err != nil {
			t.Fatal(err)
		}
		a.wants("")
	})
}

// A request that was under way when its session ended must not bring it back.
func TestRevokedStaysRevoked(t *testing.T) {
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		s := newSite(t, db, "http://localhost:8080")
		b := &browser{s: s}
		b.get("/in")
		cookie := *b.cookie
		slow := s.manager.Middleware(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			if err := s.manager.RevokePerson(context.WithoutCancel(r.Context()), "anna-id", ""); err != nil {
				t.Error(err)
			}
			s.manager.SetTheme(r.Context(), "dark")
			w.WriteHeader(http.StatusOK)
		}))
		r := httptest.NewRequest(http.MethodGet, "/", nil)
		r.AddCookie(&cookie)
		slow.ServeHTTP(httptest.NewRecorder(), r)
		(&browser{s, &cookie}).wants("")
	})
}

func TestQueries(t *testing.T) {
	storetest.Each(t, storetest.PrepareAll)
}
