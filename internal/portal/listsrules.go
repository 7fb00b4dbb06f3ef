package portal

import (
	"context"
	"slices"
	"strconv"
	"strings"
	"time"

	"huoban/internal/attribution"
	"huoban/internal/bill"
	"huoban/internal/conformance"
	"huoban/internal/delivery"
	"huoban/internal/i18n"
	"huoban/internal/money"
	"huoban/internal/monthclose"
	"huoban/internal/organisation"
	"huoban/internal/price"
	"huoban/internal/scope"
	"huoban/internal/sorted"
	"huoban/internal/source"
	"huoban/internal/usage"
	"huoban/web/templates/opsview"
	"huoban/web/templates/part"
)

// readSources lists a vendor's sources with the last delivery of each.
func (h *Handlers) readSources(c *Ctx) (*sheet, error) {
	all, err := h.Sources.List(c.ctx(), c.Scope)
	if err != nil {
		return nil, err
	}
	s := &sheet{columns: []listColumn{{key: "source", title: c.T("opsview.col.source")}, {key: "reading", title: c.T("backoffice.sources.reading"), note: c.T("list.mode")}, {key: "key", title: c.T("backoffice.sources.key")},
		{key: "default", title: c.T("backoffice.sources.default"), note: c.T("list.loose")}, {key: "span", title: c.T("backoffice.sources.span")}, {key: "last", title: c.T("backoffice.sources.last"), note: c.T("opsview.col.at")}},
		empty: part.Empty{Title: c.T("backoffice.sources.empty"), Text: c.T("backoffice.sources.empty_text")}}
	for i := range all {
		x := &all[i]
		last := opsview.Cell{}
		if c.Scope.Has(scope.ItemDeliveryView) {
			newest, err := h.Deliveries.List(c.ctx(), c.Scope, x.Name, 1)
			if err != nil {
				return nil, err
			}
			if len(newest) > 0 {
				s.reached(newest[0].ReceivedAt)
				last = opsview.Cell{Text: deliveryName(&newest[0]), Href: c.deliveryLink(&newest[0], ""), Mono: true, Note: i18n.DateTime(newest[0].ReceivedAt)}
			}
		}
		fallback := x.DefaultOrg
		if fallback == "" {
			fallback = c.T("ops.customer.unmapped")
		}
		s.add(sheetRow{key: x.ID, mark: marks(x.Name, x.KeyColumn, x.DefaultOrg, last.Text), cells: []opsview.Cell{{Text: x.Name, Mono: true},
			{Text: x.Dialect, Note: c.T("ops.mode."+string(x.Mode)) + c.T("portal.list.comma") + x.Zone}, {Text: x.KeyColumn, Mono: true},
			{Text: fallback, Note: c.T("backoffice.loose." + string(x.Loose))}, {Text: spanText(c, x)}, last}})
	}
	return s, nil
}

// readPeriods lists what each source has delivered by cycle, the newest first.
func (h *Handlers) readPeriods(c *Ctx) (*sheet, error) {
	s := &sheet{columns: []listColumn{{key: "cycle", title: c.T("opsview.col.cycles")}, {key: "source", title: c.T("opsview.col.source")}, {key: "final", title: c.T("backoffice.periods.final"), note: c.T("ops.fact.by")},
		{key: "missing", title: c.T("backoffice.periods.missing"), num: true}},
		empty: part.Empty{Title: c.T("ops.deliveries.empty"), Text: c.T("ops.deliveries.empty_text")}}
	all, err := h.Sources.List(c.ctx(), c.Scope)
	if err != nil {
		return nil, err
	}
	var periods []delivery.Period
	for i := range all {
		of, err := h.Deliveries.Periods(c.ctx(), c.Scope, all[i].ID, "")
		if err != nil {
			return nil, err
		}
		periods = append(periods, of...)
		newest, err := h.Deliveries.List(c.ctx(), c.Scope, all[i].Name, 1)
		if err != nil {
			return nil, err
		}
		if len(newest) > 0 {
			s.reached(newest[0].ReceivedAt)
		}
	}
	sorted.By(periods, func(a, b delivery.Period) int { return strings.Compare(string(b.Cycle), string(a.Cycle)) })
	for i := range periods {
		s.add(periodRow(c, &periods[i]))
	}
	return s, nil
}

