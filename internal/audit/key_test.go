package audit

import (
	"os"
	"path/filepath"
	"testing"
)

func TestKeyFile(t *testing.T) {
	path := filepath.Join(t.TempDir(), "keys", "audit.key")
	k, err := LoadOrCreateKey(path)
	if err != nil {
		t.Fatal(err)
	}
	info, err := os.Stat(path)
	if err != nil || info.Mode().Perm() != 0o600 {
		t.Fatalf("mode %v %v", info.Mode(), err)
	}
	again, err := LoadOrCreateKey(path)
	if err != nil || again != k || k == (Key{}) {
		t.Fatalf("second load: %v", err)
	}
	if err := os.Chmod(path, 0o640); err != nil {
		t.Fatal(err)
	}
	if _, err := LoadOrCreateKey(path); err == nil {
		t.Fatal("a key that others may read was taken")
	}
	if err := os.WriteFile(path, []byte("short\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := os.Chmod(path, 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := LoadOrCreateKey(path); err == nil {
		t.Fatal("a broken key was taken")
	}
	if _, err := LoadKey(path + "x"); err == nil {
		t.Fatal("an absent key was loaded")
	}
}

func TestHashBindsFields(t *testing.T) {
	a := Row{Seq: 1, Actor: "ab", OnBehalf: "c"}
	b := Row{Seq: 1, Actor: "a", OnBehalf: "bc"}
	k := Key{1}
	if string(k.hash(a)) == string(k.hash(b)) {
		t.Fatal("two rows share a hash")
	}
	if string(k.hash(a)) == string(Key{2}.hash(a)) {
		t.Fatal("the key does not matter")
	}
}
