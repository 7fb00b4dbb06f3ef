package e2e

import (
	"crypto/rsa"
	"testing"

	"huoban/internal/scope"
	"huoban/internal/sso"
	"huoban/internal/sso/registry"
	"huoban/internal/sso/samltest"
)

// register gives a partner a sales platform with everything its page can show, once.
func (w *world) register(t *testing.T, code string) (id, test string) {
	t.Helper()
	ctx, op := w.asTest(), scope.System("operator")
	made := 0
	w.app.Platforms.NewKey = func() (*rsa.PrivateKey, error) {
		made++
		return samltest.Key([]string{"sp sign", "sp decrypt"}[made%2]), nil
	}
	org, err := w.app.Organisations.ByCode(ctx, op, code)
	if err != nil {
		t.Fatal(err)
	}
	idp := samltest.NewIdP("shop-"+code, today)
	added, err := w.app.Platforms.Add(ctx, op, registry.AddInput{PartnerID: org.ID, Metadata: idp.Metadata(), AccountType: "HB_" + code, Name: "商城 " + code,
		Returns: []string{"https://shop.example/orders", "https://a-rather-long-name-of-a-host.shop.example/with/a/long/path/to/the/orders-of-a-customer"}})
	if err != nil {
		t.Fatal(err)
	}
	id = added.Platform.ID
	if known, err := w.app.Platforms.Tests(ctx, op, id, 1); err != nil {
		t.Fatal(err)
	} else if len(known) > 0 {
		return id, known[0].ID
	}
	reg, _, err := w.app.Platforms.Registration(ctx, id)
	if err != nil {
		t.Fatal(err)
	}
	answer := samltest.Answer{IdP: idp, Reg: reg, Now: w.app.Clock.Now(), Request: sso.Request{ID: "_nobody-asked", RelayID: "nothing"}, NameID: "n-1",
		Attributes: samltest.Attributes("uid", "x1", "displayName", "星河科技")}
	x, err := sso.Examine(ctx, reg, answer.Post(), w.app.Platforms.Store, w.app.Clock.Now())
	if err != nil {
		t.Fatal(err)
	}
	kept, err := w.app.Platforms.Tested(ctx, reg, answer.Request.ID, x, "")
	if err != nil {
		t.Fatal(err)
	}
	return id, kept.ID
}
