// Package paper is what was signed on paper, as a file (签章扫件): a PDF or a picture of each thing that has one.
//
// It owns formats, bounds and how such a file is kept; it does not own what was signed. Invariants: a file is what its
// content says, whatever it is called; a thing has at most one, and whoever sees the thing sees it.
package paper

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"image"
	_ "image/jpeg" // formats of scans
	_ "image/png"
	"time"

	"huoban/internal/fault"
)

// Format is what a scan is.
type Format string

// The formats.
const (
	FormatPDF  Format = "pdf"
	FormatPNG  Format = "png"
	FormatJPEG Format = "jpg"
)

// MaxFile bounds a file, MaxSide the width and height of a picture in it.
const (
	MaxFile = 10 << 20
	MaxSide = 12_000
)

// Accept is what a form offers to choose.
const Accept = ".pdf,.png,.jpg,.jpeg"

// ContentType is what a download is sent as.
func (f Format) ContentType() string {
	return map[Format]string{FormatPDF: "application/pdf", FormatPNG: "image/png", FormatJPEG: "image/jpeg"}[f]
}

// Paper is the file of one thing.
type Paper struct {
	SubjectID, VendorID, PartnerID string
	Format                         Format
	Bytes                          int64
	SHA                            string
	By                             string
	At                             time.Time
}

// Store keeps papers.
type Store interface {
	PutPaper(ctx context.Context, p Paper, body []byte) error
	Paper(ctx context.Context, subjectID string) (Paper, bool, error)
	PaperBody(ctx context.Context, subjectID string) ([]byte, error) // paper.none
}

// IsPDF tells a whole PDF from what only begins like one.
func IsPDF(body []byte) bool {
	return bytes.HasPrefix(body, []byte("%PDF-")) && bytes.Contains(body[max(0, len(body)-1024):], []byte("%%EOF"))
}

// Recognise tells the format from the content. Faults: paper.large, .none, .unreadable.
func Recognise(body []byte) (Format, error) {
	switch {
	case len(body) > MaxFile:
		return "", fault.Invalid("paper.large", fault.Args{"limit": MaxFile >> 20})
	case len(body) == 0:
		return "", fault.Invalid("paper.none", nil)
	case IsPDF(body):
		return FormatPDF, nil
	}
	if c, kind, err := image.DecodeConfig(bytes.NewReader(body)); err == nil && c.Width > 0 && c.Height > 0 && c.Width <= MaxSide && c.Height <= MaxSide {
		switch kind {
		case "png":
			return FormatPNG, nil
		case "jpeg":
			return FormatJPEG, nil
		}
	}
	return "", fault.Invalid("paper.unreadable", nil)
}

// Keep keeps a body as the paper of its subject, in place of an older one, and tells whether it is another; format, size and
// hash are the body's. Faults: those of Recognise.
func Keep(ctx context.Context, in Store, p Paper, body []byte) (Paper, bool, error) {
	var err error
	if p.Format, err = Recognise(body); err != nil {
		return p, false, err
	}
	sum := sha256.Sum256(body)
	p.Bytes, p.SHA = int64(len(body)), hex.EncodeToString(sum[:])
	if old, found, err := in.Paper(ctx, p.SubjectID); err != nil || found && old.SHA == p.SHA {
		return old, false, err
	}
	return p, true, in.PutPaper(ctx, p, body)
}

// Read gives the paper of a subject with its body. Fault: paper.none.
func Read(ctx context.Context, of Store, subjectID string) (Paper, []byte, error) {
	p, found, err := of.Paper(ctx, subjectID)
	if err == nil && !found {
		err = fault.NotFound("paper.none", nil)
	}
	if err != nil {
		return p, nil, err
	}
	body, err := of.PaperBody(ctx, subjectID)
	return p, body, err
}
