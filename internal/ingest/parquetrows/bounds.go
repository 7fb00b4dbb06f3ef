package parquetrows

import (
	"encoding/binary"
	"errors"
	"io"

	"github.com/parquet-go/parquet-go"
	"github.com/parquet-go/parquet-go/format"

	"huoban/internal/fault"
)

// Bounds that no real export meets. The decoder makes room for what a file declares, so the declarations
// are held against what is there before it sees them.
const (
	mostFooter    = 32 << 20
	mostDirectory = 256 << 20 // decoded
	mostSchema    = 1 << 14   // elements
	mostHeader    = 1 << 20   // of a page
	mostPage      = 128 << 20 // unpacked
	mostValues    = 1 << 24   // of a page
	mostGroup     = 512 << 20 // the largest pages of all columns, which are open together
)

// tooMuch is the fault of a file whose declared sizes are above a bound or not true.
func tooMuch(what string, most int64) error {
	return fault.Invalid("ingest.parquet_size", fault.Args{"part": what, "most": most >> 20})
}

func broken(err error) error {
	if f := (*fault.Error)(nil); errors.As(err, &f) {
		return f
	}
	return fault.Invalid("ingest.file_broken", fault.Args{"detail": "parquet"}).Because(err)
}

// checkFooter looks at the directory of the file before it is decoded.
func checkFooter(f io.ReaderAt, size int64) error {
	var tail [8]byte
	if size < 12 {
		return broken(errShort)
	}
	if _, err := f.ReadAt(tail[:], size-8); err != nil {
		return broken(err)
	}
	if string(tail[4:]) != "PAR1" { // cut short, or encrypted
		return broken(errShape)
	}
	n := int64(binary.LittleEndian.Uint32(tail[:]))
	if n > mostFooter || n > size-12 {
		return tooMuch("footer", mostFooter)
	}
	text := make([]byte, n)
	if _, err := f.ReadAt(text, size-8-n); err != nil {
		return broken(err)
	}
	d := directory{text: text, most: mostDirectory, list: func(in, field int16, size uint64) error {
		if in == 0 && field == 2 && size > mostSchema {
			return errShape
		}
		return nil
	}}
	if err := d.fields(0, 0); err != nil {
		return broken(err)
	}
	return nil
}

// pageHead is what a page says about itself.
type pageHead struct {
	kind, unpacked, packed     int64
	values, encoding           int64
	defEncoding, repEncoding   int64
	defBytes, repBytes         int64 // of version 2
	plain                      bool  // version 2, not compressed
	length                     int64 // of the head itself
	maxDefinition, maxRepeated int
}

const (
	dataPage1  = 0
	dictionary = 2
	dataPage2  = 3
)

// checkGroup looks at every page of a row group before it is decoded.
func checkGroup(f io.ReaderAt, size int64, pq *parquet.File, group int) error {
	u := &unpacker{}
	defer u.close()
	schema, sum := pq.Schema(), int64(0)
	for i := range pq.Metadata().RowGroups[group].Columns {
		meta := &pq.Metadata().RowGroups[group].Columns[i].MetaData
		leaf, ok := schema.Lookup(meta.PathInSchema...)
		if !ok {
			return broken(errShape)
		}
		c := chunk{f: f, codec: meta.Codec, u: u, leaf: leaf, at: meta.DataPageOffset}
		if meta.DictionaryPageOffset != 0 {
			c.at = meta.DictionaryPageOffset
		}
		if c.at < 0 || c.at > size || meta.TotalCompressedSize < 0 {
			return broken(errShape)
		}
		c.end = c.at + min(meta.TotalCompressedSize, size-c.at)
		cost, err := c.check()
		if err != nil {
			return broken(err)
		}
		if sum += cost; sum > mostGroup {
			return tooMuch("row group", mostGroup)
		}
	}
	return nil
}

// chunk is a column of a row group: pages one after the other.
type chunk struct {
	f       io.ReaderAt
	at, end int64
	codec   format.CompressionCodec
	leaf    parquet.LeafColumn
	u       *unpacker
	packed  []byte
}

