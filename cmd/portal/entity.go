package main

import (
	"context"
	"io"

	"huoban/internal/app"
	"huoban/internal/organisation"
	"huoban/internal/scope"
)

type entityCmd struct {
	Add     entityAddCmd     `cmd:"" help:"Add a contracting entity of a vendor."`
	Default entityDefaultCmd `cmd:"" help:"Make an entity the vendor's default."`
	Assign  entityAssignCmd  `cmd:"" help:"Say which entity contracts with a partner."`
	List    entityListCmd    `cmd:"" help:"List a vendor's entities."`
}

type entityAddCmd struct {
	Vendor   string `required:"" help:"Vendor."`
	Code     string `required:"" help:"Code."`
	Name     string `required:"" help:"Name."`
	TaxInDue bool   `help:"Count tax into the amount due of its bills."`
}

func (c *entityAddCmd) Run(o *out) error {
	return o.with(func(ctx context.Context, a *app.App, sc scope.Scope) error {
		v, err := vendorByCode(ctx, a, sc, c.Vendor)
		if err != nil {
			return err
		}
		e, err := a.Organisations.AddEntity(ctx, sc, organisation.EntityInput{VendorID: v.ID, Code: c.Code, Name: c.Name, TaxInDue: c.TaxInDue})
		if err != nil {
			return err
		}
		return o.entities(e)
	})
}

type entityDefaultCmd struct {
	Vendor string `required:"" help:"Vendor."`
	Code   string `required:"" help:"Entity."`
}

func (c *entityDefaultCmd) Run(o *out) error {
	return o.with(func(ctx context.Context, a *app.App, sc scope.Scope) error {
		v, err := vendorByCode(ctx, a, sc, c.Vendor)
		if err != nil {
			return err
		}
		if err := a.Organisations.SetDefaultEntity(ctx, sc, v.ID, c.Code); err != nil {
			return err
		}
		return o.entitiesOf(ctx, a, v.ID)
	})
}

type entityAssignCmd struct {
	Vendor  string `required:"" help:"Vendor."`
	Partner string `required:"" help:"Partner."`
	Code    string `help:"Entity; empty is the vendor's default."`
}

func (c *entityAssignCmd) Run(o *out) error {
	return o.with(func(ctx context.Context, a *app.App, sc scope.Scope) error {
		v, err := vendorByCode(ctx, a, sc, c.Vendor)
		if err != nil {
			return err
		}
		p, err := a.Organisations.ByCode(ctx, sc, c.Partner)
		if err != nil {
			return err
		}
		if err := a.Organisations.AssignEntity(ctx, sc, v.ID, p.ID, c.Code); err != nil {
			return err
		}
		return o.entitiesOf(ctx, a, v.ID)
	})
}

type entityListCmd struct {
	Vendor string `help:"Vendor (default: the only one)."`
}

func (c *entityListCmd) Run(o *out) error {
	return o.with(func(ctx context.Context, a *app.App, sc scope.Scope) error {
		v, err := vendorByCode(ctx, a, sc, c.Vendor)
		if err != nil {
			return err
		}
		return o.entitiesOf(ctx, a, v.ID)
	})
}

func (o *out) entitiesOf(ctx context.Context, a *app.App, vendorID string) error {
	list, err := a.Organisations.Entities(ctx, vendorID)
	if err != nil {
		return err
	}
	return o.entities(list...)
}

type entityJSON struct {
	Code     string `json:"code"`
	Name     string `json:"name"`
	Default  bool   `json:"default"`
	TaxInDue bool   `json:"tax_in_due"`
}

func (o *out) entities(list ...organisation.Entity) error {
	docs, rows := []entityJSON{}, [][]string{}
	for _, e := range list {
		docs = append(docs, entityJSON{e.Code, e.Name, e.IsDefault, e.TaxInDue})
		mark := ""
		if e.IsDefault {
			mark = "default"
		}
		rows = append(rows, []string{e.Code, e.Name, mark})
	}
	return o.print(map[string]any{"entities": docs}, func(w io.Writer) { table(w, []string{"CODE", "NAME", ""}, rows) })
}
