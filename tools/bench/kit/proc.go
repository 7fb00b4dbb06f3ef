package kit

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"runtime/pprof"
	"strconv"
	"strings"
	"syscall"
	"time"
)

// Usage is what a process took.
type Usage struct {
	Seconds      float64            `json:"seconds"` // on the wall, with its start
	User, System float64            // seconds of CPU
	RSS          int64              // peak, bytes
	Values       map[string]float64 // of a part: what it measured itself
}

// Command runs a program to its end; in feeds it, out takes what it prints. It keeps CPU time and
// peak memory beside a profile's name, for programs that cannot write a profile.
func (e *Env) Command(ctx context.Context, profile string, in io.Reader, out io.Writer, name string, args ...string) (Usage, error) {
	return run(exec.CommandContext(ctx, name, args...), profile, in, out)
}

// Part runs a contender of a goal in a process of its own.
func (e *Env) Part(ctx context.Context, profile, goal, part string, args ...string) (Usage, error) {
	self, err := os.Executable()
	if err != nil {
		return Usage{}, err
	}
	return e.PartOf(ctx, self, profile, goal, part, args...)
}

// PartOf is Part by another build of this program.
func (e *Env) PartOf(ctx context.Context, program, profile, goal, part string, args ...string) (Usage, error) {
	cmd := exec.CommandContext(ctx, program, append([]string{"part", goal, part}, args...)...)
	cmd.Env = append(os.Environ(), "BENCH_PROFILE="+profile, "BENCH_WORK="+e.Work)
	var out bytes.Buffer
	u, err := run(cmd, "", nil, &out)
	if err != nil {
		return u, err
	}
	return u, json.Unmarshal(out.Bytes(), &u.Values)
}

func run(cmd *exec.Cmd, profile string, in io.Reader, out io.Writer) (Usage, error) {
	var said bytes.Buffer
	cmd.Stdin, cmd.Stdout, cmd.Stderr = in, out, &said
	begin := time.Now()
	err := cmd.Run()
	u := Usage{Seconds: time.Since(begin).Seconds()}
	if st := cmd.ProcessState; st != nil {
		u.User, u.System = st.UserTime().Seconds(), st.SystemTime().Seconds()
		if r, ok := st.SysUsage().(*syscall.Rusage); ok {
			u.RSS = r.Maxrss << 10
		}
	}
	if err != nil {
		return u, fmt.Errorf("%s: %w: %s", filepath.Base(cmd.Path), err, strings.TrimSpace(said.String()))
	}
	if profile != "" {
		text := fmt.Sprintf("%s\nwall %.3f s, user %.3f s, system %.3f s, peak memory %.1f MB\n", strings.Join(cmd.Args, " "), u.Seconds, u.User, u.System, float64(u.RSS)/(1<<20))
		err = os.WriteFile(strings.TrimSuffix(profile, ".pprof")+".usage.txt", []byte(text), 0o644)
	}
	return u, err
}

// RunPart is the other side of Part: it runs in the new process.
func RunPart(ctx context.Context, goals []Goal, args []string) error {
	if len(args) < 2 {
		return fmt.Errorf("part needs a goal and a name")
	}
	for _, g := range goals {
		part := g.Parts[args[1]]
		if g.Name != args[0] || part == nil {
			continue
		}
		var values map[string]float64
		err := Profiled(os.Getenv("BENCH_PROFILE"), func() (err error) {
			values, err = part(ctx, args[2:])
			return err
		})
		if err != nil {
			return err
		}
		return json.NewEncoder(os.Stdout).Encode(values)
	}
	return fmt.Errorf("no part %s of %s", args[1], args[0])
}

// Profiled runs fn under a CPU profile, or without where no file is named.
func Profiled(file string, fn func() error) error {
	if file == "" {
		return fn()
	}
	f, err := os.Create(file)
	if err != nil {
		return err
	}
	defer f.Close()
	if err := pprof.StartCPUProfile(f); err != nil {
		return err
	}
	defer pprof.StopCPUProfile()
	return fn()
}

// PeakRSS is the most memory this process held, in MB.
func PeakRSS() (float64, error) {
	body, err := os.ReadFile("/proc/self/status")
	if err != nil {
		return 0, err
	}
	for line := range strings.Lines(string(body)) {
		if rest, ok := strings.CutPrefix(line, "VmHWM:"); ok {
			kb, err := strconv.ParseFloat(strings.Fields(rest)[0], 64)
			return kb / 1024, err
		}
	}
	return 0, errors.New("no VmHWM")
}
