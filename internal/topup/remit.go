package topup

import (
	"context"
	"fmt"
	"hash/crc32"
	"strings"
	"time"
	"unicode/utf8"

	"huoban/internal/agreement"
	"huoban/internal/fault"
	"huoban/internal/flow"
	"huoban/internal/foureyes"
	"huoban/internal/id"
	"huoban/internal/ledger"
	"huoban/internal/money"
	"huoban/internal/scope"
)

// OpenAccount gives a partner its remittance account number at a vendor; the same again gives the same. It always wants
// a verification code. Faults: topup.vendor_unknown, passcode.needed, scope.permission_missing.
func (s *Service) OpenAccount(ctx context.Context, sc scope.Scope, vendorID string) (Account, error) {
	var a Account
	if err := sc.Require(scope.ItemFundsChange); err != nil {
		return a, err
	}
	err := s.Tx.InTx(ctx, func(ctx context.Context) error {
		if err := s.deals(ctx, sc, vendorID); err != nil {
			return err
		}
		was, found, err := s.Store.Account(ctx, vendorID, sc.OrgID())
		if err != nil || found {
			a = was
			return err
		}
		if s.Confirmed != nil {
			if err := s.Confirmed(ctx, sc); err != nil {
				return err
			}
		}
		a = Account{VendorID: vendorID, PartnerID: sc.OrgID(), OpenedBy: sc.Login(), OpenedAt: s.Clock.Now()}
		for turn := 0; a.Number == ""; turn++ {
			n := accountNumber(vendorID, a.PartnerID, turn)
			if _, taken, err := s.Store.AccountByNumber(ctx, vendorID, n); err != nil {
				return err
			} else if !taken {
				a.Number = n
			}
		}
		if err := s.Store.InsertAccount(ctx, a); err != nil {
			return err
		}
		return s.record(ctx, sc, a.PartnerID, "topup.open_account", "remit_account:"+Masked(a.Number), nil)
	})
	return a, err
}

// accountNumber has sixteen digits, the last of which checks the others (Luhn), so that a slip of the pen finds nobody.
func accountNumber(vendorID, partnerID string, turn int) string {
	digits := fmt.Sprintf("8866%010d%d", crc32.ChecksumIEEE(fmt.Appendf(nil, "%s/%s/%d", vendorID, partnerID, turn)), turn%10)
	return digits + string(rune('0'+luhn(digits)))
}

// luhn is the digit that makes a number with it sum to a multiple of ten.
func luhn(digits string) int {
	sum := 0
	for i := range len(digits) {
		n := int(digits[len(digits)-1-i] - '0')
		if i%2 == 0 {
			if n *= 2; n > 9 {
				n -= 9
			}
		}
		sum += n
	}
	return (10 - sum%10) % 10
}

// Accounts gives the actor's remittance accounts by vendor. Fault: scope.permission_missing.
func (s *Service) Accounts(ctx context.Context, sc scope.Scope) (map[string]Account, error) {
	if err := sc.Require(scope.ItemFundsView); err != nil {
		return nil, err
	}
	vendors, err := s.Vendors(ctx, sc.OrgID())
	if err != nil {
		return nil, err
	}
	out := map[string]Account{}
	for _, v := range vendors {
		a, found, err := s.Store.Account(ctx, v, sc.OrgID())
		if err != nil {
			return nil, err
		}
		if found {
			out[v] = a
		}
	}
	return out, nil
}

// Imported is what the import of a bank statement did.
type Imported struct {
	Rows, Known, Credited, Unclaimed int
}

