// Command parquetmake turns a FOCUS CSV into Parquet in the shapes real exports use, for tests: it
// shares no code with the reader.
//
//	go run ./tools/parquetmake -in focus.csv -out focus.parquet -cost decimal|double -tags map|text -codec zstd|snappy -group 100
package main

import (
	"encoding/csv"
	"encoding/json"
	"flag"
	"fmt"
	"log"
	"maps"
	"math/big"
	"os"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/parquet-go/parquet-go"
	"github.com/parquet-go/parquet-go/compress"
)

// Options are how the file is written.
type Options struct {
	Cost  string // decimal or double
	Tags  string // map or text
	Codec string // zstd or snappy
	Group int    // rows of a row group
}

func main() {
	in, out := flag.String("in", "", "CSV"), flag.String("out", "", "Parquet")
	var o Options
	flag.StringVar(&o.Cost, "cost", "decimal", "decimal or double")
	flag.StringVar(&o.Tags, "tags", "map", "map or text")
	flag.StringVar(&o.Codec, "codec", "zstd", "zstd or snappy")
	flag.IntVar(&o.Group, "group", 300, "rows of a row group")
	flag.Parse()
	if err := Make(*in, *out, o); err != nil {
		log.Fatal(err)
	}
}

const scale = 20 // decimals of the DECIMAL columns; 38 digits in all

var costs = map[string]bool{"BilledCost": true, "ListCost": true, "ContractedCost": true, "EffectiveCost": true}

// Make writes out from in.
func Make(in, out string, o Options) error {
	f, err := os.Open(in)
	if err != nil {
		return err
	}
	defer f.Close()
	records, err := csv.NewReader(f).ReadAll()
	if err != nil {
		return err
	}
	head, records := records[0], records[1:]
	group := parquet.Group{}
	for _, name := range head {
		group[name] = parquet.Optional(node(name, o))
	}
	if o.Tags == "map" {
		group["Tags"] = parquet.Optional(parquet.Map(parquet.String(), parquet.Optional(parquet.String())))
	}
	codecs := map[string]compress.Codec{"zstd": &parquet.Zstd, "snappy": &parquet.Snappy}
	schema := parquet.NewSchema("focus", group)
	w, err := os.Create(out)
	if err != nil {
		return err
	}
	defer w.Close()
	pw := parquet.NewWriter(w, schema, parquet.Compression(codecs[o.Codec]), parquet.MaxRowsPerRowGroup(int64(o.Group)))
	for _, rec := range records {
		row, err := rowOf(head, rec, o)
		if err != nil {
			return err
		}
		if _, err := pw.WriteRows([]parquet.Row{row}); err != nil {
			return err
		}
	}
	return pw.Close()
}

func node(name string, o Options) parquet.Node {
	switch {
	case costs[name] && o.Cost == "double":
		return parquet.Leaf(parquet.DoubleType)
	case costs[name]:
		return parquet.Decimal(scale, 38, parquet.FixedLenByteArrayType(16))
	case strings.HasSuffix(name, "PeriodStart"), strings.HasSuffix(name, "PeriodEnd"):
		return parquet.Timestamp(parquet.Microsecond)
	}
	return parquet.Encoded(parquet.String(), &parquet.RLEDictionary)
}

// rowOf writes the record as the schema's leaves, in its order (by name).
func rowOf(head, rec []string, o Options) (parquet.Row, error) {
	order := make([]int, len(head))
	for i := range order {
		order[i] = i
	}
	slices.SortFunc(order, func(a, b int) int { return strings.Compare(head[a], head[b]) })
	var row parquet.Row
	column := 0
	for _, i := range order {
		name, text := head[i], rec[i]
		absent := text == "" || text == "NULL"
		if name == "Tags" && o.Tags == "map" {
			var err error
			if row, err = tags(row, text, absent, column); err != nil {
				return nil, err
			}
			column += 2
			continue
		}
		v, err := value(name, text, absent, o)
		if err != nil {
			return nil, fmt.Errorf("%s %q: %w", name, text, err)
		}
		definition := 1
		if absent {
			definition = 0
		}
		row = append(row, v.Level(0, definition, column))
		column++
	}
	return row, nil
}

func value(name, text string, absent bool, o Options) (parquet.Value, error) {
	switch {
	case absent:
		return parquet.NullValue(), nil
	case costs[name] && o.Cost == "double":
		f, err := strconv.ParseFloat(text, 64)
		return parquet.DoubleValue(f), err
	case costs[name]:
		return decimalValue(text)
	case strings.HasSuffix(name, "PeriodStart"), strings.HasSuffix(name, "PeriodEnd"):
		t, err := time.Parse(time.DateTime, text)
		return parquet.Int64Value(t.UnixMicro()), err
	}
	return parquet.ByteArrayValue([]byte(text)), nil
}

// decimalValue is the unscaled integer in 16 bytes of two's complement.
func decimalValue(text string) (parquet.Value, error) {
	r, ok := new(big.Rat).SetString(text)
	if !ok {
		return parquet.Value{}, fmt.Errorf("no number")
	}
	r.Mul(r, new(big.Rat).SetInt(new(big.Int).Exp(big.NewInt(10), big.NewInt(scale), nil)))
	if !r.IsInt() {
		return parquet.Value{}, fmt.Errorf("more than %d decimals", scale)
	}
	n := new(big.Int).Set(r.Num())
	if n.Sign() < 0 {
		n.Add(n, new(big.Int).Lsh(big.NewInt(1), 128))
	}
	return parquet.FixedLenByteArrayValue(n.FillBytes(make([]byte, 16))), nil
}

// tags writes a map: definition 0 is no map, 2 a key, 3 a value.
func tags(row parquet.Row, text string, absent bool, column int) (parquet.Row, error) {
	m := map[string]string{}
	if !absent {
		if err := json.Unmarshal([]byte(text), &m); err != nil {
			return nil, fmt.Errorf("tags %q: %w", text, err)
		}
	}
	if len(m) == 0 {
		return append(row, parquet.NullValue().Level(0, 0, column), parquet.NullValue().Level(0, 0, column+1)), nil
	}
	keys := slices.Sorted(maps.Keys(m))
	for pass := range 2 {
		for i, k := range keys {
			text, definition := k, 2
			if pass == 1 {
				text, definition = m[k], 3
			}
			row = append(row, parquet.ByteArrayValue([]byte(text)).Level(min(i, 1), definition, column+pass))
		}
	}
	return row, nil
}
