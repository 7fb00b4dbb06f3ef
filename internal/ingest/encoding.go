package ingest

import (
	"bufio"
	"bytes"
	"io"
	"unicode/utf8"

	"golang.org/x/text/encoding/simplifiedchinese"
	"golang.org/x/text/encoding/unicode"
	"golang.org/x/text/transform"

	"huoban/internal/fault"
)

// sniffLen is how much of a file decides its encoding.
const sniffLen = 256 << 10

// Decode gives the text as UTF-8 without a byte order mark and names the encoding: utf-8, utf-16le,
// utf-16be or gb18030. A mark decides; without one, zero bytes in every other place are UTF-16,
// text that is mostly UTF-8 is UTF-8, and the rest is GB18030, in which Chinese consoles export.
// Faults: ingest.encoding_unknown, ingest.file_broken.
func Decode(body io.Reader) (io.Reader, string, error) {
	in := bufio.NewReaderSize(body, sniffLen)
	head, err := in.Peek(sniffLen)
	if err != nil && err != io.EOF {
		return nil, "", broken(err)
	}
	switch {
	case bytes.HasPrefix(head, []byte{0xEF, 0xBB, 0xBF}):
		_, _ = in.Discard(3)
		return in, "utf-8", nil
	case bytes.HasPrefix(head, []byte{0xFF, 0xFE}), zeros(head, 1):
		return decoded(in, "utf-16le")
	case bytes.HasPrefix(head, []byte{0xFE, 0xFF}), zeros(head, 0):
		return decoded(in, "utf-16be")
	case bytes.IndexByte(head, 0) >= 0:
		return nil, "", fault.Invalid("ingest.encoding_unknown", nil)
	}
	switch good, broken := countUTF8(wholeRunes(head)); {
	case good >= broken:
		return in, "utf-8", nil
	case isGB18030(head):
		return decoded(in, "gb18030")
	case broken*100 < len(head): // some damaged rows, which the table finds
		return in, "utf-8", nil
	}
	return nil, "", fault.Invalid("ingest.encoding_unknown", nil)
}

// countUTF8 counts characters of several bytes and bytes that belong to none. Both are 0 in ASCII.
func countUTF8(head []byte) (good, broken int) {
	for i := 0; i < len(head); {
		if head[i] < utf8.RuneSelf {
			i++
			continue
		}
		r, n := utf8.DecodeRune(head[i:])
		if r == utf8.RuneError && n == 1 {
			broken++
		} else {
			good++
		}
		i += n
	}
	return good, broken
}

// isGB18030 tells whether the bytes are characters of it; the last may be cut.
func isGB18030(head []byte) bool {
	text, err := simplifiedchinese.GB18030.NewDecoder().Bytes(head)
	if err != nil {
		return false
	}
	if len(head) == sniffLen {
		text = text[:len(text)-4]
	}
	return !bytes.Contains(text, unknownRune)
}

// unknownRune is what a decoder writes for bytes that are no character.
var unknownRune = []byte("\ufffd")

func decoded(in io.Reader, name string) (io.Reader, string, error) {
	var t transform.Transformer
	switch name {
	case "utf-16le":
		t = unicode.UTF16(unicode.LittleEndian, unicode.UseBOM).NewDecoder()
	case "utf-16be":
		t = unicode.UTF16(unicode.BigEndian, unicode.UseBOM).NewDecoder()
	default:
		t = simplifiedchinese.GB18030.NewDecoder()
	}
	return transform.NewReader(in, t), name, nil
}

// zeros tells whether the bytes at odd (1) or even (0) places are mostly zero, as ASCII is in UTF-16.
func zeros(head []byte, at int) bool {
	if len(head) < 8 {
		return false
	}
	n, of := 0, 0
	for i := at; i < len(head) && of < 512; i += 2 {
		of++
		if head[i] == 0 {
			n++
		}
	}
	return n*10 >= of*6
}

// wholeRunes cuts a rune that the sniffed piece holds only in part.
func wholeRunes(head []byte) []byte {
	if len(head) < sniffLen {
		return head
	}
	for i := 1; i <= 3 && i < len(head); i++ {
		if utf8.RuneStart(head[len(head)-i]) {
			if !utf8.FullRune(head[len(head)-i:]) {
				return head[:len(head)-i]
			}
			break
		}
	}
	return head
}
