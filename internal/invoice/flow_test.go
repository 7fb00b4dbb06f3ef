package invoice

import (
	"testing"
	"time"

	"huoban/internal/cycle"
	"huoban/internal/fault"
	"huoban/internal/flow/flowtest"
	"huoban/internal/money"
	"huoban/internal/scope"
)

var (
	items    = []scope.Item{scope.ItemInvoiceRequest, scope.ItemInvoiceReview}
	ours     = scope.Partner("p", "x", "lin", items, nil)
	limited  = ours.Limited(nil)
	stranger = scope.Partner("q", "y", "mei", items, nil)
	vendor   = scope.Vendor("v", "z", "hao", items)
	other    = scope.Vendor("w", "z", "hao", items)
	seller   = scope.Partner("s", "z", "song", items, nil)
	noon     = time.Date(2026, 11, 20, 4, 0, 0, 0, time.UTC)
)

const yuan = money.Amount(100_000_000)

// fine is a request that breaks no rule.
func fine() Facts {
	return Facts{PartnerID: "p", VendorID: "v", IssuerID: "v", Issuer: IssuerVendor, Method: MethodCycle, Kind: KindSpecial, Medium: MediumPaper, Currency: "CNY", Amount: 500 * yuan,
		Titles: 1, TitleKind: TitleCompany, HasPost: true, HasEmail: true, EntityID: "e", Takes: []Take{{Cycle: "2026-10", EntityID: "e", Issued: true, Free: 500 * yuan, Asked: 500 * yuan}},
		HasNumber: true, HasFile: true, HasTracking: true, RedConfirmed: true}
}

func TestMachine(t *testing.T) {
	flowtest.All(t, Flow, "invoice_request", "state")
	with := func(change func(*Facts)) Facts { f := fine(); change(&f); return f }
	by := func(f Facts, who scope.Scope) flowtest.Example[Facts] {
		return flowtest.Example[Facts]{Facts: f, Who: who, Now: noon}
	}
	pair := func(change func(*Facts)) flowtest.Examples[Facts] {
		return flowtest.Examples[Facts]{Pass: by(fine(), ours), Refuse: by(with(change), ours)}
	}
	general := with(func(f *Facts) { f.Issuer, f.IssuerID, f.Goods = IssuerSeller, "s", GoodsGeneral })
	flowtest.Guards(t, Flow, map[string]flowtest.Examples[Facts]{
		"partners_own":    {Pass: by(fine(), ours), Refuse: by(fine(), stranger)},
		"issuers_own":     {Pass: by(fine(), vendor), Refuse: by(fine(), other)},
		"party_own":       {Pass: by(general, seller), Refuse: by(fine(), vendor)},
		"online":          {Pass: by(general, seller), Refuse: by(general, ours)},
		"one_title":       pair(func(f *Facts) { f.Titles = 0 }),
		"title_complete":  pair(func(f *Facts) { f.Missing = []string{"bank"} }),
		"special_company": pair(func(f *Facts) { f.TitleKind = TitleOrganisation }),
		"medium_offered":  pair(func(f *Facts) { f.Medium = MediumElectronic }),
		"reachable":       pair(func(f *Facts) { f.HasPost = false }),
		"courier_agreed":  pair(func(f *Facts) { f.Amount = 100*yuan - 1e6 }),
		"seller_by_order": pair(func(f *Facts) { f.Issuer = IssuerSeller }),
		"one_entity":      pair(func(f *Facts) { f.Takes = append(f.Takes, Take{EntityID: "e2"}) }),
		"bills_issued":    pair(func(f *Facts) { f.Takes[0].Issued = false }),
		"no_arrears":      pair(func(f *Facts) { f.Takes[0].Unpaid = 1 }),
		"after_third":     pair(func(f *Facts) { f.Takes[0].Cycle = "2026-11" }),
		"no_refund_open":  pair(func(f *Facts) { f.Refunds = []string{"CS1"} }),
		"amount_free":     pair(func(f *Facts) { f.Takes[0].Free-- }),
		"cancel_paper":    pair(func(f *Facts) { f.Medium = MediumDigital }),
		"as_file":         {Pass: by(with(func(f *Facts) { f.Medium = MediumDigital }), vendor), Refuse: by(fine(), vendor)},
		"as_letter":       pair(func(f *Facts) { f.Medium = MediumElectronic }),
		"numbered":        pair(func(f *Facts) { f.HasNumber = false }),
		"file_there":      pair(func(f *Facts) { f.HasFile = false }),
		"tracked":         pair(func(f *Facts) { f.HasTracking = false }),
		"whole_only":      pair(func(f *Facts) { f.Part = true }),
		"red_confirmed":   pair(func(f *Facts) { f.RedConfirmed = false }),
	})
}

