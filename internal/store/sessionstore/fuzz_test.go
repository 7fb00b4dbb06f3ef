package sessionstore_test

import (
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"huoban/internal/store/storetest"
)

// FuzzCookie: whatever a browser sends as its cookie is nobody's session, and no reason to fail; it takes
// nothing from a session that is.
func FuzzCookie(f *testing.F) {
	db := storetest.SQLite(f)
	s := newSite(f, db, "http://localhost:8080")
	anna := &browser{s: s}
	anna.get("/in")
	token := anna.cookie.Value
	for _, v := range []string{"portal=", "portal=" + strings.Repeat("A", 43), "portal=%00", "portal=\x00", "portal=\"x\"", "portal=a; portal=b", "=", ";", "portal", "PORTAL=x", "portal=\xff\xfe",
		"portal=' OR 1=1 --", "portal=" + strings.Repeat("x", 5000), "__Host-portal=x", "portal=a=b"} {
		f.Add(v)
	}
	f.Fuzz(func(t *testing.T, cookie string) {
		if strings.Contains(cookie, token) {
			return // the real one
		}
		r := httptest.NewRequest(http.MethodGet, "/who", nil)
		r.Header["Cookie"] = []string{cookie}
		w := httptest.NewRecorder()
		s.handler.ServeHTTP(w, r)
		if w.Code != http.StatusOK || !strings.HasPrefix(w.Body.String(), "person= pending= ") {
			t.Fatalf("%q: %d %s", cookie, w.Code, w.Body)
		}
		for _, c := range w.Result().Cookies() {
			if c.Value != "" {
				t.Fatalf("%q is given the cookie %s", cookie, c)
			}
		}
		r = httptest.NewRequest(http.MethodGet, "/who", nil)
		r.Header["Cookie"] = []string{"portal=" + token, cookie}
		w = httptest.NewRecorder()
		s.handler.ServeHTTP(w, r)
		if w.Code != http.StatusOK || !strings.HasPrefix(w.Body.String(), "person=anna-id ") {
			t.Fatalf("beside %q: %d %s", cookie, w.Code, w.Body)
		}
	})
}
