package parquetrows

import (
	"encoding/json"
	"fmt"
	"math"
	"math/big"
	"strconv"
	"time"

	"github.com/parquet-go/parquet-go"
	"github.com/parquet-go/parquet-go/deprecated"
	"github.com/parquet-go/parquet-go/format"
	"github.com/shopspring/decimal"

	"huoban/internal/fault"
)

// field is one top-level column: a leaf, a map, a list of leaves, or a group of leaves.
type field struct {
	first, leaves int
	shape         shape
	names         []string // of the leaves, for groups
	leaf          []leafText
}

type shape int

const (
	shapeLeaf shape = iota
	shapeMap
	shapeList
	shapeGroup
)

// leafText writes a present value.
type leafText func(v parquet.Value, to []byte) []byte

// newField understands a top-level node. Fault: ingest.parquet_nested for deeper nesting, which no
// cost export has.
func newField(node parquet.Field, first int) (field, error) {
	f := field{first: first}
	if node.Leaf() {
		f.leaves, f.leaf = 1, []leafText{textOf(node.Type())}
		if node.Repeated() {
			f.shape = shapeList
		}
		return f, nil
	}
	inner := node.Fields()
	lt := logicalOf(node)
	switch {
	case (lt == "map" || len(inner) == 1 && len(inner[0].Fields()) == 2 && inner[0].Repeated()) && len(inner) == 1:
		f.shape, inner = shapeMap, inner[0].Fields()
	case lt == "list" && len(inner) == 1:
		f.shape = shapeList
		if !inner[0].Leaf() {
			inner = inner[0].Fields()
		}
	default:
		f.shape = shapeGroup
	}
	for _, in := range inner {
		if !in.Leaf() {
			return f, fault.Invalid("ingest.parquet_nested", fault.Args{"column": node.Name()})
		}
		f.names, f.leaf = append(f.names, in.Name()), append(f.leaf, textOf(in.Type()))
	}
	f.leaves = len(f.leaf)
	return f, nil
}

func logicalOf(n parquet.Node) string {
	t := n.Type()
	if lt := t.LogicalType(); lt != nil {
		switch lt.Value.(type) {
		case *format.MapType:
			return "map"
		case *format.ListType:
			return "list"
		}
	}
	if ct := t.ConvertedType(); ct != nil {
		switch *ct {
		case deprecated.Map, deprecated.MapKeyValue:
			return "map"
		case deprecated.List:
			return "list"
		}
	}
	return ""
}

// text writes the cell; nil is null.
func (f *field) text(values []parquet.Value, to []byte) []byte {
	switch f.shape {
	case shapeLeaf:
		if len(values) == 0 || values[0].IsNull() {
			return nil
		}
		return f.leaf[0](values[0], to)
	case shapeMap:
		return f.mapText(values)
	case shapeGroup:
		m := map[string]string{}
		for _, v := range values {
			if !v.IsNull() {
				i := v.Column() - f.first
				m[f.names[i]] = string(f.leaf[i](v, nil))
			}
		}
		return jsonOrNull(m, len(m))
	}
	var list []string
	for _, v := range values {
		if !v.IsNull() {
			list = append(list, string(f.leaf[0](v, nil)))
		}
	}
	return jsonOrNull(list, len(list))
}

// mapText pairs keys and values: a row holds all keys of the map, then all values.
func (f *field) mapText(values []parquet.Value) []byte {
	var keys []string
	m := map[string]any{}
	at := 0
	for _, v := range values {
		if v.Column() == f.first {
			if !v.IsNull() {
				keys = append(keys, string(f.leaf[0](v, nil)))
			}
			continue
		}
		if at >= len(keys) {
			break
		}
		m[keys[at]] = nil
		if !v.IsNull() {
			m[keys[at]] = string(f.leaf[1](v, nil))
		}
		at++
	}
	return jsonOrNull(m, len(keys))
}

