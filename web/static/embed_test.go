package static

import (
	"compress/gzip"
	"io"
	"net/http/httptest"
	"regexp"
	"strings"
	"testing"
)

func get(t *testing.T, method, path string, header ...string) *httptest.ResponseRecorder {
	t.Helper()
	r := httptest.NewRequest(method, path, nil)
	for i := 0; i+1 < len(header); i += 2 {
		r.Header.Set(header[i], header[i+1])
	}
	w := httptest.NewRecorder()
	Handler().ServeHTTP(w, r)
	return w
}

func TestURLCarriesTheHashAndIsKept(t *testing.T) {
	u := URL("portal.css")
	if !regexp.MustCompile(`^/static/[0-9a-f]{12}/portal\.css$`).MatchString(u) {
		t.Fatalf("URL = %s", u)
	}
	w := get(t, "GET", u)
	if w.Code != 200 || !strings.Contains(w.Header().Get("Cache-Control"), "immutable") || !strings.HasPrefix(w.Header().Get("Content-Type"), "text/css") {
		t.Fatalf("%d %v", w.Code, w.Header())
	}
	if w := get(t, "GET", "/static/000000000000/portal.css"); w.Code != 200 || w.Header().Get("Cache-Control") != "no-cache" {
		t.Fatalf("an old address: %d %v", w.Code, w.Header())
	}
	for _, bad := range []string{"/static/x/none.css", "/static/", "/static/x/../embed.go", "/static/x/embed.go", "/static/x/vendor/README.md"} {
		if w := get(t, "GET", bad); w.Code != 404 {
			t.Errorf("%s: %d", bad, w.Code)
		}
	}
	if w := get(t, "POST", u); w.Code != 405 {
		t.Errorf("POST: %d", w.Code)
	}
}

func TestGzipAndNotModified(t *testing.T) {
	u := URL("vendor/tabler.min.css")
	plain := get(t, "GET", u).Body.Bytes()
	w := get(t, "GET", u, "Accept-Encoding", "br, gzip;q=0.8")
	if w.Header().Get("Content-Encoding") != "gzip" || w.Body.Len() > len(plain)/4 {
		t.Fatalf("not packed: %d of %d bytes, %v", w.Body.Len(), len(plain), w.Header())
	}
	z, err := gzip.NewReader(w.Body)
	if err != nil {
		t.Fatal(err)
	}
	back, err := io.ReadAll(z)
	if err != nil || string(back) != string(plain) {
		t.Fatalf("the packed body differs: %v", err)
	}
	if w := get(t, "GET", u, "Accept-Encoding", "gzip;q=0"); w.Header().Get("Content-Encoding") != "" {
		t.Error("packed although refused")
	}
	if again := get(t, "GET", u, "Accept-Encoding", "gzip", "If-None-Match", w.Header().Get("ETag")); again.Code != 304 || again.Body.Len() != 0 {
		t.Errorf("not modified: %d", again.Code)
	}
}

func TestNothingPointsOutside(t *testing.T) {
	outside := regexp.MustCompile(`(?i)(@import|url\(\s*["']?(https?:)?//)`)
	for name, a := range assets {
		if strings.HasSuffix(name, ".css") && outside.Match(a.body()) {
			t.Errorf("%s loads something from outside", name)
		}
	}
}
