package migrate_test

import (
	"testing"
	"time"

	"huoban/internal/store"
	"huoban/internal/store/migrate"
	"huoban/internal/store/storetest"
)

// TestGrantGivesWay grants anew, as a newer program does, while one that runs already holds a table that
// is still to be granted and then reads one that has been: the reader is served, not ended as one of two
// who wait for each other, and the granting completes afterwards.
func TestGrantGivesWay(t *testing.T) {
	db := storetest.Bare(t, store.Postgres)
	if _, err := migrate.Run(t.Context(), db); err != nil {
		t.Fatal(err)
	}
	if _, err := db.Writer().Exec("COMMENT ON TABLE goose_db_version IS 'of another program'"); err != nil {
		t.Fatal(err)
	}
	reader, err := db.Writer().BeginTx(t.Context(), nil)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = reader.Rollback() }()
	var n int
	if err := reader.QueryRow("SELECT count(*) FROM month_close").Scan(&n); err != nil {
		t.Fatal(err)
	}
	granted := make(chan error, 1)
	go func() {
		_, err := migrate.Run(t.Context(), db)
		granted <- err
	}()
	for waiting := 0; waiting == 0; time.Sleep(time.Millisecond) {
		err := db.Writer().QueryRow("SELECT count(*) FROM pg_locks WHERE NOT granted AND relation = 'month_close'::regclass").Scan(&waiting)
		if err != nil {
			t.Fatal(err)
		}
		select {
		case err := <-granted:
			t.Fatalf("granted although a table was held: %v", err)
		default:
		}
	}
	if err := reader.QueryRow("SELECT count(*) FROM delivery").Scan(&n); err != nil {
		t.Fatalf("the reader: %v", err)
	}
	if err := reader.Commit(); err != nil {
		t.Fatal(err)
	}
	if err := <-granted; err != nil {
		t.Fatalf("the granting: %v", err)
	}
}
