package price

import (
	"fmt"
	"math/rand/v2"
	"testing"

	"pgregory.net/rapid"

	"huoban/internal/money"
	"huoban/internal/usage"
)

func rule(n int64, t Type, d Dims, factor string, from, to Date) Rule {
	return Rule{ID: fmt.Sprint("r", n), VendorID: "v", Number: n, Version: 1, State: StateActive, Seq: 1, Dims: d, Type: t,
		Base: BaseBilled, Factor: money.MustExact(factor), ValidFrom: from, ValidTo: to}
}

var query = Query{PartnerID: "p", CustomerID: "c", Provider: "AWS", Product: "Compute", SKU: "SKU-1", Mode: usage.ModeOnDemand,
	Region: "eu-west-1", On: "2024-09-15"}

func TestResolve(t *testing.T) {
	anyone := Dims{}
	for _, c := range []struct {
		name  string
		rules []Rule
		query func(*Query)
		want  int64
	}{
		{"no rule", nil, nil, 0},
		{"a rule for everything", []Rule{rule(1, TypeNormal, anyone, "0.9", "", "")}, nil, 1},
		{"special before more dimensions", []Rule{rule(1, TypeNormal, Dims{PartnerID: "p", CustomerID: "c", Provider: "aws"}, "0.9", "", ""),
			rule(2, TypeSpecial, anyone, "0.5", "", "")}, nil, 2},
		{"no discount before promotion", []Rule{rule(1, TypePromotion, Dims{PartnerID: "p"}, "0.9", "", ""),
			rule(2, TypeNoDiscount, anyone, "1", "", "")}, nil, 2},
		{"promotion before normal", []Rule{rule(1, TypeNormal, Dims{PartnerID: "p"}, "0.9", "", ""),
			rule(2, TypePromotion, anyone, "0.8", "", "")}, nil, 2},
		{"the most specific", []Rule{rule(1, TypeNormal, anyone, "0.9", "", ""), rule(2, TypeNormal, Dims{Region: "EU-West-1"}, "0.8", "", ""),
			rule(3, TypeNormal, Dims{Provider: "aws", Product: "compute"}, "0.7", "", "")}, nil, 3},
		{"SKU before service", []Rule{rule(1, TypeNormal, Dims{Product: "compute"}, "0.9", "", ""),
			rule(2, TypeNormal, Dims{Product: "sku-1"}, "0.8", "", "")}, nil, 2},
		{"another's rule", []Rule{rule(1, TypeSpecial, Dims{PartnerID: "q"}, "0.1", "", "")}, nil, 0},
		{"a reseller takes no general rule", []Rule{rule(1, TypeSpecial, anyone, "0.1", "", ""), rule(2, TypeNormal, Dims{PartnerID: "p"}, "0.95", "", "")},
			func(q *Query) { q.Reseller = true }, 2},
		{"first day counts", []Rule{rule(1, TypeNormal, anyone, "0.9", "2024-09-15", "")}, nil, 1},
		{"last day does not", []Rule{rule(1, TypeNormal, anyone, "0.9", "", "2024-09-15")}, nil, 0},
		{"the day before the end does", []Rule{rule(1, TypeNormal, anyone, "0.9", "", "2024-09-16")}, nil, 1},
		{"another mode", []Rule{rule(1, TypeNormal, Dims{Mode: usage.ModeReserved}, "0.9", "", "")}, nil, 0},
	} {
		q := query
		if c.query != nil {
			c.query(&q)
		}
		if got := NewBook("v", 1, c.rules).Resolve(q); got.Number() != c.want {
			t.Errorf("%s: rule %d, want %d", c.name, got.Number(), c.want)
		}
	}
}

func TestBookStates(t *testing.T) {
	old, now := rule(1, TypeNormal, Dims{}, "0.9", "", ""), rule(1, TypeNormal, Dims{}, "0.8", "", "")
	old.EndedSeq, now.Seq, now.Version = 3, 3, 2
	draft := rule(2, TypeSpecial, Dims{}, "0.1", "", "")
	draft.State, draft.Seq = StateDraft, 0
	all := []Rule{old, now, draft}
	for seq, want := range map[int64]string{0: "1", 1: "0.9", 2: "0.9", 3: "0.8", 9: "0.8"} {
		if got := NewBook("v", seq, all).Resolve(query); got.Factor.String() != want {
			t.Errorf("state %d: factor %s, want %s", seq, got.Factor, want)
		}
	}
	if got := NewBook("v", 3, all).Overlaid([]Rule{draft}).Resolve(query); got.Number() != 2 {
		t.Errorf("a draft laid over the book is not chosen: %+v", got)
	}
	if NewBook("other", 3, all).Resolve(query).Rule != nil {
		t.Error("another vendor's rules stand in the book")
	}
}

func TestFallbackToBilled(t *testing.T) {
	l := &usage.Line{Billed: money.MustExact("7")}
	amount, used, fallback := Chosen{Base: BaseList, Factor: one}.Column(l)
	if amount.String() != "7" || used != BaseBilled || !fallback {
		t.Errorf("list absent: %s of %s, fallback %v", amount, used, fallback)
	}
	list := money.MustExact("9")
	l.List = &list
	if amount, used, fallback = (Chosen{Base: BaseList, Factor: one}).Column(l); amount.String() != "9" || used != BaseList || fallback {
		t.Errorf("list present: %s of %s, fallback %v", amount, used, fallback)
	}
}

