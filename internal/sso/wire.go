package sso

import (
	"bytes"
	"compress/flate"
	"crypto"
	"crypto/ecdsa"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"encoding/base64"
	"errors"
	"fmt"
	"io"
	"math/big"
	"net/url"
	"slices"
	"strings"

	"github.com/beevik/etree"
	dsig "github.com/russellhaering/goxmldsig"
)

// Limits of the redirect binding.
const (
	maxDeflated = 16 << 10
	maxInflated = 64 << 10
	maxRelay    = 1024
)

// wire is a request or logout message as it came through either binding.
type wire struct {
	param    string // SAMLRequest or SAMLResponse
	relay    string
	redirect bool
	query    *querySignature // redirect: the signature, if there is one
}

// querySignature is what the redirect binding signs: the raw text of the query.
type querySignature struct {
	octets []byte
	alg    string
	value  []byte
}

// receive takes the message out of the query or the form. Both at once, a parameter twice and the artifact
// binding are refused with the caller's code for a malformed message.
func (c *check) receive(form string) *Refusal {
	bad := func(seen string) *Refusal { return &Refusal{Code: form, Seen: seen} }
	switch c.post.Method {
	case "GET":
		q, r := parseQuery(c.post.RawQuery)
		if r != "" {
			return bad(r)
		}
		c.in = wire{param: q.param, relay: q.relay, redirect: true, query: q.sig}
		raw, ref := inflate(q.message)
		c.raw = raw
		return ref
	case "POST":
		for _, step := range []func(*check) *Refusal{checkTransport, checkFormSize} {
			if r := step(c); r != nil {
				return r
			}
		}
		c.param = "SAMLRequest"
		if len(c.post.Form["SAMLResponse"]) > 0 {
			c.param = "SAMLResponse"
		}
		if len(c.post.Form.Get("RelayState")) > maxRelay || c.post.Form.Get(c.param) == "" {
			return bad("RelayState, " + c.param)
		}
		if r := c.onlyOnce(); r != "" {
			return bad(r)
		}
		c.in = wire{param: c.param, relay: c.post.Form.Get("RelayState")}
		return decodeMessage(c)
	}
	return bad(c.post.Method)
}

func (c *check) onlyOnce() string {
	for _, name := range []string{"SAMLResponse", "SAMLRequest", "SAMLart", "RelayState", "Signature", "SigAlg"} {
		n := len(c.post.Form[name])
		if name == c.param && n != 1 || name == "RelayState" && n > 1 || name != c.param && name != "RelayState" && n > 0 {
			return fmt.Sprintf("%s × %d", name, n)
		}
	}
	if strings.Contains(c.post.RawQuery, "SAML") || strings.Contains(c.post.RawQuery, "RelayState") {
		return "query"
	}
	return ""
}

type parsedQuery struct {
	param, message, relay string
	sig                   *querySignature
}

// parseQuery reads the raw query of the redirect binding: each of its parameters at most once. The signed
// octets are cut out as they came, because encoding them again may write them otherwise.
func parseQuery(raw string) (parsedQuery, string) {
	if len(raw) > 2*maxDeflated+4*maxRelay {
		return parsedQuery{}, "too long"
	}
	for i := range len(raw) {
		// What is not escaped as it should be reads one way here and another there.
		if raw[i] <= ' ' || raw[i] >= 0x7f || raw[i] == ';' {
			return parsedQuery{}, "escape"
		}
	}
	values, order := map[string]string{}, []string{}
	for part := range strings.SplitSeq(raw, "&") {
		name, value, _ := strings.Cut(part, "=")
		plain, err := url.QueryUnescape(name)
		if err != nil {
			return parsedQuery{}, "escape"
		}
		switch plain {
		case "SAMLRequest", "SAMLResponse", "RelayState", "SigAlg", "Signature", "SAMLEncoding", "SAMLart":
		default:
			continue // nothing of it is read
		}
		if _, twice := values[plain]; twice || plain != name {
			return parsedQuery{}, plain + " × 2"
		}
		values[plain] = value
		order = append(order, plain)
	}
	var q parsedQuery
	q.param = "SAMLRequest"
	if _, ok := values["SAMLResponse"]; ok {
		q.param = "SAMLResponse"
	}
	if _, both := values["SAMLRequest"]; both && q.param == "SAMLResponse" {
		return q, "SAMLRequest, SAMLResponse"
	}
	if _, art := values["SAMLart"]; art {
		return q, "SAMLart"
	}
	var err1, err2 error
	q.message, err1 = url.QueryUnescape(values[q.param])
	q.relay, err2 = url.QueryUnescape(values["RelayState"])
	if err1 != nil || err2 != nil || q.message == "" || len(q.relay) > maxRelay {
		return q, q.param + ", RelayState"
	}
	if enc, ok := values["SAMLEncoding"]; ok && enc != url.QueryEscape("urn:oasis:names:tc:SAML:2.0:bindings:URL-Encoding:DEFLATE") {
		return q, "SAMLEncoding"
	}
	return q, q.signature(values, order)
}

