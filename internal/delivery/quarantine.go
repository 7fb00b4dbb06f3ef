package delivery

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/csv"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"

	"huoban/internal/billdoc"
	"huoban/internal/cycle"
	"huoban/internal/fault"
	"huoban/internal/ingest"
	"huoban/internal/money"
	"huoban/internal/scope"
	"huoban/internal/source"
	"huoban/internal/usage"
)

// The states of a quarantined row.
const (
	QuarantineOpen      = "open"
	QuarantineCorrected = "corrected"
	QuarantineDropped   = "dropped"
)

// Quarantine lists rows in scope. Faults: scope.permission_missing.
func (s *Service) Quarantine(ctx context.Context, sc scope.Scope, f QuarantineFilter) ([]Quarantined, error) {
	if err := sc.Require(scope.ItemQuarantineView); err != nil {
		return nil, err
	}
	return s.Store.Quarantine(ctx, sc, f)
}

// The columns the export puts before the original ones; quarantine_id is the one a correction needs.
var quarantineColumns = []string{"quarantine_id", "quarantine_file", "quarantine_line", "quarantine_column", "quarantine_value", "quarantine_reason"}

// ExportQuarantine writes the open rows of a delivery with their original columns, ready to be
// corrected and given to Retry. say puts a reason into words. Faults: delivery.unknown,
// scope.permission_missing.
func (s *Service) ExportQuarantine(ctx context.Context, sc scope.Scope, ref string, say func(code string, args map[string]any) string, w io.Writer) error {
	if err := sc.Require(scope.ItemQuarantineView); err != nil {
		return err
	}
	d, err := s.Find(ctx, sc, ref)
	if err != nil {
		return err
	}
	files, err := s.Store.DeliveryFiles(ctx, d.ID)
	if err != nil {
		return err
	}
	columns, headers := unionHeader(files)
	out := csv.NewWriter(w)
	head := append(slices.Clone(quarantineColumns), columns...)
	for i := range head {
		head[i] = billdoc.Disarm(head[i])
	}
	if err := out.Write(head); err != nil {
		return err
	}
	f := QuarantineFilter{DeliveryID: d.ID, State: QuarantineOpen}
	for {
		rows, err := s.Store.Quarantine(ctx, sc, f)
		if err != nil {
			return err
		}
		for _, q := range rows {
			reason := q.Code
			if say != nil {
				reason = say(q.Code, q.Args)
			}
			rec := append([]string{q.ID, q.File, fmt.Sprint(q.LineNo), q.Column, q.Value, reason}, align(splitRaw(q.Raw, len(headers[q.FileNo])), headers[q.FileNo], columns)...)
			for i := range rec {
				rec[i] = billdoc.Disarm(rec[i])
			}
			if err := out.Write(rec); err != nil {
				return err
			}
			f.After = q.ID
		}
		if len(rows) < 1000 {
			out.Flush()
			return out.Error()
		}
	}
}

// unionHeader is every column of a delivery's files, in order of appearance.
func unionHeader(files []File) (columns []string, byFile map[int][]string) {
	byFile = map[int][]string{}
	for _, f := range files {
		byFile[f.No] = f.Header
		for _, h := range f.Header {
			if !slices.Contains(columns, h) {
				columns = append(columns, h)
			}
		}
	}
	return columns, byFile
}

func align(values, header, columns []string) []string {
	out := make([]string, len(columns))
	for i, h := range header {
		if i < len(values) {
			out[slices.Index(columns, h)] = values[i]
		}
	}
	return out
}

// splitRaw cuts a row by the separator that gives the most fitting number of cells.
func splitRaw(raw string, want int) []string {
	best := []string{raw}
	for _, sep := range []rune{',', ';', '\t', '|'} {
		r := csv.NewReader(strings.NewReader(raw))
		r.Comma, r.LazyQuotes, r.FieldsPerRecord = sep, true, -1
		rec, err := r.Read()
		if err != nil {
			continue
		}
		if len(rec) == want {
			return rec
		}
		if len(rec) > len(best) {
			best = rec
		}
	}
	return best
}

