package account

import (
	"context"
	"strings"

	"huoban/internal/fault"
	"huoban/internal/scope"
)

// ChangePasswordInput is a person's own change; KeepSession is the session that goes on.
type ChangePasswordInput struct{ PersonID, Old, New, KeepSession, IP string }

// ChangePassword replaces the person's own password, lifts a forced change and ends every other
// session. Faults: account.password_wrong, .password_same, .locked, .busy, those of CheckPassword.
func (s *Service) ChangePassword(ctx context.Context, in ChangePasswordInput) error {
	p, err := s.reauthenticateFrom(ctx, in.PersonID, in.Old, in.IP)
	if err != nil {
		return err
	}
	if in.New == in.Old {
		return fault.Invalid("account.password_same", nil)
	}
	if err := CheckPassword(in.New, p.Login); err != nil {
		return err
	}
	hash, err := s.hasher.hash(ctx, in.New)
	if err != nil {
		return err
	}
	return s.Tx.InTx(ctx, func(ctx context.Context) error {
		if err := s.Store.UpdatePassword(ctx, p.ID, hash, false, s.Clock.Now()); err != nil {
			return err
		}
		if err := s.Sessions.RevokePerson(ctx, p.ID, in.KeepSession); err != nil {
			return err
		}
		return s.recordPerson(ctx, p.Login, p, "person.change_password", nil)
	})
}

func (s *Service) reauthenticate(ctx context.Context, personID, password string) (Person, error) {
	return s.reauthenticateFrom(ctx, personID, password, "")
}

// reauthenticateFrom asks a signed-in person for the password again; failures count like those of
// the sign-in page.
func (s *Service) reauthenticateFrom(ctx context.Context, personID, password, ip string) (Person, error) {
	c, err := s.Store.CredentialsByID(ctx, personID)
	if err != nil {
		return Person{}, err
	}
	login, now := loginKey(c.Login), s.Clock.Now()
	if err := s.locked(ctx, login, ip, now); err != nil {
		return Person{}, err
	}
	fits, _, err := s.hasher.compare(ctx, password, c.Hash)
	if err != nil {
		return Person{}, err
	}
	if fits && c.State == PersonActive {
		return c.Person, nil
	}
	err = s.Tx.InTx(ctx, func(ctx context.Context) error {
		return s.refuse(ctx, c.Person, login, "person.reauthenticate", ip, "", now)
	})
	if err != nil {
		return Person{}, err
	}
	return Person{}, fault.Invalid("account.password_wrong", nil)
}

// ResetPassword gives the person a random password that must be changed at the next sign-in, takes a
// second factor away and ends every session. The password is shown this once.
// Faults: account.unknown, scope.permission_missing.
func (s *Service) ResetPassword(ctx context.Context, sc scope.Scope, login string) (string, error) {
	p, err := s.target(ctx, sc, login)
	if err != nil {
		return "", err
	}
	text, err := randomText(20)
	if err != nil {
		return "", err
	}
	temporary := strings.Join([]string{text[:5], text[5:10], text[10:15], text[15:]}, "-")
	hash, err := s.hasher.hash(ctx, temporary)
	if err != nil {
		return "", err
	}
	err = s.Tx.InTx(ctx, func(ctx context.Context) error {
		if err := s.Store.UpdatePassword(ctx, p.ID, hash, true, s.Clock.Now()); err != nil {
			return err
		}
		if err := s.dropFactor(ctx, p.ID); err != nil {
			return err
		}
		if err := s.Store.EndLinks(ctx, p.ID, s.Clock.Now()); err != nil {
			return err
		}
		if err := s.Store.ClearThrottle(ctx, throttleLogin, throttleKey(loginKey(p.Login))); err != nil {
			return err
		}
		if err := s.Sessions.RevokePerson(ctx, p.ID, ""); err != nil {
			return err
		}
		return s.recordPerson(ctx, sc.Login(), p, "person.reset_password", nil)
	})
	return temporary, err
}