// signature collects what was signed. In another order than the binding's nothing counts as signed.
func (q *parsedQuery) signature(values map[string]string, order []string) string {
	rawSig, has := values["Signature"]
	rawAlg, hasAlg := values["SigAlg"]
	if !has && !hasAlg {
		return ""
	}
	alg, err1 := url.QueryUnescape(rawAlg)
	text, err2 := url.QueryUnescape(rawSig)
	if err1 != nil || err2 != nil {
		return "SigAlg, Signature"
	}
	q.sig = &querySignature{alg: alg}
	value, err := base64.StdEncoding.Strict().DecodeString(blanks.Replace(text))
	wanted := []string{q.param, "RelayState", "SigAlg", "Signature"}
	at := -1
	for _, name := range order {
		i := slices.Index(wanted, name)
		if i < 0 {
			continue
		}
		if i < at {
			return "" // the signature stays empty and verifies nothing
		}
		at = i
	}
	if err != nil {
		return ""
	}
	signed := q.param + "=" + values[q.param]
	if relay, ok := values["RelayState"]; ok {
		signed += "&RelayState=" + relay
	}
	q.sig.octets, q.sig.value = []byte(signed+"&SigAlg="+rawAlg), value
	return ""
}

// inflate unpacks a redirect message, counting while it reads.
func inflate(text string) ([]byte, *Refusal) {
	size := func() *Refusal { return &Refusal{Code: CodeInSize, Expected: fmt.Sprintf("≤ %d", maxInflated)} }
	text = blanks.Replace(text)
	if len(text) > maxDeflated {
		return nil, size()
	}
	packed, err := base64.StdEncoding.Strict().DecodeString(text)
	if err != nil || len(packed) == 0 {
		return nil, &Refusal{Code: CodeInBase64}
	}
	r := flate.NewReader(bytes.NewReader(packed))
	raw, err := io.ReadAll(io.LimitReader(r, maxInflated+1))
	if len(raw) > maxInflated {
		return nil, size()
	}
	if err != nil || len(raw) == 0 {
		return nil, &Refusal{Code: CodeInBase64, Seen: "deflate"}
	}
	return raw, nil
}

// verifyQuery verifies a query's signature with any registered certificate.
func (t trust) verifyQuery(q querySignature) *Refusal {
	if !slices.Contains(signatureAlgs, q.alg) {
		return &Refusal{Code: CodeSigAlg, Expected: "RSA/ECDSA SHA-256, SHA-384, SHA-512", Seen: q.alg}
	}
	candidates, r := t.strong(t.anchors())
	if r != nil {
		return r
	}
	var late *Refusal
	for _, a := range candidates {
		if !verifyBytes(a.parsed.PublicKey, q.alg, q.octets, q.value) {
			continue
		}
		if late = t.inTime(a); late == nil {
			return nil
		}
	}
	if late != nil {
		return late
	}
	return &Refusal{Code: CodeSigValue, Expected: t.registered()}
}

func verifyBytes(pub any, alg string, octets, value []byte) bool {
	h := crypto.SHA256
	switch {
	case strings.HasSuffix(alg, "384"):
		h = crypto.SHA384
	case strings.HasSuffix(alg, "512"):
		h = crypto.SHA512
	}
	sum := h.New()
	sum.Write(octets)
	switch k := pub.(type) {
	case *rsa.PublicKey:
		return strings.Contains(alg, "#rsa-") && rsa.VerifyPKCS1v15(k, h, sum.Sum(nil), value) == nil
	case *ecdsa.PublicKey:
		n := (k.Curve.Params().BitSize + 7) / 8
		if !strings.Contains(alg, "#ecdsa-") || len(value) != 2*n {
			return false
		}
		return ecdsa.Verify(k, sum.Sum(nil), new(big.Int).SetBytes(value[:n]), new(big.Int).SetBytes(value[n:]))
	}
	return false
}

