package gallery

import (
	"context"

	"huoban/internal/i18n"
	"huoban/web/templates/exportview"
	"huoban/web/templates/part"
)

// exports lists a file in each state.
func exports(ctx context.Context) exportview.List {
	t := func(key string, pairs ...any) string { return i18n.T(ctx, key, pairs...) }
	row := func(id, state string, tone part.Tone) exportview.Row {
		return exportview.Row{ID: id, Requested: "2026-11-05 10:21:07", Content: pick(ctx, "账单明细 · MUSHI 2026-10 CNY", "Bill lines · MUSHI 2026-10 CNY"),
			Filter: pick(ctx, "账期 2026-10、消费", "Cycle 2026-10, Consumption"), Person: "lin.mu", Name: "MUSHI-2026-10-CNY-lines.xlsx", Format: "XLSX", Expires: i18n.Nothing,
			State: part.Status{ID: "state-" + id, Text: t("export.state." + state), Tone: tone, Meaning: t("exports.meaning."+state, "Reason", t("exports.reason.internal")), Next: t("exports.next." + state)}}
	}
	running, done, failed, gone := row("a", "processing", part.Run), row("b", "done", part.Good), row("c", "failed", part.Bad), row("d", "expired", part.Grey)
	running.Progress = t("exports.done_of", "Done", int64(400), "Total", int64(1204))
	done.Size, done.Expires, done.Download = "1,204 · 183.4 KB", "2026-11-12 10:21:09", "/exports"
	failed.Retry = &exportview.Retry{Action: "/exports"}
	gone.Expires = "2026-11-01 09:00:00"
	return exportview.List{Header: part.Header{Title: t("exports.title"), Crumbs: []part.Link{{Text: t("exports.title")}}}, People: true,
		Flash: &part.Flash{Tone: part.Good, Text: t("exports.created"), Link: &part.Link{Text: t("exports.see"), Href: "/exports"}},
		Tool:  part.Tool{Count: t("exports.count", "Count", int64(4)), Refresh: "/exports"}, Notes: []string{t("exports.keep", "Count", int64(7))},
		Rows: []exportview.Row{running, done, failed, gone}, Pager: part.Pager{Range: t("exports.count", "Count", int64(4)), Next: "/exports"}}
}
