package main

import (
	"database/sql"
	"fmt"
	"net/http"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"huoban/internal/store"
)

// sent is a dispatch as the database keeps it.
type sent struct{ id, subscription, cycle, state, sha, file string }

// dispatches reads them from a portal that does not run.
func (w *world) dispatches() []sent {
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
	var out []sent
	q := store.Query{Name: "test.Dispatches", Text: "select id, subscription_id, cycle, state, sha, file_name from dispatch order by subscription_id, cycle, id"}
	err = db.Each(w.t.Context(), q, nil, func(rows *sql.Rows) error {
		var s sent
		err := rows.Scan(&s.id, &s.subscription, &s.cycle, &s.state, &s.sha, &s.file)
		out = append(out, s)
		return err
	})
	if err != nil {
		w.t.Fatal(err)
	}
	return out
}

// carried is the run of one engine.
type carried struct {
	*world
	t        *testing.T
	receiver *receiver
	caller   *caller
	now      time.Time
	killed   int
	known    []sent // when it did not run last
}

// up starts the portal a little later than it stood last: what a killed one held is free.
func (c *carried) up(later time.Duration) *server {
	c.now = c.now.Add(later)
	c.clock = c.now.Format(time.RFC3339)
	s := c.serve()
	if c.caller == nil {
		c.caller = s.signIn("paul")
	}
	c.caller.base = s.url
	return s
}

// subscribe has files carried by both ways, with and without TLS.
func (c *carried) subscribe() {
	r := c.receiver
	for i, form := range [][]string{
		{"kind", "webhook", "address", r.plain + "/hook", "secret", hookSecret, "content", "lines", "format", "csv.gz"},
		{"kind", "webhook", "address", r.secure + "/hook", "secret", hookSecret, "content", "summary", "format", "csv"},
		{"kind", "bucket", "address", r.plain, "bucket", "files", "prefix", "a/b", "style", "path", "region", "cn-north-4", "access", "ACCESSKEY", "secret", bucketSecret, "content", "lines", "format", "csv"},
		{"kind", "bucket", "address", r.secure, "bucket", "files", "style", "path", "access", "ACCESSKEY", "secret", bucketSecret, "content", "summary", "format", "csv.gz"},
	} {
		a, err := c.caller.send(http.MethodPost, "/o/P1/subscriptions", fmt.Sprint("subscription-", i), append(form, "name", fmt.Sprint("target ", i), "cycle", "2025-01")...)
		if err != nil || a.status != http.StatusOK {
			c.t.Fatalf("subscription %d: %v %d %.300s", i, err, a.status, a.body)
		}
	}
}

// TestFilesCarried kills the portal at random points while it carries monthly files to receivers that fail in every
// way. In the end each file arrived, whatever came twice was the same, and each signature was right.
func TestFilesCarried(t *testing.T) {
	for _, engine := range []string{"sqlite", "postgres"} {
		t.Run(engine, func(t *testing.T) {
			k := newKills(t, engine)
			w, end := k.base.clone()
			defer end()
			at, err := time.Parse(time.RFC3339, "2025-03-04T12:00:00+08:00")
			if err != nil {
				t.Fatal(err)
			}
			c := &carried{world: w, t: t, receiver: newReceiver(t, k.random.Uint64()), now: at}
			s := c.up(0)
			c.subscribe()
			s.kill()
			rounds := setting("PORTAL_FAULT_KILLS", 3)
			for round := range rounds {
				if round == rounds/2 {
					w.do("close", "--vendor", "V", "--cycle", "2025-02", "--issue")
				}
				s := c.up(70 * time.Second)
				c.again(round)
				time.Sleep(time.Duration((0.2 + 2*k.random.Float64()) * float64(time.Second)))
				s.kill()
				c.killed++
				c.known = w.dispatches()
			}
			c.finish(rounds >= 50)
		})
	}
}

// again asks for a file that arrived already, so that something is always on its way.
func (c *carried) again(round int) {
	var ids []string
	c.receiver.lock(func() {
		for id := range c.receiver.got {
			ids = append(ids, id)
		}
	})
	of := map[string]string{}
	for _, d := range c.known {
		of[d.id] = d.subscription
	}
	for _, id := range ids {
		if of[id] == "" {
			continue // made since the last look
		}
		a, err := c.caller.send(http.MethodPost, "/o/P1/subscriptions/"+of[id]+"/dispatches/"+id+"/resending", fmt.Sprint(id, "-", round))
		if err != nil || a.status != http.StatusOK && a.status != http.StatusConflict { // still on its way
			c.t.Fatalf("resend %s: %v %d %.300s", id, err, a.status, a.body)
		}
	}
}

// finish lets the receivers be well and wants everything delivered.
func (c *carried) finish(full bool) {
	t, r := c.t, c.receiver
	r.lock(func() { r.well = true })
	waiting := 8
	var list []sent
	for try := 0; try < 30 && waiting > 0; try++ {
		s := c.up(61 * time.Minute)
		time.Sleep(4 * time.Second)
		s.kill()
		list, waiting = c.dispatches(), 0
		for _, d := range list {
			if d.state != "delivered" {
				waiting++
			}
		}
		if len(list) < 8 {
			waiting = 8
		}
	}
	files := map[string]bool{}
	for _, d := range list {
		if d.state != "delivered" || r.got[d.id] != d.sha {
			t.Errorf("%+v arrived as %q", d, r.got[d.id])
		}
		if files[d.file] {
			t.Errorf("two dispatches are called %s", d.file)
		}
		files[d.file] = true
	}
	if len(list) != 8 || len(r.got) != 8 { // four targets, two months, one currency
		t.Errorf("%d dispatches, %d arrived, want 8", len(list), len(r.got))
	}
	if len(r.problems) > 0 {
		t.Errorf("the receiver refused or saw:\n%s", strings.Join(r.problems, "\n"))
	}
	for _, trouble := range troubles {
		if full && r.met[trouble] == 0 {
			t.Errorf("%s never happened", trouble)
		}
	}
	t.Logf("killed %d times; 8 files of 4 targets arrived, %d of them again with the same content, 0 with another; receivers made: %s", c.killed, r.repeats, r.report())
	c.whole()
}
