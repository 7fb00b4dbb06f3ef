package main

import (
	"fmt"
	"maps"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"
)

// onDisk is a SQLite world on a file system of its own that can be filled and made read-only, with a
// month in it and files outside.
func onDisk(t *testing.T, folder string) *world {
	t.Helper()
	w := &world{t: t, engine: "sqlite", data: filepath.Join(folder, "state"), clock: "2025-03-04T12:00:00+08:00"}
	return w
}

// small mounts a file system of a few megabytes, or tells that this user may not.
func small(t *testing.T) (string, bool) {
	t.Helper()
	folder := t.TempDir()
	if os.Getuid() != 0 || syscall.Mount("tmpfs", folder, "tmpfs", 0, "size=96m") != nil {
		return "", false
	}
	t.Cleanup(func() { _ = syscall.Unmount(folder, syscall.MNT_DETACH) })
	return folder, true
}

// fill takes all room of a file system but a little; the end gives it back.
func fill(t *testing.T, folder string, leave int64) func() {
	t.Helper()
	var st syscall.Statfs_t
	if err := syscall.Statfs(folder, &st); err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(folder, "filler")
	n := int64(st.Bavail)*st.Bsize - leave
	if n > 0 {
		if err := os.WriteFile(path, make([]byte, n), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	return func() { _ = os.Remove(path) }
}

// says wants a command to be refused with a code of the disk and a cure.
func (w *world) says(when string, codes []string, args ...string) {
	w.t.Helper()
	cmd, _, stderr := w.child(args...)
	err := cmd.Run()
	text := stderr.String()
	lines := strings.Split(strings.TrimSpace(text), "\n")
	for _, code := range codes {
		if err != nil && cmd.ProcessState.ExitCode() == exitRefused && strings.Contains(lines[0], "["+code+"]") && len(lines) > 1 {
			return
		}
	}
	w.t.Errorf("%s: %v: %v, want %v and what to do:\n%s", when, args, err, codes, text)
}

// works are the pieces of work that write, with what they need.
func works(folder string) map[string][]string {
	list := map[string][]string{}
	for _, d := range deeds(folder) {
		if !d.fresh && !d.move {
			list[d.name] = d.args
		}
	}
	return list
}

// TestDiskFull fills the file system under a database: every command that writes is refused with what to
// do, a running server stays up and tells, sign-in and export as well; nothing is lost, and with room again
// all of it works.
func TestDiskFull(t *testing.T) {
	t.Parallel()
	disk, may := small(t)
	if !may {
		t.Log("no mounting here: TestDiskLimits stands for it")
		return
	}
	w, files := onDisk(t, disk), t.TempDir()
	w.aMonthIn(files, 8000)
	var bills = []string{"P1 2025-01", "R1 2025-01", "P1 2025-02"}
	before := w.ledger(bills)
	s := w.serve()
	v := s.signIn("paul")

	room := fill(t, disk, 40<<10)
	list := works(files)
	for _, name := range slices.Backward(slices.Sorted(maps.Keys(list))) { // the close last: its first step may still find room
		if name != "close" {
			w.says("full "+name, []string{"store.disk_full"}, list[name]...)
		}
	}
	w.says("full close", []string{"store.disk_full"}, list["close"]...)
	if a, err := v.send(http.MethodGet, "/readyz", ""); err != nil || a.status != http.StatusServiceUnavailable || !strings.Contains(a.body, "store.disk_full") {
		t.Errorf("/readyz of a server on a full disk: %v %d %s", err, a.status, a.body)
	}
	if a, err := v.send(http.MethodGet, "/healthz", ""); err != nil || a.status != http.StatusOK {
		t.Errorf("/healthz: %v %d", err, a.status)
	}
	v.full(t, "full")
	room()
	w.well(s, v, before, bills)
	w.finish(files)
}

// full wants what a person does to be answered by a page or by what is amiss, never by a failure of ours.
func (v *caller) full(t *testing.T, when string) {
	t.Helper()
	fresh := newCaller(v.base)
	for range 30 { // small writes may still find a little room at first
		for _, r := range []struct {
			c            *caller
			method, path string
			form         []string
		}{{fresh, http.MethodPost, "/login", []string{"username", "paul", "password", killPassword}},
			{v, http.MethodPost, "/o/P1/exports", []string{"list", "bill.lines", "format", "csv", "cycle", "2025-01", "vendor", "V", "partner", "P1", "currency", "CNY"}},
			{v, http.MethodGet, "/o/P1/bills?cycle=2025-01&currency=CNY", nil}} {
			a, err := r.c.send(r.method, r.path, "", r.form...)
			if err != nil || a.status >= 500 && (a.status != http.StatusServiceUnavailable || a.header.Get("Retry-After") == "" || !strings.Contains(a.body, `"store.`)) {
				t.Fatalf("%s: %s %s: %v %d %.300s", when, r.method, r.path, err, a.status, a.body)
			}
		}
	}
}

// well wants a server whose disk works again to go on without being started anew, and nothing lost.
func (w *world) well(s *server, v *caller, before string, bills []string) {
	w.t.Helper()
	if a, err := v.send(http.MethodGet, "/readyz", ""); err != nil || a.status != http.StatusOK {
		w.t.Errorf("/readyz afterwards: %v %d %s", err, a.status, a.body)
	}
	s.signIn("paul")
	form := []string{"list", "bill.lines", "format", "csv", "cycle", "2025-01", "vendor", "V", "partner", "P1", "currency", "CNY"}
	if a, err := v.send(http.MethodPost, "/o/P1/exports", "afterwards", form...); err != nil || a.status != http.StatusOK {
		w.t.Errorf("an export afterwards: %v %d %.300s\n%s", err, a.status, a.body, s.log)
	}
	s.kill()
	for _, text := range strings.Split(s.log.String(), "\n") {
		if strings.Contains(text, "panic") {
			w.t.Error(text)
		}
	}
	_, was, _ := strings.Cut(before, "P1 2025-01") // the bills; sign-ins and exports came on top
	if _, is, _ := strings.Cut(w.ledger(bills), "P1 2025-01"); is != was {
		w.t.Errorf("bills afterwards differ")
	}
	w.whole()
}

// finish does all the work that was refused. A close that came as far as freezing its month is first given up, as
// the attribution would ask for.
func (w *world) finish(files string) {
	w.t.Helper()
	list := works(files)
	_, _, _ = w.exec("close", "--vendor", "V", "--cycle", "2025-02", "--discard")
	for _, name := range []string{"attribution", "close", "import", "replace"} {
		if code, _, stderr := w.exec(list[name]...); code != exitDone {
			w.t.Errorf("%s with room again: exit %d\n%s", name, code, stderr)
		}
	}
	w.whole()
}

// TestDiskLimits is for those who may mount nothing: a limit on the size of files, which a quota resembles,
// and a folder an unprivileged user may only read.
func TestDiskLimits(t *testing.T) {
	t.Parallel()
	w, files := onDisk(t, t.TempDir()), t.TempDir()
	w.aMonthIn(files, 24_000)
	bills := []string{"P1 2025-01", "R1 2025-01", "P1 2025-02"}
	before := w.ledger(bills)
	info, err := os.Stat(filepath.Join(w.data, "portal.db"))
	if err != nil {
		t.Fatal(err)
	}
	portal, err := exec.LookPath("portal")
	if err != nil {
		t.Fatal(err)
	}
	const room = 64 << 10
	// The shell's unit is 1024 bytes. Neither database nor journal may grow beyond what the database has.
	limit := fmt.Sprintf("ulimit -f %d; exec \"$0\" \"$@\"", (info.Size()+room)>>10)
	args := append([]string{"-c", limit, portal, "--data", w.data, "--dev", "--clock", w.clock}, works(files)["import"]...)
	out, err := exec.Command("bash", args...).CombinedOutput()
	if err == nil || !strings.Contains(string(out), "[store.disk") || strings.Contains(string(out), "SIGXFSZ") {
		t.Errorf("import under a limit of %d bytes: %v\n%.1000s", info.Size()+room, err, out)
	}
	if _, was, _ := strings.Cut(before, "P1 2025-01"); !strings.HasSuffix(w.ledger(bills), was) {
		t.Error("bills differ after the limit")
	}
	w.whole()
	w.readOnly(files, portal)
	w.finish(files)
}

// readOnly runs commands and a server as a user who may read the folder and not write it.
func (w *world) readOnly(files, portal string) {
	w.t.Helper()
	if os.Getuid() != 0 {
		if err := os.Chmod(w.data, 0o500); err != nil {
			w.t.Fatal(err)
		}
		defer func() { _ = os.Chmod(w.data, 0o700) }()
		w.says("read-only", []string{"store.read_only", "store.cannot_open"}, works(files)["close"]...)
		return
	}
	// Root writes whatever the rights say, so the commands run as nobody over a copy nobody owns a part of.
	const nobody = 65534
	ro := w.copyOf("read-only")
	top := filepath.Dir(ro.data)
	for dir := top; dir != "/" && dir != os.TempDir(); dir = filepath.Dir(dir) {
		_ = os.Chmod(dir, 0o755)
	}
	for _, name := range []string{"portal.key", "portal.db"} {
		if err := os.Chown(filepath.Join(ro.data, name), nobody, nobody); err != nil {
			w.t.Fatal(err)
		}
		if err := os.Chmod(filepath.Join(ro.data, name), 0o400); err != nil {
			w.t.Fatal(err)
		}
	}
	if err := os.Chmod(ro.data, 0o555); err != nil {
		w.t.Fatal(err)
	}
	_ = os.Chmod(filepath.Dir(portal), 0o755)
	_ = os.Chmod(filepath.Dir(filepath.Dir(portal)), 0o755)
	for _, args := range [][]string{{"close", "--vendor", "V", "--cycle", "2025-02", "--issue"}, {"source", "list"}, {"serve"}} {
		cmd := exec.Command(portal, append([]string{"--addr", "127.0.0.1:0", "--data", ro.data, "--dev", "--clock", w.clock}, args...)...)
		cmd.SysProcAttr = &syscall.SysProcAttr{Credential: &syscall.Credential{Uid: nobody, Gid: nobody}}
		cmd.Dir = "/"
		end := time.AfterFunc(time.Minute, func() { _ = cmd.Process.Kill() })
		out, err := cmd.CombinedOutput()
		end.Stop()
		if err == nil || !strings.Contains(string(out), "[store.read_only]") && !strings.Contains(string(out), "[store.cannot_open]") || strings.Count(string(out), "\n") < 2 {
			w.t.Errorf("%v as a user who may only read: %v\n%.1000s", args, err, out)
		}
	}
	body, err := os.ReadFile(filepath.Join(w.data, "portal.db"))
	if err != nil {
		w.t.Fatal(err)
	}
	if again, err := os.ReadFile(filepath.Join(ro.data, "portal.db")); err != nil || string(again) != string(body) {
		w.t.Errorf("the read-only database differs: %v", err)
	}
}
