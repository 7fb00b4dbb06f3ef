package opsview

import (
	"context"

	"github.com/a-h/templ"

	"huoban/internal/i18n"
)

// poll makes the card of a running import ask for itself every two seconds; without script one reloads.
func (p Show) poll() templ.Attributes {
	if p.Progress == nil || p.Progress.Poll == "" {
		return templ.Attributes{}
	}
	return templ.Attributes{
		"hx-get": p.Progress.Poll, "hx-trigger": "every 2s", "hx-select": "#delivery", "hx-swap": "outerHTML", "hx-target": "#delivery",
	}
}

func (p Upload) submit(ctx context.Context) string {
	if p.Submit != "" {
		return p.Submit
	}
	return i18n.T(ctx, "opsview.upload.submit")
}
