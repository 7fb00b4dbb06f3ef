package ingest

import (
	"bytes"
	"encoding/json"
	"strings"
)

// Tags is the cell as canonical JSON, an object of texts with sorted keys; "" if there are none. It
// takes an object, one without its braces as Azure writes it, and lists of {key, value} as Google
// and Parquet readers write them. What is none of these is kept under the key "".
func (b *Bound) Tags(rec *Record, column int) string {
	cell := b.Cell(rec, column)
	if cell == nil {
		return ""
	}
	if len(cell) > cacheLong {
		return canonicalTags(cell)
	}
	if s, ok := b.tags[string(cell)]; ok {
		return s
	}
	if len(b.tags) >= cacheMost {
		clear(b.tags)
	}
	s := canonicalTags(cell)
	b.tags[string(cell)] = s
	return s
}

func canonicalTags(cell []byte) string {
	m := map[string]string{}
	if !readTags(cell, m) {
		m[""] = string(cell)
	}
	return TagText(m)
}

// TagText is the canonical form of tags; "" for none.
func TagText(m map[string]string) string {
	if len(m) == 0 {
		return ""
	}
	var out bytes.Buffer
	enc := json.NewEncoder(&out)
	enc.SetEscapeHTML(false)
	if err := enc.Encode(m); err != nil { // maps of strings always encode; keys come sorted
		return ""
	}
	return strings.TrimRight(out.String(), "\n")
}

func readTags(cell []byte, into map[string]string) bool {
	switch cell[0] {
	case '{':
		return readObject(cell, into)
	case '[':
		return readPairs(cell, into)
	case '"':
		return readObject([]byte("{"+string(cell)+"}"), into)
	}
	return false
}

func readObject(cell []byte, into map[string]string) bool {
	var raw map[string]json.RawMessage
	if json.Unmarshal(cell, &raw) != nil {
		return false
	}
	for k, v := range raw {
		into[k] = plainJSON(v)
	}
	return true
}

// readPairs reads [{"key": k, "value": v}, …], also in Python's spelling.
func readPairs(cell []byte, into map[string]string) bool {
	list, err := readLiteral(cell)
	if err != nil {
		return false
	}
	items, _ := list.([]any)
	for _, item := range items {
		m, ok := item.(map[string]any)
		if !ok {
			return false
		}
		key, ok := m["key"].(string)
		if !ok {
			return false
		}
		into[key] = literalText(m["value"])
	}
	return true
}

// plainJSON is a text without its quotes, null as "", and anything else as it stands.
func plainJSON(v json.RawMessage) string {
	var s string
	if json.Unmarshal(v, &s) == nil {
		return s
	}
	return string(v)
}

// tagValue is the value of a tag in canonical tags.
func tagValue(canonical, name string) string {
	if canonical == "" {
		return ""
	}
	var m map[string]string
	if json.Unmarshal([]byte(canonical), &m) != nil {
		return ""
	}
	return m[name]
}
