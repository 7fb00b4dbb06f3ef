package orgstore

import (
	"context"
	"database/sql"

	"huoban/internal/customer"
	"huoban/internal/store"
)

var (
	qLabels    = q.Get("label.OfPartner")
	qLabelAdd  = q.Get("label.Insert")
	qLabelDrop = q.Get("label.Delete")
)

// Labels lists the labels a partner gave, by customer and text.
func (s *Customers) Labels(ctx context.Context, partnerID string) ([]customer.Label, error) {
	var out []customer.Label
	err := s.db.Each(ctx, qLabels, []any{partnerID}, func(rows *sql.Rows) error {
		var l customer.Label
		var at store.Instant
		err := rows.Scan(&l.PartnerID, &l.CustomerID, &l.Text, &l.By, &at)
		l.At = at.Time
		out = append(out, l)
		return err
	})
	return out, err
}

// AddLabel writes one; it is there already if somebody was first.
func (s *Customers) AddLabel(ctx context.Context, l customer.Label) error {
	_, err := s.db.Exec(ctx, qLabelAdd, l.PartnerID, l.CustomerID, l.Text, l.By, store.At(l.At))
	return err
}

// DropLabel takes one off.
func (s *Customers) DropLabel(ctx context.Context, partnerID, customerID, text string) error {
	_, err := s.db.Exec(ctx, qLabelDrop, partnerID, customerID, text)
	return err
}
