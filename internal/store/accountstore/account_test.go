package accountstore_test

import (
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/pquerna/otp/totp"

	"huoban/internal/account"
	"huoban/internal/fault"
	"huoban/internal/scope"
	"huoban/internal/store"
	"huoban/internal/store/storetest"
)

func TestAddPerson(t *testing.T) {
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		w := newWorld(t, db).cast()
		in := account.AddPersonInput{OrgCode: "fangan", Login: "Li.Na", Roles: []string{"finance", "manager"}, Password: right}
		first, err := w.accounts.AddPerson(w.ctx, operator, in)
		w.must(err)
		if !first.Added || !first.Person.MustChange || first.Person.Name != "Li.Na" {
			t.Errorf("%+v", first)
		}
		in.Roles = []string{"manager", "finance"}
		again, err := w.accounts.AddPerson(w.ctx, operator, in)
		w.must(err)
		if again.Added || again.Person.ID != first.Person.ID {
			t.Errorf("the same again: %+v", again)
		}
		for code, change := range map[string]func(*account.AddPersonInput){
			"account.login_taken":     func(i *account.AddPersonInput) { i.OrgCode, i.Roles = "zongdai", []string{"admin"} },
			"account.login_malformed": func(i *account.AddPersonInput) { i.Login = "a b" },
			"account.role_unknown":    func(i *account.AddPersonInput) { i.Roles = []string{"operations"} },
			"account.admin_combined":  func(i *account.AddPersonInput) { i.Roles = []string{"admin", "finance"} },
			"organisation.unknown":    func(i *account.AddPersonInput) { i.OrgCode = "nobody" },
			"account.password_weak":   func(i *account.AddPersonInput) { i.Login, i.Password = "wang", "password1" },
			"account.email_malformed": func(i *account.AddPersonInput) { i.Login, i.Email = "wang", "no-address" },
		} {
			bad := in
			change(&bad)
			_, err := w.accounts.AddPerson(w.ctx, operator, bad)
			w.refused(err, code)
		}
		bad := in
		bad.Login = "LI.NA"
		bad.Roles = []string{"admin"}
		_, err = w.accounts.AddPerson(w.ctx, operator, bad)
		w.refused(err, "account.login_taken")

		admin := w.person("fangan", "chief", "admin")
		own := w.scope(admin, "fangan")
		_, err = w.accounts.AddPerson(w.ctx, own, account.AddPersonInput{OrgCode: "zongdai", Login: "spy", Roles: []string{"admin"}, Password: right})
		w.refused(err, "organisation.unknown")
		_, err = w.accounts.AddPerson(w.ctx, w.scope(w.person("fangan", "fin", "finance"), "fangan"),
			account.AddPersonInput{OrgCode: "fangan", Login: "spy", Roles: []string{"admin"}, Password: right})
		w.refused(err, "scope.permission_missing")
		if !slices.Contains(w.acts(), "person.add done person:Li.Na") {
			t.Errorf("no audit row in %v", w.acts())
		}
	})
}

func TestSignIn(t *testing.T) {
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		w := newWorld(t, db).cast()
		w.person("fangan", "Anna", "admin")
		forced, err := w.accounts.AddPerson(w.ctx, operator, account.AddPersonInput{OrgCode: "fangan", Login: "bo2", Roles: []string{"finance"}, Password: right})
		w.must(err)

		got, err := w.signIn(" anna ", right, "10.0.0.1")
		w.must(err)
		if got.State != account.SignInDone || got.Person.Login != "Anna" || !got.Person.LastSignInAt.Equal(w.clock.Now()) {
			t.Errorf("%+v", got)
		}
		for _, c := range [][2]string{{"anna", "wrong"}, {"nobody", right}, {"", ""}, {"anna", strings.Repeat("x", 10000)}} {
			_, err := w.signIn(c[0], c[1], "10.0.0.2")
			w.refused(err, "account.sign_in_refused")
		}
		got, err = w.signIn("bo2", right, "")
		w.must(err)
		if got.State != account.SignInMustChange {
			t.Errorf("%+v", got)
		}
		change := account.ChangePasswordInput{PersonID: forced.Person.ID, Old: right, New: "another-lamp-7"}
		bad := change
		bad.Old = "wrong"
		w.refused(w.accounts.ChangePassword(w.ctx, bad), "account.password_wrong")
		bad = change
		bad.New = right
		w.refused(w.accounts.ChangePassword(w.ctx, bad), "account.password_same")
		bad.New = "short"
		w.refused(w.accounts.ChangePassword(w.ctx, bad), "account.password_short")
		w.must(w.accounts.ChangePassword(w.ctx, change))
		_, err = w.signIn("bo2", right, "")
		w.refused(err, "account.sign_in_refused")
		if got, err = w.signIn("bo2", "another-lamp-7", ""); err != nil || got.State != account.SignInDone {
			t.Errorf("%+v %v", got, err)
		}

		w.must(w.accounts.Disable(w.ctx, operator, "bo2"))
		_, err = w.signIn("bo2", "another-lamp-7", "")
		w.refused(err, "account.sign_in_refused")
		w.must(w.accounts.Enable(w.ctx, operator, "bo2"))
		_, err = w.signIn("bo2", "another-lamp-7", "")
		w.must(err)

		acts := w.acts()
		for _, want := range []string{"person.sign_in done person:Anna", "person.sign_in refused person:Anna", "person.sign_in refused person:unknown",
			"person.change_password done person:bo2", "person.disable done person:bo2"} {
			if !slices.Contains(acts, want) {
				t.Errorf("no audit row %q in %v", want, acts)
			}
		}
		for _, a := range acts {
			if strings.Contains(a, "nobody") {
				t.Errorf("what was typed as an unknown login stands in the audit: %s", a)
			}
		}
	})
}

