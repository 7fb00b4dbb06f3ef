package main

import (
	"context"
	"fmt"
	"io"
	"time"

	"huoban/internal/app"
	"huoban/internal/cycle"
	"huoban/internal/fault"
	"huoban/internal/notice"
	"huoban/internal/organisation"
	"huoban/internal/scope"
)

type noticeCmd struct {
	Set   noticeSetCmd   `cmd:"" help:"Put a line over every page, until its end or until it is cleared; each person may dismiss it."`
	Clear noticeClearCmd `cmd:"" help:"Take a notice down for everybody."`
	List  noticeListCmd  `cmd:"" help:"List notices, the newest first."`
}

type noticeSetCmd struct {
	ZH     string `name:"zh" required:"" help:"The text in Chinese."`
	EN     string `name:"en" required:"" help:"The text in English."`
	Level  string `default:"info" enum:"info,warning" help:"info or warning (default: info)."`
	Vendor string `help:"Only for this vendor and those who deal with it (default: everybody)."`
	From   string `help:"When it appears: 2026-12-31T18:00 in GMT+08:00, or with a zone (default: now)."`
	Until  string `help:"When it goes (default: when it is cleared)."`
}

type noticeJSON struct {
	ID      string `json:"id"`
	State   string `json:"state"`
	Level   string `json:"level"`
	Vendor  string `json:"vendor,omitempty"`
	ZH      string `json:"zh"`
	EN      string `json:"en"`
	From    string `json:"from"`
	Until   string `json:"until,omitempty"`
	SetBy   string `json:"set_by"`
	Added   *bool  `json:"added,omitempty"`
	Cleared string `json:"cleared,omitempty"`
}

func noticeDoc(n notice.Notice, now time.Time, vendors map[string]string) noticeJSON {
	at := func(t time.Time) string {
		if t.IsZero() {
			return ""
		}
		return t.In(cycle.Zone).Format(time.RFC3339)
	}
	return noticeJSON{ID: n.ID, State: n.State(now), Level: string(n.Level), Vendor: vendors[n.VendorID], ZH: n.TextZH, EN: n.TextEN,
		From: at(n.StartsAt), Until: at(n.EndsAt), SetBy: n.CreatedBy, Cleared: at(n.ClearedAt)}
}

func (n noticeJSON) row() []string {
	return []string{n.ID, n.State, n.Level, n.Vendor, n.From, n.Until, n.EN}
}

var noticeHead = []string{"ID", "STATE", "LEVEL", "VENDOR", "FROM", "UNTIL", "TEXT"}

// moment reads a time; without a zone it is Beijing time, as everything the portal dates.
func moment(text string) (time.Time, error) {
	if text == "" {
		return time.Time{}, nil
	}
	for _, form := range []string{"2006-01-02", "2006-01-02T15:04", "2006-01-02T15:04:05", "2006-01-02 15:04"} {
		if t, err := time.ParseInLocation(form, text, cycle.Zone); err == nil {
			return t, nil
		}
	}
	t, err := time.Parse(time.RFC3339, text)
	if err != nil {
		return t, fault.Invalid("notice.time_malformed", fault.Args{"value": text})
	}
	return t, nil
}

func (c *noticeSetCmd) Run(o *out) error {
	from, err := moment(c.From)
	if err != nil {
		return err
	}
	until, err := moment(c.Until)
	if err != nil {
		return err
	}
	return o.with(func(ctx context.Context, a *app.App, sc scope.Scope) error {
		var vendor organisation.Organisation
		if c.Vendor != "" {
			if vendor, err = vendorByCode(ctx, a, sc, c.Vendor); err != nil {
				return err
			}
		}
		n, added, err := a.Notices.Set(ctx, sc, notice.In{VendorID: vendor.ID, Level: notice.Level(c.Level), TextZH: c.ZH, TextEN: c.EN, StartsAt: from, EndsAt: until})
		if err != nil {
			return err
		}
		doc := noticeDoc(n, a.Clock.Now(), map[string]string{vendor.ID: vendor.Code})
		doc.Added = &added
		return o.print(doc, func(w io.Writer) { table(w, noticeHead, [][]string{doc.row()}) })
	})
}

type noticeClearCmd struct {
	ID string `arg:"" help:"Id of the notice, from portal notice list."`
}

func (c *noticeClearCmd) Run(o *out) error {
	return o.with(func(ctx context.Context, a *app.App, sc scope.Scope) error {
		if err := a.Notices.Clear(ctx, sc, c.ID); err != nil {
			return err
		}
		return o.print(map[string]any{"id": c.ID, "state": "cleared"}, func(w io.Writer) { fmt.Fprintln(w, c.ID, "cleared") })
	})
}

type noticeListCmd struct{}

func (c *noticeListCmd) Run(o *out) error {
	return o.with(func(ctx context.Context, a *app.App, sc scope.Scope) error {
		list, err := a.Notices.List(ctx, sc)
		if err != nil {
			return err
		}
		all, err := a.Organisations.List(ctx, sc)
		if err != nil {
			return err
		}
		codes := map[string]string{}
		for _, x := range all {
			codes[x.ID] = x.Code
		}
		docs, rows := []noticeJSON{}, [][]string{}
		for _, n := range list {
			d := noticeDoc(n, a.Clock.Now(), codes)
			docs, rows = append(docs, d), append(rows, d.row())
		}
		return o.print(map[string]any{"notices": docs}, func(w io.Writer) { table(w, noticeHead, rows) })
	})
}
