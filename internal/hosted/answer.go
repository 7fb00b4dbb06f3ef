package hosted

import (
	"context"
	"time"

	"huoban/internal/account"
	"huoban/internal/audit"
	"huoban/internal/fault"
	"huoban/internal/id"
	"huoban/internal/organisation"
	"huoban/internal/sso"
)

// Known is what the platform knows of a customer's person, by the fields a console can be granted.
func Known(p account.Person, c, partner organisation.Organisation) map[string]string {
	return map[string]string{"xAccountId": c.Code, "xUserId": p.Login, "xAccountType": partner.Code, "bpId": partner.Code, "name": c.Name, "mobile": p.Phone,
		"email": p.Email, "customer": c.Code, "domainId": c.ID, "personName": p.Name}
}

// Agreed tells whether a person agreed before to hand over what a console is granted now.
func (s *Service) Agreed(ctx context.Context, personID string, c sso.Console, f sso.NameIDFormat) (bool, error) {
	known, ok, err := s.Store.Consent(ctx, personID, c.ID)
	return ok && known.Given == Given(c, f), err
}

// Consents lists what a person agreed to.
func (s *Service) Consents(ctx context.Context, personID string) ([]Consent, error) {
	return s.Store.ConsentsOf(ctx, personID)
}

// Withdraw takes a consent back: the next time the customer is asked again. Fault: hosted.consent_unknown.
func (s *Service) Withdraw(ctx context.Context, p account.Person, consoleID, entityID string) error {
	return s.Tx.InTx(ctx, func(ctx context.Context) error {
		ok, err := s.Store.DropConsent(ctx, p.ID, consoleID)
		if err != nil {
			return err
		}
		if !ok {
			return fault.NotFound("hosted.consent_unknown", nil)
		}
		return s.Audit.Record(ctx, audit.Entry{Actor: p.Login, OrgID: p.OrgID, Action: "console.withdraw", Object: "console:" + entityID})
	})
}

// NameFor is how a person is named to a console. A persistent name is made at the first jump and stays. Fault:
// hosted.email_unverified.
func (s *Service) NameFor(ctx context.Context, h sso.Host, c sso.Console, f sso.NameIDFormat, customerID string, p account.Person) (sso.NameID, error) {
	n := sso.NameID{Format: string(f)}
	switch f {
	case sso.NameIDEmail:
		proved, err := s.Store.EmailVerified(ctx, p.ID)
		if err == nil && (!proved || p.Email == "") {
			err = fault.Conflict("hosted.email_unverified", nil)
		}
		n.Value = p.Email
		return n, err
	case sso.NameIDPersistent:
		n.NameQualifier, n.SPNameQualifier = h.EntityID, c.EntityID
		known, ok, err := s.Store.NameOf(ctx, p.ID, c.ID)
		if err != nil || ok {
			n.Value = known
			return n, err
		}
		err = s.Tx.InTx(ctx, func(ctx context.Context) error {
			if err := s.Store.InsertName(ctx, customerID, p.ID, c.ID, lower32.EncodeToString(random(20)), s.Clock.Now()); err != nil {
				return err
			}
			n.Value, _, err = s.Store.NameOf(ctx, p.ID, c.ID)
			return err
		})
		return n, err
	}
	n.Format, n.Value = string(sso.NameIDTransient), "_"+lower32.EncodeToString(random(20))
	return n, nil
}

// ReleaseInput is an answer that is ready to be sent.
type ReleaseInput struct {
	Question Question
	Host     sso.Host
	Console  sso.Console
	Person   account.Person
	Customer organisation.Organisation
	Visit    Visit // its subject, session and times
	Issued   sso.Issued
	Remember bool // the customer agreed for the next times too
}

// Release spends the question and keeps the session at the console, all or nothing; only then the answer may leave.
// Fault: hosted.question_over.
func (s *Service) Release(ctx context.Context, in ReleaseInput) error {
	return s.Tx.InTx(ctx, func(ctx context.Context) error {
		now := s.Clock.Now()
		if err := s.answer(ctx, in.Question, now); err != nil {
			return err
		}
		v := in.Visit
		v.ID, v.HostID, v.ConsoleID, v.CustomerID, v.PersonID, v.CreatedAt = id.New(), in.Host.ID, in.Console.ID, in.Customer.ID, in.Person.ID, now
		if err := s.Store.InsertVisit(ctx, v); err != nil {
			return err
		}
		if err := s.Store.TouchConsole(ctx, in.Console.ID, now); err != nil {
			return err
		}
		if in.Remember {
			c := Consent{PersonID: in.Person.ID, ConsoleID: in.Console.ID, CustomerID: in.Customer.ID, Given: Given(in.Console, in.Question.Format), At: now}
			if err := s.Store.PutConsent(ctx, c); err != nil {
				return err
			}
		}
		how := "asked"
		if in.Question.RequestID == "" {
			how = "launched"
		}
		return s.Audit.Record(ctx, audit.Entry{Actor: in.Person.Login, OrgID: in.Customer.ID, Action: "console.enter", Object: "console:" + in.Console.EntityID,
			Detail: map[string]any{"how": how, "host": in.Host.Key, "assertion": in.Issued.AssertionID, "name_id": string(in.Question.Format), "attributes": v.Released,
				"encrypted": in.Issued.Encrypted, "remembered": in.Remember}})
	})
}

// Decline spends the question with an answer that there is none. Fault: hosted.question_over.
func (s *Service) Decline(ctx context.Context, q Question, c sso.Console, partnerID string, p account.Person, status string) error {
	return s.Tx.InTx(ctx, func(ctx context.Context) error {
		if err := s.answer(ctx, q, s.Clock.Now()); err != nil {
			return err
		}
		who, org := "unknown", partnerID
		if p.ID != "" {
			who, org = p.Login, p.OrgID
		}
		return s.Audit.Record(ctx, audit.Entry{Actor: who, OrgID: org, Action: "console.decline", Object: "console:" + c.EntityID, Outcome: audit.OutcomeRefused,
			Detail: map[string]any{"status": status, "request": q.RequestID}})
	})
}

func (s *Service) answer(ctx context.Context, q Question, now time.Time) error {
	ok, err := s.Store.AnswerQuestion(ctx, q.Hash, now)
	if err == nil && !ok {
		err = fault.Conflict("hosted.question_over", nil)
	}
	return err
}
