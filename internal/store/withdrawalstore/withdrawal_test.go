package withdrawalstore_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"huoban/internal/audit"
	"huoban/internal/clock"
	"huoban/internal/fault"
	"huoban/internal/ledger"
	"huoban/internal/message"
	"huoban/internal/money"
	"huoban/internal/organisation"
	"huoban/internal/scope"
	"huoban/internal/store"
	"huoban/internal/store/auditstore"
	"huoban/internal/store/flowstore"
	"huoban/internal/store/ledgerstore"
	"huoban/internal/store/orgstore"
	"huoban/internal/store/storetest"
	"huoban/internal/store/withdrawalstore"
	"huoban/internal/withdrawal"
)

var (
	noon  = time.Date(2026, 10, 9, 4, 0, 0, 0, time.UTC) // a Friday before a make-up Saturday
	lin   = scope.Partner("P", "lin", "lin", []scope.Item{scope.ItemWithdraw, scope.ItemFundsView}, nil)
	mei   = scope.Partner("Q", "mei", "mei", []scope.Item{scope.ItemWithdraw, scope.ItemFundsView}, nil)
	items = []scope.Item{scope.ItemPayoutView, scope.ItemPayoutReview, scope.ItemPayoutPay}
	chen  = scope.Vendor("V", "chen", "chen", items)
	zhou  = scope.Vendor("V", "zhou", "zhou", items)
	wu    = scope.Vendor("W", "wu", "wu", items)
	payee = withdrawal.Payee{Bank: "中国银行", Branch: "深圳福田支行", Account: "6222 0210 0112 3456 789", Holder: "某某科技有限公司"}
)

type people struct{}

func (people) Holders(context.Context, string, scope.Item) ([]string, error) { return nil, nil }

type bell struct{}

func (bell) Notify(context.Context, ...message.Notice) error { return nil }

type world struct {
	t        *testing.T
	db       *store.DB
	clock    *clock.Fixed
	books    *ledger.Service
	service  *withdrawal.Service
	invoiced money.Amount
	apart    money.Amount
	verified bool
}

func newWorld(t *testing.T, db *store.DB) *world {
	w := &world{t: t, db: db, clock: clock.At(noon), verified: true}
	w.in(func(ctx context.Context) error {
		for _, o := range [][2]string{{"V", "vendor"}, {"W", "vendor"}, {"P", "solution"}, {"Q", "solution"}} {
			if _, err := db.Exec(ctx, store.Query{Name: "test.org", Text: "INSERT INTO organisation (id, code, kind, name, parent_id, created_at) VALUES ($1, $1, $2, $1, NULL, $3)"}, o[0], o[1], store.At(noon)); err != nil {
				return err
			}
		}
		for _, p := range []string{"P", "Q"} {
			if _, err := db.Exec(ctx, store.Query{Name: "test.deal", Text: "INSERT INTO partnership (vendor_id, partner_id, entity_id, created_at) VALUES ('V', $1, NULL, $2)"}, p, store.At(noon)); err != nil {
				return err
			}
		}
		return nil
	})
	chain := audit.NewChain(auditstore.New(db), w.clock, audit.Key{1})
	w.books = &ledger.Service{Store: ledgerstore.New(db), Tx: db, Audit: chain, Clock: w.clock}
	orgs := organisation.New(orgstore.NewOrganisations(db), db, chain, w.clock)
	w.service = withdrawal.New(withdrawal.Deps{Store: withdrawalstore.New(db), Tx: db, Log: flowstore.New(db), Audit: chain, Clock: w.clock, Ledger: w.books,
		Organisations: orgs, Teller: message.Teller{Organisations: orgs, People: people{}, Bell: bell{}},
		TwoNeeded: func(_ context.Context, _, _ string, a money.Amount) (bool, error) { return a > 1000*money.Unit, nil },
		Identity:  func(context.Context, string) (string, bool, error) { return payee.Holder, w.verified, nil },
		Invoiced: func(context.Context, string, string, string) (money.Amount, func(money.Amount) *fault.Error, error) {
			return w.invoiced, func(a money.Amount) *fault.Error {
				return fault.Conflict("test.invoiced", fault.Args{"amount": a.String()})
			}, nil
		},
		Apart: func(context.Context, string, string, string) (money.Amount, error) { return w.apart, nil }})
	return w
}

