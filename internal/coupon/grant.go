package coupon

import (
	"context"
	"slices"
	"time"

	"huoban/internal/fault"
	"huoban/internal/flow"
	"huoban/internal/id"
	"huoban/internal/money"
	"huoban/internal/scope"
)

// GrantInput is what a vendor gives a partner: a quota, or with Direct a voucher for its own bills.
type GrantInput struct {
	PartnerID string
	Direct    bool
	Kind      Kind
	Currency  string
	Value     money.Amount
	From, To  time.Time
	Limits    Limits
	Memo      string
}

// Validate checks what needs no look-up. Faults: coupon.kind_unknown, .amount_wrong, .currency_unknown, .memo_too_long,
// .limit_too_many, .order_kind_unknown, .order_kind_of_bill (lines of bills have none), .order_amount_wrong,
// .order_bounds_crossed.
func (in *GrantInput) Validate() error {
	in.Limits, in.Memo = in.Limits.Tidy(), clean(in.Memo)
	switch {
	case !slices.Contains(Kinds, in.Kind):
		return fault.Invalid("coupon.kind_unknown", nil)
	case !money.KnownCurrency(in.Currency):
		return fault.Invalid("coupon.currency_unknown", nil)
	}
	if err := checkAmount(in.Value); err != nil {
		return err
	}
	if err := checkMemo(in.Memo); err != nil {
		return err
	}
	if in.Direct && len(in.Limits.Orders) > 0 {
		return fault.Invalid("coupon.order_kind_of_bill", nil)
	}
	return in.Limits.validate(MaxOwnLimit)
}

// Grant gives a partner of the vendor a quota, or a voucher for its bills. Above the configured amount it waits for a
// second person. One of the two answers is set. Faults: those of Validate, coupon.vendor_decides, .partner_unknown,
// .validity_wrong, scope.permission_missing.
func (s *Service) Grant(ctx context.Context, sc scope.Scope, in GrantInput) (*Quota, *Coupon, error) {
	if err := sc.Require(scope.ItemCouponGrant); err != nil {
		return nil, nil, err
	}
	if sc.Side() != scope.SideVendor {
		return nil, nil, fault.Denied("coupon.vendor_decides", nil)
	}
	if err := in.Validate(); err != nil {
		return nil, nil, err
	}
	var quota *Quota
	var voucher *Coupon
	err := s.Tx.InTx(ctx, func(ctx context.Context) error {
		quota, voucher = nil, nil
		now := s.Clock.Now()
		if err := checkTimes(in.From, in.To, now); err != nil {
			return err
		}
		if err := s.mayReceive(ctx, sc, in.PartnerID); err != nil {
			return err
		}
		two, err := s.two(ctx, sc.OrgID(), in.Currency, in.Value)
		if err != nil {
			return err
		}
		nextQuota, nextVoucher, err := s.Store.NextNumbers(ctx, sc.OrgID())
		if err != nil {
			return err
		}
		if in.Direct {
			c := Coupon{ID: id.New(), VendorID: sc.OrgID(), Number: nextVoucher, IssuerID: sc.OrgID(), HolderID: in.PartnerID, Level: LevelPartner, Kind: in.Kind,
				Currency: in.Currency, Face: in.Value, Balance: in.Value, State: StateUsable, From: in.From, To: in.To, Limits: in.Limits, Memo: in.Memo,
				IssuedBy: sc.Login(), Version: 1, CreatedAt: now, Changed: now}
			if two {
				c.State = StateInactive
			}
			voucher = &c
			return s.giveCoupon(ctx, sc, c)
		}
		q := Quota{ID: id.New(), VendorID: sc.OrgID(), Number: nextQuota, OwnerID: in.PartnerID, GiverID: sc.OrgID(), Kind: in.Kind, Currency: in.Currency,
			Value: in.Value, Balance: in.Value, State: QuotaNormal, From: in.From, To: in.To, Limits: in.Limits, Memo: in.Memo, ProposedBy: sc.Login(),
			Version: 1, CreatedAt: now, Changed: now}
		if two {
			q.State = QuotaPending
		}
		quota = &q
		return s.giveQuota(ctx, sc, q, nil)
	})
	return quota, voucher, err
}

// mayReceive refuses whoever is no partner of the vendor, or only one by way of a distributor.
func (s *Service) mayReceive(ctx context.Context, sc scope.Scope, partnerID string) error {
	unknown := fault.Invalid("coupon.partner_unknown", nil)
	partner, err := s.Organisations.ByID(ctx, sc, partnerID)
	if fault.Is(err, fault.KindNotFound) || err == nil && (!partner.Kind.IsPartner() || partner.ParentID != "") {
		return unknown
	}
	return err
}

