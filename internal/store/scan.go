package store

import (
	"context"
	"errors"
	"fmt"
	"runtime"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/jackc/pgx/v5"

	"huoban/internal/store/lite"
)

// scanners bounds the goroutines of one Scan.
const scanners = 4

// Scan runs a query once for each part, a list of arguments, on as many goroutines as there are
// processors, and all of them see the snapshot of the reading transaction of ctx. scan is called for the
// rows of one part by one goroutine, for those of two parts perhaps at the same time. Nothing else may
// use the transaction meanwhile.
//
// A second connection sees the same snapshot on PostgreSQL because it takes it over. On SQLite it is used
// where it reads the same version (see version.go) as the transaction: whatever changes what pages show,
// and with it the lines and sums of active slots, moves the version in its own transaction. Where the two
// differ, and inside a writing transaction, the transaction's own connection reads all parts.
func (db *DB) Scan(ctx context.Context, q Query, parts [][]any, scan func(part int, row Cells) error) error {
	t := current(ctx, db)
	if t == nil {
		return errors.New("store: " + q.Name + " scans outside a transaction")
	}
	if err := t.ready(ctx, q); err != nil {
		return err
	}
	s := &scanning{db: db, q: q, parts: parts, scan: scan}
	more := min(runtime.GOMAXPROCS(0), scanners, len(parts)) - 1
	switch {
	case t.reader != nil:
		return s.sqlite(ctx, t, more+1)
	case t.tx != nil && t.ro && more > 0:
		return s.postgres(ctx, t, more)
	}
	return s.own(ctx)
}

type scanning struct {
	db    *DB
	q     Query
	parts [][]any
	scan  func(int, Cells) error
	taken atomic.Int64
	stop  atomic.Bool
}

// next is a part nobody has taken yet.
func (s *scanning) next() (int, bool) {
	i := int(s.taken.Add(1)) - 1
	return i, i < len(s.parts) && !s.stop.Load()
}

// each takes parts until there are none.
func (s *scanning) each(read func(part int, scan func(Cells) error) error) error {
	for {
		i, ok := s.next()
		if !ok {
			return nil
		}
		err := read(i, func(row Cells) error {
			if s.stop.Load() {
				return errStopped
			}
			return s.scan(i, row)
		})
		if err != nil {
			s.stop.Store(true)
			return err
		}
	}
}

// errStopped ends the reading of the others after one has failed.
var errStopped = errors.New("store: reading stopped")

// own reads on the transaction's connection alone.
func (s *scanning) own(ctx context.Context) error {
	return s.each(func(i int, scan func(Cells) error) error { return s.db.Stream(ctx, s.q, s.parts[i], scan) })
}

// together runs the readers at once and gives the first error that is not another's echo.
func together(readers []func() error) error {
	failed := make([]error, len(readers))
	var done sync.WaitGroup
	for i, read := range readers {
		done.Go(func() { failed[i] = read() })
	}
	done.Wait()
	failed = slices.DeleteFunc(failed, func(err error) bool { return err == nil || errors.Is(err, errStopped) })
	return errors.Join(failed...)
}

func (s *scanning) sqlite(ctx context.Context, t *liveTx, n int) error {
	version, err := s.db.Version(ctx)
	if err != nil {
		return err
	}
	var readers []func() error
	var open []*lite.Conn
	defer func() {
		for _, c := range open {
			_ = c.Close()
		}
	}()
	for range n {
		c, err := lite.Open("file:"+escapePath(s.db.path), scanPragmas)
		if err != nil {
			break
		}
		open = append(open, c)
		if same, err := sees(ctx, c, version); err != nil || !same {
			break
		}
		readers = append(readers, func() error {
			return s.each(func(i int, scan func(Cells) error) error {
				var stopped error // of scan
				err := streamLite(ctx, c, s.q, s.parts[i], func(row Cells) error { stopped = scan(row); return stopped })
				if err != nil && err != stopped {
					err = wrap(s.q, err)
				}
				return err
			})
		})
	}
	if len(readers) == 0 {
		return s.own(ctx)
	}
	s.db.tell(s.q)
	t.open = s.q.Name
	defer func() { t.open = "" }()
	return together(readers)
}

// scanPragmas are those of the reading pool, but that nothing is mapped: what is read once would count as
// this process's memory.
var scanPragmas = []string{"busy_timeout(10000)", "query_only(1)", "temp_store(MEMORY)", "cache_size(-8192)", "mmap_size(0)"}

// sees begins a snapshot and tells whether it has that version.
func sees(ctx context.Context, c *lite.Conn, version int64) (same bool, err error) {
	if err := c.Exec("BEGIN"); err != nil {
		return false, err
	}
	err = streamLite(ctx, c, qVersion, nil, func(row Cells) error {
		same = row[0] == version
		return nil
	})
	return same, err
}

// scanSettings keep the server from compiling a query that is run twice, from giving it processes of its
// own beside ours, and from sorting a million rows on disk where it can put them into groups in memory.
const scanSettings = "SET LOCAL jit = off; SET LOCAL max_parallel_workers_per_gather = 0; SET LOCAL enable_sort = off; " +
	"SET LOCAL work_mem = '64MB'; SET LOCAL hash_mem_multiplier = 2"

func (s *scanning) postgres(ctx context.Context, t *liveTx, more int) error {
	var snapshot string
	err := t.withPgx(func(conn *pgx.Conn) error {
		if err := conn.QueryRow(ctx, "SELECT pg_export_snapshot()").Scan(&snapshot); err != nil {
			return err
		}
		_, err := conn.Exec(ctx, scanSettings)
		return err
	})
	if err != nil {
		return t.fail(wrap(s.q, err))
	}
	if strings.ContainsAny(snapshot, `'\`) {
		return fmt.Errorf("%s: snapshot %q", s.q.Name, snapshot)
	}
	readers := []func() error{func() error { return s.own(ctx) }}
	for range more {
		readers = append(readers, func() error { return s.beside(ctx, snapshot) })
	}
	return together(readers)
}

// beside reads on a further connection that takes the snapshot over. Where there is none to be had, the
// others read its parts.
func (s *scanning) beside(ctx context.Context, snapshot string) error {
	asking, enough := context.WithTimeout(ctx, time.Second)
	conn, err := s.db.read.Conn(asking)
	enough()
	if err != nil {
		if ctx.Err() != nil {
			return ctx.Err()
		}
		return nil
	}
	return s.db.onceOn(ctx, conn, "", readOnly, func(inner context.Context) error {
		t := current(inner, s.db)
		err := t.withPgx(func(conn *pgx.Conn) error {
			_, err := conn.Exec(ctx, "SET TRANSACTION SNAPSHOT '"+snapshot+"'; "+scanSettings)
			return err
		})
		if err != nil {
			return t.fail(wrap(s.q, err))
		}
		return s.own(inner)
	})
}
