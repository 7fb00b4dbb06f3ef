package app

import (
	"context"
	"flag"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"huoban/internal/clock"
	"huoban/internal/fault"
	"huoban/internal/flow/flowtest"
	"huoban/internal/idempotency"
	"huoban/internal/scope"
	"huoban/internal/store"
	"huoban/internal/store/flowstore"
	"huoban/internal/store/idemstore"
	"huoban/internal/store/storetest"
)

// walkSteps is how far each machine is walked; `go test ./internal/app -run TestEveryMachineWalks -walk.steps N` for more.
var walkSteps = flag.Int("walk.steps", 100_000, "steps of the random walk of each machine")

func TestEveryMachineWalks(t *testing.T) {
	for i, e := range Machines {
		t.Run(e.Machine.Describe().Machine, func(t *testing.T) {
			flowtest.RandomWalk(t, e.Machine, *walkSteps, uint64(i+1))
		})
	}
}

// TestEveryGuardHasExamples: the package of each machine shows every guard a case it lets pass and one it refuses.
func TestEveryGuardHasExamples(t *testing.T) {
	files, err := filepath.Glob("../*/*.go")
	if err != nil {
		t.Fatal(err)
	}
	deeper, err := filepath.Glob("../*/*/*.go")
	if err != nil {
		t.Fatal(err)
	}
	dirs, examples := map[string]string{}, map[string]bool{}
	for _, f := range append(files, deeper...) {
		body, err := os.ReadFile(f)
		if err != nil {
			t.Fatal(err)
		}
		if strings.HasSuffix(f, "_test.go") {
			examples[filepath.Dir(f)] = examples[filepath.Dir(f)] || strings.Contains(string(body), "flowtest.Guards(")
			continue
		}
		for _, part := range strings.Split(string(body), "\tMachine: \"")[1:] {
			name, _, _ := strings.Cut(part, `"`)
			dirs[name] = filepath.Dir(f)
		}
	}
	for _, e := range Machines {
		d := e.Machine.Describe()
		guards := 0
		for _, r := range d.Rows {
			guards += len(r.When)
		}
		if guards > 0 && !examples[dirs[d.Machine]] {
			t.Errorf("%s has %d guards, and no flowtest.Guards in %s", d.Machine, guards, dirs[d.Machine])
		}
	}
}

// TestEveryMoveHappensOnce fires every move of every machine twice under one key, as a double click does, and once more
// from the page it was fired from: one change is logged, the second answer is the first, the third tells who was first,
// when and by which move.
func TestEveryMoveHappensOnce(t *testing.T) {
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		now := time.Date(2026, 11, 5, 4, 0, 0, 0, time.UTC)
		log, keeper := flowstore.New(db), idempotency.New(db, idemstore.New(db), clock.At(now))
		lin, mei := scope.System("lin"), scope.System("mei")
		for _, e := range Machines {
			b := flowtest.BareOf(e.Machine)
			for _, r := range b.Rows {
				for _, from := range r.From {
					what := b.Machine + "/" + r.Do + "/" + from
					row := flowtest.Thing{ID: what, State: from, Version: 1}
					if err := db.InTx(context.Background(), func(ctx context.Context) error { return b.Begin(ctx, log, row.ID, from, lin, now) }); err != nil {
						t.Fatal(what, err)
					}
					seen := row
					post := func(key string, who scope.Scope) (replayed bool, err error) {
						_, replayed, err = keeper.Do(context.Background(), idempotency.Request{Actor: who.Login(), Key: key, Digest: idempotency.Digest([]byte(what))}, func(ctx context.Context) (idempotency.Outcome, error) {
							return idempotency.Outcome{Status: 200}, b.Fire(ctx, log, seen, r.Do, who, now, func(_ context.Context, to string) (bool, error) {
								if row.State != seen.State || row.Version != seen.Version {
									return false, nil
								}
								row.State, row.Version = to, row.Version+1
								return true, nil
							})
						})
						return replayed, err
					}
					if replayed, err := post("key/"+what, lin); err != nil || replayed {
						t.Fatal(what, replayed, err)
					}
					if replayed, err := post("key/"+what, lin); err != nil || !replayed {
						t.Fatalf("%s again: replayed %v, %v", what, replayed, err)
					}
					_, err := post("other/"+what, mei)
					f := fault.From(err)
					if err == nil || f.Kind != fault.KindConflict || f.Args["by"] != "lin" || f.Args["at"] != "2026-11-05 12:00:00" || f.Args["did"] != b.Machine+".action."+r.Do {
						t.Fatalf("%s from a stale page: %v %+v", what, err, f)
					}
					if h, err := log.History(context.Background(), b.Machine, row.ID); err != nil || len(h) != 2 || row.Version != 2 {
						t.Fatalf("%s: %d changes, %v", what, len(h), err)
					}
				}
			}
		}
	})
}
