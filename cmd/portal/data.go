package main

import (
	"context"
	"fmt"
	"io"
	"os"
	"runtime/debug"
	"strconv"
	"strings"

	"huoban/internal/app"
	"huoban/internal/attribution"
	"huoban/internal/customer"
	"huoban/internal/cycle"
	"huoban/internal/delivery"
	"huoban/internal/fault"
	"huoban/internal/i18n"
	"huoban/internal/scope"
	"huoban/internal/source"
)

type sourceCmd struct {
	Add  sourceAddCmd  `cmd:"" help:"Declare a source; a vendor that is new is made."`
	List sourceListCmd `cmd:"" help:"List sources."`
}

type sourceAddCmd struct {
	Name     string            `required:"" help:"Name of the source."`
	Vendor   string            `required:"" help:"Vendor; made if new."`
	Dialect  string            `required:"" help:"How the files are written, such as focus, aws-cur, azure-cost, oci, gcp, huawei-partner-bill, huawei-bill-detail, huoban."`
	Zone     string            `help:"Zone of its billing periods: UTC or an offset such as +08:00 (default: the dialect's)."`
	Mode     string            `help:"snapshot (a newer delivery replaces) or append (default: the dialect's)."`
	Base     string            `help:"Base column: billed, contracted or list (default: the dialect's)."`
	Key      string            `help:"Column or tag:NAME that attributes lines beside the sub-account."`
	Provider []string          `help:"Take only lines of these providers."`
	Account  []string          `help:"Take only lines of these billing accounts."`
	Currency []string          `help:"Take only lines in these currencies."`
	Default  string            `help:"Organisation that gets unclaimed lines (default: unmapped)."`
	Loose    string            `help:"Where lines without sub-account go: an organisation, or spread."`
	Entity   string            `help:"Contracting entity of the bills of this source."`
	Column   map[string]string `help:"FIELD=HEADER where a file spells a column differently."`
	From     string            `help:"First cycle in which the source is expected (YYYY-MM)."`
	Until    string            `help:"Last cycle in which the source is expected (YYYY-MM)."`
}

func (c *sourceAddCmd) Run(o *out) error {
	return o.with(func(ctx context.Context, a *app.App, sc scope.Scope) error {
		in := source.AddInput{Vendor: c.Vendor, Name: c.Name, Dialect: c.Dialect, Zone: c.Zone, Mode: source.Mode(c.Mode), Base: c.Base, KeyColumn: c.Key,
			Providers: c.Provider, Accounts: c.Account, Currencies: c.Currency, Default: c.Default, Loose: c.Loose, Entity: c.Entity, Columns: c.Column}
		var err error
		if in.From, err = optionalCycle(c.From); err != nil {
			return err
		}
		if in.Until, err = optionalCycle(c.Until); err != nil {
			return err
		}
		res, err := a.Sources.Add(ctx, sc, in)
		if err != nil {
			return err
		}
		return o.print(map[string]any{"source": res.Source, "added": res.Added}, func(w io.Writer) { sourceTable(w, res.Source) })
	})
}

func optionalCycle(text string) (cycle.Cycle, error) {
	if text == "" {
		return "", nil
	}
	return parseCycle(text)
}

// parseCycle reads a cycle that was typed; another text is a usage error.
func parseCycle(text string) (cycle.Cycle, error) {
	c, err := cycle.Parse(text)
	if err != nil {
		return "", usageError{fmt.Errorf("%q is no cycle (YYYY-MM)", text)}
	}
	return c, nil
}

func sourceTable(w io.Writer, list ...source.Source) {
	rows := [][]string{}
	for _, s := range list {
		rows = append(rows, []string{s.Name, s.Vendor, s.Dialect, s.Zone, string(s.Mode), s.Base, s.KeyColumn, string(s.Loose)})
	}
	table(w, []string{"SOURCE", "VENDOR", "DIALECT", "ZONE", "MODE", "BASE", "KEY", "LOOSE LINES"}, rows)
}

type sourceListCmd struct{}

func (c *sourceListCmd) Run(o *out) error {
	return o.with(func(ctx context.Context, a *app.App, sc scope.Scope) error {
		list, err := a.Sources.List(ctx, sc)
		if err != nil {
			return err
		}
		return o.print(map[string]any{"sources": orEmpty(list)}, func(w io.Writer) { sourceTable(w, list...) })
	})
}

func orEmpty[T any](list []T) []T {
	if list == nil {
		return []T{}
	}
	return list
}