// check gives the bytes its largest page and its dictionary take.
func (c *chunk) check() (int64, error) {
	var largest, dict int64
	for c.at < c.end {
		h, err := c.head()
		if err != nil {
			return 0, err
		}
		c.at += h.length
		cost := h.packed + h.unpacked + 6*h.values
		switch {
		case h.packed < 0 || h.unpacked < 0 || h.values < 0 || h.defBytes < 0 || h.repBytes < 0:
			return 0, errShape
		case h.unpacked > mostPage || h.values > mostValues || h.packed > c.end-c.at:
			return 0, tooMuch("page", mostPage)
		}
		if int64(cap(c.packed)) < h.packed {
			c.packed = make([]byte, h.packed)
		}
		body := c.packed[:h.packed]
		if _, err := c.f.ReadAt(body, c.at); err != nil {
			return 0, err
		}
		c.at += h.packed
		more, err := c.page(h, body)
		if err != nil {
			return 0, err
		}
		if h.kind == dictionary {
			dict = max(dict, cost)
		} else {
			largest = max(largest, cost+more)
		}
	}
	return largest + dict, nil
}

// head reads the directory of a page, which has no length of its own.
func (c *chunk) head() (*pageHead, error) {
	for room := int64(512); ; room *= 8 {
		text := make([]byte, min(room, c.end-c.at))
		if _, err := c.f.ReadAt(text, c.at); err != nil {
			return nil, err
		}
		h := pageHead{}
		var parts [9][9]int64
		parts[8][7] = 1
		d := directory{text: text, most: mostHeader, number: func(in, field int16, v int64) {
			if in >= 0 && in < 9 && field > 0 && field < 9 {
				parts[in][field] = v
			}
		}}
		err := d.fields(0, 0)
		if err == errShort && int64(len(text)) < min(mostHeader, c.end-c.at) {
			continue
		}
		if err != nil {
			return nil, err
		}
		h.kind, h.unpacked, h.packed, h.length = parts[0][1], parts[0][2], parts[0][3], int64(d.at)
		h.maxDefinition, h.maxRepeated = c.leaf.MaxDefinitionLevel, c.leaf.MaxRepetitionLevel
		switch p := &parts[5]; h.kind {
		case dataPage1:
			h.values, h.encoding, h.defEncoding, h.repEncoding = p[1], p[2], p[3], p[4]
		case dictionary:
			h.values, h.encoding = parts[7][1], parts[7][2]
		case dataPage2:
			p = &parts[8]
			h.values, h.encoding, h.defBytes, h.repBytes, h.plain = p[1], p[4], p[5], p[6], p[7] == 0
			h.defEncoding, h.repEncoding = encodingRLE, encodingRLE
		default:
			return nil, errShape
		}
		return &h, nil
	}
}

// page looks at what the body of a page unpacks to and gives the bytes it takes beyond its own.
func (c *chunk) page(h *pageHead, body []byte) (int64, error) {
	var err error
	if h.kind == dataPage2 {
		if h.repBytes+h.defBytes > int64(len(body)) {
			return 0, errShape
		}
		if err := checkLevels(body[:h.repBytes], h.values, h.maxRepeated); err != nil {
			return 0, err
		}
		if err := checkLevels(body[h.repBytes:h.repBytes+h.defBytes], h.values, h.maxDefinition); err != nil {
			return 0, err
		}
		body = body[h.repBytes+h.defBytes:]
	}
	if !h.plain {
		if body, err = c.u.page(c.codec, body, h.unpacked); err != nil {
			return 0, unpackFault(err)
		}
	}
	if h.kind == dictionary {
		return 0, nil // always in plain encoding, which is no longer than its values
	}
	if h.kind == dataPage1 {
		if body, err = levelsBefore(body, h.repEncoding, h.values, h.maxRepeated); err != nil {
			return 0, err
		}
		if body, err = levelsBefore(body, h.defEncoding, h.values, h.maxDefinition); err != nil {
			return 0, err
		}
	}
	return checkValues(h, body)
}

func unpackFault(err error) error {
	if errors.Is(err, errUnpack) {
		return tooMuch("page", mostPage)
	}
	return err
}
