package portal

import (
	"cmp"
	"context"
	"net/http"
	"slices"
	"strconv"
	"strings"

	"huoban/internal/contract"
	"huoban/internal/fault"
	"huoban/internal/i18n"
	"huoban/internal/organisation"
	"huoban/internal/scope"
	"huoban/web/templates/growview"
	"huoban/web/templates/part"
)

func (h *Handlers) contractPage(c *Ctx) error { return h.contractForm(c, http.StatusOK, nil) }

// contractHead is the heading of the form: 合同申请, or 登记线下合同.
func contractHead(c *Ctx, title string) growview.Form {
	return growview.Form{Header: part.Header{Title: title, Crumbs: c.crumbs(part.Link{Text: c.T("contracts.title"), Href: c.at(pathContracts)}, part.Link{Text: title})}, Action: c.at(pathContracts), Notes: c.rules()}
}

// contractForm asks for the terms of a contract: of a partner, which sees the preview next, or of a vendor that has it on
// paper.
func (h *Handlers) contractForm(c *Ctx, status int, refused *fault.Error) error {
	own := c.Scope.Side() == scope.SidePartner
	title := c.T("contracts.register")
	if own {
		title = c.T("contracts.apply")
	}
	f := contractHead(c, title)
	f.Refusal, f.Hidden = refusalOf(c, refused), fresh()
	party, err := h.contractParty(c)
	if err != nil {
		return err
	}
	value := func(name, otherwise string) string { return cmp.Or(c.FormValue(name), otherwise) }
	now := h.Clock.Now()
	f.Fields = []part.Field{party, {Name: "title", Label: c.T("contracts.name"), Value: c.FormValue("title"), Required: true, MaxLength: contract.MaxTitle}}
	if !own {
		f.Fields = append(f.Fields, part.Field{Name: "paper_no", Label: c.T("contracts.paper_no"), Value: c.FormValue("paper_no"), Required: true, MaxLength: contract.MaxPaperNo})
	}
	f.Fields = append(f.Fields, part.Field{Name: "currency", Label: c.T("ledger.col.currency"), Value: value("currency", "CNY"), Required: true, MaxLength: 3},
		part.Field{Name: "begins", Label: c.T("agreements.begins"), Value: value("begins", i18n.Date(now)), Required: true, Hint: "2026-11-05"},
		part.Field{Name: "ends", Label: c.T("agreements.ends_on"), Value: value("ends", i18n.Date(now.AddDate(1, 0, -1))), Required: true, Hint: "2027-11-04", Help: c.T("contracts.ends_help", "Months", contract.MaxMonths)},
		part.Field{Name: "plan", Label: c.T("contracts.plan"), Type: "textarea", Value: c.FormValue("plan"), Required: true, Hint: "2026-11-30 50000.00", Help: c.T("contracts.plan_help", "Months", contract.BackMonths, "Limit", contract.MaxPlan)},
		part.Field{Name: "remark", Label: c.T("prospects.remark"), Type: "textarea", Value: c.FormValue("remark"), MaxLength: contract.MaxRemark})
	f.Submits = []growview.Submit{{Value: "preview", Text: c.T("contracts.preview")}}
	if own {
		f.Submits = append(f.Submits, growview.Submit{Value: "save", Text: c.T("contracts.save")})
	}
	return c.page(status, f.Page())
}

// contractParty asks with whom: a partner's vendors, a vendor's partners.
func (h *Handlers) contractParty(c *Ctx) (part.Field, error) {
	if c.Scope.Side() == scope.SidePartner {
		vendors, err := h.Orgs.VendorsOf(c.ctx(), c.Org)
		f := choiceFields(c, vendors, nil)[0]
		f.Value = c.FormValue("vendor")
		return f, err
	}
	list, err := h.Orgs.List(c.ctx(), c.Scope)
	f := part.Field{Name: "partner", Label: c.T("withdrawal.col.partner"), Type: "select", Required: true, Value: c.FormValue("partner")}
	for _, o := range list {
		if o.Kind.IsPartner() {
			f.Options = append(f.Options, part.Option{Value: o.Code, Label: o.Name})
		}
	}
	slices.SortFunc(f.Options, func(a, b part.Option) int { return strings.Compare(a.Value, b.Value) })
	return f, err
}

