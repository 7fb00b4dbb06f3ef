package parquetrows

import (
	"bytes"
	"encoding/binary"
	"errors"
	"io"
	"os"
	"path/filepath"
	"runtime/metrics"
	"testing"

	"github.com/klauspost/compress/gzip"
	"github.com/klauspost/compress/snappy"
	"github.com/klauspost/compress/zstd"
	"github.com/parquet-go/parquet-go"
	"github.com/parquet-go/parquet-go/encoding/delta"
	"github.com/parquet-go/parquet-go/format"

	"huoban/internal/fault"
	"huoban/internal/ingest"
)

// readAll reads a file to its end and gives the rows and what ended it.
func readAll(t testing.TB, body []byte) (int, error) {
	t.Helper()
	f, err := os.Create(filepath.Join(t.TempDir(), "x.parquet"))
	if err != nil {
		t.Fatal(err)
	}
	if _, err := f.Write(body); err != nil {
		t.Fatal(err)
	}
	r, err := newRows(f, int64(len(body)))
	if err != nil {
		_ = f.Close()
		return 0, err
	}
	defer func() { _ = r.Close() }()
	var rec ingest.Record
	for n := 0; ; n++ {
		if err := r.Next(&rec); err != nil {
			if errors.Is(err, io.EOF) {
				err = nil
			}
			return n, err
		}
	}
}

// allocated are the bytes asked of the heap so far.
func allocated() uint64 {
	s := []metrics.Sample{{Name: "/gc/heap/allocs:bytes"}}
	metrics.Read(s)
	return s[0].Value.Uint64()
}

