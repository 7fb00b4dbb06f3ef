package main

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"math/rand/v2"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"huoban/internal/id"
	"huoban/internal/store"
)

// deed is one piece of an operator's work that is cut short.
type deed struct {
	name  string
	fresh bool     // on an empty database
	move  bool     // to another database: what counts is what arrives there
	args  []string // "{to}" is the other database
	bills []string // whose canonical exports tell what was done
}

// Deeds change what they touch in different ways: batches and publication, publication over an issued
// and an open month, lines that move, the steps of a close, states alone, a copy in one transaction, and
// the tables themselves.
func deeds(folder string) []deed {
	all := []string{"P1 2025-01", "R1 2025-01", "P1 2025-02", "R1 2025-02", "D1 2025-02"}
	return []deed{
		{name: "import", args: []string{"import", filepath.Join(folder, "mar.csv"), "--source", "own", "--final"}, bills: append([]string{"P1 2025-03", "R1 2025-03"}, all...)},
		{name: "replace", args: []string{"import", filepath.Join(folder, "again.csv"), "--source", "own"}, bills: all},
		{name: "attribution", args: []string{"map", "import", filepath.Join(folder, "move.csv")}, bills: all},
		{name: "close", args: []string{"close", "--vendor", "V", "--cycle", "2025-02", "--issue"}, bills: all},
		{name: "revert", args: []string{"delivery", "revert", "own/2"}, bills: all},
		{name: "move", move: true, args: []string{"migrate", "--to", "{to}"}, bills: all},
		{name: "tables", fresh: true, args: []string{"source", "add", "--name", "own", "--vendor", "V", "--dialect", "huoban"}},
	}
}

// charges writes lines of one month over four accounts; every figure follows from the line's number.
func charges(b *strings.Builder, month string, from, lines, step int) {
	for i := from; i < from+lines; i++ {
		fmt.Fprintf(b, "%d,%s,%s-%02d,Product %d,usage,CNY,%d.%07d1,%d,a%d\n", i, month, month, i%28+1, i%7, i%90+step, i*7919%10_000_000, i%90+9, i%4+1)
	}
}

// aMonthIn fills a world: January issued, February open and complete, files for what comes next.
func (w *world) aMonthIn(folder string, march int) {
	w.t.Helper()
	var files [4]strings.Builder
	for i, name := range []string{"jan.csv", "feb.csv", "mar.csv", "again.csv"} {
		b := &files[i]
		b.WriteString(lineHead)
		switch i {
		case 0:
			charges(b, "2025-01", 0, 900, 1)
		case 1:
			charges(b, "2025-02", 10_000, 2500, 1)
		case 2:
			charges(b, "2025-03", 100_000, march, 1)
		case 3:
			charges(b, "2025-01", 0, 950, 2)
			charges(b, "2025-02", 10_100, 2500, 2)
		}
		if err := os.WriteFile(filepath.Join(folder, name), []byte(b.String()), 0o600); err != nil {
			w.t.Fatal(err)
		}
	}
	move := mapHead + "own,a1,C9,P1,resale,,\nown,a3,C8,R1,resale,,\n"
	if err := os.WriteFile(filepath.Join(folder, "move.csv"), []byte(move), 0o600); err != nil {
		w.t.Fatal(err)
	}
	w.do("source", "add", "--name", "own", "--vendor", "V", "--dialect", "huoban", "--mode", "snapshot", "--zone", "UTC", "--loose", "spread")
	w.do("org", "add", "--code", "D1", "--kind", "distributor", "--name", "Distributor", "--parent", "V")
	w.do("org", "add", "--code", "R1", "--kind", "reseller", "--name", "Reseller", "--parent", "D1")
	w.do("org", "add", "--code", "P1", "--kind", "solution", "--name", "Partner", "--parent", "V")
	w.do("user", "add", "--org", "V", "--login", "anna", "--role", "admin", "--keep-password", "--password-file", w.file("pw", killPassword+"\n"))
	w.do("user", "add", "--org", "P1", "--login", "paul", "--role", "admin", "--keep-password", "--password-file", w.file("pw", killPassword+"\n"))
	w.do("import", filepath.Join(folder, "jan.csv"), "--source", "own", "--final")
	w.do("map", "import", w.file("own.csv", mapHead+"own,a1,C1,R1,resale,,\nown,a2,C2,D1,resale,,\nown,a3,C3,P1,resale,,\nown,a4,C4,P1,resale,,\n"))
	w.do("price", "import", "--vendor", "V", w.file("v.csv", ruleHead+"D1,,,,,,normal,billed,0.731,,\nR1,,,,,,normal,list,0.917,,\nP1,,,,,,normal,billed,0.9,,\n"))
	w.do("close", "--vendor", "V", "--cycle", "2025-01", "--issue")
	w.do("import", filepath.Join(folder, "feb.csv"), "--source", "own", "--final")
}

