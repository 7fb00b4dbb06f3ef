package statement

import (
	"context"
	"strings"

	"huoban/internal/audit"
	"huoban/internal/fault"
	"huoban/internal/id"
	"huoban/internal/money"
	"huoban/internal/price"
	"huoban/internal/scope"
)

// Rules are the acting partner's rules in force, by number. Fault: scope.permission_missing.
func (s *Service) Rules(ctx context.Context, sc scope.Scope) ([]Rule, error) {
	all, err := s.Versions(ctx, sc)
	return NewBook(all, newest(all)).Rules(), err
}

// Versions are all versions of the acting partner's rules by number and version.
func (s *Service) Versions(ctx context.Context, sc scope.Scope) ([]Rule, error) {
	if err := partnerOnly(sc, scope.ItemStatementView); err != nil {
		return nil, err
	}
	return s.Store.Rules(ctx, sc.OrgID())
}

// RuleInput is a rule as typed. Number 0 is a new one. Customer is a code.
type RuleInput struct {
	Number   int64
	Customer string
	Product  string
	Base     Base
	Factor   string
	From, To string
}

func (in RuleInput) read() (Rule, error) {
	r := Rule{Number: in.Number, Product: strings.TrimSpace(in.Product), Base: in.Base}
	var err error
	if r.Factor, err = money.ParseExact(strings.TrimSpace(in.Factor)); err != nil {
		return r, fault.Invalid("statement.factor_range", fault.Args{"max": maxFactor.String(), "decimals": maxDecimals}).Because(err)
	}
	if r.ValidFrom, err = price.ParseDate(strings.TrimSpace(in.From)); err != nil {
		return r, err
	}
	if r.ValidTo, err = price.ParseDate(strings.TrimSpace(in.To)); err != nil {
		return r, err
	}
	return r, r.check()
}

// SaveRule adds a rule or gives one a further version; the same content again changes nothing. Faults: those of
// Rule.check, price.date_malformed, statement.rule_unknown, .rule_tie, .customer_unknown, scope.permission_missing.
func (s *Service) SaveRule(ctx context.Context, sc scope.Scope, in RuleInput) (Rule, error) {
	if err := partnerOnly(sc, scope.ItemStatementChange); err != nil {
		return Rule{}, err
	}
	r, err := in.read()
	if err != nil {
		return Rule{}, err
	}
	if r.CustomerID, err = s.customerID(ctx, sc, strings.TrimSpace(in.Customer)); err != nil {
		return Rule{}, err
	}
	var out Rule
	err = s.Tx.InTx(ctx, func(ctx context.Context) error {
		versions, err := s.Store.Rules(ctx, sc.OrgID())
		if err != nil {
			return err
		}
		seq := newest(versions)
		book := NewBook(versions, seq)
		out = r
		out.ID, out.PartnerID, out.Version, out.Seq, out.CreatedBy, out.CreatedAt = id.New(), sc.OrgID(), 1, seq+1, sc.Login(), s.Clock.Now()
		if out.Number == 0 {
			for i := range book.rules {
				if book.rules[i].same(&out) {
					out = book.rules[i]
					return nil
				}
			}
		}
		if other := book.tie(&out); other != nil {
			return fault.Conflict("statement.rule_tie", fault.Args{"number": other.Number})
		}
		var old *Rule
		if old, err = follow(versions, book, &out); err != nil {
			return err
		}
		if old != nil {
			if old.same(&out) {
				out = *old
				return nil
			}
			if err := s.Store.EndRule(ctx, old.ID, out.Seq); err != nil {
				return err
			}
		}
		if err := s.Store.InsertRule(ctx, out); err != nil {
			return err
		}
		return s.recordRule(ctx, sc, "statement.rule_save", &out)
	})
	return out, err
}

// follow gives a rule its number and version, and the version it takes the place of. Fault: statement.rule_unknown.
func follow(versions []Rule, book *Book, r *Rule) (*Rule, error) {
	if r.Number == 0 {
		for i := range versions {
			r.Number = max(r.Number, versions[i].Number)
		}
		r.Number++
		return nil, nil
	}
	for i := range book.rules {
		if book.rules[i].Number == r.Number {
			r.Version = book.rules[i].Version + 1
			return &book.rules[i], nil
		}
	}
	return nil, fault.NotFound("statement.rule_unknown", nil)
}

// customerID finds one of the partner's own customers by code; an empty code is any. Fault:
// statement.customer_unknown.
func (s *Service) customerID(ctx context.Context, sc scope.Scope, code string) (string, error) {
	if code == "" {
		return "", nil
	}
	unknown := fault.Invalid("statement.customer_unknown", nil)
	o, err := s.Organisations.ByCode(ctx, sc, code)
	if fault.Is(err, fault.KindNotFound) {
		return "", unknown
	}
	if err != nil {
		return "", err
	}
	links, err := s.Links.Book(ctx)
	if err != nil {
		return "", err
	}
	for _, a := range links.Of(o.ID) {
		if a.PartnerID == sc.OrgID() {
			return o.ID, nil
		}
	}
	return "", unknown
}

