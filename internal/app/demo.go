package app

import (
	"context"
	"encoding/json"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"slices"

	"huoban/data"
	"huoban/internal/account"
	"huoban/internal/attribution"
	"huoban/internal/audit"
	"huoban/internal/customer"
	"huoban/internal/cycle"
	"huoban/internal/delivery"
	"huoban/internal/monthclose"
	"huoban/internal/organisation"
	"huoban/internal/scope"
	"huoban/internal/source"
)

// DemoAccount is somebody who can sign in to the demo.
type DemoAccount struct {
	Username     string `json:"username"`
	Password     string `json:"password"`
	Organisation string `json:"organisation"`
	Role         string `json:"role"`
	Kind         string `json:"kind"` // of the organisation
}

// demoVendor is one of the two sample vendors: its source, its file, and who buys from it.
type demoVendor struct {
	code, name, source, dialect, sample, key string
	partner, partnerName                     string
	cycles                                   []cycle.Cycle // issued
}

var demoVendors = []demoVendor{
	{code: "LANHAI", name: "蓝海云科技", source: "lanhai-focus", dialect: "focus", sample: "samples/focus-1.0/focus_sample.csv",
		partner: "YUNXIU", partnerName: "云岫数科", cycles: []cycle.Cycle{"2024-09"}},
	{code: "QINGYUN", name: "青屿云服务", source: "qingyun-gcp", dialect: "gcp", sample: "samples/gcp-synth/sample_billing_data.csv", key: "project_id",
		partner: "XINGZHU", partnerName: "星渚信息", cycles: []cycle.Cycle{"2026-04", "2026-05"}},
}

// demoPassword is the same for everybody: the demo holds nobody's data.
const demoPassword = "Huoban-demo-2026"

var demoRoles = map[organisation.Kind][]string{
	organisation.KindVendor:   {account.RoleAdmin, account.RoleOperations, account.RoleFinance, account.RoleInvoiceClerk, account.RoleChannel, account.RoleAuditor},
	organisation.KindSolution: {account.RoleAdmin, account.RoleFinance, account.RoleManager, account.RoleSupervisor},
}

// Demo makes the two sample vendors in an empty database and writes demo-accounts.json; on a database
// that holds anything it gives the accounts of an earlier demo, or nothing. DemoWorld makes more.
func (a *App) Demo(ctx context.Context) ([]DemoAccount, error) {
	empty, err := a.Setup.Needed(ctx)
	if err != nil {
		return nil, err
	}
	if !empty {
		return a.readDemoAccounts()
	}
	list, err := a.demoSamples(audit.WithRequest(ctx, audit.Request{SystemUser: "demo"}))
	if err != nil {
		return nil, err
	}
	return list, a.writeDemoAccounts(list)
}

// demoSamples makes the two sample vendors and their people.
func (a *App) demoSamples(ctx context.Context) ([]DemoAccount, error) {
	sc := scope.System("operator")
	for _, v := range demoVendors {
		if err := a.demoVendor(ctx, sc, v); err != nil {
			return nil, err
		}
	}
	var list []DemoAccount
	for _, v := range demoVendors {
		for _, org := range []struct {
			code string
			kind organisation.Kind
		}{{v.code, organisation.KindVendor}, {v.partner, organisation.KindSolution}} {
			more, err := a.demoPeople(ctx, sc, org.code, org.kind)
			if err != nil {
				return nil, err
			}
			list = append(list, more...)
		}
	}
	return list, nil
}

func (a *App) demoVendor(ctx context.Context, sc scope.Scope, v demoVendor) error {
	if _, err := a.Organisations.Add(ctx, sc, organisation.AddInput{Code: v.code, Kind: organisation.KindVendor, Name: v.name}); err != nil {
		return err
	}
	if _, err := a.Organisations.Add(ctx, sc, organisation.AddInput{Code: v.partner, Kind: organisation.KindSolution, Name: v.partnerName, ParentCode: v.code}); err != nil {
		return err
	}
	feed, err := a.Sources.Add(ctx, sc, source.AddInput{Vendor: v.code, Name: v.source, Dialect: v.dialect, KeyColumn: v.key})
	if err != nil {
		return err
	}
	file, err := unpackSample(v.sample)
	if err != nil {
		return err
	}
	defer os.RemoveAll(filepath.Dir(file))
	if _, err := a.Deliveries.Import(ctx, sc, delivery.Input{Source: v.source, Paths: []string{file}, Final: delivery.FinalMark{All: true}}); err != nil {
		return err
	}
	in := attribution.AutoInput{Source: v.source, Partner: v.partner, Association: customer.KindResale, Key: v.key}
	if _, err := a.Attribution.Auto(ctx, sc, in); err != nil {
		return err
	}
	vendor, err := a.Organisations.ByCode(ctx, sc, v.code)
	if err != nil {
		return err
	}
	for _, c := range v.cycles {
		if !c.Over(a.Clock.Now(), feed.Source.Location()) {
			continue // a clock set before the samples' months leaves them open
		}
		if _, err := a.Closes.Run(ctx, sc, monthclose.Input{VendorID: vendor.ID, Cycle: c, Issue: true}); err != nil {
			return err
		}
	}
	return nil
}

// unpackSample writes an embedded sample to a temporary folder, under its own name.
func unpackSample(name string) (string, error) {
	body, err := data.Sample(name)
	if err != nil {
		return "", err
	}
	dir, err := os.MkdirTemp("", "portal-demo-*")
	if err != nil {
		return "", err
	}
	file := filepath.Join(dir, filepath.Base(name))
	return file, os.WriteFile(file, body, 0o600)
}

func (a *App) demoPeople(ctx context.Context, sc scope.Scope, org string, kind organisation.Kind) ([]DemoAccount, error) {
	var list []DemoAccount
	for _, role := range demoRoles[kind] {
		login := lower(org) + "-" + role
		_, err := a.Accounts.AddPerson(ctx, sc, account.AddPersonInput{OrgCode: org, Login: login, Roles: []string{role}, Password: demoPassword, KeepPassword: true})
		if err != nil {
			return nil, err
		}
		list = append(list, DemoAccount{login, demoPassword, org, role, string(kind)})
	}
	return list, nil
}

func lower(s string) string {
	b := []byte(s)
	for i, c := range b {
		if c >= 'A' && c <= 'Z' {
			b[i] = c + 'a' - 'A'
		}
	}
	return string(b)
}

func (a *App) writeDemoAccounts(list []DemoAccount) error {
	body, err := json.MarshalIndent(list, "", "  ")
	if err != nil {
		return err
	}
	return os.WriteFile(a.DataFile("demo-accounts.json"), append(body, '\n'), 0o600)
}

func (a *App) readDemoAccounts() ([]DemoAccount, error) {
	body, err := os.ReadFile(a.DataFile("demo-accounts.json"))
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	var list []DemoAccount
	if err := json.Unmarshal(body, &list); err != nil {
		return nil, err
	}
	return slices.Clip(list), nil
}
