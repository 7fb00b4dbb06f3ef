// Package coupon is 券管理: quotas (额度) from which a partner cuts vouchers, the vouchers (代金券, 现金券) that partners and
// customers hold, what each may be used for, and what was done with them.
//
// It owns quotas, vouchers, their limits and states, the log of operations, the records of use and the rule by which
// vouchers pay lines. It does not own bills, whose close asks it what pays which line, nor associations, whose end takes
// vouchers back.
//
// Invariants: a quota's value = what remains + what was issued − what came back; a voucher's face = what remains + what
// was used + what was taken back; nothing issues or spends more than remains; limits never change after the issue, and a
// voucher's are never wider than those of its quota; every act leaves one record on each side it concerns.
//
// Spec: sales.md §2.12, 3.4, 2.2 rule 11
package coupon

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"huoban/internal/money"
)

// The bounds of forms: recipients of one issue on the page and of one file, services and products of a voucher.
const (
	MaxPage     = 10
	MaxBatch    = 100
	MaxLimit    = 10
	MaxMemo     = 200
	MaxOwnLimit = 200 // services, products, regions or customers a quota may name
)

// Kind is what a quota or voucher is.
type Kind string

// The kinds: 代金券, 现金券.
const (
	KindVoucher Kind = "voucher"
	KindCash    Kind = "cash"
)

// Kinds lists them.
var Kinds = []Kind{KindVoucher, KindCash}

// Label is the key of the kind's name.
func (k Kind) Label() string { return "coupon.kind." + string(k) }

// Level is who holds a voucher: a partner, whose bills it pays at the close, or a customer.
type Level string

// The levels.
const (
	LevelPartner  Level = "partner"
	LevelCustomer Level = "customer"
)

// Label is the key of the level's name.
func (l Level) Label() string { return "coupon.level." + string(l) }

// QuotaState is where a quota stands.
type QuotaState string

// The states of a quota: 待复核, 正常, 额度调整中, 冻结, 失效, 已回收, 未通过.
const (
	QuotaPending   QuotaState = "pending"
	QuotaNormal    QuotaState = "normal"
	QuotaAdjusting QuotaState = "adjusting"
	QuotaFrozen    QuotaState = "frozen"
	QuotaInvalid   QuotaState = "invalid"
	QuotaReclaimed QuotaState = "reclaimed"
	QuotaRefused   QuotaState = "refused"
)

// State is where a voucher stands.
type State string

// The states of a voucher: 未激活 (waits for the vendor's second person), 可使用, 已使用, 已过期, 已回收, 未通过.
const (
	StateInactive  State = "inactive"
	StateUsable    State = "usable"
	StateUsed      State = "used"
	StateExpired   State = "expired"
	StateReclaimed State = "reclaimed"
	StateRefused   State = "refused"
)

// Limits say what a quota or voucher may be used for. An empty list is any; a zero amount is none. Order amounts bound
// what is paid as one: an order, or at the close a line of the bill.
type Limits struct {
	Services  []string `json:"services,omitempty"`
	Products  []string `json:"products,omitempty"` // SKUs
	Regions   []string `json:"regions,omitempty"`
	Modes     []string `json:"modes,omitempty"`
	Customers []string `json:"customers,omitempty"` // keys
	Orders    []string `json:"orders,omitempty"`    // kinds of orders
	MinOrder  money.Amount
	MaxOrder  money.Amount
}

// OrderKinds are what an order buys: 新购, 续订, 变更.
var OrderKinds = []string{"new", "renewal", "change"}

// Empty tells whether nothing is limited.
func (l Limits) Empty() bool {
	return len(l.Services)+len(l.Products)+len(l.Regions)+len(l.Modes)+len(l.Customers)+len(l.Orders) == 0 && l.MinOrder == 0 && l.MaxOrder == 0
}

// Quota is an amount from which vouchers are cut. ParentID is the quota it was cut from itself: a distributor's.
type Quota struct {
	ID                 string
	VendorID           string
	Number             int64
	OwnerID, ParentID  string
	GiverID            string // the vendor or the distributor
	Kind               Kind
	Currency           string
	Value, Balance     money.Amount
	Issued, Returned   money.Amount
	State              QuotaState
	From, To           time.Time // [From, To)
	Limits             Limits
	Memo               string
	Change             money.Amount // asked for while it is adjusted
	ProposedBy         string       // who granted it or asked for its change
	DecidedBy, Reason  string
	Version            int64
	CreatedAt, Changed time.Time
}

// Name is how people call it.
func (q *Quota) Name() string { return QuotaName(q.Number) }

