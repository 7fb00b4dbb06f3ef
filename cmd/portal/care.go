package main

import (
	"context"
	"encoding/hex"
	"fmt"
	"io"
	"log/slog"
	"net"
	"os"
	"runtime/debug"
	"runtime/pprof"
	"strconv"
	"strings"

	"huoban/internal/app"
	"huoban/internal/fault"
	"huoban/internal/i18n"
	"huoban/internal/scope"
)

type serveCmd struct {
	Demo       bool   `help:"Make the demo data first if the database is empty."`
	CPUProfile string `name:"cpu-profile" placeholder:"FILE" help:"Write a CPU profile of the whole run to this file."`
}

// serveGarbage is how much a server may throw away before the collector works, in per cent of what lives: little
// lives for long in it, and every page is thrown away.
const serveGarbage = 400

func (c *serveCmd) Run(o *out) error {
	if os.Getenv("GOGC") == "" {
		debug.SetGCPercent(serveGarbage)
	}
	stop, err := profile(c.CPUProfile)
	if err != nil {
		return err
	}
	defer stop()
	log := slog.New(slog.NewTextHandler(o.err, nil))
	l, err := (&net.ListenConfig{}).Listen(o.ctx, "tcp", o.cli.Addr)
	if err != nil {
		return fault.Unavailable("settings.listen", fault.Args{"addr": o.cli.Addr}).Because(err)
	}
	defer l.Close()
	a, err := app.Open(o.ctx, o.cli.Settings, app.Options{Log: log})
	if err != nil {
		return err
	}
	defer a.Close()
	ready := i18n.T(o.ctx, "cli.serve.ready", "Address", scheme(o.cli.Settings)+l.Addr().String())
	if c.Demo {
		return c.demo(o, a, l, ready)
	}
	if err := c.firstRun(o, a); err != nil {
		return err
	}
	fmt.Fprintln(o.w, ready)
	return a.Serve(o.ctx, l)
}

// profile writes a CPU profile until stop is called; without a path it does nothing.
func profile(path string) (stop func(), err error) {
	if path == "" {
		return func() {}, nil
	}
	f, err := os.Create(path)
	if err == nil {
		err = pprof.StartCPUProfile(f)
	}
	if err != nil {
		return nil, fault.Invalid("settings.profile", fault.Args{"path": path}).Because(err)
	}
	return func() { pprof.StopCPUProfile(); f.Close() }, nil
}

// demo opens the door at once; what is still to be made is made behind it.
func (c *serveCmd) demo(o *out, a *app.App, l net.Listener, ready string) error {
	pending, err := a.DemoPending(o.ctx)
	if err != nil {
		return err
	}
	first := func(ctx context.Context, tell func(app.DemoProgress)) error {
		accounts, err := a.DemoWorld(ctx, app.DemoSize{}, tell)
		if err != nil {
			return err
		}
		o.accounts(accounts, a.DataFile("demo-accounts.json"))
		if len(accounts) == 0 { // the database holds something else than a demo
			err = c.firstRun(o, a)
		}
		fmt.Fprintln(o.w, ready)
		return err
	}
	if pending {
		fmt.Fprintln(o.w, i18n.T(o.ctx, "demo.door", "Address", scheme(o.cli.Settings)+l.Addr().String()))
		return a.ServeAfter(o.ctx, l, first)
	}
	if err := first(o.ctx, nil); err != nil {
		return err
	}
	return a.Serve(o.ctx, l)
}

func scheme(s app.Settings) string {
	if s.TLSCert != "" {
		return "https://"
	}
	return "http://"
}

// firstRun prints the one-time link while nobody can sign in yet.
func (c *serveCmd) firstRun(o *out, a *app.App) error {
	needed, err := a.Setup.Needed(o.ctx)
	if err != nil || !needed {
		return err
	}
	token, until, err := a.Setup.Issue(o.ctx)
	if err != nil {
		return err
	}
	fmt.Fprintln(o.w, i18n.T(o.ctx, "cli.serve.setup", "Link", o.cli.Base()+"/setup/"+token, "Until", i18n.DateTime(until)))
	return nil
}

type demoCmd struct {
	Months    int `help:"Months of the invented vendor, the running one included; 0 is 18."`
	Customers int `help:"Its customers, besides those with a story of their own; 0 is all."`
}

