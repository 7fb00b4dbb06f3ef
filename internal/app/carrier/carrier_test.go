package carrier_test

import (
	"bytes"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"net/url"
	"slices"
	"strings"
	"testing"
	"time"

	"huoban/internal/app/carrier"
	"huoban/internal/app/metafetch"
	"huoban/internal/clock"
	"huoban/internal/fault"
	"huoban/internal/subscription"
)

const (
	secret = "wJalrXUtnFEMI/K7MDENG"
	body   = "bill_cycle,amount\n2026-09,12.34\n"
)

func courier(answer time.Duration) *carrier.Carrier {
	return &carrier.Carrier{Out: metafetch.New(metafetch.Options{LocalHTTP: true, Time: time.Minute, Answer: answer}), Clock: clock.At(time.Date(2026, 10, 6, 1, 2, 3, 0, time.UTC))}
}

func parcel() subscription.Parcel {
	sum := sha256.Sum256([]byte(body))
	return subscription.Parcel{ID: "d1", Event: "consumption.file", Name: "consumption-lines-2026-09-CNY-v1-0a.csv", ContentType: "text/csv; charset=utf-8", SHA: hex.EncodeToString(sum[:]), Bytes: int64(len(body)),
		Headers: [][2]string{{"Cycle", "2026-09"}, {"File-Version", "1"}}, Open: func() io.Reader { return strings.NewReader(body) }}
}

func hook(address string) subscription.Target {
	return subscription.Target{Kind: subscription.KindWebhook, Address: address, Secret: secret}
}

// TestWebhook: a receiver that knows the secret and the documented text finds the signature right.
func TestWebhook(t *testing.T) {
	var heard []string
	srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		got, err := io.ReadAll(r.Body)
		sum := sha256.Sum256(got)
		h := func(name string) string { return r.Header.Get("X-Huoban-" + name) }
		m := hmac.New(sha256.New, []byte(secret))
		fmt.Fprintf(m, "v1\n%s\n%s\n%s\n%s\n%s", h("Timestamp"), h("Delivery"), h("Event"), h("File"), hex.EncodeToString(sum[:]))
		if err != nil || string(got) != body || h("Signature") != "v1="+hex.EncodeToString(m.Sum(nil)) || h("Content-SHA256") != hex.EncodeToString(sum[:]) {
			t.Errorf("%q %v %v", got, err, r.Header)
		}
		heard = append(heard, r.Method, h("Delivery"), h("Cycle"), h("Timestamp"), r.Header.Get("Content-Type"))
		w.WriteHeader(http.StatusNoContent)
	}))
	defer srv.Close()
	out := courier(time.Second).Carry(t.Context(), hook(srv.URL+"/in"), parcel())
	if out.Code != "" || out.Status != http.StatusNoContent {
		t.Errorf("%+v", out)
	}
	if want := []string{"POST", "d1", "2026-09", "1791248523", "text/csv; charset=utf-8"}; !slices.Equal(heard, want) {
		t.Errorf("heard %q, want %q", heard, want)
	}
}

// verified computes the signature of a request as the service does: from what arrived alone.
func verified(r *http.Request, got []byte) error {
	sum := sha256.Sum256(got)
	payload := hex.EncodeToString(sum[:])
	if r.Header.Get("X-Amz-Content-Sha256") != payload {
		return fmt.Errorf("content hash %s of %s", r.Header.Get("X-Amz-Content-Sha256"), payload)
	}
	auth, ok := strings.CutPrefix(r.Header.Get("Authorization"), "AWS4-HMAC-SHA256 Credential=ACCESS/")
	parts := strings.Split(auth, ",")
	if !ok || len(parts) != 3 {
		return fmt.Errorf("authorization %q", r.Header.Get("Authorization"))
	}
	names := strings.Split(strings.TrimPrefix(parts[1], "SignedHeaders="), ";")
	for _, must := range []string{"host", "x-amz-date", "x-amz-content-sha256"} {
		if !slices.Contains(names, must) {
			return fmt.Errorf("%s is not signed", must)
		}
	}
	var head strings.Builder
	for _, name := range names {
		v := r.Header.Get(name)
		if name == "host" {
			v = r.Host
		}
		head.WriteString(name + ":" + v + "\n")
	}
	canonical := strings.Join([]string{r.Method, r.URL.EscapedPath(), r.URL.RawQuery, head.String(), strings.Join(names, ";"), payload}, "\n")
	digest := sha256.Sum256([]byte(canonical))
	text := strings.Join([]string{"AWS4-HMAC-SHA256", r.Header.Get("X-Amz-Date"), parts[0], hex.EncodeToString(digest[:])}, "\n")
	key := []byte("AWS4" + secret)
	for _, p := range append(strings.Split(parts[0], "/"), text) {
		m := hmac.New(sha256.New, key)
		m.Write([]byte(p))
		key = m.Sum(nil)
	}
	if want := "Signature=" + hex.EncodeToString(key); parts[2] != want {
		return fmt.Errorf("%s, want %s", parts[2], want)
	}
	return nil
}

