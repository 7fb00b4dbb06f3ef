package samltest

import (
	"crypto/rsa"
	"encoding/base64"

	"github.com/beevik/etree"

	"huoban/internal/sso"
)

func signedBy(change func(w *World, s *Signing)) func(*World, *Answer) {
	return func(w *World, a *Answer) {
		s := w.A.Default()
		change(w, s)
		a.Assertion = s
	}
}

func text(s string) *string { return &s }

func stranger(w *World) *IdP { return NewIdP("stranger", w.Now) }

func sig(no, name, code string, change func(w *World, s *Signing)) Attack {
	return Attack{No: no, Name: name, Code: code, Layer: sso.LayerSig, Make: signedBy(change)}
}

func ref(change func(ref *etree.Element)) func(*World, *Signing) {
	return func(_ *World, s *Signing) {
		s.Info = func(info *etree.Element) { change(info.SelectElement("Reference")) }
	}
}

func uri(no, name, u string) Attack {
	return sig(no, name, sso.CodeSigForm, func(_ *World, s *Signing) { s.URI = text(u) })
}

func list(no, name, code string, ts ...string) Attack {
	return sig(no, name, code, func(_ *World, s *Signing) { s.Transforms = ts })
}

// second adds a reference before or behind the right one.
func second(front bool, change func(r *etree.Element)) func(*World, *Signing) {
	return ref(func(r *etree.Element) {
		two := r.Copy()
		change(two)
		if front {
			r.Parent().InsertChildAt(r.Index(), two)
		} else {
			r.Parent().AddChild(two)
		}
	})
}

func twice(path string) Attack {
	return Attack{No: "22", Name: "two " + path, Code: sso.CodeXMLShape, Layer: sso.LayerXML, Make: func(_ *World, a *Answer) {
		a.After = func(r *etree.Element) {
			e := r.FindElement("./Assertion/" + path)
			e.Parent().AddChild(e.Copy())
		}
	}}
}

func signatureAttacks() []Attack {
	rows := []Attack{
		{No: "1", Name: "none", Code: sso.CodeSigMissing, Layer: sso.LayerSig, Make: func(_ *World, a *Answer) { a.Unsigned = true }},
		{No: "2", Name: "stripped", Code: sso.CodeSigMissing, Layer: sso.LayerSig, Make: func(_ *World, a *Answer) {
			a.After = func(r *etree.Element) {
				s := r.FindElement("./Assertion/Signature")
				s.Parent().RemoveChild(s)
			}
		}},
		sig("3", "stranger with own KeyInfo", sso.CodeSigKey, func(w *World, s *Signing) { *s = *stranger(w).Default() }),
		sig("3", "stranger without KeyInfo", sso.CodeSigKey, func(w *World, s *Signing) { *s = Signing{Key: stranger(w).Key} }),
		sig("4", "stranger under the platform's KeyInfo", sso.CodeSigValue, func(w *World, s *Signing) { s.Key = stranger(w).Key }),
		sig("5", "B's key, A's issuer", sso.CodeSigKey, func(w *World, s *Signing) { *s = *w.B.Default() }),
		sig("6", "our own key", sso.CodeSigKey, func(w *World, s *Signing) {
			*s = Signing{Key: w.RegA.Keys[0].Private, Cert: w.RegA.Keys[0].CertDER}
		}),
		{No: "7", Name: "encryption-only certificate", Code: sso.CodeSigKey, Layer: sso.LayerSig, Reg: func(w *World, r *sso.Registration) {
			c := Certificate(stranger(w).CertDER)
			c.Use = sso.CertUseEncryption
			r.Certs = append(r.Certs, c)
		}, Make: signedBy(func(w *World, s *Signing) { *s = *stranger(w).Default() })},
		{No: "8", Name: "Response by a stranger, assertion good", Code: sso.CodeSigKey, Layer: sso.LayerSig, Make: func(w *World, a *Answer) {
			a.Assertion, a.Response = w.A.Default(), stranger(w).Default()
		}},
		sig("9", "rsa-sha1", sso.CodeSigAlg, func(_ *World, s *Signing) { s.Method = RSASHA1 }),
		sig("10", "sha1 digest", sso.CodeSigAlg, func(_ *World, s *Signing) { s.Digest = SHA1 }),
		sig("11", "HMAC with the certificate", sso.CodeSigAlg, func(w *World, s *Signing) { s.Method, s.Secret = HMACSHA256, w.A.CertDER }),
		sig("12", "empty", sso.CodeSigAlg, func(_ *World, s *Signing) { s.MethodText = text("") }),
		sig("12", "DSA", sso.CodeSigAlg, func(_ *World, s *Signing) { s.MethodText = text("http://www.w3.org/2009/xmldsig11#dsa-sha256") }),
		sig("12", "MD5 digest", sso.CodeSigAlg, func(_ *World, s *Signing) { s.Digest = MD5 }),
	}
	for _, more := range [][]Attack{referenceAttacks(), transformAttacks(), changedAttacks(), keyAttacks()} {
		rows = append(rows, more...)
	}
	return rows
}

