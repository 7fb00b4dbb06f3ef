package statementstore_test

import (
	"bytes"
	"context"
	"image"
	"image/png"
	"reflect"
	"strings"
	"testing"

	"huoban/internal/fault"
	"huoban/internal/money"
	"huoban/internal/scope"
	"huoban/internal/statement"
	"huoban/internal/store"
	"huoban/internal/store/storetest"
)

func refused(t *testing.T, err error, code string) {
	t.Helper()
	if !fault.HasCode(err, code) {
		t.Fatalf("%v, want %s", err, code)
	}
}

// adds checks what every statement promises of itself.
func adds(t *testing.T, s *statement.Statement) {
	t.Helper()
	var lines, cost money.Amount
	for _, l := range s.Lines {
		lines += l.Amount
		cost += l.Costing.Cost
		want, err := l.Costing.BaseAmount().Mul(l.Costing.Factor).Amount()
		if err != nil || l.Amount != want {
			t.Errorf("line %d is %s, its base × factor %s (%v)", l.No, l.Amount, want, err)
		}
	}
	if lines != s.Subtotal || s.Subtotal+s.Tax+s.Rounding != s.Total || cost != s.Cost || s.Total%1e6 != 0 {
		t.Errorf("%s: lines %s, subtotal %s, tax %s, rounding %s, total %s, costs %s of %s", s.Customer.Code, lines, s.Subtotal, s.Tax, s.Rounding, s.Total, cost, s.Cost)
	}
}

func TestStatementsFollowTheRules(t *testing.T) {
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		w := newWorld(t, db)
		w.head(alice)
		w.rule(alice, statement.RuleInput{Base: statement.BaseCost, Factor: "1.25"})
		w.rule(alice, statement.RuleInput{Product: "compute", Base: statement.BaseBilled, Factor: "1.1"})
		w.rule(alice, statement.RuleInput{Customer: "C1", Base: statement.BaseBilled, Factor: "0.9", To: "2026-09-16"})
		got := w.drafts(alice)
		c1, c2 := got["C1"], got["C2"]
		adds(t, &c1)
		adds(t, &c2)
		// c1, Disk: 4 on the 5th × 0.9, 2 on the 20th at cost 1.6 × 1.25; Compute: 10.123456789 and −1.5, both × 0.9; tax stays out.
		amounts := map[string]string{}
		for _, l := range c1.Lines {
			amounts[l.Product+" "+string(l.Kind)+" "+l.Costing.Factor.String()] = l.Amount.String()
		}
		want := map[string]string{"Compute consumption 0.9": "9.11111111", "Compute refund 0.9": "-1.35", "Disk consumption 0.9": "3.6", "Disk consumption 1.25": "2"}
		if !reflect.DeepEqual(amounts, want) {
			t.Errorf("%v, want %v", amounts, want)
		}
		if c1.Subtotal.String() != "13.36111111" || c1.Tax.String() != "0.80166667" || c1.Total.String() != "14.16" || c1.Rounding.String() != "-0.00277778" {
			t.Errorf("%s %s %s %s", c1.Subtotal, c1.Tax, c1.Total, c1.Rounding)
		}
		if c2.Subtotal.String() != "5.5" || c2.Cost.String() != "4" || c2.Margin().String() != "1.5" {
			t.Errorf("%s %s", c2.Subtotal, c2.Cost)
		}
		for _, s := range []statement.Statement{c1, c2} {
			p, err := w.service.Proof(as(alice), alice, &s)
			if err != nil || !p.Equal {
				t.Errorf("%s costs %s, the bill says %s: %v", s.Customer.Code, s.Cost, p.Amount, err)
			}
		}
		again, err := w.service.Draft(as(alice), alice, month)
		if err != nil || again != (statement.Drafted{Same: 2}) {
			t.Errorf("%+v %v", again, err)
		}
	})
}

// TestACustomerThatChangedHands: what a distributor buys for its resellers' customers is no claim of its own.
func TestACustomerThatChangedHands(t *testing.T) {
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		w := newWorld(t, db)
		dist, res := w.drafts(dora), w.drafts(rosa)
		if len(dist) != 1 || len(res) != 2 {
			t.Fatalf("distributor %d, reseller %d", len(dist), len(res))
		}
		one, three, four := dist["C4"], res["C3"], res["C4"]
		for _, s := range []*statement.Statement{&one, &three, &four} {
			adds(t, s)
		}
		if one.Subtotal.String() != "3" || one.Cost.String() != "2.4" || four.Subtotal.String() != "7" || four.Cost.String() != "6.3" || three.Cost.String() != "18" {
			t.Errorf("%s for %s, %s for %s, %s", one.Subtotal, one.Cost, four.Subtotal, four.Cost, three.Cost)
		}
	})
}

