package portal

import (
	"errors"
	"mime/multipart"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"huoban/internal/cycle"
	"huoban/internal/delivery"
	"huoban/internal/fault"
)

func TestImportJobsAreOfOneOrganisation(t *testing.T) {
	var l importJobs
	begun := time.Date(2026, 2, 3, 8, 0, 0, 0, time.UTC)
	old := &importJob{id: "old", orgID: "a", begun: begun, done: make(chan struct{})}
	running := &importJob{id: "running", orgID: "a", begun: begun, done: make(chan struct{})}
	l.add(old)
	l.add(running)
	close(old.done)
	if l.find("a", "old") != old || l.find("b", "old") != nil || l.find("a", "none") != nil {
		t.Error("a job is found by its organisation and id alone")
	}
	l.add(&importJob{id: "new", orgID: "a", begun: begun.Add(jobsKept + time.Second), done: make(chan struct{})})
	if l.find("a", "old") != nil || l.find("a", "running") != running {
		t.Error("only ended jobs are forgotten")
	}
}

func TestFinalMarkOfTheForm(t *testing.T) {
	for text, want := range map[string]delivery.FinalMark{"": {}, "false": {}, "all": {All: true}, "true": {All: true}, "on": {All: true},
		"2026-01": {Cycles: []cycle.Cycle{"2026-01"}}, "2026-01, 2026-02": {Cycles: []cycle.Cycle{"2026-01", "2026-02"}}} {
		got, err := uploadForm{final: text}.mark()
		if err != nil || got.All != want.All || !slices.Equal(got.Cycles, want.Cycles) {
			t.Errorf("%q: %+v, %v", text, got, err)
		}
	}
	if _, err := (uploadForm{final: "2026-13"}).mark(); !fault.HasCode(err, "cycle.malformed") {
		t.Errorf("%v", err)
	}
}

// TestReceive keeps every uploaded file inside the folder, whatever it is called.
func TestReceive(t *testing.T) {
	folder := t.TempDir()
	var body strings.Builder
	m := multipart.NewWriter(&body)
	for _, name := range []string{"../../etc/x.csv", `C:\bills\x.csv`, "x.csv", ".hidden", "..", "a b.csv"} {
		p, err := m.CreateFormFile("files", name)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := p.Write([]byte(name)); err != nil {
			t.Fatal(err)
		}
	}
	if err := errors.Join(m.WriteField("source", " nova "), m.WriteField("dry_run", "on"), m.Close()); err != nil {
		t.Fatal(err)
	}
	r := httptest.NewRequest(http.MethodPost, "/", strings.NewReader(body.String()))
	r.Header.Set("Content-Type", m.FormDataContentType())
	form, paths, err := receive(r, folder)
	if err != nil || form.source != "nova" || !form.dry() {
		t.Fatalf("%+v, %v", form, err)
	}
	entries, err := os.ReadDir(folder)
	if err != nil || len(entries) != 6 || len(paths) != 6 {
		t.Errorf("%d files, %d paths, %v", len(entries), len(paths), err)
	}
	for _, p := range paths {
		if filepath.Dir(p) != folder {
			t.Errorf("%s is outside the folder", p)
		}
	}
	// a body cut short is refused
	r = httptest.NewRequest(http.MethodPost, "/", strings.NewReader(body.String()[:body.Len()/2]))
	r.Header.Set("Content-Type", m.FormDataContentType())
	if _, _, err := receive(r, t.TempDir()); err == nil {
		t.Error("half a form was taken")
	}
}
