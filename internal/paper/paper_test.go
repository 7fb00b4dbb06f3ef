package paper

import (
	"bytes"
	"image"
	"image/color"
	"image/gif"
	"image/jpeg"
	"image/png"
	"strings"
	"testing"

	"huoban/internal/fault"
)

// TestRecognise: content decides, not the name; half a file, another kind of picture and something huge are refused.
func TestRecognise(t *testing.T) {
	of := func(write func(b *bytes.Buffer) error) []byte {
		var b bytes.Buffer
		if err := write(&b); err != nil {
			t.Fatal(err)
		}
		return b.Bytes()
	}
	dot := image.NewPaletted(image.Rect(0, 0, 2, 2), color.Palette{color.White, color.Black})
	wide := image.NewPaletted(image.Rect(0, 0, MaxSide+1, 1), color.Palette{color.White, color.Black})
	asPNG := func(i image.Image) []byte { return of(func(b *bytes.Buffer) error { return png.Encode(b, i) }) }
	asJPEG := of(func(b *bytes.Buffer) error { return jpeg.Encode(b, dot, nil) })
	asGIF := of(func(b *bytes.Buffer) error { return gif.Encode(b, dot, nil) })
	pdf := []byte("%PDF-1.7\n1 0 obj\n<<>>\nendobj\ntrailer\n%%EOF\n")
	for _, x := range []struct {
		name string
		body []byte
		want Format
		code string
	}{
		{"a PDF", pdf, FormatPDF, ""}, {"a PNG", asPNG(dot), FormatPNG, ""}, {"a JPEG", asJPEG, FormatJPEG, ""},
		{"half a PDF", pdf[:20], "", "paper.unreadable"}, {"half a PNG's head", asPNG(dot)[:12], "", "paper.unreadable"}, {"a GIF", asGIF, "", "paper.unreadable"},
		{"a picture too wide", asPNG(wide), "", "paper.unreadable"}, {"a page with a script", []byte("<html><script>alert(1)</script>"), "", "paper.unreadable"},
		{"nothing", nil, "", "paper.none"}, {"too much", []byte("%PDF-" + strings.Repeat(" ", MaxFile)), "", "paper.large"},
	} {
		got, err := Recognise(x.body)
		if got != x.want || x.code != "" && !fault.HasCode(err, x.code) || x.code == "" && err != nil {
			t.Errorf("%s: %q %v", x.name, got, err)
		}
	}
}