func periodRow(c *Ctx, x *delivery.Period) sheetRow {
	state, note := part.Status{Text: c.T("backoffice.periods.not_final"), Tone: part.Warn}, ""
	if x.Final {
		state = part.Status{Text: c.T("backoffice.periods.is_final"), Tone: part.Good}
		if x.FinalAt != nil {
			note = i18n.DateTime(*x.FinalAt)
		}
		if x.FinalBy != "" {
			note += " " + x.FinalBy
		}
	}
	missing := countCell(int64(len(x.DaysWithout)))
	return sheetRow{key: string(x.Cycle) + " " + x.Source, mark: marks(strconv.FormatBool(x.Final), missing.Raw),
		cells: []opsview.Cell{{Text: string(x.Cycle), Href: cycleHref(c, x.Cycle)}, {Text: x.Source, Href: c.withQuery("/deliveries", "source", x.Source)}, {Status: &state, Note: note}, missing}}
}

// mappedSource is the source a page of mapping is of: the named one, or the first.
func (h *Handlers) mappedSource(c *Ctx) (name string, zone *time.Location, all []source.Source, err error) {
	all, err = h.Sources.OfVendor(c.ctx(), c.Org.ID)
	if name = c.QueryParam("source"); name == "" && len(all) > 0 {
		name = all[0].Name
	}
	zone = time.UTC
	if i := slices.IndexFunc(all, func(s source.Source) bool { return s.Name == name }); i >= 0 {
		zone = all[i].Location() // the days of a map file are the source's
	}
	return name, zone, all, err
}

// readMapping lists the rules in force of one source, by key and, under one key, by time.
func (h *Handlers) readMapping(c *Ctx) (*sheet, error) {
	s := &sheet{columns: []listColumn{{key: "key", title: c.T("backoffice.map.key")}, {key: "customer", title: c.T("backoffice.map.customer"), note: c.T("bill.column.customer"), personal: true},
		{key: "valid", title: c.T("backoffice.valid")}, {key: "by", title: c.T("ops.fact.by"), note: c.T("opsview.col.at")}},
		empty: part.Empty{Title: c.T("backoffice.map.empty"), Text: c.T("backoffice.map.empty_text")}}
	name, zone, all, err := h.mappedSource(c)
	if err != nil || len(all) == 0 && name == "" {
		return s, err
	}
	rules, err := h.Attribution.Rules(c.ctx(), c.Scope, name)
	if err != nil {
		return nil, err
	}
	orgs, err := h.Deliveries.Store.Orgs(c.ctx())
	if err != nil {
		return nil, err
	}
	q := strings.TrimSpace(c.QueryParam("q"))
	s.narrowed("", name)
	s.narrowed("q", q)
	sorted.By(rules, func(a, b attribution.Rule) int { return strings.Compare(ruleAt(&a), ruleAt(&b)) })
	for i := range rules {
		r := &rules[i]
		o := orgs[r.OrgID]
		if !strings.Contains(strings.ToLower(r.Key+"\n"+o.Code+"\n"+o.Name), strings.ToLower(q)) {
			continue
		}
		customer := c.personal(o.Name)
		customer.Note = o.Code
		s.add(sheetRow{key: ruleAt(r), at: r.CreatedAt, mark: o.Code, cells: []opsview.Cell{{Text: r.Key, Mono: true}, customer,
			{Text: validText(c, price.DateOf(r.From, zone), price.DateOf(r.To, zone), r.From.IsZero(), r.To.IsZero())}, {Text: r.CreatedBy, Note: i18n.DateTime(r.CreatedAt)}}})
	}
	return s, nil
}

