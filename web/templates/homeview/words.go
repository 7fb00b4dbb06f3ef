package homeview

import (
	"context"

	"huoban/internal/i18n"
)

func (p Home) latest(ctx context.Context) string {
	if p.Statements {
		return i18n.T(ctx, "homeview.statements.title")
	}
	if p.Closes {
		return i18n.T(ctx, "homeview.closes.title")
	}
	return i18n.T(ctx, "homeview.bills.title")
}

func (p Home) all(ctx context.Context) string {
	if p.Statements {
		return i18n.T(ctx, "homeview.statements.all")
	}
	if p.Closes {
		return i18n.T(ctx, "homeview.closes.all")
	}
	return i18n.T(ctx, "homeview.bills.all")
}

func (p Home) row(ctx context.Context) string {
	if p.Statements {
		return i18n.T(ctx, "homeview.statements.statement")
	}
	if p.Closes {
		return i18n.T(ctx, "homeview.closes.cycle")
	}
	return i18n.T(ctx, "homeview.bills.bill")
}

func (p Home) due(ctx context.Context) string {
	if p.Statements {
		return i18n.T(ctx, "homeview.statements.due")
	}
	return i18n.T(ctx, "homeview.bills.due")
}

func (p Home) changesTitle(ctx context.Context) string {
	if p.Sources {
		return i18n.T(ctx, "homeview.changes.deliveries")
	}
	return i18n.T(ctx, "homeview.changes.title")
}

func (p Home) dataHead(ctx context.Context) string {
	if p.Sources {
		return i18n.T(ctx, "homeview.fresh.source")
	}
	return i18n.T(ctx, "homeview.fresh.data")
}

func (p Home) nextHead(ctx context.Context) string {
	if p.Sources {
		return i18n.T(ctx, "homeview.fresh.received")
	}
	return i18n.T(ctx, "homeview.fresh.next")
}

func (p Home) rulesAt() string {
	if len(p.Rules) == 0 {
		return ""
	}
	return "#page-rules"
}
