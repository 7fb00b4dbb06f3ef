package ingest

import (
	"bufio"
	"bytes"
	"errors"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"sort"
	"strings"
	"sync/atomic"

	"github.com/klauspost/compress/gzip"

	"huoban/internal/fault"
)

// Limits bound what a delivery may unpack to.
type Limits struct {
	Bytes int64  // of all parts together
	Parts int    // files, members of archives included
	Ratio int64  // unpacked to packed, looked at from 64 MiB on
	Spool string // folder for members that cannot be read in place; "" = the system's
}

// DefaultLimits are far above any real bill.
var DefaultLimits = Limits{Bytes: 256 << 30, Parts: 20000, Ratio: 1000}

const (
	ratioFrom = 64 << 20
	// archiveDepth allows an archive, and compressed files or one more archive in it.
	archiveDepth = 2
)

// Open expands files, folders, zip, gz, tar, tar.gz and manifests into parts, in the order given and
// by name within a folder or archive. Faults: ingest.path_unreadable, ingest.archive_broken,
// ingest.path_twice, ingest.archive_path, ingest.archive_link, ingest.archive_nested, ingest.limit_bytes,
// ingest.limit_parts, ingest.limit_ratio, ingest.manifest_malformed, ingest.manifest_part,
// ingest.no_parts.
func Open(paths []string) (*Delivery, error) { return OpenWithin(paths, DefaultLimits) }

// OpenWithin is Open with other limits. The caller closes the delivery.
func OpenWithin(paths []string, limits Limits) (*Delivery, error) {
	x := &expander{limits: limits, d: &Delivery{}, taken: map[string]bool{}}
	for _, path := range paths {
		if err := x.path(path); err != nil {
			_ = x.d.Close()
			return nil, err
		}
	}
	if len(x.d.Parts) == 0 {
		_ = x.d.Close()
		return nil, fault.Invalid("ingest.no_parts", nil)
	}
	return x.d, nil
}

// Close removes what was spooled. Parts cannot be opened afterwards.
func (d *Delivery) Close() error {
	if d.spool == "" {
		return nil
	}
	return os.RemoveAll(d.spool)
}

type expander struct {
	limits  Limits
	d       *Delivery
	bytes   int64
	spooled int
	taken   map[string]bool // files on disk
}

// body is a file that can be opened again and again.
type body struct {
	name string
	size int64
	open func() (io.ReadCloser, error)
	path string // on disk, "" if it is a member read in place
}

func diskBody(name, path string, size int64) body {
	return body{name: name, path: path, size: size, open: func() (io.ReadCloser, error) {
		f, err := os.Open(path)
		if err != nil {
			return nil, unreadable(name, err)
		}
		return f, nil
	}}
}

func unreadable(name string, err error) error {
	return fault.Invalid("ingest.path_unreadable", fault.Args{"file": name}).Because(err)
}

func (x *expander) path(path string) error {
	info, err := os.Stat(path)
	if err != nil {
		return unreadable(path, err)
	}
	if info.IsDir() {
		return x.folder(path)
	}
	if !info.Mode().IsRegular() {
		return unreadable(path, errors.New("not a regular file"))
	}
	name := filepath.Base(path)
	if isManifest(name) {
		return x.manifest(path)
	}
	return x.disk(name, path, info.Size())
}

// folder takes the files a cost export can be, by name. Below a manifest only what it lists counts,
// and a manifest below another is a copy of it, as AWS leaves one beside each set of parts.
func (x *expander) folder(root string) error {
	files, manifests, err := x.walk(root)
	if err != nil {
		return err
	}
	sort.Strings(files)
	sort.Slice(manifests, func(i, j int) bool {
		if len(manifests[i]) != len(manifests[j]) {
			return len(manifests[i]) < len(manifests[j])
		}
		return manifests[i] < manifests[j]
	})
	var ruled []string // folders a manifest decides about
	for _, m := range manifests {
		if below(m, ruled) {
			continue
		}
		ruled = append(ruled, filepath.Dir(m)+string(filepath.Separator))
		if err := x.manifest(m); err != nil {
			return err
		}
	}
	for _, path := range files {
		if below(path, ruled) {
			if !x.taken[path] {
				x.d.Ignored = append(x.d.Ignored, relative(root, path))
			}
			continue
		}
		info, err := os.Stat(path)
		if err != nil {
			return unreadable(path, err)
		}
		if err := x.disk(relative(root, path), path, info.Size()); err != nil {
			return err
		}
	}
	return nil
}

