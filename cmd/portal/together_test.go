package main

import (
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

// together runs commands as processes that begin at the same moment, and wants each to be done.
func (w *world) together(commands ...[]string) {
	w.t.Helper()
	var all sync.WaitGroup
	texts := make([]string, len(commands))
	for i, args := range commands {
		cmd, _, stderr := w.child(args...)
		all.Go(func() {
			if err := cmd.Run(); err != nil {
				texts[i] = fmt.Sprintf("%v: %v\n%s", args, err, stderr.String())
			}
		})
	}
	all.Wait()
	for _, text := range texts {
		if text != "" {
			w.t.Error(text)
		}
		if strings.Contains(text, "SQLITE_BUSY") || strings.Contains(text, "database is locked") {
			w.t.Error("a locked database is shown")
		}
	}
}

// TestTwoAtOnce: two processes close the same cycle, close different ones, import the same file and import
// different ones at the same moment; what stands afterwards is what one after the other leaves.
func TestTwoAtOnce(t *testing.T) {
	eachEngine(t, func(t *testing.T, w *world) {
		files := t.TempDir()
		w.clock = "2025-03-04T12:00:00+08:00"
		w.aMonthIn(files, 1000)
		second := filepath.Join(files, "second.csv")
		var b strings.Builder
		b.WriteString(lineHead)
		charges(&b, "2024-12", 900_000, 800, 1)
		if err := os.WriteFile(second, []byte(b.String()), 0o600); err != nil {
			t.Fatal(err)
		}
		w.do("source", "add", "--name", "other", "--vendor", "V", "--dialect", "huoban", "--mode", "snapshot", "--zone", "UTC", "--loose", "spread", "--from", "2024-12", "--until", "2024-12")
		w.do("map", "import", w.file("other.csv", mapHead+"other,a1,C1,R1,resale,,\nother,a2,C2,D1,resale,,\nother,a3,C3,P1,resale,,\nother,a4,C4,P1,resale,,\n"))
		march := []string{"import", filepath.Join(files, "mar.csv"), "--source", "own"}
		december := []string{"import", second, "--source", "other"}
		february := []string{"close", "--vendor", "V", "--cycle", "2025-02", "--issue"}
		closing := []string{"close", "--vendor", "V", "--cycle", "2024-12", "--issue", "--override", "confirmed by the cloud"}
		bills := []string{"P1 2024-12", "R1 2024-12", "P1 2025-01", "P1 2025-02", "R1 2025-02", "D1 2025-02", "P1 2025-03", "R1 2025-03"}

		alone, end := w.clone()
		defer end()
		for _, args := range [][]string{march, december, february, closing} {
			alone.do(args...)
		}
		want := alone.ledger(bills)

		both, end2 := w.clone()
		defer end2()
		both.together(march, march, december, december)
		both.together(february, february, closing, closing)
		if diff := cmp.Diff(want, both.ledger(bills)); diff != "" {
			t.Errorf("the same at once (-one after the other +at once)\n%.3000s", diff)
		}
		both.whole()

		mixed, end3 := w.clone()
		defer end3()
		mixed.together(march, december, february)
		mixed.together(closing, february, march, december)
		if diff := cmp.Diff(want, mixed.ledger(bills)); diff != "" {
			t.Errorf("different ones at once (-one after the other +at once)\n%.3000s", diff)
		}
		mixed.whole()
	})
}

// TestClockOverMonthEnds moves the clock over the ends of months: leap days, the last half hour of a month
// in GMT+8 while it is the afternoon in UTC, and a year's end. Lines stay in the cycle of their period,
// a month is over when it is over in the source's zone, and no cycle is lost or billed twice.
func TestClockOverMonthEnds(t *testing.T) {
	t.Parallel()
	w := newWorld(t, "sqlite")
	w.clock = "2024-01-10T09:00:00+08:00"
	w.do("source", "add", "--name", "own", "--vendor", "V", "--dialect", "huoban", "--mode", "append", "--zone", "+08:00")
	w.do("org", "add", "--code", "P1", "--kind", "solution", "--name", "Partner", "--parent", "V")
	w.do("map", "import", w.file("own.csv", mapHead+"own,a1,C1,P1,resale,,\n"))
	month := func(c string, last string, n int) string {
		return w.file("m"+c+".csv", lineHead+fmt.Sprintf("%d,%s,%s-01,Server,usage,CNY,1.25,1.25,a1\n%d,%s,%s,Server,usage,CNY,2.5,2.5,a1\n", n, c, c, n+1, c, last))
	}
	for i, m := range []struct{ cycle, last, before, after string }{
		{"2024-02", "2024-02-29", "2024-02-29T23:30:00+08:00", "2024-03-01T00:00:00+08:00"},
		{"2024-03", "2024-03-31", "2024-03-31T15:30:00Z", "2024-03-31T16:00:00Z"}, // midnight in GMT+8, the day before in UTC
		{"2024-12", "2024-12-31", "2024-12-31T23:30:00+08:00", "2025-01-01T00:00:01+08:00"},
		{"2025-02", "2025-02-28", "2025-02-28T15:30:00Z", "2025-02-28T16:00:00Z"},
	} {
		w.clock = m.before
		w.do("import", month(m.cycle, m.last, 10*i), "--source", "own")
		if codes := w.refused("close", "--vendor", "V", "--cycle", m.cycle, "--issue"); len(codes) < 2 {
			t.Errorf("%s was closed at %s, before it was over: %v", m.cycle, m.before, codes)
		}
		if codes := w.refused("import", month(m.cycle, m.last, 10*i), "--source", "own", "--final="+m.cycle); codes[0] != "delivery.month_not_over" {
			t.Errorf("%s was called final at %s: %v", m.cycle, m.before, codes)
		}
		w.clock = m.after
		w.do("import", month(m.cycle, m.last, 10*i), "--source", "own", "--final="+m.cycle)
		w.do("close", "--vendor", "V", "--cycle", m.cycle, "--issue")
		if got := w.bills("P1", m.cycle); len(got) != 1 || got[0].Due != "3.75" || got[0].State != "issued" || got[0].LineCount != "2" {
			t.Errorf("%s: %+v", m.cycle, got)
		}
		code, out, _ := w.exec("--json", "close", "--vendor", "V", "--cycle", m.cycle, "--issue")
		if code != exitDone || !strings.Contains(string(out), `"nothing": true`) {
			t.Errorf("%s again: exit %d %s", m.cycle, code, out)
		}
	}
	if code, _, stderr := w.exec("import", w.file("leap.csv", lineHead+"99,2025-02,2025-02-29,Server,usage,CNY,1,1,a1\n"), "--source", "own"); code == exitDone {
		t.Logf("a day that does not exist: %s", stderr)
		if n := len(decode[struct{ Rows []any }](t, w.do("--json", "quarantine", "list")).Rows); n != 1 {
			t.Errorf("2025-02-29 is in %d quarantined rows", n)
		}
	}
	w.clock = "2024-06-01T00:00:00+08:00" // a clock set back breaks nothing that stands
	w.do("verify")
	w.do("audit", "verify")
}

// TestBackupUnderLoad takes backups while imports, map changes and a server's requests write, and restores
// them elsewhere: each is one moment, in which everything recomputes and issued bills have not changed.
func TestBackupUnderLoad(t *testing.T) {
	eachEngine(t, func(t *testing.T, w *world) {
		files := t.TempDir()
		w.clock = "2025-03-04T12:00:00+08:00"
		w.aMonthIn(files, 3000)
		issued := []string{"P1 2025-01", "R1 2025-01"}
		before := w.canonical(issued...)
		s := w.serve()
		defer s.kill()
		v := s.signIn("paul")
		stop := make(chan struct{})
		var busy sync.WaitGroup
		busy.Go(func() {
			for i := 0; ; i++ {
				select {
				case <-stop:
					return
				default:
				}
				a, err := v.send(http.MethodPost, "/o/P1/exports", fmt.Sprintf("load-%d", i), "list", "bill.lines", "format", "csv", "cycle", "2025-01",
					"vendor", "V", "partner", "P1", "currency", "CNY")
				if err != nil || a.status != http.StatusOK {
					t.Errorf("while a backup is taken: %v %d %.300s", err, a.status, a.body)
					return
				}
			}
		})
		cmd, _, stderr := w.child("import", filepath.Join(files, "mar.csv"), "--source", "own")
		busy.Go(func() {
			if err := cmd.Run(); err != nil {
				t.Errorf("import while a backup is taken: %v\n%s", err, stderr)
			}
		})
		var taken []string
		for i := range 2 {
			file := filepath.Join(files, fmt.Sprintf("%d.backup", i))
			w.do("backup", file)
			taken = append(taken, file)
			time.Sleep(50 * time.Millisecond)
		}
		close(stop)
		busy.Wait()
		s.kill()
		for _, file := range taken {
			to := w.beside(filepath.Base(file), "")
			var end func()
			if w.engine == "postgres" {
				to.db, end = copyPostgres(t, "")
				defer end()
			}
			to.do("restore", file)
			if diff := cmp.Diff(before, to.canonical(issued...)); diff != "" {
				t.Errorf("%s: issued bills differ\n%.2000s", file, diff)
			}
			to.whole()
			// What the backup had no part of is done again, to the same end.
			to.do("import", filepath.Join(files, "mar.csv"), "--source", "own")
			if diff := cmp.Diff(w.canonical("P1 2025-03", "R1 2025-03"), to.canonical("P1 2025-03", "R1 2025-03")); diff != "" {
				t.Errorf("%s: March after the restore differs\n%.2000s", file, diff)
			}
		}
	})
}
