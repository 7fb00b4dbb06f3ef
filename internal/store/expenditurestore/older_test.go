package expenditurestore_test

import (
	"archive/zip"
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/csv"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"io"
	"strings"
	"testing"
	"time"

	"huoban/internal/audit"
	"huoban/internal/clock"
	"huoban/internal/cycle"
	"huoban/internal/expenditure"
	"huoban/internal/expenditureexport"
	"huoban/internal/export"
	"huoban/internal/fault"
	"huoban/internal/message"
	"huoban/internal/outbox"
	"huoban/internal/scope"
	"huoban/internal/store"
	"huoban/internal/store/auditstore"
	"huoban/internal/store/exportstore"
	"huoban/internal/store/flowstore"
	"huoban/internal/store/jobstore"
	"huoban/internal/store/messagestore"
	"huoban/internal/store/storetest"
)

// TestOlder: a month leaves the pages after eighteen and what is at hand after thirty-six, at midnight of GMT+8; who
// sees what of it stays as it was.
func TestOlder(t *testing.T) {
	for at, want := range map[string]expenditure.Age{"2026-03-31T15:59:59Z": expenditure.AgeOpen, "2026-03-31T16:00:00Z": expenditure.AgeKept,
		"2027-09-30T15:59:59Z": expenditure.AgeKept, "2027-09-30T16:00:00Z": expenditure.AgeArchived} {
		now, err := time.Parse(time.RFC3339, at)
		if err != nil {
			t.Fatal(err)
		}
		if got := expenditure.AgeOf("2024-09", cycle.Of(now, cycle.Zone)); got != want {
			t.Errorf("2024-09 at %s: %s, want %s", at, got, want)
		}
		if open := expenditure.CheckCycle("2024-09", now) == nil; open != (want == expenditure.AgeOpen) {
			t.Errorf("a page of 2024-09 at %s: %v", at, open)
		}
	}
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		w := newWorld(t, db)
		w.slotOf("src", 3, "2024-08")
		far := line(3, "c1", "8", "Disk", "consumption", -40*24*time.Hour)
		far.Currency = "CNY"
		w.lines(far, line(3, "c1", "-2", "Compute", "refund", -41*24*time.Hour))
		managed := partner("S").Limited([]scope.Window{{CustomerID: "c1", From: midnight}})
		for _, c := range []struct {
			now  cycle.Cycle
			sc   scope.Scope
			want string
		}{
			{"2026-02", partner("S"), ""},
			{"2026-03", partner("S"), "2024-08 kept CNY 8 of 1; 2024-08 kept USD -2 of 1; "},
			{"2026-04", partner("S"), "2024-09 kept USD 47.623456789 of 7; 2024-08 kept CNY 8 of 1; 2024-08 kept USD -2 of 1; "},
			{"2027-09", partner("S"), "2024-09 kept USD 47.623456789 of 7; 2024-08 archived CNY 8 of 1; 2024-08 archived USD -2 of 1; "},
			{"2026-04", partner("T"), "2024-09 kept USD 7 of 2; "},
			{"2026-04", partner("D"), ""},
			{"2026-04", partner("D", "R"), "2024-09 kept USD 20 of 2; "},
			{"2026-04", scope.Customer("c2", "p", "l", items), "2024-09 kept USD 12 of 3; "},
			{"2026-04", managed, ""}, // counted from the day after
		} {
			list, err := w.svc.Older(t.Context(), c.sc, c.now)
			if err != nil {
				t.Fatal(err)
			}
			got := ""
			for _, o := range list {
				got += fmt.Sprintf("%s %s %s %s of %d; ", o.Cycle, o.Age, o.Currency, o.Amount(), o.Lines)
			}
			if got != c.want {
				t.Errorf("%s in %s: %s\nwant %s", c.sc.OrgID(), c.now, got, c.want)
			}
		}
		if _, err := w.svc.Older(t.Context(), scope.Scope{}, "2026-04"); !fault.HasCode(err, "scope.permission_missing") {
			t.Errorf("nobody: %v", err)
		}
	})
}

func TestMonthsOfAnArchive(t *testing.T) {
	for _, c := range []struct {
		months, want, code string
	}{
		{"2024-08 2024-02 2024-08", "2024-02 2024-08", ""},
		{"", "", "expenditure.archive_none"},
		{"2024-08 2024-09", "", "expenditure.archive_open"},
		{"2023-01 2023-02 2023-03 2023-04 2023-05 2023-06 2023-07 2023-08 2023-09 2023-10 2023-11 2023-12", "2023-01 2023-02 2023-03 2023-04 2023-05 2023-06 2023-07 2023-08 2023-09 2023-10 2023-11 2023-12", ""},
		{"2022-12 2023-01 2023-02 2023-03 2023-04 2023-05 2023-06 2023-07 2023-08 2023-09 2023-10 2023-11 2023-12", "", "expenditure.archive_many"},
		{"2024-13", "", "cycle.malformed"},
	} {
		p, err := expenditureexport.ArchiveOf(strings.Fields(c.months), "2026-03", "en")
		if c.code != "" && !fault.HasCode(err, c.code) || c.code == "" && (err != nil || strings.Join(p.Months, " ") != c.want) {
			t.Errorf("%q: %v %v", c.months, p.Months, err)
		}
	}
}

type asked struct{ sc scope.Scope }

