package layout

import (
	"context"
	"flag"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/a-h/templ"
	"github.com/google/go-cmp/cmp"

	"huoban/internal/i18n"
	"huoban/web/static"
)

var update = flag.Bool("update", false, "write the golden files anew")

// full is a frame with everything it can hold.
func full() Env {
	item := func(name string, count int) NavItem {
		return NavItem{Label: name, Href: "/" + name, Count: count, Shortcut: name[:1]}
	}
	here := item("b", 0)
	here.Current = true
	groups := []NavGroup{{Key: "nav.group.customers", Items: []NavItem{item("a", 2)}}, {Key: "nav.group.finance", Items: []NavItem{here}}}
	return Env{
		Org: Org{Code: "A", Name: "Org A"}, Orgs: []Org{{Code: "A", Name: "Org A", Role: "R1"}, {Code: "B", Name: "Org B", Role: "R2"}}, Person: "P", Role: "R1", Path: "/o/A/b?x=1",
		Unread: 120, Messages: item("m", 0), Exports: item("x", 0), SearchHref: "/search", HomeHref: "/o/A", Version: "1",
		Nav:  Nav{Areas: []Area{{NavItem: item("h", 0)}, {NavItem: NavItem{Key: "nav.area.sales", Current: true}, Groups: groups}}, Side: groups},
		Bars: []SiteBar{{Text: "<late>", LinkText: "L", Href: "/late"}, {Text: "N", Quiet: true, Dismiss: "/dismiss"}},
	}
}

// hashed are the names of static files, which change with their content.
var hashed = regexp.MustCompile(regexp.QuoteMeta(static.Prefix) + `[^"]+`)

func TestFrameGolden(t *testing.T) {
	ops := full()
	ops.Ops, ops.Theme, ops.Compact, ops.NoShortcuts, ops.Orgs, ops.Bars, ops.Nav.Side = true, ThemeDark, true, true, nil, nil, nil
	for name, page := range map[string]struct {
		env  Env
		show templ.Component
	}{
		"frame": {full(), Frame(Page{Title: "T", Print: "printed", Notes: []string{"n"}})}, "ops": {ops, Frame(Page{Title: "T"})},
		"door": {Env{Deployer: "D", Path: "/login"}, Door("T")},
	} {
		for _, l := range i18n.Langs {
			t.Run(name+"/"+string(l), func(t *testing.T) {
				ctx := templ.WithChildren(With(i18n.With(context.Background(), l), page.env), templ.Raw("<h1>T</h1>"))
				var b strings.Builder
				if err := page.show.Render(ctx, &b); err != nil {
					t.Fatal(err)
				}
				got := hashed.ReplaceAllString(strings.ReplaceAll(b.String(), "><", ">\n<"), static.Prefix+"…") + "\n"
				path := filepath.Join("testdata", name+"."+string(l)+".html")
				if *update {
					if err := os.MkdirAll("testdata", 0o755); err != nil {
						t.Fatal(err)
					}
					if err := os.WriteFile(path, []byte(got), 0o644); err != nil {
						t.Fatal(err)
					}
				}
				want, err := os.ReadFile(path)
				if err != nil {
					t.Fatal(err)
				}
				if diff := cmp.Diff(string(want), got); diff != "" {
					t.Errorf("%s (-want +got):\n%s", path, diff)
				}
			})
		}
	}
}

// TestFrameOfNobodyOffersNothing: nobody signed in has no menu, no bell, no search and no account.
func TestFrameOfNobodyOffersNothing(t *testing.T) {
	var b strings.Builder
	if err := Frame(Page{Title: "T"}).Render(With(context.Background(), Env{}), &b); err != nil {
		t.Fatal(err)
	}
	for _, part := range []string{"hb-nav", "hb-burger", "hb-find", "hb-unread", "hb-who", "hb-bar", PathRole, PathLogout} {
		if strings.Contains(b.String(), part) {
			t.Errorf("the frame of nobody has %s", part)
		}
	}
}
