package e2e

import (
	"encoding/json"
	"net/http"
	"regexp"
	"slices"
	"strings"
	"testing"

	"huoban/internal/app"
	"huoban/internal/portal"
	"huoban/internal/scope"
)

// TestRouteContract holds what programs read from `portal routes --json`.
func TestRouteContract(t *testing.T) {
	text, err := json.Marshal(map[string]any{"routes": app.Routes()})
	if err != nil {
		t.Fatal(err)
	}
	var doc struct {
		Routes []map[string]any `json:"routes"`
	}
	if err := json.Unmarshal(text, &doc); err != nil {
		t.Fatal(err)
	}
	if len(doc.Routes) != len(portal.Routes()) {
		t.Fatalf("%d routes listed of %d", len(doc.Routes), len(portal.Routes()))
	}
	known := append(scope.Items(scope.SideVendor), scope.Items(scope.SidePartner)...)
	known = append(known, scope.Items(scope.SideCustomer)...)
	seen := map[string]bool{}
	for _, r := range doc.Routes {
		method, path := word(r["method"]), word(r["path"])
		name := method + " " + path
		if seen[name] {
			t.Errorf("%s stands twice", name)
		}
		seen[name] = true
		if method != http.MethodGet && method != http.MethodPost {
			t.Errorf("%s: unexpected method", name)
		}
		permissions, _ := r["permission"].([]any)
		ways := 0
		for _, open := range []bool{r["public"] == true, r["signed_in"] == true, len(permissions) > 0} {
			if open {
				ways++
			}
		}
		if ways != 1 {
			t.Errorf("%s is open in %d ways; exactly one of public, signed_in and permission says to whom", name, ways)
		}
		for _, p := range permissions {
			if !regexp.MustCompile(`^BPC_(ITEM|MENU)_[A-Z]+_\d{6}$`).MatchString(word(p)) || !slices.Contains(known, scope.Item(word(p))) {
				t.Errorf("%s: no permission item: %v", name, p)
			}
		}
		checkIDs(t, name, path, r["ids"])
		if strings.HasPrefix(path, "/o/:org") == (len(permissions) == 0) {
			t.Errorf("%s: what is inside an organisation needs a permission, and nothing else can have one", name)
		}
	}
	for _, must := range []string{"GET /login", "POST /login", "GET /healthz", "GET /readyz", "GET /metrics", "GET /o/:org/bills", "GET /o/:org/bills/lines"} {
		if !seen[must] {
			t.Errorf("%s is missing", must)
		}
	}
}

func checkIDs(t *testing.T, name, path string, ids any) {
	t.Helper()
	list, ok := ids.([]any)
	if !ok {
		t.Errorf("%s: ids is no list", name)
	}
	for _, m := range regexp.MustCompile(`:([a-z]+)`).FindAllStringSubmatch(path, -1) {
		if !slices.Contains(list, any(m[1])) {
			t.Errorf("%s: parameter %s is not among ids %v", name, m[1], list)
		}
	}
}

func word(v any) string {
	s, _ := v.(string)
	return s
}
