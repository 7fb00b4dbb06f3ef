package workbook

import (
	"bufio"
	"encoding/xml"
	"io"
	"os"
	"regexp"
	"strconv"
	"strings"
)

const (
	mostShared  = 1 << 24 // strings
	sharedCache = 1 << 14 // strings held in memory
	sharedLong  = 1 << 10 // longest string that is held
)

// sharedStrings is the table cells refer to. It lies on disk; what was used last is held.
type sharedStrings struct {
	file  *os.File
	ends  []int64
	cache map[int]string
}

func (b *book) readShared(part string) error {
	f, err := spool()
	if err != nil {
		return err
	}
	t := &sharedStrings{file: f, cache: map[int]string{}}
	b.shared = t
	out := bufio.NewWriterSize(f, 256<<10)
	at := int64(0)
	err = b.each(part, func(s *scan, el xml.StartElement) error {
		if el.Name.Local != "si" {
			return nil
		}
		text, err := s.text("si")
		if err != nil {
			return err
		}
		if len(t.ends) >= mostShared {
			return errTooMuch
		}
		n, err := out.Write(text)
		at += int64(n)
		t.ends = append(t.ends, at)
		return err
	})
	if err != nil {
		return err
	}
	return out.Flush()
}

func (b *book) closeShared() {
	if b.shared != nil {
		_ = b.shared.file.Close()
		b.shared = nil
	}
}

// text joins the t elements up to the end of the open element; how a reading is pronounced (rPh) is
// no part of it.
func (s *scan) text(open string) ([]byte, error) {
	var out []byte
	inT := false
	for {
		tok, err := s.token()
		if err != nil {
			return nil, broken(err)
		}
		switch v := tok.(type) {
		case xml.StartElement:
			switch v.Name.Local {
			case "t":
				inT = true
			case "rPh":
				if err := s.skip(); err != nil {
					return nil, err
				}
			}
		case xml.EndElement:
			switch v.Name.Local {
			case "t":
				inT = false
			case open:
				return unescaped(out), nil
			}
		case xml.CharData:
			if inT {
				if len(out)+len(v) > mostPiece {
					return nil, errTooMuch
				}
				out = append(out, v...)
			}
		}
	}
}

// at is a string of the table.
func (t *sharedStrings) at(index string) (string, error) {
	i, err := strconv.Atoi(strings.TrimSpace(index))
	if err != nil || t == nil || i < 0 || i >= len(t.ends) {
		return "", broken(err)
	}
	if s, ok := t.cache[i]; ok {
		return s, nil
	}
	from := int64(0)
	if i > 0 {
		from = t.ends[i-1]
	}
	buf := make([]byte, t.ends[i]-from)
	if _, err := t.file.ReadAt(buf, from); err != nil && (err != io.EOF || len(buf) > 0) {
		return "", broken(err)
	}
	s := string(buf)
	if len(s) <= sharedLong {
		if len(t.cache) >= sharedCache {
			clear(t.cache)
		}
		t.cache[i] = s
	}
	return s, nil
}

var escaped = regexp.MustCompile(`_x[0-9A-Fa-f]{4}_`)

// unescaped puts back characters XML cannot hold, written _x000D_.
func unescaped(text []byte) []byte {
	if !escaped.Match(text) {
		return text
	}
	return escaped.ReplaceAllFunc(text, func(m []byte) []byte {
		r, err := strconv.ParseUint(string(m[2:6]), 16, 16)
		if err != nil {
			return m
		}
		return []byte(string(rune(r)))
	})
}