func TestFromDraftToCorrection(t *testing.T) {
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		w := newWorld(t, db)
		draft := w.drafts(alice)["C1"]
		_, err := w.service.Do(as(alice), alice, draft.ID, statement.ActionIssue, "")
		refused(t, err, "statement.head_missing")
		w.head(alice)
		_, err = w.service.Do(as(alice), alice, draft.ID, statement.ActionIssue, "")
		refused(t, err, "statement.rules_changed")
		if got := w.drafts(alice); got["C1"].ID == draft.ID || len(got) != 2 {
			t.Fatal("the draft was not made anew")
		}
		if n, err := w.service.DoAll(as(alice), alice, month, statement.ActionIssue); err != nil || n != 2 {
			t.Fatal(n, err)
		}
		issued := w.all(alice, statement.StateIssued)
		first := issued["C1"]
		if first.Number != "ST202609-0001" || issued["C2"].Number != "ST202609-0002" {
			t.Errorf("%s %s", first.Number, issued["C2"].Number)
		}
		if _, err := w.service.Do(as(alice), alice, first.ID, statement.ActionSend, ""); err != nil || len(w.sent) != 1 {
			t.Fatal(err, w.sent)
		}
		w.rule(alice, statement.RuleInput{Base: statement.BaseBilled, Factor: "2"})
		kept, err := w.service.ByID(as(alice), alice, first.ID)
		if err != nil || kept.Code != first.Code || kept.RuleSeq != first.RuleSeq {
			t.Fatal("an issued statement follows the rules", err)
		}
		second, err := w.service.Correct(as(alice), alice, first.ID)
		if err != nil {
			t.Fatal(err)
		}
		if second, err = w.service.Do(as(alice), alice, second.ID, statement.ActionIssue, ""); err != nil || second.Number != "ST202609-0003" {
			t.Fatal(second.Number, err)
		}
		old, err := w.service.ByID(as(alice), alice, first.ID)
		if err != nil || old.State != statement.StateReplaced {
			t.Fatal(old.State, err)
		}
		mine := w.all(carl, "")
		if len(mine) != 1 || mine["C1"].ID != second.ID && mine["C1"].ID != first.ID {
			t.Fatalf("%+v", mine)
		}
		_, err = w.service.Do(as(alice), alice, second.ID, statement.ActionWithdraw, " ")
		refused(t, err, "flow.reason_missing")
		if _, err := w.service.Do(as(alice), alice, second.ID, statement.ActionWithdraw, "金额有误"); err != nil {
			t.Fatal(err)
		}
		_, _, err = w.service.PDF(as(carl), carl, second.ID, "zh-CN")
		refused(t, err, "statement.not_live")
	})
}

// TestNobodyElseSeesCosts: neither the customer, nor another partner, nor a manager, nor through the database.
func TestNobodyElseSeesCosts(t *testing.T) {
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		w := newWorld(t, db)
		w.head(alice)
		draft := w.drafts(alice)["C1"]
		_, err := w.service.ByID(as(carl), carl, draft.ID)
		refused(t, err, "statement.unknown")
		if _, err := w.service.DoAll(as(alice), alice, month, statement.ActionIssue); err != nil {
			t.Fatal(err)
		}
		for _, ctx := range []context.Context{as(carl), context.Background()} {
			s, err := w.service.ByID(ctx, carl, draft.ID)
			if err != nil || s.Cost != 0 || !s.Source.IsZero() || s.Total != draft.Total || len(s.Lines) != len(draft.Lines) {
				t.Fatalf("%+v %v", s, err)
			}
			for _, l := range s.Lines {
				if l.Costing != nil {
					t.Fatalf("line %d tells its cost", l.No)
				}
			}
		}
		other := scope.Customer("c2", "otto", "otto", items)
		manager := alice.Limited([]scope.Window{{CustomerID: "c1"}})
		for _, sc := range []scope.Scope{other, dora, rosa} {
			_, err := w.service.ByID(as(sc), sc, draft.ID)
			refused(t, err, "statement.unknown")
			_, _, err = w.service.PDF(as(sc), sc, draft.ID, "en")
			refused(t, err, "statement.unknown")
		}
		_, err = w.service.ByID(as(manager), manager, draft.ID)
		refused(t, err, "statement.not_own")
		list, err := statementsOf(w, manager)
		if err == nil || len(list) > 0 {
			t.Fatal("a manager lists statements")
		}
		_, err = w.service.Rules(as(carl), carl)
		if err == nil {
			t.Fatal("a customer reads the rules")
		}
	})
}