func (w *world) in(do func(ctx context.Context) error) {
	w.t.Helper()
	if err := w.db.InTx(w.t.Context(), do); err != nil {
		w.t.Fatal(err)
	}
}

// pay brings money in and gives the entry.
func (w *world) pay(partner, key, amount string, t ledger.Type, d ledger.Detail) string {
	w.t.Helper()
	x, err := money.ParseExact(amount)
	if err != nil {
		w.t.Fatal(err)
	}
	a, err := x.Amount()
	if err != nil {
		w.t.Fatal(err)
	}
	p, err := w.books.Post(w.t.Context(), ledger.Entry{VendorID: "V", Type: t, Detail: d, Key: key, Number: key, Actor: "test",
		Lines: []ledger.Line{{Account: ledger.Of("V", partner, ledger.KindBalance, "CNY"), Amount: a}, {Account: ledger.Counter("V", ledger.KindBank, "CNY"), Amount: -a}}})
	if err != nil {
		w.t.Fatal(err)
	}
	return p.ID
}

func (w *world) top(partner, key, amount string) string {
	w.t.Helper()
	return w.pay(partner, key, amount, ledger.TypeRecharge, ledger.DetailRecharge)
}

func ask(kind withdrawal.Kind, takes ...string) withdrawal.Input {
	in := withdrawal.Input{VendorID: "V", Currency: "CNY", Kind: kind, Payee: payee, Voluntary: kind == withdrawal.KindCard}
	for i := 0; i+1 < len(takes); i += 2 {
		in.Takes = append(in.Takes, withdrawal.Take{EntryID: takes[i], Amount: takes[i+1]})
	}
	return in
}

func (w *world) refused(what string, err error, code string) {
	w.t.Helper()
	if !fault.HasCode(err, code) {
		w.t.Errorf("%s: %v, want %s", what, err, code)
	}
}

func (w *world) wallet(partner string) ledger.Wallet {
	w.t.Helper()
	got, err := w.books.Wallet(w.t.Context(), "V", partner, "CNY")
	if err != nil {
		w.t.Fatal(err)
	}
	return got
}

func (w *world) apply(sc scope.Scope, in withdrawal.Input) withdrawal.Request {
	w.t.Helper()
	r, err := w.service.Apply(w.t.Context(), sc, in)
	if err != nil {
		w.t.Fatal(err)
	}
	return r
}

func (w *world) do(sc scope.Scope, r withdrawal.Request, do withdrawal.Action) withdrawal.Request {
	w.t.Helper()
	out, err := w.service.Do(w.t.Context(), sc, r.ID, withdrawal.DoInput{Do: do, Reason: "因为", Receipt: "B-1"})
	if err != nil {
		w.t.Fatalf("%s: %v", do, err)
	}
	return out
}

