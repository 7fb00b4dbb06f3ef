package ledger

import (
	"context"
	"fmt"
	"math/rand/v2"
	"testing"
	"time"

	"huoban/internal/clock"
	"huoban/internal/fault"
	"huoban/internal/money"
	"huoban/internal/scope"
)

var (
	noon = time.Date(2026, 10, 5, 4, 0, 0, 0, time.UTC)
	cash = Of("v", "p", KindBalance, "CNY")
	bank = Counter("v", KindBank, "CNY")
	yuan = money.Unit
)

func service(now time.Time) (*Service, *books, *clock.Fixed) {
	b, c := newBooks(), clock.At(now)
	return &Service{Store: b, Tx: b, Audit: b, Clock: c}, b, c
}

func topUp(key string, amount money.Amount) Entry {
	return Entry{VendorID: "v", Type: TypeRecharge, Detail: DetailRecharge, Key: key, Reference: "top_up:" + key, Actor: "lin",
		Lines: []Line{{cash, amount}, {bank, -amount}}}
}

func TestCheck(t *testing.T) {
	good := topUp("k", 100*yuan)
	if err := good.Check(); err != nil {
		t.Fatal(err)
	}
	dollars := Counter("v", KindBank, "USD")
	for code, change := range map[string]func(*Entry){
		"ledger.type_unknown":      func(e *Entry) { e.Detail = DetailAllocate },
		"ledger.key_malformed":     func(e *Entry) { e.Key = "" },
		"ledger.lines_missing":     func(e *Entry) { e.Lines = e.Lines[:1] },
		"ledger.unbalanced":        func(e *Entry) { e.Lines[1].Amount++ },
		"ledger.amount_zero":       func(e *Entry) { e.Lines[0].Amount = 0 },
		"ledger.account_twice":     func(e *Entry) { e.Lines = append(e.Lines, Line{cash, 1}) },
		"ledger.other_vendor":      func(e *Entry) { e.VendorID = "w" },
		"ledger.currency_unknown":  func(e *Entry) { e.Lines[0].Account.Currency = "XXQ" },
		"ledger.account_malformed": func(e *Entry) { e.Lines[0].Account.Kind = KindBank },
	} {
		e := topUp("k", 100*yuan)
		change(&e)
		if err := e.Check(); !fault.HasCode(err, code) {
			t.Errorf("%v, want %s", err, code)
		}
	}
	two := topUp("k", 100*yuan) // each currency has to balance by itself
	two.Lines[1].Account = dollars
	if err := two.Check(); !fault.HasCode(err, "ledger.unbalanced") {
		t.Error(err)
	}
	loose := Account{VendorID: "v", PartnerID: "p", Kind: KindAllocated, Currency: "CNY"}
	two.Lines[0].Account = loose
	if err := two.Check(); !fault.HasCode(err, "ledger.account_malformed") {
		t.Error("allocated money stands with nobody:", err)
	}
}

// TestOneKeyActsOnce: the same again gives what was posted, something else under the key is refused.
func TestOneKeyActsOnce(t *testing.T) {
	s, _, _ := service(noon)
	ctx := context.Background()
	first, err := s.Post(ctx, topUp("k", 100*yuan))
	if err != nil || first.Again {
		t.Fatal(first, err)
	}
	again, err := s.Post(ctx, topUp("k", 100*yuan))
	if err != nil || !again.Again || again.ID != first.ID {
		t.Fatal(again, err)
	}
	if _, err := s.Post(ctx, topUp("k", 101*yuan)); !fault.HasCode(err, "ledger.key_reused") {
		t.Fatal(err)
	}
	if st, _ := s.State(ctx, cash); st.Balance != 100*yuan || st.Seq != 1 {
		t.Fatalf("%+v", st)
	}
}

