package portal

import (
	"cmp"
	"context"
	"net/http"
	"slices"
	"strings"
	"time"

	"huoban/internal/agreement"
	"huoban/internal/fault"
	"huoban/internal/i18n"
	"huoban/internal/scope"
	"huoban/internal/sorted"
	"huoban/web/templates/growview"
	"huoban/web/templates/opsview"
	"huoban/web/templates/part"
)

const pathAgreements = "/agreements"

// agreementRoutes are 代付管理: a partner's agreements, and where 财经 of the vendor reviews them.
func agreementRoutes() []Route {
	see, may := []scope.Item{scope.ItemFundsView, scope.ItemLedgerView, scope.ItemRemittance}, []scope.Item{scope.ItemFundsChange}
	at := "/o/:org" + pathAgreements
	rows := []Route{
		{Method: get, Path: at, Name: "agreements", Sides: traders, Items: see, Title: "agreements.title", Do: (*Handlers).agreements},
		{Method: get, Path: at + "/new", Name: "agreements.new", Sides: partners, Items: may, Query: []string{"vendor"}, Title: "agreements.new", NoList: "form", Do: (*Handlers).agreementPage},
		{Method: post, Path: at, Name: "agreements.make", Sides: partners, Items: may, Query: []string{"vendor"}, Do: (*Handlers).agreementMade},
		{Method: get, Path: at + "/:id", Name: "agreements.show", Sides: traders, Items: see, Title: "agreements.title", NoList: "one agreement", Do: (*Handlers).agreementShown},
		{Method: get, Path: at + "/:id/paper", Name: "agreements.paper", Sides: traders, Items: see, Do: (*Handlers).agreementPaper},
		{Method: post, Path: at + "/:id/paper", Name: "agreements.sign", Sides: partners, Items: may, Do: (*Handlers).agreementSigned},
	}
	for i := range agreement.Flow.Rows {
		r := &agreement.Flow.Rows[i]
		if r.Noun == "" {
			continue
		}
		sides := traders
		if len(r.Who) == 1 {
			if sides = partners; r.Who[0] == scope.ItemRemittance {
				sides = vendors
			}
		}
		rows = append(rows, Route{Method: post, Path: at + "/:id/" + r.Noun, Name: "agreements." + r.Noun, Sides: sides, Items: r.Who, Do: func(h *Handlers, c *Ctx) error { return h.agreementAct(c, r.Do) }}.moves(agreement.Flow, string(r.Do)))
	}
	return rows
}

var (
	agreementTone  = map[agreement.State]part.Tone{agreement.StateReviewing: part.Brand, agreement.StateApproved: part.Brand, agreement.StateActive: part.Good, agreement.StateRefused: part.Bad, agreement.StateVoided: part.Bad}
	agreementSorts = []string{"ending", "payer"}
)

func shownAgreementStates(c *Ctx) []agreement.State {
	return slices.DeleteFunc(agreement.Flow.States(), func(s agreement.State) bool {
		return s == agreement.StateDeleted || s == agreement.StateDraft && c.Scope.Side() == scope.SideVendor
	})
}

func agreementStatus(c *Ctx, a *agreement.Agreement) *part.Status {
	tone := agreementTone[a.State]
	if a.State == agreement.StateReviewing && c.Scope.Side() == scope.SideVendor {
		tone = part.Warn // somebody here must act
	}
	return c.explained(agreement.Flow.Machine, a.ID, string(a.State), tone)
}

func (h *Handlers) agreements(c *Ctx) error {
	title := c.T("agreements.title")
	p := opsview.Board{Header: part.Header{Title: title, Crumbs: c.crumbs(part.Link{Text: title})}, Flash: c.done()}
	if c.Scope.Side() == scope.SidePartner {
		p = h.fundsBoard(c, pathAgreements, "agreements.title")
	} else if p.Pages = ledgerPages(c, pathAgreements); c.exported() != nil {
		p.Flash = c.exported()
	}
	if c.Scope.Has(scope.ItemFundsChange) && c.Scope.Side() == scope.SidePartner {
		p.Header.Buttons = []part.Link{{Text: c.T("agreements.new"), Href: c.at(pathAgreements + "/new")}}
	}
	sorting := choiceOf(c, "sort", c.T("prospects.filter.sort"), "agreements.sort.", c.QueryParam("sort"), agreementSorts)
	sorting.Options[0].Label = c.T("agreements.sort.newest")
	p.Filter = &part.Filter{Action: c.at(pathAgreements), Reset: c.at(pathAgreements), Fields: []part.FilterField{{Name: "q", Label: c.T("agreements.filter.q"), Value: c.QueryParam("q")},
		choiceOf(c, "state", c.T("opsview.col.state"), agreement.Flow.Machine+".state.", agreement.State(c.QueryParam("state")), shownAgreementStates(c)),
		choiceOf(c, "kind", c.T("agreements.kind"), "agreements.kind.", agreement.Kind(c.QueryParam("kind")), agreement.Kinds), dayField(c, "from"), dayField(c, "to"), folded(sorting)}}
	if _, err := h.board(c, &p, "agreements"); err != nil {
		return err
	}
	return c.page(http.StatusOK, p.Page())
}

