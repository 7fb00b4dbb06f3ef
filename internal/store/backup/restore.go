package backup

import (
	"bufio"
	"context"
	"crypto/sha256"
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"slices"

	"github.com/klauspost/compress/zstd"

	"huoban/internal/fault"
	"huoban/internal/store"
	"huoban/internal/store/migrate"
	"huoban/internal/store/transfer"
)

// maxName bounds a name in the file, maxManifest its manifest, against damaged lengths.
const (
	maxName     = 200
	maxManifest = 16 << 20
)

// Restore checks the whole file, migrates the empty target to the schema of the backup, fills it in one
// transaction, compares it with the manifest, and brings it to this program's schema. Faults:
// backup.target_not_empty, backup.not_a_backup, backup.truncated, backup.altered, backup.newer,
// backup.target_newer, backup.schema_differs, backup.unreadable.
func Restore(ctx context.Context, file string, target *store.DB) (Manifest, error) {
	f, err := os.Open(file)
	if err != nil {
		return Manifest{}, fault.Invalid("backup.unreadable", fault.Args{"file": file}).Because(err)
	}
	defer f.Close()
	m, body, err := inspect(ctx, f)
	if err != nil {
		return Manifest{}, err
	}
	if m.Format > formatVersion || m.Version > migrate.Latest() {
		return Manifest{}, fault.Conflict("backup.newer", fault.Args{"backup": m.Version, "program": migrate.Latest()})
	}
	empty, err := transfer.Empty(ctx, target)
	if err != nil {
		return Manifest{}, err
	}
	if !empty {
		return Manifest{}, fault.Conflict("backup.target_not_empty", nil)
	}
	if err := prepare(ctx, target, m.Version); err != nil {
		return Manifest{}, err
	}
	if err := fill(ctx, target, m, file, body); err != nil {
		if fault.HasCode(err, "transfer.target_not_empty") {
			return Manifest{}, fault.Conflict("backup.target_not_empty", nil).Because(err)
		}
		return Manifest{}, err
	}
	_, err = migrate.Run(ctx, target)
	return m, err
}

// Inspect checks a file from end to end and gives its manifest, without a database.
func Inspect(ctx context.Context, file string) (Manifest, error) {
	f, err := os.Open(file)
	if err != nil {
		return Manifest{}, fault.Invalid("backup.unreadable", fault.Args{"file": file}).Because(err)
	}
	defer f.Close()
	m, _, err := inspect(ctx, f)
	return m, err
}

// prepare brings the target to the backup's own schema. A target that is further already cannot go back.
func prepare(ctx context.Context, target *store.DB, version int64) error {
	has, err := migrate.Version(ctx, target)
	if err != nil {
		return err
	}
	if has > version {
		return fault.Conflict("backup.target_newer", fault.Args{"backup": version, "database": has})
	}
	_, err = migrate.To(ctx, target, version)
	return err
}

// inspect reads marks, lengths and the checksum, and gives the manifest and the body.
func inspect(ctx context.Context, f *os.File) (Manifest, *io.SectionReader, error) {
	info, err := f.Stat()
	if err != nil {
		return Manifest{}, nil, fmt.Errorf("backup: %w", err)
	}
	start := make([]byte, len(startMark))
	if _, err := io.ReadFull(f, start); err != nil || string(start) != startMark {
		return Manifest{}, nil, fault.Invalid("backup.not_a_backup", fault.Args{"file": f.Name()})
	}
	footer := make([]byte, footerSize)
	end := info.Size() - int64(footerSize)
	if end < int64(len(startMark)) {
		return Manifest{}, nil, truncated(f)
	}
	if _, err := f.ReadAt(footer, end); err != nil {
		return Manifest{}, nil, fmt.Errorf("backup: %w", err)
	}
	if string(footer[footerSize-len(endMark):]) != endMark {
		return Manifest{}, nil, truncated(f)
	}
	body, length := binary.BigEndian.Uint64(footer), binary.BigEndian.Uint64(footer[8:])
	if length > maxManifest || body > uint64(end) || uint64(len(startMark))+body+length != uint64(end) {
		return Manifest{}, nil, altered(f, nil)
	}
	if err := checkSum(ctx, f, end, footer); err != nil {
		return Manifest{}, nil, err
	}
	text := make([]byte, length)
	if _, err := f.ReadAt(text, int64(len(startMark))+int64(body)); err != nil {
		return Manifest{}, nil, fmt.Errorf("backup: %w", err)
	}
	var m Manifest
	if err := json.Unmarshal(text, &m); err != nil {
		return Manifest{}, nil, altered(f, err)
	}
	return m, io.NewSectionReader(f, int64(len(startMark)), int64(body)), nil
}

