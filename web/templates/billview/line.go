package billview

import (
	"context"

	"github.com/a-h/templ"

	"huoban/internal/i18n"
)

func sortName(s Sort) string {
	if s.Descending {
		return "descending"
	}
	return "ascending"
}

// toggle marks the link that opens a row, for script and assistive technology.
func toggle(r Line) templ.Attributes {
	if r.Why == nil {
		return templ.Attributes{}
	}
	return templ.Attributes{"aria-current": "true"}
}

func toggleLabel(ctx context.Context, r Line) string {
	if r.Why != nil {
		return i18n.T(ctx, "billview.lines.close_row", "Name", r.Number)
	}
	return i18n.T(ctx, "billview.lines.open_row", "Name", r.Number)
}
