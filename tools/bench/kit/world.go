package kit

import (
	"bytes"
	"context"
	"encoding/csv"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"

	"huoban/internal/app"
	"huoban/internal/attribution"
	"huoban/internal/cycle"
	"huoban/internal/delivery"
	"huoban/internal/organisation"
	"huoban/internal/price"
	"huoban/internal/scope"
	"huoban/internal/source"
	"huoban/internal/store"
)

// The world that is measured: one vendor whose sub-accounts are customers of twenty partners, all lines
// in one month unless more are asked for, a price rule for every partner.
const (
	WorldVendor   = "ACME"
	WorldSource   = "focus"
	WorldPartners = 20
	WorldSeed     = "1"
)

// Focus makes a FOCUS CSV of that many lines over that many months, once.
func (e *Env) Focus(ctx context.Context, lines, months int) (string, error) {
	file := filepath.Join(e.Work, fmt.Sprintf("focus-%d-%d.csv", lines, months))
	if _, err := os.Stat(file); err == nil {
		return file, nil
	}
	cmd := exec.CommandContext(ctx, "go", "run", "./tools/focusmake", "--rows", fmt.Sprint(lines), "--seed", WorldSeed, "--months", fmt.Sprint(months), "--out", file)
	cmd.Dir = e.Root
	if out, err := cmd.CombinedOutput(); err != nil {
		return "", fmt.Errorf("focusmake: %w: %s", err, out)
	}
	return file, nil
}

// World makes a data folder with that many lines in that many months, attributed and open, once; the
// caller copies it before changing it.
func (e *Env) World(ctx context.Context, lines, months int) (string, error) {
	dir := filepath.Join(e.Work, fmt.Sprintf("world-%d-%d", lines, months))
	if _, err := os.Stat(dir); err == nil {
		return dir, nil
	}
	file, err := e.Focus(ctx, lines, months)
	if err != nil {
		return "", err
	}
	fmt.Fprintf(os.Stderr, "  making a world of %d lines\n", lines)
	making := dir + ".making"
	if err := os.RemoveAll(making); err != nil {
		return "", err
	}
	if err := Fill(ctx, app.Settings{Data: making}, file); err != nil {
		return "", err
	}
	return dir, os.Rename(making, dir)
}

// Fill makes the world of a file in an empty database.
func Fill(ctx context.Context, s app.Settings, file string) error {
	a, err := app.Open(ctx, s, app.Options{})
	if err != nil {
		return err
	}
	defer a.Close()
	if err := Declare(ctx, a, file); err != nil {
		return err
	}
	return Import(ctx, a, file)
}

// Declare makes everything of the world but its lines.
func Declare(ctx context.Context, a *app.App, file string) error {
	sc := scope.System("operator")
	if _, err := a.Organisations.Add(ctx, sc, organisation.AddInput{Code: WorldVendor, Kind: organisation.KindVendor, Name: WorldVendor}); err != nil {
		return err
	}
	if _, err := a.Sources.Add(ctx, sc, source.AddInput{Vendor: WorldVendor, Name: WorldSource, Dialect: "focus"}); err != nil {
		return err
	}
	keys, err := subAccounts(file)
	if err != nil {
		return err
	}
	var rules bytes.Buffer
	w := csv.NewWriter(&rules)
	_ = w.Write(attribution.Header)
	for i, k := range keys {
		_ = w.Write([]string{WorldSource, k, fmt.Sprintf("C%05d", i), fmt.Sprintf("P%02d", i%WorldPartners), "resale", "", ""})
	}
	w.Flush()
	if _, err := a.Attribution.Import(ctx, sc, attribution.ImportInput{File: &rules}); err != nil {
		return err
	}
	return worldPrices(ctx, a, sc)
}

// Import delivers the file as final.
func Import(ctx context.Context, a *app.App, file string) error {
	_, err := a.Deliveries.Import(ctx, scope.System("operator"), delivery.Input{Source: WorldSource, Paths: []string{file}, Final: delivery.FinalMark{All: true}})
	return err
}

func worldPrices(ctx context.Context, a *app.App, sc scope.Scope) error {
	vendor, err := a.Organisations.ByCode(ctx, sc, WorldVendor)
	if err != nil {
		return err
	}
	text := "partner,customer,provider,product,charging_mode,region,type,base,factor,valid_from,valid_to\n"
	for i := range WorldPartners {
		text += fmt.Sprintf("P%02d,,,,,,normal,billed,0.%d,2020-01-01,\n", i, 80+i%15)
	}
	_, err = a.Prices.Import(ctx, sc, price.ImportInput{VendorID: vendor.ID, File: strings.NewReader(text)})
	return err
}

// subAccounts lists the sub-accounts of a FOCUS CSV in order.
func subAccounts(file string) ([]string, error) {
	f, err := os.Open(file)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	r := csv.NewReader(f)
	r.ReuseRecord = true
	head, err := r.Read()
	if err != nil {
		return nil, err
	}
	at := slices.Index(head, "SubAccountId")
	seen := map[string]bool{}
	for {
		rec, err := r.Read()
		if err == io.EOF {
			break
		}
		if err != nil {
			return nil, err
		}
		if v := rec[at]; v != "" && v != "NULL" && !seen[v] {
			seen[strings.Clone(v)] = true
		}
	}
	var out []string
	for k := range seen {
		out = append(out, k)
	}
	slices.Sort(out)
	return out, nil
}

// Copy copies a data folder. Only a closed database is copied.
func Copy(ctx context.Context, from, to string) error {
	if err := os.RemoveAll(to); err != nil {
		return err
	}
	out, err := exec.CommandContext(ctx, "cp", "-r", "--reflink=auto", from, to).CombinedOutput()
	if err != nil {
		return fmt.Errorf("cp: %w: %s", err, out)
	}
	return nil
}

// LargestMonth is the vendor's cycle with the most lines, and the vendor's id.
func LargestMonth(ctx context.Context, a *app.App) (vendorID string, c cycle.Cycle, lines int64, err error) {
	q := store.Query{Name: "bench.LargestMonth", Text: "select vendor_id, cycle, sum(line_count) from slot where state = 'active' group by vendor_id, cycle order by 3 desc limit 1"}
	err = a.DB.Row(ctx, q, "bench.no_lines", nil, &vendorID, &c, &lines)
	return vendorID, c, lines, err
}
