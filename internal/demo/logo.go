package demo

import (
	"bytes"
	"image"
	"image/color"
	"image/png"
)

// Logo draws the mark of an invented partner: two bars that meet.
func Logo() []byte {
	m := image.NewNRGBA(image.Rect(0, 0, 192, 64))
	ink, leaf := color.NRGBA{R: 0x0b, G: 0x5f, B: 0x78, A: 0xff}, color.NRGBA{R: 0x2b, G: 0x9a, B: 0x64, A: 0xff}
	for y := range 64 {
		for x := range 192 {
			switch {
			case x < 96+y/2-16 && y >= 12 && y < 52:
				m.SetNRGBA(x, y, ink)
			case y >= 12 && y < 52:
				m.SetNRGBA(x, y, leaf)
			default:
				m.SetNRGBA(x, y, color.NRGBA{R: 0xff, G: 0xff, B: 0xff, A: 0xff})
			}
		}
	}
	var out bytes.Buffer
	if err := png.Encode(&out, m); err != nil {
		return nil // a picture in memory does not fail to be written
	}
	return out.Bytes()
}
