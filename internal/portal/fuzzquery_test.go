package portal

import (
	"net/http"
	"net/http/httptest"
	"net/url"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/labstack/echo/v4"

	"huoban/internal/bill"
	"huoban/internal/clock"
	"huoban/internal/fault"
	"huoban/internal/organisation"
)

// asked is a request of a partner's administrator with the text behind the question mark.
func asked(query string) *Ctx {
	r := httptest.NewRequest(http.MethodGet, "/o/NOVA/audit", nil)
	r.URL.RawQuery = query
	return &Ctx{Context: echo.New().NewContext(r, httptest.NewRecorder()), Org: organisation.Organisation{Code: "NOVA"}}
}

// refusal fails unless the error is none, or one that blames what was sent.
func refusal(t *testing.T, what, text string, err error) {
	t.Helper()
	if err != nil && !fault.Is(faultOf(err), fault.KindInvalid) && !fault.Is(faultOf(err), fault.KindNotFound) {
		t.Fatalf("%s of %q: %v", what, text, err)
	}
}

// FuzzQuery: whatever stands behind the question mark is a filter, a place and a size, or is refused; the links
// made of it stay on their page and say the same when they are followed.
func FuzzQuery(f *testing.F) {
	for _, s := range []string{"", "cycle=2026-07&customer=C1&zero=all&size=50", "size=-1&size=100", "after=%00&before=e30", "cols=a,b,,a&actor=%20&from=2026-02-30&to=9999-12-31",
		"a=b;c=d", "%zz=1&=2", "size=99999999999999999999", "from=2026-07&to=1899-01-01&outcome=done", "outcome=x", "customer=%ff%fe", "currency=USD&currency=CNY", "page.after=eA", "cycle=0000-00"} {
		f.Add(s)
	}
	h := &Handlers{}
	h.Clock = clock.At(time.Date(2026, 11, 21, 2, 0, 0, 0, time.UTC))
	all := allLists()
	audit := all[slices.IndexFunc(all, func(l *list) bool { return l.kind == "audit" })]
	f.Fuzz(func(t *testing.T, query string) {
		for _, page := range []string{"", "lines"} {
			e, err := h.consumption(asked(query), page)
			refusal(t, "consumption", query, err)
			if e != nil && !slices.Contains(pageSizes, e.size) {
				t.Fatalf("%q: %d rows a page", query, e.size)
			}
			if err == nil {
				stays(t, asked(query).expenditureLink(e, page, "size", "20"), "/o/NOVA/expenditure")
			}
		}
		l, err := asked(query).lineList(&bill.Document{})
		refusal(t, "lines", query, err)
		if !slices.Contains(pageSizes, l.size) || !slices.Contains(pageSizes, audit.size(asked(query))) {
			t.Fatalf("%q: %d rows a page", query, l.size)
		}
		_, err = auditQueryOf(asked(query)).filter()
		refusal(t, "audit", query, err)
		_, err = audit.place(asked(query))
		refusal(t, "place", query, err)
		link := audit.link(asked(query), "actor", "anna")
		stays(t, link, "/o/NOVA/audit")
		_, after, _ := strings.Cut(link, "?")
		if again := audit.link(asked(after), "actor", "anna"); again != link {
			t.Fatalf("%q links to %q, which links to %q", query, link, again)
		}
	})
}

func stays(t *testing.T, link, page string) {
	t.Helper()
	u, err := url.Parse(link)
	if err != nil || u.Host != "" || u.Scheme != "" || !strings.HasPrefix(u.Path, page) || strings.ContainsAny(link, "\r\n\t\x00 \"<>") {
		t.Fatalf("the link %q leaves %s: %v", link, page, err)
	}
}

// FuzzKeys: keys of rows come back from the browser and name a row, or are refused; written again they are
// the same.
func FuzzKeys(f *testing.F) {
	for _, s := range []string{"", "2026-07-01T00:00:00Z a", "0000-01-01T00:00:00Z", `{"c":"x","t":"2026-07-01T00:00:00.000000Z","k":"AAAAAAAAAAAAAAAAAAAAAA==","o":1}`,
		`{"t":"x","k":""}`, `{"o":1e99}`, "null", "[]", "\x00", "\xff"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, key string) {
		at, err := (&list{}).place(asked("before=" + keyText(key)))
		if err != nil || at.key != key || at.back != (key != "") {
			t.Fatalf("%q: %+v: %v", key, at, err)
		}
		m, err := messagePlace(key)
		refusal(t, "message", key, err)
		if again, err := parseCursor(cursorText(&m)); err != nil || !again.At.Equal(m.At) || again.ID != m.ID {
			t.Fatalf("%q: %+v, then %+v: %v", key, m, again, err)
		}
		p, err := parseChangePlace(key)
		refusal(t, "change", key, err)
		if p == nil {
			return
		}
		again, err := parseChangePlace(changePlace(p))
		if err != nil || changePlace(again) != changePlace(p) {
			t.Fatalf("%q: %+v, then %+v: %v", key, p, again, err)
		}
	})
}