func TestLockOut(t *testing.T) {
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		w := newWorld(t, db).cast()
		w.person("fangan", "anna", "admin")
		w.person("fangan", "bert", "admin")
		for range 100 { // successes never count
			_, err := w.signIn("anna", right, "10.0.0.1")
			w.must(err)
		}
		for range 4 {
			_, err := w.signIn("anna", "wrong", "10.0.0.1")
			w.refused(err, "account.sign_in_refused")
		}
		_, err := w.signIn("anna", right, "10.0.0.1") // forgets the four
		w.must(err)
		for range 5 {
			_, err := w.signIn("ANNA", "wrong", "10.0.0.1")
			w.refused(err, "account.sign_in_refused")
		}
		_, err = w.signIn("anna", right, "10.0.0.9")
		w.refused(err, "account.locked")
		if f := fault.From(err); f.Kind != fault.KindLimited || f.Args["seconds"] != int64(60) {
			t.Errorf("%v", err)
		}
		_, err = w.signIn("bert", right, "10.0.0.1")
		w.must(err)
		w.clock.Set(w.clock.Now().Add(time.Minute))
		_, err = w.signIn("anna", right, "10.0.0.1")
		w.must(err)

		for i := range 30 { // one address, many unknown logins
			_, err := w.signIn("ghost"+string(rune('a'+i)), "x", "10.6.6.6")
			w.refused(err, "account.sign_in_refused")
		}
		_, err = w.signIn("bert", right, "10.6.6.6")
		w.refused(err, "account.locked")
		_, err = w.signIn("bert", right, "10.0.0.1")
		w.must(err)
		w.clock.Set(w.clock.Now().Add(48 * time.Hour))
		w.must(w.accounts.Purge(w.ctx))
		_, err = w.signIn("bert", right, "10.6.6.6")
		w.must(err)
	})
}

// Attempts made at once all pass the first look at the throttle; the count must hold all the same.
func TestLockOutHoldsAgainstABurst(t *testing.T) {
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		w := newWorld(t, db).cast()
		w.person("fangan", "anna", "admin")
		var wg sync.WaitGroup
		var mu sync.Mutex
		counts := map[string]int{}
		for range 12 {
			wg.Go(func() {
				_, err := w.signIn("anna", "wrong", "10.0.0.1")
				mu.Lock()
				defer mu.Unlock()
				counts[fault.From(err).Code]++
			})
		}
		wg.Wait()
		if counts["account.sign_in_refused"] != 5 || counts["account.locked"] != 7 {
			t.Errorf("%v, want 5 refused and 7 locked", counts)
		}
	})
}

