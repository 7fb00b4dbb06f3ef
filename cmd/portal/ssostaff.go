package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"time"

	"huoban/internal/app"
	"huoban/internal/cycle"
	"huoban/internal/scope"
	"huoban/internal/sso"
	"huoban/internal/sso/registry"
)

// What the operator alone decides about a partner's platform.

type idpApproveCmd struct {
	Key    string `arg:"" help:"Key of the registration."`
	Return string `placeholder:"URL" help:"The address, as the partner wrote it (default: list what waits)."`
}

type returnJSON struct {
	ID      string `json:"id"`
	Address string `json:"address"`
	State   string `json:"state"`
}

func (c *idpApproveCmd) Run(o *out) error {
	return o.with(func(ctx context.Context, a *app.App, sc scope.Scope) error {
		if c.Return != "" {
			r, err := a.Platforms.ApproveReturn(ctx, sc, c.Key, c.Return)
			if err != nil {
				return err
			}
			d := returnJSON{r.ID, registry.ReturnText(r), string(r.State)}
			return o.print(d, func(w io.Writer) { fmt.Fprintln(w, d.Address, d.State) })
		}
		p, err := a.Platforms.Find(ctx, sc, c.Key)
		if err != nil {
			return err
		}
		list, err := a.Platforms.ReturnsOf(ctx, sc, p.ID)
		if err != nil {
			return err
		}
		docs, rows := []returnJSON{}, [][]string{}
		for _, r := range list {
			if r.State != sso.ReturnStatePending {
				continue
			}
			d := returnJSON{r.ID, registry.ReturnText(r), string(r.State)}
			docs, rows = append(docs, d), append(rows, []string{d.Address, d.State})
		}
		return o.print(map[string]any{"returns": docs}, func(w io.Writer) { table(w, []string{"ADDRESS", "STATE"}, rows) })
	})
}

type idpWaiveCmd struct {
	Key   string `arg:"" help:"Key of the registration."`
	Until string `placeholder:"DATE" help:"Let a key of less than 2048 bits verify until then, 180 days at most."`
	End   bool   `help:"End the waiver now."`
}

func (c *idpWaiveCmd) Run(o *out) error {
	until, err := moment(c.Until)
	if err != nil {
		return err
	}
	if until.IsZero() != c.End {
		return usageError{errors.New("give --until DATE, or --end")}
	}
	return o.with(func(ctx context.Context, a *app.App, sc scope.Scope) error {
		p, err := a.Platforms.Waive(ctx, sc, c.Key, until)
		if err != nil {
			return err
		}
		end := ""
		if !p.WeakKeyUntil.IsZero() {
			end = p.WeakKeyUntil.In(cycle.Zone).Format(time.RFC3339)
		}
		return o.print(map[string]any{"key": p.Key, "weak_key_until": end}, func(w io.Writer) { fmt.Fprintln(w, p.Key, "weak key until", end) })
	})
}
