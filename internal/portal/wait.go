package portal

import (
	"bytes"
	"encoding/json"
	"net/http"
	"strings"

	"huoban/internal/i18n"
	"huoban/web/static"
	"huoban/web/templates/layout"
	"huoban/web/templates/waitview"
)

// Waiting is how far the work is that keeps the portal closed. Key is the message key of the step, Cycle
// its argument.
type Waiting struct {
	Done, Total int
	Key, Cycle  string
}

// Wait answers while the portal is not ready: every page shows the progress and asks again by itself,
// programs are told to come back, and nothing of the portal is reachable.
func Wait(baseURL string, now func() Waiting) http.Handler {
	mux := http.NewServeMux()
	mux.Handle(static.Prefix, static.Handler())
	mux.HandleFunc("GET /healthz", func(w http.ResponseWriter, _ *http.Request) { _, _ = w.Write([]byte("ok\n")) })
	mux.HandleFunc("GET /readyz", func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Retry-After", waitSeconds)
		http.Error(w, "not ready", http.StatusServiceUnavailable)
	})
	mux.HandleFunc("POST "+layout.PathLanguage, prefer("language", i18n.CookieName, func(v string) bool { _, ok := i18n.Parse(v); return ok }))
	mux.HandleFunc("POST "+layout.PathTheme, prefer("theme", waitTheme, func(v string) bool { return layout.ParseTheme(v) != layout.ThemeAuto }))
	mux.HandleFunc("/", func(w http.ResponseWriter, r *http.Request) { wait(w, r, now()) })
	return secure(strings.HasPrefix(baseURL, "https://"))(http.NewCrossOriginProtection().Handler(mux))
}

const (
	waitSeconds = "2" // seconds
	waitTheme   = "theme"
)

func wait(w http.ResponseWriter, r *http.Request, at Waiting) {
	ctx := i18n.With(r.Context(), i18n.FromRequest(r, ""))
	step := ""
	if at.Key != "" {
		step = i18n.T(ctx, at.Key, "Cycle", at.Cycle)
	}
	h := w.Header()
	h.Set("Retry-After", waitSeconds)
	h.Add("Vary", "Accept, Accept-Language, Cookie")
	if wantsJSON(r) {
		h.Set("Content-Type", "application/json; charset=utf-8")
		w.WriteHeader(http.StatusServiceUnavailable)
		_ = json.NewEncoder(w).Encode(map[string]any{"code": "portal.preparing", "message": i18n.T(ctx, "waitview.title"), "step": step,
			"done": at.Done, "total": at.Total})
		return
	}
	env := layout.Env{Path: r.URL.RequestURI()}
	if r.Method != http.MethodGet {
		env.Path = "/"
	}
	if c, err := r.Cookie(waitTheme); err == nil {
		env.Theme = layout.ParseTheme(c.Value)
	}
	var page bytes.Buffer
	if err := (waitview.Wait{Done: at.Done, Total: at.Total, Step: step}).Page().Render(layout.With(ctx, env), &page); err != nil {
		http.Error(w, "not ready", http.StatusServiceUnavailable)
		return
	}
	h.Set("Content-Type", "text/html; charset=utf-8")
	h.Set("Refresh", waitSeconds)
	w.WriteHeader(http.StatusServiceUnavailable)
	_, _ = w.Write(page.Bytes())
}

// prefer keeps a choice in a cookie, because there is no session yet.
func prefer(field, cookie string, known func(string) bool) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		r.Body = http.MaxBytesReader(w, r.Body, 4<<10)
		if v := r.FormValue(field); known(v) {
			http.SetCookie(w, &http.Cookie{Name: cookie, Value: v, Path: "/", MaxAge: 3600, HttpOnly: true, SameSite: http.SameSiteLaxMode})
		}
		http.Redirect(w, r, layout.SafeNext(r.FormValue("next")), http.StatusSeeOther)
	}
}
