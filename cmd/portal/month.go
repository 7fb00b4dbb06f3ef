package main

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"strconv"

	"huoban/internal/adjustment"
	"huoban/internal/app"
	"huoban/internal/bill"
	"huoban/internal/billdoc"
	"huoban/internal/fault"
	"huoban/internal/i18n"
	"huoban/internal/monthclose"
	"huoban/internal/price"
	"huoban/internal/scope"
)

type priceCmd struct {
	Import   priceImportCmd   `cmd:"" help:"Read rules: partner,customer,provider,product,charging_mode,region,type,base,factor,valid_from,valid_to (empty = any). Example row: P1,,,,,,normal,billed,0.85,2024-09-01,"`
	List     priceListCmd     `cmd:"" help:"List the rules in force."`
	Simulate priceSimulateCmd `cmd:"" help:"Show what a cycle would cost with draft rules."`
}

type priceImportCmd struct {
	File   string `arg:"" help:"CSV file, - is standard input."`
	Vendor string `help:"Vendor (default: the only one)."`
	Draft  bool   `help:"Save as drafts that count in simulations only."`
	DryRun bool   `help:"Check everything and write nothing."`
}

type ruleJSON struct {
	Number  int64  `json:"number"`
	Version int64  `json:"version"`
	Type    string `json:"type"`
	Base    string `json:"base"`
	Factor  string `json:"factor"`
	From    string `json:"valid_from"`
	To      string `json:"valid_to"`
}

func rulesJSON(rules []price.Rule) []ruleJSON {
	out := []ruleJSON{}
	for i := range rules {
		r := &rules[i]
		out = append(out, ruleJSON{r.Number, r.Version, string(r.Type), string(r.Base), r.Factor.String(), string(r.ValidFrom), string(r.ValidTo)})
	}
	return out
}

func (c *priceImportCmd) Run(o *out) error {
	return o.with(func(ctx context.Context, a *app.App, sc scope.Scope) error {
		in := price.ImportInput{DryRun: c.DryRun, Draft: c.Draft}
		if c.Vendor != "" {
			v, err := vendorByCode(ctx, a, sc, c.Vendor)
			if err != nil {
				return err
			}
			in.VendorID = v.ID
		}
		f, err := o.openFile(c.File)
		if err != nil {
			return err
		}
		defer f.Close()
		in.File = f
		res, err := a.Prices.Import(ctx, sc, in)
		if err != nil {
			return err
		}
		doc := map[string]any{"added": res.Added, "changed": res.Changed, "same": res.Same, "dry_run": res.DryRun, "rules": rulesJSON(res.Rules)}
		return o.print(doc, func(w io.Writer) {
			fmt.Fprintln(w, i18n.T(ctx, "cli.price.done", "Added", int64(res.Added), "Changed", int64(res.Changed), "Same", int64(res.Same)))
		})
	})
}

type priceListCmd struct {
	Vendor string `help:"Vendor (default: the only one)."`
}

func (c *priceListCmd) Run(o *out) error {
	return o.with(func(ctx context.Context, a *app.App, sc scope.Scope) error {
		v, err := vendorByCode(ctx, a, sc, c.Vendor)
		if err != nil {
			return err
		}
		rules, err := a.Prices.List(ctx, sc, v.ID)
		if err != nil {
			return err
		}
		return o.print(map[string]any{"rules": rulesJSON(rules)}, func(w io.Writer) {
			rows := [][]string{}
			for _, r := range rulesJSON(rules) {
				rows = append(rows, []string{bill.RuleName(r.Number, r.Version), r.Type, r.Base, r.Factor, r.From, r.To})
			}
			table(w, []string{"RULE", "TYPE", "BASE", "FACTOR", "FROM", "TO"}, rows)
		})
	})
}

type priceSimulateCmd struct {
	Cycle  string `required:"" help:"Cycle, YYYY-MM."`
	File   string `arg:"" optional:"" help:"CSV with the draft rules (default: the saved drafts)."`
	Vendor string `help:"Vendor (default: the only one)."`
}

type comparisonJSON struct {
	Partner  string `json:"partner"`
	Currency string `json:"currency"`
	Entity   string `json:"entity"`
	OldExact string `json:"old_exact_total"`
	NewExact string `json:"new_exact_total"`
	OldDue   string `json:"old_amount_due"`
	NewDue   string `json:"new_amount_due"`
}

