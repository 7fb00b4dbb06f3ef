package invoice

import (
	"archive/zip"
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/xml"
	"errors"
	"io"
	"slices"
	"time"

	"huoban/internal/fault"
	"huoban/internal/paper"
	"huoban/internal/scope"
)

// Format is what an electronic invoice is: OFD, PDF, XML.
type Format string

// The formats.
const (
	FormatOFD Format = "ofd"
	FormatPDF Format = "pdf"
	FormatXML Format = "xml"
)

// Formats lists them.
var Formats = []Format{FormatOFD, FormatPDF, FormatXML}

// ContentType is what a download is sent as.
func (f Format) ContentType() string {
	return map[Format]string{FormatOFD: "application/ofd", FormatPDF: "application/pdf", FormatXML: "application/xml"}[f]
}

// File is an electronic invoice; a request has at most one of each format.
type File struct {
	Format Format
	Bytes  int64
	SHA    string
	By     string
	At     time.Time
}

// Recognise tells the format from the content, whatever the name says. Faults: invoice.file_large, .file_empty,
// .file_unreadable.
func Recognise(body []byte) (Format, error) {
	unreadable := fault.Invalid("invoice.file_unreadable", nil)
	switch {
	case len(body) > MaxFile:
		return "", fault.Invalid("invoice.file_large", fault.Args{"limit": MaxFile >> 20})
	case len(body) == 0:
		return "", fault.Invalid("invoice.file_empty", nil)
	case bytes.HasPrefix(body, []byte("%PDF-")):
		if !paper.IsPDF(body) {
			return "", unreadable
		}
		return FormatPDF, nil
	case bytes.HasPrefix(body, []byte("PK\x03\x04")):
		archive, err := zip.NewReader(bytes.NewReader(body), int64(len(body)))
		if err != nil {
			return "", unreadable
		}
		for _, f := range archive.File {
			if f.Name == "OFD.xml" {
				return FormatOFD, nil
			}
		}
		return "", unreadable
	}
	if !isXML(body) {
		return "", unreadable
	}
	return FormatXML, nil
}

// maxDepth is deeper than any invoice goes.
const maxDepth = 64

// isXML tells whether the body is one well-formed document without declarations of its own.
func isXML(body []byte) bool {
	d := xml.NewDecoder(bytes.NewReader(body))
	depth, roots := 0, 0
	for {
		token, err := d.Token()
		if errors.Is(err, io.EOF) {
			return depth == 0 && roots == 1
		}
		if err != nil {
			return false
		}
		switch token.(type) {
		case xml.StartElement:
			if depth == 0 {
				roots++
			}
			depth++
		case xml.EndElement:
			depth--
		case xml.Directive:
			return false
		}
		if depth > maxDepth {
			return false
		}
	}
}

// Upload keeps the file of an electronic invoice that is being issued; the same format again replaces it. Faults:
// those of Recognise, invoice.unknown, .issuer_decides, .paper_is_posted, .not_being_issued, scope.permission_missing.
func (s *Service) Upload(ctx context.Context, sc scope.Scope, requestID string, body []byte) (Format, error) {
	if err := sc.Require(scope.ItemInvoiceReview); err != nil {
		return "", err
	}
	format, err := Recognise(body)
	if err != nil {
		return "", err
	}
	sum := sha256.Sum256(body)
	err = s.Tx.InTx(ctx, func(ctx context.Context) error {
		r, err := s.Find(ctx, sc, requestID)
		if err != nil {
			return err
		}
		f := Facts{PartnerID: r.PartnerID, VendorID: r.VendorID, IssuerID: r.IssuerID, Issuer: r.Issuer}
		switch {
		case !isIssuer(&f, sc):
			return fault.Denied("invoice.issuer_decides", nil)
		case !r.Medium.IsFile():
			return fault.Conflict("invoice.paper_is_posted", nil)
		case r.State != StateIssuing && r.State != StateKept:
			return fault.Conflict("invoice.not_being_issued", fault.Args{"state": "invoice.state." + string(r.State)})
		}
		file := File{Format: format, Bytes: int64(len(body)), SHA: hex.EncodeToString(sum[:]), By: sc.Login(), At: s.Clock.Now()}
		known, err := s.Store.Files(ctx, r.ID)
		if err != nil || slices.ContainsFunc(known, func(f File) bool { return f.Format == file.Format && f.SHA == file.SHA }) {
			return err // the same again
		}
		if err := s.Store.PutFile(ctx, r.ID, file, body); err != nil {
			return err
		}
		return s.record(ctx, sc, &r, "invoice.upload", map[string]any{"format": string(format), "sha": file.SHA})
	})
	return format, err
}

// Files are the files of a request in sight: for the partner once the invoice is issued. Faults: those of Find.
func (s *Service) Files(ctx context.Context, sc scope.Scope, r *Request) ([]File, error) {
	if sc.Side() == scope.SidePartner && r.PartnerID == sc.OrgID() && !r.State.Downloadable() {
		return nil, nil
	}
	return s.Store.Files(ctx, r.ID)
}

// Downloadable tells whether the partner may take the file in the state.
func (s State) Downloadable() bool {
	return s == StateIssued || s == StateReturning || s == StateReturnRefused
}

// Download is the body of a file in sight, of the first where no format is named, written down as taken. Faults: invoice.unknown, .file_unknown,
// scope.permission_missing.
func (s *Service) Download(ctx context.Context, sc scope.Scope, requestID string, format Format) (Request, Format, []byte, error) {
	r, err := s.Find(ctx, sc, requestID)
	if err != nil {
		return r, format, nil, err
	}
	list, err := s.Files(ctx, sc, &r)
	if err != nil {
		return r, format, nil, err
	}
	at := slices.IndexFunc(list, func(f File) bool { return format == "" || f.Format == format })
	if at < 0 {
		return r, format, nil, fault.NotFound("invoice.file_unknown", nil)
	}
	format = list[at].Format
	body, err := s.Store.FileBody(ctx, r.ID, format)
	if err != nil {
		return r, format, nil, err
	}
	return r, format, body, s.Tx.InTx(ctx, func(ctx context.Context) error {
		return s.record(ctx, sc, &r, "invoice.download", map[string]any{"format": string(format)})
	})
}
