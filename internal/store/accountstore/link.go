package accountstore

import (
	"context"
	"database/sql"
	"time"

	"huoban/internal/account"
	"huoban/internal/store"
)

// InsertLink writes a new link.
func (s *Store) InsertLink(ctx context.Context, l account.Link) error {
	_, err := s.db.Exec(ctx, qLinkInsert, l.ID, l.PersonID, string(l.Purpose), l.CreatedBy, store.At(l.CreatedAt), store.At(l.ExpiresAt), false)
	return err
}

func (s *Store) links(ctx context.Context, q store.Query, args ...any) ([]account.Link, error) {
	var out []account.Link
	err := s.db.Each(ctx, q, args, func(rows *sql.Rows) error {
		var l account.Link
		var created, expires store.Instant
		err := rows.Scan(&l.ID, &l.PersonID, &l.Purpose, &l.CreatedBy, &created, &expires)
		l.CreatedAt, l.ExpiresAt = created.Time, expires.Time
		out = append(out, l)
		return err
	})
	return out, err
}

// OpenLink finds a link that still opens.
func (s *Store) OpenLink(ctx context.Context, linkID string, now time.Time) (account.Link, bool, error) {
	all, err := s.links(ctx, qLinkOpen, linkID, store.At(now))
	if err != nil || len(all) == 0 {
		return account.Link{}, false, err
	}
	return all[0], true, nil
}

// OpenLinks lists the open links of an organisation's persons.
func (s *Store) OpenLinks(ctx context.Context, orgID string, now time.Time) ([]account.Link, error) {
	return s.links(ctx, qLinkOfOrg, orgID, store.At(now))
}

// SpendLink uses a link; false when it opens no more.
func (s *Store) SpendLink(ctx context.Context, linkID string, at time.Time) (bool, error) {
	n, err := s.db.Exec(ctx, qLinkSpend, linkID, store.At(at), true)
	return n == 1, err
}

// EndLinks ends the open links of a person.
func (s *Store) EndLinks(ctx context.Context, personID string, at time.Time) error {
	_, err := s.db.Exec(ctx, qLinkEndAll, personID, store.At(at))
	return err
}

// Contacts lists the persons an organisation names to its customers.
func (s *Store) Contacts(ctx context.Context, orgID string) ([]string, error) {
	var out []string
	err := s.db.Each(ctx, qContactOfOrg, []any{orgID}, func(rows *sql.Rows) error {
		var personID string
		err := rows.Scan(&personID)
		out = append(out, personID)
		return err
	})
	return out, err
}

// AddContact names one more.
func (s *Store) AddContact(ctx context.Context, orgID, personID string, at time.Time) error {
	_, err := s.db.Exec(ctx, qContactAdd, orgID, personID, store.At(at))
	return err
}

// RemoveContact names one no more.
func (s *Store) RemoveContact(ctx context.Context, orgID, personID string) error {
	_, err := s.db.Exec(ctx, qContactRemove, orgID, personID)
	return err
}
