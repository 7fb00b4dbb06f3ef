package sso_test

import (
	"crypto/x509"
	"testing"
	"time"

	"github.com/beevik/etree"
	dsig "github.com/russellhaering/goxmldsig"

	"huoban/internal/sso"
	"huoban/internal/sso/samltest"
)

// BenchmarkVerify compares, on one answer with a signed assertion: bare signature verification by goxmldsig, our
// steps alone, and both locks. Their ratios are goal 7 without database and HTTP.
func BenchmarkVerify(b *testing.B) {
	sso.UseClock(func() time.Time { return noon })
	defer sso.UseClock(nil)
	idp := samltest.NewIdP("a", noon)
	reg := idp.Registration("a", base, noon)
	store := book{}
	a := samltest.Answer{IdP: idp, Reg: reg, Now: noon, Request: store.open(reg, noon)}
	doc := a.XML()
	a.Bytes = func([]byte) []byte { return doc }
	post := a.Post()
	cert, err := x509.ParseCertificate(idp.CertDER)
	if err != nil {
		b.Fatal(err)
	}
	b.Run("bare", func(b *testing.B) {
		for b.Loop() {
			d := etree.NewDocument()
			if err := d.ReadFromBytes(doc); err != nil {
				b.Fatal(err)
			}
			ctx := dsig.NewDefaultValidationContext(&dsig.MemoryX509CertificateStore{Roots: []*x509.Certificate{cert}})
			ctx.Clock = dsig.NewFakeClockAt(noon)
			el := d.Root().SelectElement("Assertion").Copy()
			el.CreateAttr("xmlns:samlp", samltest.NSProtocol)
			if _, err := ctx.Validate(el); err != nil {
				b.Fatal(err)
			}
		}
	})
	b.Run("one lock", func(b *testing.B) {
		for b.Loop() {
			if err := sso.VerifyOneLock(b.Context(), reg, post, store, noon); err != nil {
				b.Fatal(err)
			}
		}
	})
	b.Run("both locks", func(b *testing.B) {
		for b.Loop() {
			if _, _, err := sso.VerifyPost(b.Context(), reg, post, store, noon); err != nil {
				b.Fatal(err)
			}
		}
	})
}
