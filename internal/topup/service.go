package topup

import (
	"context"
	"slices"

	"huoban/internal/audit"
	"huoban/internal/clock"
	"huoban/internal/cycle"
	"huoban/internal/fault"
	"huoban/internal/flow"
	"huoban/internal/foureyes"
	"huoban/internal/id"
	"huoban/internal/ledger"
	"huoban/internal/money"
	"huoban/internal/scope"
)

// Tx runs a function in one transaction; fn may be run again.
type Tx interface {
	InTx(ctx context.Context, fn func(ctx context.Context) error) error
}

// Poster is the part of the books that top-ups need.
type Poster interface {
	Post(ctx context.Context, e ledger.Entry) (ledger.Posted, error)
}

// Store keeps top-ups and transfers.
type Store interface {
	InsertTopUp(ctx context.Context, t TopUp) error
	SetTopUp(ctx context.Context, t TopUp, from State) (bool, error)
	TopUp(ctx context.Context, id string) (TopUp, bool, error)
	// TopUps lists a partner's, the newest first.
	TopUps(ctx context.Context, partnerID string) ([]TopUp, error)

	Account(ctx context.Context, vendorID, partnerID string) (Account, bool, error)
	AccountByNumber(ctx context.Context, vendorID, number string) (Account, bool, error)
	InsertAccount(ctx context.Context, a Account) error

	InsertRemittance(ctx context.Context, r Remittance) error
	SetRemittance(ctx context.Context, r Remittance, from RemittanceState) (bool, error)
	Remittance(ctx context.Context, id string) (Remittance, bool, error)
	RemittanceByRef(ctx context.Context, vendorID, bankRef string) (Remittance, bool, error)
	// Unclaimed lists what has that amount and day and waits for nobody's claim, the oldest first.
	Unclaimed(ctx context.Context, vendorID, currency string, amount money.Amount, paidOn string) ([]Remittance, error)
	// Waiting lists what came to a remittance account, became nobody's and waits for no claim, the oldest first.
	Waiting(ctx context.Context, vendorID, accountNo string) ([]Remittance, error)
	// Remittances lists a vendor's, or those that became a partner's, the newest first.
	Remittances(ctx context.Context, vendorID, partnerID string) ([]Remittance, error)

	InsertClaim(ctx context.Context, c Claim) error
	SetClaim(ctx context.Context, c Claim, from ClaimState) (bool, error)
	Claim(ctx context.Context, id string) (Claim, bool, error)
	// Claims lists a vendor's or a partner's, what waits first, then the newest.
	Claims(ctx context.Context, vendorID, partnerID string) ([]Claim, error)
}

// Deps is what the service stands on. Vendors are those a partner deals with; Confirmed asks for the verification code
// before a remittance account is opened; Told hears of a decision on a claim in its transaction. Agreed tells whether a
// payer is the partner itself or pays under an agreement in force on the day; where it is nil anybody may pay. Held hears
// of a transfer to a partner's account that is not credited because of its payer.
type Deps struct {
	Store     Store
	Tx        Tx
	Ledger    Poster
	Log       flow.Log
	Audit     audit.Recorder
	Clock     clock.Clock
	Gateways  []Gateway
	Vendors   func(ctx context.Context, partnerID string) ([]string, error)
	Confirmed func(ctx context.Context, sc scope.Scope) error
	Told      func(ctx context.Context, c Claim) error
	Agreed    func(ctx context.Context, vendorID, partnerID, payer, day string) (bool, error)
	Held      func(ctx context.Context, partnerID string, r Remittance) error
	// Limits are the vendor's amounts up to which one person approves a claim; without them two do.
	Limits func(ctx context.Context, vendorID string) (foureyes.Limits, error)
}

// Service takes top-ups, imports bank statements and decides claims.
type Service struct{ Deps }

// New makes the service.
func New(d Deps) *Service { return &Service{d} }

// Gateways are the names of the online channels on offer.
func (s *Service) GatewayNames() []string {
	var out []string
	for _, g := range s.Deps.Gateways {
		out = append(out, g.Name())
	}
	return out
}

func (s *Service) gateway(name string) (Gateway, error) {
	i := slices.IndexFunc(s.Deps.Gateways, func(g Gateway) bool { return g.Name() == name })
	if i < 0 {
		return nil, fault.Conflict("topup.gateway_unknown", nil)
	}
	return s.Deps.Gateways[i], nil
}

func (s *Service) deals(ctx context.Context, sc scope.Scope, vendorID string) error {
	list, err := s.Vendors(ctx, sc.OrgID())
	if err == nil && (sc.Side() != scope.SidePartner || !slices.Contains(list, vendorID)) {
		err = fault.NotFound("topup.vendor_unknown", nil)
	}
	return err
}

// Begin makes an online top-up that waits for its payment. Faults: topup.amount_out_of_range, .currency_unknown,
// .gateway_unknown, .vendor_unknown, scope.permission_missing.
func (s *Service) Begin(ctx context.Context, sc scope.Scope, vendorID, gateway, currency string, amount money.Amount) (TopUp, error) {
	var t TopUp
	if err := sc.Require(scope.ItemFundsChange); err != nil {
		return t, err
	}
	if _, err := s.gateway(gateway); err != nil {
		return t, err
	}
	if amount < MinAmount || amount > MaxAmount || !amount.IsCents() {
		return t, fault.Invalid("topup.amount_out_of_range", fault.Args{"least": MinAmount.String(), "most": MaxAmount.String()})
	}
	if !money.KnownCurrency(currency) {
		return t, fault.Invalid("topup.currency_unknown", nil)
	}
	err := s.Tx.InTx(ctx, func(ctx context.Context) error {
		if err := s.deals(ctx, sc, vendorID); err != nil {
			return err
		}
		now := s.Clock.Now()
		t = TopUp{ID: id.New(), VendorID: vendorID, PartnerID: sc.OrgID(), Number: id.Number("CZ", cycle.Day(now), id.New()), State: StatePending, Version: 1, Gateway: gateway,
			Currency: currency, Amount: amount, CreatedBy: sc.Login(), CreatedAt: now, ChangedAt: now}
		if err := s.Store.InsertTopUp(ctx, t); err != nil {
			return err
		}
		if err := Flow.Begin(ctx, s.Log, t.ID, t.State, sc, now, nil); err != nil {
			return err
		}
		return s.record(ctx, sc, t.PartnerID, "topup.begin", "top_up:"+t.Number, map[string]any{"currency": currency, "amount": amount.String(), "gateway": gateway})
	})
	return t, err
}

