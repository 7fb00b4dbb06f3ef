package sso_test

import (
	"bytes"
	"encoding/base64"
	"encoding/xml"
	"errors"
	"io"
	"net/url"
	"strings"
	"testing"
	"unicode/utf8"

	"huoban/internal/sso"
	"huoban/internal/sso/samltest"
)

// messages gives the attacks on the form of a message as seeds, and the first control.
func messages(f *testing.F) {
	for i, row := range samltest.Attacks() {
		if row.Layer != sso.LayerXML && i > 0 {
			continue
		}
		w := samltest.NewWorld(base, noon, func(sso.Request) {})
		_, post := row.Build(w)
		raw, err := base64.StdEncoding.DecodeString(post.Form.Get("SAMLResponse"))
		if err == nil && len(raw) < 10<<10 {
			f.Add(raw)
		}
	}
}

// FuzzGate: what passes the gates is UTF-8 without anything that begins with <!, within the limits, and the
// standard decoder reads it to its end.
func FuzzGate(f *testing.F) {
	messages(f)
	f.Fuzz(func(t *testing.T, doc []byte) {
		_ = sso.GateTokens(doc) // alone it must not panic either
		if sso.Gate(doc) != nil {
			return
		}
		if !utf8.Valid(doc) || bytes.Contains(doc, []byte("<!")) || bytes.IndexByte(doc, 0) >= 0 {
			t.Fatalf("let through: %q", doc)
		}
		dec := xml.NewDecoder(bytes.NewReader(doc))
		depth, elements, roots := 0, 0, 0
		for {
			tok, err := dec.Token()
			if errors.Is(err, io.EOF) {
				break
			}
			if err != nil {
				t.Fatalf("let through, and the decoder says %v", err)
			}
			switch tok.(type) {
			case xml.StartElement:
				if depth == 0 {
					roots++
				}
				depth++
				elements++
			case xml.EndElement:
				depth--
			}
			if depth > 32 || elements > 800 {
				t.Fatalf("depth %d, elements %d", depth, elements)
			}
		}
		if roots != 1 {
			t.Fatalf("%d roots", roots)
		}
		if ours, theirs := sso.GateTree(doc); theirs == nil || !bytes.Equal(samltest.Text(ours), samltest.Text(theirs)) {
			t.Fatalf("the tree of the gate is not the one of the text: %q", doc)
		}
	})
}

// FuzzShape: what has the shape of a Response holds at most one assertion and no ID twice, wherever one looks.
func FuzzShape(f *testing.F) {
	messages(f)
	f.Fuzz(func(t *testing.T, doc []byte) {
		if sso.Gate(doc) != nil || sso.Shape(doc) != nil {
			return
		}
		assertions, ids := 0, map[string]bool{}
		for dec := xml.NewDecoder(bytes.NewReader(doc)); ; {
			tok, err := dec.Token()
			if err != nil {
				break
			}
			start, ok := tok.(xml.StartElement)
			if !ok {
				continue
			}
			if start.Name.Local == "Assertion" {
				assertions++
			}
			for _, a := range start.Attr {
				if strings.EqualFold(a.Name.Local, "id") && a.Name.Space != "xmlns" {
					if ids[a.Value] {
						t.Fatalf("ID %q twice", a.Value)
					}
					ids[a.Value] = true
				}
			}
		}
		if assertions > 1 {
			t.Fatalf("%d assertions", assertions)
		}
	})
}

