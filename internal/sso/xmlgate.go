package sso

import (
	"bytes"
	"encoding/xml"
	"errors"
	"fmt"
	"io"
	"regexp"
	"strings"
	"unicode/utf8"

	"github.com/beevik/etree"
)

// Limits of a protocol message. Real answers have some 60 elements.
const (
	maxXML        = 128 << 10
	maxDepth      = 32
	maxElements   = 800
	maxAttributes = 32
	maxName       = 256
	maxValue      = 4 << 10
	maxText       = 64 << 10
)

const (
	nsXML   = "http://www.w3.org/XML/1998/namespace"
	nsXMLNS = "http://www.w3.org/2000/xmlns/"
)

var declaration = regexp.MustCompile(`^<\?xml[ \t\r\n]+version[ \t\r\n]*=[ \t\r\n]*(?:"1\.0"|'1\.0')` +
	`(?:[ \t\r\n]+encoding[ \t\r\n]*=[ \t\r\n]*(?:"(?i:utf-8)"|'(?i:utf-8)'))?` +
	`(?:[ \t\r\n]+standalone[ \t\r\n]*=[ \t\r\n]*(?:"(?:yes|no)"|'(?:yes|no)'))?[ \t\r\n]*\?>`)

// gateBytes refuses what a protocol message never needs, before any parser sees it: another encoding, a
// DTD, a comment, CDATA, a processing instruction. Nothing is left that two parsers read differently.
func gateBytes(doc []byte) *Refusal {
	at := func(code string, offset int) *Refusal {
		return &Refusal{Code: code, Seen: fmt.Sprintf("offset %d", offset)}
	}
	if bytes.HasPrefix(doc, []byte("\xef\xbb\xbf")) {
		return &Refusal{Code: CodeXMLEncoding, Expected: "UTF-8", Seen: "byte order mark"}
	}
	if !utf8.Valid(doc) {
		return &Refusal{Code: CodeXMLEncoding, Expected: "UTF-8", Seen: "invalid UTF-8"}
	}
	if i := bytes.IndexByte(doc, 0); i >= 0 {
		return at(CodeXMLEncoding, i)
	}
	body := doc
	if bytes.HasPrefix(doc, []byte("<?")) {
		head := declaration.Find(doc)
		if head == nil {
			if len(doc) > 5 && bytes.HasPrefix(doc, []byte("<?xml")) && strings.ContainsRune(" \t\r\n?", rune(doc[5])) {
				return &Refusal{Code: CodeXMLEncoding, Expected: "UTF-8", Seen: "declaration"}
			}
			return at(CodeXMLPI, 0)
		}
		body = doc[len(head):]
	}
	off := len(doc) - len(body)
	if i := bytes.Index(body, []byte("<?")); i >= 0 {
		return at(CodeXMLPI, off+i)
	}
	if i := bytes.Index(body, []byte("<!")); i >= 0 {
		code := CodeXMLDTD
		switch {
		case bytes.HasPrefix(body[i:], []byte("<!--")):
			code = CodeXMLComment
		case bytes.HasPrefix(body[i:], []byte("<![CDATA[")):
			code = CodeXMLCDATA
		}
		return at(code, off+i)
	}
	return nil
}

// bounds are the limits of one kind of document; metadata may be larger than a message.
type bounds struct{ elements, attributes, depth, value, text int }

var messageBounds = bounds{maxElements, maxAttributes, maxDepth, maxValue, maxText}

// gateTokens reads the document once, in time linear in its length, refuses what is not namespace-well-formed
// or larger than a message can be, and gives the tree of what it read: what was judged is what is used.
func gateTokens(doc []byte) (*etree.Element, *Refusal) { return gateTokensWithin(doc, messageBounds) }

func gateTokensWithin(doc []byte, b bounds) (*etree.Element, *Refusal) {
	g := tokens{dec: xml.NewDecoder(bytes.NewReader(doc)), bounds: b}
	g.dec.Strict = true
	tree := etree.NewDocument()
	at := &tree.Element
	for {
		tok, err := g.dec.RawToken()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			return nil, g.malformed("not well-formed")
		}
		if r := g.take(tok); r != nil {
			return nil, r
		}
		at = grow(at, tok)
	}
	if g.roots != 1 || len(g.open) > 0 {
		return nil, g.malformed("no closed root element")
	}
	return tree.Root(), nil
}

// grow adds a token that was let through to the tree and gives the element that stands open then.
func grow(at *etree.Element, tok xml.Token) *etree.Element {
	switch t := tok.(type) {
	case xml.StartElement:
		e := at.CreateElement(rawName(t.Name))
		e.Attr = make([]etree.Attr, 0, len(t.Attr))
		for _, a := range t.Attr {
			e.CreateAttr(rawName(a.Name), a.Value)
		}
		return e
	case xml.EndElement:
		return at.Parent()
	case xml.CharData:
		at.CreateText(string(t))
	}
	return at
}

type tokens struct {
	dec      *xml.Decoder
	bounds   bounds
	open     []string            // raw names, outermost first
	scopes   []map[string]string // declared prefixes of each open element; nil: none
	roots    int
	elements int
	text     int
}