type importCmd struct {
	Paths  []string `arg:"" name:"path" help:"Files, folders, archives or a manifest; together one delivery."`
	Source string   `required:"" help:"Source they belong to."`
	Final  finalArg `help:"Mark periods final: every one whose month is over, or --final=YYYY-MM[,YYYY-MM]."`
	DryRun bool     `help:"Do everything but publish, and leave nothing."`
}

// finalArg is a flag that may stand alone or carry cycles.
type finalArg struct{ delivery.FinalMark }

// Set reads nothing for all, or cycles after an equals sign.
func (f *finalArg) Set(value string, with bool) error {
	if !with {
		f.All = true
		return nil
	}
	for _, part := range strings.Split(value, ",") {
		c, err := cycle.Parse(part)
		if err != nil {
			return fmt.Errorf("%q is no cycle (YYYY-MM)", part)
		}
		f.Cycles = append(f.Cycles, c)
	}
	return nil
}

// importMemory is where the collector begins to work harder: what lives during an import is a third of
// it, whatever the size of the files.
const importMemory = 120 << 20

func (c *importCmd) Run(o *out) error {
	if os.Getenv("GOMEMLIMIT") == "" {
		debug.SetMemoryLimit(importMemory)
	}
	return o.with(func(ctx context.Context, a *app.App, sc scope.Scope) error {
		if _, err := a.Deliveries.Clean(ctx); err != nil {
			return err
		}
		in := delivery.Input{Source: c.Source, Paths: c.Paths, Final: c.Final.FinalMark, DryRun: c.DryRun}
		shown := false
		if f, ok := o.err.(*os.File); ok && terminal(f) && !o.cli.JSON {
			in.Progress = func(p delivery.Progress) {
				shown = true
				fmt.Fprintf(o.err, "\r%s (%d/%d) %d", p.File, p.FileNo, p.Files, p.Rows)
			}
		}
		res, err := a.Deliveries.Import(ctx, sc, in)
		if shown {
			fmt.Fprintln(o.err)
		}
		if err != nil {
			return err
		}
		return o.print(res, func(w io.Writer) { importText(ctx, w, res) })
	})
}

func importText(ctx context.Context, w io.Writer, res delivery.Result) {
	if res.SameContent {
		fmt.Fprintln(w, i18n.T(ctx, "cli.import.same"))
	}
	rows := [][]string{}
	for _, c := range res.Cycles {
		late := ""
		if c.Late {
			late = i18n.T(ctx, "cli.import.late")
		}
		rows = append(rows, []string{string(c.Cycle), c.Currency, strconv.FormatInt(c.LineCount, 10), c.Total.String(),
			count(c.Added, c.AddedSum.String()), count(c.Removed, c.RemovedSum.String()), count(c.Changed, c.ChangedDiff.String()), late})
	}
	table(w, []string{"CYCLE", "CURRENCY", "LINES", "TOTAL", "ADDED", "REMOVED", "CHANGED", ""}, rows)
	for _, x := range res.Warnings {
		fmt.Fprintln(w, i18n.T(ctx, x.Code, pairs(x.Args)...))
	}
	if res.Quarantined > 0 {
		fmt.Fprintln(w, i18n.T(ctx, "cli.import.quarantined", "Count", res.Quarantined, "Delivery", res.Source+"/"+strconv.FormatInt(res.Number, 10)))
	}
	if res.Skipped > 0 {
		fmt.Fprintln(w, i18n.T(ctx, "cli.import.skipped", "Count", res.Skipped))
	}
	for _, r := range res.Residues {
		if !r.Residue.IsZero() {
			fmt.Fprintln(w, i18n.T(ctx, "cli.import.residue", "Cycle", string(r.Cycle), "Customer", r.Customer, "Currency", r.Currency, "Residue", r.Residue.String()))
		}
	}
	for _, c := range res.Final {
		fmt.Fprintln(w, i18n.T(ctx, "cli.import.final", "Cycle", string(c)))
	}
}

func pairs(args map[string]any) []any {
	out := make([]any, 0, 2*len(args))
	for k, v := range args {
		out = append(out, k, v)
	}
	return out
}

func count(n int64, sum string) string {
	if n == 0 {
		return "0"
	}
	return strconv.FormatInt(n, 10) + " (" + sum + ")"
}

type deliveryCmd struct {
	List   deliveryListCmd   `cmd:"" help:"List deliveries, newest first."`
	Show   deliveryShowCmd   `cmd:"" help:"Show a delivery with what it brought."`
	Diff   deliveryDiffCmd   `cmd:"" help:"Rows added, removed and changed against what it replaced."`
	Revert deliveryRevertCmd `cmd:"" help:"Take a delivery back; what it replaced counts again."`
}

