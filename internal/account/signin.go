package account

import (
	"context"
	"time"

	"huoban/internal/audit"
	"huoban/internal/fault"
)

// SignInState is what a right password leads to.
type SignInState string

// The states: signed in, a second factor is asked, the password must be changed first.
const (
	SignInDone         SignInState = "done"
	SignInTOTPRequired SignInState = "totp_required"
	SignInMustChange   SignInState = "must_change"
)

// SignInInput is what the sign-in form sends and where it comes from.
type SignInInput struct{ Login, Password, IP, RequestID string }

// SignInResult is who signed in and what comes next. With totp_required nobody is signed in yet.
type SignInResult struct {
	State  SignInState
	Person Person
}

// SignIn checks a password. Unknown login, wrong password and disabled person are one and the same
// refusal and cost the same time. Only failures count against the login and the address.
// Faults: account.sign_in_refused, account.locked, account.busy.
func (s *Service) SignIn(ctx context.Context, in SignInInput) (SignInResult, error) {
	login := loginKey(in.Login)
	now := s.Clock.Now()
	if err := s.locked(ctx, login, in.IP, now); err != nil {
		return SignInResult{}, err
	}
	known, err := s.Store.Credentials(ctx, login)
	if err != nil && !fault.Is(err, fault.KindNotFound) {
		return SignInResult{}, err
	}
	fits, stale, err := s.hasher.compare(ctx, in.Password, known.Hash)
	if err != nil {
		return SignInResult{}, err
	}
	fresh := ""
	if fits && stale {
		if fresh, err = s.hasher.hash(ctx, in.Password); err != nil {
			return SignInResult{}, err
		}
	}
	var out SignInResult
	var refused error
	err = s.Tx.InTx(ctx, func(ctx context.Context) error {
		out, refused = SignInResult{}, nil
		// Attempts made beside each other all passed the first look: the count is read again here.
		if refused = s.locked(ctx, login, in.IP, now); refused != nil {
			return ifNotFault(refused)
		}
		if !fits || known.State != PersonActive {
			refused = fault.New(fault.KindUnauthenticated, "account.sign_in_refused", nil)
			return s.refuse(ctx, known.Person, login, "person.sign_in", in.IP, in.RequestID, now)
		}
		if fresh != "" {
			if err := s.Store.UpdatePassword(ctx, known.ID, fresh, known.MustChange, known.PasswordChangedAt); err != nil {
				return err
			}
		}
		if known.HasTOTP {
			out = SignInResult{SignInTOTPRequired, known.Person}
			return nil
		}
		out, err = s.enter(ctx, known.Person, login, "password", in.IP, in.RequestID, now)
		return err
	})
	if err != nil {
		return SignInResult{}, err
	}
	return out, refused
}

// SecondFactorInput is the code a person with a pending sign-in typed: six digits or a recovery code.
type SecondFactorInput struct{ PersonID, Code, IP, RequestID string }

// SecondFactor finishes a sign-in that answered totp_required. Each code passes once.
// Faults: account.code_refused, account.sign_in_refused (disabled meanwhile), account.locked.
func (s *Service) SecondFactor(ctx context.Context, in SecondFactorInput) (SignInResult, error) {
	now := s.Clock.Now()
	var out SignInResult
	var refused error
	err := s.Tx.InTx(ctx, func(ctx context.Context) error {
		out, refused = SignInResult{}, nil
		p, err := s.Store.PersonByID(ctx, in.PersonID)
		if err != nil {
			return err
		}
		login := loginKey(p.Login)
		if refused = s.locked(ctx, login, in.IP, now); refused != nil {
			return ifNotFault(refused)
		}
		if p.State != PersonActive || !p.HasTOTP {
			refused = fault.New(fault.KindUnauthenticated, "account.sign_in_refused", nil)
			return nil
		}
		how, err := s.spendCode(ctx, p.ID, in.Code, now)
		if err != nil {
			return err
		}
		if how == "" {
			refused = fault.New(fault.KindUnauthenticated, "account.code_refused", nil)
			return s.refuse(ctx, p, login, "person.second_factor", in.IP, in.RequestID, now)
		}
		out, err = s.enter(ctx, p, login, how, in.IP, in.RequestID, now)
		return err
	})
	if err != nil {
		return SignInResult{}, err
	}
	return out, refused
}

// enter records the sign-in and forgets the failures of the login; those of the address stay, so
// that an account of one's own does not wipe them.
func (s *Service) enter(ctx context.Context, p Person, login, how, ip, requestID string, now time.Time) (SignInResult, error) {
	if err := s.Store.ClearThrottle(ctx, throttleLogin, throttleKey(login)); err != nil {
		return SignInResult{}, err
	}
	if err := s.Store.TouchSignIn(ctx, p.ID, now); err != nil {
		return SignInResult{}, err
	}
	p.LastSignInAt = now
	err := s.Audit.Record(ctx, audit.Entry{Actor: p.Login, OrgID: p.OrgID, Action: "person.sign_in", Object: "person:" + p.Login,
		Outcome: "done", Detail: map[string]any{"how": how}, RequestID: requestID, IP: ip})
	if p.MustChange {
		return SignInResult{SignInMustChange, p}, err
	}
	return SignInResult{SignInDone, p}, err
}

// refuse counts and records a failure. An unknown login is not written down: it may be a password.
func (s *Service) refuse(ctx context.Context, p Person, login, action, ip, requestID string, now time.Time) error {
	if err := s.fail(ctx, login, ip, now); err != nil {
		return err
	}
	who := p.Login
	if p.ID == "" {
		who = "unknown"
	}
	return s.Audit.Record(ctx, audit.Entry{Actor: who, OrgID: p.OrgID, Action: action, Object: "person:" + who,
		Outcome: "refused", RequestID: requestID, IP: ip})
}

// SignedOut records that a person ended the session.
func (s *Service) SignedOut(ctx context.Context, p Person, ip, requestID string) error {
	return s.Tx.InTx(ctx, func(ctx context.Context) error {
		return s.Audit.Record(ctx, audit.Entry{Actor: p.Login, OrgID: p.OrgID, Action: "person.sign_out", Object: "person:" + p.Login,
			Outcome: "done", RequestID: requestID, IP: ip})
	})
}

// ifNotFault lets a refusal commit with nothing written and a failure of the store roll back.
func ifNotFault(err error) error {
	if fault.From(err).Kind == fault.KindLimited {
		return nil
	}
	return err
}
