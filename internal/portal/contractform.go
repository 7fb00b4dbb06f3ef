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

func (h *Handlers) contractPage(c *Ctx) error { return h.contractForm(c, http.StatusOK, nil, nil) }

// contractHead is the heading of the form: 合同申请, 登记线下合同, or 修改合同 of one that is a draft or was refused.
func contractHead(c *Ctx, title string, was *contract.Contract) growview.Form {
	crumbs, action := []part.Link{{Text: c.T("contracts.title"), Href: c.at(pathContracts)}}, c.at(pathContracts)
	if was != nil {
		crumbs, action = append(crumbs, part.Link{Text: was.Number, Href: c.at(pathContracts + "/" + was.ID)}), c.at(pathContracts+"/"+was.ID+"/amendment")
	}
	return growview.Form{Header: part.Header{Title: title, Crumbs: c.crumbs(append(crumbs, part.Link{Text: title})...)}, Action: action, Notes: c.rules()}
}

// contractHidden is the key of a form, and the version of the contract that was seen when it was opened.
func contractHidden(c *Ctx, was *contract.Contract) []part.Hidden {
	if was == nil {
		return fresh()
	}
	if v := c.FormValue(seenField); v != "" {
		return append(fresh(), part.Hidden{Name: seenField, Value: v})
	}
	return append(fresh(), seen(was.Version))
}