func (h *Handlers) readAgreements(c *Ctx) (*sheet, error) {
	f, sort := agreement.Filter{State: agreement.State(c.QueryParam("state")), Kind: agreement.Kind(c.QueryParam("kind"))}, c.QueryParam("sort")
	from, until, err := daysParam(c)
	if f.State != "" && !slices.Contains(shownAgreementStates(c), f.State) || f.Kind != "" && !slices.Contains(agreement.Kinds, f.Kind) || sort != "" && !slices.Contains(agreementSorts, sort) {
		err = notFound()
	}
	if err != nil {
		return nil, err
	}
	list, err := h.Agreements.List(c.ctx(), c.Scope, f)
	if err != nil {
		return nil, err
	}
	other, err := h.counterparty(c)
	if err != nil {
		return nil, err
	}
	switch sort {
	case "ending":
		sorted.By(list, func(a, b agreement.Agreement) int {
			return cmp.Or(strings.Compare(a.Ends, b.Ends), strings.Compare(a.ID, b.ID))
		})
	case "payer":
		sorted.By(list, func(a, b agreement.Agreement) int {
			return cmp.Or(strings.Compare(a.Payer, b.Payer), strings.Compare(a.ID, b.ID))
		})
	}
	s := &sheet{columns: []listColumn{{key: "number", title: c.T("agreements.number"), note: c.T("agreements.kind")}, {key: "payer", title: c.T("agreements.payer"), note: c.T("agreements.payer_kind")}, {key: "with", title: other.title},
		{key: "begins", title: c.T("agreements.begins"), class: "num-l"}, {key: "ends", title: c.T("agreements.ends"), class: "num-l"}, {key: "made", title: c.T("agreements.made"), note: c.T("agreements.by"), class: "num-l"},
		{key: "state", title: c.T("opsview.col.state"), note: c.T("company.reason"), class: "m"}}, empty: part.Empty{Title: c.T("agreements.empty"), Text: c.T("agreements.empty_text")}}
	if c.Scope.Has(scope.ItemFundsChange) && !other.vendor {
		s.empty.Button = &part.Link{Text: c.T("agreements.new"), Href: c.at(pathAgreements + "/new")}
	}
	text := strings.ToLower(strings.TrimSpace(c.QueryParam("q")))
	for i := range list {
		a := &list[i]
		with := other.of(a.VendorID, a.PartnerID)
		if text != "" && !strings.Contains(strings.ToLower(a.Number+"\n"+a.Payer+"\n"+with), text) || !within(a.CreatedAt, from, until) {
			continue
		}
		s.add(sheetRow{key: a.ID, at: a.ChangedAt, mark: marks(string(a.State), a.Payer, a.Begins, a.Ends, a.Reason), cells: []opsview.Cell{{Text: a.Number, Note: c.T(a.Kind.Label()), Href: c.at(pathAgreements + "/" + a.ID)}, {Text: a.Payer, Note: c.T(a.PayerKind.Label())},
			{Text: with}, {Text: i18n.DateTime(a.BeginsAt())}, {Text: i18n.DateTime(a.EndsAt())}, {Text: i18n.DateTime(a.CreatedAt), Note: a.CreatedBy}, {Status: agreementStatus(c, a), Note: a.Reason}}})
	}
	s.narrowed("q", c.QueryParam("q"))
	narrowedWords(c, s, [][3]string{{"state", string(f.State), agreement.Flow.Machine + ".state."}, {"kind", string(f.Kind), "agreements.kind."}, {"sort", sort, "agreements.sort."}})
	return s, nil
}

func (h *Handlers) agreementShown(c *Ctx) error { return h.agreementDetail(c, http.StatusOK, nil) }

