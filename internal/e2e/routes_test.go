package e2e

import (
	"net/http"
	"slices"
	"strings"
	"testing"

	"github.com/PuerkitoBio/goquery"

	"huoban/internal/account"
	"huoban/internal/app"
	"huoban/internal/portal"
	"huoban/internal/scope"
)

// things are real values of the parameters that name stored things.
type things map[string]string

// find reads from the pages of an organisation what its routes can name.
func (w *world) find(t *testing.T, org string) things {
	t.Helper()
	found := things{"org": org, "cycle": theCycle, "vendor": vendor, "partner": partner, "currency": "USD"}
	c := w.signIn(t, strings.ToLower(vendor)+"-admin")
	c.get("/account/sessions").page(t).Find("form[action*='/account/sessions/']").Each(func(_ int, s *goquery.Selection) {
		if parts := strings.Split(s.AttrOr("action", ""), "/"); len(parts) == 5 {
			found["handle"] = parts[3]
		}
	})
	c.get("/o/" + vendor + "/deliveries").page(t).Find("a[href^='/o/" + vendor + "/deliveries/']").Each(func(_ int, s *goquery.Selection) {
		if parts := strings.Split(s.AttrOr("href", ""), "/"); len(parts) == 5 && parts[4] != "new" {
			found["id"] = parts[4]
		}
	})
	if found["id"] == "" {
		t.Error("no delivery on the page of deliveries")
	}
	for kind, list := range listed {
		begin := "/o/" + vendor + "/" + list + "/"
		c.get(strings.TrimSuffix(begin, "/")).page(t).Find("a[href^='" + begin + "']").EachWithBreak(func(_ int, s *goquery.Selection) bool {
			thing, _, _ := strings.Cut(strings.TrimPrefix(s.AttrOr("href", ""), begin), "/")
			if len(thing) == len("00000000-0000-0000-0000-000000000000") {
				found[kind] = thing
			}
			return found[kind] == ""
		})
	}
	lines := c.get("/o/" + vendor + "/bills/lines?cycle=" + theCycle).page(t)
	lines.Find("a[data-why]").EachWithBreak(func(_ int, s *goquery.Selection) bool {
		found["why"] = queryOf(t, s.AttrOr("href", ""), "why")
		return false
	})
	if found["why"] == "" {
		t.Error("no line to explain")
	}
	lines.Find("select[name=customer] option[value]:not([value=''])").EachWithBreak(func(_ int, s *goquery.Selection) bool {
		found["customer"] = s.AttrOr("value", "")
		return false
	})
	lines.Find("input[type=hidden][name=entity]").Each(func(_ int, s *goquery.Selection) { found["entity"] = s.AttrOr("value", "") })
	return found
}

// fill writes the address of a route; a path parameter without a value takes the placeholder.
func (f things) fill(r portal.RouteInfo, placeholder string) string {
	path := r.Path
	for _, id := range r.IDs {
		v := f[id]
		if thing := f[kindOf(r, "id")]; id == "id" && thing != "" {
			v = thing
		}
		if v == "" || placeholder != "" && id != "org" && id != "cycle" {
			v = placeholder
		}
		if v == "" {
			v = "absent"
		}
		path = strings.Replace(path, ":"+id, v, 1)
	}
	if strings.HasSuffix(r.Path, "/explanation") {
		path += "?figure=due"
	}
	return path
}

// listed are the kinds whose first thing on their list stands for all, where there is one, with the list's address.
var listed = map[string]string{"agreements": "agreements", "contracts": "contracts", "company-changes": "company-changes", "consoles": "consoles", "coupons": "coupons", "invoice-requests": "invoice-requests",
	"members": "members", "news": "news", "payouts": "payouts", "peak-imports": "peak-imports", "prospect-grants": "prospect-grants", "quotas": "coupons/quotas", "registrations": "registrations", "roles": "roles"}

// itemsOf is what the preset roles of an account carry, from the presets themselves.
func itemsOf(a app.DemoAccount, side scope.Side) []scope.Item {
	for _, r := range account.Presets(side) {
		if r.Code == a.Role {
			return r.Items
		}
	}
	return nil
}