func referenceAttacks() []Attack {
	other := func(r *etree.Element) { r.CreateAttr("URI", "#_other") }
	wrong := func(r *etree.Element) {
		r.SelectElement("DigestValue").SetText(base64.StdEncoding.EncodeToString(make([]byte, 32)))
	}
	return []Attack{
		uri("13", "empty reference URI", ""),
		uri("14", "reference to another ID", "#_other"),
		{No: "15", Name: "URI without #", Code: sso.CodeSigForm, Layer: sso.LayerSig, Make: func(w *World, a *Answer) {
			a.Before = func(_, as *etree.Element) {
				s := w.A.Default()
				s.URI = text(as.SelectAttrValue("ID", ""))
				a.Assertion = s
				s.Sign(as)
			}
			a.Unsigned = true
		}},
		uri("15", "# alone", "#"),
		uri("16", "external URI", "http://x.example/#_a1"),
		uri("16", "file URI", "file:///etc/passwd"),
		sig("17", "other reference before", sso.CodeSigForm, second(true, other)),
		sig("17", "other reference after", sso.CodeSigForm, second(false, other)),
		sig("17", "same reference, wrong digest after", sso.CodeSigForm, second(false, wrong)),
		sig("17", "same reference, wrong digest before", sso.CodeSigForm, second(true, wrong)),
	}
}

func transformAttacks() []Attack {
	var many []string
	for range 20 {
		many = append(many, ExcC14N)
	}
	return []Attack{
		list("18", "XPath", sso.CodeSigForm, Enveloped, "http://www.w3.org/TR/1999/REC-xpath-19991116"),
		list("18", "XSLT", sso.CodeSigForm, Enveloped, "http://www.w3.org/TR/1999/REC-xslt-19991116", ExcC14N),
		list("18", "base64", sso.CodeSigForm, Enveloped, NSDSig+"base64"),
		sig("18", "XPath with its expression", sso.CodeSigForm, ref(func(r *etree.Element) {
			r.FindElement(".//Transform").CreateElement("ds:XPath").SetText("not(ancestor-or-self::saml:Assertion)")
		})),
		list("19", "reordered", sso.CodeSigForm, ExcC14N, Enveloped),
		list("19", "20 transforms", sso.CodeSigForm, append([]string{Enveloped}, many...)...),
		list("19", "enveloped missing", sso.CodeSigForm, ExcC14N),
		list("19", "enveloped twice", sso.CodeSigForm, Enveloped, Enveloped, ExcC14N),
		list("19", "none", sso.CodeSigForm, []string{}...),
		list("20", "with comments", sso.CodeSigAlg, Enveloped, ExcC14N+"WithComments"),
		list("20", "c14n 1.0", sso.CodeSigAlg, Enveloped, "http://www.w3.org/TR/2001/REC-xml-c14n-20010315"),
		list("20", "c14n 1.1", sso.CodeSigAlg, Enveloped, "http://www.w3.org/2006/12/xml-c14n11"),
		sig("20", "SignedInfo with comments", sso.CodeSigAlg, func(_ *World, s *Signing) { s.C14N = ExcC14N + "WithComments" }),
	}
}

