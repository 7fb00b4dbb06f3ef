package portal

import (
	"bytes"
	"context"
	"net/http"
	"runtime"
	"strconv"
	"strings"
	"sync"
	"time"

	"huoban/internal/fault"
	"huoban/internal/i18n"
	"huoban/web/templates/errview"
	"huoban/web/templates/layout"
)

// Lane bounds one kind of request: so many are served at once, so many more wait, and who comes then or
// waits too long is sent away at once. Serving all a little at a time would answer nobody in time.
type Lane struct {
	AtOnce  int
	Waiting int
	Wait    time.Duration
}

// Lanes keep the kinds apart, so that a flood of one leaves room for the others. Health, metrics and
// static files pass without.
type Lanes struct {
	Pages   Lane // everything else
	Door    Lane // signing in and out
	Uploads Lane // deliveries handed over in the browser; each holds a file and an import
}

// DefaultLanes suit the machine: pages need a processor, sign-ins are bounded again by their hashing,
// uploads by disk.
func DefaultLanes() Lanes {
	n := max(8, 4*runtime.GOMAXPROCS(0))
	return Lanes{Pages: Lane{n, 16 * n, 10 * time.Second}, Door: Lane{n, 4 * n, 10 * time.Second}, Uploads: Lane{4, 4, 10 * time.Second}}
}

// comeAgain is when one who was sent away may try again: the queue that was full has passed by then.
const comeAgain = 2

type lane struct {
	Lane
	slots   chan struct{}
	waiting chan struct{}
}

func newLane(l Lane) *lane {
	return &lane{Lane: l, slots: make(chan struct{}, max(1, l.AtOnce)), waiting: make(chan struct{}, max(1, l.Waiting))}
}

// enter waits for a turn; it fails at once when too many wait, and when the caller left.
func (l *lane) enter(ctx context.Context) bool {
	select {
	case l.slots <- struct{}{}:
		return true
	default:
	}
	select {
	case l.waiting <- struct{}{}:
		defer func() { <-l.waiting }()
	default:
		return false
	}
	t := time.NewTimer(l.Wait)
	defer t.Stop()
	select {
	case l.slots <- struct{}{}:
		return true
	case <-t.C:
	case <-ctx.Done():
	}
	return false
}

func (l *lane) leave() { <-l.slots }

// gate lets requests in by their lane.
type gate struct {
	pages, door, uploads *lane

	mu    sync.Mutex
	known map[i18n.Lang][]byte // the page for people who are sent away
}

func newGate(l Lanes) *gate {
	if l == (Lanes{}) {
		l = DefaultLanes()
	}
	return &gate{pages: newLane(l.Pages), door: newLane(l.Door), uploads: newLane(l.Uploads), known: map[i18n.Lang][]byte{}}
}

// isUpload tells a delivery, or corrected rows of one, from any other request: only these may be large.
func isUpload(r *http.Request) bool {
	return r.Method == http.MethodPost && strings.HasPrefix(r.URL.Path, "/o/") &&
		(strings.HasSuffix(r.URL.Path, "/deliveries") || strings.HasSuffix(r.URL.Path, "/quarantine") || strings.HasSuffix(r.URL.Path, pathReconcile) || strings.HasSuffix(r.URL.Path, pathPeakImports)) &&
		strings.HasPrefix(r.Header.Get("Content-Type"), "multipart/form-data")
}

// laneOf is nil for what always passes.
func (g *gate) laneOf(r *http.Request) *lane {
	switch p := r.URL.Path; {
	case p == "/healthz", p == "/readyz", p == "/metrics":
		return nil
	case strings.HasPrefix(p, pathPlatform) && strings.HasSuffix(p, "/login"):
		return g.door
	case p == "/login", strings.HasPrefix(p, "/login/"), p == layout.PathLogout, strings.HasPrefix(p, "/setup/"), strings.HasPrefix(p, pathWelcome):
		return g.door
	case isUpload(r):
		return g.uploads
	}
	return g.pages
}

func (g *gate) handler(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		l := g.laneOf(r)
		if l == nil {
			next.ServeHTTP(w, r)
			return
		}
		if !l.enter(r.Context()) {
			g.sendAway(w, r)
			return
		}
		defer l.leave()
		next.ServeHTTP(w, r)
	})
}

// sendAway costs next to nothing: it asks neither session nor store, and its page is made once.
func (g *gate) sendAway(w http.ResponseWriter, r *http.Request) {
	lang := i18n.FromRequest(r, "")
	w.Header().Set("Retry-After", strconv.Itoa(comeAgain))
	if wantsJSON(r) {
		f := fault.Unavailable("request.overload", nil)
		ctx := i18n.With(r.Context(), lang)
		w.Header().Set("Content-Type", "application/json")
		w.WriteHeader(http.StatusServiceUnavailable)
		_, _ = w.Write([]byte(`{"code":"request.overload","message":` + strconv.Quote(i18n.FaultText(ctx, f)) + "}\n"))
		return
	}
	w.Header().Set("Content-Type", "text/html; charset=UTF-8")
	w.WriteHeader(http.StatusServiceUnavailable)
	_, _ = w.Write(g.page(lang))
}

func (g *gate) page(lang i18n.Lang) []byte {
	g.mu.Lock()
	defer g.mu.Unlock()
	if b := g.known[lang]; b != nil {
		return b
	}
	ctx := layout.With(i18n.With(context.Background(), lang), layout.Env{Path: "/"})
	f := fault.Unavailable("request.overload", nil)
	var b bytes.Buffer
	if err := (errview.Refused{Asked: true, Text: i18n.FaultText(ctx, f)}).Page().Render(ctx, &b); err != nil {
		return []byte(i18n.FaultText(ctx, f))
	}
	g.known[lang] = b.Bytes()
	return b.Bytes()
}

// unhurried takes the server's time limits off a request that may rightly take long: a large file of a
// person who may hand it over, or fetch it, and the import that follows.
func (c *Ctx) unhurried() {
	rc := http.NewResponseController(c.Response())
	_ = rc.SetReadDeadline(time.Time{})  // not supported by a recorder in tests, which has no limits either
	_ = rc.SetWriteDeadline(time.Time{}) // the same
}
