// Package invoicestore keeps invoice requests with their parts, titles, addresses and files.
//
// It owns the queries of the invoice tables; it does not own their rules. Invariant: a request changes by
// compare-and-set on state and version.
package invoicestore

import (
	"context"
	"database/sql"
	"embed"
	"strconv"
	"strings"

	"huoban/internal/cycle"
	"huoban/internal/fault"
	"huoban/internal/invoice"
	"huoban/internal/scope"
	"huoban/internal/store"
)

//go:embed query/*.sql
var files embed.FS

var (
	q               = store.Load(files)
	qByID           = q.Get("invoice.ByID")
	qOfPartner      = q.Get("invoice.OfPartner")
	qOfVendor       = q.Get("invoice.OfVendor")
	qParts          = q.Get("invoice.Parts")
	qPartsOfPartner = q.Get("invoice.PartsOfPartner")
	qPartsOfVendor  = q.Get("invoice.PartsOfVendor")
	qLastSerial     = q.Get("invoice.LastSerial")
	qInsert         = q.Get("invoice.Insert")
	qSet            = q.Get("invoice.Set")
	qDropParts      = q.Get("invoice.DropParts")
	qInsertPart     = q.Get("invoice.InsertPart")
	qClaims         = q.Get("invoice.Claims")
	qNumberTaken    = q.Get("invoice.NumberTaken")
	qTitles         = q.Get("invoice.Titles")
	qInsertTitle    = q.Get("invoice.InsertTitle")
	qAddresses      = q.Get("invoice.Addresses")
	qAddressByID    = q.Get("invoice.AddressByID")
	qInsertAddress  = q.Get("invoice.InsertAddress")
	qRetireAddress  = q.Get("invoice.RetireAddress")
	qFiles          = q.Get("invoice.Files")
	qPutFile        = q.Get("invoice.PutFile")
	qDropPieces     = q.Get("invoice.DropPieces")
	qPutPiece       = q.Get("invoice.PutPiece")
	qPieces         = q.Get("invoice.Pieces")
	qDigital        = q.Get("invoice.Digital")
	qSetDigital     = q.Get("invoice.SetDigital")
	qDropDigital    = q.Get("invoice.DropDigital")
	qSetting        = q.Get("invoice.Setting")
	qSaveSetting    = q.Get("invoice.SaveSetting")
)

// pieceSize is how much of a file one row holds.
const pieceSize = 256 << 10

// Store implements invoice.Store.
type Store struct{ db *store.DB }

// New makes the store.
func New(db *store.DB) *Store { return &Store{db} }

// key is null for none.
func key(id string) any {
	if id == "" {
		return nil
	}
	return id
}

func scan(rows *sql.Rows) (r invoice.Request, err error) {
	var created, submitted, changed, signBy store.Instant
	err = rows.Scan(
		&r.ID, &r.Number, &r.VendorID, &r.PartnerID, &r.IssuerID, &r.Issuer, &r.Goods, &r.EntityID, &r.Method, &r.Currency, &r.Amount, &r.Kind, &r.Medium, &r.Title.Kind,
		&r.Title.Version, &r.Title.Name, &r.Title.TaxNo, &r.Title.Bank, &r.Title.Account, &r.Title.Address, &r.Title.Phone, &r.AddressID, &r.Post.Recipient, &r.Post.Phone,
		&r.Post.Region, &r.Post.Detail, &r.Post.Postcode, &r.Email, &r.Remark, &r.CourierOK, &r.State, &r.Version, &r.Reason, &r.InvoiceCode, &r.InvoiceNumber, &r.InvoicedOn,
		&r.Courier, &r.Tracking, &r.ReturnReason, &r.RedConfirmed, &r.PersonID, &r.Login, &created, &submitted, &changed, &r.Back.Courier, &r.Back.Tracking, &signBy)
	r.Title.PartnerID = r.PartnerID
	r.CreatedAt, r.SubmittedAt, r.ChangedAt, r.SignBy = created.Time, submitted.Time, changed.Time, signBy.Time
	return r, err
}

// Insert writes a new request with its parts.
func (s *Store) Insert(ctx context.Context, r invoice.Request) error {
	_, err := s.db.Exec(ctx, qInsert,
		r.ID, r.Number, r.VendorID, r.PartnerID, r.IssuerID, string(r.Issuer), string(r.Goods), r.EntityID, string(r.Method), r.Currency, int64(r.Amount), string(r.Kind),
		string(r.Medium), string(r.Title.Kind), r.Title.Version, r.Title.Name, r.Title.TaxNo, r.Title.Bank, r.Title.Account, r.Title.Address, r.Title.Phone, key(r.AddressID),
		r.Post.Recipient, r.Post.Phone, r.Post.Region, r.Post.Detail, r.Post.Postcode, r.Email, r.Remark, r.CourierOK, string(r.State), r.Version, r.Reason, r.InvoiceCode,
		r.InvoiceNumber, r.InvoicedOn, r.Courier, r.Tracking, r.ReturnReason, r.RedConfirmed, r.PersonID, r.Login, store.At(r.CreatedAt), store.At(r.SubmittedAt),
		store.At(r.ChangedAt), r.Back.Courier, r.Back.Tracking, store.At(r.SignBy))
	if err != nil {
		return err
	}
	return s.insertParts(ctx, r.ID, r.Parts)
}

