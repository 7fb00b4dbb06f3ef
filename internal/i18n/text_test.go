package i18n

import (
	"context"
	"math"
	"math/rand/v2"
	"net/http/httptest"
	"strings"
	"testing"
	"testing/fstest"
	"time"

	"huoban/internal/cycle"
	"huoban/internal/fault"
	"huoban/internal/money"
)

func TestChoose(t *testing.T) {
	cases := []struct {
		accept   string
		explicit []string
		want     Lang
	}{
		{"", nil, ZhCN},
		{"en-GB,en;q=0.9", nil, En},
		{"fr-FR,de;q=0.5", nil, ZhCN},
		{"zh-TW,en;q=0.3", nil, ZhCN},
		{"en-US", []string{"", "zh-CN"}, ZhCN},
		{"zh-CN", []string{"xx", "en"}, En},
		{"not a header;;;", nil, ZhCN},
	}
	for _, c := range cases {
		if got := Choose(c.accept, c.explicit...); got != c.want {
			t.Errorf("Choose(%q, %v) = %s, want %s", c.accept, c.explicit, got, c.want)
		}
	}
}

func TestFromRequestPrefersThePersonToTheCookie(t *testing.T) {
	r := httptest.NewRequest("GET", "/", nil)
	r.Header.Set("Accept-Language", "zh-CN")
	r.Header.Set("Cookie", CookieName+"=en")
	if got := FromRequest(r, ""); got != En {
		t.Errorf("cookie: %s", got)
	}
	if got := FromRequest(r, "zh-CN"); got != ZhCN {
		t.Errorf("person: %s", got)
	}
}

func sample(t *testing.T) *book {
	t.Helper()
	b, err := load(fstest.MapFS{
		"catalog/a.zh-CN.json": {Data: []byte(`{"a.rows": "共 {{.Count}} 行", "a.from": "当前状态为「{{.State}}」", "d.state.open": "已开账"}`)},
		"catalog/a.en.json": {Data: []byte(`{"a.rows": {"one": "{{.Count}} row", "other": "{{.Count}} rows"},
			"a.from": "The state is {{.State}}", "d.state.open": "open"}`)},
	})
	if err != nil {
		t.Fatal(err)
	}
	return b
}

func TestSayPluralsNumbersAndLabels(t *testing.T) {
	b := sample(t)
	cases := []struct {
		l    Lang
		key  string
		args map[string]any
		want string
	}{
		{ZhCN, "a.rows", map[string]any{"Count": 1670}, "共 1,670 行"},
		{En, "a.rows", map[string]any{"Count": 1}, "1 row"},
		{En, "a.rows", map[string]any{"Count": int64(12085)}, "12,085 rows"},
		{ZhCN, "a.from", map[string]any{"State": "d.state.open"}, "当前状态为「已开账」"},
		{En, "a.from", map[string]any{"State": "d.state.open"}, "The state is open"},
		{En, "a.none", nil, "a.none"},
	}
	for _, c := range cases {
		if got := b.say(c.l, c.key, c.args); got != c.want {
			t.Errorf("say(%s, %s) = %q, want %q", c.l, c.key, got, c.want)
		}
	}
}

func TestFaultText(t *testing.T) {
	en := With(context.Background(), En)
	got := FaultText(en, fault.Invalid("money.malformed", fault.Args{"value": "1,2x"}))
	if !strings.Contains(got, "1,2x") {
		t.Errorf("the value is missing: %q", got)
	}
	if got := FaultText(en, fault.Invalid("no.such_code", nil)); !strings.Contains(got, "no.such_code") {
		t.Errorf("an unknown code is not named: %q", got)
	}
	for _, l := range Langs {
		none := FaultText(With(context.Background(), l), fault.Conflict("flow.not_from_state", fault.Args{"state": "a", "action": "b", "legal": []string(nil)}))
		some := FaultText(With(context.Background(), l), fault.Conflict("flow.not_from_state", fault.Args{"state": "a", "action": "b", "legal": []string{"c"}}))
		if strings.HasSuffix(strings.TrimSpace(none), "：") || strings.HasSuffix(strings.TrimSpace(none), ":") || !strings.HasPrefix(some, none) || !strings.HasSuffix(some, "c") {
			t.Errorf("where nothing is possible: %q, where something is: %q", none, some)
		}
	}
	reasons := FaultReasons(en, fault.Refused("no.such_code", []*fault.Error{
		fault.Invalid("cycle.malformed", fault.Args{"value": "2026-13"}), fault.Invalid("money.malformed", fault.Args{"value": "x"}),
	}))
	if len(reasons) != 2 || !strings.Contains(reasons[0], "2026-13") {
		t.Errorf("reasons = %q", reasons)
	}
}