func sideOf(org string) scope.Side {
	if org == partner || org == otherOrg {
		return scope.SidePartner
	}
	return scope.SideVendor
}

// expected is what the table promises somebody signed in, for a route of the own organisation: a page
// of the other side is absent, a page without permission is refused, anything else is reached.
func expected(r portal.RouteInfo, a app.DemoAccount) int {
	side := sideOf(a.Organisation)
	if len(r.Sides) > 0 && !slices.Contains(r.Sides, string(side)) {
		return http.StatusNotFound
	}
	items := itemsOf(a, side)
	for _, p := range r.Also {
		if !slices.Contains(items, scope.Item(p)) {
			return http.StatusForbidden
		}
	}
	for _, p := range r.Permission {
		if slices.Contains(items, scope.Item(p)) {
			return http.StatusOK
		}
	}
	return http.StatusForbidden
}

func inOrg(r portal.RouteInfo) bool { return strings.HasPrefix(r.Path, "/o/:org") }

func testAnonymous(t *testing.T, w *world) {
	found := w.find(t, vendor)
	c := w.anonymous(t)
	for _, r := range portal.Routes() {
		if r.Public {
			continue
		}
		path := found.fill(r, "")
		if r.Method == http.MethodGet {
			got := c.want(c.get(path), http.StatusSeeOther, "anonymous GET "+path)
			if !strings.HasPrefix(got.location(), "/login?next=") {
				t.Errorf("GET %s leads to %q", path, got.location())
			}
			c.want(c.get(path, asProgram), http.StatusUnauthorized, "anonymous JSON GET "+path)
			continue
		}
		c.want(c.post(path), http.StatusUnauthorized, "anonymous POST "+path)
		c.want(c.do(r.Method, path, "{}", asProgram, header("Content-Type", "application/json")), http.StatusUnauthorized, "anonymous JSON POST "+path)
	}
}

// testRoles calls every route of an organisation as every demo account of it. What a role may not do is
// tried on real things; what it may do is only reached, on things that do not exist, so nothing changes.
func testRoles(t *testing.T, w *world) {
	for _, a := range w.list {
		t.Run(a.Username, func(t *testing.T) {
			t.Parallel()
			found := w.find(t, a.Organisation)
			if a.Organisation == otherOrg || a.Organisation == "QINGYUN" {
				found["cycle"] = otherCycle
			}
			c := w.signIn(t, a.Username)
			for _, r := range portal.Routes() {
				if !inOrg(r) {
					continue
				}
				want := expected(r, a)
				name := r.Method + " " + found.fill(r, "")
				switch {
				case want != http.StatusOK:
					c.want(c.do(r.Method, found.fill(r, ""), ""), want, name)
				case r.Method == http.MethodGet:
					got := c.get(found.fill(r, ""))
					absent := got.status == http.StatusNotFound && namesThing(r) && (a.Organisation != vendor || listed[kindOf(r, "id")] != "" && found[kindOf(r, "id")] == "")
					passing := got.status == http.StatusNotFound && (r.Name == "imports.show" || r.Name == "exports.file" || // there only for a while
						r.Name == "statements.logo") // and this where somebody gave one
					if got.status != http.StatusOK && !absent && !passing {
						t.Errorf("%s: status %d, want 200", name, got.status)
					}
				default:
					got := c.do(r.Method, found.fill(r, "00000000-0000-0000-0000-000000000000"), "", asProgram)
					if got.status == http.StatusForbidden && strings.Contains(got.body, "permission_missing") || got.status == http.StatusUnauthorized || got.status >= 500 {
						t.Errorf("%s may be called by %s, but: %d %s", name, a.Username, got.status, got.body)
					}
				}
			}
		})
	}
}

// namesThing tells whether the path names a stored thing of its own.
func namesThing(r portal.RouteInfo) bool {
	return slices.ContainsFunc(r.IDs, func(id string) bool { return id != "org" && strings.Contains(r.Path, ":"+id) })
}