func changedAttacks() []Attack {
	return []Attack{
		{No: "21", Name: "NameID changed after signing", Code: sso.CodeSigValue, Layer: sso.LayerSig, Make: func(_ *World, a *Answer) {
			a.After = func(r *etree.Element) { r.FindElement(".//NameID").SetText("name-2") }
		}},
		{No: "21", Name: "changed, without KeyInfo", Code: sso.CodeSigValue, Layer: sso.LayerSig, Make: func(w *World, a *Answer) {
			a.Assertion = &Signing{Key: w.A.Key}
			a.After = func(r *etree.Element) { r.FindElement(".//NameID").SetText("name-2") }
		}},
		twice("Signature/SignedInfo"), twice("Signature/SignatureValue"), twice("Signature"),
		{No: "23", Name: "assertion inside ds:Object", Code: sso.CodeXMLShape, Layer: sso.LayerXML, Make: func(_ *World, a *Answer) {
			a.After = func(r *etree.Element) {
				as := r.SelectElement("Assertion")
				sig := as.SelectElement("Signature")
				as.RemoveChild(sig)
				r.RemoveChild(as)
				r.AddChild(sig)
				sig.CreateElement("ds:Object").AddChild(as)
			}
		}},
	}
}

func keyAttacks() []Attack {
	weak := func(w *World, bits, e int) (*rsa.PrivateKey, []byte) {
		var k *rsa.PrivateKey
		if e != 0 {
			k = exponent(e)
		} else {
			k = KeyOf("weak", bits)
		}
		return k, Certify(k, "weak", w.Now.AddDate(0, -1, 0), w.Now.AddDate(0, 1, 0))
	}
	with := func(bits, e int, waived bool) (func(*World, *sso.Registration), func(*World, *Answer)) {
		var key *rsa.PrivateKey
		var der []byte
		return func(w *World, r *sso.Registration) {
				key, der = weak(w, bits, e)
				r.Certs = []sso.Certificate{Certificate(der)}
				if waived {
					r.WeakKeyUntil = w.Now.AddDate(0, 0, 30)
				}
			}, func(_ *World, a *Answer) {
				a.Assertion = &Signing{Key: key, Cert: der}
			}
	}
	row := func(name, code string, bits, e int, waived bool) Attack {
		reg, mk := with(bits, e, waived)
		return Attack{No: "25", Name: name, Code: code, Layer: sso.LayerSig, Reg: reg, Make: mk}
	}
	expired := func(w *World) []byte { return Certify(w.A.Key, "a", w.Now.AddDate(-2, 0, 0), w.Now.AddDate(-1, 0, 0)) }
	newKey := func(w *World) *IdP { return NewIdP("a next", w.Now) }
	both := func(w *World, r *sso.Registration) { r.Certs = append(r.Certs, Certificate(newKey(w).CertDER)) }
	return []Attack{
		{No: "24", Name: "expired", Code: sso.CodeSigCertTime, Layer: sso.LayerSig,
			Reg:  func(w *World, r *sso.Registration) { r.Certs = []sso.Certificate{Certificate(expired(w))} },
			Make: signedBy(func(w *World, s *Signing) { s.Cert = expired(w) })},
		{No: "24", Name: "expired, without KeyInfo", Code: sso.CodeSigCertTime, Layer: sso.LayerSig,
			Reg:  func(w *World, r *sso.Registration) { r.Certs = []sso.Certificate{Certificate(expired(w))} },
			Make: signedBy(func(_ *World, s *Signing) { s.Cert = nil })},
		row("RSA-1024 without waiver", sso.CodeSigKey, 1024, 0, false),
		row("RSA-1024 with waiver", "", 1024, 0, true),
		row("exponent 3", sso.CodeSigKey, 2048, 3, false),
		row("exponent 3 with waiver", sso.CodeSigKey, 2048, 3, true),
		{No: "26", Name: "removed certificate", Code: sso.CodeSigKey, Layer: sso.LayerSig, Reg: func(w *World, r *sso.Registration) {
			both(w, r)
			r.Certs[0].State = sso.CertStateRemoved
		}},
		{No: "26", Name: "pending certificate", Code: sso.CodeSigKey, Layer: sso.LayerSig, Reg: func(w *World, r *sso.Registration) {
			both(w, r)
			r.Certs[0].State = sso.CertStatePending
		}},
		{No: "27", Name: "second key with KeyInfo", Reg: both, Make: signedBy(func(w *World, s *Signing) { *s = *newKey(w).Default() })},
		{No: "27", Name: "second key without KeyInfo", Reg: both, Make: signedBy(func(w *World, s *Signing) { *s = Signing{Key: newKey(w).Key} })},
	}
}