func (s *Service) giveQuota(ctx context.Context, sc scope.Scope, q Quota, parent *Quota) error {
	if err := s.Store.InsertQuota(ctx, q); err != nil {
		return err
	}
	if err := QuotaFlow.Begin(ctx, s.Log, q.ID, q.State, sc, q.CreatedAt, nil); err != nil {
		return err
	}
	if err := s.audit(ctx, sc, "coupon.quota_grant", "coupon_quota:"+q.ID, quotaDetail(&q), q.GiverID, q.OwnerID, q.VendorID); err != nil {
		return err
	}
	if q.State == QuotaPending {
		return s.tell(ctx, q.VendorID, scope.ItemCouponReview, "coupon_review", "/coupons/quotas/"+q.ID, quotaArgs(&q))
	}
	return s.granted(ctx, sc, q, parent)
}

// granted is what follows once a quota stands: two records, one per side, and a message.
func (s *Service) granted(ctx context.Context, sc scope.Scope, q Quota, parent *Quota) error {
	of := entry{op: OpGrantQuota, vendorID: q.VendorID, quota: &q, amount: q.Value, currency: q.Currency, remark: q.Memo, operator: sc.Login(), from: q.GiverID, to: q.OwnerID}
	all := []entry{of}
	if parent != nil { // the giver's log names the quota it was taken from
		giver, taker := of, of
		giver.quota, giver.onlyGiver = parent, true
		taker.from, taker.to, taker.onlyGiver, taker.remark = q.OwnerID, q.GiverID, true, ""
		all = []entry{giver, taker}
	}
	if err := s.records(ctx, all...); err != nil {
		return err
	}
	return s.tell(ctx, q.OwnerID, scope.ItemQuotaView, "coupon_quota_granted", "/coupons/quotas/"+q.ID, quotaArgs(&q))
}

func (s *Service) giveCoupon(ctx context.Context, sc scope.Scope, c Coupon) error {
	if err := s.Store.InsertCoupons(ctx, []Coupon{c}); err != nil {
		return err
	}
	if err := Flow.Begin(ctx, s.Log, c.ID, c.State, sc, c.CreatedAt, nil); err != nil {
		return err
	}
	if err := s.audit(ctx, sc, "coupon.issue", "coupon:"+c.ID, couponDetail(&c), c.IssuerID, c.HolderID); err != nil {
		return err
	}
	if c.State == StateInactive {
		return s.tell(ctx, c.VendorID, scope.ItemCouponReview, "coupon_review", "/coupons/"+c.ID, couponArgs(&c))
	}
	return s.activated(ctx, sc, &c)
}

// activated is what follows once a partner's voucher may be used.
func (s *Service) activated(ctx context.Context, sc scope.Scope, c *Coupon) error {
	err := s.records(ctx, entry{op: OpIssue, vendorID: c.VendorID, coupon: c, amount: c.Face, currency: c.Currency, remark: c.Memo, operator: sc.Login(), from: c.IssuerID, to: c.HolderID})
	if err != nil {
		return err
	}
	return s.tell(ctx, c.HolderID, scope.ItemCouponView, "coupon_issued", "/coupons/"+c.ID, couponArgs(c))
}

func quotaArgs(q *Quota) fault.Args {
	return fault.Args{"Name": q.Name(), "Amount": q.Value.String(), "Currency": q.Currency}
}

func couponArgs(c *Coupon) fault.Args {
	return fault.Args{"Name": c.Name(), "Amount": c.Face.String(), "Currency": c.Currency}
}

func quotaDetail(q *Quota) map[string]any {
	return map[string]any{"number": q.Name(), "owner": q.OwnerID, "value": q.Value.String(), "balance": q.Balance.String(), "currency": q.Currency, "state": string(q.State),
		"from": dayText(q.From), "to": dayText(q.To)}
}

func couponDetail(c *Coupon) map[string]any {
	return map[string]any{"number": c.Name(), "holder": c.HolderID, "face": c.Face.String(), "balance": c.Balance.String(), "currency": c.Currency, "state": string(c.State),
		"from": dayText(c.From), "to": dayText(c.To)}
}

