package portal_test

import (
	"net/http"
	"net/url"
	"strings"
	"testing"
)

// TestFormerPathsOfTheMenu: an address written as the menu of an earlier portal leads to today's page and
// keeps its query; one that never was, and one below somebody else's organisation, are absent.
func TestFormerPathsOfTheMenu(t *testing.T) {
	w := newWorld(t)
	v := w.visitor("partner")
	old := (&url.URL{Path: "/客户业务/客户消费"}).String()
	for _, x := range []struct{ path, location string }{
		{"/o/MUSHI" + old + "?cycle=2026-01&relation=resale", "/o/MUSHI/expenditure?cycle=2026-01&relation=resale"},
		{"/o/MUSHI" + strings.ToLower(old), "/o/MUSHI/expenditure"},
		{"/o/MUSHI/%E9%94%80%E5%94%AE" + old + "/", "/o/MUSHI/expenditure"},
		{old, "/o/MUSHI/expenditure"},
	} {
		if r := v.get(x.path); r.status != http.StatusMovedPermanently || r.location != x.location {
			t.Errorf("%s: %d to %q, want %q", x.path, r.status, r.location, x.location)
		}
	}
	absent := v.get("/o/MUSHI/nowhere")
	for _, path := range []string{"/o/NOVA" + old, "/o/NOBODY" + old, "/o/MUSHI" + (&url.URL{Path: "/伙伴账务/业绩激励对账"}).String()} {
		if r := v.get(path); r.status != http.StatusNotFound || r.body != absent.body {
			t.Errorf("%s: %d", path, r.status)
		}
	}
	if r := v.post("/o/MUSHI" + old); r.status != http.StatusNotFound {
		t.Errorf("POST: %d", r.status)
	}
	nobody, err := http.DefaultTransport.RoundTrip(mustRequest(t, w.url+old+"?cycle=2026-01"))
	if err != nil {
		t.Fatal(err)
	}
	defer nobody.Body.Close()
	if got := nobody.Header.Get("Location"); nobody.StatusCode != http.StatusSeeOther || !strings.HasPrefix(got, "/login?next=") || !strings.Contains(got, "cycle%3D2026-01") {
		t.Errorf("signed out: %d to %q", nobody.StatusCode, got)
	}
}

func mustRequest(t *testing.T, address string) *http.Request {
	t.Helper()
	r, err := http.NewRequestWithContext(t.Context(), http.MethodGet, address, nil)
	if err != nil {
		t.Fatal(err)
	}
	return r
}
