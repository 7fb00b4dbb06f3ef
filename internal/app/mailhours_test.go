package app

import (
	"context"
	"testing"
	"time"

	"huoban/internal/account"
	"huoban/internal/fault"
	"huoban/internal/message"
	"huoban/internal/organisation"
	"huoban/internal/outbox"
	"huoban/internal/scope"
)

// TestLettersWaitForWork: what is no matter of safety is sent when work begins in the zone the reader chose.
func TestLettersWaitForWork(t *testing.T) {
	s := newSink(t)
	a, c := mailApp(t, "smtp://"+s.addr) // Thursday 12:00 GMT+8, 23:00 of Wednesday at -05:00
	ctx, op := t.Context(), scope.System("operator")
	org, err := a.Organisations.Add(ctx, op, organisation.AddInput{Code: "V", Kind: organisation.KindVendor})
	if err != nil {
		t.Fatal(err)
	}
	who, err := a.Accounts.AddPerson(ctx, op, account.AddPersonInput{OrgCode: "V", Login: "lin", Name: "Lin", Email: "lin@v.example", Roles: []string{account.RoleAdmin}, Password: "Huoban-test-2026", KeepPassword: true})
	if err != nil {
		t.Fatal(err)
	}
	me := scope.Vendor(org.Organisation.ID, who.Person.ID, "lin", nil)
	if err := a.Messages.SetSettings(ctx, me, message.Settings{Language: "en", Zone: "-05:00"}); err != nil {
		t.Fatal(err)
	}
	err = a.DB.InTx(ctx, func(ctx context.Context) error {
		for link, category := range map[string]message.Category{"/bill": message.CategoryBill, "/danger": message.CategorySystem} {
			m := outbox.Mail{Code: "bill_issued", Args: fault.Args{"Cycle": "2026-01", "Vendor": "V"}, Link: link}
			if err := a.mailOnce(ctx, org.Organisation.ID, who.Person.ID, link, category, m); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	opens := time.Date(2026, 2, 5, 14, 0, 0, 0, time.UTC)
	for _, x := range []struct {
		at   time.Time
		want int
	}{{c.Now(), 1}, {opens.Add(-time.Second), 1}, {opens, 2}, {opens.Add(time.Hour), 2}} {
		c.Set(x.at)
		if err := a.Worker.Drain(ctx); err != nil {
			t.Fatal(err)
		}
		if n := len(s.got()); n != x.want {
			t.Errorf("at %s %d letters, want %d", x.at, n, x.want)
		}
	}
}