func (c *priceSimulateCmd) Run(o *out) error {
	return o.with(func(ctx context.Context, a *app.App, sc scope.Scope) error {
		at, err := parseCycle(c.Cycle)
		if err != nil {
			return err
		}
		v, err := vendorByCode(ctx, a, sc, c.Vendor)
		if err != nil {
			return err
		}
		var drafts []price.Rule
		if c.File == "" {
			drafts, err = a.Prices.Drafts(ctx, sc, v.ID)
		} else {
			var f io.ReadCloser
			if f, err = o.openFile(c.File); err == nil {
				defer f.Close()
				drafts, err = a.Prices.Drafted(ctx, sc, v.ID, f)
			}
		}
		if err != nil {
			return err
		}
		sim, err := a.Bills.Simulate(ctx, sc, v.ID, at, drafts)
		if err != nil {
			return err
		}
		list, rows := []comparisonJSON{}, [][]string{}
		for _, b := range sim.Bills {
			j := comparison(b)
			list = append(list, j)
			rows = append(rows, []string{j.Partner, j.Currency, j.Entity, j.OldDue, j.NewDue, j.OldExact, j.NewExact})
		}
		return o.print(map[string]any{"cycle": c.Cycle, "bills": list}, func(w io.Writer) {
			table(w, []string{"PARTNER", "CURRENCY", "ENTITY", "DUE BEFORE", "DUE AFTER", "EXACT BEFORE", "EXACT AFTER"}, rows)
		})
	})
}

func comparison(b bill.Comparison) comparisonJSON {
	d := b.New
	if d == nil {
		d = b.Old
	}
	j := comparisonJSON{Partner: d.Partner.Code, Currency: d.Currency, Entity: d.Entity.Code, OldExact: "0", NewExact: "0", OldDue: "0", NewDue: "0"}
	if b.Old != nil {
		j.OldExact, j.OldDue = b.Old.ExactTotal.String(), b.Old.Due.String()
	}
	if b.New != nil {
		j.NewExact, j.NewDue = b.New.ExactTotal.String(), b.New.Due.String()
	}
	return j
}

type closeCmd struct {
	Vendor   string `required:"" help:"Vendor."`
	Cycle    string `required:"" help:"Cycle, YYYY-MM."`
	Issue    bool   `help:"Go on to the issued bills."`
	DryRun   bool   `help:"Look at everything, write nothing."`
	Explain  bool   `help:"Print every check, also those that passed."`
	Override string `placeholder:"REASON" help:"Let blockers pass that allow it; the reason stands on the bills."`
	Discard  bool   `help:"Discard the draft."`
	Redraft  bool   `help:"Discard the draft and draft again."`
}

type checkJSON struct {
	Code    string     `json:"code"`
	Verdict string     `json:"verdict"`
	Args    fault.Args `json:"args,omitempty"`
	Message string     `json:"message"`
	Cure    string     `json:"cure,omitempty"`
	Command string     `json:"command,omitempty"`
}

func (c *closeCmd) Run(o *out) error {
	return o.with(func(ctx context.Context, a *app.App, sc scope.Scope) error {
		at, err := parseCycle(c.Cycle)
		if err != nil {
			return err
		}
		v, err := vendorByCode(ctx, a, sc, c.Vendor)
		if err != nil {
			return err
		}
		res, err := a.Closes.Run(ctx, sc, monthclose.Input{VendorID: v.ID, Cycle: at, Issue: c.Issue, DryRun: c.DryRun,
			Override: c.Override, Discard: c.Discard || c.Redraft, Redraft: c.Redraft})
		if err != nil {
			return err
		}
		if len(res.Done) > 0 {
			if err := a.PublishHead(ctx); err != nil {
				return err
			}
		}
		return o.closed(ctx, c, res)
	})
}

func (o *out) closed(ctx context.Context, c *closeCmd, res monthclose.Result) error {
	checks := []checkJSON{}
	for _, x := range res.Checks {
		checks = append(checks, checkOf(ctx, x))
	}
	bills := []billSumJSON{}
	for i := range res.Documents {
		bills = append(bills, billSum(&res.Documents[i]))
	}
	doc := map[string]any{"vendor": res.Vendor, "cycle": string(res.Close.Cycle), "state": string(res.Close.State), "done": orEmpty(res.Done),
		"nothing": res.Nothing, "dry_run": c.DryRun, "checks": checks, "bills": bills}
	return o.print(doc, func(w io.Writer) {
		if res.Nothing && !c.DryRun {
			fmt.Fprintln(w, i18n.T(ctx, "cli.close.nothing", "State", string(res.Close.State)))
		}
		for _, d := range res.Done {
			fmt.Fprintln(w, i18n.T(ctx, "close.action."+d))
		}
		for _, x := range checks {
			if x.Verdict == "passed" && !c.Explain && !c.DryRun {
				continue
			}
			fmt.Fprintf(w, "%-7s %s\n", x.Verdict, x.Message)
			if x.Command != "" {
				fmt.Fprintf(w, "        %s\n", x.Command)
			}
		}
		rows := [][]string{}
		for _, b := range bills {
			rows = append(rows, []string{b.Partner, b.Currency, b.Entity, b.State, strconv.FormatInt(b.Lines, 10), b.Due, b.Code})
		}
		table(w, []string{"PARTNER", "CURRENCY", "ENTITY", "STATE", "LINES", "AMOUNT DUE", "CODE"}, rows)
	})
}

