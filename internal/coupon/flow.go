package coupon

import (
	"time"

	"huoban/internal/fault"
	"huoban/internal/flow"
	"huoban/internal/money"
	"huoban/internal/scope"
)

// QuotaAction is what may be done to a quota.
type QuotaAction string

// The actions: 通过, 不通过, 调整, 完成调整, 冻结, 解冻, 置为失效, 到期, 回收.
const (
	QuotaApprove    QuotaAction = "approve"
	QuotaRefuse     QuotaAction = "refuse"
	QuotaAdjust     QuotaAction = "adjust"
	QuotaSettle     QuotaAction = "settle"
	QuotaFreeze     QuotaAction = "freeze"
	QuotaUnfreeze   QuotaAction = "unfreeze"
	QuotaInvalidate QuotaAction = "invalidate"
	QuotaExpire     QuotaAction = "expire"
	QuotaReclaim    QuotaAction = "reclaim"
)

// Action is what may be done to a voucher.
type Action string

// The actions: 激活, 不通过, 锁定, 解锁, 使用, 用完, 退还, 冻结, 解冻, 回收, 自动回收, 过期.
const (
	ActionActivate Action = "activate"
	ActionRefuse   Action = "refuse"
	ActionLock     Action = "lock"
	ActionUnlock   Action = "unlock"
	ActionSpend    Action = "spend"
	ActionExhaust  Action = "exhaust"
	ActionRestore  Action = "restore"
	ActionFreeze   Action = "freeze"
	ActionUnfreeze Action = "unfreeze"
	ActionReclaim  Action = "reclaim"
	ActionRecover  Action = "recover"
	ActionExpire   Action = "expire"
)

// QuotaFacts are what the guards of a quota judge.
type QuotaFacts struct {
	VendorID, OwnerID, GiverID string
	Login                      string // who granted it or asked for its change
	Alone                      bool   // below the amount that wants a second person
	Balance, Change            money.Amount
	To                         time.Time
}

// Facts are what the guards of a voucher judge.
type Facts struct {
	VendorID, IssuerID, HolderID string
	Login                        string
	Locked, Frozen               bool
	Balance                      money.Amount
	To                           time.Time
	CycleOpen                    bool // a cycle it may still pay is not issued
}

var (
	quotaVendor = flow.Guard[QuotaFacts]{Name: "vendors_own", Code: "coupon.vendor_decides", Kind: fault.KindDenied,
		Holds: func(f QuotaFacts, who scope.Scope, _ time.Time) bool { return who.SeesVendor(f.VendorID) }}
	quotaGiver = flow.Guard[QuotaFacts]{Name: "givers_own", Code: "coupon.giver_decides", Kind: fault.KindDenied,
		Holds: func(f QuotaFacts, who scope.Scope, _ time.Time) bool {
			return who.Side() == scope.SideSystem || who.OrgID() == f.GiverID
		}}
	quotaSecond = flow.Guard[QuotaFacts]{Name: "second_person", Code: "coupon.same_person", Kind: fault.KindDenied,
		Holds: func(f QuotaFacts, who scope.Scope, _ time.Time) bool {
			return who.Side() == scope.SideSystem || f.Alone || who.Login() != f.Login
		},
		Args: func(f QuotaFacts, _ time.Time) fault.Args { return fault.Args{"login": f.Login} }}
	quotaRoom = flow.Guard[QuotaFacts]{Name: "change_fits", Code: "coupon.change_too_large",
		Holds: func(f QuotaFacts, _ scope.Scope, _ time.Time) bool { return f.Balance+f.Change >= 0 },
		Args: func(f QuotaFacts, _ time.Time) fault.Args {
			return fault.Args{"balance": f.Balance.String(), "change": f.Change.String()}
		}}
	quotaOver = flow.Guard[QuotaFacts]{Name: "validity_over", Code: "coupon.not_over",
		Holds: func(f QuotaFacts, _ scope.Scope, now time.Time) bool { return !now.Before(f.To) },
		Args:  func(f QuotaFacts, _ time.Time) fault.Args { return fault.Args{"at": dayText(f.To)} }}
	quotaLeft = flow.Guard[QuotaFacts]{Name: "something_left", Code: "coupon.nothing_left",
		Holds: func(f QuotaFacts, _ scope.Scope, _ time.Time) bool { return f.Balance > 0 }}

	vendors = flow.Guard[Facts]{Name: "vendors_own", Code: "coupon.vendor_decides", Kind: fault.KindDenied,
		Holds: func(f Facts, who scope.Scope, _ time.Time) bool { return who.SeesVendor(f.VendorID) }}
	second = flow.Guard[Facts]{Name: "second_person", Code: "coupon.same_person", Kind: fault.KindDenied,
		Holds: func(f Facts, who scope.Scope, _ time.Time) bool {
			return who.Side() == scope.SideSystem || who.Login() != f.Login
		},
		Args: func(f Facts, _ time.Time) fault.Args { return fault.Args{"login": f.Login} }}
	issuers = flow.Guard[Facts]{Name: "issuers_own", Code: "coupon.issuer_decides", Kind: fault.KindDenied,
		Holds: func(f Facts, who scope.Scope, _ time.Time) bool {
			return who.Side() == scope.SideSystem || who.OrgID() == f.IssuerID
		}}
	unlocked = flow.Guard[Facts]{Name: "not_locked", Code: "coupon.locked",
		Holds: func(f Facts, _ scope.Scope, _ time.Time) bool { return !f.Locked }}
	locked = flow.Guard[Facts]{Name: "locked", Code: "coupon.not_locked",
		Holds: func(f Facts, _ scope.Scope, _ time.Time) bool { return f.Locked }}
	unfrozen = flow.Guard[Facts]{Name: "not_frozen", Code: "coupon.frozen",
		Holds: func(f Facts, _ scope.Scope, _ time.Time) bool { return !f.Frozen }}
	frozen = flow.Guard[Facts]{Name: "frozen", Code: "coupon.not_frozen",
		Holds: func(f Facts, _ scope.Scope, _ time.Time) bool { return f.Frozen }}
	emptied = flow.Guard[Facts]{Name: "nothing_left", Code: "coupon.something_left",
		Holds: func(f Facts, _ scope.Scope, _ time.Time) bool { return f.Balance == 0 }}
	over = flow.Guard[Facts]{Name: "validity_over", Code: "coupon.not_over",
		Holds: func(f Facts, _ scope.Scope, now time.Time) bool { return !now.Before(f.To) },
		Args:  func(f Facts, _ time.Time) fault.Args { return fault.Args{"at": dayText(f.To)} }}
	billed = flow.Guard[Facts]{Name: "cycle_issued", Code: "coupon.cycle_open",
		Holds: func(f Facts, _ scope.Scope, _ time.Time) bool { return !f.CycleOpen }}
	inTime = flow.Guard[Facts]{Name: "still_valid", Code: "coupon.over",
		Holds: func(f Facts, _ scope.Scope, now time.Time) bool { return now.Before(f.To) },
		Args:  func(f Facts, _ time.Time) fault.Args { return fault.Args{"at": dayText(f.To)} }}
)

