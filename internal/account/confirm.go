package account

import (
	"context"

	"huoban/internal/fault"
)

// ConfirmInput is what a signed-in person shows once more: the password, the code of the second step, or both.
type ConfirmInput struct {
	PersonID, Password, Code, IP, RequestID string
	NoPassword                              bool // the person came by a partner's platform and has confirmed itself there
}

// Confirm asks a signed-in person to show again who it is: the password, and the second step of who has one. Failures
// count like those of the sign-in page, and each code passes once. Faults: account.password_wrong, .code_refused, .locked,
// .busy.
func (s *Service) Confirm(ctx context.Context, in ConfirmInput) error {
	if !in.NoPassword {
		if _, err := s.reauthenticateFrom(ctx, in.PersonID, in.Password, in.IP); err != nil {
			return err
		}
	}
	now := s.Clock.Now()
	var refused error
	err := s.Tx.InTx(ctx, func(ctx context.Context) error {
		refused = nil
		p, err := s.Store.PersonByID(ctx, in.PersonID)
		if err != nil {
			return err
		}
		how := "password"
		if p.HasTOTP {
			login := loginKey(p.Login)
			if refused = s.locked(ctx, login, in.IP, now); refused != nil {
				return ifNotFault(refused)
			}
			if how, err = s.spendCode(ctx, p.ID, in.Code, now); err != nil {
				return err
			}
			if how == "" {
				refused = fault.Invalid("account.code_refused", nil)
				return s.refuse(ctx, p, login, "person.confirm", in.IP, in.RequestID, now)
			}
		}
		return s.recordPerson(ctx, p.Login, p, "person.confirm", map[string]any{"how": how})
	})
	if err != nil {
		return err
	}
	return refused
}
