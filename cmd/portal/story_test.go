package main

import (
	"context"
	"database/sql"
	"fmt"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"testing"

	_ "github.com/jackc/pgx/v5/stdlib"
	"github.com/rogpeppe/go-internal/testscript"

	"huoban/internal/id"
)

func TestMain(m *testing.M) {
	os.Setenv("PORTAL_LANG", "en")
	testscript.Main(m, map[string]func(){
		"portal": func() { os.Exit(run(context.Background(), os.Args[1:], os.Stdout, os.Stderr)) },
	})
}

// TestStories plays every story on both engines: the commands as an operator types them, and what
// they must answer. What a story keeps must be the same bytes on both.
func TestStories(t *testing.T) {
	kept := &keeper{bytes: map[string]map[string]string{}}
	for _, engine := range []string{"sqlite", "postgres"} {
		t.Run(engine, func(t *testing.T) {
			testscript.Run(t, testscript.Params{
				Dir:                 "testdata/story",
				RequireExplicitExec: true,
				Setup: func(env *testscript.Env) error {
					root, err := filepath.Abs("../..")
					if err != nil {
						return err
					}
					env.Setenv("ROOT", root)
					env.Setenv("PORTAL_DATA", filepath.Join(env.WorkDir, "state"))
					env.Setenv("PORTAL_LANG", "en")
					env.Setenv("ENGINE", engine)
					if engine == "postgres" {
						return freshPostgres(env)
					}
					return nil
				},
				Cmds: map[string]func(ts *testscript.TestScript, neg bool, args []string){
					"json": jsonCmd, "linesum": lineSumCmd, "status": statusCmd, "reasons": reasonsCmd, "setid": setIDCmd,
					"replace": replaceCmd, "pair": pairCmd, "never": neverCmd, "keep": kept.cmd(engine),
				},
			})
		})
	}
	kept.compare(t)
}

func freshPostgres(env *testscript.Env) error {
	server := os.Getenv("PORTAL_TEST_PG")
	if server == "" {
		if os.Getenv("CI") == "true" {
			return fmt.Errorf("PORTAL_TEST_PG is not set: CI must run both engines")
		}
		env.T().Skip("PORTAL_TEST_PG is not set (make test starts a server itself)")
	}
	admin, err := sql.Open("pgx", server)
	if err != nil {
		return err
	}
	name := "s_" + strings.ReplaceAll(id.New(), "-", "")
	if _, err := admin.ExecContext(context.Background(), "CREATE DATABASE "+name); err != nil {
		return err
	}
	env.Defer(func() {
		_, _ = admin.ExecContext(context.Background(), "DROP DATABASE "+name+" WITH (FORCE)")
		admin.Close()
	})
	u, err := url.Parse(server)
	if err != nil {
		return err
	}
	u.Path = "/" + name
	env.Setenv("PORTAL_DB", u.String())
	return nil
}
