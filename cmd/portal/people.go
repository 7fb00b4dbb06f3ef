package main

import (
	"context"
	"fmt"
	"io"
	"os"
	"strings"
	"time"

	"huoban/internal/account"
	"huoban/internal/app"
	"huoban/internal/cycle"
	"huoban/internal/fault"
	"huoban/internal/organisation"
	"huoban/internal/scope"
)

type orgCmd struct {
	Add     orgAddCmd     `cmd:"" help:"Add an organisation."`
	List    orgListCmd    `cmd:"" help:"List organisations."`
	Suspend orgSuspendCmd `cmd:"" help:"Let a partner's customers come in no more."`
	Resume  orgResumeCmd  `cmd:"" help:"Take a suspension back."`
}

type orgAddCmd struct {
	Code   string `required:"" help:"Code, used in commands and links."`
	Kind   string `required:"" enum:"vendor,distributor,solution,reseller,seller,customer" help:"vendor, distributor, solution, reseller, seller or customer."`
	Name   string `required:"" help:"Name."`
	Parent string `help:"Vendor of a partner, distributor of a reseller."`
}

type orgJSON struct {
	Code   string `json:"code"`
	Kind   string `json:"kind"`
	Name   string `json:"name"`
	Parent string `json:"parent,omitempty"`
	Added  *bool  `json:"added,omitempty"`

	Suspended string `json:"suspended_since,omitempty"`
}

func (c *orgAddCmd) Run(o *out) error {
	return o.with(func(ctx context.Context, a *app.App, sc scope.Scope) error {
		res, err := a.Organisations.Add(ctx, sc, organisation.AddInput{Code: c.Code, Kind: organisation.Kind(c.Kind), Name: c.Name, ParentCode: c.Parent})
		if err != nil {
			return err
		}
		org := res.Organisation
		return o.print(orgJSON{Code: org.Code, Kind: string(org.Kind), Name: org.Name, Parent: c.Parent, Added: &res.Added}, func(w io.Writer) {
			table(w, []string{"CODE", "KIND", "NAME"}, [][]string{{org.Code, string(org.Kind), org.Name}})
		})
	})
}

type orgListCmd struct{}

func (c *orgListCmd) Run(o *out) error {
	return o.with(func(ctx context.Context, a *app.App, sc scope.Scope) error {
		all, err := a.Organisations.List(ctx, sc)
		if err != nil {
			return err
		}
		codes := map[string]string{}
		for _, x := range all {
			codes[x.ID] = x.Code
		}
		suspended, err := a.Organisations.Suspensions(ctx)
		if err != nil {
			return err
		}
		list, rows := []orgJSON{}, [][]string{}
		for _, x := range all {
			d := orgJSON{Code: x.Code, Kind: string(x.Kind), Name: x.Name, Parent: codes[x.ParentID]}
			if s, is := suspended[x.ID]; is {
				d.Suspended = s.Since.In(cycle.Zone).Format(time.RFC3339)
			}
			list = append(list, d)
			rows = append(rows, []string{d.Code, d.Kind, d.Name, d.Parent, d.Suspended})
		}
		return o.print(map[string]any{"organisations": list}, func(w io.Writer) { table(w, []string{"CODE", "KIND", "NAME", "PARENT", "SUSPENDED"}, rows) })
	})
}

type orgSuspendCmd struct {
	Code   string `arg:"" help:"Partner."`
	Reason string `required:"" help:"Why; kept and audited."`
}

func (c *orgSuspendCmd) Run(o *out) error {
	return o.suspension(c.Code, "suspended", func(ctx context.Context, a *app.App, sc scope.Scope) (organisation.Organisation, error) {
		return a.Organisations.Suspend(ctx, sc, c.Code, c.Reason)
	})
}

type orgResumeCmd struct {
	Code   string `arg:"" help:"Partner."`
	Reason string `required:"" help:"Why; audited."`
}

func (c *orgResumeCmd) Run(o *out) error {
	return o.suspension(c.Code, "active", func(ctx context.Context, a *app.App, sc scope.Scope) (organisation.Organisation, error) {
		return a.Organisations.Resume(ctx, sc, c.Code, c.Reason)
	})
}

func (o *out) suspension(code, state string, set func(context.Context, *app.App, scope.Scope) (organisation.Organisation, error)) error {
	return o.with(func(ctx context.Context, a *app.App, sc scope.Scope) error {
		if _, err := set(ctx, a, sc); err != nil {
			return err
		}
		return o.print(map[string]any{"code": code, "state": state}, func(w io.Writer) { fmt.Fprintln(w, code, state) })
	})
}

type userCmd struct {
	Add  userAddCmd  `cmd:"" help:"Add a person."`
	List userListCmd `cmd:"" help:"List persons."`
}

