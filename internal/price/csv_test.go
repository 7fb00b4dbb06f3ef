package price

import (
	"errors"
	"strings"
	"testing"

	"huoban/internal/fault"
	"huoban/internal/usage"
)

func TestReadCSV(t *testing.T) {
	rows, err := ReadCSV(strings.NewReader("\xef\xbb\xbffactor, Partner ,type,charging_mode,valid_from,valid_to,product\n" +
		"1.8E-2,P1,促销,包年包月,2024-09,2024-12-31,\"a, b\"\n0,,,,,,\n"))
	if err != nil || len(rows) != 2 {
		t.Fatal(len(rows), err)
	}
	r := rows[0]
	if r.Line != 2 || r.Partner != "P1" || r.Type != TypePromotion || r.Mode != usage.ModeSubscription || r.From != "2024-09-01" || r.To != "2024-12-31" ||
		r.Factor.String() != "0.018" || r.Product != "a, b" || r.Base != BaseBilled {
		t.Errorf("%+v", r)
	}
	if rows[1].Line != 3 || rows[1].Type != TypeNormal || !rows[1].Factor.IsZero() {
		t.Errorf("%+v", rows[1])
	}
}

func TestReadCSVRefusesBrokenText(t *testing.T) {
	for _, bad := range []string{"a\x00b", "\xff", strings.Repeat("长", 257)} {
		if _, err := ReadCSV(strings.NewReader("product,factor\n" + bad + ",1\n")); !fault.HasCode(err, "price.text_malformed") {
			t.Errorf("%.20q: %v", bad, err)
		}
	}
}

func TestParseDate(t *testing.T) {
	for text, want := range map[string]Date{"": "", "2024-02": "2024-02-01", "2024-02-29": "2024-02-29", "2023-02-29": "!", "2024-2-1": "!", "2024-13": "!",
		"2024": "!", "1066-01-01": "!", "2024-02-29T00:00": "!", "今天": "!"} {
		got, err := ParseDate(text)
		if (err != nil) != (want == "!") || (err == nil && got != want) {
			t.Errorf("%q: %q, %v", text, got, err)
		}
	}
}

// FuzzReadCSV: whatever is read is a list of lawful rules or a refusal with a code.
func FuzzReadCSV(f *testing.F) {
	f.Add("partner,customer,provider,product,charging_mode,region,type,base,factor,valid_from,valid_to\nS,,,,,,普通,billed,0.85,,\n")
	f.Add("factor\n1e400\n")
	f.Add("factor,valid_to\n\"1\n")
	f.Fuzz(func(t *testing.T, file string) {
		rows, err := ReadCSV(strings.NewReader(file))
		var known *fault.Error
		if err != nil && !errors.As(err, &known) {
			t.Fatalf("an error without code: %v", err)
		}
		for _, r := range rows {
			probe := Rule{Type: r.Type, Factor: r.Factor, ValidFrom: r.From, ValidTo: r.To}
			if err == nil && (typeRank[r.Type] == 0 || r.Factor.Sign() < 0 || probe.fault() != nil) {
				t.Fatalf("an unlawful rule was read: %+v", r)
			}
		}
	})
}