// Import takes the incoming transfers of a bank statement: 财经 of the vendor. What is known by the bank's own number is
// passed over; what came to a remittance account is credited to its partner; the rest waits to be claimed. All of a
// statement or nothing of it. Faults: topup.line_differs, those of BankLine.check, scope.permission_missing.
func (s *Service) Import(ctx context.Context, sc scope.Scope, lines []BankLine) (Imported, error) {
	var out Imported
	if err := sc.Require(scope.ItemRemittance); err != nil {
		return out, err
	}
	if sc.Side() != scope.SideVendor {
		return out, fault.NotFound("topup.vendor_unknown", nil)
	}
	err := s.Tx.InTx(ctx, func(ctx context.Context) error {
		out = Imported{Rows: len(lines)}
		for i := range lines {
			if err := s.take(ctx, sc, &lines[i], &out); err != nil {
				return err
			}
		}
		return s.record(ctx, sc, sc.OrgID(), "topup.import", "bank_statement:"+s.Clock.Now().Format(time.DateOnly), map[string]any{"rows": out.Rows, "known": out.Known, "credited": out.Credited, "unclaimed": out.Unclaimed})
	})
	return out, err
}

func (s *Service) take(ctx context.Context, sc scope.Scope, l *BankLine, out *Imported) error {
	if err := l.check(); err != nil {
		return err
	}
	was, found, err := s.Store.RemittanceByRef(ctx, sc.OrgID(), l.Ref)
	if err != nil {
		return err
	}
	if found {
		if was.Amount != l.Amount || was.Currency != l.Currency {
			return fault.Conflict("topup.line_differs", fault.Args{"line": l.Line, "ref": clip(l.Ref)})
		}
		out.Known++
		return nil
	}
	now := s.Clock.Now()
	r := Remittance{ID: id.New(), VendorID: sc.OrgID(), BankRef: l.Ref, State: RemittanceUnclaimed, Version: 1, AccountNo: l.AccountNo, PayerName: l.PayerName, PayerAccount: l.PayerAccount,
		Currency: l.Currency, Amount: l.Amount, PaidOn: l.PaidOn, Purpose: l.Purpose, ImportedBy: sc.Login(), ImportedAt: now, ChangedAt: now}
	to := ledger.Counter(r.VendorID, ledger.KindSuspense, r.Currency)
	own, matched, err := s.Store.AccountByNumber(ctx, r.VendorID, r.AccountNo)
	if err != nil {
		return err
	}
	if matched {
		strange, err := s.strange(ctx, r.VendorID, own.PartnerID, r.PayerName, r.PaidOn)
		if err == nil && strange && s.Held != nil {
			err = s.Held(ctx, own.PartnerID, r)
		}
		if err != nil {
			return err
		}
		matched = !strange
	}
	if out.Unclaimed++; matched {
		out.Unclaimed--
		out.Credited++
		r.State, r.PartnerID = RemittanceCredited, own.PartnerID
		to = ledger.Of(r.VendorID, r.PartnerID, ledger.KindBalance, r.Currency)
	}
	if err := s.Store.InsertRemittance(ctx, r); err != nil {
		return err
	}
	if err := RemittanceFlow.Begin(ctx, s.Log, r.ID, r.State, sc, now, nil); err != nil {
		return err
	}
	_, err = s.Ledger.Post(ctx, ledger.Entry{VendorID: r.VendorID, Type: ledger.TypeRecharge, Detail: ledger.DetailRecharge, Key: "remittance:" + r.ID, Reference: "remittance:" + r.ID, Number: r.BankRef, Actor: sc.Login(),
		Lines: []ledger.Line{{Account: to, Amount: r.Amount}, {Account: ledger.Counter(r.VendorID, ledger.KindBank, r.Currency), Amount: -r.Amount}}})
	return err
}

// strange tells whether somebody paid for a partner without an agreement in force on the day.
func (s *Service) strange(ctx context.Context, vendorID, partnerID, payer, day string) (bool, error) {
	if s.Agreed == nil {
		return false, nil
	}
	agreed, err := s.Agreed(ctx, vendorID, partnerID, payer, day)
	return !agreed, err
}

