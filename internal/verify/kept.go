package verify

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"io"

	"github.com/klauspost/compress/zstd"

	"huoban/internal/fault"
)

const unpackLimit = 64 << 20

var unpacker, _ = zstd.NewReader(nil, zstd.WithDecoderConcurrency(1), zstd.WithDecoderMaxMemory(unpackLimit))

// bodyReader unpacks a kept file piece by piece.
type bodyReader struct {
	ctx  context.Context
	s    Store
	f    File
	no   int64
	left []byte
}

// Read gives the unpacked bytes.
func (b *bodyReader) Read(p []byte) (int, error) {
	for len(b.left) == 0 {
		if b.no >= b.f.KeptRows {
			return 0, io.EOF
		}
		_, packed, err := b.s.Chunk(b.ctx, b.f.SHA, b.no)
		if err != nil {
			return 0, err
		}
		if b.left, err = unpacker.DecodeAll(packed, nil); err != nil {
			return 0, err
		}
		b.no++
	}
	n := copy(p, b.left)
	b.left = b.left[n:]
	return n, nil
}

// kept checks that a kept body is the one its hash names, and that every piece begins at the line it
// says.
func (s *Service) kept(ctx context.Context, r *Report, f File) error {
	if !f.Kept {
		r.add("kept_file", f.SHA, "(row)", "absent", f.Name)
		return nil
	}
	h := sha256.New()
	size, line := int64(0), int64(1)
	for no := range f.KeptRows {
		first, packed, err := s.Store.Chunk(ctx, f.SHA, no)
		if fault.HasCode(err, "verify.chunk_missing") {
			r.add("kept_chunk", fmt.Sprintf("%s/%d", f.SHA, no), "(row)", "absent", "present")
			return nil
		}
		if err != nil {
			return err
		}
		body, err := unpacker.DecodeAll(packed, nil)
		if err != nil {
			r.add("kept_chunk", fmt.Sprintf("%s/%d", f.SHA, no), "body", err.Error(), "a whole piece")
			return nil
		}
		if first != 0 {
			r.same("kept_chunk", fmt.Sprintf("%s/%d", f.SHA, no), "first_line", first, line)
		}
		h.Write(body)
		size += int64(len(body))
		line += int64(bytes.Count(body, []byte{'\n'}))
	}
	r.same("kept_chunk", f.SHA, "sha", f.SHA, hex.EncodeToString(h.Sum(nil)))
	r.same("kept_file", f.SHA, "bytes", f.KeptBytes, size)
	r.same("delivery_file", f.SHA, "bytes", f.Bytes, size)
	return nil
}