type deliveryListCmd struct {
	Source string `help:"Of one source."`
	Limit  int    `default:"100" help:"At most so many."`
}

func (c *deliveryListCmd) Run(o *out) error {
	return o.with(func(ctx context.Context, a *app.App, sc scope.Scope) error {
		list, err := a.Deliveries.List(ctx, sc, c.Source, c.Limit)
		if err != nil {
			return err
		}
		return o.print(map[string]any{"deliveries": orEmpty(list)}, func(w io.Writer) {
			rows := [][]string{}
			for _, d := range list {
				rows = append(rows, deliveryRow(d))
			}
			table(w, deliveryHead, rows)
		})
	})
}

var deliveryHead = []string{"DELIVERY", "STATE", "RECEIVED", "FILES", "LINES", "QUARANTINED", "BY"}

func deliveryRow(d delivery.Delivery) []string {
	return []string{d.Source + "/" + strconv.FormatInt(d.Number, 10), string(d.State), i18n.DateTime(d.ReceivedAt), strconv.Itoa(d.Files),
		strconv.FormatInt(d.LineCount, 10), strconv.FormatInt(d.Quarantined, 10), d.Actor}
}

type deliveryShowCmd struct {
	Delivery    string `arg:"" help:"SOURCE/NUMBER or id."`
	Conformance bool   `help:"With the FOCUS conformance report."`
}

func (c *deliveryShowCmd) Run(o *out) error {
	return o.with(func(ctx context.Context, a *app.App, sc scope.Scope) error {
		d, err := a.Deliveries.Show(ctx, sc, c.Delivery)
		if err != nil {
			return err
		}
		doc := struct {
			delivery.Details
			Conformance any `json:"conformance,omitempty"`
		}{Details: d}
		if c.Conformance {
			rules, err := a.Deliveries.Conformance(ctx, sc, c.Delivery)
			if err != nil {
				return err
			}
			doc.Conformance = rules
			if !o.cli.JSON {
				rows := [][]string{}
				for _, r := range rules {
					rows = append(rows, []string{r.Rule, r.Level, string(r.Verdict), strconv.FormatInt(r.Failed, 10) + "/" + strconv.FormatInt(r.Checked, 10)})
				}
				table(o.w, []string{"RULE", "LEVEL", "VERDICT", "FAILED/CHECKED"}, rows)
				return nil
			}
		}
		return o.print(doc, func(w io.Writer) {
			table(w, deliveryHead, [][]string{deliveryRow(d.Delivery)})
			rows := [][]string{}
			for _, f := range d.Parts {
				rows = append(rows, []string{f.Name, f.SHA[:12], f.Format, strconv.FormatInt(f.LineCount, 10)})
			}
			table(w, []string{"FILE", "SHA256", "FORMAT", "LINES"}, rows)
			importText(ctx, w, delivery.Result{Cycles: d.Changes, Residues: d.Residues})
		})
	})
}

type deliveryDiffCmd struct {
	Delivery string `arg:"" help:"SOURCE/NUMBER or id."`
	Cycle    string `help:"One cycle (default: the first)."`
	Limit    int    `default:"1000" help:"At most so many rows."`
}

type diffJSON struct {
	Kind   string `json:"kind"`
	File   int    `json:"file,omitempty"`
	Line   int64  `json:"line,omitempty"`
	Before string `json:"before,omitempty"`
	After  string `json:"after,omitempty"`
	Text   string `json:"text"`
}

func (c *deliveryDiffCmd) Run(o *out) error {
	return o.with(func(ctx context.Context, a *app.App, sc scope.Scope) error {
		in := delivery.DiffInput{Delivery: c.Delivery, Limit: 500}
		if c.Cycle != "" {
			slots, err := a.Deliveries.Slots(ctx, sc, c.Delivery)
			if err != nil {
				return err
			}
			for _, s := range slots {
				if string(s.Cycle) == c.Cycle {
					in.Slot = s.ID
				}
			}
			if in.Slot == 0 {
				return fault.NotFound("delivery.unknown", fault.Args{"delivery": c.Delivery + " " + c.Cycle})
			}
		}
		rows := []diffJSON{}
		for len(rows) < c.Limit {
			page, err := a.Deliveries.Diff(ctx, sc, in)
			if err != nil {
				return err
			}
			for _, r := range page.Rows {
				rows = append(rows, diffRow(r))
			}
			if page.Next == nil {
				break
			}
			in.After = page.Next
		}
		rows = rows[:min(len(rows), c.Limit)]
		return o.print(map[string]any{"rows": rows}, func(w io.Writer) {
			cells := [][]string{}
			for _, r := range rows {
				cells = append(cells, []string{r.Kind, r.Before, r.After, strconv.FormatInt(r.Line, 10), r.Text})
			}
			table(w, []string{"KIND", "BEFORE", "AFTER", "LINE", "CHARGE"}, cells)
		})
	})
}