// Match credits what came to a partner's remittance account and was held because of its payer, where an agreement covers
// it now; it runs in the transaction in which the agreement comes into force.
func (s *Service) Match(ctx context.Context, vendorID, partnerID string) error {
	own, found, err := s.Store.Account(ctx, vendorID, partnerID)
	if err != nil || !found {
		return err
	}
	list, err := s.Store.Waiting(ctx, vendorID, own.Number)
	if err != nil {
		return err
	}
	for i := range list {
		r := &list[i]
		if strange, err := s.strange(ctx, vendorID, partnerID, r.PayerName, r.PaidOn); err != nil || strange {
			if err != nil {
				return err
			}
			continue
		}
		if err := s.release(ctx, scope.System("system"), r, partnerID, RemittanceMatch, "match:"+r.ID); err != nil {
			return err
		}
	}
	return nil
}

// Remittances lists incoming transfers, the newest first: all to the vendor, its own to a partner. Fault:
// scope.permission_missing.
func (s *Service) Remittances(ctx context.Context, sc scope.Scope) ([]Remittance, error) {
	if sc.Side() == scope.SideVendor {
		if err := sc.Require(scope.ItemLedgerView); err != nil {
			return nil, err
		}
		return s.Store.Remittances(ctx, sc.OrgID(), "")
	}
	if err := sc.Require(scope.ItemFundsView); err != nil {
		return nil, err
	}
	return s.Store.Remittances(ctx, "", sc.OrgID())
}

// ClaimInput is how a partner names a transfer.
type ClaimInput struct {
	VendorID  string
	Currency  string
	Amount    money.Amount
	PaidOn    string
	PayerName string
	PayerTail string // the last four digits of the payer's account
	Note      string
}

func (in *ClaimInput) check() error {
	in.PayerName, in.PayerTail, in.Note = strings.TrimSpace(in.PayerName), strings.TrimSpace(in.PayerTail), strings.TrimSpace(in.Note)
	if _, err := time.Parse(time.DateOnly, in.PaidOn); err != nil {
		return fault.Invalid("topup.day_malformed", nil)
	}
	if in.Amount <= 0 || !in.Amount.IsCents() || !money.KnownCurrency(in.Currency) {
		return fault.Invalid("topup.amount_malformed", nil)
	}
	if in.PayerName == "" || utf8.RuneCountInString(in.PayerName) > 200 || len(in.PayerTail) != 4 || utf8.RuneCountInString(in.Note) > 500 {
		return fault.Invalid("topup.payer_malformed", nil)
	}
	return nil
}

// MakeClaim claims a transfer that came without a remittance account. What the partner says has to fit one that waits.
// Faults: topup.day_malformed, .amount_malformed, .payer_malformed, .vendor_unknown, .nothing_fits, .claimed_already,
// scope.permission_missing.
func (s *Service) MakeClaim(ctx context.Context, sc scope.Scope, in ClaimInput) (Claim, error) {
	var c Claim
	if err := sc.Require(scope.ItemFundsChange); err != nil {
		return c, err
	}
	if err := in.check(); err != nil {
		return c, err
	}
	err := s.Tx.InTx(ctx, func(ctx context.Context) error {
		if err := s.deals(ctx, sc, in.VendorID); err != nil {
			return err
		}
		strange, err := s.strange(ctx, in.VendorID, sc.OrgID(), in.PayerName, in.PaidOn)
		if err == nil && strange { // before it is told whether such a transfer came
			err = fault.Conflict("topup.payer_not_agreed", fault.Args{"payer": in.PayerName, "day": in.PaidOn})
		}
		if err != nil {
			return err
		}
		r, err := s.fitting(ctx, &in)
		if err != nil {
			return err
		}
		now := s.Clock.Now()
		c = Claim{ID: id.New(), VendorID: in.VendorID, PartnerID: sc.OrgID(), RemittanceID: r.ID, State: ClaimReviewing, Version: 1, Currency: in.Currency, Amount: in.Amount, PaidOn: in.PaidOn,
			PayerName: in.PayerName, Note: in.Note, CreatedBy: sc.Login(), CreatedAt: now}
		if err := s.Store.InsertClaim(ctx, c); err != nil {
			return err
		}
		if err := ClaimFlow.Begin(ctx, s.Log, c.ID, c.State, sc, now, nil); err != nil {
			return err
		}
		return s.record(ctx, sc, c.PartnerID, "topup.claim", "remittance_claim:"+c.ID, map[string]any{"currency": c.Currency, "amount": c.Amount.String(), "paid_on": c.PaidOn})
	})
	return c, err
}