// TestRules holds each rule at both sides of its number.
func TestRules(t *testing.T) {
	at := func(s string) time.Time {
		x, err := time.ParseInLocation("2006-01-02 15:04:05.000000", s, cycle.Zone)
		if err != nil {
			t.Fatal(err)
		}
		return x
	}
	change := func(fn func(*Facts)) Facts { f := fine(); fn(&f); return f }
	for _, c := range []struct {
		name string
		f    Facts
		who  scope.Scope
		now  time.Time
		code string // "" = may be submitted
	}{
		{"a special paper invoice of a company", fine(), ours, noon, ""},
		{"by somebody who sees assigned customers only", fine(), limited, noon, "invoice.partner_decides"},
		{"the last instant of the 3rd", fine(), ours, at("2026-11-03 23:59:59.999999"), "invoice.too_early"},
		{"the first of the 4th", fine(), ours, at("2026-11-04 00:00:00.000000"), ""},
		{"February of a leap year", change(func(f *Facts) { f.Takes[0].Cycle = "2028-02" }), ours, at("2028-03-03 23:59:59.999999"), "invoice.too_early"},
		{"an order is not held up by the 3rd", change(func(f *Facts) { f.Takes[0].OrderNo, f.Method = "CS1", MethodOrder }), ours, at("2026-11-01 00:00:00.000000"), ""},
		{"paper of 100 yuan", change(func(f *Facts) { f.Amount = 100 * yuan }), ours, noon, ""},
		{"paper of 99.99 yuan", change(func(f *Facts) { f.Amount = 9999 * 1e6 }), ours, noon, "invoice.courier_unagreed"},
		{"paper of 99.99 yuan, agreed", change(func(f *Facts) { f.Amount, f.CourierOK = 9999*1e6, true }), ours, noon, ""},
		{"paper of 99.99 dollars", change(func(f *Facts) { f.Amount, f.Currency = 9999*1e6, "USD" }), ours, noon, ""},
		{"a small file costs no courier", change(func(f *Facts) { f.Amount, f.Kind, f.Medium = yuan, KindOrdinary, MediumElectronic }), ours, noon, ""},
		{"a special invoice as a file", change(func(f *Facts) { f.Medium = MediumElectronic }), ours, noon, "invoice.medium_refused"},
		{"数电票 of an entity that changed", change(func(f *Facts) { f.Medium, f.Digital = MediumDigital, true }), ours, noon, ""},
		{"paper of an entity that changed", change(func(f *Facts) { f.Digital = true }), ours, noon, "invoice.medium_refused"},
		{"数电票 of one that did not", change(func(f *Facts) { f.Medium = MediumDigital }), ours, noon, "invoice.medium_refused"},
		{"an ordinary one for a person", change(func(f *Facts) { f.Kind, f.TitleKind, f.Missing = KindOrdinary, TitlePersonal, []string{"tax_no"} }), ours, noon, ""},
		{"a special one for a person", change(func(f *Facts) { f.TitleKind = TitlePersonal }), ours, noon, "invoice.special_needs_company"},
		{"a special one without a bank", change(func(f *Facts) { f.Missing = []string{"bank"} }), ours, noon, "invoice.title_incomplete"},
		{"without a title", change(func(f *Facts) { f.Titles = 0 }), ours, noon, "invoice.one_title"},
		{"with two titles", change(func(f *Facts) { f.Titles = 2 }), ours, noon, "invoice.one_title"},
		{"a smallest unit in arrears", change(func(f *Facts) { f.Takes[0].Unpaid = 1 }), ours, noon, "invoice.arrears_first"},
		{"one cent too much", change(func(f *Facts) { f.Takes[0].Asked += 1e6 }), ours, noon, "invoice.amount_taken"},
		{"nothing", change(func(f *Facts) { f.Amount = 0 }), ours, noon, "invoice.amount_taken"},
		{"two entities", change(func(f *Facts) {
			f.Takes = append(f.Takes, Take{Cycle: "2026-09", EntityID: "e2", Issued: true, Free: 1, Asked: 1})
		}), ours, noon, "invoice.entities_mixed"},
		{"no bill", change(func(f *Facts) { f.Takes = nil }), ours, noon, "invoice.bill_not_issued"},
		{"a seller by cycle", change(func(f *Facts) { f.Issuer, f.IssuerID = IssuerSeller, "s" }), ours, noon, "invoice.seller_by_order"},
		{"an order that is being unsubscribed", change(func(f *Facts) { f.Refunds = []string{"CS1"} }), ours, noon, "invoice.refund_open"},
		{"paper without an address", change(func(f *Facts) { f.HasPost = false }), ours, noon, "invoice.recipient_missing"},
		{"a file without an e-mail address", change(func(f *Facts) { f.Kind, f.Medium, f.HasEmail = KindOrdinary, MediumElectronic, false }), ours, noon, "invoice.recipient_missing"},
	} {
		_, err := Flow.Decide(StateDraft, ActionSubmit, c.f, c.who, c.now)
		if c.code == "" && err != nil || c.code != "" && !fault.HasCode(err, c.code) {
			t.Errorf("%s: %v, want %q", c.name, err, c.code)
		}
	}
}