// TestWithdrawal lives through a request: frozen, reviewed by two, paid, failed, paid again; and what is refused is
// free again, once.
func TestWithdrawal(t *testing.T) {
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		w := newWorld(t, db)
		ctx := t.Context()
		a, b := w.top("P", "a", "3000"), w.top("P", "b", "500")
		r := w.apply(lin, ask(withdrawal.KindOriginal, a, "2000", b, "500"))
		if x := w.wallet("P"); x.Balance != 1000*money.Unit || x.Frozen != 2500*money.Unit || r.Amount != 2500*money.Unit {
			t.Fatalf("%+v %v", x, r.Amount)
		}
		_, err := w.service.Apply(ctx, lin, ask(withdrawal.KindOriginal, a, "1000.01"))
		w.refused("more than is left of a source", err, "withdrawal.source_short")
		_, err = w.service.Apply(ctx, lin, ask(withdrawal.KindOriginal, b, "1"))
		w.refused("a source that is used up", err, "withdrawal.source_unknown")
		_, err = w.service.Do(ctx, chen, r.ID, withdrawal.DoInput{Do: withdrawal.ActionApprove})
		w.refused("one person alone", err, "withdrawal.two_needed")
		_, err = w.service.Do(ctx, wu, r.ID, withdrawal.DoInput{Do: withdrawal.ActionForward})
		w.refused("another vendor", err, "withdrawal.unknown")
		_, err = w.service.Find(ctx, mei, r.ID)
		w.refused("another partner", err, "withdrawal.unknown")
		r = w.do(chen, r, withdrawal.ActionForward)
		_, err = w.service.Do(ctx, chen, r.ID, withdrawal.DoInput{Do: withdrawal.ActionSecond})
		w.refused("the same person", err, "withdrawal.same_person")
		r = w.do(zhou, r, withdrawal.ActionSecond)
		if x := w.wallet("P"); x.Frozen != 0 {
			t.Errorf("in payment: %+v", x)
		}
		_, err = w.service.Do(ctx, lin, r.ID, withdrawal.DoInput{Do: withdrawal.ActionCancel})
		w.refused("cancelled while it is paid", err, "flow.not_from_state")
		r = w.do(chen, r, withdrawal.ActionFail)
		r = w.do(chen, r, withdrawal.ActionRetry)
		r = w.do(chen, r, withdrawal.ActionSucceed)
		if x := w.wallet("P"); x.Balance != 1000*money.Unit || x.Frozen != 0 || r.State != withdrawal.StateDone || r.Receipt != "B-1" {
			t.Errorf("paid: %+v %+v", x, r)
		}
		r = w.apply(lin, ask(withdrawal.KindOriginal, a, "400"))
		r = w.do(chen, r, withdrawal.ActionRefuse)
		if x := w.wallet("P"); x.Balance != 1000*money.Unit {
			t.Errorf("refused: %+v", x)
		}
		if r = w.do(lin, r, withdrawal.ActionDelete); r.State != withdrawal.StateDeleted {
			t.Errorf("%+v", r)
		}
		_, err = w.service.Find(ctx, lin, r.ID)
		w.refused("deleted", err, "withdrawal.unknown")
		r = w.apply(lin, ask(withdrawal.KindOriginal, a, "1000"))
		r = w.do(chen, w.do(chen, w.do(chen, r, withdrawal.ActionApprove), withdrawal.ActionFail), withdrawal.ActionReturn)
		_, err = w.service.Apply(ctx, lin, ask(withdrawal.KindOriginal, a, "1"))
		w.refused("the way that failed", err, "withdrawal.came_back")
		in := ask(withdrawal.KindCard, a, "1000")
		in.Voluntary = false
		r = w.apply(lin, in)
		if r.Payee.Account != "6222021001123456789" || w.wallet("P").Balance != 0 {
			t.Errorf("%+v", r.Payee)
		}
		if list, err := w.service.List(ctx, chen, withdrawal.Filter{}); err != nil || len(list) != 3 {
			t.Error(len(list), err)
		}
		check, err := w.books.Check(ctx, "V")
		if err != nil || len(check) != 1 || len(check[0].Broken) != 0 || check[0].Debit != check[0].Credit {
			t.Error(check, err)
		}
	})
}

// TestContractsCoverNoInvoice: what was paid on contracts is not what invoices are asked for, and frees nothing of it.
func TestContractsCoverNoInvoice(t *testing.T) {
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		w := newWorld(t, db)
		w.top("P", "a", "100")
		w.pay("P", "c", "-60", ledger.TypeDeduct, ledger.DetailDeduct)
		w.verified, w.invoiced = true, 50*money.Unit
		for apart, free := range map[money.Amount]money.Amount{0: 40, 60: 0, 20: 30} { // of 60 that were spent
			w.apart = apart * money.Unit
			if st, err := w.service.Standing(t.Context(), lin, "V", "CNY"); err != nil || st.Balance != 40*money.Unit || st.Free != free*money.Unit {
				t.Errorf("%s on contracts: %+v %v", apart, st, err)
			}
		}
	})
}

