package coupon

import (
	"context"
	"time"

	"huoban/internal/customer"
	"huoban/internal/fault"
	"huoban/internal/flow"
	"huoban/internal/id"
	"huoban/internal/money"
	"huoban/internal/organisation"
	"huoban/internal/scope"
)

// IssueRow is one recipient.
type IssueRow struct {
	CustomerID string
	Face       money.Amount
}

// IssueInput cuts vouchers from a quota. Zero times are the quota's.
type IssueInput struct {
	QuotaID  string
	Rows     []IssueRow
	From, To time.Time
	Limits   Limits
	Memo     string
	Most     int // recipients: MaxPage or MaxBatch
}

// Issue gives customers vouchers; each stands or fails by itself, and a failure is recorded. Faults of the whole:
// coupon.quota_unknown, .quota_not_usable, .quota_over, .nobody, .too_many, .validity_outside, .memo_too_long, those of
// Limits, scope.permission_missing.
func (s *Service) Issue(ctx context.Context, sc scope.Scope, in IssueInput) ([]Outcome, error) {
	if err := s.confirmed(ctx, sc); err != nil {
		return nil, err
	}
	var out []Outcome
	err := s.Tx.InTx(ctx, func(ctx context.Context) error {
		q, limits, err := s.prepare(ctx, sc, &in)
		if err != nil {
			return err
		}
		_, number, err := s.Store.NextNumbers(ctx, q.VendorID)
		if err != nil {
			return err
		}
		out = nil
		seen := map[string]bool{}
		for _, row := range in.Rows {
			one := Outcome{OrgID: row.CustomerID, Amount: row.Face}
			if one.Refusal, err = s.judge(ctx, sc, row, &limits, seen); err != nil {
				return err
			}
			if one.Refusal == nil {
				if err := s.issue(ctx, sc, &q, number, row, &in, limits, &one); err != nil {
					return err
				}
			}
			if one.Refusal == nil {
				number++
			} else if !fault.HasCode(one.Refusal, "coupon.customer_unknown") { // nothing is kept about whom the partner does not know
				err := s.records(ctx, entry{op: OpIssue, vendorID: q.VendorID, quota: &q, customer: row.CustomerID, amount: row.Face, currency: q.Currency, code: one.Refusal.Code,
					remark: in.Memo, operator: sc.Login(), from: sc.OrgID()})
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

// Preview says what Issue would answer, and writes nothing. Faults: those of Issue.
func (s *Service) Preview(ctx context.Context, sc scope.Scope, in IssueInput) ([]Outcome, error) {
	q, limits, err := s.prepare(ctx, sc, &in)
	if err != nil {
		return nil, err
	}
	left := q.Balance
	seen := map[string]bool{}
	var out []Outcome
	for _, row := range in.Rows {
		one := Outcome{OrgID: row.CustomerID, Amount: row.Face}
		if one.Refusal, err = s.judge(ctx, sc, row, &limits, seen); err != nil {
			return nil, err
		}
		if one.Refusal == nil && row.Face > left {
			one.Refusal = fault.Conflict("coupon.quota_short", fault.Args{"balance": left.String(), "amount": row.Face.String(), "currency": q.Currency})
		}
		if one.Refusal == nil {
			left -= row.Face
		}
		out = append(out, one)
	}
	return out, nil
}

// prepare checks what concerns all recipients.
func (s *Service) prepare(ctx context.Context, sc scope.Scope, in *IssueInput) (Quota, Limits, error) {
	if err := sc.Require(scope.ItemCouponIssue); err != nil {
		return Quota{}, Limits{}, err
	}
	in.Memo = clean(in.Memo)
	if err := checkMemo(in.Memo); err != nil {
		return Quota{}, Limits{}, err
	}
	switch {
	case len(in.Rows) == 0:
		return Quota{}, Limits{}, fault.Invalid("coupon.nobody", nil)
	case len(in.Rows) > in.Most:
		return Quota{}, Limits{}, fault.Invalid("coupon.too_many", fault.Args{"limit": in.Most})
	}
	limits := in.Limits.Tidy()
	if err := limits.validate(MaxLimit); err != nil {
		return Quota{}, Limits{}, err
	}
	q, err := s.usable(ctx, sc, in.QuotaID)
	if err != nil {
		return q, limits, err
	}
	if limits, err = limits.Narrowed(q.Limits); err != nil {
		return q, limits, err
	}
	if in.From.IsZero() {
		in.From = q.From
	}
	if in.To.IsZero() {
		in.To = q.To
	}
	if in.From.Before(q.From) || in.To.After(q.To) {
		return q, limits, fault.Invalid("coupon.validity_outside", fault.Args{"from": dayText(q.From), "to": dayText(q.To)})
	}
	return q, limits, checkTimes(in.From, in.To, s.Clock.Now())
}

// judge refuses a recipient: nobody's, another's, or by referral a customer gets none.
func (s *Service) judge(ctx context.Context, sc scope.Scope, row IssueRow, limits *Limits, seen map[string]bool) (*fault.Error, error) {
	if row.Face <= 0 || !row.Face.IsCents() {
		return fault.Invalid("coupon.amount_wrong", nil), nil
	}
	if seen[row.CustomerID] {
		return fault.Invalid("coupon.customer_twice", nil), nil
	}
	seen[row.CustomerID] = true
	if row.CustomerID == "" {
		return fault.NotFound("coupon.customer_unknown", nil), nil
	}
	all, err := s.Customers.Of(ctx, row.CustomerID)
	if err != nil {
		return nil, err
	}
	now := s.Clock.Now()
	met := false
	for _, a := range all {
		if a.PartnerID != sc.OrgID() {
			continue
		}
		met = true
		if !a.InForce(now) {
			continue
		}
		if a.Kind != customer.KindResale {
			return fault.Conflict("coupon.not_resale", nil), nil
		}
		if len(limits.Customers) > 0 && !(&Coupon{Limits: *limits}).lists(row.CustomerID) {
			return fault.Conflict("coupon.customer_outside", nil), nil
		}
		return nil, nil
	}
	if met {
		return fault.Conflict("coupon.not_associated", nil), nil
	}
	return fault.NotFound("coupon.customer_unknown", nil), nil
}

func (c *Coupon) lists(customerID string) bool {
	for _, x := range c.Limits.Customers {
		if x == customerID {
			return true
		}
	}
	return false
}

func (s *Service) issue(ctx context.Context, sc scope.Scope, q *Quota, number int64, row IssueRow, in *IssueInput, limits Limits, out *Outcome) error {
	now := s.Clock.Now()
	ok, err := s.Store.Draw(ctx, q.ID, row.Face, now)
	if err != nil {
		return err
	}
	if !ok {
		out.Refusal, err = s.short(ctx, q.ID, row.Face)
		return err
	}
	c := Coupon{ID: id.New(), VendorID: q.VendorID, Number: number, QuotaID: q.ID, IssuerID: sc.OrgID(), HolderID: row.CustomerID, Level: LevelCustomer, Kind: q.Kind,
		Currency: q.Currency, Face: row.Face, Balance: row.Face, State: StateUsable, From: in.From, To: in.To, Limits: limits, Memo: in.Memo, IssuedBy: sc.Login(),
		Version: 1, CreatedAt: now, Changed: now}
	out.ID, out.Name = c.ID, c.Name()
	if err := s.Store.InsertCoupons(ctx, []Coupon{c}); err != nil {
		return err
	}
	if err := Flow.Begin(ctx, s.Log, c.ID, c.State, sc, now, nil); err != nil {
		return err
	}
	err = s.records(ctx, entry{op: OpIssue, vendorID: c.VendorID, quota: q, coupon: &c, customer: c.HolderID, amount: c.Face, currency: c.Currency, remark: c.Memo, operator: sc.Login(), from: c.IssuerID, to: c.HolderID})
	if err != nil {
		return err
	}
	if err := s.audit(ctx, sc, "coupon.issue", "coupon:"+c.ID, couponDetail(&c), c.IssuerID, c.HolderID); err != nil {
		return err
	}
	return s.tell(ctx, c.HolderID, scope.ItemCouponOwn, "coupon_issued", "/coupons/"+c.ID, couponArgs(&c))
}

// Do fires an action of people on a voucher. Faults: coupon.unknown, those of the guards and of flow.Fire.
func (s *Service) Do(ctx context.Context, sc scope.Scope, couponID string, do Action, reason string) (Coupon, error) {
	if do == ActionReclaim {
		if err := s.confirmed(ctx, sc); err != nil {
			return Coupon{}, err
		}
	}
	var out Coupon
	err := s.Tx.InTx(ctx, func(ctx context.Context) error {
		c, err := s.Coupon(ctx, sc, couponID)
		if err != nil {
			return err
		}
		out, err = s.fire(ctx, sc, c, do, OpReclaim, clean(reason))
		return err
	})
	return out, err
}

// Reclaim takes several vouchers back whole; each stands or fails by itself. Faults: coupon.nobody, .too_many,
// scope.permission_missing.
func (s *Service) Reclaim(ctx context.Context, sc scope.Scope, couponIDs []string, reason string) ([]Outcome, error) {
	if err := sc.Require(cutters...); err != nil {
		return nil, err
	}
	switch {
	case len(couponIDs) == 0:
		return nil, fault.Invalid("coupon.nothing_chosen", nil)
	case len(couponIDs) > MaxBatch:
		return nil, fault.Invalid("coupon.too_many", fault.Args{"limit": MaxBatch})
	}
	if err := s.confirmed(ctx, sc); err != nil {
		return nil, err
	}
	var out []Outcome
	err := s.Tx.InTx(ctx, func(ctx context.Context) error {
		out = nil
		for _, couponID := range couponIDs {
			one := Outcome{ID: couponID}
			c, err := s.Coupon(ctx, sc, couponID)
			if err == nil {
				one.OrgID, one.Name, one.Amount = c.HolderID, c.Name(), c.Balance
				_, err = s.fire(ctx, sc, c, ActionReclaim, OpReclaim, clean(reason))
			}
			if err != nil {
				f := fault.From(err)
				if f.Kind == fault.KindInternal || f.Kind == fault.KindUnavailable {
					return err
				}
				one.Refusal, one.Amount = f, 0
			}
			out = append(out, one)
		}
		return nil
	})
	return out, err
}

// fire moves a voucher; op is what the log calls it when its balance goes back.
func (s *Service) fire(ctx context.Context, sc scope.Scope, c Coupon, do Action, op Operation, reason string) (Coupon, error) {
	facts, err := s.facts(ctx, &c)
	if err != nil {
		return c, err
	}
	now, next := s.Clock.Now(), c
	next.Changed = now
	taken := money.Amount(0)
	switch do {
	case ActionActivate, ActionRefuse:
		next.DecidedBy = sc.Login()
	case ActionFreeze, ActionUnfreeze:
		next.Frozen = do == ActionFreeze
	case ActionReclaim, ActionRecover, ActionExpire:
		taken = c.Balance
		next.Balance, next.Returned, next.LockOrder = 0, c.Returned+taken, ""
	}
	if reason != "" {
		next.Reason = reason
	}
	err = Flow.Fire(ctx, s.Log, flow.Move[State, Action, Facts]{Entity: c.ID, State: c.State, Version: c.Version, Do: do, Facts: facts, Who: sc, Now: now, Reason: reason},
		func(ctx context.Context, to State) (bool, error) {
			next.State, next.Version = to, c.Version+1
			return s.Store.SetCoupon(ctx, next, c.State, c.Version)
		})
	if err != nil {
		return c, err
	}
	if do == ActionActivate {
		err = s.activated(ctx, sc, &next)
	}
	if taken > 0 {
		err = s.returned(ctx, sc, &next, taken, op, reason)
	}
	if err != nil {
		return c, err
	}
	return next, s.audit(ctx, sc, "coupon."+string(do), "coupon:"+c.ID, couponDetail(&next), c.IssuerID, c.HolderID)
}

// returned puts the balance of a voucher back into its quota, records it and tells the holder.
func (s *Service) returned(ctx context.Context, sc scope.Scope, c *Coupon, amount money.Amount, op Operation, reason string) error {
	if c.QuotaID != "" {
		if err := s.Store.Return(ctx, c.QuotaID, amount, c.Changed); err != nil {
			return err
		}
	}
	e := entry{op: op, vendorID: c.VendorID, coupon: c, amount: amount, currency: c.Currency, remark: reason, operator: sc.Login(), from: c.IssuerID, to: c.HolderID}
	item := scope.ItemCouponView
	if c.Level == LevelCustomer {
		e.customer, item = c.HolderID, scope.ItemCouponOwn
	}
	if err := s.records(ctx, e); err != nil {
		return err
	}
	page := "/coupons"
	return s.tell(ctx, c.HolderID, item, "coupon_"+map[bool]string{true: "expired", false: "taken"}[op == OpExpire], page,
		fault.Args{"Name": c.Name(), "Amount": amount.String(), "Currency": c.Currency})
}

// Recover takes back what a customer holds from a partner, in the transaction of what ends or changes their
// association. It is the program's own act.
func (s *Service) Recover(ctx context.Context, sc scope.Scope, partnerID, customerID string, op Operation) error {
	return s.Tx.InTx(ctx, func(ctx context.Context) error {
		all, err := s.Store.Coupons(ctx, SideOwner, customerID)
		if err != nil {
			return err
		}
		for _, c := range all {
			if c.State != StateUsable || c.IssuerID != partnerID {
				continue
			}
			if _, err := s.fire(ctx, scope.System(sc.Login()), c, ActionRecover, op, ""); err != nil {
				return err
			}
		}
		return nil
	})
}

// Sweep ends quotas and vouchers whose validity is over, takes back those of customers whose association ended or changed
// its kind since, and gives how many. A partner's voucher waits until the cycle in which it ended is issued.
func (s *Service) Sweep(ctx context.Context) (ended int, err error) {
	who := scope.System("system")
	now := s.Clock.Now()
	if ended, err = s.part(ctx, who, now); err != nil {
		return ended, err
	}
	coupons, err := s.Store.RipeCoupons(ctx, now, 500)
	if err != nil {
		return 0, err
	}
	for _, c := range coupons {
		err := s.Tx.InTx(ctx, func(ctx context.Context) error {
			c, err := s.coupon(ctx, c.ID)
			if err != nil {
				return err
			}
			_, err = s.fire(ctx, who, c, ActionExpire, OpExpire, "")
			return err
		})
		if err == nil {
			ended++
		} else if !fault.Is(err, fault.KindConflict) {
			return ended, err
		}
	}
	quotas, err := s.Store.RipeQuotas(ctx, now, 500)
	if err != nil {
		return ended, err
	}
	for _, q := range quotas {
		err := s.Tx.InTx(ctx, func(ctx context.Context) error {
			q, err := s.quota(ctx, q.ID)
			if err != nil {
				return err
			}
			_, err = s.fireQuota(ctx, who, q, QuotaExpire, "")
			return err
		})
		if err == nil {
			ended++
		} else if !fault.Is(err, fault.KindConflict) {
			return ended, err
		}
	}
	return ended, nil
}

// part takes back what customers hold of partners they no longer buy from: an association that was to end later has ended
// meanwhile.
func (s *Service) part(ctx context.Context, who scope.Scope, now time.Time) (taken int, err error) {
	pairs, err := s.Store.Pairs(ctx)
	if err != nil {
		return 0, err
	}
	for _, p := range pairs {
		all, err := s.Customers.Of(ctx, p.HolderID)
		if err != nil {
			return taken, err
		}
		op, err := s.reason(ctx, p.IssuerID, all, now)
		if err != nil {
			return taken, err
		}
		if op == "" {
			continue
		}
		if err := s.Recover(ctx, who, p.IssuerID, p.HolderID, op); err != nil {
			return taken, err
		}
		taken++
	}
	return taken, nil
}

// reason is why vouchers of an issuer go back from a customer with these associations; "" where they stay.
func (s *Service) reason(ctx context.Context, issuerID string, all []customer.Association, now time.Time) (Operation, error) {
	op := OpUnlink
	for _, a := range all {
		switch {
		case !a.InForce(now):
		case a.PartnerID == issuerID && a.Kind == customer.KindResale:
			return "", nil
		case a.PartnerID == issuerID:
			return OpSwitch, nil
		default:
			var err error
			if op, err = s.wentTo(ctx, issuerID, a.PartnerID); err != nil {
				return op, err
			}
		}
	}
	return op, nil
}

// wentTo is the reason where another partner serves the customer now: 云经销商转移 where both are resellers of one
// distributor, else 建立关联回收.
func (s *Service) wentTo(ctx context.Context, before, after string) (Operation, error) {
	from, err := s.Organisations.ByID(ctx, scope.System("system"), before)
	if err != nil {
		return "", err
	}
	to, err := s.Organisations.ByID(ctx, scope.System("system"), after)
	if err == nil && from.Kind == organisation.KindReseller && from.ParentID == to.ParentID {
		return OpMove, nil
	}
	return OpLink, err
}
