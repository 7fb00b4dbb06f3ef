package billdoc

import (
	_ "embed"
	"sync"
	"unicode"

	"codeberg.org/go-pdf/fpdf"
	"github.com/klauspost/compress/zstd"
)

//go:embed font/DroidSansFallbackFull.ttf.zst
var cjkPacked []byte

//go:embed font/Roboto-Regular.ttf.zst
var latinPacked []byte

// fonts are unpacked once for all documents.
var fonts = sync.OnceValues(func() (map[string][]byte, error) {
	unpacker, err := zstd.NewReader(nil, zstd.WithDecoderConcurrency(1))
	if err != nil {
		return nil, err
	}
	defer unpacker.Close()
	out := map[string][]byte{}
	for name, packed := range map[string][]byte{"cjk": cjkPacked, "latin": latinPacked} {
		if out[name], err = unpacker.DecodeAll(packed, nil); err != nil {
			return nil, err
		}
	}
	return out, nil
})

// typesetter writes text in two fonts: no free font of a bearable size has both Latin and Chinese.
type typesetter struct {
	*fpdf.Fpdf
	size float64
}

func newTypesetter() (*typesetter, error) {
	ttf, err := fonts()
	if err != nil {
		return nil, err
	}
	t := &typesetter{Fpdf: fpdf.New("P", "mm", "A4", "")}
	t.AddUTF8FontFromBytes("cjk", "", ttf["cjk"])
	t.AddUTF8FontFromBytes("latin", "", ttf["latin"])
	t.SetCellMargin(0)
	return t, t.Error()
}

// run is a piece of text in one font.
type run struct{ font, text string }

// latinEnd is where Cyrillic ends; above it only general punctuation is Latin's.
const latinEnd = 0x530

// runs cuts a text by font. Control characters become spaces, and what lies outside the basic plane,
// which neither font has, a box.
func runs(s string) []run {
	var out []run
	for _, r := range s {
		font := "cjk"
		switch {
		case unicode.IsControl(r):
			r, font = ' ', "latin"
		case r < latinEnd, r >= 0x2010 && r <= 0x2044:
			font = "latin"
		case r > 0xFFFF:
			r = '□'
		}
		if n := len(out); n > 0 && out[n-1].font == font {
			out[n-1].text += string(r)
			continue
		}
		out = append(out, run{font, string(r)})
	}
	return out
}

func (t *typesetter) width(s string) (w float64) {
	for _, r := range runs(s) {
		t.SetFont(r.font, "", t.size)
		w += t.GetStringWidth(r.text)
	}
	return w
}

// put writes a text on one line into a box at the current place and moves to the box's end. A text
// too wide is cut; a figure's letters shrink instead, so that no digit is ever cut.
func (t *typesetter) put(s string, box, height, size float64, figure bool) {
	t.size = size
	for figure && t.size > 2 && t.width(s) > box {
		t.size -= 0.5
	}
	s = t.fit(s, box)
	x := t.GetX()
	if figure {
		t.SetX(x + box - t.width(s))
	}
	for _, r := range runs(s) {
		t.SetFont(r.font, "", t.size)
		t.CellFormat(t.GetStringWidth(r.text), height, r.text, "", 0, "L", false, 0, "")
	}
	t.SetX(x + box)
}

// fit shortens a text to a width.
func (t *typesetter) fit(s string, width float64) string {
	if t.width(s) <= width {
		return s
	}
	r := []rune(s)
	for len(r) > 1 && t.width(string(r)+"…") > width {
		r = r[:len(r)-1]
	}
	return string(r) + "…"
}

// wrap cuts a text into lines of a width.
func (t *typesetter) wrap(s string, width, size float64) (lines []string) {
	t.size = size
	rest := []rune(s)
	for len(rest) > 0 {
		n := len(rest)
		for n > 1 && t.width(string(rest[:n])) > width {
			n--
		}
		lines = append(lines, string(rest[:n]))
		rest = rest[n:]
	}
	return lines
}
