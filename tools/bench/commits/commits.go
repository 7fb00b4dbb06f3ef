// Package commits measures goal 6: how many durable state transitions the portal stores in a second,
// against rows that the bare engine commits one by one.
//
// The transition is a real one: asking again for an export that failed. It reads the task, judges the
// guard, writes the task by compare-and-set, the transition log, what is due, the job that makes the
// file and the audit entry, in one transaction. A second one, for comparison, is a claim of a transfer that is refused,
// with everything the portal does of it.
package commits

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"

	"huoban/tools/bench/kit"
)

const goalName = "commits"

// Goal is goal 6.
var Goal = kit.Goal{Name: goalName, Numbers: []int{6}, Run: run, Parts: map[string]kit.Part{"together": together}}

// The writers at once.
const crowd = 64

func run(ctx context.Context, e *kit.Env) ([]kit.Figure, error) {
	figures, err := sqlite(ctx, e)
	more, err2 := postgres(ctx, e)
	return append(figures, more...), errors.Join(err, err2)
}

func figure(what, against string, bound float64, ours, theirs []float64) kit.Figure {
	return kit.Figure{Goal: 6, What: what, Against: against, Unit: "/s", Bound: bound, Values: kit.Ratio(ours, theirs), Ours: ours, Theirs: theirs}
}

// rounds runs the contenders each alone for its profile, then all together in every round.
func rounds(ctx context.Context, e *kit.Env, names []string, target func(name string) (string, func() error, error)) (map[string][]float64, error) {
	out := map[string][]float64{}
	one := func(profile string, names ...string) (map[string]float64, error) {
		var args []string
		var ends []func() error
		for _, n := range names {
			t, end, err := target(n)
			if err != nil {
				return nil, err
			}
			args, ends = append(args, n+"="+t), append(ends, end)
		}
		u, err := e.Part(ctx, profile, goalName, "together", args...)
		for _, end := range ends {
			err = errors.Join(err, end())
		}
		return u.Values, err
	}
	for _, n := range names {
		if _, err := one(filepath.Join(e.Out, "commits-"+n+".pprof"), n); err != nil {
			return nil, err
		}
	}
	for round := range e.Rounds {
		values, err := one("", names...)
		if err != nil {
			return nil, err
		}
		for n, v := range values {
			out[n] = append(out[n], v)
		}
		fmt.Fprintf(os.Stderr, "  commits round %d/%d %v\n", round+1, e.Rounds, values)
	}
	return out, nil
}

func sqlite(ctx context.Context, e *kit.Env) ([]kit.Figure, error) {
	count := 0
	got, err := rounds(ctx, e, []string{"bare-1", "transition-1", "transition-1-unsafe", "transition-64", "workflow-1", "workflow-64"}, func(name string) (string, func() error, error) {
		count++
		dir := filepath.Join(e.Work, fmt.Sprintf("commits-%d", count))
		return dir, func() error { return os.RemoveAll(dir) }, os.MkdirAll(dir, 0o700)
	})
	if err != nil {
		return nil, err
	}
	single, many := got["bare-1"], got["transition-64"]
	return []kit.Figure{
		figure("transitions, 1 writer, SQLite", "bare single-row commits", 0.5, got["transition-1"], single),
		figure("transitions, 64 writers, SQLite", "bare single-row commits", 2.5, many, single),
		figure("transitions, 64 writers, SQLite", "1 writer, synchronous=OFF", 1.2, many, got["transition-1-unsafe"]),
		figure("a claim refused and told, 1 writer, SQLite", "bare single-row commits", 0, got["workflow-1"], single),
		figure("a claim refused and told, 64 writers, SQLite", "bare single-row commits", 0, got["workflow-64"], single),
	}, nil
}

func postgres(ctx context.Context, e *kit.Env) ([]kit.Figure, error) {
	got, err := rounds(ctx, e, []string{"postgres-bare-1", "postgres-transition-1", "postgres-bare-64", "postgres-transition-64", "postgres-workflow-1", "postgres-workflow-64"},
		func(string) (string, func() error, error) {
			target, err := e.Postgres(ctx)
			return target, func() error { return e.DropPostgres(ctx, target) }, err
		})
	if errors.Is(err, kit.ErrNoPostgres) {
		return []kit.Figure{{Goal: 6, What: "transitions, PostgreSQL", Against: "bare single-row commits", Missing: err.Error()}}, nil
	}
	if err != nil {
		return nil, err
	}
	return []kit.Figure{
		figure("transitions, 1 writer, PostgreSQL", "bare single-row commits", 0.5, got["postgres-transition-1"], got["postgres-bare-1"]),
		figure("transitions, 64 writers, PostgreSQL", "bare commits, 64 writers", 0, got["postgres-transition-64"], got["postgres-bare-64"]),
		figure("a claim refused and told, 1 writer, PostgreSQL", "bare single-row commits", 0, got["postgres-workflow-1"], got["postgres-bare-1"]),
		figure("a claim refused and told, 64 writers, PostgreSQL", "bare commits, 64 writers", 0, got["postgres-workflow-64"], got["postgres-bare-64"]),
	}, nil
}
