package samltest

import (
	"github.com/beevik/etree"

	"huoban/internal/sso"
)

func shapeRow(no, name string, signResponse bool, after func(w *World, r *etree.Element)) Attack {
	return Attack{No: no, Name: name, Code: sso.CodeXMLShape, Layer: sso.LayerXML, NoShape: true, Make: func(w *World, a *Answer) {
		if signResponse {
			a.Response = w.A.Default()
		}
		a.After = func(r *etree.Element) { after(w, r) }
	}}
}

// wrappingAttacks are the eight classic ones, each with a new ID for the evil element and with the same.
func wrappingAttacks() []Attack {
	var rows []Attack
	for _, id := range []string{"_evil", ""} {
		name := map[string]string{"_evil": "other ID", "": "equal ID"}[id]
		no := func(n string) string {
			if id == "" {
				return "36/" + n
			}
			return n
		}
		rows = append(rows,
			shapeRow(no("28"), "XSW1 "+name, true, func(_ *World, r *etree.Element) { wrapResponse(r, id, true) }),
			shapeRow(no("29"), "XSW2 "+name, true, func(_ *World, r *etree.Element) { wrapResponse(r, id, false) }),
			shapeRow(no("30"), "XSW3 "+name, false, func(_ *World, r *etree.Element) {
				as := r.SelectElement("Assertion")
				r.InsertChildAt(as.Index(), evil(as, id))
			}),
			shapeRow(no("31"), "XSW4 "+name, false, func(_ *World, r *etree.Element) {
				as := r.SelectElement("Assertion")
				e := evil(as, id)
				r.RemoveChild(as)
				e.AddChild(as)
				r.AddChild(e)
			}),
			shapeRow(no("32"), "XSW5 "+name, false, func(_ *World, r *etree.Element) {
				as := r.SelectElement("Assertion")
				e := evil(as, id)
				e.InsertChildAt(1, as.SelectElement("Signature").Copy())
				r.RemoveChild(as)
				r.AddChild(e)
				r.AddChild(bare(as))
			}),
			shapeRow(no("33"), "XSW6 "+name, false, func(_ *World, r *etree.Element) { wrapInSignature(r, id, "") }),
			shapeRow(no("34"), "XSW7 "+name, false, func(_ *World, r *etree.Element) {
				as := r.SelectElement("Assertion")
				x := etree.NewElement("samlp:Extensions")
				x.AddChild(evil(as, id))
				r.InsertChildAt(as.Index(), x)
			}),
			shapeRow(no("35"), "XSW8 "+name, false, func(_ *World, r *etree.Element) { wrapInSignature(r, id, "ds:Object") }),
		)
	}
	return append(rows, hiddenAttacks()...)
}

// wrapResponse makes an evil Response around the signed one: inside the signature, or beside it.
func wrapResponse(r *etree.Element, id string, inside bool) {
	original := bare(r)
	sig := r.SelectElement("Signature")
	as := r.SelectElement("Assertion")
	r.InsertChildAt(as.Index(), evil(as, id))
	r.RemoveChild(as)
	if id != "" {
		r.CreateAttr("ID", "_evil_response")
	}
	if inside {
		sig.AddChild(original)
		return
	}
	r.InsertChildAt(sig.Index(), original)
}

// wrapInSignature makes an evil assertion whose signature holds the signed one.
func wrapInSignature(r *etree.Element, id, box string) {
	as := r.SelectElement("Assertion")
	e, sig := evil(as, id), as.SelectElement("Signature").Copy()
	place := sig
	if box != "" {
		place = sig.CreateElement(box)
	}
	place.AddChild(bare(as))
	e.InsertChildAt(1, sig)
	r.RemoveChild(as)
	r.AddChild(e)
}

func hiddenAttacks() []Attack {
	sealed := func(front bool) func(*World, *etree.Element) {
		return func(w *World, r *etree.Element) {
			as := r.SelectElement("Assertion")
			box := w.encryption().Seal(Text(alone(evil(as, "_evil"))))
			at := len(r.Child)
			if front {
				at = as.Index()
			}
			r.InsertChildAt(at, box)
		}
	}
	return []Attack{
		shapeRow("37", "evil in StatusDetail", false, func(_ *World, r *etree.Element) {
			r.SelectElement("Status").CreateElement("samlp:StatusDetail").AddChild(evil(r.SelectElement("Assertion"), "_evil"))
		}),
		shapeRow("37", "evil in Advice, Response signed before", true, func(_ *World, r *etree.Element) {
			as := r.SelectElement("Assertion")
			as.CreateElement("saml:Advice").AddChild(evil(as, "_evil"))
		}),
		{No: "37", Name: "evil in a signed Advice", Code: sso.CodeXMLShape, Layer: sso.LayerXML, NoShape: true, Make: func(_ *World, a *Answer) {
			a.Before = func(_, as *etree.Element) { as.CreateElement("saml:Advice").AddChild(evil(as, "_evil")) }
		}},
		{No: "37", Name: "evil in an AttributeValue", Code: sso.CodeXMLShape, Layer: sso.LayerXML, NoShape: true, Make: func(_ *World, a *Answer) {
			a.Before = func(_, as *etree.Element) {
				v := as.FindElement(".//AttributeStatement").CreateElement("saml:Attribute")
				set(v, "Name", "x").CreateElement("saml:AttributeValue").AddChild(evil(as, "_evil"))
			}
		}},
		shapeRow("38", "encrypted evil before", false, sealed(true)),
		shapeRow("38", "encrypted evil after", false, sealed(false)),
		shapeRow("40", "twin in a foreign namespace", false, func(_ *World, r *etree.Element) {
			as := r.SelectElement("Assertion")
			e := evil(as, "")
			e.Space = "x"
			e.CreateAttr("xmlns:x", "urn:evil")
			r.InsertChildAt(as.Index(), e)
		}),
		shapeRow("40", "foreign ID beside ID", false, func(_ *World, r *etree.Element) {
			set(r.SelectElement("Assertion"), "xmlns:z", "urn:evil", "z:ID", "_evil")
		}),
		shapeRow("40", "xml:id", false, func(_ *World, r *etree.Element) { set(r.SelectElement("Status"), "xml:id", "_evil") }),
	}
}

