package coupon

import (
	"context"
	"time"

	"huoban/internal/customer"
	"huoban/internal/money"
	"huoban/internal/organisation"
	"huoban/internal/scope"
)

// Tx runs a function in one transaction; fn may be run again.
type Tx interface {
	InTx(ctx context.Context, fn func(ctx context.Context) error) error
}

// Side is by what quotas and vouchers are looked up.
type Side string

// The sides: the vendor whose they are, who gave or issued them, who has them, and of vouchers the quota.
const (
	SideVendor Side = "vendor"
	SideGiver  Side = "giver"
	SideOwner  Side = "owner"
	SideQuota  Side = "quota"
)

// Bill names a bill.
type Bill struct{ VendorID, PartnerID, Cycle, Currency, EntityID string }

// RecordFilter narrows a list of records. OrgID says whose log it is.
type RecordFilter struct {
	OrgID, QuotaID, CouponID string
}

// Pair is whose voucher a customer holds.
type Pair struct{ IssuerID, HolderID string }

// Store keeps quotas, vouchers, records and uses.
type Store interface {
	// NextNumbers are the numbers the vendor's next quota and voucher get.
	NextNumbers(ctx context.Context, vendorID string) (quota, voucher int64, err error)
	// QuotaByID and CouponByID find one; none is an empty list.
	QuotaByID(ctx context.Context, id string) ([]Quota, error)
	Quotas(ctx context.Context, of Side, orgID string) ([]Quota, error) // the newest first
	InsertQuota(ctx context.Context, q Quota) error
	// SetQuota writes state, value, change and decision if state and version are as loaded.
	SetQuota(ctx context.Context, q Quota, from QuotaState, version int64) (bool, error)
	// Draw takes an amount out of a quota that is normal and has it; false: it has not.
	Draw(ctx context.Context, quotaID string, amount money.Amount, at time.Time) (bool, error)
	// Return puts an amount back that was drawn from the quota.
	Return(ctx context.Context, quotaID string, amount money.Amount, at time.Time) error
	// Recall takes an amount out again that had come back, whatever the quota's state; false: it is not there any more.
	Recall(ctx context.Context, quotaID string, amount money.Amount, at time.Time) (bool, error)

	CouponByID(ctx context.Context, id string) ([]Coupon, error)
	Coupons(ctx context.Context, of Side, id string) ([]Coupon, error) // the newest first
	InsertCoupons(ctx context.Context, all []Coupon) error
	// SetCoupon writes everything that changes if state and version are as loaded.
	SetCoupon(ctx context.Context, c Coupon, from State, version int64) (bool, error)
	// Ripe lists quotas and vouchers whose validity is over and that still stand.
	RipeQuotas(ctx context.Context, now time.Time, limit int) ([]Quota, error)
	RipeCoupons(ctx context.Context, now time.Time, limit int) ([]Coupon, error)

	// EndingQuotas and EndingCoupons have a balance, end before then and nobody was told; Reminded says that now somebody is.
	EndingQuotas(ctx context.Context, until time.Time) ([]Quota, error)
	EndingCoupons(ctx context.Context, until time.Time) ([]Coupon, error)
	Reminded(ctx context.Context, quotaID, couponID string) error

	// Pairs are the issuers and holders of customers' vouchers that may be used.
	Pairs(ctx context.Context) ([]Pair, error)

	InsertRecords(ctx context.Context, all []Record) error
	Records(ctx context.Context, f RecordFilter) ([]Record, error) // the newest first
	InsertUses(ctx context.Context, all []Use) error
	// Uses lists what a voucher paid, with an order only of that; OrderUses what paid an order of its holder.
	Uses(ctx context.Context, couponID, orderID string) ([]Use, error)
	OrderUses(ctx context.Context, c *Coupon, orderID string) ([]Use, error)
	// Planned are the uses of a cycle's drafts; IssuePlan makes them count, RemovePlan forgets them.
	Planned(ctx context.Context, vendorID, cycle string) ([]Use, error)
	IssuePlan(ctx context.Context, vendorID, cycle string, at time.Time) error
	RemovePlan(ctx context.Context, vendorID, cycle string) error
	BillUses(ctx context.Context, b Bill) ([]Use, error) // in the order in which lines were paid
	PartnerUses(ctx context.Context, partnerID, cycle string) ([]Use, error)
	VendorUses(ctx context.Context, vendorID string) ([]Use, error)
}

// Organisations is what is asked of organisations.
type Organisations interface {
	ByID(ctx context.Context, sc scope.Scope, orgID string) (organisation.Organisation, error)
	VendorsOf(ctx context.Context, partner organisation.Organisation) ([]organisation.Organisation, error)
	Resellers(ctx context.Context, distributorID string) ([]organisation.Organisation, error)
}

// Customers tells whose a customer is.
type Customers interface {
	Of(ctx context.Context, customerID string) ([]customer.Association, error)
}

// Cycles tells whether the close of a cycle still lies ahead.
type Cycles interface {
	Open(ctx context.Context, vendorID string, at time.Time) (bool, error)
}
