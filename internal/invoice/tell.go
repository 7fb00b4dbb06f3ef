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
	t := message.Teller{Organisations: s.Organisations, People: s.People, Bell: s.Bell}
	partner, err := t.Name(ctx, r.PartnerID)
	if err != nil {
		return err
	}
	n := message.Notice{Category: message.CategoryBill, Code: "invoice_" + string(do), Args: fault.Args{"Number": r.Number, "Partner": partner}, Link: "/invoice-requests/" + r.ID}
	if clerksHear[do] {
		return t.Tell(ctx, r.IssuerID, scope.ItemInvoiceReview, n)
	}
	n.Link = "/invoices/" + r.ID
	if r.PersonID == "" {
		return nil
	}
	return t.Ring(ctx, r.PartnerID, []string{r.PersonID}, n)
}
