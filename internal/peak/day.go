package peak

import (
	"encoding/binary"
	"errors"
	"math/bits"

	"github.com/shopspring/decimal"

	"huoban/internal/money"
)

// Day is the points of one day, as whole numbers of 10^-Scale. A point that was not delivered is absent, which
// is not zero.
type Day struct {
	Scale  uint8
	has    [(PointsPerDay + 63) / 64]uint64
	values [PointsPerDay]int64
}

// maxScale is how many decimals a point may have; its digits together fit 18.
const (
	maxScale  = 12
	maxDigits = 18
)

// Has tells whether the point of a slot, from 0, is there.
func (d *Day) Has(slot int) bool { return d.has[slot/64]&(1<<(slot%64)) != 0 }

// Len is how many points there are.
func (d *Day) Len() int {
	n := 0
	for _, w := range d.has {
		n += bits.OnesCount64(w)
	}
	return n
}

// Value is the point of a slot.
func (d *Day) Value(slot int) money.Exact { return exactOf(d.values[slot], d.Scale) }

// Effective tells whether there was any traffic.
func (d *Day) Effective() bool {
	for slot := range PointsPerDay {
		if d.values[slot] > 0 {
			return true
		}
	}
	return false
}

// Put notes a point: coefficient × 10^-scale. known tells whether there was one already, which then stays; wide that the
// day's points cannot stand side by side in 18 digits, and nothing was noted.
func (d *Day) Put(slot int, coefficient int64, scale uint8) (known, wide bool) {
	if d.Has(slot) {
		return true, false
	}
	for scale > 0 && coefficient%10 == 0 {
		coefficient, scale = coefficient/10, scale-1
	}
	if scale > d.Scale && !d.rescale(scale) {
		return false, true
	}
	c, ok := grown(coefficient, d.Scale-scale)
	if !ok {
		return false, true
	}
	d.values[slot] = c
	d.has[slot/64] |= 1 << (slot % 64)
	return false, false
}

// Append adds the points to a list, as whole numbers of 10^-Scale.
func (d *Day) Append(to []int64) []int64 {
	for slot := range PointsPerDay {
		if d.Has(slot) {
			to = append(to, d.values[slot])
		}
	}
	return to
}

// Same tells whether the point of a slot is this one.
func (d *Day) Same(slot int, coefficient int64, scale uint8) bool {
	return d.Value(slot).Equal(exactOf(coefficient, scale))
}

// rescale gives all points more decimals; false, and nothing changed, if one grows too long.
func (d *Day) rescale(scale uint8) bool {
	out := d.values
	for i, v := range d.values {
		c, ok := grown(v, scale-d.Scale)
		if !ok {
			return false
		}
		out[i] = c
	}
	d.values, d.Scale = out, scale
	return true
}

// grown is c × 10^by while it has no more than 18 digits.
func grown(c int64, by uint8) (int64, bool) {
	for range by {
		if c >= 1e17 {
			return 0, false
		}
		c *= 10
	}
	return c, true
}

func exactOf(c int64, scale uint8) money.Exact {
	return money.FromDecimal(decimal.New(c, -int32(scale)))
}

const packedForm = 1

// Pack writes a day: form, scale, which slots there are, and the difference of each point to the one before. A day
// takes a few hundred bytes.
func (d *Day) Pack() []byte {
	b := make([]byte, 0, 2+PointsPerDay/8+3*PointsPerDay)
	b = append(b, packedForm, d.Scale)
	for slot := 0; slot < PointsPerDay; slot += 8 {
		b = append(b, byte(d.has[slot/64]>>(slot%64)))
	}
	last := int64(0)
	for slot := range PointsPerDay {
		if d.Has(slot) {
			b = binary.AppendVarint(b, d.values[slot]-last)
			last = d.values[slot]
		}
	}
	return b
}

var errPacked = errors.New("peak: the points of a day are damaged")

// Unpack reads what Pack wrote.
func (d *Day) Unpack(b []byte) error {
	const head = 2 + PointsPerDay/8
	if len(b) < head || b[0] != packedForm || b[1] > maxScale {
		return errPacked
	}
	*d = Day{Scale: b[1]}
	for i := range PointsPerDay / 8 {
		d.has[i/8] |= uint64(b[2+i]) << (i % 8 * 8)
	}
	rest, last := b[head:], int64(0)
	for slot := range PointsPerDay {
		if !d.Has(slot) {
			continue
		}
		diff, n := binary.Varint(rest)
		if n <= 0 {
			return errPacked
		}
		last += diff
		if last < 0 {
			return errPacked
		}
		d.values[slot], rest = last, rest[n:]
	}
	if len(rest) > 0 {
		return errPacked
	}
	return nil
}