const killPassword = "Long-enough-Passw0rd!"

// clone is a world that goes on from where this one stands; its end takes everything away at once,
// because hundreds may be made.
func (w *world) clone() (*world, func()) {
	w.t.Helper()
	if w.engine == "sqlite" {
		to := w.copyOf(id.New())
		to.clock = w.clock
		return to, func() { _ = os.RemoveAll(to.data) }
	}
	to := w.beside(id.New(), "")
	var end func()
	to.db, end = copyPostgres(w.t, w.db)
	return to, func() { end(); _ = os.RemoveAll(to.data) }
}

// empty is a world with nothing in it.
func (w *world) empty() (*world, func()) {
	w.t.Helper()
	to := &world{t: w.t, engine: w.engine, data: filepath.Join(w.t.TempDir(), id.New()), clock: w.clock}
	end := func() {}
	if w.engine == "postgres" {
		to.db, end = copyPostgres(w.t, "")
	}
	return to, func() { end(); _ = os.RemoveAll(to.data) }
}

// copyPostgres makes a database like another one, or an empty one.
func copyPostgres(t *testing.T, from string) (string, func()) {
	t.Helper()
	u, err := url.Parse(os.Getenv("PORTAL_TEST_PG"))
	if err != nil {
		t.Fatal(err)
	}
	admin, err := sql.Open("pgx", u.String())
	if err != nil {
		t.Fatal(err)
	}
	name, template := "k_"+strings.ReplaceAll(id.New(), "-", ""), "template1"
	if from != "" {
		f, err := url.Parse(from)
		if err != nil {
			t.Fatal(err)
		}
		template = strings.TrimPrefix(f.Path, "/")
	}
	for try := 0; ; try++ { // connections that were just closed are still counted for a moment
		_, err = admin.ExecContext(t.Context(), "CREATE DATABASE "+name+" TEMPLATE "+template)
		if err == nil {
			break
		}
		if try == 100 {
			t.Fatal(err)
		}
		time.Sleep(50 * time.Millisecond)
	}
	u.Path = "/" + name
	return u.String(), func() {
		_, _ = admin.ExecContext(context.Background(), "DROP DATABASE "+name+" WITH (FORCE)")
		_, _ = admin.ExecContext(context.Background(), "DROP ROLE IF EXISTS "+store.RoleOf(name)+", "+store.TenantRoleOf(name))
		admin.Close()
	}
}

// child is the command as a process of its own, which can be killed.
func (w *world) child(args ...string) (*exec.Cmd, *strings.Builder, *strings.Builder) {
	all := []string{"--data", w.data, "--db", w.db}
	if w.clock != "" {
		all = append(all, "--dev", "--clock", w.clock)
	}
	cmd := exec.Command("portal", append(all, args...)...)
	var stdout, stderr strings.Builder
	cmd.Stdout, cmd.Stderr = &stdout, &stderr
	return cmd, &stdout, &stderr
}

// cut runs a command and disturbs it after a while. It gives the exit code, -1 if it was killed.
func (w *world) cut(after time.Duration, disturb func(*os.Process), args ...string) (int, string) {
	w.t.Helper()
	cmd, _, stderr := w.child(args...)
	if err := cmd.Start(); err != nil {
		w.t.Fatal(err)
	}
	disturbed := make(chan struct{})
	timer := time.AfterFunc(after, func() {
		defer close(disturbed)
		disturb(cmd.Process)
	})
	err := cmd.Wait()
	if !timer.Stop() { // what has begun shall not meet the connections of whoever looks afterwards
		<-disturbed
	}
	var exit *exec.ExitError
	if err != nil && !errors.As(err, &exit) {
		w.t.Fatal(err)
	}
	return cmd.ProcessState.ExitCode(), stderr.String()
}

func kill(p *os.Process) { _ = p.Kill() }