// readUnmapped sums by key what no rule of the source claims, in every cycle not yet issued.
func (h *Handlers) readUnmapped(c *Ctx) (*sheet, error) {
	s := &sheet{columns: []listColumn{{key: "key", title: c.T("backoffice.map.key"), note: c.T("list.name")}, {key: "cycle", title: c.T("opsview.col.cycles")}, {key: "rows", title: c.T("opsview.col.rows"), num: true},
		{key: "sum", title: c.T("opsview.col.sum"), num: true, money: true}},
		empty: part.Empty{Title: c.T("backoffice.map.all_mapped"), Text: c.T("backoffice.map.all_mapped_text")}}
	name, _, _, err := h.mappedSource(c)
	if err != nil {
		return nil, err
	}
	known, err := h.knownCycles(c)
	if err != nil {
		return nil, err
	}
	s.narrowed("", name)
	sorted.By(known, func(a, b monthclose.Known) int { return strings.Compare(string(b.Cycle), string(a.Cycle)) })
	for _, k := range known {
		if k.State == monthclose.StateIssued {
			continue
		}
		unmapped, err := h.Attribution.Unmapped(c.ctx(), c.Org.ID, k.Cycle, unmappedMost)
		if err != nil {
			return nil, err
		}
		for i := range unmapped {
			for _, key := range unmapped[i].Keys {
				if key.Source != name {
					continue
				}
				text, worth := key.Key, sums{{unmapped[i].Currency, key.Billed}}
				if text == "" {
					text = c.T("backoffice.map.no_key")
				}
				s.add(sheetRow{key: marks(string(k.Cycle), unmapped[i].Currency, key.Key), mark: marks(worth.mark(), strconv.FormatInt(key.LineCount, 10)), sums: worth,
					cells: []opsview.Cell{{Text: text, Mono: true, Note: key.Name}, {Text: string(k.Cycle), Href: cycleHref(c, k.Cycle)}, countCell(key.LineCount), moneyCell(worth)}})
			}
		}
	}
	return s, nil
}

// priceColumns are those of every list of price rules.
func priceColumns(c *Ctx) []listColumn {
	return []listColumn{{key: "rule", title: c.T("backoffice.prices.rule")}, {key: "partner", title: c.T("backoffice.prices.partner")}, {key: "customer", title: c.T("backoffice.map.customer"), note: c.T("bill.column.customer"), personal: true},
		{key: "dims", title: c.T("backoffice.prices.dims")}, {key: "type", title: c.T("bill.column.rule_type")},
		{key: "factor", title: c.T("backoffice.prices.factor"), note: c.T("bill.column.base"), num: true}, {key: "valid", title: c.T("backoffice.valid")},
		{key: "state", title: c.T("opsview.col.state")}, {key: "by", title: c.T("ops.fact.by"), note: c.T("opsview.col.at")}}
}

func priceRow(c *Ctx, r *price.Rule, orgs map[string]organisation.Organisation, linked bool) sheetRow {
	state := part.Status{Text: c.T("price.state." + string(r.State)), Tone: part.Good}
	switch {
	case r.EndedSeq != 0:
		state = part.Status{Text: c.T("backoffice.prices.ended")}
	case r.State == price.StateDraft:
		state.Tone = part.Warn
	}
	name := opsview.Cell{Text: bill.RuleName(r.Number, r.Version), Mono: true}
	if linked {
		name.Href = c.withQuery("/prices", "rule", strconv.FormatInt(r.Number, 10))
	}
	customer := c.personal(orgs[r.CustomerID].Name)
	customer.Note = orgs[r.CustomerID].Code
	return sheetRow{key: bill.RuleName(r.Number, r.Version), at: r.CreatedAt, mark: marks(string(r.State), r.Factor.String(), string(r.ValidFrom), string(r.ValidTo), strconv.FormatInt(r.EndedSeq, 10)),
		cells: []opsview.Cell{name, {Text: orgs[r.PartnerID].Name, Note: orgs[r.PartnerID].Code}, customer, {Text: dimsText(c, r)}, {Text: c.T("bill.rule_type." + string(r.Type))},
			{Text: r.Factor.String(), Raw: r.Factor.String(), Note: c.T("backoffice.prices.of_base", "Base", c.T("bill.base."+string(r.Base)))},
			{Text: validText(c, r.ValidFrom, r.ValidTo, r.ValidFrom == "", r.ValidTo == "")}, {Status: &state}, {Text: r.CreatedBy, Note: i18n.DateTime(r.CreatedAt)}}}
}

func (h *Handlers) priceSheet(c *Ctx, rules []price.Rule, linked bool) (*sheet, error) {
	orgs, err := h.Deliveries.Store.Orgs(c.ctx())
	s := &sheet{columns: priceColumns(c)}
	for i := range rules {
		s.add(priceRow(c, &rules[i], orgs, linked))
	}
	return s, err
}