func diffRow(r delivery.DiffRow) diffJSON {
	j := diffJSON{Kind: string(r.Kind)}
	show := r.Is
	if r.Was != nil {
		j.Before = r.Was.Billed.String()
	}
	if r.Is != nil {
		j.After = r.Is.Billed.String()
	} else {
		show = r.Was
	}
	j.File, j.Line = show.FileNo, show.LineNo
	j.Text = show.Product.Service + " " + show.Account.SubAccount + " " + show.ChargeStart.Format("2006-01-02T15:04:05Z")
	return j
}

type deliveryRevertCmd struct {
	Delivery string `arg:"" help:"SOURCE/NUMBER or id."`
	Reason   string `default:"reverted by the operator" help:"Why; stands in the transition log."`
}

func (c *deliveryRevertCmd) Run(o *out) error {
	return o.with(func(ctx context.Context, a *app.App, sc scope.Scope) error {
		d, err := a.Deliveries.Revert(ctx, sc, c.Delivery, c.Reason)
		if err != nil {
			return err
		}
		return o.print(d, func(w io.Writer) { table(w, deliveryHead, [][]string{deliveryRow(d)}) })
	})
}

type quarantineCmd struct {
	List   quarantineListCmd   `cmd:"" help:"List rows that could not be read."`
	Export quarantineExportCmd `cmd:"" help:"Write the rows as CSV with reasons, to be corrected."`
	Retry  quarantineRetryCmd  `cmd:"" help:"Read corrected rows."`
	Drop   quarantineDropCmd   `cmd:"" help:"Leave rows out for good, with a reason."`
}

type quarantineListCmd struct {
	Delivery string `help:"Of one delivery (id)."`
	State    string `default:"open" enum:"open,corrected,dropped,all" help:"open, corrected, dropped or all."`
	Limit    int    `default:"1000" help:"At most so many."`
}

func (c *quarantineListCmd) Run(o *out) error {
	return o.with(func(ctx context.Context, a *app.App, sc scope.Scope) error {
		f := delivery.QuarantineFilter{State: c.State, Limit: c.Limit}
		if c.State == "all" {
			f.State = ""
		}
		if c.Delivery != "" {
			d, err := a.Deliveries.Find(ctx, sc, c.Delivery)
			if err != nil {
				return err
			}
			f.DeliveryID = d.ID
		}
		list, err := a.Deliveries.Quarantine(ctx, sc, f)
		if err != nil {
			return err
		}
		return o.print(map[string]any{"rows": orEmpty(list)}, func(w io.Writer) {
			rows := [][]string{}
			for _, q := range list {
				rows = append(rows, []string{q.Source + "/" + strconv.FormatInt(q.Number, 10), q.File, strconv.FormatInt(q.LineNo, 10), q.Column, q.Value, q.State,
					i18n.FaultText(ctx, fault.New(fault.KindInvalid, q.Code, q.Args))})
			}
			table(w, []string{"DELIVERY", "FILE", "LINE", "COLUMN", "VALUE", "STATE", "REASON"}, rows)
		})
	})
}

type quarantineExportCmd struct {
	Delivery string `arg:"" help:"SOURCE/NUMBER or id."`
}

func (c *quarantineExportCmd) Run(o *out) error {
	return o.with(func(ctx context.Context, a *app.App, sc scope.Scope) error {
		say := func(code string, args map[string]any) string {
			return i18n.FaultText(ctx, fault.New(fault.KindInvalid, code, args))
		}
		return a.Deliveries.ExportQuarantine(ctx, sc, c.Delivery, say, o.w)
	})
}

type quarantineRetryCmd struct {
	Delivery string `arg:"" help:"SOURCE/NUMBER or id."`
	File     string `arg:"" help:"Corrected CSV."`
}

func (c *quarantineRetryCmd) Run(o *out) error {
	return o.with(func(ctx context.Context, a *app.App, sc scope.Scope) error {
		f, err := o.openFile(c.File)
		if err != nil {
			return err
		}
		defer f.Close()
		res, err := a.Deliveries.Retry(ctx, sc, c.Delivery, f)
		if err != nil {
			return err
		}
		return o.print(res, func(w io.Writer) {
			fmt.Fprintln(w, i18n.T(ctx, "cli.quarantine.corrected", "Count", int64(res.Corrected)))
		})
	})
}

