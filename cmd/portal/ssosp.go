package main

import (
	"context"
	"fmt"
	"io"
	"strings"
	"time"

	"huoban/internal/app"
	"huoban/internal/cycle"
	"huoban/internal/fault"
	"huoban/internal/organisation"
	"huoban/internal/scope"
	"huoban/internal/sorted"
	"huoban/internal/sso"
	"huoban/internal/sso/registry"
)

type ssoSPCmd struct {
	Add     spAddCmd     `cmd:"" help:"Register a console, or give one that is registered newer metadata or other settings."`
	List    spListCmd    `cmd:"" help:"List consoles."`
	Refresh spRefreshCmd `cmd:"" help:"Fetch a console's metadata now, or put in force what waits."`
	Disable spDisableCmd `cmd:"" help:"Let no customer go to a console."`
	Enable  spEnableCmd  `cmd:"" help:"Let customers go to a console again."`
}

type spAddCmd struct {
	Metadata      string            `required:"" placeholder:"FILE|URL" help:"Metadata of the console."`
	Partner       string            `help:"Only for customers of this partner (default: every partner's)."`
	Vendor        string            `help:"The vendor whose staff look after it (default: the only one the partner deals with, else the operator)."`
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
	Vendor        string    `json:"vendor,omitempty"`
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
	CertEnds      string    `json:"cert_ends,omitempty"`
	CertLeft      *int      `json:"cert_days_left,omitempty"`
	Waiting       *spWaits  `json:"waiting,omitempty"`
	Failing       *spFails  `json:"failing,omitempty"`
	Warnings      []refusal `json:"warnings,omitempty"`
}

// spWaits is metadata that was fetched and not taken; sp refresh --confirm takes it.
type spWaits struct {
	MetadataID string   `json:"metadata_id"`
	Code       string   `json:"code"`
	FetchedAt  string   `json:"fetched_at"`
	Added      []string `json:"added,omitempty"`
	Removed    []string `json:"removed,omitempty"`
	Address    string   `json:"address,omitempty"`
}

// spFails is metadata that could not be got or read.
type spFails struct {
	Code  string `json:"code"`
	Since string `json:"since"`
	Next  string `json:"next"`
}

var nameIDs = map[string]sso.NameIDFormat{"persistent": sso.NameIDPersistent, "transient": sso.NameIDTransient, "email": sso.NameIDEmail}