type userAddCmd struct {
	Org          string   `required:"" help:"Organisation."`
	Login        string   `required:"" help:"Login name; cannot be changed later."`
	Role         []string `required:"" help:"Roles, at most three."`
	PasswordFile string   `required:"" placeholder:"F" help:"File with the initial password; - is standard input."`
	Name         string   `help:"Name (default: the login)."`
	KeepPassword bool     `help:"Do not ask for a new password at the first sign-in."`

	Email         string `help:"E-mail address."`
	EmailVerified bool   `help:"You vouch that the address is the person's own."`
	Phone         string `help:"Telephone."`
}

func (c *userAddCmd) Run(o *out) error {
	f, err := o.openFile(c.PasswordFile)
	if err != nil {
		return err
	}
	defer f.Close()
	body, err := io.ReadAll(io.LimitReader(f, 4096))
	if err != nil {
		return fault.Invalid("file.unreadable", fault.Args{"path": c.PasswordFile}).Because(err)
	}
	return o.with(func(ctx context.Context, a *app.App, sc scope.Scope) error {
		res, err := a.Accounts.AddPerson(ctx, sc, account.AddPersonInput{OrgCode: c.Org, Login: c.Login, Name: c.Name, Roles: c.Role,
			Password: strings.TrimRight(string(body), "\r\n"), KeepPassword: c.KeepPassword,
			Email: c.Email, Phone: c.Phone})
		if err == nil && c.EmailVerified {
			err = a.Accounts.VouchEmail(ctx, sc, res.Person.Login)
		}
		if err != nil {
			return err
		}
		doc := map[string]any{"login": res.Person.Login, "organisation": c.Org, "roles": c.Role, "added": res.Added}
		return o.print(doc, func(w io.Writer) {
			table(w, []string{"LOGIN", "ORGANISATION", "ROLES"}, [][]string{{res.Person.Login, c.Org, strings.Join(c.Role, ",")}})
		})
	})
}

type userListCmd struct{}

type userJSON struct {
	Login        string   `json:"login"`
	Name         string   `json:"name"`
	Organisation string   `json:"organisation"`
	Roles        []string `json:"roles"`
	State        string   `json:"state"`
	TOTP         bool     `json:"totp"`
}

func (c *userListCmd) Run(o *out) error {
	return o.with(func(ctx context.Context, a *app.App, sc scope.Scope) error {
		staff, err := a.Accounts.Staff(ctx, sc)
		if err != nil {
			return err
		}
		list, rows := []userJSON{}, [][]string{}
		for _, p := range staff {
			list = append(list, userJSON{p.Login, p.Name, p.OrgCode, p.Roles, string(p.State), p.HasTOTP})
			rows = append(rows, []string{p.Login, p.Name, p.OrgCode, strings.Join(p.Roles, ","), string(p.State)})
		}
		return o.print(map[string]any{"users": list}, func(w io.Writer) { table(w, []string{"LOGIN", "NAME", "ORGANISATION", "ROLES", "STATE"}, rows) })
	})
}

type roleCmd struct {
	List roleListCmd `cmd:"" help:"List the roles of an organisation, or the presets of every side."`
}

type roleListCmd struct {
	Org string `help:"Organisation (default: presets only)."`
}

type roleJSON struct {
	Code   string   `json:"code"`
	Name   string   `json:"name,omitempty"`
	Side   string   `json:"side"`
	Preset bool     `json:"preset"`
	Items  []string `json:"items"`
}

func (c *roleListCmd) Run(o *out) error {
	return o.with(func(ctx context.Context, a *app.App, sc scope.Scope) error {
		var roles []account.Role
		if c.Org == "" {
			for _, side := range []scope.Side{scope.SideVendor, scope.SidePartner, scope.SideCustomer} {
				roles = append(roles, account.Presets(side)...)
			}
		} else {
			org, err := a.Organisations.ByCode(ctx, sc, c.Org)
			if err != nil {
				return err
			}
			if roles, err = a.Accounts.Roles(ctx, org); err != nil {
				return err
			}
		}
		list, rows := []roleJSON{}, [][]string{}
		for _, r := range roles {
			j := roleJSON{Code: r.Code, Name: r.Name, Side: string(r.Side), Preset: r.Preset, Items: []string{}}
			for _, i := range r.Items {
				j.Items = append(j.Items, string(i))
			}
			list = append(list, j)
			rows = append(rows, []string{r.Code, string(r.Side), r.Name, strings.Join(j.Items, " ")})
		}
		return o.print(map[string]any{"roles": list}, func(w io.Writer) { table(w, []string{"CODE", "SIDE", "NAME", "ITEMS"}, rows) })
	})
}

// terminal tells whether somebody sits there.
func terminal(f *os.File) bool {
	st, err := f.Stat()
	return err == nil && st.Mode()&os.ModeCharDevice != 0
}
