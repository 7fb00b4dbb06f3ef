package portal

import (
	"net/http"
	"strings"

	"huoban/internal/id"
	"huoban/internal/reconcile"
)

// contentPolicy allows our own files and nothing inline; Tabler's style sheet carries small pictures as
// data: URLs.
const contentPolicy = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; font-src 'self'; " +
	"connect-src 'self'; form-action 'self'; frame-ancestors 'none'; base-uri 'none'; object-src 'none'"

// secure sets the headers every answer carries. Pages of signed-in people are never stored by caches.
func secure(https bool) func(http.Handler) http.Handler {
	always := map[string]string{"Content-Security-Policy": contentPolicy, "X-Content-Type-Options": "nosniff", "Referrer-Policy": "same-origin",
		"X-Frame-Options": "DENY", "Cross-Origin-Opener-Policy": "same-origin", "Cross-Origin-Resource-Policy": "same-origin",
		"Permissions-Policy": "camera=(), microphone=(), geolocation=()"}
	if https {
		always["Strict-Transport-Security"] = "max-age=31536000"
	}
	// Made once: answers share the values, which Set replaces and Add copies.
	ready := http.Header{}
	for name, value := range always {
		ready.Set(name, value)
	}
	noStore := []string{"no-store"}
	return func(next http.Handler) http.Handler {
		return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			h := w.Header()
			for name, values := range ready {
				h[name] = values
			}
			if !strings.HasPrefix(r.URL.Path, "/static/") {
				h["Cache-Control"] = noStore
			}
			next.ServeHTTP(w, r)
		})
	}
}

// numbered gives each request a number that error pages, logs and audit rows share. A number from
// outside is not believed.
func numbered(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		number := id.New()
		w.Header().Set("X-Request-Id", number)
		next.ServeHTTP(w, r.WithContext(withNumber(r.Context(), number)))
	})
}

// maxBody bounds a form; uploads have their own bound.
const maxBody = 1 << 20

func bounded(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		limit := int64(maxBody)
		if bringsList(r) {
			limit = reconcile.MaxFile
		} else if isUpload(r) {
			limit = maxUpload
		} else if bringsMetadata(r) {
			limit = maxMetadataForm
		} else if bringsInvoice(r) {
			limit = maxInvoiceForm
		} else if bringsPaper(r) {
			limit = maxPaperForm
		} else if bringsLogo(r) {
			limit = maxLogoForm
		}
		r.Body = http.MaxBytesReader(w, r.Body, limit)
		next.ServeHTTP(w, r)
	})
}

// bringsList tells whether the request may bring a file that is compared and thrown away.
func bringsList(r *http.Request) bool {
	return isUpload(r) && strings.HasSuffix(r.URL.Path, pathReconcile)
}

// maxUpload bounds a delivery handed over in the browser; larger ones come by command.
const maxUpload = 512 << 20
