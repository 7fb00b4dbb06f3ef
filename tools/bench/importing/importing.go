// Package importing measures goal 4: the import of a FOCUS file, validated, deduplicated, attributed and
// summarised, against the engine's own bulk loading of the same file into a table of the same columns.
package importing

import (
	"bufio"
	"context"
	"encoding/csv"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"time"

	"huoban/internal/app"
	"huoban/tools/bench/kit"
)

const goalName = "import"

// Goal is goal 4.
var Goal = kit.Goal{Name: goalName, Numbers: []int{4}, Run: run, Parts: map[string]kit.Part{"portal": portal}}

// The columns that the shells index: what a list filters by.
var indexed = []string{"SubAccountId", "ChargePeriodStart", "ServiceName"}

func run(ctx context.Context, e *kit.Env) ([]kit.Figure, error) {
	sizes := []int{e.Lines}
	if e.Full {
		sizes = append(sizes, 10_000_000)
	}
	var out []kit.Figure
	var failed error
	for _, lines := range sizes {
		file, err := e.Focus(ctx, lines, 1)
		if err != nil {
			return out, err
		}
		one := *e
		if lines > e.Lines {
			one.Rounds = 1
		}
		for _, engine := range []func(context.Context, *kit.Env, string, int) ([]kit.Figure, error){sqlite, postgres} {
			figures, err := engine(ctx, &one, file, lines)
			out, failed = append(out, figures...), errors.Join(failed, err)
		}
	}
	return out, failed
}

func sqlite(ctx context.Context, e *kit.Env, file string, lines int) ([]kit.Figure, error) {
	dir := filepath.Join(e.Work, "import")
	defer os.RemoveAll(dir)
	var rss []float64
	ours := kit.Contender{Name: "portal", Run: func(ctx context.Context, round int, profile string) (float64, error) {
		if err := os.RemoveAll(dir); err != nil {
			return 0, err
		}
		u, err := e.Part(ctx, profile, goalName, "portal", file, dir, "")
		if round > 0 {
			rss = append(rss, u.Values["rss"])
		}
		return u.Values["seconds"], err
	}}
	shell := kit.Contender{Name: "sqlite3", Run: func(ctx context.Context, _ int, profile string) (float64, error) {
		if err := os.RemoveAll(dir); err != nil {
			return 0, err
		}
		if err := os.MkdirAll(dir, 0o700); err != nil {
			return 0, err
		}
		columns, err := header(file)
		if err != nil {
			return 0, err
		}
		script := "PRAGMA journal_mode=WAL;\nPRAGMA synchronous=FULL;\nPRAGMA cache_size=-65536;\nCREATE TABLE line (" + strings.Join(quoted(columns), " TEXT, ") + " TEXT);\n"
		for i, c := range indexed {
			script += fmt.Sprintf("CREATE INDEX line_%d ON line(\"%s\");\n", i, c)
		}
		script += fmt.Sprintf(".import --csv --skip 1 %s line\n", file)
		u, err := e.Command(ctx, profile, strings.NewReader(script), io.Discard, "sqlite3", filepath.Join(dir, "plain.db"))
		return u.Seconds, err
	}}
	got, err := e.Interleave(ctx, goalName, ours, shell)
	if err != nil {
		return nil, err
	}
	return figures("SQLite", "sqlite3 .import, 3 indexes", lines, 0.75, got["portal"], got["sqlite3"], rss), nil
}

func figures(engine, against string, lines int, bound float64, ours, theirs, rss []float64) []kit.Figure {
	what := fmt.Sprintf("import of %d lines, %s", lines, engine)
	return []kit.Figure{
		{Goal: 4, What: what, Against: against, Unit: "s", Bound: bound, AtMost: true, Values: kit.Ratio(ours, theirs), Ours: ours, Theirs: theirs},
		{Goal: 4, What: "peak memory, " + what, Unit: "MB", Bound: 256, AtMost: true, Values: rss},
	}
}

func postgres(ctx context.Context, e *kit.Env, file string, lines int) ([]kit.Figure, error) {
	dir := filepath.Join(e.Work, "import-postgres")
	defer os.RemoveAll(dir)
	var rss []float64
	on := func(run func(ctx context.Context, target string, round int, profile string) (float64, error)) func(context.Context, int, string) (float64, error) {
		return func(ctx context.Context, round int, profile string) (float64, error) {
			target, err := e.Postgres(ctx)
			if err != nil {
				return 0, err
			}
			v, err := run(ctx, target, round, profile)
			return v, errors.Join(err, e.DropPostgres(ctx, target))
		}
	}
	ours := kit.Contender{Name: "portal-postgres", Run: on(func(ctx context.Context, target string, round int, profile string) (float64, error) {
		if err := os.RemoveAll(dir); err != nil {
			return 0, err
		}
		u, err := e.Part(ctx, profile, goalName, "portal", file, dir, target)
		if round > 0 {
			rss = append(rss, u.Values["rss"])
		}
		return u.Values["seconds"], err
	})}
	shell := kit.Contender{Name: "psql-copy", Run: on(func(ctx context.Context, target string, _ int, profile string) (float64, error) {
		columns, err := header(file)
		if err != nil {
			return 0, err
		}
		statements := []string{"CREATE TABLE line (" + strings.Join(quoted(columns), " text, ") + " text)"}
		for _, c := range indexed {
			statements = append(statements, fmt.Sprintf(`CREATE INDEX ON line("%s")`, c))
		}
		if err := e.SQL(ctx, target, statements...); err != nil {
			return 0, err
		}
		u, err := e.Command(ctx, profile, nil, io.Discard, "psql", "-X", "-q", "-v", "ON_ERROR_STOP=1", "-d", target, "-c", fmt.Sprintf(`\copy line from '%s' with (format csv, header, null 'NULL')`, file))
		return u.Seconds, err
	})}
	got, err := e.Interleave(ctx, goalName, ours, shell)
	against := `\copy, 3 indexes`
	if errors.Is(err, kit.ErrNoPostgres) {
		return []kit.Figure{{Goal: 4, What: "import, PostgreSQL", Against: against, Missing: err.Error()}}, nil
	}
	if err != nil {
		return nil, err
	}
	return figures("first of its period, PostgreSQL", against, lines, 0.6, got["portal-postgres"], got["psql-copy"], rss), nil
}

func header(file string) ([]string, error) {
	f, err := os.Open(file)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	return csv.NewReader(bufio.NewReader(f)).Read()
}

func quoted(columns []string) []string {
	out := make([]string, len(columns))
	for i, c := range columns {
		out[i] = `"` + c + `"`
	}
	return out
}

// portal imports a file into a fresh database whose sources, rules and prices are declared before.
func portal(ctx context.Context, args []string) (map[string]float64, error) {
	a, err := app.Open(ctx, app.Settings{Data: args[1], DB: args[2]}, app.Options{})
	if err != nil {
		return nil, err
	}
	defer a.Close()
	if err := kit.Declare(ctx, a, args[0]); err != nil {
		return nil, err
	}
	begin := time.Now()
	if err := kit.Import(ctx, a, args[0]); err != nil {
		return nil, err
	}
	seconds := time.Since(begin).Seconds()
	rss, err := kit.PeakRSS()
	return map[string]float64{"seconds": seconds, "rss": rss}, err
}
