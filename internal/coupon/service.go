package coupon

import (
	"context"
	"slices"
	"strings"
	"time"

	"huoban/internal/audit"
	"huoban/internal/clock"
	"huoban/internal/fault"
	"huoban/internal/flow"
	"huoban/internal/foureyes"
	"huoban/internal/id"
	"huoban/internal/message"
	"huoban/internal/money"
	"huoban/internal/scope"
)

// Deps is what the service stands on.
type Deps struct {
	Store         Store
	Tx            Tx
	Log           flow.Log
	Audit         audit.Recorder
	Clock         clock.Clock
	Organisations Organisations
	Customers     Customers
	Cycles        Cycles
	Teller        message.Teller
	// Confirmed refuses a partner's person who has to prove anew who it is before a sensitive act; nil asks nobody.
	Confirmed func(ctx context.Context, sc scope.Scope) error
	// Limits are the vendor's amounts up to which one person grants; without them two do.
	Limits func(ctx context.Context, vendorID string) (foureyes.Limits, error)
}

// Service changes and reads quotas and vouchers.
type Service struct{ Deps }

// New makes the service.
func New(d Deps) *Service { return &Service{d} }

var (
	viewItems  = []scope.Item{scope.ItemQuotaView, scope.ItemCouponView, scope.ItemIssuedQuotaView, scope.ItemCouponGrantView}
	quotaItems = []scope.Item{scope.ItemQuotaView, scope.ItemIssuedQuotaView, scope.ItemCouponGrantView}
)

// Quotas lists those inside the scope, the newest first: a vendor's, a partner's own, with given those it gave to its
// resellers. Fault: scope.permission_missing.
func (s *Service) Quotas(ctx context.Context, sc scope.Scope, given bool) ([]Quota, error) {
	if err := sc.Require(quotaItems...); err != nil {
		return nil, err
	}
	switch {
	case sc.Side() == scope.SideVendor:
		return s.Store.Quotas(ctx, SideVendor, sc.OrgID())
	case sc.Side() == scope.SidePartner && !sc.IsLimited():
		of := SideOwner
		if given {
			of = SideGiver
		}
		all, err := s.Store.Quotas(ctx, of, sc.OrgID())
		return slices.DeleteFunc(all, func(q Quota) bool { return !given && (q.State == QuotaPending || q.State == QuotaRefused) }), err
	}
	return nil, nil
}

// Quota gives one inside the scope. Faults: coupon.quota_unknown, scope.permission_missing.
func (s *Service) Quota(ctx context.Context, sc scope.Scope, quotaID string) (Quota, error) {
	if err := sc.Require(quotaItems...); err != nil {
		return Quota{}, err
	}
	q, err := s.quota(ctx, quotaID)
	if err != nil {
		return q, err
	}
	mine := sc.Side() == scope.SideSystem || sc.Side() == scope.SideVendor && q.VendorID == sc.OrgID() ||
		sc.Side() == scope.SidePartner && !sc.IsLimited() && (q.GiverID == sc.OrgID() || q.OwnerID == sc.OrgID() && q.State != QuotaPending && q.State != QuotaRefused)
	if !mine {
		return Quota{}, fault.NotFound("coupon.quota_unknown", nil)
	}
	return q, nil
}

func (s *Service) quota(ctx context.Context, quotaID string) (Quota, error) {
	unknown := fault.NotFound("coupon.quota_unknown", nil)
	if quotaID == "" {
		return Quota{}, unknown
	}
	all, err := s.Store.QuotaByID(ctx, quotaID)
	if err == nil && len(all) == 0 {
		err = unknown
	}
	if err != nil {
		return Quota{}, err
	}
	return all[0], nil
}

// Coupons lists the vouchers inside the scope, the newest first: to a vendor those of its partners; to a partner those it
// issued and those it holds; to a customer those it holds and was not deprived of. Fault: scope.permission_missing.
func (s *Service) Coupons(ctx context.Context, sc scope.Scope) ([]Coupon, error) {
	if err := sc.Require(scope.ItemCouponView, scope.ItemCouponGrantView, scope.ItemCouponOwn); err != nil {
		return nil, err
	}
	switch sc.Side() {
	case scope.SideVendor:
		return s.Store.Coupons(ctx, SideVendor, sc.OrgID())
	case scope.SidePartner:
		issued, err := s.Store.Coupons(ctx, SideGiver, sc.OrgID())
		if err != nil {
			return nil, err
		}
		held, err := s.Store.Coupons(ctx, SideOwner, sc.OrgID())
		if err != nil {
			return nil, err
		}
		all := append(issued, held...)
		slices.SortStableFunc(all, func(a, b Coupon) int { return b.CreatedAt.Compare(a.CreatedAt) })
		return slices.DeleteFunc(all, func(c Coupon) bool { return !sees(sc, &c) }), nil
	case scope.SideCustomer:
		all, err := s.Store.Coupons(ctx, SideOwner, sc.OrgID())
		return slices.DeleteFunc(all, func(c Coupon) bool { return !sees(sc, &c) }), err
	}
	return nil, nil
}

