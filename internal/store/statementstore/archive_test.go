package statementstore_test

import (
	"archive/zip"
	"bytes"
	"context"
	"errors"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"huoban/internal/audit"
	"huoban/internal/export"
	"huoban/internal/fault"
	"huoban/internal/message"
	"huoban/internal/money"
	"huoban/internal/outbox"
	"huoban/internal/scope"
	"huoban/internal/statement"
	"huoban/internal/statementexport"
	"huoban/internal/store"
	"huoban/internal/store/auditstore"
	"huoban/internal/store/exportstore"
	"huoban/internal/store/flowstore"
	"huoban/internal/store/jobstore"
	"huoban/internal/store/messagestore"
	"huoban/internal/store/storetest"
)

type onlyAlice struct{}

func (onlyAlice) ScopeOf(_ context.Context, _, personID string) (scope.Scope, error) {
	if personID != alice.PersonID() {
		return scope.Scope{}, fault.Denied("scope.permission_missing", nil)
	}
	return alice, nil
}

func (w *world) exports() *export.Service {
	jobs := jobstore.New(w.db)
	s := export.New(export.Deps{Tx: w.db, Store: exportstore.New(w.db), Log: flowstore.New(w.db), Jobs: outbox.NewQueue(jobs, w.clock), Audit: audit.NewChain(auditstore.New(w.db), w.clock, audit.Key{1}),
		Bell: message.New(w.db, messagestore.New(w.db), w.clock), Scopes: onlyAlice{}, Clock: w.clock})
	statementexport.Register(s, statementexport.Deps{Statements: w.service, Words: func(string) func(string) string { return func(key string) string { return key } }})
	return s
}

// TestAnArchiveGoesOnWhereItStood: a job that dies after one file makes only the other when it is tried again, and
// its files add up to the list.
func TestAnArchiveGoesOnWhereItStood(t *testing.T) {
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		w := newWorld(t, db)
		w.head(alice)
		w.drafts(alice)
		if _, err := w.service.DoAll(as(alice), alice, month, statement.ActionIssue); err != nil {
			t.Fatal(err)
		}
		s := w.exports()
		task, err := s.Request(context.Background(), alice, export.Request{Kind: statementexport.KindArchive, Format: statementexport.FormatZip, Params: statementexport.Params{Cycle: month, Lang: "zh-CN"}})
		if err != nil {
			t.Fatal(err)
		}
		killed := errors.New("killed")
		var told [][2]int64
		job := outbox.Job{Payload: []byte(`{"task":"` + task.ID + `","version":1}`), Attempts: 1, MaxAttempts: 3}
		err = s.Handler()(context.Background(), job, func(_ context.Context, done, total int64) error {
			told = append(told, [2]int64{done, total})
			return killed
		})
		if !errors.Is(err, killed) || len(told) != 1 || told[0] != [2]int64{1, 2} {
			t.Fatal(err, told)
		}
		if err := s.Handler()(context.Background(), job, func(context.Context, int64, int64) error { return nil }); err != nil {
			t.Fatal(err)
		}
		for name, times := range w.rendered {
			if times != 1 {
				t.Errorf("%s was made %d times", name, times)
			}
		}
		done, file, err := s.Open(context.Background(), alice, task.ID)
		if err != nil {
			t.Fatal(err)
		}
		body, err := io.ReadAll(file)
		if err != nil {
			t.Fatal(err)
		}
		if done.Rows != 2 || len(w.rendered) != 2 {
			t.Errorf("%d rows, %v", done.Rows, w.rendered)
		}
		w.compare(t, body)
	})
}

// compare checks an archive against the list, and each file against what its reader must and must not find in it.
func (w *world) compare(t *testing.T, body []byte) {
	t.Helper()
	z, err := zip.NewReader(bytes.NewReader(body), int64(len(body)))
	if err != nil {
		t.Fatal(err)
	}
	var sum money.Amount
	for _, s := range w.all(alice, statement.StateIssued) {
		sum += s.Total
		f, err := z.Open(statementexport.FileName(&s, "pdf"))
		if err != nil {
			t.Fatal(err)
		}
		pdf, err := io.ReadAll(f)
		if err != nil {
			t.Fatal(err)
		}
		text := textOf(t, pdf)
		for _, want := range []string{s.Number, s.Customer.Name, "岚海科技", statementexport.Fixed(s.Total, s.Currency), s.Code} {
			if !strings.Contains(text, want) {
				t.Errorf("%s does not say %q:\n%s", s.Number, want, text)
			}
		}
		for _, never := range []string{s.Cost.String(), s.Margin().String(), "factor", "cost", "margin"} {
			if len(never) > 3 && strings.Contains(text, never) { // a short figure stands in any number
				t.Errorf("%s says %q:\n%s", s.Number, never, text)
			}
		}
	}
	index, err := z.Open("statements.csv")
	if err != nil {
		t.Fatal(err)
	}
	list, err := io.ReadAll(index)
	if err != nil || !strings.Contains(string(list), "bill.column.total,,,CNY,"+sum.String()) {
		t.Errorf("the list does not end with %s: %s %v", sum, list, err)
	}
}

// textOf is what a reader can select in a PDF.
func textOf(t *testing.T, pdf []byte) string {
	t.Helper()
	tool, err := exec.LookPath("pdftotext")
	if err != nil {
		if os.Getenv("CI") == "true" {
			t.Fatal("pdftotext is missing: the text of a PDF must be read")
		}
		t.Skip("pdftotext is missing (make test brings it)")
	}
	path := filepath.Join(t.TempDir(), "s.pdf")
	if err := os.WriteFile(path, pdf, 0o600); err != nil {
		t.Fatal(err)
	}
	out, err := exec.Command(tool, "-layout", path, "-").Output()
	if err != nil {
		t.Fatal(err)
	}
	return string(out)
}
