package verify

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"maps"
	"slices"

	"huoban/internal/attribution"
	"huoban/internal/cycle"
	"huoban/internal/fault"
	"huoban/internal/ingest"
	"huoban/internal/money"
	"huoban/internal/source"
	"huoban/internal/usage"
)

// source checks the rules of a source, then every delivery of it from the kept bytes upwards.
func (s *Service) source(ctx context.Context, r *Report, src *source.Source, log *attested) error {
	if err := s.mapRules(ctx, r, src, log); err != nil {
		return err
	}
	rules, err := s.Rules.AllRules(ctx, src.ID)
	if err != nil {
		return err
	}
	deliveries, err := s.Store.Deliveries(ctx, src.ID)
	if err != nil {
		return err
	}
	for i := range deliveries {
		d := &delivered{s: s, r: r, src: src, d: &deliveries[i], judge: newJudge(src, rules)}
		if err := d.check(ctx); err != nil {
			return err
		}
	}
	return nil
}

// delivered is the check of one delivery.
type delivered struct {
	s      *Service
	r      *Report
	src    *source.Source
	d      *Delivery
	judge  *judge
	parsed map[position]print
	unread bool // a kept file is broken, so that lines cannot be compared with it
}

type position struct {
	file int
	line int64
}

// print is the fingerprint of a line's content.
type print [16]byte

func (c *delivered) check(ctx context.Context) error {
	c.parsed = map[position]print{}
	held := map[cycle.Cycle]bool{} // a delivery holds no lines for a cycle it did not change
	for _, slot := range c.d.Slots {
		held[slot.Cycle] = true
	}
	for _, f := range c.d.Files {
		c.r.Files++
		if err := c.s.kept(ctx, c.r, f); err != nil {
			return err
		}
		if err := c.parse(ctx, f, func(l *usage.Line) {
			if held[l.Cycle] {
				c.parsed[position{f.No, l.LineNo}] = printOf(l)
			}
		}); err != nil {
			c.unread = true
			c.r.add("kept_chunk", f.SHA, "body", fault.From(err).Error(), "a readable file")
		}
	}
	wrong := map[position]*usage.Stored{}
	for _, slot := range c.d.Slots {
		if err := c.slot(ctx, slot, wrong); err != nil {
			return err
		}
	}
	if !c.unread {
		left := slices.SortedFunc(maps.Keys(c.parsed), func(a, b position) int { return cmp.Or(cmp.Compare(a.file, b.file), cmp.Compare(a.line, b.line)) })
		for _, at := range left {
			c.r.add("usage_line", fmt.Sprintf("%s #%d file %d line %d", c.src.Name, c.d.Number, at.file, at.line), "(row)", "absent", "present")
		}
	}
	return c.explain(ctx, wrong)
}

// parse reads a kept file as the import did.
func (c *delivered) parse(ctx context.Context, f File, fn func(*usage.Line)) error {
	part := ingest.NewPart(f.No, f.Name, ingest.Format(f.Format), f.Bytes, func() (io.ReadCloser, error) {
		return io.NopCloser(&bodyReader{ctx: ctx, s: c.s.Store, f: f}), nil
	})
	reader, err := ingest.NewReader(part, c.src.Reading())
	if err != nil {
		return err
	}
	defer reader.Close()
	for {
		l, _, err := reader.Next()
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return err
		}
		if l == nil {
			continue
		}
		if _, err := l.Sum(c.src.Base); err == nil { // beyond what can be kept: in quarantine
			fn(l)
		}
	}
}

// slot compares the lines of a slot with the parsed ones, with the rule that chose their customer and
// with the sums kept beside them.
func (c *delivered) slot(ctx context.Context, slot Slot, wrong map[position]*usage.Stored) error {
	amounts := &amounts{ctx: ctx, s: c.s.Store, slot: slot.ID}
	sums := map[usage.SummaryKey]usage.Sum{}
	count := int64(0)
	order := &ordinals{}
	err := c.s.Reader.EachLine(ctx, []int64{slot.ID}, func(l *usage.Stored) error {
		count++
		order.look(l)
		stored, err := amounts.next(l)
		if err != nil {
			return err
		}
		sum, err := l.Sum(c.src.Base)
		if err != nil {
			return err
		}
		key := c.key(l)
		c.r.same("usage_line", key, "amount_e8", stored, int64(sum.Amount))
		c.r.same("account_dim", key, "id", l.AccountID, l.Account.Hash())
		c.r.same("product_dim", key, "id", l.ProductID, l.Product.Hash())
		c.r.same("resource_dim", key, "id", l.ResourceID, l.Resource.Hash())
		at := position{l.FileNo, l.LineNo}
		want, known := c.parsed[at]
		switch {
		case c.unread:
		case !known:
			c.r.add("usage_line", key, "line_no", fmt.Sprint(l.LineNo), "no such line in the file")
		case want != printOf(&l.Line):
			copied := *l
			wrong[at] = &copied
		}
		delete(c.parsed, at)
		c.judge.check(c.r, key, slot, l)
		total := sums[l.SummaryKey()]
		if err := total.Add(sum); err != nil {
			return err
		}
		sums[l.SummaryKey()] = total
		return nil
	})
	if err != nil {
		return err
	}
	c.r.Lines += count
	c.r.same("slot", fmt.Sprint(slot.ID), "line_count", slot.LineCount, count)
	if err := c.ordinals(ctx, slot, order); err != nil {
		return err
	}
	return c.sums(ctx, slot, sums)
}