// fitting finds the transfer that was meant: payer's name and the end of its account decide.
func (s *Service) fitting(ctx context.Context, in *ClaimInput) (Remittance, error) {
	list, err := s.Store.Unclaimed(ctx, in.VendorID, in.Currency, in.Amount, in.PaidOn)
	if err != nil {
		return Remittance{}, err
	}
	for i := range list {
		if agreement.SameName(list[i].PayerName, in.PayerName) && strings.HasSuffix(list[i].PayerAccount, in.PayerTail) {
			return list[i], nil
		}
	}
	return Remittance{}, fault.NotFound("topup.nothing_fits", nil)
}

// Claims lists claims, what waits first: all to the vendor, its own to a partner. Fault: scope.permission_missing.
func (s *Service) Claims(ctx context.Context, sc scope.Scope) ([]Claim, error) {
	if sc.Side() == scope.SideVendor {
		if err := sc.Require(scope.ItemLedgerView, scope.ItemRemittance); err != nil {
			return nil, err
		}
		return s.Store.Claims(ctx, sc.OrgID(), "")
	}
	if err := sc.Require(scope.ItemFundsView); err != nil {
		return nil, err
	}
	return s.Store.Claims(ctx, "", sc.OrgID())
}

// Claim reads one of Claims. Fault: topup.claim_unknown.
func (s *Service) Claim(ctx context.Context, sc scope.Scope, claimID string) (Claim, error) {
	c, found, err := s.Store.Claim(ctx, claimID)
	own := sc.Side() == scope.SidePartner && c.PartnerID == sc.OrgID() || sc.Side() == scope.SideVendor && c.VendorID == sc.OrgID()
	if err == nil && (!found || !own) {
		err = fault.NotFound("topup.claim_unknown", nil)
	}
	return c, err
}

// ClaimActions are what the actor may do with a claim.
func (s *Service) ClaimActions(ctx context.Context, sc scope.Scope, c *Claim) ([]flow.Button, error) {
	facts, err := s.claimFacts(ctx, c)
	if err != nil {
		return nil, err
	}
	return ClaimFlow.Allowed(c.State, facts, sc, s.Clock.Now()), nil
}

// claimFacts are what the guards judge. Who decided a claim while it waits for another approved it first; a payer is asked
// about where the claim is still to be decided and did not come under the partner's own name.
func (s *Service) claimFacts(ctx context.Context, c *Claim) (Facts, error) {
	f := Facts{PartnerID: c.PartnerID, VendorID: c.VendorID, Payer: c.PayerName, Day: c.PaidOn}
	if c.State != ClaimReviewing && c.State != ClaimSecond {
		return f, nil
	}
	var limits foureyes.Limits
	var err error
	if s.Limits != nil {
		limits, err = s.Limits(ctx, c.VendorID)
	}
	f.Case = foureyes.Case{Needed: limits.Needed(foureyes.KindClaim, c.Currency, c.Amount.Exact())}
	if c.State == ClaimSecond {
		f.Case = foureyes.Case{First: c.DecidedBy, Needed: true}
	}
	if err != nil || agreement.SameName(c.PayerName, c.PartnerName) {
		return f, err
	}
	f.Strange, err = s.strange(ctx, c.VendorID, c.PartnerID, c.PayerName, c.PaidOn)
	return f, err
}