// QuotaDo fires an action on a quota; change is by how much an adjustment raises or lowers it. Faults:
// coupon.quota_unknown, .amount_wrong, those of the guards and of flow.Fire.
func (s *Service) QuotaDo(ctx context.Context, sc scope.Scope, quotaID string, do QuotaAction, reason string, change money.Amount) (Quota, error) {
	if do == QuotaReclaim {
		if err := s.confirmed(ctx, sc); err != nil {
			return Quota{}, err
		}
	}
	var out Quota
	err := s.Tx.InTx(ctx, func(ctx context.Context) error {
		q, err := s.Quota(ctx, sc, quotaID)
		if err != nil {
			return err
		}
		if do == QuotaAdjust {
			if change == 0 || !change.IsCents() {
				return fault.Invalid("coupon.amount_wrong", nil)
			}
			q.Change = change
		}
		out, err = s.fireQuota(ctx, sc, q, do, clean(reason))
		return err
	})
	return out, err
}

func (s *Service) fireQuota(ctx context.Context, sc scope.Scope, q Quota, do QuotaAction, reason string) (Quota, error) {
	now, next := s.Clock.Now(), q
	taken := q.Balance
	next.Changed = now
	switch do {
	case QuotaAdjust:
		next.ProposedBy = sc.Login()
	case QuotaSettle:
		next.Value, next.Balance, next.Change, next.DecidedBy = q.Value+q.Change, q.Balance+q.Change, 0, sc.Login()
	case QuotaApprove, QuotaRefuse:
		next.Change, next.DecidedBy = 0, sc.Login()
	case QuotaReclaim:
		next.Issued, next.Balance = q.Issued+taken, 0
	case QuotaInvalidate, QuotaExpire:
		next.Change = 0
	}
	if reason != "" {
		next.Reason = reason
	}
	facts, err := s.quotaFacts(ctx, &q)
	if err != nil {
		return q, err
	}
	err = QuotaFlow.Fire(ctx, s.Log, flow.Move[QuotaState, QuotaAction, QuotaFacts]{Entity: q.ID, State: q.State, Version: q.Version, Do: do, Facts: facts,
		Who: sc, Now: now, Reason: reason}, func(ctx context.Context, to QuotaState) (bool, error) {
		next.State, next.Version = to, q.Version+1
		return s.Store.SetQuota(ctx, next, q.State, q.Version)
	})
	if err != nil {
		return q, err
	}
	if err := s.afterQuota(ctx, sc, &next, do, taken, reason); err != nil {
		return q, err
	}
	return next, s.audit(ctx, sc, "coupon.quota_"+string(do), "coupon_quota:"+q.ID, quotaDetail(&next), q.GiverID, q.OwnerID, q.VendorID)
}

func (s *Service) afterQuota(ctx context.Context, sc scope.Scope, q *Quota, do QuotaAction, taken money.Amount, reason string) error {
	switch do {
	case QuotaApprove:
		return s.granted(ctx, sc, *q, nil)
	case QuotaReclaim:
		if q.ParentID != "" {
			if err := s.Store.Return(ctx, q.ParentID, taken, q.Changed); err != nil {
				return err
			}
		}
		err := s.records(ctx, entry{op: OpTakeQuota, vendorID: q.VendorID, quota: q, amount: taken, currency: q.Currency, remark: reason, operator: sc.Login(), from: q.GiverID, to: q.OwnerID})
		if err != nil {
			return err
		}
		return s.tell(ctx, q.OwnerID, scope.ItemQuotaView, "coupon_quota_taken", "/coupons/quotas/"+q.ID, quotaArgs(q))
	case QuotaSettle, QuotaInvalidate, QuotaFreeze, QuotaUnfreeze:
		return s.tell(ctx, q.OwnerID, scope.ItemQuotaView, "coupon_quota_changed", "/coupons/quotas/"+q.ID, quotaArgs(q))
	}
	return nil
}

// Outcome is what became of one recipient of a batch.
type Outcome struct {
	OrgID   string
	ID      string // of what it got
	Name    string
	Amount  money.Amount
	Refusal *fault.Error
}

// ShareInput gives resellers a part of a distributor's quota, the same amount each.
type ShareInput struct {
	QuotaID     string
	ResellerIDs []string
	Amount      money.Amount
	Memo        string
}

