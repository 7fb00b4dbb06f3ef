// Package closing measures goal 5: the close of a month from open to issued, every line read again and
// compared with the summaries, against one GROUP BY of the engine's own shell over the same table.
package closing

import (
	"context"
	"errors"
	"fmt"
	"io"
	"path/filepath"

	"huoban/internal/app"
	"huoban/tools/bench/kit"
)

const goalName = "close"

// Goal is goal 5.
var Goal = kit.Goal{Name: goalName, Numbers: []int{5}, Run: run, Parts: map[string]kit.Part{"estimate": estimate, "close": closeMonth}}

// grouped is what the shells do instead of a close.
const grouped = `CREATE TABLE bench_bill (partner_id text, customer_id text, service text, line_count bigint, amount_e8 bigint);
INSERT INTO bench_bill SELECT a.partner_id, l.customer_id, p.service, count(*), sum(l.amount_e8)
FROM usage_line l JOIN product_dim p ON p.id = l.product_id JOIN association a ON a.customer_id = l.customer_id
GROUP BY a.partner_id, l.customer_id, p.service;
`

func run(ctx context.Context, e *kit.Env) ([]kit.Figure, error) {
	figures, err := sqlite(ctx, e)
	more, err2 := postgres(ctx, e)
	return append(figures, more...), errors.Join(err, err2)
}

// contender runs one of the three on a database of its own.
func contender(e *kit.Env, name string, rss *[]float64, target func(ctx context.Context) (string, error), shell func(ctx context.Context, target, profile string) (kit.Usage, error)) kit.Contender {
	return kit.Contender{Name: name, Run: func(ctx context.Context, round int, profile string) (float64, error) {
		t, err := target(ctx)
		if err != nil {
			return 0, err
		}
		if shell != nil {
			u, err := shell(ctx, t, profile)
			return u.Seconds, err
		}
		part := "estimate"
		if rss != nil {
			part = "close"
		}
		u, err := e.Part(ctx, profile, goalName, part, t)
		if rss != nil && round > 0 {
			*rss = append(*rss, u.Values["rss"])
		}
		return u.Values["seconds"], err
	}}
}

func figures(engine string, lines int, limits [2]float64, got map[string][]float64, prefix string, rss []float64) []kit.Figure {
	theirs := got[prefix+"shell"]
	out := []kit.Figure{}
	for i, name := range []string{"close", "estimate"} {
		ours := got[prefix+name]
		out = append(out, kit.Figure{Goal: 5, What: fmt.Sprintf("%s of %d lines, %s", name, lines, engine), Against: "GROUP BY in the shell", Unit: "s",
			Bound: limits[i], AtMost: true, Values: kit.Ratio(ours, theirs), Ours: ours, Theirs: theirs})
	}
	return append(out, kit.Figure{Goal: 5, What: fmt.Sprintf("peak memory of the close of %d lines, %s", lines, engine), Unit: "MB", Values: rss})
}

func sqlite(ctx context.Context, e *kit.Env) ([]kit.Figure, error) {
	world, err := e.World(ctx, e.Lines, 1)
	if err != nil {
		return nil, err
	}
	fresh := func(ctx context.Context) (string, error) {
		dir := filepath.Join(e.Work, "close")
		return dir, kit.Copy(ctx, world, dir)
	}
	var rss []float64
	got, err := e.Interleave(ctx, goalName,
		contender(e, "shell", nil, fresh, func(ctx context.Context, dir, profile string) (kit.Usage, error) {
			return e.Command(ctx, profile, nil, io.Discard, "sqlite3", filepath.Join(dir, "portal.db"), "PRAGMA synchronous=FULL; PRAGMA cache_size=-65536; PRAGMA mmap_size=268435456; PRAGMA temp_store=MEMORY; "+grouped)
		}),
		contender(e, "close", &rss, fresh, nil), contender(e, "estimate", nil, fresh, nil))
	if err != nil {
		return nil, err
	}
	return figures("SQLite", e.Lines, [2]float64{0.75, 0.1}, got, "", rss), nil
}

func postgres(ctx context.Context, e *kit.Env) ([]kit.Figure, error) {
	world, err := e.Postgres(ctx)
	if errors.Is(err, kit.ErrNoPostgres) {
		return []kit.Figure{{Goal: 5, What: "close, PostgreSQL", Against: "GROUP BY in the shell", Missing: err.Error()}}, nil
	}
	if err != nil {
		return nil, err
	}
	file, err := e.Focus(ctx, e.Lines, 1)
	if err != nil {
		return nil, err
	}
	data := filepath.Join(e.Work, "close-postgres") // the key of the audit chain
	if err := kit.Fill(ctx, app.Settings{Data: data, DB: world}, file); err != nil {
		return nil, err
	}
	if err := e.SQL(ctx, world, "VACUUM ANALYZE"); err != nil {
		return nil, err
	}
	// The close is discarded after each round instead of copying the database: what is issued cannot be, so
	// here it goes to the reviewed draft.
	same := func(context.Context) (string, error) { return world, nil }
	shell := func(ctx context.Context, target, profile string) (kit.Usage, error) {
		u, err := e.Command(ctx, profile, nil, io.Discard, "psql", "-X", "-q", "-v", "ON_ERROR_STOP=1", "-d", target, "-c", grouped)
		return u, errors.Join(err, e.SQL(ctx, target, "DROP TABLE bench_bill"))
	}
	var rss []float64
	ours := contender(e, "postgres-close", &rss, same, nil)
	est := contender(e, "postgres-estimate", nil, same, nil)
	got, err := e.Interleave(ctx, goalName, contender(e, "postgres-shell", nil, same, shell), ours, est)
	if err != nil {
		return nil, err
	}
	return figures("PostgreSQL", e.Lines, [2]float64{1.25, 0.2}, got, "postgres-", rss), nil
}
