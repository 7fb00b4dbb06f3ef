package account

import (
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"strings"
	"time"

	"huoban/internal/fault"
	"huoban/internal/id"
	"huoban/internal/organisation"
)

// LinkPurpose is why a person is let choose a password.
type LinkPurpose string

// The purposes: 邀请 and 重置密码.
const (
	LinkInvitation LinkPurpose = "invitation"
	LinkReset      LinkPurpose = "reset"
)

// Label is the key of the purpose's name.
func (p LinkPurpose) Label() string { return "account.link." + string(p) }

// linkLife is how long a link opens.
var linkLife = map[LinkPurpose]time.Duration{LinkInvitation: 7 * 24 * time.Hour, LinkReset: 24 * time.Hour}

// Link lets a person choose a password once. Its token is no secret kept anywhere: it is made of the id and the
// installation's key when it is needed.
type Link struct {
	ID        string
	PersonID  string
	Purpose   LinkPurpose
	CreatedBy string
	CreatedAt time.Time
	ExpiresAt time.Time
}

// Letters tells a person of a link by mail, in the running transaction; false where no mail can be sent.
type Letters interface {
	Invite(ctx context.Context, p Person, org organisation.Organisation, l Link) (sent bool, err error)
}

// LinkToken is what the address of a link ends with.
func (s *Service) LinkToken(linkID string) string {
	return linkID + "." + base64.RawURLEncoding.EncodeToString(s.linkSeal(linkID))
}

func (s *Service) linkSeal(linkID string) []byte {
	m := hmac.New(sha256.New, s.Secret)
	m.Write([]byte("person link\x00" + linkID))
	return m.Sum(nil)[:24]
}

// openLink ends the person's earlier links and makes a new one, with a letter if one can be sent.
func (s *Service) openLink(ctx context.Context, by string, p Person, purpose LinkPurpose) error {
	now := s.Clock.Now()
	if err := s.Store.EndLinks(ctx, p.ID, now); err != nil {
		return err
	}
	l := Link{ID: id.New(), PersonID: p.ID, Purpose: purpose, CreatedBy: by, CreatedAt: now, ExpiresAt: now.Add(linkLife[purpose])}
	if err := s.Store.InsertLink(ctx, l); err != nil {
		return err
	}
	sent := false
	if s.Letters != nil && p.Email != "" {
		org, err := s.Organisations.ByID(ctx, self(), p.OrgID)
		if err != nil {
			return err
		}
		if sent, err = s.Letters.Invite(ctx, p, org, l); err != nil {
			return err
		}
	}
	return s.recordPerson(ctx, by, p, "person.open_link", map[string]any{"purpose": string(purpose), "sent": sent})
}

// linkOf finds an open link by its token, and whose it is. Fault: account.link_refused for every token that
// opens nothing, whatever the reason.
func (s *Service) linkOf(ctx context.Context, token string) (Link, Person, error) {
	refused := fault.Denied("account.link_refused", nil)
	linkID, seal, _ := strings.Cut(token, ".")
	given, err := base64.RawURLEncoding.DecodeString(seal)
	if err != nil || !hmac.Equal(given, s.linkSeal(linkID)) {
		return Link{}, Person{}, refused
	}
	l, found, err := s.Store.OpenLink(ctx, linkID, s.Clock.Now())
	if err != nil {
		return Link{}, Person{}, err
	}
	if !found {
		return Link{}, Person{}, refused
	}
	p, err := s.Store.PersonByID(ctx, l.PersonID)
	if err == nil && p.State != PersonActive {
		err = refused
	}
	return l, p, err
}

// Welcome tells whose link it is, for the page behind it. Fault: account.link_refused.
func (s *Service) Welcome(ctx context.Context, token string) (Person, LinkPurpose, error) {
	l, p, err := s.linkOf(ctx, token)
	return p, l.Purpose, err
}

// FollowLink sets the password the person chose, spends the link and ends every session.
// Faults: account.link_refused, .busy, those of CheckPassword.
func (s *Service) FollowLink(ctx context.Context, token, password string) (Person, error) {
	l, p, err := s.linkOf(ctx, token)
	if err != nil {
		return p, err
	}
	if err := CheckPassword(password, p.Login); err != nil {
		return p, err
	}
	hash, err := s.hasher.hash(ctx, password)
	if err != nil {
		return p, err
	}
	return p, s.Tx.InTx(ctx, func(ctx context.Context) error {
		now := s.Clock.Now()
		won, err := s.Store.SpendLink(ctx, l.ID, now)
		if err != nil {
			return err
		}
		if !won {
			return fault.Denied("account.link_refused", nil)
		}
		if err := s.Store.UpdatePassword(ctx, p.ID, hash, false, now); err != nil {
			return err
		}
		if err := s.Store.ClearThrottle(ctx, throttleLogin, throttleKey(loginKey(p.Login))); err != nil {
			return err
		}
		if err := s.Sessions.RevokePerson(ctx, p.ID, ""); err != nil {
			return err
		}
		return s.recordPerson(ctx, p.Login, p, "person.follow_link", map[string]any{"purpose": string(l.Purpose)})
	})
}