func below(path string, folders []string) bool {
	for _, f := range folders {
		if strings.HasPrefix(path, f) {
			return true
		}
	}
	return false
}

func (x *expander) walk(root string) (files, manifests []string, err error) {
	err = filepath.WalkDir(root, func(path string, entry fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		name := entry.Name()
		switch {
		case path != root && strings.HasPrefix(name, "."):
			if entry.IsDir() {
				return filepath.SkipDir
			}
		case entry.IsDir():
		case entry.Type()&fs.ModeSymlink != 0:
			return fault.Invalid("ingest.archive_link", fault.Args{"file": name})
		case isManifest(name):
			manifests = append(manifests, path)
		case isExport(name):
			files = append(files, path)
		default:
			x.d.Ignored = append(x.d.Ignored, relative(root, path))
		}
		return nil
	})
	if f := (*fault.Error)(nil); err != nil && !errors.As(err, &f) {
		err = unreadable(root, err)
	}
	return files, manifests, err
}

// disk adds a file that lies on disk, once: the same file again would bill everything twice.
func (x *expander) disk(name, path string, size int64) error {
	whole, err := filepath.Abs(path)
	if err != nil {
		return unreadable(name, err)
	}
	if x.taken[whole] {
		return fault.Invalid("ingest.path_twice", fault.Args{"file": name})
	}
	x.taken[whole], x.taken[path] = true, true
	return x.expand(diskBody(name, path, size), 0)
}

func relative(root, path string) string {
	rel, err := filepath.Rel(root, path)
	if err != nil {
		return filepath.Base(path)
	}
	return filepath.ToSlash(rel)
}

// isExport tells by its name whether a file in a folder or archive is one to read.
func isExport(name string) bool {
	base := strings.ToLower(filepath.Base(name))
	for _, note := range []string{"readme", "license", "licence", "notice"} {
		if strings.HasPrefix(base, note) {
			return false
		}
	}
	switch strings.ToLower(filepath.Ext(name)) {
	case ".csv", ".tsv", ".txt", ".gz", ".tgz", ".zip", ".tar", ".parquet", ".xlsx":
		return true
	}
	return false
}

// expand looks at the first bytes of a file and adds it, or what is inside it.
func (x *expander) expand(b body, depth int) error {
	head, err := peek(b)
	if err != nil {
		return InFile(b.name, broken(err))
	}
	switch {
	case bytes.HasPrefix(head, []byte{0x1f, 0x8b}):
		return x.gz(b, depth)
	case bytes.HasPrefix(head, []byte("PK\x03\x04")), bytes.HasPrefix(head, []byte("PK\x05\x06")):
		if strings.EqualFold(filepath.Ext(b.name), ".xlsx") {
			return x.add(b, FormatXLSX)
		}
		return x.zip(b, depth)
	case bytes.HasPrefix(head, []byte("PAR1")):
		return x.add(b, FormatParquet)
	case isTar(head), strings.EqualFold(filepath.Ext(b.name), ".tar"):
		return x.tar(b, depth)
	}
	return x.add(b, FormatCSV)
}

func isTar(head []byte) bool { return len(head) >= 262 && string(head[257:262]) == "ustar" }

func peek(b body) ([]byte, error) {
	r, err := b.open()
	if err != nil {
		return nil, err
	}
	defer func() { _ = r.Close() }()
	head := make([]byte, 512)
	n, err := io.ReadFull(r, head)
	if err != nil && err != io.EOF && err != io.ErrUnexpectedEOF {
		return nil, err
	}
	return head[:n], nil
}