func jsonOrNull(v any, n int) []byte {
	if n == 0 {
		return nil
	}
	b, err := json.Marshal(v) // sorts the keys of maps
	if err != nil {
		return nil
	}
	return b
}

// textOf chooses how values of a leaf type are written.
func textOf(t parquet.Type) leafText {
	if lt := t.LogicalType(); lt != nil {
		if w := logicalText(t, lt); w != nil {
			return w
		}
	} else if ct := t.ConvertedType(); ct != nil && *ct == deprecated.TimestampMillis {
		return stamp(time.Millisecond)
	} else if ct != nil && *ct == deprecated.TimestampMicros {
		return stamp(time.Microsecond)
	}
	switch t.Kind() {
	case parquet.Boolean:
		return func(v parquet.Value, to []byte) []byte { return strconv.AppendBool(to, v.Boolean()) }
	case parquet.Int32:
		return func(v parquet.Value, to []byte) []byte { return strconv.AppendInt(to, int64(v.Int32()), 10) }
	case parquet.Int64:
		return func(v parquet.Value, to []byte) []byte { return strconv.AppendInt(to, v.Int64(), 10) }
	case parquet.Int96:
		return int96
	case parquet.Float:
		return func(v parquet.Value, to []byte) []byte { return float(to, float64(v.Float()), 32) }
	case parquet.Double:
		return func(v parquet.Value, to []byte) []byte { return float(to, v.Double(), 64) }
	}
	return func(v parquet.Value, to []byte) []byte { return append(to, v.ByteArray()...) }
}

func logicalText(t parquet.Type, lt *format.LogicalType) leafText {
	switch l := lt.Value.(type) {
	case *format.DecimalType:
		return decimalText(t.Kind(), l.Scale)
	case *format.TimestampType:
		return stamp(l.Unit.Value.Duration())
	case *format.DateType:
		return func(v parquet.Value, to []byte) []byte {
			return time.Unix(int64(v.Int32())*86400, 0).UTC().AppendFormat(to, time.DateOnly)
		}
	}
	return nil
}

func float(to []byte, f float64, bits int) []byte {
	if math.IsNaN(f) || math.IsInf(f, 0) {
		return append(to, fmt.Sprint(f)...) // refused as a number, into quarantine
	}
	return strconv.AppendFloat(to, f, 'g', -1, bits)
}

// decimalText writes the unscaled integer with its point; nothing is rounded.
func decimalText(kind parquet.Kind, scale int32) leafText {
	return func(v parquet.Value, to []byte) []byte {
		var n *big.Int
		switch kind {
		case parquet.Int32:
			n = big.NewInt(int64(v.Int32()))
		case parquet.Int64:
			n = big.NewInt(v.Int64())
		default:
			b := v.ByteArray() // two's complement, big endian
			n = new(big.Int).SetBytes(b)
			if len(b) > 0 && b[0]&0x80 != 0 {
				n.Sub(n, new(big.Int).Lsh(big.NewInt(1), uint(8*len(b))))
			}
		}
		return append(to, decimal.NewFromBigInt(n, -scale).String()...)
	}
}

func stamp(unit time.Duration) leafText {
	return func(v parquet.Value, to []byte) []byte {
		n := v.Int64()
		per := int64(time.Second / unit)
		sec, rest := n/per, n%per
		if rest < 0 {
			sec, rest = sec-1, rest+per
		}
		return time.Unix(sec, rest*int64(unit)).UTC().AppendFormat(to, time.RFC3339Nano)
	}
}

// int96 is the older timestamp: nanoseconds of the day and the Julian day.
func int96(v parquet.Value, to []byte) []byte {
	x := v.Int96()
	nanos := int64(x[1])<<32 | int64(x[0])
	days := int64(x[2]) - 2440588
	return time.Unix(days*86400, nanos).UTC().AppendFormat(to, time.RFC3339Nano)
}
