package usagestore

import (
	"bytes"
	"context"
	"fmt"
	"sync"
	"time"

	"huoban/internal/money"
	"huoban/internal/store"
	"huoban/internal/usage"
)

var (
	chargeLines     = set.Get("charge.Lines")
	chargeWide      = set.Get("charge.Wide")
	chargeGroups    = set.Get("charge.Groups")
	chargeCustomers = set.Get("charge.Customers")
	chargeAccounts  = set.Get("charge.Accounts")
	chargeProducts  = set.Get("charge.Products")
)

// EachCharge reads every line of the slots for what a price depends on. A slot is cut at customers into
// pieces that are read at the same time, on one snapshot.
//
// PostgreSQL adds nothing up but hands over the amounts of a group in one row: a row of its own for each
// line costs it and us more than all else. Groups that are not steady are read once more, line by line.
func (s *Store) EachCharge(ctx context.Context, q usage.ChargeQuery, part func() (usage.Charges, error)) error {
	return s.db.InRead(ctx, func(ctx context.Context) error {
		r := &chargeReading{s: s, wide: q.Others, part: part}
		grouped := !q.Others && s.db.Engine() == store.Postgres
		for _, slot := range q.Slots {
			if err := r.plan(ctx, slot, grouped); err != nil {
				return err
			}
		}
		if grouped {
			if err := r.read(ctx, true); err != nil {
				return err
			}
			r.spans, r.only = r.large, nil
			r.again()
		}
		if err := r.read(ctx, false); err != nil {
			return err
		}
		return r.unsummed(ctx)
	})
}

// pieceLines is how many lines are worth a piece of their own, and the most that one should have.
const (
	pieceLines    = 20_000
	pieceLinesMax = 500_000
)

// afterAll is behind every key of a customer, justAfter is what a key has more that is next to one.
const (
	afterAll  = "\U0010fffd"
	justAfter = "\x01"
)

// span is the customers of a slot from one on to another.
type span struct {
	slot     int64
	from, to string
}

// chargeReading is one EachCharge.
type chargeReading struct {
	s      *Store
	wide   bool
	part   func() (usage.Charges, error)
	spans  []span
	large  []span                      // with groups too large to be handed over in one row
	only   []map[usage.SummaryKey]bool // by span: the groups wanted of it; nil is all
	groups map[usage.Hash]usage.Account
	things map[usage.Hash]usage.Product

	mu      sync.Mutex
	skipped map[span]map[usage.SummaryKey]bool // by customer: groups that were not steady
	unknown []usage.Stored
}

// plan cuts a slot into pieces of about equal size and loads what its sums name.
func (r *chargeReading) plan(ctx context.Context, slot int64, grouped bool) error {
	type customer struct {
		id             string
		lines, largest int64
	}
	var all []customer
	var total int64
	err := r.s.db.Cells(ctx, chargeCustomers, []any{slot}, func(c store.RowCells) error {
		all = append(all, customer{c.Text(0), c.Int(1), c.Int(2)})
		total += c.Int(1)
		return nil
	})
	if err != nil {
		return err
	}
	pieces := int64(4)
	if grouped { // each piece may cost the server a look at the whole table
		pieces = 2
	}
	most := max(pieceLines, min(total/pieces+1, pieceLinesMax))
	at, have := "", int64(0)
	cut := func(to string) {
		if at != to {
			r.spans = append(r.spans, span{slot, at, to})
		}
		at, have = to, 0
	}
	for _, c := range all {
		if grouped && c.largest > pieceLinesMax {
			cut(c.id)
			at = c.id + justAfter
			r.large = append(r.large, span{slot, c.id, at})
			continue
		}
		if have > 0 && have+c.lines/2 > most {
			cut(c.id)
		}
		have += c.lines
	}
	cut(afterAll)
	return r.dims(ctx, slot)
}