// sees tells whether a voucher is inside the scope.
func sees(sc scope.Scope, c *Coupon) bool {
	hidden := c.State == StateInactive || c.State == StateRefused
	switch sc.Side() {
	case scope.SideSystem:
		return true
	case scope.SideVendor:
		return c.VendorID == sc.OrgID()
	case scope.SidePartner:
		if windows, limited := sc.Windows(); limited {
			return c.IssuerID == sc.OrgID() && slices.ContainsFunc(windows, func(w scope.Window) bool { return w.CustomerID == c.HolderID })
		}
		return c.IssuerID == sc.OrgID() || c.HolderID == sc.OrgID() && !hidden
	case scope.SideCustomer:
		return c.HolderID == sc.OrgID() && !hidden && c.State != StateReclaimed
	}
	return false
}

// Coupon gives one inside the scope. Faults: coupon.unknown, scope.permission_missing.
func (s *Service) Coupon(ctx context.Context, sc scope.Scope, couponID string) (Coupon, error) {
	if err := sc.Require(scope.ItemCouponView, scope.ItemCouponGrantView, scope.ItemCouponOwn); err != nil {
		return Coupon{}, err
	}
	c, err := s.coupon(ctx, couponID)
	if err != nil {
		return c, err
	}
	if !sees(sc, &c) {
		return Coupon{}, fault.NotFound("coupon.unknown", nil)
	}
	return c, nil
}

func (s *Service) coupon(ctx context.Context, couponID string) (Coupon, error) {
	unknown := fault.NotFound("coupon.unknown", nil)
	if couponID == "" {
		return Coupon{}, unknown
	}
	all, err := s.Store.CouponByID(ctx, couponID)
	if err == nil && len(all) == 0 {
		err = unknown
	}
	if err != nil {
		return Coupon{}, err
	}
	return all[0], nil
}

// Records lists what was done, as the acting organisation's own log has it. Fault: scope.permission_missing.
func (s *Service) Records(ctx context.Context, sc scope.Scope, f RecordFilter) ([]Record, error) {
	if err := sc.Require(viewItems...); err != nil {
		return nil, err
	}
	if sc.IsLimited() || sc.Side() == scope.SideCustomer {
		return nil, nil
	}
	f.OrgID = sc.OrgID()
	return s.Store.Records(ctx, f)
}

// Uses lists what vouchers inside the scope paid, or one of them. Faults: coupon.unknown, scope.permission_missing.
func (s *Service) Uses(ctx context.Context, sc scope.Scope, couponID string) ([]Use, error) {
	if couponID != "" {
		if _, err := s.Coupon(ctx, sc, couponID); err != nil {
			return nil, err
		}
		return s.Store.Uses(ctx, couponID, "")
	}
	all, err := s.Coupons(ctx, sc)
	if err != nil {
		return nil, err
	}
	if sc.Side() == scope.SideVendor {
		return s.Store.VendorUses(ctx, sc.OrgID())
	}
	var out []Use
	for i := range all {
		if all[i].UsedAt.IsZero() {
			continue
		}
		rows, err := s.Store.Uses(ctx, all[i].ID, "")
		if err != nil {
			return nil, err
		}
		out = append(out, rows...)
	}
	slices.SortStableFunc(out, func(a, b Use) int { return b.At.Compare(a.At) })
	return out, nil
}

// entry is what is written about one operation.
type entry struct {
	op        Operation
	vendorID  string
	quota     *Quota
	coupon    *Coupon
	customer  string
	amount    money.Amount
	currency  string
	code      string // why it failed
	remark    string
	operator  string
	from, to  string // the sides: the org that gives and the one that takes
	onlyGiver bool
}