// Share cuts quotas for resellers from the distributor's own; each stands or fails by itself. Faults of the whole:
// coupon.quota_unknown, .amount_wrong, .memo_too_long, .nobody, .too_many, .distributor_decides, .quota_not_usable,
// scope.permission_missing.
func (s *Service) Share(ctx context.Context, sc scope.Scope, in ShareInput) ([]Outcome, error) {
	if err := sc.Require(scope.ItemQuotaShare); err != nil {
		return nil, err
	}
	if err := checkAmount(in.Amount); err != nil {
		return nil, err
	}
	in.Memo = clean(in.Memo)
	if err := checkMemo(in.Memo); err != nil {
		return nil, err
	}
	switch {
	case len(in.ResellerIDs) == 0:
		return nil, fault.Invalid("coupon.nobody", nil)
	case len(in.ResellerIDs) > MaxBatch:
		return nil, fault.Invalid("coupon.too_many", fault.Args{"limit": MaxBatch})
	}
	if err := s.confirmed(ctx, sc); err != nil {
		return nil, err
	}
	var out []Outcome
	err := s.Tx.InTx(ctx, func(ctx context.Context) error {
		out = nil
		q, err := s.usable(ctx, sc, in.QuotaID)
		if err != nil {
			return err
		}
		resellers, err := s.Organisations.Resellers(ctx, sc.OrgID())
		if err != nil {
			return err
		}
		next, _, err := s.Store.NextNumbers(ctx, q.VendorID)
		if err != nil {
			return err
		}
		for _, orgID := range in.ResellerIDs {
			one := Outcome{OrgID: orgID, Amount: in.Amount}
			known := false
			for _, r := range resellers {
				known = known || r.ID == orgID
			}
			if !known {
				one.Refusal = fault.Invalid("coupon.reseller_unknown", nil)
			} else if err := s.share(ctx, sc, q, orgID, next, in, &one); err != nil {
				return err
			}
			if one.Refusal == nil {
				next++
			} else if known {
				err := s.records(ctx, entry{op: OpGrantQuota, vendorID: q.VendorID, quota: &q, amount: in.Amount, currency: q.Currency, code: one.Refusal.Code, remark: in.Memo,
					operator: sc.Login(), from: sc.OrgID(), to: orgID, onlyGiver: true})
				if err != nil {
					return err
				}
			}
			out = append(out, one)
		}
		return nil
	})
	return out, err
}

func (s *Service) share(ctx context.Context, sc scope.Scope, q Quota, orgID string, number int64, in ShareInput, out *Outcome) error {
	now := s.Clock.Now()
	ok, err := s.Store.Draw(ctx, q.ID, in.Amount, now)
	if err != nil {
		return err
	}
	if !ok {
		out.Refusal, err = s.short(ctx, q.ID, in.Amount)
		return err
	}
	child := Quota{ID: id.New(), VendorID: q.VendorID, Number: number, OwnerID: orgID, ParentID: q.ID, GiverID: sc.OrgID(), Kind: q.Kind, Currency: q.Currency,
		Value: in.Amount, Balance: in.Amount, State: QuotaNormal, From: q.From, To: q.To, Limits: q.Limits, Memo: in.Memo, ProposedBy: sc.Login(),
		Version: 1, CreatedAt: now, Changed: now}
	out.ID, out.Name = child.ID, child.Name()
	return s.giveQuota(ctx, sc, child, &q)
}

// short says what remains of a quota that did not have enough.
func (s *Service) short(ctx context.Context, quotaID string, amount money.Amount) (*fault.Error, error) {
	q, err := s.quota(ctx, quotaID)
	if err != nil {
		return nil, err
	}
	if q.State != QuotaNormal {
		return notUsable(&q), nil
	}
	return fault.Conflict("coupon.quota_short", fault.Args{"balance": q.Balance.String(), "amount": amount.String(), "currency": q.Currency}), nil
}

func notUsable(q *Quota) *fault.Error {
	return fault.Conflict("coupon.quota_not_usable", fault.Args{"state": "coupon_quota.state." + string(q.State)})
}

// usable is a quota of the acting partner from which may be cut now. Faults: coupon.quota_unknown, .quota_not_usable,
// .quota_not_begun.
func (s *Service) usable(ctx context.Context, sc scope.Scope, quotaID string) (Quota, error) {
	q, err := s.quota(ctx, quotaID)
	if err != nil {
		return q, err
	}
	if sc.Side() != scope.SidePartner || sc.IsLimited() || q.OwnerID != sc.OrgID() {
		return Quota{}, fault.NotFound("coupon.quota_unknown", nil)
	}
	now := s.Clock.Now()
	switch {
	case q.State != QuotaNormal:
		return q, notUsable(&q)
	case !now.Before(q.To):
		return q, fault.Conflict("coupon.quota_over", fault.Args{"at": dayText(q.To)})
	}
	return q, nil
}
