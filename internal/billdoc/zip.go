package billdoc

import (
	"archive/zip"
	"compress/flate"
	"errors"
	"hash/crc32"
	"io"
	"io/fs"
	"os"
	"strings"

	"huoban/internal/sorted"
)

// sortedZip writes the parts of a workbook in the order of their names: the library hands them over in
// none, and the same list has to give the same file. Each is compressed into one temporary file first, so
// that a workbook of any size takes no memory.
type sortedZip struct {
	out   io.Writer
	spool *os.File
	parts []*zipPart
	err   error
}

type zipPart struct {
	header zip.FileHeader
	from   int64
	flate  *flate.Writer
	sum    uint32
	z      *sortedZip
}

func newSortedZip(out io.Writer) *sortedZip {
	z := &sortedZip{out: out}
	z.spool, z.err = os.CreateTemp("", "portal-xlsx-")
	return z
}

// Create begins the next part; the one before is complete.
func (z *sortedZip) Create(name string) (io.Writer, error) {
	if err := z.end(); err != nil {
		return nil, err
	}
	p := &zipPart{header: zip.FileHeader{Name: name, Method: zip.Deflate}, z: z}
	if p.from, z.err = z.spool.Seek(0, io.SeekCurrent); z.err != nil {
		return nil, z.err
	}
	p.flate, z.err = flate.NewWriter(z.spool, flate.DefaultCompression)
	z.parts = append(z.parts, p)
	return p, z.err
}

// Write implements io.Writer.
func (p *zipPart) Write(b []byte) (int, error) {
	p.sum = crc32.Update(p.sum, crc32.IEEETable, b)
	n, err := p.flate.Write(b)
	p.header.UncompressedSize64 += uint64(n)
	return n, err
}

// end completes the last part.
func (z *sortedZip) end() error {
	if z.err != nil || len(z.parts) == 0 {
		return z.err
	}
	p := z.parts[len(z.parts)-1]
	if p.flate == nil {
		return nil
	}
	if z.err = p.flate.Close(); z.err != nil {
		return z.err
	}
	p.flate, p.header.CRC32 = nil, p.sum
	to, err := z.spool.Seek(0, io.SeekCurrent)
	p.header.CompressedSize64, z.err = uint64(to-p.from), err
	return z.err
}

// AddFS is part of the library's interface; a workbook needs none.
func (z *sortedZip) AddFS(fs.FS) error { return errors.ErrUnsupported }

// Close writes the file.
func (z *sortedZip) Close() error {
	if err := z.end(); err != nil {
		return err
	}
	sorted.By(z.parts, func(a, b *zipPart) int { return strings.Compare(a.header.Name, b.header.Name) })
	w := zip.NewWriter(z.out)
	for _, p := range z.parts {
		part, err := w.CreateRaw(&p.header)
		if err != nil {
			return err
		}
		if _, err := io.Copy(part, io.NewSectionReader(z.spool, p.from, int64(p.header.CompressedSize64))); err != nil {
			return err
		}
	}
	return w.Close()
}

// remove takes the temporary file away.
func (z *sortedZip) remove() error {
	if z.spool == nil {
		return nil
	}
	return errors.Join(z.spool.Close(), os.Remove(z.spool.Name()))
}