// TestBucket puts an object by either way of addressing.
func TestBucket(t *testing.T) {
	objects := map[string]string{}
	srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		got, _ := io.ReadAll(r.Body)
		if err := verified(r, got); err != nil {
			t.Error(err)
			http.Error(w, "<Error><Code>SignatureDoesNotMatch</Code></Error>", http.StatusForbidden)
			return
		}
		objects[r.Method+" "+strings.Split(r.Host, ":")[0]+" "+r.URL.Path] = string(got)
	}))
	defer srv.Close()
	u, _ := url.Parse(srv.URL)
	path := subscription.Target{Kind: subscription.KindBucket, Address: srv.URL, Bucket: "files", Prefix: "a/month=9", Region: "cn-north-4", PathStyle: true, AccessKey: "ACCESS", Secret: secret}
	if out := courier(time.Second).Carry(t.Context(), path, parcel()); out.Code != "" {
		t.Errorf("path style: %+v", out)
	}
	virtual := path
	virtual.PathStyle, virtual.Address, virtual.Prefix = false, "https://obs.example.com", ""
	req, err := carrier.Request(courier(time.Second), virtual, parcel())
	if err != nil || req.URL.Host != "files.obs.example.com" || req.URL.Path != "/"+parcel().Name {
		t.Fatalf("%v %v", req, err)
	}
	req.URL.Scheme, req.URL.Host, req.Host = "http", u.Host, "files.obs.example.com"
	res, err := http.DefaultClient.Do(req)
	if err != nil || res.StatusCode != http.StatusOK {
		t.Fatalf("virtual host: %v %v", res, err)
	}
	res.Body.Close()
	want := map[string]string{"PUT 127.0.0.1 /files/a/month=9/" + parcel().Name: body, "PUT files.obs.example.com /" + parcel().Name: body}
	if len(objects) != 2 || objects["PUT 127.0.0.1 /files/a/month=9/"+parcel().Name] != body || objects["PUT files.obs.example.com /"+parcel().Name] != body {
		t.Errorf("objects %q, want %q", objects, want)
	}
}