// Set writes everything but parts if state and version are as given, and raises the version.
func (s *Store) Set(ctx context.Context, r invoice.Request, from invoice.State, version int64) (bool, error) {
	n, err := s.db.Exec(ctx, qSet, r.ID, string(from), version, string(r.State),
		r.Number, r.VendorID, r.IssuerID, string(r.Issuer), string(r.Goods), r.EntityID, string(r.Method), r.Currency, int64(r.Amount), string(r.Kind), string(r.Medium),
		string(r.Title.Kind), r.Title.Version, r.Title.Name, r.Title.TaxNo, r.Title.Bank, r.Title.Account, r.Title.Address, r.Title.Phone, key(r.AddressID), r.Post.Recipient,
		r.Post.Phone, r.Post.Region, r.Post.Detail, r.Post.Postcode, r.Email, r.Remark, r.CourierOK, r.Reason, r.InvoiceCode, r.InvoiceNumber, r.InvoicedOn, r.Courier,
		r.Tracking, r.ReturnReason, r.RedConfirmed, r.PersonID, r.Login, store.At(r.SubmittedAt), store.At(r.ChangedAt), r.Back.Courier, r.Back.Tracking, store.At(r.SignBy))
	return n == 1, err
}

func (s *Store) insertParts(ctx context.Context, requestID string, parts []invoice.Part) error {
	for i, p := range parts {
		if _, err := s.db.Exec(ctx, qInsertPart, requestID, int64(i+1), p.BillID, p.OrderNo, p.CustomerID, int64(p.Amount)); err != nil {
			return err
		}
	}
	return nil
}

// SetParts replaces the parts of a request.
func (s *Store) SetParts(ctx context.Context, requestID string, parts []invoice.Part) error {
	if _, err := s.db.Exec(ctx, qDropParts, requestID); err != nil {
		return err
	}
	return s.insertParts(ctx, requestID, parts)
}

// list reads requests and hands each its parts.
func (s *Store) list(ctx context.Context, query, parts store.Query, args ...any) ([]invoice.Request, error) {
	var out []invoice.Request
	at := map[string]int{}
	err := s.db.Each(ctx, query, args, func(rows *sql.Rows) error {
		r, err := scan(rows)
		at[r.ID] = len(out)
		out = append(out, r)
		return err
	})
	if err != nil || len(out) == 0 {
		return out, err
	}
	err = s.db.Each(ctx, parts, args[:1], func(rows *sql.Rows) error {
		var of string
		var p invoice.Part
		var month string
		err := rows.Scan(&of, &p.BillID, &p.OrderNo, &p.CustomerID, &month, &p.BillDue, &p.Amount)
		p.Cycle = cycle.Cycle(month)
		if i, listed := at[of]; listed {
			out[i].Parts = append(out[i].Parts, p)
		}
		return err
	})
	return out, err
}

// ByID finds one in scope. Fault: invoice.unknown.
func (s *Store) ByID(ctx context.Context, sc scope.Scope, id string) (invoice.Request, error) {
	list, err := s.list(ctx, qByID, qParts, id, string(sc.Side()), sc.OrgID())
	if err == nil && len(list) == 0 {
		err = fault.NotFound("invoice.unknown", nil)
	}
	if err != nil {
		return invoice.Request{}, err
	}
	return list[0], nil
}

// OfPartner lists a partner's, the newest first.
func (s *Store) OfPartner(ctx context.Context, partnerID string) ([]invoice.Request, error) {
	return s.list(ctx, qOfPartner, qPartsOfPartner, partnerID)
}

// OfVendor lists what was submitted to a vendor, the newest first.
func (s *Store) OfVendor(ctx context.Context, vendorID string) ([]invoice.Request, error) {
	return s.list(ctx, qOfVendor, qPartsOfVendor, vendorID)
}

// LastSerial is the highest serial of a vendor's requests whose number begins so.
func (s *Store) LastSerial(ctx context.Context, vendorID, prefix string) (int64, error) {
	var last string
	if err := s.db.Row(ctx, qLastSerial, "invoice.unknown", []any{vendorID, prefix}, &last); err != nil || last == "" {
		return 0, err
	}
	n, err := strconv.ParseInt(strings.TrimPrefix(last, prefix), 10, 64)
	return n, err
}

// Claims sums what requests besides one hold.
func (s *Store) Claims(ctx context.Context, partnerID, besides string) ([]invoice.Claim, error) {
	var out []invoice.Claim
	err := s.db.Each(ctx, qClaims, []any{partnerID, besides}, func(rows *sql.Rows) error {
		var c invoice.Claim
		err := rows.Scan(&c.BillID, &c.OrderNo, &c.CustomerID, &c.Amount)
		out = append(out, c)
		return err
	})
	return out, err
}

// NumberTaken tells whether another request of the issuer bears the number.
func (s *Store) NumberTaken(ctx context.Context, issuerID, code, number, besides string) (bool, error) {
	var n int64
	err := s.db.Row(ctx, qNumberTaken, "invoice.unknown", []any{issuerID, code, number, besides}, &n)
	return n > 0, err
}