// RetryResult is what became of corrected rows.
type RetryResult struct {
	Delivery  string                 `json:"delivery_id"`
	Corrected int                    `json:"corrected"`
	Lines     int64                  `json:"lines"`
	Sums      map[string]money.Exact `json:"sums"` // by currency
}

// Retry reads corrected rows, all or none: they become lines of a further file of the same delivery,
// and the original rows stay shown as corrected. Faults: delivery.unknown, delivery.correction_malformed,
// delivery.correction_unknown, delivery.correction_refused with a reason per row, delivery.cycle_not_open,
// delivery.correction_replaced, delivery.correction_cycle, delivery.correction_repeated,
// scope.permission_missing.
func (s *Service) Retry(ctx context.Context, sc scope.Scope, ref string, file io.Reader) (RetryResult, error) {
	if err := sc.Require(scope.ItemQuarantineResolve); err != nil {
		return RetryResult{}, err
	}
	d, err := s.Find(ctx, sc, ref)
	if err != nil {
		return RetryResult{}, err
	}
	src, err := s.Sources.ByName(ctx, sc, d.Source)
	if err != nil {
		return RetryResult{}, err
	}
	c, err := readCorrection(file)
	if err != nil {
		return RetryResult{}, err
	}
	done, err := s.one(ctx, src.ID)
	if err != nil {
		return RetryResult{}, err
	}
	defer done()
	var out RetryResult
	err = s.Tx.InBulk(ctx, func(ctx context.Context) error {
		out = RetryResult{Delivery: d.ID, Sums: map[string]money.Exact{}}
		return s.retry(ctx, sc, d, &src, c, &out)
	})
	return out, err
}

// correction is a corrected file without the quarantine's own columns.
type correction struct {
	body  []byte
	ids   map[int64]string // physical line → quarantined row
	order []string
}

func readCorrection(in io.Reader) (*correction, error) {
	r := csv.NewReader(in)
	r.FieldsPerRecord = -1
	head, err := r.Read()
	if err != nil {
		return nil, fault.Invalid("delivery.correction_malformed", fault.Args{"line": 1}).Because(err)
	}
	head[0] = strings.TrimPrefix(head[0], "\ufeff")
	at := slices.Index(head, quarantineColumns[0])
	if at < 0 {
		return nil, fault.Invalid("delivery.correction_malformed", fault.Args{"line": 1})
	}
	c := &correction{ids: map[int64]string{}}
	var buf bytes.Buffer
	out := csv.NewWriter(&buf)
	write := func(rec []string) error {
		var own []string
		for i, v := range rec {
			if i >= len(head) || !strings.HasPrefix(head[i], "quarantine_") {
				own = append(own, billdoc.Rearm(v)) // as ExportQuarantine wrote it
			}
		}
		if err := out.Write(own); err != nil {
			return err
		}
		out.Flush()
		return out.Error()
	}
	if err := write(head); err != nil {
		return nil, err
	}
	for {
		rec, err := r.Read()
		if errors.Is(err, io.EOF) {
			break
		}
		line, _ := r.FieldPos(0)
		if err != nil || at >= len(rec) || rec[at] == "" {
			return nil, fault.Invalid("delivery.correction_malformed", fault.Args{"line": line}).Because(err)
		}
		c.ids[int64(bytes.Count(buf.Bytes(), []byte{'\n'}))+1] = rec[at]
		c.order = append(c.order, rec[at])
		if err := write(rec); err != nil {
			return nil, err
		}
	}
	if len(c.order) == 0 {
		return nil, fault.Invalid("delivery.correction_malformed", fault.Args{"line": 2})
	}
	c.body = buf.Bytes()
	return c, nil
}

