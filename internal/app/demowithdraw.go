package app

import (
	"context"

	"huoban/internal/allocation"
	"huoban/internal/fault"
	"huoban/internal/ledger"
	"huoban/internal/money"
	"huoban/internal/scope"
	"huoban/internal/withdrawal"
)

// demoFunds is the partner of the demo that moves money, and its vendor.
const (
	demoFunder = "QIHENG"
	demoDesk   = "HENGLUO"
)

// funds lets a partner of the demo take money back: one request is paid, one refused, one waits. Done twice it changes
// nothing.
func (m *demoMaker) funds(ctx context.Context) error {
	if m.owned(demoFunder) == 0 {
		return nil
	}
	pctx, partner, err := m.app.Operator(ctx, lower(demoFunder)+"-finance", "demo")
	if err != nil {
		return err
	}
	dctx, desk, err := m.app.Operator(ctx, lower(demoDesk)+"-finance", "demo")
	if err != nil {
		return err
	}
	if err := m.agreements(pctx, dctx, partner, desk); err != nil {
		return err
	}
	known, err := m.app.Withdrawals.List(pctx, partner, withdrawal.Filter{})
	if err != nil || len(known) > 0 {
		return err
	}
	if err := m.filled(ctx, desk.OrgID(), partner.OrgID()); err != nil {
		return err
	}
	if err := m.contracts(pctx, dctx, partner, desk); err != nil {
		return err
	}
	for _, x := range []struct {
		amount string
		do     []withdrawal.DoInput
	}{
		{"30000.00", []withdrawal.DoInput{{Do: withdrawal.ActionApprove}, {Do: withdrawal.ActionSucceed, Receipt: "CMB2026110300117"}}},
		{"8000.00", []withdrawal.DoInput{{Do: withdrawal.ActionRefuse, Reason: "入账银行账户已注销，请改用银行卡提现"}}},
		{"12000.00", nil},
	} {
		if err := m.takenBack(pctx, dctx, partner, desk, x.amount, x.do); err != nil {
			return err
		}
	}
	return m.allocated(pctx, partner, desk.OrgID())
}

// allocated gives two customers money and takes some of it back.
func (m *demoMaker) allocated(ctx context.Context, partner scope.Scope, vendorID string) error {
	for _, x := range []allocation.Input{{Target: "YUQIAO", Amount: "50000.00", Memo: "11 月用量预拨"}, {Target: "SONGHE", Amount: "20000.00", Memo: "新项目上线"}, {Target: "YUQIAO", Amount: "5000.00", Memo: "用量下调", Reclaim: true}} {
		if m.world.Customer(x.Target) == nil {
			continue
		}
		x.VendorID, x.Currency = vendorID, "CNY"
		if _, err := m.app.Allocations.Move(ctx, partner, []allocation.Input{x}); err != nil {
			return err
		}
	}
	return nil
}

func (m *demoMaker) takenBack(pctx, dctx context.Context, partner, desk scope.Scope, amount string, do []withdrawal.DoInput) error {
	st, err := m.app.Withdrawals.Standing(pctx, partner, desk.OrgID(), "CNY")
	if err != nil || len(st.Sources) == 0 {
		return err
	}
	r, err := m.app.Withdrawals.Apply(pctx, partner, withdrawal.Input{VendorID: desk.OrgID(), Currency: "CNY", Kind: withdrawal.KindOriginal, Takes: []withdrawal.Take{{EntryID: st.Sources[0].EntryID, Amount: amount}}})
	for _, in := range do {
		if err != nil {
			return err
		}
		_, err = m.app.Withdrawals.Do(dctx, desk, r.ID, in)
		if fault.HasCode(err, "withdrawal.two_needed") {
			err = m.byTwo(dctx, desk, r.ID)
		}
	}
	return err
}

// byTwo lets two persons of the vendor agree to a request.
func (m *demoMaker) byTwo(ctx context.Context, first scope.Scope, requestID string) error {
	_, err := m.app.Withdrawals.Do(ctx, first, requestID, withdrawal.DoInput{Do: withdrawal.ActionForward})
	if err != nil {
		return err
	}
	ctx, second, err := m.app.Operator(ctx, lower(demoDesk)+"-admin", "demo")
	if err != nil {
		return err
	}
	_, err = m.app.Withdrawals.Do(ctx, second, requestID, withdrawal.DoInput{Do: withdrawal.ActionSecond})
	return err
}

// filled sees to it that there is money to move.
func (m *demoMaker) filled(ctx context.Context, vendorID, partnerID string) error {
	w, err := m.app.Ledger.Wallet(ctx, vendorID, partnerID, "CNY")
	if err != nil || w.Balance >= 100_000*money.Unit {
		return err
	}
	_, err = m.app.Ledger.Post(ctx, ledger.Entry{VendorID: vendorID, Type: ledger.TypeRecharge, Detail: ledger.DetailRecharge, Key: "demo/funds", Number: "HK202610280001", Memo: "转账汇款", Actor: "operator",
		Lines: []ledger.Line{{Account: ledger.Of(vendorID, partnerID, ledger.KindBalance, "CNY"), Amount: 260_000 * money.Unit}, {Account: ledger.Counter(vendorID, ledger.KindBank, "CNY"), Amount: -260_000 * money.Unit}}})
	return err
}