func TestSecondFactor(t *testing.T) {
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		w := newWorld(t, db).cast()
		p := w.person("fangan", "anna", "admin")
		e, err := w.accounts.EnrolFactor(w.ctx, p.ID)
		w.must(err)
		if !strings.HasPrefix(e.URI, "otpauth://totp/") || string(e.PNG[1:4]) != "PNG" {
			t.Errorf("%s, picture of %d bytes", e.URI, len(e.PNG))
		}
		code := func() string {
			t.Helper()
			c, err := totp.GenerateCode(e.Secret, w.clock.Now())
			w.must(err)
			return c
		}
		if got, err := w.signIn("anna", right, ""); err != nil || got.State != account.SignInDone {
			t.Errorf("an unconfirmed factor is asked: %+v %v", got, err)
		}
		_, err = w.accounts.ConfirmFactor(w.ctx, p.ID, "000000")
		w.refused(err, "account.code_refused")
		recovery, err := w.accounts.ConfirmFactor(w.ctx, p.ID, code())
		w.must(err)
		if len(recovery) != 10 {
			t.Fatalf("%v", recovery)
		}
		got, err := w.signIn("anna", right, "")
		w.must(err)
		if got.State != account.SignInTOTPRequired {
			t.Fatalf("%+v", got)
		}
		try := func(code string) error {
			_, err := w.accounts.SecondFactor(w.ctx, account.SecondFactorInput{PersonID: p.ID, Code: code})
			return err
		}
		w.refused(try(code()), "account.code_refused") // spent by the confirmation
		w.clock.Set(w.clock.Now().Add(30 * time.Second))
		c := code()
		w.must(try(c[:3] + " " + c[3:]))
		w.refused(try(c), "account.code_refused")
		w.must(try(strings.ToUpper(recovery[0])))
		w.refused(try(recovery[0]), "account.code_refused")
		w.clock.Set(w.clock.Now().Add(time.Hour))
		w.must(try(code()))
		for range 5 {
			w.refused(try("123"), "account.code_refused")
		}
		w.refused(try(code()), "account.locked")
		w.clock.Set(w.clock.Now().Add(25 * time.Hour))
		_, err = w.accounts.EnrolFactor(w.ctx, p.ID)
		w.refused(err, "account.factor_exists")
		w.refused(w.accounts.RemoveFactor(w.ctx, p.ID, "wrong"), "account.password_wrong")
		w.must(w.accounts.RemoveFactor(w.ctx, p.ID, right))
		if got, err := w.signIn("anna", right, ""); err != nil || got.State != account.SignInDone {
			t.Errorf("%+v %v", got, err)
		}
	})
}

