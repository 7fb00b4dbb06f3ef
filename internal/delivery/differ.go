package delivery

import (
	"context"
	"sort"

	"huoban/internal/money"
	"huoban/internal/usage"
)

// identity names a line within a source and cycle, whoever its customer is.
type identity struct {
	key        usage.Hash
	occurrence int64
}

// trace is what is remembered of a line that stands on one side only.
type trace struct {
	content  usage.Hash
	currency string
	billed   money.Exact
}

const differPage = 2048

// cursor reads one slot in key order; slot 0 is empty.
type cursor struct {
	store Store
	slot  int64
	page  []usage.Stored
	i     int
	last  *usage.Stored
	over  bool
}

func (c *cursor) head(ctx context.Context) (*usage.Stored, error) {
	if c.i < len(c.page) {
		return &c.page[c.i], nil
	}
	if c.over || c.slot == 0 {
		return nil, nil
	}
	page, err := c.store.LinesAfter(ctx, c.slot, c.last, differPage)
	if err != nil {
		return nil, err
	}
	c.page, c.i, c.over = page, 0, len(page) < differPage
	if len(page) == 0 {
		return nil, nil
	}
	c.last = &page[len(page)-1]
	return &c.page[0], nil
}

// eachDifference walks two slots side by side in key order from a place on and calls fn for lines of
// one side only and for lines whose content differs. Lines come without dimensions.
func eachDifference(ctx context.Context, store Store, old, new int64, after *usage.Stored, fn func(was, is *usage.Stored) error) error {
	a, b := &cursor{store: store, slot: old, last: after}, &cursor{store: store, slot: new, last: after}
	for {
		x, err := a.head(ctx)
		if err != nil {
			return err
		}
		y, err := b.head(ctx)
		if err != nil {
			return err
		}
		if x == nil && y == nil {
			return nil
		}
		order := 0
		switch {
		case y == nil:
			order = -1
		case x == nil:
			order = 1
		default:
			order = compareKeys(x, y)
		}
		switch {
		case order < 0:
			a.i++
			err = fn(x, nil)
		case order > 0:
			b.i++
			err = fn(nil, y)
		default:
			a.i++
			b.i++
			if x.Content != y.Content {
				err = fn(x, y)
			}
		}
		if err != nil {
			return err
		}
	}
}

func compareKeys(x, y *usage.Stored) int {
	switch {
	case x.CustomerID != y.CustomerID:
		return sign(x.CustomerID < y.CustomerID)
	case !x.ChargeStart.Equal(y.ChargeStart):
		return sign(x.ChargeStart.Before(y.ChargeStart))
	case x.Key != y.Key:
		return sign(string(x.Key[:]) < string(y.Key[:]))
	case x.Occurrence != y.Occurrence:
		return sign(x.Occurrence < y.Occurrence)
	}
	return 0
}

func sign(less bool) int {
	if less {
		return -1
	}
	return 1
}

// comparison is what two slots differ in, by currency. moved are lines that stand on both sides with
// the same content but under different customers: no difference at all.
type comparison struct {
	byCurrency map[string]*Change
	moved      map[identity]bool
}

func (c *comparison) of(currency string) *Change {
	if c.byCurrency[currency] == nil {
		c.byCurrency[currency] = &Change{Currency: currency}
	}
	return c.byCurrency[currency]
}

func (c *comparison) none() bool {
	for _, x := range c.byCurrency {
		if !x.none() {
			return false
		}
	}
	return true
}

// compare counts and sums the differences. With match set, lines that stand on one side only are
// matched once more by key alone, because their customer or start may have changed: it costs memory
// for each such line and is needed where lines have keys of their own, or where a closed cycle was
// attributed by older rules.
func compare(ctx context.Context, store Store, old, new int64, match bool) (*comparison, error) {
	c := &comparison{byCurrency: map[string]*Change{}, moved: map[identity]bool{}}
	gone, come := map[identity]trace{}, map[identity]trace{}
	err := eachDifference(ctx, store, old, new, nil, func(was, is *usage.Stored) error {
		switch {
		case was != nil && is != nil:
			c.changed(trace{was.Content, was.Currency, was.Billed}, trace{is.Content, is.Currency, is.Billed})
		case !match && was != nil:
			c.removed(trace{was.Content, was.Currency, was.Billed})
		case !match:
			c.added(trace{is.Content, is.Currency, is.Billed})
		case was != nil:
			gone[identity{was.Key, was.Occurrence}] = trace{was.Content, was.Currency, was.Billed}
		default:
			come[identity{is.Key, is.Occurrence}] = trace{is.Content, is.Currency, is.Billed}
		}
		return nil
	})
	for k, was := range gone {
		is, both := come[k]
		switch {
		case !both:
			c.removed(was)
		case was.content == is.content:
			c.moved[k] = true
		default:
			c.changed(was, is)
		}
		delete(come, k)
	}
	for _, is := range come {
		c.added(is)
	}
	return c, err
}

func (c *comparison) added(t trace) {
	x := c.of(t.currency)
	x.Added, x.AddedSum = x.Added+1, x.AddedSum.Add(t.billed)
}

func (c *comparison) removed(t trace) {
	x := c.of(t.currency)
	x.Removed, x.RemovedSum = x.Removed+1, x.RemovedSum.Add(t.billed)
}

func (c *comparison) changed(was, is trace) {
	if was.currency != is.currency {
		c.removed(was)
		c.added(is)
		return
	}
	x := c.of(is.currency)
	x.Changed, x.ChangedDiff = x.Changed+1, x.ChangedDiff.Add(is.billed.Sub(was.billed))
}

// list gives the changes in order of currency.
func (c *comparison) list() []Change {
	out := make([]Change, 0, len(c.byCurrency))
	for _, x := range c.byCurrency {
		out = append(out, *x)
	}
	sort.Slice(out, func(i, j int) bool { return out[i].Currency < out[j].Currency })
	return out
}