// TestReturn: only whole invoices, confirmed where deducted, and through the seller where it handles them itself.
func TestReturn(t *testing.T) {
	general := fine()
	general.Issuer, general.IssuerID, general.Goods, general.Method = IssuerSeller, "s", GoodsGeneral, MethodOrder
	digital := general
	digital.Medium = MediumDigital
	selected := general
	selected.Goods = GoodsSelected
	unconfirmed, part := fine(), fine()
	unconfirmed.RedConfirmed, part.Part = false, true
	ordinary := unconfirmed
	ordinary.Kind = KindOrdinary
	for _, c := range []struct {
		name  string
		state State
		do    Action
		f     Facts
		who   scope.Scope
		code  string
	}{
		{"whole", StateIssued, ActionReturn, fine(), ours, ""},
		{"again after a refusal", StateReturnRefused, ActionReturn, fine(), ours, ""},
		{"a part", StateIssued, ActionReturn, part, ours, "invoice.return_whole"},
		{"deducted and unconfirmed", StateIssued, ActionReturn, unconfirmed, ours, "invoice.red_unconfirmed"},
		{"an ordinary one is never deducted", StateIssued, ActionReturn, ordinary, ours, ""},
		{"general goods by the partner", StateIssued, ActionReturn, general, ours, "invoice.contact_seller"},
		{"general goods by the seller", StateIssued, ActionReturn, general, seller, ""},
		{"general goods, fully digital", StateIssued, ActionReturn, digital, ours, ""},
		{"selected goods", StateIssued, ActionReturn, selected, ours, ""},
		{"general goods, cancelled by the partner", StatePending, ActionCancel, general, ours, "invoice.contact_seller"},
		{"twice", StateReturning, ActionReturn, fine(), ours, "flow.not_from_state"},
		{"taken back", StateReturning, ActionCancel, fine(), ours, "flow.not_from_state"},
		{"by another partner", StateIssued, ActionReturn, fine(), stranger, "invoice.partner_decides"},
		{"accepted by another vendor", StateReturning, ActionAcceptReturn, fine(), other, "invoice.issuer_decides"},
		{"accepted by the seller for the vendor", StateReturning, ActionAcceptReturn, fine(), seller, "invoice.issuer_decides"},
		{"accepted by the vendor for the seller", StateReturning, ActionAcceptReturn, selected, vendor, "invoice.issuer_decides"},
		{"accepted by the seller", StateReturning, ActionAcceptReturn, selected, seller, ""},
	} {
		_, err := Flow.Decide(c.state, c.do, c.f, c.who, noon)
		if c.code == "" && err != nil || c.code != "" && !fault.HasCode(err, c.code) {
			t.Errorf("%s: %v, want %q", c.name, err, c.code)
		}
	}
}

// TestHolding: exactly the states between submission and its three ends hold amounts.
func TestHolding(t *testing.T) {
	free := map[State]bool{StateDraft: true, StateRefused: true, StateCancelled: true, StateReturned: true, StateDeleted: true}
	for _, s := range Flow.States() {
		if s.Holds() == free[s] {
			t.Errorf("%s holds: %v", s, s.Holds())
		}
	}
	for _, r := range Flow.Rows { // what frees or holds says so, and nothing else does
		for _, from := range r.From {
			frees, holds := false, false
			for _, e := range r.Then {
				frees, holds = frees || e == "free_amounts", holds || e == "hold_amounts"
			}
			if frees != (from.Holds() && !r.To.Holds()) || holds != (!from.Holds() && r.To.Holds()) {
				t.Errorf("%s from %s to %s: %v", r.Do, from, r.To, r.Then)
			}
		}
	}
}
