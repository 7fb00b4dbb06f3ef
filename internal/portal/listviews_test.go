package portal_test

import (
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/PuerkitoBio/goquery"
)

// viewsOn are the views a page offers: name and address.
func viewsOn(page *goquery.Document) (names, hrefs []string) {
	page.Find("#views .hb-row a").Each(func(_ int, s *goquery.Selection) {
		names, hrefs = append(names, s.Text()), append(hrefs, s.AttrOr("href", ""))
	})
	return names, hrefs
}

// TestViews: a filter that a person names is offered on that list to that person alone, shows the rows it did in the
// month that is looked at, and is given up by its button. A page that is kept is not shown with old ones.
func TestViews(t *testing.T) {
	onBoth(t, func(t *testing.T, w *world) {
		v, other := w.signedIn("finance"), w.signedIn("second")
		for _, x := range []struct{ path, filter string }{{"/o/MUSHI/bills/lines", "kind=refund&product=VM"}, {"/o/MUSHI/expenditure/lines", "kind=tax"}, {"/o/MUSHI/expenditure", "customer=s2"}, {"/o/MUSHI/messages", "unread=yes"}} {
			month := "?cycle=2026-01"
			if strings.HasSuffix(x.path, "messages") {
				month = "?"
			}
			at := x.path + month + "&" + x.filter + "&size=50"
			page := w.page(at, v.get(at), http.StatusOK)
			form := page.Find("#views form").Last()
			next := form.Find("input[name=next]").AttrOr("value", "")
			key := form.Find("input[name=idempotency_key]").AttrOr("value", "")
			for range 2 { // pressed twice
				if r := v.withKey(key).post(form.AttrOr("action", ""), "next", next, "name", " 我的<视图> "); r.status != http.StatusSeeOther || !strings.HasPrefix(r.location, x.path) {
					t.Fatalf("%s: %d %s %s", at, r.status, r.location, text(r.body))
				}
			}
			plain := x.path + month
			page2 := w.page(plain, v.get(plain), http.StatusOK)
			names, hrefs := viewsOn(page2)
			if !slices.Equal(names, []string{"我的<视图>"}) {
				t.Fatalf("%s offers %q", plain, names)
			}
			q, err := url.Parse(hrefs[0])
			w.must(err)
			for _, pair := range strings.Split(x.filter, "&") {
				name, value, _ := strings.Cut(pair, "=")
				if q.Query().Get(name) != value {
					t.Errorf("%s leads to %s", plain, hrefs[0])
				}
			}
			if q.Query().Has("size") || q.Query().Has("after") || month != "?" && q.Query().Get("cycle") != "2026-01" {
				t.Errorf("%s leads to %s", plain, hrefs[0])
			}
			there := w.page(hrefs[0]+"&size=50", v.get(hrefs[0]+"&size=50"), http.StatusOK)
			if rowsText(there) != rowsText(page) {
				t.Errorf("%s shows other rows than %s", hrefs[0], at)
			}
			if there.Find("#views .hb-row a[aria-current=true]").Length() != 1 {
				t.Errorf("%s does not say that it is the view", hrefs[0])
			}
			if names, _ := viewsOn(w.page(plain, other.get(plain), http.StatusOK)); len(names) > 0 {
				t.Errorf("a colleague is offered %q", names)
			}
			if r := other.post("/o/MUSHI/views/removal", "next", next, "name", "我的<视图>"); r.status != http.StatusSeeOther {
				t.Errorf("a colleague removing his own of that name: %d", r.status)
			}
			if r := v.post("/o/MUSHI/views/removal", "next", next, "name", "我的<视图>"); r.status != http.StatusSeeOther {
				t.Errorf("removal: %d", r.status)
			}
			if names, _ := viewsOn(w.page(plain, v.get(plain), http.StatusOK)); len(names) > 0 {
				t.Errorf("after the removal %s offers %q", plain, names)
			}
		}
		if n := w.audited("list.view"); n != 4 {
			t.Errorf("%d entries of naming", n)
		}
	})
}

// TestViewsAreBounded: an address that is not the person's to open, a name that is none and a number beyond the limit
// are refused, and nothing is kept of them.
func TestViewsAreBounded(t *testing.T) {
	w := issuedWorld(t, "")
	v := w.signedIn("finance")
	for _, x := range []struct {
		next, name string
		want       int
	}{{"/o/MUSHI/closes", "x", 404}, {"/o/NOVA/bills", "x", 404}, {"//evil.example/o/MUSHI/bills", "x", 404}, {"https://evil.example/", "x", 404}, {"", "x", 404}, {"/o/MUSHI/nowhere", "x", 404},
		{"/o/MUSHI/messages", "  ", 422}, {"/o/MUSHI/messages", strings.Repeat("长", 41), 422}, {"/o/MUSHI/messages", "a\nb", 422}, {"/o/MUSHI/messages?x=" + strings.Repeat("y", 3000), "x", 400}} {
		if r := v.post("/o/MUSHI/views", "next", x.next, "name", x.name); r.status != x.want && (x.want != 400 || r.status < 400 || r.status >= 500) {
			t.Errorf("%.40q as %.10q: %d, want %d", x.next, x.name, r.status, x.want)
		}
	}
	if r := w.signedIn("stranger").post("/o/MUSHI/views", "next", "/o/MUSHI/messages", "name", "x"); r.status != http.StatusNotFound {
		t.Errorf("a stranger: %d", r.status)
	}
	for i := range 21 {
		want := http.StatusSeeOther
		if i == 20 {
			want = http.StatusConflict
		}
		if r := v.post("/o/MUSHI/views", "next", "/o/MUSHI/messages?category=bill", "name", "v"+strconv.Itoa(i)); r.status != want {
			t.Errorf("view %d: %d, want %d", i+1, r.status, want)
		}
	}
	if r := v.post("/o/MUSHI/views", "next", "/o/MUSHI/messages", "name", "v3"); r.status != http.StatusSeeOther {
		t.Errorf("naming one again: %d", r.status)
	}
	if names, _ := viewsOn(w.page("messages", v.get("/o/MUSHI/messages"), http.StatusOK)); len(names) != 20 {
		t.Errorf("%d views", len(names))
	}
}