// TestFailures: everything that is not a whole answer of 2xx is a failure with a name of its own.
func TestFailures(t *testing.T) {
	release := make(chan struct{})
	followed := false
	mux := http.NewServeMux()
	mux.HandleFunc("/500", func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusInternalServerError) })
	mux.HandleFunc("/403", func(w http.ResponseWriter, _ *http.Request) {
		w.WriteHeader(http.StatusForbidden)
		fmt.Fprint(w, `<?xml version="1.0"?><Error><Code>AccessDenied</Code><Message>secret words</Message></Error>`)
	})
	mux.HandleFunc("/429", func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Retry-After", "17")
		w.WriteHeader(http.StatusTooManyRequests)
	})
	mux.HandleFunc("/503", func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Retry-After", "Tue, 06 Oct 2026 01:03:03 GMT")
		w.WriteHeader(http.StatusServiceUnavailable)
	})
	mux.HandleFunc("/redirect", func(w http.ResponseWriter, r *http.Request) {
		http.Redirect(w, r, "/elsewhere", http.StatusTemporaryRedirect)
	})
	mux.HandleFunc("/elsewhere", func(http.ResponseWriter, *http.Request) { followed = true })
	mux.HandleFunc("/hang", func(http.ResponseWriter, *http.Request) { <-release })
	mux.HandleFunc("/cut", func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Length", "1000")
		fmt.Fprint(w, "only this")
	})
	mux.HandleFunc("/reset", func(w http.ResponseWriter, _ *http.Request) {
		c, _, err := w.(http.Hijacker).Hijack()
		if err == nil {
			_ = c.(*net.TCPConn).SetLinger(0)
			c.Close()
		}
	})
	srv := httptest.NewServer(mux)
	defer srv.Close()
	defer close(release)
	stranger := httptest.NewTLSServer(mux)
	defer stranger.Close()
	stranger.Config.ErrorLog = nil
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	nobody := "http://" + l.Addr().String()
	l.Close()
	for _, c := range []struct {
		address, code, detail string
		after                 time.Duration
	}{
		{srv.URL + "/500", "subscription.carry.status", "500 Internal Server Error", 0},
		{srv.URL + "/403", "subscription.carry.status", "403 Forbidden · AccessDenied", 0},
		{srv.URL + "/429", "subscription.carry.status", "429 Too Many Requests", 17 * time.Second},
		{srv.URL + "/503", "subscription.carry.status", "503 Service Unavailable", time.Minute},
		{srv.URL + "/redirect", "subscription.carry.redirect", "307 Temporary Redirect", 0},
		{srv.URL + "/cut", "subscription.carry.cut", "200 OK", 0},
		{srv.URL + "/hang", "subscription.carry.timeout", "", 0},
		{srv.URL + "/reset", "subscription.carry.reset", "", 0},
		{nobody, "subscription.carry.refused", "", 0},
		{stranger.URL + "/500", "subscription.carry.tls", "", 0},
		{strings.Replace(srv.URL, "http:", "https:", 1), "subscription.carry.tls", "", 0},
		{"http://192.168.0.1/in", "subscription.address", "", 0},
		{"https://192.168.0.1/in", "subscription.address_private", "", 0},
		{"https://169.254.169.254/latest", "subscription.address_private", "", 0},
	} {
		out := courier(300*time.Millisecond).Carry(t.Context(), hook(c.address), parcel())
		if out.Code != c.code || out.Detail != c.detail || out.RetryAfter != c.after {
			t.Errorf("%s: %+v, want %s %q %s", c.address, out, c.code, c.detail, c.after)
		}
	}
	if followed {
		t.Error("a redirect was followed")
	}
}

// TestCheck refuses what nothing would be carried to.
func TestCheck(t *testing.T) {
	strict := &carrier.Carrier{Out: metafetch.New(metafetch.Options{}), Clock: clock.System()}
	for address, code := range map[string]string{"http://example.com": "subscription.address", "https://user@example.com": "subscription.address", "ftp://example.com": "subscription.address",
		"https://127.0.0.1": "subscription.address_private", "https://[::1]/": "subscription.address_private", "https://10.1.2.3/x": "subscription.address_private"} {
		if err := strict.Check(address); !fault.HasCode(err, code) {
			t.Errorf("%s: %v, want %s", address, err, code)
		}
	}
	if err := strict.Check("https://obs.example.com"); err != nil {
		t.Error(err)
	}
}

// TestFileGone: a file that cannot be read is no fault of the receiver.
func TestFileGone(t *testing.T) {
	srv := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) { _, _ = io.Copy(io.Discard, r.Body) }))
	defer srv.Close()
	p := parcel()
	p.Open = func() io.Reader {
		return io.MultiReader(bytes.NewReader([]byte(body)[:5]), iotestErr{})
	}
	if out := courier(time.Second).Carry(t.Context(), hook(srv.URL), p); out.Code != "subscription.file_gone" {
		t.Errorf("%+v", out)
	}
}

type iotestErr struct{}

func (iotestErr) Read([]byte) (int, error) { return 0, io.ErrClosedPipe }
