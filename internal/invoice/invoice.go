// Package invoice is 发票管理: what a partner asks its vendor, or a seller of the marketplace, to invoice, and what
// becomes of it.
//
// It owns requests, what of an issued bill may still be invoiced, titles (发票信息), postal addresses, electronic
// files and the rules of all of these. It does not own bills (bill), whether they are paid, nor money that is taken
// out: who pays it out asks Held first.
//
// Invariants: the parts of all requests that hold amounts never sum to more than a bill is due, nor those of an order
// to more than it costs; an amount is held from the submission until refusal, cancellation or return, and freed by
// them once; what an invoice says is what stood when it was submitted; nobody but issuer and partner sees a request.
//
// Spec: docs/invoices.md
package invoice

import (
	"time"

	"huoban/internal/cycle"
	"huoban/internal/money"
)

// Issuer is who invoices: the vendor, or a seller of the marketplace (云商店服务商).
type Issuer string

// The issuers.
const (
	IssuerVendor Issuer = "vendor"
	IssuerSeller Issuer = "seller"
)

// Goods are what a seller's invoice is about: 通用商品, which the seller handles itself, or 严选商品. Empty for the
// vendor's own.
type Goods string

// The goods.
const (
	GoodsNone     Goods = ""
	GoodsGeneral  Goods = "general"
	GoodsSelected Goods = "selected"
)

// Method is how an amount is picked: 按账期, 按订单, 按指定金额.
type Method string

// The methods.
const (
	MethodCycle  Method = "cycle"
	MethodOrder  Method = "order"
	MethodAmount Method = "amount"
)

// Methods lists them as pages offer them.
var Methods = []Method{MethodCycle, MethodOrder, MethodAmount}

// Kind is 发票种类: 增值税普通发票, 增值税专用发票.
type Kind string

// The kinds.
const (
	KindOrdinary Kind = "ordinary"
	KindSpecial  Kind = "special"
)

// Medium is 介质: 纸质, 电子 (版式文件), 数电票.
type Medium string

// The media.
const (
	MediumPaper      Medium = "paper"
	MediumElectronic Medium = "electronic"
	MediumDigital    Medium = "digital"
)

// IsFile tells whether the invoice is a file rather than a letter.
func (m Medium) IsFile() bool { return m == MediumElectronic || m == MediumDigital }

// Content is 开票内容, the same on every invoice.
const Content = "cloud_service"

// Request is 发票申请. Title is what stands on the invoice, Post where a letter goes, as of the submission.
type Request struct {
	ID        string
	Number    string // 申请单号
	VendorID  string
	PartnerID string
	IssuerID  string
	Issuer    Issuer
	Goods     Goods
	EntityID  string // 签约主体
	Method    Method
	Currency  string
	Amount    money.Amount // the sum of the parts
	Kind      Kind
	Medium    Medium
	Title     Title
	AddressID string
	Post      Post
	Email     string
	Remark    string
	CourierOK bool // the partner pays the courier of a small paper invoice

	State   State
	Version int64
	Reason  string // of the last refusal

	InvoiceCode   string // 发票代码; empty for 数电票
	InvoiceNumber string // 发票号码
	InvoicedOn    string // 开票日期, YYYY-MM-DD in GMT+08:00
	Courier       string
	Tracking      string
	SignBy        time.Time // when the posted letter counts as received
	ReturnReason  string
	Back          Letter // in which a paper invoice goes back
	RedConfirmed  bool   // 红字信息 confirmed, or the invoice was never deducted

	PersonID    string
	Login       string
	CreatedAt   time.Time
	SubmittedAt time.Time
	ChangedAt   time.Time

	Parts []Part
}

// Part is what a request takes of one bill, or of one order on it. Cycle and BillDue are the bill's.
type Part struct {
	BillID  string
	OrderNo string // 订单号; empty where the part is of the bill as a whole or of a customer's cycle
	// CustomerID is whose order or cycle it is; empty where the part is of the bill as a whole.
	CustomerID string
	Cycle      cycle.Cycle
	BillDue    money.Amount
	Amount     money.Amount
}

// Letter is who carries something and under which number.
type Letter struct{ Courier, Tracking string }

// Post is a postal address as it stands on a letter.
type Post struct{ Recipient, Phone, Region, Detail, Postcode string }

// Holds tells whether a request in the state holds its amounts against a second invoice and against being paid out.
func (s State) Holds() bool {
	switch s {
	case StatePending, StateIssuing, StateCancelling, StateKept, StatePosted, StateIssued, StateReturning, StateReturnRefused:
		return true
	}
	return false
}

// HoldingStates lists them, for whoever sums.
func HoldingStates() []State {
	var out []State
	for _, s := range Flow.States() {
		if s.Holds() {
			out = append(out, s)
		}
	}
	return out
}

// Limits.
const (
	MaxRemark    = 130 // characters that fit on an invoice
	MaxReason    = 500
	MaxParts     = 200
	MaxAddresses = 10
	MaxFile      = 10 << 20
)
