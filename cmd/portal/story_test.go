package main

import (
	"bytes"
	"context"
	"database/sql"
	"encoding/json"
	"fmt"
	"net/url"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	_ "github.com/jackc/pgx/v5/stdlib"
	"github.com/rogpeppe/go-internal/testscript"

	"huoban/internal/id"
)

func TestMain(m *testing.M) {
	testscript.Main(m, map[string]func(){
		"portal": func() { os.Exit(run(context.Background(), os.Args[1:], os.Stdout, os.Stderr)) },
	})
}

// TestStories plays every story on both engines: the commands as an operator types them, and what
// they must answer.
func TestStories(t *testing.T) {
	for _, engine := range []string{"sqlite", "postgres"} {
		t.Run(engine, func(t *testing.T) {
			testscript.Run(t, testscript.Params{
				Dir:           "testdata/story",
				UpdateScripts: os.Getenv("UPDATE_STORIES") != "",
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
					"json": jsonCmd,
				},
			})
		})
	}
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

// jsonCmd compares values inside the last stdout: json PATH WANT [PATH WANT…]. A path is dotted with
// indices, and "#" is the length: bills.0.amount_due, bills.#.
func jsonCmd(ts *testscript.TestScript, neg bool, args []string) {
	var doc any
	dec := json.NewDecoder(bytes.NewReader([]byte(ts.ReadFile("stdout"))))
	dec.UseNumber()
	ts.Check(dec.Decode(&doc))
	for i := 0; i+1 < len(args); i += 2 {
		got := fmt.Sprint(at(doc, strings.Split(args[i], ".")))
		if (got == args[i+1]) == neg {
			ts.Fatalf("%s is %q, want %q (negated: %v)", args[i], got, args[i+1], neg)
		}
	}
}

func at(v any, path []string) any {
	for _, p := range path {
		switch x := v.(type) {
		case map[string]any:
			v = x[p]
		case []any:
			if p == "#" {
				v = len(x)
				continue
			}
			n, err := strconv.Atoi(p)
			if err != nil || n >= len(x) {
				return nil
			}
			v = x[n]
		default:
			return nil
		}
	}
	return v
}
