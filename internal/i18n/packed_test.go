package i18n

import (
	"archive/zip"
	"bytes"
	"flag"
	"io/fs"
	"os"
	"path/filepath"
	"testing"
)

var update = flag.Bool("update", false, "pack the catalogues anew")

// TestCataloguesArePacked: the archive the program carries holds the catalogues as they stand in the folder.
func TestCataloguesArePacked(t *testing.T) {
	names, err := filepath.Glob("catalog/*.json")
	if err != nil || len(names) == 0 {
		t.Fatal("no catalogue", err)
	}
	if *update {
		if err := os.WriteFile("catalog.zip", pack(t, names), 0o644); err != nil {
			t.Fatal(err)
		}
		return
	}
	inside, err := fs.Glob(catalogs, "catalog/*.json")
	if err != nil || len(inside) != len(names) {
		t.Errorf("%d catalogues packed of %d (%v): make gen", len(inside), len(names), err)
	}
	for _, name := range names {
		want, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		if got, err := fs.ReadFile(catalogs, name); err != nil || !bytes.Equal(got, want) {
			t.Errorf("%s is packed otherwise (%v): make gen", name, err)
		}
	}
}

// pack makes the same archive of the same files: no times, the order of names.
func pack(t *testing.T, names []string) []byte {
	t.Helper()
	var b bytes.Buffer
	out := zip.NewWriter(&b)
	for _, name := range names {
		body, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		w, err := out.CreateHeader(&zip.FileHeader{Name: name, Method: zip.Deflate})
		if err != nil {
			t.Fatal(err)
		}
		if _, err := w.Write(body); err != nil {
			t.Fatal(err)
		}
	}
	if err := out.Close(); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}