type quarantineDropCmd struct {
	Delivery string   `arg:"" help:"SOURCE/NUMBER or id."`
	Row      []string `required:"" help:"Ids of rows."`
	Reason   string   `required:"" help:"Why."`
}

func (c *quarantineDropCmd) Run(o *out) error {
	return o.with(func(ctx context.Context, a *app.App, sc scope.Scope) error {
		if err := a.Deliveries.Drop(ctx, sc, c.Delivery, c.Row, c.Reason); err != nil {
			return err
		}
		return o.print(map[string]any{"dropped": len(c.Row)}, func(w io.Writer) { fmt.Fprintln(w, i18n.T(ctx, "cli.quarantine.dropped", "Count", int64(len(c.Row)))) })
	})
}

type mapCmd struct {
	Auto   mapAutoCmd   `cmd:"" help:"Make one customer per sub-account (or key) that has no rule."`
	Export mapExportCmd `cmd:"" help:"Write the rules as CSV."`
	Import mapImportCmd `cmd:"" help:"Read rules: source,key,customer,partner,association,valid_from,valid_to. Example row: focus,51738928782,CUST-1,P1,resale,,"`
	Target mapTargetCmd `cmd:"" help:"Say where unclaimed lines and lines without sub-account go."`
}

type mapAutoCmd struct {
	Source      string `required:"" help:"Source."`
	Partner     string `required:"" help:"Partner of the customers; made if new."`
	Association string `required:"" enum:"resale,referral" help:"resale or referral."`
	Key         string `help:"Key column or tag:NAME for sources without sub-accounts."`
	DryRun      bool   `help:"Show what would happen."`
}

func (c *mapAutoCmd) Run(o *out) error {
	return o.with(func(ctx context.Context, a *app.App, sc scope.Scope) error {
		res, err := a.Attribution.Auto(ctx, sc, attribution.AutoInput{Source: c.Source, Partner: c.Partner,
			Association: customer.Kind(c.Association), Key: c.Key, DryRun: c.DryRun})
		return o.mapped(ctx, res, err)
	})
}

// maxMoved bounds the movements printed for people; --json has them all.
const maxMoved = 20

func (o *out) mapped(ctx context.Context, res attribution.ChangeResult, err error) error {
	if err != nil {
		return err
	}
	return o.print(res, func(w io.Writer) {
		fmt.Fprintln(w, i18n.T(ctx, "cli.map.done", "Added", int64(res.Added), "Ended", int64(res.Ended), "Customers", int64(len(res.NewCustomers)),
			"Partners", int64(len(res.NewPartners)), "Associations", int64(res.Associations)))
		for i, m := range res.Moved {
			if i == maxMoved {
				fmt.Fprintln(w, i18n.T(ctx, "cli.map.more", "Rest", int64(len(res.Moved)-maxMoved)))
				break
			}
			fmt.Fprintln(w, i18n.T(ctx, "cli.map.moved", "Cycle", string(m.Cycle), "From", m.From, "To", m.To, "Count", m.LineCount, "Amount", m.Billed.String(), "Currency", m.Currency))
		}
	})
}

type mapExportCmd struct {
	Source string `help:"Of one source (default: all)."`
}

func (c *mapExportCmd) Run(o *out) error {
	return o.with(func(ctx context.Context, a *app.App, sc scope.Scope) error {
		return a.Attribution.Export(ctx, sc, c.Source, o.w)
	})
}

type mapImportCmd struct {
	File   string `arg:"" help:"CSV file, - is standard input."`
	DryRun bool   `help:"Show what would happen."`
}

func (c *mapImportCmd) Run(o *out) error {
	return o.with(func(ctx context.Context, a *app.App, sc scope.Scope) error {
		f, err := o.openFile(c.File)
		if err != nil {
			return err
		}
		defer f.Close()
		res, err := a.Attribution.Import(ctx, sc, attribution.ImportInput{File: f, DryRun: c.DryRun})
		return o.mapped(ctx, res, err)
	})
}

type mapTargetCmd struct {
	Source  string  `required:"" help:"Source."`
	Default *string `help:"Organisation for unclaimed lines; empty is unmapped."`
	Loose   *string `help:"Organisation for lines without sub-account, or spread; empty is as any other line."`
	DryRun  bool    `help:"Show what would happen."`
}

func (c *mapTargetCmd) Run(o *out) error {
	return o.with(func(ctx context.Context, a *app.App, sc scope.Scope) error {
		res, err := a.Attribution.SetTargets(ctx, sc, attribution.TargetsInput{Source: c.Source, Default: c.Default, Loose: c.Loose, DryRun: c.DryRun})
		return o.mapped(ctx, res, err)
	})
}
