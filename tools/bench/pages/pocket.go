package main

import (
	"database/sql"
	"errors"
	"log"
	"net/http"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"

	"github.com/pocketbase/pocketbase/apis"
	"github.com/pocketbase/pocketbase/core"
	_ "github.com/pocketbase/pocketbase/migrations" // its own tables
	"github.com/pocketbase/pocketbase/tools/types"
)

// pocket starts PocketBase over a copy of the month's lines and gives what is asked of it: the same
// twenty rows of the same filter with their total.
func (b *bench) pocket(self string, m made) ([]contender, error) {
	dir := filepath.Join(b.work, "pocketbase")
	tokenFile := filepath.Join(b.work, "token")
	making := exec.Command(self, "pocketmake", dir, filepath.Join(m.Folder, "portal.db"), tokenFile)
	making.Stderr = os.Stderr
	if err := making.Run(); err != nil {
		return nil, err
	}
	addr, err := b.start(nil, self, func(addr string) []string {
		return []string{"pocketbase", addr, dir, b.profile("pocketbase")}
	})
	if err != nil {
		return nil, err
	}
	token, err := os.ReadFile(tokenFile)
	if err != nil {
		return nil, err
	}
	list := func(customer string, page int) target {
		q := url.Values{"page": {strconv.Itoa(page)}, "perPage": {"20"}, "sort": {"charge_start,line_key"}, "filter": {"customer='" + customer + "' && cycle='" + m.Cycle + "'"}}
		return get(addr, "/api/collections/lines/records?"+q.Encode(), `"totalItems":`, "Authorization: "+string(token))
	}
	inTurnOf := func(customer string) target {
		var all []target
		for n := range places {
			all = append(all, list(customer, n+1))
		}
		return inTurn(all)
	}
	return []contender{{"pocketbase few", list(m.Few, 1)}, {"pocketbase many", list(m.Many, 1)},
		{"pocketbase few in turn", inTurnOf(m.Few)}, {"pocketbase many in turn", inTurnOf(m.Many)}}, nil
}

// fillPocket makes the table of PocketBase, which takes longer than a start may.
func fillPocket(args []string) {
	dir, lines, tokenFile := args[0], args[1], args[2]
	token, err := makePocket(dir, lines)
	if err != nil {
		log.Fatal("pocketbase: ", err)
	}
	if err := os.WriteFile(tokenFile, []byte(token), 0o600); err != nil {
		log.Fatal(err)
	}
}

// servePocket serves what fillPocket made.
func servePocket(args []string) {
	addr, dir, profile := args[0], args[1], args[2]
	app := core.NewBaseApp(core.BaseAppConfig{DataDir: dir})
	if err := app.Bootstrap(); err != nil {
		log.Fatal(err)
	}
	app.Settings().Logs.MinLevel = 8 // errors only: a log row for every answer would cost it more
	router, err := apis.NewRouter(app)
	if err != nil {
		log.Fatal(err)
	}
	mux, err := router.BuildMux()
	if err != nil {
		log.Fatal(err)
	}
	// The first page is what a start is waited for by.
	run(addr, profile, http.HandlerFunc(mux.ServeHTTP))
}

func makePocket(dir, lines string) (string, error) {
	app := core.NewBaseApp(core.BaseAppConfig{DataDir: dir})
	if err := app.Bootstrap(); err != nil {
		return "", err
	}
	if err := app.RunAllMigrations(); err != nil {
		return "", err
	}
	token, err := pocketTable(app)
	if err != nil {
		return "", err
	}
	if err := app.ResetBootstrapState(); err != nil {
		return "", err
	}
	return token, pocketRows(filepath.Join(dir, "data.db"), lines)
}

// pocketTable makes the collection, with the index its filter needs, and a user who may list it.
func pocketTable(app core.App) (string, error) {
	c := core.NewBaseCollection("lines")
	c.ListRule = types.Pointer("@request.auth.id != ''")
	for _, name := range []string{"cycle", "customer", "charge_start", "line_key", "charge_end", "kind", "currency", "billed", "list", "service", "region", "mode", "resource", "resource_name"} {
		c.Fields.Add(&core.TextField{Name: name})
	}
	c.AddIndex("lines_list", false, "cycle, customer, charge_start, line_key", "")
	if err := app.Save(c); err != nil {
		return "", err
	}
	users, err := app.FindCollectionByNameOrId("users")
	if err != nil {
		return "", err
	}
	u := core.NewRecord(users)
	u.SetEmail("bench@example.com")
	u.SetPassword("Huoban-bench-2026")
	if err := app.Save(u); err != nil {
		return "", err
	}
	return u.NewAuthToken()
}

// pocketRows copies the lines; PocketBase's own way of writing would take hours.
func pocketRows(path, lines string) error {
	db, err := sql.Open("sqlite", path)
	if err != nil {
		return err
	}
	defer db.Close()
	db.SetMaxOpenConns(1)
	_, err = db.Exec("attach database ? as portal", lines)
	if err == nil {
		_, err = db.Exec(`insert into lines (id, cycle, customer, charge_start, line_key, charge_end, kind, currency, billed, list, service, region, mode, resource, resource_name)
select lower(hex(substr(l.line_key, 1, 7))) || 'x', s.cycle, o.code, l.charge_start, lower(hex(l.line_key)), l.charge_end, l.kind, l.currency, l.billed,
  coalesce(l.list, ''), p.service, p.region, p.charging_mode, r.resource, r.name
from portal.usage_line l join portal.slot s on s.id = l.slot_id join portal.organisation o on o.id = l.customer_id
  join portal.product_dim p on p.id = l.product_id join portal.resource_dim r on r.id = l.resource_id`)
	}
	if err == nil {
		_, err = db.Exec("analyze")
	}
	return errors.Join(err, db.Close())
}