func checkOf(ctx context.Context, x monthclose.Check) checkJSON {
	f := x.Fault()
	return checkJSON{Code: f.Code, Verdict: string(x.Severity), Args: f.Args, Message: i18n.FaultText(ctx, f), Cure: cureText(ctx, x), Command: x.Command}
}

// cureText says what to do about a check.
func cureText(ctx context.Context, x monthclose.Check) string {
	if x.Cure == "" || !i18n.Has(x.Cure) {
		return i18n.FaultCure(ctx, x.Fault())
	}
	pairs := []any{"Command", x.Command}
	for k, v := range x.Args {
		pairs = append(pairs, k, v)
	}
	return i18n.T(ctx, x.Cure, pairs...)
}

type billSumJSON struct {
	Partner  string `json:"partner"`
	Currency string `json:"currency"`
	Entity   string `json:"entity"`
	State    string `json:"state"`
	Lines    int64  `json:"line_count"`
	Due      string `json:"amount_due"`
	Code     string `json:"code"`
}

func billSum(d *bill.Document) billSumJSON {
	return billSumJSON{d.Partner.Code, d.Currency, d.Entity.Code, string(d.State), d.LineCount, d.Due.String(), d.Code}
}

type billCmd struct {
	Partner  string `required:"" help:"Partner."`
	Cycle    string `required:"" help:"Cycle, YYYY-MM."`
	Currency string `help:"Only this currency."`
	Entity   string `help:"Only this contracting entity."`
	Vendor   string `help:"Only this vendor."`
	By       string `default:"" enum:",product,customer,line" help:"Split by product, customer or line."`
	Format   string `default:"json" enum:"json,csv,xlsx,pdf,canonical" help:"json, csv, xlsx, pdf or canonical."`
	Names    bool   `help:"Customer names in clear."`
}

func (c *billCmd) Run(o *out) error {
	return o.with(func(ctx context.Context, a *app.App, sc scope.Scope) error {
		at, err := parseCycle(c.Cycle)
		if err != nil {
			return err
		}
		partner, err := a.Organisations.ByCode(ctx, sc, c.Partner)
		if err != nil {
			return err
		}
		docs, err := a.BillsOf(ctx, sc, partner, at)
		if err != nil {
			return err
		}
		kept := docs[:0]
		for _, d := range docs {
			if (c.Currency == "" || c.Currency == d.Currency) && (c.Entity == "" || c.Entity == d.Entity.Code) && (c.Vendor == "" || c.Vendor == d.Vendor.Code) {
				kept = append(kept, d)
			}
		}
		w := bufio.NewWriter(o.w)
		opts := billdoc.Options{By: bill.By(c.By), Lines: func(ctx context.Context, doc *bill.Document, fn func(*bill.LineRow) error) error {
			return a.Bills.EachLine(ctx, sc, doc, bill.LineFilter{}, fn)
		}}
		if c.Format == "pdf" || c.Format == "xlsx" {
			opts.Words = func(key string) string { return i18n.T(ctx, key) }
		}
		if err := billdoc.Write(ctx, w, billdoc.Format(c.Format), kept, opts); err != nil {
			return err
		}
		return w.Flush()
	})
}

type adjustmentCmd struct {
	Propose adjustmentProposeCmd `cmd:"" help:"Enter an adjustment; another person decides it."`
	Approve adjustmentApproveCmd `cmd:"" help:"Approve (with --as somebody else)."`
	Reject  adjustmentRejectCmd  `cmd:"" help:"Reject (with --as somebody else)."`
	List    adjustmentListCmd    `cmd:"" help:"List adjustments."`
}