// contractInput reads the form. Faults: contract.vendor_unknown, .partner_unknown.
func (h *Handlers) contractInput(ctx context.Context, c *Ctx) (contract.Input, error) {
	in := contract.Input{PaperNo: c.FormValue("paper_no"), Title: c.FormValue("title"), Currency: c.FormValue("currency"), Begins: c.FormValue("begins"), Ends: c.FormValue("ends"), Plan: c.FormValue("plan"), Remark: c.FormValue("remark")}
	// A partner applies for itself alone, and a vendor registers its own alone.
	if c.Scope.Side() == scope.SidePartner {
		if c.FormValue("partner") != "" {
			return in, fault.NotFound("contract.partner_unknown", nil)
		}
		vendor, err := h.vendorOf(c, c.FormValue("vendor"))
		in.VendorID = vendor.ID
		return in, err
	}
	if c.FormValue("vendor") != "" {
		return in, fault.NotFound("contract.vendor_unknown", nil)
	}
	partner, err := h.Orgs.ByCode(ctx, c.Scope, c.FormValue("partner"))
	if err == nil && !partner.Kind.IsPartner() || fault.Is(err, fault.KindNotFound) {
		partner, err = organisation.Organisation{}, fault.NotFound("contract.partner_unknown", nil)
	}
	in.PartnerID = partner.ID
	return in, err
}

// contractMade shows the preview, goes back to the form, or keeps the contract: do=save as a draft, otherwise handed to the
// vendor, or registered.
func (h *Handlers) contractMade(c *Ctx) error {
	if err := c.readForm(); err != nil {
		return err
	}
	do := c.FormValue("do")
	if do == "edit" {
		return h.contractForm(c, http.StatusOK, nil)
	}
	var err error
	if do == "preview" {
		if err = h.contractPreview(c); err == nil {
			return nil
		}
	} else {
		err = h.once(c, func(ctx context.Context) (answer, error) {
			in, err := h.contractInput(ctx, c)
			if err != nil {
				return answer{}, err
			}
			x, err := h.Contracts.Make(ctx, c.Scope, in, do != "save")
			done := map[contract.State]string{contract.StateDraft: "contract_saved", contract.StateReviewing: "contract_submit"}[x.State]
			return answer{Location: c.withQuery(pathContracts+"/"+x.ID, "done", cmp.Or(done, "contract_registered")), Body: map[string]any{"id": x.ID, "number": x.Number, "state": string(x.State), "amount": x.Amount.String(), "currency": x.Currency}}, err
		})
	}
	return c.refusedOr(err, func(status int, f *fault.Error) error { return h.contractForm(c, status, f) })
}

// contractPreview shows what would be kept, with everything typed carried along.
func (h *Handlers) contractPreview(c *Ctx) error {
	in, err := h.contractInput(c.ctx(), c)
	if err != nil {
		return err
	}
	x, err := h.Contracts.Preview(c.ctx(), c.Scope, in)
	if err != nil {
		return err
	}
	f := contractHead(c, c.T("contracts.preview"))
	f.Caption = c.T("growview.facts")
	if f.Facts, err = h.contractFacts(c, &x); err != nil {
		return err
	}
	for i := range x.Plan {
		n := &x.Plan[i]
		f.Facts = append(f.Facts, part.Item{Label: c.T("contracts.plan") + " " + strconv.FormatInt(n.No, 10), Text: n.PromisedOn + " · " + i18n.Money(n.Amount, x.Currency)})
	}
	f.Hidden = fresh()
	for _, name := range []string{"vendor", "partner", "title", "paper_no", "currency", "begins", "ends", "plan", "remark"} {
		if v := c.FormValue(name); v != "" {
			f.Hidden = append(f.Hidden, part.Hidden{Name: name, Value: v})
		}
	}
	confirm := growview.Submit{Value: "submit", Text: c.T("contracts.submit")}
	if x.Kind == contract.KindOffline {
		confirm.Text = c.T("contracts.register")
	}
	f.Submits = []growview.Submit{confirm, {Value: "edit", Text: c.T("contracts.edit")}}
	return c.page(http.StatusOK, f.Page())
}