// QuotaName writes the number of a quota.
func QuotaName(n int64) string { return fmt.Sprintf("ED%06d", n) }

// Balanced tells whether its value is accounted for.
func (q *Quota) Balanced() bool {
	return q.Balance >= 0 && q.Issued >= q.Returned && q.Value == q.Balance+q.Issued-q.Returned
}

// Coupon is a voucher somebody holds.
type Coupon struct {
	ID                 string
	VendorID           string
	Number             int64
	QuotaID            string // empty: the vendor gave it
	IssuerID, HolderID string
	Level              Level
	Kind               Kind
	Currency           string
	Face, Balance      money.Amount
	Used, Returned     money.Amount
	State              State
	From, To           time.Time
	Limits             Limits
	LockOrder          string
	Frozen             bool
	Memo               string // seen by the issuer's side alone
	IssuedBy           string
	DecidedBy, Reason  string
	UsedAt             time.Time
	Version            int64
	CreatedAt, Changed time.Time
}

// Name is how people call it.
func (c *Coupon) Name() string { return Name(c.Number) }

// Name writes the number of a voucher.
func Name(n int64) string { return fmt.Sprintf("QJ%08d", n) }

// Balanced tells whether its face is accounted for.
func (c *Coupon) Balanced() bool {
	return c.Balance >= 0 && c.Used >= 0 && c.Returned >= 0 && c.Face == c.Balance+c.Used+c.Returned
}

// Named tells whether it is for customers it names.
func (c *Coupon) Named() bool { return c.Level == LevelCustomer || len(c.Limits.Customers) > 0 }

// Operation is what a record tells of.
type Operation string

// The operations, in the order of their numbers: 发放, 手动回收, 解绑自动回收, 过期回收, 退订回收, 退款充值撤销, 建立关联回收, 切换关联模式自动回收,
// 云经销商转移, 发放额度, 回收额度.
const (
	OpIssue      Operation = "issue"
	OpReclaim    Operation = "reclaim"
	OpUnlink     Operation = "unlink"
	OpExpire     Operation = "expire"
	OpRefund     Operation = "refund"
	OpReversal   Operation = "reversal"
	OpLink       Operation = "link"
	OpSwitch     Operation = "switch"
	OpMove       Operation = "move"
	OpGrantQuota Operation = "grant_quota"
	OpTakeQuota  Operation = "take_quota"
)

// Operations lists them; the number of one is its place, from 1.
var Operations = []Operation{OpIssue, OpReclaim, OpUnlink, OpExpire, OpRefund, OpReversal, OpLink, OpSwitch, OpMove, OpGrantQuota, OpTakeQuota}

// Number is the operation's code.
func (o Operation) Number() int { return slices.Index(Operations, o) + 1 }

// Label is the key of the operation's name.
func (o Operation) Label() string { return "coupon.op." + string(o) }

// Record is one operation as one side sees it. Code is why it failed, empty where it succeeded.
type Record struct {
	ID, OrgID, OtherID, VendorID string
	Operation                    Operation
	QuotaID, CouponID            string
	QuotaNumber, CouponNumber    int64
	CustomerID, CustomerCode     string
	CustomerName                 string
	OtherName                    string
	Amount                       money.Amount
	Currency                     string
	Code                         string
	Operator, Remark             string
	At                           time.Time
}

// Use is what a voucher paid of a line of a bill, or of an order.
type Use struct {
	ID         string
	CouponID   string
	Number     int64 // of the voucher
	VendorID   string
	Cycle      string // of the bill; empty for an order
	PartnerID  string // whose bill
	Currency   string
	EntityID   string
	CustomerID string
	Customer   string // code
	OrderID    string
	Seq        int64 // in the bill: the order in which lines were paid
	SlotID     int64
	Start      string // charge start as stored
	Key        []byte
	Occurrence int64
	Part       bool // a customer's part of a spread line
	ItemNo     int64
	Provider   string
	Service    string
	SKU        string
	Region     string
	Mode       string
	Line       money.Amount // what the line is worth
	Before     money.Amount // what was left of it
	Amount     money.Amount // what was paid; below zero: given back
	At         time.Time
	Drafted    bool // of a bill that is not issued: planned, not yet paid
}

// Says tells whether the record has a text in what names it.
func (r *Record) Says(text string) bool {
	words := r.Operator + " " + r.OtherName + " " + r.CustomerCode + " " + r.CustomerName
	if r.QuotaNumber > 0 {
		words += " " + QuotaName(r.QuotaNumber)
	}
	if r.CouponNumber > 0 {
		words += " " + Name(r.CouponNumber)
	}
	return strings.Contains(strings.ToLower(words), strings.ToLower(text))
}
