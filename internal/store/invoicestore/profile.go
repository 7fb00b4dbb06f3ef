package invoicestore

import (
	"bytes"
	"context"
	"database/sql"
	"time"

	"huoban/internal/fault"
	"huoban/internal/invoice"
	"huoban/internal/store"
)

// Titles are the versions of a partner's title, the newest first.
func (s *Store) Titles(ctx context.Context, partnerID string) ([]invoice.Title, error) {
	var out []invoice.Title
	err := s.db.Each(ctx, qTitles, []any{partnerID}, func(rows *sql.Rows) error {
		var t invoice.Title
		var created store.Instant
		err := rows.Scan(&t.PartnerID, &t.Version, &t.Kind, &t.Name, &t.TaxNo, &t.Bank, &t.Account, &t.Address, &t.Phone, &t.CreatedBy, &created)
		t.CreatedAt = created.Time
		out = append(out, t)
		return err
	})
	return out, err
}

// Title is the valid one.
func (s *Store) Title(ctx context.Context, partnerID string) (invoice.Title, bool, error) {
	list, err := s.Titles(ctx, partnerID)
	if err != nil || len(list) == 0 {
		return invoice.Title{}, false, err
	}
	return list[0], true, nil
}

// InsertTitle writes a version.
func (s *Store) InsertTitle(ctx context.Context, t invoice.Title) error {
	_, err := s.db.Exec(ctx, qInsertTitle, t.PartnerID, t.Version, string(t.Kind), t.Name, t.TaxNo, t.Bank, t.Account, t.Address, t.Phone, t.CreatedBy, store.At(t.CreatedAt))
	return err
}

func (s *Store) addresses(ctx context.Context, q store.Query, args ...any) ([]invoice.Address, error) {
	var out []invoice.Address
	err := s.db.Each(ctx, q, args, func(rows *sql.Rows) error {
		var a invoice.Address
		var created store.Instant
		err := rows.Scan(&a.ID, &a.PartnerID, &a.Recipient, &a.Phone, &a.Region, &a.Detail, &a.Postcode, &a.CreatedBy, &created)
		a.CreatedAt = created.Time
		out = append(out, a)
		return err
	})
	return out, err
}

// Addresses are those of a partner that are not taken off.
func (s *Store) Addresses(ctx context.Context, partnerID string) ([]invoice.Address, error) {
	return s.addresses(ctx, qAddresses, partnerID, false)
}

// AddressByID finds one of Addresses. Fault: invoice.address_unknown.
func (s *Store) AddressByID(ctx context.Context, partnerID, id string) (invoice.Address, error) {
	list, err := s.addresses(ctx, qAddressByID, partnerID, id, false)
	if err == nil && len(list) == 0 {
		err = fault.NotFound("invoice.address_unknown", nil)
	}
	if err != nil {
		return invoice.Address{}, err
	}
	return list[0], nil
}

// InsertAddress writes a new one.
func (s *Store) InsertAddress(ctx context.Context, a invoice.Address) error {
	_, err := s.db.Exec(ctx, qInsertAddress, a.ID, a.PartnerID, a.Recipient, a.Phone, a.Region, a.Detail, a.Postcode, false, a.CreatedBy, store.At(a.CreatedAt))
	return err
}

// RetireAddress takes one off the list.
func (s *Store) RetireAddress(ctx context.Context, partnerID, id string) error {
	_, err := s.db.Exec(ctx, qRetireAddress, partnerID, id, true)
	return err
}

// Files are the files of a request.
func (s *Store) Files(ctx context.Context, requestID string) ([]invoice.File, error) {
	var out []invoice.File
	err := s.db.Each(ctx, qFiles, []any{requestID}, func(rows *sql.Rows) error {
		var f invoice.File
		var at store.Instant
		err := rows.Scan(&f.Format, &f.Bytes, &f.SHA, &f.By, &at)
		f.At = at.Time
		out = append(out, f)
		return err
	})
	return out, err
}

// PutFile replaces the file of a format.
func (s *Store) PutFile(ctx context.Context, requestID string, f invoice.File, body []byte) error {
	if _, err := s.db.Exec(ctx, qPutFile, requestID, string(f.Format), f.Bytes, f.SHA, f.By, store.At(f.At)); err != nil {
		return err
	}
	if _, err := s.db.Exec(ctx, qDropPieces, requestID, string(f.Format)); err != nil {
		return err
	}
	for no := int64(1); len(body) > 0; no++ {
		n := min(len(body), pieceSize)
		if _, err := s.db.Exec(ctx, qPutPiece, requestID, string(f.Format), no, body[:n]); err != nil {
			return err
		}
		body = body[n:]
	}
	return nil
}

// FileBody is a file whole. Fault: invoice.file_unknown.
func (s *Store) FileBody(ctx context.Context, requestID string, format invoice.Format) ([]byte, error) {
	var out bytes.Buffer
	err := s.db.Each(ctx, qPieces, []any{requestID, string(format)}, func(rows *sql.Rows) error {
		var piece []byte
		err := rows.Scan(&piece)
		out.Write(piece)
		return err
	})
	if err == nil && out.Len() == 0 {
		err = fault.NotFound("invoice.file_unknown", nil)
	}
	return out.Bytes(), err
}

// DigitalFrom says since when entities of the vendor issue nothing but 数电票.
func (s *Store) DigitalFrom(ctx context.Context, vendorID string) (map[string]time.Time, error) {
	out := map[string]time.Time{}
	err := s.db.Each(ctx, qDigital, []any{vendorID}, func(rows *sql.Rows) error {
		var entity string
		var from store.Instant
		err := rows.Scan(&entity, &from)
		out[entity] = from.Time
		return err
	})
	return out, err
}

// SetDigital sets that of an entity of the vendor; the zero time takes it back. Fault: invoice.entity_unknown.
func (s *Store) SetDigital(ctx context.Context, vendorID, entityID string, from time.Time, by string, at time.Time) error {
	if from.IsZero() {
		_, err := s.db.Exec(ctx, qDropDigital, vendorID, entityID)
		return err
	}
	n, err := s.db.Exec(ctx, qSetDigital, vendorID, entityID, store.At(from), by, store.At(at))
	if err == nil && n == 0 {
		err = fault.NotFound("invoice.entity_unknown", nil)
	}
	return err
}

// Setting is how a vendor sends paper invoices, where it said so.
func (s *Store) Setting(ctx context.Context, vendorID string) (out invoice.Setting, found bool, err error) {
	err = s.db.Each(ctx, qSetting, []any{vendorID}, func(rows *sql.Rows) error {
		var lines string
		found = true
		if err := rows.Scan(&out.SignDays, &lines); err != nil {
			return err
		}
		out.Couriers, err = invoice.ReadCouriers(lines)
		return err
	})
	return out, found, err
}

// SaveSetting keeps it.
func (s *Store) SaveSetting(ctx context.Context, vendorID string, in invoice.Setting, by string, at time.Time) error {
	_, err := s.db.Exec(ctx, qSaveSetting, vendorID, in.SignDays, invoice.CourierText(in.Couriers), by, store.At(at))
	return err
}
