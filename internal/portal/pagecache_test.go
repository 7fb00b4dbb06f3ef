package portal

import (
	"context"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/a-h/templ"

	"huoban/internal/clock"
	"huoban/internal/i18n"
	"huoban/internal/organisation"
	"huoban/internal/scope"
	"huoban/web/templates/layout"
)

// keptVisit asks for a kept page whose bytes are told by text, and gives what was answered.
func (k *keptWorld) visit(change func(k *keptWorld, c *Ctx, env *layout.Env)) string {
	k.t.Helper()
	sc := scope.Partner("p", "1", "one", []scope.Item{scope.ItemRevealMasked}, nil)
	r := httptest.NewRequest(http.MethodGet, "/o/NOVA/x?cycle=2026-01", nil)
	h, c := visit(sc, "")
	c.SetRequest(r.WithContext(i18n.With(r.Context(), i18n.En)))
	c.h, c.Org, c.frame, c.taste = h, organisation.Organisation{ID: "p", Code: "NOVA"}, "frame", &taste{}
	h.keeps, h.Clock = k.keeps, k.clock
	h.PageVersion = func(context.Context) (int64, error) { return k.version, nil }
	env := layout.Env{Theme: layout.ThemeLight}
	if change != nil {
		change(k, c, &env)
	}
	c.SetRequest(c.Request().WithContext(layout.With(c.ctx(), env)))
	k.text++
	k.must(h.keptPage(c, func() (templ.Component, error) { return templ.Raw(fmt.Sprintf("page %d", k.text)), nil }))
	return c.Response().Writer.(*httptest.ResponseRecorder).Body.String()
}

type keptWorld struct {
	t       *testing.T
	keeps   *pageCache
	clock   *clock.Fixed
	version int64
	text    int
}

func (k *keptWorld) must(err error) {
	if err != nil {
		k.t.Fatal(err)
	}
}

// A page that differs in anything that a page may depend on is another page; the person's name and what
// stands over the page are no part of it.
func TestWhatAKeptPageDependsOn(t *testing.T) {
	type change = func(k *keptWorld, c *Ctx, env *layout.Env)
	request := func(c *Ctx, method, address string) {
		c.SetRequest(httptest.NewRequest(method, address, nil).WithContext(c.ctx()))
	}
	other := map[string]change{
		"organisation": func(_ *keptWorld, c *Ctx, _ *layout.Env) {
			c.Scope = scope.Partner("q", "1", "one", []scope.Item{scope.ItemRevealMasked}, nil)
		},
		"items": func(_ *keptWorld, c *Ctx, _ *layout.Env) { c.Scope = scope.Partner("p", "1", "one", nil, nil) },
		"resellers": func(_ *keptWorld, c *Ctx, _ *layout.Env) {
			c.Scope = scope.Partner("p", "1", "one", []scope.Item{scope.ItemRevealMasked}, []string{"r"})
		},
		"windows": func(_ *keptWorld, c *Ctx, _ *layout.Env) {
			c.Scope = c.Scope.Limited([]scope.Window{{CustomerID: "c"}})
		},
		"frame":   func(_ *keptWorld, c *Ctx, _ *layout.Env) { c.frame = "another" },
		"columns": func(_ *keptWorld, c *Ctx, _ *layout.Env) { c.taste = &taste{key: "expenditure.lines\x00customer\x00"} },
		"query": func(_ *keptWorld, c *Ctx, _ *layout.Env) {
			request(c, http.MethodGet, "/o/NOVA/x?cycle=2026-01&customer=C1")
		},
		"path":  func(_ *keptWorld, c *Ctx, _ *layout.Env) { request(c, http.MethodGet, "/o/NOVA/y?cycle=2026-01") },
		"month": func(k *keptWorld, _ *Ctx, _ *layout.Env) { k.clock.Set(k.clock.Now().AddDate(0, 1, 0)) },
		"language": func(_ *keptWorld, c *Ctx, _ *layout.Env) {
			c.SetRequest(c.Request().WithContext(i18n.With(c.ctx(), i18n.ZhCN)))
		},
		"theme":   func(_ *keptWorld, _ *Ctx, env *layout.Env) { env.Theme = layout.ThemeDark },
		"letters": func(_ *keptWorld, _ *Ctx, env *layout.Env) { env.NoShortcuts = true },
		"density": func(_ *keptWorld, _ *Ctx, env *layout.Env) { env.Compact = true },
		"names":   func(_ *keptWorld, c *Ctx, _ *layout.Env) { c.open = true },
		"post":    func(_ *keptWorld, c *Ctx, _ *layout.Env) { request(c, http.MethodPost, "/o/NOVA/x?cycle=2026-01") },
		"length": func(_ *keptWorld, c *Ctx, _ *layout.Env) {
			request(c, http.MethodGet, "/o/NOVA/x?cycle=2026-01&q="+strings.Repeat("q", 4096))
		},
	}
	begin := func(t *testing.T) *keptWorld {
		return &keptWorld{t: t, keeps: newPageCache(1 << 20), clock: clock.At(time.Date(2026, 2, 3, 8, 0, 0, 0, time.UTC))}
	}
	for name, do := range other {
		t.Run(name, func(t *testing.T) {
			k := begin(t)
			first := k.visit(nil)
			if again := k.visit(nil); again != first {
				t.Fatalf("%q is not kept but %q", first, again)
			}
			if got := k.visit(do); got == first {
				t.Errorf("%q is served to another", got)
			}
		})
	}
	t.Run("the same", func(t *testing.T) {
		k := begin(t)
		first := k.visit(nil)
		got := k.visit(func(_ *keptWorld, c *Ctx, env *layout.Env) {
			c.Scope = scope.Partner("p", "2", "two", []scope.Item{scope.ItemRevealMasked}, nil)
			env.Person, env.Unread, env.Bars = "Two", 3, []layout.SiteBar{{Text: "bar"}}
		})
		if got != first {
			t.Errorf("a colleague sees %q, not %q", got, first)
		}
	})
	t.Run("version", func(t *testing.T) {
		k := begin(t)
		k.version = 1 // newer than what came with the session
		if first, second := k.visit(nil), k.visit(nil); first == second {
			t.Errorf("%q was made while something changed, and kept", first)
		}
	})
}
