package main

import (
	"context"
	"fmt"
	"io"
	"strings"
	"time"

	"huoban/internal/app"
	"huoban/internal/cycle"
	"huoban/internal/scope"
	"huoban/internal/sso"
	"huoban/internal/sso/metadata"
	"huoban/internal/sso/registry"
)

type idpAddCmd struct {
	Partner           string            `required:"" help:"Partner."`
	Metadata          string            `required:"" placeholder:"FILE|URL" help:"Metadata of the platform."`
	AccountType       string            `help:"Mark of the platform, xAccountType (default: one is made)."`
	Name              string            `help:"Name (default: the entity's host)."`
	AllowIDPInitiated bool              `name:"allow-idp-initiated" help:"Take answers that nobody here asked for."`
	Entity            string            `placeholder:"ENTITYID" help:"Which identity provider of a group."`
	PinSigner         string            `placeholder:"FILE" help:"Certificate of the signer every document must be signed by."`
	Map               map[string]string `placeholder:"FIELD=ATTRIBUTE" help:"Attribute that fills a field of ours."`
	FirstEntry        string            `default:"create" enum:"create,bind_only,off" help:"What an unknown customer may do: create, bind_only or off."`
	Association       string            `default:"resale" enum:"resale,referral" help:"Association of who comes in for the first time: resale or referral."`
	Return            []string          `placeholder:"URL" help:"Address a sign-in may lead to."`
	Notify            string            `placeholder:"URL" help:"Address that is told of binding results."`
	SharedEntity      bool              `help:"The entity may be registered by several partners (a hosted identity provider)."`
	WeakKeyUntil      string            `placeholder:"DATE" help:"Let a key of less than 2048 bits verify until then, 180 days at most."`
	Activate          bool              `help:"Activate at once, without test."`
	DryRun            bool              `help:"Check only."`
}

type certJSON struct {
	Use         string `json:"use"`
	Fingerprint string `json:"fingerprint"`
	Algorithm   string `json:"algorithm"`
	Bits        int    `json:"bits"`
	From        string `json:"from"`
	Until       string `json:"until"`
	Grade       string `json:"grade"`
}

type idpJSON struct {
	ID          string     `json:"id,omitempty"`
	Key         string     `json:"key,omitempty"`
	AccountType string     `json:"account_type"`
	Name        string     `json:"name"`
	State       string     `json:"state"`
	Partner     string     `json:"partner"`
	EntityID    string     `json:"entity_id"`
	SSO         string     `json:"sso,omitempty"`
	SLO         string     `json:"slo,omitempty"`
	Certs       []certJSON `json:"certificates,omitempty"`
	SPEntity    string     `json:"sp_entity,omitempty"`
	SPMetadata  string     `json:"sp_metadata,omitempty"`
	ACS         string     `json:"acs,omitempty"`
	SPSLO       string     `json:"sp_slo,omitempty"`
	Entry       string     `json:"entry,omitempty"`
	Warnings    []refusal  `json:"warnings,omitempty"`
	Added       *bool      `json:"added,omitempty"`
	DryRun      bool       `json:"dry_run,omitempty"`
	CertLeft    *int       `json:"cert_days_left,omitempty"`
	LastSignIn  string     `json:"last_sign_in,omitempty"`
	Refused     *int64     `json:"refused_24h,omitempty"`
}

func certDoc(c metadata.Cert) certJSON {
	use := string(c.Use)
	if use == "" {
		use = "any"
	}
	return certJSON{use, c.Fingerprint, c.Algorithm, c.Bits, c.NotBefore.Format(time.DateOnly), c.NotAfter.Format(time.DateOnly), string(c.Grade)}
}

func idpDoc(a *app.App, p registry.Platform, partner string) idpJSON {
	return idpJSON{ID: p.ID, Key: p.Key, AccountType: p.AccountType, Name: p.Name, State: string(p.State), Partner: partner, EntityID: p.IdPEntityID, SSO: p.SSOURL,
		SLO: p.SLOURL, SPEntity: p.EntityID, SPMetadata: p.EntityID, ACS: a.Platforms.ACS(p.Key), SPSLO: a.Platforms.SLO(p.Key), Entry: a.Platforms.Entry(p)}
}