type adjustmentProposeCmd struct {
	Vendor   string `help:"Vendor (default: the only one)."`
	Partner  string `required:"" help:"Partner who is billed."`
	Customer string `help:"For which customer (default: the partner itself)."`
	Corrects string `required:"" placeholder:"YYYY-MM" help:"Cycle it corrects."`
	Currency string `required:"" help:"Currency."`
	Amount   string `required:"" help:"Amount, negative to give back."`
	Reason   string `required:"" help:"Why; stands on the bill."`
}

type adjustmentJSON struct {
	ID       string `json:"id"`
	Kind     string `json:"kind"`
	State    string `json:"state"`
	Cycle    string `json:"cycle"`
	Corrects string `json:"corrects_cycle"`
	Currency string `json:"currency"`
	Base     string `json:"base"`
	Reason   string `json:"reason"`
	By       string `json:"created_by"`
	Approved string `json:"approved_by"`
}

func adjustmentOf(x adjustment.Adjustment) adjustmentJSON {
	return adjustmentJSON{x.ID, string(x.Kind), string(x.State), string(x.Cycle), string(x.Corrects), x.Currency, x.Base.String(), x.Reason, x.CreatedBy, x.ApprovedBy}
}

func (o *out) adjusted(list ...adjustment.Adjustment) error {
	docs, rows := []adjustmentJSON{}, [][]string{}
	for _, x := range list {
		j := adjustmentOf(x)
		docs = append(docs, j)
		rows = append(rows, []string{j.ID, j.Kind, j.State, j.Cycle, j.Corrects, j.Currency, j.Base, j.By, j.Approved, j.Reason})
	}
	return o.print(map[string]any{"adjustments": docs}, func(w io.Writer) {
		table(w, []string{"ID", "KIND", "STATE", "CYCLE", "CORRECTS", "CURRENCY", "BASE", "BY", "APPROVED BY", "REASON"}, rows)
	})
}

func (c *adjustmentProposeCmd) Run(o *out) error {
	return o.with(func(ctx context.Context, a *app.App, sc scope.Scope) error {
		v, err := vendorByCode(ctx, a, scope.System("operator"), c.Vendor)
		if err != nil {
			return err
		}
		corrects, err := parseCycle(c.Corrects)
		if err != nil {
			return err
		}
		in := adjustment.Proposal{VendorID: v.ID, Currency: c.Currency, Amount: c.Amount, Reason: c.Reason, Corrects: corrects}
		partner, err := a.Organisations.ByCode(ctx, scope.System("operator"), c.Partner)
		if err != nil {
			return err
		}
		in.PartnerID = partner.ID
		if c.Customer != "" {
			customer, err := a.Organisations.ByCode(ctx, scope.System("operator"), c.Customer)
			if err != nil {
				return err
			}
			in.CustomerID = customer.ID
		}
		x, err := a.Adjustments.Propose(ctx, sc, in)
		if err != nil {
			return err
		}
		return o.adjusted(x)
	})
}

type adjustmentApproveCmd struct {
	ID string `arg:"" help:"Adjustment."`
}

func (c *adjustmentApproveCmd) Run(o *out) error {
	return o.with(func(ctx context.Context, a *app.App, sc scope.Scope) error {
		x, err := a.Adjustments.Approve(ctx, sc, c.ID)
		if err != nil {
			return err
		}
		return o.adjusted(x)
	})
}

type adjustmentRejectCmd struct {
	ID     string `arg:"" help:"Adjustment."`
	Reason string `required:"" help:"Why."`
}

func (c *adjustmentRejectCmd) Run(o *out) error {
	return o.with(func(ctx context.Context, a *app.App, sc scope.Scope) error {
		x, err := a.Adjustments.Reject(ctx, sc, c.ID, c.Reason)
		if err != nil {
			return err
		}
		return o.adjusted(x)
	})
}

type adjustmentListCmd struct {
	Vendor string `help:"Vendor (default: the only one)."`
	Cycle  string `help:"Cycle on whose bills they stand."`
}

func (c *adjustmentListCmd) Run(o *out) error {
	return o.with(func(ctx context.Context, a *app.App, sc scope.Scope) error {
		v, err := vendorByCode(ctx, a, scope.System("operator"), c.Vendor)
		if err != nil {
			return err
		}
		at, err := optionalCycle(c.Cycle)
		if err != nil {
			return err
		}
		list, err := a.Adjustments.List(ctx, sc, adjustment.Filter{VendorID: v.ID, Cycle: at})
		if err != nil {
			return err
		}
		return o.adjusted(list...)
	})
}
