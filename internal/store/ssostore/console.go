package ssostore

import (
	"context"
	"database/sql"
	"encoding/hex"
	"encoding/json"
	"fmt"

	"huoban/internal/sso"
	"huoban/internal/sso/registry"
	"huoban/internal/store"
)

var (
	qInsertConsole   = q.Get("sso.InsertConsole")
	qUpdateConsole   = q.Get("sso.UpdateConsole")
	qConsoleByID     = q.Get("sso.ConsoleByID")
	qConsoleByEntity = q.Get("sso.ConsoleByEntity")
	qConsoles        = q.Get("sso.Consoles")
	qConsoleWarnings = q.Get("sso.ConsoleWarnings")
	qWarnConsole     = q.Get("sso.WarnConsole")
	qInsertHost      = q.Get("sso.InsertHost")
	qHostOf          = q.Get("sso.HostOf")
	qHostByKey       = q.Get("sso.HostByKey")
	qHosts           = q.Get("sso.Hosts")
)

var formats = map[sso.NameIDFormat]string{sso.NameIDPersistent: "persistent", sso.NameIDTransient: "transient", sso.NameIDEmail: "email"}

func format(s string) sso.NameIDFormat {
	for f, name := range formats {
		if name == s {
			return f
		}
	}
	return sso.NameIDTransient
}

// texts are the lists of a console as columns keep them: addresses, attributes, ciphers, certificates that verify,
// and those that only encrypt.
func texts(c registry.Console) (out [5]string, err error) {
	var sign, encrypt []sso.Certificate
	for _, x := range c.Certs {
		if x.Use == sso.CertUseEncryption {
			encrypt = append(encrypt, x)
		} else {
			sign = append(sign, x)
		}
	}
	for i, v := range []any{c.ACS, c.Attributes, c.Ciphers, sign, encrypt} {
		if out[i], err = encode(v); err != nil {
			return out, err
		}
	}
	return out, nil
}

// InsertConsole writes a console.
func (s *Store) InsertConsole(ctx context.Context, c registry.Console) error {
	t, err := texts(c)
	if err != nil {
		return err
	}
	_, err = s.db.Exec(ctx, qInsertConsole, c.ID, c.Version, none(c.PartnerID), c.EntityID, c.Name, string(c.State), t[0], c.SLO, c.SLOResponse, bindings[c.SLOBinding],
		c.RequireSigned, formats[c.NameIDFormat], t[1], string(c.Encrypt), t[2], t[3], t[4], string(c.Source), c.MetadataURL, none(c.MetadataID),
		store.At(c.ValidUntil), c.CreatedBy, store.At(c.CreatedAt), store.At(c.UpdatedAt), none(c.VendorID))
	return err
}

// UpdateConsole writes a console over the one of its version.
func (s *Store) UpdateConsole(ctx context.Context, c registry.Console) (bool, error) {
	t, err := texts(c)
	if err != nil {
		return false, err
	}
	n, err := s.db.Exec(ctx, qUpdateConsole, c.ID, c.Version, c.Name, string(c.State), t[0], c.SLO, c.SLOResponse, bindings[c.SLOBinding],
		c.RequireSigned, formats[c.NameIDFormat], t[1], string(c.Encrypt), t[2], t[3], t[4], string(c.Source), c.MetadataURL, none(c.MetadataID),
		store.At(c.ValidUntil), store.At(c.UpdatedAt), none(c.VendorID))
	return n == 1, err
}

