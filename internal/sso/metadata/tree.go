package metadata

import (
	"bytes"
	"encoding/xml"
	"errors"
	"io"
	"strings"
	"unicode/utf8"

	"huoban/internal/fault"
)

// Limits of a document.
const (
	MaxBytes    = 2 << 20
	maxElements = 20000
	maxDepth    = 32
	maxGroups   = 3
	maxValue    = 256 << 10 // a text or value; certificates are the longest there are
)

// Codes of refusals. Each has a sentence in both catalogues under "fault.".
const (
	CodeSize     = "sso.md.size"
	CodeXML      = "sso.md.xml"
	CodeEntities = "sso.md.entities"
	CodeRole     = "sso.md.role"
	CodeKey      = "sso.md.key"
	CodeEndpoint = "sso.md.endpoint"
	CodeEntityID = "sso.md.entity_id"
	CodeExpired  = "sso.md.expired"
	CodeSig      = "sso.md.sig"
)

const (
	nsMD = "urn:oasis:names:tc:SAML:2.0:metadata"
	nsDS = "http://www.w3.org/2000/09/xmldsig#"
)

// node is one element with its names resolved.
type node struct {
	space, local string
	attrs        map[string]string // those without a namespace
	text         string
	children     []*node
	line         int
}

func (n *node) is(space, local string) bool { return n.space == space && n.local == local }

// kids are the children of that name.
func (n *node) kids(space, local string) []*node {
	var out []*node
	for _, c := range n.children {
		if c.is(space, local) {
			out = append(out, c)
		}
	}
	return out
}

func badXML(line int, why string) *fault.Error {
	return fault.Invalid(CodeXML, fault.Args{"line": line, "why": why})
}

var mark = []byte("\xef\xbb\xbf")

// read makes the tree, within the limits. A mark at the beginning is passed over, comments are too; a
// DTD and processing instructions are refused, because no reader of metadata needs them.
func read(body []byte) (*node, error) {
	if len(body) > MaxBytes {
		return nil, fault.Invalid(CodeSize, fault.Args{"limit": MaxBytes >> 20})
	}
	body = bytes.TrimPrefix(body, mark)
	if !utf8.Valid(body) || bytes.IndexByte(body, 0) >= 0 {
		return nil, badXML(1, "encoding")
	}
	if bytes.Contains(body, []byte("PRIVATE KEY")) {
		return nil, reason(CodeKey, "sso.md.key_private", nil)
	}
	r := reader{decoder: xml.NewDecoder(bytes.NewReader(body))}
	r.decoder.CharsetReader = func(string, io.Reader) (io.Reader, error) { return nil, errors.New("encoding") }
	if err := r.run(); err != nil {
		return nil, err
	}
	return r.root, nil
}

type reader struct {
	decoder *xml.Decoder
	root    *node
	open    []*node
	count   int
}

func (r *reader) line() int {
	line, _ := r.decoder.InputPos()
	return line
}

func (r *reader) run() error {
	for {
		first := r.decoder.InputOffset() == 0
		tok, err := r.decoder.Token()
		if errors.Is(err, io.EOF) {
			if r.root == nil || len(r.open) > 0 {
				return badXML(r.line(), "malformed")
			}
			return nil
		}
		if err != nil {
			return badXML(r.line(), "malformed").Because(err)
		}
		if err := r.take(tok, first); err != nil {
			return err
		}
	}
}

func (r *reader) take(tok xml.Token, first bool) error {
	switch t := tok.(type) {
	case xml.Directive:
		return badXML(r.line(), "dtd")
	case xml.ProcInst:
		if t.Target != "xml" || !first {
			return badXML(r.line(), "pi")
		}
	case xml.StartElement:
		return r.start(t)
	case xml.EndElement:
		n := r.open[len(r.open)-1]
		n.text = strings.TrimSpace(n.text)
		r.open = r.open[:len(r.open)-1]
	case xml.CharData:
		if len(r.open) == 0 {
			if len(bytes.TrimSpace(t)) > 0 {
				return badXML(r.line(), "malformed")
			}
			return nil
		}
		n := r.open[len(r.open)-1]
		if len(n.text)+len(t) > maxValue {
			return badXML(r.line(), "limits")
		}
		if len(bytes.TrimSpace(t)) > 0 {
			n.text += string(t)
		}
	}
	return nil
}

func (r *reader) start(t xml.StartElement) error {
	r.count++
	if r.count > maxElements || len(r.open) >= maxDepth {
		return badXML(r.line(), "limits")
	}
	if r.root != nil && len(r.open) == 0 {
		return badXML(r.line(), "malformed")
	}
	n := &node{space: t.Name.Space, local: t.Name.Local, attrs: map[string]string{}, line: r.line()}
	seen := map[xml.Name]bool{}
	for _, a := range t.Attr {
		if seen[a.Name] {
			return badXML(r.line(), "malformed")
		}
		seen[a.Name] = true
		if len(a.Value) > maxValue {
			return badXML(r.line(), "limits")
		}
		if a.Name.Space == "" {
			n.attrs[a.Name.Local] = a.Value
		}
	}
	if r.root == nil {
		r.root = n
	} else {
		up := r.open[len(r.open)-1]
		up.children = append(up.children, n)
	}
	r.open = append(r.open, n)
	return nil
}

// reason is a refusal with the one thing that is wrong beneath it.
func reason(code, why string, args fault.Args) *fault.Error {
	f := fault.Invalid(code, args)
	f.Reason = []*fault.Error{fault.Invalid(why, args)}
	return f
}