func (s *Service) retry(ctx context.Context, sc scope.Scope, d Delivery, src *source.Source, c *correction, out *RetryResult) error {
	open, err := s.openRows(ctx, sc, d, c)
	if err != nil {
		return err
	}
	files, err := s.Store.DeliveryFiles(ctx, d.ID)
	if err != nil {
		return err
	}
	sum := sha256.Sum256(c.body)
	f := File{No: len(files) + 1, Name: correctionName(files), SHA: hex.EncodeToString(sum[:]),
		Format: string(ingest.FormatCSV), Bytes: int64(len(c.body))}
	part := ingest.NewPart(f.No, f.Name, ingest.FormatCSV, f.Bytes, func() (io.ReadCloser, error) { return io.NopCloser(bytes.NewReader(c.body)), nil })
	lines, header, err := s.correctedLines(part, src, c)
	if err != nil {
		return err
	}
	f.Header, f.LineCount = header, int64(len(lines))
	if err := s.Store.PutFile(ctx, d.ID, f); err != nil {
		return err
	}
	if err := s.keep(ctx, part, f); err != nil {
		return err
	}
	if err := s.addLines(ctx, d, src, lines, out); err != nil {
		return err
	}
	bodies := strings.Split(string(c.body), "\n")
	for line, rowID := range c.ids {
		won, err := s.Store.Decide(ctx, open[rowID], QuarantineCorrected, strings.TrimRight(bodies[line-1], "\r"), fmt.Sprintf("%s:%d", f.Name, line),
			sc.Login(), s.Clock.Now())
		if err != nil {
			return err
		}
		if !won {
			return fault.Conflict("delivery.correction_unknown", fault.Args{"row": rowID})
		}
	}
	out.Corrected = len(c.ids)
	return s.record(ctx, sc, d.VendorID, "quarantine.retry", "delivery:"+d.Source+"/"+itoa(d.Number), map[string]any{"rows": c.order, "sha": f.SHA})
}

// correctionName tells the month where only the names of the files it corrects do.
func correctionName(files []File) string {
	names := make([]string, len(files))
	for i, f := range files {
		names[i] = f.Name
	}
	name := fmt.Sprintf("correction-%d", len(files)+1)
	if month := ingest.SharedMonth(names); month != "" {
		name += "-" + month
	}
	return name + ".csv"
}

// openRows checks that every corrected row is an open one of the delivery, named once.
func (s *Service) openRows(ctx context.Context, sc scope.Scope, d Delivery, c *correction) (map[string]string, error) {
	open := map[string]string{}
	f := QuarantineFilter{DeliveryID: d.ID, State: QuarantineOpen}
	for {
		rows, err := s.Store.Quarantine(ctx, sc, f)
		if err != nil {
			return nil, err
		}
		for _, q := range rows {
			open[q.ID], f.After = q.ID, q.ID
		}
		if len(rows) < 1000 {
			break
		}
	}
	seen := map[string]bool{}
	for _, rowID := range c.order {
		if open[rowID] == "" || seen[rowID] {
			return nil, fault.Conflict("delivery.correction_unknown", fault.Args{"row": rowID})
		}
		seen[rowID] = true
	}
	return open, nil
}

// correctedLines reads the corrected rows; a row that is still wrong refuses all.
func (s *Service) correctedLines(part ingest.Part, src *source.Source, c *correction) ([]usage.Line, []string, error) {
	r, err := ingest.NewReader(part, src.Reading())
	if err != nil {
		return nil, nil, err
	}
	defer r.Close()
	var lines []usage.Line
	var reasons []*fault.Error
	for {
		l, bad, err := r.Next()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			return nil, nil, err
		}
		if bad != nil {
			args := fault.Args{"line": bad.LineNo}
			for k, v := range bad.Args {
				args[k] = v
			}
			reasons = append(reasons, fault.Invalid(bad.Code, args))
			continue
		}
		l.FileNo = part.No
		lines = append(lines, *l)
	}
	if e := r.Stats().Amortised; e != nil {
		return nil, nil, fault.Conflict("delivery.amortised", fault.Args{"file": part.Name, "line": e.LineNo, "column": e.Column, "value": e.Value})
	}
	if len(reasons) == 0 && len(lines) != len(c.order) {
		reasons = append(reasons, fault.Invalid("delivery.correction_skipped", fault.Args{"count": len(c.order) - len(lines)}))
	}
	if len(reasons) > 0 {
		f := fault.Refused("delivery.correction_refused", reasons)
		f.Kind = fault.KindInvalid
		return nil, nil, f
	}
	return lines, r.Header(), nil
}

