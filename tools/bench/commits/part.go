package commits

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"net/url"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/jackc/pgx/v5"
	_ "modernc.org/sqlite" // driver "sqlite"

	"huoban/internal/audit"
	"huoban/internal/clock"
	"huoban/internal/export"
	"huoban/internal/fault"
	"huoban/internal/id"
	"huoban/internal/outbox"
	"huoban/internal/scope"
	"huoban/internal/store"
	"huoban/internal/store/auditstore"
	"huoban/internal/store/exportstore"
	"huoban/internal/store/flowstore"
	"huoban/internal/store/jobstore"
	"huoban/internal/store/migrate"
)

// The contenders of a round take turns of a tenth of a second in one process, because single commits feel
// every other use of the disk. The first turns are not counted: what was made before must reach the disk.
const (
	turn      = 100 * time.Millisecond
	turns     = 20
	turnsLost = 4
)

// contender stores something durable again and again.
type contender struct {
	name    string
	writers int
	one     func(writer int) error
	proved  func(count int64) error // checks what is stored; nil has nothing to check
	close   func()
}

// makers make a contender on a target: a folder, or a PostgreSQL database.
var makers = map[string]func(ctx context.Context, target string) (*contender, error){
	"bare-1": bare,
	"transition-1": func(ctx context.Context, dir string) (*contender, error) {
		return transitions(ctx, filepath.Join(dir, "one.db"), 1)
	},
	"transition-1-unsafe": func(ctx context.Context, dir string) (*contender, error) {
		return transitions(ctx, filepath.Join(dir, "unsafe.db"), 1, store.Unsafe())
	},
	"transition-64": func(ctx context.Context, dir string) (*contender, error) {
		return transitions(ctx, filepath.Join(dir, "many.db"), crowd)
	},
	"workflow-1": func(ctx context.Context, dir string) (*contender, error) {
		return workflow(ctx, filepath.Join(dir, "flow"), 1)
	},
	"workflow-64": func(ctx context.Context, dir string) (*contender, error) {
		return workflow(ctx, filepath.Join(dir, "flows"), crowd)
	},
	"postgres-workflow-1":   func(ctx context.Context, url string) (*contender, error) { return workflow(ctx, url, 1) },
	"postgres-workflow-64":  func(ctx context.Context, url string) (*contender, error) { return workflow(ctx, url, crowd) },
	"postgres-bare-1":       func(ctx context.Context, url string) (*contender, error) { return barePostgres(ctx, url, 1) },
	"postgres-bare-64":      func(ctx context.Context, url string) (*contender, error) { return barePostgres(ctx, url, crowd) },
	"postgres-transition-1": func(ctx context.Context, url string) (*contender, error) { return transitions(ctx, url, 1) },
	"postgres-transition-64": func(ctx context.Context, url string) (*contender, error) {
		return transitions(ctx, url, crowd)
	},
}

// together lets the named contenders take turns and gives what each stored per second. Each has a target
// of its own, or all the same folder.
func together(ctx context.Context, args []string) (map[string]float64, error) {
	var list []*contender
	for _, arg := range args {
		name, target, _ := strings.Cut(arg, "=")
		c, err := makers[name](ctx, target)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", name, err)
		}
		defer c.close()
		c.name = name
		list = append(list, c)
	}
	total, counted, took := make([]int64, len(list)), make([]int64, len(list)), make([]time.Duration, len(list))
	for n := range turns {
		for i, c := range list {
			begin := time.Now()
			done, err := c.turn(begin)
			if err != nil {
				return nil, fmt.Errorf("%s: %w", c.name, err)
			}
			if total[i] += done; n >= turnsLost {
				counted[i] += done
				took[i] += time.Since(begin)
			}
		}
	}
	rates := map[string]float64{}
	for i, c := range list {
		rates[c.name] = float64(counted[i]) / took[i].Seconds()
		if c.proved != nil {
			if err := c.proved(total[i]); err != nil {
				return nil, fmt.Errorf("%s: %w", c.name, err)
			}
		}
	}
	return rates, nil
}

// turn lets every writer store until the turn is over.
func (c *contender) turn(begin time.Time) (int64, error) {
	var done atomic.Int64
	var wg sync.WaitGroup
	failed := make(chan error, c.writers)
	for w := range c.writers {
		wg.Go(func() {
			for time.Since(begin) < turn {
				if err := c.one(w); err != nil {
					failed <- err
					return
				}
				done.Add(1)
			}
		})
	}
	wg.Wait()
	select {
	case err := <-failed:
		return 0, err
	default:
		return done.Load(), nil
	}
}

const bareTable = "CREATE TABLE bare (id INTEGER PRIMARY KEY, at TEXT NOT NULL, body TEXT NOT NULL)"

// bareBody is about as long as a row of the transition log.
const bareBody = "export/0192f3a4-0000-7000-8000-000000000000 failed processing retry somebody@partner"