func (d idpJSON) write(w io.Writer) {
	fmt.Fprintf(w, "id=%s key=%s account_type=%s state=%s\n", d.ID, d.Key, d.AccountType, d.State)
	fmt.Fprintf(w, "entity_id  %s\n", d.EntityID)
	for _, c := range d.Certs {
		fmt.Fprintf(w, "cert       SHA256:%s  %s → %s  %s %d %s %s\n", c.Fingerprint, c.From, c.Until, c.Algorithm, c.Bits, c.Use, c.Grade)
	}
	fmt.Fprintf(w, "sp_entity  %s\nacs        %s\nentry      %s…\n", d.SPEntity, d.ACS, d.Entry)
	printWarnings(w, d.Warnings)
}

func (c *idpAddCmd) Run(o *out) error {
	body, address, err := o.document(c.Metadata)
	if err != nil {
		return err
	}
	signer, err := certificate(c.PinSigner)
	if err != nil {
		return err
	}
	weak, err := moment(c.WeakKeyUntil)
	if err != nil {
		return err
	}
	return o.with(func(ctx context.Context, a *app.App, sc scope.Scope) error {
		partner, err := partnerByCode(ctx, a, sc, c.Partner)
		if err != nil {
			return err
		}
		done, err := a.Platforms.Add(ctx, sc, registry.AddInput{PartnerID: partner.ID, Metadata: body, URL: address, Entity: c.Entity, AccountType: c.AccountType, Name: c.Name,
			PinSigner: signer, Mapping: c.Map, FirstEntry: sso.FirstEntry(c.FirstEntry), Association: c.Association, AllowIdPInitiated: c.AllowIDPInitiated, NotifyURL: c.Notify, Returns: c.Return,
			SharedEntityOK: c.SharedEntity, WeakKeyUntil: weak, Activate: c.Activate, DryRun: c.DryRun})
		if err != nil {
			return err
		}
		doc := idpDoc(a, done.Platform, partner.Code)
		doc.Added, doc.DryRun, doc.Warnings = &done.New, c.DryRun, o.refusals(done.Warnings)
		for _, x := range done.Certs {
			doc.Certs = append(doc.Certs, certDoc(x))
		}
		return o.print(doc, doc.write)
	})
}

type idpListCmd struct {
	Partner string `help:"Of this partner."`
	State   string `enum:",draft,tested,active,disabled" default:"" help:"In this state."`
}

func (c *idpListCmd) Run(o *out) error {
	return o.with(func(ctx context.Context, a *app.App, sc scope.Scope) error {
		partnerID := ""
		if c.Partner != "" {
			p, err := partnerByCode(ctx, a, sc, c.Partner)
			if err != nil {
				return err
			}
			partnerID = p.ID
		}
		list, err := a.Platforms.List(ctx, sc, partnerID)
		if err != nil {
			return err
		}
		codes, err := partnerCodes(ctx, a, sc)
		if err != nil {
			return err
		}
		docs, rows := []idpJSON{}, [][]string{}
		for _, p := range list {
			if c.State != "" && string(p.State) != c.State {
				continue
			}
			use, err := a.Platforms.Use(ctx, p)
			if err != nil {
				return err
			}
			d := idpDoc(a, p, codes[p.PartnerID])
			d.CertLeft, d.Refused = use.CertDaysLeft, &use.Refused
			left := "-"
			if use.CertDaysLeft != nil {
				left = fmt.Sprintf("%d d", *use.CertDaysLeft)
			}
			if !use.LastSignIn.IsZero() {
				d.LastSignIn = use.LastSignIn.In(cycle.Zone).Format(time.RFC3339)
			}
			docs = append(docs, d)
			rows = append(rows, []string{p.Key, d.Partner, p.AccountType, d.State, p.IdPEntityID, left, ago(use.LastSignIn, a.Clock.Now()), fmt.Sprint(use.Refused)})
		}
		return o.print(map[string]any{"idps": docs}, func(w io.Writer) {
			table(w, []string{"KEY", "PARTNER", "TYPE", "STATE", "ENTITY", "CERT LEFT", "LAST SIGN-IN", "REFUSED 24H"}, rows)
		})
	})
}

type idpRotateCmd struct {
	Key   string `arg:"" help:"Key of the registration, from portal sso idp list, or of the hosted platform, from portal sso sp add."`
	Phase string `enum:",publish,switch,retire" default:"" help:"publish, switch or retire (default: the one that comes next)."`
	Force bool   `help:"Before its time."`
}

type keyJSON struct {
	Use         string `json:"use"`
	State       string `json:"state"`
	Fingerprint string `json:"fingerprint"`
	Until       string `json:"until"`
}

