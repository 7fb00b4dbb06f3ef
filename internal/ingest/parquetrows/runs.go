package parquetrows

import (
	"encoding/binary"
	"math/bits"
)

// Encodings whose few bytes can stand for many values.
const (
	encodingPlainDictionary = 2
	encodingRLE             = 3
	encodingDelta           = 5
	encodingDeltaLength     = 6
	encodingDeltaText       = 7
	encodingRLEDictionary   = 8
)

// checkLevels looks at the levels of values nested so deep.
func checkLevels(text []byte, values int64, deepest int) error {
	if deepest == 0 {
		return nil
	}
	return checkRuns(text, values, bits.Len(uint(deepest)))
}

// levelsBefore passes over the levels that stand before the values of a page.
func levelsBefore(body []byte, encoding, values int64, deepest int) ([]byte, error) {
	if deepest == 0 {
		return body, nil
	}
	if len(body) < 4 || uint64(binary.LittleEndian.Uint32(body)) > uint64(len(body)-4) {
		return nil, errShape
	}
	end := 4 + int(binary.LittleEndian.Uint32(body))
	if encoding == encodingRLE {
		if err := checkLevels(body[4:end], values, deepest); err != nil {
			return nil, err
		}
	}
	return body[end:], nil
}

// checkRuns counts the values of runs and of packed groups: no more than the page has, and what fills the
// last groups up.
func checkRuns(text []byte, values int64, width int) error {
	most, count := uint64(2*values+1024), uint64(0)
	for len(text) > 0 {
		head, n := binary.Uvarint(text)
		if n <= 0 {
			return errShape
		}
		text = text[n:]
		times, skip := head>>1, uint64(width+7)/8
		if head&1 == 1 {
			if times > most {
				return tooMuch("run", mostGroup)
			}
			skip, times = times*uint64(width), times*8
		}
		if times > most || count+times > most {
			return tooMuch("run", mostGroup)
		}
		count += times
		text = text[min(skip, uint64(len(text))):] // what is missing at the end the decoder finds
	}
	return nil
}

// checkValues looks at the values of a page and gives the bytes they take beyond the page.
func checkValues(h *pageHead, body []byte) (int64, error) {
	switch h.encoding {
	case encodingPlainDictionary, encodingRLEDictionary:
		if len(body) == 0 {
			return 0, nil
		}
		if body[0] > 32 {
			return 0, errShape
		}
		return 0, checkRuns(body[1:], h.values, int(body[0]))
	case encodingRLE: // of truth values
		if len(body) < 4 {
			return 0, nil
		}
		return 0, checkRuns(body[4:], h.values, 1)
	case encodingDelta, encodingDeltaLength:
		_, _, err := deltas(body, h.values, false)
		return 4 * h.values, err
	case encodingDeltaText:
		shared, rest, err := deltas(body, h.values, true)
		if err != nil {
			return 0, err
		}
		own, rest, err := deltas(rest, h.values, true)
		if err != nil {
			return 0, err
		}
		return grown(shared, own, int64(len(rest)))
	}
	return 0, nil
}

// grown is the length of texts of which each begins with a part of the one before it.
func grown(shared, own []int64, bytes int64) (int64, error) {
	if len(shared) != len(own) {
		return 0, errShape
	}
	var sum, before int64
	for i := range own {
		if shared[i] < 0 || shared[i] > before || own[i] < 0 || own[i] > bytes {
			return 0, errShape
		}
		before = shared[i] + own[i]
		if sum += before; sum > mostPage {
			return 0, tooMuch("page", mostPage)
		}
	}
	return sum, nil
}

// deltas reads numbers written as differences, no more than the page has, and gives them if they are wanted
// and what follows them.
func deltas(text []byte, most int64, wanted bool) (out []int64, rest []byte, err error) {
	d := directory{text: text}
	var head [4]uint64 // values of a block, its parts, values in all, the first
	for i := range head {
		if head[i], err = d.uvarint(); err != nil {
			return nil, nil, err
		}
	}
	block, parts, total := head[0], head[1], head[2]
	if total > uint64(most) {
		return nil, nil, tooMuch("run", mostGroup)
	}
	if total == 0 {
		return nil, text[d.at:], nil
	}
	if block == 0 || block > 1<<20 || parts == 0 || parts > block || block%parts != 0 || block/parts%8 != 0 {
		return nil, nil, errShape
	}
	if wanted {
		out = append(make([]int64, 0, total), zigzag(head[3]))
	}
	each, n := block/parts, uint64(1)
	for n < total {
		least, err := d.uvarint()
		if err != nil {
			return nil, nil, err
		}
		widths := d.text[d.at:]
		if err := d.pass(parts); err != nil {
			return nil, nil, err
		}
		for p := uint64(0); p < parts && n < total; p++ {
			width, from := int(widths[p]), d.at
			if width > 64 {
				return nil, nil, errShape
			}
			if err := d.pass(uint64(width) * each / 8); err != nil {
				return nil, nil, err
			}
			here := min(each, total-n)
			n += here
			for i := 0; wanted && i < int(here); i++ {
				out = append(out, out[len(out)-1]+zigzag(least)+unpackBits(d.text[from:d.at], i*width, width))
			}
		}
	}
	return out, d.text[d.at:], nil
}

func unpackBits(text []byte, at, width int) (v int64) {
	for i := range width {
		v |= int64(text[(at+i)/8]>>((at+i)%8)&1) << i
	}
	return v
}
