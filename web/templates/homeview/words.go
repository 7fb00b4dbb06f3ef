package homeview

import (
	"context"

	"huoban/internal/i18n"
)

func (p Home) latest(ctx context.Context) string {
	if p.Closes {
		return i18n.T(ctx, "homeview.closes.title")
	}
	return i18n.T(ctx, "homeview.bills.title")
}

func (p Home) all(ctx context.Context) string {
	if p.Closes {
		return i18n.T(ctx, "homeview.closes.all")
	}
	return i18n.T(ctx, "homeview.bills.all")
}

func (p Home) row(ctx context.Context) string {
	if p.Closes {
		return i18n.T(ctx, "homeview.closes.cycle")
	}
	return i18n.T(ctx, "homeview.bills.bill")
}
