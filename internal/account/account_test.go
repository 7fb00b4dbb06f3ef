package account

import (
	"context"
	"slices"
	"strings"
	"testing"
	"time"

	"huoban/internal/fault"
	"huoban/internal/scope"
)

func TestCheckPassword(t *testing.T) {
	for _, c := range []struct{ password, login, code string }{
		{"correct horse battery staple", "anna", ""},
		{"Str0ng-Passw0rd!", "anna", ""},
		{"七个汉字也算字符长", "anna", ""},
		{"tiger-93-lamp", "anna", ""},
		{"s7Kd!29xw", "anna", ""},
		{"short", "anna", "account.password_short"},
		{"七个汉字不够长", "anna", "account.password_short"},
		{strings.Repeat("ab1!", 33), "anna", "account.password_long"},
		{"password", "anna", "account.password_weak"},
		{"Passw0rd!", "anna", "account.password_weak"},
		{"P@ssw0rd2024", "anna", "account.password_weak"},
		{"Admin@123", "anna", "account.password_weak"},
		{"12345678", "anna", "account.password_weak"},
		{"87654321", "anna", "account.password_weak"},
		{"qwertyuiop", "anna", "account.password_weak"},
		{"aaaaaaaaaa", "anna", "account.password_weak"},
		{"abababab", "anna", "account.password_weak"},
		{"1234!@#$", "anna", "account.password_weak"},
		{"woaini1314", "anna", "account.password_weak"},
		{"Huawei@2026", "anna", "account.password_weak"},
		{"iloveyou!!", "anna", "account.password_weak"},
		{"1qaz2wsx", "anna", "account.password_weak"},
		{"zhang.wei1", "zhang.wei", "account.password_like_login"},
		{"ZHANG.WEI2026", "zhang.wei", "account.password_like_login"},
		{"bad\xff\xfebytes", "anna", "account.password_weak"},
	} {
		err := CheckPassword(c.password, c.login)
		if c.code == "" && err != nil || c.code != "" && !fault.HasCode(err, c.code) {
			t.Errorf("%q for %s: %v, want %q", c.password, c.login, err, c.code)
		}
	}
}

func TestCheckRoles(t *testing.T) {
	known := append(Presets(scope.SidePartner), Role{Code: "night_shift", Side: scope.SidePartner}, Role{Code: "reader", Side: scope.SidePartner})
	for _, c := range []struct{ roles, code string }{
		{"admin", ""}, {"manager", ""}, {"manager finance", ""}, {"manager finance night_shift", ""}, {"finance finance", ""},
		{"", "account.role_count"}, {"manager finance night_shift reader", "account.role_count"},
		{"admin finance", "account.admin_combined"}, {"manager supervisor", "account.manager_and_supervisor"},
		{"operations", "account.role_unknown"}, {"boss", "account.role_unknown"},
	} {
		err := CheckRoles(strings.Fields(c.roles), known)
		if c.code == "" && err != nil || c.code != "" && !fault.HasCode(err, c.code) {
			t.Errorf("%q: %v, want %q", c.roles, err, c.code)
		}
	}
}

func TestPresets(t *testing.T) {
	for _, side := range []scope.Side{scope.SideVendor, scope.SidePartner, scope.SideCustomer} {
		allowed := scope.Items(side)
		for _, r := range Presets(side) {
			for _, i := range r.Items {
				if !slices.Contains(allowed, i) {
					t.Errorf("%s of %s carries %s, which that side has not", r.Code, side, i)
				}
			}
			if !slices.Contains(r.Items, scope.ItemHomeAccount) {
				t.Errorf("%s of %s lacks the default items", r.Code, side)
			}
		}
	}
	bills := []scope.Item{scope.ItemBillView, scope.ItemBillExport, scope.ItemBillExplain}
	for _, r := range Presets(scope.SidePartner) {
		has := slices.ContainsFunc(r.Items, func(i scope.Item) bool { return slices.Contains(bills, i) })
		if (r.Code == RoleManager || r.Code == RoleSupervisor) == has {
			t.Errorf("%s has partner bill permission: %v", r.Code, has)
		}
	}
	for _, p := range scope.Catalogue(scope.SidePartner) {
		if strings.HasPrefix(string(p.Item), "BPC_ITEM_OPERATE_") {
			t.Errorf("%s is open to partners", p.Item)
		}
	}
}

func TestNarrowed(t *testing.T) {
	for _, c := range []struct {
		side                scope.Side
		roles               string
		manager, supervisor bool
	}{
		{scope.SidePartner, "manager", true, false}, {scope.SidePartner, "supervisor", false, true},
		{scope.SidePartner, "finance manager", false, false}, {scope.SidePartner, "admin", false, false},
		{scope.SideVendor, "manager", false, false}, {scope.SidePartner, "manager night_shift", false, false},
	} {
		m, s := narrowed(c.side, strings.Fields(c.roles))
		if m != c.manager || s != c.supervisor {
			t.Errorf("%s %q: %v %v", c.side, c.roles, m, s)
		}
	}
}