func (x *expander) add(b body, f Format) error {
	if len(x.d.Parts) >= x.limits.Parts {
		return fault.Invalid("ingest.limit_parts", fault.Args{"most": x.limits.Parts})
	}
	if b.size > 0 {
		if err := x.count(b.size); err != nil {
			return err
		}
	}
	x.d.Parts = append(x.d.Parts, Part{
		No: len(x.d.Parts) + 1, Name: b.name, Format: f, Size: b.size, open: b.open,
	})
	return nil
}

func (x *expander) count(n int64) error {
	if x.bytes += n; x.bytes > x.limits.Bytes {
		return fault.Invalid("ingest.limit_bytes", fault.Args{"most": x.limits.Bytes})
	}
	return nil
}

// gz is a single compressed file, or a compressed tar.
func (x *expander) gz(b body, depth int) error {
	if depth >= archiveDepth {
		return fault.Invalid("ingest.archive_nested", fault.Args{"file": b.name})
	}
	limits := x.limits
	inner := body{name: trimExt(b.name, ".gz"), size: -1, open: func() (io.ReadCloser, error) {
		packed, err := b.open()
		if err != nil {
			return nil, err
		}
		in := &countingReader{in: packed}
		unpacked, err := gzip.NewReader(bufio.NewReaderSize(in, 64<<10))
		if err != nil {
			_ = packed.Close()
			return nil, fault.Invalid("ingest.archive_broken", fault.Args{"file": b.name}).Because(err)
		}
		return &guarded{in: unpacked, packed: in, closer: packed, limits: limits, name: b.name}, nil
	}}
	head, err := peek(inner)
	if err != nil {
		return InFile(b.name, broken(err))
	}
	if lower := strings.ToLower(b.name); isTar(head) || strings.HasSuffix(lower, ".tar.gz") || strings.HasSuffix(lower, ".tgz") {
		inner.name = b.name
		return x.tar(inner, depth)
	}
	switch {
	case bytes.HasPrefix(head, []byte{0x1f, 0x8b}), bytes.HasPrefix(head, []byte("PK\x03\x04")):
		return fault.Invalid("ingest.archive_nested", fault.Args{"file": b.name})
	case bytes.HasPrefix(head, []byte("PAR1")):
		spooled, err := x.spool(inner)
		if err != nil {
			return err
		}
		return x.add(spooled, FormatParquet)
	}
	return x.add(inner, FormatCSV)
}

func trimExt(name, ext string) string {
	if strings.EqualFold(filepath.Ext(name), ext) {
		return name[:len(name)-len(ext)]
	}
	return name
}

// countingReader counts packed bytes.
type countingReader struct {
	in io.Reader
	n  atomic.Int64
}

func (c *countingReader) Read(p []byte) (int, error) {
	n, err := c.in.Read(p)
	c.n.Add(int64(n))
	return n, err
}

// guarded stops unpacking at the limits and calls a body that ends early broken.
type guarded struct {
	in     io.Reader
	packed *countingReader
	closer io.Closer
	limits Limits
	name   string
	n      int64
}

func (g *guarded) Read(p []byte) (int, error) {
	n, err := g.in.Read(p)
	g.n += int64(n)
	if g.n > g.limits.Bytes {
		return 0, fault.Invalid("ingest.limit_bytes", fault.Args{"most": g.limits.Bytes, "file": g.name})
	}
	if g.n > ratioFrom && g.packed != nil && g.n > g.packed.n.Load()*g.limits.Ratio {
		return 0, fault.Invalid("ingest.limit_ratio", fault.Args{"most": g.limits.Ratio, "file": g.name})
	}
	if err != nil && err != io.EOF {
		err = InFile(g.name, broken(err))
	}
	return n, err
}

func (g *guarded) Close() error { return g.closer.Close() }
