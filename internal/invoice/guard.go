package invoice

import (
	"slices"
	"strings"
	"time"

	"huoban/internal/cycle"
	"huoban/internal/fault"
	"huoban/internal/flow"
	"huoban/internal/money"
	"huoban/internal/scope"
)

// Facts is what the guards judge.
type Facts struct {
	PartnerID, VendorID, IssuerID string
	Issuer                        Issuer
	Goods                         Goods
	Method                        Method
	Kind                          Kind
	Medium                        Medium
	Digital                       bool // the entity issues nothing but 数电票
	Currency                      string
	Amount                        money.Amount

	Titles    int // valid ones of the partner
	TitleKind TitleKind
	Missing   []string // of the title, for a special invoice
	HasPost   bool
	HasEmail  bool
	CourierOK bool

	EntityID string
	Takes    []Take
	Refunds  []string // orders whose unsubscription is under review

	HasNumber, HasFile, HasTracking bool
	Part                            bool // of an invoice is to be returned
	RedConfirmed                    bool
}

// Take is a part of the request beside what there is of it.
type Take struct {
	Cycle    cycle.Cycle
	EntityID string
	OrderNo  string
	Issued   bool         // the bill is final and the partner's from the vendor itself
	Free     money.Amount // what no other request holds
	Asked    money.Amount
	Unpaid   money.Amount // of the bill
}

func refusal(name, code string, holds func(f Facts, now time.Time) bool, args func(f Facts, now time.Time) fault.Args) flow.Guard[Facts] {
	return flow.Guard[Facts]{Name: name, Code: "invoice." + code, Args: args,
		Holds: func(f Facts, _ scope.Scope, now time.Time) bool { return holds(f, now) }}
}

func isPartner(f *Facts, who scope.Scope) bool {
	return who.Side() == scope.SidePartner && !who.IsLimited() && who.OrgID() == f.PartnerID
}

func isIssuer(f *Facts, who scope.Scope) bool {
	if f.Issuer == IssuerSeller {
		return who.OrgID() != "" && who.OrgID() == f.IssuerID
	}
	return who.SeesVendor(f.VendorID)
}