func TestTies(t *testing.T) {
	for _, c := range []struct {
		name string
		a, b Rule
		want bool
	}{
		{"same dimension, other values", rule(1, TypeNormal, Dims{PartnerID: "p"}, "1", "", ""), rule(2, TypeNormal, Dims{PartnerID: "q"}, "1", "", ""), false},
		{"other dimensions", rule(1, TypeNormal, Dims{PartnerID: "p"}, "1", "", ""), rule(2, TypeNormal, Dims{Region: "r"}, "1", "", ""), true},
		{"other type", rule(1, TypeNormal, Dims{PartnerID: "p"}, "1", "", ""), rule(2, TypeSpecial, Dims{Region: "r"}, "1", "", ""), false},
		{"more dimensions", rule(1, TypeNormal, Dims{PartnerID: "p"}, "1", "", ""), rule(2, TypeNormal, Dims{PartnerID: "p", Region: "r"}, "1", "", ""), false},
		{"one after the other", rule(1, TypeNormal, Dims{}, "1", "", "2024-01-01"), rule(2, TypeNormal, Dims{}, "1", "2024-01-01", ""), false},
		{"a day in common", rule(1, TypeNormal, Dims{}, "1", "", "2024-01-02"), rule(2, TypeNormal, Dims{}, "1", "2024-01-01", ""), true},
		{"case alone is no difference", rule(1, TypeNormal, Dims{Provider: "AWS"}, "1", "2024-01-01", ""), rule(2, TypeNormal, Dims{Provider: "aws"}, "1", "", ""), true},
		{"two products", rule(1, TypeNormal, Dims{Product: "a"}, "1", "", ""), rule(2, TypeNormal, Dims{Product: "b"}, "1", "", ""), false},
	} {
		if got := Ties(&c.a, &c.b); got != c.want || Ties(&c.b, &c.a) != c.want {
			t.Errorf("%s: tie %v, want %v", c.name, got, c.want)
		}
	}
	general, reseller := rule(1, TypeNormal, Dims{Region: "r"}, "1", "", ""), rule(2, TypeNormal, Dims{PartnerID: "p"}, "1", "", "")
	reseller.ForReseller = true
	if Ties(&general, &reseller) {
		t.Error("a general rule never meets a reseller's")
	}
}

// TestNoTieMeansOneWinner: among rules without ties the answer never depends on their order, and no
// two that apply are equal in all that decides.
func TestNoTieMeansOneWinner(t *testing.T) {
	pick := func(t *rapid.T, label string, values ...string) string {
		return rapid.SampledFrom(values).Draw(t, label)
	}
	rapid.Check(t, func(t *rapid.T) {
		var rules []Rule
		for n := range rapid.IntRange(1, 12).Draw(t, "n") {
			r := rule(int64(n+1), Type(pick(t, "type", "normal", "promotion", "special")), Dims{
				PartnerID: pick(t, "partner", "", "p", "q"), CustomerID: pick(t, "customer", "", "c", "d"), Provider: pick(t, "provider", "", "aws"),
				Product: pick(t, "product", "", "compute", "sku-1", "disk"), Region: pick(t, "region", "", "eu-west-1")}, "0.9",
				Date(pick(t, "from", "", "2024-09-01")), Date(pick(t, "to", "", "2024-10-01")))
			free := true
			for i := range rules {
				free = free && !Ties(&rules[i], &r) && rules[i].identity() != r.identity()
			}
			if free {
				rules = append(rules, r)
			}
		}
		want := NewBook("v", 1, rules).Resolve(query)
		for range 4 {
			shuffled := append([]Rule(nil), rules...)
			rand.Shuffle(len(shuffled), func(i, j int) { shuffled[i], shuffled[j] = shuffled[j], shuffled[i] })
			if got := NewBook("v", 1, shuffled).Resolve(query); got.Number() != want.Number() {
				t.Fatalf("rule %d or %d, depending on order", got.Number(), want.Number())
			}
		}
		b := NewBook("v", 1, rules)
		for i := range rules {
			r := &rules[i]
			if r.Number != want.Number() && b.applies(r, query) == "" && !beats(want.Rule, r, query) {
				t.Fatalf("rule %d does not beat %d", want.Number(), r.Number)
			}
			if r.Number != want.Number() && b.applies(r, query) == "" && want.Rule.Type == r.Type && want.Rule.Count() == r.Count() &&
				want.Rule.bySKU(query) == r.bySKU(query) {
				t.Fatalf("rules %d and %d are equal", want.Number(), r.Number)
			}
		}
	})
}

func TestExplain(t *testing.T) {
	rules := []Rule{rule(1, TypeNormal, Dims{}, "0.9", "", ""), rule(2, TypeSpecial, Dims{PartnerID: "p"}, "0.5", "", ""),
		rule(3, TypeSpecial, Dims{}, "0.6", "", ""), rule(4, TypeSpecial, Dims{Region: "mars"}, "0.4", "", ""),
		rule(5, TypeSpecial, Dims{PartnerID: "p", Product: "compute"}, "0.3", "", "2024-09-01"), rule(6, TypeSpecial, Dims{PartnerID: "q"}, "0.2", "", "")}
	chosen, runners := NewBook("v", 1, rules).Explain(query)
	got := ""
	for _, r := range runners {
		got += fmt.Sprintf("%d:%s ", r.Rule.Number, r.Reason)
	}
	if want := "1:type 3:specific 4:region 5:date "; chosen.Number() != 2 || got != want {
		t.Errorf("chosen %d, others %q, want 2, %q", chosen.Number(), got, want)
	}
	q := query
	q.Reseller = true
	if _, runners = NewBook("v", 1, rules).Explain(q); len(runners) != 1 || runners[0].Rule.Number != 5 {
		t.Errorf("a reseller is shown prices that are not its own: %+v", runners)
	}
}
