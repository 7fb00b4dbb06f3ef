package prospect

import (
	"testing"
	"time"

	"huoban/internal/customer"
	"huoban/internal/fault"
)

var actorTime = time.Date(2026, 10, 15, 6, 30, 0, 0, time.UTC)

// TestKeys: what is one customer however it is typed, and what is not.
func TestKeys(t *testing.T) {
	for _, c := range []struct{ a, b string }{{"+86 138-0013-8000", "13800138000"}, {"0086 13800138000", "１３８００１３８０００"}, {"(86)13800138000", "138 0013 8000"}} {
		if PhoneKey(c.a) != PhoneKey(c.b) {
			t.Errorf("%q and %q are one number: %q %q", c.a, c.b, PhoneKey(c.a), PhoneKey(c.b))
		}
	}
	if PhoneKey("+1 8613800138") == PhoneKey("13800138") {
		t.Error("a foreign number lost its country")
	}
	if NameKey("上海　澜池 Ｃｏ.") != NameKey("上海澜池co.") {
		t.Error("width, blanks and case tell names apart")
	}
	two := Details{Kind: KindPerson, Name: "王伟", Phone: "13800138000"}
	if KeysOf(two).Name != "" {
		t.Error("persons are compared by name")
	}
}

func TestValidate(t *testing.T) {
	good := Details{Kind: KindCompany, Name: "澜池科技", Phone: "13800138000", Email: "a@b.cn", Relation: customer.KindResale}
	if err := good.Validate(); err != nil {
		t.Fatal(err)
	}
	for code, change := range map[string]func(*Details){
		"prospect.kind_unknown":     func(d *Details) { d.Kind = "" },
		"prospect.name_malformed":   func(d *Details) { d.Name = " \n" },
		"prospect.phone_malformed":  func(d *Details) { d.Phone = "none" },
		"prospect.email_malformed":  func(d *Details) { d.Email = "a@b" },
		"prospect.relation_unknown": func(d *Details) { d.Relation = "" },
	} {
		d := good
		change(&d)
		if err := d.Tidy().Validate(); !fault.HasCode(err, code) {
			t.Errorf("want %s, got %v", code, err)
		}
	}
}