var (
	granters = []scope.Item{scope.ItemCouponGrant}
	deciders = []scope.Item{scope.ItemCouponReview}
	takers   = []scope.Item{scope.ItemQuotaReclaim, scope.ItemCouponGrant}
	cutters  = []scope.Item{scope.ItemCouponReclaim, scope.ItemCouponGrant}
	nobody   = []scope.Item{flow.System}
)

const specCoupons = "sales.md §2.12, 3.4"

// QuotaFlow is the machine of a quota.
var QuotaFlow = &flow.Table[QuotaState, QuotaAction, QuotaFacts]{
	Machine: "coupon_quota",
	Path:    "/coupons/quotas/{id}",
	Start:   []QuotaState{QuotaPending, QuotaNormal},
	Final:   []QuotaState{QuotaInvalid, QuotaReclaimed, QuotaRefused},
	Within:  map[QuotaState]int{QuotaPending: 1, QuotaAdjusting: 1},
	Rows: []flow.Row[QuotaState, QuotaAction, QuotaFacts]{
		{From: []QuotaState{QuotaPending}, Do: QuotaApprove, To: QuotaNormal, Who: deciders, When: []flow.Guard[QuotaFacts]{quotaVendor, quotaSecond},
			Then: []string{"log_grant", "tell_owner"}, Ask: flow.AskConfirm, Noun: "approval", Op: "approveCouponQuota", Spec: specCoupons},
		{From: []QuotaState{QuotaPending}, Do: QuotaRefuse, To: QuotaRefused, Who: deciders, When: []flow.Guard[QuotaFacts]{quotaVendor},
			Ask: flow.AskReason, Noun: "refusal", Op: "refuseCouponQuota", Spec: specCoupons},
		{From: []QuotaState{QuotaNormal}, Do: QuotaAdjust, To: QuotaAdjusting, Who: granters, When: []flow.Guard[QuotaFacts]{quotaVendor, quotaGiver, quotaRoom},
			Ask: flow.AskForm, Fields: []flow.Field[QuotaFacts]{{Name: "change", Kind: flow.FieldAmount, Required: true, Max: 20, Help: func(QuotaFacts) string { return "quotas.change_help" }}},
			Noun: "adjustment", Op: "adjustCouponQuota", Spec: specCoupons},
		{From: []QuotaState{QuotaAdjusting}, Do: QuotaSettle, To: QuotaNormal, Who: deciders, When: []flow.Guard[QuotaFacts]{quotaVendor, quotaSecond, quotaRoom},
			Then: []string{"change_value", "tell_owner"}, Ask: flow.AskConfirm, Noun: "settlement", Op: "settleCouponQuota", Spec: specCoupons},
		{From: []QuotaState{QuotaAdjusting}, Do: QuotaRefuse, To: QuotaNormal, Who: deciders, When: []flow.Guard[QuotaFacts]{quotaVendor},
			Then: []string{"drop_change"}, Ask: flow.AskReason, Noun: "refusal", Op: "refuseCouponQuota", Spec: specCoupons},
		{From: []QuotaState{QuotaNormal}, Do: QuotaFreeze, To: QuotaFrozen, Who: granters, When: []flow.Guard[QuotaFacts]{quotaVendor},
			Ask: flow.AskReason, Noun: "freeze", Op: "freezeCouponQuota", Spec: specCoupons},
		{From: []QuotaState{QuotaFrozen}, Do: QuotaUnfreeze, To: QuotaNormal, Who: granters, When: []flow.Guard[QuotaFacts]{quotaVendor},
			Ask: flow.AskConfirm, Noun: "unfreeze", Op: "unfreezeCouponQuota", Spec: specCoupons},
		{From: []QuotaState{QuotaNormal, QuotaFrozen, QuotaAdjusting}, Do: QuotaInvalidate, To: QuotaInvalid, Who: granters, When: []flow.Guard[QuotaFacts]{quotaVendor},
			Ask: flow.AskReason, Noun: "invalidation", Op: "invalidateCouponQuota", Spec: specCoupons},
		{From: []QuotaState{QuotaNormal, QuotaFrozen, QuotaAdjusting}, Do: QuotaExpire, To: QuotaInvalid, Who: nobody, When: []flow.Guard[QuotaFacts]{quotaOver}, Spec: specCoupons},
		{From: []QuotaState{QuotaNormal, QuotaFrozen}, Do: QuotaReclaim, To: QuotaReclaimed, Who: takers, When: []flow.Guard[QuotaFacts]{quotaGiver, quotaLeft},
			Then: []string{"return_balance", "log_reclaim", "tell_owner"}, Ask: flow.AskConfirm, Noun: "reclaim", Op: "reclaimCouponQuota", Spec: specCoupons},
	},
}

