package e2e

import (
	"net/url"
	"testing"

	"github.com/PuerkitoBio/goquery"
)

type selection = goquery.Selection

func attr(name string) func(int, *selection) string {
	return func(_ int, s *selection) string { return s.AttrOr(name, "") }
}

func queryOf(t *testing.T, address, name string) string {
	t.Helper()
	u, err := url.Parse(address)
	if err != nil {
		t.Fatal(err)
	}
	return u.Query().Get(name)
}

// TestPortal runs every story over HTTP on both engines, all on one demo per engine.
func TestPortal(t *testing.T) {
	eachEngine(t, func(t *testing.T, w *world) {
		for _, s := range []struct {
			name string
			run  func(t *testing.T, w *world)
		}{
			{"anonymous", testAnonymous},
			{"roles", testRoles},
			{"organisations", testOrganisations},
			{"bill names", testBillNames},
			{"manager", testManager},
			{"expenditure", testExpenditure},
			{"two tabs", testTwoTabs},
			{"headers", testHeaders},
			{"cross origin", testCrossOrigin},
			{"cookies", testCookies},
			{"secure cookie", testSecureCookie},
			{"address", testAddress},
			{"limits", testLimits},
			{"hostile", testHostile},
			{"next", testNext},
			{"throttle", testThrottle},
			{"first change", testFirstChange},
			{"second step", testSecondStep},
			{"sessions", testSessions},
		} {
			t.Run(s.name, func(t *testing.T) { s.run(t, w) })
		}
	})
}
