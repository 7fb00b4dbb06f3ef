package audit

import (
	"crypto/rand"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
)

// Key is the secret of the chain: 32 bytes outside the database.
type Key [32]byte

// ID names the key without revealing it.
func (k Key) ID() string {
	sum := sha256.Sum256(append([]byte("huoban/audit/key-id/v1\n"), k[:]...))
	return hex.EncodeToString(sum[:8])
}

// LoadOrCreateKey reads the key from a file that only its owner may read, or makes the file. A file
// that others may read is refused, because whoever reads it can forge the chain.
func LoadOrCreateKey(path string) (Key, error) {
	k, err := LoadKey(path)
	if !errors.Is(err, fs.ErrNotExist) {
		return k, err
	}
	if _, err := rand.Read(k[:]); err != nil {
		return Key{}, err
	}
	if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
		return Key{}, fmt.Errorf("audit key: %w", err)
	}
	if err := putKey(path, hex.EncodeToString(k[:])+"\n"); err != nil {
		return Key{}, fmt.Errorf("audit key: %w", err)
	}
	return LoadKey(path)
}

// putKey makes the file appear whole or not at all, and never in place of one that another process made
// meanwhile: half a key would keep the portal from ever starting again.
func putKey(path, text string) error {
	f, err := os.CreateTemp(filepath.Dir(path), filepath.Base(path)+".new-")
	if err != nil {
		return err
	}
	defer os.Remove(f.Name())
	_, err = f.WriteString(text)
	if err == nil {
		err = f.Sync()
	}
	if e := f.Close(); err == nil {
		err = e
	}
	if err == nil {
		err = os.Link(f.Name(), path)
	}
	if errors.Is(err, fs.ErrExist) {
		return nil
	}
	return err
}

// LoadKey reads an existing key file.
func LoadKey(path string) (Key, error) {
	info, err := os.Stat(path)
	if err != nil {
		return Key{}, fmt.Errorf("audit key: %w", err)
	}
	if info.Mode().Perm()&0o077 != 0 {
		return Key{}, fmt.Errorf("audit key %s may be read by others: chmod 600 %s", path, path)
	}
	body, err := os.ReadFile(path)
	if err != nil {
		return Key{}, fmt.Errorf("audit key: %w", err)
	}
	raw, err := hex.DecodeString(strings.TrimSpace(string(body)))
	if err != nil || len(raw) != len(Key{}) {
		return Key{}, fmt.Errorf("audit key %s is not 64 hexadecimal digits", path)
	}
	return Key(raw), nil
}