// Flow is the machine of a voucher. Locking, paying and giving back are fired by what pays an order, and by the close.
var Flow = &flow.Table[State, Action, Facts]{
	Machine: "coupon",
	Path:    "/coupons/{id}",
	Start:   []State{StateInactive, StateUsable},
	Final:   []State{StateExpired, StateReclaimed, StateRefused},
	Within:  map[State]int{StateInactive: 1},
	Rows: []flow.Row[State, Action, Facts]{
		{From: []State{StateInactive}, Do: ActionActivate, To: StateUsable, Who: deciders, When: []flow.Guard[Facts]{vendors, second},
			Then: []string{"log_issue", "tell_holder"}, Ask: flow.AskConfirm, Noun: "activation", Op: "activateCoupon", Spec: specCoupons},
		{From: []State{StateInactive}, Do: ActionRefuse, To: StateRefused, Who: deciders, When: []flow.Guard[Facts]{vendors},
			Ask: flow.AskReason, Noun: "refusal", Op: "refuseCoupon", Spec: specCoupons},
		{From: []State{StateUsable}, Do: ActionLock, To: StateUsable, Who: nobody, When: []flow.Guard[Facts]{unlocked, unfrozen, inTime}, Spec: specCoupons},
		{From: []State{StateUsable}, Do: ActionUnlock, To: StateUsable, Who: nobody, When: []flow.Guard[Facts]{locked}, Spec: specCoupons},
		{From: []State{StateUsable}, Do: ActionSpend, To: StateUsable, Who: nobody, When: []flow.Guard[Facts]{unfrozen}, Then: []string{"log_use"}, Spec: specCoupons},
		{From: []State{StateUsable}, Do: ActionExhaust, To: StateUsed, Who: nobody, When: []flow.Guard[Facts]{unfrozen, emptied}, Then: []string{"log_use"}, Spec: specCoupons},
		{From: []State{StateUsable, StateUsed}, Do: ActionRestore, To: StateUsable, Who: nobody, When: []flow.Guard[Facts]{inTime}, Then: []string{"log_use"}, Spec: specCoupons},
		{From: []State{StateUsable}, Do: ActionFreeze, To: StateUsable, Who: granters, When: []flow.Guard[Facts]{vendors, unfrozen},
			Ask: flow.AskReason, Noun: "freeze", Op: "freezeCoupon", Spec: specCoupons},
		{From: []State{StateUsable}, Do: ActionUnfreeze, To: StateUsable, Who: granters, When: []flow.Guard[Facts]{vendors, frozen},
			Ask: flow.AskConfirm, Noun: "unfreeze", Op: "unfreezeCoupon", Spec: specCoupons},
		{From: []State{StateUsable}, Do: ActionReclaim, To: StateReclaimed, Who: cutters, When: []flow.Guard[Facts]{issuers, unlocked},
			Then: []string{"return_balance", "log_reclaim", "tell_holder"}, Ask: flow.AskConfirm, Noun: "reclaim", Op: "reclaimCoupon", Spec: specCoupons},
		{From: []State{StateUsable}, Do: ActionRecover, To: StateReclaimed, Who: nobody, Then: []string{"return_balance", "log_reclaim", "tell_holder"}, Spec: specCoupons},
		{From: []State{StateUsable}, Do: ActionExpire, To: StateExpired, Who: nobody, When: []flow.Guard[Facts]{over, unlocked, billed},
			Then: []string{"return_balance", "log_reclaim"}, Spec: specCoupons},
	},
}
