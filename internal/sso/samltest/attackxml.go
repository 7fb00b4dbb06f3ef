package samltest

import (
	"bytes"
	"encoding/base64"
	"fmt"
	"net/url"
	"strings"
	"unicode/utf16"

	"github.com/beevik/etree"

	"huoban/internal/sso"
)

func bytesRow(no, name, code string, change func(w *World, b []byte) []byte) Attack {
	return Attack{No: no, Name: name, Code: code, Layer: sso.LayerXML, Make: func(w *World, a *Answer) {
		a.Bytes = func(b []byte) []byte { return change(w, b) }
	}}
}

func xmlAttacks() []Attack {
	front := func(no, name, code, text string) Attack {
		r := bytesRow(no, name, code, func(_ *World, b []byte) []byte { return append([]byte(text), b...) })
		r.NoBytes = true
		return r
	}
	swap := func(no, name, code, from, to string) Attack {
		r := bytesRow(no, name, code, func(_ *World, b []byte) []byte {
			out := bytes.Replace(b, []byte(from), []byte(to), 1)
			if bytes.Equal(out, b) {
				panic("nothing to replace: " + from)
			}
			return out
		})
		r.NoBytes = true
		return r
	}
	const nameID = ">name-1<"
	entities := `<!DOCTYPE r [<!ENTITY a "ha"><!ENTITY b "&a;&a;&a;&a;&a;&a;&a;&a;"><!ENTITY x "&b;&b;&b;&b;&b;&b;&b;&b;">]>`
	rows := []Attack{
		front("41", "internal subset", sso.CodeXMLDTD, `<!DOCTYPE r [<!ELEMENT r ANY>]>`),
		front("42", "external DTD", sso.CodeXMLDTD, `<!DOCTYPE r SYSTEM "http://127.0.0.1:9/dtd">`),
		front("42", "parameter entity", sso.CodeXMLDTD, `<!DOCTYPE r [<!ENTITY % p SYSTEM "http://127.0.0.1:9/p"> %p;]>`),
		{No: "43", Name: "XXE in NameID", Code: sso.CodeXMLDTD, Layer: sso.LayerXML, NoBytes: true, Make: func(_ *World, a *Answer) {
			a.Bytes = func(b []byte) []byte {
				b = bytes.Replace(b, []byte(nameID), []byte(">&x;<"), 1)
				return append([]byte(`<!DOCTYPE r [<!ENTITY x SYSTEM "file:///etc/passwd">]>`), b...)
			}
		}},
		{No: "44", Name: "billion laughs", Code: sso.CodeXMLDTD, Layer: sso.LayerXML, NoBytes: true, Make: func(_ *World, a *Answer) {
			a.Bytes = func(b []byte) []byte {
				return append([]byte(entities), bytes.Replace(b, []byte(nameID), []byte(">&x;<"), 1)...)
			}
		}},
		swap("45", "comment in NameID", sso.CodeXMLComment, nameID, "><!-- -->name-1<"),
		swap("45", "comment inside the name", sso.CodeXMLComment, nameID, ">name<!-- -->-1<"),
		swap("46", "CDATA", sso.CodeXMLCDATA, nameID, "><![CDATA[name-1]]><"),
		swap("46", "CDATA split", sso.CodeXMLCDATA, nameID, ">name<![CDATA[-1]]><"),
		swap("47", "processing instruction in NameID", sso.CodeXMLPI, nameID, ">name<?x y?>-1<"),
		front("48", "stylesheet at the top", sso.CodeXMLPI, `<?xml-stylesheet href="http://127.0.0.1:9/x.xsl"?>`),
		front("48", "stylesheet behind the declaration", sso.CodeXMLPI, `<?xml version="1.0"?><?xml-stylesheet href="x"?>`),
		swap("49", "colon prefix on an element", sso.CodeXMLMalformed, "<saml:Subject>", "<saml:Subject><:x/>"),
		swap("49", "empty prefix on an attribute", sso.CodeXMLMalformed, "<saml:Subject>", `<saml:Subject :x="1">`),
		swap("49", "two colons", sso.CodeXMLMalformed, "<saml:Subject>", `<saml:Subject a:b:c="1">`),
		swap("49", "directive inside quotes", sso.CodeXMLDTD, "<saml:Subject>", `<saml:Subject x="<!x>">`),
		swap("49", "undeclared prefix", sso.CodeXMLMalformed, "<saml:Subject>", `<saml:Subject q:x="1">`),
		swap("50", "two Destination", sso.CodeXMLMalformed, " Destination=", ` Destination="x" Destination=`),
		swap("50", "two ID", sso.CodeXMLMalformed, " ID=", ` ID="_x" ID=`),
		swap("50", "same attribute by two prefixes", sso.CodeXMLMalformed, "<saml:Subject>", `<saml:Subject xmlns:p="urn:p" xmlns:q="urn:p" p:x="1" q:x="2">`),
		swap("51", "invalid UTF-8", sso.CodeXMLEncoding, nameID, ">na\xffme-1<"),
		swap("51", "NUL", sso.CodeXMLEncoding, nameID, ">name\x00-1<"),
		front("52", "declared UTF-16", sso.CodeXMLEncoding, `<?xml version="1.0" encoding="UTF-16"?>`),
		front("52", "declared UTF-7", sso.CodeXMLEncoding, `<?xml version="1.0" encoding="UTF-7"?>`),
		front("52", "declared ISO-8859-1", sso.CodeXMLEncoding, `<?xml version="1.0" encoding="ISO-8859-1"?>`),
		front("52", "XML 1.1", sso.CodeXMLEncoding, `<?xml version="1.1"?>`),
		{No: "52", Name: "declared utf-8", Make: func(_ *World, a *Answer) {
			a.Bytes = func(b []byte) []byte { return append([]byte("<?xml version='1.0' encoding='utf-8'?>\n"), b...) }
		}},
	}
	return append(append(rows, encodingAttacks()...), limitAttacks()...)
}