func (r *chargeReading) dims(ctx context.Context, slot int64) error {
	if r.groups == nil {
		r.groups, r.things = map[usage.Hash]usage.Account{}, map[usage.Hash]usage.Product{}
	}
	err := r.s.db.Cells(ctx, chargeAccounts, []any{slot}, func(c store.RowCells) error {
		r.groups[usage.Hash(c.Bytes(0))] = usage.Account{Provider: c.Text(1)}
		return nil
	})
	if err != nil {
		return err
	}
	return r.s.db.Cells(ctx, chargeProducts, []any{slot}, func(c store.RowCells) error {
		r.things[usage.Hash(c.Bytes(0))] = usage.Product{Service: c.Text(1), SKU: c.Text(2), Region: c.Text(3), ChargingMode: usage.ChargingMode(c.Text(4))}
		return nil
	})
}

// read reads all spans, each into a part of its own.
func (r *chargeReading) read(ctx context.Context, grouped bool) error {
	q := chargeLines
	switch {
	case grouped:
		q = chargeGroups
	case r.wide:
		q = chargeWide
	}
	args, takers := make([][]any, len(r.spans)), make([]*taker, len(r.spans))
	for i, sp := range r.spans {
		args[i] = []any{sp.slot, sp.from, sp.to}
		to, err := r.part()
		if err != nil {
			return err
		}
		takers[i] = &taker{r: r, slot: sp.slot, to: to, at: map[groupKey]*usage.Group{}}
		if r.only != nil {
			takers[i].only = r.only[i]
		}
	}
	return r.s.db.Scan(ctx, q, args, func(part int, row store.Cells) error {
		if grouped {
			return takers[part].group(row)
		}
		return takers[part].line(row)
	})
}

// again adds the customers with groups where the start of a line matters, for those groups alone.
func (r *chargeReading) again() {
	r.only = make([]map[usage.SummaryKey]bool, len(r.spans))
	for sp, keys := range r.skipped {
		r.spans, r.only = append(r.spans, sp), append(r.only, keys)
	}
}

// unsummed hands on the lines whose account or product the sums do not name. There are none unless the
// sums are wrong, which the close then finds.
func (r *chargeReading) unsummed(ctx context.Context) error {
	if len(r.unknown) == 0 {
		return nil
	}
	dims := usage.NewDims()
	accounts, products := map[usage.Hash]bool{}, map[usage.Hash]bool{}
	for i := range r.unknown {
		accounts[r.unknown[i].AccountID], products[r.unknown[i].ProductID] = true, true
	}
	if err := r.s.load(ctx, dims, accounts, products, nil); err != nil {
		return err
	}
	to, err := r.part()
	if err != nil {
		return err
	}
	for i := range r.unknown {
		l := &r.unknown[i]
		l.Account, l.Product = dims.Accounts[l.AccountID], dims.Products[l.ProductID]
		g := usage.GroupOf(l)
		g.No = i
		if err := to.Take(g, &usage.Charge{Start: l.ChargeStart, Billed: l.Billed, List: l.List, Contracted: l.Contracted}); err != nil {
			return err
		}
	}
	return nil
}

// groupKey is a group among those of a customer.
type groupKey struct {
	account, product usage.Hash
	kind, currency   string
}

// taker turns the rows of one span into groups and charges.
type taker struct {
	r        *chargeReading
	slot     int64
	to       usage.Charges
	only     map[usage.SummaryKey]bool
	at       map[groupKey]*usage.Group // of the customer
	customer string
	texts    []string // kinds and currencies met
	groups   int
	began    []byte // the start of the line before, as text
	charge   usage.Charge
	others   [2]money.Exact
}

// text keeps one copy of the few texts that repeat in every line.
func (t *taker) text(b []byte) string {
	for _, s := range t.texts {
		if s == string(b) {
			return s
		}
	}
	s := string(b)
	t.texts = append(t.texts, s)
	return s
}

// group finds the group of a row, which is nil for one whose account or product nobody knows.
func (t *taker) find(c store.Cells) *usage.Group {
	if id := c.Bytes(0); string(id) != t.customer {
		t.customer = string(id)
		clear(t.at)
	}
	k := groupKey{kind: t.text(c.Bytes(4)), currency: t.text(c.Bytes(5))}
	copy(k.account[:], c.Bytes(2))
	copy(k.product[:], c.Bytes(3))
	if g := t.at[k]; g != nil {
		return g
	}
	account, known := t.r.groups[k.account]
	product, known2 := t.r.things[k.product]
	if !known || !known2 {
		return nil
	}
	g := &usage.Group{No: t.groups, SummaryKey: usage.SummaryKey{SlotID: t.slot, CustomerID: t.customer, AccountID: k.account,
		ProductID: k.product, Kind: usage.Kind(k.kind), Currency: k.currency}}
	g.Of(&account, &product)
	t.groups++
	t.at[k] = g
	return g
}