func (s *Service) record(ctx context.Context, sc scope.Scope, orgID, action, object string, detail map[string]any) error {
	return s.Audit.Record(ctx, audit.Entry{Actor: sc.Login(), OrgID: orgID, Action: action, Object: object, Outcome: audit.OutcomeDone, Detail: detail})
}

// TopUp reads one of the actor's. Fault: topup.unknown.
func (s *Service) TopUp(ctx context.Context, sc scope.Scope, topUpID string) (TopUp, error) {
	t, found, err := s.Store.TopUp(ctx, topUpID)
	own := sc.Side() == scope.SidePartner && t.PartnerID == sc.OrgID() || sc.Side() == scope.SideSystem
	if err == nil && (!found || !own) {
		err = fault.NotFound("topup.unknown", nil)
	}
	return t, err
}

// TopUps lists the actor's, the newest first. Fault: scope.permission_missing.
func (s *Service) TopUps(ctx context.Context, sc scope.Scope) ([]TopUp, error) {
	if err := sc.Require(scope.ItemFundsView); err != nil {
		return nil, err
	}
	return s.Store.TopUps(ctx, sc.OrgID())
}

// Actions are what the actor may do with a top-up.
func (s *Service) Actions(sc scope.Scope, t *TopUp) []flow.Button {
	return Flow.Allowed(t.State, Facts{PartnerID: t.PartnerID, VendorID: t.VendorID}, sc, s.Clock.Now())
}

// Do pays at the gateway, or cancels. Faults: topup.unknown, .gateway_unknown, .not_own, those of flow.Fire.
func (s *Service) Do(ctx context.Context, sc scope.Scope, topUpID string, do Action) (TopUp, error) {
	t, err := s.TopUp(ctx, sc, topUpID)
	if err != nil {
		return t, err
	}
	ref := t.GatewayRef
	if do == ActionPay && t.State == StatePending { // outside the transaction: it may run again
		g, err := s.gateway(t.Gateway)
		if err != nil {
			return t, err
		}
		if ref, err = g.Begin(ctx, t); err != nil {
			return t, err
		}
	}
	err = s.Tx.InTx(ctx, func(ctx context.Context) error {
		if t, err = s.TopUp(ctx, sc, topUpID); err != nil {
			return err
		}
		t.GatewayRef = ref
		return s.fire(ctx, sc, &t, do)
	})
	return t, err
}

// Finish takes what the gateway says about a payment. Succeeded and again succeeded credits once. Faults:
// topup.unknown, .gateway_unknown, those of flow.Fire.
func (s *Service) Finish(ctx context.Context, topUpID, gateway string, paid bool) (TopUp, error) {
	var t TopUp
	if _, err := s.gateway(gateway); err != nil {
		return t, err
	}
	who := scope.System("gateway:" + gateway)
	err := s.Tx.InTx(ctx, func(ctx context.Context) (err error) {
		if t, err = s.TopUp(ctx, who, topUpID); err != nil {
			return err
		}
		do, done := ActionFail, StateFailed
		if paid {
			do, done = ActionSucceed, StateSucceeded
		}
		if t.Gateway != gateway || t.State == done {
			return nil
		}
		return s.fire(ctx, who, &t, do)
	})
	return t, err
}

func (s *Service) fire(ctx context.Context, who scope.Scope, t *TopUp, do Action) error {
	now, from := s.Clock.Now(), t.State
	err := Flow.Fire(ctx, s.Log, flow.Move[State, Action, Facts]{Entity: t.ID, State: t.State, Version: t.Version, Do: do, Facts: Facts{PartnerID: t.PartnerID, VendorID: t.VendorID}, Who: who, Now: now},
		func(ctx context.Context, to State) (bool, error) {
			t.State, t.ChangedAt = to, now
			won, err := s.Store.SetTopUp(ctx, *t, from)
			t.Version++
			return won, err
		})
	if err != nil {
		return err
	}
	if do == ActionSucceed {
		_, err = s.Ledger.Post(ctx, ledger.Entry{VendorID: t.VendorID, Type: ledger.TypeRecharge, Detail: ledger.DetailRecharge, Key: "top_up:" + t.ID, Reference: "top_up:" + t.ID, Number: t.Number, Actor: who.Login(),
			Lines: []ledger.Line{{Account: ledger.Of(t.VendorID, t.PartnerID, ledger.KindBalance, t.Currency), Amount: t.Amount}, {Account: ledger.Counter(t.VendorID, ledger.KindGateway, t.Currency), Amount: -t.Amount}}})
		if err != nil {
			return err
		}
	}
	return s.record(ctx, who, t.PartnerID, "topup."+string(do), "top_up:"+t.Number, map[string]any{"currency": t.Currency, "amount": t.Amount.String()})
}
