package liststore

import (
	"context"
	"time"

	"huoban/internal/store"
)

var (
	qMails     = q.Get("mail.Of")
	qSetMail   = q.Get("mail.Set")
	qDropMail  = q.Get("mail.Drop")
	qDropToken = q.Get("mail.DropToken")
	qDueMails  = q.Get("mail.Due")
	qMarkMail  = q.Get("mail.Mark")
	qByToken   = q.Get("mail.ByToken")
)

// ViewMail is a view that its person wants by mail every week.
type ViewMail struct{ PersonID, OrgID, Path, Name, Token, Lang, Query string }

// Mails gives which views a person has mailed: organisation, page and name.
func (s *Store) Mails(ctx context.Context, personID string, fn func(orgID, path, name string)) error {
	return s.db.Cells(ctx, qMails, []any{personID}, func(c store.RowCells) error {
		fn(c.Text(0), c.Text(1), c.Text(2))
		return nil
	})
}

// SetMail has a view mailed from now on; one that is stays as it is. The view must be there.
func (s *Store) SetMail(ctx context.Context, personID, orgID, path, name, token, lang string) error {
	_, err := s.db.Exec(ctx, qSetMail, personID, orgID, path, name, token, lang, store.At(s.clock.Now()))
	return err
}

// DropMail ends it.
func (s *Store) DropMail(ctx context.Context, personID, orgID, path, name string) error {
	_, err := s.db.Exec(ctx, qDropMail, personID, orgID, path, name)
	return err
}

// EndMail ends what a letter's token names; false if nothing is there.
func (s *Store) EndMail(ctx context.Context, token string) (bool, error) {
	n, err := s.db.Exec(ctx, qDropToken, token)
	return n > 0, err
}

// MailOf is what a token names; false if nothing is there.
func (s *Store) MailOf(ctx context.Context, token string) (m ViewMail, found bool, err error) {
	err = s.db.Cells(ctx, qByToken, []any{token}, func(c store.RowCells) error {
		m, found = ViewMail{c.Text(0), c.Text(1), c.Text(2), c.Text(3), c.Text(4), c.Text(5), c.Text(6)}, true
		return nil
	})
	return m, found, err
}

// DueMails are the tokens of what was not sent for a week, named by its Monday, and was wanted before an instant.
func (s *Store) DueMails(ctx context.Context, week string, before time.Time) ([]string, error) {
	var out []string
	err := s.db.Cells(ctx, qDueMails, []any{week, store.At(before)}, func(c store.RowCells) error {
		out = append(out, c.Text(0))
		return nil
	})
	return out, err
}

// MarkMail notes that a letter of the week goes out; false if another did so first.
func (s *Store) MarkMail(ctx context.Context, token, week string) (bool, error) {
	n, err := s.db.Exec(ctx, qMarkMail, token, week)
	return n > 0, err
}