// agreementDetail is one agreement with its scan, what may be done and what happened.
func (h *Handlers) agreementDetail(c *Ctx, status int, refused *fault.Error) error {
	a, err := h.Agreements.Find(c.ctx(), c.Scope, c.Param("id"))
	if err != nil {
		return err
	}
	names, err := h.partyNames(c)
	if err != nil {
		return err
	}
	at := c.at(pathAgreements + "/" + a.ID)
	d := growview.Detail{Header: part.Header{Title: c.T("agreements.one", "Number", a.Number), Crumbs: c.crumbs(part.Link{Text: c.T("agreements.title"), Href: c.at(pathAgreements)}, part.Link{Text: a.Number}), Status: agreementStatus(c, &a)}, Flash: c.done()}
	d.Refusal, d.Conflict = lost(c, refused, at)
	d.Facts = []part.Item{{Label: c.T("agreements.payer"), Text: a.Payer}, {Label: c.T("agreements.payer_kind"), Text: c.T(a.PayerKind.Label())}, {Label: c.T("agreements.kind"), Text: c.T(a.Kind.Label())},
		{Label: c.T("withdrawal.col.partner"), Text: names[a.PartnerID]}, {Label: c.T("withdrawal.col.vendor"), Text: names[a.VendorID]}, {Label: c.T("agreements.begins"), Text: i18n.DateTime(a.BeginsAt())},
		{Label: c.T("agreements.ends"), Text: i18n.DateTime(a.EndsAt())}, {Label: c.T("agreements.made"), Text: i18n.DateTime(a.CreatedAt) + " · " + a.CreatedBy}, {Label: c.T("prospects.submitted"), Text: bound(a.SubmittedAt)},
		{Label: c.T("company.decided"), Text: join(present(bound(a.DecidedAt), a.DecidedBy), " · ")}, {Label: c.T("company.reason"), Text: a.Reason}, {Label: c.T("prospects.remark"), Text: a.Remark}}
	d.Facts = slices.DeleteFunc(d.Facts, func(x part.Item) bool { return x.Text == "" })
	if a.Kind == agreement.KindStanding {
		p, found, err := h.Agreements.Signed(c.ctx(), &a)
		if err != nil {
			return err
		}
		d.Facts = append(d.Facts, paperItem(c, &p, found, at))
		if (a.State == agreement.StateDraft || a.State == agreement.StateRefused) && c.Scope.Has(scope.ItemFundsChange) && c.Scope.Side() == scope.SidePartner {
			d.Upload = paperForm(c, at)
		}
	}
	buttons, err := h.Agreements.Allowed(c.ctx(), c.Scope, &a)
	if err != nil {
		return err
	}
	d.Buttons = flowButtons(c, buttons, at, a.Number, a.Version)
	changes, err := h.Agreements.History(c.ctx(), a.ID)
	if err != nil {
		return err
	}
	d.Trail = history(c, agreement.Flow.Machine, changes)
	c.ruled(&d.Header, &d.Laws)
	return c.page(status, d.Page())
}

func (h *Handlers) agreementPaper(c *Ctx) error {
	a, p, body, err := h.Agreements.Paper(c.ctx(), c.Scope, c.Param("id"))
	if err != nil {
		return err
	}
	return c.givePaper(a.Number, &p, body)
}

func (h *Handlers) agreementSigned(c *Ctx) error {
	return c.keepPaper(pathAgreements, h.Agreements.Sign, func(status int, f *fault.Error) error { return h.agreementDetail(c, status, f) })
}

func (h *Handlers) agreementAct(c *Ctx, do agreement.Action) error {
	err := h.once(c, func(ctx context.Context) (answer, error) {
		a, err := h.Agreements.Do(ctx, c.Scope, c.Param("id"), do, c.in("reason"))
		to := pathAgreements + "/" + a.ID
		if do == agreement.ActionDelete {
			to = pathAgreements
		}
		return answer{Location: c.withQuery(to, "done", "agreement_"+string(do)), Body: map[string]any{"id": a.ID, "state": string(a.State)}}, err
	})
	return c.refusedOr(err, func(status int, f *fault.Error) error { return h.agreementDetail(c, status, f) })
}

func (h *Handlers) agreementPage(c *Ctx) error { return h.agreementForm(c, http.StatusOK, nil) }

