// Package start measures goal 8: how long the program takes from its start on an existing database to the
// first page, what it holds when nobody asks, how large it is.
package start

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"time"

	"huoban/tools/bench/kit"
)

// Goal is goal 8.
var Goal = kit.Goal{Name: "start", Numbers: []int{8}, Run: run}

// idle is how long a portal is left alone before its memory is read.
const idle = 3 * time.Second

func run(ctx context.Context, e *kit.Env) ([]kit.Figure, error) {
	info, err := os.Stat(e.Portal)
	if err != nil {
		return nil, err
	}
	figures := []kit.Figure{{Goal: 8, What: "size of the program", Unit: "MB", Bound: 48, AtMost: true, Values: []float64{float64(info.Size()) / (1 << 20)}}}
	world, err := e.World(ctx, e.Lines, 1)
	if err != nil {
		return figures, err
	}
	demo := filepath.Join(e.Work, "demo")
	if _, err := os.Stat(demo); err != nil {
		if _, err := e.Command(ctx, "", nil, io.Discard, e.Portal, "demo", "--data", demo); err != nil {
			return figures, err
		}
	}
	for _, on := range []struct{ name, data string }{{"demo world", demo}, {fmt.Sprintf("%d lines", e.Lines), world}} {
		var first, held []float64
		for round := range e.Rounds + 1 {
			t, m, err := once(ctx, e, on.data)
			if err != nil {
				return figures, fmt.Errorf("start on %s: %w", on.name, err)
			}
			if round > 0 {
				first, held = append(first, t), append(held, m)
			}
		}
		figures = append(figures,
			kit.Figure{Goal: 8, What: "start to first page, " + on.name, Unit: "s", Bound: 0.5, AtMost: true, Values: first},
			kit.Figure{Goal: 8, What: "idle memory, " + on.name, Unit: "MB", Bound: 64, AtMost: true, Values: held})
	}
	return figures, nil
}

// once starts the program, asks for the sign-in page until it comes, lets the portal rest and reads what
// it holds.
func once(ctx context.Context, e *kit.Env, data string) (seconds, megabytes float64, err error) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return 0, 0, err
	}
	addr := l.Addr().String()
	l.Close()
	cmd := exec.CommandContext(ctx, e.Portal, "serve", "--demo", "--addr", addr, "--data", data)
	begin := time.Now()
	if err := cmd.Start(); err != nil {
		return 0, 0, err
	}
	defer func() {
		_ = cmd.Process.Signal(syscall.SIGTERM)
		if e := cmd.Wait(); err == nil {
			err = e
		}
	}()
	for {
		ok, err := page("http://" + addr + "/login")
		if err != nil {
			return 0, 0, err
		}
		if ok {
			break
		}
		if time.Since(begin) > 30*time.Second {
			return 0, 0, errors.New("no page after 30 s")
		}
		time.Sleep(2 * time.Millisecond)
	}
	seconds = time.Since(begin).Seconds()
	time.Sleep(idle)
	megabytes, err = resident(cmd.Process.Pid)
	return seconds, megabytes, err
}

func page(url string) (bool, error) {
	res, err := http.Get(url)
	if err != nil {
		return false, nil // not listening yet
	}
	defer res.Body.Close()
	body, err := io.ReadAll(res.Body)
	if err != nil {
		return false, err
	}
	return res.StatusCode == http.StatusOK && strings.Contains(string(body), "</html>") && strings.Contains(string(body), `type="password"`), nil
}

func resident(pid int) (float64, error) {
	body, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", pid))
	if err != nil {
		return 0, err
	}
	for line := range strings.Lines(string(body)) {
		if rest, ok := strings.CutPrefix(line, "VmRSS:"); ok {
			kb, err := strconv.ParseFloat(strings.Fields(rest)[0], 64)
			return kb / 1024, err
		}
	}
	return 0, errors.New("no VmRSS")
}