func (a asked) ScopeOf(context.Context, string, string) (scope.Scope, error) { return a.sc, nil }

// TestArchiveFile: the archive of two months has a file for each currency, which adds up to the month, and a list that
// names their digests; the person is told, the trail has it, and nobody else gets it.
func TestArchiveFile(t *testing.T) {
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		w := newWorld(t, db)
		w.slotOf("src", 3, "2024-08")
		far := line(3, "c1", "8", "Disk", "consumption", -40*24*time.Hour)
		far.Currency = "CNY"
		w.lines(far, line(3, "c1", "-2", "Compute", "refund", -41*24*time.Hour))
		sc := scope.Partner("S", "m1", "m1", append(append([]scope.Item{}, items...), scope.ItemExpenditureExport, scope.ItemExportOwn), nil)
		at := clock.At(now)
		s := export.New(export.Deps{Tx: db, Store: exportstore.New(db), Log: flowstore.New(db), Jobs: outbox.NewQueue(jobstore.New(db), at), Audit: audit.NewChain(auditstore.New(db), at, audit.Key{1}),
			Bell: message.New(db, messagestore.New(db), at), Scopes: asked{sc}, Clock: at})
		expenditureexport.Register(s, expenditureexport.Deps{Expenditure: w.svc, Words: func(string) func(string) string { return func(key string) string { return key } }})
		p, err := expenditureexport.ArchiveOf([]string{"2024-09", "2024-08"}, "2027-10", "en")
		if err != nil {
			t.Fatal(err)
		}
		ctx := scope.With(t.Context(), sc)
		task, err := s.Request(ctx, sc, export.Request{Kind: expenditureexport.KindArchive, Format: expenditureexport.FormatZip, Params: p})
		if err != nil {
			t.Fatal(err)
		}
		job := outbox.Job{Payload: []byte(`{"task":"` + task.ID + `","version":1}`), Attempts: 1, MaxAttempts: 3}
		if err := s.Handler()(ctx, job, func(context.Context, int64, int64) error { return nil }); err != nil {
			t.Fatal(err)
		}
		if _, _, err := s.Open(ctx, scope.Partner("T", "m2", "m2", append([]scope.Item{scope.ItemExportOwn}, items...), nil), task.ID); !fault.Is(err, fault.KindNotFound) {
			t.Errorf("another partner: %v", err)
		}
		done, r, err := s.Open(ctx, sc, task.ID)
		if err != nil || done.FileName != "expenditure-archive-2024-08_2024-09.zip" || done.Rows != 9 {
			t.Fatalf("%s of %d rows: %v", done.FileName, done.Rows, err)
		}
		body, err := io.ReadAll(r)
		if err != nil {
			t.Fatal(err)
		}
		files := unzipped(t, body)
		index := files["index.csv"]
		want := "2024-08 CNY 1 8; 2024-08 USD 1 -2; 2024-09 USD 7 47.623456789; "
		got := ""
		for _, row := range index[1:] {
			got += strings.Join(row[1:5], " ") + "; "
			rows := files[row[0]]
			total := rows[1+atoi(t, row[3])]
			if !strings.Contains(strings.Join(total, "|"), row[4]) {
				t.Errorf("%s ends with %q, the list says %s", row[0], total, row[4])
			}
		}
		if got != want || len(files) != 4 {
			t.Errorf("%s, want %s, %d files", got, want, len(files))
		}
		if told := countOf(t, db, "select count(*) from message where person_id = 'm1'"); told != 1 {
			t.Errorf("%d messages", told)
		}
		if n := countOf(t, db, "select count(*) from audit where action in ('export.request', 'export.download') and object = 'export:"+task.ID+"'"); n != 2 {
			t.Errorf("%d entries in the trail", n)
		}
	})
}

func countOf(t *testing.T, db *store.DB, query string) (n int) {
	t.Helper()
	if err := db.Writer().QueryRowContext(t.Context(), query).Scan(&n); err != nil {
		t.Fatal(err)
	}
	return n
}

func atoi(t *testing.T, text string) int {
	t.Helper()
	var n int
	if err := json.Unmarshal([]byte(text), &n); err != nil {
		t.Fatal(err)
	}
	return n
}

// unzipped are the tables of an archive; each but the list is what the list says by SHA-256.
func unzipped(t *testing.T, body []byte) map[string][][]string {
	t.Helper()
	z, err := zip.NewReader(bytes.NewReader(body), int64(len(body)))
	if err != nil {
		t.Fatal(err)
	}
	out, digests := map[string][][]string{}, map[string]string{}
	for _, f := range z.File {
		r, err := f.Open()
		if err != nil {
			t.Fatal(err)
		}
		text, err := io.ReadAll(r)
		if err != nil {
			t.Fatal(err)
		}
		sum := sha256.Sum256(text)
		digests[f.Name] = hex.EncodeToString(sum[:])
		c := csv.NewReader(bytes.NewReader(bytes.TrimPrefix(text, []byte("\ufeff"))))
		c.FieldsPerRecord = -1
		if out[f.Name], err = c.ReadAll(); err != nil {
			t.Fatal(err)
		}
	}
	for _, row := range out["index.csv"][1:] {
		if strings.TrimSpace(row[7]) != digests[row[0]] {
			t.Errorf("%s has %s, the list says %s", row[0], digests[row[0]], row[7])
		}
	}
	return out
}
