package commits

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"strings"
	"time"

	"huoban/internal/app"
	"huoban/internal/audit"
	"huoban/internal/clock"
	"huoban/internal/fault"
	"huoban/internal/id"
	"huoban/internal/scope"
	"huoban/internal/store"
	"huoban/internal/topup"
)

// workflow refuses claims of transfers (汇款认领) in the portal as it is served: the actor's sight of the claim, the vendor's
// amount for one person, the guards, the compare-and-set, the transition log, the messages to everybody of the partner who
// sees its funds, and the audit row. With many writers every sixteenth request must be refused by the state.
func workflow(ctx context.Context, target string, writers int) (*contender, error) {
	settings := app.Settings{Addr: "127.0.0.1:0", BaseURL: "http://localhost"}
	if strings.Contains(target, "://") {
		settings.DB, settings.Data = target, os.TempDir()
	} else {
		settings.Data = target
	}
	if err := os.MkdirAll(settings.Data, 0o700); err != nil {
		return nil, err
	}
	a, err := app.Open(ctx, settings, app.Options{Clock: clock.System(), Log: slog.New(slog.DiscardHandler)})
	if err != nil {
		return nil, err
	}
	if _, err := a.Demo(ctx); err != nil {
		return nil, err
	}
	who, claims, err := claimsToRefuse(ctx, a, writers)
	if err != nil {
		return nil, err
	}
	at := make([]int, writers)
	one := func(w int) error {
		n := at[w]
		at[w]++
		if n >= len(claims[w]) {
			return errors.New("more claims are needed")
		}
		if writers > 1 && n%16 == 15 {
			if _, err := a.TopUps.Decide(ctx, who, claims[w][n-1], topup.ClaimRefuse, "again"); !fault.HasCode(err, "flow.not_from_state") {
				return fmt.Errorf("a second refusal: %w", err)
			}
		}
		_, err := a.TopUps.Decide(ctx, who, claims[w][n], topup.ClaimRefuse, "凭证与银行流水不符")
		return err
	}
	return &contender{writers: writers, one: one, close: func() { a.Close() }, proved: func(count int64) error { return refused(ctx, a, count) }}, nil
}

// claimsToRefuse makes the claims, which is not measured, and gives somebody of the vendor who may decide them.
func claimsToRefuse(ctx context.Context, a *app.App, writers int) (who scope.Scope, lists [][]string, err error) {
	vendor, err := a.Organisations.ByCode(ctx, scope.System("operator"), "LANHAI")
	if err != nil {
		return who, nil, err
	}
	partner, err := a.Organisations.ByCode(ctx, scope.System("operator"), "YUNXIU")
	if err != nil {
		return who, nil, err
	}
	total, now := 30_000, store.At(time.Now())
	lists = make([][]string, writers)
	transfers := make([]string, total)
	err = a.DB.InBulk(ctx, func(ctx context.Context) error {
		n := 0
		_, err := a.DB.Bulk(ctx, "remittance", []string{"id", "vendor_id", "bank_ref", "state", "version", "account_no", "payer_name", "payer_account", "currency", "amount_e8", "paid_on", "purpose",
			"imported_by", "imported_at", "changed_at"}, func() ([]any, bool, error) {
			if n == total {
				return nil, false, nil
			}
			transfers[n] = id.New()
			n++
			return []any{transfers[n-1], vendor.ID, fmt.Sprint("B", n), "unclaimed", int64(1), "", "云岫数科", "6222000000000001", "CNY", int64(n) * 1e6, "2026-01-05", "", "bench", now, now}, true, nil
		})
		if err != nil {
			return err
		}
		n = 0
		_, err = a.DB.Bulk(ctx, "remittance_claim", []string{"id", "vendor_id", "partner_id", "remittance_id", "state", "version", "currency", "amount_e8", "paid_on", "payer_name", "note", "created_by", "created_at",
			"decided_by", "reason"}, func() ([]any, bool, error) {
			if n == total {
				return nil, false, nil
			}
			key := id.New()
			lists[n%writers] = append(lists[n%writers], key)
			n++
			return []any{key, vendor.ID, partner.ID, transfers[n-1], "reviewing", int64(1), "CNY", int64(n) * 1e6, "2026-01-05", "云岫数科", "", "bench", now, "", ""}, true, nil
		})
		return err
	})
	return scope.Vendor(vendor.ID, "", "lanhai-finance", []scope.Item{scope.ItemLedgerView, scope.ItemRemittance}), lists, err
}

// refused: what was acknowledged is stored, each with its move, its message and its audit row, and the chain holds.
func refused(ctx context.Context, a *app.App, want int64) error {
	for _, part := range []string{"remittance_claim WHERE state = 'refused'", "transition_log WHERE machine = 'remittance_claim'", "audit WHERE action = 'topup.refuse_claim'"} {
		var have int64
		if err := a.DB.Row(ctx, store.Query{Name: "bench.Count", Text: "select count(*) from " + part}, "bench.none", nil, &have); err != nil {
			return err
		}
		if have != want {
			return fmt.Errorf("%d acknowledged, %d in %s", want, have, part)
		}
	}
	var told int64
	if err := a.DB.Row(ctx, store.Query{Name: "bench.Told", Text: "select count(*) from message where code = 'claim_refused'"}, "bench.none", nil, &told); err != nil {
		return err
	}
	if told < want {
		return fmt.Errorf("%d acknowledged, %d messages", want, told)
	}
	report, err := audit.Verify(ctx, a.AuditStore, a.Key, nil)
	if err == nil && report.Broken != nil {
		err = fmt.Errorf("the audit chain is broken: %w", report.Broken)
	}
	return err
}