// small is a file of one row group with texts, numbers and a repeated column.
func small(t testing.TB, codec parquet.WriterOption) []byte {
	t.Helper()
	type row struct {
		Name  string   `parquet:"name,dict,optional"`
		Plain string   `parquet:"plain"`
		Delta string   `parquet:"delta,delta"`
		N     int64    `parquet:"n,delta"`
		Cost  float64  `parquet:"cost"`
		Tags  []string `parquet:"tags,list"`
	}
	var b bytes.Buffer
	w := parquet.NewGenericWriter[row](&b, codec)
	for i := range 300 {
		if _, err := w.Write([]row{{Name: "n", Plain: "p", Delta: "delta" + string(rune('a'+i%7)), N: int64(i * i), Cost: float64(i), Tags: []string{"x", "y"}[:i%3]}}); err != nil {
			t.Fatal(err)
		}
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

func codecs() map[string]parquet.WriterOption {
	return map[string]parquet.WriterOption{"none": parquet.Compression(&parquet.Uncompressed), "snappy": parquet.Compression(&parquet.Snappy),
		"gzip": parquet.Compression(&parquet.Gzip), "zstd": parquet.Compression(&parquet.Zstd), "brotli": parquet.Compression(&parquet.Brotli),
		"lz4": parquet.Compression(&parquet.Lz4Raw), "version1": parquet.DataPageVersion(1)}
}

// TestBoundsLetRealFilesPass: every codec, both versions of pages, the encodings whose bytes are counted.
func TestBoundsLetRealFilesPass(t *testing.T) {
	for name, codec := range codecs() {
		if n, err := readAll(t, small(t, codec)); n != 300 || err != nil {
			t.Errorf("%s: %d rows: %v", name, n, err)
		}
	}
}

// footed is a file with nothing but a directory.
func footed(directory []byte) []byte {
	out := append([]byte("PAR1"), directory...)
	out = binary.LittleEndian.AppendUint32(out, uint32(len(directory)))
	return append(out, "PAR1"...)
}

// TestLyingDirectoriesAreRefused: a directory takes no more than its own bytes, whatever it declares.
func TestLyingDirectoriesAreRefused(t *testing.T) {
	long := binary.LittleEndian.AppendUint32([]byte("PAR1"), 0x7fffffff)
	many := append([]byte{0x15, 2, 0x19, 0xfc}, 0xff, 0xff, 0xff, 0xff, 0x07) // a schema of 2^31 elements
	full := append([]byte{0x15, 2, 0x49, 0xfc}, binary.AppendUvarint(nil, 1<<20)...)
	cases := map[string]struct {
		body []byte
		code string
	}{
		"length":   {append(long, "PAR1"...), "ingest.parquet_size"},
		"list":     {footed(many), "ingest.file_broken"},
		"elements": {footed(append(full, make([]byte, 1<<20)...)), "ingest.parquet_size"},
		"depth":    {footed(bytes.Repeat([]byte{0x1c}, 1<<20)), "ingest.file_broken"},
		"lists":    {footed(append([]byte{0x19}, bytes.Repeat([]byte{0x19}, 1<<20)...)), "ingest.file_broken"},
		"empty":    {footed(nil), "ingest.file_broken"},
	}
	for name, c := range cases {
		before := allocated()
		_, err := readAll(t, c.body)
		if !fault.HasCode(err, c.code) {
			t.Errorf("%s: %v, want %s", name, err, c.code)
		}
		if took := allocated() - before; took > 16<<20 {
			t.Errorf("%s: %d MiB", name, took>>20)
		}
	}
}

// TestBombsAreRefused: pages that unpack to more than they declare, and damaged ones, take the room of what
// they declare at most.
func TestBombsAreRefused(t *testing.T) {
	zeros := make([]byte, 64<<20)
	var gz bytes.Buffer
	w := gzip.NewWriter(&gz)
	_, _ = w.Write(zeros)
	_ = w.Close()
	enc, err := zstd.NewWriter(nil)
	if err != nil {
		t.Fatal(err)
	}
	for codec, packed := range map[format.CompressionCodec][]byte{
		format.Gzip: gz.Bytes(), format.Zstd: enc.EncodeAll(zeros, nil), format.Snappy: snappy.Encode(nil, zeros),
		format.Lz4Raw: bytes.Repeat([]byte{0xff}, 100), format.Brotli: bytes.Repeat([]byte{0xff}, 100), format.LZO: {1},
	} {
		u := &unpacker{}
		before := allocated()
		if out, err := u.page(codec, packed, 1000); err == nil {
			t.Errorf("%s: %d bytes", codec, len(out))
		}
		if took := allocated() - before; took > 32<<20 {
			t.Errorf("%s: %d MiB", codec, took>>20)
		}
		u.close()
	}
}

// TestRunsAreCounted: a few bytes stand for no more values than the page has.
func TestRunsAreCounted(t *testing.T) {
	run := binary.AppendUvarint(nil, 1<<31<<1)
	if err := checkRuns(append(run, 1), 100, 1); !fault.HasCode(err, "ingest.parquet_size") {
		t.Errorf("a run: %v", err)
	}
	if err := checkRuns(binary.AppendUvarint(nil, 1<<31|1), 100, 0); !fault.HasCode(err, "ingest.parquet_size") {
		t.Errorf("a packed group: %v", err)
	}
	head := binary.AppendUvarint(binary.AppendUvarint(binary.AppendUvarint(nil, 128), 4), 1<<31)
	if _, _, err := deltas(append(head, 0), 100, true); !fault.HasCode(err, "ingest.parquet_size") {
		t.Errorf("differences: %v", err)
	}
	shared := make([]int64, 100_000)
	own := make([]int64, len(shared))
	for i := range shared {
		shared[i] = 4096
	}
	shared[0], own[0] = 0, 4096
	if _, err := grown(shared, own, 4096); !fault.HasCode(err, "ingest.parquet_size") {
		t.Errorf("texts that begin alike: %v", err)
	}
}

// TestDeltasAreReadAsTheyWereWritten, so that what is counted is what the decoder will make.
func TestDeltasAreReadAsTheyWereWritten(t *testing.T) {
	want := []int32{7, 5, 3, 1, 2, 3, 4, 5, 400_000, -3}
	for i := range int32(500) {
		want = append(want, i*i%977)
	}
	text, err := new(delta.BinaryPackedEncoding).EncodeInt32(nil, want)
	if err != nil {
		t.Fatal(err)
	}
	got, rest, err := deltas(append(text, 1, 2, 3), int64(len(want)), true)
	if err != nil || !bytes.Equal(rest, []byte{1, 2, 3}) || len(got) != len(want) {
		t.Fatalf("%d of %d, then %v: %v", len(got), len(want), rest, err)
	}
	for i := range want {
		if got[i] != int64(want[i]) {
			t.Fatalf("number %d: %d, want %d", i, got[i], want[i])
		}
	}
}

// FuzzParquet: a file is rows or a refusal with a code, within the bounds of memory. Among the seeds is the
// one that once took 1.3 GiB.
func FuzzParquet(f *testing.F) {
	for _, codec := range codecs() {
		f.Add(small(f, codec))
	}
	f.Fuzz(func(t *testing.T, body []byte) {
		before := allocated()
		_, err := readAll(t, body)
		var refused *fault.Error
		if err != nil && (!errors.As(err, &refused) || refused.Code == "" || refused.Kind == fault.KindInternal) {
			t.Fatalf("no refusal: %v", err)
		}
		if took := allocated() - before; took > 768<<20 {
			t.Fatalf("%d MiB", took>>20)
		}
	})
}
