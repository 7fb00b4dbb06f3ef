package main

import (
	"context"
	"fmt"
	"io"
	"strconv"

	"huoban/internal/app"
	"huoban/internal/i18n"
	"huoban/internal/peak"
	"huoban/internal/scope"
)

type peakCmd struct {
	Import     peakImportCmd     `cmd:"" help:"Import five-minute points of bandwidth charged by its monthly 95th percentile."`
	List       peakListCmd       `cmd:"" help:"List imports of points, the newest first."`
	Quarantine peakQuarantineCmd `cmd:"" help:"Rows of an import that could not be read."`
	Revert     peakRevertCmd     `cmd:"" help:"Take an import of points back; what it replaced counts again."`
}

type peakImportCmd struct {
	Paths  []string `arg:"" name:"path" help:"Files of points, folders or archives; together one import."`
	Source string   `required:"" help:"Source they belong to: its vendor, and the rules that map accounts."`
	DryRun bool     `help:"Read everything, publish nothing."`
}

func (c *peakImportCmd) Run(o *out) error {
	return o.with(func(ctx context.Context, a *app.App, sc scope.Scope) error {
		res, err := a.Peaks.Import(ctx, sc, peak.Input{Source: c.Source, Paths: c.Paths, DryRun: c.DryRun})
		if err != nil {
			return err
		}
		return o.print(res, func(w io.Writer) {
			if res.SameContent {
				fmt.Fprintln(w, i18n.T(ctx, "cli.import.same"))
			}
			table(w, peakHead, [][]string{peakRow(&res.Import)})
			for _, b := range res.Bad {
				fmt.Fprintf(w, "%s:%d %s\n", b.File, b.Line, badText(ctx, &b))
			}
			if more := res.Quarantined - int64(len(res.Bad)); more > 0 {
				fmt.Fprintln(w, i18n.T(ctx, "cli.peak.more", "Count", more, "Import", res.ID))
			}
		})
	})
}

var peakHead = []string{"IMPORT", "ID", "SOURCE", "STATE", "RECEIVED", "POINTS", "RESOURCES", "DAYS", "REPLACED", "QUARANTINED"}

func peakRow(m *peak.Import) []string {
	n := func(v int64) string { return strconv.FormatInt(v, 10) }
	return []string{n(m.Number), m.ID, m.Source, m.State, i18n.DateTime(m.ReceivedAt), n(m.Points), n(m.Resources), n(m.Days), n(m.Replaced), n(m.Quarantined)}
}

func badText(ctx context.Context, b *peak.Bad) string {
	return i18n.T(ctx, "fault."+b.Code, pairs(b.Args)...)
}

type peakListCmd struct {
	Limit int `default:"100" help:"At most so many."`
}

func (c *peakListCmd) Run(o *out) error {
	return o.with(func(ctx context.Context, a *app.App, sc scope.Scope) error {
		list, err := a.Peaks.Imports(ctx, sc, c.Limit)
		if err != nil {
			return err
		}
		return o.print(map[string]any{"imports": orEmpty(list)}, func(w io.Writer) {
			rows := [][]string{}
			for i := range list {
				rows = append(rows, peakRow(&list[i]))
			}
			table(w, peakHead, rows)
		})
	})
}

type peakQuarantineCmd struct {
	ID string `arg:"" help:"Id of the import, from portal peak list."`
}

func (c *peakQuarantineCmd) Run(o *out) error {
	return o.with(func(ctx context.Context, a *app.App, sc scope.Scope) error {
		m, rows, err := a.Peaks.Quarantine(ctx, sc, c.ID)
		if err != nil {
			return err
		}
		return o.print(map[string]any{"import": m, "rows": orEmpty(rows)}, func(w io.Writer) {
			lines := [][]string{}
			for i := range rows {
				b := &rows[i]
				lines = append(lines, []string{b.File, strconv.FormatInt(b.Line, 10), b.Column, b.Value, badText(ctx, b)})
			}
			table(w, []string{"FILE", "LINE", "COLUMN", "VALUE", "REASON"}, lines)
		})
	})
}

type peakRevertCmd struct {
	ID string `arg:"" help:"Id of the import, from portal peak list."`
}

func (c *peakRevertCmd) Run(o *out) error {
	return o.with(func(ctx context.Context, a *app.App, sc scope.Scope) error {
		m, err := a.Peaks.Revert(ctx, sc, c.ID)
		if err != nil {
			return err
		}
		return o.print(m, func(w io.Writer) { table(w, peakHead, [][]string{peakRow(&m)}) })
	})
}
