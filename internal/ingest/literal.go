package ingest

import (
	"errors"
	"strconv"
	"strings"
	"unicode/utf8"
)

// Google's exports hold lists as JSON or, when a script has read and written them, as Python prints
// them: [{'name': 'Trial', 'amount': -5e-06, 'full_name': None}]. readLiteral reads both.
// Numbers stay text, so that no digit is lost.

type literalNumber string

var errLiteral = errors.New("not a list or object")

const literalDepth = 8

func readLiteral(text []byte) (any, error) {
	p := &literalReader{text: text}
	v, err := p.value(0)
	if err != nil {
		return nil, err
	}
	p.space()
	if p.at != len(p.text) {
		return nil, errLiteral
	}
	return v, nil
}

func literalText(v any) string {
	switch v := v.(type) {
	case string:
		return v
	case literalNumber:
		return string(v)
	case bool:
		return strconv.FormatBool(v)
	}
	return ""
}

type literalReader struct {
	text []byte
	at   int
}

func (p *literalReader) space() {
	for p.at < len(p.text) && strings.IndexByte(" \t\r\n", p.text[p.at]) >= 0 {
		p.at++
	}
}

func (p *literalReader) next() byte {
	p.space()
	if p.at >= len(p.text) {
		return 0
	}
	return p.text[p.at]
}

func (p *literalReader) value(depth int) (any, error) {
	if depth > literalDepth {
		return nil, errLiteral
	}
	switch ch := p.next(); {
	case ch == '[':
		return p.list(depth)
	case ch == '{':
		return p.object(depth)
	case ch == '"' || ch == '\'':
		return p.quoted(ch)
	case ch == '-' || ch >= '0' && ch <= '9':
		start := p.at
		for p.at < len(p.text) && strings.IndexByte("+-.0123456789eE", p.text[p.at]) >= 0 {
			p.at++
		}
		return literalNumber(p.text[start:p.at]), nil
	}
	for word, v := range map[string]any{"None": nil, "null": nil, "True": true, "true": true, "False": false, "false": false} {
		if strings.HasPrefix(string(p.text[p.at:min(len(p.text), p.at+5)]), word) {
			p.at += len(word)
			return v, nil
		}
	}
	return nil, errLiteral
}

func (p *literalReader) list(depth int) (any, error) {
	p.at++
	items := []any{}
	for p.next() != ']' {
		v, err := p.value(depth + 1)
		if err != nil {
			return nil, err
		}
		items = append(items, v)
		if !p.separated(']') {
			return nil, errLiteral
		}
	}
	p.at++
	return items, nil
}

func (p *literalReader) object(depth int) (any, error) {
	p.at++
	m := map[string]any{}
	for p.next() != '}' {
		q := p.next()
		if q != '"' && q != '\'' {
			return nil, errLiteral
		}
		key, err := p.quoted(q)
		if err != nil {
			return nil, err
		}
		if _, twice := m[key]; twice || p.next() != ':' {
			return nil, errLiteral
		}
		p.at++
		if m[key], err = p.value(depth + 1); err != nil {
			return nil, err
		}
		if !p.separated('}') {
			return nil, errLiteral
		}
	}
	p.at++
	return m, nil
}

// separated passes a comma, or stands before the closing bracket.
func (p *literalReader) separated(closing byte) bool {
	switch p.next() {
	case ',':
		p.at++
		return true
	case closing:
		return true
	}
	return false
}

func (p *literalReader) quoted(q byte) (string, error) {
	p.at++
	var out []byte
	for p.at < len(p.text) {
		ch := p.text[p.at]
		p.at++
		switch ch {
		case q:
			return string(out), nil
		case '\\':
			if p.at >= len(p.text) {
				return "", errLiteral
			}
			esc := p.text[p.at]
			p.at++
			switch esc {
			case 'n':
				out = append(out, '\n')
			case 't':
				out = append(out, '\t')
			case 'r':
				out = append(out, '\r')
			case 'b', 'f':
			case 'x', 'u':
				width := map[byte]int{'x': 2, 'u': 4}[esc]
				if p.at+width > len(p.text) {
					return "", errLiteral
				}
				code, err := strconv.ParseUint(string(p.text[p.at:p.at+width]), 16, 32)
				if err != nil {
					return "", errLiteral
				}
				p.at += width
				out = utf8.AppendRune(out, rune(code))
			default:
				out = append(out, esc)
			}
		default:
			out = append(out, ch)
		}
	}
	return "", errLiteral
}
