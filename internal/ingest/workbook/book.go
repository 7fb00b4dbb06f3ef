package workbook

import (
	"archive/zip"
	"encoding/xml"
	"errors"
	"io"
	"os"
	"path"
	"strings"

	"huoban/internal/fault"
)

// Bounds that no real workbook meets.
const (
	mostBytes  = 16 << 30 // unpacked, all parts together
	mostRatio  = 300      // unpacked to packed of one part, looked at from ratioFrom on
	ratioFrom  = 32 << 20
	mostPiece  = 4 << 20 // of XML between two tags
	mostDepth  = 64
	mostSheets = 1000
	mostStyles = 1 << 16
)

// book is the workbook without its rows.
type book struct {
	file   *os.File
	parts  map[string]*zip.File // by name in lower case
	sheets []string             // parts in the order of the tabs
	styles []style              // by index of cellXfs
	y1904  bool                 // days count from 1904
	shared *sharedStrings
	read   int64
}

func newBook(z *zip.Reader) (*book, error) {
	b := &book{parts: make(map[string]*zip.File, len(z.File))}
	for _, f := range z.File {
		name := partName(f.Name)
		if _, twice := b.parts[name]; twice {
			return nil, broken(errors.New("part twice: " + name))
		}
		b.parts[name] = f
	}
	main := "xl/workbook.xml"
	links, err := b.links("_rels/.rels", "")
	if err != nil {
		return nil, err
	}
	for _, l := range links {
		if strings.HasSuffix(l.kind, "/officeDocument") {
			main = l.target
		}
	}
	dir := path.Dir(main)
	links, err = b.links(dir+"/_rels/"+path.Base(main)+".rels", dir)
	if err != nil {
		return nil, err
	}
	if err := b.readWorkbook(main, links); err != nil {
		return nil, err
	}
	for _, l := range links {
		switch {
		case strings.HasSuffix(l.kind, "/styles"):
			err = b.readStyles(l.target)
		case strings.HasSuffix(l.kind, "/sharedStrings") && b.shared == nil:
			err = b.readShared(l.target)
		}
		if err != nil {
			b.closeShared()
			return nil, err
		}
	}
	return b, nil
}

func partName(name string) string {
	return strings.ToLower(strings.TrimPrefix(strings.ReplaceAll(name, `\`, "/"), "/"))
}

// link is a relationship of one part to another.
type link struct{ id, kind, target string }

// links reads a relationship part; none is none.
func (b *book) links(part, dir string) ([]link, error) {
	var out []link
	if b.parts[partName(part)] == nil {
		return nil, nil
	}
	return out, b.each(part, func(s *scan, el xml.StartElement) error {
		if el.Name.Local != "Relationship" {
			return nil
		}
		l := link{id: attr(el, "Id"), kind: attr(el, "Type"), target: attr(el, "Target")}
		if !strings.HasPrefix(l.target, "/") {
			l.target = path.Join(dir, l.target)
		}
		l.target = partName(path.Clean(l.target))
		if len(out) > 4*mostSheets {
			return errTooMuch
		}
		out = append(out, l)
		return nil
	})
}

// readWorkbook lists the sheets in the order of their tabs.
func (b *book) readWorkbook(part string, links []link) error {
	targets := map[string]string{}
	for _, l := range links {
		if strings.HasSuffix(l.kind, "/worksheet") {
			targets[l.id] = l.target
		}
	}
	err := b.each(part, func(s *scan, el xml.StartElement) error {
		switch el.Name.Local {
		case "workbookPr":
			v := attr(el, "date1904")
			b.y1904 = v == "1" || v == "true"
		case "sheet":
			if to, ok := targets[attr(el, "id")]; ok { // a chart sheet has no rows
				b.sheets = append(b.sheets, to)
			}
			if len(b.sheets) > mostSheets {
				return errTooMuch
			}
		}
		return nil
	})
	if err == nil && len(b.sheets) == 0 {
		err = fault.Invalid("ingest.file_empty", nil)
	}
	return err
}

// each calls fn for every element of a part.
func (b *book) each(part string, fn func(s *scan, el xml.StartElement) error) error {
	s, err := b.scan(part)
	if err != nil {
		return err
	}
	defer s.close()
	for {
		tok, err := s.token()
		if err == io.EOF {
			return nil
		}
		if err != nil {
			return err
		}
		if el, ok := tok.(xml.StartElement); ok {
			if err := fn(s, el); err != nil {
				return broken(err)
			}
		}
	}
}

var errTooMuch = errors.New("workbook: more than any real one has")

func attr(el xml.StartElement, name string) string {
	for _, a := range el.Attr {
		if a.Name.Local == name {
			return a.Value
		}
	}
	return ""
}

// scan reads the tags of one part under the bounds.
type scan struct {
	book  *book
	body  io.ReadCloser
	size  int64 // packed
	n     int64 // unpacked so far
	piece int64 // since the last tag
	depth int
	xml   *xml.Decoder
}

func (b *book) scan(part string) (*scan, error) {
	f := b.parts[partName(part)]
	if f == nil {
		return nil, broken(errors.New("no part " + part))
	}
	body, err := f.Open()
	if err != nil {
		return nil, broken(err)
	}
	s := &scan{book: b, body: body, size: int64(f.CompressedSize64)}
	s.xml = xml.NewDecoder(s)
	return s, nil
}

// Read feeds the XML decoder and stops at the bounds.
func (s *scan) Read(p []byte) (int, error) {
	n, err := s.body.Read(p)
	s.n += int64(n)
	s.piece += int64(n)
	s.book.read += int64(n)
	switch {
	case s.book.read > mostBytes:
		return 0, fault.Invalid("ingest.limit_bytes", fault.Args{"most": int64(mostBytes)})
	case s.n > ratioFrom && s.n > s.size*mostRatio:
		return 0, fault.Invalid("ingest.limit_ratio", fault.Args{"most": mostRatio})
	case s.piece > mostPiece:
		return 0, errTooMuch
	}
	return n, err
}

// token is the next one, io.EOF at the end of the part.
func (s *scan) token() (xml.Token, error) {
	s.piece = 0
	tok, err := s.xml.Token()
	if err != nil {
		if err == io.EOF {
			return nil, io.EOF
		}
		return nil, broken(err)
	}
	switch tok.(type) {
	case xml.StartElement:
		if s.depth++; s.depth > mostDepth {
			return nil, broken(errTooMuch)
		}
	case xml.EndElement:
		s.depth--
	}
	return tok, nil
}

// skip passes over the element that was just opened.
func (s *scan) skip() error {
	for at := s.depth; s.depth >= at; {
		if _, err := s.token(); err != nil {
			return broken(err)
		}
	}
	return nil
}

func (s *scan) close() { _ = s.body.Close() }