// verifyMessage verifies whichever signature the binding has and gives the element to read: the verified one
// of a posted message, the parsed one of a query whose text was signed. Without a signature it gives missing.
func (c *check) verifyMessage(missing, bad string) *Refusal {
	wrong := func(r *Refusal) *Refusal {
		return &Refusal{Code: bad, Expected: r.Expected, Seen: r.Seen, More: map[string]any{"why": r.Code}}
	}
	c.response = c.root
	if c.in.redirect {
		if c.in.query == nil {
			return missingSignature(missing)
		}
		if r := c.trust().verifyQuery(*c.in.query); r != nil {
			return wrong(r)
		}
		return nil
	}
	sig := childOf(c.root, nsDSig, "Signature")
	if sig == nil {
		return missingSignature(missing)
	}
	if r := checkAlgorithms(sig); r != nil {
		return wrong(r)
	}
	if r := checkReference(sig); r != nil {
		return wrong(r)
	}
	v, r := c.trust().verifyWithAny(c.root)
	if r != nil {
		return wrong(r)
	}
	c.response = v
	return nil
}

func missingSignature(code string) *Refusal {
	if code == "" {
		return nil
	}
	return &Refusal{Code: code, Expected: "Signature"}
}

// current is the key that signs now.
func current(keys []Key) (Key, error) {
	for _, k := range keys {
		if k.Use == KeyUseSign && k.State == KeyStateCurrent && k.Private != nil {
			return k, nil
		}
	}
	return Key{}, errors.New("no current key to sign with")
}

// send signs a message and puts it on its way: the query of a redirect, or the fields of a form.
func send(root *etree.Element, param string, binding Binding, to, relay string, keys []Key, sign bool) (Outgoing, error) {
	var key Key
	if sign {
		k, err := current(keys)
		if err != nil {
			return Outgoing{}, err
		}
		key = k
	}
	if binding == BindingPost {
		if sign {
			if err := signElement(root, key); err != nil {
				return Outgoing{}, err
			}
		}
		text, err := serialise(root)
		if err != nil {
			return Outgoing{}, err
		}
		out := Outgoing{Binding: BindingPost, URL: to, Fields: []Field{{param, base64.StdEncoding.EncodeToString(text)}}}
		if relay != "" {
			out.Fields = append(out.Fields, Field{"RelayState", relay})
		}
		return out, nil
	}
	text, err := serialise(root)
	if err != nil {
		return Outgoing{}, err
	}
	query := param + "=" + url.QueryEscape(deflate(text))
	if relay != "" {
		query += "&RelayState=" + url.QueryEscape(relay)
	}
	if sign {
		query += "&SigAlg=" + url.QueryEscape(algRSA256)
		sum := sha256.Sum256([]byte(query))
		sig, err := rsa.SignPKCS1v15(rand.Reader, key.Private, crypto.SHA256, sum[:])
		if err != nil {
			return Outgoing{}, err
		}
		query += "&Signature=" + url.QueryEscape(base64.StdEncoding.EncodeToString(sig))
	}
	glue := "?"
	if strings.Contains(to, "?") {
		glue = "&"
	}
	return Outgoing{Binding: BindingRedirect, URL: to + glue + query}, nil
}

func deflate(text []byte) string {
	var b bytes.Buffer
	w, _ := flate.NewWriter(&b, flate.BestCompression) // fails for an unknown level only
	w.Write(text)
	w.Close()
	return base64.StdEncoding.EncodeToString(b.Bytes())
}

func serialise(root *etree.Element) ([]byte, error) {
	d := etree.NewDocument()
	d.SetRoot(root)
	return d.WriteToBytes()
}

// signElement puts our enveloped signature behind the issuer, where the schema has it.
func signElement(el *etree.Element, key Key) error {
	var chain [][]byte
	if len(key.CertDER) > 0 {
		chain = append(chain, key.CertDER)
	}
	ctx, err := dsig.NewSigningContext(key.Private, chain)
	if err != nil {
		return err
	}
	ctx.Canonicalizer = dsig.MakeC14N10ExclusiveCanonicalizerWithPrefixList("")
	if err := ctx.SetSignatureMethod(dsig.RSASHA256SignatureMethod); err != nil {
		return err
	}
	sig, err := ctx.ConstructSignature(el, true)
	if err != nil {
		return err
	}
	at := 0
	if i := childOf(el, nsAssertion, "Issuer"); i != nil {
		at = i.Index() + 1
	}
	el.InsertChildAt(at, sig)
	return nil
}
