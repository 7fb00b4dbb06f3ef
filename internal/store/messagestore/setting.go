package messagestore

import (
	"context"
	"database/sql"

	"huoban/internal/message"
)

var (
	qOff         = q.Get("message.Off")
	qClearOff    = q.Get("message.ClearOff")
	qAddOff      = q.Get("message.AddOff")
	qTexts       = q.Get("message.Texts")
	qClearTexts  = q.Get("message.ClearTexts")
	qAddText     = q.Get("message.AddText")
	qLanguage    = q.Get("message.Language")
	qSetLanguage = q.Get("message.SetLanguage")
	qZone        = q.Get("message.Zone")
	qSetZone     = q.Get("message.SetZone")
)

// Off lists what a person does not want to be told.
func (s *Store) Off(ctx context.Context, orgID, personID string) ([]message.Way, error) {
	var out []message.Way
	err := s.db.Each(ctx, qOff, []any{personID, orgID}, func(rows *sql.Rows) error {
		var w message.Way
		err := rows.Scan(&w.Category, &w.Channel)
		out = append(out, w)
		return err
	})
	return out, err
}

// SetOff replaces it.
func (s *Store) SetOff(ctx context.Context, orgID, personID string, off []message.Way) error {
	if _, err := s.db.Exec(ctx, qClearOff, personID, orgID); err != nil {
		return err
	}
	for _, w := range off {
		if _, err := s.db.Exec(ctx, qAddOff, personID, orgID, string(w.Category), string(w.Channel)); err != nil {
			return err
		}
	}
	return nil
}

// Texts lists what a person wants to be told by text messages.
func (s *Store) Texts(ctx context.Context, orgID, personID string) ([]message.Category, error) {
	var out []message.Category
	err := s.db.Each(ctx, qTexts, []any{personID, orgID}, func(rows *sql.Rows) error {
		var c message.Category
		err := rows.Scan(&c)
		out = append(out, c)
		return err
	})
	return out, err
}

// SetTexts replaces it.
func (s *Store) SetTexts(ctx context.Context, orgID, personID string, texts []message.Category) error {
	if _, err := s.db.Exec(ctx, qClearTexts, personID, orgID); err != nil {
		return err
	}
	for _, c := range texts {
		if _, err := s.db.Exec(ctx, qAddText, personID, orgID, string(c)); err != nil {
			return err
		}
	}
	return nil
}

// Language is that of a person's letters, "" where none was chosen.
func (s *Store) Language(ctx context.Context, personID string) (language string, err error) {
	err = s.db.Each(ctx, qLanguage, []any{personID}, func(rows *sql.Rows) error { return rows.Scan(&language) })
	return language, err
}

// SetLanguage keeps it.
func (s *Store) SetLanguage(ctx context.Context, personID, language string) error {
	_, err := s.db.Exec(ctx, qSetLanguage, personID, language)
	return err
}

// Zone is that in whose working hours a person's letters go out, "" where none was chosen.
func (s *Store) Zone(ctx context.Context, personID string) (zone string, err error) {
	err = s.db.Each(ctx, qZone, []any{personID}, func(rows *sql.Rows) error { return rows.Scan(&zone) })
	return zone, err
}

// SetZone keeps it.
func (s *Store) SetZone(ctx context.Context, personID, zone string) error {
	_, err := s.db.Exec(ctx, qSetZone, personID, zone)
	return err
}
