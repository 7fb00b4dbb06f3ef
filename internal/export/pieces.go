package export

import (
	"bytes"
	"hash"
	"io"
)

// pieceSize is how much of a file one row holds.
const pieceSize = 256 << 10

// Cutter cuts what is written to it into pieces, so that a file of any size needs the memory of one; it sums and counts
// what went through.
type Cutter struct {
	Put   func(no int64, piece []byte) error // in a transaction of its own
	Sum   hash.Hash
	Bytes int64 // put so far

	no  int64
	buf bytes.Buffer
}

// Write implements io.Writer.
func (c *Cutter) Write(p []byte) (int, error) {
	c.Sum.Write(p)
	c.buf.Write(p)
	for c.buf.Len() >= pieceSize {
		if err := c.put(pieceSize); err != nil {
			return 0, err
		}
	}
	return len(p), nil
}

// Flush puts the last piece.
func (c *Cutter) Flush() error {
	if c.buf.Len() == 0 {
		return nil
	}
	return c.put(c.buf.Len())
}

func (c *Cutter) put(n int) error {
	if err := c.Put(c.no, c.buf.Next(n)); err != nil {
		return err
	}
	c.no, c.Bytes = c.no+1, c.Bytes+int64(n)
	return nil
}

// Pieces reads a file of so many bytes from its pieces.
func Pieces(length int64, piece func(no int64) ([]byte, error)) io.Reader {
	return &pieces{piece: piece, left: length}
}

type pieces struct {
	piece func(no int64) ([]byte, error)
	no    int64
	left  int64
	rest  []byte
}

// Read implements io.Reader.
func (r *pieces) Read(p []byte) (int, error) {
	if len(r.rest) == 0 {
		if r.left == 0 {
			return 0, io.EOF
		}
		body, err := r.piece(r.no)
		if err != nil {
			return 0, err
		}
		if len(body) == 0 || int64(len(body)) > r.left {
			return 0, io.ErrUnexpectedEOF
		}
		r.rest, r.no = body, r.no+1
	}
	n := copy(p, r.rest)
	r.rest, r.left = r.rest[n:], r.left-int64(n)
	return n, nil
}