func spDoc(c registry.Console, codes map[string]string) spJSON {
	d := spJSON{Entity: c.EntityID, Name: c.Name, Partner: codes[c.PartnerID], Vendor: codes[c.VendorID], ACS: len(c.ACS), SLO: c.SLO != "", Encrypt: string(c.Encrypt), RequireSigned: c.RequireSigned, State: string(c.State)}
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

// spStatus is a console with what became of its certificates and documents.
func spStatus(c registry.ConsoleStatus, codes map[string]string) spJSON {
	d := spDoc(c.Console, codes)
	d.CertLeft = c.CertDaysLeft
	if !c.CertEnds.IsZero() {
		d.CertEnds = c.CertEnds.In(cycle.Zone).Format(time.RFC3339)
	}
	if w := c.Waits; w != nil {
		d.Waiting = &spWaits{w.ID, w.Code, w.FetchedAt.In(cycle.Zone).Format(time.RFC3339), w.Diff.Added, w.Diff.Removed, w.Diff.SSO}
	}
	if f := c.Failing; f != nil {
		d.Failing = &spFails{f.LastCode, f.FailingSince.In(cycle.Zone).Format(time.RFC3339), f.NextAt.In(cycle.Zone).Format(time.RFC3339)}
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
	sorted.By(attributes, func(a, b sso.Release) int { return strings.Compare(a.Name, b.Name) })
	return o.with(func(ctx context.Context, a *app.App, sc scope.Scope) error {
		partnerID := ""
		if c.Partner != "" {
			p, err := partnerByCode(ctx, a, sc, c.Partner)
			if err != nil {
				return err
			}
			partnerID = p.ID
		}
		vendorID := ""
		if c.Vendor != "" {
			v, err := a.Organisations.ByCode(ctx, sc, c.Vendor)
			if err == nil && v.Kind != organisation.KindVendor {
				err = fault.NotFound("organisation.unknown", fault.Args{"code": c.Vendor})
			}
			if err != nil {
				return err
			}
			vendorID = v.ID
		}
		sp, warn, err := a.Platforms.AddConsole(ctx, sc, registry.ConsoleInput{Metadata: body, URL: address, PartnerID: partnerID, VendorID: vendorID, Name: c.Name, NameIDFormat: nameIDs[c.NameID],
			Attributes: attributes, Encrypt: sso.Encrypt(c.Encrypt), RequireSigned: c.RequireSigned, DryRun: c.DryRun})
		if err != nil {
			return err
		}
		codes, err := partnerCodes(ctx, a, sc)
		if err != nil {
			return err
		}
		doc := spDoc(sp, codes)
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
		list, err := a.Platforms.ConsoleStatuses(ctx, sc)
		if err != nil {
			return err
		}
		codes, err := partnerCodes(ctx, a, sc)
		if err != nil {
			return err
		}
		docs, rows := []spJSON{}, [][]string{}
		for _, x := range list {
			d := spStatus(x, codes)
			docs = append(docs, d)
			left, metadata := "-", "-"
			if d.CertLeft != nil {
				left = fmt.Sprintf("%d d", *d.CertLeft)
			}
			if d.Waiting != nil {
				metadata = "waits " + d.Waiting.Code
			} else if d.Failing != nil {
				metadata = "fails " + d.Failing.Code
			}
			rows = append(rows, []string{d.Entity, d.Partner, d.State, fmt.Sprint(d.ACS), left, d.ValidUntil, ago(x.LastAssertionAt, a.Clock.Now()), metadata})
		}
		return o.print(map[string]any{"sps": docs}, func(w io.Writer) {
			table(w, []string{"ENTITY", "PARTNER", "STATE", "ACS", "CERT LEFT", "VALID UNTIL", "LAST ASSERTION", "METADATA"}, rows)
		})
	})
}

type spRefreshCmd struct {
	Entity  string `arg:"" name:"entityid" help:"Entity id of the console."`
	Confirm string `placeholder:"METADATA_ID" help:"Put the metadata in force that waits under this id."`
}

func (c *spRefreshCmd) Run(o *out) error {
	return o.with(func(ctx context.Context, a *app.App, sc scope.Scope) error {
		if c.Confirm != "" {
			x, err := a.Platforms.ConfirmConsole(ctx, sc, c.Entity, c.Confirm)
			if err != nil {
				return err
			}
			return o.print(map[string]any{"entity": x.EntityID, "effect": "confirmed", "metadata_id": c.Confirm}, func(w io.Writer) { fmt.Fprintln(w, x.EntityID, "confirmed", c.Confirm) })
		}
		t, err := a.Platforms.RefreshConsole(ctx, sc, c.Entity)
		if err != nil {
			return err
		}
		return o.print(map[string]any{"entity": t.Console.EntityID, "effect": string(t.Effect), "code": t.Code, "metadata_id": t.Document},
			func(w io.Writer) { fmt.Fprintln(w, t.Console.EntityID, t.Effect, t.Code, t.Document) })
	})
}

type spDisableCmd struct {
	Entity string `arg:"" name:"entityid" help:"Entity id of the console."`
	Reason string `help:"Why."`
}

func (c *spDisableCmd) Run(o *out) error {
	return o.with(func(ctx context.Context, a *app.App, sc scope.Scope) error {
		x, err := a.Platforms.DisableConsole(ctx, sc, c.Entity, c.Reason)
		return o.consoleState(x, err)
	})
}

type spEnableCmd struct {
	Entity string `arg:"" name:"entityid" help:"Entity id of the console."`
}

func (c *spEnableCmd) Run(o *out) error {
	return o.with(func(ctx context.Context, a *app.App, sc scope.Scope) error {
		x, err := a.Platforms.EnableConsole(ctx, sc, c.Entity)
		return o.consoleState(x, err)
	})
}

func (o *out) consoleState(x registry.Console, err error) error {
	if err != nil {
		return err
	}
	return o.print(map[string]any{"entity": x.EntityID, "state": string(x.State)}, func(w io.Writer) { fmt.Fprintln(w, x.EntityID, x.State) })
}
