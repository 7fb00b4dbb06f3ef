package backup

import (
	"bufio"
	"context"
	"crypto/sha256"
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"hash"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"time"

	"github.com/klauspost/compress/zstd"

	"huoban/internal/fault"
	"huoban/internal/store"
	"huoban/internal/store/migrate"
	"huoban/internal/store/transfer"
)

const (
	startMark = "PORTAL-BACKUP-1\n"
	endMark   = "PBACKEND"
	// formatVersion grows when an older program could not read the file.
	formatVersion = 1
	footerSize    = 8 + 8 + sha256.Size + len(endMark)
)

// Manifest says what a backup holds.
type Manifest struct {
	Format  int              `json:"format"`
	Version int64            `json:"schema_version"`
	Engine  store.Engine     `json:"engine"`
	TakenAt string           `json:"taken_at"`
	Rows    int64            `json:"rows"`
	Digest  string           `json:"digest"`
	Tables  []transfer.Proof `json:"tables"`
}

// Backup writes one snapshot of the database to a new file, while others go on writing; now is the time
// that stands in it. The file appears under its name only when it is whole and on disk. Faults:
// backup.file_exists, backup.not_migrated.
func Backup(ctx context.Context, db *store.DB, file string, now time.Time) (Manifest, error) {
	pending, err := migrate.Pending(ctx, db)
	if err != nil {
		return Manifest{}, err
	}
	if pending > 0 {
		return Manifest{}, fault.Conflict("backup.not_migrated", fault.Args{"pending": pending})
	}
	if _, err := os.Lstat(file); !errors.Is(err, fs.ErrNotExist) {
		return Manifest{}, fault.Conflict("backup.file_exists", fault.Args{"file": file}).Because(err)
	}
	part, err := os.OpenFile(file+".part", os.O_CREATE|os.O_TRUNC|os.O_WRONLY, 0o600)
	if err != nil {
		return Manifest{}, fault.Invalid("backup.unwritable", fault.Args{"file": file}).Because(err)
	}
	m := Manifest{Format: formatVersion, Version: migrate.Latest(), Engine: db.Engine(), TakenAt: now.UTC().Format(time.RFC3339)}
	err = write(ctx, db, part, &m)
	if err == nil {
		err = part.Sync()
	}
	if e := part.Close(); err == nil {
		err = e
	}
	if err == nil {
		err = os.Rename(file+".part", file)
	}
	if err == nil {
		err = syncFolder(filepath.Dir(file))
	}
	if err != nil {
		_ = os.Remove(file + ".part")
		return Manifest{}, fmt.Errorf("backup: %w", err)
	}
	return m, nil
}

func syncFolder(path string) error {
	d, err := os.Open(path)
	if err != nil {
		return err
	}
	defer d.Close()
	return d.Sync()
}

// counted passes bytes on, counts and hashes them.
type counted struct {
	w    io.Writer
	hash hash.Hash
	n    int64
}

func (c *counted) Write(p []byte) (int, error) {
	n, err := c.w.Write(p)
	c.hash.Write(p[:n])
	c.n += int64(n)
	return n, err
}

func write(ctx context.Context, db *store.DB, to io.Writer, m *Manifest) error {
	buffered := bufio.NewWriterSize(to, 1<<16)
	out := &counted{w: buffered, hash: sha256.New()}
	if _, err := io.WriteString(out, startMark); err != nil {
		return err
	}
	z, err := zstd.NewWriter(out, zstd.WithEncoderConcurrency(1), zstd.WithWindowSize(1<<20))
	if err != nil {
		return err
	}
	if err := db.InRead(ctx, func(ctx context.Context) error { return writeTables(ctx, db, z, m) }); err != nil {
		z.Close()
		return err
	}
	if err := z.Close(); err != nil {
		return err
	}
	body := out.n - int64(len(startMark))
	manifest, err := json.Marshal(m)
	if err != nil {
		return err
	}
	footer := binary.BigEndian.AppendUint64(nil, uint64(body))
	footer = binary.BigEndian.AppendUint64(footer, uint64(len(manifest)))
	if _, err := out.Write(append(manifest, footer...)); err != nil {
		return err
	}
	if _, err := buffered.Write(append(out.hash.Sum(nil), endMark...)); err != nil {
		return err
	}
	return buffered.Flush()
}

func writeTables(ctx context.Context, db *store.DB, z io.Writer, m *Manifest) error {
	tables, err := db.Tables(ctx)
	if err != nil {
		return err
	}
	if tables, err = store.InReferenceOrder(tables); err != nil {
		return err
	}
	out := bufio.NewWriterSize(z, 1<<16)
	for _, t := range tables {
		p, err := writeTable(ctx, db, out, t)
		if err != nil {
			return fmt.Errorf("%s: %w", t.Name, err)
		}
		m.Tables, m.Rows = append(m.Tables, p), m.Rows+p.Rows
	}
	m.Digest = transfer.Whole(m.Tables)
	writeText(out, "")
	return out.Flush()
}

func writeTable(ctx context.Context, db *store.DB, out *bufio.Writer, t store.Table) (transfer.Proof, error) {
	columns := transfer.Columns(t)
	writeText(out, t.Name)
	_, _ = out.Write(binary.AppendUvarint(nil, uint64(len(columns))))
	for _, c := range columns {
		writeText(out, c)
	}
	r, err := transfer.Read(ctx, db, t)
	if err != nil {
		return transfer.Proof{}, err
	}
	defer r.Close()
	for {
		row, canon, err := r.Next()
		if err != nil {
			return transfer.Proof{}, err
		}
		if row == nil {
			return r.Tally.Proof(), out.WriteByte(0)
		}
		_ = out.WriteByte(1) // a failed write is kept by the buffer and comes back from the next
		if _, err := out.Write(canon); err != nil {
			return transfer.Proof{}, err
		}
	}
}

func writeText(out *bufio.Writer, s string) {
	_, _ = out.Write(binary.AppendUvarint(nil, uint64(len(s))))
	_, _ = out.WriteString(s)
}