// readPrices lists the rules in force.
func (h *Handlers) readPrices(c *Ctx) (*sheet, error) {
	q, kind := strings.TrimSpace(c.QueryParam("q")), price.Type(c.QueryParam("type"))
	if kind != "" && !slices.Contains(priceTypes, kind) {
		return nil, notFound()
	}
	rules, err := h.Prices.List(c.ctx(), c.Scope, c.Org.ID)
	if err != nil {
		return nil, err
	}
	orgs, err := h.Deliveries.Store.Orgs(c.ctx())
	if err != nil {
		return nil, err
	}
	rules = slices.DeleteFunc(rules, func(r price.Rule) bool {
		return kind != "" && r.Type != kind || !strings.Contains(strings.ToLower(priceLine(c, &r, orgs)), strings.ToLower(q))
	})
	s, err := h.priceSheet(c, rules, true)
	if err != nil {
		return nil, err
	}
	s.empty = part.Empty{Title: c.T("backoffice.prices.empty"), Text: c.T("backoffice.prices.empty_text")}
	s.narrowed("q", q)
	if kind != "" {
		s.narrowed("type", c.T("bill.rule_type."+string(kind)))
	}
	return s, nil
}

// readPriceHistory is every version of one rule, the newest first.
func (h *Handlers) readPriceHistory(c *Ctx) (*sheet, error) {
	n, err := strconv.ParseInt(c.QueryParam("rule"), 10, 64)
	if err != nil {
		return nil, notFound()
	}
	versions, err := h.Prices.History(c.ctx(), c.Scope, c.Org.ID, n)
	if err != nil {
		return nil, err
	}
	if len(versions) == 0 {
		return nil, notFound()
	}
	slices.Reverse(versions)
	s, err := h.priceSheet(c, versions, false)
	if err == nil {
		s.narrowed("", c.T("backoffice.prices.history", "Number", c.QueryParam("rule")))
	}
	return s, err
}

// readDrafts lists the price rules that wait.
func (h *Handlers) readDrafts(c *Ctx) (*sheet, error) {
	drafts, err := h.Prices.Drafts(c.ctx(), c.Scope, c.Org.ID)
	if err != nil {
		return nil, err
	}
	s, err := h.priceSheet(c, drafts, false)
	if err == nil {
		s.empty = part.Empty{Title: c.T("backoffice.simulation.no_drafts"), Text: c.T("backoffice.simulation.no_drafts_text")}
	}
	return s, err
}

// readSimulation compares, bill by bill, what the drafts would make of a cycle.
func (h *Handlers) readSimulation(c *Ctx) (*sheet, error) {
	known, err := h.knownCycles(c)
	if err != nil {
		return nil, err
	}
	at, err := h.simulated(c, known)
	if err != nil {
		return nil, err
	}
	s := &sheet{columns: []listColumn{{key: "partner", title: c.T("backoffice.simulation.partner"), note: c.T("billview.choose.entity")}, {key: "currency", title: c.T("opsview.draft.currency")},
		{key: "before", title: c.T("backoffice.simulation.before"), note: c.T("list.exact"), num: true}, {key: "after", title: c.T("backoffice.simulation.after"), note: c.T("list.exact"), num: true},
		{key: "difference", title: c.T("backoffice.simulation.difference"), note: c.T("list.exact"), num: true, money: true}},
		empty: part.Empty{Title: c.T("backoffice.simulation.no_bills"), Text: c.T("backoffice.simulation.no_bills_text")}}
	s.narrowed("", c.T("backoffice.simulation.bills", "Cycle", string(at)))
	var drafts []price.Rule
	if c.Scope.Has(scope.ItemPriceView) {
		if drafts, err = h.Prices.Drafts(c.ctx(), c.Scope, c.Org.ID); err != nil || len(drafts) == 0 {
			return s, err
		}
	}
	sim, err := h.Bills.Simulate(c.ctx(), c.Scope, c.Org.ID, at, drafts)
	if err != nil {
		return nil, err
	}
	for i := range sim.Bills {
		s.add(comparisonRow(c, &sim.Bills[i]))
	}
	return s, nil
}

func comparisonRow(c *Ctx, x *bill.Comparison) sheetRow {
	d := x.New
	if d == nil {
		d = x.Old
	}
	due := func(d *bill.Document) opsview.Cell {
		if d == nil {
			return opsview.Cell{}
		}
		m := part.MoneyOf(d.Due, d.Currency)
		return opsview.Cell{Text: m.Text, Full: m.Full, Raw: d.Due.String(), Note: c.T("backoffice.simulation.exact", "Amount", i18n.Exact(d.ExactTotal))}
	}
	exact := d.ExactTotal
	if x.Old != nil && x.New != nil {
		exact = x.New.ExactTotal.Sub(x.Old.ExactTotal)
	} else if x.New == nil {
		exact = exact.Neg()
	}
	m, worth := exactMoney(x.Difference(), d.Currency), sums{{d.Currency, x.Difference()}}
	return sheetRow{key: billKeyOf(d), mark: worth.mark() + exact.String(), sums: worth, cells: []opsview.Cell{{Text: d.Partner.Name, Note: d.Entity.Name}, {Text: d.Currency}, due(x.Old), due(x.New),
		{Text: m.Text, Full: m.Full, Raw: x.Difference().String(), Note: c.T("backoffice.simulation.exact", "Amount", i18n.Exact(exact))}}}
}

