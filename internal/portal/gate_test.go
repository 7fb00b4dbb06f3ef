package portal

import (
	"context"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"huoban/internal/i18n"
)

// held is a handler that keeps every request until it is let go.
type held struct {
	came chan string
	free chan struct{}
}

func (h *held) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	h.came <- r.URL.Path
	<-h.free
	w.WriteHeader(http.StatusOK)
}

func ask(handler http.Handler, ctx context.Context, path, accept string) *httptest.ResponseRecorder {
	r := httptest.NewRequestWithContext(ctx, http.MethodGet, path, nil)
	r.Header.Set("Accept", accept)
	w := httptest.NewRecorder()
	handler.ServeHTTP(w, r)
	return w
}

// TestGate: two pages are served, three wait, all others are sent away at once with a time to come
// again; one who leaves gives the place up; health and the door are not kept waiting by pages.
func TestGate(t *testing.T) {
	h := &held{came: make(chan string, 100), free: make(chan struct{})}
	g := newGate(Lanes{Pages: Lane{2, 3, time.Hour}, Door: Lane{1, 1, time.Hour}, Uploads: Lane{1, 1, time.Hour}})
	handler := g.handler(h)
	var all sync.WaitGroup
	results := make(chan int, 100)
	send := func(ctx context.Context, path string) {
		all.Go(func() { results <- ask(handler, ctx, path, "text/html").Code })
	}
	for range 2 {
		send(t.Context(), "/o/A/bills")
		<-h.came
	}
	leaving, leave := context.WithCancel(t.Context())
	send(leaving, "/o/A/left")
	for len(g.pages.waiting) < 1 {
		time.Sleep(time.Millisecond)
	}
	for range 2 {
		send(t.Context(), "/o/A/bills")
	}
	for len(g.pages.waiting) < 3 {
		time.Sleep(time.Millisecond)
	}
	for range 20 {
		for accept, want := range map[string]string{"text/html": "<html", "application/json": "request.overload"} {
			w := ask(handler, t.Context(), "/o/A/bills", accept)
			if w.Code != http.StatusServiceUnavailable || w.Header().Get("Retry-After") != "2" || !strings.Contains(w.Body.String(), want) {
				t.Fatalf("%s: %d, come again in %q\n%s", accept, w.Code, w.Header().Get("Retry-After"), w.Body)
			}
		}
	}
	for _, path := range []string{"/login", "/healthz", "/readyz", "/healthz"} {
		send(t.Context(), path)
		if got := <-h.came; got != path {
			t.Fatalf("%s was let in, want %s", got, path)
		}
	}
	leave()
	if code := <-results; code != http.StatusServiceUnavailable {
		t.Errorf("who left was answered %d", code)
	}
	send(t.Context(), "/o/A/after") // takes the place of the one who left
	for len(g.pages.waiting) < 3 {
		time.Sleep(time.Millisecond)
	}
	close(h.free)
	all.Wait()
	close(results)
	for code := range results {
		if code != http.StatusOK {
			t.Errorf("one who was let in or waited was answered %d", code)
		}
	}
	close(h.came)
	for path := range h.came {
		if path == "/o/A/left" {
			t.Error("who had left was served")
		}
	}
	if len(g.pages.slots)+len(g.pages.waiting)+len(g.door.slots) != 0 {
		t.Error("places were not given back")
	}
}

// TestGateKnowsUploads: only what hands over a delivery may be large and counts as an upload.
func TestGateKnowsUploads(t *testing.T) {
	for path, want := range map[string]bool{"/o/A/deliveries": true, "/o/A/deliveries/x/quarantine": true, "/login": false, "/deliveries": false,
		"/o/A/deliveries/x/reversal": false} {
		r := httptest.NewRequest(http.MethodPost, path, nil)
		r.Header.Set("Content-Type", "multipart/form-data; boundary=x")
		if isUpload(r) != want {
			t.Errorf("%s: upload %v", path, !want)
		}
		r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
		if isUpload(r) {
			t.Errorf("a form to %s is taken for an upload", path)
		}
	}
	g := newGate(Lanes{})
	if zh, en := string(g.page(i18n.ZhCN)), string(g.page(i18n.En)); zh == en || !strings.Contains(zh, "稍等") {
		t.Errorf("not worded:\n%s\n%s", zh, en)
	}
}
