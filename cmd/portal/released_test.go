package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

const released = "testdata/released"

// TestReleasedSchemas brings the kept database of every released schema to this program's, on both engines:
// bills are the same to the byte, everything recomputes, and work goes on.
//
// A release keeps its own: PORTAL_KEEP_RELEASE=v1.2 go test ./cmd/portal -run TestReleasedSchemas
// writes NAME.backup (which holds the schema's number and every row), NAME.key and NAME.canonical. Kept
// files never change afterwards.
func TestReleasedSchemas(t *testing.T) {
	if name := os.Getenv("PORTAL_KEEP_RELEASE"); name != "" {
		keepRelease(t, filepath.Join(released, name))
		return
	}
	kept, err := filepath.Glob(released + "/*.backup")
	if err != nil || len(kept) == 0 {
		t.Fatalf("no kept databases: %v", err)
	}
	for _, file := range kept {
		t.Run(filepath.Base(file), func(t *testing.T) {
			eachEngine(t, func(t *testing.T, w *world) { fromRelease(t, w, strings.TrimSuffix(file, ".backup")) })
		})
	}
}

func keepRelease(t *testing.T, base string) {
	w := newWorld(t, "sqlite")
	w.busy()
	w.whole()
	if err := os.MkdirAll(released, 0o755); err != nil {
		t.Fatal(err)
	}
	w.do("backup", base+".backup")
	key, err := os.ReadFile(filepath.Join(w.data, "portal.key"))
	if err == nil {
		err = os.WriteFile(base+".key", key, 0o600)
	}
	if err == nil {
		err = os.WriteFile(base+".canonical", []byte(w.canonical(busyBills...)), 0o644)
	}
	if err != nil {
		t.Fatal(err)
	}
}

func fromRelease(t *testing.T, w *world, base string) {
	key, err := os.ReadFile(base + ".key")
	if err != nil {
		t.Fatal(err)
	}
	if err := os.MkdirAll(w.data, 0o700); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(w.data, "portal.key"), key, 0o600); err != nil {
		t.Fatal(err)
	}
	want, err := os.ReadFile(base + ".canonical")
	if err != nil {
		t.Fatal(err)
	}
	w.do("restore", base+".backup") // into the schema of its time, then brought up to date
	w.do("migrate")
	var bills []string // as listed when they were kept
	for _, line := range strings.Split(string(want), "\n") {
		if partner, cycle, ok := strings.Cut(line, " "); ok && len(cycle) == len("2006-01") && !strings.ContainsAny(partner, "{\"") {
			bills = append(bills, line)
		}
	}
	if len(bills) < 5 {
		t.Fatalf("%d bills are named in %s.canonical", len(bills), base)
	}
	if diff := cmp.Diff(string(want), w.canonical(bills...)); diff != "" {
		t.Errorf("bills differ (-kept +now):\n%.3000s", diff)
	}
	w.whole()
	w.do("import", filepath.Join(samples, "focus-1.0/focus_sample.csv"), "--source", "focus", "--final")
	w.do("close", "--vendor", "ACME", "--cycle", "2024-10", "--issue")
	w.whole()
}