func encryptionAttacks() []Attack {
	enc := func(no, name, code string, outside, inside bool, change func(e *Encryption)) Attack {
		return Attack{No: no, Name: name, Code: code, Layer: sso.LayerSig, Make: func(w *World, a *Answer) {
			a.Encrypt = w.encryption()
			change(a.Encrypt)
			a.Unsigned = true
			if outside {
				a.Response = w.A.Default()
			}
			if inside {
				a.Assertion = w.A.Default()
			}
		}}
	}
	method := func(m string) func(*Encryption) { return func(e *Encryption) { e.Method = m } }
	return []Attack{
		enc("39", "no signature, CBC", sso.CodeSigMissing, false, false, method(AES256CBC)),
		enc("39", "no signature, GCM", sso.CodeSigMissing, false, false, method(AES256GCM)),
		enc("39", "signature inside CBC alone", sso.CodeSigMissing, false, true, method(AES128CBC)),
		enc("39b", "CBC of 17 bytes", sso.CodeSigMissing, false, false, func(e *Encryption) { e.Method, e.Garbage = AES128CBC, make([]byte, 17) }),
		enc("39b", "CBC, bad padding", sso.CodeSigMissing, false, false, func(e *Encryption) { e.Method, e.Garbage = AES128CBC, make([]byte, 64) }),
		enc("39b", "GCM of 1 byte", sso.CodeEncFailed, false, false, func(e *Encryption) { e.Garbage = []byte{1} }),
		enc("39b", "CBC of 17 bytes in a signed Response", sso.CodeEncFailed, true, false, func(e *Encryption) { e.Method, e.Garbage = AES128CBC, make([]byte, 17) }),
		enc("39b", "CBC, garbage in a signed Response", sso.CodeEncFailed, true, false, func(e *Encryption) { e.Method, e.Garbage = AES128CBC, make([]byte, 32+1) }),
		enc("39b", "GCM of 28 zero bytes", sso.CodeEncFailed, true, false, func(e *Encryption) { e.Garbage = make([]byte, 28) }),
		enc("39c", "rsa-1_5", sso.CodeEncAlg, true, false, func(e *Encryption) { e.Key = RSA15 }),
		enc("39c", "3DES", sso.CodeEncAlg, true, false, method(TripleDES)),
		enc("39c", "for another key", sso.CodeEncFailed, true, false, func(e *Encryption) { e.To = &Key("nobody").PublicKey }),
		enc("39d", "GCM, signed inside", "", false, true, method(AES256GCM)),
		enc("39d", "CBC, signed outside", "", true, false, method(AES256CBC)),
		enc("39d", "oaep of 2009", "", false, true, func(e *Encryption) { e.Key = OAEP2009 }),
		{No: "39e", Name: "encryption required, none", Code: sso.CodeEncRequired, Layer: sso.LayerSig, Reg: func(_ *World, r *sso.Registration) { r.WantEncrypted = true }},
		{No: "39e", Name: "Response signature required, none", Code: sso.CodeSigMissing, Layer: sso.LayerSig, Reg: func(_ *World, r *sso.Registration) { r.WantResponseSigned = true }},
		{No: "39f", Name: "comment inside the cipher text", Code: sso.CodeXMLComment, Layer: sso.LayerSig, Make: func(w *World, a *Answer) {
			a.Response = w.A.Default()
			a.Encrypt, a.Assertion = w.encryption(), w.A.Default()
			a.Inside = func(as *etree.Element) { as.CreateComment("x") }
		}},
		{No: "39f", Name: "changed inside the cipher text", Code: sso.CodeSigValue, Layer: sso.LayerSig, Make: func(w *World, a *Answer) {
			a.Encrypt, a.Assertion = w.encryption(), w.A.Default()
			a.Inside = func(as *etree.Element) { as.FindElement(".//NameID").SetText(Evil) }
		}},
	}
}
