package app

import (
	"context"
	"slices"

	"huoban/internal/creditline"
	"huoban/internal/cycle"
	"huoban/internal/demo"
	"huoban/internal/fault"
	"huoban/internal/foureyes"
	"huoban/internal/money"
	"huoban/internal/payment"
	"huoban/internal/scope"
	"huoban/internal/topup"
)

// demoPays says which part of the newest bills partners of the demo have money for; all others have enough.
var demoPays = map[string]money.Exact{"MULAN": money.MustExact("0.6"), "YANSHI": money.MustExact("0")}

// demoClerk is somebody of a partner's who sees to its funds; it needs no code, which only persons are asked for.
func demoClerk(partnerID, code string) scope.Scope {
	return scope.Partner(partnerID, "", lower(code)+"-finance", []scope.Item{scope.ItemFundsView, scope.ItemFundsChange}, nil)
}

func demoCashier(vendorID, code string) scope.Scope {
	return scope.Vendor(vendorID, "", lower(code)+"-finance", []scope.Item{scope.ItemLedgerView, scope.ItemCreditChange, scope.ItemRemittance})
}

// fund lets partners transfer what the bills of a cycle ask, to their remittance accounts; "" = those of all cycles.
// Each transfer goes by the bill's name; what was imported before is enough, so that done twice it changes nothing.
func (m *demoMaker) fund(ctx context.Context, c cycle.Cycle) error {
	bills, err := m.app.Payments.Store.Bills(ctx, payment.Filter{Open: true})
	if err != nil {
		return err
	}
	byVendor := map[string][]topup.BankLine{}
	var vendors []scope.Scope
	for i := range bills {
		b := &bills[i]
		if c != "" && b.Cycle != c || b.State != payment.StateIssued {
			continue
		}
		line, wanted, err := m.transfer(ctx, b, c)
		if err != nil {
			return err
		}
		if !wanted {
			continue
		}
		if byVendor[b.VendorID] == nil {
			vendors = append(vendors, demoCashier(b.VendorID, b.VendorCode))
		}
		byVendor[b.VendorID] = append(byVendor[b.VendorID], line)
	}
	for _, sc := range vendors {
		if _, err := m.app.TopUps.Import(ctx, sc, byVendor[sc.OrgID()]); err != nil {
			return err
		}
	}
	if c != "" && c == m.lastIssued() {
		return m.claim(ctx, c)
	}
	return nil
}

// lastIssued is the newest cycle whose bills are issued.
func (m *demoMaker) lastIssued() cycle.Cycle {
	over := m.world.Over()
	if len(over) < 2 {
		return ""
	}
	return over[len(over)-2]
}

// transfer is what a partner pays in for a bill beside what it has: in whole thousands, a little more than is asked.
func (m *demoMaker) transfer(ctx context.Context, b *payment.Bill, c cycle.Cycle) (topup.BankLine, bool, error) {
	own, err := m.app.TopUps.OpenAccount(ctx, demoClerk(b.PartnerID, b.PartnerCode), b.VendorID)
	if err != nil {
		return topup.BankLine{}, false, err
	}
	ref := "DEMO-" + b.PartnerCode + "-" + string(b.Cycle) + "-" + b.Currency + "-" + b.EntityCode
	if _, known, err := m.app.TopUps.Store.RemittanceByRef(ctx, b.VendorID, ref); err != nil || known {
		return topup.BankLine{}, false, err
	}
	const step = 1000 * money.Unit
	has, err := m.app.Ledger.Wallet(ctx, b.VendorID, b.PartnerID, b.Currency)
	if err != nil {
		return topup.BankLine{}, false, err
	}
	amount := ((b.Due-has.Balance)/step + 2) * step
	if part, poor := demoPays[b.PartnerCode]; poor && c != "" && c == m.lastIssued() {
		if amount, err = b.Due.Exact().Mul(part).Amount(); err != nil {
			return topup.BankLine{}, false, err
		}
		amount -= has.Balance
		amount -= amount % step
	}
	return topup.BankLine{Ref: ref, PaidOn: m.clock.Now().In(cycle.Zone).Format("2006-01-02"), Currency: b.Currency, Amount: amount,
		PayerName: b.PartnerName, PayerAccount: "62220000000" + own.Number[len(own.Number)-8:], AccountNo: own.Number, Purpose: string(b.Cycle)}, amount > 0, nil
}

