package main

import (
	"context"
	"fmt"
	"io"
	"slices"
	"strings"
	"time"

	"huoban/internal/app"
	"huoban/internal/cycle"
	"huoban/internal/scope"
	"huoban/internal/sso"
	"huoban/internal/sso/registry"
)

type ssoSPCmd struct {
	Add     spAddCmd     `cmd:"" help:"Register a console, or give one that is registered newer metadata or other settings."`
	List    spListCmd    `cmd:"" help:"List consoles."`
	Disable spDisableCmd `cmd:"" help:"Let no customer go to a console."`
}

type spAddCmd struct {
	Metadata      string            `required:"" placeholder:"FILE|URL" help:"Metadata of the console."`
	Partner       string            `help:"Only for customers of this partner (default: every partner's)."`
	Name          string            `help:"Name (default: the entity id)."`
	NameID        string            `name:"name-id" default:"" enum:",persistent,transient,email" help:"How customers are named: persistent (default), transient or email."`
	Attr          map[string]string `placeholder:"NAME=FIELD" help:"Attribute the console is given."`
	Encrypt       string            `default:"" enum:",off,optional,required" help:"off, optional (default) or required."`
	RequireSigned bool              `help:"Take signed requests only."`
	DryRun        bool              `help:"Check only."`
}

type spJSON struct {
	Entity        string    `json:"entity"`
	Name          string    `json:"name"`
	Partner       string    `json:"partner,omitempty"`
	ACS           int       `json:"acs"`
	SLO           bool      `json:"slo"`
	Encrypt       string    `json:"encrypt"`
	NameID        string    `json:"name_id"`
	RequireSigned bool      `json:"require_signed"`
	State         string    `json:"state"`
	ValidUntil    string    `json:"valid_until,omitempty"`
	LastAssertion string    `json:"last_assertion,omitempty"`
	IdPEntity     string    `json:"idp_entity,omitempty"`
	IdPKey        string    `json:"idp_key,omitempty"`
	Warnings      []refusal `json:"warnings,omitempty"`
}

var nameIDs = map[string]sso.NameIDFormat{"persistent": sso.NameIDPersistent, "transient": sso.NameIDTransient, "email": sso.NameIDEmail}

func spDoc(c registry.Console, codes map[string]string) spJSON {
	d := spJSON{Entity: c.EntityID, Name: c.Name, Partner: codes[c.PartnerID], ACS: len(c.ACS), SLO: c.SLO != "", Encrypt: string(c.Encrypt), RequireSigned: c.RequireSigned, State: string(c.State)}
	for name, f := range nameIDs {
		if f == c.NameIDFormat {
			d.NameID = name
		}
	}
	if !c.ValidUntil.IsZero() {
		d.ValidUntil = c.ValidUntil.In(cycle.Zone).Format(time.RFC3339)
	}
	if !c.LastAssertionAt.IsZero() {
		d.LastAssertion = c.LastAssertionAt.In(cycle.Zone).Format(time.RFC3339)
	}
	return d
}

func (c *spAddCmd) Run(o *out) error {
	body, address, err := o.document(c.Metadata)
	if err != nil {
		return err
	}
	var attributes []sso.Release
	for name, field := range c.Attr {
		attributes = append(attributes, sso.Release{Name: name, Field: field})
	}
	slices.SortFunc(attributes, func(a, b sso.Release) int { return strings.Compare(a.Name, b.Name) })
	return o.with(func(ctx context.Context, a *app.App, sc scope.Scope) error {
		partnerID := ""
		if c.Partner != "" {
			p, err := partnerByCode(ctx, a, sc, c.Partner)
			if err != nil {
				return err
			}
			partnerID = p.ID
		}
		sp, warn, err := a.Platforms.AddConsole(ctx, sc, registry.ConsoleInput{Metadata: body, URL: address, PartnerID: partnerID, Name: c.Name, NameIDFormat: nameIDs[c.NameID],
			Attributes: attributes, Encrypt: sso.Encrypt(c.Encrypt), RequireSigned: c.RequireSigned, DryRun: c.DryRun})
		if err != nil {
			return err
		}
		doc := spDoc(sp, map[string]string{partnerID: c.Partner})
		doc.Warnings = o.refusals(warn)
		if !c.DryRun {
			h, err := a.Platforms.Host(ctx, sc, partnerID)
			if err != nil {
				return err
			}
			doc.IdPEntity, doc.IdPKey = h.EntityID, h.Key
		}
		return o.print(doc, func(w io.Writer) {
			fmt.Fprintf(w, "entity=%s acs=%d slo=%s encrypt=%s name_id=%s state=%s\n", doc.Entity, doc.ACS, map[bool]string{true: "yes", false: "no"}[doc.SLO], doc.Encrypt, doc.NameID, doc.State)
			if doc.IdPEntity != "" {
				fmt.Fprintf(w, "idp_entity %s\n", doc.IdPEntity)
			}
			printWarnings(w, doc.Warnings)
		})
	})
}

type spListCmd struct{}

func (c *spListCmd) Run(o *out) error {
	return o.with(func(ctx context.Context, a *app.App, sc scope.Scope) error {
		list, err := a.Platforms.Consoles(ctx, sc)
		if err != nil {
			return err
		}
		codes, err := partnerCodes(ctx, a, sc)
		if err != nil {
			return err
		}
		docs, rows := []spJSON{}, [][]string{}
		for _, x := range list {
			d := spDoc(x, codes)
			docs = append(docs, d)
			rows = append(rows, []string{d.Entity, d.Partner, d.State, fmt.Sprint(d.ACS), d.ValidUntil, ago(x.LastAssertionAt, a.Clock.Now())})
		}
		return o.print(map[string]any{"sps": docs}, func(w io.Writer) {
			table(w, []string{"ENTITY", "PARTNER", "STATE", "ACS", "VALID UNTIL", "LAST ASSERTION"}, rows)
		})
	})
}

type spDisableCmd struct {
	Entity string `arg:"" name:"entityid" help:"Entity id of the console."`
}

func (c *spDisableCmd) Run(o *out) error {
	return o.with(func(ctx context.Context, a *app.App, sc scope.Scope) error {
		x, err := a.Platforms.DisableConsole(ctx, sc, c.Entity)
		if err != nil {
			return err
		}
		return o.print(map[string]any{"entity": x.EntityID, "state": string(x.State)}, func(w io.Writer) { fmt.Fprintln(w, x.EntityID, x.State) })
	})
}