// addLines puts lines into the delivery's slots of open cycles and keeps sums and changes right.
func (s *Service) addLines(ctx context.Context, d Delivery, src *source.Source, lines []usage.Line, out *RetryResult) error {
	resolver, _, err := s.Rules.Resolver(ctx, src.ID)
	if err != nil {
		return err
	}
	changes, err := s.Store.Changes(ctx, d.ID)
	if err != nil {
		return err
	}
	slots := map[cycle.Cycle]usage.Slot{}
	next := map[usage.Place]int64{}
	dims, fresh := newDimensions(), usage.NewDims()
	sums := map[usage.SummaryKey]usage.Sum{}
	var batch []*usage.Stored
	for i := range lines {
		st := &usage.Stored{Line: lines[i]}
		slot, ok := slots[st.Cycle]
		if !ok {
			if slot, err = s.correctable(ctx, d, src, st.Cycle); err != nil {
				return err
			}
		}
		slot.LineCount++
		slots[st.Cycle] = slot
		st.SlotID = slot.ID
		st.CustomerID, st.RuleID = resolver.Resolve(&st.Line)
		place := st.Place()
		if _, ok := next[place]; !ok {
			last, err := s.Store.LastOccurrence(ctx, place, st.ChargeStart)
			if err != nil {
				return err
			}
			next[place] = last + 1
		}
		st.Occurrence = next[place]
		next[place]++
		if st.Occurrence > 0 && ownKeys(src) {
			return repeatedCorrection(src, st.Cycle, st.LineNo)
		}
		dims.name(st, &fresh)
		sum, err := st.Sum(src.Base)
		if err != nil {
			return err
		}
		total := sums[st.SummaryKey()]
		if err := total.Add(sum); err != nil {
			return err
		}
		sums[st.SummaryKey()], st.Amount = total, sum.Amount
		batch = append(batch, st)
		changes = addChange(changes, st, sum)
		out.Lines, out.Sums[st.Currency] = out.Lines+1, out.Sums[st.Currency].Add(st.Billed)
	}
	if err := s.Store.WriteLines(ctx, batch, fresh); err != nil {
		return err
	}
	if err := s.Store.AddToSummaries(ctx, sums); err != nil {
		return err
	}
	for _, slot := range slots {
		if err := s.refuseRepeated(ctx, src, slot); err != nil {
			return err
		}
		if err := s.Store.SetSlotCount(ctx, slot.ID, slot.LineCount); err != nil {
			return err
		}
	}
	return s.Store.PutChanges(ctx, d.ID, changes)
}

// refuseRepeated refuses corrected rows of an appending source that another delivery brought meanwhile.
func (s *Service) refuseRepeated(ctx context.Context, src *source.Source, slot usage.Slot) error {
	if src.Mode != source.ModeAppend {
		return nil
	}
	others, err := s.Store.SlotsOfSource(ctx, src.ID, slot.Cycle)
	if err != nil {
		return err
	}
	for _, old := range others {
		if old.ID == slot.ID || !counts(old.State) {
			continue
		}
		_, line, found, err := s.Store.Repeat(ctx, slot.ID, old.ID)
		if err != nil {
			return err
		}
		if found {
			return repeatedCorrection(src, slot.Cycle, line)
		}
	}
	return nil
}

