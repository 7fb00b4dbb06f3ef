package app

import (
	"testing"
	"time"

	"huoban/internal/ledger"
	"huoban/internal/money"
	"huoban/internal/passcode"
	"huoban/internal/scope"
	"huoban/internal/withdrawal"
)

// TestWithdrawalWantsCode: nobody takes money back without the code of that very request, which is used up with it; and
// the review is due on the next day that is worked, be it a Saturday.
func TestWithdrawalWantsCode(t *testing.T) {
	eachGrowing(t, func(g *growing) {
		g.clock.Set(time.Date(2026, 10, 9, 4, 0, 0, 0, time.UTC)) // the Friday before a make-up Saturday
		sc := g.as("P-admin")
		self, err := g.a.Organisations.ByID(g.ctx, scope.System("test"), sc.OrgID())
		if err != nil {
			t.Fatal(err)
		}
		vendors, err := g.a.Organisations.VendorsOf(g.ctx, self)
		if err != nil || len(vendors) == 0 {
			t.Fatal(vendors, err)
		}
		v := vendors[0].ID
		p, err := g.a.Ledger.Post(g.ctx, ledger.Entry{VendorID: v, Type: ledger.TypeRecharge, Detail: ledger.DetailRecharge, Key: "t", Actor: "test",
			Lines: []ledger.Line{{Account: ledger.Of(v, self.ID, ledger.KindBalance, "CNY"), Amount: 100 * money.Unit}, {Account: ledger.Counter(v, ledger.KindBank, "CNY"), Amount: -100 * money.Unit}}})
		if err != nil {
			t.Fatal(err)
		}
		in := withdrawal.Input{VendorID: v, Currency: "CNY", Kind: withdrawal.KindOriginal, Takes: []withdrawal.Take{{EntryID: p.ID, Amount: "40"}}}
		_, err = g.a.Withdrawals.Apply(g.ctx, sc, in)
		g.refused("without a code", err, "passcode.needed")
		person, err := g.a.Accounts.PersonByLogin(g.ctx, "P-admin")
		if err != nil {
			t.Fatal(err)
		}
		if _, err := g.a.DB.Writer().ExecContext(g.ctx, "UPDATE person SET email = 'p@example.com' WHERE id = $1", person.ID); err != nil {
			t.Fatal(err)
		}
		g.a.post.ways[passcode.ChannelMail] = true
		content := passcode.ContentOf("40")
		code, err := g.a.Passcodes.Send(g.ctx, sc, passcode.OpWithdraw, content, false)
		if err != nil {
			t.Fatal(err)
		}
		proof, err := g.a.Passcodes.Try(g.ctx, sc, passcode.OpWithdraw, content, g.a.Passcodes.Figures(code.ID))
		if err != nil {
			t.Fatal(err)
		}
		ctx := passcode.With(g.ctx, proof)
		r, err := g.a.Withdrawals.Apply(ctx, sc, in)
		if err != nil {
			t.Fatal(err)
		}
		if want := time.Date(2026, 10, 10, 15, 59, 59, 0, time.UTC); !r.DueAt.Equal(want) {
			t.Errorf("due %v, want %v", r.DueAt, want)
		}
		_, err = g.a.Withdrawals.Apply(ctx, sc, in)
		g.refused("the code again", err, "passcode.used")
		w, err := g.a.Ledger.Wallet(g.ctx, v, self.ID, "CNY")
		if err != nil || w.Balance != 60*money.Unit || w.Frozen != 40*money.Unit {
			t.Errorf("%+v %v", w, err)
		}
	})
}
