package backup_test

import (
	"bytes"
	"context"
	"fmt"
	"os"
	"path/filepath"
	"sync"
	"testing"
	"time"

	"huoban/internal/fault"
	"huoban/internal/store"
	"huoban/internal/store/backup"
	"huoban/internal/store/migrate"
	"huoban/internal/store/storetest"
	"huoban/internal/store/transfer"
)

var taken = time.Date(2024, 10, 5, 9, 0, 0, 0, time.UTC)

func TestBackupAndRestore(t *testing.T) {
	pg := storetest.Sample(t, 30)
	lite := storetest.SQLite(t)
	moved, err := transfer.Copy(t.Context(), pg, lite)
	if err != nil {
		t.Fatal(err)
	}
	for _, from := range []*store.DB{pg, lite} {
		file := filepath.Join(t.TempDir(), "portal.backup")
		m, err := backup.Backup(t.Context(), from, file, taken)
		if err != nil {
			t.Fatal(err)
		}
		if m.Digest != moved.Digest || m.Rows != moved.Rows || m.Version != migrate.Latest() || m.TakenAt != "2024-10-05T09:00:00Z" {
			t.Errorf("manifest %+v", m)
		}
		if info, err := os.Stat(file); err != nil || info.Mode().Perm() != 0o600 {
			t.Errorf("the file: %v %v", info, err)
		}
		if _, err := backup.Backup(t.Context(), from, file, taken); !fault.HasCode(err, "backup.file_exists") {
			t.Errorf("a second backup to the same name: %v", err)
		}
		for _, engine := range []store.Engine{store.SQLite, store.Postgres} {
			to := storetest.Bare(t, engine)
			if _, err := backup.Restore(t.Context(), file, to); err != nil {
				t.Fatalf("%s to %s: %v", from.Engine(), engine, err)
			}
			again := filepath.Join(t.TempDir(), "again.backup")
			m2, err := backup.Backup(t.Context(), to, again, taken)
			if err != nil || m2.Digest != m.Digest {
				t.Errorf("%s to %s changed the content: %v", from.Engine(), engine, err)
			}
			if _, err := backup.Restore(t.Context(), file, to); !fault.HasCode(err, "backup.target_not_empty") {
				t.Errorf("a second restore: %v", err)
			}
		}
	}
}

// TestBackupWhileWriting takes backups while pairs of rows are written: none may hold half a pair.
func TestBackupWhileWriting(t *testing.T) {
	add := store.Query{Name: "try.Add", Text: "INSERT INTO kept_file (sha, bytes, chunks, kept_at) VALUES ($1, $2, 1, $3)"}
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		stop := make(chan bool)
		var wg sync.WaitGroup
		wg.Go(func() {
			for i := 0; ; i++ {
				select {
				case <-stop:
					return
				default:
				}
				err := db.InTx(context.Background(), func(ctx context.Context) error {
					for _, side := range []string{"a", "b"} {
						if _, err := db.Exec(ctx, add, fmt.Sprint(side, i), 1, store.At(taken)); err != nil {
							return err
						}
					}
					return nil
				})
				if err != nil {
					t.Error(err)
					return
				}
			}
		})
		for i := range 5 {
			m, err := backup.Backup(t.Context(), db, filepath.Join(t.TempDir(), fmt.Sprint(i)), taken)
			if err != nil {
				t.Error(err)
			}
			if m.Rows%2 != 0 {
				t.Errorf("%d rows: half a pair", m.Rows)
			}
		}
		close(stop)
		wg.Wait()
	})
}

func TestDamagedFilesAreRefused(t *testing.T) {
	lite := storetest.SQLite(t)
	if _, err := transfer.Copy(t.Context(), storetest.Sample(t, 5), lite); err != nil {
		t.Fatal(err)
	}
	folder := t.TempDir()
	file := filepath.Join(folder, "whole")
	if _, err := backup.Backup(t.Context(), lite, file, taken); err != nil {
		t.Fatal(err)
	}
	whole, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	flip := func(at int) []byte {
		b := bytes.Clone(whole)
		b[at] ^= 1
		return b
	}
	n := len(whole)
	for name, c := range map[string]struct {
		body []byte
		code string
	}{
		"empty":           {nil, "backup.not_a_backup"},
		"another file":    {[]byte("PK\x03\x04 some other archive altogether"), "backup.not_a_backup"},
		"mark alone":      {whole[:16], "backup.truncated"},
		"half":            {whole[:n/2], "backup.truncated"},
		"last byte gone":  {whole[:n-1], "backup.truncated"},
		"byte of body":    {flip(100), "backup.altered"},
		"byte of lengths": {flip(n - 8 - 32 - 12), "backup.altered"},
		"byte of sum":     {flip(n - 20), "backup.altered"},
		"more at the end": {append(bytes.Clone(whole), 'x'), "backup.truncated"},
	} {
		path := filepath.Join(folder, name)
		if err := os.WriteFile(path, c.body, 0o600); err != nil {
			t.Fatal(err)
		}
		target := storetest.Bare(t, store.SQLite)
		if _, err := backup.Restore(t.Context(), path, target); !fault.HasCode(err, c.code) {
			t.Errorf("%s: %v, want %s", name, err, c.code)
		}
		if v, err := migrate.Version(t.Context(), target); v != 0 || err != nil {
			t.Errorf("%s: the target was touched", name)
		}
	}
	if _, err := backup.Inspect(t.Context(), file); err != nil {
		t.Error(err)
	}
}