func repeatedCorrection(src *source.Source, c cycle.Cycle, line int64) error {
	return fault.Conflict("delivery.correction_repeated", fault.Args{"line": line, "cycle": string(c), "source": src.Name})
}

func addChange(changes []Change, l *usage.Stored, sum usage.Sum) []Change {
	i := slices.IndexFunc(changes, func(c Change) bool { return c.Cycle == l.Cycle && c.Currency == l.Currency })
	if i < 0 {
		changes, i = append(changes, Change{Cycle: l.Cycle, Currency: l.Currency}), len(changes)
	}
	c := &changes[i]
	c.LineCount, c.Total, c.Stored = c.LineCount+1, c.Total.Add(l.Billed), c.Stored+sum.Amount
	c.Added, c.AddedSum = c.Added+1, c.AddedSum.Add(l.Billed)
	return changes
}

// correctable gives the delivery's slot of an open cycle, making one where the source has nothing of
// the cycle yet. A slot that was replaced takes no correction, nor is another delivery's period
// replaced by a few corrected rows.
func (s *Service) correctable(ctx context.Context, d Delivery, src *source.Source, c cycle.Cycle) (usage.Slot, error) {
	month, err := s.Store.CycleState(ctx, src.VendorID, c)
	if err != nil {
		return usage.Slot{}, err
	}
	if month != stateOpen {
		return usage.Slot{}, fault.Conflict("delivery.cycle_not_open", fault.Args{"cycle": string(c), "state": month, "vendor": src.Vendor})
	}
	slots, err := s.Store.SlotsOfSource(ctx, src.ID, c)
	if err != nil {
		return usage.Slot{}, err
	}
	others := false
	for _, slot := range slots {
		switch {
		case slot.DeliveryID == d.ID && slot.State == usage.SlotActive:
			return slot, nil
		case slot.DeliveryID == d.ID:
			return usage.Slot{}, fault.Conflict("delivery.correction_replaced", fault.Args{"cycle": string(c)})
		}
		others = others || counts(slot.State)
	}
	if others && src.Mode == source.ModeSnapshot {
		return usage.Slot{}, fault.Conflict("delivery.correction_cycle", fault.Args{"cycle": string(c), "source": src.Name})
	}
	id, err := s.addSlot(ctx, &d, c)
	if err != nil {
		return usage.Slot{}, err
	}
	if err := s.Store.EnsurePeriod(ctx, src.ID, c); err != nil {
		return usage.Slot{}, err
	}
	if err := s.enter(ctx, src, d.ID, plan{slot: id, cycle: c, month: month}); err != nil {
		return usage.Slot{}, err
	}
	return s.Store.Slot(ctx, id)
}

// Drop gives up open rows with a reason that stands beside them. Faults: delivery.reason_missing,
// delivery.correction_unknown, delivery.unknown, scope.permission_missing.
func (s *Service) Drop(ctx context.Context, sc scope.Scope, ref string, rowIDs []string, reason string) error {
	if err := sc.Require(scope.ItemQuarantineResolve); err != nil {
		return err
	}
	if strings.TrimSpace(reason) == "" {
		return fault.Invalid("delivery.reason_missing", nil)
	}
	return s.Tx.InTx(ctx, func(ctx context.Context) error {
		d, err := s.Find(ctx, sc, ref)
		if err != nil {
			return err
		}
		if _, err := s.openRows(ctx, sc, d, &correction{order: rowIDs}); err != nil {
			return err
		}
		for _, rowID := range rowIDs {
			if _, err := s.Store.Decide(ctx, rowID, QuarantineDropped, "", reason, sc.Login(), s.Clock.Now()); err != nil {
				return err
			}
		}
		return s.record(ctx, sc, d.VendorID, "quarantine.drop", "delivery:"+d.Source+"/"+itoa(d.Number), map[string]any{"rows": rowIDs, "reason": reason})
	})
}