// agreementForm asks who pays, and for which days.
func (h *Handlers) agreementForm(c *Ctx, status int, refused *fault.Error) error {
	title := c.T("agreements.new")
	f := growview.Form{Header: part.Header{Title: title, Crumbs: c.crumbs(part.Link{Text: c.T("agreements.title"), Href: c.at(pathAgreements)}, part.Link{Text: title})}, Refusal: refusalOf(c, refused), Action: c.at(pathAgreements), Hidden: fresh(),
		Submits: []growview.Submit{{Value: "make", Text: c.T("agreements.make")}}, Notes: c.rules()}
	vendors, err := h.Orgs.VendorsOf(c.ctx(), c.Org)
	if err != nil {
		return err
	}
	value := func(name, otherwise string) string {
		if v := c.FormValue(name); v != "" || c.Request().Method == http.MethodPost {
			return v
		}
		return otherwise
	}
	kind := part.Field{Name: "kind", Label: c.T("agreements.kind"), Type: "select", Value: c.FormValue("kind"), Help: c.T("agreements.kind_help")}
	for _, k := range agreement.Kinds {
		kind.Options = append(kind.Options, part.Option{Value: string(k), Label: c.T(k.Label())})
	}
	payer := part.Field{Name: "payer_kind", Label: c.T("agreements.payer_kind"), Type: "select", Value: c.FormValue("payer_kind")}
	for _, k := range agreement.PayerKinds {
		payer.Options = append(payer.Options, part.Option{Value: string(k), Label: c.T(k.Label())})
	}
	choice := choiceFields(c, vendors, nil)[0]
	choice.Value = c.FormValue("vendor")
	today := i18n.Date(h.Clock.Now())
	f.Fields = []part.Field{choice, kind, {Name: "payer", Label: c.T("agreements.payer"), Value: c.FormValue("payer"), Required: true, MaxLength: agreement.MaxName, Help: c.T("agreements.payer_help")}, payer,
		{Name: "begins", Label: c.T("agreements.begins"), Value: value("begins", today), Required: true, Hint: "2026-11-05", Help: c.T("agreements.begins_help", "Days", agreement.MaxBack)},
		{Name: "ends", Label: c.T("agreements.ends_on"), Value: value("ends", i18n.Date(h.Clock.Now().AddDate(1, 0, -1))), Hint: "2027-11-04", Help: c.T("agreements.ends_help", "Months", agreement.MaxMonths)},
		{Name: "remark", Label: c.T("prospects.remark"), Type: "textarea", Value: c.FormValue("remark"), MaxLength: agreement.MaxRemark}}
	return c.page(status, f.Page())
}

func (h *Handlers) agreementMade(c *Ctx) error {
	err := h.once(c, func(ctx context.Context) (answer, error) {
		vendor, err := h.vendorOf(c, c.FormValue("vendor"))
		if err != nil {
			return answer{}, err
		}
		a, err := h.Agreements.Make(ctx, c.Scope, agreement.Input{VendorID: vendor.ID, Kind: agreement.Kind(c.FormValue("kind")), PayerKind: agreement.PayerKind(c.FormValue("payer_kind")), Payer: c.FormValue("payer"),
			Begins: c.FormValue("begins"), Ends: c.FormValue("ends"), Remark: c.FormValue("remark")})
		return answer{Location: c.withQuery(pathAgreements+"/"+a.ID, "done", "agreement_made_"+string(a.Kind)), Body: map[string]any{"id": a.ID, "number": a.Number, "state": string(a.State)}}, err
	})
	return c.refusedOr(err, func(status int, f *fault.Error) error { return h.agreementForm(c, status, f) })
}

// deskAgreements are agreements, for the desk of 财经.
func (h *Handlers) deskAgreements(c *Ctx) ([]deskRow, error) {
	list, err := h.Agreements.List(c.ctx(), c.Scope, agreement.Filter{State: agreement.StateReviewing})
	if err != nil {
		return nil, err
	}
	names, err := h.partyNames(c)
	var out []deskRow
	for i := range list {
		a := &list[i]
		out = append(out, deskRow{id: a.ID, state: string(a.State), title: opsview.Cell{Text: a.Payer, Note: a.Begins + " – " + a.Ends, Href: c.at(pathAgreements + "/" + a.ID)}, who: names[a.PartnerID], by: a.CreatedBy, since: a.SubmittedAt})
	}
	return out, err
}

func deskAgreement(do agreement.Action) func(h *Handlers, ctx context.Context, c *Ctx, id, reason string) error {
	return func(h *Handlers, ctx context.Context, c *Ctx, id, reason string) error {
		_, err := h.Agreements.Do(ctx, c.Scope, id, do, reason)
		return err
	}
}

// endingSoon is how long before its end an agreement is told of among what is to be done.
const endingSoon = 30 * 24 * time.Hour

// agreementDuties are agreements that were refused, or end soon.
func (h *Handlers) agreementDuties(c *Ctx) ([]duty, error) {
	if !c.Scope.Has(scope.ItemFundsChange) {
		return nil, nil
	}
	list, err := h.Agreements.List(c.ctx(), c.Scope, agreement.Filter{Kind: agreement.KindStanding})
	var out []duty
	for i := range list {
		a := &list[i]
		d := duty{kind: dutyAgreement, title: c.T("work.agreement.refused", "Payer", a.Payer), text: a.Reason, since: a.DecidedAt, cure: part.Link{Text: c.T("agreements.see"), Href: c.at(pathAgreements + "/" + a.ID)}}
		if a.State == agreement.StateActive && a.EndsAt().Sub(h.Clock.Now()) < endingSoon {
			d.title, d.text, d.since, d.due = c.T("work.agreement.ending", "Payer", a.Payer), c.T("work.agreement.ending_text"), a.EndsAt().Add(-endingSoon), a.EndsAt()
		} else if a.State != agreement.StateRefused {
			continue
		}
		out = append(out, d)
	}
	return out, err
}
