package e2e

import (
	"crypto/rsa"
	"testing"

	"huoban/internal/scope"
	"huoban/internal/sso/registry"
	"huoban/internal/sso/samltest"
)

// register gives a partner a sales platform with everything its page can show, once.
func (w *world) register(t *testing.T, code string) (id string) {
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
	added, err := w.app.Platforms.Add(ctx, op, registry.AddInput{PartnerID: org.ID, Metadata: samltest.NewIdP("shop-"+code, today).Metadata(), AccountType: "HB_" + code, Name: "商城 " + code,
		Returns: []string{"https://shop.example/orders", "https://a-rather-long-name-of-a-host.shop.example/with/a/long/path/to/the/orders-of-a-customer"}})
	if err != nil {
		t.Fatal(err)
	}
	return added.Platform.ID
}
