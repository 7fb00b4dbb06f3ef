package attribution

import (
	"fmt"
	"testing"
	"time"

	"huoban/internal/source"
	"huoban/internal/usage"
)

func day(n int) time.Time {
	if n == 0 {
		return time.Time{}
	}
	return time.Date(2026, 1, n, 0, 0, 0, 0, time.UTC)
}

func spans(list ...any) []span {
	var out []span
	for i := 0; i < len(list); i += 3 {
		out = append(out, span{day(list[i].(int)), endOf(day(list[i+1].(int))), list[i+2].(string)})
	}
	return out
}

func TestOverlay(t *testing.T) {
	for _, c := range []struct{ old, fresh, want []span }{
		{nil, spans(0, 0, "a"), spans(0, 0, "a")},
		{spans(0, 0, "a"), spans(10, 0, "b"), spans(0, 10, "a", 10, 0, "b")},
		{spans(0, 0, "a"), spans(10, 20, "b"), spans(0, 10, "a", 10, 20, "b", 20, 0, "a")},
		{spans(0, 0, "a"), spans(10, 20, ""), spans(0, 10, "a", 20, 0, "a")},
		{spans(0, 10, "a", 10, 0, "b"), spans(5, 15, "a"), spans(0, 15, "a", 15, 0, "b")},
		{spans(0, 10, "a"), spans(10, 0, "a"), spans(0, 0, "a")},
	} {
		if got := overlay(c.old, c.fresh); fmt.Sprint(got) != fmt.Sprint(c.want) {
			t.Errorf("%v over %v: %v, want %v", c.fresh, c.old, got, c.want)
		}
	}
}

func TestResolveOrder(t *testing.T) {
	src := &source.Source{DefaultOrgID: "default", Loose: source.LooseSpread}
	r := NewResolver(src, []Rule{
		{ID: "1", Kind: KeyExplicit, Key: "ServiceName=VM", OrgID: "explicit", From: day(10)},
		{ID: "2", Kind: KeyPlain, Key: "s1", OrgID: "account"},
		{ID: "3", Kind: KeyPlain, Key: "k1", OrgID: "key", To: day(20)},
	})
	line := func(sub, key, service string, d int) *usage.Line {
		return &usage.Line{ChargeStart: day(d), Account: usage.Account{SubAccount: sub, SourceKey: key}, Product: usage.Product{Service: service}}
	}
	for _, c := range []struct {
		l          *usage.Line
		want, rule string
	}{
		{line("s1", "k1", "VM", 10), "explicit", "1"},
		{line("s1", "k1", "VM", 9), "account", "2"},
		{line("s9", "k1", "DB", 9), "key", "3"},
		{line("s9", "k1", "DB", 20), "default", ""},
		{line("", "", "DB", 9), usage.CustomerSpread, ""},
		{line("", "k9", "DB", 9), "default", ""},
	} {
		if got, rule := r.Resolve(c.l); got != c.want || rule != c.rule {
			t.Errorf("%+v: %s by %s, want %s by %s", c.l.Account, got, rule, c.want, c.rule)
		}
	}
}
