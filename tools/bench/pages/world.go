package main

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"runtime/pprof"
	"strconv"
	"strings"
	"syscall"
	"time"
)

// bench holds the servers under way and the folder they work in.
type bench struct {
	root, work, out string
	procs           []*exec.Cmd
}

// made is what the generator says of a database.
type made struct {
	Login, Password, Org, Cycle, Few, Many string
	Lines                                  int
	Folder                                 string `json:"-"`
}

func newBench(root, out string) (*bench, error) {
	work, err := os.MkdirTemp("", "pages")
	if err != nil {
		return nil, err
	}
	b := &bench{root: root, work: work, out: out}
	for name, pkg := range map[string]string{"portal": "./cmd/portal", "pagesmake": "./tools/pagesmake"} {
		cmd := exec.Command("go", "build", "-C", root, "-trimpath", "-o", filepath.Join(work, name), pkg)
		cmd.Env = append(os.Environ(), "CGO_ENABLED=0")
		cmd.Stderr = os.Stderr
		if err := cmd.Run(); err != nil {
			b.close()
			return nil, fmt.Errorf("build %s: %w", pkg, err)
		}
	}
	return b, nil
}

// close stops what was started, gently first, so that profiles are written.
func (b *bench) close() {
	for _, p := range b.procs {
		_ = p.Process.Signal(syscall.SIGTERM)
	}
	for _, p := range b.procs {
		_ = p.Wait()
	}
	_ = os.RemoveAll(b.work)
}

// data makes the database, or takes the one in the folder.
func (b *bench) data(folder string, lines int, flags ...string) (made, error) {
	m := made{Folder: folder}
	if folder == "" {
		m.Folder = filepath.Join(b.work, "data-"+strconv.Itoa(lines))
	}
	note := filepath.Join(m.Folder, "pagesmake.json")
	body, err := os.ReadFile(note)
	if errors.Is(err, os.ErrNotExist) {
		cmd := exec.Command(filepath.Join(b.work, "pagesmake"), append([]string{"-data", m.Folder, "-lines", strconv.Itoa(lines)}, flags...)...)
		cmd.Stderr = os.Stderr
		if body, err = cmd.Output(); err == nil {
			err = os.WriteFile(note, body, 0o600)
		}
	}
	if err == nil {
		err = json.Unmarshal(body, &m)
	}
	return m, err
}

// start runs a server on a free port and waits until it answers.
func (b *bench) start(env []string, name string, args func(addr string) []string) (string, error) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return "", err
	}
	addr := l.Addr().String()
	l.Close()
	cmd := exec.Command(name, args(addr)...)
	cmd.Env = append(os.Environ(), env...)
	said := &bytes.Buffer{}
	cmd.Stdout, cmd.Stderr = said, said
	if err := cmd.Start(); err != nil {
		return "", err
	}
	b.procs = append(b.procs, cmd)
	for range 400 {
		res, err := http.Get("http://" + addr + "/")
		if err == nil {
			res.Body.Close()
			return addr, nil
		}
		time.Sleep(25 * time.Millisecond)
	}
	return "", fmt.Errorf("%s does not answer: %s", name, said)
}

// profile is where the CPU profile of a contender goes.
func (b *bench) profile(name string) string {
	path, err := filepath.Abs(strings.TrimSuffix(b.out, ".json") + "-" + name + ".pprof")
	if err != nil {
		log.Fatal(err)
	}
	return path
}

// portal starts the real program over the database; cache is the bound of its page cache in MB.
func (b *bench) portal(m made, cache int, profile string) (string, error) {
	return b.start([]string{"PORTAL_PAGE_CACHE=" + strconv.Itoa(cache)}, filepath.Join(b.work, "portal"), func(addr string) []string {
		return []string{"serve", "--data", m.Folder, "--addr", addr, "--cpu-profile", b.profile(profile)}
	})
}

// page is the address of the first page of a customer's lines.
func (m made) page(customer string) string {
	return "/o/" + m.Org + "/expenditure/lines?cycle=" + m.Cycle + "&customer=" + customer + "&zero=all"
}

// places is how many pages of a list are asked for in turn.
const places = 16

// contenders starts everybody and gives what is asked of each, and the size of the page.
func (b *bench) contenders(m made, peer bool) ([]contender, int, error) {
	var out []contender
	var body []byte
	for _, c := range []struct {
		name  string
		cache int
	}{{"page", 0}, {"cached", 16}} {
		addr, err := b.portal(m, c.cache, c.name)
		if err != nil {
			return nil, 0, err
		}
		cookie, err := signIn("http://"+addr, m)
		if err != nil {
			return nil, 0, err
		}
		few, many := get(addr, m.page(m.Few), "</html>", cookie), get(addr, m.page(m.Many), "</html>", cookie)
		out = append(out, contender{c.name + " few", few}, contender{c.name + " many", many})
		if body, err = whole(few); err != nil {
			return nil, 0, err
		}
		if !peer {
			continue
		}
		for name, first := range map[string]target{" few in turn": few, " many in turn": many} {
			all, err := turned(first, cookie)
			if err != nil {
				return nil, 0, err
			}
			out = append(out, contender{c.name + name, all})
		}
	}
	file := filepath.Join(b.work, "page.html")
	if err := os.WriteFile(file, body, 0o600); err != nil {
		return nil, 0, err
	}
	self, err := os.Executable()
	if err != nil {
		return nil, 0, err
	}
	addr, err := b.start(nil, self, func(addr string) []string {
		return []string{"bare", addr, file, b.profile("bare")}
	})
	if err != nil {
		return nil, 0, err
	}
	out = append(out, contender{"bare", get(addr, "/", "</html>")})
	if peer {
		more, err := b.pocket(self, m)
		if err != nil {
			return nil, 0, err
		}
		out = append(out, more...)
	}
	return out, len(body), nil
}

// whole is the body of one answer.
func whole(t target) ([]byte, error) {
	c, err := dial(t.addr)
	if err != nil {
		return nil, err
	}
	defer c.Close()
	err = c.ask(t)
	return c.body, err
}

// serveBare is the limit: net/http and bytes that are ready.
func serveBare(args []string) {
	body, err := os.ReadFile(args[1])
	if err != nil {
		log.Fatal(err)
	}
	size := []string{strconv.Itoa(len(body))}
	run(args[0], args[2], http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.Header()["Content-Type"] = []string{"text/html; charset=utf-8"}
		w.Header()["Content-Length"] = size
		_, _ = w.Write(body)
	}))
}

// run serves until it is told to end, and writes a CPU profile.
func run(addr, profile string, h http.Handler) {
	f, err := os.Create(profile)
	if err == nil {
		err = pprof.StartCPUProfile(f)
	}
	if err != nil {
		log.Fatal(err)
	}
	srv := &http.Server{Addr: addr, Handler: h, ErrorLog: log.New(io.Discard, "", 0)}
	go func() {
		<-told()
		pprof.StopCPUProfile()
		f.Close()
		os.Exit(0)
	}()
	log.Fatal(srv.ListenAndServe())
}
