package parquetrows

import (
	"bytes"
	"errors"
	"io"

	"github.com/andybalholm/brotli"
	"github.com/klauspost/compress/gzip"
	"github.com/klauspost/compress/snappy"
	"github.com/klauspost/compress/zstd"
	"github.com/parquet-go/parquet-go/format"
	"github.com/pierrec/lz4/v4"
)

var errUnpack = errors.New("parquetrows: a page unpacks to another size than it declares")

// unpacker unpacks pages into room of the declared size. The decoder's own codecs make as much room as the
// packed bytes ask for, and LZ4's for ever more where they are damaged.
type unpacker struct {
	room []byte
	zstd *zstd.Decoder
}

// page gives the unpacked page, valid until the next call.
func (u *unpacker) page(codec format.CompressionCodec, packed []byte, size int64) ([]byte, error) {
	if codec == format.Uncompressed {
		return packed, nil
	}
	if int64(cap(u.room)) < size+1 {
		u.room = make([]byte, size+1) // one more shows that there is more
	}
	room := u.room[:size+1]
	switch codec {
	case format.Snappy:
		if n, err := snappy.DecodedLen(packed); err != nil || int64(n) > size {
			return nil, errors.Join(errUnpack, err)
		}
		return snappy.Decode(room, packed)
	case format.Lz4Raw:
		n, err := lz4.UncompressBlock(packed, room[:size])
		return room[:max(n, 0)], err
	case format.Gzip:
		r, err := gzip.NewReader(bytes.NewReader(packed))
		if err != nil {
			return nil, err
		}
		return fill(room, r)
	case format.Brotli:
		return fill(room, brotli.NewReader(bytes.NewReader(packed)))
	case format.Zstd:
		if u.zstd == nil {
			r, err := zstd.NewReader(nil, zstd.WithDecoderConcurrency(1), zstd.WithDecoderMaxWindow(mostPage))
			if err != nil {
				return nil, err
			}
			u.zstd = r
		}
		if err := u.zstd.Reset(bytes.NewReader(packed)); err != nil {
			return nil, err
		}
		return fill(room, u.zstd)
	}
	return nil, errors.New("parquetrows: unknown codec " + codec.String())
}

// fill reads to the end, which comes before the room is full.
func fill(room []byte, r io.Reader) ([]byte, error) {
	n, err := io.ReadFull(r, room)
	switch err {
	case io.EOF, io.ErrUnexpectedEOF:
		return room[:n], nil
	case nil:
		return nil, errUnpack
	}
	return nil, err
}

func (u *unpacker) close() {
	if u.zstd != nil {
		u.zstd.Close()
	}
}