func TestRolesAndScope(t *testing.T) {
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		w := newWorld(t, db).cast()
		chief := w.person("zongdai", "chief", "admin")
		sc := w.scope(chief, "zongdai")
		if got := sc.Resellers(); !slices.Equal(got, []string{w.org["jingxiao"].ID}) || sc.Side() != scope.SidePartner || !sc.Has(scope.ItemBillView) {
			t.Errorf("distributor's scope: %v", sc)
		}
		if sc.Has(scope.ItemCloseIssue) {
			t.Error("a partner's administrator may issue")
		}
		if byID := w.scope(chief, w.org["zongdai"].ID); byID.Key() != sc.Key() {
			t.Error("scope by id differs from scope by code")
		}
		for _, org := range []string{"jingxiao", "yunfan", "nowhere", ""} {
			_, err := w.accounts.ScopeOf(w.ctx, chief, org)
			w.refused(err, "organisation.unknown")
		}
		below := w.scope(w.person("jingxiao", "reseller.chief", "admin"), "jingxiao")
		if len(below.Resellers()) != 0 || below.SeesBill(w.org["yunfan"].ID, w.org["yunfan"].ID, w.org["zongdai"].ID) {
			t.Error("a reseller sees its distributor's purchase")
		}
		vendor := w.scope(w.person("yunfan", "ops", "operations"), "yunfan")
		if !vendor.SeesVendor(w.org["yunfan"].ID) || vendor.SeesVendor(w.org["other"].ID) || vendor.Has(scope.ItemCloseIssue) || !vendor.Has(scope.ItemDeliveryImport) {
			t.Errorf("operations' scope: %v", vendor)
		}
		buyer := w.scope(w.person("c1", "buyer", "admin"), "c1")
		if ids, all := buyer.Buyers(); all || len(ids) > 0 || !buyer.SeesCustomerAt(w.org["c1"].ID, w.clock.Now()) || buyer.SeesCustomerAt(w.org["c2"].ID, w.clock.Now()) {
			t.Error("a customer sees more than itself")
		}

		// Two organisations, one person: the operator alone grants the second.
		w.refused(w.accounts.SetRoles(w.ctx, sc, "chief", "fangan", []string{"finance"}), "organisation.unknown")
		w.must(w.accounts.SetRoles(w.ctx, operator, "chief", "fangan", []string{"finance"}))
		all, err := w.accounts.Memberships(w.ctx, chief)
		w.must(err)
		if len(all) != 2 || all[0].Organisation.Code != "zongdai" || all[1].Organisation.Code != "fangan" {
			t.Errorf("%+v", all)
		}
		if w.scope(chief, "fangan").Has(scope.ItemStaffChange) {
			t.Error("roles of one organisation reach into the other")
		}
		w.must(w.accounts.SetRoles(w.ctx, operator, "chief", "fangan", nil))
		_, err = w.accounts.ScopeOf(w.ctx, chief, "fangan")
		w.refused(err, "organisation.unknown")
		w.refused(w.accounts.SetRoles(w.ctx, operator, "chief", "zongdai", []string{"finance"}), "account.last_admin")

		w.must(w.accounts.SaveRole(w.ctx, sc, "zongdai", account.Role{Code: "night_shift", Name: "夜班", Items: []scope.Item{scope.ItemBillView}}))
		night := w.person("zongdai", "owl", "manager", "night_shift")
		nightScope := w.scope(night, "zongdai")
		if _, limited := nightScope.Windows(); limited || !nightScope.Has(scope.ItemBillView) {
			t.Error("客户经理 with another role sees every customer")
		}
		w.refused(w.accounts.DeleteRole(w.ctx, sc, "zongdai", "night_shift"), "account.role_held")
		w.must(w.accounts.SetRoles(w.ctx, sc, "owl", "zongdai", []string{"finance"}))
		w.must(w.accounts.DeleteRole(w.ctx, sc, "zongdai", "night_shift"))
		staff, err := w.accounts.Staff(w.ctx, sc)
		w.must(err)
		if len(staff) != 2 || staff[0].Login != "chief" || staff[1].Login != "owl" || !slices.Equal(staff[1].Roles, []string{"finance"}) {
			t.Errorf("%+v", staff)
		}
		w.must(w.accounts.Disable(w.ctx, operator, "owl"))
		off, err := w.accounts.PersonByLogin(w.ctx, "owl")
		w.must(err)
		_, err = w.accounts.ScopeOf(w.ctx, off, "zongdai")
		w.refused(err, "organisation.unknown")
	})
}

func TestSetup(t *testing.T) {
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		w := newWorld(t, db)
		if needed, err := w.setup.Needed(w.ctx); !needed || err != nil {
			t.Fatal(needed, err)
		}
		stale, _, err := w.setup.Issue(w.ctx)
		w.must(err)
		token, until, err := w.setup.Issue(w.ctx)
		w.must(err)
		if until.Sub(w.clock.Now()) != 24*time.Hour {
			t.Errorf("open until %s", until)
		}
		in := account.SetupInput{Token: stale, OrgCode: "yunfan", OrgName: "云帆", Login: "root.yf", Name: "管理员", Password: right,
			Source: account.SetupSource{Name: "focus", Dialect: "focus"}}
		_, err = w.setup.Complete(w.ctx, in)
		w.refused(err, "account.setup_refused")
		in.Token = token
		bad := in
		bad.Source.Name = "bad"
		_, err = w.setup.Complete(w.ctx, bad)
		w.refused(err, "source.name_malformed")
		_, err = w.orgs.ByCode(w.ctx, operator, "yunfan")
		w.refused(err, "organisation.unknown") // all or nothing
		w.must(w.setup.Check(w.ctx, token))
		now := w.clock.Now()
		w.clock.Set(now.Add(24 * time.Hour))
		_, err = w.setup.Complete(w.ctx, in)
		w.refused(err, "account.setup_refused")
		w.clock.Set(now)
		out, err := w.setup.Complete(w.ctx, in)
		w.must(err)
		if out.Organisation.Code != "yunfan" || out.Person.MustChange || len(w.sources) != 1 {
			t.Errorf("%+v %v", out, w.sources)
		}
		_, err = w.setup.Complete(w.ctx, in)
		w.refused(err, "account.setup_done")
		_, _, err = w.setup.Issue(w.ctx)
		w.refused(err, "account.setup_done")
		got, err := w.signIn("root.yf", right, "")
		w.must(err)
		if !w.scope(got.Person, "yunfan").Has(scope.ItemCloseOverride) {
			t.Error("the first administrator may not override")
		}
	})
}
