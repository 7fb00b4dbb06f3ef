package delivery

import (
	"bufio"
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"slices"
	"sort"
	"strings"

	"github.com/klauspost/compress/zstd"

	"huoban/internal/fault"
	"huoban/internal/ingest"
)

const (
	chunkBytes    = 1 << 20 // unpacked size of a kept piece, rounded up to whole lines
	chunkMost     = 16 << 20
	chunksPerTurn = 16
)

var packer, _ = zstd.NewWriter(nil, zstd.WithEncoderLevel(zstd.SpeedFastest), zstd.WithEncoderConcurrency(1), zstd.WithWindowSize(chunkBytes),
	zstd.WithLowerEncoderMem(true))
var unpacker, _ = zstd.NewReader(nil, zstd.WithDecoderConcurrency(1), zstd.WithDecoderMaxMemory(64<<20))

// digest hashes the unpacked parts, so that the same content is known however it is wrapped.
func digest(parts []ingest.Part) ([]File, string, error) {
	files := make([]File, len(parts))
	shas := make([]string, len(parts))
	for i, p := range parts {
		body, err := p.Open()
		if err != nil {
			return nil, "", ingest.InFile(p.Name, err)
		}
		h := sha256.New()
		n, err := io.CopyBuffer(struct{ io.Writer }{h}, body, make([]byte, 256<<10))
		if e := body.Close(); err == nil {
			err = e
		}
		if err != nil {
			return nil, "", ingest.InFile(p.Name, err)
		}
		shas[i] = hex.EncodeToString(h.Sum(nil))
		files[i] = File{No: p.No, Name: p.Name, SHA: shas[i], Format: string(p.Format), Bytes: n}
	}
	sort.Strings(shas)
	all := sha256.Sum256([]byte(strings.Join(shas, "\n")))
	return files, hex.EncodeToString(all[:]), nil
}

// keep writes a part's body in compressed pieces of whole lines. Pieces are the same at every reading,
// so an interrupted keeping is taken up by doing it again.
func (s *Service) keep(ctx context.Context, p ingest.Part, f File) error {
	if _, _, ok, err := s.Store.KeptFile(ctx, f.SHA); err != nil || ok {
		return err
	}
	body, err := p.Open()
	if err != nil {
		return ingest.InFile(p.Name, err)
	}
	defer body.Close()
	c := &chunker{in: bufio.NewReaderSize(body, 64<<10), line: 1}
	for !c.done {
		turn, err := c.turn(f.Format == string(ingest.FormatCSV))
		if err != nil {
			return ingest.InFile(p.Name, err)
		}
		err = s.Tx.InTx(ctx, func(ctx context.Context) error {
			for _, piece := range turn {
				if err := s.Store.KeepChunk(ctx, f.SHA, piece.no, piece.first, piece.body); err != nil {
					return err
				}
			}
			if c.done {
				return s.Store.KeepFile(ctx, f.SHA, f.Bytes, c.no, s.Clock.Now())
			}
			return nil
		})
		if err != nil {
			return err
		}
	}
	return nil
}

type piece struct {
	no, first int64
	body      []byte
}

type chunker struct {
	in   *bufio.Reader
	no   int64
	line int64
	bin  bool
	done bool
	buf  []byte
	rest []byte // the end of buf, which belongs to the next piece
}

func (c *chunker) turn(text bool) ([]piece, error) {
	var out []piece
	for len(out) < chunksPerTurn && !c.done {
		raw, err := c.next()
		if err != nil {
			return nil, err
		}
		if c.no == 0 && (!text || wide(raw)) {
			c.bin = true
		}
		first := c.line
		if c.bin {
			first = 0
		}
		out = append(out, piece{c.no, first, packer.EncodeAll(raw, nil)})
		c.no++
		c.line += int64(bytes.Count(raw, []byte{'\n'}))
	}
	return out, nil
}

// wide tells whether text is not in an encoding where a line feed is one byte of its own.
func wide(b []byte) bool {
	return bytes.HasPrefix(b, []byte{0xff, 0xfe}) || bytes.HasPrefix(b, []byte{0xfe, 0xff}) || bytes.IndexByte(b[:min(len(b), 1024)], 0) >= 0
}

// next gives about chunkBytes, ending after a line feed where there is one. The bytes are valid until
// the next call.
func (c *chunker) next() ([]byte, error) {
	buf := append(c.buf[:0], c.rest...)
	c.rest = nil
	for {
		have := len(buf)
		buf = slices.Grow(buf, chunkBytes)[:have+chunkBytes]
		c.buf = buf
		n, err := io.ReadFull(c.in, buf[have:])
		buf = buf[:have+n]
		switch {
		case errors.Is(err, io.EOF), errors.Is(err, io.ErrUnexpectedEOF):
			c.done = true
			return buf, nil
		case err != nil:
			return nil, err
		}
		cut := bytes.LastIndexByte(buf, '\n') + 1
		if cut == 0 && len(buf) < chunkMost {
			continue
		}
		if cut == 0 {
			cut = len(buf)
		}
		c.rest = buf[cut:]
		return buf[:cut], nil
	}
}

// keptPart is a kept body as a part that can be read again.
func (s *Service) keptPart(ctx context.Context, f File) (ingest.Part, error) {
	size, chunks, ok, err := s.Store.KeptFile(ctx, f.SHA)
	if err != nil {
		return ingest.Part{}, err
	}
	if !ok {
		return ingest.Part{}, fault.NotFound("delivery.file_not_kept", fault.Args{"file": f.Name})
	}
	return ingest.NewPart(f.No, f.Name, ingest.Format(f.Format), size, func() (io.ReadCloser, error) {
		return io.NopCloser(&keptReader{ctx: ctx, s: s, sha: f.SHA, chunks: chunks}), nil
	}), nil
}

type keptReader struct {
	ctx    context.Context
	s      *Service
	sha    string
	no     int64
	chunks int64
	left   []byte
}

// Read unpacks the kept pieces one after the other.
func (r *keptReader) Read(p []byte) (int, error) {
	for len(r.left) == 0 {
		if r.no == r.chunks {
			return 0, io.EOF
		}
		_, packed, err := r.s.Store.Chunk(r.ctx, r.sha, r.no)
		if err != nil {
			return 0, err
		}
		if r.left, err = unpacker.DecodeAll(packed, nil); err != nil {
			return 0, fmt.Errorf("kept file %s piece %d: %w", r.sha, r.no, err)
		}
		r.no++
	}
	n := copy(p, r.left)
	r.left = r.left[n:]
	return n, nil
}