// disconnect ends every connection to a database at once, as a restarting server does.
func disconnect(t *testing.T, target string) {
	u, err := url.Parse(target)
	if err != nil {
		t.Error(err)
		return
	}
	admin, err := sql.Open("pgx", os.Getenv("PORTAL_TEST_PG"))
	if err != nil {
		t.Error(err)
		return
	}
	defer admin.Close()
	if _, err := admin.ExecContext(context.Background(), "select pg_terminate_backend(pid) from pg_stat_activity where datname = $1",
		strings.TrimPrefix(u.Path, "/")); err != nil {
		t.Error(err)
	}
}

// ledger is what a database holds without what differs between two runs of the same work: canonical
// exports, and of every table its rows and the sum of every column of amounts. The steps of a close are
// left out: they tell what was begun, so a second try adds to them. So is the version of pages, which every
// change moves in one of several rows.
func (w *world) ledger(bills []string) string {
	w.t.Helper()
	target := w.db
	if target == "" {
		target = filepath.Join(w.data, "portal.db")
	}
	db, err := store.Open(w.t.Context(), target)
	if err != nil {
		w.t.Fatal(err)
	}
	defer db.Close()
	tables, err := db.Tables(w.t.Context())
	if err != nil {
		w.t.Fatal(err)
	}
	var out []string
	for _, t := range tables {
		if t.Name == "close_step" || t.Name == "page_version" {
			continue
		}
		columns := []string{"cast(count(*) as text)"}
		for _, c := range t.Columns {
			if strings.HasSuffix(c.Name, "_e8") {
				columns = append(columns, "coalesce(cast(sum("+c.Name+") as text), '0')")
			}
		}
		values := make([]string, len(columns))
		dest := make([]any, len(columns))
		for i := range values {
			dest[i] = &values[i]
		}
		q := store.Query{Name: "test", Text: "select " + strings.Join(columns, ", ") + " from " + t.Name}
		if err := db.Row(w.t.Context(), q, "none", nil, dest...); err != nil {
			w.t.Fatal(err)
		}
		out = append(out, t.Name+" "+strings.Join(values, " "))
	}
	slices.Sort(out)
	return strings.Join(out, "\n") + "\n" + w.canonical(bills...)
}

// setting is a figure of the environment; scripts/faults.sh gives larger ones than make test.
func setting(name string, short int) int {
	if n, err := strconv.Atoi(os.Getenv(name)); err == nil && n > 0 {
		return n
	}
	return short
}

// kills is one run of the harness over one engine.
type kills struct {
	base   *world
	folder string
	random *rand.Rand
	took   map[string]time.Duration // an undisturbed run
	want   map[string]string        // what it leaves

	rounds, killed, refused int
	slowest                 time.Duration // start of the server after a kill
}

func newKills(t *testing.T, engine string) *kills {
	t.Helper()
	seed := uint64(setting("PORTAL_FAULT_SEED", int(time.Now().UnixNano()&0xffffff)))
	t.Logf("PORTAL_FAULT_SEED=%d", seed)
	k := &kills{base: newWorld(t, engine), folder: t.TempDir(), random: rand.New(rand.NewPCG(seed, 1)), took: map[string]time.Duration{}, want: map[string]string{}}
	k.base.clock = "2025-03-04T12:00:00+08:00" // before the day on which a server reminds of February
	k.base.aMonthIn(k.folder, setting("PORTAL_FAULT_LINES", 3000))
	k.base.aMonthVouchered()
	return k
}

// begin gives the world a deed starts from and its whole command line; to is where it moves things.
func (k *kills) begin(d deed) (w, to *world, args []string, end func()) {
	make1 := k.base.clone
	if d.fresh {
		make1 = k.base.empty
	}
	w, end = make1()
	args = slices.Clone(d.args)
	to = w
	if i := slices.Index(args, "{to}"); i >= 0 {
		first := end
		var target func()
		if to = w.beside(id.New(), ""); w.engine == "postgres" {
			to.db, target = copyPostgres(w.t, "")
			args[i] = to.db
		} else {
			args[i] = filepath.Join(to.data, "portal.db")
			target = func() { _ = os.RemoveAll(to.data) }
		}
		end = func() { first(); target() }
	}
	return w, to, args, end
}

// measure runs a deed undisturbed.
func (k *kills) measure(d deed) {
	w, to, args, end := k.begin(d)
	defer end()
	begun := time.Now()
	if code, stderr := w.cut(time.Hour, kill, args...); code != exitDone {
		k.base.t.Fatalf("%s undisturbed: exit %d\n%s", d.name, code, stderr)
	}
	k.took[d.name] = time.Since(begun)
	k.want[d.name] = to.ledger(d.bills)
}