// contractForm asks for the terms of a contract: of a partner, which sees the preview next, or of a vendor that has it on
// paper. One that is amended begins with the terms it has.
func (h *Handlers) contractForm(c *Ctx, status int, refused *fault.Error, was *contract.Contract) error {
	own := c.Scope.Side() == scope.SidePartner
	title := c.T("contracts.register")
	switch {
	case was != nil:
		title = c.T("contracts.amend")
	case own:
		title = c.T("contracts.apply")
	}
	f := contractHead(c, title, was)
	f.Refusal, f.Hidden = refusalOf(c, refused), contractHidden(c, was)
	now := h.Clock.Now()
	terms := contract.Contract{Currency: "CNY", Begins: i18n.Date(now), Ends: i18n.Date(now.AddDate(1, 0, -1))}
	if was != nil {
		terms = *was
		if was.Reason != "" {
			f.Caption, f.Facts = c.T("contract.state.refused"), []part.Item{{Label: c.T("company.reason"), Text: was.Reason}}
		}
	} else {
		party, err := h.contractParty(c)
		if err != nil {
			return err
		}
		f.Fields = []part.Field{party}
	}
	value := func(name, otherwise string) string {
		if c.Request().Method == http.MethodPost {
			return c.FormValue(name)
		}
		return otherwise
	}
	f.Fields = append(f.Fields, part.Field{Name: "title", Label: c.T("contracts.name"), Value: value("title", terms.Title), Required: true, MaxLength: contract.MaxTitle})
	if !own {
		f.Fields = append(f.Fields, part.Field{Name: "paper_no", Label: c.T("contracts.paper_no"), Value: c.FormValue("paper_no"), Required: true, MaxLength: contract.MaxPaperNo})
	}
	f.Fields = append(f.Fields, part.Field{Name: "currency", Label: c.T("ledger.col.currency"), Value: value("currency", terms.Currency), Required: true, MaxLength: 3},
		part.Field{Name: "begins", Label: c.T("agreements.begins"), Value: value("begins", terms.Begins), Required: true, Hint: "2026-11-05"},
		part.Field{Name: "ends", Label: c.T("agreements.ends_on"), Value: value("ends", terms.Ends), Required: true, Hint: "2027-11-04", Help: c.T("contracts.ends_help", "Months", contract.MaxMonths)},
		part.Field{Name: "plan", Label: c.T("contracts.plan"), Type: "textarea", Value: value("plan", contract.PlanText(terms.Plan)), Required: true, Hint: "2026-11-30 50000.00", Help: c.T("contracts.plan_help", "Months", contract.BackMonths, "Limit", contract.MaxPlan)},
		part.Field{Name: "remark", Label: c.T("prospects.remark"), Type: "textarea", Value: value("remark", terms.Remark), MaxLength: contract.MaxRemark})
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

// contractInput reads the form; what is amended stays with its vendor. Faults: contract.vendor_unknown, .partner_unknown.
func (h *Handlers) contractInput(ctx context.Context, c *Ctx, was *contract.Contract) (contract.Input, error) {
	in := contract.Input{PaperNo: c.FormValue("paper_no"), Title: c.FormValue("title"), Currency: c.FormValue("currency"), Begins: c.FormValue("begins"), Ends: c.FormValue("ends"), Plan: c.FormValue("plan"), Remark: c.FormValue("remark")}
	// A partner applies for itself alone, and a vendor registers its own alone.
	if c.Scope.Side() == scope.SidePartner {
		if c.FormValue("partner") != "" {
			return in, fault.NotFound("contract.partner_unknown", nil)
		}
		if was != nil {
			in.VendorID = was.VendorID
			return in, nil
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
	again := func(status int, f *fault.Error) error { return h.contractForm(c, status, f, nil) }
	return h.contractSent(c, again, nil, func(ctx context.Context, in contract.Input, submit bool) (contract.Contract, error) {
		return h.Contracts.Make(ctx, c.Scope, in, submit)
	})
}

func (h *Handlers) contractAmendPage(c *Ctx) error { return h.contractAmendForm(c, http.StatusOK, nil) }

// contractAmendForm is the form with what the contract says, where it may be amended.
func (h *Handlers) contractAmendForm(c *Ctx, status int, refused *fault.Error) error {
	x, err := h.Contracts.Find(c.ctx(), c.Scope, c.Param("id"))
	if err != nil {
		return err
	}
	switch {
	case refused != nil && refused.Kind == fault.KindConflict: // somebody was first
		return h.contractDetail(c, status, refused)
	case !x.State.Amendable():
		head := contractHead(c, c.T("contracts.amend"), &x).Header
		return h.nothingPage(c, status, head, part.Empty{Title: c.T("contract.meaning." + string(x.State)), Text: c.T("contract.next." + string(x.State)), Button: &part.Link{Text: c.T("contracts.one", "Number", x.Number), Href: c.at(pathContracts + "/" + x.ID)}})
	}
	return h.contractForm(c, status, refused, &x)
}

// contractAmended takes the terms of a contract that is a draft or was refused, as contractMade does.
func (h *Handlers) contractAmended(c *Ctx) error {
	x, err := h.Contracts.Find(c.ctx(), c.Scope, c.Param("id"))
	if err != nil {
		return err
	}
	again := func(status int, f *fault.Error) error { return h.contractAmendForm(c, status, f) }
	return h.contractSent(c, again, &x, func(ctx context.Context, in contract.Input, submit bool) (contract.Contract, error) {
		return h.Contracts.Amend(ctx, c.Scope, x.ID, in, submit)
	})
}

// contractSent reads what was sent and does what its button says.
func (h *Handlers) contractSent(c *Ctx, again func(status int, f *fault.Error) error, was *contract.Contract, keep func(ctx context.Context, in contract.Input, submit bool) (contract.Contract, error)) error {
	if err := c.readForm(); err != nil {
		return err
	}
	do := c.FormValue("do")
	if do == "edit" {
		return again(http.StatusOK, nil)
	}
	var err error
	if do == "preview" {
		if err = h.contractPreview(c, was); err == nil {
			return nil
		}
	} else {
		err = h.once(c, func(ctx context.Context) (answer, error) {
			in, err := h.contractInput(ctx, c, was)
			if err != nil {
				return answer{}, err
			}
			x, err := keep(ctx, in, do != "save")
			done := map[contract.State]string{contract.StateDraft: "contract_saved", contract.StateReviewing: "contract_submit"}[x.State]
			return answer{Location: c.withQuery(pathContracts+"/"+x.ID, "done", cmp.Or(done, "contract_registered")), Body: map[string]any{"id": x.ID, "number": x.Number, "state": string(x.State), "amount": x.Amount.String(), "currency": x.Currency}}, err
		})
	}
	return c.refusedOr(err, again)
}

// contractPreview shows what would be kept, with everything typed carried along.
func (h *Handlers) contractPreview(c *Ctx, was *contract.Contract) error {
	in, err := h.contractInput(c.ctx(), c, was)
	if err != nil {
		return err
	}
	x, err := h.Contracts.Preview(c.ctx(), c.Scope, in)
	if err != nil {
		return err
	}
	f := contractHead(c, c.T("contracts.preview"), was)
	f.Caption = c.T("growview.facts")
	if f.Facts, err = h.contractFacts(c, &x); err != nil {
		return err
	}
	for i := range x.Plan {
		n := &x.Plan[i]
		f.Facts = append(f.Facts, part.Item{Label: c.T("contracts.plan") + " " + strconv.FormatInt(n.No, 10), Text: n.PromisedOn + " · " + i18n.Money(n.Amount, x.Currency)})
	}
	f.Hidden = fresh()
	for _, name := range []string{seenField, "vendor", "partner", "title", "paper_no", "currency", "begins", "ends", "plan", "remark"} {
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