func TestMoneyForms(t *testing.T) {
	a := func(s string) money.Amount {
		v, err := money.MustExact(s).Amount()
		if err != nil {
			t.Fatal(err)
		}
		return v
	}
	cases := []struct{ got, want string }{
		{Money(a("879704.97432748"), "CNY"), "¥879,704.97"},
		{Money(a("-18669.825"), "CNY"), "−¥18,669.83"},
		{Money(a("-0.00373048"), "CNY"), "¥0.00"},
		{Money(a("1234.5678"), "KWD"), "KWD\u00a01,234.568"},
		{Money(a("20.28"), "USD"), "$20.28"},
		{MoneySigned(a("72171.126"), "CNY"), "+¥72,171.13"},
		{MoneySigned(0, "CNY"), "¥0.00"},
		{MoneyPlain(a("1000"), "CNY"), "1,000.00"},
		{MoneyPlainSigned(a("-376.36554456"), "CNY"), "−376.37"},
		{Money8(a("-0.00373048"), "CNY"), "−¥0.00373048"},
		{Exact(money.MustExact("1598.896509651731")), "1,598.896509651731"},
		{ExactMoney(money.MustExact("-2.3417"), "USD"), "−$2.3417"},
		{ExactMoney(money.MustExact("-380.5"), "CNY"), "−¥380.50"},
		{ExactMoney(money.MustExact("1200"), "CNY"), "¥1,200.00"},
		{Percent(a("30.4"), a("100")), "30.4%"},
		{Percent(a("-1"), a("3")), "−33.3%"},
		{Percent(a("1"), 0), Nothing},
		{Count(-1234567), "−1,234,567"},
		{Bytes(412_000_000), "412.0 MB"},
		{Bytes(12), "12 B"},
	}
	for _, c := range cases {
		if c.got != c.want {
			t.Errorf("got %q, want %q", c.got, c.want)
		}
	}
	for _, v := range []string{"879704.97432748", "-0.00373048", "0", "-18669.82"} {
		head, tail := MoneyParts(a(v), "CNY")
		if head+tail != Money8(a(v), "CNY") || len(tail) != 6 {
			t.Errorf("MoneyParts(%s) = %q %q", v, head, tail)
		}
	}
}

func TestTimesStandInBeijingTime(t *testing.T) {
	at := time.Date(2026, 11, 4, 16, 30, 0, 0, time.UTC)
	en, zh := With(context.Background(), En), context.Background()
	cases := []struct{ got, want string }{
		{DateTime(at), "2026-11-05 00:30"}, {Date(at), "2026-11-05"}, {DateTimeIn(at, time.UTC), "2026-11-04 16:30"},
		{Moment(zh, at), "11-05 00:30"}, {Moment(en, at), "5 Nov 00:30"}, {DateTime(time.Time{}), Nothing},
		{MonthName(zh, 10), "10 月"}, {MonthName(en, 10), "Oct"},
	}
	for _, c := range cases {
		if c.got != c.want {
			t.Errorf("got %q, want %q", c.got, c.want)
		}
	}
}

// Amounts are written without big numbers as with them.
func TestFixed(t *testing.T) {
	for range 100_000 {
		a := money.Amount(rand.Int64N(int64(math.Pow10(1+rand.IntN(18)))) - rand.Int64N(1e6))
		for _, n := range []int{0, 2, 3, 8} {
			want := a.Exact().Decimal().StringFixed(int32(n))
			if strings.Trim(want, "-0.") == "" {
				want = strings.TrimPrefix(want, "-")
			}
			if got := string(appendFixed(nil, a, n)); got != group(want) {
				t.Fatalf("%d with %d decimals: %s, want %s", a, n, got, group(want))
			}
		}
	}
}

// Times of tables are written without the library as with it.
func TestDateTimeByHand(t *testing.T) {
	for range 50_000 {
		at := time.Unix(rand.Int64N(1<<38)-1<<36, rand.Int64N(1e9)).UTC()
		if got, want := DateTime(at), at.In(cycle.Zone).Format("2006-01-02 15:04"); got != want {
			t.Fatalf("%s, want %s", got, want)
		}
	}
}
