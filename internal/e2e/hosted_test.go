package e2e

import (
	"crypto/rsa"
	"testing"

	"huoban/internal/scope"
	"huoban/internal/sso"
	"huoban/internal/sso/metadata"
	"huoban/internal/sso/registry"
	"huoban/internal/sso/samltest"
)

// hostPlatform lets the portal be a partner's sales platform, with a console its customers can go to, and gives the
// console's id.
func (w *world) hostPlatform(t *testing.T, code string) string {
	t.Helper()
	ctx, op := w.asTest(), scope.System("operator")
	w.app.Platforms.NewKey = func() (*rsa.PrivateKey, error) { return samltest.Key("host"), nil }
	org, err := w.app.Organisations.ByCode(ctx, op, code)
	if err != nil {
		t.Fatal(err)
	}
	console := samltest.NewIdP("shop-"+code, today).Registration("console"+code, "https://console.example", today)
	body, err := metadata.Build(metadata.Ours{Role: metadata.RoleSP, EntityID: console.EntityID, Addresses: []string{console.ACS}, SLO: console.SLO, Keys: console.Keys}, today, true)
	var added registry.Console
	if err == nil {
		added, _, err = w.app.Platforms.AddConsole(ctx, op, registry.ConsoleInput{PartnerID: org.ID, Metadata: body, Name: "云控制台 " + code,
			Attributes: []sso.Release{{Name: "xAccountId", Field: "xAccountId"}, {Name: "name", Field: "name"}, {Name: "mobile", Field: "mobile"}}})
	}
	if err != nil {
		t.Fatal(err)
	}
	return added.ID
}
