// Package static serves the portal's own and vendored style sheets, scripts, pictures and templates of files.
//
// It owns their addresses and caching: an address carries the hash of the content and so may be kept
// for a year. It does not own pages. Everything is embedded; nothing is fetched from elsewhere.
package static

import (
	"bytes"
	"compress/gzip"
	"crypto/sha256"
	"embed"
	"encoding/hex"
	"io"
	"io/fs"
	"mime"
	"net/http"
	"path"
	"strconv"
	"strings"
	"sync"
)

//go:embed *.css *.js *.svg *.csv *.xlsx vendor/*.gz vendor/*.js
var files embed.FS

// Prefix is the path under which Handler must be mounted.
const Prefix = "/static/"

type asset struct {
	name, hash, kind string
	body             func() []byte
	packed           func() []byte // gzip of body, made once on first use; nil when it does not help
}

var assets = index()

func index() map[string]*asset {
	out := map[string]*asset{}
	err := fs.WalkDir(files, ".", func(name string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		body, err := files.ReadFile(name)
		if err != nil {
			return err
		}
		sum := sha256.Sum256(body)
		a := &asset{name: strings.TrimSuffix(name, ".gz"), hash: hex.EncodeToString(sum[:6])}
		a.kind = kind(a.name)
		if a.name == name {
			a.body, a.packed = func() []byte { return body }, sync.OnceValue(func() []byte { return pack(body) })
		} else { // a large one is kept as it is sent
			a.body, a.packed = sync.OnceValue(func() []byte { return unpack(body) }), func() []byte { return body }
		}
		out[a.name] = a
		return nil
	})
	if err != nil {
		panic(err)
	}
	return out
}

func kind(name string) string {
	switch path.Ext(name) {
	case ".css":
		return "text/css; charset=utf-8"
	case ".js":
		return "text/javascript; charset=utf-8"
	case ".svg":
		return "image/svg+xml"
	case ".csv":
		return "text/csv; charset=utf-8"
	case ".xlsx":
		return "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
	}
	return mime.TypeByExtension(path.Ext(name))
}

func pack(body []byte) []byte {
	var b bytes.Buffer
	w, err := gzip.NewWriterLevel(&b, gzip.BestCompression)
	if err != nil {
		return nil
	}
	if _, err := w.Write(body); err != nil || w.Close() != nil || b.Len() >= len(body) {
		return nil
	}
	return b.Bytes()
}

// unpack is the content of a file that is embedded packed. It panics on one that was damaged, which any test finds.
func unpack(packed []byte) []byte {
	r, err := gzip.NewReader(bytes.NewReader(packed))
	if err != nil {
		panic("static: " + err.Error())
	}
	body, err := io.ReadAll(r)
	if err != nil {
		panic("static: " + err.Error())
	}
	return body
}

// URL is the address of a file by its name, "portal.css" or "vendor/htmx.min.js". It panics on an
// unknown name: that is a slip of the programmer, found by the first page of any test.
func URL(name string) string {
	a, ok := assets[name]
	if !ok {
		panic("static: no file " + name)
	}
	return Prefix + a.hash + "/" + name
}

// Handler serves the files. An address whose hash is not the current one (a page of an older release)
// gets the current content, which then may not be kept.
func Handler() http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Method != http.MethodGet && r.Method != http.MethodHead {
			w.Header().Set("Allow", "GET, HEAD")
			http.Error(w, http.StatusText(http.StatusMethodNotAllowed), http.StatusMethodNotAllowed)
			return
		}
		hash, name, _ := strings.Cut(strings.TrimPrefix(r.URL.Path, Prefix), "/")
		a, ok := assets[name]
		if !ok {
			http.NotFound(w, r)
			return
		}
		a.serve(w, r, hash == a.hash)
	})
}

func (a *asset) serve(w http.ResponseWriter, r *http.Request, current bool) {
	h := w.Header()
	h.Set("Content-Type", a.kind)
	h.Set("Vary", "Accept-Encoding")
	h.Set("X-Content-Type-Options", "nosniff")
	h.Set("Cache-Control", "no-cache")
	if current {
		h.Set("Cache-Control", "public, max-age=31536000, immutable")
	}
	var body []byte
	tag := `"` + a.hash + `"`
	if acceptsGzip(r.Header.Get("Accept-Encoding")) {
		body = a.packed()
	}
	if body != nil {
		tag = `"` + a.hash + `-gz"`
		h.Set("Content-Encoding", "gzip")
	} else {
		body = a.body()
	}
	h.Set("ETag", tag)
	if strings.Contains(r.Header.Get("If-None-Match"), tag) {
		h.Del("Content-Encoding")
		w.WriteHeader(http.StatusNotModified)
		return
	}
	h.Set("Content-Length", strconv.Itoa(len(body)))
	w.WriteHeader(http.StatusOK)
	if r.Method == http.MethodGet {
		_, _ = w.Write(body) // the client went away; nothing is left to tell it
	}
}

func acceptsGzip(header string) bool {
	for _, part := range strings.Split(header, ",") {
		name, q, _ := strings.Cut(strings.TrimSpace(part), ";")
		if strings.EqualFold(strings.TrimSpace(name), "gzip") {
			return strings.ReplaceAll(q, " ", "") != "q=0"
		}
	}
	return false
}