// TestWhatMayBeTaken: identity, invoices, entities of the holder's name, and kinds.
func TestWhatMayBeTaken(t *testing.T) {
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		w := newWorld(t, db)
		ctx := t.Context()
		a := w.top("P", "a", "300")
		r := w.pay("P", "r", "200", ledger.TypeRecharge, ledger.DetailRechargeRebate)
		w.pay("P", "x", "50", ledger.TypeRefund, ledger.DetailBillRefund)
		w.verified = false
		_, err := w.service.Apply(ctx, lin, ask(withdrawal.KindOriginal, a, "1"))
		w.refused("not verified", err, "withdrawal.unverified")
		w.verified, w.invoiced = true, 500*money.Unit
		st, err := w.service.Standing(ctx, lin, "V", "CNY")
		if err != nil || st.Balance != 550*money.Unit || st.Free != 50*money.Unit || len(st.Sources) != 2 || st.Reached[withdrawal.KindOriginal] != 50*money.Unit {
			t.Errorf("%+v %v", st, err)
		}
		_, err = w.service.Apply(ctx, lin, ask(withdrawal.KindOriginal, a, "50.01"))
		w.refused("invoiced", err, "test.invoiced")
		w.invoiced = 0
		in := ask(withdrawal.KindRebate, r, "200")
		in.Payee.Holder = "别人的公司"
		_, err = w.service.Apply(ctx, lin, in)
		w.refused("another name", err, "withdrawal.holder_differs")
		_, err = w.service.Apply(ctx, lin, ask(withdrawal.KindOriginal, a, "10", r, "10"))
		w.refused("incentives the way money goes", err, "withdrawal.rebate_only")
		_, err = w.service.Apply(ctx, lin, ask(withdrawal.KindOriginal, a, "10", a, "10"))
		w.refused("a source twice", err, "withdrawal.source_twice")
		_, err = w.service.Apply(ctx, mei, ask(withdrawal.KindOriginal, a, "10"))
		w.refused("another's source", err, "withdrawal.source_unknown")
		in = ask(withdrawal.KindOriginal, a, "10")
		in.VendorID = "W"
		_, err = w.service.Apply(ctx, lin, in)
		w.refused("a vendor one does not deal with", err, "withdrawal.unknown")
		w.apply(lin, ask(withdrawal.KindRebate, r, "200"))
	})
}

// TestManyTakeOneBalance: sixty-four at once take from one balance; no more goes out than there was, every request that
// was acknowledged is there, and the amount refused by many at once is free once.
func TestManyTakeOneBalance(t *testing.T) {
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		w := newWorld(t, db)
		entry := w.top("P", "a", "1000")
		var made, refusedAll atomic.Int64
		var mu sync.Mutex
		var last withdrawal.Request
		many(func(i int) {
			for {
				r, err := w.service.Apply(t.Context(), lin, ask(withdrawal.KindOriginal, entry, "30"))
				if again(err) {
					continue
				}
				if err == nil {
					made.Add(1)
					mu.Lock()
					last = r
					mu.Unlock()
				} else if !fault.Is(err, fault.KindConflict) {
					t.Errorf("client %d: %v", i, err)
				}
				return
			}
		})
		x := w.wallet("P")
		if made.Load() != 33 || x.Balance != 10*money.Unit || x.Frozen != 990*money.Unit {
			t.Errorf("%d were made, %+v", made.Load(), x)
		}
		if list, err := w.service.List(t.Context(), lin, withdrawal.Filter{}); err != nil || len(list) != 33 {
			t.Error(len(list), err)
		}
		many(func(i int) {
			for {
				_, err := w.service.Do(t.Context(), chen, last.ID, withdrawal.DoInput{Do: withdrawal.ActionRefuse, Reason: fmt.Sprint("第", i)})
				if again(err) {
					continue
				}
				if err == nil {
					refusedAll.Add(1)
				} else if !strings.HasPrefix(fault.From(err).Code, "flow.") {
					t.Errorf("client %d: %v", i, err)
				}
				return
			}
		})
		if x = w.wallet("P"); refusedAll.Load() != 1 || x.Balance != 40*money.Unit || x.Frozen != 960*money.Unit {
			t.Errorf("refused %d times: %+v", refusedAll.Load(), x)
		}
	})
}

func many(do func(i int)) {
	var wait sync.WaitGroup
	for i := range 64 {
		wait.Add(1)
		go func() { defer wait.Done(); do(i) }()
	}
	wait.Wait()
}

// again tells what only says to try once more.
func again(err error) bool {
	return fault.HasCode(err, "ledger.moved_meanwhile") || fault.Is(err, fault.KindUnavailable) || errors.Is(err, context.DeadlineExceeded)
}