func TestNobodyOverspends(t *testing.T) {
	s, b, _ := service(noon)
	ctx := context.Background()
	if _, err := s.Post(ctx, topUp("k", 100*yuan)); err != nil {
		t.Fatal(err)
	}
	spend := Entry{VendorID: "v", Type: TypeDeduct, Detail: DetailDeduct, Key: "s", Lines: []Line{{cash, -100*yuan - 1}, {Counter("v", KindSettled, "CNY"), 100*yuan + 1}}}
	if _, err := s.Post(ctx, spend); !fault.HasCode(err, "ledger.balance_short") {
		t.Fatal(err)
	}
	if len(b.entries) != 1 || len(b.states) != 2 {
		t.Fatal("a refused entry left something")
	}
}

// TestTimeNeverRunsBackwards: a clock that was set back dates nothing before what stands.
func TestTimeNeverRunsBackwards(t *testing.T) {
	s, _, c := service(noon)
	ctx := context.Background()
	_, _ = s.Post(ctx, topUp("a", yuan))
	c.Set(noon.Add(-time.Hour))
	p, err := s.Post(ctx, topUp("b", yuan))
	if err != nil || !p.At.Equal(noon) {
		t.Fatal(p.At, err)
	}
}

func TestCreditLine(t *testing.T) {
	s, _, _ := service(noon)
	ctx := context.Background()
	boss := scope.Vendor("v", "x", "chen", []scope.Item{scope.ItemCreditChange})
	if _, err := s.SetCreditLine(ctx, scope.Vendor("v", "x", "chen", nil), "p", "CNY", 5*yuan, "", "1"); !fault.HasCode(err, "scope.permission_missing") {
		t.Fatal(err)
	}
	st, err := s.SetCreditLine(ctx, boss, "p", "CNY", 500*yuan, "年度授信", "1")
	if err != nil || st.Balance != 500*yuan || st.Line != 500*yuan {
		t.Fatalf("%+v %v", st, err)
	}
	if w, err := s.Wallet(ctx, "v", "p", "CNY"); err != nil || w.Total() != 500*yuan || w.Allocatable() != 0 { // credit is not given on
		t.Fatalf("%+v %v", w, err)
	}
	if again, err := s.SetCreditLine(ctx, boss, "p", "CNY", 500*yuan, "年度授信", "1"); err != nil || again.Seq != 1 {
		t.Fatalf("%+v %v", again, err)
	}
	credit := Of("v", "p", KindCredit, "CNY")
	if _, err := s.Post(ctx, Entry{VendorID: "v", Type: TypeDeduct, Detail: DetailDeduct, Key: "use", Lines: []Line{{credit, -300 * yuan}, {Counter("v", KindSettled, "CNY"), 300 * yuan}}}); err != nil {
		t.Fatal(err)
	}
	if _, err := s.SetCreditLine(ctx, boss, "p", "CNY", 299*yuan, "", "2"); !fault.HasCode(err, "ledger.line_in_use") {
		t.Fatal(err)
	}
	if st, err = s.SetCreditLine(ctx, boss, "p", "CNY", 300*yuan, "", "3"); err != nil || st.Balance != 0 {
		t.Fatalf("%+v %v", st, err)
	}
	w, _ := s.Wallet(ctx, "v", "p", "CNY")
	if w.CreditUsed() != 300*yuan || w.Total() != 0 {
		t.Fatalf("%+v", w)
	}
}

// TestTypesAreThoseOfTheAPI: each code of the open API is there once and finds its type again.
func TestTypesAreThoseOfTheAPI(t *testing.T) {
	seen := map[string]bool{}
	for _, typ := range Types() {
		if back, ok := TypeOfAPI(typ.API()); !ok || back != typ {
			t.Errorf("%s is written %q", typ, typ.API())
		}
		for _, d := range Details(typ) {
			if d.API() == "" || seen[d.API()] || !typ.allows(d) {
				t.Errorf("%s is written %q", d, d.API())
			}
			seen[d.API()] = true
		}
	}
	if len(seen) != 35 || len(Details("")) != 35 {
		t.Errorf("%d details", len(seen))
	}
}