func (s *Store) consoles(ctx context.Context, q store.Query, args ...any) ([]registry.Console, error) {
	var out []registry.Console
	err := s.db.Each(ctx, q, args, func(rows *sql.Rows) error {
		var c registry.Console
		var state, acs, sloBinding, name, attributes, encrypt, ciphers, sign, seal, source string
		var until, last, created, updated store.Instant
		err := rows.Scan(&c.ID, &c.Version, &c.PartnerID, &c.EntityID, &c.Name, &state, &acs, &c.SLO, &c.SLOResponse, &sloBinding, &c.RequireSigned, &name, &attributes,
			&encrypt, &ciphers, &sign, &seal, &source, &c.MetadataURL, &c.MetadataID, &until, &last, &c.CreatedBy, &created, &updated, &c.VendorID)
		if err != nil {
			return err
		}
		var signing, sealing []sso.Certificate
		for text, into := range map[*string]any{&acs: &c.ACS, &attributes: &c.Attributes, &ciphers: &c.Ciphers, &sign: &signing, &seal: &sealing} {
			if err := json.Unmarshal([]byte(*text), into); err != nil {
				return fmt.Errorf("console %s: %w", c.ID, err)
			}
		}
		c.Certs = append(signing, sealing...)
		c.State, c.SLOBinding, c.NameIDFormat, c.Encrypt, c.Source = sso.State(state), binding(sloBinding), format(name), sso.Encrypt(encrypt), registry.Source(source)
		c.ValidUntil, c.LastAssertionAt, c.CreatedAt, c.UpdatedAt = until.Time, last.Time, created.Time, updated.Time
		out = append(out, c)
		return nil
	})
	return out, err
}

// ConsoleByID reads one.
func (s *Store) ConsoleByID(ctx context.Context, consoleID string) (registry.Console, bool, error) {
	return first(s.consoles(ctx, qConsoleByID, consoleID))
}

// ConsoleByEntity reads one.
func (s *Store) ConsoleByEntity(ctx context.Context, entityID string) (registry.Console, bool, error) {
	return first(s.consoles(ctx, qConsoleByEntity, entityID))
}

// Consoles reads all.
func (s *Store) Consoles(ctx context.Context) ([]registry.Console, error) {
	return s.consoles(ctx, qConsoles)
}

// ConsoleWarnings reads what was said of certificates of consoles.
func (s *Store) ConsoleWarnings(ctx context.Context) ([]registry.ConsoleWarning, error) {
	var out []registry.ConsoleWarning
	err := s.db.Each(ctx, qConsoleWarnings, nil, func(rows *sql.Rows) error {
		var w registry.ConsoleWarning
		var sum []byte
		var at store.Instant
		err := rows.Scan(&w.ConsoleID, &sum, &at, &w.Days)
		w.Fingerprint, w.At = hex.EncodeToString(sum), at.Time
		out = append(out, w)
		return err
	})
	return out, err
}

// WarnConsole notes a warning, once for each count of days.
func (s *Store) WarnConsole(ctx context.Context, w registry.ConsoleWarning) (bool, error) {
	sum, err := hex.DecodeString(w.Fingerprint)
	if err != nil {
		return false, fmt.Errorf("fingerprint of console %s: %w", w.ConsoleID, err)
	}
	n, err := s.db.Exec(ctx, qWarnConsole, w.ConsoleID, sum, store.At(w.At), int64(w.Days))
	return n == 1, err
}

// InsertHost writes the entity of a hosted platform.
func (s *Store) InsertHost(ctx context.Context, h registry.HostRow) error {
	_, err := s.db.Exec(ctx, qInsertHost, h.ID, h.PartnerID, h.Key, h.EntityID, string(h.State), store.At(h.CreatedAt))
	return err
}

func (s *Store) hosts(ctx context.Context, q store.Query, args ...any) ([]registry.HostRow, error) {
	var out []registry.HostRow
	err := s.db.Each(ctx, q, args, func(rows *sql.Rows) error {
		var h registry.HostRow
		var state string
		var created store.Instant
		err := rows.Scan(&h.ID, &h.PartnerID, &h.Key, &h.EntityID, &state, &created)
		h.State, h.CreatedAt = sso.State(state), created.Time
		out = append(out, h)
		return err
	})
	return out, err
}

// HostOf reads the entity of a partner.
func (s *Store) HostOf(ctx context.Context, partnerID string) (registry.HostRow, bool, error) {
	return first(s.hosts(ctx, qHostOf, partnerID))
}

// HostByKey reads the entity under a key.
func (s *Store) HostByKey(ctx context.Context, key string) (registry.HostRow, bool, error) {
	return first(s.hosts(ctx, qHostByKey, key))
}

// Hosts reads all.
func (s *Store) Hosts(ctx context.Context) ([]registry.HostRow, error) { return s.hosts(ctx, qHosts) }