// readRules lists every rule of the FOCUS report once, narrowed by outcome, level and column.
func (h *Handlers) readRules(c *Ctx) (*sheet, error) {
	d, err := h.Deliveries.Find(c.ctx(), c.Scope, c.deliveryRef())
	if err != nil {
		return nil, err
	}
	all, err := h.Deliveries.Conformance(c.ctx(), c.Scope, d.ID)
	if err != nil {
		return nil, err
	}
	files, err := h.Deliveries.Store.DeliveryFiles(c.ctx(), d.ID)
	if err != nil {
		return nil, err
	}
	s := &sheet{columns: []listColumn{{key: "rule", title: c.T("opsview.conform.rule"), note: c.T("list.sentence")}, {key: "level", title: c.T("opsview.conform.level")}, {key: "outcome", title: c.T("opsview.conform.outcome")},
		{key: "failed", title: c.T("list.failed"), num: true}, {key: "checked", title: c.T("list.checked"), num: true}, {key: "sample", title: c.T("opsview.conform.sample")}},
		empty: part.Empty{Title: c.T("list.empty"), Text: c.T("list.empty_text")}}
	s.reached(d.ReceivedAt)
	outcome, level, column := c.QueryParam("outcome"), c.QueryParam("level"), c.QueryParam("column")
	if key := "ops.verdict." + outcome; outcome != "" && i18n.Has(key) {
		s.narrowed("outcome", c.T(key))
	}
	s.narrowed("level", level)
	s.narrowed("column", column)
	for i := range all {
		r := &all[i]
		if outcome != "" && string(r.Verdict) != outcome || level != "" && r.Level != level || column != "" && r.Column != column {
			continue
		}
		row := sheetRow{key: r.Rule, mark: marks(string(r.Verdict), strconv.FormatInt(r.Failed, 10), strconv.FormatInt(r.Checked, 10))}
		failed, checked, sample := opsview.Cell{}, opsview.Cell{}, ""
		if r.Verdict == conformance.VerdictPassed || r.Verdict == conformance.VerdictFailed {
			failed, checked = countCell(r.Failed), countCell(r.Checked)
		}
		for _, x := range r.Samples {
			if sample != "" {
				sample += c.T("portal.list.comma")
			}
			sample += placeOf(files, x.File, x.Line) + " " + x.Value
		}
		row.cells = []opsview.Cell{{Text: r.Rule, Note: r.Sentence, Mono: true}, {Text: r.Level}, {Status: &part.Status{Text: c.T("ops.verdict." + string(r.Verdict)), Tone: verdictTone[r.Verdict]}},
			failed, checked, {Text: sample, Mono: true}}
		s.add(row)
	}
	return s, nil
}