func checkSum(ctx context.Context, f *os.File, end int64, footer []byte) error {
	sum := sha256.New()
	all := io.NewSectionReader(f, 0, end+16)
	for buffer := make([]byte, 1<<20); ; {
		if err := ctx.Err(); err != nil {
			return err
		}
		n, err := all.Read(buffer)
		sum.Write(buffer[:n])
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			return fmt.Errorf("backup: %w", err)
		}
	}
	if !slices.Equal(sum.Sum(nil), footer[16:16+sha256.Size]) {
		return altered(f, nil)
	}
	return nil
}

func truncated(f *os.File) error {
	return fault.Invalid("backup.truncated", fault.Args{"file": f.Name()})
}

func altered(f *os.File, cause error) error {
	return fault.Invalid("backup.altered", fault.Args{"file": f.Name()}).Because(cause)
}

// section is the tables of the body one after another.
type section struct{ r *bufio.Reader }

func fill(ctx context.Context, target *store.DB, m Manifest, file string, body io.Reader) error {
	z, err := zstd.NewReader(body, zstd.WithDecoderConcurrency(1), zstd.WithDecoderMaxMemory(64<<20))
	if err != nil {
		return fmt.Errorf("backup: %w", err)
	}
	defer z.Close()
	in := section{bufio.NewReaderSize(z, 1<<16)}
	proofs := map[string]transfer.Proof{}
	for _, p := range m.Tables {
		proofs[p.Table] = p
	}
	tables, err := target.Tables(ctx)
	if err != nil {
		return err
	}
	for _, t := range tables {
		if _, known := proofs[t.Name]; !known || len(tables) != len(proofs) {
			return fault.Conflict("backup.schema_differs", fault.Args{"table": t.Name})
		}
	}
	return transfer.Fill(ctx, target, tables, func(ctx context.Context, t store.Table) (transfer.Proof, error) {
		if err := in.head(t); err != nil {
			return transfer.Proof{}, err
		}
		columns := transfer.Columns(t)
		tally := transfer.NewTally(t.Name, columns)
		row := make([]any, len(columns))
		p, err := transfer.Write(ctx, target, t, tally, func() ([]any, error) { return in.row(row, tally) })
		if err != nil {
			return p, err
		}
		if want := proofs[t.Name]; want.Digest != p.Digest || want.Rows != p.Rows {
			return p, fault.Invalid("backup.altered", fault.Args{"file": file})
		}
		return p, nil
	})
}

func (s section) text() (string, error) {
	n, err := binary.ReadUvarint(s.r)
	if err != nil {
		return "", err
	}
	if n > maxName {
		return "", fmt.Errorf("a name of %d bytes", n)
	}
	b := make([]byte, n)
	_, err = io.ReadFull(s.r, b)
	return string(b), err
}

// head reads the next table's name and columns, which must be those that are expected here.
func (s section) head(t store.Table) error {
	name, err := s.text()
	if err != nil {
		return err
	}
	n, err := binary.ReadUvarint(s.r)
	if err != nil {
		return err
	}
	want := transfer.Columns(t)
	if name != t.Name || n != uint64(len(want)) {
		return fault.Conflict("backup.schema_differs", fault.Args{"table": t.Name})
	}
	for _, c := range want {
		got, err := s.text()
		if err != nil {
			return err
		}
		if got != c {
			return fault.Conflict("backup.schema_differs", fault.Args{"table": t.Name})
		}
	}
	return nil
}

func (s section) row(row []any, tally *transfer.Tally) ([]any, error) {
	more, err := s.r.ReadByte()
	if err != nil || more == 0 {
		return nil, err
	}
	for i := range row {
		if row[i], err = transfer.ReadValue(s.r); err != nil {
			return nil, err
		}
	}
	_, err = tally.Add(row)
	return row, err
}
