package main

import (
	"context"
	"encoding/pem"
	"fmt"
	"io"
	"os"
	"strings"
	"time"

	"huoban/internal/app"
	"huoban/internal/fault"
	"huoban/internal/organisation"
	"huoban/internal/scope"
	"huoban/internal/sso/metadata"
)

type ssoCmd struct {
	IdP      ssoIdPCmd      `cmd:"" name:"idp" help:"Partners' sales platforms (identity providers)."`
	SP       ssoSPCmd       `cmd:"" name:"sp" help:"Consoles (service providers) of hosted sales platforms."`
	Metadata ssoMetadataCmd `cmd:"" help:"Print our metadata as XML."`
	Explain  ssoExplainCmd  `cmd:"" help:"Say why a sign-in was refused, by its reference."`
}

type ssoIdPCmd struct {
	Add     idpAddCmd     `cmd:"" help:"Register a partner's sales platform."`
	List    idpListCmd    `cmd:"" help:"List registrations."`
	Rotate  idpRotateCmd  `cmd:"" help:"Take the next step of the rollover of our keys."`
	Refresh idpRefreshCmd `cmd:"" help:"Fetch the metadata now, or confirm what waits."`
	Disable idpDisableCmd `cmd:"" help:"Let nobody sign in from the platform."`
	Enable  idpEnableCmd  `cmd:"" help:"Activate a registration, or take its suspension back."`
	Approve idpApproveCmd `cmd:"" help:"Allow a return address that a partner asked for."`
	Waive   idpWaiveCmd   `cmd:"" help:"Let a weak key of a platform verify for a while, or no more."`
}

// document is the metadata an argument means: the text of a file, or an address to fetch.
func (o *out) document(arg string) (body []byte, address string, err error) {
	if strings.HasPrefix(arg, "https://") || strings.HasPrefix(arg, "http://") {
		return nil, arg, nil
	}
	f, err := o.openFile(arg)
	if err != nil {
		return nil, "", err
	}
	defer f.Close()
	body, err = io.ReadAll(io.LimitReader(f, 4<<20))
	if err != nil {
		return nil, "", fault.Invalid("file.unreadable", fault.Args{"path": arg}).Because(err)
	}
	return body, "", nil
}

// certificate reads a file with a certificate, PEM or DER.
func certificate(path string) ([]byte, error) {
	if path == "" {
		return nil, nil
	}
	body, err := os.ReadFile(path)
	if err != nil {
		return nil, fault.Invalid("file.unreadable", fault.Args{"path": path}).Because(err)
	}
	if block, _ := pem.Decode(body); block != nil {
		return block.Bytes, nil
	}
	return body, nil
}

// partnerByCode finds a partner that can have a platform.
func partnerByCode(ctx context.Context, a *app.App, sc scope.Scope, code string) (organisation.Organisation, error) {
	org, err := a.Organisations.ByCode(ctx, sc, code)
	if err == nil && (org.Kind == organisation.KindVendor || org.Kind == organisation.KindCustomer) {
		err = fault.NotFound("organisation.unknown", fault.Args{"code": code})
	}
	return org, err
}

// partnerCodes are the codes of organisations by id.
func partnerCodes(ctx context.Context, a *app.App, sc scope.Scope) (map[string]string, error) {
	all, err := a.Organisations.List(ctx, sc)
	codes := map[string]string{}
	for _, x := range all {
		codes[x.ID] = x.Code
	}
	return codes, err
}

func (o *out) refusals(list []*fault.Error) []refusal {
	var out []refusal
	for _, f := range list {
		out = append(out, toRefusal(o.ctx, f))
	}
	return out
}

func printWarnings(w io.Writer, list []refusal) {
	for _, r := range list {
		fmt.Fprintf(w, "warning    %s %s\n", r.Code, r.Message)
	}
}

// ago is how long ago an instant was, roughly; "-" for none.
func ago(t, now time.Time) string {
	d := now.Sub(t)
	switch {
	case t.IsZero():
		return "-"
	case d < time.Hour:
		return fmt.Sprintf("%d min", int(d.Minutes()))
	case d < 48*time.Hour:
		return fmt.Sprintf("%d h", int(d.Hours()))
	}
	return fmt.Sprintf("%d d", int(d.Hours()/24))
}

type ssoMetadataCmd struct {
	Partner  string `help:"Of this partner (default: a group of all)."`
	Role     string `default:"sp" enum:"sp,idp" help:"sp or idp (default: sp)."`
	Unsigned bool   `help:"Without XML signature."`
	Out      string `help:"Write to this file."`
}

func (c *ssoMetadataCmd) Run(o *out) error {
	return o.with(func(ctx context.Context, a *app.App, sc scope.Scope) error {
		partnerID := ""
		if c.Partner != "" {
			p, err := partnerByCode(ctx, a, sc, c.Partner)
			if err != nil {
				return err
			}
			partnerID = p.ID
		}
		body, err := a.Platforms.AllMetadata(ctx, sc, partnerID, metadata.Role(c.Role), !c.Unsigned)
		if err != nil {
			return err
		}
		if c.Out == "" || c.Out == "-" {
			return o.print(map[string]any{"metadata": string(body)}, func(w io.Writer) { fmt.Fprintln(w, string(body)) })
		}
		if err := os.WriteFile(c.Out, body, 0o644); err != nil {
			return fault.Invalid("file.unreadable", fault.Args{"path": c.Out}).Because(err)
		}
		return o.print(map[string]any{"file": c.Out, "bytes": len(body)}, func(w io.Writer) { fmt.Fprintln(w, c.Out) })
	})
}