func (g *tokens) malformed(what string) *Refusal {
	return &Refusal{Code: CodeXMLMalformed, Seen: fmt.Sprintf("%s, offset %d", what, g.dec.InputOffset())}
}

func (g *tokens) limit(what string, most int) *Refusal {
	return &Refusal{Code: CodeXMLLimits, Expected: fmt.Sprintf("%s ≤ %d", what, most),
		Seen: fmt.Sprintf("offset %d", g.dec.InputOffset())}
}

func (g *tokens) take(tok xml.Token) *Refusal {
	switch t := tok.(type) {
	case xml.StartElement:
		return g.start(t)
	case xml.EndElement:
		name := rawName(t.Name)
		if len(g.open) == 0 || g.open[len(g.open)-1] != name {
			return g.malformed("end tag does not match")
		}
		g.open, g.scopes = g.open[:len(g.open)-1], g.scopes[:len(g.scopes)-1]
		g.text = 0
	case xml.CharData:
		if len(g.open) == 0 {
			if len(bytes.Trim(t, " \t\r\n")) > 0 {
				return g.malformed("text outside the root element")
			}
			return nil
		}
		if g.text += len(t); g.text > g.bounds.text {
			return g.limit("text", g.bounds.text)
		}
	case xml.ProcInst:
		if t.Target != "xml" || g.roots > 0 {
			return g.malformed("processing instruction")
		}
	}
	return nil
}

func (g *tokens) start(t xml.StartElement) *Refusal {
	if len(g.open) == 0 {
		if g.roots++; g.roots > 1 {
			return g.malformed("second root element")
		}
	}
	if g.elements++; g.elements > g.bounds.elements {
		return g.limit("elements", g.bounds.elements)
	}
	if len(g.open)+1 > g.bounds.depth {
		return g.limit("depth", g.bounds.depth)
	}
	if len(t.Attr) > g.bounds.attributes {
		return g.limit("attributes", g.bounds.attributes)
	}
	g.text = 0
	scope, r := g.declare(t.Attr)
	if r != nil {
		return r
	}
	g.open, g.scopes = append(g.open, rawName(t.Name)), append(g.scopes, scope)
	if r := g.name(t.Name); r != nil {
		return r
	}
	seen := make(map[xml.Name]bool, len(t.Attr))
	for _, a := range t.Attr {
		if r := g.name(a.Name); r != nil {
			return r
		}
		if len(a.Value) > g.bounds.value {
			return g.limit("value", g.bounds.value)
		}
		key := a.Name
		if key.Space != "" && key.Space != "xmlns" {
			key.Space = g.resolve(key.Space)
		}
		if seen[key] {
			return g.malformed("attribute stands twice")
		}
		seen[key] = true
	}
	return nil
}

// declare gives the prefixes an element declares. The reserved ones stay what they are.
func (g *tokens) declare(attrs []xml.Attr) (map[string]string, *Refusal) {
	var scope map[string]string
	for _, a := range attrs {
		prefix := ""
		switch {
		case a.Name.Space == "" && a.Name.Local == "xmlns":
		case a.Name.Space == "xmlns":
			prefix = a.Name.Local
			if a.Value == "" || prefix == "xml" || prefix == "xmlns" {
				return nil, g.malformed("namespace declaration")
			}
		default:
			continue
		}
		if a.Value == nsXML || a.Value == nsXMLNS {
			return nil, g.malformed("namespace declaration")
		}
		if scope == nil {
			scope = map[string]string{}
		}
		scope[prefix] = a.Value
	}
	return scope, nil
}

// name wants both halves of a name to be NCNames and the prefix to be declared.
func (g *tokens) name(n xml.Name) *Refusal {
	if len(n.Space)+len(n.Local)+1 > maxName {
		return g.limit("name", maxName)
	}
	if !ncName(n.Local) || n.Space != "" && !ncName(n.Space) {
		return g.malformed("name")
	}
	if n.Space != "" && n.Space != "xml" && n.Space != "xmlns" && g.resolve(n.Space) == "" {
		return g.malformed("undeclared prefix")
	}
	return nil
}

func (g *tokens) resolve(prefix string) string {
	if prefix == "xml" {
		return nsXML
	}
	for i := len(g.scopes) - 1; i >= 0; i-- {
		if uri, ok := g.scopes[i][prefix]; ok {
			return uri
		}
	}
	return ""
}

func rawName(n xml.Name) string {
	if n.Space == "" {
		return n.Local
	}
	return n.Space + ":" + n.Local
}

// ncName is narrower than the specification: letters, digits, dot, hyphen, underscore, and whatever is not
// ASCII and a letter to XML, which the decoder has checked.
func ncName(s string) bool {
	if s == "" || strings.ContainsRune(s, ':') {
		return false
	}
	for i, r := range s {
		letter := r == '_' || r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' || r >= 0x80
		if !letter && (i == 0 || r != '-' && r != '.' && (r < '0' || r > '9')) {
			return false
		}
	}
	return true
}
