package portal

import (
	"bytes"
	"mime/multipart"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/labstack/echo/v4"

	"huoban/internal/fault"
	"huoban/web/templates/layout"
)

// FuzzPlaces: places in lists of messages come from the browser.
func FuzzPlaces(f *testing.F) {
	for _, s := range []string{"", "MjAyNi0wNy0wMVQwMDowMDowMFogYQ", "MDAwMC0wMS0wMVQwMDowMDowMFogAA", "e30", "%", "bnVsbA"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, text string) {
		for _, err := range []error{second(parseCursor(text))} {
			if err != nil && !fault.Is(err, fault.KindNotFound) {
				t.Fatalf("%q: %v", text, err)
			}
		}
	})
}

func second[T any](_ T, err error) error { return err }

// FuzzForm: a form or a flat JSON object gives fields or a refusal, and never the fields of the address
// as those of the form.
func FuzzForm(f *testing.F) {
	for _, s := range []string{`{"a":"b"}`, `{"a":[1,true,"x"]}`, `{"a":{"b":1}}`, `[]`, `null`, `{"a":1e999}`, `a=b&a=c`, `%zz`, `{"":""}`, "{\"\\u0000\":\"\xff\"}"} {
		f.Add(s, true)
		f.Add(s, false)
	}
	f.Fuzz(func(t *testing.T, body string, asJSON bool) {
		r := httptest.NewRequest(http.MethodPost, "/x?secret=1", strings.NewReader(body))
		r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
		if asJSON {
			r.Header.Set("Content-Type", "application/json")
		}
		c := &Ctx{Context: echo.New().NewContext(r, httptest.NewRecorder())}
		if err := c.readForm(); err != nil {
			if !fault.Is(faultOf(err), fault.KindInvalid) {
				t.Fatalf("%v", err)
			}
			return
		}
		if v := r.PostForm.Get("secret"); v != "" && !strings.Contains(body, "secret") && !strings.Contains(body, `\`) && !strings.Contains(body, "%") {
			t.Fatalf("the address' field became the form's: %q", v)
		}
	})
}

// FuzzUploadName: whatever a browser calls a file, it stays inside the folder.
func FuzzUploadName(f *testing.F) {
	for _, s := range []string{"a.csv", "../../etc/passwd", `..\..\x.csv`, "/etc/passwd", "", ".", "..", ".hidden", "a\x00b.csv", "\u202evsc.exe", strings.Repeat("a", 300), "C:\\x.csv", "a/b/../../../c"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, name string) {
		root := t.TempDir()
		folder := filepath.Join(root, "in")
		if err := os.Mkdir(folder, 0o700); err != nil {
			t.Fatal(err)
		}
		var b bytes.Buffer
		m := multipart.NewWriter(&b)
		for range 2 {
			w, err := m.CreateFormFile("files", name)
			if err != nil {
				return
			}
			if _, err := w.Write([]byte("x")); err != nil {
				t.Fatal(err)
			}
		}
		if err := m.Close(); err != nil {
			t.Fatal(err)
		}
		r := httptest.NewRequest(http.MethodPost, "/", &b)
		r.Header.Set("Content-Type", m.FormDataContentType())
		_, paths, err := receive(r, folder)
		if err != nil && !fault.Is(faultOf(err), fault.KindInvalid) {
			t.Fatalf("%q: %v", name, err)
		}
		for _, p := range paths {
			if filepath.Dir(p) != folder {
				t.Fatalf("%q is written to %s", name, p)
			}
		}
		if all, err := os.ReadDir(root); err != nil || len(all) != 1 {
			t.Fatalf("%q left %v beside the folder: %v", name, all, err)
		}
	})
}

// FuzzNext: after a form nobody is led to another site.
func FuzzNext(f *testing.F) {
	for _, s := range []string{"/o/A/bills?x=1", "//evil.example", "/\\evil.example", "https://evil.example", "/\t/evil.example", "javascript:alert(1)", "/%2f/evil.example", "/\r\nX: y"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, next string) {
		for _, to := range []string{layout.SafeNext(next), withDone(next, "x")} {
			u, err := url.Parse(to)
			if err != nil || u.Host != "" || u.Scheme != "" || !strings.HasPrefix(to, "/") || strings.HasPrefix(to, "//") || strings.ContainsAny(to, "\\\r\n\t\x00") {
				t.Fatalf("%q leads to %q (%v)", next, to, err)
			}
		}
	})
}
