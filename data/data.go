// Package data carries the tables of the demo world and the sample files it imports, packed. Licences:
// data/samples/README.md.
package data

import (
	"bytes"
	"compress/gzip"
	"embed"
	"io"
	"path"
)

// Demo holds the tables of the demo world, and packed copies of the exports it imports.
//
//go:embed demo/*.csv demo/*.csv.gz
var Demo embed.FS

// Sample gives the bytes of a sample export the demo imports, by its path below data, e.g.
// "samples/focus-1.0/focus_sample.csv". It errs for a file the program does not carry.
func Sample(name string) ([]byte, error) {
	packed, err := Demo.ReadFile("demo/" + path.Base(name) + ".gz")
	if err != nil {
		return nil, err
	}
	r, err := gzip.NewReader(bytes.NewReader(packed))
	if err != nil {
		return nil, err
	}
	return io.ReadAll(r)
}
