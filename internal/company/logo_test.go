package company

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

func picture(w, h int) image.Image {
	m := image.NewRGBA(image.Rect(0, 0, w, h))
	for i := range w {
		m.Set(i, i%h, color.RGBA{R: 200, A: 255})
	}
	return m
}

// A logo is drawn anew, so that what was hidden behind the picture is gone; anything else is refused with its reason.
func TestRedraw(t *testing.T) {
	encoded := func(w, h int, write func(b *bytes.Buffer, m image.Image) error) []byte {
		var b bytes.Buffer
		if err := write(&b, picture(w, h)); err != nil {
			t.Fatal(err)
		}
		return b.Bytes()
	}
	asPNG := func(b *bytes.Buffer, m image.Image) error { return png.Encode(b, m) }
	asJPEG := func(b *bytes.Buffer, m image.Image) error { return jpeg.Encode(b, m, nil) }
	asGIF := func(b *bytes.Buffer, m image.Image) error { return gif.Encode(b, m, nil) }
	hidden := []byte("<script>alert(1)</script>")
	for name, body := range map[string][]byte{"png": append(encoded(64, 40, asPNG), hidden...), "jpeg": append(encoded(64, 40, asJPEG), hidden...)} {
		got, err := Redraw(body)
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		m, err := png.Decode(bytes.NewReader(got))
		if err != nil || m.Bounds().Dx() != 64 || m.Bounds().Dy() != 40 || bytes.Contains(got, hidden) {
			t.Errorf("%s: %v, %d bytes", name, err, len(got))
		}
	}
	for name, c := range map[string]struct {
		body []byte
		code string
	}{
		"gif":       {encoded(64, 64, asGIF), "company.logo_unreadable"},
		"svg":       {[]byte(`<svg xmlns="http://www.w3.org/2000/svg"/>`), "company.logo_unreadable"},
		"nothing":   {nil, "company.logo_unreadable"},
		"cut off":   {encoded(64, 64, asPNG)[:60], "company.logo_unreadable"},
		"narrow":    {encoded(64, MinLogoSide-1, asPNG), "company.logo_size"},
		"wide":      {encoded(MaxLogoSide+1, 64, asPNG), "company.logo_size"},
		"too large": {[]byte(strings.Repeat("x", MaxLogo+1)), "company.logo_large"},
	} {
		if _, err := Redraw(c.body); !fault.HasCode(err, c.code) {
			t.Errorf("%s: %v, want %s", name, err, c.code)
		}
	}
}

func TestOpen(t *testing.T) {
	for _, c := range []struct {
		in   Open
		code string
	}{
		{Open{Intro: "一句话\r\n第二句", Website: "https://mushi.example/about", Phone: "+86 20 5550 0101"}, ""},
		{Open{}, ""},
		{Open{Website: "javascript:alert(1)"}, "company.website_malformed"},
		{Open{Website: "https://user:pw@mushi.example"}, "company.website_malformed"},
		{Open{Website: "mushi.example"}, "company.website_malformed"},
		{Open{Phone: "call me"}, "company.phone_malformed"},
		{Open{Intro: "a\x00b"}, "company.intro_malformed"},
		{Open{Intro: strings.Repeat("长", MaxIntro+1)}, "company.intro_malformed"},
	} {
		err := c.in.Check()
		if c.code == "" && err != nil || c.code != "" && !fault.HasCode(err, c.code) {
			t.Errorf("%+v: %v", c.in, err)
		}
	}
}