// round disturbs a deed at a random point of its time, starts the portal again, and wants nothing lost,
// nothing doubled, and the rest done by the same command once more.
func (k *kills) round(d deed, how string) {
	t := k.base.t
	t.Helper()
	w, to, args, end := k.begin(d)
	defer end()
	after := time.Duration(k.random.Float64() * float64(k.took[d.name]))
	disturb := kill
	if how != "killed" {
		disturb = func(*os.Process) { disconnect(t, to.db) }
	}
	code, stderr := w.cut(after, disturb, args...)
	where := fmt.Sprintf("%s %s %s after %v of %v", w.engine, d.name, how, after.Round(time.Millisecond), k.took[d.name].Round(time.Millisecond))
	k.rounds++
	switch {
	case code == exitDone: // acknowledged: it must be there without another try
		if diff := cmp.Diff(k.want[d.name], to.ledger(d.bills)); diff != "" {
			t.Errorf("%s: done, but (-undisturbed +this)\n%.3000s", where, diff)
		}
	case code == -1:
		k.killed++
	default:
		k.refused++
		if !strings.Contains(stderr, "[store.") && !strings.Contains(stderr, "[settings.") {
			t.Errorf("%s: exit %d without saying what happened and what to do:\n%s", where, code, stderr)
		}
	}
	if !d.fresh { // a server that nobody can sign in to yet writes a link for the first one
		k.starts(w)
	}
	for _, check := range [][]string{{"verify"}, {"audit", "verify"}} {
		if code, _, stderr := w.exec(check...); code != exitDone {
			t.Errorf("%s: %v: exit %d\n%s", where, check, code, stderr)
		}
	}
	if code, _, stderr := w.exec(args...); code != exitDone && !d.again(stderr) {
		t.Errorf("%s: again: exit %d\n%s", where, code, stderr)
	}
	if diff := cmp.Diff(k.want[d.name], to.ledger(d.bills)); diff != "" {
		t.Errorf("%s: after the second try (-undisturbed +this)\n%.3000s", where, diff)
	}
	to.whole()
}

// starts starts the portal on what the disturbance left: on a copy, for a server at once collects bills, reminds
// staff and sums days, as far as it comes.
func (k *kills) starts(w *world) {
	w.t.Helper()
	left, end := w.clone()
	defer end()
	began := time.Now()
	srv := left.serve()
	k.slowest = max(k.slowest, time.Since(began))
	srv.kill()
}

// again tells whether a refusal of the second try says that the first one was done.
func (d deed) again(stderr string) bool {
	switch d.name {
	case "move":
		return strings.Contains(stderr, "[transfer.target_not_empty]")
	case "revert":
		return strings.Contains(stderr, "[flow.not_from_state]")
	}
	return false
}

// TestCutShort disturbs commands at random points of their work on both engines: what was acknowledged
// stays, nothing is there twice, everything recomputes, and the same command again completes the work to
// the byte. Processes are killed; on PostgreSQL their connections are ended too, which they either survive
// or answer with what to do. scripts/faults.sh runs hundreds of rounds.
func TestCutShort(t *testing.T) {
	for _, engine := range []string{"sqlite", "postgres"} {
		t.Run(engine, func(t *testing.T) {
			t.Parallel()
			k := newKills(t, engine)
			list := deeds(k.folder)
			k.random.Shuffle(len(list), func(i, j int) { list[i], list[j] = list[j], list[i] })
			rounds := setting("PORTAL_FAULT_ROUNDS", map[string]int{"sqlite": len(list), "postgres": 4}[engine])
			for i := range rounds {
				d, how := list[i%len(list)], "killed"
				if engine == "postgres" && (i+i/len(list))%2 == 1 && !d.fresh {
					how = "cut off"
				}
				if k.want[d.name] == "" {
					k.measure(d)
				}
				k.round(d, how)
				if t.Failed() {
					t.FailNow()
				}
				if k.rounds%20 == 0 || i == rounds-1 {
					t.Logf("%s: %d rounds: %d killed in mid-work, %d refused for a lost connection, %d had finished; lost 0, doubled 0; slowest start afterwards %v",
						engine, k.rounds, k.killed, k.refused, k.rounds-k.killed-k.refused, k.slowest.Round(time.Millisecond))
				}
			}
		})
	}
}
