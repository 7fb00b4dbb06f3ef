package delivery

import (
	"context"
	"sort"
	"strconv"

	"huoban/internal/money"
	"huoban/internal/usage"
)

func itoa(n int64) string { return strconv.FormatInt(n, 10) }

// warn notes what does not block: rows of others left out, accounts that vanished, lines nobody claims.
func (im *importing) warn(ctx context.Context, plans []plan) error {
	if im.w.skipped > 0 {
		im.add("delivery.warning.skipped", map[string]any{"count": im.w.skipped})
	}
	for _, p := range plans {
		if p.same() {
			continue
		}
		if p.prior != 0 {
			if err := im.vanished(ctx, p); err != nil {
				return err
			}
		}
		unmapped := map[string]usage.Sum{}
		err := im.s.Store.EachSummary(ctx, p.slot, func(x *usage.Summary) error {
			if x.CustomerID != usage.CustomerUnmapped {
				return nil
			}
			total := unmapped[x.Currency]
			if err := total.Add(x.Sum); err != nil {
				return err
			}
			unmapped[x.Currency] = total
			return nil
		})
		if err != nil {
			return err
		}
		for _, currency := range sortedKeys(unmapped) {
			u := unmapped[currency]
			im.add("delivery.warning.unmapped", map[string]any{"cycle": string(p.cycle), "currency": currency, "count": u.Lines, "sum": u.Billed.String()})
		}
	}
	return nil
}

func (im *importing) add(code string, args map[string]any) {
	im.res.Warnings = append(im.res.Warnings, Warning{Code: code, Args: args})
}

type accountKey struct{ billing, sub, currency string }

// vanished warns of accounts that were delivered for the period before and are missing now.
func (im *importing) vanished(ctx context.Context, p plan) error {
	was, err := im.byAccount(ctx, p.prior)
	if err != nil {
		return err
	}
	is, err := im.byAccount(ctx, p.slot)
	if err != nil {
		return err
	}
	var gone []accountKey
	for k := range was {
		if _, still := is[k]; !still {
			gone = append(gone, k)
		}
	}
	sort.Slice(gone, func(i, j int) bool {
		a, b := gone[i], gone[j]
		return a.billing+"\x00"+a.sub+"\x00"+a.currency < b.billing+"\x00"+b.sub+"\x00"+b.currency
	})
	for _, k := range gone {
		im.add("delivery.warning.account_vanished", map[string]any{"cycle": string(p.cycle), "account": k.billing, "sub_account": k.sub,
			"currency": k.currency, "sum": was[k].String()})
	}
	return nil
}

func (im *importing) byAccount(ctx context.Context, slot int64) (map[accountKey]money.Exact, error) {
	type both struct {
		account  usage.Hash
		currency string
	}
	sums, ids := map[both]money.Exact{}, map[usage.Hash]bool{}
	err := im.s.Store.EachSummary(ctx, slot, func(x *usage.Summary) error {
		k := both{x.AccountID, x.Currency}
		sums[k], ids[x.AccountID] = sums[k].Add(x.Billed), true
		return nil
	})
	if err != nil {
		return nil, err
	}
	accounts, err := im.s.Store.Accounts(ctx, ids)
	if err != nil {
		return nil, err
	}
	out := map[accountKey]money.Exact{}
	for k, sum := range sums {
		a := accounts[k.account]
		to := accountKey{a.BillingAccount, a.SubAccount, k.currency}
		out[to] = out[to].Add(sum)
	}
	return out, nil
}

func sortedKeys[V any](m map[string]V) []string {
	out := make([]string, 0, len(m))
	for k := range m {
		out = append(out, k)
	}
	sort.Strings(out)
	return out
}
