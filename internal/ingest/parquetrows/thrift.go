package parquetrows

import (
	"encoding/binary"
	"errors"
)

// Types of the compact protocol Parquet's directories are written in.
const (
	compactTrue   = 1
	compactFalse  = 2
	compactByte   = 3
	compactI16    = 4
	compactI32    = 5
	compactI64    = 6
	compactDouble = 7
	compactBinary = 8
	compactList   = 9
	compactSet    = 10
	compactMap    = 11
	compactStruct = 12
)

const (
	mostDepth = 32 // of a directory; FileMetaData needs 8
	// What an element of a list takes once decoded, at most.
	structCost = 640
	plainCost  = 24
)

var (
	errShort = errors.New("parquetrows: the directory goes on after its end")
	errShape = errors.New("parquetrows: the directory is none")
)

// directory walks over a directory without decoding it: the decoder makes room for as many elements as a
// list says it has and follows any depth, so what it says is looked at before.
type directory struct {
	text []byte
	at   int
	cost int64 // bytes its lists take once decoded
	most int64
	// number sees the 32-bit numbers and the flags by their field and the field of the struct around it,
	// list the sizes of lists.
	number func(in, field int16, v int64)
	list   func(in, field int16, size uint64) error
}

func (d *directory) next() (byte, error) {
	if d.at >= len(d.text) {
		return 0, errShort
	}
	d.at++
	return d.text[d.at-1], nil
}

func (d *directory) uvarint() (uint64, error) {
	v, n := binary.Uvarint(d.text[d.at:])
	switch {
	case n == 0:
		return 0, errShort
	case n < 0:
		return 0, errShape
	}
	d.at += n
	return v, nil
}

func (d *directory) pass(n uint64) error {
	if n > uint64(len(d.text)-d.at) {
		return errShort
	}
	d.at += int(n)
	return nil
}

// fields walks over a struct.
func (d *directory) fields(in int16, depth int) error {
	if depth > mostDepth {
		return errShape
	}
	field := int16(0)
	for {
		b, err := d.next()
		if err != nil || b == 0 {
			return err
		}
		if b>>4 != 0 {
			field += int16(b >> 4)
		} else {
			id, err := d.uvarint()
			if err != nil {
				return err
			}
			field = int16(zigzag(id))
		}
		if t := b & 15; t == compactTrue || t == compactFalse { // the type is the value
			d.seen(in, field, int64(compactFalse-t))
		} else if err := d.value(in, field, t, depth); err != nil {
			return err
		}
	}
}

func (d *directory) seen(in, field int16, v int64) {
	if d.number != nil {
		d.number(in, field, v)
	}
}

func (d *directory) value(in, field int16, t byte, depth int) error {
	switch t {
	case compactTrue, compactFalse, compactByte:
		return d.pass(1)
	case compactI16, compactI32, compactI64:
		v, err := d.uvarint()
		if err == nil && t == compactI32 {
			d.seen(in, field, zigzag(v))
		}
		return err
	case compactDouble:
		return d.pass(8)
	case compactBinary:
		n, err := d.uvarint()
		if err != nil {
			return err
		}
		return d.pass(n)
	case compactList, compactSet:
		return d.items(in, field, depth+1)
	case compactMap:
		return d.pairs(depth + 1)
	case compactStruct:
		return d.fields(field, depth+1)
	}
	return errShape
}

func (d *directory) items(in, field int16, depth int) error {
	b, err := d.next()
	if err != nil {
		return err
	}
	size, t := uint64(b>>4), b&15
	if size == 15 {
		if size, err = d.uvarint(); err != nil {
			return err
		}
	}
	if err := d.room(size, t); err != nil {
		return err
	}
	if d.list != nil {
		if err := d.list(in, field, size); err != nil {
			return err
		}
	}
	return d.repeat(size, t, depth)
}

// pairs walks over a map. No directory of Parquet has one, but a field nobody knows may.
func (d *directory) pairs(depth int) error {
	size, err := d.uvarint()
	if err != nil || size == 0 {
		return err
	}
	b, err := d.next()
	if err != nil {
		return err
	}
	if err := d.room(size, compactStruct); err != nil {
		return err
	}
	for range size {
		if err := d.repeat(1, b>>4, depth); err != nil {
			return err
		}
		if err := d.repeat(1, b&15, depth); err != nil {
			return err
		}
	}
	return nil
}

// room counts the elements of a list, which take a byte each at least.
func (d *directory) room(size uint64, t byte) error {
	if size > uint64(len(d.text)-d.at) {
		return errShort
	}
	each := int64(plainCost)
	if t == compactStruct {
		each = structCost
	}
	if d.cost += int64(size) * each; d.cost > d.most {
		return tooMuch("directory", d.most)
	}
	return nil
}

func (d *directory) repeat(size uint64, t byte, depth int) error {
	if depth > mostDepth {
		return errShape
	}
	number := d.number
	d.number = nil // elements of lists are no fields
	defer func() { d.number = number }()
	for range size {
		if err := d.value(0, 0, t, depth); err != nil {
			return err
		}
	}
	return nil
}

func zigzag(v uint64) int64 { return int64(v>>1) ^ -int64(v&1) }