func encodingAttacks() []Attack {
	tail := func(no, name, text string) Attack {
		return bytesRow(no, name, sso.CodeXMLMalformed, func(_ *World, b []byte) []byte { return append(b, text...) })
	}
	return []Attack{
		bytesRow("53", "UTF-16 bytes", sso.CodeXMLEncoding, func(_ *World, b []byte) []byte {
			out := []byte{0xff, 0xfe}
			for _, u := range utf16.Encode([]rune(string(b))) {
				out = append(out, byte(u), byte(u>>8))
			}
			return out
		}),
		bytesRow("53", "byte order mark", sso.CodeXMLEncoding, func(_ *World, b []byte) []byte { return append([]byte("\xef\xbb\xbf"), b...) }),
		tail("54", "text behind the root", "x"), tail("54", "element behind the root", "<x/>"),
		bytesRow("54", "second Response", sso.CodeXMLMalformed, func(_ *World, b []byte) []byte { return append(b, b...) }),
	}
}

func nest(n int) string {
	return strings.Repeat("<x>", n) + strings.Repeat("</x>", n)
}

func limitAttacks() []Attack {
	raw := func(no, name, code string, layer sso.Layer, text string) Attack {
		return Attack{No: no, Name: name, Code: code, Layer: layer, Post: func(w *World) sso.Post { return postOf(w, []byte(text)) }}
	}
	attributes := func(n int) string {
		var b strings.Builder
		b.WriteString("<x")
		for i := range n {
			fmt.Fprintf(&b, " a%d=''", i)
		}
		return b.String() + "/>"
	}
	tree := func(no, name string, change func(r *etree.Element)) Attack {
		return Attack{No: no, Name: name, Code: sso.CodeXMLShape, Layer: sso.LayerXML, NoShape: true, Make: func(_ *World, a *Answer) {
			a.Before = func(r, _ *etree.Element) { change(r) }
		}}
	}
	root := func(no, name string, change func(r *etree.Element) *etree.Element) Attack {
		return Attack{No: no, Name: name, Code: sso.CodeXMLShape, Layer: sso.LayerXML, Post: func(w *World) sso.Post {
			return postOf(w, Text(change(w.Answer().Tree())))
		}}
	}
	garbage := "<samlp:Response xmlns:samlp='" + NSProtocol + "' ID='_a'>" + strings.Repeat("<x/>", 2000) +
		"<ds:Signature xmlns:ds='" + NSDSig + "'/></samlp:Response>"
	return []Attack{
		raw("55", "depth 33", sso.CodeXMLLimits, sso.LayerXML, nest(33)), raw("55", "depth 10,000", sso.CodeXMLLimits, sso.LayerXML, nest(10000)),
		raw("56", "801 elements", sso.CodeXMLLimits, sso.LayerXML, "<r>"+strings.Repeat("<x/>", 800)+"</r>"),
		raw("56", "2,000 elements and a garbage Signature", sso.CodeXMLLimits, sso.LayerXML, garbage),
		raw("57", "200,000 attributes", sso.CodeInSize, sso.LayerEdge, attributes(200000)),
		raw("57", "33 attributes", sso.CodeXMLLimits, sso.LayerXML, attributes(33)),
		raw("57", "value of 5 KiB", sso.CodeXMLLimits, sso.LayerXML, "<x a='"+strings.Repeat("v", 5<<10)+"'/>"),
		raw("57", "text of 65 KiB", sso.CodeXMLLimits, sso.LayerXML, "<x>"+strings.Repeat("v", 65<<10)+"</x>"),
		raw("57", "name of 300 bytes", sso.CodeXMLLimits, sso.LayerXML, "<"+strings.Repeat("v", 300)+"/>"),
		raw("58", "10 MB", sso.CodeInSize, sso.LayerEdge, "<x>"+strings.Repeat(" ", 10<<20)+"</x>"),
		tree("59", "NameID with a child", func(r *etree.Element) { r.FindElement(".//NameID").CreateElement("saml:x").SetText(Evil) }),
		tree("59", "two NameID", func(r *etree.Element) {
			id := r.FindElement(".//NameID").Copy()
			id.SetText(Evil)
			r.FindElement(".//Subject").InsertChildAt(1, id)
		}),
		root("64", "bare assertion", func(r *etree.Element) *etree.Element { return alone(r.SelectElement("Assertion")) }),
		root("64", "LogoutResponse", func(r *etree.Element) *etree.Element {
			r.Tag = "LogoutResponse"
			return r
		}),
		tree("64", "element in no namespace", func(r *etree.Element) { r.FindElement(".//Subject").CreateElement("x") }),
		tree("64", "text between elements", func(r *etree.Element) { r.FindElement(".//Subject").CreateText("x") }),
		tree("64", "ID that is no NCName", func(r *etree.Element) { r.FindElement(".//Assertion").CreateAttr("ID", "1 2") }),
	}
}

