package ledgerstore_test

import (
	"context"
	"errors"
	"testing"

	"huoban/internal/creditline"
	"huoban/internal/fault"
	"huoban/internal/foureyes"
	"huoban/internal/ledger"
	"huoban/internal/money"
	"huoban/internal/scope"
	"huoban/internal/store"
	"huoban/internal/store/flowstore"
	"huoban/internal/store/ledgerstore"
	"huoban/internal/store/storetest"
)

var lenders = []scope.Item{scope.ItemLedgerView, scope.ItemCreditChange}

func (w *world) credits(limits ...foureyes.Limit) *creditline.Service {
	return &creditline.Service{Store: ledgerstore.NewCredits(w.db), Tx: w.db, Books: w.service, Log: flowstore.New(w.db), Audit: w.service.Audit, Clock: w.clock,
		Limits: func(context.Context, string) (foureyes.Limits, error) { return limits, nil }}
}

// TestCreditLineByTwo: up to the limit one person sets a line; above it another one has to approve it.
func TestCreditLineByTwo(t *testing.T) {
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		w, ctx := newWorld(t, db), context.Background()
		s := w.credits(foureyes.Limit{Kind: foureyes.KindCredit, Currency: "CNY", Amount: 300 * yuan, Version: 1})
		first, second := scope.Vendor("V", "chen", "chen", lenders), scope.Vendor("V", "lin", "lin", lenders)
		line := func(currency string) money.Amount {
			st, err := w.service.State(ctx, ledger.Of("V", "P", ledger.KindCredit, currency))
			if err != nil {
				t.Fatal(err)
			}
			return st.Line
		}
		propose := func(currency string, to money.Amount) (creditline.Change, error) {
			return s.Propose(ctx, first, creditline.Input{PartnerID: "P", Currency: currency, Line: to, Memo: " 年度授信 "})
		}
		want := func(what string, err error, code string) {
			t.Helper()
			if code == "" && err != nil || code != "" && !fault.HasCode(err, code) {
				t.Errorf("%s: %v", what, err)
			}
		}
		_, err := s.Propose(ctx, scope.Vendor("V", "zhao", "zhao", nil), creditline.Input{PartnerID: "P", Currency: "CNY", Line: yuan})
		want("without the permission", err, "scope.permission_missing")
		_, err = propose("CNY", -yuan)
		want("below zero", err, "ledger.line_malformed")
		_, err = propose("XXA", yuan)
		want("no such currency", err, "ledger.currency_unknown")

		x, err := propose("CNY", 300*yuan)
		if err != nil || x.State != creditline.StateApproved || x.Memo != "年度授信" || line("CNY") != 300*yuan {
			t.Fatal(x, err, line("CNY"))
		}
		if x, err = propose("CNY", 300*yuan); err != nil || x.State != creditline.StateApproved {
			t.Error("the line there is already", x, err)
		}
		if x, err = propose("CNY", 301*yuan); err != nil || x.State != creditline.StateProposed || line("CNY") != 300*yuan {
			t.Fatal("a small step over the limit", x, err, line("CNY"))
		}
		_, err = propose("CNY", 200*yuan)
		want("while one waits", err, "creditline.waiting")
		_, err = s.Decide(ctx, first, x.ID, creditline.ActionApprove, "")
		want("approved by who proposed it", err, "foureyes.same_person")
		_, err = s.Decide(ctx, first, x.ID, creditline.ActionRefuse, "x")
		want("refused by who proposed it", err, "foureyes.same_person")
		_, err = s.Decide(ctx, second, x.ID, creditline.ActionWithdraw, "")
		want("withdrawn by another", err, "creditline.not_proposer")
		_, err = s.Decide(ctx, scope.Vendor("W", "wu", "wu", lenders), x.ID, creditline.ActionApprove, "")
		want("of another vendor", err, "creditline.unknown")
		_, err = s.Decide(ctx, scope.Partner("P", "alice", "alice", lenders, nil), x.ID, creditline.ActionApprove, "")
		want("by the partner", err, "creditline.unknown")
		if x, err = s.Decide(ctx, second, x.ID, creditline.ActionApprove, ""); err != nil || x.DecidedBy != "lin" || line("CNY") != 301*yuan {
			t.Fatal(x, err, line("CNY"))
		}
		_, err = s.Decide(ctx, second, x.ID, creditline.ActionApprove, "")
		want("approved again", err, "flow.not_from_state")
		if x, err = propose("CNY", yuan); err != nil || x.State != creditline.StateApproved || line("CNY") != yuan {
			t.Error("lowered by as much as one person may", x, err)
		}

		if x, err = propose("USD", yuan); err != nil || x.State != creditline.StateProposed {
			t.Fatal("without a limit two are needed", x, err)
		}
		_, err = s.Decide(ctx, second, x.ID, creditline.ActionRefuse, " ")
		want("refused without a reason", err, "flow.reason_missing")
		if x, err = s.Decide(ctx, second, x.ID, creditline.ActionRefuse, "额度过高"); err != nil || x.Reason != "额度过高" || line("USD") != 0 {
			t.Error(x, err)
		}
		if x, err = propose("USD", 2*yuan); err != nil {
			t.Fatal(err)
		}
		if x, err = s.Decide(ctx, first, x.ID, creditline.ActionWithdraw, ""); err != nil || x.State != creditline.StateWithdrawn || line("USD") != 0 {
			t.Error(x, err)
		}
		list, err := s.List(ctx, first)
		if err != nil || len(list) != 5 || list[0].PartnerCode != "P" {
			t.Errorf("%+v %v", list, err)
		}
	})
}

// TestCreditLineOnce: many persons approving one change set the line once, and of many proposals of a line one waits.
func TestCreditLineOnce(t *testing.T) {
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		w, ctx := newWorld(t, db), context.Background()
		s := w.credits()
		const many = 8
		at := func(do func(sc scope.Scope) error) (done int) {
			results := make(chan error, many)
			for i := range many {
				go func() { results <- do(scope.Vendor("V", "x", string(rune('a'+i)), lenders)) }()
			}
			for range many {
				err := <-results
				var f *fault.Error
				switch {
				case err == nil:
					done++
				case !errors.As(err, &f) || f.Kind != fault.KindConflict && f.Kind != fault.KindUnavailable:
					t.Error(err)
				}
			}
			return done
		}
		if n := at(func(sc scope.Scope) error {
			_, err := s.Propose(ctx, sc, creditline.Input{PartnerID: "P", Currency: "CNY", Line: 5 * yuan})
			return err
		}); n != 1 {
			t.Fatalf("%d changes wait", n)
		}
		list, err := s.List(ctx, scope.Vendor("V", "boss", "boss", lenders))
		if err != nil || len(list) != 1 {
			t.Fatal(list, err)
		}
		if n := at(func(sc scope.Scope) error {
			if sc.Login() == list[0].CreatedBy {
				sc = scope.Vendor("V", "boss", "boss", lenders)
			}
			_, err := s.Decide(ctx, sc, list[0].ID, creditline.ActionApprove, "")
			return err
		}); n != 1 {
			t.Errorf("approved %d times", n)
		}
		st, err := w.service.State(ctx, ledger.Of("V", "P", ledger.KindCredit, "CNY"))
		if err != nil || st.Line != 5*yuan || st.Balance != 5*yuan {
			t.Errorf("%+v %v", st, err)
		}
	})
}