func (c *demoCmd) Run(o *out) error {
	return o.with(func(ctx context.Context, a *app.App, _ scope.Scope) error {
		accounts, err := a.DemoWorld(ctx, app.DemoSize{Months: c.Months, Customers: c.Customers}, func(p app.DemoProgress) {
			step := i18n.T(ctx, p.Key, "Cycle", p.Cycle)
			fmt.Fprintln(o.err, i18n.T(ctx, "waitview.step", "Done", p.Done+1, "Total", p.Total, "Step", step))
		})
		if err != nil {
			return err
		}
		return o.print(map[string]any{"accounts": orEmpty(accounts)}, func(io.Writer) { o.accounts(accounts, a.DataFile("demo-accounts.json")) })
	})
}

// accounts prints who can sign in, an organisation a line; the customers' administrators are in the
// file alone.
func (o *out) accounts(list []app.DemoAccount, file string) {
	if len(list) == 0 {
		return
	}
	logins, customers := map[string][]string{}, 0
	var order []string
	for _, x := range list {
		if x.Kind == "customer" {
			customers++
			continue
		}
		if logins[x.Organisation] == nil {
			order = append(order, x.Organisation)
		}
		logins[x.Organisation] = append(logins[x.Organisation], x.Username)
	}
	fmt.Fprintln(o.w, i18n.T(o.ctx, "demo.accounts.title", "Password", list[0].Password))
	rows := [][]string{}
	for _, code := range order {
		rows = append(rows, []string{code, strings.Join(logins[code], " ")})
	}
	if customers > 0 {
		rows = append(rows, []string{i18n.T(o.ctx, "demo.accounts.customers"), strconv.Itoa(customers)})
	}
	table(o.w, []string{"ORGANISATION", "USERNAME"}, rows)
	fmt.Fprintln(o.w, i18n.T(o.ctx, "demo.accounts.file", "File", file))
}

type configCmd struct{}

func (c *configCmd) Run(o *out) error {
	list := o.cli.Effective(o.args)
	return o.print(map[string]any{"settings": list}, func(w io.Writer) {
		rows := [][]string{}
		for _, s := range list {
			rows = append(rows, []string{s.Name, s.Value, s.Origin, s.Env})
		}
		table(w, []string{"SETTING", "VALUE", "ORIGIN", "ENVIRONMENT"}, rows)
	})
}

type doctorCmd struct {
	Deep bool `help:"Check every page of the database."`
}

func (c *doctorCmd) Run(o *out) error {
	return o.with(func(ctx context.Context, a *app.App, _ scope.Scope) error {
		list, err := a.Doctor(ctx, c.Deep)
		if err != nil {
			return err
		}
		bad := []*fault.Error{}
		for _, f := range list {
			if f.Level == "bad" || f.Level == "error" {
				bad = append(bad, fault.Conflict(f.Code, f.Args))
			}
		}
		if len(bad) > 0 {
			return fault.Refused("doctor.trouble", bad)
		}
		return o.print(map[string]any{"findings": list}, func(w io.Writer) {
			for _, f := range list {
				fmt.Fprintf(w, "%-5s %s\n", f.Level, findingText(ctx, f))
			}
			if len(list) == 0 {
				fmt.Fprintln(w, i18n.T(ctx, "cli.doctor.well"))
			}
		})
	})
}

// findingText puts a finding into words: those of the store have a key of their own.
func findingText(ctx context.Context, f app.Finding) string {
	if i18n.Has(f.Code) {
		return i18n.T(ctx, f.Code, pairs(f.Args)...)
	}
	return i18n.FaultText(ctx, fault.Conflict(f.Code, f.Args))
}

type verifyCmd struct{}

func (c *verifyCmd) Run(o *out) error {
	return o.with(func(ctx context.Context, a *app.App, _ scope.Scope) error {
		r, err := a.Verify(ctx)
		if err != nil {
			return err
		}
		if o.cli.JSON {
			if err := writeJSON(o.w, r); err != nil {
				return err
			}
			if !r.Whole() {
				return quietRefusal{r.Fault()}
			}
			return nil
		}
		for _, d := range r.Differences {
			fmt.Fprintf(o.err, "%s %s %s: %s ≠ %s\n", d.Table, d.Key, d.Column, d.Stored, d.Recomputed)
		}
		if err := r.Fault(); err != nil {
			return err
		}
		fmt.Fprintln(o.w, i18n.T(ctx, "cli.verify.whole", "Files", r.Files, "Lines", r.Lines, "Bills", r.Bills))
		return nil
	})
}

