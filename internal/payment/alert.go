package payment

import (
	"context"
	"slices"
	"time"

	"huoban/internal/audit"
	"huoban/internal/fault"
	"huoban/internal/ledger"
	"huoban/internal/money"
	"huoban/internal/scope"
)

// Alert is 余额预警: when the balance of the top-up account falls below the threshold, people are told.
type Alert struct {
	VendorID, PartnerID, Currency string
	Threshold                     money.Amount
	UpdatedBy                     string
	UpdatedAt                     time.Time
}

// Alerts lists what a partner has set. Fault: scope.permission_missing.
func (s *Service) Alerts(ctx context.Context, sc scope.Scope) ([]Alert, error) {
	if err := sc.Require(scope.ItemFundsView); err != nil {
		return nil, err
	}
	return s.Store.Alerts(ctx, sc.OrgID())
}

// SetAlert sets the threshold, or takes the alert off with 0; the same again changes nothing. vendors are those the
// partner deals with. Faults: payment.threshold_malformed, .vendor_unknown, scope.permission_missing.
func (s *Service) SetAlert(ctx context.Context, sc scope.Scope, a Alert, vendors []string) error {
	if err := sc.Require(scope.ItemFundsChange); err != nil {
		return err
	}
	if a.Threshold < 0 || !a.Threshold.IsCents() || !money.KnownCurrency(a.Currency) {
		return fault.Invalid("payment.threshold_malformed", nil)
	}
	if !slices.Contains(vendors, a.VendorID) {
		return fault.NotFound("payment.vendor_unknown", nil)
	}
	a.PartnerID, a.UpdatedBy, a.UpdatedAt = sc.OrgID(), sc.Login(), s.Clock.Now()
	return s.Tx.InTx(ctx, func(ctx context.Context) error {
		was, found, err := s.Store.Alert(ctx, a.VendorID, a.PartnerID, a.Currency)
		if err != nil || was.Threshold == a.Threshold {
			return err
		}
		if a.Threshold == 0 {
			err = s.Store.DropAlert(ctx, a)
		} else {
			err = s.Store.SaveAlert(ctx, a)
		}
		if err != nil {
			return err
		}
		before := ""
		if found {
			before = was.Threshold.String()
		}
		return s.Audit.Record(ctx, audit.Entry{Actor: sc.Login(), OrgID: a.PartnerID, Action: "payment.set_alert", Object: "balance:" + a.Currency, Outcome: audit.OutcomeDone,
			Detail: map[string]any{"before": before, "after": a.Threshold.String()}})
	})
}

// Watch hears of every account that moved, in the transaction of the entry, and tells of a balance that fell below its
// threshold with it.
func (s *Service) Watch(ctx context.Context, st ledger.State, before money.Amount) error {
	if st.Kind != ledger.KindBalance || st.Balance >= before || s.Low == nil {
		return nil
	}
	a, found, err := s.Store.Alert(ctx, st.VendorID, st.PartnerID, st.Currency)
	if err != nil || !found || before < a.Threshold || st.Balance >= a.Threshold {
		return err
	}
	return s.Low(ctx, a, st.Balance)
}
