package main

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/hex"
	"encoding/pem"
	"fmt"
	"io"
	"log"
	"maps"
	"math/big"
	mrand "math/rand/v2"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"
)

const (
	hookSecret   = "a-signing-secret-of-the-receiver"
	bucketSecret = "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY"
)

// troubles are what a receiver does instead of accepting: nothing listens, the connection breaks at once, no answer
// comes, errors, a busy one that says when to come back, an answer that breaks off, one that leads elsewhere, a file
// that was taken but whose answer is lost, and a certificate nobody trusts.
var troubles = []string{"refused", "reset", "hang", "500", "429", "truncated", "redirect", "lost", "tls"}

// receiver is a webhook and an S3 service that fails in every way until it is told to be well. It believes nothing that
// it did not compute itself.
type receiver struct {
	mu       sync.Mutex
	random   *mrand.Rand
	well     bool
	met      map[string]int    // troubles it made
	got      map[string]string // hash of the content by number of the dispatch
	repeats  int               // that came again with the same content
	problems []string
	plain    string // address without TLS
	secure   string
}

func (r *receiver) lock(do func()) {
	r.mu.Lock()
	defer r.mu.Unlock()
	do()
}

// trouble draws one of some, or none.
func (r *receiver) trouble(of ...string) (out string) {
	r.lock(func() {
		if !r.well && r.random.IntN(100) < 60 {
			out = of[r.random.IntN(len(of))]
			r.met[out]++
		}
	})
	return out
}

func (r *receiver) wrong(format string, args ...any) {
	r.lock(func() { r.problems = append(r.problems, fmt.Sprintf(format, args...)) })
}

// take keeps what arrived: a number stands for one content for ever.
func (r *receiver) take(id string, body []byte) {
	sum := sha256.Sum256(body)
	hash := hex.EncodeToString(sum[:])
	r.lock(func() {
		if was := r.got[id]; was != "" && was != hash {
			r.problems = append(r.problems, fmt.Sprintf("dispatch %s came with %s and with %s", id, was, hash))
		} else if was != "" {
			r.repeats++
		}
		r.got[id] = hash
	})
}

// ServeHTTP implements http.Handler.
func (r *receiver) ServeHTTP(w http.ResponseWriter, q *http.Request) {
	if q.URL.Path == "/elsewhere" {
		r.wrong("a redirect was followed")
	}
	do := r.trouble("reset", "hang", "500", "429", "truncated", "redirect", "lost")
	switch do {
	case "reset":
		_, _ = io.CopyN(io.Discard, q.Body, 100)
		sever(w)
		return
	case "hang":
		select {
		case <-q.Context().Done():
		case <-time.After(40 * time.Second):
		}
		return
	case "500":
		w.WriteHeader(http.StatusInternalServerError)
		return
	case "429":
		w.Header().Set("Retry-After", "3")
		w.WriteHeader(http.StatusTooManyRequests)
		return
	case "truncated":
		w.Header().Set("Content-Length", "1000")
		_, _ = w.Write([]byte("accep"))
		return
	case "redirect":
		http.Redirect(w, q, "/elsewhere", http.StatusTemporaryRedirect)
		return
	}
	body, err := io.ReadAll(q.Body)
	if err != nil {
		return // killed in the middle of it: nothing is kept
	}
	id, err := checkHook(q, body)
	if q.Method == http.MethodPut {
		id, err = checkBucket(q, body)
	}
	if err != nil {
		r.wrong("%s %s: %v", q.Method, q.URL.Path, err)
		w.WriteHeader(http.StatusForbidden)
		return
	}
	r.take(id, body)
	if do == "lost" {
		sever(w)
	}
}

// sever ends a connection without an answer.
func sever(w http.ResponseWriter) {
	c, _, err := w.(http.Hijacker).Hijack()
	if err != nil {
		return
	}
	under := c
	if secure, ok := c.(*tls.Conn); ok {
		under = secure.NetConn()
	}
	if plain, ok := under.(*net.TCPConn); ok {
		_ = plain.SetLinger(0)
	}
	under.Close()
}

func hexHMAC(key []byte, text string) []byte {
	m := hmac.New(sha256.New, key)
	m.Write([]byte(text))
	return m.Sum(nil)
}

// checkHook verifies a webhook by the text of docs/subscription.md.
func checkHook(q *http.Request, body []byte) (id string, err error) {
	sum := sha256.Sum256(body)
	h := func(name string) string { return q.Header.Get("X-Huoban-" + name) }
	text := strings.Join([]string{"v1", h("Timestamp"), h("Delivery"), h("Event"), h("File"), hex.EncodeToString(sum[:])}, "\n")
	if want := "v1=" + hex.EncodeToString(hexHMAC([]byte(hookSecret), text)); h("Signature") != want || h("Delivery") == "" {
		return "", fmt.Errorf("signature %q, want %q", h("Signature"), want)
	}
	return h("Delivery"), nil
}