func statementsOf(w *world, sc scope.Scope) ([]statement.Statement, error) {
	return w.service.List(as(sc), sc, statement.Filter{})
}

// TestIssuedStatementsAreSealed asks the database itself.
func TestIssuedStatementsAreSealed(t *testing.T) {
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		w := newWorld(t, db)
		w.drafts(alice)
		for _, text := range []string{"UPDATE statement SET total_e8 = total_e8 + 1", "UPDATE statement SET code = 'X'", "DELETE FROM statement", "UPDATE statement_line SET amount_e8 = 0",
			"DELETE FROM statement_line"} {
			if _, err := db.Writer().ExecContext(context.Background(), text); err == nil || !strings.Contains(err.Error(), "sealed") {
				t.Errorf("%s: %v", text, err)
			}
		}
	})
}

func TestRulesHaveVersions(t *testing.T) {
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		w := newWorld(t, db)
		first := w.rule(alice, statement.RuleInput{Base: statement.BaseBilled, Factor: "1.1"})
		if same := w.rule(alice, statement.RuleInput{Base: statement.BaseBilled, Factor: "1.10"}); same.ID != first.ID {
			t.Error("the same content is a new rule")
		}
		_, err := w.service.SaveRule(as(alice), alice, statement.RuleInput{Base: statement.BaseCost, Factor: "1.2", From: "2026-09-10"})
		refused(t, err, "statement.rule_tie")
		second := w.rule(alice, statement.RuleInput{Number: first.Number, Base: statement.BaseBilled, Factor: "1.2"})
		if second.Number != first.Number || second.Version != 2 {
			t.Errorf("%+v", second)
		}
		if err := w.service.EndRule(as(alice), alice, first.Number); err != nil {
			t.Fatal(err)
		}
		refused(t, w.service.EndRule(as(alice), alice, first.Number), "statement.rule_unknown")
		refused(t, w.service.EndRule(as(rosa), rosa, first.Number), "statement.rule_unknown")
		_, err = w.service.SaveRule(as(alice), alice, statement.RuleInput{Customer: "C3", Base: statement.BaseBilled, Factor: "1"})
		refused(t, err, "statement.customer_unknown")
		for _, in := range []statement.RuleInput{{Base: "list", Factor: "1"}, {Base: statement.BaseCost, Factor: "-1"}, {Base: statement.BaseCost, Factor: "1001"}, {Base: statement.BaseCost, Factor: "x"},
			{Base: statement.BaseCost, Factor: "1", From: "2026-09-10", To: "2026-09-10"}, {Base: statement.BaseCost, Factor: "1", Product: "a\nb"}} {
			if _, err := w.service.SaveRule(as(alice), alice, in); !fault.Is(err, fault.KindInvalid) {
				t.Errorf("%+v: %v", in, err)
			}
		}
	})
}

func TestLogos(t *testing.T) {
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		w := newWorld(t, db)
		var picture bytes.Buffer
		if err := png.Encode(&picture, image.NewNRGBA(image.Rect(0, 0, 40, 20))); err != nil {
			t.Fatal(err)
		}
		h, err := w.service.SaveHead(as(alice), alice, statement.HeadInput{Name: "岚海", Logo: picture.Bytes()})
		if err != nil || h.LogoSHA == "" {
			t.Fatal(err)
		}
		if same, err := w.service.SaveHead(as(alice), alice, statement.HeadInput{Name: "岚海"}); err != nil || same.Version != h.Version {
			t.Errorf("%+v %v", same, err)
		}
		if body, err := w.service.Logo(as(alice), alice); err != nil || len(body) == 0 {
			t.Error(err)
		}
		_, err = w.service.Logo(as(rosa), rosa)
		refused(t, err, "statement.logo_unknown")
		bomb := bytes.Clone(picture.Bytes())
		copy(bomb[16:24], []byte{0, 1, 0, 0, 0, 1, 0, 0})
		for code, body := range map[string][]byte{"statement.logo_unreadable": []byte(`<svg xmlns="http://www.w3.org/2000/svg"><script>alert(1)</script></svg>`), "statement.logo_too_large": make([]byte, statement.MaxLogo+1)} {
			_, err := w.service.SaveHead(as(alice), alice, statement.HeadInput{Name: "岚海", Logo: body})
			refused(t, err, code)
		}
		if _, err := w.service.SaveHead(as(alice), alice, statement.HeadInput{Name: "岚海", Logo: bomb}); !fault.Is(err, fault.KindInvalid) {
			t.Errorf("a picture of 65,536 pixels: %v", err)
		}
	})
}