func (c *delivered) key(l *usage.Stored) string {
	return fmt.Sprintf("%s #%d file %d line %d", c.src.Name, c.d.Number, l.FileNo, l.LineNo)
}

func (c *delivered) sums(ctx context.Context, slot Slot, sums map[usage.SummaryKey]usage.Sum) error {
	kept, err := c.s.Store.Summaries(ctx, slot.ID)
	if err != nil {
		return err
	}
	for _, k := range kept {
		c.r.Summaries++
		sum := sums[k.SummaryKey]
		delete(sums, k.SummaryKey)
		key := fmt.Sprintf("slot %d customer %s %s %s", slot.ID, k.CustomerID, k.Kind, k.Currency)
		c.r.same("usage_summary", key, "line_count", k.Lines, sum.Lines)
		c.r.same("usage_summary", key, "amount_e8", int64(k.Amount), int64(sum.Amount))
		c.r.same("usage_summary", key, "exact", k.Exact, sum.Exact)
		c.r.same("usage_summary", key, "billed", k.Billed, sum.Billed)
	}
	for k, sum := range sums {
		if sum.Lines != 0 {
			c.r.add("usage_summary", fmt.Sprintf("slot %d customer %s %s %s", slot.ID, k.CustomerID, k.Kind, k.Currency), "(row)", "absent", fmt.Sprint(sum.Lines))
		}
	}
	return nil
}

// explain reads the files again to name the column of each line that differs.
func (c *delivered) explain(ctx context.Context, wrong map[position]*usage.Stored) error {
	if len(wrong) == 0 {
		return nil
	}
	for _, f := range c.d.Files {
		err := c.parse(ctx, f, func(l *usage.Line) {
			stored := wrong[position{f.No, l.LineNo}]
			if stored == nil {
				return
			}
			is, was := columns(&stored.Line), columns(l)
			for i := range is {
				c.r.same("usage_line", c.key(stored), is[i][0], is[i][1], was[i][1])
			}
		})
		if err != nil {
			return err
		}
	}
	return nil
}

// columns are everything of a line that a file decides, in fixed order. The key of the source's key
// column is left to the account's own hash, because the column may be chosen anew.
func columns(l *usage.Line) [][2]string {
	a, p, x := l.Account, l.Product, l.Resource
	a.SourceKey = ""
	return [][2]string{{"cycle", string(l.Cycle)}, {"charge_start", l.ChargeStart.UTC().Format(usage.StartText)},
		{"charge_end", l.ChargeEnd.UTC().Format(usage.StartText)}, {"account", fmt.Sprintf("%q", a)}, {"product", fmt.Sprintf("%q", p)},
		{"resource", fmt.Sprintf("%q", x)}, {"kind", string(l.Kind)}, {"currency", l.Currency}, {"billed", l.Billed.String()},
		{"list", optional(l.List)}, {"contracted", optional(l.Contracted)}, {"effective", optional(l.Effective)},
		{"quantity", optional(l.Quantity)}, {"line_key", fmt.Sprintf("%x", l.Key)}, {"content_hash", fmt.Sprintf("%x", l.Content)}}
}

func optional(x *money.Exact) string {
	if x == nil {
		return "null"
	}
	return x.String()
}

func printOf(l *usage.Line) print {
	var fields []string
	for _, c := range columns(l) {
		fields = append(fields, c[1])
	}
	return print(usage.HashOf(fields...))
}

// amounts walks the stored amounts of a slot beside its lines.
type amounts struct {
	ctx  context.Context
	s    Store
	slot int64
	last *usage.Stored
	page []int64
}

const amountPage = 4096

func (a *amounts) next(l *usage.Stored) (int64, error) {
	if len(a.page) == 0 {
		var err error
		if a.page, err = a.s.Amounts(a.ctx, a.slot, a.last, amountPage); err != nil {
			return 0, err
		}
		if len(a.page) == 0 {
			return 0, fault.Conflict("verify.failed", fault.Args{"Count": 1})
		}
	}
	v := a.page[0]
	a.page = a.page[1:]
	place := usage.Stored{SlotID: l.SlotID, CustomerID: l.CustomerID, Line: usage.Line{ChargeStart: l.ChargeStart, Key: l.Key, Occurrence: l.Occurrence}}
	a.last = &place
	return v, nil
}

// judge checks that the rule a line names is one that chooses its customer, and for lines that may
// still move that it is the one in force.
type judge struct {
	src   *source.Source
	now   *attribution.Resolver
	rules map[string]*attribution.Resolver
}

func newJudge(src *source.Source, rules []attribution.Rule) *judge {
	j := &judge{src: src, rules: map[string]*attribution.Resolver{}}
	var live []attribution.Rule
	for _, rule := range rules {
		if rule.EndedSeq == 0 {
			live = append(live, rule)
		}
		j.rules[rule.ID] = attribution.NewResolver(src, []attribution.Rule{rule})
	}
	j.now = attribution.NewResolver(src, live)
	return j
}

func (j *judge) check(r *Report, key string, slot Slot, l *usage.Stored) {
	if slot.State == "active" && !slot.Sealed {
		customer, rule := j.now.Resolve(&l.Line)
		r.same("usage_line", key, "customer_id", l.CustomerID, customer)
		r.same("usage_line", key, "rule_id", l.RuleID, rule)
		return
	}
	if l.RuleID == "" {
		return
	}
	one := j.rules[l.RuleID]
	if one == nil {
		r.add("usage_line", key, "rule_id", l.RuleID, "no such rule")
		return
	}
	customer, _ := one.Resolve(&l.Line)
	r.same("usage_line", key, "customer_id", l.CustomerID, customer)
}