// claim lets two transfers come without a remittance account. One was claimed and is credited, the other's claim waits.
func (m *demoMaker) claim(ctx context.Context, c cycle.Cycle) error {
	vendor, err := m.app.Organisations.ByCode(ctx, m.sc, demo.Vendor)
	if err != nil {
		return err
	}
	partner, err := m.app.Organisations.ByCode(ctx, m.sc, "GUANGZHU")
	if err != nil {
		return err
	}
	cashier, clerk := demoCashier(vendor.ID, vendor.Code), demoClerk(partner.ID, partner.Code)
	if err := m.limit(ctx, vendor.ID, foureyes.KindClaim, "50000"); err != nil {
		return err
	}
	day := m.clock.Now().In(cycle.Zone).Format("2006-01-02")
	line := func(ref string, amount money.Amount) topup.BankLine {
		return topup.BankLine{Ref: "DEMO-" + ref + "-" + string(c), PaidOn: day, Currency: "CNY", Amount: amount, PayerName: partner.Name, PayerAccount: "6222000000001616", Purpose: "货款"}
	}
	lines := []topup.BankLine{line("LOOSE-1", 30_000*money.Unit), line("LOOSE-2", 18_500*money.Unit), line("LOOSE-3", 9_900*money.Unit)}
	if _, err := m.app.TopUps.Import(ctx, cashier, lines); err != nil {
		return err
	}
	done, err := m.app.TopUps.Claims(ctx, clerk)
	if err != nil {
		return err
	}
	for i, l := range lines[:2] {
		at := slices.IndexFunc(done, func(x topup.Claim) bool { return x.Amount == l.Amount })
		if at < 0 {
			x, err := m.app.TopUps.MakeClaim(ctx, clerk, topup.ClaimInput{VendorID: vendor.ID, Currency: l.Currency, Amount: l.Amount, PaidOn: l.PaidOn, PayerName: l.PayerName, PayerTail: "1616", Note: "转账时未填写专属汇款账号"})
			if err != nil {
				return err
			}
			at, done = len(done), append(done, x)
		}
		if i == 0 && done[at].State == topup.ClaimReviewing {
			if _, err := m.app.TopUps.Decide(ctx, cashier, done[at].ID, topup.ClaimApprove, ""); err != nil {
				return err
			}
		}
	}
	if err := m.credit(ctx, cashier, partner.ID); err != nil {
		return err
	}
	return m.app.Payments.SetAlert(ctx, clerk, payment.Alert{VendorID: vendor.ID, Currency: "CNY", Threshold: 20_000 * money.Unit}, []string{vendor.ID})
}

// credit gives a partner a line that one person sets, and proposes a higher one that waits for another person.
func (m *demoMaker) credit(ctx context.Context, cashier scope.Scope, partnerID string) error {
	if err := m.limit(ctx, cashier.OrgID(), foureyes.KindCredit, "300000"); err != nil {
		return err
	}
	done, err := m.app.Credits.List(ctx, cashier)
	if err != nil || len(done) > 0 {
		return err
	}
	for _, in := range []creditline.Input{{Line: 200_000 * money.Unit, Memo: "年度授信"}, {Line: 500_000 * money.Unit, Memo: "四季度项目备货"}} {
		in.PartnerID, in.Currency = partnerID, "CNY"
		if _, err := m.app.Credits.Propose(ctx, cashier, in); err != nil {
			return err
		}
	}
	return nil
}

// limit sets up to which amount one person of a vendor decides.
func (m *demoMaker) limit(ctx context.Context, vendorID string, kind foureyes.Kind, amount string) error {
	who := scope.Vendor(vendorID, "", lower(demo.Vendor)+"-admin", []scope.Item{scope.ItemLimitChange})
	_, err := m.app.FourEyes.Set(ctx, who, foureyes.SetInput{Kind: kind, Currency: "CNY", Amount: amount})
	if fault.HasCode(err, "foureyes.changed_meanwhile") {
		return nil // somebody who looks at the demo chose another
	}
	return err
}

// collect takes what is due on the day of the step.
func (m *demoMaker) collect(ctx context.Context) error {
	_, err := m.app.Payments.Collect(ctx)
	return err
}