func edgeAttacks() []Attack {
	post := func(no, name, code string, change func(p *sso.Post)) Attack {
		return Attack{No: no, Name: name, Code: code, Layer: sso.LayerEdge, Post: func(w *World) sso.Post {
			p := w.Answer().Post()
			change(&p)
			return p
		}}
	}
	value := func(no, name string, change func(v string) string) Attack {
		return post(no, name, sso.CodeInBase64, func(p *sso.Post) {
			p.Form.Set("SAMLResponse", change(p.Form.Get("SAMLResponse")))
		})
	}
	return []Attack{
		value("60", "garbage", func(string) string { return "%%%%" }),
		value("60", "url alphabet", func(v string) string {
			raw, _ := base64.StdEncoding.DecodeString(v)
			return base64.RawURLEncoding.EncodeToString(append(raw, 0xfb, 0xff))
		}),
		value("60", "inner NUL", func(v string) string { return v[:8] + "\x00" + v[8:] }),
		value("60", "bytes behind the padding", func(v string) string { return v + "====" }),
		value("60", "empty", func(string) string { return "\r\n" }),
		post("60", "wrapped lines", "", func(p *sso.Post) {
			v := p.Form.Get("SAMLResponse")
			p.Form.Set("SAMLResponse", v[:76]+"\r\n"+v[76:100]+" "+v[100:])
		}),
		post("61", "SAMLart in the query", sso.CodeInParams, func(p *sso.Post) { p.RawQuery = "SAMLart=x" }),
		post("61", "SAMLart in the body", sso.CodeInParams, func(p *sso.Post) { p.Form.Set("SAMLart", "x") }),
		post("62", "two SAMLResponse", sso.CodeInParams, func(p *sso.Post) { p.Form.Add("SAMLResponse", p.Form.Get("SAMLResponse")) }),
		post("62", "in the query only", sso.CodeInParams, func(p *sso.Post) {
			p.RawQuery = url.Values{"SAMLResponse": p.Form["SAMLResponse"]}.Encode()
			p.Form.Del("SAMLResponse")
		}),
		post("62", "two RelayState", sso.CodeInParams, func(p *sso.Post) { p.Form.Add("RelayState", "x") }),
		post("62", "RelayState of 129 bytes", sso.CodeInParams, func(p *sso.Post) { p.Form.Set("RelayState", strings.Repeat("x", 129)) }),
		post("62", "GET", sso.CodeInMethod, func(p *sso.Post) { p.Method = "GET" }),
		post("62", "multipart", sso.CodeInMethod, func(p *sso.Post) { p.ContentType = "multipart/form-data; boundary=x" }),
		post("62", "body over 256 KiB", sso.CodeInSize, func(p *sso.Post) { p.TooLarge = true }),
	}
}
