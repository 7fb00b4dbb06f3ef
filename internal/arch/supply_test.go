package arch

import (
	"crypto/sha256"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

const (
	root        = "../.."
	licenceFile = root + "/docs/licences.md"
)

// shipped is a module whose packages are part of the program.
type shipped struct{ Path, Version, Dir string }

func shippedModules(t *testing.T) []shipped {
	t.Helper()
	cmd := exec.Command("go", "list", "-deps", "-json=Module,CgoFiles,ImportPath,Standard", "./cmd/portal")
	cmd.Dir, cmd.Env = root, append(os.Environ(), "CGO_ENABLED=0")
	out, err := cmd.Output()
	if err != nil {
		t.Fatal(err)
	}
	seen := map[string]shipped{}
	for dec := json.NewDecoder(strings.NewReader(string(out))); ; {
		var p struct {
			ImportPath string
			Standard   bool
			CgoFiles   []string
			Module     *struct {
				Path, Version, Dir string
				Main               bool
				Replace            *struct{ Path, Version, Dir string }
			}
		}
		if err := dec.Decode(&p); err == io.EOF {
			break
		} else if err != nil {
			t.Fatal(err)
		}
		if len(p.CgoFiles) > 0 || p.ImportPath == "runtime/cgo" {
			t.Errorf("%s brings cgo", p.ImportPath)
		}
		if p.Module == nil || p.Module.Main {
			continue
		}
		m := shipped{p.Module.Path, p.Module.Version, p.Module.Dir}
		if r := p.Module.Replace; r != nil {
			m = shipped{r.Path, r.Version, r.Dir}
		}
		seen[m.Path] = m
	}
	var all []shipped
	for _, m := range seen {
		all = append(all, m)
	}
	slices.SortFunc(all, func(a, b shipped) int { return strings.Compare(a.Path, b.Path) })
	return all
}

// licenceOf names the licence by words that stand in no other, and gives the file.
func licenceOf(dir string) (name, file string) {
	found, _ := filepath.Glob(filepath.Join(dir, "LICEN[SC]E*"))
	more, _ := filepath.Glob(filepath.Join(dir, "COPYING*"))
	for _, path := range append(found, more...) {
		body, err := os.ReadFile(path)
		if err != nil {
			continue
		}
		text := strings.ToLower(strings.Join(strings.Fields(string(body)), " "))
		for _, l := range []struct{ words, name string }{
			{"apache license version 2.0", "Apache-2.0"}, {"mozilla public license", "MPL-2.0"}, {"gnu ", "GPL family"},
			{"neither the name", "BSD-3-Clause"}, {"names of its contributors may", "BSD-3-Clause"}, {"redistribution and use in source and binary forms", "BSD-2-Clause"},
			{"permission is hereby granted, free of charge", "MIT"}, {"permission to use, copy, modify, and", "ISC"}, {"released into the public domain", "Unlicense"},
		} {
			if strings.Contains(text, l.words) {
				return l.name, filepath.Base(path)
			}
		}
	}
	return "", ""
}

// mayShip are the licences whose terms the program keeps by naming its parts.
var mayShip = []string{"MIT", "BSD-2-Clause", "BSD-3-Clause", "Apache-2.0", "ISC", "MPL-2.0"}

// TestLicences: docs/licences.md lists every part that is shipped, with its licence and, for files taken
// over as they are, their checksum. PORTAL_UPDATE=1 writes it anew.
func TestLicences(t *testing.T) {
	var b strings.Builder
	b.WriteString("# Licences of what is shipped\n\nWritten by `PORTAL_UPDATE=1 go test -run TestLicences ./internal/arch`; the test fails when a part or a checksum differs.\n" +
		"`go mod verify` compares the modules with `go.sum`.\n\n## Go modules\n\n| module | version | licence |\n|---|---|---|\n")
	for _, m := range shippedModules(t) {
		name, _ := licenceOf(m.Dir)
		if !slices.Contains(mayShip, name) {
			t.Errorf("%s %s has licence %q, which nobody has allowed", m.Path, m.Version, name)
		}
		fmt.Fprintf(&b, "| %s | %s | %s |\n", m.Path, m.Version, name)
	}
	b.WriteString("\n## Files taken over\n\n| file | SHA-256 |\n|---|---|\n")
	for _, folder := range []string{"web/static/vendor", "internal/billdoc/font"} {
		files, err := os.ReadDir(filepath.Join(root, folder))
		if err != nil {
			t.Fatal(err)
		}
		for _, f := range files {
			body, err := os.ReadFile(filepath.Join(root, folder, f.Name()))
			if err != nil {
				t.Fatal(err)
			}
			if !strings.HasSuffix(f.Name(), ".go") {
				fmt.Fprintf(&b, "| %s/%s | %x |\n", folder, f.Name(), sha256.Sum256(body))
			}
		}
	}
	if os.Getenv("PORTAL_UPDATE") == "1" {
		if err := os.WriteFile(licenceFile, []byte(b.String()), 0o600); err != nil {
			t.Fatal(err)
		}
		return
	}
	have, err := os.ReadFile(licenceFile)
	if err != nil || string(have) != b.String() {
		t.Errorf("docs/licences.md is not what is shipped: PORTAL_UPDATE=1 go test -run TestLicences ./internal/arch (%v)", err)
	}
}
