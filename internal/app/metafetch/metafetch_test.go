package metafetch_test

import (
	"crypto/tls"
	"crypto/x509"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"strings"
	"testing"
	"time"

	"huoban/internal/app/metafetch"
	"huoban/internal/fault"
)

// TestAddresses: addresses that lead inside, in whatever spelling, are refused before anything is sent (row 140).
func TestAddresses(t *testing.T) {
	c := metafetch.New(metafetch.Options{Time: 3 * time.Second})
	for _, address := range []string{"https://127.0.0.1/", "https://[::1]/", "https://10.0.0.1/", "https://169.254.169.254/latest", "https://[::ffff:10.0.0.1]/", "https://[::ffff:7f00:1]/",
		"https://[64:ff9b::a00:1]/", "https://[fe80::1]/", "https://[fd00::1]/", "https://100.64.0.1/", "https://0.0.0.0/", "https://224.0.0.1/", "https://192.168.1.1/", "https://172.31.0.1/",
		"https://2130706433/", "https://0x7f000001/", "https://0177.0.0.1/", "https://127.1/", "https://localhost/"} {
		if _, _, err := c.Fetch(t.Context(), address, ""); !fault.HasCode(err, metafetch.CodeAddress) {
			t.Errorf("%s: %v", address, err)
		}
	}
	for _, address := range []string{"http://idp.example/", "ftp://idp.example/", "https://user:secret@idp.example/", "https:idp.example", "//idp.example/", "file:///etc/passwd", "", "https://idp.example/\nX: y", "https://"} {
		_, _, err := c.Fetch(t.Context(), address, "")
		if !fault.HasCode(err, metafetch.CodeURL) || strings.Contains(err.Error(), "secret") {
			t.Errorf("%q: %v", address, err)
		}
	}
	for _, public := range []string{"1.1.1.1", "2606:4700::1111", "172.32.0.1"} {
		if class := metafetch.Class(netip.MustParseAddr(public)); class != "" {
			t.Errorf("%s is %s", public, class)
		}
	}
}

// serve gives a platform's server and a client of an operator who allows this machine.
func serve(t *testing.T, h http.HandlerFunc) (*httptest.Server, *metafetch.Client) {
	s := httptest.NewTLSServer(h)
	t.Cleanup(s.Close)
	roots := x509.NewCertPool()
	roots.AddCert(s.Certificate())
	return s, metafetch.New(metafetch.Options{Allow: []netip.Prefix{netip.MustParsePrefix("127.0.0.1/32")}, TLS: &tls.Config{RootCAs: roots}, Time: 2 * time.Second})
}

// TestRedirects: each is judged anew (row 141).
func TestRedirects(t *testing.T) {
	asked := 0
	s, c := serve(t, func(w http.ResponseWriter, r *http.Request) {
		asked++
		to := map[string]string{"/http": "http://127.0.0.1/", "/private": "https://10.0.0.1/", "/meta": "https://169.254.169.254/", "/user": "https://a:b@127.0.0.1/",
			"/1": "/2", "/2": "/3", "/3": "/end", "/0": "/1"}[r.URL.Path]
		if to != "" {
			http.Redirect(w, r, to, http.StatusFound)
			return
		}
		w.Header().Set("ETag", `"7"`)
		if r.Header.Get("If-None-Match") == `"7"` {
			w.WriteHeader(http.StatusNotModified)
			return
		}
		_, _ = w.Write([]byte("<a/>"))
	})
	for path, code := range map[string]string{"/http": metafetch.CodeRedirect, "/user": metafetch.CodeRedirect, "/private": metafetch.CodeAddress, "/meta": metafetch.CodeAddress, "/0": metafetch.CodeRedirect} {
		if _, _, err := c.Fetch(t.Context(), s.URL+path, ""); !fault.HasCode(err, code) {
			t.Errorf("%s: %v, want %s", path, err, code)
		}
	}
	body, etag, err := c.Fetch(t.Context(), s.URL+"/1", "")
	if err != nil || string(body) != "<a/>" || etag != `"7"` {
		t.Errorf("three redirects: %q %q: %v", body, etag, err)
	}
	if body, _, err := c.Fetch(t.Context(), s.URL+"/end", etag); err != nil || body != nil {
		t.Errorf("unchanged: %q: %v", body, err)
	}
	// What a name resolves to is judged when it is dialled: localhost is a name that leads inside.
	if _, _, err := metafetch.New(metafetch.Options{}).Fetch(t.Context(), strings.Replace(s.URL, "127.0.0.1", "localhost", 1), ""); !fault.HasCode(err, metafetch.CodeAddress) {
		t.Errorf("a name that leads inside: %v", err)
	}
}

// TestBodies: a slow, an endless and a packed body (row 142).
func TestBodies(t *testing.T) {
	s, c := serve(t, func(w http.ResponseWriter, r *http.Request) {
		switch r.URL.Path {
		case "/slow":
			for {
				select {
				case <-r.Context().Done():
					return
				case <-time.After(100 * time.Millisecond):
					_, _ = w.Write([]byte(" "))
					w.(http.Flusher).Flush()
				}
			}
		case "/endless":
			for r.Context().Err() == nil {
				if _, err := w.Write(make([]byte, 64<<10)); err != nil {
					return
				}
			}
		case "/packed":
			w.Header().Set("Content-Encoding", "gzip")
			_, _ = w.Write([]byte("\x1f\x8b"))
		case "/gone":
			w.WriteHeader(http.StatusNotFound)
		}
	})
	for path, code := range map[string]string{"/slow": metafetch.CodeFetch, "/endless": metafetch.CodeSize, "/packed": metafetch.CodeFetch, "/gone": metafetch.CodeFetch} {
		if _, _, err := c.Fetch(t.Context(), s.URL+path, ""); !fault.HasCode(err, code) {
			t.Errorf("%s: %v, want %s", path, err, code)
		}
	}
	strange := metafetch.New(metafetch.Options{Allow: []netip.Prefix{netip.MustParsePrefix("127.0.0.1/32")}})
	if _, _, err := strange.Fetch(t.Context(), s.URL, ""); !fault.HasCode(err, metafetch.CodeTLS) {
		t.Errorf("a certificate nobody vouches for: %v", err)
	}
}
