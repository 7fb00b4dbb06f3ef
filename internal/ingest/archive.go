package ingest

import (
	"archive/tar"
	"archive/zip"
	"encoding/json"
	"errors"
	"io"
	"os"
	"path"
	"path/filepath"
	"sort"
	"strconv"
	"strings"

	"huoban/internal/fault"
)

// member joins an archive and what is in it.
func member(archive, name string) string { return archive + "!/" + name }

// safeMember refuses names that lead out of the archive and passes over what operating systems
// leave in archives. Fault: ingest.archive_path.
func safeMember(archive, name string) (take bool, err error) {
	clean := strings.ReplaceAll(name, `\`, "/")
	if !filepath.IsLocal(filepath.FromSlash(clean)) || path.IsAbs(clean) || strings.Contains(clean, ":/") {
		return false, fault.Invalid("ingest.archive_path", fault.Args{"file": archive, "member": name})
	}
	base := path.Base(clean)
	if strings.HasPrefix(base, ".") || strings.HasPrefix(clean, "__MACOSX/") {
		return false, nil
	}
	return true, nil
}

// zip reads members in place. One that lies on no disk is spooled first.
func (x *expander) zip(b body, depth int) error {
	if depth >= archiveDepth {
		return fault.Invalid("ingest.archive_nested", fault.Args{"file": b.name})
	}
	if b.path == "" {
		spooled, err := x.spool(b)
		if err != nil {
			return err
		}
		b = spooled
	}
	z, err := zip.OpenReader(b.path)
	if err != nil {
		return fault.Invalid("ingest.archive_broken", fault.Args{"file": b.name}).Because(err)
	}
	defer func() { _ = z.Close() }()
	if len(z.File) > x.limits.Parts {
		return fault.Invalid("ingest.limit_parts", fault.Args{"most": x.limits.Parts})
	}
	files := append([]*zip.File(nil), z.File...)
	sort.SliceStable(files, func(i, j int) bool { return files[i].Name < files[j].Name })
	seen := map[string]bool{}
	for _, f := range files {
		take, err := safeMember(b.name, f.Name)
		switch {
		case err != nil:
			return err
		case f.Mode()&os.ModeSymlink != 0:
			return fault.Invalid("ingest.archive_link", fault.Args{"file": member(b.name, f.Name)})
		case f.FileInfo().IsDir() || !take:
			continue
		case seen[f.Name]:
			return fault.Invalid("ingest.archive_broken", fault.Args{"file": member(b.name, f.Name)})
		}
		seen[f.Name] = true
		if !isExport(f.Name) {
			x.d.Ignored = append(x.d.Ignored, member(b.name, f.Name))
			continue
		}
		if err := x.zipMember(b, f, depth); err != nil {
			return err
		}
	}
	return nil
}

func (x *expander) zipMember(b body, f *zip.File, depth int) error {
	name, size := f.Name, int64(f.UncompressedSize64)
	if size < 0 || size > x.limits.Bytes {
		return fault.Invalid("ingest.limit_bytes", fault.Args{"most": x.limits.Bytes, "file": name})
	}
	if size > ratioFrom && size > int64(f.CompressedSize64)*x.limits.Ratio {
		return fault.Invalid("ingest.limit_ratio", fault.Args{"most": x.limits.Ratio, "file": name})
	}
	inner := body{name: member(b.name, name), size: size}
	limits := x.limits
	limits.Bytes = size // a member that unpacks to more than it declares is broken
	inner.open = func() (io.ReadCloser, error) { return openZipMember(b.path, name, inner.name, limits) }
	format := strings.ToLower(path.Ext(name))
	if format == ".parquet" || format == ".xlsx" {
		spooled, err := x.spool(inner)
		if err != nil {
			return err
		}
		inner = spooled
	}
	return x.expand(inner, depth+1)
}

// zipBody closes the member and its archive.
type zipBody struct {
	guarded
	archive io.Closer
}

func (z *zipBody) Close() error { return errors.Join(z.closer.Close(), z.archive.Close()) }

func openZipMember(archive, name, label string, limits Limits) (io.ReadCloser, error) {
	z, err := zip.OpenReader(archive)
	if err != nil {
		return nil, fault.Invalid("ingest.archive_broken", fault.Args{"file": label}).Because(err)
	}
	for _, f := range z.File {
		if f.Name != name {
			continue
		}
		r, err := f.Open()
		if err != nil {
			_ = z.Close()
			return nil, fault.Invalid("ingest.archive_broken", fault.Args{"file": label}).Because(err)
		}
		return &zipBody{guarded{in: r, closer: r, limits: limits, name: label}, z}, nil
	}
	_ = z.Close()
	return nil, fault.Invalid("ingest.archive_broken", fault.Args{"file": label})
}

// tar can only be read from front to back, so its members are spooled to disk.
func (x *expander) tar(b body, depth int) error {
	if depth >= archiveDepth {
		return fault.Invalid("ingest.archive_nested", fault.Args{"file": b.name})
	}
	in, err := b.open()
	if err != nil {
		return err
	}
	defer func() { _ = in.Close() }()
	var members []body
	for t := tar.NewReader(in); ; {
		h, err := t.Next()
		if err == io.EOF {
			break
		}
		if err != nil {
			return tarBroken(b.name, err)
		}
		take, err := safeMember(b.name, h.Name)
		if err != nil {
			return err
		}
		switch h.Typeflag {
		case tar.TypeReg:
		case tar.TypeDir, tar.TypeXGlobalHeader:
			continue
		default:
			return fault.Invalid("ingest.archive_link", fault.Args{"file": member(b.name, h.Name)})
		}
		switch {
		case !take:
			continue
		case !isExport(h.Name):
			x.d.Ignored = append(x.d.Ignored, member(b.name, h.Name))
			continue
		case len(members) >= x.limits.Parts:
			return fault.Invalid("ingest.limit_parts", fault.Args{"most": x.limits.Parts})
		}
		spooled, err := x.spoolReader(member(b.name, h.Name), t)
		if err != nil {
			return tarBroken(b.name, err)
		}
		members = append(members, spooled)
	}
	// The rest of the packed stream holds its checksum.
	if _, err := io.Copy(io.Discard, in); err != nil {
		return tarBroken(b.name, err)
	}
	sort.SliceStable(members, func(i, j int) bool { return members[i].name < members[j].name })
	for _, m := range members {
		if err := x.expand(m, depth+1); err != nil {
			return err
		}
	}
	return nil
}

func tarBroken(name string, err error) error {
	if f := (*fault.Error)(nil); errors.As(err, &f) {
		return f
	}
	return fault.Invalid("ingest.archive_broken", fault.Args{"file": name}).Because(err)
}

// spool copies a member to disk so that it can be opened again and read at any place.
func (x *expander) spool(b body) (body, error) {
	in, err := b.open()
	if err != nil {
		return body{}, err
	}
	defer func() { _ = in.Close() }()
	return x.spoolReader(b.name, in)
}

func (x *expander) spoolReader(name string, in io.Reader) (body, error) {
	if x.d.spool == "" {
		dir, err := os.MkdirTemp(x.limits.Spool, "delivery-")
		if err != nil {
			return body{}, err
		}
		x.d.spool = dir
	}
	x.spooled++
	to := filepath.Join(x.d.spool, strconv.Itoa(x.spooled))
	f, err := os.OpenFile(to, os.O_CREATE|os.O_EXCL|os.O_WRONLY, 0o600)
	if err != nil {
		return body{}, err
	}
	n, err := io.Copy(f, io.LimitReader(in, x.limits.Bytes-x.bytes+1))
	if err = errors.Join(err, f.Close()); err != nil {
		return body{}, err
	}
	if x.bytes+n > x.limits.Bytes {
		return body{}, fault.Invalid("ingest.limit_bytes", fault.Args{"most": x.limits.Bytes})
	}
	return diskBody(name, to, n), nil
}

// isManifest tells by its name whether a file lists the parts of an export.
func isManifest(name string) bool {
	return strings.HasSuffix(strings.ToLower(name), "manifest.json")
}

// manifest takes the parts it lists: AWS CUR (reportKeys), AWS Data Exports (dataFiles) and Azure
// exports (blobs). Keys are looked for below the manifest's folder by their longest
// suffix that exists there, as buckets are copied whole or in part.
func (x *expander) manifest(file string) error {
	text, err := os.ReadFile(file)
	if err != nil {
		return unreadable(file, err)
	}
	var m struct {
		ReportKeys []string `json:"reportKeys"`
		DataFiles  []string `json:"dataFiles"`
		Blobs      []struct {
			Name string `json:"blobName"`
		} `json:"blobs"`
	}
	if err := json.Unmarshal(text, &m); err != nil {
		return fault.Invalid("ingest.manifest_malformed", fault.Args{"file": filepath.Base(file)}).Because(err)
	}
	keys := append(m.ReportKeys, m.DataFiles...)
	for _, b := range m.Blobs {
		keys = append(keys, b.Name)
	}
	if len(keys) == 0 {
		return fault.Invalid("ingest.manifest_malformed", fault.Args{"file": filepath.Base(file)})
	}
	for _, key := range keys {
		at, info, err := findKey(filepath.Dir(file), key)
		if err != nil {
			return err
		}
		if err := x.disk(relative(filepath.Dir(file), at), at, info.Size()); err != nil {
			return err
		}
	}
	return nil
}

func findKey(dir, key string) (string, os.FileInfo, error) {
	clean := strings.TrimPrefix(key, "s3://")
	if !filepath.IsLocal(filepath.FromSlash(clean)) {
		return "", nil, fault.Invalid("ingest.archive_path", fault.Args{"file": "manifest", "member": key})
	}
	steps := strings.Split(path.Clean(clean), "/")
	for i := range steps {
		at := filepath.Join(dir, filepath.Join(steps[i:]...))
		info, err := os.Lstat(at)
		if err != nil {
			continue
		}
		if !info.Mode().IsRegular() {
			return "", nil, fault.Invalid("ingest.archive_link", fault.Args{"file": key})
		}
		return at, info, nil
	}
	return "", nil, fault.Invalid("ingest.manifest_part", fault.Args{"file": key})
}