// checkBucket verifies a signature of version 4 from what arrived alone.
func checkBucket(q *http.Request, body []byte) (id string, err error) {
	sum := sha256.Sum256(body)
	payload := hex.EncodeToString(sum[:])
	auth, ok := strings.CutPrefix(q.Header.Get("Authorization"), "AWS4-HMAC-SHA256 Credential=ACCESSKEY/")
	parts := strings.Split(auth, ",")
	if !ok || len(parts) != 3 || q.Header.Get("X-Amz-Content-Sha256") != payload {
		return "", fmt.Errorf("authorization %q of content %s", auth, payload)
	}
	names := strings.Split(strings.TrimPrefix(parts[1], "SignedHeaders="), ";")
	var head strings.Builder
	for _, name := range names {
		v := q.Header.Get(name)
		if name == "host" {
			v = q.Host
		}
		head.WriteString(name + ":" + v + "\n")
	}
	canonical := sha256.Sum256([]byte(strings.Join([]string{q.Method, q.URL.EscapedPath(), q.URL.RawQuery, head.String(), strings.Join(names, ";"), payload}, "\n")))
	text := strings.Join([]string{"AWS4-HMAC-SHA256", q.Header.Get("X-Amz-Date"), parts[0], hex.EncodeToString(canonical[:])}, "\n")
	key := []byte("AWS4" + bucketSecret)
	for _, p := range append(strings.Split(parts[0], "/"), text) {
		key = hexHMAC(key, p)
	}
	id = q.Header.Get("X-Amz-Meta-Huoban-Delivery")
	if parts[2] != "Signature="+hex.EncodeToString(key) || id == "" || !slices.Contains(names, "x-amz-meta-huoban-delivery") {
		return "", fmt.Errorf("signature %s of %q", parts[2], id)
	}
	return id, nil
}

// ownCertificate makes one for 127.0.0.1 that signs itself.
func ownCertificate(t *testing.T) tls.Certificate {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	// The portal lives in a year of the tests' choice; certificates are judged by the machine's clock.
	c := &x509.Certificate{SerialNumber: big.NewInt(time.Now().UnixNano()), Subject: pkix.Name{CommonName: "receiver"}, NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().AddDate(1, 0, 0), IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)},
		KeyUsage: x509.KeyUsageDigitalSignature | x509.KeyUsageCertSign, IsCA: true, BasicConstraintsValid: true, ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth}}
	der, err := x509.CreateCertificate(rand.Reader, c, c, key.Public(), key)
	if err != nil {
		t.Fatal(err)
	}
	return tls.Certificate{Certificate: [][]byte{der}, PrivateKey: key}
}

// newReceiver listens with and without TLS; the certificate it has when it is well is one the portal trusts.
func newReceiver(t *testing.T, seed uint64) *receiver {
	t.Helper()
	r := &receiver{random: mrand.New(mrand.NewPCG(seed, 2)), met: map[string]int{}, got: map[string]string{}}
	good, bad := ownCertificate(t), ownCertificate(t)
	path := filepath.Join(t.TempDir(), "roots.pem")
	if err := os.WriteFile(path, pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: good.Certificate[0]}), 0o600); err != nil {
		t.Fatal(err)
	}
	t.Setenv("SSL_CERT_FILE", path)
	quiet := log.New(io.Discard, "", 0)
	secure := &tls.Config{GetCertificate: func(*tls.ClientHelloInfo) (*tls.Certificate, error) {
		if r.trouble("tls", "", "") == "tls" {
			return &bad, nil
		}
		return &good, nil
	}}
	stop := make(chan struct{})
	t.Cleanup(func() { close(stop) })
	r.plain = "http://" + r.listen(t, &http.Server{Handler: r, ErrorLog: quiet}, nil, stop)
	r.secure = "https://" + r.listen(t, &http.Server{Handler: r, ErrorLog: quiet}, secure, stop)
	return r
}

// listen serves an address that nobody listens on now and then.
func (r *receiver) listen(t *testing.T, srv *http.Server, secure *tls.Config, stop <-chan struct{}) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	address := l.Addr().String()
	t.Cleanup(func() { srv.Close() })
	go func() {
		for {
			open := l
			if secure != nil {
				open = tls.NewListener(l, secure)
			}
			go func() { _ = srv.Serve(open) }()
			select {
			case <-stop:
				return
			case <-time.After(1200 * time.Millisecond):
			}
			if r.trouble("refused") == "" {
				if l, err = reopen(l, address, 0); err != nil {
					return
				}
				continue
			}
			if l, err = reopen(l, address, 400*time.Millisecond); err != nil {
				return
			}
		}
	}()
	return address
}

// reopen closes a listener for a while and listens at the same address again.
func reopen(l net.Listener, address string, after time.Duration) (net.Listener, error) {
	l.Close()
	time.Sleep(after)
	for range 50 {
		if again, err := net.Listen("tcp", address); err == nil {
			return again, nil
		}
		time.Sleep(20 * time.Millisecond)
	}
	return nil, net.ErrClosed
}

// report is what it met, in order.
func (r *receiver) report() string {
	var out []string
	for _, name := range slices.Sorted(maps.Keys(r.met)) {
		if name != "" {
			out = append(out, fmt.Sprintf("%s %d", name, r.met[name]))
		}
	}
	return strings.Join(out, ", ")
}
