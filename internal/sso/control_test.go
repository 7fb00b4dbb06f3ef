package sso_test

import (
	"context"
	"testing"
	"time"

	"huoban/internal/sso"
	"huoban/internal/sso/samltest"
)

var noon = time.Date(2026, 11, 21, 4, 0, 0, 0, time.UTC)

const base = "https://portal.example"

// book is the caller's store, in memory.
type book map[string]sso.Request

func (b book) RequestByID(_ context.Context, id string) (sso.Request, bool, error) {
	r, ok := b[id]
	return r, ok, nil
}

func (b book) open(reg sso.Registration, now time.Time) sso.Request {
	r := samltest.Request(reg, now)
	b[r.ID] = r
	return r
}

func TestControls(t *testing.T) {
	idp := samltest.NewIdP("a", noon)
	reg := idp.Registration("a", base, noon)
	to := &samltest.Key("sp decrypt").PublicKey
	for name, a := range map[string]samltest.Answer{
		"signed assertion":        {},
		"signed Response":         {Response: idp.Default()},
		"both":                    {Response: idp.Default(), Assertion: idp.Default()},
		"without KeyInfo":         {Assertion: &samltest.Signing{Key: idp.Key}},
		"sha-512":                 {Assertion: &samltest.Signing{Key: idp.Key, Method: samltest.RSASHA512}},
		"gcm, signed inside":      {Assertion: idp.Default(), Encrypt: &samltest.Encryption{To: to}},
		"gcm 128, signed outside": {Response: idp.Default(), Encrypt: &samltest.Encryption{To: to, Method: samltest.AES128GCM}},
		"cbc, signed outside":     {Response: idp.Default(), Encrypt: &samltest.Encryption{To: to, Method: samltest.AES128CBC}},
		"cbc, both, key beside":   {Response: idp.Default(), Assertion: idp.Default(), Encrypt: &samltest.Encryption{To: to, Method: samltest.AES256CBC, Beside: true}},
		"gcm, oaep of 2009":       {Assertion: idp.Default(), Encrypt: &samltest.Encryption{To: to, Key: samltest.OAEP2009}},
	} {
		t.Run(name, func(t *testing.T) {
			b := book{}
			a.IdP, a.Reg, a.Now, a.Request = idp, reg, noon, b.open(reg, noon)
			got, steps, err := sso.VerifyPost(t.Context(), reg, a.Post(), b, noon)
			if err != nil {
				t.Fatalf("%v\n%s", err, a.XML())
			}
			if got.XAccountID != "acc-1" || got.XUserID != "usr-1" || got.Name != "上海云启科技" || got.NameID.Value != "name-1" ||
				got.SessionIndex != "_s1" || got.Request.ID != a.Request.ID || got.KeepUntil.Before(noon.Add(time.Hour)) {
				t.Errorf("read %+v", got)
			}
			if len(steps) != len(sso.ACSSteps()) {
				t.Errorf("%d results for %d steps", len(steps), len(sso.ACSSteps()))
			}
		})
	}
}
