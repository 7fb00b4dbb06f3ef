package statement

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"image"
	"image/color"
	"image/draw"
	_ "image/jpeg" // a format of logos
	"image/png"
	"strings"
	"time"
	"unicode/utf8"

	"huoban/internal/fault"
	"huoban/internal/money"
)

// Head is a partner's letter head (抬头), what stands at the end of a statement, and its tax rate. Each change is a
// further version; a statement keeps the version it was made with.
type Head struct {
	PartnerID string
	Version   int64
	Name      string
	Address   string
	Contact   string
	Bank      string
	Note      string
	TaxRate   money.Exact // 0.06 is 6 %
	LogoSHA   string      // "" = none
	CreatedBy string
	CreatedAt time.Time
}

// HeadInput is a letter head as typed. TaxPercent may be empty. Logo is a file of the partner; without one the logo
// stays, unless DropLogo is set.
type HeadInput struct {
	Name, Address, Contact, Bank, Note string
	TaxPercent                         string
	Logo                               []byte
	DropLogo                           bool
}

// Limits of a letter head.
const (
	MaxLogo   = 500_000
	maxPixels = 2000 // on either side
	maxName   = 120
	maxText   = 400
)

var (
	hundredth  = money.MustExact("0.01")
	maxPercent = money.MustExact("100")
)

// read checks what was typed. Faults: statement.head_name, .head_text, .tax_rate.
func (in HeadInput) read() (Head, error) {
	h := Head{Name: strings.TrimSpace(in.Name), Address: strings.TrimSpace(in.Address), Contact: strings.TrimSpace(in.Contact), Bank: strings.TrimSpace(in.Bank), Note: strings.TrimSpace(in.Note)}
	if n := utf8.RuneCountInString(h.Name); n < 1 || n > maxName {
		return h, fault.Invalid("statement.head_name", fault.Args{"max": maxName})
	}
	for _, text := range []string{h.Name, h.Address, h.Contact, h.Bank, h.Note} {
		if utf8.RuneCountInString(text) > maxText || !utf8.ValidString(text) || strings.ContainsRune(text, 0) {
			return h, fault.Invalid("statement.head_text", fault.Args{"max": maxText})
		}
	}
	percent := strings.TrimSuffix(strings.TrimSpace(in.TaxPercent), "%")
	if percent == "" {
		return h, nil
	}
	x, err := money.ParseExact(percent)
	if err != nil || x.Sign() < 0 || x.Cmp(maxPercent) > 0 || x.Scale() > 4 {
		return h, fault.Invalid("statement.tax_rate", nil)
	}
	h.TaxRate = x.Mul(hundredth)
	return h, nil
}

func (h *Head) same(o *Head) bool {
	return h.Name == o.Name && h.Address == o.Address && h.Contact == o.Contact && h.Bank == o.Bank && h.Note == o.Note && h.TaxRate.Equal(o.TaxRate) && h.LogoSHA == o.LogoSHA
}

// Percent is the tax rate as people write it.
func (h *Head) Percent() string { return percentOf(h.TaxRate) }

func percentOf(rate money.Exact) string { return rate.Mul(maxPercent).String() }

// Percent is the tax rate of the statement as people write it.
func (s *Statement) Percent() string { return percentOf(s.TaxRate) }

// ReadLogo takes a PNG or JPEG and paints it anew, so that nothing but the picture is kept. An SVG can carry
// script and links and is refused. Faults: statement.logo_too_large, .logo_unreadable, .logo_size.
func ReadLogo(body []byte) (picture []byte, sha string, err error) {
	if len(body) > MaxLogo {
		return nil, "", fault.Invalid("statement.logo_too_large", fault.Args{"max": MaxLogo / 1000})
	}
	size, format, err := image.DecodeConfig(bytes.NewReader(body))
	if err != nil || format != "png" && format != "jpeg" {
		return nil, "", fault.Invalid("statement.logo_unreadable", nil).Because(err)
	}
	if size.Width < 1 || size.Height < 1 || size.Width > maxPixels || size.Height > maxPixels {
		return nil, "", fault.Invalid("statement.logo_size", fault.Args{"max": maxPixels})
	}
	in, _, err := image.Decode(bytes.NewReader(body))
	if err != nil {
		return nil, "", fault.Invalid("statement.logo_unreadable", nil).Because(err)
	}
	out := image.NewRGBA(image.Rect(0, 0, size.Width, size.Height))
	draw.Draw(out, out.Bounds(), image.NewUniform(color.White), image.Point{}, draw.Src)
	draw.Draw(out, out.Bounds(), in, in.Bounds().Min, draw.Over)
	var buf bytes.Buffer
	if err := png.Encode(&buf, out); err != nil {
		return nil, "", err
	}
	sum := sha256.Sum256(buf.Bytes())
	return buf.Bytes(), hex.EncodeToString(sum[:]), nil
}
