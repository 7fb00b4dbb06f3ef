package workbook

import (
	"bytes"
	"encoding/xml"
	"math"
	"regexp"
	"strconv"
	"strings"
	"time"
)

// style is what a cell format makes of a number.
type style byte

const (
	styleNumber style = iota
	styleDay
	styleTime // a day with its time
)

// builtin are the formats without a code of their own that show days (ECMA-376, 18.8.30, with the
// Chinese ones).
func builtin(id int) style {
	switch {
	case id == 22:
		return styleTime
	case id >= 14 && id <= 17, id >= 27 && id <= 31, id == 36, id >= 50 && id <= 54, id == 57, id == 58:
		return styleDay
	}
	return styleNumber
}

var (
	literals = regexp.MustCompile(`"[^"]*"|\\.|_.|\*.|\[[^\]]*\]`)
	general  = regexp.MustCompile(`(?i)general`)
)

// styleOf reads a format code.
func styleOf(code string) style {
	code, _, _ = strings.Cut(literals.ReplaceAllString(code, ""), ";")
	code = strings.ToLower(general.ReplaceAllString(code, ""))
	if !strings.ContainsAny(code, "yd") {
		return styleNumber // a time without a day is a duration
	}
	if strings.ContainsAny(code, "hs") {
		return styleTime
	}
	return styleDay
}

// readStyles notes which cell formats show days.
func (b *book) readStyles(part string) error {
	codes := map[int]style{}
	inXfs := false
	return b.each(part, func(_ *scan, el xml.StartElement) error {
		switch el.Name.Local {
		case "numFmt":
			if id, err := strconv.Atoi(attr(el, "numFmtId")); err == nil && len(codes) < mostStyles {
				codes[id] = styleOf(attr(el, "formatCode"))
			}
		case "cellXfs":
			inXfs = true
		case "cellStyleXfs", "cellStyles", "dxfs":
			inXfs = false
		case "xf":
			if !inXfs {
				return nil
			}
			if len(b.styles) >= mostStyles {
				return errTooMuch
			}
			id, _ := strconv.Atoi(attr(el, "numFmtId"))
			s, own := codes[id]
			if !own {
				s = builtin(id)
			}
			b.styles = append(b.styles, s)
		}
		return nil
	})
}

// number is the text of a number cell: a day where its format shows one, else the number.
func (b *book) number(text, styled string) string {
	s := styleNumber
	if i, err := strconv.Atoi(styled); err == nil && i >= 0 && i < len(b.styles) {
		s = b.styles[i]
	}
	if s != styleNumber {
		if day, ok := b.day(text, s); ok {
			return day
		}
	}
	return plainNumber(text)
}

// lastSerial is 9999-12-31; before firstSerial the count has a day that never was, 29 February 1900.
const (
	firstSerial = 61
	lastSerial  = 2958465
)

func (b *book) day(text string, s style) (string, bool) {
	f, err := strconv.ParseFloat(text, 64)
	if err != nil || f < firstSerial || f > lastSerial {
		return "", false
	}
	from := time.Date(1899, 12, 30, 0, 0, 0, 0, time.UTC)
	if b.y1904 {
		from = time.Date(1904, 1, 1, 0, 0, 0, 0, time.UTC)
	}
	days, part := math.Modf(f)
	seconds := math.Round(part * 86400)
	at := from.AddDate(0, 0, int(days)).Add(time.Duration(seconds) * time.Second)
	if s == styleDay && seconds == 0 {
		return at.Format("2006-01-02"), true
	}
	return at.Format("2006-01-02 15:04:05"), true
}

// plainNumber keeps the digits of the file, except where a spreadsheet wrote a binary fraction with
// all its 17 digits: 1.1000000000000001 is the number it shows as 1.1.
func plainNumber(text string) string {
	if significant(text) != 17 {
		return text
	}
	f, err := strconv.ParseFloat(text, 64)
	if err != nil || math.IsInf(f, 0) || math.IsNaN(f) {
		return text
	}
	if digitsOf(strconv.FormatFloat(f, 'e', 16, 64)) != digitsOf(text) {
		return text // not how a binary fraction is written out
	}
	return strconv.FormatFloat(f, 'f', -1, 64)
}

// digitsOf are the digits of the number without sign, point, exponent and zeros at the front.
func digitsOf(text string) string {
	mantissa := text
	if i := strings.IndexAny(text, "eE"); i >= 0 {
		mantissa = text[:i]
	}
	return strings.TrimLeft(strings.Map(func(r rune) rune {
		if r >= '0' && r <= '9' {
			return r
		}
		return -1
	}, mantissa), "0")
}

func significant(text string) int { return len(digitsOf(text)) }

func trimmed(cell []byte) string { return string(bytes.TrimSpace(cell)) }
