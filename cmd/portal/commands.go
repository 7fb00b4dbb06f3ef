package main

import (
	"context"
	"fmt"
	"io"
	"log/slog"
	"os"
	"os/user"
	"text/tabwriter"

	"huoban/internal/app"
	"huoban/internal/fault"
	"huoban/internal/organisation"
	"huoban/internal/scope"
)

// commands is every subcommand.
type commands struct {
	Serve      serveCmd      `cmd:"" help:"Serve the portal."`
	Demo       demoCmd       `cmd:"" help:"Make the demo data and print who can sign in."`
	Config     configCmd     `cmd:"" help:"Print the effective settings and where each came from."`
	Doctor     doctorCmd     `cmd:"" help:"Look for trouble in settings, database and files."`
	Verify     verifyCmd     `cmd:"" help:"Recompute everything from the kept files and compare."`
	Backup     backupCmd     `cmd:"" help:"Write a backup while the portal runs."`
	Restore    restoreCmd    `cmd:"" help:"Restore a backup into an empty database."`
	Migrate    migrateCmd    `cmd:"" help:"Bring the schema up to date, or move everything to another database."`
	Audit      auditCmd      `cmd:"" help:"The audit chain."`
	Routes     routesCmd     `cmd:"" help:"List every route with method, path, permission and id parameters."`
	Org        orgCmd        `cmd:"" help:"Organisations."`
	Entity     entityCmd     `cmd:"" help:"Contracting entities of a vendor."`
	User       userCmd       `cmd:"" help:"Persons."`
	Role       roleCmd       `cmd:"" help:"Roles."`
	Source     sourceCmd     `cmd:"" help:"Sources of cost exports."`
	Import     importCmd     `cmd:"" help:"Import a cost export: files, folders, archives or a manifest."`
	Delivery   deliveryCmd   `cmd:"" help:"What was delivered."`
	Quarantine quarantineCmd `cmd:"" help:"Rows that could not be read."`
	Map        mapCmd        `cmd:"" help:"Attribution: which customer a line belongs to."`
	Price      priceCmd      `cmd:"" help:"Settlement price rules."`
	Close      closeCmd      `cmd:"" help:"Close a month: to its draft, with --issue to the issued bills."`
	Peak       peakCmd       `cmd:"" help:"Five-minute points of bandwidth charged by its monthly 95th percentile."`
	Notice     noticeCmd     `cmd:"" help:"The site bar: a line over every page."`
	SSO        ssoCmd        `cmd:"" name:"sso" help:"The jump from partners' sales platforms (SAML)."`
	Bill       billCmd       `cmd:"" help:"Print partner bills."`
	Adjustment adjustmentCmd `cmd:"" help:"Staff adjustments, entered by one person and decided by another."`
}

// with opens the portal, finds who acts, and runs fn.
func (o *out) with(fn func(ctx context.Context, a *app.App, sc scope.Scope) error) error {
	return o.withOptions(app.Options{}, fn)
}

func (o *out) withOptions(opts app.Options, fn func(ctx context.Context, a *app.App, sc scope.Scope) error) error {
	opts.Log = slog.New(slog.NewTextHandler(o.err, &slog.HandlerOptions{Level: slog.LevelWarn}))
	a, err := app.Open(o.ctx, o.cli.Settings, opts)
	if err != nil {
		return err
	}
	defer a.Close()
	ctx, sc, err := a.Operator(o.ctx, o.cli.As, systemUser())
	if err != nil {
		return err
	}
	return fn(ctx, a, sc)
}

func systemUser() string {
	if u, err := user.Current(); err == nil {
		return u.Username
	}
	return ""
}

// table writes aligned columns.
func table(w io.Writer, head []string, rows [][]string) {
	t := tabwriter.NewWriter(w, 0, 4, 2, ' ', 0)
	for _, r := range append([][]string{head}, rows...) {
		for i, cell := range r {
			if i > 0 {
				fmt.Fprint(t, "\t")
			}
			fmt.Fprint(t, cell)
		}
		fmt.Fprintln(t)
	}
	_ = t.Flush()
}

// vendorByCode finds a vendor; an empty code is the only one there is.
func vendorByCode(ctx context.Context, a *app.App, sc scope.Scope, code string) (organisation.Organisation, error) {
	if code != "" {
		org, err := a.Organisations.ByCode(ctx, sc, code)
		if err == nil && org.Kind != organisation.KindVendor {
			err = fault.NotFound("organisation.unknown", fault.Args{"code": code})
		}
		return org, err
	}
	all, err := a.Organisations.List(ctx, sc)
	if err != nil {
		return organisation.Organisation{}, err
	}
	var found []organisation.Organisation
	for _, x := range all {
		if x.Kind == organisation.KindVendor {
			found = append(found, x)
		}
	}
	if len(found) != 1 {
		return organisation.Organisation{}, usageError{fmt.Errorf("name the vendor with --vendor (there are %d)", len(found))}
	}
	return found[0], nil
}

// openFile reads a named file, "-" is standard input.
func (o *out) openFile(path string) (io.ReadCloser, error) {
	if path == "-" {
		return io.NopCloser(o.in), nil
	}
	f, err := os.Open(path)
	if err != nil {
		return nil, fault.Invalid("file.unreadable", fault.Args{"path": path}).Because(err)
	}
	return f, nil
}
