package main

import (
	"bytes"
	"context"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/url"
	"strings"
	"time"

	"huoban/internal/app"
	"huoban/internal/cycle"
	"huoban/internal/fault"
	"huoban/internal/i18n"
	"huoban/internal/scope"
	"huoban/internal/sso"
	"huoban/internal/sso/registry"
)

type ssoExplainCmd struct {
	Ref     string `arg:"" optional:"" help:"Reference of the refusal, as the person read it out."`
	Message string `placeholder:"FILE" help:"Run every check on a saved answer instead: XML or base64."`
	Key     string `help:"Key of the registration the answer was for, with --message."`
	At      string `placeholder:"TIME" help:"Judge as at that time, with --message (default: now)."`
}

type explainJSON struct {
	Ref          string          `json:"ref"`
	Code         string          `json:"code"`
	Message      string          `json:"message"`
	Step         string          `json:"step"`
	At           string          `json:"at"`
	Last         string          `json:"last"`
	Repeats      int64           `json:"repeats"`
	Side         string          `json:"side"`
	Route        string          `json:"route"`
	Registration string          `json:"registration,omitempty"`
	Partner      string          `json:"partner,omitempty"`
	Issuer       string          `json:"issuer,omitempty"`
	RequestID    string          `json:"request_id,omitempty"`
	IP           string          `json:"ip"`
	Facts        json.RawMessage `json:"facts,omitempty"`
}

func (c *ssoExplainCmd) Run(o *out) error {
	switch {
	case c.Message != "" && c.Key != "" && c.Ref == "":
		return c.message(o)
	case c.Ref == "" || c.Message != "" || c.Key != "" || c.At != "":
		return usageError{errors.New("give a reference, or --message FILE with --key KEY")}
	}
	return o.with(func(ctx context.Context, a *app.App, sc scope.Scope) error {
		r, err := a.Platforms.Refusal(ctx, sc, strings.ToUpper(strings.TrimSpace(c.Ref)))
		if err != nil {
			return err
		}
		doc, err := explained(ctx, a, sc, r)
		if err != nil {
			return err
		}
		return o.print(doc, func(w io.Writer) {
			fmt.Fprintf(w, "%s  %s\n%s\nstep       %s\nwhen       %s (%d times, last %s)\nroute      %s %s\n", doc.Ref, doc.Code, doc.Message, doc.Step, doc.At, doc.Repeats, doc.Last, doc.Side, doc.Route)
			fmt.Fprintf(w, "for        %s (%s)\nissuer     %s\nfrom       %s\nfacts      %s\n", doc.Registration, doc.Partner, doc.Issuer, doc.IP, doc.Facts)
		})
	})
}

func explained(ctx context.Context, a *app.App, sc scope.Scope, r registry.Refusal) (explainJSON, error) {
	at := func(t time.Time) string { return t.In(cycle.Zone).Format(time.RFC3339) }
	d := explainJSON{Ref: r.Ref, Code: r.Code, Step: r.Step, At: at(r.At), Last: at(r.LastAt), Repeats: r.Repeats, Side: r.Side, Route: r.Route, Issuer: r.Issuer, RequestID: r.RequestID, IP: r.IP}
	args := fault.Args{}
	if json.Valid([]byte(r.Facts)) {
		d.Facts = json.RawMessage(r.Facts)
		_ = json.Unmarshal([]byte(r.Facts), &args)
	}
	d.Message = i18n.FaultText(ctx, sso.Denied(r.Code, args))
	codes, err := partnerCodes(ctx, a, sc)
	if err != nil {
		return d, err
	}
	d.Partner = codes[r.PartnerID]
	if p, err := a.Platforms.Find(ctx, sc, r.PeerID); err == nil {
		d.Registration = p.Key
	}
	return d, nil
}

// message runs every check on a saved answer. It exits with 1 when one of them fails.
func (c *ssoExplainCmd) message(o *out) error {
	body, _, err := o.document(c.Message)
	if err != nil {
		return err
	}
	at, err := moment(c.At)
	if err != nil {
		return err
	}
	text := strings.TrimSpace(string(body))
	if bytes.HasPrefix(bytes.TrimSpace(body), []byte("<")) {
		text = base64.StdEncoding.EncodeToString(body)
	}
	post := sso.Post{Method: "POST", ContentType: "application/x-www-form-urlencoded", Form: url.Values{"SAMLResponse": {text}}}
	return o.with(func(ctx context.Context, a *app.App, sc scope.Scope) error {
		e, err := a.Platforms.Examine(ctx, sc, c.Key, post, at)
		if err != nil {
			return err
		}
		type asked struct {
			sso.StepResult
			Rule string `json:"rule"`
		}
		var rows [][]string
		var steps []asked
		var failed *fault.Error
		for _, s := range e.Steps {
			steps = append(steps, asked{s, i18n.T(ctx, sso.RuleKey(s.Name))})
			if r := s.Refusal(); r != nil && failed == nil {
				failed = fault.From(r)
			}
			rows = append(rows, []string{s.Name, string(s.Outcome), s.Code, s.Expected, s.Seen})
		}
		err = o.print(map[string]any{"passed": failed == nil, "steps": steps}, func(w io.Writer) {
			table(w, []string{"STEP", "OUTCOME", "CODE", "EXPECTED", "SEEN"}, rows)
		})
		if err == nil && failed != nil {
			return shown{failed}
		}
		return err
	})
}

// shown is a refusal whose document is printed already.
type shown struct{ refusal *fault.Error }

func (s shown) Error() string { return s.refusal.Error() }

func (s shown) Unwrap() error { return s.refusal }