// TestWalk: 100,000 random steps by four partners in two currencies, many of them refused, leave books that balance.
func TestWalk(t *testing.T) {
	s, b, c := service(noon)
	ctx := context.Background()
	r := rand.New(rand.NewPCG(2026, 11))
	posted, refused := 0, 0
	for i := range 100_000 {
		if i%1000 == 0 {
			c.Set(noon.Add(time.Duration(i) * time.Second))
		}
		_, err := s.Post(ctx, step(r, i))
		switch {
		case err == nil:
			posted++
		case fault.HasCode(err, "ledger.balance_short"):
			refused++
		default:
			t.Fatal(i, err)
		}
	}
	if posted < 50_000 || refused < 5_000 {
		t.Fatalf("%d posted, %d refused: the walk does not try both", posted, refused)
	}
	rows, err := s.Check(ctx, "v")
	if err != nil || len(rows) != 2 {
		t.Fatal(len(rows), err)
	}
	for _, row := range rows {
		if !row.Balanced() || row.Debit == 0 {
			t.Errorf("%s: %v against %v, broken %v", row.Currency, row.Debit, row.Credit, row.Broken)
		}
	}
	for id, list := range b.lines { // each line tells the balance after it
		var balance money.Amount
		for _, m := range list {
			if balance += m.Amount; balance != m.After || balance < 0 && !b.states[id].mayOverdraw() {
				t.Fatalf("%+v: line %d says %v after %v", b.states[id].Account, m.Seq, m.After, balance)
			}
		}
	}
	for id, st := range b.states {
		if st.Kind == KindBalance {
			st.Balance++
			b.states[id] = st
			break
		}
	}
	rows, _ = s.Check(ctx, "v")
	if rows[0].Balanced() && rows[1].Balanced() {
		t.Error("a kept balance that differs from its lines is not seen")
	}
}

// step is one of the movements the portal makes.
func step(r *rand.Rand, i int) Entry {
	partner, customer, currency := fmt.Sprint("p", r.IntN(4)), fmt.Sprint("c", r.IntN(6)), []string{"CNY", "USD"}[r.IntN(2)]
	amount := money.Amount(1 + r.Int64N(int64(200*yuan)))
	balance, credit, frozen := Of("v", partner, KindBalance, currency), Of("v", partner, KindCredit, currency), Of("v", partner, KindFrozen, currency)
	with, settled := With("v", partner, customer, currency), Counter("v", KindSettled, currency)
	moves := []struct {
		typ    Type
		detail Detail
		lines  []Line
	}{
		{TypeRecharge, DetailRecharge, []Line{{balance, amount}, {Counter("v", KindBank, currency), -amount}}},
		{TypeAdjust, DetailAdjustCredit, []Line{{credit, amount / 3}, {Counter("v", KindCreditLine, currency), -amount / 3}}},
		{TypeDeduct, DetailDeduct, []Line{{balance, -amount}, {settled, amount}}},
		{TypeDeduct, DetailDeduct, []Line{{balance, -amount / 2}, {credit, -amount / 2}, {settled, amount / 2 * 2}}},
		{TypeAllocate, DetailAllocate, []Line{{balance, -amount}, {with, amount}}},
		{TypeReclaim, DetailReclaim, []Line{{with, -amount}, {balance, amount}}},
		{TypeFrozen, DetailFreeze, []Line{{balance, -amount}, {frozen, amount}}},
		{TypeFrozen, DetailUnfreeze, []Line{{frozen, -amount}, {balance, amount}}},
		{TypeRefund, DetailBillRefund, []Line{{settled, -amount / 4}, {balance, amount / 4}}},
		{TypeTransfer, DetailToBalance, []Line{{frozen, -amount}, {Counter("v", KindPayout, currency), amount}}},
	}
	m := moves[r.IntN(len(moves))]
	for j := range m.lines {
		if m.lines[j].Amount == 0 {
			return step(r, i)
		}
	}
	return Entry{VendorID: "v", Type: m.typ, Detail: m.detail, Key: fmt.Sprint("walk/", i), Lines: m.lines}
}
