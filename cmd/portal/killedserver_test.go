package main

import (
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"
)

// exportForms ask for the bill of January and its lines in every format that is not text alone.
var exportForms = [][]string{
	{"list", "bill.lines", "format", "csv", "cycle", "2025-01", "vendor", "V", "partner", "P1", "currency", "CNY"},
	{"list", "bill.lines", "format", "xlsx", "cycle", "2025-01", "vendor", "V", "partner", "P1", "currency", "CNY"},
	{"list", "bill", "format", "pdf", "cycle", "2025-01", "vendor", "V", "partner", "P1", "currency", "CNY"},
}

// exportsOf reads every page of the export records, and how many are in each state.
func exportsOf(t *testing.T, v *caller) map[string]struct{ State, SHA, File string } {
	t.Helper()
	out := map[string]struct{ State, SHA, File string }{}
	for path := "/o/P1/exports"; path != ""; {
		a, err := v.send(http.MethodGet, path, "")
		if err != nil || a.status != http.StatusOK {
			t.Fatalf("export records: %v %d %.300s", err, a.status, a.body)
		}
		doc := decode[struct {
			Exports []struct{ Task, State, SHA256, File string }
			Next    string
		}](t, []byte(a.body))
		for _, x := range doc.Exports {
			out[x.Task] = struct{ State, SHA, File string }{x.State, x.SHA256, x.File}
		}
		if path = ""; doc.Next != "" {
			path = "/o/P1/exports?after=" + doc.Next
		}
	}
	return out
}

// TestServerKilled kills a server at random points while a person asks for exports and its workers make
// them. Every export whose request was answered is there, once; one whose answer was lost is asked for again
// with the same key and is there once; the person is still signed in; every file is the same bytes.
func TestServerKilled(t *testing.T) {
	for _, engine := range []string{"sqlite", "postgres"} {
		t.Run(engine, func(t *testing.T) {
			t.Parallel()
			k := newKills(t, engine)
			var asked, unsure int
			rounds := setting("PORTAL_FAULT_ROUNDS", 2)
			for i := range rounds {
				a, u := k.serverRound(i)
				asked, unsure = asked+a, unsure+u
				if t.Failed() {
					t.FailNow()
				}
			}
			t.Logf("%s: %d rounds, %d exports asked for and answered, %d asked for again; lost 0, doubled 0", engine, rounds, asked, unsure)
		})
	}
}

func (k *kills) serverRound(round int) (asked, unsure int) {
	t := k.base.t
	w, end := k.base.clone()
	defer end()
	s := w.serve()
	v := s.signIn("paul")
	after := time.Duration(k.random.Float64() * float64(1500*time.Millisecond))
	timer := time.AfterFunc(after, s.kill)
	defer timer.Stop()
	known, lost := map[string]string{}, ""
	var form []string
	for i := 0; lost == "" && i < 40; i++ {
		form = exportForms[i%len(exportForms)]
		key := fmt.Sprintf("%s-%d-%d", form[3], round, i)
		a, err := v.send(http.MethodPost, "/o/P1/exports", key, form...)
		if err != nil {
			lost = key
			break
		}
		if a.status != http.StatusOK {
			t.Fatalf("an export: %d %.300s", a.status, a.body)
		}
		known[decode[struct{ Task string }](t, []byte(a.body)).Task] = key
	}
	time.Sleep(max(0, after/8)) // let a worker be in the middle of a file
	s.kill()

	w.clock = "2025-03-04T12:02:00+08:00" // the lease of a killed worker is over
	again := w.serve()
	defer again.kill()
	v.base = again.url
	if lost != "" {
		a, err := v.send(http.MethodPost, "/o/P1/exports", lost, form...)
		if err != nil || a.status != http.StatusOK {
			t.Fatalf("the lost request again, by the same session: %v %d %.300s\n%s", err, a.status, a.body, again.log)
		}
		known[decode[struct{ Task string }](t, []byte(a.body)).Task] = lost
		unsure = 1
	}
	list := exportsOf(t, v)
	for try := 0; try < 600; try++ {
		done := 0
		for _, x := range list {
			if x.State == "done" {
				done++
			}
		}
		if done == len(list) {
			break
		}
		time.Sleep(100 * time.Millisecond)
		list = exportsOf(t, v)
	}
	if len(list) != len(known) {
		t.Errorf("%d exports are there, %d were asked for", len(list), len(known))
	}
	same := map[string]string{} // by format
	for task, x := range list {
		format, _, _ := strings.Cut(known[task], "-")
		if known[task] == "" || x.State != "done" || x.SHA == "" || same[format] != "" && x.SHA != same[format] {
			t.Errorf("killed after %v: export %s (%q) is %+v, others %s\n%s", after, task, known[task], x, same[format], again.log)
		}
		same[format] = x.SHA
	}
	again.kill()
	w.whole()
	return len(known) - unsure, unsure
}
