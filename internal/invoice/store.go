package invoice

import (
	"context"
	"time"

	"huoban/internal/bill"
	"huoban/internal/message"
	"huoban/internal/money"
	"huoban/internal/organisation"
	"huoban/internal/scope"
)

// Tx runs a function in one transaction; fn may be run again.
type Tx interface {
	InTx(ctx context.Context, fn func(ctx context.Context) error) error
}

// Claim is what requests hold of a bill, of one order on it, or of one customer's part.
type Claim struct {
	BillID, OrderNo, CustomerID string
	Amount                      money.Amount
}

// Store keeps requests, titles, addresses and files. ByID and AddressByID answer not_found.
type Store interface {
	// ByID is a request with its parts: the partner's own, or one that was submitted to the issuer; invoice.unknown.
	ByID(ctx context.Context, sc scope.Scope, id string) (Request, error)
	// OfPartner and OfVendor list with parts, the newest first; deleted ones are left out, and drafts except for the
	// partner.
	OfPartner(ctx context.Context, partnerID string) ([]Request, error)
	OfVendor(ctx context.Context, vendorID string) ([]Request, error)
	// LastSerial is the highest serial of a vendor's requests whose number begins so.
	LastSerial(ctx context.Context, vendorID, prefix string) (int64, error)
	Insert(ctx context.Context, r Request) error
	// Set writes everything but parts if state and version are as loaded, and raises the version.
	Set(ctx context.Context, r Request, from State, version int64) (bool, error)
	SetParts(ctx context.Context, requestID string, parts []Part) error
	// Claims sums by bill, order and customer what requests of the partner besides one hold.
	Claims(ctx context.Context, partnerID, besides string) ([]Claim, error)
	// NumberTaken tells whether another request of the issuer bears the number.
	NumberTaken(ctx context.Context, issuerID, code, number, besides string) (bool, error)

	// Title is the valid one; Titles are all versions, the newest first.
	Title(ctx context.Context, partnerID string) (t Title, found bool, err error)
	Titles(ctx context.Context, partnerID string) ([]Title, error)
	InsertTitle(ctx context.Context, t Title) error

	Addresses(ctx context.Context, partnerID string) ([]Address, error)
	AddressByID(ctx context.Context, partnerID, id string) (Address, error) // invoice.address_unknown
	InsertAddress(ctx context.Context, a Address) error
	RetireAddress(ctx context.Context, partnerID, id string) error

	Files(ctx context.Context, requestID string) ([]File, error)
	PutFile(ctx context.Context, requestID string, f File, body []byte) error
	FileBody(ctx context.Context, requestID string, format Format) ([]byte, error) // invoice.file_unknown

	// DigitalFrom says since when entities of the vendor issue nothing but 数电票.
	DigitalFrom(ctx context.Context, vendorID string) (map[string]time.Time, error)
	SetDigital(ctx context.Context, vendorID, entityID string, from time.Time, by string, at time.Time) error

	Setting(ctx context.Context, vendorID string) (s Setting, found bool, err error)
	SaveSetting(ctx context.Context, vendorID string, s Setting, by string, at time.Time) error
}

// Bills are partner bills in scope.
type Bills interface {
	List(ctx context.Context, sc scope.Scope, f bill.Filter) ([]bill.Document, error)
}

// Arrears tells what of issued bills is unpaid, by key of the bill. Without it nothing is known to be.
type Arrears interface {
	Unpaid(ctx context.Context, partnerID string) (map[string]money.Amount, error)
}

// Refunds tells which of the orders are being unsubscribed. Without it none is.
type Refunds interface {
	Open(ctx context.Context, partnerID string, orders []string) ([]string, error)
}

// Organisations is what is asked of organisations.
type Organisations interface {
	ByID(ctx context.Context, sc scope.Scope, orgID string) (organisation.Organisation, error)
}

// People is who may do something in an organisation.
type People interface {
	Holders(ctx context.Context, orgID string, item scope.Item) ([]string, error)
}

// Bell rings for people.
type Bell interface {
	Notify(ctx context.Context, notices ...message.Notice) error
}
