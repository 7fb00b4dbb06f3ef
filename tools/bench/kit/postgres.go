package kit

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/url"
	"os"
	"os/exec"
	"os/user"
	"path/filepath"
	"slices"
	"strconv"
)

// server is a PostgreSQL of our own, in the work folder, with its durable defaults.
type server struct {
	url, bin, data, owner string
	failed                error
	count                 int
}

// ErrNoPostgres says that there is no PostgreSQL to measure.
var ErrNoPostgres = errors.New("no PostgreSQL server programs (apt-get install postgresql)")

// Postgres makes an empty database and gives its URL. The server is started when the first is asked for;
// PORTAL_BENCH_PG names another one instead.
func (e *Env) Postgres(ctx context.Context) (string, error) {
	if e.post == nil {
		e.post = &server{url: os.Getenv("PORTAL_BENCH_PG")}
		if e.post.url == "" {
			e.post.failed = e.post.start(ctx, e.Work)
		}
	}
	if e.post.failed != nil {
		return "", e.post.failed
	}
	e.post.count++
	name := fmt.Sprintf("bench_%d_%d", os.Getpid(), e.post.count)
	out, err := exec.CommandContext(ctx, "psql", "-X", "-q", "-d", e.post.url, "-c", "CREATE DATABASE "+name).CombinedOutput()
	if err != nil {
		return "", fmt.Errorf("%w: %s", err, out)
	}
	u, err := url.Parse(e.post.url)
	if err != nil {
		return "", err
	}
	u.Path = "/" + name
	return u.String(), nil
}

// DropPostgres removes a database that Postgres made.
func (e *Env) DropPostgres(ctx context.Context, target string) error {
	u, err := url.Parse(target)
	if err != nil {
		return err
	}
	return e.SQL(ctx, e.post.url, "DROP DATABASE IF EXISTS "+filepath.Base(u.Path)+" WITH (FORCE)")
}

// SQL runs statements by psql, each in a transaction of its own.
func (e *Env) SQL(ctx context.Context, target string, statements ...string) error {
	args := []string{"-X", "-q", "-v", "ON_ERROR_STOP=1", "-d", target}
	for _, s := range statements {
		args = append(args, "-c", s)
	}
	out, err := exec.CommandContext(ctx, "psql", args...).CombinedOutput()
	if err != nil {
		return fmt.Errorf("psql: %w: %s", err, out)
	}
	return nil
}

func (s *server) start(ctx context.Context, work string) error {
	dirs, _ := filepath.Glob("/usr/lib/postgresql/*/bin")
	if len(dirs) == 0 {
		return ErrNoPostgres
	}
	slices.SortFunc(dirs, func(a, b string) int { return version(a) - version(b) })
	s.bin = dirs[len(dirs)-1]
	s.data = filepath.Join(work, "pg")
	sockets := filepath.Join(work, "pgrun")
	for _, d := range []string{s.data, sockets} {
		if err := os.Mkdir(d, 0o700); err != nil {
			return err
		}
	}
	if os.Getuid() == 0 { // initdb refuses root
		s.owner = "postgres"
		u, err := user.Lookup(s.owner)
		if err != nil {
			s.owner = "nobody"
			if u, err = user.Lookup(s.owner); err != nil {
				return err
			}
		}
		uid, _ := strconv.Atoi(u.Uid)
		gid, _ := strconv.Atoi(u.Gid)
		for _, d := range []string{s.data, sockets} {
			if err := os.Chown(d, uid, gid); err != nil {
				return err
			}
		}
	}
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return err
	}
	port := l.Addr().(*net.TCPAddr).Port
	l.Close()
	if err := s.as(ctx, fmt.Sprintf("%s/initdb -D %s -A trust -U postgres --locale=C.UTF-8 -E UTF8", s.bin, s.data)); err != nil {
		return err
	}
	// The defaults of durability stay; only memory and checkpoints are what any guide would set.
	options := fmt.Sprintf("-p %d -k %s -c listen_addresses=127.0.0.1 -c max_connections=150 -c shared_buffers=512MB -c max_wal_size=8GB -c checkpoint_timeout=30min -c maintenance_work_mem=256MB -c work_mem=64MB", port, sockets)
	if err := s.as(ctx, fmt.Sprintf("%s/pg_ctl -D %s -l %s/log -w -o '%s' start", s.bin, s.data, s.data, options)); err != nil {
		return err
	}
	s.url = fmt.Sprintf("postgres://postgres@127.0.0.1:%d/postgres?sslmode=disable", port)
	return nil
}

func version(dir string) int {
	n, _ := strconv.Atoi(filepath.Base(filepath.Dir(dir)))
	return n
}

// as runs a shell line as the user of the server.
func (s *server) as(ctx context.Context, line string) error {
	cmd := exec.CommandContext(ctx, "bash", "-c", line+" >/dev/null")
	if s.owner != "" {
		cmd = exec.CommandContext(ctx, "su", s.owner, "-s", "/bin/bash", "-c", line+" >/dev/null")
	}
	cmd.Dir = "/"
	cmd.Stderr = os.Stderr
	return cmd.Run()
}

// Stop ends what was started.
func (e *Env) Stop() {
	if s := e.post; s != nil && s.data != "" && s.failed == nil {
		_ = s.as(context.Background(), fmt.Sprintf("%s/pg_ctl -D %s -m immediate stop", s.bin, s.data))
	}
}