// quietRefusal is a refusal whose JSON document was written already.
type quietRefusal struct{ error }

func (q quietRefusal) Unwrap() error { return q.error }

type backupCmd struct {
	File string `arg:"" help:"New file."`
}

func (c *backupCmd) Run(o *out) error {
	return o.withOptions(app.Options{Owner: true}, func(ctx context.Context, a *app.App, _ scope.Scope) error {
		m, err := a.Backup(ctx, c.File)
		if err != nil {
			return err
		}
		return o.print(m, func(w io.Writer) {
			fmt.Fprintln(w, i18n.T(ctx, "cli.backup.done", "File", c.File, "Count", m.Rows, "Digest", m.Digest[:min(16, len(m.Digest))]))
		})
	})
}

type restoreCmd struct {
	File string `arg:"" help:"Backup."`
}

func (c *restoreCmd) Run(o *out) error {
	m, err := app.Restore(o.ctx, o.cli.Settings, c.File)
	if err != nil {
		return err
	}
	return o.print(m, func(w io.Writer) {
		fmt.Fprintln(w, i18n.T(o.ctx, "cli.restore.done", "Count", m.Rows, "Digest", m.Digest[:min(16, len(m.Digest))]))
	})
}

type migrateCmd struct {
	To string `placeholder:"URL" help:"Move everything into this empty database (postgres:// URL, or a path for SQLite)."`
}

func (c *migrateCmd) Run(o *out) error {
	return o.withOptions(app.Options{Owner: true}, func(ctx context.Context, a *app.App, _ scope.Scope) error {
		if c.To == "" {
			doc := map[string]any{"engine": string(a.DB.Engine()), "notes": orEmpty(a.Notes)}
			return o.print(doc, func(w io.Writer) {
				fmt.Fprintln(w, i18n.T(ctx, "cli.migrate.current"))
				for _, n := range a.Notes {
					fmt.Fprintln(w, i18n.FaultText(ctx, fault.Conflict(n, nil)))
				}
			})
		}
		res, err := a.MoveTo(ctx, c.To)
		if err != nil {
			return err
		}
		return o.print(res, func(w io.Writer) { fmt.Fprintln(w, i18n.T(ctx, "cli.migrate.moved", "Count", int64(len(res.Tables)))) })
	})
}

type auditCmd struct {
	Verify auditVerifyCmd `cmd:"" help:"Walk the chain and name the first broken row."`
}

type auditVerifyCmd struct{}

func (c *auditVerifyCmd) Run(o *out) error {
	return o.with(func(ctx context.Context, a *app.App, _ scope.Scope) error {
		r, err := a.VerifyAudit(ctx)
		if err != nil {
			return err
		}
		if r.Broken != nil {
			return r.Broken
		}
		whole := map[string]any{"rows": r.Rows, "head": map[string]any{
			"seq": r.Head.Seq, "hash": hex.EncodeToString(r.Head.Hash), "key_id": r.Head.KeyID}}
		return o.print(whole, func(w io.Writer) { fmt.Fprintln(w, i18n.T(ctx, "cli.audit.whole", "Count", r.Rows)) })
	})
}

type routesCmd struct{}

func (c *routesCmd) Run(o *out) error {
	list := app.Routes()
	return o.print(map[string]any{"routes": list}, func(w io.Writer) {
		rows := [][]string{}
		for _, r := range list {
			who := strings.Join(r.Permission, " ")
			if r.Public {
				who = "public"
			} else if r.SignedIn {
				who = "signed in"
			}
			rows = append(rows, []string{r.Method, r.Path, who, strings.Join(r.IDs, " ")})
		}
		table(w, []string{"METHOD", "PATH", "PERMISSION", "IDS"}, rows)
		fmt.Fprintln(w, strconv.Itoa(len(rows)))
	})
}
