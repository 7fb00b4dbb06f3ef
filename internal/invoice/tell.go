package invoice

import (
	"context"

	"huoban/internal/fault"
	"huoban/internal/message"
	"huoban/internal/scope"
)

// clerksHear are the actions the issuer's people are told of; the partner hears of the others.
var clerksHear = map[Action]bool{ActionSubmit: true, ActionCancel: true, ActionSign: true, ActionReturn: true}

// tell rings for whom an action concerns: the clerks of the issuer, or who asked for the invoice.
func (s *Service) tell(ctx context.Context, r *Request, do Action) error {
	if s.Bell == nil || do == ActionDelete {
		return nil
	}
	partner, err := s.Organisations.ByID(ctx, scope.System("system"), r.PartnerID)
	if err != nil {
		return err
	}
	args := fault.Args{"Number": r.Number, "Partner": partner.Name}
	if !clerksHear[do] {
		if r.PersonID == "" {
			return nil
		}
		return s.Bell.Notify(ctx, message.Notice{OrgID: r.PartnerID, PersonID: r.PersonID, Category: message.CategoryBill, Code: "invoice_" + string(do), Args: args,
			Link: "/o/" + partner.Code + "/invoices/" + r.ID})
	}
	issuer, err := s.Organisations.ByID(ctx, scope.System("system"), r.IssuerID)
	if err != nil {
		return err
	}
	people, err := s.People.Holders(ctx, r.IssuerID, scope.ItemInvoiceReview)
	if err != nil {
		return err
	}
	var notices []message.Notice
	for _, personID := range people {
		notices = append(notices, message.Notice{OrgID: r.IssuerID, PersonID: personID, Category: message.CategoryBill, Code: "invoice_" + string(do), Args: args,
			Link: "/o/" + issuer.Code + "/invoice-requests/" + r.ID})
	}
	return s.Bell.Notify(ctx, notices...)
}