func (c *idpRotateCmd) Run(o *out) error {
	return o.with(func(ctx context.Context, a *app.App, sc scope.Scope) error {
		status, err := a.Platforms.Rotate(ctx, sc, c.Key, registry.Phase(c.Phase), c.Force)
		if err != nil {
			return err
		}
		keys, next := []keyJSON{}, map[string]any{}
		var lines []string
		for _, st := range status {
			var parts []string
			for _, k := range st.Keys {
				f, until := registry.Fingerprint(k.CertDER), cycle.Day(k.NotAfter)
				keys = append(keys, keyJSON{string(k.Use), string(k.State), f, until})
				parts = append(parts, fmt.Sprintf("%s SHA256:%s… until %s", k.State, f[:16], until))
			}
			at := cycle.Day(st.At)
			next[string(st.Use)] = map[string]string{"phase": string(st.Phase), "from": at}
			lines = append(lines, fmt.Sprintf("%s  %s · %s from %s", st.Use, strings.Join(parts, " · "), st.Phase, at))
		}
		return o.print(map[string]any{"key": c.Key, "keys": keys, "next": next}, func(w io.Writer) { fmt.Fprintln(w, strings.Join(lines, "\n")) })
	})
}

type idpRefreshCmd struct {
	Key     string `arg:"" help:"Key of the registration."`
	Confirm string `placeholder:"METADATA_ID" help:"Put the metadata in force that waits under this id."`
}

func (c *idpRefreshCmd) Run(o *out) error {
	return o.with(func(ctx context.Context, a *app.App, sc scope.Scope) error {
		if c.Confirm != "" {
			p, err := a.Platforms.Confirm(ctx, sc, c.Key, c.Confirm)
			if err != nil {
				return err
			}
			return o.print(map[string]any{"key": p.Key, "effect": "confirmed", "metadata_id": c.Confirm}, func(w io.Writer) { fmt.Fprintln(w, p.Key, "confirmed", c.Confirm) })
		}
		t, err := a.Platforms.Refresh(ctx, sc, c.Key)
		if err != nil {
			return err
		}
		v := t.Verdict
		return o.print(map[string]any{"key": c.Key, "effect": string(v.Effect), "code": v.Code, "metadata_id": t.Document, "diff": v.Diff, "warnings": o.refusals(t.Warnings)}, func(w io.Writer) {
			fmt.Fprintln(w, c.Key, v.Effect, v.Code, t.Document)
			printWarnings(w, o.refusals(t.Warnings))
		})
	})
}

type idpDisableCmd struct {
	Key         string `arg:"" help:"Key of the registration."`
	Reason      string `required:"" help:"Why."`
	EndSessions bool   `help:"End the sessions that came from it."`
}

func (c *idpDisableCmd) Run(o *out) error {
	return o.with(func(ctx context.Context, a *app.App, sc scope.Scope) error {
		done, err := a.Platforms.Do(ctx, sc, c.Key, registry.ActionDisable, c.Reason, c.EndSessions)
		if err != nil {
			return err
		}
		return o.print(map[string]any{"key": done.Platform.Key, "state": string(done.Platform.State), "ended": done.Ended}, func(w io.Writer) {
			fmt.Fprintln(w, done.Platform.Key, done.Platform.State, "sessions ended:", done.Ended)
		})
	})
}

type idpEnableCmd struct {
	Key          string `arg:"" help:"Key of the registration."`
	WeakKeyUntil string `placeholder:"DATE" help:"Let a key of less than 2048 bits verify until then, 180 days at most."`
}

func (c *idpEnableCmd) Run(o *out) error {
	weak, err := moment(c.WeakKeyUntil)
	if err != nil {
		return err
	}
	return o.with(func(ctx context.Context, a *app.App, sc scope.Scope) error {
		p, err := a.Platforms.Find(ctx, sc, c.Key)
		if err == nil && !weak.IsZero() {
			p, err = a.Platforms.Waive(ctx, sc, c.Key, weak)
		}
		if err != nil {
			return err
		}
		do := registry.ActionEnable
		if p.State == sso.StateDraft || p.State == sso.StateTested {
			do = registry.ActionActivate
		}
		done, err := a.Platforms.Do(ctx, sc, c.Key, do, "", false)
		if err != nil {
			return err
		}
		return o.print(map[string]any{"key": done.Platform.Key, "state": string(done.Platform.State)}, func(w io.Writer) { fmt.Fprintln(w, done.Platform.Key, done.Platform.State) })
	})
}