func TestThrottleSteps(t *testing.T) {
	now := time.Date(2026, 11, 21, 0, 0, 0, 0, time.UTC)
	p := policies[throttleLogin]
	var th Throttle
	locks := map[int64]time.Duration{4: 0, 5: time.Minute, 7: time.Minute, 8: 5 * time.Minute, 12: 15 * time.Minute, 20: time.Hour, 30: time.Hour}
	for n := int64(1); n <= 30; n++ {
		th = p.after(th, now)
		if want, ok := locks[n]; ok && want > 0 && !th.LockedUntil.Equal(now.Add(want)) {
			t.Errorf("after %d failures locked until %s, want %s", n, th.LockedUntil, now.Add(want))
		} else if ok && want == 0 && !th.LockedUntil.IsZero() {
			t.Errorf("locked after %d failures", n)
		}
	}
	if th = p.after(th, now.Add(25*time.Hour)); th.Failures != 1 || !th.LockedUntil.IsZero() {
		t.Errorf("a quiet day is not forgotten: %+v", th)
	}
}

func TestCustomRole(t *testing.T) {
	ok := Role{Code: "night_shift", Name: "夜班", Side: scope.SidePartner, Items: []scope.Item{scope.ItemCustomerView}}
	for code, change := range map[string]func(*Role){
		"":                            func(*Role) {},
		"account.role_code_malformed": func(r *Role) { r.Code = "Night Shift" },
		"account.role_preset":         func(r *Role) { r.Code = RoleManager },
		"account.role_name_missing":   func(r *Role) { r.Name = "  " },
		"account.role_item_refused":   func(r *Role) { r.Items = append(r.Items, scope.ItemCloseIssue) },
	} {
		r := ok
		r.Items = slices.Clone(ok.Items)
		change(&r)
		err := CheckCustomRole(r)
		if code == "" && err != nil || code != "" && !fault.HasCode(err, code) {
			t.Errorf("%+v: %v, want %q", r, err, code)
		}
	}
}

func TestHashingIsBounded(t *testing.T) {
	h, err := newHasher(&Hashing{MemoryKiB: 64, Iterations: 1, Parallelism: 1, AtOnce: 1, Wait: 20 * time.Millisecond})
	if err != nil {
		t.Fatal(err)
	}
	release, err := h.slot(context.Background())
	if err != nil {
		t.Fatal(err)
	}
	if _, _, err := h.compare(context.Background(), "x", ""); !fault.HasCode(err, "account.busy") {
		t.Errorf("a second computation beside the first: %v", err)
	}
	release()
	hash, err := h.hash(context.Background(), "right")
	if err != nil {
		t.Fatal(err)
	}
	for password, want := range map[string]bool{"right": true, "wrong": false} {
		if ok, stale, err := h.compare(context.Background(), password, hash); ok != want || stale || err != nil {
			t.Errorf("%s: %v %v %v", password, ok, stale, err)
		}
	}
	if ok, _, err := h.compare(context.Background(), "", ""); ok || err != nil {
		t.Errorf("an absent hash fitted: %v", err)
	}
	costly, err := newHasher(&Hashing{MemoryKiB: 128, Iterations: 1, Parallelism: 1, AtOnce: 1, Wait: time.Second})
	if err != nil {
		t.Fatal(err)
	}
	if ok, stale, err := costly.compare(context.Background(), "right", hash); !ok || !stale || err != nil {
		t.Errorf("an older cost is not noticed: %v %v %v", ok, stale, err)
	}
}

func TestSeal(t *testing.T) {
	s := &Service{Deps: Deps{Secret: []byte("0123456789abcdef0123456789abcdef")}}
	sealed, err := s.seal("p1", []byte("JBSWY3DPEHPK3PXP"))
	if err != nil {
		t.Fatal(err)
	}
	if strings.Contains(string(sealed), "JBSWY") {
		t.Error("the secret stands in clear")
	}
	if got, err := s.open("p1", sealed); err != nil || string(got) != "JBSWY3DPEHPK3PXP" {
		t.Errorf("%q %v", got, err)
	}
	if _, err := s.open("p2", sealed); err == nil {
		t.Error("another person's secret opened")
	}
}

func TestNetwork(t *testing.T) {
	for ip, want := range map[string]string{
		"10.0.0.1": "10.0.0.1", "::ffff:10.0.0.1": "10.0.0.1", "2001:db8::1": "2001:db8::/64", "2001:db8:0:0:ffff::9": "2001:db8::/64",
		"2001:db8:0:1::1": "2001:db8:0:1::/64", "fe80::1%eth0": "fe80::/64", "nonsense": "nonsense",
	} {
		if got := network(ip); got != want {
			t.Errorf("network(%s) = %s, want %s", ip, got, want)
		}
	}
}