// Approve is what the next approval of a claim is: the only one, the first or the second of two.
func (s *Service) Approve(ctx context.Context, sc scope.Scope, claimID string) (Claim, error) {
	c, err := s.Claim(ctx, sc, claimID)
	if err != nil {
		return c, err
	}
	f, err := s.claimFacts(ctx, &c)
	if err != nil {
		return c, err
	}
	do := ClaimApprove
	switch {
	case c.State == ClaimSecond:
		do = ClaimApproveSecond
	case f.Needed:
		do = ClaimForward
	}
	return s.Decide(ctx, sc, claimID, do, "")
}

// Decide approves, refuses or withdraws a claim; what is approved is credited at once. Faults: topup.claim_unknown,
// .not_own, .payer_not_agreed, those of flow.Fire.
func (s *Service) Decide(ctx context.Context, sc scope.Scope, claimID string, do ClaimAction, reason string) (Claim, error) {
	var c Claim
	err := s.Tx.InTx(ctx, func(ctx context.Context) (err error) {
		if c, err = s.Claim(ctx, sc, claimID); err != nil {
			return err
		}
		facts, err := s.claimFacts(ctx, &c)
		if err != nil {
			return err
		}
		now, from := s.Clock.Now(), c.State
		err = ClaimFlow.Fire(ctx, s.Log, flow.Move[ClaimState, ClaimAction, Facts]{Entity: c.ID, State: c.State, Version: c.Version, Do: do, Facts: facts, Who: sc, Now: now, Reason: reason},
			func(ctx context.Context, to ClaimState) (bool, error) {
				c.State, c.DecidedBy, c.DecidedAt, c.Reason = to, sc.Login(), now, strings.TrimSpace(reason)
				won, err := s.Store.SetClaim(ctx, c, from)
				c.Version++
				return won, err
			})
		if err != nil {
			return err
		}
		if c.State == ClaimApproved {
			if err := s.credit(ctx, sc, &c); err != nil {
				return err
			}
		}
		if s.Told != nil && (c.State == ClaimApproved || c.State == ClaimRefused) {
			if err := s.Told(ctx, c); err != nil {
				return err
			}
		}
		return s.record(ctx, sc, c.PartnerID, "topup."+string(do)+"_claim", "remittance_claim:"+c.ID, map[string]any{"reason": c.Reason, "amount": c.Amount.String(), "currency": c.Currency})
	})
	return c, err
}

// credit moves what was claimed from the unclaimed to the partner.
func (s *Service) credit(ctx context.Context, sc scope.Scope, c *Claim) error {
	r, found, err := s.Store.Remittance(ctx, c.RemittanceID)
	if err != nil || !found {
		return fault.NotFound("topup.claim_unknown", nil).Because(err)
	}
	return s.release(ctx, sc, &r, c.PartnerID, RemittanceClaim, "claim:"+c.ID)
}

// release gives a transfer that nobody had to a partner.
func (s *Service) release(ctx context.Context, sc scope.Scope, r *Remittance, partnerID string, do RemittanceAction, key string) error {
	now, from := s.Clock.Now(), r.State
	err := RemittanceFlow.Fire(ctx, s.Log, flow.Move[RemittanceState, RemittanceAction, Facts]{Entity: r.ID, State: r.State, Version: r.Version, Do: do, Who: scope.System(sc.Login()), Now: now},
		func(ctx context.Context, to RemittanceState) (bool, error) {
			r.State, r.PartnerID, r.ChangedAt = to, partnerID, now
			return s.Store.SetRemittance(ctx, *r, from)
		})
	if err != nil {
		return err
	}
	_, err = s.Ledger.Post(ctx, ledger.Entry{VendorID: r.VendorID, Type: ledger.TypeRecharge, Detail: ledger.DetailRecharge, Key: key, Reference: "remittance:" + r.ID, Number: r.BankRef, Actor: sc.Login(),
		Lines: []ledger.Line{{Account: ledger.Of(r.VendorID, partnerID, ledger.KindBalance, r.Currency), Amount: r.Amount}, {Account: ledger.Counter(r.VendorID, ledger.KindSuspense, r.Currency), Amount: -r.Amount}}})
	return err
}
