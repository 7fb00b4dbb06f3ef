package main

import (
	"bufio"
	"io"
	"net/http"
	"net/http/cookiejar"
	"net/url"
	"os/exec"
	"strings"
	"sync"
	"time"
)

// server is a portal that serves as a process of its own.
type server struct {
	w    *world
	cmd  *exec.Cmd
	url  string
	log  *lockedText
	once sync.Once
}

// lockedText is written by a process and read by a test.
type lockedText struct {
	mu   sync.Mutex
	text strings.Builder
}

func (l *lockedText) Write(b []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.text.Write(b)
}

func (l *lockedText) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.text.String()
}

// serve starts the portal and waits until it says that it is ready, and is.
func (w *world) serve(more ...string) *server {
	w.t.Helper()
	cmd, _, _ := w.child(append([]string{"--addr", "127.0.0.1:0", "serve"}, more...)...)
	s := &server{w: w, cmd: cmd, log: &lockedText{}}
	cmd.Stderr, cmd.Stdout = s.log, nil
	out, err := cmd.StdoutPipe()
	if err != nil {
		w.t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		w.t.Fatal(err)
	}
	w.t.Cleanup(s.kill)
	lines := bufio.NewScanner(out)
	for s.url == "" && lines.Scan() {
		if i := strings.Index(lines.Text(), "http://127.0.0.1:"); i >= 0 {
			s.url = strings.TrimSpace(lines.Text()[i:])
		}
	}
	if s.url == "" {
		s.kill()
		w.t.Fatalf("the server did not start:\n%s", s.log)
	}
	go func() { _, _ = io.Copy(io.Discard, out) }()
	if res, err := http.Get(s.url + "/readyz"); err != nil || res.StatusCode != http.StatusOK {
		w.t.Fatalf("not ready: %v %v\n%s", res, err, s.log)
	} else {
		res.Body.Close()
	}
	return s
}

// kill ends the process without a word and waits for it.
func (s *server) kill() {
	s.once.Do(func() {
		_ = s.cmd.Process.Kill()
		_ = s.cmd.Wait()
	})
}

// caller is a program signed in to a server; it follows nothing by itself.
type caller struct {
	base string
	http *http.Client
}

func newCaller(base string) *caller {
	jar, _ := cookiejar.New(nil) // never fails without options
	return &caller{base, &http.Client{Jar: jar, Timeout: time.Minute, CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}}
}

// answer is what came back, read whole.
type answer struct {
	status int
	header http.Header
	body   string
}

// send asks as a program; pairs are the fields of a form.
func (v *caller) send(method, path, key string, pairs ...string) (answer, error) {
	form := url.Values{}
	for i := 0; i+1 < len(pairs); i += 2 {
		form.Add(pairs[i], pairs[i+1])
	}
	req, err := http.NewRequest(method, v.base+path, strings.NewReader(form.Encode()))
	if err != nil {
		return answer{}, err
	}
	req.Header.Set("Accept", "application/json")
	if method == http.MethodPost {
		req.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	}
	if key != "" {
		req.Header.Set("Idempotency-Key", key)
	}
	res, err := v.http.Do(req)
	if err != nil {
		return answer{}, err
	}
	defer res.Body.Close()
	body, err := io.ReadAll(res.Body)
	return answer{res.StatusCode, res.Header, string(body)}, err
}

// signIn is the door; the answer is kept by the jar.
func (s *server) signIn(login string) *caller {
	s.w.t.Helper()
	v := newCaller(s.url)
	a, err := v.send(http.MethodPost, "/login", "", "username", login, "password", killPassword)
	if err != nil || a.status >= 400 {
		s.w.t.Fatalf("sign-in of %s: %v %d %s\n%s", login, err, a.status, a.body, s.log)
	}
	return v
}