// EndRule takes a rule out of force; its versions stay. Faults: statement.rule_unknown, scope.permission_missing.
func (s *Service) EndRule(ctx context.Context, sc scope.Scope, number int64) error {
	if err := partnerOnly(sc, scope.ItemStatementChange); err != nil {
		return err
	}
	return s.Tx.InTx(ctx, func(ctx context.Context) error {
		versions, err := s.Store.Rules(ctx, sc.OrgID())
		if err != nil {
			return err
		}
		book := NewBook(versions, newest(versions))
		for i := range book.rules {
			if r := &book.rules[i]; r.Number == number {
				if err := s.Store.EndRule(ctx, r.ID, book.seq+1); err != nil {
					return err
				}
				return s.recordRule(ctx, sc, "statement.rule_end", r)
			}
		}
		return fault.NotFound("statement.rule_unknown", nil)
	})
}

func (s *Service) recordRule(ctx context.Context, sc scope.Scope, action string, r *Rule) error {
	return s.Audit.Record(ctx, audit.Entry{Actor: sc.Login(), OrgID: r.PartnerID, Action: action, Object: "statement_rule:" + r.ID, Outcome: "done",
		Detail: map[string]any{"number": r.Number, "version": r.Version, "customer": r.CustomerID, "product": r.Product, "base": string(r.Base), "factor": r.Factor.String(),
			"from": string(r.ValidFrom), "to": string(r.ValidTo)}})
}

// Head is the acting partner's letter head as it stands; ok is false where none was saved.
func (s *Service) Head(ctx context.Context, sc scope.Scope) (Head, bool, error) {
	if err := partnerOnly(sc, scope.ItemStatementView); err != nil {
		return Head{}, false, err
	}
	return s.Store.Head(ctx, sc.OrgID(), 0)
}

// Heads are all versions of it, the newest first.
func (s *Service) Heads(ctx context.Context, sc scope.Scope) ([]Head, error) {
	if err := partnerOnly(sc, scope.ItemStatementView); err != nil {
		return nil, err
	}
	return s.Store.Heads(ctx, sc.OrgID())
}

// Logo is the logo of the letter head as it stands. Fault: statement.logo_unknown.
func (s *Service) Logo(ctx context.Context, sc scope.Scope) ([]byte, error) {
	h, _, err := s.Head(ctx, sc)
	if err != nil {
		return nil, err
	}
	if h.LogoSHA == "" {
		return nil, fault.NotFound("statement.logo_unknown", nil)
	}
	return s.Store.Logo(ctx, sc.OrgID(), h.LogoSHA)
}

// SaveHead writes a further version of the letter head; the same again changes nothing. Faults: those of
// HeadInput.read and ReadLogo, scope.permission_missing.
func (s *Service) SaveHead(ctx context.Context, sc scope.Scope, in HeadInput) (Head, error) {
	if err := partnerOnly(sc, scope.ItemStatementChange); err != nil {
		return Head{}, err
	}
	h, err := in.read()
	if err != nil {
		return Head{}, err
	}
	var picture []byte
	if len(in.Logo) > 0 {
		if picture, h.LogoSHA, err = ReadLogo(in.Logo); err != nil {
			return Head{}, err
		}
	}
	out := h
	err = s.Tx.InTx(ctx, func(ctx context.Context) error {
		out = h
		old, ok, err := s.Store.Head(ctx, sc.OrgID(), 0)
		if err != nil {
			return err
		}
		if picture == nil && !in.DropLogo {
			out.LogoSHA = old.LogoSHA
		}
		if ok && old.same(&out) {
			out = old
			return nil
		}
		if picture != nil {
			if err := s.Store.PutLogo(ctx, sc.OrgID(), out.LogoSHA, picture); err != nil {
				return err
			}
		}
		out.PartnerID, out.Version, out.CreatedBy, out.CreatedAt = sc.OrgID(), old.Version+1, sc.Login(), s.Clock.Now()
		if err := s.Store.InsertHead(ctx, out); err != nil {
			return err
		}
		return s.Audit.Record(ctx, audit.Entry{Actor: sc.Login(), OrgID: sc.OrgID(), Action: "statement.head_save", Object: "statement_head:" + sc.OrgID(), Outcome: "done",
			Detail: map[string]any{"version": out.Version, "name": out.Name, "tax_rate": out.TaxRate.String(), "logo": out.LogoSHA}})
	})
	return out, err
}
