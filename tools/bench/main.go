// Command bench measures the portal against things that are known, and prints ratios. scripts/bench.sh
// (make bench) runs it; docs/performance.md says what the goals mean.
//
//	bench [--rounds N] [--lines N] [all | full | GOAL...]
//
// A goal is named (close, commits, start …) or numbered; full adds 10,000,000 lines.
package main

import (
	"context"
	"flag"
	"fmt"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"runtime/debug"
	"slices"
	"strconv"
	"strings"
	"syscall"

	"huoban/tools/bench/closing"
	"huoban/tools/bench/commits"
	"huoban/tools/bench/importing"
	"huoban/tools/bench/kit"
	"huoban/tools/bench/paging"
	"huoban/tools/bench/peaks"
	"huoban/tools/bench/saml"
	"huoban/tools/bench/start"
)

// goals in the order they run.
var goals = []kit.Goal{paging.Goal, importing.Goal, closing.Goal, commits.Goal, saml.Goal, start.Goal, peaks.Goal, paging.Dashboard}

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	if err := run(ctx, os.Args[1:]); err != nil {
		fmt.Fprintln(os.Stderr, "bench:", err)
		os.Exit(1)
	}
}

func run(ctx context.Context, args []string) error {
	if len(args) > 0 && args[0] == "part" {
		return kit.RunPart(ctx, goals, args[1:])
	}
	set := flag.NewFlagSet("bench", flag.ContinueOnError)
	rounds := set.Int("rounds", 5, "counted rounds")
	lines := set.Int("lines", 1_000_000, "lines of the world")
	only := set.String("only", "", "only figures whose name contains this")
	keep := set.Bool("keep", false, "keep the temporary folder")
	work := set.String("work", "", "folder for what is made; kept, and used again")
	if err := set.Parse(args); err != nil {
		return err
	}
	chosen, full, err := choose(set.Args())
	if err != nil {
		return err
	}
	root, err := os.Getwd()
	if err != nil {
		return err
	}
	e := &kit.Env{Root: root, Out: filepath.Join(root, "bin", "bench"), Portal: filepath.Join(root, "bin", "portal"), Rounds: *rounds, Lines: *lines, Full: full, Only: *only, Work: *work}
	if err := os.MkdirAll(e.Out, 0o755); err != nil {
		return err
	}
	if e.Work == "" {
		if e.Work, err = os.MkdirTemp("", "portal-bench-"); err != nil {
			return err
		}
		if !*keep {
			defer os.RemoveAll(e.Work)
		}
	} else if err := os.MkdirAll(e.Work, 0o755); err != nil {
		return err
	}
	if err := os.Chmod(e.Work, 0o755); err != nil { // the database server is another user
		return err
	}
	defer e.Stop()
	debug.SetGCPercent(100)
	return measure(ctx, e, chosen, args)
}

// measure runs the goals; one that fails is named at the end and hides no other.
func measure(ctx context.Context, e *kit.Env, chosen []kit.Goal, args []string) error {
	commit, _ := exec.Command("git", "-C", e.Root, "describe", "--always", "--dirty").Output()
	report := kit.NewReport("make bench "+strings.Join(args, " "), strings.TrimSpace(string(commit)), e.Rounds)
	if v := os.Getenv("BENCH_NOT_RUN"); v != "" {
		report.NotRun = append(report.NotRun, v)
	}
	for _, g := range chosen {
		fmt.Fprintf(os.Stderr, "== %s\n", g.Name)
		figures, err := g.Run(ctx, e)
		report.Figures = append(report.Figures, figures...)
		if ctx.Err() != nil {
			return ctx.Err()
		}
		if err != nil {
			report.NotRun = append(report.NotRun, g.Name+": "+err.Error())
		}
	}
	report.Finish()
	fmt.Println()
	report.Print(os.Stdout)
	fmt.Printf("profiles and usage in bin/bench, figures in bin/bench.json\n")
	return report.Write(filepath.Join(e.Root, "bin", "bench.json"))
}

func choose(words []string) (chosen []kit.Goal, full bool, err error) {
	var names []string
	for _, w := range words {
		for _, n := range strings.FieldsFunc(w, func(r rune) bool { return r == ',' || r == ' ' }) {
			switch n {
			case "all":
			case "full":
				full = true
			default:
				names = append(names, n)
			}
		}
	}
	if len(names) == 0 {
		return goals, full, nil
	}
	for _, n := range names {
		number, _ := strconv.Atoi(n)
		found := false
		for _, g := range goals {
			if g.Name == n || slices.Contains(g.Numbers, number) {
				found, chosen = true, append(chosen, g)
			}
		}
		if !found {
			return nil, false, fmt.Errorf("no goal %q", n)
		}
	}
	return chosen, full, nil
}
