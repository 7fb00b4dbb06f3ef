package statementstore_test

import (
	"context"
	"errors"
	"io"
	"math/rand/v2"
	"os"
	"strconv"
	"testing"
	"time"

	"huoban/internal/export"
	"huoban/internal/money"
	"huoban/internal/outbox"
	"huoban/internal/statement"
	"huoban/internal/statementexport"
	"huoban/internal/store"
	"huoban/internal/store/storetest"
)

// many is how many customers the archive of all is made of: PORTAL_STATEMENTS, or a few.
func many() int {
	if n, err := strconv.Atoi(os.Getenv("PORTAL_STATEMENTS")); err == nil && n > 0 {
		return n
	}
	return 40
}

// TestManyCustomersInOneJob packs the statements of very many customers in one job that is killed again and again: its
// progress only ever grows over what was kept, no file is made twice, the files add up to the list and to the bill, and
// the names in them can be selected. PORTAL_STATEMENTS=1000 is its full form.
func TestManyCustomersInOneJob(t *testing.T) {
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		n := many()
		w := newWorldOf(t, db, n-2) // S has two already
		w.head(alice)
		begun := time.Now()
		w.drafts(alice)
		if _, err := w.service.DoAll(as(alice), alice, month, statement.ActionIssue); err != nil {
			t.Fatal(err)
		}
		t.Logf("%d statements drafted and issued in %v", n, time.Since(begun).Round(time.Millisecond))
		s := w.exports()
		task, err := s.Request(context.Background(), alice, export.Request{Kind: statementexport.KindArchive, Format: statementexport.FormatZip, Params: statementexport.Params{Cycle: month, Lang: "zh-CN"}})
		if err != nil {
			t.Fatal(err)
		}
		begun = time.Now()
		kills := w.killedAgain(s, task, n)
		t.Logf("packed in %v, killed %d times", time.Since(begun).Round(time.Millisecond), kills)
		done, file, err := s.Open(context.Background(), alice, task.ID)
		if err != nil {
			t.Fatal(err)
		}
		body, err := io.ReadAll(file)
		if err != nil {
			t.Fatal(err)
		}
		if done.Rows != int64(n) || len(w.rendered) != n {
			t.Errorf("%d rows, %d made, want %d", done.Rows, len(w.rendered), n)
		}
		for name, times := range w.rendered {
			if times != 1 {
				t.Errorf("%s was made %d times", name, times)
			}
		}
		w.equalsBill(t)
		begun = time.Now()
		w.compare(t, body)
		t.Logf("%d bytes; text of every file read in %v", len(body), time.Since(begun).Round(time.Millisecond))
	})
}

// killedAgain runs the job until it ends by itself; each run but the last dies somewhere.
func (w *world) killedAgain(s *export.Service, task export.Task, n int) (kills int) {
	w.t.Helper()
	killed := errors.New("killed")
	job := outbox.Job{Payload: []byte(`{"task":"` + task.ID + `","version":1}`), Attempts: 1, MaxAttempts: 1000}
	random := rand.New(rand.NewPCG(uint64(n), 7))
	for reached := int64(0); ; kills++ {
		dies := reached + 1 + random.Int64N(int64(n/4)+1)
		last := int64(0)
		err := s.Handler()(context.Background(), job, func(_ context.Context, done, total int64) error {
			if total != int64(n) || done != last+1 {
				w.t.Fatalf("progress %d of %d after %d", done, total, last)
			}
			if last = done; done == dies {
				return killed
			}
			return nil
		})
		if err == nil {
			return kills
		}
		if !errors.Is(err, killed) || len(w.rendered) < int(dies) || last < reached {
			w.t.Fatalf("%v after %d of %d, %d kept", err, last, n, len(w.rendered))
		}
		reached = last
	}
}

// equalsBill: what the statements cost is what the partner's bill asks for its resale customers.
func (w *world) equalsBill(t *testing.T) {
	t.Helper()
	var cost money.Amount
	for _, s := range w.all(alice, statement.StateIssued) {
		cost += s.Cost
	}
	var due int64
	q := store.Query{Name: "test.Bill", Text: "select cast(sum(i.amount_e8) as bigint) from bill_item i join bill b on b.id = i.bill_id where b.partner_id = 'S' and i.kind <> 'tax'"}
	if err := w.db.Row(context.Background(), q, "none", nil, &due); err != nil {
		t.Fatal(err)
	}
	if int64(cost) != due {
		t.Errorf("statements cost %d, the bill says %d", cost, due)
	}
}