var (
	partnersOwn = flow.Guard[Facts]{Name: "partners_own", Code: "invoice.partner_decides", Kind: fault.KindDenied,
		Holds: func(f Facts, who scope.Scope, _ time.Time) bool {
			return who.Side() == scope.SideSystem || isPartner(&f, who)
		}}
	issuersOwn = flow.Guard[Facts]{Name: "issuers_own", Code: "invoice.issuer_decides", Kind: fault.KindDenied,
		Holds: func(f Facts, who scope.Scope, _ time.Time) bool {
			return who.Side() == scope.SideSystem || isIssuer(&f, who)
		}}
	// partyOwn lets the seller of 通用商品 enter the return that the partner arranged with it.
	partyOwn = flow.Guard[Facts]{Name: "party_own", Code: "invoice.partner_decides", Kind: fault.KindDenied,
		Holds: func(f Facts, who scope.Scope, _ time.Time) bool {
			return who.Side() == scope.SideSystem || isPartner(&f, who) || f.Issuer == IssuerSeller && isIssuer(&f, who)
		}}
	// online: a seller handles its 通用商品 itself; what it enters it may.
	online = flow.Guard[Facts]{Name: "online", Code: "invoice.contact_seller",
		Holds: func(f Facts, who scope.Scope, _ time.Time) bool {
			return f.Issuer == IssuerVendor || f.Goods != GoodsGeneral || f.Medium == MediumDigital || isIssuer(&f, who)
		}}

	oneTitle = refusal("one_title", "one_title", func(f Facts, _ time.Time) bool { return f.Titles == 1 },
		func(f Facts, _ time.Time) fault.Args { return fault.Args{"count": f.Titles} })
	titleComplete = refusal("title_complete", "title_incomplete", func(f Facts, _ time.Time) bool { return f.Kind != KindSpecial || len(f.Missing) == 0 },
		func(f Facts, _ time.Time) fault.Args {
			var names []string
			for _, m := range f.Missing {
				names = append(names, "invoice.title."+m)
			}
			return fault.Args{"fields": names}
		})
	specialCompany = refusal("special_company", "special_needs_company", func(f Facts, _ time.Time) bool { return f.Kind != KindSpecial || f.TitleKind == TitleCompany }, nil)
	mediumOffered  = refusal("medium_offered", "medium_refused", func(f Facts, _ time.Time) bool { return slices.Contains(Media(f.Kind, f.Digital), f.Medium) },
		func(f Facts, _ time.Time) fault.Args {
			var names []string
			for _, m := range Media(f.Kind, f.Digital) {
				names = append(names, "invoice.medium."+string(m))
			}
			return fault.Args{"kind": "invoice.kind." + string(f.Kind), "media": names}
		})
	reachable = refusal("reachable", "recipient_missing", func(f Facts, _ time.Time) bool {
		if f.Medium.IsFile() {
			return f.HasEmail
		}
		return f.HasPost
	}, nil)
	courierAgreed = refusal("courier_agreed", "courier_unagreed", func(f Facts, _ time.Time) bool { return f.CourierOK || !OwnCourier(f.Medium, f.Amount, f.Currency) },
		func(Facts, time.Time) fault.Args { return fault.Args{"amount": CourierFrom.String()} })
	sellerByOrder = refusal("seller_by_order", "seller_by_order", func(f Facts, _ time.Time) bool { return f.Issuer == IssuerVendor || f.Method == MethodOrder }, nil)
	oneEntity     = refusal("one_entity", "entities_mixed", func(f Facts, _ time.Time) bool {
		return !slices.ContainsFunc(f.Takes, func(t Take) bool { return t.EntityID != f.EntityID })
	}, nil)
	billsIssued = refusal("bills_issued", "bill_not_issued", func(f Facts, _ time.Time) bool {
		return len(f.Takes) > 0 && !slices.ContainsFunc(f.Takes, func(t Take) bool { return !t.Issued })
	}, nil)
	noArrears = refusal("no_arrears", "arrears_first", func(f Facts, _ time.Time) bool { return len(f.cycles(unpaid)) == 0 },
		func(f Facts, _ time.Time) fault.Args {
			return fault.Args{"cycles": strings.Join(f.cycles(unpaid), ", ")}
		})
	// afterThird does not hold orders up: they are paid one by one.
	afterThird = refusal("after_third", "too_early", func(f Facts, now time.Time) bool { return len(f.early(now)) == 0 },
		func(f Facts, now time.Time) fault.Args {
			early := f.early(now)
			return fault.Args{"cycle": string(early[0]), "from": OpensAt(early[len(early)-1]).Format(time.DateOnly)}
		})
	noRefundOpen = refusal("no_refund_open", "refund_open", func(f Facts, _ time.Time) bool { return len(f.Refunds) == 0 },
		func(f Facts, _ time.Time) fault.Args {
			return fault.Args{"orders": strings.Join(f.Refunds, ", ")}
		})
	amountFree = refusal("amount_free", "amount_taken", func(f Facts, _ time.Time) bool { return f.Amount > 0 && len(f.cycles(taken)) == 0 },
		func(f Facts, _ time.Time) fault.Args {
			return fault.Args{"cycles": strings.Join(f.cycles(taken), ", ")}
		})

	cancelPaper  = refusal("cancel_paper", "cancel_paper_only", func(f Facts, _ time.Time) bool { return f.Medium == MediumPaper }, nil)
	asFile       = refusal("as_file", "paper_is_posted", func(f Facts, _ time.Time) bool { return f.Medium.IsFile() }, nil)
	asLetter     = refusal("as_letter", "file_is_not_posted", func(f Facts, _ time.Time) bool { return f.Medium == MediumPaper }, nil)
	numbered     = refusal("numbered", "number_missing", func(f Facts, _ time.Time) bool { return f.HasNumber }, nil)
	fileThere    = refusal("file_there", "file_missing", func(f Facts, _ time.Time) bool { return f.HasFile }, nil)
	tracked      = refusal("tracked", "tracking_missing", func(f Facts, _ time.Time) bool { return f.HasTracking }, nil)
	wholeOnly    = refusal("whole_only", "return_whole", func(f Facts, _ time.Time) bool { return !f.Part }, nil)
	redConfirmed = refusal("red_confirmed", "red_unconfirmed", func(f Facts, _ time.Time) bool { return f.RedConfirmed || f.Kind == KindOrdinary }, nil)
)

func unpaid(t *Take) bool { return t.Unpaid > 0 }

func taken(t *Take) bool { return t.Asked <= 0 || t.Asked > t.Free }

// cycles names the cycles of the parts that a judgement finds, once each.
func (f *Facts) cycles(found func(*Take) bool) []string {
	var out []string
	for i := range f.Takes {
		if found(&f.Takes[i]) {
			out = append(out, string(f.Takes[i].Cycle))
		}
	}
	slices.Sort(out)
	return slices.Compact(out)
}

// early are the cycles that cannot be invoiced yet.
func (f *Facts) early(now time.Time) []cycle.Cycle {
	var out []cycle.Cycle
	for i := range f.Takes {
		if t := &f.Takes[i]; t.OrderNo == "" && now.Before(OpensAt(t.Cycle)) {
			out = append(out, t.Cycle)
		}
	}
	slices.Sort(out)
	return slices.Compact(out)
}