// readChanges pages through the rows of one cycle that differ from what the delivery replaced. How many
// there are, and their sums, were noted when it was published.
func (h *Handlers) readChanges(c *Ctx) (*sheet, error) {
	d, err := h.Deliveries.Find(c.ctx(), c.Scope, c.deliveryRef())
	if err != nil {
		return nil, err
	}
	src, err := h.Sources.ByID(c.ctx(), c.Scope, d.SourceID)
	if err != nil {
		return nil, err
	}
	slots, err := h.Deliveries.Slots(c.ctx(), c.Scope, d.ID)
	if err != nil {
		return nil, err
	}
	files, err := h.Deliveries.Store.DeliveryFiles(c.ctx(), d.ID)
	if err != nil {
		return nil, err
	}
	s := &sheet{columns: []listColumn{{key: "kind", title: c.T("opsview.diff.kind")}, {key: "charged", title: c.T("ops.changes.charged"), class: "num-l"}, {key: "account", title: c.T("ops.changes.account")},
		{key: "product", title: c.T("ops.changes.product")}, {key: "was", title: c.T("ops.changes.was"), num: true}, {key: "now", title: c.T("ops.changes.now"), num: true},
		{key: "difference", title: c.T("backoffice.simulation.difference"), num: true, money: true, class: "m"}, {key: "place", title: c.T("ops.changes.place")}},
		empty: part.Empty{Title: c.T("ops.changes.empty"), Text: c.T("ops.changes.empty_text")}}
	chosen := chosenSlot(c, slots)
	s.reached(d.ReceivedAt)
	s.stamp = d.ContentSHA + " " + strconv.FormatInt(chosen, 10)
	changes, err := h.Deliveries.Store.Changes(c.ctx(), d.ID)
	if err != nil {
		return nil, err
	}
	if i := slices.IndexFunc(slots, func(x usage.Slot) bool { return x.ID == chosen }); i >= 0 {
		s.narrowed("", string(slots[i].Cycle))
		for k := range changes {
			if x := &changes[k]; x.Cycle == slots[i].Cycle && x.Added+x.Removed+x.Changed > 0 {
				s.count += x.Added + x.Removed + x.Changed
				s.totals = s.totals.add(sum{x.Currency, x.AddedSum.Sub(x.RemovedSum).Add(x.ChangedDiff)})
			}
		}
	}
	s.pages = func(ctx context.Context, at listAt, size int) ([]sheetRow, bool, error) {
		in := delivery.DiffInput{Delivery: d.ID, Slot: chosen, Limit: size}
		return changePage(ctx, h.Deliveries, c, in, at, func(r *delivery.DiffRow) sheetRow { return changeRow(c, files, src.Location(), r) })
	}
	return s, nil
}

func chosenSlot(c *Ctx, slots []usage.Slot) int64 {
	chosen, _ := strconv.ParseInt(c.QueryParam("slot"), 10, 64)
	if chosen == 0 && len(slots) > 0 {
		chosen = slots[0].ID
	}
	return chosen
}

// changePage reads a page. The comparison walks two deliveries side by side and only forward: the page
// before a row is what was seen last when the walk comes to it.
func changePage(ctx context.Context, from *delivery.Service, c *Ctx, in delivery.DiffInput, at listAt, row func(*delivery.DiffRow) sheetRow) ([]sheetRow, bool, error) {
	var err error
	if !at.back {
		if in.After, err = parseChangePlace(at.key); err != nil {
			return nil, false, err
		}
		page, err := from.Diff(ctx, c.Scope, in)
		var rows []sheetRow
		for i := range page.Rows {
			rows = append(rows, row(&page.Rows[i]))
		}
		return rows, page.Next != nil, err
	}
	size := in.Limit
	in.Limit = 1000
	var seen []sheetRow
	for {
		page, err := from.Diff(ctx, c.Scope, in)
		if err != nil {
			return nil, false, err
		}
		for i := range page.Rows {
			r := row(&page.Rows[i])
			if r.key == at.key {
				return seen[max(0, len(seen)-size):], len(seen) > size, nil
			}
			seen = append(seen, r)
		}
		if in.After = page.Next; in.After == nil {
			return nil, false, nil
		}
		seen = slices.Clone(seen[max(0, len(seen)-size-1):])
	}
}

func changeRow(c *Ctx, files []delivery.File, zone *time.Location, r *delivery.DiffRow) sheetRow {
	line, diff := r.Is, money.Exact{}
	was, now, where := opsview.Cell{}, opsview.Cell{}, ""
	if line == nil {
		line = r.Was
	}
	if r.Was != nil {
		was, diff = moneyCell(sums{{r.Was.Currency, r.Was.Billed}}), diff.Sub(r.Was.Billed)
	}
	if r.Is != nil {
		now, diff, where = moneyCell(sums{{r.Is.Currency, r.Is.Billed}}), diff.Add(r.Is.Billed), placeOf(files, r.Is.FileNo, r.Is.LineNo)
	}
	account := line.Account.SubAccount
	if account == "" {
		account = line.Account.BillingAccount
	}
	worth := sums{{line.Currency, diff}}
	return sheetRow{key: changePlace(line), sums: worth, cells: []opsview.Cell{{Tag: &part.Tag{Text: c.T("ops.diff." + string(r.Kind)), Tone: diffTone[r.Kind]}},
		{Text: i18n.DateTimeIn(line.ChargeStart, zone)}, {Text: account, Mono: true}, {Text: strings.TrimSpace(line.Product.Service + " " + line.Product.Region)},
		was, now, moneyCell(worth), {Text: where, Mono: true}}}
}