// FuzzAnswer cuts and inserts anywhere in a signed answer. Whatever both locks still accept says what was
// signed; nothing makes either panic.
func FuzzAnswer(f *testing.F) {
	idp := samltest.NewIdP("a", noon)
	reg := idp.Registration("a", base, noon)
	b := book{}
	req := b.open(reg, noon)
	plain := samltest.Answer{IdP: idp, Reg: reg, Now: noon, Request: req}.XML()
	whole := samltest.Answer{IdP: idp, Reg: reg, Now: noon, Request: req, Response: idp.Default()}.XML()
	f.Add(uint16(0), uint16(0), "", false)
	f.Add(uint16(400), uint16(0), " ", true)
	f.Add(uint16(500), uint16(3), "<saml:Advice/>", false)
	f.Add(uint16(1800), uint16(0), `<saml:Attribute Name="xAccountId"><saml:AttributeValue>evil</saml:AttributeValue></saml:Attribute>`, false)
	f.Add(uint16(60), uint16(1), `xmlns:saml="urn:evil" `, true)
	f.Fuzz(func(t *testing.T, at, cut uint16, insert string, response bool) {
		doc := plain
		if response {
			doc = whole
		}
		i := int(at) % len(doc)
		j := min(i+int(cut), len(doc))
		changed := string(doc[:i]) + insert + string(doc[j:])
		post := sso.Post{Method: "POST", ContentType: "application/x-www-form-urlencoded", Browser: samltest.Browser,
			Form: url.Values{"SAMLResponse": {base64.StdEncoding.EncodeToString([]byte(changed))}, "RelayState": {req.RelayID}}}
		got, _, err := sso.VerifyPost(t.Context(), reg, post, b, noon)
		if err != nil {
			if r := sso.RefusalOf(err); r == nil || strings.Contains(r.Seen, "panic") || strings.Contains(r.Seen, "runtime error") {
				t.Fatalf("%v\n%s", err, changed)
			}
			return
		}
		if got.XAccountID != "acc-1" || got.NameID.Value != "name-1" || got.BpID != reg.BpID {
			t.Fatalf("believed %+v\n%s", got, changed)
		}
	})
}

// FuzzReturn: an allowed address is rebuilt to the allowed host and below the allowed path, as a browser reads it.
func FuzzReturn(f *testing.F) {
	reg := sso.Registration{Returns: []sso.Return{{ID: "r", Scheme: "https", Host: "ok.example", PathPrefix: "/home", State: sso.ReturnStateApproved}}}
	for _, s := range []string{"https://ok.example/home", "https://ok.example/home/a?b#c", "/o/x", "//evil", `/\evil`, "https:evil", "https://ok.example@evil/home",
		"https://ok.example/home/../x", "https://ok.example:443/home", "javascript:alert(1)", "/%2f/evil", "https://ok.example/home/%2e%2e"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, wish string) {
		to, err := sso.ResolveReturn(reg, base, wish)
		if err != nil || wish == "" {
			return
		}
		out := to.Address(reg)
		u, err := url.Parse(out)
		if err != nil {
			t.Fatalf("%q became %q: %v", wish, out, err)
		}
		for p := range strings.SplitSeq(u.Path, "/") {
			if p == ".." || p == "." || strings.ContainsRune(p, '\\') {
				t.Fatalf("%q became %q", wish, out)
			}
		}
		switch {
		case to.ReturnID == "" && (u.Scheme != "" || u.Host != "" || !strings.HasPrefix(out, "/") || strings.HasPrefix(out, "//")):
			t.Fatalf("%q leads out to %q", wish, out)
		case to.ReturnID != "" && (u.Scheme != "https" || u.Host != "ok.example" || u.User != nil || u.Path != "/home" && !strings.HasPrefix(u.Path, "/home/")):
			t.Fatalf("%q became %q", wish, out)
		}
	})
}

// FuzzQuery: what is verified of a redirect is text of the query itself, in the binding's order.
func FuzzQuery(f *testing.F) {
	for _, s := range []string{"SAMLRequest=a&RelayState=b&SigAlg=c&Signature=ZA%3D%3D", "SAMLResponse=a&SigAlg=c&Signature=ZA%3D%3D", "RelayState=b&SAMLRequest=a&SigAlg=c&Signature=ZA%3D%3D",
		"SAMLRequest=a&SAMLRequest=b", "%53AMLRequest=a", "SAMLRequest=%zz", "SAMLRequest=a&lang=zh&SigAlg=&Signature="} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, raw string) {
		message, relay, signed, why := sso.ParseQuery(raw)
		if why != "" || signed == nil {
			return
		}
		values, err := url.ParseQuery(string(signed))
		if err != nil {
			t.Fatalf("signed %q: %v", signed, err)
		}
		if got := values.Get("SAMLRequest") + values.Get("SAMLResponse"); got != message || values.Get("RelayState") != relay {
			t.Fatalf("signed %q, read %q %q", signed, message, relay)
		}
		for part := range strings.SplitSeq(string(signed), "&") {
			if !strings.Contains("&"+raw+"&", "&"+part+"&") && !strings.HasSuffix(part, "=") {
				t.Fatalf("%q is no part of %q", part, raw)
			}
		}
	})
}
