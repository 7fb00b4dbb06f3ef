// Package gallery shows every page with sample props, for looking at and for the tests of layout and
// accessibility.
//
// It owns the samples. Names are invented; the figures of one document add up.
package gallery

import (
	"context"
	"net/http"
	"strings"

	"github.com/a-h/templ"

	"huoban/internal/i18n"
	"huoban/web/static"
	"huoban/web/templates/errview"
	"huoban/web/templates/layout"
	"huoban/web/templates/signview"
)

// CSP is the policy the portal sends with every page.
const CSP = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; font-src 'self'; " +
	"connect-src 'self'; form-action 'self'; frame-ancestors 'none'; base-uri 'none'"

// Entry is one sample page.
type Entry struct {
	Name string
	Ops  bool
	Door bool
	Page func(ctx context.Context) templ.Component
}

// Entries lists the sample pages.
func Entries() []Entry {
	return []Entry{
		{Name: "signin", Door: true, Page: func(ctx context.Context) templ.Component { return signIn(ctx).Page() }},
		{Name: "code", Door: true, Page: func(context.Context) templ.Component {
			return signview.SecondStep{Action: "/login/code", Next: "/"}.Page()
		}},
		{Name: "password", Door: true, Page: func(ctx context.Context) templ.Component { return password(ctx, true).Page() }},
		{Name: "password-own", Page: func(ctx context.Context) templ.Component { return password(ctx, false).Page() }},
		{Name: "setup", Door: true, Page: func(ctx context.Context) templ.Component { return setUp(ctx).Page() }},
		{Name: "sessions", Page: func(ctx context.Context) templ.Component { return sessions(ctx).Page() }},
		{Name: "home", Ops: true, Page: func(ctx context.Context) templ.Component { return home(ctx).Page() }},
		{Name: "work", Ops: true, Page: func(ctx context.Context) templ.Component { return work(ctx).Page() }},
		{Name: "search", Page: func(ctx context.Context) templ.Component { return search(ctx).Page() }},
		{Name: "bills", Page: func(ctx context.Context) templ.Component { return choose(ctx).Page() }},
		{Name: "bill", Page: func(ctx context.Context) templ.Component { return overview(ctx).Page() }},
		{Name: "bill-products", Page: func(ctx context.Context) templ.Component { return byProduct(ctx).Page() }},
		{Name: "bill-lines", Page: func(ctx context.Context) templ.Component { return lines(ctx).Page() }},
		{Name: "bill-lines-empty", Page: func(ctx context.Context) templ.Component { return noLines(ctx).Page() }},
		{Name: "bill-adjustments", Page: func(ctx context.Context) templ.Component { return adjustments(ctx).Page() }},
		{Name: "bill-explain", Page: func(ctx context.Context) templ.Component { return explain(ctx).Page() }},
		{Name: "bill-none", Page: func(ctx context.Context) templ.Component { return noBill(ctx).Page() }},
		{Name: "exports", Page: func(ctx context.Context) templ.Component { return exports(ctx).Page() }},
		{Name: "deliveries", Ops: true, Page: func(ctx context.Context) templ.Component { return deliveries(ctx).Page() }},
		{Name: "delivery", Ops: true, Page: func(ctx context.Context) templ.Component { return delivery(ctx).Page() }},
		{Name: "importing", Ops: true, Page: func(ctx context.Context) templ.Component { return importing(ctx).Page() }},
		{Name: "upload", Ops: true, Page: func(ctx context.Context) templ.Component { return upload(ctx).Page() }},
		{Name: "rules", Ops: true, Page: func(ctx context.Context) templ.Component { return rules(ctx).Page() }},
		{Name: "closes", Ops: true, Page: func(ctx context.Context) templ.Component { return closes(ctx).Page() }},
		{Name: "close", Ops: true, Page: func(ctx context.Context) templ.Component { return closing(ctx).Page() }},
		{Name: "charts", Page: charts},
		{Name: "states", Page: states},
		{Name: "403", Page: func(ctx context.Context) templ.Component {
			return errview.Denied{Item: "BPC_ITEM_FINANCE_020100", Role: pick(ctx, "客户经理", "Account manager"), Helpers: pick(ctx, "闻人澈", "Wenren Che"), Button: to(pick(ctx, "回到主页", "Go home"))}.Page()
		}},
		{Name: "404", Page: func(ctx context.Context) templ.Component {
			return errview.NotFound{Button: to(pick(ctx, "回到主页", "Go home"))}.Page()
		}},
		{Name: "500", Page: func(context.Context) templ.Component { return errview.Failed{RequestID: "0193-7ae2-51c0"}.Page() }},
		{Name: "refused", Ops: true, Page: func(ctx context.Context) templ.Component { return refused(ctx).Page() }},
	}
}

// Handler serves the samples at /{name}?lang=en&theme=dark under the portal's own policy.
func Handler() http.Handler {
	mux := http.NewServeMux()
	mux.Handle("GET "+static.Prefix, static.Handler())
	for _, e := range Entries() {
		mux.HandleFunc("GET /"+e.Name, func(w http.ResponseWriter, r *http.Request) {
			l, _ := i18n.Parse(r.URL.Query().Get("lang"))
			ctx := Context(r.Context(), e, l, layout.ParseTheme(r.URL.Query().Get("theme")))
			var page strings.Builder
			if err := e.Page(ctx).Render(ctx, &page); err != nil {
				http.Error(w, err.Error(), http.StatusInternalServerError)
				return
			}
			w.Header().Set("Content-Type", "text/html; charset=utf-8")
			w.Header().Set("Content-Security-Policy", CSP)
			_, _ = w.Write([]byte(page.String()))
		})
	}
	return mux
}

// Context is a request's context as the portal would make it for a sample person.
func Context(ctx context.Context, e Entry, l i18n.Lang, theme layout.Theme) context.Context {
	ctx = i18n.With(ctx, l)
	env := layout.Env{Theme: theme, Path: "/" + e.Name, Version: "1.0", Deployer: pick(ctx, "澜岭云", "Lanling Cloud")}
	if !e.Door {
		env = signedIn(ctx, env, e.Ops)
	}
	return layout.With(ctx, env)
}

// pick is a sample's own text in the context's language; samples are data, not strings of the portal.
func pick(ctx context.Context, zh, en string) string {
	if i18n.From(ctx) == i18n.En {
		return en
	}
	return zh
}