// records writes an operation on each side it concerns.
func (s *Service) records(ctx context.Context, all ...entry) error {
	now := s.Clock.Now()
	var out []Record
	for _, e := range all {
		r := Record{OrgID: e.from, OtherID: e.to, VendorID: e.vendorID, Operation: e.op, CustomerID: e.customer, Amount: e.amount, Currency: e.currency,
			Code: e.code, Operator: e.operator, Remark: e.remark, At: now}
		if e.quota != nil {
			r.QuotaID = e.quota.ID
		}
		if e.coupon != nil {
			r.CouponID = e.coupon.ID
			if r.QuotaID == "" {
				r.QuotaID = e.coupon.QuotaID
			}
		}
		r.ID = id.New()
		out = append(out, r)
		if !e.onlyGiver && e.to != "" && e.to != e.from && e.customer == "" {
			r.ID, r.OrgID, r.OtherID = id.New(), e.to, e.from
			r.Remark = ""
			out = append(out, r)
		}
	}
	return s.Store.InsertRecords(ctx, out)
}

// audit writes one entry for each organisation named.
func (s *Service) audit(ctx context.Context, sc scope.Scope, action, object string, detail map[string]any, orgs ...string) error {
	return audit.RecordFor(ctx, s.Audit, audit.Entry{Actor: sc.Login(), Action: action, Object: object, Outcome: audit.OutcomeDone, Detail: detail}, orgs...)
}

// tell writes to the people of an organisation who hold an item.
func (s *Service) tell(ctx context.Context, orgID string, item scope.Item, code, page string, args fault.Args) error {
	return s.Teller.Tell(ctx, orgID, item, message.Notice{Category: message.CategoryBill, Code: code, Args: args, Link: page})
}

// QuotaAllowed and Allowed list what the actor may do, with reasons where not.
func (s *Service) QuotaAllowed(ctx context.Context, sc scope.Scope, q *Quota) ([]flow.Button, error) {
	f, err := s.quotaFacts(ctx, q)
	return QuotaFlow.Allowed(q.State, f, sc, s.Clock.Now()), err
}

// Limit is the amount up to which one person of a vendor grants; set is false where everything needs two.
func (s *Service) Limit(ctx context.Context, vendorID, currency string) (amount money.Amount, set bool, err error) {
	if s.Limits == nil {
		return 0, false, nil
	}
	all, err := s.Limits(ctx, vendorID)
	l, set := all.Of(foureyes.KindQuota, currency)
	return l.Amount, set, err
}

// two tells whether an amount a vendor grants, or changes a quota by, needs a second person.
func (s *Service) two(ctx context.Context, vendorID, currency string, amount money.Amount) (bool, error) {
	limit, set, err := s.Limit(ctx, vendorID, currency)
	return !set || max(amount, -amount) > limit, err
}

// Allowed lists what the actor may do with a voucher.
func (s *Service) Allowed(ctx context.Context, sc scope.Scope, c *Coupon) ([]flow.Button, error) {
	f, err := s.facts(ctx, c)
	if err != nil {
		return nil, err
	}
	return Flow.Allowed(c.State, f, sc, s.Clock.Now()), nil
}

func (s *Service) quotaFacts(ctx context.Context, q *Quota) (QuotaFacts, error) {
	f := QuotaFacts{VendorID: q.VendorID, OwnerID: q.OwnerID, GiverID: q.GiverID, Login: q.ProposedBy, Balance: q.Balance, Change: q.Change, To: q.To}
	if q.State != QuotaAdjusting {
		return f, nil
	}
	two, err := s.two(ctx, q.VendorID, q.Currency, q.Change)
	f.Alone = !two
	return f, err
}

func (s *Service) facts(ctx context.Context, c *Coupon) (Facts, error) {
	f := Facts{VendorID: c.VendorID, IssuerID: c.IssuerID, HolderID: c.HolderID, Login: c.IssuedBy, Locked: c.LockOrder != "", Frozen: c.Frozen, Balance: c.Balance, To: c.To}
	if c.Level != LevelPartner || s.Cycles == nil {
		return f, nil
	}
	var err error
	f.CycleOpen, err = s.Cycles.Open(ctx, c.VendorID, c.To.Add(-time.Microsecond))
	return f, err
}

// History is what happened to a quota or a voucher, the oldest first.
func (s *Service) History(ctx context.Context, machine, entity string) ([]flow.Change, error) {
	return s.Log.History(ctx, machine, entity)
}

func clean(text string) string { return strings.TrimSpace(text) }

// confirmed asks the persons of partners; what a vendor grants has its second person instead.
func (s *Service) confirmed(ctx context.Context, sc scope.Scope) error {
	if s.Confirmed == nil || sc.Side() != scope.SidePartner {
		return nil
	}
	return s.Confirmed(ctx, sc)
}
