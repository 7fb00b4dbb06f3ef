package statement

import (
	"context"

	"huoban/internal/bill"
	"huoban/internal/fault"
	"huoban/internal/money"
	"huoban/internal/scope"
	"huoban/internal/usage"
)

// PDF is the file of an issued statement. It is made once for each language and kept, so that partner and customer
// have the same bytes, and so that a job that was interrupted makes none twice. Faults: statement.unknown,
// .not_issued, .not_live, scope.permission_missing.
func (s *Service) PDF(ctx context.Context, sc scope.Scope, statementID, lang string) (Statement, []byte, error) {
	x, err := s.ByID(ctx, sc, statementID)
	if err != nil {
		return x, nil, err
	}
	switch {
	case x.Number == "":
		return x, nil, fault.Conflict("statement.not_issued", nil)
	case sc.Side() == scope.SideCustomer && !x.Live():
		return x, nil, fault.Conflict("statement.not_live", nil)
	}
	body, err := s.Store.File(ctx, x.ID, lang)
	if err != nil || body != nil {
		return x, body, err
	}
	h, logo, err := s.letterHead(ctx, &x)
	if err != nil {
		return x, nil, err
	}
	if body, err = s.Render(ctx, x.Public(), &h, logo, lang); err != nil {
		return x, nil, err
	}
	err = s.Tx.InTx(ctx, func(ctx context.Context) error { return s.Store.KeepFile(ctx, x.ID, lang, body) })
	return x, body, err
}

// HeadOf is the letter head a statement was made with.
func (s *Service) HeadOf(ctx context.Context, x *Statement) (Head, error) {
	h, _, err := s.Store.Head(ctx, x.PartnerID, x.HeadVersion)
	return h, err
}

func (s *Service) letterHead(ctx context.Context, x *Statement) (h Head, logo []byte, err error) {
	if h, err = s.HeadOf(ctx, x); err != nil || h.LogoSHA == "" {
		return h, nil, err
	}
	logo, err = s.Store.Logo(ctx, x.PartnerID, h.LogoSHA)
	return h, logo, err
}

// Public is the statement without what only the partner knows.
func (s *Statement) Public() *Statement {
	out := *s
	out.Cost, out.Source, out.RuleSeq = 0, money.Exact{}, 0
	out.Lines = make([]Line, len(s.Lines))
	for i := range s.Lines {
		out.Lines[i] = s.Lines[i]
		out.Lines[i].Costing = nil
	}
	return &out
}

// Proof compares a statement with the partner bill it was made of.
type Proof struct {
	Bill   bill.Document
	Amount money.Amount // of the customer on the bill, tax apart
	Tax    money.Amount // of the vendor on the bill, which statements leave to the partner's own rate
	Equal  bool         // the costs of the lines are the bill's amount
}

// Proof finds the bill of a statement; it is the partner's alone. Faults: statement.not_own, bill.unknown,
// scope.permission_missing.
func (s *Service) Proof(ctx context.Context, sc scope.Scope, x *Statement) (Proof, error) {
	if err := partnerOnly(sc, scope.ItemStatementView); err != nil {
		return Proof{}, err
	}
	doc, err := s.Bills.ByID(ctx, sc, x.BillID)
	p := Proof{Bill: doc}
	for i := range doc.Items {
		if it := &doc.Items[i]; it.Customer.ID == x.Customer.ID {
			if it.Kind == usage.KindTax {
				p.Tax += it.Amount
			} else {
				p.Amount += it.Amount
			}
		}
	}
	p.Equal = p.Amount == x.Cost
	return p, err
}