// line takes a row that is a line.
func (t *taker) line(c store.Cells) (err error) {
	if b, isText := c[1].(*[]byte); !isText || !bytes.Equal(*b, t.began) {
		if t.charge.Start, err = c.Instant(1); err != nil {
			return err
		}
		if isText {
			t.began = append(t.began[:0], *b...)
		}
	}
	if t.charge.Billed, err = money.ParseExactBytes(c.Bytes(6)); err != nil {
		return err
	}
	if t.r.wide {
		for i, to := range []**money.Exact{&t.charge.List, &t.charge.Contracted} {
			if *to = nil; c[7+i] == nil {
				continue
			}
			if t.others[i], err = money.ParseExactBytes(c.Bytes(7 + i)); err != nil {
				return err
			}
			*to = &t.others[i]
		}
	}
	g := t.find(c)
	switch {
	case t.only != nil && !t.only[t.key(c)]:
		return nil
	case g == nil:
		t.lose(c)
		return nil
	}
	return t.to.Take(g, &t.charge)
}

// lose keeps a line of unknown dimensions for later.
func (t *taker) lose(c store.Cells) {
	l := usage.Stored{SlotID: t.slot, CustomerID: t.customer}
	l.ChargeStart, l.Billed, l.Kind, l.Currency = t.charge.Start, t.charge.Billed, usage.Kind(t.text(c.Bytes(4))), t.text(c.Bytes(5))
	l.List, l.Contracted = clone(t.charge.List), clone(t.charge.Contracted)
	copy(l.AccountID[:], c.Bytes(2))
	copy(l.ProductID[:], c.Bytes(3))
	t.r.mu.Lock()
	defer t.r.mu.Unlock()
	t.r.unknown = append(t.r.unknown, l)
}

func clone(x *money.Exact) *money.Exact {
	if x == nil {
		return nil
	}
	y := *x
	return &y
}

// group takes a row that is the amounts of a group.
func (t *taker) group(c store.Cells) error {
	first, err := c.Instant(1)
	if err != nil {
		return err
	}
	last, err := c.Instant(7)
	if err != nil {
		return err
	}
	g, steady := t.find(c), false
	if g != nil {
		if steady, err = t.to.Steady(g, first, last); err != nil {
			return err
		}
	}
	if !steady { // or of dimensions nobody knows
		t.skip(t.key(c))
		return nil
	}
	return t.each(c.Bytes(6), first, func() error { return t.to.Take(g, &t.charge) })
}

// each takes amounts apart.
func (t *taker) each(amounts []byte, start time.Time, take func() error) (err error) {
	t.charge.Start = start
	for len(amounts) > 0 {
		one, rest, _ := bytes.Cut(amounts, []byte{','})
		if t.charge.Billed, err = money.ParseExactBytes(one); err != nil {
			return fmt.Errorf("a line of slot %d: %w", t.slot, err)
		}
		if err := take(); err != nil {
			return err
		}
		amounts = rest
	}
	return nil
}

// key is what the lines of a row's group are summed by.
func (t *taker) key(c store.Cells) usage.SummaryKey {
	k := usage.SummaryKey{SlotID: t.slot, CustomerID: t.customer, Kind: usage.Kind(t.text(c.Bytes(4))), Currency: t.text(c.Bytes(5))}
	copy(k.AccountID[:], c.Bytes(2))
	copy(k.ProductID[:], c.Bytes(3))
	return k
}

// skip leaves a group to be read line by line.
func (t *taker) skip(k usage.SummaryKey) {
	t.r.mu.Lock()
	defer t.r.mu.Unlock()
	of := span{k.SlotID, k.CustomerID, k.CustomerID + justAfter}
	if t.r.skipped == nil {
		t.r.skipped = map[span]map[usage.SummaryKey]bool{}
	}
	if t.r.skipped[of] == nil {
		t.r.skipped[of] = map[usage.SummaryKey]bool{}
	}
	t.r.skipped[of][k] = true
}
