package topup

import (
	"os"
	"path/filepath"
	"testing"

	"pgregory.net/rapid"

	"huoban/internal/fault"
	"huoban/internal/flow/flowtest"
	"huoban/internal/money"
	"huoban/internal/scope"
)

func TestMachines(t *testing.T) {
	flowtest.All(t, Flow, "top_up", "state")
	flowtest.All(t, RemittanceFlow, "remittance", "state")
	flowtest.All(t, ClaimFlow, "remittance_claim", "state")
	partner, other := scope.Partner("p", "1", "lin", byPartner, nil), scope.Partner("q", "1", "mei", byPartner, nil)
	vendor, stranger := scope.Vendor("v", "1", "chen", byVendor), scope.Vendor("w", "1", "wu", byVendor)
	facts := Facts{PartnerID: "p", VendorID: "v"}
	partners := flowtest.Examples[Facts]{Pass: flowtest.Example[Facts]{Facts: facts, Who: partner}, Refuse: flowtest.Example[Facts]{Facts: facts, Who: other}}
	vendors := flowtest.Examples[Facts]{Pass: flowtest.Example[Facts]{Facts: facts, Who: vendor}, Refuse: flowtest.Example[Facts]{Facts: facts, Who: stranger}}
	flowtest.Guards(t, Flow, map[string]flowtest.Examples[Facts]{"partners_own": partners})
	strange := facts
	strange.Strange = true
	agreed := flowtest.Examples[Facts]{Pass: flowtest.Example[Facts]{Facts: facts, Who: vendor}, Refuse: flowtest.Example[Facts]{Facts: strange, Who: vendor}}
	one, two := facts, facts
	two.Needed, two.First = true, "chen"
	flowtest.Guards(t, ClaimFlow, map[string]flowtest.Examples[Facts]{"partners_own": partners, "vendors_own": vendors, "payer_agreed": agreed,
		"one_person":    {Pass: flowtest.Example[Facts]{Facts: one, Who: vendor}, Refuse: flowtest.Example[Facts]{Facts: two, Who: vendor}},
		"two_persons":   {Pass: flowtest.Example[Facts]{Facts: two, Who: vendor}, Refuse: flowtest.Example[Facts]{Facts: one, Who: vendor}},
		"second_person": {Pass: flowtest.Example[Facts]{Facts: two, Who: scope.Vendor("v", "1", "ma", byVendor)}, Refuse: flowtest.Example[Facts]{Facts: two, Who: vendor}}})
}

// TestAccountNumber: sixteen digits of which the last checks the others: a wrong digit, or two that changed places,
// is no number.
func TestAccountNumber(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		n := accountNumber(rapid.String().Draw(rt, "vendor"), rapid.String().Draw(rt, "partner"), rapid.IntRange(0, 30).Draw(rt, "turn"))
		if len(n) != 16 || luhn(n[:15]) != int(n[15]-'0') {
			rt.Fatal(n)
		}
		i := rapid.IntRange(0, 14).Draw(rt, "place")
		wrong := []byte(n)
		wrong[i] = '0' + (wrong[i]-'0'+byte(rapid.IntRange(1, 9).Draw(rt, "by")))%10
		if luhn(string(wrong[:15])) == int(wrong[15]-'0') {
			rt.Fatalf("%s passes for %s", wrong, n)
		}
	})
	if accountNumber("v", "p", 0) == accountNumber("v", "p", 1) || accountNumber("v", "p", 0) == accountNumber("v", "q", 0) {
		t.Error("two partners have one number")
	}
}

func TestMasked(t *testing.T) {
	for number, want := range map[string]string{"6222021234567890": "**** 7890", "123": "****", "": "****"} {
		if got := Masked(number); got != want {
			t.Errorf("%q shows %q", number, got)
		}
	}
}

func TestReadStatement(t *testing.T) {
	read := func(text string) ([]BankLine, error) {
		path := filepath.Join(t.TempDir(), "bank.csv")
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		return ReadStatement(path)
	}
	head := "交易流水号,交易日期,币种,贷方金额,对方户名,对方账号,收款账号,摘要\n"
	got, err := read(head + "B1,20261103,人民币,\"12,000.50\",广筑数字,6222 0212 3456 7890,8866000000000001,货款\nB2,2026-11-04,CNY,,付出,1,2,\nB3,2026/11/4,USD,9,启衡,6222-0001,,\n")
	if err != nil || len(got) != 2 {
		t.Fatal(len(got), err)
	}
	first := got[0]
	if first.Ref != "B1" || first.PaidOn != "2026-11-03" || first.Currency != "CNY" || first.Amount != 12000*money.Unit+money.Unit/2 || first.PayerAccount != "6222021234567890" || first.AccountNo != "8866000000000001" {
		t.Errorf("%+v", first)
	}
	if got[1].Currency != "USD" || got[1].PaidOn != "2026-11-04" {
		t.Errorf("%+v", got[1])
	}
	for text, code := range map[string]string{
		"交易日期,贷方金额,对方户名,对方账号\n2026-11-04,1,a,b\n": "topup.column_missing",
		head + "B1,2026-11-03,CNY,abc,a,1,2,\n":   "topup.amount_unreadable",
		head + "B1,2026-13-03,CNY,1,a,1,2,\n":     "topup.line_malformed",
		head + "B1,2026-11-03,CNY,1.005,a,1,2,\n": "topup.line_malformed",
		head + ",2026-11-03,CNY,1,a,1,2,\n":       "topup.line_malformed",
		head + "B1,2026-11-03,CNY,1,,1,2,\n":      "topup.line_malformed",
	} {
		if _, err := read(text); !fault.HasCode(err, code) {
			t.Errorf("%q: %v, want %s", text, err, code)
		}
	}
}