// bare commits single rows by a prepared statement on one connection, with the pragmas of the portal.
func bare(ctx context.Context, dir string) (*contender, error) {
	v := url.Values{"_pragma": {"journal_mode(WAL)", "synchronous(FULL)", "foreign_keys(1)", "mmap_size(268435456)", "cache_size(-65536)",
		"wal_autocheckpoint(12000)", "journal_size_limit(67108864)"}}
	db, err := sql.Open("sqlite", "file:"+filepath.Join(dir, "bare.db")+"?"+v.Encode())
	if err != nil {
		return nil, err
	}
	db.SetMaxOpenConns(1)
	if _, err := db.ExecContext(ctx, bareTable+" STRICT"); err != nil {
		return nil, err
	}
	// The journal gets its full length first, as that of the portal has when its tasks are made: a commit that
	// makes the file longer waits for the file system's journal too.
	if _, err := db.ExecContext(ctx, "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 400000) INSERT INTO bare (at, body) SELECT '', ? FROM n", bareBody); err != nil {
		return nil, err
	}
	st, err := db.PrepareContext(ctx, "INSERT INTO bare (at, body) VALUES (?, ?)")
	if err != nil {
		return nil, err
	}
	return &contender{writers: 1, close: func() { db.Close() }, one: func(int) error {
		_, err := st.ExecContext(ctx, "2026-01-01T00:00:00.000000Z", bareBody)
		return err
	}}, nil
}

// barePostgres has as many connections as the portal's pool.
func barePostgres(ctx context.Context, target string, writers int) (*contender, error) {
	conns := make([]*pgx.Conn, min(writers, 16))
	locks := make([]sync.Mutex, len(conns))
	for i := range conns {
		var err error
		if conns[i], err = pgx.Connect(ctx, target); err != nil {
			return nil, err
		}
	}
	if _, err := conns[0].Exec(ctx, "CREATE TABLE IF NOT EXISTS bare (id bigserial PRIMARY KEY, at text NOT NULL, body text NOT NULL)"); err != nil {
		return nil, err
	}
	stop := func() {
		for _, c := range conns {
			c.Close(ctx)
		}
	}
	return &contender{writers: writers, close: stop, one: func(w int) error {
		i := w % len(conns)
		locks[i].Lock()
		defer locks[i].Unlock()
		_, err := conns[i].Exec(ctx, "INSERT INTO bare (at, body) VALUES ($1, $2)", "2026-01-01T00:00:00.000000Z", bareBody)
		return err
	}}, nil
}

// transitions retries failed exports through the service. With many writers every sixteenth request is
// one that must be refused. In the end what was acknowledged must be stored, each once, and the audit
// chain hold.
func transitions(ctx context.Context, target string, writers int, options ...store.Option) (*contender, error) {
	db, err := store.Open(ctx, target, options...)
	if err != nil {
		return nil, err
	}
	if _, err := migrate.Run(ctx, db); err != nil {
		return nil, err
	}
	const org, person = "0192f3a4-0000-7000-8000-0000000000a1", "0192f3a4-0000-7000-8000-0000000000b1"
	tasks := make([][]string, writers)
	if err := failedTasks(ctx, db, org, person, tasks); err != nil {
		return nil, err
	}
	c, key := clock.System(), audit.Key{1}
	chain := auditstore.New(db)
	svc := export.New(export.Deps{Tx: db, Store: exportstore.New(db), Log: flowstore.New(db), Jobs: outbox.NewQueue(jobstore.New(db), c),
		Audit: audit.NewChain(chain, c, key), Clock: c})
	who := scope.Partner(org, person, "somebody@partner", []scope.Item{scope.ItemExportOwn}, nil)
	at := make([]int, writers)
	one := func(w int) error {
		n := at[w]
		at[w]++
		if n >= len(tasks[w]) {
			return errors.New("more tasks are needed")
		}
		if writers > 1 && n%16 == 15 {
			if _, err := svc.Retry(ctx, who, tasks[w][n-1]); !fault.HasCode(err, "flow.not_from_state") {
				return fmt.Errorf("a second retry: %w", err)
			}
		}
		_, err := svc.Retry(ctx, who, tasks[w][n])
		return err
	}
	return &contender{writers: writers, one: one, close: func() { db.Close() },
		proved: func(count int64) error { return proved(ctx, db, chain, key, count) }}, nil
}

// failedTasks fills the lists with tasks to retry; their making is not measured.
func failedTasks(ctx context.Context, db *store.DB, org, person string, tasks [][]string) error {
	total := 60000
	if len(tasks) > 1 {
		total = 128000
	}
	now, n := store.At(time.Now()), 0
	columns := []string{"id", "org_id", "person_id", "login", "kind", "format", "params", "file_name", "content_type", "state", "version", "requested_at",
		"bytes", "line_count", "sha", "failure"}
	return db.InBulk(ctx, func(ctx context.Context) error {
		_, err := db.Bulk(ctx, "export_task", columns, func() ([]any, bool, error) {
			if n == total {
				return nil, false, nil
			}
			key := id.New()
			tasks[n%len(tasks)] = append(tasks[n%len(tasks)], key)
			n++
			return []any{key, org, person, "somebody@partner", "bill_items", "csv", `{"bill":"0192f3a4-0000-7000-8000-0000000000c1"}`, "", "", "failed", int64(2), now,
				int64(0), int64(0), "", "export.timed_out"}, true, nil
		})
		return err
	})
}

func proved(ctx context.Context, db *store.DB, chain *auditstore.Store, key audit.Key, want int64) error {
	for _, table := range []string{"transition_log", "job", "audit"} {
		var have int64
		if err := db.Row(ctx, store.Query{Name: "bench.Count", Text: "select count(*) from " + table}, "bench.none", nil, &have); err != nil {
			return err
		}
		if have != want {
			return fmt.Errorf("%d acknowledged, %d in %s", want, have, table)
		}
	}
	report, err := audit.Verify(ctx, chain, key, nil)
	if err == nil && report.Broken != nil {
		err = fmt.Errorf("the audit chain is broken: %w", report.Broken)
	}
	return err
}
